//! Derivations for people and programs: steps as sentences and as named fields, whose sums are the charges; and the
//! examples that tariffs carry.
//!
//! Nothing here prices anything: it calls the pricing code with a trace that keeps everything, and words what it kept.

mod examples;
mod sentences;
mod steps;
mod trace;

use crate::domain::Instant;
use crate::domain::charge::Unit;
use crate::domain::event::EventView;
use crate::domain::time::Span;

pub use examples::{ExampleResult, event_of_example, run_examples};
pub use sentences::{price_of, sentences};
pub use steps::{ExplainedStep, OptionInForce, TariffInForce, explained_steps, tariff_in_force, tariffs_of};
pub use trace::{Traced, traced};

/// `66 s`, `1 page`, `3 segments`.
pub fn counted(unit: Unit, count: i128) -> String {
    match (unit, count) {
        (Unit::Second, _) => format!("{count} s"),
        (unit, 1) => format!("1 {unit}"),
        (unit, _) => format!("{count} {unit}s"),
    }
}

/// `1 record`, `2 records`.
pub fn counted_noun(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
/// Longer than any call; rules are compiled for a span that holds the events with so much room.
const LENGTH_MILLISECONDS_MAX: i64 = 366 * 86_400_000;

/// The span a rule set must be compiled for to rate some events: from the first start to the last end.
pub fn span_of<'a>(events: impl Iterator<Item = EventView<'a>>) -> Span {
    span_over(events.map(|event| {
        let quantities = &event.quantities;
        (event.start, quantities.master.max(quantities.customer_facing).unwrap_or(0))
    }))
}

/// As [`span_of`], of starts and lengths in milliseconds.
pub fn span_over(events: impl Iterator<Item = (Instant, i64)>) -> Span {
    let mut span: Option<Span> = None;
    for (start, length) in events {
        let end = start.plus_milliseconds(length.clamp(0, LENGTH_MILLISECONDS_MAX) + 86_400_000);
        span = Some(span.map_or(Span { from: start, to: end }, |span| Span {
            from: span.from.min(start),
            to: span.to.max(end),
        }));
    }
    span.unwrap_or(Span { from: Instant::from_milliseconds(0), to: Instant::from_milliseconds(1) })
}
