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
//! *Changes beside windows.* What the service calls sync is read first: the account's calls and each mailbox as what
//! changed since the last token. It brings late and changed records at once, for one request when there is nothing
//! new; but only windows are sealed, because only a listing can be compared with another. Where it is not offered the
//! windows do alone, and the run says so.
//!
//! *Calls in progress* are looked at once before a window of calls is sealed: a call is filed under its start when it
//! has ended, so a window in which an unfinished call began stays open.
//!
//! *Reading again.* Sealed windows are listed again, daily at first and weekly later; one that differs is open until
//! two listings agree once more.
//!
//! *Two clocks.* Records, windows and settling are civil time; budgets, penalties, back-off and the life of a token
//! are elapsed time. A sandbox runs on a virtual calendar while its rate limits are real. A civil clock may be wrong:
//! windows are planned by the earlier of ours and the service's, and a great difference ends the run.
//!
//! *One bucket.* Requests go out one after another; the next one may be under way while a page lands. While one rate
//! group is used up, windows of another group are taken first; a group under a penalty is never asked.
//!
//! *Refusals.* A mailbox that may not be read is a gap, noted and passed over; anything that the whole run depends on
//! ends it with the code of the service. What was collected is kept.

mod answer;
mod changes;
mod job;
mod limits;
mod listing;
mod plan;
mod port;
mod refusal;
mod request;
mod token;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

pub use limits::{Endpoint, Group, Limits, RateHeaders};
pub use plan::{Extensions, Planned, Purpose, plan};
pub use port::{
    Action, Auth, Input, Known, Method, Moment, Progress, Request, Response, Scope, Settings, Summary, Why,
};

use self::job::{Changes, Job};
use self::request::{path_of, query_of};
use self::token::Token;
use crate::domain::record::{Coverage, Feed, FeedKind, PullWindow, Stream};
use crate::domain::{Exit, Failure, Instant, Result};

/// The state machine. See the module's page for its design.
#[derive(Debug)]
pub struct Puller {
    settings: Settings,
    scope: Scope,
    coverage: Vec<Coverage>,
    streams: BTreeMap<Feed, Stream>,
    limits: Limits,
    token: Option<Token>,
    token_tries: u32,
    token_refusals: u32,
    /// Work of this round, and of the next one.
    jobs: VecDeque<Job>,
    next_round: VecDeque<Job>,
    windows_planned: bool,
    extensions: Extensions,
    active_calls: ActiveCalls,
    /// Windows of calls whose listings agreed before the calls in progress were known, with the unfinished calls that
    /// the last listing showed.
    agreed: Vec<(PullWindow, Vec<Instant>)>,
    /// What the answer, or the landing, that is awaited belongs to.
    awaited: Option<Awaited>,
    /// The page after the one that is landing has been asked for.
    asked_ahead: bool,
    /// Actions decided but not yet handed out.
    pending: VecDeque<Action>,
    paused_until: Duration,
    waiting: Option<(Duration, Why)>,
    /// How far our civil clock is ahead of the service's, as far as it has said.
    ahead: Duration,
    listings_known: u64,
    feed: String,
    summary: Summary,
    over: bool,
}

/// What is known of the calls in progress.
#[derive(Debug)]
enum ActiveCalls {
    NotAsked,
    Asked,
    /// When they began.
    Known(Vec<Instant>),
    Unreadable,
}

#[derive(Debug)]
enum Awaited {
    Token,
    Page(Job),
    Landing(Job),
}

