//! Reconciliation: against the promises of a sandbox world, by laws on random small cases, and case by case.

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use tollbook::domain::outcome::{Arrived, Channel, Direction, Outcome};
use tollbook::domain::reconciliation::{BreakKind, Expectation, Observation, Reconciliation};
use tollbook::domain::time::{Month, Span};
use tollbook::domain::{Instant, Zone};
use tollbook::stage::reconcile::{LATE_MILLISECONDS_MAX, observe, reconcile};

mod promises;

const NUMBER: u64 = 12_125_550_143;
const MINUTE: i64 = 60_000;

fn zone() -> Zone {
    Zone::from_name("America/New_York").expect("a zone")
}

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap_or_else(|| panic!("{text}"))
}

/// Minutes since the beginning of the tenth of October.
fn minute(minutes: i64) -> Instant {
    at("2026-10-10T00:00:00Z").plus_milliseconds(minutes * MINUTE)
}

fn october() -> Span {
    Month::parse("2026-10").expect("a month").period(zone()).span
}

fn expected(id: &str, from: Instant, to: Instant) -> Expectation {
    Expectation {
        id: id.to_owned(),
        contact: None,
        number: Some(NUMBER),
        channel: Channel::Sms,
        direction: Direction::Outbound,
        due: Span { from, to },
        pages: None,
        reference: None,
        location: String::new(),
    }
}

fn observed(id: &str, start: Instant, arrived: Arrived) -> Observation {
    Observation {
        event_id: id.to_owned(),
        contact: Some("clinic".to_owned()),
        number: Some(NUMBER),
        channel: Channel::Sms,
        direction: Direction::Outbound,
        start,
        pages: None,
        outcome: match arrived {
            Arrived::Yes => Outcome::Delivered,
            Arrived::No => Outcome::DeliveryFailed,
            Arrived::Indeterminate => Outcome::Sent,
        },
        arrived,
        error_code: None,
        message_id: Some(format!("m-{id}")),
    }
}

fn compared(expectations: &[Expectation], observations: &[Observation]) -> Reconciliation {
    reconcile(expectations, observations, october(), zone())
}

/// The class of each expectation: matched with an observation, or a kind of break.
fn classes(result: &Reconciliation) -> BTreeMap<String, (Option<BreakKind>, Option<String>)> {
    let mut classes = BTreeMap::new();
    for group in &result.matched {
        let found = Some(group.observation.event_id.clone());
        assert!(classes.insert(group.expectation.id.clone(), (None, found)).is_none());
    }
    for item in result.breaks.iter().filter(|item| item.kind != BreakKind::Duplicate) {
        let Some(expectation) = &item.expectation else { continue };
        let found = item.observation.as_ref().map(|observation| observation.event_id.clone());
        let twice = classes.insert(expectation.id.clone(), (Some(item.kind), found));
        assert!(twice.is_none(), "{} is in two classes", expectation.id);
    }
    classes
}

fn kinds(result: &Reconciliation) -> Vec<BreakKind> {
    result.breaks.iter().map(|item| item.kind).collect()
}

/// What must hold of any result. Returns what does not.
fn broken_laws(
    expectations: &[Expectation],
    observations: &[Observation],
    result: &Reconciliation,
) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let mut told: Vec<&str> = Vec::new();
    told.extend(result.matched.iter().map(|group| group.expectation.id.as_str()));
    let own = result.breaks.iter().filter(|item| item.kind != BreakKind::Duplicate);
    told.extend(own.filter_map(|item| item.expectation.as_ref()).map(|item| item.id.as_str()));
    let due = expectations.iter().filter(|item| october().contains(item.due.from)).count();
    let distinct: BTreeSet<&str> = told.iter().copied().collect();
    if told.len() != due || distinct.len() != due || result.expectations != due as u64 {
        broken.push("each expectation is in one class");
    }
    let mut seen: Vec<&str> = Vec::new();
    seen.extend(result.matched.iter().map(|group| group.observation.event_id.as_str()));
    let breaks = result.breaks.iter();
    seen.extend(breaks.filter_map(|item| item.observation.as_ref()).map(|item| item.event_id.as_str()));
    let distinct: BTreeSet<&str> = seen.iter().copied().collect();
    let known: BTreeSet<&str> = observations.iter().map(|item| item.event_id.as_str()).collect();
    let in_period = observations.iter().filter(|item| october().contains(item.start)).count() as u64;
    if distinct.len() != seen.len()
        || !distinct.is_subset(&known)
        || seen.len() as u64 != result.observations
        || result.observations + result.out_of_scope < in_period
    {
        broken.push("each observation is in one class");
    }
    let agree = |group: &tollbook::domain::reconciliation::MatchGroup| {
        group.observation.arrived == Arrived::Yes
            && group.expectation.due.contains(group.observation.start)
            && group.expectation.channel == group.observation.channel
            && group.expectation.number.is_none_or(|number| group.observation.number == Some(number))
    };
    if !result.matched.iter().all(agree) {
        broken.push("what is matched agrees");
    }
    broken
}

