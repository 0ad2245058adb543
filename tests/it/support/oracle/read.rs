//! Reads rule files generically, by the text of the language.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use chrono::NaiveDate;
use num_rational::BigRational;
use num_traits::{One, Zero};
use toml::{Table, Value};

use super::calendar::{Band, parse_date, parse_days, parse_hours, parse_zone};
use super::condition::Condition;
use super::language::*;
use super::tables::{cell, csv_rows, dates};

const IDENTITY: &str = "coding named account-code own-number other-number other-prefix extension department site \
    cost-centre account";

pub fn rules(folder: &Path) -> Rules {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    let tables: Vec<Table> = files
        .iter()
        .map(|file| {
            let text = fs::read_to_string(file).unwrap();
            text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.display()))
        })
        .collect();

    let mut rules = Rules {
        default_tariff: None,
        identity: IDENTITY.split_whitespace().map(str::to_string).collect(),
        tariffs: Vec::new(),
        bands: BTreeMap::new(),
        decks: BTreeMap::new(),
        timekeepers: Vec::new(),
        outcomes: Vec::new(),
    };
    let calendars: BTreeMap<String, BTreeSet<NaiveDate>> = tables
        .iter()
        .flat_map(|table| tables_of(table, "calendar"))
        .map(|(name, calendar)| (name.clone(), read_calendar(folder, calendar)))
        .collect();
    for table in &tables {
        let keys = "default_tariff identity tariff calendar deck timekeeper coding band outcome example";
        only_keys(table, keys);
        if let Some(name) = text_of(table, "default_tariff") {
            assert!(rules.default_tariff.replace(name).is_none(), "two default tariffs");
        }
        if let Some(identity) = table.get("identity") {
            rules.identity = texts_of(identity.as_table().unwrap(), "order");
        }
        for (name, tariff) in tables_of(table, "tariff") {
            rules.tariffs.push(read_tariff(name, tariff));
        }
        for (name, band) in tables_of(table, "band") {
            rules.bands.insert(name.clone(), read_band(name, band, &calendars));
        }
        for (name, deck) in tables_of(table, "deck") {
            rules.decks.insert(name.clone(), read_deck(folder, deck));
        }
        for (id, timekeeper) in tables_of(table, "timekeeper") {
            rules.timekeepers.push(read_timekeeper(id, timekeeper));
        }
        rules.outcomes.extend(list_of(table, "outcome").into_iter().map(read_outcome));
    }
    rules
}

fn read_calendar(folder: &Path, table: &Table) -> BTreeSet<NaiveDate> {
    only_keys(table, "days file");
    let mut days: BTreeSet<NaiveDate> = texts_of(table, "days").iter().map(|text| parse_date(text)).collect();
    if let Some(file) = text_of(table, "file") {
        days.extend(csv_rows(&folder.join(file)).iter().map(|row| parse_date(&cell(row, "date"))));
    }
    days
}

fn read_deck(folder: &Path, table: &Table) -> Deck {
    only_keys(table, "file unit increment");
    let (unit, units_in_price) = unit_and_factor(&required(table, "unit"));
    let row = |row: &BTreeMap<String, String>| {
        let (from, to) = dates(&cell(row, "valid_from"), &cell(row, "valid_to"));
        let filled = |column: &str| Some(cell(row, column)).filter(|text| !text.is_empty());
        let prefix = format!("+{}", cell(row, "prefix").trim_start_matches('+'));
        DeckRow {
            name: filled("name").unwrap_or_else(|| cell(row, "prefix")),
            prefix,
            price: decimal(&cell(row, "price")) / integer(units_in_price),
            increment: filled("increment").map(|text| increment(&text)),
            connection_fee: filled("connection_fee").map(|text| decimal(&text)),
            from,
            to,
        }
    };
    Deck {
        unit,
        increment: text_of(table, "increment").map(|text| increment(&text)),
        rows: csv_rows(&folder.join(required(table, "file"))).iter().map(row).collect(),
    }
}

fn read_timekeeper(id: &str, table: &Table) -> Timekeeper {
    only_keys(table, "name extensions price");
    let claim = |text: &String| {
        let (value, validity) = text.split_once('@').unwrap_or((text, ".."));
        let (from, to) = validity.split_once("..").unwrap_or_else(|| panic!("no validity: {text}"));
        let (from, to) = dates(from, to);
        (value.trim().to_string(), from, to)
    };
    Timekeeper {
        id: id.to_string(),
        extensions: texts_of(table, "extensions").iter().map(claim).collect(),
        price: text_of(table, "price").map(|text| unit_price(&text)),
    }
}

