//! `tollbook sandbox clock`: tells or moves the virtual clock of a running sandbox.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use crate::cli::printer::Printer;
use crate::domain::{Exit, Failure, Instant, Result};
use crate::rules::reader;
use crate::sandbox::CLOCK;

/// The arguments of `sandbox clock`.
#[derive(Args)]
#[command(
    after_help = "The sandbox's own id and secret are wanted in TOLLBOOK_CLIENT_ID and TOLLBOOK_CLIENT_SECRET.\n\
Example: tollbook sandbox clock --advance \"3 days\""
)]
pub struct Arguments {
    /// Address of the running sandbox
    #[arg(long, default_value = "127.0.0.1:4010")]
    address: SocketAddr,
    /// The time to set, as 2026-11-05T00:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "advance")]
    set: Option<String>,
    /// By how much to move the time on, as "3 days" or "-1 hour"
    #[arg(long, value_name = "SPAN", allow_hyphen_values = true)]
    advance: Option<String>,
}

const PATIENCE: Duration = Duration::from_secs(10);

/// Moves the clock if asked to, and prints the time.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let form = form(arguments)?;
    if !arguments.address.ip().is_loopback() {
        let message = format!("{} is not a loopback address", arguments.address);
        return Err(Failure::new(Exit::Usage, message).hint("A sandbox listens on this machine only."));
    }
    let (id, secret) = (variable("TOLLBOOK_CLIENT_ID")?, variable("TOLLBOOK_CLIENT_SECRET")?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Bug, format!("no runtime for the request: {error}")))?;
    let (status, body) = runtime.block_on(ask(arguments.address, &id, &secret, form))?;
    let answer: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
    if status == 200
        && let Some(now) = answer["now"].as_str()
    {
        printer.result(&answer, now);
        return Ok(Exit::Done);
    }
    let told = answer["message"].as_str().unwrap_or("there is no sandbox at this address");
    let failure = Failure::new(Exit::Usage, format!("the clock did not move: {told}"));
    Err(match status {
        401 => failure.hint("Take both from the lines that the sandbox printed when it was ready."),
        _ => failure,
    })
}

/// What to ask for; nothing to be told the time.
fn form(arguments: &Arguments) -> Result<Option<(&'static str, String)>> {
    if let Some(text) = &arguments.set {
        let time = Instant::parse(text).ok_or_else(|| {
            Failure::new(Exit::Usage, format!("\"{text}\" is not a time with an offset"))
                .hint("Write it as 2026-11-05T00:00:00Z.")
        })?;
        return Ok(Some(("set", time.rfc3339())));
    }
    let Some(text) = &arguments.advance else { return Ok(None) };
    let (sign, span) = text.strip_prefix('-').map_or((1, text.as_str()), |span| (-1, span));
    let milliseconds = reader::lapse(span).map_err(|message| {
        Failure::new(Exit::Usage, message).hint("Write it as \"3 days\", \"2 hours\" or \"30 minutes\".")
    })?;
    Ok(Some(("advance_seconds", (sign * milliseconds / 1000).to_string())))
}

fn variable(name: &str) -> Result<String> {
    let value = std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    value.ok_or_else(|| {
        Failure::new(Exit::Usage, format!("{name} is not set"))
            .hint("Set it to what the sandbox printed when it was ready.")
    })
}

async fn ask(
    address: SocketAddr,
    id: &str,
    secret: &str,
    form: Option<(&'static str, String)>,
) -> Result<(u16, String)> {
    let unreachable = |error: reqwest::Error| {
        // The cause says more than the words around it, and holds no secret.
        let mut cause: &dyn std::error::Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        Failure::new(Exit::Service, format!("no sandbox answers at {address}: {cause}"))
            .hint("Start one with `tollbook sandbox`, or name its address with --address.")
    };
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .map_err(unreachable)?;
    let url = format!("http://{address}{CLOCK}");
    let request = match form {
        Some(form) => client.post(url).form(&[form]),
        None => client.get(url),
    };
    let response = request.basic_auth(id, Some(secret)).send().await.map_err(unreachable)?;
    let status = response.status().as_u16();
    Ok((status, response.text().await.map_err(unreachable)?))
}
