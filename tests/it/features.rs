//! What a rating engine must be able to do, where no trap and no shipped rule set shows it already; by the numbers of the
//! list in `tests/README.md`. The money that is expected was computed by hand and stands in a comment.

use std::collections::BTreeMap;

use crate::priced::{ONE, USAGE, bill, call, calls, exact, one_call, refused, tariff};
use crate::support::session::{Session, USAGE as COMPANY_USAGE};

const OCTOBER: &str = "2026-10";

const PER_CALL: &str = "[[rate]]\nname = \"Calls\"\nprice = \"1 per call\"\n";

/// Usage with where in the company it took place.
fn placed(rows: &[(&str, &str, &str)]) -> String {
    let mut text = "id,start,seconds,channel,direction,from,to,outcome,extension,account_code,department,site,cost_centre,\
        ringcentral_account\n"
        .to_owned();
    for (id, to, tail) in rows {
        text.push_str(&format!(
            "{id},2026-10-05T10:00:00-04:00,60,voice,outbound,+12125550100,{to},answered,{tail}\n"
        ));
    }
    text
}

#[test]
fn feature_13_usage_finds_its_payer_in_a_visible_order() {
    let contacts = "id,name,numbers,prefixes,extensions,account_codes\n\
        code,Code,,,,77\nnumber,Number,+13105550143,,,\nprefix,Prefix,,+1310,,\nlonger,Longer,,+1310555,,\nperson,Person,,,101,\n";
    let usage = placed(&[
        ("a", "+13105550143", "101,77,,,,"),
        ("b", "+13105550143", "101,,,,,"),
        ("c", "+13105559999", "101,,,,,"),
        ("d", "+13109999999", "101,,,,,"),
        ("e", "+12125550143", "101,,,,,"),
        ("f", "+12125550143", "102,,,,,"),
    ]);
    let priced = bill(&tariff(PER_CALL), contacts, &usage);
    for (event, payer) in
        [("a", "code"), ("b", "number"), ("c", "longer"), ("d", "prefix"), ("e", "person"), ("f", "")]
    {
        assert_eq!(priced.parts(event).next().unwrap()["contact"], payer, "{event}");
    }
    priced.ends("f", "unmatched contact", "");
    // Another order, and one way left out.
    let own = format!("[identity]\norder = [\"extension\", \"other-number\"]\n{}", tariff(PER_CALL));
    let reordered = bill(
        &own.replacen("default_tariff = \"t\"\n", "", 1).replacen(
            "[identity]",
            "default_tariff = \"t\"\n[identity]",
            1,
        ),
        contacts,
        &usage,
    );
    for (event, payer) in [("a", "person"), ("d", "person"), ("f", "")] {
        assert_eq!(reordered.parts(event).next().unwrap()["contact"], payer, "{event}");
    }
}

#[test]
fn feature_17_an_account_code_may_be_a_matter() {
    let contacts = "id,name,account_codes,matters\none,One,70,M-1;M-2@..2026-10-01\n";
    let usage = placed(&[
        ("a", "+13105550143", ",M-1,,,,"),
        ("b", "+13105550143", ",70,,,,"),
        ("c", "+13105550143", ",M-2,,,,"),
    ]);
    let priced = bill(&tariff(PER_CALL), contacts, &usage);
    for (event, payer, matter) in [("a", "one", "M-1"), ("b", "one", ""), ("c", "", "")] {
        let row = priced.parts(event).next().unwrap();
        assert_eq!((row["contact"].as_str(), row["matter"].as_str()), (payer, matter), "{event}");
    }
}

#[test]
fn feature_18_departments_sites_cost_centres_and_accounts_have_payers() {
    let contacts = "id,name,departments,sites,cost_centres,ringcentral_accounts\n\
        d,D,Sales,,,\ns,S,,North,,\nc,C,,,CC-1,\na,A,,,,4001\n";
    let usage = placed(&[
        ("all", "+13105550143", "101,,Sales,North,CC-1,4001"),
        ("site", "+13105550143", "101,,Other,North,CC-1,4001"),
        ("centre", "+13105550143", "101,,,,CC-1,4001"),
        ("account", "+13105550143", "101,,,,,4001"),
    ]);
    let priced = bill(&tariff(PER_CALL), contacts, &usage);
    for (event, payer) in [("all", "d"), ("site", "s"), ("centre", "c"), ("account", "a")] {
        assert_eq!(priced.parts(event).next().unwrap()["contact"], payer, "{event}");
    }
}

