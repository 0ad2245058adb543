//! One million generated events rated on the columnar path: event table in, line totals out. Prints events a second.
//!
//! The month has a change of daylight saving time, two bands, 60/6 increments, a connection fee, included minutes, prices
//! per segment and per page, and a thousand contacts. `cargo bench --bench rating` runs it.

use divan::counter::ItemsCount;
use polars::prelude::{Column, DataFrame, IntoLazy, col, lit};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use tollbook::columnar::events::EventColumns;
use tollbook::domain::derivation::Silent;
use tollbook::domain::time::Span;
use tollbook::domain::{Country, Instant, Zone};
use tollbook::rules::compile::CompiledRules;
use tollbook::rules::diagnostic::SourceFile;
use tollbook::run::workspace::check;
use tollbook::stage::rate::{GroupState, rate};

const EVENTS: usize = 1_000_000;
const CONTACTS: u64 = 1_000;
const MONTH_START_MILLISECONDS: i64 = 1_793_505_600_000; // 2026-11-01T04:00:00Z, midnight in New York
const MONTH_MILLISECONDS: u64 = 30 * 86_400_000;

const RULES: &str = r#"
default_tariff = "standard"

[tariff.standard]
currency = "USD"
zone = "America/New_York"

[[tariff.standard.rate]]
name = "Business hours"
match = { channel = "voice", to = ["US"], band = "business" }
price = "0.0345 per minute"
increment = "60/6"
connection_fee = "0.01"

[[tariff.standard.rate]]
name = "Other hours"
match = { channel = "voice" }
price = "0.0500 per minute"
increment = "60/6"

[[tariff.standard.rate]]
name = "Texts"
match = { channel = "sms" }
price = "0.012 per segment"

[[tariff.standard.rate]]
name = "Faxes"
match = { channel = "fax" }
price = "0.05 per page"

[[tariff.standard.allowance]]
name = "500 included minutes"
grants = "500 minutes"
applies_to = { channel = "voice" }

[band.business]
days = "mon-fri"
hours = "08:00-18:00"
"#;

fn main() {
    divan::main();
}

fn number_of(contact: u64) -> u64 {
    12_120_000_000 + contact * 7
}

/// The event table, sorted by start, as integers.
fn table() -> DataFrame {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut starts: Vec<i64> = (0..EVENTS)
        .map(|_| MONTH_START_MILLISECONDS + i64::try_from(random.next_u64() % MONTH_MILLISECONDS).unwrap())
        .collect();
    starts.sort_unstable();
    let kinds: Vec<u32> =
        (0..EVENTS).map(|_| [0, 0, 0, 0, 0, 0, 1, 1, 1, 3][random.next_u32() as usize % 10]).collect();
    let to: Vec<u64> = (0..EVENTS).map(|_| number_of(random.next_u64() % CONTACTS)).collect();
    let seconds: Vec<i64> = (0..EVENTS).map(|_| i64::from(random.next_u32() % 900) + 1).collect();
    let counts: Vec<u32> = (0..EVENTS).map(|_| random.next_u32() % 4 + 1).collect();
    let voice = |kind: &u32| *kind == 0;
    let outcome: Vec<u32> = kinds.iter().map(|kind| if voice(kind) { 0 } else { 3 }).collect();
    let milliseconds: Vec<Option<i64>> =
        kinds.iter().zip(&seconds).map(|(kind, seconds)| voice(kind).then_some(seconds * 1000)).collect();
    let only = |wanted: u32| -> Vec<Option<u32>> {
        kinds.iter().zip(&counts).map(|(kind, count)| (*kind == wanted).then_some(*count)).collect()
    };
    let us = Some(u32::from(b'U') * 256 + u32::from(b'S'));
    let columns = vec![
        Column::new("id".into(), (0..EVENTS).map(|row| format!("e{row:07}")).collect::<Vec<_>>()),
        Column::new("start_ms".into(), starts),
        Column::new("channel".into(), kinds.clone()),
        Column::new("direction".into(), vec![1_u32; EVENTS]),
        Column::new("outcome".into(), outcome),
        Column::new("from_class".into(), vec![0_u64; EVENTS]),
        Column::new("from_number".into(), vec![13_105_550_100_u64; EVENTS]),
        Column::new("to_class".into(), vec![0_u64; EVENTS]),
        Column::new("to_number".into(), to),
        Column::new("from_country".into(), vec![us; EVENTS]),
        Column::new("to_country".into(), vec![us; EVENTS]),
        Column::new("extension".into(), vec![None::<u64>; EVENTS]),
        Column::new("customer_facing_ms".into(), milliseconds.clone()),
        Column::new("master_ms".into(), milliseconds),
        Column::new("without_legs".into(), vec![false; EVENTS]),
        Column::new("segments".into(), only(1)),
        Column::new("pages".into(), only(3)),
        Column::new("account_code".into(), vec![None::<&str>; EVENTS]),
        Column::new("contact".into(), vec![None::<&str>; EVENTS]),
    ];
    DataFrame::new(EVENTS, columns).unwrap()
}

fn rules() -> CompiledRules {
    let file = SourceFile { name: "bench.toml".to_owned(), text: RULES.to_owned() };
    let mut contacts = "id,name,numbers\n".to_owned();
    for contact in 0..CONTACTS {
        contacts.push_str(&format!("c{contact:04},Contact {contact},+{}\n", number_of(contact)));
    }
    let contacts = SourceFile { name: "contacts.csv".to_owned(), text: contacts };
    let (rules, contacts, _) = check(&[file], &contacts, Country::from_code("US").unwrap())
        .expect("the benchmark's rules are valid");
    let span = Span {
        from: Instant::from_milliseconds(MONTH_START_MILLISECONDS),
        to: Instant::from_milliseconds(MONTH_START_MILLISECONDS + 31 * 86_400_000),
    };
    CompiledRules::new(&rules, &contacts, Zone::from_name("America/New_York").unwrap(), span).unwrap()
}

/// Rates the whole table; the sum keeps the work from being removed, and is checked between rounds.
fn rate_table(rules: &CompiledRules, frame: &DataFrame) -> i128 {
    let columns = EventColumns::of(frame).unwrap();
    let mut state = GroupState::new(rules);
    let mut sum = 0;
    for row in 0..columns.len() {
        sum += rate(rules, &mut state, columns.view(row).unwrap(), &mut Silent).numerator;
    }
    sum
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn one_million_events(bencher: divan::Bencher<'_, '_>) {
    let (rules, frame) = (rules(), table());
    let expected = rate_table(&rules, &frame);
    bencher
        .counter(ItemsCount::new(EVENTS))
        .bench_local(|| assert_eq!(rate_table(&rules, &frame), expected, "two rounds gave two sums"));
}

/// The limit: a read of the integer columns by the same engine.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn bare_read_of_the_columns(bencher: divan::Bencher<'_, '_>) {
    let frame = table();
    bencher.counter(ItemsCount::new(EVENTS)).bench_local(|| {
        let sums = ["start_ms", "to_number", "customer_facing_ms"].map(|name| col(name).sum());
        frame.clone().lazy().filter(col("outcome").neq(lit(9_u32))).select(sums).collect().unwrap()
    });
}
