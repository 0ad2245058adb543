//! Pulling over real HTTP on loopback, with the service's limits on and its faults drawn: the same records land, no
//! limit is broken, and nothing that is secret or private comes to light.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use tollbook::book::Book;
use tollbook::domain::record::RecordKind;
use tollbook::run::facts::codec;
use tollbook::sandbox::{FaultPlan, Group, Options, Running};

use crate::company::{
    Company, EARLY, Ended, FINALISE, FROM, LATE, Workspace, instant, serve_pages, sunday, tree,
};

/// The service's own limits, in a window of a second instead of a minute.
fn limited() -> Options {
    Options { limits_lifted: false, rate_window: Duration::from_secs(1), ..sunday() }
}

/// All record versions of a book: key, version hash and standing.
fn records(workspace: &Workspace) -> BTreeSet<String> {
    let book = Book::open(&workspace.book()).unwrap();
    let versions = book.scan(RecordKind::ALL, None, &codec()).unwrap();
    versions
        .iter()
        .map(|version| {
            let record = &version.record;
            format!("{} {} {} {:?}", record.key.kind, record.key.id, record.version, version.standing)
        })
        .collect()
}

/// Pulls the whole month from a service, with some change to its options.
fn pulled(company: &Company, change: impl FnOnce(&mut Options)) -> (Running, Workspace, serde_json::Value) {
    let service = company.serve_with(LATE, change);
    let workspace = Workspace::new(&company.world, &service);
    let summary = workspace.pull(LATE).expect(0).json();
    assert_eq!(service.stats.refused(), 0, "no request is refused for its rate");
    assert_eq!(summary["rate_refusals"], 0);
    assert_eq!(summary["requests"].as_u64().unwrap(), service.stats.total());
    (service, workspace, summary)
}

#[test]
fn no_limit_is_broken_and_no_request_is_wasted() {
    let company = Company::new(limited());
    let (service, workspace, summary) = pulled(&company, |options| options.per_page_at_most = 40);
    let asked = service.stats.requests();
    let count = |group: Group| -> u64 {
        asked.iter().filter(|((of, _), _)| *of == group).map(|(_, count)| count).sum()
    };
    assert_eq!(count(Group::Auth), 1, "one token");
    assert_eq!(count(Group::Medium), 1, "one list of extensions");
    // Two listings of each window and no more; each page is asked for once.
    assert_eq!(summary["pages"].as_u64().unwrap() + 1, service.stats.total());
    let feeds = workspace.counts()["feeds"].clone();
    let windows = |of: &str| -> Vec<u64> {
        let feeds = feeds.as_array().unwrap().iter();
        let feeds = feeds.filter(|feed| feed["feed"].as_str().unwrap().starts_with(of));
        feeds.map(|feed| feed["windows"].as_u64().unwrap()).collect()
    };
    let mailboxes = windows("messages/").len() as u64;
    let mailbox_windows: u64 = windows("messages/").iter().sum();
    assert_eq!(
        count(Group::Light),
        1 + mailboxes + 2 * mailbox_windows,
        "the account, the changes of each mailbox, and a page for each listing of one"
    );
    assert_eq!(
        summary["windows_sealed"].as_u64().unwrap(),
        mailbox_windows + windows("call-log").iter().sum::<u64>(),
    );
    // A second pull finds everything sealed: a token, and what changed in the call log and in each mailbox, is all it
    // asks for.
    workspace.pull(LATE).expect(0);
    assert_eq!(service.stats.total(), summary["requests"].as_u64().unwrap() + 2 + mailboxes);
    assert_eq!(service.stats.refused(), 0);
}

/// The records of an undisturbed pull must be those of one with faults, and the faults must have happened.
fn same_in_spite_of(fault: &str, more_requests: u64) {
    let faults = FaultPlan::parse(&format!("[[fault]]\n{fault}")).unwrap();
    let company = Company::new(limited());
    let (calm, reference, _) = pulled(&company, |_| {});
    let (service, workspace, _) = pulled(&company, |options| options.faults = faults.clone());
    assert!(service.stats.total() >= calm.stats.total() + more_requests, "{fault} did not show");
    assert_eq!(records(&reference), records(&workspace));
    workspace.run(&["verify"]).expect(0);
    assert!(records(&workspace).len() > 200);
}

