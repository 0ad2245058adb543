//! `tollbook init`: first files to change.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::domain::{Exit, Failure, Result};

use super::printer::Printer;

const CONFIGURATION: &str = include_str!("init/tollbook.toml");
const CONTACTS: &str = include_str!("init/contacts.csv");
const RULES: &str = include_str!("../../rules/example/standard.toml");

/// A file of a template: its path in the folder, and its text.
type Template = &'static [(&'static str, &'static str)];

/// The files of `rules/NAME` at their places: lists beside the configuration, the rest in the folder of rules.
macro_rules! template {
    ($name:literal, [$($list:literal),+], [$($file:literal),+]) => {
        &[
            $(($list, include_str!(concat!("../../rules/", $name, "/", $list)))),+,
            $((concat!("rules/", $file), include_str!(concat!("../../rules/", $name, "/", $file)))),+
        ]
    };
}

/// The rule sets to start from.
#[derive(Clone, Copy, ValueEnum)]
enum Choice {
    /// One simple tariff
    Example,
    /// People's time by matter in six-minute units, disbursements at cost
    LawFirm,
    /// Minutes resold by rate decks, fees for extensions and numbers, margin
    ManagedServiceProvider,
    /// Packages, pools and volume prices of operators' minutes
    AnsweringService,
    /// Reminders by segment and page, billed by what became of them
    Clinic,
}

impl Choice {
    fn files(self) -> Template {
        match self {
            Choice::Example => &[("contacts.csv", CONTACTS), ("rules/standard.toml", RULES)],
            Choice::LawFirm => template!("law-firm", ["contacts.csv"], ["law-firm.toml"]),
            Choice::ManagedServiceProvider => template!(
                "managed-service-provider",
                ["contacts.csv", "directory.csv"],
                ["reseller.toml", "world-sell.csv", "world-buy.csv"]
            ),
            Choice::AnsweringService => {
                template!("answering-service", ["contacts.csv"], ["packages.toml", "us-holidays.csv"])
            }
            Choice::Clinic => template!("clinic", ["contacts.csv"], ["reminders.toml"]),
        }
    }
}

/// The arguments of `init`.
#[derive(Args)]
#[command(after_help = "Examples:\n  tollbook init --folder billing\n  tollbook init --template law-firm")]
pub struct Arguments {
    /// Folder for the files
    #[arg(long, default_value = ".", value_name = "DIR")]
    folder: PathBuf,
    /// Rules and contacts to start from
    #[arg(long, default_value = "example", value_name = "NAME")]
    template: Choice,
}

/// Writes the files; never over existing ones.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let folder = &arguments.folder;
    let rules = folder.join("rules");
    fs::create_dir_all(&rules).map_err(|error| Failure::io(&error, format!("making {}", rules.display())))?;
    let mut files = vec![(folder.join("tollbook.toml"), CONFIGURATION)];
    files.extend(arguments.template.files().iter().map(|(path, text)| (folder.join(path), *text)));
    for (path, _) in &files {
        if path.exists() {
            return Err(Failure::new(Exit::Usage, format!("{} exists already", path.display()))
                .hint("Name an empty folder, or change the files that are there."));
        }
    }
    for (path, text) in &files {
        write(path, text)?;
    }
    let shown: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
    let text = format!("Wrote {}.\nNext: change them, then `tollbook rules check`.", shown.join(", "));
    printer.result(&serde_json::json!({ "files": shown }), &text);
    Ok(Exit::Done)
}

fn write(path: &Path, text: &str) -> Result<()> {
    let doing = || format!("writing {}", path.display());
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(|error| Failure::io(&error, doing()))?;
    file.write_all(text.as_bytes()).map_err(|error| Failure::io(&error, doing()))
}
