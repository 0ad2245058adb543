//! What rating remembers between the events of one run: counters and line sums of each payer and month, and of each
//! pool and month. Counters move only when a whole event is booked.

use std::collections::{BTreeMap, HashMap};

use crate::domain::Instant;
use crate::domain::charge::{Component, Draw};
use crate::rules::compile::CompiledRules;

use super::{LineSlot, LineTarget};

/// Units of an allowance that were granted in an earlier month and are not used yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Index of the month that granted them; months before the compiled span have negative ones.
    pub month: i32,
    /// Units, or a numerator for money.
    pub left: i128,
}

/// One allowance of one payer or pool in one month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Oldest first.
    pub carried: Vec<Carried>,
    /// What was drawn of the month's own grant.
    pub used: i128,
}

/// What one payer used and owes in one month.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// By allowance counter; those of a pool stand with the pool.
    pub(super) balances: Vec<Balance>,
    /// Units that tiers and packages have counted, by rate counter.
    counted: Vec<i64>,
    /// Milliseconds summed under a rounding scope.
    scopes: BTreeMap<ScopeKey, i64>,
    pub lines: Vec<(LineSlot, LineTotal)>,
    places: HashMap<LineSlot, usize>,
    pub(super) last: Option<Instant>,
}

/// What a rounding scope sums over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ScopeKey {
    pub counter: usize,
    /// Days since the epoch in the payer's zone; 0 for a whole period.
    pub day: i32,
    pub matter: u32,
    pub timekeeper: u32,
}

/// Sums of one line, before the one rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineTotal {
    pub events: u64,
    pub units: i128,
    pub numerator: i128,
}

/// What one event does to the counters once it is booked.
#[derive(Default)]
pub(super) struct Pending {
    /// Drawn from allowances, by month and counter.
    pub draws: Vec<(u32, usize, i128)>,
    /// Counted by tiers and packages, by month and rate counter.
    pub counted: Vec<(u32, usize, i64)>,
    pub scopes: Vec<(ScopeKey, i64)>,
}

impl Pending {
    pub fn clear(&mut self) {
        self.draws.clear();
        self.counted.clear();
        self.scopes.clear();
    }

    /// Adds to what is drawn: one entry for a counter, however many increments draw on it.
    pub fn draw(&mut self, month: u32, counter: usize, units: i128) {
        match self.draws.iter_mut().find(|draw| (draw.0, draw.1) == (month, counter)) {
            Some(draw) => draw.2 += units,
            None => self.draws.push((month, counter, units)),
        }
    }

    /// Adds to what tiers and packages count.
    pub fn count(&mut self, month: u32, counter: usize, units: i64) {
        match self.counted.iter_mut().find(|count| (count.0, count.1) == (month, counter)) {
            Some(count) => count.2 = count.2.saturating_add(units),
            None => self.counted.push((month, counter, units)),
        }
    }

    pub fn drawn(&self, month: u32, counter: usize) -> i128 {
        let own = self.draws.iter().filter(|draw| (draw.0, draw.1) == (month, counter));
        own.map(|(_, _, units)| units).sum()
    }

    pub fn counted(&self, month: u32, counter: usize) -> i64 {
        let own = self.counted.iter().filter(|count| (count.0, count.1) == (month, counter));
        own.map(|(_, _, units)| units).sum()
    }

    pub fn summed(&self, key: ScopeKey) -> i64 {
        self.scopes.iter().filter(|(other, _)| *other == key).map(|(_, milliseconds)| milliseconds).sum()
    }
}

/// Counters and line sums of all payers, pools and months of one rating run.
pub(super) struct Ledger {
    groups: Vec<Option<Group>>,
    /// Balances of the pools' allowances.
    pools: Vec<Option<Vec<Balance>>>,
    month_count: usize,
    /// Balances that earlier documents left, by payer (or pool) and counter, for the first month it is used in.
    openings: BTreeMap<(Holder, usize), Vec<Carried>>,
}

/// Who holds a balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    Payer(u32),
    Pool(usize),
}

impl Ledger {
    pub fn new(rules: &CompiledRules) -> Ledger {
        let month_count = rules.month_count() as usize;
        let payers = rules.payers.len();
        Ledger {
            groups: vec![None; payers * month_count],
            pools: vec![None; rules.pools.len() * month_count],
            month_count,
            openings: BTreeMap::new(),
        }
    }

    pub fn group(&self, payer: u32, month: u32) -> Option<&Group> {
        self.groups[payer as usize * self.month_count + month as usize].as_ref()
    }

