//! What is collected, what is missing, what is late and what the service deletes next.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::book::{FeedStatus, LATENESS_BUCKETS, Status};
use crate::domain::Instant;
use crate::domain::record::{FeedKind, Gap, Stream};
use crate::run::horizon::Horizon;
use crate::stage::explain::counted_noun;

use super::super::pull::noted_text;
use super::{ago, short};

/// Everything about collection, for people. Mailboxes that stand alike are one line.
pub(super) fn text(status: &Status, horizons: &[Horizon], now: Instant) -> String {
    let mut text = windows(status);
    text.push_str(&others(status, now));
    text.push_str(&oldest(status, now));
    text.push_str(&deletions(horizons, now));
    text.push_str(&lateness(status));
    if let Some(noted) = noted_text(&status.noted) {
        text.push_str(&format!("\nnoted after sealing   {noted}\n"));
    }
    let second = |gap: &&Gap| gap.feed.is_sync() || gap.feed.kind == FeedKind::ActiveCalls;
    text.push_str(&gaps("not readable", status.gaps.iter().filter(|gap| !second(gap))));
    let title = "not offered by the service; the windows are listed alone";
    text.push_str(&gaps(title, status.gaps.iter().filter(second)));
    text
}

fn gaps<'a>(title: &str, gaps: impl Iterator<Item = &'a Gap>) -> String {
    let lines: String = gaps.map(|gap| format!("  {:<36} {}\n", gap.feed.name(), gap.reason)).collect();
    if lines.is_empty() { lines } else { format!("\n{title}\n{lines}") }
}

/// Whether windows of a feed are sealed; other feeds are states of a day, or changes.
fn is_sealed_by_windows(feed: &FeedStatus) -> bool {
    !feed.feed.is_sync()
        && !matches!(feed.feed.kind, FeedKind::Account | FeedKind::Extensions | FeedKind::ActiveCalls)
}

fn windows(status: &Status) -> String {
    let mut rows: Vec<(String, String, u64)> = Vec::new();
    for feed in status.feeds.iter().filter(|feed| is_sealed_by_windows(feed)) {
        let open = feed.windows - feed.sealed;
        let row = format!(
            "{:>7} {:>7} {:>6}  {} to {}",
            feed.windows,
            feed.sealed,
            open,
            edge(feed.span.from),
            edge(feed.span.to)
        );
        let holes = match feed.holes.as_slice() {
            [] => String::new(),
            [first, ..] => format!(
                "\n{:<39}{}, the first {} to {}",
                "",
                counted_noun(feed.holes.len() as u64, "hole"),
                short(first.from),
                short(first.to)
            ),
        };
        let row = format!("{row}{holes}");
        let alike = rows.iter_mut().find(|(name, other, _)| {
            feed.feed.mailbox.is_some()
                && other == &row
                && name.split('/').next() == Some(feed.feed.kind.word())
        });
        match alike {
            Some((_, _, count)) => *count += 1,
            None => rows.push((feed.feed.name(), row, 1)),
        }
    }
    if rows.is_empty() {
        return "\nNothing is collected by windows yet.\n".to_owned();
    }
    let mut text = format!(
        "\n{:<38} {:>7} {:>7} {:>6}  {}\n",
        "collected by windows", "windows", "sealed", "open", "from and to (UTC)"
    );
    let complete =
        status.feeds.iter().filter(|feed| is_sealed_by_windows(feed)).all(|feed| feed.holes.is_empty());
    for (name, row, count) in rows {
        let name = match count {
            1 => name,
            count => format!("{} ({count} alike)", name.split('/').next().unwrap_or_default()),
        };
        text.push_str(&format!("  {name:<36} {row}\n"));
    }
    if complete {
        text.push_str("  There are no holes between the first and the last window of any feed.\n");
    }
    text
}

