//! The connection: settings that are read back, transactions, and what SQLite's errors mean to the user.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags, Row, Transaction, TransactionBehavior};

use crate::domain::time::{Instant, Span};
use crate::domain::{Exit, Failure, Hash};

/// What can go wrong inside the book before it is told to the caller.
#[derive(Debug)]
pub(super) enum Trouble {
    Sql(rusqlite::Error),
    Failed(Failure),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Trouble {
        Trouble::Sql(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Failed(failure)
    }
}

/// The result of the book's inner operations.
pub(super) type Outcome<T> = std::result::Result<T, Trouble>;

impl Trouble {
    /// The failure told to the caller. Full and failing disks are exit 8, damage is exit 7.
    pub(super) fn into_failure(self) -> Failure {
        let error = match self {
            Trouble::Failed(failure) => return failure,
            Trouble::Sql(error) => error,
        };
        let exit = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => Exit::Disk,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::TypeMismatch) => {
                Exit::Verification
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Exit::Locked,
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Exit::Usage,
            Some(_) => Exit::Bug,
            None => match error {
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..) => Exit::Verification,
                _ => Exit::Bug,
            },
        };
        let failure = Failure::new(exit, error.to_string());
        match exit {
            Exit::Disk => failure.hint("Free some space or look at the disk, then run the command again."),
            Exit::Verification => failure.hint("Restore the book from a backup; nothing was written."),
            _ => failure,
        }
    }

    /// Adds what was being done and turns into a failure.
    pub(super) fn doing(context: &str) -> impl FnOnce(Trouble) -> Failure + '_ {
        move |trouble| trouble.into_failure().while_doing(context)
    }
}

/// A stored value that this program never writes.
pub(super) fn damaged(what: impl Into<String>) -> Trouble {
    Trouble::Failed(
        Failure::new(Exit::Verification, what)
            .hint("Run `tollbook verify`, then restore the book from a backup."),
    )
}

/// A call the book's own contract forbids.
pub(super) fn misuse(what: impl Into<String>) -> Trouble {
    Trouble::Failed(Failure::new(Exit::Bug, what))
}

/// Opens an existing database without changing it.
pub(super) fn connect(path: &Path) -> Outcome<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Applies the settings and reads each answer back: a failing disk can make SQLite ignore them silently.
pub(super) fn configure(connection: &Connection) -> Outcome<()> {
    let mode: String = connection.query_row("PRAGMA journal_mode = wal", [], |row| row.get(0))?;
    if mode != "wal" {
        let failure = Failure::new(Exit::Disk, format!("the database stays in journal mode {mode}"))
            .hint("The folder must lie on a local file system that can be written.");
        return Err(failure.into());
    }
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; \
         PRAGMA cell_size_check = ON;",
    )?;
    for (pragma, wanted) in [("synchronous", 2), ("foreign_keys", 1)] {
        let answer: i64 = connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))?;
        if answer != wanted {
            return Err(Failure::new(Exit::Disk, format!("the setting {pragma} did not take effect")).into());
        }
    }
    Ok(())
}

/// A transaction that takes the write lock at once.
pub(super) fn begin(connection: &mut Connection) -> Outcome<Transaction<'_>> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

/// A hash column.
pub(super) fn hash(row: &Row<'_>, index: usize) -> rusqlite::Result<Hash> {
    row.get(index).map(Hash)
}

/// A hash column that may be absent.
pub(super) fn hash_if_any(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Hash>> {
    Ok(row.get::<_, Option<[u8; 32]>>(index)?.map(Hash))
}

/// A column of milliseconds since the epoch.
pub(super) fn instant(row: &Row<'_>, index: usize) -> rusqlite::Result<Instant> {
    row.get(index).map(Instant::from_milliseconds)
}

/// A column of milliseconds since the epoch that may be absent.
pub(super) fn instant_if_any(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Instant>> {
    Ok(row.get::<_, Option<i64>>(index)?.map(Instant::from_milliseconds))
}

/// Two columns of milliseconds.
pub(super) fn span(row: &Row<'_>, index: usize) -> rusqlite::Result<Span> {
    Ok(Span { from: instant(row, index)?, to: instant(row, index + 1)? })
}

/// A count as SQLite stores it.
pub(super) fn integer(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Compresses bytes for a blob or a file. The level is fixed: the same bytes give the same file.
pub(super) fn compress(bytes: &[u8]) -> Outcome<Vec<u8>> {
    zstd::encode_all(bytes, 3).map_err(|error| misuse(format!("compression failed: {error}")))
}

/// Reads what [`compress`] wrote.
pub(super) fn decompress(bytes: &[u8], what: &str) -> Outcome<Vec<u8>> {
    zstd::decode_all(bytes).map_err(|error| damaged(format!("{what} cannot be decompressed: {error}")))
}
