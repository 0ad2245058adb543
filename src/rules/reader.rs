//! Values inside rule texts: prices, increments, days, hours, places, periods. Each says what it expected.
//! Zero is a value, an absent key is not one, and what is neither is refused: nothing is read as something near it.

use chrono::{NaiveDate, Weekday};
use rust_decimal::Decimal;

use crate::domain::charge::Unit;
use crate::domain::outcome::CodePattern;
use crate::domain::{Country, money::power_of_ten};

use super::ruleset::{CostBase, CostPrice, Increment, Place, Price, Reduction};

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

/// What a unit of a price counts, and how many of the smallest it is: `minute` is 60 seconds.
pub fn unit(word: &str) -> Option<(Unit, i64)> {
    Some(match word {
        "second" => (Unit::Second, 1),
        "minute" => (Unit::Second, 60),
        "hour" => (Unit::Second, 3600),
        "call" => (Unit::Call, 1),
        "message" => (Unit::Message, 1),
        "segment" => (Unit::Segment, 1),
        "page" => (Unit::Page, 1),
        _ => return None,
    })
}

/// `0.0345 per minute`.
pub fn price(text: &str) -> Result<Price, String> {
    let Some((digits, word)) = text.split_once(" per ") else {
        return Err(format!("\"{text}\" is not a price"));
    };
    let Some((unit, per_units)) = unit(word.trim()) else {
        return Err(format!("\"{}\" is not a unit of a price", word.trim()));
    };
    Ok(Price { amount: amount(digits.trim())?, unit, per_units, text: text.to_owned() })
}

/// What can stand as the price of a rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PriceForm {
    /// For units, or once an event (`0.10 flat`).
    Amount(Price),
    /// `deck NAME`.
    Deck(String),
    /// `by timekeeper`.
    ByTimekeeper,
    /// `cost + 20% + 0.01`.
    Cost(CostPrice),
}

/// The price of a rate in any of its forms.
pub fn price_form(text: &str) -> Result<PriceForm, String> {
    if text == "by timekeeper" {
        return Ok(PriceForm::ByTimekeeper);
    }
    if let Some(name) = text.strip_prefix("deck ").map(str::trim).filter(|name| !name.is_empty()) {
        return Ok(PriceForm::Deck(name.to_owned()));
    }
    if let Some(digits) = text.strip_suffix(" flat") {
        let amount = amount(digits.trim())?;
        return Ok(PriceForm::Amount(Price {
            amount,
            unit: Unit::Event,
            per_units: 1,
            text: text.to_owned(),
        }));
    }
    match text.split_once('+').map_or(text, |(head, _)| head).trim() {
        "cost" => cost(text, CostBase::Carrier).map(PriceForm::Cost),
        "supplier" => cost(text, CostBase::Supplier).map(PriceForm::Cost),
        _ => price(text).map(PriceForm::Amount),
    }
}

/// The share and the amount on top of a cost, in this order, each at most once.
fn cost(text: &str, base: CostBase) -> Result<CostPrice, String> {
    let (mut share, mut plus) = (None, None);
    for part in text.split('+').skip(1).map(str::trim) {
        match (part.ends_with('%'), share, plus) {
            (true, None, None) => share = Some(percent(part)?),
            (false, _, None) => plus = Some(amount(part)?),
            _ => return Err(format!("\"{text}\" is not a cost, a percentage and an amount")),
        }
    }
    Ok(CostPrice { base, percent: share.unwrap_or(Decimal::ZERO), plus: plus.unwrap_or(Decimal::ZERO) })
}

/// The most decimals of a percentage.
pub const PERCENT_DECIMALS_MAX: u32 = 4;

/// Above it, a percentage is a slip of the pen.
const PERCENT_MAX: i64 = 100_000;

/// `12.5%`.
pub fn percent(text: &str) -> Result<Decimal, String> {
    let wrong = || format!("\"{text}\" is not a percentage");
    let value =
        text.strip_suffix('%').map(str::trim).and_then(|digits| amount(digits).ok()).ok_or_else(wrong)?;
    if value.scale() > PERCENT_DECIMALS_MAX {
        return Err(format!("\"{text}\" has more than {PERCENT_DECIMALS_MAX} decimals"));
    }
    if value > Decimal::from(PERCENT_MAX) {
        return Err(format!("\"{text}\" is beyond any percentage"));
    }
    Ok(value)
}

/// `10%` or `0.02`.
pub fn reduction(text: &str) -> Result<Reduction, String> {
    if text.contains('%') {
        percent(text).map(Reduction::Percent)
    } else {
        amount(text).map(Reduction::Amount)
    }
}

