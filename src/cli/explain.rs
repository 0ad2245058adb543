//! `tollbook explain`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::book::{Book, StoredDocument};
use crate::domain::time::Month;
use crate::domain::{Exit, Failure, Result};
use crate::run::explain::{Question, document, found};
use crate::run::report::inputs_of;
use crate::run::workspace::{Settings, Workspace};

use super::printer::Printer;
use super::{ConfigArgument, month};

/// The arguments of `explain`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tollbook explain INV-000003\n  tollbook explain INV-000003 --line 2\n  tollbook explain INV-000003 --line 2 --event call:s-0123\n  tollbook explain call:s-0123 --options\n  tollbook explain A0123456789"
)]
pub struct Arguments {
    /// Number of a document, or id of an event or of a record
    #[arg(value_name = "WHAT")]
    what: String,
    /// Line of the document; all of them by default
    #[arg(long, value_name = "NUMBER")]
    line: Option<u32>,
    /// The event of the document that is taken apart; the first event of the line by default
    #[arg(long, value_name = "ID")]
    event: Option<String>,
    /// Take every event of the document or line apart
    #[arg(long, conflicts_with = "event")]
    every: bool,
    /// The month of an event or record, as 2026-10, where it is not that of its start
    #[arg(long, value_parser = month, value_name = "YYYY-MM")]
    period: Option<Month>,
    /// Print all options of the tariffs, not only those that differ from the defaults
    #[arg(long)]
    options: bool,
    #[command(flatten)]
    config: ConfigArgument,
    /// The book, instead of the configuration's
    #[arg(long, value_name = "DIR")]
    book: Option<PathBuf>,
}

/// Explains a document or a line of it under the rules and contacts of the time, or an event, or a record.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let settings = arguments.config.settings()?;
    let folder = arguments.book.clone().unwrap_or_else(|| settings.path(&settings.config.book));
    let book = Book::open(&folder)?;
    let what = arguments.what.as_str();
    if let Some(stored) = stored(&book, what)? {
        let workspace = workspace_of(arguments, &settings, &book, &stored)?;
        let question =
            Question { line: arguments.line, event: arguments.event.as_deref(), every: arguments.every };
        let explained = document(&book, &workspace, &stored, question)?;
        return print(printer, &explained, &explained.text(arguments.options));
    }
    let unknown = || {
        Failure::new(Exit::Usage, format!("there is no document, event or record {what}")).hint(
            "`tollbook invoice list` lists the documents; an event's id stands beside it in charges.csv.",
        )
    };
    if arguments.line.is_some() || arguments.event.is_some() {
        return Err(Failure::new(Exit::Usage, format!("there is no document {what}"))
            .hint("`tollbook invoice list` lists the documents."));
    }
    let rules_of = |number: Option<&str>| match number {
        None => arguments.config.workspace(),
        Some(number) => match stored(&book, number)? {
            Some(stored) => workspace_of(arguments, &settings, &book, &stored),
            None => arguments.config.workspace(),
        },
    };
    let explained = found(&book, settings.config.zone, what, arguments.period, rules_of)?;
    let explained = explained.ok_or_else(unknown)?;
    print(printer, &explained, &explained.text(arguments.options))
}

fn print(printer: &mut Printer, explained: &impl Serialize, text: &str) -> Result<Exit> {
    let json = serde_json::to_value(explained).map_err(|error| Failure::new(Exit::Bug, error.to_string()))?;
    printer.result(&json, text);
    Ok(Exit::Done)
}

fn stored(book: &Book, number: &str) -> Result<Option<StoredDocument>> {
    Ok(book.documents(None)?.into_iter().find(|document| document.number == number))
}

/// The rules, contacts and sheets under which a document was made.
fn workspace_of(
    arguments: &Arguments,
    settings: &Settings,
    book: &Book,
    stored: &StoredDocument,
) -> Result<Workspace> {
    let run = book.runs()?.into_iter().find(|run| run.id == stored.run_id && run.finalised);
    match run {
        Some(run) => Workspace::of_the_time(settings, book, &inputs_of(&run.manifest)?),
        // Finalised, but interrupted before its manifest was kept: the files of today are those of the run.
        None => arguments.config.workspace(),
    }
}