fn read_outcome(table: &Table) -> OutcomeRow {
    only_keys(table, "channel direction outcome error_code arrived billable");
    OutcomeRow {
        channel: required(table, "channel"),
        direction: text_of(table, "direction"),
        outcome: required(table, "outcome"),
        error_code: text_of(table, "error_code"),
        billable: table["billable"].as_bool().unwrap(),
    }
}

fn read_tariff(name: &str, table: &Table) -> Tariff {
    only_keys(
        table,
        "currency zone valid_from legs without_legs rounding supplier options cap fees_count commitment rate \
         allowance fee discount",
    );
    let version = text_of(table, "valid_from").unwrap_or_default();
    let monthly = |key: &str| {
        text_of(table, key)
            .map(|text| decimal(text.strip_suffix(" per month").unwrap_or_else(|| panic!("{text}"))))
    };
    let (options, widths) = read_options(table.get("options"));
    Tariff {
        name: name.to_string(),
        currency: required(table, "currency"),
        zone: parse_zone(&required(table, "zone")),
        valid_from: (!version.is_empty()).then(|| parse_date(&version)),
        version,
        rounding: read_rounding(table.get("rounding")),
        supplier: text_of(table, "supplier"),
        cap: monthly("cap"),
        fees_count: flag(table, "fees_count", false),
        commitment: monthly("commitment"),
        rates: list_of(table, "rate").into_iter().map(|rate| read_rate(rate, widths)).collect(),
        allowances: list_of(table, "allowance").into_iter().map(read_allowance).collect(),
        fees: list_of(table, "fee").into_iter().map(read_fee).collect(),
        discounts: list_of(table, "discount").into_iter().map(read_discount).collect(),
        options,
    }
}

fn read_rounding(value: Option<&Value>) -> Rounding {
    let empty = Table::new();
    let table = value.map_or(&empty, |value| value.as_table().unwrap());
    only_keys(table, "line charge charge_mode charge_scale");
    let word = |key: &str, default: &str| text_of(table, key).unwrap_or_else(|| default.into());
    Rounding {
        line: word("line", "half-away"),
        charge: word("charge", "none"),
        charge_mode: word("charge_mode", "half-away"),
        charge_scale: table.get("charge_scale").map_or(0, |value| value.as_integer().unwrap() as u32),
    }
}

/// The options, and whether the bounds of tiers are widths.
fn read_options(value: Option<&Value>) -> (Settings, bool) {
    let empty = Table::new();
    let table = value.map_or(&empty, |value| value.as_table().unwrap());
    only_keys(
        table,
        "increments_from band_by crossing connection_fee_on_change inside_allowance allowance_draws zero_seconds \
         under_a_second no_usage grace_by tier_bounds beyond_last_tier units after_offset_seconds negative alphabet \
         text_split period_by message_instant late proration",
    );
    // The word, which must be one of the list; the first is the default.
    let word = |key: &str, words: &str| -> String {
        let words: Vec<&str> = words.split_whitespace().collect();
        let said = text_of(table, key).unwrap_or_else(|| words[0].into());
        assert!(words.contains(&said.as_str()), "{key} = {said}");
        said
    };
    let is = |key: &str, words: &str| {
        let second = words.split_whitespace().nth(1).unwrap();
        word(key, words) == second
    };
    word("message_instant", "creation last-change");
    word("late", "append replay");
    let settings = Settings {
        increments_from_zero: is("increments_from", "first-block zero"),
        band_by_call_start: is("band_by", "increment call-start"),
        crossing_in_pieces: is("crossing", "start pieces"),
        fee_on_each_change: is("connection_fee_on_change", "first each"),
        fee_inside_allowance: is("inside_allowance", "no-fee fee"),
        allowance_draws_measured: is("allowance_draws", "billed measured"),
        zero_is_a_block: is("zero_seconds", "nothing first-block"),
        under_a_second_is_nothing: is("under_a_second", "first-block nothing"),
        no_usage: word("no_usage", "nothing tier-fee package"),
        grace_includes_its_end: is("grace_by", "shorter-than not-longer-than"),
        beyond_last_tier: word("beyond_last_tier", "mistake last-price unbilled"),
        only_completed: is("units", "started completed"),
        after_offset_seconds: table
            .get("after_offset_seconds")
            .map_or(0, |value| value.as_integer().unwrap()),
        negative_toward_plus_infinity: is("negative", "mirror toward-plus-infinity"),
        national_alphabet: is("alphabet", "gsm7 national"),
        graphemes: is("text_split", "pairs graphemes"),
        period_by: word("period_by", "start end split"),
        both_days_inclusive: is("proration", "end-exclusive both-inclusive"),
    };
    (settings, is("tier_bounds", "up-to widths"))
}

