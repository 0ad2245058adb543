//! Values: negatives mirror positives, and what is printed is read as what it was.

use chrono::NaiveDate;
use tollbook::domain::disposition::{EventDisposition, SuspenseReason};
use tollbook::domain::document::LineKind;
use tollbook::domain::money::power_of_ten;
use tollbook::domain::time::Month;
use tollbook::domain::{Currency, Exact, Hash, Instant, Money, RoundingMode, Zone};
use tollbook::rules::options::NegativeRounding;
use tollbook::rules::reader;
use tollbook::stage::period::rounding::LineRounding;

use super::facts::{Dice, hold};

const MODES: [RoundingMode; 4] =
    [RoundingMode::HalfAway, RoundingMode::HalfEven, RoundingMode::Up, RoundingMode::Down];

/// Ratios at and around ties as often as anywhere.
fn draw_ratio(dice: &mut Dice) -> (i128, i128) {
    let most = if dice.chance(50) { 40 } else { 1_000_000_000_000 };
    let denominator = i128::from(dice.between(1, most));
    let whole = i128::from(dice.between(0, 1_000_000_000));
    match dice.chance(50) {
        true => (whole * denominator + i128::from(dice.between(-1, 1)), 2 * denominator),
        false => (whole * 1_000_003, denominator),
    }
}

fn mirrors(divide: impl Fn(RoundingMode, i128, i128) -> i128, seed: u64) -> Result<usize, String> {
    let mut dice = Dice::new(seed);
    for _ in 0..2_000 {
        let (numerator, denominator) = draw_ratio(&mut dice);
        for mode in MODES {
            let (plus, minus) = (divide(mode, numerator, denominator), divide(mode, -numerator, denominator));
            let error = (plus * denominator - numerator).abs();
            let near = match mode {
                RoundingMode::HalfAway | RoundingMode::HalfEven => 2 * error <= denominator,
                RoundingMode::Up | RoundingMode::Down => error < denominator,
            };
            if plus != -minus || !near {
                return Err(format!("{mode:?} {numerator}/{denominator}: {plus} and {minus}"));
            }
        }
    }
    Ok(2_000 * MODES.len())
}

#[test]
fn law_23_a_negative_amount_mirrors_the_positive_one() {
    hold("23", 4, 30_000, |seed| {
        mirrors(|mode, numerator, denominator| mode.divide(numerator, denominator), seed)?;
        let (line, currencies) =
            (|mode| LineRounding { mode, negative: NegativeRounding::Mirror }, ["USD", "JPY", "KWD"]);
        let mut dice = Dice::new(seed);
        for currency in (0..1_000).map(|case| Currency::from_code(currencies[case % 3]).unwrap()) {
            let (numerator, denominator) = draw_ratio(&mut dice);
            for mode in MODES {
                let exact = Exact::new(numerator, denominator);
                let (plus, residual) = line(mode).round(exact, currency).unwrap();
                let (minus, other) = line(mode).round(exact.negated(), currency).unwrap();
                if plus.minor_units != -minus.minor_units || residual != other.negated() {
                    return Err(format!("{mode:?} {exact:?}: {plus} and {minus}"));
                }
            }
        }
        Ok((2_000 + 1_000) * MODES.len())
    });
    assert!(
        mirrors(|_, numerator, denominator| numerator.div_euclid(denominator), 1).is_err(),
        "a floor is seen"
    );
    // What a tariff may ask for instead is no mirror, and is seen too.
    let other = |mode, numerator, denominator: i128| {
        let rounding = LineRounding { mode, negative: NegativeRounding::TowardPlusInfinity };
        rounding
            .round(Exact::new(numerator, denominator), Currency::from_code("JPY").unwrap())
            .unwrap()
            .0
            .minor_units
    };
    assert!(mirrors(other, 1).is_err(), "toward plus infinity is no mirror");
}

/// Digits with a point, as a number of the smallest decimal that is written.
fn unscaled(text: &str) -> (i128, u32) {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    (format!("{whole}{decimals}").parse().unwrap(), u32::try_from(decimals.len()).unwrap())
}

fn same<T: PartialEq + std::fmt::Debug>(read: T, value: T) -> Result<(), String> {
    if read == value { Ok(()) } else { Err(format!("{value:?} is read as {read:?}")) }
}

