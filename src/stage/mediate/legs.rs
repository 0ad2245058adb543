//! Legs: which of them count, what each leg policy measures of them, and whose time they are.
//!
//! Every policy is measured here, once; the tariff picks one of the results. A quantity is `None` where a counted leg
//! lacks what it needs (its start or its length): nobody may guess.

use crate::domain::Instant;
use crate::domain::event::{BillableEvent, Leg, LegQuantities, TimeEntry};
use crate::domain::source::{CallRecord, LegRecord};
use crate::rules::ruleset::LegPolicy;

use super::calls::{Call, is_ring_out};
use super::{Bench, words};

/// Legs of all records in the order of their starts, masters first. A leg counts when it was answered and is not a
/// master; the master of a record that has no such leg stands in for it, unless the record is the first half of a
/// ring-out (that half is the user's own phone).
pub fn legs(group: &[Call<'_>]) -> Vec<Leg> {
    let mut legs = Vec::new();
    for (_, call) in group {
        let own: &[LegRecord] = call.legs.as_deref().unwrap_or_default();
        let inner = own.iter().any(|leg| !leg.master && is_answered(leg));
        let own_phone = group.len() > 1 && is_ring_out(call);
        for leg in own {
            let used = is_answered(leg) && (!leg.master || (!inner && !own_phone));
            legs.push(Leg {
                start: leg.start,
                milliseconds: leg.milliseconds,
                result: leg.result.clone().unwrap_or_default(),
                leg_type: leg.leg_type.clone(),
                master: leg.master,
                own_phone: own_phone && leg.master,
                extension_id: leg.extension_id.clone(),
                used,
            });
        }
    }
    legs.sort_by(|left, right| {
        (left.start, !left.master, &left.leg_type).cmp(&(right.start, !right.master, &right.leg_type))
    });
    legs
}

pub fn is_answered(leg: &LegRecord) -> bool {
    leg.result.as_deref().and_then(words::answered) == Some(true)
}

/// What each policy measures of a call. `primary` is the record whose own duration counts.
pub fn quantities(primary: &CallRecord, legs: &[Leg], group: &[Call<'_>]) -> LegQuantities {
    let counted: Vec<&Leg> = legs.iter().filter(|leg| leg.used).collect();
    let spans = spans(&counted);
    let lengths: Option<Vec<i64>> = counted.iter().map(|leg| leg.milliseconds).collect();
    let sum = |lengths: &Vec<i64>| lengths.iter().try_fold(0_i64, |sum, length| sum.checked_add(*length));
    LegQuantities {
        customer_facing: spans.as_deref().and_then(stretch),
        master: primary.milliseconds,
        estimated_talk: spans.as_deref().and_then(union),
        longest_leg: lengths.as_ref().and_then(|lengths| lengths.iter().max().copied()),
        first_answered: first(&counted).and_then(|first| counted[first].milliseconds),
        sum_of_legs: lengths.as_ref().filter(|lengths| !lengths.is_empty()).and_then(sum),
        without_legs: group.iter().all(|(_, call)| call.legs.as_ref().is_none_or(Vec::is_empty)),
    }
}

/// Start and end of each leg; `None` when one of them is not known.
fn spans(legs: &[&Leg]) -> Option<Vec<(Instant, Instant)>> {
    let span = |leg: &&Leg| Some((leg.start?, leg.start?.plus_milliseconds(leg.milliseconds?)));
    legs.iter().map(span).collect()
}

/// From the first start to the last end, gaps included.
fn stretch(spans: &[(Instant, Instant)]) -> Option<i64> {
    let first = spans.iter().map(|span| span.0).min()?;
    let last = spans.iter().map(|span| span.1).max()?;
    Some(last.milliseconds() - first.milliseconds())
}

/// The time in which at least one span lasted: gaps left out, overlaps once.
fn union(spans: &[(Instant, Instant)]) -> Option<i64> {
    let mut sorted = spans.to_vec();
    sorted.sort_unstable();
    let mut reached = sorted.first()?.0;
    let mut sum = 0_i64;
    for (start, end) in sorted {
        let fresh = end.milliseconds() - start.max(reached).milliseconds();
        sum = sum.checked_add(fresh.max(0))?;
        reached = reached.max(end);
    }
    Some(sum)
}

/// The place of the leg that starts first; of several the longest, then the first in order. `None` when a start is not
/// known, or the length of one that might be it.
fn first(counted: &[&Leg]) -> Option<usize> {
    let starts: Vec<Instant> = counted.iter().map(|leg| leg.start).collect::<Option<_>>()?;
    let earliest = starts.iter().min()?;
    let candidates = (0..counted.len()).filter(|place| starts[*place] == *earliest);
    let lengths: Vec<(i64, usize)> =
        candidates.map(|place| Some((counted[place].milliseconds?, place))).collect::<Option<_>>()?;
    lengths
        .into_iter()
        .max_by_key(|(length, place)| (*length, std::cmp::Reverse(*place)))
        .map(|found| found.1)
}

/// Whose time a leg is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Person<'a> {
    Extension(Option<u64>),
    /// A leg that names an extension nobody lists: somebody's time, but not known whose.
    Unlisted(&'a str),
}

fn person<'a>(bench: &Bench<'_>, event: &BillableEvent, leg: &'a Leg) -> Person<'a> {
    let Some(id) = leg.extension_id.as_deref() else { return Person::Extension(event.extension) };
    match bench.extensions.get(id) {
        Some(number) => Person::Extension(Some(*number)),
        None => Person::Unlisted(id),
    }
}

/// Each person's own time. Empty when no leg counts or one that does lacks its start or length.
pub fn entries(bench: &Bench<'_>, event: &BillableEvent) -> Vec<TimeEntry> {
    let counted: Vec<&Leg> = event.legs.iter().filter(|leg| leg.used).collect();
    let Some(spans) = spans(&counted).filter(|spans| !spans.is_empty()) else { return Vec::new() };
    if counted.iter().all(|leg| leg.extension_id.is_none()) {
        let start = spans.iter().map(|span| span.0).min();
        let entry = start.zip(stretch(&spans)).map(|(start, milliseconds)| TimeEntry {
            extension: event.extension,
            start,
            milliseconds,
        });
        return entry.into_iter().collect();
    }
    let mut people: Vec<(Person<'_>, Vec<(Instant, Instant)>)> = Vec::new();
    for (leg, span) in event.legs.iter().filter(|leg| leg.used).zip(spans) {
        let person = person(bench, event, leg);
        match people.iter_mut().find(|(known, _)| *known == person) {
            Some((_, own)) => own.push(span),
            None => people.push((person, vec![span])),
        }
    }
    let entry = |(person, own): &(Person<'_>, Vec<(Instant, Instant)>)| {
        let extension = match person {
            Person::Extension(number) => *number,
            Person::Unlisted(_) => None,
        };
        Some(TimeEntry { extension, start: own.iter().map(|span| span.0).min()?, milliseconds: union(own)? })
    };
    let mut entries: Vec<TimeEntry> = people.iter().filter_map(entry).collect();
    if entries.len() < people.len() {
        return Vec::new();
    }
    entries
        .sort_by_key(|entry| (entry.start, entry.extension.is_none(), entry.extension, entry.milliseconds));
    entries
}

/// What a leg policy did with one leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegUse {
    /// The quantity is measured of it.
    Used,
    Dropped(LegDropped),
}

/// Why a leg policy leaves a leg out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegDropped {
    NotAnswered,
    /// It repeats its record; the record's other legs tell more.
    Master,
    /// The first half of a ring-out.
    OwnPhone,
    /// The policy takes the record's own duration.
    RecordDuration,
    NotLongest,
    NotFirst,
    /// It would count, but its start or length is not known; then nothing can be measured.
    Incomplete,
}

impl LegDropped {
    /// The reason, to stand after "dropped: ".
    pub fn reason(self) -> &'static str {
        match self {
            LegDropped::NotAnswered => "not answered",
            LegDropped::Master => "the master repeats its record; the answered legs in it count",
            LegDropped::OwnPhone => "the user's own phone, the first half of a ring-out",
            LegDropped::RecordDuration => "the record's own duration counts",
            LegDropped::NotLongest => "not the longest",
            LegDropped::NotFirst => "not the first to be answered",
            LegDropped::Incomplete => "its start or length is not known",
        }
    }
}

