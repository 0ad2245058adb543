//! Tests of the oracle itself: cases calculated by hand. Those on generated worlds are in `worlds`.

use std::collections::BTreeSet;
use std::fs;

use num_bigint::BigInt;
use num_rational::BigRational;
use tempfile::TempDir;

use crate::support::oracle::{EventResult, Inputs, OracleResult, bill, decimal, segments_of_text};

mod charges;
mod months;
mod worlds;

const CONTACTS: &str = "id,name,address,email,numbers,prefixes,extensions,account_codes,tariff,currency,zone,tax_name,\
    tax_rate,valid_from,valid_to,do_not_bill\n";
const USAGE: &str = "id,start,seconds,milliseconds,channel,direction,from,to,extension,result,outcome,segments,pages,text,\
    carrier_cost,account_code,contact\n";

/// A standard contact: one number in New York, default tariff, no tax.
const ONE: &str = "one,One,,,+12125550143,,,,,,,,,,,\n";

/// The texts of a world.
struct World<'a> {
    /// Rule files, separated by a line of `=====`.
    rules: &'a str,
    /// Without the header when it does not begin with one.
    contacts: &'a str,
    usage: &'a str,
    companions: Vec<(&'a str, &'a str)>,
    directory: Option<&'a str>,
    coding: Option<&'a str>,
}

impl<'a> World<'a> {
    fn new(rules: &'a str, contacts: &'a str, usage: &'a str) -> World<'a> {
        World { rules, contacts, usage, companions: Vec::new(), directory: None, coding: None }
    }

    /// With a file beside the rules.
    fn companion(mut self, name: &'a str, text: &'a str) -> World<'a> {
        self.companions.push((name, text));
        self
    }

    fn bill(&self) -> OracleResult {
        let folder = TempDir::new().unwrap();
        let rules_folder = folder.path().join("rules");
        fs::create_dir(&rules_folder).unwrap();
        for (index, text) in self.rules.split("=====").enumerate() {
            fs::write(rules_folder.join(format!("{index}.toml")), text).unwrap();
        }
        for (name, text) in &self.companions {
            fs::write(rules_folder.join(name), text).unwrap();
        }
        let write = |name: &str, text: &str, header: &str| {
            let file = folder.path().join(name);
            let header = if text.starts_with("id,") { "" } else { header };
            fs::write(&file, format!("{header}{text}")).unwrap();
            file
        };
        let contacts = write("contacts.csv", self.contacts, CONTACTS);
        let usage = write("usage.csv", self.usage, USAGE);
        let directory = self.directory.map(|text| write("directory.csv", text, ""));
        let coding = self.coding.map(|text| write("coding.csv", text, ""));
        bill(Inputs {
            rules: &rules_folder,
            contacts: &contacts,
            usage: &usage,
            directory: directory.as_deref(),
            coding: coding.as_deref(),
        })
    }
}

fn billed(rules: &str, contacts: &str, usage: &str) -> OracleResult {
    World::new(rules, contacts, usage).bill()
}

/// A default tariff in dollars and New York with the given rest.
fn tariff(rest: &str) -> String {
    let head = "default_tariff = \"t\"\n[tariff.t]\ncurrency = \"USD\"\nzone = \"America/New_York\"\n";
    format!(
        "{head}{}",
        ["rate", "allowance", "fee", "discount"].iter().fold(rest.to_string(), |text, key| {
            text.replace(&format!("[[{key}]]"), &format!("[[tariff.t.{key}]]"))
        })
    )
}

/// An answered outbound call to the standard contact.
fn call(id: &str, start: &str, seconds: u64) -> String {
    format!("{id},{start},{seconds},,voice,outbound,+12125550100,+12125550143,,,answered,,,,,,\n")
}

fn event<'a>(result: &'a OracleResult, id: &str) -> &'a EventResult {
    result.events.iter().find(|event| event.id == id).unwrap()
}

fn amount(result: &OracleResult, id: &str) -> BigRational {
    event(result, id).parts.iter().map(|part| &part.amount).sum()
}

