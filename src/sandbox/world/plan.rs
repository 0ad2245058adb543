//! Compact plans of the served records: what a record says and from when on it says so.
//!
//! A plan holds no text that can be derived, so that a month is small in memory; records are rendered on demand.

use super::cast::Seat;
use super::number::Number;
use super::random::mix;
use super::truth::Ending;

/// How the other side's number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    E164,
    National,
    Withheld,
}

/// The other side of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outside {
    pub(crate) number: Number,
    pub(crate) style: Style,
}

/// What a leg that is not the master does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LegKind {
    /// Rings a desk telephone.
    Desk,
    /// Rings a member of a queue in turn.
    Hunt,
    /// Rings the user's own mobile telephone.
    FindMe,
    /// Takes the call over from another user.
    Transfer { from: Seat },
    /// The far side of a ring-out.
    RingOut,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct LegPlan {
    pub(crate) kind: LegKind,
    pub(crate) seat: Seat,
    /// Since the start of the record.
    pub(crate) after_ms: i64,
    pub(crate) lasting_ms: i64,
    pub(crate) result: &'static str,
    pub(crate) reason: &'static str,
}

/// What an early version of a record says differently from the final one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// A call that is still ringing at a queue member's telephone.
    Ringing(Seat),
    /// A call that has not ended, seen from its own extension. The world never draws it.
    Underway,
    /// A duration that is later corrected, by this many seconds.
    OffBySeconds(i64),
    /// A result that is later replaced.
    OtherResult(&'static str),
    /// The other side's name and number have not been filled in yet.
    Nameless,
    Final,
    Deleted,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Version {
    pub(crate) visible_from_ms: i64,
    pub(crate) look: Look,
}

/// One call-log record.
#[derive(Clone, Debug)]
pub(crate) struct RecordPlan {
    /// Unique; ids and session ids follow from it.
    pub(crate) serial: u64,
    /// Added to the session id: the second record of a ring-out.
    pub(crate) session_shift: u64,
    /// Serial of the record whose telephony session this is part of.
    pub(crate) telephony_of: u64,
    pub(crate) start_ms: i64,
    pub(crate) lasting_ms: i64,
    pub(crate) fax: bool,
    pub(crate) inbound: bool,
    pub(crate) action: &'static str,
    pub(crate) result: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) transport: &'static str,
    pub(crate) internal_type: &'static str,
    pub(crate) master_type: &'static str,
    /// The company's number that was dialled or shown.
    pub(crate) own: Option<Number>,
    pub(crate) outside: Option<Outside>,
    pub(crate) seat: Seat,
    /// The other extension of an internal call.
    pub(crate) peer: Option<Seat>,
    pub(crate) legs: Vec<LegPlan>,
    /// A voicemail or fax message: its mailbox and id.
    pub(crate) message: Option<(Seat, u64)>,
    pub(crate) recorded: bool,
    /// Serial of the other record of a warm transfer: this call was handed over in it.
    pub(crate) transfer_target: Option<u64>,
    /// Serial of the other record of a warm transfer: it is about this call.
    pub(crate) transferee: Option<u64>,
    pub(crate) versions: Vec<Version>,
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The record id that belongs to a serial: unique, for it is one-to-one.
pub(crate) fn record_id(serial: u64) -> String {
    let mixed = mix(serial);
    let mut id = String::with_capacity(15);
    for place in 0..11 {
        let sextet = usize::try_from(mixed >> (6 * place) & 63).unwrap_or(0);
        id.push(char::from(ALPHABET[sextet]));
    }
    id.push_str("NzUA");
    id
}

/// Distance between the session ids of unrelated neighbours: more than the 4000 that ring-out pairs may differ by.
const SESSION_STEP: u64 = 7000;

impl RecordPlan {
    pub(crate) fn id(&self) -> String {
        record_id(self.serial)
    }

    pub(crate) fn session_id(&self) -> String {
        let serial =
            if self.session_shift > 0 || self.peer.is_some() { self.telephony_of } else { self.serial };
        (1_039_811_000_016 + serial * SESSION_STEP + mix(serial) % 900 + self.session_shift).to_string()
    }

    pub(crate) fn end_ms(&self) -> i64 {
        self.start_ms + self.lasting_ms
    }

    /// The version that is served at an instant, if any.
    pub(crate) fn version_at(&self, now_ms: i64) -> Option<&Version> {
        self.versions.iter().rev().find(|version| version.visible_from_ms <= now_ms)
    }
}

pub(crate) fn telephony_id(serial: u64) -> String {
    format!(
        "s-a0d17{:08x}z1{:09x}z{:014x}",
        mix(serial) & 0xFFFF_FFFF,
        serial & 0xF_FFFF_FFFF,
        mix(!serial) >> 8
    )
}

/// What a message is about.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Text { text: String, segments: Option<u32>, picture: bool },
    Pager { text: &'static str },
    VoiceMail { seconds: i64 },
    Fax { pages: u32, cover: Option<&'static str> },
}

/// The party of a message that is not the mailbox's owner.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Party {
    Outside(Outside),
    Inside(Seat),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Availability {
    Alive,
    Deleted,
    Purged,
}

impl Availability {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Availability::Alive => "Alive",
            Availability::Deleted => "Deleted",
            Availability::Purged => "Purged",
        }
    }
}

/// One state of a message. `endings` and `codes` are per recipient.
#[derive(Clone, Debug)]
pub(crate) struct MessageVersion {
    pub(crate) visible_from_ms: i64,
    pub(crate) endings: Vec<Ending>,
    pub(crate) codes: Vec<&'static str>,
    pub(crate) availability: Availability,
    pub(crate) delivered_ms: Option<i64>,
}

/// One message of a mailbox.
#[derive(Clone, Debug)]
pub(crate) struct MessagePlan {
    pub(crate) id: u64,
    pub(crate) mailbox: Seat,
    pub(crate) inbound: bool,
    pub(crate) created_ms: i64,
    /// The company's number.
    pub(crate) own: Option<Number>,
    /// Sender of an inbound message, recipients of an outbound one.
    pub(crate) parties: Vec<Party>,
    pub(crate) body: Body,
    pub(crate) versions: Vec<MessageVersion>,
}

impl MessagePlan {
    pub(crate) fn type_name(&self) -> &'static str {
        match self.body {
            Body::Text { .. } => "SMS",
            Body::Pager { .. } => "Pager",
            Body::VoiceMail { .. } => "VoiceMail",
            Body::Fax { .. } => "Fax",
        }
    }

    /// The version that is served at an instant, if any.
    pub(crate) fn version_at(&self, now_ms: i64) -> Option<&MessageVersion> {
        self.versions.iter().rev().find(|version| version.visible_from_ms <= now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_look_like_ids() {
        let ids: std::collections::BTreeSet<String> = (0..5000).map(record_id).collect();
        assert_eq!(ids.len(), 5000);
        assert!(ids.iter().all(|id| id.len() == 15));
        let sessions: std::collections::BTreeSet<String> = (0..5000).map(telephony_id).collect();
        assert_eq!(sessions.len(), 5000);
    }
}
