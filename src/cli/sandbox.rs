//! `tollbook sandbox`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;

use crate::domain::{Exit, Failure, Instant, Result};
use crate::sandbox::{self, Clock, Options, customer};

use super::printer::Printer;

/// The arguments of `sandbox`.
#[derive(Args)]
#[command(after_help = "Example: tollbook sandbox --address 127.0.0.1:4010 --files billing")]
pub struct Arguments {
    /// Address to listen on; only this machine's own are accepted
    #[arg(long, default_value = "127.0.0.1:4010")]
    address: SocketAddr,
    /// Seed of the invented world: the same seed gives the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Days of the world, from 1 October 2026 on
    #[arg(long, default_value_t = 31)]
    days: u32,
    /// The virtual time at which the service answers, as 2026-11-05T00:00:00Z; some days after the world by default
    #[arg(long)]
    at: Option<String>,
    /// Seconds of the rate limit's window and penalty
    #[arg(long, default_value_t = 60)]
    rate_window: u64,
    /// Answer without any rate limit
    #[arg(long)]
    limits_lifted: bool,
    /// Also write the invented customer's files (configuration, contacts, rules, expectations) to this folder
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
}

/// Serves until it is interrupted.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let options = Options {
        seed: arguments.seed,
        days: arguments.days,
        address: arguments.address,
        rate_window: Duration::from_secs(arguments.rate_window.max(1)),
        limits_lifted: arguments.limits_lifted,
        ..Options::default()
    };
    let clock = Clock::fixed(virtual_time(arguments, &options)?);
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
        let json = serde_json::json!({
            "url": running.base_url,
            "client_id": running.client_id,
            "client_secret": running.client_secret,
            "jwt": running.jwt,
        });
        let text = format!(
            "url:                    {}\nTOLLBOOK_CLIENT_ID:     {}\nTOLLBOOK_CLIENT_SECRET: {}\nTOLLBOOK_JWT:           {}",
            running.base_url, running.client_id, running.client_secret, running.jwt
        );
        printer.result(&json, &text);
        printer.say("The sandbox is ready; interrupt it to end it. Its people, numbers and secrets are invented.");
        match tokio::signal::ctrl_c().await {
            Ok(()) => running.stop().await,
            Err(_) => running.wait().await,
        }
        Ok(Exit::Done)
    })
}

fn virtual_time(arguments: &Arguments, options: &Options) -> Result<DateTime<Utc>> {
    let Some(text) = &arguments.at else {
        return Ok(options.from + TimeDelta::days(i64::from(options.days) + 4));
    };
    Instant::parse(text).map(Instant::utc).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("\"{text}\" is not a time with an offset"))
            .hint("Write it as 2026-11-05T00:00:00Z.")
    })
}
