//! Charges → lines → documents. The one rounding of the program happens here, once for each line and once for tax.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::domain::charge::{Charge, ComponentKind, Unit};
use crate::domain::document::{
    AnnexRow, Document, Invoice, InvoiceLine, LineKey, LineKind, Payer, Seller, TaxGroup,
};
use crate::domain::event::BillableEvent;
use crate::domain::money::power_of_ten;
use crate::domain::{Currency, Exact, Exit, Failure, Instant, Money, PartyNumber, Result, RoundingMode};
use crate::rules::compile::CompiledRules;
use crate::rules::ruleset::{Match, TariffVersion};

use super::rate::{GroupState, LineSlot, LineTarget, LineTotal, slot_of};

/// A charged event with its charge, as the annex needs it.
pub struct Charged<'a> {
    pub event: &'a BillableEvent,
    pub charge: &'a Charge,
}

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
        let mut lines = usage_lines(rules, state, payer, month)?;
        fee_lines(rules, payer, month, &mut lines)?;
        if lines.is_empty() {
            continue;
        }
        lines.sort_by(|left, right| left.0.key.cmp(&right.0.key));
        let mut numbers = BTreeMap::new();
        for (index, (line, slot)) in lines.iter_mut().enumerate() {
            line.number = u32::try_from(index + 1).expect("a document has few lines");
            if let Some(slot) = slot {
                numbers.insert(*slot, line.number);
            }
        }
        let lines: Vec<InvoiceLine> = lines.into_iter().map(|(line, _)| line).collect();
        let invoice = invoice(rules, payer, month, lines, seller, specimen)?;
        let rows = by_payer.get(&payer).map(Vec::as_slice).unwrap_or_default();
        let annex = annex(rules, payer, rows, &numbers);
        documents.push(Document { invoice, annex });
    }
    documents.sort_by(|left, right| left.invoice.payer.contact_id.cmp(&right.invoice.payer.contact_id));
    Ok(documents)
}

type Line = (InvoiceLine, Option<LineSlot>);

fn usage_lines(rules: &CompiledRules, state: &GroupState, payer: u32, month: u32) -> Result<Vec<Line>> {
    let Some(group) = state.group(payer, month) else { return Ok(Vec::new()) };
    let currency = rules.payers[payer as usize].currency;
    let mut lines = Vec::with_capacity(group.lines.len());
    for (slot, total) in &group.lines {
        lines.push((usage_line(rules, *slot, *total, currency)?, Some(*slot)));
    }
    Ok(lines)
}

/// The key of the line a component is summed under.
pub fn line_key(rules: &CompiledRules, slot: LineSlot) -> LineKey {
    match slot.target {
        LineTarget::Clause(index) => {
            let clause = &rules.clauses[index as usize];
            let tariff = &rules.versions[clause.version].tariff;
            LineKey {
                kind: LineKind::Usage,
                tariff: tariff.name.clone(),
                tariff_version: tariff.version_key(),
                position: u32::try_from(clause.position).expect("a tariff has few rates"),
                clause: clause.rate.name.clone(),
                band: clause.band.map(|band| rules.bands[band].clone()).unwrap_or_default(),
                ..LineKey::default()
            }
        }
        LineTarget::Allowance { counter, version } => {
            let compiled = &rules.versions[version as usize];
            let position =
                compiled.counters.iter().position(|known| *known == counter as usize).unwrap_or_default();
            LineKey {
                kind: LineKind::Allowance,
                tariff: compiled.tariff.name.clone(),
                tariff_version: compiled.tariff.version_key(),
                position: u32::try_from(position).expect("a tariff has few allowances"),
                clause: compiled.tariff.allowances[position].name.clone(),
                band: band_name(rules, &compiled.tariff.allowances[position].applies_to),
                ..LineKey::default()
            }
        }
    }
}

fn band_name(rules: &CompiledRules, matches: &Match) -> String {
    matches.bands.iter().map(|band| rules.bands[*band].as_str()).collect::<Vec<_>>().join(", ")
}

fn usage_line(
    rules: &CompiledRules,
    slot: LineSlot,
    total: LineTotal,
    currency: Currency,
) -> Result<InvoiceLine> {
    let key = line_key(rules, slot);
    let (unit, price, mode) = match slot.target {
        LineTarget::Clause(index) => {
            let clause = &rules.clauses[index as usize];
            let mode = rules.versions[clause.version].tariff.rounding.line;
            (clause.rate.price.unit, clause.rate.price.text.clone(), mode)
        }
        LineTarget::Allowance { version, .. } => {
            let tariff = &rules.versions[version as usize].tariff;
            let allowance = &tariff.allowances[key.position as usize];
            (allowance.unit, format!("{} included", allowance.text), tariff.rounding.line)
        }
    };
    let exact = rules.exact(total.numerator);
    rounded_line(key, unit, (total.events, total.units), price, exact, currency, mode)
}

fn rounded_line(
    key: LineKey,
    unit: Unit,
    (events, units_billed): (u64, i128),
    price: String,
    exact: Exact,
    currency: Currency,
    mode: RoundingMode,
) -> Result<InvoiceLine> {
    let (amount, residual) = exact.round(currency, mode)?;
    Ok(InvoiceLine { number: 0, key, unit, events, units_billed, price, exact, amount, residual })
}

