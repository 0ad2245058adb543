//! The material members of a record: a version that differs in others only is a duplicate (design, section 10).
//!
//! The links of a transfer are counted among them, because they decide which records are one call, and whether a call
//! is finished, because that decides whether it may be billed. Texts, addresses and recordings are not. The same record
//! comes by lists and by changes, from older and newer back ends: what they write differently (the order of legs, ids as
//! numbers or as text, forms of times, absent members that say nothing) is written in one way before it is hashed.

use std::fmt::Write as _;

use super::json::{self, Number, Text, Value};
use super::wire::path_member;
use crate::domain::record::RecordKind;
use crate::domain::{Hash, Instant};

/// `duration` and `finished` are written apart.
const CALL: [&str; 17] = [
    "action",
    "billing",
    "delegate",
    "direction",
    "extension",
    "from",
    "legType",
    "master",
    "message",
    "result",
    "sessionId",
    "startTime",
    "telephonySessionId",
    "to",
    "transferTarget",
    "transferee",
    "type",
];
const MESSAGE: [&str; 11] = [
    "creationTime",
    "deliveryErrorCode",
    "direction",
    "faxPageCount",
    "from",
    "messageStatus",
    "pgToDepartment",
    "segmentCount",
    "smsDeliveryTime",
    "to",
    "type",
];
const ATTACHMENT: [&str; 2] = ["type", "vmDuration"];
const EXTENSION: [&str; 6] = ["costCenter", "extensionNumber", "name", "site", "status", "type"];
const ACCOUNT: [&str; 4] = ["mainNumber", "regionalSettings", "serviceInfo", "status"];

/// Members that say where something is, not what it is.
const VOLATILE: [&str; 2] = ["device", "uri"];

/// Members that are served as numbers or as text.
const IDS: [&str; 8] = [
    "extensionId",
    "extensionNumber",
    "id",
    "phoneNumber",
    "recipientId",
    "sessionId",
    "telephonySessionId",
    "dialedPhoneNumber",
];
const TIMES: [&str; 3] = ["creationTime", "smsDeliveryTime", "startTime"];
/// Flags whose absence means the same as `false`.
const FLAGS: [&str; 2] = ["master", "pgToDepartment"];

/// The hash over the material members of one record. `out` is room for what is hashed.
pub fn material_hash(kind: RecordKind, record: &Value<'_>, deleted: bool, out: &mut String) -> Hash {
    out.clear();
    match kind {
        RecordKind::Call | RecordKind::ExtensionCall | RecordKind::PortalCall => {
            call(record, out);
            unfinished(record, out);
        }
        RecordKind::Message => message(record, out),
        RecordKind::Extension => pick(record, &EXTENSION, out),
        RecordKind::Account => pick(record, &ACCOUNT, out),
        RecordKind::Usage => json::write_sorted(record, out),
    }
    out.push_str(if deleted { "deleted;" } else { "" });
    if let Some(id) = record.get("id").filter(|id| is_id(id)) {
        member("id", id, out);
    }
    Hash::of(out.as_bytes())
}

/// Whether a value names something: a number or a text that is not empty.
fn is_id(value: &Value<'_>) -> bool {
    value.is_number() || value.as_str().is_some_and(|text| !text.is_empty())
}

/// A call or a leg of one.
fn call(record: &Value<'_>, out: &mut String) {
    pick(record, &CALL, out);
    // Milliseconds beside seconds are the same stretch told finer; older back ends leave them out.
    let said = |key: &'static str| Some((key, record.get(key).filter(|value| !value.is_null())?));
    if let Some((key, value)) = ["duration", "durationMs"].into_iter().find_map(said) {
        member(key, value, out);
    }
    if let Some(legs) = record.get("legs").and_then(Value::as_array) {
        list("legs", legs, call, out);
    }
}

/// Older back ends do not say whether a call has finished; then only the result tells.
fn unfinished(record: &Value<'_>, out: &mut String) {
    if record.get("finished").and_then(Value::as_bool) == Some(false) {
        let result = record.get("result").and_then(Value::as_str).unwrap_or_default();
        if !result.trim().eq_ignore_ascii_case("in progress") {
            out.push_str("unfinished;");
        }
    }
}

fn message(record: &Value<'_>, out: &mut String) {
    pick(record, &MESSAGE, out);
    // Older answers name the mailbox in the address only.
    if let Some(mailbox) = record.get("extensionId").filter(|id| is_id(id)) {
        member("extensionId", mailbox, out);
    } else if let Some(mailbox) = record.get("uri").and_then(|uri| path_member(uri.as_str()?, "/extension/"))
    {
        out.push_str("extensionId:");
        json::write_str(mailbox, out);
        out.push(';');
    }
    // Kinds and lengths of attachments: they tell a text from a picture, and carry a voicemail's duration.
    if let Some(attachments) = record.get("attachments").and_then(Value::as_array) {
        list("attachments", attachments, |attachment, out| pick(attachment, &ATTACHMENT, out), out);
    }
}

fn pick(record: &Value<'_>, keys: &[&'static str], out: &mut String) {
    let members = record.as_object().into_iter().flat_map(|members| members.pick(keys));
    members.for_each(|picked| member(&picked.key, &picked.value, out));
}

/// Writes a member, unless it says nothing.
fn member(key: &str, value: &Value<'_>, out: &mut String) {
    let before = out.len();
    out.push_str(key);
    out.push(':');
    if write(key, value, out) { out.push(';') } else { out.truncate(before) }
}

