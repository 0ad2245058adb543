//! The sandbox's truth against what the program made of the served records.

use std::collections::{BTreeMap, BTreeSet};

use tollbook::domain::PartyNumber;
use tollbook::domain::disposition::RecordDisposition;
use tollbook::domain::event::BillableEvent;
use tollbook::domain::outcome::{Channel, Direction, Outcome};
use tollbook::domain::record::RecordKind;
use tollbook::sandbox::truth::{CallTruth, Ending, FaxTruth, TextKind, TextTruth, Way};
use tollbook::sandbox::{Options, Unknowns};

use crate::world::{Seen, october, see};

/// The events of a world, with what each is evidence of taken away as the truth is ticked off.
struct Comparison<'a> {
    seen: &'a Seen,
    contacts: Vec<Option<String>>,
    /// The event of each call record.
    of_record: BTreeMap<&'a str, usize>,
    of_message: BTreeMap<&'a str, Vec<usize>>,
    /// Records and messages that made no event.
    without_event: BTreeMap<(RecordKind, &'a str), (RecordDisposition, &'a str)>,
    told: BTreeSet<usize>,
    differences: Vec<String>,
}

impl<'a> Comparison<'a> {
    fn new(seen: &'a Seen) -> Comparison<'a> {
        let mut comparison = Comparison {
            seen,
            contacts: seen.contacts(),
            of_record: BTreeMap::new(),
            of_message: BTreeMap::new(),
            without_event: BTreeMap::new(),
            told: BTreeSet::new(),
            differences: Vec::new(),
        };
        for (index, event) in seen.facts.mediated.events.iter().enumerate() {
            for evidence in &event.evidence {
                match evidence.record.kind {
                    RecordKind::Call => {
                        let known = comparison.of_record.insert(&evidence.record.id, index);
                        assert!(known.is_none(), "{} is evidence of two events", evidence.record.id);
                    }
                    _ => comparison.of_message.entry(&evidence.record.id).or_default().push(index),
                }
            }
        }
        use RecordDisposition::{Duplicate, Primary, Superseded, Supporting};
        for entry in &seen.facts.mediated.ledger {
            if !matches!(entry.disposition, Primary | Supporting | Superseded | Duplicate) {
                let key = (entry.record.kind, entry.record.id.as_str());
                comparison.without_event.insert(key, (entry.disposition, &entry.detail));
            }
        }
        comparison
    }

    fn event(&self, index: usize) -> &'a BillableEvent {
        &self.seen.facts.mediated.events[index]
    }

