//! Small, restless worlds: a few records of a large world, thrown into a few days in which most of what can happen to
//! a record does. For tests that draw hundreds of worlds; an office that behaves like this does not exist.

use super::World;
use super::calendar::{Calendar, DAY, HOUR, MINUTE};
use super::cast::Seat;
use super::plan::{Availability, Look, MessagePlan, MessageVersion, RecordPlan, Version};
use super::random::Dice;
use super::truth::Truth;
use std::collections::{BTreeMap, BTreeSet};

/// How a restless world is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Unrest {
    pub seed: u64,
    /// Number of local days, at least 1; they begin with the large world's first.
    pub days: u32,
    /// Call records and messages wanted; a large world that has fewer gives what it has.
    pub calls: usize,
    pub messages: usize,
    /// Extensions that stay listed, and so mailboxes.
    pub mailboxes: usize,
    /// No record shows up, and none changes, later than this after it began.
    pub latest_days: u32,
}

/// The stream of chance of a restless world; the streams of a day are small numbers.
const STREAM: u64 = 1 << 40;

impl World {
    /// Draws a restless world out of this one. Its truth is empty: times and changes are drawn anew, so that nothing
    /// of it can be billed against what happened.
    pub fn restless(&self, unrest: &Unrest) -> World {
        let days = unrest.days.max(1);
        let mut calendar = self.calendar;
        calendar.days = days;
        let (from_ms, to_ms) = calendar.span_ms();
        let mut draw = Draw {
            dice: Dice::new(unrest.seed, STREAM),
            from_ms,
            to_ms,
            latest_ms: i64::from(unrest.latest_days.max(1)) * DAY,
        };
        let seats = draw.seats(self, unrest.mailboxes);
        let mut cast = self.cast.clone();
        for (seat, extension) in cast.extensions.iter_mut().enumerate() {
            extension.listed &= seats.contains(&seat);
        }
        let mut records = draw.some(self.records.iter(), unrest.calls);
        records.iter_mut().for_each(|record| draw.disturb_record(record));
        let owned = self.messages.iter().filter(|message| seats.contains(&message.mailbox));
        let mut messages = draw.some(owned, unrest.messages);
        messages.iter_mut().for_each(|message| draw.disturb_message(message));
        let plot = super::Plot { seed: unrest.seed, days, ..self.plot };
        World::of(plot, calendar, cast, Truth::default(), records, messages)
    }
}

struct Draw {
    dice: Dice,
    from_ms: i64,
    to_ms: i64,
    latest_ms: i64,
}

impl Draw {
    /// The mailboxes that stay: those of the large world that hold messages.
    fn seats(&mut self, world: &World, wanted: usize) -> BTreeSet<Seat> {
        let mut seats: Vec<Seat> = world.messages_by_mailbox.keys().copied().collect();
        seats.retain(|seat| world.cast.extension(*seat).listed);
        while seats.len() > wanted.max(1) {
            seats.swap_remove(self.dice.index(seats.len()));
        }
        seats.into_iter().collect()
    }

    fn some<'a, T: Clone + 'a>(&mut self, all: impl Iterator<Item = &'a T>, wanted: usize) -> Vec<T> {
        let mut left: Vec<&T> = all.collect();
        let mut taken = Vec::new();
        while taken.len() < wanted && !left.is_empty() {
            taken.push(left.swap_remove(self.dice.index(left.len())).clone());
        }
        taken
    }

    /// An instant of the span: anywhere, close together, or at and around the full hours and days at which windows
    /// begin and end.
    fn instant_ms(&mut self) -> i64 {
        let span = self.to_ms - self.from_ms;
        match self.dice.weighted(&[60, 15, 15, 10]) {
            0 => self.from_ms + self.dice.between(0, span - 1),
            1 => self.from_ms + span / 3 + self.dice.between(0, 20 * MINUTE),
            2 => {
                let hour = (self.from_ms + self.dice.between(0, span - 1)) / HOUR * HOUR;
                hour + self.dice.pick(&[-1000, -1, 0, 1, 999, 1000])
            }
            _ => {
                let day = (self.from_ms + self.dice.between(0, span - 1)) / DAY * DAY;
                day + self.dice.pick(&[-1000, -1, 0, 1, 999, 1000])
            }
        }
    }

    /// How much later than usual something shows up or changes: mostly soon, sometimes days.
    fn later_ms(&mut self) -> i64 {
        let latest = self.latest_ms;
        let later = match self.dice.weighted(&[30, 30, 25, 15]) {
            0 => self.dice.between(1000, 5 * MINUTE),
            1 => self.dice.between(5 * MINUTE, 3 * HOUR),
            2 => self.dice.between(3 * HOUR, 30 * HOUR),
            _ => self.dice.between(DAY, latest.max(DAY + 1)),
        };
        later.min(latest)
    }

