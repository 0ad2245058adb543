//! What a coding sheet proposes for an event: the rules of the rule files, the account code, the timekeeper of the
//! extension. A proposal prices nothing.

use crate::domain::Country;
use crate::domain::event::{Coding, EventView};
use crate::domain::number::PartyNumber;
use crate::rules::compile::CompiledRules;
use crate::rules::ruleset::{CodingRule, Match, Place};

use super::identify::{Found, timekeeper};

/// What is proposed for an event that nobody coded yet. What the source says stands before what an account code names,
/// and that before the first rule that fits and says something. `found` is who pays without a coding sheet; `bands` are
/// the bands that hold at the start of the event, a bit for each.
pub fn propose(
    rules: &CompiledRules,
    coding_rules: &[CodingRule],
    event: &EventView<'_>,
    found: Option<&Found>,
    bands: u64,
) -> Coding {
    let own = event.coding;
    let index = &rules.identity;
    let text = |text: Option<&str>| text.map(str::to_owned);
    let name = |names: &[String], number: u32| {
        number.checked_sub(1).and_then(|place| names.get(place as usize)).cloned()
    };
    let matter = found.and_then(|found| name(&index.matters, found.matter));
    let person = name(&index.timekeepers, timekeeper(index, event, event.extension, event.start));
    let mut coding = Coding {
        contact: text(own.contact),
        matter: text(own.matter).or(matter),
        timekeeper: text(own.timekeeper).or(person),
        task: text(own.task),
        narrative: None,
    };
    for rule in coding_rules {
        let named = (coding.matter.as_deref(), coding.timekeeper.as_deref(), coding.task.as_deref());
        if !fits(&rule.matches, event, named, bands) {
            continue;
        }
        for (slot, proposed) in [
            (&mut coding.contact, &rule.contact),
            (&mut coding.matter, &rule.matter),
            (&mut coding.timekeeper, &rule.timekeeper),
            (&mut coding.task, &rule.task),
            (&mut coding.narrative, &rule.narrative),
        ] {
            if slot.is_none() {
                slot.clone_from(proposed);
            }
        }
    }
    coding
}

/// Whether the conditions of a rule hold for an event with the matter, timekeeper and task it has so far.
fn fits(
    matches: &Match,
    event: &EventView<'_>,
    (matter, person, task): (Option<&str>, Option<&str>, Option<&str>),
    bands: u64,
) -> bool {
    let one = |list: &[String], value: Option<&str>| {
        list.is_empty() || value.is_some_and(|value| list.iter().any(|item| item == value))
    };
    let is_in = |places: &[Place], number: PartyNumber, country: Option<Country>| {
        places.is_empty()
            || places.iter().any(|place| match place {
                Place::Country(wanted) => country == Some(*wanted),
                Place::Prefix(prefix) => {
                    number.e164().is_some_and(|digits| digits.to_string().starts_with(prefix.as_str()))
                }
            })
    };
    let code = event.error_code;
    (matches.channels.is_empty() || matches.channels.contains(&event.channel))
        && (matches.directions.is_empty() || matches.directions.contains(&event.direction))
        && is_in(&matches.to, event.to, event.to_country)
        && is_in(&matches.from, event.from, event.from_country)
        && (matches.to_classes.is_empty() || matches.to_classes.contains(&event.to_class))
        && (matches.from_classes.is_empty() || matches.from_classes.contains(&event.from_class))
        && (matches.extensions.is_empty()
            || event.extension.is_some_and(|extension| matches.extensions.contains(&extension)))
        && one(&matches.departments, event.department)
        && one(&matches.sites, event.site)
        && one(&matches.cost_centres, event.cost_centre)
        && one(&matches.matters, matter)
        && one(&matches.timekeepers, person)
        && one(&matches.tasks, task)
        && (matches.outcomes.is_empty() || matches.outcomes.contains(&event.outcome))
        && (matches.error_codes.is_empty()
            || code.is_some_and(|code| matches.error_codes.iter().any(|pattern| pattern.fits(code))))
        && (matches.bands.is_empty() || matches.bands.iter().any(|band| bands & (1 << band) != 0))
        && matches.condition.is_none_or(|condition| event.conditions & (1 << condition) != 0)
}
