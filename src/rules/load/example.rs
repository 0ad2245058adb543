//! Examples: the tests that travel with a tariff.

use rust_decimal::Decimal;

use crate::domain::Instant;
use crate::domain::charge::Unit;
use crate::domain::disposition::EventDisposition;
use crate::domain::number::ReadNumber;
use crate::domain::outcome::{Channel, Direction, Outcome};
use crate::rules::parts::{AMOUNT_HINT, GRANT_HINT, required_word, value, word};
use crate::rules::reader::{self, Grant};
use crate::rules::ruleset::{Example, ExampleEvent};
use crate::rules::table::{Table, Text};

use super::{Draft, GivenMention, Mention};

const START_HINT: &str = "Write it with an offset: \"2026-03-09T14:00:00-04:00\".";

/// Longer than any call, and small enough to be counted in milliseconds.
const SECONDS_MAX: i64 = 1_000_000_000;

/// What an example sets before its event.
#[derive(Default)]
struct Given {
    left: Vec<(String, i64)>,
    left_amounts: Vec<(String, Decimal)>,
    used: Vec<(String, i64)>,
    /// All names with what they are counted in, and whether they are those of rates.
    names: Vec<(Text, Unit, bool)>,
}

impl Draft<'_> {
    pub(super) fn read_examples(&mut self, top: &Table<'_, '_>) {
        for table in top.tables("example", "example") {
            self.read_example(&table);
            table.finish();
        }
    }

    fn read_example(&mut self, table: &Table<'_, '_>) {
        let tariff = table.required_text("tariff", "Name the tariff the example is for.");
        let event =
            table.table("event", "event of the example").and_then(|event| self.read_example_event(event));
        if table.get("event").is_none() {
            table.complain("missing-key", table.span.clone(), "example has no event", "Describe one event.");
        }
        let given = table.table("given", "given of the example").map(read_given).unwrap_or_default();
        let expect = table.table("expect", "expect of the example");
        if table.get("expect").is_none() {
            table.complain(
                "missing-key",
                table.span.clone(),
                "example expects nothing",
                "Write expect = { charge = … }.",
            );
        }
        let (charge, disposition, because) =
            expect.map(|expect| read_expectation(table, expect)).unwrap_or_default();
        let Some(tariff) = tariff else { return };
        self.tariff_mentions.push(Mention { file: table.file.to_owned(), name: tariff.clone() });
        for (name, unit, used) in given.names {
            let (file, tariff) = (table.file.to_owned(), tariff.value.clone());
            self.given.push(GivenMention { file, tariff, name, unit, used });
        }
        let Some(event) = event else { return };
        self.rules.examples.push(Example {
            tariff: tariff.value,
            event,
            left: given.left,
            left_amounts: given.left_amounts,
            used: given.used,
            charge,
            disposition,
            because,
            file: table.file.to_owned(),
            span: table.span.clone(),
        });
    }

    fn read_example_event(&mut self, table: Table<'_, '_>) -> Option<ExampleEvent> {
        let channel = required_word(&table, "channel", Channel::from_word, Channel::ALL);
        let direction = word(&table, "direction", Direction::from_word, Direction::ALL);
        let outcome = word(&table, "outcome", Outcome::from_word, Outcome::ALL);
        let start = table.required_text("start", START_HINT).and_then(|text| {
            let parsed = Instant::parse(&text.value);
            if parsed.is_none() {
                let message = format!("\"{}\" is not a time with an offset", text.value);
                table.complain("wrong-value", text.span.clone(), message, START_HINT);
            }
            parsed
        });
        let (from, to) = (self.party(&table, "from"), self.party(&table, "to"));
        let milliseconds = read_milliseconds(&table);
        let (segments, pages) = (count(&table, "segments"), count(&table, "pages"));
        let extension = value(&table, "extension", reader::extension, "Write it as \"101\".");
        let timekeeper = table.text("timekeeper").and_then(|text| self.timekeeper(&table, text));
        let text = |key| table.text(key).map(|text| text.value);
        let (matter, error_code) = (text("matter"), text("error_code"));
        let carrier_cost = value(&table, "carrier_cost", reader::amount, AMOUNT_HINT);
        table.finish();
        let channel = channel?;
        let direction = direction.unwrap_or(Direction::Outbound);
        Some(ExampleEvent {
            start: start?,
            channel,
            direction,
            outcome: outcome.unwrap_or(usual_outcome(channel, direction)),
            from,
            to,
            milliseconds,
            segments,
            pages,
            extension,
            matter,
            timekeeper,
            error_code,
            carrier_cost,
        })
    }

    fn party(&mut self, table: &Table<'_, '_>, key: &'static str) -> ReadNumber {
        let text = table.text(key).map(|text| text.value).unwrap_or_default();
        self.numbers.read_whole(&text)
    }
}

