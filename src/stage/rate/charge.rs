//! From billed units to money: allowances, tiers, price, connection fee, discount, floor, cap, rounding of the charge,
//! monetary allowances.

use crate::domain::charge::{Component, ComponentKind, Unit};
use crate::domain::derivation::{Step, Trace};
use crate::domain::disposition::{EventDisposition, SuspenseReason};
use crate::rules::compile::{Clause, ClausePricing, ClauseReduction, ClauseTier};
use crate::rules::options::{AllowanceDraws, ChargeRounding, FeeOnChange, InsideAllowance, UnitsCounted};
use crate::rules::ruleset::{CostBase, Scope};

use super::quantity::Call;
use super::rounding::{Increments, round};
use super::state::slot_of;
use super::{Context, Entry, GroupState, Rated, Slice, Stopped, suspended};

/// What one entry has come to so far.
pub(super) struct Tally {
    pub entry: Entry,
    pub matter: u32,
    /// The clause of the entry's start.
    pub first: u32,
    /// Tier of the first unit of that clause that is left to pay; 0 without tiers.
    pub tier: u16,
    /// Whether such a unit was met.
    pub priced: bool,
    pub increments: Increments,
    pub month: u32,
    /// Where the entry's components begin.
    pub begin: usize,
    pub total: i128,
    pub units_all: i64,
    pub units_free: i64,
}

impl Tally {
    pub fn component(&self, kind: ComponentKind, (clause, of): (u32, &Clause), numerator: i128) -> Component {
        Component {
            kind,
            clause,
            line: of.line,
            allowance: None,
            unit: of.unit,
            tier: self.tier,
            matter: self.matter,
            timekeeper: self.entry.timekeeper,
            entry: self.entry.index,
            month: self.month,
            unit_from: 0,
            units: 0,
            numerator,
        }
    }
}

impl Context<'_, '_> {
    /// Prices one entry; its components and what it does to the counters wait in the state until the event is booked.
    pub(super) fn price_entry(
        &self,
        state: &mut GroupState,
        entry: &Entry,
        first: u32,
        rated: &mut Rated,
        trace: &mut impl Trace,
    ) -> Result<EventDisposition, Stopped> {
        let clause = &self.rules.clauses[first as usize];
        let tariff = &self.rules.versions[clause.version].tariff;
        let options = &tariff.options;
        let Some(quantity) = self.quantity(first, entry, &mut rated.measured, trace)? else {
            return Ok(EventDisposition::ZeroRated);
        };
        let mut tally = Tally {
            entry: *entry,
            matter: self.matter,
            first,
            tier: 0,
            priced: false,
            increments: Increments::new(tariff.rounding, self.rules.denominator),
            month: rated.month,
            begin: state.components.len(),
            total: 0,
            units_all: 0,
            units_free: 0,
        };
        state.slices.clear();
        let month = rated.month;
        let mut call = Call { entry, first, offset_seconds: 0, seconds: quantity.units, month };
        let bands = self.bands(entry.start).0 & self.rules.allowance_bands;
        let whole = |units| Slice { clause: first, part: 0, unit_from: 0, units, bands, month, increment: 0 };
        if clause.unit != Unit::Second {
            state.slices.push(whole(quantity.units));
            trace.step(|| Step::Counted { clause: first, units: quantity.units });
        } else if clause.rate.scope != Scope::Call {
            let milliseconds = quantity.milliseconds.unwrap_or(0);
            let units = self.scoped(&state.ledger, &mut state.pending, &call, milliseconds, trace)?;
            if units == 0 {
                return Ok(EventDisposition::ZeroRated);
            }
            state.slices.push(whole(units));
        } else {
            if options.allowance_draws == AllowanceDraws::Measured {
                let free = self.draw(state, &mut tally, &whole(quantity.units), trace);
                (tally.units_all, tally.units_free) = (free, free);
                call = Call { offset_seconds: free, seconds: quantity.units - free, ..call };
            }
            if call.seconds > 0 || call.offset_seconds == 0 {
                let mut slices = std::mem::take(&mut state.slices);
                let cut = self.cut(&mut slices, &call, trace);
                state.slices = slices;
                cut?;
            }
        }
        let draws = clause.unit != Unit::Second
            || clause.rate.scope != Scope::Call
            || options.allowance_draws == AllowanceDraws::Billed;
        self.charge(state, tally, draws, rated, trace)
    }

