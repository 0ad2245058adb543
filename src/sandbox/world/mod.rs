//! The sandbox's world: a seeded month of one account of a small answering service in New York.
//!
//! What really happened is drawn first, as [`Truth`], together with compact plans of the records that tell of it. The
//! world knows nothing of HTTP, has no clock of its own and reads nothing: the same [`Plot`] is the same world, byte
//! for byte. Only tests look at the truth.

pub(crate) mod calendar;
mod calls;
mod calls_in;
mod calls_out;
pub(crate) mod cast;
pub(crate) mod clients;
mod crowded;
mod faxes;
mod maker;
pub(crate) mod number;
mod oddities;
pub(crate) mod plan;
pub(crate) mod random;
mod restless;
mod texts;
pub mod truth;
mod wording;

pub use restless::Unrest;

use calendar::Calendar;
use cast::{Cast, Seat};
use chrono::{DateTime, Utc};
use maker::Draft;
use plan::{MessagePlan, RecordPlan};
use std::collections::BTreeMap;
use truth::Truth;

/// What a world is made from.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    pub seed: u64,
    /// The first local day (America/New_York) is the one on which this instant falls.
    pub from: DateTime<Utc>,
    /// Number of local days, at least 1.
    pub days: u32,
    /// Whether an internal call has one record for each side instead of one for both: nobody knows which the real
    /// service does.
    pub internal_sides: bool,
}

impl Default for Plot {
    /// October 2026 in New York.
    fn default() -> Plot {
        Plot { seed: 1, from: Calendar::default_from(), days: 31, internal_sides: false }
    }
}

/// A month of one account.
#[derive(Clone, Debug)]
pub struct World {
    plot: Plot,
    pub(crate) calendar: Calendar,
    pub(crate) cast: Cast,
    truth: Truth,
    /// By start, then serial.
    pub(crate) records: Vec<RecordPlan>,
    /// By creation, then id.
    pub(crate) messages: Vec<MessagePlan>,
    record_by_id: BTreeMap<String, usize>,
    messages_by_mailbox: BTreeMap<Seat, Vec<usize>>,
}

impl World {
    /// Draws a world. A month takes well under a second.
    pub fn generate(plot: Plot) -> World {
        let days = plot.days.max(1);
        let calendar = Calendar::new(plot.from, days);
        let cast = Cast::new(&calendar);
        let mut draft = Draft::default();
        for day in 0..i64::from(days) {
            calls::draw(&cast, &calendar, &mut draft, plot.seed, day, plot.internal_sides);
            texts::draw(&cast, &calendar, &mut draft, plot.seed, day);
            faxes::draw(&cast, &calendar, &mut draft, plot.seed, day);
        }
        oddities::draw(&cast, &calendar, &mut draft, plot.seed);
        let Draft { truth, records, messages } = draft;
        World::of(plot, calendar, cast, truth, records, messages)
    }

    /// The same world with other histories of its records. Ids, starts and mailboxes must stay as they are.
    pub(crate) fn changed(
        &self,
        record: impl FnMut(&mut RecordPlan),
        message: impl FnMut(&mut MessagePlan),
    ) -> World {
        let mut world = self.clone();
        world.records.iter_mut().for_each(record);
        world.messages.iter_mut().for_each(message);
        world
    }

    /// What the world was made from.
    pub fn plot(&self) -> Plot {
        self.plot
    }

    /// What really happened. For tests only: nothing that is served may be decided by it.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The world's month as instants, half-open.
    pub fn span(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        let (from_ms, to_ms) = self.calendar.span_ms();
        (calendar::instant(from_ms), calendar::instant(to_ms))
    }

    /// The instant from which on nothing changes any more.
    pub fn settled(&self) -> DateTime<Utc> {
        let records =
            self.records.iter().flat_map(|record| &record.versions).map(|version| version.visible_from_ms);
        let messages = self.messages.iter().flat_map(|message| &message.versions);
        let last_ms = records.chain(messages.map(|version| version.visible_from_ms)).max();
        calendar::instant(last_ms.unwrap_or_default() + 1)
    }

    pub(crate) fn record(&self, id: &str) -> Option<&RecordPlan> {
        self.record_by_id.get(id).map(|index| &self.records[*index])
    }

    /// Records that start in a half-open interval, oldest first.
    pub(crate) fn records_between(&self, from_ms: i64, to_ms: i64) -> &[RecordPlan] {
        let first = self.records.partition_point(|record| record.start_ms < from_ms);
        let last = self.records.partition_point(|record| record.start_ms < to_ms);
        &self.records[first..last.max(first)]
    }

    /// Messages of one mailbox, oldest first.
    pub(crate) fn mailbox(&self, seat: Seat) -> impl DoubleEndedIterator<Item = &MessagePlan> {
        let indices = self.messages_by_mailbox.get(&seat).map_or(&[][..], Vec::as_slice);
        indices.iter().map(|index| &self.messages[*index])
    }
}

#[cfg(test)]
mod tests;
