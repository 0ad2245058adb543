//! Records that are not as documented. Which of them are concerned follows from their ids, so that every listing says
//! the same.

use super::kind::FaultKind;
use super::plan::Rule;
use serde_json::{Map, Value, json};

/// The two kinds of records that faults know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Calls,
    Messages,
}

/// Changes the records of a page, or a record that stands alone. Returns whether anything changed.
pub(crate) fn change(body: &mut Value, family: Family, rules: &[&Rule], seed: u64) -> bool {
    let mut changed = false;
    if let Some(records) = body.get_mut("records").and_then(Value::as_array_mut) {
        let mut shown = Vec::with_capacity(records.len());
        for mut record in std::mem::take(records) {
            let id = id(&record);
            let hitting =
                rules.iter().filter(|rule| id.as_deref().is_some_and(|id| rule.hits_record(seed, id)));
            let mut copies = Vec::new();
            for rule in hitting {
                match rule.kind {
                    FaultKind::DuplicateRecord => copies.push(record.clone()),
                    FaultKind::DuplicateRecordChanged => copies.extend(older(&record, family)),
                    kind => changed |= change_one(&mut record, family, kind, rule.amount),
                }
            }
            changed |= !copies.is_empty();
            shown.push(record);
            shown.extend(copies);
        }
        *records = shown;
        return changed;
    }
    // A batch holds records one by one.
    for item in body.as_array_mut().into_iter().flatten() {
        if let Some(record) = item.get_mut("body") {
            changed |= change(record, family, rules, seed);
        }
    }
    if let Some(id) = id(body) {
        for rule in rules.iter().filter(|rule| rule.hits_record(seed, &id)) {
            changed |= change_one(body, family, rule.kind, rule.amount);
        }
    }
    changed
}

