//! What a line says of its own price and quantity, in words: prices in each form, tiers, increments, and which time was
//! measured.

use crate::domain::Exact;
use crate::domain::charge::Unit;
use crate::rules::compile::Clause;
use crate::rules::ruleset::{Increment, LegPolicy, Pricing, Rate, Scope, TariffVersion, Tier};

/// The price of a clause in a tier (0 without tiers), as written where the rule has it in words.
pub(super) fn price(clause: &Clause, tier: u16) -> String {
    let rate = &clause.rate;
    match &rate.pricing {
        Pricing::Steps(steps) => {
            let texts: Vec<&str> = steps.iter().map(|step| step.price.text.as_str()).collect();
            texts.join(", then ")
        }
        Pricing::Tiers { tiers, .. } => {
            tier_of(tiers, tier).map_or_else(|| clause.line_text.to_string(), |tier| tier.price.text.clone())
        }
        Pricing::Package { size_units } => {
            format!("{} for each {}", rate.price.amount, bound(*size_units, clause.unit))
        }
        Pricing::Plain | Pricing::Cost(_) | Pricing::Deck { .. } | Pricing::ByTimekeeper => {
            clause.line_text.to_string()
        }
    }
}

fn tier_of(tiers: &[Tier], tier: u16) -> Option<&Tier> {
    tiers.get(usize::from(tier).checked_sub(1)?)
}

/// Tier, increments, minimum and grace of a clause, as far as it has any.
pub(super) fn note(clause: &Clause, tier: u16) -> String {
    let rate = &clause.rate;
    let mut parts = Vec::new();
    if let Pricing::Tiers { tiers, .. } = &rate.pricing
        && tier > 0
    {
        let all = tiers.len().max(usize::from(tier));
        let from = usize::from(tier).checked_sub(2).and_then(|below| tiers.get(below)?.up_to_units);
        let from = from.map(|units| format!(", from {}", bound(units, clause.unit))).unwrap_or_default();
        parts.push(format!("tier {tier} of {all}{from}"));
    }
    if clause.unit == Unit::Second {
        parts.extend(increment(clause.increment));
        if rate.minimum_seconds > 0 {
            parts.push(format!("at least {} s", rate.minimum_seconds));
        }
        if rate.grace_milliseconds > 0 {
            let grace = Exact::new(i128::from(rate.grace_milliseconds), 1000);
            parts.push(format!("free up to {} s", grace.shortest()));
        }
    }
    parts.join("; ")
}

fn increment(increment: Increment) -> Option<String> {
    let Increment { first_seconds: first, next_seconds: next } = increment;
    match (first, next) {
        (1, 1) => None,
        (first, next) if first == next => Some(format!("in steps of {}", bound(next, Unit::Second))),
        (first, next) => Some(format!(
            "first {}, then in steps of {}",
            bound(first, Unit::Second),
            bound(next, Unit::Second)
        )),
    }
}

/// A number of units as rules write it: seconds as whole minutes or hours where they are.
fn bound(units: i64, unit: Unit) -> String {
    let (number, noun) = match unit {
        Unit::Second if units % 3600 == 0 && units != 0 => (units / 3600, "hour"),
        Unit::Second if units % 60 == 0 && units != 0 => (units / 60, "minute"),
        unit => (units, unit.word()),
    };
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Which time of a call a rate bills and over what it rounds it.
pub(super) fn basis(tariff: &TariffVersion, rate: &Rate) -> String {
    let measured = match tariff.legs {
        LegPolicy::CustomerFacing => "customer-facing time",
        LegPolicy::Master => "the record's own time, ringing and menus in it",
        LegPolicy::TimekeeperLeg => "each person's own time on the call",
        LegPolicy::EstimatedTalk => "estimated talk time: hold is in it, the log never shows hold",
        LegPolicy::LongestLeg => "the longest leg of a call",
        LegPolicy::FirstAnswered => "the leg of a call that was answered first",
        LegPolicy::SumOfLegs => "all legs of a call added up",
    };
    let rounded = match (rate.scope, tariff.legs) {
        (Scope::Call, LegPolicy::TimekeeperLeg) => "each person's time rounded by itself",
        (Scope::Call, _) => "each call rounded by itself",
        (Scope::ContactDay, _) => "the time of a day rounded once",
        (Scope::MatterDay, _) => "the time of a day rounded once for each matter",
        (Scope::TimekeeperDay, _) => "the time of a day rounded once for each matter and person",
        (Scope::Period, _) => "the time of the period rounded once",
    };
    format!("{measured}; {rounded}")
}
