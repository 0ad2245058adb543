//! Defects that a collector could have, planted between the puller and its surroundings: the simulation must see each.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tollbook::domain::record::{Coverage, Cursor, Gap, PullWindow, RawPage, RecordKey, SourceRecord, Stream};
use tollbook::domain::{Hash, Instant, Result};
use tollbook::ringcentral::client::Landing;
use tollbook::ringcentral::puller::Known;
use tollbook::ringcentral::puller::Progress;
use tollbook::run::collect::BookLanding;
use tollbook::sandbox::Ask;

use super::port::Port;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    CursorBeforePage,
    StopsOnAShortPage,
    KeysWithoutVersion,
    LeavesOutDeleted,
    FiltersByModification,
    TakesAbsenceForDeletion,
}

impl Defect {
    pub const ALL: [Defect; 6] = [
        Defect::CursorBeforePage,
        Defect::StopsOnAShortPage,
        Defect::KeysWithoutVersion,
        Defect::LeavesOutDeleted,
        Defect::FiltersByModification,
        Defect::TakesAbsenceForDeletion,
    ];

    /// Plants what lies in requests and answers.
    pub fn plant(self, port: &mut Port) {
        match self {
            Defect::StopsOnAShortPage => port.revise = stop_on_a_short_page,
            Defect::LeavesOutDeleted => port.rewrite = leave_out_deleted,
            _ => {}
        }
    }
}

fn stop_on_a_short_page(ask: &Ask, body: &mut Vec<u8>) {
    let asked = ask.query.iter().find(|(name, _)| name == "perPage");
    let asked = asked.and_then(|(_, value)| value.parse::<usize>().ok());
    let Ok(mut page) = serde_json::from_slice::<Value>(body) else { return };
    let count = page.get("records").and_then(Value::as_array).map(Vec::len);
    if let (Some(asked), Some(count), Some(navigation)) = (asked, count, page.get_mut("navigation"))
        && count < asked
        && let Some(navigation) = navigation.as_object_mut()
    {
        navigation.remove("nextPage");
        *body = page.to_string().into_bytes();
    }
}

fn leave_out_deleted(ask: &mut Ask) {
    ask.query.retain(|(name, value)| name != "showDeleted" && !(name == "availability" && value != "Alive"));
}

/// What a defective program remembers from run to run.
#[derive(Debug, Default)]
pub struct Memory {
    first: BTreeMap<RecordKey, SourceRecord>,
    /// What each window held in earlier listings, and holds in the one under way.
    listed: BTreeMap<PullWindow, BTreeMap<RecordKey, SourceRecord>>,
    under_way: BTreeMap<PullWindow, BTreeSet<RecordKey>>,
}

/// The book behind a defect, if there is one.
pub struct Planted<'a, 'b> {
    pub inner: BookLanding<'a>,
    pub defect: Option<Defect>,
    pub memory: &'b mut Memory,
}

impl Planted<'_, '_> {
    fn distort(&mut self, page: &RawPage, records: &[SourceRecord], cursor: &Cursor) -> Vec<SourceRecord> {
        let mut records = records.to_vec();
        match self.defect {
            Some(Defect::KeysWithoutVersion) => {
                for record in &mut records {
                    let first = self.memory.first.entry(record.key.clone()).or_insert_with(|| record.clone());
                    *record = SourceRecord { observed: record.observed, ..first.clone() };
                }
            }
            Some(Defect::FiltersByModification) => records.retain(|record| {
                record.last_modified.is_none_or(|modified| page.window.span.contains(modified))
            }),
            Some(Defect::TakesAbsenceForDeletion) => self.delete_absent(page, &mut records, cursor),
            _ => {}
        }
        records
    }

    fn delete_absent(&mut self, page: &RawPage, records: &mut Vec<SourceRecord>, cursor: &Cursor) {
        let inside =
            |record: &&SourceRecord| record.start.is_some_and(|start| page.window.span.contains(start));
        let seen = self.memory.under_way.entry(page.window.clone()).or_default();
        seen.extend(records.iter().filter(inside).map(|record| record.key.clone()));
        let listed = self.memory.listed.entry(page.window.clone()).or_default();
        listed.extend(records.iter().filter(inside).map(|record| (record.key.clone(), record.clone())));
        if cursor.next_page.is_some() {
            return;
        }
        let seen = std::mem::take(seen);
        let gone: Vec<RecordKey> = listed.keys().filter(|key| !seen.contains(*key)).cloned().collect();
        for mut record in gone.iter().filter_map(|key| listed.remove(key)) {
            let Ok(mut content) = serde_json::from_str::<Value>(&record.json) else { continue };
            content["deleted"] = Value::Bool(true);
            record.json = super::witness::canonical(&content);
            record.version = Hash::of(record.json.as_bytes());
            (record.deleted_upstream, record.observed) = (true, page.observed);
            records.push(record);
        }
    }

    /// The power goes while a page is being landed: what a program leaves that moves its cursor first.
    pub fn cut_power(&mut self, page: &RawPage, cursor: &Cursor) -> Result<()> {
        if self.defect != Some(Defect::CursorBeforePage) {
            return Ok(());
        }
        let empty = RawPage { body: b"{}".to_vec(), ..page.clone() };
        self.inner.land(&empty, &[], cursor)
    }
}

impl Landing for Planted<'_, '_> {
    fn known(&self) -> Result<Known> {
        self.inner.known()
    }

    fn advance(&mut self, stream: &Stream) -> Result<()> {
        self.inner.advance(stream)
    }

    fn coverage_of(&self, window: &PullWindow) -> Result<Option<Coverage>> {
        self.inner.coverage_of(window)
    }

    fn land(&mut self, page: &RawPage, records: &[SourceRecord], cursor: &Cursor) -> Result<()> {
        if self.defect.is_none() {
            return self.inner.land(page, records, cursor);
        }
        let records = self.distort(page, records, cursor);
        self.inner.land(page, &records, cursor)
    }

    fn seal(&mut self, window: &PullWindow, at: Instant) -> Result<()> {
        self.inner.seal(window, at)
    }

    fn gap(&mut self, gap: &Gap, at: Instant) -> Result<()> {
        self.inner.gap(gap, at)
    }

    fn account(&mut self, id: &str) -> Result<()> {
        self.inner.account(id)
    }

    fn progress(&mut self, progress: &Progress) {
        self.inner.progress(progress);
    }
}
