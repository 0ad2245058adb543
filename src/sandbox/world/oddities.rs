//! What chance alone would not bring about in every month: the rare records that a billing program must survive.

use super::calendar::{Calendar, DAY, HOUR, MINUTE};
use super::calls_in::Caller;
use super::cast::{Cast, DAY_QUEUE, DELETED, DISABLED, NIGHT_AGENTS, NIGHT_QUEUE};
use super::clients;
use super::maker::{Draft, Maker, Purpose};
use super::number;
use super::plan::{Look, Outside, Style, Version};

/// Results that no list of the service knows.
const UNKNOWN_RESULTS: [&str; 3] = ["Quantum Handoff", "Echoed", "Quantum Handoff"];

/// Draws the oddities of the month.
pub(crate) fn draw(cast: &Cast, calendar: &Calendar, draft: &mut Draft, seed: u64) {
    let mut maker = Maker::new(cast, calendar, draft, seed, 0, Purpose::Oddities);
    let days = i64::from(calendar.days);
    type Group<'a> = fn(&mut Maker<'a>, i64);
    let groups: [Group<'_>; 5] = [
        Maker::unknown_results,
        Maker::departed_staff,
        Maker::badly_written,
        Maker::over_midnight,
        Maker::late_and_deleted,
    ];
    for group in groups {
        // Groups are not in order of time, so nobody is still on the telephone from an earlier one.
        maker.busy_until_ms.fill(i64::MIN);
        group(&mut maker, days);
    }
}

impl Maker<'_> {
    fn plain(&self, number: u64) -> Outside {
        Outside { number, style: Style::E164 }
    }

    /// A working hour of a day that comes `part` of `whole` through the month.
    fn office_moment(&mut self, days: i64, part: i64, whole: i64) -> i64 {
        let calendar = *self.calendar;
        let mut day = days * part / whole;
        while day > 0 && !calendar.is_workday(day) {
            day -= 1;
        }
        calendar.moment_between(&mut self.dice, day, 9, 17)
    }

    fn unknown_results(&mut self, days: i64) {
        for (index, result) in UNKNOWN_RESULTS.into_iter().enumerate() {
            let part = i64::try_from(index).unwrap_or(0) + 1;
            let start_ms = self.office_moment(days, part, 4);
            let client = [0, 21, 16][index];
            let caller = Caller {
                from: self.plain(number::stranger(40 + u64::try_from(index).unwrap_or(0))),
                dialled: clients::answered_number(client),
            };
            // In a short world these fall on one day, and a busy telephone would take a message instead.
            self.busy_until_ms[7] = i64::MIN;
            self.direct_answered(start_ms, 7, caller);
            self.amend_last(result);
            if let Some(truth) = self.draft.truth.calls.last_mut() {
                truth.decidable = false;
            }
        }
        let start_ms = self.office_moment(days, 2, 3);
        let to = self.plain(clients::phones(2)[0]);
        self.outbound_failed(start_ms, 4, to, "Hang up", "Hang Up");
        let start_ms = self.office_moment(days, 1, 3);
        let to = self.plain(clients::phones(3)[1]);
        self.outbound_failed(start_ms, 6, to, "Hang up", "Hang Up");
    }

    /// Gives the last record another result than its kind would have.
    fn amend_last(&mut self, result: &'static str) {
        if let Some(record) = self.draft.records.last_mut() {
            record.result = result;
            for leg in &mut record.legs {
                leg.result = result;
            }
        }
    }

    /// Calls of a user who has been disabled since, and of one who has been deleted.
    fn departed_staff(&mut self, days: i64) {
        for turn in 0..6 {
            let day = (turn / 2).min(days - 1);
            let calendar = *self.calendar;
            let start_ms = calendar.moment_between(&mut self.dice, day, 9 + turn, 10 + turn);
            let client = usize::try_from(turn).unwrap_or(0);
            let to = self.plain(clients::phones(client)[0]);
            self.outbound_answered(start_ms, DISABLED, to);
            let from = self.plain(clients::phones(client + 9)[1]);
            let dialled = self.cast.extension(DELETED).direct.unwrap_or(self.cast.main_number);
            self.direct_answered(start_ms + 7 * MINUTE, DELETED, Caller { from, dialled });
        }
    }

    fn badly_written(&mut self, days: i64) {
        for turn in 0..4 {
            let start_ms = self.office_moment(days, turn + 1, 6);
            let client = 9 + usize::try_from(turn).unwrap_or(0);
            let from = Outside { number: clients::phones(client)[0], style: Style::National };
            let dialled = self.cast.main_number;
            let members = [8, 9, 10];
            self.queue_answered(start_ms, DAY_QUEUE, &members, Caller { from, dialled });
        }
    }

    /// Calls that begin before midnight and end after it: into the month, inside it, and out of it.
    fn over_midnight(&mut self, days: i64) {
        for (turn, day) in [0, days.min(2), days / 2, days - 1, days, days].into_iter().enumerate() {
            let spread = i64::try_from(turn).unwrap_or(0) * 3 * MINUTE;
            let start_ms = self.calendar.midnight_ms(day) - 20 * MINUTE + spread;
            let seat = NIGHT_AGENTS[turn % NIGHT_AGENTS.len()];
            let from = self.plain(number::stranger(u64::try_from(turn).unwrap_or(0) * 31));
            let caller = Caller { from, dialled: clients::answered_number(turn * 3) };
            self.busy_until_ms[seat] = i64::MIN;
            self.direct_answered(start_ms, seat, caller);
            let until_ms = self.calendar.midnight_ms(day) + (4 + spread / MINUTE) * MINUTE;
            self.prolong_last(until_ms);
        }
    }

    /// Makes the last call, which must be an answered one with one talk, end at a given instant.
    fn prolong_last(&mut self, until_ms: i64) {
        let (Some(record), Some(truth)) = (self.draft.records.last_mut(), self.draft.truth.calls.last_mut())
        else {
            return;
        };
        let more_ms = until_ms - record.end_ms();
        record.lasting_ms += more_ms;
        for leg in &mut record.legs {
            leg.lasting_ms += more_ms;
        }
        for version in &mut record.versions {
            version.visible_from_ms += more_ms;
        }
        truth.end = super::calendar::instant(until_ms);
        truth.customer_facing_ms += more_ms;
        for talk in &mut truth.talks {
            talk.to = truth.end;
        }
    }

    /// Calls that show up a day late, and calls that somebody deletes from the log.
    fn late_and_deleted(&mut self, days: i64) {
        for turn in 0..4 {
            let start_ms = self.office_moment(days, turn + 1, 5);
            let client = 4 + 5 * usize::try_from(turn).unwrap_or(0);
            let from = self.plain(number::stranger(700 + u64::try_from(turn).unwrap_or(0)));
            let caller = Caller { from, dialled: clients::answered_number(client) };
            self.queue_answered(start_ms, NIGHT_QUEUE, &NIGHT_AGENTS, caller);
            let Some(record) = self.draft.records.last_mut() else { continue };
            let end_ms = record.end_ms();
            record.versions = if turn % 2 == 0 {
                vec![Version { visible_from_ms: end_ms + DAY + turn * HOUR, look: Look::Final }]
            } else {
                let seen = Version { visible_from_ms: end_ms + 22_000, look: Look::Final };
                vec![seen, Version { visible_from_ms: end_ms + 2 * DAY, look: Look::Deleted }]
            };
        }
    }
}
