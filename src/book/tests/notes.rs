//! Sealing by family, and what is noted about records after the fact.

use super::*;
use crate::book::{Landed, NoteKind, Noted, Standing};
use crate::domain::record::{CoverageState, Stream};

/// The window under which changes land that were observed on a day.
fn changes(number: i64) -> PullWindow {
    PullWindow { feed: Feed::account_wide(FeedKind::CallSync), ..day(number) }
}

/// Lands one whole listing observed at some time.
fn land(
    book: &mut Book,
    window: &PullWindow,
    listing: u32,
    observed: i64,
    records: &[SourceRecord],
) -> Landed {
    let body = format!("{} {listing}", window.feed.name());
    let page = RawPage { observed: at(observed), ..page(window, listing, 1, &body) };
    let records: Vec<SourceRecord> =
        records.iter().map(|record| SourceRecord { observed: at(observed), ..record.clone() }).collect();
    book.land_page(&page, &records, &cursor(window, listing, None)).unwrap()
}

/// A notice of deletion with nothing else in it.
fn stub(id: &str) -> SourceRecord {
    let json = format!("{{\"deleted\":true,\"id\":\"{id}\"}}");
    SourceRecord {
        version: Hash::of(json.as_bytes()),
        material: Hash::of(b"deleted"),
        deleted_upstream: true,
        json,
        ..call(id, None, 0, 0, None, 0)
    }
}

fn notes(book: &Book) -> Vec<(NoteKind, String, Feed)> {
    let notes = book.notes().unwrap().into_iter();
    notes.map(|note| (note.kind, note.key.id, note.window.feed)).collect()
}

#[test]
fn the_windows_of_a_list_seal_what_its_changes_landed() {
    let (_folder, mut book) = new_book();
    let (a, b, later) = (simple_call("a", 1), simple_call("b", 2), simple_call("c", DAY_MILLISECONDS + 5));
    land(&mut book, &changes(0), 1, 10, &[a.clone(), later]);
    land(&mut book, &changes(1), 1, DAY_MILLISECONDS + 10, &[b.clone(), stub("gone")]);
    land(&mut book, &day(0), 1, DAY_MILLISECONDS + 20, &[a, b]);
    let before = scan(&book);
    let sealed = book.seal(&[day(0)], at(DAY_MILLISECONDS + 30), &CODEC).unwrap();
    assert_eq!((sealed.windows, sealed.packed, sealed.versions, sealed.pages), (1, 1, 2, 2));
    assert_eq!((scan(&book), book.status().unwrap().pending), (before.clone(), 2));
    let sealed = book.seal(&[], at(2 * DAY_MILLISECONDS), &CODEC).unwrap();
    assert_eq!((sealed.windows, sealed.packed, sealed.versions, sealed.pages), (0, 1, 1, 1));
    assert_eq!((scan(&book), book.status().unwrap().pending), (before, 1), "the call of a day to come waits");
    let states: Vec<CoverageState> = book.coverage().unwrap().iter().map(|coverage| coverage.state).collect();
    assert_eq!(states, [CoverageState::Sealed, CoverageState::Collected, CoverageState::Collected]);
    assert_eq!(book.seal(&[], at(3 * DAY_MILLISECONDS), &CODEC).unwrap(), crate::book::Sealed::default());
    sound(&book);
}

#[test]
fn mailboxes_are_families_of_their_own() {
    let (_folder, mut book) = new_book();
    let message = |id: &str| {
        let mut record = simple_call(id, 1);
        record.key.kind = RecordKind::Message;
        record
    };
    let feed = |kind, mailbox: &str| PullWindow { feed: Feed::of_extension(kind, mailbox), ..day(0) };
    land(&mut book, &feed(FeedKind::MessageSync, "7"), 1, 10, &[message("m7")]);
    land(&mut book, &feed(FeedKind::MessageSync, "8"), 1, 10, &[message("m8")]);
    let window = feed(FeedKind::Messages, "7");
    land(&mut book, &window, 1, 20, &[]);
    assert_eq!(book.seal(&[window], at(30), &CODEC).unwrap().versions, 1);
    assert_eq!(book.status().unwrap().pending, 1);
}

