//! Who is found by what: the claims of contacts, by value and time, ready to be looked up; and matters and timekeepers
//! by number.

use std::collections::{BTreeSet, HashMap};

use crate::domain::contact::{Claim, Contact};
use crate::domain::derivation::IdentityRule;
use crate::domain::event::BillableEvent;
use crate::domain::time::Span;
use crate::domain::{Instant, Zone};

use super::ruleset::Timekeeper;

/// A value claimed by payers over time.
type Claims<K> = HashMap<K, Vec<(Span, u32)>>;

/// Who is found by what.
#[derive(Clone, Debug, Default)]
pub struct IdentityIndex {
    /// Ways of finding the payer, in the order in which they are tried.
    pub order: Vec<IdentityRule>,
    /// Contacts named by a usage row or a coding, while they are valid.
    pub by_id: Claims<String>,
    pub account_codes: Claims<String>,
    /// Account codes that name a matter of the contact beside the contact.
    pub matter_codes: Claims<String>,
    pub numbers: Claims<u64>,
    pub prefixes: Claims<(u32, u64)>,
    /// Longest first.
    pub prefix_lengths: Vec<u32>,
    pub extensions: Claims<u64>,
    pub departments: Claims<String>,
    pub sites: Claims<String>,
    pub cost_centres: Claims<String>,
    pub ringcentral_accounts: Claims<String>,
    /// All matters that are known, sorted. The number of a matter is its place, from 1.
    pub matters: Vec<String>,
    /// Ids of all timekeepers that are known: those of the rule files, sorted, then those that only codings name,
    /// sorted. The number of a timekeeper is its place, from 1.
    pub timekeepers: Vec<String>,
    /// Extensions of timekeepers over time; the values are places in `timekeepers`, from 0.
    pub timekeeper_extensions: Claims<u64>,
}

impl IdentityIndex {
    /// Numbers also the matters and timekeepers that codings of events name. Numbers of matters may change; those of
    /// timekeepers stay.
    pub fn learn(&mut self, events: &[BillableEvent]) {
        let codings = || events.iter().filter_map(|event| event.coding.as_ref());
        self.matters.extend(codings().filter_map(|coding| coding.matter.clone()));
        self.matters.sort_unstable();
        self.matters.dedup();
        let named = codings().filter_map(|coding| coding.timekeeper.as_deref());
        let unknown: BTreeSet<&str> = named.filter(|id| self.timekeeper_number(id) == 0).collect();
        self.timekeepers.extend(unknown.into_iter().map(str::to_owned));
    }

    /// The number of a matter, from 1; 0 when it is not known.
    pub fn matter_number(&self, matter: &str) -> u32 {
        let place = self.matters.binary_search_by(|known| known.as_str().cmp(matter));
        place.map_or(0, number)
    }

    /// The number of a timekeeper by its id, from 1; 0 when it is not known.
    pub fn timekeeper_number(&self, id: &str) -> u32 {
        // The list is short and has two sorted halves.
        self.timekeepers.iter().position(|known| known == id).map_or(0, number)
    }

    /// The number of the timekeeper whose extension it is at an instant, from 1; 0 when it is nobody's.
    pub fn timekeeper_at(&self, extension: u64, at: Instant) -> u32 {
        let claims = self.timekeeper_extensions.get(&extension);
        let held = claims.and_then(|claims| claims.iter().find(|(span, _)| span.contains(at)));
        held.map_or(0, |(_, place)| place + 1)
    }

    /// Takes the timekeepers of the rule files; the days of their claims begin at midnight in the company's zone.
    pub(super) fn add_timekeepers(&mut self, timekeepers: &[Timekeeper], home: Zone) {
        self.timekeepers = timekeepers.iter().map(|timekeeper| timekeeper.id.clone()).collect();
        self.timekeepers.sort_unstable();
        for timekeeper in timekeepers {
            let Some(place) = self.timekeeper_number(&timekeeper.id).checked_sub(1) else { continue };
            for (extension, from, to) in &timekeeper.extensions {
                let span = Span {
                    from: from.map_or(Span::ALWAYS.from, |date| home.midnight(date)),
                    to: to.map_or(Span::ALWAYS.to, |date| home.midnight(date)),
                };
                self.timekeeper_extensions.entry(*extension).or_default().push((span, place));
            }
        }
    }

