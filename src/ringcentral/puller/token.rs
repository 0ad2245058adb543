//! The one access token of a run: asked for once, renewed before its end, dropped when the service no longer takes it.

use std::time::Duration;

use super::port::{Action, Auth, Method, Moment, Request, Response};
use super::refusal::{Refusal, redirected, unreachable};
use super::request::read_token;
use super::{Awaited, Endpoint, Puller};
use crate::domain::Result;
use crate::ringcentral::credentials::Secret;

/// A token request that fails is tried this often, this far apart (the service's own rule).
const TRIES: u32 = 3;
pub(super) const PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Token {
    pub(super) access: Secret,
    pub(super) renew_at: Duration,
}

impl Puller {
    pub(super) fn ask_token(&mut self, at: Moment) -> Action {
        let ready = self.limits.ready_at(Endpoint::Token, at.elapsed);
        if ready > at.elapsed {
            return self.wait(at, ready, self.why_closed(self.token_refusals));
        }
        self.awaited = Some(Awaited::Token);
        self.summary.requests += 1;
        Action::Request(Request {
            method: Method::Post,
            path: "/restapi/oauth/token".to_owned(),
            query: Vec::new(),
            auth: Auth::Credentials,
            group: self.limits.group(Endpoint::Token),
        })
    }

    pub(super) fn token_answer(&mut self, at: Moment, response: &Response) -> Result<()> {
        match response.status {
            200 => {
                let (access, life) = read_token(&response.body)?;
                // Renewed a minute before its end, or a tenth of a short life.
                let margin = Duration::from_secs(60).min(life / 10);
                self.token = Some(Token { access, renew_at: at.elapsed + (life - margin) });
                (self.token_tries, self.token_refusals) = (0, 0);
                self.summary.tokens += 1;
                Ok(())
            }
            429 => {
                self.token_refusals += 1;
                self.penalise(at, Endpoint::Token, response, self.token_refusals)
            }
            408 | 500.. => {
                let asked = response.wait_asked(at.civil).unwrap_or(PAUSE);
                self.repeat_token(at, asked, &format!("HTTP {}", response.status))
            }
            300..=399 => Err(redirected(response)),
            _ => Err(Refusal::of(response).sign_in_failure()),
        }
    }

    pub(super) fn repeat_token(&mut self, at: Moment, pause: Duration, what: &str) -> Result<()> {
        self.token_tries += 1;
        if self.token_tries >= TRIES {
            return Err(unreachable("to sign in", self.token_tries, what));
        }
        self.pause(at, pause)
    }
}
