//! Volume tiers: all units of a period at the price of the tier that the period reaches, known when its last event is
//! rated.

use crate::domain::charge::{Charge, Component, ComponentKind};
use crate::domain::derivation::{Derivation, Step};
use crate::domain::disposition::EventDisposition;
use crate::domain::{Exit, Failure, Result};
use crate::rules::compile::{ClausePricing, CompiledRules};

use super::charge::tier_of;
use super::{GroupState, LineTarget, Rated, slot_of};

/// Prices all parts that waited for the end of their period, in charges, results and line sums.
///
/// # Errors
/// An amount beyond 128 bits.
pub fn settle(
    rules: &CompiledRules,
    state: &mut GroupState,
    rated: &mut [Rated],
    charges: &mut [(usize, Charge)],
) -> Result<()> {
    if !rules.clauses.iter().any(crate::rules::compile::Clause::is_volume) {
        return Ok(());
    }
    let waits = |target: LineTarget| match target {
        LineTarget::Clause(clause) => rules.clauses[clause as usize].is_volume(),
        LineTarget::Allowance { .. } => false,
    };
    let groups: Vec<(u32, u32)> = state.groups().map(|(payer, month, _)| (payer, month)).collect();
    for (payer, month) in groups {
        state.ledger.group_mut(payer, month).remove_lines(|slot| waits(slot.target));
    }
    for (event, charge) in charges {
        let mut seen = Vec::new();
        for component in &mut charge.components {
            if component.allowance.is_some() || !rules.clauses[component.clause as usize].is_volume() {
                continue;
            }
            if let Some((tier, _, numerator)) = reached(rules, state, charge.payer, component)? {
                rated[*event].numerator += numerator - component.numerator;
                (component.tier, component.numerator) = (tier, numerator);
            }
            let slot = slot_of(component);
            let again = seen.contains(&(component.month, slot));
            seen.push((component.month, slot));
            let group = state.ledger.group_mut(charge.payer, component.month);
            group.add(slot, u64::from(!again), i128::from(component.units), component.numerator);
        }
        let result = &mut rated[*event];
        if result.disposition == EventDisposition::Billed && result.numerator == 0 && !seen.is_empty() {
            result.disposition = EventDisposition::ZeroRated;
        }
    }
    Ok(())
}

/// Adds to the steps of one event what its period made of it; returns its charge.
///
/// # Errors
/// An amount beyond 128 bits.
pub fn settle_derivation(
    rules: &CompiledRules,
    state: &GroupState,
    payer: u32,
    components: &[Component],
    derivation: &mut Derivation,
) -> Result<i128> {
    for component in components {
        if component.allowance.is_some() || component.kind != ComponentKind::Usage {
            continue;
        }
        let Some((tier, units_of_period, numerator)) = reached(rules, state, payer, component)? else {
            continue;
        };
        let (clause, units) = (component.clause, component.units);
        derivation.steps.push(Step::Volume { clause, tier, units_of_period, units, numerator });
    }
    Ok(derivation.replay())
}

/// Tier, units of the period and amount of a part that waited. Fees beside it only learn their tier.
fn reached(
    rules: &CompiledRules,
    state: &GroupState,
    payer: u32,
    component: &Component,
) -> Result<Option<(u16, i64, i128)>> {
    let clause = &rules.clauses[component.clause as usize];
    let (ClausePricing::Volume(tiers), Some(counter)) = (&clause.pricing, clause.counter) else {
        return Ok(None);
    };
    let total = state.group(payer, component.month).map_or(0, |group| group.tier_used(counter));
    let tier = tier_of(tiers, (total - 1).max(0));
    let each = tiers[usize::from(tier) - 1].unit_numerator;
    let numerator = match component.kind {
        ComponentKind::Usage => each.checked_mul(i128::from(component.units)),
        _ => Some(component.numerator),
    };
    let too_large = || Failure::new(Exit::Bug, "the amount of a volume tier left 128 bits");
    Ok(Some((tier, total, numerator.ok_or_else(too_large)?)))
}
