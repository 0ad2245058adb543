//! Rebuilding, compaction and damage. A page's body here is its records in the codec's words.

use super::*;
use crate::book::{ImportBatch, RawSource};
use crate::domain::record::CoverageState;

/// Reads a body as it was written.
pub(super) fn parse(source: RawSource<'_>) -> Result<Vec<SourceRecord>> {
    match source {
        RawSource::Page(page) => decode(&page.body),
        RawSource::Import(import) => decode(&import.raw),
    }
}

/// A page that holds its records.
pub(super) fn full_page(window: &PullWindow, listing: u32, number: u32, records: &[SourceRecord]) -> RawPage {
    page(window, listing, number, &String::from_utf8(encode(records).unwrap()).unwrap())
}

fn land(book: &mut Book, window: &PullWindow, listing: u32, pages: &[&[SourceRecord]]) {
    for (index, records) in pages.iter().enumerate() {
        let number = u32::try_from(index).unwrap() + 1;
        let next = (index + 1 < pages.len()).then_some(number + 1);
        let page = full_page(window, listing, number, records);
        book.land_page(&page, records, &cursor(window, listing, next)).unwrap();
    }
}

/// Three days in small pieces: edits, late records, an overlap, changes, a cut round, an imported file.
fn filled(book: &mut Book) {
    let changes = |number| PullWindow { feed: Feed::account_wide(FeedKind::CallSync), ..day(number) };
    for number in 0..3 {
        let start = number * DAY_MILLISECONDS;
        let calls: Vec<SourceRecord> =
            (0..6).map(|call| simple_call(&format!("{number}-{call}"), start + call * 1000)).collect();
        let edited = call("edited", Some(start + 9), number, number, Some(number), start + 20);
        let undated = call(&format!("undated {number}"), None, 1, 1, None, start + 30);
        land(book, &changes(number), 1, &[&calls[..2], &[undated]]);
        for listing in 1..=2 {
            land(book, &day(number), listing, &[&calls[..4], &calls[3..], std::slice::from_ref(&edited)]);
        }
        book.seal(&[day(number)], at(start + DAY_MILLISECONDS), &CODEC).unwrap();
        let late = simple_call(&format!("{number}-late"), start + 50);
        land(book, &day(number), 3, &[&calls, &[late, edited]]);
        book.seal(&[day(number)], at(start + DAY_MILLISECONDS), &CODEC).unwrap();
    }
    let cut = full_page(&changes(3), 1, 1, &[simple_call("cut", 3 * DAY_MILLISECONDS)]);
    book.land_page(&cut, &[simple_call("cut", 3 * DAY_MILLISECONDS)], &cursor(&changes(3), 1, Some(2)))
        .unwrap();
    let mut usage = call("u1", Some(7), 1, 1, None, 900);
    usage.key.kind = RecordKind::Usage;
    let raw = encode(std::slice::from_ref(&usage)).unwrap();
    let batch = ImportBatch {
        source_name: "u.csv",
        feed: &Feed::account_wide(FeedKind::Usage),
        raw: &raw,
        records: &[usage],
        at: at(900),
        covers: None,
    };
    book.import(&batch).unwrap();
    book.seal_imports(at(901), &CODEC).unwrap();
}

/// All that a reader sees, and that no maintenance may change.
fn seen(book: &Book) -> String {
    format!(
        "{:?}\n{:?}\n{:?}\n{:?}",
        scan(book),
        book.coverage().unwrap(),
        book.notes().unwrap(),
        book.record_digest(RecordKind::ALL, None).unwrap()
    )
}

fn filled_book() -> (tempfile::TempDir, Book) {
    let (folder, mut book) = new_book();
    filled(&mut book);
    sound(&book);
    (folder, book)
}

#[test]
fn a_rebuilt_book_is_the_same_book() {
    let (_folder, mut book) = filled_book();
    let (before, pages) = (seen(&book), raw_pages(&book));
    let checked = book.check_rebuild(&mut parse, &CODEC).unwrap();
    assert_eq!((checked.differences, checked.before), (0, checked.after), "{:?}", checked.told);
    assert_eq!((checked.pages, checked.imports, checked.segments), (pages.len() as u64, 1, 0));
    for _ in 0..2 {
        let rebuilt = book.rebuild(&mut parse, at(5), &CODEC).unwrap();
        assert_eq!((rebuilt.before, rebuilt.after), (checked.before, checked.before));
        assert_eq!(rebuilt.segments, 3 + 1 + 1, "a segment a day, the undated, the file's");
        assert_eq!((seen(&book), raw_pages(&book)), (before.clone(), pages.clone()));
        sound(&book);
    }
    assert_eq!(files_in(&book, "segments").len(), 5);
    // And it goes on as before.
    let changes = PullWindow { feed: Feed::account_wide(FeedKind::CallSync), ..day(3) };
    let more = [simple_call("more", 3 * DAY_MILLISECONDS)];
    book.land_page(&full_page(&changes, 1, 2, &more), &more, &cursor(&changes, 1, None)).unwrap();
    assert_eq!(book.listings(&changes).unwrap()[0].records, 2, "the cut round knows its first page");
    sound(&book);
}

