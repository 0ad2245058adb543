//! A finished run → the files of its output folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::book::Book;
use crate::domain::disposition::{EventDisposition, RecordDisposition, RecordFinding, SuspenseReason};
use crate::domain::document::{Document, LineKind};
use crate::domain::money::{Exact, Money};
use crate::domain::outcome::Channel;
use crate::domain::reconciliation::BreakKind;
use crate::domain::record::RecordKey;
use crate::domain::{Failure, Hash, Result};
use crate::output::manifest::{Manifest, manifest_json};
use crate::output::margin::margin_csv;
use crate::output::report::{
    DayActivity, DocumentSummary, Findings, RunReport, SuspenseSummary, UnmatchedNumber, index,
};
use crate::output::unmatched::{UnmatchedUsage, unmatched_csv};
use crate::output::{Heading, OutputFile, Published, control, document, publish, reconciliation};
use crate::rules::ruleset::Condition;

use super::DERIVATION_VERSION;
use super::bill::BillingRun;
use super::margin::margins;
use super::suspense::sentence_of;
use super::unmatched::unmatched;
use super::workspace::Workspace;

/// How many unmatched numbers the report lists.
const UNMATCHED_LISTED_MAX: usize = 20;

/// How many overlapping times the report lists.
const OVERLAPS_LISTED_MAX: usize = 20;

/// How many details of one suspense reason the report lists.
const DETAILS_LISTED_MAX: usize = 5;

/// Writes the output folder of a run and registers the run with its manifest.
///
/// # Errors
/// A document that contradicts itself (exit 7), a disk that is full or failing (exit 8).
pub fn write(book: &mut Book, workspace: &Workspace, run: &BillingRun, output: &Path) -> Result<Published> {
    let files = files(workspace, run)?;
    let manifest = files.last().map(|file| file.bytes.clone()).unwrap_or_default();
    let target = output.join(run.period.month.key());
    let published =
        publish(&target, &files).map_err(|failure: Failure| failure.while_doing("writing the report"))?;
    book.put_run(&run.id, &run.period.month.key(), &manifest, run.finalised)?;
    Ok(published)
}

/// All files of a run; the manifest is the last.
///
/// # Errors
/// A document that contradicts itself (exit 7).
pub fn files(workspace: &Workspace, run: &BillingRun) -> Result<Vec<OutputFile>> {
    let heading = Heading {
        company: workspace.config.company.name.clone(),
        run_id: run.id.hex(),
        specimen: run.specimen,
    };
    let unmatched = unmatched(run, workspace)?;
    let totals = unmatched.totals()?;
    let mut files = vec![
        index(&report(run, &heading, &unmatched)?)?,
        control::control_json(&run.conservation, &run.money, &totals),
        unmatched_csv(&unmatched),
    ];
    if let Some(margins) = margins(run) {
        files.push(margin_csv(&margins)?);
    }
    for document in run.documents.iter().chain(&run.earlier) {
        files.extend(document::files(document, document.invoice.finalisation.is_none())?);
    }
    let names: BTreeMap<String, String> =
        run.rules.payers.iter().map(|payer| (payer.contact.id.clone(), payer.contact.name.clone())).collect();
    files.extend(reconciliation::files(&run.reconciliation, &run.period, &heading, &names)?);
    let manifest = Manifest {
        run_id: run.id.hex(),
        period: run.period,
        derivation_version: DERIVATION_VERSION.to_owned(),
        timezone_data: chrono_tz::IANA_TZDB_VERSION.to_owned(),
        specimen: run.specimen,
        inputs: run.inputs.clone(),
        rates_matching_nothing: rates_matching_nothing(run),
    };
    files.push(manifest_json(&manifest, &files));
    Ok(files)
}

fn report(run: &BillingRun, heading: &Heading, unmatched: &UnmatchedUsage) -> Result<RunReport> {
    let mut held_back = run.open.clone();
    held_back
        .extend(run.parked.iter().map(|(contact, reason)| format!("{contact} stays a draft: {reason}.")));
    Ok(RunReport {
        heading: heading.clone(),
        period: run.period,
        money: run.money.clone(),
        documents: run.documents.iter().chain(&run.earlier).map(summary).collect::<Result<_>>()?,
        conservation: run.conservation.clone(),
        coverage: run.coverage.feeds.clone(),
        suspense: suspense(run),
        findings: findings(run, unmatched)?,
        activity: activity(run),
        held_back,
        accepted: run.coverage.accepted.clone(),
        reconciled: true,
        margins: margins(run).unwrap_or_default(),
    })
}

fn summary(item: &Document) -> Result<DocumentSummary> {
    let invoice = &item.invoice;
    let finalisation = invoice.finalisation.as_ref();
    let events: BTreeSet<&str> = item.annex.iter().map(|row| row.event_id.as_str()).collect();
    Ok(DocumentSummary {
        folder: document::folder(item, finalisation.is_none())?,
        number: finalisation.map(|facts| facts.number.clone()),
        contact_id: invoice.payer.contact_id.clone(),
        payer: invoice.payer.name.clone(),
        lines: invoice.lines.len() as u64,
        events: events.len() as u64,
        net: invoice.net,
        tax: invoice.tax.as_ref().map_or(Money::zero(invoice.currency), |tax| tax.amount),
        total: invoice.total,
    })
}

