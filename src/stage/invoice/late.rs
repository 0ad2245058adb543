//! Usage of an earlier period that was settled after its document was final: what the period's document would be now
//! less what its documents are, line by line. All documents of the period together are then what a fresh one would be.

use std::collections::BTreeMap;

use crate::domain::document::{AnnexRow, Document, Invoice, InvoiceLine, LineKey, LineKind, Seller};
use crate::domain::money::Money;
use crate::domain::{Exact, Result};
use crate::rules::compile::CompiledRules;

use super::{invoice, total};

/// Lines and rows that an earlier period still owes, each line under its service period. Numbers of lines are those of
/// the rows, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    pub lines: Vec<InvoiceLine>,
    pub rows: Vec<AnnexRow>,
}

/// Event, key of its line, time entry.
type Part<'a> = (&'a str, LineKey, u16);

/// What `fresh`, the period's document as it would be now, has beyond the documents that bill the period already.
/// `None` when events that are billed already would cost another amount than they did by anything but a volume tier:
/// what is final stands, and the rules of that time are not those of today.
///
/// # Errors
/// An amount beyond 128 bits.
pub fn difference(fresh: &Document, billed: &[&Document], service_period: &str) -> Result<Option<Late>> {
    let mut before: BTreeMap<Part<'_>, &AnnexRow> = BTreeMap::new();
    for document in billed {
        for row in &document.annex {
            if let Some(key) = key_of(document, row, service_period) {
                before.insert((&row.event_id, key, row.entry), row);
            }
        }
    }
    let mut rows: Vec<(LineKey, AnnexRow)> = Vec::new();
    for row in &fresh.annex {
        let Some(key) = key_of(fresh, row, service_period) else { continue };
        let known = before.remove(&(row.event_id.as_str(), key.clone(), row.entry));
        if let Some(row) = changed(row, known)? {
            rows.push((key, row));
        }
    }
    for ((_, key, _), row) in before {
        rows.push((
            key,
            AnnexRow { exact: row.exact.negated(), units_billed: -row.units_billed, ..priced_again(row) },
        ));
    }
    let is_billed =
        |event: &str| billed.iter().any(|document| document.annex.iter().any(|row| row.event_id == event));
    if rows.iter().any(|(key, row)| key.tier == 0 && is_billed(&row.event_id)) {
        return Ok(None);
    }
    let lines = lines(fresh, billed, service_period)?;
    let numbers: BTreeMap<LineKey, u32> = lines.iter().map(|line| (line.key.clone(), line.number)).collect();
    let numbered = rows.into_iter().filter_map(|(key, row)| {
        let line = *numbers.get(&LineKey { service_period: service_period.to_owned(), ..key })?;
        Some(AnnexRow { line, ..row })
    });
    let rows = numbered.collect();
    Ok(Some(Late { lines, rows }))
}

/// The key of a row's line without its service period; `None` when it is of another period.
fn key_of(document: &Document, row: &AnnexRow, service_period: &str) -> Option<LineKey> {
    let line = document.invoice.lines.get(usize::try_from(row.line).ok()?.checked_sub(1)?)?;
    own_key(document, line, service_period)
}

fn own_key(document: &Document, line: &InvoiceLine, service_period: &str) -> Option<LineKey> {
    let of = match line.key.service_period.as_str() {
        "" => document.invoice.period.month.key(),
        of => of.to_owned(),
    };
    (of == service_period).then(|| LineKey { service_period: String::new(), ..line.key.clone() })
}

/// A row as far as it differs from what is billed already.
fn changed(row: &AnnexRow, known: Option<&AnnexRow>) -> Result<Option<AnnexRow>> {
    let Some(known) = known else { return Ok(Some(row.clone())) };
    let exact = row.exact.plus(known.exact.negated())?;
    let units_billed = row.units_billed - known.units_billed;
    if exact == Exact::ZERO && units_billed == 0 {
        return Ok(None);
    }
    Ok(Some(AnnexRow { exact, units_billed, ..priced_again(row) }))
}

fn priced_again(row: &AnnexRow) -> AnnexRow {
    let remarks = "Billed before; priced again at the tier that its period reached.".to_owned();
    AnnexRow { measured: "0".to_owned(), remarks, ..row.clone() }
}

