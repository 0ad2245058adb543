//! Mediation of the official samples: what each becomes, alone and together.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::{Value, json};
use tollbook::domain::disposition::{RecordDisposition, RecordEntry, SuspenseReason};
use tollbook::domain::event::{BillableEvent, EvidenceRole};
use tollbook::domain::outcome::{Channel, Direction, Outcome};
use tollbook::domain::record::RecordKind;
use tollbook::domain::source::{Content, DecodedRecord, Extension, Standing};
use tollbook::domain::{Country, Instant, PartyNumber, Zone};
use tollbook::ringcentral::content::{content, extension};
use tollbook::ringcentral::page::{detect_kind, parse_page};
use tollbook::ringcentral::portal_csv;
use tollbook::ringcentral::redact::Redaction;
use tollbook::stage::mediate::{Mediated, mediate};

mod binary;
mod extension_log;
mod legs;
mod versions;

const QUEUE_CALL: &str = "call:s-a0d178729c49dz1876d9b9d11z19269e00010000";
const FORWARDED_CALL: &str = "call:s-a0d178729c49dz1876d9b9d11z19269e00060000";
const TRANSFERRED_CALL: &str = "call:s-a0d178729c49dz1876d9b9d11z19269e00070000";
const INTERNAL_CALL: &str = "call:s-a0d178729c49dz1876d9b9d11z19269e000c0000";
const RING_OUT: &str = "call:s-a0d178729c49dz1876d9b9d11z19269e000d0000";
const WATCHED_CALL: &str = "call:s-a0d178729c49dz1876d9b9d11z19269e000b0000";
const BLOCKED_CALL: &str = "call:s-a0d178729c49dz1876d9b9d11z19269e000f0000";

pub fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Names of the samples of the call log and the message store.
pub fn samples() -> Vec<String> {
    let folder = format!("{}/fixtures/ringcentral", env!("CARGO_MANIFEST_DIR"));
    let names = fs::read_dir(folder).expect("the samples").map(|entry| entry.expect("a sample").file_name());
    let mut names: Vec<String> = names
        .map(|name| name.into_string().expect("a name"))
        .filter(|name| name.starts_with("call-log") || name.starts_with("message-s"))
        .collect();
    names.sort();
    assert!(names.len() > 20, "{names:?}");
    names
}

/// The record versions of a page, observed at a minute of the tenth of March.
fn page(body: &[u8], minute: i64) -> Vec<DecodedRecord> {
    let redaction = Redaction { key: [1; 32], keep_text: false };
    let observed = Instant::parse("2026-03-10T00:00:00Z").expect("an instant");
    let observed = observed.plus_milliseconds(minute * 60_000);
    // Nobody knows how the account's log shows internal calls and ring-outs; here it shows them as the extensions' do.
    let kind = match detect_kind(body) {
        None | Some(RecordKind::ExtensionCall) => RecordKind::Call,
        Some(kind) => kind,
    };
    let page = parse_page(kind, body, &redaction, observed, Some("1")).expect("a page");
    page.records.into_iter().map(decode).collect()
}

fn decode(record: tollbook::domain::record::SourceRecord) -> DecodedRecord {
    let content = content(&record);
    DecodedRecord { record, standing: Standing::Current, content }
}

fn sample(name: &str) -> Vec<DecodedRecord> {
    page(&fixture(&format!("ringcentral/{name}")), 0)
}

/// A page with one record that a test made up.
fn made(record: &Value, minute: i64) -> Vec<DecodedRecord> {
    page(json!({ "records": [record] }).to_string().as_bytes(), minute)
}

/// Versions as the book would hand them over: each once, with its standing.
fn in_the_book(records: Vec<DecodedRecord>) -> Vec<DecodedRecord> {
    let mut versions: BTreeMap<_, DecodedRecord> = BTreeMap::new();
    for record in records {
        let key = (record.record.key.clone(), record.record.version);
        let known = versions.entry(key).or_insert_with(|| record.clone());
        known.record.observed = known.record.observed.max(record.record.observed);
    }
    let order = |version: &DecodedRecord| {
        (version.record.last_modified, version.record.observed, version.record.version)
    };
    let mut latest: BTreeMap<_, DecodedRecord> = BTreeMap::new();
    for version in versions.values() {
        let best = latest.entry(version.record.key.clone()).or_insert_with(|| version.clone());
        if order(version) > order(best) {
            *best = version.clone();
        }
    }
    for version in versions.values_mut() {
        let best = &latest[&version.record.key].record;
        version.standing = if version.record.version == best.version {
            Standing::Current
        } else if version.record.material == best.material {
            Standing::Duplicate
        } else {
            Standing::Superseded
        };
    }
    versions.into_values().collect()
}

