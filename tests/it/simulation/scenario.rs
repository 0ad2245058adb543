//! What one seed means: a small world, how the service behaves, how it is pulled, and what goes wrong.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tollbook::ringcentral::puller::Settings;
use tollbook::ringcentral::redact::Redaction;
use tollbook::sandbox::{
    Deletions, FaultKind, FaultPlan, InProgress, Options, Plot, TimeStyle, Unknowns, Unrest, World,
};

use super::chance::Chance;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
pub const DAY: u64 = 24 * HOUR;

/// Where the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// At whatever is next.
    Anywhere,
    /// When a page is handed over, before it has landed.
    BeforeLanding,
    /// When a page has landed, before the puller is told.
    AfterLanding,
}

/// One run of the program.
#[derive(Clone, Debug)]
pub struct Pull {
    /// When it begins at the earliest, since the world's first instant.
    pub at: Duration,
    /// From which step on the power goes, and where.
    pub power_cut: Option<(u64, Cut)>,
    /// The step from which our clock is wrong, and by how much.
    pub clock_jump: Option<(u64, TimeDelta)>,
    /// Whether the service misbehaves.
    pub faults: bool,
}

#[derive(Clone, Debug)]
pub struct Scenario {
    pub seed: u64,
    pub world: Arc<World>,
    pub options: Options,
    pub settings: Settings,
    pub pulls: Vec<Pull>,
    /// What goes wrong while the service misbehaves.
    pub faults: FaultPlan,
    /// The part of it that is of the records and so never ends.
    pub lasting: FaultPlan,
    /// The plan as it can be read.
    pub plan_text: String,
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
        // Short windows and small pages cost requests: then there is less of a world.
        let short = settings.call_log_window <= seconds(HOUR);
        let days = if short { 1 } else { chance.between(2, 3) };
        let most = if settings.per_page < 4 { 12 * u64::from(settings.per_page) } else { 70 };
        let unrest = Unrest {
            seed,
            days: u32::try_from(days).unwrap(),
            calls: usize::try_from(chance.between(10, most)).unwrap(),
            messages: usize::try_from(chance.between(6, most / 2 + 6)).unwrap(),
            mailboxes: usize::try_from(chance.between(1, 2)).unwrap(),
            latest_days: if short { 1 } else { u32::try_from(chance.between(1, 3)).unwrap() },
        };
        let world = Arc::new(large().restless(&unrest));
        let options = options(&mut chance, &world);
        let pulls = pulls(&mut chance, days);
        let kinds = kinds(&mut chance);
        let plan_text = plan(&mut chance, seed, &kinds);
        let faults =
            FaultPlan::parse(&plan_text).unwrap_or_else(|mistakes| panic!("{mistakes:?}\n{plan_text}"));
        let lasting = FaultPlan::parse(&lasting_part(&plan_text)).unwrap();
        let quiet = faults.applied_to(&world).settled();
        let closed =
            [settings.call_log_window, settings.message_window].map(|length| end_of_window(&world, length));
        let settled = closed.into_iter().fold(quiet, DateTime::max) - world.span().0;
        let settled = settled.to_std().unwrap() + settings.settling_lag + seconds(2 * HOUR);
        Scenario { seed, world, options, settings, pulls, faults, lasting, plan_text, settled }
    }

    /// Whether lists are cut into pages as documented, so that requests can be counted against the least.
    pub fn pages_are_sound(&self) -> bool {
        let odd = |kind: FaultKind| kind.group().name() == "paging";
        !self.faults.kinds().any(odd) && !self.options.unknowns.trim_pages
    }

    /// What the seed has in store, for people.
    pub fn describe(&self) -> String {
        let Settings { call_log_window, message_window, overlap, settling_lag, per_page, .. } =
            &self.settings;
        let options = &self.options;
        format!(
            "windows {call_log_window:?} {message_window:?}, overlap {overlap:?}, lag {settling_lag:?}, page {per_page} of {}, \
             open window {}, sync {} {}, rate window {:?}, token {:?}, refused {:?}, faxes {:?}, sync token {:?}\n{:?}\n\
             from {}, at rest {:?} later, pulls {:#?}\n{}",
            options.per_page_at_most,
            self.settings.open_window,
            self.settings.call_sync,
            self.settings.message_sync,
            options.rate_window,
            options.token_life,
            options.refused_mailboxes,
            options.sent_fax_retention,
            options.sync_token_life,
            options.unknowns,
            self.from(),
            self.settled,
            self.pulls,
            self.plan_text,
        )
    }

    /// The world's first instant.
    pub fn from(&self) -> DateTime<Utc> {
        self.world.span().0
    }
}

