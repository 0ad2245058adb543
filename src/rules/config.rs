//! The configuration file: where things are and how collection behaves. Secrets never stand in it.

use std::cell::RefCell;

use crate::domain::document::Seller;
use crate::domain::local::LocalTimes;
use crate::domain::{Country, Zone};

use super::diagnostic::{Diagnostic, Severity, SourceFile};
use super::load::parse;
use super::table::{Sink, Table, Text};

mod account;
mod collect;

mod settlement;
mod usage;

pub use account::{Account, ServiceSettings};
pub use collect::{CollectSettings, Kept, Retention};
pub use settlement::SettlementSettings;

/// The whole configuration; paths are as written, relative to the file's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub book: String,
    pub rules: String,
    pub contacts: String,
    pub expectations: Vec<String>,
    /// File that says where extensions belong.
    pub directory: Option<String>,
    /// Folder of the coding sheets.
    pub coding: Option<String>,
    pub output: String,
    pub country: Country,
    pub zone: Zone,
    pub company: Seller,
    pub service: Option<ServiceSettings>,
    /// Several accounts instead of one service, by name; see [`Config::of_account`].
    pub accounts: Vec<Account>,
    /// The account that was chosen among them.
    pub account: Option<String>,
    pub collect: CollectSettings,

    /// How usage files tell local times; `None`: every time needs an offset.
    pub local_times: Option<LocalTimes>,
    pub settlement: SettlementSettings,
    pub series: String,
    pub due_days: u32,
}

impl Config {
    /// The configuration of one of the accounts: its service, book, output and series, and what else it has of its
    /// own. Without a name, the only account there is; `None` when there is no such account or no only one.
    pub fn of_account(&self, name: Option<&str>) -> Option<Config> {
        let account = match (name, self.accounts.as_slice()) {
            (None, []) => return Some(self.clone()),
            (None, [only]) => only,
            (None, _) => return None,
            (Some(name), accounts) => accounts.iter().find(|account| account.name == name)?,
        };
        let or = |own: &Option<String>, common: &str| own.clone().unwrap_or_else(|| common.to_owned());
        Some(Config {
            book: account.book.clone(),
            rules: or(&account.rules, &self.rules),
            contacts: or(&account.contacts, &self.contacts),
            expectations: account.expectations.clone().unwrap_or_else(|| self.expectations.clone()),
            directory: account.directory.clone().or_else(|| self.directory.clone()),
            coding: account.coding.clone().or_else(|| self.coding.clone()),
            output: account.output.clone(),
            service: Some(account.service.clone()),
            account: Some(account.name.clone()),
            series: account.series.clone(),
            ..self.clone()
        })
    }
}

/// Reads a configuration.
///
/// # Errors
/// All mistakes of the file.
pub fn config(file: &SourceFile) -> Result<Config, Vec<Diagnostic>> {
    let sink: Sink = RefCell::default();
    let parsed = parse(file, &sink);
    let top = Table::new(&file.name, "the configuration", 0..0, parsed.get_ref(), &sink);
    let config = read(&top);
    top.finish();
    let mistakes: Vec<Diagnostic> = sink.into_inner();
    match config {
        Some(config) if mistakes.iter().all(|mistake| mistake.severity == Severity::Warning) => Ok(config),
        _ => Err(mistakes),
    }
}

/// The file as it may be shown: what stands behind a key that sounds like a secret is blotted out, byte for byte, so that
/// places stay where they are. An excerpt shows whole lines, and people do put secrets where they do not belong.
pub fn without_secrets(file: &SourceFile) -> SourceFile {
    const WORDS: [&str; 6] = ["secret", "jwt", "password", "token", "client_id", "credential"];
    let mut text = String::with_capacity(file.text.len());
    let mut open: Option<&str> = None;
    for line in file.text.split_inclusive('\n') {
        let lower = line.to_ascii_lowercase();
        let key = WORDS.iter().filter_map(|word| lower.find(word)).min();
        let value = key.and_then(|at| line[at..].find('=').map(|equals| at + equals + 1));
        let from = if open.is_some() { Some(0) } else { value };
        let Some(from) = from else {
            text.push_str(line);
            continue;
        };
        let (shown, hidden) = line.split_at(from);
        text.push_str(shown);
        text.extend(hidden.chars().flat_map(|letter| {
            let (letter, count) = if letter.is_whitespace() { (letter, 1) } else { ('*', letter.len_utf8()) };
            std::iter::repeat_n(letter, count)
        }));
        // A text of several lines goes on until its quotes come again.
        open = match open {
            Some(quotes) => (!hidden.contains(quotes)).then_some(quotes),
            None => ["\"\"\"", "'''"].into_iter().find(|quotes| hidden.matches(quotes).count() == 1),
        };
    }
    SourceFile { name: file.name.clone(), text }
}

