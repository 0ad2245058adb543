//! Death at every durable step, in a process of its own, and what the next process finds.

use std::io::BufRead;
use std::process::{Command, Output, Stdio};

use super::rebuild::{full_page, parse};
use super::*;
use crate::book::{ImportBatch, NewDocument, crash};

const FOLDER: &str = "TOLLBOOK_TEST_BOOK";

/// A night's work that goes on from whatever an earlier process left: two listings of two days, an import, a fact,
/// a decision, a run, two invoices.
fn work(folder: &Path) -> Result<()> {
    let mut book = Book::open_or_create(folder, Identity::default())?;
    let _lock = book.lock("work")?;
    for listing in 1..=2 {
        for number in 0..2 {
            pull(&mut book, &day(number), number, listing)?;
        }
    }
    book.seal(&[day(0), day(1)], at(9), &CODEC)?;
    let mut usage = simple_call("usage", 7);
    usage.key.kind = RecordKind::Usage;
    usage.observed = at(8);
    let feed = Feed::account_wide(FeedKind::Usage);
    let batch = ImportBatch {
        source_name: "u.csv",
        feed: &feed,
        raw: &encode(std::slice::from_ref(&usage))?,
        records: std::slice::from_ref(&usage),
        at: at(8),
        covers: None,
    };
    book.import(&batch)?;
    book.seal_imports(at(9), &CODEC)?;
    book.put_fact("rules", "rules.toml", b"price")?;
    if book.decisions("sign-off")?.is_empty() {
        book.decide("sign-off", "2026-10", "ada", "seen", at(9))?;
    }
    let run = Hash::of(b"run");
    if book.documents(None)?.is_empty() {
        let documents = [document(1), document(2)];
        book.finalise(&run, &documents)?;
    }
    book.put_run(&run, "2026-10", b"{}", true)?;
    if book.last_pull()?.is_none() {
        let pull = book.pull_began(at(10), None, "ada")?;
        book.pull_ended(pull, at(10), 0)?;
    }
    maintain(&mut book)?;
    book.checkpoint()
}

/// Rebuilds and joins; the damage that is given up is none.
fn maintain(book: &mut Book) -> Result<()> {
    book.rebuild(&mut parse, at(11), &CODEC)?;
    book.compact(&CODEC, at(12))?;
    if book.decisions("reopened")?.is_empty() {
        book.reopen_damaged("ada", "none", at(13))?;
        book.decide("reopened", "nothing", "ada", "seen", at(13))?;
    }
    Ok(())
}

/// One listing of three pages, from the page the cursor names.
fn pull(book: &mut Book, window: &PullWindow, number: i64, listing: u32) -> Result<()> {
    let coverage = book.coverage()?.into_iter().find(|coverage| coverage.window == *window);
    let from = match coverage {
        Some(known) if known.listings_complete >= listing => return Ok(()),
        Some(known) => match known.cursor.filter(|cursor| cursor.listing == listing) {
            Some(cursor) => cursor.next_page.unwrap_or(4),
            None => 1,
        },
        None => 1,
    };
    for page_number in from..=3 {
        let start = number * DAY_MILLISECONDS + i64::from(page_number);
        let records = [
            simple_call(&format!("{number}-{page_number}"), start),
            call("edited", Some(5), i64::from(page_number), 1, None, i64::from(listing * 10 + page_number)),
        ];
        let page = full_page(window, listing, page_number, &records);
        let next = (page_number < 3).then_some(page_number + 1);
        book.land_page(&page, &records, &cursor(window, listing, next))?;
    }
    Ok(())
}

fn document(sequence: u64) -> NewDocument {
    NewDocument {
        series: "INV".to_owned(),
        sequence,
        number: format!("INV-{sequence}"),
        contact_id: format!("c{sequence}"),
        period_key: "2026-10".to_owned(),
        kind: "invoice".to_owned(),
        ordinal: 1,
        issue_date: chrono::NaiveDate::from_ymd_opt(2026, 11, 4).unwrap(),
        actor: "ada".to_owned(),
        body: b"{}".to_vec(),
        charges: sequence.to_le_bytes().to_vec(),
        event_ids: vec![format!("e{sequence}")],
        voids: None,
    }
}

