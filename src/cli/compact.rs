//! `tollbook compact`.

use clap::Args;

use crate::book::Book;
use crate::domain::{Exit, Result};
use crate::run::facts::codec;

use super::printer::Printer;
use super::{BookArgument, now};

/// The arguments of `compact`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    book: BookArgument,
}

/// Joins small segments and files of raw pages.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let mut book = Book::open(&arguments.book.folder()?)?;
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
