//! What was expected, what was observed, and how the two compare.

use super::outcome::{Channel, Direction, words};
use super::time::{Instant, Span};

/// What should have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    pub id: String,
    pub contact: Option<String>,
    /// E.164 digits of the other party.
    pub number: Option<u64>,
    pub channel: Channel,
    pub direction: Direction,
    pub due: Span,
    pub pages: Option<u32>,
    /// The service's message id.
    pub reference: Option<String>,
    /// File and line, for people.
    pub location: String,
}

words! {
    /// Kinds of break (`reference` vocabulary, section 6).
    BreakKind {
        MissingObservation = "missing observation",
        UnexpectedObservation = "unexpected observation",
        Late = "late",
        Duplicate = "duplicate",
        QuantityMismatch = "quantity mismatch",
        AmountMismatch = "amount mismatch",
        StatusMismatch = "status mismatch",
        PartyMismatch = "party mismatch",
        Indeterminate = "indeterminate",
    }
}

words! {
    /// How a match group was found.
    MatchRule { Reference = "reference", NumberAndWindow = "number and window", Late = "number, after the window", Party = "contact and window" }
}

/// What the log shows, reduced to what reconciliation compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    pub event_id: String,
    pub contact: Option<String>,
    pub number: Option<u64>,
    pub channel: Channel,
    pub direction: Direction,
    pub start: Instant,
    pub pages: Option<u32>,
    pub outcome: super::outcome::Outcome,
    pub arrived: super::outcome::Arrived,
    pub error_code: Option<String>,
    pub message_id: Option<String>,
}

/// An expectation and an observation that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchGroup {
    pub expectation: Expectation,
    pub observation: Observation,
    pub rule: MatchRule,
}

/// A difference that needs an explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    pub kind: BreakKind,
    pub expectation: Option<Expectation>,
    pub observation: Option<Observation>,
    pub rule: Option<MatchRule>,
    /// One sentence for people: what was expected, what was seen.
    pub explanation: String,
}

/// The result: each expectation and each observation of the scope stands in exactly one class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// Agreeing groups.
    pub matched: Vec<MatchGroup>,
    pub breaks: Vec<Break>,
    /// Observations outside the scope (channels or directions nobody listed expectations for), counted.
    pub out_of_scope: u64,
    /// Expectations whose window lies outside the period, counted.
    pub expectations_elsewhere: u64,
    pub expectations: u64,
    pub observations: u64,
}
