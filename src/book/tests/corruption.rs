//! Single flipped bits anywhere in the database: found, or without effect on anything that is billed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::*;
use crate::book::NewDocument;

fn filled(folder: &Path) -> Result<()> {
    let mut book = Book::create(folder, Identity { specimen: true, ..Identity::default() })?;
    for number in 0..3 {
        let records: Vec<SourceRecord> = (0..40)
            .map(|call_number| {
                let start = number * DAY_MILLISECONDS + call_number;
                let modified = (call_number % 3 == 0).then_some(call_number);
                call(
                    &format!("{}", call_number % 30),
                    Some(start),
                    call_number % 4,
                    call_number % 2,
                    modified,
                    start,
                )
            })
            .collect();
        land_listing(&mut book, &day(number), 1, &[&records[..25], &records[25..]]);
    }
    book.seal(&[day(0), day(1)], at(1), &CODEC)?;
    book.put_fact("rules", "rules.toml", b"price = 1")?;
    book.decide("sign-off", "2026-10", "ada", "seen", at(1))?;
    let run = Hash::of(b"run");
    book.put_run(&run, "2026-10", b"{\"total\":\"1.00\"}", true)?;
    let document = |sequence: u64| NewDocument {
        series: "INV".to_owned(),
        sequence,
        number: format!("INV-{sequence}"),
        contact_id: format!("c{sequence}"),
        period_key: "2026-10".to_owned(),
        kind: "invoice".to_owned(),
        ordinal: 1,
        issue_date: chrono::NaiveDate::from_ymd_opt(2026, 11, 4).unwrap(),
        actor: "ada".to_owned(),
        body: format!("{{\"total\":\"{sequence}.00\"}}").into_bytes(),
        charges: sequence.to_le_bytes().to_vec(),
        event_ids: (0..20).map(|event| format!("e{sequence}-{event}")).collect(),
        voids: None,
    };
    book.finalise(&run, &[document(1), document(2), document(3)])?;
    book.checkpoint()
}

/// What a bill depends on; when a version was observed decides nothing once its standing is known.
fn billed(book: &Book) -> Result<String> {
    let versions: Vec<_> = book
        .scan(RecordKind::ALL, None, &CODEC)?
        .into_iter()
        .map(|mut version| {
            version.record.observed = at(0);
            version
        })
        .collect();
    Ok(format!(
        "{:?}\n{versions:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
        book.identity(),
        book.coverage()?,
        book.documents(None)?,
        book.runs()?,
        book.decisions("sign-off")?,
        book.facts("rules")?,
    ))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[test]
fn a_flipped_bit_of_the_database_is_found_or_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    filled(&whole).unwrap();
    let expected = billed(&Book::open(&whole).unwrap()).unwrap();
    let flips = std::env::var("TOLLBOOK_TEST_FLIPS").ok().and_then(|count| count.parse().ok()).unwrap_or(150);
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let bytes = std::fs::read(whole.join("book.db")).unwrap();
    let mut found = 0;
    let damaged = folder.path().join("damaged");
    copy(&whole, &damaged);
    for _ in 0..flips {
        let position = usize::try_from(random.next_u64() % u64::try_from(bytes.len()).unwrap()).unwrap();
        let bit = random.next_u32() % 8;
        let mut changed = bytes.clone();
        changed[position] ^= 1 << bit;
        std::fs::write(damaged.join("book.db"), &changed).unwrap();
        let Ok(book) = Book::open(&damaged) else {
            found += 1;
            continue;
        };
        if !book.verify(&CODEC).is_ok_and(|problems| problems.is_empty()) {
            found += 1;
            continue;
        }
        assert_eq!(billed(&book).unwrap(), expected, "bit {bit} of byte {position} changed a bill silently");
    }
    assert!(found > 0, "no flip was found at all");
}
