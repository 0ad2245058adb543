//! What a tariff says of whole periods: allowances, fees, discounts, limits, suppliers, options.

use rust_decimal::Decimal;

use crate::domain::RoundingMode;
use crate::domain::charge::Unit;
use crate::rules::options::{ChargeRounding, Crossing, NoUsage, TariffOptions, TextSplit};
use crate::rules::ruleset::{Cadence, DiscountOf, LegPolicy, Per, Reduction, Rollover};

use super::{PLAIN, TARIFF, codes, refused_tariff, rules, tariff};

#[track_caller]
fn refused_allowance(lines: &str, expected: &[&str]) {
    refused_tariff("", &format!("[[tariff.t.allowance]]\nname = \"a\"\n{lines}\n"), expected);
}

#[track_caller]
fn refused_fee(lines: &str, expected: &[&str]) {
    refused_tariff("", &format!("[[tariff.t.fee]]\nname = \"f\"\n{lines}\n"), expected);
}

#[track_caller]
fn refused_discount(lines: &str, expected: &[&str]) {
    refused_tariff("", &format!("[[tariff.t.discount]]\nname = \"d\"\n{lines}\n"), expected);
}

#[test]
fn allowances_grant_units_or_money() {
    let found = tariff(
        "",
        "[[tariff.t.allowance]]\nname = \"a\"\ngrants = \"500 minutes\"\nshared = true\nper = \"extension\"\nrollover = \
         \"100 minutes\"\nexpires_after = 2\nprorate = true\nwhere = \"seconds > 5\"\n\
         [[tariff.t.allowance]]\nname = \"b\"\ngrants = \"20.00 of charges\"\nrollover = \"all\"\nshared = true\nper = \
         \"pool\"\n\
         [[tariff.t.allowance]]\nname = \"c\"\ngrants = \"0 pages\"\nrollover = \"0 pages\"\n",
    );
    let [units, money, none] = found.allowances.as_slice() else { panic!("{found:?}") };
    assert_eq!((units.unit, units.grants, units.amount), (Unit::Second, 30_000, None));
    assert_eq!((units.shared, units.per, units.prorate), (true, Some(Per::Extension), true));
    assert_eq!(units.rollover, Some(Rollover { limit: Some(Decimal::from(6000)), periods: 2 }));
    assert_eq!(units.applies_to.condition, Some(0));
    assert_eq!((money.unit, money.grants, money.amount), (Unit::Amount, 0, Some(Decimal::from(20))));
    assert_eq!((money.per, money.rollover), (None, Some(Rollover { limit: None, periods: 1 })));
    assert_eq!(none.rollover, Some(Rollover { limit: Some(Decimal::ZERO), periods: 1 }));
}

#[test]
fn allowances_that_cannot_be_counted_are_refused() {
    for wrong in
        ["500", "-5 minutes", "0.001 minutes", "1.5 pages", "5 miles", "x of charges", "5 events", ""]
    {
        refused_allowance(&format!("grants = \"{wrong}\""), &["wrong-value"]);
    }
    refused_allowance("", &["missing-key"]);
    let minutes = "grants = \"5 minutes\"\n";
    refused_allowance(&format!("{minutes}rollover = \"5 pages\""), &["mixed-units"]);
    refused_allowance(&format!("{minutes}rollover = \"5 of charges\""), &["mixed-units"]);
    refused_allowance(&format!("{minutes}rollover = \"0.01 minutes\""), &["wrong-value"]);
    refused_allowance(&format!("{minutes}rollover = \"some\""), &["wrong-value"]);
    refused_allowance(&format!("{minutes}expires_after = 2"), &["expiry-without-rollover"]);
    for periods in [-1, 0, 121] {
        refused_allowance(
            &format!("{minutes}rollover = \"all\"\nexpires_after = {periods}"),
            &["wrong-value"],
        );
    }
    refused_allowance(&format!("{minutes}per = \"pool\""), &["pool-without-sharing"]);
    refused_allowance(&format!("{minutes}per = \"desk\""), &["unknown-word"]);
    refused_allowance(&format!("{minutes}shared = \"yes\""), &["wrong-type"]);
    refused_allowance(&format!("{minutes}where = \" \""), &["wrong-value"]);
    refused_allowance(
        &format!("{minutes}[[tariff.t.allowance]]\nname = \"a\"\n{minutes}"),
        &["duplicate-allowance"],
    );
}

