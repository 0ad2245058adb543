//! CSV files the user writes, with the place of every cell.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::diagnostic::{Diagnostic, SourceFile};
use super::table::near;

/// One row: its cells by column name, and where it stands.
#[derive(Clone, Debug)]
pub struct Row {
    pub line: usize,
    pub span: Range<usize>,
    cells: BTreeMap<&'static str, String>,
    /// Position of each column in the file.
    columns: Arc<[(usize, &'static str)]>,
}

impl Row {
    /// The trimmed text of a column; an absent column or an empty cell is `None`.
    pub fn cell(&self, column: &str) -> Option<&str> {
        self.cells.get(column).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// Whether the table has a column.
    pub fn has(&self, column: &str) -> bool {
        self.cells.contains_key(column)
    }

    /// The text of a column as it stands, blanks included; `None` when the cell is empty.
    pub fn untrimmed(&self, column: &str) -> Option<&str> {
        self.cells.get(column).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// A complaint about a cell of this row, pointing at it; at the whole row when the cell is empty.
    pub fn complaint(
        &self,
        code: &'static str,
        file: &SourceFile,
        column: &str,
        message: String,
    ) -> Diagnostic {
        let line = &file.text[self.span.clone()];
        let position = self.columns.iter().find(|(_, name)| *name == column).map(|(at, _)| *at);
        let cell = position.and_then(|position| place_of_cell(line, position));
        let span =
            cell.map_or(self.span.clone(), |cell| self.span.start + cell.start..self.span.start + cell.end);
        Diagnostic::error(code, &file.name, Some(span), message)
            .label(format!("line {}, column {column}", self.line))
    }
}

/// Where a cell stands in the text of its row, without quotes and blanks around it.
fn place_of_cell(row: &str, position: usize) -> Option<Range<usize>> {
    let mut quoted = false;
    let mut starts = vec![0];
    for (at, letter) in row.bytes().enumerate() {
        match letter {
            b'"' => quoted = !quoted,
            b',' if !quoted => starts.push(at + 1),
            _ => {}
        }
    }
    let start = *starts.get(position)?;
    let end = starts.get(position + 1).map_or(row.len(), |next| next - 1);
    let bare = |letter: char| letter == '"' || letter.is_whitespace();
    let cell = &row[start..end];
    let start = start + (cell.len() - cell.trim_start_matches(bare).len());
    let end = end - (cell.len() - cell.trim_end_matches(bare).len());
    (start < end).then_some(start..end)
}

/// The most mistakes of one table that are shown: each shows its place, and the thousandth says nothing new.
const LISTED_MAX: usize = 20;

/// The first mistakes of a table that may be long, and how many more there are.
pub fn listed(mut mistakes: Vec<Diagnostic>, name: &str) -> Vec<Diagnostic> {
    if mistakes.len() > LISTED_MAX {
        let further = mistakes.len() - LISTED_MAX;
        mistakes.truncate(LISTED_MAX);
        let message = format!("{further} further mistakes in {name} are not shown");
        let hint = "Mend those that are shown and check again.";
        mistakes.push(Diagnostic::error("further-mistakes", name, None, message).hint(hint));
    }
    mistakes
}

/// Text of bytes the user calls a text file; a byte order mark is dropped.
///
/// # Errors
/// A diagnostic that names the line of the first byte that is not UTF-8.
pub fn decode(name: &str, bytes: &[u8]) -> Result<SourceFile, Diagnostic> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(SourceFile { name: name.to_owned(), text: text.to_owned() }),
        Err(error) => {
            let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
            let message = format!("the file is not UTF-8: line {line}, byte {}", error.valid_up_to() + 1);
            let hint = "Save it as UTF-8 (in a spreadsheet program: \"CSV UTF-8\").";
            Err(Diagnostic::error("wrong-encoding", name, None, message).hint(hint))
        }
    }
}

/// Reads a CSV file with a header row. Columns may stand in any order.
///
/// # Errors
/// Every missing, unknown or repeated column, and every row with the wrong number of cells.
pub fn rows(
    file: &SourceFile,
    required: &[&'static str],
    optional: &[&'static str],
) -> Result<Vec<Row>, Vec<Diagnostic>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file.text.as_bytes());
    let mut mistakes = Vec::new();
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return Err(vec![broken(file, &error)]),
    };
    let columns: Arc<[_]> = read_header(file, &header, required, optional, &mut mistakes).into();
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                mistakes.push(broken(file, &error));
                break;
            }
        }
        let Some(position) = record.position() else { continue };
        let (mut start, end) = (byte(position.byte()), byte(reader.position().byte()));
        let mut line = usize::try_from(position.line()).unwrap_or(usize::MAX);
        // The reader stands between the two characters of a line end, and before empty lines.
        while let Some(end_of_line @ (b'\r' | b'\n')) = file.text.as_bytes().get(start) {
            line += usize::from(*end_of_line == b'\n');
            start += 1;
        }
        let span = start..start + file.text[start..end.max(start)].trim_end().len();
        if record.len() != header.len() {
            let message = format!("line {line} has {} cells, the header {}", record.len(), header.len());
            let hint = "A cell with a comma in it must stand in quotes.";
            mistakes.push(Diagnostic::error("wrong-cell-count", &file.name, Some(span), message).hint(hint));
            continue;
        }
        let cells = columns.iter().map(|(at, column)| (*column, record[*at].to_owned())).collect();
        rows.push(Row { line, span, cells, columns: Arc::clone(&columns) });
    }
    if mistakes.is_empty() { Ok(rows) } else { Err(mistakes) }
}

fn byte(position: u64) -> usize {
    usize::try_from(position).expect("a text in memory has a length in memory")
}

fn broken(file: &SourceFile, error: &csv::Error) -> Diagnostic {
    let hint = "Check quotes and separators; cells are separated by commas.";
    Diagnostic::error("broken-csv", &file.name, None, error.to_string()).hint(hint)
}

fn read_header(
    file: &SourceFile,
    header: &csv::StringRecord,
    required: &[&'static str],
    optional: &[&'static str],
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<(usize, &'static str)> {
    let span = 0..file.text.find('\n').unwrap_or(file.text.len());
    let known: Vec<&'static str> = required.iter().chain(optional).copied().collect();
    let mut columns: Vec<(usize, &'static str)> = Vec::new();
    for (at, name) in header.iter().enumerate() {
        let name = name.trim();
        match known.iter().find(|column| **column == name) {
            Some(column) if columns.iter().any(|(_, other)| other == column) => {
                let message = format!("the column {name} stands twice in the header");
                mistakes.push(Diagnostic::error("repeated-column", &file.name, Some(span.clone()), message));
            }
            Some(column) => columns.push((at, column)),
            None => {
                let hint = match known.iter().find(|column| near(column, name)) {
                    Some(column) => format!("Did you mean {column}?"),
                    None => format!("Known columns are: {}.", known.join(", ")),
                };
                let message = format!("there is no column called \"{name}\"");
                mistakes.push(
                    Diagnostic::error("unknown-column", &file.name, Some(span.clone()), message).hint(hint),
                );
            }
        }
    }
    for column in required {
        if !columns.iter().any(|(_, found)| found == column) {
            let message = format!("the column {column} is missing");
            let hint = format!("The header must name: {}.", required.join(", "));
            mistakes.push(
                Diagnostic::error("missing-column", &file.name, Some(span.clone()), message).hint(hint),
            );
        }
    }
    columns
}
