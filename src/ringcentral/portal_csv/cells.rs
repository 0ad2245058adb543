//! The cells of a portal file: dates, times, durations, numbers.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use serde_json::{Map, Value};

use crate::domain::{Instant, Zone};

/// A date: `Wed 06/03/2026`, `06/03/2026` or `2026-06-03`. Month first, unless only day first fits the weekday.
pub fn date(text: &str) -> Result<NaiveDate, &'static str> {
    let (weekday, rest) = match text.split_once(' ') {
        Some((word, rest)) => {
            (Some(word.trim_end_matches(',').parse::<Weekday>().map_err(|_| NOT_A_DATE)?), rest.trim())
        }
        None => (None, text),
    };
    if let Ok(date) = NaiveDate::parse_from_str(rest, "%Y-%m-%d") {
        return fits(date, weekday).then_some(date).ok_or(WRONG_WEEKDAY);
    }
    let month_first = NaiveDate::parse_from_str(rest, "%m/%d/%Y").ok();
    let day_first = NaiveDate::parse_from_str(rest, "%d/%m/%Y").ok();
    match (month_first, day_first, weekday) {
        (None, None, _) => Err(NOT_A_DATE),
        (Some(date), _, None) => Ok(date),
        (None, Some(_), None) => Err("the day seems to come before the month, and no weekday tells"),
        (_, _, Some(_)) => {
            let known = [month_first, day_first].into_iter().flatten().find(|date| fits(*date, weekday));
            known.filter(|date| date.year() >= 1970).ok_or(WRONG_WEEKDAY)
        }
    }
}

const NOT_A_DATE: &str = "not a date";
const WRONG_WEEKDAY: &str = "the weekday is not that of the date";

fn fits(date: NaiveDate, weekday: Option<Weekday>) -> bool {
    weekday.is_none_or(|weekday| date.weekday() == weekday)
}

/// A local time: `2:41 PM`, `2:41:07 PM`, `14:41`.
pub fn time(text: &str) -> Option<NaiveTime> {
    let upper = text.replace('\u{202f}', " ").to_ascii_uppercase();
    let (clock, half) = match upper.trim().strip_suffix('M').map(str::trim_end) {
        Some(rest) => match (rest.strip_suffix('A'), rest.strip_suffix('P')) {
            (Some(clock), _) => (clock.trim_end().to_owned(), Some(false)),
            (None, Some(clock)) => (clock.trim_end().to_owned(), Some(true)),
            (None, None) => return None,
        },
        None => (upper.trim().to_owned(), None),
    };
    let mut parts = clock.split(':').map(small_number);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    if parts.next().is_some() {
        return None;
    }
    let hour = match half {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(afternoon) => hour % 12 + if afternoon { 12 } else { 0 },
        None => hour,
    };
    NaiveTime::from_hms_opt(hour, minute, second)
}

fn small_number(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// What a cell of a duration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    Seconds(i64),
    /// Empty or `-`.
    None,
    InProgress,
}

/// A duration: `H:MM:SS`, `M:SS`, seconds, `-`, empty, `In Progress`.
pub fn length(text: &str) -> Option<Length> {
    if text.is_empty() || text == "-" {
        return Some(Length::None);
    }
    if text.eq_ignore_ascii_case("in progress") {
        return Some(Length::InProgress);
    }
    let parts: Vec<i64> =
        text.split(':').map(|part| small_number(part).map(i64::from)).collect::<Option<_>>()?;
    let seconds = match parts[..] {
        [seconds] => seconds,
        [minutes, seconds] if seconds < 60 => minutes * 60 + seconds,
        [hours, minutes, seconds] if minutes < 60 && seconds < 60 => hours * 3600 + minutes * 60 + seconds,
        _ => return None,
    };
    Some(Length::Seconds(seconds))
}

/// The instant of a local time, and whether autumn repeats it (then the first pass is taken). `None` when spring
/// skips it.
pub fn instant(zone: Zone, local: NaiveDateTime) -> Option<(Instant, bool)> {
    const MINUTE: i64 = 60_000;
    let instant = zone.instant(local);
    if zone.local(instant) != local {
        return None;
    }
    // Clocks are set back by an hour, on one island by half of one.
    let again = [30 * MINUTE, 60 * MINUTE, 120 * MINUTE];
    Some((instant, again.iter().any(|step| zone.local(instant.plus_milliseconds(*step)) == local)))
}

