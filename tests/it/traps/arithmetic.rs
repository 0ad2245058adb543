//! Traps of rounding and arithmetic.

use crate::priced::{ONE, USAGE, bill, call, calls, exact, fraction, one_call, refused, tariff};

const OCTOBER: &str = "2026-10";

#[test]
fn trap_01_rounding_happens_where_the_tariff_says_and_else_once_at_the_line() {
    let rate = "[[rate]]\nname = \"Calls\"\nprice = \"0.0345 per minute\"\nincrement = \"6/6\"\n";
    let rounded =
        |rounding: &str| bill(&tariff(&format!("rounding = {rounding}\n{rate}")), ONE, &calls(&[30, 30, 30]));
    // 30 × 0.0345 / 60 = 0.01725; three are 0.05175, rounded once 0.05.
    let line = rounded("{ line = \"half-away\" }");
    line.charges("c0", "0.01725");
    assert_eq!(line.lines(OCTOBER), ["usage Calls 0.05"]);
    assert_eq!(fraction(&line.lines[0]), exact("0.05175"), "the unrounded value is kept");
    // Each call to cents: 3 × 0.02.
    let event = rounded("{ charge = \"per-event\", charge_scale = 2 }");
    event.charges("c0", "0.02");
    assert_eq!(event.lines(OCTOBER), ["usage Calls 0.06"]);
    // Each step of 6 s, 0.00345, to four decimals: 5 × 0.0035 = 0.0175; three are 0.0525.
    let increment = rounded("{ charge = \"per-increment\", charge_scale = 4 }");
    increment.charges("c0", "0.0175");
    assert_eq!(fraction(&increment.lines[0]), exact("0.0525"));
    assert_eq!(increment.lines(OCTOBER), ["usage Calls 0.05"]);
    // 0.05175 up is 0.06.
    assert_eq!(rounded("{ line = \"up\" }").lines(OCTOBER), ["usage Calls 0.06"]);
}

#[test]
fn trap_02_nothing_floats() {
    // A tenth three times is 0.3, and the ten decimals of a price are all kept.
    let calls_of = |price: &str, lengths: &[u64]| {
        bill(&tariff(&format!("[[rate]]\nname = \"Calls\"\nprice = \"{price}\"\n")), ONE, &calls(lengths))
    };
    assert_eq!(fraction(&calls_of("0.1 per call", &[9, 9, 9]).lines[0]), exact("0.3"));
    assert_eq!(fraction(&calls_of("0.0000000001 per call", &[9, 9, 9]).lines[0]), exact("0.0000000003"));
    // 20 s at 0.10 a minute are a thirtieth; three of them are exactly a tenth.
    assert_eq!(fraction(&calls_of("0.10 per minute", &[20, 20, 20]).lines[0]), exact("0.1"));
}

#[test]
fn trap_03_sums_beyond_64_bits_and_the_mode_of_rounding() {
    // Twelve times 999,999,990,000,000,001 of the smallest unit are beyond 64 bits.
    let rules = tariff("[[rate]]\nname = \"Calls\"\nprice = \"99999999.0000000001 per call\"\n");
    let large = bill(&rules, ONE, &calls(&[1; 12]));
    assert_eq!(fraction(&large.lines[0]), exact("1199999988.0000000012"));
    assert_eq!(large.lines(OCTOBER), ["usage Calls 1199999988.00"]);
    // Half away from zero, where bankers' rounding would give 0.12 for the first: 0.125 and 0.135.
    for (price, amount) in [("0.125", "0.13"), ("0.135", "0.14")] {
        let rules = tariff(&format!("[[rate]]\nname = \"Calls\"\nprice = \"{price} per call\"\n"));
        assert_eq!(bill(&rules, ONE, &one_call(5)).lines(OCTOBER), [format!("usage Calls {amount}")]);
        let even = rules.replace("zone =", "rounding = { line = \"half-even\" }\nzone =");
        let expected = if price == "0.125" { "0.12" } else { "0.14" };
        assert_eq!(bill(&even, ONE, &one_call(5)).lines(OCTOBER), [format!("usage Calls {expected}")]);
    }
}

