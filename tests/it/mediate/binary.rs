//! The samples through the program itself: imported, then run.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use super::samples;

const CONFIGURATION: &str = "book = \"tollbook.book\"\nrules = \"rules\"\ncontacts = \"contacts.csv\"\noutput = \"out\"\n\
    country = \"US\"\nzone = \"America/Los_Angeles\"\n\n[company]\nname = \"Sample Co\"\naddress = [\"1 Main Street\"]\n";

const RULES: &str = r#"default_tariff = "plain"

[tariff.plain]
currency = "USD"
zone = "America/Los_Angeles"
valid_from = "2026-01-01"

[[tariff.plain.rate]]
name = "Calls"
match = { channel = "voice" }
price = "0.60 per minute"

[[tariff.plain.rate]]
name = "Texts"
match = { channel = ["sms", "mms"] }
price = "0.05 per message"

[[tariff.plain.rate]]
name = "Faxes"
match = { channel = "fax" }
price = "0.10 per page"

[[tariff.plain.rate]]
name = "Voicemail"
match = { channel = "voicemail" }
price = "0.25 per message"
"#;

const CONTACTS: &str = "id,name,numbers,tariff\nnew-york,New York Client,+12125550143;+12125550166,plain\n\
    angeles,Los Angeles Client,+13105550177;+13105550167;+13105550168,plain\n\
    francisco,San Francisco Client,+14155550188,plain\n";

fn tollbook(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tollbook"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .expect("the program runs")
}

fn expect_success(output: &Output) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{}\n{told}", String::from_utf8_lossy(&output.stdout));
}

/// A customer's folder into which the given files have been imported, and which has been run.
fn run(files: &[String]) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    fs::create_dir(folder.path().join("rules")).expect("a folder");
    fs::write(folder.path().join("tollbook.toml"), CONFIGURATION).expect("written");
    fs::write(folder.path().join("rules/plain.toml"), RULES).expect("written");
    fs::write(folder.path().join("contacts.csv"), CONTACTS).expect("written");
    let mut arguments = vec!["import"];
    arguments.extend(files.iter().map(String::as_str));
    expect_success(&tollbook(folder.path(), &arguments));
    expect_success(&tollbook(folder.path(), &["run", "--period", "2026-03"]));
    folder
}

fn api_files() -> Vec<String> {
    let path = |name: &String| format!("{}/fixtures/ringcentral/{name}", env!("CARGO_MANIFEST_DIR"));
    samples().iter().map(path).collect()
}

fn portal_file() -> String {
    format!("{}/fixtures/portal/call-log.csv", env!("CARGO_MANIFEST_DIR"))
}

fn json(folder: &Path, name: &str) -> Value {
    let path = folder.join("out/2026-03").join(name);
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).expect("JSON")
}

fn records(control: &Value, disposition: &str) -> i64 {
    let list = control["records"].as_array().expect("dispositions");
    let entry = list.iter().find(|entry| entry["disposition"] == disposition);
    entry.and_then(|entry| entry["records"].as_i64()).expect("a count")
}

fn all_records(control: &Value) -> i64 {
    let list = control["records"].as_array().expect("dispositions");
    list.iter().map(|entry| entry["records"].as_i64().expect("a count")).sum()
}

fn drafts(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join("out/2026-03/drafts")).expect("drafts");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("a draft").file_name().into_string().expect("a name")).collect();
    names.sort();
    names
}

/// The rows of a draft's annex that name a call's start.
fn annex_rows(folder: &Path, draft: &str, wanted: &str) -> usize {
    let path = folder.join("out/2026-03/drafts").join(draft).join("calls.csv");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().filter(|line| line.contains(wanted)).count()
}

#[test]
fn the_samples_are_billed_once() {
    let folder = run(&api_files());
    let control = json(folder.path(), "control.json");
    assert_eq!(control["adds_up"], true, "{control:#}");
    assert_eq!(all_records(&control), control["records_collected"].as_i64().expect("a count"));
    assert_eq!(records(&control, "suspended"), 0, "{control:#}");
    assert!(records(&control, "superseded") > 0);
    assert_eq!(drafts(folder.path()), ["angeles", "francisco", "new-york"]);
    assert_eq!(annex_rows(folder.path(), "new-york", "19269e00010000"), 1, "the call through the queue");
}

#[test]
fn the_portals_file_bills_nothing_again() {
    let api = run(&api_files());
    let mut files = api_files();
    files.push(portal_file());
    let both = run(&files);
    // The file may as well come first, before the book knows its account.
    files.rotate_right(1);
    files.push(portal_file());
    let reversed = run(&files);
    let (without, with) = (json(api.path(), "control.json"), json(both.path(), "control.json"));
    assert_eq!(with, json(reversed.path(), "control.json"));
    assert_eq!(with["adds_up"], true);
    assert_eq!(with["money"], without["money"]);
    assert_eq!(with["events"], without["events"]);
    assert_eq!(records(&with, "supporting evidence"), records(&without, "supporting evidence") + 5);
}
