//! Hand-made cases of what counts over days and months: tiers, scopes, pools, rollover, fees, discounts, cap, commitment; and
//! of who pays. Expected amounts are computed in the comments.

use super::{ONE, World, amount, call, event, tariff, units};
use crate::support::oracle::{OracleResult, decimal};

const HEADER: &str = "id,numbers,extensions,account_codes,tariff,zone,valid_from,valid_to,account,pool,departments,sites,\
    cost_centres,ringcentral_accounts,matters\n";

/// Kind, clause, tier and amount in minor units of each line.
fn lines(result: &OracleResult) -> Vec<(&str, &str, u32, i64)> {
    let line = |line: &'_ crate::support::oracle::Line| i64::try_from(line.amount_minor.clone()).unwrap();
    result.lines.iter().map(|each| (each.kind, each.clause.as_str(), each.tier, line(each))).collect()
}

fn noon(id: &str, day: u32, seconds: u64) -> String {
    call(id, &format!("2026-11-{day:02}T17:00:00Z"), seconds)
}

/// 60 s at 0.60 a minute, then 0.06. A call of 90 s: 60 × 0.01 + 30 × 0.001; the next wholly in the second tier. Both fees. By
/// widths of 60 and 30 the third tier begins after 90.
#[test]
fn graduated_tiers() {
    let tiers = |second: &str| {
        tariff(&format!(
            "options = {{ tier_bounds = \"widths\" }}\n[[rate]]\nname = \"Out\"\ntiers = {{ mode = \"graduated\", tier = [\
             {{ up_to = \"60 seconds\", price = \"0.60 per minute\", fee = \"1.00\" }}, \
             {{ {second} price = \"0.06 per minute\", fee = \"2.00\" }}] }}\n"
        ))
    };
    let usage = noon("a", 1, 90) + &noon("b", 2, 10);
    let result = World::new(&tiers(""), ONE, &usage).bill();
    assert_eq!((amount(&result, "a"), amount(&result, "b")), (decimal("0.63"), decimal("0.01")));
    let expected = [
        ("tier-fee", "Out", 1, 100),
        ("tier-fee", "Out", 2, 200),
        ("usage", "Out", 1, 60),
        ("usage", "Out", 2, 4),
    ];
    assert_eq!(lines(&result), expected);
    // The last unit of a tier is of that tier.
    let result = World::new(&tiers(""), ONE, &noon("a", 1, 60)).bill();
    assert_eq!(lines(&result), [("tier-fee", "Out", 1, 100), ("usage", "Out", 1, 60)]);
}

/// Beyond a last bound of 90 s: unbilled in a tier of its own, or at the last price. 100 s: 0.60 + 30 × 0.001, and 10 × 0.001.
#[test]
fn beyond_the_last_tier() {
    for (word, tier, more) in [("unbilled", 3, 0), ("last-price", 2, 1)] {
        let rules = tariff(&format!(
            "options = {{ beyond_last_tier = \"{word}\" }}\n[[rate]]\nname = \"Out\"\ntiers = {{ mode = \"graduated\", tier = [\
             {{ up_to = \"60 seconds\", price = \"0.60 per minute\" }}, {{ up_to = \"90 seconds\", price = \"0.06 per minute\" }}] }}\n"
        ));
        let result = World::new(&rules, ONE, &(noon("a", 1, 90) + &noon("b", 2, 10))).bill();
        assert_eq!(event(&result, "b").parts[0].tier, tier);
        assert_eq!(amount(&result, "b"), decimal("0.001") * decimal("10") * decimal(&more.to_string()));
    }
}

/// 70 s in the month are in the second tier: all of them at 0.001 a second, and only its fee.
#[test]
fn volume_tiers() {
    let rules = tariff(
        "[[rate]]\nname = \"Out\"\nconnection_fee = \"0.10\"\ntiers = { mode = \"volume\", tier = [\
         { up_to = \"60 seconds\", price = \"0.60 per minute\", fee = \"1.00\" }, { price = \"0.06 per minute\", fee = \"2.00\" }] }\n",
    );
    let result = World::new(&rules, ONE, &(noon("a", 1, 10) + &noon("b", 2, 60))).bill();
    assert_eq!((amount(&result, "a"), amount(&result, "b")), (decimal("0.11"), decimal("0.16")));
    assert_eq!(lines(&result), [("tier-fee", "Out", 2, 200), ("usage", "Out", 2, 27)]);
    // 60 s are still in the first: 0.10 + 0.60.
    let result = World::new(&rules, ONE, &noon("b", 2, 60)).bill();
    assert_eq!(lines(&result), [("tier-fee", "Out", 1, 100), ("usage", "Out", 1, 70)]);
}

