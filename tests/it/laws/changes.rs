//! What a change may change: the order of things nothing, another event its contact, a new version what comes after it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, TimeZone, Utc};
use chrono_tz::Tz;
use regex::{Captures, Regex};

use super::facts::{Dice, Facts, Outcome, hold};
use crate::priced::Row;

const EVENTS: usize = 250;
const SEEDS: u64 = 8;

fn same_bytes(what: &str, first: &Outcome, second: &Outcome) -> Result<usize, String> {
    for (table, (left, right)) in ["charges", "lines"].iter().zip(first.bytes.iter().zip(&second.bytes)) {
        if left != right {
            let texts = [left, right].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            let differs = texts[0].lines().zip(texts[1].lines()).find(|(left, right)| left != right);
            return Err(format!("{what}: the {table} differ: {differs:#?}"));
        }
    }
    Ok(1)
}

/// The same facts with all rows in another order and the rule files by other names, so that they are read in another order.
fn shuffled(facts: &Facts, dice: &mut Dice) -> Facts {
    let mut other = facts.clone();
    dice.shuffle(&mut other.usage.rows);
    other.rules = facts
        .rules
        .iter()
        .map(|(name, text)| match name.ends_with(".toml") {
            true => (format!("{:03}-{name}", dice.below(1000)), text.clone()),
            false => (name.clone(), text.clone()),
        })
        .collect();
    other
}

/// Every price of a tariff is ten or more greater.
fn dearer(text: &str) -> String {
    let price = Regex::new(r#"(price *= *")(\d)"#).unwrap();
    price.replace_all(text, |found: &Captures<'_>| format!("{}1{}", &found[1], &found[2])).into_owned()
}

#[test]
fn law_05_no_order_shows() {
    hold("5", 6, 12, |seed| {
        let facts = Facts::drawn(seed, EVENTS);
        let (first, mut dice) = (facts.price(), Dice::new(seed));
        let mut cases = 0;
        for _ in 0..2 {
            cases += same_bytes("another order", &first, &shuffled(&facts, &mut dice).price())?;
        }
        Ok(cases)
    });
    let facts = Facts::drawn(1, EVENTS);
    let mut other = facts.clone();
    other.rules.values_mut().for_each(|text| *text = dearer(text));
    assert!(same_bytes("", &facts.price(), &other.price()).is_err(), "other prices are seen");
}

#[test]
fn law_09_pricing_twice_is_pricing_once() {
    hold("9", SEEDS, 8, |seed| {
        let facts = Facts::drawn(seed, EVENTS);
        same_bytes("the second time", &facts.price(), &facts.price())
    });
}

/// Those whose counters an event of a contact may move: itself, and who shares its pool.
fn touched(facts: &Facts, contact: &str) -> BTreeSet<String> {
    let cell = |row: &Row, column: &str| row.get(column).cloned().unwrap_or_default();
    let contacts = &facts.contacts.rows;
    let pool = contacts.iter().find(|row| row["id"] == contact).map(|row| cell(row, "pool"));
    let shares = |row: &&Row| {
        row["id"] == contact
            || pool.as_ref().is_some_and(|pool| !pool.is_empty() && *pool == cell(row, "pool"))
    };
    contacts.iter().filter(shares).map(|row| row["id"].clone()).collect()
}

fn rows_of<'a>(rows: &'a [Row], others: &BTreeSet<String>, leave_out: &str) -> Vec<&'a Row> {
    let apart = |row: &&Row| {
        !others.contains(&row["contact"]) && row.get("event_id").is_none_or(|id| id != leave_out)
    };
    rows.iter().filter(apart).collect()
}

fn only_its_contact(facts: &Facts, before: &Outcome, after: &Outcome) -> Result<usize, String> {
    let contact =
        &after.charges.iter().find(|row| row["event_id"] == "added").ok_or("it is lost")?["contact"];
    let touched = touched(facts, contact);
    for (left, right) in [(&before.charges, &after.charges), (&before.lines, &after.lines)] {
        let (left, right) = (rows_of(left, &touched, "added"), rows_of(right, &touched, "added"));
        if left != right {
            let differs = left.iter().zip(&right).find(|(left, right)| left != right);
            return Err(format!("an event of \"{contact}\" changed others: {differs:#?}"));
        }
    }
    Ok(1)
}

/// A further event like some other, so that no period begins with it, but of another length and in any place of the order.
#[test]
fn law_13_an_event_changes_only_its_contact() {
    hold("13", 6, 30, |seed| {
        let facts = Facts::drawn(seed, EVENTS);
        let (before, mut dice) = (facts.price(), Dice::new(seed));
        let mut cases = 0;
        for _ in 0..5 {
            let mut other = facts.clone();
            let place = dice.below(facts.usage.rows.len() as u64) as usize;
            let mut row = facts.usage.rows[place].clone();
            row.insert("id".into(), "added".into());
            if row.get("milliseconds").is_none_or(String::is_empty) && row["channel"] == "voice" {
                row.insert("seconds".into(), dice.between(1, 5_000).to_string());
            }
            other.usage.rows.push(row);
            cases += only_its_contact(&facts, &before, &other.price())?;
        }
        Ok(cases)
    });
    let facts = Facts::drawn(1, EVENTS);
    let mut other = facts.clone();
    let mut row = facts.usage.rows[0].clone();
    row.insert("id".into(), "added".into());
    other.usage.rows.push(row);
    other.rules.values_mut().for_each(|text| *text = dearer(text));
    assert!(only_its_contact(&facts, &facts.price(), &other.price()).is_err(), "other changes are seen");
}

