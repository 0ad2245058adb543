//! Feeds of changes: what the service calls sync. A full read begins a chain of tokens, each answer carries the next.

use super::Puller;
use super::job::{Ask, Changes, Job, Work};
use super::plan;
use super::port::{Action, Moment};
use super::refusal::Refusal;
use crate::domain::record::{Cursor, FeedKind, RawPage};
use crate::domain::{Instant, Result};
use crate::ringcentral::page::{ParsedPage, SyncInfo};

/// Answers in a row that promise more and bring nothing, before the feed is given up.
const STANDSTILL_AT_MOST: u32 = 3;
/// Full reads begun in one run, each from a later time, while the service refuses to go back so far.
const FULL_READS_AT_MOST: u32 = 3;
const DAY_MILLISECONDS: i64 = 86_400_000;

impl Puller {
    pub(super) fn changes_page(
        &mut self,
        at: Moment,
        mut changes: Changes,
        parsed: ParsedPage,
    ) -> Result<()> {
        let Some(said) = parsed.sync.clone() else {
            let job = Job::changes(changes);
            self.do_without(at, &job, "no sync token".to_owned());
            return Ok(());
        };
        let before = changes.token.clone();
        let more = advance(&mut changes, &said, &parsed);
        if more && parsed.records.is_empty() && changes.token == before {
            changes.standstill += 1;
        } else {
            changes.standstill = 0;
        }
        if changes.standstill >= STANDSTILL_AT_MOST {
            let job = Job::changes(changes);
            self.do_without(at, &job, "no progress".to_owned());
            return Ok(());
        }
        let reached = (!more).then(|| self.civil(at));
        // The token of a full read in frames counts from its first frame: it is kept when the last has landed.
        let in_frames = more && matches!(changes.ask, Ask::AllMessages { .. });
        let stream = if in_frames { None } else { changes.stream(reached) };
        self.count(&parsed);
        if parsed.records.is_empty() && changes.page == 1 {
            self.pending.extend(stream.map(Action::Advance));
            if more {
                self.jobs.push_front(Job::changes(changes));
            } else {
                self.summary.listings += 1;
            }
            return Ok(());
        }
        let next_page = more.then(|| changes.page.saturating_add(1));
        let window = changes.window.clone();
        let cursor = Cursor { window: window.clone(), listing: changes.listing, next_page, stream };
        let page = RawPage {
            window,
            page: changes.page,
            listing: changes.listing,
            body: parsed.stored_body,
            observed: at.civil,
        };
        self.pending.push_back(Action::Land { page, records: parsed.records, cursor });
        changes.page = next_page.unwrap_or(0);
        self.await_landing(Work::Changes(changes));
        Ok(())
    }

    /// A request for changes was refused: a token that is no longer taken means a full read, a beginning that is too
    /// far back a later one; what is not offered at all is done without.
    pub(super) fn changes_refused(
        &mut self,
        now: Instant,
        mut changes: Changes,
        refusal: &Refusal,
    ) -> Result<()> {
        let back = |milliseconds: i64| now.plus_milliseconds(-milliseconds);
        let from = match changes.ask {
            _ if refusal.status != 400 || changes.full_reads >= FULL_READS_AT_MOST => None,
            // Calls are read by modification, so from where the last answer reached; messages by creation, so from
            // where their state may still change.
            Ask::Since if changes.feed.kind == FeedKind::CallSync => Some(
                changes
                    .reached
                    .unwrap_or(changes.from)
                    .plus_milliseconds(-plan::milliseconds(self.settings.overlap)),
            ),
            Ask::Since => Some(back(plan::milliseconds(self.settings.reread_weekly_for)).max(changes.from)),
            _ if changes.full_reads == 1 => Some(back(30 * DAY_MILLISECONDS).max(changes.from)),
            _ => Some(back(DAY_MILLISECONDS).max(changes.from)),
        };
        let Some(from) = from else {
            let moment = Moment { civil: now, elapsed: std::time::Duration::ZERO };
            let job = Job::changes(changes);
            self.do_without(moment, &job, refusal.reason());
            return Ok(());
        };
        changes.ask = if changes.feed.kind == FeedKind::CallSync {
            Ask::AllCalls
        } else {
            Ask::AllMessages { to: now }
        };
        (changes.token, changes.from, changes.standstill) = (None, from, 0);
        changes.full_reads += 1;
        self.jobs.push_front(Job::changes(changes));
        Ok(())
    }
}

/// Moves the round on by one answer; whether more is to be asked for.
fn advance(changes: &mut Changes, said: &SyncInfo, parsed: &ParsedPage) -> bool {
    match changes.ask {
        Ask::AllMessages { to } => {
            // Changes since the first frame are what the next round has to bring.
            changes.token.get_or_insert_with(|| said.token.clone());
            let oldest = parsed.records.iter().filter_map(|record| record.start).min();
            let Some(oldest) = oldest.filter(|_| said.older_records_exist) else { return false };
            // Times in requests may be cut to seconds, and bounds are not documented as inclusive.
            let next = Instant::from_milliseconds((oldest.milliseconds().div_euclid(1000) + 1) * 1000);
            // A frame that does not get older would be asked for again and again; the windows have the rest.
            if next >= to || next <= changes.from {
                return false;
            }
            changes.ask = Ask::AllMessages { to: next };
            true
        }
        Ask::AllCalls | Ask::Since => {
            changes.token = Some(said.token.clone());
            changes.ask = Ask::Since;
            changes.feed.kind == FeedKind::CallSync && said.newer_records_exist
        }
    }
}
