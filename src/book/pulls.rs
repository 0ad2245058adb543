//! Pulls: when each began and ended, what it asked, and who let it begin too early.

use rusqlite::OptionalExtension;

use crate::domain::Result;
use crate::domain::time::Instant;

use super::sql::{self, Outcome, Trouble, damaged, misuse};
use super::{Book, crash, ledger};

/// The kind of the decision that lets a pull begin soon after the one before.
pub const PULL_AGAIN: &str = "pull-again";

/// One pull.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    pub id: i64,
    pub began: Instant,
    /// `None` when it was cut, or is under way.
    pub completed: Option<Instant>,
    /// Requests made, when it was completed.
    pub requests: Option<u64>,
    /// Why it was let to begin soon after the one before, when it was.
    pub override_reason: Option<String>,
}

impl Book {
    /// Records that a pull begins; with a reason, that `actor` let it begin too early, as a decision of the kind
    /// [`PULL_AGAIN`] in the same transaction. Returns what [`Book::pull_ended`] wants.
    pub fn pull_began(&mut self, at: Instant, override_reason: Option<&str>, actor: &str) -> Result<i64> {
        let mut record = || -> Outcome<i64> {
            let transaction = sql::begin(&mut self.connection)?;
            let decision = match override_reason {
                None => None,
                Some(reason) => {
                    ledger::append_decision(&transaction, PULL_AGAIN, &at.rfc3339(), actor, reason, at)?;
                    Some(transaction.last_insert_rowid())
                }
            };
            transaction.execute(
                "INSERT INTO pull (began_ms, override) VALUES (?1, ?2)",
                (at.milliseconds(), decision),
            )?;
            let id = transaction.last_insert_rowid();
            transaction.commit()?;
            Ok(id)
        };
        record().map_err(Trouble::doing("recording the beginning of a pull"))
    }

    /// Records that a pull came to its end.
    pub fn pull_ended(&mut self, pull: i64, at: Instant, requests: u64) -> Result<()> {
        let record = || -> Outcome<()> {
            let requests =
                i64::try_from(requests).map_err(|_| misuse("a pull of more requests than can be counted"))?;
            let changed = self.connection.execute(
                "UPDATE pull SET completed_ms = ?2, requests = ?3 WHERE id = ?1 AND completed_ms IS NULL",
                (pull, at.milliseconds(), requests),
            )?;
            if changed != 1 {
                return Err(misuse(format!("pull {pull} did not begin, or has ended")));
            }
            crash::point("pull.committed");
            Ok(())
        };
        record().map_err(Trouble::doing("recording the end of a pull"))
    }

    /// When the last pull came to its end.
    pub fn last_pull(&self) -> Result<Option<Instant>> {
        self.connection
            .query_row("SELECT max(completed_ms) FROM pull", [], |row| sql::instant_if_any(row, 0))
            .map_err(|error| Trouble::from(error).into_failure().while_doing("reading the last pull"))
    }

    /// All pulls, oldest first.
    pub fn pulls(&self) -> Result<Vec<Pull>> {
        let read = || -> Outcome<Vec<Pull>> {
            let mut statement = self.connection.prepare_cached(
                "SELECT id, began_ms, completed_ms, requests, override FROM pull ORDER BY id",
            )?;
            let mut rows = statement.query([])?;
            let mut pulls = Vec::new();
            while let Some(row) = rows.next()? {
                let requests: Option<i64> = row.get(3)?;
                pulls.push(Pull {
                    id: row.get(0)?,
                    began: sql::instant(row, 1)?,
                    completed: sql::instant_if_any(row, 2)?,
                    requests: requests
                        .map(u64::try_from)
                        .transpose()
                        .map_err(|_| damaged("a negative count"))?,
                    override_reason: self.override_reason(row.get(4)?)?,
                });
            }
            Ok(pulls)
        };
        read().map_err(Trouble::doing("reading the pulls"))
    }

    fn override_reason(&self, decision: Option<i64>) -> Outcome<Option<String>> {
        Ok(self
            .connection
            .prepare_cached("SELECT reason FROM decision WHERE id = ?1")?
            .query_row([decision], |row| row.get(0))
            .optional()?)
    }
}
