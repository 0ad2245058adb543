//! Verification: every hash, chain, checksum and cached standing is computed again and compared.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::OptionalExtension;

use crate::domain::{Hash, Result};

use super::scan::{PENDING_COLUMNS, PENDING_TABLES, SEGMENT_COLUMNS, SegmentRow, pending_record};
use super::seal::SegmentCodec;
use super::sql::{self, Outcome, damaged};
use super::version::{Bitmaps, VERSION_COLUMNS, VersionRow, standings, version_row};
use super::{ARCHIVES, Book, CHARGES, archive, documents, files, ledger, notes};

/// Something in the book that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: `segment call-2026-10-01-....parquet`, `documents`, `database`.
    pub place: String,
    /// What is wrong, lower case.
    pub message: String,
}

impl Book {
    /// Checks everything that can be checked without asking the source again; an empty list is a sound book. Only a
    /// failing disk ends it early.
    pub fn verify(&self, codec: &SegmentCodec) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let mut note = |place: &str, checked: Outcome<Vec<String>>| match checked {
            Ok(messages) => problems
                .extend(messages.into_iter().map(|message| Problem { place: place.to_owned(), message })),
            Err(trouble) => problems
                .push(Problem { place: place.to_owned(), message: trouble.into_failure().to_string() }),
        };
        note("database", self.check_database());
        note("segments", self.check_segments(codec));
        note("pending records", self.check_pending());
        note("standings", self.check_standings());
        note("coverage", self.coverage().map(|_| Vec::new()).map_err(Into::into));
        note("notes", notes::read_notes(&self.connection).map(|_| Vec::new()));
        note("raw pages", self.check_archives());
        note("facts", self.check_facts());
        note("decisions", ledger::chained_decisions(&self.connection).map(|_| Vec::new()));
        note("runs", ledger::chained_runs(&self.connection).map(|_| Vec::new()));
        note("documents", documents::chained_documents(&self.connection).map(|_| Vec::new()));
        note("charges", self.check_charges());
        Ok(problems)
    }

    fn check_database(&self) -> Outcome<Vec<String>> {
        let mut messages = Vec::new();
        let mut statement = self.connection.prepare("PRAGMA integrity_check")?;
        let answers = statement.query_map([], |row| row.get::<_, String>(0))?;
        for answer in answers {
            let answer = answer?;
            if answer != "ok" {
                messages.push(answer);
            }
        }
        let mut statement = self.connection.prepare("PRAGMA foreign_key_check")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let table: String = row.get(0)?;
            messages.push(format!("a row of {table} refers to one that is not there"));
        }
        Ok(messages)
    }

    pub(super) fn check_segments(&self, codec: &SegmentCodec) -> Outcome<Vec<String>> {
        let mut messages = Vec::new();
        let mut statement =
            self.connection.prepare(&format!("SELECT {SEGMENT_COLUMNS} FROM segment ORDER BY id"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            match self.check_segment(&SegmentRow::read(row)?, codec) {
                Ok(()) => {}
                Err(trouble) => messages.push(format!(
                    "{}; `tollbook rebuild` makes it again from the raw pages",
                    trouble.into_failure()
                )),
            }
        }
        Ok(messages)
    }

    /// The file's bytes, each version's hash, and its row in the database.
    fn check_segment(&self, segment: &SegmentRow, codec: &SegmentCodec) -> Outcome<()> {
        let records = self.segment_records(segment, codec)?;
        let file = &segment.file;
        let mut statement = self.connection.prepare_cached(
            "SELECT account, kind, source_id, version.hash, material, start_ms, last_modified_ms, deleted, position \
             FROM version JOIN record ON record.id = record WHERE segment = ?1 ORDER BY position",
        )?;
        let mut rows = statement.query([segment.id])?;
        let mut position = 0;
        while let Some(row) = rows.next()? {
            let stored = (
                super::scan::record_key(row, 0)?,
                sql::hash(row, 3)?,
                sql::hash(row, 4)?,
                sql::instant_if_any(row, 5)?,
                sql::instant_if_any(row, 6)?,
                row.get::<_, bool>(7)?,
            );
            let row_position: i64 = row.get(8)?;
            let same = records.get(position).is_some_and(|record| {
                row_position == sql::integer(position)
                    && Hash::of(record.json.as_bytes()) == record.version
                    && stored
                        == (
                            record.key.clone(),
                            record.version,
                            record.material,
                            record.start,
                            record.last_modified,
                            record.deleted_upstream,
                        )
            });
            if !same {
                return Err(damaged(format!(
                    "row {position} of segment {file} is not the version registered"
                )));
            }
            position += 1;
        }
        if position != records.len() {
            return Err(damaged(format!("segment {file} does not have the rows registered")));
        }
        Ok(())
    }

    pub(super) fn check_pending(&self) -> Outcome<Vec<String>> {
        let mut messages = Vec::new();
        let mut statement = self
            .connection
            .prepare(&format!("SELECT {PENDING_COLUMNS} FROM {PENDING_TABLES} ORDER BY version.id"))?;
        let mut rows = statement.query([])?;
        let mut count = 0_i64;
        while let Some(row) = rows.next()? {
            count += 1;
            match pending_record(row) {
                Ok(record) if Hash::of(record.json.as_bytes()) == record.version => {}
                Ok(record) => messages.push(format!("the JSON of {} was changed", record.key.id)),
                Err(trouble) => messages.push(trouble.into_failure().to_string()),
            }
        }
        let homeless: i64 = self.connection.query_row(
            "SELECT count(*) FROM version WHERE (segment IS NULL) <> (id IN (SELECT version FROM pending))",
            [],
            |row| row.get(0),
        )?;
        let rows: i64 = self.connection.query_row("SELECT count(*) FROM pending", [], |row| row.get(0))?;
        if homeless != 0 || rows != count {
            messages.push(format!("{} versions have no JSON, or two", homeless + (rows - count).abs()));
        }
        Ok(messages)
    }

    /// The cached standings and bitmaps against the one function that defines them.
    pub(super) fn check_standings(&self) -> Outcome<Vec<String>> {
        let mut messages = Vec::new();
        let mut bitmaps: BTreeMap<i64, Bitmaps> = BTreeMap::new();
        let mut check = |versions: &[VersionRow]| -> Outcome<()> {
            let ranks: Vec<_> = versions.iter().map(|version| version.rank).collect();
            for (version, standing) in versions.iter().zip(standings(&ranks)) {
                let mut cached = version.standing == standing.code();
                if let Some((segment, position)) = version.place {
                    let bitmap = match bitmaps.entry(segment) {
                        std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                        std::collections::btree_map::Entry::Vacant(entry) => {
                            entry.insert(Bitmaps::load(&self.connection, segment)?)
                        }
                    };
                    let position = usize::try_from(position).map_err(|_| damaged("a negative row"))?;
                    cached &= bitmap.get(position)? == standing;
                }
                if !cached {
                    messages.push(format!("version {} has a wrong standing", version.rank.hash.short()));
                }
            }
            Ok(())
        };
        let mut statement = self
            .connection
            .prepare(&format!("SELECT {VERSION_COLUMNS}, record FROM version ORDER BY record, id"))?;
        let mut rows = statement.query([])?;
        let mut versions: Vec<VersionRow> = Vec::new();
        let mut last_record = None;
        while let Some(row) = rows.next()? {
            let record: i64 = row.get(10)?;
            if last_record.is_some_and(|last| last != record) {
                check(&versions)?;
                versions.clear();
            }
            last_record = Some(record);
            versions.push(version_row(row)?);
        }
        check(&versions)?;
        Ok(messages)
    }

    fn check_archives(&self) -> Outcome<Vec<String>> {
        let mut messages = Vec::new();
        let damage = self.find_damage()?;
        for damage in damage.iter().filter(|damage| !damage.is_settled()) {
            let hint = match damage.given_up {
                Some(_) => "pull to list its windows again",
                None => "restore it from a backup, or `tollbook rebuild --reopen-damaged`",
            };
            messages.push(format!("{}; {hint}", damage.describe()));
        }
        let damaged: BTreeSet<&str> = damage.iter().map(|damage| damage.file.as_str()).collect();
        let mut statement = self.connection.prepare("SELECT id, file, hash FROM archive ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let file: String = row.get(1)?;
            if damaged.contains(file.as_str()) {
                continue;
            }
            if let Err(trouble) = self.check_archive(row.get(0)?, &file, &sql::hash(row, 2)?) {
                messages.push(trouble.into_failure().to_string());
            }
        }
        let mut unsealed =
            self.connection.prepare("SELECT id, hash, body_zstd FROM page WHERE archive IS NULL")?;
        let mut rows = unsealed.query([])?;
        while let Some(row) = rows.next()? {
            let body = sql::decompress(&row.get::<_, Vec<u8>>(2)?, "a raw page");
            if !body.is_ok_and(|body| sql::hash(row, 1).is_ok_and(|hash| Hash::of(&body) == hash)) {
                messages.push(format!("the body of page row {} was changed", row.get::<_, i64>(0)?));
            }
        }
        Ok(messages)
    }

    /// The file's bytes, and for a file of pages that it holds exactly the pages registered.
    fn check_archive(&self, id: i64, file: &str, hash: &Hash) -> Outcome<()> {
        let bytes = files::read_checked(&self.folder.join(ARCHIVES).join(file), hash)?;
        let mut statement = self.connection.prepare_cached(
            "SELECT feed, from_ms, to_ms, listing, page, page.hash FROM page \
             JOIN pull_window ON pull_window.id = window_id WHERE archive = ?1",
        )?;
        let registered = statement
            .query_map([id], |row| {
                let place: (String, _, u32, u32) =
                    (row.get(0)?, sql::span(row, 1)?, row.get(3)?, row.get(4)?);
                Ok((place, sql::hash(row, 5)?))
            })?
            .collect::<rusqlite::Result<BTreeSet<_>>>()?;
        if registered.is_empty() {
            let import: Option<Hash> = self
                .connection
                .query_row("SELECT hash FROM import WHERE archive = ?1", [id], |row| sql::hash(row, 0))
                .optional()?;
            let plain = sql::decompress(&bytes, file)?;
            return match import {
                Some(import) if import == Hash::of(&plain) => Ok(()),
                _ => Err(damaged(format!("{file} is not the imported file"))),
            };
        }
        let held: BTreeSet<_> = archive::read_pages(&bytes, file)?
            .into_iter()
            .map(|page| {
                ((page.window.feed.name(), page.window.span, page.listing, page.page), Hash::of(&page.body))
            })
            .collect();
        if held != registered {
            return Err(damaged(format!("{file} does not hold the pages registered")));
        }
        Ok(())
    }

    fn check_facts(&self) -> Outcome<Vec<String>> {
        let mut messages = Vec::new();
        let mut statement = self.connection.prepare("SELECT hash FROM fact ORDER BY hash")?;
        let hashes =
            statement.query_map([], |row| sql::hash(row, 0))?.collect::<rusqlite::Result<Vec<_>>>()?;
        for hash in hashes {
            if let Err(trouble) = ledger::read_fact(&self.connection, &hash) {
                messages.push(trouble.into_failure().to_string());
            }
        }
        Ok(messages)
    }

    /// Charges files, and for each live invoice its place and its events.
    fn check_charges(&self) -> Outcome<Vec<String>> {
        let mut messages = Vec::new();
        let mut statement = self.connection.prepare(
            "SELECT position, number, charges, events, live_invoice.document IS NOT NULL, kind, \
             EXISTS (SELECT 1 FROM document AS later WHERE later.voids = document.number), \
             live_invoice.contact IS NOT document.contact OR live_invoice.period IS NOT document.period \
             FROM document LEFT JOIN live_invoice ON live_invoice.document = position ORDER BY position",
        )?;
        let mut events =
            self.connection.prepare("SELECT event FROM charged_event WHERE document = ?1 ORDER BY event")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (position, number): (i64, String) = (row.get(0)?, row.get(1)?);
            let charges = sql::hash(row, 2)?;
            if let Err(trouble) =
                files::read_checked(&self.folder.join(CHARGES).join(charges.hex()), &charges)
            {
                messages.push(trouble.to_string());
            }
            let (live, kind, voided, elsewhere): (bool, String, bool, bool) =
                (row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?);
            if live != (kind == "invoice" && !voided) || (live && elsewhere) {
                messages.push(format!("{number} has lost or taken the place of a live invoice"));
            }
            if live {
                let charged = events
                    .query_map([position], |row| row.get::<_, String>(0))?
                    .collect::<rusqlite::Result<BTreeSet<String>>>()?;
                if Hash::of_parts(charged.iter().map(|event| event.as_bytes())) != sql::hash(row, 3)? {
                    messages.push(format!("the events of {number} were changed"));
                }
            }
        }
        Ok(messages)
    }
}