fn units(result: &OracleResult, id: &str) -> i64 {
    event(result, id).parts.iter().map(|part| part.units).sum()
}

/// Kind, clause, band, units and amount of each part.
fn parts<'a>(result: &'a OracleResult, id: &str) -> Vec<(&'a str, &'a str, &'a str, i64, BigRational)> {
    let event = event(result, id);
    event
        .parts
        .iter()
        .map(|p| (p.kind, p.clause.as_str(), p.band.as_str(), p.units, p.amount.clone()))
        .collect()
}

fn fates(result: &OracleResult) -> Vec<(&str, &str, &str, &str)> {
    result.events.iter().map(|e| (e.id.as_str(), e.disposition, e.reason, e.contact.as_str())).collect()
}

/// Clause, band and amount in minor units of each line.
fn lines(result: &OracleResult) -> Vec<(&str, &str, BigInt)> {
    result
        .lines
        .iter()
        .map(|line| (line.clause.as_str(), line.band.as_str(), line.amount_minor.clone()))
        .collect()
}

/// 61 s: a block of 60 s and one step of 6 s make 66 s; 66 × 0.0345 / 60 = 0.03795; with 0.01 fee 0.04795; the line 0.05.
#[test]
fn increments_and_connection_fee() {
    let rules = tariff(
        "[[rate]]\nname = \"Out\"\nmatch = { channel = \"voice\" }\nprice = \"0.0345 per minute\"\n\
         increment = \"60/6\"\nconnection_fee = \"0.01\"\n",
    );
    let row = call("a", "2026-03-09T14:00:00-04:00", 61);
    // The same call in thousandths: 60 001 ms is a begun 61st second.
    let thousandths = row.replace("a,", "b,").replace(",61,,", ",,60001,");
    let result = billed(&rules, ONE, &(row + &thousandths));
    for id in ["a", "b"] {
        assert_eq!(parts(&result, id), [("usage", "Out", "", 66, decimal("0.04795"))]);
        assert_eq!(event(&result, id).disposition, "billed");
    }
    // 2 × 0.04795 = 0.0959 → 0.10.
    assert_eq!(lines(&result), [("Out", "", 10.into())]);
    assert_eq!((result.lines[0].events, result.lines[0].units), (2, 132));
}

/// 50 included seconds of a call of 66 billed seconds (60/6 of 61 s) leave 10 s of the block and a step of 6 s: 16 × 0.06 / 60
/// = 0.016, and the fee 0.01, for the event is not wholly included. The later call, first in the file, gets nothing:
/// 0.066 + 0.01.
#[test]
fn an_allowance_splits_an_increment_and_goes_to_the_earlier_event() {
    let rules = tariff(
        "[[rate]]\nname = \"Out\"\nmatch = { channel = \"voice\" }\nprice = \"0.06 per minute\"\n\
         increment = \"60/6\"\nconnection_fee = \"0.01\"\n\
         [[allowance]]\nname = \"Included\"\ngrants = \"50 seconds\"\napplies_to = { channel = \"voice\" }\n",
    );
    let usage = call("a", "2026-03-09T15:00:00Z", 61) + &call("b", "2026-03-09T14:00:00Z", 61);
    let result = billed(&rules, ONE, &usage);
    let zero = decimal("0");
    assert_eq!(
        parts(&result, "b"),
        [("allowance", "Included", "", 50, zero), ("usage", "Out", "", 16, decimal("0.026"))]
    );
    assert_eq!(parts(&result, "a"), [("usage", "Out", "", 66, decimal("0.076"))]);
    // 0.026 + 0.076 = 0.102 → 0.10; the allowance has a line of zero.
    assert_eq!(lines(&result), [("Included", "", 0.into()), ("Out", "", 10.into())]);
}

