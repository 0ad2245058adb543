//! Files that are sorted by start, read in pieces: a first pass checks the order, the ids and the span of time, a second
//! one rates and writes. Memory holds one piece, the counters of the payers and sixteen bytes for each id.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use crate::columnar::charges;
use crate::columnar::usage::{self, Usage};
use crate::domain::charge::Charge;
use crate::domain::derivation::Silent;
use crate::domain::disposition::EventDisposition;
use crate::domain::event::BillableEvent;
use crate::domain::number::NumberReader;
use crate::domain::time::Span;
use crate::domain::{Exit, Failure, Hash, Instant, Result};
use crate::rules::compile::CompiledRules;
use crate::rules::ruleset::{Pricing, TierMode};
use crate::run::rating::{conditions_of, view};
use crate::run::workspace::{name_of, refuse_table};
use crate::stage::enrich::enrich;
use crate::stage::explain::{span_over, traced};
use crate::stage::rate::{GroupState, rate};

use super::{Inputs, Request, Sinks, Summary, Suspended, events_of, explain, tables, tariffs};

/// A piece is at least so long, but for the last one; smaller files are not cut.
const PIECE_BYTES: u64 = 512 * 1024;

/// How a file is to be read.
pub enum Survey {
    Pieces(Pieces),
    /// As a whole, with the reason.
    Whole(&'static str),
}

/// What the first pass found.
pub struct Pieces {
    ranges: Vec<Range<u64>>,
    /// The header row, before every piece of a CSV file.
    header: Vec<u8>,
    span: Span,
    /// An event for each matter and timekeeper that rows name.
    coded: Vec<BillableEvent>,
}

/// Looks through a file once.
///
/// # Errors
/// A file that cannot be read.
pub fn survey(request: &Request<'_>, inputs: &Inputs) -> Result<Survey> {
    let name = name_of(request.usage);
    let ending = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_csv = ending == "csv";
    if !is_csv && !matches!(ending.as_str(), "jsonl" | "ndjson") {
        return Ok(Survey::Whole("only CSV and JSON lines are read in pieces"));
    }
    if request.coding.is_some() {
        return Ok(Survey::Whole("a coding sheet may name any of its rows"));
    }
    let rates = inputs.rules.tariffs.iter().flat_map(|tariff| &tariff.rates);
    let volume = |pricing: &Pricing| matches!(pricing, Pricing::Tiers { mode: TierMode::Volume, .. });
    if rates.into_iter().any(|rate| volume(&rate.pricing)) {
        return Ok(Survey::Whole("volume tiers are priced when the whole period is known"));
    }
    let (header, ranges) = cut(request.usage, is_csv).map_err(|error| failed(&error, request.usage))?;
    if ranges.len() < 2 {
        return Ok(Survey::Whole("it is small"));
    }
    let mut pieces = Pieces { ranges, header, span: Span::ALWAYS, coded: Vec::new() };
    look_through(request, &mut pieces)
}

fn look_through(request: &Request<'_>, pieces: &mut Pieces) -> Result<Survey> {
    let name = name_of(request.usage);
    let mut numbers = NumberReader::new(request.country);
    let mut ids: Vec<u128> = Vec::new();
    let mut lengths: Option<Span> = None;
    let mut last: Option<(Instant, String)> = None;
    let mut known = BTreeSet::new();
    let mut file = File::open(request.usage).map_err(|error| failed(&error, request.usage))?;
    for range in pieces.ranges.clone() {
        let bytes =
            piece(&mut file, &pieces.header, &range).map_err(|error| failed(&error, request.usage))?;
        // Mistakes are told with their places in the whole file.
        let Ok(rows) = usage::read(&name, &bytes, request.local_times.as_ref()) else {
            return Ok(Survey::Whole("it has mistakes"));
        };
        for usage in rows {
            let row = &usage.row;
            ids.push(digest(&row.id));
            let Some(start) = row.start else { continue };
            if last.as_ref().is_some_and(|(before, id)| (*before, id.as_str()) > (start, row.id.as_str())) {
                return Ok(Survey::Whole("its rows are not in the order of start, then id"));
            }
            let own = span_over([(start, row.milliseconds.unwrap_or(0))].into_iter());
            lengths = Some(
                lengths.map_or(own, |span| Span { from: span.from.min(own.from), to: span.to.max(own.to) }),
            );
            last = Some((start, row.id.clone()));
            let coding = (row.matter.clone(), row.timekeeper.clone());
            if coding != (None, None) && known.insert(coding) {
                pieces.coded.extend(events_of(&mut numbers, vec![usage]).0);
            }
        }
    }
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Ok(Survey::Whole("two rows have the same id"));
    }
    pieces.span = lengths.unwrap_or_else(|| span_over(std::iter::empty()));
    let empty = Pieces { ranges: Vec::new(), header: Vec::new(), span: pieces.span, coded: Vec::new() };
    Ok(Survey::Pieces(std::mem::replace(pieces, empty)))
}

