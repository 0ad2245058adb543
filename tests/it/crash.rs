//! The crash net over the whole program: it is killed at every durable step of its work and started again without
//! the kill; what it then writes must equal, byte for byte, what a program that was never killed writes.
//!
//! The workload is two pulls (the second one finds late and edited records and reads everything again) and a billing
//! run that finalises. Files, decisions and their points have a small workload of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Child, Command};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tollbook::book::crash::{CURSOR_BEFORE_PAGE, POINTS};
use tollbook::sandbox::Running;

use crate::company::{Company, EARLY, Ended, FINALISE, FROM, LATE, Tree, Workspace, difference, sunday};

mod files;
mod month;

const FIRST: usize = 0;
const SECOND: usize = 1;
const BILL: usize = 2;

/// The commands of the workload, in their order.
const STEPS: [&[&str]; 3] = [
    &["pull", "--from", FROM, "--at", EARLY],
    &["pull", "--from", FROM, "--at", LATE, "--reread", "--config", "late.toml"],
    &FINALISE,
];

/// Points that this workload never passes; `files` passes those of imports and decisions, the tests of `rebuild` and of
/// the book itself those of maintenance, and two kills in a row pass the sweeping of files. The last is passed only with its defect planted.
const NOT_PASSED: [&str; 15] = [
    "compact.before-commit",
    "compact.committed",
    "compact.published",
    "decision.before-commit",
    "decision.committed",
    "import.before-commit",
    "import.committed",
    "import.file-renamed",
    "land.cursor-ahead",
    "rebuild.before-commit",
    "rebuild.committed",
    "rebuild.filled",
    "reopen.before-commit",
    "reopen.committed",
    "sweep.removed",
];

/// How a step is killed.
#[derive(Clone, Debug)]
enum Kill {
    /// At the nth pass of a point.
    Point(&'static str, u64),
    /// After some time, wherever it is then.
    After(Duration),
}

/// Kills of one step, one after the other; the last start is left alone, and the steps after it.
#[derive(Clone, Debug)]
struct Scenario {
    step: usize,
    kills: Vec<Kill>,
    plant: Option<&'static str>,
}

/// The workload as it goes undisturbed.
struct Reference {
    _company: Company,
    _services: [Running; 2],
    /// The workspace before each step.
    before: Vec<Workspace>,
    /// How often each step passes each point, and how long it takes.
    passes: Vec<BTreeMap<String, u64>>,
    lasted: Vec<Duration>,
    output: Tree,
    counts: Value,
}

impl Reference {
    fn new() -> Reference {
        Reference::with(|_| ())
    }

    /// With a change of the workspace's files.
    fn with(change: impl FnOnce(&Workspace)) -> Reference {
        let company = Company::new(sunday());
        // Small pages: a listing of several is where a cursor can run ahead.
        let services =
            [EARLY, LATE].map(|at| company.serve_with(at, |options| options.per_page_at_most = 40));
        let workspace = Workspace::new(&company.world, &services[0]);
        change(&workspace);
        workspace.add_service("late.toml", &services[1].base_url);
        let (mut before, mut passes, mut lasted) = (Vec::new(), Vec::new(), Vec::new());
        for step in STEPS {
            before.push(workspace.duplicate());
            let began = Instant::now();
            passes.push(traced(&workspace, step));
            lasted.push(began.elapsed());
        }
        let (output, counts) = (workspace.output(), workspace.counts());
        workspace.run(&["verify"]).expect(0);
        assert!(output.contains_key("2026-10/index.html"));
        Reference { _company: company, _services: services, before, passes, lasted, output, counts }
    }

    /// Plays a scenario; says what differs from the reference at its end.
    fn play(&self, scenario: &Scenario) -> Result<(), String> {
        let workspace = self.before[scenario.step].duplicate();
        let command = |step: usize| {
            let mut command = workspace.command(STEPS[step]);
            command.envs(scenario.plant.map(|plant| ("TOLLBOOK_PLANT", plant)));
            command
        };
        for kill in &scenario.kills {
            killed(command(scenario.step), kill)?;
        }
        for step in scenario.step..STEPS.len() {
            let ended = Ended::of(command(step).output().unwrap());
            if ended.code != Some(0) {
                return Err(format!("step {step} ended with {:?}: {}", ended.code, ended.err));
            }
        }
        match difference(&self.output, &workspace.output()) {
            Some(difference) => return Err(difference),
            None => same("status", &self.counts, &workspace.counts())?,
        }
        match workspace.run(&["verify"]) {
            Ended { code: Some(0), .. } => Ok(()),
            ended => Err(format!("verify: {}{}", ended.out, ended.err)),
        }
    }

