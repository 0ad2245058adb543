//! Mediation: record versions → billable events, every version with its disposition.
//!
//! One event per call with all its legs (ring-out pairs and linked transfers are one call), one per message and fax
//! recipient; a fax or voicemail that stands in the call log and in the message store is one event, joined by the
//! message id. Calls of one extension's log are second evidence of the account's calls, never events. What cannot be understood and would decide billing is suspended, never guessed.

mod calls;
mod extension_log;
mod legs;
mod messages;
mod party;
mod usage;
mod words;

pub use legs::{LegDropped, LegUse, legs_used};
pub use usage::event as usage_event;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Country;
use crate::domain::disposition::{RecordDisposition, RecordEntry, RecordFinding, SuspenseReason};
use crate::domain::event::{BillableEvent, Evidence, EvidenceRole};
use crate::domain::number::NumberReader;
use crate::domain::record::{RecordKey, RecordKind};
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
        notices: Vec::new(),
        ledger: Vec::with_capacity(records.len()),
    };
    let current = bench.choose(records);
    let (mut calls, mut seen_by_extensions, mut portal) = (Vec::new(), Vec::new(), Vec::new());
    for record in current {
        match &record.content {
            Content::Message(message) => messages::add(&mut bench, record, message),
            Content::Call(call) => calls.push((record, call)),
            Content::ExtensionCall(call) => seen_by_extensions.push((record, call)),
            Content::PortalCall(call) => portal.push((record, call)),
            Content::Usage(row) => usage::add(&mut bench, record, row),
            Content::Descriptive => bench.exclude(record, "describes the account, is no usage"),
            Content::DeletionNotice => bench.exclude_notice(record),
            // What can decide no amount holds nobody back.
            Content::Malformed(_) if record.record.key.kind == RecordKind::ExtensionCall => {
                bench.exclude_noted(
                    record,
                    "cannot be read, and an extension's log bills nothing",
                    RecordFinding::UnreadableEvidence,
                );
            }
            Content::Malformed(why) => bench.suspend(record, SuspenseReason::Malformed, why),
        }
    }
    calls::add(&mut bench, &calls);
    extension_log::add(&mut bench, &seen_by_extensions, &calls);
    calls::add_portal(&mut bench, portal, &calls);
    bench.place_notices();
    bench.finish(records)
}

