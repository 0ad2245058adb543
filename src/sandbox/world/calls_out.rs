//! Calls that the company makes, and calls between its own extensions.

use super::calls_in::accepted;
use super::cast::Seat;
use super::maker::{CONNECTED, Maker};
use super::number::{self, Number};
use super::plan::{LegKind, Outside, RecordPlan, Style};
use super::truth::CallTruth;

impl Maker<'_> {
    pub(crate) fn outbound_answered(&mut self, start_ms: i64, seat: Seat, to: Outside) {
        let ring_ms = self.dice.between(4000, 22_000);
        let talk_ms = self.talk_ms();
        let record = self.outbound(start_ms, ring_ms + talk_ms, seat, to);
        self.occupy(seat, record.end_ms());
        self.keep_answered(record, &[(seat, ring_ms, talk_ms)]);
    }

    /// An attempt that nobody answers, with the result and reason that the service gives.
    pub(crate) fn outbound_failed(
        &mut self,
        start_ms: i64,
        seat: Seat,
        to: Outside,
        result: &'static str,
        reason: &'static str,
    ) {
        let lasting_ms = match result {
            "Wrong Number" => 0,
            "Busy" => self.dice.between(1500, 6000),
            _ => self.dice.between(9000, 42_000),
        };
        let mut record = self.outbound(start_ms, lasting_ms, seat, to);
        record.result = result;
        record.reason = reason;
        self.occupy(seat, record.end_ms());
        let truth = self.truth_of(&record);
        self.keep(truth, record);
    }

    /// A call set up by the service: it rings the user first, then the other side, and writes two records whose
    /// session ids differ by 1000 to 4000.
    pub(crate) fn ring_out(&mut self, start_ms: i64, seat: Seat, to: Outside) {
        let own_ms = self.dice.between(5000, 12_000);
        let far_ms = self.dice.between(4000, 18_000);
        let talk_ms = self.talk_ms();
        let lasting_ms = own_ms + far_ms + talk_ms;
        let mut first = self.outbound(start_ms, lasting_ms, seat, to);
        first.action = "RingOut Web";
        first.internal_type = "RingOut";
        first.master_type = "RingOutWebToSubscriber";
        let mut far = accepted(LegKind::RingOut, seat, own_ms + far_ms, talk_ms);
        far.result = CONNECTED;
        first.legs = vec![far];
        let own = self.cast.extension(seat).direct.unwrap_or(self.cast.main_number);
        let mut second = self.inbound(start_ms + own_ms + far_ms, talk_ms, seat, own);
        second.telephony_of = first.serial;
        second.session_shift = 1000 * u64::try_from(self.dice.between(1, 4)).unwrap_or(1);
        second.internal_type = "RingOut";
        second.outside = Some(to);
        self.occupy(seat, first.end_ms());
        let mut truth: CallTruth = self.truth_of(&first);
        truth.talks = vec![self.talk(seat, second.start_ms, second.end_ms())];
        truth.customer_facing_ms = talk_ms;
        truth.records.push(second.id());
        self.keep(truth, first);
        self.draft.records.push(second);
    }

    /// A conference that an extension opens with a client.
    pub(crate) fn conference(&mut self, start_ms: i64, seat: Seat, to: Outside) {
        let ring_ms = self.dice.between(4000, 15_000);
        let talk_ms = self.dice.between(600_000, 3_000_000);
        let mut record = self.outbound(start_ms, ring_ms + talk_ms, seat, to);
        record.action = "Conference Call";
        record.master_type = "ConferenceCall";
        self.occupy(seat, record.end_ms());
        self.keep_answered(record, &[(seat, ring_ms, talk_ms)]);
    }

    /// A call between two extensions: one record, or one for each side.
    pub(crate) fn internal(&mut self, start_ms: i64, from: Seat, to: Seat) {
        let ring_ms = self.dice.between(2000, 12_000);
        let talk_ms = self.talk_ms() / 2;
        let record = self.internal_record(start_ms, ring_ms + talk_ms, from, to);
        let mut truth = self.truth_of(&record);
        truth.talks = vec![self.talk(to, start_ms + ring_ms, record.end_ms())];
        truth.customer_facing_ms = record.lasting_ms;
        self.occupy(from, record.end_ms());
        self.occupy(to, record.end_ms());
        let other_side = self.internal_sides.then(|| self.other_side(&record, from, to, ring_ms));
        truth.records.extend(other_side.as_ref().map(RecordPlan::id));
        self.keep(truth, record);
        self.draft.records.extend(other_side);
    }

    pub(crate) fn internal_record(
        &mut self,
        start_ms: i64,
        lasting_ms: i64,
        from: Seat,
        to: Seat,
    ) -> RecordPlan {
        let nobody = Outside { number: self.cast.main_number, style: Style::E164 };
        let mut record = self.outbound(start_ms, lasting_ms, from, nobody);
        record.outside = None;
        record.internal_type = "Sip";
        record.master_type = "ExtensionToExtension";
        record.peer = Some(to);
        record
    }

    fn other_side(&mut self, record: &RecordPlan, from: Seat, to: Seat, ring_ms: i64) -> RecordPlan {
        let own = self.cast.main_number;
        let mut other = self.inbound(record.start_ms, record.lasting_ms, to, own);
        other.telephony_of = record.serial;
        other.own = None;
        other.transport = "VoIP";
        other.internal_type = "Sip";
        other.master_type = "ExtensionToExtension";
        other.peer = Some(from);
        other.legs = vec![accepted(LegKind::Desk, to, ring_ms, record.lasting_ms - ring_ms)];
        other
    }

    /// A number abroad: mostly the London client's city, sometimes nobody's.
    pub(crate) fn foreign_number(&mut self) -> Number {
        let line = self.dice.below(1000);
        if self.dice.chance(800) { number::london(line) } else { number::british(line) }
    }
}
