//! Deliberate faults, decided by counters alone so that a test can foretell them.

use super::ask::Reply;
use super::error::ApiError;
use std::sync::atomic::{AtomicU64, Ordering};

/// Which requests go wrong. The default is none. Token requests are never hit by `fail_every` and `truncate_every`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Every n-th request is answered with [`Faults::fail_status`] instead. 0 counts as absent.
    pub fail_every: Option<u64>,
    /// 500 (internal error, the default) or 503 (limited mode).
    pub fail_status: Option<u16>,
    /// Every n-th successful body ends in the middle. 0 counts as absent.
    pub truncate_every: Option<u64>,
    /// An access token is expired after so many requests, whatever its life.
    pub expire_token_after: Option<u64>,
}

/// The counters of a running server.
#[derive(Debug, Default)]
pub(crate) struct FaultCounters {
    requests: AtomicU64,
    bodies: AtomicU64,
}

fn hits(counter: &AtomicU64, every: Option<u64>) -> bool {
    let Some(every) = every.filter(|every| *every > 0) else { return false };
    (counter.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(every)
}

impl FaultCounters {
    /// The error that this request gets instead of its answer, if any.
    pub(crate) fn failure(&self, faults: &Faults) -> Option<ApiError> {
        hits(&self.requests, faults.fail_every).then(|| ApiError::fault(faults.fail_status.unwrap_or(500)))
    }

    /// A reply as it is sent. Only successes are cut short.
    pub(crate) fn carry(&self, faults: &Faults, mut reply: Reply) -> Reply {
        if reply.status < 300 && hits(&self.bodies, faults.truncate_every) {
            reply.body.truncate(reply.body.len() / 2);
        }
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::super::ask::Carriage;
    use super::*;

    #[test]
    fn faults_come_on_the_count() {
        let counters = FaultCounters::default();
        let faults = Faults {
            fail_every: Some(3),
            fail_status: Some(503),
            truncate_every: Some(2),
            ..Faults::default()
        };
        let failed: Vec<bool> = (0..6).map(|_| counters.failure(&faults).is_some()).collect();
        assert_eq!(failed, [false, false, true, false, false, true]);
        let whole =
            Reply { status: 200, headers: Vec::new(), body: b"abcd".to_vec(), carriage: Carriage::Whole };
        assert_eq!(counters.carry(&faults, whole.clone()).body, b"abcd");
        assert_eq!(counters.carry(&faults, whole).body, b"ab");
    }
}
