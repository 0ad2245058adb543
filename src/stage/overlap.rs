//! One person's time is billed once: a timekeeper who works on two matters at the same time is a finding.

use std::collections::BTreeSet;

use crate::domain::charge::{Charge, Component};
use crate::domain::event::BillableEvent;
use crate::domain::outcome::Channel;
use crate::domain::time::Span;
use crate::rules::compile::CompiledRules;
use crate::rules::ruleset::LegPolicy;

/// Time of a timekeeper that stands on a document. The times of one charge are ordered like its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkedTime {
    /// Number of the timekeeper, from 1.
    pub timekeeper: u32,
    pub span: Span,
    pub payer: u32,
    /// Number of the matter, from 1; 0 is none.
    pub matter: u32,
    /// Place among the events.
    pub event: usize,
}

/// Two times of one timekeeper on different matters that have an instant in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOverlap {
    /// Begins first.
    pub first: WorkedTime,
    pub second: WorkedTime,
    /// What they have in common.
    pub span: Span,
}

/// The times that some charges bill: of each time entry its own, of an undivided call that of the legs that count.
pub fn worked_times(
    rules: &CompiledRules,
    events: &[BillableEvent],
    charges: &[(usize, Charge)],
) -> Vec<WorkedTime> {
    let mut times = BTreeSet::new();
    for (place, charge) in charges {
        let event = &events[*place];
        if event.channel != Channel::Voice {
            continue;
        }
        for component in charge.components.iter().filter(|component| component.timekeeper > 0) {
            if let Some(span) = span_of(rules, event, component) {
                times.insert(WorkedTime {
                    timekeeper: component.timekeeper,
                    span,
                    payer: charge.payer,
                    matter: component.matter,
                    event: *place,
                });
            }
        }
    }
    times.into_iter().collect()
}

fn span_of(rules: &CompiledRules, event: &BillableEvent, component: &Component) -> Option<Span> {
    let clause = &rules.clauses[component.clause as usize];
    let policy = rules.versions[clause.version].tariff.legs;
    let lasting = |from: crate::domain::Instant, milliseconds: i64| Span {
        from,
        to: from.plus_milliseconds(milliseconds),
    };
    if policy == LegPolicy::TimekeeperLeg
        && let Some(entry) = event.entries.get(usize::from(component.entry))
    {
        return Some(lasting(entry.start, entry.milliseconds));
    }
    let counted = event.legs.iter().filter(|leg| leg.used);
    let spans = counted.filter_map(|leg| Some(lasting(leg.start?, leg.milliseconds?)));
    let whole = spans.reduce(|one, other| Span { from: one.from.min(other.from), to: one.to.max(other.to) });
    whole.or_else(|| Some(lasting(event.start, event.quantities.customer_facing?)))
}

/// Pairs of times of one timekeeper that overlap and are for different matters or payers, at least one of which names a
/// matter; in the order of timekeepers, then of their beginnings.
pub fn overlaps(times: &[WorkedTime]) -> Vec<TimeOverlap> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let mut found = Vec::new();
    let mut running: Vec<WorkedTime> = Vec::new();
    for second in sorted {
        running.retain(|first| first.timekeeper == second.timekeeper && first.span.overlaps(&second.span));
        for first in &running {
            let differ = (first.payer, first.matter) != (second.payer, second.matter);
            if differ && first.event != second.event && first.matter.max(second.matter) > 0 {
                let to = first.span.to.min(second.span.to);
                found.push(TimeOverlap { first: *first, second, span: Span { from: second.span.from, to } });
            }
        }
        running.push(second);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Instant;

    fn time(timekeeper: u32, from: i64, to: i64, payer: u32, matter: u32, event: usize) -> WorkedTime {
        let at = Instant::from_milliseconds;
        WorkedTime { timekeeper, span: Span { from: at(from), to: at(to) }, payer, matter, event }
    }

    fn pairs(times: &[WorkedTime]) -> Vec<(usize, usize, i64)> {
        let length = |span: Span| span.to.milliseconds() - span.from.milliseconds();
        let found = overlaps(times);
        found.iter().map(|pair| (pair.first.event, pair.second.event, length(pair.span))).collect()
    }

    #[test]
    fn overlaps_of_one_person_on_different_matters_are_found() {
        let times = [
            time(1, 0, 100, 0, 1, 0),
            // Inside the first, and still running when the next one begins.
            time(1, 10, 20, 0, 2, 1),
            time(1, 15, 120, 1, 3, 2),
            // Begins when the first ends.
            time(1, 100, 110, 0, 2, 3),
            // Somebody else.
            time(2, 0, 200, 0, 2, 4),
        ];
        assert_eq!(pairs(&times), [(0, 1, 10), (0, 2, 85), (1, 2, 5), (2, 3, 10)]);
        let mut turned = times;
        turned.reverse();
        assert_eq!(pairs(&turned), pairs(&times), "the order of the events does not matter");
    }

    #[test]
    fn one_matter_twice_and_calls_without_a_matter_are_no_finding() {
        assert!(pairs(&[time(1, 0, 100, 0, 1, 0), time(1, 50, 150, 0, 1, 1)]).is_empty());
        assert!(pairs(&[time(1, 0, 100, 0, 0, 0), time(1, 50, 150, 1, 0, 1)]).is_empty());
        assert_eq!(pairs(&[time(1, 0, 100, 0, 0, 0), time(1, 50, 150, 1, 1, 1)]).len(), 1);
        assert!(
            pairs(&[time(1, 0, 0, 0, 1, 0), time(1, 0, 10, 0, 2, 1)]).is_empty(),
            "nothing lasts no time"
        );
    }
}
