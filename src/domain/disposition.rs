//! The one bucket in which each record and each event ends, and the ledgers that prove nothing vanished.

use std::collections::BTreeMap;

use super::outcome::words;

words! {
    /// Why a record cannot become part of an event, or an event cannot be billed.
    SuspenseReason {
        Malformed = "malformed",
        NoStart = "no-start",
        UnknownType = "unknown-type",
        UnknownDirection = "unknown-direction",
        UnknownResult = "unknown-result",
        UnknownMessageStatus = "unknown-message-status",
        NoNumber = "no-number",
        NoDuration = "no-duration",
        NoLegs = "no-legs",
        NoPages = "no-pages",
        NoSegments = "no-segments",
        NoRate = "no-rate",
        NoCost = "no-cost",
        NoTimekeeperPrice = "no-timekeeper-price",
        TooFine = "too-fine",
        NegativeQuantity = "negative-quantity",
        Overflow = "overflow",
        PeriodFinalised = "period-finalised",
    }
}

impl SuspenseReason {
    /// What the user can do, as a sentence.
    pub fn remedy(self) -> &'static str {
        match self {
            SuspenseReason::Malformed => {
                "Look at the raw record; a newer version of the source may replace it."
            }
            SuspenseReason::NoStart => "The source gave no start time; a later version may.",
            SuspenseReason::UnknownType => "Ask what the new type means before anything is billed.",
            SuspenseReason::UnknownDirection => "Ask what the new direction means before anything is billed.",
            SuspenseReason::UnknownResult => {
                "Ask whether the new result means answered before anything is billed."
            }
            SuspenseReason::UnknownMessageStatus => {
                "Ask what the new status means before anything is billed."
            }
            SuspenseReason::NoNumber => {
                "The source named no party at all; add an account code or wait for a newer version."
            }
            SuspenseReason::NoDuration => {
                "An answered call without a duration; a later version may carry it."
            }
            SuspenseReason::NoLegs => {
                "The tariff bills by legs and the source gave none; collect the Detailed view."
            }
            SuspenseReason::NoPages => "A price per page needs the pages; collect the message store.",
            SuspenseReason::NoSegments => "A price per segment needs the segment count.",
            SuspenseReason::NoRate => {
                "No rate of the contact's tariff or the default tariff matches; add one, even at 0."
            }
            SuspenseReason::NoCost => "A price at cost needs the carrier's cost of the event.",
            SuspenseReason::NoTimekeeperPrice => {
                "The rate takes the timekeeper's price; name the timekeeper in the coding sheet, or give it a price."
            }
            SuspenseReason::TooFine => "The cost has more decimals than can be kept exactly; ten at most.",
            SuspenseReason::NegativeQuantity => "A negative quantity is never billed; mend the source.",
            SuspenseReason::PeriodFinalised => {
                "The payer's invoice of this period is final; the event waits for an adjustment."
            }
            SuspenseReason::Overflow => "The quantity or price is beyond what can be computed exactly.",
        }
    }
}

words! {
    /// Where one record version ends.
    RecordDisposition {
        Primary = "primary evidence",
        Supporting = "supporting evidence",
        Superseded = "superseded",
        Duplicate = "duplicate",
        Suspended = "suspended",
        Excluded = "excluded",
        NotFinal = "not yet final",
    }
}

words! {
    /// Where an event's quantity ends. An event that is partly in an allowance is split between two of them.
    EventDisposition {
        Billed = "billed",
        InAllowance = "in an allowance",
        ZeroRated = "zero-rated",
        Internal = "internal",
        DoNotBill = "do not bill",
        OutcomeNotBillable = "outcome not billable",
        Unmatched = "unmatched contact",
        Suspended = "suspended",
        AwaitingOutcome = "awaiting its outcome",
        EarlierDocument = "on an earlier document",
        OtherPeriod = "other period",
        /// Its outcome was open when its period was finalised; a later document bills it.
        CarriedOver = "carried to a later document",
    }
}

words! {
    /// What people should know of a record although it decides no amount.
    RecordFinding {
        DeletedUpstream = "deleted-upstream",
        DeletedBeforeCollected = "deleted-before-collected",
        OnlyInExtensionLog = "only-in-extension-log",
        AnsweredByAnother = "answered-by-another",
        UnreadableEvidence = "unreadable-evidence",
    }
}

impl RecordFinding {
    /// The finding as a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            RecordFinding::DeletedUpstream => "Deleted upstream; it stays as it was collected.",
            RecordFinding::DeletedBeforeCollected => {
                "Deleted upstream before it was collected; nobody can bill it."
            }
            RecordFinding::OnlyInExtensionLog => {
                "In an extension's log only; the account's log is what is billed."
            }
            RecordFinding::AnsweredByAnother => {
                "An extension's log contradicts the account's log about who answered."
            }
            RecordFinding::UnreadableEvidence => "A record of an extension's log cannot be read.",
        }
    }
}

/// The record ledger's entry for one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordEntry {
    pub record: super::record::RecordKey,
    pub version: super::hash::Hash,
    pub disposition: RecordDisposition,
    /// Set when suspended.
    pub reason: Option<SuspenseReason>,
    /// Name of the rule that excluded it, or a detail of the suspense (the unknown word), for people.
    pub detail: String,
    pub finding: Option<RecordFinding>,
}

/// Quantities that must add up along every arrow of the pipeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ControlTotal {
    pub events: i64,
    /// Measured seconds in milliseconds, by the leg policy in force (the master's when no tariff applies).
    pub milliseconds: i128,
    pub segments: i128,
    pub pages: i128,
}

impl ControlTotal {
    /// Adds another total; leaving the range is a bug that stops the run.
    pub fn add(&mut self, other: &ControlTotal) {
        self.events = self.events.checked_add(other.events).expect("an event count left 64 bits");
        self.milliseconds = self.milliseconds.checked_add(other.milliseconds).expect("a total left 128 bits");
        self.segments = self.segments.checked_add(other.segments).expect("a total left 128 bits");
        self.pages = self.pages.checked_add(other.pages).expect("a total left 128 bits");
    }
}

/// Both ledgers of the conservation law with the bridge between them (design, section 2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conservation {
    /// Record versions collected, and by disposition.
    pub records_collected: i64,
    pub records: BTreeMap<RecordDisposition, i64>,
    /// The excluded ones by the rule that excluded them.
    pub excluded: BTreeMap<String, i64>,
    /// The bridge: events that mediation made.
    pub events_mediated: ControlTotal,
    /// Events by disposition; an event split over an allowance counts once, its quantities in both.
    pub events: BTreeMap<EventDisposition, ControlTotal>,
    /// Checks that did not hold, as sentences; empty when everything adds up.
    pub violations: Vec<String>,
}
