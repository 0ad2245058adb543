//! The service without its sockets: a request and the time that has passed go in, an answer comes out.
//!
//! Limits, tokens, errors, lists and synchronisation as documented, answered from the world as of the virtual clock; it
//! changes nothing in the world. It must not do any input or output nor read real time, so that a simulator can drive
//! it on virtual time alone. The same requests at the same times give the same bytes.

mod account;
mod ask;
mod auth;
mod batch;
mod call_filter;
mod call_sync;
mod calls;
mod control;
pub(crate) mod error;
mod faces;
pub(crate) mod limits;
mod message_sync;
mod messages;
mod options;
mod query;
pub(crate) mod route;
mod stats;
#[cfg(test)]
mod tests;
mod token;
mod unknowns;

pub(crate) use ask::decode_pairs;
pub use ask::{Ask, Carriage, Method, Reply};
pub use control::CLOCK;
pub use limits::Group;
pub use options::Options;
pub use stats::Stats;
pub use unknowns::{Deletions, InProgress, LegOrder, Rounding, Spelling, TimeStyle, Unknowns};

use super::clock::Clock;
use super::faults::Injector;
use super::world::World;
use auth::{Credentials, Tokens};
use error::ApiError;
use limits::{Limits, Verdict};
use route::{Operation, Route};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// The origin that stands in served addresses when no other is set: nothing is there.
const NO_ORIGIN: &str = "http://sandbox.invalid";

/// The whole service for one account.
#[derive(Debug)]
pub struct Service {
    world: Arc<World>,
    clock: Clock,
    options: Options,
    origin: String,
    credentials: Credentials,
    limits: Limits,
    tokens: Tokens,
    faults: Injector,
    stats: Arc<Stats>,
}

/// A successful answer, before its headers.
#[derive(Debug)]
pub(crate) struct Answer {
    status: u16,
    content_type: String,
    body: String,
}

pub(crate) type Answered = Result<Answer, ApiError>;

const JSON: &str = "application/json;charset=utf-8";

impl Answer {
    pub(crate) fn json<T: Serialize>(value: &T) -> Answered {
        let body = serde_json::to_string(value).map_err(|_| ApiError::fault(500))?;
        Ok(Answer { status: 200, content_type: JSON.to_owned(), body })
    }
}

impl Service {
    /// A service that answers from `world` as of `clock`. The options that made the world are ignored, and so is the
    /// address; served addresses begin with `advertised_origin`, or with one that leads nowhere.
    pub fn new(world: Arc<World>, options: Options, clock: Clock) -> Service {
        let seed = world.plot().seed;
        let credentials = Credentials::of_seed(seed);
        Service {
            origin: options.advertised_origin.clone().unwrap_or_else(|| NO_ORIGIN.to_owned()),
            limits: Limits::new(options.rate_window, options.limits_lifted),
            tokens: Tokens::new(credentials.clone(), options.token_life, seed),
            faults: Injector::new(options.faults.clone()),
            stats: Arc::new(Stats::default()),
            world: options.faults.applied_to(&world),
            clock,
            options,
            credentials,
        }
    }

    /// The world it answers from, with what its fault plan changes in it.
    pub fn world(&self) -> Arc<World> {
        Arc::clone(&self.world)
    }

