//! Everything that is derived, made again from the raw pages and the imported files in tables beside those of the book.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension};

use crate::domain::record::{Feed, RawPage, RecordKey, SourceRecord};
use crate::domain::time::{Instant, Span};
use crate::domain::{Exit, Failure, Hash, Result};

use super::archive::{PAGE_COLUMNS, page_row, read_pages};
use super::coverage::feed_from;
use super::landing::digest;
use super::sql::{self, Outcome, Trouble, damaged};
use super::version::{Rank, standings};
use super::{ARCHIVES, Book, files};

/// An imported file, read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawImport {
    pub source_name: String,
    pub feed: Feed,
    /// The file as it was kept (personal text already replaced).
    pub raw: Vec<u8>,
    pub observed: Instant,
}

/// What records are cut from.
#[derive(Clone, Copy, Debug)]
pub enum RawSource<'a> {
    Page(&'a RawPage),
    Import(&'a RawImport),
}

/// Cuts records from a source as it was done when it landed. The book does not know how.
pub type Parse<'a> = &'a mut dyn FnMut(RawSource<'_>) -> Result<Vec<SourceRecord>>;

const TABLES: &str = "
CREATE TEMP TABLE fresh (
    id                INTEGER PRIMARY KEY,
    account           TEXT NOT NULL,
    kind              TEXT NOT NULL,
    source_id         TEXT NOT NULL,
    hash              BLOB NOT NULL,
    material          BLOB NOT NULL,
    start_ms          INTEGER,
    last_modified_ms  INTEGER,
    first_observed_ms INTEGER NOT NULL,
    last_observed_ms  INTEGER NOT NULL,
    deleted           INTEGER NOT NULL,
    standing          INTEGER NOT NULL DEFAULT 0,
    window_id         INTEGER,
    import_id         INTEGER,
    -- The earliest observation decides where a version comes from: its time, and its place in the order of landing.
    origin_ms         INTEGER NOT NULL,
    origin_order      INTEGER NOT NULL,
    json              TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX fresh_key ON fresh (account, kind, source_id, hash);
CREATE TEMP TABLE fresh_seen (
    page    INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (page, version)
) STRICT, WITHOUT ROWID;
CREATE TEMP TABLE fresh_listing (
    window_id INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    records   INTEGER NOT NULL,
    digest    BLOB NOT NULL,
    PRIMARY KEY (window_id, number)
) STRICT, WITHOUT ROWID;
";

/// Imports come after pages of the same millisecond.
const IMPORT_ORDER: i64 = 1 << 60;

/// What was read, and what could not be.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) pages: u64,
    pub(super) imports: u64,
    /// Raw files and pages that are damaged.
    pub(super) damaged: Vec<String>,
    /// Facts that do not follow from what was read.
    pub(super) differences: Vec<String>,
}

/// A page as registered.
struct Registered {
    page: i64,
    window: i64,
    hash: Hash,
    /// Its listing is complete.
    complete: bool,
}

/// One listing, until all its pages were met.
struct Gathering {
    pages_missing: i64,
    seen: BTreeSet<(RecordKey, Hash)>,
}

struct Collector<'a, 'b> {
    book: &'a Book,
    parse: Parse<'b>,
    listings: BTreeMap<(i64, u32), Gathering>,
    collected: Collected,
}

/// Fills the tables from everything raw. They live until [`drop_tables`] or the end of the transaction.
pub(super) fn collect(book: &Book, parse: Parse<'_>) -> Outcome<Collected> {
    book.connection.execute_batch(TABLES)?;
    let mut collector = Collector { book, parse, listings: BTreeMap::new(), collected: Collected::default() };
    collector.archives()?;
    collector.pages()?;
    collector.imports()?;
    Ok(collector.collected)
}

pub(super) fn drop_tables(connection: &Connection) -> Outcome<()> {
    Ok(connection.execute_batch("DROP TABLE fresh; DROP TABLE fresh_seen; DROP TABLE fresh_listing;")?)
}

/// Takes a failed reading as damage when it is damage.
pub(super) fn readable<T>(read: Outcome<T>, damage: &mut Vec<String>, what: &str) -> Outcome<Option<T>> {
    match read.map_err(Trouble::into_failure) {
        Ok(value) => Ok(Some(value)),
        Err(failure) if failure.exit() == Exit::Verification => {
            damage.push(format!("{what}: {}", failure.message()));
            Ok(None)
        }
        Err(failure) => Err(failure.into()),
    }
}

impl Collector<'_, '_> {
    fn archives(&mut self) -> Outcome<()> {
        let connection = &self.book.connection;
        let mut statement = connection.prepare(
            "SELECT id, file, hash FROM archive \
             WHERE id IN (SELECT archive FROM page WHERE archive IS NOT NULL) ORDER BY id",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (id, file): (i64, String) = (row.get(0)?, row.get(1)?);
            let read = read_archive(self.book, &file, &sql::hash(row, 2)?);
            let Some(pages) = readable(read, &mut self.collected.damaged, &file)? else { continue };
            let registered = registered_pages(connection, id)?;
            for page in pages {
                let place = (page.window.feed.name(), page.window.span, page.listing, page.page);
                match registered.get(&place).filter(|known| known.hash == Hash::of(&page.body)) {
                    Some(known) => self.page(&page, known, true)?,
                    None => return Err(damaged(format!("{file} holds a page that is not registered"))),
                }
            }
        }
        Ok(())
    }

    fn pages(&mut self) -> Outcome<()> {
        let mut statement = self.book.connection.prepare(&format!(
            "SELECT {PAGE_COLUMNS}, EXISTS (SELECT 1 FROM listing WHERE listing.window_id = page.window_id \
             AND number = page.listing AND digest IS NOT NULL) \
             FROM page JOIN pull_window ON pull_window.id = window_id WHERE archive IS NULL ORDER BY page.id"
        ))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            let read = page_row(row);
            let Some(read) = readable(read, &mut self.collected.damaged, &format!("page row {id}"))? else {
                continue;
            };
            let registered = Registered {
                page: id,
                window: row.get(9)?,
                hash: sql::hash(row, 7)?,
                complete: row.get(10)?,
            };
            self.page(&read.page, &registered, false)?;
        }
        Ok(())
    }

    fn page(&mut self, page: &RawPage, registered: &Registered, archived: bool) -> Outcome<()> {
        let records = (self.parse)(RawSource::Page(page)).map_err(|failure| {
            let name = page.window.feed.name();
            failure.while_doing(format!("reading page {} of listing {} of {name}", page.page, page.listing))
        })?;
        self.collected.pages += 1;
        let connection = &self.book.connection;
        let origin = (Some(registered.window), None, registered.page);
        let mut seen = connection.prepare_cached(
            "INSERT INTO fresh_seen (page, version) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        )?;
        for record in &records {
            let version = keep(connection, record, origin)?;
            if !(archived && registered.complete) {
                seen.execute((registered.page, version))?;
            }
        }
        if registered.complete {
            self.gather((registered.window, page.listing), records)?;
        }
        Ok(())
    }

    /// Adds the records of a page to its listing, and compares the listing when it is whole.
    fn gather(&mut self, place: (i64, u32), records: Vec<SourceRecord>) -> Outcome<()> {
        let connection = &self.book.connection;
        let gathering = match self.listings.entry(place) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let pages_missing = connection
                    .prepare_cached("SELECT count(*) FROM page WHERE window_id = ?1 AND listing = ?2")?
                    .query_row(place, |row| row.get(0))?;
                entry.insert(Gathering { pages_missing, seen: BTreeSet::new() })
            }
        };
        gathering.seen.extend(records.into_iter().map(|record| (record.key, record.version)));
        gathering.pages_missing -= 1;
        if gathering.pages_missing > 0 {
            return Ok(());
        }
        let (records, digest) = digest(&gathering.seen);
        self.listings.remove(&place);
        let (stored_records, stored_digest): (i64, Hash) = connection
            .prepare_cached("SELECT records, digest FROM listing WHERE window_id = ?1 AND number = ?2")?
            .query_row(place, |row| Ok((row.get(0)?, sql::hash(row, 1)?)))?;
        let records = i64::try_from(records).unwrap_or(i64::MAX);
        if (stored_records, stored_digest) == (records, digest) {
            return Ok(());
        }
        connection.execute(
            "INSERT INTO fresh_listing (window_id, number, records, digest) VALUES (?1, ?2, ?3, ?4)",
            (place.0, place.1, records, digest.0),
        )?;
        let feed: String =
            connection
                .query_row("SELECT feed FROM pull_window WHERE id = ?1", [place.0], |row| row.get(0))?;
        self.collected.differences.push(format!(
            "listing {} of {feed}: {stored_records} records are registered, {records} follow from its pages",
            place.1
        ));
        Ok(())
    }

    fn imports(&mut self) -> Outcome<()> {
        let connection = &self.book.connection;
        let mut statement = connection.prepare(
            "SELECT import.id, source_name, feed, observed_ms, digest, file, archive.hash, import.hash \
             FROM import JOIN archive ON archive.id = archive ORDER BY import.id",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (id, source_name, file): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(5)?);
            let read = || -> Outcome<Vec<u8>> {
                let bytes =
                    files::read_checked(&self.book.folder.join(ARCHIVES).join(&file), &sql::hash(row, 6)?)?;
                let raw = sql::decompress(&bytes, &file)?;
                match Hash::of(&raw) == sql::hash(row, 7)? {
                    true => Ok(raw),
                    false => Err(damaged("it is not the imported file")),
                }
            };
            let Some(raw) = readable(read(), &mut self.collected.damaged, &file)? else { continue };
            let feed = feed_from(&row.get::<_, String>(2)?)?;
            let import = RawImport { source_name, feed, raw, observed: sql::instant(row, 3)? };
            let records = (self.parse)(RawSource::Import(&import))
                .map_err(|failure| failure.while_doing(format!("reading {}", import.source_name)))?;
            let seen: BTreeSet<_> =
                records.iter().map(|record| (record.key.clone(), record.version)).collect();
            if digest(&seen).1 != sql::hash(row, 4)? {
                let name = &import.source_name;
                return Err(Failure::new(
                    Exit::Verification,
                    format!("the imported file {name} does not give the records that it gave"),
                )
                .hint("Was it imported under another time zone? Rebuild with the zone of that time.")
                .into());
            }
            for record in &records {
                keep(connection, record, (None, Some(id), IMPORT_ORDER + id))?;
            }
            self.collected.imports += 1;
        }
        Ok(())
    }
}

