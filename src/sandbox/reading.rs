//! Reading the sandbox's own TOML files: every mistake is told with its place, and all of them at once.

use chrono::TimeDelta;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One mistake in a file that the user wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Names the kind of mistake, as the manual does.
    pub code: &'static str,
    /// Bytes of the text it is about.
    pub span: Range<usize>,
    /// Line of the text, from 1.
    pub line: usize,
    /// Lower case, without a final period.
    pub message: String,
    /// A sentence on how to mend it.
    pub hint: String,
}

/// Gathers what is wrong with one text.
#[derive(Debug)]
pub(crate) struct Reading<'t> {
    text: &'t str,
    mistakes: RefCell<Vec<Mistake>>,
}

impl<'t> Reading<'t> {
    pub(crate) fn new(text: &'t str) -> Reading<'t> {
        Reading { text, mistakes: RefCell::default() }
    }

    /// The table of the whole text; what cannot be parsed is left out and complained about.
    pub(crate) fn parse(&self) -> Spanned<DeTable<'t>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let span = error.span().unwrap_or_default();
            self.complain("toml-syntax", span, error.message(), "The file must be valid TOML.");
        }
        table
    }

    pub(crate) fn complain(
        &self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let before = self.text.as_bytes().iter().take(span.start);
        let line = before.filter(|byte| **byte == b'\n').count() + 1;
        let mistake = Mistake { code, span, line, message: message.into(), hint: hint.into() };
        self.mistakes.borrow_mut().push(mistake);
    }

    /// The value, if nothing was wrong.
    ///
    /// # Errors
    /// All mistakes in the order of their places.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, Vec<Mistake>> {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort_by_key(|mistake| mistake.span.start);
        if mistakes.is_empty() { Ok(value) } else { Err(mistakes) }
    }
}

/// One table being read. Keys that were never asked for are complained about by [`Table::finish`].
#[derive(Debug)]
pub(crate) struct Table<'a, 't> {
    /// What the table is, for messages.
    what: String,
    pub(crate) span: Range<usize>,
    table: &'a DeTable<'t>,
    reading: &'a Reading<'t>,
    asked: RefCell<BTreeSet<&'static str>>,
}

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

impl<'a, 't> Table<'a, 't> {
    pub(crate) fn new(
        what: impl Into<String>,
        span: Range<usize>,
        table: &'a DeTable<'t>,
        reading: &'a Reading<'t>,
    ) -> Table<'a, 't> {
        Table { what: what.into(), span, table, reading, asked: RefCell::default() }
    }

    pub(crate) fn complain(
        &self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.reading.complain(code, span, message, hint);
    }

    fn get(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'t>>> {
        self.asked.borrow_mut().insert(key);
        self.table.get(key)
    }

