//! The billable event: the single thing charged for a session, a message or a fax.

use rust_decimal::Decimal;

use super::hash::Hash;
use super::number::{Country, NumberClass, PartyNumber};
use super::outcome::{Channel, Direction, Outcome};
use super::record::RecordKey;
use super::time::Instant;

/// One end of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    pub number: PartyNumber,
    pub country: Option<Country>,
    /// An E.164 number that is free to its caller.
    pub toll_free: bool,
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
    /// All times in which a counted leg was up, overlaps once and gaps left out. Hold is in it: the log never shows it.
    pub estimated_talk: Option<i64>,
    pub longest_leg: Option<i64>,
    /// The counted leg that starts first; of two, the longer.
    pub first_answered: Option<i64>,
    pub sum_of_legs: Option<i64>,
    /// The source gave no legs at all: what the legs would say is unknown, the tariff says what happens.
    pub without_legs: bool,
}

impl LegQuantities {
    /// A source without legs whose one length is taken as it is, whatever the policy.
    pub fn flat(milliseconds: Option<i64>) -> LegQuantities {
        LegQuantities {
            customer_facing: milliseconds,
            master: milliseconds,
            estimated_talk: milliseconds,
            longest_leg: milliseconds,
            first_answered: milliseconds,
            sum_of_legs: milliseconds,
            without_legs: false,
        }
    }
}

/// One person's own time in a call: all counted legs of one extension, overlaps once. Entries are in the order of start,
/// then extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeEntry {
    pub extension: Option<u64>,
    pub start: Instant,
    pub milliseconds: i64,
}

/// What a coding sheet says of an event; every part may be absent.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Coding {
    /// Id of the contact that pays.
    pub contact: Option<String>,
    pub matter: Option<String>,
    pub timekeeper: Option<String>,
    pub task: Option<String>,
    pub narrative: Option<String>,
}

impl Coding {
    /// This coding, with what it leaves open taken from another.
    pub fn or(self, other: Coding) -> Coding {
        Coding {
            contact: self.contact.or(other.contact),
            matter: self.matter.or(other.matter),
            timekeeper: self.timekeeper.or(other.timekeeper),
            task: self.task.or(other.task),
            narrative: self.narrative.or(other.narrative),
        }
    }

    /// The parts that pricing looks at; the narrative is for people.
    pub fn view(&self) -> CodingView<'_> {
        CodingView {
            contact: self.contact.as_deref(),
            matter: self.matter.as_deref(),
            timekeeper: self.timekeeper.as_deref(),
            task: self.task.as_deref(),
        }
    }
}

/// A coding as the pricing code sees it; without a coding every part is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct CodingView<'a> {
    pub contact: Option<&'a str>,
    pub matter: Option<&'a str>,
    pub timekeeper: Option<&'a str>,
    pub task: Option<&'a str>,
}

/// Segments of a text for each way of counting that a tariff may choose (options `alphabet` and `text_split`). A count
/// that the source gives is the same in all of them; `None`: nobody counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SegmentWays {
    pub gsm7_pairs: Option<u32>,
    pub gsm7_graphemes: Option<u32>,
    pub national_pairs: Option<u32>,
    pub national_graphemes: Option<u32>,
}

impl SegmentWays {
    /// One count for all ways: the source's own, or nobody's.
    pub fn all(count: Option<u32>) -> SegmentWays {
        SegmentWays {
            gsm7_pairs: count,
            gsm7_graphemes: count,
            national_pairs: count,
            national_graphemes: count,
        }
    }

    /// These counts, with another in place of those that nobody made.
    pub fn or_all(self, count: Option<u32>) -> SegmentWays {
        SegmentWays {
            gsm7_pairs: self.gsm7_pairs.or(count),
            gsm7_graphemes: self.gsm7_graphemes.or(count),
            national_pairs: self.national_pairs.or(count),
            national_graphemes: self.national_graphemes.or(count),
        }
    }