/// 2 minutes a month: the first call of 60 s is wholly inside (no fee, no floor), so is the second (the allowance is then
/// used up exactly); the third pays 0.05 + 0.01, raised to the floor 0.10. In April the counter is new.
#[test]
fn an_event_wholly_in_an_allowance_has_no_fee_and_no_floor() {
    let rules = tariff(
        "[[rate]]\nname = \"Out\"\nprice = \"0.05 per minute\"\nincrement = \"60/60\"\nconnection_fee = \"0.01\"\n\
         charge_floor = \"0.10\"\n[[allowance]]\nname = \"Included\"\ngrants = \"2 minutes\"\n",
    );
    let usage = call("a", "2026-03-01T10:00:00Z", 1)
        + &call("b", "2026-03-01T11:00:00Z", 60)
        + &call("c", "2026-03-01T12:00:00Z", 60)
        // 1 April 03:59:59 UTC is still March in New York.
        + &call("d", "2026-04-01T03:59:59Z", 60)
        + &call("e", "2026-04-01T04:00:00Z", 60);
    let result = billed(&rules, ONE, &usage);
    for id in ["a", "b", "e"] {
        assert_eq!(event(&result, id).disposition, "in an allowance", "{id}");
        assert_eq!(parts(&result, id), [("allowance", "Included", "", 60, decimal("0"))]);
    }
    for id in ["c", "d"] {
        assert_eq!(parts(&result, id), [("usage", "Out", "", 60, decimal("0.10"))]);
    }
    let months: BTreeSet<&str> = result.documents.iter().map(|document| document.month.as_str()).collect();
    assert_eq!(months, BTreeSet::from(["2026-03", "2026-04"]));
}

/// A version of the tariff that starts in the month goes on counting: of 3 included minutes 2 are used, so of the 5 of the
/// new version 3 are left; a call of 4 minutes pays for one, at the new price.
#[test]
fn a_new_version_goes_on_counting() {
    let version = |head: &str, from: &str, price: &str, minutes: u32| {
        format!(
            "{head}[tariff.t]\ncurrency = \"USD\"\nzone = \"America/New_York\"\nvalid_from = \"{from}\"\n\
             [[tariff.t.rate]]\nname = \"Out\"\nprice = \"{price} per minute\"\nincrement = \"60/60\"\n\
             [[tariff.t.allowance]]\nname = \"Included\"\ngrants = \"{minutes} minutes\"\n"
        )
    };
    let rules = version("default_tariff = \"t\"\n", "2026-01-01", "0.10", 3)
        + "====="
        + &version("", "2026-11-15", "0.20", 5);
    // Midnight of 15 November in New York is 05:00 UTC.
    let usage = call("a", "2026-11-15T04:59:59Z", 120) + &call("b", "2026-11-15T05:00:00Z", 240);
    let result = billed(&rules, ONE, &usage);
    assert_eq!(parts(&result, "a"), [("allowance", "Included", "", 120, decimal("0"))]);
    assert_eq!(
        parts(&result, "b"),
        [("allowance", "Included", "", 180, decimal("0")), ("usage", "Out", "", 60, decimal("0.20"))]
    );
    assert_eq!(event(&result, "b").parts[1].tariff_version, "2026-11-15");
}

const TWO_BANDS: &str = "[[rate]]\nname = \"Early\"\nmatch = { band = \"early\" }\nprice = \"0.06 per minute\"\n\
    increment = \"60/60\"\n[[rate]]\nname = \"Other\"\nprice = \"0.60 per minute\"\nincrement = \"60/60\"\n";

/// 1 November 2026, New York: 01:00–02:00 comes twice, 05:00–06:00 and 06:00–07:00 UTC. A call of two hours from 05:30 UTC
/// is 90 minutes in the band (to 07:00 UTC) and 30 outside.
#[test]
fn the_repeated_hour_is_twice_in_the_band() {
    let rules = tariff(&format!("{TWO_BANDS}[band.early]\nhours = \"01:00-02:00\"\n"));
    let result = billed(&rules, ONE, &call("a", "2026-11-01T05:30:00Z", 7200));
    // 90 × 0.06 = 5.40; 30 × 0.60 = 18.00.
    assert_eq!(
        parts(&result, "a"),
        [("usage", "Early", "early", 5400, decimal("5.40")), ("usage", "Other", "", 1800, decimal("18.00"))]
    );
}

