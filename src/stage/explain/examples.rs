//! The examples that tariffs carry.

use crate::domain::contact::{Contact, ContactList};
use crate::domain::derivation::Derivation;
use crate::domain::event::{BillableEvent, Coding, EventView, LegQuantities, Party, SegmentWays};
use crate::domain::number::ReadNumber;
use crate::domain::outcome::Channel;
use crate::domain::time::Span;
use crate::domain::{Exact, Hash, Result, Zone};
use crate::rules::compile::{CompiledRules, numerator};
use crate::rules::ruleset::{Example, RuleSet};
use crate::stage::rate::{GroupState, rate, settle_derivation};

use super::{LENGTH_MILLISECONDS_MAX, sentences};

/// What an example gave against what it expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleResult {
    pub example: Example,
    /// What differs, as sentences; empty when the example holds.
    pub differences: Vec<String>,
    pub steps: Vec<String>,
}

/// Runs all examples of a rule set. `conditions` holds for each example which conditions of the rule set hold for its
/// event, evaluated over columns.
///
/// # Errors
/// Rules that cannot be compiled.
pub fn run_examples(rules: &RuleSet, conditions: &[u64]) -> Result<Vec<ExampleResult>> {
    assert_eq!(rules.examples.len(), conditions.len(), "conditions are evaluated for every example");
    let each = rules.examples.iter().zip(conditions);
    each.map(|(example, conditions)| run_example(rules, example, *conditions)).collect()
}

fn run_example(rules: &RuleSet, example: &Example, conditions: u64) -> Result<ExampleResult> {
    let event = event_of_example(example);
    let length = example.event.milliseconds.unwrap_or(0).clamp(0, LENGTH_MILLISECONDS_MAX) + 86_400_000;
    let span = Span { from: event.start, to: event.start.plus_milliseconds(length) };
    let payer = payer_of_example(example);
    let contacts = ContactList { contacts: vec![payer], hash: Hash::of(b"example") };
    let mut own = rules.clone();
    own.default_tariff = None;
    let compiled = CompiledRules::new(&own, &contacts, Zone::UTC, span)?.learn(std::slice::from_ref(&event));
    let mut state = GroupState::new(&compiled);
    set_counters(&compiled, &mut state, example);
    let mut derivation = Derivation::default();
    let view = EventView { conditions, ..event.view() };
    let mut rated = rate(&compiled, &mut state, view, &mut derivation);
    let components = state.components().to_vec();
    if !components.is_empty() {
        rated.numerator = settle_derivation(&compiled, &state, 0, &components, &mut derivation)?;
    }
    let steps = sentences(&compiled, &derivation);
    let mut differences = Vec::new();
    if let Some(expected) = example.charge {
        let found = compiled.exact(rated.numerator);
        if found != Exact::from_decimal(expected) {
            differences.push(format!("charge: expected {expected}, found {}", found.shortest()));
        }
    }
    if example.disposition.is_some_and(|expected| expected != rated.disposition) {
        let expected = example.disposition.map(|expected| expected.to_string()).unwrap_or_default();
        differences.push(format!("disposition: expected {expected}, found {}", rated.disposition));
    }
    for because in
        example.because.iter().filter(|because| !steps.iter().any(|step| step.contains(because.as_str())))
    {
        differences.push(format!("no step says \"{because}\""));
    }
    Ok(ExampleResult { example: example.clone(), differences, steps })
}

fn set_counters(rules: &CompiledRules, state: &mut GroupState, example: &Example) {
    let Some(at) = rules.version_at(rules.payers[0].tariffs[0], example.event.start) else { return };
    let version = &rules.versions[at];
    let month = rules.month_of(rules.payers[0].zone_index, example.event.start);
    for (name, left) in &example.left {
        if let Some(index) = version.tariff.allowances.iter().position(|allowance| allowance.name == *name) {
            let used = rules.granted(0, month, at, index) - i128::from(*left);
            state.set_used(rules, 0, month, version.counters[index], used);
        }
    }
    for (name, left) in &example.left_amounts {
        let own = version.tariff.allowances.iter().position(|allowance| allowance.name == *name);
        if let Some((index, left)) = own.zip(numerator(*left, 1, rules.denominator).ok()) {
            let used = rules.granted(0, month, at, index) - left;
            state.set_used(rules, 0, month, version.counters[index], used);
        }
    }
    for (name, units) in &example.used {
        let own = |counter: &(String, String)| counter.0 == example.tariff && counter.1 == *name;
        if let Some(counter) = rules.rate_counters.iter().position(own) {
            state.set_counted(rules, 0, month, counter, *units);
        }
    }
}

fn payer_of_example(example: &Example) -> Contact {
    Contact { name: "Example".to_owned(), tariff: Some(example.tariff.clone()), ..Contact::nobody("example") }
}

/// The event that an example describes.
pub fn event_of_example(example: &Example) -> BillableEvent {
    let event = &example.event;
    let text = matches!(event.channel, Channel::Sms | Channel::Mms);
    let party = |ReadNumber { number, country, toll_free }| Party {
        number,
        country,
        toll_free,
        raw: String::new(),
        name: None,
    };
    let segments = event.segments.or(text.then_some(1));
    let coded = event.matter.is_some() || event.timekeeper.is_some();
    BillableEvent {
        id: "example".to_owned(),
        start: event.start,
        channel: event.channel,
        direction: event.direction,
        outcome: event.outcome,
        result: String::new(),
        error_code: event.error_code.clone(),
        from: party(event.from),
        to: party(event.to),
        extension: event.extension,
        extensions: event.extension.into_iter().collect(),
        legs: Vec::new(),
        quantities: LegQuantities::flat(event.milliseconds),
        entries: Vec::new(),
        segments,
        segment_counts: SegmentWays::all(segments),
        pages: event.pages,
        account_code: None,
        contact: Some("example".to_owned()),
        site: None,
        department: None,
        cost_centre: None,
        ringcentral_account: None,
        coding: coded.then(|| Coding {
            matter: event.matter.clone(),
            timekeeper: event.timekeeper.clone(),
            ..Coding::default()
        }),
        carrier_cost: event.carrier_cost,
        message_id: None,
        last_modified: None,
        evidence: Vec::new(),
        remarks: Vec::new(),
    }
}
