//! The day's calls: how many there are, when, and of which kind.

use super::calendar::Calendar;
use super::calls_in::Caller;
use super::cast::{AGENTS, Cast, DAY_QUEUE, FAX_LINE, NIGHT_AGENTS, NIGHT_QUEUE, ON_CALL, Seat};
use super::clients::{self, CLIENTS};
use super::maker::{Draft, Maker, Purpose};
use super::number::{self, Number};
use super::plan::{Outside, Style};

/// Calls on a middling working day.
const CALLS_PER_WORKDAY: i64 = 700;

/// Draws the calls of one day.
pub(crate) fn draw(
    cast: &Cast,
    calendar: &Calendar,
    draft: &mut Draft,
    seed: u64,
    day: i64,
    internal_sides: bool,
) {
    let mut maker = Maker::new(cast, calendar, draft, seed, day, Purpose::Calls);
    maker.internal_sides = internal_sides;
    let middling = CALLS_PER_WORKDAY * calendar.load_per_mille(day) / 1000;
    let count = middling + maker.dice.between(-middling / 20, middling / 20);
    let mut moments: Vec<(i64, usize)> =
        (0..count).map(|_| calendar.busy_moment(&mut maker.dice, day)).collect();
    moments.sort_unstable();
    for (start_ms, hour) in moments {
        let office = calendar.is_workday(day) && (8..18).contains(&hour);
        match maker.dice.weighted(if office { &[600, 350, 50] } else { &[800, 180, 20] }) {
            0 => maker.one_inbound(start_ms, office),
            1 => maker.one_outbound(start_ms, office),
            _ => maker.one_internal(start_ms, office),
        }
    }
}

