//! What rule files say, as the oracle keeps it: every word resolved, every amount exact.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use chrono_tz::Tz;
use num_bigint::BigInt;
use num_rational::BigRational;

use super::calendar::Band;
use super::condition::Condition;

pub struct Rules {
    pub default_tariff: Option<String>,
    /// The ways of identification, in their order.
    pub identity: Vec<String>,
    /// Every version of every tariff.
    pub tariffs: Vec<Tariff>,
    pub bands: BTreeMap<String, Band>,
    pub decks: BTreeMap<String, Deck>,
    pub timekeepers: Vec<Timekeeper>,
    pub outcomes: Vec<OutcomeRow>,
}

pub struct Tariff {
    pub name: String,
    pub currency: String,
    pub zone: Tz,
    pub valid_from: Option<NaiveDate>,
    pub version: String,
    pub rounding: Rounding,
    pub supplier: Option<String>,
    pub options: Settings,
    pub cap: Option<BigRational>,
    pub fees_count: bool,
    pub commitment: Option<BigRational>,
    pub rates: Vec<Rate>,
    pub allowances: Vec<Allowance>,
    pub fees: Vec<Fee>,
    pub discounts: Vec<Discount>,
}

pub struct Rounding {
    pub line: String,
    /// `none`, `per-event` or `per-increment`.
    pub charge: String,
    pub charge_mode: String,
    pub charge_scale: u32,
}

/// The options of a tariff; `false` is the default.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub increments_from_zero: bool,
    pub band_by_call_start: bool,
    pub crossing_in_pieces: bool,
    pub fee_on_each_change: bool,
    pub fee_inside_allowance: bool,
    pub allowance_draws_measured: bool,
    pub zero_is_a_block: bool,
    pub under_a_second_is_nothing: bool,
    /// `nothing`, `tier-fee` or `package`.
    pub no_usage: String,
    pub grace_includes_its_end: bool,
    /// `mistake`, `last-price` or `unbilled`.
    pub beyond_last_tier: String,
    pub only_completed: bool,
    pub after_offset_seconds: i64,
    pub negative_toward_plus_infinity: bool,
    pub national_alphabet: bool,
    pub graphemes: bool,
    /// `start`, `end` or `split`.
    pub period_by: String,
    pub both_days_inclusive: bool,
}

/// Key of the event's text, and the values of which it must be one.
pub struct Match {
    pub lists: Vec<(String, Vec<String>)>,
    pub to: Vec<String>,
    pub from: Vec<String>,
    pub bands: Vec<String>,
    pub condition: Option<Condition>,
}

pub struct Rate {
    pub name: String,
    pub matching: Match,
    pub price: Price,
    pub increment: Option<(i64, i64)>,
    pub connection_fee: BigRational,
    pub floor: Option<BigRational>,
    pub cap: Option<BigRational>,
    pub bill_when: Option<Vec<String>>,
    pub minimum_seconds: i64,
    pub grace_thousandths: i64,
    pub discount: Option<Off>,
    /// `call`, `contact-day`, `matter-day`, `timekeeper-day` or `period`.
    pub scope: String,
}

pub enum Price {
    /// Major units for one unit; a flat price is one of the unit `event`.
    Unit {
        price: BigRational,
        unit: &'static str,
    },
    /// By elapsed seconds: each price applies from its second on.
    Steps(Vec<(i64, BigRational)>),
    Tiers(Tiers),
    Deck(String),
    Timekeeper,
    /// The carrier's cost of the event, times and plus.
    Cost {
        times: BigRational,
        plus: BigRational,
    },
    /// The charge of the supplier's tariff, times and plus.
    Supplier {
        times: BigRational,
        plus: BigRational,
    },
}

pub struct Tiers {
    /// `graduated`, `volume` or `package`.
    pub mode: String,
    pub unit: &'static str,
    /// Of graduated and volume prices.
    pub tiers: Vec<Tier>,
    /// Units and price of a package.
    pub package: (i64, BigRational),
}

pub struct Tier {
    /// The last unit of this tier, counted from the beginning.
    pub up_to: Option<i64>,
    pub price: BigRational,
    pub fee: BigRational,
}

/// A percentage or an amount.
pub enum Off {
    Share(BigRational),
    Amount(BigRational),
}

pub struct Deck {
    pub unit: &'static str,
    pub increment: Option<(i64, i64)>,
    pub rows: Vec<DeckRow>,
}

