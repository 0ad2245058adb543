//! Which windows a run lists, as a pure function of what is already covered.

use std::collections::BTreeMap;
use std::time::Duration;

use super::job::utc_day;
use super::{Scope, Settings};
use crate::domain::record::{Coverage, CoverageState, Feed, FeedKind, PullWindow};
use crate::domain::time::Span;
use crate::domain::{Hash, Instant};

/// Why a window is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Until two listings agree.
    Settle,
    /// Once more, although sealed.
    Reread,
    /// Once: the window is not closed, or is a state of the account at one time.
    Once,
}

/// One listing to make or to go on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    pub window: PullWindow,
    /// Which listing of the window, from 1.
    pub listing: u32,
    /// The page to ask for first; above 1 when an interrupted listing goes on.
    pub page: u32,
    pub purpose: Purpose,
    /// The digest of the last complete listing, to agree with.
    pub previous_digest: Option<Hash>,
}

/// What is known of the account's extensions when windows are planned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// Ids of those with a mailbox.
    pub mailboxes: Vec<String>,
    /// Ids of those whose own call log is read.
    pub call_logs: Vec<String>,
}

/// A re-reading that is due within this of its time is made now, so that a daily schedule does not slip by a day.
const SLACK: Duration = Duration::from_secs(3600);

/// The closed windows from the scope's beginning (aligned down to multiples of the window length) up to `now` less the
/// settling lag: calls first, then each mailbox, oldest first. Sealed windows are left out unless they are due to be
/// read again or an earlier re-reading was interrupted; so are windows inside sealed ones of another length.
pub fn plan(
    scope: &Scope,
    now: Instant,
    settings: &Settings,
    coverage: &[Coverage],
    extensions: &Extensions,
) -> Vec<Planned> {
    let mut by_feed: BTreeMap<&Feed, Vec<&Coverage>> = BTreeMap::new();
    for entry in coverage {
        by_feed.entry(&entry.window.feed).or_default().push(entry);
    }
    let mut planned = Vec::new();
    for (feed, length) in feeds(settings, extensions) {
        let entries = by_feed.get(&feed).map_or(&[][..], Vec::as_slice);
        plan_feed(&feed, length, entries, scope, now, settings, &mut planned);
    }
    planned
}

/// The windowed feeds of a run, in the order in which they are read.
fn feeds(settings: &Settings, extensions: &Extensions) -> Vec<(Feed, Duration)> {
    let mut feeds = Vec::new();
    if settings.call_log {
        feeds.push((Feed::account_wide(FeedKind::CallLog), settings.call_log_window));
    }
    for id in &extensions.call_logs {
        feeds.push((Feed::of_extension(FeedKind::ExtensionCalls, id.clone()), settings.call_log_window));
    }
    if settings.messages {
        let mailboxes = extensions.mailboxes.iter();
        feeds.extend(mailboxes.map(|id| (Feed::mailbox(id.clone()), settings.message_window)));
    }
    feeds
}

fn plan_feed(
    feed: &Feed,
    length: Duration,
    entries: &[&Coverage],
    scope: &Scope,
    now: Instant,
    settings: &Settings,
    planned: &mut Vec<Planned>,
) {
    let known: BTreeMap<Span, &Coverage> = entries.iter().map(|entry| (entry.window.span, *entry)).collect();
    let sealed = sealed_spans(entries);
    let mut wanted: BTreeMap<Span, bool> = windows(scope, now, length, settings).into_iter().collect();
    wanted.retain(|span, _| known.contains_key(span) || !is_inside(&sealed, *span));
    // What is sealed or was begun under another length is looked after under its own.
    for (span, entry) in &known {
        let begun = entry.state != CoverageState::Sealed && closed_at(*span, now, settings);
        let begun = begun && span.to > scope.span_from && scope.span_to.is_none_or(|to| span.to <= to);
        if (begun && !is_inside(&sealed, *span)) || is_due(entry, scope, now, settings) {
            wanted.entry(*span).or_insert(true);
        }
    }
    for (span, closed) in wanted {
        let entry = known.get(&span).copied();
        let again = entry.is_some_and(|entry| is_due(entry, scope, now, settings));
        let window = PullWindow { feed: feed.clone(), span };
        planned.extend(listing_of(window, entry, closed, again));
    }
}

