//! Keys that are read alike wherever they stand: values, words, lists of words. Each complains where it stands.

use std::fmt::Display;

use super::reader;
use super::table::{Table, Text, nearest};

pub(super) const GRANT_HINT: &str = "Write a count and a unit: \"500 minutes\", \"100 messages\".";
pub(super) const AMOUNT_HINT: &str = "Write digits in quotes: \"0.10\".";
pub(super) const NAME_HINT: &str = "The name stands on the invoice.";

/// The hours of a band as minutes of the day; all day without the key.
pub(super) fn band_hours(table: &Table<'_, '_>) -> (u32, u32) {
    let hint = "Write hours as \"08:00-18:00\"; \"22:00-06:00\" wraps past midnight.";
    value(table, "hours", reader::hours, hint).unwrap_or((0, 1440))
}

/// What is known instead of a name that is not; `plural` begins a sentence.
pub(super) fn known_hint<'w>(
    word: &str,
    known: impl Iterator<Item = &'w str> + Clone,
    plural: &str,
) -> String {
    let mut names: Vec<&str> = known.clone().collect();
    names.dedup();
    let listed = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    match nearest(word, known) {
        Some(near) => format!("Did you mean {near}? {plural} are: {listed}."),
        None => format!("{plural} are: {listed}."),
    }
}

/// A text with a meaning; absent and wrong are both `None`, and wrong is complained about.
pub(super) fn value<T>(
    table: &Table<'_, '_>,
    key: &'static str,
    read: impl Fn(&str) -> Result<T, String>,
    hint: &str,
) -> Option<T> {
    let text = table.text(key)?;
    match read(&text.value) {
        Ok(value) => Some(value),
        Err(message) => {
            table.complain("wrong-value", text.span, message, hint);
            None
        }
    }
}

/// As [`value`] for a key that must be there.
pub(super) fn required_value<T>(
    table: &Table<'_, '_>,
    key: &'static str,
    read: impl Fn(&str) -> Result<T, String>,
    hint: &str,
) -> Option<T> {
    table.required_text(key, hint)?;
    value(table, key, read, hint)
}

/// One of some words; absent and wrong are both `None`, and wrong is complained about.
pub(super) fn word<T: Copy + Display>(
    table: &Table<'_, '_>,
    key: &'static str,
    from_word: impl Fn(&str) -> Option<T>,
    all: &[T],
) -> Option<T> {
    let text = table.text(key)?;
    let found = from_word(&text.value);
    if found.is_none() {
        complain_about_word(table, key, &text, all);
    }
    found
}

/// As [`word`] for a key that must be there.
pub(super) fn required_word<T: Copy + Display>(
    table: &Table<'_, '_>,
    key: &'static str,
    from_word: impl Fn(&str) -> Option<T>,
    all: &[T],
) -> Option<T> {
    if table.get(key).is_none() {
        table.complain("missing-key", table.span.clone(), format!("{} has no {key}", table.what), "");
        return None;
    }
    word(table, key, from_word, all)
}

/// A word or a list of words; absent is an empty list.
pub(super) fn read_words<T: Copy + Display>(
    table: &Table<'_, '_>,
    key: &'static str,
    from_word: impl Fn(&str) -> Option<T>,
    all: &[T],
) -> Vec<T> {
    let mut found = Vec::new();
    for text in table.texts(key) {
        match from_word(&text.value) {
            Some(value) => found.push(value),
            None => complain_about_word(table, key, &text, all),
        }
    }
    found
}

fn complain_about_word<T: Display>(table: &Table<'_, '_>, key: &str, text: &Text, all: &[T]) {
    let words: Vec<String> = all.iter().map(ToString::to_string).collect();
    let message = format!("\"{}\" is not a {key}", text.value);
    let hint = match nearest(&text.value, words.iter().map(String::as_str)) {
        Some(near) => format!("Did you mean \"{near}\"?"),
        None => format!("Write one of: {}.", words.join(", ")),
    };
    table.complain("unknown-word", text.span.clone(), message, &hint);
}
