//! The tables that `price` writes: charges by event, lines by contact and month.

use std::collections::BTreeSet;

use crate::domain::Result;
use crate::domain::charge::Component;
use crate::domain::disposition::{EventDisposition, SuspenseReason};
use crate::domain::document::{Document, InvoiceLine, Seller};
use crate::output::table::{Cell, Table};
use crate::rules::compile::CompiledRules;
use crate::stage::invoice::{drafts, line_key};
use crate::stage::rate::{GroupState, Rated, slot_of};

use super::Suspended;

/// Columns of the charges.
const CHARGE_COLUMNS: usize = 18;

/// An empty table of charges.
pub fn charge_table() -> Table {
    const HEADER: [&str; CHARGE_COLUMNS] = [
        "event_id",
        "disposition",
        "reason",
        "contact",
        "tariff",
        "tariff_version",
        "clause",
        "band",
        "matter",
        "timekeeper",
        "tier",
        "destination",
        "entry",
        "kind",
        "unit",
        "units",
        "numerator",
        "denominator",
    ];
    Table::new(&HEADER)
}

/// One row for each part of an event's charge; an event without parts has one row.
pub fn add_charge(
    table: &mut Table,
    rules: &CompiledRules,
    id: &str,
    rated: &Rated,
    components: &[Component],
) {
    let contact = rated.payer.map(|payer| rules.payers[payer as usize].contact.id.as_str());
    let head = [
        Cell::text(id),
        Cell::text(rated.disposition.word()),
        Cell::text(rated.reason.map(SuspenseReason::word).unwrap_or_default()),
        Cell::text(contact.unwrap_or_default()),
    ];
    if components.is_empty() {
        table.row(&with_empty_tail(&head));
    }
    for component in components {
        let key = line_key(rules, slot_of(component));
        let mut row = head.to_vec();
        let texts = [&key.tariff, &key.tariff_version, &key.clause, &key.band];
        row.extend(texts.map(|text| Cell::text(text)));
        row.extend([&key.matter, &key.timekeeper].map(|text| Cell::text(text)));
        row.extend([Cell::figure(key.tier), Cell::text(&key.destination)]);
        row.push(Cell::figure(component.entry));
        row.extend([component.kind.word(), component.unit.word()].map(Cell::text));
        row.push(Cell::figure(component.units));
        let exact = rules.exact(component.numerator);
        row.extend([Cell::figure(exact.numerator()), Cell::figure(exact.denominator())]);
        table.row(&row);
    }
}

/// A row for each row of the file that makes no event.
pub fn add_suspended(table: &mut Table, suspended: &[Suspended]) {
    for (id, reason, _) in suspended {
        let disposition = EventDisposition::Suspended.word();
        let head = [Cell::text(id), Cell::text(disposition), Cell::text(reason.word()), Cell::empty()];
        table.row(&with_empty_tail(&head));
    }
}

/// The lines of each contact and month, rounded as an invoice rounds them.
///
/// # Errors
/// An amount beyond 128 bits.
pub fn lines(rules: &CompiledRules, state: &GroupState, months: &BTreeSet<u32>) -> Result<Vec<u8>> {
    const HEADER: [&str; 18] = [
        "contact",
        "period",
        "kind",
        "tariff",
        "tariff_version",
        "clause",
        "band",
        "matter",
        "timekeeper",
        "tier",
        "destination",
        "events",
        "unit",
        "units",
        "numerator",
        "denominator",
        "amount",
        "currency",
    ];
    let mut table = Table::new(&HEADER);
    for document in documents(rules, state, months)? {
        for line in &document.invoice.lines {
            table.row(&line_row(&document, line));
        }
    }
    Ok(table.into_bytes())
}

/// A draft for each contact and month.
///
/// # Errors
/// An amount beyond 128 bits.
pub fn documents(rules: &CompiledRules, state: &GroupState, months: &BTreeSet<u32>) -> Result<Vec<Document>> {
    let mut documents = Vec::new();
    for month in months {
        documents.extend(drafts(rules, state, *month, &[], &Seller::default(), false)?);
    }
    Ok(documents)
}

/// Discards nothing: a row without a part keeps the shape of the table.
fn with_empty_tail(head: &[Cell; 4]) -> Vec<Cell> {
    let mut row = head.to_vec();
    row.resize(CHARGE_COLUMNS, Cell::empty());
    row
}

fn line_row(document: &Document, line: &InvoiceLine) -> Vec<Cell> {
    let invoice = &document.invoice;
    let key = &line.key;
    vec![
        Cell::text(&invoice.payer.contact_id),
        Cell::text(&invoice.period.month.key()),
        Cell::text(key.kind.word()),
        Cell::text(&key.tariff),
        Cell::text(&key.tariff_version),
        Cell::text(&key.clause),
        Cell::text(&key.band),
        Cell::text(&key.matter),
        Cell::text(&key.timekeeper),
        Cell::figure(key.tier),
        Cell::text(&key.destination),
        Cell::figure(line.events),
        Cell::text(line.unit.word()),
        Cell::figure(line.units_billed),
        Cell::figure(line.exact.numerator()),
        Cell::figure(line.exact.denominator()),
        Cell::figure(line.amount.digits()),
        Cell::text(invoice.currency.code()),
    ]
}
