//! `price` as its user meets it: what is said of absent, zero and absurd quantities, which exit codes it has, and that a
//! file that is read in pieces gives the bytes of one that is read as a whole.

use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tollbook::domain::{Country, Zone};
use tollbook::run::price::{Request, price};

use crate::support::generator::world;
use crate::support::session::Session;

const RULES: &str = r#"default_tariff = "t"

[tariff.t]
currency   = "USD"
zone       = "America/New_York"
valid_from = "2026-01-01"
options    = { increments_from = "zero" }

[[tariff.t.rate]]
name      = "Calls"
match     = { channel = "voice" }
price     = "0.60 per minute"
increment = "60/6"

[[tariff.t.rate]]
name  = "Texts"
match = { channel = "sms" }
price = "0.05 per segment"

[[tariff.t.rate]]
name  = "Faxes"
match = { channel = "fax" }
price = "0.10 per page"
"#;
const CONTACTS: &str = "id,name,numbers\none,One,+12125550143\n";
const HEADER: &str = "id,start,seconds,milliseconds,channel,direction,from,to,outcome,segments,pages\n";

/// A session with one tariff and one contact, and some usage.
fn session(usage: &str) -> Session {
    let session = Session::new();
    session.write("rules/t.toml", RULES);
    session.write("contacts.csv", CONTACTS);
    session.write("usage.csv", format!("{HEADER}{usage}"));
    session
}

const PRICE: [&str; 9] = [
    "price",
    "--rules",
    "rules",
    "--contacts",
    "contacts.csv",
    "--usage",
    "usage.csv",
    "--out",
    "charges.csv",
];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    PRICE.iter().copied().chain(more.iter().copied()).collect()
}

/// An outbound call, text or fax to the contact.
fn row(id: &str, start: &str, quantity: &str, channel: &str, outcome: &str, counts: &str) -> String {
    format!("{id},{start},{quantity},{channel},outbound,+12125550100,+12125550143,{outcome},{counts}\n")
}

#[test]
fn absent_zero_and_small_quantities_are_three_things() {
    let at = |minute: u32| format!("2026-10-05T14:{minute:02}:00Z");
    let usage = [
        row("absent", &at(0), ",", "voice", "answered", ","),
        row("zero", &at(1), "0,", "voice", "answered", ","),
        row("zero-ms", &at(2), ",0", "voice", "answered", ","),
        row("millisecond", &at(3), ",1", "voice", "answered", ","),
        row("second", &at(4), "1,", "voice", "answered", ","),
        row("unanswered", &at(5), ",", "voice", "unanswered", ","),
        row("text-absent", &at(6), ",", "sms", "delivered", ","),
        row("text-zero", &at(7), ",", "sms", "delivered", "0,"),
        row("text-one", &at(8), ",", "sms", "delivered", "1,"),
        row("fax-absent", &at(9), ",", "fax", "sent", ","),
        row("fax-zero", &at(10), ",", "fax", "sent", ",0"),
        row("fax-one", &at(11), ",", "fax", "sent", ",1"),
        row("negative", &at(12), "-5,", "voice", "answered", ","),
        row("negative-ms", &at(13), ",-1", "voice", "answered", ","),
        row("negative-pages", &at(14), ",", "fax", "sent", ",-1"),
        row("early", "2025-12-31T23:00:00Z", "60,", "voice", "answered", ","),
    ];
    let mut session = session(&usage.concat());
    assert_eq!(session.run(&with(&["--explain"])).exit, 0);
    assert_eq!(session.run(&with(&["--fail-on-suspended", "--format", "json"])).exit, 4);
    session.golden("price-quantities");
}

#[test]
fn absurd_quantities_are_mistakes_all_of_them_at_once() {
    let at = "2026-10-05T14:00:00Z";
    let usage = [
        row("century", at, "3155760001,", "voice", "answered", ","),
        row("overflow", at, "99999999999999999999,", "voice", "answered", ","),
        row("fraction", at, "1.5,", "voice", "answered", ","),
        row("power", at, "1e3,", "voice", "answered", ","),
        row("word", at, "long,", "voice", "answered", ","),
        row("segments", at, ",", "sms", "delivered", "1000001,"),
        row("no-offset", "2026-10-05T14:00:00", "60,", "voice", "answered", ","),
        row("no-time", "yesterday", "60,", "voice", "answered", ","),
        row("twice", at, "60,", "voice", "answered", ","),
        row("twice", at, "60,", "voice", "answered", ","),
    ];
    let mut session = session(&usage.concat());
    session.write("charges.csv", "what was there before");
    assert_eq!(session.run(&PRICE).exit, 3);
    assert_eq!(session.read("charges.csv"), "what was there before");
    let left = fs::read_dir(session.path(".")).unwrap();
    let partial =
        left.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().contains("partial"));
    assert_eq!(partial.count(), 0, "nothing that was begun stays behind");
    session.golden("price-absurd");
}

