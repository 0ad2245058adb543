//! Time bands compiled to a timeline: at which instants the set of active bands changes, in one zone.
//!
//! A band is a condition on civil time, so it is evaluated on civil time only at instants where the answer can change:
//! midnights, band borders in every pass of a repeated hour, and changes of the zone's offset (trap 10).

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use crate::domain::time::Span;
use crate::domain::{Instant, Zone};

use super::ruleset::TimeBand;

/// The most bands of one rule set: they are the bits of one word.
pub const BANDS_MAX: usize = 64;

/// Which bands are active when, over a span of time, in one zone.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Sorted starts with the set of bands active from there on; the first start is before every event.
    changes: Vec<(Instant, u64)>,
}

impl Timeline {
    /// The timeline of all bands over a span. Outside the span the nearest known set goes on.
    pub fn new(bands: &[TimeBand], zone: Zone, span: Span) -> Timeline {
        let first = zone.local(span.from).date().checked_sub_days(Days::new(2)).unwrap_or(NaiveDate::MIN);
        let last = zone.local(span.to).date().checked_add_days(Days::new(2)).unwrap_or(NaiveDate::MAX);
        let mut instants = Vec::new();
        let mut day = first;
        while !bands.is_empty() && day <= last {
            borders_of_day(bands, zone, day, &mut instants);
            let Some(next) = day.succ_opt() else { break };
            day = next;
        }
        instants.push(zone.midnight(first));
        instants.sort_unstable();
        instants.dedup();
        let mut changes: Vec<(Instant, u64)> = Vec::new();
        for instant in instants {
            let active = active_at(bands, zone.local(instant));
            if changes.last().is_none_or(|(_, before)| *before != active) {
                changes.push((instant, active));
            }
        }
        Timeline { changes }
    }

    /// The bands active at an instant, and when that set changes next.
    pub fn at(&self, instant: Instant) -> (u64, Instant) {
        let after = self.changes.partition_point(|(start, _)| *start <= instant);
        let active = self.changes.get(after.saturating_sub(1)).map_or(0, |(_, active)| *active);
        let next = self.changes.get(after).map_or(Span::ALWAYS.to, |(start, _)| *start);
        (active, next)
    }
}

fn borders_of_day(bands: &[TimeBand], zone: Zone, day: NaiveDate, instants: &mut Vec<Instant>) {
    let mut minutes: Vec<u32> =
        bands.iter().flat_map(|band| [band.start_minute, band.end_minute % 1440]).collect();
    minutes.push(0);
    minutes.sort_unstable();
    minutes.dedup();
    for minute in minutes {
        let local = NaiveDateTime::new(day, NaiveTime::MIN) + chrono::TimeDelta::minutes(i64::from(minute));
        instants.extend(zone.passes(local));
    }
    instants.extend(zone.offset_changes(day));
}

/// The bands whose civil-time condition holds.
pub fn active_at(bands: &[TimeBand], local: NaiveDateTime) -> u64 {
    let mut active = 0;
    for (index, band) in bands.iter().enumerate() {
        if is_active(band, local) {
            active |= 1 << index;
        }
    }
    active
}

fn is_active(band: &TimeBand, local: NaiveDateTime) -> bool {
    let minute = local.time().num_seconds_from_midnight() / 60;
    let starts_on = |day: NaiveDate| {
        band.days.contains(&day.weekday())
            && band.on.as_ref().is_none_or(|on| on.binary_search(&day).is_ok())
            && band.except.binary_search(&day).is_err()
    };
    let today = local.date();
    if band.start_minute < band.end_minute {
        return minute >= band.start_minute && minute < band.end_minute && starts_on(today);
    }
    let yesterday = today.pred_opt();
    (minute >= band.start_minute && starts_on(today))
        || (minute < band.end_minute && yesterday.is_some_and(starts_on))
}
