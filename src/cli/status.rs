//! `tollbook status`.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::book::{Book, FeedStatus, Identity, Status};
use crate::domain::record::FeedKind;
use crate::domain::{Exit, Result};
use crate::rules::config::CollectSettings;
use crate::run::collect::LEAST_TIME_BETWEEN_PULLS_MILLISECONDS;
use crate::stage::explain::counted_noun;

use super::ConfigArgument;
use super::printer::Printer;

/// The arguments of `status`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// The book, instead of the configuration's
    #[arg(long, value_name = "DIR")]
    book: Option<PathBuf>,
}

/// Shows counts, coverage, gaps, documents.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let (folder, settings) = match &arguments.book {
        Some(folder) => (folder.clone(), CollectSettings::default()),
        None => {
            let settings = arguments.config.settings()?;
            (settings.path(&settings.config.book), settings.config.collect)
        }
    };
    let book = Book::open(&folder)?;
    let status = book.status()?;
    let text = format!("{}{}", describe(&folder, book.identity(), &status), in_force(&settings));
    printer.result(&facts(book.identity(), &status), &text);
    Ok(Exit::Done)
}

fn describe(folder: &Path, identity: &Identity, status: &Status) -> String {
    let account = identity.account.clone().unwrap_or_else(|| "none yet".to_owned());
    let kind = if identity.specimen { "sandbox (every document says SPECIMEN)" } else { "real account" };
    let mut text = format!("book:       {}\naccount:    {account}, {kind}\n", folder.display());
    let last = status.last_pull.map(|at| at.rfc3339()).unwrap_or_else(|| "never".to_owned());
    text.push_str(&format!(
        "last pull:  {last}\nsize:       {} bytes, {} segments\n",
        status.bytes, status.segments
    ));
    for ((kind, standing), count) in &status.versions {
        text.push_str(&format!(
            "records:    {count:>9}  {kind}, {}\n",
            format!("{standing:?}").to_lowercase()
        ));
    }
    for feed in &status.feeds {
        text.push_str(&describe_feed(feed));
    }
    for gap in &status.gaps {
        text.push_str(&format!("gap:        {} ({})\n", gap.feed.name(), gap.reason));
    }
    text.push_str(&format!("documents:  {}\nruns:       {}\n", status.documents, status.runs));
    text
}

fn describe_feed(feed: &FeedStatus) -> String {
    // The account and its extensions are states of one day, not streams that could have holes.
    if matches!(feed.feed.kind, FeedKind::Account | FeedKind::Extensions) {
        let days = counted_noun(feed.windows, "day");
        return format!("listed:     {} on {days}, the last before {}\n", feed.feed.name(), feed.span.to);
    }
    let holes = match feed.holes.as_slice() {
        [] => "no holes".to_owned(),
        [first, ..] => {
            let count = counted_noun(feed.holes.len() as u64, "hole");
            format!("{count}, the first from {} to {}", first.from, first.to)
        }
    };
    format!(
        "coverage:   {}: {} windows from {} to {}, {} sealed, {} open; {holes}\n",
        feed.feed.name(),
        feed.windows,
        feed.span.from,
        feed.span.to,
        feed.sealed,
        feed.windows - feed.sealed
    )
}

fn facts(identity: &Identity, status: &Status) -> serde_json::Value {
    serde_json::json!({
        "account": identity.account,
        "specimen": identity.specimen,
        "last_pull": status.last_pull.map(|at| at.rfc3339()),
        "bytes": status.bytes,
        "segments": status.segments,
        "records": status.versions.iter().map(|((kind, standing), count)| serde_json::json!({
            "kind": kind.word(), "standing": format!("{standing:?}").to_lowercase(), "count": count,
        })).collect::<Vec<_>>(),
        "feeds": status.feeds.iter().map(|feed| serde_json::json!({
            "feed": feed.feed.name(), "windows": feed.windows, "sealed": feed.sealed, "holes": feed.holes.len(),
        })).collect::<Vec<_>>(),
        "gaps": status.gaps.iter().map(|gap| serde_json::json!({ "feed": gap.feed.name(), "reason": gap.reason })).collect::<Vec<_>>(),
        "documents": status.documents,
        "runs": status.runs,
    })
}

/// The settings in force, the defaults among them.
fn in_force(settings: &CollectSettings) -> String {
    let lapse = |milliseconds: i64| {
        let (minute, hour, day) = (60_000, 3_600_000, 86_400_000);
        match milliseconds {
            0 => "0 minutes".to_owned(),
            whole if whole % day == 0 => counted_noun((whole / day).unsigned_abs(), "day"),
            whole if whole % hour == 0 => counted_noun((whole / hour).unsigned_abs(), "hour"),
            whole if whole % minute == 0 => counted_noun((whole / minute).unsigned_abs(), "minute"),
            part => counted_noun((part / 1000).unsigned_abs(), "second"),
        }
    };
    let text = if settings.keep_text { "kept" } else { "replaced by a keyed hash" };
    format!(
        "settings:   call log in windows of {}, messages of {}, overlap {}, settling lag {}, at least {} between pulls; \
         message text is {text}\n",
        lapse(settings.call_log_window_milliseconds),
        lapse(settings.message_window_milliseconds),
        lapse(settings.overlap_milliseconds),
        lapse(settings.settling_lag_milliseconds),
        lapse(LEAST_TIME_BETWEEN_PULLS_MILLISECONDS),
    )
}
