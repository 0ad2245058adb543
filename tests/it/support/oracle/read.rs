//! Reads rules, contacts and usage generically, by the text of the formats.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use num_bigint::BigInt;
use num_rational::BigRational;
use toml::{Table, Value};

use super::Options;
use super::calendar::{Band, Validity, parse_date, parse_days, parse_hours, parse_zone};
use super::number::{Destination, e164};

pub struct Rules {
    pub default_tariff: Option<String>,
    /// Every version of every tariff.
    pub tariffs: Vec<Tariff>,
    pub bands: BTreeMap<String, Band>,
    /// Channel and outcome of the overridden rows of the outcome table, with whether they are billable.
    pub outcomes: BTreeMap<(String, String), bool>,
}

pub struct Tariff {
    pub name: String,
    pub currency: String,
    pub zone: Tz,
    pub valid_from: Option<NaiveDate>,
    pub version: String,
    pub rounding: String,
    pub rates: Vec<Rate>,
    pub allowances: Vec<Allowance>,
    pub fees: Vec<Fee>,
}

/// Empty lists match everything.
pub struct Match {
    pub channels: Vec<String>,
    pub directions: Vec<String>,
    pub to: Vec<String>,
    pub from: Vec<String>,
    pub bands: Vec<String>,
}

pub struct Rate {
    pub name: String,
    pub matching: Match,
    /// Major units for one `unit`.
    pub price: BigRational,
    pub unit: &'static str,
    pub first: i64,
    pub next: i64,
    pub connection_fee: BigRational,
    pub floor: Option<BigRational>,
    pub cap: Option<BigRational>,
    pub bill_when: Option<Vec<String>>,
}

pub struct Allowance {
    pub name: String,
    pub matching: Match,
    pub granted: i64,
    pub unit: &'static str,
}

pub struct Fee {
    pub name: String,
    pub amount: BigRational,
}

pub struct Contact {
    pub id: String,
    pub numbers: Vec<(String, Validity)>,
    pub prefixes: Vec<String>,
    pub extensions: Vec<String>,
    pub account_codes: Vec<String>,
    pub tariff: String,
    pub currency: String,
    pub zone: Option<Tz>,
    pub tax_percent: Option<BigRational>,
    pub validity: Validity,
    pub do_not_bill: bool,
}

/// A usage row; an empty text is an absent cell.
pub struct Event {
    pub id: String,
    pub start: DateTime<Utc>,
    pub seconds: Option<i64>,
    pub channel: String,
    pub direction: String,
    pub from: Option<Destination>,
    pub to: Option<Destination>,
    pub extension: String,
    pub outcome: String,
    pub segments: Option<i64>,
    pub pages: Option<i64>,
    pub text: String,
    pub account_code: String,
    pub contact: String,
}

/// A decimal literal, exactly.
pub fn decimal(text: &str) -> BigRational {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits: BigInt = format!("{whole}{fraction}").parse().unwrap_or_else(|_| panic!("no number: {text}"));
    BigRational::new(digits, BigInt::from(10).pow(fraction.len() as u32))
}

pub fn rules(folder: &Path) -> Rules {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();

    let mut rules = Rules {
        default_tariff: None,
        tariffs: Vec::new(),
        bands: BTreeMap::new(),
        outcomes: BTreeMap::new(),
    };
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let table: Table = text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        if let Some(name) = text_of(&table, "default_tariff") {
            assert!(rules.default_tariff.replace(name).is_none(), "two default tariffs");
        }
        for (name, tariff) in tables_of(&table, "tariff") {
            rules.tariffs.push(read_tariff(name, tariff));
        }
        for (name, band) in tables_of(&table, "band") {
            rules.bands.insert(name.clone(), read_band(name, band));
        }
        for row in list_of(&table, "outcome") {
            let key = (required(row, "channel"), required(row, "outcome"));
            rules.outcomes.insert(key, row["billable"].as_bool().unwrap());
        }
    }
    rules
}

fn read_tariff(name: &str, table: &Table) -> Tariff {
    let version = text_of(table, "valid_from").unwrap_or_default();
    let rounding =
        table.get("rounding").and_then(Value::as_table).and_then(|rounding| text_of(rounding, "line"));
    Tariff {
        name: name.to_string(),
        currency: required(table, "currency"),
        zone: parse_zone(&required(table, "zone")),
        valid_from: (!version.is_empty()).then(|| parse_date(&version)),
        version,
        rounding: rounding.unwrap_or_else(|| "half-away".into()),
        rates: list_of(table, "rate").into_iter().map(read_rate).collect(),
        allowances: list_of(table, "allowance").into_iter().map(read_allowance).collect(),
        fees: list_of(table, "fee").into_iter().map(read_fee).collect(),
    }
}

