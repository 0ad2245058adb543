//! One document: how each of its lines was computed, and the steps behind their events.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::book::{Book, StoredDocument};
use crate::domain::document::{Document, InvoiceLine, LineKind};
use crate::domain::money::Money;
use crate::domain::time::Month;
use crate::domain::{Exact, Exit, Failure, Result};
use crate::run::bill;
use crate::run::workspace::Workspace;
use crate::stage::explain::counted_noun;

use super::charges::{KeptCharge, kept_bytes, read_charges};
use super::event::{EventExplanation, units};
use super::replay::{Documents, replay};

/// A document taken apart.
#[derive(Clone, Debug, Serialize)]
pub struct DocumentExplanation {
    pub number: String,
    pub contact: String,
    pub name: String,
    pub period: String,
    pub currency: String,
    /// All lines, or the one that was asked for.
    pub lines: Vec<LineExplanation>,
    /// Of the whole document.
    pub net: Money,
    pub tax: Option<TaxExplanation>,
    pub total: Money,
    /// What rounding added to the exact charges of all lines.
    pub residual: Exact,
    /// Whether all lines are here.
    pub whole: bool,
    /// The events that were taken apart.
    pub events: Vec<EventExplanation>,
}

/// One line taken apart.
#[derive(Clone, Debug, Serialize)]
pub struct LineExplanation {
    pub line: InvoiceLine,
    /// The rounding of the line; `None` where the rules of the time do not have its tariff.
    pub rounding: Option<String>,
    /// How the amount came about, as a sentence.
    pub text: String,
    /// Events of the line with their exact charges on it, in order.
    pub events: Vec<EventOnLine>,
    /// Sum of the events' charges; equals the line's exact sum where it is made of events.
    pub sum: Exact,
}

/// One event on a line.
#[derive(Clone, Debug, Serialize)]
pub struct EventOnLine {
    pub event: String,
    pub start: String,
    pub units: i64,
    pub exact: Exact,
}

/// Tax and its one rounding.
#[derive(Clone, Debug, Serialize)]
pub struct TaxExplanation {
    pub name: String,
    pub rate_percent: String,
    pub taxable: Money,
    pub exact: Exact,
    pub amount: Money,
    pub residual: Exact,
}

/// What of a document is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// One line; all without it.
    pub line: Option<u32>,
    /// The event to take apart; the first one of the line without it.
    pub event: Option<&'a str>,
    /// Takes every event of the lines apart.
    pub every: bool,
}

/// Explains a finalised document from its kept charges and, of the events asked for, the steps.
///
/// # Errors
/// An unknown line or event (exit 2); charges that do not add up to their line (exit 7).
pub fn document(
    book: &Book,
    workspace: &Workspace,
    stored: &StoredDocument,
    question: Question<'_>,
) -> Result<DocumentExplanation> {
    let unknown = |what: String| Failure::new(Exit::Usage, what);
    let document = bill::kept_document(stored)?;
    let charges = read_charges(&kept_bytes(book, &stored.number)?)?;
    let chosen = |line: &&InvoiceLine| question.line.is_none_or(|number| line.number == number);
    let lines = document.invoice.lines.iter().filter(chosen);
    let lines: Vec<LineExplanation> =
        lines.map(|line| explained(workspace, &document, line, &charges)).collect::<Result<_>>()?;
    if let (true, Some(number)) = (lines.is_empty(), question.line) {
        return Err(unknown(format!("{} has no line {number}", stored.number)));
    }
    let wanted = wanted(&lines, question).ok_or_else(|| {
        let event = question.event.unwrap_or_default();
        let place = question.line.map(|line| format!("line {line}")).unwrap_or(stored.number.clone());
        unknown(format!("{place} has no event {event}"))
    })?;
    let invoice = &document.invoice;
    let tax = invoice.tax.as_ref().map(|tax| taxed(&document, &tax.rate_percent)).transpose()?;
    Ok(DocumentExplanation {
        number: stored.number.clone(),
        contact: invoice.payer.contact_id.clone(),
        name: invoice.payer.name.clone(),
        period: stored.period_key.clone(),
        currency: invoice.currency.code().to_owned(),
        net: invoice.net,
        tax: tax.flatten(),
        total: invoice.total,
        residual: invoice.residual,
        whole: question.line.is_none(),
        events: events(book, workspace, stored, &lines, &wanted)?,
        lines,
    })
}

