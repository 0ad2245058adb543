//! Made-up values that look like a month of an answering service, for golden files and for the eye.

mod expected;
mod legal;

use chrono::NaiveDate;

pub(super) use expected::{contact_names, reconciliation};
pub(super) use legal::legal;

use super::Heading;
use super::control::MoneyControl;
use super::manifest::Manifest;
use super::report::{
    DayActivity, DocumentSummary, FeedCoverage, Findings, RunReport, SuspenseSummary, UnmatchedNumber,
};
use super::unmatched::{UnmatchedEvent, UnmatchedUsage};
use crate::domain::Hash;
use crate::domain::charge::Unit;
use crate::domain::disposition::{
    Conservation, ControlTotal, EventDisposition, RecordDisposition, SuspenseReason,
};
use crate::domain::document::{
    AnnexRow, Document, Finalisation, Invoice, InvoiceLine, LineKey, LineKind, Payer, Seller, TaxGroup,
};
use crate::domain::money::{Currency, Exact, Money, RoundingMode};
use crate::domain::outcome::{Channel, Direction};
use crate::domain::reconciliation::BreakKind;
use crate::domain::time::{Month, Period, Zone};

pub(super) fn period() -> Period {
    Month::parse("2026-10").unwrap().period(Zone::from_name("America/New_York").unwrap())
}

pub(super) fn heading() -> Heading {
    Heading {
        company: "Hudson Answering Service LLC".to_owned(),
        run_id: "9f2c41d07be3".to_owned(),
        specimen: true,
    }
}

fn currency(code: &str) -> Currency {
    Currency::from_code(code).unwrap()
}

/// What the annex rows of a sample line have in common.
struct Use {
    channel: &'static str,
    direction: &'static str,
    outcome: &'static str,
    from: &'static str,
    to: &'static str,
    /// Measured and billed units of each event.
    events: &'static [(&'static str, i64)],
}

