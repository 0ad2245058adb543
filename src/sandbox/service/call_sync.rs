//! Synchronisation of call logs: by what changed (`call-log-sync`), and the loss-free extraction of all changes
//! (`call-log-extract-sync`).
//!
//! A record's modification time is the instant at which its current version became visible.

use super::call_filter::CallFilter;
use super::calls::view;
use super::error::ApiError;
use super::query::Parameters;
use super::token::{Stream, SyncToken};
use super::unknowns::Deletions;
use super::{Answer, Answered, Ask, Service};
use crate::sandbox::render::{Face, View};
use crate::sandbox::wire::{CallEntry, Changes, SyncInfo};
use crate::sandbox::world::calendar::HOUR;
use crate::sandbox::world::cast::Seat;
use crate::sandbox::world::plan::{Look, Version};

/// Records in one answer of `call-log-sync`.
const MOST_SYNC_RECORDS: usize = 250;
const USUAL_EXTRACT_RECORDS: usize = 250;
const MOST_EXTRACT_RECORDS: usize = 1000;

type State<'a> = (Face<'a>, Version);

impl Service {
    /// The token of an incremental request, checked for form, stream and age.
    fn call_token(
        &self,
        parameters: &Parameters,
        stream: Stream,
        log: Option<Seat>,
    ) -> Result<SyncToken, ApiError> {
        let token = parameters.one("syncToken").and_then(SyncToken::read);
        let token = token.filter(|token| token.stream == stream && token.seat == log);
        let token = token.ok_or_else(|| ApiError::invalid_parameter("syncToken"))?;
        if self.is_expired(&token) {
            return Err(ApiError::sync_token_expired());
        }
        Ok(token)
    }

    pub(crate) fn is_expired(&self, token: &SyncToken) -> bool {
        let age_ms = self.now_ms() - token.issued_ms;
        self.options.sync_token_life.is_some_and(|life| age_ms > life.num_milliseconds())
    }

