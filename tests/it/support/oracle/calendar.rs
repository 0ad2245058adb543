//! Civil time: days, months and bands. Always from an instant to local time, never the other way but for midnights.

use std::collections::BTreeSet;

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
    pub except: BTreeSet<NaiveDate>,
    /// When there, it starts on these days only.
    pub on: Option<BTreeSet<NaiveDate>>,
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
        self.days[day.weekday().num_days_from_monday() as usize]
            && !self.except.contains(&day)
            && self.on.as_ref().is_none_or(|on| on.contains(&day))
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

/// The day as `YYYY-MM-DD`.
pub fn day(instant: DateTime<Utc>, zone: Tz) -> String {
    instant.with_timezone(&zone).format("%Y-%m-%d").to_string()
}

/// Months counted, so that the next one is one more.
pub fn month_number(month: &str) -> i64 {
    let (year, month) = month.split_once('-').unwrap_or_else(|| panic!("no month: {month}"));
    year.parse::<i64>().unwrap() * 12 + month.parse::<i64>().unwrap() - 1
}

pub fn month_of_number(number: i64) -> String {
    format!("{:04}-{:02}", number.div_euclid(12), number.rem_euclid(12) + 1)
}

/// The first day of a month and of the next.
pub fn month_days(month: &str) -> (NaiveDate, NaiveDate) {
    let first = parse_date(&format!("{month}-01"));
    (first, first.checked_add_months(chrono::Months::new(1)).unwrap())
}

/// The half-open instants of a month.
pub fn month_bounds(month: &str, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
    let (first, next) = month_days(month);
    (midnight(first, zone), midnight(next, zone))
}

/// The half-open instants between two dates, each at midnight of a zone; a missing side is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
}

impl Validity {
    pub fn new(from: Option<NaiveDate>, to: Option<NaiveDate>, zone: Tz) -> Validity {
        let since = from.map_or(DateTime::<Utc>::MIN_UTC, |day| midnight(day, zone));
        let until = to.map_or(DateTime::<Utc>::MAX_UTC, |day| midnight(day, zone));
        Validity { from, to, since, until }
    }

    pub fn holds(&self, instant: DateTime<Utc>) -> bool {
        self.since <= instant && instant < self.until
    }

    /// Whether it shares an instant with `from..to`.
    pub fn touches(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
        self.since.max(from) < self.until.min(to)
    }

    /// The first and the last instant (to the thousandth of a second) that it shares with `from..to`.
    pub fn first_and_last(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.since.max(from), self.until.min(to) - Duration::milliseconds(1))
    }
}

/// Days of `from..to` (dates, half-open) that also lie in all the others; a missing side is open.
pub fn days_shared(from: NaiveDate, to: NaiveDate, others: &[(Option<NaiveDate>, Option<NaiveDate>)]) -> i64 {
    let first = others.iter().filter_map(|span| span.0).fold(from, NaiveDate::max);
    let end = others.iter().filter_map(|span| span.1).fold(to, NaiveDate::min);
    (end - first).num_days().max(0)
}

/// Whether bands hold, remembered by the minute: every border of a band and every change of the clocks is at a minute.
#[derive(Default)]
pub struct Wall {
    /// Band (by its place in memory, which stays), zone, and for each minute: unknown, no, yes.
    known: Vec<(*const Band, Tz, Vec<u8>)>,
    first_minute: Option<i64>,
    forgetful: bool,
}

/// A year of minutes is remembered; what lies outside is asked each time.
const MINUTES_KEPT: i64 = 366 * 24 * 60;

impl Wall {
    /// One that asks anew each time.
    pub fn forgetful() -> Wall {
        Wall { forgetful: true, ..Wall::default() }
    }

    pub fn holds(&mut self, band: &Band, zone: Tz, instant: DateTime<Utc>) -> bool {
        let minute = instant.timestamp().div_euclid(60);
        let first = *self.first_minute.get_or_insert(minute - MINUTES_KEPT / 2);
        if self.forgetful || !(0..MINUTES_KEPT).contains(&(minute - first)) {
            return band.holds(instant, zone);
        }
        let same = |(of, kept, _): &(*const Band, Tz, Vec<u8>)| std::ptr::eq(*of, band) && *kept == zone;
        let index = self.known.iter().position(same).unwrap_or_else(|| {
            self.known.push((band, zone, vec![0; MINUTES_KEPT as usize]));
            self.known.len() - 1
        });
        let place = &mut self.known[index].2[(minute - first) as usize];
        if *place == 0 {
            *place = 1 + u8::from(band.holds(instant, zone));
        }
        *place == 2
    }
}