/// Packages of 100 s at 5.00: 30 s open the first, the next 70 s are in it, 101 s open two more. Completed ones: none, one, one.
#[test]
fn packages() {
    for (options, expected) in [("started", ["5", "0", "10"]), ("completed", ["0", "5", "5"])] {
        let rules = tariff(&format!(
            "options = {{ units = \"{options}\" }}\n[[rate]]\nname = \"Out\"\n\
             tiers = {{ mode = \"package\", size = \"100 seconds\", price = \"5.00\" }}\n"
        ));
        let usage = noon("a", 1, 30) + &noon("b", 2, 70) + &noon("c", 3, 101);
        let result = World::new(&rules, ONE, &usage).bill();
        assert_eq!(["a", "b", "c"].map(|id| amount(&result, id)), expected.map(decimal), "{options}");
        assert_eq!(event(&result, "c").parts[0].tier, 0);
    }
}

/// A month without counted usage: the first tier's fee, or one package.
#[test]
fn months_without_usage() {
    let rules = |word: &str| {
        tariff(&format!(
            "options = {{ no_usage = \"{word}\" }}\n[[rate]]\nname = \"Fax\"\nmatch = {{ channel = \"fax\" }}\n\
             tiers = {{ mode = \"volume\", tier = [{{ price = \"0.06 per page\", fee = \"2.00\" }}] }}\n\
             [[rate]]\nname = \"Out\"\nmatch = {{ channel = \"voice\" }}\n\
             tiers = {{ mode = \"package\", size = \"100 seconds\", price = \"5.00\" }}\n"
        ))
    };
    let unanswered = noon("a", 1, 0).replace("answered", "unanswered");
    let result = World::new(&rules("tier-fee"), ONE, &unanswered).bill();
    assert_eq!(lines(&result), [("tier-fee", "Fax", 1, 200)]);
    let result = World::new(&rules("package"), ONE, &unanswered).bill();
    assert_eq!(lines(&result), [("tier-fee", "Out", 0, 500)]);
    assert!(World::new(&rules("nothing"), ONE, &unanswered).bill().lines.is_empty());
}

/// Entries of 45, 45 and 5 minutes in whole hours: each alone 3 hours, of one day together 2: 60, 60 (105 minutes would be 120)
/// and nothing. On the next day the count begins anew; of another matter too.
#[test]
fn scopes() {
    let header = "id,start,seconds,channel,direction,from,to,outcome,matter,timekeeper\n";
    let row = |id: &str, start: &str, minutes: u64, matter: &str, timekeeper: &str| {
        let seconds = minutes * 60;
        format!("{id},{start},{seconds},voice,outbound,,+12125550143,answered,{matter},{timekeeper}\n")
    };
    let usage = [
        header.to_string(),
        row("a", "2026-11-10T15:00:00Z", 45, "M", "x"),
        row("b", "2026-11-10T16:00:00Z", 45, "M", "y"),
        row("c", "2026-11-10T17:00:00Z", 5, "M", "x"),
        row("d", "2026-11-10T18:00:00Z", 5, "N", "x"),
        // 05:00 UTC is the next day in New York.
        row("e", "2026-11-11T05:00:00Z", 5, "M", "x"),
    ]
    .concat();
    let hours = |scope: &str| {
        let rules = tariff(&format!(
            "[[rate]]\nname = \"Time\"\nprice = \"60 per hour\"\nincrement = \"3600/3600\"\nscope = \"{scope}\"\n"
        ));
        let result = World::new(&rules, ONE, &usage).bill();
        ["a", "b", "c", "d", "e"].map(|id| units(&result, id) / 3600)
    };
    assert_eq!(hours("call"), [1, 1, 1, 1, 1]);
    assert_eq!(hours("contact-day"), [1, 1, 0, 0, 1]);
    assert_eq!(hours("matter-day"), [1, 1, 0, 1, 1]);
    assert_eq!(hours("timekeeper-day"), [1, 1, 0, 1, 1]);
    assert_eq!(hours("period"), [1, 1, 0, 1, 0]);
}

