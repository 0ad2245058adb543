//! CSV tables (RFC 4180: CRLF, quotes doubled, one header row, UTF-8 without a byte order mark).
//!
//! *Guard.* A spreadsheet runs a cell that begins like a formula, and a telephone number begins with `+`. So a text
//! cell whose first character is one of `= + - @`, tab, CR, LF, a full-width form of the four signs, or an apostrophe,
//! gets one apostrophe before it. Because a leading apostrophe is itself guarded, the way back is exact and needs no
//! guessing: *take one leading apostrophe away if there is one*. Figures that we made (amounts, counts) are not text
//! and are never guarded: a negative amount stays a number.
//!
//! Characters that act on a terminal or on the direction of text are shown by a stand-in (`␛`, `⟨U+202E⟩`); the JSON
//! beside a table has them exactly.

use super::text::{acts, stand_in};

/// One cell of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell(String);

impl Cell {
    /// A cell without content.
    pub fn empty() -> Cell {
        Cell(String::new())
    }

    /// Text, guarded.
    pub fn text(text: &str) -> Cell {
        let mut cell = String::with_capacity(text.len() + 1);
        if text.starts_with(begins_a_formula) {
            cell.push('\'');
        }
        for letter in text.chars() {
            if acts(letter) && !matches!(letter, '\t' | '\r' | '\n') {
                cell.push_str(&stand_in(letter));
            } else {
                cell.push(letter);
            }
        }
        Cell(cell)
    }

    /// A figure of ours; anything that is not plain digits with a sign and a point is treated as text.
    pub fn figure(figure: impl std::fmt::Display) -> Cell {
        let text = figure.to_string();
        let digits = text.strip_prefix('-').unwrap_or(&text);
        let plain = digits.starts_with(|letter: char| letter.is_ascii_digit())
            && digits.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
        if plain { Cell(text) } else { Cell::text(&text) }
    }

    /// Text that may be absent.
    pub fn optional_text(text: Option<&str>) -> Cell {
        text.map_or_else(Cell::empty, Cell::text)
    }

    /// A figure that may be absent; absent is empty, never zero.
    pub fn optional_figure(figure: Option<impl std::fmt::Display>) -> Cell {
        figure.map_or_else(Cell::empty, Cell::figure)
    }

    /// What stands in the file, before quoting.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text of a guarded cell: the inverse of [`Cell::text`] for text without acting characters.
    pub fn unguarded(cell: &str) -> &str {
        cell.strip_prefix('\'').unwrap_or(cell)
    }
}

fn begins_a_formula(letter: char) -> bool {
    matches!(letter, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\'' | '\0')
        || matches!(letter, '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}')
}

/// A table under construction; every row has as many cells as the header.
pub struct Table {
    bytes: Vec<u8>,
    columns: usize,
}

impl Table {
    /// A table with its header row.
    pub fn new(header: &[&str]) -> Table {
        let mut table = Table { bytes: Vec::new(), columns: header.len() };
        table.write(header.iter().copied());
        table
    }

    /// Adds a row. A row of another width is a bug of the caller.
    pub fn row(&mut self, cells: &[Cell]) {
        assert_eq!(cells.len(), self.columns, "a row has another width than its header");
        self.write(cells.iter().map(Cell::as_str));
    }

    /// The bytes of the file.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn write<'a>(&mut self, cells: impl Iterator<Item = &'a str>) {
        for (index, cell) in cells.enumerate() {
            if index > 0 {
                self.bytes.push(b',');
            }
            let quoted = cell.contains([',', '"', '\r', '\n', ';', '\t']) || cell.trim() != cell;
            if quoted {
                self.bytes.push(b'"');
                self.bytes.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
                self.bytes.push(b'"');
            } else {
                self.bytes.extend_from_slice(cell.as_bytes());
            }
        }
        self.bytes.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_begins_like_a_formula_is_guarded_and_comes_back() {
        for text in [
            "=1+1",
            "+12125550143",
            "-2",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "'quoted",
            "''",
            "\u{ff1d}1",
            "plain",
            "",
            "a=b",
            "O'Brien",
        ] {
            let cell = Cell::text(text);
            assert_eq!(Cell::unguarded(cell.as_str()), text);
            assert!(!cell.as_str().starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{text:?}");
        }
        assert_eq!(Cell::text("+12125550143").as_str(), "'+12125550143");
        assert_eq!(Cell::figure("-0.004999").as_str(), "-0.004999");
        assert_eq!(Cell::figure("-1/3").as_str(), "'-1/3");
        assert_eq!(Cell::text("a\u{1b}[2Jb\u{202e}c").as_str(), "a\u{241b}[2Jb\u{27e8}U+202E\u{27e9}c");
    }

    #[test]
    fn a_second_reader_sees_the_same_cells() {
        let rows = [["a,b", "say \"no\""], ["line\r\nbreak", " space "], ["", "tab\tin"]];
        let mut table = Table::new(&["first", "second"]);
        for row in &rows {
            table.row(&[Cell::text(row[0]), Cell::text(row[1])]);
        }
        let bytes = table.into_bytes();
        assert!(bytes.ends_with(b"\r\n"));
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let read: Vec<Vec<String>> =
            reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        assert_eq!(read, rows.map(|row| row.map(str::to_owned).to_vec()));
    }
}
