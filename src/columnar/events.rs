//! The event table: events as integer and text columns, and views of its rows for the pricing code.
//!
//! A person's times of a call are three lists of one length in `entry_extension`, `entry_start_ms` and `entry_ms`; a cost
//! is its digits and their decimals. Columns in which no row says anything cost a reader nothing.

use polars::prelude::*;
use rust_decimal::Decimal;

use crate::domain::event::{
    BillableEvent, Coding, CodingView, EventView, LegQuantities, Party, SegmentWays, TimeEntry,
};
use crate::domain::number::NumberClass;
use crate::domain::outcome::{Channel, Direction, Outcome};
use crate::domain::{Country, Exit, Failure, Instant, PartyNumber, Result};

use super::bug;

/// Borrowed columns of an event table. A column in which every row is null is `None`.
pub struct EventColumns<'a> {
    rows: usize,
    id: &'a StringChunked,
    start: &'a Int64Chunked,
    last_modified: Option<&'a Int64Chunked>,
    channel: &'a UInt32Chunked,
    direction: &'a UInt32Chunked,
    outcome: &'a UInt32Chunked,
    from: PartyColumns<'a>,
    to: PartyColumns<'a>,
    extension: Option<&'a UInt64Chunked>,
    quantities: [Option<&'a Int64Chunked>; 6],
    without_legs: &'a BooleanChunked,
    segments: [Option<&'a UInt32Chunked>; 5],
    pages: Option<&'a UInt32Chunked>,
    texts: [Option<&'a StringChunked>; 11],
    cost: Option<(&'a Int128Chunked, &'a UInt32Chunked)>,
    entries: Vec<TimeEntry>,
    /// Where the entries of each row end; empty when no row has any.
    entries_end: Vec<usize>,
}

struct PartyColumns<'a> {
    kind: &'a UInt64Chunked,
    digits: &'a UInt64Chunked,
    country: Option<&'a UInt32Chunked>,
    toll_free: &'a BooleanChunked,
}

/// Columns of milliseconds, one for each field of [`LegQuantities`].
const QUANTITIES: [&str; 6] = [
    "customer_facing_ms",
    "master_ms",
    "estimated_talk_ms",
    "longest_leg_ms",
    "first_answered_ms",
    "sum_of_legs_ms",
];
/// The default count of segments, then one for each field of [`SegmentWays`].
const SEGMENTS: [&str; 5] = [
    "segments",
    "segments_gsm7_pairs",
    "segments_gsm7_graphemes",
    "segments_national_pairs",
    "segments_national_graphemes",
];
/// Columns of text that may be absent.
const TEXTS: [&str; 11] = [
    "account_code",
    "contact",
    "site",
    "department",
    "cost_centre",
    "ringcentral_account",
    "error_code",
    "coded_contact",
    "matter",
    "timekeeper",
    "task",
];

fn quantities(event: &BillableEvent) -> [Option<i64>; 6] {
    let quantities = &event.quantities;
    [
        quantities.customer_facing,
        quantities.master,
        quantities.estimated_talk,
        quantities.longest_leg,
        quantities.first_answered,
        quantities.sum_of_legs,
    ]
}

fn segments(event: &BillableEvent) -> [Option<u32>; 5] {
    let ways = &event.segment_counts;
    [event.segments, ways.gsm7_pairs, ways.gsm7_graphemes, ways.national_pairs, ways.national_graphemes]
}

fn texts(event: &BillableEvent) -> [Option<&str>; 11] {
    let coding = event.coding.as_ref().map(Coding::view).unwrap_or_default();
    [
        event.account_code.as_deref(),
        event.contact.as_deref(),
        event.site.as_deref(),
        event.department.as_deref(),
        event.cost_centre.as_deref(),
        event.ringcentral_account.as_deref(),
        event.error_code.as_deref(),
        coding.contact,
        coding.matter,
        coding.timekeeper,
        coding.task,
    ]
}

fn numbers<T: PolarsNumericType>(
    name: &str,
    events: &[BillableEvent],
    value: impl Fn(&BillableEvent) -> Option<T::Native>,
) -> Column
where
    ChunkedArray<T>: FromIterator<Option<T::Native>> + IntoColumn,
{
    events.iter().map(value).collect::<ChunkedArray<T>>().with_name(name.into()).into_column()
}

fn flags(name: &str, events: &[BillableEvent], value: impl Fn(&BillableEvent) -> bool) -> Column {
    Column::new(name.into(), events.iter().map(value).collect::<Vec<bool>>())
}

/// The event table of some events, in their order.
///
/// # Errors
/// A failure of Polars.
pub fn frame(events: &[BillableEvent]) -> Result<DataFrame> {
    let ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
    let mut columns = vec![
        Column::new("id".into(), ids),
        numbers::<Int64Type>("start_ms", events, |event| Some(event.start.milliseconds())),
        numbers::<Int64Type>("last_modified_ms", events, |event| {
            event.last_modified.map(Instant::milliseconds)
        }),
        numbers::<UInt32Type>("channel", events, |event| Some(event.channel as u32)),
        numbers::<UInt32Type>("direction", events, |event| Some(event.direction as u32)),
        numbers::<UInt32Type>("outcome", events, |event| Some(event.outcome as u32)),
        numbers::<UInt64Type>("extension", events, |event| event.extension),
        flags("without_legs", events, |event| event.quantities.without_legs),
        numbers::<UInt32Type>("pages", events, |event| event.pages),
        numbers::<Int128Type>("carrier_cost_digits", events, |event| {
            event.carrier_cost.map(|cost| cost.mantissa())
        }),
        numbers::<UInt32Type>("carrier_cost_decimals", events, |event| {
            event.carrier_cost.map(|cost| cost.scale())
        }),
    ];
    columns.extend(party_columns("from", events, |event| &event.from));
    columns.extend(party_columns("to", events, |event| &event.to));
    let quantity =
        |(place, name): (usize, &&str)| numbers::<Int64Type>(name, events, |event| quantities(event)[place]);
    columns.extend(QUANTITIES.iter().enumerate().map(quantity));
    let count =
        |(place, name): (usize, &&str)| numbers::<UInt32Type>(name, events, |event| segments(event)[place]);
    columns.extend(SEGMENTS.iter().enumerate().map(count));
    for (place, name) in TEXTS.iter().enumerate() {
        let cells: Vec<Option<&str>> = events.iter().map(|event| texts(event)[place]).collect();
        columns.push(Column::new((*name).into(), cells));
    }
    columns.extend(entry_columns(events));
    DataFrame::new(events.len(), columns).map_err(|error| bug(&error))
}

fn party_columns(side: &str, events: &[BillableEvent], party: fn(&BillableEvent) -> &Party) -> [Column; 4] {
    let name = |part: &str| format!("{side}_{part}");
    [
        numbers::<UInt64Type>(&name("class"), events, |event| Some(number(party(event).number).0)),
        numbers::<UInt64Type>(&name("number"), events, |event| Some(number(party(event).number).1)),
        numbers::<UInt32Type>(&name("country"), events, |event| party(event).country.map(country_code)),
        flags(&name("toll_free"), events, |event| party(event).toll_free),
    ]
}

/// Three lists of one length for each event; null where it has no entry.
fn entry_columns(events: &[BillableEvent]) -> [Column; 3] {
    let values = events.iter().map(|event| event.entries.len()).sum();
    let rows = events.len();
    let builder = |name: &str| {
        ListPrimitiveChunkedBuilder::<Int64Type>::new(name.into(), rows, values, DataType::Int64)
    };
    let (mut starts, mut lengths) = (builder("entry_start_ms"), builder("entry_ms"));
    let mut extensions = ListPrimitiveChunkedBuilder::<UInt64Type>::new(
        "entry_extension".into(),
        rows,
        values,
        DataType::UInt64,
    );
    for event in events {
        let entries = &event.entries;
        if entries.is_empty() {
            starts.append_null();
            lengths.append_null();
            extensions.append_null();
            continue;
        }
        starts.append_values_iter(entries.iter().map(|entry| entry.start.milliseconds()));
        lengths.append_values_iter(entries.iter().map(|entry| entry.milliseconds));
        extensions.append_iter(entries.iter().map(|entry| entry.extension));
    }
    [extensions.finish().into_column(), starts.finish().into_column(), lengths.finish().into_column()]
}

fn told<T: PolarsDataType>(column: &ChunkedArray<T>) -> Option<&ChunkedArray<T>> {
    (column.null_count() < column.len()).then_some(column)
}

impl<'a> PartyColumns<'a> {
    fn of(frame: &'a DataFrame, side: &str) -> PolarsResult<PartyColumns<'a>> {
        let column = |part: &str| frame.column(&format!("{side}_{part}"));
        Ok(PartyColumns {
            kind: column("class")?.u64()?,
            digits: column("number")?.u64()?,
            country: told(column("country")?.u32()?),
            toll_free: column("toll_free")?.bool()?,
        })
    }

    fn party(&self, row: usize) -> Option<(PartyNumber, Option<Country>, NumberClass)> {
        let number = party(self.kind.get(row)?, self.digits.get(row)?)?;
        let country = self.country.and_then(|codes| codes.get(row)).and_then(country);
        Some((number, country, NumberClass::of(number, self.toll_free.get(row)?)))
    }
}

/// The entries of all rows, one after another, and where those of each row end.
fn entries(frame: &DataFrame) -> PolarsResult<(Vec<TimeEntry>, Vec<usize>)> {
    let list = |name: &str| frame.column(name)?.list();
    let (extensions, starts, lengths) =
        (list("entry_extension")?, list("entry_start_ms")?, list("entry_ms")?);
    if starts.null_count() == starts.len() {
        return Ok((Vec::new(), Vec::new()));
    }
    let (mut entries, mut ends) = (Vec::new(), Vec::with_capacity(frame.height()));
    let rows = extensions.amortized_iter().zip(starts.amortized_iter()).zip(lengths.amortized_iter());
    for ((extensions, starts), lengths) in rows {
        if let (Some(extensions), Some(starts), Some(lengths)) = (extensions, starts, lengths) {
            let parts = extensions.as_ref().u64()?.iter().zip(starts.as_ref().i64()?.iter());
            for ((extension, start), milliseconds) in parts.zip(lengths.as_ref().i64()?.iter()) {
                let (Some(start), Some(milliseconds)) = (start, milliseconds) else {
                    polars_bail!(ComputeError: "an entry has no start or no length");
                };
                let start = Instant::from_milliseconds(start);
                entries.push(TimeEntry { extension, start, milliseconds });
            }
        }
        ends.push(entries.len());
    }
    Ok((entries, ends))
}

impl<'a> EventColumns<'a> {
    /// Borrows the columns of an event table.
    ///
    /// # Errors
    /// A missing column or one of another type.
    pub fn of(frame: &'a DataFrame) -> Result<EventColumns<'a>> {
        EventColumns::borrow(frame).map_err(|error| {
            Failure::new(Exit::Verification, error.to_string()).while_doing("reading the event table")
        })
    }

    fn borrow(frame: &'a DataFrame) -> PolarsResult<EventColumns<'a>> {
        let mut quantities = [None; QUANTITIES.len()];
        for (column, name) in quantities.iter_mut().zip(QUANTITIES) {
            *column = told(frame.column(name)?.i64()?);
        }
        let mut segments = [None; SEGMENTS.len()];
        for (column, name) in segments.iter_mut().zip(SEGMENTS) {
            *column = told(frame.column(name)?.u32()?);
        }
        let mut texts = [None; TEXTS.len()];
        for (column, name) in texts.iter_mut().zip(TEXTS) {
            *column = told(frame.column(name)?.str()?);
        }
        let digits = told(frame.column("carrier_cost_digits")?.i128()?);
        let (entries, entries_end) = entries(frame)?;
        Ok(EventColumns {
            rows: frame.height(),
            id: frame.column("id")?.str()?,
            start: frame.column("start_ms")?.i64()?,
            last_modified: told(frame.column("last_modified_ms")?.i64()?),
            channel: frame.column("channel")?.u32()?,
            direction: frame.column("direction")?.u32()?,
            outcome: frame.column("outcome")?.u32()?,
            from: PartyColumns::of(frame, "from")?,
            to: PartyColumns::of(frame, "to")?,
            extension: told(frame.column("extension")?.u64()?),
            quantities,
            without_legs: frame.column("without_legs")?.bool()?,
            segments,
            pages: told(frame.column("pages")?.u32()?),
            texts,
            cost: digits.zip(Some(frame.column("carrier_cost_decimals")?.u32()?)),
            entries,
            entries_end,
        })
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no event.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The event of one row as the pricing code sees it, before any condition of the rules is evaluated.
    ///
    /// # Errors
    /// A value outside its vocabulary.
    pub fn view(&self, row: usize) -> Result<EventView<'_>> {
        let wrong = |column: &str| {
            Failure::new(Exit::Verification, format!("row {row} of the event table has no valid {column}"))
        };
        let (from, from_country, from_class) = self.from.party(row).ok_or_else(|| wrong("from_class"))?;
        let (to, to_country, to_class) = self.to.party(row).ok_or_else(|| wrong("to_class"))?;
        let text = self.texts.map(|column| column.and_then(|column| column.get(row)));
        let [segments, ways @ ..] = self.segments.map(|column| column.and_then(|column| column.get(row)));
        Ok(EventView {
            id: self.id.get(row).ok_or_else(|| wrong("id"))?,
            start: self.start.get(row).map(Instant::from_milliseconds).ok_or_else(|| wrong("start_ms"))?,
            channel: word(self.channel, row, Channel::ALL).ok_or_else(|| wrong("channel"))?,
            direction: word(self.direction, row, Direction::ALL).ok_or_else(|| wrong("direction"))?,
            outcome: word(self.outcome, row, Outcome::ALL).ok_or_else(|| wrong("outcome"))?,
            from,
            to,
            from_country,
            to_country,
            from_class,
            to_class,
            extension: self.extension.and_then(|column| column.get(row)),
            account_code: text[0],
            contact: text[1],
            site: text[2],
            department: text[3],
            cost_centre: text[4],
            ringcentral_account: text[5],
            error_code: text[6],
            coding: CodingView { contact: text[7], matter: text[8], timekeeper: text[9], task: text[10] },
            carrier_cost: self.carrier_cost(row).ok_or_else(|| wrong("carrier_cost"))?,
            last_modified: self
                .last_modified
                .and_then(|column| column.get(row))
                .map(Instant::from_milliseconds),
            conditions: 0,
            quantities: self.quantities(row),
            entries: self.entries(row),
            segments,
            segment_counts: SegmentWays {
                gsm7_pairs: ways[0],
                gsm7_graphemes: ways[1],
                national_pairs: ways[2],
                national_graphemes: ways[3],
            },
            pages: self.pages.and_then(|column| column.get(row)),
        })
    }

    fn quantities(&self, row: usize) -> LegQuantities {
        let milliseconds = self.quantities.map(|column| column.and_then(|column| column.get(row)));
        LegQuantities {
            customer_facing: milliseconds[0],
            master: milliseconds[1],
            estimated_talk: milliseconds[2],
            longest_leg: milliseconds[3],
            first_answered: milliseconds[4],
            sum_of_legs: milliseconds[5],
            without_legs: self.without_legs.get(row).unwrap_or(false),
        }
    }

    fn entries(&self, row: usize) -> &[TimeEntry] {
        let Some(end) = self.entries_end.get(row).copied() else { return &[] };
        let start = if row == 0 { 0 } else { self.entries_end[row - 1] };
        &self.entries[start..end]
    }

    /// The cost as it was read, digit for digit; the outer `None` is a cost that no decimal can be.
    fn carrier_cost(&self, row: usize) -> Option<Option<Decimal>> {
        let Some((digits, decimals)) = self.cost else { return Some(None) };
        let Some(digits) = digits.get(row) else { return Some(None) };
        Decimal::try_from_i128_with_scale(digits, decimals.get(row)?).ok().map(Some)
    }
}

fn word<T: Copy>(column: &UInt32Chunked, row: usize, words: &[T]) -> Option<T> {
    words.get(column.get(row)? as usize).copied()
}

/// A number as its class and digits.
pub fn number(number: PartyNumber) -> (u64, u64) {
    match number {
        PartyNumber::E164(digits) => (0, digits),
        PartyNumber::Extension(digits) => (1, digits),
        PartyNumber::ShortCode(digits) => (2, digits),
        PartyNumber::Emergency(digits) => (3, digits),
        PartyNumber::Withheld => (4, 0),
        PartyNumber::Unparseable => (5, 0),
    }
}

/// The number of a class and digits; `None` for a class that does not exist.
pub fn party(class: u64, digits: u64) -> Option<PartyNumber> {
    Some(match class {
        0 => PartyNumber::E164(digits),
        1 => PartyNumber::Extension(digits),
        2 => PartyNumber::ShortCode(digits),
        3 => PartyNumber::Emergency(digits),
        4 => PartyNumber::Withheld,
        5 => PartyNumber::Unparseable,
        _ => return None,
    })
}

/// A country as a number: its two letters in base 256.
pub fn country_code(country: Country) -> u32 {
    let letters = country.letters();
    u32::from(letters[0]) * 256 + u32::from(letters[1])
}

/// The country of such a number.
pub fn country(code: u32) -> Option<Country> {
    let letters = [u8::try_from(code / 256).ok()?, u8::try_from(code % 256).ok()?];
    Country::from_letters(letters)
}

#[cfg(test)]
#[path = "events/tests.rs"]
mod tests;
