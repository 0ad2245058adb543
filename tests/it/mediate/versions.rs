//! Several versions of one record: notices of deletion in every order of arrival, and the same record written in two ways.

use serde_json::{Value, json};
use tollbook::domain::disposition::{RecordDisposition, RecordFinding};
use tollbook::domain::outcome::{Channel, Outcome};
use tollbook::domain::source::{Content, DecodedRecord, Standing};
use tollbook::stage::mediate::Mediated;

use super::{disposition, entries, in_the_book, made, mediated};

fn call() -> Value {
    json!({"id": "A", "uri": "https://x/account/1/call-log/A", "sessionId": "700", "telephonySessionId": "s-700",
        "startTime": "2026-03-09T10:00:00.000Z", "duration": 60, "durationMs": 60_000, "type": "Voice",
        "direction": "Inbound", "action": "Phone Call", "result": "Accepted", "finished": true,
        "from": {"phoneNumber": "+12125550143"}, "to": {"phoneNumber": "+16505550101", "extensionId": "7"},
        "extension": {"id": 7}, "lastModifiedTime": "2026-03-09T10:02:00.000Z",
        "legs": [
            {"startTime": "2026-03-09T10:00:00.000Z", "duration": 60, "durationMs": 60_000, "type": "Voice",
             "direction": "Inbound", "action": "Phone Call", "result": "Accepted", "legType": "Accept",
             "master": true, "extension": {"id": 7}},
            {"startTime": "2026-03-09T10:00:05.000Z", "duration": 55, "durationMs": 55_000, "type": "Voice",
             "direction": "Outbound", "action": "VoIP Call", "result": "Accepted", "legType": "PstnToSip",
             "master": false, "extension": {"id": 7}}]})
}

fn message() -> Value {
    json!({"id": 5, "uri": "https://x/account/1/extension/7/message-store/5", "type": "SMS",
        "direction": "Outbound", "availability": "Alive", "creationTime": "2026-03-09T10:00:00.000Z",
        "lastModifiedTime": "2026-03-09T10:00:09.000Z", "messageStatus": "Delivered", "segmentCount": 2,
        "from": {"phoneNumber": "+16505550101"}, "to": [{"phoneNumber": "+12125550143"}]})
}

fn with(record: &Value, members: &[(&str, Value)]) -> Value {
    let mut record = record.clone();
    for (member, value) in members {
        record[*member] = value.clone();
    }
    record
}

fn without(record: &Value, members: &[&str]) -> Value {
    let mut record = record.clone();
    members.iter().for_each(|member| drop(record.as_object_mut().expect("a record").remove(*member)));
    record
}

fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(count - 1);
    let inserted = |order: &Vec<usize>| {
        let order = order.clone();
        (0..=order.len()).map(move |place| {
            let mut longer = order.clone();
            longer.insert(place, count - 1);
            longer
        })
    };
    shorter.iter().flat_map(inserted).collect()
}

/// Standings as a book gives them that ranks a full version before a notice of deletion.
fn full_first(records: &[DecodedRecord]) -> Vec<DecodedRecord> {
    let notice = |record: &DecodedRecord| record.content == Content::DeletionNotice;
    let full = in_the_book(records.iter().filter(|record| !notice(record)).cloned().collect());
    let mut notices = in_the_book(records.iter().filter(|record| notice(record)).cloned().collect());
    if !full.is_empty() {
        notices.iter_mut().for_each(|notice| notice.standing = Standing::Superseded);
    }
    full.into_iter().chain(notices).collect()
}

/// What mediation makes of versions that arrive in an order, by both kinds of book.
fn arriving(versions: &[Value], order: &[usize]) -> [Mediated; 2] {
    let records = |minute: usize, place: &usize| made(&versions[*place], i64::try_from(minute).expect("few"));
    let records: Vec<DecodedRecord> =
        order.iter().enumerate().flat_map(|(minute, place)| records(minute, place)).collect();
    let extensions = super::extensions();
    let home = tollbook::domain::Country::from_code("US").expect("a country");
    let ranked = tollbook::stage::mediate::mediate(&full_first(&records), &extensions, home);
    [mediated(records), ranked]
}

