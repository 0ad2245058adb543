//! Reconciliation: what was expected against what the log shows.
//!
//! Passes in order: by reference; by number, channel, direction and window; by contact and window for expectations
//! without a number; then the same keys after the window (late). Within one key and pass as much of what arrived is
//! matched as can be matched, so that a failed attempt never hides a later success, and then as much of the rest as can
//! be matched beside it ([`windows`]). Every expectation and every observation ends in exactly one class.

mod windows;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::event::BillableEvent;
use crate::domain::outcome::{Arrived, Channel, Direction, Outcome, OutcomeTable};
use crate::domain::reconciliation::{
    Break, BreakKind, Expectation, MatchGroup, MatchRule, Observation, Reconciliation,
};
use crate::domain::time::Span;
use crate::domain::{Instant, Zone};

use windows::Point;

/// How long after its window an observation still counts as a late one of it.
pub const LATE_MILLISECONDS_MAX: i64 = 72 * 3_600_000;

/// Reduces an event to what reconciliation compares. Internal communication is never observed.
pub fn observe(event: &BillableEvent, contact: Option<&str>, outcomes: &OutcomeTable) -> Option<Observation> {
    if event.direction == Direction::Internal {
        return None;
    }
    let by_table =
        outcomes.rule_of(event.channel, event.direction, event.outcome, event.error_code.as_deref());
    let by_table = by_table.map_or(Arrived::Indeterminate, |rule| rule.arrived);
    // These two carrier codes say that nobody knows, whatever the status reads (service guide, error table).
    let unknown = matches!(event.error_code.as_deref(), Some("SMS-CAR-104" | "SMS-CAR-199"));
    Some(Observation {
        event_id: event.id.clone(),
        contact: contact.map(str::to_owned),
        number: event.other_party().number.e164(),
        channel: event.channel,
        direction: event.direction,
        start: event.start,
        pages: event.pages,
        outcome: event.outcome,
        arrived: if unknown { Arrived::Indeterminate } else { by_table },
        error_code: event.error_code.clone(),
        message_id: event.message_id.clone(),
    })
}

/// Compares the expectations due in `period` with the observations. `zone` is for the sentences only.
pub fn reconcile(
    expectations: &[Expectation],
    observations: &[Observation],
    period: Span,
    zone: Zone,
) -> Reconciliation {
    let mut due: Vec<&Expectation> =
        expectations.iter().filter(|item| period.contains(item.due.from)).collect();
    due.sort_by(|left, right| (left.due, &left.id).cmp(&(right.due, &right.id)));
    let mut seen: Vec<&Observation> = observations.iter().collect();
    seen.sort_by(|left, right| (left.start, &left.event_id).cmp(&(right.start, &right.event_id)));
    let elsewhere = expectations.len() - due.len();
    let mut matching = Matching { pairs: vec![None; due.len()], taken: vec![None; seen.len()], due, seen };
    matching.by_reference();
    let by_number =
        |item: &Expectation| item.number.map(|number| Key::Number(number, item.channel, item.direction));
    let by_contact = |item: &Expectation| match (&item.contact, item.number) {
        (Some(contact), None) => Some(Key::Contact(contact.clone(), item.channel, item.direction)),
        _ => None,
    };
    for late in [false, true] {
        let rule = if late { MatchRule::Late } else { MatchRule::NumberAndWindow };
        matching.by_key(rule, late, &by_number, &number_key);
        let rule = if late { MatchRule::Late } else { MatchRule::Party };
        matching.by_key(rule, late, &by_contact, &contact_key);
    }
    matching.classify(period, zone, elsewhere)
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(u64, Channel, Direction),
    Contact(String, Channel, Direction),
}

fn number_key(item: &Observation) -> Option<Key> {
    item.number.map(|number| Key::Number(number, item.channel, item.direction))
}

fn contact_key(item: &Observation) -> Option<Key> {
    item.contact.clone().map(|contact| Key::Contact(contact, item.channel, item.direction))
}

struct Matching<'a> {
    due: Vec<&'a Expectation>,
    seen: Vec<&'a Observation>,
    /// For each expectation, its observation and the rule that found it.
    pairs: Vec<Option<(usize, MatchRule)>>,
    /// For each observation, its expectation.
    taken: Vec<Option<usize>>,
}

impl<'a> Matching<'a> {
    fn pair(&mut self, expectation: usize, observation: usize, rule: MatchRule) {
        assert!(
            self.pairs[expectation].is_none() && self.taken[observation].is_none(),
            "a match was made twice"
        );
        self.pairs[expectation] = Some((observation, rule));
        self.taken[observation] = Some(expectation);
    }

