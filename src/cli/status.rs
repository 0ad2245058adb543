//! `tollbook status`.

use std::path::PathBuf;

use clap::Args;

use crate::book::Book;
use crate::domain::{Exit, Result};
use crate::run::workspace::Settings;

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
    let folder = match &arguments.book {
        Some(folder) => folder.clone(),
        None => {
            let settings = Settings::load(&arguments.config.config)?;
            settings.path(&settings.config.book)
        }
    };
    let book = Book::open(&folder)?;
    let status = book.status()?;
    let identity = book.identity();
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
        let holes = match feed.holes.len() {
            0 => "no holes".to_owned(),
            count => format!("{count} holes, the first from {} to {}", feed.holes[0].from, feed.holes[0].to),
        };
        text.push_str(&format!(
            "coverage:   {}: {} windows from {} to {}, {} sealed, {} open; {holes}\n",
            feed.feed.name(),
            feed.windows,
            feed.span.from,
            feed.span.to,
            feed.sealed,
            feed.windows - feed.sealed
        ));
    }
    for gap in &status.gaps {
        text.push_str(&format!("gap:        {} ({})\n", gap.feed.name(), gap.reason));
    }
    text.push_str(&format!("documents:  {}\nruns:       {}\n", status.documents, status.runs));
    let json = serde_json::json!({
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
    });
    printer.result(&json, &text);
    Ok(Exit::Done)
}
