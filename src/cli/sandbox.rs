//! `tollbook sandbox`.

mod clock;
mod faults;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::{Args, Subcommand};

use crate::domain::{Exit, Failure, Instant, Result};
use crate::rules::diagnostic::Diagnostic;
use crate::run::workspace::{read_file, refuse};
use crate::sandbox::{self, Clock, FaultPlan, Mistake, Options, Running, customer};

use super::printer::Printer;

/// The arguments of `sandbox`.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Without a command it serves.\nExample: tollbook sandbox --address 127.0.0.1:4010 --files billing"
)]
pub struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Subcommand)]
enum Action {
    /// Serve the invented company's log until interrupted
    Serve(Serve),
    /// Tell or move the virtual clock of a running sandbox
    Clock(clock::Arguments),
    /// List what can go wrong on purpose, for fault plans
    Faults(faults::Arguments),
}

/// The arguments of `sandbox serve`.
#[derive(Args)]
struct Serve {
    /// Address to listen on; only this machine's own are accepted
    #[arg(long, default_value = "127.0.0.1:4010")]
    address: SocketAddr,
    /// Seed of the invented world: the same seed gives the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Days of the world, from 1 October 2026 on
    #[arg(long, default_value_t = 31)]
    days: u32,
    /// The virtual time at which the service answers, as 2026-11-05T00:00:00Z; four days after the world by default
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Let the virtual clock run on with real time instead of standing still
    #[arg(long)]
    running: bool,
    /// Seconds of the rate limit's window and penalty; 60, if the settings do not say otherwise
    #[arg(long, value_name = "SECONDS")]
    rate_window: Option<u64>,
    /// Answer without any rate limit
    #[arg(long)]
    limits_lifted: bool,
    /// What goes wrong on purpose: a fault plan in TOML
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// How the service behaves where nobody knows, what it keeps and for how long: settings in TOML
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Also write the invented customer's files (configuration, contacts, rules, expectations) to this folder
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
}

/// Runs one of the actions.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    match &arguments.action {
        None => serve(&arguments.serve, printer),
        Some(Action::Serve(serving)) => serve(serving, printer),
        Some(Action::Clock(arguments)) => clock::run(arguments, printer),
        Some(Action::Faults(arguments)) => faults::run(arguments, printer),
    }
}

/// Serves until it is interrupted.
fn serve(arguments: &Serve, printer: &mut Printer) -> Result<Exit> {
    let options = options(arguments)?;
    let at = virtual_time(arguments, &options)?;
    let clock = if arguments.running { Clock::running_from(at) } else { Clock::fixed(at) };
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new(Exit::Bug, format!("no runtime for the sandbox: {error}")))?;
    runtime.block_on(async {
        let running = sandbox::start(options, clock)
            .map_err(|error| Failure::new(Exit::Usage, format!("the sandbox did not start: {error}")))?;
        if let Some(folder) = &arguments.files {
            let doing = || format!("writing the customer's files to {}", folder.display());
            std::fs::create_dir_all(folder).map_err(|error| Failure::io(&error, doing()))?;
            customer::write(&running.world, folder, Some(&running.base_url))
                .map_err(|error| Failure::io(&error, doing()))?;
        }
        announce(&running, at, printer);
        interrupted().await?;
        // A client that never lets go does not keep the sandbox.
        drop(tokio::time::timeout(Duration::from_secs(2), running.stop()).await);
        Ok(Exit::Done)
    })
}

fn announce(running: &Running, at: DateTime<Utc>, printer: &mut Printer) {
    let at = at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let json = serde_json::json!({
        "url": running.base_url,
        "client_id": running.client_id,
        "client_secret": running.client_secret,
        "jwt": running.jwt,
        "at": at,
    });
    let text = format!(
        "url:                    {}\nTOLLBOOK_CLIENT_ID:     {}\nTOLLBOOK_CLIENT_SECRET: {}\n\
         TOLLBOOK_JWT:           {}\nat:                     {at}",
        running.base_url, running.client_id, running.client_secret, running.jwt
    );
    printer.result(&json, &text);
    printer
        .say("The sandbox is ready; interrupt it to end it. Its people, numbers and secrets are invented.");
}

/// Waits for the terminal's interrupt or for a request to end.
async fn interrupted() -> Result<()> {
    let failed = |error| Failure::new(Exit::Bug, format!("no signals reach the sandbox: {error}"));
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut ended = signal(SignalKind::terminate()).map_err(failed)?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result.map_err(failed),
            _ = ended.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(failed)
}

/// Settings from the file, then the fault plan, then what the command line says.
fn options(arguments: &Serve) -> Result<Options> {
    let mut options = match &arguments.settings {
        Some(path) => read(path, Options::parse)?,
        None => Options::default(),
    };
    if let Some(path) = &arguments.faults {
        options.faults = read(path, FaultPlan::parse)?;
    }
    options.seed = arguments.seed;
    options.days = arguments.days;
    options.address = arguments.address;
    if let Some(seconds) = arguments.rate_window {
        options.rate_window = Duration::from_secs(seconds.max(1));
    }
    options.limits_lifted |= arguments.limits_lifted;
    Ok(options)
}

/// Reads a file of the sandbox's own; all its mistakes are shown with their places.
fn read<T>(path: &Path, parse: impl FnOnce(&str) -> std::result::Result<T, Vec<Mistake>>) -> Result<T> {
    let name = path.display().to_string();
    let file = read_file(path, &name)?;
    parse(&file.text).map_err(|mistakes| {
        let diagnostic = |mistake: Mistake| {
            Diagnostic::error(mistake.code, &name, Some(mistake.span), mistake.message).hint(mistake.hint)
        };
        let diagnostics: Vec<Diagnostic> = mistakes.into_iter().map(diagnostic).collect();
        refuse(&diagnostics, std::slice::from_ref(&file))
    })
}

fn virtual_time(arguments: &Serve, options: &Options) -> Result<DateTime<Utc>> {
    let Some(text) = &arguments.at else {
        return Ok(options.from + TimeDelta::days(i64::from(options.days) + 4));
    };
    Instant::parse(text).map(Instant::utc).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("\"{text}\" is not a time with an offset"))
            .hint("Write it as 2026-11-05T00:00:00Z.")
    })
}
