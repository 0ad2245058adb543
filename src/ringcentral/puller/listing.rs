//! Listings of windows: their pages, their end, and what two of them decide.

use super::job::{Job, Listing, Work};
use super::port::{Action, Known, Moment};
use super::{ActiveCalls, Awaited, Puller, Purpose, plan};
use crate::domain::record::{Coverage, Cursor, Feed, FeedKind, Gap, PullWindow, RawPage, RecordKind};
use crate::domain::{Exit, Failure, Hash, Instant, Result};
use crate::ringcentral::page::{ParsedPage, parse_page};
use crate::ringcentral::wire;

/// The last page number the service serves.
const LAST_PAGE: u32 = 1000;
/// Pages in a row without anything new, and listings begun anew, before a listing is given up.
const STANDSTILL_AT_MOST: u32 = 10;
const RESTARTS_AT_MOST: u32 = 3;
/// No call lasts longer: one that began earlier and never ended is a fault of the log and holds nothing open.
const LONGEST_CALL_MILLISECONDS: i64 = 24 * 3_600_000;
/// A departed extension is told of for as long as an open period may need its messages.
const DEPARTED_MILLISECONDS: i64 = 60 * 86_400_000;

/// Whether a feed has windows that a call in progress keeps open.
pub(super) fn is_of_calls(feed: &Feed) -> bool {
    matches!(feed.kind, FeedKind::CallLog | FeedKind::ExtensionCalls)
}

impl Puller {
    pub(super) fn listing_page(
        &mut self,
        at: Moment,
        mut listing: Listing,
        parsed: ParsedPage,
    ) -> Result<()> {
        if listing.per_page.is_some() && parsed.per_page.is_some() && parsed.per_page != listing.per_page {
            return self.begin_anew(listing);
        }
        listing.per_page = listing.per_page.or(parsed.per_page);
        let next_page = parsed.has_next.then(|| listing.page.saturating_add(1));
        self.check_end(&mut listing, &parsed, next_page)?;
        let window = listing.plan.window.clone();
        match window.feed.kind {
            FeedKind::Extensions => self.note_extensions(&parsed),
            FeedKind::ActiveCalls => {
                listing.unfinished.extend(parsed.records.iter().filter_map(|record| record.start));
            }
            _ => listing.unfinished.extend(&parsed.unfinished),
        }
        self.count(&parsed);
        let number = listing.plan.listing;
        let cursor = Cursor { window: window.clone(), listing: number, next_page, stream: None };
        let records = match window.feed.record_kind() {
            Some(_) => parsed.records,
            None => Vec::new(),
        };
        let body = parsed.stored_body;
        let page = RawPage { window, page: listing.page, listing: number, body, observed: at.civil };
        self.pending.push_back(Action::Land { page, records, cursor });
        listing.page = next_page.unwrap_or(0);
        self.await_landing(Work::Listing(listing));
        Ok(())
    }

    pub(super) fn count(&mut self, parsed: &ParsedPage) {
        self.summary.pages += 1;
        self.summary.records += parsed.records.len() as u64;
        self.summary.malformed += parsed.malformed.len() as u64;
    }

    /// The service changed the size of its pages in the middle: what is counted in pages has to begin again.
    fn begin_anew(&mut self, mut listing: Listing) -> Result<()> {
        listing.restarts += 1;
        if listing.restarts > RESTARTS_AT_MOST {
            return Err(self.no_end(&listing, "changes the size of its pages again and again"));
        }
        listing.plan.listing = listing.plan.listing.saturating_add(1);
        (listing.page, listing.per_page, listing.last_page, listing.standstill) = (1, None, None, 0);
        listing.unfinished.clear();
        self.jobs.push_front(Job::of(Work::Listing(listing)));
        Ok(())
    }