fn read_rate(table: &Table, widths: bool) -> Rate {
    only_keys(
        table,
        "name match where price steps tiers increment connection_fee charge_floor charge_cap bill_when minimum grace \
         discount scope",
    );
    let money = |key: &str| text_of(table, key).map(|text| decimal(&text));
    let seconds = |key: &str| {
        text_of(table, key).map_or(0, |text| {
            let (seconds, unit) = quantity(&text);
            assert_eq!(unit, "second", "{text}");
            seconds
        })
    };
    Rate {
        name: required(table, "name"),
        matching: read_match(table.get("match"), table),
        price: read_price(table, widths),
        increment: text_of(table, "increment").map(|text| increment(&text)),
        connection_fee: money("connection_fee").unwrap_or_else(|| decimal("0")),
        floor: money("charge_floor"),
        cap: money("charge_cap"),
        bill_when: table.get("bill_when").map(|_| texts_of(table, "bill_when")),
        minimum_seconds: seconds("minimum"),
        grace_thousandths: seconds("grace") * 1000,
        discount: text_of(table, "discount").map(|text| off(&text)),
        scope: text_of(table, "scope").unwrap_or_else(|| "call".into()),
    }
}

fn read_price(table: &Table, widths: bool) -> Price {
    if let Some(steps) = table.get("steps") {
        return read_steps(steps);
    }
    if let Some(tiers) = table.get("tiers") {
        return Price::Tiers(read_tiers(tiers.as_table().unwrap(), widths));
    }
    let text = required(table, "price");
    let marked_up = |rest: &str| {
        let (mut times, mut plus) = (BigRational::one(), BigRational::zero());
        for term in rest.split('+').map(str::trim).filter(|term| !term.is_empty()) {
            match off(term) {
                Off::Share(share) => times += share,
                Off::Amount(amount) => plus += amount,
            }
        }
        (times, plus)
    };
    if let Some(name) = text.strip_prefix("deck ") {
        return Price::Deck(name.trim().to_string());
    }
    if text == "by timekeeper" {
        return Price::Timekeeper;
    }
    if let Some(rest) = text.strip_prefix("cost") {
        let (times, plus) = marked_up(rest);
        return Price::Cost { times, plus };
    }
    if let Some(rest) = text.strip_prefix("supplier") {
        let (times, plus) = marked_up(rest);
        return Price::Supplier { times, plus };
    }
    let (price, unit) = unit_price(&text);
    Price::Unit { price, unit }
}

fn read_steps(value: &Value) -> Price {
    let mut from = 0;
    let mut steps = Vec::new();
    for step in value.as_array().unwrap() {
        let step = step.as_table().unwrap();
        only_keys(step, "price first");
        let (price, unit) = unit_price(&required(step, "price"));
        assert_eq!(unit, "second", "a step that is not by time: {step:?}");
        steps.push((from, price));
        from += text_of(step, "first").map_or(0, |text| quantity(&text).0);
    }
    Price::Steps(steps)
}

fn read_tiers(table: &Table, widths: bool) -> Tiers {
    only_keys(table, "mode tier size price");
    let mode = required(table, "mode");
    if mode == "package" {
        let (size, unit) = quantity(&required(table, "size"));
        return Tiers { mode, unit, tiers: Vec::new(), package: (size, decimal(&required(table, "price"))) };
    }
    assert!(["graduated", "volume"].contains(&mode.as_str()), "{mode}");
    let mut tiers: Vec<Tier> = Vec::new();
    let mut unit = "";
    for tier in list_of(table, "tier") {
        only_keys(tier, "up_to price fee");
        let (price, unit_of_price) = unit_price(&required(tier, "price"));
        unit = unit_of_price;
        let before = tiers.last().and_then(|tier| tier.up_to).unwrap_or(0);
        let bound = text_of(tier, "up_to").map(|text| quantity(&text).0);
        let fee = text_of(tier, "fee").map_or_else(BigRational::zero, |text| decimal(&text));
        tiers.push(Tier {
            up_to: bound.map(|bound| if widths { before + bound } else { bound }),
            price,
            fee,
        });
    }
    Tiers { mode, unit, tiers, package: (1, BigRational::zero()) }
}

