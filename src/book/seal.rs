//! Sealing: what landed in some windows moves from rows to immutable files, visible by one transaction.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use crate::domain::record::{CoverageState, Feed, PullWindow, RecordKind, SourceRecord};
use crate::domain::time::{Instant, Span};
use crate::domain::{Exit, Failure, Hash, Result};

use super::archive;
use super::coverage::{feed_from, known_window, never_sealed, stamp};
use super::scan::{PENDING_COLUMNS, PENDING_TABLES, pending_record, scan_order};
use super::sql::{self, Outcome, Trouble, misuse};
use super::version::{Bitmaps, Standing};
use super::{ARCHIVES, Book, SEGMENTS, crash, files};

/// How record versions become the bytes of a segment and back. The book never looks inside; the order of the rows
/// must survive.
#[derive(Clone, Copy, Debug)]
pub struct SegmentCodec {
    /// Ending of the files' names, such as `parquet`.
    pub extension: &'static str,
    /// Writes versions in the order given; the same versions give the same bytes.
    pub encode: fn(&[SourceRecord]) -> Result<Vec<u8>>,
    /// Reads a segment of any older schema.
    pub decode: fn(&[u8]) -> Result<Vec<SourceRecord>>,
}

/// What sealing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Sealed {
    pub windows: u64,
    /// Windows of feeds that are never sealed whose pages were packed.
    pub packed: u64,
    pub segments: u64,
    pub versions: u64,
    pub pages: u64,
}

/// A segment that is written and not yet registered.
pub(super) struct NewSegment {
    kind: RecordKind,
    file: String,
    bytes: usize,
    hash: Hash,
    first: Option<Instant>,
    last: Option<Instant>,
    versions: Vec<i64>,
}

pub(super) type Group = Vec<(i64, SourceRecord)>;

impl Book {
    /// Seals windows whose listings the caller found to agree; each needs a complete one. Pending versions of their
    /// feeds, and of the feeds of changes that they seal ([`Feed::sealed_by`]), that start inside them (those without
    /// a start: that landed in them) go to segments, one for each kind and UTC day; the pages of finished listings go
    /// to a file of `raw/`. Sealing again packs what came later.
    ///
    /// Windows of feeds that are never sealed (the account, its extensions, calls in progress, changes) are packed
    /// into the same files once they are over at `at`, without being marked: their finished pages, their versions
    /// without a start, and those that start inside windows sealed before. Without windows only that is done.
    /// Several windows in one call share their files. Call it while holding the lock.
    pub fn seal(&mut self, windows: &[PullWindow], at: Instant, codec: &SegmentCodec) -> Result<Sealed> {
        self.seal_windows(windows, at, codec).map_err(Trouble::doing("sealing"))
    }

    fn seal_windows(&mut self, windows: &[PullWindow], at: Instant, codec: &SegmentCodec) -> Outcome<Sealed> {
        let chosen = Chosen::of(&self.connection, windows, at)?;
        let groups = pending_groups(&self.connection, |feed, window, start| {
            feed.zip(window).is_some_and(|(feed, window)| chosen.takes(feed, window, start))
        })?;
        let (ids, packed) = (&chosen.sealed_now, &chosen.packed);
        let pages = archive::finished_pages(&self.connection, ids, packed)?;
        if ids.is_empty() && groups.is_empty() && pages.is_empty() {
            return Ok(Sealed::default());
        }
        let segments = self.publish_segments(groups, codec)?;
        crash::point("seal.segments-published");
        let archive = match pages.is_empty() {
            true => None,
            false => Some(archive::publish_pages(&self.folder.join(ARCHIVES), &pages)?),
        };
        crash::point("seal.archive-published");
        let transaction = sql::begin(&mut self.connection)?;
        let versions = register(&transaction, &segments, at)?;
        crash::point("seal.segments-registered");
        if let Some(archive) = &archive {
            archive::register_pages(&transaction, archive, &pages)?;
        }
        crash::point("seal.blobs-dropped");
        for id in ids {
            transaction.execute(
                "UPDATE pull_window SET state = ?2, sealed_ms = ?3 WHERE id = ?1",
                (id, CoverageState::Sealed.word(), at.milliseconds()),
            )?;
            stamp(&transaction, *id)?;
        }
        crash::point("seal.before-commit");
        transaction.commit()?;
        crash::point("seal.committed");
        Ok(Sealed {
            windows: ids.len() as u64,
            packed: archive::windows_of(&pages).intersection(packed).count() as u64,
            segments: segments.len() as u64,
            versions,
            pages: pages.len() as u64,
        })
    }

