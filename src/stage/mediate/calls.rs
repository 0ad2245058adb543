//! Calls: records of one session, ring-out pairs and linked transfers become one event with all legs.

use std::collections::BTreeMap;

use crate::domain::disposition::{RecordDisposition, SuspenseReason};
use crate::domain::event::{BillableEvent, EvidenceRole, LegQuantities, Party, SegmentWays};
use crate::domain::number::NumberReader;
use crate::domain::outcome::{Channel, Direction, Outcome};
use crate::domain::record::RecordKey;
use crate::domain::source::{CallRecord, DecodedRecord, PartyText};
use crate::domain::{Instant, PartyNumber};

use super::{Bench, legs, party, words};

/// A call record and what it says.
pub type Call<'a> = (&'a DecodedRecord, &'a CallRecord);

/// How far apart two records of a ring-out may start.
const RING_OUT_SECONDS_MAX: i64 = 120;

pub fn add(bench: &mut Bench<'_>, calls: &[Call<'_>]) {
    let mut voice: Vec<Call<'_>> = Vec::new();
    let mut messages: BTreeMap<String, Vec<Call<'_>>> = BTreeMap::new();
    for call in calls.iter().copied() {
        match is_message(call.1) {
            Some(message) => messages.entry(message).or_default().push(call),
            None if call.1.call_type == "Fax" => add_lone_fax(bench, &[call], None),
            None if call.1.call_type == "Voice" => voice.push(call),
            None => bench.suspend(call.0, SuspenseReason::UnknownType, &call.1.call_type),
        }
    }
    join_messages(bench, messages);
    for group in sessions(&voice) {
        add_call(bench, &group);
    }
}

/// The message a call record is evidence of: faxes and voicemails stand in the call log and in the message store.
fn is_message(call: &CallRecord) -> Option<String> {
    let voicemail =
        call.result.as_deref().is_some_and(|result| result.trim().eq_ignore_ascii_case("voicemail"));
    call.message_id.clone().filter(|_| call.call_type == "Fax" || voicemail)
}

/// Joins call records to the events of their messages, by message id and, for faxes, the recipient's number.
fn join_messages(bench: &mut Bench<'_>, messages: BTreeMap<String, Vec<Call<'_>>>) {
    let mut events: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, event) in bench.events.iter().enumerate() {
        if let Some(id) = &event.message_id {
            events.entry(id.clone()).or_default().push(index);
        }
    }
    for (message, calls) in messages {
        let Some(candidates) = events.get(&message) else {
            add_without_message(bench, &message, calls);
            continue;
        };
        for (record, call) in calls {
            let other = if call.direction == "Inbound" { &call.from } else { &call.to };
            let number = party::read(&mut bench.numbers, other).number;
            let fits = |index: &&usize| bench.events[**index].other_party().number == number;
            let event = candidates.iter().find(fits).copied().unwrap_or(candidates[0]);
            add_parties(bench, event, call);
            bench.attach(record, event, EvidenceRole::Supporting);
        }
    }
}

/// A voicemail names the mailbox, not the number that was dialled: who pays may depend on that number.
fn add_parties(bench: &mut Bench<'_>, event: usize, call: &CallRecord) {
    let (from, to) = (party::read(&mut bench.numbers, &call.from), party::read(&mut bench.numbers, &call.to));
    let event = &mut bench.events[event];
    if event.direction != Direction::Inbound || direction_of(call) != Some(Direction::Inbound) {
        return;
    }
    for (side, told) in [(&mut event.from, from), (&mut event.to, to)] {
        if side.number.e164().is_none() && told.number.e164().is_some() {
            *side = told;
        }
    }
}

