//! Money without floats: whole minor units for what is owed, exact ratios for everything before rounding.
//!
//! A price per minute over 60 seconds does not terminate as a decimal, so charges are ratios of integers and are
//! divided once, at the line (design, section 5).

use std::fmt;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::failure::{Exit, Failure, Result};

/// An ISO 4217 currency with its number of decimals (0, 2 or 3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

impl Currency {
    /// The currency of an upper-case ISO 4217 code; `None` when there is no such currency or it has no minor unit.
    pub fn from_code(code: &str) -> Option<Currency> {
        let known = iso_currency::Currency::from_code(code)?;
        let exponent = u8::try_from(known.exponent()?).ok().filter(|exponent| *exponent <= 4)?;
        let code = <[u8; 3]>::try_from(code.as_bytes()).ok()?;
        Some(Currency { code, exponent })
    }

    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).expect("a currency code is ASCII by construction")
    }

    /// Number of decimals of the minor unit.
    pub fn exponent(&self) -> u32 {
        u32::from(self.exponent)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Currency, D::Error> {
        let code = String::deserialize(deserializer)?;
        Currency::from_code(&code).ok_or_else(|| D::Error::custom(format!("\"{code}\" is not a currency")))
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// An amount in whole minor units of one currency. It can never hold a fraction of a minor unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    pub minor_units: i128,
    pub currency: Currency,
}

impl Money {
    /// Nothing owed, in this currency.
    pub fn zero(currency: Currency) -> Money {
        Money { minor_units: 0, currency }
    }

    /// The sum of two amounts. Mixing currencies or leaving 128 bits is a bug in the caller.
    pub fn plus(self, other: Money) -> Money {
        assert_eq!(self.currency, other.currency, "amounts of two currencies were added");
        let minor_units =
            self.minor_units.checked_add(other.minor_units).expect("a sum of money left 128 bits");
        Money { minor_units, currency: self.currency }
    }

    /// The amount as plain digits with the currency's decimals and no grouping: `-1234.50`.
    pub fn digits(&self) -> String {
        digits_at_scale(self.minor_units, self.currency.exponent())
    }

    /// The amount as an exact ratio of major units.
    pub fn exact(&self) -> Exact {
        Exact::new(self.minor_units, power_of_ten(self.currency.exponent()))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.digits(), self.currency)
    }
}

/// How a ratio becomes a whole number. Always applied to the magnitude and mirrored for negatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoundingMode {
    HalfAway,
    HalfEven,
    Up,
    Down,
}

impl RoundingMode {
    /// The word used in rule files.
    pub fn word(self) -> &'static str {
        match self {
            RoundingMode::HalfAway => "half-away",
            RoundingMode::HalfEven => "half-even",
            RoundingMode::Up => "up",
            RoundingMode::Down => "down",
        }
    }

    /// The mode of a word of a rule file.
    pub fn from_word(word: &str) -> Option<RoundingMode> {
        [RoundingMode::HalfAway, RoundingMode::HalfEven, RoundingMode::Up, RoundingMode::Down]
            .into_iter()
            .find(|mode| mode.word() == word)
    }

    /// `numerator / denominator` as a whole number; the denominator is positive.
    pub fn divide(self, numerator: i128, denominator: i128) -> i128 {
        assert!(denominator > 0, "a ratio has a positive denominator, not {denominator}");
        let magnitude = numerator.unsigned_abs();
        let divisor = denominator.unsigned_abs();
        let (whole, rest) = (magnitude / divisor, magnitude % divisor);
        let up = match self {
            RoundingMode::Down => false,
            RoundingMode::Up => rest > 0,
            RoundingMode::HalfAway => rest >= divisor - rest,
            RoundingMode::HalfEven => rest > divisor - rest || (rest == divisor - rest && whole % 2 == 1),
        };
        let rounded =
            i128::try_from(whole + u128::from(up && rest > 0)).expect("a rounded quotient left 128 bits");
        if numerator < 0 { -rounded } else { rounded }
    }
}

