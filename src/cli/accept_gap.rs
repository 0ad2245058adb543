//! `tollbook accept-gap`.

use clap::Args;

use crate::book::Book;
use crate::domain::record::Feed;
use crate::domain::time::Month;
use crate::domain::{Exit, Failure, Result};
use crate::run::coverage::{ACCEPT_GAP, gap_subject};

use super::printer::Printer;
use super::{ConfigArgument, actor, month, now};

/// The arguments of `accept-gap`.
#[derive(Args)]
#[command(
    after_help = "Example: tollbook accept-gap messages/400131428008 --period 2026-10 --reason \"mailbox of a departed user, deleted\" --actor anna"
)]
pub struct Arguments {
    /// The feed with the gap, as `status` names it
    feed: String,
    /// The month for which it is accepted, as 2026-10
    #[arg(long, value_parser = month)]
    period: Month,
    /// Why it is accepted; printed with every result it touches
    #[arg(long)]
    reason: String,
    /// Who accepts it
    #[arg(long)]
    actor: Option<String>,
    #[command(flatten)]
    config: ConfigArgument,
}

/// Records the decision.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let settings = arguments.config.settings()?;
    let feed = Feed::from_name(&arguments.feed).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("\"{}\" is not a feed", arguments.feed))
            .hint("`tollbook status` names the feeds.")
    })?;
    if arguments.reason.trim().is_empty() {
        return Err(Failure::new(Exit::Usage, "a gap is accepted only with a reason"));
    }
    let mut book = Book::open(&settings.path(&settings.config.book))?;
    let _lock = book.lock("accept-gap")?;
    let actor = actor(arguments.actor.as_ref());
    let month = arguments.period;
    book.decide(ACCEPT_GAP, &gap_subject(&feed, month), &actor, &arguments.reason, now())?;
    printer.result(
        &serde_json::json!({ "feed": feed.name(), "period": month.key(), "actor": actor }),
        &format!("Accepted the gap in {} for {}.", feed.name(), month.key()),
    );
    Ok(Exit::Done)
}
