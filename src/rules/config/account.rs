//! `[service]`, or several of them as `[account.NAME]`: where records are pulled from, and what is an account's own.

use crate::rules::table::{Table, Text};

use super::series_of;

/// How to reach the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSettings {
    pub url: String,
    /// A file of mode 0600 with the credentials; `None`: the environment has them.
    pub secrets: Option<String>,
}

/// One of several accounts. What it does not say is common to all, except what must differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub name: String,
    pub service: ServiceSettings,
    /// Its own book: `NAME.book` unless it says otherwise.
    pub book: String,
    /// Its own folder of results: `NAME` in the common one unless it says otherwise.
    pub output: String,
    /// Its own series of invoice numbers: its name in capitals unless it says otherwise.
    pub series: String,
    pub rules: Option<String>,
    pub contacts: Option<String>,
    pub expectations: Option<Vec<String>>,
    pub directory: Option<String>,
    pub coding: Option<String>,
}

/// Reads `[service]`.
pub(super) fn service(table: Table<'_, '_>) -> Option<ServiceSettings> {
    let settings = reach(&table);
    table.finish();
    settings
}

fn reach(table: &Table<'_, '_>) -> Option<ServiceSettings> {
    let hint = "Write the service's address: url = \"https://platform.ringcentral.com\".";
    let url = table.required_text("url", hint);
    let secrets = table.text("secrets").map(|text| text.value);
    for key in ["client_id", "client_secret", "jwt"] {
        if let Some(value) = table.get(key) {
            let hint = "Put it into the environment (TOLLBOOK_CLIENT_ID, TOLLBOOK_CLIENT_SECRET, TOLLBOOK_JWT) or into a file of mode 0600 named by secrets.";
            let start = value.span().start;
            let message = format!("{key} does not belong into the configuration");
            table.complain("secret-in-configuration", start..start, message, hint);
        }
    }
    Some(ServiceSettings { url: url?.value.trim_end_matches('/').to_owned(), secrets })
}

/// Reads all `[account.NAME]`, by name.
pub(super) fn accounts(top: &Table<'_, '_>, output: &str) -> Vec<Account> {
    let mut accounts: Vec<Account> = Vec::new();
    let service = top.get("service").is_some();
    let common_series = top.get("invoice").and_then(|invoice| invoice.get_ref().as_table()?.get("series"));
    for (at, (name, table)) in top.named_tables("account", "account").into_iter().enumerate() {
        if at == 0 && service {
            let hint = "Write either [service] for one account, or [account.NAME] for each of several.";
            let message = "the configuration has [service] and accounts";
            top.complain("service-and-accounts", name.span.clone(), message, hint);
        }
        if let Some(series) = common_series.filter(|_| at == 0) {
            let hint = "Each account has a book of its own and numbers its own invoices: write series under [account.NAME].";
            let message = "one series of invoice numbers for several books";
            top.complain("shared-series", series.span(), message, hint);
        }
        check_name(top, &name);
        let Some((account, places)) = account(&name.value, table, output) else { continue };
        for other in &accounts {
            check_difference(top, &name, &places, other, &account);
        }
        accounts.push(account);
    }
    accounts
}

/// Complains about what two accounts may not have in common.
fn check_difference(top: &Table<'_, '_>, name: &Text, places: &Places, one: &Account, other: &Account) {
    let hint = "Give each account its own.";
    let both = format!("the accounts {} and {}", one.name, other.name);
    let place = |text: &Option<Text>| text.as_ref().unwrap_or(name).span.clone();
    if one.book == other.book {
        top.complain("shared-book", place(&places.book), format!("{both} have the same book"), hint);
    }
    if one.series == other.series {
        let message = format!("{both} have the same series of invoice numbers");
        top.complain("shared-series", place(&places.series), message, hint);
    }
}

/// The name stands in file names and, in capitals, in names of variables.
fn check_name(top: &Table<'_, '_>, name: &Text) {
    let shaped = name.value.len() <= 16
        && name.value.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.value.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if !shaped {
        let message = format!("\"{}\" is not a name of an account", name.value);
        let hint = "Use up to 16 small letters, digits and hyphens, a letter first: [account.north].";
        top.complain("wrong-account-name", name.span.clone(), message, hint);
    }
}

/// Where an account says what must differ, when it says it.
struct Places {
    book: Option<Text>,
    series: Option<Text>,
}

fn account(name: &str, table: Table<'_, '_>, output: &str) -> Option<(Account, Places)> {
    let service = reach(&table);
    let places = Places { book: table.text("book"), series: table.text("series") };
    let own = |key| table.text(key).map(|text| text.value);
    let series = match &places.series {
        Some(text) => series_of(&table, text.clone())?,
        None => name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase(),
    };
    let account = Account {
        name: name.to_owned(),
        service: service.unwrap_or_else(|| ServiceSettings { url: String::new(), secrets: None }),
        book: places.book.as_ref().map_or_else(|| format!("{name}.book"), |text| text.value.clone()),
        output: own("output").unwrap_or_else(|| format!("{output}/{name}")),
        series,
        rules: own("rules"),
        contacts: own("contacts"),
        expectations: table
            .get("expectations")
            .map(|_| table.texts("expectations").into_iter().map(|text| text.value).collect()),
        directory: own("directory"),
        coding: own("coding"),
    };
    table.finish();
    Some((account, places))
}
