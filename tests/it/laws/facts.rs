//! Rules, contacts and usage that a law changes and prices again, in this process.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use num_rational::BigRational;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::Value;
use tollbook::domain::{Country, Zone};
use tollbook::run::price::{Priced, Request, price};

use crate::priced::{Row, fraction};
use crate::support::generator::world;

/// A table of text; cells that a row has not are empty.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
}

impl Table {
    pub fn new(columns: &str) -> Table {
        Table { columns: columns.split(',').map(str::to_owned).collect(), rows: Vec::new() }
    }

    /// Adds a row, its cells in the order of the columns.
    pub fn push<const COUNT: usize>(&mut self, cells: [&str; COUNT]) {
        assert_eq!(cells.len(), self.columns.len());
        self.rows.push(self.columns.iter().cloned().zip(cells.map(str::to_owned)).collect());
    }

    fn of_csv(text: &str) -> Table {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let columns = reader.headers().unwrap().iter().map(str::to_owned).collect();
        Table { columns, rows: reader.deserialize().map(Result::unwrap).collect() }
    }

    fn of_json_lines(text: &str) -> Table {
        let mut table = Table::default();
        for line in text.lines() {
            let Value::Object(object) = serde_json::from_str(line).unwrap() else { panic!("{line}") };
            let cell = |value: Value| value.as_str().map_or(value.to_string(), str::to_owned);
            let row: Row = object.into_iter().map(|(column, value)| (column, cell(value))).collect();
            for column in row.keys() {
                if !table.columns.contains(column) {
                    table.columns.push(column.clone());
                }
            }
            table.rows.push(row);
        }
        table
    }

    fn write(&self, path: &Path) {
        let mut writer = csv::Writer::from_path(path).unwrap();
        writer.write_record(&self.columns).unwrap();
        for row in &self.rows {
            let cells = self.columns.iter().map(|column| row.get(column).map_or("", String::as_str));
            writer.write_record(cells).unwrap();
        }
        writer.flush().unwrap();
    }
}

/// All that is priced.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Rule files and their companions, by name.
    pub rules: BTreeMap<String, String>,
    pub contacts: Table,
    pub usage: Table,
    directory: Option<String>,
    coding: Option<String>,
}

/// What became of it.
pub struct Outcome {
    pub priced: Priced,
    pub charges: Vec<Row>,
    pub lines: Vec<Row>,
    /// Both tables as they are written.
    pub bytes: [Vec<u8>; 2],
}

impl Facts {
    /// The world of a seed.
    pub fn drawn(seed: u64, events: usize) -> Facts {
        let folder = tempfile::tempdir().unwrap();
        let world = world(seed, events, folder.path());
        let mut rules = BTreeMap::new();
        for entry in fs::read_dir(&world.rules).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            rules.insert(name, fs::read_to_string(entry.path()).unwrap());
        }
        let usage = fs::read_to_string(&world.usage).unwrap();
        let is_csv = world.usage.extension().is_some_and(|ending| ending == "csv");
        let read = |path: &Option<_>| path.as_ref().map(|path| fs::read_to_string(path).unwrap());
        Facts {
            rules,
            contacts: Table::of_csv(&fs::read_to_string(&world.contacts).unwrap()),
            usage: if is_csv { Table::of_csv(&usage) } else { Table::of_json_lines(&usage) },
            directory: read(&world.directory),
            coding: read(&world.coding),
        }
    }

    /// Nothing yet; contacts are on tariffs of their own, and usage names its contact.
    pub fn empty() -> Facts {
        Facts {
            contacts: Table::new("id,name,tariff,zone"),
            usage: Table::new("id,start,milliseconds,channel,direction,from,to,outcome,contact"),
            ..Facts::default()
        }
    }

    /// Adds a tariff in dollars; `[[rate]]` and its like are its own.
    pub fn add_tariff(&mut self, name: &str, zone: &str, text: &str) {
        let mut text = format!("[tariff.{name}]\ncurrency = \"USD\"\nzone = \"{zone}\"\n{text}");
        for part in ["rate", "allowance", "fee", "discount"] {
            text = text.replace(&format!("[[{part}]]"), &format!("[[tariff.{name}.{part}]]"));
        }
        text = text.replace("[options]", &format!("[tariff.{name}.options]"));
        self.rules.insert(format!("{name}.toml"), text);
    }

    pub fn add_contact(&mut self, id: &str, tariff: &str, zone: &str) {
        self.contacts.push([id, &format!("Client {id}"), tariff, zone]);
    }

    /// Adds an answered outbound call of a contact.
    pub fn add_call(&mut self, id: &str, start: &str, milliseconds: i64, contact: &str) {
        let length = milliseconds.to_string();
        let (from, to) = ("+12125550100", "+12125550143");
        self.usage.push([id, start, &length, "voice", "outbound", from, to, "answered", contact]);
    }

    #[track_caller]
    pub fn price(&self) -> Outcome {
        self.try_price().unwrap_or_else(|message| panic!("{message}"))
    }

    /// What was said, when the facts are refused.
    pub fn try_price(&self) -> Result<Outcome, String> {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("rules")).unwrap();
        for (name, text) in &self.rules {
            fs::write(at("rules").join(name), text).unwrap();
        }
        self.contacts.write(&at("contacts.csv"));
        self.usage.write(&at("usage.csv"));
        let written = |name: &str, text: &Option<String>| {
            text.as_ref().map(|text| {
                fs::write(at(name), text).unwrap();
                at(name)
            })
        };
        let directory = written("directory.csv", &self.directory);
        let coding = written("coding.csv", &self.coding);
        let request = Request {
            rules: &at("rules"),
            contacts: &at("contacts.csv"),
            usage: &at("usage.csv"),
            local_times: None,
            directory: directory.as_deref(),
            coding: coding.as_deref(),
            country: Country::from_code("US").unwrap(),
            zone: Zone::from_name("America/New_York").unwrap(),
        };
        let said = |failure: tollbook::domain::Failure| format!("{failure}\n{}", failure.shown_details());
        let priced = price(&request).map_err(said)?;
        let bytes = [priced.charges_csv(), priced.lines_csv().map_err(said)?];
        let rows = |bytes: &[u8]| Table::of_csv(std::str::from_utf8(bytes).unwrap()).rows;
        let (charges, lines) = (rows(&bytes[0]), rows(&bytes[1]));
        Ok(Outcome { priced, charges, lines, bytes })
    }
}

