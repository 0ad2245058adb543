//! What collecting costs: reading pages against plain deserialising, requests against the least possible, a day of
//! 100,000 records over loopback, and an hourly run that finds nothing new.
//!
//! `cargo bench --bench collecting` prints the table; `reading`, `requests` or `day` after `--` only that part of it.
//! `TOLLBOOK_BENCH_CALLS` sets the size of the large day. Besides wall time the time on the processor is shown, which
//! other programs on the machine disturb less.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant as Stopwatch};

use serde::Deserialize;
use tollbook::book::Book;
use tollbook::domain::Instant;
use tollbook::domain::record::RecordKind;
use tollbook::ringcentral::client::{ServiceUrl, Transport};
use tollbook::ringcentral::clock::CalendarClock;
use tollbook::ringcentral::credentials::{Credentials, Secret};
use tollbook::ringcentral::page::parse_page;
use tollbook::ringcentral::puller::Summary;
use tollbook::ringcentral::redact::Redaction;
use tollbook::ringcentral::wire::Call;
use tollbook::rules::config::CollectSettings;
use tollbook::run::collect;
use tollbook::run::facts::codec;
use tollbook::sandbox::{self, Clock, FaultPlan, Options, Plot, Running, World};

const PAGE: u64 = 1000;

fn main() {
    // A run of the tests asks every benchmark whether it has tests.
    if std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        return;
    }
    let parts: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|named| named == part);
    let month = Arc::new(World::generate(Plot::default()));
    if wanted("reading") {
        reading(&month);
    }
    if wanted("requests") {
        requests(&month);
    }
    if wanted("day") {
        large_day();
    }
}

/// A service over a world, with its limits lifted.
struct Service {
    runtime: tokio::runtime::Runtime,
    running: Running,
}

impl Service {
    fn of(world: &Arc<World>, at: &str) -> Service {
        Service::with(world, at, FaultPlan::empty())
    }

    fn with(world: &Arc<World>, at: &str, faults: FaultPlan) -> Service {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let inside = runtime.enter();
        let options = Options { limits_lifted: true, faults, ..Options::default() };
        let clock = Clock::fixed(at.parse().expect("an instant"));
        let running = sandbox::serve(Arc::clone(world), options, clock).expect("a sandbox");
        drop(inside);
        Service { runtime, running }
    }

    fn move_to(&self, at: &str) {
        self.running.clock.set(at.parse().expect("an instant"));
    }

    fn pull(&self, book: &mut Book, from: &str) -> (Summary, Duration) {
        let credentials = Credentials {
            client_id: self.running.client_id.clone(),
            client_secret: Secret::new(&self.running.client_secret),
            jwt: Secret::new(&self.running.jwt),
        };
        let transport = Transport::to(ServiceUrl::parse(&self.running.base_url).expect("an address"));
        let civil = self.running.clock.clone();
        let clock = CalendarClock::start(move || Instant::from_utc(civil.now()));
        let scope = collect::scope(Instant::parse(from).expect("an instant"), None, None);
        let began = Stopwatch::now();
        let settings = CollectSettings::default();
        let pulled = collect::pull(book, &settings, scope, &credentials, &transport, &clock, &mut |_| ())
            .expect("a pull");
        (pulled, began.elapsed())
    }

    fn book(&self, folder: &tempfile::TempDir) -> Book {
        let url = ServiceUrl::parse(&self.running.base_url).expect("an address");
        Book::open_or_create(&folder.path().join("book"), collect::identity_of(&url)).expect("a book")
    }

