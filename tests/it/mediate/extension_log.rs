//! The log of an extension beside the account's log: second evidence of who took a call, never an event, never money.

use serde_json::{Value, json};
use tollbook::domain::Instant;
use tollbook::domain::disposition::{RecordDisposition, RecordEntry, RecordFinding};
use tollbook::domain::event::EvidenceRole;
use tollbook::domain::record::RecordKind;
use tollbook::domain::source::DecodedRecord;
use tollbook::ringcentral::page::parse_page;
use tollbook::ringcentral::redact::Redaction;
use tollbook::stage::mediate::Mediated;

use super::{INTERNAL_CALL, every_sample, fixture, made, mediated, sample};

const SIDE_101: &str = "call-log-internal-extension-101-200.json";
const SIDE_102: &str = "call-log-internal-extension-102-200.json";
const ACCOUNT: &str = "call-log-internal-account-200.json";

/// Records as the feed of an extension's own log lands them.
fn seen(body: &[u8]) -> Vec<DecodedRecord> {
    let redaction = Redaction { key: [1; 32], keep_text: false };
    let observed = Instant::parse("2026-03-10T00:00:00Z").expect("an instant");
    let page = parse_page(RecordKind::ExtensionCall, body, &redaction, observed, Some("1")).expect("a page");
    page.records.into_iter().map(super::decode).collect()
}

fn seen_one(record: &Value) -> Vec<DecodedRecord> {
    seen(json!({ "records": [record] }).to_string().as_bytes())
}

fn side(name: &str) -> Vec<DecodedRecord> {
    seen(&fixture(&format!("ringcentral/{name}")))
}

/// The sample of a side, changed.
fn side_with(name: &str, change: impl Fn(&mut Value)) -> Vec<DecodedRecord> {
    let mut page: Value = serde_json::from_slice(&fixture(&format!("ringcentral/{name}"))).expect("JSON");
    change(&mut page["records"][0]);
    seen(page.to_string().as_bytes())
}

fn view(mediated: &Mediated) -> &RecordEntry {
    let entries: Vec<&RecordEntry> =
        mediated.ledger.iter().filter(|entry| entry.record.kind == RecordKind::ExtensionCall).collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries[0]
}

/// Events without their evidence: what decides an amount.
fn amounts(mediated: &Mediated) -> Vec<tollbook::domain::event::BillableEvent> {
    let mut events = mediated.events.clone();
    for event in &mut events {
        event.evidence.retain(|evidence| evidence.record.kind != RecordKind::ExtensionCall);
    }
    events
}

fn together(account: Vec<DecodedRecord>, views: Vec<DecodedRecord>) -> Mediated {
    let alone = mediated(account.clone());
    let both = mediated(account.into_iter().chain(views).collect());
    assert_eq!(amounts(&both), alone.events, "an extension's log decides nothing");
    both
}

#[test]
fn each_side_is_evidence_of_the_accounts_event() {
    // One side has the account's record id, the other an id of its own.
    for name in [SIDE_101, SIDE_102] {
        let both = together(sample(ACCOUNT), side(name));
        assert_eq!(view(&both).disposition, RecordDisposition::Supporting);
        assert_eq!((view(&both).finding, view(&both).detail.as_str()), (None, ""));
        let event = super::event(&both, INTERNAL_CALL);
        let roles: Vec<EvidenceRole> = event.evidence.iter().map(|evidence| evidence.role).collect();
        assert_eq!(roles, [EvidenceRole::Primary, EvidenceRole::Supporting]);
    }
    let all = together(every_sample(), side(SIDE_101).into_iter().chain(side(SIDE_102)).collect());
    let views = all.ledger.iter().filter(|entry| entry.record.kind == RecordKind::ExtensionCall);
    assert_eq!(views.filter(|entry| entry.disposition == RecordDisposition::Supporting).count(), 2);
}

#[test]
fn a_call_is_found_by_each_name_it_has() {
    let own_id = |record: &mut Value| record["id"] = json!("OwnId");
    let without =
        |record: &mut Value, member: &str| drop(record.as_object_mut().expect("a record").remove(member));
    let by_session = side_with(SIDE_102, |record| without(record, "telephonySessionId"));
    let by_other_session = side_with(SIDE_102, |record| record["telephonySessionId"] = json!("s-other"));
    let by_id_alone = side_with(SIDE_101, |record| {
        without(record, "telephonySessionId");
        record["sessionId"] = json!("1");
        without(record, "startTime");
    });
    let longer = side_with(SIDE_101, |record| {
        own_id(record);
        record["duration"] = json!(86_400);
        record["durationMs"] = json!(86_400_000);
    });
    for views in [by_session, by_other_session, by_id_alone, longer] {
        let both = together(sample(ACCOUNT), views);
        assert_eq!(view(&both).disposition, RecordDisposition::Supporting);
    }
    let another_day = side_with(SIDE_102, |record| record["startTime"] = json!("2026-03-10T15:04:05.500Z"));
    let after_the_end = side_with(SIDE_102, |record| record["startTime"] = json!("2026-03-09T15:05:25.000Z"));
    let no_name = side_with(SIDE_102, |record| {
        without(record, "telephonySessionId");
        record["sessionId"] = json!("0");
    });
    for views in [another_day, after_the_end, no_name] {
        let both = together(sample(ACCOUNT), views);
        assert_eq!(view(&both).finding, Some(RecordFinding::OnlyInExtensionLog));
    }
}

