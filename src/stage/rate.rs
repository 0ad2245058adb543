//! The pricing code: the only place where an event gets a price.
//!
//! `rate` serves a single event, `explain`, `price` and columns of any length; they differ only in who builds the
//! [`EventView`] and whether the trace keeps anything. It allocates nothing per event: slices and components live in
//! the [`GroupState`] and are reused. Order (design, section 5): leg policy, quantity and increments (`quantity`),
//! allowance, tiers, price, connection fee, discount, floor, cap, rounding, monetary allowance (`charge`). Volume tiers
//! wait for the end of the period (`settle`). Nothing else is rounded here.

mod allowance;
mod charge;
mod find;
mod quantity;
mod rounding;
mod settle;
mod state;

use crate::domain::charge::Component;
use crate::domain::derivation::{IdentityRule, Silent, Step, Trace};
use crate::domain::disposition::{ControlTotal, EventDisposition, SuspenseReason};
use crate::domain::event::EventView;
use crate::domain::outcome::{Channel, Direction, Outcome};
use crate::domain::{Instant, money::power_of_ten};
use crate::rules::compile::{CompiledRules, outcome_bit};
use crate::rules::options::{MessageInstant, PeriodBy};
use crate::rules::ruleset::{LegPolicy, TariffVersion};

use super::identify::{Found, identify, timekeeper};

pub use settle::{settle, settle_derivation};
pub use state::{Balance, Carried, Group, Holder, LineTotal, slot_of};
use state::{Ledger, Pending};

/// Counters and line totals of all payer groups and months of one rating run, and room to work in.
pub struct GroupState {
    ledger: Ledger,
    /// How often each clause matched, to find rules that never did.
    matched: Vec<u64>,
    slices: Vec<Slice>,
    components: Vec<Component>,
    pending: Pending,
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

/// A run of billed units priced by one clause.
#[derive(Clone, Copy, Debug)]
struct Slice {
    clause: u32,
    /// Price step from 1; 0 where the clause has one price.
    part: u16,
    unit_from: i64,
    units: i64,
    /// Bands active where it starts, for allowances that depend on one.
    bands: u64,
    /// Index of the month it belongs to.
    month: u32,
    /// Number of the increment it is a part of, where increments are rounded one by one.
    increment: u32,
}

/// One length of time or count of an event: the event as a whole, or one person's own time.
#[derive(Clone, Copy, Debug)]
struct Entry {
    index: u16,
    extension: Option<u64>,
    start: Instant,
    /// Set for a time entry; otherwise the leg policy says.
    milliseconds: Option<i64>,
    /// Number of the timekeeper, from 1; 0 is none.
    timekeeper: u32,
}

/// What became of one event. Its components stand in [`GroupState::components`] until the next event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rated {
    pub disposition: EventDisposition,
    pub reason: Option<SuspenseReason>,
    pub payer: Option<u32>,
    pub identity: Option<IdentityRule>,
    /// Number of the matter, from 1; 0 is none.
    pub matter: u32,
    /// Index of the month, in the payer's zone (the company's when there is no payer).
    pub month: u32,
    /// The event's quantity, and the part of it that an allowance took.
    pub measured: ControlTotal,
    pub in_allowance: ControlTotal,
    /// The whole charge, as a numerator over the common denominator.
    pub numerator: i128,
    /// What the event cost: the supplier's charge, else the carrier's own figure; `None` when nobody says.
    pub cost: Option<i128>,
}

/// Why rating stopped before a charge.
type Stopped = (EventDisposition, Option<SuspenseReason>);

fn suspended(reason: SuspenseReason) -> Stopped {
    (EventDisposition::Suspended, Some(reason))
}

impl GroupState {
    /// Empty counters for a rule set.
    pub fn new(rules: &CompiledRules) -> GroupState {
        GroupState {
            ledger: Ledger::new(rules),
            matched: vec![0; rules.clauses.len()],
            slices: Vec::new(),
            components: Vec::new(),
            pending: Pending::default(),
        }
    }

    /// The components of the event rated last.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// What a payer used and owes in a month; `None` when nothing of it was met.
    pub fn group(&self, payer: u32, month: u32) -> Option<&Group> {
        self.ledger.group(payer, month)
    }

