//! Allowances: units from the front of an event before it is priced, money off its charge after.

use crate::domain::charge::{Component, ComponentKind, Draw, Unit};
use crate::domain::derivation::{Step, Trace};
use crate::domain::disposition::ControlTotal;

use super::charge::Tally;
use super::state::small;
use super::{Context, GroupState, Rated, Slice};

impl Context<'_, '_> {
    /// Takes what the allowances still hold from the front of a slice; returns the units taken.
    pub(super) fn draw(
        &self,
        state: &mut GroupState,
        tally: &mut Tally,
        slice: &Slice,
        trace: &mut impl Trace,
    ) -> i64 {
        // A default tariff lends its rates, never its allowances: what is included belongs to the contact's own tariff.
        let Some(at) = self.own_version() else { return 0 };
        let version = &self.rules.versions[at];
        let unit = self.rules.clauses[slice.clause as usize].unit;
        let mut taken = 0;
        for (position, allowance) in version.tariff.allowances.iter().enumerate() {
            let wanted = slice.units - taken;
            if wanted == 0 {
                break;
            }
            if allowance.unit != unit || !self.is_in(&allowance.applies_to, &tally.entry, slice.bands) {
                continue;
            }
            let counter = version.counters[position];
            let left = self.left(state, slice.month, at, position);
            let units = i64::try_from(left.min(i128::from(wanted)).max(0)).unwrap_or(wanted);
            if units == 0 {
                continue;
            }
            state.pending.draw(slice.month, counter, i128::from(units));
            let component = tally.component(ComponentKind::Allowance, self.clause(tally.first), 0);
            state.components.push(Component {
                allowance: Some(Draw { counter: small(counter), version: small(at) }),
                tier: 0,
                month: slice.month,
                unit_from: slice.unit_from + taken,
                units,
                ..component
            });
            let left_before = i64::try_from(left).unwrap_or(i64::MAX);
            trace.step(|| Step::Allowance { counter, left_before, units });
            taken += units;
        }
        taken
    }

    /// What an allowance of a version still holds in a month: units, or a numerator for money.
    fn left(&self, state: &GroupState, month: u32, version: usize, position: usize) -> i128 {
        let counter = self.rules.versions[version].counters[position];
        let granted = self.rules.granted(self.payer, month, version, position);
        let balance = state.ledger.balance(self.rules, self.payer, month, counter);
        balance.left(granted) - state.pending.drawn(month, counter)
    }

    /// What monetary allowances take of the charge.
    pub(super) fn credit(&self, state: &mut GroupState, tally: &Tally, trace: &mut impl Trace) -> i128 {
        let Some(at) = self.own_version() else { return 0 };
        let version = &self.rules.versions[at];
        let mut taken = 0;
        for (position, allowance) in version.tariff.allowances.iter().enumerate() {
            let rest = tally.total - taken;
            if allowance.unit != Unit::Amount || rest <= 0 {
                continue;
            }
            let bands = self.bands(tally.entry.start).0;
            if !self.is_in(&allowance.applies_to, &tally.entry, bands) {
                continue;
            }
            let counter = version.counters[position];
            let left_before = self.left(state, tally.month, at, position);
            let numerator = left_before.min(rest).max(0);
            if numerator == 0 {
                continue;
            }
            state.pending.draw(tally.month, counter, numerator);
            let component = tally.component(ComponentKind::Allowance, self.clause(tally.first), -numerator);
            let draw = Draw { counter: small(counter), version: small(at) };
            state.components.push(Component {
                allowance: Some(draw),
                unit: Unit::Amount,
                tier: 0,
                ..component
            });
            trace.step(|| Step::Credit { counter, left_before, numerator });
            taken += numerator;
        }
        taken
    }

    /// The part of the event's quantity that allowances took.
    pub(super) fn add_in_allowance(&self, tally: &Tally, rated: &mut Rated) {
        let units = i128::from(tally.units_free);
        let part = &mut rated.in_allowance;
        match self.rules.clauses[tally.first as usize].unit {
            Unit::Second => {
                let rest = rated.measured.milliseconds - part.milliseconds;
                part.milliseconds += rest.min(units * 1000);
            }
            Unit::Segment => part.segments += units,
            Unit::Page => part.pages += units,
            Unit::Call | Unit::Message | Unit::Event if units > 0 => {
                *part = ControlTotal { events: 0, ..rated.measured };
            }
            Unit::Call | Unit::Message | Unit::Event | Unit::Amount => {}
        }
    }
}
