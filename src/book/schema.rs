//! The schema and its migrations. A migration is never edited after a release; a change is a new one.

use rusqlite::Connection;

use crate::domain::{Exit, Failure};

use super::crash;
use super::sql::{self, Outcome};

/// Marks the database file as a Tollbook book: "TOLL".
pub(super) const APPLICATION_ID: i64 = 0x544F_4C4C;

/// Step n brings a book of version n to version n + 1.
const MIGRATIONS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// The version this program writes.
pub(super) fn newest() -> i64 {
    sql::integer(MIGRATIONS.len())
}

/// What the file says about itself.
pub(super) struct Marks {
    pub(super) application: i64,
    pub(super) version: i64,
}

/// Reads the marks without writing.
pub(super) fn marks(connection: &Connection) -> Outcome<Marks> {
    let pragma = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0));
    Ok(Marks { application: pragma("application_id")?, version: pragma("user_version")? })
}

/// Refuses what is no book, and a book that a newer program has written.
pub(super) fn check(marks: &Marks) -> Outcome<()> {
    if marks.application != APPLICATION_ID {
        return Err(Failure::new(Exit::Verification, "book.db is not a Tollbook database")
            .hint("Name the folder that `tollbook pull` or `tollbook import` made.")
            .into());
    }
    if marks.version > newest() {
        let newest = newest();
        return Err(Failure::new(
            Exit::Verification,
            format!("the book has schema {}, this program knows up to {newest}", marks.version),
        )
        .hint("Use the newer tollbook that wrote it; nothing was changed.")
        .into());
    }
    Ok(())
}

/// Brings the schema to the newest version in one transaction, and runs `finish` inside it.
pub(super) fn migrate(
    connection: &mut Connection,
    from: i64,
    finish: impl FnOnce(&Connection) -> Outcome<()>,
) -> Outcome<()> {
    let from = usize::try_from(from).map_err(|_| sql::damaged("the schema's version is negative"))?;
    let transaction = sql::begin(connection)?;
    for step in MIGRATIONS.iter().skip(from) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", newest())?;
    finish(&transaction)?;
    crash::point("create.before-commit");
    transaction.commit()?;
    crash::point("create.committed");
    Ok(())
}
