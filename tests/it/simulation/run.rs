//! One seed from its first pull to its last: drives the puller on virtual time, into a real book, through everything
//! the seed has in store.

use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use tollbook::book::{Book, Identity, SegmentCodec};
use tollbook::domain::time::Span;
use tollbook::domain::{Exit, Failure, Instant};
use tollbook::ringcentral::client::Landing;
use tollbook::ringcentral::puller::{Action, Input, Moment, Puller, Scope, Summary};
use tollbook::run::collect::BookLanding;
use tollbook::run::facts;

use super::cost::Cost;
use super::defect::{Defect, Memory, Planted};
use super::oracle;
use super::port::{Counts, Port};
use super::scenario::{Cut, Pull, Scenario};
use super::segment;

/// A run that takes more steps, or more virtual time, does not come to an end.
const STEPS_AT_MOST: u64 = 20_000;
const TIME_AT_MOST: Duration = Duration::from_secs(36 * 3600);
/// Calm pulls in which everything must have come to rest.
const CALM_PULLS: u32 = 3;

/// Requests with a usable answer over those that had to be made.
const RATIO_AT_MOST_PERCENT: u64 = 150;

/// What a seed came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub counts: Counts,
    /// Requests that had to be made.
    pub least: u64,
    pub steps: u64,
    pub finished: u64,
    pub given_up: u64,
    pub power_cuts: u64,
    pub records: u64,
    pub versions: u64,
    pub deleted: u64,
    pub windows: u64,
    /// Whether requests can be held against the least.
    pub sound_pages: bool,
}

impl Outcome {
    /// Requests with a usable answer, in percent of those that had to be made.
    pub fn ratio_percent(&self) -> u64 {
        self.counts.good * 100 / self.least.max(1)
    }
}

enum Ended {
    Finished(Summary),
    GivenUp(Failure),
    PowerCut,
}

/// One seed's book and wire.
pub struct Simulation<'a> {
    scenario: &'a Scenario,
    folder: tempfile::TempDir,
    pub port: Port,
    defect: Option<Defect>,
    memory: Memory,
    cost: Cost,
    outcome: Outcome,
}

/// Plays a seed to its end and compares the book with what happened.
pub fn simulate(scenario: &Scenario, defect: Option<Defect>) -> Result<Outcome, String> {
    let mut simulation = Simulation::new(scenario, defect)?;
    simulation.play()?;
    simulation.judge()?;
    simulation.outcome.counts = simulation.port.counts;
    simulation.outcome.least = simulation.cost.least;
    simulation.outcome.sound_pages = scenario.pages_are_sound();
    let (ratio, good) = (simulation.outcome.ratio_percent(), simulation.port.counts.good);
    if simulation.outcome.sound_pages && ratio > RATIO_AT_MOST_PERCENT {
        return Err(format!("{good} requests where {} would have done", simulation.cost.least));
    }
    Ok(simulation.outcome)
}

fn folder() -> std::io::Result<tempfile::TempDir> {
    let memory = PathBuf::from("/dev/shm");
    let builder = || tempfile::Builder::new().prefix("tollbook-simulation-").to_owned();
    if memory.is_dir() { builder().tempdir_in(memory) } else { builder().tempdir() }
}

fn told<T>(result: tollbook::domain::Result<T>) -> Result<T, String> {
    result.map_err(|failure| format!("exit {:?}: {failure}", failure.exit()))
}

