//! Derivations as sentences, and the examples that tariffs carry.

use crate::domain::charge::Unit;
use crate::domain::contact::{Contact, ContactList};
use crate::domain::derivation::{Derivation, IdentityRule, Step};
use crate::domain::event::{CodingView, EventView, LegQuantities, SegmentWays};
use crate::domain::number::NumberClass;
use crate::domain::outcome::Channel;
use crate::domain::time::Span;
use crate::domain::{Exact, Hash, Instant, Result, Zone};
use crate::rules::compile::CompiledRules;
use crate::rules::ruleset::{Example, RuleSet};

use super::rate::{GroupState, rate};

/// The steps as sentences, one for each step, in order.
pub fn sentences(rules: &CompiledRules, derivation: &Derivation) -> Vec<String> {
    derivation.steps.iter().map(|step| sentence(rules, step)).collect()
}

fn sentence(rules: &CompiledRules, step: &Step) -> String {
    let amount = |numerator: i128| rules.exact(numerator).shortest();
    let rate_of = |clause: u32| &rules.clauses[clause as usize].rate;
    match *step {
        Step::Identified { rule, payer } => {
            let contact = &rules.payers[payer as usize].contact;
            let how = match rule {
                IdentityRule::Named => rule.phrase().to_owned(),
                _ => format!("found by {}", rule.phrase()),
            };
            format!("payer: {} ({}), {how}", contact.id, contact.name)
        }
        Step::TariffVersion { version } => {
            let tariff = &rules.versions[version].tariff;
            let since = tariff.valid_from.map(|date| format!(", in force since {date}")).unwrap_or_default();
            format!(
                "tariff: {}{since}; legs: {}; line rounding: {}",
                tariff.name,
                tariff.legs,
                tariff.rounding.line.word()
            )
        }
        Step::Measured { milliseconds, without_legs } => {
            let note =
                if without_legs { ", from the record's own duration since it has no legs" } else { "" };
            format!("measured: {} s{note}", Exact::new(i128::from(milliseconds), 1000).shortest())
        }
        Step::WholeSeconds { seconds } => format!("whole seconds, rounded up: {seconds} s"),
        Step::Increments { clause, unit_from, units, seconds_measured } => {
            let rate = rate_of(clause);
            let (first, next) = (rate.increment.first_seconds, rate.increment.next_seconds);
            let from = if unit_from == 0 { String::new() } else { format!(" from second {unit_from} on") };
            format!("{first}/{next}: {seconds_measured} s → {units} s{from}, at \"{}\"", rate.name)
        }
        Step::Counted { clause, units } => {
            let rate = rate_of(clause);
            format!("counted: {}, at \"{}\"", counted(rate.price.unit, i128::from(units)), rate.name)
        }
        Step::Allowance { counter, left_before, units } => {
            let (_, name) = &rules.counters[counter];
            format!("allowance \"{name}\": {left_before} left before, {units} drawn")
        }
        Step::Price { clause, units, numerator, .. } => {
            let price = &rate_of(clause).price;
            format!(
                "price: {} at {} = {}",
                counted(price.unit, i128::from(units)),
                price.text,
                amount(numerator)
            )
        }
        Step::ConnectionFee { numerator, .. } => format!("connection fee: {}", amount(numerator)),
        Step::Floor { before, numerator, .. } => format!("floor: {} → {}", amount(before), amount(numerator)),
        Step::Cap { before, numerator, .. } => format!("cap: {} → {}", amount(before), amount(numerator)),
        Step::Supplier { .. }
        | Step::Entry { .. }
        | Step::Grace { .. }
        | Step::Minimum { .. }
        | Step::Scope { .. }
        | Step::Tier { .. }
        | Step::Packages { .. }
        | Step::Cost { .. }
        | Step::Volume { .. }
        | Step::Discount { .. }
        | Step::Rounded { .. }
        | Step::Credit { .. } => String::new(),
        Step::Total { numerator } => format!("charge: {}", amount(numerator)),
        Step::Ended { disposition, reason } => {
            let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!("disposition: {disposition}{reason}")
        }
    }
}

/// `66 s`, `1 page`, `3 segments`.
pub fn counted(unit: Unit, count: i128) -> String {
    match (unit, count) {
        (Unit::Second, _) => format!("{count} s"),
        (unit, 1) => format!("1 {unit}"),
        (unit, _) => format!("{count} {unit}s"),
    }
}