    /// Packs what imported files left pending into segments. Call it while holding the lock.
    pub fn seal_imports(&mut self, at: Instant, codec: &SegmentCodec) -> Result<Sealed> {
        let mut pack = || -> Outcome<Sealed> {
            let groups = pending_groups(&self.connection, |feed, _, _| feed.is_none())?;
            let segments = self.publish_segments(groups, codec)?;
            crash::point("seal.segments-published");
            let transaction = sql::begin(&mut self.connection)?;
            let versions = register(&transaction, &segments, at)?;
            crash::point("seal.before-commit");
            transaction.commit()?;
            crash::point("seal.committed");
            Ok(Sealed { segments: segments.len() as u64, versions, ..Sealed::default() })
        };
        pack().map_err(Trouble::doing("sealing imports"))
    }

    pub(super) fn publish_segments(
        &self,
        groups: BTreeMap<(RecordKind, String), Group>,
        codec: &SegmentCodec,
    ) -> Outcome<Vec<NewSegment>> {
        let folder = self.folder.join(SEGMENTS);
        let mut segments = Vec::with_capacity(groups.len());
        for ((kind, day), mut group) in groups {
            group.sort_by(|one, other| scan_order(&one.1).cmp(&scan_order(&other.1)));
            let (versions, records): (Vec<i64>, Vec<SourceRecord>) = group.into_iter().unzip();
            let bytes = (codec.encode)(&records)?;
            // The rows are dropped once this file is registered: what cannot be read back is not written.
            if (codec.decode)(&bytes)? != records {
                return Err(misuse(format!("the segment of {kind} {day} does not read back as written")));
            }
            let hash = Hash::of(&bytes);
            let file = format!("{kind}-{day}-{}.{}", hash.short(), codec.extension);
            files::publish(&folder, &file, &bytes)?;
            segments.push(NewSegment {
                kind,
                file,
                bytes: bytes.len(),
                hash,
                first: records.iter().filter_map(|record| record.start).min(),
                last: records.iter().filter_map(|record| record.start).max(),
                versions,
            });
        }
        Ok(segments)
    }
}

/// What one sealing takes: by feed of windows the spans inside which a start decides, and the windows that decide for
/// versions without one.
struct Chosen {
    sealed_now: BTreeSet<i64>,
    packed: BTreeSet<i64>,
    now: BTreeMap<String, Vec<Span>>,
    before: BTreeMap<String, Vec<Span>>,
}

impl Chosen {
    fn of(connection: &Connection, windows: &[PullWindow], at: Instant) -> Outcome<Chosen> {
        let mut sealed_now = BTreeSet::new();
        let mut now: BTreeMap<String, Vec<Span>> = BTreeMap::new();
        for window in windows {
            sealed_now.insert(complete_window(connection, window)?);
            now.entry(window.feed.name()).or_default().push(window.span);
        }
        let mut before: BTreeMap<String, Vec<Span>> = BTreeMap::new();
        let mut statement = connection.prepare_cached(
            "SELECT feed, from_ms, to_ms FROM pull_window WHERE sealed_ms IS NOT NULL ORDER BY feed, from_ms",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            before.entry(row.get(0)?).or_default().push(sql::span(row, 1)?);
        }
        Ok(Chosen { sealed_now, packed: over_windows(connection, at)?, now, before })
    }

    fn takes(&self, feed: &str, window: i64, start: Option<Instant>) -> bool {
        let landed_here = self.sealed_now.contains(&window) || self.packed.contains(&window);
        let Some(start) = start else { return landed_here };
        let Some(feed) = Feed::from_name(feed) else { return false };
        let family = feed.sealed_by().name();
        let inside = |windows: &BTreeMap<String, Vec<Span>>| {
            windows.get(&family).is_some_and(|spans| spans.iter().any(|span| span.contains(start)))
        };
        inside(&self.now) || (landed_here && inside(&self.before))
    }
}