/// The message store does not hold the message (a refused mailbox, a deleted fax): the call log alone speaks.
fn add_without_message(bench: &mut Bench<'_>, message: &str, calls: Vec<Call<'_>>) {
    let mut by_number: BTreeMap<PartyNumber, Vec<Call<'_>>> = BTreeMap::new();
    for call in calls {
        let other = if call.1.direction == "Inbound" { &call.1.from } else { &call.1.to };
        by_number.entry(party::read(&mut bench.numbers, other).number).or_default().push(call);
    }
    for (_, mut calls) in by_number {
        calls.sort_by(|left, right| {
            (right.1.start, &right.0.record.key).cmp(&(left.1.start, &left.0.record.key))
        });
        if calls[0].1.call_type == "Fax" {
            add_lone_fax(bench, &calls, Some(message));
        } else {
            add_lone_voicemail(bench, &calls, message);
        }
    }
}

/// A fax known from the call log only, latest attempt first. Its pages are unknown.
fn add_lone_fax(bench: &mut Bench<'_>, calls: &[Call<'_>], message: Option<&str>) {
    let (record, call) = calls[0];
    let result = call.result.as_deref().unwrap_or_default();
    if words::unfinished(call.finished, call.result.as_deref()) {
        return calls
            .iter()
            .for_each(|(record, _)| bench.enter(record, RecordDisposition::NotFinal, None, ""));
    }
    let outcome = words::fax_outcome(result);
    let (Some(outcome), Some(direction), Some(start)) = (outcome, direction_of(call), call.start) else {
        let reason = match (outcome, call.start) {
            (None, _) => SuspenseReason::UnknownResult,
            (_, None) => SuspenseReason::NoStart,
            _ => SuspenseReason::UnknownDirection,
        };
        return calls.iter().for_each(|(record, _)| bench.suspend(record, reason, result));
    };
    let id = match message {
        Some(message) => format!("message:{message}:{}", party::read(&mut bench.numbers, &call.to).number),
        None => format!("fax:{}", record.record.key.id),
    };
    let mut event = blank(bench, call, id, start, Channel::Fax, direction, outcome);
    event.message_id = message.map(str::to_owned);
    event.remarks.push("The fax stands in the call log only; its pages are unknown.".to_owned());
    push(bench, event, calls);
}

fn add_lone_voicemail(bench: &mut Bench<'_>, calls: &[Call<'_>], message: &str) {
    let (_, call) = calls[0];
    let (Some(direction), Some(start)) = (direction_of(call), call.start) else {
        return calls.iter().for_each(|(record, _)| bench.suspend(record, SuspenseReason::NoStart, ""));
    };
    let id = format!("message:{message}");
    let mut event = blank(bench, call, id, start, Channel::Voicemail, direction, Outcome::Received);
    event.message_id = Some(message.to_owned());
    event.remarks.push("The voicemail stands in the call log only.".to_owned());
    push(bench, event, calls);
}

fn push(bench: &mut Bench<'_>, event: BillableEvent, calls: &[Call<'_>]) {
    bench.events.push(event);
    let at = bench.events.len() - 1;
    for (index, (record, _)) in calls.iter().enumerate() {
        let role = if index == 0 { EvidenceRole::Primary } else { EvidenceRole::Supporting };
        bench.attach(record, at, role);
    }
}

/// Records that belong to one call, each group with its primary record first.
fn sessions<'a>(calls: &[Call<'a>]) -> Vec<Vec<Call<'a>>> {
    let mut sorted: Vec<Call<'a>> = calls.to_vec();
    sorted.sort_by(|left, right| rank(left).cmp(&rank(right)));
    let mut joined: Vec<usize> = (0..sorted.len()).collect();
    let mut by_session: BTreeMap<String, usize> = BTreeMap::new();
    for (index, (_, call)) in sorted.iter().enumerate() {
        if let Some(session) = session_of(call) {
            match by_session.get(&session) {
                Some(first) => join(&mut joined, *first, index),
                None => {
                    by_session.insert(session, index);
                }
            }
        }
    }
    for (index, (_, call)) in sorted.iter().enumerate() {
        for linked in [&call.transfer_target, &call.transferee].into_iter().flatten() {
            if let Some(other) = by_session.get(&format!("t:{linked}")) {
                join(&mut joined, *other, index);
            }
        }
    }
    join_ring_outs(&sorted, &mut joined);
    let mut groups: BTreeMap<usize, Vec<Call<'a>>> = BTreeMap::new();
    for (index, call) in sorted.iter().enumerate() {
        groups.entry(root(&joined, index)).or_default().push(*call);
    }
    groups.into_values().collect()
}

