//! The official SDKs, unmodified, against the sandbox: sign in by JWT, turn the pages of the call log, read a mailbox.
//!
//! They are installed once below the build folder. Where that is not possible (no Python or Node, no network) the test
//! says so and passes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tollbook::sandbox::{Options, Running};

use crate::company::{Company, LATE, sunday};

const INSTALLING: Duration = Duration::from_secs(180);
const READING: Duration = Duration::from_secs(120);
const SPAN: (&str, &str) = ("2026-10-17T00:00:00Z", "2026-10-21T00:00:00Z");

/// One SDK: how it is installed into a folder, and how a script with it is run.
struct Sdk {
    name: &'static str,
    /// Names the folder it is kept in: another version is another folder.
    version: &'static str,
    install: fn(&Path, &str) -> Command,
    session: fn(&Path) -> Command,
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/sdk").join(name)
}

const PYTHON: Sdk = Sdk {
    name: "ringcentral",
    version: "0.9.2",
    install: |folder, wanted| {
        let mut command = Command::new("python3");
        command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]);
        command.arg(folder).arg(wanted.replace('@', "=="));
        command
    },
    session: |folder| {
        let mut command = Command::new("python3");
        command.arg(script("session.py")).env("PYTHONPATH", folder);
        command
    },
};

const JAVASCRIPT: Sdk = Sdk {
    name: "@ringcentral/sdk",
    version: "5.0.11",
    install: |folder, wanted| {
        let mut command = Command::new("npm");
        command.args(["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"]);
        command.arg(folder).arg(wanted);
        command
    },
    session: |folder| {
        let mut command = Command::new("node");
        command.arg(script("session.js")).env("NODE_PATH", folder.join("node_modules"));
        command
    },
};

/// Runs a command with a limit of time; its output if it succeeded, what it complained about if not.
fn run(command: &mut Command, limit: Duration) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let (output, talk) = (folder.path().join("output"), folder.path().join("talk"));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(File::create(&output).unwrap())
        .stderr(File::create(&talk).unwrap())
        .spawn()
        .map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > limit {
            child.kill().unwrap();
            child.wait().unwrap();
            return Err(format!("{:?} took more than {limit:?}", command.get_program()));
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    if status.success() { Ok(read(&output)) } else { Err(format!("{status}: {}", read(&talk))) }
}

/// Says that a test did not take place, past the harness that hides what passing tests say.
fn skipped(sdk: &Sdk, why: &str) {
    let why = why.lines().last().unwrap_or_default();
    let line = format!("SKIPPED: the SDK {} {} could not be installed: {why}\n", sdk.name, sdk.version);
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// The folder of an installed SDK.
fn installed(sdk: &Sdk) -> Result<PathBuf, String> {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let place = kept.join(format!("sdk-{}-{}", sdk.name.replace(['@', '/'], "-"), sdk.version));
    if place.is_dir() {
        return Ok(place);
    }
    // Installed beside its place and moved there when it is whole.
    let fresh = tempfile::tempdir_in(kept).unwrap();
    run(&mut (sdk.install)(fresh.path(), &format!("{}@{}", sdk.name, sdk.version)), INSTALLING)?;
    match fs::rename(fresh.path(), &place) {
        Ok(()) => Ok(place),
        Err(_) if place.is_dir() => Ok(place),
        Err(error) => Err(error.to_string()),
    }
}

/// The extension with the most texts, by the world's truth, and the ids of its messages other than voicemails.
fn mailbox(service: &Running) -> (String, BTreeSet<String>) {
    let mut mailboxes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let truth = service.world.truth();
    for text in &truth.texts {
        mailboxes.entry(text.extension.clone()).or_default().insert(text.message_id.to_string());
    }
    for fax in truth.faxes.iter().filter(|fax| fax.message_id.is_some()) {
        let id = fax.message_id.unwrap().to_string();
        mailboxes.entry(fax.extension.clone()).or_default().insert(id);
    }
    let busiest = mailboxes.into_iter().max_by_key(|(extension, ids)| (ids.len(), extension.clone()));
    busiest.unwrap()
}

fn reads_everything(sdk: &Sdk) {
    let folder = match installed(sdk) {
        Ok(folder) => folder,
        Err(why) => return skipped(sdk, &why),
    };
    // Links lead to the sandbox itself, for an SDK follows them as they are.
    let company = Company::new(Options { advertised_origin: None, ..sunday() });
    let service = company.serve(LATE);
    let (extension, messages) = mailbox(&service);
    let output = run(
        (sdk.session)(&folder)
            .env("RC_SERVER_URL", &service.base_url)
            .env("RC_CLIENT_ID", &service.client_id)
            .env("RC_CLIENT_SECRET", &service.client_secret)
            .env("RC_JWT", &service.jwt)
            .envs([("RC_FROM", SPAN.0), ("RC_TO", SPAN.1), ("RC_EXTENSION", extension.as_str())])
            .envs([("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")]),
        READING,
    );
    let found: Value =
        serde_json::from_str(&output.unwrap_or_else(|why| panic!("{}: {why}", sdk.name))).unwrap();
    let ids = |name: &str| -> BTreeSet<String> {
        let list = found[name].as_array().unwrap();
        let ids: BTreeSet<String> = list.iter().map(|id| id.as_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), list.len(), "{name}: none comes twice");
        ids
    };
    let truth = service.world.truth();
    let calls = truth.calls.iter().flat_map(|call| &call.records);
    let calls: BTreeSet<String> =
        calls.chain(truth.faxes.iter().flat_map(|fax| &fax.records)).cloned().collect();
    assert_eq!(ids("calls"), calls, "every record of the log, deleted ones too");
    assert_eq!(found["pages"].as_u64().unwrap(), (calls.len() as u64).div_ceil(50), "to the last page");
    assert!(messages.len() > 4, "the mailbox has some pages: {messages:?}");
    assert_eq!(ids("messages"), messages, "every message of {extension}");
    assert!(!ids("synced").is_empty());
    assert!(found["extensions"].as_u64().unwrap() > 5 && found["logged_out"] == true, "{found}");
    assert_eq!(service.stats.refused(), 0);
}

#[test]
fn the_python_sdk_reads_everything() {
    reads_everything(&PYTHON);
}

#[test]
fn the_javascript_sdk_reads_everything() {
    reads_everything(&JAVASCRIPT);
}
