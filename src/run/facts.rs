//! Facts of the book → decoded records, extensions, events.

use rust_decimal::Decimal;

use crate::book::{self, Book, SegmentCodec};
use crate::columnar::segment;
use crate::columnar::usage::Usage;
use crate::domain::event::SegmentWays;
use crate::domain::record::{RecordKind, SourceRecord};
use crate::domain::source::{Content, DecodedRecord, Extension, Standing, UsageRow};
use crate::domain::time::Span;
use crate::domain::{Country, Hash, Instant, Result};
use crate::ringcentral;
use crate::ringcentral::text::segment_ways;
use crate::stage::mediate::{Mediated, mediate};

/// Calls may be linked to records that start some days away: a period is read with this margin on both sides.
const MARGIN_MILLISECONDS: i64 = 3 * 86_400_000;

/// How segments are written and read.
pub fn codec() -> SegmentCodec {
    SegmentCodec { extension: segment::EXTENSION, encode: segment::encode, decode: segment::decode }
}

/// What the book knows for a span: all record versions and the events they make.
pub struct Facts {
    pub records: Vec<DecodedRecord>,
    pub extensions: Vec<Extension>,
    pub mediated: Mediated,
    /// Hash over keys and versions of all records read: the input of a run.
    pub digest: Hash,
}

/// Reads and mediates the records whose start lies in a span (with a margin; those without a start always).
///
/// # Errors
/// A book that cannot be read.
pub fn load(book: &Book, span: Span, home: Country) -> Result<Facts> {
    let wide = Span {
        from: span.from.plus_milliseconds(-MARGIN_MILLISECONDS),
        to: span.to.plus_milliseconds(MARGIN_MILLISECONDS),
    };
    let kinds = [
        RecordKind::Call,
        RecordKind::ExtensionCall,
        RecordKind::Message,
        RecordKind::Usage,
        RecordKind::PortalCall,
    ];
    let mut versions = book.scan(&kinds, Some(wide), &codec())?;
    versions.extend(book.scan(&[RecordKind::Extension, RecordKind::Account], None, &codec())?);
    let records: Vec<DecodedRecord> = versions.into_iter().map(decode).collect();
    let extensions = extensions(&records);
    let mediated = mediate(&records, &extensions, home);
    let digest = digest(&records);
    Ok(Facts { records, extensions, mediated, digest })
}

fn decode(version: book::StoredVersion) -> DecodedRecord {
    let standing = match version.standing {
        book::Standing::Current => Standing::Current,
        book::Standing::Superseded => Standing::Superseded,
        book::Standing::Duplicate => Standing::Duplicate,
    };
    let content = match version.record.key.kind {
        RecordKind::Usage => match usage_from_json(&version.record.json) {
            Some(row) => Content::Usage(row),
            None => Content::Malformed("not a usage row".to_owned()),
        },
        _ => ringcentral::content::content(&version.record),
    };
    DecodedRecord { record: version.record, standing, content }
}

/// The latest description of each extension that was ever listed.
fn extensions(records: &[DecodedRecord]) -> Vec<Extension> {
    let current = records.iter().filter(|record| {
        record.record.key.kind == RecordKind::Extension && record.standing == Standing::Current
    });
    let mut extensions: Vec<Extension> =
        current.filter_map(|record| ringcentral::content::extension(&record.record)).collect();
    extensions.sort_by(|left, right| left.id.cmp(&right.id));
    extensions
}

fn digest(records: &[DecodedRecord]) -> Hash {
    let mut keys: Vec<String> = records
        .iter()
        .map(|record| {
            format!("{} {} {}", record.record.key.kind, record.record.key.id, record.record.version)
        })
        .collect();
    keys.sort_unstable();
    Hash::of_parts(keys.iter().map(String::as_bytes))
}

/// A usage row as the record that the book keeps.
pub fn usage_record(row: &UsageRow, account: &str, observed: Instant) -> SourceRecord {
    let json = usage_to_json(row);
    let version = Hash::of(json.as_bytes());
    SourceRecord {
        key: crate::domain::record::RecordKey {
            account: account.to_owned(),
            kind: RecordKind::Usage,
            id: row.id.clone(),
        },
        version,
        material: version,
        start: row.start,
        last_modified: None,
        observed,
        deleted_upstream: false,
        json,
    }
}

/// A usage row with the segments of its text, where the row does not give their number. The text itself is personal and
/// is never written.
pub fn with_segments(usage: Usage) -> UsageRow {
    let mut row = usage.row;
    if let (None, Some(text)) = (row.segments, usage.text.as_deref()) {
        let ways = segment_ways(text);
        row.segments = ways.gsm7_pairs.map(i64::from);
        row.segment_counts = ways.beside(ways.gsm7_pairs);
    }
    row
}