/// 8 March 2026, New York: 02:00–03:00 does not exist. From 06:30 UTC (01:30) an hour leads to 03:30; nothing is in the band.
#[test]
fn the_skipped_hour_is_never_in_the_band() {
    let rules = tariff(&format!("{TWO_BANDS}[band.early]\nhours = \"02:00-03:00\"\n"));
    let result = billed(&rules, ONE, &call("a", "2026-03-08T06:30:00Z", 3600));
    assert_eq!(parts(&result, "a"), [("usage", "Other", "", 3600, decimal("36"))]);
}

/// Friday's 22:00–06:00 belongs to Friday, also on Saturday morning; not on the Friday that is excepted. Half-open.
#[test]
fn a_window_past_midnight_belongs_to_its_first_day() {
    let band = "[band.early]\ndays = \"fri\"\nhours = \"22:00-06:00\"\nexcept = [\"2026-11-13\"]\n";
    let rules = tariff(&format!("{TWO_BANDS}{band}"));
    // New York is five hours behind UTC: 22:00 Friday is 03:00 Saturday UTC, 06:00 Saturday is 11:00.
    let cases = [
        ("a", "2026-11-07T02:59:59Z", false),
        ("b", "2026-11-07T03:00:00Z", true),
        ("c", "2026-11-07T10:59:59Z", true),
        ("d", "2026-11-07T11:00:00Z", false),
        ("e", "2026-11-06T10:00:00Z", false),
        ("f", "2026-11-14T04:00:00Z", false),
        ("g", "2026-11-14T10:00:00Z", false),
    ];
    let usage: String = cases.iter().map(|(id, start, _)| call(id, start, 1)).collect();
    let result = billed(&rules, ONE, &usage);
    for (id, _, inside) in cases {
        assert_eq!(parts(&result, id)[0].1 == "Early", inside, "{id}");
    }
}

/// A step that begins one second before the border is priced whole by the band it begins in. 17:59:30, 60/60, 90 s: the block
/// in the band (0.06), the second begins at 18:00:30 outside (0.60). A band of the contact's zone moves with it.
#[test]
fn each_increment_has_the_band_of_its_own_start() {
    let band = "[band.early]\nhours = \"08:00-18:00\"\nzone = \"contact\"\n";
    let contact = "one,One,,,+12125550143,,,,,,America/Los_Angeles,,,,,\n";
    let rules = tariff(&format!("{TWO_BANDS}{band}"));
    let result = billed(&rules, contact, &call("a", "2026-11-10T17:59:30-08:00", 90));
    assert_eq!(
        parts(&result, "a"),
        [("usage", "Early", "early", 60, decimal("0.06")), ("usage", "Other", "", 60, decimal("0.60"))]
    );
    let result = billed(&rules, ONE, &call("a", "2026-11-10T17:59:30-08:00", 90));
    assert_eq!(parts(&result, "a"), [("usage", "Other", "", 120, decimal("1.20"))]);
}

/// Floor 0.50 and cap 0.30: 0.06 is raised to 0.50, then cut to 0.30. In two bands the difference is the first rate's:
/// 0.06 + 0.60 = 0.66 is cut by 0.36, the first part is 0.06 − 0.36 = −0.30, and its line is negative.
#[test]
fn floor_then_cap_and_their_difference_is_the_first_rates() {
    let limits = "charge_floor = \"0.50\"\ncharge_cap = \"0.30\"\n";
    let rules = tariff(&format!(
        "{}[band.early]\nhours = \"08:00-18:00\"\n",
        TWO_BANDS.replacen("\"60/60\"\n", &format!("\"60/60\"\n{limits}"), 1)
    ));
    let result = billed(&rules, ONE, &call("a", "2026-11-10T17:00:00-05:00", 60));
    assert_eq!(parts(&result, "a"), [("usage", "Early", "early", 60, decimal("0.30"))]);
    let result = billed(&rules, ONE, &call("a", "2026-11-10T17:59:30-05:00", 90));
    assert_eq!(
        parts(&result, "a"),
        [("usage", "Early", "early", 60, decimal("-0.30")), ("usage", "Other", "", 60, decimal("0.60"))]
    );
    assert_eq!(lines(&result), [("Early", "early", (-30).into()), ("Other", "", 60.into())]);
}

