//! A law firm's month with everything a line can say: matters, timekeepers, tiers, destinations, what was measured,
//! a money allowance, fees by days, discounts, a cap, usage of an earlier month.

use super::{IN, NOTHING, OUT, Rate, TEXTS, Use, add_line, close, empty};
use crate::domain::charge::Unit;
use crate::domain::document::{Balance, BalanceLeft, Document, Finalisation, LineKey, LineKind, Payer};
use crate::domain::money::Exact;

/// What a line has beside what every sample line has.
struct Beside {
    matter: &'static str,
    timekeeper: &'static str,
    destination: &'static str,
    tier: u16,
    service_period: &'static str,
    note: &'static str,
    basis: &'static str,
    measured: Option<i128>,
}

const BASIS: &str = "each person's own time on the call; each person's time rounded by itself";

const PLAIN: Beside = Beside {
    matter: "",
    timekeeper: "",
    destination: "",
    tier: 0,
    service_period: "",
    note: "",
    basis: "",
    measured: None,
};

fn add(document: &mut Document, rate: &Rate, used: &Use, beside: Beside) {
    add_line(document, rate, used);
    let line = document.invoice.lines.last_mut().unwrap();
    line.key = LineKey {
        tariff: "matters".to_owned(),
        matter: beside.matter.to_owned(),
        timekeeper: beside.timekeeper.to_owned(),
        destination: beside.destination.to_owned(),
        tier: beside.tier,
        service_period: beside.service_period.to_owned(),
        ..line.key.clone()
    };
    (line.note, line.basis) = (beside.note.to_owned(), beside.basis.to_owned());
    line.units_measured = beside.measured;
    if !line.key.kind.is_itemised() {
        line.exact = rate.5;
        (line.amount, line.residual) =
            line.exact.round(document.invoice.currency, crate::domain::RoundingMode::HalfAway).unwrap();
    }
    for row in document.annex.iter_mut().filter(|row| row.line == line.number) {
        row.destination.clone_from(&line.key.destination);
        row.tier = line.key.tier;
        row.matter.clone_from(&line.key.matter);
        row.timekeeper.clone_from(&line.key.timekeeper);
    }
}

fn time(document: &mut Document) {
    let hourly =
        |name, price, amount| Rate(LineKind::Usage, name, "", Unit::Second, price, Exact::new(amount, 3600));
    let steps = "first 6 minutes, then in steps of 6 minutes";
    for (matter, timekeeper, price, amount, used, measured) in [
        ("2026-114 Estate of Doe", "JD", "350.00 per hour", 350, OUT, 43_518),
        ("2026-114 Estate of Doe", "MK", "180.00 per hour", 180, Use { events: &[("640", 720)], ..IN }, 640),
        ("2026-131 Hudson v. Bay", "JD", "350.00 per hour", 350, Use { events: &[("61", 360)], ..OUT }, 61),
    ] {
        let beside =
            Beside { matter, timekeeper, note: steps, basis: BASIS, measured: Some(measured), ..PLAIN };
        add(document, &hourly("Calls, by timekeeper", price, amount), &used, beside);
    }
    let credit = Rate(
        LineKind::Allowance,
        "20.00 of charges",
        "",
        Unit::Amount,
        "20.00 of charges included",
        Exact::new(-20, 1),
    );
    let used = Use { events: &[("0", 1)], ..OUT };
    add(document, &credit, &used, Beside { matter: "2026-131 Hudson v. Bay", ..PLAIN });
    let tier = |price, amount| {
        Rate(LineKind::Usage, "Long distance", "evening", Unit::Second, price, Exact::new(amount, 60_000))
    };
    let far = Beside { destination: "United Kingdom, mobile", basis: BASIS, ..PLAIN };
    let used = Use { events: &[("5995", 6000)], ..OUT };
    let first = Beside { tier: 1, note: "tier 1 of 3", measured: Some(5995), ..far };
    add(document, &tier("0.050 per minute", 50), &used, first);
    let used = Use { events: &[("1217", 1220)], ..OUT };
    let second = Beside { tier: 2, note: "tier 2 of 3, from 100 minutes", measured: Some(1217), ..far };
    add(document, &tier("0.045 per minute", 45), &used, second);
    let fee = Rate(LineKind::TierFee, "Long distance", "", Unit::Amount, "5.00", Exact::new(5, 1));
    add(document, &fee, &NOTHING, Beside { tier: 2, note: "fee of tier 2 of 3", ..PLAIN });
}

fn period(document: &mut Document) {
    let fee = |name, price, exact| Rate(LineKind::Fee, name, "", Unit::Call, price, exact);
    let lines = fee("Extension", "12.00 per month", Exact::new(12 * 76, 31));
    add(document, &lines, &NOTHING, Beside { note: "3 extensions, 76 of 93 days", ..PLAIN });
    let advance = fee("Service fee", "250.00 per month", Exact::new(250, 1));
    add(document, &advance, &NOTHING, Beside { service_period: "2026-11", ..PLAIN });
    let whole = |kind, name, price, exact| Rate(kind, name, "", Unit::Amount, price, exact);
    let discount = whole(LineKind::Discount, "Loyalty", "10%", Exact::new(-6_321, 100));
    add(document, &discount, &NOTHING, Beside { note: "10% of 632.10", ..PLAIN });
    let cap = whole(LineKind::Cap, "Period cap", "5,000.00 per month", Exact::new(-4_512, 100));
    add(document, &cap, &NOTHING, PLAIN);
    let commitment =
        whole(LineKind::TrueUp, "Commitment true-up", "100.00 per month", Exact::new(1_234, 100));
    add(document, &commitment, &NOTHING, Beside { note: "54.84 for the days in force", ..PLAIN });
    let segment = Rate(
        LineKind::Usage,
        "Text reminders",
        "",
        Unit::Segment,
        "0.0079 per segment",
        Exact::new(79, 10_000),
    );
    add(document, &segment, &TEXTS, Beside { service_period: "2026-09", measured: Some(8), ..PLAIN });
}

/// A finalised invoice by matter and timekeeper.
pub(in crate::output) fn legal() -> Document {
    let mut document = empty(
        "USD",
        Payer {
            contact_id: "C-2044".to_owned(),
            name: "Doe & Partners LLP".to_owned(),
            address: vec!["17 State Street".to_owned(), "Albany, NY 12207".to_owned()],
            email: Some("billing@doe.example".to_owned()),
        },
    );
    time(&mut document);
    period(&mut document);
    close(&mut document, None);
    let date = |month, day| chrono::NaiveDate::from_ymd_opt(2026, month, day).unwrap();
    let invoice = &mut document.invoice;
    invoice.timekeepers = [("JD".to_owned(), "Jane Doe".to_owned())].into_iter().collect();
    let left = |granted: &str, left| BalanceLeft { granted: granted.to_owned(), left };
    invoice.balances = vec![Balance {
        tariff: "matters".to_owned(),
        allowance: "500 included minutes".to_owned(),
        pool: String::new(),
        unit: Unit::Second,
        left: vec![left("2026-09", Exact::new(640, 1)), left("2026-10", Exact::new(6_000, 1))],
    }];
    invoice.carried = vec!["message:m-1:+12125550177".to_owned()];
    invoice.finalisation = Some(Finalisation {
        number: "INV-000044".to_owned(),
        issue_date: date(11, 3),
        due_date: date(12, 3),
        actor: "a.lindqvist".to_owned(),
    });
    document
}
