//! A checked rule set: what the rule files say, with nothing left to doubt.

use std::ops::Range;

use chrono::{NaiveDate, Weekday};
use rust_decimal::Decimal;

use crate::domain::charge::Unit;
use crate::domain::derivation::IdentityRule;
use crate::domain::disposition::EventDisposition;
use crate::domain::number::{NumberClass, ReadNumber};
use crate::domain::outcome::{Channel, CodePattern, Direction, Outcome, OutcomeTable, words};
use crate::domain::{Country, Currency, Hash, Instant, Zone};

use super::options::{Rounding, TariffOptions};

words! {
    /// How a call's legs become one quantity; rating's first step (design, section 5).
    LegPolicy {
        CustomerFacing = "customer-facing",
        Master = "master",
        TimekeeperLeg = "timekeeper-leg",
        EstimatedTalk = "estimated-talk",
        LongestLeg = "longest-leg",
        FirstAnswered = "first-answered",
        SumOfLegs = "sum-of-legs",
    }
}

words! {
    /// What happens to a call whose record has no legs at all under a leg policy that needs them.
    WithoutLegs { Master = "master", Suspend = "suspend" }
}

words! {
    /// What increments and minimum are rounded over.
    Scope {
        Call = "call",
        ContactDay = "contact-day",
        MatterDay = "matter-day",
        TimekeeperDay = "timekeeper-day",
        Period = "period",
    }
}

words! {
    /// What a fee or allowance is counted for.
    Per { Contact = "contact", Extension = "extension", Number = "number" }
}

words! {
    /// How the price of a tier applies.
    TierMode { Graduated = "graduated", Volume = "volume" }
}

words! {
    /// What a price at cost is made from.
    CostBase { Carrier = "cost", Supplier = "supplier" }
}

words! {
    /// What a discount is taken off.
    DiscountOf { Line = "line", Period = "period" }
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
    pub to_classes: Vec<NumberClass>,
    pub from_classes: Vec<NumberClass>,
    pub extensions: Vec<u64>,
    pub departments: Vec<String>,
    pub sites: Vec<String>,
    pub cost_centres: Vec<String>,
    pub matters: Vec<String>,
    pub timekeepers: Vec<String>,
    pub tasks: Vec<String>,
    pub outcomes: Vec<Outcome>,
    pub error_codes: Vec<CodePattern>,
    /// Indices of bands of the rule set, any of which must hold; the first that holds names the line.
    pub bands: Vec<usize>,
    /// Index of its `where` among the conditions of the rule set.
    pub condition: Option<usize>,
}

/// The first charged block and every following step, in seconds: `60/6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// A price that holds from a position in the call on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceStep {
    /// Elapsed units from which it holds; 0 for the first step.
    pub from_units: i64,
    pub price: Price,
}

/// A step of a tier table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Last unit of the period that is still in it, counted from the period's start (widths are added up when the rules
    /// load); `None` has no end.
    pub up_to_units: Option<i64>,
    pub price: Price,
    pub fee: Option<Decimal>,
}

/// What a share and an amount on top make of a cost: `cost + 20% + 0.01`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostPrice {
    pub base: CostBase,
    /// Percent added.
    pub percent: Decimal,
    pub plus: Decimal,
}

/// How a rate comes to its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pricing {
    /// `price` alone.
    Plain,
    /// By position in the call; the first step is `price`.
    Steps(Vec<PriceStep>),
    /// By what the period has used before; the first tier's price is `price`. An unbilled end is a last tier at 0.
    Tiers { mode: TierMode, tiers: Vec<Tier> },
    /// `price.amount` for each started (or completed) package.
    Package { size_units: i64 },
    /// By destination: index of the deck. `price.unit` and `per_units` are the deck's.
    Deck { deck: usize },
    /// The price of the timekeeper whose time it is.
    ByTimekeeper,
    /// From a cost, once an event.
    Cost(CostPrice),
}

/// A reduction as a share or an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    Percent(Decimal),
    Amount(Decimal),
}

/// A price for one kind of event within a tariff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    pub name: String,
    pub matches: Match,
    pub price: Price,
    pub pricing: Pricing,
    pub increment: Increment,
    /// Shorter calls are billed as if they were so long.
    pub minimum_seconds: i64,
    /// Shorter calls are free; 0 is no grace.
    pub grace_milliseconds: i64,
    pub scope: Scope,
    pub connection_fee: Option<Decimal>,
    pub discount: Option<Reduction>,
    pub charge_floor: Option<Decimal>,
    pub charge_cap: Option<Decimal>,
    /// Billable outcomes, when the rate does not follow the outcome table.
    pub bill_when: Option<Vec<Outcome>>,
    pub file: String,
    pub line: usize,
}

/// How unused units live on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rollover {
    /// The most that is carried into a period; `None` is all. For money as an amount.
    pub limit: Option<Decimal>,
    /// For how many periods after its own a unit lives.
    pub periods: u32,
}