fn extensions() -> Vec<Extension> {
    let records = sample("extension-list-200.json");
    records.iter().filter_map(|record| extension(&record.record)).collect()
}

fn mediated(records: Vec<DecodedRecord>) -> Mediated {
    mediate(&in_the_book(records), &extensions(), Country::from_code("US").expect("a country"))
}

fn event<'a>(mediated: &'a Mediated, id: &str) -> &'a BillableEvent {
    let ids: Vec<&str> = mediated.events.iter().map(|event| event.id.as_str()).collect();
    mediated.events.iter().find(|event| event.id == id).unwrap_or_else(|| panic!("no {id} in {ids:?}"))
}

fn entries<'a>(mediated: &'a Mediated, record: &str) -> Vec<&'a RecordEntry> {
    mediated.ledger.iter().filter(|entry| entry.record.id == record).collect()
}

fn disposition(mediated: &Mediated, record: &str) -> RecordDisposition {
    let entries = entries(mediated, record);
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries[0].disposition
}

fn every_sample() -> Vec<DecodedRecord> {
    samples().iter().flat_map(|name| sample(name)).collect()
}

#[test]
fn every_version_of_every_sample_has_one_disposition() {
    let records = in_the_book(every_sample());
    let mediated = mediated(records.clone());
    let versions: BTreeSet<_> =
        records.iter().map(|record| (record.record.key.clone(), record.record.version)).collect();
    let placed: BTreeSet<_> =
        mediated.ledger.iter().map(|entry| (entry.record.clone(), entry.version)).collect();
    assert_eq!(versions.len(), records.len());
    assert_eq!(placed, versions);
    assert_eq!(mediated.ledger.len(), versions.len());
    let of_no_event: Vec<&RecordEntry> =
        mediated.ledger.iter().filter(|entry| entry.disposition == RecordDisposition::Suspended).collect();
    assert!(of_no_event.is_empty(), "{of_no_event:?}");
    for event in &mediated.events {
        let primary = event.evidence.iter().filter(|evidence| evidence.role == EvidenceRole::Primary);
        assert_eq!(primary.count(), 1, "{event:?}");
    }
}

#[test]
fn the_samples_together_are_what_each_says() {
    let mediated = mediated(every_sample());
    for (id, seconds) in
        [(QUEUE_CALL, 168), (FORWARDED_CALL, 50), (TRANSFERRED_CALL, 306), (WATCHED_CALL, 18)]
    {
        let event = event(&mediated, id);
        assert_eq!(event.quantities.customer_facing, Some(seconds * 1000), "{id}");
        assert_eq!((event.outcome, event.direction), (Outcome::Answered, Direction::Inbound));
    }
    assert_eq!(event(&mediated, QUEUE_CALL).quantities.master, Some(194_000));
    assert_eq!(event(&mediated, QUEUE_CALL).extension, Some(102), "the one who answered");
    let calls = mediated.events.iter().filter(|event| event.channel == Channel::Voice).count();
    let ids: BTreeSet<&str> = mediated.events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids.len(), mediated.events.len());
    assert_eq!(calls, 12, "{ids:#?}");
}

#[test]
fn a_ring_out_is_one_call() {
    let mediated = mediated(sample("call-log-ringout-two-records-200.json"));
    assert_eq!(mediated.events.len(), 1);
    let event = event(&mediated, RING_OUT);
    assert_eq!((event.direction, event.outcome), (Direction::Outbound, Outcome::Answered));
    assert_eq!(event.to.number, PartyNumber::E164(13_105_550_177));
    assert_eq!((event.quantities.master, event.quantities.without_legs), (Some(52_000), true));
    assert_eq!(disposition(&mediated, "Xw1gHi7Jk2LzUAz"), RecordDisposition::Primary);
    assert_eq!(disposition(&mediated, "Wv0fGh6Ij1KzUAz"), RecordDisposition::Supporting);
}