#[test]
fn feature_19_classes_that_are_not_billed_as_others_are() {
    let rules = tariff(
        "[[rate]]\nname = \"Emergency\"\nmatch = { to_class = \"emergency\" }\nprice = \"0 flat\"\n\
         [[rate]]\nname = \"Toll-free\"\nmatch = { to_class = \"toll-free\" }\nprice = \"0.50 flat\"\n\
         [[rate]]\nname = \"Short codes\"\nmatch = { to_class = \"short-code\" }\nprice = \"0.25 flat\"\n\
         [[rate]]\nname = \"Others\"\nprice = \"1 flat\"\n",
    );
    let contacts = "id,name,extensions,do_not_bill\nus,Us,101,\nfree,Free,102,true\n";
    let usage = placed(&[
        ("emergency", "911", "101,,,,,"),
        ("toll", "+18005550199", "101,,,,,"),
        ("short", "55512", "101,,,,,"),
        ("other", "+13105550143", "101,,,,,"),
        ("free", "+13105550143", "102,,,,,"),
        ("inside", "+13105550143", "103,,,,,"),
    ])
    .replace(
        "inside,2026-10-05T10:00:00-04:00,60,voice,outbound",
        "inside,2026-10-05T10:00:00-04:00,60,voice,internal",
    );
    let priced = bill(&rules, contacts, &usage);
    for (event, charge) in [("emergency", "0"), ("toll", "0.50"), ("short", "0.25"), ("other", "1")] {
        priced.charges(event, charge);
    }
    priced.ends("free", "do not bill", "");
    priced.ends("inside", "internal", "");
}

#[test]
fn feature_22_increments_of_any_size_counted_from_either_end() {
    let units = |options: &str, increment: &str, seconds: u64| {
        let rules = tariff(&format!(
            "[[rate]]\nname = \"Calls\"\nprice = \"1 per second\"\nincrement = \"{increment}\"\n[options]\n{options}\n"
        ));
        bill(&rules, ONE, &one_call(seconds))
    };
    // 80 s of 45/30: 45 + 30 + 30; counted from zero the next multiple of 30 is 90.
    units("", "45/30", 80).charges("c0", "105");
    units("increments_from = \"zero\"", "45/30", 80).charges("c0", "90");
    // An exact multiple adds none; completed steps only: 119 s are 60, 59 s nothing.
    units("", "60/60", 120).charges("c0", "120");
    units("", "60/60", 119).charges("c0", "120");
    units("units = \"completed\"", "60/60", 119).charges("c0", "60");
    units("units = \"completed\"", "60/60", 59).charges("c0", "0");
    units("", "3600/900", 3601).charges("c0", "4500");
}

#[test]
fn feature_24_prices_by_position_in_the_call() {
    let steps = |options: &str, seconds: u64| {
        let rules = tariff(&format!(
            "[[rate]]\nname = \"Calls\"\nsteps = [{{ price = \"2 per second\", first = \"3 minutes\" }}, \
             {{ price = \"1 per second\" }}]\nincrement = \"100/100\"\n[options]\n{options}\n"
        ));
        bill(&rules, ONE, &one_call(seconds))
    };
    // 200 s are blocks from 0 and from 100, both within 180 s: 400. Second by second: 180 × 2 + 20.
    steps("", 200).charges("c0", "400");
    steps("crossing = \"pieces\"", 200).charges("c0", "380");
    // With an offset of a second the next step holds from 181 s on.
    steps("crossing = \"pieces\"\nafter_offset_seconds = 1", 200).charges("c0", "381");
}

#[test]
fn feature_27_the_nearest_tariff_with_a_fitting_rate_wins() {
    let own = |name: &str, channel: &str, price: &str| {
        format!(
            "[tariff.{name}]\ncurrency = \"USD\"\nzone = \"America/New_York\"\n[[tariff.{name}.rate]]\nname = \"{name}\"\n\
             match = {{ channel = {channel} }}\nprice = \"{price} flat\"\n"
        )
    };
    let rules = format!(
        "default_tariff = \"d\"\n{}{}{}",
        own("d", "[\"voice\", \"sms\", \"fax\"]", "3"),
        own("a", "[\"voice\", \"sms\"]", "2"),
        own("c", "\"voice\"", "1")
    );
    let contacts = "id,name,numbers,tariff,account\ncontact,C,+12125550143,c,account\naccount,A,,a,\n";
    let row = |channel: &str, seconds: &str, outcome: &str| {
        format!(
            "{channel},2026-10-05T10:00:00-04:00,{seconds},{channel},outbound,+12125550100,+12125550143,{outcome},1\n"
        )
    };
    let usage = format!(
        "{}{}{}{}",
        USAGE.replace("outcome", "outcome,pages"),
        row("voice", "60", "answered"),
        row("sms", "", "delivered"),
        row("fax", "", "delivered")
    );
    let priced = bill(&rules, contacts, &usage);
    for (event, charge) in [("voice", "1"), ("sms", "2"), ("fax", "3")] {
        priced.charges(event, charge);
    }
    priced.ends("voice", "billed", "");
}

