//! From an event or a record to its explanation: which month it is in, which rules hold for it, where it ended.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::book::{Book, Standing};
use crate::domain::disposition::{EventDisposition, RecordDisposition, RecordFinding, SuspenseReason};
use crate::domain::event::BillableEvent;
use crate::domain::record::RecordKind;
use crate::domain::time::Month;
use crate::domain::{Instant, Result, Zone};
use crate::run::bill::{self, BillingRun};
use crate::run::facts::codec;
use crate::run::workspace::Workspace;

use super::event::{EventExplanation, OnDocument};
use super::replay::{Documents, replay};

/// A record version and where it ended.
#[derive(Clone, Debug, Serialize)]
pub struct RecordExplanation {
    pub kind: RecordKind,
    pub id: String,
    pub version: String,
    pub start: Option<String>,
    pub disposition: RecordDisposition,
    pub reason: Option<SuspenseReason>,
    pub remedy: Option<&'static str>,
    pub detail: String,
    pub finding: Option<RecordFinding>,
}

/// What an id stands for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Found {
    /// Versions of the record with that id; empty for an event's id.
    pub records: Vec<RecordExplanation>,
    /// The event, or all events that the record is evidence of.
    pub events: Vec<EventExplanation>,
}

/// Kinds of records that can be evidence or be left out.
const KINDS: [RecordKind; 5] = [
    RecordKind::Call,
    RecordKind::ExtensionCall,
    RecordKind::Message,
    RecordKind::Usage,
    RecordKind::PortalCall,
];

/// Finds an event or a record by its id; `None` when the book has neither. `workspace_of` gives the rules of a run, or
/// those of today.
///
/// # Errors
/// A book that cannot be read, sums that differ (exit 7).
pub fn found(
    book: &Book,
    home: Zone,
    id: &str,
    period: Option<Month>,
    workspace_of: impl Fn(Option<&str>) -> Result<Workspace>,
) -> Result<Option<Found>> {
    let documents = Documents::read(book)?;
    let months = match period {
        Some(month) => vec![month],
        None => months_of(book, home, id)?,
    };
    let mut best: Option<Found> = None;
    for month in months {
        let found = in_month(book, &documents, month, id, &workspace_of)?;
        let Some(found) = found else { continue };
        let settled = found.events.iter().any(|event| event.disposition != EventDisposition::OtherPeriod);
        if settled || best.is_none() {
            best = Some(found);
        }
        if settled {
            break;
        }
    }
    Ok(best)
}

/// The months an id may belong to, the likeliest first: that of its start, then those beside it.
fn months_of(book: &Book, home: Zone, id: &str) -> Result<Vec<Month>> {
    let rest = id.split_once(':').map_or(id, |(_, rest)| rest);
    let rest = rest.strip_prefix("record:").unwrap_or(rest);
    let bare = if id.starts_with("message:") { rest.split(':').next().unwrap_or(rest) } else { rest };
    let versions = book.scan(&KINDS, None, &codec())?;
    let own = |key: &str| key == id || key == bare;
    let mut starts: Vec<Instant> = versions
        .iter()
        .filter(|version| own(&version.record.key.id))
        .map(|version| version.record.start.unwrap_or(version.record.observed))
        .collect();
    if starts.is_empty() {
        let named = versions.iter().filter(|version| version.standing == Standing::Current);
        let named = named.filter(|version| version.record.json.contains(bare));
        starts = named.filter_map(|version| version.record.start).collect();
    }
    let months: BTreeSet<Month> = starts.iter().map(|start| Month::of(home.local(*start).date())).collect();
    let mut all: Vec<Month> = months.iter().copied().collect();
    for month in &months {
        let before = month.first_day().pred_opt().map(Month::of);
        for beside in [Some(month.next()), before].into_iter().flatten() {
            if !all.contains(&beside) {
                all.push(beside);
            }
        }
    }
    Ok(all)
}

