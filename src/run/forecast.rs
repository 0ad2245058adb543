//! What a pull would do: the puller itself, run against a service that is made up from what the book knows, on time
//! that does not pass. No request is made.
//!
//! Why the puller and not a calculation beside it: the plan is then the plan, with its rounds, its pacing and its
//! second listings, whatever the puller becomes. What is made up is only how much the service would answer: pages are
//! estimated from the records of earlier listings, everything else is the least there can be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::book::{Book, Standing};
use crate::domain::record::{Coverage, CoverageState, Cursor, Feed, FeedKind, PullWindow, RecordKind};
use crate::domain::{Exit, Failure, Hash, Instant, Result};
use crate::ringcentral::puller::{
    Action, Auth, Group, Input, Known, Moment, Puller, Request, Response, Scope, Settings,
};
use crate::ringcentral::redact::Redaction;
use crate::rules::config::CollectSettings;

use super::collect::{known, puller_settings};
use super::facts::codec;

/// What one kind of feed asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedForecast {
    /// Feeds of this kind: one, or one for each mailbox.
    pub feeds: u64,
    pub windows: u64,
    /// Complete listings of windows, the second ones that seal among them.
    pub listings: u64,
    pub requests: u64,
}

/// What a pull would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// By the feed's name without its mailbox; `token` for signing in.
    pub feeds: BTreeMap<&'static str, FeedForecast>,
    /// At least so many requests, by rate group.
    pub requests: BTreeMap<&'static str, u64>,
    /// At the documented limits, when the service answers at once.
    pub time: Duration,
    /// Mailboxes known from earlier pulls; `None` before the first.
    pub mailboxes: Option<u64>,
    /// Complete listings whose record counts the estimate of pages rests on.
    pub listings_known: u64,
}

impl Forecast {
    /// Requests of all groups.
    pub fn requests_total(&self) -> u64 {
        self.requests.values().sum()
    }
}

/// No pull of a year needs as many steps.
const STEPS_AT_MOST: u64 = 20_000_000;

/// Runs the puller without a service.
///
/// # Errors
/// Settings that cannot be meant (exit 3), a book that cannot be read, a puller that fails (exit 1).
pub fn forecast(
    book: Option<&Book>,
    settings: &CollectSettings,
    scope: Scope,
    now: Instant,
) -> Result<Forecast> {
    let redaction = Redaction { key: [0; 32], keep_text: false };
    let settings = puller_settings(settings, redaction)?;
    let mut service = Imagined::new(book, &settings, now)?;
    let mut forecast = Forecast {
        feeds: BTreeMap::new(),
        requests: BTreeMap::new(),
        time: Duration::ZERO,
        mailboxes: service.extensions.is_some().then_some(0),
        listings_known: service.listings_known,
    };
    let mut puller = Puller::new(settings, scope)?;
    let known = book.map(known).transpose()?.unwrap_or_default();
    let mut input = Input::Start(Known { coverage: service.coverage.values().cloned().collect(), ..known });
    let mut elapsed = Duration::ZERO;
    let mut seen: BTreeSet<PullWindow> = BTreeSet::new();
    for _ in 0..STEPS_AT_MOST {
        let passed = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        let civil = now.plus_milliseconds(passed);
        input = match puller.step(Moment { civil, elapsed }, input) {
            Action::Request(request) => {
                *forecast.requests.entry(group_word(request.group)).or_default() += 1;
                forecast.feeds.entry(word_of(&request)).or_default().requests += 1;
                Input::Response(service.answer(&request, civil))
            }
            Action::Wait { until, .. } => {
                elapsed = elapsed.max(until);
                Input::Continue
            }
            Action::Land { cursor, .. } => {
                let feed = forecast.feeds.entry(cursor.window.feed.kind.word()).or_default();
                feed.windows += u64::from(seen.insert(cursor.window.clone()));
                feed.listings += u64::from(cursor.next_page.is_none());
                Input::Landed { coverage: service.land(&cursor, civil) }
            }
            Action::Await => {
                return Err(Failure::new(Exit::Bug, "an answer is awaited that nobody asked for"));
            }
            Action::Account(_) | Action::Advance(_) | Action::NoteGap(_) | Action::Seal(_) => Input::Continue,
            Action::Finished(_) => {
                forecast.time = elapsed;
                count_feeds(&mut forecast, &seen);
                return Ok(forecast);
            }
            Action::Failed(failure) => return Err(failure.while_doing("planning a pull")),
        };
    }
    Err(Failure::new(Exit::Bug, "the plan of the pull has no end"))
}

fn count_feeds(forecast: &mut Forecast, seen: &BTreeSet<PullWindow>) {
    let feeds: BTreeSet<&Feed> = seen.iter().map(|window| &window.feed).collect();
    for feed in &feeds {
        if let Some(entry) = forecast.feeds.get_mut(feed.kind.word()) {
            entry.feeds += 1;
        }
    }
    if forecast.mailboxes.is_some() {
        let of_mailbox = |feed: &&&Feed| matches!(feed.kind, FeedKind::Messages | FeedKind::MessageSync);
        let mailboxes: BTreeSet<_> = feeds.iter().filter(of_mailbox).map(|feed| &feed.mailbox).collect();
        forecast.mailboxes = Some(mailboxes.len() as u64);
    }
}

