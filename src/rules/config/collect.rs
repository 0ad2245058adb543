//! `[collect]`: which feeds are read, how, and how long the service keeps what they serve.

use crate::rules::reader;
use crate::rules::table::{Table, Text};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How collection behaves; lengths in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectSettings {
    pub call_log: bool,
    /// Also read the call log by changes.
    pub call_sync: bool,
    pub messages: bool,
    /// Also read each mailbox by changes.
    pub message_sync: bool,
    /// Look at the calls in progress before a window of calls is sealed.
    pub active_calls: bool,
    /// Numbers of the extensions whose own call log is read as second evidence.
    pub extension_calls: Vec<String>,
    pub call_log_window_milliseconds: i64,
    pub message_window_milliseconds: i64,
    pub overlap_milliseconds: i64,
    pub settling_lag_milliseconds: i64,
    /// A sealed window is listed again each day until it is this old,
    pub reread_daily_for_milliseconds: i64,
    /// and each week until it is this old.
    pub reread_weekly_for_milliseconds: i64,
    pub keep_text: bool,
    pub retention: Retention,
}

impl Default for CollectSettings {
    fn default() -> CollectSettings {
        CollectSettings {
            call_log: true,
            call_sync: true,
            messages: true,
            message_sync: true,
            active_calls: true,
            extension_calls: Vec::new(),
            call_log_window_milliseconds: DAY,
            message_window_milliseconds: 7 * DAY,
            overlap_milliseconds: 2 * HOUR,
            settling_lag_milliseconds: 30 * MINUTE,
            reread_daily_for_milliseconds: 7 * DAY,
            reread_weekly_for_milliseconds: 35 * DAY,
            keep_text: false,
            retention: Retention::default(),
        }
    }
}

/// How long the service keeps something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// `None`: without a limit of time.
    pub milliseconds: Option<i64>,
    /// As the service documents it, because the configuration says nothing else.
    pub documented: bool,
}

impl Kept {
    const fn documented(milliseconds: Option<i64>) -> Kept {
        Kept { milliseconds, documented: true }
    }
}

/// How long the service keeps each kind of record. It differs by contract and by the administrator's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    pub call_log: Kept,
    pub sent_faxes: Kept,
    pub received_faxes: Kept,
    pub voicemail: Kept,
    pub texts: Kept,
}

impl Default for Retention {
    fn default() -> Retention {
        Retention {
            call_log: Kept::documented(Some(365 * DAY)),
            sent_faxes: Kept::documented(Some(30 * DAY)),
            received_faxes: Kept::documented(None),
            voicemail: Kept::documented(None),
            texts: Kept::documented(None),
        }
    }
}