fn read_rate(table: &Table) -> Rate {
    let price = required(table, "price");
    let (amount, unit) = price.split_once(" per ").unwrap_or_else(|| panic!("no price: {price}"));
    let (unit, per) = unit_and_factor(unit.trim());
    let increment = text_of(table, "increment").unwrap_or_else(|| "1/1".into());
    let (first, next) = increment.split_once('/').unwrap_or_else(|| panic!("no increment: {increment}"));
    let (first, next) = (first.trim().parse().unwrap(), next.trim().parse().unwrap());
    assert!(first > 0 && next > 0, "no increment: {increment}");
    let money = |key: &str| text_of(table, key).map(|text| decimal(&text));
    Rate {
        name: required(table, "name"),
        matching: read_match(table.get("match")),
        price: decimal(amount) / BigRational::from_integer(per.into()),
        unit,
        first,
        next,
        connection_fee: money("connection_fee").unwrap_or_else(|| decimal("0")),
        floor: money("charge_floor"),
        cap: money("charge_cap"),
        bill_when: table.get("bill_when").map(|_| texts_of(table, "bill_when")),
    }
}

fn read_allowance(table: &Table) -> Allowance {
    let grants = required(table, "grants");
    let (amount, unit) = grants.trim().split_once(' ').unwrap_or_else(|| panic!("no grant: {grants}"));
    let (unit, per) = unit_and_factor(unit.trim().trim_end_matches('s'));
    let granted = decimal(amount) * BigRational::from_integer(per.into());
    assert!(granted.is_integer(), "no whole units: {grants}");
    let granted = granted.to_integer().try_into().unwrap();
    Allowance { name: required(table, "name"), matching: read_match(table.get("applies_to")), granted, unit }
}

fn read_fee(table: &Table) -> Fee {
    let price = required(table, "price");
    let amount = price.strip_suffix(" per month").unwrap_or_else(|| panic!("no monthly price: {price}"));
    Fee { name: required(table, "name"), amount: decimal(amount) }
}

/// The unit that is counted, and how many of it make the unit that is written.
fn unit_and_factor(written: &str) -> (&'static str, i64) {
    match written {
        "second" => ("second", 1),
        "minute" => ("second", 60),
        "hour" => ("second", 3600),
        "call" => ("call", 1),
        "message" => ("message", 1),
        "segment" => ("segment", 1),
        "page" => ("page", 1),
        other => panic!("no unit: {other}"),
    }
}

fn read_match(value: Option<&Value>) -> Match {
    let empty = Table::new();
    let table = value.map_or(&empty, |value| value.as_table().unwrap());
    Match {
        channels: texts_of(table, "channel"),
        directions: texts_of(table, "direction"),
        to: texts_of(table, "to"),
        from: texts_of(table, "from"),
        bands: texts_of(table, "band"),
    }
}

fn read_band(name: &str, table: &Table) -> Band {
    let (from, to) = parse_hours(&text_of(table, "hours").unwrap_or_else(|| "00:00-24:00".into()));
    let zone = text_of(table, "zone");
    assert!(zone.as_deref().is_none_or(|zone| zone == "contact"), "band {name}: zone {zone:?}");
    Band {
        days: parse_days(&text_of(table, "days").unwrap_or_else(|| "mon-sun".into())),
        from,
        to,
        in_contact_zone: zone.is_some(),
        except: texts_of(table, "except").iter().map(|text| parse_date(text)).collect(),
    }
}

fn text_of(table: &Table, key: &str) -> Option<String> {
    table
        .get(key)
        .map(|value| value.as_str().unwrap_or_else(|| panic!("{key} is no text: {value:?}")).to_string())
}

fn required(table: &Table, key: &str) -> String {
    text_of(table, key).unwrap_or_else(|| panic!("{key} is missing in {table:?}"))
}

/// A text or a list of texts; nothing is an empty list.
fn texts_of(table: &Table, key: &str) -> Vec<String> {
    match table.get(key) {
        None => Vec::new(),
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => items.iter().map(|item| item.as_str().unwrap().to_string()).collect(),
        Some(other) => panic!("{key}: {other:?}"),
    }
}

