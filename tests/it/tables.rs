//! The numbers in the tables of the manual that no trap and no feature computes already.

use crate::priced::{ONE, USAGE, bill, bill_beside, call, calls, exact, one_call, tariff};

const OCTOBER: &str = "2026-10";

#[test]
fn the_three_modes_of_tiers() {
    let two =
        "tier = [{ up_to = \"100 minutes\", price = \"0.05 per minute\" }, { price = \"0.04 per minute\" }]";
    let graduated = format!("mode = \"graduated\", {two}");
    let volume = format!("mode = \"volume\", {two}");
    let package = "mode = \"package\", size = \"100 minutes\", price = \"10.00\"".to_owned();
    // 99, 100, 100.5 and 250 minutes.
    for (tiers, amounts) in [
        (graduated, ["4.95", "5.00", "5.02", "11.00"]),
        (volume, ["4.95", "5.00", "4.02", "10.00"]),
        (package, ["10.00", "10.00", "20.00", "30.00"]),
    ] {
        let rules = tariff(&format!("[[rate]]\nname = \"Calls\"\ntiers = {{ {tiers} }}\n"));
        for (seconds, amount) in [5940, 6000, 6030, 15_000].into_iter().zip(amounts) {
            assert_eq!(
                bill(&rules, ONE, &one_call(seconds)).net(OCTOBER),
                exact(amount),
                "{tiers}: {seconds} s"
            );
        }
    }
}

#[test]
fn fees_of_each_kind() {
    let fee = |rest: &str| {
        tariff(&format!("[[rate]]\nname = \"Calls\"\nprice = \"0 flat\"\n[[fee]]\nname = \"Fee\"\n{rest}"))
    };
    let lines = |rules: &str, contacts: &str, period: &str| -> Vec<String> {
        let usage = format!(
            "{USAGE}{}{}",
            call("a", "2026-10-20T10:00:00-04:00", 9),
            call("b", "2026-11-20T10:00:00-05:00", 9)
        );
        let lines = bill(rules, contacts, &usage).lines(period);
        lines.into_iter().filter(|line| line.starts_with("fee")).collect()
    };
    // 3.10 a month for 101 on 31 days and for 102 on 15: 46 days of 31.
    let two = "id,name,numbers,extensions\none,One,+12125550143,101;102@..2026-10-16\n";
    assert_eq!(
        lines(&fee("price = \"3.10 per month\"\nper = \"extension\"\n"), two, OCTOBER),
        ["fee Fee 4.60"]
    );
    // Once, in the period of the contact's first day, and never again.
    let from = "id,name,numbers,valid_from\none,One,+12125550143,2026-10-12\n";
    let once = fee("price = \"99.00 once\"\n");
    assert_eq!(lines(&once, from, OCTOBER), ["fee Fee 99.00"]);
    assert!(lines(&once, from, "2026-11").is_empty());
    let on = fee("price = \"99.00 once\"\non = \"2026-11-05\"\n");
    assert!(lines(&on, from, OCTOBER).is_empty());
    assert_eq!(lines(&on, from, "2026-11"), ["fee Fee 99.00"]);
    // In full although the contact came on the 12th.
    assert_eq!(
        lines(&fee("price = \"31.00 per month\"\nprorate = false\n"), from, OCTOBER),
        ["fee Fee 31.00"]
    );
}

#[test]
fn options_about_allowances() {
    let rules = |options: &str| {
        tariff(&format!(
            "[[rate]]\nname = \"Calls\"\nprice = \"1 per second\"\nincrement = \"60/60\"\nconnection_fee = \"0.05\"\n\
             [[allowance]]\nname = \"Included\"\ngrants = \"60 seconds\"\n[options]\n{options}\n"
        ))
    };
    bill(&rules(""), ONE, &one_call(60)).charges("c0", "0");
    bill(&rules("inside_allowance = \"fee\""), ONE, &one_call(60)).charges("c0", "0.05");
    // 50 of 60 s are left; 61 s are billed as 120, of which 70 are charged; or 50 are drawn and 11 are a call of 60 s.
    let fifty = |options: &str| rules(options).replace("60 seconds", "50 seconds");
    bill(&fifty(""), ONE, &one_call(61)).charges("c0", "70.05");
    bill(&fifty("allowance_draws = \"measured\""), ONE, &one_call(61)).charges("c0", "60.05");
}

#[test]
fn a_condition_in_sql() {
    let rules = tariff(
        "[[rate]]\nname = \"Night desk\"\nwhere = \"seconds >= 600 AND department = 'night desk'\"\nprice = \"3 flat\"\n\
         [[rate]]\nname = \"Others\"\nprice = \"1 flat\"\n",
    );
    let row = |id: &str, seconds: u32, department: &str| {
        format!(
            "{id},2026-10-05T10:00:00-04:00,{seconds},voice,outbound,+12125550100,+12125550143,answered,{department}\n"
        )
    };
    let usage = format!(
        "{}{}{}{}",
        USAGE.replace("outcome", "outcome,department"),
        row("long", 600, "night desk"),
        row("short", 599, "night desk"),
        row("nowhere", 600, "")
    );
    let priced = bill(&rules, ONE, &usage);
    for (event, charge) in [("long", "3"), ("short", "1"), ("nowhere", "1")] {
        priced.charges(event, charge);
    }
}

#[test]
fn a_period_of_pools_is_one_sum() {
    // Three members and 100 minutes each are 300 together: the third call of 100 minutes is the last that is included.
    let rules = tariff(
        "[[rate]]\nname = \"Calls\"\nprice = \"0.05 per minute\"\n\
         [[allowance]]\nname = \"Pool\"\ngrants = \"100 minutes\"\nshared = true\nper = \"contact\"\n",
    );
    let contacts = "id,name,numbers,pool\none,One,+12125550143,hudson\ntwo,Two,+13105550143,hudson\nthree,Three,+16465550143,hudson\n";
    let priced = bill(&rules, contacts, &calls(&[6000, 6000, 6000, 60]));
    for (event, charge) in [("c0", "0"), ("c1", "0"), ("c2", "0"), ("c3", "0.05")] {
        priced.charges(event, charge);
    }
}

#[test]
fn a_deck_is_a_destination() {
    let rules = tariff(
        "[[rate]]\nname = \"Kingdom\"\nmatch = { to = \"GB\" }\nprice = \"2 flat\"\n\
         [[rate]]\nname = \"World\"\nprice = \"deck world\"\n[deck.world]\nfile = \"world.csv\"\nunit = \"call\"\n",
    );
    let contacts = "id,name,prefixes\none,One,+4\n";
    let row = |id: &str, to: &str| {
        format!("{id},2026-10-05T10:00:00-04:00,60,voice,outbound,+12125550100,{to},answered\n")
    };
    let usage = format!(
        "{USAGE}{}{}{}",
        row("mobile", "+447400123456"),
        row("london", "+442079460018"),
        row("berlin", "+493012345678")
    );
    // The deck knows 447 and 49: longer than the country, and the only one; +4420 is not in it and the country's.
    let deck = "prefix,price,name\n447,3,Mobile\n49,1,Germany\n";
    let priced = bill_beside(&rules, contacts, &usage, &[("rules/world.csv", deck)]);
    for (event, charge) in [("mobile", "3"), ("london", "2"), ("berlin", "1")] {
        priced.charges(event, charge);
    }
}
