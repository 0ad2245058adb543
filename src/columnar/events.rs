//! The event table: events as integer columns, and views of its rows for the pricing code.

use polars::prelude::*;

use crate::domain::event::{BillableEvent, CodingView, EventView, LegQuantities, SegmentWays};
use crate::domain::number::NumberClass;
use crate::domain::outcome::{Channel, Direction, Outcome};
use crate::domain::{Country, Exit, Failure, Instant, PartyNumber, Result};

use super::bug;

/// Borrowed columns of an event table.
pub struct EventColumns<'a> {
    rows: usize,
    id: &'a StringChunked,
    start: &'a Int64Chunked,
    channel: &'a UInt32Chunked,
    direction: &'a UInt32Chunked,
    outcome: &'a UInt32Chunked,
    from: [&'a UInt64Chunked; 2],
    to: [&'a UInt64Chunked; 2],
    from_country: &'a UInt32Chunked,
    to_country: &'a UInt32Chunked,
    extension: &'a UInt64Chunked,
    customer_facing: &'a Int64Chunked,
    master: &'a Int64Chunked,
    without_legs: &'a BooleanChunked,
    segments: &'a UInt32Chunked,
    pages: &'a UInt32Chunked,
    account_code: &'a StringChunked,
    contact: &'a StringChunked,
}

/// The event table of some events, in their order.
///
/// # Errors
/// A failure of Polars.
pub fn frame(events: &[BillableEvent]) -> Result<DataFrame> {
    fn column<T>(events: &[BillableEvent], value: impl Fn(&BillableEvent) -> T) -> Vec<T> {
        events.iter().map(value).collect()
    }
    let text =
        |value: fn(&BillableEvent) -> Option<&str>| events.iter().map(value).collect::<Vec<Option<&str>>>();
    let columns = vec![
        Column::new("id".into(), events.iter().map(|event| event.id.as_str()).collect::<Vec<&str>>()),
        Column::new("start_ms".into(), column(events, |event| event.start.milliseconds())),
        Column::new("channel".into(), column(events, |event| event.channel as u32)),
        Column::new("direction".into(), column(events, |event| event.direction as u32)),
        Column::new("outcome".into(), column(events, |event| event.outcome as u32)),
        Column::new("from_class".into(), column(events, |event| number(event.from.number).0)),
        Column::new("from_number".into(), column(events, |event| number(event.from.number).1)),
        Column::new("to_class".into(), column(events, |event| number(event.to.number).0)),
        Column::new("to_number".into(), column(events, |event| number(event.to.number).1)),
        Column::new("from_country".into(), column(events, |event| event.from.country.map(country_code))),
        Column::new("to_country".into(), column(events, |event| event.to.country.map(country_code))),
        Column::new("extension".into(), column(events, |event| event.extension)),
        Column::new("customer_facing_ms".into(), column(events, |event| event.quantities.customer_facing)),
        Column::new("master_ms".into(), column(events, |event| event.quantities.master)),
        Column::new("without_legs".into(), column(events, |event| event.quantities.without_legs)),
        Column::new("segments".into(), column(events, |event| event.segments)),
        Column::new("pages".into(), column(events, |event| event.pages)),
        Column::new("account_code".into(), text(|event| event.account_code.as_deref())),
        Column::new("contact".into(), text(|event| event.contact.as_deref())),
    ];
    DataFrame::new(events.len(), columns).map_err(|error| bug(&error))
}

impl<'a> EventColumns<'a> {
    /// Borrows the columns of an event table.
    ///
    /// # Errors
    /// A missing column or one of another type.
    pub fn of(frame: &'a DataFrame) -> Result<EventColumns<'a>> {
        let borrow = || -> PolarsResult<EventColumns<'a>> {
            Ok(EventColumns {
                rows: frame.height(),
                id: frame.column("id")?.str()?,
                start: frame.column("start_ms")?.i64()?,
                channel: frame.column("channel")?.u32()?,
                direction: frame.column("direction")?.u32()?,
                outcome: frame.column("outcome")?.u32()?,
                from: [frame.column("from_class")?.u64()?, frame.column("from_number")?.u64()?],
                to: [frame.column("to_class")?.u64()?, frame.column("to_number")?.u64()?],
                from_country: frame.column("from_country")?.u32()?,
                to_country: frame.column("to_country")?.u32()?,
                extension: frame.column("extension")?.u64()?,
                customer_facing: frame.column("customer_facing_ms")?.i64()?,
                master: frame.column("master_ms")?.i64()?,
                without_legs: frame.column("without_legs")?.bool()?,
                segments: frame.column("segments")?.u32()?,
                pages: frame.column("pages")?.u32()?,
                account_code: frame.column("account_code")?.str()?,
                contact: frame.column("contact")?.str()?,
            })
        };
        borrow().map_err(|error| {
            Failure::new(Exit::Verification, error.to_string()).while_doing("reading the event table")
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

    /// The event of one row as the pricing code sees it.
    ///
    /// # Errors
    /// A value outside its vocabulary.
    pub fn view(&self, row: usize) -> Result<EventView<'a>> {
        let wrong = |column: &str| {
            Failure::new(Exit::Verification, format!("row {row} of the event table has no valid {column}"))
        };
        let word = |column: &UInt32Chunked| column.get(row).map(|index| index as usize);
        Ok(EventView {
            id: self.id.get(row).ok_or_else(|| wrong("id"))?,
            start: self.start.get(row).map(Instant::from_milliseconds).ok_or_else(|| wrong("start_ms"))?,
            channel: word(self.channel)
                .and_then(|index| Channel::ALL.get(index).copied())
                .ok_or_else(|| wrong("channel"))?,
            direction: word(self.direction)
                .and_then(|index| Direction::ALL.get(index).copied())
                .ok_or_else(|| wrong("direction"))?,
            outcome: word(self.outcome)
                .and_then(|index| Outcome::ALL.get(index).copied())
                .ok_or_else(|| wrong("outcome"))?,
            from: party(&self.from, row).ok_or_else(|| wrong("from_class"))?,
            to: party(&self.to, row).ok_or_else(|| wrong("to_class"))?,
            from_country: self.from_country.get(row).and_then(country),
            to_country: self.to_country.get(row).and_then(country),
            extension: self.extension.get(row),
            account_code: self.account_code.get(row),
            contact: self.contact.get(row),
            from_class: NumberClass::Ordinary,
            to_class: NumberClass::Ordinary,
            site: None,
            department: None,
            cost_centre: None,
            ringcentral_account: None,
            coding: CodingView::default(),
            error_code: None,
            carrier_cost: None,
            last_modified: None,
            conditions: 0,
            entries: &[],
            quantities: LegQuantities {
                customer_facing: self.customer_facing.get(row),
                master: self.master.get(row),
                without_legs: self.without_legs.get(row).unwrap_or(false),
                ..LegQuantities::default()
            },
            segments: self.segments.get(row),
            segment_counts: SegmentWays::all(self.segments.get(row)),
            pages: self.pages.get(row),
        })
    }
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

fn party(columns: &[&UInt64Chunked; 2], row: usize) -> Option<PartyNumber> {
    let digits = columns[1].get(row)?;
    Some(match columns[0].get(row)? {
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

fn country(code: u32) -> Option<Country> {
    let letters = [u8::try_from(code / 256).ok()?, u8::try_from(code % 256).ok()?];
    Country::from_letters(letters)
}
