//! `tollbook accept-suspense`.

use clap::Args;

use crate::book::Book;
use crate::domain::{Exit, Failure, Result};
use crate::run::suspense::ACCEPT_SUSPENSE;

use super::printer::Printer;
use super::{ConfigArgument, actor, now};

/// The arguments of `accept-suspense`.
#[derive(Args)]
#[command(
    after_help = "Example: tollbook accept-suspense RaN2TdCOCIENzUA --reason \"test call of the carrier\" --actor anna\n\
What is suspended stays unbilled; only the payers it could belong to are no longer held back."
)]
pub struct Arguments {
    /// The record or event, as the run names it
    id: String,
    /// Why it is accepted; printed with every result it touches
    #[arg(long)]
    reason: String,
    /// Who accepts it
    #[arg(long)]
    actor: Option<String>,
    #[command(flatten)]
    config: ConfigArgument,
}

/// Records the decision.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let settings = arguments.config.settings()?;
    if arguments.reason.trim().is_empty() || arguments.id.trim().is_empty() {
        return Err(Failure::new(Exit::Usage, "suspense is accepted only with an id and a reason"));
    }
    let mut book = Book::open(&settings.path(&settings.config.book))?;
    let _lock = book.lock("accept-suspense")?;
    let actor = actor(arguments.actor.as_ref());
    book.decide(ACCEPT_SUSPENSE, &arguments.id, &actor, &arguments.reason, now())?;
    let json = serde_json::json!({ "id": arguments.id, "actor": actor });
    printer.result(&json, &format!("Accepted the suspense of {}.", arguments.id));
    Ok(Exit::Done)
}
