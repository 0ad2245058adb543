//! `tollbook demo`.

use std::path::PathBuf;

use clap::Args;

use crate::domain::{Exit, Result};
use crate::run::demo::demo;
use crate::stage::explain::counted_noun;

use super::printer::Printer;
use super::run::summary;

/// The arguments of `demo`.
#[derive(Args)]
#[command(
    after_help = "Example: tollbook demo --out out\nRun again after an interruption, it goes on where it stopped."
)]
pub struct Arguments {
    /// Folder for the results; the book goes to DIR.book, the invented customer's files to DIR.workspace
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs the demo and names the page to open.
pub fn run(arguments: Arguments, printer: &mut Printer) -> Result<Exit> {
    printer.say("Starting the sandbox and collecting a month of calls, texts and faxes...");
    let bar = printer.bar();
    let made = demo(&arguments.out, &mut |progress| bar.show(progress));
    bar.end();
    let made = made?;
    for pull in &made.pulls {
        printer.say(&format!(
            "Pulled {} with {}; {} sealed.",
            counted_noun(pull.records, "record"),
            counted_noun(pull.requests, "request"),
            counted_noun(pull.windows_sealed, "window")
        ));
    }
    let json = serde_json::json!({
        "index": made.index.display().to_string(),
        "book": made.book.display().to_string(),
        "run": made.run.id.hex(),
        "documents": made.run.documents.len(),
    });
    let number = made.run.documents.iter().find_map(|item| item.invoice.finalisation.as_ref());
    let config = made.workspace.join("tollbook.toml");
    let mut text = format!("{}\nOpen {}", summary(&made.run), made.index.display());
    if let Some(number) = number.map(|facts| &facts.number) {
        let (config, book) = (config.display(), made.book.display());
        text.push_str(&format!(
            "\nAsk where a line comes from: tollbook explain {number} --line 1 --config {config} --book {book}"
        ));
    }
    printer.result(&json, &text);
    Ok(Exit::Done)
}