/// `1 record`, `2 records`.
pub fn counted_noun(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// What an example gave against what it expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleResult {
    pub example: Example,
    /// What differs, as sentences; empty when the example holds.
    pub differences: Vec<String>,
    pub steps: Vec<String>,
}

/// Runs all examples of a rule set.
///
/// # Errors
/// Rules that cannot be compiled.
pub fn run_examples(rules: &RuleSet) -> Result<Vec<ExampleResult>> {
    rules.examples.iter().map(|example| run_example(rules, example)).collect()
}

fn run_example(rules: &RuleSet, example: &Example) -> Result<ExampleResult> {
    let event = &example.event;
    let length = event.milliseconds.unwrap_or(0).saturating_add(86_400_000);
    let span = Span { from: event.start, to: event.start.plus_milliseconds(length) };
    let payer = payer_of_example(example);
    let contacts = ContactList { contacts: vec![payer], hash: Hash::of(b"example") };
    let mut own = rules.clone();
    own.default_tariff = None;
    let compiled = CompiledRules::new(&own, &contacts, Zone::UTC, span)?;
    let mut state = GroupState::new(&compiled);
    set_allowances(&compiled, &mut state, example);
    let mut derivation = Derivation::default();
    let rated = rate(&compiled, &mut state, view(example), &mut derivation);
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

fn set_allowances(rules: &CompiledRules, state: &mut GroupState, example: &Example) {
    let Some(version) = rules.version_at(rules.payers[0].tariffs[0], example.event.start) else { return };
    let version = &rules.versions[version];
    let month = rules.month_of(rules.payers[0].zone_index, example.event.start);
    for (name, left) in &example.left {
        if let Some(index) = version.tariff.allowances.iter().position(|allowance| allowance.name == *name) {
            let used = version.tariff.allowances[index].grants - left;
            state.set_used(rules, 0, month, version.counters[index], used);
        }
    }
}

fn payer_of_example(example: &Example) -> Contact {
    Contact {
        id: "example".to_owned(),
        name: "Example".to_owned(),
        address: Vec::new(),
        email: None,
        numbers: Vec::new(),
        prefixes: Vec::new(),
        extensions: Vec::new(),
        account_codes: Vec::new(),
        matters: Vec::new(),
        departments: Vec::new(),
        sites: Vec::new(),
        cost_centres: Vec::new(),
        ringcentral_accounts: Vec::new(),
        account: None,
        pool: None,
        tariff: Some(example.tariff.clone()),
        currency: None,
        zone: None,
        tax: None,
        valid: Span::ALWAYS,
        do_not_bill: false,
        line: 0,
    }
}

fn view(example: &Example) -> EventView<'_> {
    let event = &example.event;
    let text = matches!(event.channel, Channel::Sms | Channel::Mms);
    EventView {
        id: "example",
        start: event.start,
        channel: event.channel,
        direction: event.direction,
        outcome: event.outcome,
        from: event.from.0,
        to: event.to.0,
        from_country: event.from.1,
        to_country: event.to.1,
        extension: None,
        account_code: None,
        contact: Some("example"),
        from_class: NumberClass::of(event.from.0, false),
        to_class: NumberClass::of(event.to.0, false),
        site: None,
        department: None,
        cost_centre: None,
        ringcentral_account: None,
        coding: CodingView {
            matter: event.matter.as_deref(),
            timekeeper: event.timekeeper.as_deref(),
            ..CodingView::default()
        },
        error_code: event.error_code.as_deref(),
        carrier_cost: event.carrier_cost,
        last_modified: None,
        conditions: 0,
        entries: &[],
        quantities: LegQuantities::flat(event.milliseconds),
        segments: event.segments.or(text.then_some(1)),
        segment_counts: SegmentWays::all(event.segments.or(text.then_some(1))),
        pages: event.pages,
    }
}

/// The span a rule set must be compiled for to rate some events: from the first start to the last end.
pub fn span_of<'a>(events: impl Iterator<Item = EventView<'a>>) -> Span {
    let mut span: Option<Span> = None;
    for event in events {
        let length = event
            .quantities
            .master
            .max(event.quantities.customer_facing)
            .unwrap_or(0)
            .clamp(0, 366 * 86_400_000);
        let end = event.start.plus_milliseconds(length + 86_400_000);
        span = Some(span.map_or(Span { from: event.start, to: end }, |span| Span {
            from: span.from.min(event.start),
            to: span.to.max(end),
        }));
    }
    span.unwrap_or(Span { from: Instant::from_milliseconds(0), to: Instant::from_milliseconds(1) })
}