/// The edge of a window: days where it lies on one, as nearly all do.
fn edge(at: Instant) -> String {
    let time = at.utc();
    let midnight = at.milliseconds().rem_euclid(86_400_000) == 0;
    time.format(if midnight { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M" }).to_string()
}

/// Feeds of changes, and states of a day.
fn others(status: &Status, now: Instant) -> String {
    let mut text = String::new();
    let mut by_kind: BTreeMap<FeedKind, Vec<&Stream>> = BTreeMap::new();
    for stream in &status.streams {
        by_kind.entry(stream.feed.kind).or_default().push(stream);
    }
    if !by_kind.is_empty() {
        text.push_str("\nread by changes\n");
    }
    for (kind, streams) in by_kind {
        let name = match streams.len() {
            1 => streams[0].feed.name(),
            count => format!("{kind} ({count})"),
        };
        let least = streams.iter().map(|stream| stream.reached).min().flatten();
        let reached = match least {
            Some(at) => format!("up to {}, {}", short(at), ago(at, now)),
            None => "not at the end yet".to_owned(),
        };
        text.push_str(&format!("  {name:<36} {reached}\n"));
    }
    let states: Vec<String> = status
        .feeds
        .iter()
        .filter(|feed| !is_sealed_by_windows(feed) && !feed.feed.is_sync())
        .map(|feed| {
            let last = feed.span.to.plus_milliseconds(-1).utc().format("%Y-%m-%d");
            format!("  {:<36} on {}, last on {last}\n", feed.feed.name(), counted_noun(feed.windows, "day"))
        })
        .collect();
    if !states.is_empty() {
        text.push_str("\nlooked at\n");
        text.push_str(&states.concat());
    }
    text
}

/// The oldest window of each kind of feed that is not sealed.
fn oldest(status: &Status, now: Instant) -> String {
    let mut oldest: BTreeMap<FeedKind, &FeedStatus> = BTreeMap::new();
    for feed in status.feeds.iter().filter(|feed| feed.oldest_unsealed.is_some()) {
        let known = oldest.entry(feed.feed.kind).or_insert(feed);
        if feed.oldest_unsealed < known.oldest_unsealed {
            *known = feed;
        }
    }
    let lines: String = oldest
        .values()
        .filter_map(|feed| {
            let window = feed.oldest_unsealed?;
            Some(format!(
                "  {:<36} begins {}, {}\n",
                feed.feed.name(),
                short(window.from),
                ago(window.from, now)
            ))
        })
        .collect();
    if lines.is_empty() { lines } else { format!("\noldest window that is not sealed\n{lines}") }
}

/// What the service deletes next, for the worst feed of each kind.
fn deletions(horizons: &[Horizon], now: Instant) -> String {
    let mut worst: BTreeMap<FeedKind, &Horizon> = BTreeMap::new();
    for horizon in horizons {
        let known = worst.entry(horizon.feed.kind).or_insert(horizon);
        if horizon.from < known.from {
            *known = horizon;
        }
    }
    let mut text = String::new();
    for horizon in worst.values() {
        let when = match horizon.deleted {
            None => "they are kept without limit of time".to_owned(),
            Some((what, at)) if at <= now => {
                format!("{what} may be deleted since {}", short(at))
            }
            Some((what, at)) => {
                format!("{what} are kept until {} ({})", short(at), ago(at, now))
            }
        };
        let name = match horizon.all_in_reach {
            true => horizon.feed.kind.word().to_owned(),
            false => horizon.feed.name(),
        };
        text.push_str(&match horizon.all_in_reach {
            true => format!(
                "  {name:<36} everything in reach is collected; from {} on,\n{:<39}{when}\n",
                short(horizon.from),
                ""
            ),
            false => {
                format!("  {name:<36} not sealed from {} on;\n{:<39}{when}\n", short(horizon.from), "")
            }
        });
    }
    if text.is_empty() { text } else { format!("\ndeleted next at the service\n{text}") }
}

/// How late records came, all feeds of a kind together.
fn lateness(status: &Status) -> String {
    const WIDTH: u64 = 40;
    let mut text = String::new();
    for (kind, records) in by_kind(status) {
        let late: u64 = records.iter().skip(1).sum();
        let all: u64 = records.iter().sum();
        if all == 0 {
            continue;
        }
        if late == 0 {
            text.push_str(&format!(
                "  {:<36} all {all} with the first listing of their window\n",
                kind.word()
            ));
            continue;
        }
        text.push_str(&format!("  {kind}\n"));
        let most = records.iter().skip(1).copied().max().unwrap_or(1).max(1);
        for (at, (name, count)) in LATENESS_BUCKETS.iter().zip(records).enumerate() {
            // The first bucket is nearly everything; a bar for it would flatten all others.
            let bar = if at == 0 { 0 } else { (count * WIDTH).div_ceil(most) };
            let bar = "#".repeat(usize::try_from(bar).unwrap_or_default());
            text.push_str(format!("    {name:<34} {count:>9}  {bar}").trim_end());
            text.push('\n');
        }
    }
    if text.is_empty() { text } else { format!("\nrecords by how late they came\n{text}") }
}

fn by_kind(status: &Status) -> BTreeMap<FeedKind, [u64; 7]> {
    let mut kinds: BTreeMap<FeedKind, [u64; 7]> = BTreeMap::new();
    for lateness in &status.lateness {
        let sums = kinds.entry(lateness.feed.kind).or_default();
        for (sum, count) in sums.iter_mut().zip(lateness.records) {
            *sum += count;
        }
    }
    kinds
}

/// The feeds for machines.
pub(super) fn feed_facts(status: &Status, horizons: &[Horizon], now: Instant) -> Vec<Value> {
    let age = |at: Instant| (now.milliseconds() - at.milliseconds()).max(0) / 1000;
    let one = |feed: &FeedStatus| {
        let horizon = horizons.iter().find(|horizon| horizon.feed == feed.feed);
        let spans: Vec<Value> = feed
            .holes
            .iter()
            .map(|hole| json!({ "from": hole.from.rfc3339(), "to": hole.to.rfc3339() }))
            .collect();
        json!({
            "feed": feed.feed.name(),
            "windows": feed.windows,
            "sealed": feed.sealed,
            "from": feed.span.from.rfc3339(),
            "to": feed.span.to.rfc3339(),
            "holes": feed.holes.len(),
            "hole_spans": spans,
            "oldest_unsealed": feed.oldest_unsealed.map(|window| json!({
                "from": window.from.rfc3339(), "to": window.to.rfc3339(), "age_seconds": age(window.from),
            })),
            "retention": horizon.map(|horizon| json!({
                "uncollected_from": horizon.from.rfc3339(),
                "all_in_reach_collected": horizon.all_in_reach,
                "deletes": horizon.deleted.map(|(what, _)| what),
                "deletes_at": horizon.deleted.map(|(_, at)| at.rfc3339()),
            })),
        })
    };
    status.feeds.iter().map(one).collect()
}

/// The histograms for machines, by feed.
pub(super) fn lateness_facts(status: &Status) -> Vec<Value> {
    let buckets = |records: [u64; 7]| -> Vec<Value> {
        LATENESS_BUCKETS
            .iter()
            .zip(records)
            .map(|(name, count)| json!({ "late": name, "records": count }))
            .collect()
    };
    status
        .lateness
        .iter()
        .map(|lateness| json!({ "feed": lateness.feed.name(), "buckets": buckets(lateness.records) }))
        .collect()
}
