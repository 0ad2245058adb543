//! What was found out about records after the fact. A note is a fact of its own: nothing is removed because of it, and
//! nothing derives from it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension};

use crate::domain::outcome::words;
use crate::domain::record::{Feed, PullWindow, RawPage, RecordKey};
use crate::domain::time::{Instant, Span};
use crate::domain::{self, Hash};

use super::Book;
use super::coverage::{feed_from, never_sealed};
use super::scan::record_key;
use super::sql::{self, Outcome, Trouble, damaged};
use super::version::Turn;

words! {
    /// What was found out.
    NoteKind {
        /// A record came to light that starts in a window which was sealed.
        Late = "late",
        /// Another version counts now, with other material fields, for a record of a window which was sealed.
        Changed = "changed",
        /// A complete listing of a window that had been listed before lacks the record.
        Absent = "absent",
        /// A record noted as absent was served again.
        Reappeared = "reappeared",
        /// The source marks the record as deleted, and did not before.
        Deleted = "deleted",
    }
}

/// One fact about one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub kind: NoteKind,
    pub key: RecordKey,
    /// The version that shows it; for an absence, the one that counts.
    pub version: Hash,
    /// The window of the sealing feed in which the record starts; else the one in which it was served.
    pub window: PullWindow,
    /// When the page that shows it was served.
    pub noted: Instant,
}

/// How many notes of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Noted {
    pub late: u64,
    pub changed: u64,
    pub absent: u64,
    pub reappeared: u64,
    pub deleted: u64,
}

impl Noted {
    pub(super) fn count(&mut self, kind: NoteKind, times: u64) {
        let counter = match kind {
            NoteKind::Late => &mut self.late,
            NoteKind::Changed => &mut self.changed,
            NoteKind::Absent => &mut self.absent,
            NoteKind::Reappeared => &mut self.reappeared,
            NoteKind::Deleted => &mut self.deleted,
        };
        *counter += times;
    }

    /// The number of notes of one kind.
    pub fn of(&self, kind: NoteKind) -> u64 {
        match kind {
            NoteKind::Late => self.late,
            NoteKind::Changed => self.changed,
            NoteKind::Absent => self.absent,
            NoteKind::Reappeared => self.reappeared,
            NoteKind::Deleted => self.deleted,
        }
    }
}

impl Book {
    /// How many notes of each kind there are.
    pub fn noted(&self) -> domain::Result<Noted> {
        count_notes(&self.connection).map_err(Trouble::doing("counting the notes"))
    }

    /// All notes, in the order they were made. A changed row is exit 7.
    pub fn notes(&self) -> domain::Result<Vec<Note>> {
        read_notes(&self.connection).map_err(Trouble::doing("reading the notes"))
    }
}

const NOTE_COLUMNS: &str =
    "kind, account, record_kind, source_id, version, feed, from_ms, to_ms, noted_ms, note.hash";

pub(super) fn read_notes(connection: &Connection) -> Outcome<Vec<Note>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {NOTE_COLUMNS} FROM note JOIN pull_window ON pull_window.id = window_id ORDER BY note.id"
    ))?;
    let mut rows = statement.query([])?;
    let mut notes = Vec::new();
    while let Some(row) = rows.next()? {
        let (kind, feed): (String, String) = (row.get(0)?, row.get(5)?);
        let note = Note {
            kind: NoteKind::from_word(&kind)
                .ok_or_else(|| damaged(format!("the unknown kind of note {kind}")))?,
            key: record_key(row, 1)?,
            version: sql::hash(row, 4)?,
            window: PullWindow { feed: feed_from(&feed)?, span: sql::span(row, 6)? },
            noted: sql::instant(row, 8)?,
        };
        if row_hash(&note) != sql::hash(row, 9)? {
            return Err(damaged(format!("a note on {} {} was changed", note.key.kind, note.key.id)));
        }
        notes.push(note);
    }
    Ok(notes)
}

