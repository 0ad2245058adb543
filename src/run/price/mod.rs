//! `price`: a file of events in, charges and lines out, without a book.
//!
//! A file that is sorted by start is read in pieces, twice, and written while it is rated (`stream`); any other file is
//! held in memory. Both call the same pricing code and write the same bytes.

mod stream;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;

use crate::columnar::usage::{self, Usage};
use crate::domain::contact::ContactList;
use crate::domain::disposition::{EventDisposition, SuspenseReason};
use crate::domain::document::Document;
use crate::domain::event::BillableEvent;
use crate::domain::local::LocalTimes;
use crate::domain::number::NumberReader;
use crate::domain::{Country, Failure, Result, Zone};
use crate::rules::coding::CodingSheet;
use crate::rules::compile::CompiledRules;
use crate::rules::directory::Directory;
use crate::rules::{RuleSet, SourceFile};
use crate::stage::enrich::enrich;
use crate::stage::explain::{
    TariffInForce, Traced, explained_steps, sentences, span_of, tariff_in_force, traced,
};
use crate::stage::mediate::usage_event;
use crate::stage::rate::GroupState;

use super::facts::with_segments;
use super::rating::{RatingRun, rate_all, view};
use super::workspace::{beside, check, name_of, read_file, read_rules, refuse, refuse_table};

/// What to price.
pub struct Request<'a> {
    pub rules: &'a Path,
    pub contacts: &'a Path,
    pub usage: &'a Path,
    /// How times without an offset are read; `None`: every time needs one.
    pub local_times: Option<LocalTimes>,
    /// Where extensions belong.
    pub directory: Option<&'a Path>,
    /// A coding sheet; its confirmed rows count.
    pub coding: Option<&'a Path>,
    pub country: Country,
    pub zone: Zone,
}

/// Priced events.
pub struct Priced {
    pub rules: CompiledRules,
    pub events: Vec<BillableEvent>,
    pub run: RatingRun,
    /// Rows that make no event, with the reason.
    pub suspended: Vec<Suspended>,
}

/// Id of a row that makes no event, the reason, and a detail for people.
pub type Suspended = (String, SuspenseReason, String);

/// Everything but the events.
struct Inputs {
    rules: RuleSet,
    contacts: ContactList,
    directory: Directory,
    coding: CodingSheet,
}

/// Takes the steps of an event, as JSON and as text.
pub type StepsSink<'a> = dyn FnMut(&serde_json::Value, &str) + 'a;

/// Where results go while they are made.
pub struct Sinks<'a> {
    /// The charges, as CSV.
    pub charges: &'a mut dyn Write,
    /// Steps of each event, as JSON and as text; `None` keeps no steps.
    pub steps: Option<&'a mut StepsSink<'a>>,
}

/// What became of a file, when the charges are written.
pub struct Summary {
    /// How many rows ended where, in a fixed order.
    pub dispositions: BTreeMap<EventDisposition, usize>,
    /// The tariff versions that priced anything, with their options.
    pub tariffs: Vec<TariffInForce>,
    /// The rounded lines, as CSV.
    pub lines: Vec<u8>,
    /// Why the file was held in memory as a whole; `None` when it was read in pieces.
    pub held: Option<&'static str>,
}

/// Prices a usage file and writes the charges while they are made.
///
/// # Errors
/// As [`price`]; a sink that cannot be written (exit 8).
pub fn price_to(request: &Request<'_>, sinks: &mut Sinks<'_>) -> Result<Summary> {
    let inputs = inputs(request)?;
    match stream::survey(request, &inputs)? {
        stream::Survey::Pieces(pieces) => stream::run(request, &inputs, &pieces, sinks),
        stream::Survey::Whole(why) => {
            let priced = price_whole(request, &inputs)?;
            let written = sinks.charges.write_all(&priced.charges_csv());
            written.map_err(|error| Failure::io(&error, "writing the charges"))?;
            if let Some(steps) = &mut sinks.steps {
                for (event, traced) in priced.events.iter().zip(priced.traced()?) {
                    explain(&priced.rules, &event.id, &traced, &mut **steps);
                }
            }
            let charged = priced.run.charges.iter().flat_map(|(_, charge)| &charge.components);
            let versions = charged.map(|part| priced.rules.clauses[part.clause as usize].version).collect();
            Ok(Summary {
                dispositions: priced.dispositions(),
                tariffs: tariffs(&priced.rules, &versions),
                lines: priced.lines_csv()?,
                held: Some(why),
            })
        }
    }
}

/// Hands the steps of one event on.
fn explain(rules: &CompiledRules, id: &str, traced: &Traced, steps: &mut StepsSink<'_>) {
    let rated = &traced.rated;
    let json = serde_json::json!({
        "event": id,
        "steps": explained_steps(rules, &traced.derivation),
        "charge": rules.exact(rated.numerator),
        "disposition": rated.disposition,
        "reason": rated.reason,
        "remedy": rated.reason.map(SuspenseReason::remedy),
    });
    let sentences = sentences(rules, &traced.derivation);
    steps(&json, &format!("{id}\n  {}", sentences.join("\n  ")));
}

fn tariffs(rules: &CompiledRules, versions: &BTreeSet<usize>) -> Vec<TariffInForce> {
    versions.iter().map(|version| tariff_in_force(&rules.versions[*version].tariff)).collect()
}

