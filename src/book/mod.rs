//! The store: facts are appended, never changed, and each is one transaction.
//!
//! A book is a folder. `book.db` (SQLite) is the manifest and the ledger; bulk lies in immutable, checksummed files
//! (`segments/`, `raw/`, `charges/`) that become visible only by the transaction that registers them. Segments are
//! opaque here: the caller passes their codec. The book must not read a clock, judge a record, price anything, or
//! know any other module than the domain.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::domain::{Exit, Failure, Hash, Result};

mod archive;
mod compact;
mod coverage;
pub mod crash;
mod damage;
mod documents;
mod files;
mod fresh;
mod import;
mod landing;
mod lateness;
mod ledger;
mod lock;
mod notes;
mod pulls;
mod rebuild;
mod scan;
mod schema;
mod seal;
mod sql;
mod status;
mod stream;
mod verify;
mod version;

#[cfg(test)]
mod tests;

pub use compact::Compacted;
pub use coverage::Listing;
pub use damage::{Damage, DamagedWindow, REOPEN_DAMAGED};
pub use documents::{NewDocument, StoredDocument};
pub use fresh::{Parse, RawImport, RawSource};
pub use import::{Covers, ImportBatch, Imported};
pub use landing::Landed;
pub use lateness::{LATENESS_BUCKETS, Lateness};
pub use ledger::{Decision, FactName, StoredRun};
pub use lock::Lock;
pub use notes::{Note, NoteKind, Noted};
pub use pulls::{PULL_AGAIN, Pull};
pub use rebuild::Rebuilt;
pub use seal::{Sealed, SegmentCodec};
pub use status::{FeedStatus, Status};
pub use verify::Problem;
pub use version::{Standing, StoredVersion};

use sql::{Outcome, Trouble};

const DATABASE: &str = "book.db";
const LOCK: &str = "lock";
const SEGMENTS: &str = "segments";
const ARCHIVES: &str = "raw";
const CHARGES: &str = "charges";

/// Whose records a book keeps, for life.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Identity {
    /// Made from the sandbox: every document says SPECIMEN, and no real account is ever mixed in.
    pub specimen: bool,
    /// Base address of the service, when records are pulled.
    pub server: Option<String>,
    /// The service's account id; learned at first contact.
    pub account: Option<String>,
}

impl Identity {
    fn hash(&self) -> Hash {
        let text = |value: &Option<String>| value.as_ref().map_or(String::new(), |text| format!("={text}"));
        let (server, account) = (text(&self.server), text(&self.account));
        Hash::of_parts([[u8::from(self.specimen)].as_slice(), server.as_bytes(), account.as_bytes()])
    }
}

/// An open book.
#[derive(Debug)]
pub struct Book {
    folder: PathBuf,
    connection: Connection,
    identity: Identity,
}

impl Book {
    /// Makes a new book in a folder that holds none (exit 2 otherwise). A creation that was interrupted is finished.
    pub fn create(folder: &Path, identity: Identity) -> Result<Book> {
        Book::make(folder, identity).map_err(Trouble::doing("creating the book"))
    }

    fn make(folder: &Path, identity: Identity) -> Outcome<Book> {
        files::create_folder(folder)?;
        let _lock = Lock::take(&folder.join(LOCK), "create")?;
        let path = folder.join(DATABASE);
        if path.exists() && born(&path)? {
            let failure = Failure::new(Exit::Usage, format!("{} is a book already", folder.display()));
            return Err(failure.hint("Name another folder, or go on with this book.").into());
        }
        for inner in [SEGMENTS, ARCHIVES, CHARGES] {
            files::create_folder(&folder.join(inner))?;
        }
        files::touch(&path)?;
        files::sync_folder(folder)?;
        crash::point("create.folder-made");
        let mut connection = sql::connect(&path)?;
        sql::configure(&connection)?;
        schema::migrate(&mut connection, 0, |connection| {
            connection.execute(
                "INSERT INTO identity (one, specimen, server, account, hash) VALUES (1, ?1, ?2, ?3, ?4)",
                (identity.specimen, &identity.server, &identity.account, identity.hash().0),
            )?;
            Ok(())
        })?;
        files::sync_folder(folder)?;
        Ok(Book { folder: folder.to_owned(), connection, identity })
    }

    /// Opens an existing book. No book there is exit 2; a folder that is something else, or a book written by a newer
    /// program, is exit 7 and nothing is written.
    pub fn open(folder: &Path) -> Result<Book> {
        Book::enter(folder).map_err(Trouble::doing("opening the book"))
    }

    fn enter(folder: &Path) -> Outcome<Book> {
        let path = folder.join(DATABASE);
        if !path.is_file() || !born(&path)? {
            return Err(Failure::new(Exit::Usage, format!("{} is not a book", folder.display()))
                .hint("The first `tollbook pull` or `tollbook import` makes it; or name the folder of an existing one.")
                .into());
        }
        let mut connection = sql::connect(&path)?;
        let marks = schema::marks(&connection)?;
        schema::check(&marks)?;
        sql::configure(&connection)?;
        if marks.version < schema::newest() {
            let _lock = Lock::take(&folder.join(LOCK), "migrate")?;
            let version = schema::marks(&connection)?.version;
            schema::migrate(&mut connection, version, |_| Ok(()))?;
        }
        let (identity, hash) =
            connection.query_row("SELECT specimen, server, account, hash FROM identity", [], |row| {
                let identity = Identity { specimen: row.get(0)?, server: row.get(1)?, account: row.get(2)? };
                Ok((identity, sql::hash(row, 3)?))
            })?;
        if identity.hash() != hash {
            return Err(sql::damaged("the identity of the book was changed"));
        }
        Ok(Book { folder: folder.to_owned(), connection, identity })
    }

