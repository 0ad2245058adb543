//! Charges → lines → documents. The one rounding of the program happens here, once for each line and once for tax.
//!
//! Nothing here prices an event or decides what is due for a period: the charges come from rating, the rest from
//! [`super::period`]. What is here is summed, rounded, put in order and given words.

mod annex;
mod late;
mod lines;
mod names;
mod words;

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::domain::charge::{Charge, Unit};
use crate::domain::document::{Document, Invoice, InvoiceLine, LineKind, Payer, Seller, TaxGroup};
use crate::domain::event::BillableEvent;
use crate::domain::money::power_of_ten;
use crate::domain::{Exact, Exit, Failure, Instant, Money, Result, RoundingMode};
use crate::rules::compile::CompiledRules;

use super::period::days::{self, DayRange};
use super::period::limits::{Seen, limits};
use super::period::{Unrounded, fees, tiers};
use super::rate::{GroupState, LineSlot};

pub use late::{Late, add_late, difference};
pub use lines::line_key;

/// A charged event with its charge, as the annex needs it.
pub struct Charged<'a> {
    pub event: &'a BillableEvent,
    pub charge: &'a Charge,
}

/// A line, with the slot its charges are summed under when it has any.
type Line = (InvoiceLine, Option<LineSlot>);

/// Makes the draft of each payer with a line in the month. `charged` is sorted by start, then id.
///
/// # Errors
/// An amount beyond 128 bits.
pub fn drafts(
    rules: &CompiledRules,
    state: &GroupState,
    month: u32,
    charged: &[Charged<'_>],
    seller: &Seller,
    specimen: bool,
) -> Result<Vec<Document>> {
    let mut by_payer: BTreeMap<u32, Vec<&Charged<'_>>> = BTreeMap::new();
    for item in charged {
        by_payer.entry(item.charge.payer).or_default().push(item);
    }
    let mut documents = Vec::new();
    for payer in 0..u32::try_from(rules.payers.len()).expect("payers are counted in 32 bits") {
        let mut lines = lines_of(rules, state, payer, month)?;
        if lines.is_empty() {
            continue;
        }
        lines.sort_by(|left, right| lines::place(&left.0.key).cmp(&lines::place(&right.0.key)));
        let mut numbers = BTreeMap::new();
        for (index, (line, slot)) in lines.iter_mut().enumerate() {
            line.number = u32::try_from(index + 1).expect("a document has few lines");
            if let Some(slot) = slot {
                numbers.insert(*slot, line.number);
            }
        }
        let mut lines: Vec<InvoiceLine> = lines.into_iter().map(|(line, _)| line).collect();
        let rows = by_payer.get(&payer).map(Vec::as_slice).unwrap_or_default();
        let annex = annex::rows(rules, (payer, month), rows, &numbers, &mut lines)?;
        let invoice = invoice(rules, payer, month, lines, seller, specimen)?;
        documents.push(Document { invoice, annex });
    }
    documents.sort_by(|left, right| left.invoice.payer.contact_id.cmp(&right.invoice.payer.contact_id));
    Ok(documents)
}

/// All lines of a payer and month, each rounded once: charges, fees of tiers, fees; then what is taken off or added for
/// the period as a whole.
fn lines_of(rules: &CompiledRules, state: &GroupState, payer: u32, month: u32) -> Result<Vec<Line>> {
    let currency = rules.payers[payer as usize].currency;
    let totals = state.group(payer, month).map(|group| group.lines.as_slice()).unwrap_or_default();
    let mut made = Vec::with_capacity(totals.len());
    for (slot, total) in totals {
        made.push((lines::usage_line(rules, *slot, *total, currency)?, Some(*slot)));
    }
    let mut further = tiers::fees_of_tiers(rules, totals);
    let last = last_version(rules, payer, month);
    if let Some(version) = last {
        further.extend(tiers::without_usage(rules, version, totals));
    }
    further.extend(fees::fees(rules, payer, month)?);
    for line in further {
        let (amount, residual) = line.rounding.round(line.exact, currency)?;
        made.push((period_line(line, amount, residual), None));
    }
    let Some(version) = last else { return Ok(made) };
    let seen: Vec<Seen<'_>> = made
        .iter()
        .map(|(line, _)| Seen { kind: line.key.kind, clause: &line.key.clause, amount: line.amount })
        .collect();
    let share = share_in_force(rules, payer, month, version);
    let limits = limits(&rules.versions[version].tariff, currency, &seen, share)?;
    made.extend(
        limits.into_iter().map(|(line, amount, residual)| (period_line(line, amount, residual), None)),
    );
    Ok(made)
}

fn period_line(line: Unrounded, amount: Money, residual: Exact) -> InvoiceLine {
    InvoiceLine {
        number: 0,
        unit: if line.key.kind == LineKind::Fee { Unit::Call } else { Unit::Amount },
        key: line.key,
        events: 0,
        units_billed: line.count,
        units_measured: None,
        price: line.price,
        note: line.note,
        basis: String::new(),
        exact: line.exact,
        amount,
        residual,
    }
}

/// The version of the payer's own tariff at its last instant in the month; `None` for a payer that owes nothing for a
/// period by itself.
fn last_version(rules: &CompiledRules, payer: u32, month: u32) -> Option<usize> {
    let terms = &rules.payers[payer as usize];
    let period = rules.period(payer, month);
    if terms.contact.do_not_bill || !terms.contact.valid.overlaps(&period.span) {
        return None;
    }
    let last = period.span.to.min(terms.contact.valid.to).milliseconds() - 1;
    rules.version_at(terms.tariffs[0], Instant::from_milliseconds(last))
}

/// The share of the month on whose days the payer is valid and its tariff is in force.
fn share_in_force(rules: &CompiledRules, payer: u32, month: u32, version: usize) -> Exact {
    let terms = &rules.payers[payer as usize];
    let period = rules.period(payer, month);
    let proration = rules.versions[version].tariff.options.proration;
    let versions = &rules.tariffs[terms.tariffs[0]].1;
    let tariff = DayRange { to: chrono::NaiveDate::MAX, ..days::of_version(rules, versions[0]) };
    let in_force = DayRange::in_period(terms.contact.valid, &period, proration).and(tariff);
    DayRange::share_of(in_force.and(DayRange::of(&period)).count(), &period)
}

fn invoice(
    rules: &CompiledRules,
    payer: u32,
    month: u32,
    lines: Vec<InvoiceLine>,
    seller: &Seller,
    specimen: bool,
) -> Result<Invoice> {
    let terms = &rules.payers[payer as usize];
    let contact = &terms.contact;
    let zero = Money::zero(terms.currency);
    let mut invoice = Invoice {
        seller: seller.clone(),
        payer: Payer {
            contact_id: contact.id.clone(),
            name: contact.name.clone(),
            address: contact.address.clone(),
            email: contact.email.clone(),
        },
        period: rules.period(payer, month),
        currency: terms.currency,
        timekeepers: names::of_timekeepers(rules, &lines),
        lines,
        net: zero,
        tax: None,
        total: zero,
        residual: Exact::ZERO,
        balances: Vec::new(),
        carried: Vec::new(),
        finalisation: None,
        specimen,
    };
    let tax = contact.tax.as_ref().map(|tax| (tax.name.as_str(), tax.rate_percent));
    total(&mut invoice, tax)?;
    Ok(invoice)
}

/// Sums the lines, taxes the sum, and totals both.
fn total(invoice: &mut Invoice, tax: Option<(&str, Decimal)>) -> Result<()> {
    let zero = Money::zero(invoice.currency);
    invoice.net = invoice.lines.iter().fold(zero, |sum, line| sum.plus(line.amount));
    invoice.tax = tax.map(|(name, rate)| tax_group(name, rate, invoice.net)).transpose()?;
    invoice.total = invoice.tax.as_ref().map_or(invoice.net, |tax| invoice.net.plus(tax.amount));
    invoice.residual = invoice.lines.iter().try_fold(Exact::ZERO, |sum, line| sum.plus(line.residual))?;
    Ok(())
}

/// Tax on the sum of the rounded lines, rounded once, half away from zero.
fn tax_group(name: &str, rate_percent: Decimal, taxable: Money) -> Result<TaxGroup> {
    let rate = Exact::new(rate_percent.mantissa(), power_of_ten(rate_percent.scale()) * 100);
    let exact =
        taxable.exact().checked_mul(rate).ok_or_else(|| Failure::new(Exit::Bug, "a tax left 128 bits"))?;
    let (amount, _) = exact.round(taxable.currency, RoundingMode::HalfAway)?;
    let rate_percent = rate_percent.normalize().to_string();
    Ok(TaxGroup { name: name.to_owned(), rate_percent, taxable, amount })
}
