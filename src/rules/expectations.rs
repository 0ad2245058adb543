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
    let mut cells = Cells { file, row, mistakes };
    cells.check_required();
    let number = cells.number(numbers);
    let (from, to) = (cells.instant("due_from"), cells.instant("due_to"));
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        let message = format!("the window on line {} is empty", row.line);
        cells.complain("due_to", "empty-window", message, "due_to must be later than due_from.");
    }
    let (channel, direction, pages) = (cells.channel(), cells.direction(), cells.pages());
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

/// The cells of one row, each read or complained about.
struct Cells<'a> {
    file: &'a SourceFile,
    row: &'a Row,
    mistakes: &'a mut Vec<Diagnostic>,
}

impl Cells<'_> {
    fn complain(&mut self, column: &str, code: &'static str, message: String, hint: &str) {
        self.mistakes.push(self.row.complaint(code, self.file, column, message).hint(hint));
    }

    fn check_required(&mut self) {
        let line = self.row.line;
        for column in REQUIRED {
            if self.row.cell(column).is_none() {
                let message = format!("the expectation on line {line} has no {column}");
                self.complain(column, "missing-cell", message, "Every expectation needs it.");
            }
        }
        if self.row.cell("contact").is_none() && self.row.cell("number").is_none() {
            let message = format!("the expectation on line {line} names neither a contact nor a number");
            self.complain("contact", "missing-cell", message, "Fill one of the two columns.");
        }
    }

    fn number(&mut self, numbers: &mut NumberReader) -> Option<u64> {
        let text = self.row.cell("number")?;
        if let (PartyNumber::E164(digits), _) = numbers.read(text) {
            return Some(digits);
        }
        let message = format!("\"{text}\" is not a telephone number");
        self.complain("number", "wrong-identifier", message, "Write it as +12125550143.");
        None
    }

    fn instant(&mut self, column: &str) -> Option<Instant> {
        let text = self.row.cell(column)?;
        let parsed = Instant::parse(text);
        if parsed.is_none() {
            let hint = "Write it with an offset: 2026-10-05T09:00:00-04:00.";
            self.complain(column, "wrong-time", format!("\"{text}\" is not a time with an offset"), hint);
        }
        parsed
    }

    fn channel(&mut self) -> Option<Channel> {
        let text = self.row.cell("channel")?;
        let channel = Channel::from_word(text);
        if channel.is_none() {
            let hint = "Write voice, sms, mms, fax or voicemail.";
            self.complain("channel", "unknown-word", format!("\"{text}\" is not a channel"), hint);
        }
        channel
    }

    fn direction(&mut self) -> Option<Direction> {
        let text = self.row.cell("direction")?;
        let direction = Direction::from_word(text).filter(|direction| *direction != Direction::Internal);
        if direction.is_none() {
            let hint = "Write inbound or outbound.";
            self.complain("direction", "unknown-word", format!("\"{text}\" is not a direction"), hint);
        }
        direction
    }

    fn pages(&mut self) -> Option<u32> {
        let text = self.row.cell("pages")?;
        let pages = text.parse().ok();
        if pages.is_none() {
            let hint = "Write a whole number or leave it empty.";
            self.complain("pages", "wrong-count", format!("\"{text}\" is not a number of pages"), hint);
        }
        pages
    }
}
