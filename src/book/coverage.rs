//! Coverage: which window of which feed is known, how well, and what cannot be read.

use rusqlite::{Connection, OptionalExtension};

use crate::domain::record::{Coverage, CoverageState, Cursor, Feed, FeedKind, Gap, PullWindow};
use crate::domain::time::Instant;
use crate::domain::{Hash, Result};

use super::Book;
use super::sql::{self, Outcome, Trouble, damaged};

/// One listing of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// From 1.
    pub number: u32,
    /// The page to ask for next; `None` when complete.
    pub next_page: Option<u32>,
    /// When its first page was served.
    pub began: Instant,
    /// When its last page was served; `None` while it is under way.
    pub completed: Option<Instant>,
    /// Distinct records, once complete.
    pub records: u64,
    /// Digest over the sorted (record, version) pairs, once complete.
    pub digest: Option<Hash>,
}

impl Book {
    /// All windows with their state, sorted by feed and time.
    pub fn coverage(&self) -> Result<Vec<Coverage>> {
        self.read_coverage().map_err(Trouble::doing("reading the coverage"))
    }

    fn read_coverage(&self) -> Outcome<Vec<Coverage>> {
        let mut statement = self.connection.prepare_cached("SELECT id FROM pull_window")?;
        let ids = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
        let mut all = Vec::with_capacity(ids.len());
        for id in ids {
            all.push(checked_coverage(&self.connection, id)?);
        }
        all.sort_by(|one, other| one.window.cmp(&other.window));
        Ok(all)
    }

    /// One window's state; `None` when it is not known.
    pub fn coverage_of(&self, window: &PullWindow) -> Result<Option<Coverage>> {
        let read = || match known_window(&self.connection, window)? {
            Some(id) => checked_coverage(&self.connection, id).map(Some),
            None => Ok(None),
        };
        read().map_err(Trouble::doing("reading the coverage"))
    }

    /// The listings of a window, oldest first; none when the window is not known.
    pub fn listings(&self, window: &PullWindow) -> Result<Vec<Listing>> {
        let read = || match known_window(&self.connection, window)? {
            Some(id) => listings_of(&self.connection, id),
            None => Ok(Vec::new()),
        };
        read().map_err(Trouble::doing("reading the listings"))
    }

    /// Notes that a part of the source cannot be read. Noting an open gap again is a no-op; the gap is cleared when a
    /// page of its feed lands.
    pub fn note_gap(&mut self, gap: &Gap, at: Instant) -> Result<()> {
        self.connection
            .execute(
                "INSERT INTO gap (feed, reason, noted_ms) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                (gap.feed.name(), &gap.reason, at.milliseconds()),
            )
            .map_err(|error| Trouble::from(error).into_failure().while_doing("noting a gap"))?;
        Ok(())
    }

    /// The open gaps, sorted.
    pub fn gaps(&self) -> Result<Vec<Gap>> {
        self.read_gaps().map_err(Trouble::doing("reading the gaps"))
    }

    fn read_gaps(&self) -> Outcome<Vec<Gap>> {
        let mut statement =
            self.connection.prepare_cached("SELECT feed, reason FROM gap WHERE cleared_ms IS NULL")?;
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<Vec<(String, String)>>>()?;
        let mut gaps = Vec::with_capacity(rows.len());
        for (feed, reason) in rows {
            gaps.push(Gap { feed: feed_from(&feed)?, reason });
        }
        gaps.sort();
        Ok(gaps)
    }
}

/// A window's coverage, checked against its stamp.
fn checked_coverage(connection: &Connection, id: i64) -> Outcome<Coverage> {
    let stored = stored_window(connection, id)?;
    if stored.stamp != Some(stored.hash()) {
        let window = &stored.window;
        let name = format!("{} from {}", window.feed.name(), window.span.from);
        return Err(damaged(format!("the coverage of {name} was changed")));
    }
    Ok(one_coverage(stored.window, stored.state, &stored.listings))
}

fn one_coverage(window: PullWindow, state: CoverageState, listings: &[Listing]) -> Coverage {
    let complete: Vec<&Listing> = listings.iter().filter(|listing| listing.digest.is_some()).collect();
    let last = complete.last();
    let cursor = listings.last().filter(|listing| listing.digest.is_none()).map(|listing| Cursor {
        window: window.clone(),
        listing: listing.number,
        next_page: listing.next_page,
        stream: None,
    });
    Coverage {
        window,
        state,
        listings_complete: u32::try_from(complete.len()).unwrap_or(u32::MAX),
        last_listing: listings.last().map_or(0, |listing| listing.number),
        cursor,
        records: last.map_or(0, |listing| listing.records),
        digest: last.and_then(|listing| listing.digest),
        listed_at: last.map(|listing| listing.began),
    }
}

