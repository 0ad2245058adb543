use super::*;
use crate::ringcentral::wire;

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/fixtures/ringcentral/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn redaction() -> Redaction {
    Redaction { key: [1; 32], keep_text: false }
}

fn at() -> Instant {
    Instant::parse("2026-03-10T00:00:00Z").unwrap()
}

fn parse(kind: RecordKind, body: &[u8]) -> Result<ParsedPage, PageError> {
    parse_page(kind, body, &redaction(), at(), None)
}

fn page_fixtures() -> Vec<String> {
    let folder = format!("{}/fixtures/ringcentral", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            ["call-log", "message-s", "extension-list", "account-info"]
                .iter()
                .any(|start| name.starts_with(start))
                && !name.contains("report")
                && !name.contains("bulk")
        })
        .collect();
    names.sort();
    names
}

#[test]
fn every_sample_is_read_and_every_record_reads_back() {
    let names = page_fixtures();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let body = fixture(&name);
        let kind = detect_kind(&body).unwrap_or_else(|| panic!("{name}: kind not detected"));
        let of_extension = name.contains("internal-extension") || name.contains("ringout");
        assert_eq!(kind == RecordKind::ExtensionCall, of_extension, "{name}");
        let page = parse(kind, &body).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(page.malformed.is_empty(), "{name}");
        assert_eq!(page.account.as_deref(), Some("400131426008"), "{name}");
        for record in &page.records {
            assert_eq!(record.version, Hash::of(record.json.as_bytes()));
            match kind {
                RecordKind::Call => {
                    let call = wire::read_call(&record.json).unwrap();
                    assert_eq!(call.id.as_deref(), Some(record.key.id.as_str()));
                    assert!(record.start.is_some() || call.deleted == Some(true), "{name} {}", record.key.id);
                }
                RecordKind::ExtensionCall => {
                    let call = wire::read_call(&record.json).unwrap();
                    let (id, extension) = record.key.id.split_once('@').unwrap();
                    assert_eq!(call.id.as_deref(), Some(id));
                    assert!(extension.starts_with("4001314"), "{extension}");
                }
                RecordKind::Message => {
                    let message = wire::read_message(&record.json).unwrap();
                    assert_eq!(record.start.is_none(), message.is_stub(), "{name} {}", record.key.id);
                    assert!(
                        !matches!(&message.subject, Some(wire::MessageText::Kept(text)) if !text.starts_with('+'))
                    );
                }
                RecordKind::Extension => assert!(wire::read_extension(&record.json).unwrap().kind.is_some()),
                _ => assert!(wire::read_account(&record.json).unwrap().main_number.is_some()),
            }
        }
    }
}

#[test]
fn a_stored_page_reads_to_the_same_records() {
    for name in page_fixtures() {
        let body = fixture(&name);
        let kind = detect_kind(&body).unwrap();
        let page = parse(kind, &body).unwrap();
        let again = parse(kind, &page.stored_body).unwrap();
        assert_eq!(again, page, "{name}");
    }
}

#[test]
fn numbers_are_stored_with_the_characters_served() {
    let body = br#"{"records":[{"id":"A","uri":"/account/1/x","billing":{"costIncluded":0.1370},"conversationId":8031152018338945839}]}"#;
    let page = parse(RecordKind::Call, body).unwrap();
    assert!(page.records[0].json.contains("0.1370"));
    assert!(String::from_utf8(page.stored_body).unwrap().contains("8031152018338945839"));
}

#[test]
fn the_end_of_a_listing_is_the_absence_of_a_next_page() {
    let first = parse(RecordKind::Call, &fixture("call-log-account-simple-page1-200.json")).unwrap();
    assert_eq!((first.has_next, first.next_page), (true, Some(2)));
    for name in ["call-log-account-simple-page2-last-200.json", "call-log-empty-page-200.json"] {
        let last = parse(RecordKind::Call, &fixture(name)).unwrap();
        assert_eq!((last.has_next, last.next_page), (false, None), "{name}");
    }
    let null = br#"{"uri":"/account/1/call-log","records":[],"navigation":{"nextPage":null}}"#;
    assert!(!parse(RecordKind::Call, null).unwrap().has_next);
}

#[test]
fn deleted_and_purged_messages_are_noted() {
    let page = parse(RecordKind::Message, &fixture("message-sync-isync-200.json")).unwrap();
    let gone: Vec<&str> = page
        .records
        .iter()
        .filter(|record| record.deleted_upstream)
        .map(|record| record.key.id.as_str())
        .collect();
    assert_eq!(gone, ["9733435001016", "9733401001016"]);
    assert!(!String::from_utf8(page.stored_body).unwrap().contains("appointment"));
}

