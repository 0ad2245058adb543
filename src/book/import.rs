//! Files without windows: usage files and portal exports, whole, in one transaction.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension};

use crate::domain::record::{CoverageState, Feed, PullWindow, SourceRecord};
use crate::domain::time::{Instant, Span};
use crate::domain::{Exit, Hash, Result};

use super::coverage::{stamp, window_id};
use super::landing::{Origin, digest, store_versions};
use super::sql::{self, Outcome, Trouble};
use super::{ARCHIVES, Book, archive, crash, files, ledger};

/// A file and the records read from it.
#[derive(Clone, Copy, Debug)]
pub struct ImportBatch<'a> {
    /// The file's name, for people.
    pub source_name: &'a str,
    pub feed: &'a Feed,
    /// The file as given (personal text already replaced).
    pub raw: &'a [u8],
    pub records: &'a [SourceRecord],
    /// When it was imported.
    pub at: Instant,
    /// Somebody's word that the file is all there is of its feed in a span; without it, drafts only.
    pub covers: Option<Covers<'a>>,
}

/// A decision that a file covers a span.
#[derive(Clone, Copy, Debug)]
pub struct Covers<'a> {
    pub span: Span,
    pub actor: &'a str,
    pub reason: &'a str,
}

/// What an import did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Identity of the file: the hash of its bytes.
    pub file: Hash,
    pub new_versions: u64,
    /// The same bytes were imported before; at most the coverage is new.
    pub repeated: bool,
}

impl Book {
    /// Imports a file: its bytes, its record versions, and its coverage when `covers` says so. The same bytes again
    /// store nothing but a coverage that is new, and put the bytes back when they are damaged. Call it while holding the lock.
    pub fn import(&mut self, batch: &ImportBatch<'_>) -> Result<Imported> {
        self.import_file(batch).map_err(Trouble::doing("importing"))
    }

    fn import_file(&mut self, batch: &ImportBatch<'_>) -> Outcome<Imported> {
        let file = Hash::of(batch.raw);
        self.check_accounts(batch.records)?;
        let known = known_import(&self.connection, &file)?;
        let archive = match known {
            Some(import) => {
                self.restore_import(import, batch.raw)?;
                None
            }
            None => Some(archive::publish(&self.folder.join(ARCHIVES), batch.raw, "import")?),
        };
        crash::point("import.file-renamed");
        let transaction = sql::begin(&mut self.connection)?;
        let mut imported = Imported { file, new_versions: 0, repeated: known.is_some() };
        if let Some(archive) = &archive {
            let seen: BTreeSet<_> =
                batch.records.iter().map(|record| (record.key.clone(), record.version)).collect();
            let (records, digest) = digest(&seen);
            let archive = archive::register(&transaction, archive)?;
            transaction.execute(
                "INSERT INTO import (hash, source_name, feed, observed_ms, records, digest, archive) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                (
                    file.0,
                    batch.source_name,
                    batch.feed.name(),
                    batch.at.milliseconds(),
                    i64::try_from(records).ok(),
                    digest.0,
                    archive,
                ),
            )?;
            let id = transaction.last_insert_rowid();
            imported.new_versions = store_versions(&transaction, Origin::Import(id), batch.records)?.new;
        }
        if let Some(covers) = &batch.covers {
            cover(&transaction, &file, batch, covers)?;
        }
        crash::point("import.before-commit");
        transaction.commit()?;
        crash::point("import.committed");
        Ok(imported)
    }
}

impl Book {
    /// Publishes the bytes of a file that is registered again when what is there is damaged: they have the same name.
    fn restore_import(&self, import: i64, raw: &[u8]) -> Outcome<()> {
        let (file, hash) = self.connection.query_row(
            "SELECT file, archive.hash FROM import JOIN archive ON archive.id = archive WHERE import.id = ?1",
            [import],
            |row| Ok((row.get::<_, String>(0)?, sql::hash(row, 1)?)),
        )?;
        match files::read_checked(&self.folder.join(ARCHIVES).join(file), &hash) {
            Err(failure) if failure.exit() == Exit::Verification => {
                archive::publish(&self.folder.join(ARCHIVES), raw, "import")?;
                Ok(())
            }
            read => Ok(read.map(drop)?),
        }
    }
}

fn known_import(connection: &Connection, file: &Hash) -> Outcome<Option<i64>> {
    Ok(connection
        .query_row("SELECT id FROM import WHERE hash = ?1", [file.0], |row| row.get(0))
        .optional()?)
}

/// Records coverage as a decision; the same file covering the same span again is a no-op.
fn cover(connection: &Connection, file: &Hash, batch: &ImportBatch<'_>, covers: &Covers<'_>) -> Outcome<()> {
    let window = PullWindow { feed: batch.feed.clone(), span: covers.span };
    let id = window_id(connection, &window)?;
    let (records, digest): (i64, Hash) =
        connection.query_row("SELECT records, digest FROM import WHERE hash = ?1", [file.0], |row| {
            Ok((row.get(0)?, sql::hash(row, 1)?))
        })?;
    let last: Option<(i64, Option<Hash>)> = connection
        .query_row(
            "SELECT number, digest FROM listing WHERE window_id = ?1 ORDER BY number DESC LIMIT 1",
            [id],
            |row| Ok((row.get(0)?, sql::hash_if_any(row, 1)?)),
        )
        .optional()?;
    if last.is_some_and(|(_, known)| known == Some(digest)) {
        return Ok(());
    }
    let number = last.map_or(0, |(number, _)| number) + 1;
    let at = batch.at.milliseconds();
    connection.execute(
        "INSERT INTO listing (window_id, number, began_ms, completed_ms, records, digest) \
         VALUES (?1, ?2, ?3, ?3, ?4, ?5)",
        (id, number, at, records, digest.0),
    )?;
    connection.execute(
        "UPDATE pull_window SET state = ?2, sealed_ms = ?3 WHERE id = ?1",
        (id, CoverageState::Sealed.word(), at),
    )?;
    stamp(connection, id)?;
    let subject = format!("{} {} {} {}", batch.feed.name(), covers.span.from, covers.span.to, file.hex());
    ledger::append_decision(connection, "coverage", &subject, covers.actor, covers.reason, batch.at)
}
