//! Raw files that are damaged: what they affect, and giving them up so that their windows are listed again.

use std::collections::BTreeSet;

use rusqlite::OptionalExtension;

use crate::domain::record::{CoverageState, PullWindow, RecordKind};
use crate::domain::time::Instant;
use crate::domain::{Exit, Hash, Result};

use super::coverage::{feed_from, never_sealed, stamp};
use super::notes::known_inside;
use super::sql::{self, Outcome, Trouble};
use super::{ARCHIVES, Book, SEGMENTS, crash, files, ledger};

/// The kind of the decision that gives up a damaged file.
pub const REOPEN_DAMAGED: &str = "reopen-damaged";

/// A raw file whose bytes are not those that were registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Its name in `raw/`.
    pub file: String,
    /// What is wrong with it, lower case.
    pub reason: String,
    /// The windows whose pages it held.
    pub windows: Vec<DamagedWindow>,
    /// The imported file it held, and the number of its records.
    pub import: Option<(String, u64)>,
    /// When somebody decided to give it up.
    pub given_up: Option<Instant>,
}

/// What damage means for one window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedWindow {
    pub window: PullWindow,
    pub state: CoverageState,
    /// Pages of the window in the damaged file.
    pub pages: u64,
    /// Records that the book knows to start in the window, and of them those whose current version lies in a sound
    /// segment or row.
    pub records: u64,
    pub records_kept: u64,
    /// Records that were not served again since the file was given up.
    pub records_not_served_again: u64,
    /// The window can be listed again; states of a day and changes cannot.
    pub can_be_listed: bool,
}

impl Damage {
    /// Whether everything that can be listed again was, after somebody gave the file up.
    pub fn is_settled(&self) -> bool {
        self.given_up.is_some()
            && self
                .windows
                .iter()
                .all(|window| !window.can_be_listed || window.state == CoverageState::Sealed)
    }

    /// In words: the file, and each window with what is left of it.
    pub fn describe(&self) -> String {
        let mut text = format!("{}: {}", self.file, self.reason);
        if let Some((name, records)) = &self.import {
            text.push_str(&format!("; it is the imported file {name} of {records} records: import it again"));
        }
        for window in &self.windows {
            let span = window.window.span;
            text.push_str(&format!(
                "; {} pages of {} from {} to {}, {}: {} records, {} of them in sound segments",
                window.pages,
                window.window.feed.name(),
                span.from,
                span.to,
                window.state,
                window.records,
                window.records_kept
            ));
            if self.given_up.is_some() && window.can_be_listed {
                text.push_str(&format!(", {} not served again since", window.records_not_served_again));
            }
        }
        text
    }
}

impl Book {
    /// The damaged raw files with what they affect, those given up among them. Reads every raw file.
    pub fn damage(&self) -> Result<Vec<Damage>> {
        self.find_damage().map_err(Trouble::doing("looking for damage"))
    }

