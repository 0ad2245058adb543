//! Clauses by destination: the longest prefix first, a country just behind its calling code.

use std::collections::HashMap;

use crate::domain::Country;
use crate::rules::identity::prefix_key;
use crate::rules::ruleset::Place;

/// Clauses of one channel and direction, by destination.
#[derive(Clone, Debug, Default)]
pub(super) struct DestinationTable {
    /// Lengths of prefixes that occur, longest first.
    lengths: Vec<u32>,
    prefixes: HashMap<(u32, u64), Vec<u32>>,
    /// Countries with the length of their calling code.
    countries: HashMap<Country, (u32, Vec<u32>)>,
    anywhere: Vec<u32>,
}

impl DestinationTable {
    /// Enters a clause for some places; for all when there are none.
    pub fn add(&mut self, places: &[Place], clause: u32) {
        if places.is_empty() {
            self.anywhere.push(clause);
        }
        for place in places {
            let clauses = match place {
                Place::Prefix(digits) => self.prefixes.entry(prefix_key(digits)).or_default(),
                Place::Country(country) => {
                    let code = country.calling_code().unwrap_or(0);
                    let length = u32::from(code).checked_ilog10().map_or(0, |log| log + 1);
                    &mut self.countries.entry(*country).or_insert((length, Vec::new())).1
                }
            };
            if !clauses.contains(&clause) {
                clauses.push(clause);
            }
        }
    }

    /// Enters a clause for the prefixes of a deck.
    pub fn add_prefixes(&mut self, prefixes: &[&str], clause: u32) {
        for digits in prefixes {
            self.prefixes.entry(prefix_key(digits)).or_default().push(clause);
        }
    }

    /// Makes the table ready for [`DestinationTable::best`].
    pub fn finish(&mut self) {
        let mut lengths: Vec<u32> = self.prefixes.keys().map(|(length, _)| *length).collect();
        lengths.sort_unstable_by(|left, right| right.cmp(left));
        lengths.dedup();
        self.lengths = lengths;
    }

    /// Visits the clauses that match a destination, best first: longest prefix, a country just behind its calling code,
    /// then the order of the file. Stops at the first that `pick` finds in a list.
    pub fn best(
        &self,
        to: (Option<u64>, Option<Country>),
        mut pick: impl FnMut(&[u32]) -> Option<u32>,
    ) -> Option<u32> {
        let mut country_due = to.1.and_then(|country| self.countries.get(&country));
        if let Some(digits) = to.0 {
            let digits_length = digits.checked_ilog10().map_or(1, |log| log + 1);
            for length in self.lengths.iter().copied() {
                if let Some((_, clauses)) = country_due.filter(|(code_length, _)| *code_length >= length) {
                    if let Some(found) = pick(clauses) {
                        return Some(found);
                    }
                    country_due = None;
                }
                if length > digits_length {
                    continue;
                }
                let head = digits / 10_u64.pow(digits_length - length);
                if let Some(found) = self.prefixes.get(&(length, head)).and_then(|clauses| pick(clauses)) {
                    return Some(found);
                }
            }
        }
        if let Some(found) = country_due.and_then(|(_, clauses)| pick(clauses)) {
            return Some(found);
        }
        pick(&self.anywhere)
    }
}
