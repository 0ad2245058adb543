//! One response page: checked, its personal text replaced, and cut into records.
//!
//! Accepted are list and sync responses (`records`), a bare array, and a single record. Whatever is in a page is
//! kept: an element without an id becomes a record too, so that it is counted and can be suspended.

use std::fmt;

use super::json::{self, Value};
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
    let text = text_of(body)?;
    let mut page = read_text(text, body.len() - text.len())?;
    let account = account_of(kind, &page);
    let (has_next, next_page) = next_of(&page);
    let taken = take_records(&mut page)?;
    if taken.len() > RECORD_LIMIT {
        return Err(PageError::TooManyRecords { records: taken.len() });
    }
    let key_account =
        account_hint.map(str::to_owned).or_else(|| account.clone()).ok_or(PageError::NoAccount)?;
    let mut cut = Cut {
        kind,
        settings,
        observed,
        account: &key_account,
        records: Vec::with_capacity(taken.len()),
        malformed: Vec::new(),
        unfinished: Vec::new(),
        buffer: String::new(),
    };
    let mut stored_body = String::with_capacity(text.len() + 1024);
    store(&page, taken, &mut cut, &mut stored_body);
    let Cut { records, malformed, unfinished, .. } = cut;
    let said = |member: &str| {
        let number = page.get("paging").and_then(|paging| paging.get(member)).and_then(Value::as_u64)?;
        u32::try_from(number).ok()
    };
    Ok(ParsedPage {
        stored_body: stored_body.into_bytes(),
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

/// Cutting a page into its records while it is written as it is stored.
struct Cut<'s> {
    kind: RecordKind,
    settings: &'s Redaction,
    observed: Instant,
    account: &'s str,
    records: Vec<SourceRecord>,
    malformed: Vec<Malformed>,
    unfinished: Vec<Instant>,
    buffer: String,
}

impl Cut<'_> {
    fn take(&mut self, mut element: Value<'_>, out: &mut String) {
        self.settings.apply(self.kind, &mut element);
        let start = out.len();
        json::write_sorted(&element, out);
        let (record, reason) =
            record_as(self.kind, &element, &out[start..], self.account, self.observed, &mut self.buffer);
        if let Some(reason) = reason {
            let index = self.records.len();
            self.malformed.push(Malformed { index, id: record.key.id.clone(), reason });
        }
        if self.kind == RecordKind::Call && !is_finished(&element) {
            self.unfinished.extend(record.start);
        }
        self.records.push(record);
    }
}

/// Writes the page as it is stored: its frame with sorted keys, its records in their place.
fn store(frame: &Value<'_>, taken: Vec<Value<'_>>, cut: &mut Cut<'_>, out: &mut String) {
    match frame {
        Value::Object(members) if members.is_empty() => {
            taken.into_iter().for_each(|element| cut.take(element, out));
        }
        Value::Object(members) => {
            let mut taken = Some(taken);
            let mut before = '{';
            for member in members.iter() {
                out.push(before);
                before = ',';
                json::write_text(&member.key, out);
                out.push(':');
                match (&*member.key, taken.take_if(|_| *member.key == *"records")) {
                    ("records", Some(taken)) => store_list(taken, cut, out),
                    _ => json::write_sorted(&member.value, out),
                }
            }
            out.push('}');
        }
        _ => store_list(taken, cut, out),
    }
}

fn store_list(taken: Vec<Value<'_>>, cut: &mut Cut<'_>, out: &mut String) {
    out.push('[');
    for (index, element) in taken.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        cut.take(element, out);
    }
    out.push(']');
}

/// The record a JSON value is, as it would be cut from a page.
pub(crate) fn record_of(
    kind: RecordKind,
    element: &Value<'_>,
    account: &str,
    observed: Instant,
) -> (SourceRecord, Option<&'static str>) {
    record_as(kind, element, &json::sorted(element), account, observed, &mut String::new())
}

/// The record a JSON value is that was written as `json`.
fn record_as(
    kind: RecordKind,
    element: &Value<'_>,
    json: &str,
    account: &str,
    observed: Instant,
    buffer: &mut String,
) -> (SourceRecord, Option<&'static str>) {
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
            id: id.map_or_else(|| format!("malformed-{}", version.short()), |id| key_id(kind, id, element)),
        },
        version,
        material: material_hash(kind, element, deleted_upstream, buffer),
        start,
        last_modified: time("lastModifiedTime"),
        observed,
        deleted_upstream,
        json: json.to_owned(),
    };
    (record, reason)
}

/// The logs of two extensions may show one call under one id: each view is a record of its own.
fn key_id(kind: RecordKind, id: String, element: &Value<'_>) -> String {
    let address = element.get("uri").and_then(Value::as_str).filter(|_| kind == RecordKind::ExtensionCall);
    match address.and_then(|uri| path_member(uri, "/extension/")) {
        Some(extension) => format!("{id}@{extension}"),
        None => id,
    }
}

