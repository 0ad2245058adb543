//! Hand-made cases of what one event costs: options, steps, tiers, decks, costs, discounts, rounding. Expected amounts are
//! computed in the comments.

use super::{ONE, World, amount, call, event, tariff, units};
use crate::support::oracle::decimal;

/// Options in a tariff with one rate.
fn with_options(options: &str, rate: &str) -> String {
    tariff(&format!("options = {{ {options} }}\n[[rate]]\nname = \"Out\"\n{rate}"))
}

fn seconds_billed(rules: &str, seconds: u64) -> i64 {
    let result = World::new(rules, ONE, &call("a", "2026-11-10T12:00:00Z", seconds)).bill();
    units(&result, "a")
}

/// 60/45 of 61 s: from the first block 60 + 45 = 105; from zero the next multiple of 45 above 60 is 90. 91 s: 105 and 135.
#[test]
fn increments_from() {
    let rate = "price = \"0.06 per minute\"\nincrement = \"60/45\"\n";
    let zero = with_options("increments_from = \"zero\"", rate);
    let block = with_options("increments_from = \"first-block\"", rate);
    for (seconds, from_block, from_zero) in
        [(10, 60, 60), (60, 60, 60), (61, 105, 90), (91, 105, 135), (136, 150, 180)]
    {
        assert_eq!(
            (seconds_billed(&block, seconds), seconds_billed(&zero, seconds)),
            (from_block, from_zero),
            "{seconds}"
        );
    }
}

/// 60/30: below the first block nothing; 89 s are one block, 90 s a block and a step.
#[test]
fn units_completed() {
    let rules = with_options("units = \"completed\"", "price = \"0.06 per minute\"\nincrement = \"60/30\"\n");
    for (seconds, billed) in [(60, 60), (89, 60), (90, 90), (150, 150)] {
        assert_eq!(seconds_billed(&rules, seconds), billed, "{seconds}");
    }
    let result = World::new(&rules, ONE, &call("a", "2026-11-10T12:00:00Z", 59)).bill();
    assert_eq!(event(&result, "a").disposition, "zero-rated");
}

/// A minimum of 30 s, a first block of 1 s and steps of 6 s: 1 + 5 × 6 = 31 is the first length of blocks that covers 30.
#[test]
fn minimum() {
    let rules =
        with_options("", "price = \"0.06 per minute\"\nincrement = \"1/6\"\nminimum = \"30 seconds\"\n");
    assert_eq!([20, 31, 32].map(|seconds| seconds_billed(&rules, seconds)), [31, 31, 37]);
}

/// Grace of 5 s: shorter than 5 000 ms is free; with the other word 5 000 ms too.
#[test]
fn grace() {
    let rate = "price = \"0.06 per minute\"\ngrace = \"5 seconds\"\n";
    for (options, free) in [("", [true, false]), ("grace_by = \"not-longer-than\"", [true, true])] {
        for (thousandths, free) in [(4_999, free[0]), (5_000, free[1]), (5_001, false)] {
            let row = call("a", "2026-11-10T12:00:00Z", 7).replace(",7,,", &format!(",,{thousandths},"));
            let result = World::new(&with_options(options, rate), ONE, &row).bill();
            let expected = if free { "zero-rated" } else { "billed" };
            assert_eq!(event(&result, "a").disposition, expected, "{thousandths} {options}");
        }
    }
}

/// A call of no length, and one of 500 ms, with a block of 60 s.
#[test]
fn zero_seconds_and_under_a_second() {
    let rate = "price = \"0.06 per minute\"\nincrement = \"60/60\"\n";
    let cases = [
        ("", 0, "zero-rated", 0),
        ("zero_seconds = \"first-block\"", 0, "billed", 60),
        ("", 500, "billed", 60),
        ("under_a_second = \"nothing\"", 500, "zero-rated", 0),
        ("under_a_second = \"nothing\"", 1000, "billed", 60),
    ];
    for (options, thousandths, disposition, billed) in cases {
        let row = call("a", "2026-11-10T12:00:00Z", 7).replace(",7,,", &format!(",,{thousandths},"));
        let result = World::new(&with_options(options, rate), ONE, &row).bill();
        assert_eq!(
            (event(&result, "a").disposition, units(&result, "a")),
            (disposition, billed),
            "{options}"
        );
    }
}

