//! What the service itself has no address for: the hands on the virtual clock.
//!
//! The address lies outside the service's own, and asks for the client's id and secret, so that nobody moves the clock
//! by accident.

use super::{Ask, Carriage, Method, Reply, Service};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

/// GET tells the time; POST with `set` (RFC 3339) or `advance_seconds` moves it first.
pub const CLOCK: &str = "/sandbox/clock";

impl Service {
    /// Answers a request for the clock; `None` when it is for something else.
    pub(crate) fn control(&self, ask: &Ask) -> Option<Reply> {
        (ask.path == CLOCK).then(|| match self.move_clock(ask) {
            Ok(()) => {
                let now = self.clock.now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
                told(200, &json!({ "now": now, "running": self.clock.is_running() }))
            }
            Err((status, message)) => told(status, &json!({ "message": message })),
        })
    }

    fn move_clock(&self, ask: &Ask) -> Result<(), (u16, &'static str)> {
        if self.tokens.authenticate_client(ask).is_err() {
            return Err((401, "the client id and secret of the sandbox are wanted"));
        }
        if ask.method == Method::Other {
            return Err((405, "GET and POST are known here"));
        }
        let form = ask.form.as_deref().filter(|_| ask.method == Method::Post).unwrap_or_default();
        for (name, value) in form {
            let moved = match name.as_str() {
                "set" => value.parse::<DateTime<Utc>>().ok().map(|to| self.clock.set(to)),
                "advance_seconds" => self.advance(value),
                _ => return Err((400, "set and advance_seconds are known here")),
            };
            moved.ok_or((400, "that is no time that the clock can show"))?;
        }
        Ok(())
    }

    fn advance(&self, seconds: &str) -> Option<()> {
        let by = seconds.parse().ok().and_then(TimeDelta::try_seconds)?;
        self.clock.now().checked_add_signed(by)?;
        self.clock.advance(by);
        Some(())
    }
}

fn told(status: u16, body: &serde_json::Value) -> Reply {
    Reply {
        status,
        headers: vec![("content-type".to_owned(), "application/json;charset=utf-8".to_owned())],
        body: body.to_string().into_bytes(),
        carriage: Carriage::Whole,
    }
}
