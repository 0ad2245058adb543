//! Which parts of a period the collection covers, and what is missing.

use std::collections::{BTreeMap, BTreeSet};

use crate::book::Book;
use crate::domain::Result;
use crate::domain::record::{Coverage, CoverageState, Feed, FeedKind, Gap, RecordKind};
use crate::domain::source::DecodedRecord;
use crate::domain::time::{Month, Span};
use crate::output::report::FeedCoverage;
use crate::rules::config::Config;

/// Decisions that accept a known gap, by [`gap_subject`].
pub const ACCEPT_GAP: &str = "accept-gap";

/// What a decision about a gap decides: one feed in one month. A gap that is accepted once says nothing about the next
/// month.
pub fn gap_subject(feed: &Feed, month: Month) -> String {
    format!("{} {}", feed.name(), month.key())
}

/// Coverage of a period, feed by feed.
pub struct PeriodCoverage {
    pub feeds: Vec<FeedCoverage>,
    /// What stands against finalising, as sentences.
    pub open: Vec<String>,
    /// Decisions that accepted a gap, as sentences.
    pub accepted: Vec<String>,
}

/// Compares what is sealed with what the period needs.
///
/// # Errors
/// A book that cannot be read.
pub fn of_period(
    book: &Book,
    config: &Config,
    month: Month,
    period: Span,
    records: &[DecodedRecord],
) -> Result<PeriodCoverage> {
    let coverage = book.coverage()?;
    let gaps = book.gaps()?;
    let decisions = book.decisions(ACCEPT_GAP)?;
    let mut by_feed: BTreeMap<Feed, Vec<&Coverage>> = BTreeMap::new();
    for entry in coverage.iter().filter(|entry| is_usage(entry.window.feed.kind)) {
        by_feed.entry(entry.window.feed.clone()).or_default().push(entry);
    }
    let mailboxes_known = by_feed.keys().any(|feed| feed.mailbox.is_some());
    for feed in needed(config, records, mailboxes_known) {
        by_feed.entry(feed).or_default();
    }
    // A second way of reading that is not offered takes nothing away: the windows are what must be there.
    for gap in gaps.iter().filter(|gap| is_usage(gap.feed.kind)) {
        by_feed.entry(gap.feed.clone()).or_default();
    }
    by_feed.retain(|feed, entries| !left_before(feed, entries, &gaps, period));
    let mut result = PeriodCoverage { feeds: Vec::new(), open: Vec::new(), accepted: Vec::new() };
    // Thirty mailboxes with the same hole are one sentence.
    let mut alike: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (feed, entries) in by_feed {
        let inside: Vec<&&Coverage> =
            entries.iter().filter(|entry| entry.window.span.overlaps(&period)).collect();
        let sealed = inside.iter().filter(|entry| entry.state == CoverageState::Sealed);
        let holes = holes(period, sealed.clone().map(|entry| entry.window.span));
        let name = feed.name();
        let mut against = Vec::new();
        if !holes.is_empty() {
            let gap = gaps.iter().find(|gap| gap.feed == feed);
            let reason = gap.map(|gap| format!(" ({})", gap.reason)).unwrap_or_default();
            let accepted = format!("The gap in {name}{reason}");
            against.push((format!("not sealed{reason}: {}.", shown(&holes)), accepted));
        }
        if inside.iter().any(|entry| listed_early(config, entry, period)) {
            let accepted = format!("That {name} was not read again after the period");
            against.push((not_read_again(config, month), accepted));
        }
        let decision = decisions.iter().find(|decision| decision.subject == gap_subject(&feed, month));
        for (state, accepted) in against {
            match decision {
                Some(decision) => {
                    let (actor, reason) = (&decision.actor, &decision.reason);
                    result.accepted.push(format!("{accepted} is accepted by {actor}: {reason}"));
                }
                None => alike.entry(state).or_default().push(name.clone()),
            }
        }
        result.feeds.push(FeedCoverage {
            feed: name,
            windows: inside.len() as u64,
            sealed: sealed.count() as u64,
            records: match feed.mailbox {
                Some(_) => inside.iter().map(|entry| entry.records).sum(),
                None => records_of(feed.kind, period, records),
            },
            holes: holes.iter().map(show).collect(),
        });
    }
    result.open.extend(alike.iter().map(|(state, feeds)| sentence(state, feeds)));
    Ok(result)
}

/// Whether a mailbox was read before the period and its extension is known to have left: nothing of it belongs to the
/// period. The month in which it left keeps its hole, which somebody has to accept.
fn left_before(feed: &Feed, entries: &[&Coverage], gaps: &[Gap], period: Span) -> bool {
    let departed = gaps.iter().any(|gap| gap.feed == *feed && gap.reason == Gap::DEPARTED);
    departed && !entries.is_empty() && entries.iter().all(|entry| entry.window.span.to <= period.from)
}

fn sentence(state: &str, feeds: &[String]) -> String {
    match feeds {
        [feed] => format!("{feed} is {state}"),
        [first, second] => format!("{first} and {second} are {state}"),
        [first, rest @ ..] => format!("{first} and {} more feeds are {state}", rest.len()),
        [] => state.to_owned(),
    }
}

/// Whether a sealed window of a pulled feed was last listed before the period was over: what was added or changed
/// since then is not known. Windows that somebody's word covers were never listed.
fn listed_early(config: &Config, entry: &Coverage, period: Span) -> bool {
    config.service.is_some()
        && matches!(entry.window.feed.kind, FeedKind::CallLog | FeedKind::Messages)
        && entry.state == CoverageState::Sealed
        && entry.listed_at.is_some_and(|at| at < period.to)
}

