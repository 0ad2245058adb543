//! The day's texts: reminders that clinics promised, messages passed on to clients, replies, and notes between
//! colleagues.

use super::calendar::{Calendar, DAY, HOUR, MINUTE, instant};
use super::cast::{Cast, DAY_QUEUE, ON_CALL, Seat};
use super::clients::{self, CLIENTS, Trade};
use super::maker::{Draft, Maker, Purpose};
use super::number::{self, Number};
use super::plan::{Availability, Body, MessagePlan, MessageVersion, Party};
use super::truth::{Ending, Fate, Promise, TextKind, TextTruth, Way};
use super::wording;

const REMINDERS_PER_CLINIC: i64 = 22;
const RELAYS_PER_WORKDAY: i64 = 85;
const REPLIES_PER_WORKDAY: i64 = 50;
const OTHERS_PER_WORKDAY: i64 = 14;

/// What the carriers say when a text does not arrive.
const CARRIER_CODES: [&str; 7] =
    ["SMS-CAR-411", "SMS-CAR-412", "SMS-CAR-413", "SMS-CAR-430", "SMS-CAR-431", "SMS-UP-410", "SMS-CAR-500"];
/// Codes with which a carrier says that it does not know.
const DOUBTFUL_CODES: [&str; 2] = ["SMS-CAR-104", "SMS-CAR-199"];
const SENDING_CODES: [&str; 3] = ["SMS-RC-413", "SMS-RC-410", "SMS-RC-430"];

/// A text to be drawn.
struct Text {
    created_ms: i64,
    mailbox: Seat,
    own: Option<Number>,
    parties: Vec<Party>,
    body: Body,
    ending: Ending,
}

/// Draws the texts of one day.
pub(crate) fn draw(cast: &Cast, calendar: &Calendar, draft: &mut Draft, seed: u64, day: i64) {
    let mut maker = Maker::new(cast, calendar, draft, seed, day, Purpose::Texts);
    let load = calendar.load_per_mille(day);
    if calendar.is_workday(day) {
        for clinic in clients::of_trade(Trade::Clinic) {
            maker.reminders(clinic, day, REMINDERS_PER_CLINIC * load / 1000);
        }
    }
    maker.relays(day, RELAYS_PER_WORKDAY * load / 1000);
    maker.replies(day, REPLIES_PER_WORKDAY * load / 1000);
    maker.others(day, OTHERS_PER_WORKDAY * load / 1000);
}

