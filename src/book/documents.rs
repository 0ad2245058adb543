//! Finalised documents: gapless numbers, one live invoice per payer and period, a hash chain over all of them.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::domain::{Exit, Failure, Hash, Result};

use super::ledger::last_hash;
use super::sql::{self, Outcome, Trouble, damaged};
use super::{Book, CHARGES, crash, files};

/// A document to finalise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDocument {
    /// Series of numbers, one for each kind of document that the customer numbers apart.
    pub series: String,
    /// Place in the series, from 1, without gaps.
    pub sequence: u64,
    /// The number as printed, unique in the book: `INV-000001`.
    pub number: String,
    pub contact_id: String,
    /// Key of the billing period: `2026-10`.
    pub period_key: String,
    /// `invoice`, `credit-note`, `debit-note`, ...; only invoices are limited to one live one per payer and period.
    pub kind: String,
    /// From 1; a reissue or a second note of the same payer and period counts on.
    pub ordinal: u32,
    pub issue_date: NaiveDate,
    pub actor: String,
    /// The document as canonical JSON.
    pub body: Vec<u8>,
    /// The charges behind it, opaque; kept as a file under their hash.
    pub charges: Vec<u8>,
    /// Events charged on it, without repeats. An event is on at most one live invoice of a payer.
    pub event_ids: Vec<String>,
    /// Number of the document that this one voids: its place and its events become free in the same transaction.
    pub voids: Option<String>,
}

/// A finalised document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDocument {
    pub series: String,
    pub sequence: u64,
    pub number: String,
    pub contact_id: String,
    pub period_key: String,
    pub kind: String,
    pub ordinal: u32,
    pub issue_date: NaiveDate,
    pub actor: String,
    pub run_id: Hash,
    pub body: Vec<u8>,
    /// Hash of the charges file.
    pub charges: Hash,
    pub voids: Option<String>,
    /// An invoice that no later document voided.
    pub live: bool,
    /// Chain hash of the document before.
    pub previous: Option<Hash>,
    /// Chain hash of this document.
    pub hash: Hash,
}

impl Book {
    /// The next free place in a series, from 1.
    pub fn next_number(&self, series: &str) -> Result<u64> {
        next_sequence(&self.connection, series).map_err(Trouble::doing("reading the last number"))
    }

    /// Finalises documents in the order given, all in one transaction. Refused with exit 7, nothing written: a number
    /// that is not the next of its series, an issue date before the previous number's, a second live invoice of a
    /// payer and period, an event that is on a live invoice already. Call it while holding the lock.
    pub fn finalise(&mut self, run_id: &Hash, documents: &[NewDocument]) -> Result<()> {
        self.finalise_all(run_id, documents).map_err(Trouble::doing("finalising"))
    }

    fn finalise_all(&mut self, run_id: &Hash, documents: &[NewDocument]) -> Outcome<()> {
        let folder = self.folder.join(CHARGES);
        let charges: Vec<(String, &[u8])> = documents
            .iter()
            .map(|document| (Hash::of(&document.charges).hex(), document.charges.as_slice()))
            .collect();
        files::publish_all(&folder, &charges)?;
        crash::point("finalise.charges-published");
        let transaction = sql::begin(&mut self.connection)?;
        for document in documents {
            append(&transaction, run_id, document).map_err(|trouble| {
                Trouble::Failed(trouble.into_failure().while_doing(document.number.clone()))
            })?;
            crash::point("finalise.document-inserted");
        }
        crash::point("finalise.before-commit");
        transaction.commit()?;
        crash::point("finalise.committed");
        Ok(())
    }

    /// Finalised documents, of one period or all, in the order of finalisation; a broken chain is exit 7.
    pub fn documents(&self, period_key: Option<&str>) -> Result<Vec<StoredDocument>> {
        let read = || -> Outcome<Vec<StoredDocument>> {
            let mut documents = chained_documents(&self.connection)?;
            documents.retain(|document| period_key.is_none_or(|key| document.period_key == key));
            Ok(documents)
        };
        read().map_err(Trouble::doing("reading the documents"))
    }

    /// The charges of a document; `None` when there is no such number. A changed file is exit 7.
    pub fn charges(&self, number: &str) -> Result<Option<Vec<u8>>> {
        let read = || -> Outcome<Option<Vec<u8>>> {
            let hash = self
                .connection
                .query_row("SELECT charges FROM document WHERE number = ?1", [number], |row| {
                    sql::hash(row, 0)
                })
                .optional()?;
            let Some(hash) = hash else { return Ok(None) };
            Ok(Some(files::read_checked(&self.folder.join(CHARGES).join(hash.hex()), &hash)?))
        };
        read().map_err(Trouble::doing("reading the charges"))
    }

    /// Chain hash of the newest document: whoever keeps it elsewhere can tell a rewritten or shortened chain.
    pub fn head(&self) -> Result<Option<Hash>> {
        head(&self.connection).map_err(Trouble::doing("reading the head of the chain"))
    }
}

