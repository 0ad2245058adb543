//! Traps of tiers, allowances and what is taken off or added for a period.

use crate::priced::{ONE, USAGE, bill, exact, one_call, tariff};

const OCTOBER: &str = "2026-10";

fn texts(count: usize) -> String {
    let row = |index: usize| {
        format!(
            "t{index:03},2026-10-05T10:{:02}:00-04:00,,sms,outbound,+12125550100,+12125550143,delivered\n",
            index % 60
        )
    };
    format!("{USAGE}{}", (0..count).map(row).collect::<String>())
}

#[test]
fn trap_25_a_volume_tier_prices_the_whole_period() {
    let rules = tariff(
        "[[rate]]\nname = \"Texts\"\ntiers = { mode = \"volume\", tier = [{ up_to = \"15 messages\", \
         price = \"10.00 per message\" }, { price = \"5.00 per message\" }] }\n",
    );
    // 15 × 10.00; the sixteenth makes it 16 × 5.00 and not 155.00.
    assert_eq!(bill(&rules, ONE, &texts(15)).lines(OCTOBER), ["usage Texts 150.00"]);
    assert_eq!(bill(&rules, ONE, &texts(16)).lines(OCTOBER), ["usage Texts 80.00"]);
}

#[test]
fn trap_26_a_commitment_in_a_period_that_is_cut() {
    let rules = tariff(
        "commitment = \"100.00 per month\"\n[[rate]]\nname = \"Texts\"\nprice = \"10.00 per message\"\n",
    );
    // In force for 15 of 31 days: 100.00 × 15 / 31 = 48.387..., less 40.00 is 8.387...
    let contacts = "id,name,numbers,valid_from\none,One,+12125550143,2026-10-17\n";
    let usage = texts(4).replace("2026-10-05", "2026-10-20");
    let cut = bill(&rules, contacts, &usage);
    assert_eq!(cut.lines(OCTOBER), ["usage Texts 40.00", "true-up Commitment true-up 8.39"]);
    // In force for the whole month: 60.00. Reached: nothing.
    assert_eq!(bill(&rules, ONE, &texts(4)).net(OCTOBER), exact("100"));
    assert_eq!(bill(&rules, ONE, &texts(10)).lines(OCTOBER), ["usage Texts 100.00"]);
}

#[test]
fn trap_27_reductions_have_one_order() {
    let rules = tariff(
        "cap = \"125.00 per month\"\ncommitment = \"100.00 per month\"\n\
         [[rate]]\nname = \"Calls\"\nmatch = { channel = \"voice\" }\nprice = \"120.00 per call\"\n\
         [[rate]]\nname = \"Texts\"\nmatch = { channel = \"sms\" }\nprice = \"30.00 per message\"\n\
         [[fee]]\nname = \"Service fee\"\nprice = \"25.00 per month\"\n\
         [[discount]]\nname = \"Introductory calls\"\noff = \"10%\"\nof = \"line\"\nlines = [\"Calls\"]\n\
         [[discount]]\nname = \"Partner\"\noff = \"5%\"\n",
    );
    let usage = one_call(9) + texts(1).strip_prefix(USAGE).unwrap();
    let priced = bill(&rules, ONE, &usage);
    // 10 % of 120.00; 5 % of 120 + 30 + 25 − 12 = 163.00; 150 − 12 − 8.15 = 129.85 comes down to 125.00; fees stand beside it.
    let mut lines = priced.lines(OCTOBER);
    lines.sort();
    assert_eq!(
        lines,
        [
            "cap Period cap -4.85",
            "discount Introductory calls -12.00",
            "discount Partner -8.15",
            "fee Service fee 25.00",
            "usage Calls 120.00",
            "usage Texts 30.00",
        ]
    );
    assert_eq!(priced.net(OCTOBER), exact("150"));
}

#[test]
fn trap_27_reductions_of_an_event_have_one_order() {
    // Price 1.00 and fee 0.20 are 1.20; a quarter off, 0.90; the floor of 0.95 comes after the discount; of that a credit of
    // 0.50 pays its part last.
    let rules = tariff(
        "[[rate]]\nname = \"Calls\"\nprice = \"1.00 per call\"\nconnection_fee = \"0.20\"\ndiscount = \"25%\"\n\
         charge_floor = \"0.95\"\ncharge_cap = \"5.00\"\n[[allowance]]\nname = \"Credit\"\ngrants = \"0.50 of charges\"\n",
    );
    let priced = bill(&rules, ONE, &one_call(9));
    priced.charges("c0", "0.45");
    // A fixed discount never goes below nothing: 0.10 less 0.20.
    let fixed = tariff("[[rate]]\nname = \"Calls\"\nprice = \"0.10 per call\"\ndiscount = \"0.20\"\n");
    bill(&fixed, ONE, &one_call(9)).charges("c0", "0");
}

#[test]
fn trap_28_fees_are_prorated_by_the_days_in_force() {
    let fee = |price: &str| format!("[[fee]]\nname = \"Line\"\nprice = \"{price} per month\"\n");
    let rate = "[[rate]]\nname = \"Calls\"\nprice = \"0 per call\"\n";
    let line = |rules: &str, contacts: &str, period: &str, start: &str| -> Vec<String> {
        let usage = one_call(9).replace("2026-10-05", start);
        let lines = bill(rules, contacts, &usage).lines(period);
        lines.into_iter().filter(|line| line.starts_with("fee")).collect()
    };
    // From the 12th: 20 of 31 days of 31.00. Until the 12th: 11 of them. The two owners of the month pay the whole.
    let rules = tariff(&format!("{rate}{}", fee("31.00")));
    let from = "id,name,numbers,valid_from\none,One,+12125550143,2026-10-12\n";
    assert_eq!(line(&rules, from, OCTOBER, "2026-10-20"), ["fee Line 20.00"]);
    let until = "id,name,numbers,valid_to\none,One,+12125550143,2026-10-12\n";
    assert_eq!(line(&rules, until, OCTOBER, "2026-10-05"), ["fee Line 11.00"]);
    // Both ends inclusive, the 12th counts there too.
    let inclusive = format!("{rules}[tariff.t.options]\nproration = \"both-inclusive\"\n");
    assert_eq!(line(&inclusive, until, OCTOBER, "2026-10-05"), ["fee Line 12.00"]);
    // A version from 11 November: 10 days of 30.00 and 20 of 60.00; at the same price one line, the whole.
    let versions = |price: &str| {
        let first = tariff(&format!("{rate}{}", fee("30.00")));
        let second = tariff(&format!("valid_from = \"2026-11-11\"\n{rate}{}", fee(price)));
        format!("{first}=====\n{}", second.replace("default_tariff = \"t\"\n", ""))
    };
    assert_eq!(line(&versions("60.00"), ONE, "2026-11", "2026-11-05"), ["fee Line 10.00", "fee Line 40.00"]);
    assert_eq!(line(&versions("30.00"), ONE, "2026-11", "2026-11-05"), ["fee Line 30.00"]);
}
