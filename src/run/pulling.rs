//! Pulling as the command asks for it: one account, or several one after the other or side by side. Each has its own
//! book, lock, puller, token and budgets; nothing is shared, and one that fails does not stop the others.

use std::thread;

use crate::book::{Book, Lock};
use crate::domain::time::{Month, Span};
use crate::domain::{Exit, Failure, Instant, Result};
use crate::ringcentral::client::{ServiceUrl, Transport};
use crate::ringcentral::clock::{CalendarClock, Clock, SystemClock};
use crate::ringcentral::credentials::Credentials;
use crate::ringcentral::puller::Scope;
use crate::rules::config::ServiceSettings;

use super::collect::{self, Again, Order, Pulled, Watch, identity_of};
use super::forecast::{self, Forecast};
use super::workspace::Settings;

/// Days back from now that are wanted when nothing is said.
pub const DAYS_BACK: i64 = 35;

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub from: Option<Instant>,
    /// Nothing that begins at or after this is wanted.
    pub to: Option<Instant>,
    /// A month of the company's zone, read again whole; instead of `from` and `to`.
    pub period: Option<Month>,
    /// List sealed windows once more.
    pub reread: bool,
    /// The time the service is at, for a sandbox on a virtual clock.
    pub at: Option<Instant>,
    pub again: Option<Again>,
}

impl Wanted {
    /// What it means for one account, at its present.
    ///
    /// # Errors
    /// A span that is empty (exit 2).
    pub fn scope(&self, settings: &Settings, now: Instant) -> Result<Scope> {
        let month = self.period.map(|month| month.period(settings.config.zone).span);
        let from = month.map(|span| span.from).or(self.from);
        let from = from.unwrap_or_else(|| now.plus_milliseconds(-DAYS_BACK * 86_400_000));
        let to = month.map(|span| span.to).or(self.to);
        if to.is_some_and(|to| to <= from) {
            return Err(Failure::new(
                Exit::Usage,
                format!("nothing lies between {from} and the time in --to"),
            )
            .hint("--to is a time after --from."));
        }
        let again = Span { from, to: to.unwrap_or(now) };
        Ok(collect::scope(from, to, (self.reread || month.is_some()).then_some(again)))
    }
}

/// The service of a configuration.
///
/// # Errors
/// There is none (exit 3).
pub fn service_of(settings: &Settings) -> Result<&ServiceSettings> {
    settings.config.service.as_ref().ok_or_else(|| {
        Failure::new(Exit::Mistakes, "the configuration has no [service]")
            .hint("Add [service] with the url of the service.")
    })
}

/// The credentials of a configuration's service.
///
/// # Errors
/// What is missing or readable by others (exit 3).
pub fn credentials_of(settings: &Settings) -> Result<Credentials> {
    let file = service_of(settings)?.secrets.as_ref().map(|secrets| settings.path(secrets));
    Credentials::load(file.as_deref(), settings.config.account.as_deref())
}

/// Pulls one account, holding its book.
///
/// # Errors
/// Mistakes of the configuration, a locked book, what the puller reports.
pub fn pull(settings: &Settings, wanted: &Wanted, watch: Watch<'_>) -> Result<Pulled> {
    let url = ServiceUrl::parse(&service_of(settings)?.url)?;
    let credentials = credentials_of(settings)?;
    let mut book = Book::open_or_create(&settings.path(&settings.config.book), identity_of(&url))?;
    let _lock: Lock = book.lock("pull")?;
    let clock = clock(wanted.at);
    let order = Order {
        settings: &settings.config.collect,
        scope: wanted.scope(settings, clock.now())?,
        credentials: &credentials,
        transport: &Transport::to(url),
        clock: clock.as_ref(),
        again: wanted.again.as_ref(),
    };
    collect::carry_out(&mut book, order, watch)
}

/// The machine's clocks, or a calendar that stands still.
pub fn clock(at: Option<Instant>) -> Box<dyn Clock> {
    match at {
        Some(at) => Box::new(CalendarClock::start(move || at)),
        None => Box::new(SystemClock::start()),
    }
}

/// Pulls several accounts at the same time, each in a thread of its own; what came of each, in their order.
pub fn pull_side_by_side(accounts: &[Settings], wanted: &Wanted) -> Vec<Result<Pulled>> {
    thread::scope(|scope| {
        let started: Vec<_> = accounts
            .iter()
            .map(|settings| scope.spawn(move || pull(settings, wanted, &mut |_| {})))
            .collect();
        let crashed = || Err(Failure::new(Exit::Bug, "the pull of this account broke down"));
        started.into_iter().map(|thread| thread.join().unwrap_or_else(|_| crashed())).collect()
    })
}

/// What a pull would do, without any request.
///
/// # Errors
/// Mistakes of the configuration, a book that cannot be read.
pub fn dry_run(settings: &Settings, wanted: &Wanted) -> Result<Forecast> {
    let url = ServiceUrl::parse(&service_of(settings)?.url)?;
    let folder = settings.path(&settings.config.book);
    let now = clock(wanted.at).now();
    let scope = wanted.scope(settings, now)?;
    let book = match folder.join("book.db").is_file() {
        true => Some(Book::open(&folder)?),
        false => None,
    };
    if let Some(book) = &book {
        book.require(&identity_of(&url))?;
    }
    forecast::forecast(book.as_ref(), &settings.config.collect, scope, now)
}