fn usual_outcome(channel: Channel, direction: Direction) -> Outcome {
    match (channel, direction) {
        (Channel::Voice, _) => Outcome::Answered,
        (_, Direction::Inbound) | (Channel::Voicemail, _) => Outcome::Received,
        (Channel::Fax, _) => Outcome::Sent,
        _ => Outcome::Delivered,
    }
}

fn read_milliseconds(table: &Table<'_, '_>) -> Option<i64> {
    let (seconds, milliseconds) =
        (length(table, "seconds", SECONDS_MAX), length(table, "milliseconds", SECONDS_MAX * 1000));
    if table.get("seconds").is_some() && table.get("milliseconds").is_some() {
        let message = "the event has both seconds and milliseconds";
        table.complain("several-lengths", table.span_of("milliseconds"), message, "Keep one of them.");
    }
    milliseconds.or(seconds.map(|seconds| seconds * 1000))
}

fn length(table: &Table<'_, '_>, key: &'static str, max: i64) -> Option<i64> {
    let (length, span) = table.integer(key)?;
    if !(0..=max).contains(&length) {
        let message = format!("{length} {key} are no length of a call");
        table.complain("wrong-value", span, message, "Write a whole number from 0.");
        return None;
    }
    Some(length)
}

fn count(table: &Table<'_, '_>, key: &'static str) -> Option<u32> {
    let (count, span) = table.integer(key)?;
    let small = u32::try_from(count).ok();
    if small.is_none() {
        table.complain(
            "wrong-value",
            span,
            format!("{count} {key} cannot be"),
            "Write a whole number from 0.",
        );
    }
    small
}

fn read_given(table: Table<'_, '_>) -> Given {
    let mut given = Given::default();
    if let Some(inner) = table.table("left", "left of the example") {
        for (name, text) in inner.free_texts() {
            match reader::grant(&text.value) {
                Ok(grant) => {
                    match grant {
                        Grant::Units(_, units) => given.left.push((name.value.clone(), units)),
                        Grant::Money(amount) => given.left_amounts.push((name.value.clone(), amount)),
                    }
                    given.names.push((name, grant.unit(), false));
                }
                Err(message) => inner.complain("wrong-value", text.span, message, GRANT_HINT),
            }
        }
    }
    if let Some(inner) = table.table("used", "used of the example") {
        for (name, text) in inner.free_texts() {
            match reader::granted(&text.value) {
                Ok((unit, units)) => {
                    given.used.push((name.value.clone(), units));
                    given.names.push((name, unit, true));
                }
                Err(message) => inner.complain("wrong-value", text.span, message, GRANT_HINT),
            }
        }
    }
    table.finish();
    given
}

type Expected = (Option<Decimal>, Option<EventDisposition>, Vec<String>);

fn read_expectation(example: &Table<'_, '_>, expect: Table<'_, '_>) -> Expected {
    let charge = value(&expect, "charge", reader::amount, "Write digits in quotes: \"0.04795\".");
    let disposition = word(&expect, "disposition", EventDisposition::from_word, EventDisposition::ALL);
    let because = expect.texts("because").into_iter().map(|text| text.value).collect();
    if ["charge", "disposition", "because"].iter().all(|key| expect.get(key).is_none()) {
        let hint = "Write a charge, a disposition or a step it must show.";
        example.complain("empty-example", example.span.clone(), "example expects nothing", hint);
    }
    expect.finish();
    (charge, disposition, because)
}
