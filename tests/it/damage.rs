//! Files that were damaged, disks that fill, books of another age: what the program says, and the way out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tollbook::book::Book;

use crate::company::{Company, Ended, FROM, LATE, Workspace, sunday};

fn collected(company: &Company) -> (tollbook::sandbox::Running, Workspace) {
    let service = company.serve_with(LATE, |options| options.per_page_at_most = 40);
    let workspace = Workspace::new(&company.world, &service);
    workspace.pull(LATE).expect(0);
    (service, workspace)
}

/// The files of one folder of the book, by name.
fn files(workspace: &Workspace, inner: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(workspace.book().join(inner)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_segment_is_found_and_made_again() {
    let company = Company::new(sunday());
    let (_service, workspace) = collected(&company);
    let counts = workspace.counts();
    flip(&files(&workspace, "segments")[0]);
    let verified = workspace.run(&["verify"]).expect(7);
    assert!(verified.out.contains("`tollbook rebuild`"), "{}", verified.out);
    workspace.run(&["run", "--period", "2026-10"]).expect(7);
    workspace.run(&["rebuild", "--check"]).expect(7);
    let rebuilt = workspace.run(&["rebuild"]).expect(0);
    assert!(rebuilt.out.contains("put right"), "{}", rebuilt.out);
    workspace.run(&["verify"]).expect(0);
    workspace.run(&["rebuild", "--check"]).expect(0);
    assert_eq!(workspace.counts(), counts);
}

#[test]
fn a_damaged_raw_file_is_named_given_up_and_read_again_from_the_service() {
    let company = Company::new(sunday());
    let (_service, workspace) = collected(&company);
    let digest = || {
        let kinds = tollbook::domain::record::RecordKind::ALL;
        Book::open(&workspace.book()).unwrap().record_digest(kinds, None).unwrap()
    };
    let before = digest();
    for file in files(&workspace, "raw") {
        flip(&file);
    }
    let verified = workspace.run(&["verify"]).expect(7);
    assert!(verified.out.contains("of call-log from"), "{}", verified.out);
    assert!(verified.out.contains("rebuild --reopen-damaged"), "{}", verified.out);
    // A rebuild keeps what the segments and other pages hold, and says that raw pages are gone.
    let rebuilt = workspace.run(&["rebuild"]).expect(7);
    assert!(rebuilt.out.contains("\ndamaged: pages-"), "{}", rebuilt.out);
    assert_eq!(digest(), before);
    workspace.run(&["rebuild", "--reopen-damaged", "--actor", "test"]).expect(2);
    workspace.run(&["rebuild", "--reopen-damaged", "--actor", "test", "--reason", " "]).expect(2);
    let given_up = ["rebuild", "--reopen-damaged", "--actor", "test", "--reason", "no backup"];
    let given_up = workspace.run(&given_up).expect(0);
    assert!(given_up.out.contains("to be listed again"), "{}", given_up.out);
    let verified = workspace.run(&["verify"]).expect(7);
    assert!(verified.out.contains("pull to list its windows again"), "{}", verified.out);
    workspace.pull(LATE).expect(0);
    let verified = workspace.run(&["verify"]).expect(0);
    assert!(verified.out.contains("but for what was given up\npages-"), "{}", verified.out);
    assert_eq!(digest(), before);
    let damage = Book::open(&workspace.book()).unwrap().damage().unwrap();
    let missed: u64 = damage
        .iter()
        .flat_map(|damage| &damage.windows)
        .filter(|window| window.can_be_listed)
        .map(|window| window.records_not_served_again)
        .sum();
    assert!(!damage.is_empty() && damage.iter().all(|damage| damage.is_settled()), "{damage:?}");
    assert_eq!(missed, 0, "the service still had everything");
    workspace.run(&["rebuild"]).expect(0);
    assert_eq!(digest(), before);
}

#[test]
fn a_book_from_a_newer_version_is_left_alone() {
    let company = Company::new(sunday());
    let (_service, workspace) = collected(&company);
    let path = workspace.book().join("book.db");
    let mut bytes = fs::read(&path).unwrap();
    // The user version of an SQLite file: four bytes from byte 60 on.
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(&path, &bytes).unwrap();
    let before = crate::company::tree(&workspace.book());
    let pull = ["pull", "--from", FROM, "--at", LATE];
    let commands: [&[&str]; 6] =
        [&["status"], &["verify"], &pull, &["rebuild"], &["compact"], &["run", "--period", "2026-10"]];
    for command in commands {
        let ended = workspace.run(command).expect(7);
        assert!(ended.err.contains("99"), "{}", ended.err);
        let after = crate::company::tree(&workspace.book());
        assert_eq!(crate::company::difference(&before, &after), None, "{command:?}");
    }
}

/// The program where no file may grow beyond some blocks of 512 bytes: to it, a disk that is full.
fn with_small_files(workspace: &Workspace, blocks: u32, arguments: &[&str]) -> Ended {
    let plain = workspace.command(arguments);
    let mut command = Command::new("sh");
    // The signal that comes with the limit is ignored, so that writing fails instead.
    command.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", &blocks.to_string()]);
    command.arg(plain.get_program()).args(plain.get_args());
    command.current_dir(workspace.folder.path()).stdin(std::process::Stdio::null());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Ended::of(command.output().unwrap())
}

#[cfg(unix)]
#[test]
fn a_disk_that_fills_in_the_middle_of_a_page_loses_nothing() {
    let company = Company::new(sunday());
    let (service, whole) = collected(&company);
    let expected = whole.counts();
    let pull = ["pull", "--from", FROM, "--at", LATE, "--format", "json"];
    let mut landed = Vec::new();
    for blocks in [700, 1000, 1400, 2000] {
        let workspace = Workspace::new(&company.world, &service);
        let full = with_small_files(&workspace, blocks, &pull);
        if full.code == Some(0) {
            break;
        }
        let full = full.expect(8);
        assert!(full.err.contains("Free some space"), "{}", full.err);
        workspace.run(&["verify"]).expect(0);
        landed.push(Book::open(&workspace.book()).unwrap().status().unwrap().pending);
        workspace.run(&pull).expect(0);
        workspace.run(&["verify"]).expect(0);
        assert_eq!(workspace.counts(), expected, "{blocks}");
    }
    assert!(landed.iter().any(|count| *count > 0), "some pages were in the book already: {landed:?}");
}
