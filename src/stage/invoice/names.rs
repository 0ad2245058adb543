//! Names behind the numbers that rating carries.

use std::collections::BTreeMap;

use crate::domain::document::InvoiceLine;
use crate::rules::compile::CompiledRules;

/// The matter of a number from 1; empty for 0.
pub(super) fn matter(rules: &CompiledRules, number: u32) -> String {
    named(&rules.identity.matters, number)
}

/// The timekeeper's id of a number from 1; empty for 0.
pub(super) fn timekeeper(rules: &CompiledRules, number: u32) -> String {
    named(&rules.identity.timekeepers, number)
}

fn named(names: &[String], number: u32) -> String {
    let index = usize::try_from(number).unwrap_or(usize::MAX).checked_sub(1);
    index.and_then(|index| names.get(index)).cloned().unwrap_or_default()
}

/// The names of the timekeepers on some lines, by id.
pub(super) fn of_timekeepers(rules: &CompiledRules, lines: &[InvoiceLine]) -> BTreeMap<String, String> {
    let ids = lines.iter().map(|line| &line.key.timekeeper);
    ids.filter_map(|id| Some((id.clone(), rules.timekeeper_names.get(id)?.clone()))).collect()
}
