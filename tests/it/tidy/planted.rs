//! Every check is shown what it must see, and what it must let pass.

use super::source::{Source, sources};
use super::*;

fn one(path: &str, text: &str) -> Vec<Source> {
    sources(&[(path, text)])
}

#[test]
fn a_use_against_the_direction_is_seen() {
    for text in [
        "use crate::book::Book;\n",
        "use crate::{book::Book, domain::Exit};\n",
        "fn f() {\n    crate::output::publish();\n}\n",
        "use super::super::book::Book;\n",
    ] {
        assert_eq!(layer_faults(&one("src/stage/planted.rs", text)).len(), 1, "{text}");
    }
    for text in ["use crate::domain::Exit;\n", "// crate::book keeps it\n", "use super::rate::rate;\n"] {
        check(&layer_faults(&one("src/stage/planted.rs", text)));
    }
    assert_eq!(layer_faults(&one("src/cli/planted.rs", "use crate::stage::rate::rate;\n")).len(), 1);
    assert_eq!(layer_faults(&one("src/cli/planted.rs", "use crate::rules::{RuleSet, compile};\n")).len(), 1);
    check(&layer_faults(&one("src/cli/planted.rs", "use crate::rules::{RuleSet, load};\n")));
    assert_eq!(layer_faults(&one("src/novel/mod.rs", "//! New.\n")).len(), 1, "a folder nobody placed");
    let tests = "use super::rate;\n#[cfg(test)]\nmod tests {\n    use super::super::words;\n}\n";
    check(&layer_faults(&one("src/stage/planted.rs", tests)));
}

#[test]
fn a_long_function_and_a_long_file_are_seen() {
    let body = |lines: usize| format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines));
    assert_eq!(size_faults(&one("src/a.rs", &body(69))).len(), 1);
    check(&size_faults(&one("src/a.rs", &body(68))));
    let wide = format!(
        "    pub(super) fn long(\n        a: u8,\n    ) {{\n{}    }}\n",
        "        step();\n".repeat(67)
    );
    assert_eq!(size_faults(&one("src/a.rs", &wide)).len(), 1);
    assert_eq!(size_faults(&one("src/a.rs", &"// line\n".repeat(601))).len(), 1);
    let tested = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "// a\n".repeat(600), "// b\n".repeat(300));
    check(&size_faults(&one("src/a.rs", &tested)));
}

#[test]
fn a_folder_without_a_paragraph_is_seen() {
    assert_eq!(opening_faults(&one("src/stage/mod.rs", "pub mod rate;\n")).len(), 1);
    assert_eq!(opening_faults(&one("src/run.rs", "pub mod rate;\n")).len(), 1);
    check(&opening_faults(&one("src/stage/mod.rs", "//! The pure stages.\n")));
}

#[test]
fn forbidden_words_are_seen_outside_tests_only() {
    let floats = |text: &str| word_faults(&one("src/domain/a.rs", text), is_exact, &["f32", "f64"]).len();
    assert_eq!(floats("let price = seconds as f64;\n"), 1);
    assert_eq!(floats("let buf32 = 1; // not an f32\n"), 0);
    assert_eq!(floats("#[cfg(test)]\nmod tests {\n    fn f(a: f64) {}\n}\n"), 0);
    let prints = |text: &str| word_faults(&one("src/run/a.rs", text), |_| true, &PRINTING).len();
    assert_eq!(prints("    println!(\"x\");\n"), 1);
    assert_eq!(prints("    dbg!(x);\n"), 1);
    assert_eq!(
        word_faults(&one("src/run/a.rs", "    std::fs::write(p, b)?;\n"), |_| true, &WRITING).len(),
        1
    );
    assert_eq!(
        word_faults(&one("src/run/a.rs", "    fs::remove_dir_all(p)?;\n"), |_| true, &WRITING).len(),
        1
    );
    assert_eq!(word_faults(&one("src/run/a.rs", "    fs::read(p)?;\n"), |_| true, &WRITING).len(), 0);
    assert_eq!(word_faults(&one("src/run/a.rs", "    sql(\"SELECT 1\");\n"), |_| true, &SQL).len(), 1);
}

#[test]
fn modules_of_tests_are_known() {
    let files = [
        ("src/a/mod.rs", "#[cfg(test)]\nmod samples;\n"),
        ("src/a/samples.rs", "fn f() {\n    println!(\"x\");\n}\n"),
    ];
    check(&word_faults(&sources(&files), |_| true, &PRINTING));
}

#[test]
fn codes_are_found_wherever_they_stand_among_the_arguments() {
    let text = "table.complain(\n    \"missing-key\",\n    span,\n    format!(\"a-b {x}\"),\n    \"Write it.\");\n\
        self.complain(row, \"due_to\", \"empty-window\", message(\"not-this\"), \"\");\n\
        Diagnostic::error(\"toml-syntax\", file, span, \"a \\\"quoted-word\\\" in it\")\n";
    let found = codes(&one("src/rules/a.rs", text));
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["empty-window", "missing-key", "toml-syntax"]);
    assert_eq!(headings("### Rate\n## Diagnostics\n### missing-key\n\n### toml-syntax\n").len(), 2);
}

#[test]
fn machines_and_other_registries_are_seen() {
    let file = |text: String| vec![("a.md".to_owned(), text)];
    assert_eq!(machine_faults(&file(["see /ho", "me/anna/x"].concat())).len(), 1);
    check(&machine_faults(&file("see src/README.md".to_owned())));
    assert_eq!(lock_faults("source = \"registry+https://mirror.invalid/index\"\n").len(), 1);
    check(&lock_faults("source = \"registry+https://github.com/rust-lang/crates.io-index\"\n"));
}

#[test]
fn an_ignored_test_is_seen() {
    assert_eq!(ignored_faults(&one("tests/it/a.rs", concat!("    #[", "ignore = \"slow\"]\n"))).len(), 1);
}