#[test]
fn fees_are_monthly_or_due_once() {
    let found = tariff(
        "",
        "[[tariff.t.fee]]\nname = \"a\"\nprice = \"25.00 per month\"\nper = \"number\"\nin_advance = true\n\
         [[tariff.t.fee]]\nname = \"b\"\nprice = \"25.00 per month\"\nprorate = false\n\
         [[tariff.t.fee]]\nname = \"c\"\nprice = \"99.00 once\"\non = \"2026-10-05\"\n\
         [[tariff.t.fee]]\nname = \"d\"\nprice = \"0 once\"\n",
    );
    let [advance, whole, dated, first] = found.fees.as_slice() else { panic!("{found:?}") };
    assert_eq!(advance.cadence, Cadence::Monthly { in_advance: true });
    assert_eq!((advance.per, advance.prorate, whole.prorate), (Per::Number, true, false));
    assert_eq!(dated.cadence, Cadence::Once { on: chrono::NaiveDate::from_ymd_opt(2026, 10, 5) });
    assert_eq!((first.cadence, first.amount), (Cadence::Once { on: None }, Decimal::ZERO));
    for wrong in ["25.00", "25.00 per year", "-1 per month", "once", "1e2 once"] {
        refused_fee(&format!("price = \"{wrong}\""), &["wrong-value"]);
    }
    refused_fee("", &["missing-key"]);
    refused_fee("price = \"1 once\"\nprorate = true", &["fee-keys"]);
    refused_fee("price = \"1 once\"\nin_advance = false", &["fee-keys"]);
    refused_fee("price = \"1 per month\"\non = \"2026-10-05\"", &["fee-keys"]);
    refused_fee("price = \"1 once\"\non = \"2026-02-30\"", &["wrong-value"]);
    refused_fee("price = \"1 once\"\n[[tariff.t.fee]]\nname = \"f\"\nprice = \"2 once\"", &["duplicate-fee"]);
}

#[test]
fn discounts_are_off_lines_or_the_period() {
    let found = tariff(
        "",
        "[[tariff.t.discount]]\nname = \"a\"\noff = \"10%\"\nof = \"line\"\nlines = [\"Plain\", \"f\"]\n\
         [[tariff.t.discount]]\nname = \"b\"\noff = \"5.00\"\n\
         [[tariff.t.fee]]\nname = \"f\"\nprice = \"1 per month\"\n",
    );
    let [line, period] = found.discounts.as_slice() else { panic!("{found:?}") };
    assert_eq!((line.of, line.off), (DiscountOf::Line, Reduction::Percent(Decimal::TEN)));
    assert_eq!(line.lines, ["Plain", "f"]);
    assert_eq!((period.of, period.off), (DiscountOf::Period, Reduction::Amount(Decimal::from(5))));
    refused_discount("off = \"101%\"", &["discount-over-whole"]);
    refused_discount("", &["missing-key"]);
    refused_discount("off = \"ten\"", &["wrong-value"]);
    refused_discount("off = \"5%\"\nof = \"line\"\nlines = [\"Plane\"]", &["unknown-line"]);
    refused_discount("off = \"5%\"\nof = \"line\"\nlines = []", &["empty-list"]);
    refused_discount("off = \"5%\"\nlines = [\"Plain\"]", &["lines-of-period"]);
    refused_discount(
        "off = \"5%\"\n[[tariff.t.discount]]\nname = \"d\"\noff = \"1\"",
        &["duplicate-discount"],
    );
}

#[test]
fn limits_hold_together() {
    let found = tariff("cap = \"100 per month\"\ncommitment = \"100.00 per month\"\nfees_count = true", "");
    assert!(found.cap.is_some() && found.commitment.is_some() && found.fees_count);
    assert!(tariff("", "").cap.is_none());
    assert_eq!(tariff("cap = \"0 per month\"", "").cap.unwrap().amount, Decimal::ZERO);
    refused_tariff("cap = \"99 per month\"\ncommitment = \"100 per month\"", "", &["cap-below-commitment"]);
    refused_tariff("cap = \"99\"\ncommitment = \"1 per day\"", "", &["wrong-value", "wrong-value"]);
}

