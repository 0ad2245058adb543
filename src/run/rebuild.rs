//! Rebuilding: how records are cut again from what the book keeps raw.

use crate::book::{Book, RawImport, RawSource, Rebuilt};
use crate::domain::record::{FeedKind, RecordKind, SourceRecord};
use crate::domain::{Exit, Failure, Instant, Result, Zone};
use crate::ringcentral::page::parse_page;
use crate::ringcentral::redact::Redaction;

use super::facts::{codec, usage_from_json, usage_record};
use super::import::{USAGE_ACCOUNT, portal_records};

/// Compares everything derived with what follows from the raw pages and files; nothing is written.
///
/// # Errors
/// A book that cannot be read; a page or file that no longer gives records (exit 7).
pub fn check(book: &Book, zone: Zone) -> Result<Rebuilt> {
    let account = book.identity().account.clone();
    book.check_rebuild(&mut |source| cut(source, account.as_deref(), zone), &codec())
}

/// Makes everything derived again. The caller holds the book's lock. `zone` is that of the portal's files.
///
/// # Errors
/// As [`check`]; and versions that are nowhere any more (exit 7), when nothing is written.
pub fn rebuild(book: &mut Book, zone: Zone, at: Instant) -> Result<Rebuilt> {
    let account = book.identity().account.clone();
    let rebuilt = book.rebuild(&mut |source| cut(source, account.as_deref(), zone), at, &codec())?;
    book.checkpoint()?;
    Ok(rebuilt)
}

fn cut(source: RawSource<'_>, account: Option<&str>, zone: Zone) -> Result<Vec<SourceRecord>> {
    match source {
        RawSource::Page(page) => match page.window.feed.record_kind() {
            Some(kind) => cut_page(kind, &page.body, page.observed, account),
            None => Ok(Vec::new()),
        },
        RawSource::Import(import) => cut_import(import, account, zone),
    }
}

/// What is stored has its personal text replaced; what was kept as served stays so.
fn cut_page(
    kind: RecordKind,
    body: &[u8],
    observed: Instant,
    account: Option<&str>,
) -> Result<Vec<SourceRecord>> {
    let as_stored = Redaction { key: [0; 32], keep_text: true };
    parse_page(kind, body, &as_stored, observed, account)
        .map(|parsed| parsed.records)
        .map_err(|error| error.into_failure(Exit::Verification))
}

fn cut_import(import: &RawImport, account: Option<&str>, zone: Zone) -> Result<Vec<SourceRecord>> {
    let at = import.observed;
    match import.feed.kind {
        FeedKind::Usage => {
            let unreadable = || Failure::new(Exit::Verification, "a line is not a usage row");
            let text = std::str::from_utf8(&import.raw).map_err(|_| unreadable())?;
            text.lines()
                .map(|line| {
                    let row = usage_from_json(line).ok_or_else(unreadable)?;
                    Ok(usage_record(&row, USAGE_ACCOUNT, at))
                })
                .collect()
        }
        FeedKind::PortalCsv => portal_records(&import.source_name, &import.raw, zone, at),
        _ => cut_page(import.feed.record_kind().unwrap_or(RecordKind::Call), &import.raw, at, account),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::{Feed, PullWindow, RawPage};
    use crate::domain::time::Span;

    fn stored(kind: RecordKind, body: &str, settings: &Redaction) -> (Vec<u8>, Vec<SourceRecord>) {
        let at = Instant::from_milliseconds(5);
        let parsed = parse_page(kind, body.as_bytes(), settings, at, Some("1")).unwrap();
        (parsed.stored_body, parsed.records)
    }

    #[test]
    fn a_stored_page_gives_the_records_that_it_gave() {
        let body = r#"{"syncInfo":{"syncType":"FSync"},"records":[
            {"id":7,"type":"SMS","direction":"Outbound","creationTime":"2026-10-01T00:00:00Z","subject":"See you",
             "attachments":[{"fileName":"a.txt"}],"n":1.50},
            {"id":8,"type":"Fax","direction":"Inbound","subject":"+12125550166","messageStatus":"Received"},
            {"id":9,"subject":{"hash":"no replacement"}}, "no record", {"noId":true}, null, {"id":10,"subject":null}]}"#;
        let window = |feed| PullWindow { feed, span: Span::ALWAYS };
        for keep_text in [false, true] {
            let settings = Redaction { key: [7; 32], keep_text };
            let (body, records) = stored(RecordKind::Message, body, &settings);
            let page = RawPage {
                window: window(Feed::mailbox("3")),
                page: 1,
                listing: 1,
                body,
                observed: Instant::from_milliseconds(5),
            };
            assert_eq!(
                cut(RawSource::Page(&page), Some("1"), Zone::from_name("UTC").unwrap()).unwrap(),
                records
            );
            let evidence =
                RawPage { window: window(Feed::account_wide(FeedKind::ActiveCalls)), ..page.clone() };
            assert_eq!(cut(RawSource::Page(&evidence), None, Zone::from_name("UTC").unwrap()).unwrap(), []);
        }
        let settings = Redaction { key: [7; 32], keep_text: false };
        let extension = r#"{"uri":"https://x/restapi/v1.0/account/1/extension","records":[{"id":1,"contact":{"email":"a@b","firstName":"A"}}]}"#;
        let (body, records) = stored(RecordKind::Extension, extension, &settings);
        assert_eq!(
            cut_page(RecordKind::Extension, &body, Instant::from_milliseconds(5), None).unwrap(),
            records
        );
    }
}