/// The work in progress.
struct Bench<'a> {
    numbers: NumberReader,
    extensions: BTreeMap<&'a str, u64>,
    events: Vec<BillableEvent>,
    /// Bare notices of deletion beside full versions of their records.
    notices: Vec<&'a DecodedRecord>,
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
        for (_, versions) in versions {
            let Some(speaker) = speaker(&versions) else { continue };
            chosen.push(speaker);
            for version in versions.into_iter().filter(|version| !std::ptr::eq(*version, speaker)) {
                let same = version.record.material == speaker.record.material;
                match same {
                    true => self.enter(version, RecordDisposition::Duplicate, None, ""),
                    false if is_notice(version) => self.notices.push(version),
                    false => self.enter(version, RecordDisposition::Superseded, None, ""),
                }
            }
        }
        chosen
    }

    /// Notices of deletion are evidence of what their records made; of nothing when those made no event.
    fn place_notices(&mut self) {
        let evidence = [RecordDisposition::Primary, RecordDisposition::Supporting];
        let used: BTreeSet<RecordKey> = self
            .ledger
            .iter()
            .filter(|entry| evidence.contains(&entry.disposition))
            .map(|entry| entry.record.clone())
            .collect();
        for notice in std::mem::take(&mut self.notices) {
            let (disposition, detail) = match used.contains(&notice.record.key) {
                true => (RecordDisposition::Supporting, "notes a deletion upstream"),
                false => (RecordDisposition::Excluded, "notes the deletion of a record that made no event"),
            };
            self.enter_noted(notice, disposition, detail, RecordFinding::DeletedUpstream);
        }
    }

    /// A notice of deletion with no full version beside it: never collected, or it starts at another time.
    fn exclude_notice(&mut self, record: &DecodedRecord) {
        match record.standing {
            Standing::Current => self.exclude_noted(
                record,
                "deleted upstream before it was collected",
                RecordFinding::DeletedBeforeCollected,
            ),
            _ => self.exclude(record, "notes the deletion of a record of another time"),
        }
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
            finding: None,
        });
    }

    fn enter_noted(
        &mut self,
        record: &DecodedRecord,
        disposition: RecordDisposition,
        detail: &str,
        finding: RecordFinding,
    ) {
        self.ledger.push(RecordEntry {
            record: record.record.key.clone(),
            version: record.record.version,
            disposition,
            reason: None,
            detail: detail.to_owned(),
            finding: Some(finding),
        });
    }

    fn suspend(&mut self, record: &DecodedRecord, reason: SuspenseReason, detail: &str) {
        self.enter(record, RecordDisposition::Suspended, Some(reason), detail);
    }

    fn exclude(&mut self, record: &DecodedRecord, rule: &str) {
        self.enter(record, RecordDisposition::Excluded, None, rule);
    }

    fn exclude_noted(&mut self, record: &DecodedRecord, rule: &str, finding: RecordFinding) {
        self.enter_noted(record, RecordDisposition::Excluded, rule, finding);
    }

    /// Makes a record evidence of the event at `event`, and enters it into the ledger.
    fn attach(&mut self, record: &DecodedRecord, event: usize, role: EvidenceRole) {
        let key = record.record.key.clone();
        // Files name no account of the service.
        let named =
            !matches!(key.kind, RecordKind::Usage | RecordKind::PortalCall) && !key.account.is_empty();
        if named && role == EvidenceRole::Primary {
            self.events[event].ringcentral_account = Some(key.account.clone());
        }
        self.events[event].evidence.push(Evidence { record: key, version: record.record.version, role });
        let disposition = match role {
            EvidenceRole::Primary => RecordDisposition::Primary,
            EvidenceRole::Supporting => RecordDisposition::Supporting,
        };
        self.enter(record, disposition, None, "");
    }

    fn finish(mut self, records: &[DecodedRecord]) -> Mediated {
        assert_eq!(self.ledger.len(), records.len(), "every record version has exactly one disposition");
        self.note_deletions(records);
        self.events.sort_by(|left, right| (left.start, &left.id).cmp(&(right.start, &right.id)));
        for pair in self.events.windows(2) {
            assert_ne!(pair[0].id, pair[1].id, "two events have one id");
        }
        self.ledger.sort_by(|left, right| (&left.record, left.version).cmp(&(&right.record, right.version)));
        Mediated { events: self.events, ledger: self.ledger }
    }

    /// A record that speaks for itself and is marked as deleted stays what it is; the ledger says so.
    fn note_deletions(&mut self, records: &[DecodedRecord]) {
        use RecordDisposition::{NotFinal, Primary, Supporting, Suspended};
        let marked = records.iter().filter(|record| record.record.deleted_upstream && !is_notice(record));
        let marked: BTreeSet<_> =
            marked.map(|record| (record.record.key.clone(), record.record.version)).collect();
        if marked.is_empty() {
            return;
        }
        for entry in &mut self.ledger {
            let speaks = matches!(entry.disposition, Primary | Supporting | Suspended | NotFinal);
            if speaks && marked.contains(&(entry.record.clone(), entry.version)) {
                entry.finding.get_or_insert(RecordFinding::DeletedUpstream);
            }
        }
    }
}

fn is_notice(version: &DecodedRecord) -> bool {
    matches!(version.content, Content::DeletionNotice)
}

/// The latest full version, or the latest notice of deletion where there is none. Of versions with the same material
/// members the fullest speaks, so that nothing depends on which way of collecting was observed last.
fn speaker<'a>(versions: &[&'a DecodedRecord]) -> Option<&'a DecodedRecord> {
    let latest = versions.iter().copied().max_by_key(|version| {
        let record = &version.record;
        let current = version.standing == Standing::Current;
        (!is_notice(version), current, record.last_modified, record.observed, record.version)
    })?;
    let same = versions.iter().copied().filter(|version| version.record.material == latest.record.material);
    same.filter(|version| is_notice(version) == is_notice(latest)).max_by_key(|version| {
        let record = &version.record;
        (record.last_modified, record.json.len(), record.version)
    })
}