struct Dice(ChaCha8Rng);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).expect("small")
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for place in (1..items.len()).rev() {
            items.swap(place, self.index(place + 1));
        }
    }
}

/// A few expectations and observations of one number, close together.
fn small_case(dice: &mut Dice) -> (Vec<Expectation>, Vec<Observation>) {
    let minutes = |dice: &mut Dice, bound: u64| i64::try_from(dice.below(bound)).expect("small");
    let expectations = (0..dice.below(6)).map(|index| {
        let from = minutes(dice, 20);
        let to = from + 1 + minutes(dice, 12);
        expected(&format!("e{index}"), minute(from), minute(to))
    });
    let expectations = expectations.collect();
    let observations = (0..dice.below(7)).map(|index| {
        let arrived = [Arrived::Yes, Arrived::Yes, Arrived::No, Arrived::Indeterminate][dice.index(4)];
        observed(&format!("o{index}"), minute(minutes(dice, 34)), arrived)
    });
    (expectations, observations.collect())
}

/// The most pairs inside the windows: first of what arrived, then in all. Tries everything.
fn best(
    expectations: &[Expectation],
    observations: &[Observation],
    free: &mut Vec<bool>,
    next: usize,
) -> (usize, usize) {
    let Some(observation) = observations.get(next) else { return (0, 0) };
    let mut best_so_far = best(expectations, observations, free, next + 1);
    for index in 0..expectations.len() {
        if free[index] && expectations[index].due.contains(observation.start) {
            free[index] = false;
            let (arrived, all) = best(expectations, observations, free, next + 1);
            free[index] = true;
            let here = usize::from(observation.arrived == Arrived::Yes);
            best_so_far = best_so_far.max((arrived + here, all + 1));
        }
    }
    best_so_far
}

/// Pairs inside their windows that a result made: of what arrived, and in all.
fn pairs_of(result: &Reconciliation) -> (usize, usize) {
    let groups = result.matched.len();
    let inside = |item: &&tollbook::domain::reconciliation::Break| {
        let pair = item.expectation.as_ref().zip(item.observation.as_ref());
        item.kind != BreakKind::Duplicate
            && pair.is_some_and(|(expectation, observation)| expectation.due.contains(observation.start))
    };
    (groups, groups + result.breaks.iter().filter(inside).count())
}

#[test]
fn random_cases_keep_the_laws_and_nothing_matches_more() {
    let mut dice = Dice(ChaCha8Rng::seed_from_u64(20_261_001));
    for round in 0..4000 {
        let (mut expectations, mut observations) = small_case(&mut dice);
        let result = compared(&expectations, &observations);
        assert_eq!(broken_laws(&expectations, &observations, &result), [""; 0], "round {round}");
        let most = best(&expectations, &observations, &mut vec![true; expectations.len()], 0);
        assert_eq!(pairs_of(&result), most, "round {round}: {expectations:#?} {observations:#?}");
        dice.shuffle(&mut expectations);
        dice.shuffle(&mut observations);
        assert_eq!(compared(&expectations, &observations), result, "round {round}");
    }
}

/// Gives each observation, by its start, to the open expectation that *begins* first: what the program must not do.
fn greedy_by_start(expectations: &[Expectation], observations: &[Observation]) -> usize {
    let mut free: Vec<&Expectation> = expectations.iter().collect();
    free.sort_by_key(|item| item.due.from);
    let mut sorted: Vec<&Observation> = observations.iter().collect();
    sorted.sort_by_key(|item| item.start);
    let mut pairs = 0;
    for observation in sorted {
        if let Some(place) = free.iter().position(|item| item.due.contains(observation.start)) {
            free.remove(place);
            pairs += 1;
        }
    }
    pairs
}

#[test]
fn the_laws_see_planted_defects() {
    let mut dice = Dice(ChaCha8Rng::seed_from_u64(7));
    let (mut greedy_is_worse, mut lost, mut doubled, mut mutated) = (0, 0, 0, 0);
    for _ in 0..3000 {
        let (expectations, observations) = small_case(&mut dice);
        let most = best(&expectations, &observations, &mut vec![true; expectations.len()], 0);
        greedy_is_worse += u32::from(greedy_by_start(&expectations, &observations) < most.1);
        let result = compared(&expectations, &observations);
        let Some(group) = result.matched.first().cloned() else { continue };
        let mut without = result.clone();
        without.matched.remove(0);
        lost += u32::from(!broken_laws(&expectations, &observations, &without).is_empty());
        let mut twice = result.clone();
        twice.matched.push(group.clone());
        doubled += u32::from(!broken_laws(&expectations, &observations, &twice).is_empty());
        let mut other = result.clone();
        other.matched[0].observation.start = group.expectation.due.to;
        mutated += u32::from(!broken_laws(&expectations, &observations, &other).is_empty());
    }
    assert!(greedy_is_worse > 10, "{greedy_is_worse}");
    assert!(lost > 1000 && lost == doubled && lost == mutated, "{lost} {doubled} {mutated}");
}

