//! Records that come late, change or go: changes of the world itself, so that every way of reading it agrees.

use super::kind::FaultKind;
use super::plan::{FaultPlan, Rule};
use crate::sandbox::world::World;
use crate::sandbox::world::plan::{Availability, Look, MessagePlan, RecordPlan, Version};
use std::sync::Arc;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

fn is_for_the_world(kind: FaultKind) -> bool {
    late_by_ms(kind).is_some() || matches!(kind, FaultKind::EditedLater | FaultKind::DeletedLater)
}

fn late_by_ms(kind: FaultKind) -> Option<i64> {
    match kind {
        FaultKind::LateMinute => Some(MINUTE_MS),
        FaultKind::LateDays => Some(3 * DAY_MS),
        FaultKind::LateWeeks => Some(40 * DAY_MS),
        _ => None,
    }
}

impl FaultPlan {
    /// The world as this plan changes it: records that come late, are edited or deleted. Where the plan has none of
    /// these it is the same world.
    pub fn applied_to(&self, world: &Arc<World>) -> Arc<World> {
        let rules: Vec<&Rule> = self.rules.iter().filter(|rule| is_for_the_world(rule.kind)).collect();
        if rules.is_empty() {
            return Arc::clone(world);
        }
        let calls = |record: &mut RecordPlan| {
            let id = record.id();
            let hit = |rule: &&&Rule| rule.concerns_calls() && rule.hits_record(self.seed, &id);
            rules.iter().filter(hit).for_each(|rule| change_call(record, rule));
        };
        let messages = |message: &mut MessagePlan| {
            let id = message.id.to_string();
            let hit = |rule: &&&Rule| rule.concerns_messages() && rule.hits_record(self.seed, &id);
            rules.iter().filter(hit).for_each(|rule| change_message(message, rule));
        };
        Arc::new(world.changed(calls, messages))
    }
}

fn after_ms(rule: &Rule) -> i64 {
    rule.amount.unwrap_or(3) * DAY_MS
}

fn change_call(record: &mut RecordPlan, rule: &Rule) {
    if let Some(late_ms) = late_by_ms(rule.kind) {
        record.versions.iter_mut().for_each(|version| version.visible_from_ms += late_ms);
        return;
    }
    // What has been deleted is not changed any more.
    let Some(last) = record.versions.last().copied().filter(|last| last.look != Look::Deleted) else {
        return;
    };
    let later_ms = last.visible_from_ms + after_ms(rule);
    if rule.kind == FaultKind::DeletedLater {
        record.versions.push(Version { visible_from_ms: later_ms, look: Look::Deleted });
    } else if let Some(first) = record.versions.last_mut() {
        first.look = Look::OffBySeconds(7);
        record.versions.push(Version { visible_from_ms: later_ms, look: last.look });
    }
}

fn change_message(message: &mut MessagePlan, rule: &Rule) {
    if let Some(late_ms) = late_by_ms(rule.kind) {
        message.versions.iter_mut().for_each(|version| version.visible_from_ms += late_ms);
        return;
    }
    let last = message.versions.last().filter(|last| last.availability == Availability::Alive);
    let Some(mut next) = last.cloned() else { return };
    next.visible_from_ms += after_ms(rule);
    if rule.kind == FaultKind::DeletedLater {
        next.availability = Availability::Deleted;
    }
    message.versions.push(next);
}
