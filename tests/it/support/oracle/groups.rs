//! Units of one event that are left to pay, grouped by their price; tiers count them.

use std::collections::BTreeMap;

use num_rational::BigRational;
use num_traits::Zero;

use super::identify::World;
use super::language::{Price, Rounding, Settings, Tiers, integer};
use super::measure::Increment;
use super::money::rounded_to;
use super::select::{Choice, Offer, Pricing};
use super::{Defect, EventResult};

/// Payer, month, tariff, rate.
pub type CounterKey = (String, String, String, String);

/// Units that tiers have counted.
#[derive(Default)]
pub struct Counters {
    pub units: BTreeMap<CounterKey, i64>,
    /// The version on which each tier was entered first.
    pub entered: BTreeMap<(CounterKey, u32), String>,
    /// The version that counted last.
    pub last: BTreeMap<CounterKey, String>,
}

pub struct Group<'a> {
    pub choice: Choice<'a>,
    pub month: String,
    pub tier: u32,
    pub units: i64,
    pub amount: BigRational,
    step: usize,
    packages: i64,
}

pub struct Groups<'o, 'a> {
    world: &'o World<'a>,
    offers: &'o [Offer<'a>],
    payer: String,
    /// Price of a unit whose price is the cost of the event.
    cost: BigRational,
    list: Vec<Group<'a>>,
    /// Offer, month and the units counted before the next one.
    counts: Vec<(usize, String, i64)>,
    /// The increment rounded last: its groups with their units, and what rounding changed.
    rounded: (Vec<(usize, i64)>, BigRational),
}