/// Two contacts of a pool share a minute: the second gets what the first left. One without a pool has its own.
#[test]
fn pools() {
    let rules = tariff(
        "[[rate]]\nname = \"Out\"\nprice = \"0.60 per minute\"\n[[allowance]]\nname = \"Pool\"\ngrants = \"1 minute\"\nshared = true\n",
    );
    let contacts = format!("{HEADER}one,,1,,,,,,,p,,,,,\ntwo,,2,,,,,,,p,,,,,\nthree,,3,,,,,,,,,,,,\n");
    let row = |id: &str, extension: u32| {
        noon(id, 1, 40).replace("+12125550143,,", &format!("+12125550143,{extension},"))
    };
    let result = World::new(&rules, &contacts, &(row("a", 1) + &row("b", 2) + &row("c", 3))).bill();
    // 20 s at 0.01.
    assert_eq!(["a", "b", "c"].map(|id| amount(&result, id)), ["0", "0.20", "0"].map(decimal));
    let per = rules.replace("shared = true", "shared = true\nper = \"contact\"");
    let result = World::new(&per, &contacts, &(row("a", 1) + &row("b", 2))).bill();
    assert_eq!(["a", "b"].map(|id| amount(&result, id)), ["0", "0"].map(decimal));
}

/// A minute for each extension: two in force in November, of which one ends before it begins; a number likewise.
#[test]
fn allowances_per_extension() {
    let rules = tariff(
        "[[rate]]\nname = \"Out\"\nprice = \"0.60 per minute\"\n[[allowance]]\nname = \"Each\"\ngrants = \"1 minute\"\nper = \"extension\"\n",
    );
    let contacts = format!("{HEADER}one,+12125550143,1;2@..2026-11-01;3@2026-11-30..,,,,,,,,,,,,\n");
    let result = World::new(&rules, &contacts, &noon("a", 1, 150)).bill();
    // 120 s are included, 30 s at 0.01.
    assert_eq!(amount(&result, "a"), decimal("0.30"));
}

/// 100 s a month, of which 60 may be carried, for one month. October uses 10 and carries 60 of 90. November draws 30 of them,
/// then has 30 that die and 100 of its own, of which 60 go on; so December has 160: a call of 170 s pays for 10.
#[test]
fn rollover() {
    let rules = |keys: &str| {
        tariff(&format!(
            "[[rate]]\nname = \"Out\"\nprice = \"0.60 per minute\"\n[[allowance]]\nname = \"Carried\"\ngrants = \"100 seconds\"\n{keys}"
        ))
    };
    let usage = call("a", "2026-10-10T12:00:00Z", 10)
        + &call("b", "2026-11-10T12:00:00Z", 30)
        + &call("c", "2026-12-10T12:00:00Z", 170);
    let paid = |keys: &str| amount(&World::new(&rules(keys), ONE, &usage).bill(), "c");
    assert_eq!(paid("rollover = \"60 seconds\"\n"), decimal("0.10"));
    // Without rollover 70 s; all of it: November has 90 + 100, uses 30 of the 90, and only its own 100 live on: nothing to pay.
    assert_eq!(paid(""), decimal("0.70"));
    assert_eq!(paid("rollover = \"all\"\n"), decimal("0"));
    // 270 s: 100 and 100 carried; with two months of life also the 60 that are left of October's 90.
    let more = usage.replace(",170,", ",270,");
    let paid = |keys: &str| amount(&World::new(&rules(keys), ONE, &more).bill(), "c");
    assert_eq!(paid("rollover = \"all\"\n"), decimal("0.70"));
    assert_eq!(paid("rollover = \"all\"\nexpires_after = 2\n"), decimal("0.10"));
}

/// A contact from the 16th has 15 of 30 days: 50 s of 100.
#[test]
fn prorated_allowance() {
    let rules = tariff(
        "[[rate]]\nname = \"Out\"\nprice = \"0.60 per minute\"\n[[allowance]]\nname = \"Part\"\ngrants = \"101 seconds\"\nprorate = true\n",
    );
    let contacts = format!("{HEADER}one,+12125550143,,,,,2026-11-16,,,,,,,,\n");
    let result = World::new(&rules, &contacts, &noon("a", 20, 60)).bill();
    assert_eq!(amount(&result, "a"), decimal("0.10"));
}