fn read_archive(book: &Book, file: &str, hash: &Hash) -> Outcome<Vec<RawPage>> {
    let bytes = files::read_checked(&book.folder.join(ARCHIVES).join(file), hash)?;
    read_pages(&bytes, file)
}

/// The place of a page: feed, span, listing, number.
type PagePlace = (String, Span, u32, u32);

fn registered_pages(connection: &Connection, archive: i64) -> Outcome<BTreeMap<PagePlace, Registered>> {
    let mut statement = connection.prepare_cached(
        "SELECT feed, from_ms, to_ms, listing, page, page.id, page.window_id, page.hash, digest IS NOT NULL \
         FROM page JOIN pull_window ON pull_window.id = page.window_id \
         LEFT JOIN listing ON listing.window_id = page.window_id AND number = listing WHERE archive = ?1",
    )?;
    let rows = statement.query_map([archive], |row| {
        let registered = Registered {
            page: row.get(5)?,
            window: row.get(6)?,
            hash: sql::hash(row, 7)?,
            complete: row.get(8)?,
        };
        Ok(((row.get(0)?, sql::span(row, 1)?, row.get(3)?, row.get(4)?), registered))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Keeps a version, or another observation of it; returns its row.
fn keep(
    connection: &Connection,
    record: &SourceRecord,
    (window, import, order): (Option<i64>, Option<i64>, i64),
) -> Outcome<i64> {
    let observed = record.observed.milliseconds();
    let key = &record.key;
    let kept = connection
        .prepare_cached(
            "INSERT INTO fresh (account, kind, source_id, hash, material, start_ms, last_modified_ms, \
             first_observed_ms, last_observed_ms, deleted, window_id, import_id, origin_ms, origin_order, json) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10, ?11, ?8, ?12, ?13) \
             ON CONFLICT (account, kind, source_id, hash) DO UPDATE SET \
             last_observed_ms = max(last_observed_ms, ?8), first_observed_ms = min(first_observed_ms, ?8), \
             window_id = iif((?8, ?12) < (origin_ms, origin_order), ?10, window_id), \
             import_id = iif((?8, ?12) < (origin_ms, origin_order), ?11, import_id), \
             origin_ms = iif((?8, ?12) < (origin_ms, origin_order), ?8, origin_ms), \
             origin_order = iif((?8, ?12) < (origin_ms, origin_order), ?12, origin_order) \
             WHERE ?8 > last_observed_ms OR (?8, ?12) < (origin_ms, origin_order) RETURNING id",
        )?
        .query_row(
            (
                &key.account,
                key.kind.word(),
                &key.id,
                record.version.0,
                record.material.0,
                record.start.map(Instant::milliseconds),
                record.last_modified.map(Instant::milliseconds),
                observed,
                record.deleted_upstream,
                window,
                import,
                order,
                &record.json,
            ),
            |row| row.get(0),
        )
        .optional()?;
    match kept {
        Some(id) => Ok(id),
        None => Ok(connection
            .prepare_cached(
                "SELECT id FROM fresh WHERE account = ?1 AND kind = ?2 AND source_id = ?3 AND hash = ?4",
            )?
            .query_row((&key.account, key.kind.word(), &key.id, record.version.0), |row| row.get(0))?),
    }
}

/// Computes the standing of every version.
pub(super) fn stand(connection: &Connection) -> Outcome<()> {
    let mut statement = connection.prepare(
        "SELECT account, kind, source_id, id, hash, material, last_modified_ms, last_observed_ms, start_ms, deleted \
         FROM fresh ORDER BY account, kind, source_id",
    )?;
    let mut update = connection.prepare("UPDATE fresh SET standing = ?2 WHERE id = ?1")?;
    let mut settle = |group: &mut Vec<(i64, Rank)>| -> Outcome<()> {
        let ranks: Vec<Rank> = group.iter().map(|(_, rank)| *rank).collect();
        for ((id, _), standing) in group.iter().zip(standings(&ranks)).filter(|_| ranks.len() > 1) {
            update.execute((id, standing.code()))?;
        }
        group.clear();
        Ok(())
    };
    let mut rows = statement.query([])?;
    let mut group = Vec::new();
    let mut last: Option<(String, String, String)> = None;
    while let Some(row) = rows.next()? {
        let record = (row.get(0)?, row.get(1)?, row.get(2)?);
        if last.as_ref() != Some(&record) {
            settle(&mut group)?;
            last = Some(record);
        }
        let rank = Rank {
            hash: sql::hash(row, 4)?,
            material: sql::hash(row, 5)?,
            last_modified_milliseconds: row.get(6)?,
            last_observed_milliseconds: row.get(7)?,
            start: sql::instant_if_any(row, 8)?,
            deleted: row.get(9)?,
        };
        group.push((row.get(3)?, rank));
    }
    settle(&mut group)
}

/// Keeps what only the book still knows, because the pages that showed it are damaged: versions from sound segments
/// and pending rows, and observations. Returns how many versions are kept so, and how many are lost.
pub(super) fn carry(book: &Book, codec: &super::SegmentCodec) -> Outcome<(u64, u64)> {
    let connection = &book.connection;
    connection.execute(
        "UPDATE fresh SET first_observed_ms = min(fresh.first_observed_ms, known.first_observed_ms), \
         last_observed_ms = max(fresh.last_observed_ms, known.last_observed_ms), \
         window_id = known.window_id, import_id = known.import_id \
         FROM (SELECT account, kind, source_id, version.* FROM version JOIN record ON record.id = record) AS known \
         WHERE known.account = fresh.account AND known.kind = fresh.kind \
         AND known.source_id = fresh.source_id AND known.hash = fresh.hash",
        [],
    )?;
    let mut missing = connection.prepare(
        "SELECT version.id, segment, position, window_id, import_id, first_observed_ms, last_observed_ms \
         FROM version JOIN record ON record.id = record WHERE NOT EXISTS (SELECT 1 FROM fresh \
         WHERE fresh.account = record.account AND fresh.kind = record.kind \
         AND fresh.source_id = record.source_id AND fresh.hash = version.hash) ORDER BY segment, position",
    )?;
    let (mut kept, mut lost) = (0, 0);
    let mut segment: Option<(i64, Option<Vec<SourceRecord>>)> = None;
    let mut rows = missing.query([])?;
    while let Some(row) = rows.next()? {
        let (id, place, position): (i64, Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let record = match place {
            None => pending(book, id)?,
            Some(place) => {
                if segment.as_ref().is_none_or(|(last, _)| *last != place) {
                    segment = Some((place, sound_segment(book, place, codec)?));
                }
                let records = segment.as_ref().and_then(|(_, records)| records.as_ref());
                records.and_then(|records| records.get(usize::try_from(position?).ok()?)).cloned()
            }
        };
        let Some(record) = record else {
            lost += 1;
            continue;
        };
        for observed in [5, 6] {
            let record = SourceRecord { observed: sql::instant(row, observed)?, ..record.clone() };
            keep(connection, &record, (row.get(3)?, row.get(4)?, id))?;
        }
        kept += 1;
    }
    Ok((kept, lost))
}

fn pending(book: &Book, version: i64) -> Outcome<Option<SourceRecord>> {
    use super::scan::{PENDING_COLUMNS, PENDING_TABLES, pending_record};
    let mut statement = book.connection.prepare_cached(&format!(
        "SELECT {PENDING_COLUMNS} FROM {PENDING_TABLES} WHERE pending.version = ?1"
    ))?;
    let mut rows = statement.query([version])?;
    match rows.next()? {
        Some(row) => readable(pending_record(row), &mut Vec::new(), ""),
        None => Ok(None),
    }
}

fn sound_segment(
    book: &Book,
    segment: i64,
    codec: &super::SegmentCodec,
) -> Outcome<Option<Vec<SourceRecord>>> {
    use super::scan::{SEGMENT_COLUMNS, SegmentRow};
    let row = book
        .connection
        .prepare_cached(&format!("SELECT {SEGMENT_COLUMNS} FROM segment WHERE id = ?1"))?
        .query_row([segment], SegmentRow::read)?;
    readable(book.segment_records(&row, codec), &mut Vec::new(), "")
}