/// A ring-out whose two records share no telephony session: session ids that differ by 1000 to 4000, one destination,
/// starts close together (rule of the service's own client).
fn join_ring_outs(sorted: &[Call<'_>], joined: &mut [usize]) {
    let mut by_number: BTreeMap<u64, usize> = BTreeMap::new();
    for (index, (_, call)) in sorted.iter().enumerate() {
        if let Some(number) = call.session_id.as_deref().and_then(|text| text.parse::<u64>().ok()) {
            by_number.insert(number, index);
        }
    }
    for (index, (_, call)) in sorted.iter().enumerate() {
        let number = call.session_id.as_deref().and_then(|text| text.parse::<u64>().ok());
        let Some(number) = number.filter(|_| is_ring_out(call)) else { continue };
        for apart in [1000, 2000, 3000, 4000] {
            for candidate in [number.checked_add(apart), number.checked_sub(apart)].into_iter().flatten() {
                let Some(other) = by_number.get(&candidate).copied() else { continue };
                if is_other_half(call, sorted[other].1) {
                    join(joined, index.min(other), index.max(other));
                }
            }
        }
    }
}

pub fn is_ring_out(call: &CallRecord) -> bool {
    call.action.to_ascii_lowercase().starts_with("ringout")
}

pub fn is_other_half(ring_out: &CallRecord, other: &CallRecord) -> bool {
    let close = match (ring_out.start, other.start) {
        (Some(first), Some(second)) => {
            (second.milliseconds() - first.milliseconds()).abs() <= RING_OUT_SECONDS_MAX * 1000
        }
        _ => false,
    };
    close && other.to.phone_number.is_some() && other.to.phone_number == ring_out.to.phone_number
}

/// The primary record of a session comes first: the earliest, a ring-out before its other half, an outbound record
/// before the same internal call seen from the other side.
fn rank<'c>(call: &'c Call<'_>) -> (Option<Instant>, bool, bool, &'c str) {
    (call.1.start, !is_ring_out(call.1), call.1.direction != "Outbound", &call.0.record.key.id)
}

fn session_of(call: &CallRecord) -> Option<String> {
    given(&call.telephony_session_id)
        .map(|id| format!("t:{id}"))
        .or_else(|| given(&call.session_id).map(|id| format!("s:{id}")))
}

/// A session id that names a session: conferences have been seen with "0".
pub fn given(id: &Option<String>) -> Option<&str> {
    id.as_deref().filter(|id| !id.is_empty() && *id != "0")
}

fn root(joined: &[usize], mut index: usize) -> usize {
    while joined[index] != index {
        index = joined[index];
    }
    index
}

fn join(joined: &mut [usize], left: usize, right: usize) {
    let (left, right) = (root(joined, left), root(joined, right));
    joined[left.max(right)] = left.min(right);
}

fn add_call(bench: &mut Bench<'_>, group: &[Call<'_>]) {
    let all_wait = group.iter().any(|(_, call)| words::unfinished(call.finished, call.result.as_deref()));
    if all_wait {
        return group
            .iter()
            .for_each(|(record, _)| bench.enter(record, RecordDisposition::NotFinal, None, ""));
    }
    match read_call(bench, group) {
        Ok(event) => push(bench, event, group),
        Err((reason, detail)) => group.iter().for_each(|(record, _)| bench.suspend(record, reason, &detail)),
    }
}