/// Suspended records and events, by reason, with what people need to act on them.
fn suspense(run: &BillingRun) -> Vec<SuspenseSummary> {
    let mut by_reason: BTreeMap<SuspenseReason, Vec<String>> = BTreeMap::new();
    let suspended =
        |entry: &&crate::domain::disposition::RecordEntry| entry.disposition == RecordDisposition::Suspended;
    for entry in run.facts.mediated.ledger.iter().filter(suspended) {
        if let Some(reason) = entry.reason {
            let detail =
                if entry.detail.is_empty() { String::new() } else { format!(" \"{}\"", entry.detail) };
            by_reason
                .entry(reason)
                .or_default()
                .push(format!("{} {}{detail}", entry.record.kind, entry.record.id));
        }
    }
    for (index, (disposition, reason)) in run.dispositions.iter().enumerate() {
        if let (EventDisposition::Suspended, Some(reason)) = (disposition, reason) {
            by_reason.entry(*reason).or_default().push(run.facts.mediated.events[index].id.clone());
        }
    }
    by_reason
        .into_iter()
        .map(|(reason, items)| SuspenseSummary {
            reason,
            count: items.len() as u64,
            details: items.iter().take(DETAILS_LISTED_MAX).cloned().collect::<Vec<_>>().join("; "),
        })
        .collect()
}

/// Tariff and name of the rates that were in force in the period and matched nothing. A rate is several clauses, one for
/// each of its bands and destinations, and of its versions; one that matched is enough.
fn rates_matching_nothing(run: &BillingRun) -> Vec<(String, String)> {
    let unmatched: BTreeSet<usize> = run.rating.state.unmatched_clauses().collect();
    let mut matched: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    for (index, clause) in run.rules.clauses.iter().enumerate() {
        let version = &run.rules.versions[clause.version];
        if version.in_force.overlaps(&run.period.span) {
            let name = (version.tariff.name.as_str(), clause.rate.name.as_str());
            *matched.entry(name).or_default() |= !unmatched.contains(&index);
        }
    }
    let nothing = matched.into_iter().filter(|(_, matched)| !matched);
    nothing.map(|((tariff, rate), _)| (tariff.to_owned(), rate.to_owned())).collect()
}

fn findings(run: &BillingRun, unmatched: &UnmatchedUsage) -> Result<Findings> {
    let (unmatched_numbers, further_unmatched_numbers) = unmatched_numbers(unmatched)?;
    let mut breaks: BTreeMap<BreakKind, u64> = BTreeMap::new();
    for item in &run.reconciliation.breaks {
        *breaks.entry(item.kind).or_default() += 1;
    }
    Ok(Findings {
        unmatched: unmatched.totals()?,
        unmatched_numbers,
        further_unmatched_numbers,
        rules_never_matched: rates_matching_nothing(run)
            .into_iter()
            .map(|(tariff, rate)| format!("{tariff}: {rate}"))
            .collect(),
        breaks: breaks.into_iter().collect(),
        remarks: remarks(run),
    })
}

/// Unmatched usage by number, with the best proposal of any of its events.
fn unmatched_numbers(unmatched: &UnmatchedUsage) -> Result<(Vec<UnmatchedNumber>, u64)> {
    let mut by_number: BTreeMap<&str, UnmatchedNumber> = BTreeMap::new();
    for event in &unmatched.events {
        let entry = by_number.entry(&event.number).or_insert_with(|| UnmatchedNumber {
            number: event.number.clone(),
            events: 0,
            milliseconds: 0,
            value: None,
            oldest_days: 0,
            suggestion: None,
        });
        entry.events += 1;
        entry.milliseconds += event.milliseconds;
        entry.oldest_days = entry.oldest_days.max(event.days);
        if let Some(value) = event.value {
            entry.value = Some(entry.value.unwrap_or(Exact::ZERO).plus(value)?);
        }
        if entry.suggestion.is_none() {
            entry.suggestion = event.suggestions.first().map(|(contact, why)| format!("{contact}: {why}"));
        }
    }
    let mut numbers: Vec<UnmatchedNumber> = by_number.into_values().collect();
    numbers.sort_by(|left, right| (right.events, &left.number).cmp(&(left.events, &right.number)));
    let further = numbers.len().saturating_sub(UNMATCHED_LISTED_MAX) as u64;
    numbers.truncate(UNMATCHED_LISTED_MAX);
    Ok((numbers, further))
}

/// Remarks of events, counted, so that a thousand equal ones are one sentence; then what was found about records.
fn remarks(run: &BillingRun) -> Vec<String> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for remark in run.facts.mediated.events.iter().flat_map(|event| &event.remarks) {
        *counts.entry(remark).or_default() += 1;
    }
    let remarks = counts.into_iter().map(|(remark, count)| format!("{remark} (events: {count})"));
    remarks
        .chain(unknown_conditions(run))
        .chain(run.remarks.iter().cloned())
        .chain(record_findings(run))
        .chain(overlaps(run))
        .collect()
}

