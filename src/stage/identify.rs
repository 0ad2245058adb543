//! Events to payers: the effective-dated lookup, in a visible order (design, section 7).

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use crate::domain::Instant;
use crate::domain::derivation::IdentityRule;
use crate::domain::event::EventView;
use crate::domain::outcome::Direction;
use crate::domain::time::Span;
use crate::rules::directory::Place;
use crate::rules::identity::IdentityIndex;

/// Who pays for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Index of the contact in the contact list.
    pub payer: u32,
    pub rule: IdentityRule,
    /// Number of the matter it is for, from 1; 0 is none.
    pub matter: u32,
}

/// Who pays for an event, by which rule, and for which matter; `None` is an unmatched contact, never a guess. The rules
/// are tried in the declared order. A coding or a row that names a contact settles it: when that contact is not valid at
/// the start of the event, nobody is found.
pub fn identify(index: &IdentityIndex, event: &EventView<'_>) -> Option<Found> {
    let at = event.start;
    for rule in &index.order {
        let payer = match rule {
            IdentityRule::Coding => match event.coding.contact {
                Some(contact) => Some(claimed(&index.by_id, contact, at)?),
                None => None,
            },
            IdentityRule::Named => match event.contact {
                Some(contact) => Some(claimed(&index.by_id, contact, at)?),
                None => None,
            },
            IdentityRule::AccountCode => by_text(&index.matter_codes, event.account_code, at)
                .or_else(|| by_text(&index.account_codes, event.account_code, at)),
            IdentityRule::OwnNumber | IdentityRule::OtherNumber | IdentityRule::OtherPrefix => {
                by_number(index, *rule, event)
            }
            IdentityRule::Extension => {
                event.extension.and_then(|extension| claimed(&index.extensions, &extension, at))
            }
            IdentityRule::Department => by_text(&index.departments, event.department, at),
            IdentityRule::Site => by_text(&index.sites, event.site, at),
            IdentityRule::CostCentre => by_text(&index.cost_centres, event.cost_centre, at),
            IdentityRule::Account => by_text(&index.ringcentral_accounts, event.ringcentral_account, at),
        };
        if let Some(payer) = payer {
            return Some(Found { payer, rule: *rule, matter: matter(index, event, payer) });
        }
    }
    None
}

/// The matter that the coding names, else the one that the account code names, when it is the payer's.
fn matter(index: &IdentityIndex, event: &EventView<'_>, payer: u32) -> u32 {
    if let Some(matter) = event.coding.matter {
        return index.matter_number(matter);
    }
    let code =
        event.account_code.filter(|code| claimed(&index.matter_codes, *code, event.start) == Some(payer));
    code.map_or(0, |code| index.matter_number(code))
}

/// The number of the timekeeper of a time entry, from 1: the coding's, else the one whose extension it is at the start of
/// the entry. 0 is none.
pub fn timekeeper(
    index: &IdentityIndex,
    event: &EventView<'_>,
    extension: Option<u64>,
    start: Instant,
) -> u32 {
    match event.coding.timekeeper {
        Some(id) => index.timekeeper_number(id),
        None => extension.map_or(0, |extension| index.timekeeper_at(extension, start)),
    }
}

/// What a record says of itself that makes no event.
#[derive(Clone, Debug, Default)]
pub struct Clues<'a> {
    pub contact: Option<&'a str>,
    pub account_code: Option<&'a str>,
    pub numbers: Vec<u64>,
    pub extensions: Vec<u64>,
    /// Where the extensions belong.
    pub places: Vec<&'a Place>,
    pub ringcentral_account: Option<&'a str>,
    /// `None`: it could have been at any time.
    pub at: Option<Instant>,
}

