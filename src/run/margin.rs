//! Charge, cost and what is between them, by payer.

use std::collections::BTreeMap;

use crate::output::margin::MarginRow;
use crate::rules::compile::{ClausePricing, CompiledRules};

use super::bill::BillingRun;
use super::rating::is_charged;

/// The payers' margins; `None` where no tariff knows a cost.
pub fn margins(run: &BillingRun) -> Option<Vec<MarginRow>> {
    if !knows_cost(&run.rules) {
        return None;
    }
    /// Numerators of charge and cost, events with a cost and without.
    #[derive(Default)]
    struct Sum(i128, i128, u64, u64);
    let mut sums: BTreeMap<u32, Sum> = BTreeMap::new();
    for ((disposition, _), rated) in run.dispositions.iter().zip(&run.rating.rated) {
        let Some(payer) = rated.payer.filter(|_| is_charged(*disposition)) else { continue };
        let sum = sums.entry(payer).or_default();
        match rated.cost {
            Some(cost) => {
                sum.0 = sum.0.checked_add(rated.numerator).expect("a sum of charges left 128 bits");
                sum.1 = sum.1.checked_add(cost).expect("a sum of costs left 128 bits");
                sum.2 += 1;
            }
            None => sum.3 += 1,
        }
    }
    let row = |(payer, sum): (u32, Sum)| {
        let terms = run.rules.payers.get(payer as usize)?;
        Some(MarginRow {
            contact_id: terms.contact.id.clone(),
            payer: terms.contact.name.clone(),
            currency: terms.currency,
            events: sum.2,
            events_without_cost: sum.3,
            charge: run.rules.exact(sum.0),
            cost: run.rules.exact(sum.1),
        })
    };
    let mut rows: Vec<MarginRow> = sums.into_iter().filter_map(row).collect();
    rows.sort_by(|left, right| left.contact_id.cmp(&right.contact_id));
    Some(rows)
}

fn knows_cost(rules: &CompiledRules) -> bool {
    rules.versions.iter().any(|version| version.supplier.is_some())
        || rules.clauses.iter().any(|clause| matches!(clause.pricing, ClausePricing::Cost { .. }))
}
