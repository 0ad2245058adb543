//! Creating, opening, refusing, locking.

use super::*;

#[test]
fn a_folder_without_a_book_is_wrong_usage_and_other_files_are_no_book() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Book::open(folder.path()).unwrap_err().exit(), Exit::Usage);
    std::fs::write(folder.path().join("book.db"), b"not a database, but long enough to have a header")
        .unwrap();
    assert_eq!(Book::open(folder.path()).unwrap_err().exit(), Exit::Verification);
    let other = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(other.path().join("book.db")).unwrap();
    connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(connection);
    assert_eq!(Book::open(other.path()).unwrap_err().exit(), Exit::Verification);
    assert_eq!(Book::create(other.path(), Identity::default()).unwrap_err().exit(), Exit::Usage);
}

#[test]
fn a_newer_schema_is_refused_and_nothing_is_written() {
    let (folder, book) = new_book();
    let path = folder.path().join("book");
    drop(book);
    let connection = rusqlite::Connection::open(path.join("book.db")).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = std::fs::read(path.join("book.db")).unwrap();
    let failure = Book::open(&path).unwrap_err();
    assert_eq!(failure.exit(), Exit::Verification);
    assert!(failure.message().contains("99"), "{failure}");
    assert_eq!(std::fs::read(path.join("book.db")).unwrap(), before);
}

#[test]
fn sandbox_and_real_records_never_mix() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("book");
    let specimen = Identity { specimen: true, server: None, account: None };
    let mut book = Book::open_or_create(&path, specimen.clone()).unwrap();
    book.bind_account("1").unwrap();
    book.bind_account("1").unwrap();
    assert_eq!(book.bind_account("2").unwrap_err().exit(), Exit::Usage);
    let real = Identity::default();
    assert_eq!(Book::open_or_create(&path, real).unwrap_err().exit(), Exit::Usage);
    let again = Book::open_or_create(&path, specimen).unwrap();
    assert_eq!((again.identity().specimen, again.identity().account.as_deref()), (true, Some("1")));
    let mut record = simple_call("a", 1);
    record.key.account = "2".to_owned();
    let landed = book.land_page(&page(&day(0), 1, 1, "x"), &[record], &cursor(&day(0), 1, None));
    assert_eq!(landed.unwrap_err().exit(), Exit::Usage);
}

#[test]
fn a_book_from_the_sandbox_is_marked_for_life() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("book");
    let book = Book::create(&path, Identity { specimen: true, ..Identity::default() }).unwrap();
    book.connection.execute("UPDATE identity SET specimen = 0", []).unwrap();
    drop(book);
    assert_eq!(Book::open(&path).unwrap_err().exit(), Exit::Verification);
}

#[test]
fn the_second_holder_is_told_who_holds_the_book() {
    let (_folder, book) = new_book();
    let held = book.lock("pull").unwrap();
    let failure = book.lock("run").unwrap_err();
    assert_eq!(failure.exit(), Exit::Locked);
    let holder = format!("process {}: pull", std::process::id());
    assert!(failure.message().contains(&holder), "{failure}");
    drop(held);
    // A test beside this one may start a process at this moment, which holds what it inherits until it runs.
    let mut tries = (0..200).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        book.lock("run")
    });
    assert!(tries.any(|lock| lock.is_ok()));
}

#[test]
fn files_that_nobody_registered_are_swept_under_the_lock() {
    let (_folder, mut book) = new_book();
    land_listing(&mut book, &day(0), 1, &[&[simple_call("a", 1)]]);
    book.seal(&[day(0)], at(0), &CODEC).unwrap();
    let stray = book.folder().join("segments/.new-call-2026-10-01.txt");
    std::fs::write(&stray, b"half").unwrap();
    std::fs::write(book.folder().join("raw/pages-0.zst"), b"whole").unwrap();
    let lock = book.lock("pull").unwrap();
    assert!(!stray.exists());
    assert_eq!((files_in(&book, "segments").len(), files_in(&book, "raw").len()), (1, 1));
    assert_eq!(book.sweep(&lock).unwrap(), 0);
    sound(&book);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_book() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, book) = new_book();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(book.folder()), 0o700);
    assert_eq!(mode(&book.folder().join("book.db")), 0o600);
}
