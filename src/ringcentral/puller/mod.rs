//! The puller: a state machine that says what to ask next and what to keep. It must not do I/O or read a clock: its
//! shell ([`super::client`]) carries out one action at a time and reports what came of it, with the time.
//!
//! Why this shape. What goes wrong in collecting logs goes wrong in sequences (a token that dies on page 7, a refusal
//! during a refusal's penalty, a power cut between two pages), and a sequence can be tested exactly only when answers
//! and time are arguments. So `step` takes what happened and returns the one thing to do next.
//!
//! *Windows, not a stream.* The service pages over a live list, newest first: a call that appears or is deleted
//! between two requests shifts the rest. Only windows that have been closed for the settling lag are listed, each is
//! asked with an overlap before its beginning (calls are filed under their start, and bounds are not documented as
//! inclusive or exclusive), and a window is sealed only when two complete listings held the same records. Every page
//! lands with the cursor behind it in one transaction, so an interrupted listing goes on where it stopped; a shift
//! in between is caught by the second listing. The second listings form a round of their own, after all windows were
//! listed once: that puts time between the two without waiting.
//!
//! *The end of a listing* is the absence of a next page; totals are not served for calls and a short page may have
//! been trimmed. The next page's address is never followed: only the number of the page counts up, on the configured
//! origin, so that no answer can send the bearer token elsewhere. Redirects are refused for the same reason.
//!
//! *Two clocks.* Records, windows and settling are civil time; budgets, penalties, back-off and the life of a token
//! are elapsed time. A sandbox runs on a virtual calendar while its rate limits are real.
//!
//! *One bucket.* Requests go out one after another. While one rate group is used up, windows of another group are
//! taken first; a group under a penalty is never asked.
//!
//! *Refusals.* A mailbox that may not be read is a gap, noted and passed over; anything that the whole run depends on
//! ends it with the code of the service. What was collected is kept.

mod limits;
mod plan;
mod port;
mod refusal;
mod request;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

pub use limits::{Endpoint, Group, Limits, RateHeaders};
pub use plan::{Planned, Purpose, plan};
pub use port::{
    Action, Auth, Input, Method, Moment, Progress, Request, Response, Scope, Settings, Summary, Why,
};

use self::refusal::{Refusal, redirected, unreachable, unreadable};
use self::request::{path_of, query_of, read_token};
use super::credentials::Secret;
use super::page::{ParsedPage, parse_page};
use super::wire;
use crate::domain::record::{Coverage, Cursor, Feed, FeedKind, Gap, PullWindow, RawPage, RecordKind};
use crate::domain::{Exit, Failure, Result};

/// The last page number the service serves.
const LAST_PAGE: u32 = 1000;
/// The least wait after a refusal for the rate that names none.
const UNNAMED_PENALTY: Duration = Duration::from_secs(30);
/// A token request that fails is tried this often, this far apart (the service's own rule).
const TOKEN_TRIES: u32 = 3;
const TOKEN_PAUSE: Duration = Duration::from_secs(10);
/// Back-off between tries of other requests.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The state machine. See the module's page for its design.
#[derive(Debug)]
pub struct Puller {
    settings: Settings,
    scope: Scope,
    coverage: Vec<Coverage>,
    limits: Limits,
    token: Option<Token>,
    token_tries: u32,
    token_refusals: u32,
    /// Listings to make in this round, and in the next one.
    jobs: VecDeque<Job>,
    next_round: Vec<Job>,
    windows_planned: bool,
    mailboxes: Vec<String>,
    /// What the answer, or the landing, that is awaited belongs to.
    awaited: Option<Awaited>,
    /// Actions decided but not yet handed out.
    pending: VecDeque<Action>,
    paused_until: Duration,
    waiting: Option<(Duration, Why)>,
    listings_known: u64,
    feed: String,
    summary: Summary,
    over: bool,
}

#[derive(Debug)]
struct Token {
    access: Secret,
    renew_at: Duration,
}

/// A listing under way.
#[derive(Debug)]
struct Job {
    plan: Planned,
    /// The page to ask for next.
    page: u32,
    /// Listings of this window begun in this run, this one included.
    listings: u32,
    tries: u32,
    refusals: u32,
    renewed: bool,
}

#[derive(Debug)]
enum Awaited {
    Token,
    Page(Job),
    Landing(Job),
}

impl Job {
    fn new(plan: Planned) -> Job {
        Job { page: plan.page, plan, listings: 1, tries: 0, refusals: 0, renewed: false }
    }

