//! Conservation: nothing is lost between the rows of a file, the charges, the lines and the documents.

use std::collections::{BTreeMap, BTreeSet};

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, Zero};
use tollbook::domain::derivation::Step;
use tollbook::domain::disposition::EventDisposition;
use tollbook::domain::document::InvoiceLine;
use tollbook::domain::{Exact, RoundingMode};
use tollbook::run::rating::conditions_of;

use super::facts::{Facts, Outcome, amount, hold};
use crate::priced::{Row, exact};

const EVENTS: usize = 400;
const SEEDS: u64 = 8;

fn ratio(value: Exact) -> BigRational {
    BigRational::new(value.numerator().into(), value.denominator().into())
}

/// Each row of the file ends once, in one place, and the ledger of dispositions counts it there.
fn every_row_ends_once(facts: &Facts, outcome: &Outcome) -> Result<usize, String> {
    let given: BTreeSet<&str> = facts.usage.rows.iter().map(|row| row["id"].as_str()).collect();
    let mut ends: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in &outcome.charges {
        ends.entry(&row["event_id"]).or_default().insert(&row["disposition"]);
    }
    if let Some(lost) = given.iter().find(|id| !ends.contains_key(*id)) {
        return Err(format!("{lost} is in no row"));
    }
    if let Some((more, _)) = ends.iter().find(|(id, found)| !given.contains(*id) || found.len() != 1) {
        return Err(format!("{more} is not of the file, or ends twice"));
    }
    let counted = outcome.priced.dispositions();
    for disposition in EventDisposition::ALL {
        let found = ends.values().filter(|found| found.contains(disposition.word())).count();
        let said = counted.get(disposition).copied().unwrap_or_default();
        if found != said {
            return Err(format!("{disposition}: {found} events, {said} in the ledger"));
        }
    }
    match counted.values().sum::<usize>() == given.len() {
        true => Ok(given.len()),
        false => Err("the dispositions do not add up to the rows".to_owned()),
    }
}

#[test]
fn law_01_records_in_are_records_out() {
    hold("1", SEEDS, 3_000, |seed| {
        let facts = Facts::drawn(seed, EVENTS);
        every_row_ends_once(&facts, &facts.price())
    });
    let facts = Facts::drawn(1, 50);
    let mut outcome = facts.price();
    let lost = outcome.charges[7]["event_id"].clone();
    outcome.charges.retain(|row| row["event_id"] != lost);
    assert!(every_row_ends_once(&facts, &outcome).is_err(), "a lost row is seen");
    let mut outcome = facts.price();
    let other = if outcome.charges[7]["disposition"] == "billed" { "zero-rated" } else { "billed" };
    outcome.charges[7].insert("disposition".into(), other.into());
    assert!(every_row_ends_once(&facts, &outcome).is_err(), "a row that ends elsewhere is seen");
}

/// The rounded lines of each contact and period.
fn nets(lines: &[Row]) -> BTreeMap<(String, String), BigRational> {
    let mut nets: BTreeMap<_, BigRational> = BTreeMap::new();
    for line in lines {
        *nets.entry((line["contact"].clone(), line["period"].clone())).or_default() +=
            exact_signed(&line["amount"]);
    }
    nets
}

fn exact_signed(text: &str) -> BigRational {
    text.strip_prefix('-').map_or_else(|| exact(text), |rest| -exact(rest))
}

fn lines_add_up(outcome: &Outcome) -> Result<usize, String> {
    let mut nets = nets(&outcome.lines);
    let mut cases = 0;
    for document in outcome.priced.documents().unwrap() {
        let invoice = &document.invoice;
        let key = (invoice.payer.contact_id.clone(), invoice.period.month.key());
        let sum = nets.remove(&key).unwrap_or_default();
        let (net, total) = (ratio(invoice.net.exact()), ratio(invoice.total.exact()));
        let tax = invoice.tax.as_ref().map_or_else(BigRational::zero, |tax| ratio(tax.amount.exact()));
        if sum != net || &net + tax != total {
            return Err(format!("{key:?}: lines {sum}, net {net}, total {total}"));
        }
        cases += 1;
    }
    match nets.keys().next() {
        Some(key) => Err(format!("{key:?} has lines and no document")),
        None => Ok(cases),
    }
}

