//! `tollbook status`.

use std::path::Path;

use clap::Args;
use serde_json::{Value, json};

use crate::book::{Book, Identity, NoteKind, Noted, Standing, Status};
use crate::domain::record::RecordKind;
use crate::domain::{Exit, Instant, Result};
use crate::rules::config::CollectSettings;
use crate::run::horizon::{Horizon, horizons};
use crate::stage::explain::counted_noun;

use super::printer::Printer;
use super::{BookArgument, now};

mod collected;
mod settings;

/// The arguments of `status`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    book: BookArgument,
}

/// Shows counts, coverage, what is late and what is at risk, documents, the settings in force.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let folder = arguments.book.folder()?;
    // A book that is named without a configuration beside it is shown with what holds when nothing is said.
    let settings = match arguments.book.book.is_some() && !arguments.book.config.config.exists() {
        true => CollectSettings::default(),
        false => arguments.book.config.settings()?.config.collect,
    };
    let book = Book::open(&folder)?;
    let status = book.status()?;
    // A sandbox's records lie in its own time, which stood still at the last pull.
    let now = status.last_pull.filter(|_| book.identity().specimen).unwrap_or_else(now);
    let horizons = horizons(&status, &settings, now);
    let shown = Shown { folder: &folder, identity: book.identity(), status: &status, now };
    let text =
        format!("{}{}{}", shown.head(), collected::text(&status, &horizons, now), settings::text(&settings));
    printer.result(&shown.facts(&horizons, &settings), &text);
    Ok(Exit::Done)
}

struct Shown<'a> {
    folder: &'a Path,
    identity: &'a Identity,
    status: &'a Status,
    now: Instant,
}

impl Shown<'_> {
    fn head(&self) -> String {
        let status = self.status;
        let account = self.identity.account.as_deref().unwrap_or("none yet");
        let kind = match self.identity.specimen {
            true => "sandbox (every document says SPECIMEN)",
            false => "real account",
        };
        let last = match status.last_pull {
            None => "never".to_owned(),
            Some(last) if self.identity.specimen => short(last),
            Some(last) => format!("{}, {}", short(last), ago(last, self.now)),
        };
        let mut text = format!(
            "book        {}, {} in {}\naccount     {account}, {kind}\nlast pull   {last}\n",
            self.folder.display(),
            bytes(status.bytes),
            counted_noun(status.segments, "segment"),
        );
        text.push_str(&format!(
            "documents   {} from {}\n",
            counted_noun(status.documents, "document"),
            counted_noun(status.runs, "run")
        ));
        if !status.versions.is_empty() {
            text.push_str(&format!(
                "\n{:<38} {:>9} {:>11} {:>10}\n",
                "records", "current", "superseded", "duplicate"
            ));
        }
        let kinds: std::collections::BTreeSet<RecordKind> =
            status.versions.keys().map(|(kind, _)| *kind).collect();
        for kind in kinds {
            let count = |standing| status.versions.get(&(kind, standing)).copied().unwrap_or(0);
            text.push_str(&format!(
                "  {:<36} {:>9} {:>11} {:>10}\n",
                kind.word(),
                count(Standing::Current),
                count(Standing::Superseded),
                count(Standing::Duplicate)
            ));
        }
        text
    }

    fn facts(&self, horizons: &[Horizon], settings: &CollectSettings) -> Value {
        let status = self.status;
        json!({
            "account": self.identity.account,
            "specimen": self.identity.specimen,
            "last_pull": status.last_pull.map(|at| at.rfc3339()),
            "bytes": status.bytes,
            "segments": status.segments,
            "records": status.versions.iter().map(|((kind, standing), count)| json!({
                "kind": kind.word(), "standing": format!("{standing:?}").to_lowercase(), "count": count,
            })).collect::<Vec<_>>(),
            "feeds": collected::feed_facts(status, horizons, self.now),
            "streams": status.streams.iter().map(|stream| json!({
                "feed": stream.feed.name(), "from": stream.from.rfc3339(),
                "reached": stream.reached.map(|at| at.rfc3339()),
            })).collect::<Vec<_>>(),
            "lateness": collected::lateness_facts(status),
            "noted": noted_facts(&status.noted),
            "gaps": status.gaps.iter().map(|gap| json!({ "feed": gap.feed.name(), "reason": gap.reason })).collect::<Vec<_>>(),
            "documents": status.documents,
            "runs": status.runs,
            "settings": settings::facts(settings),
        })
    }
}

/// The notes by kind.
pub(super) fn noted_facts(noted: &Noted) -> Value {
    let counts = NoteKind::ALL.iter().map(|kind| (kind.word().to_owned(), json!(noted.of(*kind))));
    Value::Object(counts.collect())
}

/// To the minute, in UTC: `2026-10-01 04:00Z`.
fn short(at: Instant) -> String {
    at.utc().format("%Y-%m-%d %H:%MZ").to_string()
}

/// How long ago, or ahead, in the largest whole unit.
fn ago(at: Instant, now: Instant) -> String {
    let milliseconds = now.milliseconds().saturating_sub(at.milliseconds());
    match milliseconds {
        0.. => format!("{} ago", length(milliseconds)),
        _ => format!("in {}", length(milliseconds.saturating_neg())),
    }
}

/// A length of time in the largest unit of which there are two, or one whole.
fn length(milliseconds: i64) -> String {
    let minutes = milliseconds / 60_000;
    let count = |count: i64, unit| counted_noun(count.unsigned_abs(), unit);
    match minutes {
        0 => "less than a minute".to_owned(),
        minutes if minutes < 120 => count(minutes, "minute"),
        minutes if minutes < 48 * 60 => count(minutes / 60, "hour"),
        minutes => count(minutes / 1440, "day"),
    }
}

fn bytes(count: u64) -> String {
    match count {
        count if count < 10_000 => format!("{count} bytes"),
        count if count < 10_000_000 => format!("{} kB", count / 1000),
        count => format!("{} MB", count / 1_000_000),
    }
}
