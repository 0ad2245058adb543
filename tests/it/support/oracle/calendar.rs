//! Civil time: days, months and bands. Always from an instant to local time, never the other way but for midnights.

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveDateTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

/// Days and hours in local civil time.
#[derive(Clone, Debug)]
pub struct Band {
    /// Monday first.
    pub days: [bool; 7],
    /// Seconds after midnight; `to` below `from` means that the window ends on the next day.
    pub from: u32,
    pub to: u32,
    pub in_contact_zone: bool,
    pub except: Vec<NaiveDate>,
}

const WHOLE_DAY: u32 = 24 * 3600;

impl Band {
    /// Whether the instant lies in a window, by the clock on a wall in `zone`. A window belongs to the day it starts on.
    pub fn holds(&self, instant: DateTime<Utc>, zone: Tz) -> bool {
        let local = instant.with_timezone(&zone).naive_local();
        let today = local.date();
        let clock = local.time().num_seconds_from_midnight();
        if self.from < self.to {
            return self.starts_on(today) && self.from <= clock && clock < self.to;
        }
        let evening = self.starts_on(today) && self.from <= clock;
        let morning = self.starts_on(today - Days::new(1)) && clock < self.to;
        evening || morning
    }

    fn starts_on(&self, day: NaiveDate) -> bool {
        self.days[day.weekday().num_days_from_monday() as usize] && !self.except.contains(&day)
    }
}

/// `mon-fri`, `sat,sun`, `mon,wed-fri`; a range may pass the end of the week.
pub fn parse_days(text: &str) -> [bool; 7] {
    let index = |word: &str| {
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
            .iter()
            .position(|day| *day == word.trim())
            .unwrap_or_else(|| panic!("no day: {word}"))
    };
    let mut days = [false; 7];
    for item in text.split(',') {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        let (mut day, last) = (index(first), index(last));
        days[day] = true;
        while day != last {
            day = (day + 1) % 7;
            days[day] = true;
        }
    }
    days
}

/// `08:00-18:00` in seconds after midnight.
pub fn parse_hours(text: &str) -> (u32, u32) {
    let clock = |text: &str| {
        let (hours, minutes) = text.trim().split_once(':').unwrap_or_else(|| panic!("no clock time: {text}"));
        let seconds = hours.parse::<u32>().unwrap() * 3600 + minutes.parse::<u32>().unwrap() * 60;
        assert!(seconds <= WHOLE_DAY, "no clock time: {text}");
        seconds
    };
    let (from, to) = text.split_once('-').unwrap_or_else(|| panic!("no hours: {text}"));
    (clock(from), clock(to))
}

pub fn parse_date(text: &str) -> NaiveDate {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap_or_else(|error| panic!("no date: {text}: {error}"))
}

pub fn parse_zone(text: &str) -> Tz {
    text.parse().unwrap_or_else(|_| panic!("no time zone: {text}"))
}

/// The first instant of a day.
pub fn midnight(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let mut clock: NaiveDateTime = day.and_hms_opt(0, 0, 0).unwrap();
    loop {
        if let Some(instant) = zone.from_local_datetime(&clock).earliest() {
            return instant.with_timezone(&Utc);
        }
        clock += Duration::minutes(1);
    }
}

/// The calendar month as `YYYY-MM`.
pub fn month(instant: DateTime<Utc>, zone: Tz) -> String {
    instant.with_timezone(&zone).format("%Y-%m").to_string()
}

/// The half-open instants of a month.
pub fn month_bounds(month: &str, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
    let first = parse_date(&format!("{month}-01"));
    let next = first.checked_add_months(chrono::Months::new(1)).unwrap();
    (midnight(first, zone), midnight(next, zone))
}

/// Half-open validity in dates, each at midnight of a zone; a missing side is open.
#[derive(Clone, Copy, Debug, Default)]
pub struct Validity {
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
}

impl Validity {
    /// Empty texts are missing sides.
    pub fn parse(from: &str, to: &str) -> Validity {
        let side = |text: &str| (!text.trim().is_empty()).then(|| parse_date(text.trim()));
        Validity { from: side(from), to: side(to) }
    }

    pub fn holds(&self, instant: DateTime<Utc>, zone: Tz) -> bool {
        self.from.is_none_or(|day| midnight(day, zone) <= instant)
            && self.to.is_none_or(|day| instant < midnight(day, zone))
    }

    /// Whether it shares an instant with `from..to`.
    pub fn touches(&self, from: DateTime<Utc>, to: DateTime<Utc>, zone: Tz) -> bool {
        let own_from = self.from.map_or(from, |day| midnight(day, zone).max(from));
        let own_to = self.to.map_or(to, |day| midnight(day, zone).min(to));
        own_from < own_to
    }
}
