//! Records as the source served them: pages, windows, record versions.

use super::hash::Hash;
use super::outcome::words;
use super::time::{Instant, Span};

words! {
    /// A stream of records that is collected and covered on its own.
    FeedKind {
        /// The account's call log by windows of start: what is sealed.
        CallLog = "call-log",
        /// The account's call log by changes (`call-log-extract-sync`).
        CallSync = "call-sync",
        /// The call log of one extension by windows: second evidence of who took a call.
        ExtensionCalls = "extension-calls",
        /// Calls in progress, looked at before a window is sealed.
        ActiveCalls = "active-calls",
        /// The messages of one mailbox by windows of creation: what is sealed.
        Messages = "messages",
        /// The messages of one mailbox by changes (`message-sync`).
        MessageSync = "message-sync",
        Extensions = "extensions",
        Account = "account",
        Usage = "usage",
        PortalCsv = "portal-csv",
    }
}

/// One feed: its kind, and the extension (its mailbox) where a feed exists once for each.
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

    /// One of the feeds that exist once for each extension.
    pub fn of_extension(kind: FeedKind, extension_id: impl Into<String>) -> Feed {
        Feed { kind, mailbox: Some(extension_id.into()) }
    }

    /// The feed whose windows seal what this one collects: changes are sealed with the windows of the list they
    /// belong to.
    pub fn sealed_by(&self) -> Feed {
        let kind = match self.kind {
            FeedKind::CallSync => FeedKind::CallLog,
            FeedKind::MessageSync => FeedKind::Messages,
            kind => kind,
        };
        Feed { kind, mailbox: self.mailbox.clone() }
    }

    /// Whether the feed serves what changed since a token instead of windows.
    pub fn is_sync(&self) -> bool {
        matches!(self.kind, FeedKind::CallSync | FeedKind::MessageSync)
    }

    /// What its records are; `None` when its pages are kept as evidence only.
    pub fn record_kind(&self) -> Option<RecordKind> {
        match self.kind {
            FeedKind::CallLog | FeedKind::CallSync => Some(RecordKind::Call),
            FeedKind::ExtensionCalls => Some(RecordKind::ExtensionCall),
            FeedKind::ActiveCalls => None,
            FeedKind::Messages | FeedKind::MessageSync => Some(RecordKind::Message),
            FeedKind::Extensions => Some(RecordKind::Extension),
            FeedKind::Account => Some(RecordKind::Account),
            FeedKind::Usage => Some(RecordKind::Usage),
            FeedKind::PortalCsv => Some(RecordKind::PortalCall),
        }
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
        /// A call as the log of one extension shows it.
        ExtensionCall = "extension-call",
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
    /// For a feed of changes: how far it has come with this page, kept together with it.
    pub stream: Option<Stream>,
}

/// How far a feed of changes has been read. Its pages land under a window of the UTC day they were observed on, each
/// round of requests as one listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    pub feed: Feed,
    /// What the next request presents; the source's own, opaque.
    pub token: String,
    /// From when on the full read that began this chain of tokens reached: by modification for calls, by creation for
    /// messages.
    pub from: Instant,
    /// When the source last said that nothing newer was left; `None` before the first time.
    pub reached: Option<Instant>,
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
    /// The number of the last listing begun, complete or not; 0 before the first.
    pub last_listing: u32,
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

impl Gap {
    /// The reason when an extension is not listed any more: its calls stay in the account's log, its messages are gone.
    pub const DEPARTED: &str = "departed";
}
