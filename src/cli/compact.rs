//! `tollbook compact`.

use std::path::PathBuf;

use clap::Args;

use crate::book::Book;
use crate::domain::{Exit, Result};
use crate::run::facts::codec;

use super::printer::Printer;
use super::{ConfigArgument, now};

/// The arguments of `compact`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// The book, instead of the configuration's
    #[arg(long, value_name = "DIR")]
    book: Option<PathBuf>,
}

/// Joins small segments and files of raw pages.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let folder = match &arguments.book {
        Some(folder) => folder.clone(),
        None => {
            let settings = arguments.config.settings()?;
            settings.path(&settings.config.book)
        }
    };
    let mut book = Book::open(&folder)?;
    let _lock = book.lock("compact")?;
    let compacted = book.compact(&codec(), now())?;
    book.checkpoint()?;
    let json = serde_json::json!({
        "segments_before": compacted.segments_before,
        "segments_after": compacted.segments_after,
        "archives_before": compacted.archives_before,
        "archives_after": compacted.archives_after,
    });
    let text = format!(
        "Segments: {} before, {} now. Files of raw pages: {} before, {} now.",
        compacted.segments_before,
        compacted.segments_after,
        compacted.archives_before,
        compacted.archives_after
    );
    printer.result(&json, &text);
    Ok(Exit::Done)
}
