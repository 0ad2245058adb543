//! The user's files, read and checked together.

use std::fs;
use std::path::{Path, PathBuf};

use crate::book::Book;
use crate::columnar::conditions;
use crate::domain::contact::ContactList;
use crate::domain::reconciliation::Expectation;
use crate::domain::{Country, Exit, Failure, Hash, Result};
use crate::rules::coding::CodingSheet;
use crate::rules::config::Config;
use crate::rules::diagnostic::{Diagnostic, Severity, SourceFile, counted, render};
use crate::rules::directory::Directory;
use crate::rules::{self, RuleSet, companion, sheet};

/// Everything the user wrote, checked, with the texts that will be kept as facts.
pub struct Workspace {
    pub folder: PathBuf,
    pub config: Config,
    pub config_text: SourceFile,
    pub rules: RuleSet,
    pub rule_files: Vec<SourceFile>,
    pub contacts: ContactList,
    pub contacts_file: SourceFile,
    pub expectations: Vec<Expectation>,
    pub expectation_files: Vec<SourceFile>,
    pub directory: Directory,
    pub directory_file: Option<SourceFile>,
    pub coding: CodingSheet,
    /// The files of the coding sheets; the sheet refers to them by their place.
    pub coding_files: Vec<SourceFile>,
    /// Warnings of the rule files, rendered.
    pub warnings: String,
}

/// The configuration alone, for commands that need no rules.
pub struct Settings {
    pub folder: PathBuf,
    pub config: Config,
    pub text: SourceFile,
}

impl Settings {
    /// Reads a configuration file, for one of its accounts where it has several.
    ///
    /// # Errors
    /// A file that cannot be read or an account that is not there (exit 2), mistakes in the file (exit 3).
    pub fn load(path: &Path, account: Option<&str>) -> Result<Settings> {
        let all = Settings::of_all(path)?;
        let config = all.config.of_account(account).ok_or_else(|| unknown_account(&all.config, account))?;
        Ok(Settings { config, ..all })
    }

    /// Reads a configuration file once for each of its accounts; a single one where it has none.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn load_each(path: &Path) -> Result<Vec<Settings>> {
        let all = Settings::of_all(path)?;
        if all.config.accounts.is_empty() {
            return Ok(vec![all]);
        }
        let names = all.config.accounts.iter().map(|account| account.name.as_str());
        let of_one = |name| all.config.of_account(Some(name));
        let settings = |config| Settings { folder: all.folder.clone(), config, text: all.text.clone() };
        Ok(names.filter_map(of_one).map(settings).collect())
    }

    fn of_all(path: &Path) -> Result<Settings> {
        let text = read_file(path, &name_of(path))?;
        let config = rules::config::config(&text)
            .map_err(|mistakes| refuse(&mistakes, &[rules::config::without_secrets(&text)]))?;
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Settings { folder, config, text })
    }

    /// A path of the configuration, relative to its folder.
    pub fn path(&self, written: &str) -> PathBuf {
        self.folder.join(written)
    }
}

fn unknown_account(config: &Config, wanted: Option<&str>) -> Failure {
    let names: Vec<&str> = config.accounts.iter().map(|account| account.name.as_str()).collect();
    match (wanted, names.as_slice()) {
        (Some(wanted), []) => Failure::new(
            Exit::Usage,
            format!("there is no account {wanted}: the configuration has no accounts"),
        )
        .hint("Leave --account away, or write [account.NAME] tables instead of [service]."),
        (Some(wanted), names) => Failure::new(Exit::Usage, format!("there is no account {wanted}"))
            .hint(format!("The configuration has {}.", names.join(", "))),
        (None, names) => {
            Failure::new(Exit::Usage, format!("the configuration has several accounts: {}", names.join(", ")))
                .hint(format!("Name one: --account {}.", names.first().unwrap_or(&"NAME")))
        }
    }
}

impl Workspace {
    /// Reads the configuration and all files it names, for one of its accounts where it has several.
    ///
    /// # Errors
    /// Files that cannot be read or an account that is not there (exit 2); the mistakes of all files at once (exit 3).
    pub fn load(path: &Path, account: Option<&str>) -> Result<Workspace> {
        Workspace::of(Settings::load(path, account)?)
    }

