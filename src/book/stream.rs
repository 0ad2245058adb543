//! How far the feeds of changes have come.

use rusqlite::Connection;

use crate::domain::record::Stream;
use crate::domain::time::Instant;
use crate::domain::{Hash, Result};

use super::Book;
use super::coverage::feed_from;
use super::landing::clear_gap;
use super::sql::{self, Outcome, Trouble, damaged};

impl Book {
    /// How far each feed of changes has come, by feed.
    pub fn streams(&self) -> Result<Vec<Stream>> {
        self.read_streams().map_err(Trouble::doing("reading how far the feeds have come"))
    }

    fn read_streams(&self) -> Outcome<Vec<Stream>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT feed, token, from_ms, reached_ms, hash FROM stream ORDER BY feed")?;
        let mut rows = statement.query([])?;
        let mut streams = Vec::new();
        while let Some(row) = rows.next()? {
            let feed: String = row.get(0)?;
            let stream = Stream {
                feed: feed_from(&feed)?,
                token: row.get(1)?,
                from: sql::instant(row, 2)?,
                reached: sql::instant_if_any(row, 3)?,
            };
            if row_hash(&stream) != sql::hash(row, 4)? {
                return Err(damaged(format!("how far {feed} has come was changed")));
            }
            streams.push(stream);
        }
        streams.sort_by(|one, other| one.feed.cmp(&other.feed));
        Ok(streams)
    }

    /// Keeps how far a feed has come when it had nothing to land.
    pub fn advance(&mut self, stream: &Stream) -> Result<()> {
        let mut keep = || -> Outcome<()> {
            let transaction = sql::begin(&mut self.connection)?;
            keep_stream(&transaction, stream)?;
            transaction.commit()?;
            Ok(())
        };
        keep().map_err(Trouble::doing("keeping how far a feed has come"))
    }
}

/// Replaces what is known of a stream. One that has come to its end is offered: that its way of reading was not is over.
pub(super) fn keep_stream(connection: &Connection, stream: &Stream) -> Outcome<()> {
    if let Some(reached) = stream.reached {
        clear_gap(connection, stream.feed.kind.word(), reached)?;
    }
    connection
        .prepare_cached(
            "INSERT INTO stream (feed, token, from_ms, reached_ms, hash) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (feed) DO UPDATE SET token = ?2, from_ms = ?3, reached_ms = ?4, hash = ?5",
        )?
        .execute((
            stream.feed.name(),
            &stream.token,
            stream.from.milliseconds(),
            stream.reached.map(Instant::milliseconds),
            row_hash(stream).0,
        ))?;
    Ok(())
}

fn row_hash(stream: &Stream) -> Hash {
    Hash::of_parts([
        stream.feed.name().as_bytes(),
        stream.token.as_bytes(),
        stream.from.milliseconds().to_string().as_bytes(),
        stream.reached.map_or(String::new(), |at| at.milliseconds().to_string()).as_bytes(),
    ])
}
