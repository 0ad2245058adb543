//! The columns that conditions may name, made from the event table as people write their values.

use polars::prelude::*;

use crate::domain::number::NumberClass;
use crate::domain::outcome::{Channel, Direction, Outcome};
use crate::domain::{Exit, Failure, PartyNumber, Result};

use super::super::{bug, events};

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    Text,
    Integer,
    /// Compared with decimal literals; never more than ten decimals.
    Cost,
}

use ColumnKind::{Cost, Integer, Text};

/// The columns, each with what it holds, for the documentation and for messages.
pub const COLUMNS: [(&str, ColumnKind, &str); 26] = [
    ("id", Text, "id of the event"),
    ("channel", Text, "voice, sms, mms, fax, voicemail"),
    ("direction", Text, "inbound, outbound, internal"),
    ("outcome", Text, "answered, delivered and so on"),
    ("error_code", Text, "delivery or fax error code, as served"),
    (
        "from_number",
        Text,
        "+12125550143; a short code, emergency number or extension in digits; null when withheld",
    ),
    ("to_number", Text, "as from_number"),
    ("from_country", Text, "two letters; null when not known"),
    ("to_country", Text, "two letters; null when not known"),
    ("from_class", Text, "ordinary, toll-free, short-code, emergency, internal, withheld, unparseable"),
    ("to_class", Text, "as from_class"),
    ("extension", Integer, "number of the user's extension"),
    ("account_code", Text, "as imported or dialled"),
    ("contact", Text, "the contact that the coding sheet or the usage row names"),
    ("matter", Text, "the matter that the coding sheet or the usage row names"),
    ("timekeeper", Text, "the timekeeper that the coding sheet or the usage row names"),
    ("task", Text, "the task that the coding sheet or the usage row names"),
    ("site", Text, "where the extension belongs"),
    ("department", Text, "where the extension belongs"),
    ("cost_centre", Text, "where the extension belongs"),
    ("ringcentral_account", Text, "the service's account that the event comes from"),
    ("seconds", Integer, "milliseconds in whole seconds, rounded up"),
    ("milliseconds", Integer, "customer-facing length; the record's own where the source gives no legs"),
    ("segments", Integer, "parts of a text, counted the default way"),
    ("pages", Integer, "pages of a fax"),
    ("carrier_cost", Cost, "what the carrier charged, compared exactly; null with more than ten decimals"),
];

/// The kind of a column; `None` for a name that is none.
pub fn kind_of(name: &str) -> Option<ColumnKind> {
    COLUMNS.iter().find(|column| column.0 == name).map(|column| column.1)
}

/// Decimals of a sub-unit.
pub const SUB_UNIT_DECIMALS: u32 = 10;

/// A table with the named columns and the height of the event table.
pub fn table(frame: &DataFrame, names: &[&'static str]) -> Result<DataFrame> {
    let made: PolarsResult<Vec<Column>> = names.iter().map(|name| column(frame, name)).collect();
    let mut made = made.map_err(|error| {
        Failure::new(Exit::Verification, error.to_string()).while_doing("reading the event table")
    })?;
    // A table without columns has no height.
    made.push(Column::new_scalar("row".into(), Scalar::from(true), frame.height()));
    DataFrame::new(frame.height(), made).map_err(|error| bug(&error))
}

fn column(frame: &DataFrame, name: &'static str) -> PolarsResult<Column> {
    let words = |name: &str, words: &dyn Fn(u32) -> Option<&'static str>| -> PolarsResult<Column> {
        let indices = frame.column(name)?.u32()?;
        let texts: StringChunked = indices.iter().map(|index| words(index?)).collect();
        Ok(texts.with_name(name.into()).into_column())
    };
    let copied = |from: &str| Ok(frame.column(from)?.clone().with_name(name.into()));
    match name {
        "channel" => words(name, &|index| Some(Channel::ALL.get(index as usize)?.word())),
        "direction" => words(name, &|index| Some(Direction::ALL.get(index as usize)?.word())),
        "outcome" => words(name, &|index| Some(Outcome::ALL.get(index as usize)?.word())),
        "from_number" | "to_number" => numbers(frame, name),
        "from_class" => classes(frame, name, "from"),
        "to_class" => classes(frame, name, "to"),
        "from_country" | "to_country" => countries(frame, name),
        "contact" => {
            let (coded, named) = (frame.column("coded_contact")?.str()?, frame.column("contact")?.str()?);
            let either: StringChunked =
                coded.iter().zip(named.iter()).map(|(coded, named)| coded.or(named)).collect();
            Ok(either.with_name(name.into()).into_column())
        }
        "milliseconds" => lengths(frame, name, |milliseconds| milliseconds),
        "seconds" => lengths(frame, name, |milliseconds| {
            milliseconds.div_euclid(1000) + i64::from(milliseconds.rem_euclid(1000) > 0)
        }),
        "extension" => {
            let numbers = frame.column(name)?.u64()?;
            let signed: Int64Chunked = numbers.iter().map(|number| i64::try_from(number?).ok()).collect();
            Ok(signed.with_name(name.into()).into_column())
        }
        "segments" | "pages" => {
            let counts = frame.column(name)?.u32()?;
            let wide: Int64Chunked = counts.iter().map(|count| count.map(i64::from)).collect();
            Ok(wide.with_name(name.into()).into_column())
        }
        "carrier_cost" => costs(frame, name),
        _ => copied(name),
    }
}

