//! `tollbook explain`.

use std::path::PathBuf;

use clap::Args;

use crate::book::Book;
use crate::domain::{Exit, Failure, Result};
use crate::run::explain::{Explanation, explain};
use crate::run::report::inputs_of;
use crate::run::workspace::Workspace;
use crate::stage::explain::{counted, counted_noun};

use super::ConfigArgument;
use super::printer::Printer;

/// The arguments of `explain`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tollbook explain INV-000003 --line 2\n  tollbook explain INV-000003 --line 2 --event call:s-0123"
)]
pub struct Arguments {
    /// Number of the document
    number: String,
    /// Line of the document
    #[arg(long, default_value_t = 1)]
    line: u32,
    /// Whose charge is taken apart; the first event of the line by default
    #[arg(long)]
    event: Option<String>,
    #[command(flatten)]
    config: ConfigArgument,
    /// The book, instead of the configuration's
    #[arg(long, value_name = "DIR")]
    book: Option<PathBuf>,
}

/// Explains a line under the rules and contacts of the time.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let settings = arguments.config.settings()?;
    let folder = arguments.book.clone().unwrap_or_else(|| settings.path(&settings.config.book));
    let book = Book::open(&folder)?;
    let unknown = || {
        Failure::new(Exit::Usage, format!("there is no document {}", arguments.number))
            .hint("`tollbook invoice list` lists the documents.")
    };
    let stored = book.documents(None)?.into_iter().find(|document| document.number == arguments.number);
    let stored = stored.ok_or_else(unknown)?;
    let run = book.runs()?.into_iter().find(|run| run.id == stored.run_id && run.finalised);
    let workspace = match run {
        Some(run) => Workspace::of_the_time(&settings, &book, &inputs_of(&run.manifest)?)?,
        // Finalised, but interrupted before its manifest was kept: the files of today are those of the run.
        None => arguments.config.workspace()?,
    };
    let found = explain(&book, &workspace, &arguments.number, arguments.line, arguments.event.as_deref())?;
    let json = serde_json::to_value(&found).map_err(|error| Failure::new(Exit::Bug, error.to_string()))?;
    printer.result(&json, &text(&found));
    Ok(Exit::Done)
}

fn text(found: &Explanation) -> String {
    let line = &found.line;
    let mut text = format!(
        "{}, line {}: {} ({}){}\n",
        found.number,
        line.number,
        line.key.clause,
        format!("{} {}", line.key.tariff, line.key.tariff_version).trim_end(),
        if line.key.band.is_empty() { String::new() } else { format!(", band {}", line.key.band) }
    );
    text.push_str(&format!("price: {}\n\n", line.price));
    for event in &found.events {
        let units = counted(line.unit, i128::from(event.units));
        text.push_str(&format!(
            "  {}  {:>10}  {:>14}  {}\n",
            event.start,
            units,
            event.exact.digits(6),
            event.event
        ));
    }
    if found.events.is_empty() {
        text.push_str(&format!(
            "a recurring amount of the period, without events; the line is {}\n",
            line.amount
        ));
        return text;
    }
    text.push_str(&format!(
        "\n{} {} up to {} exactly; the line is {} (rounding added {})\n",
        counted_noun(found.events.len() as u64, "event"),
        if found.events.len() == 1 { "adds" } else { "add" },
        found.sum.shortest(),
        line.amount,
        line.residual.shortest()
    ));
    if let Some(steps) = &found.steps {
        text.push_str(&format!("\nsteps of {}\n", steps.event));
        for evidence in &steps.evidence {
            text.push_str(&format!("  evidence: {evidence}\n"));
        }
        for step in &steps.steps {
            text.push_str(&format!("  {step}\n"));
        }
        let verdict = match steps.replayed == steps.kept {
            true => "as finalised".to_owned(),
            false => {
                format!("finalised was {}: facts or rules of derivation changed since", steps.kept.shortest())
            }
        };
        text.push_str(&format!("  the steps add up to {}, {verdict}\n", steps.replayed.shortest()));
    }
    text
}