#[test]
fn feature_30_grace_frees_short_calls_and_a_minimum_lengthens_them() {
    let rules = |options: &str| {
        tariff(&format!(
            "[[rate]]\nname = \"Calls\"\nprice = \"1 per second\"\nminimum = \"30 seconds\"\ngrace = \"5 seconds\"\n[options]\n{options}\n"
        ))
    };
    for (seconds, charge) in [(4, "0"), (5, "30"), (31, "31")] {
        bill(&rules(""), ONE, &one_call(seconds)).charges("c0", charge);
    }
    bill(&rules("grace_by = \"not-longer-than\""), ONE, &one_call(5)).charges("c0", "0");
}

/// A table of tiers by the minute, with fees.
fn tiers(mode: &str, options: &str, last: &str) -> String {
    tariff(&format!(
        "[[rate]]\nname = \"Calls\"\nincrement = \"60/60\"\ntiers = {{ mode = \"{mode}\", tier = [\
         {{ up_to = \"2 minutes\", price = \"0.10 per minute\", fee = \"5.00\" }}, {{ {last}price = \"0.05 per minute\", fee = \"3.00\" }}] }}\n\
         [options]\n{options}\n"
    ))
}

#[test]
fn feature_31_tiers_their_fees_and_their_ends() {
    // Three minutes: 0.20 + 0.05 and both fees; of the volume tier 0.15 and its fee.
    let sum = |rules: &str, lengths: &[u64]| bill(rules, ONE, &calls(lengths)).net(OCTOBER);
    assert_eq!(sum(&tiers("graduated", "", ""), &[180]), exact("8.25"));
    assert_eq!(sum(&tiers("volume", "", ""), &[180]), exact("3.15"));
    // Exactly two minutes enter no second tier.
    assert_eq!(sum(&tiers("graduated", "", ""), &[60, 60]), exact("5.20"));
    assert_eq!(sum(&tiers("volume", "", ""), &[60, 60]), exact("5.20"));
    // The second tier ends at three minutes, or is three wide: then comes the mistake, the last price, or nothing.
    let bounded = "up_to = \"3 minutes\", ";
    assert!(refused(&tiers("graduated", "", bounded), ONE, &one_call(9)).contains("bounded-last-tier"));
    let beyond = |word: &str, more: &str| format!("beyond_last_tier = \"{word}\"\n{more}");
    // Six minutes: 0.20, one or three at 0.05, and the others at 0.05 or at nothing; fees 8.00.
    assert_eq!(sum(&tiers("graduated", &beyond("last-price", ""), bounded), &[360]), exact("8.40"));
    assert_eq!(sum(&tiers("graduated", &beyond("unbilled", ""), bounded), &[360]), exact("8.25"));
    assert_eq!(
        sum(&tiers("graduated", &beyond("unbilled", "tier_bounds = \"widths\""), bounded), &[360]),
        exact("8.35")
    );
}

#[test]
fn feature_31_packages_are_started_once() {
    let rules = tariff(
        "[[rate]]\nname = \"Calls\"\nincrement = \"60/60\"\ntiers = { mode = \"package\", size = \"2 minutes\", price = \"3.00\" }\n",
    );
    // Minutes 1, 2 and 3: the first opens a package, the second fills it, the third opens the next.
    let priced = bill(&rules, ONE, &calls(&[60, 60, 60]));
    for (event, charge) in [("c0", "3"), ("c1", "0"), ("c2", "3")] {
        priced.charges(event, charge);
    }
    let completed = format!("{rules}[tariff.t.options]\nunits = \"completed\"\n");
    let priced = bill(&completed, ONE, &calls(&[60, 60, 60]));
    for (event, charge) in [("c0", "0"), ("c1", "3"), ("c2", "0")] {
        priced.charges(event, charge);
    }
}