#[test]
fn versions_make_the_same_events_in_every_order_of_arrival() {
    let modified = |at: &str| ("lastModifiedTime", json!(at));
    let calls = vec![
        with(&call(), &[("duration", json!(58)), modified("2026-03-09T10:01:30.000Z")]),
        call(),
        with(&call(), &[("deleted", json!(true)), modified("2026-03-10T09:00:00.000Z")]),
        json!({"id": "A", "deleted": true}),
        json!({"id": "A", "sessionId": "700", "startTime": "2026-03-09T10:00:00.000Z", "type": "Voice",
            "direction": "Inbound", "action": "Phone Call", "deleted": true}),
    ];
    let messages = vec![
        with(&message(), &[("messageStatus", json!("Sent")), modified("2026-03-09T10:00:03.000Z")]),
        message(),
        with(&message(), &[("availability", json!("Deleted")), modified("2026-03-10T09:00:00.000Z")]),
        json!({"id": 5, "availability": "Deleted"}),
        json!({"id": 5, "availability": "Purged", "uri": "https://x/account/1/extension/7/message-store/5"}),
    ];
    for versions in [calls, messages] {
        let straight: Vec<usize> = (0..versions.len()).collect();
        let [first, _] = arriving(&versions, &straight);
        assert_eq!(first.events.len(), 1);
        for order in orders(versions.len()) {
            for again in arriving(&versions, &order) {
                assert_eq!(again.events, first.events, "{order:?}");
                assert_eq!(again.ledger, first.ledger, "{order:?}");
            }
        }
    }
}

#[test]
fn a_deleted_record_is_billed_as_it_was_and_the_ledger_says_so() {
    let deleted = with(&call(), &[("deleted", json!(true))]);
    for versions in
        [vec![deleted.clone()], vec![call(), deleted], vec![json!({"id": "A", "deleted": true}), call()]]
    {
        let order: Vec<usize> = (0..versions.len()).collect();
        for made in arriving(&versions, &order) {
            assert_eq!(made.events[0].outcome, Outcome::Answered, "{versions:?}");
            assert_eq!(made.events[0].quantities.customer_facing, Some(55_000));
            let noted =
                made.ledger.iter().filter(|entry| entry.finding == Some(RecordFinding::DeletedUpstream));
            assert_eq!(noted.count(), 1, "{:?}", made.ledger);
        }
    }
}

#[test]
fn a_notice_alone_is_excluded_and_a_finding() {
    for notice in [
        json!({"id": "A", "deleted": true}),
        with(&without(&call(), &["result", "duration", "durationMs", "legs"]), &[("deleted", json!(true))]),
    ] {
        let made = mediated(made(&notice, 0));
        assert!(made.events.is_empty());
        assert_eq!(disposition(&made, "A"), RecordDisposition::Excluded);
        assert_eq!(entries(&made, "A")[0].finding, Some(RecordFinding::DeletedBeforeCollected));
    }
    let waiting = with(&call(), &[("result", json!("In Progress")), ("finished", json!(false))]);
    let [made, ranked] = arriving(&[waiting, json!({"id": "A", "deleted": true})], &[0, 1]);
    let told: Vec<RecordDisposition> = made.ledger.iter().map(|entry| entry.disposition).collect();
    assert!(
        told.contains(&RecordDisposition::NotFinal) && told.contains(&RecordDisposition::Excluded),
        "{told:?}"
    );
    assert_eq!(made.ledger, ranked.ledger);
}