    /// All groups with their payer and month, in that order.
    pub fn groups(&self) -> impl Iterator<Item = (u32, u32, &Group)> + '_ {
        self.groups.iter().enumerate().filter_map(|(index, group)| {
            let (payer, month) = (index / self.month_count, index % self.month_count);
            group.as_ref().map(|group| (small(payer), small(month), group))
        })
    }

    /// Lets events come that start before those already rated.
    pub fn forget_order(&mut self) {
        for group in self.groups.iter_mut().flatten() {
            group.last = None;
        }
    }

    pub fn set_opening(&mut self, holder: Holder, counter: usize, carried: Vec<Carried>) {
        self.openings.insert((holder, counter), carried);
    }

    /// Makes the group of a payer and month, with what earlier months carry over.
    pub fn open(&mut self, rules: &CompiledRules, payer: u32, month: u32) {
        let at = payer as usize * self.month_count + month as usize;
        if self.groups[at].is_none() {
            let balances = self.opening_balances(rules, Holder::Payer(payer), payer, month);
            self.groups[at] =
                Some(Group { balances, counted: vec![0; rules.rate_counters.len()], ..Group::default() });
        }
        if let Some(pool) = rules.terms(payer).pool
            && self.pools[pool * self.month_count + month as usize].is_none()
        {
            let balances = self.opening_balances(rules, Holder::Pool(pool), payer, month);
            self.pools[pool * self.month_count + month as usize] = Some(balances);
        }
    }

    fn opening_balances(
        &mut self,
        rules: &CompiledRules,
        holder: Holder,
        payer: u32,
        month: u32,
    ) -> Vec<Balance> {
        let mut balances = vec![Balance::default(); rules.counters.len()];
        if !rules.has_rollover {
            return balances;
        }
        let earlier = (0..month).rev().find(|earlier| self.balances_of(holder, *earlier).is_some());
        let Some(earlier) = earlier else {
            for ((_, counter), carried) in self.openings.iter().filter(|((owner, _), _)| *owner == holder) {
                balances[*counter].carried = carried.clone();
            }
            return balances;
        };
        // Months without usage pass on what they were granted too.
        balances = self.balances_of(holder, earlier).cloned().unwrap_or_default();
        for passed in earlier..month {
            balances = roll(rules, payer, passed, &balances);
        }
        balances
    }

    fn balances_of(&self, holder: Holder, month: u32) -> Option<&Vec<Balance>> {
        match holder {
            Holder::Payer(payer) => self.group(payer, month).map(|group| &group.balances),
            Holder::Pool(pool) => self.pools[pool * self.month_count + month as usize].as_ref(),
        }
    }

    /// What an allowance counter of a payer and an open month holds, and what carried units are left of it.
    pub fn balance(&self, rules: &CompiledRules, payer: u32, month: u32, counter: usize) -> &Balance {
        let shared = rules.terms(payer).pool.filter(|_| rules.counters[counter].shared);
        let balances = match shared {
            Some(pool) => self.balances_of(Holder::Pool(pool), month),
            None => self.balances_of(Holder::Payer(payer), month),
        };
        &balances.expect("the month was opened")[counter]
    }

    pub fn balance_mut(
        &mut self,
        rules: &CompiledRules,
        payer: u32,
        month: u32,
        counter: usize,
    ) -> &mut Balance {
        let shared = rules.terms(payer).pool.filter(|_| rules.counters[counter].shared);
        let month = month as usize;
        let balances = match shared {
            Some(pool) => self.pools[pool * self.month_count + month].as_mut(),
            None => self.groups[payer as usize * self.month_count + month]
                .as_mut()
                .map(|group| &mut group.balances),
        };
        &mut balances.expect("the month was opened")[counter]
    }

    pub fn group_mut(&mut self, payer: u32, month: u32) -> &mut Group {
        self.groups[payer as usize * self.month_count + month as usize]
            .as_mut()
            .expect("the month was opened")
    }

    /// What is left for the next month after a month of a holder, by counter; only of allowances that roll over.
    pub fn closing(
        &self,
        rules: &CompiledRules,
        holder: Holder,
        payer: u32,
        month: u32,
    ) -> Vec<Vec<Carried>> {
        let empty = vec![Balance::default(); rules.counters.len()];
        let balances = self.balances_of(holder, month).unwrap_or(&empty);
        roll(rules, payer, month, balances).into_iter().map(|balance| balance.carried).collect()
    }

    /// Books an event: draws, counts and line sums.
    pub fn book(
        &mut self,
        rules: &CompiledRules,
        (payer, month): (u32, u32),
        start: Instant,
        pending: &Pending,
        components: &[Component],
    ) {
        for (month, counter, units) in &pending.draws {
            self.balance_mut(rules, payer, *month, *counter).draw(*units);
        }
        for (month, counter, units) in &pending.counted {
            self.group_mut(payer, *month).counted[*counter] += units;
        }
        let group = self.group_mut(payer, month);
        group.last = Some(start);
        for (key, milliseconds) in &pending.scopes {
            *group.scopes.entry(*key).or_default() += milliseconds;
        }
        for (index, component) in components.iter().enumerate() {
            let slot = slot_of(component);
            let same = |earlier: &Component| (earlier.month, slot_of(earlier)) == (component.month, slot);
            let again = components[..index].iter().any(same);
            self.group_mut(payer, component.month).add(
                slot,
                u64::from(!again),
                i128::from(component.units),
                component.numerator,
            );
        }
    }
}

