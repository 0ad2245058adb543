//! Months in which clocks change: every second of the month is billed once, whatever the clock shows.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, SecondsFormat, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

use super::facts::{Dice, Facts, Outcome, hold};

/// A zone and a month of 2026 in which its clocks change, by an hour or by half of one, at night or at midnight.
const CHANGES: [(&str, u32); 14] = [
    ("America/New_York", 3),
    ("America/New_York", 11),
    ("Europe/London", 3),
    ("Europe/London", 10),
    ("Europe/Berlin", 3),
    ("Europe/Berlin", 10),
    ("Australia/Lord_Howe", 4),
    ("Australia/Lord_Howe", 10),
    ("America/Santiago", 4),
    ("America/Santiago", 9),
    ("Asia/Beirut", 3),
    ("Asia/Beirut", 10),
    ("Africa/Casablanca", 2),
    ("Africa/Casablanca", 3),
];

fn first_of(zone: Tz, month: u32) -> DateTime<Utc> {
    let midnight = NaiveDate::from_ymd_opt(2026, month, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
    zone.from_local_datetime(&midnight).earliest().unwrap().to_utc()
}

/// Seconds of the month in all, and those at which the clock shows half past midnight to half past four.
fn by_the_clock(zone: Tz, month: u32) -> (i64, i64) {
    let (begin, end) = (first_of(zone, month), first_of(zone, month + 1));
    let mut early = 0;
    let mut instant = begin;
    while instant < end {
        let local = instant.with_timezone(&zone);
        if (30..270).contains(&(local.hour() * 60 + local.minute())) {
            early += 60;
        }
        instant += Duration::minutes(1);
    }
    ((end - begin).num_seconds(), early)
}

/// Calls that follow each other without a gap from before each month until after it, in drawn lengths.
fn tiled(seed: u64) -> Facts {
    let (mut facts, mut dice) = (Facts::empty(), Dice::new(seed));
    facts.rules.insert("bands.toml".into(), "[band.early]\nhours = \"00:30-04:30\"\n".into());
    for (index, (name, month)) in CHANGES.into_iter().enumerate() {
        let (zone, tariff) = (name.parse::<Tz>().unwrap(), format!("t{index}"));
        let rate = |name: &str, matching: &str, price: u64| {
            format!(
                "[[rate]]\nname = \"{name}\"\n{matching}price = \"{price} per second\"\nincrement = \"1/1\"\n"
            )
        };
        let rates = rate("early", "match = { band = \"early\" }\n", 2) + &rate("other", "", 1);
        facts.add_tariff(&tariff, name, &format!("{rates}[options]\nperiod_by = \"split\"\n"));
        facts.add_contact(&tariff, &tariff, name);
        let mut start = first_of(zone, month) - Duration::seconds(dice.between(1, 90_000));
        let end = first_of(zone, month + 1) + Duration::seconds(dice.between(1, 90_000));
        let mut call = 0;
        while start < end {
            let seconds = dice.between(1, 80_000);
            let text = start.to_rfc3339_opts(SecondsFormat::Secs, true);
            facts.add_call(&format!("{tariff}-{call:03}"), &text, seconds * 1000, &tariff);
            start += Duration::seconds(seconds);
            call += 1;
        }
    }
    facts
}

fn each_second_once(outcome: &Outcome) -> Result<usize, String> {
    let mut billed: BTreeMap<(&str, &str, &str), i64> = BTreeMap::new();
    for line in &outcome.lines {
        let key = (line["contact"].as_str(), line["period"].as_str(), line["clause"].as_str());
        *billed.entry(key).or_default() += line["units"].parse::<i64>().unwrap();
    }
    let mut cases = 0;
    for (index, (name, month)) in CHANGES.into_iter().enumerate() {
        let (contact, period) = (format!("t{index}"), format!("2026-{month:02}"));
        let of = |clause: &str| billed.get(&(&*contact, &*period, clause)).copied().unwrap_or_default();
        let (all, early) = by_the_clock(name.parse().unwrap(), month);
        if (of("early"), of("other")) != (early, all - early) {
            return Err(format!("{name} {period}: {} + {}, not {early} of {all}", of("early"), of("other")));
        }
        cases += usize::try_from(all).unwrap();
    }
    Ok(cases)
}

#[test]
fn law_21_a_month_with_a_change_of_clocks_bills_each_second_once() {
    hold("21", 3, 100_000_000, |seed| each_second_once(&tiled(seed).price()));
    let mut facts = tiled(1);
    let text = facts.rules.get_mut("t0.toml").unwrap();
    *text = text.replace("New_York", "Chicago");
    assert!(each_second_once(&facts.price()).is_err(), "bands of another zone are seen");
    let mut facts = tiled(1);
    let call = facts.usage.rows.iter_mut().find(|row| row["id"] == "t0-003").unwrap();
    call.insert("milliseconds".into(), "0".into());
    assert!(each_second_once(&facts.price()).is_err(), "seconds that are missing are seen");
}
