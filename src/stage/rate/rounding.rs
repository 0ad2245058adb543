//! Rounding of charges where a tariff declares it: of the whole event, or increment by increment.

use crate::domain::money::power_of_ten;
use crate::rules::options::{ChargeRounding, Rounding};

/// A numerator at the declared scale.
pub(super) fn round(numerator: i128, rounding: Rounding, denominator: i128) -> i128 {
    let step = denominator / power_of_ten(rounding.charge_scale);
    rounding.charge_mode.divide(numerator, step) * step
}

/// Amounts of increments that are rounded one by one.
pub(super) struct Increments {
    rounding: Option<Rounding>,
    denominator: i128,
    /// The increment under way: its number, whose it is, and its sum.
    open: Option<(u32, Owner, i128)>,
    differences: Vec<(u32, u16, u32, i128)>,
}

/// Clause, tier and month.
type Owner = (u32, u16, u32);

impl Increments {
    pub fn new(rounding: Rounding, denominator: i128) -> Increments {
        let rounding = Some(rounding).filter(|rounding| rounding.charge == ChargeRounding::PerIncrement);
        Increments { rounding, denominator, open: None, differences: Vec::new() }
    }

    pub fn add(&mut self, number: u32, owner: Owner, numerator: i128) {
        if self.rounding.is_none() {
            return;
        }
        match &mut self.open {
            Some((open, _, sum)) if *open == number => *sum += numerator,
            _ => {
                self.close();
                self.open = Some((number, owner, numerator));
            }
        }
    }

    fn close(&mut self) {
        let (Some(rounding), Some((_, owner, sum))) = (self.rounding, self.open.take()) else { return };
        let difference = round(sum, rounding, self.denominator) - sum;
        let (clause, tier, month) = owner;
        let same = |known: &&mut (u32, u16, u32, i128)| (known.0, known.1, known.2) == owner;
        match self.differences.iter_mut().find(same) {
            Some(known) => known.3 += difference,
            None => self.differences.push((clause, tier, month, difference)),
        }
    }

    /// What rounding changed, by clause, tier and month.
    pub fn finish(&mut self) -> Vec<(u32, u16, u32, i128)> {
        self.close();
        let mut differences = std::mem::take(&mut self.differences);
        differences.retain(|(_, _, _, difference)| *difference != 0);
        differences
    }
}
