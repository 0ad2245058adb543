//! Traps of time.

use crate::priced::{ONE, USAGE, bill, call, exact, one_call, tariff};

const OCTOBER: &str = "2026-10";
const NOVEMBER: &str = "2026-11";

/// Whole minutes by day and by night, with connection fees.
fn day_and_night(options: &str) -> String {
    tariff(&format!(
        "[[rate]]\nname = \"Day\"\nmatch = {{ band = \"day\" }}\nprice = \"0.10 per minute\"\nincrement = \"60/60\"\n\
         connection_fee = \"0.05\"\n[[rate]]\nname = \"Night\"\nprice = \"0.04 per minute\"\nincrement = \"60/60\"\n\
         connection_fee = \"0.03\"\n[options]\n{options}\n[band.day]\nhours = \"08:00-18:00\"\n"
    ))
}

/// Seconds at 1.00 in a band, at nothing outside it: the charge is the time in the band.
fn seconds_in(band: &str) -> String {
    tariff(&format!(
        "[[rate]]\nname = \"In\"\nmatch = {{ band = \"b\" }}\nprice = \"1 per second\"\n[[rate]]\nname = \"Out\"\n\
         price = \"0 per second\"\n[band.b]\n{band}\n"
    ))
}

fn at(start: &str, seconds: u64) -> String {
    format!("{USAGE}{}", call("c0", start, seconds))
}

#[test]
fn trap_08_the_period_is_of_the_contacts_zone() {
    // Half past midnight on 1 November in New York is still half past nine on 31 October in Los Angeles.
    let contacts =
        "id,name,numbers,zone\neast,East,+12125550143,\nwest,West,+13105550143,America/Los_Angeles\n";
    let row = |id: &str, to: &str| {
        format!("{id},2026-11-01T00:30:00-04:00,60,voice,outbound,+12125550100,{to},answered\n")
    };
    let usage = format!("{USAGE}{}{}", row("e", "+12125550143"), row("w", "+13105550143"));
    let priced = bill(&tariff("[[rate]]\nname = \"Calls\"\nprice = \"1 per call\"\n"), contacts, &usage);
    let periods: Vec<(&str, &str)> =
        priced.lines.iter().map(|row| (row["contact"].as_str(), row["period"].as_str())).collect();
    assert!(periods.contains(&("east", NOVEMBER)) && periods.contains(&("west", OCTOBER)), "{periods:?}");
    assert_eq!(periods.len(), 2, "{periods:?}");
}

#[test]
fn trap_09_bands_are_of_the_tariffs_zone_or_the_contacts() {
    // 02:00 UTC on Saturday, 14 March 2026, is 22:00 on Friday in New York and 11:00 on Saturday in Tokyo.
    let weekend = |zone: &str| {
        let contacts = "id,name,numbers,zone\none,One,+12125550143,Asia/Tokyo\n";
        bill(&seconds_in(&format!("days = \"sat,sun\"\n{zone}")), contacts, &at("2026-03-14T02:00:00Z", 60))
    };
    weekend("").charges("c0", "0");
    weekend("zone = \"contact\"").charges("c0", "60");
}

#[test]
fn trap_10_the_hour_that_comes_twice_and_the_one_that_never_comes() {
    // From the first 1:30 on 1 November on, 90 minutes are in the hour from one to two, which lasts 120 minutes.
    bill(&seconds_in("hours = \"01:00-02:00\""), ONE, &at("2026-11-01T01:30:00-04:00", 5400))
        .charges("c0", "5400");
    // The day has 25 hours: a call around midnight after it is 90,000 s later than one around the midnight before.
    bill(&seconds_in("days = \"sun\""), ONE, &at("2026-10-31T23:59:00-04:00", 90_120)).charges("c0", "90000");
    // On 8 March the hour from two to three does not come: 1:59 and two minutes are 3:01.
    bill(&seconds_in("hours = \"02:00-03:00\""), ONE, &at("2026-03-08T01:59:00-05:00", 120))
        .charges("c0", "0");
    // A band from half past two begins at three, when the clocks jump: 30 of these 60 seconds.
    bill(&seconds_in("hours = \"02:30-04:00\""), ONE, &at("2026-03-08T01:59:30-05:00", 60))
        .charges("c0", "30");
}

#[test]
fn trap_11_a_call_that_crosses_a_band() {
    // 17:59:30 and 120 s. Each minute by its own start: 0.10 + 0.04; pieces: 30 s by day and 90 by night, 0.05 + 0.06; by the
    // start of the call: 0.20. The connection fee of 0.05 once; with `each` the night's 0.03 too.
    for (options, charge) in [
        ("", "0.19"),
        ("crossing = \"pieces\"", "0.16"),
        ("band_by = \"call-start\"", "0.25"),
        ("connection_fee_on_change = \"each\"", "0.22"),
    ] {
        bill(&day_and_night(options), ONE, &at("2026-10-05T17:59:30-04:00", 120)).charges("c0", charge);
    }
}