impl<'o, 'a> Groups<'o, 'a> {
    pub fn new(world: &'o World<'a>, offers: &'o [Offer<'a>], payer: &str, cost: BigRational) -> Self {
        let rounded = (Vec::new(), BigRational::zero());
        Groups {
            world,
            offers,
            payer: payer.to_string(),
            cost,
            list: Vec::new(),
            counts: Vec::new(),
            rounded,
        }
    }

    /// Adds an increment of whose units the first `taken` are paid by allowances.
    pub fn add(
        &mut self,
        counters: &Counters,
        increment: &Increment<'a>,
        taken: i64,
        month: &str,
        rounding: &Rounding,
    ) {
        let left = increment.units - taken;
        if left == 0 {
            return;
        }
        let mut runs: Vec<(Choice<'a>, i64, i64)> = Vec::new();
        if increment.seconds.is_empty() {
            runs.push((increment.choice, increment.position, left));
        }
        for (second, choice) in increment.seconds.iter().enumerate().skip(taken as usize) {
            runs.push((*choice, increment.position + second as i64, 1));
        }
        let mut shares: Vec<(usize, i64)> = Vec::new();
        for (choice, position, units) in runs {
            for (group, units) in self.shares(counters, choice, position, units, month) {
                self.list[group].units += units;
                match shares.iter_mut().find(|(other, _)| *other == group) {
                    Some((_, sum)) => *sum += units,
                    None => shares.push((group, units)),
                }
            }
        }
        if rounding.charge == "per-increment" && !self.world.defect(Defect::ChargeNotRounded) {
            if self.rounded.0 != shares {
                let exact: BigRational = shares
                    .iter()
                    .map(|(group, units)| self.price(&self.list[*group]) * integer(*units))
                    .sum();
                let change = rounded_to(&exact, rounding.charge_scale, &rounding.charge_mode) - exact;
                self.rounded = (shares, change);
            }
            let (shares, change) = &self.rounded;
            self.list[shares[0].0].amount += change;
        }
    }

    /// Into which groups so many units of a choice go.
    fn shares(
        &mut self,
        counters: &Counters,
        choice: Choice<'a>,
        position: i64,
        units: i64,
        month: &str,
    ) -> Vec<(usize, i64)> {
        let offer = &self.offers[choice.offer];
        let options = &offer.tariff.options;
        match offer.pricing {
            Pricing::Steps(steps) => {
                let begun = |(from, _): &&(i64, BigRational)| {
                    *from == 0 || position >= from + options.after_offset_seconds
                };
                let step = steps.iter().filter(begun).count() - 1;
                vec![(self.group(choice, month, step, 0), units)]
            }
            Pricing::Tiers(tiers) => {
                let place = self.count_of(counters, choice.offer, month);
                let before = self.counts[place].2;
                self.counts[place].2 += units;
                match tiers.mode.as_str() {
                    "volume" => vec![(self.group(choice, month, 0, 0), units)],
                    "package" => {
                        let opened =
                            packages(tiers, before + units, options) - packages(tiers, before, options);
                        let group = self.group(choice, month, 0, 0);
                        self.list[group].packages += opened;
                        vec![(group, units)]
                    }
                    _ => {
                        let split = graduated(self.world, tiers, options, before, units);
                        split
                            .into_iter()
                            .map(|(tier, units)| (self.group(choice, month, 0, tier), units))
                            .collect()
                    }
                }
            }
            _ => vec![(self.group(choice, month, 0, 0), units)],
        }
    }

    fn group(&mut self, choice: Choice<'a>, month: &str, step: usize, tier: u32) -> usize {
        let same = |group: &Group| {
            group.choice == choice && group.step == step && group.tier == tier && group.month == month
        };
        if let Some(found) = self.list.iter().position(same) {
            return found;
        }
        let (month, amount) = (month.to_string(), BigRational::zero());
        self.list.push(Group { choice, month, tier, units: 0, amount, step, packages: 0 });
        self.list.len() - 1
    }

    fn key(&self, offer: usize, month: &str) -> CounterKey {
        let offer = &self.offers[offer];
        (self.payer.clone(), month.to_string(), offer.tariff.name.clone(), offer.rate.name.clone())
    }

    fn count_of(&mut self, counters: &Counters, offer: usize, month: &str) -> usize {
        let same = |count: &(usize, String, i64)| count.0 == offer && count.1 == month;
        if let Some(found) = self.counts.iter().position(same) {
            return found;
        }
        let before = counters.units.get(&self.key(offer, month)).copied().unwrap_or(0);
        self.counts.push((offer, month.to_string(), before));
        self.counts.len() - 1
    }

    fn price(&self, group: &Group) -> BigRational {
        match self.offers[group.choice.offer].pricing {
            Pricing::One(price) => price.clone(),
            Pricing::Steps(steps) => steps[group.step].1.clone(),
            Pricing::Tiers(tiers) if tiers.mode == "graduated" => tiers
                .tiers
                .get(group.tier as usize - 1)
                .map_or_else(BigRational::zero, |tier| tier.price.clone()),
            // Packages are counted, volume is priced when the period is over.
            Pricing::Tiers(_) | Pricing::NoTimekeeper => BigRational::zero(),
            Pricing::Cost(..) | Pricing::Supplier(..) => self.cost.clone(),
        }
    }

    /// Multiplies, and tells the counters what was counted.
    pub fn close(&mut self, counters: &mut Counters) {
        for index in 0..self.list.len() {
            let group = &self.list[index];
            let offer = &self.offers[group.choice.offer];
            let mut amount = self.price(group) * integer(group.units);
            if let Pricing::Tiers(tiers) = offer.pricing {
                amount += &tiers.package.1 * integer(group.packages);
                let key = self.key(group.choice.offer, &group.month);
                let version = offer.tariff.version.clone();
                counters.entered.entry((key.clone(), group.tier)).or_insert(version.clone());
                counters.last.insert(key, version);
            }
            self.list[index].amount += amount;
        }
        for (offer, month, count) in &self.counts {
            counters.units.insert(self.key(*offer, month), *count);
        }
    }

    pub fn all(&self) -> &[Group<'a>] {
        &self.list
    }

    pub fn sum(&self) -> BigRational {
        self.list.iter().map(|group| &group.amount).sum()
    }

    /// The tier of the first unit of an offer that is left to pay, else the tier of the next unit to come.
    pub fn tier_of(&self, counters: &Counters, choice: Choice<'a>, month: &str) -> u32 {
        if let Some(group) = self.list.iter().find(|group| group.choice.offer == choice.offer) {
            return group.tier;
        }
        let offer = &self.offers[choice.offer];
        match offer.pricing {
            Pricing::Tiers(tiers) if tiers.mode == "graduated" => {
                let before = counters.units.get(&self.key(choice.offer, month)).copied().unwrap_or(0);
                graduated(self.world, tiers, &offer.tariff.options, before, 1)[0].0
            }
            _ => 0,
        }
    }
}

