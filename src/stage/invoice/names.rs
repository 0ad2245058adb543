//! Names behind the numbers that rating carries.

use std::collections::BTreeMap;

use crate::domain::document::InvoiceLine;
use crate::rules::compile::{Clause, CompiledRules};

/// The matter of a number from 1; empty for 0.
pub(super) fn matter(_rules: &CompiledRules, _number: u32) -> String {
    String::new()
}

/// The timekeeper's id of a number from 1; empty for 0.
pub(super) fn timekeeper(_rules: &CompiledRules, _number: u32) -> String {
    String::new()
}

/// The destination of a clause that comes from a rate deck, else empty.
pub(super) fn destination(_clause: &Clause) -> String {
    String::new()
}

/// The names of the timekeepers on some lines, by id.
pub(super) fn of_timekeepers(_rules: &CompiledRules, _lines: &[InvoiceLine]) -> BTreeMap<String, String> {
    BTreeMap::new()
}
