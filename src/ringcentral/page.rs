//! One response page: checked, its personal text replaced, and cut into records.
//!
//! Accepted are list and sync responses (`records`), a bare array, and a single record. Whatever is in a page is
//! kept: an element without an id becomes a record too, so that it is counted and can be suspended.

use std::fmt;

use serde_json::{Map, Value};

use super::json;
use super::material::material_hash;
use super::redact::Redaction;
use super::wire::{id_of, path_member};
use crate::domain::record::{RecordKey, RecordKind, SourceRecord};
use crate::domain::{Exit, Failure, Hash, Instant};

/// A body beyond this is refused: a full page of detailed calls is about 5 MB.
pub const BODY_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// Records beyond this on one page are refused: the service serves at most 1000.
pub const RECORD_LIMIT: usize = 10_000;

/// A page after redaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedPage {
    /// In the order served, malformed ones included.
    pub records: Vec<SourceRecord>,
    /// The whole body as it is stored.
    pub stored_body: Vec<u8>,
    /// Whether the page names a next one.
    pub has_next: bool,
    /// The number in the address of the next page: a hint, never an address to follow.
    pub next_page: Option<u32>,
    /// The page's own number and size, where it says so.
    pub page: Option<u32>,
    pub per_page: Option<u32>,
    /// What an answer of a feed of changes says besides its records.
    pub sync: Option<SyncInfo>,
    /// Starts of the calls on the page that have not ended.
    pub unfinished: Vec<Instant>,
    /// The account that the page itself names.
    pub account: Option<String>,
    pub malformed: Vec<Malformed>,
}

/// How far an answer of a feed of changes has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncInfo {
    pub token: String,
    /// More has changed than the answer holds.
    pub newer_records_exist: bool,
    /// The answer was cut: older records of the frame are missing.
    pub older_records_exist: bool,
}

/// An element of a page that is no record; it is in [`ParsedPage::records`] under a made-up id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Its place on the page, from 0.
    pub index: usize,
    /// Its id in the book: `malformed-` and a hash.
    pub id: String,
    pub reason: &'static str,
}

/// Why a page cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageError {
    /// More than [`BODY_LIMIT_BYTES`].
    TooLarge { bytes: usize },
    /// More than [`RECORD_LIMIT`].
    TooManyRecords { records: usize },
    /// Nested too deeply, at this byte.
    TooDeep { byte: usize },
    /// The body ends in the middle, at this byte.
    CutShort { byte: usize },
    /// Not JSON, at this byte.
    NotJson { byte: usize },
    /// Not UTF-8, at this byte.
    NotUtf8 { byte: usize },
    /// JSON, but neither a list of records nor a record.
    NoRecords,
    /// Neither the page nor the caller names the account.
    NoAccount,
}

impl PageError {
    /// Whether asking again may help: the body was damaged on its way.
    pub fn is_damage(&self) -> bool {
        matches!(self, PageError::CutShort { .. } | PageError::NotJson { .. } | PageError::NotUtf8 { .. })
    }

    /// As a failure with the exit code of where the page came from.
    pub fn into_failure(self, exit: Exit) -> Failure {
        let failure = Failure::new(exit, self.to_string());
        match self {
            PageError::CutShort { .. } => failure.hint("The page is not complete; fetch or save it again."),
            PageError::NoRecords => {
                failure.hint("A page is a list response, a sync response, or one record.")
            }
            PageError::NoAccount => failure.hint("Name the account the records belong to."),
            _ => failure,
        }
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PageError::TooLarge { bytes } => {
                write!(formatter, "the page has {bytes} bytes, more than the limit of {BODY_LIMIT_BYTES}")
            }
            PageError::TooManyRecords { records } => {
                write!(formatter, "the page has {records} records, more than the limit of {RECORD_LIMIT}")
            }
            PageError::TooDeep { byte } => {
                write!(formatter, "the page nests deeper than {} levels at byte {byte}", json::DEPTH_LIMIT)
            }
            PageError::CutShort { byte } => write!(formatter, "the page is cut short at byte {byte}"),
            PageError::NotJson { byte } => write!(formatter, "the page is not JSON at byte {byte}"),
            PageError::NotUtf8 { byte } => write!(formatter, "the page is not UTF-8 at byte {byte}"),
            PageError::NoRecords => formatter.write_str("the page holds no list of records and is no record"),
            PageError::NoAccount => formatter.write_str("the page does not name its account"),
        }
    }
}

impl std::error::Error for PageError {}

