//! The simulation: from a seed a small world, a service that misbehaves and a program that is cut off; the puller on
//! virtual time into a real book; and in the end the book against what happened.

mod chance;
mod cost;
mod defect;
mod oracle;
mod port;
mod run;
mod scenario;
mod segment;
mod witness;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use defect::Defect;
use run::{Outcome, Simulation, simulate};
use scenario::{Cut, Scenario};
use serde_json::Value;
use tollbook::sandbox::{Deletions, FaultPlan};
use witness::{Key, Kind};

const SEEDS: u64 = 500;
const THREADS: usize = 2;

/// The seeds of a run: one that is asked for, or those that failed once and then the usual ones.
fn seeds() -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    if let Some(seed) = number("TOLLBOOK_SEED") {
        return vec![seed];
    }
    let mut seeds = kept();
    seeds.extend(1..=number("TOLLBOOK_SEEDS").unwrap_or(SEEDS));
    let mut met = BTreeSet::new();
    seeds.retain(|seed| met.insert(*seed));
    seeds
}

/// The seeds that failed once: the first word of each line.
fn kept() -> Vec<u64> {
    include_str!("../../fixtures/seeds/simulation.txt")
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| !word.starts_with('#'))
        .map(|word| word.parse().expect("a seed"))
        .collect()
}

/// Plays one seed; what the program panics with is a failure like any other.
fn play(seed: u64, change: impl Fn(&mut Scenario), defect: Option<Defect>) -> Result<Outcome, String> {
    let played = catch_unwind(AssertUnwindSafe(|| {
        let mut scenario = Scenario::of_seed(seed);
        change(&mut scenario);
        let shown =
            || if std::env::var_os("TOLLBOOK_SEED").is_some() { scenario.describe() } else { String::new() };
        simulate(&scenario, defect).map_err(|what| format!("{what}\n{}", shown()))
    }));
    played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panic: {}", text.unwrap_or_default()))
    })
}

/// Plays seeds on several threads; gives what each came to, in their order.
fn play_all(seeds: &[u64]) -> Vec<(u64, Result<Outcome, String>)> {
    let next = AtomicUsize::new(0);
    let played = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = play(*seed, |_| {}, None);
                    played.lock().unwrap().push((*seed, outcome));
                }
            });
        }
    });
    let mut played = played.into_inner().unwrap();
    played.sort_by_key(|(seed, _)| *seed);
    played
}

fn print_sums(seeds: usize, took: Duration, outcomes: &[Outcome]) {
    let sum = |count: fn(&Outcome) -> u64| outcomes.iter().map(count).sum::<u64>();
    println!(
        "{seeds} seeds in {took:.1?}: {} requests ({} refused for their rate, {} without a usable answer), {} steps, \
         {} runs finished, {} gave up, {} were cut off, {} records in {} versions, {} deleted, {} windows sealed",
        sum(|outcome| outcome.counts.requests),
        sum(|outcome| outcome.counts.refused),
        sum(|outcome| outcome.counts.unusable),
        sum(|outcome| outcome.steps),
        sum(|outcome| outcome.finished),
        sum(|outcome| outcome.given_up),
        sum(|outcome| outcome.power_cuts),
        sum(|outcome| outcome.records),
        sum(|outcome| outcome.versions),
        sum(|outcome| outcome.deleted),
        sum(|outcome| outcome.windows),
    );
}

/// Requests with a usable answer over the least, in percent, by how it goes.
fn print_ratios(outcomes: &[Outcome]) {
    for (name, wanted) in [("sound pages", true), ("odd pages", false)] {
        let mut ratios: Vec<u64> = outcomes
            .iter()
            .filter(|outcome| outcome.sound_pages == wanted)
            .map(Outcome::ratio_percent)
            .collect();
        ratios.sort_unstable();
        let at = |share: usize| ratios.get((ratios.len().max(1) - 1) * share / 100).copied().unwrap_or(0);
        println!(
            "requests over the least, {name}: {} seeds, half at most {} %, nine tenths {} %, all {} %",
            ratios.len(),
            at(50),
            at(90),
            at(100),
        );
    }
}

#[test]
fn what_happened_is_in_the_book_whatever_happens() {
    let seeds = seeds();
    let began = Instant::now();
    let played = play_all(&seeds);
    let mut failures = Vec::new();
    let mut outcomes = Vec::new();
    for (seed, outcome) in played {
        match outcome {
            Ok(outcome) => {
                if seeds.len() <= 20 {
                    println!("seed {seed}: {outcome:?}");
                }
                outcomes.push(outcome);
            }
            Err(what) => failures.push(format!(
                "seed {seed}: {what}\n  replay: TOLLBOOK_SEED={seed} cargo test --test it -- simulation --nocapture"
            )),
        }
    }
    print_sums(seeds.len(), began.elapsed(), &outcomes);
    print_ratios(&outcomes);
    if outcomes.len() >= 100 {
        // Many seeds in which nothing happens would prove nothing.
        let happened: [fn(&Outcome) -> u64; 5] = [
            |outcome| outcome.counts.refused,
            |outcome| outcome.counts.unusable,
            |outcome| outcome.given_up,
            |outcome| outcome.power_cuts,
            |outcome| outcome.deleted,
        ];
        assert!(happened.iter().all(|count| outcomes.iter().map(count).sum::<u64>() > 0), "too calm a world");
    }
    let count = failures.len();
    failures.truncate(8);
    assert!(count == 0, "{count} of {} seeds failed\n{}", seeds.len(), failures.join("\n"));
}

