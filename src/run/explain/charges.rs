//! Finalised charges as kept facts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::book::Book;
use crate::domain::charge::{ComponentKind, Unit};
use crate::domain::document::{Document, LineKey, LineKind};
use crate::domain::{Exact, Exit, Failure, Result};
use crate::run::DERIVATION_VERSION;
use crate::run::bill::BillingRun;
use crate::stage::invoice::line_key;
use crate::stage::rate::slot_of;

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
