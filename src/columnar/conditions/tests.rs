use rust_decimal::Decimal;

use super::*;
use crate::columnar::events;
use crate::domain::PartyNumber;
use crate::domain::event::{BillableEvent, Coding, LegQuantities, Party, SegmentWays};
use crate::domain::outcome::{Channel, Direction, Outcome};
use crate::domain::{Country, Instant};

fn party(number: PartyNumber, country: Option<&str>) -> Party {
    let country = country.map(|code| Country::from_letters(code.as_bytes().try_into().unwrap()).unwrap());
    Party { number, country, toll_free: false, raw: String::new(), name: None }
}

fn event(channel: Channel, milliseconds: Option<i64>) -> BillableEvent {
    BillableEvent {
        id: "call:1".to_owned(),
        start: Instant::from_milliseconds(0),
        channel,
        direction: Direction::Outbound,
        outcome: Outcome::Answered,
        result: String::new(),
        error_code: None,
        from: party(PartyNumber::Extension(101), None),
        to: party(PartyNumber::E164(12_125_550_143), Some("US")),
        extension: Some(101),
        extensions: Vec::new(),
        legs: Vec::new(),
        quantities: LegQuantities::flat(milliseconds),
        entries: Vec::new(),
        segments: None,
        segment_counts: SegmentWays::default(),
        pages: None,
        account_code: None,
        contact: None,
        site: None,
        department: None,
        cost_centre: None,
        ringcentral_account: None,
        coding: None,
        carrier_cost: None,
        message_id: None,
        last_modified: None,
        evidence: Vec::new(),
        remarks: Vec::new(),
    }
}

fn conditions(texts: &[&str]) -> Vec<Condition> {
    let condition =
        |text: &&str| Condition { text: (*text).to_owned(), file: "a.toml".to_owned(), span: 0..1 };
    texts.iter().map(condition).collect()
}

/// For each event whether a condition holds: yes, no, or neither.
fn answers(text: &str, events: &[BillableEvent]) -> String {
    let frame = events::frame(events).unwrap();
    let masks = evaluate(&conditions(&[text, &format!("({text}) IS NULL")]), &frame).unwrap();
    let mut unknown = 0;
    let answer = |mask: &u64| match mask {
        0 => '-',
        1 => 'y',
        2 => {
            unknown += 1;
            '?'
        }
        _ => 'x',
    };
    let answers: String = masks.rows.iter().map(answer).collect();
    assert_eq!(masks.unknown, [unknown, 0], "{text}");
    answers
}

#[test]
fn every_column_can_be_named_alone() {
    let frame = events::frame(&[event(Channel::Voice, Some(61_000))]).unwrap();
    for (name, ..) in COLUMNS {
        let text = format!("{name} IS NULL");
        check(&text).unwrap_or_else(|mistake| panic!("{text}: {mistake:?}"));
        let masks = evaluate(&conditions(&[&text]), &frame).unwrap();
        assert_eq!((masks.rows.len(), masks.unknown[0]), (1, 0), "{text}");
    }
}

