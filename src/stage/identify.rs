//! Events to payers: the effective-dated lookup, in a visible order (design, section 7).

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use crate::domain::Instant;
use crate::domain::derivation::IdentityRule;
use crate::domain::event::EventView;
use crate::domain::outcome::Direction;
use crate::domain::time::Span;
use crate::rules::identity::IdentityIndex;

/// Who pays for an event, and by which rule; `None` is an unmatched contact, never a guess.
pub fn identify(index: &IdentityIndex, event: &EventView<'_>) -> Option<(u32, IdentityRule)> {
    if let Some(contact) = event.contact {
        return claimed(&index.by_id, contact, event.start).map(|payer| (payer, IdentityRule::Named));
    }
    if let Some(payer) = event.account_code.and_then(|code| claimed(&index.account_codes, code, event.start))
    {
        return Some((payer, IdentityRule::AccountCode));
    }
    if event.direction != Direction::Internal
        && let Some(found) = by_number(index, event)
    {
        return Some(found);
    }
    let extension = event.extension?;
    claimed(&index.extensions, &extension, event.start).map(|payer| (payer, IdentityRule::Extension))
}

/// Whom a record could belong to that makes no event: everybody who claims one of its numbers, else one of their
/// prefixes, else one of its extensions, at its start (at any time when it has none). Holding back is the only use.
pub fn possible_payers(
    index: &IdentityIndex,
    numbers: &[u64],
    extensions: &[u64],
    at: Option<Instant>,
) -> BTreeSet<u32> {
    let exact = numbers.iter().filter_map(|number| index.numbers.get(number));
    let heads = numbers.iter().flat_map(|number| {
        let digits = number.checked_ilog10().map_or(1, |log| log + 1);
        let lengths = index.prefix_lengths.iter().copied().filter(move |length| *length <= digits);
        lengths.filter_map(move |length| index.prefixes.get(&(length, number / 10_u64.pow(digits - length))))
    });
    let users = extensions.iter().filter_map(|extension| index.extensions.get(extension));
    let claimants = |claims: &mut dyn Iterator<Item = &Vec<(Span, u32)>>| -> BTreeSet<u32> {
        let held = |span: &Span| at.is_none_or(|at| span.contains(at));
        claims.flatten().filter(|(span, _)| held(span)).map(|(_, payer)| *payer).collect()
    };
    let levels: [&mut dyn Iterator<Item = &Vec<(Span, u32)>>; 3] =
        [&mut exact.into_iter(), &mut heads.into_iter(), &mut users.into_iter()];
    levels.into_iter().map(claimants).find(|payers| !payers.is_empty()).unwrap_or_default()
}

fn by_number(index: &IdentityIndex, event: &EventView<'_>) -> Option<(u32, IdentityRule)> {
    let (own, other) = match event.direction {
        Direction::Inbound => (event.to.e164(), event.from.e164()),
        _ => (None, event.to.e164()),
    };
    if let Some(payer) = own.and_then(|number| claimed(&index.numbers, &number, event.start)) {
        return Some((payer, IdentityRule::OwnNumber));
    }
    let other = other?;
    if let Some(payer) = claimed(&index.numbers, &other, event.start) {
        return Some((payer, IdentityRule::OtherNumber));
    }
    let digits = other.checked_ilog10().map_or(1, |log| log + 1);
    for length in index.prefix_lengths.iter().copied().filter(|length| *length <= digits) {
        let head = other / 10_u64.pow(digits - length);
        if let Some(payer) = claimed(&index.prefixes, &(length, head), event.start) {
            return Some((payer, IdentityRule::OtherPrefix));
        }
    }
    None
}

fn claimed<K, Q>(claims: &HashMap<K, Vec<(Span, u32)>>, value: &Q, at: Instant) -> Option<u32>
where
    K: Hash + Eq + std::borrow::Borrow<Q>,
    Q: Hash + Eq + ?Sized,
{
    claims.get(value)?.iter().find(|(span, _)| span.contains(at)).map(|(_, payer)| *payer)
}
