//! Hours of the week at which nothing has a price: all rates for some usage are bound to bands, and the bands leave a
//! piece of the week out.

use chrono::{Datelike, Days, NaiveDate};

use crate::rules::compile::applies;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::ruleset::{Rate, TimeBand};

use super::Scene;
use super::conditions::{cells, covers, covers_destinations};
use super::week::Week;

/// One warning for each piece of the week that is left out, at the first rate it concerns.
pub fn hours_without_a_rate(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut told: Vec<String> = Vec::new();
    for rate in scene.version.rates.iter().filter(|rate| !rate.matches.bands.is_empty()) {
        let cells = cells().filter(|(channel, direction)| applies(&rate.matches, *channel, *direction));
        for (channel, direction) in cells {
            let Some(bands) = bands_of_all(scene, rate, channel, direction) else { continue };
            let Some(gap) = gap(scene, &bands) else { continue };
            if told.contains(&gap) {
                continue;
            }
            let message =
                format!("{direction} {channel} usage like that of \"{}\" has no rate {gap}", rate.name);
            let hint = "Add a rate without a band after the others, or a band for the hours that are left out; usage \
                        without a rate is suspended.";
            found.push(scene.warn(&rate.file, rate.line, "gap-in-bands", message, hint));
            told.push(gap);
        }
    }
    found
}

/// The bands of all rates that hold for whatever the rate holds for; `None` when one of them is bound to no band, or
/// when the bands go by different clocks.
fn bands_of_all<'r>(
    scene: &Scene<'r>,
    rate: &Rate,
    channel: crate::domain::outcome::Channel,
    direction: crate::domain::outcome::Direction,
) -> Option<Vec<(usize, &'r TimeBand)>> {
    let own = scene.version.rates.iter().map(|rate| (scene.version, rate));
    let mut bands: Vec<(usize, &TimeBand)> = Vec::new();
    for (version, other) in own.chain(scene.fallback()) {
        let wider = applies(&other.matches, channel, direction)
            && covers(scene.rules, &other.matches, &rate.matches)
            && covers_destinations(&other.matches, &rate.matches);
        if !wider {
            continue;
        }
        if other.matches.bands.is_empty() || version.zone != scene.version.zone {
            return None;
        }
        bands.extend(other.matches.bands.iter().map(|index| (*index, &scene.rules.bands[*index])));
    }
    let first = bands.first()?.1.in_contact_zone;
    bands.iter().all(|(_, band)| band.in_contact_zone == first).then_some(bands)
}

fn gap(scene: &Scene<'_>, bands: &[(usize, &TimeBand)]) -> Option<String> {
    let mut week = Week::NEVER;
    for (index, _) in bands.iter().filter(|(_, band)| band.on.is_none()) {
        week.join(&scene.weeks[*index]);
    }
    let open = Week::always().without(&week);
    if !open.is_empty() {
        return Some(open.shown());
    }
    let mut days: Vec<NaiveDate> = bands
        .iter()
        .flat_map(|(_, band)| &band.except)
        .flat_map(|day| [Some(*day), day.succ_opt()])
        .flatten()
        .collect();
    days.sort_unstable();
    days.dedup();
    days.into_iter().find_map(|day| open_minute(bands, day).map(|minute| shown(day, minute)))
}

/// The first minute of a day at which no band holds.
fn open_minute(bands: &[(usize, &TimeBand)], day: NaiveDate) -> Option<u32> {
    let starts_on = |band: &TimeBand, day: NaiveDate| {
        band.days.contains(&day.weekday())
            && !band.except.contains(&day)
            && band.on.as_ref().is_none_or(|days| days.contains(&day))
    };
    let yesterday = day.checked_sub_days(Days::new(1));
    let held = |minute: u32| {
        bands.iter().any(|(_, band)| {
            if band.start_minute < band.end_minute {
                return minute >= band.start_minute && minute < band.end_minute && starts_on(band, day);
            }
            (minute >= band.start_minute && starts_on(band, day))
                || (minute < band.end_minute && yesterday.is_some_and(|day| starts_on(band, day)))
        })
    };
    (0..1440).find(|minute| !held(*minute))
}

fn shown(day: NaiveDate, minute: u32) -> String {
    format!("on {day} from {:02}:{:02} on, since a band leaves that day out", minute / 60, minute % 60)
}