    fn states(&self, log: Option<Seat>, from_ms: i64) -> Vec<State<'_>> {
        let now_ms = self.now_ms();
        let faces = self.faces(log, from_ms, i64::MAX).into_iter();
        faces.filter_map(|face| self.state(&face, now_ms).map(|version| (face, version))).collect()
    }

    /// A record in an answer, if deleted ones are told at all.
    fn entry(&self, state: &State<'_>, view: View, deletions: Deletions) -> Option<CallEntry> {
        let (face, version) = state;
        let renderer = self.renderer();
        match deletions {
            _ if version.look != Look::Deleted => Some(renderer.call_entry(face, version, view)),
            Deletions::Marked => Some(renderer.call_entry(face, version, view)),
            Deletions::Stub => Some(renderer.call_stub(face, version, view)),
            Deletions::Bare => Some(CallEntry::Bare { id: face.id(), deleted: true }),
            Deletions::Absent => None,
        }
    }

    fn call_changes(
        &self,
        path: &str,
        parameters: &Parameters,
        records: Vec<CallEntry>,
        token: &SyncToken,
        newer_records_exist: Option<bool>,
    ) -> Answered {
        Answer::json(&Changes {
            uri: parameters.own_uri(path),
            records,
            sync_info: SyncInfo {
                sync_type: if is_incremental(parameters)? { "ISync" } else { "FSync" },
                sync_token: token.write(),
                sync_time: self.renderer().stamp(self.now_ms()),
                newer_records_exist,
                older_records_exist: None,
            },
        })
    }

    /// `call-log-sync` of one log.
    pub(crate) fn call_sync(&self, log: Option<Seat>, ask: &Ask) -> Answered {
        let parameters = Parameters::of(ask);
        let view = view(&parameters)?;
        let show_deleted = parameters.flag("showDeleted")?;
        let unknowns = &self.options.unknowns;
        let count = parameters.record_count(MOST_SYNC_RECORDS, unknowns.record_count_refused)?;
        let (found, token) = if is_incremental(&parameters)? {
            let token = self.call_token(&parameters, Stream::CallSync, log)?;
            self.call_sync_changes(&token, count.unwrap_or(0), show_deleted)?
        } else {
            let count = count.ok_or_else(|| ApiError::invalid_parameter("recordCount"))?;
            self.call_sync_all(log, &parameters, count)?
        };
        let entries = found.iter().filter_map(|state| self.entry(state, view, unknowns.sync_deletions));
        let path = format!("{}/call-log-sync", self.renderer().log_uri(log));
        self.call_changes(&path, &parameters, entries.collect(), &token, None)
    }

    /// The newest records of a log.
    fn call_sync_all(
        &self,
        log: Option<Seat>,
        parameters: &Parameters,
        count: usize,
    ) -> Result<(Vec<State<'_>>, SyncToken), ApiError> {
        let now_ms = self.now_ms();
        let filter = CallFilter::of_sync(parameters)?;
        let oldest_ms = self.options.unknowns.sync_history.map(|history| now_ms - history.num_milliseconds());
        let from_ms = parameters.time_ms("dateFrom", &self.options.unknowns)?;
        let from_ms = from_ms.map_or(i64::MIN, |from_ms| from_ms.max(oldest_ms.unwrap_or(i64::MIN)));
        let mut found = self.states(log, from_ms);
        found.retain(|(face, version)| filter.wants(face, version, &self.world.cast));
        let mut frame_ms = from_ms;
        if found.len() >= count {
            found.truncate(count);
            frame_ms = found.last().map_or(from_ms, |(face, _)| face.plan.start_ms);
        }
        let token = SyncToken {
            stream: Stream::CallSync,
            seat: log,
            issued_ms: now_ms,
            told_ms: now_ms,
            frame_ms,
            filters: filter.bits(),
            conversation: 0,
            count: 0,
        };
        Ok((found, token))
    }

    /// What changed since a token, and as many older records as are wanted.
    fn call_sync_changes(
        &self,
        token: &SyncToken,
        older: usize,
        show_deleted: bool,
    ) -> Result<(Vec<State<'_>>, SyncToken), ApiError> {
        let mut filter = CallFilter::from_bits(token.filters);
        filter.show_deleted = show_deleted;
        let mut all = self.states(token.seat, i64::MIN);
        all.retain(|(face, version)| filter.wants(face, version, &self.world.cast));
        let inside = |state: &State<'_>| state.0.plan.start_ms >= token.frame_ms;
        let is_change = |state: &State<'_>| inside(state) && state.1.visible_from_ms > token.told_ms;
        let changes = all.iter().filter(|state| is_change(state)).count();
        if changes > MOST_SYNC_RECORDS {
            return Err(ApiError::too_many_changes());
        }
        let mut older = older.min(MOST_SYNC_RECORDS - changes);
        let mut frame_ms = token.frame_ms;
        all.retain(|state| {
            let extends = !inside(state) && state.1.look != Look::Deleted && older > 0;
            if extends {
                older -= 1;
                frame_ms = state.0.plan.start_ms;
            }
            extends || is_change(state)
        });
        let now_ms = self.now_ms();
        Ok((all, SyncToken { issued_ms: now_ms, told_ms: now_ms, frame_ms, ..*token }))
    }

    /// `call-log-extract-sync`: every change, the earliest first.
    pub(crate) fn call_extract(&self, ask: &Ask) -> Answered {
        let parameters = Parameters::of(ask);
        let view = view(&parameters)?;
        let unknowns = &self.options.unknowns;
        let token = if is_incremental(&parameters)? {
            if parameters.has("recordCount") {
                return Err(ApiError::invalid_parameter("recordCount"));
            }
            let token = self.call_token(&parameters, Stream::CallExtract, None)?;
            let count = unknowns.extract_isync_count.and_then(|count| u64::try_from(count).ok());
            SyncToken { count: count.unwrap_or(token.count), ..token }
        } else {
            self.extract_start(&parameters)?
        };
        let (found, next, newer) = self.extract_changes(&token);
        let mut entries: Vec<CallEntry> =
            found.iter().filter_map(|state| self.entry(state, view, unknowns.extract_deletions)).collect();
        if unknowns.extract_page_reversed {
            entries.reverse();
        }
        let path = format!("{}/call-log-extract-sync", self.renderer().account_uri());
        self.call_changes(&path, &parameters, entries, &next, Some(newer))
    }

    /// A full synchronisation is an incremental one from the instant before `dateFrom`.
    fn extract_start(&self, parameters: &Parameters) -> Result<SyncToken, ApiError> {
        let unknowns = &self.options.unknowns;
        let now_ms = self.now_ms();
        let from_ms = parameters.time_ms("dateFrom", unknowns)?.unwrap_or(now_ms - HOUR);
        let history = unknowns.extract_history.map(|history| history.num_milliseconds());
        if history.is_some_and(|history| from_ms < now_ms - history) {
            return Err(ApiError::invalid_parameter("dateFrom"));
        }
        let count = parameters.record_count(MOST_EXTRACT_RECORDS, unknowns.record_count_refused)?;
        Ok(SyncToken {
            stream: Stream::CallExtract,
            seat: None,
            issued_ms: now_ms,
            told_ms: from_ms - 1,
            frame_ms: i64::MIN,
            filters: u64::from(parameters.has("metadataCategory")),
            conversation: 0,
            count: u64::try_from(count.unwrap_or(USUAL_EXTRACT_RECORDS)).unwrap_or(u64::MAX),
        })
    }

    /// The next changes after a token, the token after them, and whether there are more.
    fn extract_changes(&self, token: &SyncToken) -> (Vec<State<'_>>, SyncToken, bool) {
        let now_ms = self.now_ms();
        let mut found = self.states(None, i64::MIN);
        // Records carry no metadata here, so a filter by its category finds none.
        found.retain(|(_, version)| token.filters == 0 && version.visible_from_ms > token.told_ms);
        let place =
            |(face, version): &State<'_>| (version.visible_from_ms, face.plan.start_ms, face.plan.serial);
        let count = usize::try_from(token.count).unwrap_or(usize::MAX).max(1);
        let mut told_ms = now_ms.max(token.told_ms);
        let mut newer = false;
        if count <= found.len() {
            let border_ms = found.select_nth_unstable_by_key(count - 1, place).1.1.visible_from_ms;
            // Records that changed in the same millisecond as the last one come along: a token tells time only.
            let before = found.len();
            found.retain(|(_, version)| version.visible_from_ms <= border_ms);
            newer = found.len() < before;
            if newer {
                told_ms = border_ms;
            }
        }
        found.sort_by_key(place);
        (found, SyncToken { issued_ms: now_ms, told_ms, ..*token }, newer)
    }
}

/// Whether a request is for changes since a token.
pub(crate) fn is_incremental(parameters: &Parameters) -> Result<bool, ApiError> {
    Ok(parameters.choice("syncType", &["FSync", "ISync"])? == Some("ISync"))
}