#[test]
fn comparisons_hold_where_they_should() {
    let mut withheld = event(Channel::Sms, None);
    withheld.to = party(PartyNumber::Withheld, None);
    withheld.extension = None;
    withheld.segments = Some(3);
    let mut coded = event(Channel::Voice, Some(60_001));
    coded.contact = Some("named".to_owned());
    coded.coding = Some(Coding {
        contact: Some("coded".to_owned()),
        matter: Some("M-1 50% off".to_owned()),
        ..Coding::default()
    });
    coded.to.toll_free = true;
    coded.account_code = Some("2026-03-09".to_owned());
    coded.quantities.without_legs = true;
    coded.quantities.customer_facing = None;
    let mut named = event(Channel::Voice, Some(60_000));
    named.contact = Some("named".to_owned());
    named.account_code = Some("it's".to_owned());
    let events = [withheld, coded, named];
    for (text, expected) in [
        ("channel = 'voice'", "-yy"),
        ("channel <> 'voice'", "y--"),
        ("to_number = '+12125550143'", "?yy"),
        ("to_number LIKE '+1212%'", "?yy"),
        ("to_number NOT LIKE '+1212%'", "?--"),
        ("to_number LIKE '+1_12555014_'", "?yy"),
        ("from_number = '101' AND extension = 101", "?yy"),
        ("extension IN (101, 102)", "?yy"),
        ("extension NOT IN (-1, 102)", "?yy"),
        ("extension BETWEEN 100 AND 199", "?yy"),
        ("extension NOT BETWEEN 100 AND 199", "?--"),
        ("to_class = 'withheld'", "y--"),
        ("to_class IN ('toll-free')", "-y-"),
        ("to_country = 'US' OR segments > 2", "yyy"),
        ("to_country = 'US' AND segments > 2", "???"),
        ("NOT to_country = 'US'", "?--"),
        ("to_country IS NOT NULL", "-yy"),
        ("seconds > 60", "?y-"),
        ("milliseconds >= 60000", "?yy"),
        ("seconds = 61 AND milliseconds = 60001", "?y-"),
        ("contact = 'coded'", "?y-"),
        ("matter LIKE '%50\\% off'", "?-?"),
        ("account_code = '2026-03-09'", "?y-"),
        ("account_code > '2026-03-08'", "?yy"),
        ("account_code = 'it''s'", "?-y"),
        ("CASE channel WHEN 'sms' THEN segments ELSE seconds END > 2", "yyy"),
        ("CASE WHEN channel = 'sms' THEN segments END > 2", "y??"),
        ("CASE WHEN segments > 2 THEN 'a' ELSE 'b' END = 'b'", "-yy"),
        ("true", "yyy"),
        ("1 = 2", "---"),
        ("(outcome = 'answered') = TRUE", "yyy"),
        ("direction = 'outbound' -- a remark\n AND channel = 'sms'", "y--"),
    ] {
        assert_eq!(answers(text, &events), expected, "{text}");
    }
}

#[test]
fn costs_are_compared_exactly() {
    let cost = |text: &str| {
        let mut event = event(Channel::Voice, Some(1));
        event.carrier_cost = Some(Decimal::from_str_exact(text).unwrap());
        event
    };
    // None of these is what a float takes it for; the last but one is beyond 64 bits of sub-units, the last too fine.
    let events = [
        cost("0.3"),
        cost("0.30"),
        cost("0.3000000001"),
        cost("-0.1"),
        event(Channel::Voice, None),
        cost("922337203685.5"),
        cost("0.30000000001"),
    ];
    for (text, expected) in [
        ("carrier_cost = 0.3", "yy--?-?"),
        ("carrier_cost > 0.3", "--y-?y?"),
        ("carrier_cost >= 0.3000000001", "--y-?y?"),
        ("carrier_cost < -0.0999999999", "---y?-?"),
        ("carrier_cost IN (0.3000000001, -0.1)", "--yy?-?"),
        ("carrier_cost NOT IN (0.3, 1)", "--yy?y?"),
        ("carrier_cost BETWEEN 0 AND 1", "yyy-?-?"),
        ("carrier_cost < 922337203.6854775806", "yyyy?-?"),
        ("carrier_cost = CASE WHEN seconds > 5 THEN 1 ELSE 0.30 END", "yy--?-?"),
        ("CASE WHEN seconds > 5 THEN 0.5 ELSE carrier_cost END = 0.3", "yy--?-?"),
    ] {
        assert_eq!(answers(text, &events), expected, "{text}");
    }
}

#[test]
fn conditions_of_any_number_of_rows() {
    for rows in [0, 1, 2, 1000] {
        let events: Vec<BillableEvent> =
            (0..rows).map(|row| event(Channel::Voice, (row % 3 > 0).then_some(row * 1000))).collect();
        let masks = evaluate(
            &conditions(&["seconds > 500", "true", "channel = 'sms'"]),
            &events::frame(&events).unwrap(),
        )
        .unwrap();
        assert_eq!(masks.rows.len() as i64, rows);
        assert_eq!(masks.unknown, [(rows as usize).div_ceil(3), 0, 0]);
        for (row, mask) in masks.rows.iter().enumerate() {
            assert_eq!(*mask, 2 | u64::from(row > 500 && row % 3 > 0), "{row}");
        }
    }
}

