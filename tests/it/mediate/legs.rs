//! What each leg policy measures, by hand, and what it did with each leg.

use serde_json::{Value, json};
use tollbook::domain::Instant;
use tollbook::domain::disposition::SuspenseReason;
use tollbook::domain::event::BillableEvent;
use tollbook::domain::outcome::Outcome;
use tollbook::rules::ruleset::LegPolicy;
use tollbook::stage::mediate::{LegDropped, LegUse, Mediated, legs_used};

use super::{FORWARDED_CALL, INTERNAL_CALL, QUEUE_CALL, RING_OUT, TRANSFERRED_CALL};
use super::{entries, event, made, mediated, page, sample};

const ALICE: u64 = 400_131_426_008;
const BOB: u64 = 400_131_427_008;
const CAROL: u64 = 400_131_428_008;

/// Seconds by policy: customer-facing, master, estimated-talk, longest-leg, first-answered, sum-of-legs.
fn measured(event: &BillableEvent) -> [Option<i64>; 6] {
    let quantities = &event.quantities;
    [
        quantities.customer_facing,
        quantities.master,
        quantities.estimated_talk,
        quantities.longest_leg,
        quantities.first_answered,
        quantities.sum_of_legs,
    ]
    .map(|milliseconds| {
        milliseconds.map(|milliseconds| {
            assert_eq!(milliseconds % 1000, 0);
            milliseconds / 1000
        })
    })
}

/// Extension, time of day of the start, seconds.
fn people(event: &BillableEvent) -> Vec<(Option<u64>, String, i64)> {
    let told = |start: Instant| start.rfc3339()[11..19].to_owned();
    event
        .entries
        .iter()
        .map(|entry| (entry.extension, told(entry.start), entry.milliseconds / 1000))
        .collect()
}

fn entry(extension: u64, start: &str, seconds: i64) -> (Option<u64>, String, i64) {
    (Some(extension), start.to_owned(), seconds)
}

fn used(event: &BillableEvent, policy: LegPolicy) -> Vec<LegUse> {
    let uses = legs_used(event, policy);
    assert!(uses.iter().enumerate().all(|(place, (leg, _))| place == *leg));
    uses.into_iter().map(|(_, used)| used).collect()
}

/// A leg: start on the tenth of March, seconds, result, extension.
fn leg(
    start: &str,
    seconds: impl Into<Option<i64>>,
    result: &str,
    extension: impl Into<Option<u64>>,
) -> Value {
    let mut leg = json!({"startTime": format!("2026-03-10T{start}Z"), "type": "Voice", "direction": "Inbound",
        "action": "VoIP Call", "result": result, "legType": "PstnToSip"});
    if let Some(seconds) = seconds.into() {
        leg["duration"] = json!(seconds);
    }
    if let Some(extension) = extension.into() {
        leg["extension"] = json!({"id": extension});
    }
    leg
}

fn master(start: &str, seconds: i64) -> Value {
    let mut leg = leg(start, seconds, "Accepted", ALICE);
    leg["master"] = json!(true);
    leg["legType"] = json!("Accept");
    leg
}

/// An answered inbound call of Alice that begins at ten o'clock, with a master and these legs.
fn call(seconds: i64, legs: &[Value]) -> Value {
    let mut all = vec![master("10:00:00", seconds)];
    all.extend(legs.iter().cloned());
    json!({"id": "A", "sessionId": "1", "telephonySessionId": "s-1", "startTime": "2026-03-10T10:00:00Z",
        "duration": seconds, "type": "Voice", "direction": "Inbound", "action": "Phone Call", "result": "Accepted",
        "extension": {"id": ALICE}, "from": {"phoneNumber": "+12125550143"}, "to": {"phoneNumber": "+16505550101"},
        "legs": all})
}

fn of_legs(seconds: i64, legs: &[Value]) -> BillableEvent {
    let mediated = mediated(made(&call(seconds, legs), 0));
    event(&mediated, "call:s-1").clone()
}

fn samples_of_legs() -> Mediated {
    mediated(sample("call-log-account-detailed-multileg-200.json"))
}

#[test]
fn a_queue_with_several_members_is_the_time_of_the_one_who_answered() {
    let mediated = samples_of_legs();
    let queue = event(&mediated, QUEUE_CALL);
    // 21:41:07 master 194 s; rang at 101 for 20 s and 103 for 20 s; answered by 102 at 21:41:33 for 168 s.
    let all = Some(168);
    assert_eq!(measured(queue), [all, Some(194), all, all, all, all]);
    assert_eq!(people(queue), [entry(102, "21:41:33", 168)]);
    let unanswered = LegUse::Dropped(LegDropped::NotAnswered);
    assert_eq!(
        used(queue, LegPolicy::CustomerFacing),
        [LegUse::Dropped(LegDropped::Master), unanswered, unanswered, LegUse::Used]
    );
    assert_eq!(used(queue, LegPolicy::Master), [LegUse::Dropped(LegDropped::RecordDuration); 4]);
    assert_eq!(queue.ringcentral_account.as_deref(), Some("1"));
}

