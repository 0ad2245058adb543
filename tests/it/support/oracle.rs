//! The oracle: bills a file of events by the letter of the rules, one event and one increment after the other, in
//! rational arithmetic. It is slow and obvious on purpose and shares no code with the crate. Input that the formats do not
//! allow makes it panic, with the place in the message: it is only given worlds that are meant to be valid.

use std::path::Path;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;

mod calendar;
mod condition;
mod groups;
mod identify;
mod language;
mod ledger;
mod lines;
mod measure;
mod money;
mod number;
mod period;
mod price;
mod read;
mod select;
mod tables;
mod text;

pub use language::decimal;
pub use money::minor_digits;
pub use number::segments_of_text;

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
    /// The last unit of a tier is priced by the next one.
    TierBoundaryOffByOne,
    /// A volume price is that of the tier reached so far.
    VolumePricedOnline,
    /// Everything that is left is carried into the next month.
    RolloverWithoutLimit,
    /// Carried units never grow too old.
    ExpiryIgnored,
    /// Each member of a pool has the whole allowance.
    PoolNotShared,
    /// Calls of one scope are rounded up one by one.
    ScopePerCall,
    /// The event discount is taken off what the cap left.
    DiscountAfterCap,
    /// The cap looks at the price without the connection fee.
    CapBeforeFee,
    /// The shortest prefix of a deck wins.
    DeckShortestPrefix,
    /// Increments are counted from zero where nothing is said.
    IncrementsFromZero,
    /// The cap looks at fees too, whatever the tariff says.
    CapCountsFees,
    /// The commitment is due in full for a part of a month.
    CommitmentNotProrated,
    /// Fees count the day on which a contact ends.
    ProrationBothInclusive,
    /// Bands know no calendars and no exceptions.
    HolidayIgnored,
    /// A condition that is neither true nor false matches.
    NullMatches,
    /// Rows of the outcome table with an error code are not seen.
    ErrorCodeIgnored,
    /// A call exactly as long as the grace is free.
    GraceIncludesItsEnd,
    /// Every further rate of a call asks for its connection fee.
    FeeOnEachChange,
    /// Charges of events stay exact where they should be rounded.
    ChargeNotRounded,
    /// The supplier's charge is passed on as it is.
    NoMarkUp,
    /// Every period discount is taken off the whole.
    DiscountsSideBySide,
}

impl Defect {
    pub const ALL: [Defect; 26] = [
        Defect::RoundPerEvent,
        Defect::BandOfCallStart,
        Defect::MonthInUtc,
        Defect::FeeWithinAllowance,
        Defect::FirstRateWins,
        Defect::TierBoundaryOffByOne,
        Defect::VolumePricedOnline,
        Defect::RolloverWithoutLimit,
        Defect::ExpiryIgnored,
        Defect::PoolNotShared,
        Defect::ScopePerCall,
        Defect::DiscountAfterCap,
        Defect::CapBeforeFee,
        Defect::DeckShortestPrefix,
        Defect::IncrementsFromZero,
        Defect::CapCountsFees,
        Defect::CommitmentNotProrated,
        Defect::ProrationBothInclusive,
        Defect::HolidayIgnored,
        Defect::NullMatches,
        Defect::ErrorCodeIgnored,
        Defect::GraceIncludesItsEnd,
        Defect::FeeOnEachChange,
        Defect::ChargeNotRounded,
        Defect::NoMarkUp,
        Defect::DiscountsSideBySide,
    ];
}

/// What is read.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    pub rules: &'a Path,
    pub contacts: &'a Path,
    /// CSV, or JSON lines when the name ends in `jsonl`.
    pub usage: &'a Path,
    pub directory: Option<&'a Path>,
    pub coding: Option<&'a Path>,
}

/// What is not in the inputs.
#[derive(Clone, Debug)]
pub struct Options {
    /// ISO code of the country of numbers written without a country code.
    pub country: String,
    /// Zone of directory and timekeepers, and of the billing month of a contact that has no zone and no tariff.
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
    /// Billing month `YYYY-MM`.
    pub month: String,
    pub tariff: String,
    /// `valid_from` of the tariff as written, empty when it has none.
    pub tariff_version: String,
    /// Name of the rate or of the allowance.
    pub clause: String,
    pub band: String,
    pub matter: String,
    pub timekeeper: String,
    /// From 1; 0 is none.
    pub tier: u32,
    /// Name in the deck.
    pub destination: String,
    /// `second`, `call`, `message`, `segment`, `page` or `event`.
    pub unit: &'static str,
    pub units: i64,
    /// Exact, in major units of the currency; with fees, discount, floor, cap and rounding of the event.
    pub amount: BigRational,
}

impl Part {
    fn key(&self) -> ([&str; 9], u32) {
        let texts = [
            self.kind,
            &self.month,
            &self.tariff,
            &self.tariff_version,
            &self.clause,
            &self.band,
            &self.matter,
            &self.timekeeper,
            &self.destination,
        ];
        (texts, self.tier)
    }
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

impl EventResult {
    fn empty(id: &str) -> EventResult {
        EventResult {
            id: id.to_string(),
            disposition: "",
            reason: "",
            contact: String::new(),
            month: String::new(),
            parts: Vec::new(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub contact: String,
    pub month: String,
    /// `usage`, `allowance`, `tier-fee`, `fee`, `discount`, `cap` or `true-up`.
    pub kind: &'static str,
    pub tariff: String,
    pub tariff_version: String,
    pub clause: String,
    pub band: String,
    pub matter: String,
    pub timekeeper: String,
    pub tier: u32,
    pub destination: String,
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

/// Bills for country US and a company in New York.
pub fn bill(inputs: Inputs) -> OracleResult {
    bill_with(inputs, &Options::default())
}

/// Bills with a planted mistake.
pub fn bill_with_defect(inputs: Inputs, defect: Defect) -> OracleResult {
    bill_with(inputs, &Options { defect: Some(defect), ..Options::default() })
}

pub fn bill_with(inputs: Inputs, options: &Options) -> OracleResult {
    let rules = read::rules(inputs.rules);
    let world = identify::World::new(&rules, inputs.contacts, inputs.directory, inputs.coding, options);
    let mut events = tables::events(inputs.usage, options);
    events.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));

    let mut biller = price::Biller::new(&world);
    let mut results: Vec<EventResult> = events.iter().map(|event| biller.bill_event(event)).collect();
    groups::price_volume(&world, &biller.counters, &mut results);
    results.sort_by(|a, b| a.id.cmp(&b.id));

    let mut lines = lines::lines(&world, &biller.counters, &results);
    lines.retain(|line| line.events > 0 || !line.sum.is_zero());
    let documents = lines::documents(&world, &lines);
    OracleResult { events: results, lines, documents }
}