impl Maker<'_> {
    fn any_client(&mut self) -> usize {
        let weights: Vec<u32> = CLIENTS.iter().map(|client| client.weight).collect();
        self.dice.weighted(&weights)
    }

    fn staff(&mut self, office: bool) -> &'static [Seat] {
        if office { &AGENTS } else { &NIGHT_AGENTS }
    }

    /// Who calls, and which of the company's numbers.
    fn caller(&mut self) -> Caller {
        let client = self.any_client();
        let (from, dialled) = match self.dice.weighted(&[860, 55, 40, 25, 20]) {
            0 => (self.habitual_stranger(client), clients::answered_number(client)),
            1 => (self.client_phone(client), self.cast.main_number),
            2 => (self.client_phone(client), self.dice.pick(&self.cast.toll_free)),
            3 => (number::stranger(self.dice.below(number::STRANGERS)), self.cast.main_number),
            _ => (self.foreign_number(), clients::answered_number(client)),
        };
        let mut from = self.shown(from);
        if self.dice.chance(20) {
            from.style = Style::Withheld;
        }
        Caller { from, dialled }
    }

    fn client_phone(&mut self, client: usize) -> Number {
        let phones = clients::phones(client);
        self.dice.pick(&phones)
    }

    /// A caller who dials an extension's own number.
    fn direct_caller(&mut self, seat: Seat) -> Caller {
        let owner = (0..CLIENTS.len()).find(|client| self.cast.desk_of(*client) == Some(seat));
        let client = self.any_client();
        let from = match owner {
            Some(owner) => self.habitual_stranger(owner),
            None => self.client_phone(client),
        };
        let from = self.shown(from);
        Caller { from, dialled: self.cast.extension(seat).direct.unwrap_or(self.cast.main_number) }
    }

    fn one_inbound(&mut self, start_ms: i64, office: bool) {
        let staff = self.staff(office);
        let queue = if office { DAY_QUEUE } else { NIGHT_QUEUE };
        let kind = self.dice.weighted(if office {
            &[480, 40, 25, 200, 30, 60, 75, 28, 18, 6]
        } else {
            &[430, 60, 60, 30, 220, 40, 130, 10, 10, 6]
        });
        match kind {
            0 => {
                let caller = self.caller();
                self.queue_answered(start_ms, queue, staff, caller);
            }
            1 => {
                let caller = self.caller();
                self.queue_abandoned(start_ms, queue, staff, caller);
            }
            2 => {
                let caller = self.caller();
                self.left_voicemail(start_ms, queue, caller);
            }
            3 => self.one_direct(start_ms, office),
            4 => {
                let seat = self.dice.pick(&ON_CALL);
                let caller = self.direct_caller(seat);
                self.followed(start_ms, seat, caller);
            }
            5 | 6 => {
                let seat = self.direct_seat();
                let caller = self.direct_caller(seat);
                if kind == 5 {
                    self.missed(start_ms, seat, caller);
                } else {
                    self.left_voicemail(start_ms, seat, caller);
                }
            }
            7 | 8 => self.one_transfer(start_ms, staff, kind == 8),
            _ => {
                let mut caller = self.caller();
                caller.from.style = Style::Withheld;
                let seat = self.dice.pick(staff);
                self.blocked(start_ms, seat, caller);
            }
        }
    }

    /// Extensions that get calls on their own number: clients' own desks, technicians and a few agents.
    fn direct_seat(&mut self) -> Seat {
        self.dice.pick(&[16, 16, 17, 17, 18, 19, 20, 21, 21, 0, 22, 23, 1, 5, 9])
    }

    fn one_direct(&mut self, start_ms: i64, office: bool) {
        let seat = if office { self.direct_seat() } else { self.dice.pick(&ON_CALL) };
        let caller = self.direct_caller(seat);
        self.direct_answered(start_ms, seat, caller);
    }

    fn one_transfer(&mut self, start_ms: i64, staff: &[Seat], warm: bool) {
        let caller = self.caller();
        let first = self.free_seat(staff, start_ms);
        let second = self.free_seat(&ON_CALL, start_ms);
        match (first, second) {
            (Some(first), Some(second)) => self.transferred(start_ms, (first, second), caller, warm),
            (Some(seat), None) => self.direct_answered(start_ms, seat, caller),
            _ => self.queue_abandoned(start_ms, DAY_QUEUE, staff, caller),
        }
    }

    /// Whom an extension calls: the client it works for, or people on that client's behalf.
    fn callee(&mut self, seat: Seat) -> Outside {
        let owner = (0..CLIENTS.len()).find(|client| self.cast.desk_of(*client) == Some(seat));
        let client = self.any_client();
        let number = match owner {
            Some(owner) if self.dice.chance(850) => self.habitual_stranger(owner),
            Some(owner) => self.client_phone(owner),
            None if self.dice.chance(350) => clients::mobile(client),
            None if self.dice.chance(55) => number::stranger(self.dice.below(number::STRANGERS)),
            None => self.client_phone(client),
        };
        self.shown(number)
    }

    fn one_outbound(&mut self, start_ms: i64, office: bool) {
        let seats: &[Seat] = if office {
            &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23, 0]
        } else {
            &[12, 13, 14, 15, 22, 23]
        };
        let Some(seat) = self.free_seat(seats, start_ms) else { return };
        let to = self.callee(seat);
        match self.dice.weighted(&[690, 120, 40, 14, 15, 22, 55, 14]) {
            0 => self.outbound_answered(start_ms, seat, to),
            1 => self.outbound_failed(start_ms, seat, to, "No Answer", "Not Answered"),
            2 => self.outbound_failed(start_ms, seat, to, "Busy", "Line Busy"),
            3 => self.outbound_failed(start_ms, seat, to, "Hang Up", "Hang Up"),
            4 => self.outbound_failed(start_ms, seat, to, "Wrong Number", "Wrong Number"),
            5 => {
                let number = self.foreign_number();
                self.outbound_answered(start_ms, seat, Outside { number, style: Style::E164 });
            }
            6 => self.ring_out(start_ms, seat, to),
            _ => self.conference(start_ms, seat, to),
        }
    }

    fn one_internal(&mut self, start_ms: i64, office: bool) {
        let staff = self.staff(office);
        if let (Some(from), Some(to)) = (self.free_seat(staff, start_ms), self.free_seat(&ON_CALL, start_ms))
            && from != FAX_LINE
        {
            self.internal(start_ms, from, to);
        }
    }
}
