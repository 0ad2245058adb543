//! `tollbook price`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::domain::disposition::EventDisposition;
use crate::domain::local::{LocalTimes, RepeatedTime, SkippedTime};
use crate::domain::{Country, Exit, Failure, Result, Zone};
use crate::run::price::{Request, Sinks, Summary, price_to};
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
    /// Print all options of the tariffs, not only those that differ from the defaults
    #[arg(long)]
    options: bool,
    /// Country of numbers without a country code
    #[arg(long, default_value = "US")]
    country: String,
    /// Zone in which usage without a contact falls into months, and of times without an offset
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// Reads times without an offset, and says what those mean that the clocks showed twice
    #[arg(long, value_parser = repeated_time, value_name = "offset-required|earlier|later")]
    local_times: Option<RepeatedTime>,
    /// Reads times without an offset, and says what those mean that the clocks skipped
    #[arg(long, value_parser = skipped_time, value_name = "shift|error")]
    skipped_times: Option<SkippedTime>,
    /// End with exit code 4 when anything is suspended
    #[arg(long)]
    fail_on_suspended: bool,
}

fn repeated_time(text: &str) -> std::result::Result<RepeatedTime, String> {
    RepeatedTime::from_word(text).ok_or_else(|| "write offset-required, earlier or later".to_owned())
}

fn skipped_time(text: &str) -> std::result::Result<SkippedTime, String> {
    SkippedTime::from_word(text).ok_or_else(|| "write shift or error".to_owned())
}

/// Prices the file and writes the results: the whole files, or what was there before.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let wrong = |what: String| Failure::new(Exit::Usage, what);
    let country = Country::from_code(&arguments.country)
        .ok_or_else(|| wrong(format!("\"{}\" is not a country", arguments.country)))?;
    let zone = Zone::from_name(&arguments.zone)
        .ok_or_else(|| wrong(format!("\"{}\" is not a time zone", arguments.zone)))?;
    let said = arguments.local_times.is_some() || arguments.skipped_times.is_some();
    let times = LocalTimes::of(zone);
    let times = LocalTimes {
        repeated: arguments.local_times.unwrap_or(times.repeated),
        skipped: arguments.skipped_times.unwrap_or(times.skipped),
        ..times
    };
    let request = Request {
        rules: &arguments.rules,
        contacts: &arguments.contacts,
        usage: &arguments.usage,
        local_times: Some(times).filter(|_| said),
        directory: arguments.directory.as_deref(),
        coding: arguments.coding.as_deref(),
        country,
        zone,
    };
    let mut charges = Output::create(&arguments.out)?;
    let lines = arguments.lines.as_deref().map(Output::create).transpose()?;
    let mut steps = |json: &serde_json::Value, text: &str| printer.result(json, text);
    let mut sinks = Sinks {
        charges: &mut charges.writer,
        steps: if arguments.explain { Some(&mut steps) } else { None },
    };
    let summary = price_to(&request, &mut sinks)?;
    if let Some(mut lines) = lines {
        lines.writer.write_all(&summary.lines).map_err(|error| lines.failed(&error))?;
        lines.commit()?;
    }
    charges.commit()?;
    tell(arguments, &summary, printer);
    let suspended = summary.dispositions.get(&EventDisposition::Suspended).copied().unwrap_or(0);
    Ok(if arguments.fail_on_suspended && suspended > 0 { Exit::Findings } else { Exit::Done })
}

/// A larger file that had to be held in memory is worth a word.
const LARGE_BYTES: u64 = 16 * 1024 * 1024;

fn tell(arguments: &Arguments, summary: &Summary, printer: &mut Printer) {
    let large = fs::metadata(&arguments.usage).is_ok_and(|file| file.len() >= LARGE_BYTES);
    if let Some(why) = summary.held.filter(|_| large) {
        printer.say(&format!("{} was held in memory as a whole: {why}.", arguments.usage.display()));
    }
    for tariff in &summary.tariffs {
        let version = if tariff.version.is_empty() { "" } else { " of " };
        printer.say(&format!("options of {}{version}{}:", tariff.tariff, tariff.version));
        for line in tariff.lines(arguments.options) {
            printer.say(&format!("  {line}"));
        }
    }
    let events: usize = summary.dispositions.values().sum();
    let counts = summary.dispositions.iter().map(|(word, count)| (word.to_string(), *count));
    let json = serde_json::json!({
        "events": events,
        "dispositions": counts.collect::<BTreeMap<_, _>>(),
        "options": summary.tariffs,
        "held": summary.held,
    });
    let mut text = counted_noun(events as u64, "event");
    for (disposition, count) in &summary.dispositions {
        text.push_str(&format!("\n  {count:>9}  {disposition}"));
    }
    if arguments.explain { printer.say(&text) } else { printer.result(&json, &text) }
}

/// A file that appears under its name when it is whole.
struct Output {
    path: PathBuf,
    partial: PathBuf,
    writer: BufWriter<File>,
    whole: bool,
}

impl Output {
    fn create(path: &Path) -> Result<Output> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let partial = path.with_file_name(format!(".{name}.partial"));
        let file = File::create(&partial)
            .map_err(|error| Failure::io(&error, format!("writing {}", path.display())))?;
        Ok(Output { path: path.to_owned(), partial, writer: BufWriter::new(file), whole: false })
    }

    fn failed(&self, error: &std::io::Error) -> Failure {
        Failure::io(error, format!("writing {}", self.path.display()))
    }

    fn commit(mut self) -> Result<()> {
        let written = self.writer.flush().and_then(|()| self.writer.get_ref().sync_all());
        written.and_then(|()| fs::rename(&self.partial, &self.path)).map_err(|error| self.failed(&error))?;
        self.whole = true;
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.whole {
            // What was begun is of no use to anybody; that it stays behind is no second failure.
            drop(fs::remove_file(&self.partial));
        }
    }
}
