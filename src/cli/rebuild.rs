//! `tollbook rebuild`.

use std::path::PathBuf;

use clap::Args;

use crate::book::{Book, Damage, Rebuilt};
use crate::domain::{Exit, Failure, Result};
use crate::run::rebuild;
use crate::stage::explain::counted_noun;

use super::printer::Printer;
use super::{ConfigArgument, actor, now};

/// The arguments of `rebuild`.
#[derive(Args)]
#[command(after_help = "Examples:\n  tollbook rebuild --check\n  tollbook rebuild\n  \
tollbook rebuild --reopen-damaged --reason \"disk replaced, no backup of October\" --actor anna")]
pub struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// The book, instead of the configuration's
    #[arg(long, value_name = "DIR")]
    book: Option<PathBuf>,
    /// Only compare; differences end with exit code 7
    #[arg(long, conflicts_with = "reopen_damaged")]
    check: bool,
    /// Give up damaged files of raw pages: the next pull lists their windows again
    #[arg(long, requires = "reason")]
    reopen_damaged: bool,
    /// Why damaged files are given up
    #[arg(long)]
    reason: Option<String>,
    /// Who gives them up
    #[arg(long)]
    actor: Option<String>,
}

/// Rebuilds, compares, or gives up what is damaged.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let settings = arguments.config.settings()?;
    let folder = arguments.book.clone().unwrap_or_else(|| settings.path(&settings.config.book));
    let zone = settings.config.zone;
    let mut book = Book::open(&folder)?;
    if arguments.check {
        let rebuilt = rebuild::check(&book, zone)?;
        printer.result(&facts(&rebuilt), &describe(&rebuilt, true));
        let sound = rebuilt.differences == 0 && rebuilt.damaged.is_empty();
        return Ok(if sound { Exit::Done } else { Exit::Verification });
    }
    let _lock = book.lock("rebuild")?;
    if arguments.reopen_damaged {
        return reopen(&mut book, arguments, printer);
    }
    let rebuilt = rebuild::rebuild(&mut book, zone, now())?;
    printer.result(&facts(&rebuilt), &describe(&rebuilt, false));
    if rebuilt.damaged.is_empty() {
        return Ok(Exit::Done);
    }
    // What is damaged and was not given up stays so until it is restored.
    let given_up = book.damage()?.iter().filter(|damage| damage.given_up.is_some()).count();
    Ok(if given_up == rebuilt.damaged.len() { Exit::Done } else { Exit::Verification })
}

fn reopen(book: &mut Book, arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let reason = arguments.reason.as_deref().unwrap_or_default().trim();
    if reason.is_empty() {
        return Err(Failure::new(Exit::Usage, "damaged files are given up only with a reason"));
    }
    let given_up = book.reopen_damaged(&actor(arguments.actor.as_ref()), reason, now())?;
    book.checkpoint()?;
    let json = serde_json::json!({ "given_up": given_up.iter().map(damage_facts).collect::<Vec<_>>() });
    let text = match given_up.is_empty() {
        true => "No raw file is damaged.".to_owned(),
        false => {
            let lines: Vec<String> = given_up.iter().map(Damage::describe).collect();
            format!("Given up, to be listed again by the next pull:\n{}", lines.join("\n"))
        }
    };
    printer.result(&json, &text);
    Ok(Exit::Done)
}

fn damage_facts(damage: &Damage) -> serde_json::Value {
    serde_json::json!({
        "file": damage.file,
        "reason": damage.reason,
        "import": damage.import.as_ref().map(|(name, _)| name),
        "windows": damage.windows.iter().map(|window| serde_json::json!({
            "feed": window.window.feed.name(),
            "from": window.window.span.from.rfc3339(),
            "to": window.window.span.to.rfc3339(),
            "pages": window.pages,
            "records": window.records,
            "records_kept": window.records_kept,
            "can_be_listed": window.can_be_listed,
        })).collect::<Vec<_>>(),
    })
}

fn facts(rebuilt: &Rebuilt) -> serde_json::Value {
    serde_json::json!({
        "before": rebuilt.before.hex(),
        "after": rebuilt.after.hex(),
        "pages": rebuilt.pages,
        "imports": rebuilt.imports,
        "versions": rebuilt.versions,
        "segments": rebuilt.segments,
        "differences": rebuilt.differences,
        "told": rebuilt.told,
        "damaged": rebuilt.damaged,
        "carried": rebuilt.carried,
        "lost": rebuilt.lost,
    })
}

fn describe(rebuilt: &Rebuilt, only_compared: bool) -> String {
    let mut text = format!(
        "{} from {} and {}.\nas registered:  {}\nas it follows:  {}\n",
        counted_noun(rebuilt.versions, "version"),
        counted_noun(rebuilt.pages, "page"),
        counted_noun(rebuilt.imports, "file"),
        rebuilt.before.hex(),
        rebuilt.after.hex()
    );
    text.push_str(&match (rebuilt.differences, only_compared) {
        (0, true) => "The book is what follows from its raw pages and files.".to_owned(),
        (0, false) => format!("It was so already; {} written.", counted_noun(rebuilt.segments, "segment")),
        (count, true) => {
            format!("{}; `tollbook rebuild` puts them right.", counted_noun(count, "difference"))
        }
        (count, false) => format!(
            "{} put right; {} written.",
            counted_noun(count, "difference"),
            counted_noun(rebuilt.segments, "segment")
        ),
    });
    for told in &rebuilt.told {
        text.push_str(&format!("\n  {told}"));
    }
    for damaged in &rebuilt.damaged {
        text.push_str(&format!("\ndamaged: {damaged}"));
    }
    if rebuilt.carried > 0 {
        let carried = counted_noun(rebuilt.carried, "version");
        text.push_str(&format!("\n{carried} kept from sound segments: their raw pages are damaged."));
    }
    if rebuilt.lost > 0 {
        text.push_str(&format!("\n{} are nowhere any more.", counted_noun(rebuilt.lost, "version")));
    }
    text
}
