use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use regex::Regex;

use super::*;
use crate::domain::Country;
use crate::rules::diagnostic::SourceFile;
use crate::rules::load::rule_set;
use crate::rules::reader;
use crate::rules::table::asked;

/// A file with every table of the language, so that the reader asks for every key.
const EVERY_TABLE: &str = r#"
default_tariff = "t"
[identity]
order = ["named"]
[tariff.t]
currency = "USD"
zone = "UTC"
[tariff.t.rounding]
[tariff.t.options]
[[tariff.t.rate]]
match = { channel = "voice" }
price = "0.1 per minute"
[[tariff.t.rate]]
name = "steps"
steps = [{ price = "0.1 per minute", first = "3 minutes" }, { price = "0.05 per minute" }]
[[tariff.t.rate]]
name = "tiers"
tiers = { tier = [{ up_to = "1 minute", price = "0.1 per minute" }, { price = "0.05 per minute" }] }
[[tariff.t.allowance]]
name = "a"
grants = "1 minute"
applies_to = { channel = "voice" }
[[tariff.t.fee]]
name = "f"
price = "1 per month"
[[tariff.t.discount]]
name = "d"
off = "1%"
[band.b]
days = "mon"
[calendar.c]
days = ["2026-11-26"]
[deck.d]
file = "d.csv"
unit = "minute"
[timekeeper.k]
name = "K"
[[coding]]
match = { channel = "voice" }
matter = "M"
[[outcome]]
channel = "fax"
outcome = "sent"
arrived = "yes"
billable = true
[[example]]
tariff = "t"
event = { channel = "voice", start = "2026-03-09T14:00:00-04:00", seconds = 1 }
given = { left = { a = "1 minute" }, used = { tiers = "1 minute" } }
expect = { charge = "0" }
"#;

/// The keys of a shape and of all below it, by path.
fn described(shape: &Shape, path: &str, found: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    found.insert(path.to_owned(), shape.keys.iter().map(|key| key.name).collect());
    let dot = if path.is_empty() { "" } else { "." };
    for key in shape.keys {
        let below = |suffix: &str| format!("{path}{dot}{}{suffix}", key.name);
        match &key.kind {
            Kind::Table(inner) => described(inner, &below(""), found),
            Kind::Tables(inner) => described(inner, &below("[]"), found),
            Kind::Named(inner) => described(inner, &below(".*"), found),
            _ => {}
        }
    }
}

#[test]
fn the_schema_has_exactly_the_keys_that_the_reader_asks_for() {
    let deck = "prefix,price\n44,0.01\n";
    let files = [("all.toml", EVERY_TABLE), ("d.csv", deck)]
        .map(|(name, text)| SourceFile { name: name.to_owned(), text: text.to_owned() });
    asked::take();
    rule_set(&files, Country::from_code("US").unwrap()).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    let asked = asked::take();
    let mut schema = BTreeMap::new();
    described(&tables::TOP, "", &mut schema);
    for (path, keys) in &schema {
        assert_eq!(asked.get(path), Some(keys), "the table at \"{path}\"");
    }
    let strange: Vec<&String> = asked.keys().filter(|path| !schema.contains_key(*path)).collect();
    assert!(strange.is_empty(), "tables that the schema does not have: {strange:?}");
}

#[test]
fn the_schema_beside_the_rules_is_fresh() {
    let kept = include_str!("../../../rules/tollbook.schema.json");
    assert!(kept.trim_end() == text(), "write it again: tollbook rules schema > rules/tollbook.schema.json");
}

thread_local! {
    static PATTERNS: RefCell<BTreeMap<String, Regex>> = const { RefCell::new(BTreeMap::new()) };
}

/// Patterns are made once: making one takes longer than using it a thousand times.
fn fits(pattern: &str, text: &str) -> bool {
    PATTERNS.with_borrow_mut(|patterns| {
        let made = || Regex::new(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        patterns.entry(pattern.to_owned()).or_insert_with(made).is_match(text)
    })
}

/// What is wrong with a value: the keywords that the schema uses, and no others.
fn faults(root: &Value, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let target =
            root.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name} leads nowhere"));
        faults(root, target, value, place, found);
    }
    let right = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    if !right {
        found.push(format!("{place}: {value} is no {}", schema["type"]));
        return;
    }
    let words = schema["enum"].as_array();
    if words.is_some_and(|words| !words.contains(value)) {
        found.push(format!("{place}: {value} is none of the words"));
    }
    if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str())
        && !fits(pattern, text)
    {
        found.push(format!("{place}: {value} does not fit {pattern}"));
    }
    let beyond = |bound: &Value, wrong: fn(i64, i64) -> bool| {
        bound.as_i64().zip(value.as_i64()).is_some_and(|(bound, value)| wrong(bound, value))
    };
    if beyond(&schema["minimum"], |bound, value| value < bound)
        || beyond(&schema["maximum"], |bound, value| value > bound)
    {
        found.push(format!("{place}: {value} is out of bounds"));
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fitting = choices.iter().filter(|choice| {
            let mut inner = Vec::new();
            faults(root, choice, value, place, &mut inner);
            inner.is_empty()
        });
        if fitting.count() != 1 {
            found.push(format!("{place}: {value} fits not exactly one of the forms"));
        }
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        faults(root, &schema["items"], item, &format!("{place}[{index}]"), found);
    }
    let Some(members) = value.as_object() else { return };
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !members.contains_key(name) {
            found.push(format!("{place}: {name} is missing"));
        }
    }
    for (name, member) in members {
        let place = format!("{place}.{name}");
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => found.push(format!("{place} is not known")),
            (Value::Null, further) => faults(root, further, member, &place, found),
            (property, _) => faults(root, property, member, &place, found),
        }
    }
}