/// When the window closes in which the world ends.
fn end_of_window(world: &World, length: Duration) -> DateTime<Utc> {
    let (end, length) = (world.span().1.timestamp(), i64::try_from(length.as_secs()).unwrap());
    DateTime::from_timestamp(end.div_euclid(length) * length + length, 0).unwrap()
}

fn settings(chance: &mut Chance) -> Settings {
    let lapse = |chance: &mut Chance, choices: &[u64]| seconds(chance.pick(choices));
    Settings {
        // Short windows are many: a few seeds of them are enough.
        call_log_window: lapse(
            chance,
            &[HOUR, 6 * HOUR, 6 * HOUR, DAY, DAY, DAY, DAY, DAY, DAY, DAY, 2 * DAY, 2 * DAY, 2 * DAY],
        ),
        message_window: lapse(
            chance,
            &[6 * HOUR, DAY, DAY, DAY, 2 * DAY, 2 * DAY, 2 * DAY, 2 * DAY, 2 * DAY, 7 * DAY],
        ),
        overlap: lapse(chance, &[0, MINUTE, 2 * HOUR, 2 * HOUR]),
        settling_lag: lapse(chance, &[MINUTE, HOUR / 2, HOUR / 2, 3 * HOUR]),
        per_page: chance.pick(&[1, 3, 4, 5, 7, 7, 100, 1000]),
        shared_mailboxes: chance.percent(20),
        open_window: chance.percent(15),
        call_sync: chance.percent(60),
        message_sync: chance.percent(60),
        active_calls: chance.percent(80),
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
        unknowns: unknowns(chance),
        sync_token_life: chance.percent(25).then(|| TimeDelta::hours(chance.between(1, 60).cast_signed())),
        sent_fax_retention: chance.percent(20).then(|| TimeDelta::days(chance.between(1, 3).cast_signed())),
        ..Options::default()
    }
}

/// What nobody knows of the real service, decided another way than by default here and there.
fn unknowns(chance: &mut Chance) -> Unknowns {
    let usual = Unknowns::default();
    let mut odd = |usual: bool| usual != chance.percent(15);
    let mut unknowns = Unknowns {
        date_to_inclusive: odd(usual.date_to_inclusive),
        cut_request_times: odd(usual.cut_request_times),
        dates_are_local: odd(usual.dates_are_local),
        list_marks_deleted: odd(usual.list_marks_deleted),
        trim_pages: odd(usual.trim_pages),
        finished_absent: odd(usual.finished_absent),
        message_ids_are_text: odd(usual.message_ids_are_text),
        segments_absent: odd(usual.segments_absent),
        queued_pages_absent: odd(usual.queued_pages_absent),
        deleted_messages_gone: odd(usual.deleted_messages_gone),
        extract_page_reversed: odd(usual.extract_page_reversed),
        record_count_refused: odd(usual.record_count_refused),
        active_filters_ignored: odd(usual.active_filters_ignored),
        queues_need_owner: odd(usual.queues_need_owner),
        members_see_shared: odd(usual.members_see_shared),
        ..usual
    };
    use Deletions::{Absent, Bare, Marked, Stub};
    unknowns.extract_deletions = chance.pick(&[Marked, Marked, Stub, Bare, Absent]);
    unknowns.in_progress = chance.pick(&[InProgress::Some, InProgress::Never, InProgress::Always]);
    unknowns.time_style =
        chance.pick(&[TimeStyle::Zulu, TimeStyle::Zulu, TimeStyle::Zulu, TimeStyle::Offset]);
    if chance.percent(15) {
        unknowns.extract_history = Some(TimeDelta::hours(chance.between(1, 72).cast_signed()));
    }
    if chance.percent(15) {
        unknowns.extract_isync_count = Some(usize::try_from(chance.between(2, 9)).unwrap());
    }
    unknowns
}

