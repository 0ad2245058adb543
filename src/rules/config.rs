//! The configuration file: where things are and how collection behaves. Secrets never stand in it.

use std::cell::RefCell;

use crate::domain::document::Seller;
use crate::domain::{Country, Zone};

use super::diagnostic::{Diagnostic, Severity, SourceFile};
use super::load::parse;
use super::reader;
use super::table::{Sink, Table};

/// How to reach the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSettings {
    pub url: String,
    /// A file of mode 0600 with the credentials; `None`: the environment has them.
    pub secrets: Option<String>,
}

/// How collection behaves; lengths in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectSettings {
    pub call_log: bool,
    pub messages: bool,
    pub call_log_window_milliseconds: i64,
    pub message_window_milliseconds: i64,
    pub overlap_milliseconds: i64,
    pub settling_lag_milliseconds: i64,
    pub keep_text: bool,
}

impl Default for CollectSettings {
    fn default() -> CollectSettings {
        const HOUR: i64 = 3_600_000;
        CollectSettings {
            call_log: true,
            messages: true,
            call_log_window_milliseconds: 24 * HOUR,
            message_window_milliseconds: 7 * 24 * HOUR,
            overlap_milliseconds: 2 * HOUR,
            settling_lag_milliseconds: HOUR / 2,
            keep_text: false,
        }
    }
}

/// The whole configuration; paths are as written, relative to the file's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub book: String,
    pub rules: String,
    pub contacts: String,
    pub expectations: Vec<String>,
    pub output: String,
    pub country: Country,
    pub zone: Zone,
    pub company: Seller,
    pub service: Option<ServiceSettings>,
    pub collect: CollectSettings,
    pub series: String,
    pub due_days: u32,
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
    let service = top.table("service", "service").and_then(read_service);
    let collect = top.table("collect", "collect").map(read_collect).unwrap_or_default();
    let (series, due_days) =
        top.table("invoice", "invoice").map_or_else(|| (Some("INV".to_owned()), Some(30)), read_invoice);
    let expectations = top.texts("expectations").into_iter().map(|text| text.value).collect();
    Some(Config {
        book: or("book", "tollbook.book"),
        rules: or("rules", "rules"),
        contacts: or("contacts", "contacts.csv"),
        expectations,
        output: or("output", "out"),
        country: country.unwrap_or_else(|| Country::from_code("US"))?,
        zone: zone?,
        company,
        service,
        collect,
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

fn read_service(table: Table<'_, '_>) -> Option<ServiceSettings> {
    let url = table
        .required_text("url", "Write the service's address: url = \"https://platform.ringcentral.com\".");
    let secrets = table.text("secrets").map(|text| text.value);
    for key in ["client_id", "client_secret", "jwt"] {
        if let Some(value) = table.get(key) {
            let hint = "Put it into the environment (TOLLBOOK_CLIENT_ID, TOLLBOOK_CLIENT_SECRET, TOLLBOOK_JWT) or into a file of mode 0600 named by secrets.";
            let start = value.span().start;
            table.complain(
                "secret-in-configuration",
                start..start,
                format!("{key} does not belong into the configuration"),
                hint,
            );
        }
    }
    table.finish();
    Some(ServiceSettings { url: url?.value.trim_end_matches('/').to_owned(), secrets })
}

fn read_collect(table: Table<'_, '_>) -> CollectSettings {
    let usual = CollectSettings::default();
    let lapse = |key, usual: i64, least: i64| {
        let Some(text) = table.text(key) else { return usual };
        match reader::lapse(&text.value) {
            Ok(milliseconds) if milliseconds >= least => milliseconds,
            Ok(_) => {
                table.complain(
                    "wrong-value",
                    text.span,
                    format!("{key} is too short"),
                    "Write a longer time, such as \"1 hour\".",
                );
                usual
            }
            Err(message) => {
                table.complain(
                    "wrong-value",
                    text.span,
                    message,
                    "Write a length such as \"1 day\" or \"30 minutes\".",
                );
                usual
            }
        }
    };
    let settings = CollectSettings {
        call_log: table.flag("call_log").unwrap_or(usual.call_log),
        messages: table.flag("messages").unwrap_or(usual.messages),
        call_log_window_milliseconds: lapse("call_log_window", usual.call_log_window_milliseconds, 60_000),
        message_window_milliseconds: lapse("message_window", usual.message_window_milliseconds, 60_000),
        overlap_milliseconds: lapse("overlap", usual.overlap_milliseconds, 0),
        settling_lag_milliseconds: lapse("settling_lag", usual.settling_lag_milliseconds, 0),
        keep_text: table.flag("keep_text").unwrap_or(usual.keep_text),
    };
    table.finish();
    settings
}

fn read_invoice(table: Table<'_, '_>) -> (Option<String>, Option<u32>) {
    let series = match table.text("series") {
        None => Some("INV".to_owned()),
        Some(text) => {
            let shaped = !text.value.is_empty()
                && text.value.len() <= 16
                && text.value.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if !shaped {
                table.complain(
                    "wrong-series",
                    text.span.clone(),
                    format!("\"{}\" is not a series", text.value),
                    "Use up to 16 letters and digits.",
                );
            }
            shaped.then_some(text.value)
        }
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