#[test]
fn whatever_is_derived_and_damaged_is_made_again() {
    let changes = [
        "UPDATE version SET start_ms = start_ms + 1 WHERE segment IS NOT NULL",
        "UPDATE version SET material = zeroblob(32)",
        "UPDATE version SET standing = 1",
        "UPDATE version SET last_observed_ms = last_observed_ms + 5",
        "UPDATE superseded SET duplicate = x'01' WHERE segment = 1",
        "UPDATE segment SET first_ms = first_ms + 1",
        "DELETE FROM pending",
        "UPDATE pending SET json = '{}'",
        "DELETE FROM superseded",
        "UPDATE record SET source_id = source_id || 'x'",
        "UPDATE listing SET digest = zeroblob(32), records = 99 WHERE digest IS NOT NULL",
    ];
    for change in changes {
        let (_folder, mut book) = filled_book();
        let before = seen(&book);
        assert!(book.connection.execute(change, []).unwrap() > 0, "{change}");
        let checked = book.check_rebuild(&mut parse, &CODEC).unwrap();
        assert!(checked.differences > 0, "{change}");
        assert!(book.rebuild(&mut parse, at(5), &CODEC).unwrap().differences > 0, "{change}");
        assert_eq!(seen(&book), before, "{change}");
        sound(&book);
    }
}

#[test]
fn a_damaged_segment_is_made_again() {
    let (_folder, mut book) = filled_book();
    let before = seen(&book);
    for file in files_in(&book, "segments") {
        flip(&file, 7);
    }
    let problems = book.verify(&CODEC).unwrap();
    assert!(problems.iter().all(|problem| problem.message.contains("`tollbook rebuild`")), "{problems:?}");
    assert!(book.check_rebuild(&mut parse, &CODEC).unwrap().differences > 0);
    book.rebuild(&mut parse, at(5), &CODEC).unwrap();
    assert_eq!(seen(&book), before);
    sound(&book);
    std::fs::remove_file(files_in(&book, "segments").remove(0)).unwrap();
    book.rebuild(&mut parse, at(5), &CODEC).unwrap();
    assert_eq!(seen(&book), before);
    sound(&book);
}

#[test]
fn compaction_joins_what_is_small_and_shows_nowhere() {
    let (_folder, mut book) = filled_book();
    // The first observation of a sealed version becomes earlier.
    let early = SourceRecord { observed: at(-5), ..simple_call("0-1", 1000) };
    land(&mut book, &day(0), 4, &[&[early]]);
    let (before, pages) = (seen(&book), raw_pages(&book));
    assert!(!book.needs_compaction().unwrap());
    let compacted = book.compact(&CODEC, at(9)).unwrap();
    assert!(compacted.segments_before > 5 && compacted.archives_before > 3, "{compacted:?}");
    assert_eq!((compacted.segments_after, compacted.archives_after), (3, 1), "calls, undated ones, usage");
    let order = |mut pages: Vec<RawPage>| {
        pages.sort_by(|one, other| {
            (&one.window, one.listing, one.page).cmp(&(&other.window, other.listing, other.page))
        });
        pages
    };
    assert_eq!((seen(&book), order(raw_pages(&book))), (before.clone(), order(pages)));
    let files = (files_in(&book, "segments"), files_in(&book, "raw"));
    assert_eq!((files.0.len(), files.1.len()), (3, 2), "the parts are swept");
    let again = book.compact(&CODEC, at(10)).unwrap();
    assert_eq!((again.segments_before, again.segments_after), (3, 3));
    assert_eq!((files_in(&book, "segments"), files_in(&book, "raw")), files);
    sound(&book);
    assert_eq!(book.check_rebuild(&mut parse, &CODEC).unwrap().differences, 0);
    flip(&files.0[0], 3);
    land(&mut book, &day(0), 5, &[&[simple_call("0-1", 1000), simple_call("z", 60)]]);
    book.seal(&[day(0)], at(11), &CODEC).unwrap();
    assert_eq!(book.compact(&CODEC, at(12)).unwrap_err().exit(), Exit::Verification);
}

#[test]
fn a_day_in_many_pieces_wants_compaction() {
    let (_folder, mut book) = new_book();
    for listing in 1..=9 {
        assert!(!book.needs_compaction().unwrap());
        let number = i64::from(listing);
        land(&mut book, &day(0), listing, &[&[simple_call(&format!("c{listing}"), number)]]);
        book.seal(&[day(0)], at(20), &CODEC).unwrap();
    }
    assert!(book.needs_compaction().unwrap());
    assert_eq!(book.compact(&CODEC, at(21)).unwrap().segments_after, 1);
    assert!(!book.needs_compaction().unwrap());
}

/// The file of raw pages that holds the first listings of a day.
fn damaged_file(book: &Book) -> PathBuf {
    let mut files = files_in(book, "raw");
    files.retain(|file| file.file_name().unwrap().to_str().unwrap().starts_with("pages-"));
    flip(&files[0], 9);
    files.remove(0)
}