pub struct DeckRow {
    pub prefix: String,
    pub name: String,
    /// Of one counted unit.
    pub price: BigRational,
    pub increment: Option<(i64, i64)>,
    pub connection_fee: Option<BigRational>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
}

pub struct Timekeeper {
    pub id: String,
    /// Extension, first day, day after the last.
    pub extensions: Vec<(String, Option<NaiveDate>, Option<NaiveDate>)>,
    pub price: Option<(BigRational, &'static str)>,
}

pub struct OutcomeRow {
    pub channel: String,
    pub direction: Option<String>,
    pub outcome: String,
    pub error_code: Option<String>,
    pub billable: bool,
}

pub struct Allowance {
    pub name: String,
    pub matching: Match,
    pub grant: Grant,
    pub shared: bool,
    /// `contact`, `pool`, `extension` or `number`.
    pub per: String,
    /// Most units carried into the next period; nothing is no rollover.
    pub rollover: Option<i64>,
    pub expires_after: u32,
    pub prorate: bool,
}

pub enum Grant {
    Units(i64, &'static str),
    Money(BigRational),
}

pub struct Fee {
    pub name: String,
    pub written: String,
    pub amount: BigRational,
    pub once: bool,
    pub on: Option<NaiveDate>,
    pub per: String,
    pub prorate: bool,
    pub in_advance: bool,
}

pub struct Discount {
    pub name: String,
    pub off: Off,
    pub of_lines: bool,
    pub lines: Vec<String>,
}

/// A decimal literal, exactly.
pub fn decimal(text: &str) -> BigRational {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits: BigInt = format!("{whole}{fraction}").parse().unwrap_or_else(|_| panic!("no number: {text}"));
    BigRational::new(digits, BigInt::from(10).pow(fraction.len() as u32))
}

pub fn integer(value: i64) -> BigRational {
    BigRational::from_integer(value.into())
}

/// The unit that is counted, and how many of it make the unit that is written.
pub fn unit_and_factor(written: &str) -> (&'static str, i64) {
    match written.trim().trim_end_matches('s') {
        "second" => ("second", 1),
        "minute" => ("second", 60),
        "hour" => ("second", 3600),
        "call" => ("call", 1),
        "message" => ("message", 1),
        "segment" => ("segment", 1),
        "page" => ("page", 1),
        other => panic!("no unit: {other}"),
    }
}

/// `100 minutes` in counted units.
pub fn quantity(text: &str) -> (i64, &'static str) {
    let (amount, unit) = text.trim().split_once(' ').unwrap_or_else(|| panic!("no quantity: {text}"));
    let (unit, per) = unit_and_factor(unit);
    let units = decimal(amount) * integer(per);
    assert!(units.is_integer(), "no whole units: {text}");
    (units.to_integer().try_into().unwrap(), unit)
}

/// `0.05 per minute` as the price of one counted unit; `2.00 flat` is a price of the event.
pub fn unit_price(text: &str) -> (BigRational, &'static str) {
    if let Some(amount) = text.trim().strip_suffix(" flat") {
        return (decimal(amount), "event");
    }
    let (amount, unit) = text.split_once(" per ").unwrap_or_else(|| panic!("no price: {text}"));
    let (unit, per) = unit_and_factor(unit);
    (decimal(amount) / integer(per), unit)
}

/// `60/6`.
pub fn increment(text: &str) -> (i64, i64) {
    let (first, next) = text.split_once('/').unwrap_or_else(|| panic!("no increment: {text}"));
    let (first, next) = (first.trim().parse().unwrap(), next.trim().parse().unwrap());
    assert!(first > 0 && next > 0, "no increment: {text}");
    (first, next)
}

/// `10%` or `5.00`.
pub fn off(text: &str) -> Off {
    match text.trim().strip_suffix('%') {
        Some(percent) => Off::Share(decimal(percent) / integer(100)),
        None => Off::Amount(decimal(text)),
    }
}

/// Every word that a rule file may not have, so that a misspelt key in a test is not quietly without effect.
pub fn only_keys(table: &toml::Table, known: &str) {
    let known: BTreeSet<&str> = known.split_whitespace().collect();
    for key in table.keys() {
        assert!(known.contains(key.as_str()), "the oracle does not know the key {key} in {table:?}");
    }
}
