//! Each way of travelling, over a real socket with a client that believes nothing.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use tollbook::sandbox::Running;

use super::*;
use crate::company::Company;

/// What a client saw: the head, the body as far as it came, and how the connection ended.
struct Seen {
    head: String,
    body: Vec<u8>,
    end: End,
    took: Duration,
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    Closed,
    Reset,
    /// Nothing more came in time.
    Silence,
}

impl Seen {
    fn length(&self) -> Option<usize> {
        let line = |line: &str| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok();
        self.head.lines().find_map(line)
    }
}

/// Asks for the account without a token: errors travel like everything else.
fn ask(service: &Running) -> Seen {
    let began = Instant::now();
    let mut stream = TcpStream::connect(service.base_url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(700))).unwrap();
    stream
        .write_all(b"GET /restapi/v1.0/account/~ HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n\r\n")
        .unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    let end = loop {
        match stream.read(&mut buffer) {
            Ok(0) => break End::Closed,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                break End::Silence;
            }
            Err(_) => break End::Reset,
        }
    };
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    let body = bytes.split_off(split.min(bytes.len()));
    Seen { head: String::from_utf8(bytes).unwrap(), body, end, took: began.elapsed() }
}

/// The answer with a fault, and the calm one after it.
fn seen(kind: &str, more: &str) -> (Seen, Seen) {
    let company = Company::new(sunday());
    let faults = plan(kind, &format!("at = [1]\n{more}"));
    let service = company.serve_with(LATE, |options| options.faults = faults);
    let faulty = ask(&service);
    let calm = ask(&service);
    assert_eq!((calm.length(), &calm.end), (Some(calm.body.len()), &End::Closed), "{}", calm.head);
    assert!(calm.head.starts_with("HTTP/1.1 401 ") && !calm.body.is_empty());
    (faulty, calm)
}

#[test]
fn a_connection_is_closed_before_the_answer() {
    let (faulty, _) = seen("reset-before", "");
    assert_eq!((faulty.head.as_str(), faulty.body.len()), ("", 0));
    assert_ne!(faulty.end, End::Silence);
}

#[test]
fn a_connection_is_closed_in_the_middle_of_the_body() {
    let (faulty, calm) = seen("reset-mid-body", "");
    assert_eq!(faulty.length(), Some(calm.body.len()), "it promises the whole");
    assert_eq!(faulty.body, calm.body[..calm.body.len() / 2]);
    assert_ne!(faulty.end, End::Silence);
}

#[test]
fn a_body_drips() {
    let (faulty, calm) = seen("slow-drip", "milliseconds_per_byte = 5");
    assert_eq!((&faulty.body, faulty.length()), (&calm.body, Some(calm.body.len())));
    let least = Duration::from_millis(5 * (calm.body.len() as u64 - 1));
    assert!(faulty.took >= least, "{:?} is less than {least:?}", faulty.took);
}

#[test]
fn an_answer_never_comes() {
    let (faulty, _) = seen("never-answers", "");
    assert_eq!((faulty.end, faulty.head.as_str()), (End::Silence, ""));
}

#[test]
fn a_length_is_wrong_both_ways() {
    let (more, calm) = seen("wrong-content-length", "");
    assert_eq!((more.length(), &more.body), (Some(calm.body.len() + 7), &calm.body));
    assert_ne!(more.end, End::Silence);
    let (less, calm) = seen("wrong-content-length", "off_by = -5");
    assert_eq!((less.length(), &less.body), (Some(calm.body.len() - 5), &calm.body));
}

#[test]
fn a_bomb_arrives_as_it_was_made() {
    let (faulty, _) = seen("gzip-bomb", "inflated_mebibytes = 16");
    assert!(faulty.head.to_ascii_lowercase().contains("content-encoding: gzip"), "{}", faulty.head);
    assert_eq!(faulty.length(), Some(faulty.body.len()));
    assert!(16 * 1024 * 1024 / faulty.body.len() >= 1000);
}
