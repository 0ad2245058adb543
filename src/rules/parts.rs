//! The parts of rule files that stand alone: bands, fees, conditions, words and amounts. Each reads one table or one key
//! of it, and complains where it stands.

use crate::domain::outcome::{Channel, Direction};
use crate::domain::{Currency, RoundingMode, Zone};

use super::reader;
use super::ruleset::{Cadence, Fee, Match, Per, Place, TariffVersion, TimeBand};
use super::table::{Table, Text, near};

pub(super) const PRICE_HINT: &str =
    "Write an amount and a unit: \"0.0345 per minute\" (second, minute, hour, call, message, segment, page).";
pub(super) const GRANT_HINT: &str = "Write a count and a unit: \"500 minutes\", \"100 messages\".";
pub(super) const START_HINT: &str = "Write it with an offset: \"2026-03-09T14:00:00-04:00\".";

pub(super) fn read_band(name: &Text, table: &Table<'_, '_>) -> Option<TimeBand> {
    let days = value(table, "days", reader::days, "Write days as \"mon-fri\" or \"sat,sun\".");
    let hours = value(
        table,
        "hours",
        reader::hours,
        "Write hours as \"08:00-18:00\"; \"22:00-06:00\" wraps past midnight.",
    );
    if table.get("days").is_none() && table.get("hours").is_none() {
        let hint = "Without days it holds every day, without hours all day; one of them must narrow it.";
        table.complain(
            "missing-key",
            table.span.clone(),
            format!("{} has neither days nor hours", table.what),
            hint,
        );
    }
    let zone = table.text("zone");
    if let Some(zone) = &zone
        && zone.value != "contact"
    {
        let hint = "Leave it out for the tariff's zone, or write zone = \"contact\".";
        table.complain(
            "wrong-value",
            zone.span.clone(),
            format!("\"{}\" is not a zone of a band", zone.value),
            hint,
        );
    }
    let except = read_dates(table);
    let (start_minute, end_minute) = hours.unwrap_or((0, 1440));
    let days = days.unwrap_or_else(reader::every_day);
    Some(TimeBand {
        name: name.value.clone(),
        days,
        start_minute,
        end_minute,
        in_contact_zone: zone.is_some(),
        except,
        on: None,
    })
}

fn read_dates(table: &Table<'_, '_>) -> Vec<chrono::NaiveDate> {
    let mut dates = Vec::new();
    for text in table.texts("except") {
        match reader::date(&text.value) {
            Ok(date) => dates.push(date),
            Err(message) => {
                table.complain("wrong-value", text.span, message, "Write days as \"2026-11-26\".")
            }
        }
    }
    dates.sort_unstable();
    dates
}

pub(super) fn read_fee(version: &mut TariffVersion, table: Table<'_, '_>) {
    let name = table.required_text("name", "The name stands on the invoice.");
    let hint = "Write an amount per month: \"25.00 per month\".";
    let price = table.required_text("price", hint);
    if let (Some(name), Some(price)) = (name, price) {
        match reader::monthly(&price.value) {
            Ok(amount) => version.fees.push(Fee {
                name: name.value,
                amount,
                cadence: Cadence::Monthly { in_advance: false },
                per: Per::Contact,
                prorate: false,
                text: price.value,
            }),
            Err(message) => table.complain("wrong-value", price.span, message, hint),
        }
    }
    table.finish();
}

pub(super) fn read_currency(table: &Table<'_, '_>) -> Currency {
    let hint = "Name an ISO 4217 currency: currency = \"USD\".";
    let found = table.required_text("currency", hint).and_then(|text| {
        let currency = Currency::from_code(&text.value);
        if currency.is_none() {
            let message = format!("\"{}\" is not a currency", text.value);
            table.complain("unknown-currency", text.span.clone(), message, hint);
        }
        currency
    });
    found.unwrap_or_else(|| {
        Currency::from_code("XXX").or_else(|| Currency::from_code("USD")).expect("USD exists")
    })
}

pub(super) fn read_zone(table: &Table<'_, '_>) -> Zone {
    let hint = "Name an IANA zone: zone = \"America/New_York\".";
    let found = table.required_text("zone", hint).and_then(|text| {
        let zone = Zone::from_name(&text.value);
        if zone.is_none() {
            table.complain(
                "unknown-zone",
                text.span.clone(),
                format!("\"{}\" is not a time zone", text.value),
                hint,
            );
        }
        zone
    });
    found.unwrap_or(Zone::UTC)
}

