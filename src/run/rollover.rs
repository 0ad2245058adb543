//! Balances of allowances over months: read from the documents of earlier months, kept with those of this one.

use std::collections::BTreeMap;

use crate::book::StoredDocument;
use crate::domain::charge::Unit;
use crate::domain::document::{Balance, BalanceLeft, Document};
use crate::domain::time::Month;
use crate::domain::{Exact, Exit, Failure, Hash, Result};
use crate::rules::compile::CompiledRules;
use crate::stage::rate::{Carried, GroupState, Holder};

use super::rating::Opening;

/// The month in which rating has to begin so that balances of earlier documents reach `month`; `None` without any.
pub fn first_month(documents: &[(StoredDocument, Document)], month: Month) -> Option<Month> {
    let latest = latest(documents, month);
    latest.values().map(|(from, _)| from.next()).min()
}

/// What the latest documents before a month left, for the month after each of them.
///
/// # Errors
/// A balance that is no whole number of what the rules count in (exit 7).
pub fn openings(
    rules: &CompiledRules,
    documents: &[(StoredDocument, Document)],
    month: Month,
) -> Result<Vec<Opening>> {
    let mut openings = Vec::new();
    for ((holder, counter), (from, (payer, balance))) in latest_of(rules, documents, month) {
        let Some(begins) = index_of(rules, from.next()).and_then(|index| u32::try_from(index).ok()) else {
            continue;
        };
        let carried = balance.left.iter().map(|part| carried(rules, balance, part)).collect::<Result<_>>()?;
        openings.push(Opening { holder, payer, month: begins, counter, carried });
    }
    Ok(openings)
}

/// What the allowances of a payer carry out of a month, its pool's with them; empty where nothing rolls over.
pub fn closing(rules: &CompiledRules, state: &GroupState, payer: u32, month: u32) -> Vec<Balance> {
    if !rules.has_rollover || state.group(payer, month).is_none() {
        return Vec::new();
    }
    let pool = rules.payers[payer as usize].pool;
    let own = state.closing(rules, Holder::Payer(payer), payer, month);
    let shared = pool.map(|pool| state.closing(rules, Holder::Pool(pool), payer, month));
    let mut balances = Vec::new();
    for (index, counter) in rules.counters.iter().enumerate() {
        let (carried, name) = match (&shared, pool) {
            (Some(shared), Some(pool)) if counter.shared => (&shared[index], rules.pools[pool].name.clone()),
            _ => (&own[index], String::new()),
        };
        if carried.is_empty() {
            continue;
        }
        let unit = unit_of(rules, index);
        let left = carried.iter().map(|part| BalanceLeft {
            granted: month_of(rules, part.month).key(),
            left: if unit == Unit::Amount { rules.exact(part.left) } else { Exact::new(part.left, 1) },
        });
        balances.push(Balance {
            tariff: counter.tariff.clone(),
            allowance: counter.allowance.clone(),
            pool: name,
            unit,
            left: left.collect(),
        });
    }
    balances
}

/// Hash of what earlier documents left, as an input of the run; `None` when they left nothing.
pub fn hash(openings: &[Opening]) -> Option<Hash> {
    let parts: Vec<String> = openings
        .iter()
        .map(|opening| {
            format!("{:?} {} {} {:?}", opening.holder, opening.month, opening.counter, opening.carried)
        })
        .collect();
    (!parts.is_empty()).then(|| Hash::of_parts(parts.iter().map(String::as_bytes)))
}

type Latest<'a> = BTreeMap<&'a str, (Month, &'a Document)>;

/// The latest live document of each payer before a month, by contact; only those with balances.
fn latest(documents: &[(StoredDocument, Document)], month: Month) -> Latest<'_> {
    let mut latest: Latest<'_> = BTreeMap::new();
    for (stored, document) in documents {
        let of = document.invoice.period.month;
        if !stored.live || of >= month {
            continue;
        }
        let entry = latest.entry(&stored.contact_id).or_insert((of, document));
        if entry.0 <= of {
            *entry = (of, document);
        }
    }
    latest.retain(|_, (_, document)| !document.invoice.balances.is_empty());
    latest
}

type OfHolders<'a> = BTreeMap<(Holder, usize), (Month, (u32, &'a Balance))>;

/// The latest balance of each holder and counter. All members of a pool keep the pool's; the latest is what counts.
fn latest_of<'a>(
    rules: &CompiledRules,
    documents: &'a [(StoredDocument, Document)],
    month: Month,
) -> OfHolders<'a> {
    let mut found: OfHolders<'a> = BTreeMap::new();
    for (contact, (of, document)) in latest(documents, month) {
        let Some(place) = rules.payers.iter().position(|payer| payer.contact.id == contact) else { continue };
        let payer = u32::try_from(place).expect("payers are counted in 32 bits");
        for balance in &document.invoice.balances {
            let counter = rules.counters.iter().position(|counter| {
                (counter.tariff.as_str(), counter.allowance.as_str())
                    == (balance.tariff.as_str(), balance.allowance.as_str())
            });
            let Some(counter) = counter else { continue };
            let pool = rules.payers[place].pool.filter(|_| rules.counters[counter].shared);
            let holder = pool.map_or(Holder::Payer(payer), Holder::Pool);
            let entry = found.entry((holder, counter)).or_insert((of, (payer, balance)));
            if entry.0 < of {
                *entry = (of, (payer, balance));
            }
        }
    }
    found
}

fn carried(rules: &CompiledRules, balance: &Balance, part: &BalanceLeft) -> Result<Carried> {
    let damaged = || {
        let what = format!("the balance of {} of {}", balance.allowance, part.granted);
        Failure::new(Exit::Verification, format!("{what} cannot be counted by the rules of today"))
    };
    let month = Month::parse(&part.granted).and_then(|month| index_of(rules, month)).ok_or_else(damaged)?;
    let scale = if balance.unit == Unit::Amount { rules.denominator } else { 1 };
    let whole = part.left.checked_mul(Exact::new(scale, 1)).filter(|left| left.denominator() == 1);
    Ok(Carried { month, left: whole.ok_or_else(damaged)?.numerator() })
}

fn unit_of(rules: &CompiledRules, counter: usize) -> Unit {
    let of_version = rules.versions.iter().rev().find_map(|version| {
        let position = version.counters.iter().position(|known| *known == counter)?;
        Some(version.tariff.allowances[position].unit)
    });
    of_version.unwrap_or(Unit::Call)
}

/// Index of a month in the compiled rules; months before their span have negative ones.
fn index_of(rules: &CompiledRules, month: Month) -> Option<i32> {
    use chrono::Datelike;
    let number =
        |month: Month| month.first_day().year() * 12 + i32::try_from(month.first_day().month0()).unwrap_or(0);
    number(month).checked_sub(number(rules.month(0)))
}

/// The month of an index, also before the compiled span.
fn month_of(rules: &CompiledRules, index: i32) -> Month {
    let first = rules.month(0);
    let day = match u32::try_from(index) {
        Ok(after) => return rules.month(after),
        Err(_) => first.first_day().checked_sub_months(chrono::Months::new(index.unsigned_abs())),
    };
    day.map_or(first, Month::of)
}
