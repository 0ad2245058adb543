//! The tools with which a day is drawn: serial numbers, busy telephones, and the moments at which records show up.

use super::calendar::{Calendar, HOUR, MINUTE, instant};
use super::cast::{Cast, Seat};
use super::number::{self, Number};
use super::plan::{Look, MessagePlan, Outside, RecordPlan, Style, Version};
use super::random::Dice;
use super::truth::{CallTruth, Talk, Truth, Way};

pub(crate) const ACCEPTED: &str = "Accepted";
pub(crate) const CONNECTED: &str = "Call connected";

/// All that has been drawn so far.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) truth: Truth,
    pub(crate) records: Vec<RecordPlan>,
    pub(crate) messages: Vec<MessagePlan>,
}

/// Draws the events of one day.
pub(crate) struct Maker<'a> {
    pub(crate) cast: &'a Cast,
    pub(crate) calendar: &'a Calendar,
    pub(crate) dice: Dice,
    pub(crate) draft: &'a mut Draft,
    /// Until when each extension is on the telephone.
    pub(crate) busy_until_ms: Vec<i64>,
    pub(crate) internal_sides: bool,
    next_serial: u64,
}

/// More events than any day has.
const SERIALS_PER_DAY: u64 = 1_000_000;

/// What a stream of chance is for; each day has one of each.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Calls = 0,
    Texts = 1,
    Faxes = 2,
    Oddities = 3,
}