    /// Opens the book, or makes it when there is none. An identity that contradicts the book's is refused (exit 2).
    pub fn open_or_create(folder: &Path, identity: Identity) -> Result<Book> {
        let path = folder.join(DATABASE);
        let there = || Ok(path.is_file() && born(&path).map_err(Trouble::doing("opening the book"))?);
        if !there()? {
            match Book::create(folder, identity.clone()) {
                // Another process made it in the meantime.
                Err(failure) if failure.exit() == Exit::Usage && there()? => {}
                created => return created,
            }
        }
        let mut book = Book::open(folder)?;
        book.require(&identity)?;
        if let Some(account) = &identity.account {
            book.bind_account(account)?;
        }
        Ok(book)
    }

    /// Refuses (exit 2) when this book is not the one that `wanted` describes; what either side leaves open agrees.
    pub fn require(&self, wanted: &Identity) -> Result<()> {
        if self.identity.specimen != wanted.specimen {
            let (is, other) = match self.identity.specimen {
                true => ("made from the sandbox", "a real account"),
                false => ("of a real account", "the sandbox"),
            };
            return Err(Failure::new(
                Exit::Usage,
                format!("the book is {is} and cannot take records of {other}"),
            )
            .hint("Keep a book of its own for each; sandbox and real records never mix."));
        }
        let pairs = [
            ("server", &self.identity.server, &wanted.server),
            ("account", &self.identity.account, &wanted.account),
        ];
        for (name, ours, theirs) in pairs {
            if let (Some(ours), Some(theirs)) = (ours, theirs)
                && ours != theirs
            {
                return Err(Failure::new(
                    Exit::Usage,
                    format!("the book is of {name} {ours}, not of {theirs}"),
                )
                .hint("Keep a book of its own for each account."));
            }
        }
        Ok(())
    }

    /// Records the account at first contact; any other account is refused later (exit 2).
    pub fn bind_account(&mut self, account: &str) -> Result<()> {
        let wanted = Identity { account: Some(account.to_owned()), ..self.identity.clone() };
        self.require(&wanted)?;
        if self.identity.account.is_none() {
            self.connection
                .execute(
                    "UPDATE identity SET account = ?1, hash = ?2 WHERE account IS NULL",
                    (account, wanted.hash().0),
                )
                .map_err(|error| Trouble::from(error).into_failure().while_doing("binding the account"))?;
            self.identity = wanted;
        }
        Ok(())
    }

    /// Whose records these are.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The folder of the book.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Holds the book for writing, and sweeps the files that an interrupted command left without registering them.
    /// The second holder gets exit 5 at once, naming the first.
    pub fn lock(&self, purpose: &str) -> Result<Lock> {
        let lock = Lock::take(&self.folder.join(LOCK), purpose)?;
        self.sweep_files().map_err(Trouble::doing("sweeping unregistered files"))?;
        Ok(lock)
    }

    /// Removes unregistered files; returns how many. The caller proves that it holds the book.
    pub fn sweep(&self, _held: &Lock) -> Result<u64> {
        self.sweep_files().map_err(Trouble::doing("sweeping unregistered files"))
    }

    fn sweep_files(&self) -> Outcome<u64> {
        let mut removed = 0;
        for (inner, registered) in self.registered_files()? {
            let folder = self.folder.join(inner);
            for name in files::names(&folder)? {
                if !registered.contains(&name) {
                    files::remove(&folder.join(&name))?;
                    crash::point("sweep.removed");
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// The names of the registered files of each folder.
    fn registered_files(&self) -> Outcome<Vec<(&'static str, std::collections::BTreeSet<String>)>> {
        let mut all = Vec::new();
        for (inner, query) in [
            (SEGMENTS, "SELECT file FROM segment"),
            (ARCHIVES, "SELECT file FROM archive"),
            (CHARGES, "SELECT DISTINCT lower(hex(charges)) FROM document"),
        ] {
            let mut statement = self.connection.prepare(query)?;
            let names = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            all.push((inner, names));
        }
        Ok(all)
    }

    /// Moves the write-ahead log into the database, so that a failing disk shows (exit 8) before anybody says "done".
    /// A reader of another process may hold the log; then it stays, and nothing is lost.
    pub fn checkpoint(&self) -> Result<()> {
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
            .map_err(|error| Trouble::from(error).into_failure().while_doing("writing the log back"))?;
        crash::point("checkpoint.done");
        Ok(())
    }
}

/// Whether the database holds a schema: a creation that died early leaves an empty file.
fn born(path: &Path) -> Outcome<bool> {
    if files::length_bytes(path)? == 0 {
        return Ok(false);
    }
    let connection = sql::connect(path)?;
    let marks = schema::marks(&connection)?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(marks.application != 0 || marks.version != 0 || tables != 0)
}