fn numbers(frame: &DataFrame, name: &str) -> PolarsResult<Column> {
    let side = name.trim_end_matches("_number");
    let classes = frame.column(&format!("{side}_class"))?.u64()?;
    let digits = frame.column(name)?.u64()?;
    let text = |(class, digits): (Option<u64>, Option<u64>)| match events::party(class?, digits?)? {
        PartyNumber::E164(digits) => Some(format!("+{digits}")),
        PartyNumber::Extension(digits) | PartyNumber::ShortCode(digits) | PartyNumber::Emergency(digits) => {
            Some(digits.to_string())
        }
        PartyNumber::Withheld | PartyNumber::Unparseable => None,
    };
    let texts: StringChunked = classes.iter().zip(digits.iter()).map(text).collect();
    Ok(texts.with_name(name.into()).into_column())
}

fn classes(frame: &DataFrame, name: &str, side: &str) -> PolarsResult<Column> {
    let kinds = frame.column(name)?.u64()?;
    let free = frame.column(&format!("{side}_toll_free"))?.bool()?;
    let word = |(kind, free): (Option<u64>, Option<bool>)| {
        Some(NumberClass::of(events::party(kind?, 0)?, free?).word())
    };
    let words: StringChunked = kinds.iter().zip(free.iter()).map(word).collect();
    Ok(words.with_name(name.into()).into_column())
}

fn countries(frame: &DataFrame, name: &str) -> PolarsResult<Column> {
    let codes = frame.column(name)?.u32()?;
    let letters = |code: Option<u32>| events::country(code?).map(|country| country.code().to_owned());
    let texts: StringChunked = codes.iter().map(letters).collect();
    Ok(texts.with_name(name.into()).into_column())
}

fn lengths(frame: &DataFrame, name: &str, scale: fn(i64) -> i64) -> PolarsResult<Column> {
    let facing = frame.column("customer_facing_ms")?.i64()?;
    let master = frame.column("master_ms")?.i64()?;
    let without_legs = frame.column("without_legs")?.bool()?;
    let length = |((facing, master), without): ((Option<i64>, Option<i64>), Option<bool>)| {
        if without? { master } else { facing }.map(scale)
    };
    let rows = facing.iter().zip(master.iter()).zip(without_legs.iter());
    let lengths: Int64Chunked = rows.map(length).collect();
    Ok(lengths.with_name(name.into()).into_column())
}

/// Sub-units. A cost beyond 64 bits of them stands at the end of their range, where no literal can be: every comparison
/// is still what it should be. One finer than a sub-unit has no value.
fn costs(frame: &DataFrame, name: &str) -> PolarsResult<Column> {
    let digits = frame.column("carrier_cost_digits")?.i128()?;
    let decimals = frame.column("carrier_cost_decimals")?.u32()?;
    let units = |(digits, decimals): (Option<i128>, Option<u32>)| sub_units(digits?, decimals?);
    let costs: Int64Chunked = digits.iter().zip(decimals.iter()).map(units).collect();
    Ok(costs.with_name(name.into()).into_column())
}

/// The whole sub-units of a decimal, held within 64 bits; `None` when it is finer than they are.
pub fn sub_units(digits: i128, decimals: u32) -> Option<i64> {
    let units = if decimals <= SUB_UNIT_DECIMALS {
        digits.saturating_mul(10_i128.pow(SUB_UNIT_DECIMALS - decimals))
    } else {
        let divisor = 10_i128.checked_pow(decimals - SUB_UNIT_DECIMALS)?;
        Some(digits / divisor).filter(|_| digits % divisor == 0)?
    };
    Some(i64::try_from(units).unwrap_or(if units < 0 { i64::MIN } else { i64::MAX }))
}
