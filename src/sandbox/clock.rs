//! The virtual clock: what "now" is for the sandbox, whatever the computer's own clock says.

use chrono::{DateTime, TimeDelta, Utc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A settable clock shared by the server and whoever drives it.
///
/// Clones show the same time. Rate limits and token lives do not use it: they are measured in real time, as a client
/// measures them.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<State>>);

#[derive(Clone, Copy, Debug)]
enum State {
    Fixed(DateTime<Utc>),
    /// Virtual time minus real time.
    Running(TimeDelta),
}

impl Clock {
    /// A clock that stands still until it is set or advanced.
    pub fn fixed(at: DateTime<Utc>) -> Clock {
        Clock(Arc::new(Mutex::new(State::Fixed(at))))
    }

    /// A clock that shows `at` now and goes on with real time.
    pub fn running_from(at: DateTime<Utc>) -> Clock {
        Clock(Arc::new(Mutex::new(State::Running(at - wall()))))
    }

    /// The virtual time.
    pub fn now(&self) -> DateTime<Utc> {
        match *self.state() {
            State::Fixed(at) => at,
            State::Running(ahead) => wall() + ahead,
        }
    }

    /// Whether it goes on with real time.
    pub fn is_running(&self) -> bool {
        matches!(*self.state(), State::Running(_))
    }

    /// Sets the time; a running clock goes on running from there.
    pub fn set(&self, at: DateTime<Utc>) {
        let mut state = self.state();
        *state = match *state {
            State::Fixed(_) => State::Fixed(at),
            State::Running(_) => State::Running(at - wall()),
        };
    }

    /// Moves the time by `by`, which may be negative.
    pub fn advance(&self, by: TimeDelta) {
        let mut state = self.state();
        *state = match *state {
            State::Fixed(at) => State::Fixed(at + by),
            State::Running(ahead) => State::Running(ahead + by),
        };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::disallowed_methods, reason = "a sandbox that follows real time reads it here only")]
fn wall() -> DateTime<Utc> {
    Utc::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_one_time() {
        let start = DateTime::from_timestamp(1_790_000_000, 0).expect("a valid instant");
        let clock = Clock::fixed(start);
        let other = clock.clone();
        other.advance(TimeDelta::hours(2));
        assert_eq!(clock.now(), start + TimeDelta::hours(2));
        other.set(start);
        assert_eq!(clock.now(), start);
    }

    #[test]
    fn running_clock_does_not_go_back() {
        let start = DateTime::from_timestamp(1_790_000_000, 0).expect("a valid instant");
        let clock = Clock::running_from(start);
        assert!(clock.now() >= start);
        clock.set(start + TimeDelta::days(3));
        assert!(clock.now() >= start + TimeDelta::days(3));
    }
}
