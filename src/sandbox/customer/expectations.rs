//! `expectations.csv`: what the dispatch desk undertook to send.
//!
//! The list is right about what was promised, not about what was sent: the differences are for reconciliation to find.

use super::table;
use crate::sandbox::world::World;
use crate::sandbox::world::number::e164;
use crate::sandbox::world::truth::{Fate, Promise};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use std::io;

const HEADER: [&str; 9] =
    ["id", "contact", "number", "channel", "direction", "due_from", "due_to", "pages", "reference"];

pub(super) fn write(world: &World) -> io::Result<Vec<u8>> {
    let mut promises: Vec<&Promise> = world.truth().promises.iter().collect();
    promises.retain(|promise| promise.fate != Fate::NotPromised);
    promises.sort_by_key(|promise| (promise.due_from, promise.due_to, promise.number));
    table(&HEADER, promises.into_iter().enumerate().map(|(index, promise)| row(index, promise)))
}

fn row(index: usize, promise: &Promise) -> Vec<String> {
    // The desk's fax software notes the message's id, its text software does so for half of them, and neither knows
    // an id of what was never sent or went elsewhere.
    let reference = match (promise.channel, promise.fate) {
        (_, Fate::NeverSent | Fate::WrongParty) => None,
        ("fax", _) => promise.message_id,
        (_, _) => promise.message_id.filter(|id| id / 1000 % 2 == 0),
    };
    vec![
        format!("E-{:06}", index + 1),
        promise.contact.clone().unwrap_or_default(),
        e164(promise.number),
        promise.channel.to_owned(),
        "outbound".to_owned(),
        whole_second(promise.due_from),
        whole_second(promise.due_to + TimeDelta::milliseconds(999)),
        promise.pages.map(|pages| pages.to_string()).unwrap_or_default(),
        reference.map(|id| id.to_string()).unwrap_or_default(),
    ]
}

fn whole_second(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::world::Plot;
    use std::collections::BTreeMap;

    #[test]
    fn what_was_not_promised_is_not_listed() {
        let world = World::generate(Plot::default());
        let mut fates: BTreeMap<Fate, usize> = BTreeMap::new();
        for promise in &world.truth().promises {
            *fates.entry(promise.fate).or_default() += 1;
        }
        let listed: usize =
            fates.iter().filter(|(fate, _)| **fate != Fate::NotPromised).map(|(_, count)| count).sum();
        let bytes = write(&world).expect("a table");
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        assert_eq!(reader.headers().expect("a header").iter().collect::<Vec<_>>(), HEADER);
        assert_eq!(reader.records().count(), listed);
        assert!(fates.values().all(|count| *count > 0), "{fates:?}");
        assert!(fates[&Fate::Kept] * 10 > listed * 9, "{fates:?}");
    }
}
