//! The values of `index.html`, formatted.

use std::collections::BTreeMap;

use chrono::Datelike;
use serde::Serialize;

use super::ledgers::{self, Bridge, EventLedger, RecordLedger};
use super::{DayActivity, DocumentSummary, FeedCoverage, RunReport, SuspenseSummary};
use crate::domain::money::{Currency, Money};
use crate::domain::outcome::Channel;
use crate::output::chart::{self, Bar, Bars, Columns, Stack};
use crate::output::control::{self, MoneyControl};
use crate::output::margin::MarginRow;
use crate::output::text;
use crate::output::unmatched::UnmatchedTotals;

/// Contacts that the chart of billed amounts names; the others share one bar.
const CONTACTS_IN_CHART: usize = 12;

#[derive(Serialize)]
pub(super) struct View<'a> {
    company: &'a str,
    run_id: &'a str,
    specimen: bool,
    month: String,
    days: String,
    zone: &'static str,
    state: &'static str,
    finalised: bool,
    adds_up: bool,
    violations: Vec<String>,
    money: Vec<MoneyRow>,
    margins: Vec<MarginView>,
    document_count: String,
    event_count: String,
    suspended_count: String,
    break_count: String,
    documents: Vec<DocumentRow>,
    has_drafts: bool,
    records: RecordLedger<'a>,
    bridge: Bridge,
    events: EventLedger,
    coverage: Vec<CoverageRow>,
    suspense: Vec<SuspenseRow>,
    unmatched: Vec<UnmatchedRow>,
    unmatched_sum: String,
    further_unmatched: Option<String>,
    rules_never_matched: &'a [String],
    breaks: Vec<BreakRow>,
    remarks: &'a [String],
    held_back: &'a [String],
    accepted: &'a [String],
    reconciled: bool,
    activity: Option<Columns>,
    billed: Vec<Bars>,
}

#[derive(Serialize)]
struct MoneyRow {
    currency: String,
    documents: String,
    documents_in_words: String,
    charges: String,
    residual: String,
    net: String,
    tax: String,
    total: String,
    total_with_currency: String,
    adds_up: bool,
}

#[derive(Serialize)]
struct MarginView {
    payer: String,
    contact_id: String,
    currency: String,
    events: String,
    events_without_cost: String,
    charge: String,
    cost: String,
    margin: String,
}

#[derive(Serialize)]
struct DocumentRow {
    folder: String,
    number: Option<String>,
    contact_id: String,
    payer: String,
    lines: String,
    events: String,
    net: String,
    tax: String,
    total: String,
    currency: String,
}

#[derive(Serialize)]
struct CoverageRow {
    feed: String,
    windows: String,
    sealed: String,
    records: String,
    holes: Vec<String>,
    complete: bool,
}

#[derive(Serialize)]
struct SuspenseRow {
    reason: &'static str,
    count: String,
    details: String,
    remedy: &'static str,
}

#[derive(Serialize)]
struct UnmatchedRow {
    number: String,
    events: String,
    time: String,
    value: Option<String>,
    oldest: String,
    suggestion: Option<String>,
}

#[derive(Serialize)]
struct BreakRow {
    kind: &'static str,
    count: String,
}

