//! Rounding.

use num_bigint::{BigInt, Sign};
use num_rational::BigRational;
use num_traits::{Signed, Zero};

/// Digits of the minor unit of a currency (ISO 4217), for the currencies that tests use.
pub fn minor_digits(currency: &str) -> u32 {
    match currency {
        "USD" | "GBP" | "EUR" | "CAD" => 2,
        "JPY" => 0,
        "KWD" | "BHD" => 3,
        other => panic!("the oracle does not know the currency {other}"),
    }
}

pub fn minor_units(currency: &str) -> BigInt {
    BigInt::from(10).pow(minor_digits(currency))
}

/// To whole minor units of a currency. Negative amounts are mirrored, or the mode is moved toward plus infinity.
pub fn rounded_minor(amount: &BigRational, currency: &str, mode: &str, toward_plus_infinity: bool) -> BigInt {
    let units = amount * minor_units(currency);
    if toward_plus_infinity && units.is_negative() {
        return shifted(&units, mode);
    }
    rounded(&units, mode)
}

/// Half-away from zero becomes half toward plus infinity, up becomes the ceiling, down the floor.
fn shifted(value: &BigRational, mode: &str) -> BigInt {
    let half = BigRational::new(1.into(), 2.into());
    match mode {
        "half-away" => (value + half).floor().to_integer(),
        "up" => value.ceil().to_integer(),
        "down" => value.floor().to_integer(),
        mode => rounded(value, mode),
    }
}

/// To so many decimals.
pub fn rounded_to(value: &BigRational, decimals: u32, mode: &str) -> BigRational {
    let scale = BigInt::from(10).pow(decimals);
    BigRational::new(rounded(&(value * &scale), mode), scale)
}

/// To a whole number; every mode is mirrored at zero.
pub fn rounded(value: &BigRational, mode: &str) -> BigInt {
    let size = value.abs();
    let below = size.to_integer();
    let rest = &size - BigRational::from_integer(below.clone());
    let half = BigRational::new(1.into(), 2.into());
    let away = match mode {
        "half-away" => rest >= half,
        "half-even" => rest > half || (rest == half && (&below % 2) == BigInt::from(1)),
        "up" => !rest.is_zero(),
        "down" => false,
        other => panic!("no rounding mode: {other}"),
    };
    let size = if away { below + 1 } else { below };
    if value.numer().sign() == Sign::Minus { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2.5 → 3, 2, 3, 2; 3.5 → 4, 4, 4, 3; 2.4 → 2, 2, 3, 2; and the same below zero.
    #[test]
    fn modes_are_mirrored() {
        let modes = ["half-away", "half-even", "up", "down"];
        for (tenths, expected) in
            [(25, [3, 2, 3, 2]), (35, [4, 4, 4, 3]), (24, [2, 2, 3, 2]), (30, [3, 3, 3, 3])]
        {
            for (mode, expected) in modes.iter().zip(expected) {
                for sign in [1, -1] {
                    let value = BigRational::new((sign * tenths).into(), 10.into());
                    assert_eq!(rounded(&value, mode), BigInt::from(sign * expected), "{tenths} {mode}");
                }
            }
        }
    }

    /// −2.5 → −2, −2, −2, −3; −2.4 → −2, −2, −2, −3; −3.5 → −3, −4, −3, −4.
    #[test]
    fn modes_toward_plus_infinity() {
        let modes = ["half-away", "half-even", "up", "down"];
        for (tenths, expected) in [(25, [-2, -2, -2, -3]), (24, [-2, -2, -2, -3]), (35, [-3, -4, -3, -4])] {
            for (mode, expected) in modes.iter().zip(expected) {
                let value = BigRational::new((-tenths).into(), 1000.into());
                assert_eq!(
                    rounded_minor(&value, "USD", mode, true),
                    BigInt::from(expected),
                    "{tenths} {mode}"
                );
            }
        }
    }
}
