//! Sealing, the law of permutation, and what verification sees.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::*;

#[test]
fn a_sealed_book_scans_like_an_unsealed_one() {
    let (_folder, mut book) = new_book();
    let late = call("late", Some(DAY_MILLISECONDS + 5), 1, 1, None, 50);
    let undated = call("undated", None, 1, 1, None, 60);
    let edited = call("a", Some(1), 2, 2, Some(99), 70);
    land_listing(&mut book, &day(0), 1, &[&[simple_call("a", 1), late], &[undated, edited]]);
    land_listing(&mut book, &day(1), 1, &[&[]]);
    let before = scan(&book);
    let pages = raw_pages(&book);
    let sealed = book.seal(&[day(0)], at(9), &CODEC).unwrap();
    assert_eq!(
        (sealed.segments, sealed.versions, sealed.pages),
        (2, 3, 2),
        "the late call waits for its own day"
    );
    assert_eq!(scan(&book), before);
    book.seal(&[day(1)], at(9), &CODEC).unwrap();
    assert_eq!((scan(&book), book.status().unwrap().pending), (before.clone(), 0));
    assert_eq!(raw_pages(&book), pages);
    let span = Some(day(1).span);
    let ids: Vec<String> = book
        .scan(&[RecordKind::Call], span, &CODEC)
        .unwrap()
        .into_iter()
        .map(|version| version.record.key.id)
        .collect();
    assert_eq!(ids, ["undated", "late"], "nobody knows where a version without a start belongs");
    assert_eq!(book.scan(&[RecordKind::Message], None, &CODEC).unwrap(), []);
    sound(&book);
}

#[test]
fn a_full_disk_is_told_and_leaves_the_book_as_it_was() {
    let (_folder, mut book) = new_book();
    land_listing(&mut book, &day(0), 1, &[&[simple_call("a", 1)]]);
    let before = (scan(&book), book.coverage().unwrap());
    let pages: i64 = book.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    book.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let many: Vec<SourceRecord> =
        (0..2000).map(|number| simple_call(&format!("m{number}"), number)).collect();
    let landed = book.land_page(&page(&day(1), 1, 1, "many"), &many, &cursor(&day(1), 1, None));
    assert_eq!(landed.unwrap_err().exit(), Exit::Disk);
    assert_eq!((scan(&book), book.coverage().unwrap()), before);
    book.connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    book.land_page(&page(&day(1), 1, 1, "many"), &many, &cursor(&day(1), 1, None)).unwrap();
    sound(&book);
}

#[test]
fn a_window_without_a_complete_listing_is_not_sealed() {
    let (_folder, mut book) = new_book();
    assert!(book.seal(&[day(0)], at(1), &CODEC).is_err());
    book.land_page(&page(&day(0), 1, 1, "one"), &[], &cursor(&day(0), 1, Some(2))).unwrap();
    assert_eq!(book.seal(&[day(0)], at(1), &CODEC).unwrap_err().exit(), Exit::NotFinalised);
}

#[test]
fn pages_of_a_listing_under_way_stay() {
    let (_folder, mut book) = new_book();
    let window = day(0);
    land_listing(&mut book, &window, 1, &[&[simple_call("a", 1)]]);
    book.land_page(&page(&window, 2, 1, "again"), &[simple_call("a", 1)], &cursor(&window, 2, Some(2)))
        .unwrap();
    assert_eq!(book.seal(std::slice::from_ref(&window), at(1), &CODEC).unwrap().pages, 1);
    book.land_page(&page(&window, 2, 2, "more"), &[simple_call("b", 2)], &cursor(&window, 2, None)).unwrap();
    assert_eq!(book.listings(&window).unwrap()[1].records, 2);
    assert_eq!(book.seal(&[window], at(2), &CODEC).unwrap().pages, 2);
    sound(&book);
}

fn below(random: &mut ChaCha8Rng, bound: usize) -> usize {
    usize::try_from(random.next_u64() % u64::try_from(bound).unwrap()).unwrap()
}

fn shuffle<T>(random: &mut ChaCha8Rng, items: &mut [T]) {
    for index in (1..items.len()).rev() {
        items.swap(index, below(random, index + 1));
    }
}

/// Observations of eight records with edits, edits undone, repeats, missing starts and missing modification times.
fn observations(random: &mut ChaCha8Rng) -> Vec<SourceRecord> {
    (0..60)
        .map(|_| {
            let number = below(random, 8);
            let edit = i64::try_from(below(random, 4)).unwrap();
            let start = (number != 7)
                .then(|| i64::try_from(number).unwrap() * DAY_MILLISECONDS / 3 + edit * DAY_MILLISECONDS / 4);
            let modified = (edit != 3).then_some(edit / 2);
            call(
                &format!("r{number}"),
                start,
                edit,
                edit % 2,
                modified,
                i64::try_from(below(random, 20)).unwrap(),
            )
        })
        .collect()
}

