//! What is left of allowances: counters by owner and month, with units carried from month to month.

use std::collections::BTreeMap;

use num_rational::BigRational;
use num_traits::Zero;

use super::Defect;
use super::calendar::{days_shared, month_bounds, month_days, month_number, month_of_number};
use super::identify::World;
use super::language::{Allowance, Grant, Tariff, integer};
use super::tables::Contact;

/// Owner (a contact, or a pool of a tariff), tariff, allowance.
type Account = (String, String, String);

#[derive(Clone, Debug, Default)]
struct Balance {
    /// Months that granted units, the oldest first, and what is left of each.
    carried: Vec<(i64, i64)>,
    own_used: i64,
}

#[derive(Default)]
pub struct Ledger {
    balances: BTreeMap<(Account, i64), Balance>,
    spent: BTreeMap<(Account, i64), BigRational>,
    /// The month of the first event of each contact and pool.
    first_months: BTreeMap<String, i64>,
    /// Grants asked for already, by contact, allowance (by its place in memory) and month.
    granted: BTreeMap<(String, *const Allowance, i64), i64>,
}

/// The contact, or the pool of this tariff that it belongs to.
fn owner(world: &World, contact: &Contact, tariff: &Tariff, allowance: &Allowance) -> String {
    if !allowance.shared || contact.pool.is_empty() || world.defect(Defect::PoolNotShared) {
        return contact.id.clone();
    }
    pool_name(&tariff.name, &contact.pool)
}

fn pool_name(tariff: &str, pool: &str) -> String {
    format!("pool {pool} of {tariff}")
}

impl Ledger {
    /// To be told of every event of a contact, in their order.
    pub fn saw(&mut self, contact: &Contact, month: &str) {
        let month = month_number(month);
        self.first_months.entry(contact.id.clone()).or_insert(month);
        if let Some(tariff) = contact.chain.first() {
            self.first_months.entry(pool_name(tariff, &contact.pool)).or_insert(month);
        }
    }

    /// Units that may still be drawn.
    pub fn left(
        &mut self,
        world: &World,
        contact: &Contact,
        (tariff, allowance): (&Tariff, &Allowance),
        month: &str,
    ) -> i64 {
        let month = month_number(month);
        let granted = *self
            .granted
            .entry((contact.id.clone(), std::ptr::from_ref(allowance), month))
            .or_insert_with(|| granted(world, contact, tariff, allowance, month));
        let balance = self.balance(world, contact, (tariff, allowance), month);
        let carried: i64 = balance.carried.iter().map(|(_, units)| units).sum();
        carried + (granted - balance.own_used).max(0)
    }

    /// Draws units: carried ones first, the oldest first.
    pub fn take(
        &mut self,
        world: &World,
        contact: &Contact,
        (tariff, allowance): (&Tariff, &Allowance),
        month: &str,
        units: i64,
    ) {
        let balance = self.balance(world, contact, (tariff, allowance), month_number(month));
        let mut left = units;
        for (_, carried) in &mut balance.carried {
            let taken = left.min(*carried);
            *carried -= taken;
            left -= taken;
        }
        balance.own_used += left;
    }

    fn balance(
        &mut self,
        world: &World,
        contact: &Contact,
        (tariff, allowance): (&Tariff, &Allowance),
        month: i64,
    ) -> &mut Balance {
        let owner = owner(world, contact, tariff, allowance);
        let first = self.first_months.get(&owner).copied().unwrap_or(month);
        let account = (owner, tariff.name.clone(), allowance.name.clone());
        if !self.balances.contains_key(&(account.clone(), month)) {
            let carried = match allowance.rollover {
                Some(most) if month > first => {
                    let before = self.balance(world, contact, (tariff, allowance), month - 1).clone();
                    carried_over(world, contact, tariff, allowance, (month - 1, most), &before)
                }
                _ => Vec::new(),
            };
            self.balances.insert((account.clone(), month), Balance { carried, own_used: 0 });
        }
        self.balances.get_mut(&(account, month)).unwrap()
    }