/// What a file holds, by its shape; `None` when it is nothing known.
pub fn detect_kind(body: &[u8]) -> Option<RecordKind> {
    let page = read_text(text_of(body).ok()?, 0).ok()?;
    let sample = match &page {
        Value::Array(items) => items.first(),
        Value::Object(members) => match members.get("records") {
            Some(Value::Array(items)) => items.iter().find(|item| kind_of_record(item).is_some()),
            _ => Some(&page),
        },
        _ => None,
    };
    let address = |value: &Value<'_>| value.get("uri").and_then(Value::as_str).map(str::to_owned);
    let named = address(&page).or_else(|| address(sample?));
    let kind = sample.and_then(kind_of_record).or_else(|| kind_of_address(named.as_deref()?))?;
    let of_extension = named.is_some_and(|uri| uri.contains("/call-log") && uri.contains("/extension/"));
    Some(if kind == RecordKind::Call && of_extension { RecordKind::ExtensionCall } else { kind })
}

fn kind_of_record(record: &Value<'_>) -> Option<RecordKind> {
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

fn text_of(body: &[u8]) -> Result<&str, PageError> {
    if body.len() > BODY_LIMIT_BYTES {
        return Err(PageError::TooLarge { bytes: body.len() });
    }
    let bytes = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    std::str::from_utf8(bytes).map_err(|error| {
        let byte = body.len() - bytes.len() + error.valid_up_to();
        // A cut inside a character is a cut, not another encoding.
        if error.error_len().is_none() { PageError::CutShort { byte } } else { PageError::NotUtf8 { byte } }
    })
}

/// Reads the text of a body from the byte `skipped` on.
fn read_text(text: &str, skipped: usize) -> Result<Value<'_>, PageError> {
    json::read(text).map_err(|error| match json::too_deep_at(text.as_bytes()) {
        Some(byte) => PageError::TooDeep { byte },
        None if error.is_eof() => PageError::CutShort { byte: skipped + text.len() },
        None => PageError::NotJson {
            byte: skipped + json::byte_of(text.as_bytes(), error.line(), error.column()),
        },
    })
}

/// Takes the records out of a page; what stays is the frame they are put back into.
fn take_records<'a>(page: &mut Value<'a>) -> Result<Vec<Value<'a>>, PageError> {
    match page {
        Value::Array(items) => Ok(std::mem::take(items)),
        Value::Object(members) if members.get("records").is_some() => match members.get_mut("records") {
            Some(Value::Array(items)) => Ok(std::mem::take(items)),
            _ => Err(PageError::NoRecords),
        },
        Value::Object(members) if members.get("id").is_some() => {
            Ok(vec![Value::Object(std::mem::take(members))])
        }
        _ => Err(PageError::NoRecords),
    }
}

fn account_of(kind: RecordKind, page: &Value<'_>) -> Option<String> {
    if kind == RecordKind::Account {
        return page.get("id").and_then(id_of);
    }
    let named = |value: &Value<'_>| path_member(value.get("uri")?.as_str()?, "/account/").map(str::to_owned);
    let records = page.get("records").unwrap_or(page).as_array();
    named(page).or_else(|| records?.iter().find_map(named))
}

fn next_of(page: &Value<'_>) -> (bool, Option<u32>) {
    let Some(next) = page.get("navigation").and_then(|navigation| navigation.get("nextPage")) else {
        return (false, None);
    };
    let number = next.get("uri").and_then(Value::as_str).and_then(|uri| {
        let query = uri.split_once('?')?.1;
        query.split('&').find_map(|pair| pair.strip_prefix("page=")?.parse().ok())
    });
    (!next.is_null(), number)
}

fn sync_of(page: &Value<'_>) -> Option<SyncInfo> {
    let said = page.get("syncInfo")?;
    let flag = |name: &str| said.get(name).and_then(Value::as_bool) == Some(true);
    Some(SyncInfo {
        token: said.get("syncToken").and_then(Value::as_str).filter(|token| !token.is_empty())?.to_owned(),
        newer_records_exist: flag("newerRecordsExist"),
        older_records_exist: flag("olderRecordsExist"),
    })
}

/// Older back ends do not say `finished`; then only the result tells.
fn is_finished(call: &Value<'_>) -> bool {
    let result = call.get("result").and_then(Value::as_str);
    call.get("finished").and_then(Value::as_bool) != Some(false)
        && !result.is_some_and(|result| result.eq_ignore_ascii_case("In Progress"))
}

/// Deleted calls are marked; deleted and purged messages carry their availability.
fn is_deleted(record: &Value<'_>) -> bool {
    let marked = record.get("deleted").and_then(Value::as_bool) == Some(true);
    let availability = record.get("availability").and_then(Value::as_str);
    marked || availability.is_some_and(|value| !value.eq_ignore_ascii_case("Alive"))
}

#[cfg(test)]
mod tests;
