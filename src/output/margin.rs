//! `margin.csv`: what a run charges beside what the same events cost. Exact values, nothing is rounded; an event whose
//! cost nobody knows is counted apart and never passes for one that cost nothing.

use super::OutputFile;
use super::table::{Cell, Table};
use crate::domain::{Currency, Exact, Result};

/// Charge and cost of one payer's events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarginRow {
    pub contact_id: String,
    pub payer: String,
    pub currency: Currency,
    /// Charged events whose cost is known.
    pub events: u64,
    /// Charged events whose cost nobody says; their charges are in no sum here.
    pub events_without_cost: u64,
    /// In major units, before any rounding of lines.
    pub charge: Exact,
    pub cost: Exact,
}

impl MarginRow {
    /// What is left of the charge.
    ///
    /// # Errors
    /// An amount beyond 128 bits.
    pub fn margin(&self) -> Result<Exact> {
        self.charge.plus(self.cost.negated())
    }
}

/// The bytes of `margin.csv`, one row a payer.
///
/// # Errors
/// An amount beyond 128 bits.
pub fn margin_csv(rows: &[MarginRow]) -> Result<OutputFile> {
    const HEADER: [&str; 8] =
        ["contact", "name", "currency", "events", "events_without_cost", "charge", "cost", "margin"];
    let mut table = Table::new(&HEADER);
    for row in rows {
        table.row(&[
            Cell::text(&row.contact_id),
            Cell::text(&row.payer),
            Cell::text(row.currency.code()),
            Cell::figure(row.events),
            Cell::figure(row.events_without_cost),
            exact(row.charge),
            exact(row.cost),
            exact(row.margin()?),
        ]);
    }
    Ok(OutputFile { path: "margin.csv".to_owned(), bytes: table.into_bytes() })
}

/// A ratio such as `1/3` would be read as a date by a spreadsheet; `1 / 3` is text everywhere.
fn exact(value: Exact) -> Cell {
    let shortest = value.shortest();
    if shortest.contains('/') { Cell::text(&shortest.replace('/', " / ")) } else { Cell::figure(shortest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charge_less_cost_is_the_margin_also_below_nothing() {
        let row = MarginRow {
            contact_id: "c".to_owned(),
            payer: "=C".to_owned(),
            currency: Currency::from_code("USD").unwrap(),
            events: 2,
            events_without_cost: 1,
            charge: Exact::new(1, 3),
            cost: Exact::new(1, 2),
        };
        let file = margin_csv(&[row]).unwrap();
        let mut reader = csv::Reader::from_reader(file.bytes.as_slice());
        let cells = reader.records().next().unwrap().unwrap();
        assert_eq!((&cells[5], &cells[6], Cell::unguarded(&cells[7])), ("1 / 3", "0.5", "-1 / 6"));
    }
}
