//! A checked rule set: what the rule files say, with nothing left to doubt.

use std::ops::Range;

use chrono::{NaiveDate, Weekday};
use rust_decimal::Decimal;

use crate::domain::charge::Unit;
use crate::domain::disposition::EventDisposition;
use crate::domain::outcome::{Channel, Direction, Outcome, OutcomeTable, words};
use crate::domain::{Country, Currency, Hash, Instant, PartyNumber, RoundingMode, Zone};

words! {
    /// How a call's legs become one quantity; rating's first step (design, section 5).
    LegPolicy { CustomerFacing = "customer-facing", Master = "master" }
}

words! {
    /// What happens to a call whose record has no legs at all under a leg policy that needs them.
    WithoutLegs { Master = "master", Suspend = "suspend" }
}

/// A destination or origin a rate speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A country by its ISO code; counts as just longer than its calling code.
    Country(Country),
    /// Leading digits of an E.164 number.
    Prefix(String),
}

/// Conditions of a rate or allowance; an empty list is no condition.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Match {
    pub channels: Vec<Channel>,
    pub directions: Vec<Direction>,
    pub to: Vec<Place>,
    pub from: Vec<Place>,
    /// Indices of bands of the rule set, any of which must hold; the first that holds names the line.
    pub bands: Vec<usize>,
}

/// The first charged block and every following step, in seconds: `60/6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Increment {
    pub first_seconds: i64,
    pub next_seconds: i64,
}

/// A price for one or several units: `0.0345 per minute` is 0.0345 for 60 seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    pub amount: Decimal,
    pub unit: Unit,
    /// How many units the amount buys.
    pub per_units: i64,
    /// As written.
    pub text: String,
}

/// A price for one kind of event within a tariff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    pub name: String,
    pub matches: Match,
    pub price: Price,
    pub increment: Increment,
    pub connection_fee: Option<Decimal>,
    pub charge_floor: Option<Decimal>,
    pub charge_cap: Option<Decimal>,
    /// Billable outcomes, when the rate does not follow the outcome table.
    pub bill_when: Option<Vec<Outcome>>,
    pub file: String,
    pub line: usize,
}

/// Included units of each billing month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub name: String,
    pub unit: Unit,
    pub grants: i64,
    pub applies_to: Match,
    /// As written.
    pub text: String,
}

/// A recurring amount of each billing month, in arrears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fee {
    pub name: String,
    pub amount: Decimal,
    /// As written.
    pub text: String,
}

/// One version of a tariff: in force from its date until the next version's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TariffVersion {
    pub name: String,
    pub currency: Currency,
    pub zone: Zone,
    pub legs: LegPolicy,
    pub without_legs: WithoutLegs,
    pub line_rounding: RoundingMode,
    /// `None` is in force since ever.
    pub valid_from: Option<NaiveDate>,
    pub rates: Vec<Rate>,
    pub allowances: Vec<Allowance>,
    pub fees: Vec<Fee>,
    pub file: String,
    pub line: usize,
}

impl TariffVersion {
    /// `2026-01-01`, or empty for a version without a date.
    pub fn version_key(&self) -> String {
        self.valid_from.map(|date| date.to_string()).unwrap_or_default()
    }
}

/// A recurring civil-time interval. Hours may wrap past midnight and then belong to the day they start on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeBand {
    pub name: String,
    pub days: Vec<Weekday>,
    /// Minute of the day at which it begins (0..=1439) and ends (1..=1440).
    pub start_minute: u32,
    pub end_minute: u32,
    /// Evaluated in the contact's zone instead of the tariff's.
    pub in_contact_zone: bool,
    /// Days on which no interval of the band starts.
    pub except: Vec<NaiveDate>,
}

/// The event of an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleEvent {
    pub start: Instant,
    pub channel: Channel,
    pub direction: Direction,
    pub outcome: Outcome,
    pub from: (PartyNumber, Option<Country>),
    pub to: (PartyNumber, Option<Country>),
    pub milliseconds: Option<i64>,
    pub segments: Option<u32>,
    pub pages: Option<u32>,
}

/// A record in, a charge out: tariffs carry their own tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub tariff: String,
    pub event: ExampleEvent,
    /// Units left of an allowance before the event, by name; an allowance that is not named is whole.
    pub left: Vec<(String, i64)>,
    pub charge: Option<Decimal>,
    pub disposition: Option<EventDisposition>,
    /// Steps the derivation must show.
    pub because: Vec<String>,
    pub file: String,
    pub span: Range<usize>,
}

/// All rule files, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSet {
    pub default_tariff: Option<String>,
    /// Ordered by name, then by `valid_from`.
    pub tariffs: Vec<TariffVersion>,
    pub bands: Vec<TimeBand>,
    pub outcomes: OutcomeTable,
    pub examples: Vec<Example>,
    /// Hash over names and texts of the files.
    pub hash: Hash,
}
