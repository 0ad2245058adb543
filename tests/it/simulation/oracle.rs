//! The comparison of the book with what happened: naive, and by no code of the program but the reading of the book.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tollbook::book::{Book, SegmentCodec, Standing, StoredVersion};
use tollbook::domain::Instant;
use tollbook::domain::record::{CoverageState, Feed, FeedKind, RecordKind};

use super::port::Port;
use super::run::Outcome;
use super::scenario::Scenario;
use super::witness::{Key, Kind, canonical, id_of, without_addresses};

const ACCOUNT: &str = "/restapi/v1.0/account/~";

/// A record as the calm service serves it in the end.
struct Fact {
    feed: String,
    /// Absent when the service does not say it in a way that can be read.
    start: Option<DateTime<Utc>>,
    changed: String,
    /// More than one when a page holds the record twice, and nothing says which is the later.
    contents: Vec<String>,
    deleted: bool,
}

/// Spans in milliseconds.
type Spans = Vec<(i64, i64)>;

pub fn judge(
    scenario: &Scenario,
    port: &Port,
    book: &Book,
    codec: &SegmentCodec,
    outcome: &mut Outcome,
) -> Result<(), String> {
    let world = World::read(scenario, port)?;
    let mut versions: BTreeMap<Key, Vec<StoredVersion>> = BTreeMap::new();
    let kinds = [RecordKind::Call, RecordKind::Message];
    for version in book.scan(&kinds, None, codec).map_err(|failure| failure.to_string())? {
        let kind = if version.record.key.kind == RecordKind::Call { Kind::Call } else { Kind::Message };
        outcome.versions += 1;
        versions.entry((kind, version.record.key.id.clone())).or_default().push(version);
    }
    outcome.records = versions.len() as u64;
    nothing_invented(port, &versions, book)?;
    nothing_forgotten(port, &versions)?;
    let sealed = sealed(book, outcome)?;
    everything_sealed(scenario, &world, &sealed)?;
    gaps_are_reported(&world, book)?;
    everything_kept(scenario, &world, &versions, &sealed, outcome)?;
    let problems = book.verify(codec).map_err(|failure| failure.to_string())?;
    if let Some(problem) = problems.first() {
        return Err(format!("the book has {} problems: {problem:?}", problems.len()));
    }
    Ok(())
}

/// The world as the calm service shows it in the end.
struct World {
    facts: BTreeMap<Key, Fact>,
    /// Feeds that can be read, and those that are refused.
    feeds: BTreeSet<String>,
    refused: BTreeSet<String>,
}

impl World {
    fn read(scenario: &Scenario, port: &Port) -> Result<World, String> {
        let wide = TimeDelta::days(3);
        let (from, to) = (scenario.from() - wide, port.now());
        let stamp = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let (from, to) = (stamp(from), stamp(to));
        let mut world = World { facts: BTreeMap::new(), feeds: BTreeSet::new(), refused: BTreeSet::new() };
        let span = [("dateFrom", from.as_str()), ("dateTo", to.as_str()), ("perPage", "1000")];
        let query = [&span[..], &[("view", "Detailed"), ("showDeleted", "true")]].concat();
        let page = port.list(&format!("{ACCOUNT}/call-log"), &query)?;
        world.add(Kind::Call, "call-log", &page)?;
        let extensions = port.list(&format!("{ACCOUNT}/extension"), &[("perPage", "1000")])?;
        let availability =
            [("availability", "Alive"), ("availability", "Deleted"), ("availability", "Purged")];
        for extension in extensions["records"].as_array().into_iter().flatten() {
            if extension["type"] == "IvrMenu" {
                continue;
            }
            let id = id_of(extension).ok_or("an extension without id")?;
            let feed = format!("messages/{id}");
            let number = extension["extensionNumber"].as_str().unwrap_or_default().to_owned();
            if scenario.options.refused_mailboxes.contains(&number) {
                world.refused.insert(feed);
                continue;
            }
            let mut query = [&span[..], &availability[..]].concat();
            if scenario.settings.shared_mailboxes {
                query.push(("owner", "Any"));
            }
            let page = port.list(&format!("{ACCOUNT}/extension/{id}/message-store"), &query)?;
            world.add(Kind::Message, &feed, &page)?;
        }
        Ok(world)
    }

    fn add(&mut self, kind: Kind, feed: &str, page: &Value) -> Result<(), String> {
        self.feeds.insert(feed.to_owned());
        for record in page["records"].as_array().ok_or("the oracle gets no list")? {
            let start = record[if kind == Kind::Call { "startTime" } else { "creationTime" }].as_str();
            // One style of the service has no colon in its offsets.
            let start = start.map(|start| start.replace("+0000", "Z"));
            let start = start.and_then(|start| DateTime::parse_from_rfc3339(&start).ok());
            let gone = record["availability"].as_str().is_some_and(|availability| availability != "Alive");
            let fact = Fact {
                feed: feed.to_owned(),
                start: start.map(|start| start.to_utc()),
                changed: record["lastModifiedTime"].as_str().unwrap_or_default().to_owned(),
                contents: vec![canonical(record)],
                deleted: record["deleted"] == true || gone,
            };
            let key = (kind, id_of(record).ok_or("a record without id")?);
            match self.facts.get_mut(&key) {
                Some(known) if known.changed > fact.changed => {}
                Some(known) if known.changed == fact.changed => known.contents.extend(fact.contents),
                _ => {
                    self.facts.insert(key, fact);
                }
            }
        }
        if !page["navigation"]["nextPage"].is_null() {
            return Err("the oracle's list has more than one page".to_owned());
        }
        Ok(())
    }
}

