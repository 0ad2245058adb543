//! The material members of a record: a version that differs in others only is a duplicate (design, section 10).
//!
//! `finished` and the links of a transfer are counted among them, because they decide whether a record may be billed
//! and which records are one call. Texts, addresses and recordings are not.

use super::json::{self, Value};
use super::wire::id_of;
use crate::domain::Hash;
use crate::domain::record::RecordKind;

const CALL: [&str; 19] = [
    "action",
    "billing",
    "delegate",
    "direction",
    "duration",
    "durationMs",
    "extension",
    "finished",
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
];
const MESSAGE: [&str; 12] = [
    "creationTime",
    "deliveryErrorCode",
    "direction",
    "extensionId",
    "faxPageCount",
    "from",
    "messageStatus",
    "pgToDepartment",
    "segmentCount",
    "smsDeliveryTime",
    "to",
    "type",
];
const EXTENSION: [&str; 6] = ["costCenter", "extensionNumber", "name", "site", "status", "type"];
const ACCOUNT: [&str; 4] = ["mainNumber", "regionalSettings", "serviceInfo", "status"];

/// Members that say where something is, not what it is.
const VOLATILE: [&str; 2] = ["device", "uri"];

/// A member as it is hashed.
enum Part<'v, 'a> {
    Value(&'v Value<'a>),
    /// With its volatile members.
    Whole(&'v Value<'a>),
    Legs(&'v [Value<'a>]),
    Attachments(Option<&'v [Value<'a>]>),
    Flag(bool),
    Id(String),
}

type Parts<'v, 'a> = Vec<(&'v str, Part<'v, 'a>)>;

/// The hash over the material members of one record. `buffer` is room for what is hashed.
pub fn material_hash(kind: RecordKind, record: &Value<'_>, deleted: bool, buffer: &mut String) -> Hash {
    let mut parts = match kind {
        RecordKind::Call | RecordKind::ExtensionCall | RecordKind::PortalCall => call(record),
        RecordKind::Message => {
            let mut parts = pick(record, &MESSAGE);
            parts.push((
                "attachments",
                Part::Attachments(record.get("attachments").and_then(Value::as_array)),
            ));
            parts
        }
        RecordKind::Extension => pick(record, &EXTENSION),
        RecordKind::Account => pick(record, &ACCOUNT),
        RecordKind::Usage => {
            let members = record.as_object().into_iter().flat_map(json::Members::iter);
            members.map(|member| (&*member.key, Part::Whole(&member.value))).collect()
        }
    };
    parts.retain(|(key, _)| *key != "deleted");
    parts.push(("deleted", Part::Flag(deleted)));
    if let Some(id) = record.get("id").and_then(id_of) {
        parts.retain(|(key, _)| *key != "id");
        parts.push(("id", Part::Id(id)));
    }
    buffer.clear();
    write_parts(parts, buffer);
    Hash::of(buffer.as_bytes())
}

fn write_parts(mut parts: Parts<'_, '_>, out: &mut String) {
    parts.sort_unstable_by_key(|(key, _)| *key);
    out.push('{');
    for (index, (key, part)) in parts.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        json::write_str(key, out);
        out.push(':');
        match part {
            Part::Value(value) => write(value, out),
            Part::Whole(value) => json::write_sorted(value, out),
            Part::Legs(legs) => json::write_list(legs, out, |leg, out| write_parts(call(leg), out)),
            Part::Attachments(None) => out.push_str("null"),
            Part::Attachments(Some(list)) => {
                json::write_list(list, out, |part, out| {
                    write_parts(pick(part, &["type", "vmDuration"]), out)
                });
            }
            Part::Flag(flag) => out.push_str(if flag { "true" } else { "false" }),
            Part::Id(id) => json::write_str(&id, out),
        }
    }
    out.push('}');
}

fn call<'v, 'a>(record: &'v Value<'a>) -> Parts<'v, 'a> {
    let mut parts = pick(record, &CALL);
    parts.extend(record.get("type").map(|kind| ("type", Part::Whole(kind))));
    parts.extend(record.get("legs").and_then(Value::as_array).map(|legs| ("legs", Part::Legs(legs))));
    parts
}

fn pick<'v, 'a>(record: &'v Value<'a>, keys: &[&'static str]) -> Parts<'v, 'a> {
    let known =
        |key: &&'static str| Some((*key, Part::Value(record.get(key).filter(|value| !value.is_null())?)));
    keys.iter().filter_map(known).collect()
}

/// Writes a value without its volatile members.
fn write(value: &Value<'_>, out: &mut String) {
    match value {
        Value::Array(items) => json::write_list(items, out, write),
        Value::Object(members) => {
            out.push('{');
            let kept = members.iter().filter(|member| !VOLATILE.contains(&&*member.key));
            for (index, member) in kept.enumerate() {
                if index > 0 {
                    out.push(',');
                }
                json::write_text(&member.key, out);
                out.push(':');
                write(&member.value, out);
            }
            out.push('}');
        }
        other => json::write_sorted(other, out),
    }
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
