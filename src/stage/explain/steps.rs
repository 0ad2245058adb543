//! Steps for programs: each by its word, its fields by name, and what it adds to the charge; and the options in force.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::domain::Exact;
use crate::domain::charge::Unit;
use crate::domain::derivation::{Derivation, Step};
use crate::domain::disposition::SuspenseReason;
use crate::rules::compile::CompiledRules;
use crate::rules::options::TariffOptions;
use crate::rules::ruleset::{Pricing, Reduction, TariffVersion};

use super::sentences::{name_of, price_of, sentence};

/// One step of a derivation for programs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedStep {
    /// What kind of step it is.
    pub step: &'static str,
    /// What it adds to the charge, in major units; the sum over all steps is the charge.
    pub adds: Exact,
    /// The step as a sentence.
    pub text: String,
    /// Everything the step knows, by name.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

/// One option of a tariff version with its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OptionInForce {
    pub option: &'static str,
    pub value: String,
    /// Whether it is what a tariff has that says nothing.
    pub default: bool,
}

/// A tariff version and all its choices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TariffInForce {
    pub tariff: String,
    /// Its `valid_from`; empty for one that was always in force.
    pub version: String,
    pub options: Vec<OptionInForce>,
}

impl TariffInForce {
    /// The options as lines for people: those that differ from the defaults, or all.
    pub fn lines(&self, all: bool) -> Vec<String> {
        let differing = self.options.iter().filter(|option| all || !option.default);
        let mut lines: Vec<String> = differing
            .map(|option| {
                let note = if all && !option.default { " (not the default)" } else { "" };
                format!("{} = {}{note}", option.option, option.value)
            })
            .collect();
        if !all {
            let left = self.options.iter().filter(|option| option.default).count();
            let all_default = lines.is_empty();
            lines.push(match all_default {
                true => format!("all {left} options have their defaults"),
                false => format!("the other {left} options have their defaults"),
            });
        }
        lines
    }
}

/// All choices of a tariff version: legs, rounding and options.
pub fn tariff_in_force(tariff: &TariffVersion) -> TariffInForce {
    let plain = TariffOptions::default().in_force();
    let mut options = vec![
        choice("legs", tariff.legs.word(), "customer-facing"),
        choice("without_legs", tariff.without_legs.word(), "master"),
        choice("rounding.line", tariff.rounding.line.word(), "half-away"),
        choice("rounding.charge", tariff.rounding.charge.word(), "none"),
    ];
    if tariff.rounding.charge.word() != "none" {
        options.push(choice("rounding.charge_mode", tariff.rounding.charge_mode.word(), "half-away"));
        options.push(choice("rounding.charge_scale", &tariff.rounding.charge_scale.to_string(), ""));
    }
    for ((option, value), (_, usual)) in tariff.options.in_force().into_iter().zip(plain) {
        options.push(choice(option, &value, &usual));
    }
    TariffInForce { tariff: tariff.name.clone(), version: tariff.version_key(), options }
}

fn choice(option: &'static str, value: &str, usual: &str) -> OptionInForce {
    OptionInForce { option, value: value.to_owned(), default: value == usual }
}

/// The tariff versions that a derivation used, in the order of use.
pub fn tariffs_of(derivation: &Derivation) -> Vec<usize> {
    let mut versions = Vec::new();
    for step in &derivation.steps {
        if let Step::TariffVersion { version } | Step::Supplier { version, .. } = step
            && !versions.contains(version)
        {
            versions.push(*version);
        }
    }
    versions
}

/// All steps of a derivation with their fields.
pub fn explained_steps(rules: &CompiledRules, derivation: &Derivation) -> Vec<ExplainedStep> {
    let explained = |step: &Step| ExplainedStep {
        step: step.word(),
        adds: rules.exact(step.adds()),
        text: sentence(rules, step),
        fields: match fields(rules, step) {
            Value::Object(fields) => fields,
            _ => Map::new(),
        },
    };
    derivation.steps.iter().map(explained).collect()
}

/// An amount as an exact ratio and as a decimal (of twelve digits where none is exact).
fn amount(rules: &CompiledRules, numerator: i128) -> Value {
    let exact = rules.exact(numerator);
    let shortest = exact.shortest();
    let decimal = if shortest.contains('/') { exact.digits(12) } else { shortest };
    json!({ "exact": exact, "decimal": decimal })
}