/// Three calls of 0.005 are 0.015, half away from zero 0.02; rounded one by one they would be 0.03.
#[test]
fn a_line_is_rounded_once() {
    let rate = "[[rate]]\nname = \"Out\"\nprice = \"0.005 per call\"\n";
    let usage: String = ["a", "b", "c"].map(|id| call(id, "2026-11-10T12:00:00Z", 5)).concat();
    let cents = |rounding: &str| {
        let result = billed(&tariff(&format!("{rounding}{rate}")), ONE, &usage);
        result.lines[0].amount_minor.clone()
    };
    assert_eq!(cents(""), 2.into());
    assert_eq!(cents("rounding = { line = \"half-even\" }\n"), 2.into());
    assert_eq!(cents("rounding = { line = \"down\" }\n"), 1.into());
    assert_eq!(cents("rounding = { line = \"up\" }\n"), 2.into());
}

/// 100.5 yen → 101; its tax of 10 % is 10.1 → 10. 4.5 → 5, tax 0.5 → 1.
#[test]
fn halves_of_a_currency_without_minor_unit() {
    let rules = |price: &str| {
        let rate = format!("[[rate]]\nname = \"Out\"\nprice = \"{price} per call\"\n");
        tariff(&rate).replace("USD", "JPY")
    };
    let contact = "one,One,,,+12125550143,,,,,JPY,,Tax,10,,,\n";
    for (price, net, tax) in [("100.5", 101, 10), ("4.5", 5, 1)] {
        let result = billed(&rules(price), contact, &call("a", "2026-11-10T12:00:00Z", 5));
        let document = &result.documents[0];
        assert_eq!((&document.net_minor, &document.tax_minor), (&net.into(), &tax.into()));
        assert_eq!((&document.total_minor, document.currency.as_str()), (&(net + tax).into(), "JPY"));
    }
}

/// Tax is on the net of the document: lines 5.03 and 5.02 make 10.05; × 8.875 % = 0.8919375 → 0.89. (Line by line:
/// 0.4464125 → 0.45 and 0.445525 → 0.45, together 0.90.)
#[test]
fn tax_is_rounded_once_for_the_document() {
    let rules = tariff(
        "[[rate]]\nname = \"Out\"\nmatch = { direction = \"outbound\" }\nprice = \"5.03 per call\"\n\
         [[rate]]\nname = \"In\"\nprice = \"5.02 per call\"\n",
    );
    let contact = "one,One,,,+12125550143,,,,,,,Tax,8.875,,,\n";
    let inbound = "b,2026-11-10T12:00:00Z,5,,voice,inbound,+12125550143,+12125550100,,,answered,,,,,,\n";
    let result = billed(&rules, contact, &(call("a", "2026-11-10T12:00:00Z", 5) + inbound));
    assert_eq!(lines(&result), [("In", "", 502.into()), ("Out", "", 503.into())]);
    assert_eq!(result.documents[0].tax_minor, 89.into());
    assert_eq!(result.documents[0].total_minor, 1094.into());
}

/// +1 counts 2, US and JM 3, +1876 8, +1212 8, +4420 8, GB 5, +44 4; the first in the file among equals.
#[test]
fn the_longest_destination_wins() {
    let rate = |name: &str, to: &str| {
        format!("[[rate]]\nname = \"{name}\"\nmatch = {{ to = {to} }}\nprice = \"1 per call\"\n")
    };
    let rules = tariff(
        &[
            rate("any", "[]"),
            rate("+1", "\"+1\""),
            rate("US or +1876", "[\"US\", \"+1876\"]"),
            rate("JM", "\"JM\""),
            rate("+1212", "[\"+1212\"]"),
            rate("+1212 again", "[\"+1212\"]"),
            rate("+44", "\"+44\""),
            rate("GB", "\"GB\""),
            rate("+4420", "\"+4420\""),
        ]
        .concat(),
    );
    let contact = "one,One,,,,,7,,,,,,,,,\n";
    let cases = [
        ("a", "+13125550143", "US or +1876"),
        ("b", "+14165550143", "+1"),
        ("c", "+18769265014", "US or +1876"),
        ("d", "+12125550143", "+1212"),
        ("e", "+441614960123", "GB"),
        ("f", "+442079460123", "+4420"),
        ("g", "+4930901820", "any"),
        ("h", "2125550143", "+1212"),
        ("i", "", "any"),
    ];
    let row = |(id, to, _): &(&str, &str, &str)| {
        format!("{id},2026-11-10T12:00:00Z,5,,voice,outbound,,{to},7,,answered,,,,,,\n")
    };
    let result = billed(&rules, contact, &cases.iter().map(row).collect::<String>());
    for (id, to, rate) in cases {
        assert_eq!(parts(&result, id)[0].1, rate, "{to}");
    }
}