    /// Pays an amount from a grant of money, as far as it goes.
    pub fn pay(
        &mut self,
        world: &World,
        contact: &Contact,
        (tariff, allowance): (&Tariff, &Allowance),
        month: &str,
        amount: &BigRational,
    ) -> BigRational {
        let Grant::Money(granted) = &allowance.grant else { return BigRational::zero() };
        let month = month_number(month);
        let granted = granted * integer(times(world, contact, tariff, allowance, month));
        let account = (owner(world, contact, tariff, allowance), tariff.name.clone(), allowance.name.clone());
        let spent = self.spent.entry((account, month)).or_insert_with(BigRational::zero);
        let left = (granted - &*spent).max(BigRational::zero());
        let paid = left.min(amount.clone());
        *spent += &paid;
        paid
    }
}

/// What goes from a month into the next: units not yet too old, at most so many; the oldest are left behind first.
fn carried_over(
    world: &World,
    contact: &Contact,
    tariff: &Tariff,
    allowance: &Allowance,
    (month, most): (i64, i64),
    before: &Balance,
) -> Vec<(i64, i64)> {
    let (_, end) = month_bounds(&month_of_number(month), contact.zone);
    let last = world.tariff_at(&tariff.name, end - chrono::Duration::milliseconds(1));
    let own = last.and_then(|version| {
        let same = version.allowances.iter().find(|other| other.name == allowance.name)?;
        Some((granted(world, contact, version, same, month) - before.own_used).max(0))
    });
    let mut lots = before.carried.clone();
    lots.push((month, own.unwrap_or(0)));
    let never_expires = world.defect(Defect::ExpiryIgnored);
    let lives = |lot: &(i64, i64)| lot.0 + i64::from(allowance.expires_after) > month || never_expires;
    lots.retain(lives);
    let mut over = (lots.iter().map(|(_, units)| *units as i128).sum::<i128>() - most as i128).max(0) as i64;
    if world.defect(Defect::RolloverWithoutLimit) {
        over = 0;
    }
    for (_, units) in &mut lots {
        let cut = over.min(*units);
        *units -= cut;
        over -= cut;
    }
    lots.retain(|(_, units)| *units > 0);
    lots
}

/// Units of a month's own grant.
fn granted(world: &World, contact: &Contact, tariff: &Tariff, allowance: &Allowance, month: i64) -> i64 {
    let Grant::Units(units, _) = allowance.grant else { return 0 };
    let whole = units * times(world, contact, tariff, allowance, month);
    if !allowance.prorate {
        return whole;
    }
    let (first, next) = month_days(&month_of_number(month));
    let mut own = (contact.validity.from, contact.validity.to);
    if tariff.options.both_days_inclusive {
        own.1 = own.1.map(|day| day.succ_opt().unwrap());
    }
    let days = days_shared(first, next, &[own, world.in_force(tariff)]);
    whole * days / (next - first).num_days()
}

/// How often the grant is given.
fn times(world: &World, contact: &Contact, tariff: &Tariff, allowance: &Allowance, month: i64) -> i64 {
    let pooled = allowance.shared && !contact.pool.is_empty();
    let is_member = |other: &&Contact| {
        other.pool == contact.pool && other.chain.first() == Some(&tariff.name) && !other.do_not_bill
    };
    let members: Vec<&Contact> =
        if pooled { world.contacts.iter().filter(is_member).collect() } else { vec![contact] };
    let (from, to) = month_bounds(&month_of_number(month), contact.zone);
    let column = match allowance.per.as_str() {
        "pool" => return 1,
        "contact" => return members.iter().filter(|member| member.validity.touches(from, to)).count() as i64,
        "extension" => "extensions",
        "number" => "numbers",
        other => panic!("per {other}"),
    };
    let mut values: Vec<&String> = Vec::new();
    for member in members.iter().filter(|member| member.validity.touches(from, to)) {
        let (since, until) = member.validity.first_and_last(from, to);
        let overlaps = |claim: &&super::tables::Claim| {
            claim.validity.touches(since, until + chrono::Duration::milliseconds(1))
        };
        values.extend(member.claims[column].iter().filter(overlaps).map(|claim| &claim.value));
    }
    values.sort();
    values.dedup();
    values.len() as i64
}