fn fields(rules: &CompiledRules, step: &Step) -> Value {
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
        Step::Allowance { counter, left_before, units } => json!({
            "allowance": rules.counters[counter].allowance, "tariff": rules.counters[counter].tariff,
            "shared": rules.counters[counter].shared,
            "before": left_before, "units": units, "after": left_before - units,
        }),
        Step::Credit { counter, left_before, numerator } => json!({
            "allowance": rules.counters[counter].allowance, "tariff": rules.counters[counter].tariff,
            "shared": rules.counters[counter].shared, "before": amount(rules, left_before),
            "amount": amount(rules, numerator), "after": amount(rules, left_before - numerator),
        }),
        Step::Tier { clause, tier, units_before, units } => with_clause(
            rules,
            clause,
            json!({ "tier": tier, "before": units_before, "units": units, "after": units_before + units }),
        ),
        Step::Packages { clause, units_before, units, packages } => with_clause(
            rules,
            clause,
            json!({ "before": units_before, "units": units, "after": units_before + units, "packages": packages }),
        ),
        Step::Cost { clause, cost } => with_clause(rules, clause, json!({ "amount": amount(rules, cost) })),
        Step::Price { clause, part, units, numerator } => {
            let pricing = &rules.clauses[clause as usize].rate.pricing;
            let tier = matches!(pricing, Pricing::Tiers { .. }).then_some(part);
            let position = matches!(pricing, Pricing::Steps(_)).then_some(part);
            let price = price_of(rules, clause, part);
            let value = json!({
                "price": price, "tier": tier, "position": position, "units": units,
                "amount": amount(rules, numerator),
            });
            with_clause(rules, clause, value)
        }
        Step::Volume { clause, tier, units_of_period, units, numerator } => with_clause(
            rules,
            clause,
            json!({
                "tier": tier, "price": price_of(rules, clause, tier), "units_of_period": units_of_period,
                "units": units, "amount": amount(rules, numerator),
            }),
        ),
        Step::ConnectionFee { clause, numerator } => {
            with_clause(rules, clause, json!({ "amount": amount(rules, numerator) }))
        }
        Step::Discount { clause, before, numerator }
        | Step::Floor { clause, before, numerator }
        | Step::Cap { clause, before, numerator }
        | Step::Rounded { clause, before, numerator } => changed(rules, step, clause, (before, numerator)),
        Step::OtherMonths { before, numerator } => {
            json!({ "before": amount(rules, before), "after": amount(rules, numerator) })
        }
        Step::Withdrawn { numerator } | Step::Total { numerator } => {
            json!({ "amount": amount(rules, numerator) })
        }
        Step::Ended { disposition, reason } => json!({
            "disposition": disposition, "reason": reason, "remedy": reason.map(SuspenseReason::remedy),
        }),
    }
}

/// A change of the whole charge from one amount to another.
fn changed(rules: &CompiledRules, step: &Step, clause: u32, (before, after): (i128, i128)) -> Value {
    let mut value = json!({ "before": amount(rules, before), "after": amount(rules, after) });
    let of = &rules.clauses[clause as usize];
    match step {
        Step::Discount { .. } => {
            value["discount"] = json!(of.rate.discount.map(|discount| match discount {
                Reduction::Percent(percent) => format!("{percent}%"),
                Reduction::Amount(amount) => amount.to_string(),
            }));
        }
        Step::Rounded { .. } => {
            let rounding = rules.versions[of.version].tariff.rounding;
            value["stage"] = json!(rounding.charge);
            value["mode"] = json!(rounding.charge_mode.word());
            value["scale"] = json!(rounding.charge_scale);
            value["residual"] = amount(rules, after - before);
        }
        _ => {}
    }
    with_clause(rules, clause, value)
}

/// Adds where the clause stands: tariff, version, rate, band, destination, unit.
fn with_clause(rules: &CompiledRules, clause: u32, mut value: Value) -> Value {
    let clause = &rules.clauses[clause as usize];
    let tariff = &rules.versions[clause.version].tariff;
    value["tariff"] = json!(tariff.name);
    value["tariff_version"] = json!(tariff.version_key());
    value["clause"] = json!(clause.rate.name);
    value["band"] = json!(clause.band.map(|band| rules.bands[band].as_str()));
    value["destination"] = json!(Some(&*clause.destination).filter(|name| !name.is_empty()));
    value["unit"] = json!(clause.unit);
    value
}

fn who(rules: &CompiledRules, step: &Step) -> Value {
    match *step {
        Step::Identified { rule, payer } => {
            let contact = &rules.terms(payer).contact;
            json!({ "rule": rule, "contact": contact.id, "name": contact.name })
        }
        Step::TariffVersion { version } => {
            let tariff = &rules.versions[version].tariff;
            json!({ "tariff": tariff.name, "tariff_version": tariff.version_key(), "legs": tariff.legs })
        }
        Step::Supplier { version, numerator } => {
            let tariff = &rules.versions[version].tariff;
            json!({
                "tariff": tariff.name, "tariff_version": tariff.version_key(),
                "amount": amount(rules, numerator),
            })
        }
        Step::Entry { entry, extension, matter, timekeeper } => json!({
            "entry": entry, "extension": extension,
            "matter": name_of(&rules.identity.matters, matter),
            "timekeeper": name_of(&rules.identity.timekeepers, timekeeper),
        }),
        _ => Value::Null,
    }
}

fn how_much(rules: &CompiledRules, step: &Step) -> Value {
    match *step {
        Step::Measured { milliseconds, without_legs } => {
            json!({ "milliseconds": milliseconds, "without_legs": without_legs })
        }
        Step::WholeSeconds { seconds } => json!({ "units": seconds, "unit": Unit::Second }),
        Step::Grace { clause, milliseconds } => {
            let grace = rules.clauses[clause as usize].rate.grace_milliseconds;
            with_clause(rules, clause, json!({ "milliseconds": milliseconds, "grace_milliseconds": grace }))
        }
        Step::Minimum { clause, seconds } => with_clause(rules, clause, json!({ "units": seconds })),
        Step::Scope { clause, milliseconds_before, milliseconds_after, units_before, units_after } => {
            with_clause(
                rules,
                clause,
                json!({
                    "scope": rules.clauses[clause as usize].rate.scope,
                    "milliseconds_before": milliseconds_before, "milliseconds_after": milliseconds_after,
                    "before": units_before, "after": units_after, "units": units_after - units_before,
                }),
            )
        }
        Step::Increments { clause, unit_from, units, seconds_measured } => {
            let increment = rules.clauses[clause as usize].increment;
            with_clause(
                rules,
                clause,
                json!({
                    "first_seconds": increment.first_seconds, "next_seconds": increment.next_seconds,
                    "unit_from": unit_from, "units": units, "seconds_measured": seconds_measured,
                }),
            )
        }
        Step::Counted { clause, units } => with_clause(rules, clause, json!({ "units": units })),
        _ => Value::Null,
    }
}