fn money_survives(dice: &mut Dice) -> Result<(), String> {
    let currency = Currency::from_code(dice.word(&["USD", "JPY", "KWD", "GBP"])).unwrap();
    same(Currency::from_code(currency.code()), Some(currency))?;
    let most = if dice.chance(30) { 120 } else { i64::MAX / 2 };
    let minor_units = i128::from(dice.between(-most, most));
    let money = Money { minor_units, currency };
    same(unscaled(&money.digits()), (minor_units, currency.exponent()))?;
    let exact = Exact::new(minor_units, i128::from(dice.between(1, 1_000_000)));
    let json = serde_json::to_string(&exact).unwrap();
    same(serde_json::from_str(&json).unwrap(), exact)?;
    let json = serde_json::to_string(&money).unwrap();
    same(serde_json::from_str(&json).unwrap(), money)?;
    let shortest = exact.shortest();
    let read = match shortest.split_once('/') {
        Some((numerator, denominator)) => {
            Exact::new(numerator.parse().unwrap(), denominator.parse().unwrap())
        }
        None => {
            let (value, scale) = unscaled(&shortest);
            Exact::new(value, power_of_ten(scale))
        }
    };
    same(read, exact)
}

fn times_survive(dice: &mut Dice) -> Result<(), String> {
    let instant = Instant::from_milliseconds(dice.between(-2_000_000_000_000, 4_100_000_000_000));
    same(Instant::parse(&instant.rfc3339()), Some(instant))?;
    let zone = dice.word(&["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]);
    let zone = Zone::from_name(zone).unwrap();
    same(Zone::from_name(zone.name()), Some(zone))?;
    // The service's variant, and what people are shown, are the same instant.
    let shown = zone.show(instant).replacen(' ', "T", 1).replace(' ', "");
    let whole = Instant::from_milliseconds(instant.milliseconds().div_euclid(1000) * 1000);
    same(Instant::parse(&shown), Some(whole))?;
    let day =
        NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + chrono::Duration::days(dice.between(-9_000, 9_000));
    same(reader::date(&day.to_string()), Ok(day))?;
    let month = Month::of(day);
    same(Month::parse(&month.key()), Some(month))?;
    let (start, end) = (dice.between(0, 1_439), dice.between(1, 1_440));
    if start != end {
        let clock = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
        let read =
            reader::hours(&format!("{}-{}", clock(start), clock(end))).map_err(|message| message.clone())?;
        same((i64::from(read.0), i64::from(read.1)), (start, end))?;
    }
    let hash = Hash::of_parts([instant.rfc3339().as_bytes()]);
    same(Hash::from_hex(&hash.hex()), Some(hash))
}

fn rules_survive(dice: &mut Dice) -> Result<(), String> {
    let decimals = dice.below(11);
    let digits = match decimals {
        0 => dice.below(1_000_000).to_string(),
        _ => format!(
            "{}.{:0width$}",
            dice.below(1_000),
            dice.below(10_u64.pow(decimals as u32)),
            width = decimals as usize
        ),
    };
    let amount = reader::amount(&digits)?;
    same(reader::amount(&amount.to_string())?, amount)?;
    let word = dice.word(&["second", "minute", "hour", "call", "message", "segment", "page"]);
    let price = reader::price(&format!("{digits} per {word}"))?;
    let again = reader::price(&format!("{} per {word}", price.amount))?;
    same((again.amount, again.unit, again.per_units), (price.amount, price.unit, price.per_units))?;
    same(reader::price(&price.text)?, price)?;
    let increment = reader::increment(&format!("{}/{}", dice.between(1, 86_400), dice.between(1, 86_400)))?;
    same(reader::increment(&format!("{}/{}", increment.first_seconds, increment.next_seconds))?, increment)?;
    let length = dice.between(0, 86_400);
    same(reader::length_seconds(&format!("{length} seconds"))?, length)
}

#[test]
fn law_24_what_is_printed_is_read_as_what_it_was() {
    hold("24", 2, 30_000, |seed| {
        let mut dice = Dice::new(seed);
        for _ in 0..1_500 {
            money_survives(&mut dice)?;
            times_survive(&mut dice)?;
            rules_survive(&mut dice)?;
        }
        for mode in MODES {
            same(RoundingMode::from_word(mode.word()), Some(mode))?;
        }
        for value in EventDisposition::ALL {
            same(EventDisposition::from_word(value.word()), Some(*value))?;
        }
        for value in SuspenseReason::ALL {
            same(SuspenseReason::from_word(value.word()), Some(*value))?;
        }
        for value in LineKind::ALL {
            same(LineKind::from_word(value.word()), Some(*value))?;
        }
        Ok(1_500 * 16)
    });
    assert!(same(unscaled("-0.5"), unscaled("-0.05")).is_err() && unscaled("-0.05") == (-5, 2));
}