/// 1.00 of charges: the first call of 0.60 is paid, of the second 0.40.
#[test]
fn money_allowance() {
    let rules = tariff(
        "[[rate]]\nname = \"Out\"\nprice = \"0.60 per minute\"\n[[allowance]]\nname = \"Credit\"\ngrants = \"1.00 of charges\"\n",
    );
    let result = World::new(&rules, ONE, &(noon("a", 1, 60) + &noon("b", 2, 60))).bill();
    assert_eq!(["a", "b"].map(|id| amount(&result, id)), ["0", "0.20"].map(decimal));
    assert_eq!(event(&result, "a").disposition, "in an allowance");
    assert_eq!(lines(&result), [("allowance", "Credit", 0, -100), ("usage", "Out", 0, 120)]);
}

/// 30.00 a month, from the 16th: 15 of 30 days. Until the 16th with both days: 16. For each of two extensions, of which one is
/// there for 10 days: 30 + 10. In advance: December's, whole. In full. Once.
#[test]
fn fees() {
    let fee = |options: &str, keys: &str, validity: &str, extensions: &str| {
        let price = if keys.contains("once") { "" } else { "price = \"30.00 per month\"\n" };
        let rules = tariff(&format!(
            "options = {{ {options} }}\n[[rate]]\nname = \"Out\"\nprice = \"0 per minute\"\n[[fee]]\nname = \"Fee\"\n{price}{keys}"
        ));
        let contacts = format!("{HEADER}one,+12125550143,{extensions},,,,{validity},,,,,,,\n");
        let result = World::new(&rules, &contacts, &noon("a", 16, 60).replace("16T", "15T")).bill();
        let result = if result.lines.is_empty() {
            World::new(&rules, &contacts, &noon("a", 16, 60)).bill()
        } else {
            result
        };
        lines(&result).into_iter().find(|line| line.0 == "fee").map_or(0, |line| line.3)
    };
    let both = "proration = \"both-inclusive\"";
    assert_eq!(fee("", "", ",", ""), 3000);
    assert_eq!(fee("", "", "2026-11-16,", ""), 1500);
    assert_eq!(fee("", "", ",2026-11-16", ""), 1500);
    assert_eq!(fee(both, "", ",2026-11-16", ""), 1600);
    assert_eq!(fee("", "prorate = false\n", "2026-11-16,", ""), 3000);
    assert_eq!(fee("", "per = \"extension\"\n", ",", "1;2@2026-11-21.."), 4000);
    assert_eq!(fee("", "per = \"number\"\n", ",", ""), 3000);
    assert_eq!(fee("", "in_advance = true\n", ",", ""), 3000);
    assert_eq!(fee("", "in_advance = true\n", ",2026-12-02", ""), 97);
    assert_eq!(fee("", "price = \"99.00 once\"\n", "2026-11-16,", ""), 9900);
    assert_eq!(fee("", "price = \"99.00 once\"\n", "2026-10-16,", ""), 0);
    assert_eq!(fee("", "price = \"99.00 once\"\non = \"2026-11-30\"\n", "2026-10-16,", ""), 9900);
}

/// Two versions with the same fee: one line; with another price two: 14 days of 30.00 are 14.00, 16 of 60.00 are 32.00.
#[test]
fn fees_over_a_change_of_version() {
    let version = |head: &str, from: &str, price: &str| {
        format!(
            "{head}[tariff.t]\ncurrency = \"USD\"\nzone = \"America/New_York\"\nvalid_from = \"{from}\"\n\
             [[tariff.t.rate]]\nname = \"Out\"\nprice = \"0 per minute\"\n[[tariff.t.fee]]\nname = \"Fee\"\nprice = \"{price} per month\"\n"
        )
    };
    let rules = |price: &str| {
        version("default_tariff = \"t\"\n", "2026-01-01", "30.00")
            + "====="
            + &version("", "2026-11-15", price)
    };
    let fees = |price: &str| -> Vec<i64> {
        let result = World::new(&rules(price), ONE, &noon("a", 20, 60)).bill();
        lines(&result).into_iter().filter(|line| line.0 == "fee").map(|line| line.3).collect()
    };
    assert_eq!(fees("30.00"), [3000]);
    assert_eq!(fees("60.00"), [1400, 3200]);
}

