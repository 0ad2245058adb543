//! Prices with more digits than the declared rounding keeps.

use rust_decimal::Decimal;

use crate::domain::charge::Unit;
use crate::domain::money::power_of_ten;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::options::ChargeRounding;
use crate::rules::ruleset::{Increment, Price, Pricing, Rate, Reduction};

use super::Scene;

const CODE_HINT: &str = "Write fewer digits, or round to more decimals.";

/// Warnings for prices whose last digits never reach an invoice: amounts of a charge finer than `charge_scale`, blocks of
/// time that round to nothing, and amounts of the period finer than the currency's smallest unit.
pub fn prices_finer_than_rounding(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if scene.version.rounding.charge != ChargeRounding::None {
        for rate in &scene.version.rates {
            let message = finer_amount(scene, rate).or_else(|| finer_block(scene, rate));
            let code = "price-finer-than-rounding";
            found.extend(message.map(|message| scene.warn(&rate.file, rate.line, code, message, CODE_HINT)));
        }
    }
    found.extend(finer_than_currency(scene));
    found
}

/// An amount of the rate that is finer than the scale as it is written.
fn finer_amount(scene: &Scene<'_>, rate: &Rate) -> Option<String> {
    let scale = scene.version.rounding.charge_scale;
    let deck = match rate.pricing {
        Pricing::Deck { deck } => scene.rules.decks.get(deck),
        _ => None,
    };
    let of_deck = deck.into_iter().flat_map(|deck| &deck.rows);
    let amounts = prices(rate)
        .into_iter()
        .map(|price| ("price", price.amount))
        .chain(of_deck.map(|row| ("price of its deck", row.amount)))
        .chain(rate.connection_fee.map(|amount| ("connection fee", amount)))
        .chain(rate.charge_floor.map(|amount| ("floor", amount)))
        .chain(rate.charge_cap.map(|amount| ("cap", amount)));
    let (what, amount) = amounts.into_iter().find(|(_, amount)| amount.normalize().scale() > scale)?;
    Some(format!(
        "a {what} of \"{}\" is finer than its charges are rounded: {amount} has more than {scale} decimals",
        rate.name
    ))
}

/// A block of time that costs an amount finer than the scale, when every block is rounded by itself.
fn finer_block(scene: &Scene<'_>, rate: &Rate) -> Option<String> {
    let rounding = &scene.version.rounding;
    if rounding.charge != ChargeRounding::PerIncrement {
        return None;
    }
    let Increment { first_seconds, next_seconds } = rate.increment;
    for price in prices(rate).into_iter().filter(|price| price.unit == Unit::Second) {
        for seconds in [first_seconds, next_seconds] {
            let whole = i128::from(price.per_units) * power_of_ten(price.amount.scale());
            let numerator =
                price.amount.mantissa() * i128::from(seconds) * power_of_ten(rounding.charge_scale);
            if numerator % whole != 0 {
                let scale = rounding.charge_scale;
                let rest = if numerator < whole {
                    ", which is less than the smallest amount that is kept"
                } else {
                    ""
                };
                return Some(format!(
                    "each block of {seconds} s at {} (\"{}\") is rounded by itself to {scale} decimals{rest}",
                    price.text, rate.name
                ));
            }
        }
    }
    None
}

/// All prices that stand in the rate itself.
fn prices(rate: &Rate) -> Vec<&Price> {
    match &rate.pricing {
        Pricing::Plain | Pricing::Package { .. } => vec![&rate.price],
        Pricing::Steps(steps) => steps.iter().map(|step| &step.price).collect(),
        Pricing::Tiers { tiers, .. } => tiers.iter().map(|tier| &tier.price).collect(),
        Pricing::Deck { .. } | Pricing::ByTimekeeper | Pricing::Cost(_) => Vec::new(),
    }
}

/// Amounts that become a line by themselves and are rounded there.
fn finer_than_currency(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let version = scene.version;
    let decimals = version.currency.exponent();
    let fees = version.fees.iter().map(|fee| (format!("the fee \"{}\"", fee.name), fee.amount));
    let tier_fees = version.rates.iter().flat_map(|rate| match &rate.pricing {
        Pricing::Tiers { tiers, .. } => tiers
            .iter()
            .filter_map(|tier| tier.fee.map(|fee| (format!("the fee of a tier of \"{}\"", rate.name), fee)))
            .collect(),
        _ => Vec::new(),
    });
    let discounts = version.discounts.iter().filter_map(|discount| match discount.off {
        Reduction::Amount(amount) => Some((format!("the discount \"{}\"", discount.name), amount)),
        Reduction::Percent(_) => None,
    });
    let limits = [("the cap", &version.cap), ("the commitment", &version.commitment)]
        .into_iter()
        .filter_map(|(what, limit)| limit.as_ref().map(|limit| (what.to_owned(), limit.amount)));
    let all: Vec<(String, Decimal)> = fees.chain(tier_fees).chain(discounts).chain(limits).collect();
    let finer = all.into_iter().filter(|(_, amount)| amount.normalize().scale() > decimals);
    finer
        .map(|(what, amount)| {
            let message = format!(
                "{what} of tariff {} is finer than {}: {amount} has more than {decimals} decimals",
                version.name, version.currency
            );
            scene.warn(&version.file, version.line, "price-finer-than-rounding", message, CODE_HINT)
        })
        .collect()
}
