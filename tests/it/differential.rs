//! The program against the oracle: worlds drawn from seeds are priced by both, and every part of every charge and every
//! rounded line must agree. The oracle shares no code with the program and computes in rational numbers.

use std::fs;
use std::path::Path;

use tollbook::domain::{Country, Zone};
use tollbook::run::price::{Request, price};

use crate::support::compare::compare;
use crate::support::generator::{World, world};
use crate::support::oracle::{Defect, bill, bill_with_defect};

/// A seed of a world on which the two once disagreed is added here and stays.
const SEEDS: [u64; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 13, 22, 33, 54];

const EVENTS: usize = 1_000;

fn priced(world: &World, folder: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let request = Request {
        rules: &world.rules,
        contacts: &world.contacts,
        usage: &world.usage,
        directory: world.directory.as_deref(),
        coding: world.coding.as_deref(),
        local_times: None,
        country: Country::from_code("US").unwrap(),
        zone: Zone::from_name("America/New_York").unwrap(),
    };
    let result = price(&request).unwrap_or_else(|failure| panic!("{failure}\n{}", failure.shown_details()));
    let (charges, lines) = (folder.join("charges.csv"), folder.join("lines.csv"));
    fs::write(&charges, result.charges_csv()).unwrap();
    fs::write(&lines, result.lines_csv().unwrap()).unwrap();
    (charges, lines)
}

fn differences(seed: u64, events: usize) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let world = world(seed, events, folder.path());
    let (charges, lines) = priced(&world, folder.path());
    compare(&charges, &lines, &bill(world.inputs()))
}

fn check(seed: u64, events: usize) {
    let found = differences(seed, events);
    let shown: Vec<&String> = found.iter().take(3).collect();
    assert!(
        found.is_empty(),
        "seed {seed}: {} differences, the first are {shown:#?}\nreplay: TOLLBOOK_TEST_SEED={seed} TOLLBOOK_TEST_EVENTS={events} cargo test --test it differential",
        found.len()
    );
}

/// Events of the one world that is replayed: a larger world is another one.
fn events() -> usize {
    std::env::var("TOLLBOOK_TEST_EVENTS").map_or(EVENTS, |text| text.parse().expect("a number"))
}

#[test]
fn worlds_drawn_from_seeds_are_priced_as_the_oracle_prices_them() {
    match std::env::var("TOLLBOOK_TEST_SEED") {
        Ok(seed) => check(seed.parse().expect("the seed is a number"), events()),
        Err(_) => SEEDS.into_iter().for_each(|seed| check(seed, EVENTS)),
    }
}

/// One hundred thousand generated events agree with the oracle; `TOLLBOOK_TEST_WORLDS=40` makes it a million.
#[test]
fn a_hundred_thousand_events_are_priced_as_the_oracle_prices_them() {
    let worlds: u64 =
        std::env::var("TOLLBOOK_TEST_WORLDS").ok().map_or(4, |text| text.parse().expect("a number"));
    let next = std::sync::atomic::AtomicU64::new(1);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let world = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if world > worlds {
                        break;
                    }
                    check(1_000_000 + world, 25_000);
                }
            });
        }
    });
}

#[test]
fn the_comparison_sees_a_planted_defect() {
    for defect in [Defect::RoundPerEvent, Defect::BandOfCallStart, Defect::FirstRateWins] {
        let seen = SEEDS.into_iter().any(|seed| {
            let folder = tempfile::tempdir().unwrap();
            let world = world(seed, EVENTS, folder.path());
            let (charges, lines) = priced(&world, folder.path());
            let wrong = bill_with_defect(world.inputs(), defect);
            !compare(&charges, &lines, &wrong).is_empty()
        });
        assert!(seen, "{defect:?} was not seen in any world");
    }
}

/// Leaves a world on the disk to look at: `TOLLBOOK_TEST_FOLDER=… TOLLBOOK_TEST_SEED=… cargo test --test it differential::kept`.
#[test]
fn kept_world() {
    if let (Ok(folder), Ok(seed)) =
        (std::env::var("TOLLBOOK_TEST_FOLDER"), std::env::var("TOLLBOOK_TEST_SEED"))
    {
        fs::create_dir_all(&folder).unwrap();
        world(seed.parse().expect("the seed is a number"), EVENTS, Path::new(&folder));
    }
}