    /// Plays scenarios two at a time and returns what went wrong.
    fn play_all(&self, scenarios: &[Scenario]) -> Vec<String> {
        let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::SeqCst)) {
                        if let Err(difference) = self.play(scenario) {
                            wrong.lock().unwrap().push(format!("{scenario:?}: {difference}"));
                        }
                    }
                });
            }
        });
        wrong.into_inner().unwrap()
    }
}

/// What of two values differs, and where.
fn same(place: &str, expected: &Value, found: &Value) -> Result<(), String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) if expected.keys().eq(found.keys()) => expected
            .iter()
            .zip(found.values())
            .try_for_each(|((name, expected), found)| same(&format!("{place} {name}"), expected, found)),
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => expected
            .iter()
            .zip(found)
            .enumerate()
            .try_for_each(|(index, (expected, found))| same(&format!("{place} {index}"), expected, found)),
        _ if expected == found => Ok(()),
        _ => Err(format!("{place} is {found} instead of {expected}")),
    }
}

/// Runs a step to its end and counts the points it passes.
fn traced(workspace: &Workspace, step: &[&str]) -> BTreeMap<String, u64> {
    let trace = tempfile::NamedTempFile::new().unwrap();
    let mut command = workspace.command(step);
    Ended::of(command.env("TOLLBOOK_CRASH_TRACE", trace.path()).output().unwrap()).expect(0);
    let mut passes = BTreeMap::new();
    for point in fs::read_to_string(trace.path()).unwrap().lines() {
        *passes.entry(point.to_owned()).or_default() += 1;
    }
    passes
}

/// Starts a command and kills it. A point that is not reached is a mistake of the test.
fn killed(mut command: Command, kill: &Kill) -> Result<(), String> {
    match kill {
        Kill::Point(point, nth) => {
            let ended =
                Ended::of(command.env("TOLLBOOK_CRASH_AT", format!("{point}:{nth}")).output().unwrap());
            match ended.code {
                None => Ok(()),
                Some(code) => Err(format!("{point} was not reached (exit {code}): {}", ended.err)),
            }
        }
        Kill::After(time) => {
            let mut child: Child = command.spawn().unwrap();
            std::thread::sleep(*time);
            child.kill().unwrap();
            child.wait().unwrap();
            Ok(())
        }
    }
}

fn at(step: usize, point: &'static str, nth: u64) -> Scenario {
    Scenario { step, kills: vec![Kill::Point(point, nth)], plant: None }
}

/// Repeatable numbers below a bound.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn a_kill_at_any_point_changes_nothing() {
    let reference = Reference::new();
    let passed: BTreeSet<&str> =
        reference.passes.iter().flat_map(|passes| passes.keys().map(String::as_str)).collect();
    let not_passed: BTreeSet<&str> = POINTS.iter().copied().filter(|point| !passed.contains(point)).collect();
    assert_eq!(not_passed, BTreeSet::from(NOT_PASSED));
    let mut scenarios = Vec::new();
    for (step, passes) in reference.passes.iter().enumerate() {
        for point in POINTS {
            let times = passes.get(*point).copied().unwrap_or(0);
            let chosen: BTreeSet<u64> = [1, 3].into_iter().filter(|nth| (1..=times).contains(nth)).collect();
            scenarios.extend(chosen.into_iter().map(|nth| at(step, point, nth)));
        }
    }
    assert!(scenarios.len() > 70, "{}", scenarios.len());
    let wrong = reference.play_all(&scenarios);
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), scenarios.len(), wrong.join("\n"));
}