/// Whether a feed's windows only say when something was seen: states of a day, and changes, which the windows of the
/// list they belong to seal.
pub(super) fn never_sealed(feed: &Feed) -> bool {
    feed.is_sync() || matches!(feed.kind, FeedKind::Account | FeedKind::Extensions | FeedKind::ActiveCalls)
}

/// Reads a feed's name as stored.
pub(super) fn feed_from(name: &str) -> Outcome<Feed> {
    Feed::from_name(name).ok_or_else(|| damaged(format!("the unknown feed {name} in the book")))
}

fn listings_of(connection: &Connection, window: i64) -> Outcome<Vec<Listing>> {
    let mut statement = connection.prepare_cached(
        "SELECT number, next_page, began_ms, completed_ms, records, digest FROM listing \
         WHERE window_id = ?1 ORDER BY number",
    )?;
    let listings = statement
        .query_map([window], |row| {
            Ok(Listing {
                number: row.get(0)?,
                next_page: row.get(1)?,
                began: sql::instant(row, 2)?,
                completed: sql::instant_if_any(row, 3)?,
                records: row.get::<_, Option<u32>>(4)?.map_or(0, u64::from),
                digest: sql::hash_if_any(row, 5)?,
            })
        })?
        .collect::<rusqlite::Result<Vec<Listing>>>()?;
    Ok(listings)
}

/// The row of a window, if the book knows it.
pub(super) fn known_window(connection: &Connection, window: &PullWindow) -> Outcome<Option<i64>> {
    Ok(connection
        .prepare_cached("SELECT id FROM pull_window WHERE feed = ?1 AND from_ms = ?2 AND to_ms = ?3")?
        .query_row(
            (window.feed.name(), window.span.from.milliseconds(), window.span.to.milliseconds()),
            |row| row.get(0),
        )
        .optional()?)
}

/// The row of a window, which is opened when the book does not know it.
pub(super) fn window_id(connection: &Connection, window: &PullWindow) -> Outcome<i64> {
    if let Some(id) = known_window(connection, window)? {
        return Ok(id);
    }
    connection
        .prepare_cached("INSERT INTO pull_window (feed, from_ms, to_ms, state) VALUES (?1, ?2, ?3, ?4)")?
        .execute((
            window.feed.name(),
            window.span.from.milliseconds(),
            window.span.to.milliseconds(),
            CoverageState::Open.word(),
        ))?;
    Ok(connection.last_insert_rowid())
}

/// A window's row with its listings, as its stamp covers them.
struct StoredWindow {
    window: PullWindow,
    state: CoverageState,
    sealed: Option<Instant>,
    stamp: Option<Hash>,
    listings: Vec<Listing>,
}

impl StoredWindow {
    fn hash(&self) -> Hash {
        let mut text = format!(
            "{} {} {} {} {:?}",
            self.window.feed.name(),
            self.window.span.from.milliseconds(),
            self.window.span.to.milliseconds(),
            self.state,
            self.sealed.map(Instant::milliseconds),
        );
        for listing in &self.listings {
            text.push_str(&format!(
                "\n{} {:?} {} {:?} {} {:?}",
                listing.number,
                listing.next_page,
                listing.began.milliseconds(),
                listing.completed.map(Instant::milliseconds),
                listing.records,
                listing.digest.map(|digest| digest.hex()),
            ));
        }
        Hash::of(text.as_bytes())
    }
}

fn stored_window(connection: &Connection, id: i64) -> Outcome<StoredWindow> {
    let (feed, span, state, sealed, stamp) = connection
        .prepare_cached("SELECT feed, from_ms, to_ms, state, sealed_ms, hash FROM pull_window WHERE id = ?1")?
        .query_row([id], |row| {
            let (feed, state): (String, String) = (row.get(0)?, row.get(3)?);
            Ok((feed, sql::span(row, 1)?, state, sql::instant_if_any(row, 4)?, sql::hash_if_any(row, 5)?))
        })?;
    let state = CoverageState::from_word(&state)
        .ok_or_else(|| damaged(format!("a window has the unknown state {state}")))?;
    let window = PullWindow { feed: feed_from(&feed)?, span };
    Ok(StoredWindow { window, state, sealed, stamp, listings: listings_of(connection, id)? })
}

/// Stamps a window after it or its listings changed; the last step of every such transaction.
pub(super) fn stamp(connection: &Connection, id: i64) -> Outcome<()> {
    let hash = stored_window(connection, id)?.hash();
    connection.prepare_cached("UPDATE pull_window SET hash = ?2 WHERE id = ?1")?.execute((id, hash.0))?;
    Ok(())
}
