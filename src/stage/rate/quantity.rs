//! From a leg policy's length or a count to billed units: grace, minimum, rounding scope and increments.

use crate::domain::Instant;
use crate::domain::charge::Unit;
use crate::domain::derivation::{Step, Trace};
use crate::domain::disposition::{ControlTotal, SuspenseReason};
use crate::domain::outcome::Outcome;
use crate::rules::compile::ClausePricing;
use crate::rules::options::{
    Alphabet, BandBy, ChargeRounding, Crossing, GraceBy, IncrementsFrom, TariffOptions, TextSplit,
    UnderASecond, UnitsCounted, ZeroSeconds,
};
use crate::rules::ruleset::{Increment, LegPolicy, Scope, TariffVersion, WithoutLegs};

use super::state::{Ledger, Pending, ScopeKey};
use super::{Context, Entry, Slice, Stopped, measured, suspended};

/// The measured quantity of an entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quantity {
    /// Whole seconds or a count; a call that is billed by the call has 1.
    pub units: i64,
    /// `None` for what has no length.
    pub milliseconds: Option<i64>,
}

/// Where a walk over increments stands: what prices there, and until when.
struct Place {
    clause: u32,
    part: u16,
    bands: u64,
    month: u32,
    /// Milliseconds and units until any of it may change.
    change_milliseconds: i64,
    change_units: i64,
}

impl Place {
    /// How many increments of a size begin before anything changes.
    fn increments(&self, units: i64) -> i64 {
        let size = units.saturating_mul(1000);
        let by_time = self.change_milliseconds / size + i64::from(self.change_milliseconds % size != 0);
        let by_position = self.change_units / units + i64::from(self.change_units % units != 0);
        by_time.min(by_position).max(1)
    }
}

/// What the walk over the increments of one call needs.
pub(super) struct Call<'c> {
    pub entry: &'c Entry,
    /// The clause of the entry's start.
    pub first: u32,
    /// Seconds of the entry before the walk begins, taken by allowances that draw measured units.
    pub offset_seconds: i64,
    /// Whole measured seconds from there on.
    pub seconds: i64,
    /// Month of the entry's start.
    pub month: u32,
}

/// More runs of increments than any call has: beyond them a length is absurd, and pricing it would take for ever.
const RUNS_MAX: usize = 1_000_000;

/// Units billed for a number of whole seconds, by the first block and the further steps.
pub(super) fn billed(increment: Increment, minimum: i64, options: &TariffOptions, seconds: i64) -> i64 {
    if seconds == 0 {
        return 0;
    }
    let (first, next) = (increment.first_seconds, increment.next_seconds);
    let seconds = seconds.max(minimum);
    let completed = options.units == UnitsCounted::Completed;
    if seconds <= first {
        return if completed && seconds < first { 0 } else { first };
    }
    let steps =
        |length: i64| if completed { length / next } else { length / next + i64::from(length % next != 0) };
    match options.increments_from {
        IncrementsFrom::FirstBlock => first + steps(seconds - first) * next,
        IncrementsFrom::Zero => first.max(steps(seconds) * next),
    }
}

impl Context<'_, '_> {
    /// The length that a leg policy gives; `None` when the source does not tell it.
    pub(super) fn policy_milliseconds(&self, policy: LegPolicy) -> Option<i64> {
        let quantities = &self.event.quantities;
        match policy {
            LegPolicy::CustomerFacing | LegPolicy::TimekeeperLeg => quantities.customer_facing,
            LegPolicy::Master => quantities.master,
            LegPolicy::EstimatedTalk => quantities.estimated_talk,
            LegPolicy::LongestLeg => quantities.longest_leg,
            LegPolicy::FirstAnswered => quantities.first_answered,
            LegPolicy::SumOfLegs => quantities.sum_of_legs,
        }
    }

