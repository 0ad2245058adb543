//! What the service deletes next that the book does not have yet: for each feed, how long its records are kept, from
//! when on they are not collected, and when those begin to disappear.

use crate::book::{FeedStatus, Status};
use crate::domain::Instant;
use crate::domain::record::{Feed, FeedKind};
use crate::rules::config::CollectSettings;

/// One feed against the service's deletions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Horizon {
    pub feed: Feed,
    /// From here on the book is not sure to have everything.
    pub from: Instant,
    /// Whether that is already listed as far as it can be: the rest is not over, or has not settled.
    pub all_in_reach: bool,
    /// What is deleted first, and when what begins at `from` is; `None`: nothing has a limit of time.
    pub deleted: Option<(&'static str, Instant)>,
}

/// The feeds that are sealed by windows, in the order of the status.
pub fn horizons(status: &Status, settings: &CollectSettings, now: Instant) -> Vec<Horizon> {
    status.feeds.iter().filter_map(|feed| horizon(feed, settings, now)).collect()
}

fn horizon(status: &FeedStatus, settings: &CollectSettings, now: Instant) -> Option<Horizon> {
    let (kept, window) = match status.feed.kind {
        FeedKind::CallLog | FeedKind::ExtensionCalls => {
            let calls = settings.retention.call_log.milliseconds.map(|kept| ("calls", kept));
            (calls, settings.call_log_window_milliseconds)
        }
        FeedKind::Messages => (settings.retention.of_messages(), settings.message_window_milliseconds),
        _ => return None,
    };
    let edge = status.span.to;
    let hole = status.holes.first().map_or(edge, |hole| hole.from);
    let unsealed = status.oldest_unsealed.map_or(edge, |span| span.from);
    let from = hole.min(unsealed).min(edge);
    // The window that begins there can be listed when it is over and has settled.
    let listed_at = from.plus_milliseconds(window).plus_milliseconds(settings.settling_lag_milliseconds);
    Some(Horizon {
        feed: status.feed.clone(),
        from,
        all_in_reach: from == edge && now < listed_at,
        deleted: kept.map(|(what, kept)| (what, from.plus_milliseconds(kept))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Span;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    fn status(feed: Feed) -> FeedStatus {
        FeedStatus {
            feed,
            windows: 31,
            open: 0,
            collected: 0,
            sealed: 31,
            span: Span { from: at("2026-10-01T00:00:00Z"), to: at("2026-11-01T00:00:00Z") },
            holes: Vec::new(),
            oldest_unsealed: None,
        }
    }

    #[test]
    fn what_is_not_over_is_not_missing() {
        let settings = CollectSettings::default();
        let feed = status(Feed::account_wide(FeedKind::CallLog));
        let found = horizon(&feed, &settings, at("2026-11-02T00:29:00Z")).unwrap();
        assert!(found.all_in_reach);
        assert_eq!(found.deleted, Some(("calls", at("2027-11-01T00:00:00Z"))));
        assert!(!horizon(&feed, &settings, at("2026-11-02T00:30:00Z")).unwrap().all_in_reach);
    }

    #[test]
    fn the_earliest_hole_or_unsealed_window_counts_and_sent_faxes_go_first() {
        let settings = CollectSettings::default();
        let window = |from: &str, to: &str| Span { from: at(from), to: at(to) };
        let mut feed = status(Feed::mailbox("7"));
        feed.oldest_unsealed = Some(window("2026-10-22T00:00:00Z", "2026-10-29T00:00:00Z"));
        feed.holes = vec![window("2026-10-08T00:00:00Z", "2026-10-15T00:00:00Z")];
        let found = horizon(&feed, &settings, at("2026-11-02T00:00:00Z")).unwrap();
        assert!(!found.all_in_reach);
        assert_eq!(found.deleted, Some(("sent faxes", at("2026-11-07T00:00:00Z"))));
    }
}