/// The events to take apart; `None` when the one asked for is not there.
fn wanted(lines: &[LineExplanation], question: Question<'_>) -> Option<BTreeSet<String>> {
    let all = || lines.iter().flat_map(|line| &line.events).map(|event| event.event.clone());
    match question.event {
        Some(id) => all().find(|event| event == id).map(|event| BTreeSet::from([event])),
        None if question.every => Some(all().collect()),
        None if question.line.is_some() => Some(all().take(1).collect()),
        None => Some(BTreeSet::new()),
    }
}

fn explained(
    workspace: &Workspace,
    document: &Document,
    line: &InvoiceLine,
    charges: &[KeptCharge],
) -> Result<LineExplanation> {
    let (events, sum) = events_of(document, line, charges)?;
    if line.key.kind.is_itemised() && sum != line.exact {
        let message = format!(
            "the charges of line {} add up to {}, the line says {}",
            line.number,
            sum.shortest(),
            line.exact.shortest()
        );
        return Err(Failure::new(Exit::Verification, message));
    }
    let own = workspace
        .rules
        .tariffs
        .iter()
        .find(|tariff| tariff.name == line.key.tariff && tariff.version_key() == line.key.tariff_version);
    let rounding = own.map(|tariff| tariff.rounding.line.word().to_owned());
    let text = sentence(line, rounding.as_deref(), events.len());
    Ok(LineExplanation { line: line.clone(), rounding, text, events, sum })
}

/// How the line's amount came about.
fn sentence(line: &InvoiceLine, rounding: Option<&str>, events: usize) -> String {
    let note = if line.note.is_empty() { String::new() } else { format!(" ({})", line.note) };
    let billed = units(line.unit, line.units_billed);
    let measured = line
        .units_measured
        .filter(|measured| *measured != line.units_billed)
        .map(|measured| format!(" of {} measured", units(line.unit, measured)))
        .unwrap_or_default();
    let events = counted_noun(events as u64, "event");
    let how = match line.key.kind {
        LineKind::Usage => format!("{events}, {billed} billed{measured}, at {}{note}", line.price),
        LineKind::Allowance => format!("{events}, {billed} drawn; {}{note}", line.price),
        LineKind::TierFee => format!("fee of the tier: {}{note}", line.price),
        LineKind::Fee => format!("fee: {}{note}", line.price),
        LineKind::Discount => format!("discount: {}{note}", line.price),
        LineKind::Cap => format!("lowered to the cap: {}{note}", line.price),
        LineKind::TrueUp => format!("raised to the commitment: {}{note}", line.price),
    };
    let mode = rounding.map(|mode| format!(" ({mode})")).unwrap_or_default();
    let of = match line.key.service_period.as_str() {
        "" => String::new(),
        period => format!("of {period}: "),
    };
    format!(
        "{of}{how}; exactly {}, rounded once{mode} to {}, rounding added {}",
        line.exact.shortest(),
        line.amount,
        line.residual.shortest()
    )
}

fn events_of(
    document: &Document,
    line: &InvoiceLine,
    charges: &[KeptCharge],
) -> Result<(Vec<EventOnLine>, Exact)> {
    let starts: BTreeMap<&str, &str> =
        document.annex.iter().map(|row| (row.event_id.as_str(), row.start.as_str())).collect();
    let mut events: Vec<EventOnLine> = Vec::new();
    let mut sum = Exact::ZERO;
    for charge in charges.iter().filter(|charge| charge.line == line.key) {
        sum = sum.plus(charge.exact)?;
        match events.last_mut().filter(|last| last.event == charge.event) {
            Some(last) => {
                last.units += charge.units;
                last.exact = last.exact.plus(charge.exact)?;
            }
            None => events.push(EventOnLine {
                event: charge.event.clone(),
                start: starts.get(charge.event.as_str()).copied().unwrap_or_default().to_owned(),
                units: charge.units,
                exact: charge.exact,
            }),
        }
    }
    Ok((events, sum))
}

/// Tax of a document before its one rounding, as the rate is written.
fn taxed(document: &Document, rate_percent: &str) -> Result<Option<TaxExplanation>> {
    let Some(tax) = &document.invoice.tax else { return Ok(None) };
    let rate: rust_decimal::Decimal = rate_percent
        .parse()
        .map_err(|_| Failure::new(Exit::Verification, "the tax rate of the document cannot be read"))?;
    let share = Exact::from_decimal(rate).checked_mul(Exact::new(1, 100));
    let exact = share.and_then(|share| share.checked_mul(tax.taxable.exact()));
    let exact = exact.ok_or_else(|| Failure::new(Exit::Bug, "the tax left 128 bits"))?;
    Ok(Some(TaxExplanation {
        name: tax.name.clone(),
        rate_percent: tax.rate_percent.clone(),
        taxable: tax.taxable,
        exact,
        amount: tax.amount,
        residual: tax.amount.exact().plus(exact.negated())?,
    }))
}