/// Clause, band, unit, price as written, and the price of one unit as a ratio.
struct Rate(LineKind, &'static str, &'static str, Unit, &'static str, Exact);

fn add_line(document: &mut Document, rate: &Rate, used: &Use) {
    let Rate(kind, clause, band, unit, price, each) = rate;
    let number = u32::try_from(document.invoice.lines.len()).unwrap() + 1;
    let mut exact = Exact::ZERO;
    for (index, (measured, units)) in used.events.iter().enumerate() {
        let charge = each.checked_mul(Exact::new(i128::from(*units), 1)).unwrap();
        exact = exact.plus(charge).unwrap();
        document.annex.push(AnnexRow {
            event_id: format!(
                "{}:s-{number}{index:02}",
                if used.channel == "voice" { "call" } else { "message" }
            ),
            start: format!("2026-10-{:02} {:02}:15:07 -04:00", index * 3 + 1, 9 + index),
            channel: used.channel.to_owned(),
            direction: used.direction.to_owned(),
            from: used.from.to_owned(),
            to: used.to.to_owned(),
            extension: "101".to_owned(),
            outcome: used.outcome.to_owned(),
            line: number,
            clause: (*clause).to_owned(),
            band: (*band).to_owned(),
            destination: String::new(),
            tier: 0,
            matter: String::new(),
            timekeeper: String::new(),
            entry: 0,
            measured: (*measured).to_owned(),
            units_billed: *units,
            unit: *unit,
            exact: charge,
            remarks: String::new(),
        });
    }
    if *kind == LineKind::Fee {
        exact = *each;
    }
    let (amount, residual) = exact.round(document.invoice.currency, RoundingMode::HalfAway).unwrap();
    document.invoice.lines.push(InvoiceLine {
        number,
        key: LineKey {
            kind: *kind,
            tariff: "client-standard".to_owned(),
            tariff_version: "2026-01-01".to_owned(),
            position: number - 1,
            clause: (*clause).to_owned(),
            band: (*band).to_owned(),
            ..LineKey::default()
        },
        unit: *unit,
        events: used.events.len() as u64,
        units_billed: used.events.iter().map(|(_, units)| i128::from(*units)).sum(),
        units_measured: None,
        price: (*price).to_owned(),
        note: String::new(),
        basis: String::new(),
        exact,
        amount,
        residual,
    });
}

fn close(document: &mut Document, tax: Option<(&str, &str, Exact)>) {
    let invoice = &mut document.invoice;
    invoice.net = invoice.lines.iter().fold(Money::zero(invoice.currency), |sum, line| sum.plus(line.amount));
    invoice.residual = invoice.lines.iter().fold(Exact::ZERO, |sum, line| sum.plus(line.residual).unwrap());
    invoice.tax = tax.map(|(name, percent, share)| {
        let exact = invoice.net.exact().checked_mul(share).unwrap();
        let (amount, _) = exact.round(invoice.currency, RoundingMode::HalfAway).unwrap();
        TaxGroup { name: name.to_owned(), rate_percent: percent.to_owned(), taxable: invoice.net, amount }
    });
    invoice.total = invoice.tax.as_ref().map_or(invoice.net, |tax| invoice.net.plus(tax.amount));
}

fn empty(code: &str, payer: Payer) -> Document {
    let currency = currency(code);
    Document {
        invoice: Invoice {
            seller: Seller {
                name: "Hudson Answering Service LLC".to_owned(),
                address: vec!["1 Main Street, Suite 400".to_owned(), "Springfield, NY 10001".to_owned()],
                email: Some("billing@example.com".to_owned()),
                tax_id: Some("12-3456789".to_owned()),
            },
            payer,
            period: period(),
            currency,
            lines: vec![],
            net: Money::zero(currency),
            tax: None,
            total: Money::zero(currency),
            residual: Exact::ZERO,
            timekeepers: std::collections::BTreeMap::new(),
            balances: vec![],
            carried: vec![],
            finalisation: None,
            specimen: false,
        },
        annex: vec![],
    }
}

const OFFICE: &str = "+12125550100";
const OUT: Use = Use {
    channel: "voice",
    direction: "outbound",
    outcome: "answered",
    from: OFFICE,
    to: "+12125550143",
    events: &[("61", 66), ("5400", 5400), ("1799.5", 1800), ("36258", 36264)],
};
const IN: Use = Use { direction: "inbound", from: "+19175550188", to: "+12125550101", ..OUT };
const TEXTS: Use = Use {
    channel: "sms",
    outcome: "delivered",
    to: "+19175550123",
    events: &[("3", 3), ("1", 1), ("2", 2), ("1", 1), ("1", 1)],
    ..OUT
};
const FAXES: Use =
    Use { channel: "fax", outcome: "sent", to: "+12125550177", events: &[("12", 12), ("3", 3)], ..OUT };
const NOTHING: Use = Use { events: &[], ..OUT };

fn fill(document: &mut Document) {
    let minutes = |name, band, price, numerator| {
        Rate(LineKind::Usage, name, band, Unit::Second, price, Exact::new(numerator, 600_000))
    };
    let monthly = Exact::new(1250, 1);
    let fee = Rate(LineKind::Fee, "Service fee, per line", "", Unit::Call, "1,250.00 per month", monthly);
    let included =
        Rate(LineKind::Allowance, "500 included minutes", "", Unit::Second, "included", Exact::ZERO);
    let segment = Exact::new(79, 10_000);
    let texts = Rate(LineKind::Usage, "Text reminders", "", Unit::Segment, "0.0079 per segment", segment);
    let page = Exact::new(5, 100);
    let faxes = Rate(LineKind::Usage, "Fax, delivered", "", Unit::Page, "0.05 per page", page);
    let rates = [
        (fee, NOTHING),
        (included, Use { events: &[("18000", 18_000), ("12000", 12_000)], ..OUT }),
        (minutes("Outbound, business hours", "business", "0.0345 per minute", 345), OUT),
        (
            minutes("Outbound, nights and weekends", "", "0.0210 per minute", 210),
            Use { events: &[("600", 600)], ..OUT },
        ),
        (
            minutes("Outbound, United Kingdom", "", "0.0890 per minute", 890),
            Use { to: "+442079460018", events: &[("310", 312), ("42", 60)], ..OUT },
        ),
        (minutes("Inbound, answered by an operator", "business", "0.95 per minute", 9_500), IN),
        (texts, TEXTS),
        (faxes, FAXES),
    ];
    for (rate, used) in &rates {
        add_line(document, rate, used);
    }
}

/// A finalised invoice of eight lines with tax.
pub(super) fn invoice() -> Document {
    let mut document = empty(
        "USD",
        Payer {
            contact_id: "C-1007".to_owned(),
            name: "Whitfield & O\u{2019}Brien, Attorneys at Law".to_owned(),
            address: vec!["350 Fifth Avenue, Floor 21".to_owned(), "New York, NY 10118".to_owned()],
            email: Some("accounts@whitfield.example".to_owned()),
        },
    );
    fill(&mut document);
    close(&mut document, Some(("Sales tax", "8.875", Exact::new(8_875, 100_000))));
    let date = |day| NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
    document.invoice.finalisation = Some(Finalisation {
        number: "INV-000042".to_owned(),
        issue_date: date(3),
        due_date: NaiveDate::from_ymd_opt(2026, 12, 3).unwrap(),
        actor: "a.lindqvist".to_owned(),
    });
    document
}

/// A draft from the sandbox without tax.
pub(super) fn draft() -> Document {
    let mut document = empty(
        "USD",
        Payer {
            contact_id: "maple-dental".to_owned(),
            name: "Maple Street Dental".to_owned(),
            address: vec!["12 Maple Street".to_owned(), "Albany, NY 12207".to_owned()],
            email: None,
        },
    );
    fill(&mut document);
    close(&mut document, None);
    document.invoice.specimen = true;
    document
}

/// A finalised invoice in a currency without decimals.
pub(super) fn yen() -> Document {
    let mut document = invoice();
    document.invoice.currency = currency("JPY");
    document.invoice.lines.clear();
    document.annex.clear();
    let each = Exact::new(12_500, 60);
    add_line(
        &mut document,
        &Rate(LineKind::Usage, "Calls", "", Unit::Second, "12500 per minute", each),
        &OUT,
    );
    add_line(
        &mut document,
        &Rate(LineKind::Usage, "Texts", "", Unit::Segment, "3.25 per segment", Exact::new(13, 4)),
        &TEXTS,
    );
    close(&mut document, Some(("Consumption tax", "10", Exact::new(1, 10))));
    document
}

fn total(events: i64, seconds: i128, segments: i128, pages: i128) -> ControlTotal {
    ControlTotal { events, milliseconds: seconds * 1000, segments, pages }
}

/// Ledgers that add up.
pub(super) fn conservation() -> Conservation {
    let events: std::collections::BTreeMap<EventDisposition, ControlTotal> = [
        (EventDisposition::Billed, total(11_204, 2_918_340, 8_120, 1_904)),
        (EventDisposition::InAllowance, total(1_930, 410_220, 0, 0)),
        (EventDisposition::ZeroRated, total(84, 9_120, 0, 0)),
        (EventDisposition::Internal, total(2_411, 301_877, 96, 0)),
        (EventDisposition::OutcomeNotBillable, total(3_018, 0, 41, 12)),
        (EventDisposition::Unmatched, total(212, 18_455, 7, 3)),
        (EventDisposition::Suspended, total(9, 660, 0, 2)),
        (EventDisposition::AwaitingOutcome, total(4, 0, 4, 0)),
    ]
    .into_iter()
    .collect();
    let mut mediated = ControlTotal::default();
    events.values().for_each(|total| mediated.add(total));
    let records = [
        (RecordDisposition::Primary, 18_640),
        (RecordDisposition::Supporting, 1_777),
        (RecordDisposition::Superseded, 431),
        (RecordDisposition::Duplicate, 902),
        (RecordDisposition::Suspended, 9),
        (RecordDisposition::Excluded, 45),
    ];
    let excluded = [
        ("describes the account, is no usage", 42),
        ("in an extension's log only; the account's log is what is billed", 3),
    ];
    Conservation {
        records_collected: records.iter().map(|(_, count)| count).sum(),
        records: records.into_iter().collect(),
        excluded: excluded.into_iter().map(|(rule, count)| (rule.to_owned(), count)).collect(),
        events_mediated: mediated,
        events,
        violations: vec![],
    }
}

fn money_of(document: &Document) -> MoneyControl {
    let invoice = &document.invoice;
    let charges = invoice.lines.iter().fold(Exact::ZERO, |sum, line| sum.plus(line.exact).unwrap());
    MoneyControl {
        currency: invoice.currency,
        documents: 1,
        charges,
        lines: invoice.net,
        net: invoice.net,
        tax: invoice.tax.as_ref().map_or(Money::zero(invoice.currency), |tax| tax.amount),
        total: invoice.total,
        residual: invoice.residual,
    }
}

pub(super) fn money() -> Vec<MoneyControl> {
    vec![money_of(&yen()), money_of(&invoice())]
}

pub(super) fn manifest() -> Manifest {
    Manifest {
        run_id: heading().run_id,
        period: period(),
        derivation_version: "1".to_owned(),
        timezone_data: "2025b".to_owned(),
        specimen: true,
        inputs: vec![
            ("contacts.csv".to_owned(), Hash::of(b"contacts")),
            ("records".to_owned(), Hash::of(b"records")),
            ("rules/client.toml".to_owned(), Hash::of(b"rules")),
        ],
        rates_matching_nothing: vec![("client-standard".to_owned(), "Directory assistance".to_owned())],
    }
}

fn summary(document: &Document, name: &str, number: Option<&str>, folder: &str) -> DocumentSummary {
    let invoice = &document.invoice;
    DocumentSummary {
        folder: folder.to_owned(),
        number: number.map(str::to_owned),
        contact_id: name.split(' ').next().unwrap_or("").to_lowercase(),
        payer: name.to_owned(),
        lines: invoice.lines.len() as u64,
        events: 1_204,
        net: invoice.net,
        tax: invoice.tax.as_ref().map_or(Money::zero(invoice.currency), |tax| tax.amount),
        total: invoice.total,
    }
}

fn activity() -> Vec<DayActivity> {
    (1_u32..=31)
        .map(|day| {
            let date = NaiveDate::from_ymd_opt(2026, 10, day).unwrap();
            let weekend = matches!(day % 7, 3 | 4);
            let busy = u64::from(if weekend { 90 + day } else { 420 + day * 37 % 180 });
            DayActivity {
                date,
                events: vec![
                    (Channel::Voice, busy),
                    (Channel::Sms, busy * 2 / 5),
                    (Channel::Fax, busy / 9),
                    (Channel::Voicemail, busy / 14),
                ],
            }
        })
        .collect()
}

/// A run with a bit of everything.
pub(super) fn report() -> RunReport {
    RunReport {
        heading: heading(),
        period: period(),
        money: money(),
        documents: vec![
            summary(
                &invoice(),
                "Whitfield & O\u{2019}Brien, Attorneys at Law",
                Some("INV-000042"),
                "invoices/INV-000042",
            ),
            summary(&draft(), "Maple Street Dental", None, "drafts/maple-dental"),
            summary(&yen(), "Kyoto Trading K.K.", Some("INV-000043"), "invoices/INV-000043"),
        ],
        conservation: conservation(),
        coverage: vec![
            FeedCoverage {
                feed: "call log".to_owned(),
                windows: 31,
                sealed: 31,
                records: 17_204,
                holes: vec![],
            },
            FeedCoverage {
                feed: "message store, extension 104".to_owned(),
                windows: 5,
                sealed: 4,
                records: 4_555,
                holes: vec![
                    "2026-10-28 00:00 to 2026-11-01 00:00: the mailbox refuses to be read".to_owned(),
                ],
            },
        ],
        suspense: vec![
            SuspenseSummary {
                reason: SuspenseReason::UnknownResult,
                count: 6,
                details: "Call Screened (6)".to_owned(),
            },
            SuspenseSummary {
                reason: SuspenseReason::NoPages,
                count: 3,
                details: "fax without pages".to_owned(),
            },
        ],
        findings: Findings {
            unmatched: unmatched().totals().expect("small sums"),
            unmatched_numbers: unmatched_numbers(),
            further_unmatched_numbers: 48,
            rules_never_matched: vec!["client-standard: Directory assistance".to_owned()],
            breaks: vec![(BreakKind::MissingObservation, 2), (BreakKind::Late, 1)],
            remarks: vec!["Three contacts have no tax rate.".to_owned()],
        },
        activity: activity(),
        margins: vec![],
        held_back: vec!["Maple Street Dental: the message store of extension 104 has a hole.".to_owned()],
        accepted: vec![
            "a.lindqvist accepted the hole in the fax mailbox on 2026-10-12: line out of order.".to_owned(),
        ],
        reconciled: true,
    }
}

/// Three events that belong to nobody.
pub(super) fn unmatched() -> UnmatchedUsage {
    let event = |id: &str, days: i64, value: Option<Exact>| UnmatchedEvent {
        id: id.to_owned(),
        start: format!("2026-10-{:02} 14:00:00 -04:00", 32 - days),
        days,
        channel: Channel::Voice,
        direction: Direction::Inbound,
        number: "+13475550162".to_owned(),
        name: Some("=MAPLE DENTAL".to_owned()),
        extension: Some(104),
        milliseconds: 61_000,
        segments: None,
        pages: None,
        value,
        reason: if value.is_some() { "" } else { SuspenseReason::NoRate.word() },
        suggestions: vec![("maple-dental".to_owned(), "the other party has its name".to_owned())],
    };
    UnmatchedUsage {
        currency: Currency::from_code("USD"),
        events: vec![
            event("call:s-1", 29, Some(Exact::new(1, 3))),
            event("call:s-2", 3, Some(Exact::new(5, 100))),
            UnmatchedEvent { suggestions: vec![], ..event("call:s-3", 1, None) },
        ],
    }
}

fn unmatched_numbers() -> Vec<UnmatchedNumber> {
    vec![
        UnmatchedNumber {
            number: "+13475550162".to_owned(),
            events: 61,
            milliseconds: 7_412_000,
            value: Some(Exact::new(1, 3)),
            oldest_days: 29,
            suggestion: Some("maple-dental: the other party has its name".to_owned()),
        },
        UnmatchedNumber {
            number: "+442079460991".to_owned(),
            events: 17,
            milliseconds: 1_204_500,
            value: None,
            oldest_days: 1,
            suggestion: None,
        },
    ]
}
