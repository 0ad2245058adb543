//! What a period costs beside its events: fees, tier fees, discounts, the cap, the commitment.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, Zero};

use super::calendar::{days_shared, midnight, month_bounds, month_days, month_number, month_of_number};
use super::groups::{Counters, tier_reached};
use super::identify::World;
use super::language::{Fee, Off, Price, Tariff, integer};
use super::lines::{Lines, line_of, round_line};
use super::money::minor_units;
use super::tables::Contact;
use super::{Defect, Line};

/// One contact in one month.
pub struct Month<'w, 'a> {
    pub contact: &'w Contact,
    pub name: String,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    /// The version of the contact's own tariff at its last instant in the month.
    pub last_version: Option<&'a Tariff>,
}

type Days = (Option<NaiveDate>, Option<NaiveDate>);

impl<'w, 'a> Month<'w, 'a> {
    pub fn new(world: &World<'a>, contact: &'w Contact, name: &str) -> Month<'w, 'a> {
        let (from, to) = month_bounds(name, contact.zone);
        let (_, last) = contact.validity.first_and_last(from, to);
        let valid = contact.validity.touches(from, to);
        let last_version = if valid { world.own_tariff_at(contact, last) } else { None };
        Month { contact, name: name.to_string(), from, to, last_version }
    }

    pub fn is_valid(&self) -> bool {
        self.contact.validity.touches(self.from, self.to)
    }

    pub fn has(&self, line: &Line) -> bool {
        line.contact == self.contact.id && line.month == self.name
    }

    fn line(&self, kind: &'static str, tariff: &Tariff, clause: &str) -> Line {
        Line::new(&self.contact.id, &self.name, kind, tariff, clause)
    }
}

/// Fees of the tiers that the events entered or, of volume prices, reached.
pub fn add_tier_fees(world: &World, counters: &Counters, month: &Month, lines: &mut Lines) {
    for (key, version) in &counters.last {
        let (payer, of_month, tariff, rate) = key;
        if *payer != month.contact.id || *of_month != month.name {
            continue;
        }
        let find = |version: &str| {
            let tariff =
                world.rules.tariffs.iter().find(|other| other.name == *tariff && other.version == version);
            let tariff = tariff.unwrap();
            let Price::Tiers(tiers) = &tariff.rates.iter().find(|other| other.name == *rate).unwrap().price
            else {
                panic!("{rate} has tiers in one version only")
            };
            (tariff, tiers)
        };
        let (last, tiers) = find(version);
        let entered: Vec<(u32, String)> = match tiers.mode.as_str() {
            "volume" => {
                vec![(tier_reached(world, tiers, &last.options, counters.units[key]), version.clone())]
            }
            _ => counters
                .entered
                .range((key.clone(), 0)..=(key.clone(), u32::MAX))
                .map(|((_, tier), version)| (*tier, version.clone()))
                .collect(),
        };
        for (tier, version) in entered.into_iter().filter(|(tier, _)| *tier > 0) {
            let (tariff, tiers) = find(&version);
            let Some(fee) = tiers.tiers.get(tier as usize - 1).map(|tier| &tier.fee) else { continue };
            if !fee.is_zero() {
                line_of(lines, Line { tier, ..month.line("tier-fee", tariff, rate) }).sum += fee;
            }
        }
    }
}

/// What a tiered rate costs in a month in which it counted nothing.
pub fn add_without_usage(_: &World, counters: &Counters, month: &Month, lines: &mut Lines) {
    let Some(tariff) = month.last_version else { return };
    for rate in &tariff.rates {
        let Price::Tiers(tiers) = &rate.price else { continue };
        let key = (month.contact.id.clone(), month.name.clone(), tariff.name.clone(), rate.name.clone());
        if counters.units.get(&key).is_some_and(|units| *units > 0) {
            continue;
        }
        let (tier, amount) = match (tariff.options.no_usage.as_str(), tiers.mode.as_str()) {
            ("tier-fee", "graduated" | "volume") => (1, &tiers.tiers[0].fee),
            ("package", "package") => (0, &tiers.package.1),
            _ => continue,
        };
        if !amount.is_zero() {
            line_of(lines, Line { tier, ..month.line("tier-fee", tariff, &rate.name) }).sum += amount;
        }
    }
}