pub(super) fn head(connection: &Connection) -> Outcome<Option<Hash>> {
    Ok(connection.query_row("SELECT head FROM identity", [], |row| sql::hash_if_any(row, 0))?)
}

fn next_sequence(connection: &Connection, series: &str) -> Outcome<u64> {
    let last: Option<i64> =
        connection
            .query_row("SELECT max(sequence) FROM document WHERE series = ?1", [series], |row| row.get(0))?;
    u64::try_from(last.unwrap_or(0) + 1).map_err(|_| damaged("a document has a negative number"))
}

fn refused(message: String) -> Trouble {
    Trouble::Failed(
        Failure::new(Exit::Verification, message).hint(
            "Nothing was finalised; look at the documents of this series with `tollbook invoice review`.",
        ),
    )
}

fn append(connection: &Connection, run_id: &Hash, document: &NewDocument) -> Outcome<()> {
    let series = &document.series;
    let expected = next_sequence(connection, series)?;
    if document.sequence != expected {
        let wanted = document.sequence;
        return Err(refused(format!("the next number of series {series} is {expected}, not {wanted}")));
    }
    let last_date: Option<String> =
        connection.query_row("SELECT max(issue_date) FROM document WHERE series = ?1", [series], |row| {
            row.get(0)
        })?;
    let issue_date = document.issue_date.to_string();
    if let Some(last_date) = last_date
        && issue_date < last_date
    {
        return Err(refused(format!(
            "issue date {issue_date} is before {last_date}, that of the previous number"
        )));
    }
    let position = insert_document(connection, run_id, document)?;
    if let Some(voided) = &document.voids {
        void(connection, voided)?;
    }
    if document.kind == "invoice" {
        take_place(connection, position, document)?;
    }
    Ok(())
}

fn insert_document(connection: &Connection, run_id: &Hash, document: &NewDocument) -> Outcome<i64> {
    let previous = last_hash(connection, "SELECT hash FROM document ORDER BY position DESC LIMIT 1")?;
    let issue_date = document.issue_date.to_string();
    let events: BTreeSet<&str> = document.event_ids.iter().map(String::as_str).collect();
    let chained = Chained {
        previous,
        series: &document.series,
        sequence: document.sequence,
        number: &document.number,
        contact: &document.contact_id,
        period: &document.period_key,
        kind: &document.kind,
        ordinal: document.ordinal,
        issue_date: &issue_date,
        actor: &document.actor,
        run: *run_id,
        body: &document.body,
        charges: Hash::of(&document.charges),
        events: Hash::of_parts(events.iter().map(|event| event.as_bytes())),
        voids: document.voids.as_deref(),
    };
    let hash = chained.hash();
    let inserted = connection.execute(
        "INSERT INTO document (series, sequence, number, contact, period, kind, ordinal, issue_date, actor, run, \
         body, charges, charges_bytes, events, voids, previous, hash) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        rusqlite::params![
            chained.series,
            i64::try_from(chained.sequence).map_err(|_| refused("the number is too large".to_owned()))?,
            chained.number,
            chained.contact,
            chained.period,
            chained.kind,
            chained.ordinal,
            chained.issue_date,
            chained.actor,
            chained.run.0,
            chained.body,
            chained.charges.0,
            sql::integer(document.charges.len()),
            chained.events.0,
            chained.voids,
            previous.map(|hash| hash.0),
            hash.0,
        ],
    );
    let (contact, period, ordinal) = (chained.contact, chained.period, chained.ordinal);
    unique(inserted, || {
        format!("number {} or {} {ordinal} of {contact} in {period} exists", chained.number, chained.kind)
    })?;
    let position = connection.last_insert_rowid();
    connection.execute("UPDATE identity SET head = ?1", [hash.0])?;
    Ok(position)
}

/// Tells a refused duplicate from other troubles.
fn unique(result: rusqlite::Result<usize>, message: impl FnOnce() -> String) -> Outcome<()> {
    match result {
        Ok(_) => Ok(()),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => {
            Err(refused(message()))
        }
        Err(error) => Err(error.into()),
    }
}

fn take_place(connection: &Connection, position: i64, document: &NewDocument) -> Outcome<()> {
    let (contact, period) = (&document.contact_id, &document.period_key);
    let taken = connection.execute(
        "INSERT INTO live_invoice (contact, period, document) VALUES (?1, ?2, ?3)",
        (contact, period, position),
    );
    unique(taken, || format!("{contact} has a live invoice for {period} already"))?;
    let mut charge = connection
        .prepare_cached("INSERT INTO charged_event (event, contact, document) VALUES (?1, ?2, ?3)")?;
    for event in &document.event_ids {
        unique(charge.execute((event, contact, position)), || {
            format!("event {event} is on a live invoice of {contact} already")
        })?;
    }
    Ok(())
}

