//! Compares what `tollbook price` wrote (charges and lines as CSV) with the oracle.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::Path;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, Zero};

use super::oracle::{EventResult, Line, OracleResult, decimal, minor_digits};

/// Units and money of one clause in one event. Connection fee, discount, floor, cap and rounding are money of the clause's
/// usage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Share {
    unit: String,
    units: BigRational,
    amount: BigRational,
}

/// Kind, tariff, version, clause, band, matter, timekeeper, tier, destination.
type ShareKey = [String; 9];

const KEY: [&str; 9] =
    ["kind", "tariff", "tariff_version", "clause", "band", "matter", "timekeeper", "tier", "destination"];

/// A cell of the key; no tier is written empty or 0.
fn key_cell(row: &Row, column: &str) -> String {
    match (column, cell(row, column)) {
        ("tier", "") => "0".into(),
        (_, text) => text.into(),
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Outcome {
    disposition: String,
    reason: String,
    contact: String,
    shares: BTreeMap<ShareKey, Share>,
}

/// All differences, one sentence each; none when both agree. Parts without units and without money are nothing on both
/// sides. Units are compared by name without a plural s. Events and units of fee lines are not compared.
pub fn compare(charges_csv: &Path, lines_csv: &Path, expected: &OracleResult) -> Vec<String> {
    let mut differences = Vec::new();
    compare_events(charges_csv, expected, &mut differences);
    compare_lines(lines_csv, expected, &mut differences);
    differences
}

type Row = BTreeMap<String, String>;

fn rows(file: &Path, columns: &str, differences: &mut Vec<String>) -> Vec<Row> {
    let mut reader = match csv::Reader::from_path(file) {
        Ok(reader) => reader,
        Err(error) => {
            differences.push(format!("{}: {error}", file.display()));
            return Vec::new();
        }
    };
    let header: Vec<String> =
        reader.headers().map(|row| row.iter().map(str::to_string).collect()).unwrap_or_default();
    for column in columns.split(',').filter(|column| !header.iter().any(|name| name == column)) {
        differences.push(format!("{}: no column {column}", file.display()));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                rows.push(header.iter().cloned().zip(record.iter().map(str::to_string)).collect());
            }
            Err(error) => differences.push(format!("{}: {error}", file.display())),
        }
    }
    rows
}

fn cell<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).map_or("", String::as_str)
}

fn singular(unit: &str) -> String {
    unit.strip_suffix('s').unwrap_or(unit).to_string()
}

/// Numerator over denominator; an empty pair is zero.
fn fraction(row: &Row, differences: &mut Vec<String>) -> BigRational {
    let (numerator, denominator) = (cell(row, "numerator"), cell(row, "denominator"));
    if numerator.is_empty() && denominator.is_empty() {
        return BigRational::zero();
    }
    match (numerator.parse::<BigInt>(), denominator.parse::<BigInt>()) {
        (Ok(numerator), Ok(denominator)) if denominator.is_positive() => {
            BigRational::new(numerator, denominator)
        }
        _ => {
            differences.push(format!("no fraction: {numerator}/{denominator} in {row:?}"));
            BigRational::zero()
        }
    }
}

/// A whole number of units; empty is zero.
fn units(row: &Row, differences: &mut Vec<String>) -> BigRational {
    let text = cell(row, "units");
    if !text.is_empty() && !text.chars().all(|c| c.is_ascii_digit() || c == '.') {
        differences.push(format!("no units: {text} in {row:?}"));
        return BigRational::zero();
    }
    if text.is_empty() { BigRational::zero() } else { decimal(text) }
}

fn compare_events(file: &Path, expected: &OracleResult, differences: &mut Vec<String>) {
    let columns = format!(
        "event_id,disposition,reason,contact,{},entry,unit,units,numerator,denominator",
        KEY.join(",")
    );
    let mut found: BTreeMap<String, Outcome> = BTreeMap::new();
    for row in rows(file, &columns, differences) {
        let id = cell(&row, "event_id").to_string();
        let head = [cell(&row, "disposition"), cell(&row, "reason"), cell(&row, "contact")];
        let outcome = found.entry(id.clone()).or_insert_with(|| Outcome {
            disposition: head[0].into(),
            reason: head[1].into(),
            contact: head[2].into(),
            shares: BTreeMap::new(),
        });
        if head != [&outcome.disposition, &outcome.reason, &outcome.contact] {
            differences.push(format!("event {id}: its rows disagree: {head:?} and {outcome:?}"));
        }
        if cell(&row, "clause").is_empty() {
            continue;
        }
        let kind = match cell(&row, "kind") {
            "connection-fee" | "discount" | "floor" | "cap" | "rounding" => "usage",
            other => other,
        };
        let counts_units = kind == cell(&row, "kind");
        let mut key = KEY.map(|column| key_cell(&row, column));
        key[0] = kind.to_string();
        let amount = fraction(&row, differences);
        let units = units(&row, differences);
        let share = outcome.shares.entry(key).or_default();
        share.amount += amount;
        if counts_units && !units.is_zero() {
            share.units += units;
            share.unit = singular(cell(&row, "unit"));
        }
    }
    for outcome in found.values_mut() {
        outcome.shares.retain(|_, share| !share.units.is_zero() || !share.amount.is_zero());
    }
    let expected: BTreeMap<String, Outcome> =
        expected.events.iter().map(|event| (event.id.clone(), outcome_of(event))).collect();
    report("event", &expected, &found, same_outcome, differences);
}

