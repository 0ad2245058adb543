//! Reading record versions back, from pending rows and from segments, in one order.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Row};

use crate::domain::record::{RecordKey, RecordKind, SourceRecord};
use crate::domain::time::{Instant, Span};
use crate::domain::{Hash, Result};

use super::landing::row_hash;
use super::seal::SegmentCodec;
use super::sql::{self, Outcome, Trouble, damaged};
use super::version::{Bitmaps, Standing, StoredVersion};
use super::{Book, SEGMENTS, files};

impl Book {
    /// All versions of some kinds whose start lies in a span (everything without one), each with its standing among
    /// all versions of its record, inside the span or not. Versions without a start lie in every span: nobody knows
    /// where they belong. The order is (start, kind, id, last modified, observed, version) and does not depend on
    /// pages, windows or sealing. A changed file or row is exit 7.
    pub fn scan(
        &self,
        kinds: &[RecordKind],
        span: Option<Span>,
        codec: &SegmentCodec,
    ) -> Result<Vec<StoredVersion>> {
        self.read_versions(kinds, span, codec).map_err(Trouble::doing("reading the records"))
    }

    /// Number and digest of what [`Book::scan`] would return, without reading a segment: sorted record keys, version
    /// hashes and standings. It does not depend on pages, windows, sealing, or when anything was observed.
    pub fn record_digest(&self, kinds: &[RecordKind], span: Option<Span>) -> Result<(u64, Hash)> {
        self.digest_versions(kinds, span).map_err(Trouble::doing("digesting the records"))
    }

    fn digest_versions(&self, kinds: &[RecordKind], span: Option<Span>) -> Outcome<(u64, Hash)> {
        let mut statement = self.connection.prepare_cached(
            "SELECT account, kind, source_id, version.hash, standing FROM record \
             JOIN version ON version.record = record.id \
             WHERE start_ms IS NULL OR (start_ms >= ?1 AND start_ms < ?2) \
             ORDER BY account, kind, source_id, version.hash",
        )?;
        let span = span.unwrap_or(Span::ALWAYS);
        let mut rows = statement.query((span.from.milliseconds(), span.to.milliseconds()))?;
        let (mut count, mut digest) = (0, Hash::of(&[]));
        while let Some(row) = rows.next()? {
            let key = record_key(row, 0)?;
            if !kinds.contains(&key.kind) {
                continue;
            }
            let standing: i64 = row.get(4)?;
            digest = Hash::of_parts([
                digest.0.as_slice(),
                key.account.as_bytes(),
                key.kind.word().as_bytes(),
                key.id.as_bytes(),
                &sql::hash(row, 3)?.0,
                &standing.to_le_bytes(),
            ]);
            count += 1;
        }
        Ok((count, digest))
    }

    fn read_versions(
        &self,
        kinds: &[RecordKind],
        span: Option<Span>,
        codec: &SegmentCodec,
    ) -> Outcome<Vec<StoredVersion>> {
        // One snapshot: a version must not be missed or met twice while another process seals.
        let snapshot = self.connection.unchecked_transaction()?;
        let kinds: BTreeSet<RecordKind> = kinds.iter().copied().collect();
        let mut versions = Vec::new();
        for kind in &kinds {
            pending_versions(&snapshot, *kind, span, &mut versions)?;
            self.sealed_versions(&snapshot, *kind, span, codec, &mut versions)?;
        }
        versions.sort_by(|one, other| scan_order(&one.record).cmp(&scan_order(&other.record)));
        Ok(versions)
    }

    fn sealed_versions(
        &self,
        connection: &Connection,
        kind: RecordKind,
        span: Option<Span>,
        codec: &SegmentCodec,
        versions: &mut Vec<StoredVersion>,
    ) -> Outcome<()> {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {SEGMENT_COLUMNS} FROM segment WHERE kind = ?1 ORDER BY file"
        ))?;
        let mut rows = statement.query([kind.word()])?;
        while let Some(row) = rows.next()? {
            let segment = SegmentRow::read(row)?;
            if let (Some(span), Some((first, last))) = (span, segment.first.zip(segment.last))
                && !(first < span.to && span.from <= last)
            {
                continue;
            }
            let id = segment.id;
            let records = self.segment_records(&segment, codec)?;
            let bitmaps = Bitmaps::load(connection, id)?;
            let corrections = corrections(connection, id)?;
            if cfg!(debug_assertions) && !agrees(connection, id, &bitmaps)? {
                return Err(damaged("a bitmap is not the standing of its versions"));
            }
            for (position, mut record) in records.into_iter().enumerate() {
                if !wanted(&record, span) {
                    continue;
                }
                if let Some(observed) = corrections.get(&position) {
                    record.observed = *observed;
                }
                versions.push(StoredVersion { record, standing: bitmaps.get(position)? });
            }
        }
        Ok(())
    }

    /// The content of one segment: the file's bytes and what its row says of them are checked.
    pub(super) fn segment_records(
        &self,
        segment: &SegmentRow,
        codec: &SegmentCodec,
    ) -> Outcome<Vec<SourceRecord>> {
        let file = &segment.file;
        let bytes = files::read_checked(&self.folder.join(SEGMENTS).join(file), &segment.hash).map_err(
            |failure| failure.hint("`tollbook rebuild` makes a segment again from the raw pages."),
        )?;
        let records = (codec.decode)(&bytes)
            .map_err(|failure| failure.while_doing(format!("reading segment {file}")))?;
        let starts = || records.iter().filter_map(|record| record.start);
        if segment.rows != sql::integer(records.len())
            || segment.first != starts().min()
            || segment.last != starts().max()
            || records.iter().any(|record| record.key.kind.word() != segment.kind)
        {
            return Err(damaged(format!("segment {file} does not hold what was registered")));
        }
        Ok(records)
    }
}

