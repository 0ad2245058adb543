//! Documents: lines, invoices, their totals and states.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::charge::Unit;
use super::money::{Currency, Exact, Money};
use super::outcome::words;
use super::time::Period;

words! {
    /// What an invoice line is.
    LineKind {
        Usage = "usage",
        Allowance = "allowance",
        TierFee = "tier-fee",
        Fee = "fee",
        Discount = "discount",
        Cap = "cap",
        TrueUp = "true-up",
    }
}

impl LineKind {
    /// Whether a line of this kind is made of events that the annex itemises.
    pub fn is_itemised(self) -> bool {
        matches!(self, LineKind::Usage | LineKind::Allowance)
    }
}

#[expect(clippy::derivable_impls, reason = "the vocabulary macro writes the type")]
impl Default for LineKind {
    fn default() -> LineKind {
        LineKind::Usage
    }
}

/// The key of a line: two charges with equal keys are summed before the one rounding. The payer and the service period
/// are those of the document; tax is one rate for each payer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct LineKey {
    pub kind: LineKind,
    pub tariff: String,
    /// `valid_from` of the tariff version, or empty for one without.
    pub tariff_version: String,
    /// Position of the rate, allowance or fee in its tariff version: lines follow the order of the file.
    pub position: u32,
    /// Name of the rate, allowance or fee.
    pub clause: String,
    /// Name of the time band, empty when the rate has none.
    pub band: String,
    /// Destination of a rate deck, else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub destination: String,
    /// Tier from 1; 0 without tiers.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tier: u16,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub matter: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub timekeeper: String,
    /// Period the usage belongs to when it is not the document's, such as `2026-09`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub service_period: String,
}

fn is_zero(number: &u16) -> bool {
    *number == 0
}

/// One position of an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceLine {
    /// From 1, without gaps.
    pub number: u32,
    pub key: LineKey,
    pub unit: Unit,
    /// Number of events with a component on this line.
    pub events: u64,
    /// Units as billed (after increments), in `unit`.
    pub units_billed: i128,
    /// Units as measured, before minimum and increments, in `unit`; `None` where nothing is measured (fees) or where the
    /// document is older than this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units_measured: Option<i128>,
    /// The price as written in the rule: `0.0345 per minute`.
    pub price: String,
    /// What people need to follow the amount: `tier 2 of 3, from 100 minutes`, `17 of 31 days`, `10% of 123.45`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Which time was measured and over what it was rounded, in words; empty for what is not billed by time.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub basis: String,
    /// Exact sum of the charges before rounding, in major units.
    pub exact: Exact,
    /// `exact` rounded once by the tariff's line rounding.
    pub amount: Money,
    /// `amount` minus `exact`.
    pub residual: Exact,
}

/// Who sends the document.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seller {
    pub name: String,
    pub address: Vec<String>,
    pub email: Option<String>,
    pub tax_id: Option<String>,
}

/// Whom it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payer {
    pub contact_id: String,
    pub name: String,
    pub address: Vec<String>,
    pub email: Option<String>,
}

/// Tax on the lines of one rate, rounded once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxGroup {
    pub name: String,
    /// Percent as written: `8.875`.
    pub rate_percent: String,
    pub taxable: Money,
    pub amount: Money,
}

/// What finalisation added to a draft; recorded once as facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finalisation {
    /// `INV-000001`.
    pub number: String,
    pub issue_date: NaiveDate,
    pub due_date: NaiveDate,
    pub actor: String,
}

/// A demand for payment for one payer and period. A draft has no finalisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    pub seller: Seller,
    pub payer: Payer,
    pub period: Period,
    pub currency: Currency,
    pub lines: Vec<InvoiceLine>,
    pub net: Money,
    pub tax: Option<TaxGroup>,
    pub total: Money,
    /// Sum of the lines' residuals: what rounding added to the exact charges.
    pub residual: Exact,
    /// Names of the timekeepers whose time stands on the document, by id; one without a name is not in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub timekeepers: BTreeMap<String, String>,
    /// What allowances carry into the next period.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub balances: Vec<Balance>,
    /// Events of the period whose outcome was still open at its close; they are billed on a later document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<String>,
    pub finalisation: Option<Finalisation>,
    /// Made from the sandbox: every rendering says SPECIMEN.
    pub specimen: bool,
}

/// What an allowance with rollover holds at the end of a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    pub tariff: String,
    pub allowance: String,
    /// Whose it is: the pool, or empty for the payer's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pool: String,
    /// [`Unit::Amount`] for money.
    pub unit: Unit,
    /// Oldest grant first.
    pub left: Vec<BalanceLeft>,
}

/// What is left of the grant of one period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceLeft {
    /// Month of the grant: `2026-09`.
    pub granted: String,
    /// Units, or money in major units.
    pub left: Exact,
}

/// One row of the annex: an event as it was charged on one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnexRow {
    pub event_id: String,
    /// Start in the payer's zone, with offset, as text for people.
    pub start: String,
    pub channel: String,
    pub direction: String,
    pub from: String,
    pub to: String,
    pub extension: String,
    pub outcome: String,
    /// Line number on the document.
    pub line: u32,
    pub clause: String,
    pub band: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub destination: String,
    /// Tier from 1; 0 without tiers.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tier: u16,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub matter: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub timekeeper: String,
    /// Which of the event's time entries it is, from 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub entry: u16,
    /// Measured quantity in the line's unit (seconds with up to three decimals).
    pub measured: String,
    pub units_billed: i64,
    pub unit: Unit,
    /// Exact charge of this event on this line, in major units.
    pub exact: Exact,
    pub remarks: String,
}

/// A document with its annex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    pub invoice: Invoice,
    pub annex: Vec<AnnexRow>,
}
