//! A month of expectations, met and broken.

use crate::domain::outcome::{Arrived, Channel, Direction, Outcome};
use crate::domain::reconciliation::{
    Break, BreakKind, Expectation, MatchGroup, MatchRule, Observation, Reconciliation,
};
use crate::domain::time::{Instant, Span};
use crate::output::reconciliation::ContactNames;

/// Forty-two expectations, thirty-four of them met.
pub(in crate::output) fn reconciliation() -> Reconciliation {
    let mut result = Reconciliation {
        expectations: 44,
        observations: 40,
        out_of_scope: 1_812,
        expectations_elsewhere: 3,
        ..Default::default()
    };
    for number in 1..=34 {
        let (channel, pages) =
            if number % 4 == 0 { (Channel::Fax, Some(number % 5 + 1)) } else { (Channel::Sms, None) };
        let expectation = expectation(number, "maple-dental", channel, pages);
        let observation = observation(&expectation, 0, Outcome::Delivered, Arrived::Yes);
        result.matched.push(MatchGroup { expectation, observation, rule: MatchRule::NumberAndWindow });
    }
    result.breaks = breaks();
    result
}

/// One break of every kind, in no order.
fn breaks() -> Vec<Break> {
    const PAGES: &str = "Four pages were expected, three were sent.";
    const UNEXPECTED: &str = "A text went to this number and nobody expected one.";
    const REFUSED: &str = "The text was sent in time and the carrier refused it: SMS-UP-430.";
    const LATE: &str = "Delivered 3 h 20 min after the end of its window.";
    const UNKNOWN: &str = "Sent, and no delivery receipt came within 72 hours.";
    const OTHER: &str = "A fax to this contact was due at +12125550142 and went to another of its numbers.";
    use {Arrived as A, BreakKind as B, Channel as C, Outcome as O};
    let mut pages = seen(B::QuantityMismatch, 40, C::Fax, 0, (O::Sent, A::Yes), PAGES);
    pages.observation.as_mut().unwrap().pages = Some(3);
    let mut unexpected = seen(B::UnexpectedObservation, 44, C::Sms, 1, (O::Delivered, A::Yes), UNEXPECTED);
    unexpected.expectation = None;
    unexpected.rule = None;
    vec![
        seen(B::StatusMismatch, 37, C::Sms, 0, (O::DeliveryFailed, A::No), REFUSED),
        missing(35),
        seen(B::Late, 38, C::Sms, 7, (O::Delivered, A::Yes), LATE),
        pages,
        unexpected,
        missing(36),
        seen(B::Indeterminate, 41, C::Sms, 1, (O::Sent, A::Indeterminate), UNKNOWN),
        seen(B::PartyMismatch, 42, C::Fax, 0, (O::Sent, A::Yes), OTHER),
    ]
}

fn missing(number: u32) -> Break {
    let explanation = "A text was due to this number and the log has none, neither in the window nor within two days after it.";
    Break {
        kind: BreakKind::MissingObservation,
        expectation: Some(expectation(number, "maple-dental", Channel::Sms, None)),
        observation: None,
        rule: None,
        explanation: explanation.to_owned(),
    }
}

fn seen(
    kind: BreakKind,
    number: u32,
    channel: Channel,
    hours: i64,
    (outcome, arrived): (Outcome, Arrived),
    explanation: &str,
) -> Break {
    let expectation = expectation(number, "C-1007", channel, (channel == Channel::Fax).then_some(4));
    let observation = observation(&expectation, hours, outcome, arrived);
    Break {
        kind,
        expectation: Some(expectation),
        observation: Some(observation),
        rule: Some(MatchRule::NumberAndWindow),
        explanation: explanation.to_owned(),
    }
}

pub(in crate::output) fn contact_names() -> ContactNames {
    [("maple-dental", "Maple Street Dental"), ("C-1007", "Whitfield & O\u{2019}Brien, Attorneys at Law")]
        .into_iter()
        .map(|(id, name)| (id.to_owned(), name.to_owned()))
        .collect()
}

fn instant(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

fn expectation(number: u32, contact: &str, channel: Channel, pages: Option<u32>) -> Expectation {
    let day = number % 27 + 1;
    Expectation {
        id: format!("EXP-{number:04}"),
        contact: Some(contact.to_owned()),
        number: Some(12_125_550_100 + u64::from(number)),
        channel,
        direction: Direction::Outbound,
        due: Span {
            from: instant(&format!("2026-10-{day:02}T13:00:00Z")),
            to: instant(&format!("2026-10-{day:02}T17:00:00Z")),
        },
        pages,
        reference: number.is_multiple_of(2).then(|| format!("msg-{number}")),
        location: format!("expectations.csv:{}", number + 1),
    }
}

fn observation(
    expectation: &Expectation,
    late_hours: i64,
    outcome: Outcome,
    arrived: Arrived,
) -> Observation {
    Observation {
        event_id: format!("message:{}:1", expectation.id),
        contact: expectation.contact.clone(),
        number: expectation.number,
        channel: expectation.channel,
        direction: expectation.direction,
        start: expectation.due.from.plus_milliseconds(1_234_567 + late_hours * 3_600_000),
        pages: expectation.pages,
        outcome,
        arrived,
        error_code: (arrived == Arrived::No).then(|| "SMS-UP-430".to_owned()),
        message_id: Some(format!("msg-{}", expectation.id)),
    }
}
