//! The rule language: what each construct is read as, and that what is not meant is refused.

mod language;
mod periods;
mod pieces;
mod prices;

use crate::domain::Country;
use crate::rules::diagnostic::{Diagnostic, SourceFile};
use crate::rules::ruleset::{Rate, RuleSet, TariffVersion};

use super::rule_set;

/// A tariff without rates.
const TARIFF: &str = "[tariff.t]\ncurrency = \"USD\"\nzone = \"America/New_York\"\n";

/// A rate that is never wrong.
const PLAIN: &str = "[[tariff.t.rate]]\nname = \"Plain\"\nprice = \"0.10 per minute\"\n";

fn file(name: &str, text: &str) -> SourceFile {
    SourceFile { name: name.to_owned(), text: text.to_owned() }
}

fn load(files: &[SourceFile]) -> Result<RuleSet, Vec<Diagnostic>> {
    rule_set(files, Country::from_code("US").expect("a country")).map(|(rules, _)| rules)
}

#[track_caller]
fn rules(text: &str) -> RuleSet {
    match load(&[file("rules.toml", text)]) {
        Ok(rules) => rules,
        Err(mistakes) => panic!("{text}\n{mistakes:#?}"),
    }
}

/// The rules of a tariff with these lines and one plain rate, and these definitions after it.
#[track_caller]
fn tariff(lines: &str, after: &str) -> TariffVersion {
    rules(&format!("{TARIFF}{lines}\n{PLAIN}{after}")).tariffs.remove(0)
}

/// The one rate of a tariff with these lines of its own, and these definitions after it.
#[track_caller]
fn rate(lines: &str, after: &str) -> Rate {
    rules(&format!("{TARIFF}[[tariff.t.rate]]\n{lines}\n{after}")).tariffs.remove(0).rates.remove(0)
}

/// The codes of all mistakes, in the order of the text.
#[track_caller]
fn codes(text: &str) -> Vec<&'static str> {
    let mut mistakes = load(&[file("rules.toml", text)]).expect_err("the rules are wrong");
    mistakes.sort_by_key(|mistake| mistake.span.as_ref().map_or(0, |span| span.start));
    for mistake in &mistakes {
        assert!(mistake.span.as_ref().is_some_and(|span| span.end <= text.len()), "{mistake:?}");
        let is_type = mistake.code == "wrong-type" || mistake.code == "toml-syntax";
        assert!(is_type || mistake.hint.is_some(), "{mistake:?}");
        assert!(!mistake.message.ends_with('.'), "{mistake:?}");
    }
    mistakes.into_iter().map(|mistake| mistake.code).collect()
}

#[track_caller]
fn refused_tariff(lines: &str, after: &str, expected: &[&str]) {
    let text = format!("{TARIFF}{lines}\n{PLAIN}{after}");
    assert_eq!(codes(&text), expected, "{text}");
}

#[track_caller]
fn refused_rate(lines: &str, expected: &[&str]) {
    let text = format!("{TARIFF}[[tariff.t.rate]]\n{lines}\n");
    assert_eq!(codes(&text), expected, "{text}");
}
