//! What is being read: listings of windows, and feeds of changes.

use crate::domain::record::{Feed, FeedKind, PullWindow, RecordKind, Stream};
use crate::domain::time::Span;
use crate::domain::{Hash, Instant};

use super::limits::Endpoint;
use super::plan::Planned;

/// A piece of work under way: what is read, and how often the request before it had to be repeated.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) tries: u32,
    pub(super) refusals: u32,
    pub(super) renewed: bool,
}

#[derive(Debug)]
pub(super) enum Work {
    Listing(Listing),
    Changes(Changes),
}

/// A listing of a window, page by page.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) plan: Planned,
    /// The page to ask for next; 0 when there is none.
    pub(super) page: u32,
    /// Listings of this window begun in this run, this one included.
    pub(super) listings: u32,
    /// Records on a page, as the service said with the first one.
    pub(super) per_page: Option<u32>,
    /// The records of the last page, and how many pages in a row had the same ones or none.
    pub(super) last_page: Option<Hash>,
    pub(super) standstill: u32,
    /// Listings given up because the service changed its pages in the middle.
    pub(super) restarts: u32,
    /// Starts of calls that this listing shows as not finished.
    pub(super) unfinished: Vec<Instant>,
}

/// A round of requests for what changed.
#[derive(Debug)]
pub(super) struct Changes {
    pub(super) feed: Feed,
    /// The UTC day of the round: where its pages land.
    pub(super) window: PullWindow,
    /// Which round of that day, from 1.
    pub(super) listing: u32,
    /// The page that the next answer lands as.
    pub(super) page: u32,
    pub(super) ask: Ask,
    /// What the next request presents.
    pub(super) token: Option<String>,
    /// From when on the full read of this chain of tokens reaches.
    pub(super) from: Instant,
    pub(super) reached: Option<Instant>,
    /// Answers in a row that promised more and brought nothing.
    pub(super) standstill: u32,
    /// Full reads begun in this run, each from a later time when the service refuses an earlier one.
    pub(super) full_reads: u32,
}

/// What a request for changes says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// A full read of the account's calls, by modification.
    AllCalls,
    /// A frame of a full read of a mailbox: created up to here.
    AllMessages { to: Instant },
    /// What changed since the token.
    Since,
}

impl Job {
    pub(super) fn listing(plan: Planned) -> Job {
        Job::of(Work::Listing(Listing {
            page: plan.page,
            plan,
            listings: 1,
            per_page: None,
            last_page: None,
            standstill: 0,
            restarts: 0,
            unfinished: Vec::new(),
        }))
    }

    pub(super) fn changes(changes: Changes) -> Job {
        Job::of(Work::Changes(changes))
    }

    pub(super) fn of(work: Work) -> Job {
        Job { work, tries: 0, refusals: 0, renewed: false }
    }

    pub(super) fn feed(&self) -> &Feed {
        match &self.work {
            Work::Listing(listing) => &listing.plan.window.feed,
            Work::Changes(changes) => &changes.feed,
        }
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        match self.feed().kind {
            FeedKind::Account => Endpoint::Account,
            FeedKind::Extensions => Endpoint::Extensions,
            FeedKind::Messages => Endpoint::Messages,
            FeedKind::MessageSync => Endpoint::MessageSync,
            FeedKind::CallSync => Endpoint::CallSync,
            FeedKind::ActiveCalls => Endpoint::ActiveCalls,
            FeedKind::CallLog | FeedKind::ExtensionCalls | FeedKind::Usage | FeedKind::PortalCsv => {
                Endpoint::CallLog
            }
        }
    }

    /// What the page is read as. Calls in progress are read as calls and not kept as records.
    pub(super) fn record_kind(&self) -> RecordKind {
        self.feed().record_kind().unwrap_or(RecordKind::Call)
    }

    /// The page that is read next, for messages.
    pub(super) fn page(&self) -> u32 {
        match &self.work {
            Work::Listing(listing) => listing.page,
            Work::Changes(changes) => changes.page,
        }
    }

    /// Whether a refusal may concern this extension alone.
    pub(super) fn is_of_one_extension(&self) -> bool {
        self.feed().mailbox.is_some()
    }

    /// Whether the windows can do without it: a second way of reading, or a look that makes sealing safer.
    pub(super) fn can_be_missed(&self) -> bool {
        matches!(self.feed().kind, FeedKind::CallSync | FeedKind::MessageSync | FeedKind::ActiveCalls)
    }

    /// What a refusal of this job withholds, for people.
    pub(super) fn what(&self) -> String {
        let extension = self.feed().mailbox.as_deref().unwrap_or("?");
        match self.feed().kind {
            FeedKind::Account => "the account information".to_owned(),
            FeedKind::Extensions => "the list of extensions".to_owned(),
            FeedKind::Messages => format!("the mailbox {extension}"),
            FeedKind::MessageSync => format!("the changes of the mailbox {extension}"),
            FeedKind::ExtensionCalls => format!("the call log of the extension {extension}"),
            FeedKind::CallSync => "the changes of the account's call log".to_owned(),
            FeedKind::ActiveCalls => "the calls in progress".to_owned(),
            FeedKind::CallLog | FeedKind::Usage | FeedKind::PortalCsv => "the account's call log".to_owned(),
        }
    }
}

impl Changes {
    /// A round for a feed: from its token when there is one, else everything from `from` on.
    pub(super) fn new(
        feed: Feed,
        stream: Option<&Stream>,
        from: Instant,
        now: Instant,
        listing: u32,
    ) -> Changes {
        let full = if feed.kind == FeedKind::CallSync { Ask::AllCalls } else { Ask::AllMessages { to: now } };
        Changes {
            window: PullWindow { feed: feed.clone(), span: utc_day(now) },
            feed,
            listing,
            page: 1,
            ask: if stream.is_some() { Ask::Since } else { full },
            token: stream.map(|stream| stream.token.clone()),
            from: stream.map_or(from, |stream| stream.from),
            reached: stream.and_then(|stream| stream.reached),
            standstill: 0,
            full_reads: u32::from(stream.is_none()),
        }
    }

    /// How far the feed has come with an answer.
    pub(super) fn stream(&self, reached: Option<Instant>) -> Option<Stream> {
        let token = self.token.clone()?;
        Some(Stream { feed: self.feed.clone(), token, from: self.from, reached: reached.or(self.reached) })
    }
}

/// The UTC day around an instant.
pub(super) fn utc_day(at: Instant) -> Span {
    const DAY: i64 = 86_400_000;
    let from = at.milliseconds().div_euclid(DAY) * DAY;
    Span { from: Instant::from_milliseconds(from), to: Instant::from_milliseconds(from + DAY) }
}