/// `25.00 per month`.
pub fn monthly(text: &str) -> Result<Decimal, String> {
    match text.split_once(" per ") {
        Some((digits, "month")) => amount(digits.trim()),
        _ => Err(format!("\"{text}\" is not a monthly amount")),
    }
}

/// The price of a fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeePrice {
    Monthly(Decimal),
    Once(Decimal),
}

/// `25.00 per month` or `99.00 once`.
pub fn fee(text: &str) -> Result<FeePrice, String> {
    match text.strip_suffix(" once") {
        Some(digits) => amount(digits.trim()).map(FeePrice::Once),
        None => monthly(text).map(FeePrice::Monthly),
    }
}

/// The most units or of time a text may name, before they are counted in the smallest.
const COUNT_MAX: i64 = 1_000_000_000;

/// `500 minutes`: units and how many (minutes become seconds).
pub fn granted(text: &str) -> Result<(Unit, i64), String> {
    let wrong = || format!("\"{text}\" is not a number of included units");
    let (count, word) = text.split_once(' ').ok_or_else(wrong)?;
    let count = amount(count).ok().filter(|count| *count <= Decimal::from(COUNT_MAX)).ok_or_else(wrong)?;
    let word = word.trim();
    let (unit, scale) = unit(word.strip_suffix('s').unwrap_or(word)).ok_or_else(wrong)?;
    let units = whole(count * Decimal::from(scale));
    Ok((unit, units.ok_or_else(|| format!("\"{text}\" is no whole number of {unit}s"))?))
}

fn whole(value: Decimal) -> Option<i64> {
    let value = value.normalize();
    (value.scale() == 0).then(|| i64::try_from(value.mantissa()).ok()).flatten()
}

/// What an allowance grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    Units(Unit, i64),
    Money(Decimal),
}

impl Grant {
    /// What it is counted in.
    pub fn unit(&self) -> Unit {
        match self {
            Grant::Units(unit, _) => *unit,
            Grant::Money(_) => Unit::Amount,
        }
    }
}

/// `500 minutes` or `20.00 of charges`.
pub fn grant(text: &str) -> Result<Grant, String> {
    match text.strip_suffix(" of charges") {
        Some(digits) => amount(digits.trim()).map(Grant::Money),
        None => granted(text).map(|(unit, units)| Grant::Units(unit, units)),
    }
}

/// The longest minimum or grace, in milliseconds: no call is a day long.
const LENGTH_MILLISECONDS_MAX: i64 = 86_400_000;

/// `30 seconds`, `1.5 minutes`, `0 seconds` as milliseconds.
pub fn length(text: &str) -> Result<i64, String> {
    let wrong = || format!("\"{text}\" is not a length of a call");
    let (count, word) = text.split_once(' ').ok_or_else(wrong)?;
    let count = amount(count).ok().filter(|count| *count <= Decimal::from(COUNT_MAX)).ok_or_else(wrong)?;
    let word = word.trim();
    let (unit, seconds) = unit(word.strip_suffix('s').unwrap_or(word)).ok_or_else(wrong)?;
    if unit != Unit::Second {
        return Err(wrong());
    }
    let milliseconds = whole(count * Decimal::from(seconds * 1000))
        .ok_or_else(|| format!("\"{text}\" is no whole number of milliseconds"))?;
    if milliseconds > LENGTH_MILLISECONDS_MAX {
        return Err(format!("\"{text}\" is longer than a day"));
    }
    Ok(milliseconds)
}

/// As [`length`], in whole seconds.
pub fn length_seconds(text: &str) -> Result<i64, String> {
    let milliseconds = length(text)?;
    if milliseconds % 1000 != 0 {
        return Err(format!("\"{text}\" is no whole number of seconds"));
    }
    Ok(milliseconds / 1000)
}

/// An extension number: `101`.
pub fn extension(text: &str) -> Result<u64, String> {
    let shaped = (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| shaped).ok_or_else(|| format!("\"{text}\" is not an extension number"))
}

/// An error code, or the beginning of several with a trailing `*`.
pub fn code_pattern(text: &str) -> Result<CodePattern, String> {
    let body = text.strip_suffix('*').unwrap_or(text);
    let shaped = !text.is_empty() && !body.contains('*') && text.trim() == text;
    if shaped { Ok(CodePattern::of(text)) } else { Err(format!("\"{text}\" is not an error code")) }
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
mod tests;