    fn endpoint(&self) -> Endpoint {
        match self.plan.window.feed.kind {
            FeedKind::Account => Endpoint::Account,
            FeedKind::Extensions => Endpoint::Extensions,
            FeedKind::Messages | FeedKind::MessageSync => Endpoint::Messages,
            FeedKind::CallLog
            | FeedKind::CallSync
            | FeedKind::ExtensionCalls
            | FeedKind::ActiveCalls
            | FeedKind::Usage
            | FeedKind::PortalCsv => Endpoint::CallLog,
        }
    }

    fn kind(&self) -> RecordKind {
        match self.endpoint() {
            Endpoint::Account | Endpoint::Token => RecordKind::Account,
            Endpoint::Extensions => RecordKind::Extension,
            Endpoint::Messages => RecordKind::Message,
            Endpoint::CallLog => RecordKind::Call,
        }
    }

    /// What a refusal of this job withholds, for people.
    fn what(&self) -> String {
        match (self.endpoint(), &self.plan.window.feed.mailbox) {
            (Endpoint::Account | Endpoint::Token, _) => "the account information".to_owned(),
            (Endpoint::Extensions, _) => "the list of extensions".to_owned(),
            (Endpoint::Messages, mailbox) => format!("the mailbox {}", mailbox.as_deref().unwrap_or("?")),
            (Endpoint::CallLog, _) => "the account's call log".to_owned(),
        }
    }
}

impl Puller {
    /// A puller that has not begun. Settings that cannot be meant are exit 3.
    pub fn new(settings: Settings, scope: Scope) -> Result<Puller> {
        settings.check()?;
        Ok(Puller {
            settings,
            scope,
            coverage: Vec::new(),
            limits: Limits::documented(),
            token: None,
            token_tries: 0,
            token_refusals: 0,
            jobs: VecDeque::new(),
            next_round: Vec::new(),
            windows_planned: false,
            mailboxes: Vec::new(),
            awaited: None,
            pending: VecDeque::new(),
            paused_until: Duration::ZERO,
            waiting: None,
            listings_known: 0,
            feed: String::new(),
            summary: Summary::default(),
            over: false,
        })
    }

    /// Takes what happened and says what to do next. After `Finished` or `Failed` there is nothing more to do.
    pub fn step(&mut self, at: Moment, input: Input) -> Action {
        self.waiting = None;
        let outcome = match input {
            Input::Start { coverage, streams: _ } => {
                self.start(at, coverage);
                Ok(())
            }
            Input::Continue => Ok(()),
            Input::Response(response) => self.respond(at, &response),
            Input::NetworkError { what } => self.no_answer(at, &what),
            Input::Landed { coverage } => self.landed(coverage.as_ref()),
        };
        let action = match outcome {
            _ if self.over => {
                Action::Failed(Failure::new(Exit::Bug, "the puller was asked to go on after its end"))
            }
            Err(failure) => Action::Failed(failure),
            Ok(()) => match self.pending.pop_front() {
                Some(action) => action,
                None => self.next(at),
            },
        };
        self.over = matches!(action, Action::Finished(_) | Action::Failed(_));
        action
    }

    /// How far the run has come.
    pub fn progress(&self) -> Progress {
        Progress {
            feed: self.feed.clone(),
            listings_done: self.summary.listings,
            listings_known: self.listings_known,
            pages: self.summary.pages,
            records: self.summary.records,
            requests: self.summary.requests,
            waiting: self.waiting,
        }
    }

    fn start(&mut self, at: Moment, coverage: Vec<Coverage>) {
        for kind in [FeedKind::Account, FeedKind::Extensions] {
            self.add_job(Job::new(plan::snapshot(kind, at.civil, &coverage)));
        }
        self.coverage = coverage;
    }

    fn add_job(&mut self, job: Job) {
        self.listings_known += 1;
        self.jobs.push_back(job);
    }

    /// What to do when nothing is awaited.
    fn next(&mut self, at: Moment) -> Action {
        if self.jobs.is_empty() && !self.windows_planned {
            self.plan_windows(at);
            if let Some(action) = self.pending.pop_front() {
                return action;
            }
        }
        if self.jobs.is_empty() {
            self.jobs = std::mem::take(&mut self.next_round).into();
        }
        if self.jobs.is_empty() {
            return Action::Finished(self.summary.clone());
        }
        if at.elapsed < self.paused_until {
            return self.wait(at, self.paused_until, Why::Repeat);
        }
        if self.token.as_ref().is_none_or(|token| at.elapsed >= token.renew_at) {
            return self.ask_token(at);
        }
        self.ask_page(at)
    }

