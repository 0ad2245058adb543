//! What one seed means: a small world, how the service behaves, how it is pulled, and what goes wrong.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tollbook::ringcentral::puller::Settings;
use tollbook::ringcentral::redact::Redaction;
use tollbook::sandbox::{Options, Plot, Unrest, World};

use super::chance::Chance;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
pub const DAY: u64 = 24 * HOUR;

/// One run of the program.
#[derive(Clone, Debug)]
pub struct Pull {
    /// When it begins at the earliest, since the world's first instant.
    pub at: Duration,
    /// The step at which the power goes, and whether a page that was handed over has landed by then.
    pub power_cut: Option<(u64, bool)>,
    /// The step from which our clock is wrong, and by how much.
    pub clock_jump: Option<(u64, TimeDelta)>,
    /// Whether the service misbehaves.
    pub faults: bool,
}

/// How requests go wrong, in per mille of them; a plan of a seed knows only some of the kinds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mischief {
    pub broken: u64,
    pub failed: u64,
    pub cut: u64,
    pub refused: u64,
    pub unauthorised: u64,
}

#[derive(Clone, Debug)]
pub struct Scenario {
    pub seed: u64,
    pub world: Arc<World>,
    pub options: Options,
    pub settings: Settings,
    pub pulls: Vec<Pull>,
    pub mischief: Mischief,
    /// When everything has come to rest, since the world's first instant.
    pub settled: Duration,
}

/// The large world all small ones are drawn from: its records, not its times.
fn large() -> &'static World {
    static LARGE: OnceLock<World> = OnceLock::new();
    LARGE.get_or_init(|| World::generate(Plot { days: 2, ..Plot::default() }))
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Scenario {
    pub fn of_seed(seed: u64) -> Scenario {
        let mut chance = Chance::new(seed);
        let settings = settings(&mut chance);
        let short = settings.call_log_window <= seconds(HOUR);
        let days = if short { chance.between(1, 2) } else { chance.between(2, 5) };
        let most = if settings.per_page == 1 { 30 } else { 110 };
        let unrest = Unrest {
            seed,
            days: u32::try_from(days).unwrap(),
            calls: usize::try_from(chance.between(15, most)).unwrap(),
            messages: usize::try_from(chance.between(8, most / 2)).unwrap(),
            mailboxes: usize::try_from(chance.between(2, 4)).unwrap(),
            latest_days: u32::try_from(chance.between(1, 6)).unwrap(),
        };
        let world = Arc::new(large().restless(&unrest));
        let options = options(&mut chance, &world);
        let pulls = pulls(&mut chance, days);
        let mut some = |share: u64, most: u64| if chance.percent(share) { chance.between(5, most) } else { 0 };
        let mischief = Mischief {
            broken: some(30, 120),
            failed: some(30, 120),
            cut: some(20, 80),
            refused: some(25, 60),
            unauthorised: some(15, 40),
        };
        let settled = seconds((days + u64::from(unrest.latest_days) + 2) * DAY);
        Scenario { seed, world, options, settings, pulls, mischief, settled }
    }

    /// The world's first instant.
    pub fn from(&self) -> DateTime<Utc> {
        self.world.span().0
    }
}

fn settings(chance: &mut Chance) -> Settings {
    let lapse = |chance: &mut Chance, choices: &[u64]| seconds(chance.pick(choices));
    Settings {
        call_log_window: lapse(chance, &[HOUR, 6 * HOUR, DAY, DAY, DAY, 2 * DAY]),
        message_window: lapse(chance, &[DAY, 2 * DAY, 7 * DAY]),
        overlap: lapse(chance, &[0, MINUTE, 2 * HOUR, 2 * HOUR]),
        settling_lag: lapse(chance, &[MINUTE, HOUR / 2, HOUR / 2, 3 * HOUR]),
        per_page: chance.pick(&[1, 2, 3, 4, 5, 7, 7, 100, 1000]),
        shared_mailboxes: chance.percent(20),
        open_window: chance.percent(15),
        active_calls: false,
        jitter_seed: chance.next(),
        // With the texts in it, what is kept can be compared with what was served without the program's own hashes.
        ..Settings::new(Redaction { key: [7; 32], keep_text: true })
    }
}

fn options(chance: &mut Chance, world: &World) -> Options {
    let refused = if chance.percent(15) {
        vec![chance.pick(&["101", "107", "200", "300"]).to_owned()]
    } else {
        Vec::new()
    };
    Options {
        seed: world.plot().seed,
        rate_window: seconds(chance.pick(&[1, 60, 60, 300])),
        token_life: seconds(chance.pick(&[HOUR, HOUR, 10 * MINUTE, 2 * MINUTE])),
        per_page_at_most: usize::try_from(chance.pick(&[1000, 1000, 3, 5])).unwrap(),
        refused_mailboxes: refused,
        date_to_inclusive: chance.percent(50),
        cut_request_times: chance.percent(50),
        ..Options::default()
    }
}

/// A few pulls, hourly, daily or as it comes, some of which end by force.
fn pulls(chance: &mut Chance, days: u64) -> Vec<Pull> {
    let count = chance.between(2, 5);
    let gap = chance.pick(&[HOUR, DAY, DAY, 0]);
    let mut at = chance.between(HOUR, days * DAY);
    let mut pulls = Vec::new();
    for _ in 0..count {
        let power_cut = chance.percent(30).then(|| (chance.between(1, 80), chance.percent(50)));
        pulls.push(Pull { at: seconds(at), power_cut, clock_jump: None, faults: true });
        at += if gap == 0 { chance.between(5 * MINUTE, 2 * DAY) } else { gap };
    }
    pulls
}
