//! Parts of a rate that cannot make a difference.

use rust_decimal::Decimal;

use crate::domain::charge::Unit;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::options::{Crossing, IncrementsFrom, InsideAllowance, UnitsCounted};
use crate::rules::ruleset::{Increment, Pricing, Rate, Scope};

use super::Scene;

/// Warnings for increments, minimums, floors and steps of a rate that change no charge.
pub fn parts_that_never_apply(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for rate in &scene.version.rates {
        let warn = |code: &'static str, message: String, hint: &str| {
            scene.warn(&rate.file, rate.line, code, message, hint)
        };
        found.extend(first_block_at_the_cap(scene, rate).map(|message| {
            let hint =
                "Every call costs the cap: write a flat price, raise the cap or shorten the first block.";
            warn("increment-never-applies", message, hint)
        }));
        found.extend(increment_of_no_row(scene, rate).map(|message| {
            let hint = "The increment of a row goes before that of the rate. Remove one of the two.";
            warn("increment-never-applies", message, hint)
        }));
        found.extend(minimum_within_the_first_block(scene, rate).map(|message| {
            let hint =
                "Every call is billed at least the first block. Remove the minimum, or make it longer.";
            warn("minimum-never-applies", message, hint)
        }));
        found.extend(floor_below_everything(scene, rate).map(|message| {
            let hint = "Even the shortest call costs as much. Remove the floor, or raise it.";
            warn("floor-never-applies", message, hint)
        }));
        found.extend(steps_between_blocks(scene, rate).map(|message| {
            let hint = "A block is priced by the step in which it begins. Make the step longer, or the blocks shorter.";
            warn("step-never-applies", message, hint)
        }));
    }
    found
}

/// The charge of the shortest call, when nothing but the rate itself has a say in it.
fn least_charge(scene: &Scene<'_>, rate: &Rate) -> Option<Decimal> {
    let alone = rate.pricing == Pricing::Plain
        && rate.scope == Scope::Call
        && rate.discount.is_none()
        && rate.price.unit == Unit::Second
        && scene.version.options.units == UnitsCounted::Started
        && scene.version.allowances.is_empty()
        && scene.version.options.inside_allowance == InsideAllowance::NoFee;
    let seconds = Decimal::from(rate.increment.first_seconds.max(rate.minimum_seconds));
    let price = rate.price.amount.checked_mul(seconds)?.checked_div(Decimal::from(rate.price.per_units))?;
    price.checked_add(rate.connection_fee.unwrap_or_default()).filter(|_| alone)
}

fn first_block_at_the_cap(scene: &Scene<'_>, rate: &Rate) -> Option<String> {
    let cap = rate.charge_cap?;
    let least = least_charge(scene, rate).filter(|least| *least >= cap)?;
    let Increment { first_seconds, next_seconds } = rate.increment;
    let least = least.normalize();
    Some(format!(
        "the steps of {next_seconds} s of \"{}\" never matter: the first block of {first_seconds} s costs {least}, and the \
         cap is {cap}",
        rate.name
    ))
}

fn increment_of_no_row(scene: &Scene<'_>, rate: &Rate) -> Option<String> {
    let Pricing::Deck { deck } = rate.pricing else { return None };
    let deck = scene.rules.decks.get(deck)?;
    let written = rate.increment != Increment { first_seconds: 1, next_seconds: 1 };
    let never = written && deck.rows.iter().all(|row| row.increment.is_some());
    never.then(|| {
        format!(
            "the increment of \"{}\" never applies: all rows of the deck {} have their own",
            rate.name, deck.name
        )
    })
}

fn minimum_within_the_first_block(scene: &Scene<'_>, rate: &Rate) -> Option<String> {
    let first = rate.increment.first_seconds;
    let never = rate.minimum_seconds > 0
        && rate.minimum_seconds <= first
        && rate.price.unit == Unit::Second
        && !matches!(rate.pricing, Pricing::Deck { .. })
        && scene.version.options.units == UnitsCounted::Started;
    never.then(|| {
        format!(
            "the minimum of {} s of \"{}\" never applies: the first block is {first} s",
            rate.minimum_seconds, rate.name
        )
    })
}

fn floor_below_everything(scene: &Scene<'_>, rate: &Rate) -> Option<String> {
    let floor = rate.charge_floor?;
    let least = least_charge(scene, rate).filter(|least| *least >= floor)?;
    let least = least.normalize();
    Some(format!("the floor of {floor} of \"{}\" never applies: no call costs less than {least}", rate.name))
}

/// A price step that ends before any block begins in it.
fn steps_between_blocks(scene: &Scene<'_>, rate: &Rate) -> Option<String> {
    let Pricing::Steps(steps) = &rate.pricing else { return None };
    let options = &scene.version.options;
    let by_blocks = options.crossing == Crossing::Start && rate.price.unit == Unit::Second;
    if !by_blocks || rate.scope != Scope::Call {
        return None;
    }
    let offset = |from: i64| if from == 0 { 0 } else { from.saturating_add(options.after_offset_seconds) };
    let skipped = steps.windows(2).find(|pair| {
        next_block(rate.increment, options.increments_from, offset(pair[0].from_units))
            >= offset(pair[1].from_units)
    })?;
    Some(format!(
        "the step of {} of \"{}\" never applies: no block begins between second {} and second {}",
        skipped[0].price.text, rate.name, skipped[0].from_units, skipped[1].from_units
    ))
}

/// Where the first block begins that begins at or after a second of the call.
fn next_block(increment: Increment, from: IncrementsFrom, second: i64) -> i64 {
    let Increment { first_seconds: first, next_seconds: next } = increment;
    let steps = |rest: i64| (rest + next - 1).div_euclid(next) * next;
    match from {
        _ if second <= 0 => 0,
        _ if second <= first => first,
        IncrementsFrom::FirstBlock => first + steps(second - first),
        IncrementsFrom::Zero => steps(second),
    }
}
