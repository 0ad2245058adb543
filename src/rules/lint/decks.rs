//! Two decks that price one number.

use std::collections::HashMap;

use chrono::NaiveDate;

use crate::rules::diagnostic::Diagnostic;
use crate::rules::ruleset::{Deck, DeckRow, Pricing, Rate};

use super::Scene;
use super::conditions::meet;
use super::week::Week;

/// A warning for every pair of rates by different decks that can both hold for one event and share a prefix, or of which
/// one has a prefix inside a prefix of the other.
pub fn overlapping_decks(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let by_deck: Vec<(&Rate, &Deck)> = scene
        .version
        .rates
        .iter()
        .filter_map(|rate| match rate.pricing {
            Pricing::Deck { deck } => scene.rules.decks.get(deck).map(|deck| (rate, deck)),
            _ => None,
        })
        .collect();
    for (position, (later, second)) in by_deck.iter().enumerate() {
        for (earlier, first) in &by_deck[..position] {
            let both = first.name != second.name
                && meet(scene.rules, &earlier.matches, &later.matches)
                && at_one_time(scene, earlier, later);
            let Some(message) =
                Some(()).filter(|()| both).and_then(|()| shared(earlier, first, later, second))
            else {
                continue;
            };
            let hint = "Tell the rates apart by their conditions, or keep each destination in one deck.";
            found.push(scene.warn(&later.file, later.line, "overlapping-decks", message, hint));
        }
    }
    found
}

/// Whether the bands of two rates leave a minute to both.
fn at_one_time(scene: &Scene<'_>, left: &Rate, right: &Rate) -> bool {
    let week = |rate: &Rate| {
        let mut week = Week::NEVER;
        for band in &rate.matches.bands {
            week.join(&scene.weeks[*band]);
        }
        week
    };
    let (left, right) = (&left, &right);
    left.matches.bands.is_empty()
        || right.matches.bands.is_empty()
        || !week(left).common(&week(right)).is_empty()
}

fn shared(earlier: &Rate, first: &Deck, later: &Rate, second: &Deck) -> Option<String> {
    let (mut equal, mut nested) = (Vec::new(), Vec::new());
    collect(first, second, &mut equal, &mut nested);
    // What is equal was found; the other way round only what is inside counts.
    collect(second, first, &mut Vec::new(), &mut nested);
    let (one, other) = (&earlier.name, &later.name);
    if let Some(prefix) = equal.first() {
        let count = equal.len();
        return Some(format!(
            "\"{one}\" and \"{other}\" both price +{prefix} ({count} in all): \"{one}\" wins, since it stands first"
        ));
    }
    let (inner, outer) = nested.first()?;
    let count = nested.len();
    Some(format!(
        "\"{one}\" and \"{other}\" share destinations ({count} in all): +{inner} of one lies inside +{outer} of the other, \
         and the longer prefix wins"
    ))
}

/// Prefixes that both decks have at one time, and prefixes of the first inside a prefix of the second.
fn collect<'d>(
    first: &'d Deck,
    second: &'d Deck,
    equal: &mut Vec<&'d str>,
    nested: &mut Vec<(&'d str, &'d str)>,
) {
    let mut by_prefix: HashMap<&str, Vec<&DeckRow>> = HashMap::new();
    for row in &second.rows {
        by_prefix.entry(row.prefix.as_str()).or_default().push(row);
    }
    let find = |prefix: &str, row: &DeckRow| {
        by_prefix
            .get(prefix)
            .and_then(|rows| rows.iter().find(|other| is_valid_together(row, other)).copied())
    };
    for row in &first.rows {
        if find(&row.prefix, row).is_some() {
            equal.push(&row.prefix);
            continue;
        }
        let outer = (1..row.prefix.len()).rev().find_map(|length| find(&row.prefix[..length], row));
        nested.extend(outer.map(|outer| (row.prefix.as_str(), outer.prefix.as_str())));
    }
    equal.dedup();
    nested.dedup();
}

fn is_valid_together(left: &DeckRow, right: &DeckRow) -> bool {
    let start = |row: &DeckRow| row.valid_from.unwrap_or(NaiveDate::MIN);
    let end = |row: &DeckRow| row.valid_to.unwrap_or(NaiveDate::MAX);
    start(left) < end(right) && start(right) < end(left)
}
