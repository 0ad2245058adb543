//! The material members of a record: a version that differs in others only is a duplicate (design, section 10).
//!
//! The links of a transfer are counted among them, because they decide which records are one call, and whether a call
//! is finished, because that decides whether it may be billed. Texts, addresses and recordings are not. The same record
//! comes by lists and by changes, from older and newer back ends: what they write differently (the order of legs, ids as
//! numbers or as text, forms of times, absent members that say nothing) is written in one way before it is hashed.

use serde_json::Value;

use super::json;
use super::wire::{id_of, path_member};
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

/// The hash over the material members of one record.
pub fn material_hash(kind: RecordKind, record: &Value, deleted: bool) -> Hash {
    let mut out = String::with_capacity(1024);
    match kind {
        RecordKind::Call | RecordKind::ExtensionCall | RecordKind::PortalCall => {
            call(record, &mut out);
            unfinished(record, &mut out);
        }
        RecordKind::Message => message(record, &mut out),
        RecordKind::Extension => pick(record, &EXTENSION, &mut out),
        RecordKind::Account => pick(record, &ACCOUNT, &mut out),
        RecordKind::Usage => json::write_sorted(record, &mut out),
    }
    out.push_str(if deleted { "deleted;" } else { "" });
    if let Some(id) = record.get("id").and_then(id_of) {
        member("id", &Value::String(id), &mut out);
    }
    Hash::of(out.as_bytes())
}

/// A call or a leg of one.
fn call(record: &Value, out: &mut String) {
    pick(record, &CALL, out);
    // Milliseconds beside seconds are the same stretch told finer; older back ends leave them out.
    let said = |key: &&&str| record.get(**key).is_some_and(|value| !value.is_null());
    if let Some(key) = ["duration", "durationMs"].iter().find(said) {
        member(key, &record[*key], out);
    }
    if let Some(Value::Array(legs)) = record.get("legs") {
        let written = |leg: &Value| {
            let mut out = String::new();
            call(leg, &mut out);
            out
        };
        list("legs", legs.iter().map(written).collect(), out);
    }
}

/// Older back ends do not say whether a call has finished; then only the result tells.
fn unfinished(record: &Value, out: &mut String) {
    if record.get("finished").and_then(Value::as_bool) == Some(false) {
        let result = record.get("result").and_then(Value::as_str).unwrap_or_default();
        if !result.trim().eq_ignore_ascii_case("in progress") {
            out.push_str("unfinished;");
        }
    }
}

fn message(record: &Value, out: &mut String) {
    pick(record, &MESSAGE, out);
    // Older answers name the mailbox in the address only.
    let address = || path_member(record.get("uri")?.as_str()?, "/extension/").map(str::to_owned);
    if let Some(mailbox) = record.get("extensionId").and_then(id_of).or_else(address) {
        member("extensionId", &Value::String(mailbox), out);
    }
    // Kinds and lengths of attachments: they tell a text from a picture, and carry a voicemail's duration.
    if let Some(Value::Array(attachments)) = record.get("attachments") {
        let written = |attachment: &Value| {
            let mut out = String::new();
            pick(attachment, &ATTACHMENT, &mut out);
            out
        };
        list("attachments", attachments.iter().map(written).collect(), out);
    }
}

fn pick(record: &Value, keys: &[&str], out: &mut String) {
    for key in keys {
        if let Some(value) = record.get(*key) {
            member(key, value, out);
        }
    }
}

/// Writes a member, unless it says nothing.
fn member(key: &str, value: &Value, out: &mut String) {
    let before = out.len();
    out.push_str(key);
    out.push(':');
    if write(key, value, out) { out.push(';') } else { out.truncate(before) }
}

/// Writes a list whose order says nothing.
fn list(key: &str, mut items: Vec<String>, out: &mut String) {
    if items.is_empty() {
        return;
    }
    items.sort_unstable();
    out.push_str(key);
    out.push_str(":[");
    for item in items {
        out.push('{');
        out.push_str(&item);
        out.push('}');
    }
    out.push_str("];");
}

/// Writes the value of a member in the one form; false when it says nothing.
fn write(key: &str, value: &Value, out: &mut String) -> bool {
    match value {
        Value::Null => return false,
        Value::Bool(false) if FLAGS.contains(&key) => return false,
        Value::String(text) => return write_text(key, text, out),
        Value::Number(_) if IDS.contains(&key) => json::write_text(&value.to_string(), out),
        Value::Number(number) => write_number(&number.to_string(), out),
        Value::Bool(_) => out.push_str(&value.to_string()),
        Value::Array(items) => {
            let written = items.iter().filter_map(|item| {
                let mut out = String::new();
                write(key, item, &mut out).then_some(out)
            });
            let mut written: Vec<String> = written.collect();
            written.sort_unstable();
            out.push_str(&written.join(","));
            return !written.is_empty();
        }
        Value::Object(members) => {
            let mut keys: Vec<&String> = members.keys().collect();
            keys.retain(|key| !VOLATILE.contains(&key.as_str()));
            keys.sort_unstable();
            out.push('{');
            let before = out.len();
            keys.into_iter().for_each(|key| member(key, &members[key], out));
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

fn write_text(key: &str, text: &str, out: &mut String) -> bool {
    if text.is_empty() && IDS.contains(&key) {
        return false;
    }
    let time = if TIMES.contains(&key) { Instant::parse(text) } else { None };
    match time {
        Some(time) => out.push_str(&time.milliseconds().to_string()),
        // The service itself varies the case of results: `Hang up`, `Hang Up`.
        None if key == "result" => json::write_text(&text.to_ascii_lowercase(), out),
        None => json::write_text(text, out),
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
