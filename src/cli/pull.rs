//! `tollbook pull`.

use clap::Args;
use serde_json::{Value, json};

use crate::book::{NoteKind, Noted};
use crate::domain::time::Month;
use crate::domain::{Exit, Failure, Instant, Result};
use crate::run::collect::{Again, Pulled};
use crate::run::pulling::{self, Wanted};
use crate::run::workspace::Settings;
use crate::stage::explain::counted_noun;

use super::printer::Printer;
use super::{ConfigArgument, actor, month};

mod plan;

/// The arguments of `pull`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tollbook pull --from 2026-10-01T00:00:00Z\n  tollbook pull --from 2025-11-01T00:00:00Z --to 2026-10-01T00:00:00Z\n  \
tollbook pull --period 2026-10\n  tollbook pull --dry-run --from 2026-10-01T00:00:00Z\n  tollbook pull --all --side-by-side\n\
Secrets come from TOLLBOOK_CLIENT_ID, TOLLBOOK_CLIENT_SECRET and TOLLBOOK_JWT (of an account north: TOLLBOOK_NORTH_CLIENT_ID and so on), \
or from the 0600 file that the configuration names."
)]
pub struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// The earliest time wanted, as 2026-10-01T00:00:00Z; 35 days ago by default
    #[arg(long, conflicts_with = "period")]
    from: Option<String>,
    /// Only what begins before this; now by default
    #[arg(long, conflicts_with = "period")]
    to: Option<String>,
    /// Read a month again whole, as 2026-10: for the day on which it is closed
    #[arg(long, value_parser = month)]
    period: Option<Month>,
    /// List sealed windows once more
    #[arg(long)]
    reread: bool,
    /// Show what would be asked and how long it would take; nothing is asked
    #[arg(long)]
    dry_run: bool,
    /// Pull every account of the configuration
    #[arg(long, conflicts_with = "account")]
    all: bool,
    /// With --all: at the same time, each with its own token and budgets
    #[arg(long, requires = "all")]
    side_by_side: bool,
    /// Pull although the last pull is less than 15 minutes ago; the reason is recorded
    #[arg(long, requires = "reason")]
    again: bool,
    /// Why it is pulled again so soon
    #[arg(long, requires = "again")]
    reason: Option<String>,
    /// Who pulls again so soon
    #[arg(long, requires = "again")]
    actor: Option<String>,
    /// The time the service is at, for a sandbox on a virtual clock
    #[arg(long)]
    at: Option<String>,
}

/// Pulls and says what came.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let accounts = match arguments.all {
        true => Settings::load_each(&arguments.config.config)?,
        false => vec![arguments.config.settings()?],
    };
    accounts.iter().try_for_each(|settings| pulling::service_of(settings).map(drop))?;
    let wanted = wanted(arguments)?;
    if arguments.dry_run {
        return plan::show(&accounts, &wanted, printer);
    }
    match accounts.as_slice() {
        [settings] if !arguments.all => {
            let pulled = with_bar(settings, &wanted, printer)?;
            warn(&pulled, None, printer);
            printer.result(&facts(&pulled), &text(&pulled));
            Ok(Exit::Done)
        }
        _ => pull_all(&accounts, &wanted, arguments.side_by_side, printer),
    }
}

fn wanted(arguments: &Arguments) -> Result<Wanted> {
    let time = |text: &Option<String>| text.as_deref().map(instant).transpose();
    Ok(Wanted {
        from: time(&arguments.from)?,
        to: time(&arguments.to)?,
        period: arguments.period,
        reread: arguments.reread,
        at: time(&arguments.at)?,
        again: arguments
            .reason
            .clone()
            .map(|reason| Again { reason, actor: actor(arguments.actor.as_ref()) }),
    })
}

fn instant(text: &str) -> Result<Instant> {
    Instant::parse(text).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("\"{text}\" is not a time with an offset"))
            .hint("Write it as 2026-10-01T00:00:00Z.")
    })
}

fn with_bar(settings: &Settings, wanted: &Wanted, printer: &Printer) -> Result<Pulled> {
    let bar = printer.bar();
    let pulled = pulling::pull(settings, wanted, &mut |progress| bar.show(progress));
    bar.end();
    pulled
}

fn warn(pulled: &Pulled, account: Option<&str>, printer: &mut Printer) {
    let whose = account.map(|name| format!("{name}: ")).unwrap_or_default();
    for warning in &pulled.warnings {
        printer.say(&format!("warning: {whose}{warning}"));
    }
}