#[test]
fn the_halves_of_a_ring_out_find_each_other_without_a_telephony_session() {
    let strip = |apart: i64, later_seconds: i64| -> Vec<DecodedRecord> {
        let body = fixture("ringcentral/call-log-ringout-two-records-200.json");
        let mut page_value: Value = serde_json::from_slice(&body).expect("JSON");
        let first: i64 = 404_036_325_008;
        for record in page_value["records"].as_array_mut().expect("records") {
            record.as_object_mut().expect("a record").remove("telephonySessionId");
            if record["action"] == "Phone Call" {
                record["sessionId"] = json!((first + apart).to_string());
                let start = Instant::parse("2026-03-09T14:05:01Z").expect("an instant");
                record["startTime"] = json!(start.plus_milliseconds(later_seconds * 1000).rfc3339());
            }
        }
        page(page_value.to_string().as_bytes(), 0)
    };
    for apart in [-4000, -1000, 1000, 2000, 3000, 4000] {
        assert_eq!(mediated(strip(apart, 8)).events.len(), 1, "{apart}");
    }
    assert_eq!(mediated(strip(5000, 8)).events.len(), 2);
    assert_eq!(mediated(strip(1500, 8)).events.len(), 2);
    assert_eq!(mediated(strip(1000, 121)).events.len(), 2, "two minutes later it is another call");
}

#[test]
fn a_call_in_progress_waits_and_is_then_one_event() {
    let ringing = sample("call-log-in-progress-200.json");
    let waiting = mediated(ringing.clone());
    assert!(waiting.events.is_empty());
    assert_eq!(disposition(&waiting, "LIfMpYdXOsxPzUA"), RecordDisposition::NotFinal);
    let finished = page(&fixture("ringcentral/call-log-in-progress-then-finished-200.json"), 10);
    let both = mediated(ringing.into_iter().chain(finished).collect());
    assert_eq!(both.events.len(), 1);
    assert_eq!(event(&both, WATCHED_CALL).direction, Direction::Inbound);
    let dispositions: BTreeSet<RecordDisposition> =
        entries(&both, "LIfMpYdXOsxPzUA").iter().map(|entry| entry.disposition).collect();
    assert_eq!(dispositions, BTreeSet::from([RecordDisposition::Primary, RecordDisposition::Superseded]));
}

#[test]
fn an_internal_call_seen_from_both_sides_is_one() {
    let sides = ["call-log-internal-extension-101-200.json", "call-log-internal-extension-102-200.json"];
    let both = mediated(sides.iter().flat_map(|name| sample(name)).collect());
    assert_eq!(both.events.len(), 1);
    assert_eq!(event(&both, INTERNAL_CALL).direction, Direction::Internal);
    for side in sides {
        let alone = mediated(sample(side));
        assert_eq!(alone.events.len(), 1);
        assert_eq!(
            (alone.events[0].direction, alone.events[0].outcome),
            (Direction::Internal, Outcome::Answered)
        );
    }
}

#[test]
fn a_fax_is_an_event_for_each_recipient() {
    let names = ["message-store-fax-list-200.json", "call-log-fax-200.json"];
    let mediated = mediated(names.iter().flat_map(|name| sample(name)).collect());
    let of = |message: &str| -> Vec<&BillableEvent> {
        let events = mediated.events.iter();
        events.filter(|event| event.message_id.as_deref() == Some(message)).collect()
    };
    let told: BTreeMap<String, (Outcome, Option<u32>, Vec<&str>)> = of("401678421008")
        .into_iter()
        .map(|event| {
            let calls = event.evidence.iter().filter(|evidence| evidence.record.kind == RecordKind::Call);
            let calls = calls.map(|evidence| evidence.record.id.as_str()).collect();
            (event.to.number.to_string(), (event.outcome, event.pages, calls))
        })
        .collect();
    let expected = BTreeMap::from([
        ("+12125550166".to_owned(), (Outcome::Sent, Some(5), vec![])),
        ("+13105550167".to_owned(), (Outcome::Partial, None, vec!["Ke92nOt4Mr3PzUA"])),
        ("+13105550168".to_owned(), (Outcome::SendingFailed, Some(5), vec!["Kf03oPu5Ns4QzUA"])),
    ]);
    assert_eq!(told, expected);
    let queued = of("401678423008");
    assert_eq!((queued.len(), queued[0].outcome, queued[0].pages), (1, Outcome::Queued, None));
    let received = of("401678420008");
    assert_eq!((received[0].direction, received[0].pages), (Direction::Inbound, Some(2)));
    // Only the call log knows of a fax that could not be received.
    let failed = event(&mediated, "fax:Kh25qRw7Pu6SzUA");
    assert_eq!((failed.outcome, failed.pages), (Outcome::DeliveryFailed, None));
    assert_eq!(mediated.events.len(), 7);
}

