//! Tests of the generator and of the comparison: the same seed makes the same world, every disposition is reached, and a
//! planted mistake is seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use num_bigint::BigInt;
use num_rational::BigRational;
use tempfile::TempDir;

use crate::support::compare::compare;
use crate::support::generator::world;
use crate::support::oracle::{
    Defect, EventResult, OracleResult, bill, bill_with_defect, decimal, minor_digits,
};

fn billed_world(seed: u64, events: usize) -> OracleResult {
    let folder = TempDir::new().unwrap();
    let made = world(seed, events, folder.path());
    bill(made.inputs())
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn a_seed_makes_the_same_world_and_the_same_bill() {
    let (one, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let first = world(7, 300, one.path());
    let second = world(7, 300, other.path());
    let bytes = |folder: &Path| files(folder).into_values().collect::<Vec<_>>();
    assert_eq!(bytes(one.path()), bytes(other.path()));
    let bills = [&first, &second, &first].map(|world| bill(world.inputs()));
    assert_eq!(bills[0], bills[1]);
    assert_eq!(bills[0], bills[2]);
    assert_ne!(bills[0], billed_world(8, 300));
}

/// What can happen to an event does happen in a handful of worlds, and all of it is accounted for once.
#[test]
fn worlds_reach_every_disposition() {
    let mut seen = BTreeSet::new();
    for seed in 0..12 {
        let result = billed_world(seed, 400);
        assert_eq!(result.events.len(), 400);
        assert!(result.events.windows(2).all(|pair| pair[0].id < pair[1].id));
        for event in &result.events {
            seen.insert((event.disposition, event.reason));
            let charged: BigRational = event.parts.iter().map(|part| &part.amount).sum();
            assert_eq!(event.disposition == "billed", charged != decimal("0"), "{event:?}");
        }
        let of_events: BigRational =
            result.events.iter().flat_map(|e| &e.parts).map(|part| &part.amount).sum();
        let of_lines: BigRational = result
            .lines
            .iter()
            .filter(|line| ["usage", "allowance"].contains(&line.kind))
            .map(|line| &line.sum)
            .sum();
        assert_eq!(of_events, of_lines);
    }
    let expected = [
        ("awaiting its outcome", ""),
        ("billed", ""),
        ("do not bill", ""),
        ("in an allowance", ""),
        ("internal", ""),
        ("outcome not billable", ""),
        ("suspended", "no-cost"),
        ("suspended", "no-duration"),
        ("suspended", "no-pages"),
        ("suspended", "no-rate"),
        ("suspended", "no-segments"),
        ("suspended", "no-timekeeper-price"),
        ("unmatched contact", ""),
        ("zero-rated", ""),
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
}

/// Each planted mistake changes some bill among a few worlds, and the comparison says so.
#[test]
fn planted_defects_are_seen() {
    let mut unseen = Defect::ALL.to_vec();
    for seed in 0..40 {
        let folder = TempDir::new().unwrap();
        let made = world(seed, 400, folder.path());
        let right = bill(made.inputs());
        unseen.retain(|defect| {
            let wrong = bill_with_defect(made.inputs(), *defect);
            let (charges, lines) = write(&wrong, folder.path());
            let differences = compare(&charges, &lines, &right);
            let same = charged(&wrong) == charged(&right) && wrong.lines == right.lines;
            assert_eq!(differences.is_empty(), same, "{defect:?} in world {seed}: {differences:?}");
            same
        });
    }
    assert!(unseen.is_empty(), "{unseen:?}");
}

/// Every key and every word of the rule language is drawn in a handful of worlds.
#[test]
fn worlds_speak_the_whole_language() {
    let mut rules = String::new();
    for seed in 0..80 {
        let folder = TempDir::new().unwrap();
        let made = world(seed, 1, folder.path());
        for (path, bytes) in files(&made.rules) {
            if path.extension().is_some_and(|extension| extension == "toml") {
                rules += &String::from_utf8(bytes).unwrap();
            }
        }
    }
    let mut said: Vec<String> = WORDS.lines().map(str::to_string).collect();
    for (key, words) in CHOICES {
        said.extend(words.split_whitespace().map(|word| format!("{key} = \"{word}\"")));
    }
    let missing: Vec<&String> =
        said.iter().filter(|text| !text.is_empty() && !rules.contains(text.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Keys with all the words that they may have.
const CHOICES: [(&str, &str); 31] = [
    ("increments_from", "first-block zero"),
    ("band_by", "increment call-start"),
    ("crossing", "start pieces"),
    ("connection_fee_on_change", "first each"),
    ("inside_allowance", "no-fee fee"),
    ("allowance_draws", "billed measured"),
    ("zero_seconds", "nothing first-block"),
    ("under_a_second", "first-block nothing"),
    ("no_usage", "nothing tier-fee package"),
    ("grace_by", "shorter-than not-longer-than"),
    ("tier_bounds", "up-to widths"),
    ("beyond_last_tier", "mistake last-price unbilled"),
    ("units", "started completed"),
    ("negative", "mirror toward-plus-infinity"),
    ("alphabet", "gsm7 national"),
    ("text_split", "pairs graphemes"),
    ("period_by", "start end split"),
    ("message_instant", "creation last-change"),
    ("late", "append replay"),
    ("proration", "end-exclusive both-inclusive"),
    ("legs", "customer-facing master timekeeper-leg estimated-talk longest-leg first-answered sum-of-legs"),
    ("without_legs", "master suspend"),
    ("charge", "per-event per-increment"),
    ("charge_mode", "half-away half-even up down"),
    ("line", "half-away half-even up down"),
    ("scope", "call contact-day matter-day timekeeper-day period"),
    ("mode", "graduated volume package"),
    ("per", "contact extension number"),
    ("of", "line period"),
    ("rollover", "all"),
    ("supplier", "carrier"),
];

const WORDS: &str = "price = \"deck world\"
price = \"deck texts\"
price = \"by timekeeper\"
price = \"cost\"
price = \"cost + 20%\"
price = \"cost + 0.01\"
price = \"cost + 12.5% + 0.015\"
price = \"supplier\"
price = \"supplier + 15%\"
price = \"supplier + 7.5% + 0.02\"
 flat\"
 per second\"
 per minute\"
 per hour\"
 per call\"
 per message\"
 per segment\"
 per page\"
 per month\"
 once\"
 of charges\"
 hours\"
steps = [
first = 
tier = [
up_to = 
fee = 
size = 
minimum = 
grace = 
where = 
discount = 
connection_fee = 
charge_floor = 
charge_cap = 
charge_scale = 
bill_when = 
shared = true
expires_after = 
prorate = true
prorate = false
in_advance = true
on = \"2026-
off = 
lines = [
cap = 
commitment = 
fees_count = true
after_offset_seconds = 
valid_from = 
[identity]
order = [
[calendar.
[deck.
[timekeeper.
[[coding]]
[[outcome]]
error_code = 
direction = 
on = [
except = 
zone = \"contact\"
to_class = 
from_class = 
extension = 
department = 
site = 
cost_centre = 
matter = 
timekeeper = 
task = 
outcome = 
from = 
to = ";

/// Bills one large world and says how long it took: `TOLLBOOK_TEST_EVENTS=25000 cargo test --test it -- how_long --nocapture`.
#[test]
fn how_long_it_takes() {
    let Some(events) = std::env::var("TOLLBOOK_TEST_EVENTS").ok().and_then(|text| text.parse().ok()) else {
        return;
    };
    for seed in 0..6 {
        let folder = TempDir::new().unwrap();
        let made = world(seed, events, folder.path());
        let begun = std::time::Instant::now();
        let result = bill(made.inputs());
        println!("seed {seed}: {} events in {:?}", result.events.len(), begun.elapsed());
    }
}

/// The events without their months, which the charges do not show.
fn charged(result: &OracleResult) -> Vec<EventResult> {
    let mut events = result.events.clone();
    for event in &mut events {
        event.month.clear();
        event.parts.iter_mut().for_each(|part| part.month.clear());
    }
    events
}

/// Writes a result in the form of `tollbook price`, with a connection fee split off where there is money for one.
fn write(result: &OracleResult, folder: &Path) -> (PathBuf, PathBuf) {
    let (charges, lines) = (folder.join("charges.csv"), folder.join("lines.csv"));
    let mut writer = csv::Writer::from_path(&charges).unwrap();
    let columns = "event_id,disposition,reason,contact,tariff,tariff_version,clause,band,matter,timekeeper,tier,destination,\
        entry,kind,unit,units,numerator,denominator";
    writer.write_record(columns.split(',')).unwrap();
    for event in &result.events {
        let head = [&event.id, event.disposition, event.reason, &event.contact];
        if event.parts.is_empty() {
            writer.write_record(head.into_iter().chain([""; 14])).unwrap();
        }
        for part in &event.parts {
            let tier = part.tier.to_string();
            let place = [
                part.tariff.as_str(),
                &part.tariff_version,
                &part.clause,
                &part.band,
                &part.matter,
                &part.timekeeper,
                &tier,
                &part.destination,
                "",
            ];
            let (units, third) = (part.units.to_string(), &part.amount / BigInt::from(3));
            let rest = &part.amount - &third;
            let kinds = [(part.kind, units.as_str(), rest), ("connection-fee", "", third)];
            let whole = [(part.kind, units.as_str(), part.amount.clone())];
            let rows = if part.kind == "usage" { kinds.to_vec() } else { whole.to_vec() };
            for (kind, units, amount) in rows {
                let money = [amount.numer().to_string(), amount.denom().to_string()];
                let row = head.into_iter().chain(place).chain([kind, part.unit, units]);
                writer.write_record(row.chain(money.iter().map(String::as_str))).unwrap();
            }
        }
    }
    writer.flush().unwrap();
    write_lines(result, &lines);
    (charges, lines)
}

fn write_lines(result: &OracleResult, file: &Path) {
    let mut writer = csv::Writer::from_path(file).unwrap();
    let columns = "contact,period,kind,tariff,tariff_version,clause,band,matter,timekeeper,tier,destination,events,unit,units,\
        numerator,denominator,amount,currency";
    writer.write_record(columns.split(',')).unwrap();
    for line in &result.lines {
        let digits = minor_digits(&line.currency) as usize;
        let sign = if line.amount_minor < BigInt::from(0) { "-" } else { "" };
        let minor = format!("{:0>4}", line.amount_minor.magnitude().to_string());
        let (whole, fraction) = minor.split_at(minor.len() - digits);
        let amount = if digits == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") };
        let tier = line.tier.to_string();
        let numbers = [line.events.to_string(), line.units.to_string()];
        let money = [line.sum.numer().to_string(), line.sum.denom().to_string(), amount];
        let row = [
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
        ]
        .into_iter()
        .chain([numbers[0].as_str(), line.unit, &numbers[1]]);
        writer
            .write_record(row.chain(money.iter().map(String::as_str)).chain([line.currency.as_str()]))
            .unwrap();
    }
    writer.flush().unwrap();
}

#[test]
fn the_comparison_sees_one_changed_cell() {
    let folder = TempDir::new().unwrap();
    let made = world(3, 200, folder.path());
    let result = bill(made.inputs());
    let (charges, lines) = write(&result, folder.path());
    assert_eq!(compare(&charges, &lines, &result), Vec::<String>::new());

    let text = fs::read_to_string(&charges).unwrap();
    let without_last = text.trim_end().rsplit_once('\n').unwrap().0;
    fs::write(&charges, format!("{without_last}\n")).unwrap();
    assert_eq!(compare(&charges, &lines, &result).len(), 1);
    fs::write(&charges, text.replacen("billed", "zero-rated", 1)).unwrap();
    assert!(!compare(&charges, &lines, &result).is_empty());
    fs::write(&charges, &text).unwrap();

    let text = fs::read_to_string(&lines).unwrap();
    fs::write(&lines, text.replacen(&format!(",{}\n", result.lines[0].currency), ",XXX\n", 1)).unwrap();
    assert_eq!(compare(&charges, &lines, &result).len(), 1);
}

/// A mistake shared with the crate would be invisible.
#[test]
fn the_oracle_uses_no_code_of_the_crate() {
    let support = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support");
    let forbidden = format!("{}::", env!("CARGO_PKG_NAME"));
    for (path, bytes) in files(&support) {
        let text = String::from_utf8(bytes).unwrap();
        assert!(!text.contains(&forbidden), "{} uses the crate", path.display());
    }
}