#[test]
fn trap_05_no_total_differs_from_its_lines() {
    // 0.004 a call: three lines of 0.004, each rounded by itself to 0.00, and one of 0.012 rounded to 0.01.
    let rate = |name: &str, to: &str| {
        format!("[[rate]]\nname = \"{name}\"\nmatch = {{ to = \"{to}\" }}\nprice = \"0.004 per call\"\n")
    };
    let rules = tariff(&(rate("A", "+1212") + &rate("B", "+1917") + &rate("C", "+1646")));
    let contacts = "id,name,prefixes\none,One,+1212;+1917;+1646\n";
    let row = |id: &str, to: &str| {
        format!("{id},2026-10-05T10:00:00-04:00,9,voice,outbound,+12125550100,{to},answered\n")
    };
    let usage = format!(
        "{USAGE}{}{}{}",
        row("a", "+12125550143"),
        row("b", "+19175550143"),
        row("c", "+16465550143")
    );
    let priced = bill(&rules, contacts, &usage);
    assert_eq!(priced.lines(OCTOBER), ["usage A 0.00", "usage B 0.00", "usage C 0.00"]);
    assert_eq!(priced.net(OCTOBER), exact("0"), "the sum is that of the lines as they are printed");
    let one_line = bill(&tariff("[[rate]]\nname = \"All\"\nprice = \"0.004 per call\"\n"), contacts, &usage);
    assert_eq!(one_line.lines(OCTOBER), ["usage All 0.01"]);
}

#[test]
fn trap_06_a_negative_amount_is_rounded_as_its_positive_one() {
    // A call of 0.125 is paid by a credit: 0.13 and −0.13, together nothing.
    let rules = tariff(
        "[[rate]]\nname = \"Calls\"\nprice = \"0.125 per call\"\n[[allowance]]\nname = \"Credit\"\ngrants = \"5.00 of charges\"\n",
    );
    let mirrored = bill(&rules, ONE, &one_call(5));
    assert_eq!(mirrored.net(OCTOBER), exact("0"));
    assert!(
        mirrored.lines(OCTOBER).contains(&"allowance Credit -0.13".to_owned()),
        "{:?}",
        mirrored.lines(OCTOBER)
    );
    // Toward plus infinity the tie −0.125 becomes −0.12.
    let upward =
        bill(&(rules + "[tariff.t.options]\nnegative = \"toward-plus-infinity\"\n"), ONE, &one_call(5));
    assert!(
        upward.lines(OCTOBER).contains(&"allowance Credit -0.12".to_owned()),
        "{:?}",
        upward.lines(OCTOBER)
    );
}

#[test]
fn trap_07_each_currency_has_its_own_minor_units() {
    // Half a yen is one yen, half a fils is one fils, half a cent is one cent.
    for (currency, price, amount) in
        [("JPY", "0.5", "1"), ("KWD", "0.0005", "0.001"), ("USD", "0.005", "0.01")]
    {
        let rules = tariff(&format!("[[rate]]\nname = \"Calls\"\nprice = \"{price} per call\"\n"))
            .replace("USD", currency);
        assert_eq!(bill(&rules, ONE, &one_call(5)).lines(OCTOBER), [format!("usage Calls {amount}")]);
    }
    let rules = tariff("[[rate]]\nprice = \"1 per call\"\n");
    let said = refused(&rules, "id,name,numbers,currency\none,One,+12125550143,EUR\n", &one_call(5));
    assert!(said.contains("currency-mismatch"), "{said}");
}

#[test]
fn trap_37_the_scope_of_rounding_is_the_tariffs() {
    // 45, 45 and 5 minutes, an hour at least and whole hours, at 1.00 an hour.
    let scoped = |scope: &str| {
        let rate = "[[rate]]\nname = \"Time\"\nprice = \"1.00 per hour\"\nincrement = \"3600/3600\"\nminimum = \"60 minutes\"\n";
        let usage = format!(
            "{USAGE}{}{}{}",
            call("a", "2026-10-05T09:00:00-04:00", 2700),
            call("b", "2026-10-05T11:00:00-04:00", 2700),
            call("c", "2026-10-05T13:00:00-04:00", 300)
        );
        bill(&tariff(&format!("{rate}scope = \"{scope}\"\n")), ONE, &usage)
    };
    let each = scoped("call");
    assert_eq!(each.lines(OCTOBER), ["usage Time 3.00"]);
    // 45 → 1 h; 90 → 2 h, one more; 95 → 2 h, none more.
    let day = scoped("contact-day");
    for (event, charge) in [("a", "1"), ("b", "1"), ("c", "0")] {
        day.charges(event, charge);
    }
    assert_eq!(day.lines(OCTOBER), ["usage Time 2.00"]);
}

