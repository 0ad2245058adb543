//! The pricing code: the only place where an event gets a price.
//!
//! `rate` serves a single event, `explain`, `price` and columns of any length; they differ only in who builds the
//! [`EventView`] and whether the trace keeps anything. It allocates nothing per event: slices and components live in
//! the [`GroupState`] and are reused. Order (design, section 5): quantity and increments, allowance, price, connection
//! fee, floor, cap. Nothing is rounded here.

use crate::domain::Instant;
use crate::domain::charge::{Component, ComponentKind, Draw, Unit};
use crate::domain::derivation::{IdentityRule, Step, Trace};
use crate::domain::disposition::{ControlTotal, EventDisposition, SuspenseReason};
use crate::domain::event::EventView;
use crate::domain::outcome::{Direction, Outcome};
use crate::rules::compile::{Clause, CompiledRules, applies, is_from, outcome_bit};
use crate::rules::ruleset::{LegPolicy, Match, WithoutLegs};

use super::identify::{Found, identify};

/// Counters and line totals of all payer groups and months of one rating run.
#[derive(Default)]
pub struct GroupState {
    groups: Vec<Option<Group>>,
    month_count: usize,
    /// How often each clause matched, to find rules that never did.
    matched: Vec<u64>,
    slices: Vec<Slice>,
    components: Vec<Component>,
    draws: Vec<(usize, i64)>,
}

/// What one payer used and owes in one month.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Units drawn from each allowance counter.
    used: Vec<i64>,
    pub lines: Vec<(LineSlot, LineTotal)>,
    last: Option<Instant>,
}

/// What an event's components are summed under: the parts of a line's key that events differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineSlot {
    pub target: LineTarget,
    /// Tier from 1; 0 without tiers.
    pub tier: u16,
    /// Matter and timekeeper as numbers of the compiled rules, from 1; 0 is none.
    pub matter: u32,
    pub timekeeper: u32,
}

/// The clause or allowance of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineTarget {
    /// Index of a clause.
    Clause(u32),
    /// Index of an allowance counter, with the version that granted it.
    Allowance { counter: u32, version: u32 },
}

/// Sums of one line, before the one rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineTotal {
    pub events: u64,
    pub units: i128,
    pub numerator: i128,
}

/// A run of increments priced by one clause.
#[derive(Clone, Copy, Debug)]
struct Slice {
    clause: u32,
    unit_from: i64,
    units: i64,
    /// Bands active where it starts, for allowances that depend on one.
    bands: u64,
}

/// What became of one event. Its components stand in [`GroupState::components`] until the next event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rated {
    pub disposition: EventDisposition,
    pub reason: Option<SuspenseReason>,
    pub payer: Option<u32>,
    pub identity: Option<IdentityRule>,
    /// Index of the month, in the payer's zone (the company's when there is no payer).
    pub month: u32,
    /// The event's quantity, and the part of it that an allowance took.
    pub measured: ControlTotal,
    pub in_allowance: ControlTotal,
    /// The whole charge, as a numerator over the common denominator.
    pub numerator: i128,
}

/// Why rating stopped before a charge.
type Stopped = (EventDisposition, Option<SuspenseReason>);

impl GroupState {
    /// Empty counters for a rule set.
    pub fn new(rules: &CompiledRules) -> GroupState {
        let month_count = rules.month_count() as usize;
        GroupState {
            groups: vec![None; rules.payers.len() * month_count],
            month_count,
            matched: vec![0; rules.clauses.len()],
            ..GroupState::default()
        }
    }

    /// The components of the event rated last.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// What a payer used and owes in a month; `None` when nothing was charged or drawn.
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

    /// Indices of clauses that matched no event.
    pub fn unmatched_clauses(&self) -> impl Iterator<Item = usize> + '_ {
        self.matched.iter().enumerate().filter(|(_, count)| **count == 0).map(|(clause, _)| clause)
    }

    /// Sets how many units of an allowance counter are already used (examples, opening balances).
    pub fn set_used(&mut self, rules: &CompiledRules, payer: u32, month: u32, counter: usize, units: i64) {
        let group = group_of(&mut self.groups, self.month_count, rules, payer, month);
        group.used[counter] = units;
    }
}