/// The steps of the wanted events, each from its own period.
fn events(
    book: &Book,
    workspace: &Workspace,
    stored: &StoredDocument,
    lines: &[LineExplanation],
    wanted: &BTreeSet<String>,
) -> Result<Vec<EventExplanation>> {
    let mut periods: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in lines {
        let period = match line.line.key.service_period.as_str() {
            "" => stored.period_key.as_str(),
            period => period,
        };
        let own = line.events.iter().map(|event| event.event.as_str());
        periods.entry(period).or_default().extend(own.filter(|event| wanted.contains(*event)));
    }
    periods.retain(|_, events| !events.is_empty());
    let mut explanations = Vec::new();
    if periods.is_empty() {
        return Ok(explanations);
    }
    let documents = Documents::read(book)?;
    for (period, events) in periods {
        let month = Month::parse(period)
            .ok_or_else(|| Failure::new(Exit::Verification, format!("\"{period}\" is not a period")))?;
        let replay = replay(book, workspace, &documents, month, |event| events.contains(event.id.as_str()))?;
        if let Some(gone) = events
            .iter()
            .find(|id| !replay.traced.keys().any(|index| replay.mediated.events[*index].id == **id))
        {
            let message =
                format!("the event {gone} of {} cannot be made from the facts any more", stored.contact_id);
            return Err(Failure::new(Exit::Verification, message));
        }
        for index in replay.traced.keys() {
            let zone = workspace.config.zone;
            explanations.push(EventExplanation::of(&replay, *index, period, zone, &documents)?);
        }
    }
    Ok(explanations)
}

impl DocumentExplanation {
    /// The explanation as text for people; `all` prints every option of the tariffs.
    pub fn text(&self, all: bool) -> String {
        let mut text = format!("{}: {} ({}), {}\n", self.number, self.name, self.contact, self.period);
        for line in &self.lines {
            text.push_str(&line.text());
            if !self.whole {
                text.push_str(&line.event_table());
            }
        }
        if self.whole {
            text.push_str(&self.totals());
        }
        for event in &self.events {
            text.push_str(&format!("\nsteps of {}", event.text(all)));
        }
        text
    }

    fn totals(&self) -> String {
        let mut text = format!("\nnet: {}\n", self.net);
        if let Some(tax) = &self.tax {
            text.push_str(&format!(
                "{}: {}% of {} is {} exactly, rounded once to {}, rounding added {}\n",
                tax.name,
                tax.rate_percent,
                tax.taxable,
                tax.exact.shortest(),
                tax.amount,
                tax.residual.shortest()
            ));
        }
        text.push_str(&format!("total: {}\n", self.total));
        text.push_str(&format!(
            "rounding of the lines added {} to their exact charges\n",
            self.residual.shortest()
        ));
        text
    }
}

impl LineExplanation {
    fn text(&self) -> String {
        let key = &self.line.key;
        let mut heading = format!("\nline {}: {} ({}", self.line.number, key.clause, key.kind);
        let tariff = format!("{} {}", key.tariff, key.tariff_version);
        let parts = [
            ("", tariff.trim()),
            ("band ", &key.band),
            ("to ", &key.destination),
            ("matter ", &key.matter),
            ("timekeeper ", &key.timekeeper),
        ];
        for (word, part) in parts.iter().filter(|(_, part)| !part.is_empty()) {
            heading.push_str(&format!(", {word}{part}"));
        }
        if key.tier > 0 {
            heading.push_str(&format!(", tier {}", key.tier));
        }
        let basis = match self.line.basis.as_str() {
            "" => String::new(),
            basis => format!("  measured: {basis}\n"),
        };
        format!("{heading})\n  {}\n{basis}", self.text)
    }

    fn event_table(&self) -> String {
        let mut text = String::new();
        for event in &self.events {
            let units = units(self.line.unit, i128::from(event.units));
            text.push_str(&format!(
                "  {}  {:>10}  {:>14}  {}\n",
                event.start,
                units,
                event.exact.digits(6),
                event.event
            ));
        }
        if !self.events.is_empty() {
            text.push_str(&format!(
                "  {} {} up to {} exactly; the line is {} (rounding added {})\n",
                counted_noun(self.events.len() as u64, "event"),
                if self.events.len() == 1 { "adds" } else { "add" },
                self.sum.shortest(),
                self.line.amount,
                self.line.residual.shortest()
            ));
        }
        text
    }
}
