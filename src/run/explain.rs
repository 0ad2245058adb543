//! Finalised charges as kept facts, and the explanation of a line from them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::book::Book;
use crate::domain::charge::{ComponentKind, Unit};
use crate::domain::derivation::{Derivation, Silent};
use crate::domain::document::{Document, InvoiceLine, LineKey, LineKind};
use crate::domain::{Exact, Exit, Failure, Result};
use crate::stage::explain::sentences;
use crate::stage::invoice::line_key;
use crate::stage::rate::{rate, settle_derivation, slot_of};

use super::bill::BillingRun;
use super::rating::{started, view};
use super::workspace::Workspace;
use super::{DERIVATION_VERSION, bill};

/// One component of one charge as it was finalised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCharge {
    pub derivation: String,
    pub event: String,
    pub kind: ComponentKind,
    pub line: LineKey,
    pub unit: Unit,
    pub unit_from: i64,
    pub units: i64,
    /// Exact amount in major units.
    pub exact: Exact,
}

/// The charges of a payer's document, one JSON object a line, in the order of the events.
///
/// # Errors
/// Values that cannot be written, which is a bug.
pub fn charges_of(run: &BillingRun, contact: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for (event, charge) in &run.rating.charges {
        if run.rules.payers[charge.payer as usize].contact.id != contact {
            continue;
        }
        for component in &charge.components {
            let kept = KeptCharge {
                derivation: DERIVATION_VERSION.to_owned(),
                event: run.facts.mediated.events[*event].id.clone(),
                kind: component.kind,
                line: line_key(&run.rules, slot_of(component)),
                unit: component.unit,
                unit_from: component.unit_from,
                units: component.units,
                exact: run.rules.exact(component.numerator),
            };
            serde_json::to_writer(&mut bytes, &kept)
                .map_err(|error| Failure::new(Exit::Bug, error.to_string()))?;
            bytes.push(b'\n');
        }
    }
    let document = run.documents.iter().find(|document| document.invoice.payer.contact_id == contact);
    for kept in document.into_iter().flat_map(late_charges) {
        serde_json::to_writer(&mut bytes, &kept)
            .map_err(|error| Failure::new(Exit::Bug, error.to_string()))?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// The charges of an earlier period on a document, one for each row.
fn late_charges(document: &Document) -> impl Iterator<Item = KeptCharge> + '_ {
    document.annex.iter().filter_map(|row| {
        let line = document.invoice.lines.iter().find(|line| line.number == row.line)?;
        let kind = match line.key.kind {
            LineKind::Allowance => ComponentKind::Allowance,
            _ => ComponentKind::Usage,
        };
        (!line.key.service_period.is_empty()).then(|| KeptCharge {
            derivation: DERIVATION_VERSION.to_owned(),
            event: row.event_id.clone(),
            kind,
            line: line.key.clone(),
            unit: row.unit,
            unit_from: 0,
            units: row.units_billed,
            exact: row.exact,
        })
    })
}

/// The kept charges of a finalised document. A document without them is damaged: nothing may pass for "no charges".
///
/// # Errors
/// Charges that are missing or changed (exit 7).
pub fn kept_bytes(book: &Book, number: &str) -> Result<Vec<u8>> {
    let missing =
        || Failure::new(Exit::Verification, format!("the book holds no charges of document {number}"));
    book.charges(number)?.ok_or_else(missing)
}

/// Reads charges as they were kept.
///
/// # Errors
/// Bytes that are no charges (exit 7).
pub fn read_charges(bytes: &[u8]) -> Result<Vec<KeptCharge>> {
    let damaged =
        |error: serde_json::Error| Failure::new(Exit::Verification, format!("the charges: {error}"));
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).map_err(damaged)).collect()
}

/// The events of some charges.
///
/// # Errors
/// Bytes that are no charges (exit 7).
pub fn event_ids(bytes: &[u8]) -> Result<BTreeSet<String>> {
    Ok(read_charges(bytes)?.into_iter().map(|charge| charge.event).collect())
}

/// The explanation of one line of a document.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    pub number: String,
    pub line: InvoiceLine,
    /// Events of the line with their exact charges on it, in order.
    pub events: Vec<ExplainedEvent>,
    /// Sum of the events' charges; equals the line's exact sum.
    pub sum: Exact,
    /// The steps of one charge.
    pub steps: Option<Steps>,
}

/// One event on a line.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedEvent {
    pub event: String,
    pub start: String,
    pub units: i64,
    pub exact: Exact,
}

/// The derivation of one event's charge, computed again from the facts.
#[derive(Clone, Debug, Serialize)]
pub struct Steps {
    pub event: String,
    pub evidence: Vec<String>,
    pub steps: Vec<String>,
    /// What the steps add up to, over all lines of the event.
    pub replayed: Exact,
    /// What was finalised for the event, over all lines.
    pub kept: Exact,
}