#[test]
fn a_kill_of_the_recovery_changes_nothing() {
    let reference = Reference::new();
    let pairs = [
        (FIRST, ("create.folder-made", 1), ("create.before-commit", 1)),
        (FIRST, ("land.before-commit", 5), ("land.committed", 1)),
        (FIRST, ("land.committed", 20), ("land.before-commit", 7)),
        (FIRST, ("seal.segments-published", 1), ("sweep.removed", 1)),
        (FIRST, ("file.temporary-written", 2), ("sweep.removed", 2)),
        (SECOND, ("seal.archive-published", 1), ("sweep.removed", 3)),
        (SECOND, ("seal.before-commit", 1), ("seal.committed", 1)),
        (SECOND, ("land.committed", 9), ("land.committed", 9)),
        (BILL, ("finalise.charges-published", 1), ("sweep.removed", 3)),
        (BILL, ("finalise.document-inserted", 7), ("finalise.committed", 1)),
        (BILL, ("finalise.committed", 1), ("run.before-commit", 1)),
        (BILL, ("fact.committed", 2), ("file.renamed", 4)),
    ];
    let scenarios = pairs.map(|(step, first, second)| Scenario {
        step,
        kills: vec![Kill::Point(first.0, first.1), Kill::Point(second.0, second.1)],
        plant: None,
    });
    let wrong = reference.play_all(&scenarios);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn kills_at_any_time_change_nothing() {
    const SEED: u64 = 20_261_122;
    let reference = Reference::new();
    let mut dice = Dice(SEED);
    let scenarios: Vec<Scenario> = (0..12)
        .map(|number| {
            let step = number % STEPS.len();
            let most = u64::try_from(reference.lasted[step].as_millis()).unwrap() + 50;
            let kills =
                (0..=dice.below(3)).map(|_| Kill::After(Duration::from_millis(dice.below(most)))).collect();
            Scenario { step, kills, plant: None }
        })
        .collect();
    let wrong = reference.play_all(&scenarios);
    assert!(wrong.is_empty(), "seed {SEED}:\n{}", wrong.join("\n"));
}

/// Were the net blind, it would find nothing here either.
#[test]
fn the_net_sees_a_cursor_that_runs_ahead_of_its_page() {
    // What one way of reading loses the other would bring.
    let reference = Reference::with(|workspace| {
        let path = workspace.path("tollbook.toml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(
            path,
            text.replacen("[collect]\n", "[collect]\ncall_sync = false\nmessage_sync = false\n", 1),
        )
        .unwrap();
    });
    let planted = |kills| Scenario { step: FIRST, kills, plant: Some(CURSOR_BEFORE_PAGE) };
    // The account and the extensions are a page each; the third is the first of several of the call log.
    let seen = reference.play(&planted(vec![Kill::Point("land.cursor-ahead", 3)]));
    assert!(
        seen.is_err_and(|difference| difference.contains("ended with Some(7)")),
        "the defect went unseen"
    );
    assert_eq!(reference.play(&planted(vec![])), Ok(()), "without a kill the defect does no harm");
}

/// The documents are facts before they are files: whoever finalises again gets the same ones.
#[test]
fn numbers_are_given_once() {
    let reference = Reference::new();
    let workspace = reference.before[BILL].duplicate();
    killed(workspace.command(&FINALISE), &Kill::Point("finalise.committed", 1)).unwrap();
    assert!(workspace.output().is_empty(), "killed before it published");
    let listed = workspace.run(&["invoice", "list", "--format", "json"]).expect(0).json();
    let documents = listed.as_array().unwrap().len();
    assert!(documents > 20, "{documents}");
    let again = [
        "run",
        "--period",
        "2026-10",
        "--finalise",
        "--actor",
        "somebody else",
        "--issue-date",
        "2026-11-21",
    ];
    workspace.run(&again).expect(0);
    assert_eq!(difference(&reference.output, &workspace.output()), None);
    assert_eq!(workspace.run(&["invoice", "list", "--format", "json"]).expect(0).json(), listed);
    workspace.run(&["run", "--period", "2026-10"]).expect(0);
    assert_eq!(difference(&reference.output, &workspace.output()), None, "a run that asks for drafts");
    assert_eq!(workspace.counts(), reference.counts);
    workspace.run(&["verify"]).expect(0);
}
