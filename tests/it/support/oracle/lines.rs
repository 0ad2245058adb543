//! Sums of charges: lines, each rounded once, and documents with their tax.

use std::collections::{BTreeMap, BTreeSet};

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;

use super::groups::Counters;
use super::identify::World;
use super::language::Tariff;
use super::money::{minor_units, rounded, rounded_minor};
use super::period::{self, Month};
use super::tables::Contact;
use super::{Defect, Document, EventResult, Line};

/// Lines by their key.
pub type Lines = BTreeMap<[String; 11], Line>;

impl Line {
    pub fn new(contact: &str, month: &str, kind: &'static str, tariff: &Tariff, clause: &str) -> Line {
        Line {
            contact: contact.to_string(),
            month: month.to_string(),
            kind,
            tariff: tariff.name.clone(),
            tariff_version: tariff.version.clone(),
            clause: clause.to_string(),
            band: String::new(),
            matter: String::new(),
            timekeeper: String::new(),
            tier: 0,
            destination: String::new(),
            events: 0,
            unit: "",
            units: 0,
            sum: BigRational::zero(),
            amount_minor: BigInt::zero(),
            currency: tariff.currency.clone(),
        }
    }

    fn key(&self) -> [String; 11] {
        let tier = self.tier.to_string();
        [
            &self.contact,
            &self.month,
            self.kind,
            &self.tariff,
            &self.tariff_version,
            &self.clause,
            &self.band,
            &self.matter,
            &self.timekeeper,
            &tier,
            &self.destination,
        ]
        .map(str::to_string)
    }
}

/// The line of the same key, made if there is none yet.
pub fn line_of(lines: &mut Lines, line: Line) -> &mut Line {
    lines.entry(line.key()).or_insert(line)
}

/// All lines, by key.
pub fn lines(world: &World, counters: &Counters, events: &[EventResult]) -> Vec<Line> {
    let mut lines = Lines::new();
    for event in events {
        for part in &event.parts {
            let tariff = version(world, &part.tariff, &part.tariff_version);
            check_currency(world.contact(&event.contact).expect("a charge without a contact"), tariff);
            let line = Line {
                band: part.band.clone(),
                matter: part.matter.clone(),
                timekeeper: part.timekeeper.clone(),
                tier: part.tier,
                destination: part.destination.clone(),
                unit: part.unit,
                ..Line::new(&event.contact, &part.month, part.kind, tariff, &part.clause)
            };
            let line = line_of(&mut lines, line);
            line.events += 1;
            line.units += part.units;
            line.sum += if world.defect(Defect::RoundPerEvent) {
                let minor = rounded_minor(&part.amount, &tariff.currency, &tariff.rounding.line, false);
                BigRational::from_integer(minor) / minor_units(&tariff.currency)
            } else {
                part.amount.clone()
            };
        }
    }
    let of_events = events.iter().map(|event| &event.month);
    let of_parts = events.iter().flat_map(|event| &event.parts).map(|part| &part.month);
    let months: BTreeSet<&String> = of_events.chain(of_parts).filter(|month| !month.is_empty()).collect();
    for month in months {
        for contact in world.contacts.iter().filter(|contact| !contact.do_not_bill) {
            let month = Month::new(world, contact, month);
            period::add_tier_fees(world, counters, &month, &mut lines);
            if month.is_valid() {
                period::add_without_usage(world, counters, &month, &mut lines);
                period::add_fees(world, &month, &mut lines);
            }
            round(world, &month, &mut lines);
            if let Some(tariff) = month.last_version {
                period::add_period_amounts(world, &month, tariff, &mut lines);
            }
        }
    }
    lines.into_values().collect()
}

/// Rounds the lines of one contact and month.
fn round(world: &World, month: &Month, lines: &mut Lines) {
    for line in lines.values_mut().filter(|line| month.has(line)) {
        let tariff = version(world, &line.tariff, &line.tariff_version);
        line.amount_minor = round_line(tariff, &line.sum);
    }
}

pub fn round_line(tariff: &Tariff, sum: &BigRational) -> BigInt {
    let shifted = tariff.options.negative_toward_plus_infinity;
    rounded_minor(sum, &tariff.currency, &tariff.rounding.line, shifted)
}

/// One document for each contact and month: net, tax on the net rounded once, total.
pub fn documents(world: &World, lines: &[Line]) -> Vec<Document> {
    let mut documents: BTreeMap<(&str, &str), Document> = BTreeMap::new();
    for line in lines {
        let document = documents.entry((&line.contact, &line.month)).or_insert_with(|| Document {
            contact: line.contact.clone(),
            month: line.month.clone(),
            net_minor: BigInt::zero(),
            tax_minor: BigInt::zero(),
            total_minor: BigInt::zero(),
            currency: line.currency.clone(),
        });
        assert_eq!(document.currency, line.currency, "one document, two currencies: {line:?}");
        document.net_minor += &line.amount_minor;
    }
    for document in documents.values_mut() {
        if let Some(percent) = &world.contact(&document.contact).unwrap().tax_percent {
            let tax = BigRational::from_integer(document.net_minor.clone()) * percent / BigInt::from(100);
            document.tax_minor = rounded(&tax, "half-away");
        }
        document.total_minor = &document.net_minor + &document.tax_minor;
    }
    documents.into_values().collect()
}

fn version<'a>(world: &World<'a>, name: &str, version: &str) -> &'a Tariff {
    world.rules.tariffs.iter().find(|tariff| tariff.name == name && tariff.version == version).unwrap()
}

/// A contact whose currency is not its tariff's is a mistake of the input, not something to bill.
fn check_currency(contact: &Contact, tariff: &Tariff) {
    assert_eq!(
        contact.currency, tariff.currency,
        "{} pays in one currency, {} charges in another",
        contact.id, tariff.name
    );
}
