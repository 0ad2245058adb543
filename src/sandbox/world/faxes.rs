//! The day's faxes: orders to suppliers, documents to lawyers, and what comes in. Each attempt to reach a recipient
//! leaves a record in the call log; the message itself lies in the fax line's mailbox.

use super::calendar::{Calendar, HOUR, MINUTE, instant};
use super::cast::{Cast, FAX_LINE};
use super::clients::{self, Trade};
use super::maker::{Draft, Maker, Purpose};
use super::number::{self, Number};
use super::plan::{Availability, Body, MessagePlan, MessageVersion, Outside, Party, RecordPlan};
use super::truth::{Ending, Fate, FaxTruth, Way};

const FAXES_PER_WORKDAY: i64 = 46;
const FAILURE_CODES: [&str; 4] = ["NoAnswer", "LineBusy", "NoFaxMachine", "InvalidNumber"];

/// What becomes of a fax to one recipient.
struct Delivery {
    to: Outside,
    ending: Ending,
    code: &'static str,
    failed_attempts: i64,
}

/// A fax that was sent: the message's id, and how it ended for each recipient.
struct SentFax {
    id: u64,
    endings: Vec<Ending>,
}

/// Draws the faxes of one day.
pub(crate) fn draw(cast: &Cast, calendar: &Calendar, draft: &mut Draft, seed: u64, day: i64) {
    let mut maker = Maker::new(cast, calendar, draft, seed, day, Purpose::Faxes);
    let count = (FAXES_PER_WORKDAY * calendar.load_per_mille(day) / 1000).max(1);
    for _ in 0..count {
        match maker.dice.weighted(&[560, 60, 340, 40]) {
            0 => maker.order(day),
            1 => maker.circular(day),
            2 => maker.inbound_fax(day),
            _ => maker.failed_inbound_fax(day),
        }
    }
}