    /// Reads all files that a configuration names.
    ///
    /// # Errors
    /// As [`Workspace::load`].
    pub fn of(settings: Settings) -> Result<Workspace> {
        let Settings { folder, config, text } = settings;
        let rule_files = read_rules(&folder.join(&config.rules))?;
        let contacts_file = read_file(&folder.join(&config.contacts), &config.contacts)?;
        let mut expectation_files = Vec::new();
        for name in &config.expectations {
            expectation_files.push(read_file(&folder.join(name), name)?);
        }
        let directory_file = match &config.directory {
            Some(name) => Some(read_file(&folder.join(name), name)?),
            None => None,
        };
        let coding_files = read_sheets(&folder, config.coding.as_deref())?;
        let mut files = rule_files.clone();
        files.push(contacts_file.clone());
        files.extend(expectation_files.iter().chain(&directory_file).chain(&coding_files).cloned());
        let mut mistakes = Vec::new();
        let mut expectations = Vec::new();
        for file in &expectation_files {
            match rules::expectations::expectations(file, config.country) {
                Ok(found) => expectations.extend(found),
                Err(found) => mistakes.extend(found),
            }
        }
        let (rules, contacts, warnings) = match check(&rule_files, &contacts_file, config.country) {
            Ok(found) => found,
            Err(found) => {
                mistakes.extend(found);
                return Err(refuse(&mistakes, &files));
            }
        };
        let (directory, coding) = beside(directory_file.as_ref(), &coding_files, &rules, &contacts)
            .unwrap_or_else(|found| {
                mistakes.extend(found);
                (Directory::default(), CodingSheet::default())
            });
        if !mistakes.is_empty() {
            return Err(refuse(&mistakes, &files));
        }
        let warnings = if warnings.is_empty() { String::new() } else { render(&warnings, &files, false) };
        Ok(Workspace {
            folder,
            config,
            config_text: text,
            rules,
            rule_files,
            contacts,
            contacts_file,
            expectations,
            expectation_files,
            directory,
            directory_file,
            coding,
            coding_files,
            warnings,
        })
    }

    /// The workspace as it was when a run was made: rules, contacts and expectations from the facts of the book, by the
    /// hashes of the run's inputs.
    ///
    /// # Errors
    /// A fact that is missing or changed (exit 7).
    pub fn of_the_time(settings: &Settings, book: &Book, inputs: &[(String, Hash)]) -> Result<Workspace> {
        let kept = |kind: &str| -> Result<Vec<SourceFile>> {
            let mut files = Vec::new();
            for (name, hash) in inputs {
                let Some(name) = name.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/')) else {
                    continue;
                };
                let bytes = book.fact(hash)?.and_then(|bytes| String::from_utf8(bytes).ok());
                let text = bytes.ok_or_else(|| {
                    Failure::new(
                        Exit::Verification,
                        format!("the book does not hold {kind} {name} of that time"),
                    )
                })?;
                files.push(SourceFile { name: name.to_owned(), text });
            }
            Ok(files)
        };
        let rule_files = kept("rules")?;
        let contacts_file =
            kept("contacts")?.pop().unwrap_or(SourceFile { name: String::new(), text: String::new() });
        let (rules, contacts, _) = check(&rule_files, &contacts_file, settings.config.country)
            .map_err(|mistakes| refuse(&mistakes, &rule_files))?;
        let (directory_file, coding_files) = (kept("directory")?.pop(), kept("coding")?);
        let (directory, coding) = beside(directory_file.as_ref(), &coding_files, &rules, &contacts)
            .map_err(|mistakes| refuse(&mistakes, &coding_files))?;
        Ok(Workspace {
            folder: settings.folder.clone(),
            config: settings.config.clone(),
            config_text: settings.text.clone(),
            rules,
            rule_files,
            contacts,
            contacts_file,
            expectations: Vec::new(),
            expectation_files: Vec::new(),
            directory,
            directory_file,
            coding,
            coding_files,
            warnings: String::new(),
        })
    }

    /// A path of the configuration, relative to its folder.
    pub fn path(&self, written: &str) -> PathBuf {
        self.folder.join(written)
    }
}

/// Checks rule files, their conditions included.
///
/// # Errors
/// All mistakes of all files.
pub fn rule_set(
    files: &[SourceFile],
    home: Country,
) -> std::result::Result<(RuleSet, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (rules, warnings) = rules::load::rule_set(files, home)?;
    let mistakes = conditions::diagnostics(&rules.conditions, files);
    if mistakes.is_empty() { Ok((rules, warnings)) } else { Err(mistakes) }
}

