//! The world as a whole: how big it is, that it repeats, and that nothing of the truth is lost in the records.

use super::plan::{Look, record_id};
use super::truth::{Ending, Fate, TextKind, Way};
use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

fn october() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| World::generate(Plot::default()))
}

#[test]
fn a_month_has_the_size_and_shape_of_a_small_office() {
    let truth = october().truth();
    let total = truth.calls.len() + truth.texts.len() + truth.faxes.len();
    assert!(
        (20_000..40_000).contains(&total),
        "{} {} {}",
        truth.calls.len(),
        truth.texts.len(),
        truth.faxes.len()
    );
    let zone = chrono_tz::America::New_York;
    let hour = |instant: DateTime<Utc>| chrono::Timelike::hour(&instant.with_timezone(&zone));
    let nights = truth.calls.iter().filter(|call| hour(call.start) < 6).count();
    let mornings = truth.calls.iter().filter(|call| (9..12).contains(&hour(call.start))).count();
    assert!(nights > 50 && mornings > 15 * nights, "{nights} at night, {mornings} in the morning");
    let nobody =
        truth.calls.iter().filter(|call| call.way != Way::Internal && call.contact.is_none()).count();
    let share = nobody * 1000 / truth.calls.len();
    assert!((15..60).contains(&share), "{share} per mille belong to nobody");
}

#[test]
fn every_promised_situation_occurs() {
    let world = october();
    let has = |test: &dyn Fn(&RecordPlan) -> bool| world.records.iter().filter(|record| test(record)).count();
    for result in [
        "Accepted",
        "Call connected",
        "Missed",
        "Voicemail",
        "Abandoned",
        "Blocked",
        "Wrong Number",
        "Hang up",
        "Quantum Handoff",
        "Sent",
        "Fax Not Sent",
        "Fax Partially Sent",
        "Received",
        "Fax Receipt Error",
    ] {
        assert!(has(&|record| record.result == result) > 0, "{result}");
    }
    assert!(has(&|record| record.transfer_target.is_some()) > 0);
    assert!(has(&|record| record.transferee.is_some()) > 0);
    assert!(has(&|record| record.session_shift > 0) > 0);
    assert!(has(&|record| record.peer.is_some()) > 0);
    assert!(has(&|record| record.internal_type == "International") > 0);
    assert!(has(&|record| record.internal_type == "TollFreeNumber") > 0);
    assert!(has(&|record| record.action == "Conference Call") > 0);
    assert!(has(&|record| record.seat == cast::DISABLED) > 0);
    assert!(has(&|record| record.seat == cast::DELETED) > 0);
    assert!(has(&|record| record.outside.is_some_and(|outside| outside.style == plan::Style::National)) > 4);
    assert!(has(&|record| record.outside.is_some_and(|outside| outside.style == plan::Style::Withheld)) > 4);
    assert!(has(&|record| matches!(record.versions[0].look, Look::Ringing(_))) > 0);
    assert!(has(&|record| record.versions.iter().any(|version| version.look == Look::Deleted)) > 0);
    assert!(has(&|record| record.versions[0].visible_from_ms > record.end_ms() + calendar::DAY) > 0);
    let (_, end_ms) = world.calendar.span_ms();
    assert!(has(&|record| record.start_ms < end_ms && record.end_ms() > end_ms) > 0);
    let truth = world.truth();
    for ending in [
        Ending::Queued,
        Ending::Sent,
        Ending::Delivered,
        Ending::DeliveryFailed,
        Ending::SendingFailed,
        Ending::Received,
    ] {
        assert!(truth.texts.iter().any(|text| text.ending == ending), "{ending:?}");
    }
    for kind in [TextKind::Sms, TextKind::Mms, TextKind::Pager] {
        assert!(truth.texts.iter().any(|text| text.kind == kind), "{kind:?}");
    }
    let segments: BTreeSet<u32> = truth.texts.iter().map(|text| text.segments).collect();
    assert_eq!(segments, BTreeSet::from([0, 1, 2, 3, 4]), "0 where the service does not count them");
    let fates: BTreeSet<Fate> = truth.promises.iter().map(|promise| promise.fate).collect();
    assert_eq!(fates.len(), 9, "{fates:?}");
}

#[test]
fn records_and_messages_have_ids_of_their_own() {
    let world = october();
    assert_eq!(world.record_by_id.len(), world.records.len());
    let ids: BTreeSet<u64> = world.messages.iter().map(|message| message.id).collect();
    assert_eq!(ids.len(), world.messages.len());
    assert_eq!(record_id(world.records[0].serial), world.records[0].id());
}

