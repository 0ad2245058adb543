//! Traps of records.

use crate::priced::{ONE, USAGE, bill, one_call, tariff};
use crate::support::session::{Session, USAGE as COMPANY_USAGE};

const BY_MINUTE: &str = "[[rate]]\nname = \"Calls\"\nmatch = { channel = \"voice\" }\nprice = \"0.60 per minute\"\nincrement = \"60/6\"\n\
    connection_fee = \"0.10\"\n";

#[test]
fn trap_18_a_number_is_one_however_it_is_written() {
    let row = |id: &str, to: &str| {
        format!("{id},2026-10-05T10:00:00-04:00,60,voice,outbound,+12125550100,{to},answered\n")
    };
    let written = ["+12125550143", "(212)555-0143", "12125550143", "212-555-0143", "+1 212 555 0143"];
    let rows: String = written.iter().enumerate().map(|(index, to)| row(&format!("c{index}"), to)).collect();
    let priced = bill(&tariff(BY_MINUTE), ONE, &format!("{USAGE}{rows}"));
    for index in 0..written.len() {
        // One minute at 0.60, and 0.10.
        priced.charges(&format!("c{index}"), "0.70");
    }
    // A caller who withholds the number is nobody's contact, and no extension is taken for a number.
    let withheld = "w,2026-10-05T10:00:00-04:00,60,voice,inbound,anonymous,+19175550100,answered\n";
    bill(&tariff(BY_MINUTE), ONE, &format!("{USAGE}{withheld}")).ends("w", "unmatched contact", "");
}

#[test]
fn trap_19_a_cost_is_taken_only_where_a_rate_asks_for_it() {
    let header = "id,start,seconds,channel,direction,from,to,outcome,carrier_cost\n";
    let row = |cost: &str| {
        format!(
            "{header}c0,2026-10-05T10:00:00-04:00,60,voice,outbound,+12125550100,+12125550143,answered,{cost}\n"
        )
    };
    bill(&tariff(BY_MINUTE), ONE, &row("9.99")).charges("c0", "0.70");
    // 0.10 and a fifth of it, and 0.01.
    let cost = tariff("[[rate]]\nname = \"At cost\"\nprice = \"cost + 20% + 0.01\"\n");
    bill(&cost, ONE, &row("0.10")).charges("c0", "0.13");
    bill(&cost, ONE, &row("0")).charges("c0", "0.01");
    bill(&cost, ONE, &row("")).ends("c0", "suspended", "no-cost");
    bill(&cost, ONE, &row("0.00000000001")).ends("c0", "suspended", "too-fine");
}

#[test]
fn trap_20_unanswered_zero_and_negative_lengths() {
    let row = |seconds: &str, outcome: &str| {
        format!(
            "{USAGE}c0,2026-10-05T10:00:00-04:00,{seconds},voice,outbound,+12125550100,+12125550143,{outcome}\n"
        )
    };
    let unanswered = bill(&tariff(BY_MINUTE), ONE, &row("20", "unanswered"));
    unanswered.ends("c0", "outcome not billable", "");
    unanswered.charges("c0", "0");
    let zero = bill(&tariff(BY_MINUTE), ONE, &row("0", "answered"));
    zero.ends("c0", "zero-rated", "");
    zero.charges("c0", "0");
    // By option a first block: 60 s at 0.60, and 0.10.
    let block = format!("{}[tariff.t.options]\nzero_seconds = \"first-block\"\n", tariff(BY_MINUTE));
    bill(&block, ONE, &row("0", "answered")).charges("c0", "0.70");
    let negative = bill(&tariff(BY_MINUTE), ONE, &row("-5", "answered"));
    negative.ends("c0", "suspended", "negative-quantity");
}