/// Prices a usage file.
///
/// # Errors
/// Files that cannot be read (exit 2), mistakes in any of them (exit 3), sums that differ (exit 7).
pub fn price(request: &Request<'_>) -> Result<Priced> {
    price_whole(request, &inputs(request)?)
}

fn inputs(request: &Request<'_>) -> Result<Inputs> {
    let rule_files = read_rules(request.rules)?;
    let contacts = read_file(request.contacts, &name_of(request.contacts))?;
    let mut files = rule_files.clone();
    files.push(contacts.clone());
    let (rules, contacts, _) =
        check(&rule_files, &contacts, request.country).map_err(|mistakes| refuse(&mistakes, &files))?;
    let directory = request.directory.map(|path| read_file(path, &name_of(path))).transpose()?;
    let sheets: Vec<SourceFile> =
        request.coding.map(|path| read_file(path, &name_of(path))).transpose()?.into_iter().collect();
    files.extend(directory.iter().chain(&sheets).cloned());
    let (directory, coding) = beside(directory.as_ref(), &sheets, &rules, &contacts)
        .map_err(|mistakes| refuse(&mistakes, &files))?;
    Ok(Inputs { rules, contacts, directory, coding })
}

fn price_whole(request: &Request<'_>, inputs: &Inputs) -> Result<Priced> {
    let path = request.usage;
    let bytes = fs::read(path).map_err(|error| Failure::io(&error, format!("reading {}", path.display())))?;
    let name = name_of(path);
    let rows = usage::read(&name, &bytes, request.local_times.as_ref())
        .map_err(|mistakes| refuse_table(&mistakes, &name, &bytes))?;
    let mut numbers = NumberReader::new(request.country);
    let (mut events, suspended) = events_of(&mut numbers, rows);
    enrich(&mut events, &inputs.directory, &inputs.coding, request.zone);
    events.sort_by(|left, right| (left.start, &left.id).cmp(&(right.start, &right.id)));
    let span = span_of(events.iter().map(BillableEvent::view));
    let rules = CompiledRules::new(&inputs.rules, &inputs.contacts, request.zone, span)?.learn(&events);
    let run = rate_all(&rules, &events)?;
    Ok(Priced { rules, events, run, suspended })
}

/// The events of some rows, and the rows that make none.
fn events_of(numbers: &mut NumberReader, rows: Vec<Usage>) -> (Vec<BillableEvent>, Vec<Suspended>) {
    let (mut events, mut suspended) = (Vec::with_capacity(rows.len()), Vec::new());
    for usage in rows {
        let row = with_segments(usage);
        match usage_event(numbers, &row) {
            Ok(event) => events.push(BillableEvent { id: row.id, ..event }),
            Err((reason, detail)) => suspended.push((row.id, reason, detail)),
        }
    }
    (events, suspended)
}

impl Priced {
    /// One row for each part of each event's charge; an event without parts has one row.
    pub fn charges_csv(&self) -> Vec<u8> {
        let mut table = tables::charge_table();
        let charges: BTreeMap<usize, _> =
            self.run.charges.iter().map(|(event, charge)| (*event, charge)).collect();
        for (index, event) in self.events.iter().enumerate() {
            let components = charges.get(&index).map(|charge| charge.components.as_slice());
            let rated = &self.run.rated[index];
            tables::add_charge(&mut table, &self.rules, &event.id, rated, components.unwrap_or_default());
        }
        tables::add_suspended(&mut table, &self.suspended);
        table.into_bytes()
    }

    /// The lines of each contact and month, rounded as an invoice rounds them.
    ///
    /// # Errors
    /// An amount beyond 128 bits.
    pub fn lines_csv(&self) -> Result<Vec<u8>> {
        tables::lines(&self.rules, &self.run.state, &self.months())
    }

    /// A draft for each contact and month in which anybody has usage.
    ///
    /// # Errors
    /// An amount beyond 128 bits.
    pub fn documents(&self) -> Result<Vec<Document>> {
        tables::documents(&self.rules, &self.run.state, &self.months())
    }

    fn months(&self) -> BTreeSet<u32> {
        let own = self.run.rated.iter().filter(|rated| rated.payer.is_some()).map(|rated| rated.month);
        // Periods may split a call: then a part of it is another month's.
        let parts = self.run.charges.iter().flat_map(|(_, charge)| &charge.components);
        own.chain(parts.map(|part| part.month)).collect()
    }

    /// Every event with all its steps, in the order of the events.
    ///
    /// # Errors
    /// An amount beyond 128 bits.
    pub fn traced(&self) -> Result<Vec<Traced>> {
        let mut state = GroupState::new(&self.rules);
        let rows = self.events.iter().zip(&self.run.conditions);
        let mut all: Vec<Traced> = rows
            .map(|(event, conditions)| traced(&self.rules, &mut state, view(event, *conditions)))
            .collect::<Result<_>>()?;
        for (traced, settled) in all.iter_mut().zip(&self.run.rated) {
            traced.settle(&self.rules, &state, settled)?;
        }
        Ok(all)
    }

    /// How many events ended where, in a fixed order.
    pub fn dispositions(&self) -> BTreeMap<EventDisposition, usize> {
        let mut counts = BTreeMap::new();
        for rated in &self.run.rated {
            *counts.entry(rated.disposition).or_default() += 1;
        }
        if !self.suspended.is_empty() {
            *counts.entry(EventDisposition::Suspended).or_default() += self.suspended.len();
        }
        counts
    }
}
