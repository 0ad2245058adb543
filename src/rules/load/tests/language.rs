//! Every key of the language, misspelt: it is refused, and the right one named. That the text below holds every key is
//! proven by asking the reader for the keys it knows.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{file, load};

/// Every table of the language with every key it may have.
const LANGUAGE: &str = r#"
default_tariff = "t"

[identity]
order = ["named", "extension"]

[calendar.holidays]
days = ["2026-11-26"]
file = "holidays.csv"

[deck.world]
file = "world.csv"
unit = "minute"
increment = "60/60"

[timekeeper.jd]
name = "Jane Doe"
extensions = ["101"]
price = "350.00 per hour"

[band.night]
days = "mon-fri"
hours = "22:00-06:00"
zone = "contact"
except = ["holidays"]
on = ["2026-10-05"]

[[coding]]
match = { channel = "voice" }
where = "seconds > 60"
contact = "c1"
matter = "M-1"
timekeeper = "jd"
task = "L120"
narrative = "Call"

[[outcome]]
channel = "sms"
direction = "outbound"
outcome = "sent"
error_code = "SMS-UP-*"
arrived = "no"
billable = false

[tariff.t]
currency = "USD"
zone = "America/New_York"
valid_from = "2026-01-01"
legs = "customer-facing"
without_legs = "master"
supplier = "s"
cap = "500.00 per month"
commitment = "100.00 per month"
fees_count = true
rounding = { line = "half-away", charge = "per-event", charge_mode = "half-away", charge_scale = 4 }

[tariff.t.options]
increments_from = "zero"
band_by = "call-start"
crossing = "pieces"
connection_fee_on_change = "each"
inside_allowance = "fee"
allowance_draws = "measured"
zero_seconds = "first-block"
under_a_second = "nothing"
no_usage = "package"
grace_by = "not-longer-than"
tier_bounds = "widths"
beyond_last_tier = "unbilled"
units = "completed"
after_offset_seconds = 1
negative = "toward-plus-infinity"
alphabet = "national"
text_split = "graphemes"
period_by = "split"
message_instant = "last-change"
late = "replay"
proration = "both-inclusive"

[[tariff.t.rate]]
name = "Calls"
price = "0.10 per minute"
increment = "60/6"
minimum = "30 seconds"
grace = "5 seconds"
scope = "contact-day"
connection_fee = "0.01"
discount = "10%"
charge_floor = "0.01"
charge_cap = "10.00"
bill_when = ["answered"]
where = "seconds > 60"

[tariff.t.rate.match]
channel = "voice"
direction = "outbound"
to = "GB"
from = "US"
band = "night"
to_class = "ordinary"
from_class = "ordinary"
extension = "101"
department = "Sales"
site = "HQ"
cost_centre = "1"
matter = "M-1"
timekeeper = "jd"
task = "L120"
outcome = "answered"
error_code = "X"

[[tariff.t.rate]]
name = "Steps"
steps = [{ price = "0.10 per minute", first = "3 minutes" }, { price = "0.05 per minute" }]

[[tariff.t.rate]]
name = "Tiers"
tiers = { mode = "graduated", tier = [{ up_to = "100 minutes", price = "0.05 per minute", fee = "5.00" }] }

[[tariff.t.rate]]
name = "Packages"
tiers = { mode = "package", size = "100 minutes", price = "10.00" }

[[tariff.t.allowance]]
name = "Included"
grants = "500 minutes"
applies_to = { channel = "voice" }
where = "seconds > 60"
shared = true
per = "extension"
rollover = "100 minutes"
expires_after = 1
prorate = true

[[tariff.t.fee]]
name = "Monthly"
price = "25.00 per month"
per = "number"
prorate = true
in_advance = true

[[tariff.t.fee]]
name = "Setup"
price = "99.00 once"
on = "2026-10-05"

[[tariff.t.discount]]
name = "Loyal"
off = "10%"
of = "line"
lines = ["Calls"]

[tariff.s]
currency = "USD"
zone = "America/New_York"

[[tariff.s.rate]]
price = "0.01 per minute"

[[example]]
tariff = "t"
given = { left = { Included = "0 minutes" }, used = { Tiers = "5 minutes" } }
expect = { charge = "0", disposition = "billed", because = ["60/6"] }

[example.event]
channel = "voice"
direction = "outbound"
start = "2026-03-09T14:00:00-04:00"
from = "911"
to = "411"
outcome = "answered"
seconds = 61
segments = 1
pages = 1
extension = "101"
matter = "M-1"
timekeeper = "jd"
error_code = "X"
carrier_cost = "0.01"
"#;

/// Keys that cannot stand beside others of their table, and are therefore not in the text.
const ALTERNATIVES: [(&str, &str); 1] = [("example/event", "milliseconds")];

