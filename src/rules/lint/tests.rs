use super::*;
use crate::domain::Country;
use crate::rules::load::rule_set;

/// The warnings about a tariff in dollars and New York, as `code: message`.
fn warnings(rules: &str) -> Vec<String> {
    warnings_of(&format!("[tariff.t]\ncurrency = \"USD\"\nzone = \"America/New_York\"\n{rules}\n{BANDS}"))
}

fn warnings_of(text: &str) -> Vec<String> {
    let files = [SourceFile { name: "rules.toml".to_owned(), text: text.to_owned() }];
    let (rules, _) =
        rule_set(&files, Country::from_code("US").unwrap()).unwrap_or_else(|found| panic!("{found:#?}"));
    lint(&rules, &files).into_iter().map(|one| format!("{}: {}", one.code, one.message)).collect()
}

const BANDS: &str = "
[band.work]\ndays = \"mon-fri\"\nhours = \"08:00-18:00\"
[band.evening]\ndays = \"mon-fri\"\nhours = \"18:00-08:00\"
[band.weekend]\ndays = \"sat,sun\"
[band.morning]\nhours = \"06:00-10:00\"
[band.open]\nhours = \"00:00-24:00\"\nexcept = [\"2026-11-26\"]
[band.early]\ndays = \"sun\"\nhours = \"02:30-05:00\"
[band.small]\nhours = \"01:00-02:00\"
";

fn rate(name: &str, matches: &str, price: &str) -> String {
    format!("[[tariff.t.rate]]\nname = \"{name}\"\nmatch = {{ {matches} }}\nprice = \"{price}\"\n")
}

/// Rates by name and conditions, all at one price.
fn rates(all: &[(&str, &str)]) -> String {
    all.iter().map(|(name, matches)| rate(name, matches, "0.01 per minute")).collect()
}

#[track_caller]
fn check(found: &[String], expected: &[&str]) {
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{found} does not say {expected}");
    }
}

#[test]
fn a_rate_behind_a_wider_one_is_unreachable() {
    let wider =
        rates(&[("a", "channel = \"voice\""), ("b", "channel = \"voice\", direction = \"outbound\"")]);
    check(&warnings(&wider), &["unreachable-rate: the rate \"b\" can never apply: \"a\" always wins"]);
    let same_place = rates(&[("a", "to = [\"GB\", \"+33\"]"), ("b", "to = \"GB\""), ("c", "")]);
    check(&warnings(&same_place), &["\"b\" can never apply"]);
    // Two together leave nothing to a third.
    let sides =
        [("a", "direction = [\"inbound\", \"internal\"]"), ("b", "direction = \"outbound\""), ("c", "")];
    check(&warnings(&rates(&sides)), &["\"c\" can never apply: \"a\" or \"b\""]);
    let days = [("a", "band = \"open\""), ("b", "band = [\"work\", \"evening\"]"), ("c", "")];
    // A band that leaves a day out does not hold always, so the others have that day.
    check(&warnings(&rates(&days)), &[]);
    let hours = [("a", "band = [\"work\", \"evening\"]"), ("b", "band = \"weekend\""), ("c", "")];
    // Saturday before eight belongs to Friday's evening, Monday before eight to nobody.
    check(&warnings(&rates(&hours)), &["overlap (sat 00:00-08:00): \"a\" wins there"]);
    let all_day = [("a", "band = [\"work\", \"weekend\"]"), ("b", "band = \"work\"")];
    check(&warnings(&rates(&all_day)), &["\"b\" can never apply: \"a\"", "gap-in-bands"]);
}

#[test]
fn the_longest_destination_wins_wherever_it_stands() {
    let longer = [("a", ""), ("b", "to = \"+44\""), ("c", "to = \"GB\""), ("d", "to = \"+4420\"")];
    check(&warnings(&rates(&longer)), &[]);
    let digits: Vec<String> = (0..10).map(|digit| format!("\"+44{digit}\"")).collect();
    let all = rates(&[("a", "to = \"+44\""), ("b", &format!("to = [{}]", digits.join(", "))), ("c", "")]);
    check(&warnings(&all), &["\"a\" can never apply: \"b\" always wins"]);
    check(&warnings(&all.replace("\"+440\", ", "")), &[]);
}