/// Fees of the month, and in advance of the next one.
pub fn add_fees(world: &World, month: &Month, lines: &mut Lines) {
    let Some(name) = month.contact.chain.first() else { return };
    let mut sums: BTreeMap<(String, String, String, bool), (BigRational, &Tariff)> = BTreeMap::new();
    let mut versions: Vec<&Tariff> =
        world.rules.tariffs.iter().filter(|tariff| tariff.name == *name).collect();
    versions.sort_by_key(|tariff| tariff.valid_from);
    for tariff in versions {
        for fee in &tariff.fees {
            let amount = fee_of(world, month, tariff, fee);
            if !amount.is_zero() {
                let key = (fee.name.clone(), fee.written.clone(), fee.per.clone(), fee.in_advance);
                let (sum, last) = sums.entry(key).or_insert_with(|| (BigRational::zero(), tariff));
                *sum += amount;
                *last = tariff;
            }
        }
    }
    for ((fee, ..), (sum, tariff)) in sums {
        line_of(lines, month.line("fee", tariff, &fee)).sum += sum;
    }
}

/// What one version asks for one fee.
fn fee_of(world: &World, month: &Month, tariff: &Tariff, fee: &Fee) -> BigRational {
    let nothing = BigRational::zero();
    let contact = month.contact;
    let in_force_at =
        |instant| world.tariff_at(&tariff.name, instant).is_some_and(|other| std::ptr::eq(other, tariff));
    if fee.once {
        let Some(day) = fee.on.or(contact.validity.from) else { return nothing };
        let instant = midnight(day, contact.zone);
        let in_month = month.from <= instant && instant < month.to;
        if !in_month || !in_force_at(instant) || !contact.validity.holds(instant) {
            return nothing;
        }
        return &fee.amount * integer(holders(contact, &fee.per, day, day.succ_opt().unwrap()));
    }
    let billed = match fee.in_advance {
        true => month_of_number(month_number(&month.name) + 1),
        false => month.name.clone(),
    };
    let (first, next) = month_days(&billed);
    if !fee.prorate {
        let (from, to) = month_bounds(&billed, contact.zone);
        let (since, _) = contact.validity.first_and_last(from, to);
        if !in_force_at(since) || !contact.validity.touches(from, to) {
            return nothing;
        }
        return &fee.amount * integer(holders(contact, &fee.per, first, next));
    }
    let (from, to) = world.in_force(tariff);
    let days: i64 = first
        .iter_days()
        .take_while(|day| *day < next)
        .filter(|day| from.is_none_or(|from| from <= *day) && to.is_none_or(|to| *day < to))
        .map(|day| holders_on(world, contact, tariff, &fee.per, day))
        .sum();
    &fee.amount * integer(days) / integer((next - first).num_days())
}

fn days_of(contact: &Contact) -> Days {
    (contact.validity.from, contact.validity.to)
}

fn claims_of<'c>(contact: &'c Contact, per: &str) -> &'c [super::tables::Claim] {
    match per {
        "extension" => &contact.claims["extensions"],
        "number" => &contact.claims["numbers"],
        other => panic!("per {other}"),
    }
}

/// Things that the fee is for, of which each is the contact's on at least one of the days.
fn holders(contact: &Contact, per: &str, first: NaiveDate, next: NaiveDate) -> i64 {
    if per == "contact" {
        return 1;
    }
    let held = |claim: &&super::tables::Claim| {
        days_shared(first, next, &[(claim.validity.from, claim.validity.to), days_of(contact)]) > 0
    };
    let values: BTreeSet<&String> =
        claims_of(contact, per).iter().filter(held).map(|claim| &claim.value).collect();
    values.len() as i64
}

