//! `price`: a file of events in, charges and lines out, without a book.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::columnar::usage;
use crate::domain::contact::ContactList;
use crate::domain::disposition::{EventDisposition, SuspenseReason};
use crate::domain::document::{Document, InvoiceLine, Seller};
use crate::domain::event::BillableEvent;
use crate::domain::local::LocalTimes;
use crate::domain::number::NumberReader;
use crate::domain::{Country, Failure, Result, Zone};
use crate::output::table::{Cell, Table};
use crate::rules::compile::CompiledRules;
use crate::rules::{RuleSet, SourceFile};
use crate::stage::enrich::enrich;
use crate::stage::explain::{Traced, sentences, span_of, traced};
use crate::stage::invoice::{drafts, line_key};
use crate::stage::mediate::usage_event;
use crate::stage::rate::{GroupState, slot_of};

use super::facts::with_segments;
use super::rating::{RatingRun, rate_all, view};
use super::workspace::{beside, check, name_of, read_file, read_rules, refuse, refuse_table};

/// Columns of the charges.
const CHARGE_COLUMNS: usize = 18;

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
    pub suspended: Vec<(String, SuspenseReason, String)>,
}

/// Prices a usage file.
///
/// # Errors
/// Files that cannot be read (exit 2), mistakes in any of them (exit 3), sums that differ (exit 7).
pub fn price(request: &Request<'_>) -> Result<Priced> {
    let rule_files = read_rules(request.rules)?;
    let contacts = read_file(request.contacts, &name_of(request.contacts))?;
    let mut files = rule_files.clone();
    files.push(contacts.clone());
    let (rules, contacts, _) =
        check(&rule_files, &contacts, request.country).map_err(|mistakes| refuse(&mistakes, &files))?;
    let path = request.usage;
    let bytes = fs::read(path).map_err(|error| Failure::io(&error, format!("reading {}", path.display())))?;
    let name = name_of(path);
    let rows = usage::read(&name, &bytes, request.local_times.as_ref())
        .map_err(|mistakes| refuse_table(&mistakes, &name, &bytes))?;
    let mut numbers = NumberReader::new(request.country);
    let (mut events, mut suspended) = (Vec::with_capacity(rows.len()), Vec::new());
    for usage in rows {
        let row = with_segments(usage);
        match usage_event(&mut numbers, &row) {
            Ok(event) => events.push(BillableEvent { id: row.id, ..event }),
            Err((reason, detail)) => suspended.push((row.id, reason, detail)),
        }
    }
    let directory = request.directory.map(|path| read_file(path, &name_of(path))).transpose()?;
    let sheets: Vec<SourceFile> =
        request.coding.map(|path| read_file(path, &name_of(path))).transpose()?.into_iter().collect();
    files.extend(directory.iter().chain(&sheets).cloned());
    let (directory, coding) = beside(directory.as_ref(), &sheets, &rules, &contacts)
        .map_err(|mistakes| refuse(&mistakes, &files))?;
    enrich(&mut events, &directory, &coding, request.zone);
    events.sort_by(|left, right| (left.start, &left.id).cmp(&(right.start, &right.id)));
    price_events(&rules, &contacts, request.zone, events, suspended)
}

fn price_events(
    rules: &RuleSet,
    contacts: &ContactList,
    zone: Zone,
    events: Vec<BillableEvent>,
    suspended: Vec<(String, SuspenseReason, String)>,
) -> Result<Priced> {
    let span = span_of(events.iter().map(BillableEvent::view));
    let rules = CompiledRules::new(rules, contacts, zone, span)?.learn(&events);
    let run = rate_all(&rules, &events)?;
    Ok(Priced { rules, events, run, suspended })
}

