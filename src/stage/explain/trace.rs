//! Calls the pricing code with a trace that keeps everything.

use crate::domain::charge::Component;
use crate::domain::derivation::{Derivation, Step};
use crate::domain::event::EventView;
use crate::domain::{Exit, Failure, Result};
use crate::rules::compile::CompiledRules;
use crate::stage::rate::{GroupState, Rated, rate, settle_derivation};

/// One event, priced with all its steps.
#[derive(Clone, Debug)]
pub struct Traced {
    pub rated: Rated,
    pub components: Vec<Component>,
    pub derivation: Derivation,
}

/// Prices one event as [`rate`] does, and keeps the steps. What rating stopped after some prices, and what belongs to
/// other months, becomes a step of its own, so that the steps always add up to the charge.
///
/// # Errors
/// Steps that do not add up to the charge, which is a bug.
pub fn traced(rules: &CompiledRules, state: &mut GroupState, event: EventView<'_>) -> Result<Traced> {
    let mut derivation = Derivation::default();
    let id = event.id;
    let rated = rate(rules, state, event, &mut derivation);
    let components = state.components().to_vec();
    let replayed = derivation.replay();
    if replayed != rated.numerator {
        let kept: i128 = components.iter().map(|component| component.numerator).sum();
        let step = match (rated.reason, components.is_empty()) {
            (Some(_), true) if rated.numerator == 0 => Step::Withdrawn { numerator: replayed },
            _ if rules.only_month.is_some() && kept == rated.numerator => {
                Step::OtherMonths { before: replayed, numerator: kept }
            }
            _ => {
                let message = format!("the steps of {id} do not add up to its charge");
                return Err(Failure::new(Exit::Bug, message));
            }
        };
        let end = derivation.steps.len().saturating_sub(1);
        derivation.steps.insert(end, step);
    }
    Ok(Traced { rated, components, derivation })
}

impl Traced {
    /// Adds what the end of the period made of the event: volume tiers. `state` has seen all events, and `settled` is
    /// what rating them all made of this one.
    ///
    /// # Errors
    /// An amount beyond 128 bits; steps that do not add up to the charge, which is a bug.
    pub fn settle(&mut self, rules: &CompiledRules, state: &GroupState, settled: &Rated) -> Result<()> {
        let Some(payer) = self.rated.payer else { return Ok(()) };
        let before = self.derivation.steps.len();
        let numerator = settle_derivation(rules, state, payer, &self.components, &mut self.derivation)?;
        let volume = self.derivation.steps.split_off(before);
        if !volume.is_empty() {
            let steps = &mut self.derivation.steps;
            steps.retain(|step| !matches!(step, Step::Total { .. } | Step::Ended { .. }));
            steps.extend(volume);
            steps.push(Step::Total { numerator });
            steps.push(Step::Ended { disposition: settled.disposition, reason: settled.reason });
        }
        if numerator != settled.numerator || self.derivation.replay() != numerator {
            return Err(Failure::new(Exit::Bug, "the steps of an event do not add up to its charge"));
        }
        self.rated = *settled;
        Ok(())
    }
}
