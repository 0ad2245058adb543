//! `tollbook doctor`.

use clap::Args;
use serde_json::json;

use crate::domain::{Exit, Failure, Instant, Result};
use crate::run::doctor::{self, Check, Report, State};

use super::printer::Printer;
use super::{ConfigArgument, now};

/// The arguments of `doctor`.
#[derive(Args)]
#[command(
    after_help = "It makes about ten small requests, keeps nothing and shows no secret. Every account is checked unless --account names one.\n\
Exit codes: 0 nothing is missing, 3 something here is, 6 the service withholds something."
)]
pub struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// The time the service is at, for a sandbox on a virtual clock
    #[arg(long)]
    at: Option<String>,
}

/// Checks and says what is missing.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let now = match &arguments.at {
        None => now(),
        Some(text) => Instant::parse(text).ok_or_else(|| {
            Failure::new(Exit::Usage, format!("\"{text}\" is not a time with an offset"))
                .hint("Write it as 2026-10-01T00:00:00Z.")
        })?,
    };
    let reports = doctor::examine(&arguments.config.config, arguments.config.account.as_deref(), now)?;
    let json: Vec<serde_json::Value> = reports.iter().map(facts).collect();
    let text: Vec<String> = reports.iter().map(text).collect();
    printer.result(&json!({ "accounts": json }), &text.join("\n"));
    Ok(reports.iter().fold(Exit::Done, |exit, report| exit.worse(report.exit())))
}

fn facts(report: &Report) -> serde_json::Value {
    let checks: Vec<serde_json::Value> = report
        .checks
        .iter()
        .map(|check| {
            json!({
                "check": check.name,
                "state": check.state.word(),
                "sentence": check.sentence,
                "remedy": check.remedy,
            })
        })
        .collect();
    json!({ "account": report.account, "exit": report.exit().code(), "checks": checks })
}

fn text(report: &Report) -> String {
    let mut text = report.account.as_ref().map(|name| format!("account {name}\n")).unwrap_or_default();
    report.checks.iter().for_each(|check| text.push_str(&line(check)));
    let count = |state| report.checks.iter().filter(|check| check.state == state).count();
    text.push_str(&match (count(State::Missing), count(State::Warning)) {
        (0, 0) => "All is well.\n".to_owned(),
        (0, warnings) => format!("Nothing is missing; {warnings} to know about.\n"),
        (missing, warnings) => format!("{missing} missing, {warnings} to know about.\n"),
    });
    text
}

fn line(check: &Check) -> String {
    let mut line = format!("{:<12} {:<19} {}\n", check.state.word(), check.name, wrapped(&check.sentence));
    if let Some(remedy) = &check.remedy {
        line.push_str(&format!(
            "{:<32} -> {}\n",
            "",
            wrapped(remedy).replacen(&" ".repeat(33), &" ".repeat(36), 9)
        ));
    }
    line
}

/// Breaks a sentence so that it fits beside the columns on a screen of 100.
fn wrapped(sentence: &str) -> String {
    const WIDTH: usize = 64;
    let (mut text, mut column) = (String::new(), 0);
    for word in sentence.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            text.push('\n');
            text.push_str(&" ".repeat(33));
            column = 0;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text
}
