//! `demo`: the sandbox in this process on a virtual clock, a month pulled over real HTTP, billed, reconciled, finalised
//! and reported. Everything it does, a customer could do with the single commands.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::book::Book;
use crate::domain::time::Month;
use crate::domain::{Exit, Failure, Instant, Result};
use crate::output::Published;
use crate::ringcentral::client::{ServiceUrl, Transport};
use crate::ringcentral::clock::CalendarClock;
use crate::ringcentral::credentials::{Credentials, Secret};
use crate::ringcentral::puller::Summary;
use crate::sandbox::{self, Clock, Options, Running};

use super::bill::{self, BillingRun, Finalise};
use super::collect::{self, Watch, identity_of};
use super::report;
use super::workspace::Workspace;

/// What the demo made.
pub struct Demo {
    pub run: BillingRun,
    pub published: Published,
    pub index: PathBuf,
    pub book: PathBuf,
    pub workspace: PathBuf,
    /// One summary for each pull that was made now; empty when the book had everything.
    pub pulls: Vec<Summary>,
}

/// The demo's own facts: the same on every machine and day.
const ACTOR: &str = "demo";
const SEED: u64 = 1;

/// Runs the demo into `out`, with its book at `out.book` and the customer's files at `out.workspace`. Run again after an
/// interruption, it goes on where it stopped.
///
/// # Errors
/// What its parts report.
pub fn demo(out: &Path, watch: Watch<'_>) -> Result<Demo> {
    let book_folder = beside(out, "book")?;
    let folder = beside(out, "workspace")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime =
        runtime.map_err(|error| Failure::new(Exit::Bug, format!("no runtime for the sandbox: {error}")))?;
    let options = Options {
        seed: SEED,
        rate_window: Duration::from_secs(1),
        advertised_origin: Some("http://sandbox.invalid".to_owned()),
        ..Options::default()
    };
    let plot = options.plot();
    let end = plot.from + TimeDelta::days(i64::from(plot.days));
    let clock = Clock::fixed(plot.from);
    let running = {
        let _inside = runtime.enter();
        sandbox::start(options, clock.clone())
            .map_err(|error| Failure::new(Exit::Service, format!("the sandbox did not start: {error}")))?
    };
    write_workspace(&running, &folder)?;
    let workspace = Workspace::load(&folder.join("tollbook.toml"), None)?;
    let url = ServiceUrl::parse(&running.base_url)?;
    let mut book = Book::open_or_create(&book_folder, identity_of(&url))?;
    let _lock = book.lock("demo")?;
    let mut pulls = Vec::new();
    for at in [plot.from + TimeDelta::days(15), end + TimeDelta::days(4)] {
        pulls.extend(pull(&mut book, &workspace, &running, &clock, (plot.from, at), watch)?);
    }
    drop(running);
    finish(&mut book, &workspace, &plot.from, end, out, pulls, (book_folder, folder))
}

/// Seals the month: bills it, finalises it under a pinned date and actor, writes the output.
fn finish(
    book: &mut Book,
    workspace: &Workspace,
    from: &DateTime<Utc>,
    end: DateTime<Utc>,
    out: &Path,
    pulls: Vec<Summary>,
    (book_folder, folder): (PathBuf, PathBuf),
) -> Result<Demo> {
    let zone = workspace.config.zone;
    let month = Month::of(zone.local(Instant::from_utc(*from)).date());
    let now = end + TimeDelta::days(4);
    let finalise = Finalise { actor: ACTOR.to_owned(), issue_date: issue_date(now, zone) };
    let run = bill::run(book, workspace, month, Instant::from_utc(now), Some(&finalise))?;
    let published = report::write(book, workspace, &run, out)?;
    let index = out.join(month.key()).join("index.html");
    Ok(Demo { run, published, index, book: book_folder, workspace: folder, pulls })
}

fn issue_date(now: DateTime<Utc>, zone: crate::domain::Zone) -> NaiveDate {
    zone.local(Instant::from_utc(now)).date()
}

/// One pull at a virtual instant; none when the book completed a pull at or after it.
fn pull(
    book: &mut Book,
    workspace: &Workspace,
    running: &Running,
    clock: &Clock,
    (from, at): (DateTime<Utc>, DateTime<Utc>),
    watch: Watch<'_>,
) -> Result<Option<Summary>> {
    let at_instant = Instant::from_utc(at);
    if book.last_pull()?.is_some_and(|last| last >= at_instant) {
        return Ok(None);
    }
    clock.set(at);
    let calendar = clock.clone();
    let virtual_clock = CalendarClock::start(move || Instant::from_utc(calendar.now()));
    let credentials = Credentials {
        client_id: running.client_id.clone(),
        client_secret: Secret::new(&running.client_secret),
        jwt: Secret::new(&running.jwt),
    };
    let transport = Transport::to(ServiceUrl::parse(&running.base_url)?);
    // Calls that belong to the first hours of the month may have begun the day before; the period before finalising
    // is read again whole.
    let since = Instant::from_utc(from - TimeDelta::days(1));
    let reread = crate::domain::time::Span { from: since, to: at_instant };
    let scope = collect::scope(since, None, book.last_pull()?.map(|_| reread));
    collect::pull(book, &workspace.config.collect, scope, &credentials, &transport, &virtual_clock, watch)
        .map(Some)
}

fn write_workspace(running: &Running, folder: &Path) -> Result<()> {
    let doing = || format!("writing the customer's files to {}", folder.display());
    fs::create_dir_all(folder).map_err(|error| Failure::io(&error, doing()))?;
    sandbox::customer::write(&running.world, folder, None).map_err(|error| Failure::io(&error, doing()))
}

/// `out` with a further ending: `out.book`.
fn beside(out: &Path, ending: &str) -> Result<PathBuf> {
    let name = out.file_name().ok_or_else(|| {
        Failure::new(Exit::Usage, format!("{} is no folder to write to", out.display()))
            .hint("Name a folder: --out out.")
    })?;
    let mut name = name.to_owned();
    name.push(format!(".{ending}"));
    Ok(out.with_file_name(name))
}