/// The values of the page.
pub(super) fn view(report: &RunReport) -> View<'_> {
    let violations = control::violations(&report.conservation, &report.money);
    let has_drafts = report.documents.iter().any(|document| document.number.is_none());
    let finalised = !report.documents.is_empty() && !has_drafts;
    let findings = &report.findings;
    let further = findings.further_unmatched_numbers;
    View {
        company: &report.heading.company,
        run_id: &report.heading.run_id,
        specimen: report.heading.specimen,
        month: report.period.month.key(),
        days: text::days(&report.period),
        zone: report.period.zone.name(),
        state: state(report, has_drafts),
        finalised,
        adds_up: violations.is_empty(),
        violations,
        money: report.money.iter().map(money).collect(),
        document_count: text::count(report.documents.len()),
        event_count: text::count(report.conservation.events_mediated.events),
        suspended_count: text::count(report.suspense.iter().map(|row| i128::from(row.count)).sum::<i128>()),
        break_count: text::count(findings.breaks.iter().map(|(_, count)| i128::from(*count)).sum::<i128>()),
        documents: report.documents.iter().map(document).collect(),
        has_drafts,
        records: ledgers::records(&report.conservation),
        bridge: ledgers::bridge(&report.conservation),
        events: ledgers::events(&report.conservation),
        coverage: report.coverage.iter().map(coverage).collect(),
        suspense: report.suspense.iter().map(suspense).collect(),
        unmatched: findings
            .unmatched_numbers
            .iter()
            .map(|row| UnmatchedRow {
                number: row.number.clone(),
                events: text::count(row.events),
                time: text::duration_of_milliseconds(row.milliseconds),
                value: row.value.map(text::exact),
                oldest: text::plural(row.oldest_days, "day"),
                suggestion: row.suggestion.clone(),
            })
            .collect(),
        unmatched_sum: unmatched_sum(&findings.unmatched),
        further_unmatched: (further > 0)
            .then(|| format!("{} not shown.", text::plural(further, "further number"))),
        rules_never_matched: &findings.rules_never_matched,
        breaks: findings
            .breaks
            .iter()
            .map(|(kind, count)| BreakRow { kind: kind.word(), count: text::count(count) })
            .collect(),
        remarks: &findings.remarks,
        held_back: &report.held_back,
        margins: report.margins.iter().map(margin).collect(),
        accepted: &report.accepted,
        reconciled: report.reconciled,
        activity: activity(&report.activity),
        billed: billed(&report.documents),
    }
}

/// What unmatched usage is worth, as a sentence.
fn unmatched_sum(totals: &UnmatchedTotals) -> String {
    let mut sentence = text::plural(totals.events, "event");
    if let Some(currency) = totals.currency {
        let value = text::exact(totals.value);
        sentence.push_str(&format!(", worth {value} {currency} at the default tariff before any allowance"));
    }
    if totals.without_value > 0 {
        sentence.push_str(&format!(", {} without a value", text::count(totals.without_value)));
    }
    format!(
        "{sentence}; the oldest is {} old at the end of the period.",
        text::plural(totals.oldest_days, "day")
    )
}

fn state(report: &RunReport, has_drafts: bool) -> &'static str {
    match (report.documents.is_empty(), has_drafts) {
        (true, _) => "No documents",
        (false, true) => "Drafts",
        (false, false) => "Finalised",
    }
}

fn margin(row: &MarginRow) -> MarginView {
    MarginView {
        payer: row.payer.clone(),
        contact_id: row.contact_id.clone(),
        currency: row.currency.to_string(),
        events: text::count(row.events),
        events_without_cost: text::count(row.events_without_cost),
        charge: text::exact(row.charge),
        cost: text::exact(row.cost),
        // What leaves 128 bits fails where the file is written.
        margin: row.margin().map_or_else(|_| String::new(), text::exact),
    }
}

fn money(control: &MoneyControl) -> MoneyRow {
    MoneyRow {
        currency: control.currency.to_string(),
        documents: text::count(control.documents),
        documents_in_words: text::plural(control.documents, "document"),
        charges: text::exact(control.charges),
        residual: text::exact(control.residual),
        net: text::amount(control.net),
        tax: text::amount(control.tax),
        total: text::amount(control.total),
        total_with_currency: text::amount_with_currency(control.total),
        adds_up: control.violations().is_empty(),
    }
}