    /// Complains about a value of the wrong type.
    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'t>>, wanted: &str, hint: &str) {
        let message =
            format!("{key} of {} must be {wanted}, not of type {}", self.what, value.get_ref().type_str());
        self.complain("wrong-type", value.span(), message, hint);
    }

    /// The place of a key's value, if it is there.
    pub(crate) fn place(&self, key: &'static str) -> Option<Range<usize>> {
        self.get(key).map(Spanned::span)
    }

    pub(crate) fn text(&self, key: &'static str) -> Option<Placed<String>> {
        let value = self.get(key)?;
        if let DeValue::String(text) = value.get_ref() {
            return Some(Placed { value: text.to_string(), span: value.span() });
        }
        self.wrong_type(key, value, "a text", "Write the value in quotes.");
        None
    }

    pub(crate) fn flag(&self, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(key, value, "true or false", "Write true or false, without quotes.");
        }
        flag
    }

    /// A whole number within limits.
    pub(crate) fn integer(&self, key: &'static str, least: i64, most: i64) -> Option<i64> {
        let value = self.get(key)?;
        let number = self.whole(key, value)?;
        self.within(key, value.span(), number, least, most)
    }

    /// A list of whole numbers within limits; absent is an empty list.
    pub(crate) fn integers(&self, key: &'static str, least: i64, most: i64) -> Vec<i64> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of whole numbers", "Write it as [3, 9].");
            return Vec::new();
        };
        let number = |item: &Spanned<DeValue<'t>>| {
            let number = self.whole(key, item)?;
            self.within(key, item.span(), number, least, most)
        };
        items.iter().filter_map(number).collect()
    }

    fn whole(&self, key: &str, value: &Spanned<DeValue<'t>>) -> Option<i64> {
        let number = value.get_ref().as_integer();
        let number = number.filter(|number| number.radix() == 10);
        let number = number.and_then(|number| number.as_str().replace('_', "").parse().ok());
        if number.is_none() {
            self.wrong_type(key, value, "a whole number", "Write digits, without quotes or a point.");
        }
        number
    }

    fn within(&self, key: &str, span: Range<usize>, number: i64, least: i64, most: i64) -> Option<i64> {
        if (least..=most).contains(&number) {
            return Some(number);
        }
        let (bounds, hint) = match most {
            i64::MAX => (format!("must be at least {least}"), "Write a larger number."),
            _ => (
                format!("must lie between {least} and {most}"),
                "Write a number between the two; both are allowed.",
            ),
        };
        self.complain("wrong-value", span, format!("{key} of {} {bounds}", self.what), hint);
        None
    }

    /// A list of texts, or one text alone; `None` when it is absent.
    pub(crate) fn texts(&self, key: &'static str) -> Option<Vec<Placed<String>>> {
        let value = self.get(key)?;
        let items: Vec<&Spanned<DeValue<'t>>> = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            match item.get_ref() {
                DeValue::String(text) => texts.push(Placed { value: text.to_string(), span: item.span() }),
                _ => self.wrong_type(key, item, "a text or a list of texts", "Write each entry in quotes."),
            }
        }
        Some(texts)
    }

    /// One of some words.
    pub(crate) fn word<T: Copy>(&self, key: &'static str, known: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        self.known(key, &text, known)
    }

    /// The meaning of a word, or a complaint that lists the known ones.
    pub(crate) fn known<T: Copy>(&self, key: &str, text: &Placed<String>, known: &[(&str, T)]) -> Option<T> {
        let found = known.iter().find(|(word, _)| *word == text.value).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            let message = format!("{key} of {} does not know \"{}\"", self.what, text.value);
            self.complain("unknown-word", text.span.clone(), message, suggestion(&text.value, &words));
        }
        found
    }

    /// A length of time as `"30 days"`.
    pub(crate) fn span(&self, key: &'static str) -> Option<TimeDelta> {
        let text = self.text(key)?;
        let span = length_of_time(&text.value);
        if span.is_none() {
            let message = format!("{key} of {} is not a length of time: \"{}\"", self.what, text.value);
            let hint = "Write it as \"30 days\", \"2 hours\", \"10 minutes\" or \"5 seconds\".";
            self.complain("wrong-value", text.span, message, hint);
        }
        span
    }

    /// A length of time, or `"none"` for no limit.
    pub(crate) fn span_or_none(&self, key: &'static str) -> Option<Option<TimeDelta>> {
        if self.get(key)?.get_ref().as_str() == Some("none") {
            return Some(None);
        }
        self.span(key).map(Some)
    }

    /// A whole number of at least 1, or `"none"` for no limit.
    pub(crate) fn count_or_none(&self, key: &'static str) -> Option<Option<usize>> {
        if self.get(key)?.get_ref().as_str() == Some("none") {
            return Some(None);
        }
        let count = self.integer(key, 1, i64::from(u32::MAX))?;
        usize::try_from(count).ok().map(Some)
    }

    /// A table inside this one.
    pub(crate) fn table(&self, key: &'static str) -> Option<Table<'a, 't>> {
        let value = self.get(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(key, value, "a table", &format!("Write it as [{key}]."));
        }
        table.map(|table| Table::new(format!("[{key}]"), value.span(), table, self.reading))
    }

    /// The tables of `[[key]]`; absent is an empty list.
    pub(crate) fn tables(&self, key: &'static str, what: &str) -> Vec<Table<'a, 't>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let items = value.get_ref().as_array();
        let tables = items.map(|items| items.iter().map(|item| (item.span(), item.get_ref().as_table())));
        let mut found = Vec::new();
        for (span, table) in tables.into_iter().flatten() {
            if let Some(table) = table {
                found.push(Table::new(what, span, table, self.reading));
            }
        }
        if items.is_none_or(|items| items.len() != found.len()) {
            self.wrong_type(key, value, "a list of tables", &format!("Write each as [[{key}]]."));
        }
        found
    }

    /// Complains about every key that was never asked for.
    pub(crate) fn finish(self) {
        let asked: Vec<&str> = self.asked.borrow().iter().copied().collect();
        for (key, _) in self.table {
            if !asked.contains(&key.get_ref().as_ref()) {
                let message = format!("{} has no key called {}", self.what, key.get_ref());
                self.complain("unknown-key", key.span(), message, suggestion(key.get_ref(), &asked));
            }
        }
    }
}

fn length_of_time(text: &str) -> Option<TimeDelta> {
    let (count, unit) = text.split_once(' ')?;
    let count = count.parse::<i64>().ok().filter(|count| (0..=1_000_000).contains(count))?;
    match unit.strip_suffix('s').unwrap_or(unit) {
        "second" => TimeDelta::try_seconds(count),
        "minute" => TimeDelta::try_minutes(count),
        "hour" => TimeDelta::try_hours(count),
        "day" => TimeDelta::try_days(count),
        _ => None,
    }
}

/// A sentence that names the word most like the written one, or all of them.
fn suggestion(written: &str, known: &[&str]) -> String {
    let nearest = known.iter().map(|word| (distance(written, word), word)).min();
    match nearest {
        Some((distance, word)) if distance <= 1 || (distance == 2 && word.len() > 3) => {
            format!("Did you mean {word}?")
        }
        _ => format!("Known are: {}.", known.join(", ")),
    }
}

/// Letters to change, add or leave out to make one word of the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, letter) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (place, other) in right.iter().enumerate() {
            let change = diagonal + usize::from(letter != *other);
            diagonal = row[place + 1];
            row[place + 1] = change.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_distances() {
        assert_eq!(distance("rate-limitd", "rate-limited"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(suggestion("evry", &["every", "at"]), "Did you mean every?");
        assert_eq!(suggestion("whenever", &["at", "every"]), "Known are: at, every.");
    }
}