    fn charge(
        &self,
        state: &mut GroupState,
        mut tally: Tally,
        draws: bool,
        rated: &mut Rated,
        trace: &mut impl Trace,
    ) -> Result<EventDisposition, Stopped> {
        let slices = std::mem::take(&mut state.slices);
        let mut result = Ok(());
        for slice in &slices {
            state.ledger.open(self.rules, self.payer, slice.month);
            let free = if draws { self.draw(state, &mut tally, slice, trace) } else { 0 };
            tally.units_free += free;
            tally.units_all += slice.units;
            let rest = Slice { unit_from: slice.unit_from + free, units: slice.units - free, ..*slice };
            if rest.units > 0 {
                result = self.price_units(state, &mut tally, &rest, trace);
            }
            if result.is_err() {
                break;
            }
        }
        let result = result.and_then(|()| self.finish_charge(state, &mut tally, &slices, trace));
        state.slices = slices;
        result?;
        if tally.units_all == 0 {
            return Ok(EventDisposition::ZeroRated);
        }
        self.settle_entry(state, &tally, rated, trace)
    }

    /// A clause with its index.
    pub(super) fn clause(&self, index: u32) -> (u32, &Clause) {
        (index, &self.rules.clauses[index as usize])
    }

    /// Connection fee, discount, floor, cap and rounding, unless everything was included.
    fn finish_charge(
        &self,
        state: &mut GroupState,
        tally: &mut Tally,
        slices: &[Slice],
        trace: &mut impl Trace,
    ) -> Result<(), Stopped> {
        let clause = &self.rules.clauses[tally.first as usize];
        let tariff = &self.rules.versions[clause.version].tariff;
        let before = tally.total;
        let rounded = tally.increments.finish();
        for (of, tier, month, difference) in &rounded {
            let component = tally.component(ComponentKind::Rounding, self.clause(*of), *difference);
            state.components.push(Component { tier: *tier, month: *month, ..component });
            tally.total = plus(tally.total, *difference)?;
        }
        if !rounded.is_empty() {
            let (clause, numerator) = (tally.first, tally.total);
            trace.step(|| Step::Rounded { clause, before, numerator });
        }
        let left = tally.units_free < tally.units_all;
        if tally.units_all > 0 && tally.tier == 0 && !left {
            tally.tier = self.next_tier(state, tally, clause);
        }
        if left || (tally.units_all > 0 && tariff.options.inside_allowance == InsideAllowance::Fee) {
            self.adjust(state, tally, slices, trace)?;
        }
        Ok(())
    }

    /// The tier that the next unit would fall into, for amounts that stand beside no unit.
    fn next_tier(&self, state: &GroupState, tally: &Tally, clause: &Clause) -> u16 {
        match (&clause.pricing, clause.counter) {
            (ClausePricing::Graduated(tiers), Some(counter)) => {
                let group = state.ledger.group(self.payer, tally.month);
                let before = group.map_or(0, |group| group.tier_used(counter))
                    + state.pending.counted(tally.month, counter);
                tier_of(tiers, before)
            }
            _ => 0,
        }
    }