/// Each version of the book was served, and so was each page.
fn nothing_invented(
    port: &Port,
    versions: &BTreeMap<Key, Vec<StoredVersion>>,
    book: &Book,
) -> Result<(), String> {
    for (key, versions) in versions {
        let served = port.witness.served.get(key);
        for version in versions {
            if !served.is_some_and(|served| holds(served, &version.record.json)) {
                return Err(format!("{key:?} was never served as {}", version.record.json));
            }
        }
    }
    let mut invented = None;
    book.raw_pages(&mut |page| {
        let feed = page.window.feed.kind;
        let of_records = matches!(
            feed,
            FeedKind::CallLog | FeedKind::CallSync | FeedKind::Messages | FeedKind::MessageSync
        );
        let body = String::from_utf8_lossy(&page.body);
        if of_records && !holds(&port.witness.pages, &body) {
            invented =
                Some(format!("{} page {} of listing {}", page.window.feed.name(), page.page, page.listing));
        }
        Ok(())
    })
    .map_err(|failure| failure.to_string())?;
    invented.map_or(Ok(()), |page| Err(format!("{page} was never served as it is kept")))
}

fn holds(served: &BTreeSet<String>, content: &str) -> bool {
    served.contains(content)
        || serde_json::from_str(content).is_ok_and(|value: Value| served.contains(&canonical(&value)))
}

/// Each content that landed is still there, once; one version of each record is current.
fn nothing_forgotten(port: &Port, versions: &BTreeMap<Key, Vec<StoredVersion>>) -> Result<(), String> {
    for (key, landed) in &port.witness.landed {
        let Some(versions) = versions.get(key) else {
            return Err(format!("{key:?} landed and is not in the book"));
        };
        let kept: Vec<String> = versions
            .iter()
            .map(|version| serde_json::from_str(&version.record.json).map(|value: Value| canonical(&value)))
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())?;
        for content in landed {
            let count = kept.iter().filter(|kept| *kept == content).count();
            if count != 1 {
                return Err(format!("{key:?} landed and is in the book {count} times as {content}"));
            }
        }
        let current = versions.iter().filter(|version| version.standing == Standing::Current).count();
        if current != 1 {
            return Err(format!("{key:?} is current {current} times"));
        }
    }
    Ok(())
}

fn sealed(book: &Book, outcome: &mut Outcome) -> Result<BTreeMap<String, Spans>, String> {
    let mut sealed: BTreeMap<String, Spans> = BTreeMap::new();
    for entry in book.coverage().map_err(|failure| failure.to_string())? {
        if entry.state == CoverageState::Sealed {
            outcome.windows += 1;
            let span = (entry.window.span.from.milliseconds(), entry.window.span.to.milliseconds());
            sealed.entry(entry.window.feed.name()).or_default().push(span);
        }
    }
    for spans in sealed.values_mut() {
        spans.sort_unstable();
    }
    Ok(sealed)
}

/// The sealed windows reach, without a hole, over the whole world.
fn everything_sealed(
    scenario: &Scenario,
    world: &World,
    sealed: &BTreeMap<String, Spans>,
) -> Result<(), String> {
    let (from, to) = scenario.world.span();
    for feed in &world.feeds {
        let mut reached = from.timestamp_millis();
        for (begin, end) in sealed.get(feed).into_iter().flatten() {
            if *begin <= reached {
                reached = reached.max(*end);
            }
        }
        if reached < to.timestamp_millis() {
            let at = Instant::from_milliseconds(reached);
            return Err(format!("{feed} is not sealed from {at} on"));
        }
    }
    Ok(())
}

fn gaps_are_reported(world: &World, book: &Book) -> Result<(), String> {
    let gaps = book.gaps().map_err(|failure| failure.to_string())?;
    let sync = |feed: &Feed| feed.is_sync() || feed.kind == FeedKind::ActiveCalls;
    let told: BTreeSet<String> =
        gaps.iter().filter(|gap| !sync(&gap.feed)).map(|gap| gap.feed.name()).collect();
    if told == world.refused {
        return Ok(());
    }
    Err(format!("the gaps are {:?}, and the book tells of {told:?}", world.refused))
}

/// Everything that began in a sealed window is in the book, as it is now.
fn everything_kept(
    scenario: &Scenario,
    world: &World,
    versions: &BTreeMap<Key, Vec<StoredVersion>>,
    sealed: &BTreeMap<String, Spans>,
    outcome: &mut Outcome,
) -> Result<(), String> {
    for (key, fact) in &world.facts {
        let spans = sealed.get(&fact.feed).map_or(&[][..], Vec::as_slice);
        let inside = |start: DateTime<Utc>| {
            spans.iter().any(|(from, to)| (*from..*to).contains(&start.timestamp_millis()))
        };
        // Where a record without a start belongs nobody knows, and every window was listed.
        if !fact.start.is_none_or(inside) {
            continue;
        }
        let mut known = versions.get(key).into_iter().flatten();
        let current = known.find(|version| version.standing == Standing::Current);
        let Some(current) = current else {
            return Err(format!("{key:?} of {} from {:?} is missing", fact.feed, fact.start));
        };
        // Where lists do not mark what was deleted, only the feed of changes may have told.
        let unmarked = !scenario.options.unknowns.list_marks_deleted;
        if current.record.deleted_upstream != fact.deleted && !unmarked {
            let kept = current.record.deleted_upstream;
            return Err(format!(
                "{key:?} is deleted: {}, noted: {kept}: {}",
                fact.deleted, current.record.json
            ));
        }
        outcome.deleted += u64::from(fact.deleted);
        let kept = &current.record.json;
        let same =
            |content: &String| content == kept || without_addresses(content) == without_addresses(kept);
        if !fact.contents.iter().any(same) {
            return Err(format!("{key:?} is now {}\n and the book has {kept}", fact.contents[0]));
        }
    }
    Ok(())
}