fn id(record: &Value) -> Option<String> {
    match record.get("id")? {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// The record as it could have been before its last change.
fn older(record: &Value, family: Family) -> Option<Value> {
    let mut copy = record.clone();
    let fields = copy.as_object_mut()?;
    earlier(fields, "lastModifiedTime", 60);
    match family {
        Family::Calls => {
            let seconds = fields.get("duration")?.as_i64()?;
            fields.insert("duration".to_owned(), json!(seconds + 1));
        }
        Family::Messages => {
            let other = if fields.get("readStatus")? == "Read" { "Unread" } else { "Read" };
            fields.insert("readStatus".to_owned(), json!(other));
        }
    }
    Some(copy)
}

/// Moves a time back. A field that is absent, or no time, stays as it is.
fn earlier(fields: &mut Map<String, Value>, name: &str, seconds: i64) {
    let time = fields.get(name).and_then(Value::as_str);
    let time = time.and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
    if let Some(time) = time {
        let text = (time - chrono::TimeDelta::seconds(seconds)).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        fields.insert(name.to_owned(), json!(text));
    }
}

/// Replaces a field that is there.
fn replace(fields: &mut Map<String, Value>, name: &str, value: Value) -> bool {
    fields.get_mut(name).map(|field| *field = value).is_some()
}

fn change_one(record: &mut Value, family: Family, kind: FaultKind, amount: Option<i64>) -> bool {
    let Some(fields) = record.as_object_mut() else { return false };
    match kind {
        FaultKind::MissingField => fields.remove("direction").is_some(),
        FaultKind::NullField => replace(fields, "direction", Value::Null),
        FaultKind::UnknownEnum => {
            let name = if family == Family::Calls { "result" } else { "messageStatus" };
            replace(fields, name, json!("Spirited Away"))
        }
        FaultKind::NewField => {
            fields.insert("telepathy".to_owned(), json!({ "strength": 7, "medium": ["air", null] }));
            true
        }
        FaultKind::HugeString => {
            let text = "long ".repeat(usize::try_from(amount.unwrap_or(64)).unwrap_or(64) * 1024 / 5);
            match family {
                Family::Calls => {
                    party(fields).map(|party| party.insert("name".to_owned(), json!(text))).is_some()
                }
                Family::Messages => replace(fields, "subject", json!(text)),
            }
        }
        FaultKind::NegativeDuration => lasting(fields, family, -61),
        FaultKind::EndlessDuration => lasting(fields, family, 30 * 3600),
        FaultKind::EndBeforeStart => end_before_start(fields),
        FaultKind::NumberAsString => as_text(fields, if family == Family::Calls { "duration" } else { "id" }),
        FaultKind::ZonelessTime | FaultKind::LeapSecond | FaultKind::FarFuture => {
            let name = if family == Family::Calls { "startTime" } else { "creationTime" };
            odd_time(fields, name, kind)
        }
        FaultKind::UnknownCountry => other_number(fields, "+9995550100"),
        FaultKind::EmptyPhone => other_number(fields, ""),
        FaultKind::TwelveLegs => twelve_legs(fields),
        _ => false,
    }
}

fn as_text(fields: &mut Map<String, Value>, name: &str) -> bool {
    let Some(Value::Number(number)) = fields.get(name) else { return false };
    let text = number.to_string();
    replace(fields, name, json!(text))
}

/// The other side: who called, or who was called.
fn party(fields: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    let side = if fields.get("direction")? == "Inbound" { "from" } else { "to" };
    match fields.get_mut(side)? {
        Value::Array(list) => list.first_mut()?.as_object_mut(),
        other => other.as_object_mut(),
    }
}

fn other_number(fields: &mut Map<String, Value>, number: &str) -> bool {
    party(fields).is_some_and(|party| replace(party, "phoneNumber", json!(number)))
}

fn lasting(fields: &mut Map<String, Value>, family: Family, seconds: i64) -> bool {
    if family == Family::Calls {
        replace(fields, "durationMs", json!(seconds * 1000));
        return replace(fields, "duration", json!(seconds));
    }
    let attachments = fields.get_mut("attachments").and_then(Value::as_array_mut);
    let voice = attachments.into_iter().flatten().filter_map(Value::as_object_mut);
    voice.fold(false, |changed, voice| replace(voice, "vmDuration", json!(seconds)) || changed)
}

fn end_before_start(fields: &mut Map<String, Value>) -> bool {
    let start = fields.get("startTime").or_else(|| fields.get("creationTime")).cloned();
    let Some(start) = start else { return false };
    for name in ["lastModifiedTime", "smsDeliveryTime"] {
        if replace(fields, name, start.clone()) {
            earlier(fields, name, 3600);
        }
    }
    for leg in fields.get_mut("legs").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(leg) = leg.as_object_mut() {
            earlier(leg, "startTime", 3600);
        }
    }
    true
}

fn odd_time(fields: &mut Map<String, Value>, name: &str, kind: FaultKind) -> bool {
    let Some(text) = fields.get(name).and_then(Value::as_str) else { return false };
    let odd = match kind {
        FaultKind::ZonelessTime => text.trim_end_matches('Z').to_owned(),
        FaultKind::LeapSecond => format!("{}:60.000Z", text.get(..16).unwrap_or_default()),
        _ => format!("9999{}", text.get(4..).unwrap_or_default()),
    };
    replace(fields, name, json!(odd))
}

fn twelve_legs(fields: &mut Map<String, Value>) -> bool {
    let Some(legs) = fields.get_mut("legs").and_then(Value::as_array_mut) else { return false };
    let Some(mut leg) = legs.last().cloned() else { return false };
    leg["master"] = json!(false);
    legs.resize(12, leg);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::faults::plan::FaultPlan;

    fn changed(kind: FaultKind, family: Family, mut record: Value) -> Option<Value> {
        let plan = FaultPlan::always(kind);
        let rules: Vec<&Rule> = plan.rules.iter().collect();
        change(&mut record, family, &rules, 1).then_some(record)
    }

    fn call() -> Value {
        json!({
            "id": "Abc", "direction": "Inbound", "result": "Accepted", "duration": 61, "durationMs": 61_000,
            "startTime": "2026-10-18T12:34:56.789Z", "lastModifiedTime": "2026-10-18T12:36:00.000Z",
            "from": { "phoneNumber": "+12125550143", "name": "A" }, "to": { "phoneNumber": "+12125550100" },
            "legs": [{ "master": true, "startTime": "2026-10-18T12:34:56.789Z" }],
        })
    }

    #[test]
    fn each_kind_changes_a_call_in_its_own_way() {
        let of = |kind| changed(kind, Family::Calls, call()).expect("a change");
        assert_eq!(of(FaultKind::MissingField)["direction"], Value::Null);
        assert!(of(FaultKind::MissingField).get("direction").is_none());
        assert!(of(FaultKind::NullField).get("direction").is_some_and(Value::is_null));
        assert_eq!(of(FaultKind::NegativeDuration)["durationMs"], json!(-61_000));
        assert_eq!(of(FaultKind::EndlessDuration)["duration"], json!(108_000));
        assert_eq!(of(FaultKind::EndBeforeStart)["lastModifiedTime"], json!("2026-10-18T11:34:56.789Z"));
        assert_eq!(of(FaultKind::EndBeforeStart)["legs"][0]["startTime"], json!("2026-10-18T11:34:56.789Z"));
        assert_eq!(of(FaultKind::NumberAsString)["duration"], json!("61"));
        assert_eq!(of(FaultKind::ZonelessTime)["startTime"], json!("2026-10-18T12:34:56.789"));
        assert_eq!(of(FaultKind::LeapSecond)["startTime"], json!("2026-10-18T12:34:60.000Z"));
        assert_eq!(of(FaultKind::FarFuture)["startTime"], json!("9999-10-18T12:34:56.789Z"));
        assert_eq!(of(FaultKind::EmptyPhone)["from"]["phoneNumber"], json!(""));
        assert_eq!(of(FaultKind::UnknownCountry)["to"]["phoneNumber"], json!("+12125550100"));
        assert_eq!(of(FaultKind::TwelveLegs)["legs"].as_array().map(Vec::len), Some(12));
        let name = of(FaultKind::HugeString)["from"]["name"].as_str().map(str::len);
        assert!(name.is_some_and(|length| length > 65_000), "{name:?}");
    }

    #[test]
    fn pages_hold_records_twice() {
        let page = json!({ "records": [call()] });
        let same = changed(FaultKind::DuplicateRecord, Family::Calls, page.clone()).expect("a change");
        assert_eq!(same["records"], json!([call(), call()]));
        let other = changed(FaultKind::DuplicateRecordChanged, Family::Calls, page).expect("a change");
        assert_eq!(other["records"][1]["duration"], json!(62));
        assert_eq!(other["records"][1]["lastModifiedTime"], json!("2026-10-18T12:35:00.000Z"));
        assert_eq!(other["records"][1]["id"], json!("Abc"));
    }

    #[test]
    fn what_a_record_lacks_is_left_alone() {
        let gone = json!({ "id": 7, "availability": "Purged" });
        for kind in FaultKind::ALL.iter().filter(|kind| **kind != FaultKind::NewField) {
            let record = changed(*kind, Family::Messages, gone.clone());
            assert!(record.is_none() || *kind == FaultKind::NumberAsString, "{kind:?} {record:?}");
        }
    }
}
