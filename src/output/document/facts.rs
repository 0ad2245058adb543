//! `invoice.json`: every fact of the document, amounts and exact ratios as strings, keys in a fixed order.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::document::{AnnexRow, Balance, Document, Invoice, InvoiceLine, Seller, TaxGroup};
use crate::output::json::{self, JsonExact, JsonMoney, JsonPeriod};

#[derive(Serialize)]
struct Facts<'a> {
    format: &'static str,
    state: &'static str,
    specimen: bool,
    number: Option<&'a str>,
    issue_date: Option<String>,
    due_date: Option<String>,
    finalised_by: Option<&'a str>,
    seller: Party<'a>,
    payer: Party<'a>,
    period: JsonPeriod,
    currency: CurrencyFacts,
    lines: Vec<Line<'a>>,
    net: JsonMoney,
    tax: Option<Tax<'a>>,
    total: JsonMoney,
    residual: JsonExact,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    timekeepers: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    carried_over: Vec<CarriedOver<'a>>,
    /// Events whose outcome was still open at the end of the period.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    billed_later: &'a [String],
    events: usize,
    annex: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct CurrencyFacts {
    code: String,
    decimals: u32,
}

#[derive(Serialize)]
struct Party<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<&'a str>,
    name: &'a str,
    address: &'a [String],
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Line<'a> {
    number: u32,
    kind: &'static str,
    tariff: &'a str,
    tariff_version: &'a str,
    position: u32,
    clause: &'a str,
    band: &'a str,
    #[serde(flatten)]
    parts: Parts<'a>,
    /// Period the line is for when it is not the document's.
    #[serde(skip_serializing_if = "str::is_empty")]
    service_period: &'a str,
    events: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    units_measured: Option<String>,
    units_billed: String,
    unit: &'static str,
    price: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    note: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    basis: &'a str,
    exact: JsonExact,
    amount: JsonMoney,
    residual: JsonExact,
}

/// What a line or row may have beside clause and band.
#[derive(Serialize)]
struct Parts<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    destination: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    tier: u16,
    #[serde(skip_serializing_if = "str::is_empty")]
    matter: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    timekeeper: &'a str,
}

fn is_zero(number: &u16) -> bool {
    *number == 0
}

/// What an allowance carries into the next period.
#[derive(Serialize)]
struct CarriedOver<'a> {
    tariff: &'a str,
    allowance: &'a str,
    pool: Option<&'a str>,
    unit: &'static str,
    left: Vec<LeftOver<'a>>,
}

#[derive(Serialize)]
struct LeftOver<'a> {
    granted: &'a str,
    left: JsonExact,
}

#[derive(Serialize)]
struct Tax<'a> {
    name: &'a str,
    rate_percent: &'a str,
    taxable: JsonMoney,
    amount: JsonMoney,
}

#[derive(Serialize)]
struct Row<'a> {
    event: &'a str,
    line: u32,
    start: &'a str,
    channel: &'a str,
    direction: &'a str,
    from: &'a str,
    to: &'a str,
    extension: &'a str,
    outcome: &'a str,
    clause: &'a str,
    band: &'a str,
    #[serde(flatten)]
    parts: Parts<'a>,
    #[serde(skip_serializing_if = "is_zero")]
    entry: u16,
    measured: &'a str,
    units_billed: String,
    unit: &'static str,
    exact: JsonExact,
    remarks: &'a str,
}

/// The bytes of `invoice.json`.
pub(super) fn json(document: &Document) -> Vec<u8> {
    let invoice = &document.invoice;
    let finalisation = invoice.finalisation.as_ref();
    json::bytes(&Facts {
        format: "tollbook invoice 1",
        state: if finalisation.is_some() { "finalised" } else { "draft" },
        specimen: invoice.specimen,
        number: finalisation.map(|facts| facts.number.as_str()),
        issue_date: finalisation.map(|facts| facts.issue_date.to_string()),
        due_date: finalisation.map(|facts| facts.due_date.to_string()),
        finalised_by: finalisation.map(|facts| facts.actor.as_str()),
        seller: seller(&invoice.seller),
        payer: payer(invoice),
        period: JsonPeriod::from(&invoice.period),
        currency: CurrencyFacts { code: invoice.currency.to_string(), decimals: invoice.currency.exponent() },
        lines: invoice.lines.iter().map(line).collect(),
        net: invoice.net.into(),
        tax: invoice.tax.as_ref().map(tax),
        total: invoice.total.into(),
        residual: invoice.residual.into(),
        timekeepers: &invoice.timekeepers,
        carried_over: invoice.balances.iter().map(carried_over).collect(),
        billed_later: &invoice.carried,
        events: super::sheet::distinct_events(document),
        annex: document.annex.iter().map(row).collect(),
    })
}

fn seller(seller: &Seller) -> Party<'_> {
    Party {
        contact: None,
        name: &seller.name,
        address: &seller.address,
        email: seller.email.as_deref(),
        tax_id: seller.tax_id.as_deref(),
    }
}

fn payer(invoice: &Invoice) -> Party<'_> {
    let payer = &invoice.payer;
    Party {
        contact: Some(&payer.contact_id),
        name: &payer.name,
        address: &payer.address,
        email: payer.email.as_deref(),
        tax_id: None,
    }
}

fn line(line: &InvoiceLine) -> Line<'_> {
    Line {
        number: line.number,
        kind: line.key.kind.word(),
        tariff: &line.key.tariff,
        tariff_version: &line.key.tariff_version,
        position: line.key.position,
        clause: &line.key.clause,
        band: &line.key.band,
        parts: Parts {
            destination: &line.key.destination,
            tier: line.key.tier,
            matter: &line.key.matter,
            timekeeper: &line.key.timekeeper,
        },
        service_period: &line.key.service_period,
        events: line.events,
        units_measured: line.units_measured.map(|units| units.to_string()),
        units_billed: line.units_billed.to_string(),
        unit: line.unit.word(),
        price: &line.price,
        note: &line.note,
        basis: &line.basis,
        exact: line.exact.into(),
        amount: line.amount.into(),
        residual: line.residual.into(),
    }
}

fn carried_over(balance: &Balance) -> CarriedOver<'_> {
    let left = balance.left.iter().map(|part| LeftOver { granted: &part.granted, left: part.left.into() });
    CarriedOver {
        tariff: &balance.tariff,
        allowance: &balance.allowance,
        pool: Some(balance.pool.as_str()).filter(|pool| !pool.is_empty()),
        unit: balance.unit.word(),
        left: left.collect(),
    }
}

fn tax(tax: &TaxGroup) -> Tax<'_> {
    Tax {
        name: &tax.name,
        rate_percent: &tax.rate_percent,
        taxable: tax.taxable.into(),
        amount: tax.amount.into(),
    }
}

fn row(row: &AnnexRow) -> Row<'_> {
    Row {
        event: &row.event_id,
        line: row.line,
        start: &row.start,
        channel: &row.channel,
        direction: &row.direction,
        from: &row.from,
        to: &row.to,
        extension: &row.extension,
        outcome: &row.outcome,
        clause: &row.clause,
        band: &row.band,
        parts: Parts {
            destination: &row.destination,
            tier: row.tier,
            matter: &row.matter,
            timekeeper: &row.timekeeper,
        },
        entry: row.entry,
        measured: &row.measured,
        units_billed: row.units_billed.to_string(),
        unit: row.unit.word(),
        exact: row.exact.into(),
        remarks: &row.remarks,
    }
}
