//! Coding sheets: CSV → what people said of events. A sheet proposes; only a row that says `confirmed` counts.
//!
//! A cell of text that a spreadsheet would take for a formula stands behind an apostrophe; one leading apostrophe is
//! taken away again, which undoes exactly what writing a table does.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::contact::ContactList;
use crate::domain::event::{BillableEvent, Coding};
use crate::domain::outcome::words;

use super::diagnostic::{Diagnostic, SourceFile};
use super::ruleset::RuleSet;
use super::sheet::{self, Row};

/// What a sheet says of an event; the cells of these columns are the user's.
pub const CODING_COLUMNS: [&str; 7] =
    ["record", "contact", "matter", "timekeeper", "task", "narrative", "status"];

/// What a sheet shows of an event, so that people know it again; the cells of these columns are ours.
pub const SHOWN_COLUMNS: [&str; 7] =
    ["start", "channel", "direction", "other_party", "minutes", "extension", "payer"];

const REQUIRED: [&str; 2] = ["record", "status"];
const OPTIONAL: [&str; 12] = [
    "contact",
    "matter",
    "timekeeper",
    "task",
    "narrative",
    "start",
    "channel",
    "direction",
    "other_party",
    "minutes",
    "extension",
    "payer",
];

words! {
    /// Whether somebody stands behind a row.
    CodingStatus { Proposed = "proposed", Confirmed = "confirmed" }
}

/// One row of a sheet.
#[derive(Clone, Debug)]
pub struct CodingRow {
    /// Id of the event, or of a record that is evidence of it.
    pub record: String,
    pub coding: Coding,
    pub status: CodingStatus,
    row: Row,
}

impl CodingRow {
    /// The cell of a shown column as it was written; `None` where the sheet has no such column or the cell is empty.
    pub fn shown(&self, column: &str) -> Option<&str> {
        cell(&self.row, column)
    }

    /// Whether the sheet has a column.
    pub fn has(&self, column: &str) -> bool {
        self.row.has(column)
    }

    /// Line of the file, from 1.
    pub fn line(&self) -> usize {
        self.row.line
    }

    /// A complaint about a cell of this row.
    pub fn complaint(
        &self,
        code: &'static str,
        file: &SourceFile,
        column: &str,
        message: String,
    ) -> Diagnostic {
        self.row.complaint(code, file, column, message)
    }
}

/// All confirmed rows of the sheets. The default has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodingSheet {
    /// By the id of the event or record, with the place of its file among the files that were read.
    confirmed: BTreeMap<String, (Coding, usize)>,
}

impl CodingSheet {
    /// What the sheets say of an event: by its own id, else by that of a record that is evidence of it.
    pub fn of(&self, event: &BillableEvent) -> Option<&Coding> {
        self.found(event).map(|(coding, _)| coding)
    }

    /// The places of the files, among those that were read, that say something of these events.
    pub fn files_of(&self, events: &[BillableEvent]) -> BTreeSet<usize> {
        events.iter().filter_map(|event| self.found(event)).map(|(_, file)| *file).collect()
    }

    fn found(&self, event: &BillableEvent) -> Option<&(Coding, usize)> {
        if self.confirmed.is_empty() {
            return None;
        }
        let by_evidence = || event.evidence.iter().find_map(|item| self.confirmed.get(&item.record.id));
        self.confirmed.get(&event.id).or_else(by_evidence)
    }

    /// Whether no row of it counts.
    pub fn is_empty(&self) -> bool {
        self.confirmed.is_empty()
    }
}

