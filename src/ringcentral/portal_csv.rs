//! The call log as a person downloads it from the Admin Portal.
//!
//! No format is published; what public readers of such files agree on is accepted: a byte order mark, header names in
//! any case and punctuation, columns left out, detail rows (an empty Type) under the row of their call, blank lines.
//! The rows are kept in their order, because it carries meaning. Times are local and have no offset: the file's zone
//! is told by the caller, and the hour that autumn repeats is marked.
//!
//! A call becomes a record with the members of the API's call record where they correspond, so that one reader serves
//! both, and a member `portal` with what the file says beyond them.

mod cells;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use self::cells::Length;
use super::page::record_of;
use crate::domain::record::{RecordKind, SourceRecord};
use crate::domain::{Hash, Instant, Zone};

/// A file beyond this is refused; a download holds at most some ten thousand calls.
pub const FILE_LIMIT_BYTES: usize = 256 * 1024 * 1024;

/// Mistakes beyond this many are not listed.
const MISTAKES_AT_MOST: usize = 100;

/// A mistake in a file, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// From 1; the header is usually line 1.
    pub line: u64,
    /// The column's name, or for mistakes of the whole line a byte or nothing.
    pub column: String,
    pub message: String,
    pub hint: Option<String>,
}

/// The columns that are read, by their names without case, blanks and punctuation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Type,
    Direction,
    From,
    To,
    Extension,
    ForwardedTo,
    Name,
    Date,
    Time,
    Action,
    Result,
    ResultDescription,
    Duration,
    Included,
    Purchased,
}

const COLUMNS: [(Column, &str, &[&str], bool); 15] = [
    (Column::Type, "Type", &["type"], true),
    (Column::Direction, "Direction", &["direction"], true),
    (Column::From, "From", &["from"], true),
    (Column::To, "To", &["to"], true),
    (Column::Extension, "Extension", &["extension"], false),
    (Column::ForwardedTo, "Forwarded To", &["forwardedto"], false),
    (Column::Name, "Name", &["name"], false),
    (Column::Date, "Date", &["date"], true),
    (Column::Time, "Time", &["time"], true),
    (Column::Action, "Action", &["action"], false),
    (Column::Result, "Action Result", &["actionresult", "result"], true),
    (Column::ResultDescription, "Result Description", &["resultdescription"], false),
    (Column::Duration, "Duration", &["duration", "length"], true),
    (Column::Included, "Included", &["included"], false),
    (Column::Purchased, "Purchased", &["purchased"], false),
];

struct Row {
    line: u64,
    cells: BTreeMap<Column, String>,
}

impl Row {
    fn cell(&self, column: Column) -> &str {
        self.cells.get(&column).map_or("", String::as_str)
    }

    fn text(&self, column: Column) -> Option<Value> {
        Some(self.cell(column)).filter(|text| !text.is_empty()).map(Value::from)
    }
}

/// Reads a file into records of kind `portal-call`, in the order of the file.
///
/// `zone` is the zone the file's local times are in. Observation is the epoch: a file has no time of its own that the
/// bytes tell, so the caller sets it. All mistakes are reported at once (up to a hundred), and then no record.
pub fn read(bytes: &[u8], zone: Zone, account: &str) -> Result<Vec<SourceRecord>, Vec<Mistake>> {
    let text = decode(bytes).map_err(|mistake| vec![mistake])?;
    let rows = rows(text)?;
    let mut mistakes = Vec::new();
    let mut records = Vec::new();
    let mut seen: BTreeMap<Hash, u32> = BTreeMap::new();
    let mut rest = rows.as_slice();
    while let Some((first, after)) = rest.split_first() {
        if first.cell(Column::Type).is_empty() {
            mistakes.push(
                mistake(first, "Type", "a detail row without a call above it")
                    .hint("The rows of a download belong in their order; do not sort or cut the file."),
            );
            rest = after;
            continue;
        }
        let details = after.iter().take_while(|row| row.cell(Column::Type).is_empty()).count();
        match call(&rest[..=details], zone, &mut seen) {
            Ok(call) => {
                let observed = Instant::from_milliseconds(0);
                records.push(record_of(RecordKind::PortalCall, &(&call).into(), account, observed).0);
            }
            Err(found) => mistakes.extend(found),
        }
        rest = &after[details..];
    }
    if mistakes.is_empty() {
        return Ok(records);
    }
    mistakes.truncate(MISTAKES_AT_MOST);
    Err(mistakes)
}