    fn disturb_record(&mut self, record: &mut RecordPlan) {
        record.start_ms = self.instant_ms().max(self.from_ms);
        if self.dice.chance(60) {
            // Long enough to reach over the end of its window and the settling lag.
            let more_ms = self.dice.between(HOUR, 7 * HOUR);
            record.lasting_ms += more_ms;
            record.legs.iter_mut().for_each(|leg| leg.lasting_ms += more_ms);
        }
        let ringing = record.versions.iter().find(|version| matches!(version.look, Look::Ringing(_)));
        let ringing = ringing.copied();
        let end_ms = record.end_ms();
        let mut at_ms = end_ms + self.dice.between(1000, 30_000);
        if self.dice.chance(150) {
            at_ms += self.later_ms();
        }
        let mut versions = Vec::new();
        if let Some(ringing) = ringing {
            versions.push(Version { visible_from_ms: record.start_ms + 2000, ..ringing });
        }
        let edits = self.dice.weighted(&[65, 20, 10, 5]);
        for edit in 0..edits {
            let look = match self.dice.below(4) {
                0 => Look::OffBySeconds(self.dice.between(1, 3)),
                1 => Look::Nameless,
                2 => Look::OtherResult("Hang Up"),
                // The final state, left and returned to.
                _ if edit > 0 => Look::Final,
                _ => Look::OffBySeconds(-1),
            };
            versions.push(Version { visible_from_ms: at_ms, look });
            at_ms += self.later_ms();
        }
        versions.push(Version { visible_from_ms: at_ms, look: Look::Final });
        if self.dice.chance(100) {
            versions.push(Version { visible_from_ms: at_ms + self.later_ms(), look: Look::Deleted });
        }
        let last_ms = end_ms + self.latest_ms;
        versions.retain(|version| version.visible_from_ms < last_ms);
        if versions.is_empty() {
            versions.push(Version { visible_from_ms: last_ms, look: Look::Final });
        }
        record.versions = versions;
    }

    fn disturb_message(&mut self, message: &mut MessagePlan) {
        let was_ms = message.created_ms;
        message.created_ms = self.instant_ms().max(self.from_ms);
        let mut late_ms = message.created_ms - was_ms;
        if self.dice.chance(150) {
            late_ms += self.later_ms();
        }
        for version in &mut message.versions {
            version.visible_from_ms += late_ms;
            version.delivered_ms = version.delivered_ms.map(|delivered_ms| delivered_ms + late_ms);
            if self.dice.chance(80) {
                late_ms += self.later_ms();
            }
        }
        let Some(last) = message.versions.last().cloned() else { return };
        if last.availability == Availability::Alive && self.dice.chance(120) {
            let gone = |visible_from_ms, availability| MessageVersion {
                visible_from_ms,
                availability,
                ..last.clone()
            };
            let deleted_ms = last.visible_from_ms + self.later_ms();
            message.versions.push(gone(deleted_ms, Availability::Deleted));
            if self.dice.chance(400) {
                message.versions.push(gone(deleted_ms + self.later_ms(), Availability::Purged));
            }
        }
        let last_ms = message.created_ms + self.latest_ms;
        let first = message.versions[0].clone();
        message.versions.retain(|version| version.visible_from_ms < last_ms);
        if message.versions.is_empty() {
            message.versions.push(MessageVersion { visible_from_ms: last_ms, ..first });
        }
    }
}

impl World {
    /// A world of parts that are in no order yet.
    pub(super) fn of(
        plot: super::Plot,
        calendar: Calendar,
        cast: super::Cast,
        truth: Truth,
        mut records: Vec<RecordPlan>,
        mut messages: Vec<MessagePlan>,
    ) -> World {
        records.sort_by_key(|record| (record.start_ms, record.serial));
        messages.sort_by_key(|message| (message.created_ms, message.id));
        let record_by_id = records.iter().enumerate().map(|(index, record)| (record.id(), index)).collect();
        let mut messages_by_mailbox: BTreeMap<Seat, Vec<usize>> = BTreeMap::new();
        for (index, message) in messages.iter().enumerate() {
            messages_by_mailbox.entry(message.mailbox).or_default().push(index);
        }
        World { plot, calendar, cast, truth, records, messages, record_by_id, messages_by_mailbox }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::world::Plot;

    fn unrest(seed: u64) -> Unrest {
        Unrest { seed, days: 4, calls: 80, messages: 40, mailboxes: 3, latest_days: 6 }
    }

    #[test]
    fn restless_worlds_are_small_ordered_and_repeat() {
        let large = World::generate(Plot { days: 2, ..Plot::default() });
        for seed in 0..20 {
            let world = large.restless(&unrest(seed));
            assert_eq!(
                format!("{:?}", world.records),
                format!("{:?}", large.restless(&unrest(seed)).records)
            );
            assert_eq!(world.records.len(), 80);
            assert!(!world.messages.is_empty() && world.messages.len() <= 40);
            assert_eq!(world.cast.extensions.iter().filter(|extension| extension.listed).count(), 3);
            for record in &world.records {
                let times: Vec<i64> = record.versions.iter().map(|version| version.visible_from_ms).collect();
                assert!(times.is_sorted() && !times.is_empty(), "{times:?}");
                assert!(times.iter().all(|at_ms| *at_ms <= record.end_ms() + 6 * DAY));
            }
            for message in &world.messages {
                let times: Vec<i64> =
                    message.versions.iter().map(|version| version.visible_from_ms).collect();
                assert!(times.is_sorted() && times[0] >= message.created_ms, "{times:?}");
            }
        }
    }
}