    /// All groups with their payer and month, in that order.
    pub fn groups(&self) -> impl Iterator<Item = (u32, u32, &Group)> + '_ {
        self.ledger.groups()
    }

    /// Indices of clauses that matched no event.
    pub fn unmatched_clauses(&self) -> impl Iterator<Item = usize> + '_ {
        self.matched.iter().enumerate().filter(|(_, count)| **count == 0).map(|(clause, _)| clause)
    }

    /// Sets how many units of an allowance counter are already used (examples).
    pub fn set_used(&mut self, rules: &CompiledRules, payer: u32, month: u32, counter: usize, units: i128) {
        self.ledger.open(rules, payer, month);
        self.ledger.balance_mut(rules, payer, month, counter).used = units;
    }

    /// Sets how many units a tier table or package has counted (examples).
    pub fn set_counted(&mut self, rules: &CompiledRules, payer: u32, month: u32, counter: usize, units: i64) {
        self.ledger.open(rules, payer, month);
        self.ledger.group_mut(payer, month).set_counted(counter, units);
    }

    /// Sets what earlier periods carried into the first one, by allowance counter.
    pub fn set_opening(&mut self, holder: Holder, counter: usize, carried: Vec<Carried>) {
        self.ledger.set_opening(holder, counter, carried);
    }

    /// Begins a month of a payer before anything of it is rated, so that what was carried into it goes on.
    pub fn open(&mut self, rules: &CompiledRules, payer: u32, month: u32) {
        self.ledger.open(rules, payer, month);
    }

    /// What a month leaves of each allowance for the next one, by counter; empty for those that do not roll over. The
    /// payer is the holder, or any member of the pool.
    pub fn closing(
        &self,
        rules: &CompiledRules,
        holder: Holder,
        payer: u32,
        month: u32,
    ) -> Vec<Vec<Carried>> {
        self.ledger.closing(rules, holder, payer, month)
    }

    /// Lets events come that start before those already rated: late usage that draws on what the period's counters held.
    pub fn append(&mut self) {
        self.ledger.forget_order();
    }

    fn clear(&mut self) {
        self.slices.clear();
        self.components.clear();
        self.pending.clear();
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
    let found = identify(&rules.identity, &event);
    rate_found(rules, state, &event, found, trace)
}