    fn by_reference(&mut self) {
        let mut by_message: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, item) in self.seen.iter().enumerate() {
            if let Some(message) = &item.message_id {
                by_message.entry(message).or_default().push(index);
            }
        }
        for index in 0..self.due.len() {
            let Some(reference) = self.due[index].reference.as_deref() else { continue };
            let candidates = by_message.get(reference).map(Vec::as_slice).unwrap_or_default();
            let free: Vec<usize> =
                candidates.iter().copied().filter(|at| self.taken[*at].is_none()).collect();
            let number = self.due[index].number;
            let exact = free.iter().copied().find(|at| number.is_none() || self.seen[*at].number == number);
            if let Some(found) = exact.or(free.first().copied()) {
                self.pair(index, found, MatchRule::Reference);
            }
        }
    }

    fn by_key(
        &mut self,
        rule: MatchRule,
        late: bool,
        expectation_key: &dyn Fn(&Expectation) -> Option<Key>,
        observation_key: &dyn Fn(&Observation) -> Option<Key>,
    ) {
        let mut groups: BTreeMap<Key, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for (index, item) in self.due.iter().enumerate() {
            if let (None, Some(key)) = (self.pairs[index], expectation_key(item)) {
                groups.entry(key).or_default().0.push(index);
            }
        }
        for (index, item) in self.seen.iter().enumerate() {
            if let (None, Some(key)) = (self.taken[index], observation_key(item))
                && let Some(group) = groups.get_mut(&key)
            {
                group.1.push(index);
            }
        }
        for (expectations, observations) in groups.into_values() {
            let window = |index: &usize| {
                let due = self.due[*index].due;
                match late {
                    false => due,
                    true => Span { from: due.to, to: due.to.plus_milliseconds(LATE_MILLISECONDS_MAX) },
                }
            };
            let windows: Vec<Span> = expectations.iter().map(window).collect();
            let point = |index: &usize| Point {
                start: self.seen[*index].start,
                arrived: self.seen[*index].arrived == Arrived::Yes,
            };
            let points: Vec<Point> = observations.iter().map(point).collect();
            for (window, point) in windows::assign(&windows, &points) {
                self.pair(expectations[window], observations[point], rule);
            }
        }
    }

    fn classify(self, period: Span, zone: Zone, elsewhere: usize) -> Reconciliation {
        let mut result = Reconciliation {
            expectations: self.due.len() as u64,
            expectations_elsewhere: elsewhere as u64,
            ..Reconciliation::default()
        };
        for (index, expectation) in self.due.iter().enumerate() {
            match self.pairs[index] {
                None => result.breaks.push(missing(expectation)),
                Some((observation, rule)) => self.compare(expectation, observation, rule, zone, &mut result),
            }
        }
        self.classify_rest(period, zone, &mut result);
        result.breaks.sort_by_key(break_order);
        let classified = result.matched.len()
            + result.breaks.iter().filter(|item| item.expectation.is_some() && !is_extra(item)).count();
        assert_eq!(classified, self.due.len(), "every expectation is in exactly one class");
        result
    }

    fn compare(
        &self,
        expectation: &Expectation,
        at: usize,
        rule: MatchRule,
        zone: Zone,
        result: &mut Reconciliation,
    ) {
        let observation = self.seen[at];
        result.observations += 1;
        let found = difference(expectation, observation, rule, zone);
        match found {
            None => result.matched.push(MatchGroup {
                expectation: expectation.clone(),
                observation: observation.clone(),
                rule,
            }),
            Some((kind, explanation)) => result.breaks.push(Break {
                kind,
                expectation: Some(expectation.clone()),
                observation: Some(observation.clone()),
                rule: Some(rule),
                explanation,
            }),
        }
    }

    /// Observations that match nothing: surplus copies of what was matched, unexpected ones, or out of scope. In scope
    /// is a channel and direction of a contact or number for which somebody lists expectations.
    fn classify_rest(&self, period: Span, zone: Zone, result: &mut Reconciliation) {
        let mut scope: BTreeSet<Key> = BTreeSet::new();
        for item in &self.due {
            if let Some(contact) = &item.contact {
                scope.insert(Key::Contact(contact.clone(), item.channel, item.direction));
            }
            if let Some(number) = item.number {
                scope.insert(Key::Number(number, item.channel, item.direction));
            }
        }
        let mut matched: BTreeMap<Key, Vec<(usize, usize)>> = BTreeMap::new();
        for (index, pair) in self.pairs.iter().enumerate() {
            if let Some((at, _)) = pair
                && let Some(key) = number_key(self.seen[*at])
            {
                matched.entry(key).or_default().push((index, *at));
            }
        }
        for (index, item) in self.seen.iter().enumerate() {
            if self.taken[index].is_some() || !period.contains(item.start) {
                continue;
            }
            let keys = [number_key(item), contact_key(item)];
            if !keys.iter().flatten().any(|key| scope.contains(key)) {
                result.out_of_scope += 1;
                continue;
            }
            result.observations += 1;
            let siblings =
                keys[0].as_ref().and_then(|key| matched.get(key)).map(Vec::as_slice).unwrap_or_default();
            let copy_of = siblings.iter().find(|(due, at)| self.is_copy(item, *due, *at));
            let copy_of = copy_of.map(|(due, _)| self.due[*due]);
            result.breaks.push(surplus(item, copy_of, zone));
        }
    }
}

