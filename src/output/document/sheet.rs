//! `invoice.html`: the sheet a payer reads and prints.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::domain::Result;
use crate::domain::charge::Unit;
use crate::domain::document::{AnnexRow, Balance, BalanceLeft, Document, Invoice, InvoiceLine};
use crate::domain::outcome::{Channel, Direction};
use crate::output::{page, text};

use super::charges::{self, Group};

#[derive(Serialize)]
struct Sheet {
    title: String,
    /// Number and payer for the margin of each printed page; only characters that are safe inside a style sheet.
    running: String,
    draft: bool,
    specimen: bool,
    number: Option<String>,
    issue_date: Option<String>,
    due_date: Option<String>,
    days: String,
    zone: &'static str,
    seller: Party,
    payer: Party,
    contact_id: String,
    currency: String,
    /// Named once when all lines have it, else on each line.
    tariff: Option<Tariff>,
    groups: Vec<Group>,
    /// Which time is billed, where all lines agree.
    basis: Option<String>,
    net: String,
    tax: Option<Tax>,
    total: String,
    rounding: String,
    /// What allowances carry on, and what is billed later.
    later: Vec<String>,
    services: Vec<Service>,
    events: String,
    annex_rows: String,
}

#[derive(Serialize, PartialEq, Eq)]
struct Tariff {
    name: String,
    version: String,
}

#[derive(Serialize)]
struct Party {
    name: String,
    address: Vec<String>,
    email: Option<String>,
    tax_id: Option<String>,
}

#[derive(Serialize)]
struct Tax {
    name: String,
    rate: String,
    taxable: String,
    amount: String,
}

/// What one channel and direction was used, without money: grouping for display never rounds again.
#[derive(Serialize)]
struct Service {
    name: String,
    events: String,
    quantities: Vec<String>,
}

/// The bytes of `invoice.html`.
pub(super) fn page(document: &Document) -> Result<Vec<u8>> {
    let invoice = &document.invoice;
    let finalisation = invoice.finalisation.as_ref();
    let number = finalisation.map(|facts| facts.number.clone());
    let tariff = common_tariff(&invoice.lines);
    let title = match &number {
        Some(number) => format!("Invoice {number}"),
        None => format!("Draft invoice, {}", invoice.payer.name),
    };
    page::render(
        "invoice.html",
        &Sheet {
            running: style_safe(&title),
            title,
            draft: finalisation.is_none(),
            specimen: invoice.specimen,
            number,
            issue_date: finalisation.map(|facts| text::day(facts.issue_date)),
            due_date: finalisation.map(|facts| text::day(facts.due_date)),
            days: text::days(&invoice.period),
            zone: invoice.period.zone.name(),
            seller: Party {
                name: invoice.seller.name.clone(),
                address: invoice.seller.address.clone(),
                email: invoice.seller.email.clone(),
                tax_id: invoice.seller.tax_id.clone(),
            },
            payer: Party {
                name: invoice.payer.name.clone(),
                address: invoice.payer.address.clone(),
                email: invoice.payer.email.clone(),
                tax_id: None,
            },
            contact_id: invoice.payer.contact_id.clone(),
            currency: invoice.currency.to_string(),
            groups: charges::groups(invoice, tariff.is_none()),
            basis: charges::common_basis(&invoice.lines),
            tariff,
            net: text::amount(invoice.net),
            tax: invoice.tax.as_ref().map(|tax| Tax {
                name: tax.name.clone(),
                rate: tax.rate_percent.clone(),
                taxable: text::amount(tax.taxable),
                amount: text::amount(tax.amount),
            }),
            total: text::amount_with_currency(invoice.total),
            rounding: rounding_note(invoice)?,
            later: later(invoice),
            services: services(document),
            events: text::plural(distinct_events(document), "event"),
            annex_rows: text::plural(document.annex.len(), "row"),
        },
    )
}

/// Events on the document; one that stands on two lines counts once.
pub(super) fn distinct_events(document: &Document) -> usize {
    document.annex.iter().map(|row| row.event_id.as_str()).collect::<BTreeSet<_>>().len()
}

