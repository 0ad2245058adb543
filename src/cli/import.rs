//! `tollbook import`.

use std::path::PathBuf;

use clap::Args;

use crate::book::{Book, Identity};
use crate::domain::time::Span;
use crate::domain::{Exit, Failure, Instant, Result};
use crate::rules::reader;
use crate::run::collect::redaction;
use crate::run::import::{Complete, Reading, import};
use crate::stage::explain::counted_noun;

use super::printer::Printer;
use super::{ConfigArgument, actor, now};

/// The arguments of `import`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tollbook import pages/*.json\n  tollbook import CallLog.csv --covers 2026-10-01..2026-11-01 --reason \"whole month downloaded\"\n  tollbook import --usage usage.csv"
)]
pub struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// Files: pages of the service (JSON), the portal's call log (CSV), usage files (CSV, JSON lines, Parquet)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The files are usage files
    #[arg(long)]
    usage: bool,
    /// The files are complete for these days (the second is the day after), in the company's zone
    #[arg(long, value_name = "FROM..TO")]
    covers: Option<String>,
    /// Who says so
    #[arg(long)]
    actor: Option<String>,
    /// Why that is known
    #[arg(long, requires = "covers")]
    reason: Option<String>,
}

/// Imports each file; those before a bad one stay imported.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let settings = arguments.config.settings()?;
    let config = &settings.config;
    let complete =
        arguments.covers.as_deref().map(|text| complete(arguments, text, config.zone)).transpose()?;
    let folder = settings.path(&config.book);
    let mut book = match Book::open(&folder) {
        Ok(book) => book,
        Err(_) if !folder.join("book.db").exists() => Book::create(&folder, Identity::default())?,
        Err(failure) => return Err(failure),
    };
    let _lock = book.lock("import")?;
    let redaction = redaction(&mut book, config.collect.keep_text)?;
    let mut lines = Vec::new();
    let mut rows = Vec::new();
    for path in &arguments.files {
        let reading = Reading {
            as_usage: arguments.usage,
            redaction: &redaction,
            zone: config.zone,
            local_times: config.local_times,
            at: now(),
        };
        let file = import(&mut book, path, &reading, complete.as_ref())?;
        let note = if file.imported.repeated { " (imported before)" } else { "" };
        lines.push(format!(
            "{}: {} of {}, {} new{note}",
            file.name,
            counted_noun(file.records as u64, "record"),
            file.feed.name(),
            counted_noun(file.imported.new_versions, "version")
        ));
        rows.push(serde_json::json!({
            "file": file.name,
            "feed": file.feed.name(),
            "records": file.records,
            "malformed": file.malformed,
            "new_versions": file.imported.new_versions,
            "repeated": file.imported.repeated,
        }));
    }
    printer.result(&serde_json::Value::from(rows), &lines.join("\n"));
    Ok(Exit::Done)
}

fn complete(arguments: &Arguments, text: &str, zone: crate::domain::Zone) -> Result<Complete> {
    let wrong = || {
        Failure::new(Exit::Usage, format!("\"{text}\" is not a span of days"))
            .hint("Write --covers 2026-10-01..2026-11-01; the second is the first day that is not covered.")
    };
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let midnight =
        |day: &str| -> Result<Instant> { Ok(zone.midnight(reader::date(day).map_err(|_| wrong())?)) };
    let span = Span { from: midnight(from)?, to: midnight(to)? };
    if span.from >= span.to {
        return Err(wrong());
    }
    let reason =
        arguments.reason.clone().unwrap_or_else(|| "the files are complete for this span".to_owned());
    Ok(Complete { span, actor: actor(arguments.actor.as_ref()), reason })
}
