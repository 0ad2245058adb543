//! The command line: words into values, values into words. One file a subcommand.
//!
//! It must not compute anything: it calls `run` and prints what it gets. The printer is the only writer to the terminal.

mod accept_gap;
mod accept_suspense;
mod coding;
mod compact;
mod contacts;
mod demo;
mod doctor;
mod explain;
mod import;
mod init;
mod invoice;
mod price;
mod printer;
mod pull;
mod rebuild;
mod rules;
mod run;
mod sandbox;
mod session;
mod status;
mod verify;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::domain::time::Month;
use crate::domain::{Exit, Instant, Result};
use crate::run::workspace::{Settings, Workspace};

use printer::Printer;

/// Bill clients for their calls, texts and faxes, and prove that nothing is missing or twice
#[derive(Parser)]
#[command(name = "tollbook", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 bug, 2 usage, 3 mistakes in rules or configuration, 4 findings above the \
threshold, 5 another run holds the book, 6 service unreachable, 7 verification failed, 8 disk, 9 not finalised"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Form of the results on standard output
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Bill a month of an invented company from end to end, without an account
    Demo(demo::Arguments),
    /// Write a first configuration, rules and contact list
    Init(init::Arguments),
    /// Serve the invented company's log on this machine
    Sandbox(sandbox::Arguments),
    /// Collect calls, texts and faxes from the service
    Pull(pull::Arguments),
    /// Look one call up by its session id, in the book and at the service
    Session(session::Arguments),
    /// Check configuration, credentials, permissions and the service, before the first pull or when something is wrong
    Doctor(doctor::Arguments),
    /// Take in files: pages of the service, the portal's call log, usage files
    Import(import::Arguments),
    /// Price a file of events without a book
    Price(price::Arguments),
    /// Bill a period and reconcile it: drafts, or documents with --finalise
    Run(run::Arguments),
    /// List or finalise the documents of a period
    #[command(subcommand)]
    Invoice(invoice::Action),
    /// Show the events of an invoice line and the steps of one charge
    Explain(explain::Arguments),
    /// Show where the book stands
    Status(status::Arguments),
    /// Check every hash, chain and checksum of the book
    Verify(verify::Arguments),
    /// Make every derived table and segment again from the raw pages and files
    Rebuild(rebuild::Arguments),
    /// Join small files of the book
    Compact(compact::Arguments),
    /// Accept a known gap in the collection, with a reason
    AcceptGap(accept_gap::Arguments),
    /// Let payers be billed although something suspended could be theirs, with a reason
    AcceptSuspense(accept_suspense::Arguments),
    /// Check rule files or run the examples they carry
    #[command(subcommand)]
    Rules(rules::Action),
    /// Say of calls for whom, for which matter and by whom: the sheet of a period, out and back
    #[command(subcommand)]
    Coding(coding::Action),
    /// Check the contact list
    #[command(subcommand)]
    Contacts(contacts::Action),
}

/// The configuration file, for every command that needs one.
#[derive(Args, Clone)]
struct ConfigArgument {
    /// The configuration file
    #[arg(long, short, default_value = "tollbook.toml", value_name = "FILE")]
    config: PathBuf,
    /// Which account, where the configuration has several
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

impl ConfigArgument {
    /// The configuration alone.
    fn settings(&self) -> Result<Settings> {
        Settings::load(&self.config, self.account.as_deref())
    }

    /// The configuration and all files it names.
    fn workspace(&self) -> Result<Workspace> {
        Workspace::load(&self.config, self.account.as_deref())
    }
}

/// The book alone, for commands that need nothing else.
#[derive(Args, Clone)]
struct BookArgument {
    #[command(flatten)]
    config: ConfigArgument,
    /// The book, instead of the configuration's
    #[arg(long, value_name = "DIR")]
    book: Option<PathBuf>,
}

impl BookArgument {
    /// The folder of the book; the configuration is read only when it has to name it.
    fn folder(&self) -> Result<PathBuf> {
        match &self.book {
            Some(folder) => Ok(folder.clone()),
            None => {
                let settings = self.config.settings()?;
                Ok(settings.path(&settings.config.book))
            }
        }
    }
}

/// Parses the arguments, runs the command, prints its end; the exit code is all that is left.
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            // A closed terminal is no reason to fail once more.
            return error.print().map_or(exit, |()| exit);
        }
    };
    let mut printer = Printer::new(cli.format == Format::Json);
    let ended = dispatch(cli.command, &mut printer);
    match ended {
        Ok(exit) => exit,
        Err(failure) => {
            printer.failure(&failure);
            failure.exit()
        }
    }
}

fn dispatch(command: Command, printer: &mut Printer) -> Result<Exit> {
    match command {
        Command::Demo(arguments) => demo::run(arguments, printer),
        Command::Init(arguments) => init::run(&arguments, printer),
        Command::Sandbox(arguments) => sandbox::run(&arguments, printer),
        Command::Pull(arguments) => pull::run(&arguments, printer),
        Command::Session(arguments) => session::run(&arguments, printer),
        Command::Doctor(arguments) => doctor::run(&arguments, printer),
        Command::Import(arguments) => import::run(&arguments, printer),
        Command::Price(arguments) => price::run(&arguments, printer),
        Command::Run(arguments) => run::run(&arguments, printer),
        Command::Invoice(action) => invoice::run(&action, printer),
        Command::Explain(arguments) => explain::run(&arguments, printer),
        Command::Status(arguments) => status::run(&arguments, printer),
        Command::Verify(arguments) => verify::run(&arguments, printer),
        Command::Rebuild(arguments) => rebuild::run(&arguments, printer),
        Command::Compact(arguments) => compact::run(&arguments, printer),
        Command::AcceptGap(arguments) => accept_gap::run(&arguments, printer),
        Command::AcceptSuspense(arguments) => accept_suspense::run(&arguments, printer),
        Command::Rules(action) => rules::run(&action, printer),
        Command::Coding(action) => coding::run(&action, printer),
        Command::Contacts(action) => contacts::run(&action, printer),
    }
}

/// The wall clock: read here, at the edge, and nowhere else.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn now() -> Instant {
    Instant::from_utc(chrono::Utc::now())
}

fn month(text: &str) -> std::result::Result<Month, String> {
    Month::parse(text).ok_or_else(|| "write a month as 2026-10".to_owned())
}

/// Who acts, where no name is given: the user of the machine.
fn actor(given: Option<&String>) -> String {
    given.cloned().or_else(|| std::env::var("USER").ok()).unwrap_or_else(|| "unknown".to_owned())
}