impl Retention {
    /// The kinds of record with their limits, by the word people know them by; calls first.
    pub fn kinds(&self) -> [(&'static str, Kept); 5] {
        [
            ("calls", self.call_log),
            ("sent faxes", self.sent_faxes),
            ("received faxes", self.received_faxes),
            ("voicemail", self.voicemail),
            ("texts", self.texts),
        ]
    }

    /// What a mailbox loses first, and after how long; `None` when nothing has a limit of time.
    pub fn of_messages(&self) -> Option<(&'static str, i64)> {
        let kinds = self.kinds();
        let limits = kinds.iter().skip(1).filter_map(|(name, kept)| Some((*name, kept.milliseconds?)));
        limits.min_by_key(|(_, milliseconds)| *milliseconds)
    }
}

/// Reads `[collect]`.
pub(super) fn read(table: Table<'_, '_>) -> CollectSettings {
    let usual = CollectSettings::default();
    let length = |key, usual: i64, least: i64| lapse(&table, key, least).unwrap_or(usual);
    let settings = CollectSettings {
        call_log: table.flag("call_log").unwrap_or(usual.call_log),
        call_sync: second_way(&table, "call_sync", "call_log"),
        messages: table.flag("messages").unwrap_or(usual.messages),
        message_sync: second_way(&table, "message_sync", "messages"),
        active_calls: second_way(&table, "active_calls", "call_log"),
        extension_calls: extensions(&table),
        call_log_window_milliseconds: length("call_log_window", usual.call_log_window_milliseconds, MINUTE),
        message_window_milliseconds: length("message_window", usual.message_window_milliseconds, MINUTE),
        overlap_milliseconds: length("overlap", usual.overlap_milliseconds, 0),
        settling_lag_milliseconds: length("settling_lag", usual.settling_lag_milliseconds, 0),
        reread_daily_for_milliseconds: length("reread_daily_for", usual.reread_daily_for_milliseconds, 0),
        reread_weekly_for_milliseconds: length("reread_weekly_for", usual.reread_weekly_for_milliseconds, 0),
        keep_text: table.flag("keep_text").unwrap_or(usual.keep_text),
        retention: table.table("retention", "collect.retention").map(retention).unwrap_or_default(),
    };
    if let Some(value) = table.get("reread_weekly_for")
        && settings.reread_weekly_for_milliseconds < settings.reread_daily_for_milliseconds
    {
        let hint = "Make reread_weekly_for at least as long as reread_daily_for (7 days without it).";
        let message = "the weekly re-reading ends before the daily one";
        table.complain("wrong-value", value.span(), message, hint);
    }
    table.finish();
    settings
}

/// A switch that adds to a feed: on where the feed is on. Asking for it without the feed is a mistake.
fn second_way(table: &Table<'_, '_>, key: &'static str, feed: &'static str) -> bool {
    let feed_on = table.get(feed).and_then(|value| value.get_ref().as_bool()).unwrap_or(true);
    let asked = table.flag(key);
    if let Some(value) = table.get(key)
        && asked == Some(true)
        && !feed_on
    {
        let hint = format!("Windows of {feed} seal what {key} collects: switch {feed} on, or {key} off.");
        let message = format!("{key} is on and {feed} is off");
        table.complain("switch-without-feed", value.span(), message, &hint);
    }
    asked.unwrap_or(true) && feed_on
}

fn extensions(table: &Table<'_, '_>) -> Vec<String> {
    let mut numbers: Vec<String> = Vec::new();
    for text in table.texts("extension_calls") {
        let digits = !text.value.is_empty() && text.value.bytes().all(|byte| byte.is_ascii_digit());
        let repeated = numbers.contains(&text.value);
        if !digits || text.value.len() > 12 || repeated {
            let message = match repeated {
                true => format!("extension {} is named twice", text.value),
                false => format!("\"{}\" is not an extension number", text.value),
            };
            table.complain(
                "wrong-value",
                text.span,
                message,
                "List numbers of extensions: [\"101\", \"102\"].",
            );
            continue;
        }
        numbers.push(text.value);
    }
    numbers
}

/// A length of time of at least `least` milliseconds; `None` when it is absent or cannot be read.
pub(super) fn lapse(table: &Table<'_, '_>, key: &'static str, least: i64) -> Option<i64> {
    let hint = "Write a length such as \"1 day\" or \"30 minutes\".";
    read_lapse(table, key, table.text(key)?, least, hint)
}

fn read_lapse(table: &Table<'_, '_>, key: &'static str, text: Text, least: i64, hint: &str) -> Option<i64> {
    match reader::lapse(&text.value) {
        Ok(milliseconds) if milliseconds >= least => Some(milliseconds),
        Ok(_) => {
            let longer = if least < DAY { "1 hour" } else { "1 day" };
            let hint = format!("Write a longer time, such as \"{longer}\".");
            table.complain("wrong-value", text.span, format!("{key} is too short"), &hint);
            None
        }
        Err(message) => {
            table.complain("wrong-value", text.span, message, hint);
            None
        }
    }
}

fn retention(table: Table<'_, '_>) -> Retention {
    let usual = Retention::default();
    let hint = "Write a length such as \"270 days\", or \"no limit\".";
    let kept = |key: &'static str, usual: Kept| {
        let Some(text) = table.text(key) else { return usual };
        if text.value == "no limit" {
            return Kept { milliseconds: None, documented: false };
        }
        let limit = read_lapse(&table, key, text, DAY, hint);
        limit.map_or(usual, |limit| Kept { milliseconds: Some(limit), documented: false })
    };
    let retention = Retention {
        call_log: kept("call_log", usual.call_log),
        sent_faxes: kept("sent_faxes", usual.sent_faxes),
        received_faxes: kept("received_faxes", usual.received_faxes),
        voicemail: kept("voicemail", usual.voicemail),
        texts: kept("texts", usual.texts),
    };
    table.finish();
    retention
}
