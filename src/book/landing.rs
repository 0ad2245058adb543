//! Landing: a page as served, its record versions and the cursor, in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension};

use crate::domain::record::{CoverageState, Cursor, RawPage, RecordKey, RecordKind, SourceRecord};
use crate::domain::time::Instant;
use crate::domain::{Exit, Failure, Hash, Result};

use super::Book;
use super::coverage::{stamp, window_id};
use super::crash;
use super::notes::{self, Noted};
use super::sql::{self, Outcome, Trouble, damaged, misuse};
use super::stream::keep_stream;
use super::version::{Standing, Turn, refresh};

/// What landing a page did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Landed {
    /// Versions that the book did not know.
    pub new_versions: u64,
    /// The page had landed before; nothing was written.
    pub repeated: bool,
    /// This page completed its listing.
    pub listing_complete: bool,
    /// What was noted about records known before, or known too late.
    pub noted: Noted,
}

/// Where versions come from: a window's listing or an imported file.
#[derive(Clone, Copy)]
pub(super) enum Origin {
    Window(i64),
    Import(i64),
}

impl Book {
    /// Lands one page: the compressed body, the versions not known yet, the observation of all of them in this
    /// listing, and the cursor, in one transaction. The same page again is a no-op. A page whose predecessor never
    /// landed is refused (exit 7): the cursor must not run ahead of the data. With `cursor.next_page` empty the
    /// listing is complete, and its count and digest are kept. What the page shows about records that were thought to
    /// be settled is noted ([`NoteKind`](super::NoteKind)).
    pub fn land_page(&mut self, page: &RawPage, records: &[SourceRecord], cursor: &Cursor) -> Result<Landed> {
        self.land(page, records, cursor).map_err(Trouble::doing("landing a page"))
    }

    fn land(&mut self, page: &RawPage, records: &[SourceRecord], cursor: &Cursor) -> Outcome<Landed> {
        if cursor.window != page.window || cursor.listing != page.listing {
            return Err(misuse("the cursor belongs to another listing than the page"));
        }
        self.check_accounts(records)?;
        let body = sql::compress(&page.body)?;
        if crash::planted(crash::CURSOR_BEFORE_PAGE) {
            let transaction = sql::begin(&mut self.connection)?;
            let window = window_id(&transaction, &page.window)?;
            move_cursor(&transaction, window, page, cursor)?;
            stamp(&transaction, window)?;
            transaction.commit()?;
            crash::point("land.cursor-ahead");
        }
        let transaction = sql::begin(&mut self.connection)?;
        crash::point("land.begun");
        let window = window_id(&transaction, &page.window)?;
        if let Some(landed) = known_page(&transaction, window, page)? {
            return Ok(landed);
        }
        require_predecessor(&transaction, window, page)?;
        let page_id = insert_page(&transaction, window, page, &body)?;
        crash::point("land.page-inserted");
        let stored = store_versions(&transaction, Origin::Window(window), records)?;
        let mut seen = transaction.prepare_cached(
            "INSERT INTO page_version (page, version) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        )?;
        for version in &stored.versions {
            seen.execute((page_id, version))?;
        }
        drop(seen);
        let turns: Vec<_> = stored.turned(records).collect();
        let mut noted = notes::note_turns(&transaction, page, window, &turns)?;
        crash::point("land.versions-inserted");
        move_cursor(&transaction, window, page, cursor)?;
        crash::point("land.cursor-moved");
        let listing_complete = cursor.next_page.is_none();
        if listing_complete {
            let seen = complete_listing(&transaction, window, page)?;
            noted.absent = notes::note_absences(&transaction, page, window, &seen)?;
        }
        stamp(&transaction, window)?;
        clear_gap(&transaction, &page.window.feed.name(), page.observed)?;
        crash::point("land.before-commit");
        transaction.commit()?;
        crash::point("land.committed");
        Ok(Landed { new_versions: stored.new, repeated: false, listing_complete, noted })
    }

    /// Refuses records that another account served.
    pub(super) fn check_accounts(&self, records: &[SourceRecord]) -> Outcome<()> {
        for record in records {
            let served = !matches!(record.key.kind, RecordKind::Usage | RecordKind::PortalCall);
            if let Some(account) = &self.identity.account
                && served
                && *account != record.key.account
            {
                let other = &record.key.account;
                return Err(Failure::new(
                    Exit::Usage,
                    format!("a record of account {other} in a book of {account}"),
                )
                .hint("Keep a book of its own for each account.")
                .into());
            }
        }
        Ok(())
    }
}

/// The same page landed before: nothing to do. Another body under its number means that the source was asked twice
/// for a page the cursor had passed; what landed stands.
fn known_page(connection: &Connection, window: i64, page: &RawPage) -> Outcome<Option<Landed>> {
    let known = connection
        .query_row(
            "SELECT page.hash, completed_ms IS NOT NULL AND next_page IS NULL \
             FROM page JOIN listing ON listing.window_id = page.window_id AND listing.number = page.listing \
             WHERE page.window_id = ?1 AND page.listing = ?2 AND page.page = ?3",
            (window, page.listing, page.page),
            |row| Ok((sql::hash(row, 0)?, row.get::<_, bool>(1)?)),
        )
        .optional()?;
    let Some((hash, listing_complete)) = known else { return Ok(None) };
    if hash != Hash::of(&page.body) {
        let (number, listing) = (page.page, page.listing);
        return Err(misuse(format!("page {number} of listing {listing} landed before with another body")));
    }
    Ok(Some(Landed { repeated: true, listing_complete, ..Landed::default() }))
}

fn insert_page(connection: &Connection, window: i64, page: &RawPage, body: &[u8]) -> Outcome<i64> {
    connection.execute(
        "INSERT INTO page (window_id, listing, page, observed_ms, hash, body_zstd) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (window, page.listing, page.page, page.observed.milliseconds(), Hash::of(&page.body).0, body),
    )?;
    Ok(connection.last_insert_rowid())
}

fn require_predecessor(connection: &Connection, window: i64, page: &RawPage) -> Outcome<()> {
    if page.page == 0 || page.listing == 0 {
        return Err(misuse("pages and listings count from 1"));
    }
    let landed: i64 = connection.query_row(
        "SELECT count(*) FROM page WHERE window_id = ?1 AND listing = ?2 AND page < ?3",
        (window, page.listing, page.page),
        |row| row.get(0),
    )?;
    if landed != i64::from(page.page) - 1 {
        let (number, listing) = (page.page, page.listing);
        return Err(damaged(format!("page {number} of listing {listing} lands after {landed} pages only")));
    }
    Ok(())
}

fn move_cursor(connection: &Connection, window: i64, page: &RawPage, cursor: &Cursor) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO listing (window_id, number, next_page, began_ms) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (window_id, number) DO UPDATE SET next_page = ?3",
        )?
        .execute((window, page.listing, cursor.next_page, page.observed.milliseconds()))?;
    cursor.stream.iter().try_for_each(|stream| keep_stream(connection, stream))
}

