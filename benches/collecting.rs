//! What collecting costs: reading pages against plain deserialising, requests against the least possible, a day of
//! 100,000 records over loopback, and an hourly run that finds nothing new.
//!
//! `cargo bench --bench collecting` prints the table. `TOLLBOOK_BENCH_CALLS` sets the size of the large day.

use std::sync::Arc;
use std::time::{Duration, Instant as Stopwatch};

use serde::Deserialize;
use tollbook::book::{Book, Identity};
use tollbook::domain::Instant;
use tollbook::domain::record::{FeedKind, RecordKind};
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
use tollbook::sandbox::{self, Clock, Options, Plot, Running, World};

const PAGE: u64 = 1000;

fn main() {
    // A run of the tests asks every benchmark whether it has tests.
    if std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        return;
    }
    let month = Arc::new(World::generate(Plot::default()));
    reading(&month);
    requests(&month);
    large_day();
}

/// A service over a world, with its limits lifted.
struct Service {
    runtime: tokio::runtime::Runtime,
    running: Running,
}

impl Service {
    fn of(world: &Arc<World>, at: &str) -> Service {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let inside = runtime.enter();
        let options = Options { limits_lifted: true, ..Options::default() };
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
    for _ in 0..15 {
        let began = Stopwatch::now();
        std::hint::black_box(work());
        best = best.min(began.elapsed());
    }
    best
}

/// The least requests for what the book covers and what lay in it: a token; the account and its extensions once a day;
/// each feed of changes once, or once for each full answer; each page of the two listings that seal a window; one look
/// at the calls in progress when windows of calls were sealed.
fn least(book: &Book, before: u64, changed_calls: u64, snapshots: u64) -> u64 {
    let coverage = book.coverage().expect("coverage");
    let mut requests = 1 + snapshots;
    let mailboxes =
        book.streams().expect("streams").iter().filter(|stream| stream.feed.mailbox.is_some()).count();
    requests += changed_calls.div_ceil(PAGE).max(1) + mailboxes as u64;
    let mut listings = 0;
    for entry in coverage
        .iter()
        .filter(|entry| matches!(entry.window.feed.kind, FeedKind::CallLog | FeedKind::Messages))
    {
        listings += 2 * entry.records.div_ceil(PAGE).max(1);
    }
    let calls = coverage.iter().any(|entry| entry.window.feed.kind == FeedKind::CallLog);
    if listings > before {
        requests += listings - before + u64::from(calls);
    }
    requests
}

fn listed(book: &Book) -> u64 {
    let coverage = book.coverage().expect("coverage");
    let windows = coverage
        .iter()
        .filter(|entry| matches!(entry.window.feed.kind, FeedKind::CallLog | FeedKind::Messages));
    windows.map(|entry| 2 * entry.records.div_ceil(PAGE).max(1)).sum()
}

fn requests(world: &Arc<World>) {
    const FROM: &str = "2026-10-01T04:00:00Z";
    let folder = tempfile::tempdir().expect("a folder");
    let service = Service::of(world, "2026-10-20T14:40:00Z");
    let mut book = service.book(&folder);
    println!("\nRequests over the least possible, without faults");
    let mut before = 0;
    for (what, at, calls, snapshots) in [
        ("the first weeks", "2026-10-20T14:40:00Z", None, 2),
        ("an hour with what came in it", "2026-10-20T15:40:00Z", Some(0), 0),
        ("five hours, about 200 new records", "2026-10-20T20:40:00Z", Some(0), 0),
        ("a night with nothing new", "2026-10-20T20:41:00Z", Some(0), 0),
        ("the next day, which seals one", "2026-10-21T14:40:00Z", Some(0), 2),
    ] {
        service.move_to(at);
        let versions = calls_known(&book);
        let (summary, time) = service.pull(&mut book, FROM);
        let new = calls_known(&book) - versions;
        let changed = calls.unwrap_or(new);
        let least = least(&book, before, changed, snapshots);
        before = listed(&book);
        println!(
            "  {what:<36} {:>6} requests, least {least:>5}   {:>5.2} x   {new:>6} new   {:>6.0} ms",
            summary.requests,
            summary.requests as f64 / least as f64,
            time.as_secs_f64() * 1e3
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
    let (summary, time) = service.pull(&mut book, "2026-10-15T00:00:00Z");
    println!("\nA large day over loopback, limits lifted");
    println!(
        "  {} calls, {} records served in {} pages, {} windows sealed: {:.1} s ({:.0} records/s)",
        calls_known(&book),
        summary.records,
        summary.pages,
        summary.windows_sealed,
        time.as_secs_f64(),
        summary.records as f64 / time.as_secs_f64()
    );
    let (again, time) = service.pull(&mut book, "2026-10-15T00:00:00Z");
    println!("  nothing new: {} requests, {:.0} ms", again.requests, time.as_secs_f64() * 1e3);
    let _ = Identity::default();
}
