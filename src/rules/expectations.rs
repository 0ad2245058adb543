//! Expectation files: what should have happened, as CSV.

use std::collections::BTreeMap;

use crate::domain::number::NumberReader;
use crate::domain::outcome::{Channel, Direction};
use crate::domain::reconciliation::Expectation;
use crate::domain::time::Span;
use crate::domain::{Country, Instant, PartyNumber};

use super::diagnostic::{Diagnostic, SourceFile};
use super::sheet::{self, Row};

const REQUIRED: [&str; 5] = ["id", "channel", "direction", "due_from", "due_to"];
const OPTIONAL: [&str; 4] = ["contact", "number", "pages", "reference"];

/// Reads one expectation file.
///
/// # Errors
/// All mistakes of the file, each with its row.
pub fn expectations(file: &SourceFile, home: Country) -> Result<Vec<Expectation>, Vec<Diagnostic>> {
    let rows = sheet::rows(file, &REQUIRED, &OPTIONAL)?;
    let mut numbers = NumberReader::new(home);
    let mut mistakes = Vec::new();
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let before = mistakes.len();
        let expectation = read(file, row, &mut numbers, &mut mistakes);
        if let Some(line) = row.cell("id").and_then(|id| first.insert(id.to_owned(), row.line)) {
            let message = format!("the expectation on line {} has the id of line {line}", row.line);
            mistakes.push(
                row.complaint("duplicate-id", file, "id", message).hint("Give each expectation its own id."),
            );
        }
        if let (Some(expectation), true) = (expectation, before == mistakes.len()) {
            found.push(expectation);
        }
    }
    if mistakes.is_empty() { Ok(found) } else { Err(mistakes) }
}

fn read(
    file: &SourceFile,
    row: &Row,
    numbers: &mut NumberReader,
    mistakes: &mut Vec<Diagnostic>,
) -> Option<Expectation> {
    let mut complain = |column: &str, code: &'static str, message: String, hint: &str| {
        mistakes.push(row.complaint(code, file, column, message).hint(hint));
    };
    for column in REQUIRED {
        if row.cell(column).is_none() {
            complain(
                column,
                "missing-cell",
                format!("the expectation on line {} has no {column}", row.line),
                "Every expectation needs it.",
            );
        }
    }
    if row.cell("contact").is_none() && row.cell("number").is_none() {
        let message = format!("the expectation on line {} names neither a contact nor a number", row.line);
        complain("contact", "missing-cell", message, "Fill one of the two columns.");
    }
    let number = row.cell("number").and_then(|text| match numbers.read(text) {
        (PartyNumber::E164(digits), _) => Some(digits),
        _ => {
            complain(
                "number",
                "wrong-identifier",
                format!("\"{text}\" is not a telephone number"),
                "Write it as +12125550143.",
            );
            None
        }
    });
    let mut instant = |column: &str| {
        let text = row.cell(column)?;
        let parsed = Instant::parse(text);
        if parsed.is_none() {
            let hint = "Write it with an offset: 2026-10-05T09:00:00-04:00.";
            complain(column, "wrong-time", format!("\"{text}\" is not a time with an offset"), hint);
        }
        parsed
    };
    let (from, to) = (instant("due_from"), instant("due_to"));
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        complain(
            "due_to",
            "empty-window",
            format!("the window on line {} is empty", row.line),
            "due_to must be later than due_from.",
        );
    }
    let channel = row.cell("channel").and_then(|text| {
        let channel = Channel::from_word(text);
        if channel.is_none() {
            complain(
                "channel",
                "unknown-word",
                format!("\"{text}\" is not a channel"),
                "Write voice, sms, mms, fax or voicemail.",
            );
        }
        channel
    });
    let direction = row.cell("direction").and_then(|text| {
        let direction = Direction::from_word(text).filter(|direction| *direction != Direction::Internal);
        if direction.is_none() {
            complain(
                "direction",
                "unknown-word",
                format!("\"{text}\" is not a direction"),
                "Write inbound or outbound.",
            );
        }
        direction
    });
    let pages = row.cell("pages").and_then(|text| {
        let pages = text.parse::<u32>().ok();
        if pages.is_none() {
            complain(
                "pages",
                "wrong-count",
                format!("\"{text}\" is not a number of pages"),
                "Write a whole number or leave it empty.",
            );
        }
        pages
    });
    Some(Expectation {
        id: row.cell("id")?.to_owned(),
        contact: row.cell("contact").map(str::to_owned),
        number,
        channel: channel?,
        direction: direction?,
        due: Span { from: from?, to: to? },
        pages,
        reference: row.cell("reference").map(str::to_owned),
        location: format!("{}:{}", file.name, row.line),
    })
}