/// The digest of some (record, version) pairs and the number of distinct records among them.
pub(super) fn digest(seen: &BTreeSet<(RecordKey, Hash)>) -> (u64, Hash) {
    let mut parts: Vec<&[u8]> = Vec::with_capacity(seen.len() * 4);
    let mut records = 0;
    let mut last: Option<&RecordKey> = None;
    for (key, version) in seen {
        if last != Some(key) {
            records += 1;
            last = Some(key);
        }
        parts.extend([key.account.as_bytes(), key.kind.word().as_bytes(), key.id.as_bytes(), &version.0]);
    }
    (records, Hash::of_parts(parts))
}

fn complete_listing(connection: &Connection, window: i64, page: &RawPage) -> Outcome<BTreeSet<RecordKey>> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT account, kind, source_id, version.hash FROM page \
         JOIN page_version ON page_version.page = page.id JOIN version ON version.id = page_version.version \
         JOIN record ON record.id = version.record WHERE page.window_id = ?1 AND page.listing = ?2",
    )?;
    let mut rows = statement.query((window, page.listing))?;
    let mut seen = BTreeSet::new();
    while let Some(row) = rows.next()? {
        seen.insert((super::scan::record_key(row, 0)?, sql::hash(row, 3)?));
    }
    let (records, digest) = digest(&seen);
    connection.execute(
        "UPDATE listing SET completed_ms = ?3, records = ?4, digest = ?5 WHERE window_id = ?1 AND number = ?2",
        (window, page.listing, page.observed.milliseconds(), i64::try_from(records).ok(), digest.0),
    )?;
    // A sealed window stays sealed while its listings agree; when one differs, the caller has to seal it again.
    connection.execute(
        "UPDATE pull_window SET state = ?2 WHERE id = ?1 AND (state <> ?3 OR EXISTS (SELECT 1 FROM listing \
         WHERE window_id = ?1 AND number = (SELECT max(number) FROM listing WHERE window_id = ?1 \
         AND number < ?4 AND digest IS NOT NULL) AND digest <> ?5))",
        (window, CoverageState::Collected.word(), CoverageState::Sealed.word(), page.listing, digest.0),
    )?;
    Ok(seen.into_iter().map(|(key, _)| key).collect())
}

pub(super) fn clear_gap(connection: &Connection, feed: &str, at: Instant) -> Outcome<()> {
    connection
        .prepare_cached("UPDATE gap SET cleared_ms = ?2 WHERE feed = ?1 AND cleared_ms IS NULL")?
        .execute((feed, at.milliseconds()))?;
    Ok(())
}

/// What storing some records did: their version rows, in the order given, how many were new, and what turned.
pub(super) struct StoredVersions {
    pub(super) versions: Vec<i64>,
    pub(super) new: u64,
    records: Vec<i64>,
    turns: BTreeMap<i64, Turn>,
}

impl StoredVersions {
    /// How each record turned, once, in the order given.
    fn turned<'a>(&self, records: &'a [SourceRecord]) -> impl Iterator<Item = (&'a RecordKey, Turn)> {
        let mut met = BTreeSet::new();
        self.records
            .iter()
            .zip(records)
            .filter(move |(id, _)| met.insert(**id))
            .filter_map(|(id, record)| Some((&record.key, *self.turns.get(id)?)))
    }
}