    fn get(&self, path: &str) -> Vec<u8> {
        let base = self.running.base_url.clone();
        let (id, secret, jwt) = (&self.running.client_id, &self.running.client_secret, &self.running.jwt);
        self.runtime.block_on(async move {
            let http = reqwest::Client::builder().no_proxy().build().expect("a client");
            let form =
                [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", jwt.as_str())];
            let token = http
                .post(format!("{base}/restapi/oauth/token"))
                .basic_auth(id, Some(secret))
                .form(&form)
                .send()
                .await
                .expect("a token");
            let token: serde_json::Value =
                serde_json::from_slice(&token.bytes().await.expect("a body")).expect("JSON");
            let token = token["access_token"].as_str().expect("a token");
            let page = http.get(format!("{base}{path}")).bearer_auth(token).send().await.expect("a page");
            page.bytes().await.expect("a body").to_vec()
        })
    }
}

/// The part of a page that reading cannot do without: its records as the program's own structs.
#[derive(Deserialize)]
struct Typed {
    records: Vec<Call>,
}

fn reading(world: &Arc<World>) {
    let service = Service::of(world, "2026-11-20T00:00:00Z");
    let body = service.get(
        "/restapi/v1.0/account/~/call-log?view=Detailed&showDeleted=true&perPage=1000&page=1\
         &dateFrom=2026-10-01T00:00:00Z&dateTo=2026-11-10T00:00:00Z",
    );
    let redaction = Redaction { key: [7; 32], keep_text: false };
    let observed = Instant::parse("2026-11-20T00:00:00Z").expect("an instant");
    let typed = fastest(|| {
        let page: Typed = serde_json::from_slice(&body).expect("a page");
        page.records.len()
    });
    let parsed = fastest(|| {
        let page = parse_page(RecordKind::Call, &body, &redaction, observed, None).expect("a page");
        page.records.len()
    });
    let stored = fastest(|| {
        let page = parse_page(RecordKind::Call, &body, &redaction, observed, None).expect("a page");
        (codec().encode)(&page.records).expect("a segment").len()
    });
    let bytes = body.len();
    let speed = |time: Duration| bytes as f64 / time.as_secs_f64() / 1e6;
    println!("Reading a page of {PAGE} detailed calls ({:.1} MB), one core", bytes as f64 / 1e6);
    for (what, time) in [
        ("serde_json into the same structs", typed),
        ("page to records", parsed),
        ("page to segment", stored),
    ] {
        let ratio = time.as_secs_f64() / typed.as_secs_f64();
        println!("  {what:<36} {:>7.0} MB/s   {ratio:>5.2} x", speed(time));
    }
}

/// The fastest of some repetitions: the others were disturbed.
fn fastest<T>(mut work: impl FnMut() -> T) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..40 {
        let (began, used) = (Stopwatch::now(), on_processor("thread-self"));
        std::hint::black_box(work());
        let spent = on_processor("thread-self").zip(used).map(|(now, before)| now - before);
        best = best.min(spent.unwrap_or_else(|| began.elapsed()));
    }
    best
}

/// How long this thread was on a processor, where the system tells.
fn on_processor(who: &str) -> Option<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{who}/schedstat")).ok()?;
    Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
}

/// How long all threads of this program were on a processor; those that ended are counted by the whole hundredth.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = text.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks = after.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// The least requests, from the world and the schedule alone: a token; the account and its extensions once a UTC day;
/// the calls that changed, 1000 an answer and at least one answer; one answer for each mailbox's changes; each page
/// of two listings of every window that closed; each page of one listing of every window due to be read again; one
/// look at the calls in progress when windows of calls seal.
struct Least<'w> {
    world: &'w World,
    from: i64,
    mailboxes: u64,
    last: Option<i64>,
    /// When each window was listed last, by its length (calls, messages) and beginning.
    listed: BTreeMap<(bool, i64), i64>,
}

const HOUR_MILLISECONDS: i64 = 3_600_000;

impl Least<'_> {
    fn at(&mut self, at: i64) -> u64 {
        const DAY: i64 = 24 * HOUR_MILLISECONDS;
        let settings = CollectSettings::default();
        let last = self.last.replace(at);
        let mut requests = 1;
        if last.is_none_or(|last| last.div_euclid(DAY) != at.div_euclid(DAY)) {
            requests += 2;
        }
        requests += self.calls(last.unwrap_or(self.from), at).div_ceil(PAGE).max(1) + self.mailboxes;
        for (calls, length) in
            [(true, settings.call_log_window_milliseconds), (false, settings.message_window_milliseconds)]
        {
            let mut begins = self.from.div_euclid(length) * length;
            let mut seals = false;
            while begins + length + settings.settling_lag_milliseconds <= at {
                let ends = begins + length;
                let pages =
                    if calls { self.calls(begins, ends).div_ceil(PAGE).max(1) } else { self.mailboxes };
                let unread = self.listed.get(&(calls, begins)).map(|listed| at - listed + HOUR_MILLISECONDS);
                let listings = match unread {
                    None => 2,
                    Some(unread) if at - ends < settings.reread_daily_for_milliseconds => {
                        u64::from(unread >= DAY)
                    }
                    Some(unread) if at - ends < settings.reread_weekly_for_milliseconds => {
                        u64::from(unread >= 7 * DAY)
                    }
                    Some(_) => 0,
                };
                requests += listings * pages;
                seals |= unread.is_none();
                if listings > 0 {
                    self.listed.insert((calls, begins), at);
                }
                begins = ends;
            }
            requests += u64::from(calls && seals);
        }
        requests
    }

    /// The records of calls that start in a time.
    fn calls(&self, from: i64, to: i64) -> u64 {
        let inside = |start: i64| from <= start && start < to;
        let calls = self.world.truth().calls.iter().filter(|call| inside(call.start.timestamp_millis()));
        calls.map(|call| call.records.len() as u64).sum()
    }
}