fn document(document: &DocumentSummary) -> DocumentRow {
    DocumentRow {
        folder: document.folder.clone(),
        number: document.number.clone(),
        contact_id: document.contact_id.clone(),
        payer: document.payer.clone(),
        lines: text::count(document.lines),
        events: text::count(document.events),
        net: text::amount(document.net),
        tax: text::amount(document.tax),
        total: text::amount(document.total),
        currency: document.total.currency.to_string(),
    }
}

fn coverage(coverage: &FeedCoverage) -> CoverageRow {
    CoverageRow {
        feed: coverage.feed.clone(),
        windows: text::count(coverage.windows),
        sealed: text::count(coverage.sealed),
        records: text::count(coverage.records),
        holes: coverage.holes.clone(),
        complete: coverage.holes.is_empty() && coverage.sealed == coverage.windows,
    }
}

fn suspense(suspense: &SuspenseSummary) -> SuspenseRow {
    SuspenseRow {
        reason: suspense.reason.word(),
        count: text::count(suspense.count),
        details: suspense.details.clone(),
        remedy: suspense.reason.remedy(),
    }
}

fn channel_class(channel: Channel) -> &'static str {
    match channel {
        Channel::Voice => "voice",
        Channel::Sms => "sms",
        Channel::Mms => "mms",
        Channel::Fax => "fax",
        Channel::Voicemail => "voicemail",
    }
}

fn activity(days: &[DayActivity]) -> Option<Columns> {
    let used = |channel: &Channel| {
        days.iter().flat_map(|day| &day.events).any(|(known, count)| known == channel && *count > 0)
    };
    let channels: Vec<Channel> = Channel::ALL.iter().copied().filter(used).collect();
    if channels.is_empty() {
        return None;
    }
    let stacks = days
        .iter()
        .map(|day| {
            let events: BTreeMap<Channel, u64> = day.events.iter().copied().collect();
            let named: Vec<String> =
                events.iter().map(|(channel, count)| format!("{channel} {}", text::count(count))).collect();
            let parts = channels
                .iter()
                .map(|channel| (channel_class(*channel), events.get(channel).copied().unwrap_or(0)))
                .collect();
            Stack {
                title: format!("{}: {}", day.date, named.join(", ")),
                label: day.date.day().to_string(),
                parts,
            }
        })
        .collect();
    let legend = channels.iter().map(|channel| (channel_class(*channel), channel.to_string())).collect();
    Some(chart::columns("Events per day by channel", stacks, legend))
}

/// One chart a currency, in the order of the codes: amounts of two currencies share no axis.
fn billed(documents: &[DocumentSummary]) -> Vec<Bars> {
    let mut by_currency: BTreeMap<Currency, BTreeMap<&str, (String, i128)>> = BTreeMap::new();
    for document in documents {
        let contacts = by_currency.entry(document.net.currency).or_default();
        let entry = contacts.entry(&document.contact_id).or_insert_with(|| (document.payer.clone(), 0));
        entry.1 = entry.1.saturating_add(document.net.minor_units);
    }
    by_currency.into_iter().map(|(currency, contacts)| billed_in(currency, contacts)).collect()
}

fn billed_in(currency: Currency, contacts: BTreeMap<&str, (String, i128)>) -> Bars {
    let mut sorted: Vec<(String, i128)> = contacts.into_values().collect();
    sorted.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let others = sorted.split_off(sorted.len().min(CONTACTS_IN_CHART));
    let mut rows: Vec<Bar> =
        sorted.into_iter().map(|(name, size)| billed_bar(name, size, currency, "billed")).collect();
    if !others.is_empty() {
        let sum = others.iter().fold(0_i128, |sum, (_, size)| sum.saturating_add(*size));
        rows.push(billed_bar(text::plural(others.len(), "other contact"), sum, currency, "muted"));
    }
    chart::bars(&format!("Billed per contact, net, in {currency}"), rows)
}

fn billed_bar(label: String, size: i128, currency: Currency, class: &'static str) -> Bar {
    Bar { label, value: text::amount(Money { minor_units: size, currency }), class, size }
}
