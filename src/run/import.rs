//! Importing files: raw pages of the service, the portal's CSV, usage files.

use std::path::Path;

use crate::book::{Book, Covers, ImportBatch, Imported};
use crate::columnar::usage;
use crate::domain::local::LocalTimes;
use crate::domain::record::{Feed, FeedKind, RecordKind, SourceRecord};
use crate::domain::time::Span;
use crate::domain::{Exit, Failure, Instant, Result, Zone};
use crate::ringcentral::page::{detect_kind, parse_page};
use crate::ringcentral::portal_csv;
use crate::ringcentral::redact::Redaction;
use crate::rules::diagnostic::{Diagnostic, SourceFile};

use super::facts::{usage_record, with_segments};
use super::workspace::{name_of, refuse, refuse_table};

/// Somebody's word that the files are complete for a span.
#[derive(Clone, Debug)]
pub struct Complete {
    pub span: Span,
    pub actor: String,
    pub reason: String,
}

/// What one file held.
#[derive(Clone, Debug)]
pub struct ImportedFile {
    pub name: String,
    pub feed: Feed,
    pub records: usize,
    pub malformed: usize,
    pub imported: Imported,
}

/// A file as read, before it goes into the book.
struct ReadFile {
    feed: Feed,
    raw: Vec<u8>,
    records: Vec<SourceRecord>,
    malformed: usize,
    account: Option<String>,
}

/// How files are read.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    pub as_usage: bool,
    pub redaction: &'a Redaction,
    /// The company's; times of the portal's file are in it.
    pub zone: Zone,
    /// How usage files tell times without an offset; `None`: every time needs one.
    pub local_times: Option<LocalTimes>,
    pub at: Instant,
}

/// Imports one file in one transaction. The caller holds the book's lock.
///
/// # Errors
/// A file that cannot be read (exit 2) or understood (exit 3); an account that is not the book's (exit 2).
pub fn import(
    book: &mut Book,
    path: &Path,
    reading: &Reading<'_>,
    complete: Option<&Complete>,
) -> Result<ImportedFile> {
    let bytes =
        std::fs::read(path).map_err(|error| Failure::io(&error, format!("reading {}", path.display())))?;
    let name = name_of(path);
    let account = book.identity().account.clone();
    let read = read(&name, &bytes, reading, account.as_deref())
        .map_err(|failure| failure.while_doing(format!("importing {name}")))?;
    if let Some(account) = &read.account {
        book.bind_account(account)?;
    }
    let covers = complete.map(|complete| Covers {
        span: complete.span,
        actor: &complete.actor,
        reason: &complete.reason,
    });
    let imported = book.import(&ImportBatch {
        source_name: &name,
        feed: &read.feed,
        raw: &read.raw,
        records: &read.records,
        at: reading.at,
        covers,
    })?;
    Ok(ImportedFile {
        name,
        feed: read.feed,
        records: read.records.len(),
        malformed: read.malformed,
        imported,
    })
}

fn read(name: &str, bytes: &[u8], reading: &Reading<'_>, account: Option<&str>) -> Result<ReadFile> {
    let Reading { as_usage, redaction, zone, local_times, at } = *reading;
    if as_usage || name.ends_with(".parquet") || name.ends_with(".jsonl") {
        return read_usage(name, bytes, local_times.as_ref(), at);
    }
    if portal_csv::is_portal_csv(bytes) {
        return read_portal(name, bytes, zone, at);
    }
    if name.to_ascii_lowercase().ends_with(".csv") {
        let file = crate::rules::sheet::decode(name, bytes).map_err(|mistake| refuse(&[mistake], &[]))?;
        let header = file.text.lines().next().unwrap_or_default().to_owned();
        let message = "the file is neither a portal call log nor a usage file";
        let hint = "A portal file has the columns Type, Direction, From, To, Date, Time, Duration; a usage file is imported with --usage.";
        let mistake = Diagnostic::error("unknown-file", name, Some(0..header.len()), message).hint(hint);
        return Err(refuse(&[mistake], &[file]));
    }
    read_page(bytes, redaction, at, account)
}

fn read_page(bytes: &[u8], redaction: &Redaction, at: Instant, account: Option<&str>) -> Result<ReadFile> {
    let kind = detect_kind(bytes).unwrap_or(RecordKind::Call);
    let parsed = parse_page(kind, bytes, redaction, at, account)
        .map_err(|error| error.into_failure(Exit::Mistakes))?;
    let feed = match kind {
        RecordKind::Message => Feed::account_wide(FeedKind::Messages),
        RecordKind::Extension => Feed::account_wide(FeedKind::Extensions),
        RecordKind::Account => Feed::account_wide(FeedKind::Account),
        RecordKind::ExtensionCall => Feed {
            kind: FeedKind::ExtensionCalls,
            mailbox: parsed
                .records
                .iter()
                .find_map(|record| Some(record.key.id.split_once('@')?.1.to_owned())),
        },
        _ => Feed::account_wide(FeedKind::CallLog),
    };
    Ok(ReadFile {
        feed,
        raw: parsed.stored_body,
        records: parsed.records,
        malformed: parsed.malformed.len(),
        account: parsed.account,
    })
}

/// Files name no account. Their records are keyed by the source alone: a row must be the same record whether the book
/// knew its account already or not, or it would be billed twice.
const PORTAL_ACCOUNT: &str = "portal";
pub(super) const USAGE_ACCOUNT: &str = "usage";

fn read_portal(name: &str, bytes: &[u8], zone: Zone, at: Instant) -> Result<ReadFile> {
    let records = portal_records(name, bytes, zone, at)?;
    let feed = Feed::account_wide(FeedKind::PortalCsv);
    Ok(ReadFile { feed, raw: bytes.to_vec(), records, malformed: 0, account: None })
}

/// The records of a portal file, whose times are local times of a zone.
pub(super) fn portal_records(name: &str, bytes: &[u8], zone: Zone, at: Instant) -> Result<Vec<SourceRecord>> {
    let records = portal_csv::read(bytes, zone, PORTAL_ACCOUNT).map_err(|mistakes| {
        let file = SourceFile { name: name.to_owned(), text: String::from_utf8_lossy(bytes).into_owned() };
        let diagnostics: Vec<Diagnostic> = mistakes
            .into_iter()
            .map(|mistake| {
                let message = format!("line {}, {}: {}", mistake.line, mistake.column, mistake.message);
                let diagnostic = Diagnostic::error("wrong-portal-file", name, None, message);
                match mistake.hint {
                    Some(hint) => diagnostic.hint(hint),
                    None => diagnostic,
                }
            })
            .collect();
        refuse(&diagnostics, &[file])
    })?;
    Ok(records.into_iter().map(|record| SourceRecord { observed: at, ..record }).collect())
}

fn read_usage(name: &str, bytes: &[u8], local: Option<&LocalTimes>, at: Instant) -> Result<ReadFile> {
    let rows = usage::read(name, bytes, local).map_err(|mistakes| refuse_table(&mistakes, name, bytes))?;
    let mut raw = Vec::new();
    let mut records = Vec::with_capacity(rows.len());
    for usage in rows {
        let record = usage_record(&with_segments(usage), USAGE_ACCOUNT, at);
        raw.extend_from_slice(record.json.as_bytes());
        raw.push(b'\n');
        records.push(record);
    }
    Ok(ReadFile { feed: Feed::account_wide(FeedKind::Usage), raw, records, malformed: 0, account: None })
}