/// The name of a rate group.
pub fn group_word(group: Group) -> &'static str {
    match group {
        Group::Auth => "Auth",
        Group::Light => "Light",
        Group::Medium => "Medium",
        Group::Heavy => "Heavy",
    }
}

/// The feed a request is for, by its path.
fn word_of(request: &Request) -> &'static str {
    if matches!(request.auth, Auth::Credentials) {
        return "token";
    }
    let in_extension = request.path.contains("/extension/");
    let kind = match request.path.rsplit('/').next().unwrap_or_default() {
        "extension" => FeedKind::Extensions,
        "call-log" if in_extension => FeedKind::ExtensionCalls,
        "call-log" => FeedKind::CallLog,
        "call-log-sync" | "call-log-extract-sync" => FeedKind::CallSync,
        "active-calls" => FeedKind::ActiveCalls,
        "message-store" => FeedKind::Messages,
        "message-sync" => FeedKind::MessageSync,
        _ => FeedKind::Account,
    };
    kind.word()
}

/// A service that answers with as many pages as the book lets expect, and nothing on them.
struct Imagined {
    account: String,
    /// The extensions as served last, a JSON list; `None` before the first pull.
    extensions: Option<String>,
    coverage: BTreeMap<PullWindow, Coverage>,
    /// Records and milliseconds of the complete listings, by feed.
    rates: BTreeMap<Feed, (u64, i64)>,
    /// Second ways of reading that were not offered last time.
    not_offered: BTreeSet<&'static str>,
    listings_known: u64,
    per_page: u64,
}

impl Imagined {
    fn new(book: Option<&Book>, settings: &Settings, now: Instant) -> Result<Imagined> {
        let coverage = book.map(Book::coverage).transpose()?.unwrap_or_default();
        let mut rates: BTreeMap<Feed, (u64, i64)> = BTreeMap::new();
        let mut listings_known = 0;
        for entry in coverage.iter().filter(|entry| entry.listings_complete > 0) {
            let span = entry.window.span;
            let (records, length) = rates.entry(entry.window.feed.clone()).or_default();
            *records += entry.records;
            *length += span.to.min(now).milliseconds().saturating_sub(span.from.milliseconds()).max(0);
            let listed = matches!(entry.window.feed.kind, FeedKind::CallLog | FeedKind::Messages);
            listings_known += if listed { u64::from(entry.listings_complete) } else { 0 };
        }
        let extensions = match book {
            Some(book) => extensions(book)?,
            None => None,
        };
        let gaps = book.map(Book::gaps).transpose()?.unwrap_or_default();
        let account = book.and_then(|book| book.identity().account.clone());
        Ok(Imagined {
            account: account.unwrap_or_else(|| "0".to_owned()),
            extensions,
            coverage: coverage.into_iter().map(|entry| (entry.window.clone(), entry)).collect(),
            rates,
            not_offered: gaps
                .iter()
                .filter(|gap| gap.feed.mailbox.is_none())
                .map(|gap| gap.feed.kind.word())
                .collect(),
            listings_known,
            per_page: u64::from(settings.per_page),
        })
    }

    fn answer(&self, request: &Request, civil: Instant) -> Response {
        let date = civil.utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let header = |name: &str| (name == "Date").then(|| date.clone());
        if self.not_offered.contains(word_of(request)) {
            let body = json!({ "errorCode": "CMN-120", "errors": [{ "errorCode": "CMN-120" }] });
            return Response::new(404, header, body.to_string().into_bytes());
        }
        let body = if matches!(request.auth, Auth::Credentials) {
            json!({ "access_token": "none", "token_type": "bearer", "expires_in": 3600 }).to_string()
        } else {
            match word_of(request) {
                "account" => json!({ "id": self.account, "uri": uri(&self.account) }).to_string(),
                "extensions" => {
                    let records = self.extensions.as_deref().unwrap_or("[]");
                    format!(
                        "{{\"uri\":\"{}\",\"records\":{records},\"paging\":{{\"page\":1,\"perPage\":1000}},\"navigation\":{{}}}}",
                        uri(&self.account)
                    )
                }
                "call-sync" | "message-sync" => sync_answer(request, &self.account, civil),
                _ => self.page(request),
            }
        };
        Response::new(200, header, body.into_bytes())
    }

    /// A page of a list, with a next one as long as more are expected.
    fn page(&self, request: &Request) -> String {
        let page: u64 = query(request, "page").and_then(|page| page.parse().ok()).unwrap_or(1);
        let mut body = json!({
            "uri": uri(&self.account),
            "records": [],
            "paging": { "page": page, "perPage": self.per_page },
            "navigation": {},
        });
        if page < self.pages_of(request) {
            let next = format!("{}/next?page={}&perPage={}", uri(&self.account), page + 1, self.per_page);
            body["navigation"]["nextPage"] = json!({ "uri": next });
        }
        body.to_string()
    }

