//! Mediation: record versions → billable events, every version with its disposition.
//!
//! One event per call with all its legs (ring-out pairs and linked transfers are one call), one per message and fax
//! recipient; a fax or voicemail that stands in the call log and in the message store is one event, joined by the
//! message id. What cannot be understood and would decide billing is suspended, never guessed.

mod calls;
mod messages;
mod party;
mod usage;
mod words;

pub use usage::event as usage_event;

use std::collections::BTreeMap;

use crate::domain::Country;
use crate::domain::disposition::{RecordDisposition, RecordEntry, SuspenseReason};
use crate::domain::event::{BillableEvent, Evidence, EvidenceRole};
use crate::domain::number::NumberReader;
use crate::domain::record::RecordKey;
use crate::domain::source::{Content, DecodedRecord, Extension, Standing};

/// What mediation made of the facts.
#[derive(Clone, Debug, Default)]
pub struct Mediated {
    /// Sorted by start, then id.
    pub events: Vec<BillableEvent>,
    /// One entry for each record version, sorted by record and version.
    pub ledger: Vec<RecordEntry>,
}

/// Makes events of record versions. The order of `records` does not matter.
pub fn mediate(records: &[DecodedRecord], extensions: &[Extension], home: Country) -> Mediated {
    let mut bench = Bench {
        numbers: NumberReader::new(home),
        extensions: extensions
            .iter()
            .filter_map(|extension| Some((extension.id.as_str(), extension.number?)))
            .collect(),
        events: Vec::new(),
        ledger: Vec::with_capacity(records.len()),
    };
    let current = bench.choose(records);
    let (mut calls, mut portal) = (Vec::new(), Vec::new());
    for record in current {
        match &record.content {
            Content::Message(message) => messages::add(&mut bench, record, message),
            Content::Call(call) => calls.push((record, call)),
            Content::PortalCall(call) => portal.push((record, call)),
            Content::Usage(row) => usage::add(&mut bench, record, row),
            Content::Descriptive => bench.exclude(record, "describes the account, is no usage"),
            Content::DeletionNotice => bench.exclude(record, "deleted upstream before it was collected"),
            Content::Malformed(why) => bench.suspend(record, SuspenseReason::Malformed, why),
        }
    }
    calls::add(&mut bench, &calls);
    calls::add_portal(&mut bench, portal, &calls);
    bench.finish(records.len())
}

/// The work in progress.
struct Bench<'a> {
    numbers: NumberReader,
    extensions: BTreeMap<&'a str, u64>,
    events: Vec<BillableEvent>,
    ledger: Vec<RecordEntry>,
}

impl<'a> Bench<'a> {
    /// The version of each record that speaks for it. A bare notice of deletion never hides what was collected before:
    /// it is evidence beside the last full version, and nothing is removed because of it.
    fn choose(&mut self, records: &'a [DecodedRecord]) -> Vec<&'a DecodedRecord> {
        let mut versions: BTreeMap<&RecordKey, Vec<&'a DecodedRecord>> = BTreeMap::new();
        for record in records {
            versions.entry(&record.record.key).or_default().push(record);
        }
        let mut chosen = Vec::with_capacity(versions.len());
        for (_, mut versions) in versions {
            versions.sort_by_key(|version| {
                let record = &version.record;
                (version.standing == Standing::Current, record.last_modified, record.observed, record.version)
            });
            let full = |version: &&&DecodedRecord| !matches!(version.content, Content::DeletionNotice);
            let Some(speaker) = versions.iter().rev().find(full).or(versions.last()).copied() else {
                continue;
            };
            chosen.push(speaker);
            for version in versions.into_iter().filter(|version| !std::ptr::eq(*version, speaker)) {
                let (disposition, detail) = match (&version.content, version.standing) {
                    (Content::DeletionNotice, _) => {
                        (RecordDisposition::Supporting, "notes a deletion upstream")
                    }
                    (_, Standing::Duplicate) => (RecordDisposition::Duplicate, ""),
                    _ if version.record.material == speaker.record.material => {
                        (RecordDisposition::Duplicate, "")
                    }
                    _ => (RecordDisposition::Superseded, ""),
                };
                self.enter(version, disposition, None, detail);
            }
        }
        chosen
    }

    fn enter(
        &mut self,
        record: &DecodedRecord,
        disposition: RecordDisposition,
        reason: Option<SuspenseReason>,
        detail: &str,
    ) {
        self.ledger.push(RecordEntry {
            record: record.record.key.clone(),
            version: record.record.version,
            disposition,
            reason,
            detail: detail.to_owned(),
        });
    }

    fn suspend(&mut self, record: &DecodedRecord, reason: SuspenseReason, detail: &str) {
        self.enter(record, RecordDisposition::Suspended, Some(reason), detail);
    }

    fn exclude(&mut self, record: &DecodedRecord, rule: &str) {
        self.enter(record, RecordDisposition::Excluded, None, rule);
    }

    /// Makes a record evidence of the event at `event`, and enters it into the ledger.
    fn attach(&mut self, record: &DecodedRecord, event: usize, role: EvidenceRole) {
        let key = record.record.key.clone();
        self.events[event].evidence.push(Evidence { record: key, version: record.record.version, role });
        let disposition = match role {
            EvidenceRole::Primary => RecordDisposition::Primary,
            EvidenceRole::Supporting => RecordDisposition::Supporting,
        };
        self.enter(record, disposition, None, "");
    }

    fn finish(mut self, versions: usize) -> Mediated {
        assert_eq!(self.ledger.len(), versions, "every record version has exactly one disposition");
        self.events.sort_by(|left, right| (left.start, &left.id).cmp(&(right.start, &right.id)));
        for pair in self.events.windows(2) {
            assert_ne!(pair[0].id, pair[1].id, "two events have one id");
        }
        self.ledger.sort_by(|left, right| (&left.record, left.version).cmp(&(&right.record, right.version)));
        Mediated { events: self.events, ledger: self.ledger }
    }
}
