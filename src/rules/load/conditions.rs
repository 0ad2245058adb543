//! Conditions of rates, allowances and coding rules: `match` keys and `where`.

use std::fmt::Display;

use crate::domain::number::NumberClass;
use crate::domain::outcome::{Channel, CodePattern, Direction, Outcome};
use crate::rules::parts::{known_hint, read_words};
use crate::rules::reader;
use crate::rules::ruleset::{Condition, Match, Place};
use crate::rules::table::{Table, Text};

use super::Draft;

/// The most conditions of one rule set: they are the bits of one word.
const CONDITIONS_MAX: usize = 64;

pub(super) const CODE_HINT: &str = "Write a code (\"SMS-RC-503\"), or how it begins (\"SMS-UP-*\").";

impl Draft<'_> {
    /// The conditions of a table: those under a key, and its `where`.
    pub(super) fn read_conditions(&mut self, table: &Table<'_, '_>, key: &'static str) -> Match {
        let what = format!("{key} of {}", table.what);
        let matches = table.table(key, what).map(|inner| self.read_match(inner)).unwrap_or_default();
        Match { condition: self.read_where(table), ..matches }
    }

    fn read_match(&self, inner: Table<'_, '_>) -> Match {
        let matches = Match {
            channels: words(&inner, "channel", Channel::from_word, Channel::ALL),
            directions: words(&inner, "direction", Direction::from_word, Direction::ALL),
            to: places(&inner, "to"),
            from: places(&inner, "from"),
            to_classes: words(&inner, "to_class", NumberClass::from_word, NumberClass::ALL),
            from_classes: words(&inner, "from_class", NumberClass::from_word, NumberClass::ALL),
            extensions: extensions(&inner),
            departments: names(&inner, "department"),
            sites: names(&inner, "site"),
            cost_centres: names(&inner, "cost_centre"),
            matters: names(&inner, "matter"),
            timekeepers: self.timekeepers(&inner),
            tasks: names(&inner, "task"),
            outcomes: words(&inner, "outcome", Outcome::from_word, Outcome::ALL),
            error_codes: error_codes(&inner),
            bands: self.bands(&inner),
            condition: None,
        };
        inner.finish();
        matches
    }

    fn bands(&self, inner: &Table<'_, '_>) -> Vec<usize> {
        refuse_empty(inner, "band");
        let mut found = Vec::new();
        for text in inner.texts("band") {
            match self.rules.bands.iter().position(|band| band.name == text.value) {
                Some(band) => found.push(band),
                None => {
                    let known = self.rules.bands.iter().map(|band| band.name.as_str());
                    let hint = known_hint(&text.value, known, "Bands");
                    let message = format!("there is no band called {}", text.value);
                    inner.complain("unknown-band", text.span, message, &hint);
                }
            }
        }
        found
    }

    fn timekeepers(&self, inner: &Table<'_, '_>) -> Vec<String> {
        refuse_empty(inner, "timekeeper");
        let texts = inner.texts("timekeeper");
        texts.into_iter().filter_map(|text| self.timekeeper(inner, text)).collect()
    }

    /// A timekeeper who is spoken of, if there is one.
    pub(super) fn timekeeper(&self, table: &Table<'_, '_>, text: Text) -> Option<String> {
        if self.rules.timekeepers.iter().any(|known| known.id == text.value) {
            return Some(text.value);
        }
        let known = self.rules.timekeepers.iter().map(|known| known.id.as_str());
        let hint = known_hint(&text.value, known, "Timekeepers");
        let message = format!("there is no timekeeper called {}", text.value);
        table.complain("unknown-timekeeper", text.span, message, &hint);
        None
    }

    fn read_where(&mut self, table: &Table<'_, '_>) -> Option<usize> {
        let text = table.text("where")?;
        if text.value.trim().is_empty() {
            let hint = "Write a condition such as \"seconds > 60\", or leave the key out.";
            table.complain("wrong-value", text.span, "the condition is empty", hint);
            return None;
        }
        if let Some(index) = self.rules.conditions.iter().position(|known| known.text == text.value) {
            return Some(index);
        }
        if self.rules.conditions.len() == CONDITIONS_MAX {
            let message = format!("there are more than {CONDITIONS_MAX} different conditions");
            let hint = "Say some of them with match keys.";
            table.complain("too-many-conditions", text.span, message, hint);
            return None;
        }
        let condition = Condition { text: text.value, file: table.file.to_owned(), span: text.span };
        self.rules.conditions.push(condition);
        Some(self.rules.conditions.len() - 1)
    }
}

/// A list without entries reads like "none of them" and would mean "any of them".
fn refuse_empty(inner: &Table<'_, '_>, key: &'static str) {
    if inner.is_empty_list(key) {
        let message = format!("{key} of {} has no entries", inner.what);
        let hint = "Name at least one, or leave the key out to ask for nothing.";
        inner.complain("empty-list", inner.span_of(key), message, hint);
    }
}

fn words<T: Copy + Display>(
    inner: &Table<'_, '_>,
    key: &'static str,
    from_word: impl Fn(&str) -> Option<T>,
    all: &[T],
) -> Vec<T> {
    refuse_empty(inner, key);
    read_words(inner, key, from_word, all)
}

/// Every entry of a list that can be read; `complain` is given the others.
fn list<T>(
    inner: &Table<'_, '_>,
    key: &'static str,
    read: impl Fn(&str) -> Result<T, String>,
    complain: impl Fn(Text, String),
) -> Vec<T> {
    refuse_empty(inner, key);
    let mut found = Vec::new();
    for text in inner.texts(key) {
        match read(&text.value) {
            Ok(value) => found.push(value),
            Err(message) => complain(text, message),
        }
    }
    found
}

fn places(inner: &Table<'_, '_>, key: &'static str) -> Vec<Place> {
    let hint = "Write a country of two letters (\"GB\") or leading digits (\"+4420\").";
    list(inner, key, reader::place, |text, message| inner.complain("wrong-place", text.span, message, hint))
}

fn extensions(inner: &Table<'_, '_>) -> Vec<u64> {
    let hint = "Write it as \"101\".";
    list(inner, "extension", reader::extension, |text, message| {
        inner.complain("wrong-identifier", text.span, message, hint);
    })
}

fn error_codes(inner: &Table<'_, '_>) -> Vec<CodePattern> {
    list(inner, "error_code", reader::code_pattern, |text, message| {
        inner.complain("wrong-value", text.span, message, CODE_HINT);
    })
}

fn names(inner: &Table<'_, '_>, key: &'static str) -> Vec<String> {
    let read = |text: &str| match text.trim().is_empty() {
        true => Err(format!("an empty {key} is never met")),
        false => Ok(text.to_owned()),
    };
    list(inner, key, read, |text, message| {
        inner.complain("wrong-value", text.span, message, "Write the name as the records have it.");
    })
}
