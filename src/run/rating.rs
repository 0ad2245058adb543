//! Events → charges: the event table feeds the pricing code, whatever the command.

use crate::columnar::{charges, conditions, events};
use crate::domain::Result;
use crate::domain::charge::Charge;
use crate::domain::derivation::Silent;
use crate::domain::disposition::EventDisposition;
use crate::domain::event::{BillableEvent, EventView};
use crate::rules::RuleSet;
use crate::rules::compile::CompiledRules;
use crate::stage::explain::{ExampleResult, event_of_example, run_examples};
use crate::stage::rate::{GroupState, Rated, rate, settle};

/// What rating made of some events.
pub struct RatingRun {
    /// One for each event, in the order of the events.
    pub rated: Vec<Rated>,
    /// Charges of the events that have components, with the index of the event.
    pub charges: Vec<(usize, Charge)>,
    pub state: GroupState,
    /// Which conditions of the rules hold for each event.
    pub conditions: Vec<u64>,
}

/// Rates events that are sorted by start, then id, and cross-foots the sums.
///
/// # Errors
/// Columns that contradict each other, sums that differ (exit 7).
pub fn rate_all(rules: &CompiledRules, events: &[BillableEvent]) -> Result<RatingRun> {
    let conditions = conditions_of(rules, events)?;
    let mut state = GroupState::new(rules);
    let mut rated = Vec::with_capacity(events.len());
    let mut made = Vec::new();
    for (row, event) in events.iter().enumerate() {
        let result = rate(rules, &mut state, view(event, conditions[row]), &mut Silent);
        if let (Some(payer), false) = (result.payer, state.components().is_empty()) {
            let components = state.components().to_vec();
            made.push((row, Charge { event_id: event.id.clone(), payer, components }));
        }
        rated.push(result);
    }
    settle(rules, &mut state, &mut rated, &mut made)?;
    let all: Vec<Charge> = made.iter().map(|(_, charge)| charge.clone()).collect();
    charges::cross_foot(rules, &state, &all)?;
    Ok(RatingRun { rated, charges: made, state, conditions })
}

/// Which conditions of the rules hold for each event.
///
/// # Errors
/// A failure of Polars.
pub fn conditions_of(rules: &CompiledRules, events: &[BillableEvent]) -> Result<Vec<u64>> {
    if rules.conditions.is_empty() {
        return Ok(vec![0; events.len()]);
    }
    Ok(conditions::evaluate(&rules.conditions, &events::frame(events)?)?.rows)
}

/// Runs the examples that the rule files carry.
///
/// # Errors
/// Rules that cannot be compiled, a failure of Polars.
pub fn test_examples(rules: &RuleSet) -> Result<Vec<ExampleResult>> {
    let mut masks = vec![0; rules.examples.len()];
    if !rules.conditions.is_empty() {
        let examples: Vec<BillableEvent> = rules.examples.iter().map(event_of_example).collect();
        masks = conditions::evaluate(&rules.conditions, &events::frame(&examples)?)?.rows;
    }
    run_examples(rules, &masks)
}

/// An event as the pricing code sees it.
pub fn view(event: &BillableEvent, conditions: u64) -> EventView<'_> {
    EventView { conditions, ..event.view() }
}

/// Whether an event's charge stands on a document of its payer.
pub fn is_charged(disposition: EventDisposition) -> bool {
    matches!(
        disposition,
        EventDisposition::Billed | EventDisposition::InAllowance | EventDisposition::ZeroRated
    )
}
