//! Parts of a tariff's month that cannot make a difference: allowances that nothing draws on, discounts of lines that do
//! not exist, tiers that change nothing.

use crate::domain::charge::Unit;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::ruleset::{Allowance, Pricing, Rate};

use super::Scene;
use super::conditions::meet;

/// A warning for every allowance without a rate it can be drawn for.
pub fn allowances_never_drawn(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let version = scene.version;
    let can_draw = |allowance: &Allowance, rate: &Rate| {
        let counted = match rate.pricing {
            Pricing::ByTimekeeper => None,
            _ => Some(rate.price.unit),
        };
        (allowance.unit == Unit::Amount || counted.is_none_or(|unit| unit == allowance.unit))
            && meet(scene.rules, &allowance.applies_to, &rate.matches)
    };
    let mut found = Vec::new();
    for allowance in &version.allowances {
        let mut rates = version.rates.iter().chain(scene.fallback().map(|(_, rate)| rate));
        let nothing = allowance.grants == 0 && allowance.amount.is_none_or(|amount| amount.is_zero());
        let message = if nothing {
            format!("the allowance \"{}\" grants nothing", allowance.name)
        } else if !rates.any(|rate| can_draw(allowance, rate)) {
            format!(
                "the allowance \"{}\" of {} can never be drawn: no rate of tariff {} bills what it grants",
                allowance.name, allowance.text, version.name
            )
        } else {
            continue;
        };
        let hint = "An allowance only takes units of the kind it grants, of usage that fits its conditions.";
        found.push(scene.warn(&version.file, version.line, "allowance-never-drawn", message, hint));
    }
    found
}

/// A warning for every name in a discount that is neither a rate nor a fee.
pub fn discounts_without_lines(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let version = scene.version;
    let mut found = Vec::new();
    for discount in &version.discounts {
        for line in &discount.lines {
            let of_tariff = scene.rules.tariffs.iter().filter(|other| other.name == version.name);
            let known = of_tariff.into_iter().any(|other| {
                other.rates.iter().any(|rate| rate.name == *line)
                    || other.fees.iter().any(|fee| fee.name == *line)
            }) || scene.fallback().any(|(_, rate)| rate.name == *line);
            if !known {
                let message = format!(
                    "the discount \"{}\" is taken off \"{line}\", and tariff {} has no rate or fee of that name",
                    discount.name, version.name
                );
                let hint = "Lines are named after rates and fees: take the name as it stands there.";
                found.push(scene.warn(&version.file, version.line, "discount-without-line", message, hint));
            }
        }
    }
    found
}

/// A warning for every rate with two neighbouring tiers of one price and no fee between them.
pub fn equal_tiers(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for rate in &scene.version.rates {
        let Pricing::Tiers { tiers, .. } = &rate.pricing else { continue };
        let equal = tiers.windows(2).position(|pair| {
            pair[0].price.amount == pair[1].price.amount
                && pair[0].price.per_units == pair[1].price.per_units
                && pair[0].fee == pair[1].fee
        });
        if let Some(position) = equal {
            let message = format!(
                "tiers {} and {} of \"{}\" have one price, {}",
                position + 1,
                position + 2,
                rate.name,
                tiers[position].price.text
            );
            let hint = "Join them, or mend the price of one.";
            found.push(scene.warn(&rate.file, rate.line, "equal-tiers", message, hint));
        }
    }
    found
}
