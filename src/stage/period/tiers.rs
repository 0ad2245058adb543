//! Fees of tiers, and what a tiered rate costs in a period without usage.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::domain::Exact;
use crate::domain::document::{LineKey, LineKind};
use crate::rules::compile::CompiledRules;
use crate::rules::options::NoUsage;
use crate::rules::ruleset::{Pricing, Rate, TariffVersion, TierMode};
use crate::stage::rate::{LineSlot, LineTarget, LineTotal};

use super::Unrounded;
use super::rounding::LineRounding;

/// The fee of each graduated tier that the period entered, under the version that entered it, and of the volume tier
/// that it reached, under the version that counted last. Versions follow each other in time, so the first version with
/// units in a tier is the one that entered it.
pub fn fees_of_tiers(rules: &CompiledRules, lines: &[(LineSlot, LineTotal)]) -> Vec<Unrounded> {
    let mut entered: BTreeMap<(String, String, u16), usize> = BTreeMap::new();
    let mut reached: BTreeMap<(String, String), (usize, u16)> = BTreeMap::new();
    for (slot, version, rate) in counted(rules, lines) {
        let Pricing::Tiers { mode, .. } = &rate.pricing else { continue };
        let name = (rules.versions[version].tariff.name.clone(), rate.name.clone());
        match mode {
            TierMode::Graduated => {
                let first = entered.entry((name.0, name.1, slot.tier)).or_insert(version);
                *first = version.min(*first);
            }
            TierMode::Volume => {
                let last = reached.entry(name).or_insert((version, slot.tier));
                *last = (version, slot.tier).max(*last);
            }
        }
    }
    let volume = reached.into_iter().map(|((tariff, rate), (version, tier))| ((tariff, rate, tier), version));
    let due: BTreeMap<_, _> = entered.into_iter().chain(volume).collect();
    let lines = due.into_iter().filter_map(|((_, rate, tier), version)| {
        let tariff = &rules.versions[version].tariff;
        let (position, rate) = tariff.rates.iter().enumerate().find(|(_, known)| known.name == rate)?;
        let Pricing::Tiers { tiers, .. } = &rate.pricing else { return None };
        let fee = tiers.get(usize::from(tier).checked_sub(1)?)?.fee?;
        line(tariff, position, rate, tier, fee, &format!("fee of tier {tier} of {}", tiers.len()))
    });
    lines.collect()
}

/// What the tiered rates of a version cost in a period in which they counted nothing.
pub fn without_usage(
    rules: &CompiledRules,
    version: usize,
    lines: &[(LineSlot, LineTotal)],
) -> Vec<Unrounded> {
    let tariff = &rules.versions[version].tariff;
    let used: BTreeSet<(&str, &str)> = counted(rules, lines)
        .map(|(_, version, rate)| (rules.versions[version].tariff.name.as_str(), rate.name.as_str()))
        .collect();
    let unused = |rate: &&Rate| !used.contains(&(tariff.name.as_str(), rate.name.as_str()));
    let due = |(position, rate): (usize, &Rate)| match (&rate.pricing, tariff.options.no_usage) {
        (Pricing::Tiers { tiers, .. }, NoUsage::TierFee) => {
            line(tariff, position, rate, 1, tiers.first()?.fee?, "no usage: fee of the first tier")
        }
        (Pricing::Package { .. }, NoUsage::Package) => {
            line(tariff, position, rate, 0, rate.price.amount, "no usage: one package")
        }
        _ => None,
    };
    tariff.rates.iter().enumerate().filter(|(_, rate)| unused(rate)).filter_map(due).collect()
}

/// The lines of clauses with counted units, with tariff version and rate.
fn counted<'a>(
    rules: &'a CompiledRules,
    lines: &'a [(LineSlot, LineTotal)],
) -> impl Iterator<Item = (&'a LineSlot, usize, &'a Rate)> {
    lines.iter().filter(|(_, total)| total.units > 0).filter_map(|(slot, _)| match slot.target {
        LineTarget::Clause(index) => {
            let clause = &rules.clauses[index as usize];
            let rate: &Rate = &clause.rate;
            Some((slot, clause.version, rate))
        }
        LineTarget::Allowance { .. } => None,
    })
}

/// A line of its own for one fee; none for one of nothing.
fn line(
    tariff: &TariffVersion,
    position: usize,
    rate: &Rate,
    tier: u16,
    amount: Decimal,
    note: &str,
) -> Option<Unrounded> {
    let key = LineKey {
        kind: LineKind::TierFee,
        tariff: tariff.name.clone(),
        tariff_version: tariff.version_key(),
        position: u32::try_from(position).expect("a tariff has few rates"),
        clause: rate.name.clone(),
        tier,
        ..LineKey::default()
    };
    (!amount.is_zero()).then(|| Unrounded {
        key,
        count: 0,
        price: amount.to_string(),
        note: note.to_owned(),
        exact: Exact::from_decimal(amount),
        rounding: LineRounding::of(tariff),
    })
}