fn faults_of(rules: &str) -> Vec<String> {
    let schema = schema();
    let rules: toml::Table = rules.parse().unwrap();
    let mut found = Vec::new();
    faults(&schema, &schema, &serde_json::to_value(rules).unwrap(), "", &mut found);
    found
}

/// All rule files below a folder.
fn rule_files(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rule_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn the_rule_files_of_the_project_fit_the_schema() {
    let mut files = vec![("every table".to_owned(), EVERY_TABLE.to_owned())];
    rule_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules"), &mut files);
    let page = include_str!("../../../rules/README.md");
    let blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let whole = blocks.filter(|block| block.contains("\n[tariff."));
    files.extend(whole.map(|block| ("rules/README.md".to_owned(), block.to_owned())));
    for (name, text) in &files {
        let found = faults_of(text);
        assert!(found.is_empty(), "{name}: {found:#?}");
    }
    assert!(files.len() >= 3, "the files are found");
}

#[test]
fn the_schema_sees_mistakes() {
    for (rules, fault) in [
        ("default = \"a\"", "default is not known"),
        ("[tariff.a]\ncurrency = \"USD\"", "zone is missing"),
        ("[tariff.a]\ncurrency = \"USD\"\nzone = \"UTC\"\nlegs = \"all\"", "none of the words"),
        ("[[tariff.a.rate]]\nprice = 5", "is no \"string\""),
        ("[[tariff.a.rate]]\nprice = \"5\"", "does not fit"),
        ("[[tariff.a.rate]]\nmatch = { to = [\"44\"] }", "not exactly one"),
        ("[tariff.a.rounding]\ncharge_scale = 11", "out of bounds"),
    ] {
        let found = faults_of(rules);
        assert!(found.iter().any(|found| found.contains(fault)), "{rules}: {found:?}");
    }
}

#[test]
fn patterns_take_what_the_reader_takes() {
    type Read = fn(&str) -> bool;
    let forms: [(&Form, Read, &[&str]); 9] = [
        (
            &tables::PRICE_FORM,
            |text| reader::price_form(text).is_ok(),
            &[
                "0.10 flat",
                "deck world",
                "by timekeeper",
                "cost",
                "cost + 20%",
                "supplier + 5% + 0.01",
                "cost + 0.01",
                "1 per hour",
                "1 per day",
                "1",
                "-1 per call",
                "cost + 1 + 1%",
            ],
        ),
        (&tables::REDUCTION, |text| reader::reduction(text).is_ok(), &["10%", "12.5 %", "0.02", "%", "ten"]),
        (
            &tables::GRANT,
            |text| reader::grant(text).is_ok(),
            &["500 minutes", "1.5 hours", "20.00 of charges", "500", "500 days"],
        ),
        (
            &tables::LENGTH,
            |text| reader::length(text).is_ok(),
            &["30 seconds", "0 seconds", "1.5 minutes", "30", "3 pages"],
        ),
        (&tables::INCREMENT, |text| reader::increment(text).is_ok(), &["60/6", "1 / 1", "60", "60/", "60-6"]),
        (
            &tables::DAYS,
            |text| reader::days(text).is_ok(),
            &["mon-fri", "Sat, Sun", "mon,wed-fri", "", "monday"],
        ),
        (
            &tables::HOURS,
            |text| reader::hours(text).is_ok(),
            &["08:00-18:00", "8:00 - 18:00", "22:00-06:00", "8-18"],
        ),
        (&tables::PLACE, |text| reader::place(text).is_ok(), &["GB", "+4420", "44", "+0", "gb"]),
        (
            &tables::FEE_PRICE,
            |text| reader::fee(text).is_ok(),
            &["25.00 per month", "99 once", "25.00", "1 per year"],
        ),
    ];
    for (form, read, texts) in forms {
        let pattern = Regex::new(form.pattern).unwrap();
        assert!(read(form.sample), "{}", form.sample);
        for text in texts.iter().chain([&form.sample]) {
            assert_eq!(pattern.is_match(text), read(text), "{text} and {}", form.pattern);
        }
    }
}