/// Pulls every account; one that fails does not stop the others. The exit code is the first of 7, 8, 6, 9, 4.
fn pull_all(accounts: &[Settings], wanted: &Wanted, together: bool, printer: &mut Printer) -> Result<Exit> {
    let results: Vec<Result<Pulled>> = match together {
        true => pulling::pull_side_by_side(accounts, wanted),
        false => accounts.iter().map(|settings| with_bar(settings, wanted, printer)).collect(),
    };
    let mut exit = Exit::Done;
    let (mut json, mut lines) = (Vec::new(), Vec::new());
    for (settings, result) in accounts.iter().zip(results) {
        let name = name_of(settings);
        match result {
            Ok(pulled) => {
                warn(&pulled, Some(name), printer);
                lines.push(format!("{name}: {}", text(&pulled).replace('\n', "\n  ")));
                let mut facts = facts(&pulled);
                facts["account"] = json!(name);
                facts["exit"] = json!(Exit::Done.code());
                json.push(facts);
            }
            Err(failure) => {
                exit = exit.worse(failure.exit());
                lines.push(format!("{name}: failed, exit code {}", failure.exit().code()));
                json.push(
                    json!({ "account": name, "exit": failure.exit().code(), "error": failure.to_string() }),
                );
                printer.failure(&failure.while_doing(name));
            }
        }
    }
    printer.result(&json!({ "accounts": json }), &lines.join("\n"));
    Ok(exit)
}

/// An account's name for people.
fn name_of(settings: &Settings) -> &str {
    settings.config.account.as_deref().unwrap_or("the account")
}

fn facts(pulled: &Pulled) -> Value {
    let Pulled { summary, noted, .. } = pulled;
    let gaps = |gaps: &[crate::domain::record::Gap]| -> Vec<Value> {
        gaps.iter().map(|gap| json!({ "feed": gap.feed.name(), "reason": gap.reason })).collect()
    };
    json!({
        "records": summary.records,
        "requests": summary.requests,
        "pages": summary.pages,
        "windows_sealed": summary.windows_sealed,
        "windows_unsettled": summary.unsettled.len(),
        "windows_held_open": summary.held_open.len(),
        "noted": super::status::noted_facts(noted),
        "without": gaps(&summary.without),
        "gaps": gaps(&summary.gaps),
        "malformed": summary.malformed,
        "repeats": summary.repeats,
        "rate_refusals": summary.rate_refusals,
    })
}

fn text(Pulled { summary, noted, .. }: &Pulled) -> String {
    let mut text = format!(
        "{} in {} and {}; {} sealed, {} still open.",
        counted_noun(summary.records, "record"),
        counted_noun(summary.pages, "page"),
        counted_noun(summary.requests, "request"),
        counted_noun(summary.windows_sealed, "window"),
        summary.unsettled.len()
    );
    if let Some(noted) = noted_text(noted) {
        text.push_str(&format!("\nNoted: {noted}."));
    }
    let held = summary.held_open.len() as u64;
    if held > 0 {
        let them = if held == 1 { "it" } else { "them" };
        let held = counted_noun(held, "window");
        text.push_str(&format!(
            "\nHeld open: {held}, because a call that began in {them} is still in progress."
        ));
    }
    for without in &summary.without {
        let feed = without.feed.name();
        text.push_str(&format!("\nNot offered: {feed} ({}); the lists are read alone.", without.reason));
    }
    if summary.malformed > 0 {
        let records = counted_noun(summary.malformed, "record");
        text.push_str(&format!("\nNot understood: {records}, kept as served."));
    }
    for gap in &summary.gaps {
        text.push_str(&format!("\nNot readable: {} ({}).", gap.feed.name(), gap.reason));
    }
    text
}

/// What was found out after the fact, in words; `None` when nothing was.
pub(super) fn noted_text(noted: &Noted) -> Option<String> {
    let kinds = [
        (NoteKind::Late, "late"),
        (NoteKind::Changed, "changed"),
        (NoteKind::Absent, "absent upstream"),
        (NoteKind::Reappeared, "there again"),
        (NoteKind::Deleted, "deleted upstream"),
    ];
    let counted = kinds.into_iter().filter(|(kind, _)| noted.of(*kind) > 0);
    let words: Vec<String> = counted.map(|(kind, words)| format!("{} {words}", noted.of(kind))).collect();
    (!words.is_empty()).then(|| words.join(", "))
}
