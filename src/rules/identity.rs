//! Who is found by what: the claims of contacts, by value and time, ready to be looked up.

use std::collections::HashMap;

use crate::domain::contact::{Claim, Contact};
use crate::domain::time::Span;

/// A value claimed by payers over time.
type Claims<K> = HashMap<K, Vec<(Span, u32)>>;

/// Who is found by what; in the order of [`crate::domain::derivation::IdentityRule`].
#[derive(Clone, Debug, Default)]
pub struct IdentityIndex {
    /// Contacts named by a usage row, while they are valid.
    pub by_id: Claims<String>,
    pub account_codes: Claims<String>,
    pub numbers: Claims<u64>,
    pub prefixes: Claims<(u32, u64)>,
    /// Longest first.
    pub prefix_lengths: Vec<u32>,
    pub extensions: Claims<u64>,
}

impl IdentityIndex {
    pub(super) fn add(&mut self, contact: &Contact, payer: u32) {
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
        self.by_id.insert(contact.id.clone(), vec![(contact.valid, payer)]);
        enter(&mut self.account_codes, payer, &contact.account_codes, String::clone);
        enter(&mut self.numbers, payer, &contact.numbers, |number| *number);
        enter(&mut self.extensions, payer, &contact.extensions, |extension| *extension);
        enter(&mut self.prefixes, payer, &contact.prefixes, |prefix| prefix_key(prefix));
    }

    pub(super) fn finish(&mut self) {
        let mut lengths: Vec<u32> = self.prefixes.keys().map(|(length, _)| *length).collect();
        lengths.sort_unstable_by(|left, right| right.cmp(left));
        lengths.dedup();
        self.prefix_lengths = lengths;
    }
}

/// Leading digits as a key: how many, and their value.
pub(super) fn prefix_key(digits: &str) -> (u32, u64) {
    let length = u32::try_from(digits.len()).expect("a prefix has at most 15 digits");
    (length, digits.parse().expect("a prefix holds digits only"))
}
