//! Whose could unmatched usage be? Proposals with their reasons, from what the rules found for other usage and from the
//! contact list. Nothing is ever assigned by them.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::event::BillableEvent;
use crate::domain::outcome::Direction;
use crate::rules::compile::CompiledRules;
use crate::rules::table::near;

use super::rate::Rated;

/// The most contacts proposed for one event.
const SUGGESTIONS_MAX: usize = 3;

/// Fewer events of an extension than this show no pattern.
const PATTERN_EVENTS_MIN: u64 = 2;

/// A caller's name or its part must have so many letters and digits to speak for somebody.
const NAME_LETTERS_MIN: usize = 5;

/// The last digits of a number, in which numbers of one subscriber differ.
const SUBSCRIBER_DIGITS: u32 = 4;

/// A contact that usage could belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Index of the contact in the contact list.
    pub payer: u32,
    pub reason: String,
}

/// What is known of the matched usage.
pub struct History<'a> {
    rules: &'a CompiledRules,
    /// Events of each other party's number by payer and the rule that found it.
    by_number: BTreeMap<u64, BTreeMap<(u32, &'static str), u64>>,
    by_extension: BTreeMap<u64, BTreeMap<u32, u64>>,
    /// Payers by the leading digits that their numbers have in common with others.
    by_head: BTreeMap<u64, BTreeSet<u32>>,
    /// Names of contacts, letters and digits only.
    names: Vec<String>,
}

impl<'a> History<'a> {
    /// Gathers what was found for some events.
    pub fn new(rules: &'a CompiledRules, events: &[BillableEvent], rated: &[Rated]) -> History<'a> {
        let mut history = History {
            rules,
            by_number: BTreeMap::new(),
            by_extension: BTreeMap::new(),
            by_head: BTreeMap::new(),
            names: rules.payers.iter().map(|payer| letters(&payer.contact.name)).collect(),
        };
        for (event, rated) in events.iter().zip(rated) {
            let (Some(payer), Some(rule)) = (rated.payer, rated.identity) else { continue };
            if let Some(number) = other_number(event) {
                let known = history.by_number.entry(number).or_default();
                *known.entry((payer, rule.phrase())).or_default() += 1;
            }
            if let Some(extension) = event.extension {
                *history.by_extension.entry(extension).or_default().entry(payer).or_default() += 1;
            }
        }
        for (payer, terms) in (0..).zip(&rules.payers) {
            for claim in &terms.contact.numbers {
                history.by_head.entry(head(claim.value)).or_default().insert(payer);
            }
        }
        history
    }

    /// The contacts an unmatched event could belong to, the best reason first, each once.
    pub fn suggest(&self, event: &BillableEvent) -> Vec<Suggestion> {
        let mut found: Vec<Suggestion> = Vec::new();
        self.add_same_number(event, &mut found);
        self.add_earlier_claims(event, &mut found);
        self.add_names(event, &mut found);
        self.add_extension(event, &mut found);
        self.add_alike(event, &mut found);
        let mut seen = BTreeSet::new();
        found.retain(|suggestion| seen.insert(suggestion.payer));
        found.truncate(SUGGESTIONS_MAX);
        found
    }

    /// Other usage of the same number was matched by another rule.
    fn add_same_number(&self, event: &BillableEvent, found: &mut Vec<Suggestion>) {
        let Some(known) = other_number(event).and_then(|number| self.by_number.get(&number)) else { return };
        let mut known: Vec<_> = known.iter().collect();
        known.sort_by_key(|((payer, rule), count)| (std::cmp::Reverse(**count), *payer, *rule));
        for ((payer, rule), count) in known {
            let events = if *count == 1 { "event".to_owned() } else { format!("{count} events") };
            let reason = format!("other usage of the same number is its ({events}, found by {rule})");
            found.push(Suggestion { payer: *payer, reason });
        }
    }

    /// The number, or the extension, is claimed at another time.
    fn add_earlier_claims(&self, event: &BillableEvent, found: &mut Vec<Suggestion>) {
        let identity = &self.rules.identity;
        let number = other_number(event).and_then(|number| identity.numbers.get(&number));
        let own = match event.direction {
            Direction::Inbound => event.to.number.e164().and_then(|number| identity.numbers.get(&number)),
            _ => None,
        };
        let extension = event.extension.and_then(|extension| identity.extensions.get(&extension));
        let what =
            [("the other party's number", number), ("the dialled number", own), ("the extension", extension)];
        for (what, claims) in what {
            for (span, payer) in claims.into_iter().flatten() {
                let when = if span.to <= event.start { "until before" } else { "only since after" };
                let reason = format!("{what} is its at another time ({when} the event)");
                found.push(Suggestion { payer: *payer, reason });
            }
        }
    }

    /// The other party bears the name of a contact, or nearly so. Exchanges cut names short.
    fn add_names(&self, event: &BillableEvent, found: &mut Vec<Suggestion>) {
        let Some(name) = event.other_party().name.as_deref() else { return };
        let caller = letters(name);
        if caller.len() < NAME_LETTERS_MIN {
            return;
        }
        let equal = |contact: &String| *contact == caller;
        let alike = |contact: &String| {
            let cut = contact.len() >= NAME_LETTERS_MIN
                && (contact.starts_with(&caller) || caller.starts_with(contact.as_str()));
            *contact != caller && (cut || near(contact, &caller))
        };
        let mut add = |fits: &dyn Fn(&String) -> bool, reason: String| {
            for (payer, contact) in (0..).zip(&self.names) {
                if fits(contact) {
                    found.push(Suggestion { payer, reason: reason.clone() });
                }
            }
        };
        add(&equal, "the other party has its name".to_owned());
        add(&alike, format!("the other party's name, {name}, is like its own"));
    }

    /// Most of what an extension does is for one contact.
    fn add_extension(&self, event: &BillableEvent, found: &mut Vec<Suggestion>) {
        let Some((extension, known)) =
            event.extension.and_then(|extension| Some((extension, self.by_extension.get(&extension)?)))
        else {
            return;
        };
        let all: u64 = known.values().sum();
        for (payer, count) in known {
            if all >= PATTERN_EVENTS_MIN && count * 2 > all {
                let reason = format!("of {all} matched events of extension {extension}, {count} are its");
                found.push(Suggestion { payer: *payer, reason });
            }
        }
    }

    /// A number of the contact begins alike.
    fn add_alike(&self, event: &BillableEvent, found: &mut Vec<Suggestion>) {
        let Some(number) = other_number(event) else { return };
        for payer in self.by_head.get(&head(number)).into_iter().flatten() {
            let reason = format!("a number of its begins alike, +{}", head(number));
            found.push(Suggestion { payer: *payer, reason });
        }
    }
}

fn other_number(event: &BillableEvent) -> Option<u64> {
    event.other_party().number.e164()
}

fn head(number: u64) -> u64 {
    number / 10_u64.pow(SUBSCRIBER_DIGITS)
}

fn letters(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
