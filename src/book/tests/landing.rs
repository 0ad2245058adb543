//! Landing pages and imports, facts, decisions, runs.

use super::*;
use crate::book::{Covers, ImportBatch, Standing};
use crate::domain::record::{CoverageState, Gap};

#[test]
fn the_same_page_again_changes_nothing() {
    let (_folder, mut book) = new_book();
    let (window, records) = (day(0), [simple_call("a", 1), simple_call("b", 2)]);
    let first = page(&window, 1, 1, "one");
    let landed = book.land_page(&first, &records, &cursor(&window, 1, Some(2))).unwrap();
    assert_eq!((landed.new_versions, landed.repeated, landed.listing_complete), (2, false, false));
    let before = (scan(&book), book.coverage().unwrap(), book.status().unwrap().versions);
    let again = book.land_page(&first, &records, &cursor(&window, 1, Some(2))).unwrap();
    assert_eq!((again.new_versions, again.repeated), (0, true));
    assert_eq!((scan(&book), book.coverage().unwrap(), book.status().unwrap().versions), before);
    let other_body = page(&window, 1, 1, "another");
    assert!(book.land_page(&other_body, &records, &cursor(&window, 1, Some(2))).is_err());
    sound(&book);
}

#[test]
fn the_cursor_never_runs_ahead_of_the_data() {
    let (_folder, mut book) = new_book();
    let window = day(0);
    let landed = book.land_page(&page(&window, 1, 2, "two"), &[], &cursor(&window, 1, None));
    assert_eq!(landed.unwrap_err().exit(), Exit::Verification);
    assert_eq!(book.coverage().unwrap(), Vec::new());
    let wrong_hash = SourceRecord { version: Hash::of(b"else"), ..simple_call("a", 1) };
    let landed = book.land_page(&page(&window, 1, 1, "one"), &[wrong_hash], &cursor(&window, 1, None));
    assert_eq!(landed.unwrap_err().exit(), Exit::Bug);
}

#[test]
fn coverage_follows_the_listings() {
    let (_folder, mut book) = new_book();
    let (window, a, b) = (day(0), simple_call("a", 1), simple_call("b", 2));
    book.land_page(&page(&window, 1, 1, "one"), std::slice::from_ref(&a), &cursor(&window, 1, Some(2)))
        .unwrap();
    let coverage = &book.coverage().unwrap()[0];
    assert_eq!((coverage.state, coverage.listings_complete), (CoverageState::Open, 0));
    assert_eq!(coverage.cursor, Some(cursor(&window, 1, Some(2))));
    book.land_page(&page(&window, 1, 2, "two"), &[a.clone(), b.clone()], &cursor(&window, 1, None)).unwrap();
    let coverage = &book.coverage().unwrap()[0];
    assert_eq!((coverage.state, coverage.records), (CoverageState::Collected, 2));
    assert_eq!((coverage.cursor.clone(), coverage.listed_at), (None, Some(at(1001))));
    land_listing(&mut book, &window, 2, &[std::slice::from_ref(&b), std::slice::from_ref(&a)]);
    let listings = book.listings(&window).unwrap();
    assert_eq!(listings[0].digest, listings[1].digest, "pages and order do not count");
    book.seal(std::slice::from_ref(&window), at(9000), &CODEC).unwrap();
    land_listing(&mut book, &window, 3, &[&[a.clone(), b.clone()]]);
    assert_eq!(book.coverage().unwrap()[0].state, CoverageState::Sealed);
    land_listing(&mut book, &window, 4, &[&[a]]);
    assert_eq!(book.coverage().unwrap()[0].state, CoverageState::Collected, "a listing differs");
    assert_eq!(book.coverage_of(&window).unwrap().as_ref(), book.coverage().unwrap().first());
    assert_eq!((book.coverage_of(&day(5)).unwrap(), book.listings(&day(5)).unwrap()), (None, Vec::new()));
}

#[test]
fn an_edit_supersedes_and_an_edit_of_nothing_material_is_a_duplicate() {
    let (_folder, mut book) = new_book();
    let first = call("a", Some(5), 1, 1, Some(10), 100);
    let second = call("a", Some(5), 2, 2, Some(20), 200);
    let third = call("a", Some(5), 3, 2, Some(30), 300);
    land_listing(&mut book, &day(0), 1, &[&[third], &[first], &[second]]);
    let standings: Vec<Standing> = scan(&book).iter().map(|version| version.standing).collect();
    assert_eq!(standings, [Standing::Superseded, Standing::Duplicate, Standing::Current]);
}

#[test]
fn a_record_changed_back_is_current_again() {
    let (_folder, mut book) = new_book();
    let first = |observed| call("a", Some(5), 1, 1, None, observed);
    land_listing(&mut book, &day(0), 1, &[&[first(100)]]);
    land_listing(&mut book, &day(0), 2, &[&[call("a", Some(5), 2, 2, None, 200)]]);
    book.seal(&[day(0)], at(1), &CODEC).unwrap();
    land_listing(&mut book, &day(0), 3, &[&[first(300)]]);
    let standings: Vec<Standing> = scan(&book).iter().map(|version| version.standing).collect();
    assert_eq!(standings, [Standing::Current, Standing::Superseded]);
    assert_eq!(scan(&book)[0].record.observed, at(100));
    sound(&book);
}