impl<'a> Simulation<'a> {
    pub fn new(scenario: &'a Scenario, defect: Option<Defect>) -> Result<Simulation<'a>, String> {
        let mut port = Port::new(scenario);
        if let Some(defect) = defect {
            defect.plant(&mut port);
        }
        Ok(Simulation {
            scenario,
            folder: folder().map_err(|error| error.to_string())?,
            port,
            defect,
            memory: Memory::default(),
            cost: Cost::default(),
            outcome: Outcome::default(),
        })
    }

    pub fn play(&mut self) -> Result<(), String> {
        let scenario = self.scenario;
        for pull in &scenario.pulls {
            self.port.elapsed = self.port.elapsed.max(pull.at);
            match self.run(pull, false)? {
                Ended::Finished(_) => self.outcome.finished += 1,
                Ended::PowerCut => self.outcome.power_cuts += 1,
                Ended::GivenUp(failure) if failure.exit() == Exit::Service => self.outcome.given_up += 1,
                Ended::GivenUp(failure) => {
                    return Err(format!("a run ends with exit {:?}: {failure}", failure.exit()));
                }
            }
        }
        self.calm_down()
    }

    /// When everything has come to rest, pulls in peace must end well and leave nothing open.
    fn calm_down(&mut self) -> Result<(), String> {
        self.port.elapsed = self.port.elapsed.max(self.scenario.settled);
        for _ in 0..CALM_PULLS {
            let pull = Pull { at: self.port.elapsed, power_cut: None, clock_jump: None, faults: false };
            match self.run(&pull, true)? {
                // What still is in progress holds the last windows open, and the oracle looks at those that are over.
                Ended::Finished(summary) if summary.unsettled.is_empty() => return Ok(()),
                Ended::Finished(_) => {}
                Ended::GivenUp(failure) => return Err(format!("a calm run gives up: {failure}")),
                Ended::PowerCut => return Err("the power goes in a calm run".to_owned()),
            }
            self.port.elapsed += Duration::from_secs(3600);
        }
        Err(format!("windows stay open after {CALM_PULLS} calm runs"))
    }

    fn codec(&self) -> SegmentCodec {
        // Parquet in a debug build is most of a seed's time; the book does not look inside.
        if self.scenario.seed.is_multiple_of(50) { facts::codec() } else { segment::codec() }
    }

    fn book(&self) -> Result<Book, String> {
        let identity = Identity { specimen: true, server: None, account: None };
        told(held(|| Book::open_or_create(self.folder.path(), identity.clone())))
    }

    /// One run of the program.
    fn run(&mut self, pull: &Pull, reread: bool) -> Result<Ended, String> {
        self.port.faults = pull.faults;
        self.port.new_run();
        let mut book = self.book()?;
        let lock = told(held(|| book.lock("pull")))?;
        let begun = self.port.elapsed;
        let now = Instant::from_utc(self.port.now());
        let from = Instant::from_utc(self.scenario.from());
        let scope =
            Scope { span_from: from, span_to: None, reread: reread.then_some(Span { from, to: now }) };
        let puller = told(Puller::new(self.scenario.settings.clone(), scope))?;
        let codec = self.codec();
        let mut watch = |_: &tollbook::ringcentral::puller::Progress| {};
        let landing = BookLanding::new(&mut book, &mut watch);
        let mut memory = std::mem::take(&mut self.memory);
        let mut landing = Planted { inner: landing, defect: self.defect, memory: &mut memory };
        let ended = self.drive(puller, &mut landing, pull, (begun, reread));
        self.cost.run(self.port.elapsed - begun, self.scenario.options.token_life);
        if !matches!(ended, Ok(Ended::PowerCut)) {
            let finished = matches!(ended, Ok(Ended::Finished(_)));
            told(landing.inner.seal_agreed(finished, now, &codec))?;
        }
        drop(landing);
        self.memory = memory;
        if matches!(ended, Ok(Ended::Finished(_))) {
            let now = Instant::from_utc(self.port.now());
            let pull = told(book.pull_began(now, None, ""))?;
            told(book.pull_ended(pull, now, 0))?;
            told(book.checkpoint())?;
        }
        drop(lock);
        ended
    }

    fn drive(
        &mut self,
        mut puller: Puller,
        landing: &mut Planted<'_, '_>,
        pull: &Pull,
        (begun, reread): (Duration, bool),
    ) -> Result<Ended, String> {
        let per_page = self.scenario.options.per_page_at_most as u64;
        let per_page = per_page.min(u64::from(self.scenario.settings.per_page));
        let mut input = Input::Start(told(landing.known())?);
        // Every third world is read as the program does it: a page is asked for while the one before it lands.
        let (overlapped, mut ahead) = (self.scenario.seed.is_multiple_of(3), None);
        for step in 0..STEPS_AT_MOST {
            self.outcome.steps += 1;
            if self.port.elapsed - begun > TIME_AT_MOST {
                return Err(format!("a run does not end in {TIME_AT_MOST:?}"));
            }
            let wrong = pull.clock_jump.filter(|(from, _)| step >= *from);
            let civil = self.port.now() + wrong.map_or(TimeDelta::zero(), |(_, by)| by);
            let at = Moment { civil: Instant::from_utc(civil), elapsed: self.port.elapsed - begun };
            let action = puller.step(at, input);
            if let Some((_, cut)) = pull.power_cut.filter(|(from, _)| step >= *from)
                && self.cut_off(&action, cut, landing)?
            {
                return Ok(Ended::PowerCut);
            }
            input = match action {
                Action::Request(request) => self.port.send(&request)?,
                Action::Wait { until, .. } => {
                    if until + begun <= self.port.elapsed {
                        return Err("a wait that is over".to_owned());
                    }
                    self.port.elapsed = until + begun;
                    Input::Continue
                }
                Action::Account(id) => told(landing.account(&id)).map(|()| Input::Continue)?,
                Action::Await => ahead.take().ok_or("an answer is awaited that nobody asked for")?,
                Action::Land { page, records, cursor } => {
                    let next = if overlapped { puller.ahead(at) } else { None };
                    ahead = next.map(|request| self.port.send(&request)).transpose()?;
                    told(landing.land(&page, &records, &cursor))?;
                    self.port.witness.land();
                    let complete = cursor.next_page.is_none();
                    let coverage = if complete { told(landing.coverage_of(&cursor.window))? } else { None };
                    self.cost.land(&cursor, coverage.as_ref(), self.port.elapsed, reread, per_page);
                    Input::Landed { coverage }
                }
                Action::Advance(stream) => {
                    self.cost.answer();
                    told(landing.advance(&stream)).map(|()| Input::Continue)?
                }
                Action::NoteGap(gap) => {
                    self.cost.answer();
                    told(landing.gap(&gap, at.civil)).map(|()| Input::Continue)?
                }
                Action::Seal(window) => told(landing.seal(&window, at.civil)).map(|()| Input::Continue)?,
                Action::Finished(summary) => return Ok(Ended::Finished(summary)),
                Action::Failed(failure) => return Ok(Ended::GivenUp(failure)),
            };
        }
        Err(format!("a run does not end in {STEPS_AT_MOST} steps"))
    }

    /// Whether the power goes now, and what is left of a page that was being landed.
    fn cut_off(&mut self, action: &Action, cut: Cut, landing: &mut Planted<'_, '_>) -> Result<bool, String> {
        match (action, cut) {
            (Action::Land { page, records, cursor }, Cut::AfterLanding) => {
                told(landing.land(page, records, cursor))?;
                self.port.witness.land();
                Ok(true)
            }
            (Action::Land { page, cursor, .. }, _) => told(landing.cut_power(page, cursor)).map(|()| true),
            (_, cut) => Ok(cut == Cut::Anywhere),
        }
    }

    fn judge(&mut self) -> Result<(), String> {
        let book = self.book()?;
        oracle::judge(self.scenario, &self.port, &book, &self.codec(), &mut self.outcome)
    }
}

/// Takes what needs the lock. Another test of this process may be starting a program just now: between its birth and its
/// own image the child holds every open file of ours, an old lock among them, for a moment.
fn held<T>(take: impl Fn() -> Result<T, Failure>) -> Result<T, Failure> {
    for _ in 0..200 {
        match take() {
            Err(failure) if failure.exit() == Exit::Locked => {
                std::thread::sleep(Duration::from_millis(5));
            }
            taken => return taken,
        }
    }
    take()
}