impl Maker<'_> {
    /// How sending a text ends.
    fn text_ending(&mut self) -> Ending {
        match self.dice.weighted(&[9430, 350, 150, 50, 20]) {
            0 => Ending::Delivered,
            1 => Ending::Sent,
            2 => Ending::DeliveryFailed,
            3 => Ending::SendingFailed,
            _ => Ending::Queued,
        }
    }

    /// The reminders of one clinic: each promised for an hour, most sent in it.
    fn reminders(&mut self, clinic: usize, day: i64, count: i64) {
        let Some(seat) = self.cast.desk_of(clinic) else { return };
        for turn in 0..count {
            let quarter = self.dice.between(36, 66);
            let due_ms = self.calendar.instant_ms(day, quarter * 15 * MINUTE);
            // Each patient at most once a day, so that a promise and its text find each other.
            let patient = (day * count + turn).unsigned_abs() % 140;
            let number = number::stranger(u64::try_from(clinic).unwrap_or(0) * 140 + patient);
            let fate = self.reminder_fate();
            self.one_reminder(clinic, seat, number, due_ms, fate);
        }
        if self.dice.chance(80) {
            let created_ms = self.calendar.moment_between(&mut self.dice, day, 17, 18);
            let number = number::stranger(4300 + self.dice.below(90));
            self.one_reminder(clinic, seat, number, created_ms, Fate::NotPromised);
        }
    }

    fn reminder_fate(&mut self) -> Fate {
        match self.dice.weighted(&[9830, 35, 45, 40, 50]) {
            0 => Fate::Kept,
            1 => Fate::NeverSent,
            2 => Fate::Late,
            3 => Fate::SentTwice,
            _ => Fate::WrongParty,
        }
    }

    fn one_reminder(&mut self, clinic: usize, seat: Seat, number: Number, due_ms: i64, fate: Fate) {
        let mut created_ms = due_ms + self.dice.between(20_000, 25 * MINUTE);
        if fate == Fate::Late {
            created_ms = due_ms + HOUR + self.dice.between(90 * MINUTE, 4 * HOUR);
        }
        let text = wording::reminder(&mut self.dice, CLIENTS[clinic].name);
        let recipient = if fate == Fate::WrongParty { number::stranger(4200 + number % 100) } else { number };
        let mut fate = fate;
        let mut sent = None;
        let copies = match fate {
            Fate::NeverSent => 0,
            Fate::SentTwice => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let ending = if fate == Fate::Kept { self.text_ending() } else { Ending::Delivered };
            sent = Some(self.outbound_sms(created_ms, seat, recipient, text.clone(), ending));
            fate = if fate == Fate::Kept { self.fate_of_last() } else { fate };
            created_ms += self.dice.between(2 * MINUTE, 9 * MINUTE);
        }
        self.promise(Some(seat), number, "sms", due_ms, HOUR, None, fate, sent);
    }

    /// Writes down a promise; the contact is whom the message belongs to.
    #[expect(clippy::too_many_arguments, reason = "one column of the promise each")]
    pub(crate) fn promise(
        &mut self,
        seat: Option<Seat>,
        number: Number,
        channel: &'static str,
        due_ms: i64,
        lasting_ms: i64,
        pages: Option<u32>,
        fate: Fate,
        message_id: Option<u64>,
    ) {
        let contact = self.cast.payer(None, Some(number), seat, due_ms).map(str::to_owned);
        self.draft.truth.promises.push(Promise {
            contact,
            number,
            channel,
            due_from: instant(due_ms),
            due_to: instant(due_ms + lasting_ms),
            pages,
            fate,
            message_id,
        });
    }

    fn outbound_sms(&mut self, created_ms: i64, seat: Seat, to: Number, text: String, ending: Ending) -> u64 {
        let to = self.shown(to);
        let segments = Some(wording::segments(&text));
        self.keep_text(Text {
            created_ms,
            mailbox: seat,
            own: self.cast.extension(seat).direct,
            parties: vec![Party::Outside(to)],
            body: Body::Text { text, segments, picture: false },
            ending,
        })
    }

    /// Messages passed on to clients' mobile telephones, each promised for half an hour.
    fn relays(&mut self, day: i64, count: i64) {
        let repairers = clients::of_trade(Trade::Repair);
        let lawyers = clients::of_trade(Trade::Law);
        for _ in 0..count {
            let (sent_ms, _) = self.calendar.busy_moment(&mut self.dice, day);
            let client =
                if self.dice.chance(800) { self.dice.pick(&repairers) } else { self.dice.pick(&lawyers) };
            let seat =
                if self.dice.chance(60) { DAY_QUEUE } else { self.dice.pick(&[1, 2, 3, 4, 5, 12, 13]) };
            let ending = self.text_ending();
            let text = if seat == DAY_QUEUE && self.dice.chance(300) {
                wording::confirmation(&mut self.dice)
            } else {
                wording::relay(&mut self.dice, CLIENTS[client].name)
            };
            let number = clients::mobile(client);
            let id = self.outbound_sms(sent_ms, seat, number, text, ending);
            let due_ms = sent_ms - self.dice.between(30_000, 4 * MINUTE);
            let fate = self.fate_of_last();
            self.promise(Some(seat), number, "sms", due_ms, 30 * MINUTE, None, fate, Some(id));
        }
    }

    /// What patients and clients write.
    fn replies(&mut self, day: i64, count: i64) {
        let clinics = clients::of_trade(Trade::Clinic);
        let repairers = clients::of_trade(Trade::Repair);
        for _ in 0..count {
            let (created_ms, _) = self.calendar.busy_moment(&mut self.dice, day);
            let (mailbox, number) = match self.dice.weighted(&[550, 300, 100, 50]) {
                0 => {
                    let clinic = self.dice.pick(&clinics);
                    let stranger = self.habitual_stranger(clinic);
                    (self.cast.desk_of(clinic).unwrap_or(DAY_QUEUE), stranger)
                }
                1 => (self.dice.pick(&[1, 2, 3, 4, 5]), clients::mobile(self.dice.pick(&repairers))),
                2 => (DAY_QUEUE, clients::mobile(self.dice.pick(&repairers))),
                _ => (DAY_QUEUE, number::stranger(self.dice.below(number::STRANGERS))),
            };
            let from = self.shown(number);
            let text = wording::reply(&mut self.dice);
            let segments = Some(wording::segments(&text));
            let own = self.cast.extension(mailbox).direct;
            let body = Body::Text { text, segments, picture: false };
            let parties = vec![Party::Outside(from)];
            self.keep_text(Text { created_ms, mailbox, own, parties, body, ending: Ending::Received });
        }
    }

    /// Pictures to several clients at once, and notes between colleagues.
    fn others(&mut self, day: i64, count: i64) {
        let repairers = clients::of_trade(Trade::Repair);
        for _ in 0..count {
            let (created_ms, _) = self.calendar.busy_moment(&mut self.dice, day);
            if self.dice.chance(250) {
                let first = self.dice.index(repairers.len());
                let size = usize::try_from(self.dice.between(1, 3)).unwrap_or(1);
                let numbers: Vec<Number> = (0..size)
                    .map(|step| clients::mobile(repairers[(first + step) % repairers.len()]))
                    .collect();
                self.group_picture(created_ms, &numbers);
            } else {
                let (from, to) = (self.dice.pick(&[1, 2, 3, 4, 5, 6]), self.dice.pick(&ON_CALL));
                let text = wording::pager(&mut self.dice);
                let (parties, body) = (vec![Party::Inside(to)], Body::Pager { text });
                self.keep_text(Text {
                    created_ms,
                    mailbox: from,
                    own: None,
                    parties,
                    body,
                    ending: Ending::Sent,
                });
            }
        }
    }

    fn group_picture(&mut self, created_ms: i64, numbers: &[Number]) {
        let parties = numbers.iter().map(|number| Party::Outside(self.shown(*number))).collect();
        let text = format!("Photo of the job at {}", wording::person(&mut self.dice));
        let body = Body::Text { text, segments: None, picture: true };
        let own = self.cast.extension(1).direct;
        let ending = if self.dice.chance(900) { Ending::Delivered } else { Ending::Sent };
        let id = self.keep_text(Text { created_ms, mailbox: 1, own, parties, body, ending });
        for number in numbers {
            let reference = (numbers.len() == 1).then_some(id);
            let due_ms = created_ms - 2 * MINUTE;
            let fate = self.fate_of_last();
            self.promise(Some(1), *number, "mms", due_ms, 30 * MINUTE, None, fate, reference);
        }
    }

    fn keep_text(&mut self, text: Text) -> u64 {
        let serial = self.serial();
        let inbound = text.ending == Ending::Received;
        let (kind, segments) = match &text.body {
            Body::Text { picture: true, .. } => (TextKind::Mms, None),
            Body::Text { segments, .. } => (TextKind::Sms, *segments),
            _ => (TextKind::Pager, None),
        };
        let id = if kind == TextKind::Pager {
            5_475_000_005 + serial * 10
        } else {
            9_733_000_001_016 + serial * 1000
        };
        let extension = self.cast.extension(text.mailbox).number.clone();
        for party in &text.parties {
            let (way, outside) = match party {
                Party::Inside(_) => (Way::Internal, None),
                Party::Outside(outside) => {
                    (if inbound { Way::Inbound } else { Way::Outbound }, Some(outside.number))
                }
            };
            let dialled = text.own.filter(|_| inbound);
            let payer = self.cast.payer(dialled, outside, Some(text.mailbox), text.created_ms);
            self.draft.truth.texts.push(TextTruth {
                kind,
                way,
                created: instant(text.created_ms),
                extension: extension.clone(),
                outside,
                segments: segments.unwrap_or(0),
                ending: text.ending,
                contact: if way == Way::Internal { None } else { payer.map(str::to_owned) },
                message_id: id,
            });
        }
        let versions = self.text_versions(&text, kind);
        self.draft.messages.push(MessagePlan {
            id,
            mailbox: text.mailbox,
            inbound,
            created_ms: text.created_ms,
            own: text.own,
            parties: text.parties,
            body: text.body,
            versions,
        });
        id
    }

    /// The fate of the text that was kept last, which was promised and sent in time.
    fn fate_of_last(&self) -> Fate {
        let last = self.draft.messages.last().and_then(|message| message.versions.last());
        let state = last.and_then(|last| last.endings.first().zip(last.codes.first()));
        state.map_or(Fate::NeverSent, |(ending, code)| fate_of(*ending, code))
    }

    fn text_versions(&mut self, text: &Text, kind: TextKind) -> Vec<MessageVersion> {
        let recipients = text.parties.len();
        let state = |at_ms: i64, ending: Ending, code: &'static str| MessageVersion {
            visible_from_ms: at_ms,
            endings: vec![ending; recipients],
            codes: vec![code; recipients],
            availability: Availability::Alive,
            delivered_ms: None,
        };
        let mut at_ms = text.created_ms + 300;
        let mut versions = Vec::new();
        if text.ending != Ending::Received && kind != TextKind::Pager {
            versions.push(state(at_ms, Ending::Queued, ""));
            at_ms += self.dice.between(1500, 9000);
            if matches!(text.ending, Ending::Delivered | Ending::DeliveryFailed) {
                versions.push(state(at_ms, Ending::Sent, ""));
                at_ms += self.dice.between(4000, 9 * MINUTE);
            }
        }
        let code = match text.ending {
            Ending::DeliveryFailed if self.dice.chance(150) => self.dice.pick(&DOUBTFUL_CODES),
            Ending::DeliveryFailed => self.dice.pick(&CARRIER_CODES),
            Ending::SendingFailed => self.dice.pick(&SENDING_CODES),
            _ => "",
        };
        if text.ending != Ending::Queued {
            let mut last = state(at_ms, text.ending, code);
            last.delivered_ms = (text.ending == Ending::Delivered).then_some(at_ms - 1000);
            versions.push(last);
        }
        if self.dice.chance(5)
            && let Some(last) = versions.last().cloned()
        {
            let deleted_ms = last.visible_from_ms + self.dice.between(HOUR, 9 * DAY);
            let gone =
                |at_ms, availability| MessageVersion { visible_from_ms: at_ms, availability, ..last.clone() };
            versions.push(gone(deleted_ms, Availability::Deleted));
            if text.ending == Ending::Received {
                versions.push(gone(deleted_ms + 5 * DAY, Availability::Purged));
            }
        }
        versions
    }
}

/// What becomes of a promise that was sent in time, by how the sending ended and what the carrier said of it.
fn fate_of(ending: Ending, code: &str) -> Fate {
    match ending {
        Ending::Delivered | Ending::Received => Fate::Kept,
        // The carrier does not know: that is no proof of failure.
        Ending::DeliveryFailed if DOUBTFUL_CODES.contains(&code) => Fate::Unconfirmed,
        Ending::Sent | Ending::Queued => Fate::Unconfirmed,
        Ending::DeliveryFailed | Ending::SendingFailed | Ending::Partial => Fate::Failed,
    }
}
