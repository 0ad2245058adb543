//! `tollbook pull --dry-run`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::domain::{Exit, Result};
use crate::run::forecast::Forecast;
use crate::run::pulling::{self, Wanted};
use crate::run::workspace::Settings;
use crate::stage::explain::counted_noun;

use super::super::printer::Printer;

/// Shows what a pull would ask, account by account.
pub fn show(accounts: &[Settings], wanted: &Wanted, printer: &mut Printer) -> Result<Exit> {
    let (mut texts, mut facts) = (Vec::new(), Vec::new());
    for settings in accounts {
        let forecast = pulling::dry_run(settings, wanted)?;
        let mut json = json_of(&forecast);
        let mut text = text_of(&forecast);
        if let Some(name) = &settings.config.account {
            json["account"] = json!(name);
            text = format!("{name}:\n{text}");
        }
        texts.push(text);
        facts.push(json);
    }
    let json = match facts.as_slice() {
        [only] if accounts.len() == 1 => only.clone(),
        _ => json!({ "accounts": facts }),
    };
    printer.result(&json, &texts.join("\n"));
    Ok(Exit::Done)
}

fn json_of(forecast: &Forecast) -> Value {
    let feeds: Vec<Value> = forecast
        .feeds
        .iter()
        .map(|(name, feed)| {
            json!({
                "feed": name, "feeds": feed.feeds, "windows": feed.windows, "listings": feed.listings,
                "requests_at_least": feed.requests,
            })
        })
        .collect();
    json!({
        "feeds": feeds,
        "requests_at_least": forecast.requests_total(),
        "requests_by_group": forecast.requests,
        "seconds_at_least": forecast.time.as_secs(),
        "mailboxes": forecast.mailboxes,
        "listings_known": forecast.listings_known,
    })
}

fn text_of(forecast: &Forecast) -> String {
    let mut text = format!("{:<17} {:>7} {:>9} {:>10}\n", "feed", "windows", "listings", "requests");
    for (name, feed) in &forecast.feeds {
        let name = match feed.feeds {
            0 | 1 => (*name).to_owned(),
            many => format!("{name} ({many})"),
        };
        let count = |count: u64| if *name == *"token" { "-".to_owned() } else { count.to_string() };
        text.push_str(&format!(
            "{name:<17} {:>7} {:>9} {:>10}\n",
            count(feed.windows),
            count(feed.listings),
            feed.requests
        ));
    }
    let groups: Vec<String> =
        forecast.requests.iter().map(|(group, count)| format!("{count} {group}")).collect();
    text.push_str(&format!(
        "At least {} ({}), {}\nat the documented limits (Auth 5, Light 50, Medium 40 and Heavy 10 a minute).\n",
        counted_noun(forecast.requests_total(), "request"),
        groups.join(", "),
        duration(forecast.time)
    ));
    text.push_str(&match forecast.listings_known {
        0 => "No list was read yet: one page is counted for each listing.\n".to_owned(),
        known => {
            format!("Pages are estimated from the records of {}.\n", counted_noun(known, "earlier listing"))
        }
    });
    if forecast.mailboxes.is_none() {
        text.push_str(
            "Extensions become known with the first pull: each mailbox adds two listings a window, and its changes.\n",
        );
    }
    text.push_str("Nothing was asked.\n");
    text
}

/// A length of time for people: `under a minute`, `6 minutes`, `2 hours 5 minutes`.
pub fn duration(time: Duration) -> String {
    let minutes = time.as_secs().div_ceil(60);
    match (minutes / 60, minutes % 60) {
        _ if time < Duration::from_secs(60) => "under a minute".to_owned(),
        (0, minutes) => counted_noun(minutes, "minute"),
        (hours, 0) => counted_noun(hours, "hour"),
        (hours, minutes) => format!("{} {}", counted_noun(hours, "hour"), counted_noun(minutes, "minute")),
    }
}
