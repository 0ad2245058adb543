//! Reading TOML tables with their places: every wrong type, unknown key and missing key becomes a diagnostic.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::Diagnostic;

/// Where all complaints of one load are gathered.
pub type Sink = RefCell<Vec<Diagnostic>>;

/// A text value with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub value: String,
    pub span: Range<usize>,
}

/// One table being read. Keys that were never asked for are complained about by [`Table::finish`].
pub struct Table<'a, 'i> {
    pub file: &'a str,
    /// What the table is, for messages: `tariff client-standard`.
    pub what: String,
    pub span: Range<usize>,
    /// Where it stands among the tables of its language, with `*` for names the user chose: `tariff.*.rate[]`.
    path: String,
    table: &'a DeTable<'i>,
    sink: &'a Sink,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a, 'i> Table<'a, 'i> {
    /// Begins to read a table.
    pub fn new(
        file: &'a str,
        what: impl Into<String>,
        span: Range<usize>,
        table: &'a DeTable<'i>,
        sink: &'a Sink,
    ) -> Self {
        Table { file, what: what.into(), span, path: String::new(), table, sink, asked: RefCell::default() }
    }

    /// Adds a complaint about a place of this file.
    pub fn complain(&self, code: &'static str, span: Range<usize>, message: impl Into<String>, hint: &str) {
        let mut diagnostic = Diagnostic::error(code, self.file, Some(span), message);
        if !hint.is_empty() {
            diagnostic = diagnostic.hint(hint);
        }
        self.sink.borrow_mut().push(diagnostic);
    }

    /// Adds a warning about a place of this file.
    pub fn warn(&self, code: &'static str, span: Range<usize>, message: impl Into<String>, hint: &str) {
        let diagnostic = Diagnostic::error(code, self.file, Some(span), message).hint(hint).warning();
        self.sink.borrow_mut().push(diagnostic);
    }

    /// The raw value of a key.
    pub fn get(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'i>>> {
        self.asked.borrow_mut().insert(key);
        #[cfg(test)]
        asked::note(&self.path, key);
        self.table.get(key)
    }

    /// Where the value of a key stands; the table's own place when it is absent.
    pub fn span_of(&self, key: &'static str) -> Range<usize> {
        self.get(key).map_or_else(|| self.span.clone(), Spanned::span)
    }

    /// Whether a key holds a list without entries.
    pub fn is_empty_list(&self, key: &'static str) -> bool {
        self.get(key).and_then(|value| value.get_ref().as_array()).is_some_and(|array| array.is_empty())
    }

    /// A text value.
    pub fn text(&self, key: &'static str) -> Option<Text> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(Text { value: text.to_string(), span: value.span() }),
            other => {
                let hint = match other {
                    DeValue::Integer(_) | DeValue::Float(_) => {
                        "Write it in quotes; money and percentages are read digit by digit."
                    }
                    _ => "Write the value in quotes.",
                };
                let message =
                    format!("{key} of {} must be a text, not {}", self.what, article(other.type_str()));
                self.complain("wrong-type", value.span(), message, hint);
                None
            }
        }
    }

    /// A text value that must be there.
    pub fn required_text(&self, key: &'static str, hint: &str) -> Option<Text> {
        if self.get(key).is_none() {
            self.complain("missing-key", self.span.clone(), format!("{} has no {key}", self.what), hint);
            return None;
        }
        self.text(key)
    }