#[test]
fn trap_37_scopes_over_matters_days_and_the_period() {
    let rate = "[[rate]]\nname = \"Time\"\nprice = \"1.00 per hour\"\nincrement = \"3600/3600\"\n";
    let usage = |rows: &[(&str, &str, u64, &str, &str)]| {
        let mut text = "id,start,seconds,channel,direction,from,to,outcome,matter,timekeeper\n".to_owned();
        for (id, start, seconds, matter, timekeeper) in rows {
            let to = "voice,outbound,+12125550100,+12125550143,answered";
            text.push_str(&format!(
                "{id},2026-10-{start}:00:00-04:00,{seconds},{to},{matter},{timekeeper}\n"
            ));
        }
        text
    };
    let net = |scope: &str, text: &str| {
        let contacts = "id,name,numbers,matters\none,One,+12125550143,M1;M2\n";
        let people = "[timekeeper.JD]\nname = \"J\"\nextensions = [\"101\"]\n[timekeeper.SP]\nname = \"S\"\nextensions = [\"102\"]\n";
        bill(&format!("{}{people}", tariff(&format!("{rate}scope = \"{scope}\"\n"))), contacts, text)
            .net(OCTOBER)
    };
    // On one day 20 and 20 minutes of M1 and 20 of M2; JD has the first and the last.
    let day = usage(&[
        ("a", "05T09", 1200, "M1", "JD"),
        ("b", "05T11", 1200, "M1", "SP"),
        ("c", "05T13", 1200, "M2", "JD"),
    ]);
    // contact-day: 60 min, 1 h. matter-day: 40 and 20, 2 h. timekeeper-day: 20, 20, 20, 3 h.
    for (scope, hours) in [("call", "3"), ("contact-day", "1"), ("matter-day", "2"), ("timekeeper-day", "3")]
    {
        assert_eq!(net(scope, &day), exact(hours), "{scope}");
    }
    // 20 minutes on each of two days: by the day 2 h, by the period 1 h.
    let days = usage(&[("a", "05T09", 1200, "M1", "JD"), ("b", "06T09", 1200, "M1", "JD")]);
    for (scope, hours) in [("contact-day", "2"), ("period", "1")] {
        assert_eq!(net(scope, &days), exact(hours), "{scope}");
    }
}

#[test]
fn trap_39_zero_is_a_value() {
    let rules =
        |rest: &str| tariff(&format!("[[rate]]\nname = \"Calls\"\nprice = \"0.60 per minute\"\n{rest}"));
    // 0.60 a minute is 0.01 a second: five seconds are 0.05. A zero is neither absent nor another number.
    for (rest, charge) in [
        ("", "0.05"),
        ("minimum = \"0 seconds\"\n", "0.05"),
        ("grace = \"0 seconds\"\n", "0.05"),
        ("charge_floor = \"0\"\n", "0.05"),
        ("connection_fee = \"0\"\n", "0.05"),
        ("charge_cap = \"0\"\n", "0"),
        ("[[tariff.t.allowance]]\nname = \"None\"\ngrants = \"0 minutes\"\n", "0.05"),
    ] {
        bill(&rules(rest), ONE, &one_call(5)).charges("c0", charge);
    }
    for rest in ["minimum = \"\"\n", "charge_cap = \"\"\n", "increment = \"0/0\"\n", "increment = \"\"\n"] {
        let said = refused(&rules(rest), ONE, &one_call(5));
        assert!(said.contains("wrong-value"), "{rest}: {said}");
    }
    // Of an event: nobody knows its length, it has none, it cannot be read.
    let row = |seconds: &str| {
        format!(
            "{USAGE}c0,2026-10-05T10:00:00-04:00,{seconds},voice,outbound,+12125550100,+12125550143,answered\n"
        )
    };
    bill(&rules(""), ONE, &row("")).ends("c0", "suspended", "no-duration");
    bill(&rules(""), ONE, &row("0")).ends("c0", "zero-rated", "");
    assert!(refused(&rules(""), ONE, &row("five")).contains("wrong-usage"));
}