/// What a policy did with each leg of an event, in the order of the legs.
pub fn legs_used(event: &BillableEvent, policy: LegPolicy) -> Vec<(usize, LegUse)> {
    let counted: Vec<usize> = (0..event.legs.len()).filter(|leg| event.legs[*leg].used).collect();
    let legs: Vec<&Leg> = counted.iter().map(|leg| &event.legs[*leg]).collect();
    let chosen = match policy {
        LegPolicy::LongestLeg => {
            let lengths: Option<Vec<i64>> = legs.iter().map(|leg| leg.milliseconds).collect();
            let most = lengths.as_ref().and_then(|lengths| lengths.iter().max());
            most.zip(lengths.as_ref()).and_then(|(most, all)| all.iter().position(|length| length == most))
        }
        LegPolicy::FirstAnswered => first(&legs),
        _ => None,
    };
    let chosen = chosen.map(|place| counted[place]);
    let fate = |index: usize| {
        let leg = &event.legs[index];
        let dropped = match (policy, leg.used) {
            (LegPolicy::Master, _) => LegDropped::RecordDuration,
            (_, false) if words::answered(&leg.result) != Some(true) => LegDropped::NotAnswered,
            (_, false) if leg.own_phone => LegDropped::OwnPhone,
            (_, false) => LegDropped::Master,
            (LegPolicy::LongestLeg, true) if leg.milliseconds.is_none() => LegDropped::Incomplete,
            (LegPolicy::LongestLeg, true) if chosen.is_some_and(|chosen| chosen != index) => {
                LegDropped::NotLongest
            }
            (LegPolicy::FirstAnswered, true) if chosen.is_some_and(|chosen| chosen != index) => {
                LegDropped::NotFirst
            }
            (LegPolicy::SumOfLegs, true) if leg.milliseconds.is_none() => LegDropped::Incomplete,
            (LegPolicy::LongestLeg | LegPolicy::SumOfLegs, true) => return LegUse::Used,
            (_, true) if leg.start.is_none() || leg.milliseconds.is_none() => LegDropped::Incomplete,
            (_, true) => return LegUse::Used,
        };
        LegUse::Dropped(dropped)
    };
    (0..event.legs.len()).map(|index| (index, fate(index))).collect()
}
