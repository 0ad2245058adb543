//! Rate limits as documented: a sliding window for each group, and a penalty that every further request restarts.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Groups of requests that share a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Auth,
    Light,
    Medium,
    Heavy,
}

impl Group {
    /// As in the header `X-Rate-Limit-Group`.
    pub fn name(self) -> &'static str {
        match self {
            Group::Auth => "auth",
            Group::Light => "light",
            Group::Medium => "medium",
            Group::Heavy => "heavy",
        }
    }

    /// Requests in one window.
    pub fn limit(self) -> usize {
        match self {
            Group::Auth => 5,
            Group::Light => 50,
            Group::Medium => 40,
            Group::Heavy => 10,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    accepted: VecDeque<Duration>,
    penalty_until: Option<Duration>,
}

/// What lifted limits are said to be: a client that keeps to what it is told never waits.
const LIFTED_LIMIT: usize = 1_000_000;

/// All groups of one user and app: the sandbox has one of each.
#[derive(Debug)]
pub(crate) struct Limits {
    window: Duration,
    lifted: bool,
    states: [Mutex<State>; 4],
}

/// What the limiter says to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) group: Group,
    pub(crate) admitted: bool,
    /// Requests in one window, as the headers tell it.
    pub(crate) limit: usize,
    pub(crate) remaining: usize,
    /// Whole seconds, at least 1.
    pub(crate) window_seconds: u64,
}

impl Limits {
    pub(crate) fn new(window: Duration, lifted: bool) -> Limits {
        Limits { window, lifted, states: Default::default() }
    }

    /// Counts a request at `now`, which is a time since any fixed moment.
    pub(crate) fn admit(&self, group: Group, now: Duration) -> Verdict {
        let window_seconds = self.window.as_millis().div_ceil(1000).max(1);
        let window_seconds = u64::try_from(window_seconds).unwrap_or(u64::MAX);
        let limit = if self.lifted { LIFTED_LIMIT } else { group.limit() };
        let verdict = |admitted, remaining| Verdict { group, admitted, limit, remaining, window_seconds };
        if self.lifted {
            return verdict(true, limit);
        }
        let mut state = self.states[group as usize].lock().unwrap_or_else(PoisonError::into_inner);
        while state.accepted.front().is_some_and(|then| now.saturating_sub(*then) >= self.window) {
            state.accepted.pop_front();
        }
        let punished = state.penalty_until.is_some_and(|until| now < until);
        if punished || state.accepted.len() >= limit {
            state.penalty_until = Some(now + self.window);
            return verdict(false, 0);
        }
        state.penalty_until = None;
        state.accepted.push_back(now);
        verdict(true, limit - state.accepted.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides() {
        let limits = Limits::new(Duration::from_secs(60), false);
        let start = Duration::ZERO;
        for step in 0..5 {
            let verdict = limits.admit(Group::Auth, start + Duration::from_secs(10 * step));
            assert!(verdict.admitted);
            assert_eq!(verdict.remaining, 4 - usize::try_from(step).expect("small"));
        }
        assert!(limits.admit(Group::Auth, start + Duration::from_secs(60)).admitted);
        assert!(!limits.admit(Group::Auth, start + Duration::from_secs(61)).admitted);
        assert!(limits.admit(Group::Heavy, start).admitted, "groups are apart");
    }

    #[test]
    fn every_request_restarts_the_penalty() {
        let limits = Limits::new(Duration::from_secs(60), false);
        let start = Duration::ZERO;
        let at = |seconds| start + Duration::from_secs(seconds);
        for _ in 0..10 {
            assert!(limits.admit(Group::Heavy, at(0)).admitted);
        }
        assert!(!limits.admit(Group::Heavy, at(1)).admitted);
        assert!(!limits.admit(Group::Heavy, at(59)).admitted);
        assert!(!limits.admit(Group::Heavy, at(110)).admitted, "the window is over, the penalty is not");
        assert!(!limits.admit(Group::Heavy, at(169)).admitted);
        assert!(limits.admit(Group::Heavy, at(230)).admitted);
    }

    #[test]
    fn seconds_are_whole_and_never_none() {
        let limits = Limits::new(Duration::from_millis(200), false);
        assert_eq!(limits.admit(Group::Light, Duration::ZERO).window_seconds, 1);
        let lifted = Limits::new(Duration::from_secs(60), true);
        assert!((0..1000).all(|_| lifted.admit(Group::Auth, Duration::ZERO).admitted));
    }
}