/// The balances of the next month: what is carried and still alive, and what the month's own grant left, within the
/// limit; the oldest goes first.
fn roll(rules: &CompiledRules, payer: u32, month: u32, balances: &[Balance]) -> Vec<Balance> {
    let mut next = vec![Balance::default(); balances.len()];
    let terms = rules.terms(payer);
    let end = rules.month(month).period(terms.zone).span.to;
    let last = Instant::from_milliseconds(end.milliseconds() - 1);
    let Some(version) = rules.version_at(terms.tariffs[0], last) else { return next };
    let compiled = &rules.versions[version];
    for (position, allowance) in compiled.tariff.allowances.iter().enumerate() {
        let Some(rollover) = allowance.rollover else { continue };
        let counter = compiled.counters[position];
        let balance = &balances[counter];
        let this = i32::try_from(month).expect("a span of time has few months");
        let alive = |carried: &&Carried| {
            i64::from(this + 1 - carried.month) <= i64::from(rollover.periods) && carried.left > 0
        };
        let mut carried: Vec<Carried> = balance.carried.iter().filter(alive).copied().collect();
        let own = rules.granted(payer, month, version, position) - balance.used;
        if own > 0 && rollover.periods > 0 {
            carried.push(Carried { month: this, left: own });
        }
        if let Some(limit) = rules.rollover_limit(version, position) {
            let mut over = carried.iter().map(|carried| carried.left).sum::<i128>() - limit;
            for oldest in &mut carried {
                let dropped = over.clamp(0, oldest.left);
                oldest.left -= dropped;
                over -= dropped;
            }
            carried.retain(|carried| carried.left > 0);
        }
        next[counter].carried = carried;
    }
    next
}

impl Balance {
    /// Units that are left, given the month's own grant.
    pub fn left(&self, granted: i128) -> i128 {
        self.carried.iter().map(|carried| carried.left).sum::<i128>() + (granted - self.used).max(0)
    }

    /// Takes carried units first, the oldest first.
    fn draw(&mut self, units: i128) {
        let mut wanted = units;
        for carried in &mut self.carried {
            let taken = carried.left.min(wanted);
            carried.left -= taken;
            wanted -= taken;
        }
        self.used += wanted;
    }
}

impl Group {
    /// Units that a tier table or package has counted.
    pub fn tier_used(&self, counter: usize) -> i64 {
        self.counted.get(counter).copied().unwrap_or(0)
    }

    pub(super) fn summed(&self, key: ScopeKey) -> i64 {
        self.scopes.get(&key).copied().unwrap_or(0)
    }

    /// Sets what a tier table has counted (examples).
    pub(super) fn set_counted(&mut self, counter: usize, units: i64) {
        self.counted[counter] = units;
    }

    pub(super) fn add(&mut self, slot: LineSlot, events: u64, units: i128, numerator: i128) {
        let lines = &mut self.lines;
        let at = *self.places.entry(slot).or_insert_with(|| {
            lines.push((slot, LineTotal::default()));
            lines.len() - 1
        });
        let line = &mut lines[at].1;
        line.events += events;
        line.units = line.units.checked_add(units).expect("a line's units left 128 bits");
        line.numerator = line.numerator.checked_add(numerator).expect("a line's amount left 128 bits");
    }

    /// Takes lines out that are about to be summed anew.
    pub(super) fn remove_lines(&mut self, gone: impl Fn(&LineSlot) -> bool) {
        self.lines.retain(|(slot, _)| !gone(slot));
        self.places = self.lines.iter().enumerate().map(|(at, (slot, _))| (*slot, at)).collect();
    }
}

/// The line a component is summed under.
pub fn slot_of(component: &Component) -> LineSlot {
    match component.allowance {
        None => LineSlot {
            target: LineTarget::Clause(component.line),
            tier: component.tier,
            matter: component.matter,
            timekeeper: component.timekeeper,
        },
        Some(Draw { counter, version }) => LineSlot {
            target: LineTarget::Allowance { counter, version },
            tier: 0,
            matter: component.matter,
            timekeeper: component.timekeeper,
        },
    }
}

pub(super) fn small(number: usize) -> u32 {
    u32::try_from(number).expect("payers, months, counters and versions are counted in 32 bits")
}
