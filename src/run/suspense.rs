//! Suspense holds back only payers it could belong to, until somebody decides (design, section 6). Suspense without a
//! possible payer is a finding and holds back nobody. Time of one person that would be billed on two matters at once
//! holds back both payers in the same way.

use std::collections::{BTreeMap, BTreeSet};

use crate::book::{Book, Decision};
use crate::domain::disposition::{EventDisposition, RecordDisposition, SuspenseReason};
use crate::domain::event::BillableEvent;
use crate::domain::number::NumberReader;
use crate::domain::record::RecordKey;
use crate::domain::source::{CallRecord, Content, DecodedRecord, PartyText};
use crate::domain::{PartyNumber, Result, Zone};
use crate::rules::CompiledRules;
use crate::stage::identify::{Clues, possible_payers};

use crate::stage::overlap::{TimeOverlap, WorkedTime};

use super::bill::BillingRun;
use super::rating::is_charged;
use super::workspace::Workspace;

/// Decisions that let a payer be billed although something suspended could be theirs, by the id of the record or event.
pub const ACCEPT_SUSPENSE: &str = "accept-suspense";

/// How many ids the reason names.
const NAMED_MAX: usize = 3;

/// Parks the payers that suspended records or events could belong to, unless a decision accepts the suspense.
///
/// # Errors
/// A book that cannot be read.
pub(super) fn park(run: &mut BillingRun, book: &Book, workspace: &Workspace) -> Result<()> {
    let decisions = book.decisions(ACCEPT_SUSPENSE)?;
    let mut held: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (id, payers) in suspended_records(run, workspace).into_iter().chain(suspended_events(run)) {
        if payers.is_empty() {
            continue;
        }
        if let Some(decision) = decisions.iter().find(|decision| decision.subject == id) {
            let sentence =
                format!("The suspense of {id} is accepted by {}: {}", decision.actor, decision.reason);
            run.coverage.accepted.push(sentence);
            continue;
        }
        for payer in payers {
            held.entry(payer).or_default().push(id.clone());
        }
    }
    for (payer, ids) in held {
        let reason = format!("suspended usage could belong to it ({})", listed(&ids));
        run.parked.insert(run.rules.payers[payer as usize].contact.id.clone(), reason);
    }
    park_overlaps(run, &decisions);
    Ok(())
}

/// The first few of some ids.
fn listed(ids: &[String]) -> String {
    let named = ids.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    match ids.len().checked_sub(NAMED_MAX) {
        None | Some(0) => named,
        Some(more) => format!("{named} and {more} more"),
    }
}

/// Parks the payers of time that is billed on two matters at once, until the coding is corrected or a decision names one
/// of the events. What stands on an earlier document is not parked any more.
fn park_overlaps(run: &mut BillingRun, decisions: &[Decision]) {
    let events = &run.facts.mediated.events;
    let mut held: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for overlap in &run.overlaps {
        let pair = [overlap.first, overlap.second];
        let ids = pair.map(|time| events[time.event].id.as_str());
        if let Some(decision) = decisions.iter().find(|decision| ids.contains(&decision.subject.as_str())) {
            let sentence = format!(
                "The overlap of {} and {} is accepted by {}: {}",
                ids[0], ids[1], decision.actor, decision.reason
            );
            run.coverage.accepted.push(sentence);
            continue;
        }
        for time in pair.iter().filter(|time| is_charged(run.dispositions[time.event].0)) {
            held.entry(time.payer).or_default().extend(ids.map(str::to_owned));
        }
    }
    for (payer, ids) in held {
        let ids: Vec<String> = ids.into_iter().collect();
        let reason = format!("time of one person is billed on two matters at once ({})", listed(&ids));
        let contact = run.rules.payers[payer as usize].contact.id.clone();
        let reasons = run.parked.entry(contact).or_default();
        *reasons = if reasons.is_empty() { reason } else { format!("{reasons}; {reason}") };
    }
}

/// An overlap as a sentence.
pub(super) fn sentence_of(
    rules: &CompiledRules,
    events: &[BillableEvent],
    zone: Zone,
    overlap: &TimeOverlap,
) -> String {
    let name = |names: &[String], number: u32| {
        number.checked_sub(1).and_then(|place| names.get(place as usize)).cloned().unwrap_or_default()
    };
    let on = |time: &WorkedTime| {
        let contact = &rules.payers[time.payer as usize].contact.id;
        match name(&rules.identity.matters, time.matter) {
            matter if matter.is_empty() => format!("{} for {contact}", events[time.event].id),
            matter => format!("{} for {contact}, {matter}", events[time.event].id),
        }
    };
    format!(
        "{} is billed twice from {} to {}: {}; {}",
        name(&rules.identity.timekeepers, overlap.first.timekeeper),
        zone.show(overlap.span.from),
        zone.show(overlap.span.to),
        on(&overlap.first),
        on(&overlap.second)
    )
}

