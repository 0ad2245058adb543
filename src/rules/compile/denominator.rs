//! The common denominator of a rule set.
//!
//! Prices, fees and limits have denominators of their own; a share of a charge (mark-up on a cost, then an event
//! discount) multiplies them. The product of the least common multiples, in the order in which shares follow each other,
//! makes every charge a whole number.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::domain::money::{gcd, lcm, power_of_ten};
use crate::domain::{Exit, Failure, Result};
use crate::rules::options::ChargeRounding;
use crate::rules::reader::PRICE_DECIMALS_MAX;
use crate::rules::ruleset::{Pricing, Rate, Reduction, RuleSet};

/// The common denominator of all charges under a rule set.
///
/// # Errors
/// Prices without a common denominator in 128 bits (exit 3).
pub(super) fn common(rules: &RuleSet) -> Result<i128> {
    let mut amounts: BTreeSet<i128> = BTreeSet::new();
    let mut markups: BTreeSet<i128> = BTreeSet::new();
    let mut discounts: BTreeSet<i128> = BTreeSet::new();
    for tariff in &rules.tariffs {
        amounts.insert(power_of_ten(tariff.currency.exponent()));
        if tariff.rounding.charge != ChargeRounding::None {
            amounts.insert(power_of_ten(tariff.rounding.charge_scale));
        }
        let fees = tariff.fees.iter().map(|fee| fee.amount);
        let granted = tariff.allowances.iter().filter_map(|allowance| allowance.amount);
        amounts.extend(fees.chain(granted).map(|amount| power_of_ten(amount.scale())));
        for rate in &tariff.rates {
            of_rate(rate, &mut amounts, &mut markups, &mut discounts);
        }
    }
    for deck in &rules.decks {
        for row in &deck.rows {
            amounts.insert(power_of_ten(row.amount.scale()) * i128::from(deck.per_units));
            amounts.extend(row.connection_fee.map(|fee| power_of_ten(fee.scale())));
        }
    }
    let left = rules.examples.iter().flat_map(|example| &example.left_amounts);
    amounts.extend(left.map(|(_, amount)| power_of_ten(amount.scale())));
    for price in rules.timekeepers.iter().filter_map(|timekeeper| timekeeper.price.as_ref()) {
        amounts.insert(power_of_ten(price.amount.scale()) * i128::from(price.per_units));
    }
    let product = [amounts, markups, discounts].iter().try_fold(1_i128, |product, denominators| {
        product.checked_mul(denominators.iter().try_fold(1, |common, denominator| lcm(common, *denominator))?)
    });
    product.ok_or_else(|| {
        Failure::new(Exit::Mistakes, "the prices of the rule set have no common denominator in 128 bits")
    })
}

fn of_rate(
    rate: &Rate,
    amounts: &mut BTreeSet<i128>,
    markups: &mut BTreeSet<i128>,
    discounts: &mut BTreeSet<i128>,
) {
    let price = |amount: Decimal, per_units: i64| power_of_ten(amount.scale()) * i128::from(per_units);
    amounts.insert(price(rate.price.amount, rate.price.per_units));
    amounts.insert(price(rate.price.amount, 1));
    let singles = [rate.connection_fee, rate.charge_floor, rate.charge_cap];
    amounts.extend(singles.into_iter().flatten().map(|amount| price(amount, 1)));
    match rate.discount {
        None => {}
        Some(Reduction::Amount(amount)) => {
            amounts.insert(price(amount, 1));
        }
        Some(Reduction::Percent(percent)) => {
            discounts.insert(share(percent).1);
        }
    }
    match &rate.pricing {
        Pricing::Plain | Pricing::Package { .. } | Pricing::Deck { .. } | Pricing::ByTimekeeper => {}
        Pricing::Steps(steps) => {
            amounts.extend(steps.iter().map(|step| price(step.price.amount, step.price.per_units)));
        }
        Pricing::Tiers { tiers, .. } => {
            amounts.extend(tiers.iter().map(|tier| price(tier.price.amount, tier.price.per_units)));
            amounts.extend(tiers.iter().filter_map(|tier| tier.fee).map(|fee| price(fee, 1)));
        }
        Pricing::Cost(cost) => {
            // Costs come with the records; they may be as fine as prices.
            amounts.insert(power_of_ten(PRICE_DECIMALS_MAX));
            amounts.insert(price(cost.plus, 1));
            markups.insert(share(Decimal::ONE_HUNDRED + cost.percent).1);
        }
    }
}

/// `amount / per_units` as a numerator over `denominator`, which is a multiple of its own.
///
/// # Errors
/// An amount beyond 128 bits (exit 3).
pub fn numerator(amount: Decimal, per_units: i64, denominator: i128) -> Result<i128> {
    let own = power_of_ten(amount.scale()) * i128::from(per_units);
    assert_eq!(denominator % own, 0, "the common denominator misses that of {amount} per {per_units}");
    let too_large = || Failure::new(Exit::Mistakes, format!("the price {amount} leaves 128 bits"));
    amount.mantissa().checked_mul(denominator / own).ok_or_else(too_large)
}

/// Percent as a ratio in lowest terms: 12.5 is (1, 8).
pub(super) fn share(percent: Decimal) -> (i128, i128) {
    let (numerator, denominator) = (percent.mantissa(), power_of_ten(percent.scale()) * 100);
    let divisor = i128::try_from(gcd(numerator.unsigned_abs(), denominator.unsigned_abs()))
        .expect("the divisor of a positive 128-bit number fits");
    (numerator / divisor, denominator / divisor)
}
