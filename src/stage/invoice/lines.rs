//! The lines of charges: their keys, their places on the document, their one rounding.

use crate::domain::charge::Unit;
use crate::domain::document::{InvoiceLine, LineKey, LineKind};
use crate::domain::{Currency, Result};
use crate::rules::compile::CompiledRules;
use crate::rules::ruleset::Match;
use crate::stage::period::rounding::LineRounding;
use crate::stage::rate::{LineSlot, LineTarget, LineTotal};

use super::{names, words};

/// The key of the line a component is summed under.
pub fn line_key(rules: &CompiledRules, slot: LineSlot) -> LineKey {
    let key = LineKey {
        tier: slot.tier,
        matter: names::matter(rules, slot.matter),
        timekeeper: names::timekeeper(rules, slot.timekeeper),
        ..LineKey::default()
    };
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
                destination: clause.destination.to_string(),
                ..key
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
                ..key
            }
        }
    }
}

fn band_name(rules: &CompiledRules, matches: &Match) -> String {
    matches.bands.iter().map(|band| rules.bands[*band].as_str()).collect::<Vec<_>>().join(", ")
}

/// Where a line stands: usage by service period, matter and timekeeper (what belongs to no matter comes after what
/// does), in the order of the file; then fees, discounts, cap, true-up.
pub(super) fn place(key: &LineKey) -> impl Ord + '_ {
    let part = match key.kind {
        LineKind::Usage | LineKind::Allowance | LineKind::TierFee => 0,
        LineKind::Fee => 1,
        LineKind::Discount => 2,
        LineKind::Cap => 3,
        LineKind::TrueUp => 4,
    };
    let group = (
        &key.service_period,
        part,
        (key.matter.is_empty(), &key.matter),
        (key.timekeeper.is_empty(), &key.timekeeper),
    );
    (group, key.kind, &key.tariff, &key.tariff_version, key.position, key)
}

/// The line of some charges.
///
/// # Errors
/// An amount beyond 128 bits.
pub(super) fn usage_line(
    rules: &CompiledRules,
    slot: LineSlot,
    total: LineTotal,
    currency: Currency,
) -> Result<InvoiceLine> {
    let key = line_key(rules, slot);
    let (unit, price, note, basis, rounding) = match slot.target {
        LineTarget::Clause(index) => {
            let clause = &rules.clauses[index as usize];
            let tariff = &rules.versions[clause.version].tariff;
            let unit = clause.unit;
            let basis = match unit {
                Unit::Second => words::basis(tariff, &clause.rate),
                _ => String::new(),
            };
            let price = words::price(clause, slot.tier);
            (unit, price, words::note(clause, slot.tier), basis, LineRounding::of(tariff))
        }
        LineTarget::Allowance { version, .. } => {
            let tariff = &rules.versions[version as usize].tariff;
            let allowance = &tariff.allowances[key.position as usize];
            let price = format!("{} included", allowance.text);
            (allowance.unit, price, String::new(), String::new(), LineRounding::of(tariff))
        }
    };
    let exact = rules.exact(total.numerator);
    let (amount, residual) = rounding.round(exact, currency)?;
    Ok(InvoiceLine {
        number: 0,
        key,
        unit,
        events: total.events,
        units_billed: total.units,
        units_measured: None,
        price,
        note,
        basis,
        exact,
        amount,
        residual,
    })
}