/// Packages that so many units make.
fn packages(tiers: &Tiers, units: i64, options: &Settings) -> i64 {
    let size = tiers.package.0;
    if options.only_completed { units / size } else { (units + size - 1) / size }
}

/// Units by tier (from 1), when `before` are counted already; beyond the last bound as the option says.
fn graduated(world: &World, tiers: &Tiers, options: &Settings, before: i64, units: i64) -> Vec<(u32, i64)> {
    let early = i64::from(world.defect(Defect::TierBoundaryOffByOne));
    let (mut before, mut units) = (before, units);
    let mut split = Vec::new();
    for (index, tier) in tiers.tiers.iter().enumerate() {
        let last = index + 1 == tiers.tiers.len();
        let room = match tier.up_to {
            Some(_) if last && options.beyond_last_tier == "last-price" => units,
            Some(bound) => (bound - early - before).clamp(0, units),
            None => units,
        };
        if room > 0 {
            split.push((index as u32 + 1, room));
        }
        before += room;
        units -= room;
    }
    if units > 0 {
        assert_eq!(options.beyond_last_tier, "unbilled", "units beyond the last tier");
        split.push((tiers.tiers.len() as u32 + 1, units));
    }
    split
}

/// Prices volume rates, now that the units of each period are known. The events are in the order of their billing.
pub fn price_volume(world: &World, counters: &Counters, events: &mut [EventResult]) {
    let mut running: BTreeMap<CounterKey, i64> = BTreeMap::new();
    for event in events {
        let mut changed = false;
        for part in event.parts.iter_mut().filter(|part| part.kind == "usage") {
            let version = |tariff: &&super::language::Tariff| {
                tariff.name == part.tariff && tariff.version == part.tariff_version
            };
            let tariff = world.rules.tariffs.iter().find(version).unwrap();
            let Some(rate) = tariff.rates.iter().find(|rate| rate.name == part.clause) else { continue };
            let Price::Tiers(tiers) = &rate.price else { continue };
            if tiers.mode != "volume" {
                continue;
            }
            let key = (event.contact.clone(), part.month.clone(), part.tariff.clone(), part.clause.clone());
            let online = running.entry(key.clone()).or_insert(0);
            *online += part.units;
            let all = counters.units.get(&key).copied().unwrap_or(0);
            let reached = if world.defect(Defect::VolumePricedOnline) { *online } else { all };
            part.tier = tier_reached(world, tiers, &tariff.options, reached);
            part.amount += &tiers.tiers[part.tier as usize - 1].price * integer(part.units);
            changed = true;
        }
        if changed {
            event.parts.retain(|part| part.units != 0 || !part.amount.is_zero());
            event.parts.sort_by(|a, b| a.key().cmp(&b.key()));
            let total: BigRational = event.parts.iter().map(|part| &part.amount).sum();
            let paid_for = event.parts.iter().any(|part| part.kind == "usage" && part.units != 0);
            event.disposition = match total.is_zero() {
                true if paid_for => "zero-rated",
                true => event.disposition,
                false => "billed",
            };
        }
    }
}

/// The tier in which the last of so many units lies.
pub fn tier_reached(world: &World, tiers: &Tiers, options: &Settings, units: i64) -> u32 {
    graduated(world, tiers, options, (units - 1).max(0), 1)[0].0
}