/// Whether bytes look like such a file: the header line names its mandatory columns.
pub fn is_portal_csv(bytes: &[u8]) -> bool {
    decode(bytes).is_ok_and(|text| {
        let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        rows(line).is_ok()
    })
}

impl Mistake {
    fn hint(mut self, hint: &str) -> Mistake {
        self.hint = Some(hint.to_owned());
        self
    }
}

fn mistake(row: &Row, column: &str, message: impl Into<String>) -> Mistake {
    Mistake { line: row.line, column: column.to_owned(), message: message.into(), hint: None }
}

fn decode(bytes: &[u8]) -> Result<&str, Mistake> {
    let whole = |line: u64, column: String, message: String, hint: &str| Mistake {
        line,
        column,
        message,
        hint: Some(hint.to_owned()),
    };
    const SAVE: &str = "Save the file as CSV UTF-8, or use the download as it came.";
    if bytes.len() > FILE_LIMIT_BYTES {
        let message =
            format!("the file has {} bytes, more than the limit of {FILE_LIMIT_BYTES}", bytes.len());
        return Err(whole(1, String::new(), message, "Import shorter time ranges."));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(whole(1, "byte 1".to_owned(), "the file is UTF-16, not UTF-8".to_owned(), SAVE));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        let message = "the file is a workbook, not CSV".to_owned();
        return Err(whole(1, "byte 1".to_owned(), message, "Download the call log as CSV."));
    }
    let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(body).map_err(|error| {
        let before = &body[..error.valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        let in_line =
            before.len() - before.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
        let message = format!("byte 0x{:02x} is not UTF-8", body[error.valid_up_to()]);
        whole(line, format!("byte {}", in_line + 1), message, SAVE)
    })
}

fn rows(text: &str) -> Result<Vec<Row>, Vec<Mistake>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let mut header: Option<Header> = None;
    let mut rows = Vec::new();
    let mut mistakes = Vec::new();
    let mut lines = LineCounter { text: text.as_bytes(), byte: 0, line: 1 };
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            vec![Mistake { line, column: String::new(), message: "not a CSV row".to_owned(), hint: None }]
        })?;
        let line = lines.line_at(record.position().map_or(0, csv::Position::byte));
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        match &header {
            None => header = Some(read_header(&record, line)?),
            Some(header) => match row(header, &record, line) {
                Ok(row) => rows.push(row),
                Err(mistake) => mistakes.push(mistake),
            },
        }
    }
    if header.is_none() {
        let message = "the file is empty".to_owned();
        return Err(vec![Mistake { line: 1, column: String::new(), message, hint: None }]);
    }
    mistakes.truncate(MISTAKES_AT_MOST);
    if mistakes.is_empty() { Ok(rows) } else { Err(mistakes) }
}

struct Header {
    columns: BTreeMap<usize, Column>,
    cells: usize,
}

/// A row, unless commas or quotation marks went astray and its cells cannot be trusted.
fn row(header: &Header, record: &csv::StringRecord, line: u64) -> Result<Row, Mistake> {
    let column_name = |place: usize| {
        let column = header.columns.get(&place);
        COLUMNS.iter().find(|(known, ..)| Some(known) == column).map_or("", |(_, name, ..)| *name).to_owned()
    };
    if let Some(place) = record.iter().position(|cell| cell.contains('\n')) {
        let message = "the cell runs over several lines".to_owned();
        let hint = Some("A quotation mark may not be closed.".to_owned());
        return Err(Mistake { line, column: column_name(place), message, hint });
    }
    if record.iter().skip(header.cells).any(|cell| !cell.trim().is_empty()) {
        let message = format!("the row has {} cells, the header {}", record.len(), header.cells);
        let hint = Some("A cell with a comma in it must stand in quotation marks.".to_owned());
        return Err(Mistake { line, column: String::new(), message, hint });
    }
    let cell = |(place, column): (&usize, &Column)| Some((*column, record.get(*place)?.trim().to_owned()));
    Ok(Row { line, cells: header.columns.iter().filter_map(cell).collect() })
}