/// 100.00 of calls and a fee of 50.00. 10 % off the calls: 10.00. 10 % off 140.00: 14.00; then 20.00 off 126.00. Without the fee
/// 100 − 44 = 56 are over the cap of 40: 16. The commitment of 45 would raise 40, but a cap below it is refused; with 30 of it and
/// a cap of 40 nothing is raised. The document: 40 + 50.
#[test]
fn discounts_cap_and_commitment() {
    let rules = |limits: &str, discounts: &str| {
        tariff(&format!(
            "{limits}[[rate]]\nname = \"Out\"\nprice = \"100 per call\"\n[[fee]]\nname = \"Fee\"\nprice = \"50.00 per month\"\n{discounts}"
        ))
    };
    let discounts = "[[discount]]\nname = \"A\"\noff = \"10%\"\nof = \"line\"\n\
        [[discount]]\nname = \"B\"\noff = \"10%\"\n[[discount]]\nname = \"C\"\noff = \"20.00\"\n";
    let found = |limits: &str, discounts: &str| {
        let result = World::new(&rules(limits, discounts), ONE, &noon("a", 1, 60)).bill();
        let net = i64::try_from(result.documents[0].net_minor.clone()).unwrap();
        let special = |line: &(&str, &str, u32, i64)| !["usage", "fee"].contains(&line.0);
        let lines: Vec<(String, i64)> =
            lines(&result).into_iter().filter(special).map(|line| (line.1.to_string(), line.3)).collect();
        (lines, net)
    };
    let named = |list: &[(&str, i64)]| {
        list.iter().map(|(name, amount)| (name.to_string(), *amount)).collect::<Vec<_>>()
    };
    assert_eq!(
        found("cap = \"40.00 per month\"\ncommitment = \"30.00 per month\"\n", discounts),
        (named(&[("Period cap", -1600), ("A", -1000), ("B", -1400), ("C", -2000)]), 9000)
    );
    // Counted with the fee 106 are over 80 by 26.
    assert_eq!(
        found("cap = \"80.00 per month\"\nfees_count = true\n", discounts).0[0],
        ("Period cap".to_string(), -2600)
    );
    assert_eq!(
        found("commitment = \"150.00 per month\"\n", ""),
        (named(&[("Commitment true-up", 5000)]), 20000)
    );
    assert_eq!(found("commitment = \"150.00 per month\"\nfees_count = true\n", ""), (Vec::new(), 15000));
    // Off a fee by name, at most what it is.
    let of_fee = "[[discount]]\nname = \"D\"\noff = \"70.00\"\nof = \"line\"\nlines = [\"Fee\"]\n";
    assert_eq!(found("", of_fee), (named(&[("D", -5000)]), 10000));
}

/// From the 16th on: half of the commitment.
#[test]
fn prorated_commitment() {
    let rules =
        tariff("commitment = \"100.00 per month\"\n[[rate]]\nname = \"Out\"\nprice = \"1 per call\"\n");
    let contacts = format!("{HEADER}one,+12125550143,,,,,2026-11-16,,,,,,,,\n");
    let result = World::new(&rules, &contacts, &noon("a", 20, 60)).bill();
    assert_eq!(lines(&result), [("true-up", "Commitment true-up", 0, 4900), ("usage", "Out", 0, 100)]);
}

/// A negative line of 0.005: mirrored −0.01, moved up −0.00 (and so no more than nothing).
#[test]
fn negative_lines() {
    for (word, cents) in [("mirror", -1), ("toward-plus-infinity", 0)] {
        let rules = tariff(&format!(
            "options = {{ negative = \"{word}\" }}\n[[rate]]\nname = \"Out\"\nprice = \"0.005 per call\"\n\
             [[allowance]]\nname = \"Credit\"\ngrants = \"1.00 of charges\"\n"
        ));
        let result = World::new(&rules, ONE, &noon("a", 1, 60)).bill();
        assert_eq!(lines(&result)[0], ("allowance", "Credit", 0, cents));
    }
}

/// A call over midnight of the month: by its start November's, by its end December's, split 30 s of each.
#[test]
fn period_by() {
    let months = |word: &str| {
        let rules = tariff(&format!(
            "options = {{ period_by = \"{word}\" }}\n[[rate]]\nname = \"Out\"\nprice = \"0.60 per minute\"\n"
        ));
        // Midnight in New York is 05:00 UTC.
        let result = World::new(&rules, ONE, &call("a", "2026-12-01T04:59:30Z", 60)).bill();
        result.lines.iter().map(|line| (line.month.clone(), line.units)).collect::<Vec<_>>()
    };
    assert_eq!(months("start"), [("2026-11".to_string(), 60)]);
    assert_eq!(months("end"), [("2026-12".to_string(), 60)]);
    assert_eq!(months("split"), [("2026-11".to_string(), 30), ("2026-12".to_string(), 30)]);
}