#[test]
fn an_internal_error_now_and_then_changes_nothing() {
    same_in_spite_of("kind = \"internal-error\"\nevery = 31", 3);
}

#[test]
fn limited_mode_now_and_then_changes_nothing() {
    same_in_spite_of("kind = \"limited-mode\"\nevery = 31", 3);
}

#[test]
fn an_answer_that_breaks_off_changes_nothing() {
    same_in_spite_of("kind = \"truncated-json\"\nevery = 31", 3);
}

#[test]
fn a_token_that_dies_early_changes_nothing() {
    // Each time a request is refused, a token is asked for, and the request is repeated.
    same_in_spite_of("kind = \"token-expired\"\nevery = 25", 6);
}

#[test]
fn a_mailbox_that_may_not_be_read_is_a_gap_until_somebody_accepts_it() {
    let company = Company::new(sunday());
    let service = company.serve_with(LATE, |options| options.refused_mailboxes = vec!["107".to_owned()]);
    let workspace = Workspace::new(&company.world, &service);
    let summary = workspace.pull(LATE).expect(0).json();
    let gaps = summary["gaps"].as_array().unwrap();
    assert_eq!(gaps.len(), 1);
    let feed = gaps[0]["feed"].as_str().unwrap();
    assert!(feed.starts_with("messages/"), "{feed}");
    let refused = workspace.finalise().expect(9);
    assert!(refused.err.contains(feed) && refused.err.contains("CMN-408"), "{}", refused.err);
    assert_eq!(refused.err.matches("is not sealed").count(), 1, "{}", refused.err);
    assert!(
        workspace.output().keys().any(|path| path.starts_with("2026-10/drafts/")),
        "drafts show what is open"
    );
    let accept = |month: &str, reason: &str| {
        workspace.run(&["accept-gap", feed, "--period", month, "--reason", reason, "--actor", "anna"])
    };
    accept("2026-10", " ").expect(2);
    accept("2026-09", "the user left in August").expect(0);
    workspace.finalise().expect(9);
    accept("2026-10", "the user left in August").expect(0);
    workspace.finalise().expect(0);
    let output = workspace.output();
    let index = String::from_utf8(output["2026-10/index.html"].clone()).unwrap();
    let decision = format!("The gap in {feed} (CMN-408) is accepted by anna: the user left in August");
    assert!(index.contains(&decision), "the index does not name the decision");
    assert!(output.keys().any(|path| path.starts_with("2026-10/invoices/")));
}

#[test]
fn wrong_credentials_are_named_and_never_shown() {
    const FORGED: &str = "canary-4f1c-forged-secret";
    let company = Company::new(limited());
    let service = company.serve(LATE);
    for (name, told) in [
        ("TOLLBOOK_CLIENT_ID", "the client id and client secret"),
        ("TOLLBOOK_CLIENT_SECRET", "the client id and client secret"),
        ("TOLLBOOK_JWT", "the JWT"),
    ] {
        let mut workspace = Workspace::new(&company.world, &service);
        workspace.forge(name, FORGED);
        let ended = workspace.pull(LATE).expect(6);
        assert!(ended.err.contains(told), "{name}: {}", ended.err);
        for secret in [FORGED, &service.client_secret, &service.jwt] {
            assert!(!ended.err.contains(secret) && !ended.out.contains(secret), "{name}: {}", ended.err);
        }
        assert!(holding(&workspace, FORGED.as_bytes()).is_empty());
    }
}

#[test]
fn a_service_that_is_not_there_is_named() {
    let company = Company::new(sunday());
    let workspace = Workspace::new(&company.world, &company.serve(LATE));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    workspace.add_service("closed.toml", &url);
    let began = Instant::now();
    let ended = workspace.run(&["pull", "--from", FROM, "--at", LATE, "--config", "closed.toml"]).expect(6);
    assert!(ended.err.contains(&url) && ended.err.contains("3 tries"), "{}", ended.err);
    assert!(began.elapsed() < Duration::from_secs(60), "tries have an end");
}