#[test]
fn a_fax_without_its_message_is_told_by_the_call_log() {
    let mediated = mediated(sample("call-log-fax-200.json"));
    assert_eq!(mediated.events.len(), 5);
    let sent = event(&mediated, "message:401678422008:+12125550166");
    assert_eq!((sent.outcome, sent.pages, sent.remarks.len()), (Outcome::Sent, None, 1));
}

#[test]
fn a_voicemail_joins_its_call() {
    let names = ["call-log-missed-voicemail-blocked-200.json", "message-store-voicemail-and-pager-200.json"];
    let both = mediated(names.iter().flat_map(|name| sample(name)).collect());
    let voicemail = event(&both, "message:402406985008");
    assert_eq!((voicemail.channel, voicemail.outcome), (Channel::Voicemail, Outcome::Received));
    assert_eq!(voicemail.evidence.len(), 2);
    assert_eq!(voicemail.to.number, PartyNumber::E164(16_505_550_102), "the number that was dialled");
    assert_eq!(disposition(&both, "Yx2hIj8Kl3MzUAz"), RecordDisposition::Supporting);
    assert_eq!(disposition(&both, "5475922005"), RecordDisposition::Excluded, "a note between colleagues");
    let alone = mediated(sample(names[0]));
    assert_eq!(event(&alone, "message:402406985008").channel, Channel::Voicemail);
    assert_eq!(alone.events.len(), 3);
}

#[test]
fn an_anonymous_caller_who_was_blocked_is_an_unanswered_call() {
    let mediated = mediated(sample("call-log-missed-voicemail-blocked-200.json"));
    let blocked = event(&mediated, BLOCKED_CALL);
    assert_eq!((blocked.outcome, blocked.from.number), (Outcome::Unanswered, PartyNumber::Withheld));
    assert_eq!(blocked.to.number, PartyNumber::E164(16_505_550_101));
}

#[test]
fn a_notice_of_deletion_hides_nothing() {
    let full = sample("call-log-missed-voicemail-blocked-200.json");
    let notice = page(&fixture("ringcentral/call-log-sync-isync-200.json"), 60);
    let both = mediated(full.into_iter().chain(notice.clone()).collect());
    assert_eq!(event(&both, "call:s-a0d178729c49dz1876d9b9d11z19269e00030000").result, "Missed");
    let dispositions: Vec<RecordDisposition> =
        entries(&both, "Qx7mTf5dP0aNzUA").iter().map(|entry| entry.disposition).collect();
    assert!(dispositions.contains(&RecordDisposition::Primary), "{dispositions:?}");
    assert!(dispositions.contains(&RecordDisposition::Supporting), "{dispositions:?}");
    let alone = mediated(notice);
    assert_eq!(disposition(&alone, "Qx7mTf5dP0aNzUA"), RecordDisposition::Excluded);
}

#[test]
fn a_purged_message_is_still_what_it_was() {
    let full = sample("message-store-sms-list-200.json");
    let stub = page(&fixture("ringcentral/message-sync-isync-200.json"), 60);
    let envelope = made(
        &json!({"id": 9_733_438_001_016_u64, "type": "SMS", "direction": "Inbound", "availability": "Purged",
            "creationTime": "2026-03-09T19:59:28.000Z", "lastModifiedTime": "2026-03-20T00:00:00.000Z"}),
        90,
    );
    assert_eq!(envelope[0].content, Content::DeletionNotice);
    let mediated = mediated(full.into_iter().chain(stub).chain(envelope).collect());
    let failed = event(&mediated, "message:9733435001016:+14155550189");
    assert_eq!(failed.outcome, Outcome::SendingFailed);
    let received = event(&mediated, "message:9733438001016");
    assert_eq!(received.from.number, PartyNumber::E164(12_125_550_143));
    let delivered = event(&mediated, "message:9733439001016:+13105550177");
    assert_eq!((delivered.outcome, delivered.segments), (Outcome::Delivered, Some(2)));
}

