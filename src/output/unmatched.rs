//! `unmatched.csv`: usage that belongs to no contact, with its age, its value at the default tariff and whose it could
//! be. A proposal is never an assignment: the contact list decides, and the same run prices what it decides.

use super::OutputFile;
use super::table::{Cell, Table};
use crate::domain::money::{Currency, Exact};
use crate::domain::outcome::{Channel, Direction};

/// How many proposals a row shows.
const SUGGESTIONS_SHOWN: usize = 3;

/// Usage that belongs to no contact, sorted by start, then id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnmatchedUsage {
    /// Currency of the values: that of the default tariff. `None` without one.
    pub currency: Option<Currency>,
    pub events: Vec<UnmatchedEvent>,
}

/// One event that belongs to no contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnmatchedEvent {
    pub id: String,
    /// In the zone of the period, for people.
    pub start: String,
    /// Civil days from the event to the end of the period.
    pub days: i64,
    pub channel: Channel,
    pub direction: Direction,
    /// The other party.
    pub number: String,
    pub name: Option<String>,
    pub extension: Option<u64>,
    pub milliseconds: i128,
    pub segments: Option<u32>,
    pub pages: Option<u32>,
    /// What the default tariff would charge before any allowance, in major units; `None` when it cannot say.
    pub value: Option<Exact>,
    /// Why there is no value, as a word.
    pub reason: &'static str,
    /// Contacts it could belong to, the best reason first.
    pub suggestions: Vec<(String, String)>,
}

/// The sums over unmatched usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnmatchedTotals {
    pub events: u64,
    pub currency: Option<Currency>,
    /// Exact sum of the values.
    pub value: Exact,
    /// Events whose value nobody knows.
    pub without_value: u64,
    pub oldest_days: i64,
}

impl Default for UnmatchedTotals {
    fn default() -> UnmatchedTotals {
        UnmatchedTotals { events: 0, currency: None, value: Exact::ZERO, without_value: 0, oldest_days: 0 }
    }
}

impl UnmatchedUsage {
    /// Adds everything up.
    ///
    /// # Errors
    /// A sum beyond 128 bits.
    pub fn totals(&self) -> crate::domain::Result<UnmatchedTotals> {
        let mut totals = UnmatchedTotals { currency: self.currency, ..UnmatchedTotals::default() };
        for event in &self.events {
            totals.events += 1;
            totals.oldest_days = totals.oldest_days.max(event.days);
            match event.value {
                Some(value) => totals.value = totals.value.plus(value)?,
                None => totals.without_value += 1,
            }
        }
        Ok(totals)
    }
}

/// `unmatched.csv`; without unmatched usage only its header.
pub fn unmatched_csv(usage: &UnmatchedUsage) -> OutputFile {
    const HEADER: [&str; 20] = [
        "event",
        "start",
        "days",
        "channel",
        "direction",
        "other_party",
        "name",
        "extension",
        "milliseconds",
        "segments",
        "pages",
        "value",
        "currency",
        "no_value_because",
        "suggested_contact",
        "suggested_because",
        "second_contact",
        "second_because",
        "third_contact",
        "third_because",
    ];
    let mut table = Table::new(&HEADER);
    for event in &usage.events {
        let currency = usage.currency.filter(|_| event.value.is_some());
        let mut row = vec![
            Cell::text(&event.id),
            Cell::text(&event.start),
            Cell::figure(event.days),
            Cell::text(event.channel.word()),
            Cell::text(event.direction.word()),
            Cell::text(&event.number),
            Cell::optional_text(event.name.as_deref()),
            Cell::optional_figure(event.extension),
            Cell::figure(event.milliseconds),
            Cell::optional_figure(event.segments),
            Cell::optional_figure(event.pages),
            Cell::optional_figure(event.value.map(|value| value.digits(6))),
            Cell::optional_text(currency.as_ref().map(Currency::code)),
            Cell::text(event.reason),
        ];
        let shown = event.suggestions.iter().take(SUGGESTIONS_SHOWN);
        row.extend(shown.flat_map(|(contact, reason)| [Cell::text(contact), Cell::text(reason)]));
        row.resize(HEADER.len(), Cell::empty());
        table.row(&row);
    }
    OutputFile { path: "unmatched.csv".to_owned(), bytes: table.into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{golden, samples};

    #[test]
    fn the_table_is_as_agreed() {
        golden::check("run", &unmatched_csv(&samples::unmatched()));
    }

    #[test]
    fn values_add_up_exactly_and_unknown_ones_are_counted() {
        let usage = samples::unmatched();
        let totals = usage.totals().unwrap();
        assert_eq!((totals.events, totals.without_value, totals.oldest_days), (3, 1, 29));
        assert_eq!(totals.value, Exact::new(1, 3).plus(Exact::new(5, 100)).unwrap());
    }
}