/// Suspended events have a payer already. What came after a final invoice waits for an adjustment and parks nobody.
fn suspended_events(run: &BillingRun) -> Vec<(String, BTreeSet<u32>)> {
    let mut found = Vec::new();
    for (index, (disposition, reason)) in run.dispositions.iter().enumerate() {
        let late = *reason == Some(SuspenseReason::PeriodFinalised);
        if let (EventDisposition::Suspended, Some(payer), false) =
            (disposition, run.rating.rated[index].payer, late)
        {
            found.push((run.facts.mediated.events[index].id.clone(), BTreeSet::from([payer])));
        }
    }
    found
}

fn suspended_records(run: &BillingRun, workspace: &Workspace) -> Vec<(String, BTreeSet<u32>)> {
    let records: BTreeMap<(&RecordKey, _), &DecodedRecord> = run
        .facts
        .records
        .iter()
        .map(|record| ((&record.record.key, record.record.version), record))
        .collect();
    let extensions: BTreeMap<&str, u64> = run
        .facts
        .extensions
        .iter()
        .filter_map(|extension| Some((extension.id.as_str(), extension.number?)))
        .collect();
    let mut numbers = NumberReader::new(workspace.config.country);
    let mut found = Vec::new();
    for entry in
        run.facts.mediated.ledger.iter().filter(|entry| entry.disposition == RecordDisposition::Suspended)
    {
        let Some(record) = records.get(&(&entry.record, entry.version)) else { continue };
        if record.record.start.is_some_and(|start| !run.period.span.contains(start)) {
            continue;
        }
        let (parties, ids) = named_in(&record.content);
        let read = |party: &PartyText| match numbers.read(party.phone_number.as_deref().unwrap_or_default()).0
        {
            PartyNumber::E164(digits) => Some(digits),
            _ => None,
        };
        let digits: Vec<u64> = parties.iter().filter_map(read).collect();
        let mut users: Vec<u64> = ids.iter().filter_map(|id| extensions.get(id.as_str()).copied()).collect();
        users.extend(
            parties.iter().filter_map(|party| party.extension_number.as_deref()?.trim().parse::<u64>().ok()),
        );
        let (contact, account_code) = match &record.content {
            Content::Usage(row) => (row.contact.as_deref(), row.account_code.as_deref()),
            _ => (None, None),
        };
        let clues = Clues {
            contact,
            account_code,
            numbers: digits,
            places: record.record.start.map_or_else(Vec::new, |start| {
                let day = workspace.config.zone.local(start).date();
                users.iter().filter_map(|user| workspace.directory.place(*user, day)).collect()
            }),
            extensions: users,
            ringcentral_account: Some(&entry.record.account),
            at: record.record.start,
        };
        let payers = possible_payers(&run.rules.identity, &clues);
        found.push((entry.record.id.clone(), payers));
    }
    found
}

/// The parties and extension ids that a record names.
fn named_in(content: &Content) -> (Vec<PartyText>, Vec<String>) {
    let of_call = |call: &CallRecord| {
        let legs = call.legs.iter().flatten().filter_map(|leg| leg.extension_id.clone());
        (vec![call.from.clone(), call.to.clone()], call.extension_id.iter().cloned().chain(legs).collect())
    };
    let party = |text: &Option<String>| PartyText { phone_number: text.clone(), ..PartyText::default() };
    match content {
        Content::Call(call) | Content::ExtensionCall(call) | Content::PortalCall(call) => of_call(call),
        Content::Message(message) => {
            let to = message.to.iter().map(|recipient| recipient.party.clone());
            (
                std::iter::once(message.from.clone()).chain(to).collect(),
                message.mailbox.iter().cloned().collect(),
            )
        }
        Content::Usage(row) => {
            let user = PartyText { extension_number: row.extension.clone(), ..PartyText::default() };
            (vec![party(&row.from), party(&row.to), user], Vec::new())
        }
        Content::Descriptive | Content::DeletionNotice | Content::Malformed(_) => (Vec::new(), Vec::new()),
    }
}
