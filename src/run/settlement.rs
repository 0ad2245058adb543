//! Messages whose outcome was open when their period was finalised: noted with the document, and billed on the payer's
//! next one when the outcome is known. The period is rated again with what is final first, so that nothing final moves.

use std::collections::{BTreeMap, BTreeSet};

use crate::book::{Book, StoredDocument};
use crate::domain::Result;
use crate::domain::disposition::{EventDisposition, SuspenseReason};
use crate::domain::document::Document;
use crate::domain::event::BillableEvent;
use crate::domain::outcome::{Arrived, Channel, Outcome};
use crate::domain::time::{Month, Period};
use crate::rules::compile::CompiledRules;
use crate::rules::config::SettlementSettings;
use crate::stage::invoice::{Charged, Late, difference, drafts};
use crate::stage::rate::Rated;

use super::bill::{self, Prepared};
use super::rating::{RatingRun, is_charged, rate_from, started};
use super::workspace::Workspace;

/// Documents of the book that are not voided, with their contents.
pub type Kept = Vec<(StoredDocument, Document)>;

/// What earlier periods still owe a month's documents.
#[derive(Default)]
pub struct Settled {
    pub owed: Vec<Owed>,
    /// Events that other documents bill and that only changed their tier here.
    pub priced_again: BTreeSet<String>,
    /// What people should know, as sentences.
    pub remarks: Vec<String>,
}

/// What one payer owes for one earlier period.
pub struct Owed {
    pub contact: String,
    pub period_key: String,
    pub late: Late,
}

/// The open events of a month: those that are waited for, by payer, and sentences about those that are not any more.
pub struct Open {
    pub carried: BTreeMap<u32, Vec<String>>,
    pub remarks: Vec<String>,
}

/// Finds the events of a month whose outcome is still open. An event that was open for longer than its settlement window
/// when the period closed is indeterminate and stays unbilled.
pub fn open(
    settings: &SettlementSettings,
    rules: &CompiledRules,
    events: &[BillableEvent],
    rated: &[Rated],
    month: Month,
) -> Open {
    let mut open = Open { carried: BTreeMap::new(), remarks: Vec::new() };
    let mut indeterminate: BTreeMap<Channel, Vec<&str>> = BTreeMap::new();
    for (event, rated) in events.iter().zip(rated) {
        let Some(payer) = rated.payer.filter(|_| is_open(rules, event, rated)) else { continue };
        let Some(terms) = rules.payers.get(payer as usize) else { continue };
        let period: Period = month.period(terms.zone);
        let Some(window) = window(settings, event.channel) else { continue };
        if event.start.plus_milliseconds(window) > period.span.to {
            open.carried.entry(payer).or_default().push(event.id.clone());
        } else {
            indeterminate.entry(event.channel).or_default().push(&event.id);
        }
    }
    for (channel, ids) in indeterminate {
        let hours = window(settings, channel).unwrap_or(0) / 3_600_000;
        open.remarks.push(format!(
            "No outcome within {hours} hours: indeterminate and not billed ({channel}, events: {}; {}).",
            ids.len(),
            first_few(&ids)
        ));
    }
    open
}

/// Whether an event of the month waits for what a later version of its record says.
fn is_open(rules: &CompiledRules, event: &BillableEvent, rated: &Rated) -> bool {
    let unbilled =
        matches!(rated.disposition, EventDisposition::AwaitingOutcome | EventDisposition::OutcomeNotBillable);
    let code = event.error_code.as_deref();
    let rule = rules.outcomes.rule_of(event.channel, event.direction, event.outcome, code);
    unbilled
        && matches!(event.outcome, Outcome::Queued | Outcome::Sent)
        && rule.is_some_and(|rule| rule.arrived == Arrived::Indeterminate)
}

/// How long an outcome is waited for; `None` where there is none to wait for.
fn window(settings: &SettlementSettings, channel: Channel) -> Option<i64> {
    match channel {
        Channel::Sms | Channel::Mms => Some(settings.text_milliseconds),
        Channel::Fax => Some(settings.fax_milliseconds),
        Channel::Voice | Channel::Voicemail => None,
    }
}

fn first_few(ids: &[&str]) -> String {
    const NAMED_MAX: usize = 3;
    let more = if ids.len() > NAMED_MAX { ", ..." } else { "" };
    format!("{}{more}", ids[..ids.len().min(NAMED_MAX)].join(", "))
}

/// The live documents of the book when any of them says something about other periods; else none, unread.
///
/// # Errors
/// A document that cannot be read (exit 7).
pub fn kept(book: &Book) -> Result<Kept> {
    const MARKS: [&[u8]; 2] = [b"\"balances\":[", b"\"carried\":["];
    let mut stored = book.documents(None)?;
    stored.retain(|document| document.live);
    let speaks = |document: &StoredDocument| {
        MARKS.iter().any(|mark| document.body.windows(mark.len()).any(|part| part == *mark))
    };
    if !stored.iter().any(speaks) {
        return Ok(Vec::new());
    }
    let read = |stored: StoredDocument| Ok((bill::kept_document(&stored)?, stored));
    stored.into_iter().map(read).map(|pair| pair.map(|(document, stored)| (stored, document))).collect()
}