fn usage_to_json(row: &UsageRow) -> String {
    let mut object = serde_json::Map::new();
    let mut text = |key: &str, value: &Option<String>| {
        if let Some(value) = value {
            object.insert(key.to_owned(), serde_json::Value::from(value.as_str()));
        }
    };
    text("id", &Some(row.id.clone()));
    text("channel", &Some(row.channel.clone()));
    text("direction", &Some(row.direction.clone()));
    text("start", &row.start.map(Instant::rfc3339));
    for (key, value) in [
        ("from", &row.from),
        ("to", &row.to),
        ("extension", &row.extension),
        ("result", &row.result),
        ("outcome", &row.outcome),
        ("account_code", &row.account_code),
        ("contact", &row.contact),
        ("site", &row.site),
        ("department", &row.department),
        ("cost_centre", &row.cost_centre),
        ("ringcentral_account", &row.ringcentral_account),
        ("error_code", &row.error_code),
        ("matter", &row.matter),
        ("timekeeper", &row.timekeeper),
        ("task", &row.task),
    ] {
        text(key, value);
    }
    let ways = &row.segment_counts;
    for (key, value) in [
        ("milliseconds", row.milliseconds),
        ("segments", row.segments),
        ("segments_gsm7_graphemes", ways.gsm7_graphemes.map(i64::from)),
        ("segments_national", ways.national_pairs.map(i64::from)),
        ("segments_national_graphemes", ways.national_graphemes.map(i64::from)),
        ("pages", row.pages),
    ] {
        text(key, &value.map(|value| value.to_string()));
    }
    text("carrier_cost", &row.carrier_cost.map(|cost| cost.to_string()));
    serde_json::Value::Object(object).to_string()
}

/// The row of such JSON. What is absent stays absent; what is there and cannot be read makes the whole unreadable.
pub(super) fn usage_from_json(json: &str) -> Option<UsageRow> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).ok()?;
    let text = |key: &str| object.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
    fn read<T>(value: Option<String>, parse: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
        value.map_or(Some(None), |text| parse(&text).map(Some))
    }
    let whole = |key: &str| read(text(key), |value| value.parse::<i64>().ok());
    let count = |key: &str| read(text(key), |value| value.parse::<u32>().ok());
    Some(UsageRow {
        id: text("id")?,
        start: read(text("start"), Instant::parse)?,
        milliseconds: whole("milliseconds")?,
        channel: text("channel")?,
        direction: text("direction")?,
        from: text("from"),
        to: text("to"),
        extension: text("extension"),
        result: text("result"),
        outcome: text("outcome"),
        segments: whole("segments")?,
        segment_counts: SegmentWays {
            gsm7_pairs: None,
            gsm7_graphemes: count("segments_gsm7_graphemes")?,
            national_pairs: count("segments_national")?,
            national_graphemes: count("segments_national_graphemes")?,
        },
        pages: whole("pages")?,
        account_code: text("account_code"),
        contact: text("contact"),
        site: text("site"),
        department: text("department"),
        cost_centre: text("cost_centre"),
        ringcentral_account: text("ringcentral_account"),
        error_code: text("error_code"),
        matter: text("matter"),
        timekeeper: text("timekeeper"),
        task: text("task"),
        carrier_cost: read(text("carrier_cost"), |value| Decimal::from_str_exact(value).ok())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(text: Option<&str>, row: UsageRow) -> UsageRow {
        with_segments(Usage { row, text: text.map(str::to_owned) })
    }

    #[test]
    fn a_row_reads_back_and_what_is_absent_stays_absent() {
        let bare = UsageRow {
            id: "u1".to_owned(),
            channel: "sms".to_owned(),
            direction: "outbound".to_owned(),
            ..UsageRow::default()
        };
        assert_eq!(usage_to_json(&bare), r#"{"channel":"sms","direction":"outbound","id":"u1"}"#);
        let full = UsageRow {
            start: Instant::parse("2026-03-09T14:00:00Z"),
            milliseconds: Some(-5000),
            segments: Some(0),
            pages: Some(3),
            matter: Some("M-1".to_owned()),
            task: Some(String::new()),
            carrier_cost: Decimal::from_str_exact("0.01000000000001").ok(),
            ..bare.clone()
        };
        // The number that the row gives stands; where it gives none, each way that differs stands beside the default.
        let turkish = "\u{15f}".repeat(155);
        let counted = usage(Some(&turkish), bare.clone());
        assert_eq!((counted.segments, counted.segment_counts.national_pairs), (Some(3), Some(1)));
        assert_eq!(usage(Some(&turkish), full.clone()), full);
        assert_eq!(usage(Some("See you"), bare.clone()).segment_counts, SegmentWays::default());
        for row in [bare, full, counted] {
            assert_eq!(usage_from_json(&usage_to_json(&row)), Some(row));
        }
        assert_eq!(
            usage_from_json(r#"{"id":"u1","channel":"sms","direction":"outbound","pages":"x"}"#),
            None
        );
    }
}
