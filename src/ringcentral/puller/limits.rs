//! Request budgets of the service's rate groups, on the elapsed clock.
//!
//! The service counts requests in a sliding window for each group and user, and punishes a client that asks during a
//! penalty by starting the penalty again. So requests are paced to cause no refusal at all: by what the last
//! response said is left, and by our own log of the last window, which also covers the time before the first
//! response.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// A request is counted at the service before its answer arrives here; the margin covers coarse timers only.
const MARGIN: Duration = Duration::from_millis(10);

/// A rate group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Auth,
    Light,
    Medium,
    Heavy,
}

impl Group {
    /// Every group.
    pub const ALL: [Group; 4] = [Group::Auth, Group::Light, Group::Medium, Group::Heavy];

    /// The documented requests in a minute, until a response says otherwise.
    pub fn documented_limit(self) -> u32 {
        match self {
            Group::Auth => 5,
            Group::Light => 50,
            Group::Medium => 40,
            Group::Heavy => 10,
        }
    }

    /// The group of a header's value, whatever its case; the service may add groups.
    pub fn from_header(value: &str) -> Option<Group> {
        match value.trim().to_ascii_lowercase().as_str() {
            "auth" => Some(Group::Auth),
            "light" => Some(Group::Light),
            "medium" => Some(Group::Medium),
            "heavy" => Some(Group::Heavy),
            _ => None,
        }
    }
}

/// The kinds of requests made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    Token,
    Account,
    Extensions,
    CallLog,
    CallSync,
    ActiveCalls,
    Messages,
    MessageSync,
}

impl Endpoint {
    fn documented_group(self) -> Group {
        match self {
            Endpoint::Token => Group::Auth,
            Endpoint::Account | Endpoint::Messages | Endpoint::MessageSync => Group::Light,
            Endpoint::Extensions => Group::Medium,
            Endpoint::CallLog | Endpoint::CallSync | Endpoint::ActiveCalls => Group::Heavy,
        }
    }
}

/// What a response said about its group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateHeaders {
    pub group: Option<String>,
    pub limit: Option<u32>,
    pub remaining: Option<u32>,
    pub window: Option<Duration>,
}

#[derive(Debug)]
struct Budget {
    limit: u32,
    window: Duration,
    /// When the answers of the last window's requests arrived.
    answered: VecDeque<Duration>,
    blocked_until: Duration,
}

impl Budget {
    fn ready_at(&self, now: Duration) -> Duration {
        let inside = self.answered.iter().filter(|answered| **answered + self.window > now).count();
        let limit = self.limit.max(1) as usize;
        let by_count = match inside >= limit {
            true => self.answered[self.answered.len() - limit] + self.window + MARGIN,
            false => now,
        };
        by_count.max(self.blocked_until).max(now)
    }
}

/// The budgets of one run.
#[derive(Debug)]
pub struct Limits {
    budgets: BTreeMap<Group, Budget>,
    /// Groups that responses named for an endpoint, where they differ from the documented ones.
    learned: BTreeMap<Endpoint, Group>,
}

impl Limits {
    /// The documented budgets, unused.
    pub fn documented() -> Limits {
        let budget = |group: Group| Budget {
            limit: group.documented_limit(),
            window: Duration::from_secs(60),
            answered: VecDeque::new(),
            blocked_until: Duration::ZERO,
        };
        Limits {
            budgets: Group::ALL.into_iter().map(|group| (group, budget(group))).collect(),
            learned: BTreeMap::new(),
        }
    }

    /// The group an endpoint is counted in.
    pub fn group(&self, endpoint: Endpoint) -> Group {
        self.learned.get(&endpoint).copied().unwrap_or(endpoint.documented_group())
    }

    /// The earliest time a request may be sent.
    pub fn ready_at(&self, endpoint: Endpoint, now: Duration) -> Duration {
        self.budgets.get(&self.group(endpoint)).map_or(now, |budget| budget.ready_at(now))
    }

    /// Notes an answered (or failed) request and what the answer said.
    pub fn record(&mut self, endpoint: Endpoint, now: Duration, headers: &RateHeaders) {
        if let Some(group) = headers.group.as_deref().and_then(Group::from_header) {
            self.learned.insert(endpoint, group);
        }
        let group = self.group(endpoint);
        let Some(budget) = self.budgets.get_mut(&group) else { return };
        budget.limit = headers.limit.unwrap_or(budget.limit);
        budget.window = headers.window.filter(|window| !window.is_zero()).unwrap_or(budget.window);
        budget.answered.push_back(now);
        while budget.answered.front().is_some_and(|answered| *answered + budget.window <= now) {
            budget.answered.pop_front();
        }
        if headers.remaining == Some(0) {
            budget.blocked_until = budget.blocked_until.max(now + budget.window + MARGIN);
        }
    }

    /// Closes a group until a penalty ends. Without a group in the refusal, the limit is the account's or the
    /// address's: then every group is closed.
    pub fn penalise(&mut self, endpoint: Endpoint, headers: &RateHeaders, until: Duration) {
        let only = headers.group.as_ref().map(|_| self.group(endpoint));
        for (group, budget) in &mut self.budgets {
            if only.is_none_or(|only| only == *group) {
                budget.blocked_until = budget.blocked_until.max(until);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn said(group: &str, limit: u32, remaining: u32, window: u64) -> RateHeaders {
        RateHeaders {
            group: Some(group.to_owned()),
            limit: Some(limit),
            remaining: Some(remaining),
            window: Some(Duration::from_secs(window)),
        }
    }

    #[test]
    fn the_documented_budget_holds_before_any_header() {
        let mut limits = Limits::documented();
        for second in 0..10 {
            let now = SECOND * second;
            assert_eq!(limits.ready_at(Endpoint::CallLog, now), now);
            limits.record(Endpoint::CallLog, now, &RateHeaders::default());
        }
        assert_eq!(limits.ready_at(Endpoint::CallLog, SECOND * 10), SECOND * 60 + MARGIN);
        assert_eq!(limits.ready_at(Endpoint::Messages, SECOND * 10), SECOND * 10);
    }

    #[test]
    fn nothing_left_waits_a_window_and_headers_replace_the_documented_figures() {
        let mut limits = Limits::documented();
        limits.record(Endpoint::CallLog, SECOND, &said("HEAVY", 3, 1, 2));
        assert_eq!(limits.ready_at(Endpoint::CallLog, SECOND), SECOND);
        limits.record(Endpoint::CallLog, SECOND, &said("heavy", 3, 0, 2));
        assert_eq!(limits.ready_at(Endpoint::CallLog, SECOND), SECOND * 3 + MARGIN);
    }

    #[test]
    fn a_penalty_without_group_closes_all() {
        let mut limits = Limits::documented();
        limits.penalise(Endpoint::CallLog, &said("heavy", 10, 0, 60), SECOND * 60);
        assert_eq!(limits.ready_at(Endpoint::Messages, SECOND), SECOND);
        limits.penalise(Endpoint::CallLog, &RateHeaders::default(), SECOND * 30);
        assert_eq!(limits.ready_at(Endpoint::Messages, SECOND), SECOND * 30);
        assert_eq!(limits.ready_at(Endpoint::CallLog, SECOND), SECOND * 60);
    }

    #[test]
    fn a_group_named_by_the_service_is_learned() {
        let mut limits = Limits::documented();
        limits.record(Endpoint::Account, SECOND, &said("Medium", 40, 0, 60));
        assert_eq!(limits.group(Endpoint::Account), Group::Medium);
        assert_eq!(limits.ready_at(Endpoint::Extensions, SECOND), SECOND * 61 + MARGIN);
    }
}
