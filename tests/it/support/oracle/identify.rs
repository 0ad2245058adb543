//! Who pays for an event.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::Options;
use super::number::Destination;
use super::read::{Contact, Event, Rules, Tariff};

/// Name of the tariff a contact is on, if any.
pub fn tariff_name<'a>(rules: &'a Rules, contact: &'a Contact) -> Option<&'a str> {
    if contact.tariff.is_empty() { rules.default_tariff.as_deref() } else { Some(&contact.tariff) }
}

/// The version of a tariff that applies at an instant: the latest that is valid by then.
pub fn tariff_at<'a>(rules: &'a Rules, name: &str, instant: DateTime<Utc>) -> Option<&'a Tariff> {
    let valid = |tariff: &&Tariff| {
        tariff.valid_from.is_none_or(|day| super::calendar::midnight(day, tariff.zone) <= instant)
    };
    rules
        .tariffs
        .iter()
        .filter(|tariff| tariff.name == name)
        .filter(valid)
        .max_by_key(|tariff| tariff.valid_from)
}

/// The contact's own zone, else its tariff's, else the company's.
pub fn zone(rules: &Rules, contact: &Contact, options: &Options) -> Tz {
    let of_tariff = || {
        let name = tariff_name(rules, contact)?;
        rules.tariffs.iter().find(|tariff| tariff.name == name).map(|tariff| tariff.zone)
    };
    contact.zone.or_else(of_tariff).unwrap_or(options.company_zone)
}

/// The contact that pays, by the first of the ways that finds one who is valid at the start.
pub fn payer<'a>(
    rules: &Rules,
    contacts: &'a [Contact],
    options: &Options,
    event: &Event,
) -> Option<&'a Contact> {
    let valid: Vec<&Contact> = contacts
        .iter()
        .filter(|contact| contact.validity.holds(event.start, zone(rules, contact, options)))
        .collect();
    let first = |is_it: &dyn Fn(&Contact) -> bool| valid.iter().copied().find(|contact| is_it(contact));

    // The row names its contact: no other way is tried, even when there is no such contact.
    if !event.contact.is_empty() {
        return first(&|contact| contact.id == event.contact);
    }
    let by_account_code = || {
        first(&|contact| {
            !event.account_code.is_empty() && contact.account_codes.contains(&event.account_code)
        })
    };
    let by_extension =
        || first(&|contact| !event.extension.is_empty() && contact.extensions.contains(&event.extension));
    let by_number = |number: Option<&Destination>| {
        let number = number?;
        first(&|contact| {
            let holds = |own: &(String, super::calendar::Validity)| {
                own.0 == number.e164 && own.1.holds(event.start, zone(rules, contact, options))
            };
            contact.numbers.iter().any(holds)
        })
    };
    let by_prefix = |number: Option<&Destination>| {
        let number = number?;
        let longest = |contact: &Contact| {
            contact.prefixes.iter().filter(|prefix| number.e164.starts_with(*prefix)).map(String::len).max()
        };
        let best = valid.iter().filter_map(|contact| longest(contact)).max()?;
        first(&|contact| longest(contact) == Some(best))
    };

    if event.direction == "internal" {
        return by_account_code().or_else(by_extension);
    }
    let inbound = event.direction == "inbound";
    let dialled_own = if inbound { event.to.as_ref() } else { None };
    let other_party = if inbound { event.from.as_ref() } else { event.to.as_ref() };
    by_account_code()
        .or_else(|| by_number(dialled_own))
        .or_else(|| by_number(other_party))
        .or_else(|| by_prefix(other_party))
        .or_else(by_extension)
}
