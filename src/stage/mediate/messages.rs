//! Messages: one event per recipient of what was sent, one event for what was received.

use crate::domain::disposition::SuspenseReason;
use crate::domain::event::{BillableEvent, EvidenceRole, LegQuantities, Party, SegmentWays};
use crate::domain::outcome::{Channel, Direction, Outcome};
use crate::domain::source::{DecodedRecord, MessageRecord, PartyText, RecipientRecord};
use crate::domain::{Instant, PartyNumber};

use super::{Bench, party, words};

/// What all recipients of one message share.
struct Common<'m> {
    record: &'m DecodedRecord,
    message: &'m MessageRecord,
    channel: Channel,
    start: Instant,
    from: Party,
}

pub fn add(bench: &mut Bench<'_>, record: &DecodedRecord, message: &MessageRecord) {
    let kind = message.message_type.as_deref().unwrap_or_default();
    let channel = match kind {
        "SMS" | "Text" if message.multimedia => Channel::Mms,
        "SMS" | "Text" => Channel::Sms,
        "Fax" => Channel::Fax,
        "VoiceMail" => Channel::Voicemail,
        "Pager" => return bench.exclude(record, "pager message inside the company"),
        other => return bench.suspend(record, SuspenseReason::UnknownType, other),
    };
    let Some(start) = message.created else {
        return bench.suspend(record, SuspenseReason::NoStart, "");
    };
    let from = party::read(&mut bench.numbers, &message.from);
    let common = Common { record, message, channel, start, from };
    match message.direction.as_deref() {
        Some("Inbound") => add_received(bench, &common),
        Some("Outbound") => add_sent(bench, &common),
        other => bench.suspend(record, SuspenseReason::UnknownDirection, other.unwrap_or_default()),
    }
}

fn add_received(bench: &mut Bench<'_>, common: &Common<'_>) {
    let status = common.message.status.as_deref().unwrap_or("Received");
    let Some(outcome) = words::message_outcome(status) else {
        return bench.suspend(common.record, SuspenseReason::UnknownMessageStatus, status);
    };
    let to = common.message.to.first().map(|recipient| recipient.party.clone()).unwrap_or_default();
    let id = format!("message:{}", common.record.record.key.id);
    let internal =
        common.message.from.extension_number.is_some() && common.message.from.phone_number.is_none();
    let direction = if internal { Direction::Internal } else { Direction::Inbound };
    let event = event(bench, common, id, direction, outcome, status, &to, None);
    push(bench, common.record, vec![event]);
}

fn add_sent(bench: &mut Bench<'_>, common: &Common<'_>) {
    if common.message.to.is_empty() {
        return bench.suspend(common.record, SuspenseReason::NoNumber, "no recipient");
    }
    let mut events: Vec<BillableEvent> = Vec::new();
    for recipient in &common.message.to {
        let status = recipient.status.as_deref().or(common.message.status.as_deref()).unwrap_or_default();
        let Some(mut outcome) = words::message_outcome(status) else {
            return bench.suspend(common.record, SuspenseReason::UnknownMessageStatus, status);
        };
        if common.channel == Channel::Fax && recipient.error_code.as_deref() == Some("SentPartially") {
            outcome = Outcome::Partial;
        }
        if party::is_nobody(&recipient.party) {
            return bench.suspend(common.record, SuspenseReason::NoNumber, "a recipient without a number");
        }
        let internal = recipient.party.phone_number.is_none() && recipient.party.extension_number.is_some();
        let direction = if internal { Direction::Internal } else { Direction::Outbound };
        let id = recipient_id(bench, common, recipient, &events);
        let code = recipient.error_code.as_deref();
        events.push(event(bench, common, id, direction, outcome, status, &recipient.party, code));
    }
    push(bench, common.record, events);
}

/// Stable however the recipients are ordered: the number, and an ordinal among equal numbers.
fn recipient_id(
    bench: &mut Bench<'_>,
    common: &Common<'_>,
    recipient: &RecipientRecord,
    earlier: &[BillableEvent],
) -> String {
    let to = party::read(&mut bench.numbers, &recipient.party);
    let name = match to.number {
        PartyNumber::Unparseable | PartyNumber::Withheld => to.raw,
        number => number.to_string().replace(' ', ""),
    };
    let base = format!("message:{}:{name}", common.record.record.key.id);
    let again =
        earlier.iter().filter(|event| event.id == base || event.id.starts_with(&format!("{base}#"))).count();
    if again == 0 { base } else { format!("{base}#{}", again + 1) }
}

#[expect(clippy::too_many_arguments, reason = "one event has this many independent facts")]
fn event(
    bench: &mut Bench<'_>,
    common: &Common<'_>,
    id: String,
    direction: Direction,
    outcome: Outcome,
    status: &str,
    to: &PartyText,
    recipient_code: Option<&str>,
) -> BillableEvent {
    let message = common.message;
    let mailbox = message.mailbox.as_deref().and_then(|id| bench.extensions.get(id).copied());
    let text = matches!(common.channel, Channel::Sms | Channel::Mms);
    // A queued fax reports zero pages; nobody knows them until it is sent.
    let pages = message.pages.filter(|_| outcome != Outcome::Queued && outcome != Outcome::Partial);
    let counts = match message.segments {
        _ if !text => SegmentWays::default(),
        Some(given) => SegmentWays::all(Some(given)),
        None => message.segments_counted,
    };
    BillableEvent {
        id,
        start: common.start,
        channel: common.channel,
        direction,
        outcome,
        result: status.to_owned(),
        error_code: recipient_code.map(str::to_owned).or_else(|| message.error_code.clone()),
        from: common.from.clone(),
        to: party::read(&mut bench.numbers, to),
        extension: mailbox,
        extensions: mailbox.into_iter().collect(),
        legs: Vec::new(),
        quantities: LegQuantities::default(),
        entries: Vec::new(),
        segments: counts.gsm7_pairs,
        segment_counts: counts,
        pages: pages.filter(|_| common.channel == Channel::Fax),
        account_code: None,
        contact: None,
        site: None,
        department: None,
        cost_centre: None,
        ringcentral_account: None,
        coding: None,
        carrier_cost: None,
        message_id: Some(common.record.record.key.id.clone()),
        last_modified: common.record.record.last_modified,
        evidence: Vec::new(),
        remarks: Vec::new(),
    }
}

/// Adds the events of one message. The record is primary evidence of all of them and stands once in the ledger.
fn push(bench: &mut Bench<'_>, record: &DecodedRecord, events: Vec<BillableEvent>) {
    for (index, event) in events.into_iter().enumerate() {
        bench.events.push(event);
        let at = bench.events.len() - 1;
        if index == 0 {
            bench.attach(record, at, EvidenceRole::Primary);
        } else {
            let evidence = bench.events[at - 1].evidence[0].clone();
            bench.events[at].evidence.push(evidence);
            bench.events[at].ringcentral_account = bench.events[at - 1].ringcentral_account.clone();
        }
    }
}
