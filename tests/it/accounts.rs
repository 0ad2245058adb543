//! Several accounts in one configuration, months read again, plans without a request, and calls looked up by session.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tollbook::sandbox::{Options, Running, customer};

use crate::company::{Company, EARLY, Ended, FINALISE, FROM, LATE, Workspace, instant, sunday};

/// Two services in one folder: north has its secrets in the environment, south in a file of its own.
struct Two {
    folder: TempDir,
    north: Running,
    south: Running,
}

fn limited(seed: u64) -> Options {
    Options { seed, limits_lifted: false, rate_window: Duration::from_secs(1), ..sunday() }
}

impl Two {
    fn new(north: &Company, south: &Company) -> Two {
        let (north_service, south_service) = (north.serve(LATE), south.serve(LATE));
        let folder = tempfile::tempdir().unwrap();
        customer::write(&north.world, folder.path(), Some(&north_service.base_url)).unwrap();
        let path = folder.path().join("tollbook.toml");
        let text = fs::read_to_string(&path).unwrap();
        let windows = "[collect]\ncall_log_window = \"45 days\"\nmessage_window = \"45 days\"\n";
        let accounts = format!(
            "[account.north]\nurl = \"{}\"\n\n[account.south]\nurl = \"{}\"\nsecrets = \"south.toml\"\nbook = \"southern.book\"\n",
            north_service.base_url, south_service.base_url
        );
        let mut lines = Vec::new();
        let mut inside = false;
        for line in text.lines() {
            if line.starts_with('[') {
                inside = line == "[service]";
            }
            if !inside && !line.starts_with("series") {
                lines.push(line);
            }
        }
        let text = format!("{}\n{accounts}", lines.join("\n").replacen("[collect]\n", windows, 1));
        fs::write(path, text).unwrap();
        let two = Two { folder, north: north_service, south: south_service };
        two.write_south(&two.south.jwt);
        two
    }

    fn write_south(&self, jwt: &str) {
        let secrets = format!(
            "client_id = \"{}\"\nclient_secret = \"{}\"\njwt = \"{jwt}\"\n",
            self.south.client_id, self.south.client_secret
        );
        let path = self.folder.path().join("south.toml");
        fs::write(&path, secrets).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollbook"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("TOLLBOOK_NORTH_CLIENT_ID", &self.north.client_id);
        command.env("TOLLBOOK_NORTH_CLIENT_SECRET", &self.north.client_secret);
        command.env("TOLLBOOK_NORTH_JWT", &self.north.jwt);
        // Secrets without a name are nobody's here.
        command.env("TOLLBOOK_JWT", "of-no-account");
        Ended::of(command.output().unwrap())
    }

    fn has_book(&self, name: &str) -> bool {
        self.folder.path().join(name).join("book.db").is_file()
    }
}

const PULL: [&str; 5] = ["pull", "--from", FROM, "--at", LATE];

#[test]
fn each_account_has_its_own_service_book_and_budget() {
    let (north, south) = (Company::new(limited(1)), Company::new(limited(2)));
    let two = Two::new(&north, &south);
    let refused = two.run(&PULL).expect(2);
    assert!(refused.err.contains("several accounts: north, south"), "{}", refused.err);
    assert!(refused.err.contains("--account north"), "{}", refused.err);
    let unknown = two.run(&[&PULL[..], &["--account", "east"]].concat()).expect(2);
    assert!(unknown.err.contains("north, south"), "{}", unknown.err);
    two.run(&[&PULL[..], &["--account", "north"]].concat()).expect(0);
    assert!(two.has_book("north.book") && !two.has_book("southern.book"));
    assert_eq!(two.south.stats.total(), 0, "nobody asked the other service");
    let before = two.north.stats.total();
    let both =
        two.run(&[&PULL[..], &["--all", "--side-by-side", "--format", "json"]].concat()).expect(0).json();
    assert!(two.has_book("southern.book"));
    let accounts = both["accounts"].as_array().unwrap();
    assert_eq!((&accounts[0]["account"], &accounts[1]["account"]), (&"north".into(), &"south".into()));
    assert_eq!(accounts[0]["requests"].as_u64().unwrap(), two.north.stats.total() - before);
    assert_eq!(accounts[1]["requests"].as_u64().unwrap(), two.south.stats.total());
    for service in [&two.north, &two.south] {
        assert_eq!(service.stats.refused(), 0, "each keeps the limits of its own service");
    }
    for name in ["north", "south"] {
        two.run(&["status", "--account", name]).expect(0);
        two.run(&["verify", "--account", name]).expect(0);
    }
    two.run(&["status"]).expect(2);
}

#[test]
fn one_that_fails_does_not_stop_the_other() {
    let (north, south) = (Company::new(sunday()), Company::new(sunday()));
    let two = Two::new(&north, &south);
    two.write_south("forged-jwt");
    for more in [&["--all"][..], &["--all", "--side-by-side"]] {
        let ended = two.run(&[&PULL[..], more, &["--format", "json"]].concat()).expect(6);
        let json = ended.json();
        assert_eq!(json["accounts"][0]["exit"], 0);
        assert_eq!(json["accounts"][1]["exit"], 6);
        assert!(ended.err.contains("south") && ended.err.contains("JWT"), "{}", ended.err);
        assert!(!ended.err.contains("forged-jwt"));
    }
    let text = two.run(&[&PULL[..], &["--all"]].concat()).expect(6);
    assert!(text.out.contains("north: ") && text.out.contains("south: failed, exit code 6"), "{}", text.out);
}