/// Half of a hash: two ids that are alike in it are looked at again by whoever reads the file as a whole.
fn digest(id: &str) -> u128 {
    let hash = Hash::of(id.as_bytes());
    hash.0[..16].iter().fold(0, |digest, byte| digest << 8 | u128::from(*byte))
}

/// Rates and writes piece by piece.
///
/// # Errors
/// A file that changed since it was looked through, sums that differ (exit 7), a sink that cannot be written (exit 8).
pub fn run(
    request: &Request<'_>,
    inputs: &Inputs,
    pieces: &Pieces,
    sinks: &mut Sinks<'_>,
) -> Result<Summary> {
    let rules = CompiledRules::new(&inputs.rules, &inputs.contacts, request.zone, pieces.span)?;
    let rules = rules.learn(&pieces.coded);
    let mut work = Work {
        state: GroupState::new(&rules),
        rules: &rules,
        numbers: NumberReader::new(request.country),
        dispositions: BTreeMap::new(),
        months: BTreeSet::new(),
        versions: BTreeSet::new(),
        sums: BTreeMap::new(),
        suspended: Vec::new(),
        first: true,
        last: None,
    };
    let name = name_of(request.usage);
    let mut file = File::open(request.usage).map_err(|error| failed(&error, request.usage))?;
    for range in &pieces.ranges {
        let bytes = piece(&mut file, &pieces.header, range).map_err(|error| failed(&error, request.usage))?;
        let rows = usage::read(&name, &bytes, request.local_times.as_ref())
            .map_err(|mistakes| refuse_table(&mistakes, &name, &bytes))?;
        work.rate(request, inputs, rows, sinks)?;
    }
    let mut table = tables::charge_table();
    tables::add_suspended(&mut table, &work.suspended);
    write(sinks, &table.into_bytes()[header_bytes()..])?;
    charges::compare(&rules, &work.state, &work.sums)?;
    if !work.suspended.is_empty() {
        *work.dispositions.entry(EventDisposition::Suspended).or_default() += work.suspended.len();
    }
    Ok(Summary {
        dispositions: work.dispositions,
        tariffs: tariffs(&rules, &work.versions),
        lines: tables::lines(&rules, &work.state, &work.months)?,
        held: None,
    })
}

struct Work<'a> {
    rules: &'a CompiledRules,
    state: GroupState,
    numbers: NumberReader,
    dispositions: BTreeMap<EventDisposition, usize>,
    months: BTreeSet<u32>,
    versions: BTreeSet<usize>,
    sums: BTreeMap<charges::Key, (i128, i128)>,
    suspended: Vec<Suspended>,
    /// Nothing is written yet, not even the table's header.
    first: bool,
    last: Option<Instant>,
}

