//! `tollbook contacts`.

use clap::Subcommand;

use crate::domain::{Exit, Result};
use crate::stage::explain::counted_noun;

use super::ConfigArgument;
use super::printer::Printer;

/// What to do with the contact list.
#[derive(Subcommand)]
pub enum Action {
    /// Check the contact list against the rules and show every mistake
    Check(ConfigArgument),
}

/// Runs the action.
pub fn run(action: &Action, printer: &mut Printer) -> Result<Exit> {
    let Action::Check(arguments) = action;
    let workspace = arguments.workspace()?;
    if !workspace.warnings.is_empty() {
        printer.say(workspace.warnings.trim_end());
    }
    let count = workspace.contacts.contacts.len();
    let json = serde_json::json!({ "contacts": count, "hash": workspace.contacts.hash.hex() });
    printer.result(&json, &format!("{}: no mistakes", counted_noun(count as u64, "contact")));
    Ok(Exit::Done)
}