/// A handful of kinds of faults, or none: all at once, the rare ones would never meet.
fn kinds(chance: &mut Chance) -> Vec<FaultKind> {
    let count = chance.pick(&[0, 1, 2, 3, 4, 6, 8]);
    let mut kinds: Vec<FaultKind> = (0..count).map(|_| chance.pick(FaultKind::ALL)).collect();
    // Weeks later there are too many windows for one seed in hundreds.
    kinds.retain(|kind| *kind != FaultKind::LateWeeks);
    kinds.sort();
    kinds.dedup();
    kinds
}

/// A plan of some kinds in TOML, each fault in a paragraph of its own.
fn plan(chance: &mut Chance, seed: u64, kinds: &[FaultKind]) -> String {
    let mut text = format!("seed = {seed}\n");
    for kind in kinds {
        text.push_str(&format!("\n[[fault]]\nkind = \"{}\"\n", kind.name()));
        if kind.changes_records() {
            text.push_str(&format!("every = {}\n", chance.between(3, 25)));
        } else if *kind == FaultKind::Forbidden {
            let on = chance.pick(&["message-store", "message-sync", "active-calls", "call-sync"]);
            text.push_str(&format!("on = [\"{on}\"]\n"));
        } else if !kind.stands() {
            let sign_in = ["errors", "transport"].contains(&kind.group().name())
                && kind.endpoints().len() == FaultKind::InternalError.endpoints().len()
                && chance.percent(15);
            let last = if sign_in { 8 } else { 70 };
            if sign_in {
                text.push_str("on = [\"token\"]\n");
            }
            let mut at: Vec<u64> = (0..chance.between(1, 5)).map(|_| chance.between(1, last)).collect();
            at.sort_unstable();
            at.dedup();
            text.push_str(&format!("at = {at:?}\n"));
        }
        let drawn =
            |low: u64, high: u64, chance: &mut Chance| i64::try_from(chance.between(low, high)).unwrap();
        let amount = match kind {
            FaultKind::RateLimited | FaultKind::RateLimitedDate | FaultKind::LimitedMode => {
                drawn(1, 400, chance)
            }
            FaultKind::SlowDrip => drawn(1, 500, chance),
            FaultKind::WrongContentLength => drawn(0, 40, chance) - 20,
            FaultKind::GzipBomb => 1,
            FaultKind::NewRecordsShift | FaultKind::DeletedRecordsShift => drawn(1, 4, chance),
            FaultKind::PerPageSmaller => drawn(1, 4, chance),
            FaultKind::EditedLater | FaultKind::DeletedLater => drawn(1, 2, chance),
            FaultKind::HugeString => 4,
            FaultKind::ServerClockOff => drawn(0, 100, chance) - 50,
            _ => continue,
        };
        text.push_str(&format!("{} = {amount}\n", kind.parameter().unwrap().name));
    }
    text
}

/// The paragraphs of a plan that are about records.
fn lasting_part(plan: &str) -> String {
    let of_records = |paragraph: &&str| {
        let kind = paragraph.lines().find_map(|line| line.strip_prefix("kind = \""));
        let kind = kind.map(|name| name.trim_end_matches('"'));
        kind.is_none_or(|name| FaultKind::by_name(name).unwrap().changes_records())
    };
    plan.split("\n\n").filter(of_records).collect::<Vec<_>>().join("\n\n")
}

/// A few pulls, hourly, daily or as it comes, some of which end by force.
fn pulls(chance: &mut Chance, days: u64) -> Vec<Pull> {
    let count = chance.between(1, 4);
    let gap = chance.pick(&[HOUR, DAY, DAY, 0]);
    let mut at = chance.between(HOUR, days * DAY);
    let mut pulls = Vec::new();
    for _ in 0..count {
        let cuts = [Cut::Anywhere, Cut::BeforeLanding, Cut::AfterLanding];
        let power_cut = chance.percent(30).then(|| (chance.between(1, 80), chance.pick(&cuts)));
        let jumps = [-24 * 60, -61, -60, -59, -10, 10, 59, 24 * 60];
        let clock_jump =
            chance.percent(12).then(|| (chance.between(0, 60), TimeDelta::minutes(chance.pick(&jumps))));
        pulls.push(Pull { at: seconds(at), power_cut, clock_jump, faults: true });
        at += if gap == 0 { chance.between(5 * MINUTE, 2 * DAY) } else { gap };
    }
    pulls
}