/// Counts lines up to growing offsets. The CSV reader's own count stands where it began to look for a row, before
/// the blank lines it skipped.
struct LineCounter<'a> {
    text: &'a [u8],
    byte: usize,
    line: u64,
}

impl LineCounter<'_> {
    /// The line of the first byte at or after an offset that is no line end.
    fn line_at(&mut self, offset: u64) -> u64 {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(self.text.len());
        let blank = self.text[offset..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        let end = offset + blank;
        self.line += self.text[self.byte.min(end)..end].iter().filter(|byte| **byte == b'\n').count() as u64;
        self.byte = self.byte.max(end);
        self.line
    }
}

/// Comma, unless the header line has more semicolons or tabs, as programs in other regions write.
fn delimiter(text: &str) -> u8 {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |delimiter: u8| line.bytes().filter(|byte| *byte == delimiter).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

fn read_header(record: &csv::StringRecord, line: u64) -> Result<Header, Vec<Mistake>> {
    let bare: Vec<String> = record
        .iter()
        .map(|name| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect())
        .collect();
    let mut columns = BTreeMap::new();
    let mut mistakes = Vec::new();
    for (column, shown, names, mandatory) in COLUMNS {
        // The first name that is there: `Action Result` before `Result`.
        let place = names.iter().find_map(|name| bare.iter().position(|cell| cell == name));
        match place {
            Some(place) => {
                columns.insert(place, column);
            }
            None if mandatory => mistakes.push(Mistake {
                line,
                column: shown.to_owned(),
                message: format!("the column {shown} is missing"),
                hint: Some(
                    "The first row names the columns, as in the Admin Portal's call log download.".to_owned(),
                ),
            }),
            None => {}
        }
    }
    if mistakes.is_empty() { Ok(Header { columns, cells: record.len() }) } else { Err(mistakes) }
}

/// One call: its row and its detail rows.
fn call(group: &[Row], zone: Zone, seen: &mut BTreeMap<Hash, u32>) -> Result<Value, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut parts: Vec<Map<String, Value>> = Vec::new();
    let mut ambiguous = false;
    for row in group {
        match part(row, zone) {
            Ok((members, repeated)) => {
                ambiguous |= repeated && parts.is_empty();
                parts.push(members);
            }
            Err(found) => mistakes.extend(found),
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let main = &group[0];
    let mut members = parts[0].clone();
    if parts.len() > 1 {
        let legs = parts.into_iter().enumerate().map(|(index, mut leg)| {
            // The API's first leg repeats the call; so does this one.
            leg.insert("master".into(), Value::Bool(index == 0));
            leg.entry("type").or_insert_with(|| main.cell(Column::Type).into());
            Value::Object(leg)
        });
        members.insert("legs".into(), legs.collect());
    }
    let mut portal = Map::new();
    portal.insert("ambiguousHour".into(), Value::Bool(ambiguous));
    portal.insert("zone".into(), zone.name().into());
    for (name, column) in [
        ("date", Column::Date),
        ("time", Column::Time),
        ("name", Column::Name),
        ("forwardedTo", Column::ForwardedTo),
    ] {
        portal.extend(main.text(column).map(|text| (name.to_owned(), text)));
    }
    members.insert("portal".into(), Value::Object(portal));
    members.insert("id".into(), id(group, seen).into());
    Ok(Value::Object(members))
}

/// The content of the rows, and which of the equal calls in the file this is: two calls in one minute with equal
/// fields stay two, and the same call in two downloads has one id.
fn id(group: &[Row], seen: &mut BTreeMap<Hash, u32>) -> String {
    let mut parts: Vec<&[u8]> = Vec::new();
    for row in group {
        for (column, ..) in COLUMNS {
            parts.push(row.cell(column).as_bytes());
        }
    }
    let content = Hash::of_parts(parts.iter().copied());
    let ordinal = seen.entry(content).or_insert(0);
    *ordinal += 1;
    format!("portal-{}", &Hash::of_parts([&content.0[..], &ordinal.to_le_bytes()]).hex()[..32])
}

/// The members that a row of either sort has; and whether its local time is one that autumn repeats.
fn part(row: &Row, zone: Zone) -> Result<(Map<String, Value>, bool), Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let start = start(row, zone).map_err(|mistake| mistakes.push(mistake)).ok();
    let length = cells::length(row.cell(Column::Duration));
    if length.is_none() {
        mistakes.push(
            mistake(row, "Duration", format!("{:?} is not a duration", row.cell(Column::Duration)))
                .hint("Durations are H:MM:SS, M:SS, seconds, - or empty."),
        );
    }
    let (Some((start, repeated)), Some(length)) = (start, length) else { return Err(mistakes) };
    let mut members = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        members.extend(value.map(|value| (name.to_owned(), value)));
    };
    put("type", row.text(Column::Type));
    let direction = row.cell(Column::Direction);
    let inbound = ["incoming", "inbound"].iter().any(|word| word.eq_ignore_ascii_case(direction));
    let outbound = ["outgoing", "outbound"].iter().any(|word| word.eq_ignore_ascii_case(direction));
    put(
        "direction",
        match (inbound, outbound) {
            (true, _) => Some("Inbound".into()),
            (_, true) => Some("Outbound".into()),
            _ => row.text(Column::Direction),
        },
    );
    put("from", named(cells::party(row.cell(Column::From)), inbound.then(|| row.cell(Column::Name))));
    put("to", named(cells::party(row.cell(Column::To)), outbound.then(|| row.cell(Column::Name))));
    put("extension", cells::extension(row.cell(Column::Extension)));
    put("action", row.text(Column::Action));
    put("result", row.text(Column::Result));
    put("reasonDescription", row.text(Column::ResultDescription));
    put("startTime", Some(start.rfc3339().into()));
    put(
        "duration",
        Some(match length {
            Length::Seconds(seconds) => seconds.into(),
            Length::None | Length::InProgress => Value::Null,
        }),
    );
    put("finished", (length == Length::InProgress).then_some(Value::Bool(false)));
    let costs = [("costIncluded", Column::Included), ("costPurchased", Column::Purchased)];
    let billing: Map<String, Value> = costs
        .iter()
        .filter_map(|(name, column)| Some(((*name).to_owned(), cells::amount(row.cell(*column))?)))
        .collect();
    put("billing", (!billing.is_empty()).then_some(json!(billing)));
    Ok((members, repeated))
}