fn read_call(bench: &mut Bench<'_>, group: &[Call<'_>]) -> Result<BillableEvent, (SuspenseReason, String)> {
    let (record, call) = group[0];
    let start = call.start.ok_or((SuspenseReason::NoStart, String::new()))?;
    let direction = direction_of(call).ok_or((SuspenseReason::UnknownDirection, call.direction.clone()))?;
    let mut outcome = Outcome::Unanswered;
    for (_, call) in group {
        let result = call.result.as_deref().unwrap_or_default();
        match words::answered(result) {
            Some(true) => outcome = Outcome::Answered,
            Some(false) => {}
            None => return Err((SuspenseReason::UnknownResult, result.to_owned())),
        }
    }
    if outcome == Outcome::Answered && party::is_nobody(&call.from) && party::is_nobody(&call.to) {
        return Err((SuspenseReason::NoNumber, String::new()));
    }
    if direction == Direction::Outbound && outcome == Outcome::Answered && party::is_nobody(&call.to) {
        return Err((SuspenseReason::NoNumber, "an outbound call to nobody".to_owned()));
    }
    let id = match session_of(call) {
        Some(session) => format!("call:{}", &session[2..]),
        None => format!("call:record:{}", record.record.key.id),
    };
    let mut event = blank(bench, call, id, start, Channel::Voice, direction, outcome);
    event.legs = legs::legs(group);
    if let Some(detail) = negative(group, &event) {
        return Err((SuspenseReason::NegativeQuantity, detail));
    }
    event.quantities = legs::quantities(call, &event.legs, group);
    if event.quantities.without_legs {
        event.remarks.push("The source gave no legs.".to_owned());
    }
    name_extensions(bench, &mut event, call);
    event.entries = legs::entries(bench, &event);
    event.last_modified = group.iter().filter_map(|(record, _)| record.record.last_modified).max();
    Ok(event)
}