    /// Prices what allowances left of a slice.
    fn price_units(
        &self,
        state: &mut GroupState,
        tally: &mut Tally,
        slice: &Slice,
        trace: &mut impl Trace,
    ) -> Result<(), Stopped> {
        let overflow = suspended(SuspenseReason::Overflow);
        let clause = &self.rules.clauses[slice.clause as usize];
        match &clause.pricing {
            ClausePricing::Unit(each) => self.add_usage(state, tally, slice, (0, 0), *each, trace),
            ClausePricing::Steps(steps) => {
                let step = usize::from(slice.part).saturating_sub(1).min(steps.len() - 1);
                self.add_usage(state, tally, slice, (0, slice.part), steps[step].1, trace)
            }
            ClausePricing::Graduated(tiers) => {
                let counter = clause.counter.expect("a tiered rate has a counter");
                let mut before = self.counted(state, slice, counter);
                let mut piece = *slice;
                while piece.units > 0 {
                    let tier = tier_of(tiers, before);
                    let row = &tiers[usize::from(tier) - 1];
                    let units = piece.units.min(row.up_to.saturating_sub(before).max(1));
                    let part = Slice { units, ..piece };
                    self.add_usage(state, tally, &part, (tier, tier), row.unit_numerator, trace)?;
                    state.pending.count(slice.month, counter, units);
                    piece = Slice { unit_from: piece.unit_from + units, units: piece.units - units, ..piece };
                    before = before.checked_add(units).ok_or(overflow)?;
                }
                Ok(())
            }
            ClausePricing::Volume(_) => {
                let counter = clause.counter.expect("a tiered rate has a counter");
                state.pending.count(slice.month, counter, slice.units);
                let component = tally.component(ComponentKind::Usage, (slice.clause, clause), 0);
                let (unit_from, units, month) = (slice.unit_from, slice.units, slice.month);
                push_usage(
                    &mut state.components,
                    tally.begin,
                    Component { tier: 0, month, unit_from, units, ..component },
                );
                Ok(())
            }
            ClausePricing::Package { .. } | ClausePricing::Cost { .. } | ClausePricing::Missing => {
                let numerator = self.price_whole(state, tally, slice, trace)?;
                if matches!(clause.pricing, ClausePricing::Cost { .. }) {
                    tally.increments.add(slice.increment, (slice.clause, 0, slice.month), numerator);
                }
                Ok(())
            }
        }
    }

    /// Adds a run of units at one price, in a tier and price step (0 without).
    fn add_usage(
        &self,
        state: &mut GroupState,
        tally: &mut Tally,
        piece: &Slice,
        (tier, part): (u16, u16),
        each: i128,
        trace: &mut impl Trace,
    ) -> Result<(), Stopped> {
        let clause = &self.rules.clauses[piece.clause as usize];
        let units = i128::from(piece.units);
        let numerator = each.checked_mul(units).ok_or(suspended(SuspenseReason::Overflow))?;
        tally.total = plus(tally.total, numerator)?;
        if piece.clause == tally.first && !std::mem::replace(&mut tally.priced, true) {
            tally.tier = tier;
        }
        if let (1.., Some(counter)) = (tier, clause.counter) {
            let (clause, units) = (piece.clause, piece.units);
            let before = || self.counted(state, piece, counter);
            trace.step(|| Step::Tier { clause, tier, units_before: before(), units });
        }
        let component = tally.component(ComponentKind::Usage, (piece.clause, clause), numerator);
        let (month, unit_from, units) = (piece.month, piece.unit_from, piece.units);
        push_usage(
            &mut state.components,
            tally.begin,
            Component { tier, month, unit_from, units, ..component },
        );
        tally.increments.add(piece.increment, (piece.clause, tier, piece.month), numerator);
        trace.step(|| Step::Price { clause: piece.clause, part, units, numerator });
        Ok(())
    }

    /// Prices that are not so much a unit: packages and costs.
    fn price_whole(
        &self,
        state: &mut GroupState,
        tally: &mut Tally,
        slice: &Slice,
        trace: &mut impl Trace,
    ) -> Result<i128, Stopped> {
        let overflow = suspended(SuspenseReason::Overflow);
        let clause = &self.rules.clauses[slice.clause as usize];
        let numerator = match &clause.pricing {
            ClausePricing::Package { size, numerator } => {
                let counter = clause.counter.expect("a package has a counter");
                let units_before = self.counted(state, slice, counter);
                let after = units_before.checked_add(slice.units).ok_or(overflow)?;
                let completed =
                    self.rules.versions[clause.version].tariff.options.units == UnitsCounted::Completed;
                let packages = |units: i64| units / size + i64::from(!completed && units % size != 0);
                let opened = packages(after) - packages(units_before);
                state.pending.count(slice.month, counter, slice.units);
                let (of, units) = (slice.clause, slice.units);
                trace.step(|| Step::Packages { clause: of, units_before, units, packages: opened });
                numerator.checked_mul(i128::from(opened)).ok_or(overflow)?
            }
            ClausePricing::Cost { base, share, plus: on_top } => {
                let cost = match base {
                    CostBase::Carrier => self.carrier_cost()?,
                    CostBase::Supplier => self.supplier_cost,
                };
                let cost = cost.ok_or(suspended(SuspenseReason::NoCost))?;
                let clause = slice.clause;
                trace.step(|| Step::Cost { clause, cost });
                let scaled = cost.checked_mul(share.0).ok_or(overflow)?;
                assert_eq!(scaled % share.1, 0, "the common denominator misses a share of a cost");
                plus(scaled / share.1, *on_top)?
            }
            _ => return Err(suspended(SuspenseReason::NoTimekeeperPrice)),
        };
        tally.total = plus(tally.total, numerator)?;
        let component = tally.component(ComponentKind::Usage, (slice.clause, clause), numerator);
        let (unit_from, units, month) = (slice.unit_from, slice.units, slice.month);
        // The tier of the entry is that of its first clause, which may be another one.
        let component = Component { tier: 0, month, unit_from, units, ..component };
        push_usage(&mut state.components, tally.begin, component);
        let (clause, units) = (slice.clause, slice.units);
        trace.step(|| Step::Price { clause, part: 0, units, numerator });
        Ok(numerator)
    }

