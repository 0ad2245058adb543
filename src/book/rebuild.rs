//! Rebuilding: every derived table and every segment again from what was served and imported.
//!
//! Derived are records, versions with their standings, pending rows, segments with their bitmaps, what pages showed,
//! and the counts and digests of listings. Everything else is a fact and stays: pages and files, windows and whether
//! they are sealed, listings, notes, decisions, runs, documents.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Row, Transaction, TransactionBehavior};

use crate::domain::record::SourceRecord;
use crate::domain::time::{Instant, Span};
use crate::domain::{Exit, Failure, Hash, Result};

use super::coverage::{feed_from, stamp};
use super::fresh::{self, Collected, Parse};
use super::landing::row_hash;
use super::scan::record_of_row;
use super::seal::{SegmentCodec, day_of, register};
use super::sql::{self, Outcome, Trouble, damaged};
use super::{Book, crash};

/// At most so many differences are told one by one.
const DIFFERENCES_TOLD: usize = 20;

/// What rebuilding found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Pages and imported files read.
    pub pages: u64,
    pub imports: u64,
    /// Versions that follow from them.
    pub versions: u64,
    /// Segments written; 0 when only compared.
    pub segments: u64,
    /// Digest over all versions as they were registered, and as they follow from the raw pages and files: sorted
    /// keys, version hashes, material, times, observations, deletion, standing.
    pub before: Hash,
    pub after: Hash,
    /// How many things were not as they follow, and the first of them in words.
    pub differences: u64,
    pub told: Vec<String>,
    /// Raw files and pages that are damaged, in words.
    pub damaged: Vec<String>,
    /// Versions whose pages are damaged and that were kept from sound segments and rows.
    pub carried: u64,
    /// Versions that are neither in a readable page nor in a sound segment.
    pub lost: u64,
}

impl Rebuilt {
    fn of(collected: &Collected) -> Rebuilt {
        Rebuilt {
            pages: collected.pages,
            imports: collected.imports,
            versions: 0,
            segments: 0,
            before: Hash::of(&[]),
            after: Hash::of(&[]),
            differences: 0,
            told: Vec::new(),
            damaged: collected.damaged.clone(),
            carried: 0,
            lost: 0,
        }
    }

    fn differ(&mut self, messages: impl IntoIterator<Item = String>) {
        for message in messages {
            self.differences += 1;
            if self.told.len() < DIFFERENCES_TOLD {
                self.told.push(message);
            }
        }
    }
}

/// The columns of a canonical row, in the order of [`Canonical::read`].
const CANONICAL: &str = "account, kind, source_id, hash, material, start_ms, last_modified_ms, first_observed_ms, \
     last_observed_ms, deleted, standing";

/// One version as the digest and the comparison see it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Canonical {
    key: (String, String, String, Hash),
    rest: (Hash, [Option<i64>; 4], bool, i64),
}

impl Canonical {
    fn read(row: &Row<'_>) -> rusqlite::Result<Canonical> {
        Ok(Canonical {
            key: (row.get(0)?, row.get(1)?, row.get(2)?, sql::hash(row, 3)?),
            rest: (
                sql::hash(row, 4)?,
                [row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?],
                row.get(9)?,
                row.get(10)?,
            ),
        })
    }

    fn feed(&self, digest: &mut Hash) {
        let (account, kind, id, version) = &self.key;
        let (material, times, deleted, standing) = &self.rest;
        let rest = format!("{times:?} {deleted} {standing}");
        let parts = [account.as_bytes(), kind.as_bytes(), id.as_bytes(), &version.0, &material.0];
        *digest = Hash::of_parts([digest.0.as_slice()].into_iter().chain(parts).chain([rest.as_bytes()]));
    }
}

impl Book {
    /// Makes everything derived again and compares; nothing is written to the book.
    pub fn check_rebuild(&self, parse: Parse<'_>, codec: &SegmentCodec) -> Result<Rebuilt> {
        let mut check = || -> Outcome<Rebuilt> {
            // Dropped without a commit: the tables beside vanish with it.
            let _transaction = self.connection.unchecked_transaction()?;
            self.derive(parse, codec)
        };
        check().map_err(Trouble::doing("comparing the book with its raw pages"))
    }

    /// Makes everything derived again from the raw pages and the imported files and puts it in place of what is there,
    /// in one transaction; a kill leaves the old or the new. What only a damaged raw file shows is kept from sound
    /// segments; when there is none, nothing is written (exit 7). Call it while holding the lock.
    pub fn rebuild(&mut self, parse: Parse<'_>, at: Instant, codec: &SegmentCodec) -> Result<Rebuilt> {
        let mut make = || -> Outcome<Rebuilt> {
            let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
            let mut rebuilt = self.derive(parse, codec)?;
            if rebuilt.lost > 0 {
                return Err(lost(&rebuilt).into());
            }
            clear(&transaction)?;
            fill(&transaction)?;
            rebuilt.segments = self.fill_segments(&transaction, at, codec)?;
            crash::point("rebuild.filled");
            fill_pending(&transaction)?;
            fill_listings(&transaction)?;
            fresh::drop_tables(&transaction)?;
            crash::point("rebuild.before-commit");
            transaction.commit()?;
            crash::point("rebuild.committed");
            self.sweep_files()?;
            Ok(rebuilt)
        };
        make().map_err(Trouble::doing("rebuilding the book"))
    }

