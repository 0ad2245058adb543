//! Personal text is replaced before anything is kept.
//!
//! The text of a message becomes its keyed hash, its length in characters and its segment counts; the key belongs to
//! the book, so that short texts cannot be guessed from their hashes. Contact details of extensions are dropped.

use super::json::{self, Member, Members, Number, Value};
use super::text::{SegmentCounts, count_segments, segment_ways};
use crate::domain::record::RecordKind;

/// Members of a message that hold what people wrote or said, at any depth.
const TEXT_MEMBERS: [&str; 8] = [
    "subject",
    "coverPageText",
    "text",
    "transcript",
    "transcription",
    "vmTranscript",
    "vmTranscription",
    "fileName",
];

/// The members of an extension's contact that are kept: who it is, not how to reach them.
const CONTACT_MEMBERS: [&str; 6] = ["company", "department", "firstName", "jobTitle", "lastName", "name"];

/// Members with counts that differ from the automatic one: graphemes kept whole, national tables, both.
const SEGMENT_WAYS: [&str; 3] = ["segmentsGsm7Graphemes", "segmentsNational", "segmentsNationalGraphemes"];

/// How texts are replaced.
#[derive(Clone)]
pub struct Redaction {
    /// The book's own key for the hashes of texts.
    pub key: [u8; 32],
    /// Keep message texts as served (the user's choice; off by default).
    pub keep_text: bool,
}

impl std::fmt::Debug for Redaction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Redaction {{ key: ***, keep_text: {} }}", self.keep_text)
    }
}

impl Redaction {
    /// What is stored in place of a text.
    pub fn replacement(&self, text: &str) -> Value<'static> {
        let counts = count_segments(text);
        let SegmentCounts { gsm7, ucs2 } = counts;
        let ways = segment_ways(text).beside(Some(counts.automatic()));
        let number = |count: u64| Value::Number(Number::Whole(count));
        let hash = blake3::keyed_hash(&self.key, text.as_bytes()).to_hex();
        let members = [
            ("characters", number(text.chars().count() as u64)),
            ("hash", Value::String(hash.as_str().into())),
            ("segmentsGsm7", gsm7.map_or(Value::Null, |count| number(count.into()))),
            ("segmentsUcs2", number(ucs2.into())),
        ];
        // Counts by other ways stand only where they differ: texts that were stored before have no others.
        let others = [ways.gsm7_graphemes, ways.national_pairs, ways.national_graphemes];
        let others = SEGMENT_WAYS
            .into_iter()
            .zip(others)
            .filter_map(|(key, count)| Some((key, number(count?.into()))));
        let members = members.into_iter().chain(others).map(|(key, value)| Member::new(key, value));
        Value::Object(Members::new(members.collect()))
    }

    /// Replaces the personal text of one record in place. Applying it twice changes nothing.
    pub fn apply(&self, kind: RecordKind, record: &mut Value<'_>) {
        match kind {
            RecordKind::Message if !self.keep_text => self.redact_message(record),
            RecordKind::Extension => drop_contact_details(record),
            _ => {}
        }
    }

    fn redact_message(&self, record: &mut Value<'_>) {
        if let Value::String(text) = record {
            *record = self.replacement(text);
            return;
        }
        let inbound_fax = member_is(record, "type", "Fax") && member_is(record, "direction", "Inbound");
        let sender = inbound_fax
            .then(|| {
                record
                    .get("subject")
                    .and_then(Value::as_str)
                    .filter(|text| is_number(text))
                    .map(str::to_owned)
            })
            .flatten();
        self.redact_members(record);
        if let (Some(sender), Value::Object(members)) = (sender, record) {
            members.insert("subject", Value::String(sender.into()));
        }
    }

    fn redact_members(&self, value: &mut Value<'_>) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_members(item)),
            Value::Object(members) => {
                for (key, member) in members.iter_mut() {
                    if !TEXT_MEMBERS.contains(&key) {
                        self.redact_members(member);
                        continue;
                    }
                    let replaced = match &*member {
                        Value::String(text) => self.replacement(text),
                        Value::Null | Value::Bool(_) => continue,
                        other if is_replacement(other) => continue,
                        other => self.replacement(&json::sorted(other)),
                    };
                    *member = replaced;
                }
            }
            _ => {}
        }
    }
}