/// Reads one request; returns its head.
fn request(connection: &mut TcpStream) -> String {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return head.to_owned();
            }
        }
        match connection.read(&mut buffer).unwrap() {
            0 => return text,
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

/// Redirects sign-in, or only what comes after it, to a listener that must stay alone.
fn redirected(after_sign_in: bool) {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let target = format!("http://{}", elsewhere.local_addr().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let location = format!("{target}/take?token=hush");
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let sign_in = request(&mut connection).starts_with("POST");
            let answer = if sign_in && after_sign_in {
                let body = r#"{"access_token":"T0KEN-CANARY","expires_in":3600,"token_type":"bearer"}"#;
                format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                )
            } else {
                format!(
                    "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
            };
            connection.write_all(answer.as_bytes()).unwrap();
        }
    });
    let company = Company::new(sunday());
    let workspace = Workspace::new(&company.world, &company.serve(LATE));
    workspace.add_service("moved.toml", &url);
    let ended = workspace.run(&["pull", "--from", FROM, "--at", LATE, "--config", "moved.toml"]).expect(6);
    assert!(ended.err.contains(&target) && ended.err.contains("not followed"), "{}", ended.err);
    assert!(!ended.err.contains("hush") && !ended.err.contains("T0KEN-CANARY"), "{}", ended.err);
    assert!(elsewhere.accept().is_err(), "somebody came to the other address");
}

#[test]
fn a_redirect_is_refused() {
    redirected(false);
    redirected(true);
}

/// Files of a workspace that hold some bytes; the customer's own files are among them, and hold no secret.
fn holding(workspace: &Workspace, needle: &[u8]) -> Vec<String> {
    let files = tree(workspace.folder.path());
    files
        .into_iter()
        .filter(|(_, bytes)| bytes.windows(needle.len()).any(|window| window == needle))
        .map(|(path, _)| path)
        .collect()
}

/// Everything that is stored compressed, as one text: pages as served, and records.
fn unpacked(workspace: &Workspace) -> String {
    let book = Book::open(&workspace.book()).unwrap();
    let mut text = String::new();
    let mut keep = |page: tollbook::domain::record::RawPage| {
        text.push_str(std::str::from_utf8(&page.body).unwrap());
        Ok(())
    };
    book.raw_pages(&mut keep).unwrap();
    for version in book.scan(RecordKind::ALL, None, &codec()).unwrap() {
        text.push_str(&version.record.json);
    }
    text
}

#[test]
fn neither_secrets_nor_the_words_of_messages_are_kept_or_told() {
    let company = Company::new(sunday());
    let service = company.serve(LATE);
    let texts = serve_pages(&company, &service).texts;
    assert!(texts.len() > 10, "{}", texts.len());
    let played = |keep_text: bool| {
        let workspace = Workspace::new(&company.world, &service);
        if keep_text {
            let path = workspace.path("tollbook.toml");
            let text = fs::read_to_string(&path).unwrap();
            fs::write(path, text.replace("keep_text = false", "keep_text = true")).unwrap();
        }
        let mut told = String::new();
        for (at, step) in [
            (EARLY, &["pull", "--from", FROM, "--at", EARLY][..]),
            (LATE, &["pull", "--from", FROM, "--at", LATE, "--reread"]),
            (LATE, &FINALISE),
        ] {
            service.clock.set(instant(at));
            let mut command = workspace.command(step);
            command.envs([("RUST_LOG", "trace"), ("TOLLBOOK_LOG", "trace"), ("RUST_BACKTRACE", "1")]);
            let ended = Ended::of(command.output().unwrap()).expect(0);
            told.push_str(&ended.out);
            told.push_str(&ended.err);
        }
        (workspace, told)
    };
    let (workspace, told) = played(false);
    let stored = unpacked(&workspace);
    for secret in [&service.client_secret, &service.jwt] {
        assert_eq!(holding(&workspace, secret.as_bytes()), Vec::<String>::new());
        assert!(!told.contains(secret.as_str()) && !stored.contains(secret.as_str()));
    }
    // The sandbox's access tokens begin with this word.
    assert!(!told.contains("SANDBOX") && !stored.contains("SANDBOX"));
    assert_eq!(holding(&workspace, b"SANDBOX"), Vec::<String>::new());
    for text in &texts {
        assert_eq!(holding(&workspace, text.as_bytes()), Vec::<String>::new(), "{text}");
        assert!(!told.contains(text) && !stored.contains(text), "{text}");
    }
    // The same search finds them where they are asked for.
    let (kept, _) = played(true);
    let stored = unpacked(&kept);
    assert!(texts.iter().any(|text| stored.contains(text)), "the search is blind");
}
