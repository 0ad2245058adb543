//! Bands whose borders lie in the hour that comes twice, or not at all, when the clocks change.

use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike};

use crate::domain::{Instant, Zone};
use crate::rules::diagnostic::{Diagnostic, SourceFile};
use crate::rules::ruleset::{RuleSet, TimeBand};

use super::line_span;

/// The years whose changes are looked at; without a clock, those in which these rules may be in force.
const YEARS: RangeInclusive<i32> = 2025..=2030;

/// A piece of civil time that comes twice or not at all.
struct Change {
    repeated: bool,
    start: NaiveDateTime,
    end: NaiveDateTime,
}

/// One warning for each band and each kind of change, with the first date on which it happens.
pub fn bands_at_the_change_of_clocks(rules: &RuleSet, files: &[SourceFile]) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut zones: Vec<(Zone, Vec<Change>)> = Vec::new();
    for (index, band) in rules.bands.iter().enumerate().filter(|(_, band)| !band.in_contact_zone) {
        let mut told: Vec<(Zone, bool)> = Vec::new();
        let users = rules.tariffs.iter().filter(|version| {
            version.rates.iter().any(|rate| rate.matches.bands.contains(&index))
                || version.allowances.iter().any(|allowance| allowance.applies_to.bands.contains(&index))
        });
        for version in users {
            if !zones.iter().any(|(zone, _)| *zone == version.zone) {
                zones.push((version.zone, changes(version.zone)));
            }
            let of_zone = zones.iter().find(|(zone, _)| *zone == version.zone).map(|(_, changes)| changes);
            let from = version.valid_from.unwrap_or(NaiveDate::MIN);
            for change in of_zone.into_iter().flatten().filter(|change| change.start.date() >= from) {
                let key = (version.zone, change.repeated);
                let Some(what) = Some(()).filter(|()| !told.contains(&key)).and_then(|()| met(band, change))
                else {
                    continue;
                };
                told.push(key);
                found.push(warning(band, version.zone, change, what, files));
            }
        }
    }
    found
}

fn warning(band: &TimeBand, zone: Zone, change: &Change, what: &str, files: &[SourceFile]) -> Diagnostic {
    let clock = |time: NaiveDateTime| time.format("%H:%M");
    let times = if change.repeated { "comes twice" } else { "does not come at all" };
    let message = format!(
        "the band {} {what} between {} and {}, which {times} on {} in {}",
        band.name,
        clock(change.start),
        clock(change.end),
        change.start.date(),
        zone.name()
    );
    let hint = match change.repeated {
        true => "It holds in both passes of the hour. If that is not meant, move its border out of the hour.",
        false => {
            "What lies in the hour is left out that day, and a band that begins in it begins when the clocks jump."
        }
    };
    let place = header(files, &band.name);
    let file = place.map_or("", |(file, _)| file.name.as_str());
    let span = place.and_then(|(file, line)| line_span(files, &file.name, line));
    Diagnostic::error("band-at-clock-change", file, span, message).hint(hint).warning()
}

/// The line in which a band's table begins.
fn header<'f>(files: &'f [SourceFile], band: &str) -> Option<(&'f SourceFile, usize)> {
    let plain = |line: &str| line.split('#').next().unwrap_or_default().replace([' ', '\t', '"', '\''], "");
    let wanted = format!("[band.{}]", band.replace([' ', '\t', '"', '\''], ""));
    files.iter().find_map(|file| {
        let line = file.text.lines().position(|line| plain(line.trim()) == wanted)?;
        Some((file, line + 1))
    })
}

/// How a band meets a change: a border strictly inside it, or the whole band in it.
fn met(band: &TimeBand, change: &Change) -> Option<&'static str> {
    let day = change.start.date();
    let minute = |time: NaiveDateTime| {
        let days = (time.date() - day).num_days();
        days * 1440 + i64::from(time.time().hour() * 60 + time.time().minute())
    };
    let (low, high) = (minute(change.start), minute(change.end));
    let (start, end) = (i64::from(band.start_minute), i64::from(band.end_minute));
    let starts_on = |day: NaiveDate| {
        band.days.contains(&day.weekday())
            && !band.except.contains(&day)
            && band.on.as_ref().is_none_or(|days| days.contains(&day))
    };
    let wraps = start >= end;
    let today = starts_on(day);
    let ends_today = if wraps { day.pred_opt().is_some_and(starts_on) } else { today };
    let begins_inside = today && low < start && start < high;
    let ends_inside = ends_today && low < end && end < high;
    let lies_inside = today && !wraps && low <= start && end <= high;
    match (lies_inside, begins_inside, ends_inside) {
        (true, _, _) => Some("lies"),
        (_, true, true) => Some("begins and ends"),
        (_, true, false) => Some("begins"),
        (_, false, true) => Some("ends"),
        (false, false, false) => None,
    }
}

fn changes(zone: Zone) -> Vec<Change> {
    let mut found = Vec::new();
    let first = NaiveDate::from_ymd_opt(*YEARS.start(), 1, 1).unwrap_or(NaiveDate::MIN);
    for day in first.iter_days().take_while(|day| day.year() <= *YEARS.end()) {
        for instant in zone.offset_changes(day) {
            found.extend(change_at(zone, instant));
        }
    }
    found
}

fn change_at(zone: Zone, instant: Instant) -> Option<Change> {
    let after = zone.local(instant);
    // The last millisecond before the change, and one more as the old clocks would have counted it.
    let before = zone.local(instant.plus_milliseconds(-1)).checked_add_signed(TimeDelta::milliseconds(1))?;
    let repeated = after < before;
    let (start, end) = if repeated { (after, before) } else { (before, after) };
    Some(Change { repeated, start, end })
}
