//! The directory: CSV → where each extension belonged when. Two rows of one extension never hold on one day.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::diagnostic::{Diagnostic, SourceFile};
use super::reader;
use super::sheet::{self, Row};

const REQUIRED: [&str; 1] = ["extension"];
const OPTIONAL: [&str; 6] = ["name", "department", "site", "cost_centre", "valid_from", "valid_to"];

/// Where an extension belongs for some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub name: Option<String>,
    pub department: Option<String>,
    pub site: Option<String>,
    pub cost_centre: Option<String>,
    /// `None` has no beginning.
    pub valid_from: Option<NaiveDate>,
    /// The first day on which it does not hold any more; `None` has no end.
    pub valid_to: Option<NaiveDate>,
    line: usize,
}

/// Where extensions belong. The default knows none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    /// By extension number, in the order of the days.
    places: BTreeMap<u64, Vec<Place>>,
}

impl Directory {
    /// Where an extension belongs on a day of the company's zone.
    pub fn place(&self, extension: u64, day: NaiveDate) -> Option<&Place> {
        self.places.get(&extension)?.iter().find(|place| {
            place.valid_from.is_none_or(|from| from <= day) && place.valid_to.is_none_or(|to| day < to)
        })
    }

    /// Whether it knows no extension at all.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

/// Reads a directory.
///
/// # Errors
/// All mistakes of the file, each with its row.
pub fn directory(file: &SourceFile) -> Result<Directory, Vec<Diagnostic>> {
    let rows = sheet::rows(file, &REQUIRED, &OPTIONAL)?;
    let mut mistakes = Vec::new();
    let mut directory = Directory::default();
    for row in &rows {
        if let Some((extension, place)) = read(file, row, &mut mistakes) {
            directory.places.entry(extension).or_default().push(place);
        }
    }
    for (extension, places) in &mut directory.places {
        places.sort_by_key(|place| (place.valid_from, place.line));
        for pair in places.windows(2) {
            let (Some(end), Some(next)) = (pair[0].valid_to, pair[1].valid_from) else {
                mistakes.push(overlap(file, &rows, *extension, &pair[0], &pair[1]));
                continue;
            };
            if next < end {
                mistakes.push(overlap(file, &rows, *extension, &pair[0], &pair[1]));
            }
        }
    }
    if mistakes.is_empty() { Ok(directory) } else { Err(mistakes) }
}

fn read(file: &SourceFile, row: &Row, mistakes: &mut Vec<Diagnostic>) -> Option<(u64, Place)> {
    let extension = row.cell("extension").and_then(number);
    if extension.is_none() {
        let message = match row.cell("extension") {
            Some(text) => format!("\"{text}\" is not an extension number"),
            None => format!("line {} names no extension", row.line),
        };
        let hint = "Write the short number of a user or queue: 101.";
        mistakes.push(row.complaint("wrong-identifier", file, "extension", message).hint(hint));
    }
    let mut date = |column: &str| {
        let text = row.cell(column)?;
        reader::date(text)
            .map_err(|message| {
                let complaint = row.complaint("wrong-date", file, column, message);
                mistakes.push(complaint.hint("Write days as 2026-11-26."));
            })
            .ok()
    };
    let (valid_from, valid_to) = (date("valid_from"), date("valid_to"));
    if let (Some(from), Some(to)) = (valid_from, valid_to)
        && from >= to
    {
        let message = format!("the row on line {} is valid at no time", row.line);
        let hint = "valid_to is the first day after, and later than valid_from.";
        mistakes.push(row.complaint("empty-validity", file, "valid_to", message).hint(hint));
    }
    let text = |column: &str| row.cell(column).map(str::to_owned);
    let place = Place {
        name: text("name"),
        department: text("department"),
        site: text("site"),
        cost_centre: text("cost_centre"),
        valid_from,
        valid_to,
        line: row.line,
    };
    Some((extension?, place))
}

fn number(text: &str) -> Option<u64> {
    let shaped = (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| shaped)
}

fn overlap(file: &SourceFile, rows: &[Row], extension: u64, one: &Place, other: &Place) -> Diagnostic {
    let (first, second) = (one.line.min(other.line), one.line.max(other.line));
    let message =
        format!("extension {extension} is in two places at the same time (line {first} and line {second})");
    let hint = "End one row where the other begins: valid_to is the first day after.";
    match rows.iter().find(|row| row.line == second) {
        Some(row) => row.complaint("placed-twice", file, "extension", message).hint(hint),
        None => Diagnostic::error("placed-twice", &file.name, None, message).hint(hint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Directory, Vec<Diagnostic>> {
        directory(&SourceFile { name: "directory.csv".to_owned(), text: text.to_owned() })
    }

    #[test]
    fn an_extension_that_moves_is_in_one_place_at_a_time() {
        let text = "extension,name,department,site,cost_centre,valid_from,valid_to\n\
            101,Ada,Sales,Berlin,4711,,2026-10-05\n\
            101,Ada,Legal,Bonn,,2026-10-05,\n\
            0102,,,Bonn,,,\n";
        let directory = read(text).unwrap();
        let on = |extension, day| {
            let day = NaiveDate::from_ymd_opt(2026, 10, day).unwrap();
            directory.place(extension, day).and_then(|place| place.department.as_deref())
        };
        assert_eq!((on(101, 4), on(101, 5), on(103, 5)), (Some("Sales"), Some("Legal"), None));
        assert_eq!(on(102, 1), None, "a row without a department says none");
        assert!(directory.place(102, NaiveDate::MIN).is_some());
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text = "extension,site,valid_from,valid_to\n\
            101,Berlin,,2026-10-06\n\
            101,Bonn,2026-10-05,\n\
            102,Berlin,,\n\
            102,Bonn,,\n\
            x,Bonn,,\n\
            ,Bonn,,\n\
            104,Bonn,October,\n\
            105,Bonn,2026-10-05,2026-10-05\n";
        let mut codes: Vec<&str> = read(text).unwrap_err().iter().map(|mistake| mistake.code).collect();
        codes.sort_unstable();
        let expected = [
            "empty-validity",
            "placed-twice",
            "placed-twice",
            "wrong-date",
            "wrong-identifier",
            "wrong-identifier",
        ];
        assert_eq!(codes, expected);
    }
}