fn not_read_again(config: &Config, month: Month) -> String {
    let account = config.account.as_ref().map(|name| format!(" --account {name}")).unwrap_or_default();
    format!("not read again after the period's end; do it: tollbook pull --period {}{account}.", month.key())
}

fn is_usage(kind: FeedKind) -> bool {
    matches!(kind, FeedKind::CallLog | FeedKind::Messages | FeedKind::Usage | FeedKind::PortalCsv)
}

/// Feeds that must cover the period: those that are pulled, and those that imported records came from.
fn needed(config: &Config, records: &[DecodedRecord], mailboxes_known: bool) -> BTreeSet<Feed> {
    let mut feeds = BTreeSet::new();
    if config.service.is_some() && config.collect.call_log {
        feeds.insert(Feed::account_wide(FeedKind::CallLog));
    }
    // Mailboxes become known with their first window; before that, their absence must not look like completeness.
    if config.service.is_some() && config.collect.messages && !mailboxes_known {
        feeds.insert(Feed::account_wide(FeedKind::Messages));
    }
    for record in records {
        match record.record.key.kind {
            RecordKind::Usage => feeds.insert(Feed::account_wide(FeedKind::Usage)),
            RecordKind::PortalCall => feeds.insert(Feed::account_wide(FeedKind::PortalCsv)),
            RecordKind::Call => feeds.insert(Feed::account_wide(FeedKind::CallLog)),
            _ => false,
        };
    }
    // Messages are pulled mailbox by mailbox; without any, they came from files.
    if !mailboxes_known && records.iter().any(|record| record.record.key.kind == RecordKind::Message) {
        feeds.insert(Feed::account_wide(FeedKind::Messages));
    }
    feeds
}

/// Records of an account-wide feed in a period. They are counted themselves: where files were imported, a window knows
/// only what the last file held.
fn records_of(feed: FeedKind, period: Span, records: &[DecodedRecord]) -> u64 {
    let Some(kind) = Feed::account_wide(feed).record_kind() else { return 0 };
    let inside = records
        .iter()
        .map(|record| &record.record)
        .filter(|record| record.key.kind == kind && record.start.is_none_or(|start| period.contains(start)));
    inside.map(|record| &record.key).collect::<BTreeSet<_>>().len() as u64
}

/// The parts of `period` outside all of some spans.
fn holes(period: Span, covered: impl Iterator<Item = Span>) -> Vec<Span> {
    let mut covered: Vec<Span> = covered.collect();
    covered.sort_unstable();
    let mut holes = Vec::new();
    let mut reached = period.from;
    for span in covered {
        if span.from > reached {
            holes.push(Span { from: reached, to: span.from.min(period.to) });
        }
        reached = reached.max(span.to);
    }
    if reached < period.to {
        holes.push(Span { from: reached, to: period.to });
    }
    holes.retain(|hole| hole.from < hole.to);
    holes
}

fn show(span: &Span) -> String {
    format!("{} to {}", span.from, span.to)
}

fn shown(holes: &[Span]) -> String {
    holes.iter().map(show).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Instant;

    fn span(from: i64, to: i64) -> Span {
        Span { from: Instant::from_milliseconds(from), to: Instant::from_milliseconds(to) }
    }

    #[test]
    fn what_is_to_be_pulled_is_needed_even_before_anything_came() {
        let needed = |rest: &str, mailboxes_known: bool| {
            let text = format!("zone = \"UTC\"\n{rest}");
            let file = crate::rules::SourceFile { name: "tollbook.toml".to_owned(), text };
            let config = crate::rules::config::config(&file).unwrap();
            needed(&config, &[], mailboxes_known).iter().map(Feed::name).collect::<Vec<_>>()
        };
        let service = "[service]\nurl = \"https://service.example\"\n";
        assert_eq!(needed(service, false), ["call-log", "messages"]);
        assert_eq!(needed(service, true), ["call-log"]);
        assert_eq!(needed(&format!("{service}[collect]\nmessages = false\n"), false), ["call-log"]);
        assert!(needed("", false).is_empty());
    }

    #[test]
    fn a_mailbox_that_left_before_the_period_is_not_missed_in_it() {
        let feed = Feed::mailbox("7");
        let window = |from: i64, to: i64| Coverage {
            window: crate::domain::record::PullWindow { feed: feed.clone(), span: span(from, to) },
            state: CoverageState::Sealed,
            listings_complete: 2,
            last_listing: 2,
            cursor: None,
            records: 0,
            digest: None,
            listed_at: None,
        };
        let gap = |reason: &str| [Gap { feed: feed.clone(), reason: reason.to_owned() }];
        let (before, into) = (window(0, 10), window(5, 15));
        let period = span(10, 20);
        assert!(left_before(&feed, &[&before], &gap(Gap::DEPARTED), period));
        assert!(!left_before(&feed, &[&before, &into], &gap(Gap::DEPARTED), period), "it left in the period");
        assert!(!left_before(&feed, &[&before], &gap("CMN-408"), period), "it may not be read any more");
        assert!(!left_before(&feed, &[&before], &[], period), "nobody says that it left");
    }

    #[test]
    fn holes_are_what_no_window_covers() {
        let holes = |covered: &[Span]| holes(span(10, 20), covered.iter().copied());
        assert_eq!(holes(&[]), [span(10, 20)]);
        assert_eq!(holes(&[span(0, 12), span(15, 30)]), [span(12, 15)]);
        assert_eq!(holes(&[span(12, 15), span(5, 11)]), [span(11, 12), span(15, 20)]);
        assert!(holes(&[span(0, 15), span(15, 20)]).is_empty());
    }
}
