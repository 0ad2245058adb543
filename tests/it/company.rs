//! The sandbox's invented company as its users see it: the service over real HTTP on loopback, the customer's files in a
//! folder, and the program as a child process.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tollbook::sandbox::{self, Clock, Options, Running, World, customer};

/// Two windows of 45 days, from 4 September to 19 October and to 3 December, cover October 2026 in every zone.
pub const FROM: &str = "2026-09-30T00:00:00Z";
/// The first window is closed, and the world's last evening is not over yet.
pub const EARLY: &str = "2026-10-19T00:40:00Z";
/// Both are closed, and everything has settled.
pub const LATE: &str = "2026-12-03T01:00:00Z";

const CONFIGURATION: &str = "tollbook.toml";

/// Everything under a folder: path with `/` and bytes.
pub type Tree = BTreeMap<String, Vec<u8>>;

/// A world and the runtime that its services run in.
pub struct Company {
    pub runtime: Runtime,
    pub world: Arc<World>,
    options: Options,
}

pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A Sunday: the smallest world that still has late, edited and unusual records.
pub fn sunday() -> Options {
    Options {
        from: instant("2026-10-18T12:00:00Z"),
        days: 1,
        limits_lifted: true,
        advertised_origin: Some("http://sandbox.invalid".to_owned()),
        ..Options::default()
    }
}

impl Company {
    pub fn new(options: Options) -> Company {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let world = Arc::new(World::generate(options.plot()));
        Company { runtime, world, options }
    }

    /// Serves the world as it was at a virtual instant.
    pub fn serve(&self, at: &str) -> Running {
        self.serve_with(at, |_| {})
    }

    pub fn serve_with(&self, at: &str, change: impl FnOnce(&mut Options)) -> Running {
        let mut options = self.options.clone();
        change(&mut options);
        let _inside = self.runtime.enter();
        sandbox::serve(Arc::clone(&self.world), options, Clock::fixed(instant(at))).unwrap()
    }
}