    fn expect<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: &str,
        found: T,
        truth: T,
        of: &dyn std::fmt::Debug,
    ) {
        if found != truth {
            self.differences.push(format!("{what}: {found:?} instead of {truth:?} of {of:?}"));
        }
    }

    /// Ticks an event off; the second time is a difference.
    fn tell(&mut self, index: usize) {
        if !self.told.insert(index) {
            self.differences.push(format!("{} tells of two things", self.event(index).id));
        }
    }

    fn calls(&mut self) {
        for call in &self.seen.world.truth().calls {
            self.call(call);
        }
    }

    fn call(&mut self, call: &'a CallTruth) {
        let events: BTreeSet<usize> =
            call.records.iter().filter_map(|id| self.of_record.get(id.as_str()).copied()).collect();
        let missing = call.records.iter().filter(|id| !self.of_record.contains_key(id.as_str())).count();
        if !call.decidable {
            self.expect("events of an undecidable call", events.len(), 0, call);
            for id in &call.records {
                let found = self.without_event.get(&(RecordKind::Call, id.as_str()));
                let disposition = found.map(|(disposition, _)| *disposition);
                self.expect("undecidable", disposition, Some(RecordDisposition::Suspended), call);
            }
            return;
        }
        let only = events.first().copied().filter(|_| events.len() == 1 && missing == 0);
        let Some(index) = only else {
            self.differences
                .push(format!("{} events, {missing} records without one: {call:?}", events.len()));
            return;
        };
        let event = self.event(index);
        self.tell(index);
        if event.channel == Channel::Voicemail {
            self.voicemail(call, event);
            self.expect("contact", self.contacts[index].clone(), call.contact.clone(), call);
            return;
        }
        self.expect("channel", event.channel, Channel::Voice, call);
        self.expect("direction", event.direction, direction(call.way), call);
        let outcome = if call.answered() { Outcome::Answered } else { Outcome::Unanswered };
        self.expect("outcome", event.outcome, outcome, call);
        self.expect("start", event.start.utc(), call.start, call);
        if call.answered() {
            let seconds = event.quantities.customer_facing.map(whole_seconds);
            self.expect("seconds", seconds, Some(whole_seconds(call.customer_facing_ms)), call);
            self.expect(
                "milliseconds",
                event.quantities.customer_facing,
                Some(call.customer_facing_ms),
                call,
            );
        }
        self.parties(event, call.way, call.outside.filter(|_| !call.withheld), call);
        if call.way == Way::Inbound {
            self.expect("own number", event.to.number.e164(), call.dialled, call);
        }
        if call.way != Way::Internal {
            self.expect("contact", self.contacts[index].clone(), call.contact.clone(), call);
        }
    }

    /// A call that left a message is that message's event.
    fn voicemail(&mut self, call: &CallTruth, event: &BillableEvent) {
        self.expect("answered", call.answered(), false, call);
        self.expect("direction of a voicemail", event.direction, Direction::Inbound, call);
        self.expect("outcome of a voicemail", event.outcome, Outcome::Received, call);
        let caller = call.outside.filter(|_| !call.withheld);
        self.expect("caller of a voicemail", event.from.number.e164(), caller, call);
        let kinds: Vec<RecordKind> = event.evidence.iter().map(|evidence| evidence.record.kind).collect();
        self.expect("evidence of a voicemail", kinds, vec![RecordKind::Message, RecordKind::Call], call);
    }

    fn parties(&mut self, event: &BillableEvent, way: Way, outside: Option<u64>, of: &dyn std::fmt::Debug) {
        match way {
            Way::Internal => {
                let inside = matches!(event.to.number, PartyNumber::Extension(_) | PartyNumber::E164(_));
                self.expect("the other side is inside", inside, true, of);
            }
            _ => self.expect("other side", event.other_party().number.e164(), outside, of),
        }
        if way != Way::Internal && outside.is_none() {
            self.expect("withheld", event.other_party().number, PartyNumber::Withheld, of);
        }
    }

    /// The event of one recipient of a message, ticked off; none when the message made no event.
    fn of_recipient(
        &mut self,
        message: &str,
        outside: Option<u64>,
        of: &dyn std::fmt::Debug,
    ) -> Option<usize> {
        let events = self.of_message.get(message).cloned().unwrap_or_default();
        let mut fitting = events.iter().copied().filter(|index| {
            !self.told.contains(index) && self.event(*index).other_party().number.e164() == outside
        });
        let found = fitting.next();
        match found {
            Some(index) => self.tell(index),
            None => self.differences.push(format!("no event of {of:?}")),
        }
        found
    }

    fn texts(&mut self) {
        for text in &self.seen.world.truth().texts {
            let id = text.message_id.to_string();
            let without = self.without_event.get(&(RecordKind::Message, id.as_str())).copied();
            match without {
                Some((RecordDisposition::Excluded, rule)) if text.kind == TextKind::Pager => {
                    self.expect("rule", rule, "pager message inside the company", text);
                }
                // Only the envelope of a purged message is served.
                Some((RecordDisposition::Excluded, rule)) if text.ending == Ending::Received => {
                    self.expect("rule", rule, "deleted upstream before it was collected", text);
                }
                Some(other) => self.differences.push(format!("{other:?}: {text:?}")),
                None => self.text(text, &id),
            }
        }
    }

    fn text(&mut self, text: &TextTruth, id: &str) {
        let Some(index) = self.of_recipient(id, text.outside, text) else { return };
        let event = self.event(index);
        let channel = if text.kind == TextKind::Mms { Channel::Mms } else { Channel::Sms };
        self.expect("channel", event.channel, channel, text);
        self.expect("direction", event.direction, direction(text.way), text);
        self.expect("outcome", event.outcome, outcome(text.ending), text);
        self.expect("start", event.start.utc(), text.created, text);
        if text.kind == TextKind::Sms {
            self.expect("segments", event.segments, Some(text.segments), text);
        }
        self.expect(
            "extension",
            event.extension.map(|number| number.to_string()),
            Some(text.extension.clone()),
            text,
        );
        self.expect("contact", self.contacts[index].clone(), text.contact.clone(), text);
    }

    fn faxes(&mut self) {
        for fax in &self.seen.world.truth().faxes {
            self.fax(fax);
        }
    }

    fn fax(&mut self, fax: &'a FaxTruth) {
        let index = match fax.message_id {
            Some(id) => self.of_recipient(&id.to_string(), fax.outside, fax),
            None => fax.records.first().and_then(|id| self.of_record.get(id.as_str()).copied()),
        };
        let Some(index) = index else {
            self.differences.push(format!("no event of {fax:?}"));
            return;
        };
        if fax.message_id.is_none() {
            self.tell(index);
        }
        let event = self.event(index);
        self.expect("channel", event.channel, Channel::Fax, fax);
        self.expect("direction", event.direction, direction(fax.way), fax);
        self.expect("outcome", event.outcome, outcome(fax.ending), fax);
        self.parties(event, fax.way, fax.outside, fax);
        let known = !matches!(fax.ending, Ending::Queued | Ending::Partial) && fax.message_id.is_some();
        self.expect("pages", event.pages, Some(fax.pages).filter(|_| known), fax);
        self.expect("contact", self.contacts[index].clone(), fax.contact.clone(), fax);
        let evidence: BTreeSet<&str> = event
            .evidence
            .iter()
            .filter(|evidence| evidence.record.kind == RecordKind::Call)
            .map(|evidence| evidence.record.id.as_str())
            .collect();
        self.expect("call records", evidence, fax.records.iter().map(String::as_str).collect(), fax);
    }

    fn finish(mut self) -> Vec<String> {
        self.calls();
        self.texts();
        self.faxes();
        for index in 0..self.seen.facts.mediated.events.len() {
            if !self.told.contains(&index) {
                self.differences.push(format!("nothing happened: {:?}", self.event(index)));
            }
        }
        self.differences
    }
}