    /// Refuses a listing that would not come to an end.
    fn check_end(&self, listing: &mut Listing, parsed: &ParsedPage, next_page: Option<u32>) -> Result<()> {
        let seen: Vec<&[u8]> = parsed.records.iter().map(|record| record.key.id.as_bytes()).collect();
        let this = Some(Hash::of_parts(seen));
        listing.standstill =
            if parsed.records.is_empty() || this == listing.last_page { listing.standstill + 1 } else { 0 };
        listing.last_page = this;
        if next_page.is_some() && listing.standstill >= STANDSTILL_AT_MOST {
            return Err(self.no_end(listing, "does not come to an end"));
        }
        if next_page.is_some_and(|page| page > LAST_PAGE) {
            let failure = self.no_end(listing, &format!("has more than {LAST_PAGE} pages"));
            return Err(failure.hint("Use a shorter collection window."));
        }
        Ok(())
    }

    fn no_end(&self, listing: &Listing, what: &str) -> Failure {
        let window = &listing.plan.window;
        Failure::new(
            Exit::Service,
            format!("the listing of {} from {} {what}", window.feed.name(), window.span.from),
        )
    }

    /// Takes the extensions from a list that was read earlier; whether it was there and could be read.
    pub(super) fn note_stored_extensions(&mut self, known: &Known) -> bool {
        let parse = |body: &Vec<u8>| {
            let (redaction, account) = (&self.settings.redaction, known.account.as_deref());
            parse_page(RecordKind::Extension, body, redaction, Instant::from_milliseconds(0), account).ok()
        };
        let Some(pages) = known.extension_pages.iter().map(parse).collect::<Option<Vec<ParsedPage>>>() else {
            return false;
        };
        pages.iter().for_each(|page| self.note_extensions(page));
        !pages.is_empty()
    }