/// Reads the rows of one sheet.
///
/// # Errors
/// All mistakes of its form: columns, missing ids, unknown words, a record in two rows.
pub fn rows(file: &SourceFile) -> Result<Vec<CodingRow>, Vec<Diagnostic>> {
    let rows = sheet::rows(file, &REQUIRED, &OPTIONAL)?;
    let mut mistakes = Vec::new();
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    let mut read = Vec::with_capacity(rows.len());
    for row in rows {
        let record = cell(&row, "record").map(str::to_owned);
        match &record {
            None => {
                let message = format!("line {} names no record", row.line);
                let hint = "Keep the record column as it was exported.";
                mistakes.push(row.complaint("missing-cell", file, "record", message).hint(hint));
            }
            Some(id) => {
                if let Some(first) = lines.insert(id.clone(), row.line) {
                    let message = format!("{id} stands on line {first} and on line {}", row.line);
                    let hint = "One row says everything about a record.";
                    mistakes.push(row.complaint("duplicate-record", file, "record", message).hint(hint));
                }
            }
        }
        let word = cell(&row, "status").unwrap_or_default();
        let status = CodingStatus::from_word(word);
        if status.is_none() {
            let message = format!("\"{word}\" is not a status, on line {}", row.line);
            let hint = "Write confirmed when the row is right, else proposed.";
            mistakes.push(row.complaint("wrong-status", file, "status", message).hint(hint));
        }
        let text = |column: &str| cell(&row, column).map(str::to_owned);
        let coding = Coding {
            contact: text("contact"),
            matter: text("matter"),
            timekeeper: text("timekeeper"),
            task: text("task"),
            narrative: text("narrative"),
        };
        if let (Some(record), Some(status)) = (record, status) {
            read.push(CodingRow { record, coding, status, row });
        }
    }
    if mistakes.is_empty() { Ok(read) } else { Err(mistakes) }
}

/// What is wrong with the names in a sheet's rows: contacts, matters and timekeepers.
pub fn check_names(
    file: &SourceFile,
    rows: &[CodingRow],
    rules: &RuleSet,
    contacts: &ContactList,
) -> Vec<Diagnostic> {
    let mut claimants: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for contact in &contacts.contacts {
        for claim in &contact.matters {
            claimants.entry(&claim.value).or_default().push(&contact.id);
        }
    }
    let mut found = Vec::new();
    for row in rows {
        let coding = &row.coding;
        let known = |id: &String| contacts.contacts.iter().any(|contact| contact.id == *id);
        if let Some(id) = coding.contact.as_ref().filter(|id| !known(id)) {
            let message = format!("there is no contact {id}, on line {}", row.line());
            let hint = "Write the id of a row of the contact list, or leave the cell empty.";
            found.push(row.complaint("unknown-contact", file, "contact", message).hint(hint));
        }
        let known = |id: &String| rules.timekeepers.iter().any(|timekeeper| timekeeper.id == *id);
        if let Some(id) = coding.timekeeper.as_ref().filter(|id| !known(id)) {
            let message = format!("there is no timekeeper {id}, on line {}", row.line());
            let hint = "Write the NAME of a [timekeeper.NAME] of the rule files, or leave the cell empty.";
            found.push(row.complaint("unknown-timekeeper", file, "timekeeper", message).hint(hint));
        }
        if let (Some(contact), Some(matter)) = (&coding.contact, &coding.matter)
            && let Some(claimants) = claimants.get(matter.as_str())
            && !claimants.contains(&contact.as_str())
        {
            let message = format!(
                "the matter {matter} is one of {}, the row names {contact}, on line {}",
                claimants.join(", "),
                row.line()
            );
            let hint = "Name the contact whose matter it is.";
            found.push(row.complaint("matter-of-another", file, "matter", message).hint(hint));
        }
    }
    found
}

/// Reads all sheets together.
///
/// # Errors
/// All mistakes of all sheets; a record that two sheets code differently.
pub fn coding_sheet(
    files: &[SourceFile],
    rules: &RuleSet,
    contacts: &ContactList,
) -> Result<CodingSheet, Vec<Diagnostic>> {
    let mut mistakes = Vec::new();
    let mut confirmed: BTreeMap<String, (Coding, usize)> = BTreeMap::new();
    for (place, file) in files.iter().enumerate() {
        let rows = match rows(file) {
            Ok(rows) => rows,
            Err(found) => {
                mistakes.extend(found);
                continue;
            }
        };
        mistakes.extend(check_names(file, &rows, rules, contacts));
        for row in rows.iter().filter(|row| row.status == CodingStatus::Confirmed) {
            if let Some((other, earlier)) = confirmed.insert(row.record.clone(), (row.coding.clone(), place))
                && other != row.coding
            {
                let message = format!(
                    "{} is coded in {} and otherwise in {} (line {})",
                    row.record,
                    files[earlier].name,
                    file.name,
                    row.line()
                );
                let hint = "Keep one of the rows.";
                mistakes.push(row.complaint("coded-twice", file, "record", message).hint(hint));
            }
        }
    }
    if mistakes.is_empty() { Ok(CodingSheet { confirmed }) } else { Err(mistakes) }
}