/// Included units or money of each billing month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub name: String,
    /// [`Unit::Amount`] for money.
    pub unit: Unit,
    /// Units; 0 for money.
    pub grants: i64,
    /// Money; `None` for units.
    pub amount: Option<Decimal>,
    pub applies_to: Match,
    /// One counter for all contacts of the tariff in one pool.
    pub shared: bool,
    /// `None`: once for the contact or pool.
    pub per: Option<Per>,
    pub rollover: Option<Rollover>,
    pub prorate: bool,
    /// As written.
    pub text: String,
}

/// When a fee is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cadence {
    Monthly {
        in_advance: bool,
    },
    /// On a day; `None` is the first day of the contact's validity.
    Once {
        on: Option<NaiveDate>,
    },
}

/// A recurring or one-off amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fee {
    pub name: String,
    pub amount: Decimal,
    pub cadence: Cadence,
    pub per: Per,
    pub prorate: bool,
    /// As written.
    pub text: String,
}

/// A reduction of lines or of the period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discount {
    pub name: String,
    pub off: Reduction,
    pub of: DiscountOf,
    /// Names of rates and fees; empty is all usage.
    pub lines: Vec<String>,
    /// As written.
    pub text: String,
}

/// The least or most a period costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeriodLimit {
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
    pub rounding: Rounding,
    pub options: TariffOptions,
    /// Name of the tariff that gives the cost of the same events.
    pub supplier: Option<String>,
    /// `None` is in force since ever.
    pub valid_from: Option<NaiveDate>,
    pub rates: Vec<Rate>,
    pub allowances: Vec<Allowance>,
    pub fees: Vec<Fee>,
    pub discounts: Vec<Discount>,
    pub cap: Option<PeriodLimit>,
    pub commitment: Option<PeriodLimit>,
    /// Whether fees count towards cap and commitment.
    pub fees_count: bool,
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
    /// Days on which no interval of the band starts, sorted.
    pub except: Vec<NaiveDate>,
    /// The only days on which one starts, sorted; `None` is every day.
    pub on: Option<Vec<NaiveDate>>,
}

/// Prices by destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deck {
    pub name: String,
    pub unit: Unit,
    /// How many units a row's price buys.
    pub per_units: i64,
    /// As written, such as `minute`.
    pub unit_text: String,
    pub rows: Vec<DeckRow>,
}

/// One row of a deck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeckRow {
    /// Leading digits of an E.164 number.
    pub prefix: String,
    /// Names the line; the prefix where the row has no name.
    pub destination: String,
    pub amount: Decimal,
    pub increment: Option<Increment>,
    pub connection_fee: Option<Decimal>,
    pub valid_from: Option<NaiveDate>,
    /// The first day on which it is not valid any more.
    pub valid_to: Option<NaiveDate>,
    pub line: usize,
}

/// A person whose time is billed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timekeeper {
    pub id: String,
    pub name: String,
    /// Extension numbers with the days on which they are this person's; the second day is the first one after.
    pub extensions: Vec<(u64, Option<NaiveDate>, Option<NaiveDate>)>,
    pub price: Option<Price>,
}

/// What a coding sheet proposes for events that fit; never charged by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodingRule {
    pub matches: Match,
    pub contact: Option<String>,
    pub matter: Option<String>,
    pub timekeeper: Option<String>,
    pub task: Option<String>,
    pub narrative: Option<String>,
    pub file: String,
    pub line: usize,
}

/// A condition in SQL over the event's columns, evaluated before rating.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub text: String,
    pub file: String,
    pub span: Range<usize>,
}

/// The event of an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleEvent {
    pub start: Instant,
    pub channel: Channel,
    pub direction: Direction,
    pub outcome: Outcome,
    pub from: ReadNumber,
    pub to: ReadNumber,
    pub milliseconds: Option<i64>,
    pub segments: Option<u32>,
    pub pages: Option<u32>,
    pub extension: Option<u64>,
    pub matter: Option<String>,
    pub timekeeper: Option<String>,
    pub error_code: Option<String>,
    pub carrier_cost: Option<Decimal>,
}

/// A record in, a charge out: tariffs carry their own tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub tariff: String,
    pub event: ExampleEvent,
    /// Units left of an allowance before the event, by name; an allowance that is not named is whole.
    pub left: Vec<(String, i64)>,
    /// The same for allowances of money.
    pub left_amounts: Vec<(String, Decimal)>,
    /// Units that tiers have counted before the event, by name of the rate.
    pub used: Vec<(String, i64)>,
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
    /// Ways of finding the payer, in the order in which they are tried.
    pub identity_order: Vec<IdentityRule>,
    /// Ordered by name, then by `valid_from`.
    pub tariffs: Vec<TariffVersion>,
    pub bands: Vec<TimeBand>,
    pub decks: Vec<Deck>,
    /// Ordered by id.
    pub timekeepers: Vec<Timekeeper>,
    pub coding: Vec<CodingRule>,
    pub conditions: Vec<Condition>,
    pub outcomes: OutcomeTable,
    pub examples: Vec<Example>,
    /// Hash over names and texts of the files.
    pub hash: Hash,
}
