//! The credentials of the service, and where they come from. A secret never reaches an error, a log or a file.

use std::fmt;
use std::path::Path;

use serde::Deserialize;

use crate::domain::{Exit, Failure, Result};

/// A text that cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for the one place that sends it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// What signs in: an application (client id and secret) and a user (the JWT made in the developer console).
#[derive(Clone, Debug)]
pub struct Credentials {
    pub client_id: String,
    pub client_secret: Secret,
    pub jwt: Secret,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretsFile {
    client_id: String,
    client_secret: String,
    jwt: String,
}

impl Credentials {
    /// From the secrets file when one is configured, else from the environment; of one of several accounts, by name.
    pub fn load(file: Option<&Path>, account: Option<&str>) -> Result<Credentials> {
        match file {
            Some(path) => Credentials::from_file(path),
            None => Credentials::from_environment(account, |name| std::env::var(name).ok()),
        }
    }

    /// From `TOLLBOOK_CLIENT_ID`, `TOLLBOOK_CLIENT_SECRET` and `TOLLBOOK_JWT`; of an account `north` from
    /// `TOLLBOOK_NORTH_CLIENT_ID` and so on, never from those without a name. What is missing is named (exit 3).
    pub fn from_environment(
        account: Option<&str>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Credentials> {
        let mut missing = Vec::new();
        let mut take = |of: &str| {
            let name = variable_name(account, of);
            let value =
                variable(&name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
            if value.is_none() {
                missing.push(name);
            }
            value.unwrap_or_default()
        };
        let (client_id, client_secret, jwt) = (take("CLIENT_ID"), take("CLIENT_SECRET"), take("JWT"));
        if !missing.is_empty() {
            let table = account.map_or_else(|| "[service]".to_owned(), |name| format!("[account.{name}]"));
            return Err(Failure::new(Exit::Mistakes, format!("{} not set", missing.join(", "))).hint(format!(
                "Set the variables, or name a file with client_id, client_secret and jwt as {table} secrets."
            )));
        }
        Ok(Credentials { client_id, client_secret: Secret::new(client_secret), jwt: Secret::new(jwt) })
    }

    /// From a TOML file that nobody but its owner may read.
    pub fn from_file(path: &Path) -> Result<Credentials> {
        let shown = path.display();
        let doing = || format!("reading the secrets file {shown}");
        check_mode(path)?;
        let text = std::fs::read_to_string(path).map_err(|error| Failure::io(&error, doing()))?;
        let file: SecretsFile = toml::from_str(&text).map_err(|error: toml::de::Error| {
            // The parser's own text shows the line, which may be a secret.
            let line =
                error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            Failure::new(Exit::Mistakes, format!("not the expected TOML near line {line}"))
                .while_doing(doing())
                .hint("It holds exactly client_id, client_secret and jwt, each a quoted text.")
        })?;
        for (name, value) in
            [("client_id", &file.client_id), ("client_secret", &file.client_secret), ("jwt", &file.jwt)]
        {
            if value.trim().is_empty() {
                return Err(Failure::new(Exit::Mistakes, format!("{name} is empty")).while_doing(doing()));
            }
        }
        Ok(Credentials {
            client_id: file.client_id.trim().to_owned(),
            client_secret: Secret::new(file.client_secret.trim()),
            jwt: Secret::new(file.jwt.trim()),
        })
    }
}

/// The variable that holds one of the secrets.
pub fn variable_name(account: Option<&str>, of: &str) -> String {
    match account {
        Some(name) => format!("TOLLBOOK_{}_{of}", name.to_ascii_uppercase().replace('-', "_")),
        None => format!("TOLLBOOK_{of}"),
    }
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let shown = path.display();
    let metadata = std::fs::metadata(path)
        .map_err(|error| Failure::io(&error, format!("reading the secrets file {shown}")))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Mistakes,
        format!("the secrets file {shown} can be read by others (mode {mode:04o})"),
    )
    .hint(format!("Run: chmod 600 {shown}")))
}

#[cfg(not(unix))]
fn check_mode(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "client_id = \"id\"\nclient_secret = \"hush\"\njwt = \"whisper\"\n";

    fn written(text: &str, mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.toml");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn a_file_for_its_owner_only_is_read_and_never_printed() {
        let (_folder, path) = written(FILE, 0o600);
        let credentials = Credentials::load(Some(&path), None).unwrap();
        assert_eq!(credentials.jwt.reveal(), "whisper");
        let shown = format!("{credentials:?}");
        assert!(!shown.contains("hush") && !shown.contains("whisper"), "{shown}");
    }

    #[test]
    fn a_file_for_others_is_refused_with_the_remedy() {
        let (_folder, path) = written(FILE, 0o640);
        let failure = Credentials::load(Some(&path), None).unwrap_err();
        assert_eq!(failure.exit(), Exit::Mistakes);
        assert!(failure.message().contains("0640") && failure.hints()[0].contains("chmod 600"));
    }

    #[test]
    fn a_broken_file_shows_no_line_of_it() {
        let (_folder, path) = written("client_id = \"id\"\nclient_secret = hush hush\n", 0o600);
        let failure = Credentials::load(Some(&path), None).unwrap_err();
        let text = format!("{failure} {failure:?}");
        assert!(!text.contains("hush") && text.contains("line 2"), "{text}");
    }

    #[test]
    fn missing_variables_are_all_named() {
        let jwt = |name: &str| (name == "TOLLBOOK_JWT").then(|| "x".to_owned());
        let failure = Credentials::from_environment(None, jwt).unwrap_err();
        assert_eq!(failure.message(), "TOLLBOOK_CLIENT_ID, TOLLBOOK_CLIENT_SECRET not set");
        let all = |name: &str| name.starts_with("TOLLBOOK_").then(|| name.to_owned());
        let north = Credentials::from_environment(Some("north-west"), all).unwrap();
        assert_eq!(north.jwt.reveal(), "TOLLBOOK_NORTH_WEST_JWT");
        let failure = Credentials::from_environment(Some("north"), jwt).unwrap_err();
        assert!(failure.message().contains("TOLLBOOK_NORTH_JWT"), "an account never takes another's secrets");
    }
}
