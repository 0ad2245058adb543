//! Raw pages as served: blobs until their window is sealed, then compressed files of `raw/`.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;

use crate::domain::record::{PullWindow, RawPage};
use crate::domain::time::{Instant, Span};
use crate::domain::{Hash, Result};

use super::coverage::feed_from;
use super::sql::{self, Outcome, Trouble, damaged};
use super::{ARCHIVES, Book, files};

/// A page with its row.
pub(super) struct PageRow {
    id: i64,
    window: i64,
    pub(super) page: RawPage,
}

impl PageRow {
    /// A page to be written; its row is found by other means.
    pub(super) fn unregistered(page: RawPage) -> PageRow {
        PageRow { id: 0, window: 0, page }
    }
}

/// A published file that is not yet registered.
pub(super) struct NewArchive {
    file: String,
    bytes: usize,
    hash: Hash,
}

pub(super) const PAGE_COLUMNS: &str = "page.id, feed, from_ms, to_ms, listing, page, observed_ms, page.hash, body_zstd, \
     window_id";

/// The unsealed pages of windows to seal whose listing is complete, or was given up for a later one; and those of
/// windows to pack, where a later listing may also be one of a later window: a round of changes that was interrupted is
/// never completed, the next one goes on from its token.
pub(super) fn finished_pages(
    connection: &Connection,
    sealed: &BTreeSet<i64>,
    packed: &BTreeSet<i64>,
) -> Outcome<Vec<PageRow>> {
    const OF_WINDOW: &str = "listing <= (SELECT max(number) FROM listing \
         WHERE listing.window_id = ?1 AND digest IS NOT NULL)";
    const OF_FEED: &str = "EXISTS (SELECT 1 FROM listing AS done \
         JOIN pull_window AS later ON later.id = done.window_id \
         WHERE later.feed = pull_window.feed AND done.digest IS NOT NULL \
         AND (later.from_ms, done.number) >= (pull_window.from_ms, page.listing))";
    let mut pages = Vec::new();
    for (windows, finished) in [(sealed, OF_WINDOW), (packed, OF_FEED)] {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {PAGE_COLUMNS} FROM page JOIN pull_window ON pull_window.id = window_id \
             WHERE window_id = ?1 AND archive IS NULL AND {finished} ORDER BY listing, page"
        ))?;
        for window in windows {
            let mut rows = statement.query([window])?;
            while let Some(row) = rows.next()? {
                pages.push(page_row(row)?);
            }
        }
    }
    sort_pages(&mut pages);
    Ok(pages)
}

/// Brings pages into the order in which a file holds them.
pub(super) fn sort_pages(pages: &mut [PageRow]) {
    pages.sort_by(|one, other| page_order(&one.page).cmp(&page_order(&other.page)));
}

/// The windows of some pages.
pub(super) fn windows_of(pages: &[PageRow]) -> BTreeSet<i64> {
    pages.iter().map(|page| page.window).collect()
}

fn page_order(page: &RawPage) -> impl Ord + use<'_> {
    (&page.window, page.listing, page.page)
}

pub(super) fn page_row(row: &rusqlite::Row<'_>) -> Outcome<PageRow> {
    let feed: String = row.get(1)?;
    let body = sql::decompress(&row.get::<_, Vec<u8>>(8)?, "a raw page")?;
    if Hash::of(&body) != sql::hash(row, 7)? {
        return Err(damaged(format!("the body of a raw page of {feed} was changed")));
    }
    let page = RawPage {
        window: PullWindow { feed: feed_from(&feed)?, span: sql::span(row, 2)? },
        listing: row.get(4)?,
        page: row.get(5)?,
        body,
        observed: sql::instant(row, 6)?,
    };
    Ok(PageRow { id: row.get(0)?, window: row.get(9)?, page })
}

/// Writes pages into one file: for each a line of its place, times in milliseconds and length in bytes, then the body.
pub(super) fn publish_pages(folder: &Path, pages: &[PageRow]) -> Outcome<NewArchive> {
    let mut plain = Vec::new();
    for PageRow { page, .. } in pages {
        let span = page.window.span;
        let line = format!(
            "{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
            page.window.feed.name(),
            span.from.milliseconds(),
            span.to.milliseconds(),
            page.listing,
            page.page,
            page.observed.milliseconds(),
            page.body.len()
        );
        plain.extend_from_slice(line.as_bytes());
        plain.extend_from_slice(&page.body);
        plain.push(b'\n');
    }
    publish(folder, &plain, "pages")
}

/// Compresses and publishes bytes under their hash.
pub(super) fn publish(folder: &Path, plain: &[u8], what: &str) -> Outcome<NewArchive> {
    let compressed = sql::compress(plain)?;
    let hash = Hash::of(&compressed);
    let file = format!("{what}-{}.zst", &hash.hex()[..24]);
    files::publish(folder, &file, &compressed)?;
    Ok(NewArchive { file, bytes: compressed.len(), hash })
}

/// Registers a published file.
pub(super) fn register(connection: &Connection, archive: &NewArchive) -> Outcome<i64> {
    connection.execute(
        "INSERT INTO archive (file, bytes, hash) VALUES (?1, ?2, ?3)",
        (&archive.file, sql::integer(archive.bytes), archive.hash.0),
    )?;
    Ok(connection.last_insert_rowid())
}