#[test]
fn a_forwarded_call_is_the_time_at_the_phone_that_took_it() {
    let mediated = samples_of_legs();
    let forwarded = event(&mediated, FORWARDED_CALL);
    // Master 54 s; the desk phone rang for 2 s; found at 18:26:56 for 50 s.
    let all = Some(50);
    assert_eq!(measured(forwarded), [all, Some(54), all, all, all, all]);
    assert_eq!(people(forwarded), [entry(101, "18:26:56", 50)]);
}

#[test]
fn a_blind_transfer_is_two_peoples_time() {
    let mediated = samples_of_legs();
    let transferred = event(&mediated, TRANSFERRED_CALL);
    // 101 from 17:45:16 for 95 s, to 17:46:51; 102 from there for 211 s, to 17:50:22: 306 s from end to end.
    assert_eq!(measured(transferred), [Some(306), Some(312), Some(306), Some(211), Some(95), Some(306)]);
    assert_eq!(people(transferred), [entry(101, "17:45:16", 95), entry(102, "17:46:51", 211)]);
    let (out, master) = (LegUse::Dropped, LegUse::Dropped(LegDropped::Master));
    assert_eq!(used(transferred, LegPolicy::LongestLeg), [master, out(LegDropped::NotLongest), LegUse::Used]);
    assert_eq!(
        used(transferred, LegPolicy::FirstAnswered),
        [master, LegUse::Used, out(LegDropped::NotFirst)]
    );
}

#[test]
fn a_warm_transfer_counts_overlaps_once_and_leaves_gaps_out() {
    let mut first =
        call(515, &[leg("10:00:05", 300, "Accepted", ALICE), leg("10:08:25", 10, "Accepted", ALICE)]);
    first["transferTarget"] = json!({"telephonySessionId": "s-2"});
    let consulted = json!({"id": "B", "sessionId": "2", "telephonySessionId": "s-2",
        "startTime": "2026-03-10T10:03:00Z", "duration": 305, "type": "Voice", "direction": "Outbound",
        "action": "VoIP Call", "result": "Call connected", "extension": {"id": ALICE},
        "from": {"extensionNumber": "101"}, "to": {"extensionNumber": "102"},
        "legs": [master("10:03:00", 305), leg("10:03:05", 300, "Accepted", BOB)]});
    let body = json!({"records": [first, consulted]});
    let mediated = mediated(page(body.to_string().as_bytes(), 0));
    assert_eq!(mediated.events.len(), 1);
    let event = event(&mediated, "call:s-1");
    // Alice 10:00:05-10:05:05 and 10:08:25-10:08:35, Bob 10:03:05-10:08:05: from end to end 510 s, 20 s of them nobody
    // talked; 300 + 300 + 10 = 610 s by leg.
    assert_eq!(measured(event), [Some(510), Some(515), Some(490), Some(300), Some(300), Some(610)]);
    assert_eq!(people(event), [entry(101, "10:00:05", 310), entry(102, "10:03:05", 300)]);
    // Both are 300 s long: the first in order is the longest.
    let (master, not) = (LegUse::Dropped(LegDropped::Master), LegUse::Dropped(LegDropped::NotLongest));
    assert_eq!(used(event, LegPolicy::LongestLeg), [master, LegUse::Used, master, not, not]);
}

#[test]
fn the_legs_of_a_conference_are_everybodys_own_time() {
    let event = of_legs(
        640,
        &[
            leg("10:00:10", 600, "Accepted", ALICE),
            leg("10:00:30", 300, "Accepted", BOB),
            leg("10:04:30", 300, "Accepted", BOB),
            leg("10:02:00", 0, "Accepted", CAROL),
        ],
    );
    // Alice 10:00:10-10:10:10 covers all. Bob came in twice, a minute of it at once: 10:00:30-10:09:30 is 540 s.
    assert_eq!(measured(&event), [Some(600), Some(640), Some(600), Some(600), Some(600), Some(1200)]);
    assert_eq!(
        people(&event),
        [entry(101, "10:00:10", 600), entry(102, "10:00:30", 540), entry(103, "10:02:00", 0)]
    );
}

#[test]
fn the_legs_of_a_sample_may_never_be_added_to_the_master() {
    // The service's own sample: a master of 194 s, two legs of 55 s.
    let event = of_legs(194, &[leg("10:02:00", 55, "Accepted", ALICE), leg("10:02:00", 55, "Accepted", BOB)]);
    assert_eq!(measured(&event), [Some(55), Some(194), Some(55), Some(55), Some(55), Some(110)]);
    assert_eq!(people(&event), [entry(101, "10:02:00", 55), entry(102, "10:02:00", 55)]);
}