/// The same record as another way of collecting, or an older back end, writes it.
fn written_otherwise() -> Vec<(&'static str, Value, Value)> {
    let mut legs = call()["legs"].clone();
    legs.as_array_mut().expect("legs").reverse();
    let mut without_milliseconds = without(&call(), &["durationMs"]);
    for leg in without_milliseconds["legs"].as_array_mut().expect("legs") {
        leg.as_object_mut().expect("a leg").remove("durationMs");
    }
    let mut offsets = with(&call(), &[("startTime", json!("2026-03-09T10:00:00.000+0000"))]);
    for leg in offsets["legs"].as_array_mut().expect("legs") {
        leg["startTime"] = json!(leg["startTime"].as_str().expect("a time").replace('Z', "+0000"));
    }
    let mut ids =
        with(&call(), &[("sessionId", json!(700)), ("extension", json!({"id": "7", "uri": "https://y"}))]);
    ids["to"]["extensionId"] = json!(7);
    ids["legs"][1]["extension"]["id"] = json!("7");
    ids["legs"][1].as_object_mut().expect("a leg").remove("master");
    let text = |members: &[(&str, Value)]| with(&message(), members);
    vec![
        ("legs", call(), with(&call(), &[("legs", legs)])),
        ("milliseconds", call(), without_milliseconds),
        ("finished", call(), without(&call(), &["finished"])),
        ("uri", call(), with(&call(), &[("uri", json!("https://x/account/~/call-log/A?view=Detailed"))])),
        ("modification", call(), without(&call(), &["lastModifiedTime"])),
        ("times", call(), offsets),
        ("ids", call(), ids),
        ("case", call(), with(&call(), &[("result", json!("ACCEPTED"))])),
        ("nothing", call(), with(&call(), &[("delegate", Value::Null), ("transferee", json!({}))])),
        ("id of a message", message(), text(&[("id", json!("5"))])),
        ("one recipient", message(), text(&[("to", json!({"phoneNumber": "+12125550143"}))])),
        ("mailbox", message(), text(&[("extensionId", json!(7)), ("uri", json!("https://y"))])),
        ("creation", message(), text(&[("creationTime", json!("2026-03-09T10:00:00.000+0000"))])),
        ("mark", message(), text(&[("readStatus", json!("Read")), ("attachments", json!([]))])),
    ]
}

#[test]
fn a_record_written_in_two_ways_is_a_duplicate_and_one_event() {
    for (what, one, other) in written_otherwise() {
        let versions = [one, other];
        let [there, _] = arriving(&versions, &[0, 1]);
        let [back, _] = arriving(&versions, &[1, 0]);
        assert_eq!(there.events.len(), 1, "{what}");
        let mut told: Vec<RecordDisposition> = there.ledger.iter().map(|entry| entry.disposition).collect();
        told.sort_unstable();
        assert_eq!(told, [RecordDisposition::Primary, RecordDisposition::Duplicate], "{what}");
        assert_eq!((&there.events, &there.ledger), (&back.events, &back.ledger), "{what}: the order shows");
        if there.events[0].channel == Channel::Voice {
            assert_eq!(there.events[0].quantities.customer_facing, Some(55_000), "{what}");
        }
    }
}

#[test]
fn what_decides_billing_makes_another_version() {
    let mut later_leg = call();
    later_leg["legs"][1]["startTime"] = json!("2026-03-09T10:00:06.000Z");
    let others = [
        later_leg,
        with(&call(), &[("duration", json!(61))]),
        with(&call(), &[("result", json!("Missed"))]),
        with(&call(), &[("finished", json!(false))]),
        with(&call(), &[("from", json!({"phoneNumber": "+12125550144"}))]),
        with(&call(), &[("transferTarget", json!({"telephonySessionId": "s-701"}))]),
        without(&call(), &["duration", "durationMs"]),
    ];
    for other in others {
        let [made, _] = arriving(&[call(), other.clone()], &[0, 1]);
        let superseded = made.ledger.iter().any(|entry| entry.disposition == RecordDisposition::Superseded);
        assert!(superseded, "{other}");
    }
}
