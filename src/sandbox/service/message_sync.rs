//! Synchronisation of mailboxes.

use super::call_sync::is_incremental;
use super::error::ApiError;
use super::messages::{DIRECTIONS, Letter, MESSAGE_TYPES, MessageFilter, Owners};
use super::query::Parameters;
use super::token::{Stream, SyncToken};
use super::{Answer, Answered, Ask, Service};
use crate::sandbox::wire::{Changes, MessageEntry, SyncInfo};
use crate::sandbox::world::cast::Seat;
use crate::sandbox::world::plan::Availability;

/// Changes of so long before the last answer are told again.
const OVERLAP_MS: i64 = 5000;
const USUAL_RECORDS: usize = 250;
const MOST_RECORDS: usize = 1000;

impl Service {
    pub(crate) fn message_sync(&self, extension: &str, ask: &Ask) -> Answered {
        let seat = self.mailbox(extension)?;
        let parameters = Parameters::of(ask);
        let incremental = is_incremental(&parameters)?;
        let refuse_more = self.options.unknowns.record_count_refused;
        let count = parameters.record_count(MOST_RECORDS, refuse_more)?;
        let (found, token, older) = if incremental {
            self.message_changes(&parameters, seat)?
        } else {
            self.messages_from(&parameters, seat, count.unwrap_or(USUAL_RECORDS))?
        };
        let records = found.into_iter().map(|(message, version)| {
            if incremental && version.availability != Availability::Alive {
                let id = self.renderer().message_id(message.id);
                return MessageEntry::Gone { id, availability: version.availability.name() };
            }
            MessageEntry::Whole(Box::new(self.letter(seat, (message, version))))
        });
        let renderer = self.renderer();
        let path = format!("{}/message-sync", renderer.extension_uri(seat));
        Answer::json(&Changes {
            uri: parameters.own_uri(&path),
            records: records.collect(),
            sync_info: SyncInfo {
                sync_type: if incremental { "ISync" } else { "FSync" },
                sync_token: token.write(),
                sync_time: renderer.stamp(self.now_ms()),
                newer_records_exist: None,
                older_records_exist: Some(older),
            },
        })
    }

    /// The newest messages of a window, a token for what comes, and whether older ones were cut off.
    fn messages_from(
        &self,
        parameters: &Parameters,
        seat: Seat,
        count: usize,
    ) -> Result<(Vec<Letter<'_>>, SyncToken, bool), ApiError> {
        let unknowns = &self.options.unknowns;
        let now_ms = self.now_ms();
        let span_ms = unknowns.message_sync_span.num_milliseconds();
        let (from_ms, to_ms) = parameters.window_ms(now_ms, span_ms, unknowns)?;
        let end_ms = to_ms + i64::from(unknowns.date_to_inclusive);
        let filter = MessageFilter::of_sync(parameters)?;
        let owners = self.owners(parameters, seat)?;
        let mut found = self.letters(seat, owners, now_ms);
        found.retain(|(message, version)| {
            from_ms <= message.created_ms
                && message.created_ms < end_ms
                && version.availability == Availability::Alive
                && filter.wants(message)
        });
        filter.thin(&mut found);
        let older = found.len() > count;
        found.truncate(count);
        let token = SyncToken {
            stream: Stream::MessageSync,
            seat: Some(seat),
            issued_ms: now_ms,
            told_ms: now_ms,
            frame_ms: from_ms,
            filters: bits(&filter, owners),
            conversation: filter.conversation.unwrap_or(0),
            count: 0,
        };
        Ok((found, token, older))
    }

    /// The messages that are new or have changed since a token.
    fn message_changes(
        &self,
        parameters: &Parameters,
        seat: Seat,
    ) -> Result<(Vec<Letter<'_>>, SyncToken, bool), ApiError> {
        let token = parameters.one("syncToken").and_then(SyncToken::read);
        let token = token.filter(|token| token.stream == Stream::MessageSync && token.seat == Some(seat));
        let token = token.filter(|token| !self.is_expired(token));
        let token = token.ok_or_else(ApiError::full_sync_required)?;
        let (filter, owners) = from_bits(token.filters, token.conversation);
        let now_ms = self.now_ms();
        let mut found = self.letters(seat, owners, now_ms);
        found.retain(|(message, version)| {
            message.created_ms >= token.frame_ms
                && version.visible_from_ms > token.told_ms - OVERLAP_MS
                && filter.wants(message)
        });
        filter.thin(&mut found);
        Ok((found, SyncToken { issued_ms: now_ms, told_ms: now_ms, ..token }, false))
    }
}

/// The filters that a token carries.
fn bits(filter: &MessageFilter, owners: Owners) -> u64 {
    let mut bits = 0;
    let kinds = MESSAGE_TYPES.iter().map(|kind| filter.kinds.contains(kind));
    let directions = DIRECTIONS.iter().map(|direction| filter.directions.contains(direction));
    let rest = [filter.distinct, owners.personal, owners.shared];
    for (place, set) in kinds.chain(directions).chain(rest).enumerate() {
        bits |= u64::from(set) << place;
    }
    bits
}

fn from_bits(bits: u64, conversation: u64) -> (MessageFilter, Owners) {
    let set = |place: usize| bits >> place & 1 == 1;
    let pick = |names: &[&'static str], first: usize| {
        let names = names.iter().enumerate().filter(|(index, _)| set(first + index));
        names.map(|(_, name)| *name).collect()
    };
    let rest = MESSAGE_TYPES.len() + DIRECTIONS.len();
    let mut filter = MessageFilter::default();
    filter.kinds = pick(&MESSAGE_TYPES, 0);
    filter.directions = pick(&DIRECTIONS, MESSAGE_TYPES.len());
    filter.conversation = (conversation != 0).then_some(conversation);
    filter.distinct = set(rest);
    (filter, Owners { personal: set(rest + 1), shared: set(rest + 2) })
}
