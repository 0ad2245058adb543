use super::*;
use crate::ringcentral::wire;

const HEADER: &str = "\"Type\",\"Direction\",\"From\",\"To\",\"Extension\",\"Forwarded To\",\"Name\",\"Date\",\"Time\",\"Action\",\"Action Result\",\"Result Description\",\"Duration\",\"Included\",\"Purchased\"";
const QUEUE: &str = "\"Voice\",\"Incoming\",\"(212) 555-0143\",\"(888) 555-0120\",\"200 - Support Queue\",\"\",\"NEW YORK NY  \",\"Mon 03/09/2026\",\"2:41 PM\",\"Phone Call\",\"Accepted\",\"The call connected.\",\"0:03:14\",\"0.137\",\"0.000\"
\"\",\"Outgoing\",\"(212) 555-0143\",\"101\",\"101 - Alice Moreau\",\"\",\"\",\"Mon 03/09/2026\",\"2:41 PM\",\"VoIP Call\",\"No Answer\",\"\",\"0:00:20\",\"\",\"\"
\"\",\"Outgoing\",\"(212) 555-0143\",\"102\",\"102 - Bob Tanaka\",\"\",\"\",\"Mon 03/09/2026\",\"2:41 PM\",\"VoIP Call\",\"Accepted\",\"\",\"0:02:48\",\"\",\"\"";
const OUTGOING: &str = "\"Voice\",\"Outgoing\",\"(650) 555-0101\",\"(310) 555-0177\",\"101 - Alice Moreau\",\"\",\"\",\"Mon 03/09/2026\",\"1:12 PM\",\"VoIP Call\",\"Call connected\",\"\",\"0:00:55\",\"\",\"\"";
const WRONG: &str = "\"Voice\",\"Outgoing\",\"(650) 555-0102\",\"(310) 555-0199\",\"102 - Bob Tanaka\",\"\",\"\",\"Mon 03/09/2026\",\"1:00 AM\",\"VoIP Call\",\"Wrong Number\",\"\",\"-\",\"\",\"\"";

fn pacific() -> Zone {
    Zone::from_name("America/Los_Angeles").unwrap()
}

fn read_text(text: &str) -> Result<Vec<SourceRecord>, Vec<Mistake>> {
    read(text.as_bytes(), pacific(), "42")
}

#[test]
fn a_detailed_download_is_one_record_for_each_call() {
    let text =
        format!("\u{feff}{HEADER}\r\n{}\r\n\r\n{OUTGOING}\r\n{WRONG}\r\n", QUEUE.replace('\n', "\r\n"));
    let records = read_text(&text).unwrap();
    assert_eq!(records.len(), 3);
    assert_eq!(records[0].start, Instant::parse("2026-03-09T21:41:00Z"));
    assert_eq!(records[0].key.kind, RecordKind::PortalCall);
    let call = wire::read_call(&records[0].json).unwrap();
    assert_eq!((call.kind.as_deref(), call.direction.as_deref()), (Some("Voice"), Some("Inbound")));
    assert_eq!((call.duration, call.result.as_deref()), (Some(194), Some("Accepted")));
    assert_eq!(call.from.as_ref().unwrap().name.as_deref(), Some("NEW YORK NY"));
    assert_eq!(call.from.unwrap().phone_number.as_deref(), Some("(212) 555-0143"));
    assert_eq!(call.extension.unwrap().extension_number.as_deref(), Some("200"));
    assert_eq!(call.billing.unwrap().cost_included.unwrap().to_string(), "0.137");
    let results: Vec<(Option<bool>, Option<&str>)> =
        call.legs.iter().map(|leg| (leg.master, leg.result.as_deref())).collect();
    assert_eq!(
        results,
        [(Some(true), Some("Accepted")), (Some(false), Some("No Answer")), (Some(false), Some("Accepted"))]
    );
    assert_eq!(call.portal.as_ref().unwrap().time.as_deref(), Some("2:41 PM"));
    let wrong = wire::read_call(&records[2].json).unwrap();
    assert_eq!((wrong.duration, wrong.legs.len(), wrong.is_finished()), (None, 0, true));
}

#[test]
fn equal_calls_stay_apart_and_a_second_download_has_the_same_ids() {
    let ids = |text: &str| -> Vec<String> {
        read_text(text).unwrap().into_iter().map(|record| record.key.id).collect()
    };
    let twice = ids(&format!("{HEADER}\n{OUTGOING}\n{OUTGOING}\n{WRONG}\n"));
    assert_ne!(twice[0], twice[1]);
    assert!(twice[0].starts_with("portal-"));
    let again = ids(&format!("{HEADER}\n{QUEUE}\n{OUTGOING}\n{OUTGOING}\n"));
    assert_eq!(again[1..], twice[..2]);
}