/// A folder with the customer's files.
pub struct Workspace {
    pub folder: TempDir,
    secrets: [(&'static str, String); 3],
}

impl Workspace {
    /// The customer's files for a service; the collection in windows of 45 days, to keep requests few.
    pub fn new(world: &World, service: &Running) -> Workspace {
        let folder = tempfile::tempdir().unwrap();
        customer::write(world, folder.path(), Some(&service.base_url)).unwrap();
        let path = folder.path().join(CONFIGURATION);
        let text = fs::read_to_string(&path).unwrap();
        let windows = "[collect]\ncall_log_window = \"45 days\"\nmessage_window = \"45 days\"\n";
        let changed = text.replacen("[collect]\n", windows, 1);
        assert_ne!(text, changed);
        fs::write(path, changed).unwrap();
        let secrets = [
            ("TOLLBOOK_CLIENT_ID", service.client_id.clone()),
            ("TOLLBOOK_CLIENT_SECRET", service.client_secret.clone()),
            ("TOLLBOOK_JWT", service.jwt.clone()),
        ];
        Workspace { folder, secrets }
    }

    /// Another folder with the same files.
    pub fn duplicate(&self) -> Workspace {
        let folder = tempfile::tempdir().unwrap();
        copy(self.folder.path(), folder.path());
        Workspace { folder, secrets: self.secrets.clone() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn book(&self) -> PathBuf {
        self.path("tollbook.book")
    }

    /// Sets one secret to another value.
    pub fn forge(&mut self, name: &str, value: &str) {
        for (known, secret) in &mut self.secrets {
            if *known == name {
                value.clone_into(secret);
            }
        }
    }

    /// A second configuration that differs in the address of the service only.
    pub fn add_service(&self, name: &str, url: &str) {
        let text = fs::read_to_string(self.path(CONFIGURATION)).unwrap();
        let lines: Vec<String> = text
            .lines()
            .map(|line| match line.starts_with("url = ") {
                true => format!("url = \"{url}\""),
                false => line.to_owned(),
            })
            .collect();
        fs::write(self.path(name), lines.join("\n")).unwrap();
    }

    /// The program with the secrets in its environment and nothing else of ours.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollbook"));
        command.current_dir(self.folder.path()).args(arguments);
        for name in ["TOLLBOOK_CRASH_AT", "TOLLBOOK_CRASH_TRACE", "TOLLBOOK_PLANT"] {
            command.env_remove(name);
        }
        command.envs(self.secrets.iter().map(|(name, value)| (*name, value.as_str())));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments).output().unwrap())
    }

    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    pub fn pull(&self, at: &str) -> Ended {
        self.run(&["pull", "--from", FROM, "--at", at, "--format", "json"])
    }

    pub fn finalise(&self) -> Ended {
        self.run(&FINALISE)
    }

    /// The output folder, byte for byte.
    pub fn output(&self) -> Tree {
        tree(&self.path("out"))
    }

    /// Counts of `status` that a crash must not change; how the bytes are spread over files may differ.
    pub fn counts(&self) -> Value {
        let ended = self.run(&["status", "--format", "json"]).expect(0);
        let mut counts = ended.json();
        let object = counts.as_object_mut().unwrap();
        object.remove("bytes");
        object.remove("segments");
        counts
    }
}

/// Bills the month of the world.
pub const FINALISE: [&str; 8] =
    ["run", "--period", "2026-10", "--finalise", "--actor", "test", "--issue-date", "2026-11-20"];

/// How a child ended.
#[derive(Debug)]
pub struct Ended {
    /// Absent when a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    pub fn of(output: Output) -> Ended {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Ended {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

/// Reads a folder whole; nothing where there is no folder.
pub fn tree(folder: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut folders = vec![(folder.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.unwrap(),
        };
        for entry in entries {
            let entry = entry.unwrap();
            let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            match entry.file_type().unwrap().is_dir() {
                true => folders.push((entry.path(), format!("{path}/"))),
                false => drop(tree.insert(path, fs::read(entry.path()).unwrap())),
            }
        }
    }
    tree
}

/// How two trees differ, in a few words; nothing when they are equal.
pub fn difference(expected: &Tree, found: &Tree) -> Option<String> {
    let paths: std::collections::BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let differing = paths.into_iter().find(|path| expected.get(*path) != found.get(*path))?;
    Some(match (expected.get(differing), found.get(differing)) {
        (Some(_), None) => format!("{differing} is missing"),
        (None, Some(_)) => format!("{differing} is too much"),
        _ => format!("{differing} has other bytes"),
    })
}

/// Copies a folder into one that does not exist yet.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

/// Pages as the service serves them, in the order in which they were asked for.
pub struct Served {
    /// A name for a file and the body.
    pub pages: Vec<(String, String)>,
    /// Texts of messages, long enough not to stand anywhere by chance.
    pub texts: Vec<String>,
}

/// Reads the account, its extensions, calls and messages with a client of our own.
pub fn serve_pages(company: &Company, service: &Running) -> Served {
    company.runtime.block_on(fetch(service))
}

async fn fetch(service: &Running) -> Served {
    const SPAN: &str = "dateFrom=2026-09-01T00:00:00Z&dateTo=2026-12-01T00:00:00Z";
    const ACCOUNT: &str = "/restapi/v1.0/account/~";
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let form = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", &service.jwt)];
    let request = http.post(format!("{}/restapi/oauth/token", service.base_url));
    let request = request.basic_auth(&service.client_id, Some(&service.client_secret)).form(&form);
    let answer: Value = serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
    let token = answer["access_token"].as_str().unwrap();
    let mut served = Served { pages: Vec::new(), texts: Vec::new() };
    let mut lists = vec![
        ("account".to_owned(), ACCOUNT.to_owned()),
        ("extensions".to_owned(), format!("{ACCOUNT}/extension?")),
        ("calls".to_owned(), format!("{ACCOUNT}/call-log?view=Detailed&showDeleted=true&{SPAN}&")),
    ];
    let mut next = 0;
    while next < lists.len() {
        let (name, path) = lists[next].clone();
        next += 1;
        for number in 1.. {
            let paging = if path.ends_with(['?', '&']) {
                format!("page={number}&perPage=1000")
            } else {
                String::new()
            };
            let request = http.get(format!("{}{path}{paging}", service.base_url)).bearer_auth(token);
            let body = request.send().await.unwrap().text().await.unwrap();
            let page: Value = serde_json::from_str(&body).unwrap();
            for record in page["records"].as_array().into_iter().flatten() {
                if name == "extensions" && record["type"] != "IvrMenu" {
                    let mailbox = record["id"].to_string();
                    let kinds = "availability=Alive&availability=Deleted&availability=Purged";
                    let path = format!("{ACCOUNT}/extension/{mailbox}/message-store?{kinds}&{SPAN}&");
                    lists.push((format!("messages-{mailbox}"), path));
                }
                let text = record["subject"].as_str().filter(|text| text.len() >= 16);
                served.texts.extend(text.map(str::to_owned));
            }
            served.pages.push((format!("{name}-{number}.json"), body));
            if page["navigation"]["nextPage"].is_null() {
                break;
            }
        }
    }
    served
}