#[test]
fn rounds_that_were_cut_are_packed_after_a_later_one() {
    let (_folder, mut book) = new_book();
    let window = changes(0);
    let cut = page(&window, 1, 1, "cut");
    book.land_page(&cut, &[simple_call("a", 1)], &cursor(&window, 1, Some(2))).unwrap();
    let listed = PullWindow { feed: Feed::account_wide(FeedKind::Extensions), ..day(0) };
    land(&mut book, &listed, 1, 5, &[]);
    let active = PullWindow { feed: Feed::account_wide(FeedKind::ActiveCalls), ..day(0) };
    land(&mut book, &active, 1, 5, &[]);
    let sealed = book.seal(&[], at(DAY_MILLISECONDS), &CODEC).unwrap();
    assert_eq!((sealed.packed, sealed.pages), (2, 2), "nothing says that the round is over");
    land(&mut book, &changes(1), 1, DAY_MILLISECONDS + 5, &[simple_call("a", 1)]);
    let sealed = book.seal(&[], at(DAY_MILLISECONDS + 6), &CODEC).unwrap();
    assert_eq!((sealed.packed, sealed.pages), (1, 1), "today's window is not over");
    assert_eq!(raw_pages(&book).len(), 4);
    // Going on with it all the same digests what its first page showed.
    book.land_page(&page(&window, 1, 2, "rest"), &[simple_call("b", 2)], &cursor(&window, 1, None)).unwrap();
    assert_eq!(book.listings(&window).unwrap()[0].records, 2);
    sound(&book);
}

#[test]
fn what_comes_after_the_seal_is_noted_once_and_whatever_way_it_came() {
    let (_folder, mut book) = new_book();
    let first = call("a", Some(5), 1, 1, None, 0);
    land(&mut book, &day(0), 1, 10, std::slice::from_ref(&first));
    assert_eq!(book.seal(&[day(0)], at(20), &CODEC).unwrap().windows, 1);
    let mere_edit = call("a", Some(5), 2, 1, None, 0);
    assert_eq!(land(&mut book, &changes(1), 1, 30, &[mere_edit]).noted, Noted::default());
    let changed = call("a", Some(5), 3, 2, None, 0);
    let late = simple_call("late", 6);
    let seen = land(&mut book, &changes(1), 2, 40, &[changed.clone(), late.clone()]);
    assert_eq!(seen.noted, Noted { late: 1, changed: 1, ..Noted::default() });
    let elsewhere = simple_call("open", DAY_MILLISECONDS + 1);
    let again = land(&mut book, &day(0), 2, 50, &[changed, late, elsewhere]);
    assert_eq!(again.noted, Noted::default(), "known already, or of a window that is not sealed");
    let family = day(0).feed;
    let expected =
        [(NoteKind::Changed, "a".to_owned(), family.clone()), (NoteKind::Late, "late".to_owned(), family)];
    assert_eq!(notes(&book), expected);
    let mut mark = simple_call("late", 6);
    mark.json = "{\"id\":\"late\",\"deleted\":true}".to_owned();
    let deleted = SourceRecord {
        version: Hash::of(mark.json.as_bytes()),
        material: Hash::of(b"gone"),
        deleted_upstream: true,
        ..mark
    };
    let seen = land(&mut book, &day(0), 3, 60, &[first, deleted]);
    assert_eq!(seen.noted, Noted { changed: 1, deleted: 1, ..Noted::default() }, "a is what it was at first");
    assert_eq!(book.status().unwrap().noted, Noted { late: 1, changed: 2, deleted: 1, ..Noted::default() });
    sound(&book);
    book.connection.execute("UPDATE note SET noted_ms = noted_ms + 1", []).unwrap();
    assert_eq!(book.verify(&CODEC).unwrap().len(), 1);
}

#[test]
fn absence_is_noted_and_removes_nothing() {
    let (_folder, mut book) = new_book();
    let (a, b) = (simple_call("a", 1), simple_call("b", 2));
    let neighbour = simple_call("n", -5);
    land(&mut book, &changes(0), 1, 5, &[simple_call("sync", 3)]);
    let first = land(&mut book, &day(0), 1, 10, &[a.clone(), b.clone(), neighbour]);
    assert_eq!(first.noted, Noted::default(), "one listing tells nothing about what it lacks");
    let second = land(&mut book, &day(0), 2, 20, std::slice::from_ref(&a));
    assert_eq!(second.noted.absent, 2, "b, and what only the changes showed; not the overlap");
    let third = land(&mut book, &day(0), 3, 30, std::slice::from_ref(&a));
    assert_eq!(third.noted, Noted::default(), "still absent is nothing new");
    assert_eq!(land(&mut book, &day(0), 4, 40, &[a.clone(), b.clone()]).noted.reappeared, 1);
    assert_eq!(land(&mut book, &day(0), 5, 50, &[a]).noted.absent, 1);
    let absences = notes(&book).into_iter().filter(|note| note.0 == NoteKind::Absent).count();
    assert_eq!((absences, scan(&book).len()), (3, 4));
    assert!(scan(&book).iter().all(|version| version.standing == Standing::Current));
    sound(&book);
}

