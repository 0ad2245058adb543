//! The only place of this module that reads a clock.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::domain::Instant;

/// A wait that will be over.
pub type Sleep<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// The two clocks of a run: the calendar that records are compared with, and real time for budgets and waits.
pub trait Clock {
    /// The civil time.
    fn now(&self) -> Instant;
    /// Real time since the clock was made.
    fn elapsed(&self) -> Duration;
    /// Waits in real time.
    fn sleep(&self, duration: Duration) -> Sleep<'_>;
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: std::time::Instant,
}

impl SystemClock {
    /// A clock that starts to count now.
    pub fn start() -> SystemClock {
        SystemClock { started: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        #[expect(clippy::disallowed_methods, reason = "the puller's real clock, at the edge")]
        let now = chrono::Utc::now();
        Instant::from_utc(now)
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Sleep<'_> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A calendar of one's own (that of a sandbox), with waits in real time.
#[derive(Clone, Copy, Debug)]
pub struct CalendarClock<C> {
    calendar: C,
    real: SystemClock,
}

impl<C: Fn() -> Instant> CalendarClock<C> {
    /// A clock whose civil time is what `calendar` says.
    pub fn start(calendar: C) -> CalendarClock<C> {
        CalendarClock { calendar, real: SystemClock::start() }
    }
}

impl<C: Fn() -> Instant> Clock for CalendarClock<C> {
    fn now(&self) -> Instant {
        (self.calendar)()
    }

    fn elapsed(&self) -> Duration {
        self.real.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Sleep<'_> {
        self.real.sleep(duration)
    }
}