/// Lands observations in some order, cut into pages, listings and windows, sealing now and then.
fn land_somehow(book: &mut Book, random: &mut ChaCha8Rng, observations: &[SourceRecord]) {
    let mut rest = observations;
    let mut listings = [0_u32; 4];
    while !rest.is_empty() {
        let window = below(random, 4);
        listings[window] += 1;
        let mut pages: Vec<&[SourceRecord]> = Vec::new();
        for _ in 0..=below(random, 3) {
            let (page, after) = rest.split_at(below(random, 6).min(rest.len()));
            pages.push(page);
            rest = after;
        }
        let place = day(i64::try_from(window).unwrap());
        land_listing(book, &place, listings[window], &pages);
        if below(random, 2) == 0 {
            book.seal(&[place], at(5), &CODEC).unwrap();
        }
    }
}

#[test]
fn order_pages_windows_and_sealing_do_not_show_in_a_scan() {
    for seed in 0..12 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut all = observations(&mut random);
        let mut expected = None;
        for _ in 0..4 {
            let (_folder, mut book) = new_book();
            land_somehow(&mut book, &mut random, &all);
            let seen = (scan(&book), book.record_digest(RecordKind::ALL, None).unwrap());
            assert_eq!(seen.1.0, u64::try_from(seen.0.len()).unwrap());
            assert_eq!(expected.get_or_insert_with(|| seen.clone()), &seen, "seed {seed}");
            sound(&book);
            shuffle(&mut random, &mut all);
        }
    }
}

#[test]
fn a_flipped_byte_in_a_file_is_found_and_never_read() {
    for inner in ["segments", "raw"] {
        let (_folder, mut book) = new_book();
        land_listing(&mut book, &day(0), 1, &[&[simple_call("a", 1)]]);
        book.seal(&[day(0)], at(1), &CODEC).unwrap();
        let file = files_in(&book, inner).remove(0);
        for position in 0..std::fs::metadata(&file).unwrap().len() {
            let position = usize::try_from(position).unwrap();
            flip(&file, position);
            assert_eq!(book.verify(&CODEC).unwrap().len(), 1, "{inner} {position}");
            let failure = match inner {
                "segments" => book.scan(RecordKind::ALL, None, &CODEC).unwrap_err(),
                _ => book.raw_pages(&mut |_| Ok(())).unwrap_err(),
            };
            assert_eq!(failure.exit(), Exit::Verification);
            flip(&file, position);
        }
        std::fs::remove_file(&file).unwrap();
        assert_eq!(book.verify(&CODEC).unwrap().len(), 1);
    }
}

#[test]
fn changed_rows_are_found() {
    let changes = [
        "UPDATE pending SET json = replace(json, 'edit', 'edut')",
        "UPDATE version SET start_ms = start_ms + 1 WHERE id IN (SELECT version FROM pending)",
        "UPDATE version SET start_ms = start_ms + 1 WHERE segment IS NOT NULL",
        "UPDATE version SET material = zeroblob(32) WHERE segment IS NOT NULL",
        "UPDATE version SET standing = 1 WHERE segment IS NOT NULL",
        "UPDATE superseded SET duplicate = x'01'",
        "UPDATE segment SET first_ms = first_ms + 1",
        "UPDATE segment SET kind = 'message'",
        "UPDATE pull_window SET to_ms = to_ms + 1",
        "UPDATE pull_window SET state = 'sealed' WHERE state = 'collected'",
        "UPDATE listing SET digest = zeroblob(32)",
        "DELETE FROM pending",
        "UPDATE page SET hash = zeroblob(32) WHERE archive IS NULL",
        "UPDATE page SET listing = 9 WHERE archive IS NOT NULL",
        "UPDATE fact SET body_zstd = (SELECT body_zstd FROM page WHERE archive IS NULL)",
        "UPDATE decision SET reason = 'another'",
        "UPDATE run SET manifest = x'00'",
    ];
    for change in changes {
        let (_folder, mut book) = new_book();
        land_listing(&mut book, &day(0), 1, &[&[simple_call("a", 1)]]);
        book.seal(&[day(0)], at(1), &CODEC).unwrap();
        land_listing(&mut book, &day(1), 1, &[&[simple_call("b", DAY_MILLISECONDS)]]);
        book.put_fact("rules", "rules.toml", b"x").unwrap();
        book.decide("sign-off", "2026-10", "ada", "seen", at(1)).unwrap();
        book.put_run(&Hash::of(b"run"), "2026-10", b"{}", false).unwrap();
        sound(&book);
        assert!(book.connection.execute(change, []).unwrap() > 0, "{change}");
        assert_ne!(book.verify(&CODEC).unwrap(), Vec::new(), "{change}");
    }
}
