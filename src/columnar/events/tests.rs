//! A row of the table is the event it was made of, whatever the event says and however many there are.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::*;

fn below(dice: &mut ChaCha8Rng, end: u64) -> u64 {
    dice.next_u64() % end
}

fn some<T>(dice: &mut ChaCha8Rng, value: impl FnOnce(&mut ChaCha8Rng) -> T) -> Option<T> {
    (below(dice, 3) > 0).then(|| value(dice))
}

fn text(dice: &mut ChaCha8Rng) -> Option<String> {
    const WORDS: [&str; 6] = ["", "M-1", "Zo\u{eb}", "a text beyond twelve bytes", "'", "\u{1F4DE}"];
    some(dice, |dice| WORDS[usize::try_from(below(dice, 6)).unwrap()].to_owned())
}

fn side(dice: &mut ChaCha8Rng) -> Party {
    let digits = below(dice, 10_u64.pow(15));
    let number = party(below(dice, 6), digits).unwrap();
    Party {
        number,
        country: some(dice, |dice| {
            Country::from_letters([b'A' + below(dice, 26) as u8, b'A' + below(dice, 26) as u8]).unwrap()
        }),
        toll_free: below(dice, 4) == 0,
        raw: String::new(),
        name: None,
    }
}

fn milliseconds(dice: &mut ChaCha8Rng) -> Option<i64> {
    some(dice, |dice| match below(dice, 20) {
        0 => i64::MAX,
        1 => i64::MIN,
        _ => below(dice, 100_000) as i64,
    })
}

fn count(dice: &mut ChaCha8Rng) -> Option<u32> {
    some(dice, |dice| dice.next_u32())
}

fn pick<T: Copy>(dice: &mut ChaCha8Rng, words: &[T]) -> T {
    words[usize::try_from(below(dice, words.len() as u64)).unwrap()]
}

fn entry(dice: &mut ChaCha8Rng) -> TimeEntry {
    TimeEntry {
        extension: some(dice, |dice| below(dice, 1000)),
        start: Instant::from_milliseconds(dice.next_u32().into()),
        milliseconds: below(dice, 10_000) as i64,
    }
}

fn event(dice: &mut ChaCha8Rng, row: usize) -> BillableEvent {
    let coding = some(dice, |dice| Coding {
        contact: text(dice),
        matter: text(dice),
        timekeeper: text(dice),
        task: text(dice),
        narrative: None,
    });
    BillableEvent {
        id: format!("call:{row}"),
        start: Instant::from_milliseconds(dice.next_u64() as i64),
        channel: pick(dice, Channel::ALL),
        direction: pick(dice, Direction::ALL),
        outcome: pick(dice, Outcome::ALL),
        result: String::new(),
        error_code: text(dice),
        from: side(dice),
        to: side(dice),
        extension: some(dice, RngCore::next_u64),
        extensions: Vec::new(),
        legs: Vec::new(),
        quantities: LegQuantities {
            customer_facing: milliseconds(dice),
            master: milliseconds(dice),
            estimated_talk: milliseconds(dice),
            longest_leg: milliseconds(dice),
            first_answered: milliseconds(dice),
            sum_of_legs: milliseconds(dice),
            without_legs: below(dice, 2) == 0,
        },
        entries: (0..below(dice, 4)).map(|_| entry(dice)).collect(),
        segments: count(dice),
        segment_counts: SegmentWays {
            gsm7_pairs: count(dice),
            gsm7_graphemes: count(dice),
            national_pairs: count(dice),
            national_graphemes: count(dice),
        },
        pages: count(dice),
        account_code: text(dice),
        contact: text(dice),
        site: text(dice),
        department: text(dice),
        cost_centre: text(dice),
        ringcentral_account: text(dice),
        coding,
        carrier_cost: some(dice, |dice| {
            let digits = i128::from(dice.next_u64()) * i128::from(dice.next_u32());
            Decimal::from_i128_with_scale(digits - (1 << 90), below(dice, 29) as u32)
        }),
        message_id: None,
        last_modified: some(dice, |dice| Instant::from_milliseconds(dice.next_u64() as i64)),
        evidence: Vec::new(),
        remarks: Vec::new(),
    }
}

/// A view compares by what it shows.
fn same(columns: &EventColumns<'_>, row: usize, event: &BillableEvent) {
    let (seen, told) = (columns.view(row).unwrap(), event.view());
    assert_eq!(format!("{seen:?}"), format!("{told:?}"), "row {row}");
    assert_eq!(seen.carrier_cost.map(|cost| cost.scale()), told.carrier_cost.map(|cost| cost.scale()));
}

#[test]
fn every_row_is_its_event() {
    let mut dice = ChaCha8Rng::seed_from_u64(4);
    for rows in [0, 1, 2, 3, 7, 999, 1000, 1001] {
        let events: Vec<BillableEvent> = (0..rows).map(|row| event(&mut dice, row)).collect();
        let frame = frame(&events).unwrap();
        let columns = EventColumns::of(&frame).unwrap();
        assert_eq!((columns.len(), columns.is_empty()), (rows, rows == 0));
        for (row, event) in events.iter().enumerate() {
            same(&columns, row, event);
        }
    }
}

#[test]
fn an_event_that_says_nothing_says_nothing_in_the_table() {
    let mut dice = ChaCha8Rng::seed_from_u64(5);
    let mut bare = event(&mut dice, 0);
    bare.entries = Vec::new();
    bare.quantities = LegQuantities::default();
    bare.segment_counts = SegmentWays::default();
    (bare.segments, bare.pages, bare.extension) = (None, None, None);
    (bare.carrier_cost, bare.last_modified, bare.coding) = (None, None, None);
    let full = event(&mut dice, 1);
    for events in [vec![bare.clone()], vec![bare.clone(), full.clone(), bare.clone()], vec![full, bare]] {
        let frame = frame(&events).unwrap();
        let columns = EventColumns::of(&frame).unwrap();
        events.iter().enumerate().for_each(|(row, event)| same(&columns, row, event));
    }
}

#[test]
fn what_is_no_event_table_is_refused() {
    let frame = frame(&[]).unwrap();
    let less = frame.drop("entry_ms").unwrap();
    assert_eq!(EventColumns::of(&less).err().map(|failure| failure.exit()), Some(Exit::Verification));
}