fn direction(way: Way) -> Direction {
    match way {
        Way::Inbound => Direction::Inbound,
        Way::Outbound => Direction::Outbound,
        Way::Internal => Direction::Internal,
    }
}

fn outcome(ending: Ending) -> Outcome {
    match ending {
        Ending::Queued => Outcome::Queued,
        Ending::Sent => Outcome::Sent,
        Ending::Delivered => Outcome::Delivered,
        Ending::DeliveryFailed => Outcome::DeliveryFailed,
        Ending::SendingFailed => Outcome::SendingFailed,
        Ending::Received => Outcome::Received,
        Ending::Partial => Outcome::Partial,
    }
}

/// As a tariff bills them: rounded up.
fn whole_seconds(milliseconds: i64) -> i64 {
    milliseconds.div_euclid(1000) + i64::from(milliseconds.rem_euclid(1000) > 0)
}

fn agrees(seen: &Seen) {
    let differences = Comparison::new(seen).finish();
    let mut kinds: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for difference in &differences {
        let kind = difference.split(':').next().unwrap_or_default();
        kinds.entry(kind).or_insert((0, difference)).0 += 1;
    }
    assert!(differences.is_empty(), "{} differences: {kinds:#?}", differences.len());
}

#[test]
fn a_month_pulled_late_is_what_happened() {
    agrees(october());
}

#[test]
fn a_world_with_a_record_for_each_side_of_internal_calls_is_what_happened() {
    let unknowns = Unknowns { internal_sides: true, ..Unknowns::default() };
    agrees(&see(Options { seed: 7, days: 5, unknowns, ..Options::default() }, &[]));
}

#[test]
fn a_world_pulled_while_it_still_changes_is_what_happened() {
    let options = Options { seed: 2026, days: 4, ..Options::default() };
    let at = |hours| options.from + chrono::TimeDelta::hours(hours);
    let seen = see(options.clone(), &[at(46), at(92), at(120)]);
    agrees(&seen);
    // What was purged since had been collected before: its envelope hides nothing.
    let ledger = &seen.facts.mediated.ledger;
    let hidden = ledger.iter().filter(|entry| entry.detail == "deleted upstream before it was collected");
    assert_eq!(hidden.count(), 0);
    let notices = ledger.iter().filter(|entry| entry.detail == "notes a deletion upstream").count();
    let changed = ledger.iter().filter(|entry| entry.disposition == RecordDisposition::Superseded).count();
    assert!(notices > 0 && changed > 0, "{notices} notices, {changed} superseded");
}