#[test]
fn a_ring_out_is_the_time_of_its_second_half() {
    let mediated = mediated(sample("call-log-ringout-two-records-200.json"));
    let without = event(&mediated, RING_OUT);
    // The simple view has no legs: only the record's own 52 s are known.
    assert_eq!(measured(without), [None, Some(52), None, None, None, None]);
    assert!(without.entries.is_empty() && without.quantities.without_legs);

    let half = |id: &str, session: &str, start: &str, seconds: i64, action: &str, direction: &str| {
        json!({"id": id, "sessionId": session, "telephonySessionId": "s-1", "duration": seconds, "type": "Voice",
            "startTime": format!("2026-03-10T{start}Z"), "direction": direction, "action": action,
            "result": "Call connected", "extension": {"id": ALICE}, "from": {"phoneNumber": "+16505550101"},
            "to": {"phoneNumber": "+13105550177"}, "legs": [master(start, seconds)]})
    };
    let body = json!({"records": [half("A", "1000", "10:00:00", 52, "RingOut Web", "Outbound"),
        half("B", "2000", "10:00:08", 41, "Phone Call", "Outbound")]});
    let mediated = super::mediated(page(body.to_string().as_bytes(), 0));
    let pair = event(&mediated, "call:s-1");
    assert_eq!(mediated.events.len(), 1);
    // The first half is Alice's own phone; the second is the customer from 10:00:08 for 41 s.
    let all = Some(41);
    assert_eq!(measured(pair), [all, Some(52), all, all, all, all]);
    assert_eq!(people(pair), [entry(101, "10:00:08", 41)]);
    assert_eq!(used(pair, LegPolicy::SumOfLegs), [LegUse::Dropped(LegDropped::OwnPhone), LegUse::Used]);
}

#[test]
fn the_master_stands_in_when_it_is_alone() {
    let mediated = mediated(sample("call-log-internal-account-200.json"));
    let internal = event(&mediated, INTERNAL_CALL);
    let all = Some(73);
    assert_eq!(measured(internal), [all, Some(73), all, all, all, all]);
    assert_eq!(people(internal), [entry(101, "15:04:05", 73)]);
}

#[test]
fn a_call_that_ended_at_a_mailbox_has_no_time_of_legs() {
    let mut record = call(47, &[leg("10:00:02", 20, "No Answer", BOB)]);
    record["result"] = json!("Voicemail");
    record["legs"][0]["result"] = json!("Voicemail");
    let mediated = mediated(made(&record, 0));
    let event = event(&mediated, "call:s-1");
    assert_eq!(event.outcome, Outcome::Unanswered);
    assert_eq!(measured(event), [None, Some(47), None, None, None, None]);
    assert!(event.entries.is_empty());
}

#[test]
fn a_counted_leg_that_lacks_something_leaves_out_what_needs_it() {
    let whole = leg("10:00:10", 30, "Accepted", ALICE);
    // Without a length nothing that takes all legs is known; which was first is.
    let event = of_legs(60, &[whole.clone(), leg("10:00:40", None, "Accepted", BOB)]);
    assert_eq!(measured(&event), [None, Some(60), None, None, Some(30), None]);
    assert!(event.entries.is_empty());
    let incomplete = LegUse::Dropped(LegDropped::Incomplete);
    assert_eq!(used(&event, LegPolicy::EstimatedTalk)[2], incomplete);
    // Without a start the lengths are still known.
    let mut astray = leg("10:00:40", 20, "Accepted", BOB);
    astray.as_object_mut().expect("a leg").remove("startTime");
    let event = of_legs(60, &[whole.clone(), astray]);
    assert_eq!(measured(&event), [None, Some(60), None, Some(30), None, Some(50)]);
    // Of two that start at once the longer is the first; without a length nobody can tell.
    let event = of_legs(60, &[whole.clone(), leg("10:00:10", 40, "Accepted", BOB)]);
    assert_eq!(event.quantities.first_answered, Some(40_000));
    let event = of_legs(60, &[whole, leg("10:00:10", None, "Accepted", BOB)]);
    assert_eq!(event.quantities.first_answered, None);
}

#[test]
fn legs_without_a_person_are_the_events_own_and_unlisted_people_stay_apart() {
    let nobody = |start: &str, seconds: i64| leg(start, seconds, "Accepted", None);
    // No leg names anybody: one entry from end to end.
    let event = of_legs(60, &[nobody("10:00:10", 20), nobody("10:00:40", 10)]);
    assert_eq!(people(&event), [entry(101, "10:00:10", 30 + 10)]);
    // One does: the others are the event's own extension's, which is the one that answered.
    let event = of_legs(60, &[nobody("10:00:10", 20), leg("10:00:40", 10, "Accepted", BOB)]);
    assert_eq!(event.extension, Some(102));
    assert_eq!(people(&event), [entry(102, "10:00:10", 30)]);
    // An extension that no list names is somebody's time, but not the event's own.
    let event = of_legs(60, &[leg("10:00:10", 20, "Accepted", ALICE), leg("10:00:40", 10, "Accepted", 999)]);
    assert_eq!(people(&event), [entry(101, "10:00:10", 20), (None, "10:00:40".to_owned(), 10)]);
}

#[test]
fn a_length_below_zero_is_never_measured() {
    let mediated = mediated(made(&call(60, &[leg("10:00:10", -5, "Accepted", ALICE)]), 0));
    assert!(mediated.events.is_empty());
    assert_eq!(entries(&mediated, "A")[0].reason, Some(SuspenseReason::NegativeQuantity));
}
