//! What really happened: who spoke with whom and what arrived. Drawn before any record is written and never served.
//!
//! Only tests read it; the records that the server hands out are derived from it, with all their gaps and delays.

use chrono::{DateTime, Utc};

/// Seen from the company.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    Inbound,
    Outbound,
    /// Between two extensions.
    Internal,
}

/// All that happened in the world, each list in the order in which it was drawn: by day.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    pub calls: Vec<CallTruth>,
    pub texts: Vec<TextTruth>,
    pub faxes: Vec<FaxTruth>,
    /// Messages that the company undertook to send or to receive.
    pub promises: Vec<Promise>,
}

/// One stretch of talk of one extension with the other side.
#[derive(Clone, Debug)]
pub struct Talk {
    pub extension: String,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

/// One call, however many records tell of it.
#[derive(Clone, Debug)]
pub struct CallTruth {
    pub way: Way,
    /// First ring.
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    /// E.164 digits of the other side; kept here even when the caller withheld it.
    pub outside: Option<u64>,
    pub withheld: bool,
    /// E.164 digits of the company's number that was dialled.
    pub dialled: Option<u64>,
    /// Number of the extension on whose behalf the call was made or taken.
    pub extension: String,
    /// In order of time; empty when nobody answered.
    pub talks: Vec<Talk>,
    /// From the start of the first answered leg that is not the master to the end of the last, or the whole record
    /// when the master is alone, in milliseconds; 0 when nobody answered.
    pub customer_facing_ms: i64,
    /// The client it belongs to, by its id; nobody's when absent.
    pub contact: Option<String>,
    /// False when the service answers with a result that nobody knows, so that the records do not tell whether the
    /// call was answered.
    pub decidable: bool,
    /// Ids of the call-log records that tell of it.
    pub records: Vec<String>,
}

impl CallTruth {
    /// Whether two people spoke.
    pub fn answered(&self) -> bool {
        !self.talks.is_empty()
    }

    /// Time in which two people spoke, in milliseconds; ringing, menus and holding are not part of it.
    pub fn talk_ms(&self) -> i64 {
        self.talks.iter().map(|talk| (talk.to - talk.from).num_milliseconds()).sum()
    }
}

/// How sending to one recipient ended, by the service's own names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    Queued,
    Sent,
    Delivered,
    DeliveryFailed,
    SendingFailed,
    Received,
    /// A fax of which some pages went through.
    Partial,
}

impl Ending {
    /// The name in a message record. A partial fax has no name of its own: it failed.
    pub fn status(self) -> &'static str {
        match self {
            Ending::Queued => "Queued",
            Ending::Sent => "Sent",
            Ending::Delivered => "Delivered",
            Ending::DeliveryFailed => "DeliveryFailed",
            Ending::SendingFailed | Ending::Partial => "SendingFailed",
            Ending::Received => "Received",
        }
    }
}

/// What kind of message a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TextKind {
    Sms,
    Mms,
    /// Between extensions.
    Pager,
}

/// One text to or from one other party.
#[derive(Clone, Debug)]
pub struct TextTruth {
    pub kind: TextKind,
    pub way: Way,
    pub created: DateTime<Utc>,
    /// Number of the extension in whose mailbox it lies.
    pub extension: String,
    pub outside: Option<u64>,
    /// 0 when the service does not count them (MMS, pager).
    pub segments: u32,
    pub ending: Ending,
    pub contact: Option<String>,
    pub message_id: u64,
}

/// One fax to or from one other party.
#[derive(Clone, Debug)]
pub struct FaxTruth {
    pub way: Way,
    pub created: DateTime<Utc>,
    pub extension: String,
    pub outside: Option<u64>,
    pub pages: u32,
    pub ending: Ending,
    pub contact: Option<String>,
    /// Absent when only the call log knows of it.
    pub message_id: Option<u64>,
    /// Ids of the call-log records of the attempts.
    pub records: Vec<String>,
}

/// How a promised message fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Sent in time, as promised.
    Kept,
    NeverSent,
    Late,
    SentTwice,
    WrongPages,
    /// It reached somebody else instead.
    WrongParty,
    /// Sent, but it did not arrive.
    Failed,
    /// Sent, and nobody confirmed it.
    Unconfirmed,
    /// Sent without anybody having promised it: it is on no list.
    NotPromised,
}

/// A message that was due.
#[derive(Clone, Debug)]
pub struct Promise {
    pub contact: Option<String>,
    /// E.164 digits of the party that was to get or send it.
    pub number: u64,
    /// `sms`, `mms` or `fax`.
    pub channel: &'static str,
    pub due_from: DateTime<Utc>,
    pub due_to: DateTime<Utc>,
    /// What the list says; the fax itself may have had another number of pages.
    pub pages: Option<u32>,
    pub fate: Fate,
    pub message_id: Option<u64>,
}
