//! What the pulls of a seed had to ask for at least, counted from what landed.
//!
//! The least is: a token for each run and each life of a token in it; each page that landed, except those beyond the
//! records of their listing, and those of listings that nobody needed, because the two before them agreed and no
//! re-reading was due; one answer for each feed of changes without changes; one for each refusal that is a gap.
//! What is held against it are the requests with a usable answer: tries that got none are counted apart.

use std::collections::BTreeMap;
use std::time::Duration;

use tollbook::domain::Hash;
use tollbook::domain::record::{Coverage, Cursor, FeedKind, PullWindow};

/// A re-reading may be this much earlier than daily.
const NEARLY_A_DAY: Duration = Duration::from_secs(23 * 3600);

#[derive(Debug, Default)]
struct Listings {
    /// Digests of the last complete listings, and when the last one was made.
    digests: Vec<Option<Hash>>,
    listed: Option<Duration>,
    /// Pages of the listing under way.
    pages: u64,
    /// Whether nobody needs it.
    idle: bool,
}

/// The count of a seed.
#[derive(Debug, Default)]
pub struct Cost {
    pub least: u64,
    windows: BTreeMap<PullWindow, Listings>,
}

impl Cost {
    /// A run is over: the tokens it needed.
    pub fn run(&mut self, lasted: Duration, token_life: Duration) {
        let lives = lasted.as_secs() / token_life.as_secs().max(1);
        self.least += 1 + lives;
    }

    /// An answer that had nothing to land.
    pub fn answer(&mut self) {
        self.least += 1;
    }

    /// A page has landed; with the last one of a listing comes what the book says of its window.
    pub fn land(
        &mut self,
        cursor: &Cursor,
        coverage: Option<&Coverage>,
        now: Duration,
        due: bool,
        per_page: u64,
    ) {
        let windowed = matches!(cursor.window.feed.kind, FeedKind::CallLog | FeedKind::Messages);
        if !windowed {
            self.least += 1;
            return;
        }
        let listings = self.windows.entry(cursor.window.clone()).or_default();
        if listings.pages == 0 {
            let agreed = matches!(listings.digests.as_slice(), [.., one, other] if one == other);
            let rested = listings.listed.is_some_and(|listed| now - listed >= NEARLY_A_DAY);
            listings.idle = agreed && !rested && !due;
        }
        listings.pages += 1;
        self.least += u64::from(!listings.idle);
        let Some(coverage) = coverage else { return };
        let wanted = coverage.records.div_ceil(per_page).max(1);
        if !listings.idle {
            self.least -= listings.pages.saturating_sub(wanted);
        }
        listings.digests.push(coverage.digest);
        (listings.listed, listings.pages) = (Some(now), 0);
    }
}
