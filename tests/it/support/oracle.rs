//! The oracle: bills a file of events by the letter of the rules, one event and one increment after the other, in
//! rational arithmetic. It is slow and obvious on purpose and shares no code with the crate. Input that the formats do not
//! allow makes it panic, with the place in the message: it is only given worlds that are meant to be valid.

use std::path::Path;

use num_bigint::BigInt;
use num_rational::BigRational;

mod calendar;
mod identify;
mod lines;
mod number;
mod price;
mod read;

pub use number::segments_of_text;
pub use read::decimal;

/// A mistake planted on purpose, so that a comparison can prove that it would see one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// Every event is rounded to the minor unit before it is summed.
    RoundPerEvent,
    /// Every increment has the band of the start of the call.
    BandOfCallStart,
    /// The billing month is that of the instant in UTC.
    MonthInUtc,
    /// The connection fee is charged even when the whole event lies in allowances.
    FeeWithinAllowance,
    /// The first matching rate wins, however short its destination.
    FirstRateWins,
}

/// What is not in the three inputs.
#[derive(Clone, Debug)]
pub struct Options {
    /// ISO code of the country of numbers written without a country code.
    pub country: String,
    /// Zone of the billing month of a contact that has no zone and no tariff.
    pub company_zone: chrono_tz::Tz,
    pub defect: Option<Defect>,
}

impl Default for Options {
    fn default() -> Self {
        Options { country: "US".into(), company_zone: chrono_tz::America::New_York, defect: None }
    }
}

/// One clause's share of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// `usage` or `allowance`.
    pub kind: &'static str,
    pub tariff: String,
    /// `valid_from` of the tariff as written, empty when it has none.
    pub tariff_version: String,
    /// Name of the rate or of the allowance.
    pub clause: String,
    pub band: String,
    /// `second`, `call`, `message`, `segment` or `page`.
    pub unit: &'static str,
    pub units: i64,
    /// Exact, in major units of the currency; with connection fee, floor and cap.
    pub amount: BigRational,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventResult {
    pub id: String,
    pub disposition: &'static str,
    /// Why it is suspended, else empty.
    pub reason: &'static str,
    /// Empty when nobody pays.
    pub contact: String,
    /// Billing month `YYYY-MM`; empty when nobody pays.
    pub month: String,
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub contact: String,
    pub month: String,
    /// `usage`, `allowance` or `fee`.
    pub kind: &'static str,
    pub tariff: String,
    pub tariff_version: String,
    pub clause: String,
    pub band: String,
    pub events: u64,
    pub unit: &'static str,
    pub units: i64,
    /// Exact, in major units.
    pub sum: BigRational,
    /// Rounded, in minor units.
    pub amount_minor: BigInt,
    pub currency: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub contact: String,
    pub month: String,
    pub net_minor: BigInt,
    pub tax_minor: BigInt,
    pub total_minor: BigInt,
    pub currency: String,
}

/// Everything the oracle says: events by id, lines and documents by contact, month and the rest of their key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OracleResult {
    pub events: Vec<EventResult>,
    pub lines: Vec<Line>,
    pub documents: Vec<Document>,
}

/// Bills `usage_file` (CSV, or JSON lines when its name ends in `jsonl`) for country US and a company in New York.
pub fn bill(rules_folder: &Path, contacts_file: &Path, usage_file: &Path) -> OracleResult {
    bill_with(rules_folder, contacts_file, usage_file, &Options::default())
}

/// Bills with a planted mistake.
pub fn bill_with_defect(
    rules_folder: &Path,
    contacts_file: &Path,
    usage_file: &Path,
    defect: Defect,
) -> OracleResult {
    let options = Options { defect: Some(defect), ..Options::default() };
    bill_with(rules_folder, contacts_file, usage_file, &options)
}

pub fn bill_with(
    rules_folder: &Path,
    contacts_file: &Path,
    usage_file: &Path,
    options: &Options,
) -> OracleResult {
    let rules = read::rules(rules_folder);
    let contacts = read::contacts(contacts_file, options);
    let mut events = read::events(usage_file, options);
    events.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));

    let mut biller = price::Biller::new(&rules, &contacts, options);
    let mut results: Vec<EventResult> = events.iter().map(|event| biller.bill_event(event)).collect();
    results.sort_by(|a, b| a.id.cmp(&b.id));

    let lines = lines::lines(&rules, &contacts, options, &results);
    let documents = lines::documents(&contacts, &lines);
    OracleResult { events: results, lines, documents }
}

/// Digits of the minor unit of a currency (ISO 4217), for the currencies that tests use.
pub fn minor_digits(currency: &str) -> u32 {
    match currency {
        "USD" | "GBP" | "EUR" | "CAD" => 2,
        "JPY" => 0,
        "KWD" | "BHD" => 3,
        other => panic!("the oracle does not know the currency {other}"),
    }
}
