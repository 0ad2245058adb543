//! `tollbook rules`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::book::Book;
use crate::domain::{Country, Exit, Failure, Result};
use crate::rules::diagnostic::{Diagnostic, SourceFile, render};
use crate::rules::{RuleSet, lint, schema};
use crate::run::rating::test_examples;
use crate::run::report::rates_matching_nothing_in;
use crate::run::workspace::{Settings, read_rules, refuse, rule_set};
use crate::stage::explain::counted_noun;

use super::printer::Printer;

/// What to do with rule files.
#[derive(Subcommand)]
pub enum Action {
    /// Check rule files and show every mistake
    Check(CheckArguments),
    /// Run the examples that the rule files carry
    Test(Arguments),
    /// Print the JSON Schema of rule files, for editors
    Schema,
}

/// The arguments of a check.
#[derive(Args)]
pub struct CheckArguments {
    #[command(flatten)]
    of_both: Arguments,
    /// Exit with 3 when there are warnings
    #[arg(long)]
    strict: bool,
    /// Warn about rates that matched nothing in the last run of this book; without it, of the book of ./tollbook.toml if
    /// that has the same rules
    #[arg(long, value_name = "DIR")]
    book: Option<PathBuf>,
}

/// The arguments of both.
#[derive(Args)]
pub struct Arguments {
    /// Folder of the rule files
    #[arg(default_value = "rules", value_name = "DIR")]
    folder: PathBuf,
    /// Country of numbers without a country code
    #[arg(long, default_value = "US")]
    country: String,
}

/// Runs one of the actions.
pub fn run(action: &Action, printer: &mut Printer) -> Result<Exit> {
    match action {
        Action::Check(arguments) => check(arguments, printer),
        Action::Test(arguments) => test(arguments, printer),
        Action::Schema => print_schema(printer),
    }
}

/// A rule set with the files it was read from and what was only warned about.
struct Checked {
    rules: RuleSet,
    files: Vec<SourceFile>,
    warnings: Vec<Diagnostic>,
}

fn read(arguments: &Arguments) -> Result<Checked> {
    let country = Country::from_code(&arguments.country)
        .ok_or_else(|| Failure::new(Exit::Usage, format!("\"{}\" is not a country", arguments.country)))?;
    let files = read_rules(&arguments.folder)?;
    let (rules, warnings) = rule_set(&files, country).map_err(|mistakes| refuse(&mistakes, &files))?;
    Ok(Checked { rules, files, warnings })
}

fn say(warnings: &[Diagnostic], files: &[SourceFile], printer: &mut Printer) {
    if !warnings.is_empty() {
        printer.say(render(warnings, files, false).trim_end());
    }
}

fn check(arguments: &CheckArguments, printer: &mut Printer) -> Result<Exit> {
    let Checked { rules, files, mut warnings } = read(&arguments.of_both)?;
    warnings.extend(lint::lint(&rules, &files));
    if let Some(folder) = book_of(arguments)
        && let Some(run) = Book::open(&folder)?.runs()?.last()
    {
        let rates = rates_matching_nothing_in(&run.manifest)?;
        warnings.extend(lint::matched_nothing(&rules, &files, &run.period, &rates));
    }
    say(&warnings, &files, printer);
    let rates: usize = rules.tariffs.iter().map(|tariff| tariff.rates.len()).sum();
    let json = serde_json::json!({
        "tariffs": rules.tariffs.len(), "rates": rates, "warnings": warnings.len(), "hash": rules.hash.hex()
    });
    let text = format!(
        "{} with {}, {}: no mistakes",
        counted_noun(rules.tariffs.len() as u64, "tariff version"),
        counted_noun(rates as u64, "rate"),
        counted_noun(rules.examples.len() as u64, "example")
    );
    printer.result(&json, &text);
    Ok(if arguments.strict && !warnings.is_empty() { Exit::Mistakes } else { Exit::Done })
}

/// The book whose last run is looked at: the one that is named, or that of the configuration here. Rules are checked
/// before anything else is in order, so a configuration that is missing or wrong is not what this is about.
fn book_of(arguments: &CheckArguments) -> Option<PathBuf> {
    if arguments.book.is_some() {
        return arguments.book.clone();
    }
    let settings = Settings::load(Path::new("tollbook.toml"), None).ok()?;
    let same = settings.path(&settings.config.rules) == arguments.of_both.folder;
    Some(settings.path(&settings.config.book)).filter(|folder| same && folder.exists())
}

fn print_schema(printer: &mut Printer) -> Result<Exit> {
    printer.result(&schema::schema(), &schema::text());
    Ok(Exit::Done)
}

fn test(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let Checked { rules, files, warnings } = read(arguments)?;
    say(&warnings, &files, printer);
    let results = test_examples(&rules)?;
    let mut failed = 0;
    let mut text = String::new();
    for result in &results {
        if result.differences.is_empty() {
            continue;
        }
        failed += 1;
        text.push_str(&format!("{}: example of tariff {}\n", result.example.file, result.example.tariff));
        for difference in &result.differences {
            text.push_str(&format!("  {difference}\n"));
        }
        for step in &result.steps {
            text.push_str(&format!("    {step}\n"));
        }
    }
    text.push_str(&format!("{} passed, {failed} failed", results.len() - failed));
    let json = serde_json::json!({ "passed": results.len() - failed, "failed": failed });
    printer.result(&json, &text);
    Ok(if failed == 0 { Exit::Done } else { Exit::Mistakes })
}