pub(super) fn read_rounding(table: &Table<'_, '_>) -> RoundingMode {
    let Some(rounding) = table.table("rounding", "rounding") else { return RoundingMode::HalfAway };
    let mode = rounding.text("line").and_then(|text| {
        let mode = RoundingMode::from_word(&text.value);
        if mode.is_none() {
            let hint = "Write half-away, half-even, up or down.";
            rounding.complain(
                "wrong-value",
                text.span.clone(),
                format!("\"{}\" is not a rounding mode", text.value),
                hint,
            );
        }
        mode
    });
    rounding.finish();
    mode.unwrap_or(RoundingMode::HalfAway)
}

pub(super) fn read_match(table: &Table<'_, '_>, key: &'static str) -> (Match, Vec<Text>) {
    let what = format!("{key} of {}", table.what);
    let Some(inner) = table.table(key, what) else { return (Match::default(), Vec::new()) };
    let places = |key| -> Vec<Place> {
        let mut places = Vec::new();
        for text in inner.texts(key) {
            match reader::place(&text.value) {
                Ok(place) => places.push(place),
                Err(message) => {
                    let hint = "Write a country of two letters (\"GB\") or leading digits (\"+4420\").";
                    inner.complain("wrong-place", text.span, message, hint);
                }
            }
        }
        places
    };
    let matches = Match {
        channels: read_words(&inner, "channel", Channel::from_word, Channel::ALL),
        directions: read_words(&inner, "direction", Direction::from_word, Direction::ALL),
        to: places("to"),
        from: places("from"),
        bands: Vec::new(),
        ..Match::default()
    };
    let bands = inner.texts("band");
    inner.finish();
    (matches, bands)
}

/// `+1` alone is the whole numbering plan, the Caribbean included.
pub(super) fn warn_numbering_plan(table: &Table<'_, '_>, matches: &Match) {
    if matches.to.contains(&Place::Prefix("1".to_owned())) {
        let hint = "Name the countries instead, such as to = [\"US\", \"CA\"].";
        let message = "\"+1\" is the whole numbering plan, Caribbean islands included";
        table.warn("whole-numbering-plan", table.span.clone(), message, hint);
    }
}

pub(super) fn read_left(table: Table<'_, '_>) -> Vec<(String, i64)> {
    let mut left = Vec::new();
    if let Some(inner) = table.table("left", "left of the example") {
        for (name, text) in inner.free_texts() {
            match reader::granted(&text.value) {
                Ok((_, units)) => left.push((name.value, units)),
                Err(message) => inner.complain("wrong-value", text.span, message, GRANT_HINT),
            }
        }
    }
    table.finish();
    left
}

pub(super) fn value<T>(
    table: &Table<'_, '_>,
    key: &'static str,
    read: impl Fn(&str) -> Result<T, String>,
    hint: &str,
) -> Option<T> {
    let text = table.text(key)?;
    match read(&text.value) {
        Ok(value) => Some(value),
        Err(message) => {
            table.complain("wrong-value", text.span, message, hint);
            None
        }
    }
}

pub(super) fn word<T: Copy + std::fmt::Display>(
    table: &Table<'_, '_>,
    key: &'static str,
    from_word: impl Fn(&str) -> Option<T>,
    all: &[T],
) -> Option<T> {
    let text = table.text(key)?;
    let found = from_word(&text.value);
    if found.is_none() {
        complain_about_word(table, key, &text, all);
    }
    found
}

pub(super) fn required_word<T: Copy + std::fmt::Display>(
    table: &Table<'_, '_>,
    key: &'static str,
    from_word: impl Fn(&str) -> Option<T>,
    all: &[T],
) -> Option<T> {
    if table.get(key).is_none() {
        table.complain("missing-key", table.span.clone(), format!("{} has no {key}", table.what), "");
        return None;
    }
    word(table, key, from_word, all)
}

pub(super) fn read_words<T: Copy + std::fmt::Display>(
    table: &Table<'_, '_>,
    key: &'static str,
    from_word: impl Fn(&str) -> Option<T>,
    all: &[T],
) -> Vec<T> {
    let mut found = Vec::new();
    for text in table.texts(key) {
        match from_word(&text.value) {
            Some(value) => found.push(value),
            None => complain_about_word(table, key, &text, all),
        }
    }
    found
}

fn complain_about_word<T: std::fmt::Display>(table: &Table<'_, '_>, key: &str, text: &Text, all: &[T]) {
    let words: Vec<String> = all.iter().map(ToString::to_string).collect();
    let message = format!("\"{}\" is not a {key}", text.value);
    let hint = match words.iter().find(|word| near(word, &text.value)) {
        Some(near) => format!("Did you mean \"{near}\"?"),
        None => format!("Write one of: {}.", words.join(", ")),
    };
    table.complain("unknown-word", text.span.clone(), message, &hint);
}
