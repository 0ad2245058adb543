//! Facts of the book → decoded records, extensions, events.

use crate::book::{self, Book, SegmentCodec};
use crate::columnar::segment;
use crate::domain::record::{RecordKind, SourceRecord};
use crate::domain::source::{Content, DecodedRecord, Extension, Standing, UsageRow};
use crate::domain::time::Span;
use crate::domain::{Country, Hash, Instant, Result};
use crate::ringcentral;
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
    ] {
        text(key, value);
    }
    text("milliseconds", &row.milliseconds.map(|value| value.to_string()));
    text("segments", &row.segments.map(|value| value.to_string()));
    text("pages", &row.pages.map(|value| value.to_string()));
    serde_json::Value::Object(object).to_string()
}

pub(super) fn usage_from_json(json: &str) -> Option<UsageRow> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).ok()?;
    let text = |key: &str| object.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
    Some(UsageRow {
        id: text("id")?,
        start: text("start").and_then(|start| Instant::parse(&start)),
        milliseconds: text("milliseconds").and_then(|value| value.parse().ok()),
        channel: text("channel")?,
        direction: text("direction")?,
        from: text("from"),
        to: text("to"),
        extension: text("extension"),
        result: text("result"),
        outcome: text("outcome"),
        segments: text("segments").and_then(|value| value.parse().ok()),
        pages: text("pages").and_then(|value| value.parse().ok()),
        account_code: text("account_code"),
        contact: text("contact"),
    })
}
