//! The plan at work: what each request meets, and what becomes of its answer.

use super::bytes;
use super::kind::{FaultGroup, FaultKind};
use super::pages::{self, Move};
use super::plan::{Endpoint, FaultPlan, Rule};
use super::records::{self, Family};
use crate::sandbox::service::error::ApiError;
use crate::sandbox::service::limits::Verdict;
use crate::sandbox::service::{Ask, Carriage, Group, Reply};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a group is closed after a refusal that does not say so: the guide's advice for that case.
const SILENT_WAIT_SECONDS: u64 = 30;
const ABSURD_WAIT_SECONDS: u64 = 10 * 24 * 60 * 60;

/// A plan with the memory it needs.
#[derive(Debug)]
pub(crate) struct Injector {
    plan: FaultPlan,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Requests seen and hit, by rule.
    counts: Vec<(u64, u64)>,
    closed: BTreeMap<Group, Closed>,
    /// What happened to lists since their first page was asked for, by path and query without the page.
    lists: BTreeMap<String, Vec<Move>>,
}

/// A group in which nothing is served for a while.
#[derive(Clone, Copy, Debug)]
struct Closed {
    until: Duration,
    wait: Duration,
}

/// What one request meets.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    hits: Vec<(FaultKind, i64)>,
    endpoint: Option<Endpoint>,
    /// It was sent before the time that an earlier refusal had named.
    pub(crate) early: bool,
    /// Seconds that a refusal asks to wait.
    wait_seconds: u64,
}

impl Turn {
    fn has(&self, kind: FaultKind) -> bool {
        self.hits.iter().any(|(hit, _)| *hit == kind)
    }

    /// Whether the token of the request dies.
    pub(crate) fn expires_token(&self) -> bool {
        self.has(FaultKind::TokenExpired)
    }

    /// The error that the request gets instead of its answer, if any: the first one that the plan has for it.
    pub(crate) fn refusal(&self) -> Option<ApiError> {
        if self.early {
            return Some(ApiError::rate_exceeded());
        }
        self.hits.iter().find_map(|(kind, _)| refusal(*kind))
    }

    /// The request as it is understood.
    pub(crate) fn understood(&self, ask: &Ask) -> Ask {
        let mut ask = ask.clone();
        if let Some((_, size)) = self.hits.iter().find(|(kind, _)| *kind == FaultKind::PerPageSmaller) {
            let asked = ask.query.iter().find(|(name, _)| name == "perPage");
            let asked = asked.and_then(|(_, value)| value.parse::<i64>().ok()).unwrap_or(100);
            set_query(&mut ask, "perPage", &asked.min(*size).to_string());
        }
        ask
    }
}

fn refusal(kind: FaultKind) -> Option<ApiError> {
    Some(match kind {
        FaultKind::RateLimited
        | FaultKind::RateLimitedDate
        | FaultKind::RateLimitedSilent
        | FaultKind::RateLimitedAbsurd => ApiError::rate_exceeded(),
        FaultKind::LimitedMode => ApiError::fault(503),
        FaultKind::InternalError
        | FaultKind::BadGateway
        | FaultKind::GatewayTimeout
        | FaultKind::HtmlError
        | FaultKind::Redirect => ApiError::fault(500),
        FaultKind::TokenExpired => ApiError::token_expired(),
        FaultKind::UnauthorisedForever => ApiError::token_not_found(),
        FaultKind::Forbidden => ApiError::forbidden("FullAccess"),
        _ => return None,
    })
}

fn set_query(ask: &mut Ask, name: &str, value: &str) {
    ask.query.retain(|(key, _)| key != name);
    ask.query.push((name.to_owned(), value.to_owned()));
}

fn page_of(ask: &Ask) -> usize {
    let page = ask.query.iter().find(|(name, _)| name == "page");
    page.and_then(|(_, value)| value.parse().ok()).filter(|page| *page > 0).unwrap_or(1)
}

fn list_of(ask: &Ask) -> String {
    let mut pairs: Vec<_> = ask.query.iter().filter(|(name, _)| name != "page").collect();
    pairs.sort();
    format!("{} {pairs:?}", ask.path)
}

fn moves_lists(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::NewRecordsShift
            | FaultKind::DeletedRecordsShift
            | FaultKind::RepeatedPage
            | FaultKind::PagesSwapped
            | FaultKind::EmptyPage
    )
}

impl Injector {
    pub(crate) fn new(plan: FaultPlan) -> Injector {
        let state = State { counts: vec![(0, 0); plan.rules.len()], ..State::default() };
        Injector { plan, state: Mutex::new(state) }
    }

