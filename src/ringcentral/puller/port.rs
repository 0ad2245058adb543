//! What goes into the puller and what comes out: settings, inputs, actions.

use std::fmt;
use std::time::Duration;

use super::limits::{Group, RateHeaders};
use crate::domain::record::{Coverage, Cursor, Gap, PullWindow, RawPage, SourceRecord, Stream};
use crate::domain::time::Span;
use crate::domain::{Exit, Failure, Instant, Result};
use crate::ringcentral::credentials::Secret;
use crate::ringcentral::redact::Redaction;

/// Now, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The civil time: what records are compared with. May be a virtual one.
    pub civil: Instant,
    /// Real time since the run began: what budgets, waits and token life are counted in.
    pub elapsed: Duration,
}

/// How to pull.
#[derive(Clone, Debug)]
pub struct Settings {
    pub call_log: bool,
    pub messages: bool,
    /// Also read the call log by changes.
    pub call_sync: bool,
    /// Also read each mailbox by changes.
    pub message_sync: bool,
    /// Look at the calls in progress before a window of calls is sealed.
    pub active_calls: bool,
    /// Numbers of the extensions whose own call log is read as second evidence.
    pub extension_calls: Vec<String>,
    /// Length of a call log window; windows are aligned to its multiples since 1970 in UTC.
    pub call_log_window: Duration,
    pub message_window: Duration,
    /// Each window is asked from this much before its beginning.
    pub overlap: Duration,
    /// A window is closed this long after its end.
    pub settling_lag: Duration,
    /// A sealed window is listed again each day until it is this old,
    pub reread_daily_for: Duration,
    /// and each week until it is this old.
    pub reread_weekly_for: Duration,
    /// A difference between our clock and the service's beyond this ends the run.
    pub clock_skew_at_most: Duration,
    /// Also list the last window, which is not closed, up to now less the lag.
    pub open_window: bool,
    /// Records asked for on a page, at most 1000.
    pub per_page: u32,
    /// Also messages of shared mailboxes (`owner=Any`).
    pub shared_mailboxes: bool,
    /// Types of extension that cannot receive messages and are not asked: menus, sites and parking places.
    pub types_without_mailbox: Vec<String>,
    /// Listings of one window in one run, while they do not agree.
    pub listings_at_most: u32,
    /// Tries of one request that the service cannot answer.
    pub tries: u32,
    /// Refusals in a row of one request for the rate.
    pub rate_refusals_at_most: u32,
    /// A longer wait that the service asks for ends the run.
    pub longest_wait: Duration,
    /// Seed of the jitter of repeats.
    pub jitter_seed: u64,
    pub redaction: Redaction,
}

impl Settings {
    /// The defaults of the design.
    pub fn new(redaction: Redaction) -> Settings {
        const HOUR: u64 = 3600;
        Settings {
            call_log: true,
            messages: true,
            call_sync: true,
            message_sync: true,
            active_calls: true,
            extension_calls: Vec::new(),
            call_log_window: Duration::from_secs(24 * HOUR),
            message_window: Duration::from_secs(7 * 24 * HOUR),
            overlap: Duration::from_secs(2 * HOUR),
            settling_lag: Duration::from_secs(HOUR / 2),
            reread_daily_for: Duration::from_secs(7 * 24 * HOUR),
            reread_weekly_for: Duration::from_secs(35 * 24 * HOUR),
            clock_skew_at_most: Duration::from_secs(HOUR),
            open_window: false,
            per_page: 1000,
            shared_mailboxes: true,
            types_without_mailbox: ["IvrMenu", "ParkLocation", "Site"].map(str::to_owned).to_vec(),
            listings_at_most: 4,
            tries: 5,
            rate_refusals_at_most: 10,
            longest_wait: Duration::from_secs(HOUR),
            jitter_seed: 0,
            redaction,
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        let mistake = |message: &str| Err(Failure::new(Exit::Mistakes, message));
        for length in [self.call_log_window, self.message_window] {
            if length < Duration::from_secs(60) || length.subsec_nanos() != 0 {
                return mistake("a collection window is at least a minute long and in whole seconds");
            }
        }
        if self.overlap.subsec_nanos() != 0 {
            return mistake("the overlap of collection windows is in whole seconds");
        }
        if !(1..=1000).contains(&self.per_page) {
            return mistake("a page has 1 to 1000 records");
        }
        if self.listings_at_most == 0 || self.tries == 0 {
            return mistake("a window is listed, and a request tried, at least once");
        }
        Ok(())
    }
}

/// What is to be pulled.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The earliest time wanted.
    pub span_from: Instant,
    /// Windows that end later are left for another run; `None`: up to now.
    pub span_to: Option<Instant>,
    /// Sealed windows to list once more.
    pub reread: Option<Span>,
}

