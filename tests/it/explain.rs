//! Every cent explained: the steps of every event on every line give what was finalised, and the lines give the total.

use std::collections::BTreeSet;

use num_rational::BigRational;
use serde_json::Value;
use tollbook::domain::{Country, Exact, Zone};
use tollbook::run::price::{Request, price};
use tollbook::stage::explain::explained_steps;

use crate::company::{Company, LATE, Workspace, sunday};
use crate::support::generator::world;
use crate::support::session::{Session, USAGE};

#[track_caller]
fn ratio(value: &Value) -> BigRational {
    value.as_str().unwrap_or_else(|| panic!("{value} is no ratio")).parse().unwrap()
}

fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

/// Checks one document as `explain NUMBER --every --format json` says it; returns its lines and events.
fn check(explained: &Value) -> (usize, usize) {
    let number = explained["number"].as_str().unwrap();
    let mut on_lines = BTreeSet::new();
    let mut net = 0;
    for line in rows(&explained["lines"]) {
        let kind = line["line"]["key"]["kind"].as_str().unwrap();
        let exact = ratio(&line["line"]["exact"]);
        let charges: BigRational = rows(&line["events"]).map(|event| ratio(&event["exact"])).sum();
        if matches!(kind, "usage" | "allowance") {
            assert_eq!(charges, exact, "{number}: {line}");
        }
        on_lines.extend(rows(&line["events"]).map(|event| event["event"].as_str().unwrap()));
        let minor: i64 = line["line"]["amount"]["minor_units"].to_string().parse().unwrap();
        let units = match explained["currency"].as_str().unwrap() {
            "JPY" => 1,
            "KWD" => 1000,
            _ => 100,
        };
        let rounded = BigRational::new(minor.into(), units.into());
        assert_eq!(&exact + ratio(&line["line"]["residual"]), rounded, "{number}: {line}");
        assert!(line["text"].as_str().is_some_and(|text| text.contains("rounded once")), "{number}: {line}");
        net += minor;
    }
    assert_eq!(explained["net"]["minor_units"].to_string(), net.to_string(), "{number}");
    let mut explained_events = BTreeSet::new();
    for event in rows(&explained["events"]) {
        let id = event["event"].as_str().unwrap();
        let sum: BigRational = rows(&event["steps"]).map(|step| ratio(&step["adds"])).sum();
        assert_eq!(sum, ratio(&event["charge"]), "{number}, {id}");
        assert_eq!(sum, ratio(&event["finalised"]), "{number}, {id}");
        assert!(rows(&event["steps"]).all(|step| step["step"].is_string() && step["text"].is_string()));
        assert!(!event["evidence"].as_array().unwrap().is_empty(), "{number}, {id}");
        assert!(rows(&event["tariffs"]).all(|tariff| tariff["options"].as_array().unwrap().len() > 20));
        explained_events.insert(id);
    }
    assert_eq!(on_lines, explained_events, "{number}");
    (explained["lines"].as_array().unwrap().len(), explained_events.len())
}

#[test]
fn the_steps_of_every_event_give_what_was_finalised() {
    let company = Company::new(sunday());
    let service = company.serve(LATE);
    let workspace = Workspace::new(&company.world, &service);
    workspace.pull(LATE).expect(0);
    workspace.finalise().expect(0);
    let list = workspace.run(&["invoice", "list", "--format", "json"]).expect(0).json();
    let (mut lines, mut events) = (0, 0);
    for document in list.as_array().unwrap() {
        let number = document["number"].as_str().unwrap();
        let explained = workspace.run(&["explain", number, "--every", "--format", "json"]).expect(0).json();
        let (own_lines, own_events) = check(&explained);
        lines += own_lines;
        events += own_events;
    }
    assert!(lines > 20 && events > 20, "{lines} lines, {events} events");
}