#[test]
fn law_02_lines_add_up_to_the_document() {
    hold("2", SEEDS, 150, |seed| lines_add_up(&Facts::drawn(seed, EVENTS).price()));
    let mut outcome = Facts::drawn(1, EVENTS).price();
    outcome.lines[0].insert("amount".into(), "0.01".into());
    assert!(lines_add_up(&outcome).is_err(), "a line of another amount is seen");
}

/// The most that one rounding may move a line, in minor units; whether that much itself is possible.
fn most_moved(outcome: &Outcome, line: &InvoiceLine) -> (BigRational, bool) {
    let mut versions = outcome.priced.rules.versions.iter().map(|version| &version.tariff);
    let of = |key: &tollbook::domain::document::LineKey| (key.tariff.clone(), key.tariff_version.clone());
    let tariff = versions.find(|tariff| (tariff.name.clone(), tariff.version_key()) == of(&line.key));
    match tariff.map(|tariff| tariff.rounding.line) {
        Some(RoundingMode::HalfAway | RoundingMode::HalfEven) => (BigRational::new(1.into(), 2.into()), true),
        _ => (BigRational::new(1.into(), 1.into()), false),
    }
}

fn rounding_is_booked(outcome: &Outcome) -> Result<usize, String> {
    let mut exact_usage: BTreeMap<String, BigRational> = BTreeMap::new();
    for row in outcome.charges.iter().filter(|row| !row["kind"].is_empty()) {
        *exact_usage.entry(row["contact"].clone()).or_default() += amount(row);
    }
    let mut cases = 0;
    for document in outcome.priced.documents().unwrap() {
        let invoice = &document.invoice;
        let minor = BigRational::new(BigInt::from(10).pow(invoice.currency.exponent()), 1.into());
        let (mut residuals, mut exacts) = (BigRational::zero(), BigRational::zero());
        for line in &invoice.lines {
            let (exact, residual) = (ratio(line.exact), ratio(line.residual));
            let (most, reached) = most_moved(outcome, line);
            let moved = residual.abs() * &minor;
            if &exact + &residual != ratio(line.amount.exact()) || moved > most || (moved == most && !reached)
            {
                return Err(format!("{:?}: {exact} became {}", line.key, line.amount));
            }
            residuals += residual;
            exacts += &exact;
            if line.key.kind.is_itemised() {
                *exact_usage.entry(invoice.payer.contact_id.clone()).or_default() -= exact;
            }
            cases += 1;
        }
        if exacts + &residuals != ratio(invoice.net.exact()) || residuals != ratio(invoice.residual) {
            return Err(format!("{}: {residuals} is not what was booked", invoice.payer.contact_id));
        }
    }
    match exact_usage.iter().find(|(_, left)| !left.is_zero()) {
        Some((contact, left)) => Err(format!("{contact}: {left} of the charges is on no line")),
        None => Ok(cases),
    }
}

#[test]
fn law_04_rounding_moves_only_what_is_booked() {
    hold("4", SEEDS, 1_000, |seed| rounding_is_booked(&Facts::drawn(seed, EVENTS).price()));
    let mut outcome = Facts::drawn(1, EVENTS).price();
    let charged = outcome.charges.iter_mut().find(|row| row["numerator"].len() > 1).unwrap();
    let other = format!("{}1", charged["numerator"]);
    charged.insert("numerator".into(), other);
    assert!(rounding_is_booked(&outcome).is_err(), "a charge of another amount is seen");
}

