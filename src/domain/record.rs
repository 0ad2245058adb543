//! Records as the source served them: pages, windows, record versions.

use super::hash::Hash;
use super::outcome::words;
use super::time::{Instant, Span};

words! {
    /// A stream of records that is collected and covered on its own.
    FeedKind {
        CallLog = "call-log",
        Messages = "messages",
        Extensions = "extensions",
        Account = "account",
        Usage = "usage",
        PortalCsv = "portal-csv",
    }
}

/// One feed: its kind, and the mailbox where a feed exists once for each extension.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Feed {
    pub kind: FeedKind,
    /// The service's extension id of a mailbox; `None` for feeds of the whole account.
    pub mailbox: Option<String>,
}

impl Feed {
    /// A feed of the whole account.
    pub fn account_wide(kind: FeedKind) -> Feed {
        Feed { kind, mailbox: None }
    }

    /// The messages of one extension.
    pub fn mailbox(extension_id: impl Into<String>) -> Feed {
        Feed { kind: FeedKind::Messages, mailbox: Some(extension_id.into()) }
    }

    /// The name used in the book and in reports: `call-log`, `messages/400131426008`.
    pub fn name(&self) -> String {
        match &self.mailbox {
            Some(mailbox) => format!("{}/{mailbox}", self.kind),
            None => self.kind.word().to_owned(),
        }
    }

    /// Reads a name written by [`Feed::name`].
    pub fn from_name(name: &str) -> Option<Feed> {
        let (kind, mailbox) = match name.split_once('/') {
            Some((kind, mailbox)) => (kind, Some(mailbox.to_owned())),
            None => (name, None),
        };
        Some(Feed { kind: FeedKind::from_word(kind)?, mailbox })
    }
}

/// A half-open time range requested from the source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PullWindow {
    pub feed: Feed,
    pub span: Span,
}

words! {
    /// The shape of a stored record, which decides who reads it.
    RecordKind {
        Call = "call",
        Message = "message",
        Extension = "extension",
        Account = "account",
        Usage = "usage",
        PortalCall = "portal-call",
    }
}

/// Identity of a record over all its versions: source account, kind, and the source's id (always as text).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    pub account: String,
    pub kind: RecordKind,
    pub id: String,
}

/// One record as served (personal text already replaced), with what is needed to order its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRecord {
    pub key: RecordKey,
    /// Hash of `json`: the same hash is the same version.
    pub version: Hash,
    /// Hash of the material fields only (design, section 10); a version that differs in others is a duplicate.
    pub material: Hash,
    /// Start of a call, creation of a message; `None` when the source gave none that can be read.
    pub start: Option<Instant>,
    /// The source's last modification, when it gives one.
    pub last_modified: Option<Instant>,
    /// When we saw it.
    pub observed: Instant,
    /// Noted as deleted or purged upstream. Nothing is removed because of it.
    pub deleted_upstream: bool,
    /// The record's JSON as stored, keys sorted, numbers as served.
    pub json: String,
}

/// One response page as served (personal text already replaced).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawPage {
    pub window: PullWindow,
    /// Page number within one listing of the window, from 1.
    pub page: u32,
    /// Which listing of the window this page belongs to, from 1 (a window is listed again to seal or re-read it).
    pub listing: u32,
    /// The body, as stored.
    pub body: Vec<u8>,
    pub observed: Instant,
}

/// How far a listing of a window has come: the durable position up to which the source has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub window: PullWindow,
    /// Which listing of the window, from 1.
    pub listing: u32,
    /// The page to ask for next; `None` when the listing is complete.
    pub next_page: Option<u32>,
}

words! {
    /// How well a window is known.
    CoverageState {
        /// A listing has begun.
        Open = "open",
        /// At least one listing is complete.
        Collected = "collected",
        /// Two listings agreed after the settling lag.
        Sealed = "sealed",
    }
}

/// Which window of which feed is collected, as a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    pub window: PullWindow,
    pub state: CoverageState,
    /// Complete listings so far.
    pub listings_complete: u32,
    /// The listing under way, when one was interrupted.
    pub cursor: Option<Cursor>,
    /// Distinct records of the last complete listing.
    pub records: u64,
    /// Digest over the sorted keys and versions of the last complete listing.
    pub digest: Option<Hash>,
    /// When the last complete listing began.
    pub listed_at: Option<Instant>,
}

/// A part of the source that cannot be read, reported and never silent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    pub feed: Feed,
    /// The service's reason, such as `CMN-408`.
    pub reason: String,
}