#[test]
fn feature_31_a_period_without_usage() {
    let contacts = "id,name,numbers\none,One,+12125550143\ntwo,Two,+13105550143\n";
    let of_two = |rules: &str| -> Vec<String> {
        let priced = bill(rules, contacts, &one_call(60));
        let lines = priced.lines.iter().filter(|row| row["contact"] == "two");
        lines.map(|row| format!("{} {}", row["kind"], row["amount"])).collect()
    };
    assert!(of_two(&tiers("graduated", "", "")).is_empty());
    assert_eq!(of_two(&tiers("graduated", "no_usage = \"tier-fee\"", "")), ["tier-fee 5.00"]);
    let package = tariff(
        "[[rate]]\nname = \"Calls\"\ntiers = { mode = \"package\", size = \"2 minutes\", price = \"3.00\" }\n\
         [options]\nno_usage = \"package\"\n",
    );
    assert_eq!(of_two(&package), ["tier-fee 3.00"]);
}

#[test]
fn feature_33_texts_are_counted_in_segments() {
    let rules = tariff("[[rate]]\nname = \"Texts\"\nprice = \"1 per segment\"\n");
    let row = |id: &str, text: &str| {
        format!("{id},2026-10-05T10:00:00-04:00,sms,outbound,+12125550100,+12125550143,delivered,{text}\n")
    };
    let letters = |count: usize, last: &str| format!("{}{last}", "a".repeat(count));
    let texts = [
        ("gsm160", letters(160, ""), "1"),
        ("gsm161", letters(161, ""), "2"),
        ("euro159", letters(158, "€"), "1"),
        ("euro160", letters(159, "€"), "2"),
        ("ucs70", letters(69, "ł"), "1"),
        ("ucs71", letters(70, "ł"), "2"),
        ("gsm306", letters(306, ""), "2"),
        ("gsm307", letters(307, ""), "3"),
    ];
    let rows: String = texts.iter().map(|(id, text, _)| row(id, text)).collect();
    let usage = format!("id,start,channel,direction,from,to,outcome,text\n{rows}");
    let priced = bill(&rules, ONE, &usage);
    for (id, _, segments) in &texts {
        priced.charges(id, segments);
    }
    // Nobody knows the text nor the count.
    let usage = "id,start,channel,direction,from,to,outcome\nx,2026-10-05T10:00:00-04:00,sms,outbound,+12125550100,+12125550143,delivered\n";
    bill(&rules, ONE, usage).ends("x", "suspended", "no-segments");
}

#[test]
fn feature_35_a_supplier_rates_the_same_event() {
    let rules = format!(
        "{}[tariff.s]\ncurrency = \"USD\"\nzone = \"America/New_York\"\n[[tariff.s.rate]]\nprice = \"0.01 per minute\"\nincrement = \"6/6\"\n",
        tariff("supplier = \"s\"\n[[rate]]\nname = \"Calls\"\nprice = \"supplier + 15%\"\n")
    );
    // 66 s at 0.01 a minute are 0.011; and 15 %.
    let priced = bill(&rules, ONE, &one_call(61));
    priced.charges("c0", "0.01265");
    assert!(priced.explained.contains("0.011"), "{}", priced.explained);
}

#[test]
fn feature_36_a_charge_shows_its_steps() {
    let rules = tariff(
        "[[rate]]\nname = \"Calls\"\nprice = \"0.0345 per minute\"\nincrement = \"60/6\"\nconnection_fee = \"0.01\"\n",
    );
    // 66 × 0.0345 / 60 = 0.03795, and 0.01. The binary itself refuses steps that do not add up.
    let priced = bill(&rules, ONE, &one_call(61));
    priced.charges("c0", "0.04795");
    for step in ["60/6: 61 s → 66 s", "0.03795", "connection fee: 0.01", "charge: 0.04795"] {
        assert!(priced.explained.contains(step), "{step}: {}", priced.explained);
    }
}

#[test]
fn feature_40_allowances_are_drawn_in_the_order_of_the_file() {
    let allowance = |name: &str| format!("[[allowance]]\nname = \"{name}\"\ngrants = \"60 seconds\"\n");
    let rate = "[[rate]]\nname = \"Calls\"\nprice = \"1 per second\"\n";
    let rules = tariff(&format!("{rate}{}{}", allowance("Second in the alphabet"), allowance("First")));
    let priced = bill(&rules, ONE, &one_call(90));
    let drawn: Vec<(&str, &str)> =
        priced.parts("c0").map(|row| (row["clause"].as_str(), row["units"].as_str())).collect();
    assert!(
        drawn.contains(&("Second in the alphabet", "60")) && drawn.contains(&("First", "30")),
        "{drawn:?}"
    );
    priced.ends("c0", "in an allowance", "");
    priced.units("c0", 90);
}