/// 100 s: the first minute at 0.60, the rest at 0.06 a minute. 30/30: blocks at 0, 30, 60, 90 → 60 s × 0.01 + 60 s × 0.001
/// = 0.66. With 45-second blocks at 0, 45, 90 each is priced by its start: 90 × 0.01 + 45 × 0.001 = 0.945; in pieces 60 × 0.01
/// + 75 × 0.001 = 0.675; with an offset of 1 s the second at 60 is still of the first step: 61 × 0.01 + 74 × 0.001 = 0.684.
#[test]
fn steps_by_position() {
    let steps =
        "steps = [{ price = \"0.60 per minute\", first = \"1 minute\" }, { price = \"0.06 per minute\" }]\n";
    let cases = [
        ("", "30/30", "0.66"),
        ("", "45/45", "0.945"),
        ("crossing = \"pieces\"", "45/45", "0.675"),
        ("crossing = \"pieces\", after_offset_seconds = 1", "45/45", "0.684"),
    ];
    for (options, increment, expected) in cases {
        let rules = with_options(options, &format!("{steps}increment = \"{increment}\"\n"));
        let result = World::new(&rules, ONE, &call("a", "2026-11-10T12:00:00Z", 100)).bill();
        assert_eq!(amount(&result, "a"), decimal(expected), "{options} {increment}");
    }
}

const BANDS: &str = "[[rate]]\nname = \"Day\"\nmatch = { band = \"day\" }\nprice = \"0.60 per minute\"\n\
    increment = \"60/60\"\nconnection_fee = \"0.01\"\n[[rate]]\nname = \"Night\"\nprice = \"0.06 per minute\"\n\
    increment = \"60/60\"\nconnection_fee = \"0.02\"\n[band.day]\nhours = \"08:00-18:00\"\n";

/// 17:59:30, 90 s, minutes: the first by day, the second by night: 0.60 + 0.06 + 0.01. By the call's start both by day:
/// 1.20 + 0.01. In pieces 30 s by day and 90 s by night: 0.30 + 0.09 + 0.01. With the fee of each rate 0.02 more.
#[test]
fn crossing_a_band() {
    let cases = [
        ("", "0.67"),
        ("band_by = \"call-start\"", "1.21"),
        ("crossing = \"pieces\"", "0.40"),
        ("connection_fee_on_change = \"each\"", "0.69"),
        ("crossing = \"pieces\", connection_fee_on_change = \"each\"", "0.42"),
    ];
    for (options, expected) in cases {
        let rules = tariff(&format!("options = {{ {options} }}\n{BANDS}"));
        let result = World::new(&rules, ONE, &call("a", "2026-11-10T17:59:30-05:00", 90)).bill();
        assert_eq!(amount(&result, "a"), decimal(expected), "{options}");
    }
}

/// One included minute. Billed: 61 s in minutes are 120, 60 left: 0.06 + 0.01. Measured: of 61 s one is left, a call of its own
/// of one block: 0.06 + 0.01 too; 70 s in 60/6 are 72, 12 left, or 10 measured and a block of 60. A call of 60 s is included;
/// with the fee inside it costs 0.01, raised to the floor of 0.03.
#[test]
fn allowances_and_fees_inside() {
    let rules = |options: &str| {
        with_options(
            options,
            "price = \"0.06 per minute\"\nincrement = \"60/6\"\nconnection_fee = \"0.01\"\ncharge_floor = \"0.03\"\n\
             [[allowance]]\nname = \"Included\"\ngrants = \"1 minute\"\n",
        )
    };
    let cases = [
        ("", 70, "0.03", 12),
        ("allowance_draws = \"measured\"", 70, "0.07", 60),
        ("", 60, "0", 0),
        ("inside_allowance = \"fee\"", 60, "0.03", 0),
    ];
    for (options, seconds, expected, left) in cases {
        let result = World::new(&rules(options), ONE, &call("a", "2026-11-10T12:00:00Z", seconds)).bill();
        assert_eq!(amount(&result, "a"), decimal(expected), "{options}");
        let usage: i64 =
            event(&result, "a").parts.iter().filter(|part| part.kind == "usage").map(|part| part.units).sum();
        assert_eq!(usage, left, "{options}");
    }
}

