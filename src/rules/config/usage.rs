//! `[usage]`: how usage files are read.

use crate::domain::Zone;
use crate::domain::local::{LocalTimes, RepeatedTime, SkippedTime};
use crate::rules::table::Table;

/// How times without an offset are read; `None`: every time needs one.
pub(super) fn read(table: Table<'_, '_>, company: Option<Zone>) -> Option<LocalTimes> {
    let zone = table.text("zone");
    let repeated = table.text("local_times");
    let skipped = table.text("skipped_times");
    let said = zone.is_some() || repeated.is_some() || skipped.is_some();
    let zone = match zone {
        None => company,
        Some(text) => {
            let zone = Zone::from_name(&text.value);
            if zone.is_none() {
                let message = format!("\"{}\" is not a time zone", text.value);
                table.complain(
                    "unknown-zone",
                    text.span,
                    message,
                    "Name an IANA zone such as America/New_York.",
                );
            }
            zone
        }
    };
    let times = zone.map(LocalTimes::of).map(|times| LocalTimes {
        repeated: repeated.map_or(times.repeated, |text| {
            RepeatedTime::from_word(&text.value).unwrap_or_else(|| {
                let message = format!("\"{}\" is no way to read a time that was shown twice", text.value);
                table.complain("wrong-value", text.span, message, "Write offset-required, earlier or later.");
                times.repeated
            })
        }),
        skipped: skipped.map_or(times.skipped, |text| {
            SkippedTime::from_word(&text.value).unwrap_or_else(|| {
                let message = format!("\"{}\" is no way to read a time that was never shown", text.value);
                table.complain("wrong-value", text.span, message, "Write shift or error.");
                times.skipped
            })
        }),
        ..times
    });
    table.finish();
    times.filter(|_| said)
}