/// Prices one event. Events of one payer must come in the order of their starts, then ids, since allowances are drawn
/// in that order.
///
/// # Panics
/// When a payer's events come out of order: that is a bug of the caller, and money would depend on it.
pub fn rate(
    rules: &CompiledRules,
    state: &mut GroupState,
    event: EventView<'_>,
    trace: &mut impl Trace,
) -> Rated {
    state.slices.clear();
    state.components.clear();
    state.draws.clear();
    let found = identify(&rules.identity, &event);
    let payer = found.map(|found| found.payer);
    let zone = payer.map_or(rules.home_zone, |payer| rules.payers[payer as usize].zone_index);
    let mut rated = Rated {
        disposition: EventDisposition::Suspended,
        reason: None,
        payer,
        identity: found.map(|found| found.rule),
        month: rules.month_of(zone, event.start),
        measured: measured(&event, event.quantities.master),
        in_allowance: ControlTotal::default(),
        numerator: 0,
    };
    if let Some(Found { payer, rule, .. }) = found {
        trace.step(|| Step::Identified { rule, payer });
    }
    let outcome = match price(rules, state, &event, &mut rated, trace) {
        Ok(disposition) => (disposition, None),
        Err(stopped) => {
            state.components.clear();
            rated.numerator = 0;
            rated.in_allowance = ControlTotal::default();
            stopped
        }
    };
    (rated.disposition, rated.reason) = outcome;
    trace.step(|| Step::Ended { disposition: outcome.0, reason: outcome.1 });
    rated
}

fn price(
    rules: &CompiledRules,
    state: &mut GroupState,
    event: &EventView<'_>,
    rated: &mut Rated,
    trace: &mut impl Trace,
) -> Result<EventDisposition, Stopped> {
    if rules.only_month.is_some_and(|month| month != rated.month) {
        return Err((EventDisposition::OtherPeriod, None));
    }
    let table = rules.outcomes.rule(event.channel, event.outcome);
    let billable = table.is_some_and(|rule| rule.billable);
    let not_billable = match event.outcome {
        Outcome::Queued => EventDisposition::AwaitingOutcome,
        _ => EventDisposition::OutcomeNotBillable,
    };
    let Some(payer) = rated.payer else {
        return Err(match (event.direction, billable) {
            (Direction::Internal, _) => (EventDisposition::Internal, None),
            (_, false) => (not_billable, None),
            (_, true) => (EventDisposition::Unmatched, None),
        });
    };
    let terms = &rules.payers[payer as usize];
    if terms.contact.do_not_bill {
        return Err((EventDisposition::DoNotBill, None));
    }
    let context = Context { rules, event, payer };
    let Some(first) = context.clause_at(None) else {
        return Err(match (event.direction, billable) {
            (Direction::Internal, _) => (EventDisposition::Internal, None),
            (_, false) => (not_billable, None),
            (_, true) => (EventDisposition::Suspended, Some(SuspenseReason::NoRate)),
        });
    };
    state.matched[first as usize] += 1;
    let clause = &rules.clauses[first as usize];
    trace.step(|| Step::TariffVersion { version: clause.version });
    let by_rate = clause.bill_when.map(|bits| bits & outcome_bit(event.outcome) != 0);
    if !by_rate.unwrap_or(billable) {
        return Err((not_billable, None));
    }
    let units_measured = context.quantity(clause, rated, trace)?;
    if units_measured == 0 {
        return Ok(EventDisposition::ZeroRated);
    }
    context.cut_slices(&mut state.slices, first, units_measured, trace)?;
    context.charge(state, first, rated, trace)
}

/// What stays the same while one event is priced.
struct Context<'a, 'e> {
    rules: &'a CompiledRules,
    event: &'a EventView<'e>,
    payer: u32,
}

impl Context<'_, '_> {
    /// The bands of the payer's nearest tariff at an instant, and the next instant at which those of any level change.
    fn bands(&self, instant: Instant) -> (u64, Instant) {
        let terms = &self.rules.payers[self.payer as usize];
        let (mut bands, mut next) = (0, Instant::from_milliseconds(i64::MAX));
        for (level, tariff) in terms.tariffs.iter().enumerate() {
            let zone = self.rules.versions[self.rules.tariffs[*tariff].1[0]].zone;
            let (active, change) = self.rules.bands_at(zone, terms.zone_index, instant);
            bands = if level == 0 { active } else { bands };
            next = next.min(change);
        }
        (bands, next)
    }