/// Conditions that some events do not answer: they did not match there, which may not be what was meant.
fn unknown_conditions(run: &BillingRun) -> Vec<String> {
    let counted = run.rules.conditions.iter().zip(&run.rating.conditions_unknown);
    let of = |(condition, events): (&Condition, &usize)| {
        format!(
            "The condition \"{}\" is neither true nor false where a column is empty, and did not match there (events: {events}).",
            condition.text
        )
    };
    counted.filter(|(_, events)| **events > 0).map(of).collect()
}

/// Time billed on two matters at once, the first few by name.
fn overlaps(run: &BillingRun) -> Vec<String> {
    let sentence = |overlap| sentence_of(&run.rules, &run.facts.mediated.events, run.period.zone, overlap);
    let mut found: Vec<String> = run
        .overlaps
        .iter()
        .take(OVERLAPS_LISTED_MAX)
        .map(|overlap| format!("{}.", sentence(overlap)))
        .collect();
    if let Some(more) = run.overlaps.len().checked_sub(OVERLAPS_LISTED_MAX).filter(|more| *more > 0) {
        found.push(format!("{more} further times of one person are billed on two matters at once."));
    }
    found
}

/// Findings about records of the period, each record once, with the first of them by name.
fn record_findings(run: &BillingRun) -> Vec<String> {
    let outside: BTreeSet<_> = run
        .facts
        .records
        .iter()
        .filter(|record| record.record.start.is_some_and(|start| !run.period.span.contains(start)))
        .map(|record| (&record.record.key, record.record.version))
        .collect();
    let mut found: BTreeMap<RecordFinding, BTreeMap<&RecordKey, &str>> = BTreeMap::new();
    for entry in &run.facts.mediated.ledger {
        if let Some(finding) = entry.finding
            && !outside.contains(&(&entry.record, entry.version))
        {
            found.entry(finding).or_default().insert(&entry.record, &entry.detail);
        }
    }
    let named = |(key, detail): (&&RecordKey, &&str), finding: RecordFinding| match finding {
        RecordFinding::AnsweredByAnother => format!("{} {}: {detail}", key.kind, key.id),
        _ => format!("{} {}", key.kind, key.id),
    };
    let sentence = |(finding, records): (RecordFinding, BTreeMap<&RecordKey, &str>)| {
        let first = records.iter().take(DETAILS_LISTED_MAX).map(|record| named(record, finding));
        let first = first.collect::<Vec<_>>().join("; ");
        format!("{} (records: {}; {first})", finding.sentence(), records.len())
    };
    found.into_iter().map(sentence).collect()
}

fn activity(run: &BillingRun) -> Vec<DayActivity> {
    let mut days: BTreeMap<chrono::NaiveDate, BTreeMap<Channel, u64>> = BTreeMap::new();
    for event in run.facts.mediated.events.iter().filter(|event| run.period.span.contains(event.start)) {
        let date = run.period.zone.local(event.start).date();
        *days.entry(date).or_default().entry(event.channel).or_default() += 1;
    }
    days.into_iter()
        .map(|(date, events)| DayActivity { date, events: events.into_iter().collect() })
        .collect()
}

/// Number of lines of a kind on all documents, for summaries.
pub fn lines_of(run: &BillingRun, kind: LineKind) -> usize {
    run.documents.iter().flat_map(|item| &item.invoice.lines).filter(|line| line.key.kind == kind).count()
}

/// The inputs of a run as its manifest kept them.
///
/// # Errors
/// A manifest that cannot be read (exit 7).
pub fn inputs_of(manifest: &[u8]) -> Result<Vec<(String, Hash)>> {
    let damaged =
        || Failure::new(crate::domain::Exit::Verification, "the manifest of the run cannot be read");
    let value: serde_json::Value = serde_json::from_slice(manifest).map_err(|_| damaged())?;
    let inputs = value.get("inputs").and_then(serde_json::Value::as_array).ok_or_else(damaged)?;
    let read = |input: &serde_json::Value| {
        let name = input.get("name")?.as_str()?.to_owned();
        Some((name, Hash::from_hex(input.get("hash")?.as_str()?)?))
    };
    inputs.iter().map(|input| read(input).ok_or_else(damaged)).collect()
}

/// Tariff and name of the rates that matched nothing in a run, as its manifest kept them. Manifests of earlier versions of
/// the program have none.
///
/// # Errors
/// A manifest that cannot be read (exit 7).
pub fn rates_matching_nothing_in(manifest: &[u8]) -> Result<Vec<(String, String)>> {
    let damaged =
        || Failure::new(crate::domain::Exit::Verification, "the manifest of the run cannot be read");
    let value: serde_json::Value = serde_json::from_slice(manifest).map_err(|_| damaged())?;
    let rates = value.get("rates_matching_nothing").and_then(serde_json::Value::as_array);
    let read = |rate: &serde_json::Value| {
        Some((rate.get("tariff")?.as_str()?.to_owned(), rate.get("rate")?.as_str()?.to_owned()))
    };
    rates.into_iter().flatten().map(|rate| read(rate).ok_or_else(damaged)).collect()
}