impl Matching<'_> {
    /// Whether a surplus observation is a copy of what an expectation was matched with: in its window, or no further
    /// from the match than the window is long. What comes later was meant for something else.
    fn is_copy(&self, item: &Observation, due: usize, matched: usize) -> bool {
        let due = self.due[due].due;
        let length = due.to.milliseconds().abs_diff(due.from.milliseconds());
        let apart = item.start.milliseconds().abs_diff(self.seen[matched].start.milliseconds());
        due.contains(item.start) || apart < length
    }
}

/// A surplus copy names its expectation, which stands in its own class already.
fn is_extra(item: &Break) -> bool {
    item.kind == BreakKind::Duplicate
}

fn difference(
    expectation: &Expectation,
    observation: &Observation,
    rule: MatchRule,
    zone: Zone,
) -> Option<(BreakKind, String)> {
    let when = zone.show(observation.start);
    let channel = expectation.channel;
    if rule == MatchRule::Reference
        && expectation.number.is_some()
        && expectation.number != observation.number
    {
        let found = observation.number.map_or("nobody".to_owned(), |number| format!("+{number}"));
        return Some((
            BreakKind::PartyMismatch,
            format!("The {channel} with this reference went to {found}."),
        ));
    }
    match observation.arrived {
        Arrived::No => {
            let code = observation.error_code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
            let text = format!("The {channel} of {when} did not arrive: {}{code}.", observation.outcome);
            return Some((BreakKind::StatusMismatch, text));
        }
        Arrived::Indeterminate => {
            let text = format!(
                "Nobody confirmed the {channel} of {when}: its last state is {}.",
                observation.outcome
            );
            return Some((BreakKind::Indeterminate, text));
        }
        Arrived::Yes => {}
    }
    if rule == MatchRule::Late
        || (rule == MatchRule::Reference && !expectation.due.contains(observation.start))
    {
        let due = zone.show(expectation.due.to);
        return Some((BreakKind::Late, format!("It was due before {due} and happened at {when}.")));
    }
    match (expectation.pages, observation.pages) {
        (Some(expected), Some(seen)) if expected != seen => Some((
            BreakKind::QuantityMismatch,
            format!("{expected} pages were expected, {seen} went through."),
        )),
        _ => None,
    }
}

fn missing(expectation: &Expectation) -> Break {
    let explanation = format!(
        "No {} {} was seen in the window, nor in the 72 hours after it.",
        expectation.direction, expectation.channel
    );
    Break {
        kind: BreakKind::MissingObservation,
        expectation: Some(expectation.clone()),
        observation: None,
        rule: None,
        explanation,
    }
}

fn surplus(item: &Observation, copy_of: Option<&Expectation>, zone: Zone) -> Break {
    let when = zone.show(item.start);
    let (kind, explanation) = match copy_of {
        Some(expectation) => {
            let what = match item.outcome {
                Outcome::DeliveryFailed | Outcome::SendingFailed => "A further attempt that failed",
                _ => "A surplus copy",
            };
            (BreakKind::Duplicate, format!("{what} for expectation {}, at {when}.", expectation.id))
        }
        None => {
            let text = format!("Nobody expected this {} {} of {when}.", item.direction, item.channel);
            (BreakKind::UnexpectedObservation, text)
        }
    };
    Break { kind, expectation: copy_of.cloned(), observation: Some(item.clone()), rule: None, explanation }
}

fn break_order(item: &Break) -> (BreakKind, Option<Instant>, String, String) {
    let due = item.expectation.as_ref().map(|expectation| expectation.due.from);
    let seen = item.observation.as_ref().map(|observation| observation.start);
    let id = item.expectation.as_ref().map(|expectation| expectation.id.clone()).unwrap_or_default();
    let event = item.observation.as_ref().map(|observation| observation.event_id.clone()).unwrap_or_default();
    (item.kind, due.or(seen), id, event)
}