/// Windows of feeds that are never sealed, over at an instant, with pages that are not packed.
fn over_windows(connection: &Connection, at: Instant) -> Outcome<BTreeSet<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, feed FROM pull_window WHERE to_ms <= ?1 AND sealed_ms IS NULL \
         AND EXISTS (SELECT 1 FROM page WHERE window_id = pull_window.id AND archive IS NULL)",
    )?;
    let mut rows = statement.query([at.milliseconds()])?;
    let mut windows = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let feed: String = row.get(1)?;
        if never_sealed(&feed_from(&feed)?) {
            windows.insert(row.get(0)?);
        }
    }
    Ok(windows)
}

fn complete_window(connection: &Connection, window: &PullWindow) -> Outcome<i64> {
    let name = || format!("the window {} .. {} of {}", window.span.from, window.span.to, window.feed.name());
    let id = known_window(connection, window)?.ok_or_else(|| misuse(format!("{} never landed", name())))?;
    let complete: i64 = connection.query_row(
        "SELECT count(*) FROM listing WHERE window_id = ?1 AND digest IS NOT NULL",
        [id],
        |row| row.get(0),
    )?;
    if complete == 0 {
        let failure = Failure::new(Exit::NotFinalised, format!("{} has no complete listing", name()));
        return Err(failure.hint("Pull again; a window is sealed when two listings agree.").into());
    }
    Ok(id)
}

/// Pending versions that `chosen` (feed name of a window, window, start) picks, by kind and UTC start day.
fn pending_groups(
    connection: &Connection,
    chosen: impl Fn(Option<&str>, Option<i64>, Option<Instant>) -> bool,
) -> Outcome<BTreeMap<(RecordKind, String), Group>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {PENDING_COLUMNS}, version.id, window_id, feed FROM {PENDING_TABLES} \
         LEFT JOIN pull_window ON pull_window.id = window_id"
    ))?;
    let mut rows = statement.query([])?;
    let mut groups: BTreeMap<(RecordKind, String), Group> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let feed: Option<String> = row.get(13)?;
        if !chosen(feed.as_deref(), row.get(12)?, sql::instant_if_any(row, 5)?) {
            continue;
        }
        let record = pending_record(row)?;
        let day = day_of(record.start);
        groups.entry((record.key.kind, day)).or_default().push((row.get(11)?, record));
    }
    Ok(groups)
}

/// The part of a segment's name that says when its versions start.
pub(super) fn day_of(start: Option<Instant>) -> String {
    start.map_or_else(|| "undated".to_owned(), |start| start.utc().format("%Y-%m-%d").to_string())
}

/// Registers written segments and drops the pending rows they hold.
pub(super) fn register(connection: &Connection, segments: &[NewSegment], at: Instant) -> Outcome<u64> {
    let mut place = connection.prepare_cached(
        "UPDATE version SET segment = ?2, position = ?3 WHERE id = ?1 AND segment IS NULL RETURNING standing",
    )?;
    let mut drop_row = connection.prepare_cached("DELETE FROM pending WHERE version = ?1")?;
    let mut count = 0;
    for segment in segments {
        connection.execute(
            "INSERT INTO segment (file, kind, first_ms, last_ms, row_count, bytes, hash, sealed_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            (
                &segment.file,
                segment.kind.word(),
                segment.first.map(Instant::milliseconds),
                segment.last.map(Instant::milliseconds),
                sql::integer(segment.versions.len()),
                sql::integer(segment.bytes),
                segment.hash.0,
                at.milliseconds(),
            ),
        )?;
        let id = connection.last_insert_rowid();
        let mut bitmaps = Bitmaps::new(segment.versions.len());
        for (position, version) in segment.versions.iter().enumerate() {
            let standing: i64 = place.query_row((version, id, sql::integer(position)), |row| row.get(0))?;
            bitmaps.set(position, Standing::from_code(standing)?)?;
            drop_row.execute([version])?;
            count += 1;
        }
        bitmaps.store(connection, id)?;
    }
    Ok(count)
}