    /// Fills the tables beside and compares them with those of the book.
    fn derive(&self, parse: Parse<'_>, codec: &SegmentCodec) -> Outcome<Rebuilt> {
        let collected = fresh::collect(self, parse)?;
        let mut rebuilt = Rebuilt::of(&collected);
        if !rebuilt.damaged.is_empty() {
            (rebuilt.carried, rebuilt.lost) = fresh::carry(self, codec)?;
        }
        fresh::stand(&self.connection)?;
        rebuilt.differ(collected.differences);
        compare(&self.connection, &mut rebuilt)?;
        for checked in [self.check_segments(codec), self.check_pending(), self.check_standings()] {
            let mut unreadable = Vec::new();
            let messages = fresh::readable(checked, &mut unreadable, "rows")?;
            rebuilt.differ(messages.into_iter().flatten().chain(unreadable));
        }
        Ok(rebuilt)
    }

    /// Writes one segment for each kind and UTC day, one at a time.
    fn fill_segments(&self, connection: &Connection, at: Instant, codec: &SegmentCodec) -> Outcome<u64> {
        place(connection)?;
        let days = connection
            .prepare("SELECT DISTINCT kind, day FROM fresh_place ORDER BY kind, day")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<Vec<(String, String)>>>()?;
        let mut count = 0;
        for (kind, day) in days {
            let mut statement = connection.prepare_cached(
                "SELECT account, fresh.kind, source_id, hash, material, start_ms, last_modified_ms, first_observed_ms, \
                 deleted, json, id FROM fresh_place JOIN fresh ON id = version WHERE fresh_place.kind = ?1 AND day = ?2",
            )?;
            let mut rows = statement.query((&kind, &day))?;
            let mut group = Vec::new();
            while let Some(row) = rows.next()? {
                group.push((row.get(10)?, fresh_record(row)?));
            }
            drop(rows);
            let Some((_, first)) = group.first() else { continue };
            let groups = BTreeMap::from([((first.key.kind, day), group)]);
            let segments = self.publish_segments(groups, codec)?;
            register(connection, &segments, at)?;
            count += segments.len() as u64;
        }
        connection.execute_batch("DROP TABLE fresh_place")?;
        Ok(count)
    }
}

fn lost(rebuilt: &Rebuilt) -> Failure {
    let message = format!(
        "{} versions are neither in a readable raw file nor in a sound segment; damaged: {}",
        rebuilt.lost,
        rebuilt.damaged.join("; ")
    );
    Failure::new(Exit::Verification, message)
        .hint("Nothing was written. Restore the damaged files from a backup, then rebuild.")
}

/// Digests both sides and tells how they differ.
fn compare(connection: &Connection, rebuilt: &mut Rebuilt) -> Outcome<()> {
    let order = "ORDER BY account, kind, source_id, hash";
    let mut stored = connection.prepare(&format!(
        "SELECT {} FROM version JOIN record ON record.id = record {}",
        CANONICAL.replacen("hash", "version.hash", 1),
        order.replace("hash", "version.hash")
    ))?;
    let mut derived = connection.prepare(&format!("SELECT {CANONICAL} FROM fresh {order}"))?;
    let (mut stored, mut derived) =
        (stored.query_map([], Canonical::read)?, derived.query_map([], Canonical::read)?);
    let (mut one, mut other) = (stored.next().transpose()?, derived.next().transpose()?);
    while one.is_some() || other.is_some() {
        let order = match (&one, &other) {
            (Some(one), Some(other)) => one.key.cmp(&other.key),
            (Some(_), None) => std::cmp::Ordering::Less,
            _ => std::cmp::Ordering::Greater,
        };
        if let Some(version) = one.as_ref().filter(|_| order.is_le()) {
            version.feed(&mut rebuilt.before);
        }
        if let Some(version) = other.as_ref().filter(|_| order.is_ge()) {
            version.feed(&mut rebuilt.after);
            rebuilt.versions += 1;
        }
        let name =
            |version: &Canonical| format!("{} {} {}", version.key.1, version.key.2, version.key.3.short());
        match (&one, &other) {
            (Some(version), _) if order.is_lt() => {
                rebuilt.differ([format!("{} is in no raw page or file", name(version))]);
            }
            (_, Some(version)) if order.is_gt() => {
                rebuilt.differ([format!("{} is not registered", name(version))]);
            }
            (Some(version), Some(same)) if version.rest != same.rest => {
                rebuilt.differ([format!("{} is not as it was served", name(version))]);
            }
            _ => {}
        }
        if order.is_le() {
            one = stored.next().transpose()?;
        }
        if order.is_ge() {
            other = derived.next().transpose()?;
        }
    }
    Ok(())
}