    fn counted(&self, state: &GroupState, slice: &Slice, counter: usize) -> i64 {
        let group = state.ledger.group(self.payer, slice.month);
        group.map_or(0, |group| group.tier_used(counter)) + state.pending.counted(slice.month, counter)
    }

    /// Connection fee, discount, floor, cap and rounding of the first rate, on the charge of the whole entry.
    fn adjust(
        &self,
        state: &mut GroupState,
        tally: &mut Tally,
        slices: &[Slice],
        trace: &mut impl Trace,
    ) -> Result<(), Stopped> {
        let first = tally.first;
        let clause = &self.rules.clauses[first as usize];
        let tariff = &self.rules.versions[clause.version].tariff;
        self.connection_fees(state, tally, slices, trace)?;
        if let Some(discount) = clause.discount {
            let before = tally.total;
            let off = match discount {
                ClauseReduction::Amount(amount) => amount.min(before.max(0)),
                ClauseReduction::Share(numerator, denominator) => {
                    let scaled = before.checked_mul(numerator).ok_or(suspended(SuspenseReason::Overflow))?;
                    assert_eq!(scaled % denominator, 0, "the common denominator misses a discount");
                    scaled / denominator
                }
            };
            if off != 0 {
                let numerator = self.change(state, tally, ComponentKind::Discount, before - off);
                trace.step(|| Step::Discount { clause: first, before, numerator });
            }
        }
        if let Some(floor) = clause.charge_floor.filter(|floor| tally.total < *floor) {
            let before = tally.total;
            let numerator = self.change(state, tally, ComponentKind::Floor, floor);
            trace.step(|| Step::Floor { clause: first, before, numerator });
        }
        if let Some(cap) = clause.charge_cap.filter(|cap| tally.total > *cap) {
            let before = tally.total;
            let numerator = self.change(state, tally, ComponentKind::Cap, cap);
            trace.step(|| Step::Cap { clause: first, before, numerator });
        }
        if tariff.rounding.charge == ChargeRounding::PerEvent {
            let before = tally.total;
            let rounded = round(before, tariff.rounding, self.rules.denominator);
            if rounded != before {
                let numerator = self.change(state, tally, ComponentKind::Rounding, rounded);
                trace.step(|| Step::Rounded { clause: first, before, numerator });
            }
        }
        Ok(())
    }

    fn connection_fees(
        &self,
        state: &mut GroupState,
        tally: &mut Tally,
        slices: &[Slice],
        trace: &mut impl Trace,
    ) -> Result<(), Stopped> {
        let first = tally.first;
        let version = self.rules.clauses[first as usize].version;
        let each = self.rules.versions[version].tariff.options.connection_fee_on_change == FeeOnChange::Each;
        for (index, slice) in slices.iter().enumerate() {
            let again = slices[..index].iter().any(|earlier| earlier.clause == slice.clause);
            if slice.clause != first && (again || !each) {
                continue;
            }
            if slice.clause == first && again {
                continue;
            }
            self.connection_fee(state, tally, slice.clause, trace)?;
        }
        // Everything was taken by allowances that draw measured seconds: the fee is the first rate's all the same.
        if slices.is_empty() {
            self.connection_fee(state, tally, first, trace)?;
        }
        Ok(())
    }