impl Work<'_> {
    fn rate(
        &mut self,
        request: &Request<'_>,
        inputs: &Inputs,
        rows: Vec<Usage>,
        sinks: &mut Sinks<'_>,
    ) -> Result<()> {
        let (mut events, suspended) = events_of(&mut self.numbers, rows);
        self.suspended.extend(suspended);
        enrich(&mut events, &inputs.directory, &inputs.coding, request.zone);
        let conditions = conditions_of(self.rules, &events)?.rows;
        let mut table = tables::charge_table();
        let mut made = Vec::new();
        for (event, conditions) in events.iter().zip(conditions) {
            if self.last.is_some_and(|last| last > event.start) {
                let message = format!("{} changed while it was read", request.usage.display());
                return Err(Failure::new(Exit::Usage, message));
            }
            self.last = Some(event.start);
            let rated = match &mut sinks.steps {
                None => rate(self.rules, &mut self.state, view(event, conditions), &mut Silent),
                Some(steps) => {
                    let traced = traced(self.rules, &mut self.state, view(event, conditions))?;
                    explain(self.rules, &event.id, &traced, &mut **steps);
                    traced.rated
                }
            };
            let components = self.state.components();
            tables::add_charge(&mut table, self.rules, &event.id, &rated, components);
            *self.dispositions.entry(rated.disposition).or_default() += 1;
            let Some(payer) = rated.payer else { continue };
            self.months.insert(rated.month);
            self.months.extend(components.iter().map(|part| part.month));
            self.versions
                .extend(components.iter().map(|part| self.rules.clauses[part.clause as usize].version));
            if !components.is_empty() {
                let components = components.to_vec();
                made.push(Charge { event_id: event.id.clone(), payer, components });
            }
        }
        for (key, (units, numerator)) in charges::totals(&made)? {
            let sums = self.sums.entry(key).or_default();
            *sums = (sums.0 + units, sums.1 + numerator);
        }
        let from = if std::mem::take(&mut self.first) { 0 } else { header_bytes() };
        write(sinks, &table.into_bytes()[from..])
    }
}

fn write(sinks: &mut Sinks<'_>, bytes: &[u8]) -> Result<()> {
    sinks.charges.write_all(bytes).map_err(|error| Failure::io(&error, "writing the charges"))
}

/// Length of the header of the charges.
fn header_bytes() -> usize {
    tables::charge_table().into_bytes().len()
}

fn failed(error: &std::io::Error, path: &Path) -> Failure {
    Failure::io(error, format!("reading {}", path.display()))
}

/// One piece with the header before it.
fn piece(file: &mut File, header: &[u8], range: &Range<u64>) -> std::io::Result<Vec<u8>> {
    let too_long = |_| std::io::Error::other("a piece of the file is too long");
    let length = usize::try_from(range.end - range.start).map_err(too_long)?;
    let mut bytes = header.to_vec();
    bytes.resize(header.len() + length, 0);
    file.seek(SeekFrom::Start(range.start))?;
    file.read_exact(&mut bytes[header.len()..])?;
    Ok(bytes)
}

/// Where the pieces of a file lie, and the header of a CSV file. Pieces end where rows end.
fn cut(path: &Path, is_csv: bool) -> std::io::Result<(Vec<u8>, Vec<Range<u64>>)> {
    let mut file = File::open(path)?;
    let mut ranges = Vec::new();
    let mut begin = 0;
    let mut end = 0;
    let mut reach = |end: u64, begin: &mut u64, last: bool| {
        if end - *begin >= PIECE_BYTES || (last && end > *begin) {
            ranges.push(*begin..end);
            *begin = end;
        }
    };
    let mut header = Vec::new();
    if is_csv {
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .has_headers(false)
            .buffer_capacity(1 << 16)
            .from_reader(&mut file);
        let mut record = csv::ByteRecord::new();
        while reader.read_byte_record(&mut record)? {
            end = reader.position().byte();
            if begin == 0 {
                begin = end;
                header = vec![0];
            }
            reach(end, &mut begin, false);
        }
        reach(end, &mut begin, true);
        if !header.is_empty() {
            let first = ranges.first().map_or(end, |range: &Range<u64>| range.start);
            header = piece(&mut file, &[], &(0..first))?;
        }
        return Ok((header, ranges));
    }
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        end += read as u64;
        reach(end, &mut begin, false);
    }
    reach(end, &mut begin, true);
    Ok((header, ranges))
}