fn tables_of<'a>(table: &'a Table, key: &str) -> Vec<(&'a String, &'a Table)> {
    let Some(tables) = table.get(key) else { return Vec::new() };
    tables.as_table().unwrap().iter().map(|(name, value)| (name, value.as_table().unwrap())).collect()
}

fn list_of<'a>(table: &'a Table, key: &str) -> Vec<&'a Table> {
    let Some(list) = table.get(key) else { return Vec::new() };
    list.as_array().unwrap().iter().map(|value| value.as_table().unwrap()).collect()
}

type Row = BTreeMap<String, String>;

fn csv_rows(file: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_string).collect();
    let row =
        |record: csv::StringRecord| header.iter().cloned().zip(record.iter().map(str::to_string)).collect();
    reader.records().map(|record| row(record.unwrap())).collect()
}

fn json_rows(file: &Path) -> Vec<Row> {
    let cell = |value: serde_json::Value| match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let objects = lines.map(|line| serde_json::from_str::<serde_json::Map<_, _>>(line).unwrap());
    objects.map(|object| object.into_iter().map(|(key, value)| (key, cell(value))).collect()).collect()
}

fn cell(row: &Row, column: &str) -> String {
    row.get(column).cloned().unwrap_or_default()
}

/// A list inside a cell.
fn items(row: &Row, column: &str) -> Vec<String> {
    let text = cell(row, column);
    text.split(';').map(str::trim).filter(|item| !item.is_empty()).map(str::to_string).collect()
}

pub fn contacts(file: &Path, options: &Options) -> Vec<Contact> {
    let number = |text: String| {
        let (number, validity) = text.split_once('@').unwrap_or((&text, ".."));
        let (from, to) = validity.split_once("..").unwrap_or_else(|| panic!("no validity: {text}"));
        let number = e164(number, &options.country).unwrap_or_else(|| panic!("no number: {text}"));
        (number, Validity::parse(from, to))
    };
    let contact = |row: &Row| Contact {
        id: cell(row, "id"),
        numbers: items(row, "numbers").into_iter().map(number).collect(),
        prefixes: items(row, "prefixes"),
        extensions: items(row, "extensions"),
        account_codes: items(row, "account_codes"),
        tariff: cell(row, "tariff"),
        currency: cell(row, "currency"),
        zone: Some(cell(row, "zone")).filter(|zone| !zone.is_empty()).map(|zone| parse_zone(&zone)),
        tax_percent: Some(cell(row, "tax_rate")).filter(|rate| !rate.is_empty()).map(|rate| decimal(&rate)),
        validity: Validity::parse(&cell(row, "valid_from"), &cell(row, "valid_to")),
        do_not_bill: cell(row, "do_not_bill") == "true",
    };
    csv_rows(file).iter().map(contact).collect()
}

pub fn events(file: &Path, options: &Options) -> Vec<Event> {
    let json = file.extension().is_some_and(|extension| extension == "jsonl");
    let rows = if json { json_rows(file) } else { csv_rows(file) };
    rows.iter().map(|row| read_event(row, options)).collect()
}

fn read_event(row: &Row, options: &Options) -> Event {
    let count = |column: &str| -> Option<i64> {
        let text = cell(row, column);
        (!text.is_empty()).then(|| text.parse().unwrap_or_else(|_| panic!("{column}: {text}")))
    };
    let start = cell(row, "start");
    let start = DateTime::parse_from_rfc3339(&start).unwrap_or_else(|error| panic!("{start}: {error}"));
    Event {
        id: cell(row, "id"),
        start: start.with_timezone(&Utc),
        // A begun second is a whole one.
        seconds: count("seconds")
            .or_else(|| count("milliseconds").map(|thousandths| (thousandths + 999) / 1000)),
        channel: cell(row, "channel"),
        direction: cell(row, "direction"),
        from: Destination::parse(&cell(row, "from"), &options.country),
        to: Destination::parse(&cell(row, "to"), &options.country),
        extension: cell(row, "extension"),
        outcome: cell(row, "outcome"),
        segments: count("segments"),
        pages: count("pages"),
        text: cell(row, "text"),
        account_code: cell(row, "account_code"),
        contact: cell(row, "contact"),
    }
}
