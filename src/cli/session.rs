//! `tollbook session`.

use clap::Args;
use serde_json::{Value, json};

use crate::book::Book;
use crate::domain::time::Zone;
use crate::domain::{Exit, Result};
use crate::run::lookup::{self, Found, Known, Session, SessionId};
use crate::stage::explain::counted_noun;

use super::printer::Printer;
use super::{ConfigArgument, now};

/// The arguments of `session`.
#[derive(Args)]
#[command(after_help = "Example: tollbook session s-a0d17d3c0f1fez17a3b2c4d5ez7fa0000\n\
Nothing is kept: the next pull collects the call with its window. Exit code 4: nobody knows the session.")]
pub struct Arguments {
    /// Session id (digits) or telephony session id (s-…), as a webhook gave it
    id: String,
    /// Look into the book only
    #[arg(long)]
    offline: bool,
    /// Show numbers and names whole
    #[arg(long)]
    show_numbers: bool,
    #[command(flatten)]
    config: ConfigArgument,
}

/// Shows what the book has of a session and what the service says.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let id = SessionId::parse(&arguments.id)?;
    let settings = arguments.config.settings()?;
    let folder = settings.path(&settings.config.book);
    let book = match arguments.offline || folder.join("book.db").is_file() {
        true => Some(Book::open(&folder)?),
        false => None,
    };
    let kept = book.as_ref().map(|book| lookup::in_book(book, &id)).transpose()?.unwrap_or_default();
    let served = match arguments.offline {
        true => None,
        false => Some(lookup::at_service(&settings, book.as_ref(), &id, &kept, now())?),
    };
    let session = Session { kept, served };
    let show = arguments.show_numbers;
    printer.result(&facts(&id, &session, show), &text(&id, &session, settings.config.zone, show));
    Ok(if session.is_known() { Exit::Done } else { Exit::Findings })
}

fn text(id: &SessionId, session: &Session, zone: Zone, show: bool) -> String {
    let mut text = format!("session:  {}\n", id.text());
    match session.kept.as_slice() {
        [] => text.push_str("book:     nothing\n"),
        kept => {
            text.push_str(&format!("book:     {}\n", counted_noun(kept.len() as u64, "record")));
            kept.iter().for_each(|found| text.push_str(&describe(found, zone, show)));
        }
    }
    match &session.served {
        None => text.push_str("service:  not asked\n"),
        Some(served) if served.is_empty() => text.push_str(match session.kept.is_empty() {
            true => "service:  nothing; a call can take some minutes to appear in the log\n",
            false => "service:  nothing; what the book has is kept\n",
        }),
        Some(served) => {
            text.push_str(&format!("service:  {}\n", counted_noun(served.len() as u64, "record")));
            for (found, known) in served {
                let known = match known {
                    Known::Same => "the same as in the book",
                    Known::Changed => "changed since the book got it",
                    Known::Missing => "not in the book yet",
                };
                match known {
                    "the same as in the book" => text.push_str(&format!("  {}: {known}\n", found.id)),
                    _ => text.push_str(&format!("{}    {known}\n", describe(found, zone, show))),
                }
            }
            text.push_str("Nothing was kept: the next pull collects calls with their window.\n");
        }
    }
    text
}

fn describe(found: &Found, zone: Zone, show: bool) -> String {
    let call = &found.call;
    let start = call.start.map_or_else(|| "no start".to_owned(), |start| zone.show(start));
    let length = call.milliseconds.map_or_else(String::new, |length| format!(", {} s", length / 1000));
    let result = call.result.as_deref().unwrap_or("no result");
    let from = lookup::party(&call.from, show);
    let to = lookup::party(&call.to, show);
    let legs = match &call.legs {
        Some(legs) => format!(", {}", counted_noun(legs.len() as u64, "leg")),
        None => String::new(),
    };
    let deleted = if call.deleted { ", deleted upstream" } else { "" };
    format!(
        "  {}  {start}  {} {}{length}\n    {from} to {to}: {result}{legs}{deleted}\n",
        found.id,
        call.direction.to_lowercase(),
        call.call_type.to_lowercase()
    )
}

fn facts(id: &SessionId, session: &Session, show: bool) -> Value {
    let record = |found: &Found| {
        json!({
            "id": found.id,
            "version": found.version.hex(),
            "start": found.call.start.map(|start| start.rfc3339()),
            "last_modified": found.last_modified.map(|at| at.rfc3339()),
            "record": lookup::masked_json(&found.json, show),
        })
    };
    let served = session.served.as_ref().map(|served| {
        let with_standing = |(found, known): &(Found, Known)| {
            let mut value = record(found);
            value["book"] = json!(match known {
                Known::Same => "same",
                Known::Changed => "changed",
                Known::Missing => "missing",
            });
            value
        };
        served.iter().map(with_standing).collect::<Vec<_>>()
    });
    json!({
        "session": id.text(),
        "book": session.kept.iter().map(record).collect::<Vec<_>>(),
        "service": served,
        "kept": false,
    })
}