/// Removes everything derived.
fn clear(connection: &Connection) -> Outcome<()> {
    for table in ["page_version", "pending", "superseded", "version", "segment", "record"] {
        connection.execute(&format!("DELETE FROM {table}"), [])?;
    }
    Ok(())
}

/// Puts records and versions in place; where their JSON is comes later.
fn fill(connection: &Connection) -> Outcome<()> {
    connection.execute_batch(
        "INSERT INTO record (account, kind, source_id) \
         SELECT DISTINCT account, kind, source_id FROM fresh ORDER BY account, kind, source_id; \
         INSERT INTO version (id, record, hash, material, start_ms, last_modified_ms, first_observed_ms, \
         last_observed_ms, deleted, standing, window_id, import_id) \
         SELECT fresh.id, record.id, hash, material, start_ms, last_modified_ms, first_observed_ms, \
         last_observed_ms, deleted, standing, window_id, import_id FROM fresh JOIN record \
         ON record.account = fresh.account AND record.kind = fresh.kind AND record.source_id = fresh.source_id \
         ORDER BY fresh.id; \
         INSERT INTO page_version (page, version) SELECT page, version FROM fresh_seen;",
    )?;
    Ok(())
}

/// Which versions belong in segments, with their day: what files brought, what starts in a window that was sealed, and
/// without a start, what landed in a window that was sealed or packed.
fn place(connection: &Connection) -> Outcome<()> {
    connection.execute_batch(
        "CREATE TEMP TABLE fresh_place (kind TEXT NOT NULL, day TEXT NOT NULL, version INTEGER NOT NULL, \
         PRIMARY KEY (kind, day, version)) STRICT, WITHOUT ROWID",
    )?;
    let mut sealed: BTreeMap<String, Vec<Span>> = BTreeMap::new();
    let mut settled = BTreeSet::new();
    let mut families = BTreeMap::new();
    let mut windows = connection.prepare(
        "SELECT id, feed, from_ms, to_ms, sealed_ms IS NOT NULL, NOT EXISTS (SELECT 1 FROM page \
         WHERE window_id = pull_window.id AND archive IS NULL) FROM pull_window ORDER BY feed, from_ms",
    )?;
    let mut rows = windows.query([])?;
    while let Some(row) = rows.next()? {
        let (id, feed, was_sealed, packed): (i64, String, bool, bool) =
            (row.get(0)?, row.get(1)?, row.get(4)?, row.get(5)?);
        families.insert(id, feed_from(&feed)?.sealed_by().name());
        if was_sealed {
            sealed.entry(feed).or_default().push(sql::span(row, 2)?);
        }
        if was_sealed || packed {
            settled.insert(id);
        }
    }
    let mut versions = connection.prepare("SELECT id, kind, start_ms, window_id FROM fresh")?;
    let mut keep = connection.prepare("INSERT INTO fresh_place (kind, day, version) VALUES (?1, ?2, ?3)")?;
    let mut rows = versions.query([])?;
    while let Some(row) = rows.next()? {
        let (start, window): (_, Option<i64>) = (sql::instant_if_any(row, 2)?, row.get(3)?);
        let in_segment = match (window, start) {
            (None, _) => true,
            (Some(window), None) => settled.contains(&window),
            (Some(window), Some(start)) => families
                .get(&window)
                .and_then(|family| sealed.get(family))
                .is_some_and(|spans| spans.iter().any(|span| span.contains(start))),
        };
        if in_segment {
            keep.execute((row.get::<_, String>(1)?, day_of(start), row.get::<_, i64>(0)?))?;
        }
    }
    Ok(())
}

/// A version as it was cut from a page again, checked against its text.
fn fresh_record(row: &Row<'_>) -> Outcome<SourceRecord> {
    let record = record_of_row(row)?;
    match Hash::of(record.json.as_bytes()) == record.version {
        true => Ok(record),
        false => Err(damaged(format!("{} was cut with a wrong version", record.key.id))),
    }
}

fn fill_pending(connection: &Connection) -> Outcome<()> {
    let mut statement = connection.prepare(
        "SELECT account, kind, source_id, fresh.hash, fresh.material, fresh.start_ms, fresh.last_modified_ms, \
         fresh.first_observed_ms, fresh.deleted, json, fresh.id FROM fresh JOIN version ON version.id = fresh.id \
         WHERE segment IS NULL",
    )?;
    let mut insert = connection.prepare("INSERT INTO pending (version, json, hash) VALUES (?1, ?2, ?3)")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let record = fresh_record(row)?;
        insert.execute((row.get::<_, i64>(10)?, &record.json, row_hash(&record).0))?;
    }
    Ok(())
}

/// Corrects the counts and digests of listings that did not follow from their pages.
fn fill_listings(connection: &Connection) -> Outcome<()> {
    connection.execute(
        "UPDATE listing SET records = wanted.records, digest = wanted.digest FROM fresh_listing AS wanted \
         WHERE listing.window_id = wanted.window_id AND listing.number = wanted.number",
        [],
    )?;
    let windows = connection
        .prepare("SELECT DISTINCT window_id FROM fresh_listing")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    windows.into_iter().try_for_each(|window| stamp(connection, window))
}
