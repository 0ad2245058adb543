//! The customer's side of the world: contact list, rules, expectations and configuration, as its owner would have
//! written them by hand.
//!
//! The same world gives the same bytes. Nothing here reads what the server serves, and no secret is written.

mod contacts;
mod expectations;
mod rules;

use super::world::World;
use std::fs;
use std::io;
use std::path::Path;

/// One file of the customer's folder: its name with `/`, and its bytes.
pub type CustomerFile = (&'static str, Vec<u8>);

/// All files, in the order in which they are written. Without `base_url` the configuration has no `[service]`.
///
/// # Errors
/// When a table cannot be written as CSV.
pub fn files(world: &World, base_url: Option<&str>) -> io::Result<Vec<CustomerFile>> {
    let mut files = vec![
        ("contacts.csv", contacts::write(world)?),
        ("expectations.csv", expectations::write(world)?),
        ("tollbook.toml", configuration(base_url).into_bytes()),
    ];
    files.extend(rules::files(world));
    Ok(files)
}

/// Writes all files into a folder, which is made when it is not there.
///
/// # Errors
/// When the folder or a file cannot be written.
pub fn write(world: &World, folder: &Path, base_url: Option<&str>) -> io::Result<()> {
    for (name, bytes) in files(world, base_url)? {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, bytes)?;
    }
    Ok(())
}

const HEAD: &str = r#"# The company's own side. Paths are relative to this file.
book         = "tollbook.book"
rules        = "rules"
contacts     = "contacts.csv"
expectations = ["expectations.csv"]
output       = "out"
country      = "US"
zone         = "America/New_York"

[company]
name    = "Empire Answering Service LLC"
address = ["1 Main Street, Suite 400", "New York, NY 10044"]
email   = "billing@example.com"
tax_id  = "12-3456789"
"#;

const TAIL: &str = r#"
[collect]
call_log  = true
messages  = true
keep_text = false

[invoice]
series   = "INV"
due_days = 30
"#;

fn configuration(base_url: Option<&str>) -> String {
    let service = base_url.map_or_else(String::new, |url| {
        // The address has no character that needs escaping: it is made from a socket address.
        format!("\n[service]\n# Client id, secret and JWT come from the environment.\nurl = \"{url}\"\n")
    });
    format!("{HEAD}{service}{TAIL}")
}

/// A table as CSV bytes.
fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row)?;
    }
    writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::world::Plot;

    #[test]
    fn the_same_world_writes_the_same_bytes() {
        let plot = Plot { days: 5, ..Plot::default() };
        let url = Some("http://127.0.0.1:4010");
        let first = files(&World::generate(plot), url).expect("files");
        let second = files(&World::generate(plot), url).expect("files");
        assert_eq!(first, second);
        let other = files(&World::generate(Plot { seed: 9, ..plot }), url).expect("files");
        assert_ne!(first, other);
    }

    #[test]
    fn the_service_is_named_only_when_there_is_one() {
        let read = |url| configuration(url).parse::<toml::Table>().expect("a table");
        assert!(read(None).get("service").is_none());
        let with = read(Some("http://127.0.0.1:4010"));
        assert_eq!(with["service"]["url"].as_str(), Some("http://127.0.0.1:4010"));
        assert_eq!(with["invoice"]["series"].as_str(), Some("INV"));
    }

    #[test]
    fn files_land_in_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let world = World::generate(Plot { days: 2, ..Plot::default() });
        write(&world, folder.path(), None).expect("written");
        let bytes = fs::read(folder.path().join("rules/client-standard.toml")).expect("a rule file");
        assert!(!bytes.is_empty());
        assert!(folder.path().join("contacts.csv").is_file());
    }
}