impl Outcome {
    /// The rows of each event.
    pub fn by_event(&self) -> BTreeMap<&str, Vec<&Row>> {
        let mut events: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in &self.charges {
            events.entry(&row["event_id"]).or_default().push(row);
        }
        events
    }

    /// The exact charge of each event; zero where nothing is charged.
    pub fn amounts(&self) -> BTreeMap<&str, BigRational> {
        let events = self.by_event().into_iter();
        events.map(|(id, rows)| (id, rows.into_iter().map(amount).sum())).collect()
    }

    /// Billed units of each event, allowances included.
    pub fn units(&self) -> BTreeMap<&str, i64> {
        let counted = |row: &&Row| ["usage", "allowance"].contains(&row["kind"].as_str());
        let sum = |rows: Vec<&Row>| {
            rows.into_iter().filter(counted).map(|row| row["units"].parse::<i64>().unwrap()).sum()
        };
        self.by_event().into_iter().map(|(id, rows)| (id, sum(rows))).collect()
    }
}

/// The exact amount of a row; zero where it has none.
pub fn amount(row: &Row) -> BigRational {
    if row["numerator"].is_empty() { BigRational::default() } else { fraction(row) }
}

/// The seeds to play: `TOLLBOOK_SEED=n` plays only that one.
pub fn seeds(count: u64) -> Vec<u64> {
    match std::env::var("TOLLBOOK_SEED") {
        Ok(seed) => vec![seed.parse().expect("the seed is a number")],
        Err(_) => (1..=count).collect(),
    }
}

/// Says how many cases a law was held against, and that there were enough of them to mean something.
#[track_caller]
pub fn tell(law: &str, cases: usize, least: usize) {
    println!("law {law}: {cases} cases");
    assert!(
        std::env::var_os("TOLLBOOK_SEED").is_some() || cases >= least,
        "law {law} was held against only {cases} cases"
    );
}

/// Holds a law against the worlds of some seeds, and says how to replay one that breaks it.
#[track_caller]
pub fn hold(law: &str, count: u64, least: usize, check: impl Fn(u64) -> Result<usize, String>) {
    let mut cases = 0;
    for seed in seeds(count) {
        match check(seed) {
            Ok(held) => cases += held,
            Err(message) => panic!(
                "law {law}, seed {seed}: {message}\nreplay: TOLLBOOK_SEED={seed} cargo test --test it -- laws"
            ),
        }
    }
    tell(law, cases, least);
}

/// The seeded source of all choices.
pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(ChaCha8Rng::seed_from_u64(seed))
    }

    pub fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `limit`; the small bias does not matter here.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Both ends are possible.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        least + (self.next() % (most - least + 1) as u64) as i64
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn word(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len() as u64) as usize]
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}