fn read_allowance(table: &Table) -> Allowance {
    only_keys(table, "name grants applies_to where shared per rollover expires_after prorate");
    let grants = required(table, "grants");
    let grant = match grants.strip_suffix(" of charges") {
        Some(amount) => Grant::Money(decimal(amount)),
        None => {
            let (units, unit) = quantity(&grants);
            Grant::Units(units, unit)
        }
    };
    let shared = flag(table, "shared", false);
    let rollover = text_of(table, "rollover").map(|text| match text.as_str() {
        "all" => i64::MAX,
        text => quantity(text).0,
    });
    let per = text_of(table, "per").unwrap_or_else(|| if shared { "pool" } else { "contact" }.into());
    Allowance {
        name: required(table, "name"),
        matching: read_match(table.get("applies_to"), table),
        grant,
        shared,
        per,
        rollover,
        expires_after: table.get("expires_after").map_or(1, |value| value.as_integer().unwrap() as u32),
        prorate: flag(table, "prorate", false),
    }
}

fn read_fee(table: &Table) -> Fee {
    only_keys(table, "name price on per prorate in_advance");
    let written = required(table, "price");
    let once = written.strip_suffix(" once");
    let amount = once.or(written.strip_suffix(" per month")).unwrap_or_else(|| panic!("no fee: {written}"));
    Fee {
        name: required(table, "name"),
        amount: decimal(amount),
        once: once.is_some(),
        on: text_of(table, "on").map(|text| parse_date(&text)),
        per: text_of(table, "per").unwrap_or_else(|| "contact".into()),
        prorate: flag(table, "prorate", true),
        in_advance: flag(table, "in_advance", false),
        written,
    }
}

fn read_discount(table: &Table) -> Discount {
    only_keys(table, "name off of lines");
    let of = text_of(table, "of").unwrap_or_else(|| "period".into());
    assert!(["line", "period"].contains(&of.as_str()), "{of}");
    Discount {
        name: required(table, "name"),
        off: off(&required(table, "off")),
        of_lines: of == "line",
        lines: texts_of(table, "lines"),
    }
}

const MATCH_KEYS: &str = "channel direction to from band to_class from_class extension department site cost_centre matter \
    timekeeper task outcome error_code";

/// The conditions of a table, with the `where` that stands beside it.
fn read_match(value: Option<&Value>, beside: &Table) -> Match {
    let empty = Table::new();
    let table = value.map_or(&empty, |value| value.as_table().unwrap());
    only_keys(table, MATCH_KEYS);
    let listed = |key: &&str| !["to", "from", "band"].contains(key) && table.contains_key(*key);
    Match {
        lists: MATCH_KEYS
            .split_whitespace()
            .filter(listed)
            .map(|key| (key.to_string(), texts_of(table, key)))
            .collect(),
        to: texts_of(table, "to"),
        from: texts_of(table, "from"),
        bands: texts_of(table, "band"),
        condition: text_of(beside, "where").map(|text| Condition::parse(&text)),
    }
}

fn read_band(name: &str, table: &Table, calendars: &BTreeMap<String, BTreeSet<NaiveDate>>) -> Band {
    only_keys(table, "days hours zone except on");
    let (from, to) = parse_hours(&text_of(table, "hours").unwrap_or_else(|| "00:00-24:00".into()));
    let zone = text_of(table, "zone");
    assert!(zone.as_deref().is_none_or(|zone| zone == "contact"), "band {name}: zone {zone:?}");
    let days_of = |key: &str| -> BTreeSet<NaiveDate> {
        let days = |text: &String| match calendars.get(text) {
            Some(days) => days.clone(),
            None => BTreeSet::from([parse_date(text)]),
        };
        texts_of(table, key).iter().flat_map(days).collect()
    };
    Band {
        days: parse_days(&text_of(table, "days").unwrap_or_else(|| "mon-sun".into())),
        from,
        to,
        in_contact_zone: zone.is_some(),
        except: days_of("except"),
        on: table.get("on").map(|_| days_of("on")),
    }
}

fn flag(table: &Table, key: &str, default: bool) -> bool {
    table.get(key).map_or(default, |value| value.as_bool().unwrap_or_else(|| panic!("{key}: {value:?}")))
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
