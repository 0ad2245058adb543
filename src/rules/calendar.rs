//! Named days: holidays in a rule file, or in a table beside it.

use chrono::NaiveDate;

use super::companion;
use super::diagnostic::SourceFile;
use super::reader;
use super::sheet;
use super::table::{Sink, Table};

const DATE_HINT: &str = "Write days as \"2026-11-26\".";

/// The days of a calendar, sorted, each once: its `days`, and the dates of its `file`.
pub fn read(table: &Table<'_, '_>, companions: &[SourceFile], sink: &Sink) -> Vec<NaiveDate> {
    let mut days = Vec::new();
    for text in table.texts("days") {
        match reader::date(&text.value) {
            Ok(day) => days.push(day),
            Err(message) => table.complain("wrong-date", text.span, message, DATE_HINT),
        }
    }
    if table.get("days").is_none() && table.get("file").is_none() {
        let hint = "Write days = [\"2026-11-26\"], or name a table: file = \"holidays.csv\".";
        let message = format!("{} has neither days nor a file", table.what);
        table.complain("missing-key", table.span.clone(), message, hint);
    }
    if let Some(file) = companion::named(table, companions) {
        match dates(file) {
            Ok(found) => days.extend(found),
            Err(mistakes) => sink.borrow_mut().extend(sheet::listed(mistakes, &file.name)),
        }
    }
    days.sort_unstable();
    days.dedup();
    days
}

fn dates(file: &SourceFile) -> Result<Vec<NaiveDate>, Vec<super::Diagnostic>> {
    let mut days = Vec::new();
    let mut mistakes = Vec::new();
    for row in sheet::rows(file, &["date"], &["name"])? {
        match row.cell("date").map(reader::date) {
            Some(Ok(day)) => days.push(day),
            Some(Err(message)) => {
                mistakes.push(row.complaint("wrong-date", file, "date", message).hint(DATE_HINT));
            }
            None => mistakes.push(row.complaint("missing-cell", file, "date", "date is empty".to_owned())),
        }
    }
    if mistakes.is_empty() { Ok(days) } else { Err(mistakes) }
}