/// Columns of [`SegmentRow::read`], in its order.
pub(super) const SEGMENT_COLUMNS: &str = "id, file, kind, first_ms, last_ms, row_count, hash";

/// A segment as registered.
pub(super) struct SegmentRow {
    pub(super) id: i64,
    pub(super) file: String,
    kind: String,
    first: Option<Instant>,
    last: Option<Instant>,
    rows: i64,
    hash: Hash,
}

impl SegmentRow {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<SegmentRow> {
        Ok(SegmentRow {
            id: row.get(0)?,
            file: row.get(1)?,
            kind: row.get(2)?,
            first: sql::instant_if_any(row, 3)?,
            last: sql::instant_if_any(row, 4)?,
            rows: row.get(5)?,
            hash: sql::hash(row, 6)?,
        })
    }
}

/// The order of a scan and of the rows of a segment.
pub(super) fn scan_order(record: &SourceRecord) -> impl Ord + use<'_> {
    (
        record.start,
        record.key.kind,
        &record.key.id,
        &record.key.account,
        record.last_modified,
        record.observed,
        record.version,
    )
}

fn wanted(record: &SourceRecord, span: Option<Span>) -> bool {
    match (span, record.start) {
        (Some(span), Some(start)) => span.contains(start),
        _ => true,
    }
}

/// Whether the bitmaps of a segment say what the rows of its versions say.
fn agrees(connection: &Connection, segment: i64, bitmaps: &Bitmaps) -> Outcome<bool> {
    let mut statement =
        connection.prepare_cached("SELECT position, standing FROM version WHERE segment = ?1")?;
    let mut rows = statement.query([segment])?;
    while let Some(row) = rows.next()? {
        let position = usize::try_from(row.get::<_, i64>(0)?).map_err(|_| damaged("a negative row"))?;
        if bitmaps.get(position)? != Standing::from_code(row.get(1)?)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// First observations that became earlier after their segment was written.
fn corrections(connection: &Connection, segment: i64) -> Outcome<BTreeMap<usize, Instant>> {
    let mut statement = connection.prepare_cached(
        "SELECT position, first_observed_ms FROM version WHERE segment = ?1 AND corrected = 1",
    )?;
    let mut rows = statement.query([segment])?;
    let mut corrections = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let position = usize::try_from(row.get::<_, i64>(0)?).map_err(|_| damaged("a negative row"))?;
        corrections.insert(position, sql::instant(row, 1)?);
    }
    Ok(corrections)
}

/// Columns of [`pending_record`], in its order.
pub(super) const PENDING_COLUMNS: &str = "account, kind, source_id, version.hash, material, start_ms, \
     last_modified_ms, first_observed_ms, deleted, json, pending.hash";

/// Tables of [`PENDING_COLUMNS`].
pub(super) const PENDING_TABLES: &str = "pending JOIN version ON version.id = pending.version \
     JOIN record ON record.id = version.record";

/// A record key from three columns.
pub(super) fn record_key(row: &Row<'_>, index: usize) -> Outcome<RecordKey> {
    let kind: String = row.get(index + 1)?;
    let kind = RecordKind::from_word(&kind)
        .ok_or_else(|| damaged(format!("the unknown record kind {kind} in the book")))?;
    Ok(RecordKey { account: row.get(index)?, kind, id: row.get(index + 2)? })
}

/// A version from the columns: key, hash, material, start, last modification, first observation, deletion, JSON.
pub(super) fn record_of_row(row: &Row<'_>) -> Outcome<SourceRecord> {
    Ok(SourceRecord {
        key: record_key(row, 0)?,
        version: sql::hash(row, 3)?,
        material: sql::hash(row, 4)?,
        start: sql::instant_if_any(row, 5)?,
        last_modified: sql::instant_if_any(row, 6)?,
        observed: sql::instant(row, 7)?,
        deleted_upstream: row.get(8)?,
        json: row.get(9)?,
    })
}

/// A pending version, checked against its row's hash.
pub(super) fn pending_record(row: &Row<'_>) -> Outcome<SourceRecord> {
    let record = record_of_row(row)?;
    if row_hash(&record) != sql::hash(row, 10)? {
        return Err(damaged(format!("the row of {} {} was changed", record.key.kind, record.key.id)));
    }
    Ok(record)
}

fn pending_versions(
    connection: &Connection,
    kind: RecordKind,
    span: Option<Span>,
    versions: &mut Vec<StoredVersion>,
) -> Outcome<()> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {PENDING_COLUMNS}, standing FROM {PENDING_TABLES} WHERE record.kind = ?1 \
         AND (start_ms IS NULL OR (start_ms >= ?2 AND start_ms < ?3))"
    ))?;
    let span = span.unwrap_or(Span::ALWAYS);
    let mut rows = statement.query((kind.word(), span.from.milliseconds(), span.to.milliseconds()))?;
    while let Some(row) = rows.next()? {
        let record = pending_record(row)?;
        versions.push(StoredVersion { record, standing: Standing::from_code(row.get(11)?)? });
    }
    Ok(())
}