/// The contact's own tariff wins although the default tariff knows the destination better; what it lacks the default has.
#[test]
fn the_nearest_level_wins() {
    let rules = "default_tariff = \"d\"\n[tariff.d]\ncurrency = \"USD\"\nzone = \"America/New_York\"\n\
        [[tariff.d.rate]]\nname = \"D\"\nmatch = { to = \"+1212555\" }\nprice = \"1 per call\"\n\
        [tariff.own]\ncurrency = \"USD\"\nzone = \"America/New_York\"\n\
        [[tariff.own.rate]]\nname = \"O\"\nmatch = { channel = \"voice\", band = \"noon\" }\nprice = \"2 per call\"\n\
        [band.noon]\nhours = \"12:00-13:00\"\n";
    let contact = "one,One,,,+12125550143,,,,own,,,,,,,\n";
    let usage = call("a", "2026-11-10T12:00:00-05:00", 5) + &call("b", "2026-11-10T13:00:00-05:00", 5);
    let result = billed(rules, contact, &usage);
    assert_eq!(parts(&result, "a")[0].1, "O");
    assert_eq!(parts(&result, "b")[0].1, "D");
}

#[test]
fn who_pays_is_found_in_order() {
    let rules = tariff(
        "[[rate]]\nname = \"Any\"\nmatch = { direction = [\"inbound\", \"outbound\"] }\nprice = \"1 per call\"\n",
    );
    let contacts = "own,,,,+12125550100,,,,,,,,,,,\n\
        old,,,,+12125550143@..2026-11-10,,,,,,America/New_York,,,,,\n\
        new,,,,(212) 555-0143@2026-11-10..,,,,,,America/New_York,,,,,\n\
        short,,,,,+44,,,,,,,,,,\n\
        long,,,,,+4420,,,,,,,,,,\n\
        desk,,,,,,7,A7,,,,,,,,\n\
        gone,,,,+12125550177,,,,,,,,,,2026-11-10,\n\
        free,,,,+12125550188,,,,,,,,,,,true\n";
    let row = |id: &str, start: &str, direction: &str, from: &str, to: &str, rest: &str| {
        format!("{id},{start},5,,voice,{direction},{from},{to},{rest}\n")
    };
    // Midnight of 10 November in New York is 05:00 UTC.
    let (before, after) = ("2026-11-10T04:59:59Z", "2026-11-10T05:00:00Z");
    let usage = [
        row("a", before, "outbound", "", "+12125550143", ",,answered,,,,,,"),
        row("b", after, "outbound", "", "+12125550143", ",,answered,,,,,,"),
        row("c", after, "inbound", "+12125550143", "+12125550100", ",,answered,,,,,,"),
        row("d", after, "outbound", "", "+442079460123", "7,,answered,,,,,,"),
        row("e", after, "outbound", "", "+441614960123", ",,answered,,,,,,"),
        row("f", after, "outbound", "", "+4930901820", "7,,answered,,,,,,"),
        row("g", after, "outbound", "", "+4930901820", ",,answered,,,,,,"),
        row("h", after, "outbound", "", "+12125550143", ",,answered,,,,,A7,"),
        row("i", after, "outbound", "", "+12125550143", ",,answered,,,,,A7,own"),
        row("j", after, "outbound", "", "+12125550143", ",,answered,,,,,A7,nobody"),
        row("k", before, "outbound", "", "+12125550177", ",,answered,,,,,,"),
        row("l", after, "outbound", "", "+12125550177", ",,answered,,,,,,"),
        row("m", after, "outbound", "", "+12125550188", ",,answered,,,,,,"),
        row("n", after, "internal", "101", "+12125550143", ",,answered,,,,,,"),
        row("o", after, "internal", "101", "102", "7,,answered,,,,,,"),
    ]
    .concat();
    let result = billed(&rules, contacts, &usage);
    let expected = [
        ("a", "billed", "old"),
        ("b", "billed", "new"),
        ("c", "billed", "own"),
        ("d", "billed", "long"),
        ("e", "billed", "short"),
        ("f", "billed", "desk"),
        ("g", "unmatched contact", ""),
        ("h", "billed", "desk"),
        ("i", "billed", "own"),
        ("j", "unmatched contact", ""),
        ("k", "billed", "gone"),
        ("l", "unmatched contact", ""),
        ("m", "do not bill", "free"),
        ("n", "internal", ""),
        ("o", "internal", "desk"),
    ];
    assert_eq!(fates(&result), expected.map(|(id, disposition, contact)| (id, disposition, "", contact)));
}