fn void(connection: &Connection, number: &str) -> Outcome<()> {
    let freed = connection.execute(
        "DELETE FROM live_invoice WHERE document = (SELECT position FROM document WHERE number = ?1)",
        [number],
    )?;
    if freed != 1 {
        return Err(refused(format!("{number} is not a live invoice")));
    }
    connection.execute(
        "DELETE FROM charged_event WHERE document = (SELECT position FROM document WHERE number = ?1)",
        [number],
    )?;
    Ok(())
}

/// Everything of a document that its chain hash covers.
struct Chained<'a> {
    previous: Option<Hash>,
    series: &'a str,
    sequence: u64,
    number: &'a str,
    contact: &'a str,
    period: &'a str,
    kind: &'a str,
    ordinal: u32,
    issue_date: &'a str,
    actor: &'a str,
    run: Hash,
    body: &'a [u8],
    charges: Hash,
    events: Hash,
    voids: Option<&'a str>,
}

impl Chained<'_> {
    fn hash(&self) -> Hash {
        let previous = self.previous.map_or(Vec::new(), |hash| hash.0.to_vec());
        Hash::of_parts([
            previous.as_slice(),
            self.series.as_bytes(),
            &self.sequence.to_le_bytes(),
            self.number.as_bytes(),
            self.contact.as_bytes(),
            self.period.as_bytes(),
            self.kind.as_bytes(),
            &self.ordinal.to_le_bytes(),
            self.issue_date.as_bytes(),
            self.actor.as_bytes(),
            &self.run.0,
            self.body,
            &self.charges.0,
            &self.events.0,
            self.voids.unwrap_or("").as_bytes(),
        ])
    }
}

/// All documents in order, the chain, the numbers and the dates checked.
pub(super) fn chained_documents(connection: &Connection) -> Outcome<Vec<StoredDocument>> {
    let mut statement = connection.prepare_cached(
        "SELECT series, sequence, number, document.contact, document.period, kind, ordinal, issue_date, actor, run, \
         body, charges, events, voids, previous, hash, live_invoice.document IS NOT NULL FROM document \
         LEFT JOIN live_invoice ON live_invoice.document = position ORDER BY position",
    )?;
    let mut rows = statement.query([])?;
    let mut documents: Vec<StoredDocument> = Vec::new();
    let mut last = std::collections::BTreeMap::<String, (u64, NaiveDate)>::new();
    while let Some(row) = rows.next()? {
        let (document, events) = stored_document(row)?;
        let broken = |what: &str| damaged(format!("{what} at document {}", document.number));
        let previous = documents.last().map(|document: &StoredDocument| document.hash);
        if document.previous != previous || rehash(&document, events) != document.hash {
            return Err(broken("the chain of documents breaks"));
        }
        let place = last.entry(document.series.clone()).or_insert((0, document.issue_date));
        if document.sequence != place.0 + 1 || document.issue_date < place.1 {
            return Err(broken("the numbers or dates of the series break"));
        }
        *place = (document.sequence, document.issue_date);
        documents.push(document);
    }
    if documents.last().map(|document| document.hash) != head(connection)? {
        return Err(damaged("the chain of documents does not end at its head"));
    }
    Ok(documents)
}

fn stored_document(row: &Row<'_>) -> Outcome<(StoredDocument, Hash)> {
    let date: String = row.get(7)?;
    let issue_date = date.parse().map_err(|_| damaged(format!("the unreadable issue date {date}")))?;
    let sequence = u64::try_from(row.get::<_, i64>(1)?).map_err(|_| damaged("a negative number"))?;
    let document = StoredDocument {
        series: row.get(0)?,
        sequence,
        number: row.get(2)?,
        contact_id: row.get(3)?,
        period_key: row.get(4)?,
        kind: row.get(5)?,
        ordinal: row.get(6)?,
        issue_date,
        actor: row.get(8)?,
        run_id: sql::hash(row, 9)?,
        body: row.get(10)?,
        charges: sql::hash(row, 11)?,
        voids: row.get(13)?,
        live: row.get(16)?,
        previous: sql::hash_if_any(row, 14)?,
        hash: sql::hash(row, 15)?,
    };
    Ok((document, sql::hash(row, 12)?))
}

fn rehash(document: &StoredDocument, events: Hash) -> Hash {
    let chained = Chained {
        previous: document.previous,
        series: &document.series,
        sequence: document.sequence,
        number: &document.number,
        contact: &document.contact_id,
        period: &document.period_key,
        kind: &document.kind,
        ordinal: document.ordinal,
        issue_date: &document.issue_date.to_string(),
        actor: &document.actor,
        run: document.run_id,
        body: &document.body,
        charges: document.charges,
        events,
        voids: document.voids.as_deref(),
    };
    chained.hash()
}
