//! The annex: each event on each line it was charged to, with what was measured beside what is billed.

use std::collections::BTreeMap;

use crate::domain::charge::{Component, ComponentKind, Unit};
use crate::domain::document::{AnnexRow, InvoiceLine};
use crate::domain::event::BillableEvent;
use crate::domain::{Exit, Failure, PartyNumber, Result, Zone};
use crate::rules::compile::CompiledRules;
use crate::rules::options::PeriodBy;
use crate::rules::ruleset::LegPolicy;
use crate::stage::rate::{LineSlot, slot_of};

use super::Charged;
use super::lines::line_key;

/// The part of an event's charge that stands in one row: one line, one time entry.
type Part = (LineSlot, u16);

/// The rows of a payer's events, in the order of the events, then of the lines; the lines get the sums of what was
/// measured.
pub(super) fn rows(
    rules: &CompiledRules,
    (payer, month): (u32, u32),
    charged: &[&Charged<'_>],
    numbers: &BTreeMap<LineSlot, u32>,
    lines: &mut [InvoiceLine],
) -> Result<Vec<AnnexRow>> {
    let zone = rules.payers[payer as usize].zone;
    let mut rows = Vec::new();
    for item in charged {
        let measured = measured(rules, item, month);
        let own = item.charge.components.iter().filter(|component| component.month == month);
        let mut parts: Vec<Part> = own.map(|component| (slot_of(component), component.entry)).collect();
        parts.sort_unstable_by_key(|(slot, entry)| (numbers.get(slot), *entry));
        parts.dedup();
        for part in parts {
            let missing = || {
                let event = &item.event.id;
                Failure::new(Exit::Bug, format!("event {event} is charged to a line that does not exist"))
            };
            let number = *numbers.get(&part.0).ok_or_else(missing)?;
            let units = measured.get(&part).copied().unwrap_or(0);
            let line = &mut lines[number as usize - 1];
            if !matches!(line.unit, Unit::Amount | Unit::Event) {
                line.units_measured = Some(line.units_measured.unwrap_or(0) + i128::from(units));
            }
            rows.push(row(rules, zone, item, (part, month), number, units));
        }
    }
    Ok(rows)
}

fn row(
    rules: &CompiledRules,
    zone: Zone,
    item: &Charged<'_>,
    (part, month): (Part, u32),
    line: u32,
    measured: i64,
) -> AnnexRow {
    let event = item.event;
    let key = line_key(rules, part.0);
    let own: Vec<&Component> = item
        .charge
        .components
        .iter()
        .filter(|component| component.month == month && (slot_of(component), component.entry) == part)
        .collect();
    let by_person =
        own.first().is_some_and(|component| legs(rules, component.clause) == LegPolicy::TimekeeperLeg);
    let entry = event.entries.get(usize::from(part.1)).filter(|_| by_person);
    let extension = entry.map_or(event.extension, |entry| entry.extension);
    AnnexRow {
        event_id: event.id.clone(),
        start: zone.show(event.start),
        channel: event.channel.to_string(),
        direction: event.direction.to_string(),
        from: party_text(event.from.number, &event.from.raw),
        to: party_text(event.to.number, &event.to.raw),
        extension: extension.map(|extension| extension.to_string()).unwrap_or_default(),
        outcome: event.outcome.to_string(),
        line,
        clause: key.clause,
        band: key.band,
        destination: key.destination,
        tier: key.tier,
        matter: key.matter,
        timekeeper: key.timekeeper,
        entry: part.1,
        measured: measured.to_string(),
        units_billed: own.iter().map(|component| component.units).sum(),
        unit: own.first().map_or(Unit::Call, |component| component.unit),
        exact: rules.exact(own.iter().map(|component| component.numerator).sum()),
        remarks: event.remarks.join(" "),
    }
}

fn legs(rules: &CompiledRules, clause: u32) -> LegPolicy {
    rules.versions[rules.clauses[clause as usize].version].tariff.legs
}

/// What was measured of each part. The seconds of an entry go to its components from the front; what increments never
/// billed stays with the last.
fn measured(rules: &CompiledRules, item: &Charged<'_>, month: u32) -> BTreeMap<Part, i64> {
    let mut left: BTreeMap<u16, i64> = BTreeMap::new();
    let mut measured: BTreeMap<Part, i64> = BTreeMap::new();
    let counts = |component: &&Component| {
        matches!(component.kind, ComponentKind::Usage | ComponentKind::Allowance)
            && component.unit != Unit::Amount
    };
    let mut parts: Vec<&Component> = item.charge.components.iter().filter(counts).collect();
    parts.sort_by_key(|component| (component.entry, component.unit_from));
    for (index, component) in parts.iter().enumerate() {
        let part = (slot_of(component), component.entry);
        if component.unit != Unit::Second {
            let units = if component.month == month { component.units } else { 0 };
            *measured.entry(part).or_default() += units;
            continue;
        }
        let whole = || seconds(rules, item.event, component.clause, component.entry);
        let rest = left.entry(component.entry).or_insert_with(whole);
        let is_last = parts.get(index + 1).is_none_or(|next| next.entry != component.entry);
        let version = rules.clauses[component.clause as usize].version;
        let taken = match rules.versions[version].tariff.options.period_by {
            // Parts of other months may be missing here: each part knows where in the entry it begins.
            PeriodBy::Split => (whole() - component.unit_from).clamp(0, component.units),
            _ if is_last => *rest,
            _ => component.units.min(*rest),
        };
        *rest = rest.saturating_sub(taken);
        if component.month == month {
            *measured.entry(part).or_default() += taken;
        }
    }
    measured
}

/// The seconds of an entry as the pricing code measured them: by the leg policy, rounded up.
fn seconds(rules: &CompiledRules, event: &BillableEvent, clause: u32, entry: u16) -> i64 {
    let quantities = &event.quantities;
    let milliseconds = match legs(rules, clause) {
        _ if quantities.without_legs => quantities.master,
        LegPolicy::Master => quantities.master,
        LegPolicy::CustomerFacing => quantities.customer_facing,
        LegPolicy::TimekeeperLeg => match event.entries.get(usize::from(entry)) {
            Some(entry) => Some(entry.milliseconds),
            None => quantities.customer_facing,
        },
        LegPolicy::EstimatedTalk => quantities.estimated_talk,
        LegPolicy::LongestLeg => quantities.longest_leg,
        LegPolicy::FirstAnswered => quantities.first_answered,
        LegPolicy::SumOfLegs => quantities.sum_of_legs,
    };
    milliseconds.map_or(0, |milliseconds| milliseconds.saturating_add(999) / 1000)
}

fn party_text(number: PartyNumber, raw: &str) -> String {
    match number {
        PartyNumber::Unparseable => raw.to_owned(),
        number => number.to_string(),
    }
}
