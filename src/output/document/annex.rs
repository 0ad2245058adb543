//! `calls.csv`: one row for each event on each line, so that the charges of a line add up to its amount exactly.
//!
//! The column `charge` has six decimals, one scale for every row and currency. What the six decimals and the rounding
//! of the line left over stands in one row of its own for each line (`row` is `rounding residual`), also when it is
//! nothing: the column adds up to the line's amount, and over all lines to the document's net. A line without events
//! (a fee) has one row of its kind. The column `exact` has the charge as an exact decimal or ratio.

use crate::domain::document::{AnnexRow, Document, InvoiceLine};
use crate::domain::money::{Exact, Money, RoundingMode, power_of_ten};
use crate::domain::{Exit, Failure, Result};
use crate::output::table::{Cell, Table};

/// Decimals of the column `charge`.
pub(super) const DECIMALS: u32 = 6;

const HEADER: [&str; 22] = [
    "row",
    "event_id",
    "start",
    "channel",
    "direction",
    "from",
    "to",
    "extension",
    "outcome",
    "line",
    "clause",
    "band",
    "destination",
    "tier",
    "matter",
    "timekeeper",
    "measured",
    "units_billed",
    "unit",
    "charge",
    "exact",
    "remarks",
];

/// The exact sum of a line's rows; `None` when the annex has no row for it.
pub(super) fn charged(document: &Document, line: u32) -> Result<Option<Exact>> {
    let mut sum = None;
    for row in document.annex.iter().filter(|row| row.line == line) {
        sum = Some(sum.unwrap_or(Exact::ZERO).plus(row.exact)?);
    }
    Ok(sum)
}

/// The bytes of `calls.csv`, in the order of the lines, then of the annex.
pub(super) fn table(document: &Document) -> Result<Vec<u8>> {
    let mut table = Table::new(&HEADER);
    for line in &document.invoice.lines {
        let mut shown = 0_i128;
        let mut rows = 0_u64;
        for row in document.annex.iter().filter(|row| row.line == line.number) {
            let millionths = in_millionths(row.exact)?;
            shown = shown.checked_add(millionths).ok_or_else(too_large)?;
            rows += 1;
            table.row(&event_cells(row, millionths));
        }
        if rows == 0 {
            let millionths = in_millionths(line.exact)?;
            shown = millionths;
            table.row(&line_cells(line, line.key.kind.word(), millionths, &line.exact.shortest()));
        }
        let owed = whole_millionths(line.amount)?;
        let residual = owed.checked_sub(shown).ok_or_else(too_large)?;
        table.row(&line_cells(line, "rounding residual", residual, ""));
    }
    Ok(table.into_bytes())
}

fn event_cells(row: &AnnexRow, millionths: i128) -> [Cell; 22] {
    [
        Cell::text("event"),
        Cell::text(&row.event_id),
        Cell::text(&row.start),
        Cell::text(&row.channel),
        Cell::text(&row.direction),
        Cell::text(&row.from),
        Cell::text(&row.to),
        Cell::text(&row.extension),
        Cell::text(&row.outcome),
        Cell::figure(row.line),
        Cell::text(&row.clause),
        Cell::text(&row.band),
        Cell::text(&row.destination),
        tier_cell(row.tier),
        Cell::text(&row.matter),
        Cell::text(&row.timekeeper),
        Cell::figure(&row.measured),
        Cell::figure(row.units_billed),
        Cell::text(row.unit.word()),
        Cell::figure(Exact::new(millionths, power_of_ten(DECIMALS)).digits(DECIMALS)),
        exact_cell(row.exact),
        Cell::text(&row.remarks),
    ]
}

fn line_cells(line: &InvoiceLine, kind: &str, millionths: i128, exact: &str) -> [Cell; 22] {
    let mut cells: [Cell; 22] = std::array::from_fn(|_| Cell::empty());
    cells[0] = Cell::text(kind);
    cells[9] = Cell::figure(line.number);
    cells[10] = Cell::text(&line.key.clause);
    cells[11] = Cell::text(&line.key.band);
    cells[12] = Cell::text(&line.key.destination);
    cells[13] = tier_cell(line.key.tier);
    cells[14] = Cell::text(&line.key.matter);
    cells[15] = Cell::text(&line.key.timekeeper);
    cells[19] = Cell::figure(Exact::new(millionths, power_of_ten(DECIMALS)).digits(DECIMALS));
    if !exact.is_empty() {
        cells[20] = exact_cell(line.exact);
    }
    cells
}

fn tier_cell(tier: u16) -> Cell {
    if tier == 0 { Cell::empty() } else { Cell::figure(tier) }
}

/// A ratio such as `1/3` would be read as a date by a spreadsheet; `1 / 3` is text everywhere.
fn exact_cell(exact: Exact) -> Cell {
    let shortest = exact.shortest();
    if shortest.contains('/') { Cell::text(&shortest.replace('/', " / ")) } else { Cell::figure(shortest) }
}

fn in_millionths(exact: Exact) -> Result<i128> {
    let scaled = exact.numerator().checked_mul(power_of_ten(DECIMALS)).ok_or_else(too_large)?;
    Ok(RoundingMode::HalfAway.divide(scaled, exact.denominator()))
}

/// Currencies have at most four decimals, so an amount is always a whole number of millionths.
fn whole_millionths(amount: Money) -> Result<i128> {
    let scale = DECIMALS.checked_sub(amount.currency.exponent()).ok_or_else(too_large)?;
    amount.minor_units.checked_mul(power_of_ten(scale)).ok_or_else(too_large)
}

fn too_large() -> Failure {
    Failure::new(Exit::Verification, "a charge is too large for the annex")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    #[test]
    fn the_charges_of_each_line_add_up_to_its_amount_and_all_of_them_to_the_net() {
        for document in [samples::invoice(), samples::draft(), samples::yen(), samples::legal()] {
            let bytes = table(&document).unwrap();
            let mut reader = csv::Reader::from_reader(bytes.as_slice());
            let mut sums = vec![rust_decimal::Decimal::ZERO; document.invoice.lines.len()];
            for row in reader.records() {
                let row = row.unwrap();
                let line: usize = row[9].parse().unwrap();
                assert_eq!(row[19].split_once('.').unwrap().1.len(), 6, "{}", &row[19]);
                sums[line - 1] += row[19].parse::<rust_decimal::Decimal>().unwrap();
            }
            for (line, sum) in document.invoice.lines.iter().zip(&sums) {
                assert_eq!(Exact::from_decimal(*sum), line.amount.exact(), "line {}", line.number);
            }
            let net: rust_decimal::Decimal = sums.iter().sum();
            assert_eq!(Exact::from_decimal(net), document.invoice.net.exact());
        }
    }

    #[test]
    fn telephone_numbers_come_back_as_they_were() {
        let document = samples::invoice();
        let bytes = table(&document).unwrap();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
        let mut found = 0;
        for row in rows.iter().filter(|row| &row[0] == "event") {
            let original = document
                .annex
                .iter()
                .find(|event| event.event_id == Cell::unguarded(&row[1]) && event.line.to_string() == row[9]);
            let original = original.unwrap();
            assert_eq!(Cell::unguarded(&row[5]), original.from);
            assert_eq!(Cell::unguarded(&row[6]), original.to);
            assert!(!row[6].starts_with('+'));
            found += 1;
        }
        assert_eq!(found, document.annex.len());
    }
}
