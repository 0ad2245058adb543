//! Derivations as sentences, and the examples that tariffs carry.

use crate::domain::charge::Unit;
use crate::domain::contact::{Contact, ContactList};
use crate::domain::derivation::{Derivation, IdentityRule, Step};
use crate::domain::event::{BillableEvent, Coding, EventView, LegQuantities, Party, SegmentWays};
use crate::domain::number::ReadNumber;
use crate::domain::outcome::Channel;
use crate::domain::time::Span;
use crate::domain::{Exact, Hash, Instant, Result, Zone};
use crate::rules::compile::{Clause, CompiledRules, numerator};
use crate::rules::options::ChargeRounding;
use crate::rules::ruleset::{Example, Pricing, RuleSet};

use super::rate::{GroupState, rate, settle_derivation};

/// The steps as sentences, one for each step, in order.
pub fn sentences(rules: &CompiledRules, derivation: &Derivation) -> Vec<String> {
    derivation.steps.iter().map(|step| sentence(rules, step)).collect()
}

fn sentence(rules: &CompiledRules, step: &Step) -> String {
    let amount = |numerator: i128| rules.exact(numerator).shortest();
    match *step {
        Step::Identified { .. } | Step::TariffVersion { .. } | Step::Supplier { .. } | Step::Entry { .. } => {
            who(rules, step)
        }
        Step::Measured { .. }
        | Step::WholeSeconds { .. }
        | Step::Grace { .. }
        | Step::Minimum { .. }
        | Step::Scope { .. }
        | Step::Increments { .. }
        | Step::Counted { .. } => how_much(rules, step),
        Step::Allowance { .. }
        | Step::Credit { .. }
        | Step::Tier { .. }
        | Step::Packages { .. }
        | Step::Cost { .. }
        | Step::Price { .. }
        | Step::Volume { .. } => what_it_costs(rules, step),
        Step::ConnectionFee { numerator, .. } => format!("connection fee: {}", amount(numerator)),
        Step::Discount { before, numerator, .. } => {
            format!("discount: {} → {}", amount(before), amount(numerator))
        }
        Step::Floor { before, numerator, .. } => format!("floor: {} → {}", amount(before), amount(numerator)),
        Step::Cap { before, numerator, .. } => format!("cap: {} → {}", amount(before), amount(numerator)),
        Step::Rounded { clause, before, numerator } => {
            let rounding = rules.versions[rules.clauses[clause as usize].version].tariff.rounding;
            format!(
                "rounded {} to {} decimals ({}): {} → {} (rounding added {})",
                rounding.charge,
                rounding.charge_scale,
                rounding.charge_mode.word(),
                amount(before),
                amount(numerator),
                amount(numerator - before)
            )
        }
        Step::Total { numerator } => format!("charge: {}", amount(numerator)),
        Step::Ended { disposition, reason } => {
            let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!("disposition: {disposition}{reason}")
        }
    }
}

/// Steps that say who pays, and under which tariff.
fn who(rules: &CompiledRules, step: &Step) -> String {
    match *step {
        Step::Identified { rule, payer } => {
            let contact = &rules.terms(payer).contact;
            let how = match rule {
                IdentityRule::Named => rule.phrase().to_owned(),
                _ => format!("found by {}", rule.phrase()),
            };
            format!("payer: {} ({}), {how}", contact.id, contact.name)
        }
        Step::TariffVersion { version } => {
            let tariff = &rules.versions[version].tariff;
            let since = tariff.valid_from.map(|date| format!(", in force since {date}")).unwrap_or_default();
            let charge = match tariff.rounding.charge {
                ChargeRounding::None => String::new(),
                stage => format!(", of charges {stage}"),
            };
            format!(
                "tariff: {}{since}; legs: {}; rounding of lines: {}{charge}",
                tariff.name,
                tariff.legs,
                tariff.rounding.line.word()
            )
        }
        Step::Supplier { version, numerator } => {
            let tariff = &rules.versions[version].tariff.name;
            format!("cost at the supplier's tariff {tariff}: {}", rules.exact(numerator).shortest())
        }
        Step::Entry { entry, extension, matter, timekeeper } => {
            let name = |names: &[String], number: u32| {
                (number as usize).checked_sub(1).and_then(|place| names.get(place).cloned())
            };
            let extension =
                extension.map_or("no extension".to_owned(), |number| format!("extension {number}"));
            let timekeeper = name(&rules.identity.timekeepers, timekeeper);
            let matter = name(&rules.identity.matters, matter);
            let of = timekeeper.map(|id| format!(", timekeeper {id}")).unwrap_or_default();
            let matter = matter.map(|code| format!(", matter {code}")).unwrap_or_default();
            format!("time entry {}: {extension}{of}{matter}", entry + 1)
        }
        _ => String::new(),
    }
}