/// Checks rule files and a contact list together. Contacts are checked even when only warnings were found.
///
/// # Errors
/// The mistakes of both.
pub fn check(
    rule_files: &[SourceFile],
    contacts: &SourceFile,
    home: Country,
) -> std::result::Result<(RuleSet, ContactList, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (rules, mut warnings) = rule_set(rule_files, home)?;
    let (contacts, of_contacts) = rules::contacts::contact_list(contacts, &rules, home)?;
    warnings.extend(of_contacts);
    Ok((rules, contacts, warnings))
}

/// What stands beside the contact list: the directory and the coding sheets, where there are any.
pub fn beside(
    directory_file: Option<&SourceFile>,
    coding_files: &[SourceFile],
    rules: &RuleSet,
    contacts: &ContactList,
) -> std::result::Result<(Directory, CodingSheet), Vec<Diagnostic>> {
    let directory = directory_file.map_or_else(|| Ok(Directory::default()), rules::directory::directory);
    let coding = rules::coding::coding_sheet(coding_files, rules, contacts);
    match (directory, coding) {
        (Ok(directory), Ok(coding)) => Ok((directory, coding)),
        (directory, coding) => Err(directory.err().into_iter().chain(coding.err()).flatten().collect()),
    }
}

/// All coding sheets of a folder, by name. A folder that is not there yet has none.
fn read_sheets(base: &Path, folder: Option<&str>) -> Result<Vec<SourceFile>> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let reading =
        |error: std::io::Error| Failure::io(&error, format!("reading the coding sheets in {folder}"));
    let entries = match fs::read_dir(base.join(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(reading(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(reading)?.path();
        if path.extension().is_some_and(|ending| ending == "csv") && !name_of(&path).starts_with('.') {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| read_file(path, &format!("{folder}/{}", name_of(path)))).collect()
}

/// All `*.toml` files of a folder and the decks and calendars they name that are there, by name. A file that is named
/// and not there is a mistake of the rule file, told with its place when the rules are read.
///
/// # Errors
/// A folder that cannot be read or holds no rule file, a companion that cannot be read (exit 2), a file that is not UTF-8
/// (exit 3).
pub fn read_rules(folder: &Path) -> Result<Vec<SourceFile>> {
    let shown = folder.display().to_string();
    let entries =
        fs::read_dir(folder).map_err(|error| Failure::io(&error, format!("reading the rules in {shown}")))?;
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Failure::io(&error, format!("reading the rules in {shown}")))?;
        if entry.path().extension().is_some_and(|ending| ending == "toml") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    if paths.is_empty() {
        return Err(Failure::new(Exit::Usage, format!("there is no rule file in {shown}"))
            .hint("Rule files are named *.toml; `tollbook init` writes a first one."));
    }
    let mut files =
        paths.iter().map(|path| read_file(path, &name_of(path))).collect::<Result<Vec<SourceFile>>>()?;
    for name in companion::names(&files) {
        let path = folder.join(&name);
        if path.exists() {
            files.push(read_file(&path, &name)?);
        }
    }
    // By name, as they come back from the facts of a run: the rule set is then the same to the last bit.
    files.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(files)
}

/// One text file, under the name the user knows it by.
///
/// # Errors
/// A file that cannot be read (exit 2) or is not UTF-8 (exit 3).
pub fn read_file(path: &Path, name: &str) -> Result<SourceFile> {
    let bytes = fs::read(path).map_err(|error| Failure::io(&error, format!("reading {}", path.display())))?;
    sheet::decode(name, &bytes).map_err(|mistake| refuse(&[mistake], &[]))
}

/// The failure that shows all mistakes (exit 3).
pub fn refuse(mistakes: &[Diagnostic], files: &[SourceFile]) -> Failure {
    let errors = mistakes.iter().filter(|mistake| mistake.severity == Severity::Error).count();
    let colour = false;
    let places: std::collections::BTreeSet<&str> =
        mistakes.iter().map(|mistake| mistake.file.as_str()).collect();
    let message = format!("{} in {}", counted(errors, "mistake"), counted(places.len(), "file"));
    Failure::new(Exit::Mistakes, message).details(render(mistakes, files, colour))
}

/// As [`refuse`] for one table given as bytes: with excerpts where it is text.
pub fn refuse_table(mistakes: &[Diagnostic], name: &str, bytes: &[u8]) -> Failure {
    let file = match name.ends_with(".parquet") {
        true => None,
        false => sheet::decode(name, bytes).ok(),
    };
    refuse(mistakes, file.as_slice())
}

/// The last part of a path, for messages.
pub fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
