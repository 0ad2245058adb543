//! How the sandbox is set up.

use super::query::MOST_PER_PAGE;
use super::unknowns::Unknowns;
use crate::sandbox::faults::FaultPlan;
use crate::sandbox::world::Plot;
use chrono::{DateTime, TimeDelta, Utc};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// How the sandbox is set up.
#[derive(Clone, Debug)]
pub struct Options {
    pub seed: u64,
    /// The first local day (America/New_York) is the one on which this instant falls.
    pub from: DateTime<Utc>,
    /// Number of local days.
    pub days: u32,
    /// Must be a loopback address; port 0 takes any free port.
    pub address: SocketAddr,
    /// Window of the rate limits, and length of the penalty.
    pub rate_window: Duration,
    pub limits_lifted: bool,
    /// Life of an access token, in real time.
    pub token_life: Duration,
    /// What goes wrong on purpose.
    pub faults: FaultPlan,
    /// Records on one page at most, whatever is asked for; the service itself serves up to 1000.
    pub per_page_at_most: usize,
    /// Numbers of extensions whose mailbox nobody may read (403 CMN-408).
    pub refused_mailboxes: Vec<String>,
    /// The origin that stands in the addresses of served bodies, instead of the real one: with it the same world gives
    /// the same bytes on any port. Clients rebuild addresses on their configured origin.
    pub advertised_origin: Option<String>,
    /// After which time sent faxes are gone; 30 days at the real service. Absent: they stay.
    pub sent_fax_retention: Option<TimeDelta>,
    /// After which time call records are gone; 12 months for most accounts. Absent: they stay.
    pub call_log_retention: Option<TimeDelta>,
    /// Texts that one user may have in one folder (inbox, outbox, sent, deleted): beyond them the oldest are gone.
    pub texts_per_folder: Option<usize>,
    /// Age, in virtual time, at which a token of synchronisation is refused. Absent: it is good for ever. Nobody knows
    /// the real one.
    pub sync_token_life: Option<TimeDelta>,
    /// Answers to what nobody knows about the real service.
    pub unknowns: Unknowns,
}

impl Default for Options {
    /// October 2026 in New York, on any free port, with the service's own limits and lives.
    fn default() -> Options {
        let plot = Plot::default();
        Options {
            seed: plot.seed,
            from: plot.from,
            days: plot.days,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            rate_window: Duration::from_secs(60),
            limits_lifted: false,
            token_life: Duration::from_secs(3600),
            faults: FaultPlan::empty(),
            per_page_at_most: MOST_PER_PAGE,
            refused_mailboxes: Vec::new(),
            advertised_origin: None,
            sent_fax_retention: None,
            call_log_retention: Some(TimeDelta::days(365)),
            texts_per_folder: Some(5000),
            sync_token_life: None,
            unknowns: Unknowns::default(),
        }
    }
}

impl Options {
    /// The part of the options from which the world is made.
    pub fn plot(&self) -> Plot {
        Plot {
            seed: self.seed,
            from: self.from,
            days: self.days,
            internal_sides: self.unknowns.internal_sides,
        }
    }
}
