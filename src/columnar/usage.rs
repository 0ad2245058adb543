//! Usage files: CSV, JSON lines and Parquet in the columns of the design, section 9. Absent columns are absent, not
//! zero.

use std::collections::BTreeMap;
use std::io::Cursor;

use polars::prelude::*;

use rust_decimal::Decimal;

use crate::domain::Instant;
use crate::domain::event::SegmentWays;
use crate::domain::local::{LocalTimeMistake, LocalTimes};
use crate::domain::source::UsageRow;
use crate::rules::diagnostic::{Diagnostic, SourceFile};
use crate::rules::sheet;

const REQUIRED: [&str; 4] = ["id", "start", "channel", "direction"];
const OPTIONAL: [&str; 21] = [
    "seconds",
    "milliseconds",
    "from",
    "to",
    "extension",
    "result",
    "outcome",
    "segments",
    "pages",
    "text",
    "account_code",
    "contact",
    "site",
    "department",
    "cost_centre",
    "ringcentral_account",
    "error_code",
    "matter",
    "timekeeper",
    "task",
    "carrier_cost",
];

/// A usage row with the text of the message, from which segments are counted when their number is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    pub row: UsageRow,
    pub text: Option<String>,
}

/// Longer than any call: a hundred years. A larger number is a mistake, never silently an absent one.
const SECONDS_MAX: i64 = 3_155_760_000;
/// More segments or pages than any message has.
const COUNT_MAX: i64 = 1_000_000;

type Cells = BTreeMap<String, String>;

/// Reads a usage file; its name's ending tells the format. Without `local` every time needs its offset.
///
/// # Errors
/// All mistakes of the file, each with its row.
pub fn read(name: &str, bytes: &[u8], local: Option<&LocalTimes>) -> Result<Vec<Usage>, Vec<Diagnostic>> {
    let ending = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let rows: Vec<(usize, Cells)> = match ending.as_str() {
        "csv" => csv_rows(&sheet::decode(name, bytes).map_err(|mistake| vec![mistake])?)?,
        "jsonl" | "ndjson" => json_rows(&sheet::decode(name, bytes).map_err(|mistake| vec![mistake])?)?,
        "parquet" => parquet_rows(name, bytes).map_err(|mistake| vec![mistake])?,
        _ => {
            let hint = "Name the file .csv, .jsonl or .parquet.";
            let message = "the file's name does not tell its format";
            return Err(vec![Diagnostic::error("unknown-format", name, None, message).hint(hint)]);
        }
    };
    let mut mistakes = Vec::new();
    let mut usage = Vec::with_capacity(rows.len());
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for (line, cells) in rows {
        match read_row(&cells, local) {
            Ok(row) => {
                if let Some(earlier) = first.insert(row.row.id.clone(), line) {
                    let message = format!("rows {earlier} and {line} have the same id {}", row.row.id);
                    mistakes.push(
                        Diagnostic::error("duplicate-id", name, None, message)
                            .hint("Give each row its own id."),
                    );
                }
                usage.push(row);
            }
            Err(problems) => {
                for (message, hint) in problems {
                    let message = format!("row {line}: {message}");
                    mistakes.push(Diagnostic::error("wrong-usage", name, None, message).hint(hint));
                }
            }
        }
    }
    if mistakes.is_empty() { Ok(usage) } else { Err(mistakes) }
}

fn csv_rows(file: &SourceFile) -> Result<Vec<(usize, Cells)>, Vec<Diagnostic>> {
    let rows = sheet::rows(file, &REQUIRED, &OPTIONAL)?;
    let columns: Vec<&'static str> = REQUIRED.iter().chain(&OPTIONAL).copied().collect();
    let cells = |row: &sheet::Row| -> Cells {
        // Blanks of a message's text count: they are characters that were sent.
        let value = |column: &str| if column == "text" { row.untrimmed(column) } else { row.cell(column) };
        let cell = |column: &&'static str| value(column).map(|text| ((*column).to_owned(), text.to_owned()));
        columns.iter().filter_map(cell).collect()
    };
    Ok(rows.iter().map(|row| (row.line, cells(row))).collect())
}

fn json_rows(file: &SourceFile) -> Result<Vec<(usize, Cells)>, Vec<Diagnostic>> {
    let mut rows = Vec::new();
    let mut mistakes = Vec::new();
    let mut complain = |line: usize, message: String| {
        let message = format!("line {line}: {message}");
        mistakes.push(
            Diagnostic::error("wrong-usage", &file.name, None, message).hint("Write one JSON object a line."),
        );
    };
    for (index, line) in file.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let object = match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line) {
            Ok(object) => object,
            Err(error) => {
                complain(index + 1, format!("not a JSON object (column {})", error.column()));
                continue;
            }
        };
        let mut cells = Cells::new();
        for (key, value) in object {
            let known = REQUIRED.iter().chain(&OPTIONAL).any(|column| *column == key);
            match value {
                _ if !known => complain(index + 1, format!("there is no column called {key}")),
                serde_json::Value::Null => {}
                serde_json::Value::String(text) => {
                    cells.insert(key, text);
                }
                serde_json::Value::Number(number) => {
                    cells.insert(key, number.to_string());
                }
                _ => complain(index + 1, format!("{key} is neither a text nor a number")),
            }
        }
        rows.push((index + 1, cells));
    }
    if mistakes.is_empty() { Ok(rows) } else { Err(mistakes) }
}

