//! Instants, zones and billing periods.
//!
//! Instants are UTC with milliseconds; civil dates appear only where a person or a contract means them. A billing
//! period is made once from its zone and is a key; every interval is half-open.

use std::fmt;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Instant(i64);

impl Instant {
    /// From milliseconds since the epoch.
    pub const fn from_milliseconds(milliseconds: i64) -> Instant {
        Instant(milliseconds)
    }

    /// Milliseconds since the epoch.
    pub const fn milliseconds(self) -> i64 {
        self.0
    }

    /// This instant moved by some milliseconds.
    pub fn plus_milliseconds(self, milliseconds: i64) -> Instant {
        Instant(self.0.saturating_add(milliseconds))
    }

    /// Reads an instant with an offset: RFC 3339, or the service's variant with an offset without colon
    /// (`2019-10-18T08:18:47.972+0000`). Fractions finer than a millisecond are cut. A time without offset is `None`.
    pub fn parse(text: &str) -> Option<Instant> {
        let parsed = DateTime::parse_from_rfc3339(text)
            .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
            .ok()?;
        Some(Instant(parsed.timestamp_millis()))
    }

    /// From a chrono time.
    pub fn from_utc(time: DateTime<Utc>) -> Instant {
        Instant(time.timestamp_millis())
    }

    /// As a chrono time in UTC.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// RFC 3339 in UTC with milliseconds: `2026-03-09T21:41:07.594Z`.
    pub fn rfc3339(self) -> String {
        self.utc().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.rfc3339())
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.rfc3339())
    }
}

/// A half-open interval of instants. `from == to` is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    pub from: Instant,
    pub to: Instant,
}

impl Span {
    /// Everything that can be represented.
    pub const ALWAYS: Span = Span { from: Instant(i64::MIN), to: Instant(i64::MAX) };

    /// Whether the instant lies inside.
    pub fn contains(&self, instant: Instant) -> bool {
        self.from <= instant && instant < self.to
    }

    /// Whether two intervals share an instant.
    pub fn overlaps(&self, other: &Span) -> bool {
        self.from < other.to && other.from < self.to
    }
}

