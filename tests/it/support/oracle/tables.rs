//! Reads the tables: contacts, usage, directory, coding sheets.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use num_rational::BigRational;

use super::Options;
use super::calendar::{Validity, parse_date, parse_zone};
use super::language::{Rules, decimal};
use super::number::{Party, e164, segments_of_text};

pub type Row = BTreeMap<String, String>;

pub fn csv_rows(file: &Path) -> Vec<Row> {
    let mut reader =
        csv::Reader::from_path(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_string).collect();
    let row = |record: csv::StringRecord| {
        let cells = header.iter().zip(record.iter()).filter(|(_, cell)| !cell.is_empty());
        cells.map(|(name, cell)| (name.clone(), cell.to_string())).collect()
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

fn json_rows(file: &Path) -> Vec<Row> {
    let cell = |value: serde_json::Value| match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let objects = lines.map(|line| serde_json::from_str::<serde_json::Map<_, _>>(line).unwrap());
    objects.map(|object| object.into_iter().map(|(key, value)| (key, cell(value))).collect()).collect()
}

pub fn cell(row: &Row, column: &str) -> String {
    row.get(column).cloned().unwrap_or_default()
}

/// Two dates; empty texts are missing sides.
pub fn dates(from: &str, to: &str) -> (Option<NaiveDate>, Option<NaiveDate>) {
    let side = |text: &str| (!text.trim().is_empty()).then(|| parse_date(text.trim()));
    (side(from), side(to))
}

/// A value of a contact, with the time in which it is the contact's.
#[derive(Clone, Debug)]
pub struct Claim {
    pub value: String,
    pub validity: Validity,
}

pub struct Contact {
    pub id: String,
    /// By column: `numbers`, `prefixes`, `extensions`, `account_codes`, `matters`, `departments`, `sites`, `cost_centres`,
    /// `ringcentral_accounts`.
    pub claims: BTreeMap<&'static str, Vec<Claim>>,
    /// Names of tariffs, the nearest first.
    pub chain: Vec<String>,
    pub pool: String,
    pub currency: String,
    /// The contact's own zone, else its tariff's, else the company's.
    pub zone: Tz,
    pub tax_percent: Option<BigRational>,
    pub validity: Validity,
    pub do_not_bill: bool,
}

const CLAIMS: [&str; 9] = [
    "numbers",
    "prefixes",
    "extensions",
    "account_codes",
    "matters",
    "departments",
    "sites",
    "cost_centres",
    "ringcentral_accounts",
];

pub fn contacts(file: &Path, rules: &Rules, options: &Options) -> Vec<Contact> {
    let rows = csv_rows(file);
    let by_id: BTreeMap<String, &Row> = rows.iter().map(|row| (cell(row, "id"), row)).collect();
    rows.iter().map(|row| read_contact(row, &by_id, rules, options)).collect()
}

fn read_contact(row: &Row, by_id: &BTreeMap<String, &Row>, rules: &Rules, options: &Options) -> Contact {
    let named = |name: &String| rules.tariffs.iter().find(|tariff| tariff.name == *name);
    let account = by_id.get(&cell(row, "account")).map(|account| cell(account, "tariff"));
    let levels = [Some(cell(row, "tariff")), account, rules.default_tariff.clone()];
    let mut chain: Vec<String> = Vec::new();
    for name in levels.into_iter().flatten().filter(|name| !name.is_empty()) {
        let currency = &named(&name).unwrap_or_else(|| panic!("no tariff {name}")).currency;
        let same = chain.first().is_none_or(|first| named(first).unwrap().currency == *currency);
        if same && !chain.contains(&name) {
            chain.push(name);
        }
    }
    let own_zone = Some(cell(row, "zone")).filter(|zone| !zone.is_empty()).map(|zone| parse_zone(&zone));
    let of_tariff = chain.first().and_then(named).map(|tariff| tariff.zone);
    let zone = own_zone.or(of_tariff).unwrap_or(options.company_zone);
    let (from, to) = dates(&cell(row, "valid_from"), &cell(row, "valid_to"));
    let claims = CLAIMS.map(|column| (column, read_claims(row, column, zone, options)));
    Contact {
        id: cell(row, "id"),
        claims: claims.into_iter().collect(),
        pool: cell(row, "pool"),
        currency: match (cell(row, "currency"), chain.first().and_then(named)) {
            (currency, Some(tariff)) if currency.is_empty() => tariff.currency.clone(),
            (currency, _) => currency,
        },
        chain,
        zone,
        tax_percent: Some(cell(row, "tax_rate")).filter(|rate| !rate.is_empty()).map(|rate| decimal(&rate)),
        validity: Validity::new(from, to, zone),
        do_not_bill: cell(row, "do_not_bill") == "true",
    }
}

/// A list inside a cell: `VALUE` or `VALUE@FROM..TO`, separated by semicolons.
fn read_claims(row: &Row, column: &'static str, zone: Tz, options: &Options) -> Vec<Claim> {
    let text = cell(row, column);
    let claim = |item: &str| {
        let (value, validity) = item.split_once('@').unwrap_or((item, ".."));
        let (from, to) = validity.split_once("..").unwrap_or_else(|| panic!("no validity: {item}"));
        let (from, to) = dates(from, to);
        let value = match column {
            "numbers" => e164(value, &options.country).unwrap_or_else(|| panic!("no number: {item}")),
            _ => value.trim().to_string(),
        };
        Claim { value, validity: Validity::new(from, to, zone) }
    };
    text.split(';').map(str::trim).filter(|item| !item.is_empty()).map(claim).collect()
}

/// A usage row; an empty text is an absent cell.
pub struct Event {
    pub id: String,
    pub start: DateTime<Utc>,
    /// Measured length in thousandths of a second.
    pub thousandths: Option<i64>,
    pub from: Party,
    pub to: Party,
    pub segments: Option<i64>,
    pub pages: Option<i64>,
    pub carrier_cost: Option<BigRational>,
    /// All other cells.
    pub cells: Row,
}

impl Event {
    pub fn text(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }
}

/// What is known of an event beside its row: coding, directory, timekeeper.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// In place of the row's own cell where not empty.
    pub instead: BTreeMap<&'static str, String>,
    /// The matter of the account code and the timekeeper of the extension, where nobody has coded others.
    pub derived: BTreeMap<&'static str, String>,
}

impl Facts {
    /// A text of the event, by the name that rules use for it; empty when nobody knows.
    pub fn text<'a>(&'a self, event: &'a Event, name: &str) -> &'a str {
        match name {
            "to_class" => event.to.class,
            "from_class" => event.from.class,
            name => match self.derived.get(name) {
                Some(text) => text,
                None => self.known(event, name),
            },
        }
    }

    /// The same without what is derived.
    pub fn known<'a>(&'a self, event: &'a Event, name: &str) -> &'a str {
        self.instead.get(name).map_or_else(|| event.text(name), String::as_str)
    }
}

pub fn events(file: &Path, options: &Options) -> Vec<Event> {
    let json = file.extension().is_some_and(|extension| extension == "jsonl");
    let rows = if json { json_rows(file) } else { csv_rows(file) };
    let mut parties = BTreeMap::new();
    rows.into_iter().map(|row| read_event(row, &mut parties, options)).collect()
}

fn read_event(row: Row, parties: &mut BTreeMap<String, Party>, options: &Options) -> Event {
    let count = |column: &str| -> Option<i64> {
        let text = row.get(column).filter(|text| !text.is_empty())?;
        Some(text.parse().unwrap_or_else(|_| panic!("{column}: {text}")))
    };
    let mut party = |column: &str| {
        let text = cell(&row, column);
        parties.entry(text).or_insert_with_key(|text| Party::parse(text, &options.country)).clone()
    };
    let start = &row["start"];
    let start = DateTime::parse_from_rfc3339(start).unwrap_or_else(|error| panic!("{start}: {error}"));
    let text = row.get("text").filter(|text| !text.is_empty());
    Event {
        id: cell(&row, "id"),
        start: start.with_timezone(&Utc),
        thousandths: count("seconds").map(|seconds| seconds * 1000).or_else(|| count("milliseconds")),
        from: party("from"),
        to: party("to"),
        segments: count("segments").or_else(|| text.map(|text| segments_of_text(text))),
        pages: count("pages"),
        carrier_cost: row.get("carrier_cost").filter(|cost| !cost.is_empty()).map(|cost| decimal(cost)),
        cells: row,
    }
}

/// Who sits where: by extension.
pub struct Desk {
    pub validity: Validity,
    pub department: String,
    pub site: String,
    pub cost_centre: String,
}

pub fn directory(file: Option<&Path>, options: &Options) -> BTreeMap<String, Vec<Desk>> {
    let mut desks: BTreeMap<String, Vec<Desk>> = BTreeMap::new();
    for row in file.map(csv_rows).unwrap_or_default() {
        let (from, to) = dates(&cell(&row, "valid_from"), &cell(&row, "valid_to"));
        desks.entry(cell(&row, "extension")).or_default().push(Desk {
            validity: Validity::new(from, to, options.company_zone),
            department: cell(&row, "department"),
            site: cell(&row, "site"),
            cost_centre: cell(&row, "cost_centre"),
        });
    }
    desks
}

/// The confirmed rows of a sheet, by record.
pub fn coding(file: Option<&Path>) -> BTreeMap<String, Row> {
    let rows = file.map(csv_rows).unwrap_or_default();
    let confirmed = rows.into_iter().filter(|row| cell(row, "status") == "confirmed");
    confirmed.map(|row| (cell(&row, "record"), row)).collect()
}
