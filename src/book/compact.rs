//! Compaction: small files of one kind become one, by the protocol of sealing. What a reader sees stays the same.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::domain::Result;
use crate::domain::record::SourceRecord;
use crate::domain::time::Instant;

use super::archive::{self, PageRow};
use super::scan::{SEGMENT_COLUMNS, SegmentRow};
use super::seal::{NewSegment, SegmentCodec, day_of, register};
use super::sql::{self, Outcome, Trouble, damaged};
use super::{ARCHIVES, Book, crash, files};

/// Neighbouring segments are joined up to about this size.
const SEGMENT_TARGET_BYTES: i64 = 8 * 1024 * 1024;

/// Files of raw pages compress so well that more of them would not fit into the memory allowed.
const ARCHIVE_TARGET_BYTES: i64 = 2 * 1024 * 1024;

/// A UTC day of one kind may have so many segments before they are worth joining.
const SEGMENTS_A_DAY: i64 = 8;

/// What compaction did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Compacted {
    pub segments_before: u64,
    pub segments_after: u64,
    /// Files of raw pages.
    pub archives_before: u64,
    pub archives_after: u64,
}

/// Files to be joined, neighbours all.
type Run = Vec<i64>;

impl Book {
    /// Whether some day has more segments than are worth keeping apart.
    pub fn needs_compaction(&self) -> Result<bool> {
        self.connection
            .query_row(
                "SELECT EXISTS (SELECT 1 FROM segment GROUP BY kind, first_ms / 86400000 HAVING count(*) > ?1)",
                [SEGMENTS_A_DAY],
                |row| row.get(0),
            )
            .map_err(|error| Trouble::from(error).into_failure().while_doing("counting segments"))
    }

    /// Joins small segments of one kind with their neighbours in time, and small files of raw pages, until nothing is
    /// left to join. Each join is one transaction; a kill leaves the old files or the new one. Doing it again is a
    /// no-op. A damaged file is exit 7; what was joined before stays. Call it while holding the lock.
    pub fn compact(&mut self, codec: &SegmentCodec, at: Instant) -> Result<Compacted> {
        self.join_all(codec, at).map_err(Trouble::doing("compacting"))
    }

    fn join_all(&mut self, codec: &SegmentCodec, at: Instant) -> Outcome<Compacted> {
        let counted = |book: &Book| -> Outcome<(u64, u64)> {
            Ok(book.connection.query_row(
                "SELECT (SELECT count(*) FROM segment), (SELECT count(DISTINCT archive) FROM page)",
                [],
                |row| Ok((row.get::<_, u32>(0)?.into(), row.get::<_, u32>(1)?.into())),
            )?)
        };
        let before = counted(self)?;
        // A joined file is smaller than its parts and may make room for one more.
        loop {
            let (segments, archives) = (segment_runs(&self.connection)?, archive_runs(&self.connection)?);
            if segments.is_empty() && archives.is_empty() {
                break;
            }
            for run in segments {
                self.join_segments(&run, codec, at)?;
            }
            for run in archives {
                self.join_archives(&run)?;
            }
        }
        self.sweep_files()?;
        let after = counted(self)?;
        Ok(Compacted {
            segments_before: before.0,
            segments_after: after.0,
            archives_before: before.1,
            archives_after: after.1,
        })
    }

    fn join_segments(&mut self, run: &Run, codec: &SegmentCodec, at: Instant) -> Outcome<()> {
        let mut group: Vec<(i64, SourceRecord)> = Vec::new();
        for id in run {
            group.extend(self.versions_of(*id, codec)?);
        }
        let Some(kind) = group.first().map(|(_, record)| record.key.kind) else {
            return Err(damaged("a segment without versions"));
        };
        let day = day_of(group.iter().filter_map(|(_, record)| record.start).min());
        let segments = self.publish_segments(BTreeMap::from([((kind, day), group)]), codec)?;
        crash::point("compact.published");
        let transaction = sql::begin(&mut self.connection)?;
        replace_segments(&transaction, run, &segments, at)?;
        crash::point("compact.before-commit");
        transaction.commit()?;
        crash::point("compact.committed");
        Ok(())
    }

