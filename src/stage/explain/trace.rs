//! Calls the pricing code with a trace that keeps everything.

use std::collections::BTreeMap;

use crate::domain::charge::Component;
use crate::domain::derivation::{Derivation, Step};
use crate::domain::event::EventView;
use crate::domain::{Exit, Failure, Result};
use crate::rules::compile::{ClausePricing, CompiledRules};
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
    with_tiers(rules, state, &rated, &components, &mut derivation);
    Ok(Traced { rated, components, derivation })
}

/// Says of graduated tiers how many units they had counted before each price.
fn with_tiers(
    rules: &CompiledRules,
    state: &GroupState,
    rated: &Rated,
    components: &[Component],
    derivation: &mut Derivation,
) {
    let graduated = |step: &Step| match *step {
        Step::Price { clause, part, units, .. } => {
            let of = &rules.clauses[clause as usize];
            let counter = of.counter.filter(|_| matches!(of.pricing, ClausePricing::Graduated(_)));
            counter.map(|counter| (counter, clause, part, units))
        }
        _ => None,
    };
    let group = rated.payer.and_then(|payer| state.group(payer, rated.month));
    let one_month = components.iter().all(|component| component.month == rated.month);
    let (Some(group), false, true) = (group, components.is_empty(), one_month) else { return };
    let mut own: BTreeMap<usize, i64> = BTreeMap::new();
    for (counter, _, _, units) in derivation.steps.iter().filter_map(graduated) {
        *own.entry(counter).or_default() += units;
    }
    let mut before: BTreeMap<usize, i64> =
        own.iter().map(|(counter, units)| (*counter, group.tier_used(*counter) - units)).collect();
    for step in std::mem::take(&mut derivation.steps) {
        if let Some((counter, clause, tier, units)) = graduated(&step)
            && let Some(units_before) = before.get_mut(&counter)
        {
            derivation.steps.push(Step::Tier { clause, tier, units_before: *units_before, units });
            *units_before += units;
        }
        derivation.steps.push(step);
    }
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
