//! How late records came to light, against the first complete listing of their window.

use std::collections::BTreeMap;

use crate::domain::Result;
use crate::domain::record::Feed;
use crate::domain::time::{Instant, Span};

use super::Book;
use super::coverage::{feed_from, never_sealed};
use super::sql::{self, Outcome, Trouble};

/// Upper bounds of the buckets, exclusive, after the first one; the last bucket has none.
const HOUR_MILLISECONDS: i64 = 3_600_000;
const DAY_MILLISECONDS: i64 = 24 * HOUR_MILLISECONDS;
const BOUNDS_MILLISECONDS: [i64; 5] =
    [HOUR_MILLISECONDS, DAY_MILLISECONDS, 3 * DAY_MILLISECONDS, 7 * DAY_MILLISECONDS, 35 * DAY_MILLISECONDS];

/// Names of the buckets of [`Lateness`], in their order.
pub const LATENESS_BUCKETS: [&str; 7] =
    ["within the first listing", "< 1 hour", "< 1 day", "< 3 days", "< 7 days", "< 35 days", "more"];

/// For the windows of one feed: how long after the first complete listing of its window a record was first observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lateness {
    /// The feed whose windows seal; what the feed of changes saw counts here too.
    pub feed: Feed,
    /// Numbers of records by bucket, in the order of [`LATENESS_BUCKETS`].
    pub records: [u64; 7],
}

impl Book {
    /// The histogram of each feed with windows, by feed. Records outside listed windows are not counted.
    pub fn lateness(&self) -> Result<Vec<Lateness>> {
        self.count_lateness().map_err(Trouble::doing("counting late records"))
    }

    pub(super) fn count_lateness(&self) -> Outcome<Vec<Lateness>> {
        let listed = self.first_listings()?;
        let mut all: BTreeMap<Feed, [u64; 7]> = listed.keys().map(|feed| (feed.clone(), [0; 7])).collect();
        // One row a record: SQLite takes the other columns from the row of the minimum.
        let mut statement = self.connection.prepare_cached(
            "SELECT feed, start_ms, min(first_observed_ms) FROM version \
             JOIN pull_window ON pull_window.id = window_id WHERE start_ms IS NOT NULL GROUP BY record",
        )?;
        let mut families: BTreeMap<String, Feed> = BTreeMap::new();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let feed: String = row.get(0)?;
            let family = match families.get(&feed) {
                Some(family) => family,
                None => {
                    let family = feed_from(&feed)?.sealed_by();
                    families.entry(feed).or_insert(family)
                }
            };
            let (start, observed) = (sql::instant(row, 1)?, sql::instant(row, 2)?);
            let Some(completed) = listed.get(family).and_then(|windows| first_listed(windows, start)) else {
                continue;
            };
            if let Some(records) = all.get_mut(family) {
                records[bucket(observed.milliseconds() - completed.milliseconds())] += 1;
            }
        }
        Ok(all.into_iter().map(|(feed, records)| Lateness { feed, records }).collect())
    }

    /// When each window that seals was first listed completely, by feed and time.
    fn first_listings(&self) -> Outcome<BTreeMap<Feed, Vec<(Span, Instant)>>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT feed, from_ms, to_ms, min(completed_ms) FROM pull_window \
             JOIN listing ON window_id = pull_window.id WHERE completed_ms IS NOT NULL AND digest IS NOT NULL \
             GROUP BY pull_window.id ORDER BY feed, from_ms, to_ms",
        )?;
        let mut rows = statement.query([])?;
        let mut listed: BTreeMap<Feed, Vec<(Span, Instant)>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let feed = feed_from(&row.get::<_, String>(0)?)?;
            if !never_sealed(&feed) {
                listed.entry(feed).or_default().push((sql::span(row, 1)?, sql::instant(row, 3)?));
            }
        }
        Ok(listed)
    }
}

/// The first complete listing of the windows around a start. Windows of one feed may overlap after their length was
/// changed; then the earliest listing counts.
fn first_listed(windows: &[(Span, Instant)], start: Instant) -> Option<Instant> {
    let end = windows.partition_point(|(span, _)| span.from <= start);
    windows[..end].iter().filter(|(span, _)| span.contains(start)).map(|(_, completed)| *completed).min()
}

fn bucket(milliseconds: i64) -> usize {
    if milliseconds <= 0 {
        return 0;
    }
    1 + BOUNDS_MILLISECONDS.iter().take_while(|bound| milliseconds >= **bound).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_length_of_time_has_one_bucket() {
        for (milliseconds, name) in [
            (-1, "within the first listing"),
            (0, "within the first listing"),
            (1, "< 1 hour"),
            (HOUR_MILLISECONDS, "< 1 day"),
            (DAY_MILLISECONDS, "< 3 days"),
            (3 * DAY_MILLISECONDS, "< 7 days"),
            (35 * DAY_MILLISECONDS - 1, "< 35 days"),
            (35 * DAY_MILLISECONDS, "more"),
        ] {
            assert_eq!(LATENESS_BUCKETS[bucket(milliseconds)], name, "{milliseconds}");
        }
    }
}
