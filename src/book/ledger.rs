//! Small facts: files by content hash, decisions, completed pulls, runs.

use rusqlite::{Connection, OptionalExtension};

use crate::domain::time::Instant;
use crate::domain::{Exit, Failure, Hash, Result};

use super::sql::{self, Outcome, Trouble, damaged};
use super::{Book, crash};

/// What somebody decided, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Such as `coverage`, `force-match`, `write-down`, `sign-off`.
    pub kind: String,
    /// What it decides, in words that its kind defines.
    pub subject: String,
    pub actor: String,
    pub reason: String,
    pub at: Instant,
}

/// A run as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRun {
    /// Hash of the run's inputs and the derivation version.
    pub id: Hash,
    pub period: String,
    pub finalised: bool,
    /// The manifest as written, JSON.
    pub manifest: Vec<u8>,
    /// Chain hash of the run before.
    pub previous: Option<Hash>,
    /// Chain hash of this run.
    pub hash: Hash,
}

/// A fact of some kind: its name, and the hash of its bytes.
pub type FactName = (String, Hash);

impl Book {
    /// Keeps bytes (contacts, rules, templates, expectations) under their hash. The same fact again is a no-op.
    pub fn put_fact(&mut self, kind: &str, name: &str, bytes: &[u8]) -> Result<Hash> {
        let hash = Hash::of(bytes);
        let mut store = || -> Outcome<()> {
            let body = sql::compress(bytes)?;
            let transaction = sql::begin(&mut self.connection)?;
            transaction.execute(
                "INSERT INTO fact (hash, body_zstd) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                (hash.0, body),
            )?;
            transaction.execute(
                "INSERT INTO fact_name (kind, name, hash) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                (kind, name, hash.0),
            )?;
            crash::point("fact.before-commit");
            transaction.commit()?;
            crash::point("fact.committed");
            Ok(())
        };
        store().map_err(Trouble::doing("keeping a fact"))?;
        Ok(hash)
    }

    /// The bytes of a fact; changed bytes are exit 7.
    pub fn fact(&self, hash: &Hash) -> Result<Option<Vec<u8>>> {
        read_fact(&self.connection, hash).map_err(Trouble::doing("reading a fact"))
    }

    /// The facts of a kind, in the order they were first kept.
    pub fn facts(&self, kind: &str) -> Result<Vec<FactName>> {
        let read = || -> Outcome<Vec<FactName>> {
            let mut statement = self
                .connection
                .prepare_cached("SELECT name, hash FROM fact_name WHERE kind = ?1 ORDER BY id")?;
            let names = statement.query_map([kind], |row| Ok((row.get(0)?, sql::hash(row, 1)?)))?;
            Ok(names.collect::<rusqlite::Result<_>>()?)
        };
        read().map_err(Trouble::doing("reading the names of facts"))
    }

    /// Appends a decision; the hash chain over all decisions shows a changed one.
    pub fn decide(
        &mut self,
        kind: &str,
        subject: &str,
        actor: &str,
        reason: &str,
        at: Instant,
    ) -> Result<()> {
        let mut store = || -> Outcome<()> {
            let transaction = sql::begin(&mut self.connection)?;
            append_decision(&transaction, kind, subject, actor, reason, at)?;
            crash::point("decision.before-commit");
            transaction.commit()?;
            crash::point("decision.committed");
            Ok(())
        };
        store().map_err(Trouble::doing("recording a decision"))
    }

    /// The decisions of a kind, oldest first.
    pub fn decisions(&self, kind: &str) -> Result<Vec<Decision>> {
        let read = || -> Outcome<Vec<Decision>> {
            let all = chained_decisions(&self.connection)?;
            Ok(all.into_iter().filter(|decision| decision.kind == kind).collect())
        };
        read().map_err(Trouble::doing("reading the decisions"))
    }

    /// Records a run and chains it to the one before; `false` when it was recorded already. Another manifest under
    /// the same id is refused (exit 7): the same inputs give the same bytes.
    pub fn put_run(&mut self, id: &Hash, period: &str, manifest: &[u8], finalised: bool) -> Result<bool> {
        let mut store = || -> Outcome<bool> {
            let transaction = sql::begin(&mut self.connection)?;
            if !append_run(&transaction, id, period, manifest, finalised)? {
                return Ok(false);
            }
            crash::point("run.before-commit");
            transaction.commit()?;
            crash::point("run.committed");
            Ok(true)
        };
        store().map_err(Trouble::doing("recording the run"))
    }

    /// All runs, oldest first; a broken chain is exit 7.
    pub fn runs(&self) -> Result<Vec<StoredRun>> {
        chained_runs(&self.connection).map_err(Trouble::doing("reading the runs"))
    }
}

