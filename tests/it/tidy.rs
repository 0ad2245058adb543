//! The architecture as tests: layers, sizes, and what may be used only in one place. The checks read text; `planted`
//! proves that each of them sees what it is for.

mod planted;
mod source;

use std::collections::BTreeSet;

use source::{Source, fixed_texts_of_calls, is_name_byte, repository};

/// What each folder of `src/` may use of the others: module paths below `crate::`.
const LAYERS: [(&str, &[&str]); 10] = [
    ("domain", &[]),
    ("rules", &["domain"]),
    ("stage", &["domain", "rules"]),
    ("columnar", &["domain", "rules", "stage"]),
    ("ringcentral", &["domain"]),
    ("book", &["domain"]),
    ("output", &["domain"]),
    ("sandbox", &[]),
    ("run", &["domain", "rules", "stage", "columnar", "ringcentral", "book", "output", "sandbox", "run"]),
    (
        "cli",
        &[
            "run",
            "domain",
            "book",
            "sandbox",
            "stage::explain",
            "rules::RuleSet",
            "rules::config",
            "rules::diagnostic",
            "rules::lint",
            "rules::load",
            "rules::reader",
            "rules::schema",
            "ringcentral::client",
            "ringcentral::clock",
            "ringcentral::credentials",
            "ringcentral::puller",
        ],
    ),
];

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 600;

/// Where files are written, outside tests. A new place is a decision to take, not an accident.
/// `crash.rs` writes in debug builds only, for the tests that kill the program.
const WRITERS: [&str; 8] = [
    "src/book/crash.rs",
    "src/book/files.rs",
    "src/cli/init.rs",
    "src/cli/price.rs",
    "src/cli/sandbox.rs",
    "src/output/publish.rs",
    "src/run/demo.rs",
    "src/sandbox/customer/mod.rs",
];

const WRITING: [&str; 11] = [
    "fs::write(",
    "fs::create_dir(",
    "fs::create_dir_all(",
    "fs::rename(",
    "fs::remove_",
    "fs::copy(",
    "fs::hard_link(",
    "fs::set_permissions(",
    "File::create(",
    "File::create_new(",
    "OpenOptions::new(",
];

const SQL: [&str; 6] = ["rusqlite", "\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE ", "\"CREATE TABLE"];

const PRINTING: [&str; 5] = ["println!(", "print!(", "dbg!(", "io::stdout(", "io::stderr("];

/// Uses of other folders than the layers allow, by `crate::` or by climbing with `super::`.
fn layer_faults(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| source.path.starts_with("src/")) {
        let Some(layer) = source.layer() else { continue };
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
            faults.push(format!("{}: {layer} has no place among the layers", source.path));
            continue;
        };
        for (line, used) in source.crate_paths() {
            let within = |allowed: &&&str| {
                used == **allowed || used.strip_prefix(**allowed).is_some_and(|rest| rest.starts_with("::"))
            };
            let own = used == layer || used.starts_with(&format!("{layer}::"));
            if !own && !allowed.iter().any(|entry| within(&entry)) {
                faults.push(format!("{}:{line}: {layer} may not use crate::{used}", source.path));
            }
        }
        for (line, climbs) in source.climbs() {
            if climbs > source.depth(line) {
                faults.push(format!("{}:{line}: climbs out of {layer} by super::", source.path));
            }
        }
    }
    faults
}

fn size_faults(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        let lines = source.production().lines().count();
        if lines > FILE_LINES_MAX {
            faults.push(format!("{}: {lines} lines", source.path));
        }
        for (line, name, length) in source.functions() {
            if length > FUNCTION_LINES_MAX {
                faults.push(format!("{}:{line}: {name} has {length} lines", source.path));
            }
        }
    }
    faults
}

/// Folders whose page does not open with a paragraph.
fn opening_faults(sources: &[Source]) -> Vec<String> {
    let folder = |source: &&Source| source.path.ends_with("/mod.rs") || source.path == "src/run.rs";
    let opens = |source: &&Source| source.text.starts_with("//! ");
    sources
        .iter()
        .filter(folder)
        .filter(|source| !opens(source))
        .map(|source| format!("{}: no opening paragraph", source.path))
        .collect()
}

/// Words that stand in production code of some paths.
fn word_faults(sources: &[Source], concerned: impl Fn(&str) -> bool, words: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| concerned(&source.path) && !source.only_for_tests) {
        for (line, text) in source.code_lines() {
            for word in words.iter().filter(|word| holds_word(text, word)) {
                faults.push(format!("{}:{line}: {word}", source.path));
            }
        }
    }
    faults
}

/// Whether the word stands in the text, and not as a part of a longer one.
fn holds_word(text: &str, word: &str) -> bool {
    let joins = |left: Option<u8>, right: Option<u8>| {
        left.is_some_and(is_name_byte) && right.is_some_and(is_name_byte)
    };
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (text[..at].bytes().last(), text[at + word.len()..].bytes().next());
        let runs_on = !word.ends_with('_') && joins(word.bytes().last(), after);
        !joins(before, word.bytes().next()) && !runs_on
    })
}