    /// The clause that prices at an instant: the nearest level with any matching rate wins. After the
    /// first block only prices by time can go on.
    fn clause_at(&self, later: Option<Instant>) -> Option<u32> {
        let terms = &self.rules.payers[self.payer as usize];
        let instant = later.unwrap_or(self.event.start);
        let (from, from_country) = (self.event.from.e164(), self.event.from_country);
        let to = (self.event.to.e164(), self.event.to_country);
        for tariff in &terms.tariffs {
            let Some(version) = self.rules.version_at(*tariff, self.event.start) else { continue };
            let (active, _) =
                self.rules.bands_at(self.rules.versions[version].zone, terms.zone_index, instant);
            let accept = |clause: &Clause| {
                clause.holds(active)
                    && is_from(&clause.rate.matches.from, from, from_country)
                    && (later.is_none() || clause.rate.price.unit == Unit::Second)
            };
            let found = self.rules.best_clause(version, self.event.channel, self.event.direction, to, accept);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// The measured quantity in the clause's unit, before increments.
    fn quantity(&self, clause: &Clause, rated: &mut Rated, trace: &mut impl Trace) -> Result<i64, Stopped> {
        let suspended = |reason| (EventDisposition::Suspended, Some(reason));
        match clause.rate.price.unit {
            Unit::Second => {
                let milliseconds = self.milliseconds(clause)?;
                rated.measured = measured(self.event, Some(milliseconds));
                let without_legs = self.event.quantities.without_legs;
                trace.step(|| Step::Measured { milliseconds, without_legs });
                let seconds =
                    milliseconds.checked_add(999).ok_or(suspended(SuspenseReason::Overflow))? / 1000;
                trace.step(|| Step::WholeSeconds { seconds });
                Ok(seconds)
            }
            Unit::Call | Unit::Message => {
                if self.event.outcome == Outcome::Answered {
                    let milliseconds = self.milliseconds(clause)?;
                    rated.measured = measured(self.event, Some(milliseconds));
                    // Answered with zero seconds is charged nothing (the default where engines disagree).
                    return Ok(i64::from(milliseconds > 0));
                }
                Ok(1)
            }
            Unit::Segment => self.event.segments.map(i64::from).ok_or(suspended(SuspenseReason::NoSegments)),
            Unit::Event | Unit::Amount => Ok(1),
            Unit::Page => self.event.pages.map(i64::from).ok_or(suspended(SuspenseReason::NoPages)),
        }
    }

    /// The leg policy: rating's first step (design, section 5).
    fn milliseconds(&self, clause: &Clause) -> Result<i64, Stopped> {
        let tariff = &self.rules.versions[clause.version].tariff;
        let quantities = &self.event.quantities;
        let suspended = |reason| (EventDisposition::Suspended, Some(reason));
        let milliseconds = match (tariff.legs, quantities.without_legs, tariff.without_legs) {
            (LegPolicy::Master, _, _) | (LegPolicy::CustomerFacing, true, WithoutLegs::Master) => {
                quantities.master
            }
            (LegPolicy::CustomerFacing, true, WithoutLegs::Suspend) => {
                return Err(suspended(SuspenseReason::NoLegs));
            }
            (LegPolicy::CustomerFacing, false, _) => quantities.customer_facing,
            _ => None,
        };
        milliseconds.filter(|milliseconds| *milliseconds >= 0).ok_or(suspended(SuspenseReason::NoDuration))
    }

    /// Runs of increments by clause: the first block once, then each increment by the band at its own start.
    fn cut_slices(
        &self,
        slices: &mut Vec<Slice>,
        first: u32,
        units_measured: i64,
        trace: &mut impl Trace,
    ) -> Result<(), Stopped> {
        let clause = &self.rules.clauses[first as usize];
        // Runs of increments are told apart by their bands only where an allowance asks for one.
        let bands = self.bands(self.event.start).0 & self.rules.allowance_bands;
        if clause.rate.price.unit != Unit::Second {
            slices.push(Slice { clause: first, unit_from: 0, units: units_measured, bands });
            trace.step(|| Step::Counted { clause: first, units: units_measured });
            return Ok(());
        }
        let no_rate = (EventDisposition::Suspended, Some(SuspenseReason::NoRate));
        let overflow = (EventDisposition::Suspended, Some(SuspenseReason::Overflow));
        slices.push(Slice { clause: first, unit_from: 0, units: clause.rate.increment.first_seconds, bands });
        let mut position = clause.rate.increment.first_seconds;
        while position < units_measured {
            let offset = position.checked_mul(1000).ok_or(overflow)?;
            let instant = self.event.start.plus_milliseconds(offset);
            let (bands, next) = self.bands(instant);
            let bands = bands & self.rules.allowance_bands;
            let index = self.clause_at(Some(instant)).ok_or(no_rate)?;
            let step = self.rules.clauses[index as usize].rate.increment.next_seconds;
            let until_change = next.milliseconds().saturating_sub(instant.milliseconds());
            let before_change = until_change / (step * 1000) + i64::from(until_change % (step * 1000) != 0);
            let wanted = (units_measured - position + step - 1) / step;
            let units = wanted.min(before_change).max(1).checked_mul(step).ok_or(overflow)?;
            match slices.last_mut().filter(|slice| slice.clause == index && slice.bands == bands) {
                Some(slice) => slice.units += units,
                None => slices.push(Slice { clause: index, unit_from: position, units, bands }),
            }
            position = position.checked_add(units).ok_or(overflow)?;
        }
        for slice in slices.iter() {
            let (clause, unit_from, units) = (slice.clause, slice.unit_from, slice.units);
            let seconds_measured = (units_measured - unit_from).min(units);
            trace.step(|| Step::Increments { clause, unit_from, units, seconds_measured });
        }
        Ok(())
    }

    /// Allowance, price, connection fee, floor, cap; then books everything into the payer's group.
    fn charge(
        &self,
        state: &mut GroupState,
        first: u32,
        rated: &mut Rated,
        trace: &mut impl Trace,
    ) -> Result<EventDisposition, Stopped> {
        let overflow = (EventDisposition::Suspended, Some(SuspenseReason::Overflow));
        let GroupState { groups, month_count, slices, components, draws, .. } = state;
        let group = group_of(groups, *month_count, self.rules, self.payer, rated.month);
        assert!(
            group.last.is_none_or(|last| last <= self.event.start),
            "events of a payer must come in the order of their starts"
        );
        let mut total: i128 = 0;
        let (mut units_free, mut units_all) = (0_i64, 0_i64);
        for slice in slices.iter() {
            let free = self.draw(group, draws, components, slice, first, trace);
            units_free += free;
            units_all += slice.units;
            let units = slice.units - free;
            if units == 0 {
                continue;
            }
            let clause = &self.rules.clauses[slice.clause as usize];
            let numerator = clause.unit_numerator.checked_mul(i128::from(units)).ok_or(overflow)?;
            total = total.checked_add(numerator).ok_or(overflow)?;
            let component = component(ComponentKind::Usage, slice.clause, clause.rate.price.unit, numerator);
            components.push(Component { unit_from: slice.unit_from + free, units, ..component });
            trace.step(|| Step::Price { clause: slice.clause, part: 0, units, numerator });
        }
        if units_free < units_all {
            total = self.adjust(components, first, total, trace);
        }
        rated.numerator = total;
        rated.in_allowance = self.part_in_allowance(first, units_free, rated.measured);
        trace.step(|| Step::Total { numerator: total });
        book(group, self.event.start, draws, components);
        Ok(match (units_free == units_all, total) {
            (true, _) => EventDisposition::InAllowance,
            (false, 0) => EventDisposition::ZeroRated,
            (false, _) => EventDisposition::Billed,
        })
    }

    /// Takes what the allowances still hold from the front of a slice; returns the units taken. The counters move only
    /// when the whole event is booked.
    fn draw(
        &self,
        group: &Group,
        draws: &mut Vec<(usize, i64)>,
        components: &mut Vec<Component>,
        slice: &Slice,
        first: u32,
        trace: &mut impl Trace,
    ) -> i64 {
        // A default tariff lends its rates, never its allowances: what is included belongs to the contact's own tariff.
        let own = self.rules.payers[self.payer as usize].tariffs[0];
        let Some(at) = self.rules.version_at(own, self.event.start) else { return 0 };
        let version = &self.rules.versions[at];
        let unit = self.rules.clauses[slice.clause as usize].rate.price.unit;
        let mut taken = 0;
        for (index, allowance) in version.tariff.allowances.iter().enumerate() {
            let wanted = slice.units - taken;
            if wanted == 0 {
                break;
            }
            if allowance.unit != unit || !self.is_in(&allowance.applies_to, slice.bands) {
                continue;
            }
            let counter = version.counters[index];
            let drawn: i64 =
                draws.iter().filter(|(other, _)| *other == counter).map(|(_, units)| units).sum();
            let left = allowance.grants - group.used[counter] - drawn;
            let units = left.min(wanted).max(0);
            if units == 0 {
                continue;
            }
            draws.push((counter, units));
            let draw = Draw { counter: small(counter), version: small(at) };
            let component = component(ComponentKind::Allowance, first, unit, 0);
            components.push(Component {
                allowance: Some(draw),
                unit_from: slice.unit_from + taken,
                units,
                ..component
            });
            trace.step(|| Step::Allowance { counter, left_before: left, units });
            taken += units;
        }
        taken
    }

    fn is_in(&self, matches: &Match, bands: u64) -> bool {
        let to = [self.event.to.e164()];
        applies(matches, self.event.channel, self.event.direction)
            && is_from(&matches.to, to[0], self.event.to_country)
            && is_from(&matches.from, self.event.from.e164(), self.event.from_country)
            && (matches.bands.is_empty() || matches.bands.iter().any(|band| bands & (1 << band) != 0))
    }

    /// Connection fee, floor and cap of the first rate, on the charge of the whole event.
    fn adjust(
        &self,
        components: &mut Vec<Component>,
        first: u32,
        total: i128,
        trace: &mut impl Trace,
    ) -> i128 {
        let clause = &self.rules.clauses[first as usize];
        let unit = clause.rate.price.unit;
        let mut total = total;
        if clause.connection_fee != 0 {
            let numerator = clause.connection_fee;
            total += numerator;
            components.push(component(ComponentKind::ConnectionFee, first, unit, numerator));
            trace.step(|| Step::ConnectionFee { clause: first, numerator });
        }
        if let Some(numerator) = clause.charge_floor.filter(|floor| total < *floor) {
            let before = total;
            components.push(component(ComponentKind::Floor, first, unit, numerator - before));
            trace.step(|| Step::Floor { clause: first, before, numerator });
            total = numerator;
        }
        if let Some(numerator) = clause.charge_cap.filter(|cap| total > *cap) {
            let before = total;
            components.push(component(ComponentKind::Cap, first, unit, numerator - before));
            trace.step(|| Step::Cap { clause: first, before, numerator });
            total = numerator;
        }
        total
    }

    fn part_in_allowance(&self, first: u32, units_free: i64, measured: ControlTotal) -> ControlTotal {
        let units = i128::from(units_free);
        let mut part = ControlTotal::default();
        match self.rules.clauses[first as usize].rate.price.unit {
            Unit::Second => part.milliseconds = measured.milliseconds.min(units * 1000),
            Unit::Segment => part.segments = units,
            Unit::Page => part.pages = units,
            Unit::Call | Unit::Message if units_free > 0 => {
                part = ControlTotal { events: 0, ..measured };
            }
            Unit::Call | Unit::Message | Unit::Event | Unit::Amount => {}
        }
        part
    }
}

fn component(kind: ComponentKind, clause: u32, unit: Unit, numerator: i128) -> Component {
    Component {
        kind,
        clause,
        allowance: None,
        unit,
        tier: 0,
        matter: 0,
        timekeeper: 0,
        entry: 0,
        unit_from: 0,
        units: 0,
        numerator,
    }
}

fn group_of<'a>(
    groups: &'a mut [Option<Group>],
    month_count: usize,
    rules: &CompiledRules,
    payer: u32,
    month: u32,
) -> &'a mut Group {
    let slot = &mut groups[payer as usize * month_count + month as usize];
    slot.get_or_insert_with(|| Group { used: vec![0; rules.counters.len()], ..Group::default() })
}

