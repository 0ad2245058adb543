//! Whether everything is there that a pull needs, checked before the first one: files, secrets, service, scopes,
//! permissions, clock, rate plan, retention. Each check says what is so and, where something is missing, how to get
//! it. About ten requests, the smallest of each kind; nothing is stored and no secret is shown.

use std::path::Path;

use crate::domain::{Exit, Instant, Result};

use super::workspace::Settings;

mod local;
mod remedy;
mod service;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Ok,
    /// A pull works; something is worth knowing.
    Warning,
    /// A pull does not work, or not wholly, until this is mended.
    Missing,
    /// It could not be looked at because something before it is missing.
    NotChecked,
}

impl State {
    /// The word for people and machines.
    pub fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Missing => "missing",
            State::NotChecked => "not checked",
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub name: &'static str,
    pub state: State,
    /// What is so.
    pub sentence: String,
    /// How to mend it.
    pub remedy: Option<String>,
    /// The exit code that a missing one asks for.
    pub exit: Exit,
}

impl Check {
    fn ok(name: &'static str, sentence: impl Into<String>) -> Check {
        Check { name, state: State::Ok, sentence: sentence.into(), remedy: None, exit: Exit::Done }
    }

    fn warning(name: &'static str, sentence: impl Into<String>, remedy: impl Into<String>) -> Check {
        let remedy = Some(remedy.into());
        Check { name, state: State::Warning, sentence: sentence.into(), remedy, exit: Exit::Done }
    }

    fn missing(
        name: &'static str,
        exit: Exit,
        sentence: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Check {
        let remedy = Some(remedy.into());
        Check { name, state: State::Missing, sentence: sentence.into(), remedy, exit }
    }

    fn not_checked(name: &'static str, why: &str) -> Check {
        Check { name, state: State::NotChecked, sentence: why.to_owned(), remedy: None, exit: Exit::Done }
    }
}

/// The checks of one account.
#[derive(Clone, Debug)]
pub struct Report {
    /// `None` where the configuration has one service.
    pub account: Option<String>,
    pub checks: Vec<Check>,
}

impl Report {
    /// The exit code: 0 when nothing is missing, 3 for configuration mistakes, 6 for what the service withholds.
    pub fn exit(&self) -> Exit {
        self.checks.iter().fold(Exit::Done, |exit, check| exit.worse(check.exit))
    }
}

/// Examines one account of a configuration, or all of them. `now` is this machine's time, or the virtual one.
///
/// # Errors
/// A configuration that cannot be read (exit 2) or has mistakes (exit 3).
pub fn examine(path: &Path, account: Option<&str>, now: Instant) -> Result<Vec<Report>> {
    let accounts = match account {
        Some(_) => vec![Settings::load(path, account)?],
        None => Settings::load_each(path)?,
    };
    let name = super::workspace::name_of(path);
    Ok(accounts.into_iter().map(|settings| examine_one(&name, settings, now)).collect())
}

fn examine_one(name: &str, settings: Settings, now: Instant) -> Report {
    let account = settings.config.account.clone();
    let mut checks = local::checks(name, &settings);
    checks.extend(service::checks(&settings, now));
    Report { account, checks }
}
