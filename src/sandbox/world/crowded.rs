//! Crowded worlds: a large company's traffic, made by having every call of a small one many times. For benchmarks: how
//! the calls look is real, how alike they are is not.

use super::World;
use super::plan::RecordPlan;
use super::truth::Truth;

/// Between the copies of a call, so that no two begin together.
const STEP_MILLISECONDS: i64 = 617;

impl World {
    /// This world with each call made `times` times, the copies shortly after one another; messages stay single. Its truth
    /// is empty.
    pub fn crowded(&self, times: u64) -> World {
        let records = &self.records;
        let numbers = records.iter().flat_map(|record| {
            let linked = [record.transfer_target, record.transferee];
            [record.serial, record.telephony_of].into_iter().chain(linked.into_iter().flatten())
        });
        let apart = numbers.max().unwrap_or(0) + 1;
        let mut all = Vec::with_capacity(records.len() * usize::try_from(times).unwrap_or(1));
        for copy in 0..times.max(1) {
            all.extend(records.iter().map(|record| copied(record, copy, apart)));
        }
        let (calendar, cast) = (self.calendar, self.cast.clone());
        World::of(self.plot, calendar, cast, Truth::default(), all, self.messages.clone())
    }
}

fn copied(record: &RecordPlan, copy: u64, apart: u64) -> RecordPlan {
    let shift = copy * apart;
    let later_ms = i64::try_from(copy).unwrap_or(0) * STEP_MILLISECONDS;
    let mut versions = record.versions.clone();
    versions.iter_mut().for_each(|version| version.visible_from_ms += later_ms);
    RecordPlan {
        serial: record.serial + shift,
        telephony_of: record.telephony_of + shift,
        start_ms: record.start_ms + later_ms,
        // A message is carried by one call.
        message: record.message.filter(|_| copy == 0),
        transfer_target: record.transfer_target.map(|serial| serial + shift),
        transferee: record.transferee.map(|serial| serial + shift),
        versions,
        ..record.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::world::Plot;
    use std::collections::BTreeSet;

    #[test]
    fn copies_are_calls_of_their_own() {
        let small = World::generate(Plot { days: 1, ..Plot::default() });
        let crowded = small.crowded(3);
        assert_eq!(crowded.records.len(), 3 * small.records.len());
        let ids: BTreeSet<String> = crowded.records.iter().map(RecordPlan::id).collect();
        assert_eq!(ids.len(), crowded.records.len());
        let sessions: BTreeSet<String> = crowded.records.iter().map(RecordPlan::session_id).collect();
        let small_sessions: BTreeSet<String> = small.records.iter().map(RecordPlan::session_id).collect();
        assert_eq!(sessions.len(), 3 * small_sessions.len());
    }
}
