//! What became of each promise of the world, and what reconciliation says of it.

use std::collections::{BTreeMap, BTreeSet};

use tollbook::domain::reconciliation::{BreakKind, Expectation, Observation, Reconciliation};
use tollbook::sandbox::truth::{Fate, Promise};
use tollbook::stage::reconcile::{observe, reconcile};

use super::{broken_laws, classes, october, zone};
use crate::world::{Seen, october as world};

fn observations(seen: &Seen) -> Vec<Observation> {
    let contacts = seen.contacts();
    let events = seen.facts.mediated.events.iter().zip(&contacts);
    events.filter_map(|(event, contact)| observe(event, contact.as_deref(), &seen.rules.outcomes)).collect()
}

fn expectations(seen: &Seen) -> &[Expectation] {
    &seen.workspace.expectations
}

/// Promises with their expectations: the file lists them by time and number.
fn promised(seen: &Seen) -> Vec<(&Promise, &Expectation)> {
    let mut promises: Vec<&Promise> = seen.world.truth().promises.iter().collect();
    promises.retain(|promise| promise.fate != Fate::NotPromised);
    promises.sort_by_key(|promise| (promise.due_from, promise.due_to, promise.number));
    assert_eq!(promises.len(), expectations(seen).len());
    let pairs: Vec<_> = promises.into_iter().zip(expectations(seen)).collect();
    assert!(pairs.iter().all(|(promise, expectation)| expectation.number == Some(promise.number)));
    pairs
}

/// The class that a fate must have; `None` is agreement.
fn class(fate: Fate) -> Option<BreakKind> {
    match fate {
        Fate::Kept | Fate::SentTwice => None,
        // What went to somebody else never came to this party; its copy there is unexpected.
        Fate::NeverSent | Fate::WrongParty => Some(BreakKind::MissingObservation),
        Fate::Late => Some(BreakKind::Late),
        Fate::WrongPages => Some(BreakKind::QuantityMismatch),
        Fate::Failed => Some(BreakKind::StatusMismatch),
        Fate::Unconfirmed => Some(BreakKind::Indeterminate),
        Fate::NotPromised => Some(BreakKind::UnexpectedObservation),
    }
}

fn reconciled(seen: &Seen) -> Reconciliation {
    reconcile(expectations(seen), &observations(seen), october(), zone())
}

#[test]
fn every_fate_has_its_class() {
    let seen = world();
    let result = reconciled(seen);
    assert_eq!(broken_laws(expectations(seen), &observations(seen), &result), [""; 0]);
    let found = classes(&result);
    let mut differences: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (promise, expectation) in promised(seen) {
        let (kind, with) = &found[&expectation.id];
        if *kind != class(promise.fate) {
            let what = format!("{:?} is {kind:?}", promise.fate);
            let told = format!("{} {with:?} {promise:?}", expectation.id);
            differences.entry(what).or_default().push(told);
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn copies_and_what_nobody_promised_are_found() {
    let seen = world();
    let result = reconciled(seen);
    let of_kind = |kind: BreakKind| -> BTreeSet<&str> {
        let breaks = result.breaks.iter().filter(|item| item.kind == kind);
        breaks.filter_map(|item| item.observation.as_ref()?.message_id.as_deref()).collect()
    };
    let (duplicates, unexpected) = (of_kind(BreakKind::Duplicate), of_kind(BreakKind::UnexpectedObservation));
    let promises = &seen.world.truth().promises;
    // A fax that nobody promised, within hours of one that was: nothing tells it from a second copy.
    let beside_another = |promise: &Promise| {
        promises.iter().any(|other| {
            let apart = (other.due_from - promise.due_from).num_minutes().abs();
            !std::ptr::eq(other, promise) && other.number == promise.number && apart < 4 * 60
        })
    };
    let (mut twice, mut taken_for_copies) = (0, 0);
    for promise in promises {
        let id = promise.message_id.map(|id| id.to_string()).unwrap_or_default();
        match promise.fate {
            Fate::SentTwice => twice += 1,
            Fate::NotPromised if duplicates.contains(id.as_str()) => {
                assert!(beside_another(promise), "{promise:?}");
                taken_for_copies += 1;
            }
            Fate::NotPromised | Fate::WrongParty => assert!(unexpected.contains(id.as_str()), "{promise:?}"),
            _ => {}
        }
    }
    assert!(twice > 0 && unexpected.len() > taken_for_copies);
    assert_eq!(duplicates.len(), twice + taken_for_copies);
}

#[test]
fn a_changed_observation_changes_its_class() {
    let seen = world();
    let (_, expectation) =
        promised(seen).into_iter().find(|(promise, _)| promise.fate == Fate::Kept).expect("a kept promise");
    let (_, event) = classes(&reconciled(seen))[&expectation.id].clone();
    let mut changed = observations(seen);
    let place =
        changed.iter().position(|item| Some(&item.event_id) == event.as_ref()).expect("its observation");
    let mut gone = changed.clone();
    gone.remove(place);
    changed[place].arrived = tollbook::domain::outcome::Arrived::No;
    let kind = |observations: &[Observation]| {
        let result = reconcile(expectations(seen), observations, october(), zone());
        classes(&result)[&expectation.id].0
    };
    assert_eq!(kind(&changed), Some(BreakKind::StatusMismatch));
    assert_eq!(kind(&gone), Some(BreakKind::MissingObservation));
}