#[test]
fn what_is_not_allowed_is_refused_at_its_place() {
    for (text, at, message) in [
        ("secnds > 5", "secnds", "there is no column `secnds`"),
        ("channel = \"voice\"", "\"voice\"", "there is no column `voice`"),
        ("Channel = 'voice'", "Channel", "there is no column `Channel`"),
        (
            "channel = 'voice' AND length(matter) > 3",
            "length(matter)",
            "the function length cannot stand in a condition",
        ),
        ("seconds > 5.5", "5.5", "a number with decimals can be compared with `carrier_cost` only"),
        ("1.5 > 1", "1.5", "a number with decimals can be compared with `carrier_cost` only"),
        ("seconds > 1e3", "1e3", "a number with an exponent cannot stand in a condition"),
        ("seconds = '5'", "'5'", "a whole number is compared with a text"),
        ("channel = 5", "5", "a text is compared with a whole number"),
        ("carrier_cost > seconds", "seconds", "a cost is compared with a whole number"),
        ("seconds", "seconds", "this is a whole number, not a condition"),
        ("seconds AND channel = 'sms'", "seconds", "this is a whole number, not a condition"),
        ("matter = NULL", "NULL", "NULL cannot stand in a condition"),
        ("seconds + 1 > 5", "seconds + 1", "the operator + cannot stand in a condition"),
        ("matter || 'a' = 'b'", "matter || 'a'", "the operator || cannot stand in a condition"),
        ("sum(seconds) > 5", "sum(seconds)", "the function sum cannot stand in a condition"),
        ("seconds > (SELECT 1)", "", "a query cannot stand in a condition"),
        ("matter ILIKE 'a%'", "matter ILIKE 'a%'", "ILIKE cannot stand in a condition"),
        ("matter LIKE task", "task", "the pattern of LIKE must be a text in single quotes"),
        (
            "seconds IN (pages)",
            "pages",
            "anything but a text or number in a list cannot stand in a condition",
        ),
        ("CAST(seconds AS text) = '5'", "", "a cast cannot stand in a condition"),
        ("e.channel = 'sms'", "e.channel", "a name with a dot cannot stand in a condition"),
        ("channel = 'sms' x", "x", "the condition should end here"),
        (
            "carrier_cost > 0.00000000001",
            "0.00000000001",
            "the cost has more than 10 decimals, or is too large",
        ),
        ("seconds > 99999999999999999999", "99999999999999999999", "the number is too large"),
        ("", "", "expected an expression, found: EOF"),
    ] {
        let mistake = check(text).expect_err(text);
        assert_eq!(mistake.message, message, "{text}");
        if !at.is_empty() {
            assert_eq!(&text[mistake.span], at, "{text}");
        }
    }
    for hostile in
        ["'", "seconds >", "((((", "seconds = 1;", "é > 1", "a\n= 'ü", "*", "$1", ":a", "\0", "CASE END"]
    {
        let mistake = check(hostile).expect_err(hostile);
        assert!(
            mistake.span.end <= hostile.len() && hostile.get(mistake.span.clone()).is_some(),
            "{hostile}"
        );
    }
    let deep = format!("{}seconds > 1{}", "(".repeat(10_000), ")".repeat(10_000));
    assert!(check(&deep).is_err());
    assert!(check(&format!("{}seconds > 1", "NOT ".repeat(10_000))).is_err());
    let chain = |parts: usize| vec!["seconds > 1"; parts].join(" AND ");
    assert_eq!(check(&chain(5_000)).unwrap_err().message, "the condition has too many parts");
    assert_eq!(check(&chain(35)), Ok(()));
    let list: Vec<String> = (0..5_000).map(|number| number.to_string()).collect();
    assert_eq!(check(&format!("extension IN ({})", list.join(", "))), Ok(()));
    assert!(check(&vec!["true"; 300].join(" AND ")).is_err());
}

#[test]
fn a_mistake_stands_at_its_place_in_the_file() {
    let text = "[[rate]]\nwhere = \"channel = 'voice' AND secnds > 5\"\n".to_owned();
    let start = text.find('"').unwrap();
    let condition = Condition {
        text: "channel = 'voice' AND secnds > 5".to_owned(),
        file: "a.toml".to_owned(),
        span: start..text.len() - 1,
    };
    let files = [SourceFile { name: "a.toml".to_owned(), text: text.clone() }];
    let found = diagnostics(std::slice::from_ref(&condition), &files);
    assert_eq!(found.len(), 1);
    assert_eq!(&text[found[0].span.clone().unwrap()], "secnds");
    let many = vec![Condition { text: "true".to_owned(), ..condition }; 65];
    let frame = events::frame(&[]).unwrap();
    assert_eq!(evaluate(&many, &frame).unwrap_err().exit(), Exit::Mistakes);
    assert!(evaluate(&many[..64], &frame).is_ok());
}
