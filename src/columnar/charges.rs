//! Charges as columns: the aggregation of components to line totals, by Polars, against which the sums of the pricing
//! code are cross-footed before anything is published. Money is Int128: 64-bit sums of Polars wrap silently.

use std::collections::BTreeMap;

use polars::prelude::*;

use crate::domain::charge::Charge;
use crate::domain::{Exit, Failure, Result};
use crate::rules::compile::CompiledRules;
use crate::stage::rate::{GroupState, LineSlot, slot_of};

use super::bug;

/// Payer and line slot.
pub type Key = (u32, LineSlot);

/// Sums the components of all charges by payer and line: units and numerators.
///
/// # Errors
/// A failure of Polars.
pub fn totals(charges: &[Charge]) -> Result<BTreeMap<Key, (i128, i128)>> {
    let mut slots: Vec<LineSlot> = Vec::new();
    let mut index: BTreeMap<LineSlot, u32> = BTreeMap::new();
    let (mut payers, mut slot_ids) = (Vec::new(), Vec::new());
    let (mut units, mut numerators) = (Vec::new(), Vec::new());
    for charge in charges {
        for component in &charge.components {
            let slot = slot_of(component);
            let id = *index.entry(slot).or_insert_with(|| {
                slots.push(slot);
                u32::try_from(slots.len() - 1).expect("lines are counted in 32 bits")
            });
            payers.push(charge.payer);
            slot_ids.push(id);
            units.push(i128::from(component.units));
            numerators.push(component.numerator);
        }
    }
    let grouped = group(payers, slot_ids, units, numerators).map_err(|error| bug(&error))?;
    let read = || -> PolarsResult<BTreeMap<Key, (i128, i128)>> {
        let (payer, slot) = (grouped.column("payer")?.u32()?, grouped.column("slot")?.u32()?);
        let (units, numerator) = (grouped.column("units")?.i128()?, grouped.column("numerator")?.i128()?);
        let mut totals = BTreeMap::new();
        for row in 0..grouped.height() {
            if let (Some(payer), Some(slot), Some(units), Some(numerator)) =
                (payer.get(row), slot.get(row), units.get(row), numerator.get(row))
            {
                totals.insert((payer, slots[slot as usize]), (units, numerator));
            }
        }
        Ok(totals)
    };
    read().map_err(|error| bug(&error))
}

fn group(
    payers: Vec<u32>,
    slots: Vec<u32>,
    units: Vec<i128>,
    numerators: Vec<i128>,
) -> PolarsResult<DataFrame> {
    let rows = payers.len();
    let columns = vec![
        Column::new("payer".into(), payers),
        Column::new("slot".into(), slots),
        Int128Chunked::from_vec("units".into(), units).into_column(),
        Int128Chunked::from_vec("numerator".into(), numerators).into_column(),
    ];
    DataFrame::new(rows, columns)?
        .lazy()
        .group_by([col("payer"), col("slot")])
        .agg([col("units").sum(), col("numerator").sum()])
        .collect()
}

/// Compares the aggregation with the sums that the pricing code kept, line by line.
///
/// # Errors
/// The first line on which the two differ (exit 7): nothing may be published then.
pub fn cross_foot(rules: &CompiledRules, state: &GroupState, charges: &[Charge]) -> Result<()> {
    compare(rules, state, &totals(charges)?)
}

/// As [`cross_foot`], of charges that were aggregated in pieces.
///
/// # Errors
/// As [`cross_foot`].
pub fn compare(
    rules: &CompiledRules,
    state: &GroupState,
    aggregated: &BTreeMap<Key, (i128, i128)>,
) -> Result<()> {
    let mut kept: BTreeMap<Key, (i128, i128)> = BTreeMap::new();
    for (payer, _, group) in state.groups() {
        for (slot, total) in &group.lines {
            let sums = kept.entry((payer, *slot)).or_default();
            sums.0 += total.units;
            sums.1 += total.numerator;
        }
    }
    for key in aggregated.keys().chain(kept.keys()) {
        let (left, right) = (aggregated.get(key), kept.get(key));
        if left != right {
            let contact = &rules.payers[key.0 as usize].contact.id;
            let message =
                format!("the charges of {contact} add up to {left:?} by columns and to {right:?} by events");
            return Err(Failure::new(Exit::Verification, message).while_doing("cross-footing the charges"));
        }
    }
    Ok(())
}