/// 0.50 flat for whatever event; a fax of three pages too.
#[test]
fn flat_prices() {
    let rules = tariff("[[rate]]\nname = \"Any\"\nprice = \"0.50 flat\"\n");
    let fax = "b,2026-11-10T12:00:00Z,,,fax,outbound,,+12125550143,,,sent,,3,,,,\n";
    let result = World::new(&rules, ONE, &(call("a", "2026-11-10T12:00:00Z", 600) + fax)).bill();
    for id in ["a", "b"] {
        assert_eq!((units(&result, id), amount(&result, id)), (1, decimal("0.50")));
        assert_eq!(event(&result, id).parts[0].unit, "event");
    }
}

/// Longest prefix: +442075… at 0.30, +44… at 0.10; a row ends on the 15th (midnight in New York, 05:00 UTC), and what no row
/// knows has no rate. The row's own block of 60 s and fee 0.05; the deck's 30 s else.
#[test]
fn decks() {
    let deck = "prefix,price,name,increment,connection_fee,valid_from,valid_to\n44,0.10,Britain,,,,\n\
        4420,0.30,London,60/60,0.05,,2026-11-15\n";
    let rules = tariff(
        "[[rate]]\nname = \"World\"\nprice = \"deck world\"\n[deck.world]\nfile = \"world.csv\"\nunit = \"minute\"\n\
         increment = \"30/30\"\n",
    );
    let contact = "one,One,,,,,7,,,,,,,,,\n";
    let row = |id: &str, start: &str, to: &str| {
        format!("{id},{start},10,,voice,outbound,,{to},7,,answered,,,,,,\n")
    };
    let usage = row("a", "2026-11-10T12:00:00Z", "+442079460123")
        + &row("b", "2026-11-10T12:00:00Z", "+441614960123")
        + &row("c", "2026-11-15T05:00:00Z", "+442079460123")
        + &row("d", "2026-11-10T12:00:00Z", "+4930901820");
    let result = World::new(&rules, contact, &usage).companion("world.csv", deck).bill();
    // 60 s at 0.30 and the fee; 30 s at 0.10.
    assert_eq!(["a", "b", "c"].map(|id| amount(&result, id)), ["0.35", "0.05", "0.05"].map(decimal));
    let names = ["a", "b", "c"].map(|id| event(&result, id).parts[0].destination.clone());
    assert_eq!(names, ["London", "Britain", "Britain"]);
    assert_eq!(event(&result, "d").reason, "no-rate");
}

/// Carrier cost 0.1234567891: + 20 % + 0.01 = 0.15814814692. Without a cost nobody can say.
#[test]
fn cost_plus() {
    let rules = tariff("[[rate]]\nname = \"Out\"\nprice = \"cost + 20% + 0.01\"\nconnection_fee = \"1\"\n");
    let with_cost = call("a", "2026-11-10T12:00:00Z", 5).replace(",,,\n", ",0.1234567891,,\n");
    let result = World::new(&rules, ONE, &(with_cost + &call("b", "2026-11-10T12:00:00Z", 5))).bill();
    assert_eq!(amount(&result, "a"), decimal("1.15814814692"));
    assert_eq!((event(&result, "b").disposition, event(&result, "b").reason), ("suspended", "no-cost"));
}

/// The supplier asks 61 s in minutes at 0.02 and a fee of 0.01: 0.05; + 15 % = 0.0575.
#[test]
fn supplier_tariffs() {
    let rules = tariff(
        "supplier = \"carrier\"\n[[rate]]\nname = \"Out\"\nprice = \"supplier + 15%\"\n\
         [tariff.carrier]\ncurrency = \"USD\"\nzone = \"UTC\"\n[[tariff.carrier.rate]]\nname = \"Cost\"\n\
         price = \"0.02 per minute\"\nincrement = \"60/60\"\nconnection_fee = \"0.01\"\n",
    );
    let result = World::new(&rules, ONE, &call("a", "2026-11-10T12:00:00Z", 61)).bill();
    assert_eq!(amount(&result, "a"), decimal("0.0575"));
}