pub(super) fn count_notes(connection: &Connection) -> Outcome<Noted> {
    let mut statement = connection.prepare_cached("SELECT kind, count(*) FROM note GROUP BY kind")?;
    let mut rows = statement.query([])?;
    let mut noted = Noted::default();
    while let Some(row) = rows.next()? {
        let kind: String = row.get(0)?;
        let kind =
            NoteKind::from_word(&kind).ok_or_else(|| damaged(format!("the unknown kind of note {kind}")))?;
        let count = row.get::<_, i64>(1)?;
        noted.count(kind, u64::try_from(count).map_err(|_| damaged("a negative count"))?);
    }
    Ok(noted)
}

fn row_hash(note: &Note) -> Hash {
    let span = note.window.span;
    let times = [span.from, span.to, note.noted].map(|at| at.milliseconds().to_string());
    Hash::of_parts([
        note.kind.word().as_bytes(),
        note.key.account.as_bytes(),
        note.key.kind.word().as_bytes(),
        note.key.id.as_bytes(),
        &note.version.0,
        note.window.feed.name().as_bytes(),
        times[0].as_bytes(),
        times[1].as_bytes(),
        times[2].as_bytes(),
    ])
}

fn keep(connection: &Connection, window: i64, note: &Note) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO note (kind, account, record_kind, source_id, version, window_id, noted_ms, hash) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            note.kind.word(),
            &note.key.account,
            note.key.kind.word(),
            &note.key.id,
            note.version.0,
            window,
            note.noted.milliseconds(),
            row_hash(note).0,
        ))?;
    Ok(())
}

/// A window of the family that a page belongs to.
struct Place {
    id: i64,
    span: Span,
    sealed_before: bool,
}

/// The windows that seal what a feed collects, by time.
fn places(connection: &Connection, family: &Feed) -> Outcome<Vec<Place>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, from_ms, to_ms, sealed_ms IS NOT NULL FROM pull_window WHERE feed = ?1 ORDER BY from_ms, to_ms",
    )?;
    let places = statement.query_map([family.name()], |row| {
        Ok(Place { id: row.get(0)?, span: sql::span(row, 1)?, sealed_before: row.get(3)? })
    })?;
    Ok(places.collect::<rusqlite::Result<_>>()?)
}

/// Notes what landing a page turned: late, changed and deleted records, and those that are there again.
pub(super) fn note_turns(
    connection: &Connection,
    page: &RawPage,
    window: i64,
    turns: &[(&RecordKey, Turn)],
) -> Outcome<Noted> {
    let mut noted = Noted::default();
    if turns.is_empty() {
        return Ok(noted);
    }
    let family = page.window.feed.sealed_by();
    let places = if never_sealed(&family) { Vec::new() } else { places(connection, &family)? };
    for (key, turn) in turns {
        let start = turn.current.start.or(turn.earlier.and_then(|earlier| earlier.start));
        let inside = |place: &&Place| start.is_some_and(|start| place.span.contains(start));
        let sealed = places.iter().filter(|place| place.sealed_before).find(inside);
        let mut note = |kind, version, place: Option<&Place>| {
            let (id, window) = match place {
                Some(place) => (place.id, PullWindow { feed: family.clone(), span: place.span }),
                None => (window, page.window.clone()),
            };
            noted.count(kind, 1);
            keep(connection, id, &Note { kind, key: (*key).clone(), version, window, noted: page.observed })
        };
        if let Some(version) = turn.deleted {
            note(NoteKind::Deleted, version, places.iter().find(inside))?;
        }
        if sealed.is_none() {
            continue;
        }
        match turn.earlier {
            None if turn.current.is_full() && turn.is_new => {
                note(NoteKind::Late, turn.current.hash, sealed)?;
            }
            // A mark of deletion is its own fact.
            Some(earlier)
                if earlier.material != turn.current.material && turn.current.deleted <= earlier.deleted =>
            {
                note(NoteKind::Changed, turn.current.hash, sealed)?;
            }
            _ => {}
        }
    }
    noted.reappeared = note_reappearances(connection, page, turns)?;
    Ok(noted)
}