    /// The leg policy: rating's first step (design, section 5).
    fn milliseconds(&self, tariff: &TariffVersion, entry: &Entry) -> Result<i64, Stopped> {
        let without = self.event.quantities.without_legs && tariff.legs != LegPolicy::Master;
        let milliseconds = match (entry.milliseconds, without, tariff.without_legs) {
            (Some(milliseconds), _, _) => Some(milliseconds),
            (None, true, WithoutLegs::Suspend) => return Err(suspended(SuspenseReason::NoLegs)),
            (None, true, WithoutLegs::Master) => self.event.quantities.master,
            (None, false, _) => self.policy_milliseconds(tariff.legs),
        };
        match milliseconds {
            None => Err(suspended(SuspenseReason::NoDuration)),
            Some(milliseconds) if milliseconds < 0 => Err(suspended(SuspenseReason::NegativeQuantity)),
            Some(milliseconds) => Ok(milliseconds),
        }
    }

    /// The measured quantity in the clause's unit, before minimum and increments; `None` for what is free.
    pub(super) fn quantity(
        &self,
        first: u32,
        entry: &Entry,
        total: &mut ControlTotal,
        trace: &mut impl Trace,
    ) -> Result<Option<Quantity>, Stopped> {
        let clause = &self.rules.clauses[first as usize];
        let tariff = &self.rules.versions[clause.version].tariff;
        let is_call = self.event.outcome == Outcome::Answered;
        if clause.unit != Unit::Second && !is_call {
            let units = self.count(clause.unit, &tariff.options)?;
            return Ok((units > 0).then_some(Quantity { units, milliseconds: None }));
        }
        let milliseconds = self.milliseconds(tariff, entry)?;
        match entry.milliseconds {
            Some(_) => total.milliseconds += i128::from(milliseconds),
            None => *total = measured(self.event, Some(milliseconds)),
        }
        let without_legs = self.event.quantities.without_legs;
        if clause.unit == Unit::Second {
            trace.step(|| Step::Measured { milliseconds, without_legs });
        }
        let grace = clause.rate.grace_milliseconds;
        let free = match tariff.options.grace_by {
            GraceBy::ShorterThan => milliseconds < grace,
            GraceBy::NotLongerThan => grace > 0 && milliseconds <= grace,
        };
        if free {
            trace.step(|| Step::Grace { clause: first, milliseconds });
            return Ok(None);
        }
        let nothing = match milliseconds {
            0 => tariff.options.zero_seconds == ZeroSeconds::Nothing,
            1..=999 => tariff.options.under_a_second == UnderASecond::Nothing,
            _ => false,
        };
        if clause.unit != Unit::Second {
            let units = self.count(clause.unit, &tariff.options)?;
            return Ok(
                (!nothing && units > 0).then_some(Quantity { units, milliseconds: Some(milliseconds) })
            );
        }
        let seconds = milliseconds.checked_add(999).ok_or(suspended(SuspenseReason::Overflow))? / 1000;
        trace.step(|| Step::WholeSeconds { seconds });
        Ok((!nothing).then_some(Quantity { units: seconds, milliseconds: Some(milliseconds) }))
    }

    /// What is counted and not measured.
    fn count(&self, unit: Unit, options: &TariffOptions) -> Result<i64, Stopped> {
        match unit {
            Unit::Segment => {
                let national = options.alphabet == Alphabet::National;
                let whole = options.text_split == TextSplit::Graphemes;
                let counted = self.event.segment_counts.count(national, whole).or(self.event.segments);
                counted.map(i64::from).ok_or(suspended(SuspenseReason::NoSegments))
            }
            Unit::Page => self.event.pages.map(i64::from).ok_or(suspended(SuspenseReason::NoPages)),
            _ => Ok(1),
        }
    }