/// 10 % off 0.60 + 0.05: 0.585, raised to the floor of 0.59. A fixed 2.00 leaves nothing, then the floor.
#[test]
fn event_discount() {
    for (off, floor, expected) in
        [("10%", "0.59", "0.59"), ("10%", "0.01", "0.585"), ("2.00", "0.01", "0.01")]
    {
        let rules = with_options(
            "",
            &format!(
                "price = \"0.60 per minute\"\nconnection_fee = \"0.05\"\ndiscount = \"{off}\"\ncharge_floor = \"{floor}\"\n"
            ),
        );
        let result = World::new(&rules, ONE, &call("a", "2026-11-10T12:00:00Z", 60)).bill();
        assert_eq!(amount(&result, "a"), decimal(expected), "{off} {floor}");
    }
}

/// 7 s at 0.01 per minute in steps of 3 s are 9 s: 0.0015. Per event to three places half away: 0.002; down 0.001. Per
/// increment 3 × 0.0005: to three places up 3 × 0.001.
#[test]
fn charge_rounding() {
    let cases = [
        ("charge = \"per-event\", charge_scale = 3", "0.002"),
        ("charge = \"per-event\", charge_scale = 3, charge_mode = \"down\"", "0.001"),
        ("charge = \"per-increment\", charge_scale = 3, charge_mode = \"up\"", "0.003"),
        ("charge = \"none\"", "0.0015"),
    ];
    for (rounding, expected) in cases {
        let rules = tariff(&format!(
            "rounding = {{ {rounding} }}\n[[rate]]\nname = \"Out\"\nprice = \"0.01 per minute\"\nincrement = \"3/3\"\n"
        ));
        let result = World::new(&rules, ONE, &call("a", "2026-11-10T12:00:00Z", 7)).bill();
        assert_eq!(amount(&result, "a"), decimal(expected), "{rounding}");
    }
}

/// By the hour of who took the call: 60 s at 360 per hour are 6. Nobody's price: suspended.
#[test]
fn by_timekeeper() {
    let rules = tariff(
        "[[rate]]\nname = \"Time\"\nprice = \"by timekeeper\"\n[timekeeper.jane]\nname = \"Jane\"\n\
         extensions = [\"101@..2026-11-15\"]\nprice = \"360.00 per hour\"\n",
    );
    let row = |id: &str, start: &str| call(id, start, 60).replace("+12125550143,,", "+12125550143,101,");
    let usage = row("a", "2026-11-15T04:59:59Z") + &row("b", "2026-11-15T05:00:00Z");
    let result = World::new(&rules, ONE, &usage).bill();
    assert_eq!(amount(&result, "a"), decimal("6"));
    assert_eq!(event(&result, "a").parts[0].timekeeper, "jane");
    assert_eq!(event(&result, "b").reason, "no-timekeeper-price");
}

/// Toll-free, short and withheld numbers are classes; a code is matched whole or by its beginning; a condition that is null
/// does not match.
#[test]
fn further_conditions() {
    let rules = tariff(
        "[[rate]]\nname = \"Free\"\nmatch = { to_class = \"toll-free\" }\nprice = \"1 per call\"\n\
         [[rate]]\nname = \"Short\"\nmatch = { to_class = [\"short-code\", \"emergency\"] }\nprice = \"2 per call\"\n\
         [[rate]]\nname = \"Hidden\"\nmatch = { from_class = \"withheld\", extension = \"7\" }\nprice = \"3 per call\"\n\
         [[rate]]\nname = \"Long\"\nwhere = \"seconds > 100 AND NOT (department = 'Sales')\"\nprice = \"4 per call\"\n\
         [[rate]]\nname = \"Rest\"\nprice = \"5 per call\"\n",
    );
    let contact = "one,One,,,,,7;8,,,,,,,,,\n";
    let row = |id: &str, seconds: u64, from: &str, to: &str, extension: u64| {
        format!(
            "{id},2026-11-10T12:00:00Z,{seconds},,voice,outbound,{from},{to},{extension},,answered,,,,,,\n"
        )
    };
    let us = "+12125550143";
    let usage = row("a", 5, us, "+18005550143", 7)
        + &row("b", 5, us, "911", 7)
        + &row("c", 5, "anonymous", us, 7)
        + &row("d", 5, "anonymous", us, 8)
        // Its department is null, and so is the whole condition.
        + &row("e", 101, us, us, 8);
    let result = World::new(&rules, contact, &usage).bill();
    let names = ["a", "b", "c", "d", "e"].map(|id| event(&result, id).parts[0].clause.clone());
    assert_eq!(names, ["Free", "Short", "Hidden", "Rest", "Rest"]);
}