/// Reads one page.
///
/// `account_hint` is the account of the run or of the import; without it the page must name one itself. Records are
/// keyed by the hint when it is given; whether the page's own account differs is the caller's to judge.
pub fn parse_page(
    kind: RecordKind,
    body: &[u8],
    settings: &Redaction,
    observed: Instant,
    account_hint: Option<&str>,
) -> Result<ParsedPage, PageError> {
    let mut page = read_body(body)?;
    let account = account_of(kind, &page);
    let (has_next, next_page) = next_of(&page);
    let taken = take_records(&mut page)?;
    if taken.len() > RECORD_LIMIT {
        return Err(PageError::TooManyRecords { records: taken.len() });
    }
    let key_account =
        account_hint.map(str::to_owned).or_else(|| account.clone()).ok_or(PageError::NoAccount)?;
    let mut records = Vec::with_capacity(taken.len());
    let mut malformed = Vec::new();
    let mut unfinished = Vec::new();
    for (index, mut element) in taken.into_iter().enumerate() {
        settings.apply(kind, &mut element);
        let (record, reason) = record_of(kind, &element, &key_account, observed);
        if let Some(reason) = reason {
            malformed.push(Malformed { index, id: record.key.id.clone(), reason });
        }
        if kind == RecordKind::Call && !is_finished(&element) {
            unfinished.extend(record.start);
        }
        records.push(record);
    }
    let stored_body = stored(&page, &records).into_bytes();
    let said = |member: &str| {
        let number = page.get("paging").and_then(|paging| paging.get(member)).and_then(Value::as_u64)?;
        u32::try_from(number).ok()
    };
    Ok(ParsedPage {
        stored_body,
        has_next,
        next_page,
        page: said("page"),
        per_page: said("perPage"),
        sync: sync_of(&page),
        unfinished,
        account,
        malformed,
        records,
    })
}

/// The record a JSON value is, as it would be cut from a page.
pub(crate) fn record_of(
    kind: RecordKind,
    element: &Value,
    account: &str,
    observed: Instant,
) -> (SourceRecord, Option<&'static str>) {
    let json = json::sorted(element);
    let version = Hash::of(json.as_bytes());
    let id = element.get("id").and_then(id_of);
    let reason = match (element, &id) {
        (Value::Object(_), Some(_)) => None,
        (Value::Object(_), None) => Some("the record has no id"),
        _ => Some("the element is not a record"),
    };
    let time = |member: &str| element.get(member).and_then(Value::as_str).and_then(Instant::parse);
    let start = match kind {
        RecordKind::Call | RecordKind::ExtensionCall | RecordKind::PortalCall => time("startTime"),
        RecordKind::Message => time("creationTime"),
        RecordKind::Extension | RecordKind::Account | RecordKind::Usage => None,
    };
    let deleted_upstream = is_deleted(element);
    let record = SourceRecord {
        key: RecordKey {
            account: account.to_owned(),
            kind,
            id: id.unwrap_or_else(|| format!("malformed-{}", version.short())),
        },
        version,
        material: material_hash(kind, element, deleted_upstream),
        start,
        last_modified: time("lastModifiedTime"),
        observed,
        deleted_upstream,
        json,
    };
    (record, reason)
}

/// What a file holds, by its shape; `None` when it is nothing known.
pub fn detect_kind(body: &[u8]) -> Option<RecordKind> {
    let page = read_body(body).ok()?;
    let sample = match &page {
        Value::Array(items) => items.first(),
        Value::Object(members) => match members.get("records") {
            Some(Value::Array(items)) => items.iter().find(|item| kind_of_record(item).is_some()),
            _ => Some(&page),
        },
        _ => None,
    };
    sample.and_then(kind_of_record).or_else(|| kind_of_address(page.get("uri")?.as_str()?))
}

fn kind_of_record(record: &Value) -> Option<RecordKind> {
    let has = |key: &str| record.get(key).is_some();
    if has("mainNumber") || has("serviceInfo") {
        Some(RecordKind::Account)
    } else if has("sessionId") || has("telephonySessionId") || (has("startTime") && has("action")) {
        Some(RecordKind::Call)
    } else if has("messageStatus") || has("availability") || (has("creationTime") && has("readStatus")) {
        Some(RecordKind::Message)
    } else if has("extensionNumber") || (has("status") && has("type") && has("name")) {
        Some(RecordKind::Extension)
    } else {
        None
    }
}

fn kind_of_address(uri: &str) -> Option<RecordKind> {
    let path = uri.split('?').next().unwrap_or(uri);
    if path.contains("/call-log") {
        Some(RecordKind::Call)
    } else if path.contains("/message-store") || path.contains("/message-sync") {
        Some(RecordKind::Message)
    } else if path.contains("/extension") {
        Some(RecordKind::Extension)
    } else {
        None
    }
}