/// A party: a telephone number as written, or a short one as an extension; `x123` after a number is its extension.
pub fn party(text: &str) -> Option<Value> {
    let (number, extension) = match text.to_ascii_lowercase().rfind('x') {
        Some(place) if text[place + 1..].trim().bytes().all(|byte| byte.is_ascii_digit()) => {
            (text[..place].trim(), text[place + 1..].trim())
        }
        _ => (text.trim(), ""),
    };
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let mut members = Map::new();
    if !extension.is_empty() {
        members.insert("extensionNumber".into(), extension.into());
    }
    if plain && digits <= 6 {
        members.insert("extensionNumber".into(), number.into());
    } else if digits > 0 {
        members.insert("phoneNumber".into(), number.into());
    } else if !number.is_empty() && number != "-" {
        members.insert("name".into(), number.into());
    }
    (!members.is_empty()).then_some(Value::Object(members))
}

/// An extension: `340 - First Last`, a number, or a name.
pub fn extension(text: &str) -> Option<Value> {
    let (first, rest) = text.split_once(" - ").unwrap_or((text, ""));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (number, name) =
        if is_number(first.trim()) { (first.trim(), rest.trim()) } else { ("", text.trim()) };
    let mut members = Map::new();
    if !number.is_empty() {
        members.insert("extensionNumber".into(), number.into());
    }
    if !name.is_empty() && name != "-" {
        members.insert("name".into(), name.into());
    }
    (!members.is_empty()).then_some(Value::Object(members))
}

/// An amount with its own characters, as a JSON number; blank, `-` and words are none.
pub fn amount(text: &str) -> Option<Value> {
    let text = text.trim().trim_start_matches('$');
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && digits(fraction)).then(|| serde_json::from_str(text).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn durations_in_all_forms() {
        for (text, seconds) in [("0:03:14", 194), ("3:14", 194), ("194", 194), ("0", 0), ("26:00:00", 93_600)]
        {
            assert_eq!(length(text), Some(Length::Seconds(seconds)), "{text}");
        }
        assert_eq!(
            (length("-"), length(""), length("In Progress")),
            (Some(Length::None), Some(Length::None), Some(Length::InProgress))
        );
        for text in ["1:60", "1:2:3:4", "-5", "3m", "0.5", ":"] {
            assert_eq!(length(text), None, "{text}");
        }
    }

    #[test]
    fn dates_are_month_first_unless_the_weekday_says_otherwise() {
        let third_of_june = NaiveDate::from_ymd_opt(2026, 6, 3).unwrap();
        for text in ["Wed 06/03/2026", "06/03/2026", "2026-06-03", "Wed 03/06/2026", "Wed, 06/03/2026"] {
            assert_eq!(date(text), Ok(third_of_june), "{text}");
        }
        assert_eq!(date("Mon 06/03/2026"), Err(WRONG_WEEKDAY));
        assert!(date("25/06/2026").is_err());
        assert!(date("yesterday").is_err());
    }

    #[test]
    fn times_with_and_without_halves() {
        let at = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0);
        for (text, expected) in [
            ("12:01 PM", at(12, 1)),
            ("12:01 AM", at(0, 1)),
            ("8:08 pm", at(20, 8)),
            ("14:41", at(14, 41)),
            ("2:41:00 PM", at(14, 41)),
            ("2:41\u{202f}PM", at(14, 41)),
            ("13:00 PM", None),
            ("24:00", None),
            ("noon", None),
            ("2 PM", None),
        ] {
            assert_eq!(time(text), expected, "{text}");
        }
    }

    #[test]
    fn the_repeated_hour_is_marked_and_the_skipped_one_is_none() {
        let zone = Zone::from_name("America/New_York").unwrap();
        let local = |month, day, hour| {
            NaiveDate::from_ymd_opt(2026, month, day).unwrap().and_hms_opt(hour, 30, 0).unwrap()
        };
        assert_eq!(
            instant(zone, local(11, 1, 1)),
            Some((Instant::parse("2026-11-01T05:30:00Z").unwrap(), true))
        );
        assert!(matches!(instant(zone, local(11, 1, 2)), Some((_, false))));
        assert_eq!(instant(zone, local(3, 8, 2)), None);
    }

    #[test]
    fn parties_and_extensions() {
        assert_eq!(party("(404) 555-0148"), Some(json!({"phoneNumber": "(404) 555-0148"})));
        assert_eq!(
            party("(404) 555-0148 x12"),
            Some(json!({"phoneNumber": "(404) 555-0148", "extensionNumber": "12"}))
        );
        assert_eq!(party("7065"), Some(json!({"extensionNumber": "7065"})));
        assert_eq!(party("Anonymous"), Some(json!({"name": "Anonymous"})));
        assert_eq!(party(""), None);
        assert_eq!(
            extension("340 - First Last"),
            Some(json!({"extensionNumber": "340", "name": "First Last"}))
        );
        assert_eq!(amount("0.1370").unwrap().to_string(), "0.1370");
        assert_eq!(amount("-"), None);
    }
}
