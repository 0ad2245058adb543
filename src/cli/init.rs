//! `tollbook init`: first files to change.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::domain::{Exit, Failure, Result};

use super::printer::Printer;

const CONFIGURATION: &str = include_str!("init/tollbook.toml");
const CONTACTS: &str = include_str!("init/contacts.csv");
const RULES: &str = include_str!("../../rules/example/standard.toml");

/// The arguments of `init`.
#[derive(Args)]
#[command(after_help = "Example: tollbook init --folder billing")]
pub struct Arguments {
    /// Folder for the files
    #[arg(long, default_value = ".", value_name = "DIR")]
    folder: PathBuf,
}

/// Writes the files; never over existing ones.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let folder = &arguments.folder;
    let rules = folder.join("rules");
    fs::create_dir_all(&rules).map_err(|error| Failure::io(&error, format!("making {}", rules.display())))?;
    let files = [
        (folder.join("tollbook.toml"), CONFIGURATION),
        (folder.join("contacts.csv"), CONTACTS),
        (rules.join("standard.toml"), RULES),
    ];
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
