//! `tollbook price`.

use std::path::PathBuf;

use clap::Args;

use crate::domain::{Country, Exit, Failure, Result, Zone};
use crate::run::price::{Request, price};
use crate::stage::explain::counted_noun;

use super::printer::Printer;

/// The arguments of `price`.
#[derive(Args)]
#[command(
    after_help = "Example: tollbook price --rules rules --contacts contacts.csv --usage usage.csv --out charges.csv --lines lines.csv"
)]
pub struct Arguments {
    /// Folder of the rule files
    #[arg(long, value_name = "DIR")]
    rules: PathBuf,
    /// The contact list
    #[arg(long, value_name = "FILE")]
    contacts: PathBuf,
    /// The events: CSV, JSON lines or Parquet
    #[arg(long, value_name = "FILE")]
    usage: PathBuf,
    /// Where extensions belong: sites, departments, cost centres
    #[arg(long, value_name = "FILE")]
    directory: Option<PathBuf>,
    /// A coding sheet; its confirmed rows count
    #[arg(long, value_name = "FILE")]
    coding: Option<PathBuf>,
    /// Where the charges go, as CSV
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Where the rounded lines of each contact and month go, as CSV
    #[arg(long, value_name = "FILE")]
    lines: Option<PathBuf>,
    /// Print the steps of every charge
    #[arg(long)]
    explain: bool,
    /// Country of numbers without a country code
    #[arg(long, default_value = "US")]
    country: String,
    /// Zone in which usage without a contact falls into months
    #[arg(long, default_value = "UTC")]
    zone: String,
}

/// Prices the file and writes the results.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let wrong = |what: String| Failure::new(Exit::Usage, what);
    let country = Country::from_code(&arguments.country)
        .ok_or_else(|| wrong(format!("\"{}\" is not a country", arguments.country)))?;
    let zone = Zone::from_name(&arguments.zone)
        .ok_or_else(|| wrong(format!("\"{}\" is not a time zone", arguments.zone)))?;
    let request = Request {
        rules: &arguments.rules,
        contacts: &arguments.contacts,
        usage: &arguments.usage,
        local_times: None,
        directory: arguments.directory.as_deref(),
        coding: arguments.coding.as_deref(),
        country,
        zone,
    };
    let priced = price(&request)?;
    write(&arguments.out, &priced.charges_csv())?;
    if let Some(path) = &arguments.lines {
        write(path, &priced.lines_csv()?)?;
    }
    if arguments.explain {
        printer.data(priced.explained()?.trim_end());
    }
    let counts = priced.dispositions();
    let json = serde_json::json!({
        "events": priced.events.len() + priced.suspended.len(),
        "dispositions": counts.iter().map(|(word, count)| (word.to_string(), *count)).collect::<std::collections::BTreeMap<_, _>>(),
    });
    let mut text = counted_noun((priced.events.len() + priced.suspended.len()) as u64, "event");
    for (disposition, count) in counts {
        text.push_str(&format!("\n  {count:>9}  {disposition}"));
    }
    if arguments.explain {
        printer.say(&text)
    } else {
        printer.result(&json, &text)
    }
    Ok(Exit::Done)
}

fn write(path: &PathBuf, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(|error| Failure::io(&error, format!("writing {}", path.display())))
}
