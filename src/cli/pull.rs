//! `tollbook pull`.

use clap::Args;

use crate::book::Book;
use crate::domain::time::Span;
use crate::domain::{Exit, Failure, Instant, Result};
use crate::ringcentral::client::{ServiceUrl, Transport};
use crate::ringcentral::clock::{CalendarClock, SystemClock};
use crate::ringcentral::credentials::Credentials;
use crate::ringcentral::puller::Summary;
use crate::rules::config::ServiceSettings;
use crate::run::collect::{self, identity_of};
use crate::run::workspace::Settings;
use crate::stage::explain::counted_noun;

use super::printer::Printer;
use super::{ConfigArgument, now};

/// The arguments of `pull`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tollbook pull --from 2026-10-01T00:00:00Z\n  tollbook pull --from 2026-10-01T00:00:00Z --reread\n\
Secrets come from TOLLBOOK_CLIENT_ID, TOLLBOOK_CLIENT_SECRET and TOLLBOOK_JWT, or from the 0600 file that the configuration names."
)]
pub struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// The earliest time wanted, as 2026-10-01T00:00:00Z; 35 days ago by default
    #[arg(long)]
    from: Option<String>,
    /// List sealed windows once more
    #[arg(long)]
    reread: bool,
    /// The time the service is at, for a sandbox on a virtual clock
    #[arg(long)]
    at: Option<String>,
}

const DAYS_BACK: i64 = 35;

/// Pulls and says what came.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let settings = Settings::load(&arguments.config.config)?;
    let service = settings.config.service.clone().ok_or_else(|| {
        Failure::new(Exit::Mistakes, "the configuration has no [service]")
            .hint("Add [service] with the url of the service.")
    })?;
    let url = ServiceUrl::parse(&service.url)?;
    let credentials = credentials(&settings, &service)?;
    let mut book = Book::open_or_create(&settings.path(&settings.config.book), identity_of(&url))?;
    let _lock = book.lock("pull")?;
    let at = arguments.at.as_deref().map(instant).transpose()?;
    let until = at.unwrap_or_else(now);
    let from = match &arguments.from {
        Some(text) => instant(text)?,
        None => until.plus_milliseconds(-DAYS_BACK * 86_400_000),
    };
    let scope = collect::scope(from, arguments.reread.then_some(Span { from, to: until }));
    let transport = Transport::to(url);
    let bar = printer.bar();
    let mut watch = |progress: &_| bar.show(progress);
    let collect_settings = &settings.config.collect;
    let summary = match at {
        Some(at) => {
            let clock = CalendarClock::start(move || at);
            collect::pull(&mut book, collect_settings, scope, &credentials, &transport, &clock, &mut watch)
        }
        None => {
            let clock = SystemClock::start();
            collect::pull(&mut book, collect_settings, scope, &credentials, &transport, &clock, &mut watch)
        }
    };
    bar.end();
    report(&summary?, printer);
    Ok(Exit::Done)
}

fn credentials(settings: &Settings, service: &ServiceSettings) -> Result<Credentials> {
    let file = service.secrets.as_ref().map(|secrets| settings.path(secrets));
    Credentials::load(file.as_deref())
}

fn instant(text: &str) -> Result<Instant> {
    Instant::parse(text).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("\"{text}\" is not a time with an offset"))
            .hint("Write it as 2026-10-01T00:00:00Z.")
    })
}

fn report(summary: &Summary, printer: &mut Printer) {
    let json = serde_json::json!({
        "records": summary.records,
        "requests": summary.requests,
        "pages": summary.pages,
        "windows_sealed": summary.windows_sealed,
        "windows_unsettled": summary.unsettled.len(),
        "gaps": summary.gaps.iter().map(|gap| serde_json::json!({ "feed": gap.feed.name(), "reason": gap.reason })).collect::<Vec<_>>(),
        "rate_refusals": summary.rate_refusals,
    });
    let mut text = format!(
        "{} in {} and {}; {} sealed, {} still open.",
        counted_noun(summary.records, "record"),
        counted_noun(summary.pages, "page"),
        counted_noun(summary.requests, "request"),
        counted_noun(summary.windows_sealed, "window"),
        summary.unsettled.len()
    );
    for gap in &summary.gaps {
        text.push_str(&format!("\nNot readable: {} ({}).", gap.feed.name(), gap.reason));
    }
    printer.result(&json, &text);
}
