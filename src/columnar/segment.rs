//! Segments of record versions as Parquet bytes: plain columns that any reader of Parquet understands.
//!
//! The columns are `schema` (the number of this layout, the same in every row), `account`, `kind`, `id`, `version` and
//! `material` (lower-case hexadecimal), `start_ms`, `last_modified_ms`, `observed_ms`, `deleted`, `json`. The order of
//! the rows is the caller's. A reader of an older layout stays here for as long as its number may exist.

use std::io::Cursor;

use polars::prelude::*;

use crate::domain::record::{RecordKey, RecordKind, SourceRecord};
use crate::domain::{Exit, Failure, Hash, Instant, Result};

/// Ending of the files' names.
pub const EXTENSION: &str = "parquet";

/// The layout this program writes.
const SCHEMA: u32 = 1;

const ROW_GROUP_ROWS: usize = 65_536;

/// Encodes versions in the order given; the same versions give the same bytes on every machine and thread count.
pub fn encode(records: &[SourceRecord]) -> Result<Vec<u8>> {
    let texts = |name: &str, text: fn(&SourceRecord) -> &str| {
        Column::new(name.into(), records.iter().map(text).collect::<Vec<&str>>())
    };
    let hashes = |name: &str, hash: fn(&SourceRecord) -> Hash| {
        Column::new(name.into(), records.iter().map(|record| hash(record).hex()).collect::<Vec<String>>())
    };
    let instants = |name: &str, instant: fn(&SourceRecord) -> Option<Instant>| {
        let values = records.iter().map(|record| instant(record).map(Instant::milliseconds));
        Column::new(name.into(), values.collect::<Vec<Option<i64>>>())
    };
    let deleted: Vec<bool> = records.iter().map(|record| record.deleted_upstream).collect();
    let columns = vec![
        Column::new("schema".into(), vec![SCHEMA; records.len()]),
        texts("account", |record| &record.key.account),
        texts("kind", |record| record.key.kind.word()),
        texts("id", |record| &record.key.id),
        hashes("version", |record| record.version),
        hashes("material", |record| record.material),
        instants("start_ms", |record| record.start),
        instants("last_modified_ms", |record| record.last_modified),
        instants("observed_ms", |record| Some(record.observed)),
        Column::new("deleted".into(), deleted),
        texts("json", |record| &record.json),
    ];
    let mut bytes = Vec::new();
    DataFrame::new(records.len(), columns)
        .and_then(|mut frame| {
            ParquetWriter::new(&mut bytes)
                .with_compression(ParquetCompression::Zstd(None))
                .with_row_group_size(Some(ROW_GROUP_ROWS))
                .set_parallel(false)
                .finish(&mut frame)
        })
        .map_err(|error| {
            Failure::new(Exit::Bug, error.to_string()).while_doing("writing a segment as Parquet")
        })?;
    Ok(bytes)
}

/// Decodes a segment of any layout that a released program wrote; anything else is exit 7.
pub fn decode(bytes: &[u8]) -> Result<Vec<SourceRecord>> {
    let frame = ParquetReader::new(Cursor::new(bytes)).set_rechunk(true).finish().map_err(unreadable)?;
    let layouts = frame.column("schema").and_then(|column| column.u32().cloned()).map_err(unreadable)?;
    for layout in layouts.iter() {
        if layout != Some(SCHEMA) {
            let layout = layout.map_or("none".to_owned(), |number| number.to_string());
            return Err(Failure::new(
                Exit::Verification,
                format!("the segment has layout {layout}, this program knows up to {SCHEMA}"),
            )
            .hint("Use the newer tollbook that wrote it."));
        }
    }
    decode_first_layout(&frame)
}

fn decode_first_layout(frame: &DataFrame) -> Result<Vec<SourceRecord>> {
    let text = |name: &str| frame.column(name).and_then(|column| column.str().cloned()).map_err(unreadable);
    let number = |name: &str| frame.column(name).and_then(|column| column.i64().cloned()).map_err(unreadable);
    let (account, kind, id, json) = (text("account")?, text("kind")?, text("id")?, text("json")?);
    let (version, material) = (text("version")?, text("material")?);
    let (start, last_modified) = (number("start_ms")?, number("last_modified_ms")?);
    let observed = number("observed_ms")?;
    let deleted = frame.column("deleted").and_then(|column| column.bool().cloned()).map_err(unreadable)?;
    let mut records = Vec::with_capacity(frame.height());
    for row in 0..frame.height() {
        let record = || {
            Some(SourceRecord {
                key: RecordKey {
                    account: account.get(row)?.to_owned(),
                    kind: RecordKind::from_word(kind.get(row)?)?,
                    id: id.get(row)?.to_owned(),
                },
                version: Hash::from_hex(version.get(row)?)?,
                material: Hash::from_hex(material.get(row)?)?,
                start: start.get(row).map(Instant::from_milliseconds),
                last_modified: last_modified.get(row).map(Instant::from_milliseconds),
                observed: Instant::from_milliseconds(observed.get(row)?),
                deleted_upstream: deleted.get(row)?,
                json: json.get(row)?.to_owned(),
            })
        };
        records.push(record().ok_or_else(|| {
            Failure::new(Exit::Verification, format!("row {row} of the segment is not a record version"))
        })?);
    }
    Ok(records)
}

fn unreadable(error: PolarsError) -> Failure {
    Failure::new(Exit::Verification, error.to_string()).while_doing("reading a segment")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: i64) -> SourceRecord {
        let json = format!("{{\"id\":\"{number}\",\"name\":\"Zo\u{eb} \u{1F4DE}\"}}");
        SourceRecord {
            key: RecordKey {
                account: "400131426008".to_owned(),
                kind: RecordKind::ALL[usize::try_from(number).unwrap() % RecordKind::ALL.len()],
                id: format!("r{number}"),
            },
            version: Hash::of(json.as_bytes()),
            material: Hash::of(&number.to_le_bytes()),
            start: (number % 3 != 0).then(|| Instant::from_milliseconds(1_790_000_000_000 + number)),
            last_modified: (number % 4 != 0).then(|| Instant::from_milliseconds(-number)),
            observed: Instant::from_milliseconds(1_795_000_000_000 - number),
            deleted_upstream: number % 5 == 0,
            json,
        }
    }

    #[test]
    fn a_segment_reads_back_in_order_and_its_bytes_repeat() {
        for count in [0, 1, 2, 1000] {
            let records: Vec<SourceRecord> = (0..count).map(record).rev().collect();
            let bytes = encode(&records).unwrap();
            assert_eq!(decode(&bytes).unwrap(), records);
            assert_eq!(encode(&records).unwrap(), bytes);
        }
    }

    #[test]
    fn what_is_no_segment_is_refused() {
        for bytes in [b"".as_slice(), b"PAR1", b"PAR1....PAR1", &[0; 64]] {
            assert_eq!(decode(bytes).unwrap_err().exit(), Exit::Verification);
        }
    }

    #[test]
    fn a_later_layout_is_refused() {
        let mut bytes = Vec::new();
        let mut frame = df!("schema" => [2_u32], "account" => ["a"]).unwrap();
        ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
        let failure = decode(&bytes).unwrap_err();
        assert_eq!((failure.exit(), failure.message().contains("layout 2")), (Exit::Verification, true));
    }
}
