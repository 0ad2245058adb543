//! Rate decks: prices by destination, in a table beside the rule files. One pass over the file; rows of one prefix are
//! compared after sorting, so that a deck of a hundred thousand rows is read in a moment.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::domain::charge::Unit;

use super::companion;
use super::diagnostic::{Diagnostic, SourceFile};
use super::reader;
use super::ruleset::{Deck, DeckRow, Increment};
use super::sheet::{self, Row};
use super::table::{Sink, Table, Text};

const REQUIRED: [&str; 2] = ["prefix", "price"];
const OPTIONAL: [&str; 5] = ["name", "increment", "connection_fee", "valid_from", "valid_to"];

const UNIT_HINT: &str = "Write one of: second, minute, hour, call, message, segment, page, event.";
const INCREMENT_HINT: &str = "Write first and next seconds: 60/6.";

/// The deck of a table `[deck.NAME]`, its rows sorted by prefix and then by the day from which they are valid. Every
/// mistake of the table and of its file is complained about; a deck with one is `None`. The caller finishes the table.
pub fn read(name: &Text, table: &Table<'_, '_>, companions: &[SourceFile], sink: &Sink) -> Option<Deck> {
    let unit = table.required_text("unit", "Name what a row's price buys: unit = \"minute\".");
    let counted = unit.as_ref().and_then(|unit| {
        let counted = counted(&unit.value);
        if counted.is_none() {
            let message = format!("\"{}\" is not a unit of a price", unit.value);
            table.complain("wrong-value", unit.span.clone(), message, UNIT_HINT);
        }
        counted
    });
    let by_time = counted.is_none_or(|(unit, _)| unit == Unit::Second);
    let increment = read_increment(table, by_time);
    if table.get("file").is_none() {
        let message = format!("{} has no file", table.what);
        let hint = "Name a table beside the rule file: file = \"world.csv\".";
        table.complain("missing-key", table.span.clone(), message, hint);
    }
    let file = companion::named(table, companions)?;
    let rows = match read_rows(file, by_time, increment) {
        Ok(rows) => rows,
        Err(mistakes) => {
            sink.borrow_mut().extend(sheet::listed(mistakes, &file.name));
            return None;
        }
    };
    let (unit, per_units) = counted?;
    let unit_text = table.text("unit")?.value;
    Some(Deck { name: name.value.clone(), unit, per_units, unit_text, rows })
}

/// What a word such as `minute` counts, and how many of the smallest units it is.
fn counted(word: &str) -> Option<(Unit, i64)> {
    Some(match word {
        "second" => (Unit::Second, 1),
        "minute" => (Unit::Second, 60),
        "hour" => (Unit::Second, 3600),
        "call" => (Unit::Call, 1),
        "message" => (Unit::Message, 1),
        "segment" => (Unit::Segment, 1),
        "page" => (Unit::Page, 1),
        "event" => (Unit::Event, 1),
        _ => return None,
    })
}

fn read_increment(table: &Table<'_, '_>, by_time: bool) -> Option<Increment> {
    let text = table.text("increment")?;
    match reader::increment(&text.value) {
        Ok(increment) if by_time => Some(increment),
        Ok(_) => {
            let message = format!("{} is not by time and has no increments", table.what);
            let hint = "Increments belong to the units second, minute and hour.";
            table.complain("increment-without-time", text.span, message, hint);
            None
        }
        Err(message) => {
            table.complain("wrong-value", text.span, message, INCREMENT_HINT);
            None
        }
    }
}

fn read_rows(
    file: &SourceFile,
    by_time: bool,
    increment: Option<Increment>,
) -> Result<Vec<DeckRow>, Vec<Diagnostic>> {
    let rows = sheet::rows(file, &REQUIRED, &OPTIONAL)?;
    let mut reading = Reading { file, by_time, increment, mistakes: Vec::new() };
    let mut found: Vec<(DeckRow, &Row)> = Vec::with_capacity(rows.len());
    for row in &rows {
        found.extend(reading.row(row).map(|deck_row| (deck_row, row)));
    }
    // A validity without a beginning sorts first, as `None` does.
    found.sort_by(|(left, _), (right, _)| {
        (&left.prefix, left.valid_from, left.line).cmp(&(&right.prefix, right.valid_from, right.line))
    });
    reading.overlaps(&found);
    if rows.is_empty() {
        let message = format!("the deck {} has no rows", file.name);
        let hint = "Without a row nothing can ever match; write at least one prefix and price.";
        reading.mistakes.push(Diagnostic::error("empty-deck", &file.name, None, message).hint(hint));
    }
    reading.mistakes.sort_by_key(|mistake| mistake.span.as_ref().map_or(0, |span| span.start));
    let rows = found.into_iter().map(|(row, _)| row).collect();
    if reading.mistakes.is_empty() { Ok(rows) } else { Err(reading.mistakes) }
}

