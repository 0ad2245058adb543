//! Events → charges: the event table feeds the pricing code, whatever the command.

use crate::columnar::conditions::Masks;
use crate::columnar::{charges, conditions, events};
use crate::domain::Result;
use crate::domain::charge::Charge;
use crate::domain::derivation::Silent;
use crate::domain::disposition::EventDisposition;
use crate::domain::event::{BillableEvent, EventView};
use crate::rules::RuleSet;
use crate::rules::compile::CompiledRules;
use crate::stage::explain::{ExampleResult, event_of_example, run_examples};
use crate::stage::rate::{Carried, GroupState, Holder, Rated, rate, settle};

/// What rating made of some events.
pub struct RatingRun {
    /// One for each event, in the order of the events.
    pub rated: Vec<Rated>,
    /// Charges of the events that have components, with the index of the event.
    pub charges: Vec<(usize, Charge)>,
    pub state: GroupState,
    /// Which conditions of the rules hold for each event.
    pub conditions: Vec<u64>,
    /// For each condition the number of events for which it is neither true nor false.
    pub conditions_unknown: Vec<usize>,
}

/// What an earlier document left of an allowance.
pub struct Opening {
    pub holder: Holder,
    /// The payer, or a member of the pool.
    pub payer: u32,
    /// The month after the document's, from which the balance lives on.
    pub month: u32,
    pub counter: usize,
    pub carried: Vec<Carried>,
}

/// Counters as they stand before the first event: empty but for what earlier documents left.
pub fn started(rules: &CompiledRules, openings: &[Opening]) -> GroupState {
    let mut state = GroupState::new(rules);
    for opening in openings {
        state.set_opening(opening.holder, opening.counter, opening.carried.clone());
    }
    for opening in openings {
        state.open(rules, opening.payer, opening.month);
    }
    state
}

/// Rates events that are sorted by start, then id, and cross-foots the sums.
///
/// # Errors
/// Columns that contradict each other, sums that differ (exit 7).
pub fn rate_all(rules: &CompiledRules, events: &[BillableEvent]) -> Result<RatingRun> {
    rate_from(rules, GroupState::new(rules), events, &[])
}

/// As [`rate_all`], from counters that earlier documents left. The events may come in several turns, each sorted; `turns`
/// are the indices at which another one begins. It draws on what the former left, also for events that start before.
///
/// # Errors
/// As [`rate_all`].
pub fn rate_from(
    rules: &CompiledRules,
    mut state: GroupState,
    events: &[BillableEvent],
    turns: &[usize],
) -> Result<RatingRun> {
    let Masks { rows: conditions, unknown: conditions_unknown } = conditions_of(rules, events)?;
    let mut rated = Vec::with_capacity(events.len());
    let mut made = Vec::new();
    for (row, event) in events.iter().enumerate() {
        if turns.contains(&row) {
            state.append();
        }
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
    Ok(RatingRun { rated, charges: made, state, conditions, conditions_unknown })
}

/// Which conditions of the rules hold for each event.
///
/// # Errors
/// A failure of Polars.
pub fn conditions_of(rules: &CompiledRules, events: &[BillableEvent]) -> Result<Masks> {
    if rules.conditions.is_empty() {
        return Ok(Masks { rows: vec![0; events.len()], unknown: Vec::new() });
    }
    conditions::evaluate(&rules.conditions, &events::frame(events)?)
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