fn closed_at(span: Span, now: Instant, settings: &Settings) -> bool {
    span.to.plus_milliseconds(milliseconds(settings.settling_lag)) <= now
}

/// The sealed parts of a feed, joined, in order.
fn sealed_spans(entries: &[&Coverage]) -> Vec<Span> {
    let mut spans: Vec<Span> = entries
        .iter()
        .filter(|entry| entry.state == CoverageState::Sealed)
        .map(|entry| entry.window.span)
        .collect();
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
            _ => joined.push(span),
        }
    }
    joined
}

fn is_inside(joined: &[Span], span: Span) -> bool {
    let place = joined.partition_point(|sealed| sealed.from <= span.from);
    place.checked_sub(1).is_some_and(|place| joined[place].to >= span.to)
}

/// Whether a sealed window is to be listed again: because somebody asks for it, or because the schedule says so.
fn is_due(entry: &Coverage, scope: &Scope, now: Instant, settings: &Settings) -> bool {
    if entry.state != CoverageState::Sealed {
        return false;
    }
    if scope.reread.is_some_and(|span| span.overlaps(&entry.window.span)) {
        return true;
    }
    let Some(listed) = entry.listed_at else { return false };
    let since = |at: Instant| now.milliseconds().saturating_sub(at.milliseconds());
    let (age, unread) = (since(entry.window.span.to), since(listed));
    const DAY: i64 = 86_400_000;
    let slack = milliseconds(SLACK);
    if age < milliseconds(settings.reread_daily_for) {
        unread >= DAY - slack
    } else {
        age < milliseconds(settings.reread_weekly_for) && unread >= 7 * DAY - slack
    }
}

/// A listing of the state of the account now (the account itself, its extensions, its calls in progress), keyed by the
/// UTC day.
pub fn snapshot(kind: FeedKind, now: Instant, coverage: &[Coverage]) -> Planned {
    let window = PullWindow { feed: Feed::account_wide(kind), span: utc_day(now) };
    Planned {
        listing: next_listing(&window, coverage),
        window,
        page: 1,
        purpose: Purpose::Once,
        previous_digest: None,
    }
}

/// The number of a listing that is begun anew: an interrupted one of a state, or of changes, is not gone on with.
pub(super) fn next_listing(window: &PullWindow, coverage: &[Coverage]) -> u32 {
    let entry = coverage.iter().find(|entry| entry.window == *window);
    entry.map_or(0, |entry| entry.last_listing).saturating_add(1)
}

fn listing_of(window: PullWindow, entry: Option<&Coverage>, closed: bool, again: bool) -> Option<Planned> {
    let interrupted = entry
        .and_then(|entry| entry.cursor.as_ref())
        .and_then(|cursor| cursor.next_page.map(|page| (cursor.listing, page)));
    let sealed = entry.is_some_and(|entry| entry.state == CoverageState::Sealed);
    if sealed && !again && interrupted.is_none() {
        return None;
    }
    let begun = entry.map_or(0, |entry| entry.last_listing);
    let (listing, page) = interrupted.unwrap_or((begun.saturating_add(1), 1));
    let purpose = match (sealed, closed) {
        (true, _) => Purpose::Reread,
        (false, true) => Purpose::Settle,
        (false, false) => Purpose::Once,
    };
    // A listing that is gone on with is in part as old as its interruption: it agrees with nothing, and a whole one has
    // to follow.
    let whole = entry.filter(|entry| entry.listings_complete > 0 && interrupted.is_none());
    let previous_digest = whole.and_then(|entry| entry.digest);
    Some(Planned { window, listing, page, purpose, previous_digest })
}