#[test]
fn a_failed_attempt_takes_no_window_from_a_later_success() {
    let expectations = [expected("early", minute(0), minute(30)), expected("late", minute(2), minute(32))];
    let observations =
        [observed("failed", minute(1), Arrived::No), observed("came", minute(3), Arrived::Yes)];
    let classes = classes(&compared(&expectations, &observations));
    assert_eq!(classes["early"], (Some(BreakKind::StatusMismatch), Some("failed".to_owned())));
    assert_eq!(classes["late"], (None, Some("came".to_owned())));
    let only = &expectations[..1];
    let result = compared(only, &observations);
    assert_eq!(result.matched[0].observation.event_id, "came");
    assert_eq!(kinds(&result), [BreakKind::Duplicate], "the attempt before is told, and is not missing");
}

#[test]
fn windows_are_half_open() {
    let expectations = [expected("e", minute(10), minute(20))];
    let one = |start: Instant| {
        let result = compared(&expectations, &[observed("o", start, Arrived::Yes)]);
        (classes(&result)["e"].0, kinds(&result))
    };
    assert_eq!(one(minute(10)), (None, vec![]));
    assert_eq!(one(minute(20).plus_milliseconds(-1)), (None, vec![]));
    assert_eq!(one(minute(20)), (Some(BreakKind::Late), vec![BreakKind::Late]));
    let before = one(minute(10).plus_milliseconds(-1));
    assert_eq!(before.0, Some(BreakKind::MissingObservation));
    assert_eq!(before.1, [BreakKind::MissingObservation, BreakKind::UnexpectedObservation]);
    let limit = minute(20).plus_milliseconds(LATE_MILLISECONDS_MAX);
    assert_eq!(one(limit.plus_milliseconds(-1)).0, Some(BreakKind::Late));
    assert_eq!(one(limit).0, Some(BreakKind::MissingObservation));
}

#[test]
fn a_reference_comes_before_time_and_tells_the_party() {
    let mut with_reference = expected("e", minute(10), minute(20));
    with_reference.reference = Some("m-o".to_owned());
    let one = |observation: Observation| {
        let result = compared(std::slice::from_ref(&with_reference), &[observation]);
        assert!(broken_laws(std::slice::from_ref(&with_reference), &[], &result).len() <= 2);
        kinds(&result)
    };
    assert_eq!(one(observed("o", minute(15), Arrived::Yes)), []);
    assert_eq!(one(observed("o", minute(900), Arrived::Yes)), [BreakKind::Late]);
    let mut elsewhere = observed("o", minute(15), Arrived::Yes);
    elsewhere.number = Some(13_105_550_177);
    assert_eq!(one(elsewhere), [BreakKind::PartyMismatch]);
    assert_eq!(one(observed("o", minute(15), Arrived::No)), [BreakKind::StatusMismatch]);
    assert_eq!(one(observed("o", minute(15), Arrived::Indeterminate)), [BreakKind::Indeterminate]);
    // A reference that leads nowhere leaves number and window.
    assert_eq!(one(observed("other", minute(15), Arrived::Yes)), []);
    // Two recipients of one message: each reference finds its own number.
    let mut second = with_reference.clone();
    (second.id, second.number) = ("f".to_owned(), Some(13_105_550_177));
    let mut copy = observed("p", minute(15), Arrived::No);
    (copy.number, copy.message_id) = (Some(13_105_550_177), Some("m-o".to_owned()));
    let result =
        compared(&[second, with_reference.clone()], &[copy, observed("o", minute(15), Arrived::Yes)]);
    assert_eq!(classes(&result)["e"], (None, Some("o".to_owned())));
    assert_eq!(classes(&result)["f"], (Some(BreakKind::StatusMismatch), Some("p".to_owned())));
}