#[test]
fn what_is_not_charged_says_why() {
    let rules = tariff(
        "[[rate]]\nname = \"Call\"\nmatch = { channel = \"voice\", to = \"US\" }\nprice = \"1 per minute\"\n\
         connection_fee = \"1\"\ncharge_floor = \"5\"\n\
         [[rate]]\nname = \"Text\"\nmatch = { channel = \"sms\" }\nprice = \"0.01 per segment\"\n\
         [[rate]]\nname = \"Fax\"\nmatch = { channel = \"fax\" }\nprice = \"0.05 per page\"\nbill_when = [\"delivered\"]\n\
         [[rate]]\nname = \"Mail\"\nmatch = { channel = \"voicemail\" }\nprice = \"0 per message\"\n\
         [[outcome]]\nchannel = \"sms\"\noutcome = \"delivery-failed\"\narrived = \"no\"\nbillable = false\n",
    );
    let contact = "one,One,,,,,7,,,,,,,,,\n";
    let row = |id: &str, seconds: &str, channel: &str, to: &str, outcome: &str, rest: &str| {
        format!("{id},2026-11-10T12:00:00Z,{seconds},,{channel},outbound,,{to},7,,{outcome},{rest},,,\n")
    };
    let us = "+12125550143";
    let usage = [
        row("a", "", "voice", us, "answered", ",,"),
        row("b", "0", "voice", us, "answered", ",,"),
        row("c", "9", "voice", "+4930901820", "answered", ",,"),
        row("d", "", "voice", us, "unanswered", ",,"),
        row("e", "", "sms", us, "delivered", ",,"),
        row("f", "", "sms", us, "delivered", ",,hello"),
        row("g", "", "sms", us, "queued", "1,,"),
        row("h", "", "sms", us, "delivery-failed", "1,,"),
        row("i", "", "fax", us, "delivered", ",,"),
        row("j", "", "fax", us, "sent", ",3,"),
        row("k", "", "fax", us, "delivered", ",3,"),
        row("l", "30", "voicemail", us, "received", ",,"),
        row("m", "", "mms", us, "sent", ",,"),
    ]
    .concat();
    let result = billed(&rules, contact, &usage);
    let expected = [
        ("a", "suspended", "no-duration"),
        ("b", "zero-rated", ""),
        ("c", "suspended", "no-rate"),
        ("d", "outcome not billable", ""),
        ("e", "suspended", "no-segments"),
        ("f", "billed", ""),
        ("g", "awaiting its outcome", ""),
        ("h", "outcome not billable", ""),
        ("i", "suspended", "no-pages"),
        ("j", "outcome not billable", ""),
        ("k", "billed", ""),
        ("l", "zero-rated", ""),
        ("m", "suspended", "no-rate"),
    ];
    assert_eq!(fates(&result), expected.map(|(id, disposition, reason)| (id, disposition, reason, "one")));
    assert!(event(&result, "b").parts.is_empty());
    // 1 segment 0.01 → 0.01; 3 pages 0.15; the voicemail has a line of zero.
    assert_eq!(lines(&result), [("Fax", "", 15.into()), ("Mail", "", 0.into()), ("Text", "", 1.into())]);
}