#[test]
fn each_account_numbers_its_own_invoices() {
    let (north, south) = (Company::new(sunday()), Company::new(sunday()));
    let two = Two::new(&north, &south);
    two.run(&[&PULL[..], &["--all"]].concat()).expect(0);
    for (name, series) in [("north", "NORTH-"), ("south", "SOUTH-")] {
        two.run(&[&FINALISE[..], &["--account", name]].concat()).expect(0);
        let list = two.run(&["invoice", "list", "--account", name]).expect(0);
        assert!(list.out.contains(series), "{}", list.out);
        assert!(two.folder.path().join("out").join(name).join("2026-10/index.html").is_file());
    }
}

#[test]
fn a_plan_without_a_request_is_what_the_pull_does() {
    let company = Company::new(sunday());
    let service = company.serve(LATE);
    let workspace = Workspace::new(&company.world, &service);
    let plan = |more: &[&str]| {
        workspace.run(&[&PULL[..], &["--dry-run", "--format", "json"], more].concat()).expect(0).json()
    };
    let first = plan(&[]);
    assert!(!workspace.book().exists() && service.stats.total() == 0, "nothing is made and nothing is asked");
    assert_eq!(first["mailboxes"], serde_json::Value::Null);
    let pulled = workspace.pull(LATE).expect(0).json();
    assert!(first["requests_at_least"].as_u64().unwrap() <= pulled["requests"].as_u64().unwrap());
    let asked = service.stats.total();
    // With the mailboxes known, what is planned is what happens.
    let again = plan(&["--reread"]);
    assert_eq!(service.stats.total(), asked);
    let pulled = workspace.run(&[&PULL[..], &["--reread", "--format", "json"]].concat()).expect(0).json();
    assert_eq!(again["requests_at_least"], pulled["requests"], "{again}");
    let text = workspace.run(&[&PULL[..], &["--dry-run"]].concat()).expect(0).out;
    assert!(text.contains("earlier listings") && text.contains("Nothing was asked."), "{text}");
}

#[test]
fn a_month_is_read_again_before_it_is_closed() {
    let company = Company::new(sunday());
    let service = company.serve(EARLY);
    let workspace = Workspace::new(&company.world, &service);
    workspace.pull(EARLY).expect(0);
    service.clock.set(instant(LATE));
    workspace.pull(LATE).expect(0);
    let refused = workspace.finalise().expect(9);
    assert!(refused.err.contains("not read again after the period's end"), "{}", refused.err);
    assert!(refused.err.contains("tollbook pull --period 2026-10"), "{}", refused.err);
    workspace.run(&["pull", "--period", "2026-10", "--at", LATE]).expect(0);
    workspace.finalise().expect(0);
    for wrong in [
        &["pull", "--period", "2026-10", "--from", FROM][..],
        &["pull", "--from", LATE, "--to", FROM],
        &["pull", "--again"],
        &["pull", "--side-by-side"],
    ] {
        workspace.run(wrong).expect(2);
    }
}

#[test]
fn a_back_fill_ends_where_it_should() {
    let company = Company::new(sunday());
    let service = company.serve(LATE);
    let workspace = Workspace::new(&company.world, &service);
    let until = ["pull", "--from", FROM, "--to", "2026-10-15T00:00:00Z", "--at", LATE];
    workspace.run(&until).expect(0);
    let feeds = workspace.counts()["feeds"].clone();
    let calls = feeds.as_array().unwrap().iter().find(|feed| feed["feed"] == "call-log").unwrap();
    assert_eq!(calls["windows"], 1, "{calls}");
    workspace.pull(LATE).expect(0);
    let feeds = workspace.counts()["feeds"].clone();
    let calls = feeds.as_array().unwrap().iter().find(|feed| feed["feed"] == "call-log").unwrap();
    assert_eq!(calls["windows"], 2, "{calls}");
}

/// The session ids of some call in the book.
fn some_session(workspace: &Workspace) -> (String, Option<String>) {
    use tollbook::book::Book;
    use tollbook::domain::record::RecordKind;
    let book = Book::open(&workspace.book()).unwrap();
    let versions = book.scan(&[RecordKind::Call], None, &tollbook::run::facts::codec()).unwrap();
    let call: serde_json::Value = serde_json::from_str(&versions[0].record.json).unwrap();
    let text = |name: &str| call[name].as_str().map(str::to_owned);
    (text("sessionId").unwrap(), text("telephonySessionId"))
}

#[test]
fn a_call_is_looked_up_by_either_session_id() {
    let company = Company::new(sunday());
    let service = company.serve(LATE);
    let workspace = Workspace::new(&company.world, &service);
    workspace.pull(LATE).expect(0);
    let before = workspace.counts();
    let asked = service.stats.total();
    let (session, telephony) = some_session(&workspace);
    for id in std::iter::once(&session).chain(telephony.as_ref()) {
        let found = workspace.run(&["session", id, "--offline"]).expect(0);
        assert!(found.out.contains("book:     1 record") || found.out.contains("records"), "{}", found.out);
        assert!(found.out.contains("service:  not asked"));
        assert!(!found.out.contains("+1212"), "numbers are masked: {}", found.out);
    }
    assert_eq!(service.stats.total(), asked, "offline is offline");
    workspace.run(&["session", "999999999999", "--offline"]).expect(4);
    workspace.run(&["session", "not a session"]).expect(2);
    assert_eq!(workspace.counts(), before, "nothing is kept");
}