fn in_month(
    book: &Book,
    documents: &Documents,
    month: Month,
    id: &str,
    workspace_of: &impl Fn(Option<&str>) -> Result<Workspace>,
) -> Result<Option<Found>> {
    let is_wanted =
        |event: &BillableEvent| event.id == id || event.evidence.iter().any(|item| item.record.id == id);
    let today = workspace_of(None)?;
    let run = drafted(book, &today, month)?;
    let mut found = Found::default();
    for entry in run.facts.mediated.ledger.iter().filter(|entry| entry.record.id == id) {
        let own = run.facts.records.iter().find(|record| record.record.version == entry.version);
        let start = own.and_then(|record| record.record.start);
        found.records.push(RecordExplanation {
            kind: entry.record.kind,
            id: entry.record.id.clone(),
            version: entry.version.short(),
            start: start.map(|start| today.config.zone.show(start)),
            disposition: entry.disposition,
            reason: entry.reason,
            remedy: entry.reason.map(SuspenseReason::remedy),
            detail: entry.detail.clone(),
            finding: entry.finding,
        });
    }
    for (index, event) in run.facts.mediated.events.iter().enumerate() {
        if !is_wanted(event) {
            continue;
        }
        let places = documents.of(&event.id);
        let first = places.iter().find_map(|place| place.document.as_deref());
        let workspace = if first.is_some() { workspace_of(first)? } else { workspace_of(None)? };
        let again = replay(book, &workspace, documents, month, |other| other.id == event.id)?;
        let Some(place) = again.traced.keys().next() else { continue };
        let zone = workspace.config.zone;
        let mut explained = EventExplanation::of(&again, *place, &month.key(), zone, documents)?;
        if first.is_none() {
            (explained.disposition, explained.reason) = run.dispositions[index];
            explained.remedy = explained.reason.map(SuspenseReason::remedy);
            explained.on = on_drafts(&run, &event.id);
        }
        found.events.push(explained);
    }
    Ok(Some(found).filter(|found| !found.records.is_empty() || !found.events.is_empty()))
}

/// What a run of the month would be now: nothing is kept and nothing finalised.
fn drafted(book: &Book, workspace: &Workspace, month: Month) -> Result<BillingRun> {
    let mut billing = bill::compute(book, workspace, month)?;
    let (_, others) = billing.name(book.documents(Some(&month.key()))?);
    billing.settle(book, &others, workspace)?;
    Ok(billing)
}

fn on_drafts(run: &BillingRun, id: &str) -> Vec<OnDocument> {
    let drafts = run.documents.iter();
    let rows = drafts.flat_map(|draft| draft.annex.iter().map(move |row| (draft, row)));
    rows.filter(|(_, row)| row.event_id == id)
        .map(|(draft, row)| OnDocument {
            document: None,
            contact: draft.invoice.payer.contact_id.clone(),
            line: row.line,
            exact: row.exact,
        })
        .collect()
}

impl Found {
    /// The explanation as text for people; `all` prints every option of the tariffs.
    pub fn text(&self, all: bool) -> String {
        let mut text = String::new();
        for record in &self.records {
            let start = record.start.as_deref().unwrap_or("without a start");
            let detail =
                if record.detail.is_empty() { String::new() } else { format!(" ({})", record.detail) };
            text.push_str(&format!(
                "record {} {}, version {}, {start}: {}{detail}\n",
                record.kind, record.id, record.version, record.disposition
            ));
            if let Some(reason) = record.reason {
                text.push_str(&format!("  reason: {reason}; {}\n", reason.remedy()));
            }
            if let Some(finding) = record.finding {
                text.push_str(&format!("  {}\n", finding.sentence()));
            }
        }
        for event in &self.events {
            let gap = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{gap}{}", event.text(all)));
        }
        if self.events.is_empty() {
            text.push_str("it is no evidence of any event\n");
        }
        text
    }
}
