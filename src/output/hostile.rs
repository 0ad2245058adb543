//! Hostile text through every format: nothing may act, and nothing may be lost silently.

use super::table::Cell;
use super::{OutputFile, document, reconciliation, report, samples};
use crate::domain::document::Document;

const HOSTILE: [&str; 14] = [
    "=HYPERLINK(\"evil\")",
    "+1-800",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r\n=1",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "{{ seller.name }}{% include 'x' %}",
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "invoice\u{202e}fdp.exe",
    "../../etc/passwd",
    "\u{0}nul\u{9b}31m",
    "O'Brien & Sons, \"Ltd\"",
];

fn hostile_document(text: &str) -> Document {
    let mut document = samples::draft();
    let invoice = &mut document.invoice;
    invoice.seller.name = text.to_owned();
    invoice.seller.address = vec![text.to_owned()];
    invoice.seller.email = Some(text.to_owned());
    invoice.seller.tax_id = Some(text.to_owned());
    invoice.payer.name = text.to_owned();
    invoice.payer.contact_id = text.to_owned();
    invoice.payer.address = vec![text.to_owned()];
    invoice.timekeepers.insert(text.to_owned(), text.to_owned());
    invoice.carried = vec![text.to_owned()];
    invoice.balances = samples::legal().invoice.balances;
    for balance in &mut invoice.balances {
        for field in
            [&mut balance.tariff, &mut balance.allowance, &mut balance.pool, &mut balance.left[0].granted]
        {
            *field = text.to_owned();
        }
    }
    for line in &mut invoice.lines {
        line.key.clause = text.to_owned();
        line.key.band = text.to_owned();
        line.key.tariff = text.to_owned();
        line.key.destination = text.to_owned();
        line.key.matter = text.to_owned();
        line.key.timekeeper = text.to_owned();
        line.key.service_period = text.to_owned();
        line.note = text.to_owned();
        line.basis = text.to_owned();
        line.price = text.to_owned();
    }
    for row in &mut document.annex {
        for field in [&mut row.event_id, &mut row.from, &mut row.to, &mut row.remarks, &mut row.channel] {
            *field = text.to_owned();
        }
        for field in [&mut row.destination, &mut row.matter, &mut row.timekeeper] {
            *field = text.to_owned();
        }
        row.measured = text.to_owned();
    }
    document
}

fn hostile_run(text: &str) -> Vec<OutputFile> {
    let mut files = document::files(&hostile_document(text), true).unwrap();
    let mut heading = samples::heading();
    heading.company = text.to_owned();
    heading.run_id = text.to_owned();
    let mut reconciliation = samples::reconciliation();
    for one in &mut reconciliation.breaks {
        one.explanation = text.to_owned();
        if let Some(expectation) = &mut one.expectation {
            expectation.id = text.to_owned();
            expectation.reference = Some(text.to_owned());
            expectation.contact = Some(text.to_owned());
        }
        if let Some(observation) = &mut one.observation {
            observation.event_id = text.to_owned();
            observation.error_code = Some(text.to_owned());
        }
    }
    let names = [(text.to_owned(), text.to_owned())].into_iter().collect();
    files.extend(reconciliation::files(&reconciliation, &samples::period(), &heading, &names).unwrap());
    let mut run = samples::report();
    run.heading = heading;
    for document in &mut run.documents {
        document.payer = text.to_owned();
        document.contact_id = text.to_owned();
        document.folder = document::folder(&hostile_document(text), true).unwrap();
    }
    run.suspense[0].details = text.to_owned();
    run.findings.rules_never_matched = vec![text.to_owned()];
    run.findings.unmatched_numbers[0].number = text.to_owned();
    run.findings.unmatched_numbers[0].suggestion = Some(text.to_owned());
    let mut unmatched = samples::unmatched();
    for event in &mut unmatched.events {
        event.id = text.to_owned();
        event.number = text.to_owned();
        event.name = Some(text.to_owned());
        event.suggestions = vec![(text.to_owned(), text.to_owned())];
    }
    files.push(super::unmatched::unmatched_csv(&unmatched));
    run.coverage[1].holes = vec![text.to_owned()];
    run.held_back = vec![text.to_owned()];
    files.push(report::index(&run).unwrap());
    files
}

#[test]
fn hostile_text_is_harmless_in_every_format() {
    for text in HOSTILE {
        for file in hostile_run(text) {
            let content = String::from_utf8(file.bytes.clone()).expect("files are UTF-8");
            let acts = |letter: char| super::text::acts(letter) && !matches!(letter, '\n' | '\r' | '\t');
            assert!(!content.contains(acts), "{} of {text:?} has an acting character", file.path);
            let path = &file.path;
            assert!(!path.contains("..") && path.chars().all(|letter| letter.is_ascii_graphic()), "{path}");
            match path.rsplit_once('.').unwrap().1 {
                "html" => check_page(path, &content),
                "csv" => check_table(path, &content),
                "json" => drop(serde_json::from_str::<serde_json::Value>(&content).expect("valid JSON")),
                other => panic!("{other}: an output format without a check"),
            }
        }
    }
}

fn check_page(path: &str, content: &str) {
    let allowed = [
        "!DOCTYPE",
        "a",
        "body",
        "br",
        "code",
        "dd",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "g",
        "h1",
        "h2",
        "h3",
        "head",
        "header",
        "html",
        "li",
        "line",
        "main",
        "meta",
        "p",
        "rect",
        "section",
        "span",
        "strong",
        "style",
        "svg",
        "table",
        "tbody",
        "td",
        "text",
        "th",
        "thead",
        "title",
        "tr",
        "ul",
    ];
    for piece in content.split('<').skip(1) {
        let name = piece.trim_start_matches('/').split([' ', '>', '\n']).next().unwrap_or("");
        assert!(allowed.contains(&name), "{path} has an element {name}");
        let tag = piece.split('>').next().unwrap_or("");
        assert!(!tag.contains(" on"), "{path}: {tag}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{path}: {tag}");
    }
    assert!(!content.contains("href=\"//") && !content.contains("href=\"http"), "{path} links outside");
}

fn check_table(path: &str, content: &str) {
    let mut reader = csv::Reader::from_reader(content.as_bytes());
    let header = reader.headers().unwrap().clone();
    for row in reader.records() {
        for (name, cell) in header.iter().zip(row.unwrap().iter()) {
            let figure = cell.parse::<rust_decimal::Decimal>().is_ok();
            let begins = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
            assert!(figure || !begins, "{path}, {name}: {cell:?} would run");
        }
    }
}

#[test]
fn hostile_text_comes_back_from_the_machine_formats() {
    for text in HOSTILE {
        let files = hostile_run(text);
        let json: serde_json::Value = serde_json::from_slice(&files[2].bytes).unwrap();
        assert_eq!(json["payer"]["name"], text);
        assert_eq!(json["annex"][0]["remarks"], text);
        let mut reader = csv::Reader::from_reader(files[0].bytes.as_slice());
        let row = reader.records().map(|row| row.unwrap()).find(|row| &row[0] == "event").unwrap();
        if !text.contains(|letter| super::text::acts(letter) && !matches!(letter, '\n' | '\r' | '\t')) {
            assert_eq!(Cell::unguarded(&row[21]), text);
        }
    }
}