#[test]
fn an_expectation_of_a_contact_takes_any_of_its_numbers_that_nobody_else_expects() {
    let mut of_contact = expected("contact", minute(0), minute(60));
    (of_contact.contact, of_contact.number) = (Some("clinic".to_owned()), None);
    let of_number = expected("number", minute(30), minute(60));
    let observations =
        [observed("first", minute(35), Arrived::Yes), observed("second", minute(40), Arrived::Yes)];
    let result = compared(&[of_contact.clone(), of_number], &observations);
    assert_eq!(classes(&result)["number"].1.as_deref(), Some("first"));
    assert_eq!(classes(&result)["contact"].1.as_deref(), Some("second"));
    let mut stranger = observed("stranger", minute(35), Arrived::Yes);
    stranger.contact = None;
    let result = compared(&[of_contact], &[stranger]);
    assert_eq!((kinds(&result), result.out_of_scope), (vec![BreakKind::MissingObservation], 1));
}

#[test]
fn pages_are_compared_once_a_fax_went_through() {
    let mut fax = expected("fax", minute(0), minute(60));
    (fax.channel, fax.pages) = (Channel::Fax, Some(3));
    let sent = |pages: Option<u32>, arrived: Arrived| {
        let mut observation = observed("o", minute(5), arrived);
        (observation.channel, observation.pages) = (Channel::Fax, pages);
        kinds(&compared(std::slice::from_ref(&fax), &[observation]))
    };
    assert_eq!(sent(Some(3), Arrived::Yes), []);
    assert_eq!(sent(Some(5), Arrived::Yes), [BreakKind::QuantityMismatch]);
    assert_eq!(sent(None, Arrived::Yes), [], "nobody knows the pages");
    assert_eq!(sent(Some(5), Arrived::No), [BreakKind::StatusMismatch]);
}

#[test]
fn a_copy_is_a_duplicate_and_something_else_is_unexpected() {
    let expectations = [expected("e", minute(0), minute(60))];
    let first = observed("first", minute(5), Arrived::Yes);
    let with = |start: Instant| {
        kinds(&compared(&expectations, &[first.clone(), observed("second", start, Arrived::Yes)]))
    };
    assert_eq!(with(minute(6)), [BreakKind::Duplicate]);
    assert_eq!(with(minute(64)), [BreakKind::Duplicate], "an hour after the first");
    assert_eq!(with(minute(24 * 60)), [BreakKind::UnexpectedObservation], "the next day");
    let mut other = first.clone();
    (other.event_id, other.channel) = ("fax".to_owned(), Channel::Fax);
    let result = compared(&expectations, &[first.clone(), other]);
    assert_eq!((kinds(&result), result.out_of_scope), (vec![], 1));
}

#[test]
fn the_hour_that_autumn_repeats_is_two_hours() {
    // 01:30 in New York comes twice on the first of November 2026.
    let november = Month::parse("2026-11").expect("a month").period(zone()).span;
    let first = expected("summer", at("2026-11-01T01:00:00-04:00"), at("2026-11-01T02:00:00-04:00"));
    let second = expected("winter", at("2026-11-01T01:00:00-05:00"), at("2026-11-01T02:00:00-05:00"));
    assert_eq!(first.due.to, second.due.from);
    let observation = observed("o", at("2026-11-01T01:30:00-05:00"), Arrived::Yes);
    let result = reconcile(&[first.clone(), second], &[observation], november, zone());
    assert_eq!(classes(&result)["winter"], (None, Some("o".to_owned())));
    assert_eq!(classes(&result)["summer"].0, Some(BreakKind::MissingObservation));
    let last_instant = observed("o", at("2026-11-01T01:59:59.999-04:00"), Arrived::Yes);
    let result = reconcile(&[first], &[last_instant], november, zone());
    assert_eq!(result.matched.len(), 1);
}

#[test]
fn an_expectation_belongs_to_the_period_in_which_its_window_begins() {
    let border = october().to;
    let before = expected("before", border.plus_milliseconds(-MINUTE), border.plus_milliseconds(MINUTE));
    let after = expected("after", border, border.plus_milliseconds(MINUTE));
    let observation = observed("o", border, Arrived::Yes);
    let result = compared(&[before, after], &[observation]);
    assert_eq!((result.expectations, result.expectations_elsewhere), (1, 1));
    assert_eq!(result.matched.len(), 1, "what happened after the border still keeps the promise");
}

#[test]
fn what_the_carrier_does_not_know_is_indeterminate() {
    let seen = crate::world::october();
    let doubtful = |code: Option<&str>| matches!(code, Some("SMS-CAR-104" | "SMS-CAR-199"));
    let events = seen.facts.mediated.events.iter().filter(|event| doubtful(event.error_code.as_deref()));
    let mut count = 0;
    for event in events {
        let observation = observe(event, None, &seen.rules.outcomes).expect("a text to the outside");
        assert_eq!(observation.arrived, Arrived::Indeterminate);
        count += 1;
    }
    assert!(count > 0);
}