    pub(super) fn add(&mut self, contact: &Contact, payer: u32) {
        self.by_id.insert(contact.id.clone(), vec![(contact.valid, payer)]);
        enter(&mut self.account_codes, payer, &contact.account_codes, String::clone);
        enter(&mut self.matter_codes, payer, &contact.matters, String::clone);
        enter(&mut self.numbers, payer, &contact.numbers, |number| *number);
        enter(&mut self.extensions, payer, &contact.extensions, |extension| *extension);
        enter(&mut self.prefixes, payer, &contact.prefixes, |prefix| prefix_key(prefix));
        enter(&mut self.departments, payer, &contact.departments, String::clone);
        enter(&mut self.sites, payer, &contact.sites, String::clone);
        enter(&mut self.cost_centres, payer, &contact.cost_centres, String::clone);
        enter(&mut self.ringcentral_accounts, payer, &contact.ringcentral_accounts, String::clone);
    }

    pub(super) fn finish(&mut self) {
        let mut lengths: Vec<u32> = self.prefixes.keys().map(|(length, _)| *length).collect();
        lengths.sort_unstable_by(|left, right| right.cmp(left));
        lengths.dedup();
        self.prefix_lengths = lengths;
        self.matters = self.matter_codes.keys().cloned().collect();
        self.matters.sort_unstable();
    }
}

fn enter<K: std::hash::Hash + Eq, T: Clone>(
    claims: &mut Claims<K>,
    payer: u32,
    entries: &[Claim<T>],
    key: impl Fn(&T) -> K,
) {
    for claim in entries.iter().filter(|claim| claim.span.from < claim.span.to) {
        claims.entry(key(&claim.value)).or_default().push((claim.span, payer));
    }
}

fn number(place: usize) -> u32 {
    u32::try_from(place + 1).expect("names are counted in 32 bits")
}

/// Leading digits as a key: how many, and their value.
pub(super) fn prefix_key(digits: &str) -> (u32, u64) {
    let length = u32::try_from(digits.len()).expect("a prefix has at most 15 digits");
    (length, digits.parse().expect("a prefix holds digits only"))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn timekeepers_keep_their_extensions_when_codings_name_others() {
        let day = |day| NaiveDate::from_ymd_opt(2026, 10, day);
        let person = |id: &str, extensions| Timekeeper {
            id: id.to_owned(),
            name: id.to_owned(),
            extensions,
            price: None,
        };
        let mut index = IdentityIndex::default();
        let people = [
            person("mia", vec![(101, None, day(10)), (102, day(10), None)]),
            person("ada", vec![(101, day(10), None)]),
        ];
        index.add_timekeepers(&people, Zone::from_name("America/New_York").unwrap());
        let at = |text: &str| Instant::parse(text).unwrap();
        let (before, after) = (at("2026-10-10T03:59:59Z"), at("2026-10-10T04:00:00Z"));
        let names = |index: &IdentityIndex| {
            [(101, before), (101, after), (102, after), (103, after)]
                .map(|(extension, at)| index.timekeeper_at(extension, at))
                .map(|number| number.checked_sub(1).map(|place| index.timekeepers[place as usize].clone()))
        };
        let expected = [Some("mia"), Some("ada"), Some("mia"), None].map(|name| name.map(str::to_owned));
        assert_eq!(names(&index), expected);
        index.timekeepers.push("aaron".to_owned());
        assert_eq!(names(&index), expected);
        assert_eq!(index.timekeeper_at(102, before), 0);
        assert_eq!((index.timekeeper_number("aaron"), index.timekeeper_number("zoe")), (3, 0));
    }
}
