//! Tests of the book as its callers see it. The codec here is a plain one: the book must not care.

mod corruption;
mod crashes;
mod documents;
mod landing;
mod notes;
mod opening;
mod rebuild;
mod sealing;

use std::path::{Path, PathBuf};

use crate::domain::record::{
    Cursor, Feed, FeedKind, PullWindow, RawPage, RecordKey, RecordKind, SourceRecord,
};
use crate::domain::time::{Instant, Span};
use crate::domain::{Exit, Failure, Hash, Result};

use super::{Book, Identity, SegmentCodec};

const DAY_MILLISECONDS: i64 = 86_400_000;
const FIRST_DAY: i64 = 1_790_812_800_000;

/// One line a version, fields separated by tabs.
const CODEC: SegmentCodec = SegmentCodec { extension: "txt", encode, decode };

fn encode(records: &[SourceRecord]) -> Result<Vec<u8>> {
    let time = |instant: Option<Instant>| instant.map_or(String::new(), |at| at.milliseconds().to_string());
    let mut text = String::new();
    for record in records {
        let fields = [
            record.key.account.clone(),
            record.key.kind.word().to_owned(),
            record.key.id.clone(),
            record.version.hex(),
            record.material.hex(),
            time(record.start),
            time(record.last_modified),
            time(Some(record.observed)),
            record.deleted_upstream.to_string(),
            record.json.clone(),
        ];
        text.push_str(&fields.join("\t"));
        text.push('\n');
    }
    Ok(text.into_bytes())
}

fn decode(bytes: &[u8]) -> Result<Vec<SourceRecord>> {
    let line = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [account, kind, id, version, material, start, modified, observed, deleted, json] = fields[..]
        else {
            return None;
        };
        let time = |text: &str| text.parse().ok().map(Instant::from_milliseconds);
        Some(SourceRecord {
            key: RecordKey {
                account: account.to_owned(),
                kind: RecordKind::from_word(kind)?,
                id: id.to_owned(),
            },
            version: Hash::from_hex(version)?,
            material: Hash::from_hex(material)?,
            start: time(start),
            last_modified: time(modified),
            observed: time(observed)?,
            deleted_upstream: deleted == "true",
            json: json.to_owned(),
        })
    };
    let text =
        std::str::from_utf8(bytes).map_err(|error| Failure::new(Exit::Verification, error.to_string()))?;
    text.lines()
        .map(|text| line(text).ok_or_else(|| Failure::new(Exit::Verification, "no version")))
        .collect()
}

fn at(milliseconds: i64) -> Instant {
    Instant::from_milliseconds(FIRST_DAY + milliseconds)
}

fn day(number: i64) -> PullWindow {
    let span = Span { from: at(number * DAY_MILLISECONDS), to: at((number + 1) * DAY_MILLISECONDS) };
    PullWindow { feed: Feed::account_wide(FeedKind::CallLog), span }
}

/// A call record: the same `edit` is the same version, the same `material` the same billing content.
fn call(
    id: &str,
    start: Option<i64>,
    edit: i64,
    material: i64,
    modified: Option<i64>,
    observed: i64,
) -> SourceRecord {
    let json = format!("{{\"id\":\"{id}\",\"edit\":{edit},\"material\":{material}}}");
    SourceRecord {
        key: RecordKey { account: "1".to_owned(), kind: RecordKind::Call, id: id.to_owned() },
        version: Hash::of(json.as_bytes()),
        material: Hash::of(&material.to_le_bytes()),
        start: start.map(at),
        last_modified: modified.map(at),
        observed: at(observed),
        deleted_upstream: false,
        json,
    }
}

fn simple_call(id: &str, start: i64) -> SourceRecord {
    call(id, Some(start), 1, 1, None, start + 1000)
}

fn page(window: &PullWindow, listing: u32, number: u32, body: &str) -> RawPage {
    RawPage {
        window: window.clone(),
        page: number,
        listing,
        body: body.as_bytes().to_vec(),
        observed: at(i64::from(listing) * 1000 + i64::from(number)),
    }
}

fn cursor(window: &PullWindow, listing: u32, next_page: Option<u32>) -> Cursor {
    Cursor { window: window.clone(), listing, next_page, stream: None }
}

/// Lands a whole listing, a page for each group of records.
fn land_listing(book: &mut Book, window: &PullWindow, listing: u32, pages: &[&[SourceRecord]]) {
    for (index, records) in pages.iter().enumerate() {
        let number = u32::try_from(index).unwrap() + 1;
        let next = (index + 1 < pages.len()).then_some(number + 1);
        let page = page(window, listing, number, &format!("listing {listing} page {number}"));
        book.land_page(&page, records, &cursor(window, listing, next)).unwrap();
    }
}

fn scan(book: &Book) -> Vec<super::StoredVersion> {
    book.scan(RecordKind::ALL, None, &CODEC).unwrap()
}

fn new_book() -> (tempfile::TempDir, Book) {
    let folder = tempfile::tempdir().unwrap();
    let book = Book::create(&folder.path().join("book"), Identity::default()).unwrap();
    (folder, book)
}

fn raw_pages(book: &Book) -> Vec<RawPage> {
    let mut pages = Vec::new();
    let mut keep = |page| {
        pages.push(page);
        Ok(())
    };
    book.raw_pages(&mut keep).unwrap();
    pages
}

fn sound(book: &Book) {
    assert_eq!(book.verify(&CODEC).unwrap(), Vec::new());
}

/// The files of one folder of the book.
fn files_in(book: &Book, inner: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(book.folder().join(inner)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn flip(path: &Path, position: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[position] ^= 1;
    std::fs::write(path, bytes).unwrap();
}
