//! What stands beside tariffs: bands and calendars, timekeepers, identity, conditions, outcomes, coding rules, examples.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::domain::charge::Unit;
use crate::domain::derivation::IdentityRule;
use crate::domain::number::NumberClass;
use crate::domain::outcome::{Arrived, Channel, CodePattern, Direction, Outcome};

use super::{PLAIN, TARIFF, codes, file, load, rate, refused_rate, rules};

#[track_caller]
fn refused(text: &str, expected: &[&str]) {
    assert_eq!(codes(text), expected, "{text}");
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

#[test]
fn bands_start_on_days_of_calendars() {
    let first =
        "[band.holiday]\non = [\"us\", \"2026-12-24\"]\n[band.week]\ndays = \"mon-fri\"\nexcept = [\"us\"]\n";
    let second = "[calendar.us]\ndays = [\"2026-11-26\"]\nfile = \"us.csv\"\n";
    let csv = "date,name\n2026-07-04,Independence Day\n2026-11-26,Thanksgiving\n";
    let found = load(&[file("a.toml", first), file("b.toml", second), file("us.csv", csv)]).unwrap();
    let days = [day("2026-07-04"), day("2026-11-26")];
    let [holiday, week] = found.bands.as_slice() else { panic!("{found:?}") };
    assert_eq!(holiday.on.as_deref(), Some(&[days[0], days[1], day("2026-12-24")][..]));
    assert_eq!((holiday.days.len(), holiday.start_minute, holiday.end_minute), (7, 0, 1440));
    assert_eq!((week.on.as_deref(), week.except.as_slice()), (None, &days[..]));
}

#[test]
fn bands_on_days_that_nobody_knows_are_refused() {
    let calendar = "[calendar.holidays]\ndays = [\"2026-11-26\"]\n";
    let mistakes =
        load(&[file("rules.toml", &format!("[band.b]\non = [\"holiday\"]\n{calendar}"))]).unwrap_err();
    assert_eq!(mistakes[0].code, "unknown-calendar");
    assert!(mistakes[0].hint.as_ref().unwrap().starts_with("Did you mean holidays?"), "{mistakes:?}");
    refused("[band.b]\non = []\n", &["empty-list"]);
    refused("[band.b]\non = [\"2026-02-30\"]\n", &["wrong-value"]);
    refused("[band.b]\nexcept = [\"2026-11-26\"]\n", &["missing-key"]);
    refused("[calendar.c]\n", &["missing-key"]);
    refused("[calendar.c]\nfile = \"c.csv\"\n", &["missing-companion"]);
    let twice = load(&[file("a.toml", calendar), file("b.toml", calendar)]).unwrap_err();
    assert_eq!(twice[0].code, "duplicate-calendar");
}

#[test]
fn timekeepers_claim_extensions_for_a_time() {
    let found = rules(
        "[timekeeper.b]\nname = \"B\"\nextensions = [\"102@2026-06-30..\"]\nprice = \"5 per minute\"\n\
         [timekeeper.a]\nname = \"A\"\nextensions = [\"101\", \"102@2026-01-01..2026-06-30\"]\n",
    );
    let [first, second] = found.timekeepers.as_slice() else { panic!("{found:?}") };
    assert_eq!((first.id.as_str(), first.price.is_none()), ("a", true));
    assert_eq!(first.extensions[0], (101, None, None));
    assert_eq!(first.extensions[1], (102, Some(day("2026-01-01")), Some(day("2026-06-30"))));
    assert_eq!(second.extensions, [(102, Some(day("2026-06-30")), None)]);
    let one = |line: &str| format!("[timekeeper.a]\nname = \"A\"\n{line}\n");
    refused(&one("extensions = \"x\""), &["wrong-identifier"]);
    refused(&one("extensions = \"101@2026\""), &["wrong-validity"]);
    refused(&one("extensions = \"101@2026-02-30..\""), &["wrong-validity"]);
    refused(&one("extensions = \"101@2026-02-01..2026-02-01\""), &["empty-validity"]);
    refused(&one("price = \"5 per call\""), &["wrong-value"]);
    refused(&one("price = \"350.00\""), &["wrong-value"]);
    refused("[timekeeper.a]\n", &["missing-key"]);
    let other = "[timekeeper.b]\nname = \"B\"\nextensions = [\"101@2026-01-01..\"]\n";
    refused(&format!("{}{other}", one("extensions = \"101\"")), &["claimed-twice"]);
    let twice = load(&[file("a.toml", &one("")), file("b.toml", &one(""))]).unwrap_err();
    assert_eq!(twice.iter().map(|mistake| mistake.code).collect::<Vec<_>>(), ["duplicate-timekeeper"]);
}

#[test]
fn identity_is_tried_in_the_order_given() {
    let found = rules("[identity]\norder = [\"extension\", \"named\"]\n");
    assert_eq!(found.identity_order, [IdentityRule::Extension, IdentityRule::Named]);
    assert_eq!(rules("").identity_order, IdentityRule::ALL);
    refused("[identity]\n", &["missing-key"]);
    refused("[identity]\norder = []\n", &["empty-list"]);
    refused("[identity]\norder = [\"named\", \"named\"]\n", &["repeated-rule"]);
    refused("[identity]\norder = [\"nmaed\"]\n", &["unknown-word"]);
    let order = "[identity]\norder = \"named\"\n";
    let twice = load(&[file("a.toml", order), file("b.toml", order)]).unwrap_err();
    assert_eq!(twice[0].code, "duplicate-identity");
}

#[test]
fn conditions_take_one_value_or_several() {
    let found = rate(
        "price = \"1 per call\"\nwhere = \"seconds > 5\"\nmatch = { channel = [\"voice\", \"fax\"], to_class = \
         \"toll-free\", from_class = [\"withheld\"], extension = [\"101\"], department = \"Sales\", site = \"HQ\", \
         cost_centre = [\"1\"], matter = \"M-1\", timekeeper = \"jd\", task = \"L120\", outcome = \"answered\", \
         error_code = [\"SMS-RC-503\", \"SMS-UP-*\"], band = \"night\" }",
        "[timekeeper.jd]\nname = \"Jane Doe\"\n[band.night]\nhours = \"22:00-06:00\"\n",
    );
    let matches = found.matches;
    assert_eq!(matches.channels, [Channel::Voice, Channel::Fax]);
    assert_eq!(
        (matches.to_classes, matches.from_classes),
        (vec![NumberClass::TollFree], vec![NumberClass::Withheld])
    );
    assert_eq!(
        (matches.extensions, matches.departments, matches.sites),
        (vec![101], vec!["Sales".to_owned()], vec!["HQ".to_owned()])
    );
    assert_eq!(
        (matches.matters, matches.timekeepers, matches.tasks),
        (vec!["M-1".to_owned()], vec!["jd".to_owned()], vec!["L120".to_owned()])
    );
    assert_eq!(
        matches.error_codes,
        [CodePattern::Exact("SMS-RC-503".to_owned()), CodePattern::Prefix("SMS-UP-".to_owned())]
    );
    assert_eq!(
        (matches.outcomes, matches.bands, matches.condition),
        (vec![Outcome::Answered], vec![0], Some(0))
    );
}

#[test]
fn conditions_that_can_never_hold_are_refused() {
    for (wrong, code) in [
        ("band = []", "empty-list"),
        ("channel = []", "empty-list"),
        ("matter = \"\"", "wrong-value"),
        ("extension = \"front desk\"", "wrong-identifier"),
        ("extension = 101", "wrong-type"),
        ("timekeeper = \"jd\"", "unknown-timekeeper"),
        ("error_code = \"*-503\"", "wrong-value"),
        ("error_code = \"\"", "wrong-value"),
        ("to_class = \"tollfree\"", "unknown-word"),
        ("outcome = \"busy\"", "unknown-word"),
        ("from = \"Mars\"", "wrong-place"),
    ] {
        refused_rate(&format!("price = \"1 per call\"\nmatch = {{ {wrong} }}"), &[code]);
    }
    refused_rate("price = \"1 per call\"\nwhere = \"\"", &["wrong-value"]);
}

#[test]
fn equal_conditions_count_once() {
    let rates = |different: usize| -> String {
        (0..66)
            .map(|rate| {
                let condition = rate % different;
                format!("[[tariff.t.rate]]\nname = \"{rate}\"\nprice = \"1 per call\"\nwhere = \"seconds > {condition}\"\n")
            })
            .collect()
    };
    assert_eq!(rules(&format!("{TARIFF}{}", rates(64))).conditions.len(), 64);
    refused(&format!("{TARIFF}{}", rates(65)), &["too-many-conditions"]);
}

#[test]
fn outcomes_may_be_told_apart_by_direction_and_code() {
    let row = |lines: &str| {
        format!("[[outcome]]\nchannel = \"sms\"\noutcome = \"delivery-failed\"\narrived = \"no\"\n{lines}\n")
    };
    let found = rules(&format!(
        "{}{}{}",
        row("billable = false"),
        row("billable = true\nerror_code = \"SMS-UP-*\""),
        row("billable = false\nerror_code = \"SMS-UP-430\"\ndirection = \"outbound\"")
    ));
    let billable = |direction, code| {
        let rule = found.outcomes.rule_of(Channel::Sms, direction, Outcome::DeliveryFailed, code);
        rule.filter(|rule| rule.arrived == Arrived::No).map(|rule| rule.billable)
    };
    assert_eq!(billable(Direction::Outbound, None), Some(false));
    assert_eq!(billable(Direction::Outbound, Some("SMS-UP-999")), Some(true));
    assert_eq!(billable(Direction::Outbound, Some("SMS-UP-430")), Some(false));
    assert_eq!(billable(Direction::Inbound, Some("SMS-UP-430")), Some(true));
    let twice = row("billable = true\nerror_code = \"A*\"");
    refused(&format!("{twice}{twice}"), &["duplicate-outcome"]);
    refused(&row("billable = true\nerror_code = \" A\""), &["wrong-value"]);
    refused(&row(""), &["missing-key"]);
    refused(&row("billable = 1"), &["wrong-type"]);
}

#[test]
fn coding_rules_propose_something() {
    let found = rules(
        "[[coding]]\nmatch = { to = \"US\" }\nwhere = \"seconds > 60\"\nmatter = \"M-1\"\nnarrative = \"Call\"\n\
         timekeeper = \"jd\"\ntask = \"L120\"\ncontact = \"c1\"\n[timekeeper.jd]\nname = \"Jane Doe\"\n",
    );
    let [rule] = found.coding.as_slice() else { panic!("{found:?}") };
    assert_eq!((rule.matter.as_deref(), rule.timekeeper.as_deref()), (Some("M-1"), Some("jd")));
    assert_eq!((rule.matches.condition, rule.matches.to.len()), (Some(0), 1));
    refused("[[coding]]\nmatch = { to = \"US\" }\n", &["empty-coding"]);
    refused("[[coding]]\nmatter = \" \"\n", &["wrong-value"]);
    refused("[[coding]]\ntimekeeper = \"jd\"\n", &["unknown-timekeeper"]);
}

/// A tariff with an allowance of each kind, a rate with tiers and an example of it.
fn with_example(event: &str, given: &str) -> String {
    format!(
        "{TARIFF}{PLAIN}[[tariff.t.rate]]\nname = \"Tiered\"\ntiers = {{ tier = [{{ price = \"1 per page\" }}] }}\n\
         [[tariff.t.allowance]]\nname = \"units\"\ngrants = \"5 minutes\"\n\
         [[tariff.t.allowance]]\nname = \"money\"\ngrants = \"5 of charges\"\n\
         [[example]]\ntariff = \"t\"\nevent = {{ channel = \"voice\", start = \"2026-03-09T14:00:00Z\", {event} }}\n\
         given = {{ {given} }}\nexpect = {{ charge = \"0\" }}\n\
         [timekeeper.jd]\nname = \"Jane Doe\"\n"
    )
}

#[test]
fn examples_set_what_was_used_before() {
    let found = rules(&with_example(
        "milliseconds = 0, extension = \"101\", matter = \"M-1\", timekeeper = \"jd\", error_code = \"X\", carrier_cost = \"0.012\"",
        "left = { units = \"0 minutes\", money = \"0.50 of charges\" }, used = { Tiered = \"100 pages\" }",
    ));
    let [example] = found.examples.as_slice() else { panic!("{found:?}") };
    let event = &example.event;
    assert_eq!((event.milliseconds, event.extension), (Some(0), Some(101)));
    assert_eq!((event.timekeeper.as_deref(), event.error_code.as_deref()), (Some("jd"), Some("X")));
    assert_eq!(event.carrier_cost, Some(Decimal::new(12, 3)));
    assert_eq!(example.left, [("units".to_owned(), 0)]);
    assert_eq!(example.left_amounts, [("money".to_owned(), Decimal::new(5, 1))]);
    assert_eq!(example.used, [("Tiered".to_owned(), 100)]);
    assert_eq!(found.tariffs[0].rates[1].price.unit, Unit::Page);
}

#[test]
fn examples_of_something_else_are_refused() {
    for (event, given, code) in [
        ("seconds = -1", "", "wrong-value"),
        ("seconds = 99999999999999999", "", "wrong-value"),
        ("seconds = 1, milliseconds = 1000", "", "several-lengths"),
        ("pages = -1", "", "wrong-value"),
        ("segments = \"1\"", "", "wrong-type"),
        ("carrier_cost = 0.5", "", "wrong-type"),
        ("carrier_cost = \"-1\"", "", "wrong-value"),
        ("timekeeper = \"dj\"", "", "unknown-timekeeper"),
        ("extension = \"-1\"", "", "wrong-value"),
        ("seconds = 1", "left = { unit = \"0 minutes\" }", "unknown-allowance"),
        ("seconds = 1", "left = { units = \"0 pages\" }", "mixed-units"),
        ("seconds = 1", "left = { money = \"0 minutes\" }", "mixed-units"),
        ("seconds = 1", "used = { Plain = \"5 minutes\" }", "unknown-tier-rate"),
        ("seconds = 1", "used = { Tiered = \"5 minutes\" }", "mixed-units"),
        ("seconds = 1", "used = { Tiered = \"-5 pages\" }", "wrong-value"),
    ] {
        refused(&with_example(event, given), &[code]);
    }
}
