//! The material members of a record: a version that differs in others only is a duplicate (design, section 10).
//!
//! `finished` and the links of a transfer are counted among them, because they decide whether a record may be billed
//! and which records are one call. Texts, addresses and recordings are not.

use serde_json::{Map, Value};

use super::json;
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

/// The hash over the material members of one record.
pub fn material_hash(kind: RecordKind, record: &Value, deleted: bool) -> Hash {
    let mut members = match kind {
        RecordKind::Call | RecordKind::ExtensionCall | RecordKind::PortalCall => call(record),
        RecordKind::Message => {
            let mut members = pick(record, &MESSAGE);
            members.insert("attachments".into(), attachments(record));
            members
        }
        RecordKind::Extension => pick(record, &EXTENSION),
        RecordKind::Account => pick(record, &ACCOUNT),
        RecordKind::Usage => record.as_object().cloned().unwrap_or_default(),
    };
    members.insert("deleted".into(), Value::Bool(deleted));
    if let Some(id) = record.get("id").and_then(id_of) {
        members.insert("id".into(), Value::String(id));
    }
    Hash::of(json::sorted(&Value::Object(members)).as_bytes())
}

fn call(record: &Value) -> Map<String, Value> {
    let mut members = pick(record, &CALL);
    if let Some(kind) = record.get("type") {
        members.insert("type".into(), kind.clone());
    }
    if let Some(Value::Array(legs)) = record.get("legs") {
        let legs = legs.iter().map(|leg| Value::Object(call(leg))).collect();
        members.insert("legs".into(), Value::Array(legs));
    }
    members
}

fn pick(record: &Value, keys: &[&str]) -> Map<String, Value> {
    keys.iter()
        .filter_map(|key| {
            let member = record.get(*key).filter(|member| !member.is_null())?;
            Some(((*key).to_owned(), without_volatile(member)))
        })
        .collect()
}

fn without_volatile(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(without_volatile).collect()),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(key, _)| !VOLATILE.contains(&key.as_str()))
                .map(|(key, member)| (key.clone(), without_volatile(member)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Kinds and lengths of attachments: they tell a text from a picture, and carry a voicemail's duration.
fn attachments(record: &Value) -> Value {
    let Some(Value::Array(attachments)) = record.get("attachments") else { return Value::Null };
    let kept = attachments.iter().map(|attachment| Value::Object(pick(attachment, &["type", "vmDuration"])));
    Value::Array(kept.collect())
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
