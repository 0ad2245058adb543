//! Calls that reach the company: through its queues, to one desk, or to nobody.

use super::calendar::MINUTE;
use super::cast::Seat;
use super::maker::{ACCEPTED, Maker};
use super::number::Number;
use super::plan::{
    Availability, Body, LegKind, LegPlan, Look, MessagePlan, MessageVersion, Outside, Party, RecordPlan,
    Version,
};
use super::truth::Ending;

const NO_ANSWER: &str = "No Answer";
const STOPPED: &str = "Stopped";
const HANG_UP: &str = "Hang Up";

/// Who calls which number.
#[derive(Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) from: Outside,
    pub(crate) dialled: Number,
}

impl Maker<'_> {
    /// A queue call that a member answers, after others may have let it ring.
    pub(crate) fn queue_answered(&mut self, start_ms: i64, queue: Seat, members: &[Seat], caller: Caller) {
        let menu_ms = self.dice.between(3000, 14_000);
        let mut legs = Vec::new();
        let mut after_ms = menu_ms;
        for _ in 0..self.dice.weighted(&[520, 270, 140, 70]) {
            let member = self.dice.pick(members);
            let ring_ms = self.dice.between(8000, 20_000);
            let result = if self.dice.chance(250) { STOPPED } else { NO_ANSWER };
            let kind = if self.dice.chance(300) { LegKind::Hunt } else { LegKind::Desk };
            legs.push(LegPlan { kind, seat: member, after_ms, lasting_ms: ring_ms, result, reason: result });
            after_ms += ring_ms;
        }
        let Some(agent) = self.free_seat(members, start_ms + after_ms) else {
            return self.queue_abandoned(start_ms, queue, members, caller);
        };
        after_ms += self.dice.between(1500, 9000);
        let talk_ms = self.talk_ms();
        legs.push(accepted(LegKind::Desk, agent, after_ms, talk_ms));
        let mut record = self.inbound(start_ms, after_ms + talk_ms, queue, caller.dialled);
        record.outside = Some(caller.from);
        record.recorded = talk_ms > 30_000 && self.dice.chance(120);
        record.legs = legs;
        if self.dice.chance(60) {
            let ringing = Version { visible_from_ms: start_ms + menu_ms + 2000, look: Look::Ringing(agent) };
            record.versions.insert(0, ringing);
        }
        self.occupy(agent, record.end_ms());
        self.keep_answered(record, &[(agent, after_ms, talk_ms)]);
    }

    /// A queue call whose caller gives up.
    pub(crate) fn queue_abandoned(&mut self, start_ms: i64, queue: Seat, members: &[Seat], caller: Caller) {
        let mut after_ms = self.dice.between(4000, 14_000);
        let mut legs = Vec::new();
        for turn in 0..self.dice.between(1, 3) {
            let lasting_ms = self.dice.between(9000, 20_000);
            let result = if turn == 0 { NO_ANSWER } else { HANG_UP };
            let seat = self.dice.pick(members);
            legs.push(LegPlan { kind: LegKind::Hunt, seat, after_ms, lasting_ms, result, reason: result });
            after_ms += lasting_ms;
        }
        let mut record = self.inbound(start_ms, after_ms, queue, caller.dialled);
        record.outside = Some(caller.from);
        record.result = "Abandoned";
        record.reason = HANG_UP;
        record.legs = legs;
        let truth = self.truth_of(&record);
        self.keep(truth, record);
    }

    /// A call to one extension: its telephone, or the mobile telephone that its calls follow to.
    pub(crate) fn direct_answered(&mut self, start_ms: i64, seat: Seat, caller: Caller) {
        if self.busy_until_ms[seat] > start_ms {
            return self.left_voicemail(start_ms, seat, caller);
        }
        let ring_ms = self.dice.between(2500, 18_000);
        let talk_ms = self.talk_ms();
        let mut record = self.inbound(start_ms, ring_ms + talk_ms, seat, caller.dialled);
        record.outside = Some(caller.from);
        record.legs = vec![accepted(LegKind::Desk, seat, ring_ms, talk_ms)];
        self.occupy(seat, record.end_ms());
        self.keep_answered(record, &[(seat, ring_ms, talk_ms)]);
    }

    /// A call that nobody takes at the desk and that is taken on the mobile telephone.
    pub(crate) fn followed(&mut self, start_ms: i64, seat: Seat, caller: Caller) {
        let desk_ms = self.dice.between(4000, 12_000);
        let ring_ms = desk_ms + self.dice.between(3000, 15_000);
        let talk_ms = self.talk_ms();
        let mut record = self.inbound(start_ms, ring_ms + talk_ms, seat, caller.dialled);
        record.outside = Some(caller.from);
        let desk = LegPlan {
            kind: LegKind::Desk,
            seat,
            after_ms: 2000,
            lasting_ms: desk_ms - 2000,
            result: STOPPED,
            reason: STOPPED,
        };
        record.legs = vec![desk, accepted(LegKind::FindMe, seat, ring_ms, talk_ms)];
        self.occupy(seat, record.end_ms());
        self.keep_answered(record, &[(seat, ring_ms, talk_ms)]);
    }

    /// A call that is passed on to a colleague: without a word (one record), or after a word with the colleague,
    /// which is a telephony session of its own.
    pub(crate) fn transferred(&mut self, start_ms: i64, seats: (Seat, Seat), caller: Caller, warm: bool) {
        let (first, second) = seats;
        let ring_ms = self.dice.between(2500, 15_000);
        let first_ms = self.dice.between(12_000, 90_000);
        let consult_ms = if warm { self.dice.between(8000, 40_000) } else { 0 };
        let gap_ms = if warm { consult_ms } else { self.dice.between(1500, 12_000) };
        let second_ms = self.talk_ms();
        let handed_ms = ring_ms + first_ms + gap_ms;
        let mut record = self.inbound(start_ms, handed_ms + second_ms, first, caller.dialled);
        record.outside = Some(caller.from);
        record.legs = vec![
            accepted(LegKind::Desk, first, ring_ms, first_ms),
            accepted(LegKind::Transfer { from: first }, second, handed_ms, second_ms),
        ];
        self.occupy(first, start_ms + handed_ms);
        self.occupy(second, record.end_ms());
        if warm {
            let mut consult = self.internal_record(start_ms + ring_ms + first_ms, consult_ms, first, second);
            consult.transferee = Some(record.serial);
            record.transfer_target = Some(consult.serial);
            self.keep_answered(record, &[(first, ring_ms, first_ms), (second, handed_ms, second_ms)]);
            if let Some(truth) = self.draft.truth.calls.last_mut() {
                truth.records.push(consult.id());
            }
            self.draft.records.push(consult);
        } else {
            self.keep_answered(record, &[(first, ring_ms, first_ms), (second, handed_ms, second_ms)]);
        }
    }

    pub(crate) fn missed(&mut self, start_ms: i64, seat: Seat, caller: Caller) {
        let lasting_ms = self.dice.between(9000, 26_000);
        let mut record = self.inbound(start_ms, lasting_ms, seat, caller.dialled);
        record.outside = Some(caller.from);
        record.result = "Missed";
        record.reason = NO_ANSWER;
        record.legs = vec![unanswered(seat, lasting_ms - 2000)];
        if record.versions.len() == 1 && self.dice.chance(15) {
            let final_ms = record.versions[0].visible_from_ms + self.dice.between(MINUTE, 90 * MINUTE);
            record.versions[0].look = Look::OtherResult("Hang Up");
            record.versions.push(Version { visible_from_ms: final_ms, look: Look::Final });
        }
        let truth = self.truth_of(&record);
        self.keep(truth, record);
    }

    /// A call that leaves a message in the mailbox of an extension or queue.
    pub(crate) fn left_voicemail(&mut self, start_ms: i64, seat: Seat, caller: Caller) {
        let seconds = self.dice.between(6, 75);
        let ring_ms = self.dice.between(18_000, 24_000);
        let greeting_ms = self.dice.between(4000, 9000);
        let lasting_ms = 2000 + ring_ms + greeting_ms + seconds * 1000;
        let mut record = self.inbound(start_ms, lasting_ms, seat, caller.dialled);
        let serial = record.serial;
        let id = 401_000_000_008 + serial * 10;
        record.outside = Some(caller.from);
        record.result = "Voicemail";
        record.reason = NO_ANSWER;
        record.message = Some((seat, id));
        if self.cast.extension(seat).device_id != 0 {
            record.legs = vec![unanswered(seat, ring_ms)];
        }
        let created_ms = record.end_ms();
        let seen_ms = created_ms + self.dice.between(4000, 40_000);
        self.draft.messages.push(MessagePlan {
            id,
            mailbox: seat,
            inbound: true,
            created_ms,
            own: Some(caller.dialled),
            parties: vec![Party::Outside(caller.from)],
            body: Body::VoiceMail { seconds },
            versions: vec![MessageVersion {
                visible_from_ms: seen_ms,
                endings: vec![Ending::Received],
                codes: vec![""],
                availability: Availability::Alive,
                delivered_ms: None,
            }],
        });
        let truth = self.truth_of(&record);
        self.keep(truth, record);
    }

    pub(crate) fn blocked(&mut self, start_ms: i64, seat: Seat, caller: Caller) {
        let mut record = self.inbound(start_ms, 0, seat, caller.dialled);
        record.outside = Some(caller.from);
        record.result = "Blocked";
        record.reason = "Number Blocked";
        let truth = self.truth_of(&record);
        self.keep(truth, record);
    }

    /// Writes down a record and its truth; `talks` are extension, start since the record's, and length.
    pub(crate) fn keep_answered(&mut self, record: RecordPlan, talks: &[(Seat, i64, i64)]) {
        let mut truth = self.truth_of(&record);
        for (seat, after_ms, lasting_ms) in talks {
            let from_ms = record.start_ms + after_ms;
            truth.talks.push(self.talk(*seat, from_ms, from_ms + lasting_ms));
        }
        truth.customer_facing_ms = customer_facing_ms(&record);
        self.keep(truth, record);
    }
}

/// From the start of the first answered leg that is not the master to the end of the last one; the whole record when
/// it has no other leg.
fn customer_facing_ms(record: &RecordPlan) -> i64 {
    let answered = || record.legs.iter().filter(|leg| leg.result == ACCEPTED);
    let first_ms = answered().map(|leg| leg.after_ms).min();
    let last_ms = answered().map(|leg| leg.after_ms + leg.lasting_ms).max();
    match (first_ms, last_ms) {
        (Some(first), Some(last)) => last - first,
        _ => record.lasting_ms,
    }
}

pub(crate) fn accepted(kind: LegKind, seat: Seat, after_ms: i64, lasting_ms: i64) -> LegPlan {
    LegPlan { kind, seat, after_ms, lasting_ms, result: ACCEPTED, reason: ACCEPTED }
}

fn unanswered(seat: Seat, lasting_ms: i64) -> LegPlan {
    LegPlan { kind: LegKind::Desk, seat, after_ms: 2000, lasting_ms, result: NO_ANSWER, reason: NO_ANSWER }
}