/// The property behind it, on worlds drawn from seeds: whatever the tariffs, the steps of each event add up to its charge.
#[test]
fn the_steps_of_generated_events_add_up_to_their_charges() {
    let mut charged = 0;
    for seed in 1..=12 {
        let folder = tempfile::tempdir().unwrap();
        let world = world(seed, 500, folder.path());
        let request = Request {
            rules: &world.rules,
            contacts: &world.contacts,
            usage: &world.usage,
            local_times: None,
            directory: world.directory.as_deref(),
            coding: world.coding.as_deref(),
            country: Country::from_code("US").unwrap(),
            zone: Zone::from_name("America/New_York").unwrap(),
        };
        let priced = price(&request).unwrap_or_else(|failure| panic!("{failure}"));
        let traced = priced.traced().unwrap();
        assert_eq!(traced.len(), priced.events.len());
        let mut components = vec![Exact::ZERO; traced.len()];
        for (index, charge) in &priced.run.charges {
            for component in &charge.components {
                let exact = priced.rules.exact(component.numerator);
                components[*index] = components[*index].plus(exact).unwrap();
            }
            charged += 1;
        }
        for (index, traced) in traced.iter().enumerate() {
            let steps = explained_steps(&priced.rules, &traced.derivation);
            let sum = steps.iter().try_fold(Exact::ZERO, |sum, step| sum.plus(step.adds)).unwrap();
            let event = &priced.events[index];
            assert_eq!(
                sum,
                priced.rules.exact(priced.run.rated[index].numerator),
                "seed {seed}, {}",
                event.id
            );
            assert_eq!(sum, components[index], "seed {seed}, {}", event.id);
        }
    }
    assert!(charged > 2_000, "{charged} charged events");
}

/// From a document to a line, an event and a record, and what is said of ids that nobody knows.
#[test]
fn explanations_start_from_documents_lines_events_and_records() {
    let mut session = Session::with_company();
    session.write("usage.csv", USAGE);
    let import =
        ["import", "--usage", "usage.csv", "--covers", "2026-10-01..2026-11-01", "--reason", "whole month"];
    assert_eq!(session.run(&import).exit, 0);
    let first = USAGE.lines().nth(1).and_then(|line| line.split(',').next()).unwrap();
    let event = format!("usage:{first}");
    assert_eq!(session.run(&["explain", &event]).exit, 0, "before anything is final");
    let finalise = ["run", "--period", "2026-10", "--finalise", "--issue-date", "2026-11-05"];
    assert_eq!(session.run(&finalise).exit, 0);
    for arguments in [
        &["explain", "INV-000001"][..],
        &["explain", "INV-000002", "--line", "1"],
        &["explain", &event, "--options"],
        &["explain", first],
    ] {
        assert_eq!(session.run(arguments).exit, 0, "{arguments:?}");
    }
    // What comes when the month is final: a call that waits for an adjustment, and one that nobody can bill.
    let header = USAGE.lines().next().unwrap();
    let columns: Vec<&str> = header.split(',').collect();
    let late = |id: &str, seconds: &str| -> String {
        let cell = |column: &&str| match *column {
            "id" => id,
            "start" => "2026-10-20T10:00:00-04:00",
            "seconds" => seconds,
            "channel" => "voice",
            "direction" => "inbound",
            "from" => "+19175550100",
            "to" => "+12125550143",
            "outcome" => "answered",
            _ => "",
        };
        columns.iter().map(cell).collect::<Vec<_>>().join(",")
    };
    session.write("late.csv", format!("{header}\n{}\n{}\n", late("late", "60"), late("unmeasured", "")));
    assert_eq!(session.run(&["import", "--usage", "late.csv"]).exit, 0);
    assert_eq!(session.run(&["explain", "usage:late"]).exit, 0);
    assert_eq!(session.run(&["explain", "unmeasured"]).exit, 0);
    for arguments in [
        &["explain", "INV-000009"][..],
        &["explain", "INV-000001", "--line", "9"],
        &["explain", "INV-000001", "--line", "1", "--event", "usage:nobody"],
        &["explain", "usage:nobody"],
    ] {
        assert_eq!(session.run(arguments).exit, 2, "{arguments:?}");
    }
    session.golden("explain");
}