impl Priced {
    /// One row for each part of each event's charge; an event without parts has one row.
    pub fn charges_csv(&self) -> Vec<u8> {
        const HEADER: [&str; CHARGE_COLUMNS] = [
            "event_id",
            "disposition",
            "reason",
            "contact",
            "tariff",
            "tariff_version",
            "clause",
            "band",
            "matter",
            "timekeeper",
            "tier",
            "destination",
            "entry",
            "kind",
            "unit",
            "units",
            "numerator",
            "denominator",
        ];
        let mut table = Table::new(&HEADER);
        let charges: BTreeMap<usize, _> =
            self.run.charges.iter().map(|(event, charge)| (*event, charge)).collect();
        for (index, event) in self.events.iter().enumerate() {
            let rated = &self.run.rated[index];
            let contact = rated.payer.map(|payer| self.rules.payers[payer as usize].contact.id.clone());
            let head = [
                Cell::text(&event.id),
                Cell::text(rated.disposition.word()),
                Cell::text(rated.reason.map(SuspenseReason::word).unwrap_or_default()),
                Cell::text(&contact.unwrap_or_default()),
            ];
            let Some(charge) = charges.get(&index) else {
                table.row(&with_empty_tail(&head));
                continue;
            };
            for component in &charge.components {
                let key = line_key(&self.rules, slot_of(component));
                let mut row = head.to_vec();
                let texts = [&key.tariff, &key.tariff_version, &key.clause, &key.band];
                row.extend(texts.map(|text| Cell::text(text)));
                row.extend([&key.matter, &key.timekeeper].map(|text| Cell::text(text)));
                row.extend([Cell::figure(key.tier), Cell::text(&key.destination)]);
                row.push(Cell::figure(component.entry));
                row.extend([component.kind.word(), component.unit.word()].map(Cell::text));
                row.push(Cell::figure(component.units));
                let exact = self.rules.exact(component.numerator);
                row.extend([Cell::figure(exact.numerator()), Cell::figure(exact.denominator())]);
                table.row(&row);
            }
        }
        for (id, reason, _) in &self.suspended {
            let disposition = EventDisposition::Suspended.word();
            let head = [Cell::text(id), Cell::text(disposition), Cell::text(reason.word()), Cell::empty()];
            table.row(&with_empty_tail(&head));
        }
        table.into_bytes()
    }

    /// The lines of each contact and month, rounded as an invoice rounds them.
    ///
    /// # Errors
    /// An amount beyond 128 bits.
    pub fn lines_csv(&self) -> Result<Vec<u8>> {
        const HEADER: [&str; 18] = [
            "contact",
            "period",
            "kind",
            "tariff",
            "tariff_version",
            "clause",
            "band",
            "matter",
            "timekeeper",
            "tier",
            "destination",
            "events",
            "unit",
            "units",
            "numerator",
            "denominator",
            "amount",
            "currency",
        ];
        let mut table = Table::new(&HEADER);
        for document in self.documents()? {
            for line in &document.invoice.lines {
                table.row(&line_row(&document, line));
            }
        }
        Ok(table.into_bytes())
    }

    /// A draft for each contact and month in which anybody has usage.
    ///
    /// # Errors
    /// An amount beyond 128 bits.
    pub fn documents(&self) -> Result<Vec<Document>> {
        let met = self.run.rated.iter().filter(|rated| rated.payer.is_some()).map(|rated| rated.month);
        let parts = self.run.charges.iter().flat_map(|(_, charge)| &charge.components);
        let mut months: Vec<u32> = met.chain(parts.map(|component| component.month)).collect();
        months.sort_unstable();
        months.dedup();
        let mut documents = Vec::new();
        for month in months {
            documents.extend(drafts(&self.rules, &self.run.state, month, &[], &Seller::default(), false)?);
        }
        Ok(documents)
    }

    /// The steps of every event, as text for people. Rates once more, with a trace that keeps everything: the same code.
    ///
    /// # Errors
    /// An amount beyond 128 bits.
    pub fn explained(&self) -> Result<String> {
        let mut text = String::new();
        for (event, traced) in self.events.iter().zip(self.traced()?) {
            text.push_str(&format!("{}\n", event.id));
            for sentence in sentences(&self.rules, &traced.derivation) {
                text.push_str(&format!("  {sentence}\n"));
            }
        }
        Ok(text)
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

/// Discards nothing: a row without a part keeps the shape of the table.
fn with_empty_tail(head: &[Cell; 4]) -> Vec<Cell> {
    let mut row = head.to_vec();
    row.resize(CHARGE_COLUMNS, Cell::empty());
    row
}

fn line_row(document: &Document, line: &InvoiceLine) -> Vec<Cell> {
    let invoice = &document.invoice;
    let key = &line.key;
    vec![
        Cell::text(&invoice.payer.contact_id),
        Cell::text(&invoice.period.month.key()),
        Cell::text(key.kind.word()),
        Cell::text(&key.tariff),
        Cell::text(&key.tariff_version),
        Cell::text(&key.clause),
        Cell::text(&key.band),
        Cell::text(&key.matter),
        Cell::text(&key.timekeeper),
        Cell::figure(key.tier),
        Cell::text(&key.destination),
        Cell::figure(line.events),
        Cell::text(line.unit.word()),
        Cell::figure(line.units_billed),
        Cell::figure(line.exact.numerator()),
        Cell::figure(line.exact.denominator()),
        Cell::figure(line.amount.digits()),
        Cell::text(invoice.currency.code()),
    ]
}
