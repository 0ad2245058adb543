//! Expected against observed totals, by channel and direction.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::domain::outcome::{Channel, Direction};
use crate::domain::reconciliation::{Break, BreakKind, Expectation, Observation, Reconciliation};
use crate::output::text;

/// One row of the table.
#[derive(Serialize)]
pub(super) struct ChannelRow {
    name: String,
    expected: String,
    agreeing: String,
    with_break: String,
    missing: String,
    observed: String,
    unexpected: String,
    pages: Option<Pages>,
}

/// Pages of the expectations that name them, and of the observations beside them.
#[derive(Serialize)]
struct Pages {
    expected: String,
    observed: String,
}

#[derive(Default)]
struct Totals<'a> {
    expected: BTreeSet<&'a str>,
    agreeing: u64,
    missing: u64,
    observed: BTreeSet<&'a str>,
    unexpected: u64,
    pages_named: u64,
    pages_expected: u64,
    pages_observed: u64,
}

/// Ids are counted once each, so that a duplicate adds an observation but no expectation.
pub(super) fn by_channel(reconciliation: &Reconciliation) -> Vec<ChannelRow> {
    let mut totals: BTreeMap<(Channel, Direction), Totals<'_>> = BTreeMap::new();
    for group in &reconciliation.matched {
        let entry = totals.entry((group.expectation.channel, group.expectation.direction)).or_default();
        entry.agreeing += 1;
        count(entry, Some(&group.expectation), Some(&group.observation));
    }
    for one in &reconciliation.breaks {
        let Some(key) = key(one) else { continue };
        let entry = totals.entry(key).or_default();
        match one.kind {
            BreakKind::MissingObservation => entry.missing += 1,
            BreakKind::UnexpectedObservation => entry.unexpected += 1,
            _ => {}
        }
        count(entry, one.expectation.as_ref(), one.observation.as_ref());
    }
    totals.into_iter().map(row).collect()
}

fn key(one: &Break) -> Option<(Channel, Direction)> {
    let expected = one.expectation.as_ref().map(|expectation| (expectation.channel, expectation.direction));
    expected.or(one.observation.as_ref().map(|observation| (observation.channel, observation.direction)))
}

fn count<'a>(
    totals: &mut Totals<'a>,
    expectation: Option<&'a Expectation>,
    observation: Option<&'a Observation>,
) {
    let new_expectation = expectation.is_some_and(|expectation| totals.expected.insert(&expectation.id));
    if let Some(observation) = observation {
        totals.observed.insert(&observation.event_id);
    }
    if let Some(pages) = expectation.and_then(|expectation| expectation.pages).filter(|_| new_expectation) {
        totals.pages_named += 1;
        totals.pages_expected += u64::from(pages);
        totals.pages_observed += observation.and_then(|observation| observation.pages).map_or(0, u64::from);
    }
}

fn row(((channel, direction), totals): ((Channel, Direction), Totals<'_>)) -> ChannelRow {
    let with_break = (totals.expected.len() as u64).saturating_sub(totals.agreeing);
    ChannelRow {
        name: text::service(channel, direction),
        expected: text::count(totals.expected.len()),
        agreeing: text::count(totals.agreeing),
        with_break: text::count(with_break),
        missing: text::count(totals.missing),
        observed: text::count(totals.observed.len()),
        unexpected: text::count(totals.unexpected),
        pages: (totals.pages_named > 0).then(|| Pages {
            expected: text::count(totals.pages_expected),
            observed: text::count(totals.pages_observed),
        }),
    }
}