/// The differences of lines. A fee owes nothing by usage that came late; in-advance ones are another period's.
fn lines(fresh: &Document, billed: &[&Document], service_period: &str) -> Result<Vec<InvoiceLine>> {
    let mut found: BTreeMap<LineKey, InvoiceLine> = BTreeMap::new();
    let mut order: Vec<LineKey> = Vec::new();
    let sides = billed.iter().map(|document| (*document, -1)).chain([(fresh, 1)]);
    for (document, sign) in sides {
        for line in document.invoice.lines.iter().filter(|line| line.key.kind != LineKind::Fee) {
            let Some(key) = own_key(document, line, service_period) else { continue };
            let entry = found.entry(key.clone()).or_insert_with(|| {
                order.push(key.clone());
                nothing(line, service_period)
            });
            add(entry, line, sign)?;
        }
    }
    order.sort_by(|left, right| super::lines::place(left).cmp(&super::lines::place(right)));
    let mut lines = Vec::new();
    for key in order {
        let Some(mut line) = found.remove(&key) else { continue };
        // Events that moved to another tier are counted where they are now; a count is never negative.
        let events = |document: &&Document| -> u64 {
            let own = |line: &&InvoiceLine| own_key(document, line, service_period).as_ref() == Some(&key);
            document.invoice.lines.iter().filter(own).map(|line| line.events).sum()
        };
        line.events = events(&fresh).saturating_sub(billed.iter().map(events).sum());
        if line.exact == Exact::ZERO
            && line.amount.minor_units == 0
            && line.units_billed == 0
            && line.events == 0
        {
            continue;
        }
        line.number = u32::try_from(lines.len() + 1).expect("a document has few lines");
        lines.push(line);
    }
    Ok(lines)
}

fn nothing(line: &InvoiceLine, service_period: &str) -> InvoiceLine {
    InvoiceLine {
        key: LineKey { service_period: service_period.to_owned(), ..line.key.clone() },
        events: 0,
        units_billed: 0,
        units_measured: line.units_measured.map(|_| 0),
        exact: Exact::ZERO,
        amount: Money::zero(line.amount.currency),
        residual: Exact::ZERO,
        ..line.clone()
    }
}

fn add(sum: &mut InvoiceLine, line: &InvoiceLine, sign: i128) -> Result<()> {
    let signed = |exact: Exact| if sign < 0 { exact.negated() } else { exact };
    let minor_units = sign * line.amount.minor_units;
    sum.exact = sum.exact.plus(signed(line.exact))?;
    sum.residual = sum.residual.plus(signed(line.residual))?;
    sum.amount = sum.amount.plus(Money { minor_units, ..line.amount });
    sum.units_billed += sign * line.units_billed;
    sum.units_measured =
        sum.units_measured.zip(line.units_measured).map(|(sum, measured)| sum + sign * measured);
    (sum.price, sum.note) = (line.price.clone(), line.note.clone());
    Ok(())
}

/// Adds what an earlier period still owes to a payer's document, or makes a document of it alone.
///
/// # Errors
/// An amount beyond 128 bits.
pub fn add_late(
    rules: &CompiledRules,
    (payer, month): (u32, u32),
    document: Option<Document>,
    late: Late,
    (seller, specimen): (&Seller, bool),
) -> Result<Document> {
    let mut document = match document {
        Some(document) => document,
        None => Document {
            invoice: invoice(rules, payer, month, Vec::new(), seller, specimen)?,
            annex: Vec::new(),
        },
    };
    let before = u32::try_from(document.invoice.lines.len()).expect("a document has few lines");
    let lines = late.lines.into_iter().map(|line| InvoiceLine { number: line.number + before, ..line });
    document.invoice.lines.extend(lines);
    let rows = late.rows.into_iter().map(|row| AnnexRow { line: row.line + before, ..row });
    document.annex.extend(rows);
    retotal(rules, payer, &mut document.invoice)?;
    Ok(document)
}

fn retotal(rules: &CompiledRules, payer: u32, invoice: &mut Invoice) -> Result<()> {
    let tax = rules.payers[payer as usize].contact.tax.as_ref();
    total(invoice, tax.map(|tax| (tax.name.as_str(), tax.rate_percent)))
}