    /// Counts a request and says what it meets.
    pub(crate) fn begin(&self, ask: &Ask, verdict: &Verdict, elapsed: Duration) -> Turn {
        let mut turn = Turn { endpoint: Endpoint::of(&ask.path), ..Turn::default() };
        let Some(endpoint) = turn.endpoint.filter(|_| !self.plan.is_empty()) else { return turn };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(closed) = state.closed.get_mut(&verdict.group).filter(|closed| elapsed < closed.until) {
            closed.until = elapsed + closed.wait;
            turn.early = true;
            turn.wait_seconds = closed.wait.as_secs();
        }
        for (place, rule) in self.plan.rules.iter().enumerate() {
            let concerned = !rule.kind.changes_records() && rule.on.contains(&endpoint);
            if !concerned || (turn.early && rule.kind.group() != FaultGroup::Time) {
                continue;
            }
            let Some((seen, hits)) = state.counts.get_mut(place) else { continue };
            *seen += 1;
            let for_good = rule.kind == FaultKind::UnauthorisedForever && *hits > 0;
            if for_good || rule.hits_request(self.plan.seed, *seen, *hits) {
                *hits += 1;
                let usual = i64::try_from(verdict.window_seconds).unwrap_or(i64::MAX);
                turn.hits.push((rule.kind, rule.amount.unwrap_or(usual)));
            }
        }
        if !turn.early {
            close(&mut state, &mut turn, verdict, elapsed);
        }
        turn
    }

    /// Does to an answer what the plan has for it. `at_rest` answers the same request in another way.
    pub(crate) fn finish(
        &self,
        turn: &Turn,
        ask: &Ask,
        mut reply: Reply,
        now: DateTime<Utc>,
        at_rest: &mut dyn FnMut(&Ask) -> Option<Value>,
    ) -> Reply {
        if self.plan.is_empty() {
            return reply;
        }
        let off = turn.hits.iter().filter(|(kind, _)| *kind == FaultKind::ServerClockOff);
        let now = now + TimeDelta::minutes(off.map(|(_, minutes)| *minutes).sum());
        if matches!(reply.status, 200 | 207) {
            self.change_content(turn, ask, &mut reply, at_rest);
        } else {
            dress_refusal(turn, &mut reply, now);
        }
        set(&mut reply, "date", http_date(now));
        if turn.has(FaultKind::RemainingZero) {
            set(&mut reply, "x-rate-limit-remaining", "0".to_owned());
        }
        for (kind, amount) in &turn.hits {
            change_bytes(*kind, *amount, &mut reply);
        }
        for (kind, amount) in &turn.hits {
            change_carriage(*kind, *amount, &mut reply);
        }
        reply
    }

    /// Pages and records, where the body has any.
    fn change_content(
        &self,
        turn: &Turn,
        ask: &Ask,
        reply: &mut Reply,
        at_rest: &mut dyn FnMut(&Ask) -> Option<Value>,
    ) {
        let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else { return };
        let mut changed = false;
        if body["records"].is_array() && body["navigation"].is_object() {
            let before = body.clone();
            body = self.moved_page(turn, ask, body, at_rest);
            for (kind, amount) in turn.hits.iter().filter(|(kind, _)| kind.group() == FaultGroup::Paging) {
                pages::altered(&mut body, *kind, *amount);
            }
            changed = body != before;
        }
        let family = match turn.endpoint {
            Some(Endpoint::MessageStore | Endpoint::MessageSync) => Some(Family::Messages),
            Some(
                Endpoint::CallLog | Endpoint::CallSync | Endpoint::ExtensionCalls | Endpoint::ActiveCalls,
            ) => Some(Family::Calls),
            _ => None,
        };
        if let Some(family) = family {
            let concerned = |rule: &&Rule| match family {
                Family::Calls => rule.concerns_calls(),
                Family::Messages => rule.concerns_messages(),
            };
            let rules: Vec<&Rule> = self.plan.rules.iter().filter(concerned).collect();
            changed |= !rules.is_empty() && records::change(&mut body, family, &rules, self.plan.seed);
        }
        if changed {
            reply.body = body.to_string().into_bytes();
        }
    }

    fn moved_page(
        &self,
        turn: &Turn,
        ask: &Ask,
        body: Value,
        at_rest: &mut dyn FnMut(&Ask) -> Option<Value>,
    ) -> Value {
        let (list, number) = (list_of(ask), page_of(ask));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let moves = state.lists.entry(list.clone()).or_default();
        if number == 1 {
            moves.clear();
        }
        let before = moves.clone();
        for (kind, amount) in turn.hits.iter().filter(|(kind, _)| moves_lists(*kind)) {
            // A list that ends here has no next page to be shifted.
            if pages::has_next(&body) {
                let records = usize::try_from(*amount).unwrap_or(0);
                moves.push(Move { kind: *kind, page: number, records, over: false });
            }
        }
        // Swapping and emptying begin with this page, everything else with the next.
        let mut current = before;
        current.extend(moves.iter().skip(current.len()).copied());
        for change in moves.iter_mut().filter(|change| change.kind == FaultKind::RepeatedPage) {
            change.over |= number == change.page + 1;
        }
        if current.is_empty() {
            state.lists.remove(&list);
            return body;
        }
        drop(state);
        pages::moved(body, number, &current, &mut |page| {
            let mut other = turn.understood(ask);
            set_query(&mut other, "page", &page.to_string());
            at_rest(&other)
        })
    }
}