pub(super) fn read_fact(connection: &Connection, hash: &Hash) -> Outcome<Option<Vec<u8>>> {
    let body: Option<Vec<u8>> = connection
        .prepare_cached("SELECT body_zstd FROM fact WHERE hash = ?1")?
        .query_row([hash.0], |row| row.get(0))
        .optional()?;
    let Some(body) = body else { return Ok(None) };
    let bytes = sql::decompress(&body, "a fact")?;
    if Hash::of(&bytes) != *hash {
        return Err(damaged(format!("the bytes of fact {} were changed", hash.short())));
    }
    Ok(Some(bytes))
}

fn decision_hash(previous: Option<Hash>, decision: &Decision) -> Hash {
    let previous = previous.map_or(Vec::new(), |hash| hash.0.to_vec());
    Hash::of_parts([
        previous.as_slice(),
        decision.kind.as_bytes(),
        decision.subject.as_bytes(),
        decision.actor.as_bytes(),
        decision.reason.as_bytes(),
        &decision.at.milliseconds().to_le_bytes(),
    ])
}

/// Appends a decision inside the caller's transaction.
pub(super) fn append_decision(
    connection: &Connection,
    kind: &str,
    subject: &str,
    actor: &str,
    reason: &str,
    at: Instant,
) -> Outcome<()> {
    let previous = last_hash(connection, "SELECT hash FROM decision ORDER BY id DESC LIMIT 1")?;
    let decision = Decision {
        kind: kind.to_owned(),
        subject: subject.to_owned(),
        actor: actor.to_owned(),
        reason: reason.to_owned(),
        at,
    };
    connection.execute(
        "INSERT INTO decision (kind, subject, actor, reason, at_ms, previous, hash) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            kind,
            subject,
            actor,
            reason,
            at.milliseconds(),
            previous.map(|hash| hash.0),
            decision_hash(previous, &decision).0,
        ),
    )?;
    Ok(())
}

/// All decisions, the chain checked.
pub(super) fn chained_decisions(connection: &Connection) -> Outcome<Vec<Decision>> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, subject, actor, reason, at_ms, previous, hash FROM decision ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    let mut last = None;
    while let Some(row) = rows.next()? {
        let decision = Decision {
            kind: row.get(0)?,
            subject: row.get(1)?,
            actor: row.get(2)?,
            reason: row.get(3)?,
            at: sql::instant(row, 4)?,
        };
        let hash = sql::hash(row, 6)?;
        if sql::hash_if_any(row, 5)? != last || decision_hash(last, &decision) != hash {
            return Err(damaged(format!("the chain of decisions breaks at number {}", all.len() + 1)));
        }
        last = Some(hash);
        all.push(decision);
    }
    Ok(all)
}

/// The last hash of a chain.
pub(super) fn last_hash(connection: &Connection, query: &str) -> Outcome<Option<Hash>> {
    Ok(connection.query_row(query, [], |row| sql::hash(row, 0)).optional()?)
}

fn run_hash(previous: Option<Hash>, id: &Hash, period: &str, manifest: &[u8], finalised: bool) -> Hash {
    let previous = previous.map_or(Vec::new(), |hash| hash.0.to_vec());
    Hash::of_parts([previous.as_slice(), &id.0, period.as_bytes(), &[u8::from(finalised)], manifest])
}

fn append_run(
    connection: &Connection,
    id: &Hash,
    period: &str,
    manifest: &[u8],
    finalised: bool,
) -> Outcome<bool> {
    let known: Option<(String, Vec<u8>)> = connection
        .query_row(
            "SELECT period, manifest FROM run WHERE id = ?1 AND finalised = ?2",
            (id.0, finalised),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    if let Some(known) = known {
        if known != (period.to_owned(), manifest.to_vec()) {
            let message = format!("run {} was recorded with another manifest", id.short());
            return Err(Failure::new(Exit::Verification, message).into());
        }
        return Ok(false);
    }
    let previous = last_hash(connection, "SELECT hash FROM run ORDER BY position DESC LIMIT 1")?;
    connection.execute(
        "INSERT INTO run (id, period, finalised, manifest, previous, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (
            id.0,
            period,
            finalised,
            manifest,
            previous.map(|hash| hash.0),
            run_hash(previous, id, period, manifest, finalised).0,
        ),
    )?;
    Ok(true)
}

/// All runs, the chain checked.
pub(super) fn chained_runs(connection: &Connection) -> Outcome<Vec<StoredRun>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, period, finalised, manifest, previous, hash FROM run ORDER BY position",
    )?;
    let mut rows = statement.query([])?;
    let mut runs: Vec<StoredRun> = Vec::new();
    while let Some(row) = rows.next()? {
        let run = StoredRun {
            id: sql::hash(row, 0)?,
            period: row.get(1)?,
            finalised: row.get(2)?,
            manifest: row.get(3)?,
            previous: sql::hash_if_any(row, 4)?,
            hash: sql::hash(row, 5)?,
        };
        let last = runs.last().map(|run| run.hash);
        let hash = run_hash(last, &run.id, &run.period, &run.manifest, run.finalised);
        if run.previous != last || run.hash != hash {
            return Err(damaged(format!("the chain of runs breaks at run {}", run.id.short())));
        }
        runs.push(run);
    }
    Ok(runs)
}