/// No price is negative in these worlds: then no charge is, and no line but those that reduce.
fn nothing_is_negative(outcome: &Outcome) -> Result<usize, String> {
    for (event, sum) in outcome.amounts() {
        if sum.is_negative() {
            return Err(format!("{event} costs {sum}"));
        }
    }
    let usage = || outcome.lines.iter().filter(|line| ["usage", "tier-fee", "fee"].contains(&&*line["kind"]));
    match usage().find(|line| line["amount"].starts_with('-') || amount(line).is_negative()) {
        Some(line) => Err(format!("a line is negative: {line:?}")),
        None => Ok(usage().count()),
    }
}

#[test]
fn law_18_prices_that_are_not_negative_make_no_negative_lines() {
    hold("18", 20, 2_000, |seed| nothing_is_negative(&Facts::drawn(seed, EVENTS).price()));
    let mut outcome = Facts::drawn(1, EVENTS).price();
    let line = outcome.lines.iter_mut().find(|line| line["kind"] == "usage").unwrap();
    line.insert("amount".into(), "-0.01".into());
    assert!(nothing_is_negative(&outcome).is_err(), "a negative line is seen");
}

/// Rating again, one event after the other and with all steps kept, gives what stands in the table; the steps add up.
fn steps_replay(outcome: &Outcome, change: impl Fn(&mut Vec<Step>)) -> Result<usize, String> {
    let amounts = outcome.amounts();
    let traced = outcome.priced.traced().map_err(|failure| failure.to_string())?;
    let rows = outcome.priced.events.iter().zip(&outcome.priced.run.rated);
    for ((event, rated), mut traced) in rows.zip(traced) {
        change(&mut traced.derivation.steps);
        let replayed = ratio(outcome.priced.rules.exact(traced.derivation.replay()));
        let ended = (traced.rated.disposition, traced.rated.numerator);
        if ended != (rated.disposition, rated.numerator) || amounts[event.id.as_str()] != replayed {
            return Err(format!("{}: the steps give {replayed}", event.id));
        }
    }
    Ok(amounts.len())
}

#[test]
fn law_25_steps_replay_to_the_amount() {
    hold("11 and 25", SEEDS, 3_000, |seed| steps_replay(&Facts::drawn(seed, EVENTS).price(), |_| ()));
    let outcome = Facts::drawn(1, EVENTS).price();
    let forget = |steps: &mut Vec<Step>| steps.retain(|step| !matches!(step, Step::ConnectionFee { .. }));
    let raise = |steps: &mut Vec<Step>| {
        for step in steps {
            if let Step::Price { numerator, .. } = step {
                *numerator += 1;
            }
        }
    };
    assert!(steps_replay(&outcome, raise).is_err(), "a step of another amount is seen");
    let seen = (1..=SEEDS).any(|seed| steps_replay(&Facts::drawn(seed, 200).price(), forget).is_err());
    assert!(seen, "a lost step is seen");
}

/// `rate_all` compares its sums with those over columns and fails where they differ; conditions are evaluated over columns
/// and must not depend on which rows stand beside each other.
#[test]
fn law_30_columns_are_what_one_row_is() {
    hold("30", 3, 18, |seed| {
        let mut facts = Facts::drawn(seed, 1_001);
        let whole = facts.price().priced;
        for rows in [0, 1, 2, 999, 1000, 1001] {
            let some =
                conditions_of(&whole.rules, &whole.events[..rows.min(whole.events.len())]).unwrap().rows;
            if some != whole.run.conditions[..some.len()] {
                return Err(format!("the conditions of {rows} rows differ"));
            }
        }
        for (event, mask) in whole.events.iter().zip(&whole.run.conditions).step_by(25) {
            if conditions_of(&whole.rules, std::slice::from_ref(event)).unwrap().rows != [*mask] {
                return Err(format!("the conditions of {} alone differ", event.id));
            }
        }
        let rows = std::mem::take(&mut facts.usage.rows);
        for count in [0, 1, 2, 999, 1000, 1001] {
            facts.usage.rows = rows[..count].to_vec();
            let some = facts.try_price()?;
            every_row_ends_once(&facts, &some)?;
            rounding_is_booked(&some)?;
        }
        Ok(6)
    });
}