#[test]
fn headers_are_matched_loosely_and_columns_may_be_absent() {
    let text = "TYPE;direction;from;TO;Date;Time;Result;Length;Something\n\
                Voice;Incoming;7065;7066;2026-03-09;14:41;Missed;In Progress;x\n";
    let records = read_text(text).unwrap();
    let call = wire::read_call(&records[0].json).unwrap();
    assert_eq!(call.from.as_ref().unwrap().extension_number.as_deref(), Some("7065"));
    assert!(!call.is_finished());
    assert!(is_portal_csv(text.as_bytes()));
    assert!(!is_portal_csv(b"id,name,address\n1,2,3\n"));
}

#[test]
fn the_repeated_hour_is_marked() {
    let text = format!(
        "{HEADER}\n{}\n",
        OUTGOING.replace("Mon 03/09/2026", "Sun 11/01/2026").replace("1:12 PM", "1:12 AM")
    );
    let call = wire::read_call(&read_text(&text).unwrap()[0].json).unwrap();
    assert!(call.portal.unwrap().ambiguous_hour);
}

#[test]
fn all_mistakes_are_named_with_line_and_column() {
    let skipped = OUTGOING.replace("Mon 03/09/2026", "Sun 03/08/2026").replace("1:12 PM", "2:30 AM");
    let text = format!(
        "{HEADER}\n\n{}\n{}\n{skipped}\n{}\n",
        QUEUE.lines().nth(1).unwrap(),
        OUTGOING.replace("0:00:55", "soon").replace("Mon", "Tue"),
        WRONG.replace("1:00 AM", "dawn"),
    );
    let mistakes = read_text(&text).unwrap_err();
    let places: Vec<(u64, &str)> =
        mistakes.iter().map(|mistake| (mistake.line, mistake.column.as_str())).collect();
    assert_eq!(places, [(3, "Type"), (4, "Date"), (4, "Duration"), (5, "Time"), (6, "Time")]);
    assert!(mistakes.iter().all(|mistake| mistake.hint.is_some()));
    assert!(mistakes[3].message.contains("does not exist in America/Los_Angeles"), "{mistakes:?}");
}

#[test]
fn missing_columns_and_wrong_encodings_are_named() {
    let mistakes = read_text("Type,From,To,Date,Time,Result\n").unwrap_err();
    let columns: Vec<&str> = mistakes.iter().map(|mistake| mistake.column.as_str()).collect();
    assert_eq!(columns, ["Direction", "Duration"]);
    let latin = [HEADER.as_bytes(), b"\n\"Voice\",\"Incoming\",\"Ren\xe9\""].concat();
    let mistakes = read(&latin, pacific(), "42").unwrap_err();
    assert_eq!((mistakes[0].line, mistakes[0].column.as_str()), (2, "byte 24"));
    assert_eq!(mistakes[0].message, "byte 0xe9 is not UTF-8");
    for bytes in [&b"\xff\xfeT\0"[..], b"PK\x03\x04", b"", b"\xef\xbb\xbf\n\n"] {
        assert_eq!(read(bytes, pacific(), "42").unwrap_err().len(), 1, "{bytes:?}");
    }
    assert_eq!(read(HEADER.as_bytes(), pacific(), "42"), Ok(Vec::new()), "a day without calls");
}

#[test]
fn shifted_and_unclosed_cells_are_mistakes_not_values() {
    let shifted = OUTGOING.replace("\"VoIP Call\"", "VoIP, Call") + ",\"x\"";
    let mistakes = read_text(&format!("{HEADER}\n{WRONG}\n{shifted}\n")).unwrap_err();
    assert_eq!((mistakes[0].line, mistakes[0].message.as_str()), (3, "the row has 17 cells, the header 15"));
    let unclosed = OUTGOING.strip_suffix('"').unwrap();
    let mistakes = read_text(&format!("{HEADER}\n{unclosed}\n{WRONG}\n")).unwrap_err();
    assert_eq!((mistakes[0].line, mistakes[0].column.as_str()), (2, "Purchased"));
    assert!(mistakes[0].hint.as_deref().unwrap().contains("quotation mark"));
}

#[test]
fn a_damaged_byte_anywhere_is_a_mistake_or_a_record_but_no_panic() {
    let text = format!("{HEADER}\n{QUEUE}\n{OUTGOING}\n{WRONG}\n");
    for place in (0..text.len()).step_by(11) {
        for byte in [b'"', b'\n', b',', b'x', 0xc3] {
            let mut damaged = text.clone().into_bytes();
            damaged[place] = byte;
            let _ = read(&damaged, pacific(), "42");
        }
    }
}
