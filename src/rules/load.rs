//! Rule files → checked rule set. Two types: the table as typed, and the value that cannot be wrong; every complaint
//! of every file is collected before any is shown.
//!
//! Files are read in two rounds: first what is spoken of by name (calendars, bands, decks, timekeepers), then what
//! speaks of it, so that files may come in any order.

mod amounts;
mod check;
mod coding;
mod conditions;
mod definitions;
mod example;
mod outcomes;
mod price;
mod rate;
mod tariff;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use chrono::NaiveDate;
use toml::de::DeTable;

use crate::domain::charge::Unit;
use crate::domain::derivation::IdentityRule;
use crate::domain::number::NumberReader;
use crate::domain::outcome::{Channel, CodePattern, Direction, Outcome, OutcomeTable};
use crate::domain::{Country, Hash};

use super::companion::is_companion;
use super::diagnostic::{Diagnostic, Severity, SourceFile};
use super::ruleset::RuleSet;
use super::table::{Sink, Table, Text};

/// Reads all rule files together; the tables that they name (`*.csv`) stand among the files. Warnings alone do not stop
/// the load and are returned beside the rule set.
///
/// # Errors
/// All mistakes of all files.
pub fn rule_set(files: &[SourceFile], home: Country) -> Result<(RuleSet, Vec<Diagnostic>), Vec<Diagnostic>> {
    let sink: Sink = RefCell::default();
    let mut draft = Draft::new(files, home);
    let rule_files: Vec<&SourceFile> = files.iter().filter(|file| !is_companion(file)).collect();
    let parsed: Vec<_> = rule_files.iter().map(|file| parse(file, &sink)).collect();
    let tops: Vec<Table<'_, '_>> = rule_files
        .iter()
        .zip(&parsed)
        .map(|(file, table)| Table::new(&file.name, "the rule file", 0..0, table.get_ref(), &sink))
        .collect();
    for top in &tops {
        draft.read_calendars(top, &sink);
        draft.read_decks(top, &sink);
        draft.read_timekeepers(top);
    }
    for top in &tops {
        draft.read_bands(top);
    }
    for (file, top) in rule_files.iter().zip(tops) {
        draft.read_default(&top);
        draft.read_identity(&top);
        draft.read_tariffs(file, &top);
        draft.read_outcomes(&top);
        draft.read_coding(file, &top);
        draft.read_examples(&top);
        top.finish();
    }
    draft.cross_check(&sink);
    let diagnostics = sink.into_inner();
    if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(diagnostics);
    }
    Ok((draft.rules, diagnostics))
}

/// The table of a TOML file; syntax errors go to the sink and reading goes on with what could be understood.
pub fn parse<'i>(file: &'i SourceFile, sink: &Sink) -> toml::Spanned<DeTable<'i>> {
    let (table, errors) = DeTable::parse_recoverable(&file.text);
    for error in errors {
        let message = error.message().to_owned();
        sink.borrow_mut().push(Diagnostic::error("toml-syntax", &file.name, error.span(), message));
    }
    table
}

/// Something that is spoken of and can only be looked up once all tariffs are read.
struct Mention {
    file: String,
    name: Text,
}

/// An allowance or a rate with tiers that an example sets.
struct GivenMention {
    file: String,
    tariff: String,
    name: Text,
    unit: Unit,
    /// Said of tiers; else of an allowance.
    used: bool,
}

/// Which row of the outcome table is meant.
type OutcomeKey = (Channel, Option<Direction>, Outcome, Option<CodePattern>);

/// The rule set while it is read, with what is only needed until then.
struct Draft<'f> {
    rules: RuleSet,
    files: &'f [SourceFile],
    calendars: BTreeMap<String, Vec<NaiveDate>>,
    /// Every deck that is defined, with its index where it could be read.
    decks: BTreeMap<String, Option<usize>>,
    tariff_spans: Vec<Range<usize>>,
    tariff_mentions: Vec<Mention>,
    /// Suppliers with the index of the tariff version that names them.
    suppliers: Vec<(usize, Mention)>,
    /// Lines that discounts speak of.
    line_mentions: Vec<Mention>,
    given: Vec<GivenMention>,
    outcome_keys: Vec<OutcomeKey>,
    has_identity: bool,
    numbers: NumberReader,
}

impl<'f> Draft<'f> {
    fn new(files: &'f [SourceFile], home: Country) -> Draft<'f> {
        let parts: Vec<&[u8]> =
            files.iter().flat_map(|file| [file.name.as_bytes(), file.text.as_bytes()]).collect();
        let rules = RuleSet {
            default_tariff: None,
            identity_order: IdentityRule::ALL.to_vec(),
            tariffs: Vec::new(),
            bands: Vec::new(),
            decks: Vec::new(),
            timekeepers: Vec::new(),
            coding: Vec::new(),
            conditions: Vec::new(),
            outcomes: OutcomeTable::default(),
            examples: Vec::new(),
            hash: Hash::of_parts(parts),
        };
        Draft {
            rules,
            files,
            calendars: BTreeMap::new(),
            decks: BTreeMap::new(),
            tariff_spans: Vec::new(),
            tariff_mentions: Vec::new(),
            suppliers: Vec::new(),
            line_mentions: Vec::new(),
            given: Vec::new(),
            outcome_keys: Vec::new(),
            has_identity: false,
            numbers: NumberReader::new(home),
        }
    }

    fn read_default(&mut self, top: &Table<'_, '_>) {
        let Some(name) = top.text("default_tariff") else { return };
        if self.rules.default_tariff.is_some() {
            let hint = "Keep default_tariff in one file.";
            top.complain("duplicate-default", name.span.clone(), "the default tariff is named twice", hint);
        }
        self.rules.default_tariff = Some(name.value.clone());
        self.tariff_mentions.push(Mention { file: top.file.to_owned(), name });
    }
}

#[cfg(test)]
mod tests;
