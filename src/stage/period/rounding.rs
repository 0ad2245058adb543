//! The one rounding of a line, by its tariff's mode and by what the tariff says of negative amounts.

use crate::domain::money::power_of_ten;
use crate::domain::{Currency, Exact, Exit, Failure, Money, Result, RoundingMode};
use crate::rules::options::NegativeRounding;
use crate::rules::ruleset::TariffVersion;

/// How the lines of a tariff version are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineRounding {
    pub mode: RoundingMode,
    pub negative: NegativeRounding,
}

impl LineRounding {
    /// As a tariff version declares it.
    pub fn of(tariff: &TariffVersion) -> LineRounding {
        LineRounding { mode: tariff.rounding.line, negative: tariff.options.negative }
    }

    /// The amount in minor units and what rounding added to it, in major units.
    ///
    /// # Errors
    /// An amount beyond 128 bits.
    pub fn round(self, exact: Exact, currency: Currency) -> Result<(Money, Exact)> {
        if self.negative == NegativeRounding::Mirror || exact.numerator() >= 0 {
            return exact.round(currency, self.mode);
        }
        let too_large = || Failure::new(Exit::Bug, "an amount left 128 bits while it was rounded");
        let scaled =
            exact.numerator().checked_mul(power_of_ten(currency.exponent())).ok_or_else(too_large)?;
        let money =
            Money { minor_units: toward_plus_infinity(self.mode, scaled, exact.denominator()), currency };
        let residual = money.exact().plus(exact.negated())?;
        Ok((money, residual))
    }
}

/// The mode of positive amounts moved along the number line instead of mirrored at zero: ties go up, "up" is the
/// ceiling, "down" the floor. A half to the even neighbour is the same both ways.
fn toward_plus_infinity(mode: RoundingMode, numerator: i128, denominator: i128) -> i128 {
    let (floor, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
    let up = match mode {
        RoundingMode::HalfAway => rest >= denominator - rest,
        RoundingMode::HalfEven => return mode.divide(numerator, denominator),
        RoundingMode::Up => rest > 0,
        RoundingMode::Down => false,
    };
    floor + i128::from(up)
}
