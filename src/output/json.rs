//! JSON with keys in the order of the code, one line for each small object, and no character that acts.
//!
//! Amounts and exact ratios are strings: a reader that takes numbers as floats would change them.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

use super::text::acts;
use crate::domain::money::{Exact, Money};
use crate::domain::time::Period;

/// Containers that lie deeper than this stand on one line.
const DEEPEST_INDENTED: usize = 2;

/// The bytes of a value, with a final line break.
pub(super) fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Layout::default());
    value.serialize(&mut serializer).expect("plain structs with text keys always serialise into memory");
    bytes.push(b'\n');
    bytes
}

/// An amount: `{"amount": "1234.50", "currency": "USD"}`.
#[derive(Serialize)]
pub(super) struct JsonMoney {
    amount: String,
    currency: String,
}

impl From<Money> for JsonMoney {
    fn from(money: Money) -> JsonMoney {
        JsonMoney { amount: money.digits(), currency: money.currency.to_string() }
    }
}

/// An exact ratio of major units.
#[derive(Serialize)]
pub(super) struct JsonExact {
    numerator: String,
    denominator: String,
}

impl From<Exact> for JsonExact {
    fn from(exact: Exact) -> JsonExact {
        JsonExact { numerator: exact.numerator().to_string(), denominator: exact.denominator().to_string() }
    }
}

/// A billing period: the civil days for people, the half-open interval for machines.
#[derive(Serialize)]
pub(super) struct JsonPeriod {
    month: String,
    zone: &'static str,
    first_day: String,
    last_day: String,
    from: String,
    to: String,
}

impl From<&Period> for JsonPeriod {
    fn from(period: &Period) -> JsonPeriod {
        JsonPeriod {
            month: period.month.key(),
            zone: period.zone.name(),
            first_day: period.first_day.to_string(),
            last_day: period.last_day.to_string(),
            from: period.span.from.rfc3339(),
            to: period.span.to.rfc3339(),
        }
    }
}

#[derive(Default)]
struct Layout {
    depth: usize,
    /// Whether each open container has content yet.
    filled: Vec<bool>,
}

impl Layout {
    fn open(&mut self) {
        self.depth += 1;
        self.filled.push(false);
    }

    fn separate<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if let Some(filled) = self.filled.last_mut() {
            *filled = true;
        }
        if self.depth <= DEEPEST_INDENTED {
            writer.write_all(if first { b"\n" } else { b",\n" })?;
            self.indent(writer)
        } else {
            writer.write_all(if first { b"" } else { b", " })
        }
    }

    fn close<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        let filled = self.filled.pop() == Some(true);
        let indented = filled && self.depth <= DEEPEST_INDENTED;
        self.depth -= 1;
        if indented {
            writer.write_all(b"\n")?;
            self.indent(writer)?;
        }
        Ok(())
    }

    fn indent<W: ?Sized + Write>(&self, writer: &mut W) -> io::Result<()> {
        (0..self.depth).try_for_each(|_| writer.write_all(b"  "))
    }
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open();
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer)?;
        writer.write_all(b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.separate(writer, first)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open();
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer)?;
        writer.write_all(b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.separate(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    /// A JSON file is often shown on a terminal or pasted into a page: acting characters and `<` are written as
    /// escapes, which every reader turns back.
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for letter in fragment.chars() {
            if acts(letter) || letter == '<' {
                let mut units = [0_u16; 2];
                for unit in letter.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            } else {
                write!(writer, "{letter}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Sample<'a> {
        zebra: &'a str,
        apple: Vec<Vec<u8>>,
        empty: Vec<u8>,
    }

    #[test]
    fn keys_keep_the_order_of_the_code_and_small_things_stand_on_one_line() {
        let text =
            String::from_utf8(bytes(&Sample { zebra: "z", apple: vec![vec![1, 2], vec![]], empty: vec![] }));
        assert_eq!(
            text.unwrap(),
            "{\n  \"zebra\": \"z\",\n  \"apple\": [\n    [1, 2],\n    []\n  ],\n  \"empty\": []\n}\n"
        );
    }

    #[test]
    fn acting_characters_are_escaped_and_come_back() {
        let hostile = "\u{1b}[31m\u{202e}\u{7f}\u{9b}\u{2028}\u{e0041}</script>\0";
        let written = bytes(&hostile);
        assert!(written.iter().all(|byte| *byte == b'\n' || (0x20..0x7f).contains(byte) && *byte != b'<'));
        assert_eq!(serde_json::from_slice::<String>(&written).unwrap(), hostile);
    }
}
