//! The files of the manual and the rule sets that are shipped: each block of `rules/README.md` that is a whole file has a
//! file name after its language, and loads; the examples in all of them hold.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::session::Session;

const PAGE: &str = include_str!("../../rules/README.md");

/// A fenced block: language, file name if it is a whole file, text.
struct Block {
    language: String,
    name: Option<String>,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for line in PAGE.lines() {
        match (line.strip_prefix("```"), open) {
            (Some(_), true) => open = false,
            (Some(head), false) => {
                let mut words = head.split_whitespace().map(str::to_owned);
                let language = words.next().unwrap_or_default();
                blocks.push(Block { language, name: words.next(), text: String::new() });
                open = true;
            }
            (None, true) => {
                let block = blocks.last_mut().unwrap();
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, false) => {}
        }
    }
    assert!(!open, "a block of the manual is not closed");
    blocks
}

/// Loads a folder of rules without a warning but the allowed one, and runs its examples; the count of those.
#[track_caller]
fn holds(session: &mut Session, folder: &str, name: &str, allowed: &str) -> usize {
    for command in ["check", "test"] {
        let ended = session.run(&["rules", command, folder]);
        assert_eq!(ended.exit, 0, "{name}: rules {command}\n{}{}", ended.output, ended.talk);
        let warned = ended.talk.lines().any(|line| line.starts_with("warning[") && !line.contains(allowed));
        assert!(!warned, "{name}: rules {command}\n{}", ended.talk);
        if command == "test" {
            let (passed, rest) = ended.output.trim().split_once(" passed").expect("a count");
            assert_eq!(rest, ", 0 failed", "{name}: {}", ended.output);
            return passed.lines().last().unwrap_or_default().parse().expect("a count");
        }
    }
    unreachable!("`rules test` is the last command");
}

#[test]
fn the_files_of_the_manual_hold() {
    let blocks = blocks();
    let mut files = 0;
    for block in blocks.iter().filter(|block| block.language == "toml") {
        let Some(name) = &block.name else { continue };
        let mut session = Session::new();
        session.write(&format!("rules/{name}"), &block.text);
        for companion in blocks.iter().filter(|block| block.language == "csv") {
            session.write(&format!("rules/{}", companion.name.as_ref().unwrap()), &companion.text);
        }
        let written = block.text.matches("[[example]]").count();
        // The first file has a band in the hour that comes twice, to show what becomes of it.
        let ran = holds(&mut session, "rules", name, "[band-at-clock-change]");
        assert_eq!(ran, written, "{name}: every example ran");
        files += 1;
    }
    assert!(files >= 10, "the whole files are found: {files}");
}

#[test]
fn the_fragments_of_the_manual_are_toml() {
    for block in blocks().iter().filter(|block| block.language == "toml" && block.name.is_none()) {
        if let Err(error) = toml::from_str::<toml::Table>(&block.text) {
            panic!("{error}\n{}", block.text);
        }
    }
}

/// Folders below `rules/`, each a rule set with its companions.
fn shipped() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let entries = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

#[test]
fn the_shipped_rule_sets_hold() {
    let folders = shipped();
    assert!(folders.len() >= 5, "the rule sets are found: {folders:?}");
    for folder in folders {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let mut session = Session::new();
        let examples = holds(&mut session, folder.to_str().unwrap(), name, "no warning");
        assert!(examples >= 2, "{name} has examples");
    }
}

#[test]
fn the_contact_lists_of_the_shipped_rule_sets_fit_their_tariffs() {
    for folder in shipped() {
        let contacts = folder.join("contacts.csv");
        if !contacts.exists() {
            continue;
        }
        let mut session = Session::new();
        let configuration = format!(
            "zone = \"America/New_York\"\nrules = \"{}\"\ncontacts = \"{}\"\n",
            folder.display(),
            contacts.display()
        );
        session.write("tollbook.toml", configuration);
        let ended = session.run(&["contacts", "check"]);
        assert_eq!(ended.exit, 0, "{}: {}{}", folder.display(), ended.output, ended.talk);
    }
}

#[test]
fn init_writes_each_rule_set_whole() {
    for template in ["example", "law-firm", "managed-service-provider", "answering-service", "clinic"] {
        let mut session = Session::new();
        let written = session.run(&["init", "--template", template]);
        assert_eq!(written.exit, 0, "{template}: {}", written.talk);
        holds(&mut session, "rules", template, "no warning");
        let contacts = session.run(&["contacts", "check"]);
        assert_eq!(contacts.exit, 0, "{template}: {}", contacts.talk);
    }
}

/// `tests/README.md` says which test proves what: each name must be a test.
#[test]
fn the_tests_that_prove_something_are_there() {
    let page = include_str!("../README.md");
    let mut sources = String::new();
    for folder in ["src", "tests"] {
        gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut sources);
    }
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.contains("::"));
    let mut named = 0;
    for name in rows.flat_map(|row| row.split('`').skip(1).step_by(2)).filter(|name| name.contains("::")) {
        let test = name.rsplit("::").next().unwrap();
        assert!(sources.contains(&format!("fn {test}()")), "{name} is no test");
        named += 1;
    }
    assert!(named >= 60, "the names are found: {named}");
}

fn gather(folder: &Path, sources: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
