//! The settings in force, the defaults among them.

use serde_json::{Value, json};

use crate::rules::config::{CollectSettings, Kept};
use crate::run::collect::LEAST_TIME_BETWEEN_PULLS_MILLISECONDS;
use crate::stage::explain::counted_noun;

/// The settings for people.
pub(super) fn text(settings: &CollectSettings) -> String {
    let on = |flag: bool| if flag { "on" } else { "off" };
    let extensions = match settings.extension_calls.as_slice() {
        [] => "none".to_owned(),
        numbers => numbers.join(", "),
    };
    let texts = if settings.keep_text { "kept" } else { "replaced by a keyed hash" };
    let lines = [
        (
            "call log",
            format!(
                "{}, in windows of {}; by changes {}; active calls {}",
                on(settings.call_log),
                lapse(settings.call_log_window_milliseconds),
                on(settings.call_sync),
                on(settings.active_calls)
            ),
        ),
        ("extensions' own", format!("{extensions} (extension_calls)")),
        (
            "messages",
            format!(
                "{}, in windows of {}; by changes {}; texts are {texts}",
                on(settings.messages),
                lapse(settings.message_window_milliseconds),
                on(settings.message_sync)
            ),
        ),
        (
            "windows",
            format!(
                "asked from {} before they begin, closed {} after they end",
                lapse(settings.overlap_milliseconds),
                lapse(settings.settling_lag_milliseconds)
            ),
        ),
        (
            "read again",
            format!(
                "each day for {}, each week to {}; pulls at least {} apart",
                lapse(settings.reread_daily_for_milliseconds),
                lapse(settings.reread_weekly_for_milliseconds),
                lapse(LEAST_TIME_BETWEEN_PULLS_MILLISECONDS)
            ),
        ),
    ];
    let mut text = "\nsettings in force\n".to_owned();
    for (name, line) in lines {
        text.push_str(&format!("  {name:<17} {line}\n"));
    }
    for (at, line) in kept(settings).into_iter().enumerate() {
        let name = if at == 0 { "service keeps" } else { "" };
        text.push_str(&format!("  {name:<17} {line}\n"));
    }
    text
}

/// What the service keeps for how long, those with a limit of time first.
fn kept(settings: &CollectSettings) -> Vec<String> {
    let source = |kept: Kept| if kept.documented { "as documented" } else { "as configured" };
    let mut lines: Vec<String> = Vec::new();
    let mut unlimited: Vec<(&str, &str)> = Vec::new();
    for (name, kept) in settings.retention.kinds() {
        match kept.milliseconds {
            Some(limit) => lines.push(format!("{name} {}, {}", lapse(limit), source(kept))),
            None => unlimited.push((name, source(kept))),
        }
    }
    for source in ["as documented", "as configured"] {
        let names: Vec<&str> =
            unlimited.iter().filter(|(_, of)| *of == source).map(|(name, _)| *name).collect();
        if !names.is_empty() {
            lines.push(format!("{} without limit of time, {source}", names.join(", ")));
        }
    }
    lines
}

/// A length as people write it in the configuration.
fn lapse(milliseconds: i64) -> String {
    let (minute, hour, day) = (60_000, 3_600_000, 86_400_000);
    match milliseconds {
        0 => "0 minutes".to_owned(),
        whole if whole % day == 0 => counted_noun((whole / day).unsigned_abs(), "day"),
        whole if whole % hour == 0 => counted_noun((whole / hour).unsigned_abs(), "hour"),
        whole if whole % minute == 0 => counted_noun((whole / minute).unsigned_abs(), "minute"),
        part => counted_noun((part / 1000).unsigned_abs(), "second"),
    }
}

/// The settings for machines; lengths in seconds.
pub(super) fn facts(settings: &CollectSettings) -> Value {
    let kept: serde_json::Map<String, Value> = settings
        .retention
        .kinds()
        .into_iter()
        .map(|(name, kept)| {
            let seconds = kept.milliseconds.map(|limit| limit / 1000);
            (name.replace(' ', "_"), json!({ "seconds": seconds, "documented": kept.documented }))
        })
        .collect();
    json!({
        "call_log": settings.call_log,
        "call_sync": settings.call_sync,
        "messages": settings.messages,
        "message_sync": settings.message_sync,
        "active_calls": settings.active_calls,
        "extension_calls": settings.extension_calls,
        "call_log_window_seconds": settings.call_log_window_milliseconds / 1000,
        "message_window_seconds": settings.message_window_milliseconds / 1000,
        "overlap_seconds": settings.overlap_milliseconds / 1000,
        "settling_lag_seconds": settings.settling_lag_milliseconds / 1000,
        "reread_daily_for_seconds": settings.reread_daily_for_milliseconds / 1000,
        "reread_weekly_for_seconds": settings.reread_weekly_for_milliseconds / 1000,
        "least_between_pulls_seconds": LEAST_TIME_BETWEEN_PULLS_MILLISECONDS / 1000,
        "keep_text": settings.keep_text,
        "retention": kept,
    })
}
