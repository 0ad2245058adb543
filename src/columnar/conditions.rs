//! `where`: conditions of the rules in SQL, checked when the rules load and evaluated over the event table.
//!
//! The text is parsed by the parser of Polars' SQL front and walked against an allow-list: the columns below, literals
//! without floats, comparison, boolean operators, IN, BETWEEN, LIKE, CASE and IS NULL. Each part has a kind, and only
//! parts of one kind are compared, so Polars never converts anything. The carrier's cost is compared in whole sub-units
//! (10⁻¹⁰ of the currency's major unit): decimal literals beside it are rewritten to sub-units, exactly. Then Polars
//! evaluates it. A condition that is neither true nor false for an event (a column is absent) does not hold, and is
//! counted.

mod columns;
mod syntax;

use std::ops::Range;

use polars::prelude::*;

use crate::domain::{Exit, Failure, Result};
use crate::rules::diagnostic::{Diagnostic, SourceFile};
use crate::rules::ruleset::Condition;

use super::bug;

pub use columns::{COLUMNS, ColumnKind};

/// The most conditions of one rule set: an event keeps those that hold in 64 bits.
pub const CONDITIONS_MAX: usize = 64;

/// What is wrong with a condition, and where in its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionMistake {
    /// Bytes of the condition's text.
    pub span: Range<usize>,
    /// Lower case, without a final period.
    pub message: String,
    pub hint: Option<String>,
}

/// Which conditions hold for which events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masks {
    /// For each event the conditions that hold: bit `n` is condition `n`.
    pub rows: Vec<u64>,
    /// For each condition the number of events for which it is neither true nor false.
    pub unknown: Vec<usize>,
}

/// Checks the text of one condition.
///
/// # Errors
/// The first mistake in it.
pub fn check(text: &str) -> std::result::Result<(), ConditionMistake> {
    syntax::read(text).map(|_| ())
}

/// All mistakes in the conditions of a rule set, at their places in the rule files. How many there may be is checked when
/// the rules load.
pub fn diagnostics(conditions: &[Condition], files: &[SourceFile]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for condition in conditions {
        let Err(mistake) = check(&condition.text) else { continue };
        let file = files.iter().find(|file| file.name == condition.file);
        let span =
            file.map_or_else(|| condition.span.clone(), |file| span_in(condition, file, &mistake.span));
        let diagnostic = Diagnostic::error("wrong-condition", &condition.file, Some(span), mistake.message);
        found.push(match mistake.hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        });
    }
    found
}

/// The place of a mistake in the file: inside the quotes where the text stands there as it is, the whole value where it
/// has escapes.
fn span_in(condition: &Condition, file: &SourceFile, inner: &Range<usize>) -> Range<usize> {
    let whole = condition.span.clone();
    let written = file.text.get(whole.clone()).unwrap_or_default();
    match written.find(&condition.text) {
        Some(before) if !condition.text.is_empty() => {
            let start = whole.start + before;
            start + inner.start..start + inner.end
        }
        _ => whole,
    }
}

/// Evaluates conditions over an event table, which [`super::events::frame`] makes.
///
/// # Errors
/// A condition that [`check`] refuses, more than [`CONDITIONS_MAX`] of them, a failure of Polars.
pub fn evaluate(conditions: &[Condition], frame: &DataFrame) -> Result<Masks> {
    let mut masks = Masks { rows: vec![0; frame.height()], unknown: vec![0; conditions.len()] };
    if conditions.is_empty() {
        return Ok(masks);
    }
    if conditions.len() > CONDITIONS_MAX {
        let message = format!("the rules have {} conditions, {CONDITIONS_MAX} at most", conditions.len());
        return Err(Failure::new(Exit::Mistakes, message));
    }
    let (mut expressions, mut named) = (Vec::new(), Vec::new());
    for (place, condition) in conditions.iter().enumerate() {
        let read = syntax::read(&condition.text).map_err(|mistake| {
            Failure::new(Exit::Mistakes, format!("the condition `{}`: {}", condition.text, mistake.message))
        })?;
        expressions.push(read.expression.alias(format!("condition {place}")));
        named.extend(read.columns);
    }
    named.sort_unstable();
    named.dedup();
    let table = columns::table(frame, &named)?;
    // With the table's own columns beside them, constants are as long as the table.
    let holds = table.lazy().with_columns(expressions).collect().map_err(|error| bug(&error))?;
    for place in 0..conditions.len() {
        let column = holds.column(&format!("condition {place}")).and_then(|column| column.bool());
        let column = column.map_err(|error| bug(&error))?;
        for (row, holds) in column.iter().enumerate() {
            match holds {
                Some(true) => masks.rows[row] |= 1 << place,
                Some(false) => {}
                None => masks.unknown[place] += 1,
            }
        }
    }
    Ok(masks)
}

#[cfg(test)]
mod tests;
