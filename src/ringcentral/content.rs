//! Stored records → what mediation reads. The wire types stay in this module; mediation sees plain values.

use super::text::segment_ways;
use super::wire::{self, MessageText};
use crate::domain::Instant;
use crate::domain::event::SegmentWays;
use crate::domain::record::{RecordKind, SourceRecord};
use crate::domain::source::{
    CallRecord, Content, Extension, LegRecord, MessageRecord, PartyText, RecipientRecord,
};

/// What a stored record says. Usage rows are not the service's and are read elsewhere.
pub fn content(record: &SourceRecord) -> Content {
    if record.key.id.starts_with("malformed-") {
        return Content::Malformed("not a record with an id".to_owned());
    }
    match record.key.kind {
        RecordKind::Call => call_content(record, Content::Call),
        RecordKind::ExtensionCall => call_content(record, Content::ExtensionCall),
        RecordKind::PortalCall => call_content(record, Content::PortalCall),
        RecordKind::Message => match wire::read_message(&record.json) {
            Ok(message) if record.deleted_upstream && message.says_nothing() => Content::DeletionNotice,
            Ok(message) => Content::Message(message_record(message)),
            Err(why) => Content::Malformed(why),
        },
        RecordKind::Extension | RecordKind::Account | RecordKind::Usage => Content::Descriptive,
    }
}

/// The extension a stored record of an extension list describes.
pub fn extension(record: &SourceRecord) -> Option<Extension> {
    let read = wire::read_extension(&record.json).ok()?;
    let number = read.extension_number.as_deref().and_then(|text| text.trim().parse().ok());
    Some(Extension {
        id: read.id.unwrap_or_else(|| record.key.id.clone()),
        number,
        name: read.name.unwrap_or_default(),
        kind: read.kind.unwrap_or_default(),
    })
}

fn call_content(record: &SourceRecord, kind: fn(CallRecord) -> Content) -> Content {
    match wire::read_call(&record.json) {
        Ok(call) if record.deleted_upstream && call.says_nothing() => Content::DeletionNotice,
        Ok(call) => kind(call_record(call)),
        Err(why) => Content::Malformed(why),
    }
}

/// A record's own duration is what the service shows everybody: its whole seconds as served come first.
fn shown_milliseconds(seconds: Option<i64>, fine: Option<i64>) -> Option<i64> {
    seconds.and_then(|seconds| seconds.checked_mul(1000)).or(fine)
}

/// A leg's duration is measured between instants and rounded up once, when it is billed: the whole seconds were
/// rounded already, by a rule nobody documents.
fn measured_milliseconds(seconds: Option<i64>, fine: Option<i64>) -> Option<i64> {
    fine.or_else(|| seconds.and_then(|seconds| seconds.checked_mul(1000)))
}

fn call_record(call: wire::Call) -> CallRecord {
    let legs: Vec<LegRecord> = call.legs.into_iter().map(leg_record).collect();
    CallRecord {
        session_id: call.session_id,
        telephony_session_id: call.telephony_session_id,
        start: call.start_time.as_deref().and_then(Instant::parse),
        milliseconds: shown_milliseconds(call.duration, call.duration_ms),
        call_type: call.kind.unwrap_or_default(),
        direction: call.direction.unwrap_or_default(),
        action: call.action.unwrap_or_default(),
        result: call.result,
        from: party(call.from),
        to: party(call.to),
        extension_id: call.extension.and_then(|extension| extension.id),
        message_id: call.message.and_then(|message| message.id),
        transfer_target: call.transfer_target.and_then(|link| link.telephony_session_id),
        transferee: call.transferee.and_then(|link| link.telephony_session_id),
        finished: call.finished,
        deleted: call.deleted.unwrap_or(false),
        legs: if legs.is_empty() { None } else { Some(legs) },
    }
}

fn leg_record(leg: wire::Leg) -> LegRecord {
    LegRecord {
        start: leg.start(),
        milliseconds: measured_milliseconds(leg.duration, leg.duration_ms),
        action: leg.action.unwrap_or_default(),
        result: leg.result,
        leg_type: leg.leg_type.unwrap_or_default(),
        master: leg.master.unwrap_or(false),
        extension_id: leg.extension.and_then(|extension| extension.id),
    }
}

fn party(party: Option<wire::Party>) -> PartyText {
    party.map_or_else(PartyText::default, |party| PartyText {
        phone_number: party.phone_number,
        extension_number: party.extension_number,
        extension_id: party.extension_id,
        name: party.name,
    })
}

fn message_record(message: wire::Message) -> MessageRecord {
    let count = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok());
    let counted = match &message.subject {
        Some(MessageText::Kept(text)) => segment_ways(text),
        Some(MessageText::Replaced { segments_gsm7, segments_ucs2, others, .. }) => {
            others.or_all(u32::try_from(segments_gsm7.unwrap_or(*segments_ucs2)).ok())
        }
        None => SegmentWays::default(),
    };
    let multimedia = message.attachments.iter().any(|part| part.kind.as_deref() == Some("MmsAttachment"));
    MessageRecord {
        created: message.created(),
        mailbox: message.mailbox().map(str::to_owned),
        message_type: message.kind,
        direction: message.direction,
        availability: message.availability,
        status: message.message_status,
        from: party(message.from),
        to: message.to.into_iter().map(recipient).collect(),
        segments: count(message.segment_count),
        segments_counted: counted,
        pages: count(message.fax_page_count),
        error_code: message.delivery_error_code,
        multimedia,
    }
}

fn recipient(recipient: wire::Recipient) -> RecipientRecord {
    RecipientRecord {
        party: PartyText {
            phone_number: recipient.phone_number,
            extension_number: recipient.extension_number,
            extension_id: recipient.extension_id,
            name: recipient.name,
        },
        status: recipient.message_status,
        error_code: recipient.fax_error_code,
    }
}