fn read_body(body: &[u8]) -> Result<Value, PageError> {
    if body.len() > BODY_LIMIT_BYTES {
        return Err(PageError::TooLarge { bytes: body.len() });
    }
    let text = std::str::from_utf8(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).map_err(|error| {
        let byte =
            body.len() - body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).len() + error.valid_up_to();
        // A cut inside a character is a cut, not another encoding.
        if error.error_len().is_none() { PageError::CutShort { byte } } else { PageError::NotUtf8 { byte } }
    })?;
    if let Some(byte) = json::too_deep_at(text.as_bytes()) {
        return Err(PageError::TooDeep { byte });
    }
    serde_json::from_str(text).map_err(|error| {
        if error.is_eof() {
            PageError::CutShort { byte: body.len() }
        } else {
            let skipped = body.len() - text.len();
            PageError::NotJson {
                byte: skipped + json::byte_of(text.as_bytes(), error.line(), error.column()),
            }
        }
    })
}

/// Takes the records out of a page; what stays is the frame they are put back into.
fn take_records(page: &mut Value) -> Result<Vec<Value>, PageError> {
    match page {
        Value::Array(items) => Ok(std::mem::take(items)),
        Value::Object(members) if members.contains_key("records") => match members.get_mut("records") {
            Some(Value::Array(items)) => Ok(std::mem::take(items)),
            _ => Err(PageError::NoRecords),
        },
        Value::Object(members) if members.contains_key("id") => {
            Ok(vec![Value::Object(std::mem::take(members))])
        }
        _ => Err(PageError::NoRecords),
    }
}

/// The page as stored: the frame with the records' own stored texts in their place.
fn stored(frame: &Value, records: &[SourceRecord]) -> String {
    let mut list =
        String::with_capacity(records.iter().map(|record| record.json.len() + 1).sum::<usize>() + 2);
    list.push('[');
    for (index, record) in records.iter().enumerate() {
        if index > 0 {
            list.push(',');
        }
        list.push_str(&record.json);
    }
    list.push(']');
    match frame {
        Value::Object(members) if members.is_empty() => {
            records.first().map_or_else(|| "{}".to_owned(), |record| record.json.clone())
        }
        Value::Object(members) => stored_frame(members, &list),
        _ => list,
    }
}

fn stored_frame(members: &Map<String, Value>, list: &str) -> String {
    let mut keys: Vec<&String> = members.keys().collect();
    keys.sort_unstable();
    let mut out = String::with_capacity(list.len() + 1024);
    out.push('{');
    for (index, key) in keys.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        json::write_text(key, &mut out);
        out.push(':');
        if key == "records" { out.push_str(list) } else { json::write_sorted(&members[key], &mut out) }
    }
    out.push('}');
    out
}

fn account_of(kind: RecordKind, page: &Value) -> Option<String> {
    if kind == RecordKind::Account {
        return page.get("id").and_then(id_of);
    }
    let named = |value: &Value| path_member(value.get("uri")?.as_str()?, "/account/").map(str::to_owned);
    let records = page.get("records").unwrap_or(page).as_array();
    named(page).or_else(|| records?.iter().find_map(named))
}

fn next_of(page: &Value) -> (bool, Option<u32>) {
    let Some(next) = page.get("navigation").and_then(|navigation| navigation.get("nextPage")) else {
        return (false, None);
    };
    let number = next.get("uri").and_then(Value::as_str).and_then(|uri| {
        let query = uri.split_once('?')?.1;
        query.split('&').find_map(|pair| pair.strip_prefix("page=")?.parse().ok())
    });
    (!next.is_null(), number)
}

fn sync_of(page: &Value) -> Option<SyncInfo> {
    let said = page.get("syncInfo")?;
    let flag = |name: &str| said.get(name).and_then(Value::as_bool) == Some(true);
    Some(SyncInfo {
        token: said.get("syncToken").and_then(Value::as_str).filter(|token| !token.is_empty())?.to_owned(),
        newer_records_exist: flag("newerRecordsExist"),
        older_records_exist: flag("olderRecordsExist"),
    })
}

/// Older back ends do not say `finished`; then only the result tells.
fn is_finished(call: &Value) -> bool {
    let result = call.get("result").and_then(Value::as_str);
    call.get("finished").and_then(Value::as_bool) != Some(false)
        && !result.is_some_and(|result| result.eq_ignore_ascii_case("In Progress"))
}

/// Deleted calls are marked; deleted and purged messages carry their availability.
fn is_deleted(record: &Value) -> bool {
    let marked = record.get("deleted").and_then(Value::as_bool) == Some(true);
    let availability = record.get("availability").and_then(Value::as_str);
    marked || availability.is_some_and(|value| !value.eq_ignore_ascii_case("Alive"))
}

#[cfg(test)]
mod tests;