fn read(top: &Table<'_, '_>) -> Option<Config> {
    let or = |key, default: &str| top.text(key).map_or_else(|| default.to_owned(), |text| text.value);
    let zone = top
        .required_text("zone", "Name the company's IANA zone: zone = \"America/New_York\".")
        .and_then(|text| {
            let zone = Zone::from_name(&text.value);
            if zone.is_none() {
                top.complain(
                    "unknown-zone",
                    text.span.clone(),
                    format!("\"{}\" is not a time zone", text.value),
                    "Name an IANA zone such as America/New_York.",
                );
            }
            zone
        });
    let country = top.text("country").map(|text| {
        let country = Country::from_code(&text.value);
        if country.is_none() {
            top.complain(
                "unknown-country",
                text.span.clone(),
                format!("\"{}\" is not a country", text.value),
                "Write an ISO code of two letters: \"US\".",
            );
        }
        country
    });
    let company = top.table("company", "company").map(read_company).unwrap_or_default();
    let service = top.table("service", "service").and_then(account::service);
    let collect = top.table("collect", "collect").map(collect::read).unwrap_or_default();
    let settlement = top.table("settlement", "settlement").map(settlement::read).unwrap_or_default();
    let (series, due_days) =
        top.table("invoice", "invoice").map_or_else(|| (Some("INV".to_owned()), Some(30)), read_invoice);
    let local_times = top.table("usage", "usage").and_then(|table| usage::read(table, zone));
    let output = or("output", "out");
    let accounts = account::accounts(top, &output);
    let expectations = top.texts("expectations").into_iter().map(|text| text.value).collect();
    Some(Config {
        book: or("book", "tollbook.book"),
        rules: or("rules", "rules"),
        contacts: or("contacts", "contacts.csv"),
        expectations,
        directory: top.text("directory").map(|text| text.value),
        coding: top.text("coding").map(|text| text.value),
        output,
        country: country.unwrap_or_else(|| Country::from_code("US"))?,
        zone: zone?,
        company,
        service,
        accounts,
        account: None,
        collect,

        local_times,
        settlement,
        series: series?,
        due_days: due_days?,
    })
}

fn read_company(table: Table<'_, '_>) -> Seller {
    let seller = Seller {
        name: table.text("name").map(|text| text.value).unwrap_or_default(),
        address: table.texts("address").into_iter().map(|text| text.value).collect(),
        email: table.text("email").map(|text| text.value),
        tax_id: table.text("tax_id").map(|text| text.value),
    };
    table.finish();
    seller
}

/// A series of invoice numbers; complains about a text that is none.
fn series_of(table: &Table<'_, '_>, text: Text) -> Option<String> {
    let shaped = !text.value.is_empty()
        && text.value.len() <= 16
        && text.value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !shaped {
        let message = format!("\"{}\" is not a series", text.value);
        table.complain("wrong-series", text.span, message, "Use up to 16 letters and digits.");
    }
    shaped.then_some(text.value)
}

fn read_invoice(table: Table<'_, '_>) -> (Option<String>, Option<u32>) {
    let series = match table.text("series") {
        None => Some("INV".to_owned()),
        Some(text) => series_of(&table, text),
    };
    let due_days = match table.integer("due_days") {
        None => Some(30),
        Some((days, span)) => {
            let days = u32::try_from(days).ok().filter(|days| *days <= 3650);
            if days.is_none() {
                table.complain("wrong-value", span, "due_days is not a number of days", "Write 0 to 3650.");
            }
            days
        }
    };
    table.finish();
    (series, due_days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_blotted_out_and_places_stay() {
        let shown = |text: &str| {
            let file = SourceFile { name: "tollbook.toml".to_owned(), text: text.to_owned() };
            let shown = without_secrets(&file).text;
            assert_eq!(shown.len(), text.len());
            shown
        };
        assert_eq!(shown("zone = \"UTC\"\nJWT = \"aé b\"\n"), "zone = \"UTC\"\nJWT = **** **\n");
        assert_eq!(shown("s = { client_secret = 'x' }\nurl = 1\n"), "s = { client_secret = *** *\nurl = 1\n");
        let several = shown("password = \"\"\"\nfirst\nsecond\"\"\"\nurl = 1\n");
        assert_eq!(several, "password = ***\n*****\n*********\nurl = 1\n");
    }
}
