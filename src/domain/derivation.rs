//! The steps from an event to an amount. One code path computes and explains: the same function with a trace that
//! keeps nothing or keeps all; replaying the kept steps gives the amount.

use super::disposition::{EventDisposition, SuspenseReason};
use super::outcome::words;

words! {
    /// How the payer was found, in the order in which the rules are tried (design, section 7).
    IdentityRule {
        Named = "named by the row",
        AccountCode = "account code",
        OwnNumber = "own number that was dialled",
        OtherNumber = "other party's number",
        OtherPrefix = "prefix of the other party's number",
        Extension = "extension",
    }
}

/// One step of a derivation. Indices are those of the compiled rules; numerators are over their denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Identified {
        rule: IdentityRule,
        payer: u32,
    },
    TariffVersion {
        version: usize,
    },
    /// The leg policy gave this many milliseconds.
    Measured {
        milliseconds: i64,
        without_legs: bool,
    },
    /// Whole seconds, rounded up.
    WholeSeconds {
        seconds: i64,
    },
    /// A run of increments of one clause: billed units `unit_from..unit_from + units`.
    Increments {
        clause: u32,
        unit_from: i64,
        units: i64,
        seconds_measured: i64,
    },
    /// A count that is billed as it is (segments, pages, messages, calls).
    Counted {
        clause: u32,
        units: i64,
    },
    Allowance {
        counter: usize,
        left_before: i64,
        units: i64,
    },
    Price {
        clause: u32,
        units: i64,
        numerator: i128,
    },
    ConnectionFee {
        clause: u32,
        numerator: i128,
    },
    /// The charge is raised to the floor.
    Floor {
        clause: u32,
        before: i128,
        numerator: i128,
    },
    /// The charge is lowered to the cap.
    Cap {
        clause: u32,
        before: i128,
        numerator: i128,
    },
    Total {
        numerator: i128,
    },
    Ended {
        disposition: EventDisposition,
        reason: Option<SuspenseReason>,
    },
}

/// What the pricing code does with its steps.
pub trait Trace {
    /// Takes one step; the closure is not called by a trace that keeps nothing.
    fn step(&mut self, step: impl FnOnce() -> Step);
}

/// Keeps nothing and costs nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Trace for Silent {
    #[inline]
    fn step(&mut self, _step: impl FnOnce() -> Step) {}
}

/// Keeps every step.
#[derive(Clone, Debug, Default)]
pub struct Derivation {
    pub steps: Vec<Step>,
}

impl Trace for Derivation {
    fn step(&mut self, step: impl FnOnce() -> Step) {
        self.steps.push(step());
    }
}

impl Derivation {
    /// The amount the steps add up to: prices and fees, then what floor and cap changed.
    pub fn replay(&self) -> i128 {
        self.steps.iter().fold(0, |sum, step| match step {
            Step::Price { numerator, .. } | Step::ConnectionFee { numerator, .. } => sum + numerator,
            Step::Floor { before, numerator, .. } | Step::Cap { before, numerator, .. } => {
                sum + numerator - before
            }
            _ => sum,
        })
    }
}