#[test]
fn a_word_that_nobody_knows_suspends_and_is_named() {
    let call = json!({"id": "A", "sessionId": "1", "startTime": "2026-03-09T10:00:00Z", "duration": 60,
        "type": "Voice", "direction": "Inbound", "action": "Phone Call", "result": "Quantum Handoff",
        "from": {"phoneNumber": "+12125550143"}, "to": {"phoneNumber": "+16505550101"}});
    let with = |member: &str, value: &str| {
        let mut record = call.clone();
        record[member] = json!(value);
        record
    };
    let cases = [
        (call.clone(), SuspenseReason::UnknownResult, "Quantum Handoff"),
        (with("type", "Hologram"), SuspenseReason::UnknownType, "Hologram"),
        (with("direction", "Sideways"), SuspenseReason::UnknownDirection, "Sideways"),
    ];
    for (record, reason, word) in cases {
        let mut record = record;
        if reason != SuspenseReason::UnknownResult {
            record["result"] = json!("Accepted");
        }
        let mediated = mediated(made(&record, 0));
        assert!(mediated.events.is_empty());
        let entry = entries(&mediated, "A")[0];
        assert_eq!((entry.disposition, entry.reason), (RecordDisposition::Suspended, Some(reason)));
        assert_eq!(entry.detail, word);
    }
    let text = json!({"id": 7, "type": "SMS", "direction": "Outbound", "availability": "Alive",
        "creationTime": "2026-03-09T10:00:00Z", "messageStatus": "Teleported",
        "from": {"phoneNumber": "+16505550101"}, "to": [{"phoneNumber": "+12125550143"}]});
    let mediated = mediated(made(&text, 0));
    let entry = entries(&mediated, "7")[0];
    assert_eq!(entry.reason, Some(SuspenseReason::UnknownMessageStatus));
    assert_eq!(entry.detail, "Teleported");
}

#[test]
fn a_record_that_is_none_is_suspended() {
    let body = json!({"records": [{"sessionId": "1", "startTime": "2026-03-09T10:00:00Z", "action": "Phone Call"},
        {"id": "B", "sessionId": "2", "startTime": "2026-03-09T10:00:00Z", "action": "Phone Call", "legs": 7},
        {"id": "C", "sessionId": "3", "type": "Voice", "direction": "Inbound", "action": "Phone Call",
         "result": "Accepted", "from": {"phoneNumber": "+12125550143"}, "to": {"phoneNumber": "+16505550101"}},
        17]});
    let mediated = mediated(page(body.to_string().as_bytes(), 0));
    assert!(mediated.events.is_empty());
    let reasons: Vec<Option<SuspenseReason>> = mediated.ledger.iter().map(|entry| entry.reason).collect();
    let malformed = Some(SuspenseReason::Malformed);
    assert_eq!(reasons.iter().filter(|reason| **reason == malformed).count(), 3, "{:?}", mediated.ledger);
    assert_eq!(entries(&mediated, "C")[0].reason, Some(SuspenseReason::NoStart));
}

#[test]
fn the_order_of_records_does_not_matter() {
    let mut records = in_the_book(every_sample());
    let home = Country::from_code("US").expect("a country");
    let first = mediate(&records, &extensions(), home);
    let mut dice = ChaCha8Rng::seed_from_u64(11);
    for _ in 0..20 {
        for place in (1..records.len()).rev() {
            let other = usize::try_from(dice.next_u64() % (place as u64 + 1)).expect("small");
            records.swap(place, other);
        }
        let again = mediate(&records, &extensions(), home);
        assert_eq!(again.events, first.events);
        assert_eq!(again.ledger, first.ledger);
    }
}

fn portal() -> Vec<DecodedRecord> {
    let zone = Zone::from_name("America/Los_Angeles").expect("a zone");
    let read = portal_csv::read(&fixture("portal/call-log.csv"), zone, "portal").expect("a file");
    read.into_iter().map(decode).collect()
}

#[test]
fn the_portals_file_is_evidence_of_what_the_api_told() {
    let alone = mediated(portal());
    assert_eq!(alone.events.len(), 5);
    let without = mediated(every_sample());
    let with = mediated(every_sample().into_iter().chain(portal()).collect());
    let ids = |mediated: &Mediated| -> Vec<String> {
        mediated.events.iter().map(|event| event.id.clone()).collect()
    };
    assert_eq!(ids(&with), ids(&without), "no call is told twice");
    for entry in with.ledger.iter().filter(|entry| entry.record.kind == RecordKind::PortalCall) {
        assert_eq!(entry.disposition, RecordDisposition::Supporting, "{entry:?}");
    }
    let fax = event(&with, "message:401678422008:+12125550166");
    assert_eq!(fax.evidence.len(), 3, "message, call record, row of the file");
}