/// Closes the group of a request that is told to wait.
fn close(state: &mut State, turn: &mut Turn, verdict: &Verdict, elapsed: Duration) {
    for (kind, amount) in &turn.hits {
        let asked = amount.unsigned_abs();
        let wait_seconds = match kind {
            FaultKind::RateLimited | FaultKind::RateLimitedDate => asked,
            FaultKind::RateLimitedSilent => verdict.window_seconds.min(SILENT_WAIT_SECONDS),
            FaultKind::RemainingZero => verdict.window_seconds,
            FaultKind::RateLimitedAbsurd => {
                // Nobody could wait for it to end, so that it does not last.
                turn.wait_seconds = ABSURD_WAIT_SECONDS;
                continue;
            }
            FaultKind::LimitedMode => {
                turn.wait_seconds = asked;
                continue;
            }
            _ => continue,
        };
        let wait = Duration::from_secs(wait_seconds);
        state.closed.insert(verdict.group, Closed { until: elapsed + wait, wait });
        turn.wait_seconds = wait_seconds;
    }
}

fn http_date(now: DateTime<Utc>) -> String {
    now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn set(reply: &mut Reply, name: &str, value: String) {
    reply.headers.retain(|(key, _)| key != name);
    reply.headers.push((name.to_owned(), value));
}

fn unset(reply: &mut Reply, name: &str) {
    reply.headers.retain(|(key, _)| key != name);
}

const HTML: &str = "<!DOCTYPE html>\n<html><head><title>Sorry</title></head><body><h1>Something went wrong</h1>\
    <p>Please try again later.</p></body></html>\n";

/// Gives a refusal the form that belongs to the fault that caused it.
fn dress_refusal(turn: &Turn, reply: &mut Reply, now: DateTime<Utc>) {
    if turn.early {
        set(reply, "retry-after", turn.wait_seconds.to_string());
        set(reply, "x-rate-limit-remaining", "0".to_owned());
        return;
    }
    let cause = turn.hits.iter().find(|(kind, _)| refusal(*kind).is_some());
    let Some((kind, amount)) = cause.copied() else { return };
    match kind {
        FaultKind::RateLimited | FaultKind::RateLimitedAbsurd | FaultKind::LimitedMode => {
            set(reply, "retry-after", turn.wait_seconds.to_string());
        }
        FaultKind::RateLimitedDate => {
            let wait = TimeDelta::seconds(i64::try_from(turn.wait_seconds).unwrap_or(0));
            set(reply, "retry-after", http_date(now + wait));
        }
        FaultKind::RateLimitedSilent => unset(reply, "retry-after"),
        FaultKind::BadGateway | FaultKind::GatewayTimeout => {
            reply.status = if kind == FaultKind::BadGateway { 502 } else { 504 };
            reply.body = Vec::new();
            set(reply, "content-type", "text/plain".to_owned());
        }
        FaultKind::HtmlError => {
            reply.status = u16::try_from(amount).unwrap_or(500);
            reply.body = HTML.as_bytes().to_vec();
            set(reply, "content-type", "text/html".to_owned());
        }
        FaultKind::Redirect => {
            reply.status = 302;
            reply.body = Vec::new();
            set(reply, "location", "http://elsewhere.invalid/restapi/v1.0/account/~".to_owned());
        }
        _ => {}
    }
    if reply.status == 429 {
        set(reply, "x-rate-limit-remaining", "0".to_owned());
    }
}

fn change_bytes(kind: FaultKind, amount: i64, reply: &mut Reply) {
    match kind {
        FaultKind::TruncatedJson => reply.body.truncate(reply.body.len() / 2),
        FaultKind::WrongCharset => reply.body = bytes::utf16(&reply.body),
        FaultKind::DoubleGzip => {
            reply.body = bytes::gzip(&bytes::gzip(&reply.body));
            set(reply, "content-encoding", "gzip".to_owned());
        }
        FaultKind::GzipBomb => {
            reply.body = bytes::bomb(amount.unsigned_abs() * 1024 * 1024);
            set(reply, "content-encoding", "gzip".to_owned());
        }
        _ => {}
    }
}

fn change_carriage(kind: FaultKind, amount: i64, reply: &mut Reply) {
    reply.carriage = match kind {
        FaultKind::ResetBefore => Carriage::Reset,
        FaultKind::ResetMidBody => Carriage::CutAfter(reply.body.len() / 2),
        FaultKind::SlowDrip => Carriage::Drip { milliseconds_per_byte: amount.unsigned_abs() },
        FaultKind::NeverAnswers => Carriage::Hang,
        FaultKind::WrongContentLength => Carriage::LengthOff(amount),
        _ => return,
    };
}