/// The sheet before the row before the account code …; the directory tells the department; a proposal does not count.
#[test]
fn identification() {
    let rules = tariff("[[rate]]\nname = \"Out\"\nprice = \"1 per call\"\n");
    let contacts = format!(
        "{HEADER}sheet,,,,,,,,,,,,,,\nmatter,,,,,,,,,,,,,,M-1@2026-01-01..\ndepartment,,,,,,,,,,Sales,,,,\n\
         site,,,,,,,,,,,North,,,\ncentre,,,,,,,,,,,,42,,\naccount,,,,,,,,,,,,,rc-1,\n"
    );
    let usage = "id,start,seconds,channel,direction,from,to,outcome,extension,account_code,site,cost_centre,ringcentral_account\n\
        a,2026-11-10T12:00:00Z,5,voice,outbound,,+12125550143,answered,7,M-1,North,42,rc-1\n\
        b,2026-11-10T12:00:00Z,5,voice,outbound,,+12125550143,answered,7,M-1,North,42,rc-1\n\
        c,2026-11-10T12:00:00Z,5,voice,outbound,,+12125550143,answered,7,,North,42,rc-1\n\
        d,2026-11-10T12:00:00Z,5,voice,outbound,,+12125550143,answered,8,,North,42,rc-1\n\
        e,2026-11-10T12:00:00Z,5,voice,outbound,,+12125550143,answered,,,,42,rc-1\n\
        f,2026-11-10T12:00:00Z,5,voice,outbound,,+12125550143,answered,,,,,rc-1\n\
        g,2026-11-10T12:00:00Z,5,voice,outbound,,+12125550143,answered,,,,,rc-2\n";
    let world = World {
        directory: Some(
            "extension,name,department,site,cost_centre,valid_from,valid_to\n7,A,Sales,,,,\n8,B,Sales,,,,2026-11-01\n",
        ),
        coding: Some(
            "record,contact,matter,timekeeper,task,narrative,status\na,sheet,M-9,,,,confirmed\nb,sheet,,,,,proposed\n",
        ),
        ..World::new(&rules, &contacts, usage)
    };
    let payers =
        |result: &OracleResult| result.events.iter().map(|event| event.contact.clone()).collect::<Vec<_>>();
    let result = world.bill();
    assert_eq!(payers(&result), ["sheet", "matter", "department", "site", "centre", "account", ""]);
    let matters = ["a", "b", "c"].map(|id| event(&result, id).parts[0].matter.clone());
    assert_eq!(matters, ["M-9", "M-1", ""]);
    // In another order, and without most of the ways.
    let rules = format!("[identity]\norder = [\"account\", \"site\"]\n=====\n{rules}");
    let result = World { rules: &rules, ..world }.bill();
    assert_eq!(payers(&result), ["account", "account", "account", "account", "account", "account", ""]);
}

/// The contact's own tariff knows no faxes, its account's does, the default one is the last.
#[test]
fn tariff_of_the_account() {
    let tariff_of = |name: &str, channel: &str| {
        format!(
            "[tariff.{name}]\ncurrency = \"USD\"\nzone = \"UTC\"\n[[tariff.{name}.rate]]\nname = \"{name}\"\n\
             match = {{ channel = {channel} }}\nprice = \"1 flat\"\n"
        )
    };
    let rules = "default_tariff = \"d\"\n".to_string()
        + &tariff_of("d", "[\"voice\", \"fax\", \"sms\"]")
        + &tariff_of("account", "[\"voice\", \"fax\"]")
        + &tariff_of("own", "\"voice\"");
    let contacts = format!("{HEADER}parent,,,,account,,,,,,,,,,\none,+12125550143,,,own,,,,parent,,,,,,\n");
    let row = |id: &str, channel: &str, outcome: &str| {
        format!("{id},2026-11-10T12:00:00Z,5,,{channel},outbound,,+12125550143,,,{outcome},1,1,,,,\n")
    };
    let usage = row("a", "voice", "answered") + &row("b", "fax", "sent") + &row("c", "sms", "sent");
    let result = World::new(&rules, &contacts, &usage).bill();
    assert_eq!(["a", "b", "c"].map(|id| event(&result, id).parts[0].clause.clone()), ["own", "account", "d"]);
}