    /// A yes-or-no value.
    pub fn flag(&self, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            let message = format!("{key} of {} must be true or false", self.what);
            self.complain("wrong-type", value.span(), message, "");
        }
        flag
    }

    /// A whole number.
    pub fn integer(&self, key: &'static str) -> Option<(i64, Range<usize>)> {
        let value = self.get(key)?;
        let number =
            value.get_ref().as_integer().and_then(|number| number.as_str().replace('_', "").parse().ok());
        if number.is_none() {
            let message = format!("{key} of {} must be a whole number", self.what);
            self.complain("wrong-type", value.span(), message, "");
        }
        number.map(|number| (number, value.span()))
    }

    /// A text or a list of texts; absent is an empty list.
    pub fn texts(&self, key: &'static str) -> Vec<Text> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let items: Vec<&Spanned<DeValue<'i>>> = match value.get_ref() {
            DeValue::Array(array) => array.iter().collect(),
            _ => vec![value],
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            match item.get_ref() {
                DeValue::String(text) => texts.push(Text { value: text.to_string(), span: item.span() }),
                other => {
                    let found = article(other.type_str());
                    let message =
                        format!("{key} of {} must be a text or a list of texts, not {found}", self.what);
                    self.complain("wrong-type", item.span(), message, "Write each entry in quotes.");
                }
            }
        }
        texts
    }

    /// A table inside this one.
    pub fn table(&self, key: &'static str, what: impl Into<String>) -> Option<Table<'a, 'i>> {
        let value = self.get(key)?;
        self.as_table(key, "", value, what)
    }

    /// A list of tables (`[[key]]`); absent is an empty list.
    pub fn tables(&self, key: &'static str, what: &str) -> Vec<Table<'a, 'i>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            let message = format!("{key} of {} must be a list of tables", self.what);
            self.complain("wrong-type", value.span(), message, &format!("Write it as [[{key}]]."));
            return Vec::new();
        };
        array.iter().filter_map(|item| self.as_table(key, "[]", item, what)).collect()
    }

    /// Tables inside this one whose names the user chose, in the order of their names.
    pub fn named_tables(&self, key: &'static str, what: &str) -> Vec<(Text, Table<'a, 'i>)> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(table) = value.get_ref().as_table() else {
            self.complain("wrong-type", value.span(), format!("{key} must be a table"), "");
            return Vec::new();
        };
        let mut found = Vec::new();
        for (name, value) in table {
            let text = Text { value: name.get_ref().to_string(), span: name.span() };
            let what = format!("{what} {}", text.value);
            if let Some(inner) = self.as_table(key, ".*", value, what) {
                found.push((text.clone(), Table { span: text.span.clone(), ..inner }));
            }
        }
        found
    }

    /// All entries of a table with free keys and text values.
    pub fn free_texts(&self) -> Vec<(Text, Text)> {
        let mut found = Vec::new();
        for (name, value) in self.table {
            match value.get_ref() {
                DeValue::String(text) => found.push((
                    Text { value: name.get_ref().to_string(), span: name.span() },
                    Text { value: text.to_string(), span: value.span() },
                )),
                _ => self.complain("wrong-type", value.span(), format!("{} must hold texts", self.what), ""),
            }
        }
        found
    }

    /// Complains about every key that was never asked for.
    pub fn finish(self) {
        let asked = self.asked.into_inner();
        for (key, _) in self.table {
            if asked.contains(key.get_ref().as_ref()) {
                continue;
            }
            let name = key.get_ref();
            let hint = match nearest(name, asked.iter().copied()) {
                Some(near) => format!("Did you mean {near}?"),
                None => format!("Known keys are: {}.", asked.iter().copied().collect::<Vec<_>>().join(", ")),
            };
            let message = format!("{} has no key called {name}", self.what);
            self.sink
                .borrow_mut()
                .push(Diagnostic::error("unknown-key", self.file, Some(key.span()), message).hint(hint));
        }
    }

    fn as_table(
        &self,
        key: &str,
        suffix: &str,
        value: &'a Spanned<DeValue<'i>>,
        what: impl Into<String>,
    ) -> Option<Table<'a, 'i>> {
        let dot = if self.path.is_empty() { "" } else { "." };
        let path = format!("{}{dot}{key}{suffix}", self.path);
        match value.get_ref().as_table() {
            Some(table) => {
                Some(Table { path, ..Table::new(self.file, what, value.span(), table, self.sink) })
            }
            None => {
                self.complain(
                    "wrong-type",
                    value.span(),
                    format!("{key} of {} must be a table", self.what),
                    "",
                );
                None
            }
        }
    }
}

fn article(noun: &str) -> String {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { format!("an {noun}") } else { format!("a {noun}") }
}

/// The known word that was probably meant: one that differs in case and separators only, else one that is [`near`].
pub fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str> + Clone) -> Option<&'w str> {
    let same = |candidate: &&str| plain(candidate) == plain(word);
    known.clone().find(same).or_else(|| known.clone().find(|candidate| near(candidate, word)))
}

fn plain(word: &str) -> String {
    word.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// Whether two words are one edit or one swap of neighbours apart, or equal but for case and separators.
pub fn near(left: &str, right: &str) -> bool {
    let (left, right) = (plain(left), plain(right));
    if left == right {
        return true;
    }
    let (short, long) = if left.len() <= right.len() { (left, right) } else { (right, left) };
    if short.len() < 3 || long.len() - short.len() > 1 {
        return false;
    }
    let head = short.bytes().zip(long.bytes()).take_while(|(a, b)| a == b).count();
    let tail = short.bytes().rev().zip(long.bytes().rev()).take_while(|(a, b)| a == b).count();
    head + tail + 1 >= long.len() || is_swap(short.as_bytes(), long.as_bytes(), head, tail)
}

/// Whether the words differ in two neighbours that changed places, after `head` and before `tail` equal letters.
fn is_swap(left: &[u8], right: &[u8], head: usize, tail: usize) -> bool {
    left.len() == right.len()
        && head + tail + 2 == left.len()
        && left[head] == right[head + 1]
        && left[head + 1] == right[head]
}

/// Which keys were asked for at which tables, so that a test can hold the description of the language against its reader.
#[cfg(test)]
pub mod asked {
    use std::cell::RefCell;
    use std::collections::{BTreeMap, BTreeSet};

    thread_local! {
        static ASKED: RefCell<BTreeMap<String, BTreeSet<&'static str>>> = const { RefCell::new(BTreeMap::new()) };
    }

    pub(super) fn note(path: &str, key: &'static str) {
        ASKED.with_borrow_mut(|asked| asked.entry(path.to_owned()).or_default().insert(key));
    }

    /// Everything that was asked for on this thread since the last time.
    pub fn take() -> BTreeMap<String, BTreeSet<&'static str>> {
        ASKED.take()
    }
}