fn outcome_of(event: &EventResult) -> Outcome {
    let mut shares: BTreeMap<ShareKey, Share> = BTreeMap::new();
    // The charges do not show the month.
    for part in &event.parts {
        let tier = part.tier.to_string();
        let key = [
            part.kind,
            &part.tariff,
            &part.tariff_version,
            &part.clause,
            &part.band,
            &part.matter,
            &part.timekeeper,
            &tier,
            &part.destination,
        ];
        let share = shares.entry(key.map(str::to_string)).or_default();
        share.unit = part.unit.to_string();
        share.units += BigRational::from_integer(part.units.into());
        share.amount += &part.amount;
    }
    shares.retain(|_, share| !share.units.is_zero() || !share.amount.is_zero());
    Outcome {
        disposition: event.disposition.into(),
        reason: event.reason.into(),
        contact: event.contact.clone(),
        shares,
    }
}

/// A share without units (a fee whose block an allowance took) may have any unit.
fn same_outcome(expected: &Outcome, found: &Outcome) -> bool {
    let share = |(a, b): (&Share, &Share)| {
        a.units == b.units && a.amount == b.amount && (a.units.is_zero() || a.unit == b.unit)
    };
    (&expected.disposition, &expected.reason, &expected.contact)
        == (&found.disposition, &found.reason, &found.contact)
        && expected.shares.keys().eq(found.shares.keys())
        && expected.shares.values().zip(found.shares.values()).all(share)
}

/// Contact, month, then as of a share.
type LineKey = [String; 11];

/// Only these count events and units.
fn is_counted(kind: &str) -> bool {
    ["usage", "allowance"].contains(&kind)
}

#[derive(Debug, PartialEq, Eq)]
struct Sum {
    events: String,
    unit: String,
    units: BigRational,
    exact: BigRational,
    amount: BigRational,
    currency: String,
}

fn compare_lines(file: &Path, expected: &OracleResult, differences: &mut Vec<String>) {
    let columns =
        format!("contact,period,{},events,unit,units,numerator,denominator,amount,currency", KEY.join(","));
    let mut found: BTreeMap<LineKey, Sum> = BTreeMap::new();
    for row in rows(file, &columns, differences) {
        let mut key = ["contact"; 11].map(|column| cell(&row, column).to_string());
        key[1] = cell(&row, "period").to_string();
        for (place, column) in KEY.iter().enumerate() {
            key[place + 2] = key_cell(&row, column);
        }
        let counted = is_counted(&key[2]);
        let amount = cell(&row, "amount");
        if amount.is_empty() {
            differences.push(format!("line {key:?}: no amount"));
            continue;
        }
        let units = if counted { units(&row, differences) } else { BigRational::zero() };
        let sum = Sum {
            events: if counted { cell(&row, "events").to_string() } else { String::new() },
            unit: if units.is_zero() { String::new() } else { singular(cell(&row, "unit")) },
            units,
            exact: fraction(&row, differences),
            amount: decimal(amount),
            currency: cell(&row, "currency").to_string(),
        };
        if found.insert(key.clone(), sum).is_some() {
            differences.push(format!("line {key:?}: there twice"));
        }
    }
    // A fee of nothing may have a line or none.
    found.retain(|key, sum| is_counted(&key[2]) || !sum.exact.is_zero() || !sum.amount.is_zero());
    let expected: BTreeMap<LineKey, Sum> = expected.lines.iter().map(sum_of).collect();
    report("line", &expected, &found, |a, b| a == b, differences);
}

fn sum_of(line: &Line) -> (LineKey, Sum) {
    let tier = line.tier.to_string();
    let key: [&str; 11] = [
        &line.contact,
        &line.month,
        line.kind,
        &line.tariff,
        &line.tariff_version,
        &line.clause,
        &line.band,
        &line.matter,
        &line.timekeeper,
        &tier,
        &line.destination,
    ];
    let counted = is_counted(line.kind);
    let minor = BigInt::from(10).pow(minor_digits(&line.currency));
    let sum = Sum {
        events: if counted { line.events.to_string() } else { String::new() },
        unit: if !counted || line.units == 0 { String::new() } else { line.unit.to_string() },
        units: if counted { BigRational::from_integer(line.units.into()) } else { BigRational::zero() },
        exact: line.sum.clone(),
        amount: BigRational::new(line.amount_minor.clone(), minor),
        currency: line.currency.clone(),
    };
    (key.map(str::to_string), sum)
}

fn report<K: Ord + Clone + Debug, V: Debug>(
    what: &str,
    expected: &BTreeMap<K, V>,
    found: &BTreeMap<K, V>,
    same: impl Fn(&V, &V) -> bool,
    differences: &mut Vec<String>,
) {
    let keys: BTreeSet<&K> = expected.keys().chain(found.keys()).collect();
    for key in keys {
        match (expected.get(key), found.get(key)) {
            (Some(expected), Some(found)) if same(expected, found) => {}
            (Some(expected), Some(found)) => {
                differences.push(format!("{what} {key:?}: expected {expected:?}, found {found:?}"));
            }
            (Some(expected), None) => {
                differences.push(format!("{what} {key:?}: missing, expected {expected:?}"))
            }
            (None, found) => differences.push(format!("{what} {key:?}: not expected, found {found:?}")),
        }
    }
}
