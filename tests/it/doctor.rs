//! `doctor` and `status` on a healthy and on broken set-ups, against a service whose every answer is written here.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::company::{Company, LATE, Workspace, sunday};
use crate::support::session::{CONFIGURATION, Session};

const AT: &str = "2026-11-05T10:00:20Z";
const DATE: &str = "Thu, 05 Nov 2026 10:00:00 GMT";
const SECRET: &str = "s3cr3t-never-shown";
const TOKEN: &str = "T0KEN-CANARY";

/// What one request is answered with.
#[derive(Clone)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// The answers of a service by the end of the path; `token` for the sign-in, `retention` for calls of long ago.
#[derive(Clone)]
struct Script {
    answers: BTreeMap<&'static str, Answer>,
    date: &'static str,
    limits: [(&'static str, u32); 4],
}

fn served(body: &str) -> Answer {
    Answer { status: 200, headers: Vec::new(), body: body.to_owned() }
}

fn refused(status: u16, code: &str, permission: Option<&str>) -> Answer {
    let permission = permission.map(|name| format!(",\"permissionName\":\"{name}\"")).unwrap_or_default();
    let error = format!("\"errorCode\":\"{code}\",\"message\":\"whatever it says\"{permission}");
    Answer { status, headers: Vec::new(), body: format!("{{{error},\"errors\":[{{{error}}}]}}") }
}

fn token(scope: &str) -> Answer {
    served(&format!(
        "{{\"access_token\":\"{TOKEN}\",\"token_type\":\"bearer\",\"expires_in\":3600,\"scope\":\"{scope}\"}}"
    ))
}

impl Script {
    fn healthy() -> Script {
        let empty = r#"{"records":[],"paging":{"page":1,"perPage":1},"navigation":{}}"#;
        let extensions = r#"{"records":[{"id":1,"type":"IvrMenu"},{"id":2,"type":"Department"},{"id":3,"type":"User"},{"id":4,"type":"User"}]}"#;
        let old = r#"{"records":[{"id":"X","startTime":"2025-11-20T09:00:00.000Z"}]}"#;
        let answers = [
            ("token", token("ReadAccounts ReadCallLog ReadMessages")),
            ("~", served(r#"{"id":400131426008}"#)),
            ("extension", served(extensions)),
            ("call-log", served(empty)),
            ("retention", served(old)),
            ("call-log-extract-sync", served(r#"{"records":[],"syncInfo":{"syncToken":"x"}}"#)),
            ("active-calls", served(empty)),
            ("message-store", served(empty)),
            ("message-sync", served(r#"{"records":[],"syncInfo":{"syncToken":"x"}}"#)),
        ];
        Script {
            answers: answers.into(),
            date: DATE,
            limits: [("auth", 5), ("light", 50), ("medium", 40), ("heavy", 10)],
        }
    }

    fn with(mut self, name: &'static str, answer: Answer) -> Script {
        self.answers.insert(name, answer);
        self
    }

    /// Serves until the test ends; the address.
    fn serve(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let head = request(&mut connection);
                let answer = self.answer(&head);
                connection.write_all(answer.as_bytes()).unwrap();
            }
        });
        url
    }

    fn answer(&self, head: &str) -> String {
        let target = head.split(' ').nth(1).unwrap();
        let path = target.split('?').next().unwrap();
        let name = match path.rsplit('/').next().unwrap() {
            "call-log" if target.contains("dateTo=") => "retention",
            name => name,
        };
        let group = match name {
            "token" => 0,
            "~" | "message-store" | "message-sync" => 1,
            "extension" => 2,
            _ => 3,
        };
        let (group, limit) = self.limits[group];
        let answer = self.answers.get(name).unwrap_or_else(|| panic!("{target}"));
        let mut text = format!(
            "HTTP/1.1 {} Told\r\nDate: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\
             X-Rate-Limit-Group: {group}\r\nX-Rate-Limit-Limit: {limit}\r\nX-Rate-Limit-Remaining: 3\r\nX-Rate-Limit-Window: 60\r\n",
            answer.status,
            self.date,
            answer.body.len()
        );
        answer.headers.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
        text + "\r\n" + &answer.body
    }
}

/// Reads one request with its body; returns its head.
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

fn set_mode(session: &Session, name: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(session.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A company whose service is at an address, with its secrets in a file.
fn company(session: &mut Session, url: &str) {
    session.hide(url, "[service]");
    let service = format!("[service]\nurl = \"{url}\"\nsecrets = \"secrets.toml\"\n");
    session.write("tollbook.toml", format!("{CONFIGURATION}\n{service}"));
    session.write(
        "secrets.toml",
        format!("client_id = \"x\"\nclient_secret = \"{SECRET}\"\njwt = \"{SECRET}\"\n"),
    );
    set_mode(session, "secrets.toml", 0o600);
}

/// Runs `doctor` against a script; says what it said.
#[track_caller]
fn examined(session: &mut Session, script: Script, exit: i32) -> String {
    company(session, &script.serve());
    examined_as_is(session, exit)
}

#[track_caller]
fn examined_as_is(session: &mut Session, exit: i32) -> String {
    let ended = session.run(&["doctor", "--at", AT]);
    assert_eq!(ended.exit, exit, "{}{}", ended.output, ended.talk);
    for secret in [SECRET, TOKEN] {
        assert!(!ended.output.contains(secret) && !ended.talk.contains(secret), "{}", ended.output);
    }
    for line in ended.output.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    ended.output
}

#[test]
fn a_healthy_set_up() {
    let mut session = Session::with_company();
    let told = examined(&mut session, Script::healthy(), 0);
    assert!(told.ends_with("All is well.\n"), "{told}");
    assert!(!session.path("tollbook.book").exists(), "nothing is made");
    let json = session.run(&["doctor", "--at", AT, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.output).unwrap();
    let checks = json["accounts"][0]["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["state"] == "ok"), "{json}");
    session.golden("doctor-healthy");
}

#[test]
fn credentials_that_are_refused() {
    let mut session = Session::with_company();
    let oauth = |word: &str, code: &str| Answer {
        body: format!("{{\"error\":\"{word}\",\"errors\":[{{\"errorCode\":\"{code}\"}}]}}"),
        ..refused(400, code, None)
    };
    for (status, word, code, told) in [
        (401, "invalid_client", "OAU-153", "client id and client secret"),
        (400, "invalid_grant", "OAU-210", "the JWT is not accepted"),
        (400, "unauthorized_client", "OAU-251", "may not sign in with a JWT"),
    ] {
        let answer = Answer { status, ..oauth(word, code) };
        let output = examined(&mut session, Script::healthy().with("token", answer), 6);
        assert!(output.contains(told), "{output}");
    }
    let moved = Answer {
        status: 302,
        headers: vec![("Location", "https://elsewhere.invalid/?token=x".to_owned())],
        body: String::new(),
    };
    let output = examined(&mut session, Script::healthy().with("token", moved), 6);
    assert!(output.contains("not followed"), "{output}");
    session.golden("doctor-credentials");
}

#[test]
fn scopes_and_permissions_that_are_missing() {
    let mut session = Session::with_company();
    let script = Script::healthy()
        .with("token", token("ReadAccounts ReadCallLog"))
        .with("message-store", refused(403, "CMN-401", None))
        .with("message-sync", refused(403, "CMN-401", None));
    let output = examined(&mut session, script, 6);
    assert!(output.contains("Add ReadMessages to the app's permissions"), "{output}");
    let script = Script::healthy().with("call-log", refused(403, "CMN-408", Some("FullCompanyCallLog")));
    let output = examined(&mut session, script, 6);
    assert!(output.contains("role with FullCompanyCallLog"), "{output}");
    let script = Script::healthy().with("message-store", refused(403, "CMN-408", Some("ReadMessages")));
    let output = examined(&mut session, script, 0);
    assert!(output.contains("would be a gap"), "{output}");
    let script = Script::healthy()
        .with("call-log-extract-sync", refused(404, "CMN-120", None))
        .with("message-sync", refused(501, "CMN-202", None))
        .with("active-calls", refused(403, "CMN-109", None));
    let output = examined(&mut session, script, 0);
    assert_eq!(output.matches("not offered here").count(), 3, "{output}");
    session.golden("doctor-permissions");
}

#[test]
fn clocks_limits_and_retention_that_differ() {
    let mut session = Session::with_company();
    let empty = r#"{"records":[]}"#;
    let script = Script { date: "Thu, 05 Nov 2026 08:00:00 GMT", ..Script::healthy() };
    let output = examined(&mut session, script, 6);
    assert!(output.contains("2 hours ahead"), "{output}");
    let script = Script { date: "Thu, 05 Nov 2026 10:05:00 GMT", ..Script::healthy() };
    examined(&mut session, script, 0);
    let limits = [("auth", 5), ("light", 25), ("medium", 40), ("heavy", 2)];
    let script = Script { limits, ..Script::healthy() }.with("retention", served(empty));
    let output = examined(&mut session, script, 0);
    assert!(output.contains("9 months"), "{output}");
    session.golden("doctor-differs");
}

#[test]
fn what_is_wrong_on_this_machine() {
    let mut session = Session::with_company();
    // No service at all.
    examined_as_is(&mut session, 3);
    company(&mut session, "http://127.0.0.1:9");
    set_mode(&session, "secrets.toml", 0o644);
    let output = examined_as_is(&mut session, 3);
    assert!(output.contains("chmod 600"), "{output}");
    set_mode(&session, "secrets.toml", 0o600);
    session.write("rules/standard.toml", "default_tariff = \"gone\"\n");
    let output = examined_as_is(&mut session, 3);
    assert!(output.contains("no answer: no connection"), "{output}");
    session.write("tollbook.toml", format!("{CONFIGURATION}\n[service]\nurl = \"http://example.com\"\n"));
    assert_eq!(session.run_with(&["doctor"], &[]).exit, 3);
    session.golden("doctor-machine");
}

#[test]
fn several_accounts_are_examined_one_by_one() {
    let mut session = Session::with_company();
    let north = Script::healthy().serve();
    let south = Script::healthy().with("token", refused(401, "OAU-153", None)).serve();
    session.hide(&north, "[north]");
    session.hide(&south, "[south]");
    let accounts = format!(
        "[account.north]\nurl = \"{north}\"\n\n[account.south]\nurl = \"{south}\"\nsecrets = \"south.toml\"\n"
    );
    session.write("tollbook.toml", format!("{CONFIGURATION}\n{accounts}"));
    session.write(
        "south.toml",
        format!("client_id = \"x\"\nclient_secret = \"{SECRET}\"\njwt = \"{SECRET}\"\n"),
    );
    set_mode(&session, "south.toml", 0o600);
    let variables = ["CLIENT_ID", "CLIENT_SECRET", "JWT"].map(|of| (format!("TOLLBOOK_NORTH_{of}"), SECRET));
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let ended = session.run_with(&["doctor", "--at", AT], &variables);
    assert_eq!(ended.exit, 6, "{}", ended.output);
    assert_eq!(session.run_with(&["doctor", "--at", AT, "--account", "north"], &variables).exit, 0);
    assert_eq!(session.run(&["doctor", "--at", AT, "--account", "east"]).exit, 2);
    session.golden("doctor-accounts");
}

#[test]
fn the_sandbox_is_in_order_and_a_refused_mailbox_shows_in_the_status() {
    let company = Company::new(sunday());
    let service = company.serve_with(LATE, |options| options.refused_mailboxes = vec!["107".to_owned()]);
    let workspace = Workspace::new(&company.world, &service);
    workspace.run(&["doctor", "--at", LATE]).expect(0);
    let asked = service.stats.total();
    assert!((7..=11).contains(&asked), "{asked}");
    workspace.pull(LATE).expect(0);
    let status = workspace.run(&["status"]).expect(0);
    for part in [
        "not readable",
        "CMN-408",
        "collected by windows",
        "deleted next at the service",
        "settings in force",
    ] {
        assert!(status.out.contains(part), "{part}: {}", status.out);
    }
    for line in status.out.lines().filter(|line| !line.starts_with("book")) {
        assert!(line.chars().count() <= 100, "{line}");
    }
    let facts = workspace.counts();
    assert_eq!(facts["settings"]["retention"]["sent_faxes"]["seconds"], 30 * 86_400);
    let calls = facts["feeds"].as_array().unwrap().iter().find(|feed| feed["feed"] == "call-log").unwrap();
    assert_eq!(calls["retention"]["deletes"], "calls", "{calls}");
}