#[test]
fn an_import_is_a_fact_once_and_covers_by_decision() {
    let (_folder, mut book) = new_book();
    let feed = Feed::account_wide(FeedKind::Usage);
    let mut record = simple_call("u1", 5);
    record.key.kind = RecordKind::Usage;
    let records = [record];
    let plain = ImportBatch {
        source_name: "october.csv",
        feed: &feed,
        raw: b"id,start",
        records: &records,
        at: at(9),
        covers: None,
    };
    let first = book.import(&plain).unwrap();
    assert_eq!((first.new_versions, first.repeated, book.coverage().unwrap().len()), (1, false, 0));
    assert!(book.import(&plain).unwrap().repeated);
    let covers = Covers { span: day(0).span, actor: "ada", reason: "the carrier's whole month" };
    let covering = ImportBatch { covers: Some(covers), ..plain };
    for _ in 0..2 {
        assert!(book.import(&covering).unwrap().repeated);
        let coverage = book.coverage().unwrap();
        assert_eq!((coverage.len(), coverage[0].state, coverage[0].records), (1, CoverageState::Sealed, 1));
        assert_eq!(book.decisions("coverage").unwrap().len(), 1);
    }
    let before = scan(&book);
    assert_eq!(book.seal_imports(at(10), &CODEC).unwrap().versions, 1);
    assert_eq!((scan(&book), book.status().unwrap().pending), (before, 0));
    sound(&book);
}

#[test]
fn a_gap_is_open_until_its_mailbox_is_read() {
    let (_folder, mut book) = new_book();
    let gap = Gap { feed: Feed::mailbox("7"), reason: "CMN-408".to_owned() };
    book.note_gap(&gap, at(1)).unwrap();
    book.note_gap(&gap, at(2)).unwrap();
    assert_eq!(book.gaps().unwrap(), std::slice::from_ref(&gap));
    let window = PullWindow { feed: gap.feed.clone(), span: day(0).span };
    book.land_page(&page(&window, 1, 1, "{}"), &[], &cursor(&window, 1, None)).unwrap();
    assert_eq!(book.gaps().unwrap(), []);
    book.note_gap(&gap, at(3)).unwrap();
    assert_eq!(book.gaps().unwrap(), [gap]);
}

#[test]
fn a_way_of_reading_that_works_again_is_no_gap() {
    let (_folder, mut book) = new_book();
    let refused = Gap { feed: Feed::account_wide(FeedKind::MessageSync), reason: "HTTP 500".to_owned() };
    let other = Gap { feed: Feed::account_wide(FeedKind::CallSync), reason: "CMN-408".to_owned() };
    book.note_gap(&refused, at(1)).unwrap();
    book.note_gap(&other, at(1)).unwrap();
    let stream = |reached| crate::domain::record::Stream {
        feed: Feed::of_extension(FeedKind::MessageSync, "7"),
        token: "next".to_owned(),
        from: at(0),
        reached,
    };
    book.advance(&stream(None)).unwrap();
    assert_eq!(book.gaps().unwrap().len(), 2, "it has not come to its end");
    book.advance(&stream(Some(at(2)))).unwrap();
    assert_eq!(book.gaps().unwrap(), [other]);
}

#[test]
fn facts_decisions_pulls_and_runs_are_kept() {
    let (_folder, mut book) = new_book();
    let hash = book.put_fact("contacts", "contacts.csv", b"id,name").unwrap();
    assert_eq!(book.put_fact("contacts", "contacts.csv", b"id,name").unwrap(), hash);
    assert_eq!(book.fact(&hash).unwrap().as_deref(), Some(b"id,name".as_slice()));
    assert_eq!(book.fact(&Hash::of(b"?")).unwrap(), None);
    assert_eq!(book.facts("contacts").unwrap(), [("contacts.csv".to_owned(), hash)]);
    book.decide("sign-off", "2026-10", "ada", "looked at it", at(4)).unwrap();
    assert_eq!(book.decisions("sign-off").unwrap()[0].actor, "ada");
    assert_eq!(book.decisions("write-down").unwrap(), []);
    assert_eq!(book.last_pull().unwrap(), None);
    let pull = book.pull_began(at(4), None, "ada").unwrap();
    book.pull_ended(pull, at(5), 7).unwrap();
    assert_eq!(book.last_pull().unwrap(), Some(at(5)));
    let id = Hash::of(b"inputs");
    assert!(book.put_run(&id, "2026-10", b"{}", false).unwrap());
    assert!(!book.put_run(&id, "2026-10", b"{}", false).unwrap());
    assert!(book.put_run(&id, "2026-10", b"{}", true).unwrap());
    assert_eq!(book.put_run(&id, "2026-10", b"{1}", true).unwrap_err().exit(), Exit::Verification);
    let runs = book.runs().unwrap();
    assert_eq!((runs.len(), runs[0].previous, runs[1].previous), (2, None, Some(runs[0].hash)));
    sound(&book);
}

#[test]
fn the_status_names_the_holes() {
    let (_folder, mut book) = new_book();
    land_listing(&mut book, &day(0), 1, &[&[simple_call("a", 1)]]);
    land_listing(&mut book, &day(2), 1, &[&[]]);
    book.seal(&[day(0)], at(1), &CODEC).unwrap();
    let status = book.status().unwrap();
    let feed = &status.feeds[0];
    assert_eq!((feed.windows, feed.sealed, feed.collected), (2, 1, 1));
    assert_eq!(feed.holes, [day(1).span]);
    assert_eq!(status.versions.values().sum::<u64>(), 1);
    assert!(status.bytes > 0);
}