/// An IANA time zone.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(Tz);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Zone = Zone(Tz::UTC);

    /// The zone of an IANA name, such as `America/New_York`.
    pub fn from_name(name: &str) -> Option<Zone> {
        name.parse::<Tz>().ok().map(Zone)
    }

    /// The IANA name.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// The civil date and time of an instant.
    pub fn local(&self, instant: Instant) -> NaiveDateTime {
        instant.utc().with_timezone(&self.0).naive_local()
    }

    /// The instant of a civil time: the first pass of a repeated hour; a time in a skipped hour takes effect at the
    /// transition (trap 10).
    pub fn instant(&self, local: NaiveDateTime) -> Instant {
        if let Some(time) = self.0.from_local_datetime(&local).earliest() {
            return Instant::from_utc(time.with_timezone(&Utc));
        }
        let mut low = Instant::from_utc(local.and_utc()).plus_milliseconds(-26 * 3_600_000);
        let mut high = low.plus_milliseconds(52 * 3_600_000);
        while high.0 - low.0 > 1 {
            let middle = Instant(low.0 + (high.0 - low.0) / 2);
            if self.local(middle) >= local { high = middle } else { low = middle }
        }
        high
    }

    /// Every instant at which the zone's clocks show a civil time: none in a skipped hour, two in a repeated one.
    pub fn passes(&self, local: NaiveDateTime) -> Vec<Instant> {
        let found = self.0.from_local_datetime(&local);
        let mut passes: Vec<Instant> = found
            .earliest()
            .into_iter()
            .chain(found.latest())
            .map(|time| Instant::from_utc(time.to_utc()))
            .collect();
        passes.dedup();
        passes
    }

    /// The instants of a civil day at which the zone's offset changes.
    pub fn offset_changes(&self, day: NaiveDate) -> Vec<Instant> {
        let (start, end) = (self.midnight(day), self.midnight(day.succ_opt().unwrap_or(day)));
        let offset = |instant: Instant| self.local(instant).and_utc().timestamp_millis() - instant.0;
        if offset(start) == offset(end) {
            return Vec::new();
        }
        let (mut low, mut high) = (start.0, end.0);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if offset(Instant(middle)) == offset(start) { low = middle } else { high = middle }
        }
        vec![Instant(high)]
    }

    /// The first instant of a civil day.
    pub fn midnight(&self, date: NaiveDate) -> Instant {
        self.instant(date.and_time(NaiveTime::MIN))
    }

    /// RFC 3339 with this zone's offset, for people: `2026-03-09 14:00:00 -04:00`.
    pub fn show(&self, instant: Instant) -> String {
        instant.utc().with_timezone(&self.0).format("%Y-%m-%d %H:%M:%S %:z").to_string()
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Zone, D::Error> {
        let name = String::deserialize(deserializer)?;
        Zone::from_name(&name).ok_or_else(|| D::Error::custom(format!("\"{name}\" is not a time zone")))
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A calendar month, the billing period's key: `2026-10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Month {
    first_day: NaiveDate,
}

impl Month {
    /// The month of a date.
    pub fn of(date: NaiveDate) -> Month {
        Month { first_day: date.with_day(1).expect("every month has a first day") }
    }

    /// Reads `YYYY-MM`.
    pub fn parse(text: &str) -> Option<Month> {
        if text.len() != 7 {
            return None;
        }
        NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok().map(Month::of)
    }

    /// `YYYY-MM`.
    pub fn key(&self) -> String {
        self.first_day.format("%Y-%m").to_string()
    }

    /// The first civil day.
    pub fn first_day(&self) -> NaiveDate {
        self.first_day
    }

    /// The month after this one.
    pub fn next(&self) -> Month {
        let first_day =
            self.first_day.checked_add_months(Months::new(1)).expect("a billing month lies in this era");
        Month { first_day }
    }

    /// The billing period of this month in a zone.
    pub fn period(&self, zone: Zone) -> Period {
        let end_day = self.next().first_day;
        Period {
            month: *self,
            zone,
            span: Span { from: zone.midnight(self.first_day), to: zone.midnight(end_day) },
            first_day: self.first_day,
            last_day: end_day.checked_sub_days(Days::new(1)).expect("a billing month lies in this era"),
        }
    }
}

/// A half-open interval billed together, made once from a month and a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    pub month: Month,
    pub zone: Zone,
    pub span: Span,
    pub first_day: NaiveDate,
    /// The last civil day that belongs to the period (for people; the interval itself is half-open).
    pub last_day: NaiveDate,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_service_are_read() {
        let expected = Instant::parse("2019-10-18T08:18:47.972Z").unwrap();
        for text in
            ["2019-10-18T08:18:47.972+0000", "2019-10-18T08:18:47.972123Z", "2019-10-18T04:18:47.972-04:00"]
        {
            assert_eq!(Instant::parse(text), Some(expected), "{text}");
        }
        assert_eq!(Instant::parse("2019-10-18T08:18:47"), None, "a time without an offset is no instant");
        assert_eq!(Instant::parse("2026-03-09T21:41:07Z").unwrap().rfc3339(), "2026-03-09T21:41:07.000Z");
    }

    #[test]
    fn a_month_with_a_daylight_change_is_an_hour_shorter() {
        let zone = Zone::from_name("America/New_York").unwrap();
        let march = Month::parse("2026-03").unwrap().period(zone);
        assert_eq!((march.span.to.milliseconds() - march.span.from.milliseconds()) / 3_600_000, 31 * 24 - 1);
        assert_eq!(march.last_day.to_string(), "2026-03-31");
    }

    #[test]
    fn a_skipped_civil_time_takes_effect_at_the_transition() {
        let zone = Zone::from_name("America/New_York").unwrap();
        let skipped = NaiveDate::from_ymd_opt(2026, 3, 8).unwrap().and_hms_opt(2, 30, 0).unwrap();
        assert_eq!(zone.instant(skipped).rfc3339(), "2026-03-08T07:00:00.000Z");
    }
}