/// A call that leaves the only band of its only rate is suspended whole, and takes nothing from the allowance.
#[test]
fn a_call_that_runs_out_of_rates_is_suspended_whole() {
    let rules = tariff(
        "[[rate]]\nname = \"Out\"\nmatch = { band = \"noon\" }\nprice = \"0.06 per minute\"\n\
         [[allowance]]\nname = \"Included\"\ngrants = \"1 minutes\"\n[band.noon]\nhours = \"12:00-13:00\"\n",
    );
    let usage = call("a", "2026-11-10T12:59:30-05:00", 31) + &call("b", "2026-11-11T12:59:00-05:00", 60);
    let result = billed(&rules, ONE, &usage);
    assert_eq!((event(&result, "a").disposition, event(&result, "a").reason), ("suspended", "no-rate"));
    assert_eq!(event(&result, "b").disposition, "in an allowance");
}

/// GSM: 160 fit one message, then 153 each; `€` takes two septets and is not torn: 152 + `€` begins a second segment one
/// septet early. UCS-2: 70, then 67; an emoji takes two.
#[test]
fn segments() {
    let text = |piece: &str, count: usize| piece.repeat(count);
    assert_eq!(segments_of_text("hello"), 1);
    assert_eq!(segments_of_text(&text("a", 160)), 1);
    assert_eq!(segments_of_text(&text("a", 161)), 2);
    assert_eq!(segments_of_text(&text("a", 306)), 2);
    assert_eq!(segments_of_text(&text("a", 307)), 3);
    assert_eq!(segments_of_text(&text("€", 80)), 1);
    // 152 + 2 + 152 = 306 septets would fit two segments if `€` could be torn.
    assert_eq!(segments_of_text(&format!("{}€{}", text("a", 152), text("a", 152))), 3);
    assert_eq!(segments_of_text(&text("ж", 70)), 1);
    assert_eq!(segments_of_text(&text("ж", 71)), 2);
    assert_eq!(segments_of_text(&text("😀", 35)), 1);
    // 67 units hold 33 emoji.
    assert_eq!(segments_of_text(&text("😀", 67)), 3);
}

/// The fee is due in full from every contact that is valid at some instant of a month in which something happened, with or
/// without usage of its own, but not from one that is not billed.
#[test]
fn monthly_fees() {
    let rules = tariff(
        "[[rate]]\nname = \"Out\"\nprice = \"1 per call\"\n[[tariff.t.fee]]\nname = \"Service\"\nprice = \"25.00 per month\"\nprorate = false\n",
    );
    let contacts = format!(
        "{ONE}idle,,,,,,,,,,,,,,,\nlate,,,,,,,,,,,,,2026-11-30,,\nnext,,,,,,,,,,,,,2026-12-01,,\n\
         past,,,,,,,,,,,,,,2026-11-01,\nfree,,,,,,,,,,,,,,,true\n"
    );
    let result = billed(&rules, &contacts, &call("a", "2026-11-10T12:00:00Z", 5));
    let totals: Vec<_> =
        result.documents.iter().map(|d| (d.contact.as_str(), d.total_minor.clone())).collect();
    assert_eq!(totals, [("idle", 2500.into()), ("late", 2500.into()), ("one", 2600.into())]);
}

/// Nothing is lost in a long sum: 90 000 steps of one second at 0.0000001 are 0.009, exactly.
#[test]
fn long_calls_stay_exact() {
    let rules = tariff("[[rate]]\nname = \"Out\"\nprice = \"0.0000001 per second\"\n");
    let result = billed(&rules, ONE, &call("a", "2026-11-10T12:00:00Z", 90_000));
    assert_eq!(amount(&result, "a"), decimal("0.009"));
}