/// The other side's caller-ID name, where the file has one.
fn named(party: Option<Value>, name: Option<&str>) -> Option<Value> {
    let name = name.filter(|name| !name.is_empty());
    match (party, name) {
        (Some(Value::Object(mut members)), Some(name)) => {
            members.insert("name".into(), name.into());
            Some(Value::Object(members))
        }
        (None, Some(name)) => Some(json!({ "name": name })),
        (party, _) => party,
    }
}

fn start(row: &Row, zone: Zone) -> Result<(Instant, bool), Mistake> {
    let (date_text, time_text) = (row.cell(Column::Date), row.cell(Column::Time));
    let date = cells::date(date_text).map_err(|why| {
        mistake(row, "Date", format!("{date_text:?}: {why}"))
            .hint("Dates are as in \"Wed 06/03/2026\", month first.")
    })?;
    let time = cells::time(time_text).ok_or_else(|| {
        mistake(row, "Time", format!("{time_text:?} is not a time"))
            .hint("Times are as in \"2:41 PM\" or \"14:41\".")
    })?;
    cells::instant(zone, date.and_time(time)).ok_or_else(|| {
        mistake(row, "Time", format!("{date_text} {time_text} does not exist in {}", zone.name()))
            .hint("Clocks were set forward in that hour: check the zone of the file.")
    })
}

#[cfg(test)]
mod tests;