/// Whether a value is what [`Redaction::replacement`] makes: a stored page is read again when a book is rebuilt.
fn is_replacement(value: &Value<'_>) -> bool {
    let Value::Object(members) = value else { return false };
    let hash = members.get("hash").and_then(Value::as_str);
    let others = SEGMENT_WAYS.iter().filter(|key| members.get(key).is_some_and(Value::is_number)).count();
    members.len() == 4 + others
        && hash.is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
        && members.get("characters").is_some_and(Value::is_number)
        && members.get("segmentsUcs2").is_some_and(Value::is_number)
        && members.get("segmentsGsm7").is_some_and(|count| count.is_number() || count.is_null())
}

/// Whether a text can only be a telephone number: the subject of an inbound fax is its sender's.
fn is_number(text: &str) -> bool {
    text.len() <= 32
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-(). X".contains(&byte))
}

fn member_is(record: &Value<'_>, key: &str, expected: &str) -> bool {
    record.get(key).and_then(Value::as_str).is_some_and(|value| value.eq_ignore_ascii_case(expected))
}

fn drop_contact_details(record: &mut Value<'_>) {
    let Value::Object(members) = record else { return };
    if let Some(Value::Object(contact)) = members.get_mut("contact") {
        contact.retain(|key| CONTACT_MEMBERS.contains(&key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn apply(redaction: Redaction, kind: RecordKind, record: &mut serde_json::Value) {
        let mut value = Value::from(&*record);
        redaction.apply(kind, &mut value);
        *record = serde_json::from_str(&json::sorted(&value)).unwrap();
    }

    fn redaction() -> Redaction {
        Redaction { key: [7; 32], keep_text: false }
    }

    #[test]
    fn texts_become_keyed_hashes_at_any_depth_and_only_once() {
        let mut record = json!({
            "id": 1, "type": "SMS", "direction": "Outbound", "subject": "See you at 3",
            "attachments": [{"fileName": "will.pdf", "type": "MmsAttachment"}],
            "coverPageText": "Confidential", "vmTranscriptionStatus": "Completed"
        });
        apply(redaction(), RecordKind::Message, &mut record);
        let text = record.to_string();
        for personal in ["See you", "will.pdf", "Confidential"] {
            assert!(!text.contains(personal), "{personal} was kept");
        }
        assert_eq!(record["subject"]["characters"], json!(12));
        assert_eq!(record["vmTranscriptionStatus"], json!("Completed"));
        let once = record.clone();
        apply(redaction(), RecordKind::Message, &mut record);
        assert_eq!(record, once);
        let other = Redaction { key: [8; 32], keep_text: false };
        let replaced = json::sorted(&other.replacement("See you at 3"));
        assert!(!replaced.contains(once["subject"]["hash"].as_str().unwrap()));
    }

    #[test]
    fn a_text_keeps_its_counts_by_other_ways_only_where_they_differ() {
        let replaced = |text: &str| {
            let mut record = json!({"id": 1, "type": "SMS", "subject": text});
            apply(redaction(), RecordKind::Message, &mut record);
            let once = record.clone();
            apply(redaction(), RecordKind::Message, &mut record);
            assert_eq!(record, once);
            record["subject"].clone()
        };
        assert_eq!(replaced("See you at 3").as_object().unwrap().len(), 4);
        let turkish = replaced(&"ş".repeat(155));
        assert_eq!((&turkish["segmentsUcs2"], &turkish["segmentsNational"]), (&json!(3), &json!(1)));
        assert_eq!(turkish["segmentsNationalGraphemes"], json!(1));
        assert_eq!(turkish.as_object().unwrap().len(), 6);
    }

    #[test]
    fn an_inbound_fax_keeps_its_senders_number_but_no_words() {
        let mut fax = json!({"id": 1, "type": "Fax", "direction": "Inbound", "subject": "+12125550166"});
        apply(redaction(), RecordKind::Message, &mut fax);
        assert_eq!(fax["subject"], json!("+12125550166"));
        let mut fax =
            json!({"id": 1, "type": "Fax", "direction": "Inbound", "subject": "Case 4711 settlement"});
        apply(redaction(), RecordKind::Message, &mut fax);
        assert!(fax["subject"].is_object());
    }

    #[test]
    fn text_in_an_unexpected_shape_is_replaced_too() {
        let mut record = json!({"id": 1, "subject": {"hash": "private words", "nested": ["more"]}});
        apply(redaction(), RecordKind::Message, &mut record);
        assert!(!record.to_string().contains("private"));
    }

    #[test]
    fn an_extension_keeps_no_address() {
        let mut record = json!({"id": 1, "contact": {"firstName": "A", "email": "a@example.com"}});
        apply(redaction(), RecordKind::Extension, &mut record);
        assert_eq!(record, json!({"id": 1, "contact": {"firstName": "A"}}));
    }
}