const FROM: &str = "2026-10-01T04:00:00Z";

fn requests(world: &Arc<World>) {
    println!("\nRequests over the least possible, without faults");
    let service = Service::of(world, "2026-10-20T14:40:00Z");
    schedule(
        world,
        &service,
        &[
            ("the first weeks", "2026-10-20T14:40:00Z"),
            ("hours with about 200 new records", "2026-10-20T17:40:00Z"),
            ("an hour with what came in it", "2026-10-20T18:40:00Z"),
            ("nothing new", "2026-10-20T18:40:30Z"),
            ("the next day", "2026-10-21T14:40:00Z"),
        ],
    );
    println!("Requests over the least possible, with faults");
    let faults = "seed = 7\n[[fault]]\nkind = \"reset-before\"\nevery = 25\n[[fault]]\nkind = \"truncated-json\"\nevery = 30\n\
                  [[fault]]\nkind = \"internal-error\"\nevery = 60\n";
    match FaultPlan::parse(faults) {
        Ok(faults) => {
            let service = Service::with(world, "2026-10-20T14:40:00Z", faults);
            schedule(world, &service, &[("the first weeks", "2026-10-20T14:40:00Z")]);
        }
        Err(mistakes) => println!("  no plan: {mistakes:?}"),
    }
}

fn schedule(world: &World, service: &Service, runs: &[(&str, &str)]) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut book = service.book(&folder);
    let milliseconds = |text: &str| Instant::parse(text).expect("an instant").milliseconds();
    let mut least =
        Least { world, from: milliseconds(FROM), mailboxes: 0, last: None, listed: BTreeMap::new() };
    for (what, at) in runs {
        service.move_to(at);
        let versions = calls_known(&book);
        let used = on_processor("thread-self");
        let (summary, time) = service.pull(&mut book, FROM);
        let own = on_processor("thread-self").zip(used).map_or(time, |(now, before)| now - before);
        let new = calls_known(&book) - versions;
        let streams = book.streams().expect("streams");
        least.mailboxes = streams.iter().filter(|stream| stream.feed.mailbox.is_some()).count() as u64;
        let possible = least.at(milliseconds(at));
        println!(
            "  {what:<36} {:>6} requests, least {possible:>5}   {:>5.2} x   {new:>6} new   {:>6.0} ms, {:>6.0} ms of our own",
            summary.requests,
            summary.requests as f64 / possible as f64,
            time.as_secs_f64() * 1e3,
            own.as_secs_f64() * 1e3,
        );
    }
}

fn calls_known(book: &Book) -> u64 {
    let versions = book.status().expect("status").versions;
    versions.iter().filter(|((kind, _), _)| *kind == RecordKind::Call).map(|(_, count)| count).sum()
}

fn large_day() {
    let wanted =
        std::env::var("TOLLBOOK_BENCH_CALLS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    // Thursday, 15 October 2026.
    let day = World::generate(Plot {
        from: "2026-10-15T12:00:00Z".parse().expect("an instant"),
        days: 1,
        ..Plot::default()
    });
    let single = day.truth().calls.len().max(1) as u64;
    let world = Arc::new(day.crowded((wanted as u64).div_ceil(single)));
    let folder = tempfile::tempdir().expect("a folder");
    let service = Service::of(&world, "2026-10-18T01:00:00Z");
    let mut book = service.book(&folder);
    let used = processor_seconds();
    let (summary, time) = service.pull(&mut book, "2026-10-15T00:00:00Z");
    let used = processor_seconds() - used;
    println!("\nA large day over loopback, limits lifted");
    println!(
        "  {} calls, {} records served in {} pages, {} windows sealed: {:.1} s ({:.0} records/s), {used:.1} s on the \
         processor with the service",
        calls_known(&book),
        summary.records,
        summary.pages,
        summary.windows_sealed,
        time.as_secs_f64(),
        summary.records as f64 / time.as_secs_f64()
    );
    let (again, time) = service.pull(&mut book, "2026-10-15T00:00:00Z");
    println!("  nothing new: {} requests, {:.0} ms", again.requests, time.as_secs_f64() * 1e3);
}
