//! Calls as the log of one extension shows them: second evidence of who took a call of the account's log, never an event
//! and never money.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Instant;
use crate::domain::disposition::{RecordDisposition, RecordFinding};
use crate::domain::event::{BillableEvent, Evidence, EvidenceRole};
use crate::domain::outcome::{Channel, Direction, Outcome};
use crate::domain::record::RecordKind;
use crate::domain::source::CallRecord;

use super::calls::{Call, given, is_other_half, is_ring_out};
use super::legs::is_answered;
use super::{Bench, words};

/// How far outside the account's call a call of an extension's log may start: the logs are written apart.
const START_APART_SECONDS_MAX: i64 = 5;

/// What became of a record of the account's log.
#[derive(Clone, Copy)]
enum Fate {
    /// Evidence of the event at this place.
    Event(usize),
    NotFinal,
    Suspended,
}

/// A record of the account's log, and when its call lasted.
struct Sighting<'a> {
    account: &'a str,
    id: &'a str,
    call: &'a CallRecord,
    fate: Fate,
    from: Instant,
    to: Instant,
}

/// The account's log by everything that can name a call.
#[derive(Default)]
struct AccountLog<'a> {
    sightings: Vec<Sighting<'a>>,
    by_id: BTreeMap<&'a str, Vec<usize>>,
    by_telephony_session: BTreeMap<&'a str, Vec<usize>>,
    by_session: BTreeMap<&'a str, Vec<usize>>,
    by_session_number: BTreeMap<u64, Vec<usize>>,
}

pub fn add(bench: &mut Bench<'_>, views: &[Call<'_>], calls: &[Call<'_>]) {
    if views.is_empty() {
        return;
    }
    let log = AccountLog::new(bench, calls);
    let mut by_event: BTreeMap<usize, Vec<Call<'_>>> = BTreeMap::new();
    for view in views.iter().copied() {
        match log.find(view).map(|found| log.sightings[found].fate) {
            Some(Fate::Event(event)) => by_event.entry(event).or_default().push(view),
            Some(Fate::NotFinal) => bench.enter(view.0, RecordDisposition::NotFinal, None, ""),
            Some(Fate::Suspended) => bench.exclude(view.0, "second evidence of a call that is suspended"),
            None => bench.exclude_noted(
                view.0,
                "in an extension's log only; the account's log is what is billed",
                RecordFinding::OnlyInExtensionLog,
            ),
        }
    }
    for (event, views) in by_event {
        attach(bench, event, &views);
    }
}

impl<'a> AccountLog<'a> {
    fn new(bench: &Bench<'_>, calls: &[Call<'a>]) -> AccountLog<'a> {
        let mut fates = BTreeMap::new();
        for entry in bench.ledger.iter().filter(|entry| entry.record.kind == RecordKind::Call) {
            let fate = match entry.disposition {
                RecordDisposition::NotFinal => Fate::NotFinal,
                RecordDisposition::Suspended => Fate::Suspended,
                _ => continue,
            };
            fates.insert(&entry.record, fate);
        }
        for (index, event) in bench.events.iter().enumerate() {
            for evidence in event.evidence.iter().filter(|item| item.record.kind == RecordKind::Call) {
                fates.insert(&evidence.record, Fate::Event(index));
            }
        }
        let mut spans: BTreeMap<usize, (Instant, Instant)> = BTreeMap::new();
        let mut log = AccountLog::default();
        for (record, call) in calls.iter().copied() {
            let Some(fate) = fates.get(&record.record.key).copied() else { continue };
            // Without a start it can be found by its id alone.
            let start = call.start.unwrap_or(Instant::from_milliseconds(i64::MIN));
            let end = match fate {
                Fate::NotFinal => Instant::from_milliseconds(i64::MAX),
                Fate::Event(_) | Fate::Suspended => end_of(call, start),
            };
            if let Fate::Event(event) = fate {
                let span = spans.entry(event).or_insert((start, end));
                *span = (span.0.min(start), span.1.max(end));
            }
            let (account, id) = (record.record.key.account.as_str(), record.record.key.id.as_str());
            log.sightings.push(Sighting { account, id, call, fate, from: start, to: end });
        }
        for sighting in &mut log.sightings {
            if let Fate::Event(event) = sighting.fate {
                (sighting.from, sighting.to) = spans[&event];
            }
        }
        log.index();
        log
    }

    fn index(&mut self) {
        for (place, sighting) in self.sightings.iter().enumerate() {
            self.by_id.entry(sighting.id).or_default().push(place);
            if let Some(session) = given(&sighting.call.telephony_session_id) {
                self.by_telephony_session.entry(session).or_default().push(place);
            }
            if let Some(session) = given(&sighting.call.session_id) {
                self.by_session.entry(session).or_default().push(place);
                if let Ok(number) = session.parse() {
                    self.by_session_number.entry(number).or_default().push(place);
                }
            }
        }
    }

    /// The account's record of the same call: by record id, else by telephony session, else by session, else the other
    /// half of a ring-out. Whether both logs give a record the same id is not documented.
    fn find(&self, (record, view): Call<'_>) -> Option<usize> {
        let account = record.record.key.account.as_str();
        let own = |place: &usize| self.sightings[*place].account == account;
        // The key of a view says whose it is after the id.
        let id = record.record.key.id.split('@').next().unwrap_or_default();
        let same_id = self.by_id.get(id);
        if let Some(place) = same_id.into_iter().flatten().copied().find(own) {
            return Some(place);
        }
        let sessions = [
            given(&view.telephony_session_id).and_then(|session| self.by_telephony_session.get(session)),
            given(&view.session_id).and_then(|session| self.by_session.get(session)),
        ];
        let start = view.start?;
        for places in sessions.into_iter().flatten() {
            let lasting = places.iter().copied().filter(|place| own(place) && self.lasted(*place, start));
            if let Some(place) = lasting.min_by_key(|place| self.distance(*place, view, start)) {
                return Some(place);
            }
        }
        let halves =
            ring_out_sessions(view).into_iter().filter_map(|number| self.by_session_number.get(&number));
        let halves = halves.flatten().copied().filter(|place| {
            let call = self.sightings[*place].call;
            own(place)
                && (is_ring_out(view) && is_other_half(view, call)
                    || is_ring_out(call) && is_other_half(call, view))
        });
        halves.min_by_key(|place| self.distance(*place, view, start))
    }

    fn lasted(&self, place: usize, start: Instant) -> bool {
        let sighting = &self.sightings[place];
        let apart = START_APART_SECONDS_MAX * 1000;
        sighting.from.plus_milliseconds(-apart) <= start && start <= sighting.to.plus_milliseconds(apart)
    }

    /// Of several records of one session the one with the same message comes first, then the nearest start.
    fn distance(&self, place: usize, view: &CallRecord, start: Instant) -> (bool, u64, &'a str) {
        let sighting = &self.sightings[place];
        let from = sighting.call.start.unwrap_or(sighting.from);
        (
            sighting.call.message_id != view.message_id,
            from.milliseconds().abs_diff(start.milliseconds()),
            sighting.id,
        )
    }
}

