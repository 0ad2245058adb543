//! Finalised documents.

use chrono::NaiveDate;

use super::*;
use crate::book::NewDocument;

fn invoice(sequence: u64, contact: &str, events: &[&str]) -> NewDocument {
    NewDocument {
        series: "INV".to_owned(),
        sequence,
        number: format!("INV-{sequence:06}"),
        contact_id: contact.to_owned(),
        period_key: "2026-10".to_owned(),
        kind: "invoice".to_owned(),
        ordinal: 1,
        issue_date: NaiveDate::from_ymd_opt(2026, 11, 4).unwrap(),
        actor: "ada".to_owned(),
        body: format!("{{\"total\":\"{sequence}.00\"}}").into_bytes(),
        charges: format!("charges of {contact}").into_bytes(),
        event_ids: events.iter().map(|event| (*event).to_owned()).collect(),
        voids: None,
    }
}

fn run() -> Hash {
    Hash::of(b"run")
}

fn refused(book: &mut Book, documents: &[NewDocument], word: &str) {
    let before = (book.documents(None).unwrap(), book.next_number("INV").unwrap());
    let failure = book.finalise(&run(), documents).unwrap_err();
    assert_eq!(failure.exit(), Exit::Verification);
    assert!(failure.to_string().contains(word), "{failure}");
    assert_eq!((book.documents(None).unwrap(), book.next_number("INV").unwrap()), before, "all or nothing");
}

#[test]
fn numbers_are_gapless_and_documents_are_chained() {
    let (_folder, mut book) = new_book();
    assert_eq!(book.next_number("INV").unwrap(), 1);
    refused(&mut book, &[invoice(2, "a", &[])], "next number");
    refused(&mut book, &[invoice(1, "a", &[]), invoice(3, "b", &[])], "next number");
    book.finalise(&run(), &[invoice(1, "a", &["e1"]), invoice(2, "b", &["e1", "e2"])]).unwrap();
    assert_eq!(book.next_number("INV").unwrap(), 3);
    assert_eq!(book.next_number("CN").unwrap(), 1);
    let documents = book.documents(Some("2026-10")).unwrap();
    assert_eq!((documents[0].previous, documents[1].previous), (None, Some(documents[0].hash)));
    assert_eq!(book.head().unwrap(), Some(documents[1].hash));
    assert_eq!(book.documents(Some("2026-11")).unwrap(), []);
    assert_eq!(book.charges("INV-000002").unwrap().as_deref(), Some(b"charges of b".as_slice()));
    assert_eq!(book.charges("INV-000009").unwrap(), None);
    sound(&book);
}

#[test]
fn nobody_is_billed_twice() {
    let (_folder, mut book) = new_book();
    book.finalise(&run(), &[invoice(1, "a", &["e1"])]).unwrap();
    refused(&mut book, &[invoice(2, "a", &["e2"])], "exists");
    let second = NewDocument { ordinal: 2, ..invoice(2, "a", &["e2"]) };
    refused(&mut book, &[second], "live invoice");
    let later = NewDocument { period_key: "2026-11".to_owned(), ..invoice(2, "a", &["e1"]) };
    refused(&mut book, &[later], "event e1");
    let earlier =
        NewDocument { issue_date: NaiveDate::from_ymd_opt(2026, 11, 3).unwrap(), ..invoice(2, "b", &[]) };
    refused(&mut book, &[earlier], "issue date");
}

#[test]
fn a_voided_invoice_frees_its_place_and_its_events() {
    let (_folder, mut book) = new_book();
    book.finalise(&run(), &[invoice(1, "a", &["e1"])]).unwrap();
    let note = NewDocument {
        kind: "credit-note".to_owned(),
        voids: Some("INV-000001".to_owned()),
        ..invoice(2, "a", &[])
    };
    let reissue = NewDocument { ordinal: 2, ..invoice(3, "a", &["e1"]) };
    book.finalise(&run(), &[note.clone(), reissue]).unwrap();
    let live: Vec<bool> = book.documents(None).unwrap().iter().map(|document| document.live).collect();
    assert_eq!(live, [false, false, true]);
    let again = NewDocument { sequence: 4, number: "INV-000004".to_owned(), ordinal: 2, ..note };
    refused(&mut book, &[again], "not a live invoice");
    sound(&book);
}

#[test]
fn any_change_of_a_finalised_document_is_found() {
    let changes = [
        "UPDATE document SET body = CAST(replace(body, '1', '2') AS BLOB) WHERE sequence = 1",
        "UPDATE document SET issue_date = '2026-11-05' WHERE sequence = 2",
        "UPDATE document SET contact = 'c' WHERE sequence = 1",
        "UPDATE document SET run = zeroblob(32) WHERE sequence = 1",
        "UPDATE charged_event SET event = 'e9' WHERE contact = 'a'",
        "UPDATE live_invoice SET period = '2026-12'",
        "DELETE FROM live_invoice WHERE contact = 'a'",
        "UPDATE identity SET head = NULL",
        "DELETE FROM charged_event WHERE contact = 'b'; DELETE FROM live_invoice WHERE contact = 'b'; \
         DELETE FROM document WHERE sequence = 2",
    ];
    for change in changes {
        let (_folder, mut book) = new_book();
        book.finalise(&run(), &[invoice(1, "a", &["e1"]), invoice(2, "b", &["e2"])]).unwrap();
        sound(&book);
        book.connection.execute_batch(change).unwrap();
        assert_ne!(book.verify(&CODEC).unwrap(), Vec::new(), "{change}");
    }
    let (_folder, mut book) = new_book();
    book.finalise(&run(), &[invoice(1, "a", &["e1"])]).unwrap();
    flip(&files_in(&book, "charges")[0], 3);
    assert_eq!(book.charges("INV-000001").unwrap_err().exit(), Exit::Verification);
    assert_eq!(book.verify(&CODEC).unwrap().len(), 1);
}
