//! Counts of what was asked.

use super::limits::Group;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Counts of what was asked.
#[derive(Debug, Default)]
pub struct Stats(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    requests: BTreeMap<(Group, &'static str), u64>,
    refused: BTreeMap<Group, u64>,
    early: u64,
}

impl Stats {
    /// Requests by group and path template, those refused with 429 included.
    pub fn requests(&self) -> BTreeMap<(Group, &'static str), u64> {
        self.counts(|counts| counts.requests.clone())
    }

    /// All requests.
    pub fn total(&self) -> u64 {
        self.counts(|counts| counts.requests.values().sum())
    }

    /// How often 429 was given.
    pub fn refused(&self) -> u64 {
        self.counts(|counts| counts.refused.values().sum())
    }

    /// How often 429 was given in one group.
    pub fn refused_in(&self, group: Group) -> u64 {
        self.counts(|counts| counts.refused.get(&group).copied().unwrap_or(0))
    }

    /// Requests that were sent before the time that a refusal of the fault plan had named.
    pub fn early(&self) -> u64 {
        self.counts(|counts| counts.early)
    }

    pub(crate) fn count_early(&self) {
        self.counts(|counts| counts.early += 1);
    }

    pub(crate) fn count(&self, group: Group, template: &'static str, admitted: bool) {
        self.counts(|counts| {
            *counts.requests.entry((group, template)).or_default() += 1;
            if !admitted {
                *counts.refused.entry(group).or_default() += 1;
            }
        });
    }

    fn counts<T>(&self, read: impl FnOnce(&mut Counts) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