/// Registers a file of pages and drops their blobs.
pub(super) fn register_pages(
    connection: &Connection,
    archive: &NewArchive,
    pages: &[PageRow],
) -> Outcome<()> {
    let id = register(connection, archive)?;
    let mut moved = connection
        .prepare_cached("UPDATE page SET body_zstd = NULL, archive = ?2 WHERE id = ?1 AND archive IS NULL")?;
    // A listing that is not complete may still go on: its digest needs what its pages showed.
    let mut seen = connection.prepare_cached(
        "DELETE FROM page_version WHERE page = ?1 AND EXISTS (SELECT 1 FROM page JOIN listing \
         ON listing.window_id = page.window_id AND listing.number = page.listing \
         WHERE page.id = ?1 AND digest IS NOT NULL)",
    )?;
    for page in pages {
        moved.execute((page.id, id))?;
        seen.execute([page.id])?;
    }
    Ok(())
}

/// Reads a file of pages.
pub(super) fn read_pages(bytes: &[u8], file: &str) -> Outcome<Vec<RawPage>> {
    let plain = sql::decompress(bytes, file)?;
    let mut rest = plain.as_slice();
    let mut pages = Vec::new();
    while !rest.is_empty() {
        let (page, after) =
            read_page(rest)?.ok_or_else(|| damaged(format!("{file} does not hold whole pages")))?;
        pages.push(page);
        rest = after;
    }
    Ok(pages)
}

fn read_page(bytes: &[u8]) -> Outcome<Option<(RawPage, &[u8])>> {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
    let Ok(line) = std::str::from_utf8(&bytes[..end]) else { return Ok(None) };
    let fields: Vec<&str> = line.split('\t').collect();
    let [feed, from, to, listing, page, observed, length] = fields[..] else { return Ok(None) };
    let time = |text: &str| text.parse().ok().map(Instant::from_milliseconds);
    let (Some(from), Some(to), Some(observed)) = (time(from), time(to), time(observed)) else {
        return Ok(None);
    };
    let (Ok(listing), Ok(page), Ok(length)) = (listing.parse(), page.parse(), length.parse::<usize>()) else {
        return Ok(None);
    };
    let body = &bytes[end + 1..];
    if body.get(length) != Some(&b'\n') {
        return Ok(None);
    }
    let window = PullWindow { feed: feed_from(feed)?, span: Span { from, to } };
    let page = RawPage { window, page, listing, body: body[..length].to_vec(), observed };
    Ok(Some((page, &body[length + 1..])))
}

impl Book {
    /// The pages of one listing that are not packed yet, in order.
    pub fn unpacked_pages(&self, window: &PullWindow, listing: u32) -> Result<Vec<RawPage>> {
        let read = || -> Outcome<Vec<RawPage>> {
            let mut statement = self.connection.prepare_cached(&format!(
                "SELECT {PAGE_COLUMNS} FROM page JOIN pull_window ON pull_window.id = window_id \
                 WHERE feed = ?1 AND from_ms = ?2 AND to_ms = ?3 AND listing = ?4 AND archive IS NULL ORDER BY page"
            ))?;
            let (from, to) = (window.span.from.milliseconds(), window.span.to.milliseconds());
            let mut rows = statement.query((window.feed.name(), from, to, listing))?;
            let mut pages = Vec::new();
            while let Some(row) = rows.next()? {
                pages.push(page_row(row)?.page);
            }
            Ok(pages)
        };
        read().map_err(Trouble::doing("reading the pages of a listing"))
    }

    /// Shows every raw page to `visit`: sealed ones file by file in the order of sealing, then those not yet sealed.
    /// A changed byte is exit 7; files that were given up are passed over.
    pub fn raw_pages(&self, visit: &mut dyn FnMut(RawPage) -> Result<()>) -> Result<()> {
        self.visit_pages(visit).map_err(Trouble::doing("reading raw pages"))
    }

    fn visit_pages(&self, visit: &mut dyn FnMut(RawPage) -> Result<()>) -> Outcome<()> {
        let snapshot = self.connection.unchecked_transaction()?;
        let mut archives = snapshot.prepare(
            "SELECT file, hash FROM archive WHERE given_up_ms IS NULL AND id IN (SELECT archive FROM page WHERE archive IS NOT NULL) \
             ORDER BY id",
        )?;
        let mut rows = archives.query([])?;
        while let Some(row) = rows.next()? {
            let file: String = row.get(0)?;
            let bytes = files::read_checked(&self.folder.join(ARCHIVES).join(&file), &sql::hash(row, 1)?)?;
            for page in read_pages(&bytes, &file)? {
                visit(page)?;
            }
        }
        let mut pages = snapshot.prepare(&format!(
            "SELECT {PAGE_COLUMNS} FROM page JOIN pull_window ON pull_window.id = window_id \
             WHERE archive IS NULL ORDER BY feed, from_ms, to_ms, listing, page"
        ))?;
        let mut rows = pages.query([])?;
        while let Some(row) = rows.next()? {
            visit(page_row(row)?.page)?;
        }
        Ok(())
    }
}
