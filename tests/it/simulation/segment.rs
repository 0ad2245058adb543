//! A segment format of the harness: lines of JSON. What the book promises of segments does not depend on their format,
//! and Parquet without optimisation would be most of a seed's time.

use serde_json::{Value, json};
use tollbook::book::SegmentCodec;
use tollbook::domain::record::{RecordKey, RecordKind, SourceRecord};
use tollbook::domain::{Exit, Failure, Hash, Instant, Result};

pub fn codec() -> SegmentCodec {
    SegmentCodec { extension: "lines", encode, decode }
}

fn encode(records: &[SourceRecord]) -> Result<Vec<u8>> {
    let milliseconds = |at: Option<Instant>| at.map(Instant::milliseconds);
    let mut bytes = Vec::new();
    for record in records {
        let key = &record.key;
        let line = json!([
            key.account,
            key.kind.word(),
            key.id,
            record.version.hex(),
            record.material.hex(),
            milliseconds(record.start),
            milliseconds(record.last_modified),
            record.observed.milliseconds(),
            record.deleted_upstream,
            record.json,
        ]);
        bytes.extend_from_slice(line.to_string().as_bytes());
        bytes.push(b'\n');
    }
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<Vec<SourceRecord>> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| read(line).ok_or_else(|| Failure::new(Exit::Verification, "not a line of a segment")))
        .collect()
}

fn read(line: &[u8]) -> Option<SourceRecord> {
    let line: Value = serde_json::from_slice(line).ok()?;
    let text = |place: usize| line[place].as_str().map(str::to_owned);
    let instant = |place: usize| line[place].as_i64().map(Instant::from_milliseconds);
    Some(SourceRecord {
        key: RecordKey { account: text(0)?, kind: RecordKind::from_word(&text(1)?)?, id: text(2)? },
        version: Hash::from_hex(&text(3)?)?,
        material: Hash::from_hex(&text(4)?)?,
        start: instant(5),
        last_modified: instant(6),
        observed: instant(7)?,
        deleted_upstream: line[8].as_bool()?,
        json: text(9)?,
    })
}
