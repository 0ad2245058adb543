//! Sums of charges: lines, each rounded once, and documents with their tax.

use std::collections::{BTreeMap, BTreeSet};

use num_bigint::{BigInt, Sign};

use num_rational::BigRational;
use num_traits::{Signed, Zero};

use super::identify::{tariff_at, tariff_name, zone};
use super::read::{Contact, Rules, Tariff};
use super::{Defect, Document, EventResult, Line, Options, calendar, minor_digits};

/// Contact, month, kind, tariff, version, clause, band.
type Key = (String, String, &'static str, String, String, String, String);

/// All lines, by key.
pub fn lines(rules: &Rules, contacts: &[Contact], options: &Options, events: &[EventResult]) -> Vec<Line> {
    let mut lines: BTreeMap<Key, Line> = BTreeMap::new();
    for event in events {
        let contact = contacts.iter().find(|contact| contact.id == event.contact);
        for part in &event.parts {
            let tariff = version(rules, &part.tariff, &part.tariff_version);
            check_currency(rules, contact.expect("a charge without a contact"), tariff);
            let line = line_of(&mut lines, event, part.kind, tariff, &part.clause, &part.band, part.unit);
            line.events += 1;
            line.units += part.units;
            line.sum += if options.defect == Some(Defect::RoundPerEvent) {
                BigRational::from_integer(rounded_minor(&part.amount, &tariff.currency, &tariff.rounding))
                    / minor_units(&tariff.currency)
            } else {
                part.amount.clone()
            };
        }
    }
    add_fees(rules, contacts, options, events, &mut lines);
    for line in lines.values_mut() {
        let mode = &version(rules, &line.tariff, &line.tariff_version).rounding;
        line.amount_minor = rounded_minor(&line.sum, &line.currency, mode);
    }
    lines.into_values().collect()
}

/// Every contact that is valid at some instant of a month pays the fees of its tariff in full; the months are those in
/// which any identified event starts. The version is the one of the contact's first instant in the month.
fn add_fees(
    rules: &Rules,
    contacts: &[Contact],
    options: &Options,
    events: &[EventResult],
    lines: &mut BTreeMap<Key, Line>,
) {
    let months: BTreeSet<&String> =
        events.iter().map(|event| &event.month).filter(|month| !month.is_empty()).collect();
    for month in months {
        for contact in contacts.iter().filter(|contact| !contact.do_not_bill) {
            let zone = zone(rules, contact, options);
            let (from, to) = calendar::month_bounds(month, zone);
            if !contact.validity.touches(from, to, zone) {
                continue;
            }
            let since = contact.validity.from.map_or(from, |day| calendar::midnight(day, zone).max(from));
            let Some(tariff) = tariff_name(rules, contact).and_then(|name| tariff_at(rules, name, since))
            else {
                continue;
            };
            let holder = EventResult {
                id: String::new(),
                disposition: "",
                reason: "",
                contact: contact.id.clone(),
                month: month.clone(),
                parts: Vec::new(),
            };
            for fee in &tariff.fees {
                check_currency(rules, contact, tariff);
                let line = line_of(lines, &holder, "fee", tariff, &fee.name, "", "month");
                line.units += 1;
                line.sum += fee.amount.clone();
            }
        }
    }
}

fn line_of<'a>(
    lines: &'a mut BTreeMap<Key, Line>,
    event: &EventResult,
    kind: &'static str,
    tariff: &Tariff,
    clause: &str,
    band: &str,
    unit: &'static str,
) -> &'a mut Line {
    let key = (
        event.contact.clone(),
        event.month.clone(),
        kind,
        tariff.name.clone(),
        tariff.version.clone(),
        clause.to_string(),
        band.to_string(),
    );
    lines.entry(key).or_insert_with(|| Line {
        contact: event.contact.clone(),
        month: event.month.clone(),
        kind,
        tariff: tariff.name.clone(),
        tariff_version: tariff.version.clone(),
        clause: clause.to_string(),
        band: band.to_string(),
        events: 0,
        unit,
        units: 0,
        sum: BigRational::zero(),
        amount_minor: BigInt::zero(),
        currency: tariff.currency.clone(),
    })
}

/// One document for each contact and month: net, tax on the net rounded once, total.
pub fn documents(contacts: &[Contact], lines: &[Line]) -> Vec<Document> {
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
        let contact = contacts.iter().find(|contact| contact.id == document.contact).unwrap();
        if let Some(percent) = &contact.tax_percent {
            let tax = BigRational::from_integer(document.net_minor.clone()) * percent / BigInt::from(100);
            document.tax_minor = rounded(&tax, "half-away");
        }
        document.total_minor = &document.net_minor + &document.tax_minor;
    }
    documents.into_values().collect()
}

fn version<'a>(rules: &'a Rules, name: &str, version: &str) -> &'a Tariff {
    rules.tariffs.iter().find(|tariff| tariff.name == name && tariff.version == version).unwrap()
}

/// A contact whose currency is not its tariff's is a mistake of the input, not something to bill.
fn check_currency(rules: &Rules, contact: &Contact, tariff: &Tariff) {
    let own =
        tariff_name(rules, contact).and_then(|name| rules.tariffs.iter().find(|tariff| tariff.name == name));
    let of_tariff = own.map_or(tariff.currency.as_str(), |own| own.currency.as_str());
    let currency = if contact.currency.is_empty() { of_tariff } else { contact.currency.as_str() };
    assert_eq!(
        currency, tariff.currency,
        "{} pays in one currency, {} charges in another",
        contact.id, tariff.name
    );
}

fn minor_units(currency: &str) -> BigInt {
    BigInt::from(10).pow(minor_digits(currency))
}

fn rounded_minor(amount: &BigRational, currency: &str, mode: &str) -> BigInt {
    rounded(&(amount * minor_units(currency)), mode)
}

/// To a whole number; every mode is mirrored at zero.
pub fn rounded(value: &BigRational, mode: &str) -> BigInt {
    let size = value.abs();
    let below = size.to_integer();
    let rest = &size - BigRational::from_integer(below.clone());
    let half = BigRational::new(1.into(), 2.into());
    let away = match mode {
        "half-away" => rest >= half,
        "half-even" => rest > half || (rest == half && (&below % 2) == BigInt::from(1)),
        "up" => !rest.is_zero(),
        "down" => false,
        other => panic!("no rounding mode: {other}"),
    };
    let size = if away { below + 1 } else { below };
    if value.numer().sign() == Sign::Minus { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2.5 → 3, 2, 3, 2; 3.5 → 4, 4, 4, 3; 2.4 → 2, 2, 3, 2; and the same below zero.
    #[test]
    fn modes_are_mirrored() {
        let modes = ["half-away", "half-even", "up", "down"];
        for (tenths, expected) in
            [(25, [3, 2, 3, 2]), (35, [4, 4, 4, 3]), (24, [2, 2, 3, 2]), (30, [3, 3, 3, 3])]
        {
            for (mode, expected) in modes.iter().zip(expected) {
                for sign in [1, -1] {
                    let value = BigRational::new((sign * tenths).into(), 10.into());
                    assert_eq!(rounded(&value, mode), BigInt::from(sign * expected), "{tenths} {mode}");
                }
            }
        }
    }
}
