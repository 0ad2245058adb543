//! The billable event: the single thing charged for a session, a message or a fax.

use super::hash::Hash;
use super::number::{Country, PartyNumber};
use super::outcome::{Channel, Direction, Outcome};
use super::record::RecordKey;
use super::time::Instant;

/// One end of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    pub number: PartyNumber,
    pub country: Option<Country>,
    /// The text as served, for people and for correction.
    pub raw: String,
    pub name: Option<String>,
}

/// How the duration of a call is measured, by leg policy, in milliseconds. `None`: that policy has nothing to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LegQuantities {
    /// From the start of the first answered leg other than the master to the end of the last one, gaps included; the
    /// master only when it is alone (design, section 5).
    pub customer_facing: Option<i64>,
    /// The record's own duration, ringing and menus included.
    pub master: Option<i64>,
    /// The source gave no legs at all: `customer_facing` is unknown, the tariff says what happens.
    pub without_legs: bool,
}

/// A leg of the source and whether the customer-facing quantity used it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    pub start: Option<Instant>,
    pub milliseconds: Option<i64>,
    pub result: String,
    pub leg_type: String,
    pub master: bool,
    pub extension_id: Option<String>,
    pub used: bool,
}

/// Why a record counts for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvidenceRole {
    Primary,
    Supporting,
}

/// A record version that is evidence of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    pub record: RecordKey,
    pub version: Hash,
    pub role: EvidenceRole,
}

/// One call with all its legs, one message to one recipient, one fax to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillableEvent {
    /// Stable over record versions: `call:<telephony session>`, `message:<id>:<recipient>`, `usage:<id>`.
    pub id: String,
    pub start: Instant,
    pub channel: Channel,
    pub direction: Direction,
    pub outcome: Outcome,
    /// The source's own word for the outcome, as served.
    pub result: String,
    /// Delivery or fax error code, as served.
    pub error_code: Option<String>,
    pub from: Party,
    pub to: Party,
    /// The user's extension number that took part (for a queue call the one who answered).
    pub extension: Option<u64>,
    /// All extension numbers named by the legs, sorted, without repeats.
    pub extensions: Vec<u64>,
    pub legs: Vec<Leg>,
    pub quantities: LegQuantities,
    /// Parts of a text as carriers count them; `None` when the source does not say.
    pub segments: Option<u32>,
    /// Pages of a fax to this recipient; `None` when nobody knows.
    pub pages: Option<u32>,
    pub account_code: Option<String>,
    /// Contact named by an imported usage row: identification is skipped.
    pub contact: Option<String>,
    /// The service's message id, for reconciliation by reference.
    pub message_id: Option<String>,
    /// Last modification of the evidence, when the source gives one.
    pub last_modified: Option<Instant>,
    pub evidence: Vec<Evidence>,
    /// Remarks that people should see and that decide nothing (no legs, unknown but harmless value, ...).
    pub remarks: Vec<String>,
}

/// What the pricing code sees of an event: plain values, no allocation. Built from a [`BillableEvent`], from a usage
/// row, or from columns.
#[derive(Clone, Copy, Debug)]
pub struct EventView<'a> {
    pub id: &'a str,
    pub start: Instant,
    pub channel: Channel,
    pub direction: Direction,
    pub outcome: Outcome,
    pub from: PartyNumber,
    pub to: PartyNumber,
    pub from_country: Option<Country>,
    pub to_country: Option<Country>,
    pub extension: Option<u64>,
    pub account_code: Option<&'a str>,
    pub contact: Option<&'a str>,
    pub quantities: LegQuantities,
    pub segments: Option<u32>,
    pub pages: Option<u32>,
}

impl BillableEvent {
    /// The event as the pricing code sees it.
    pub fn view(&self) -> EventView<'_> {
        EventView {
            id: &self.id,
            start: self.start,
            channel: self.channel,
            direction: self.direction,
            outcome: self.outcome,
            from: self.from.number,
            to: self.to.number,
            from_country: self.from.country,
            to_country: self.to.country,
            extension: self.extension,
            account_code: self.account_code.as_deref(),
            contact: self.contact.as_deref(),
            quantities: self.quantities,
            segments: self.segments,
            pages: self.pages,
        }
    }

    /// The party that is not the company.
    pub fn other_party(&self) -> &Party {
        match self.direction {
            Direction::Inbound => &self.from,
            Direction::Outbound | Direction::Internal => &self.to,
        }
    }
}
