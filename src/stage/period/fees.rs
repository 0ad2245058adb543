//! Recurring and one-off fees.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::domain::contact::Contact;
use crate::domain::document::{LineKey, LineKind};
use crate::domain::time::Period;
use crate::domain::{Exact, Exit, Failure, Instant, Result};
use crate::rules::compile::CompiledRules;
use crate::rules::ruleset::{Cadence, Fee, Per};

use super::Unrounded;
use super::days::{self, DayRange};
use super::rounding::LineRounding;

/// What stays the same of a fee over a change of version: the service period of one in advance, name, price, what it is
/// counted for.
type Same = (String, String, Decimal, Per);

/// The fees of a payer for a month: those in arrears for the month itself, those in advance for the next. A fee that
/// goes on over a change of version is one line, under the last version.
///
/// # Errors
/// An amount beyond 128 bits.
pub fn fees(rules: &CompiledRules, payer: u32, month: u32) -> Result<Vec<Unrounded>> {
    let terms = &rules.payers[payer as usize];
    let period = rules.period(payer, month);
    if terms.contact.do_not_bill || !terms.contact.valid.overlaps(&period.span) {
        return Ok(Vec::new());
    }
    let next = period.month.next().period(terms.zone);
    let mut lines: BTreeMap<Same, Sum> = BTreeMap::new();
    for version in &rules.tariffs[terms.tariffs[0]].1 {
        for (position, fee) in rules.versions[*version].tariff.fees.iter().enumerate() {
            let in_advance = matches!(fee.cadence, Cadence::Monthly { in_advance: true });
            let target = if in_advance { &next } else { &period };
            let due = due(rules, payer, *version, fee, target)?;
            let Some(due) = due.filter(|due| due.exact != Exact::ZERO) else { continue };
            let service = if in_advance { next.month.key() } else { String::new() };
            let same = (service, fee.name.clone(), fee.amount.normalize(), fee.per);
            let sum = lines.entry(same).or_insert_with(|| Sum::new(target));
            sum.exact = sum.exact.plus(due.exact)?;
            sum.days += due.days;
            sum.count = sum.count.max(due.count);
            sum.last = (*version, position);
        }
    }
    let lines = lines.into_iter().map(|((service, ..), sum)| sum.line(rules, service));
    Ok(lines.collect())
}

/// A fee as it is added up over the versions of its tariff.
struct Sum {
    exact: Exact,
    /// Days in force of everything it is counted for.
    days: i64,
    /// How many it is counted for at most.
    count: i64,
    days_of_period: i64,
    /// The last version with the fee and its place there.
    last: (usize, usize),
}

/// What one version of a fee makes due.
struct Due {
    exact: Exact,
    days: i64,
    count: i64,
}

impl Sum {
    fn new(period: &Period) -> Sum {
        let days_of_period = DayRange::of(period).count();
        Sum { exact: Exact::ZERO, days: 0, count: 0, days_of_period, last: (0, 0) }
    }

    fn line(self, rules: &CompiledRules, service_period: String) -> Unrounded {
        let tariff = &rules.versions[self.last.0].tariff;
        let fee = &tariff.fees[self.last.1];
        let key = LineKey {
            kind: LineKind::Fee,
            tariff: tariff.name.clone(),
            tariff_version: tariff.version_key(),
            position: u32::try_from(self.last.1).expect("a tariff has few fees"),
            clause: fee.name.clone(),
            service_period,
            ..LineKey::default()
        };
        Unrounded {
            key,
            count: i128::from(self.count),
            price: fee.text.clone(),
            note: self.note(fee),
            exact: self.exact,
            rounding: LineRounding::of(tariff),
        }
    }

    /// `17 of 31 days`, `3 extensions`, `3 extensions, 76 of 93 days`; nothing for a whole one.
    fn note(&self, fee: &Fee) -> String {
        let thing = match fee.per {
            Per::Contact => "",
            Per::Extension => "extension",
            Per::Number => "number",
        };
        let mut parts = Vec::new();
        if !thing.is_empty() {
            parts.push(format!("{} {thing}{}", self.count, if self.count == 1 { "" } else { "s" }));
        }
        let whole = self.days_of_period * self.count;
        let prorated = fee.prorate && matches!(fee.cadence, Cadence::Monthly { .. });
        if prorated && self.days != whole {
            parts.push(format!("{} of {whole} days", self.days));
        }
        parts.join(", ")
    }
}

/// What a version makes of its fee in a period; `None` when it is not due.
fn due(rules: &CompiledRules, payer: u32, version: usize, fee: &Fee, period: &Period) -> Result<Option<Due>> {
    let terms = &rules.payers[payer as usize];
    let contact = &terms.contact;
    let proration = rules.versions[version].tariff.options.proration;
    let in_force = days::of_version(rules, version).and(DayRange::of(period));
    let amount = Exact::from_decimal(fee.amount);
    match fee.cadence {
        Cadence::Monthly { .. } if fee.prorate => {
            let days = days::claimed(contact, fee.per, period, proration, in_force);
            let count = days::claimants(contact, fee.per, period, proration, in_force);
            let exact = times(amount, DayRange::share_of(days, period))?;
            Ok(Some(Due { exact, days, count }))
        }
        Cadence::Monthly { .. } => {
            let first = contact.valid.from.max(period.span.from);
            if !contact.valid.overlaps(&period.span)
                || rules.version_at(terms.tariffs[0], first) != Some(version)
            {
                return Ok(None);
            }
            let count = days::claimants(contact, fee.per, period, proration, DayRange::of(period));
            whole(amount, count)
        }
        Cadence::Once { on } => {
            let Some(day) = on.or_else(|| first_day(contact, period)) else { return Ok(None) };
            let begins = terms.zone.midnight(day);
            let in_force = rules.version_at(terms.tariffs[0], begins) == Some(version);
            if !in_force || !period.span.contains(begins) || !contact.valid.contains(begins) {
                return Ok(None);
            }
            let only = DayRange { from: day, to: day.succ_opt().unwrap_or(day) };
            whole(amount, days::claimants(contact, fee.per, period, proration, only))
        }
    }
}

fn whole(amount: Exact, count: i64) -> Result<Option<Due>> {
    let exact = times(amount, Exact::new(i128::from(count), 1))?;
    Ok(Some(Due { exact, days: 0, count }))
}

/// The first day of a contact's validity; `None` for one that was always valid.
fn first_day(contact: &Contact, period: &Period) -> Option<NaiveDate> {
    let from = contact.valid.from;
    (from > Instant::from_milliseconds(i64::MIN)).then(|| period.zone.local(from).date())
}

/// The product of two ratios.
///
/// # Errors
/// One that leaves 128 bits.
pub(super) fn times(left: Exact, right: Exact) -> Result<Exact> {
    left.checked_mul(right).ok_or_else(|| Failure::new(Exit::Bug, "an amount of a period left 128 bits"))
}
