//! A book made again from what it keeps raw, and a book whose small files are joined: the same book to everybody who
//! reads it, and killed at any step still the old one or the new one.

use std::fs;

use serde_json::Value;
use tollbook::book::Book;

use crate::company::{Company, EARLY, Ended, FROM, LATE, Workspace, sunday};

/// A portal file and a usage file, so that every kind of raw source is read again.
const USAGE: &str = "id,start,seconds,channel,direction,from,to,outcome,segments\n\
    one,2026-10-05T14:00:00.5-04:00,61,voice,outbound,+12125550120,+12125550143,answered,\n\
    two,2026-10-06T09:30:00-04:00,,sms,outbound,+12125550120,+12125550143,delivered,2\n";
const PORTAL: &str = "Type,Direction,From,To,Extension,Forwarded To,Name,Date,Time,Action,Action Result,Duration\n\
    Voice,Outgoing,(212) 555-0120,(212) 555-0143,,,,Mon 10/05/2026,2:00 PM,VoIP Call,Call connected,0:01:01\n";

/// Two pulls and three files.
fn collected() -> (Company, Workspace) {
    let company = Company::new(sunday());
    let services = [EARLY, LATE].map(|at| company.serve_with(at, |options| options.per_page_at_most = 40));
    let workspace = Workspace::new(&company.world, &services[0]);
    workspace.add_service("late.toml", &services[1].base_url);
    workspace.pull(EARLY).expect(0);
    workspace.run(&["pull", "--from", FROM, "--at", LATE, "--reread", "--config", "late.toml"]).expect(0);
    fs::write(workspace.path("usage.csv"), USAGE).unwrap();
    fs::write(workspace.path("portal.csv"), PORTAL).unwrap();
    workspace.run(&["import", "--usage", "usage.csv", "--actor", "test"]).expect(0);
    workspace.run(&["import", "portal.csv", "--actor", "test"]).expect(0);
    (company, workspace)
}

fn json(workspace: &Workspace, command: &[&str]) -> Value {
    let mut arguments = command.to_vec();
    arguments.extend(["--format", "json"]);
    workspace.run(&arguments).expect(0).json()
}

/// What a reader sees: counts, coverage, notes.
fn seen(workspace: &Workspace) -> String {
    let book = Book::open(&workspace.book()).unwrap();
    format!("{:?}\n{:?}\n{:?}", workspace.counts(), book.coverage().unwrap(), book.notes().unwrap())
}

#[test]
fn rebuilt_and_joined_it_is_the_same_book() {
    let (_company, workspace) = collected();
    let before = seen(&workspace);
    let checked = json(&workspace, &["rebuild", "--check"]);
    assert_eq!(checked["before"], checked["after"]);
    assert_eq!((&checked["imports"], &checked["segments"]), (&Value::from(2), &Value::from(0)));
    assert!(checked["versions"].as_u64().unwrap() > 50, "{checked}");
    let rebuilt = json(&workspace, &["rebuild"]);
    assert_eq!((&rebuilt["before"], &rebuilt["after"]), (&checked["before"], &checked["before"]));
    assert_eq!(seen(&workspace), before);
    workspace.run(&["verify"]).expect(0);
    let compacted = json(&workspace, &["compact"]);
    let count = |name: &str| compacted[name].as_u64().unwrap();
    assert!(count("segments_after") < count("segments_before"), "{compacted}");
    assert!(count("archives_after") < count("archives_before"), "{compacted}");
    assert_eq!(seen(&workspace), before);
    workspace.run(&["verify"]).expect(0);
    assert_eq!(json(&workspace, &["rebuild", "--check"])["after"], checked["before"]);
}

#[test]
fn a_bill_does_not_see_maintenance() {
    let (_company, workspace) = collected();
    let maintained = workspace.duplicate();
    maintained.run(&["rebuild"]).expect(0);
    maintained.run(&["compact"]).expect(0);
    for workspace in [&workspace, &maintained] {
        workspace.run(&["run", "--period", "2026-10"]).expect(0);
    }
    assert_eq!(crate::company::difference(&workspace.output(), &maintained.output()), None);
}

#[test]
fn a_kill_in_maintenance_changes_nothing() {
    let (_company, workspace) = collected();
    let before = seen(&workspace);
    for (command, points) in [
        ("rebuild", ["file.renamed:3", "rebuild.filled", "rebuild.before-commit", "rebuild.committed"]),
        ("compact", ["compact.published", "compact.before-commit:2", "compact.committed", "sweep.removed"]),
    ] {
        for point in points {
            let mut killed = workspace.command(&[command]);
            let ended = Ended::of(killed.env("TOLLBOOK_CRASH_AT", point).output().unwrap());
            // The second joining finds nothing left to do once the first one was committed.
            assert!(ended.code.is_none() || command == "compact", "{command} never passed {point}");
            assert_eq!(seen(&workspace), before, "{command} killed at {point}");
            workspace.run(&["verify"]).expect(0);
        }
        workspace.run(&[command]).expect(0);
        assert_eq!(seen(&workspace), before);
    }
    workspace.run(&["rebuild", "--check"]).expect(0);
}
