//! `tollbook verify`.

use std::path::PathBuf;

use clap::Args;

use crate::book::Book;
use crate::domain::{Exit, Result};
use crate::run::facts::codec;

use super::ConfigArgument;
use super::printer::Printer;

/// The arguments of `verify`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// The book, instead of the configuration's
    #[arg(long, value_name = "DIR")]
    book: Option<PathBuf>,
}

/// Checks the book; problems end with exit code 7.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let folder = match &arguments.book {
        Some(folder) => folder.clone(),
        None => {
            let settings = arguments.config.settings()?;
            settings.path(&settings.config.book)
        }
    };
    let book = Book::open(&folder)?;
    let problems = book.verify(&codec())?;
    let rows: Vec<_> = problems
        .iter()
        .map(|problem| serde_json::json!({ "place": problem.place, "message": problem.message }))
        .collect();
    let text = match problems.is_empty() {
        true => "the book is as it was written".to_owned(),
        false => problems
            .iter()
            .map(|problem| format!("{}: {}", problem.place, problem.message))
            .collect::<Vec<_>>()
            .join("\n"),
    };
    printer.result(&serde_json::json!({ "problems": rows }), &text);
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Verification })
}