/// Recurring fees, in arrears: of the version in force at the end of the part of the period in which the contact was
/// valid.
fn fee_lines(rules: &CompiledRules, payer: u32, month: u32, lines: &mut Vec<Line>) -> Result<()> {
    let terms = &rules.payers[payer as usize];
    let period = rules.period(payer, month);
    if terms.contact.do_not_bill || !terms.contact.valid.overlaps(&period.span) {
        return Ok(());
    }
    let last = period.span.to.min(terms.contact.valid.to).milliseconds() - 1;
    let Some(version) = rules.version_at(terms.tariffs[0], Instant::from_milliseconds(last)) else {
        return Ok(());
    };
    let tariff: &TariffVersion = &rules.versions[version].tariff;
    for (position, fee) in tariff.fees.iter().enumerate() {
        let key = LineKey {
            kind: LineKind::Fee,
            tariff: tariff.name.clone(),
            tariff_version: tariff.version_key(),
            position: u32::try_from(position).expect("a tariff has few fees"),
            clause: fee.name.clone(),
            ..LineKey::default()
        };
        let exact = Exact::from_decimal(fee.amount);
        let line = rounded_line(
            key,
            Unit::Call,
            (0, 1),
            fee.text.clone(),
            exact,
            terms.currency,
            tariff.rounding.line,
        )?;
        lines.push((line, None));
    }
    Ok(())
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
    let net = lines.iter().fold(Money::zero(terms.currency), |sum, line| sum.plus(line.amount));
    let tax =
        terms.contact.tax.as_ref().map(|tax| tax_group(&tax.name, tax.rate_percent, net)).transpose()?;
    let total = tax.as_ref().map_or(net, |tax| net.plus(tax.amount));
    let residual = lines.iter().try_fold(Exact::ZERO, |sum, line| sum.plus(line.residual))?;
    let contact = &terms.contact;
    Ok(Invoice {
        seller: seller.clone(),
        payer: Payer {
            contact_id: contact.id.clone(),
            name: contact.name.clone(),
            address: contact.address.clone(),
            email: contact.email.clone(),
        },
        period: rules.period(payer, month),
        currency: terms.currency,
        lines,
        net,
        tax,
        total,
        residual,
        finalisation: None,
        specimen,
    })
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

fn annex(
    rules: &CompiledRules,
    payer: u32,
    charged: &[&Charged<'_>],
    numbers: &BTreeMap<LineSlot, u32>,
) -> Vec<AnnexRow> {
    let zone = rules.payers[payer as usize].zone;
    let mut rows = Vec::new();
    for item in charged {
        let mut slots: Vec<LineSlot> = item.charge.components.iter().map(slot_of).collect();
        slots.sort_unstable_by_key(|slot| numbers[slot]);
        slots.dedup();
        for slot in slots {
            rows.push(annex_row(rules, zone, item, slot, numbers[&slot]));
        }
    }
    rows
}

fn annex_row(
    rules: &CompiledRules,
    zone: crate::domain::Zone,
    item: &Charged<'_>,
    slot: LineSlot,
    line: u32,
) -> AnnexRow {
    let event = item.event;
    let key = line_key(rules, slot);
    let own: Vec<_> = item.charge.components.iter().filter(|part| slot_of(part) == slot).collect();
    let numerator = own.iter().map(|part| part.numerator).sum();
    let unit = own.first().map_or(Unit::Call, |part| part.unit);
    let units_billed = own.iter().map(|part| part.units).sum();
    let counts = |kind| matches!(kind, ComponentKind::Usage | ComponentKind::Allowance);
    let whole = measured_units(rules, event, own.first().map_or(0, |part| part.clause), unit);
    let measured: i64 = own
        .iter()
        .filter(|part| counts(part.kind))
        .map(|part| (whole - part.unit_from).clamp(0, part.units))
        .sum();
    AnnexRow {
        event_id: event.id.clone(),
        start: zone.show(event.start),
        channel: event.channel.to_string(),
        direction: event.direction.to_string(),
        from: party_text(event.from.number, &event.from.raw),
        to: party_text(event.to.number, &event.to.raw),
        extension: event.extension.map(|extension| extension.to_string()).unwrap_or_default(),
        outcome: event.outcome.to_string(),
        line,
        clause: key.clause,
        band: key.band,
        measured: measured.to_string(),
        units_billed,
        unit,
        exact: rules.exact(numerator),
        remarks: event.remarks.join(" "),
    }
}

/// The event's measured quantity in a unit, as the pricing code saw it (whole seconds, rounded up).
fn measured_units(rules: &CompiledRules, event: &BillableEvent, clause: u32, unit: Unit) -> i64 {
    use crate::rules::ruleset::LegPolicy;
    let tariff = &rules.versions[rules.clauses[clause as usize].version].tariff;
    match unit {
        Unit::Second => {
            let quantities = &event.quantities;
            let by_legs = tariff.legs == LegPolicy::CustomerFacing && !quantities.without_legs;
            let milliseconds = if by_legs { quantities.customer_facing } else { quantities.master };
            milliseconds.map_or(0, |milliseconds| milliseconds.saturating_add(999) / 1000)
        }
        Unit::Call | Unit::Message | Unit::Event | Unit::Amount => 1,
        Unit::Segment => event.segments.map_or(0, i64::from),
        Unit::Page => event.pages.map_or(0, i64::from),
    }
}

fn party_text(number: PartyNumber, raw: &str) -> String {
    match number {
        PartyNumber::Unparseable => raw.to_owned(),
        number => number.to_string(),
    }
}
