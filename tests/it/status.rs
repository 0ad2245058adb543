//! What `status` says of a healthy and of a broken collection.

use std::sync::Arc;

use tollbook::sandbox::{FaultPlan, Options, Running, Unrest};

use crate::company::{Company, instant};
use crate::support::session::{CONFIGURATION, Session};

const FROM: &str = "2026-10-01T04:00:00Z";

/// Some days of a small company in which much comes late.
fn company() -> Company {
    let mut company = Company::new(Options { limits_lifted: true, days: 5, ..Options::default() });
    let unrest = Unrest { seed: 3, days: 5, calls: 140, messages: 40, mailboxes: 3, latest_days: 4 };
    company.world = Arc::new(company.world.restless(&unrest));
    company
}

struct Desk {
    session: Session,
    service: Running,
}

impl Desk {
    fn new(company: &Company, change: impl FnOnce(&mut Options)) -> Desk {
        let service = company.serve_with("2026-10-02T12:00:00Z", change);
        let mut session = Session::with_company();
        session
            .write("tollbook.toml", format!("{CONFIGURATION}\n[service]\nurl = \"{}\"\n", service.base_url));
        session.hide(&service.base_url, "[service]");
        Desk { session, service }
    }

    fn run(&mut self, arguments: &[&str], exit: i32) {
        let secrets = [
            ("TOLLBOOK_CLIENT_ID", self.service.client_id.clone()),
            ("TOLLBOOK_CLIENT_SECRET", self.service.client_secret.clone()),
            ("TOLLBOOK_JWT", self.service.jwt.clone()),
        ];
        let secrets = secrets.each_ref().map(|(name, value)| (*name, value.as_str()));
        let ended = self.session.run_with(arguments, &secrets);
        assert_eq!(ended.exit, exit, "{}{}", ended.output, ended.talk);
    }

    /// The status, without the size of the book: compression may change with its library.
    fn golden(mut self, name: &str) {
        let mut unseen = std::process::Command::new(env!("CARGO_BIN_EXE_tollbook"));
        let folder = self.session.path("");
        let said = unseen.arg("status").current_dir(folder).env_clear().output().unwrap().stdout;
        let said = String::from_utf8(said).unwrap();
        let size = said.split_once("tollbook.book, ").and_then(|(_, rest)| rest.split_once(" in "));
        self.session.hide(size.unwrap().0, "[size]");
        self.run(&["status"], 0);
        self.session.golden(name);
    }

    fn pull(&mut self, at: &str, exit: i32) {
        self.service.clock.set(instant(at));
        self.run(&["pull", "--from", FROM, "--at", at], exit);
    }
}

#[test]
fn of_a_healthy_collection() {
    let company = company();
    let mut desk = Desk::new(&company, |_| {});
    for at in ["2026-10-03T00:40:00Z", "2026-10-06T00:40:00Z", "2026-10-14T00:40:00Z"] {
        desk.pull(at, 0);
    }
    desk.golden("status-healthy");
}

#[test]
fn of_a_broken_collection() {
    let company = company();
    // The first mailbox may not be read, the changes of calls are not offered, and the service fails for good in the
    // middle of the second pull.
    let plan = "seed = 1\n[[fault]]\nkind = \"forbidden\"\non = [\"call-sync\"]\n\
                [[fault]]\nkind = \"internal-error\"\non = [\"call-log\"]\nat = [6, 7, 8, 9, 10]\n";
    let plan = FaultPlan::parse(plan).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    let mut desk = Desk::new(&company, |options| options.faults = plan);
    desk.pull("2026-10-03T00:40:00Z", 0);
    desk.pull("2026-10-06T00:40:00Z", 6);
    desk.golden("status-broken");
}
