//! Values inside rule texts: prices, increments, days, hours, places, periods. Each says what it expected.

use chrono::{NaiveDate, Weekday};
use rust_decimal::Decimal;

use crate::domain::charge::Unit;
use crate::domain::{Country, money::power_of_ten};

use super::ruleset::{Increment, Place, Price};

/// The most decimals a price may have: with them, a numerator over the common denominator stays far inside 128 bits.
pub const PRICE_DECIMALS_MAX: u32 = 10;

/// A non-negative amount written as plain digits: `0.0345`. Nothing is read through a float.
pub fn amount(text: &str) -> Result<Decimal, String> {
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let shaped = match text.split_once('.') {
        Some((whole, decimals)) => plain(whole) && plain(decimals),
        None => plain(text),
    };
    if !shaped {
        return Err(format!("\"{text}\" is not an amount"));
    }
    let value = Decimal::from_str_exact(text)
        .map_err(|_| format!("\"{text}\" has more digits than can be kept exactly"))?;
    if value.normalize().scale() > PRICE_DECIMALS_MAX {
        return Err(format!("\"{text}\" has more than {PRICE_DECIMALS_MAX} decimals"));
    }
    if value.normalize().mantissa() >= power_of_ten(18) {
        return Err(format!("\"{text}\" is beyond any price"));
    }
    Ok(value.normalize())
}

/// `0.0345 per minute`.
pub fn price(text: &str) -> Result<Price, String> {
    let Some((digits, unit)) = text.split_once(" per ") else {
        return Err(format!("\"{text}\" is not a price"));
    };
    let (unit, per_units) = match unit.trim() {
        "second" => (Unit::Second, 1),
        "minute" => (Unit::Second, 60),
        "hour" => (Unit::Second, 3600),
        "call" => (Unit::Call, 1),
        "message" => (Unit::Message, 1),
        "segment" => (Unit::Segment, 1),
        "page" => (Unit::Page, 1),
        other => return Err(format!("\"{other}\" is not a unit of a price")),
    };
    Ok(Price { amount: amount(digits.trim())?, unit, per_units, text: text.to_owned() })
}

/// `25.00 per month`.
pub fn monthly(text: &str) -> Result<Decimal, String> {
    match text.split_once(" per ") {
        Some((digits, "month")) => amount(digits.trim()),
        _ => Err(format!("\"{text}\" is not a monthly amount")),
    }
}

/// `500 minutes`: units and how many (minutes become seconds).
pub fn granted(text: &str) -> Result<(Unit, i64), String> {
    let wrong = || format!("\"{text}\" is not a number of included units");
    let (count, unit) = text.split_once(' ').ok_or_else(wrong)?;
    let count: i64 =
        count.parse().ok().filter(|count| (0..=1_000_000_000).contains(count)).ok_or_else(wrong)?;
    match unit.trim().trim_end_matches('s') {
        "minute" => Ok((Unit::Second, count * 60)),
        "hour" => Ok((Unit::Second, count * 3600)),
        "second" => Ok((Unit::Second, count)),
        "call" => Ok((Unit::Call, count)),
        "message" => Ok((Unit::Message, count)),
        "segment" => Ok((Unit::Segment, count)),
        "page" => Ok((Unit::Page, count)),
        _ => Err(wrong()),
    }
}

/// `60/6`.
pub fn increment(text: &str) -> Result<Increment, String> {
    let wrong = || format!("\"{text}\" is not an increment");
    let (first, next) = text.split_once('/').ok_or_else(wrong)?;
    let seconds =
        |part: &str| part.trim().parse::<i64>().ok().filter(|seconds| (1..=86_400).contains(seconds));
    Ok(Increment {
        first_seconds: seconds(first).ok_or_else(wrong)?,
        next_seconds: seconds(next).ok_or_else(wrong)?,
    })
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];

/// All seven days.
pub fn every_day() -> Vec<Weekday> {
    DAYS.iter().map(|(_, day)| *day).collect()
}