#[test]
fn a_damaged_raw_file_is_named_with_what_it_affects_and_given_up_by_decision() {
    let (_folder, mut book) = filled_book();
    let before = scan(&book);
    let file = damaged_file(&book);
    let problems = book.verify(&CODEC).unwrap();
    assert_eq!(problems.len(), 1, "{problems:?}");
    let message = &problems[0].message;
    assert!(message.contains("call-log from") && message.contains("--reopen-damaged"), "{message}");
    let damage = book.damage().unwrap().remove(0);
    assert_eq!(damage.file, file.file_name().unwrap().to_str().unwrap());
    let window = damage.windows.iter().find(|window| window.can_be_listed).unwrap();
    assert_eq!(window.records, window.records_kept);
    assert!(window.records >= 6 && window.state == CoverageState::Sealed);
    let window = window.window.clone();
    // Rebuilding keeps from the segments what only the damaged pages show.
    let rebuilt = book.rebuild(&mut parse, at(5), &CODEC).unwrap();
    assert_eq!((rebuilt.damaged.len(), rebuilt.lost), (1, 0));
    assert_eq!((scan(&book), rebuilt.before), (before.clone(), rebuilt.after));
    let given_up = book.reopen_damaged("ada", "no backup", at(40 * DAY_MILLISECONDS)).unwrap();
    assert_eq!(given_up.len(), 1);
    assert_eq!(book.coverage_of(&window).unwrap().unwrap().state, CoverageState::Open);
    let decision = book.decisions(crate::book::REOPEN_DAMAGED).unwrap().remove(0);
    assert!(decision.subject.contains(&window.feed.name()) && decision.reason == "no backup");
    assert_eq!(book.reopen_damaged("ada", "again", at(41 * DAY_MILLISECONDS)).unwrap(), []);
    assert_eq!(scan(&book), before);
    let problems = book.verify(&CODEC).unwrap();
    assert!(problems[0].message.contains("pull to list"), "{problems:?}");
    // The service still has it all.
    let open: Vec<PullWindow> = given_up[0]
        .windows
        .iter()
        .filter(|window| window.can_be_listed)
        .map(|window| window.window.clone())
        .collect();
    for window in &open {
        let again: Vec<SourceRecord> = before
            .iter()
            .filter(|version| version.record.start.is_some_and(|start| window.span.contains(start)))
            .map(|version| SourceRecord { observed: at(42 * DAY_MILLISECONDS), ..version.record.clone() })
            .collect();
        let listing = u32::try_from(book.listings(window).unwrap().len()).unwrap() + 1;
        land(&mut book, window, listing, &[&again]);
    }
    book.seal(&open, at(43 * DAY_MILLISECONDS), &CODEC).unwrap();
    sound(&book);
    let damage = book.damage().unwrap();
    assert!(damage[0].is_settled(), "{damage:?}");
    assert!(
        damage[0].windows.iter().all(|window| !window.can_be_listed || window.records_not_served_again == 0)
    );
    assert_eq!(scan(&book), before);
    assert_eq!(book.rebuild(&mut parse, at(5), &CODEC).unwrap().lost, 0);
    assert_eq!(scan(&book), before);
}

#[test]
fn what_is_nowhere_any_more_is_not_rebuilt_away() {
    let (_folder, mut book) = filled_book();
    damaged_file(&book);
    for file in files_in(&book, "segments") {
        flip(&file, 7);
    }
    let checked = book.check_rebuild(&mut parse, &CODEC).unwrap();
    assert!(checked.lost > 0);
    let before = book.record_digest(RecordKind::ALL, None).unwrap();
    let failure = book.rebuild(&mut parse, at(5), &CODEC).unwrap_err();
    assert_eq!(failure.exit(), Exit::Verification);
    assert_eq!(book.record_digest(RecordKind::ALL, None).unwrap(), before);
    let damage = book.damage().unwrap();
    assert!(damage[0].windows.iter().any(|window| window.records_kept < window.records));
}

#[test]
fn a_damaged_imported_file_comes_back_by_importing_it_again() {
    let (_folder, mut book) = filled_book();
    let mut files = files_in(&book, "raw");
    files.retain(|file| file.file_name().unwrap().to_str().unwrap().starts_with("import-"));
    flip(&files[0], 5);
    assert!(book.verify(&CODEC).unwrap()[0].message.contains("import it again"));
    let mut usage = call("u1", Some(7), 1, 1, None, 900);
    usage.key.kind = RecordKind::Usage;
    let raw = encode(std::slice::from_ref(&usage)).unwrap();
    let feed = Feed::account_wide(FeedKind::Usage);
    let batch = ImportBatch {
        source_name: "u.csv",
        feed: &feed,
        raw: &raw,
        records: &[usage],
        at: at(950),
        covers: None,
    };
    assert!(book.import(&batch).unwrap().repeated);
    sound(&book);
}