/// Stores the versions that are not known, notes the observation of the others, and refreshes the standings.
pub(super) fn store_versions(
    connection: &Connection,
    origin: Origin,
    records: &[SourceRecord],
) -> Outcome<StoredVersions> {
    let mut stored = StoredVersions {
        versions: Vec::with_capacity(records.len()),
        new: 0,
        records: Vec::with_capacity(records.len()),
        turns: BTreeMap::new(),
    };
    let mut touched = BTreeSet::new();
    let first_new: i64 =
        connection.query_row("SELECT coalesce(max(id), 0) + 1 FROM version", [], |row| row.get(0))?;
    let mut known_records: BTreeMap<&RecordKey, i64> = BTreeMap::new();
    for record in records {
        let record_id = match known_records.get(&record.key) {
            Some(id) => *id,
            None => record_row(connection, &record.key)?,
        };
        known_records.insert(&record.key, record_id);
        let (version, new, moved) = match observe_again(connection, record_id, record)? {
            Some((version, moved)) => (version, false, moved),
            None => (insert_version(connection, origin, record_id, record)?, true, true),
        };
        stored.versions.push(version);
        stored.records.push(record_id);
        stored.new += u64::from(new);
        // The standing of versions cannot change where nothing came and nothing was seen later than before.
        if moved {
            touched.insert(record_id);
        }
    }
    stored.turns = refresh(connection, &touched, first_new)?;
    Ok(stored)
}

fn record_row(connection: &Connection, key: &RecordKey) -> Outcome<i64> {
    let columns = (&key.account, key.kind.word(), &key.id);
    let known = connection
        .prepare_cached("SELECT id FROM record WHERE account = ?1 AND kind = ?2 AND source_id = ?3")?
        .query_row(columns, |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    connection
        .prepare_cached("INSERT INTO record (account, kind, source_id) VALUES (?1, ?2, ?3)")?
        .execute(columns)?;
    Ok(connection.last_insert_rowid())
}

/// Notes another observation of a known version. The first and the last are kept: both are the same in whatever order
/// observations land. Gives the version, and whether one of them moved; nothing when the version is new.
fn observe_again(
    connection: &Connection,
    record_id: i64,
    record: &SourceRecord,
) -> Outcome<Option<(i64, bool)>> {
    let known: Option<(i64, i64, i64)> = connection
        .prepare_cached(
            "SELECT id, first_observed_ms, last_observed_ms FROM version WHERE record = ?1 AND hash = ?2",
        )?
        .query_row((record_id, record.version.0), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((version, first, last)) = known else { return Ok(None) };
    let observed = record.observed.milliseconds();
    let moved = observed < first || observed > last;
    if moved {
        connection
            .prepare_cached(
                "UPDATE version SET first_observed_ms = min(first_observed_ms, ?2), \
                 last_observed_ms = max(last_observed_ms, ?2), \
                 corrected = corrected OR (segment IS NOT NULL AND ?2 < first_observed_ms) WHERE id = ?1",
            )?
            .execute((version, observed))?;
    }
    Ok(Some((version, moved)))
}

fn insert_version(
    connection: &Connection,
    origin: Origin,
    record_id: i64,
    record: &SourceRecord,
) -> Outcome<i64> {
    // Of a version that is known nothing is stored again: only here its text has to be what it claims.
    if Hash::of(record.json.as_bytes()) != record.version {
        let key = &record.key;
        return Err(misuse(format!("{} {}: the version is not the hash of its JSON", key.kind, key.id)));
    }
    let (window, import) = match origin {
        Origin::Window(id) => (Some(id), None),
        Origin::Import(id) => (None, Some(id)),
    };
    let observed = record.observed.milliseconds();
    connection
        .prepare_cached(
            "INSERT INTO version (record, hash, material, start_ms, last_modified_ms, first_observed_ms, \
             last_observed_ms, deleted, standing, window_id, import_id) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute((
            record_id,
            record.version.0,
            record.material.0,
            record.start.map(Instant::milliseconds),
            record.last_modified.map(Instant::milliseconds),
            observed,
            record.deleted_upstream,
            Standing::Current.code(),
            window,
            import,
        ))?;
    let version = connection.last_insert_rowid();
    connection.prepare_cached("INSERT INTO pending (version, json, hash) VALUES (?1, ?2, ?3)")?.execute((
        version,
        &record.json,
        row_hash(record).0,
    ))?;
    Ok(version)
}

/// Hash over what a pending version's row says; observations are left out, since they may be corrected.
pub(super) fn row_hash(record: &SourceRecord) -> Hash {
    let milliseconds =
        |instant: Option<Instant>| instant.map_or(String::new(), |at| at.milliseconds().to_string());
    Hash::of_parts([
        record.key.account.as_bytes(),
        record.key.kind.word().as_bytes(),
        record.key.id.as_bytes(),
        &record.version.0,
        &record.material.0,
        milliseconds(record.start).as_bytes(),
        milliseconds(record.last_modified).as_bytes(),
        &[u8::from(record.deleted_upstream)],
        record.json.as_bytes(),
    ])
}
