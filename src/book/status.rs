//! The book at a glance.

use std::collections::BTreeMap;

use crate::domain::record::{CoverageState, Feed, Gap, RecordKind, Stream};
use crate::domain::time::{Instant, Span};
use crate::domain::{Hash, Result};

use super::coverage::never_sealed;
use super::lateness::Lateness;
use super::notes::{Noted, count_notes};
use super::sql::{Outcome, Trouble, damaged};
use super::version::Standing;
use super::{ARCHIVES, Book, CHARGES, DATABASE, SEGMENTS, files, schema};

/// What one feed's windows say together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedStatus {
    pub feed: Feed,
    pub windows: u64,
    pub open: u64,
    pub collected: u64,
    pub sealed: u64,
    /// From the first window's start to the last one's end.
    pub span: Span,
    /// Spans between the first and the last window that no window covers.
    pub holes: Vec<Span>,
    /// The earliest window that is not sealed; never one of a feed that is not sealed by windows.
    pub oldest_unsealed: Option<Span>,
}

/// What `tollbook status` shows of the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub schema_version: i64,
    /// Record versions by kind and standing.
    pub versions: BTreeMap<(RecordKind, Standing), u64>,
    /// Versions not yet in a segment.
    pub pending: u64,
    pub segments: u64,
    pub feeds: Vec<FeedStatus>,
    pub gaps: Vec<Gap>,
    /// How far each feed of changes has come.
    pub streams: Vec<Stream>,
    /// What was noted about records after the fact.
    pub noted: Noted,
    /// How late records came to light, by feed.
    pub lateness: Vec<Lateness>,
    pub last_pull: Option<Instant>,
    pub runs: u64,
    pub documents: u64,
    /// Chain hash of the newest document.
    pub head: Option<Hash>,
    /// Size of the database with its log and all registered files.
    pub bytes: u64,
}

impl Book {
    /// Counts, coverage, gaps and size.
    pub fn status(&self) -> Result<Status> {
        let counted = || -> Outcome<Status> {
            Ok(Status {
                schema_version: schema::marks(&self.connection)?.version,
                versions: self.versions_by_kind()?,
                pending: self.count("SELECT count(*) FROM pending")?,
                segments: self.count("SELECT count(*) FROM segment")?,
                feeds: self.feed_status()?,
                gaps: self.gaps()?,
                streams: self.streams()?,
                noted: count_notes(&self.connection)?,
                lateness: self.count_lateness()?,
                last_pull: self.last_pull()?,
                runs: self.count("SELECT count(*) FROM run")?,
                documents: self.count("SELECT count(*) FROM document")?,
                head: self.head()?,
                bytes: self.size_bytes()?,
            })
        };
        counted().map_err(Trouble::doing("reading the status"))
    }

    fn count(&self, query: &str) -> Outcome<u64> {
        let count: i64 = self.connection.query_row(query, [], |row| row.get(0))?;
        u64::try_from(count).map_err(|_| damaged("a negative count"))
    }

    fn versions_by_kind(&self) -> Outcome<BTreeMap<(RecordKind, Standing), u64>> {
        let mut statement = self.connection.prepare(
            "SELECT kind, standing, count(*) FROM version JOIN record ON record.id = record GROUP BY kind, standing",
        )?;
        let mut rows = statement.query([])?;
        let mut versions = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let kind: String = row.get(0)?;
            let kind = RecordKind::from_word(&kind)
                .ok_or_else(|| damaged(format!("the unknown record kind {kind} in the book")))?;
            let count = u64::try_from(row.get::<_, i64>(2)?).map_err(|_| damaged("a negative count"))?;
            versions.insert((kind, Standing::from_code(row.get(1)?)?), count);
        }
        Ok(versions)
    }

    fn feed_status(&self) -> Outcome<Vec<FeedStatus>> {
        let mut feeds: Vec<FeedStatus> = Vec::new();
        for coverage in self.coverage()? {
            let (feed, span) = (coverage.window.feed, coverage.window.span);
            if feeds.last().is_none_or(|last| last.feed != feed) {
                feeds.push(FeedStatus {
                    feed,
                    windows: 0,
                    open: 0,
                    collected: 0,
                    sealed: 0,
                    span: Span { from: span.from, to: span.from },
                    holes: Vec::new(),
                    oldest_unsealed: None,
                });
            }
            let Some(status) = feeds.last_mut() else { continue };
            status.windows += 1;
            match coverage.state {
                CoverageState::Open => status.open += 1,
                CoverageState::Collected => status.collected += 1,
                CoverageState::Sealed => status.sealed += 1,
            }
            if coverage.state != CoverageState::Sealed && !never_sealed(&status.feed) {
                status.oldest_unsealed.get_or_insert(span);
            }
            if span.from > status.span.to {
                status.holes.push(Span { from: status.span.to, to: span.from });
            }
            status.span.to = status.span.to.max(span.to);
        }
        Ok(feeds)
    }

    fn size_bytes(&self) -> Outcome<u64> {
        let mut bytes = 0;
        for name in [DATABASE.to_owned(), format!("{DATABASE}-wal")] {
            bytes += files::length_bytes(&self.folder.join(name))?;
        }
        for (inner, registered) in self.registered_files()? {
            debug_assert!([SEGMENTS, ARCHIVES, CHARGES].contains(&inner), "three folders hold files");
            for file in registered {
                bytes += files::length_bytes(&self.folder.join(inner).join(file))?;
            }
        }
        Ok(bytes)
    }
}