#[test]
fn bands_that_leave_hours_out_are_shown_with_the_hours() {
    let weekdays = rates(&[("a", "band = \"work\""), ("b", "band = \"evening\"")]);
    check(
        &warnings(&weekdays),
        &["gap-in-bands: inbound voice usage like that of \"a\" has no rate mon 00:00-08:00"],
    );
    check(&warnings(&rates(&[("a", "band = \"open\"")])), &["on 2026-11-26 from 00:00 on"]);
    check(&warnings(&rates(&[("a", "band = \"work\""), ("b", "")])), &[]);
    let fallback = format!(
        "default_tariff = \"d\"\n[tariff.d]\ncurrency = \"USD\"\nzone = \"America/New_York\"\n{}[tariff.t]\ncurrency = \"USD\"\nzone = \"America/New_York\"\n{}{BANDS}",
        rate("all", "", "0.01 per minute").replace("tariff.t", "tariff.d"),
        rates(&[("a", "band = \"work\"")])
    );
    check(&warnings_of(&fallback), &[]);
}

#[test]
fn bands_that_cross_are_shown_and_exceptions_are_not() {
    let crossing = rates(&[("a", "band = \"morning\""), ("b", "band = \"work\""), ("c", "")]);
    check(&warnings(&crossing), &["overlap (mon 08:00-10:00 and 4 other pieces of the week): \"a\" wins"]);
    check(&warnings(&rates(&[("a", "band = \"work\""), ("b", "band = \"open\""), ("c", "")])), &[]);
}

#[test]
fn borders_in_the_hour_of_the_change_are_shown() {
    let early = rates(&[("a", "band = \"early\""), ("b", "")]);
    check(
        &warnings(&early),
        &[
            "the band early begins between 02:00 and 03:00, which does not come at all on 2025-03-09 in America/New_York",
        ],
    );
    let small = rates(&[("a", "band = \"small\""), ("b", "")]);
    check(
        &warnings(&small),
        &["the band small lies between 01:00 and 02:00, which comes twice on 2025-11-02"],
    );
    let later = format!("valid_from = \"2027-01-01\"\n{small}");
    check(&warnings(&later), &["comes twice on 2027-11-07"]);
}

#[test]
fn amounts_that_are_always_rounded_away_are_shown() {
    let yen = "[tariff.y]\ncurrency = \"JPY\"\nzone = \"Asia/Tokyo\"\n[[tariff.y.rate]]\nprice = \"0.5 per minute\"\n\
               [[tariff.y.fee]]\nname = \"Line\"\nprice = \"100.5 per month\"\n";
    check(
        &warnings_of(yen),
        &["the fee \"Line\" of tariff y is finer than JPY: 100.5 has more than 0 decimals"],
    );
}

#[test]
fn parts_that_change_nothing_are_shown() {
    let block = "[[tariff.t.rate]]\nname = \"a\"\nprice = \"1 per minute\"\nincrement = \"60/6\"\n";
    check(
        &warnings(&format!("{block}charge_cap = \"1\"\n")),
        &["increment-never-applies: the steps of 6 s of \"a\""],
    );
    check(&warnings(&format!("{block}charge_floor = \"0.5\"\n")), &["floor-never-applies: the floor of 0.5"]);
    check(&warnings(&format!("{block}charge_floor = \"2\"\ncharge_cap = \"3\"\n")), &[]);
    let pages =
        "[[tariff.t.allowance]]\nname = \"p\"\ngrants = \"10 pages\"\napplies_to = { channel = \"fax\" }\n";
    check(&warnings(&format!("{block}{pages}")), &["allowance-never-drawn: the allowance \"p\" of 10 pages"]);
    let none = "[[tariff.t.allowance]]\nname = \"p\"\ngrants = \"0 minutes\"\n";
    check(&warnings(&format!("{block}{none}")), &["\"p\" grants nothing"]);
}