    /// What has been asked so far.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.stats)
    }

    /// The client id that the token endpoint accepts.
    pub fn client_id(&self) -> &str {
        &self.credentials.client_id
    }

    /// The client's secret.
    pub fn client_secret(&self) -> &str {
        &self.credentials.client_secret
    }

    /// The user's credential for the JWT grant.
    pub fn jwt(&self) -> &str {
        &self.credentials.jwt
    }

    /// Answers one request: limits first, then the fault plan, then the token, then the operation.
    ///
    /// `elapsed` is the time since any fixed moment, by which rate limits and token lives are measured; it must not go
    /// back from one request to the next. What is shown depends on the virtual clock alone.
    pub fn answer(&self, ask: &Ask, elapsed: Duration) -> Reply {
        if let Some(reply) = self.control(ask) {
            return reply;
        }
        let route = Route::find(ask.method, &ask.path);
        let verdict = self.limits.admit(route.group, elapsed);
        self.stats.count(route.group, route.template, verdict.admitted);
        if !verdict.admitted {
            return self.reply(verdict, Err(ApiError::rate_exceeded()));
        }
        let turn = self.faults.begin(ask, &verdict, elapsed);
        if turn.early {
            self.stats.count_early();
        }
        if turn.expires_token() {
            self.tokens.expire(ask, elapsed);
        }
        let answer = match turn.refusal() {
            Some(refusal) => Err(refusal),
            None if matches!(route.operation, Operation::Token | Operation::Revoke) => {
                self.answer_form(route.operation, ask, elapsed)
            }
            None => {
                self.tokens.check(ask, elapsed).and_then(|()| self.operate(&route, &turn.understood(ask)))
            }
        };
        let reply = self.reply(verdict, answer);
        self.faults.finish(&turn, ask, reply, self.clock.now(), &mut |other| {
            let answer = self.operate(&route, other).ok()?;
            serde_json::from_str(&answer.body).ok()
        })
    }

    /// The token endpoints, which know the client by its own credentials.
    fn answer_form(&self, operation: Operation, ask: &Ask, elapsed: Duration) -> Answered {
        let Some(form) = &ask.form else {
            return Err(ApiError::oauth(400, "invalid_request", "OAU-250", "Unsupported grant type"));
        };
        if operation == Operation::Token {
            return Answer::json(&self.tokens.grant(ask, form, elapsed)?);
        }
        self.tokens.revoke(ask, form, elapsed)?;
        Ok(Answer { status: 200, content_type: JSON.to_owned(), body: String::new() })
    }

    fn operate(&self, route: &Route, ask: &Ask) -> Answered {
        let account = route.part("account");
        if !account.is_empty() {
            self.check_account(account)?;
        }
        let extension = route.part("extension");
        // An extension's own log and mailbox are addressed alike; only its log can be the company's as well.
        let log = || if extension.is_empty() { Ok(None) } else { self.seat(extension).map(Some) };
        match route.operation {
            Operation::Account => self.account(),
            Operation::Extensions => self.extensions(ask),
            Operation::CallLog => self.call_log(log()?, ask),
            Operation::CallRecord => self.call_record(log()?, route.part("record"), ask),
            Operation::CallSync => self.call_sync(log()?, ask),
            Operation::CallExtract => self.call_extract(ask),
            Operation::ActiveCalls => self.active_calls(log()?, ask),
            Operation::Messages => self.messages(extension, ask),
            Operation::Message => self.message(extension, route.part("message"), ask),
            Operation::MessageSync => self.message_sync(extension, ask),
            Operation::WrongMethod => Err(ApiError::wrong_method()),
            Operation::Token | Operation::Revoke | Operation::Unknown => Err(ApiError::invalid_uri()),
        }
    }

    /// Puts status, headers and body together. Every answer tells the virtual time and the state of its rate group.
    fn reply(&self, verdict: Verdict, answer: Answered) -> Reply {
        let Answer { status, content_type, body } = answer.unwrap_or_else(|error| Answer {
            status: error.status,
            content_type: JSON.to_owned(),
            body: error.body.to_string(),
        });
        let mut headers = vec![
            ("date", self.clock.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
            ("content-type", content_type),
            ("x-rate-limit-group", verdict.group.name().to_owned()),
            ("x-rate-limit-limit", verdict.limit.to_string()),
            ("x-rate-limit-remaining", verdict.remaining.to_string()),
            ("x-rate-limit-window", verdict.window_seconds.to_string()),
        ];
        if matches!(status, 429 | 503) {
            headers.push(("retry-after", verdict.window_seconds.to_string()));
        }
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Reply { status, headers, body: body.into_bytes(), carriage: Carriage::Whole }
    }
}