#[test]
fn local_times_are_read_when_somebody_says_how() {
    // 2026-11-01 01:30 was shown twice in New York, 2026-03-08 02:30 never.
    let usage = row("a", "2026-11-01T01:30:00", "60,", "voice", "answered", ",");
    let mut session = session(&usage);
    let zone = ["--zone", "America/New_York"];
    assert_eq!(session.run(&with(&zone)).exit, 3);
    assert_eq!(session.run(&with(&[&zone[..], &["--local-times", "offset-required"]].concat())).exit, 3);
    assert_eq!(session.run(&with(&[&zone[..], &["--local-times", "later"]].concat())).exit, 0);
    let usage = row("b", "2026-03-08T02:30:00", "60,", "voice", "answered", ",");
    session.write("usage.csv", format!("{HEADER}{usage}"));
    assert_eq!(session.run(&with(&[&zone[..], &["--skipped-times", "error"]].concat())).exit, 3);
    assert_eq!(session.run(&with(&[&zone[..], &["--skipped-times", "shift"]].concat())).exit, 0);
    assert_eq!(session.run(&with(&["--skipped-times", "never"])).exit, 2);
    session.golden("price-local-times");
}

#[test]
fn files_that_are_not_there_are_wrong_usage() {
    let mut session = session("");
    assert_eq!(session.run(&with(&["--lines", "nowhere/lines.csv"])).exit, 2);
    assert_eq!(session.run(&with(&["--coding", "nowhere.csv"])).exit, 2);
    assert_eq!(session.run(&with(&["--zone", "Mars/Olympus"])).exit, 2);
    session.golden("price-wrong-usage");
}

/// Puts the rows of a usage file in the order of start, then id.
fn sort(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    let place = |start: &str, id: &str| -> (DateTime<Utc>, String) {
        (start.parse::<DateTime<chrono::FixedOffset>>().unwrap().to_utc(), id.to_owned())
    };
    let sorted = if path.extension().is_some_and(|ending| ending == "csv") {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().unwrap().clone();
        let column = |name: &str| header.iter().position(|column| column == name).unwrap();
        let (id, start) = (column("id"), column("start"));
        let mut rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        rows.sort_by_key(|row| place(&row[start], &row[id]));
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&header).unwrap();
        rows.iter().for_each(|row| writer.write_record(row).unwrap());
        writer.into_inner().unwrap()
    } else {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_by_key(|line| {
            let row: Value = serde_json::from_str(line).unwrap();
            place(row["start"].as_str().unwrap(), row["id"].as_str().unwrap())
        });
        (lines.join("\n") + "\n").into_bytes()
    };
    fs::write(path, sorted).unwrap();
}

#[test]
fn a_file_that_is_read_in_pieces_gives_the_same_bytes() {
    let (mut pieces, mut compared) = (0, 0);
    for seed in 1..=5 {
        let mut session = Session::new();
        let world = world(seed, 9_000, &session.path("."));
        sort(&world.usage);
        let request = Request {
            rules: &world.rules,
            contacts: &world.contacts,
            usage: &world.usage,
            local_times: None,
            directory: world.directory.as_deref(),
            // A coding sheet may name any row: then nothing is read in pieces.
            coding: None,
            country: Country::from_code("US").unwrap(),
            zone: Zone::from_name("America/New_York").unwrap(),
        };
        let whole = price(&request).unwrap();
        let usage = world.usage.file_name().unwrap().to_str().unwrap();
        let mut arguments: Vec<&str> =
            vec!["price", "--rules", "rules", "--contacts", "contacts.csv", "--usage", usage];
        arguments.extend(["--out", "charges.csv", "--lines", "lines.csv", "--zone", "America/New_York"]);
        arguments.extend(["--format", "json"]);
        let directory = world.directory.as_ref().and_then(|path| path.file_name()?.to_str());
        arguments.extend(directory.iter().flat_map(|name| ["--directory", name]));
        let ended = session.run(&arguments);
        assert_eq!(ended.exit, 0, "seed {seed}: {}", ended.talk);
        let said: Value = serde_json::from_str(&ended.output).unwrap();
        match said["held"].as_str() {
            None => pieces += 1,
            Some(why) => assert!(why.contains("volume"), "seed {seed}: {why}"),
        }
        assert!(session.read("charges.csv").as_bytes() == whole.charges_csv(), "seed {seed}: charges differ");
        assert!(
            session.read("lines.csv").as_bytes() == whole.lines_csv().unwrap(),
            "seed {seed}: lines differ"
        );
        compared += 1;
    }
    assert!(pieces > 0, "none of {compared} files was read in pieces");
}
