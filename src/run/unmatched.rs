//! Usage that belongs to no contact: what the default tariff would charge for it, how old it is, whose it could be.

use crate::domain::contact::{Contact, ContactList};
use crate::domain::derivation::IdentityRule;
use crate::domain::disposition::{EventDisposition, SuspenseReason};
use crate::domain::event::BillableEvent;
use crate::domain::{Exact, Hash, Result, Zone};
use crate::output::unmatched::{UnmatchedEvent, UnmatchedUsage};
use crate::rules::{CompiledRules, RuleSet};
use crate::stage::explain::span_of;
use crate::stage::suggest::History;

use super::bill::BillingRun;
use super::rating::rate_all;
use super::workspace::Workspace;

/// The contact in whose place unmatched usage is valued; it stands in no list and on no document.
const STAND_IN: &str = "unmatched";

/// The value of an event at the default tariff, or the word for why there is none.
type Value = std::result::Result<Exact, &'static str>;

/// The unmatched usage of a run's period.
///
/// # Errors
/// Amounts beyond 128 bits, sums that differ (exit 7).
pub(super) fn unmatched(run: &BillingRun, workspace: &Workspace) -> Result<UnmatchedUsage> {
    let all = &run.facts.mediated.events;
    let is_unmatched = |place: &usize| run.dispositions[*place].0 == EventDisposition::Unmatched;
    let places: Vec<usize> = (0..all.len()).filter(is_unmatched).collect();
    if places.is_empty() {
        return Ok(UnmatchedUsage::default());
    }
    let currency = workspace
        .rules
        .default_tariff
        .as_ref()
        .and_then(|name| workspace.rules.tariffs.iter().find(|tariff| tariff.name == *name))
        .map(|tariff| tariff.currency);
    let values = values(&workspace.rules, workspace.config.zone, places.iter().map(|place| &all[*place]))?;
    let history = History::new(&run.rules, all, &run.rating.rated);
    let events = places.iter().zip(values).map(|(place, value)| {
        let event = &all[*place];
        let suggestions = history.suggest(event).into_iter().map(|suggestion| {
            (run.rules.payers[suggestion.payer as usize].contact.id.clone(), suggestion.reason)
        });
        let day = run.period.zone.local(event.start).date();
        UnmatchedEvent {
            id: event.id.clone(),
            start: run.period.zone.show(event.start),
            days: (run.period.last_day - day).num_days() + 1,
            channel: event.channel,
            direction: event.direction,
            number: event.other_party().number.to_string(),
            name: event.other_party().name.clone(),
            extension: event.extension,
            milliseconds: run.rating.rated[*place].measured.milliseconds,
            segments: event.segments,
            pages: event.pages,
            value: value.ok(),
            reason: value.err().unwrap_or_default(),
            suggestions: suggestions.collect(),
        }
    });
    Ok(UnmatchedUsage { currency, events: events.collect() })
}

/// What the default tariff would charge for each event, in their order, before any allowance: the same pricing code, with
/// one contact that has the default tariff and nothing else. Without a default tariff there are no values.
fn values<'a>(
    rules: &RuleSet,
    home: Zone,
    events: impl Iterator<Item = &'a BillableEvent>,
) -> Result<Vec<Value>> {
    let named = |event: &BillableEvent| BillableEvent { contact: Some(STAND_IN.to_owned()), ..event.clone() };
    let events: Vec<BillableEvent> = events.map(named).collect();
    if rules.default_tariff.is_none() {
        return Ok(vec![Err("no-default-tariff"); events.len()]);
    }
    let mut rules = rules.clone();
    rules.identity_order = vec![IdentityRule::Named];
    for tariff in &mut rules.tariffs {
        tariff.allowances.clear();
    }
    let contacts =
        ContactList { contacts: vec![Contact::nobody(STAND_IN)], hash: Hash::of(STAND_IN.as_bytes()) };
    let span = span_of(events.iter().map(BillableEvent::view));
    let compiled = CompiledRules::new(&rules, &contacts, home, span)?.learn(&events);
    let run = rate_all(&compiled, &events)?;
    let mut values: Vec<Value> = run
        .rated
        .iter()
        .map(|rated| match (rated.disposition, rated.reason) {
            (EventDisposition::Suspended, reason) => Err(reason.map_or("suspended", SuspenseReason::word)),
            _ => Ok(compiled.exact(rated.numerator)),
        })
        .collect();
    for (place, charge) in &run.charges {
        let parts = charge.components.iter().map(|component| compiled.exact(component.numerator));
        values[*place] = Ok(parts.into_iter().try_fold(Exact::ZERO, Exact::plus)?);
    }
    Ok(values)
}