/// Things that the fee is for on one day.
fn holders_on(world: &World, contact: &Contact, tariff: &Tariff, per: &str, day: NaiveDate) -> i64 {
    let inclusive = tariff.options.both_days_inclusive || world.defect(Defect::ProrationBothInclusive);
    let holds = |(from, to): Days| {
        from.is_none_or(|from| from <= day) && to.is_none_or(|to| day < to || (inclusive && day == to))
    };
    if !holds(days_of(contact)) {
        return 0;
    }
    if per == "contact" {
        return 1;
    }
    let held = |claim: &&super::tables::Claim| holds((claim.validity.from, claim.validity.to));
    let values: BTreeSet<&String> =
        claims_of(contact, per).iter().filter(held).map(|claim| &claim.value).collect();
    values.len() as i64
}

/// Discounts, cap and commitment, in this order, each a line rounded once.
pub fn add_period_amounts(world: &World, month: &Month, tariff: &Tariff, lines: &mut Lines) {
    let minor = minor_units(&tariff.currency);
    let rounded: Vec<(&'static str, String, BigInt)> = lines
        .values()
        .filter(|line| month.has(line))
        .map(|line| (line.kind, line.clause.clone(), line.amount_minor.clone()))
        .collect();
    let sum = |wanted: &dyn Fn(&str, &str) -> bool| -> BigRational {
        let found = rounded.iter().filter(|(kind, clause, _)| wanted(kind, clause));
        BigRational::new(found.map(|(_, _, amount)| amount).sum(), minor.clone())
    };
    let mut add = |kind: &'static str, clause: &str, amount: BigRational| -> BigRational {
        if amount.is_zero() {
            return amount;
        }
        let line = line_of(lines, month.line(kind, tariff, clause));
        line.amount_minor = round_line(tariff, &amount);
        line.sum = amount;
        BigRational::new(line.amount_minor.clone(), minor.clone())
    };
    let off = |off: &Off, sum: &BigRational| match off {
        _ if !sum.is_positive() => BigRational::zero(),
        Off::Share(share) => -(sum * share),
        Off::Amount(amount) => -amount.min(sum).clone(),
    };

    let all = sum(&|_, _| true);
    let fees = sum(&|kind, _| kind == "fee");
    let mut discounts = BigRational::zero();
    for discount in tariff.discounts.iter().filter(|discount| discount.of_lines) {
        let base = sum(&|kind, clause| match discount.lines.is_empty() {
            true => kind == "usage",
            false => ["usage", "fee"].contains(&kind) && discount.lines.iter().any(|name| name == clause),
        });
        discounts += add("discount", &discount.name, off(&discount.off, &base));
    }
    let of_lines = discounts.clone();
    for discount in tariff.discounts.iter().filter(|discount| !discount.of_lines) {
        let before = match world.defect(Defect::DiscountsSideBySide) {
            true => &all + &of_lines,
            false => &all + &discounts,
        };
        discounts += add("discount", &discount.name, off(&discount.off, &before));
    }
    let mut counted = &all - &fees + discounts;
    if tariff.fees_count || world.defect(Defect::CapCountsFees) {
        counted += fees;
    }
    // A cap is never below the commitment.
    if let Some(cap) = &tariff.cap
        && counted > *cap
    {
        counted += add("cap", "Period cap", cap - &counted);
    }
    if let Some(least) = commitment(world, month, tariff)
        && counted < least
    {
        add("true-up", "Commitment true-up", least - counted);
    }
}

/// The least amount of the month, by the days in force.
fn commitment(world: &World, month: &Month, tariff: &Tariff) -> Option<BigRational> {
    let whole = tariff.commitment.as_ref()?;
    if world.defect(Defect::CommitmentNotProrated) {
        return Some(whole.clone());
    }
    let (first, next) = month_days(&month.name);
    let mut own = days_of(month.contact);
    if tariff.options.both_days_inclusive {
        own.1 = own.1.map(|day| day.succ_opt().unwrap());
    }
    let versions = world.rules.tariffs.iter().filter(|other| other.name == tariff.name);
    // Nothing is before every day, so that a version without a beginning is the earliest.
    let since = versions.map(|other| other.valid_from).min().flatten();
    let days = days_shared(first, next, &[own, (since, None)]);
    Some(whole * integer(days) / integer((next - first).num_days()))
}
