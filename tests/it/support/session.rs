//! A session with the built binary: files in a folder of its own, commands, and what came of them as one text, so that a
//! golden file reads like a terminal.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A folder with files, and what was said so far.
pub struct Session {
    folder: TempDir,
    said: String,
    hidden: Vec<(String, String)>,
}

/// What one command left behind.
pub struct Ended {
    pub exit: i32,
    pub output: String,
    pub talk: String,
}

impl Session {
    /// An empty folder.
    pub fn new() -> Session {
        Session { folder: TempDir::new().unwrap(), said: String::new(), hidden: Vec::new() }
    }

    /// A folder with a configuration for October 2026, one tariff and two contacts, without an account.
    pub fn with_company() -> Session {
        let session = Session::new();
        session.write("tollbook.toml", CONFIGURATION);
        session.write("rules/standard.toml", RULES);
        session.write("contacts.csv", CONTACTS);
        session
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file; folders on the way are made.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Runs the binary in the folder, in an environment that says nothing about the machine.
    pub fn run(&mut self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, &[])
    }

    /// As [`Session::run`], with variables of the environment.
    pub fn run_with(&mut self, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
        let done = Command::new(env!("CARGO_BIN_EXE_tollbook"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("USER", "tester")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| self.filtered(std::str::from_utf8(bytes).expect("the binary writes UTF-8"));
        let (output, talk) = (text(&done.stdout), text(&done.stderr));
        let exit = done.status.code().expect("the binary was not killed");
        self.said.push_str(&format!("$ tollbook {}\nexit: {exit}\n", arguments.join(" ")));
        for (name, text) in [("output", &output), ("talk", &talk)] {
            if !text.is_empty() {
                self.said.push_str(&format!("--- {name}\n{}\n", text.trim_end_matches('\n')));
            }
        }
        self.said.push('\n');
        Ended { exit, output, talk }
    }

    /// Shows `name` in the place of a text that differs from run to run.
    pub fn hide(&mut self, text: &str, name: &str) {
        self.hidden.push((text.to_owned(), name.to_owned()));
    }

    /// Paths and process numbers differ from run to run.
    fn filtered(&self, text: &str) -> String {
        let real = self.folder.path().canonicalize().unwrap();
        let mut text = text.to_owned();
        for folder in [real.as_path(), self.folder.path()] {
            text = text.replace(&folder.display().to_string(), "[folder]");
        }
        for (hidden, name) in &self.hidden {
            text = text.replace(hidden, name);
        }
        text.replace(&format!("process {}:", std::process::id()), "process [number]:")
    }

    /// Compares everything said with `fixtures/golden/cli/NAME.txt`; with `UPDATE_GOLDEN=1` writes it there instead.
    #[track_caller]
    pub fn golden(&self, name: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/golden/cli/{name}.txt"));
        if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &self.said).unwrap();
            return;
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            self.said, expected,
            "\n{name} differs from its golden file; UPDATE_GOLDEN=1 writes what is now. Said now:\n{}",
            self.said
        );
    }
}

pub const CONFIGURATION: &str = r#"country  = "US"
zone     = "America/New_York"
rules    = "rules"
contacts = "contacts.csv"

[company]
name    = "Example Answering Service LLC"
address = ["1 Main Street", "Springfield, NY 10001"]
"#;

pub const RULES: &str = r#"default_tariff = "standard"

[tariff.standard]
currency = "USD"
zone     = "America/New_York"

[[tariff.standard.rate]]
name      = "Calls"
match     = { channel = "voice" }
price     = "0.60 per minute"
increment = "60/6"

[[tariff.standard.rate]]
name  = "Texts"
match = { channel = "sms" }
price = "0.05 per message"
"#;

pub const CONTACTS: &str = "\
id,name,numbers,tax_name,tax_rate
smith-law,Smith & Partners,+12125550143,Sales tax,8.875
maple-dental,Maple Street Dental,+12125550150,,
";

pub const USAGE: &str = "\
id,start,seconds,channel,direction,from,to,outcome
a,2026-10-05T10:00:00-04:00,61,voice,inbound,+19175550100,+12125550143,answered
b,2026-10-06T10:00:00-04:00,30,voice,inbound,+19175550101,+12125550150,answered
c,2026-10-07T10:00:00-04:00,,sms,outbound,+12125550143,+12125550150,delivered
d,2026-10-08T10:00:00-04:00,20,voice,outbound,+12125550199,+19175550188,answered
";