#[test]
fn every_conversation_is_told_by_its_records() {
    let world = october();
    let mut told = BTreeSet::new();
    for call in &world.truth().calls {
        for id in &call.records {
            let record = world.record(id).expect("a record of the call");
            assert!(told.insert(id.clone()), "{id} tells of two calls");
            assert!(
                calendar::instant(record.start_ms) >= call.start
                    && calendar::instant(record.end_ms()) <= call.end
            );
        }
        let first = world.record(&call.records[0]).expect("the first record");
        assert_eq!(calendar::instant(first.start_ms), call.start);
        let answered = matches!(first.result, "Accepted" | "Call connected");
        assert!(!call.decidable || answered == call.answered(), "{first:?}");
        assert!(call.talk_ms() <= (call.end - call.start).num_milliseconds());
        assert_eq!(call.customer_facing_ms > 0, call.answered());
    }
    for fax in &world.truth().faxes {
        for id in &fax.records {
            assert!(world.record(id).is_some() && told.insert(id.clone()));
        }
    }
    assert_eq!(told.len(), world.records.len(), "no record is about nothing");
    let messages: BTreeSet<u64> = world.messages.iter().map(|message| message.id).collect();
    assert!(world.truth().texts.iter().all(|text| messages.contains(&text.message_id)));
    assert!(world.truth().faxes.iter().filter_map(|fax| fax.message_id).all(|id| messages.contains(&id)));
}

#[test]
fn nobody_speaks_with_two_at_once() {
    type Stretch = (DateTime<Utc>, DateTime<Utc>);
    let mut busy: BTreeMap<&str, Vec<Stretch>> = BTreeMap::new();
    let truth = october().truth();
    for talk in truth.calls.iter().filter(|call| call.way == Way::Inbound).flat_map(|call| &call.talks) {
        busy.entry(&talk.extension).or_default().push((talk.from, talk.to));
    }
    let mut overlaps = 0;
    let mut talks = 0;
    for times in busy.values_mut() {
        times.sort_unstable();
        talks += times.len();
        overlaps += times.windows(2).filter(|pair| pair[1].0 < pair[0].1).count();
    }
    // Oddities are drawn apart from the day's calls and may meet one of them.
    assert!(overlaps * 100 < talks, "{overlaps} of {talks}");
}

#[test]
fn a_longer_world_begins_with_the_same_days() {
    let plot = |days| Plot { days, ..Plot::default() };
    let (short, long) = (World::generate(plot(2)), World::generate(plot(3)));
    let calls = |world: &World| {
        let of_days = world.truth().calls.iter().take(500).map(|call| (call.start, call.end, call.outside));
        of_days.collect::<Vec<_>>()
    };
    assert_eq!(calls(&short), calls(&long));
    let other = World::generate(Plot { seed: 2, days: 2, ..Plot::default() });
    assert_ne!(calls(&short), calls(&other));
}

#[test]
fn a_side_each_doubles_internal_records_only() {
    let plot = |internal_sides| Plot { days: 3, internal_sides, ..Plot::default() };
    let (one, two) = (World::generate(plot(false)), World::generate(plot(true)));
    let internal = |world: &World| {
        let calls = world.truth().calls.iter().filter(|call| call.way == Way::Internal);
        (calls.clone().count(), calls.map(|call| call.records.len()).sum::<usize>())
    };
    let ((calls, records), (calls_two, records_two)) = (internal(&one), internal(&two));
    assert_eq!(calls, records);
    assert_eq!(2 * calls_two, records_two);
    assert!(calls > 0);
}

#[test]
fn versions_follow_each_other() {
    let world = october();
    for record in &world.records {
        let times: Vec<i64> = record.versions.iter().map(|version| version.visible_from_ms).collect();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{record:?}");
        let settled = record.versions.iter().find(|version| !matches!(version.look, Look::Ringing(_)));
        assert!(settled.is_some_and(|version| version.visible_from_ms >= record.end_ms() + 15_000));
    }
    for message in &world.messages {
        let times: Vec<i64> = message.versions.iter().map(|version| version.visible_from_ms).collect();
        assert!(
            times.windows(2).all(|pair| pair[0] < pair[1]) && times[0] > message.created_ms,
            "{message:?}"
        );
    }
}

#[test]
fn no_number_is_anybodys() {
    let fiction = |number: number::Number| {
        let american = number / 10_000_000_000 == 1 && number / 100 % 100_000 == 55_501;
        american || number / 1000 == 442_079_460 || number / 1000 == 441_632_960
    };
    let world = october();
    for record in &world.records {
        let numbers = record.outside.map(|outside| outside.number).into_iter().chain(record.own);
        assert!(numbers.into_iter().all(fiction), "{record:?}");
    }
    for extension in &world.cast.extensions {
        assert!(extension.direct.into_iter().chain(extension.mobile).all(fiction), "{extension:?}");
    }
    assert!(world.truth().texts.iter().filter_map(|text| text.outside).all(fiction));
    assert!(world.truth().faxes.iter().filter_map(|fax| fax.outside).all(fiction));
}

#[test]
fn every_fate_and_ending_comes_with_any_seed() {
    for seed in [7, 2026] {
        let world = World::generate(Plot { seed, ..Plot::default() });
        let fates: BTreeSet<Fate> = world.truth().promises.iter().map(|promise| promise.fate).collect();
        let endings: BTreeSet<Ending> = world.truth().faxes.iter().map(|fax| fax.ending).collect();
        assert_eq!((fates.len(), endings.len()), (9, 7), "seed {seed}: {fates:?} {endings:?}");
        assert!(world.truth().calls.iter().filter(|call| !call.decidable).count() == 3);
    }
}
