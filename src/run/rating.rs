//! Events → charges: the event table feeds the pricing code, whatever the command.

use crate::columnar::charges;
use crate::domain::Result;
use crate::domain::charge::Charge;
use crate::domain::derivation::Silent;
use crate::domain::disposition::EventDisposition;
use crate::domain::event::BillableEvent;
use crate::rules::compile::CompiledRules;
use crate::stage::rate::{GroupState, Rated, rate, settle};

/// What rating made of some events.
pub struct RatingRun {
    /// One for each event, in the order of the events.
    pub rated: Vec<Rated>,
    /// Charges of the events that have components, with the index of the event.
    pub charges: Vec<(usize, Charge)>,
    pub state: GroupState,
}

/// Rates events that are sorted by start, then id, and cross-foots the sums.
///
/// # Errors
/// Columns that contradict each other, sums that differ (exit 7).
pub fn rate_all(rules: &CompiledRules, events: &[BillableEvent]) -> Result<RatingRun> {
    let mut state = GroupState::new(rules);
    let mut rated = Vec::with_capacity(events.len());
    let mut made = Vec::new();
    for (row, event) in events.iter().enumerate() {
        let result = rate(rules, &mut state, event.view(), &mut Silent);
        if let (Some(payer), false) = (result.payer, state.components().is_empty()) {
            let components = state.components().to_vec();
            made.push((row, Charge { event_id: event.id.clone(), payer, components }));
        }
        rated.push(result);
    }
    settle(rules, &mut state, &mut rated, &mut made)?;
    let all: Vec<Charge> = made.iter().map(|(_, charge)| charge.clone()).collect();
    charges::cross_foot(rules, &state, &all)?;
    Ok(RatingRun { rated, charges: made, state })
}

/// Whether an event's charge stands on a document of its payer.
pub fn is_charged(disposition: EventDisposition) -> bool {
    matches!(
        disposition,
        EventDisposition::Billed | EventDisposition::InAllowance | EventDisposition::ZeroRated
    )
}