#[test]
fn trap_12_a_call_that_crosses_a_period() {
    // Twenty minutes around midnight at 0.06 a minute.
    for (options, october, november) in
        [("", "1.20", "0"), ("period_by = \"end\"", "0", "1.20"), ("period_by = \"split\"", "0.60", "0.60")]
    {
        let rules = tariff(&format!(
            "[[rate]]\nname = \"Calls\"\nprice = \"0.06 per minute\"\nincrement = \"60/60\"\n[options]\n{options}\n"
        ));
        let priced = bill(&rules, ONE, &at("2026-10-31T23:50:00-04:00", 1200));
        assert_eq!(
            (priced.net(OCTOBER), priced.net(NOVEMBER)),
            (exact(october), exact(november)),
            "{options}"
        );
    }
}

#[test]
fn trap_13_a_call_that_exhausts_an_allowance_or_a_tier() {
    // 61 s are billed as 120; 90 are included and 30 cost 0.05.
    let rules = tariff(
        "[[rate]]\nname = \"Calls\"\nprice = \"0.10 per minute\"\nincrement = \"60/60\"\n\
         [[allowance]]\nname = \"Included\"\ngrants = \"90 seconds\"\n",
    );
    bill(&rules, ONE, &one_call(61)).charges("c0", "0.05");
    // Drawn as measured: all 61 are included.
    let measured = format!("{rules}[tariff.t.options]\nallowance_draws = \"measured\"\n");
    bill(&measured, ONE, &one_call(61)).charges("c0", "0");
    // 59 s are in the first minute at 0.06; of the next two seconds one is, 0.001, and one is not, 0.0005.
    let tiers = tariff(
        "[[rate]]\nname = \"Calls\"\ntiers = { mode = \"graduated\", tier = [{ up_to = \"1 minute\", \
         price = \"0.06 per minute\" }, { price = \"0.03 per minute\" }] }\n",
    );
    let two = format!(
        "{USAGE}{}{}",
        call("a", "2026-10-05T09:00:00-04:00", 59),
        call("b", "2026-10-05T10:00:00-04:00", 2)
    );
    let priced = bill(&tiers, ONE, &two);
    priced.charges("a", "0.059");
    priced.charges("b", "0.0015");
}

#[test]
fn trap_14_intervals_are_half_open() {
    // A millisecond before six is day, six is night.
    bill(&day_and_night(""), ONE, &at("2026-10-05T17:59:59.999-04:00", 60)).charges("c0", "0.15");
    bill(&day_and_night(""), ONE, &at("2026-10-05T18:00:00-04:00", 60)).charges("c0", "0.07");
    // The same between two months, and between two owners of a number.
    let rules = tariff("[[rate]]\nname = \"Calls\"\nprice = \"1 per call\"\n");
    let contacts = "id,name,numbers\na,A,+12125550143@..2026-11-01\nb,B,+12125550143@2026-11-01..\n";
    for (start, contact, period) in
        [("2026-10-31T23:59:59.999-04:00", "a", OCTOBER), ("2026-11-01T00:00:00-04:00", "b", NOVEMBER)]
    {
        let priced = bill(&rules, contacts, &at(start, 60));
        assert_eq!(priced.lines.len(), 1);
        assert_eq!(
            (priced.lines[0]["contact"].as_str(), priced.lines[0]["period"].as_str()),
            (contact, period)
        );
    }
}

#[test]
fn trap_29_the_version_at_the_start_of_an_event_prices_it() {
    let version = |from: &str, price: &str| {
        format!(
            "[tariff.t]\ncurrency = \"USD\"\nzone = \"America/New_York\"\n{from}[[tariff.t.rate]]\nname = \"Calls\"\n\
             price = \"{price} per second\"\n"
        )
    };
    let rules = format!(
        "default_tariff = \"t\"\n{}=====\n{}",
        version("", "0.05"),
        version("valid_from = \"2026-10-15\"\n", "0.06")
    );
    // The second before midnight starts a call of 10 s that ends in the new version: 10 × 0.05.
    bill(&rules, ONE, &at("2026-10-14T23:59:59-04:00", 10)).charges("c0", "0.50");
    bill(&rules, ONE, &at("2026-10-15T00:00:00-04:00", 10)).charges("c0", "0.60");
    // Before the first version there is no rate, and no price is made up.
    let dated = rules.replacen(
        "zone = \"America/New_York\"\n",
        "zone = \"America/New_York\"\nvalid_from = \"2026-10-01\"\n",
        1,
    );
    bill(&dated, ONE, &at("2026-09-30T12:00:00-04:00", 10)).ends("c0", "suspended", "no-rate");
}
