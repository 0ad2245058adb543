//! Steps as sentences.

use crate::domain::Exact;
use crate::domain::derivation::{Derivation, IdentityRule, Step};
use crate::rules::compile::{Clause, CompiledRules};
use crate::rules::options::ChargeRounding;
use crate::rules::ruleset::Pricing;

use super::counted;

/// The steps as sentences, one for each step, in order.
pub fn sentences(rules: &CompiledRules, derivation: &Derivation) -> Vec<String> {
    derivation.steps.iter().map(|step| sentence(rules, step)).collect()
}

/// One step as a sentence.
pub(super) fn sentence(rules: &CompiledRules, step: &Step) -> String {
    let amount = |numerator: i128| rules.exact(numerator).shortest();
    match *step {
        Step::Identified { .. } | Step::TariffVersion { .. } | Step::Supplier { .. } | Step::Entry { .. } => {
            who(rules, step)
        }
        Step::Measured { .. }
        | Step::WholeSeconds { .. }
        | Step::Grace { .. }
        | Step::Minimum { .. }
        | Step::Scope { .. }
        | Step::Increments { .. }
        | Step::Counted { .. } => how_much(rules, step),
        Step::Allowance { .. }
        | Step::Credit { .. }
        | Step::Tier { .. }
        | Step::Packages { .. }
        | Step::Cost { .. }
        | Step::Price { .. }
        | Step::Volume { .. } => what_it_costs(rules, step),
        Step::ConnectionFee { numerator, .. } => format!("connection fee: {}", amount(numerator)),
        Step::Discount { before, numerator, .. } => {
            format!("discount: {} → {}", amount(before), amount(numerator))
        }
        Step::Floor { before, numerator, .. } => format!("floor: {} → {}", amount(before), amount(numerator)),
        Step::Cap { before, numerator, .. } => format!("cap: {} → {}", amount(before), amount(numerator)),
        Step::Rounded { clause, before, numerator } => {
            let rounding = rules.versions[rules.clauses[clause as usize].version].tariff.rounding;
            format!(
                "rounded {} to {} decimals ({}): {} → {} (rounding added {})",
                rounding.charge,
                rounding.charge_scale,
                rounding.charge_mode.word(),
                amount(before),
                amount(numerator),
                amount(numerator - before)
            )
        }
        Step::OtherMonths { before, numerator } => {
            format!("of other periods: {} of {}", amount(before - numerator), amount(before))
        }
        Step::Withdrawn { numerator } => format!("not charged after all: {}", amount(numerator)),
        Step::Total { numerator } => format!("charge: {}", amount(numerator)),
        Step::Ended { disposition, reason } => {
            let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!("disposition: {disposition}{reason}")
        }
    }
}

/// Steps that say who pays, and under which tariff.
fn who(rules: &CompiledRules, step: &Step) -> String {
    match *step {
        Step::Identified { rule, payer } => {
            let contact = &rules.terms(payer).contact;
            let how = match rule {
                IdentityRule::Named => rule.phrase().to_owned(),
                _ => format!("found by {}", rule.phrase()),
            };
            format!("payer: {} ({}), {how}", contact.id, contact.name)
        }
        Step::TariffVersion { version } => {
            let tariff = &rules.versions[version].tariff;
            let since = tariff.valid_from.map(|date| format!(", in force since {date}")).unwrap_or_default();
            let charge = match tariff.rounding.charge {
                ChargeRounding::None => String::new(),
                stage => format!(", of charges {stage}"),
            };
            format!(
                "tariff: {}{since}; legs: {}; rounding of lines: {}{charge}",
                tariff.name,
                tariff.legs,
                tariff.rounding.line.word()
            )
        }
        Step::Supplier { version, numerator } => {
            let tariff = &rules.versions[version].tariff.name;
            format!("cost at the supplier's tariff {tariff}: {}", rules.exact(numerator).shortest())
        }
        Step::Entry { entry, extension, matter, timekeeper } => {
            let extension =
                extension.map_or("no extension".to_owned(), |number| format!("extension {number}"));
            let timekeeper = name_of(&rules.identity.timekeepers, timekeeper);
            let matter = name_of(&rules.identity.matters, matter);
            let of = timekeeper.map(|id| format!(", timekeeper {id}")).unwrap_or_default();
            let matter = matter.map(|code| format!(", matter {code}")).unwrap_or_default();
            format!("time entry {}: {extension}{of}{matter}", entry + 1)
        }
        _ => String::new(),
    }
}