/// What the book knows when a run begins.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Whose records it keeps.
    pub account: Option<String>,
    pub coverage: Vec<Coverage>,
    /// How far its feeds of changes have come.
    pub streams: Vec<Stream>,
    /// The pages of the last complete list of extensions, as stored, while it is today's; none: it is asked for.
    pub extension_pages: Vec<Vec<u8>>,
}

/// What happened.
pub enum Input {
    /// The run begins, with what the book has.
    Start(Known),
    /// The answer to the last request.
    Response(Response),
    /// The last request got no answer. The text is the transport's and carries no secret.
    NetworkError { what: String },
    /// The last action (a wait, a note, a seal) is done.
    Continue,
    /// The page is in the book. After the last page of a listing, with the window's coverage as it is now.
    Landed { coverage: Option<Coverage> },
}

/// What to do next.
#[derive(Debug)]
pub enum Action {
    Request(Request),
    /// Give the answer to the request that was sent ahead ([`super::Puller::ahead`]).
    Await,
    /// Sleep until this elapsed time.
    Wait {
        until: Duration,
        why: Why,
    },
    /// The account of the credentials: the book refuses another one's.
    Account(String),
    /// Store the page, its records and the cursor together.
    Land {
        page: RawPage,
        records: Vec<SourceRecord>,
        cursor: Cursor,
    },
    /// A feed of changes has come further and had nothing to land.
    Advance(Stream),
    NoteGap(Gap),
    Seal(PullWindow),
    Finished(Summary),
    Failed(Failure),
}

/// Why the puller waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The group's budget is used up.
    Budget,
    /// The service refused for the rate and named a penalty.
    Penalty,
    /// The service could not answer.
    Repeat,
}

/// A request to the configured origin.
#[derive(Debug)]
pub struct Request {
    /// `GET`, or `POST` for a token.
    pub method: Method,
    pub path: String,
    /// In order; a name may occur several times. Values are not yet encoded.
    pub query: Vec<(&'static str, String)>,
    pub auth: Auth,
    pub group: Group,
}

/// The methods used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

/// How a request is authorised.
#[derive(Clone, Debug)]
pub enum Auth {
    /// Client id and secret, with the JWT as the form's assertion: a token request.
    Credentials,
    /// An access token.
    Bearer(Secret),
}

/// An answer: the status, the headers that matter, the body.
#[derive(Clone, Default)]
pub struct Response {
    pub status: u16,
    pub rate: RateHeaders,
    pub retry_after: Option<String>,
    pub date: Option<String>,
    pub location: Option<String>,
    pub body: Vec<u8>,
}

impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A body may hold a token or personal text.
        write!(formatter, "Response {{ status: {}, body: {} bytes }}", self.status, self.body.len())
    }
}