    fn connection_fee(
        &self,
        state: &mut GroupState,
        tally: &mut Tally,
        clause: u32,
        trace: &mut impl Trace,
    ) -> Result<(), Stopped> {
        let of = &self.rules.clauses[clause as usize];
        let numerator = of.connection_fee;
        if numerator == 0 {
            return Ok(());
        }
        tally.total = plus(tally.total, numerator)?;
        let component = tally.component(ComponentKind::ConnectionFee, (clause, of), numerator);
        // The fee of a rate entered on the way stands with its first unit.
        let own = state.components[tally.begin..]
            .iter()
            .find(|part| part.kind == ComponentKind::Usage && part.clause == clause);
        let tier = match own {
            _ if clause == tally.first => tally.tier,
            Some(part) => part.tier,
            None => self.next_tier(state, tally, of),
        };
        state.components.push(Component { tier, ..component });
        trace.step(|| Step::ConnectionFee { clause, numerator });
        Ok(())
    }

    /// Changes the charge to another amount by a component of its own.
    fn change(&self, state: &mut GroupState, tally: &mut Tally, kind: ComponentKind, to: i128) -> i128 {
        state.components.push(tally.component(kind, self.clause(tally.first), to - tally.total));
        tally.total = to;
        to
    }

    /// Monetary allowances, and what became of the entry.
    fn settle_entry(
        &self,
        state: &mut GroupState,
        tally: &Tally,
        rated: &mut Rated,
        trace: &mut impl Trace,
    ) -> Result<EventDisposition, Stopped> {
        drop_cancelled(&mut state.components, tally.begin);
        let credit = self.credit(state, tally, trace);
        let charge = tally.total - credit;
        rated.numerator = plus(rated.numerator, charge)?;
        self.add_in_allowance(tally, rated);
        let volume = state.components[tally.begin..]
            .iter()
            .any(|part| self.rules.clauses[part.clause as usize].is_volume() && part.allowance.is_none());
        let all_free = tally.units_free == tally.units_all;
        Ok(match (charge, volume) {
            (_, true) => EventDisposition::Billed,
            (0, _) if tally.total > 0 || all_free => EventDisposition::InAllowance,
            (0, _) => EventDisposition::ZeroRated,
            _ => EventDisposition::Billed,
        })
    }
}

/// The tier, from 1, of the unit that follows on so many; boundaries belong to the tier below them.
pub(super) fn tier_of(tiers: &[ClauseTier], before: i64) -> u16 {
    let passed = tiers.iter().take(tiers.len() - 1).filter(|tier| tier.up_to <= before).count();
    u16::try_from(passed + 1).expect("a rate has few tiers")
}

/// Adds usage to the last part of the same entry where nothing but the position tells them apart.
fn push_usage(components: &mut Vec<Component>, begin: usize, component: Component) {
    let last = components[begin..].last_mut().filter(|last| {
        last.kind == ComponentKind::Usage
            && last.clause == component.clause
            && last.tier == component.tier
            && last.month == component.month
            && last.unit_from + last.units == component.unit_from
    });
    match last {
        Some(last) => {
            last.units += component.units;
            last.numerator += component.numerator;
        }
        None => components.push(component),
    }
}

/// Drops amounts beside no unit that cancel each other out, such as a fee and its discount: they stand on no line.
fn drop_cancelled(components: &mut Vec<Component>, begin: usize) {
    let beside = |component: &Component| component.units == 0 && component.allowance.is_none();
    if !components[begin..].iter().any(beside) {
        return;
    }
    let own = components.split_off(begin);
    let sums = |of: &Component| {
        let same = own.iter().filter(|other| (slot_of(other), other.month) == (slot_of(of), of.month));
        same.fold((0, 0), |sums, other| (sums.0 + other.units, sums.1 + other.numerator))
    };
    components
        .extend(own.iter().filter(|component| !beside(component) || sums(component) != (0, 0)).copied());
}

fn plus(left: i128, right: i128) -> Result<i128, Stopped> {
    left.checked_add(right).ok_or(suspended(SuspenseReason::Overflow))
}