fn tariff_of(line: &InvoiceLine) -> Tariff {
    Tariff { name: line.key.tariff.clone(), version: line.key.tariff_version.clone() }
}

fn common_tariff(lines: &[InvoiceLine]) -> Option<Tariff> {
    let first = lines.first().map(tariff_of)?;
    lines.iter().all(|line| tariff_of(line) == first).then_some(first)
}

fn rounding_note(invoice: &Invoice) -> Result<String> {
    let exact = invoice.net.exact().plus(invoice.residual.negated())?;
    let currency = invoice.currency;
    if invoice.residual.numerator() == 0 {
        return Ok("Each line is the exact sum of its charges; rounding changed nothing.".to_owned());
    }
    let (verb, residual) = if invoice.residual.numerator() < 0 {
        ("took away", invoice.residual.negated())
    } else {
        ("added", invoice.residual)
    };
    Ok(format!(
        "Charges are summed exactly and rounded once for each line. Exact charges: {} {currency}; rounding {verb} {} \
         {currency} (rounding residual).",
        text::exact(exact),
        text::exact(residual),
    ))
}

/// What goes on into later periods, as sentences.
fn later(invoice: &Invoice) -> Vec<String> {
    let mut sentences = Vec::new();
    for balance in &invoice.balances {
        let parts: Vec<String> = balance.left.iter().map(|part| left(balance, part, invoice)).collect();
        if !parts.is_empty() {
            let pool =
                if balance.pool.is_empty() { String::new() } else { format!(" (shared: {})", balance.pool) };
            sentences.push(format!("Carried over of {}{pool}: {}.", balance.allowance, parts.join(", ")));
        }
    }
    if !invoice.carried.is_empty() {
        let messages = text::plural(invoice.carried.len(), "message");
        sentences.push(format!(
            "Not on this document: {messages} whose outcome was still open at the end of the period. What it turns out to \
             be is billed on a later one."
        ));
    }
    sentences
}

fn left(balance: &Balance, part: &BalanceLeft, invoice: &Invoice) -> String {
    let granted = charges::month(&part.granted);
    let quantity = match (balance.unit, part.left.denominator()) {
        (Unit::Amount, _) => format!("{} {}", text::exact(part.left), invoice.currency),
        (unit, 1) => text::quantity(part.left.numerator(), unit),
        (unit, _) => format!("{} {}", text::exact(part.left), unit.word()),
    };
    format!("{quantity} of {granted}")
}

/// What one service was used, while it is added up.
#[derive(Default)]
struct Used<'a> {
    events: BTreeSet<&'a str>,
    units: BTreeMap<Unit, i128>,
}

fn services(document: &Document) -> Vec<Service> {
    let mut groups: BTreeMap<(Option<Channel>, String), Used<'_>> = BTreeMap::new();
    for row in &document.annex {
        let used = groups.entry(service(row)).or_default();
        used.events.insert(&row.event_id);
        let sum = used.units.entry(row.unit).or_default();
        *sum = sum.saturating_add(i128::from(row.units_billed));
    }
    groups
        .into_iter()
        .map(|((_, name), used)| Service {
            name,
            events: text::count(used.events.len()),
            quantities: used
                .units
                .into_iter()
                .filter(|(unit, _)| counts(*unit))
                .map(|(unit, sum)| text::quantity(sum, unit))
                .collect(),
        })
        .collect()
}

/// Money and flat prices count nothing that was used.
fn counts(unit: Unit) -> bool {
    !matches!(unit, Unit::Amount | Unit::Event)
}

/// Known channels come in the order of the vocabulary, after any other word.
fn service(row: &AnnexRow) -> (Option<Channel>, String) {
    let channel = Channel::from_word(&row.channel);
    let name = match (channel, Direction::from_word(&row.direction)) {
        (Some(channel), Some(direction)) => text::service(channel, direction),
        _ => format!("{}, {}", row.channel, row.direction),
    };
    (channel, name)
}

fn style_safe(title: &str) -> String {
    title.chars().filter(|letter| letter.is_alphanumeric() || " .,-_".contains(*letter)).take(80).collect()
}