#[test]
fn rounding_of_charges_says_how_far() {
    let found = tariff(
        "rounding = { line = \"half-even\", charge = \"per-increment\", charge_mode = \"up\", charge_scale = 0 }",
        "",
    );
    assert_eq!((found.rounding.line, found.rounding.charge_mode), (RoundingMode::HalfEven, RoundingMode::Up));
    assert_eq!((found.rounding.charge, found.rounding.charge_scale), (ChargeRounding::PerIncrement, 0));
    tariff("rounding = { charge = \"none\", charge_mode = \"half-away\", charge_scale = 4 }", "");
    for (wrong, code) in [
        ("charge = \"per-event\"", "missing-key"),
        ("charge_scale = 4", "missing-key"),
        ("charge = \"per-event\", charge_scale = 11", "wrong-value"),
        ("charge = \"per-event\", charge_scale = -1", "wrong-value"),
        ("charge = \"per-event\", charge_scale = \"4\"", "wrong-type"),
        ("charge = \"per-call\", charge_scale = 4", "unknown-word"),
        ("line = \"bankers\"", "wrong-value"),
    ] {
        refused_tariff(&format!("rounding = {{ {wrong} }}"), "", &[code]);
    }
}

#[test]
fn options_replace_single_defaults() {
    assert_eq!(tariff("", "").options, TariffOptions::default());
    let found = tariff(
        "legs = \"sum-of-legs\"",
        "[tariff.t.options]\ncrossing = \"pieces\"\nafter_offset_seconds = 1\ntext_split = \"graphemes\"\n",
    );
    assert_eq!(found.legs, LegPolicy::SumOfLegs);
    let expected = TariffOptions {
        crossing: Crossing::Pieces,
        after_offset_seconds: 1,
        text_split: TextSplit::Graphemes,
        ..TariffOptions::default()
    };
    assert_eq!(found.options, expected);
    refused_tariff("options = { crossing = \"piece\" }", "", &["unknown-word"]);
    refused_tariff("options = { after_offset_seconds = -1 }", "", &["wrong-value"]);
    refused_tariff("options = { after_offset_seconds = \"1\" }", "", &["wrong-type"]);
    refused_tariff("options = []", "", &["wrong-type"]);
    for mode in LegPolicy::ALL {
        assert_eq!(tariff(&format!("legs = \"{mode}\""), "").legs, *mode);
    }
}

#[test]
fn a_period_without_usage_needs_a_price() {
    let package = "[[tariff.t.rate]]\nname = \"p\"\ntiers = { mode = \"package\", size = \"9 pages\", price = \"1\" }\n";
    let found = tariff("options = { no_usage = \"package\" }", package);
    assert_eq!(found.options.no_usage, NoUsage::Package);
    refused_tariff("options = { no_usage = \"package\" }", "", &["no-usage-price"]);
    refused_tariff("options = { no_usage = \"tier-fee\" }", package, &["no-usage-price"]);
    let tier =
        "[[tariff.t.rate]]\nname = \"p\"\ntiers = { tier = [{ price = \"1 per page\", fee = \"5\" }] }\n";
    tariff("options = { no_usage = \"tier-fee\" }", tier);
}

/// A supplier's tariff after one that names it.
fn with_supplier(lines: &str) -> String {
    format!(
        "{TARIFF}supplier = \"s\"\n[[tariff.t.rate]]\nprice = \"supplier + 15%\"\n[tariff.s]\nzone = \"UTC\"\n{lines}\n"
    )
}

#[test]
fn a_supplier_prices_single_events_in_the_same_currency() {
    let rate = "[[tariff.s.rate]]\nprice = \"1 per call\"\n";
    let found = rules(&with_supplier(&format!("currency = \"USD\"\n{rate}")));
    assert_eq!(found.tariffs[1].supplier.as_deref(), Some("s"));
    let refused =
        |lines: &str, expected: &[&str]| assert_eq!(codes(&with_supplier(lines)), expected, "{lines}");
    refused(&format!("currency = \"EUR\"\n{rate}"), &["unfit-supplier"]);
    for part in [
        "[[tariff.s.allowance]]\nname = \"a\"\ngrants = \"5 minutes\"",
        "[[tariff.s.fee]]\nname = \"a\"\nprice = \"5 per month\"",
        "[[tariff.s.discount]]\nname = \"a\"\noff = \"5%\"",
        "[[tariff.s.rate]]\nname = \"x\"\nprice = \"cost\"",
        "[[tariff.s.rate]]\nname = \"x\"\nprice = \"1 per minute\"\nscope = \"period\"",
        "[[tariff.s.rate]]\nname = \"x\"\ntiers = { tier = [{ price = \"1 per page\" }] }",
    ] {
        refused(&format!("currency = \"USD\"\n{rate}{part}"), &["unfit-supplier"]);
    }
    assert_eq!(codes(&format!("{TARIFF}supplier = \"carier\"\n{PLAIN}")), ["unknown-tariff"]);
    assert_eq!(codes(&format!("{TARIFF}supplier = \"t\"\n{PLAIN}")), ["unfit-supplier"]);
}