/// A tariff as of the last version that is known, and a day in its month from which another may hold.
struct Next {
    text: String,
    zone: Tz,
    from: NaiveDate,
}

/// Tariffs whose charges look only back: volume tiers and what is prorated by the days of a version look ahead.
fn next_versions(facts: &Facts, dice: &mut Dice) -> Vec<Next> {
    let version = Regex::new(r#"valid_from = "(\d{4}-\d\d-\d\d)""#).unwrap();
    let month = facts.usage.rows[0]["start"].get(..7).unwrap().to_owned();
    let mut latest: BTreeMap<&str, (NaiveDate, &str)> = BTreeMap::new();
    for (name, text) in facts.rules.iter().filter(|(name, _)| name.starts_with("tariff-")) {
        let from = version.captures(text).map_or("2000-01-01".to_owned(), |found| found[1].to_owned());
        let from: NaiveDate = from.parse().unwrap();
        let known = latest.entry(&name["tariff-".len()..][..1]).or_insert((from, text));
        if from >= known.0 {
            *known = (from, text);
        }
    }
    let looks_ahead =
        |text: &str| ["\"volume\"", "prorate = true", "in_advance"].iter().any(|word| text.contains(word));
    let zones = Regex::new(r#"(?m)^zone = "([^"]+)""#).unwrap();
    let mut next = Vec::new();
    for (known, text) in latest.into_values().filter(|(_, text)| !looks_ahead(text)) {
        let zone = zones.captures(text).unwrap()[1].parse().unwrap();
        let first: NaiveDate = format!("{month}-01").parse().unwrap();
        let day = |day: i64| first.with_day(u32::try_from(day).unwrap()).unwrap();
        let from = day(dice.between(2, 27));
        if from <= known {
            continue;
        }
        let text = version.replace(text, "").replace("of 0\"", "of 9\"").replace("of 1\"", "of 9\"");
        let head = text.find("currency").unwrap();
        let text = format!(
            "{}valid_from = \"{from}\"\n{}",
            &text[..head],
            &text[head..].replace("of 2\"", "of 9\"")
        );
        next.push(Next { text: dearer(&text), zone, from });
    }
    next
}

/// How many charges stayed, and how many became others, all of them from the instant on.
fn nothing_before(
    facts: &Facts,
    before: &Outcome,
    after: &Outcome,
    from: DateTime<Utc>,
) -> Result<(usize, usize), String> {
    let (left, right) = (before.by_event(), after.by_event());
    let (mut kept, mut changed) = (0, 0);
    for row in &facts.usage.rows {
        let start = DateTime::parse_from_rfc3339(&row["start"]).unwrap().to_utc();
        let id = row["id"].as_str();
        match (left[id] == right[id], start < from) {
            (false, true) => return Err(format!("{id} is before {from}: {:#?} {:#?}", left[id], right[id])),
            (true, true) => kept += 1,
            (false, false) => changed += 1,
            (true, false) => {}
        }
    }
    Ok((kept, changed))
}

#[test]
fn law_14_a_new_version_reaches_no_event_before_it() {
    let changed = std::cell::Cell::new(0);
    hold("14", 16, 1_500, |seed| {
        let facts = Facts::drawn(seed, EVENTS);
        let (before, mut dice, mut cases) = (facts.price(), Dice::new(seed), 0);
        for Next { text, zone, from } in next_versions(&facts, &mut dice) {
            let mut other = facts.clone();
            other.rules.insert("zz-next.toml".into(), text);
            let after = other.try_price()?;
            let midnight = zone.from_local_datetime(&from.and_hms_opt(0, 0, 0).unwrap()).earliest().unwrap();
            let (kept, others) = nothing_before(&facts, &before, &after, midnight.to_utc())?;
            let early = midnight.to_utc() + chrono::Duration::days(400);
            if others > 0 && nothing_before(&facts, &before, &after, early).is_ok() {
                return Err("a change before the day is not seen".to_owned());
            }
            changed.set(changed.get() + others);
            cases += kept;
        }
        Ok(cases)
    });
    assert!(std::env::var_os("TOLLBOOK_SEED").is_some() || changed.get() > 300, "{}", changed.get());
}

#[test]
fn law_15_a_name_is_no_amount() {
    hold("15", SEEDS, 8, |seed| {
        let facts = Facts::drawn(seed, EVENTS);
        let (mut other, mut dice) = (facts.clone(), Dice::new(seed));
        for row in &mut other.contacts.rows {
            let name = dice.word(&["Zoë & Söhne", "aaa", "=1+1", "O'Brien, \"Q\"", "山田"]);
            row.insert("name".into(), format!("{name} {}", dice.below(1_000_000)));
        }
        same_bytes("other names", &facts.price(), &other.price())
    });
    let facts = Facts::drawn(1, EVENTS);
    let mut other = facts.clone();
    other.contacts.rows.iter_mut().for_each(|row| {
        row.insert("do_not_bill".into(), "true".into());
    });
    assert!(same_bytes("", &facts.price(), &other.price()).is_err(), "what is no name is seen");
}
