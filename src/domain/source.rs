//! Records as mediation reads them: the service's words kept as text, ids as text, times as instants.
//!
//! Absent fields are `None`; nothing is defaulted here, since mediation decides what an absence means.

use rust_decimal::Decimal;

use super::event::SegmentWays;
use super::record::SourceRecord;
use super::time::Instant;

/// A party as the service names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartyText {
    pub phone_number: Option<String>,
    pub extension_number: Option<String>,
    pub extension_id: Option<String>,
    pub name: Option<String>,
}

/// One leg of a call record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LegRecord {
    pub start: Option<Instant>,
    pub milliseconds: Option<i64>,
    pub action: String,
    pub result: Option<String>,
    pub leg_type: String,
    pub master: bool,
    pub extension_id: Option<String>,
}

/// A record of the call log, of the portal's file, or of an imported usage file's calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallRecord {
    pub session_id: Option<String>,
    pub telephony_session_id: Option<String>,
    pub start: Option<Instant>,
    /// The record's own duration, ringing and menus included.
    pub milliseconds: Option<i64>,
    pub call_type: String,
    pub direction: String,
    pub action: String,
    pub result: Option<String>,
    pub from: PartyText,
    pub to: PartyText,
    pub extension_id: Option<String>,
    pub message_id: Option<String>,
    pub transfer_target: Option<String>,
    pub transferee: Option<String>,
    pub finished: Option<bool>,
    pub deleted: bool,
    /// `None`: the view had no legs at all.
    pub legs: Option<Vec<LegRecord>>,
}

/// One recipient of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecipientRecord {
    pub party: PartyText,
    pub status: Option<String>,
    pub error_code: Option<String>,
}

/// A record of the message store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageRecord {
    pub message_type: Option<String>,
    pub direction: Option<String>,
    pub availability: Option<String>,
    pub status: Option<String>,
    pub created: Option<Instant>,
    pub from: PartyText,
    pub to: Vec<RecipientRecord>,
    /// As the service counted them.
    pub segments: Option<u32>,
    /// Counted from the text before it was replaced, for when the service gives no count.
    pub segments_counted: SegmentWays,
    pub pages: Option<u32>,
    pub error_code: Option<String>,
    /// Has a picture or other attachment of a multimedia message.
    pub multimedia: bool,
    /// The mailbox it lies in.
    pub mailbox: Option<String>,
}

/// A row of an imported usage file, columns as in the design, section 9.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageRow {
    pub id: String,
    pub start: Option<Instant>,
    pub milliseconds: Option<i64>,
    pub channel: String,
    pub direction: String,
    pub from: Option<String>,
    pub to: Option<String>,
    pub extension: Option<String>,
    pub result: Option<String>,
    pub outcome: Option<String>,
    /// Negative ones are read as they are: mediation suspends them.
    pub segments: Option<i64>,
    /// Counted from the text by ways whose count differs from `segments`.
    pub segment_counts: SegmentWays,
    pub pages: Option<i64>,
    pub account_code: Option<String>,
    pub contact: Option<String>,
    pub site: Option<String>,
    pub department: Option<String>,
    pub cost_centre: Option<String>,
    pub ringcentral_account: Option<String>,
    pub error_code: Option<String>,
    pub matter: Option<String>,
    pub timekeeper: Option<String>,
    pub task: Option<String>,
    /// With all decimals it was written with.
    pub carrier_cost: Option<Decimal>,
}

/// What a record's JSON says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Call(CallRecord),
    /// A call as the log of one extension shows it.
    ExtensionCall(CallRecord),
    Message(MessageRecord),
    Usage(UsageRow),
    PortalCall(CallRecord),
    /// Extension lists and account data: facts that describe, never evidence of an event.
    Descriptive,
    /// A notice that a record was deleted upstream, with nothing else in it.
    DeletionNotice,
    /// Not readable as what it claims to be; the text says why.
    Malformed(String),
}

/// How a version stands among all versions of its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// The latest version.
    Current,
    /// An older version with other material fields.
    Superseded,
    /// An older version whose material fields equal the latest one's.
    Duplicate,
}

/// One record version, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedRecord {
    pub record: SourceRecord,
    pub standing: Standing,
    pub content: Content,
}

/// What is known of an extension over time; departed extensions keep their entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    pub id: String,
    pub number: Option<u64>,
    pub name: String,
    pub kind: String,
}