/// A length below zero that some leg policy would measure.
fn negative(group: &[Call<'_>], event: &BillableEvent) -> Option<String> {
    let own = group.iter().filter_map(|(_, call)| call.milliseconds);
    let counted = event.legs.iter().filter(|leg| leg.used).filter_map(|leg| leg.milliseconds);
    own.chain(counted).find(|length| *length < 0).map(|length| format!("{length} ms"))
}

/// The extension that took part: of a queue call the one who answered, else the record's own.
fn name_extensions(bench: &Bench<'_>, event: &mut BillableEvent, call: &CallRecord) {
    let number = |id: &Option<String>| id.as_deref().and_then(|id| bench.extensions.get(id).copied());
    let mut all: Vec<u64> = event.legs.iter().filter_map(|leg| number(&leg.extension_id)).collect();
    all.extend(number(&call.extension_id));
    let answered = event.legs.iter().filter(|leg| leg.used).find_map(|leg| number(&leg.extension_id));
    let side = match event.direction {
        Direction::Inbound => &call.to,
        Direction::Outbound | Direction::Internal => &call.from,
    };
    let named = party::extension_of(side).or_else(|| number(&side.extension_id));
    event.extension = answered.or_else(|| number(&call.extension_id)).or(named);
    all.extend(event.extension);
    all.sort_unstable();
    all.dedup();
    event.extensions = all;
}

/// Inbound or outbound as the record says; internal when the other side is an extension of the company.
fn direction_of(call: &CallRecord) -> Option<Direction> {
    let inside = |party: &PartyText| party.extension_number.is_some() || party.extension_id.is_some();
    match call.direction.as_str() {
        "Inbound" if inside(&call.from) => Some(Direction::Internal),
        "Inbound" => Some(Direction::Inbound),
        "Outbound" if inside(&call.to) => Some(Direction::Internal),
        "Outbound" => Some(Direction::Outbound),
        _ => None,
    }
}

fn blank(
    bench: &mut Bench<'_>,
    call: &CallRecord,
    id: String,
    start: Instant,
    channel: Channel,
    direction: Direction,
    outcome: Outcome,
) -> BillableEvent {
    let extension = call.extension_id.as_deref().and_then(|id| bench.extensions.get(id).copied());
    BillableEvent {
        id,
        start,
        channel,
        direction,
        outcome,
        result: call.result.clone().unwrap_or_default(),
        error_code: None,
        from: party::read(&mut bench.numbers, &call.from),
        to: party::read(&mut bench.numbers, &call.to),
        extension,
        extensions: extension.into_iter().collect(),
        legs: Vec::new(),
        quantities: LegQuantities { master: call.milliseconds, ..LegQuantities::default() },
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

/// A call of another source that a call of the portal's file may be the same as.
struct Sighting {
    event: usize,
    channel: Channel,
    from: Party,
    to: Party,
    extensions: [Option<u64>; 2],
    milliseconds: Option<i64>,
}

/// Calls of the portal's file: a second source. One that matches a record of the API's call log (same local minute, both
/// parties, duration within two seconds), or an event without such records, is evidence of its event; any other is a
/// call of its own. Each record is matched once.
pub fn add_portal(bench: &mut Bench<'_>, portal: Vec<Call<'_>>, calls: &[Call<'_>]) {
    if portal.is_empty() {
        return;
    }
    let mut by_minute = sightings(bench, calls);
    for call in portal {
        let (record, portal) = call;
        let at_minute = portal.start.and_then(|start| by_minute.get_mut(&minute(start)));
        let found = at_minute.and_then(|sightings| {
            let place =
                sightings.iter().position(|sighting| is_same(&mut bench.numbers, portal, sighting))?;
            Some(sightings.remove(place).event)
        });
        match found {
            Some(event) => bench.attach(record, event, EvidenceRole::Supporting),
            None if portal.call_type == "Fax" => add_lone_fax(bench, &[call], None),
            None => add_call(bench, &[call]),
        }
    }
}

fn sightings(bench: &mut Bench<'_>, calls: &[Call<'_>]) -> BTreeMap<i64, Vec<Sighting>> {
    let by_key: BTreeMap<&RecordKey, &CallRecord> =
        calls.iter().map(|(record, call)| (&record.record.key, *call)).collect();
    let mut by_minute: BTreeMap<i64, Vec<Sighting>> = BTreeMap::new();
    for index in 0..bench.events.len() {
        let event = &bench.events[index];
        let records = event.evidence.iter().filter_map(|evidence| by_key.get(&evidence.record).copied());
        let records: Vec<&CallRecord> = records.collect();
        if records.is_empty() {
            let sighting = Sighting {
                event: index,
                channel: event.channel,
                from: event.from.clone(),
                to: event.to.clone(),
                extensions: [None, None],
                milliseconds: event.quantities.master,
            };
            by_minute.entry(minute(event.start)).or_default().push(sighting);
        }
        for call in records {
            let Some(start) = call.start else { continue };
            let sighting = Sighting {
                event: index,
                channel: channel_of(call),
                from: party::read(&mut bench.numbers, &call.from),
                to: party::read(&mut bench.numbers, &call.to),
                extensions: [party::extension_of(&call.from), party::extension_of(&call.to)],
                milliseconds: call.milliseconds,
            };
            by_minute.entry(minute(start)).or_default().push(sighting);
        }
    }
    by_minute
}

fn minute(instant: Instant) -> i64 {
    instant.milliseconds().div_euclid(60_000)
}

fn channel_of(call: &CallRecord) -> Channel {
    if call.call_type == "Fax" { Channel::Fax } else { Channel::Voice }
}

fn is_same(numbers: &mut NumberReader, portal: &CallRecord, sighting: &Sighting) -> bool {
    let apart = match (sighting.milliseconds, portal.milliseconds) {
        (Some(left), Some(right)) => left.abs_diff(right),
        _ => 0,
    };
    // The portal shows the short number of an extension where the API may show its own outside number.
    let mut same = |told: &PartyText, seen: &Party, extension: Option<u64>| {
        party::read(numbers, told).number == seen.number
            || (extension.is_some() && party::extension_of(told) == extension)
    };
    sighting.channel == channel_of(portal)
        && apart <= 2000
        && same(&portal.from, &sighting.from, sighting.extensions[0])
        && same(&portal.to, &sighting.to, sighting.extensions[1])
}
