//! What an answer means: served, refused, to be asked for again.

use std::time::Duration;

use super::job::{Job, Work};
use super::port::{Action, Moment, Response};
use super::refusal::{Refusal, redirected, unreachable, unreadable};
use super::{ActiveCalls, Awaited, Endpoint, Puller, RateHeaders, plan, token};
use crate::domain::record::{Feed, FeedKind, Gap};
use crate::domain::{Exit, Failure, Result};
use crate::ringcentral::page::{ParsedPage, parse_page};

/// The least wait after a refusal for the rate that names none.
const UNNAMED_PENALTY: Duration = Duration::from_secs(30);
/// Back-off between tries.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl Puller {
    pub(super) fn respond(&mut self, at: Moment, response: &Response) -> Result<()> {
        let awaited = self.awaited.take();
        let endpoint = match &awaited {
            Some(Awaited::Token) => Endpoint::Token,
            Some(Awaited::Page(job)) => job.endpoint(),
            _ => return Err(Failure::new(Exit::Bug, "an answer came that was not awaited")),
        };
        self.limits.record(endpoint, at.elapsed, &response.rate);
        self.compare_clocks(at, response)?;
        match awaited {
            Some(Awaited::Page(job)) => self.page_answer(at, job, response),
            _ => self.token_answer(at, response),
        }
    }

    /// Windows are closed by the clock, so one that is far off would seal what has not happened yet.
    fn compare_clocks(&mut self, at: Moment, response: &Response) -> Result<()> {
        let Some(theirs) = response.served_at() else { return Ok(()) };
        let ahead = at.civil.milliseconds().saturating_sub(theirs.milliseconds());
        let most = plan::milliseconds(self.settings.clock_skew_at_most);
        if ahead.saturating_abs() <= most {
            self.ahead = self.ahead.max(Duration::from_millis(u64::try_from(ahead).unwrap_or(0)));
            return Ok(());
        }
        let minutes = ahead.saturating_abs() / 60_000;
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        Err(Failure::new(
            Exit::Service,
            format!(
                "this machine's clock is {minutes} minutes {way} the service's ({} against {theirs})",
                at.civil
            ),
        )
        .hint("Set the clock, or its synchronisation, right and run again; what was collected is kept."))
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
            401 if !job.renewed && !Refusal::of(response).is_of_one_mailbox() => {
                job.renewed = true;
                self.token = None;
                self.jobs.push_front(job);
                Ok(())
            }
            400..=404 | 501 => self.refused(at, job, &Refusal::of(response)),
            300..=399 => Err(redirected(response)),
            408 | 500.. => {
                let asked = response.wait_asked(at.civil);
                self.repeat(at, job, asked, &format!("HTTP {}", response.status), true)
            }
            _ => Err(Refusal::of(response).failure(&job.what())),
        }
    }

    /// A refusal that asking again unchanged will not mend.
    fn refused(&mut self, at: Moment, job: Job, refusal: &Refusal) -> Result<()> {
        if job.is_of_one_extension() && refusal.is_of_one_mailbox() && !refusal.is_of_the_way() {
            let kind = match job.feed().kind {
                FeedKind::MessageSync => FeedKind::Messages,
                kind => kind,
            };
            let feed = Feed { kind, mailbox: job.feed().mailbox.clone() };
            self.gap(&feed, refusal.reason());
            return Ok(());
        }
        if refusal.status == 401 || !job.can_be_missed() {
            return Err(refusal.failure(&job.what()));
        }
        match job.work {
            Work::Changes(changes) => self.changes_refused(self.civil(at), changes, refusal),
            Work::Listing(_) => {
                self.do_without(at, &job, refusal.reason());
                Ok(())
            }
        }
    }

    /// Goes on without a way of reading that can be missed.
    pub(super) fn do_without(&mut self, at: Moment, job: &Job, reason: String) {
        let feed = Feed::account_wide(job.feed().kind);
        // What is not offered for one mailbox is not offered for the others.
        let before = self.jobs.len();
        self.jobs.retain(|other| other.feed().kind != feed.kind);
        let passed_over = before - self.jobs.len();
        self.listings_known = self.listings_known.saturating_sub(passed_over as u64 + 1);
        let gap = Gap { feed, reason };
        self.summary.without.push(gap.clone());
        self.pending.push_back(Action::NoteGap(gap));
        if job.feed().kind == FeedKind::ActiveCalls {
            self.active_calls = ActiveCalls::Unreadable;
            self.seal_agreed(at);
        }
    }

    pub(super) fn no_answer(&mut self, at: Moment, what: &str) -> Result<()> {
        match self.awaited.take() {
            Some(Awaited::Token) => {
                self.limits.record(Endpoint::Token, at.elapsed, &RateHeaders::default());
                self.repeat_token(at, token::PAUSE, what)
            }
            Some(Awaited::Page(job)) => {
                self.limits.record(job.endpoint(), at.elapsed, &RateHeaders::default());
                self.repeat(at, job, None, what, false)
            }
            _ => Err(Failure::new(Exit::Bug, "a request failed that was not made")),
        }
    }

    /// Tries a page again after a pause: what the service asked for, else the back-off. When the service answers
    /// everything but this (`served`), a way of reading that can be missed is given up instead of the run.
    pub(super) fn repeat(
        &mut self,
        at: Moment,
        mut job: Job,
        asked: Option<Duration>,
        what: &str,
        served: bool,
    ) -> Result<()> {
        job.tries += 1;
        if job.tries >= self.settings.tries {
            if served && job.can_be_missed() {
                self.do_without(at, &job, what.to_owned());
                return Ok(());
            }
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

    pub(super) fn pause(&mut self, at: Moment, pause: Duration) -> Result<()> {
        self.bearable(pause)?;
        self.paused_until = self.paused_until.max(at.elapsed + pause);
        Ok(())
    }

    pub(super) fn penalise(
        &mut self,
        at: Moment,
        endpoint: Endpoint,
        response: &Response,
        in_a_row: u32,
    ) -> Result<()> {
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
        let parsed = parse_page(job.record_kind(), &response.body, &self.settings.redaction, at.civil, hint);
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(error) if error.is_damage() => return self.repeat(at, job, None, &error.to_string(), true),
            Err(error) if job.can_be_missed() => {
                self.do_without(at, &job, error.to_string());
                return Ok(());
            }
            Err(error) => return Err(unreadable(error, job.page(), &job.what())),
        };
        if let Some(mismatch) = mismatch(&job, &parsed) {
            return self.repeat(at, job, None, &mismatch, true);
        }
        (job.tries, job.refusals, job.renewed) = (0, 0, false);
        self.check_account(&job, &parsed)?;
        let Job { work, .. } = job;
        match work {
            Work::Listing(listing) => self.listing_page(at, listing, parsed),
            Work::Changes(changes) => self.changes_page(at, changes, parsed),
        }
    }

    /// The page is on its way to the book; what follows waits for it.
    pub(super) fn await_landing(&mut self, work: Work) {
        self.awaited = Some(Awaited::Landing(Job::of(work)));
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

    /// Notes that a part of the source cannot be read, and passes over what else was wanted of it.
    pub(super) fn gap(&mut self, feed: &Feed, reason: String) {
        let gap = Gap { feed: feed.clone(), reason };
        let before = self.jobs.len() + self.next_round.len();
        self.jobs.retain(|job| job.feed().sealed_by() != *feed);
        self.next_round.retain(|job| job.feed().sealed_by() != *feed);
        let passed_over = before - (self.jobs.len() + self.next_round.len());
        self.listings_known = self.listings_known.saturating_sub(passed_over as u64 + 1);
        self.summary.gaps.push(gap.clone());
        self.pending.push_back(Action::NoteGap(gap));
    }
}

/// A page that is not the one asked for: a client that took it would skip or repeat records.
fn mismatch(job: &Job, parsed: &ParsedPage) -> Option<String> {
    let Work::Listing(listing) = &job.work else { return None };
    let served = parsed.page.filter(|served| *served != listing.page)?;
    Some(format!("page {served} was served instead of page {}", listing.page))
}
