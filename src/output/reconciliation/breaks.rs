//! `breaks.csv` and `breaks.json`: every break with both sides.

use serde::Serialize;

use crate::domain::number::PartyNumber;
use crate::domain::reconciliation::{Break, BreakKind, Expectation, Observation, Reconciliation};
use crate::domain::time::{Period, Zone};
use crate::output::json::{self, JsonPeriod};
use crate::output::table::{Cell, Table};
use crate::output::{Heading, text};

const HEADER: [&str; 19] = [
    "kind",
    "expectation",
    "reference",
    "contact",
    "number",
    "channel",
    "direction",
    "due_from",
    "due_to",
    "observed_at",
    "event_id",
    "outcome",
    "arrived",
    "error_code",
    "pages_expected",
    "pages_observed",
    "rule",
    "location",
    "explanation",
];

/// The contact of a break: the one that was expected, else the one observed.
pub(super) fn contact(one: &Break) -> Option<&str> {
    let expected = one.expectation.as_ref().and_then(|expectation| expectation.contact.as_deref());
    expected.or_else(|| one.observation.as_ref().and_then(|observation| observation.contact.as_deref()))
}

/// The other party's number of a break: the one that was expected, else the one observed.
pub(super) fn number(one: &Break) -> Option<u64> {
    let expected = one.expectation.as_ref().and_then(|expectation| expectation.number);
    expected.or_else(|| one.observation.as_ref().and_then(|observation| observation.number))
}

/// Outcome for people, with the service's error code when there is one.
pub(super) fn outcome(observation: &Observation) -> String {
    match &observation.error_code {
        Some(code) => format!("{} ({code})", observation.outcome),
        None => observation.outcome.to_string(),
    }
}

/// The bytes of `breaks.csv`; times carry the offset of the period's zone.
pub(super) fn table(breaks: &[&Break], zone: Zone) -> Vec<u8> {
    let mut table = Table::new(&HEADER);
    for one in breaks {
        let (expectation, observation) = (one.expectation.as_ref(), one.observation.as_ref());
        let channel = expectation.map(|side| side.channel).or(observation.map(|side| side.channel));
        let direction = expectation.map(|side| side.direction).or(observation.map(|side| side.direction));
        let time = |instant| Cell::text(&text::rfc3339(zone, instant));
        table.row(&[
            Cell::text(one.kind.word()),
            Cell::optional_text(expectation.map(|side| side.id.as_str())),
            Cell::optional_text(expectation.and_then(|side| side.reference.as_deref())),
            Cell::optional_text(contact(one)),
            Cell::optional_text(number(one).map(show_number).as_deref()),
            Cell::optional_text(channel.map(|channel| channel.word())),
            Cell::optional_text(direction.map(|direction| direction.word())),
            expectation.map_or_else(Cell::empty, |side| time(side.due.from)),
            expectation.map_or_else(Cell::empty, |side| time(side.due.to)),
            observation.map_or_else(Cell::empty, |side| time(side.start)),
            Cell::optional_text(observation.map(|side| side.event_id.as_str())),
            Cell::optional_text(observation.map(|side| side.outcome.word())),
            Cell::optional_text(observation.map(|side| side.arrived.word())),
            Cell::optional_text(observation.and_then(|side| side.error_code.as_deref())),
            Cell::optional_figure(expectation.and_then(|side| side.pages)),
            Cell::optional_figure(observation.and_then(|side| side.pages)),
            Cell::optional_text(one.rule.map(|rule| rule.word())),
            Cell::optional_text(expectation.map(|side| side.location.as_str())),
            Cell::text(&one.explanation),
        ]);
    }
    table.into_bytes()
}

fn show_number(digits: u64) -> String {
    PartyNumber::E164(digits).to_string()
}

#[derive(Serialize)]
struct Facts<'a> {
    format: &'static str,
    company: &'a str,
    run: &'a str,
    specimen: bool,
    period: JsonPeriod,
    expectations: u64,
    observations: u64,
    matched: usize,
    expectations_elsewhere: u64,
    out_of_scope: u64,
    counts: Vec<KindCount>,
    breaks: Vec<JsonBreak<'a>>,
}

#[derive(Serialize)]
struct KindCount {
    kind: &'static str,
    breaks: usize,
}

#[derive(Serialize)]
struct JsonBreak<'a> {
    kind: &'static str,
    rule: Option<&'static str>,
    explanation: &'a str,
    expectation: Option<JsonExpectation<'a>>,
    observation: Option<JsonObservation<'a>>,
}

#[derive(Serialize)]
struct JsonExpectation<'a> {
    id: &'a str,
    contact: Option<&'a str>,
    number: Option<String>,
    channel: &'static str,
    direction: &'static str,
    due_from: String,
    due_to: String,
    pages: Option<u32>,
    reference: Option<&'a str>,
    location: &'a str,
}

#[derive(Serialize)]
struct JsonObservation<'a> {
    event: &'a str,
    contact: Option<&'a str>,
    number: Option<String>,
    channel: &'static str,
    direction: &'static str,
    start: String,
    pages: Option<u32>,
    outcome: &'static str,
    arrived: &'static str,
    error_code: Option<&'a str>,
    message: Option<&'a str>,
}

/// The bytes of `breaks.json`; instants are in UTC.
pub(super) fn json(
    reconciliation: &Reconciliation,
    breaks: &[&Break],
    period: &Period,
    heading: &Heading,
) -> Vec<u8> {
    let count = |kind: &BreakKind| KindCount {
        kind: kind.word(),
        breaks: breaks.iter().filter(|one| one.kind == *kind).count(),
    };
    json::bytes(&Facts {
        format: "tollbook breaks 1",
        company: &heading.company,
        run: &heading.run_id,
        specimen: heading.specimen,
        period: JsonPeriod::from(period),
        expectations: reconciliation.expectations,
        observations: reconciliation.observations,
        matched: reconciliation.matched.len(),
        expectations_elsewhere: reconciliation.expectations_elsewhere,
        out_of_scope: reconciliation.out_of_scope,
        counts: BreakKind::ALL.iter().map(count).collect(),
        breaks: breaks.iter().map(|one| json_break(one)).collect(),
    })
}

fn json_break(one: &Break) -> JsonBreak<'_> {
    JsonBreak {
        kind: one.kind.word(),
        rule: one.rule.map(|rule| rule.word()),
        explanation: &one.explanation,
        expectation: one.expectation.as_ref().map(json_expectation),
        observation: one.observation.as_ref().map(json_observation),
    }
}

fn json_expectation(expectation: &Expectation) -> JsonExpectation<'_> {
    JsonExpectation {
        id: &expectation.id,
        contact: expectation.contact.as_deref(),
        number: expectation.number.map(show_number),
        channel: expectation.channel.word(),
        direction: expectation.direction.word(),
        due_from: expectation.due.from.rfc3339(),
        due_to: expectation.due.to.rfc3339(),
        pages: expectation.pages,
        reference: expectation.reference.as_deref(),
        location: &expectation.location,
    }
}

fn json_observation(observation: &Observation) -> JsonObservation<'_> {
    JsonObservation {
        event: &observation.event_id,
        contact: observation.contact.as_deref(),
        number: observation.number.map(show_number),
        channel: observation.channel.word(),
        direction: observation.direction.word(),
        start: observation.start.rfc3339(),
        pages: observation.pages,
        outcome: observation.outcome.word(),
        arrived: observation.arrived.word(),
        error_code: observation.error_code.as_deref(),
        message: observation.message_id.as_deref(),
    }
}
