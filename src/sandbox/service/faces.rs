//! How the company's log and the extensions' own logs show the same calls, and as of when.

use super::Service;
use super::unknowns::InProgress;
use crate::sandbox::render::{Face, Plan};
use crate::sandbox::world::calendar::HOUR;
use crate::sandbox::world::cast::Seat;
use crate::sandbox::world::plan::{LegKind, LegPlan, Look, RecordPlan, Version};
use crate::sandbox::world::random::mix;

/// A leg begins within this time after its record.
const LONGEST_LEAD_MS: i64 = 6 * HOUR;
/// How long a call stays among the active ones after its end.
const LINGER_MS: i64 = 120_000;

/// How late the list of active calls is, per call: 3 to 10 seconds.
fn lag_ms(plan: &RecordPlan) -> i64 {
    3000 + i64::try_from(mix(plan.serial ^ 0xAC) % 7001).unwrap_or(0)
}

impl Service {
    /// The record as a log shows it, if it does.
    pub(crate) fn face<'a>(&self, plan: &'a RecordPlan, log: Option<Seat>) -> Option<Face<'a>> {
        let Some(seat) = log else { return Some(Face::of_account(plan)) };
        if plan.seat == seat {
            let other = self.options.unknowns.extension_ids_differ;
            let serial = if other { side_serial(plan, seat) } else { plan.serial };
            return Some(Face { plan: Plan::Shared(plan), serial, log });
        }
        let side = if plan.peer == Some(seat) {
            // Where each side has a record, the other one's is among the plans already.
            (!self.world.plot().internal_sides).then(|| callee_side(plan, seat))
        } else {
            let leg = plan.legs.iter().filter(|leg| leg.seat == seat && takes_part(leg.kind));
            leg.max_by_key(|leg| leg.result == "Accepted").map(|leg| member_side(plan, leg))
        };
        side.map(|plan| Face { serial: side_serial(&plan, seat), plan: Plan::Own(Box::new(plan)), log })
    }

    /// The version in which a log shows a record at an instant.
    pub(crate) fn state(&self, face: &Face<'_>, now_ms: i64) -> Option<Version> {
        let plan = &*face.plan;
        let retention = self.options.call_log_retention;
        if retention.is_some_and(|retention| now_ms - plan.start_ms > retention.num_milliseconds()) {
            return None;
        }
        let version = plan.version_at(now_ms).copied();
        match self.options.unknowns.in_progress {
            InProgress::Some => version.filter(|version| seen_from(version, face)),
            InProgress::Never => version.filter(|version| !matches!(version.look, Look::Ringing(_))),
            InProgress::Always => {
                let visible_from_ms = plan.start_ms + lag_ms(plan);
                let underway = Version { visible_from_ms, look: Look::Underway };
                version
                    .filter(|version| seen_from(version, face))
                    .or_else(|| (visible_from_ms <= now_ms).then_some(underway))
            }
        }
    }

    /// The version in which the list of active calls shows a record at an instant: it neither waits for the call log
    /// nor follows it.
    pub(crate) fn active_state(face: &Face<'_>, now_ms: i64) -> Option<Version> {
        let plan = &*face.plan;
        let (from_ms, ended_ms) = (plan.start_ms + lag_ms(plan), plan.end_ms() + lag_ms(plan));
        if now_ms < from_ms || now_ms >= plan.end_ms() + LINGER_MS {
            return None;
        }
        if now_ms >= ended_ms {
            return Some(Version { visible_from_ms: ended_ms, look: Look::Final });
        }
        let ringing = plan.versions.first().map(|version| version.look);
        let ringing = ringing.filter(|look| matches!(look, Look::Ringing(_)));
        Some(Version { visible_from_ms: from_ms, look: ringing.unwrap_or(Look::Underway) })
    }

    /// All that a log shows, or could show, of calls that start in a half-open interval: newest first.
    pub(crate) fn faces(&self, log: Option<Seat>, from_ms: i64, to_ms: i64) -> Vec<Face<'_>> {
        let lead_ms = if log.is_some() { LONGEST_LEAD_MS } else { 0 };
        let plans = self.world.records_between(from_ms.saturating_sub(lead_ms), to_ms).iter().rev();
        let mut faces: Vec<Face<'_>> = plans
            .filter_map(|plan| self.face(plan, log))
            .filter(|face| from_ms <= face.plan.start_ms && face.plan.start_ms < to_ms)
            .collect();
        // Legs begin later than their records; the order of equals stays.
        faces.sort_by_key(|face| std::cmp::Reverse(face.plan.start_ms));
        faces
    }
}

/// A ringing telephone is seen in the company's log and in its own extension's.
fn seen_from(version: &Version, face: &Face<'_>) -> bool {
    match version.look {
        Look::Ringing(seat) => face.log.is_none_or(|log| log == seat),
        _ => true,
    }
}

fn takes_part(kind: LegKind) -> bool {
    matches!(kind, LegKind::Desk | LegKind::Hunt | LegKind::Transfer { .. })
}

/// What the id of a side's own record is made of: no other record has it, for serials are below 2^48.
fn side_serial(plan: &RecordPlan, seat: Seat) -> u64 {
    let seat = u64::try_from(seat).unwrap_or(0) + 1;
    plan.serial | seat << 48
}

/// An internal call as the called extension has it.
fn callee_side(plan: &RecordPlan, seat: Seat) -> RecordPlan {
    let (action, result) =
        if plan.inbound { ("VoIP Call", "Call connected") } else { ("Phone Call", "Accepted") };
    let connected = matches!(plan.result, "Call connected" | "Accepted");
    RecordPlan {
        inbound: !plan.inbound,
        action,
        result: if connected { result } else { plan.result },
        own: None,
        seat,
        peer: Some(plan.seat),
        legs: Vec::new(),
        ..plan.clone()
    }
}

/// A call as one of those has it whose telephones it rang.
fn member_side(plan: &RecordPlan, leg: &LegPlan) -> RecordPlan {
    let accepted = leg.result == "Accepted";
    RecordPlan {
        start_ms: plan.start_ms + leg.after_ms,
        lasting_ms: leg.lasting_ms,
        inbound: true,
        action: "Phone Call",
        result: if accepted { "Accepted" } else { "Missed" },
        reason: if accepted { "Accepted" } else { leg.reason },
        master_type: "Accept",
        seat: leg.seat,
        peer: None,
        legs: vec![LegPlan { kind: LegKind::Desk, after_ms: 0, ..*leg }],
        message: None,
        recorded: plan.recorded && accepted,
        transfer_target: None,
        transferee: None,
        ..plan.clone()
    }
}
