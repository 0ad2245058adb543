//! Small files priced by the binary (`tollbook price`), and what came out, for tests with money computed by hand.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use num_rational::BigRational;

use crate::support::session::{Ended, Session};

pub type Row = BTreeMap<String, String>;

/// What `price` made of some files.
pub struct Bill {
    pub charges: Vec<Row>,
    pub lines: Vec<Row>,
    pub explained: String,
}

/// One contact with one number, on the default tariff.
pub const ONE: &str = "id,name,numbers\none,One,+12125550143\n";

pub const USAGE: &str = "id,start,seconds,channel,direction,from,to,outcome\n";

/// A default tariff `t` in dollars and New York; `[[rate]]` and its like are its own.
pub fn tariff(rest: &str) -> String {
    let head = "default_tariff = \"t\"\n[tariff.t]\ncurrency = \"USD\"\nzone = \"America/New_York\"\n";
    let mut text = format!("{head}{rest}");
    for part in ["rate", "allowance", "fee", "discount"] {
        text = text.replace(&format!("[[{part}]]"), &format!("[[tariff.t.{part}]]"));
    }
    text.replace("[options]", "[tariff.t.options]")
}

/// An answered call to the number of [`ONE`].
pub fn call(id: &str, start: &str, seconds: u64) -> String {
    format!("{id},{start},{seconds},voice,outbound,+12125550100,+12125550143,answered\n")
}

/// Calls of the given lengths, an hour apart on one day.
pub fn calls(lengths: &[u64]) -> String {
    let rows = lengths.iter().enumerate().map(|(index, seconds)| {
        call(&format!("c{index}"), &format!("2026-10-05T{:02}:00:00-04:00", index + 8), *seconds)
    });
    format!("{USAGE}{}", rows.collect::<String>())
}

/// One call on Monday, 5 October 2026, at ten in New York.
pub fn one_call(seconds: u64) -> String {
    format!("{USAGE}{}", call("c0", "2026-10-05T10:00:00-04:00", seconds))
}

fn run(session: &mut Session, rules: &str, contacts: &str, usage: &str) -> Ended {
    for (index, text) in rules.split("=====").enumerate() {
        session.write(&format!("rules/{index}.toml"), text);
    }
    session.write("contacts.csv", contacts);
    session.write("usage.csv", usage);
    session.run(&[
        "price",
        "--rules",
        "rules",
        "--contacts",
        "contacts.csv",
        "--usage",
        "usage.csv",
        "--out",
        "charges.csv",
        "--lines",
        "lines.csv",
        "--zone",
        "America/New_York",
        "--explain",
    ])
}

/// Prices usage; everything must be readable.
#[track_caller]
pub fn bill(rules: &str, contacts: &str, usage: &str) -> Bill {
    bill_beside(rules, contacts, usage, &[])
}

/// As [`bill`], with further files.
#[track_caller]
pub fn bill_beside(rules: &str, contacts: &str, usage: &str, files: &[(&str, &str)]) -> Bill {
    let mut session = Session::new();
    for (name, text) in files {
        session.write(name, text);
    }
    let ended = run(&mut session, rules, contacts, usage);
    assert_eq!(ended.exit, 0, "{}{}", ended.output, ended.talk);
    Bill {
        charges: rows(&session.read("charges.csv")),
        lines: rows(&session.read("lines.csv")),
        explained: ended.output,
    }
}

/// The files are refused; what was said.
#[track_caller]
pub fn refused(rules: &str, contacts: &str, usage: &str) -> String {
    let ended = run(&mut Session::new(), rules, contacts, usage);
    assert_eq!(ended.exit, 3, "{}{}", ended.output, ended.talk);
    ended.talk
}

fn rows(text: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.expect("a table of our own")).collect()
}

/// A decimal as an exact fraction.
pub fn exact(text: &str) -> BigRational {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits: BigInt = format!("{whole}{decimals}").parse().expect("a decimal");
    BigRational::new(digits, BigInt::from(10).pow(u32::try_from(decimals.len()).unwrap()))
}

pub fn fraction(row: &Row) -> BigRational {
    let part = |name: &str| row[name].parse::<BigInt>().expect("a whole number");
    BigRational::new(part("numerator"), part("denominator"))
}

impl Bill {
    pub fn parts(&self, event: &str) -> impl Iterator<Item = &Row> {
        let found: Vec<&Row> = self.charges.iter().filter(|row| row["event_id"] == event).collect();
        assert!(!found.is_empty(), "{event} is in no row");
        found.into_iter()
    }

    /// The exact charge of an event: the sum of its parts.
    #[track_caller]
    pub fn charges(&self, event: &str, expected: &str) {
        let sum: BigRational =
            self.parts(event).filter(|row| !row["numerator"].is_empty()).map(fraction).sum();
        assert_eq!(sum, exact(expected), "{event}\n{}", self.explained);
    }

    /// Billed units of an event, allowances included.
    #[track_caller]
    pub fn units(&self, event: &str, expected: i64) {
        let counted = ["usage", "allowance"];
        let parts = self.parts(event).filter(|row| counted.contains(&row["kind"].as_str()));
        let sum: i64 = parts.map(|row| row["units"].parse::<i64>().unwrap()).sum();
        assert_eq!(sum, expected, "{event}\n{}", self.explained);
    }

    /// Disposition, and the reason of a suspense.
    #[track_caller]
    pub fn ends(&self, event: &str, disposition: &str, reason: &str) {
        let row = self.parts(event).next().unwrap();
        assert_eq!(
            (row["disposition"].as_str(), row["reason"].as_str()),
            (disposition, reason),
            "{event}\n{}",
            self.explained
        );
    }

    /// Lines of a period as `kind clause amount`, in the order of the file.
    pub fn lines(&self, period: &str) -> Vec<String> {
        let lines = self.lines.iter().filter(|row| row["period"] == period);
        lines.map(|row| format!("{} {} {}", row["kind"], row["clause"], row["amount"])).collect()
    }

    /// The sum of the rounded lines of a period.
    pub fn net(&self, period: &str) -> BigRational {
        self.lines.iter().filter(|row| row["period"] == period).map(|row| exact(&row["amount"])).sum()
    }
}