/// Tables whose keys are names that the user chose.
const NAMED: [&str; 5] = ["tariff", "band", "deck", "calendar", "timekeeper"];
const FREE: [&str; 2] = ["left", "used"];

struct Key {
    /// The kind of its table: the keys above it.
    kind: String,
    name: String,
    span: Range<usize>,
}

fn keys_of(table: &DeTable<'_>, kind: &str, found: &mut Vec<Key>) {
    for (name, value) in table {
        let text = name.get_ref().to_string();
        found.push(Key { kind: kind.to_owned(), name: text.clone(), span: name.span() });
        let inner = match text.as_str() {
            "match" | "applies_to" => "match".to_owned(),
            _ if kind.is_empty() => text.clone(),
            _ => format!("{kind}/{text}"),
        };
        match value.get_ref() {
            DeValue::Table(table) if kind.is_empty() && NAMED.contains(&text.as_str()) => {
                for (_, value) in table {
                    keys_of(value.get_ref().as_table().expect("a table"), &inner, found);
                }
            }
            DeValue::Table(table) if !FREE.contains(&text.as_str()) => keys_of(table, &inner, found),
            DeValue::Array(items) => {
                for table in items.iter().filter_map(|item| item.get_ref().as_table()) {
                    keys_of(table, &inner, found);
                }
            }
            _ => {}
        }
    }
}

fn keys() -> Vec<Key> {
    let (table, errors) = DeTable::parse_recoverable(LANGUAGE);
    assert!(errors.is_empty(), "{errors:?}");
    let mut found = Vec::new();
    keys_of(table.get_ref(), "", &mut found);
    found
}

/// The hint about a key that takes the place of another.
#[track_caller]
fn hint_about(key: &Key, written: &str) -> String {
    let mut text = LANGUAGE.to_owned();
    text.replace_range(key.span.clone(), written);
    let holidays = file("holidays.csv", "date,name\n2026-12-25,Christmas\n");
    let world = file("world.csv", "prefix,price\n44,0.02\n");
    let mistakes = load(&[file("rules.toml", &text), holidays, world]).expect_err("a key is misspelt");
    let ending = format!("has no key called {written}");
    let about =
        mistakes.iter().find(|mistake| mistake.code == "unknown-key" && mistake.message.ends_with(&ending));
    let about = about.unwrap_or_else(|| panic!("{written} in {}: {mistakes:#?}", key.kind));
    assert_eq!(about.span.as_ref().map(|span| span.start), Some(key.span.start));
    about.hint.clone().expect("a hint")
}

/// The slips of a hand: a letter twice, one missing, two swapped, a hyphen, capitals. All keep what they begin with.
fn slips(name: &str) -> Vec<String> {
    let middle = name.len() / 2;
    let mut slips = vec![name.to_ascii_uppercase()];
    if name.len() >= 3 {
        slips.push(format!("{name}{}", &name[name.len() - 1..]));
    }
    if name.len() >= 4 {
        slips.push(format!("{}{}", &name[..middle], &name[middle + 1..]));
        slips.push(format!("{}x{}", &name[..middle], &name[middle + 1..]));
        let (left, right) = (&name[middle - 1..middle], &name[middle..middle + 1]);
        if left != right {
            slips.push(format!("{}{right}{left}{}", &name[..middle - 1], &name[middle + 1..]));
        }
    }
    if name.contains('_') {
        slips.push(name.replace('_', "-"));
    }
    slips
}

#[test]
fn the_text_is_right_before_it_is_misspelt() {
    let holidays = file("holidays.csv", "date,name\n2026-12-25,Christmas\n");
    let world = file("world.csv", "prefix,price\n44,0.02\n");
    if let Err(mistakes) = load(&[file("rules.toml", LANGUAGE), holidays, world]) {
        panic!("{mistakes:#?}");
    }
}

#[test]
fn every_misspelt_key_is_refused_with_the_right_one() {
    for key in keys() {
        for slip in slips(&key.name) {
            let hint = hint_about(&key, &slip);
            assert_eq!(hint, format!("Did you mean {}?", key.name), "{slip} in {}", key.kind);
        }
    }
}

#[test]
fn the_text_holds_every_key_there_is() {
    let keys = keys();
    let mut written: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for key in &keys {
        written.entry(&key.kind).or_default().insert(key.name.clone());
    }
    for (kind, name) in ALTERNATIVES {
        written.entry(kind).or_default().insert(name.to_owned());
    }
    for key in &keys {
        let hint = hint_about(key, "zzzzzzzzzzzz");
        let known =
            hint.strip_prefix("Known keys are: ").and_then(|rest| rest.strip_suffix('.')).expect("a list");
        for name in known.split(", ") {
            assert!(written[key.kind.as_str()].contains(name), "{name} of {} is not in the text", key.kind);
        }
    }
}