/// The text of a cell without its guard.
fn cell<'a>(row: &'a Row, column: &str) -> Option<&'a str> {
    row.cell(column).map(|text| text.strip_prefix('\'').unwrap_or(text)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Country;
    use crate::rules::contacts::contact_list;
    use crate::rules::load::rule_set;

    fn file(name: &str, text: &str) -> SourceFile {
        SourceFile { name: name.to_owned(), text: text.to_owned() }
    }

    fn read(sheets: &[&str]) -> Result<CodingSheet, Vec<(&'static str, String)>> {
        let home = Country::from_code("US").unwrap();
        let rules = "default_tariff = \"plain\"\n[tariff.plain]\ncurrency = \"USD\"\nzone = \"UTC\"\n\
            [[tariff.plain.rate]]\nmatch = { channel = \"voice\" }\nprice = \"1 per call\"\n";
        let (mut rules, _) = rule_set(&[file("rules.toml", rules)], home).unwrap();
        rules.timekeepers.push(crate::rules::ruleset::Timekeeper {
            id: "ada".to_owned(),
            name: "Ada".to_owned(),
            extensions: Vec::new(),
            price: None,
        });
        let contacts = file("contacts.csv", "id,name,matters\nsmith,Smith,M-1;M-2\nmaple,Maple,M-3\n");
        let (contacts, _) = contact_list(&contacts, &rules, home).unwrap();
        let files: Vec<SourceFile> =
            sheets.iter().enumerate().map(|(at, text)| file(&format!("{at}.csv"), text)).collect();
        coding_sheet(&files, &rules, &contacts)
            .map_err(|found| found.into_iter().map(|mistake| (mistake.code, mistake.message)).collect())
    }

    #[test]
    fn only_confirmed_rows_count_and_guards_are_taken_off() {
        let sheet = read(&["record,matter,timekeeper,narrative,status,start\n\
            call:1,M-1,ada,\"'=note, \"\"quoted\"\"\",confirmed,anything\n\
            call:2,M-1,ada,,proposed,\n"])
        .unwrap();
        assert_eq!(sheet.confirmed.len(), 1);
        let (coding, _) = &sheet.confirmed["call:1"];
        assert_eq!(coding.narrative.as_deref(), Some("=note, \"quoted\""));
        assert_eq!((coding.matter.as_deref(), coding.contact.as_deref()), (Some("M-1"), None));
    }

    #[test]
    fn all_mistakes_of_all_sheets_are_told_at_once() {
        let found = read(&[
            "record,contact,matter,timekeeper,status\n\
             call:1,nobody,,,confirmed\n\
             call:2,,,zoe,proposed\n\
             call:3,smith,M-3,,confirmed\n\
             call:4,smith,,,confirmed\n",
            "record,contact,status\ncall:4,maple,confirmed\ncall:5,,confirmed\n",
            "record,status\ncall:6,done\n,proposed\ncall:7,proposed\ncall:7,proposed\n",
        ])
        .unwrap_err();
        let codes: Vec<&str> = found.iter().map(|(code, _)| *code).collect();
        let expected = [
            "unknown-contact",
            "unknown-timekeeper",
            "matter-of-another",
            "coded-twice",
            "wrong-status",
            "missing-cell",
            "duplicate-record",
        ];
        assert_eq!(codes, expected, "{found:?}");
    }
}
