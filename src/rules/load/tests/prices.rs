//! Prices in all their forms, and how much of an event is billed.

use rust_decimal::Decimal;

use crate::domain::charge::Unit;
use crate::rules::ruleset::{CostBase, CostPrice, Increment, Pricing, Rate, Reduction, Scope, TierMode};

use super::{PLAIN, TARIFF, codes, file, load, rate, refused_rate, refused_tariff, rules};

const JANE: &str = "[timekeeper.jd]\nname = \"Jane Doe\"\nprice = \"350.00 per hour\"\n";

fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).expect("a decimal")
}

/// Bounds and prices of the tiers.
fn tiers(rate: &Rate) -> Vec<(Option<i64>, String)> {
    match &rate.pricing {
        Pricing::Tiers { tiers, .. } => {
            tiers.iter().map(|tier| (tier.up_to_units, tier.price.amount.to_string())).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_price_has_many_forms() {
    let plain = rate("price = \"0.0345 per minute\"", "");
    assert_eq!((plain.price.per_units, plain.pricing), (60, Pricing::Plain));
    let flat = rate("price = \"0.10 flat\"", "");
    assert_eq!((flat.price.unit, flat.price.per_units), (Unit::Event, 1));
    let time = rate("price = \"by timekeeper\"\nincrement = \"360/360\"", JANE);
    assert_eq!((time.price.unit, time.pricing), (Unit::Second, Pricing::ByTimekeeper));
    for (text, percent, plus) in [
        ("cost", "0", "0"),
        ("cost + 20%", "20", "0"),
        ("cost + 0.01", "0", "0.01"),
        ("cost + 12.3456% + 0.01", "12.3456", "0.01"),
    ] {
        let cost = CostPrice { base: CostBase::Carrier, percent: decimal(percent), plus: decimal(plus) };
        let found = rate(&format!("price = \"{text}\""), "");
        assert_eq!((found.price.unit, found.pricing), (Unit::Event, Pricing::Cost(cost)), "{text}");
    }
}

#[test]
fn what_is_no_price_is_refused() {
    for wrong in [
        "0.10",
        "per minute",
        "0.10 per mile",
        "-0.10 per minute",
        "1e3 per minute",
        "flat",
        "-1 flat",
        "0.00000000001 flat",
        "by timekeepers",
        "deck ",
        "cost - 5%",
        "cost + 0.01 + 20%",
        "cost + 5% + 5%",
        "cost + ",
        "cost + 1.23456%",
        "cost + -5%",
        "costs + 5%",
        "cost + 100001%",
        "supplier +",
    ] {
        refused_rate(&format!("price = \"{wrong}\""), &["wrong-value"]);
    }
    refused_rate("name = \"x\"", &["missing-key"]);
    refused_rate("price = 0.10", &["wrong-type"]);
    refused_rate("price = \"by timekeeper\"", &["no-timekeeper-prices"]);
    refused_rate("price = \"supplier + 15%\"", &["no-supplier"]);
    refused_rate("price = \"deck world\"", &["unknown-deck"]);
    refused_rate("price = \"cost\"\nsteps = [{ price = \"1 per minute\" }]", &["several-prices"]);
}

#[test]
fn a_deck_gives_the_unit() {
    let text = format!(
        "{TARIFF}[[tariff.t.rate]]\nprice = \"deck world\"\nscope = \"contact-day\"\n\
         [deck.world]\nfile = \"world.csv\"\nunit = \"minute\"\n"
    );
    let with = |csv: &str| load(&[file("rules.toml", &text), file("world.csv", csv)]);
    let loaded = with("prefix,price\n44,0.02\n4420,0.01\n").unwrap();
    let rate = &loaded.tariffs[0].rates[0];
    assert_eq!((rate.price.unit, rate.price.per_units), (Unit::Second, 60));
    assert_eq!(rate.pricing, Pricing::Deck { deck: 0 });
    let varied = with("prefix,price,increment\n44,0.02,60/60\n4420,0.01,1/1\n").unwrap_err();
    assert_eq!(varied.iter().map(|mistake| mistake.code).collect::<Vec<_>>(), ["scope-conflict"]);
    // A deck that cannot be read is one mistake, not two.
    assert_eq!(codes(&text), ["missing-companion"]);
}

#[test]
fn steps_add_up_to_positions() {
    let found = rate(
        "steps = [{ price = \"0.10 per minute\", first = \"1.5 minutes\" }, { price = \"5 per hour\", first = \"30 \
         seconds\" }, { price = \"0 per second\" }]",
        "",
    );
    let Pricing::Steps(steps) = &found.pricing else { panic!("{found:?}") };
    assert_eq!(steps.iter().map(|step| step.from_units).collect::<Vec<_>>(), [0, 90, 120]);
    assert_eq!(found.price, steps[0].price);
    let steps = |text: &str| format!("steps = [{text}]");
    for (wrong, code) in [
        ("", "empty-list"),
        ("{ price = \"1 per minute\", first = \"0 minutes\" }, { price = \"1 per minute\" }", "wrong-value"),
        (
            "{ price = \"1 per minute\", first = \"0.001 minutes\" }, { price = \"1 per minute\" }",
            "wrong-value",
        ),
        ("{ price = \"1 per minute\", first = \"-3 minutes\" }, { price = \"1 per minute\" }", "wrong-value"),
        ("{ price = \"1 per minute\", first = \"3 pages\" }, { price = \"1 per minute\" }", "mixed-units"),
        ("{ price = \"1 per minute\", first = \"3 minutes\" }, { price = \"1 per page\" }", "mixed-units"),
        ("{ price = \"1 per minute\" }, { price = \"1 per minute\" }", "missing-key"),
        ("{ first = \"3 minutes\" }, { price = \"1 per minute\" }", "missing-key"),
        ("{ price = \"1 per minute\", first = \"3 minutes\" }", "bounded-last-step"),
        ("{ price = \"1 per page\", first = \"3 pages\" }, { price = \"2 per page\" }", "steps-without-time"),
        ("{ price = \"1 flat\", first = \"3 minutes\" }, { price = \"2 per minute\" }", "wrong-value"),
    ] {
        refused_rate(&steps(wrong), &[code]);
    }
}

#[test]
fn tiers_have_bounds_or_widths() {
    const LIST: &str = "tiers = { tier = [{ up_to = \"100 minutes\", price = \"0.05 per minute\", fee = \"5.00\" }, { \
                        up_to = \"150 minutes\", price = \"0.04 per minute\" }, { price = \"0.03 per minute\" }] }";
    let found = rate(LIST, "");
    let expected = [(Some(6000), "0.05"), (Some(9000), "0.04"), (None, "0.03")];
    assert_eq!(tiers(&found), expected.map(|(bound, price)| (bound, price.to_owned())));
    assert!(matches!(found.pricing, Pricing::Tiers { mode: TierMode::Graduated, .. }));
    let widths = rate(LIST, "[tariff.t.options]\ntier_bounds = \"widths\"\n");
    assert_eq!(tiers(&widths)[1].0, Some(15_000));
}

#[test]
fn beyond_the_last_tier_is_said() {
    let bounded =
        "tiers = { mode = \"volume\", tier = [{ up_to = \"1.5 minutes\", price = \"0.05 per minute\" }] }";
    refused_rate(bounded, &["bounded-last-tier"]);
    let last = rate(bounded, "[tariff.t.options]\nbeyond_last_tier = \"last-price\"\n");
    assert_eq!(tiers(&last), [(None, "0.05".to_owned())]);
    let unbilled = rate(bounded, "[tariff.t.options]\nbeyond_last_tier = \"unbilled\"\n");
    assert_eq!(tiers(&unbilled), [(Some(90), "0.05".to_owned()), (None, "0".to_owned())]);
}

#[test]
fn tiers_that_hold_nothing_are_refused() {
    let tiers = |first: &str, second: &str| {
        format!(
            "tiers = {{ tier = [{{ {first}price = \"5 per page\" }}, {{ {second}price = \"4 per page\" }}, {{ price = \
             \"3 per page\" }}] }}"
        )
    };
    for (first, second, code) in [
        ("up_to = \"0 pages\", ", "up_to = \"9 pages\", ", "tier-order"),
        ("up_to = \"9 pages\", ", "up_to = \"9 pages\", ", "tier-order"),
        ("up_to = \"9 pages\", ", "up_to = \"8 pages\", ", "tier-order"),
        ("up_to = \"9 pages\", ", "", "missing-key"),
        ("up_to = \"1.5 pages\", ", "up_to = \"9 pages\", ", "wrong-value"),
        ("up_to = \"9 minutes\", ", "up_to = \"99 pages\", ", "mixed-units"),
        ("up_to = \"9\", ", "up_to = \"99 pages\", ", "wrong-value"),
    ] {
        refused_rate(&tiers(first, second), &[code]);
    }
    refused_rate("tiers = { tier = [] }", &["empty-list"]);
    refused_rate("tiers = { }", &["missing-key"]);
    refused_rate("tiers = { tier = [{ price = \"1 flat\" }] }", &["wrong-value"]);
}

#[test]
fn packages_have_a_size_and_a_price() {
    let found = rate("tiers = { mode = \"package\", size = \"100 minutes\", price = \"10.00\" }", "");
    assert_eq!(found.pricing, Pricing::Package { size_units: 6000 });
    assert_eq!((found.price.unit, found.price.text.as_str()), (Unit::Second, "10 per 100 minutes"));
    refused_rate("tiers = { mode = \"package\", size = \"0 minutes\", price = \"1\" }", &["wrong-value"]);
    refused_rate("tiers = { mode = \"package\", size = \"9 minutes\" }", &["missing-key"]);
    refused_rate("tiers = { size = \"9 pages\", tier = [{ price = \"1 per page\" }] }", &["tier-keys"]);
    let tier = "tiers = { mode = \"package\", size = \"9 pages\", price = \"1\", tier = [] }";
    refused_rate(tier, &["tier-keys"]);
    let steps = "tiers = { mode = \"package\", size = \"9 pages\", price = \"1\" }\nsteps = [{ price = \"1 per minute\" }]";
    refused_rate(steps, &["several-prices"]);
}

#[test]
fn a_price_by_volume_cannot_know_single_charges() {
    let volume = "tiers = { mode = \"volume\", tier = [{ price = \"1 per page\" }] }\n";
    for key in ["charge_floor = \"1\"", "charge_cap = \"1\"", "discount = \"10%\""] {
        refused_rate(&format!("{volume}{key}"), &["volume-conflict"]);
    }
    let rate = format!("[[tariff.t.rate]]\nmatch = {{ channel = \"fax\" }}\n{volume}");
    refused_tariff("rounding = { charge = \"per-event\", charge_scale = 4 }", &rate, &["volume-conflict"]);
    let money = |channel: &str| {
        format!(
            "{rate}[[tariff.t.allowance]]\nname = \"a\"\ngrants = \"5 of charges\"\napplies_to = {{ channel = \
             \"{channel}\" }}\n"
        )
    };
    refused_tariff("", &money("fax"), &["volume-conflict"]);
    rules(&format!("{TARIFF}{PLAIN}{}", money("voice")));
}

#[test]
fn lengths_may_be_zero_and_never_absurd() {
    let found = rate(
        "price = \"1 per minute\"\nincrement = \"60/6\"\nminimum = \"0.5 minutes\"\ngrace = \"2.5 seconds\"\nscope = \
         \"matter-day\"\ndiscount = \"0.02\"",
        "",
    );
    assert_eq!((found.minimum_seconds, found.grace_milliseconds), (30, 2500));
    assert_eq!((found.scope, found.discount), (Scope::MatterDay, Some(Reduction::Amount(decimal("0.02")))));
    assert_eq!(found.increment, Increment { first_seconds: 60, next_seconds: 6 });
    let zero = rate("price = \"1 per minute\"\nminimum = \"0 seconds\"\ngrace = \"0 seconds\"", "");
    assert_eq!((zero.minimum_seconds, zero.grace_milliseconds, zero.discount), (0, 0, None));
    rate("price = \"1 per call\"\ngrace = \"5 seconds\"", "");
    for key in ["minimum", "grace"] {
        for wrong in ["30", "-5 seconds", "5 pages", "25 hours", "0.0001 seconds", "many seconds", ""] {
            refused_rate(&format!("price = \"1 per minute\"\n{key} = \"{wrong}\""), &["wrong-value"]);
        }
    }
    refused_rate("price = \"1 per minute\"\nminimum = \"0.5 seconds\"", &["wrong-value"]);
}

#[test]
fn what_is_about_time_needs_time() {
    refused_rate("price = \"1 per page\"\nincrement = \"60/6\"", &["increment-without-time"]);
    refused_rate("price = \"1 per call\"\nminimum = \"5 seconds\"", &["length-without-time"]);
    refused_rate("price = \"1 per page\"\ngrace = \"5 seconds\"", &["length-without-time"]);
    refused_rate("price = \"1 flat\"\nscope = \"period\"", &["scope-without-time"]);
    refused_rate("steps = [{ price = \"1 per minute\" }]\nscope = \"period\"", &["scope-conflict"]);
    rate("price = \"1 flat\"\nscope = \"call\"", "");
}

#[test]
fn a_discount_is_the_whole_at_most() {
    let whole = rate("price = \"1 per call\"\ndiscount = \"100%\"", "");
    assert_eq!(whole.discount, Some(Reduction::Percent(Decimal::ONE_HUNDRED)));
    refused_rate("price = \"1 per call\"\ndiscount = \"100.0001%\"", &["discount-over-whole"]);
    for wrong in ["10 %%", "%", "-5%", "1.00001%", "ten"] {
        refused_rate(&format!("price = \"1 per call\"\ndiscount = \"{wrong}\""), &["wrong-value"]);
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = "price = \"1 per page\"\nincrement = \"6\"\nminimum = \"-1 seconds\"\ndiscount = \"200%\"\ncharge_cap = \
                1\nmatch = { chanel = \"voice\", to = \"Mars\", band = \"night\" }\nscope = \"week\"";
    refused_rate(
        text,
        &[
            "wrong-value",
            "increment-without-time",
            "wrong-value",
            "length-without-time",
            "discount-over-whole",
            "wrong-type",
            "unknown-key",
            "wrong-place",
            "unknown-band",
            "unknown-word",
        ],
    );
}