    /// A rounding scope's units: what is billed of its sum with the entry, less what was billed without it. The sum
    /// telescopes, so that the entries of a scope together are billed as one (trap 37).
    pub(super) fn scoped(
        &self,
        ledger: &Ledger,
        pending: &mut Pending,
        call: &Call<'_>,
        milliseconds: i64,
        trace: &mut impl Trace,
    ) -> Result<i64, Stopped> {
        let clause = &self.rules.clauses[call.first as usize];
        let tariff = &self.rules.versions[clause.version].tariff;
        let zone = self.rules.terms(self.payer).zone;
        let day = (zone.local(call.entry.start).date() - chrono::NaiveDate::default()).num_days();
        let day = i32::try_from(day).map_err(|_| suspended(SuspenseReason::Overflow))?;
        let counter = clause.counter.expect("a rate with a scope has a counter");
        let timekeeper = call.entry.timekeeper;
        let key = match clause.rate.scope {
            Scope::Call | Scope::ContactDay => ScopeKey { counter, day, matter: 0, timekeeper: 0 },
            Scope::MatterDay => ScopeKey { counter, day, matter: self.matter, timekeeper: 0 },
            Scope::TimekeeperDay => ScopeKey { counter, day, matter: self.matter, timekeeper },
            Scope::Period => ScopeKey { counter, day: 0, matter: self.matter, timekeeper: 0 },
        };
        let group = ledger.group(self.payer, call.month);
        let before = group.map_or(0, |group| group.summed(key)) + pending.summed(key);
        let after = before.checked_add(milliseconds).ok_or(suspended(SuspenseReason::Overflow))?;
        let units = |milliseconds: i64| {
            let seconds = milliseconds / 1000 + i64::from(milliseconds % 1000 != 0);
            billed(clause.increment, clause.rate.minimum_seconds, &tariff.options, seconds)
        };
        // A call of no length that is billed all the same opens the first block.
        let nothing_yet = after == 0 && units(1) > 0;
        let (units_before, units_after) = (units(before), units(after.max(i64::from(nothing_yet))));
        pending.scopes.push((key, milliseconds));
        trace.step(|| Step::Scope {
            clause: call.first,
            milliseconds_before: before,
            milliseconds_after: after,
            units_before,
            units_after,
        });
        Ok(units_after - units_before)
    }

    /// Runs of increments by clause: the first block once, then each increment by the bands and price step at its own
    /// start.
    pub(super) fn cut(
        &self,
        slices: &mut Vec<Slice>,
        call: &Call<'_>,
        trace: &mut impl Trace,
    ) -> Result<(), Stopped> {
        let overflow = suspended(SuspenseReason::Overflow);
        let clause = &self.rules.clauses[call.first as usize];
        let tariff = &self.rules.versions[clause.version].tariff;
        let options = tariff.options;
        let one_by_one = tariff.rounding.charge == ChargeRounding::PerIncrement;
        let target = call.seconds.max(clause.rate.minimum_seconds).max(1);
        if target > call.seconds {
            trace.step(|| Step::Minimum { clause: call.first, seconds: target });
        }
        let completed = options.units == UnitsCounted::Completed;
        let (mut position, mut number) = (0_i64, 0_u32);
        let before = slices.len();
        while position < target {
            if slices.len() - before > RUNS_MAX {
                return Err(overflow);
            }
            let place = self.place(call, position)?;
            let increment = self.rules.clauses[place.clause as usize].increment;
            let regular = position > 0
                && (options.increments_from == IncrementsFrom::FirstBlock
                    || position % increment.next_seconds == 0);
            let size = match (position, regular) {
                (0, _) => increment.first_seconds,
                (_, true) => increment.next_seconds,
                (_, false) => increment.next_seconds - position % increment.next_seconds,
            };
            let rest = target - position;
            let wanted = rest / size + i64::from(!completed && rest % size != 0);
            if wanted == 0 {
                break;
            }
            let pieces = options.crossing == Crossing::Pieces;
            let count = match regular && !one_by_one && !pieces {
                true => wanted.min(place.increments(size)),
                false => 1,
            };
            let units = count.checked_mul(size).ok_or(overflow)?;
            if pieces {
                self.push_pieces(slices, call, position, units, number)?;
            } else {
                push(slices, &place, (call.offset_seconds + position, units), number, one_by_one);
            }
            number = number.wrapping_add(u32::from(one_by_one));
            position = position.checked_add(units).ok_or(overflow)?;
        }
        self.tell_increments(&slices[before..], call, trace);
        Ok(())
    }