    /// Pages to expect: by the window's own last count where it was listed, else by the feed's records over time.
    fn pages_of(&self, request: &Request) -> u64 {
        let time = |name| query(request, name).and_then(Instant::parse);
        let (Some(from), Some(to)) = (time("dateFrom"), time("dateTo")) else { return 1 };
        let mailbox = request.path.split("/extension/").nth(1).and_then(|rest| rest.split('/').next());
        let kind = match word_of(request) {
            "messages" => FeedKind::Messages,
            "extension-calls" => FeedKind::ExtensionCalls,
            _ => FeedKind::CallLog,
        };
        let feed = Feed { kind, mailbox: mailbox.map(str::to_owned) };
        let own = self.coverage.values().find(|entry| {
            entry.window.feed == feed && entry.window.span.to == to && entry.listings_complete > 0
        });
        let records = match (own, self.rates.get(&feed)) {
            (Some(entry), _) => entry.records,
            (None, Some((records, length))) if *length > 0 => {
                let asked = to.milliseconds().saturating_sub(from.milliseconds()).max(0);
                let expected = i128::from(*records) * i128::from(asked) / i128::from(*length);
                u64::try_from(expected).unwrap_or(u64::MAX)
            }
            (None, _) => 0,
        };
        records.div_ceil(self.per_page).clamp(1, 1000)
    }

    /// The window's coverage after a page; a second listing always agrees with the first.
    fn land(&mut self, cursor: &Cursor, civil: Instant) -> Option<Coverage> {
        let entry = self.coverage.entry(cursor.window.clone()).or_insert_with(|| Coverage {
            window: cursor.window.clone(),
            state: CoverageState::Open,
            listings_complete: 0,
            cursor: None,
            records: 0,
            digest: None,
            listed_at: None,
            last_listing: 0,
        });
        entry.cursor = Some(cursor.clone());
        entry.last_listing = entry.last_listing.max(cursor.listing);
        if cursor.next_page.is_none() {
            entry.listings_complete = entry.listings_complete.saturating_add(1);
            entry.digest.get_or_insert_with(|| Hash::of(b"forecast"));
            entry.listed_at = Some(civil);
            if entry.state == CoverageState::Open {
                entry.state = CoverageState::Collected;
            }
            return Some(entry.clone());
        }
        None
    }
}

fn uri(account: &str) -> String {
    format!("https://forecast.invalid/restapi/v1.0/account/{account}")
}

fn query<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.query.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

/// Nothing is new, neither before nor after.
fn sync_answer(request: &Request, account: &str, civil: Instant) -> String {
    let kind = query(request, "syncType").unwrap_or("FSync");
    json!({
        "uri": uri(account),
        "records": [],
        "syncInfo": {
            "syncType": kind,
            "syncToken": "forecast",
            "syncTime": civil.rfc3339(),
            "newerRecordsExist": false,
            "olderRecordsExist": false,
        },
    })
    .to_string()
}

/// The extensions as served last; `None` when none were.
fn extensions(book: &Book) -> Result<Option<String>> {
    let versions = book.scan(&[RecordKind::Extension], None, &codec())?;
    let current = versions.iter().filter(|version| version.standing == Standing::Current);
    let records: Vec<Value> =
        current.filter_map(|version| serde_json::from_str(&version.record.json).ok()).collect();
    Ok((!records.is_empty()).then(|| Value::Array(records).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::collect;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    #[test]
    fn a_first_month_is_planned_without_a_book() {
        let settings = CollectSettings {
            call_sync: false,
            message_sync: false,
            active_calls: false,
            ..CollectSettings::default()
        };
        let scope = collect::scope(at("2026-10-01T00:00:00Z"), None, None);
        let forecast = forecast(None, &settings, scope, at("2026-11-01T01:00:00Z")).unwrap();
        let calls = &forecast.feeds["call-log"];
        assert_eq!((calls.windows, calls.listings, calls.requests), (31, 62, 62));
        assert_eq!(forecast.mailboxes, None);
        assert_eq!((forecast.requests["Heavy"], forecast.requests["Auth"]), (62, 1));
        // Ten a minute: the 61st begins six minutes after the first.
        assert_eq!(forecast.time.as_secs(), 360);
    }

    #[test]
    fn nothing_is_asked_of_feeds_that_are_off() {
        let settings = CollectSettings {
            call_log: false,
            call_sync: false,
            active_calls: false,
            messages: false,
            message_sync: false,
            ..CollectSettings::default()
        };
        let scope = collect::scope(at("2026-10-01T00:00:00Z"), None, None);
        let forecast = forecast(None, &settings, scope, at("2026-11-01T01:00:00Z")).unwrap();
        assert!(!forecast.feeds.contains_key("call-log"), "{forecast:?}");
        assert_eq!(forecast.requests_total(), 3, "a token, the account, its extensions");
    }
}
