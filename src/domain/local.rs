//! Local times without an offset: what the clocks of a zone skip or show twice is said by the user, never guessed.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::outcome::words;
use super::time::{Instant, Zone};

words! {
    /// A local time that the zone's clocks never showed: as if they had not been put forward yet, or a mistake.
    SkippedTime { Shift = "shift", Error = "error" }
}
words! {
    /// A local time that the zone's clocks showed twice: its offset must be written, or one of the passes is meant.
    RepeatedTime { OffsetRequired = "offset-required", Earlier = "earlier", Later = "later" }
}

/// How times without an offset are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTimes {
    pub zone: Zone,
    pub skipped: SkippedTime,
    pub repeated: RepeatedTime,
}

/// Why a text is no instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalTimeMistake {
    NotATime,
    Skipped,
    Repeated,
}

impl LocalTimes {
    /// The first words of both lists.
    pub fn of(zone: Zone) -> LocalTimes {
        LocalTimes { zone, skipped: SkippedTime::Shift, repeated: RepeatedTime::OffsetRequired }
    }

    /// Reads a time: with an offset as it stands, without one as these times say. `2026-03-09T14:00:00`, with a blank
    /// for the T, without seconds or with fractions of them.
    ///
    /// # Errors
    /// A text that is no time, a time that was skipped or repeated where that is a mistake.
    pub fn read(&self, text: &str) -> Result<Instant, LocalTimeMistake> {
        if let Some(instant) = Instant::parse(text) {
            return Ok(instant);
        }
        let local = civil(text.trim()).ok_or(LocalTimeMistake::NotATime)?;
        match (self.zone.passes(local).as_slice(), self.repeated, self.skipped) {
            ([only], ..) => Ok(*only),
            ([_, ..], RepeatedTime::OffsetRequired, _) => Err(LocalTimeMistake::Repeated),
            ([first, ..], RepeatedTime::Earlier, _) => Ok(*first),
            ([.., last], RepeatedTime::Later, _) => Ok(*last),
            ([], _, SkippedTime::Error) => Err(LocalTimeMistake::Skipped),
            ([], _, SkippedTime::Shift) => {
                let before = self.zone.instant(local).plus_milliseconds(-1);
                let shown = self.zone.local(before).and_utc().timestamp_millis();
                let offset = shown - before.milliseconds();
                Ok(Instant::from_utc(local.and_utc()).plus_milliseconds(-offset))
            }
        }
    }
}

fn civil(text: &str) -> Option<NaiveDateTime> {
    let (date, time) = text.split_once(['T', ' '])?;
    let time = ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|form| NaiveTime::parse_from_str(time, form).ok())?;
    Some(NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?.and_time(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_and_repeated_times_are_what_was_said() {
        let mut times = LocalTimes::of(Zone::from_name("America/New_York").unwrap());
        let at = |text: &str| Ok(Instant::parse(text).unwrap());
        assert_eq!(times.read("2026-03-09T14:00:00"), at("2026-03-09T18:00:00Z"));
        assert_eq!(times.read("2026-03-09 14:00"), at("2026-03-09T18:00:00Z"));
        assert_eq!(times.read("2026-03-09T14:00:00.250"), at("2026-03-09T18:00:00.250Z"));
        assert_eq!(times.read("2026-03-09T14:00:00+01:00"), at("2026-03-09T13:00:00Z"));
        // Half past two on the eighth of March was never shown: 02:30 at -05:00 is what the clocks called 03:30.
        assert_eq!(times.read("2026-03-08T02:30:00"), at("2026-03-08T07:30:00Z"));
        times.skipped = SkippedTime::Error;
        assert_eq!(times.read("2026-03-08T02:30:00"), Err(LocalTimeMistake::Skipped));
        assert_eq!(times.read("2026-11-01T01:30:00"), Err(LocalTimeMistake::Repeated));
        times.repeated = RepeatedTime::Earlier;
        assert_eq!(times.read("2026-11-01T01:30:00"), at("2026-11-01T05:30:00Z"));
        times.repeated = RepeatedTime::Later;
        assert_eq!(times.read("2026-11-01T01:30:00"), at("2026-11-01T06:30:00Z"));
        for text in ["", "2026-03-09", "14:00", "2026-02-30T10:00:00", "2026-03-09T25:00:00", "T"] {
            assert_eq!(times.read(text), Err(LocalTimeMistake::NotATime), "{text}");
        }
    }
}