    /// The billed seconds of one increment, each priced by what is in force at its own start.
    fn push_pieces(
        &self,
        slices: &mut Vec<Slice>,
        call: &Call<'_>,
        from: i64,
        units: i64,
        number: u32,
    ) -> Result<(), Stopped> {
        let mut position = from;
        while position < from + units {
            let place = self.place(call, position)?;
            let count = (from + units - position).min(place.increments(1));
            push(slices, &place, (call.offset_seconds + position, count), number, true);
            position += count;
        }
        Ok(())
    }

    /// What prices the unit at a position of the walk, and until when.
    fn place(&self, call: &Call<'_>, position: i64) -> Result<Place, Stopped> {
        let overflow = suspended(SuspenseReason::Overflow);
        let first = &self.rules.clauses[call.first as usize];
        let options = &self.rules.versions[first.version].tariff.options;
        let offset = (call.offset_seconds + position).checked_mul(1000).ok_or(overflow)?;
        let instant = call.entry.start.plus_milliseconds(offset);
        let by_start = options.band_by == BandBy::CallStart;
        let (bands, mut change) = match by_start {
            true => (self.bands(call.entry.start).0, Instant::from_milliseconds(i64::MAX)),
            false => self.bands(instant),
        };
        let clause = match by_start || offset == 0 {
            true => call.first,
            false => {
                let found = self.clause_at(call.entry, Some(instant));
                found.ok_or(suspended(SuspenseReason::NoRate))?
            }
        };
        let mut month = call.month;
        if self.splits_periods() {
            let zone = self.rules.terms(self.payer).zone_index;
            month = self.rules.month_of(zone, instant);
            change = change.min(self.rules.month_start(zone, month + 1));
        }
        let (part, change_units) = self.part(clause, options, position);
        Ok(Place {
            clause,
            part,
            bands: bands & self.rules.allowance_bands,
            month,
            change_milliseconds: change.milliseconds().saturating_sub(instant.milliseconds()),
            change_units,
        })
    }

    /// The price step at a position, from 1, and the units until the next one; 0 where there is one price.
    fn part(&self, clause: u32, options: &TariffOptions, position: i64) -> (u16, i64) {
        let ClausePricing::Steps(steps) = &self.rules.clauses[clause as usize].pricing else {
            return (0, i64::MAX);
        };
        let begins = |from: i64| if from == 0 { 0 } else { from + options.after_offset_seconds };
        let reached = steps.iter().filter(|(from, _)| begins(*from) <= position).count().max(1);
        let next = steps.get(reached).map_or(i64::MAX, |(from, _)| begins(*from) - position);
        (u16::try_from(reached).unwrap_or(u16::MAX), next)
    }

    fn tell_increments(&self, slices: &[Slice], call: &Call<'_>, trace: &mut impl Trace) {
        for run in slices.chunk_by(|left, right| left.clause == right.clause) {
            let (clause, unit_from) = (run[0].clause, run[0].unit_from);
            let units: i64 = run.iter().map(|slice| slice.units).sum();
            let seconds_measured = (call.offset_seconds + call.seconds - unit_from).clamp(0, units);
            trace.step(|| Step::Increments { clause, unit_from, units, seconds_measured });
        }
    }
}

/// Adds a run of units, to the last run where nothing tells them apart.
fn push(slices: &mut Vec<Slice>, place: &Place, (unit_from, units): (i64, i64), increment: u32, apart: bool) {
    let Place { clause, part, bands, month, .. } = *place;
    let same = |slice: &&mut Slice| {
        slice.clause == clause
            && slice.part == part
            && slice.bands == bands
            && slice.month == month
            && (!apart || slice.increment == increment)
    };
    match slices.last_mut().filter(same) {
        Some(slice) => slice.units += units,
        None => slices.push(Slice { clause, part, unit_from, units, bands, month, increment }),
    }
}