/// The exact code before the longest beginning before none; a row with a direction before one without.
#[test]
fn outcome_rows() {
    let row = |key: &str, billable: bool| {
        format!(
            "[[outcome]]\nchannel = \"sms\"\noutcome = \"delivery-failed\"\narrived = \"no\"\n{key}billable = {billable}\n"
        )
    };
    let rules = tariff("[[rate]]\nname = \"Text\"\nprice = \"1 per message\"\n")
        + &row("", false)
        + &row("error_code = \"SMS-*\"\n", true)
        + &row("error_code = \"SMS-UP-*\"\n", false)
        + &row("error_code = \"SMS-UP-430\"\n", true)
        + &row("error_code = \"SMS-UP-430\"\ndirection = \"inbound\"\n", false);
    let usage = "id,start,channel,direction,from,to,outcome,error_code\n\
        a,2026-11-10T12:00:00Z,sms,outbound,,+12125550143,delivery-failed,\n\
        b,2026-11-10T12:00:00Z,sms,outbound,,+12125550143,delivery-failed,SMS-RC-1\n\
        c,2026-11-10T12:00:00Z,sms,outbound,,+12125550143,delivery-failed,SMS-UP-1\n\
        d,2026-11-10T12:00:00Z,sms,outbound,,+12125550143,delivery-failed,SMS-UP-430\n\
        e,2026-11-10T12:00:00Z,sms,inbound,+12125550143,,delivery-failed,SMS-UP-430\n";
    let result = World::new(&rules, ONE, usage).bill();
    let billed = ["a", "b", "c", "d", "e"].map(|id| event(&result, id).disposition == "billed");
    assert_eq!(billed, [false, true, false, true, false]);
}

/// A band that starts only on the days of a calendar, and one that does not start on them.
#[test]
fn calendars() {
    let rules = tariff(
        "[[rate]]\nname = \"Holiday\"\nmatch = { band = \"holiday\" }\nprice = \"1 per call\"\n\
         [[rate]]\nname = \"Day\"\nmatch = { band = \"day\" }\nprice = \"2 per call\"\n[[rate]]\nname = \"Rest\"\nprice = \"3 per call\"\n\
         [band.holiday]\non = [\"us\", \"2026-12-31\"]\nhours = \"12:00-24:00\"\n\
         [band.day]\nhours = \"08:00-18:00\"\nexcept = \"us\"\n\
         [calendar.us]\ndays = [\"2026-11-26\"]\nfile = \"us.csv\"\n",
    );
    let starts = [
        ("a", "2026-11-26T12:00:00-05:00", "Holiday"),
        ("b", "2026-11-26T11:59:59-05:00", "Rest"),
        ("c", "2026-11-27T12:00:00-05:00", "Day"),
        ("d", "2026-12-25T09:00:00-05:00", "Rest"),
        ("e", "2026-12-25T23:00:00-05:00", "Holiday"),
        ("f", "2026-12-31T23:00:00-05:00", "Holiday"),
    ];
    let usage: String = starts.iter().map(|(id, start, _)| call(id, start, 5)).collect();
    let result =
        World::new(&rules, ONE, &usage).companion("us.csv", "date,name\n2026-12-25,Christmas\n").bill();
    for (id, _, rate) in starts {
        assert_eq!(event(&result, id).parts[0].clause, rate, "{id}");
    }
}

/// A marked letter is two places: 67 of them are 134 places, two segments of 67 when a letter may lose its mark, and three
/// (33 + 33 + 1) when it may not. GSM letters count as before.
#[test]
fn graphemes() {
    let rules = |split: &str| {
        tariff(&format!(
            "options = {{ text_split = \"{split}\" }}\n[[rate]]\nname = \"Text\"\nprice = \"1 per segment\"\n"
        ))
    };
    let marked = "e\u{301}".repeat(67);
    let joined = "👩\u{200d}💻".repeat(14);
    for (split, text, segments) in [
        ("pairs", marked.as_str(), 2),
        ("graphemes", &marked, 3),
        ("graphemes", &joined, 1),
        ("graphemes", "hello", 1),
    ] {
        let row = format!("a,2026-11-10T12:00:00Z,,,sms,outbound,,+12125550143,,,sent,,,{text},,,\n");
        let result = World::new(&rules(split), ONE, &row).bill();
        assert_eq!(units(&result, "a"), segments, "{split} {text}");
    }
}