struct Reading<'f> {
    file: &'f SourceFile,
    by_time: bool,
    /// That of rows without one of their own.
    increment: Option<Increment>,
    mistakes: Vec<Diagnostic>,
}

impl Reading<'_> {
    fn row(&mut self, row: &Row) -> Option<DeckRow> {
        let before = self.mistakes.len();
        let prefix = self.required_or_complain(
            row,
            "prefix",
            "wrong-prefix",
            prefix,
            "Write digits from the calling code on: 4420 or +4420.",
        );
        let amount = self.required_or_complain(
            row,
            "price",
            "wrong-price",
            reader::amount,
            "Write plain digits with a point: 0.0345.",
        );
        let connection_fee = self.read_or_complain(
            row,
            "connection_fee",
            "wrong-price",
            reader::amount,
            "Write plain digits with a point: 0.01.",
        );
        let increment =
            self.read_or_complain(row, "increment", "wrong-increment", reader::increment, INCREMENT_HINT);
        if increment.is_some() && !self.by_time {
            let message = "the deck is not by time and has no increments".to_owned();
            let hint = "Increments belong to the units second, minute and hour.";
            self.complain(row, "increment", "increment-without-time", message, hint);
        }
        let (valid_from, valid_to) = (self.date(row, "valid_from"), self.date(row, "valid_to"));
        if let (Some(from), Some(to)) = (valid_from, valid_to)
            && from >= to
        {
            let message = format!("the row is valid at no time: from {from}, and no longer on {to}");
            let hint = "valid_to is the first day on which the price does not hold any more.";
            self.complain(row, "valid_to", "empty-validity", message, hint);
        }
        let (prefix, amount): (String, Decimal) = (prefix?, amount?);
        if self.mistakes.len() > before {
            return None;
        }
        let destination = row.cell("name").map_or_else(|| prefix.clone(), str::to_owned);
        Some(DeckRow {
            prefix,
            destination,
            amount,
            increment: increment.or(self.increment),
            connection_fee,
            valid_from,
            valid_to,
            line: row.line,
        })
    }

    fn date(&mut self, row: &Row, column: &'static str) -> Option<NaiveDate> {
        self.read_or_complain(row, column, "wrong-date", reader::date, "Write days as 2026-11-26.")
    }

    fn required_or_complain<T>(
        &mut self,
        row: &Row,
        column: &'static str,
        code: &'static str,
        read: impl Fn(&str) -> Result<T, String>,
        hint: &str,
    ) -> Option<T> {
        if row.cell(column).is_none() {
            self.complain(row, column, "missing-cell", format!("{column} is empty"), hint);
        }
        self.read_or_complain(row, column, code, read, hint)
    }

    fn read_or_complain<T>(
        &mut self,
        row: &Row,
        column: &'static str,
        code: &'static str,
        read: impl Fn(&str) -> Result<T, String>,
        hint: &str,
    ) -> Option<T> {
        match read(row.cell(column)?) {
            Ok(value) => Some(value),
            Err(message) => {
                self.complain(row, column, code, message, hint);
                None
            }
        }
    }

    fn complain(&mut self, row: &Row, column: &str, code: &'static str, message: String, hint: &str) {
        self.mistakes.push(row.complaint(code, self.file, column, message).hint(hint));
    }

    /// Two rows of one prefix at one time would leave the price to chance. Rows come by prefix and first day, so each
    /// needs to be held against one before it only: the one of its prefix that is valid longest.
    fn overlaps(&mut self, rows: &[(DeckRow, &Row)]) {
        let end = |row: &DeckRow| row.valid_to.unwrap_or(NaiveDate::MAX);
        let mut longest: Option<&DeckRow> = None;
        for (row, place) in rows {
            let before = longest.filter(|before| before.prefix == row.prefix);
            let start = row.valid_from.unwrap_or(NaiveDate::MIN);
            if let Some(before) = before.filter(|before| start < end(before)) {
                let message = format!(
                    "the prefix {} has another price at that time, in line {}",
                    row.prefix, before.line
                );
                let hint = "End one with valid_to on the day on which the other begins, or remove one.";
                self.complain(place, "prefix", "deck-overlap", message, hint);
            }
            if before.is_none_or(|before| end(before) < end(row)) {
                longest = Some(row);
            }
        }
    }
}