fn is_exact(path: &str) -> bool {
    ["domain", "rules", "stage", "columnar"].iter().any(|layer| path.starts_with(&format!("src/{layer}/")))
}

/// Codes of diagnostics: words with hyphens among the fixed texts given to the functions that complain.
fn codes(sources: &[Source]) -> BTreeSet<String> {
    let code = |text: &String| {
        text.contains('-')
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
    };
    let mut found = BTreeSet::new();
    for source in sources.iter().filter(|source| !source.only_for_tests) {
        for call in ["Diagnostic::error(", "complain(", "complaint(", "warn("] {
            found.extend(fixed_texts_of_calls(source.production(), call).into_iter().filter(code));
        }
    }
    found
}

/// The headings of the gallery, which is the last section of the page.
fn headings(page: &str) -> BTreeSet<String> {
    let gallery = page.split_once("\n## Diagnostics\n").map_or("", |(_, gallery)| gallery);
    gallery.lines().filter_map(|line| line.strip_prefix("### ")).map(str::to_owned).collect()
}

/// Paths of somebody's machine and hosts of registries.
fn machine_faults(files: &[(String, String)]) -> Vec<String> {
    // Put together here, so that this file does not hold what it looks for.
    let words: Vec<String> = [
        ["/ho", "me/"],
        ["/ro", "ot/"],
        ["/Us", "ers/"],
        ["/wo", "rk/"],
        ["/t", "mp/"],
        ["artif", "actory"],
        ["npm", "js.org"],
        ["py", "pi.org"],
        ["static.cra", "tes.io"],
        ["index.cra", "tes.io"],
        ["proxy.go", "lang.org"],
        ["registry-", "mirror"],
    ]
    .map(|parts| parts.concat())
    .to_vec();
    let mut faults = Vec::new();
    for (path, text) in files {
        for (index, line) in text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(word.as_str())) {
                faults.push(format!("{path}:{}: {word}", index + 1));
            }
        }
    }
    faults
}

fn lock_faults(lock: &str) -> Vec<String> {
    let official = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    lock.lines()
        .filter(|line| line.starts_with("source = ") && *line != official)
        .map(str::to_owned)
        .collect()
}

fn ignored_faults(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        for (line, text) in source.all_lines() {
            if text.trim_start().starts_with(concat!("#[", "ignore")) {
                faults.push(format!("{}:{line}: ignored", source.path));
            }
        }
    }
    faults
}

#[track_caller]
fn check(faults: &[String]) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn layers_are_one_way() {
    check(&layer_faults(&repository().sources));
}

#[test]
fn functions_fit_a_screen_and_files_tell_one_story() {
    check(&size_faults(&repository().sources));
}

#[test]
fn folders_open_with_what_they_are_for() {
    check(&opening_faults(&repository().sources));
}

#[test]
fn no_floats_near_money() {
    check(&word_faults(&repository().sources, is_exact, &["f32", "f64"]));
}

#[test]
fn only_the_printer_writes_to_the_terminal() {
    let concerned = |path: &str| path.starts_with("src/") && path != "src/cli/printer.rs";
    check(&word_faults(&repository().sources, concerned, &PRINTING));
    check(&word_faults(&repository().sources, concerned, &["eprintln!(", "eprint!("]));
}

#[test]
fn files_are_written_in_few_places() {
    let sources = &repository().sources;
    check(&word_faults(sources, |path| path.starts_with("src/") && !WRITERS.contains(&path), &WRITING));
    for place in WRITERS {
        let faults = word_faults(sources, |path| path == place, &WRITING);
        assert!(!faults.is_empty(), "{place} writes nothing any more: take it off the list");
    }
}

#[test]
fn sql_stays_in_the_book() {
    let concerned = |path: &str| path.starts_with("src/") && !path.starts_with("src/book/");
    check(&word_faults(&repository().sources, concerned, &SQL));
}

#[test]
fn every_code_has_a_heading_in_the_manual() {
    let repository = repository();
    let used = codes(&repository.sources);
    let written = headings(repository.text("rules/README.md"));
    let missing: Vec<&String> = used.difference(&written).collect();
    let dead: Vec<&String> = written.difference(&used).collect();
    assert!(missing.is_empty(), "codes without a heading in rules/README.md: {missing:?}");
    assert!(dead.is_empty(), "headings of codes that nothing says: {dead:?}");
    assert!(used.len() > 30, "the codes are found: {used:?}");
}

#[test]
fn no_machine_is_named() {
    check(&machine_faults(&repository().files));
    check(&lock_faults(repository().text("Cargo.lock")));
}

#[test]
fn no_test_is_ignored() {
    check(&ignored_faults(&repository().sources));
}
