//! A sandbox world as the program sees it: served on loopback, pulled into a book, mediated and identified.

use std::sync::OnceLock;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;
use tollbook::book::Book;
use tollbook::domain::{Country, Instant, time::Span};
use tollbook::ringcentral::client::{ServiceUrl, Transport};
use tollbook::ringcentral::clock::CalendarClock;
use tollbook::ringcentral::credentials::{Credentials, Secret};
use tollbook::rules::compile::CompiledRules;
use tollbook::run::collect::{self, identity_of};
use tollbook::run::facts::{self, Facts};
use tollbook::run::workspace::Workspace;
use tollbook::sandbox::{self, Clock, Options, Running, World};
use tollbook::stage::identify::identify;

/// A world and what the program made of it.
pub struct Seen {
    pub world: std::sync::Arc<World>,
    pub workspace: Workspace,
    pub facts: Facts,
    pub rules: CompiledRules,
    _folder: TempDir,
}

impl Seen {
    /// The contact of each event, in the order of the events.
    pub fn contacts(&self) -> Vec<Option<String>> {
        let payer = |event: &tollbook::domain::event::BillableEvent| {
            let found = identify(&self.rules.identity, &event.view())?;
            Some(self.rules.payers[found.payer as usize].contact.id.clone())
        };
        self.facts.mediated.events.iter().map(payer).collect()
    }
}

/// October 2026, pulled once, when nothing changes any more.
pub fn october() -> &'static Seen {
    static SEEN: OnceLock<Seen> = OnceLock::new();
    SEEN.get_or_init(|| see(Options::default(), &[]))
}

/// A world pulled at the given instants and once more when nothing changes any more.
pub fn see(options: Options, earlier: &[DateTime<Utc>]) -> Seen {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let options = Options { rate_window: Duration::from_secs(1), ..options };
    let clock = Clock::fixed(options.from);
    let running = {
        let _inside = runtime.enter();
        sandbox::start(options, clock.clone()).expect("a server")
    };
    let folder = TempDir::new().expect("a folder");
    let customer = folder.path().join("customer");
    sandbox::customer::write(&running.world, &customer, None).expect("the customer's files");
    let workspace = Workspace::load(&customer.join("tollbook.toml"), None).expect("a workspace");
    let url = ServiceUrl::parse(&running.base_url).expect("an address");
    let mut book = Book::open_or_create(&folder.path().join("book"), identity_of(&url)).expect("a new book");
    // A window is listed once it is over: short ones are seen before anything in them is deleted. Long ones save time.
    let windows = if earlier.is_empty() { (7, 28) } else { (1, 2) };
    for at in earlier.iter().copied().chain([running.world.settled() + TimeDelta::days(30)]) {
        clock.set(at);
        pull(&mut book, &workspace, &running, &clock, windows);
    }
    let (from, to) = running.world.span();
    let span = Span {
        from: Instant::from_utc(from - TimeDelta::days(2)),
        to: Instant::from_utc(to + TimeDelta::days(40)),
    };
    let home = Country::from_code("US").expect("a country");
    let facts = facts::load(&book, span, home).expect("facts");
    let rules = CompiledRules::new(&workspace.rules, &workspace.contacts, workspace.config.zone, span)
        .expect("rules");
    Seen { world: running.world.clone(), workspace, facts, rules, _folder: folder }
}

fn pull(
    book: &mut Book,
    workspace: &Workspace,
    running: &Running,
    clock: &Clock,
    (call_log_days, message_days): (i64, i64),
) {
    let calendar = clock.clone();
    let virtual_clock = CalendarClock::start(move || Instant::from_utc(calendar.now()));
    let credentials = Credentials {
        client_id: running.client_id.clone(),
        client_secret: Secret::new(&running.client_secret),
        jwt: Secret::new(&running.jwt),
    };
    let transport = Transport::to(ServiceUrl::parse(&running.base_url).expect("an address"));
    let (from, _) = running.world.span();
    let since = Instant::from_utc(from - TimeDelta::days(1));
    let again = Span { from: since, to: Instant::from_utc(clock.now()) };
    let reread = book.last_pull().expect("a book").map(|_| again);
    let scope = collect::scope(since, None, reread);
    let mut settings = workspace.config.collect.clone();
    settings.call_log_window_milliseconds = TimeDelta::days(call_log_days).num_milliseconds();
    settings.message_window_milliseconds = TimeDelta::days(message_days).num_milliseconds();
    let pulled = collect::pull(book, &settings, scope, &credentials, &transport, &virtual_clock, &mut |_| {});
    pulled.expect("a pull");
}