    /// Only the counts that differ from another: what must be kept beside it.
    pub fn beside(self, count: Option<u32>) -> SegmentWays {
        let other = |own: Option<u32>| own.filter(|own| Some(*own) != count);
        SegmentWays {
            gsm7_pairs: other(self.gsm7_pairs),
            gsm7_graphemes: other(self.gsm7_graphemes),
            national_pairs: other(self.national_pairs),
            national_graphemes: other(self.national_graphemes),
        }
    }

    /// The count by one way: `national` alphabets or the default one only, graphemes kept `whole` or pairs only.
    pub fn count(&self, national: bool, whole: bool) -> Option<u32> {
        match (national, whole) {
            (false, false) => self.gsm7_pairs,
            (false, true) => self.gsm7_graphemes,
            (true, false) => self.national_pairs,
            (true, true) => self.national_graphemes,
        }
    }
}

/// A leg of the source and whether it counts; what a leg policy makes of it is mediation's to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    pub start: Option<Instant>,
    pub milliseconds: Option<i64>,
    pub result: String,
    pub leg_type: String,
    pub master: bool,
    /// The master of a ring-out's first half: the user's own phone, which never counts.
    pub own_phone: bool,
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
    /// Own time of each person, for the policy that bills by timekeeper. Empty where no leg tells: the event is then one
    /// entry of its own extension, with its customer-facing time.
    pub entries: Vec<TimeEntry>,
    /// Parts of a text as carriers count them; `None` when the source does not say.
    pub segments: Option<u32>,
    /// The same by each way of counting; `segments` is the default way's.
    pub segment_counts: SegmentWays,
    /// Pages of a fax to this recipient; `None` when nobody knows.
    pub pages: Option<u32>,
    pub account_code: Option<String>,
    /// Contact named by an imported usage row: identification is skipped.
    pub contact: Option<String>,
    /// Where the extension belongs, by the usage row or the directory.
    pub site: Option<String>,
    pub department: Option<String>,
    pub cost_centre: Option<String>,
    /// The service's account the event was collected from.
    pub ringcentral_account: Option<String>,
    pub coding: Option<Coding>,
    /// What the carrier charged for the event, in major units of the payer's currency; `None` when nobody says.
    pub carrier_cost: Option<Decimal>,
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
    pub from_class: NumberClass,
    pub to_class: NumberClass,
    pub extension: Option<u64>,
    pub account_code: Option<&'a str>,
    pub contact: Option<&'a str>,
    pub site: Option<&'a str>,
    pub department: Option<&'a str>,
    pub cost_centre: Option<&'a str>,
    pub ringcentral_account: Option<&'a str>,
    pub coding: CodingView<'a>,
    pub error_code: Option<&'a str>,
    pub carrier_cost: Option<Decimal>,
    pub last_modified: Option<Instant>,
    /// Bit `n`: condition `n` of the rule set holds. Evaluated over columns before rating.
    pub conditions: u64,
    pub quantities: LegQuantities,
    pub entries: &'a [TimeEntry],
    pub segments: Option<u32>,
    pub segment_counts: SegmentWays,
    pub pages: Option<u32>,
}

impl BillableEvent {
    /// The event as the pricing code sees it, before any condition of the rules is evaluated.
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
            from_class: NumberClass::of(self.from.number, self.from.toll_free),
            to_class: NumberClass::of(self.to.number, self.to.toll_free),
            extension: self.extension,
            account_code: self.account_code.as_deref(),
            contact: self.contact.as_deref(),
            site: self.site.as_deref(),
            department: self.department.as_deref(),
            cost_centre: self.cost_centre.as_deref(),
            ringcentral_account: self.ringcentral_account.as_deref(),
            coding: self.coding.as_ref().map(Coding::view).unwrap_or_default(),
            error_code: self.error_code.as_deref(),
            carrier_cost: self.carrier_cost,
            last_modified: self.last_modified,
            conditions: 0,
            quantities: self.quantities,
            entries: &self.entries,
            segments: self.segments,
            segment_counts: self.segment_counts,
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