/// The last word on whether a record is absent: the window and its place, when it is.
fn absence(connection: &Connection, key: &RecordKey) -> Outcome<Option<(i64, PullWindow)>> {
    let last = connection
        .prepare_cached(
            "SELECT kind, window_id, feed, from_ms, to_ms FROM note JOIN pull_window ON pull_window.id = window_id \
             WHERE account = ?1 AND record_kind = ?2 AND source_id = ?3 AND kind IN ('absent', 'reappeared') \
             ORDER BY note.id DESC LIMIT 1",
        )?
        .query_row((&key.account, key.kind.word(), &key.id), |row| {
            Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, String>(2)?, sql::span(row, 3)?))
        })
        .optional()?;
    match last {
        Some((kind, id, feed, span)) if kind == NoteKind::Absent.word() => {
            Ok(Some((id, PullWindow { feed: feed_from(&feed)?, span })))
        }
        _ => Ok(None),
    }
}

fn note_reappearances(connection: &Connection, page: &RawPage, turns: &[(&RecordKey, Turn)]) -> Outcome<u64> {
    let any: bool =
        connection
            .query_row("SELECT EXISTS (SELECT 1 FROM note WHERE kind = 'absent')", [], |row| row.get(0))?;
    let mut count = 0;
    if !any {
        return Ok(count);
    }
    for (key, turn) in turns {
        let Some((id, window)) = absence(connection, key)? else { continue };
        let (kind, version) = (NoteKind::Reappeared, turn.seen);
        keep(connection, id, &Note { kind, key: (*key).clone(), version, window, noted: page.observed })?;
        count += 1;
    }
    Ok(count)
}

/// Notes the records that a window is known to hold and that its listing, complete now, lacks. The first listing of a
/// window tells nothing: what other feeds saw may reach it later.
pub(super) fn note_absences(
    connection: &Connection,
    page: &RawPage,
    window: i64,
    seen: &BTreeSet<RecordKey>,
) -> Outcome<u64> {
    let feed = &page.window.feed;
    let listed_before: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM listing WHERE window_id = ?1 AND number < ?2 AND digest IS NOT NULL)",
        (window, page.listing),
        |row| row.get(0),
    )?;
    if !listed_before || never_sealed(feed) {
        return Ok(0);
    }
    let mut count = 0;
    for (key, version) in known_inside(connection, feed, page.window.span)? {
        if seen.contains(&key) || absence(connection, &key)?.is_some() {
            continue;
        }
        let note =
            Note { kind: NoteKind::Absent, key, version, window: page.window.clone(), noted: page.observed };
        keep(connection, window, &note)?;
        count += 1;
    }
    Ok(count)
}

/// The records of a family whose current version starts inside a span, with that version.
pub(super) fn known_inside(
    connection: &Connection,
    feed: &Feed,
    span: Span,
) -> Outcome<BTreeMap<RecordKey, Hash>> {
    let mut statement = connection.prepare_cached(
        "SELECT account, kind, source_id, version.hash, record.id FROM version \
         JOIN record ON record.id = version.record \
         WHERE start_ms >= ?1 AND start_ms < ?2 AND standing = 0 AND kind = ?3",
    )?;
    let mut origins = connection.prepare_cached(
        "SELECT coalesce(pull_window.feed, import.feed) FROM version \
         LEFT JOIN pull_window ON pull_window.id = window_id LEFT JOIN import ON import.id = import_id \
         WHERE record = ?1",
    )?;
    let mut known = BTreeMap::new();
    let Some(kind) = feed.record_kind() else { return Ok(known) };
    let mut rows = statement.query((span.from.milliseconds(), span.to.milliseconds(), kind.word()))?;
    while let Some(row) = rows.next()? {
        let names = origins.query_map([row.get::<_, i64>(4)?], |row| row.get::<_, String>(0))?;
        for name in names {
            if feed_from(&name?)?.sealed_by() == *feed {
                known.insert(record_key(row, 0)?, sql::hash(row, 3)?);
                break;
            }
        }
    }
    Ok(known)
}
