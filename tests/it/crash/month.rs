//! The pull of a month, day by day, killed again and again.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tollbook::book::Book;
use tollbook::domain::record::{CoverageState, RecordKind};
use tollbook::run::facts::codec;
use tollbook::sandbox::{Options, Unrest};

use super::Dice;
use crate::company::{Company, FROM, LATE, Workspace};

const KILLS: u64 = 50;
const SEED: u64 = 20_261_123;

/// What a book holds, however it came: each version with its standing, each window with its state, count and digest.
fn contents(workspace: &Workspace) -> BTreeSet<String> {
    let book = Book::open(&workspace.book()).unwrap();
    let versions = book.scan(RecordKind::ALL, None, &codec()).unwrap();
    let mut contents: BTreeSet<String> = versions
        .iter()
        .map(|version| {
            let record = &version.record;
            let observed = record.observed;
            format!(
                "{} {} {} {observed} {:?}",
                record.key.kind, record.key.id, record.version, version.standing
            )
        })
        .collect();
    for entry in book.coverage().unwrap() {
        // The rounds of a feed of changes are as they were cut; its records are among the versions.
        if entry.window.feed.is_sync() {
            continue;
        }
        contents.insert(format!("{:?} {} {} {:?}", entry.window, entry.state, entry.records, entry.digest));
    }
    for stream in book.streams().unwrap() {
        contents.insert(format!("{} {:?} {:?}", stream.feed.name(), stream.from, stream.reached));
    }
    contents
}

/// A month with few calls a day, collected in windows of a day, on pages of a few records.
fn company() -> Company {
    let mut company = Company::new(Options { limits_lifted: true, ..Options::default() });
    let unrest = Unrest { seed: SEED, days: 31, calls: 900, messages: 250, mailboxes: 4, latest_days: 3 };
    company.world = Arc::new(company.world.restless(&unrest));
    company
}

fn by_days(workspace: &Workspace) {
    let path = workspace.path("tollbook.toml");
    let text = fs::read_to_string(&path).unwrap();
    let changed = text
        .replace("call_log_window = \"45 days\"", "call_log_window = \"1 day\"")
        .replace("message_window = \"45 days\"", "message_window = \"7 days\"");
    assert_ne!(text, changed);
    fs::write(path, changed).unwrap();
}

#[test]
fn a_month_killed_fifty_times_is_the_same_month() {
    let company = company();
    let service = company.serve_with(LATE, |options| options.per_page_at_most = 25);
    let pull = ["pull", "--from", FROM, "--at", LATE];
    let workspace = Workspace::new(&company.world, &service);
    by_days(&workspace);
    let untouched = workspace.duplicate();
    let began = Instant::now();
    workspace.run(&pull).expect(0);
    let lasted = began.elapsed();
    let expected = contents(&workspace);
    let sealed = CoverageState::Sealed.word();
    assert!(expected.iter().filter(|line| line.contains(sealed)).count() > 60 + 4 * 9);
    let mut dice = Dice(SEED);
    let (mut kills, mut rounds) = (0, 0);
    while kills < KILLS {
        let attacked = untouched.duplicate();
        rounds += 1;
        // On average the kills of a round are spread over the whole of the pull.
        let most = u64::try_from(lasted.as_millis()).unwrap() / (KILLS / 2) + 100;
        while kills < KILLS {
            let mut child = attacked.start(&pull);
            std::thread::sleep(Duration::from_millis(dice.below(most)));
            if child.try_wait().unwrap().is_some() {
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
        }
        attacked.run(&pull).expect(0);
        let found = contents(&attacked);
        let difference: Vec<&String> = expected.symmetric_difference(&found).take(5).collect();
        assert!(difference.is_empty(), "seed {SEED}, round {rounds}: {difference:#?}");
        attacked.run(&["verify"]).expect(0);
    }
}