    fn note_extensions(&mut self, parsed: &ParsedPage) {
        for record in &parsed.records {
            if parsed.malformed.iter().any(|malformed| malformed.id == record.key.id) {
                continue;
            }
            // An extension whose other members cannot be read still has a mailbox.
            let read = wire::read_extension(&record.json).ok();
            let id = &record.key.id;
            if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
                self.gap(&Feed::mailbox(id.clone()), "id that cannot stand in an address".to_owned());
                continue;
            }
            let number = read.as_ref().and_then(|extension| extension.extension_number.as_deref());
            if number.is_some_and(|number| self.settings.extension_calls.iter().any(|other| other == number))
                && !self.extensions.call_logs.contains(id)
            {
                self.extensions.call_logs.push(id.clone());
            }
            let kind = read.and_then(|extension| extension.kind);
            let without = &self.settings.types_without_mailbox;
            let has_mailbox =
                !kind.is_some_and(|kind| without.iter().any(|other| other.eq_ignore_ascii_case(&kind)));
            if has_mailbox && !self.extensions.mailboxes.contains(id) {
                self.extensions.mailboxes.push(id.clone());
            }
        }
    }

    /// Extensions that were read not long ago and are listed no more: their calls stay in the account's log, their
    /// messages are gone.
    fn note_departed(&mut self, now: Instant) {
        let gone: std::collections::BTreeSet<Feed> = self
            .coverage
            .iter()
            .filter(|entry| entry.window.feed.kind == FeedKind::Messages)
            .filter(|entry| entry.window.span.to > now.plus_milliseconds(-DEPARTED_MILLISECONDS))
            .map(|entry| entry.window.feed.clone())
            .filter(|feed| feed.mailbox.as_ref().is_some_and(|id| !self.extensions.mailboxes.contains(id)))
            .collect();
        for feed in gone {
            self.gap(&feed, Gap::DEPARTED.to_owned());
        }
    }

    pub(super) fn landed(&mut self, at: Moment, coverage: Option<&Coverage>) -> Result<()> {
        let Some(Awaited::Landing(job)) = self.awaited.take() else {
            // The account's own note comes before its page lands and is answered by `Continue`.
            return Err(Failure::new(Exit::Bug, "a page landed that was not served"));
        };
        if std::mem::take(&mut self.asked_ahead) {
            self.awaited = Some(Awaited::Page(job));
            self.pending.push_back(Action::Await);
            return Ok(());
        }
        if job.page() > 0 {
            self.jobs.push_front(job);
            return Ok(());
        }
        self.summary.listings += 1;
        if let Work::Listing(listing) = job.work {
            self.listed(at, listing, coverage.and_then(|coverage| coverage.digest));
        }
        Ok(())
    }

    /// A listing is complete.
    fn listed(&mut self, at: Moment, mut listing: Listing, digest: Option<Hash>) {
        match listing.plan.window.feed.kind {
            FeedKind::Extensions if self.settings.messages => self.note_departed(self.civil(at)),
            FeedKind::ActiveCalls => {
                self.active_calls = ActiveCalls::Known(std::mem::take(&mut listing.unfinished));
                self.seal_agreed(at);
            }
            _ => {}
        }
        let agrees = digest.is_some() && digest == listing.plan.previous_digest;
        match listing.plan.purpose {
            Purpose::Once => return,
            Purpose::Reread if agrees => return,
            // What was sealed differs now: the window is open again until two listings agree.
            Purpose::Reread => listing.plan.purpose = Purpose::Settle,
            Purpose::Settle => {}
        }
        if agrees {
            self.seal(at, listing.plan.window, listing.unfinished);
        } else if listing.listings < self.settings.listings_at_most {
            listing.plan.previous_digest = digest;
            listing.plan.listing = listing.plan.listing.saturating_add(1);
            listing.listings += 1;
            listing.page = 1;
            (listing.per_page, listing.last_page, listing.standstill) = (None, None, 0);
            listing.unfinished.clear();
            self.listings_known += 1;
            self.next_round.push_back(Job::of(Work::Listing(listing)));
        } else {
            self.summary.unsettled.push(listing.plan.window);
        }
    }

    /// Seals a window whose listings agree, unless a call that began in it has not ended, as far as that is known.
    fn seal(&mut self, at: Moment, window: PullWindow, unfinished: Vec<Instant>) {
        if !is_of_calls(&window.feed) {
            return self.seal_now(window);
        }
        if self.settings.active_calls
            && matches!(self.active_calls, ActiveCalls::NotAsked | ActiveCalls::Asked)
        {
            self.agreed.push((window, unfinished));
            return self.look_at_active_calls(at);
        }
        let earliest = self.civil(at).plus_milliseconds(-LONGEST_CALL_MILLISECONDS);
        let in_progress = match &self.active_calls {
            ActiveCalls::Known(starts) => starts.as_slice(),
            _ => &[],
        };
        let mut began = unfinished.iter().chain(in_progress);
        let held = began.any(|start| window.span.contains(*start) && *start > earliest)
            || (matches!(self.active_calls, ActiveCalls::Unreadable) && window.span.to > earliest);
        if held {
            self.summary.held_open.push(window);
        } else {
            self.seal_now(window);
        }
    }

    fn seal_now(&mut self, window: PullWindow) {
        self.summary.windows_sealed += 1;
        self.pending.push_back(Action::Seal(window));
    }

    /// The windows that waited for the calls in progress.
    pub(super) fn seal_agreed(&mut self, at: Moment) {
        for (window, unfinished) in std::mem::take(&mut self.agreed) {
            self.seal(at, window, unfinished);
        }
    }

    pub(super) fn look_at_active_calls(&mut self, at: Moment) {
        if self.settings.active_calls && matches!(self.active_calls, ActiveCalls::NotAsked) {
            self.active_calls = ActiveCalls::Asked;
            self.listings_known += 1;
            let plan = plan::snapshot(FeedKind::ActiveCalls, at.civil, &self.coverage);
            self.jobs.push_front(Job::listing(plan));
        }
    }
}
