//! The month as the office lives it: local days, office hours and busy hours, turned into instants.

use super::random::Dice;
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::America::New_York;

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Calls by hour of a working day, in proportion.
const WORKDAY: [u32; 24] =
    [3, 2, 2, 1, 2, 3, 8, 28, 80, 118, 122, 110, 92, 98, 112, 116, 108, 84, 40, 24, 16, 12, 8, 5];
/// Calls by hour of a Saturday or Sunday, in proportion.
const WEEKEND: [u32; 24] =
    [5, 4, 3, 2, 2, 3, 6, 10, 18, 26, 30, 30, 28, 26, 26, 24, 22, 20, 16, 14, 12, 10, 8, 6];

/// The days of the world in the account's own zone, America/New_York.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calendar {
    first: NaiveDate,
    pub(crate) days: u32,
}

impl Calendar {
    /// `days` local days from the day on which `from` falls.
    pub(crate) fn new(from: DateTime<Utc>, days: u32) -> Calendar {
        Calendar { first: from.with_timezone(&New_York).date_naive(), days }
    }

    /// The start of October 2026 in New York.
    pub(crate) fn default_from() -> DateTime<Utc> {
        let midnight = NaiveDate::from_ymd_opt(2026, 10, 1).and_then(|date| date.and_hms_opt(4, 0, 0));
        midnight.unwrap_or_default().and_utc()
    }

    /// The date of a day, 0 being the first; days before and after the month are allowed.
    pub(crate) fn date(&self, day: i64) -> NaiveDate {
        let steps = Days::new(day.unsigned_abs());
        let date =
            if day < 0 { self.first.checked_sub_days(steps) } else { self.first.checked_add_days(steps) };
        date.unwrap_or(self.first)
    }

    /// The day on which a number changes hands: the middle of the month.
    pub(crate) fn handover_day(&self) -> i64 {
        i64::from(self.days) / 2
    }

    /// The day from which a client is no longer one.
    pub(crate) fn leaving_day(&self) -> i64 {
        i64::from(self.days) * 4 / 5
    }

    /// The first instant of a local day.
    pub(crate) fn midnight_ms(&self, day: i64) -> i64 {
        self.instant_ms(day, 0)
    }

    /// The instant at which clocks show `millis` after midnight. A time that the clocks skip is moved on by an hour;
    /// one that they show twice is the first.
    pub(crate) fn instant_ms(&self, day: i64, millis: i64) -> i64 {
        let local = NaiveDateTime::from(self.date(day)) + TimeDelta::milliseconds(millis);
        let found = New_York.from_local_datetime(&local).earliest();
        let found = found.or_else(|| New_York.from_local_datetime(&(local + TimeDelta::hours(1))).earliest());
        found.map_or_else(|| local.and_utc().timestamp_millis(), |instant| instant.timestamp_millis())
    }

    /// First instant of the world's month and the first after it.
    pub(crate) fn span_ms(&self) -> (i64, i64) {
        (self.midnight_ms(0), self.midnight_ms(i64::from(self.days)))
    }

    pub(crate) fn is_workday(&self, day: i64) -> bool {
        !matches!(self.date(day).weekday(), Weekday::Sat | Weekday::Sun)
    }

    /// How busy a day is, in per mille of a middling working day.
    pub(crate) fn load_per_mille(&self, day: i64) -> i64 {
        match self.date(day).weekday() {
            Weekday::Mon => 1120,
            Weekday::Tue => 1040,
            Weekday::Wed => 1000,
            Weekday::Thu => 980,
            Weekday::Fri => 920,
            Weekday::Sat => 260,
            Weekday::Sun => 170,
        }
    }

    /// A moment of the day in proportion to how busy its hours are: the instant and the local hour.
    pub(crate) fn busy_moment(&self, dice: &mut Dice, day: i64) -> (i64, usize) {
        let hour = dice.weighted(if self.is_workday(day) { &WORKDAY } else { &WEEKEND });
        let millis = i64::try_from(hour).unwrap_or(0) * HOUR + dice.between(0, HOUR - 1);
        (self.instant_ms(day, millis), hour)
    }

    /// A moment between two local hours.
    pub(crate) fn moment_between(&self, dice: &mut Dice, day: i64, from_hour: i64, to_hour: i64) -> i64 {
        self.instant_ms(day, dice.between(from_hour * HOUR, to_hour * HOUR - 1))
    }
}

/// The instant `millis` milliseconds after the Unix epoch.
pub(crate) fn instant(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// As the service writes times: `2026-10-01T04:00:00.000Z`. Written digit by digit: a page holds thousands of them.
pub(crate) fn stamp(millis: i64) -> String {
    let date = instant(millis).date_naive();
    let of_day = millis.rem_euclid(DAY);
    let fields = [
        (i64::from(date.year()), 1000, b'-'),
        (i64::from(date.month()), 10, b'-'),
        (i64::from(date.day()), 10, b'T'),
        (of_day / HOUR, 10, b':'),
        (of_day / MINUTE % 60, 10, b':'),
        (of_day / 1000 % 60, 10, b'.'),
        (of_day % 1000, 100, b'Z'),
    ];
    let mut text = String::with_capacity(24);
    for (value, highest, mark) in fields {
        let mut place = highest;
        while place > 0 {
            let digit = u8::try_from(value / place % 10).unwrap_or(0);
            text.push(char::from(b'0' + digit));
            place /= 10;
        }
        text.push(char::from(mark));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_days_become_instants() {
        let october = Calendar::new(Calendar::default_from(), 31);
        assert_eq!(stamp(october.midnight_ms(0)), "2026-10-01T04:00:00.000Z");
        assert_eq!(stamp(october.midnight_ms(31)), "2026-11-01T04:00:00.000Z");
        assert_eq!(stamp(october.midnight_ms(32)), "2026-11-02T05:00:00.000Z");
        assert_eq!(stamp(october.midnight_ms(-1)), "2026-09-30T04:00:00.000Z");
    }

    #[test]
    fn an_hour_that_does_not_exist_is_moved_on() {
        let from = DateTime::from_timestamp(1_772_946_000, 0).expect("8 March 2026, 05:00 UTC");
        let march = Calendar::new(from, 2);
        assert_eq!(stamp(march.instant_ms(0, 2 * HOUR + HOUR / 2)), "2026-03-08T07:30:00.000Z");
    }
}
