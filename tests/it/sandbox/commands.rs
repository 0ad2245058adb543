//! `tollbook sandbox` as a child process: ready, moved, ended.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::*;
use crate::support::session::Session;

/// A sandbox in a process of its own, and what it said when it was ready.
struct Served {
    child: Child,
    ready: Value,
}

fn serve(arguments: &[&str]) -> Served {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tollbook"))
        .arg("sandbox")
        .args(arguments)
        .args(["--address", "127.0.0.1:0", "--days", "1", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
    Served { child, ready }
}

impl Served {
    fn address(&self) -> &str {
        self.ready["url"].as_str().unwrap().strip_prefix("http://").unwrap()
    }

    /// Runs `sandbox clock` with the right secret, or another.
    fn clock(&self, arguments: &[&str], secret: Option<&str>) -> (i32, String) {
        let mut session = Session::new();
        let text = |name: &str| self.ready[name].as_str().unwrap().to_owned();
        let secret = secret.map_or_else(|| text("client_secret"), str::to_owned);
        let all = [&["sandbox", "clock", "--address", self.address()], arguments].concat();
        let variables =
            [("TOLLBOOK_CLIENT_ID", text("client_id")), ("TOLLBOOK_CLIENT_SECRET", secret.clone())];
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let ended = session.run_with(&all, &variables);
        assert!(!ended.talk.contains(&secret), "{}", ended.talk);
        (ended.exit, format!("{}{}", ended.output, ended.talk).trim().to_owned())
    }

    /// Sends a signal and waits for the end; returns the exit code.
    fn end(mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn the_clock_is_told_and_moved() {
    let served = serve(&["--at", "2026-11-05T00:00:00Z"]);
    assert_eq!(served.ready["at"], "2026-11-05T00:00:00Z");
    let told = |text: &str| (0, text.to_owned());
    assert_eq!(served.clock(&[], None), told("2026-11-05T00:00:00.000Z"));
    assert_eq!(served.clock(&["--advance", "3 days"], None), told("2026-11-08T00:00:00.000Z"));
    assert_eq!(served.clock(&["--advance", "-90 minutes"], None), told("2026-11-07T22:30:00.000Z"));
    assert_eq!(served.clock(&["--set", "2026-12-01T02:00:00+02:00"], None), told("2026-12-01T00:00:00.000Z"));
    let (exit, said) = served.clock(&["--advance", "3 days"], Some("wrong"));
    assert_eq!(exit, 2, "{said}");
    assert!(said.contains("the client id and secret of the sandbox are wanted"), "{said}");
    assert_eq!(
        served.clock(&["--format", "json"], None),
        told(r#"{"now":"2026-12-01T00:00:00.000Z","running":false}"#)
    );
    assert_eq!(served.end("-TERM"), Some(0));
}

#[test]
fn a_running_clock_goes_on() {
    let served = serve(&["--at", "2026-11-05T00:00:00Z", "--running"]);
    let first = served.clock(&[], None).1;
    std::thread::sleep(Duration::from_millis(20));
    let second = served.clock(&[], None).1;
    assert!(first < second && second < "2026-11-05T00:10".to_owned(), "{first} {second}");
    assert_eq!(served.end("-INT"), Some(0));
}

#[test]
fn plans_and_settings_are_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faults.toml");
    std::fs::write(&path, "[[fault]]\nkind = \"internal-error\"\non = [\"token\"]\nevery = 1\n").unwrap();
    let settings = folder.path().join("settings.toml");
    std::fs::write(&settings, "limits_lifted = true\n").unwrap();
    let served =
        serve(&["serve", "--faults", path.to_str().unwrap(), "--settings", settings.to_str().unwrap()]);
    let url = format!("{}/restapi/oauth/token", served.ready["url"].as_str().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for _ in 0..8 {
        let status =
            runtime.block_on(async { reqwest::Client::new().post(&url).send().await.unwrap().status() });
        assert_eq!(status.as_u16(), 500, "the limits are lifted");
    }
    assert_eq!(served.end("-TERM"), Some(0));
}

#[test]
fn what_the_user_is_told() {
    let mut session = Session::new();
    assert_eq!(session.run(&["sandbox", "--help"]).exit, 0);
    assert_eq!(session.run(&["sandbox", "clock", "--help"]).exit, 0);
    assert_eq!(session.run(&["sandbox", "faults"]).exit, 0);
    session.write(
        "faults.toml",
        "sede = 7\n[[fault]]\nkind = \"rate-limitd\"\nevery = 5\n\n[[fault]]\nkind = \"late-days\"\nat = [3]\n\n\
         [[fault]]\nkind = \"repeated-page\"\non = [\"token\"]\nevery = 0\n",
    );
    assert_eq!(session.run(&["sandbox", "--faults", "faults.toml"]).exit, 3);
    assert_eq!(session.run(&["sandbox", "--faults", "elsewhere.toml"]).exit, 2);
    session.write(
        "settings.toml",
        "rate_windw = \"5 seconds\"\ntoken_life = \"an hour\"\nper_page_at_most = 0\n",
    );
    assert_eq!(session.run(&["sandbox", "--settings", "settings.toml"]).exit, 3);
    assert_eq!(session.run(&["sandbox", "--address", "192.0.2.1:4010"]).exit, 2);
    assert_eq!(session.run(&["sandbox", "clock"]).exit, 2);
    let secrets = [("TOLLBOOK_CLIENT_ID", "x"), ("TOLLBOOK_CLIENT_SECRET", "y")];
    assert_eq!(session.run_with(&["sandbox", "clock", "--advance", "soon"], &secrets).exit, 2);
    assert_eq!(session.run_with(&["sandbox", "clock", "--address", "192.0.2.1:1"], &secrets).exit, 2);
    assert_eq!(session.run_with(&["sandbox", "clock", "--address", "127.0.0.1:1"], &secrets).exit, 6);
    session.golden("sandbox");
}