/// Writes a list whose order says nothing.
fn list<'a>(key: &str, items: &[Value<'a>], write: fn(&Value<'a>, &mut String), out: &mut String) {
    if items.is_empty() {
        return;
    }
    out.push_str(key);
    out.push_str(":[");
    let write = |item: &Value<'a>, out: &mut String| {
        write(item, out);
        true
    };
    in_order(items, write, out, |item, _, out| {
        out.push('{');
        out.push_str(item);
        out.push('}');
    });
    out.push_str("];");
}

/// Writes some items sorted by what is written of them, leaving out those that say nothing (for which `write` is
/// false); returns their number. `put` is told each item's text and its place.
fn in_order<'a>(
    items: &[Value<'a>],
    write: impl Fn(&Value<'a>, &mut String) -> bool,
    out: &mut String,
    put: impl Fn(&str, usize, &mut String),
) -> usize {
    let start = out.len();
    let mut ends = Vec::with_capacity(items.len());
    for item in items {
        let before = out.len();
        if write(item, out) { ends.push(out.len() - start) } else { out.truncate(before) }
    }
    let text = out.split_off(start);
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let mut written: Vec<&str> = starts.zip(&ends).map(|(start, end)| &text[start..*end]).collect();
    written.sort_unstable();
    written.iter().enumerate().for_each(|(place, item)| put(item, place, out));
    written.len()
}

/// Writes the value of a member in the one form; false when it says nothing.
fn write(key: &str, value: &Value<'_>, out: &mut String) -> bool {
    match value {
        Value::Null => return false,
        Value::Bool(false) if FLAGS.contains(&key) => return false,
        Value::String(text) => return write_text(key, text, out),
        Value::Number(number) if IDS.contains(&key) => json::write_str(&number.to_string(), out),
        Value::Number(Number::Digits(digits)) => write_number(digits, out),
        Value::Bool(_) | Value::Number(_) => json::write_sorted(value, out),
        Value::Array(items) => {
            let comma = |item: &str, place: usize, out: &mut String| {
                out.push_str(if place > 0 { "," } else { "" });
                out.push_str(item);
            };
            return in_order(items, |item, out| write(key, item, out), out, comma) > 0;
        }
        Value::Object(members) => {
            out.push('{');
            let before = out.len();
            let kept = members.iter().filter(|member| !VOLATILE.contains(&&*member.key));
            kept.for_each(|inner| member(&inner.key, &inner.value, out));
            let says_something = out.len() > before;
            out.push('}');
            return says_something;
        }
    }
    true
}

/// `0.1370` is `0.137`; numbers with an exponent stay as they are.
fn write_number(digits: &str, out: &mut String) {
    let plain = digits.contains('.') && !digits.contains(['e', 'E']);
    out.push_str(if plain { digits.trim_end_matches('0').trim_end_matches('.') } else { digits });
}

fn write_text(key: &str, text: &Text<'_>, out: &mut String) -> bool {
    if text.is_empty() && IDS.contains(&key) {
        return false;
    }
    let time = if TIMES.contains(&key) { Instant::parse(text) } else { None };
    let before = out.len();
    match time {
        // A string takes everything: its writer cannot fail.
        Some(time) => drop(write!(out, "{}", time.milliseconds())),
        None => json::write_text(text, out),
    }
    if key == "result" {
        // The service itself varies the case of results: `Hang up`, `Hang Up`.
        out[before..].make_ascii_lowercase();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn material_hash(kind: RecordKind, record: &serde_json::Value, deleted: bool) -> Hash {
        super::material_hash(kind, &Value::from(record), deleted, &mut String::new())
    }

    #[test]
    fn only_material_members_count() {
        let call = json!({"id": "A", "uri": "https://x/1", "result": "Accepted", "duration": 5, "legs": [{"master": true}],
            "lastModifiedTime": "2026-03-09T00:00:00Z", "from": {"phoneNumber": "+1", "device": {"id": "1"}}});
        let hash = material_hash(RecordKind::Call, &call, false);
        let mut same = call.clone();
        same["uri"] = json!("https://y/2");
        same["recording"] = json!({"id": "9"});
        same["lastModifiedTime"] = json!("2026-03-10T00:00:00Z");
        same["from"]["device"] = json!({"id": "2"});
        assert_eq!(material_hash(RecordKind::Call, &same, false), hash);
        for (member, value) in [("duration", json!(6)), ("finished", json!(false)), ("legs", json!([]))] {
            let mut other = call.clone();
            other[member] = value;
            assert_ne!(material_hash(RecordKind::Call, &other, false), hash, "{member}");
        }
        assert_ne!(material_hash(RecordKind::Call, &call, true), hash);
    }

    #[test]
    fn the_status_at_one_recipient_is_material_and_a_read_mark_is_not() {
        let fax =
            json!({"id": 1, "to": [{"phoneNumber": "+1", "messageStatus": "Sent"}], "readStatus": "Unread"});
        let hash = material_hash(RecordKind::Message, &fax, false);
        let mut read = fax.clone();
        read["readStatus"] = json!("Read");
        assert_eq!(material_hash(RecordKind::Message, &read, false), hash);
        let mut failed = fax.clone();
        failed["to"][0]["messageStatus"] = json!("SendingFailed");
        assert_ne!(material_hash(RecordKind::Message, &failed, false), hash);
    }
}