/// Steps that say how much is billed.
fn how_much(rules: &CompiledRules, step: &Step) -> String {
    let clause_of = |clause: u32| &rules.clauses[clause as usize];
    let seconds = |milliseconds: i64| Exact::new(i128::from(milliseconds), 1000).shortest();
    match *step {
        Step::Measured { milliseconds, without_legs } => {
            let note =
                if without_legs { ", from the record's own duration since it has no legs" } else { "" };
            format!("measured: {} s{note}", seconds(milliseconds))
        }
        Step::WholeSeconds { seconds } => format!("whole seconds, rounded up: {seconds} s"),
        Step::Grace { clause, milliseconds } => {
            let grace = clause_of(clause).rate.grace_milliseconds;
            format!("grace: {} s is within {} s, free", seconds(milliseconds), seconds(grace))
        }
        Step::Minimum { seconds, .. } => format!("minimum: billed as {seconds} s"),
        Step::Scope { clause, milliseconds_before, milliseconds_after, units_before, units_after } => {
            format!(
                "{} sum: {} s before, {} s with it; billed {units_before} s before, {units_after} s with it: {} s",
                clause_of(clause).rate.scope,
                seconds(milliseconds_before),
                seconds(milliseconds_after),
                units_after - units_before
            )
        }
        Step::Increments { clause, unit_from, units, seconds_measured } => {
            let clause = clause_of(clause);
            let (first, next) = (clause.increment.first_seconds, clause.increment.next_seconds);
            let from = if unit_from == 0 { String::new() } else { format!(" from second {unit_from} on") };
            format!(
                "{first}/{next}: {seconds_measured} s → {units} s{from}, at \"{}\"",
                place_of(rules, clause)
            )
        }
        Step::Counted { clause, units } => {
            let clause = clause_of(clause);
            format!(
                "counted: {}, at \"{}\"",
                counted(clause.unit, i128::from(units)),
                place_of(rules, clause)
            )
        }
        _ => String::new(),
    }
}

/// The rate of a clause, with its band and destination.
fn place_of(rules: &CompiledRules, clause: &Clause) -> String {
    let mut text = clause.rate.name.clone();
    if !clause.destination.is_empty() {
        text.push_str(&format!(", {}", clause.destination));
    }
    if let Some(band) = clause.band {
        text.push_str(&format!(", band {}", rules.bands[band]));
    }
    text
}

/// Steps that say what an allowance took and what the rest costs.
fn what_it_costs(rules: &CompiledRules, step: &Step) -> String {
    let amount = |numerator: i128| rules.exact(numerator).shortest();
    let unit_of = |clause: u32| rules.clauses[clause as usize].unit;
    match *step {
        Step::Allowance { counter, left_before, units } => {
            let name = &rules.counters[counter].allowance;
            let after = left_before - units;
            format!("allowance \"{name}\": {left_before} left before, {units} drawn, {after} left")
        }
        Step::Credit { counter, left_before, numerator } => {
            let name = &rules.counters[counter].allowance;
            let (before, after) = (amount(left_before), amount(left_before - numerator));
            format!(
                "allowance \"{name}\": {before} left before, {} taken off, {after} left",
                amount(numerator)
            )
        }
        Step::Tier { clause, tier, units_before, units } => {
            let unit = unit_of(clause);
            let (before, units) = (counted(unit, i128::from(units_before)), counted(unit, i128::from(units)));
            format!("tier {tier}: {before} counted before, {units} in it")
        }
        Step::Packages { clause, units_before, units, packages } => {
            let unit = unit_of(clause);
            let (before, units) = (counted(unit, i128::from(units_before)), counted(unit, i128::from(units)));
            format!("packages: {before} counted before, {units} more open {packages}")
        }
        Step::Cost { cost, .. } => format!("cost: {}", amount(cost)),
        Step::Price { clause, part, units, numerator } => {
            let (text, units) = (price_of(rules, clause, part), counted(unit_of(clause), i128::from(units)));
            format!("price: {units} at {text} = {}", amount(numerator))
        }
        Step::Volume { clause, tier, units_of_period, units, numerator } => {
            let unit = unit_of(clause);
            let (all, units) = (counted(unit, i128::from(units_of_period)), counted(unit, i128::from(units)));
            let text = price_of(rules, clause, tier);
            format!(
                "volume: {all} in the period reach tier {tier}; {units} at {text} = {}",
                amount(numerator)
            )
        }
        _ => String::new(),
    }
}

/// The price of a clause as written: of one of its steps or tiers, from 1, where it has several.
pub fn price_of(rules: &CompiledRules, clause: u32, part: u16) -> String {
    let clause = &rules.clauses[clause as usize];
    let place = usize::from(part).checked_sub(1);
    let text = match (&clause.rate.pricing, place) {
        (Pricing::Steps(steps), Some(place)) => steps.get(place).map(|step| step.price.text.clone()),
        (Pricing::Tiers { tiers, .. }, Some(place)) => tiers.get(place).map(|tier| tier.price.text.clone()),
        _ => None,
    };
    text.unwrap_or_else(|| clause.price_text.to_string())
}

/// The name behind a number of the compiled rules, from 1.
pub(super) fn name_of(names: &[String], number: u32) -> Option<String> {
    (number as usize).checked_sub(1).and_then(|place| names.get(place).cloned())
}