    fn plan_windows(&mut self, at: Moment) {
        self.windows_planned = true;
        let coverage = std::mem::take(&mut self.coverage);
        let planned = plan(
            self.scope.span_from,
            at.civil,
            &self.settings,
            self.scope.reread,
            &coverage,
            &self.mailboxes,
        );
        self.summary.windows_planned = planned.len() as u64;
        planned.into_iter().for_each(|plan| self.add_job(Job::new(plan)));
    }

    fn wait(&mut self, at: Moment, until: Duration, why: Why) -> Action {
        self.waiting = Some((until.saturating_sub(at.elapsed), why));
        Action::Wait { until, why }
    }

    fn ask_token(&mut self, at: Moment) -> Action {
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

    fn why_closed(&self, refusals: u32) -> Why {
        if refusals > 0 { Why::Penalty } else { Why::Budget }
    }

    /// Asks for the page of the first job whose group is open; the jobs of one feed kind stay in their order.
    fn ask_page(&mut self, at: Moment) -> Action {
        let (place, until) = self.first_ready(at.elapsed);
        if until > at.elapsed {
            let why = self.why_closed(self.jobs.get(place).map_or(0, |job| job.refusals));
            return self.wait(at, until, why);
        }
        let (Some(job), Some(token)) = (self.jobs.remove(place), &self.token) else {
            return Action::Failed(Failure::new(Exit::Bug, "the puller lost a listing"));
        };
        self.feed = job.plan.window.feed.name();
        let request = Request {
            method: Method::Get,
            path: path_of(&job.plan.window.feed),
            query: query_of(&job, &self.settings),
            auth: Auth::Bearer(token.access.clone()),
            group: self.limits.group(job.endpoint()),
        };
        self.awaited = Some(Awaited::Page(job));
        self.summary.requests += 1;
        Action::Request(request)
    }

    /// The first job that can be asked for now, else the one that can be first; and when.
    fn first_ready(&self, now: Duration) -> (usize, Duration) {
        let mut known: BTreeMap<Endpoint, Duration> = BTreeMap::new();
        let mut first = (0, Duration::MAX);
        for (place, job) in self.jobs.iter().enumerate() {
            let endpoint = job.endpoint();
            let ready = *known.entry(endpoint).or_insert_with(|| self.limits.ready_at(endpoint, now));
            if ready <= now {
                return (place, ready);
            }
            if ready < first.1 {
                first = (place, ready);
            }
        }
        first
    }

    fn respond(&mut self, at: Moment, response: &Response) -> Result<()> {
        match self.awaited.take() {
            Some(Awaited::Token) => {
                self.limits.record(Endpoint::Token, at.elapsed, &response.rate);
                self.token_answer(at, response)
            }
            Some(Awaited::Page(job)) => {
                self.limits.record(job.endpoint(), at.elapsed, &response.rate);
                self.page_answer(at, job, response)
            }
            _ => Err(Failure::new(Exit::Bug, "an answer came that was not awaited")),
        }
    }

    fn token_answer(&mut self, at: Moment, response: &Response) -> Result<()> {
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
                let asked = response.wait_asked(at.civil).unwrap_or(TOKEN_PAUSE);
                self.repeat_token(at, asked, &format!("HTTP {}", response.status))
            }
            300..=399 => Err(redirected(response)),
            _ => Err(Refusal::of(response).sign_in_failure()),
        }
    }

    fn repeat_token(&mut self, at: Moment, pause: Duration, what: &str) -> Result<()> {
        self.token_tries += 1;
        if self.token_tries >= TOKEN_TRIES {
            return Err(unreachable("to sign in", self.token_tries, what));
        }
        self.pause(at, pause)
    }

    fn page_answer(&mut self, at: Moment, mut job: Job, response: &Response) -> Result<()> {
        match response.status {
            200 => self.page(at, job, response),
            429 => {
                job.refusals += 1;
                let (endpoint, refusals) = (job.endpoint(), job.refusals);
                self.jobs.push_front(job);
                self.penalise(at, endpoint, response, refusals)
            }
            400..=404
                if job.endpoint() == Endpoint::Messages && Refusal::of(response).is_of_one_mailbox() =>
            {
                self.gap(&job.plan.window.feed, Refusal::of(response).reason());
                Ok(())
            }
            401 if !job.renewed => {
                job.renewed = true;
                self.token = None;
                self.jobs.push_front(job);
                Ok(())
            }
            300..=399 => Err(redirected(response)),
            408 | 500 | 502.. => {
                let asked = response.wait_asked(at.civil);
                self.repeat(at, job, asked, &format!("HTTP {}", response.status))
            }
            _ => Err(Refusal::of(response).failure(&job.what())),
        }
    }

    fn no_answer(&mut self, at: Moment, what: &str) -> Result<()> {
        match self.awaited.take() {
            Some(Awaited::Token) => {
                self.limits.record(Endpoint::Token, at.elapsed, &RateHeaders::default());
                self.repeat_token(at, TOKEN_PAUSE, what)
            }
            Some(Awaited::Page(job)) => {
                self.limits.record(job.endpoint(), at.elapsed, &RateHeaders::default());
                self.repeat(at, job, None, what)
            }
            _ => Err(Failure::new(Exit::Bug, "a request failed that was not made")),
        }
    }

    /// Tries a page again after a pause: what the service asked for, else the back-off.
    fn repeat(&mut self, at: Moment, mut job: Job, asked: Option<Duration>, what: &str) -> Result<()> {
        job.tries += 1;
        if job.tries >= self.settings.tries {
            return Err(unreachable(&format!("for {}", job.what()), job.tries, what));
        }
        self.summary.repeats += 1;
        let pause = asked.unwrap_or_else(|| self.back_off(job.tries));
        self.jobs.push_front(job);
        self.pause(at, pause)
    }

    /// 2, 4, 8 … seconds up to a minute, and up to a quarter more, the same in every run with the same seed.
    fn back_off(&self, tries: u32) -> Duration {
        let base = FIRST_PAUSE.saturating_mul(1 << (tries - 1).min(5)).min(LONGEST_PAUSE);
        let mut mixed =
            self.settings.jitter_seed.wrapping_add(self.summary.repeats.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let quarter = u64::try_from(base.as_millis() / 4).unwrap_or(0);
        (base + Duration::from_millis((mixed ^ (mixed >> 31)) % (quarter + 1))).min(LONGEST_PAUSE)
    }

    fn pause(&mut self, at: Moment, pause: Duration) -> Result<()> {
        self.bearable(pause)?;
        self.paused_until = self.paused_until.max(at.elapsed + pause);
        Ok(())
    }

    fn penalise(&mut self, at: Moment, endpoint: Endpoint, response: &Response, in_a_row: u32) -> Result<()> {
        self.summary.rate_refusals += 1;
        if in_a_row > self.settings.rate_refusals_at_most {
            return Err(Failure::new(
                Exit::Service,
                format!("the service refused a request for its rate {in_a_row} times in a row"),
            )
            .hint("Another program may use the same application and user; limits are shared among them."));
        }
        let least = UNNAMED_PENALTY.max(response.rate.window.unwrap_or(Duration::ZERO));
        let wait = response.wait_asked(at.civil).unwrap_or(least);
        self.bearable(wait)?;
        self.limits.penalise(endpoint, &response.rate, at.elapsed + wait);
        Ok(())
    }

    fn bearable(&self, wait: Duration) -> Result<()> {
        if wait <= self.settings.longest_wait {
            return Ok(());
        }
        Err(Failure::new(Exit::Service, format!("the service asks to wait {} seconds", wait.as_secs()))
            .hint("Run again later; what was collected is kept."))
    }

    fn page(&mut self, at: Moment, mut job: Job, response: &Response) -> Result<()> {
        let hint = self.summary.account.as_deref();
        let parsed = match parse_page(job.kind(), &response.body, &self.settings.redaction, at.civil, hint) {
            Ok(parsed) => parsed,
            Err(error) if error.is_damage() => return self.repeat(at, job, None, &error.to_string()),
            Err(error) => return Err(unreadable(error, job.page, &job.what())),
        };
        (job.tries, job.refusals, job.renewed) = (0, 0, false);
        self.check_account(&job, &parsed)?;
        if job.endpoint() == Endpoint::Extensions {
            self.note_mailboxes(&parsed);
        }
        let next_page = parsed.has_next.then(|| job.page.saturating_add(1));
        if next_page.is_some_and(|page| page > LAST_PAGE) {
            let what = job.what();
            return Err(Failure::new(
                Exit::Service,
                format!(
                    "the listing of {what} from {} has more than {LAST_PAGE} pages",
                    job.plan.window.span.from
                ),
            )
            .hint("Use a shorter collection window."));
        }
        self.summary.pages += 1;
        self.summary.records += parsed.records.len() as u64;
        self.summary.malformed += parsed.malformed.len() as u64;
        let (window, listing) = (job.plan.window.clone(), job.plan.listing);
        let cursor = Cursor { window: window.clone(), listing, next_page, stream: None };
        let page = RawPage { window, page: job.page, listing, body: parsed.stored_body, observed: at.civil };
        self.pending.push_back(Action::Land { page, records: parsed.records, cursor });
        job.page = next_page.unwrap_or(0);
        self.awaited = Some(Awaited::Landing(job));
        Ok(())
    }

    fn check_account(&mut self, job: &Job, parsed: &ParsedPage) -> Result<()> {
        let Some(named) = &parsed.account else {
            let asked = job.endpoint() == Endpoint::Account;
            return match asked {
                true => Err(Failure::new(Exit::Service, "the service does not say which account this is")),
                false => Ok(()),
            };
        };
        match &self.summary.account {
            Some(account) if account != named => Err(Failure::new(
                Exit::Service,
                format!("the service served records of account {named} instead of {account}"),
            )),
            Some(_) => Ok(()),
            None => {
                self.summary.account = Some(named.clone());
                self.pending.push_back(Action::Account(named.clone()));
                Ok(())
            }
        }
    }

    fn note_mailboxes(&mut self, parsed: &ParsedPage) {
        for record in &parsed.records {
            if parsed.malformed.iter().any(|malformed| malformed.id == record.key.id) {
                continue;
            }
            // An extension whose other members cannot be read still has a mailbox.
            let kind = wire::read_extension(&record.json).ok().and_then(|extension| extension.kind);
            let without = &self.settings.types_without_mailbox;
            if kind.is_some_and(|kind| without.iter().any(|other| other.eq_ignore_ascii_case(&kind))) {
                continue;
            }
            let id = &record.key.id;
            if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
                self.gap(&Feed::mailbox(id.clone()), "id that cannot stand in an address".to_owned());
            } else if !self.mailboxes.contains(id) {
                self.mailboxes.push(id.clone());
            }
        }
    }

    /// Notes that a mailbox cannot be read, and passes over its other windows.
    fn gap(&mut self, feed: &Feed, reason: String) {
        let gap = Gap { feed: feed.clone(), reason };
        let before = self.jobs.len() + self.next_round.len();
        self.jobs.retain(|job| job.plan.window.feed != *feed);
        self.next_round.retain(|job| job.plan.window.feed != *feed);
        let passed_over = before - (self.jobs.len() + self.next_round.len());
        self.listings_known = self.listings_known.saturating_sub(passed_over as u64 + 1);
        self.summary.gaps.push(gap.clone());
        self.pending.push_back(Action::NoteGap(gap));
    }

    fn landed(&mut self, coverage: Option<&Coverage>) -> Result<()> {
        let Some(Awaited::Landing(mut job)) = self.awaited.take() else {
            // The account's own note comes before its page lands and is answered by `Continue`.
            return Err(Failure::new(Exit::Bug, "a page landed that was not served"));
        };
        if job.page > 0 {
            self.jobs.push_front(job);
            return Ok(());
        }
        self.summary.listings += 1;
        let digest = coverage.and_then(|coverage| coverage.digest);
        match job.plan.purpose {
            Purpose::Once => return Ok(()),
            Purpose::Reread if digest.is_some() && digest == job.plan.previous_digest => return Ok(()),
            // What was sealed differs now: the window is open again until two listings agree.
            Purpose::Reread => job.plan.purpose = Purpose::Settle,
            Purpose::Settle => {}
        }
        let window: PullWindow = job.plan.window.clone();
        if digest.is_some() && digest == job.plan.previous_digest {
            self.summary.windows_sealed += 1;
            self.pending.push_back(Action::Seal(window));
        } else if job.listings < self.settings.listings_at_most {
            job.plan.previous_digest = digest;
            job.plan.listing = job.plan.listing.saturating_add(1);
            job.listings += 1;
            job.page = 1;
            self.listings_known += 1;
            self.next_round.push(job);
        } else {
            self.summary.unsettled.push(window);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