fn parquet_rows(name: &str, bytes: &[u8]) -> Result<Vec<(usize, Cells)>, Diagnostic> {
    let frame = ParquetReader::new(Cursor::new(bytes)).finish().map_err(|error| {
        Diagnostic::error(
            "broken-parquet",
            name,
            None,
            format!("the file cannot be read as Parquet: {error}"),
        )
    })?;
    let mut rows: Vec<(usize, Cells)> = (0..frame.height()).map(|row| (row + 1, Cells::new())).collect();
    for column in frame.columns() {
        let title = column.name().to_string();
        if !REQUIRED.iter().chain(&OPTIONAL).any(|known| *known == title) {
            let message = format!("there is no column called {title}");
            return Err(Diagnostic::error("unknown-column", name, None, message));
        }
        let drifted = || {
            let message = format!(
                "the column {title} has the type {}, expected a text or a whole number",
                column.dtype()
            );
            Diagnostic::error("wrong-column-type", name, None, message)
        };
        let fits = column.dtype().is_integer()
            || column.dtype() == &DataType::String
            || (column.dtype().is_decimal() && title == "carrier_cost")
            || column.dtype() == &DataType::Null;
        let texts = column.cast(&DataType::String).ok().filter(|_| fits).ok_or_else(drifted)?;
        let texts = texts.str().map_err(|_| drifted())?;
        for (row, text) in rows.iter_mut().zip(texts.iter()) {
            if let Some(text) = text {
                row.1.insert(title.clone(), text.to_owned());
            }
        }
    }
    Ok(rows)
}

type Problems = Vec<(String, &'static str)>;

fn read_row(cells: &Cells, local: Option<&LocalTimes>) -> Result<Usage, Problems> {
    let mut problems = Vec::new();
    for column in REQUIRED {
        if !cells.contains_key(column) {
            problems
                .push((format!("{column} is missing"), "Every row needs id, start, channel and direction."));
        }
    }
    let text = |column: &str| cells.get(column).cloned();
    let milliseconds = whole(cells, "milliseconds", SECONDS_MAX * 1000, &mut problems);
    let seconds = whole(cells, "seconds", SECONDS_MAX, &mut problems);
    let segments = whole(cells, "segments", COUNT_MAX, &mut problems);
    let pages = whole(cells, "pages", COUNT_MAX, &mut problems);
    let start = start(cells, local, &mut problems);
    let carrier_cost = cost(cells, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let row = UsageRow {
        id: text("id").unwrap_or_default(),
        start,
        milliseconds: milliseconds.or(seconds.map(|seconds| seconds * 1000)),
        channel: text("channel").unwrap_or_default(),
        direction: text("direction").unwrap_or_default(),
        from: text("from"),
        to: text("to"),
        extension: text("extension"),
        result: text("result"),
        outcome: text("outcome"),
        segments,
        segment_counts: SegmentWays::default(),
        pages,
        account_code: text("account_code"),
        contact: text("contact"),
        site: text("site"),
        department: text("department"),
        cost_centre: text("cost_centre"),
        ringcentral_account: text("ringcentral_account"),
        error_code: text("error_code"),
        matter: text("matter"),
        timekeeper: text("timekeeper"),
        task: text("task"),
        carrier_cost,
    };
    Ok(Usage { row, text: text("text") })
}

/// A whole number. One below zero is read as it is: such a row is suspended, not the file refused.
fn whole(cells: &Cells, column: &str, most: i64, problems: &mut Problems) -> Option<i64> {
    let text = cells.get(column)?;
    let value = text.parse::<i64>().ok().filter(|value| (-most..=most).contains(value));
    if value.is_none() {
        problems.push((
            format!("{column} is \"{text}\", not a whole number from 0 to {most}"),
            "Leave the cell empty when nobody knows.",
        ));
    }
    value
}

fn cost(cells: &Cells, problems: &mut Problems) -> Option<Decimal> {
    let text = cells.get("carrier_cost")?;
    let value = Decimal::from_str_exact(text).ok();
    if value.is_none() {
        problems.push((
            format!("carrier_cost is \"{text}\", not an amount"),
            "Write digits with a decimal point: 0.0075; leave the cell empty when nobody knows.",
        ));
    }
    value
}

fn start(cells: &Cells, local: Option<&LocalTimes>, problems: &mut Problems) -> Option<Instant> {
    const OFFSET: &str = "Write it as 2026-03-09T14:00:00-04:00.";
    let text = cells.get("start")?;
    let Some(local) = local else {
        let start = Instant::parse(text);
        if start.is_none() {
            problems.push((format!("start is \"{text}\", not a time with an offset"), OFFSET));
        }
        return start;
    };
    let mistake = match local.read(text) {
        Ok(start) => return Some(start),
        Err(mistake) => mistake,
    };
    let zone = local.zone.name();
    problems.push(match mistake {
        LocalTimeMistake::NotATime => (format!("start is \"{text}\", not a time"), OFFSET),
        LocalTimeMistake::Repeated => {
            (format!("start is \"{text}\", which the clocks of {zone} showed twice"), "Write its offset.")
        }
        LocalTimeMistake::Skipped => {
            (format!("start is \"{text}\", which the clocks of {zone} never showed"), "Correct the time.")
        }
    });
    None
}

#[cfg(test)]
mod tests;