#[test]
fn feature_41_a_pool_shares_one_counter() {
    let rules = |more: &str| {
        tariff(&format!(
            "[[rate]]\nname = \"Calls\"\nprice = \"0.10 per minute\"\nincrement = \"60/60\"\n\
             [[allowance]]\nname = \"Pool\"\ngrants = \"100 minutes\"\nshared = true\n{more}"
        ))
    };
    let contacts =
        "id,name,numbers,pool\na,A,+12125550143,p\nb,B,+13105550143,p\nalone,Alone,+16465550143,\n";
    let row = |id: &str, day: u32, to: &str| {
        format!("{id},2026-10-{day:02}T10:00:00-04:00,3600,voice,outbound,+12125550100,{to},answered\n")
    };
    let usage = format!(
        "{USAGE}{}{}{}",
        row("a", 5, "+12125550143"),
        row("b", 6, "+13105550143"),
        row("alone", 7, "+16465550143")
    );
    // 60 of the 100 minutes go to the first, 40 to the second, whose other 20 cost 2.00. The third has its own.
    let pooled = bill(&rules(""), contacts, &usage);
    for (event, charge) in [("a", "0"), ("b", "2"), ("alone", "0")] {
        pooled.charges(event, charge);
    }
    bill(&rules("per = \"contact\"\n"), contacts, &usage).charges("b", "0");
}

#[test]
fn feature_42_what_is_left_rolls_over_and_ends() {
    let rules = tariff(
        "[[rate]]\nname = \"Calls\"\nprice = \"0.10 per minute\"\nincrement = \"60/60\"\n\
         [[allowance]]\nname = \"Minutes\"\ngrants = \"100 minutes\"\nrollover = \"50 minutes\"\n",
    );
    let month = |id: &str, month: u32, minutes: u64| {
        call(id, &format!("2026-{month}-05T10:00:00-05:00"), minutes * 60)
    };
    // October leaves 70 and carries 50; November uses 20 of those and carries 50 of its own; December has 150.
    let usage = format!("{USAGE}{}{}{}", month("oct", 10, 30), month("nov", 11, 20), month("dec", 12, 160));
    let priced = bill(&rules, ONE, &usage);
    for (event, charge) in [("oct", "0"), ("nov", "0"), ("dec", "1")] {
        priced.charges(event, charge);
    }
}

#[test]
fn feature_14_the_longest_destination_wins() {
    let rate = |to: &str, price: &str| {
        format!("[[rate]]\nname = \"{to}\"\nmatch = {{ to = \"{to}\" }}\nprice = \"{price} flat\"\n")
    };
    // The order of the file does not matter; a country is just longer than its calling code.
    let rules =
        tariff(&[rate("+44", "1"), rate("GB", "2"), rate("+4420", "3"), rate("+442079", "4")].concat());
    let contacts = "id,name,prefixes\none,One,+4\n";
    let row = |id: &str, to: &str| {
        format!("{id},2026-10-05T10:00:00-04:00,60,voice,outbound,+12125550100,{to},answered\n")
    };
    let usage = format!(
        "{USAGE}{}{}{}",
        row("a", "+441614960018"),
        row("b", "+442030960018"),
        row("c", "+442079460018")
    );
    let priced = bill(&rules, contacts, &usage);
    for (event, charge) in [("a", "2"), ("b", "3"), ("c", "4")] {
        priced.charges(event, charge);
    }
}

#[test]
fn feature_102_measured_and_billed_stand_side_by_side() {
    let mut session = Session::with_company();
    session.write("usage.csv", COMPANY_USAGE);
    let covers =
        ["import", "--usage", "usage.csv", "--covers", "2026-10-01..2026-11-01", "--reason", "whole month"];
    assert_eq!(session.run(&covers).exit, 0);
    assert_eq!(
        session.run(&["run", "--period", "2026-10", "--finalise", "--issue-date", "2026-11-05"]).exit,
        0
    );
    // 61 s are billed as 66.
    let annex = session.read("out/2026-10/invoices/INV-000002/calls.csv");
    let mut reader = csv::Reader::from_reader(annex.as_bytes());
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    assert!(rows.iter().any(|row| row["measured"] == "61" && row["units_billed"] == "66"), "{annex}");
}