/// The windows and whether each is closed; only the last can be open, and only when the settings ask for it.
fn windows(scope: &Scope, now: Instant, length: Duration, settings: &Settings) -> Vec<(Span, bool)> {
    let length = milliseconds(length).max(1);
    let horizon = now.milliseconds().saturating_sub(milliseconds(settings.settling_lag));
    let end = scope.span_to.map_or(horizon, |to| {
        // The window around the wanted end is wanted whole.
        let whole = to.milliseconds().saturating_add(length - 1).div_euclid(length).saturating_mul(length);
        whole.min(horizon)
    });
    let mut from = scope.span_from.milliseconds().div_euclid(length).saturating_mul(length);
    let mut spans = Vec::new();
    let span = |from: i64, to: i64| Span {
        from: Instant::from_milliseconds(from),
        to: Instant::from_milliseconds(to),
    };
    while from.saturating_add(length) <= end {
        spans.push((span(from, from + length), true));
        from += length;
    }
    let cut = horizon.div_euclid(1000) * 1000;
    if settings.open_window && scope.span_to.is_none() && from < cut {
        spans.push((span(from, cut), false));
    }
    spans
}

/// A length in milliseconds, the unit of instants.
pub(super) fn milliseconds(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::Cursor;
    use crate::ringcentral::redact::Redaction;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    fn settings() -> Settings {
        Settings::new(Redaction { key: [0; 32], keep_text: false })
    }

    fn days(planned: &[Planned]) -> Vec<String> {
        planned
            .iter()
            .map(|planned| {
                format!("{} {}", planned.window.feed.name(), &planned.window.span.from.rfc3339()[..10])
            })
            .collect()
    }

    fn covered(
        window: &PullWindow,
        state: CoverageState,
        complete: u32,
        cursor: Option<(u32, u32)>,
    ) -> Coverage {
        Coverage {
            window: window.clone(),
            state,
            listings_complete: complete,
            last_listing: cursor.map_or(complete, |(listing, _)| listing),
            cursor: cursor.map(|(listing, page)| Cursor {
                window: window.clone(),
                listing,
                next_page: Some(page),
                stream: None,
            }),
            records: 0,
            digest: (complete > 0).then(|| Hash::of(b"x")),
            listed_at: None,
        }
    }

    fn from(text: &str) -> Scope {
        Scope { span_from: at(text), span_to: None, reread: None }
    }

    fn mailbox() -> Extensions {
        Extensions { mailboxes: vec!["7".to_owned()], call_logs: Vec::new() }
    }

    #[test]
    fn only_closed_windows_are_listed_calls_before_mailboxes() {
        let scope = from("2026-03-05T13:00:00Z");
        let planned = plan(&scope, at("2026-03-08T00:29:59Z"), &settings(), &[], &mailbox());
        assert_eq!(days(&planned), ["call-log 2026-03-05", "call-log 2026-03-06"]);
        let settled = plan(&scope, at("2026-03-12T00:30:00Z"), &settings(), &[], &mailbox());
        assert_eq!(settled.len(), 7 + 1, "{:?}", days(&settled));
        assert_eq!(days(&settled)[7], "messages/7 2026-03-05", "weeks since the epoch begin on Thursdays");
        let until = Scope { span_to: Some(at("2026-03-06T12:00:00Z")), ..scope };
        let planned = plan(&until, at("2026-03-12T00:30:00Z"), &settings(), &[], &mailbox());
        assert_eq!(days(&planned), ["call-log 2026-03-05", "call-log 2026-03-06", "messages/7 2026-03-05"]);
    }

    #[test]
    fn an_open_window_ends_at_the_lag_and_is_listed_once() {
        let settings = Settings { open_window: true, messages: false, ..settings() };
        let planned = plan(
            &from("2026-03-08T00:00:00Z"),
            at("2026-03-08T10:00:00.750Z"),
            &settings,
            &[],
            &Extensions::default(),
        );
        assert_eq!(planned.len(), 1);
        assert_eq!(planned[0].window.span.to, at("2026-03-08T09:30:00Z"));
        assert_eq!(planned[0].purpose, Purpose::Once);
    }

    #[test]
    fn sealed_windows_are_skipped_unless_asked_for_and_interrupted_listings_go_on() {
        let (scope, now) = (from("2026-03-05T00:00:00Z"), at("2026-03-09T01:00:00Z"));
        let settings = Settings { messages: false, ..settings() };
        let none = Extensions::default();
        let all = plan(&scope, now, &settings, &[], &none);
        let coverage = vec![
            covered(&all[0].window, CoverageState::Sealed, 2, None),
            covered(&all[1].window, CoverageState::Open, 0, Some((1, 4))),
            covered(&all[2].window, CoverageState::Collected, 1, None),
        ];
        let planned = plan(&scope, now, &settings, &coverage, &none);
        let steps: Vec<(u32, u32, bool)> = planned
            .iter()
            .map(|listing| (listing.listing, listing.page, listing.previous_digest.is_some()))
            .collect();
        assert_eq!(steps, [(1, 4, false), (2, 1, true), (1, 1, false)]);
        // What an interrupted listing showed first may have changed since: it does not seal its window.
        let interrupted = [covered(&all[0].window, CoverageState::Collected, 1, Some((2, 4)))];
        let planned = plan(&scope, now, &settings, &interrupted, &none);
        assert_eq!((planned[0].listing, planned[0].page, planned[0].previous_digest), (2, 4, None));
        let reread = Span { from: at("2026-03-05T12:00:00Z"), to: at("2026-03-05T13:00:00Z") };
        let scope = Scope { reread: Some(reread), ..scope };
        let planned = plan(&scope, now, &settings, &coverage, &none);
        assert_eq!((planned[0].purpose, planned[0].listing), (Purpose::Reread, 3));
    }

    #[test]
    fn windows_inside_sealed_ones_of_another_length_are_not_listed_again() {
        let scope = from("2026-03-05T00:00:00Z");
        let day = Settings { messages: false, ..settings() };
        let none = Extensions::default();
        let now = at("2026-03-09T01:00:00Z");
        let days = plan(&scope, now, &day, &[], &none);
        let mut coverage: Vec<Coverage> =
            days.iter().take(3).map(|day| covered(&day.window, CoverageState::Sealed, 2, None)).collect();
        let hour = Settings { call_log_window: Duration::from_secs(3600), ..day.clone() };
        let planned = plan(&scope, now, &hour, &coverage, &none);
        assert_eq!(planned.len(), 24, "the hours of the fourth day alone");
        // A window begun under another length is looked after under its own.
        coverage.push(covered(&days[3].window, CoverageState::Collected, 1, None));
        assert_eq!(plan(&scope, now, &hour, &coverage, &none).len(), 25);
    }

    #[test]
    fn sealed_windows_are_read_again_daily_then_weekly_then_no_more() {
        let settings = Settings { messages: false, ..settings() };
        let window = PullWindow {
            feed: Feed::account_wide(FeedKind::CallLog),
            span: Span { from: at("2026-03-05T00:00:00Z"), to: at("2026-03-06T00:00:00Z") },
        };
        let due = |listed: &str, now: &str| {
            let entry =
                Coverage { listed_at: Some(at(listed)), ..covered(&window, CoverageState::Sealed, 2, None) };
            !plan(&from(now), at(now), &settings, &[entry], &Extensions::default()).is_empty()
        };
        assert!(!due("2026-03-06T01:00:00Z", "2026-03-06T20:00:00Z"));
        assert!(due("2026-03-06T01:00:00Z", "2026-03-07T00:30:00Z"), "nearly a day counts as one");
        assert!(!due("2026-03-13T00:00:00Z", "2026-03-16T00:00:00Z"), "weekly after a week");
        assert!(due("2026-03-13T00:00:00Z", "2026-03-20T00:00:00Z"));
        assert!(!due("2026-03-13T00:00:00Z", "2026-04-20T00:00:00Z"), "older than 35 days");
    }
}