fn ring_out_sessions(view: &CallRecord) -> Vec<u64> {
    let Some(number) = given(&view.session_id).and_then(|text| text.parse::<u64>().ok()) else {
        return Vec::new();
    };
    let both_ways = |apart| [number.checked_add(apart), number.checked_sub(apart)];
    [1000, 2000, 3000, 4000].into_iter().flat_map(both_ways).flatten().collect()
}

/// The end of a record and of all its legs.
fn end_of(call: &CallRecord, start: Instant) -> Instant {
    let legs = call.legs.iter().flatten();
    let ends = legs.filter_map(|leg| Some(leg.start?.plus_milliseconds(leg.milliseconds?)));
    ends.fold(start.plus_milliseconds(call.milliseconds.unwrap_or(0)), Instant::max)
}

/// Makes views of a call supporting evidence of its event, each with what it says against the account's log.
fn attach(bench: &mut Bench<'_>, event: usize, views: &[Call<'_>]) {
    let told: BTreeSet<&str> = views.iter().flat_map(|(_, view)| answered_by(view)).collect();
    for (record, view) in views.iter().copied() {
        let contradiction = contradiction(bench, &bench.events[event], view, &told);
        let role = EvidenceRole::Supporting;
        match contradiction {
            None => bench.attach(record, event, role),
            Some(detail) => {
                let key = record.record.key.clone();
                let evidence = Evidence { record: key, version: record.record.version, role };
                bench.events[event].evidence.push(evidence);
                let finding = RecordFinding::AnsweredByAnother;
                bench.enter_noted(record, RecordDisposition::Supporting, &detail, finding);
            }
        }
    }
}

/// How a view contradicts the account's log about who answered a caller from outside. Elsewhere a leg's extension is the
/// one on whose behalf it was made, which says nothing about who answered.
fn contradiction(
    bench: &Bench<'_>,
    event: &BillableEvent,
    view: &CallRecord,
    told: &BTreeSet<&str>,
) -> Option<String> {
    if event.channel != Channel::Voice
        || event.direction != Direction::Inbound
        || view.direction != "Inbound"
        || words::unfinished(view.finished, view.result.as_deref())
    {
        return None;
    }
    let accounts: BTreeSet<&str> =
        event.legs.iter().filter(|leg| leg.used).filter_map(|leg| leg.extension_id.as_deref()).collect();
    let answered = answered_by(view);
    let name = |ids: &BTreeSet<&str>| -> String {
        let names = ids.iter().map(|id| match bench.extensions.get(id) {
            Some(number) => number.to_string(),
            None => (*id).to_owned(),
        });
        names.collect::<Vec<_>>().join(" and ")
    };
    if event.outcome == Outcome::Unanswered && !answered.is_empty() {
        return Some(format!("answered by {} here, by nobody in the account's log", name(&answered)));
    }
    if accounts.is_empty() {
        return None;
    }
    if !answered.is_subset(&accounts) {
        return Some(format!(
            "answered by {} here, by {} in the account's log",
            name(&answered),
            name(&accounts)
        ));
    }
    let owner = view.extension_id.as_deref()?;
    let missed = view.result.as_deref().and_then(words::answered) == Some(false);
    (missed && accounts.contains(owner) && !told.contains(owner)).then(|| {
        format!("not answered by {} here, answered in the account's log", name(&BTreeSet::from([owner])))
    })
}

/// The extensions whose legs a view shows as answered; the master speaks only when it is alone.
fn answered_by(view: &CallRecord) -> BTreeSet<&str> {
    let legs = view.legs.as_deref().unwrap_or_default();
    let inner = legs.iter().any(|leg| !leg.master && is_answered(leg));
    let answered = legs.iter().filter(|leg| is_answered(leg) && (!leg.master || !inner));
    let by: BTreeSet<&str> = answered.filter_map(|leg| leg.extension_id.as_deref()).collect();
    let alone = legs.is_empty() && view.result.as_deref().and_then(words::answered) == Some(true);
    match alone {
        true => view.extension_id.as_deref().into_iter().collect(),
        false => by,
    }
}