/// Everything of a book that a reader can see, the files of its folders included.
fn everything(folder: &Path) -> String {
    let book = Book::open(folder).unwrap();
    let lock = book.lock("compare").unwrap();
    assert_eq!(book.sweep(&lock).unwrap(), 0);
    sound(&book);
    let pages = raw_pages(&book);
    let files = ["segments", "raw", "charges"].map(|inner| {
        files_in(&book, inner)
            .into_iter()
            .map(|path| Hash::of(&std::fs::read(path).unwrap()))
            .collect::<std::collections::BTreeSet<Hash>>()
    });
    format!(
        "{:?}\n{:?}\n{pages:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{files:?}",
        scan(&book),
        book.coverage().unwrap(),
        book.documents(None).unwrap(),
        book.runs().unwrap(),
        book.decisions("sign-off").unwrap(),
        book.facts("rules").unwrap(),
    )
}

/// The child's entry: does the work when a folder is named, else nothing.
#[test]
fn child_works() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    work(Path::new(&folder)).unwrap();
}

/// The child's entry: holds the lock until it is killed.
#[test]
fn child_holds_the_lock() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let book = Book::open(Path::new(&folder)).unwrap();
    let _lock = book.lock("sleep").unwrap();
    println!("held");
    std::thread::sleep(std::time::Duration::from_secs(60));
}

fn command(entry: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([&format!("book::tests::crashes::{entry}"), "--exact", "--nocapture"]).env(FOLDER, folder);
    command.env_remove("TOLLBOOK_CRASH_AT").env_remove("TOLLBOOK_PLANT");
    command
}

fn child(folder: &Path, crash_at: Option<&str>, plant: Option<&str>) -> Output {
    let mut command = command("child_works", folder);
    if let Some(point) = crash_at {
        command.env("TOLLBOOK_CRASH_AT", point);
    }
    if let Some(defect) = plant {
        command.env("TOLLBOOK_PLANT", defect);
    }
    command.output().unwrap()
}

fn crashed(output: &Output) -> bool {
    use std::os::unix::process::ExitStatusExt;
    output.status.signal() == Some(6)
}

#[test]
fn a_death_at_any_point_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    assert!(child(&path("whole"), None, None).status.success());
    let expected = everything(&path("whole"));
    for point in crash::POINTS {
        if ["land.cursor-ahead", "sweep.removed"].contains(point) {
            continue;
        }
        for nth in [1, 3] {
            let (armed, book) = (format!("{point}:{nth}"), path(&format!("{point}-{nth}")));
            let died = crashed(&child(&book, Some(&armed), None));
            assert!(died || nth > 1, "{point} was never passed");
            if !died {
                break;
            }
            // The recovery may die too, at the first thing it does.
            child(&book, Some("sweep.removed"), None);
            let recovered = child(&book, None, None);
            let talk = String::from_utf8_lossy(&recovered.stderr);
            assert!(recovered.status.success(), "after {armed}: {talk}");
            assert_eq!(everything(&book), expected, "after {armed}");
        }
    }
}

/// The harness must see a known defect, or it sees nothing.
#[test]
fn a_cursor_that_is_committed_before_its_page_is_caught() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("planted");
    let plant = Some(crash::CURSOR_BEFORE_PAGE);
    assert!(crashed(&child(&path, Some("land.cursor-ahead:2"), plant)));
    assert!(!child(&path, None, plant).status.success(), "the lost page goes unnoticed");
    let unharmed = folder.path().join("unharmed");
    assert!(child(&unharmed, None, plant).status.success(), "without a crash the defect is silent");
}

#[test]
fn the_lock_dies_with_its_holder() {
    let (_folder, book) = new_book();
    let mut holder = command("child_holds_the_lock", book.folder())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("held")));
    let failure = book.lock("run").unwrap_err();
    assert_eq!(failure.exit(), Exit::Locked);
    assert!(failure.message().contains(&format!("process {}: sleep", holder.id())), "{failure}");
    holder.kill().unwrap();
    holder.wait().unwrap();
    book.lock("run").unwrap();
}