impl<'a> Maker<'a> {
    pub(crate) fn new(
        cast: &'a Cast,
        calendar: &'a Calendar,
        draft: &'a mut Draft,
        seed: u64,
        day: i64,
        purpose: Purpose,
    ) -> Maker<'a> {
        // Day -1 exists: a call may have begun before the month.
        let number = u64::try_from(day + 1).unwrap_or(0);
        let part = purpose as u64;
        Maker {
            cast,
            calendar,
            dice: Dice::new(seed, number * 8 + part),
            draft,
            busy_until_ms: vec![i64::MIN; cast.extensions.len()],
            internal_sides: false,
            next_serial: number * SERIALS_PER_DAY + part * (SERIALS_PER_DAY / 8),
        }
    }

    pub(crate) fn serial(&mut self) -> u64 {
        self.next_serial += 1;
        self.next_serial
    }

    /// A talk's length in milliseconds: many short ones, few long ones.
    pub(crate) fn talk_ms(&mut self) -> i64 {
        let (low, high) = match self.dice.weighted(&[240, 420, 230, 90, 20]) {
            0 => (14_000, 60_000),
            1 => (60_000, 180_000),
            2 => (180_000, 420_000),
            3 => (420_000, 1_200_000),
            _ => (1_200_000, 4_500_000),
        };
        self.dice.between(low, high)
    }

    /// An extension of `seats` whose telephone is free, if one is.
    pub(crate) fn free_seat(&mut self, seats: &[Seat], at_ms: i64) -> Option<Seat> {
        let first = self.dice.index(seats.len());
        (0..seats.len())
            .map(|step| seats[(first + step) % seats.len()])
            .find(|seat| self.busy_until_ms[*seat] <= at_ms)
    }

    pub(crate) fn occupy(&mut self, seat: Seat, until_ms: i64) {
        self.busy_until_ms[seat] = self.busy_until_ms[seat].max(until_ms + 4000);
    }

    /// A stranger who habitually calls one client: few call often, many seldom.
    pub(crate) fn habitual_stranger(&mut self, client: usize) -> Number {
        let spread = if self.dice.chance(400) { 20 } else { 140 };
        number::stranger(u64::try_from(client).unwrap_or(0) * 140 + self.dice.below(spread))
    }

    /// A number as it is shown, now and then badly written.
    pub(crate) fn shown(&mut self, number: Number) -> Outside {
        let style = if self.dice.chance(3) { Style::National } else { Style::E164 };
        Outside { number, style }
    }

    /// When the records of a call that ended at `end_ms` show up, and how they change afterwards.
    pub(crate) fn versions(&mut self, end_ms: i64) -> Vec<Version> {
        let mut seen_ms = end_ms + self.dice.between(15_000, 30_000);
        if self.dice.chance(4) {
            seen_ms += self.dice.between(HOUR, 30 * HOUR);
        }
        let mut versions = vec![Version { visible_from_ms: seen_ms, look: Look::Final }];
        if self.dice.chance(12) {
            let look = match self.dice.below(3) {
                0 => Look::OffBySeconds(self.dice.between(1, 3)),
                1 => Look::OffBySeconds(-1),
                _ => Look::Nameless,
            };
            let corrected_ms = seen_ms + self.dice.between(5 * MINUTE, 20 * HOUR);
            versions[0].look = look;
            versions.push(Version { visible_from_ms: corrected_ms, look: Look::Final });
            seen_ms = corrected_ms;
        }
        if self.dice.chance(3) {
            let deleted_ms = seen_ms + self.dice.between(HOUR, 9 * 24 * HOUR);
            versions.push(Version { visible_from_ms: deleted_ms, look: Look::Deleted });
        }
        versions
    }

    /// A record with the fields that most inbound calls share; no legs yet.
    pub(crate) fn inbound(&mut self, start_ms: i64, lasting_ms: i64, seat: Seat, own: Number) -> RecordPlan {
        let serial = self.serial();
        let versions = self.versions(start_ms + lasting_ms);
        RecordPlan {
            serial,
            session_shift: 0,
            telephony_of: serial,
            start_ms,
            lasting_ms,
            fax: false,
            inbound: true,
            action: "Phone Call",
            result: ACCEPTED,
            reason: ACCEPTED,
            transport: "PSTN",
            internal_type: if number::is_toll_free(own) { "TollFreeNumber" } else { "LocalNumber" },
            master_type: "Accept",
            own: Some(own),
            outside: None,
            seat,
            peer: None,
            legs: Vec::new(),
            message: None,
            recorded: false,
            transfer_target: None,
            transferee: None,
            versions,
        }
    }

    /// A record with the fields that most outbound calls share: one leg, the master.
    pub(crate) fn outbound(&mut self, start_ms: i64, lasting_ms: i64, seat: Seat, to: Outside) -> RecordPlan {
        let own = self.cast.extension(seat).direct.unwrap_or(self.cast.main_number);
        let foreign = number::is_foreign(to.number);
        let mut record = self.inbound(start_ms, lasting_ms, seat, own);
        record.inbound = false;
        record.action = "VoIP Call";
        record.result = CONNECTED;
        record.transport = "VoIP";
        record.internal_type = if foreign { "International" } else { "LongDistance" };
        record.master_type = if foreign { "SipToPstnMetered" } else { "SipToPstnUnmetered" };
        record.outside = Some(to);
        record
    }

    /// The truth of a call that one record tells; nobody has spoken yet.
    pub(crate) fn truth_of(&self, record: &RecordPlan) -> CallTruth {
        let dialled = if record.inbound { record.own } else { None };
        let outside = record.outside.map(|outside| outside.number);
        let withheld = record.outside.is_some_and(|outside| outside.style == Style::Withheld);
        let shown = outside.filter(|_| !withheld);
        let payer = self.cast.payer(dialled, shown, Some(record.seat), record.start_ms);
        let way = match (record.peer, record.inbound) {
            (Some(_), _) => Way::Internal,
            (None, true) => Way::Inbound,
            (None, false) => Way::Outbound,
        };
        CallTruth {
            way,
            start: instant(record.start_ms),
            end: instant(record.end_ms()),
            outside,
            withheld,
            dialled,
            extension: self.cast.extension(record.seat).number.clone(),
            talks: Vec::new(),
            customer_facing_ms: 0,
            contact: if way == Way::Internal { None } else { payer.map(str::to_owned) },
            decidable: true,
            records: vec![record.id()],
        }
    }

    pub(crate) fn talk(&self, seat: Seat, from_ms: i64, to_ms: i64) -> Talk {
        Talk {
            extension: self.cast.extension(seat).number.clone(),
            from: instant(from_ms),
            to: instant(to_ms),
        }
    }

    pub(crate) fn keep(&mut self, truth: CallTruth, record: RecordPlan) {
        self.draft.truth.calls.push(truth);
        self.draft.records.push(record);
    }
}