fn prefix(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let shaped = (1..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if shaped {
        Ok(digits.to_owned())
    } else {
        Err(format!("\"{text}\" is not the beginning of an international number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::load::parse;

    /// The deck of a table and a file, or the complaints as `code: message`.
    fn deck(keys: &str, csv: &str) -> Result<Deck, Vec<String>> {
        let text = format!("[deck.world]\n{keys}");
        let file = SourceFile { name: "rules.toml".to_owned(), text };
        let companion = SourceFile { name: "world.csv".to_owned(), text: csv.to_owned() };
        let sink = Sink::default();
        let parsed = parse(&file, &sink);
        let top = Table::new(&file.name, "the rule file", 0..0, parsed.get_ref(), &sink);
        let (name, table) = top.named_tables("deck", "deck").remove(0);
        let found = read(&name, &table, &[companion], &sink);
        table.finish();
        let said = sink.take();
        match found {
            Some(deck) if said.is_empty() => Ok(deck),
            _ => Err(said
                .into_iter()
                .map(|one| format!("{}: {} {}", one.code, one.message, one.label))
                .collect()),
        }
    }

    const KEYS: &str = "file = \"world.csv\"\nunit = \"minute\"\nincrement = \"60/6\"\n";

    #[test]
    fn rows_are_sorted_and_take_what_they_leave_out_from_the_deck() {
        let csv = "name,prefix,price,increment,valid_from,valid_to\n\
                   London,+4420,0.02,1/1,,2026-01-01\n\
                   ,44,0.01,,,\n\
                   London,4420,0.03,,2026-01-01,\n";
        let deck = deck(KEYS, csv).unwrap();
        let shown: Vec<String> = deck
            .rows
            .iter()
            .map(|row| {
                format!(
                    "{} {} {} {:?}",
                    row.prefix,
                    row.destination,
                    row.amount,
                    row.increment.map(|it| it.first_seconds)
                )
            })
            .collect();
        assert_eq!(shown, ["44 44 0.01 Some(60)", "4420 London 0.02 Some(1)", "4420 London 0.03 Some(60)"]);
        assert_eq!((deck.unit, deck.per_units, deck.unit_text.as_str()), (Unit::Second, 60, "minute"));
    }

    #[test]
    fn every_mistake_of_a_row_is_named_with_its_line() {
        let csv = "prefix,price,increment,valid_from,valid_to\n\
                   044,0.01,,,\n\
                   45,\"0,01\",,,\n\
                   46,0.00000000001,,,\n\
                   47,,60,2026-02-30,\n\
                   48,0.01,,2026-02-01,2026-02-01\n";
        let said = deck(KEYS, csv).unwrap_err();
        let codes: Vec<&str> = said.iter().filter_map(|one| one.split(':').next()).collect();
        assert_eq!(
            codes,
            [
                "wrong-prefix",
                "wrong-price",
                "wrong-price",
                "missing-cell",
                "wrong-increment",
                "wrong-date",
                "empty-validity"
            ],
            "{said:#?}"
        );
        assert!(said[2].ends_with("line 4, column price"), "{}", said[2]);
    }

    #[test]
    fn two_prices_at_one_time_are_refused_wherever_they_stand() {
        let csv = "prefix,price,valid_from,valid_to\n\
                   44,0.01,2026-01-01,2027-01-01\n\
                   45,0.01,,\n\
                   44,0.02,2026-02-01,2026-03-01\n\
                   44,0.03,2026-06-01,2026-07-01\n\
                   44,0.04,2027-01-01,\n";
        let said = deck(KEYS, csv).unwrap_err();
        assert_eq!(said.len(), 2, "{said:#?}");
        assert!(
            said.iter().all(|one| one.starts_with("deck-overlap") && one.contains("in line 2")),
            "{said:#?}"
        );
    }

    #[test]
    fn the_table_itself_may_be_wrong() {
        for (keys, code) in [
            ("file = \"world.csv\"\n", "missing-key"),
            ("unit = \"minute\"\n", "missing-key"),
            ("file = \"other.csv\"\nunit = \"minute\"\n", "missing-companion"),
            ("file = \"../world.csv\"\nunit = \"minute\"\n", "wrong-companion"),
            ("file = \"world.csv\"\nunit = \"fortnight\"\n", "wrong-value"),
            ("file = \"world.csv\"\nunit = \"call\"\nincrement = \"60/6\"\n", "increment-without-time"),
        ] {
            let said = deck(keys, "prefix,price\n44,0.01\n").unwrap_err();
            assert!(said.len() == 1 && said[0].starts_with(code), "{keys}: {said:?}");
        }
        assert!(deck(KEYS, "prefix,price\n").unwrap_err()[0].starts_with("empty-deck"));
        assert!(deck(KEYS, "prefix,prize\n").unwrap_err().len() == 2);
    }

    #[test]
    fn a_long_deck_is_read_in_one_pass_and_its_mistakes_are_cut_short() {
        let mut csv = String::from("prefix,price,name,valid_from,valid_to\n");
        for row in 0..100_000 {
            csv.push_str(&format!(
                "{},0.0{},Somewhere {row},2026-01-01,2027-01-01\n",
                1_000_000 + row,
                1 + row % 9
            ));
        }
        let began = std::time::Instant::now();
        assert_eq!(deck(KEYS, &csv).unwrap().rows.len(), 100_000);
        assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
        let said = deck(KEYS, &csv.replace(",0.0", ",-0.0")).unwrap_err();
        assert_eq!(said.len(), 21);
        assert!(said[20].contains("99980 further mistakes"), "{}", said[20]);
    }
}