impl Maker<'_> {
    fn delivery(&mut self, number: Number) -> Delivery {
        let to = self.shown(number);
        let retry = i64::from(self.dice.chance(60));
        let (ending, code, failed_attempts) = match self.dice.weighted(&[850, 60, 50, 28, 12]) {
            0 => (Ending::Sent, "", retry),
            1 => (Ending::Delivered, "", retry),
            2 => (Ending::SendingFailed, self.dice.pick(&FAILURE_CODES), 3),
            3 => (Ending::Partial, "SentPartially", 0),
            _ => (Ending::Queued, "", 0),
        };
        Delivery { to, ending, code, failed_attempts }
    }

    fn plain_delivery(&mut self, number: Number) -> Delivery {
        Delivery { to: self.shown(number), ending: Ending::Sent, code: "", failed_attempts: 0 }
    }

    /// A document for one recipient, promised for two hours.
    fn order(&mut self, day: i64) {
        let suppliers = clients::of_trade(Trade::Supply);
        let lawyers = clients::of_trade(Trade::Law);
        let client =
            if self.dice.chance(700) { self.dice.pick(&suppliers) } else { self.dice.pick(&lawyers) };
        let number = clients::fax(client);
        let due_ms = self.calendar.moment_between(&mut self.dice, day, 9, 16);
        let pages = u32::try_from(self.dice.between(1, 9)).unwrap_or(1);
        let mut fate = match self.dice.weighted(&[940, 10, 14, 10, 16, 10]) {
            0 => Fate::Kept,
            1 => Fate::NeverSent,
            2 => Fate::Late,
            3 => Fate::SentTwice,
            4 => Fate::WrongPages,
            _ => Fate::NotPromised,
        };
        let mut created_ms = due_ms + self.dice.between(MINUTE, 40 * MINUTE);
        let mut id = None;
        match fate {
            Fate::NeverSent => {}
            Fate::Kept => {
                let delivery = self.delivery(number);
                let sent = self.outbound_fax(created_ms, pages, vec![delivery]);
                fate = sent.endings.first().map_or(fate, |ending| fax_fate(*ending));
                id = Some(sent.id);
            }
            _ => {
                if fate == Fate::Late {
                    created_ms += 2 * HOUR + self.dice.between(HOUR, 3 * HOUR);
                }
                let delivery = self.plain_delivery(number);
                id = Some(self.outbound_fax(created_ms, pages, vec![delivery]).id);
                if fate == Fate::SentTwice {
                    let delivery = self.plain_delivery(number);
                    self.outbound_fax(created_ms + 11 * MINUTE, pages, vec![delivery]);
                }
            }
        }
        let promised = if fate == Fate::WrongPages { pages + 2 } else { pages };
        self.promise(Some(FAX_LINE), number, "fax", due_ms, 2 * HOUR, Some(promised), fate, id);
    }

    /// One document for several recipients, each of whom gets it or not.
    fn circular(&mut self, day: i64) {
        let lawyers = clients::of_trade(Trade::Law);
        let size = usize::try_from(self.dice.between(2, 4)).unwrap_or(2);
        let first = self.dice.index(lawyers.len());
        let created_ms = self.calendar.moment_between(&mut self.dice, day, 9, 17);
        let pages = u32::try_from(self.dice.between(1, 5)).unwrap_or(1);
        let mut deliveries = Vec::new();
        for step in 0..size {
            let number = clients::fax(lawyers[(first + step) % lawyers.len()]);
            deliveries.push(self.delivery(number));
        }
        let numbers: Vec<Number> = deliveries.iter().map(|delivery| delivery.to.number).collect();
        let sent = self.outbound_fax(created_ms, pages, deliveries);
        for (number, ending) in numbers.into_iter().zip(sent.endings) {
            let due_ms = created_ms - 5 * MINUTE;
            let fate = fax_fate(ending);
            self.promise(Some(FAX_LINE), number, "fax", due_ms, 2 * HOUR, Some(pages), fate, None);
        }
    }

    fn outbound_fax(&mut self, created_ms: i64, pages: u32, deliveries: Vec<Delivery>) -> SentFax {
        let id = 401_000_000_008 + self.serial() * 10;
        let mut done_ms = created_ms;
        let mut queued = false;
        for delivery in &deliveries {
            let mut at_ms = created_ms + self.dice.between(15_000, 80_000);
            let mut records = Vec::new();
            let attempts = delivery.failed_attempts + i64::from(delivery.ending != Ending::SendingFailed);
            for attempt in 0..attempts {
                if delivery.ending == Ending::Queued {
                    break;
                }
                let failed = attempt < delivery.failed_attempts;
                let record = self.fax_attempt(at_ms, pages, delivery, failed, id);
                at_ms = record.end_ms() + self.dice.between(3 * MINUTE, 6 * MINUTE);
                done_ms = done_ms.max(record.end_ms());
                records.push(record);
            }
            queued |= delivery.ending == Ending::Queued;
            let ids = records.iter().map(RecordPlan::id).collect();
            self.fax_truth(
                Way::Outbound,
                created_ms,
                delivery.to.number,
                pages,
                delivery.ending,
                Some(id),
                ids,
            );
            self.draft.records.extend(records);
        }
        let endings: Vec<Ending> = deliveries.iter().map(|delivery| delivery.ending).collect();
        let codes = deliveries.iter().map(|delivery| delivery.code).collect();
        let mut versions = vec![MessageVersion {
            visible_from_ms: created_ms + 400,
            endings: vec![Ending::Queued; endings.len()],
            codes: vec![""; endings.len()],
            availability: Availability::Alive,
            delivered_ms: None,
        }];
        if !queued || endings.len() > 1 {
            let mut last = versions[0].clone();
            last.visible_from_ms = done_ms + 5000;
            last.endings.clone_from(&endings);
            last.codes = codes;
            versions.push(last);
        }
        let cover = self.dice.chance(300).then_some("Please call us if a page is missing.");
        let parties = deliveries.iter().map(|delivery| Party::Outside(delivery.to)).collect();
        self.keep_fax(id, false, created_ms, pages, cover, parties, versions);
        SentFax { id, endings }
    }

    /// One telephone call that tries to send a fax.
    fn fax_attempt(
        &mut self,
        at_ms: i64,
        pages: u32,
        delivery: &Delivery,
        failed: bool,
        id: u64,
    ) -> RecordPlan {
        let transfer_ms = i64::from(pages) * self.dice.between(14_000, 31_000);
        let (result, reason, lasting_ms) = match (failed, delivery.code) {
            (true, "LineBusy") => ("Busy", "Line Busy", 4000),
            (true, _) => ("Fax Not Sent", "Fax Not Sent", self.dice.between(18_000, 45_000)),
            (false, "SentPartially") => ("Fax Partially Sent", "Fax Partially Sent", 9000 + transfer_ms / 2),
            (false, _) => ("Sent", "", 9000 + transfer_ms),
        };
        let own = self.cast.extension(FAX_LINE).direct.unwrap_or(self.cast.main_number);
        let mut record = self.inbound(at_ms, lasting_ms, FAX_LINE, own);
        record.fax = true;
        record.inbound = false;
        record.action = "Outgoing Fax";
        record.result = result;
        record.reason = reason;
        record.internal_type = "";
        record.master_type = "FaxSent";
        record.outside = Some(delivery.to);
        record.message = Some((FAX_LINE, id));
        record
    }

    fn inbound_record(&mut self, at_ms: i64, lasting_ms: i64, from: Outside) -> RecordPlan {
        let own = self.cast.extension(FAX_LINE).direct.unwrap_or(self.cast.main_number);
        let mut record = self.inbound(at_ms, lasting_ms, FAX_LINE, own);
        record.fax = true;
        record.action = "Incoming Fax";
        record.result = "Received";
        record.reason = "";
        record.internal_type = "";
        record.outside = Some(from);
        record
    }

    fn fax_sender(&mut self) -> Outside {
        let suppliers = clients::of_trade(Trade::Supply);
        let lawyers = clients::of_trade(Trade::Law);
        let number = match self.dice.weighted(&[500, 400, 100]) {
            0 => clients::fax(self.dice.pick(&suppliers)),
            1 => clients::fax(self.dice.pick(&lawyers)),
            _ => number::stranger(self.dice.below(number::STRANGERS)),
        };
        self.shown(number)
    }

    fn inbound_fax(&mut self, day: i64) {
        let (at_ms, _) = self.calendar.busy_moment(&mut self.dice, day);
        let from = self.fax_sender();
        let pages = u32::try_from(self.dice.between(1, 7)).unwrap_or(1);
        let lasting_ms = 9000 + i64::from(pages) * self.dice.between(14_000, 31_000);
        let mut record = self.inbound_record(at_ms, lasting_ms, from);
        let id = 401_000_000_008 + record.serial * 10;
        record.message = Some((FAX_LINE, id));
        let version = MessageVersion {
            visible_from_ms: record.end_ms() + 3000,
            endings: vec![Ending::Received],
            codes: vec![""],
            availability: Availability::Alive,
            delivered_ms: None,
        };
        self.keep_fax(id, true, at_ms, pages, None, vec![Party::Outside(from)], vec![version]);
        let ids = vec![record.id()];
        self.fax_truth(Way::Inbound, at_ms, from.number, pages, Ending::Received, Some(id), ids);
        self.draft.records.push(record);
    }

    /// A fax that does not get through leaves no message, only a call.
    fn failed_inbound_fax(&mut self, day: i64) {
        let (at_ms, _) = self.calendar.busy_moment(&mut self.dice, day);
        let from = self.fax_sender();
        let lasting_ms = self.dice.between(6000, 25_000);
        let mut record = self.inbound_record(at_ms, lasting_ms, from);
        record.result = "Fax Receipt Error";
        record.reason = "Fax Not Received";
        let ids = vec![record.id()];
        self.fax_truth(Way::Inbound, at_ms, from.number, 0, Ending::DeliveryFailed, None, ids);
        self.draft.records.push(record);
    }

    #[expect(clippy::too_many_arguments, reason = "one column of the truth each")]
    fn fax_truth(
        &mut self,
        way: Way,
        created_ms: i64,
        outside: Number,
        pages: u32,
        ending: Ending,
        message_id: Option<u64>,
        records: Vec<String>,
    ) {
        let line = self.cast.extension(FAX_LINE);
        let dialled = line.direct.filter(|_| way == Way::Inbound);
        let contact = self.cast.payer(dialled, Some(outside), Some(FAX_LINE), created_ms);
        self.draft.truth.faxes.push(FaxTruth {
            way,
            created: instant(created_ms),
            extension: line.number.clone(),
            outside: Some(outside),
            pages,
            ending,
            contact: contact.map(str::to_owned),
            message_id,
            records,
        });
    }

    #[expect(clippy::too_many_arguments, reason = "one column of the plan each")]
    fn keep_fax(
        &mut self,
        id: u64,
        inbound: bool,
        created_ms: i64,
        pages: u32,
        cover: Option<&'static str>,
        parties: Vec<Party>,
        versions: Vec<MessageVersion>,
    ) {
        let own = self.cast.extension(FAX_LINE).direct;
        let body = Body::Fax { pages, cover };
        self.draft.messages.push(MessagePlan {
            id,
            mailbox: FAX_LINE,
            inbound,
            created_ms,
            own,
            parties,
            body,
            versions,
        });
    }
}

/// A fax has arrived once it is sent; of a partial one nobody can say.
fn fax_fate(ending: Ending) -> Fate {
    match ending {
        Ending::Sent | Ending::Delivered | Ending::Received => Fate::Kept,
        Ending::Queued | Ending::Partial => Fate::Unconfirmed,
        Ending::SendingFailed | Ending::DeliveryFailed => Fate::Failed,
    }
}
