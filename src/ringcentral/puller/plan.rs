//! Which windows a run lists, as a pure function of what is already covered.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Settings;
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

/// The closed windows from `span_from` (aligned down to multiples of the window length) up to `now` less the settling
/// lag: calls first, then each mailbox, oldest first. Sealed windows are left out unless `reread` overlaps them or an
/// earlier re-reading was interrupted.
pub fn plan(
    span_from: Instant,
    now: Instant,
    settings: &Settings,
    reread: Option<Span>,
    coverage: &[Coverage],
    mailboxes: &[String],
) -> Vec<Planned> {
    let known: BTreeMap<&PullWindow, &Coverage> =
        coverage.iter().map(|entry| (&entry.window, entry)).collect();
    let mut planned = Vec::new();
    let mut add = |feed: Feed, length: Duration| {
        for (span, closed) in windows(span_from, now, length, settings) {
            let window = PullWindow { feed: feed.clone(), span };
            let entry = known.get(&window).copied();
            if let Some(listing) = listing_of(window, entry, closed, reread) {
                planned.push(listing);
            }
        }
    };
    if settings.call_log {
        add(Feed::account_wide(FeedKind::CallLog), settings.call_log_window);
    }
    if settings.messages {
        for mailbox in mailboxes {
            add(Feed::mailbox(mailbox.clone()), settings.message_window);
        }
    }
    planned
}

/// A listing of the state of the account now (the account itself, its extensions), keyed by the UTC day.
pub fn snapshot(kind: FeedKind, now: Instant, coverage: &[Coverage]) -> Planned {
    const DAY: i64 = 86_400_000;
    let from = now.milliseconds().div_euclid(DAY) * DAY;
    let span = Span { from: Instant::from_milliseconds(from), to: Instant::from_milliseconds(from + DAY) };
    let window = PullWindow { feed: Feed::account_wide(kind), span };
    let entry = coverage.iter().find(|entry| entry.window == window);
    // An interrupted listing of a state is begun anew, under a number of its own.
    let begun = entry.map_or(0, |entry| {
        entry.cursor.as_ref().map_or(0, |cursor| cursor.listing).max(entry.listings_complete)
    });
    Planned {
        window,
        listing: begun.saturating_add(1),
        page: 1,
        purpose: Purpose::Once,
        previous_digest: None,
    }
}

fn listing_of(
    window: PullWindow,
    entry: Option<&Coverage>,
    closed: bool,
    reread: Option<Span>,
) -> Option<Planned> {
    let interrupted = entry
        .and_then(|entry| entry.cursor.as_ref())
        .and_then(|cursor| cursor.next_page.map(|page| (cursor.listing, page)));
    let sealed = entry.is_some_and(|entry| entry.state == CoverageState::Sealed);
    let again = reread.is_some_and(|span| span.overlaps(&window.span));
    if sealed && !again && interrupted.is_none() {
        return None;
    }
    let complete = entry.map_or(0, |entry| entry.listings_complete);
    let (listing, page) = interrupted.unwrap_or((complete.saturating_add(1), 1));
    let purpose = match (sealed, closed) {
        (true, _) => Purpose::Reread,
        (false, true) => Purpose::Settle,
        (false, false) => Purpose::Once,
    };
    let previous_digest = entry.filter(|entry| entry.listings_complete > 0).and_then(|entry| entry.digest);
    Some(Planned { window, listing, page, purpose, previous_digest })
}

/// The windows and whether each is closed; only the last can be open, and only when the settings ask for it.
fn windows(span_from: Instant, now: Instant, length: Duration, settings: &Settings) -> Vec<(Span, bool)> {
    let length = milliseconds(length).max(1);
    let horizon = now.milliseconds().saturating_sub(milliseconds(settings.settling_lag));
    let mut from = span_from.milliseconds().div_euclid(length).saturating_mul(length);
    let mut spans = Vec::new();
    let span = |from: i64, to: i64| Span {
        from: Instant::from_milliseconds(from),
        to: Instant::from_milliseconds(to),
    };
    while from.saturating_add(length) <= horizon {
        spans.push((span(from, from + length), true));
        from += length;
    }
    let cut = horizon.div_euclid(1000) * 1000;
    if settings.open_window && from < cut {
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

    #[test]
    fn only_closed_windows_are_listed_calls_before_mailboxes() {
        let planned = plan(
            at("2026-03-05T13:00:00Z"),
            at("2026-03-08T00:29:59Z"),
            &settings(),
            None,
            &[],
            &["7".to_owned()],
        );
        assert_eq!(days(&planned), ["call-log 2026-03-05", "call-log 2026-03-06"]);
        let settled = plan(
            at("2026-03-05T13:00:00Z"),
            at("2026-03-12T00:30:00Z"),
            &settings(),
            None,
            &[],
            &["7".to_owned()],
        );
        assert_eq!(settled.len(), 7 + 1, "{:?}", days(&settled));
        assert_eq!(days(&settled)[7], "messages/7 2026-03-05", "weeks since the epoch begin on Thursdays");
    }

    #[test]
    fn an_open_window_ends_at_the_lag_and_is_listed_once() {
        let settings = Settings { open_window: true, messages: false, ..settings() };
        let planned =
            plan(at("2026-03-08T00:00:00Z"), at("2026-03-08T10:00:00.750Z"), &settings, None, &[], &[]);
        assert_eq!(planned.len(), 1);
        assert_eq!(planned[0].window.span.to, at("2026-03-08T09:30:00Z"));
        assert_eq!(planned[0].purpose, Purpose::Once);
    }

    #[test]
    fn sealed_windows_are_skipped_unless_asked_for_and_interrupted_listings_go_on() {
        let (from, now) = (at("2026-03-05T00:00:00Z"), at("2026-03-09T01:00:00Z"));
        let settings = Settings { messages: false, ..settings() };
        let all = plan(from, now, &settings, None, &[], &[]);
        let coverage = vec![
            covered(&all[0].window, CoverageState::Sealed, 2, None),
            covered(&all[1].window, CoverageState::Open, 0, Some((1, 4))),
            covered(&all[2].window, CoverageState::Collected, 1, None),
        ];
        let planned = plan(from, now, &settings, None, &coverage, &[]);
        let steps: Vec<(u32, u32, bool)> = planned
            .iter()
            .map(|listing| (listing.listing, listing.page, listing.previous_digest.is_some()))
            .collect();
        assert_eq!(steps, [(1, 4, false), (2, 1, true), (1, 1, false)]);
        let reread = Span { from: at("2026-03-05T12:00:00Z"), to: at("2026-03-05T13:00:00Z") };
        let planned = plan(from, now, &settings, Some(reread), &coverage, &[]);
        assert_eq!((planned[0].purpose, planned[0].listing), (Purpose::Reread, 3));
    }
}