fn rate_found(
    rules: &CompiledRules,
    state: &mut GroupState,
    event: &EventView<'_>,
    found: Option<Found>,
    trace: &mut impl Trace,
) -> Rated {
    state.clear();
    let context = found.map(|found| Context::new(rules, event, found));
    let zone = context.as_ref().map_or(rules.home_zone, |context| rules.terms(context.payer).zone_index);
    let instant = context.as_ref().map_or(event.start, Context::period_instant);
    let mut rated = Rated {
        disposition: EventDisposition::Suspended,
        reason: None,
        payer: found.map(|found| found.payer),
        identity: found.map(|found| found.rule),
        matter: found.map_or(0, |found| found.matter),
        month: rules.month_of(zone, instant),
        measured: measured(event, event.quantities.master),
        in_allowance: ControlTotal::default(),
        numerator: 0,
        cost: None,
    };
    if let Some(Found { payer, rule, .. }) = found {
        trace.step(|| Step::Identified { rule, payer });
        state.ledger.open(rules, payer, rated.month);
    }
    let outcome = match price(rules, state, event, context, &mut rated, trace) {
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
    context: Option<Context<'_, '_>>,
    rated: &mut Rated,
    trace: &mut impl Trace,
) -> Result<EventDisposition, Stopped> {
    let splits = context.as_ref().is_some_and(Context::splits_periods);
    if rules.only_month.is_some_and(|month| month != rated.month && !splits) {
        return Err((EventDisposition::OtherPeriod, None));
    }
    let table = rules.outcomes.rule_of(event.channel, event.direction, event.outcome, event.error_code);
    let billable = table.is_some_and(|rule| rule.billable);
    let not_billable = match event.outcome {
        Outcome::Queued => EventDisposition::AwaitingOutcome,
        _ => EventDisposition::OutcomeNotBillable,
    };
    let Some(context) = context else {
        return Err(match (event.direction, billable) {
            (Direction::Internal, _) => (EventDisposition::Internal, None),
            (_, false) => (not_billable, None),
            (_, true) => (EventDisposition::Unmatched, None),
        });
    };
    if rules.terms(context.payer).contact.do_not_bill {
        return Err((EventDisposition::DoNotBill, None));
    }
    let whole = context.whole();
    let Some(first) = context.clause_at(&whole, None) else {
        return Err(match (event.direction, billable) {
            (Direction::Internal, _) => (EventDisposition::Internal, None),
            (_, false) => (not_billable, None),
            (_, true) => suspended(SuspenseReason::NoRate),
        });
    };
    state.matched[first as usize] += 1;
    let clause = &rules.clauses[first as usize];
    trace.step(|| Step::TariffVersion { version: clause.version });
    let by_rate = clause.bill_when.map(|bits| bits & outcome_bit(event.outcome) != 0);
    if !by_rate.unwrap_or(billable) {
        return Err((not_billable, None));
    }
    let supplier_cost = context.cost_at_supplier(state, rated.month, trace);
    rated.cost = match context.has_supplier() {
        true => supplier_cost,
        false => context.carrier_cost().ok().flatten(),
    };
    let context = Context { supplier_cost, ..context };
    let disposition = context.price_entries(state, first, rated, trace)?;
    trace.step(|| Step::Total { numerator: rated.numerator });
    context.book(state, rated, disposition)
}

/// What stays the same while one event is priced for one purpose.
#[derive(Clone, Copy)]
struct Context<'a, 'e> {
    rules: &'a CompiledRules,
    event: &'a EventView<'e>,
    payer: u32,
    matter: u32,
    /// Indices of tariffs, nearest first.
    tariffs: &'a [usize],
    /// What the event costs at the supplier, where the own tariff names one.
    supplier_cost: Option<i128>,
}

impl<'a, 'e> Context<'a, 'e> {
    fn new(rules: &'a CompiledRules, event: &'a EventView<'e>, found: Found) -> Context<'a, 'e> {
        let tariffs = rules.terms(found.payer).tariffs.as_slice();
        Context { rules, event, payer: found.payer, matter: found.matter, tariffs, supplier_cost: None }
    }

    /// The version of the nearest tariff that is in force at the start of the event.
    fn own_version(&self) -> Option<usize> {
        self.rules.version_at(self.tariffs[0], self.event.start)
    }

    fn own_tariff(&self) -> Option<&'a TariffVersion> {
        self.own_version().map(|version| &self.rules.versions[version].tariff)
    }

    /// The instant that decides which month the event belongs to.
    fn period_instant(&self) -> Instant {
        let Some(tariff) = self.own_tariff() else { return self.event.start };
        match (self.event.channel, tariff.options.period_by, tariff.options.message_instant) {
            (Channel::Voice, PeriodBy::End, _) => {
                let milliseconds = self.policy_milliseconds(tariff.legs).unwrap_or(0).max(0);
                self.event.start.plus_milliseconds(milliseconds)
            }
            (Channel::Voice, _, _) | (_, _, MessageInstant::Creation) => self.event.start,
            (_, _, MessageInstant::LastChange) => self.event.last_modified.unwrap_or(self.event.start),
        }
    }

    fn splits_periods(&self) -> bool {
        self.event.channel == Channel::Voice
            && self.own_tariff().is_some_and(|tariff| tariff.options.period_by == PeriodBy::Split)
    }

    /// The event as one entry.
    fn whole(&self) -> Entry {
        let (extension, start) = (self.event.extension, self.event.start);
        let timekeeper = timekeeper(&self.rules.identity, self.event, extension, start);
        Entry { index: 0, extension, start, milliseconds: None, timekeeper }
    }

    /// The entries of the event under a leg policy: one, or each person's own time.
    fn entry(&self, policy: LegPolicy, index: usize) -> Option<Entry> {
        if policy != LegPolicy::TimekeeperLeg || self.event.entries.is_empty() {
            return (index == 0).then(|| self.whole());
        }
        let entry = self.event.entries.get(index)?;
        Some(Entry {
            index: u16::try_from(index).unwrap_or(u16::MAX),
            extension: entry.extension,
            start: entry.start,
            milliseconds: Some(entry.milliseconds),
            timekeeper: timekeeper(&self.rules.identity, self.event, entry.extension, entry.start),
        })
    }

    fn price_entries(
        &self,
        state: &mut GroupState,
        first: u32,
        rated: &mut Rated,
        trace: &mut impl Trace,
    ) -> Result<EventDisposition, Stopped> {
        let policy = self.rules.versions[self.rules.clauses[first as usize].version].tariff.legs;
        let several = policy == LegPolicy::TimekeeperLeg && !self.event.entries.is_empty();
        if several {
            rated.measured.milliseconds = 0;
        }
        let mut ends = [false; 2];
        let mut index = 0;
        while let Some(entry) = self.entry(policy, index) {
            let mut clause = first;
            if several {
                let (number, matter) = (entry.index, self.matter);
                let (extension, timekeeper) = (entry.extension, entry.timekeeper);
                trace.step(|| Step::Entry { entry: number, extension, matter, timekeeper });
                clause = self.clause_at(&entry, None).ok_or(suspended(SuspenseReason::NoRate))?;
            }
            match self.price_entry(state, &entry, clause, rated, trace)? {
                EventDisposition::Billed => ends[0] = true,
                EventDisposition::InAllowance => ends[1] = true,
                _ => {}
            }
            index += 1;
        }
        Ok(match ends {
            [true, _] => EventDisposition::Billed,
            [false, true] => EventDisposition::InAllowance,
            [false, false] => EventDisposition::ZeroRated,
        })
    }

    fn has_supplier(&self) -> bool {
        self.own_version().is_some_and(|version| self.rules.versions[version].supplier.is_some())
    }

    /// What the same event costs at the tariff of the supplier that the own tariff names; `None` without one, or when
    /// that tariff has no price for it.
    fn cost_at_supplier(&self, state: &mut GroupState, month: u32, trace: &mut impl Trace) -> Option<i128> {
        let supplier = self.own_version().and_then(|version| self.rules.versions[version].supplier)?;
        let tariffs = [supplier];
        let context = Context { tariffs: &tariffs, ..*self };
        let first = context.clause_at(&context.whole(), None);
        let mut rated = Rated {
            disposition: EventDisposition::Suspended,
            reason: None,
            payer: Some(self.payer),
            identity: None,
            matter: self.matter,
            month,
            measured: ControlTotal::default(),
            in_allowance: ControlTotal::default(),
            numerator: 0,
            cost: None,
        };
        let priced = first.map(|first| context.price_entries(state, first, &mut rated, &mut Silent));
        state.clear();
        let version = self.rules.clauses[first? as usize].version;
        priced?.ok()?;
        trace.step(|| Step::Supplier { version, numerator: rated.numerator });
        Some(rated.numerator)
    }

    /// The carrier's figure as a numerator; `None` without one.
    ///
    /// # Errors
    /// A figure too fine for the common denominator.
    fn carrier_cost(&self) -> Result<Option<i128>, Stopped> {
        let Some(cost) = self.event.carrier_cost.map(|cost| cost.normalize()) else { return Ok(None) };
        let scale = power_of_ten(cost.scale());
        if self.rules.denominator % scale != 0 {
            return Err(suspended(SuspenseReason::TooFine));
        }
        let numerator = cost.mantissa().checked_mul(self.rules.denominator / scale);
        numerator.map(Some).ok_or(suspended(SuspenseReason::Overflow))
    }

    /// Books the whole event. Of a run for one month, only that month's parts stay.
    fn book(
        &self,
        state: &mut GroupState,
        rated: &mut Rated,
        disposition: EventDisposition,
    ) -> Result<EventDisposition, Stopped> {
        let GroupState { ledger, components, pending, .. } = state;
        let last = ledger.group(self.payer, rated.month).and_then(|group| group.last);
        assert!(
            last.is_none_or(|last| last <= self.event.start),
            "events of a payer must come in the order of their starts"
        );
        if let Some(only) = self.rules.only_month
            && self.splits_periods()
        {
            components.retain(|component| component.month == only);
            rated.numerator = components.iter().map(|component| component.numerator).sum();
        }
        ledger.book(self.rules, (self.payer, rated.month), self.event.start, pending, components);
        let elsewhere = self.rules.only_month.is_some_and(|only| only != rated.month);
        if elsewhere && components.is_empty() {
            return Err((EventDisposition::OtherPeriod, None));
        }
        Ok(disposition)
    }
}

fn measured(event: &EventView<'_>, milliseconds: Option<i64>) -> ControlTotal {
    ControlTotal {
        events: 1,
        milliseconds: milliseconds.map_or(0, |milliseconds| i128::from(milliseconds.max(0))),
        segments: event.segments.map_or(0, i128::from),
        pages: event.pages.map_or(0, i128::from),
    }
}
