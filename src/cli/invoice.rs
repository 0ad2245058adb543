//! `tollbook invoice`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::book::Book;
use crate::domain::document::Document;
use crate::domain::{Exit, Failure, Result};

use super::printer::Printer;
use super::{ConfigArgument, run};

/// What to do with documents.
#[derive(Subcommand)]
pub enum Action {
    /// List finalised documents
    List(ListArguments),
    /// Give the drafts of a period numbers (as `run --finalise`)
    Finalise(Box<run::Arguments>),
}

/// The arguments of `invoice list`.
#[derive(Args)]
pub struct ListArguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// The book, instead of the configuration's
    #[arg(long, value_name = "DIR")]
    book: Option<PathBuf>,
    /// Only this month, as 2026-10
    #[arg(long)]
    period: Option<String>,
}

/// Runs one of the actions.
pub fn run(action: &Action, printer: &mut Printer) -> Result<Exit> {
    match action {
        Action::List(arguments) => list(arguments, printer),
        Action::Finalise(arguments) => {
            let arguments = run::Arguments {
                config: arguments.config.clone(),
                period: arguments.period,
                finalise: true,
                actor: arguments.actor.clone(),
                issue_date: arguments.issue_date,
                out: arguments.out.clone(),
                book: arguments.book.clone(),
                breaks_allowed: arguments.breaks_allowed,
            };
            run::run(&arguments, printer)
        }
    }
}

fn list(arguments: &ListArguments, printer: &mut Printer) -> Result<Exit> {
    let folder = match &arguments.book {
        Some(folder) => folder.clone(),
        None => {
            let settings = arguments.config.settings()?;
            settings.path(&settings.config.book)
        }
    };
    let book = Book::open(&folder)?;
    let mut rows = Vec::new();
    let mut text = String::new();
    for stored in book.documents(arguments.period.as_deref())? {
        let document: Document = serde_json::from_slice(&stored.body).map_err(|error| {
            Failure::new(Exit::Verification, format!("document {}: {error}", stored.number))
        })?;
        let total = document.invoice.total;
        text.push_str(&format!(
            "{}  {}  {}  {:>14}  {}\n",
            stored.number,
            stored.period_key,
            stored.issue_date,
            total.to_string(),
            stored.contact_id
        ));
        rows.push(serde_json::json!({
            "number": stored.number,
            "period": stored.period_key,
            "issue_date": stored.issue_date.to_string(),
            "contact": stored.contact_id,
            "total": total.digits(),
            "currency": total.currency.code(),
        }));
    }
    printer.result(&serde_json::Value::from(rows), if text.is_empty() { "no documents" } else { &text });
    Ok(Exit::Done)
}
