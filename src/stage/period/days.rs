//! Civil days on which something holds, inside one billing period.

use chrono::{Days, NaiveDate};

use crate::domain::Exact;
use crate::domain::contact::{Claim, Contact};
use crate::domain::time::{Period, Span};
use crate::rules::compile::CompiledRules;
use crate::rules::options::Proration;
use crate::rules::ruleset::Per;

/// A run of civil days, half-open; empty when `from` is not before `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayRange {
    pub from: NaiveDate,
    pub to: NaiveDate,
}

impl DayRange {
    /// All days of a period.
    pub fn of(period: &Period) -> DayRange {
        DayRange { from: period.first_day, to: after(period.last_day) }
    }

    /// The days of a period that a span of time covers: from the day of its first instant up to the day of its end,
    /// which counts only when both ends do (`both-inclusive`) and the end lies in the period.
    pub fn in_period(span: Span, period: &Period, proration: Proration) -> DayRange {
        let whole = DayRange::of(period);
        let day = |instant: crate::domain::Instant| {
            let inside = instant.max(period.span.from).min(period.span.to);
            if inside == period.span.to { whole.to } else { period.zone.local(inside).date() }
        };
        let counts_its_end = proration == Proration::BothInclusive && period.span.contains(span.to);
        let to = if counts_its_end { after(day(span.to)) } else { day(span.to) };
        DayRange { from: day(span.from), to }
    }

    /// The days in both.
    pub fn and(self, other: DayRange) -> DayRange {
        DayRange { from: self.from.max(other.from), to: self.to.min(other.to) }
    }

    /// Whether a day is one of them.
    pub fn contains(self, day: NaiveDate) -> bool {
        self.from <= day && day < self.to
    }

    /// How many days.
    pub fn count(self) -> i64 {
        (self.to - self.from).num_days().max(0)
    }

    /// Their share of all days of a period.
    pub fn share_of(days: i64, period: &Period) -> Exact {
        Exact::new(i128::from(days), i128::from(DayRange::of(period).count()))
    }
}

/// The days on which a tariff version is in force; its date is a date of the payer's zone.
pub fn of_version(rules: &CompiledRules, version: usize) -> DayRange {
    let own = &rules.versions[version].tariff;
    let versions = rules.tariffs.iter().find(|(name, _)| *name == own.name).map(|(_, versions)| versions);
    let next = versions.and_then(|versions| {
        let place = versions.iter().position(|known| *known == version)?;
        rules.versions[*versions.get(place + 1)?].tariff.valid_from
    });
    DayRange { from: own.valid_from.unwrap_or(NaiveDate::MIN), to: next.unwrap_or(NaiveDate::MAX) }
}

/// Days in force of what a fee is counted for, added up over the contact's extensions or numbers; those of one value
/// count once. `within` are the days that can count at all.
pub fn claimed(contact: &Contact, per: Per, period: &Period, proration: Proration, within: DayRange) -> i64 {
    let mut days = 0;
    for ranges in ranges(contact, per, period, proration) {
        let mut reached = within.from;
        for range in ranges {
            let part = DayRange { from: range.from.max(reached), to: range.to }.and(within);
            days += part.count();
            reached = reached.max(part.to);
        }
    }
    days
}

/// How many of them are in force on some day of `within`.
pub fn claimants(
    contact: &Contact,
    per: Per,
    period: &Period,
    proration: Proration,
    within: DayRange,
) -> i64 {
    let ranges = ranges(contact, per, period, proration);
    let in_force = ranges.iter().filter(|ranges| ranges.iter().any(|range| range.and(within).count() > 0));
    in_force.count().try_into().expect("a contact has few claims")
}

/// For each value that counts, the days on which it is claimed, sorted.
fn ranges(contact: &Contact, per: Per, period: &Period, proration: Proration) -> Vec<Vec<DayRange>> {
    let all = DayRange::of(period);
    let valid = DayRange::in_period(contact.valid, period, proration);
    let of = |claims: &[Claim<u64>]| {
        let mut values: Vec<u64> = claims.iter().map(|claim| claim.value).collect();
        values.sort_unstable();
        values.dedup();
        let days_of = |value: u64| {
            let own = claims.iter().filter(|claim| claim.value == value);
            let mut ranges: Vec<DayRange> =
                own.map(|claim| DayRange::in_period(claim.span, period, proration).and(valid)).collect();
            ranges.retain(|range| range.count() > 0);
            ranges.sort_unstable_by_key(|range| (range.from, range.to));
            ranges
        };
        values.into_iter().map(days_of).collect()
    };
    match per {
        Per::Contact => vec![vec![valid.and(all)]],
        Per::Extension => of(&contact.extensions),
        Per::Number => of(&contact.numbers),
    }
}

fn after(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX)
}