/// What each planted defect is shown, beside the world: windows alone, since two ways of reading hide each other's
/// losses, and only what brings the defect to light.
fn bait(scenario: &mut Scenario, defect: Defect) {
    let plan = match defect {
        // A list that shifts while it is read leaves records out of one listing.
        Defect::TakesAbsenceForDeletion => "[[fault]]\nkind = \"deleted-records-shift\"\nevery = 4\n",
        _ => "",
    };
    scenario.faults = FaultPlan::parse(plan).unwrap();
    scenario.lasting = FaultPlan::empty();
    (scenario.settings.call_sync, scenario.settings.message_sync) = (false, false);
    for (place, pull) in scenario.pulls.iter_mut().enumerate() {
        pull.clock_jump = None;
        pull.power_cut =
            (defect == Defect::CursorBeforePage && place == 0).then_some((9, Cut::BeforeLanding));
    }
}

#[test]
fn each_planted_defect_is_seen() {
    const SEEDS_AT_MOST: u64 = 12;
    for defect in Defect::ALL {
        let bait = |scenario: &mut Scenario| bait(scenario, defect);
        let seen = (1..=SEEDS_AT_MOST).find_map(|seed| {
            let sound = play(seed, bait, None);
            assert!(sound.is_ok(), "seed {seed} fails without {defect:?}: {sound:?}");
            play(seed, bait, Some(defect)).err().map(|what| (seed, what))
        });
        let Some((seed, what)) = seen else { panic!("{defect:?} is not seen in {SEEDS_AT_MOST} seeds") };
        let what: String = what.chars().take(160).collect();
        println!("{defect:?} is seen with seed {seed}: {what}");
    }
}

/// The records that one way of reading showed last, deleted ones apart, without addresses.
fn shown(simulation: &Simulation<'_>, by_changes: bool, from: DateTime<Utc>) -> BTreeMap<Key, String> {
    let latest = simulation.port.witness.latest.iter().filter(|((way, _), _)| *way == by_changes);
    let contents = latest.filter_map(|((_, key), content)| {
        let record: Value = serde_json::from_str(content).unwrap();
        let start = record["startTime"].as_str().or(record["creationTime"].as_str());
        // One style of the service has no colon in its offsets.
        let start = start.map(|start| start.replace("+0000", "Z"));
        let start = start.and_then(|start| DateTime::parse_from_rfc3339(&start).ok());
        let deleted =
            record["deleted"] == true || record["availability"].as_str().is_some_and(|it| it != "Alive");
        (!deleted && start.is_some_and(|start| start >= from))
            .then(|| (key.clone(), witness::without_addresses(content)))
    });
    contents.collect()
}

/// Changes and lists are independent of each other at the service and in the program: at rest they must have shown
/// the same records, the same way.
#[test]
fn both_ways_of_reading_agree_on_the_same_world() {
    let (mut calls, mut messages) = (0, 0);
    for seed in 1..=24 {
        let mut scenario = Scenario::of_seed(seed);
        (scenario.faults, scenario.lasting) = (FaultPlan::empty(), FaultPlan::empty());
        (scenario.settings.call_sync, scenario.settings.message_sync) = (true, true);
        // Absent deletions, or unmarked ones, are what the two ways need not agree on.
        scenario.options.unknowns.extract_deletions = Deletions::Marked;
        scenario.options.unknowns.extract_history = None;
        scenario.options.unknowns.list_marks_deleted = true;
        scenario.options.unknowns.deleted_messages_gone = false;
        scenario.options.sent_fax_retention = None;
        for pull in &mut scenario.pulls {
            (pull.power_cut, pull.clock_jump) = (None, None);
        }
        let mut simulation = Simulation::new(&scenario, None).unwrap();
        simulation.play().unwrap_or_else(|what| panic!("seed {seed}: {what}"));
        let from = scenario.from();
        let (changes, lists) = (shown(&simulation, true, from), shown(&simulation, false, from));
        // What was deleted shows as such in one of them only, perhaps.
        let deleted = |(way, key): (bool, &Key)| {
            let content = simulation.port.witness.latest.get(&(way, key.clone()));
            content.is_some_and(|content| content.contains("eleted") || content.contains("Purged"))
        };
        for key in changes.keys().chain(lists.keys()) {
            if deleted((true, key)) || deleted((false, key)) {
                continue;
            }
            assert_eq!(changes.get(key), lists.get(key), "seed {seed}: {key:?}");
        }
        calls += changes.keys().filter(|(kind, _)| *kind == Kind::Call).count();
        messages += changes.keys().filter(|(kind, _)| *kind == Kind::Message).count();
    }
    println!("both ways agree on {calls} calls and {messages} messages");
    assert!(calls > 400 && messages > 200, "{calls} {messages}");
}