/// An exact ratio of integers, in lowest terms with a positive denominator: an amount in major units before rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exact {
    numerator: i128,
    denominator: i128,
}

impl Serialize for Exact {
    /// As `numerator/denominator`.
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}/{}", self.numerator, self.denominator))
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Exact, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed = text.split_once('/').and_then(|(numerator, denominator)| {
            Some((
                numerator.parse::<i128>().ok()?,
                denominator.parse::<i128>().ok().filter(|number| *number > 0)?,
            ))
        });
        let (numerator, denominator) = parsed.ok_or_else(|| D::Error::custom("not a ratio"))?;
        Ok(Exact::new(numerator, denominator))
    }
}

impl Exact {
    /// Zero.
    pub const ZERO: Exact = Exact { numerator: 0, denominator: 1 };

    /// The ratio of two integers. A denominator that is not positive is a bug in the caller.
    pub fn new(numerator: i128, denominator: i128) -> Exact {
        assert!(denominator > 0, "a ratio has a positive denominator, not {denominator}");
        let divisor = i128::try_from(gcd(numerator.unsigned_abs(), denominator.unsigned_abs()))
            .expect("the divisor of a positive 128-bit number fits");
        Exact { numerator: numerator / divisor, denominator: denominator / divisor }
    }

    /// The value of a decimal.
    pub fn from_decimal(value: Decimal) -> Exact {
        Exact::new(value.mantissa(), power_of_ten(value.scale()))
    }

    /// The numerator in lowest terms.
    pub fn numerator(&self) -> i128 {
        self.numerator
    }

    /// The denominator in lowest terms.
    pub fn denominator(&self) -> i128 {
        self.denominator
    }

    /// The sum; `None` when it leaves 128 bits.
    pub fn checked_add(self, other: Exact) -> Option<Exact> {
        let common =
            i128::try_from(gcd(self.denominator.unsigned_abs(), other.denominator.unsigned_abs())).ok()?;
        let left = self.numerator.checked_mul(other.denominator / common)?;
        let right = other.numerator.checked_mul(self.denominator / common)?;
        Some(Exact::new(
            left.checked_add(right)?,
            (self.denominator / common).checked_mul(other.denominator)?,
        ))
    }

    /// The product; `None` when it leaves 128 bits.
    pub fn checked_mul(self, other: Exact) -> Option<Exact> {
        let first = Exact::new(self.numerator, other.denominator);
        let second = Exact::new(other.numerator, self.denominator);
        Some(Exact::new(
            first.numerator.checked_mul(second.numerator)?,
            first.denominator.checked_mul(second.denominator)?,
        ))
    }

    /// The sum; leaving 128 bits is reported as a failure, never wrapped.
    pub fn plus(self, other: Exact) -> Result<Exact> {
        self.checked_add(other).ok_or_else(|| Failure::new(Exit::Bug, "an exact sum left 128 bits"))
    }

    /// The negated value.
    pub fn negated(self) -> Exact {
        Exact { numerator: -self.numerator, denominator: self.denominator }
    }

    /// The value in minor units of a currency, rounded once, and what rounding added (rounded minus exact, in major
    /// units; the rounding residual).
    pub fn round(self, currency: Currency, mode: RoundingMode) -> Result<(Money, Exact)> {
        let scaled = self
            .numerator
            .checked_mul(power_of_ten(currency.exponent()))
            .ok_or_else(|| Failure::new(Exit::Bug, "an amount left 128 bits while it was rounded"))?;
        let money = Money { minor_units: mode.divide(scaled, self.denominator), currency };
        let residual = money.exact().plus(self.negated())?;
        Ok((money, residual))
    }

    /// The value with `decimals` digits after the point, half away from zero: for display only, never summed.
    pub fn digits(self, decimals: u32) -> String {
        let scaled = self.numerator.checked_mul(power_of_ten(decimals));
        match scaled {
            Some(scaled) => {
                digits_at_scale(RoundingMode::HalfAway.divide(scaled, self.denominator), decimals)
            }
            None => format!("{}/{}", self.numerator, self.denominator),
        }
    }

