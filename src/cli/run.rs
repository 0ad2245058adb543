//! `tollbook run`.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Args;

use crate::book::Book;
use crate::domain::document::LineKind;
use crate::domain::time::Month;
use crate::domain::{Exit, Result};
use crate::run::bill::{self, BillingRun, Finalise};
use crate::run::report;
use crate::stage::explain::counted_noun;

use super::printer::Printer;
use super::{ConfigArgument, actor, month, now};

/// The arguments of `run`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tollbook run --period 2026-10\n  tollbook run --period 2026-10 --finalise --actor anna"
)]
pub struct Arguments {
    #[command(flatten)]
    pub config: ConfigArgument,
    /// The month to bill, as 2026-10; the month before this one by default
    #[arg(long, value_parser = month)]
    pub period: Option<Month>,
    /// Give the documents numbers; only for a period that has ended
    #[arg(long)]
    pub finalise: bool,
    /// Who finalises
    #[arg(long)]
    pub actor: Option<String>,
    /// Date of issue; today in the company's zone by default
    #[arg(long)]
    pub issue_date: Option<NaiveDate>,
    /// Folder of the results, instead of the configuration's
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The book, instead of the configuration's
    #[arg(long, value_name = "DIR")]
    pub book: Option<PathBuf>,
    /// End with exit code 4 when there are more breaks than this
    #[arg(long, value_name = "COUNT")]
    pub breaks_allowed: Option<u64>,
}

/// Bills the period and writes the results.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let workspace = arguments.config.workspace()?;
    if !workspace.warnings.is_empty() {
        printer.say(workspace.warnings.trim_end());
    }
    let folder = arguments.book.clone().unwrap_or_else(|| workspace.path(&workspace.config.book));
    let mut book = Book::open(&folder)?;
    let _lock = book.lock("run")?;
    let today = workspace.config.zone.local(now()).date();
    let month =
        arguments.period.unwrap_or_else(|| Month::of(Month::of(today).first_day() - chrono::Days::new(1)));
    let finalise = arguments.finalise.then(|| Finalise {
        actor: actor(arguments.actor.as_ref()),
        issue_date: arguments.issue_date.unwrap_or(today),
    });
    let output = arguments.out.clone().unwrap_or_else(|| workspace.path(&workspace.config.output));
    let billing = match bill::run(&mut book, &workspace, month, now(), finalise.as_ref()) {
        Ok(billing) => billing,
        Err(failure) if failure.exit() == Exit::NotFinalised => {
            // What is open is worth seeing: the drafts are written all the same.
            let drafts = bill::run(&mut book, &workspace, month, now(), None)?;
            report::write(&mut book, &workspace, &drafts, &output)?;
            return Err(failure);
        }
        Err(failure) => return Err(failure),
    };
    report::write(&mut book, &workspace, &billing, &output)?;
    let index = output.join(month.key()).join("index.html");
    let json = serde_json::json!({
        "run": billing.id.hex(),
        "finalised": billing.finalised,
        "documents": billing.documents.len(),
        "breaks": billing.reconciliation.breaks.len(),
        "index": index.display().to_string(),
    });
    printer.result(&json, &format!("{}\nOpen {}", summary(&billing), index.display()));
    let breaks = billing.reconciliation.breaks.len() as u64;
    let above = arguments.breaks_allowed.is_some_and(|allowed| breaks > allowed);
    Ok(if above { Exit::Findings } else { Exit::Done })
}

/// The short summary with which every run ends.
pub fn summary(run: &BillingRun) -> String {
    let conservation = &run.conservation;
    let mut text =
        format!("{}:\n", counted_noun(conservation.records_collected.unsigned_abs(), "record version"));
    for (disposition, count) in &conservation.records {
        text.push_str(&format!("  {count:>9}  {disposition}\n"));
    }
    text.push_str(&format!(
        "{}:\n",
        counted_noun(conservation.events_mediated.events.unsigned_abs(), "event")
    ));
    for (disposition, total) in &conservation.events {
        text.push_str(&format!("  {:>9}  {disposition}\n", total.events));
    }
    let numbered = run.documents.iter().filter(|item| item.invoice.finalisation.is_some()).count() as u64;
    let drafts = run.documents.len() as u64 - numbered;
    text.push_str(&format!(
        "{} finalised, {} (usage lines: {}):\n",
        counted_noun(numbered, "invoice"),
        counted_noun(drafts, "draft"),
        report::lines_of(run, LineKind::Usage)
    ));
    for money in &run.money {
        text.push_str(&format!(
            "  {:>16}  total, of which tax {}\n",
            money.total.to_string(),
            money.tax.digits()
        ));
    }
    text.push_str(&format!(
        "{}: {} matched, {}",
        counted_noun(run.reconciliation.expectations, "expectation"),
        run.reconciliation.matched.len(),
        counted_noun(run.reconciliation.breaks.len() as u64, "break")
    ));
    for reason in run.open.iter().chain(&run.conservation.violations) {
        text.push_str(&format!("\nopen: {reason}"));
    }
    for (contact, reason) in &run.parked {
        text.push_str(&format!("\nheld back: {contact}: {reason}"));
    }
    text
}