/// Whom a record could belong to that makes no event: whom it names, else who claims its account code, else everybody
/// who claims one of its numbers, else one of their prefixes, else one of its extensions, else its account, at its start
/// (at any time when it has none). Holding back is the only use.
pub fn possible_payers<'a>(index: &'a IdentityIndex, clues: &'a Clues<'a>) -> BTreeSet<u32> {
    let named = clues.contact.and_then(|contact| index.by_id.get(contact));
    let codes = clues.account_code.into_iter();
    let codes =
        codes.flat_map(|code| index.matter_codes.get(code).into_iter().chain(index.account_codes.get(code)));
    let exact = clues.numbers.iter().filter_map(|number| index.numbers.get(number));
    let heads = clues.numbers.iter().flat_map(|number| {
        let digits = digits_of(*number);
        let lengths = index.prefix_lengths.iter().copied().filter(move |length| *length <= digits);
        lengths.filter_map(move |length| index.prefixes.get(&(length, number / 10_u64.pow(digits - length))))
    });
    let users = clues.extensions.iter().filter_map(|extension| index.extensions.get(extension));
    let of = |claims: &'a HashMap<String, Vec<(Span, u32)>>, name: fn(&Place) -> Option<&String>| {
        clues.places.iter().filter_map(move |place| claims.get(name(place)?))
    };
    let departments = of(&index.departments, |place| place.department.as_ref());
    let sites = of(&index.sites, |place| place.site.as_ref());
    let centres = of(&index.cost_centres, |place| place.cost_centre.as_ref());
    let account = clues.ringcentral_account.and_then(|account| index.ringcentral_accounts.get(account));
    let claimants = |claims: &mut dyn Iterator<Item = &Vec<(Span, u32)>>| -> BTreeSet<u32> {
        let held = |span: &Span| clues.at.is_none_or(|at| span.contains(at));
        claims.flatten().filter(|(span, _)| held(span)).map(|(_, payer)| *payer).collect()
    };
    let levels: [&mut dyn Iterator<Item = &Vec<(Span, u32)>>; 7] = [
        &mut named.into_iter(),
        &mut codes.into_iter(),
        &mut exact.into_iter(),
        &mut heads.into_iter(),
        &mut users.into_iter(),
        &mut departments.chain(sites).chain(centres),
        &mut account.into_iter(),
    ];
    levels.into_iter().map(claimants).find(|payers| !payers.is_empty()).unwrap_or_default()
}

/// By the dialled number of the company or by the number of the other party. Internal events have no other party.
fn by_number(index: &IdentityIndex, rule: IdentityRule, event: &EventView<'_>) -> Option<u32> {
    let at = event.start;
    let (own, other) = match event.direction {
        Direction::Inbound => (event.to.e164(), event.from.e164()),
        Direction::Outbound => (None, event.to.e164()),
        Direction::Internal => return None,
    };
    match rule {
        IdentityRule::OwnNumber => claimed(&index.numbers, &own?, at),
        IdentityRule::OtherNumber => claimed(&index.numbers, &other?, at),
        _ => {
            let (other, digits) = (other?, digits_of(other?));
            let lengths = index.prefix_lengths.iter().copied().filter(|length| *length <= digits);
            let mut heads = lengths.map(|length| (length, other / 10_u64.pow(digits - length)));
            heads.find_map(|head| claimed(&index.prefixes, &head, at))
        }
    }
}

fn digits_of(number: u64) -> u32 {
    number.checked_ilog10().map_or(1, |log| log + 1)
}

fn by_text(claims: &HashMap<String, Vec<(Span, u32)>>, value: Option<&str>, at: Instant) -> Option<u32> {
    claimed(claims, value?, at)
}

fn claimed<K, Q>(claims: &HashMap<K, Vec<(Span, u32)>>, value: &Q, at: Instant) -> Option<u32>
where
    K: Hash + Eq + std::borrow::Borrow<Q>,
    Q: Hash + Eq + ?Sized,
{
    claims.get(value)?.iter().find(|(span, _)| span.contains(at)).map(|(_, payer)| *payer)
}

#[cfg(test)]
mod tests;
