//! Discounts, the cap and the commitment of a period, on lines that are rounded already: each sees what the former left
//! and becomes a line of its own.

use crate::domain::document::{LineKey, LineKind};
use crate::domain::{Currency, Exact, Money, Result};
use crate::rules::ruleset::{Discount, DiscountOf, Reduction, TariffVersion};

use super::Unrounded;
use super::fees::times;
use super::rounding::LineRounding;

/// Name of the line that lowers a period to its cap.
pub const CAP: &str = "Period cap";
/// Name of the line that raises a period to its commitment.
pub const TRUE_UP: &str = "Commitment true-up";

/// What the limits see of a line.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub kind: LineKind,
    pub clause: &'a str,
    pub amount: Money,
}

/// Sums of a period while its limits are worked out, in minor units of one currency.
#[derive(Clone, Copy, Debug)]
struct Sums {
    currency: Currency,
    /// Usage, allowances, fees of tiers and all discounts so far.
    usage: Money,
    /// Recurring and one-off fees.
    fees: Money,
}

/// Discounts of lines, discounts of the period, cap and true-up, in this order. `share` is the part of the period on
/// whose days the commitment is in force.
///
/// # Errors
/// An amount beyond 128 bits.
pub fn limits(
    tariff: &TariffVersion,
    currency: Currency,
    lines: &[Seen<'_>],
    share: Exact,
) -> Result<Vec<(Unrounded, Money, Exact)>> {
    let zero = Money::zero(currency);
    let sum = |fees: bool| {
        let own = lines.iter().filter(|line| (line.kind == LineKind::Fee) == fees);
        own.fold(zero, |sum, line| sum.plus(line.amount))
    };
    let mut sums = Sums { currency, usage: sum(false), fees: sum(true) };
    let mut made = Vec::new();
    let ordered = [DiscountOf::Line, DiscountOf::Period]
        .into_iter()
        .flat_map(|of| tariff.discounts.iter().filter(move |discount| discount.of == of));
    for (position, discount) in ordered.enumerate() {
        let base = match discount.of {
            DiscountOf::Line => base_of_lines(discount, lines, currency),
            DiscountOf::Period => sums.usage.plus(sums.fees),
        };
        if let Some(line) = discount_line(tariff, position, discount, base)? {
            made.push(sums.take(line)?);
        }
    }
    let counted = |sums: &Sums| if tariff.fees_count { sums.usage.plus(sums.fees) } else { sums.usage };
    if let Some(cap) = &tariff.cap {
        let over = Exact::from_decimal(cap.amount).plus(counted(&sums).exact().negated())?;
        if over.numerator() < 0 {
            made.push(sums.take(limit_line(tariff, LineKind::Cap, CAP, &cap.text, String::new(), over))?);
        }
    }
    if let Some(commitment) = &tariff.commitment {
        let whole = Exact::from_decimal(commitment.amount);
        let target = times(whole, share)?;
        let missing = target.plus(counted(&sums).exact().negated())?;
        if missing.numerator() > 0 {
            let note = match target == whole {
                true => String::new(),
                false => format!("{} for the days in force", shown(target, currency)),
            };
            let line = limit_line(tariff, LineKind::TrueUp, TRUE_UP, &commitment.text, note, missing);
            made.push(sums.take(line)?);
        }
    }
    Ok(made)
}

impl Sums {
    /// Rounds a line and counts it.
    fn take(&mut self, line: Unrounded) -> Result<(Unrounded, Money, Exact)> {
        let (amount, residual) = line.rounding.round(line.exact, self.currency)?;
        self.usage = self.usage.plus(amount);
        Ok((line, amount, residual))
    }
}

/// Usage lines, or the usage lines and fees that the discount names.
fn base_of_lines(discount: &Discount, lines: &[Seen<'_>], currency: Currency) -> Money {
    let named = |line: &&Seen<'_>| match line.kind {
        LineKind::Usage => discount.lines.is_empty() || discount.lines.iter().any(|name| name == line.clause),
        LineKind::Fee => discount.lines.iter().any(|name| name == line.clause),
        _ => false,
    };
    lines.iter().filter(named).fold(Money::zero(currency), |sum, line| sum.plus(line.amount))
}

/// A percentage of the base, or an amount, never more than the base; `None` where there is nothing to take it off.
fn discount_line(
    tariff: &TariffVersion,
    position: usize,
    discount: &Discount,
    base: Money,
) -> Result<Option<Unrounded>> {
    if base.minor_units <= 0 {
        return Ok(None);
    }
    let whole = base.exact();
    let (wanted, note) = match discount.off {
        Reduction::Percent(percent) => {
            let share = times(Exact::from_decimal(percent), Exact::new(1, 100))?;
            let note = format!("{}% of {}", percent.normalize(), base.digits());
            (times(whole, share)?, note)
        }
        Reduction::Amount(amount) => (Exact::from_decimal(amount), String::new()),
    };
    let beyond = wanted.plus(whole.negated())?.numerator() > 0;
    let (off, note) = match beyond {
        true => (whole, format!("at most what it is taken off: {}", base.digits())),
        false => (wanted, note),
    };
    if off.numerator() <= 0 {
        return Ok(None);
    }
    Ok(Some(Unrounded {
        key: key(tariff, LineKind::Discount, position, &discount.name),
        count: 0,
        price: discount.text.clone(),
        note,
        exact: off.negated(),
        rounding: LineRounding::of(tariff),
    }))
}

fn limit_line(
    tariff: &TariffVersion,
    kind: LineKind,
    name: &str,
    text: &str,
    note: String,
    exact: Exact,
) -> Unrounded {
    let (key, price) = (key(tariff, kind, 0, name), text.to_owned());
    Unrounded { key, count: 0, price, note, exact, rounding: LineRounding::of(tariff) }
}

fn key(tariff: &TariffVersion, kind: LineKind, position: usize, name: &str) -> LineKey {
    LineKey {
        kind,
        tariff: tariff.name.clone(),
        tariff_version: tariff.version_key(),
        position: u32::try_from(position).expect("a tariff has few discounts"),
        clause: name.to_owned(),
        ..LineKey::default()
    }
}

/// An amount for people: with the decimals of the currency where they suffice.
fn shown(exact: Exact, currency: Currency) -> String {
    let digits = exact.digits(currency.exponent());
    let suffices = exact.checked_mul(Exact::new(crate::domain::money::power_of_ten(currency.exponent()), 1));
    match suffices.is_some_and(|minor| minor.denominator() == 1) {
        true => digits,
        false => format!("\u{2248} {digits}"),
    }
}