#[test]
fn the_halves_of_a_ring_out_are_evidence_of_one_call() {
    let half = |id: &str, session: u64, action: &str, start: &str| {
        json!({"id": id, "sessionId": session.to_string(), "startTime": start, "duration": 60, "type": "Voice",
            "direction": "Outbound", "action": action, "result": "Call connected", "extension": {"id": 7},
            "from": {"phoneNumber": "+16505550101"}, "to": {"phoneNumber": "+13105550177"}})
    };
    let account = half("A", 404_036_325_008, "RingOut Web", "2026-03-09T14:05:01.000Z");
    for apart in [1000, 4000] {
        let other = half("B", 404_036_325_008 + apart, "Phone Call", "2026-03-09T14:05:09.000Z");
        let both = together(made(&account, 0), seen_one(&other));
        assert_eq!(view(&both).disposition, RecordDisposition::Supporting, "{apart}");
        let turned = together(made(&other, 0), seen_one(&account));
        assert_eq!(view(&turned).disposition, RecordDisposition::Supporting, "{apart}");
    }
    let stranger = half("B", 404_036_325_008 + 5000, "Phone Call", "2026-03-09T14:05:09.000Z");
    let both = together(made(&account, 0), seen_one(&stranger));
    assert_eq!(view(&both).disposition, RecordDisposition::Excluded);
}

#[test]
fn without_the_accounts_record_it_is_no_event_and_a_finding() {
    let alone = mediated(side(SIDE_102));
    assert!(alone.events.is_empty());
    let entry = view(&alone);
    assert_eq!(entry.disposition, RecordDisposition::Excluded);
    assert_eq!(entry.detail, "in an extension's log only; the account's log is what is billed");
    assert_eq!(entry.finding, Some(RecordFinding::OnlyInExtensionLog));
    let unreadable = mediated(seen_one(&json!({"id": "A", "startTime": "2026-03-09T10:00:00Z", "legs": 7})));
    assert_eq!(
        view(&unreadable).disposition,
        RecordDisposition::Excluded,
        "what bills nothing holds nobody back"
    );
    assert_eq!(view(&unreadable).finding, Some(RecordFinding::UnreadableEvidence));
}

fn inbound(id: &str, answered: Option<u64>) -> Value {
    let result = if answered.is_some() { "Accepted" } else { "Missed" };
    let leg = |extension: u64, result: &str| {
        json!({"startTime": "2026-03-09T10:00:04.000Z", "duration": 56, "type": "Voice", "direction": "Outbound",
            "action": "VoIP Call", "result": result, "legType": "PstnToSip", "master": false,
            "extension": {"id": extension}})
    };
    let master = json!({"startTime": "2026-03-09T10:00:00.000Z", "duration": 60, "type": "Voice",
        "direction": "Inbound", "action": "Phone Call", "result": result, "legType": "Accept", "master": true});
    let other = leg(400_131_428_008, "No Answer");
    let legs: Vec<Value> = [Some(master), Some(other), answered.map(|extension| leg(extension, "Accepted"))]
        .into_iter()
        .flatten()
        .collect();
    json!({"id": id, "sessionId": "700", "telephonySessionId": "s-700", "startTime": "2026-03-09T10:00:00.000Z",
        "duration": 60, "type": "Voice", "direction": "Inbound", "action": "Phone Call", "result": result,
        "from": {"phoneNumber": "+12125550143"}, "to": {"phoneNumber": "+16505550101"}, "legs": legs})
}

#[test]
fn who_answered_is_compared() {
    const ALICE: u64 = 400_131_426_008;
    const BOB: u64 = 400_131_427_008;
    let of = |extension: u64, answered: Option<u64>| {
        let mut record = inbound("Own", answered);
        record["extension"] = json!({ "id": extension });
        record
    };
    let told = |account: Option<u64>, seen: &Value| {
        let both = together(made(&inbound("A", account), 0), seen_one(seen));
        assert_eq!(view(&both).disposition, RecordDisposition::Supporting);
        (view(&both).finding, view(&both).detail.clone())
    };
    let against = |text: &str| (Some(RecordFinding::AnsweredByAnother), text.to_owned());
    let nothing = (None, String::new());
    assert_eq!(told(Some(ALICE), &of(ALICE, Some(ALICE))), nothing);
    assert_eq!(told(Some(ALICE), &of(BOB, None)), nothing, "whom it only rang missed it");
    assert_eq!(
        told(Some(BOB), &of(ALICE, Some(ALICE))),
        against("answered by 101 here, by 102 in the account's log")
    );
    assert_eq!(
        told(None, &of(ALICE, Some(ALICE))),
        against("answered by 101 here, by nobody in the account's log")
    );
    assert_eq!(
        told(Some(ALICE), &of(ALICE, None)),
        against("not answered by 101 here, answered in the account's log")
    );
    // Who missed the call once and took it when it rang again contradicts nobody.
    let mut again = of(ALICE, None);
    again["id"] = json!("Earlier");
    let views = seen_one(&again).into_iter().chain(seen_one(&of(ALICE, Some(ALICE)))).collect();
    let both = together(made(&inbound("A", Some(ALICE)), 0), views);
    assert!(both.ledger.iter().all(|entry| entry.finding.is_none()), "{:?}", both.ledger);
}

#[test]
fn it_waits_and_is_suspended_with_the_accounts_record() {
    let mut ringing = inbound("A", None);
    ringing["result"] = json!("In Progress");
    let waiting = together(made(&ringing, 0), seen_one(&inbound("Own", None)));
    assert_eq!(view(&waiting).disposition, RecordDisposition::NotFinal);
    let mut unknown = inbound("A", None);
    unknown["result"] = json!("Quantum Handoff");
    let suspended = together(made(&unknown, 0), seen_one(&inbound("Own", None)));
    assert_eq!(view(&suspended).disposition, RecordDisposition::Excluded);
    assert_eq!(view(&suspended).detail, "second evidence of a call that is suspended");
}
