//! `tollbook coding`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::book::Book;
use crate::domain::time::Month;
use crate::domain::{Exit, Result};
use crate::run::coding::{self, Checked};
use crate::run::workspace::{name_of, read_file};
use crate::stage::explain::counted_noun;

use super::printer::Printer;
use super::{BookArgument, actor, month, now};

/// What to do with coding sheets.
#[derive(Subcommand)]
pub enum Action {
    /// Write the sheet of a period, with proposals for contact, matter, timekeeper, task and narrative
    Export(ExportArguments),
    /// Check a sheet that was edited, and show every mistake
    Check(SheetArguments),
    /// Check a sheet and take it in: runs bill by its confirmed rows
    Import(ImportArguments),
}

/// The arguments of `coding export`.
#[derive(Args)]
#[command(after_help = "Example: tollbook coding export --period 2026-10 --out sheet.csv\n\
Write confirmed into the status of every row that is right; only those rows count.")]
pub struct ExportArguments {
    #[command(flatten)]
    book: BookArgument,
    /// The month, as 2026-10
    #[arg(long, value_parser = month)]
    period: Month,
    /// Where the sheet goes, as CSV
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// A sheet and its place.
#[derive(Args)]
#[command(after_help = "Example: tollbook coding check sheet.csv")]
pub struct SheetArguments {
    /// The sheet, as CSV
    file: PathBuf,
    #[command(flatten)]
    book: BookArgument,
    /// The month, where the sheet does not show when its events began
    #[arg(long, value_parser = month)]
    period: Option<Month>,
}

/// The arguments of `coding import`.
#[derive(Args)]
#[command(after_help = "Example: tollbook coding import sheet.csv --actor anna")]
pub struct ImportArguments {
    #[command(flatten)]
    sheet: SheetArguments,
    /// Who stands behind the sheet
    #[arg(long)]
    actor: Option<String>,
}

/// Runs one of the actions.
pub fn run(action: &Action, printer: &mut Printer) -> Result<Exit> {
    match action {
        Action::Export(arguments) => export(arguments, printer),
        Action::Check(arguments) => check(arguments, printer),
        Action::Import(arguments) => import(arguments, printer),
    }
}

fn export(arguments: &ExportArguments, printer: &mut Printer) -> Result<Exit> {
    let workspace = arguments.book.config.workspace()?;
    let book = Book::open(&arguments.book.folder()?)?;
    let exported = coding::export(&book, &workspace, arguments.period)?;
    coding::write(&arguments.out, &exported)?;
    say_overlaps(&exported.overlaps, printer);
    let json = serde_json::json!({
        "rows": exported.rows,
        "confirmed": exported.confirmed,
        "overlaps": exported.overlaps,
        "file": arguments.out.display().to_string(),
    });
    let text = format!(
        "{}, {} confirmed: {}",
        counted_noun(exported.rows as u64, "row"),
        exported.confirmed,
        arguments.out.display()
    );
    printer.result(&json, &text);
    Ok(Exit::Done)
}

fn check(arguments: &SheetArguments, printer: &mut Printer) -> Result<Exit> {
    let workspace = arguments.book.config.workspace()?;
    let book = Book::open(&arguments.book.folder()?)?;
    let file = read_file(&arguments.file, &name_of(&arguments.file))?;
    let checked = coding::check(&book, &workspace, &file, arguments.period)?;
    say(&checked, printer);
    printer.result(&json(&checked), &format!("{}: no mistakes", counts(&checked)));
    Ok(Exit::Done)
}

fn import(arguments: &ImportArguments, printer: &mut Printer) -> Result<Exit> {
    let sheet = &arguments.sheet;
    let workspace = sheet.book.config.workspace()?;
    let file = read_file(&sheet.file, &name_of(&sheet.file))?;
    let mut book = Book::open(&sheet.book.folder()?)?;
    let _lock = book.lock("coding import")?;
    let actor = actor(arguments.actor.as_ref());
    let imported = coding::import(&mut book, &workspace, &file, sheet.period, &actor, now())?;
    say(&imported.checked, printer);
    let mut json = json(&imported.checked);
    json["file"] = imported.path.display().to_string().into();
    json["actor"] = actor.into();
    let text = format!("{}: taken into {}", counts(&imported.checked), imported.path.display());
    printer.result(&json, &text);
    Ok(Exit::Done)
}

fn say(checked: &Checked, printer: &mut Printer) {
    for warning in &checked.warnings {
        printer.say(warning);
    }
    say_overlaps(&checked.overlaps, printer);
}

fn say_overlaps(overlaps: &[String], printer: &mut Printer) {
    for overlap in overlaps {
        printer.say(&format!("{overlap}."));
    }
}

fn counts(checked: &Checked) -> String {
    format!("{}, {} confirmed", counted_noun(checked.rows as u64, "row"), checked.confirmed)
}

fn json(checked: &Checked) -> serde_json::Value {
    serde_json::json!({
        "rows": checked.rows,
        "confirmed": checked.confirmed,
        "overlaps": checked.overlaps,
        "warnings": checked.warnings,
    })
}