/// Explains a line of a finalised document: its kept charges, and the steps of one of them (the named event, else the
/// first).
///
/// # Errors
/// An unknown document, line or event (exit 2); charges that do not add up to the line (exit 7).
pub fn explain(
    book: &Book,
    workspace: &Workspace,
    number: &str,
    line: u32,
    event: Option<&str>,
) -> Result<Explanation> {
    let unknown = |what: String| Failure::new(Exit::Usage, what);
    let stored =
        book.documents(None)?.into_iter().find(|document| document.number == number).ok_or_else(|| {
            unknown(format!("there is no document {number}"))
                .hint("`tollbook invoice list` lists the documents.")
        })?;
    let document: Document = serde_json::from_slice(&stored.body)
        .map_err(|error| Failure::new(Exit::Verification, format!("document {number}: {error}")))?;
    let found = document.invoice.lines.iter().find(|candidate| candidate.number == line).cloned();
    let found = found.ok_or_else(|| unknown(format!("{number} has no line {line}")))?;
    let charges = read_charges(&kept_bytes(book, number)?)?;
    let (events, sum) = events_of(&document, &found, &charges)?;
    if found.key.kind.is_itemised() && sum != found.exact {
        let message = format!(
            "the charges of line {line} add up to {}, the line says {}",
            sum.shortest(),
            found.exact.shortest()
        );
        return Err(Failure::new(Exit::Verification, message));
    }
    let chosen = match event {
        Some(id) => Some(
            events
                .iter()
                .find(|row| row.event == id)
                .ok_or_else(|| unknown(format!("line {line} has no event {id}")))?
                .event
                .clone(),
        ),
        None => events.first().map(|row| row.event.clone()),
    };
    let steps = match chosen {
        Some(id) => Some(steps(
            book,
            workspace,
            period_of(&found, &stored.period_key),
            &stored.contact_id,
            &id,
            &charges,
        )?),
        None => None,
    };
    Ok(Explanation { number: number.to_owned(), line: found, events, sum, steps })
}

/// The period whose events a line charges.
fn period_of<'a>(line: &'a InvoiceLine, document: &'a str) -> &'a str {
    if line.key.service_period.is_empty() { document } else { &line.key.service_period }
}

fn events_of(
    document: &Document,
    line: &InvoiceLine,
    charges: &[KeptCharge],
) -> Result<(Vec<ExplainedEvent>, Exact)> {
    let starts: BTreeMap<&str, &str> =
        document.annex.iter().map(|row| (row.event_id.as_str(), row.start.as_str())).collect();
    let mut events: Vec<ExplainedEvent> = Vec::new();
    let mut sum = Exact::ZERO;
    for charge in charges.iter().filter(|charge| charge.line == line.key) {
        sum = sum.plus(charge.exact)?;
        match events.last_mut().filter(|last| last.event == charge.event) {
            Some(last) => {
                last.units += charge.units;
                last.exact = last.exact.plus(charge.exact)?;
            }
            None => events.push(ExplainedEvent {
                event: charge.event.clone(),
                start: starts.get(charge.event.as_str()).copied().unwrap_or_default().to_owned(),
                units: charge.units,
                exact: charge.exact,
            }),
        }
    }
    Ok((events, sum))
}

/// Calls the pricing code again over the payer's events, keeping the steps of one.
fn steps(
    book: &Book,
    workspace: &Workspace,
    period_key: &str,
    contact: &str,
    event: &str,
    charges: &[KeptCharge],
) -> Result<Steps> {
    let month = crate::domain::time::Month::parse(period_key)
        .ok_or_else(|| Failure::new(Exit::Verification, format!("\"{period_key}\" is not a period")))?;
    let run = bill::compute(book, workspace, month)?;
    let mut state = started(&run.rules, &run.openings);
    let mut found = None;
    for (candidate, conditions) in run.facts.mediated.events.iter().zip(&run.rating.conditions) {
        if candidate.id != event {
            rate(&run.rules, &mut state, view(candidate, *conditions), &mut Silent);
            continue;
        }
        let mut derivation = Derivation::default();
        let rated = rate(&run.rules, &mut state, view(candidate, *conditions), &mut derivation);
        found = Some((candidate, derivation, rated, state.components().to_vec()));
    }
    let (candidate, mut derivation, rated, components) = found.ok_or_else(|| {
        Failure::new(
            Exit::Verification,
            format!("the event {event} of {contact} cannot be made from the facts any more"),
        )
    })?;
    assert_eq!(derivation.replay(), rated.numerator, "the steps of {event} do not add up to its charge");
    let replayed = match rated.payer {
        Some(payer) => settle_derivation(&run.rules, &state, payer, &components, &mut derivation)?,
        None => derivation.replay(),
    };
    let own = charges.iter().filter(|charge| charge.event == event).map(|charge| charge.exact);
    let kept = own.into_iter().try_fold(Exact::ZERO, Exact::plus)?;
    let evidence = candidate
        .evidence
        .iter()
        .map(|item| format!("{} {}, version {}", item.record.kind, item.record.id, item.version.short()));
    Ok(Steps {
        event: event.to_owned(),
        evidence: evidence.collect(),
        steps: sentences(&run.rules, &derivation),
        replayed: run.rules.exact(replayed),
        kept,
    })
}