/// `mon-fri`, `sat,sun`, `mon,wed-fri`; a range may wrap past Sunday.
pub fn days(text: &str) -> Result<Vec<Weekday>, String> {
    let position = |word: &str| DAYS.iter().position(|(name, _)| *name == word.trim().to_ascii_lowercase());
    let mut chosen = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (Some(first), Some(last)) = (position(first), position(last)) else {
            return Err(format!("\"{part}\" is not a day or a range of days"));
        };
        let mut day = first;
        chosen[day] = true;
        while day != last {
            day = (day + 1) % 7;
            chosen[day] = true;
        }
    }
    Ok(DAYS.iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|((_, day), _)| *day).collect())
}

/// `08:00-18:00` as minutes of the day; `24:00` may end a range; `22:00-06:00` wraps past midnight.
pub fn hours(text: &str) -> Result<(u32, u32), String> {
    let wrong = || format!("\"{text}\" is not a range of hours");
    let minute = |part: &str| -> Option<u32> {
        let (hour, minute) = part.trim().split_once(':')?;
        if hour.len() > 2 || minute.len() != 2 {
            return None;
        }
        let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
        (minute < 60 && hour * 60 + minute <= 1440).then_some(hour * 60 + minute)
    };
    let (start, end) = text.split_once('-').ok_or_else(wrong)?;
    let (start, end) = (minute(start).ok_or_else(wrong)?, minute(end).ok_or_else(wrong)?);
    if start == end || start == 1440 || end == 0 {
        return Err(format!("the hours \"{text}\" are empty"));
    }
    Ok((start, end))
}

/// `US` or `+1876`.
pub fn place(text: &str) -> Result<Place, String> {
    if let Some(digits) = text.strip_prefix('+') {
        let shaped = (1..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        return match shaped {
            true => Ok(Place::Prefix(digits.to_owned())),
            false => Err(format!("\"{text}\" is not a prefix of international numbers")),
        };
    }
    Country::from_code(text)
        .map(Place::Country)
        .ok_or_else(|| format!("\"{text}\" is neither a country nor a prefix"))
}

/// `2026-11-26`.
pub fn date(text: &str) -> Result<NaiveDate, String> {
    let parsed = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
    parsed.ok_or_else(|| format!("\"{text}\" is not a date"))
}

/// `30 minutes`, `1 day` as milliseconds.
pub fn lapse(text: &str) -> Result<i64, String> {
    let wrong = || format!("\"{text}\" is not a length of time");
    let (count, unit) = text.split_once(' ').ok_or_else(wrong)?;
    let count: i64 = count.parse().ok().filter(|count| (0..=100_000).contains(count)).ok_or_else(wrong)?;
    let seconds = match unit.trim().trim_end_matches('s') {
        "second" => 1,
        "minute" => 60,
        "hour" => 3600,
        "day" => 86_400,
        _ => return Err(wrong()),
    };
    Ok(count * seconds * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_digit_by_digit() {
        assert_eq!(amount("0.0345").unwrap().to_string(), "0.0345");
        for wrong in
            ["", "1e3", "-1", "1.", ".5", "1,5", "NaN", "0.00000000001", "99999999999999999999999999999999"]
        {
            assert!(amount(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn days_and_hours_wrap() {
        assert_eq!(days("sat-mon").unwrap(), [Weekday::Mon, Weekday::Sat, Weekday::Sun]);
        assert_eq!(hours("22:00-06:00").unwrap(), (1320, 360));
        assert_eq!(hours("00:00-24:00").unwrap(), (0, 1440));
        for wrong in ["8-18", "08:00-08:00", "08:00-25:00", "08:60-09:00", "24:00-06:00"] {
            assert!(hours(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn units_are_counted_in_the_smallest() {
        assert_eq!(granted("500 minutes").unwrap(), (Unit::Second, 30_000));
        assert_eq!(granted("1 page").unwrap(), (Unit::Page, 1));
        assert!(granted("many minutes").is_err());
    }
}