fn book(group: &mut Group, start: Instant, draws: &[(usize, i64)], components: &[Component]) {
    group.last = Some(start);
    for (counter, units) in draws {
        group.used[*counter] += units;
    }
    for (index, component) in components.iter().enumerate() {
        let slot = slot_of(component);
        let again = components[..index].iter().any(|earlier| slot_of(earlier) == slot);
        let at = group.lines.iter().position(|(known, _)| *known == slot).unwrap_or_else(|| {
            group.lines.push((slot, LineTotal::default()));
            group.lines.len() - 1
        });
        let line = &mut group.lines[at].1;
        line.events += u64::from(!again);
        line.units =
            line.units.checked_add(i128::from(component.units)).expect("a line's units left 128 bits");
        line.numerator =
            line.numerator.checked_add(component.numerator).expect("a line's amount left 128 bits");
    }
}

/// The line a component is summed under.
pub fn slot_of(component: &Component) -> LineSlot {
    let target = match component.allowance {
        None => LineTarget::Clause(component.clause),
        Some(Draw { counter, version }) => {
            return LineSlot {
                target: LineTarget::Allowance { counter, version },
                tier: 0,
                matter: 0,
                timekeeper: 0,
            };
        }
    };
    LineSlot { target, tier: component.tier, matter: component.matter, timekeeper: component.timekeeper }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).expect("payers, months, counters and versions are counted in 32 bits")
}

fn measured(event: &EventView<'_>, milliseconds: Option<i64>) -> ControlTotal {
    ControlTotal {
        events: 1,
        milliseconds: milliseconds.map_or(0, |milliseconds| i128::from(milliseconds.max(0))),
        segments: event.segments.map_or(0, i128::from),
        pages: event.pages.map_or(0, i128::from),
    }
}
