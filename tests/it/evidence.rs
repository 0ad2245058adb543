//! Extensions' own call logs beside the account's, through the program: the amounts stay, the ledgers add up, and what only
//! an extension's log tells is seen by whoever reads the report.

use std::fs;

use serde_json::Value;
use tollbook::sandbox::{Deletions, LegOrder, Running, Spelling, TimeStyle, Unknowns};

use crate::company::{Company, EARLY, FROM, LATE, Tree, Workspace, sunday};

const EXTENSION_CALLS: &str = "extension_calls = [\"101\", \"102\", \"103\", \"104\", \"105\", \"106\"]\n";
const RUN: [&str; 3] = ["run", "--period", "2026-10"];
const ONLY_THERE: &str = "in an extension's log only; the account's log is what is billed";

/// Pulls the month twice, the second time from a service that answers unknowns otherwise, and drafts it.
fn pulled_twice(company: &Company, unknowns: &Unknowns) -> Tree {
    let early = company.serve(EARLY);
    let late = company.serve_with(LATE, |options| options.unknowns = unknowns.clone());
    let workspace = Workspace::new(&company.world, &early);
    workspace.add_service("late.toml", &late.base_url);
    workspace.run(&["pull", "--from", FROM, "--at", EARLY]).expect(0);
    workspace.run(&["pull", "--from", FROM, "--at", LATE, "--reread", "--config", "late.toml"]).expect(0);
    workspace.run(&RUN).expect(0);
    workspace.output()
}

/// Pulls and drafts the month, with lines added to `[collect]`.
fn drafted(company: &Company, service: &Running, collect: &str) -> Workspace {
    let workspace = Workspace::new(&company.world, service);
    let path = workspace.path("tollbook.toml");
    let text = fs::read_to_string(&path).unwrap();
    let changed = match collect.contains("call_log ") {
        true => text.replace("call_log  = true\n", ""),
        false => text,
    };
    fs::write(&path, changed.replacen("[collect]\n", &format!("[collect]\n{collect}"), 1)).unwrap();
    workspace.pull(LATE).expect(0);
    workspace.run(&RUN).expect(0);
    workspace
}

fn control(output: &Tree) -> Value {
    serde_json::from_slice(&output["2026-10/control.json"]).unwrap()
}

fn records(control: &Value, disposition: &str) -> i64 {
    let list = control["records"].as_array().unwrap();
    list.iter().find(|entry| entry["disposition"] == disposition).unwrap()["records"].as_i64().unwrap()
}

fn excluded(control: &Value, rule: &str) -> i64 {
    let list = control["excluded"].as_array().unwrap();
    list.iter().find(|entry| entry["rule"] == rule).map_or(0, |entry| entry["records"].as_i64().unwrap())
}

/// The lines of all drafts: what a client is asked to pay.
fn annexes(output: &Tree) -> Tree {
    let annexes = output.iter().filter(|(path, _)| path.ends_with("calls.csv"));
    annexes.map(|(path, bytes)| (path.clone(), bytes.clone())).collect()
}

#[test]
fn extensions_logs_change_no_amount() {
    let company = Company::new(sunday());
    for ids_differ in [false, true] {
        let service = company.serve_with(LATE, |options| options.unknowns.extension_ids_differ = ids_differ);
        let without = drafted(&company, &service, "").output();
        let with = drafted(&company, &service, EXTENSION_CALLS).output();
        let (before, after) = (control(&without), control(&with));
        assert_eq!((&before["adds_up"], &after["adds_up"]), (&true.into(), &true.into()), "{after:#}");
        assert_eq!(after["money"], before["money"]);
        assert_eq!(after["events"], before["events"]);
        assert!(!annexes(&without).is_empty());
        assert_eq!(annexes(&with), annexes(&without));
        let supporting = |control: &Value| records(control, "supporting evidence");
        let added =
            after["records_collected"].as_i64().unwrap() - before["records_collected"].as_i64().unwrap();
        assert!(added > 0);
        assert_eq!(supporting(&after) - supporting(&before), added, "{after:#}");
        assert_eq!(excluded(&after, ONLY_THERE), 0);
        let page = String::from_utf8(with["2026-10/index.html"].clone()).unwrap();
        assert!(!page.contains("contradicts"), "both logs tell of the same world");
    }
}

#[test]
fn what_only_an_extension_tells_is_not_billed_and_is_seen() {
    let company = Company::new(sunday());
    let service = company.serve(LATE);
    let collect = format!("call_log = false\n{EXTENSION_CALLS}");
    let output = drafted(&company, &service, &collect).output();
    let control = control(&output);
    assert_eq!(control["adds_up"], true, "{control:#}");
    let only_there = excluded(&control, ONLY_THERE);
    assert!(only_there > 0, "{control:#}");
    assert!(only_there <= records(&control, "excluded"));
    for (path, annex) in annexes(&output) {
        assert!(!String::from_utf8(annex).unwrap().contains(",voice,"), "{path} bills a call");
    }
    let page = String::from_utf8(output["2026-10/index.html"].clone()).unwrap();
    assert!(page.contains(&format!("(records: {only_there}; extension-call ")), "a finding of the report");
    assert!(page.contains("log is what is billed</td>"), "a rule of the ledger");
}

#[test]
fn another_way_of_writing_is_a_duplicate_and_of_deleting_no_loss() {
    let company = Company::new(sunday());
    let usual = pulled_twice(&company, &Unknowns::default());
    let before = control(&usual);
    let written = Unknowns {
        leg_order: LegOrder::MostRecentFirst,
        time_style: TimeStyle::Offset,
        result_spelling: Spelling::Varied,
        finished_absent: true,
        message_ids_are_text: true,
        ..Unknowns::default()
    };
    let after = control(&pulled_twice(&company, &written));
    assert_eq!((&after["money"], &after["events"]), (&before["money"], &before["events"]));
    assert_eq!(records(&after, "superseded"), records(&before, "superseded"), "{after:#}");
    assert!(records(&after, "duplicate") > records(&before, "duplicate"), "{after:#}");
    for extract_deletions in [Deletions::Stub, Deletions::Bare, Deletions::Absent] {
        let unknowns = Unknowns { extract_deletions, ..Unknowns::default() };
        let output = pulled_twice(&company, &unknowns);
        let after = control(&output);
        assert_eq!((&after["money"], &after["events"]), (&before["money"], &before["events"]));
        assert_eq!(after["adds_up"], true, "{extract_deletions:?}");
        assert_eq!(annexes(&output), annexes(&usual), "{extract_deletions:?}");
    }
}