#[test]
fn a_notice_of_deletion_is_noted_and_never_counts() {
    let (_folder, mut book) = new_book();
    land(&mut book, &day(0), 1, 10, &[simple_call("a", 1)]);
    let seen = land(&mut book, &changes(1), 1, 20, &[stub("a"), stub("never seen")]);
    assert_eq!(seen.noted, Noted { deleted: 1, ..Noted::default() });
    assert_eq!(land(&mut book, &changes(1), 2, 30, &[stub("a")]).noted, Noted::default());
    let current: Vec<(String, bool)> = scan(&book)
        .into_iter()
        .filter(|version| version.standing == Standing::Current)
        .map(|version| (version.record.key.id, version.record.deleted_upstream))
        .collect();
    assert_eq!(current, [("never seen".to_owned(), true), ("a".to_owned(), false)]);
    assert_eq!(notes(&book), [(NoteKind::Deleted, "a".to_owned(), day(0).feed)], "where the record starts");
    sound(&book);
}

#[test]
fn the_status_says_how_late_records_came_and_what_is_not_sealed() {
    const HOUR: i64 = 3_600_000;
    let (_folder, mut book) = new_book();
    land(&mut book, &changes(0), 1, 5, &[simple_call("by changes", 1)]);
    land(&mut book, &day(0), 1, 10, &[simple_call("listed", 2)]);
    land(&mut book, &day(1), 1, 10, &[]);
    book.seal(&[day(0)], at(20), &CODEC).unwrap();
    land(&mut book, &changes(0), 2, 10 + HOUR, &[simple_call("next day", 3)]);
    land(&mut book, &changes(3), 1, 10 + 40 * 24 * HOUR, &[simple_call("much later", 4)]);
    let stream = Stream { feed: changes(0).feed, token: "t".to_owned(), from: at(0), reached: Some(at(9)) };
    book.advance(&stream).unwrap();
    let status = book.status().unwrap();
    assert_eq!(status.lateness.len(), 1);
    assert_eq!(
        (status.lateness[0].feed.clone(), status.lateness[0].records),
        (day(0).feed, [2, 0, 1, 0, 0, 0, 1])
    );
    assert_eq!(status.lateness, book.lateness().unwrap());
    assert_eq!((status.streams, status.noted.late), (vec![stream], 2));
    let oldest: Vec<_> = status.feeds.iter().map(|feed| feed.oldest_unsealed).collect();
    assert_eq!(oldest, [Some(day(1).span), None]);
}

#[test]
fn a_pull_has_a_beginning_an_end_and_perhaps_an_override() {
    let (_folder, mut book) = new_book();
    let first = book.pull_began(at(1), None, "ada").unwrap();
    book.pull_ended(first, at(1), 0).unwrap();
    let cut = book.pull_began(at(2), None, "ada").unwrap();
    let pull = book.pull_began(at(3), Some("a dispute"), "ada").unwrap();
    assert_eq!(book.last_pull().unwrap(), Some(at(1)));
    book.pull_ended(pull, at(4), 12).unwrap();
    assert!(book.pull_ended(pull, at(5), 12).is_err());
    let pulls = book.pulls().unwrap();
    assert_eq!((pulls[1].id, pulls[1].completed), (cut, None));
    assert_eq!((pulls[2].completed, pulls[2].requests), (Some(at(4)), Some(12)));
    assert_eq!(pulls[2].override_reason.as_deref(), Some("a dispute"));
    let decisions = book.decisions(crate::book::PULL_AGAIN).unwrap();
    assert_eq!((decisions.len(), decisions[0].actor.as_str()), (1, "ada"));
    sound(&book);
}
