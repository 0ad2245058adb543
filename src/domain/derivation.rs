//! The steps from an event to an amount. One code path computes and explains: the same function with a trace that
//! keeps nothing or keeps all; replaying the kept steps gives the amount.

use super::disposition::{EventDisposition, SuspenseReason};
use super::outcome::words;

words! {
    /// How the payer was found, in the order in which the rules are tried unless the rule files order them otherwise
    /// (design, section 7).
    IdentityRule {
        Coding = "coding",
        Named = "named",
        AccountCode = "account-code",
        OwnNumber = "own-number",
        OtherNumber = "other-number",
        OtherPrefix = "other-prefix",
        Extension = "extension",
        Department = "department",
        Site = "site",
        CostCentre = "cost-centre",
        Account = "account",
    }
}

impl IdentityRule {
    /// The rule as people say it, after "found by".
    pub fn phrase(self) -> &'static str {
        match self {
            IdentityRule::Coding => "coding sheet",
            IdentityRule::Named => "named by the row",
            IdentityRule::AccountCode => "account code",
            IdentityRule::OwnNumber => "own number that was dialled",
            IdentityRule::OtherNumber => "other party's number",
            IdentityRule::OtherPrefix => "prefix of the other party's number",
            IdentityRule::Extension => "extension",
            IdentityRule::Department => "department of the extension",
            IdentityRule::Site => "site of the extension",
            IdentityRule::CostCentre => "cost centre of the extension",
            IdentityRule::Account => "account of the service",
        }
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
    /// What the same event costs at the supplier's tariff.
    Supplier {
        version: usize,
        numerator: i128,
    },
    /// One of several time entries of the event begins; matter and timekeeper from 1, 0 is none.
    Entry {
        entry: u16,
        extension: Option<u64>,
        matter: u32,
        timekeeper: u32,
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
    /// Short enough to be free.
    Grace {
        clause: u32,
        milliseconds: i64,
    },
    /// Raised to the minimum.
    Minimum {
        clause: u32,
        seconds: i64,
    },
    /// The rounding scope's sum before and after the event, and what is billed of each.
    Scope {
        clause: u32,
        milliseconds_before: i64,
        milliseconds_after: i64,
        units_before: i64,
        units_after: i64,
    },
    /// A run of increments of one clause: billed units `unit_from..unit_from + units`.
    Increments {
        clause: u32,
        unit_from: i64,
        units: i64,
        seconds_measured: i64,
    },
    /// A count that is billed as it is (segments, pages, messages, calls, events).
    Counted {
        clause: u32,
        units: i64,
    },
    Allowance {
        counter: usize,
        left_before: i64,
        units: i64,
    },
    /// Units that fall into one tier, from 1.
    Tier {
        clause: u32,
        tier: u16,
        units_before: i64,
        units: i64,
    },
    /// Packages that the event's units open (or complete).
    Packages {
        clause: u32,
        units_before: i64,
        units: i64,
        packages: i64,
    },
    /// The cost that a price at cost is made from.
    Cost {
        clause: u32,
        cost: i128,
    },
    Price {
        clause: u32,
        /// The price step or tier that applies, from 1; 0 where the rate has one price.
        part: u16,
        units: i64,
        numerator: i128,
    },
    /// Priced by the volume tier that the period reached in the end; a part of the event's charge.
    Volume {
        clause: u32,
        tier: u16,
        units_of_period: i64,
        units: i64,
        numerator: i128,
    },
    ConnectionFee {
        clause: u32,
        numerator: i128,
    },
    Discount {
        clause: u32,
        before: i128,
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
    /// The charge, or the prices of its increments, are rounded.
    Rounded {
        clause: u32,
        before: i128,
        numerator: i128,
    },
    /// A monetary allowance takes this much of the charge.
    Credit {
        counter: usize,
        left_before: i128,
        numerator: i128,
    },
    /// Of a call that periods split, only the parts of the month that is billed stay.
    OtherMonths {
        before: i128,
        numerator: i128,
    },
    /// Rating stopped after some prices: nothing is charged.
    Withdrawn {
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

impl Step {
    /// What the step adds to the charge.
    pub fn adds(&self) -> i128 {
        match *self {
            Step::Price { numerator, .. }
            | Step::ConnectionFee { numerator, .. }
            | Step::Volume { numerator, .. } => numerator,
            Step::Discount { before, numerator, .. }
            | Step::Floor { before, numerator, .. }
            | Step::Cap { before, numerator, .. }
            | Step::Rounded { before, numerator, .. }
            | Step::OtherMonths { before, numerator } => numerator - before,
            Step::Credit { numerator, .. } | Step::Withdrawn { numerator } => -numerator,
            _ => 0,
        }
    }

    /// The word of the step in files and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Step::Identified { .. } => "identified",
            Step::TariffVersion { .. } => "tariff",
            Step::Supplier { .. } => "supplier",
            Step::Entry { .. } => "entry",
            Step::Measured { .. } => "measured",
            Step::WholeSeconds { .. } => "whole-seconds",
            Step::Grace { .. } => "grace",
            Step::Minimum { .. } => "minimum",
            Step::Scope { .. } => "scope",
            Step::Increments { .. } => "increments",
            Step::Counted { .. } => "counted",
            Step::Allowance { .. } => "allowance",
            Step::Tier { .. } => "tier",
            Step::Packages { .. } => "packages",
            Step::Cost { .. } => "cost",
            Step::Price { .. } => "price",
            Step::Volume { .. } => "volume",
            Step::ConnectionFee { .. } => "connection-fee",
            Step::Discount { .. } => "discount",
            Step::Floor { .. } => "floor",
            Step::Cap { .. } => "cap",
            Step::Rounded { .. } => "rounded",
            Step::Credit { .. } => "credit",
            Step::OtherMonths { .. } => "other-months",
            Step::Withdrawn { .. } => "withdrawn",
            Step::Total { .. } => "total",
            Step::Ended { .. } => "ended",
        }
    }
}

impl Derivation {
    /// The amount the steps add up to: prices and fees, then what each later step changed.
    pub fn replay(&self) -> i128 {
        self.steps.iter().map(Step::adds).sum()
    }
}