#[test]
fn text_is_kept_only_when_asked() {
    let body = fixture("message-store-sms-list-200.json");
    let keep = Redaction { key: [1; 32], keep_text: true };
    let kept = parse_page(RecordKind::Message, &body, &keep, at(), None).unwrap();
    let replaced = parse(RecordKind::Message, &body).unwrap();
    assert!(kept.records[0].json.contains("appointment"));
    assert!(!replaced.records[0].json.contains("appointment"));
    let name = String::from_utf8(replaced.stored_body).unwrap();
    assert!(!name.contains("map.jpg"));
    assert_eq!(
        kept.records[0].material, replaced.records[0].material,
        "keeping text changes nothing material"
    );
}

#[test]
fn what_is_no_record_is_kept_and_named() {
    let body = br#"{"uri":"/account/1/call-log","records":["text",{"type":"Voice"},{"id":"A"},null]}"#;
    let page = parse(RecordKind::Call, body).unwrap();
    assert_eq!(page.records.len(), 4);
    let places: Vec<usize> = page.malformed.iter().map(|malformed| malformed.index).collect();
    assert_eq!(places, [0, 1, 3]);
    assert!(page.records[1].key.id.starts_with("malformed-"));
    assert_eq!(page.records[2].key.id, "A");
    let message = br#"{"uri":"/account/1/message-store","records":["private words"]}"#;
    let page = parse(RecordKind::Message, message).unwrap();
    assert!(!String::from_utf8(page.stored_body).unwrap().contains("private"));
}

#[test]
fn a_page_cut_anywhere_is_an_error_that_says_where() {
    let body = fixture("call-log-in-progress-200.json");
    let end = body.iter().rposition(|byte| *byte == b'}').unwrap();
    for cut in (0..=end).step_by(7) {
        let error = parse(RecordKind::Call, &body[..cut]).unwrap_err();
        assert_eq!(error, PageError::CutShort { byte: cut });
        assert!(error.is_damage());
    }
}

#[test]
fn unreadable_pages_are_named() {
    assert_eq!(parse(RecordKind::Call, b"{\"records\": oops}"), Err(PageError::NotJson { byte: 12 }));
    assert_eq!(parse(RecordKind::Call, b"{\"id\":\"\xff\xff\"}"), Err(PageError::NotUtf8 { byte: 7 }));
    assert_eq!(parse(RecordKind::Call, b"\"text\""), Err(PageError::NoRecords));
    assert_eq!(parse(RecordKind::Call, b"{\"errorCode\":\"CMN-102\"}"), Err(PageError::NoRecords));
    assert_eq!(parse(RecordKind::Call, b"{\"records\":[]}"), Err(PageError::NoAccount));
    let deep = [b"{\"records\":".to_vec(), b"[".repeat(80)].concat();
    assert_eq!(parse(RecordKind::Call, &deep), Err(PageError::TooDeep { byte: 74 }));
    let many = format!("{{\"uri\":\"/account/1/x\",\"records\":[{}0]}}", "0,".repeat(RECORD_LIMIT));
    assert_eq!(
        parse(RecordKind::Call, many.as_bytes()),
        Err(PageError::TooManyRecords { records: RECORD_LIMIT + 1 })
    );
    let large = vec![b' '; BODY_LIMIT_BYTES + 1];
    assert_eq!(parse(RecordKind::Call, &large), Err(PageError::TooLarge { bytes: BODY_LIMIT_BYTES + 1 }));
}

#[test]
fn a_damaged_byte_anywhere_is_an_error_or_a_page_but_no_panic() {
    let body = fixture("message-sync-isync-200.json");
    for place in (0..body.len()).step_by(23) {
        for byte in [b'"', b'}', b'0', 0xff] {
            let mut damaged = body.clone();
            damaged[place] = byte;
            if let Ok(page) = parse(RecordKind::Message, &damaged) {
                for record in page.records {
                    let _ = wire::read_message(&record.json);
                }
            }
        }
    }
}

#[test]
fn unusual_numbers_keep_their_digits() {
    let body =
        br#"{"id":"A","uri":"/account/1/x","n":[1E+5,1e5,-0,0.10,1e400,123456789012345678901234567890.50]}"#;
    let page = parse(RecordKind::Call, body).unwrap();
    let stored = "[1e+5,1e+5,-0,0.10,1e+400,123456789012345678901234567890.50]";
    assert!(page.records[0].json.contains(stored), "{}", page.records[0].json);
}