/// What the documents before a month left open and what has become of it since.
///
/// # Errors
/// Facts that cannot be read, sums that differ (exit 7).
pub fn settled(book: &Book, workspace: &Workspace, kept: &Kept, month: Month) -> Result<Settled> {
    let mut open: BTreeMap<String, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for (stored, document) in kept.iter().filter(|(stored, _)| stored.period_key < month.key()) {
        for id in &document.invoice.carried {
            let is_other = |other: &StoredDocument| {
                other.contact_id == stored.contact_id && other.period_key != month.key()
            };
            let mut others = kept.iter().filter(|(other, _)| is_other(other));
            if !others.any(|(_, document)| document.annex.iter().any(|row| row.event_id == *id)) {
                let of_period = open.entry(stored.period_key.clone()).or_default();
                of_period.entry(&stored.contact_id).or_default().push(id);
            }
        }
    }
    let mut settled = Settled::default();
    for (period_key, contacts) in open {
        let Some(period) = Month::parse(&period_key) else { continue };
        settle_period(book, workspace, (kept, month), (period, &contacts), &mut settled)?;
    }
    Ok(settled)
}

/// Rates a period again: what its documents bill, what later ones billed of it, then what is known since.
fn settle_period(
    book: &Book,
    workspace: &Workspace,
    (kept, month): (&Kept, Month),
    (period, contacts): (Month, &BTreeMap<&str, Vec<&str>>),
    settled: &mut Settled,
) -> Result<()> {
    let key = period.key();
    let Prepared { facts, rules, openings } = bill::prepare(book, workspace, kept, period)?;
    let (events, turns) = in_turns(facts.mediated.events, (kept, month), &key, contacts);
    let rating = rate_from(&rules, started(&rules, &openings), &events, &turns)?;
    let charged: Vec<Charged<'_>> =
        rating.charges.iter().map(|(event, charge)| Charged { event: &events[*event], charge }).collect();
    let index = rules.only_month.unwrap_or_default();
    let fresh = drafts(&rules, &rating.state, index, &charged, &workspace.config.company, false)?;
    for (contact, ids) in contacts {
        let known = outcome_of(&events, &rating, ids, &key, &mut settled.remarks);
        let document = fresh.iter().find(|document| document.invoice.payer.contact_id == *contact);
        let (true, Some(document)) = (known, document) else { continue };
        let billed: Vec<&Document> = kept
            .iter()
            .filter(|(stored, _)| stored.contact_id == *contact && stored.period_key != month.key())
            .map(|(_, document)| document)
            .collect();
        let Some(late) = difference(document, &billed, &key)? else {
            settled.remarks.push(format!(
                "The rules give another amount than {contact} was billed for {key}: what was settled since is not billed \
                 ({}).",
                first_few(ids)
            ));
            continue;
        };
        let again = late.rows.iter().map(|row| &row.event_id).filter(|id| !ids.contains(&id.as_str()));
        settled.priced_again.extend(again.cloned());
        settled.owed.push(Owed { contact: (*contact).to_owned(), period_key: key.clone(), late });
    }
    Ok(())
}

/// The events of a period that documents bill, by when they did, then those whose outcome was open; with the indices at
/// which another turn begins. What nobody billed and nobody noted came late: it waits for an adjustment.
fn in_turns(
    events: Vec<BillableEvent>,
    (kept, month): (&Kept, Month),
    key: &str,
    contacts: &BTreeMap<&str, Vec<&str>>,
) -> (Vec<BillableEvent>, Vec<usize>) {
    let mut turn_of: BTreeMap<&str, &str> = BTreeMap::new();
    for (stored, document) in kept.iter().filter(|(stored, _)| stored.period_key != month.key()) {
        for row in &document.annex {
            turn_of.insert(&row.event_id, if stored.period_key == key { "" } else { &stored.period_key });
        }
    }
    // No key of a period comes after this one.
    const LAST: &str = "~";
    turn_of.extend(contacts.values().flatten().map(|id| (*id, LAST)));
    let mut ordered: Vec<(&str, BillableEvent)> =
        events.into_iter().filter_map(|event| Some((*turn_of.get(event.id.as_str())?, event))).collect();
    ordered.sort_by(|left, right| {
        (left.0, left.1.start, &left.1.id).cmp(&(right.0, right.1.start, &right.1.id))
    });
    let turns = (1..ordered.len()).filter(|index| ordered[*index].0 != ordered[*index - 1].0).collect();
    (ordered.into_iter().map(|(_, event)| event).collect(), turns)
}

/// Whether any of the open events is charged now; notes what is still open or cannot be billed.
fn outcome_of(
    events: &[BillableEvent],
    rating: &RatingRun,
    ids: &[&str],
    key: &str,
    remarks: &mut Vec<String>,
) -> bool {
    let (mut charged, mut waiting, mut stopped) = (false, Vec::new(), Vec::new());
    for id in ids {
        let Some(index) = events.iter().position(|event| event.id == *id) else { continue };
        let rated = &rating.rated[index];
        charged |= is_charged(rated.disposition);
        match rated.disposition {
            EventDisposition::AwaitingOutcome => waiting.push(*id),
            EventDisposition::Suspended => {
                stopped.push(format!("{id}: {}", rated.reason.map(SuspenseReason::word).unwrap_or_default()));
            }
            _ => {}
        }
    }
    if !waiting.is_empty() {
        let named = first_few(&waiting);
        remarks.push(format!("Of {key}, still without an outcome: {} ({named}).", waiting.len()));
    }
    if !stopped.is_empty() {
        remarks.push(format!("Of {key}, settled and not billable yet: {}.", stopped.join("; ")));
    }
    charged
}