/// Steps that say how much is billed.
fn how_much(rules: &CompiledRules, step: &Step) -> String {
    let clause_of = |clause: u32| &rules.clauses[clause as usize];
    let seconds = |milliseconds: i64| Exact::new(i128::from(milliseconds), 1000).shortest();
    match *step {
        Step::Measured { milliseconds, without_legs } => {
            let note =
                if without_legs { ", from the record's own duration since it has no legs" } else { "" };
            format!("measured: {} s{note}", seconds(milliseconds))
        }
        Step::WholeSeconds { seconds } => format!("whole seconds, rounded up: {seconds} s"),
        Step::Grace { clause, milliseconds } => {
            let grace = clause_of(clause).rate.grace_milliseconds;
            format!("grace: {} s is within {} s, free", seconds(milliseconds), seconds(grace))
        }
        Step::Minimum { seconds, .. } => format!("minimum: billed as {seconds} s"),
        Step::Scope { clause, milliseconds_before, milliseconds_after, units_before, units_after } => {
            format!(
                "{} sum: {} s before, {} s with it; billed {units_before} s before, {units_after} s with it: {} s",
                clause_of(clause).rate.scope,
                seconds(milliseconds_before),
                seconds(milliseconds_after),
                units_after - units_before
            )
        }
        Step::Increments { clause, unit_from, units, seconds_measured } => {
            let clause = clause_of(clause);
            let (first, next) = (clause.increment.first_seconds, clause.increment.next_seconds);
            let from = if unit_from == 0 { String::new() } else { format!(" from second {unit_from} on") };
            format!(
                "{first}/{next}: {seconds_measured} s → {units} s{from}, at \"{}\"",
                place_of(rules, clause)
            )
        }
        Step::Counted { clause, units } => {
            let clause = clause_of(clause);
            format!(
                "counted: {}, at \"{}\"",
                counted(clause.unit, i128::from(units)),
                place_of(rules, clause)
            )
        }
        _ => String::new(),
    }
}

/// The rate of a clause, with its band and destination.
fn place_of(rules: &CompiledRules, clause: &Clause) -> String {
    let mut text = clause.rate.name.clone();
    if !clause.destination.is_empty() {
        text.push_str(&format!(", {}", clause.destination));
    }
    if let Some(band) = clause.band {
        text.push_str(&format!(", band {}", rules.bands[band]));
    }
    text
}

/// Steps that say what an allowance took and what the rest costs.
fn what_it_costs(rules: &CompiledRules, step: &Step) -> String {
    let amount = |numerator: i128| rules.exact(numerator).shortest();
    let unit_of = |clause: u32| rules.clauses[clause as usize].unit;
    match *step {
        Step::Allowance { counter, left_before, units } => {
            let name = &rules.counters[counter].allowance;
            let after = left_before - units;
            format!("allowance \"{name}\": {left_before} left before, {units} drawn, {after} left")
        }
        Step::Credit { counter, left_before, numerator } => {
            let name = &rules.counters[counter].allowance;
            let (before, after) = (amount(left_before), amount(left_before - numerator));
            format!(
                "allowance \"{name}\": {before} left before, {} taken off, {after} left",
                amount(numerator)
            )
        }
        Step::Tier { clause, tier, units_before, units } => {
            let unit = unit_of(clause);
            let (before, units) = (counted(unit, i128::from(units_before)), counted(unit, i128::from(units)));
            format!("tier {tier}: {before} counted before, {units} in it")
        }
        Step::Packages { clause, units_before, units, packages } => {
            let unit = unit_of(clause);
            let (before, units) = (counted(unit, i128::from(units_before)), counted(unit, i128::from(units)));
            format!("packages: {before} counted before, {units} more open {packages}")
        }
        Step::Cost { cost, .. } => format!("cost: {}", amount(cost)),
        Step::Price { clause, part, units, numerator } => {
            let (text, units) = (price_of(rules, clause, part), counted(unit_of(clause), i128::from(units)));
            format!("price: {units} at {text} = {}", amount(numerator))
        }
        Step::Volume { clause, tier, units_of_period, units, numerator } => {
            let unit = unit_of(clause);
            let (all, units) = (counted(unit, i128::from(units_of_period)), counted(unit, i128::from(units)));
            let text = price_of(rules, clause, tier);
            format!(
                "volume: {all} in the period reach tier {tier}; {units} at {text} = {}",
                amount(numerator)
            )
        }
        _ => String::new(),
    }
}

/// The price of a clause as written: of one of its steps or tiers, from 1, where it has several.
pub fn price_of(rules: &CompiledRules, clause: u32, part: u16) -> String {
    let clause = &rules.clauses[clause as usize];
    let place = usize::from(part).checked_sub(1);
    let text = match (&clause.rate.pricing, place) {
        (Pricing::Steps(steps), Some(place)) => steps.get(place).map(|step| step.price.text.clone()),
        (Pricing::Tiers { tiers, .. }, Some(place)) => tiers.get(place).map(|tier| tier.price.text.clone()),
        _ => None,
    };
    text.unwrap_or_else(|| clause.price_text.to_string())
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

/// Longer than any call; rules are compiled for a span that holds the events with so much room.
const LENGTH_MILLISECONDS_MAX: i64 = 366 * 86_400_000;

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

/// The span a rule set must be compiled for to rate some events: from the first start to the last end.
pub fn span_of<'a>(events: impl Iterator<Item = EventView<'a>>) -> Span {
    let mut span: Option<Span> = None;
    for event in events {
        let length = event
            .quantities
            .master
            .max(event.quantities.customer_facing)
            .unwrap_or(0)
            .clamp(0, LENGTH_MILLISECONDS_MAX);
        let end = event.start.plus_milliseconds(length + 86_400_000);
        span = Some(span.map_or(Span { from: event.start, to: end }, |span| Span {
            from: span.from.min(event.start),
            to: span.to.max(end),
        }));
    }
    span.unwrap_or(Span { from: Instant::from_milliseconds(0), to: Instant::from_milliseconds(1) })
}