impl Puller {
    /// A puller that has not begun. Settings that cannot be meant are exit 3.
    pub fn new(settings: Settings, scope: Scope) -> Result<Puller> {
        settings.check()?;
        Ok(Puller {
            settings,
            scope,
            coverage: Vec::new(),
            streams: BTreeMap::new(),
            limits: Limits::documented(),
            token: None,
            token_tries: 0,
            token_refusals: 0,
            jobs: VecDeque::new(),
            next_round: VecDeque::new(),
            windows_planned: false,
            extensions: Extensions::default(),
            active_calls: ActiveCalls::NotAsked,
            agreed: Vec::new(),
            awaited: None,
            asked_ahead: false,
            pending: VecDeque::new(),
            paused_until: Duration::ZERO,
            waiting: None,
            ahead: Duration::ZERO,
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
            Input::Start(known) => {
                self.start(at, known);
                Ok(())
            }
            Input::Continue => Ok(()),
            Input::Response(response) => self.respond(at, &response),
            Input::NetworkError { what } => self.no_answer(at, &what),
            Input::Landed { coverage } => self.landed(at, coverage.as_ref()),
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

    /// The account and its extensions are read once a day: what is known of them says whose mailboxes there are.
    fn start(&mut self, at: Moment, known: Known) {
        let read_today = |kind: FeedKind| {
            let window = plan::snapshot(kind, at.civil, &[]).window;
            known.coverage.iter().any(|entry| entry.window == window && entry.listings_complete > 0)
        };
        let account_known = known.account.is_some() && read_today(FeedKind::Account);
        if !account_known {
            self.add_job(Job::listing(plan::snapshot(FeedKind::Account, at.civil, &known.coverage)));
        }
        if !read_today(FeedKind::Extensions) || !self.note_stored_extensions(&known) {
            self.add_job(Job::listing(plan::snapshot(FeedKind::Extensions, at.civil, &known.coverage)));
        }
        self.summary.account = known.account;
        self.coverage = known.coverage;
        self.streams = known.streams.into_iter().map(|stream| (stream.feed.clone(), stream)).collect();
    }

    fn add_job(&mut self, job: Job) {
        self.listings_known += 1;
        self.jobs.push_back(job);
    }

    /// What to do when nothing is awaited.
    fn next(&mut self, at: Moment) -> Action {
        if self.jobs.is_empty() && !self.windows_planned {
            self.plan_work(self.civil(at));
            if let Some(action) = self.pending.pop_front() {
                return action;
            }
        }
        if self.jobs.is_empty() {
            self.begin_round(at);
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

    /// The civil time by the earlier of both clocks: a window must not be taken for closed too early.
    fn civil(&self, at: Moment) -> Instant {
        at.civil.plus_milliseconds(-plan::milliseconds(self.ahead))
    }

    fn plan_work(&mut self, now: Instant) {
        self.windows_planned = true;
        if self.scope.span_to.is_none() {
            self.plan_changes(now);
        }
        let planned = plan(&self.scope, now, &self.settings, &self.coverage, &self.extensions);
        self.summary.windows_planned = planned.len() as u64;
        planned.into_iter().for_each(|plan| self.add_job(Job::listing(plan)));
    }

    fn plan_changes(&mut self, now: Instant) {
        let mut feeds = Vec::new();
        if self.settings.call_log && self.settings.call_sync {
            feeds.push(Feed::account_wide(FeedKind::CallSync));
        }
        if self.settings.messages && self.settings.message_sync {
            let mailboxes = self.extensions.mailboxes.iter();
            feeds.extend(mailboxes.map(|id| Feed::of_extension(FeedKind::MessageSync, id.clone())));
        }
        for feed in feeds {
            let window = PullWindow { feed: feed.clone(), span: job::utc_day(now) };
            let listing = plan::next_listing(&window, &self.coverage);
            let changes =
                Changes::new(feed.clone(), self.streams.get(&feed), self.scope.span_from, now, listing);
            self.add_job(Job::changes(changes));
        }
    }

    /// The second listings, after a look at the calls in progress when windows of calls are among them.
    fn begin_round(&mut self, at: Moment) {
        self.jobs = std::mem::take(&mut self.next_round);
        if self.jobs.iter().any(|job| listing::is_of_calls(job.feed())) {
            self.look_at_active_calls(at);
        }
    }

    fn wait(&mut self, at: Moment, until: Duration, why: Why) -> Action {
        self.waiting = Some((until.saturating_sub(at.elapsed), why));
        Action::Wait { until, why }
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
        self.feed = job.feed().name();
        let request = self.page_request(&job, token);
        self.awaited = Some(Awaited::Page(job));
        self.summary.requests += 1;
        Action::Request(request)
    }

    fn page_request(&self, job: &Job, token: &Token) -> Request {
        Request {
            method: Method::Get,
            path: path_of(job.feed()),
            query: query_of(job, &self.settings),
            auth: Auth::Bearer(token.access.clone()),
            group: self.limits.group(job.endpoint()),
        }
    }

    /// The request for the page after the one that was just handed out to land, to be sent while it lands: the service
    /// and the disk work at the same time. Nothing when there is none, or its budget does not allow it now. Its answer
    /// is asked for with [`Action::Await`], after the page has landed; when it does not land, the answer is thrown away.
    pub fn ahead(&mut self, at: Moment) -> Option<Request> {
        let (Some(Awaited::Landing(job)), Some(token)) = (&self.awaited, &self.token) else { return None };
        let now = at.elapsed;
        let allowed = job.page() > 0
            && self.pending.is_empty()
            && now >= self.paused_until
            && now < token.renew_at
            && self.limits.ready_at(job.endpoint(), now) <= now;
        let request = allowed.then(|| self.page_request(job, token))?;
        self.asked_ahead = true;
        self.summary.requests += 1;
        Some(request)
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
}

#[cfg(test)]
mod tests;
