//! What a payer owes for a period beside the charges of its events: fees, fees of tiers, what a period without usage
//! pays, discounts, the cap, the commitment. Exact ratios until the one rounding of each line.
//!
//! Nothing here prices an event, draws an allowance or knows a document; dates are civil days of the payer's zone, made
//! once from instants, so that a change of clocks neither loses nor repeats a day.

pub mod days;
pub mod fees;
pub mod limits;
pub mod rounding;
pub mod tiers;

#[cfg(test)]
mod tests;

use crate::domain::Exact;
use crate::domain::document::LineKey;

use rounding::LineRounding;

/// A line that is no event's, before its rounding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unrounded {
    pub key: LineKey,
    /// How many times the price applies: extensions or numbers of a fee; 0 where nothing is counted.
    pub count: i128,
    /// The price as written.
    pub price: String,
    /// What people need to follow the amount: `17 of 31 days`, `10% of 123.45`.
    pub note: String,
    /// In major units.
    pub exact: Exact,
    pub rounding: LineRounding,
}