#[test]
fn trap_20_less_than_a_second() {
    let header = "id,start,milliseconds,channel,direction,from,to,outcome\n";
    let row = |milliseconds: u32| {
        format!(
            "{header}c0,2026-10-05T10:00:00-04:00,{milliseconds},voice,outbound,+12125550100,+12125550143,answered\n"
        )
    };
    bill(&tariff(BY_MINUTE), ONE, &row(400)).charges("c0", "0.70");
    let nothing = format!("{}[tariff.t.options]\nunder_a_second = \"nothing\"\n", tariff(BY_MINUTE));
    bill(&nothing, ONE, &row(400)).charges("c0", "0");
    bill(&nothing, ONE, &row(1000)).charges("c0", "0.70");
}

#[test]
fn trap_21_connection_fee_then_floor_then_cap_on_the_whole_charge() {
    // Three bands of a minute each at 1.00 a minute: 3.00 under a cap of 5.00, however it is summed.
    let spans = |cap: &str| {
        let bands = ["one", "two", "three"].into_iter().enumerate().map(|(index, name)| {
            format!(
                "[[tariff.t.rate]]\nname = \"{name}\"\nmatch = {{ band = \"{name}\" }}\nprice = \"1.00 per minute\"\n\
                 increment = \"60/60\"\ncharge_cap = \"{cap}\"\n[band.{name}]\nhours = \"10:0{index}-10:0{}\"\n",
                index + 1
            )
        });
        bill(&tariff(&bands.collect::<String>()), ONE, &one_call(180))
    };
    spans("5.00").charges("c0", "3.00");
    spans("2.50").charges("c0", "2.50");
    // 0.05 and a fee of 0.04 are below the floor of 0.10; with a fee of 0.06 they are above it. The cap comes last.
    for (fee, cap, charge) in [("0.04", "5.00", "0.10"), ("0.06", "5.00", "0.11"), ("0.06", "0.10", "0.10")] {
        let rules = tariff(&format!(
            "[[rate]]\nprice = \"0.05 per call\"\nconnection_fee = \"{fee}\"\ncharge_floor = \"0.10\"\ncharge_cap = \"{cap}\"\n"
        ));
        bill(&rules, ONE, &one_call(9)).charges("c0", charge);
    }
}

#[test]
fn trap_22_pages_that_nobody_knows_are_not_billed() {
    let rules =
        tariff("[[rate]]\nname = \"Faxes\"\nmatch = { channel = \"fax\" }\nprice = \"0.05 per page\"\n");
    let row = |outcome: &str, pages: &str| {
        format!(
            "id,start,channel,direction,from,to,outcome,pages\n\
             f,2026-10-05T10:00:00-04:00,fax,outbound,+12125550100,+12125550143,{outcome},{pages}\n"
        )
    };
    bill(&rules, ONE, &row("delivered", "3")).charges("f", "0.15");
    let partial = bill(&rules, ONE, &row("partial", "3"));
    partial.ends("f", "outcome not billable", "");
    partial.charges("f", "0");
    bill(&rules, ONE, &row("delivered", "")).ends("f", "suspended", "no-pages");
    bill(&rules, ONE, &row("delivered", "0")).charges("f", "0");
    bill(&rules, ONE, &row("sending-failed", "3")).ends("f", "outcome not billable", "");
}

#[test]
fn trap_38_no_setting_reaches_back() {
    let mut session = Session::with_company();
    session.write("usage.csv", COMPANY_USAGE);
    let covers =
        ["import", "--usage", "usage.csv", "--covers", "2026-10-01..2026-11-01", "--reason", "whole month"];
    assert_eq!(session.run(&covers).exit, 0);
    let finalise = ["run", "--period", "2026-10", "--finalise", "--issue-date", "2026-11-05"];
    assert_eq!(session.run(&finalise).exit, 0);
    let invoice = "out/2026-10/invoices/INV-000002/invoice.json";
    let before = session.read(invoice);
    let changed = session.read("rules/standard.toml").replace("60/6", "360/360").replace("0.60", "9.99");
    session.write("rules/standard.toml", changed);
    assert_eq!(session.run(&finalise).exit, 0);
    assert_eq!(session.read(invoice), before, "a line keeps what it billed");
    let explained = session.run(&["explain", "INV-000002"]).output;
    assert!(explained.contains("66 s") && !explained.contains("360/360"), "{explained}");
}
