//! The two ledgers of the conservation law as tables, added up before the reader's eyes.

use serde::Serialize;

use crate::domain::disposition::{Conservation, ControlTotal, EventDisposition, RecordDisposition};
use crate::output::{control, text};

/// A table whose rows must give its sum, and whose sum must be the expected one.
#[derive(Serialize)]
pub(super) struct RecordLedger<'a> {
    rows: Vec<RecordRow>,
    /// Excluded by which rule.
    excluded: Vec<RuleRow<'a>>,
    sum: String,
    collected: String,
    adds_up: bool,
}

#[derive(Serialize)]
struct RecordRow {
    name: &'static str,
    records: String,
    empty: bool,
}

#[derive(Serialize)]
struct RuleRow<'a> {
    rule: &'a str,
    records: String,
}

/// The ledger of events in all its quantities.
#[derive(Serialize)]
pub(super) struct EventLedger {
    rows: Vec<EventRow>,
    sum: Quantities,
    mediated: Quantities,
    adds_up: bool,
}

#[derive(Serialize)]
struct EventRow {
    name: &'static str,
    total: Quantities,
    empty: bool,
}

/// One control total for people.
#[derive(Serialize)]
pub(super) struct Quantities {
    events: String,
    time: String,
    segments: String,
    pages: String,
}

/// The bridge: records that are evidence, and the events that mediation made of them.
#[derive(Serialize)]
pub(super) struct Bridge {
    primary: String,
    supporting: String,
    events: Quantities,
}

/// The ledger of records.
pub(super) fn records(conservation: &Conservation) -> RecordLedger<'_> {
    let mut sum = 0_i128;
    let mut rows = Vec::with_capacity(RecordDisposition::ALL.len());
    for disposition in RecordDisposition::ALL {
        let records = conservation.records.get(disposition).copied().unwrap_or(0);
        sum += i128::from(records);
        rows.push(RecordRow { name: disposition.word(), records: text::count(records), empty: records == 0 });
    }
    let excluded = conservation.excluded.iter();
    let excluded = excluded.map(|(rule, records)| RuleRow { rule, records: text::count(*records) });
    RecordLedger {
        rows,
        excluded: excluded.collect(),
        sum: text::count(sum),
        collected: text::count(conservation.records_collected),
        adds_up: sum == i128::from(conservation.records_collected),
    }
}

/// The bridge between the ledgers.
pub(super) fn bridge(conservation: &Conservation) -> Bridge {
    let records = |disposition| text::count(conservation.records.get(&disposition).copied().unwrap_or(0));
    Bridge {
        primary: records(RecordDisposition::Primary),
        supporting: records(RecordDisposition::Supporting),
        events: quantities(&conservation.events_mediated),
    }
}

/// The ledger of events.
pub(super) fn events(conservation: &Conservation) -> EventLedger {
    let sum = control::sum_of_events(conservation);
    let nothing = ControlTotal::default();
    let row = |disposition: &EventDisposition| {
        let total = conservation.events.get(disposition).unwrap_or(&nothing);
        EventRow { name: disposition.word(), total: quantities(total), empty: *total == nothing }
    };
    EventLedger {
        rows: EventDisposition::ALL.iter().map(row).collect(),
        sum: quantities(&sum),
        mediated: quantities(&conservation.events_mediated),
        adds_up: sum == conservation.events_mediated,
    }
}

fn quantities(total: &ControlTotal) -> Quantities {
    Quantities {
        events: text::count(total.events),
        time: text::duration_of_milliseconds(total.milliseconds),
        segments: text::count(total.segments),
        pages: text::count(total.pages),
    }
}