    pub(super) fn find_damage(&self) -> Outcome<Vec<Damage>> {
        let mut statement =
            self.connection.prepare("SELECT id, file, hash, given_up_ms FROM archive ORDER BY id")?;
        let mut rows = statement.query([])?;
        let mut unsound: Option<BTreeSet<i64>> = None;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let (id, file): (i64, String) = (row.get(0)?, row.get(1)?);
            let path = self.folder.join(ARCHIVES).join(&file);
            let Some(reason) = damage_of(&path, &sql::hash(row, 2)?)? else { continue };
            if unsound.is_none() {
                unsound = Some(self.unsound_segments()?);
            }
            let given_up = sql::instant_if_any(row, 3)?;
            let windows = match &unsound {
                Some(unsound) => self.damaged_windows(id, given_up, unsound)?,
                None => Vec::new(),
            };
            let import = self
                .connection
                .query_row("SELECT source_name, records FROM import WHERE archive = ?1", [id], |row| {
                    Ok((row.get(0)?, row.get::<_, u32>(1)?.into()))
                })
                .optional()?;
            all.push(Damage { file, reason, windows, import, given_up });
        }
        Ok(all)
    }

    /// The segments whose file is damaged.
    fn unsound_segments(&self) -> Outcome<BTreeSet<i64>> {
        let mut statement = self.connection.prepare("SELECT id, file, hash FROM segment")?;
        let mut rows = statement.query([])?;
        let mut unsound = BTreeSet::new();
        while let Some(row) = rows.next()? {
            let path = self.folder.join(SEGMENTS).join(row.get::<_, String>(1)?);
            if damage_of(&path, &sql::hash(row, 2)?)?.is_some() {
                unsound.insert(row.get(0)?);
            }
        }
        Ok(unsound)
    }

    fn damaged_windows(
        &self,
        archive: i64,
        given_up: Option<Instant>,
        unsound: &BTreeSet<i64>,
    ) -> Outcome<Vec<DamagedWindow>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT feed, from_ms, to_ms, state, count(*) FROM page JOIN pull_window ON pull_window.id = window_id \
             WHERE archive = ?1 GROUP BY pull_window.id ORDER BY feed, from_ms, to_ms",
        )?;
        let mut current = self.connection.prepare_cached(
            "SELECT segment, (SELECT max(last_observed_ms) FROM version AS any WHERE any.record = version.record) \
             FROM version JOIN record ON record.id = record WHERE account = ?1 AND kind = ?2 AND source_id = ?3 \
             AND standing = 0",
        )?;
        let mut rows = statement.query([archive])?;
        let mut windows = Vec::new();
        while let Some(row) = rows.next()? {
            let (feed, state): (String, String) = (row.get(0)?, row.get(3)?);
            let window = PullWindow { feed: feed_from(&feed)?, span: sql::span(row, 1)? };
            let can_be_listed = !never_sealed(&window.feed);
            let mut damaged = DamagedWindow {
                state: CoverageState::from_word(&state)
                    .ok_or_else(|| sql::damaged(format!("a window has the unknown state {state}")))?,
                pages: row.get::<_, u32>(4)?.into(),
                records: 0,
                records_kept: 0,
                records_not_served_again: 0,
                can_be_listed,
                window,
            };
            let known = match can_be_listed {
                true => known_inside(&self.connection, &damaged.window.feed, damaged.window.span)?,
                false => Default::default(),
            };
            for key in known.keys() {
                let kind: RecordKind = key.kind;
                let (segment, seen): (Option<i64>, i64) = current
                    .query_row((&key.account, kind.word(), &key.id), |row| Ok((row.get(0)?, row.get(1)?)))?;
                damaged.records += 1;
                damaged.records_kept += u64::from(segment.is_none_or(|segment| !unsound.contains(&segment)));
                let served = given_up.is_some_and(|at| seen >= at.milliseconds());
                damaged.records_not_served_again += u64::from(!served);
            }
            windows.push(damaged);
        }
        Ok(windows)
    }

    /// Gives up the damaged raw files: their windows that can be listed are open again, so that the next pull lists
    /// them once more; each file is a decision of the kind [`REOPEN_DAMAGED`]. Nothing is removed. Returns what was
    /// given up now. Call it while holding the lock.
    pub fn reopen_damaged(&mut self, actor: &str, reason: &str, at: Instant) -> Result<Vec<Damage>> {
        let mut reopen = || -> Outcome<Vec<Damage>> {
            let mut damage = self.find_damage()?;
            damage.retain(|damage| damage.given_up.is_none());
            let transaction = sql::begin(&mut self.connection)?;
            for damage in &mut damage {
                let id: i64 = transaction.query_row(
                    "UPDATE archive SET given_up_ms = ?2 WHERE file = ?1 RETURNING id",
                    (&damage.file, at.milliseconds()),
                    |row| row.get(0),
                )?;
                damage.given_up = Some(at);
                let windows = damage.windows.iter_mut().filter(|window| window.can_be_listed);
                windows.for_each(|window| window.state = CoverageState::Open);
                reopen_windows(&transaction, id)?;
                ledger::append_decision(&transaction, REOPEN_DAMAGED, &damage.describe(), actor, reason, at)?;
            }
            crash::point("reopen.before-commit");
            transaction.commit()?;
            crash::point("reopen.committed");
            Ok(damage)
        };
        reopen().map_err(Trouble::doing("giving up damaged files"))
    }
}

fn reopen_windows(connection: &rusqlite::Connection, archive: i64) -> Outcome<()> {
    let windows = connection
        .prepare(
            "SELECT DISTINCT window_id, feed FROM page JOIN pull_window ON pull_window.id = window_id \
                  WHERE archive = ?1 ORDER BY window_id",
        )?
        .query_map([archive], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(i64, String)>>>()?;
    for (window, feed) in windows {
        if never_sealed(&feed_from(&feed)?) {
            continue;
        }
        connection.execute(
            "UPDATE pull_window SET state = ?2, sealed_ms = NULL WHERE id = ?1",
            (window, CoverageState::Open.word()),
        )?;
        stamp(connection, window)?;
    }
    Ok(())
}

/// What is wrong with a registered file; nothing when it is sound. A disk that fails is a failure.
fn damage_of(path: &std::path::Path, hash: &Hash) -> Outcome<Option<String>> {
    match files::read_checked(path, hash) {
        Ok(_) => Ok(None),
        Err(failure) if failure.exit() == Exit::Verification => {
            let there = path.exists();
            Ok(Some(if there { "its bytes were changed".to_owned() } else { "it is missing".to_owned() }))
        }
        Err(failure) => Err(failure.into()),
    }
}