impl Response {
    /// From a status, a way to look up headers (whatever their case), and a body.
    pub fn new(status: u16, header: impl Fn(&str) -> Option<String>, body: Vec<u8>) -> Response {
        // One page of the guide spells them without the second hyphen.
        let rate = |name: &str| {
            header(&format!("X-Rate-Limit-{name}")).or_else(|| header(&format!("X-RateLimit-{name}")))
        };
        let number = |name: &str| rate(name).and_then(|text| text.trim().parse::<u32>().ok());
        Response {
            status,
            rate: RateHeaders {
                group: rate("Group"),
                limit: number("Limit"),
                remaining: number("Remaining"),
                window: rate("Window").as_deref().and_then(seconds),
            },
            retry_after: header("Retry-After"),
            date: header("Date"),
            location: header("Location"),
            body,
        }
    }

    /// The service's own clock, to the second.
    pub fn served_at(&self) -> Option<Instant> {
        self.date.as_deref().and_then(http_date)
    }

    /// How long the service asks to wait: seconds, or a date against the answer's own date (else `civil`). A second
    /// is added, because the service may have cut a fraction and a request too early starts a penalty again.
    pub fn wait_asked(&self, civil: Instant) -> Option<Duration> {
        let text = self.retry_after.as_deref()?;
        if let Some(wait) = seconds(text) {
            return Some(wait + Duration::from_secs(1));
        }
        let until = http_date(text)?;
        let now = self.served_at().unwrap_or(civil);
        let wait = until.milliseconds().saturating_sub(now.milliseconds()).max(0);
        Some(Duration::from_millis(wait.unsigned_abs()) + Duration::from_secs(1))
    }
}

fn http_date(text: &str) -> Option<Instant> {
    let date = chrono::DateTime::parse_from_rfc2822(text.trim()).ok()?;
    Some(Instant::from_milliseconds(date.timestamp_millis()))
}

/// Seconds in decimal notation, as headers give them.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 9 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let milliseconds: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some(Duration::from_secs(whole.parse().ok()?) + Duration::from_millis(milliseconds.parse().ok()?))
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub account: Option<String>,
    pub requests: u64,
    pub pages: u64,
    /// Records served, repeats of overlapping windows and listings included.
    pub records: u64,
    pub malformed: u64,
    pub windows_planned: u64,
    pub listings: u64,
    pub windows_sealed: u64,
    /// Windows whose listings did not agree; they stay open for the next run.
    pub unsettled: Vec<PullWindow>,
    /// Windows that stay open because a call that began in them is still in progress.
    pub held_open: Vec<PullWindow>,
    /// Second ways of reading that the service does not offer here; the windowed lists are used alone.
    pub without: Vec<Gap>,
    pub gaps: Vec<Gap>,
    pub rate_refusals: u64,
    pub repeats: u64,
    pub tokens: u64,
}

/// How far a run has come, for a progress bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The feed being read, by name; empty before the first.
    pub feed: String,
    /// Listings done and known to be wanted.
    pub listings_done: u64,
    pub listings_known: u64,
    pub pages: u64,
    pub records: u64,
    pub requests: u64,
    /// How long a wait will last, and why.
    pub waiting: Option<(Duration, Why)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(retry_after: &str, date: Option<&str>) -> Option<Duration> {
        let response = Response {
            retry_after: Some(retry_after.to_owned()),
            date: date.map(str::to_owned),
            ..Response::default()
        };
        response.wait_asked(Instant::parse("2026-03-09T00:00:00Z").unwrap())
    }

    #[test]
    fn waits_are_read_in_seconds_and_as_dates() {
        assert_eq!(asked("60", None), Some(Duration::from_secs(61)));
        assert_eq!(asked("0.25", None), Some(Duration::from_millis(1250)));
        assert_eq!(asked("Mon, 09 Mar 2026 00:01:00 GMT", None), Some(Duration::from_secs(61)));
        let date = Some("Mon, 09 Mar 2026 00:00:30 GMT");
        assert_eq!(asked("Mon, 09 Mar 2026 00:01:00 GMT", date), Some(Duration::from_secs(31)));
        assert_eq!(
            asked("Sun, 08 Mar 2026 00:01:00 GMT", date),
            Some(Duration::from_secs(1)),
            "a date in the past"
        );
        assert_eq!(asked("soon", None), None);
    }
}
