//! What this machine has: files, the book's folder, secrets.

use std::path::{Path, PathBuf};

use crate::book::Book;
use crate::domain::{Exit, Failure};
use crate::ringcentral::client::ServiceUrl;
use crate::ringcentral::credentials::variable_name;
use crate::run::collect::identity_of;
use crate::run::pulling::credentials_of;
use crate::run::workspace::{Settings, Workspace};
use crate::stage::explain::counted_noun;

use super::Check;

/// A month of a busy company's log and what is made of it fits into this.
const SPACE_WANTED: u64 = 1 << 30;

pub(super) fn checks(name: &str, settings: &Settings) -> Vec<Check> {
    let zone = settings.config.zone.name();
    let mut checks = vec![Check::ok("configuration", format!("{name}, zone {zone}")), files(settings)];
    checks.push(book(settings));
    checks.extend(disk(settings));
    checks.push(secrets(settings));
    checks
}

fn files(settings: &Settings) -> Check {
    let copy = Settings {
        folder: settings.folder.clone(),
        config: settings.config.clone(),
        text: settings.text.clone(),
    };
    match Workspace::of(copy) {
        Ok(workspace) => {
            let contacts = counted_noun(workspace.contacts.contacts.len() as u64, "contact");
            let rules = counted_noun(workspace.rule_files.len() as u64, "rule file");
            Check::ok("rules and contacts", format!("{rules} and {contacts}, no mistakes"))
        }
        Err(failure) => {
            let remedy =
                "`tollbook rules check` and `tollbook contacts check` show every mistake with its place.";
            Check::missing("rules and contacts", Exit::Mistakes, failure.to_string(), remedy)
        }
    }
}

fn book(settings: &Settings) -> Check {
    let folder = settings.path(&settings.config.book);
    let shown = &settings.config.book;
    let exists = folder.join("book.db").is_file();
    if !exists {
        let parent = existing(&folder);
        return match is_writable(&parent) {
            true => Check::ok("book", format!("{shown} is made by the first pull")),
            false => Check::missing(
                "book",
                Exit::Mistakes,
                format!("{shown} cannot be made: its folder may not be written to"),
                "Run as the user who owns the folder, or set book to another place.",
            ),
        };
    }
    let opened = Book::open(&folder).and_then(|book| {
        if let Some(service) = &settings.config.service {
            book.require(&identity_of(&ServiceUrl::parse(&service.url)?))?;
        }
        book.last_pull()
    });
    match opened {
        Err(failure) => refused("book", &failure),
        Ok(_) if !is_writable(&folder) => Check::missing(
            "book",
            Exit::Mistakes,
            format!("{shown} may not be written to"),
            "Run as the user who owns the book.",
        ),
        Ok(None) => Check::ok("book", format!("{shown}, not pulled yet")),
        Ok(Some(last)) => Check::ok("book", format!("{shown}, last pulled at {last}")),
    }
}

fn refused(name: &'static str, failure: &Failure) -> Check {
    let remedy = failure.hints().first().cloned().unwrap_or_else(|| "See the message.".to_owned());
    let exit = match failure.exit() {
        Exit::Usage => Exit::Mistakes,
        exit => exit,
    };
    Check::missing(name, exit, failure.to_string(), remedy)
}

/// The nearest folder on the way that is there.
fn existing(folder: &Path) -> PathBuf {
    let here = Path::new(".");
    let mut ancestors = folder.ancestors().map(|path| if path.as_os_str().is_empty() { here } else { path });
    ancestors.find(|path| path.is_dir()).unwrap_or(here).to_owned()
}

fn disk(settings: &Settings) -> Option<Check> {
    let free = free_bytes(&existing(&settings.path(&settings.config.book)))?;
    Some(match free >= SPACE_WANTED {
        true => Check::ok("disk", "enough space for a month of a busy company"),
        false => Check::warning(
            "disk",
            format!("{} MB are free where the book lies", free / 1_000_000),
            "Make room, or set book to a larger disk: a full one ends a pull with exit code 8; nothing is lost.",
        ),
    })
}

fn secrets(settings: &Settings) -> Check {
    if settings.config.service.is_none() {
        let remedy =
            "Add [service] with the url of the service, or [account.NAME] for several; imports need none.";
        return Check::missing("secrets", Exit::Mistakes, "the configuration names no service", remedy);
    }
    match credentials_of(settings) {
        Err(failure) => refused("secrets", &failure),
        Ok(_) => {
            let file = settings.config.service.as_ref().and_then(|service| service.secrets.as_ref());
            Check::ok(
                "secrets",
                match file {
                    Some(file) => format!("{file}, for its owner only"),
                    None => {
                        let name = |of| variable_name(settings.config.account.as_deref(), of);
                        format!("in the environment ({}, ...)", name("CLIENT_ID"))
                    }
                },
            )
        }
    }
}

#[cfg(unix)]
fn is_writable(folder: &Path) -> bool {
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(not(unix))]
fn is_writable(folder: &Path) -> bool {
    std::fs::metadata(folder).is_ok_and(|metadata| !metadata.permissions().readonly())
}

#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    let figures = rustix::fs::statvfs(folder).ok()?;
    Some(figures.f_bavail.saturating_mul(figures.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}