    /// The shortest exact decimal when there is one (`0.04795`), else the ratio (`1/3`).
    pub fn shortest(self) -> String {
        let mut rest = self.denominator;
        let (mut twos, mut fives) = (0_u32, 0_u32);
        while rest % 2 == 0 {
            rest /= 2;
            twos += 1;
        }
        while rest % 5 == 0 {
            rest /= 5;
            fives += 1;
        }
        if rest == 1 {
            self.digits(twos.max(fives))
        } else {
            format!("{}/{}", self.numerator, self.denominator)
        }
    }
}

/// Ten to the power of `exponent`.
pub fn power_of_ten(exponent: u32) -> i128 {
    10_i128.checked_pow(exponent).expect("a power of ten up to 38 fits 128 bits")
}

/// The greatest common divisor; that of zero and zero counts as one.
pub fn gcd(left: u128, right: u128) -> u128 {
    let (mut left, mut right) = (left, right);
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left.max(1)
}

/// The least common multiple; `None` when it leaves 128 bits.
pub fn lcm(left: i128, right: i128) -> Option<i128> {
    let divisor = i128::try_from(gcd(left.unsigned_abs(), right.unsigned_abs())).ok()?;
    (left / divisor).checked_mul(right)
}

fn digits_at_scale(value: i128, scale: u32) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let magnitude = value.unsigned_abs();
    if scale == 0 {
        return format!("{sign}{magnitude}");
    }
    let divisor = power_of_ten(scale).unsigned_abs();
    format!("{sign}{}.{:0width$}", magnitude / divisor, magnitude % divisor, width = scale as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd() -> Currency {
        Currency::from_code("USD").unwrap()
    }

    #[test]
    fn exponents_follow_iso_4217() {
        for (code, exponent) in [("USD", 2), ("JPY", 0), ("KWD", 3), ("GBP", 2)] {
            assert_eq!(Currency::from_code(code).unwrap().exponent(), exponent, "{code}");
        }
        assert!(Currency::from_code("ZZZ").is_none());
        assert!(Currency::from_code("usd").is_none());
    }

    #[test]
    fn rounding_is_mirrored_for_negatives() {
        for (mode, numerator, expected) in [
            (RoundingMode::HalfAway, 5, 3),
            (RoundingMode::HalfEven, 5, 2),
            (RoundingMode::HalfEven, 7, 4),
            (RoundingMode::Up, 1, 1),
            (RoundingMode::Down, 5, 2),
        ] {
            assert_eq!(mode.divide(numerator, 2), expected, "{mode:?} {numerator}/2");
            assert_eq!(mode.divide(-numerator, 2), -expected, "{mode:?} -{numerator}/2");
        }
        assert_eq!(RoundingMode::Up.divide(4, 2), 2, "an exact quotient never moves");
    }

    #[test]
    fn the_residual_and_the_exact_value_add_up_to_the_rounded_one() {
        let third = Exact::new(1, 3);
        let (money, residual) = third.round(usd(), RoundingMode::HalfAway).unwrap();
        assert_eq!(money.digits(), "0.33");
        assert_eq!(third.plus(residual).unwrap(), money.exact());
    }

    #[test]
    fn digits_keep_sign_and_scale() {
        let money = Money { minor_units: -5, currency: usd() };
        assert_eq!(money.to_string(), "-0.05 USD");
        assert_eq!(
            Money { minor_units: 1200, currency: Currency::from_code("JPY").unwrap() }.digits(),
            "1200"
        );
        assert_eq!(Exact::new(4795, 100_000).shortest(), "0.04795");
        assert_eq!(Exact::new(1, 3).shortest(), "1/3");
        assert_eq!(Exact::new(7, 1).shortest(), "7");
    }
}
