use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;

use super::*;
use crate::domain::Hash;
use crate::domain::record::CoverageState;
use crate::ringcentral::clock::CalendarClock;
use crate::ringcentral::credentials::Secret;
use crate::ringcentral::puller::{Scope, Settings};
use crate::ringcentral::redact::Redaction;

#[test]
fn only_https_or_this_machine() {
    for good in
        ["https://platform.ringcentral.com", "http://127.0.0.1:4010/", "http://localhost:1", "http://[::1]:1"]
    {
        assert!(ServiceUrl::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "http://platform.ringcentral.com",
        "http://127.0.0.1.example.com",
        "ftp://localhost",
        "https://user:hush@example.com",
        "https://example.com?access_token=hush",
        "platform.ringcentral.com",
    ] {
        let failure = ServiceUrl::parse(bad).unwrap_err();
        assert_eq!(failure.exit(), Exit::Mistakes, "{bad}");
        assert!(!failure.to_string().contains("hush"), "{failure}");
    }
}

/// A book that keeps what it is told.
#[derive(Default)]
struct Kept {
    coverage: Vec<Coverage>,
    records: Vec<String>,
    account: Option<String>,
}

impl Landing for Kept {
    fn known(&self) -> Result<Known> {
        Ok(Known::default())
    }

    fn coverage_of(&self, window: &PullWindow) -> Result<Option<Coverage>> {
        Ok(self.coverage.iter().find(|entry| entry.window == *window).cloned())
    }

    fn advance(&mut self, _: &Stream) -> Result<()> {
        Ok(())
    }
    fn land(&mut self, page: &RawPage, records: &[SourceRecord], cursor: &Cursor) -> Result<()> {
        self.records.extend(records.iter().map(|record| record.key.id.clone()));
        self.coverage.push(Coverage {
            window: page.window.clone(),
            state: CoverageState::Collected,
            listings_complete: page.listing,
            last_listing: page.listing,
            cursor: Some(cursor.clone()),
            records: records.len() as u64,
            digest: Some(Hash::of(&page.body)),
            listed_at: Some(page.observed),
        });
        Ok(())
    }
    fn seal(&mut self, _: &PullWindow, _: Instant) -> Result<()> {
        Ok(())
    }
    fn gap(&mut self, _: &Gap, _: Instant) -> Result<()> {
        Ok(())
    }
    fn account(&mut self, id: &str) -> Result<()> {
        self.account = Some(id.to_owned());
        Ok(())
    }
    fn progress(&mut self, _: &Progress) {}
}

/// Serves the answers in turn, one connection each, and reports the requests.
fn serve(answers: Vec<String>) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            loop {
                let count = stream.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..count]);
                let text = String::from_utf8_lossy(&request);
                let done = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
                    let length = head.to_ascii_lowercase().lines().find_map(|line| {
                        line.strip_prefix("content-length: ").and_then(|length| length.parse::<usize>().ok())
                    });
                    body.len() >= length.unwrap_or(0)
                });
                if done || count == 0 {
                    break;
                }
            }
            sender.send(String::from_utf8_lossy(&request).into_owned()).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, requests)
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

fn pull_from(url: &str, kept: &mut Kept) -> Result<Summary> {
    let redaction = Redaction { key: [0; 32], keep_text: false };
    let settings =
        Settings { messages: false, call_sync: false, active_calls: false, ..Settings::new(redaction) };
    let now = Instant::parse("2026-03-09T01:00:00Z").unwrap();
    let scope =
        Scope { span_from: Instant::parse("2026-03-08T00:00:00Z").unwrap(), span_to: None, reread: None };
    let credentials = Credentials {
        client_id: "application".to_owned(),
        client_secret: Secret::new("hush"),
        jwt: Secret::new("whisper"),
    };
    let transport = Transport::to(ServiceUrl::parse(url).unwrap());
    pull_blocking(
        Puller::new(settings, scope).unwrap(),
        &credentials,
        &transport,
        &CalendarClock::start(|| now),
        kept,
    )
}

#[test]
fn a_run_over_http() {
    let call =
        r#"{"uri":"https://x/restapi/v1.0/account/42/call-log","records":[{"id":"A","sessionId":"1"}]}"#;
    let (url, requests) = serve(vec![
        ok(r#"{"access_token":"token","token_type":"bearer","expires_in":3600}"#),
        ok(r#"{"id":42,"mainNumber":"+1"}"#),
        ok(r#"{"uri":"https://x/restapi/v1.0/account/42/extension","records":[]}"#),
        ok(call),
        ok(call),
    ]);
    let mut kept = Kept::default();
    let summary = pull_from(&url, &mut kept).unwrap();
    assert_eq!(summary.requests, 5);
    assert_eq!(kept.account.as_deref(), Some("42"));
    assert_eq!(kept.records, ["42", "A", "A"]);
    let requests: Vec<String> = requests.iter().collect();
    assert!(requests[0].starts_with("POST /restapi/oauth/token HTTP/1.1"));
    assert!(requests[0].contains("authorization: Basic YXBwbGljYXRpb246aHVzaA=="), "{}", requests[0]);
    assert!(
        requests[0]
            .contains("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=whisper")
    );
    assert!(requests[3].contains("authorization: Bearer token"));
    assert!(requests[3].contains("user-agent: Tollbook/"));
    let line = requests[3].lines().next().unwrap();
    assert_eq!(
        line,
        "GET /restapi/v1.0/account/~/call-log?view=Detailed&showDeleted=true&dateFrom=2026-03-07T22%3A00%3A00.000Z\
         &dateTo=2026-03-09T00%3A00%3A00.000Z&page=1&perPage=1000 HTTP/1.1"
    );
}

#[test]
fn a_redirect_is_refused_and_no_secret_is_shown() {
    let (url, _requests) = serve(vec![
        "HTTP/1.1 302 Found\r\nLocation: https://user:pw@elsewhere.example/x?jwt=whisper\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            .to_owned(),
    ]);
    let failure = pull_from(&url, &mut Kept::default()).unwrap_err();
    assert_eq!(failure.exit(), Exit::Service);
    let text = format!("{failure} {failure:?}");
    assert!(text.contains("https://elsewhere.example/x"), "{text}");
    for secret in ["whisper", "hush", "pw"] {
        assert!(!text.contains(secret), "{text}");
    }
}
