//! What two sets of conditions have to do with each other: one covers the other, or both can hold for one event.

use crate::domain::number::NumberClass;
use crate::domain::outcome::{Channel, CodePattern, Direction, Outcome};
use crate::rules::compile::applies;
use crate::rules::ruleset::{Match, Place, RuleSet};

/// Every channel with every direction.
pub fn cells() -> impl Iterator<Item = (Channel, Direction)> {
    Channel::ALL.iter().flat_map(|channel| Direction::ALL.iter().map(|direction| (*channel, *direction)))
}

/// Whether whatever fits `narrow` also fits `wide`, leaving channel, direction, destination and band aside.
pub fn covers(rules: &RuleSet, wide: &Match, narrow: &Match) -> bool {
    let from = wide.from.is_empty()
        || (!narrow.from.is_empty() && narrow.from.iter().all(|place| is_in(place, &wide.from)));
    let codes = wide.error_codes.is_empty()
        || (!narrow.error_codes.is_empty()
            && narrow.error_codes.iter().all(|code| wide.error_codes.iter().any(|all| has(all, code))));
    from && codes
        && known(&wide.to_classes, &narrow.to_classes, NumberClass::ALL)
        && known(&wide.from_classes, &narrow.from_classes, NumberClass::ALL)
        && known(&wide.outcomes, &narrow.outcomes, Outcome::ALL)
        && free(&wide.extensions, &narrow.extensions)
        && free(&wide.departments, &narrow.departments)
        && free(&wide.sites, &narrow.sites)
        && free(&wide.cost_centres, &narrow.cost_centres)
        && free(&wide.matters, &narrow.matters)
        && free(&wide.timekeepers, &narrow.timekeepers)
        && free(&wide.tasks, &narrow.tasks)
        && (wide.condition.is_none() || text_of(rules, wide) == text_of(rules, narrow))
}

/// Whether one destination list holds for every number of another.
pub fn covers_destinations(wide: &Match, narrow: &Match) -> bool {
    wide.to.is_empty() || (!narrow.to.is_empty() && narrow.to.iter().all(|place| is_in(place, &wide.to)))
}

/// Whether one event can fit both, bands aside. Two different `where` conditions are taken to keep them apart.
pub fn meet(rules: &RuleSet, left: &Match, right: &Match) -> bool {
    let codes = left.error_codes.is_empty()
        || right.error_codes.is_empty()
        || left
            .error_codes
            .iter()
            .any(|one| right.error_codes.iter().any(|other| has(one, other) || has(other, one)));
    let same_condition = left.condition.is_none()
        || right.condition.is_none()
        || text_of(rules, left) == text_of(rules, right);
    cells()
        .any(|(channel, direction)| applies(left, channel, direction) && applies(right, channel, direction))
        && places_meet(&left.to, &right.to)
        && places_meet(&left.from, &right.from)
        && codes
        && same_condition
        && share(&left.to_classes, &right.to_classes)
        && share(&left.from_classes, &right.from_classes)
        && share(&left.outcomes, &right.outcomes)
        && share(&left.extensions, &right.extensions)
        && share(&left.departments, &right.departments)
        && share(&left.sites, &right.sites)
        && share(&left.cost_centres, &right.cost_centres)
        && share(&left.matters, &right.matters)
        && share(&left.timekeepers, &right.timekeepers)
        && share(&left.tasks, &right.tasks)
}

/// Whether both are the same conditions, bands aside.
pub fn same(rules: &RuleSet, left: &Match, right: &Match) -> bool {
    let both = |channel, direction| applies(left, channel, direction) == applies(right, channel, direction);
    cells().all(|(channel, direction)| both(channel, direction))
        && covers(rules, left, right)
        && covers(rules, right, left)
        && covers_destinations(left, right)
        && covers_destinations(right, left)
}

fn text_of<'r>(rules: &'r RuleSet, matches: &Match) -> Option<&'r str> {
    matches.condition.and_then(|index| rules.conditions.get(index)).map(|condition| condition.text.as_str())
}

/// Lists of words of which all are known: naming each of them is no condition.
fn known<T: PartialEq>(wide: &[T], narrow: &[T], all: &[T]) -> bool {
    let narrow = if narrow.is_empty() { all } else { narrow };
    wide.is_empty() || narrow.iter().all(|word| wide.contains(word))
}

fn free<T: PartialEq>(wide: &[T], narrow: &[T]) -> bool {
    wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|value| wide.contains(value)))
}

fn share<T: PartialEq>(left: &[T], right: &[T]) -> bool {
    left.is_empty() || right.is_empty() || left.iter().any(|value| right.contains(value))
}

/// Whether every code of one pattern fits another.
fn has(wide: &CodePattern, narrow: &CodePattern) -> bool {
    match (wide, narrow) {
        (_, CodePattern::Exact(code)) => wide.fits(code),
        (CodePattern::Prefix(head), CodePattern::Prefix(longer)) => longer.starts_with(head.as_str()),
        (CodePattern::Exact(_), CodePattern::Prefix(_)) => false,
    }
}

/// Whether all numbers of a place are certainly in one of a list.
fn is_in(place: &Place, wide: &[Place]) -> bool {
    wide.iter().any(|wide| match (wide, place) {
        (Place::Prefix(wide), Place::Prefix(place)) => place.starts_with(wide.as_str()),
        (Place::Prefix(wide), Place::Country(country)) => {
            country.calling_code().is_some_and(|code| code.to_string().starts_with(wide.as_str()))
        }
        (Place::Country(wide), Place::Country(country)) => wide == country,
        (Place::Country(_), Place::Prefix(_)) => false,
    })
}

fn places_meet(left: &[Place], right: &[Place]) -> bool {
    left.is_empty()
        || right.is_empty()
        || left.iter().any(|one| right.iter().any(|other| place_meets(one, other)))
}

fn place_meets(left: &Place, right: &Place) -> bool {
    let digits = |place: &Place| match place {
        Place::Prefix(digits) => digits.clone(),
        Place::Country(country) => country.calling_code().map(|code| code.to_string()).unwrap_or_default(),
    };
    match (left, right) {
        (Place::Country(left), Place::Country(right)) => left == right,
        _ => {
            let (left, right) = (digits(left), digits(right));
            left.starts_with(&right) || right.starts_with(&left)
        }
    }
}