    /// The versions of a segment with their rows, as a scan shows them.
    fn versions_of(&self, segment: i64, codec: &SegmentCodec) -> Outcome<Vec<(i64, SourceRecord)>> {
        let row = self
            .connection
            .prepare_cached(&format!("SELECT {SEGMENT_COLUMNS} FROM segment WHERE id = ?1"))?
            .query_row([segment], SegmentRow::read)?;
        let records = self.segment_records(&row, codec)?;
        let rows = self
            .connection
            .prepare_cached(
                "SELECT id, first_observed_ms, hash FROM version WHERE segment = ?1 ORDER BY position",
            )?
            .query_map([segment], |row| Ok((row.get(0)?, sql::instant(row, 1)?, sql::hash(row, 2)?)))?
            .collect::<rusqlite::Result<Vec<(i64, Instant, _)>>>()?;
        let same = rows.len() == records.len()
            && rows.iter().zip(&records).all(|((_, _, hash), record)| *hash == record.version);
        if !same {
            return Err(damaged(format!("segment {} does not hold the versions registered", row.file)));
        }
        let observed = |(row, record): ((i64, Instant, _), SourceRecord)| {
            (row.0, SourceRecord { observed: row.1, ..record })
        };
        Ok(rows.into_iter().zip(records).map(observed).collect())
    }

    fn join_archives(&mut self, run: &Run) -> Outcome<()> {
        let mut pages: Vec<PageRow> = Vec::new();
        for id in run {
            pages.extend(self.archived_pages(*id)?);
        }
        archive::sort_pages(&mut pages);
        let archive = archive::publish_pages(&self.folder.join(ARCHIVES), &pages)?;
        crash::point("compact.published");
        let transaction = sql::begin(&mut self.connection)?;
        let joined = archive::register(&transaction, &archive)?;
        for id in run {
            transaction.execute("UPDATE page SET archive = ?2 WHERE archive = ?1", (id, joined))?;
            transaction.execute("DELETE FROM archive WHERE id = ?1", [id])?;
        }
        crash::point("compact.before-commit");
        transaction.commit()?;
        crash::point("compact.committed");
        Ok(())
    }

    fn archived_pages(&self, archive: i64) -> Outcome<Vec<PageRow>> {
        let (file, hash) = self
            .connection
            .prepare_cached("SELECT file, hash FROM archive WHERE id = ?1")?
            .query_row([archive], |row| Ok((row.get::<_, String>(0)?, sql::hash(row, 1)?)))?;
        let bytes = files::read_checked(&self.folder.join(ARCHIVES).join(&file), &hash)?;
        let pages = archive::read_pages(&bytes, &file)?;
        let registered: i64 =
            self.connection
                .query_row("SELECT count(*) FROM page WHERE archive = ?1", [archive], |row| row.get(0))?;
        if registered != sql::integer(pages.len()) {
            return Err(damaged(format!("{file} does not hold the pages registered")));
        }
        Ok(pages.into_iter().map(PageRow::unregistered).collect())
    }
}

/// Registers a joined segment in place of its parts.
fn replace_segments(connection: &Connection, run: &Run, segments: &[NewSegment], at: Instant) -> Outcome<()> {
    for id in run {
        connection.execute(
            "UPDATE version SET segment = NULL, position = NULL, corrected = 0 WHERE segment = ?1",
            [id],
        )?;
        connection.execute("DELETE FROM superseded WHERE segment = ?1", [id])?;
        connection.execute("DELETE FROM segment WHERE id = ?1", [id])?;
    }
    register(connection, segments, at)?;
    Ok(())
}

fn segment_runs(connection: &Connection) -> Outcome<Vec<Run>> {
    runs(
        connection,
        "SELECT id, kind || (first_ms IS NULL), bytes FROM segment ORDER BY kind, first_ms, id",
        SEGMENT_TARGET_BYTES,
    )
}

fn archive_runs(connection: &Connection) -> Outcome<Vec<Run>> {
    runs(
        connection,
        "SELECT id, '', bytes FROM archive WHERE given_up_ms IS NULL \
         AND id IN (SELECT archive FROM page WHERE archive IS NOT NULL) ORDER BY id",
        ARCHIVE_TARGET_BYTES,
    )
}

/// Neighbours of one group that fit together into the size; only runs of two and more.
fn runs(connection: &Connection, query: &str, target_bytes: i64) -> Outcome<Vec<Run>> {
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query([])?;
    let mut all: Vec<Run> = Vec::new();
    let mut last: Option<(String, i64)> = None;
    while let Some(row) = rows.next()? {
        let (id, group, bytes): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        match (&mut last, all.last_mut()) {
            (Some((same, sum)), Some(run)) if *same == group && *sum + bytes <= target_bytes => {
                *sum += bytes;
                run.push(id);
            }
            _ => {
                all.push(vec![id]);
                last = Some((group, bytes));
            }
        }
    }
    all.retain(|run| run.len() > 1);
    Ok(all)
}
