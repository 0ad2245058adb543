//! Plans into responses: what a record or message says at one of its versions.
//!
//! Nothing is drawn here: the same plan, version and origin give the same bytes.

use super::service::{LegOrder, Rounding, Spelling, TimeStyle, Unknowns};
use super::wire::{
    Billing, Call, CallEntry, CallParty, CallStub, MessageId, MessageReference, Recording, Reference, Session,
};
use super::world::calendar::stamp;
use super::world::cast::{ACCOUNT_ID, Cast, Extension, Seat};
use super::world::number;
use super::world::plan::{
    LegKind, LegPlan, Look, Outside, RecordPlan, Style, Version, record_id, telephony_id,
};
use super::world::random::mix;
use serde_json::Number as JsonNumber;
use std::borrow::Cow;
use std::ops::Deref;

/// Writes records for one origin, such as `http://127.0.0.1:4010`.
pub(crate) struct Renderer<'a> {
    pub(crate) cast: &'a Cast,
    pub(crate) origin: &'a str,
    pub(crate) unknowns: &'a Unknowns,
}

/// A record as one log shows it: the company's, or an extension's own.
#[derive(Clone, Debug)]
pub(crate) struct Face<'a> {
    pub(crate) plan: Plan<'a>,
    /// What its id is made of: a list makes one for each call of its time, and writes those of one page only.
    pub(crate) serial: u64,
    /// The extension whose log it is; none for the company's.
    pub(crate) log: Option<Seat>,
}

impl<'a> Face<'a> {
    /// As the company's log shows it.
    pub(crate) fn of_account(plan: &'a RecordPlan) -> Face<'a> {
        Face { serial: plan.serial, plan: Plan::Shared(plan), log: None }
    }

    pub(crate) fn id(&self) -> String {
        record_id(self.serial)
    }
}

/// What a face shows: a call of the world, or another side of one.
#[derive(Clone, Debug)]
pub(crate) enum Plan<'a> {
    Shared(&'a RecordPlan),
    Own(Box<RecordPlan>),
}

impl Deref for Plan<'_> {
    type Target = RecordPlan;

    fn deref(&self) -> &RecordPlan {
        match self {
            Plan::Shared(plan) => plan,
            Plan::Own(plan) => plan,
        }
    }
}

/// What of a call record is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    Simple,
    Detailed,
}

impl View {
    pub(crate) fn name(self) -> &'static str {
        match self {
            View::Simple => "Simple",
            View::Detailed => "Detailed",
        }
    }
}

impl Renderer<'_> {
    /// The account's own address.
    pub(crate) fn account_uri(&self) -> String {
        format!("{}/restapi/v1.0/account/{ACCOUNT_ID}", self.origin)
    }

    pub(crate) fn extension(&self, seat: Seat) -> &Extension {
        self.cast.extension(seat)
    }

    pub(crate) fn extension_uri(&self, seat: Seat) -> String {
        format!("{}/extension/{}", self.account_uri(), self.extension(seat).id)
    }

    pub(crate) fn message_uri(&self, seat: Seat, id: u64) -> String {
        format!("{}/message-store/{id}", self.extension_uri(seat))
    }

    /// A time, as served.
    pub(crate) fn stamp(&self, millis: i64) -> String {
        let mut text = stamp(millis);
        if self.unknowns.time_style == TimeStyle::Offset {
            text.pop();
            text.push_str("+0000");
        }
        text
    }

    fn seconds(&self, millis: i64) -> i64 {
        match self.unknowns.duration_rounding {
            Rounding::Nearest => (millis + 500) / 1000,
            Rounding::Up => (millis + 999) / 1000,
            Rounding::Down => millis / 1000,
        }
    }

    fn result(&self, plan: &RecordPlan, result: &'static str) -> Option<Cow<'static, str>> {
        Some(match (self.unknowns.result_spelling, mix(plan.serial) % 3) {
            (Spelling::Varied, 0) => Cow::Owned(result.to_lowercase()),
            (Spelling::Varied, 1) => Cow::Owned(result.to_uppercase()),
            _ => Cow::Borrowed(result),
        })
    }

    /// The address of a call log.
    pub(crate) fn log_uri(&self, log: Option<Seat>) -> String {
        log.map_or_else(|| self.account_uri(), |seat| self.extension_uri(seat))
    }

    pub(crate) fn message_id(&self, id: u64) -> MessageId {
        if self.unknowns.message_ids_are_text {
            MessageId::Text(id.to_string())
        } else {
            MessageId::Number(id)
        }
    }

    /// One record of a call log.
    pub(crate) fn call(&self, face: &Face<'_>, version: &Version, view: View) -> Call {
        let plan = &*face.plan;
        let mut record = match version.look {
            Look::Ringing(seat) => self.ringing(plan, seat, view),
            Look::Underway => self.underway(plan, view),
            _ => self.ended(plan, version, view),
        };
        record.uri = Some(format!("{}/call-log/{}?view={}", self.log_uri(face.log), face.id(), view.name()));
        record.id = Some(face.id());
        record.session_id = Some(plan.session_id());
        if face.log.is_some() {
            record.extension = Some(self.extension_reference(plan.seat));
        }
        if self.unknowns.finished_absent {
            record.finished = None;
        }
        if self.unknowns.leg_order == LegOrder::MostRecentFirst
            && let Some(legs) = &mut record.legs
        {
            legs.reverse();
        }
        record
    }

    /// One record of a list of changes.
    pub(crate) fn call_entry(&self, face: &Face<'_>, version: &Version, view: View) -> CallEntry {
        let mut call = self.call(face, version, view);
        call.deleted = (version.look == Look::Deleted).then_some(true);
        CallEntry::Whole(Box::new(call))
    }

    /// A deleted record that says no more than it must.
    pub(crate) fn call_stub(&self, face: &Face<'_>, version: &Version, view: View) -> CallEntry {
        let call = self.call(face, version, view);
        CallEntry::Stub(CallStub {
            uri: call.uri,
            id: call.id,
            session_id: call.session_id,
            start_time: call.start_time,
            kind: call.kind,
            direction: call.direction,
            action: call.action,
            deleted: true,
        })
    }

    fn ended(&self, plan: &RecordPlan, version: &Version, view: View) -> Call {
        let plan = &self.as_it_looks(plan, version.look);
        let mut record = self.base(plan, version.look);
        record.duration_ms = Some(plan.lasting_ms);
        record.transfer_target = plan.transfer_target.map(session);
        record.transferee = plan.transferee.map(session);
        record.deleted = (version.look == Look::Deleted && self.unknowns.list_marks_deleted).then_some(true);
        record.finished = Some(true);
        if view == View::Detailed || self.unknowns.simple_last_modified {
            record.last_modified_time = Some(self.stamp(version.visible_from_ms - 2000));
        }
        if view == View::Detailed {
            let mut legs = vec![self.master(plan, version.look)];
            legs.extend(plan.legs.iter().map(|leg| self.leg(plan, leg)));
            record.legs = Some(legs);
            return record;
        }
        if !self.unknowns.simple_extension {
            record.extension = None;
        }
        if !self.unknowns.simple_billing {
            record.billing = None;
        }
        record
    }

    /// A call that has not ended, seen from its own extension: without duration, costs or last change.
    fn underway(&self, plan: &RecordPlan, view: View) -> Call {
        let mut record = self.base(plan, Look::Underway);
        if view == View::Detailed {
            let mut master = self.base(plan, Look::Underway);
            master.leg_type = Some(plan.master_type);
            master.master = Some(true);
            record.legs = Some(vec![master]);
        }
        record.finished = Some(false);
        record
    }

    /// The plan as an early version shows it.
    fn as_it_looks(&self, plan: &RecordPlan, look: Look) -> RecordPlan {
        let mut plan = plan.clone();
        match look {
            Look::OffBySeconds(seconds) => {
                plan.lasting_ms = (plan.lasting_ms + seconds * 1000).max(0);
                if let Some(leg) = plan.legs.last_mut() {
                    leg.lasting_ms = (leg.lasting_ms + seconds * 1000).max(0);
                }
            }
            Look::OtherResult(result) => plan.result = result,
            Look::Nameless | Look::Ringing(_) | Look::Underway | Look::Final | Look::Deleted => {}
        }
        plan
    }

    fn base(&self, plan: &RecordPlan, look: Look) -> Call {
        let underway = look == Look::Underway;
        let told = if underway { "" } else { plan.reason };
        let mut outside = self.outside_party(plan);
        if look == Look::Nameless {
            outside.name = None;
            outside.location = None;
        }
        let own = self.own_party(plan);
        // The second record of a ring-out is inbound, yet names the same parties in the same places as the first.
        let caller_first = plan.inbound && plan.session_shift == 0;
        let (mut from, mut to) = if caller_first { (outside, own) } else { (own, outside) };
        // A caller has dialled from somewhere, a called party was dialled.
        (from.dialed_phone_number, to.dialer_phone_number) = (None, None);
        Call {
            telephony_session_id: telephony_id(plan.telephony_of),
            start_time: self.stamp(plan.start_ms),
            duration: (!underway).then(|| self.seconds(plan.lasting_ms)),
            kind: if plan.fax { "Fax" } else { "Voice" },
            internal_type: (!plan.internal_type.is_empty()).then_some(plan.internal_type),
            direction: if plan.inbound { "Inbound" } else { "Outbound" },
            action: plan.action,
            result: self.result(plan, if underway { "In Progress" } else { plan.result }),
            to: Some(to),
            from: Some(from),
            extension: Some(self.extension_reference(plan.seat)),
            reason: (!told.is_empty()).then_some(told),
            reason_description: describe(told),
            message: plan
                .message
                .filter(|_| !underway)
                .map(|(seat, id)| self.message_reference(seat, id, plan.fax)),
            recording: (plan.recorded && !underway).then(|| self.recording(plan)),
            transport: Some(plan.transport),
            billing: (!underway).then(|| billing(plan)),
            ..Call::default()
        }
    }

    /// The master leg repeats the record.
    fn master(&self, plan: &RecordPlan, look: Look) -> Call {
        let mut leg = self.base(plan, look);
        leg.duration_ms = Some(plan.lasting_ms);
        leg.leg_type = Some(plan.master_type);
        leg.master = Some(true);
        leg.recording = None;
        leg
    }

    fn leg(&self, plan: &RecordPlan, leg: &LegPlan) -> Call {
        let (leg_type, action, transport) = match leg.kind {
            LegKind::Desk => ("PstnToSip", "VoIP Call", "VoIP"),
            LegKind::Hunt => ("Hunting", "Hunting", "VoIP"),
            LegKind::FindMe => ("FindMe", "FindMe", "PSTN"),
            LegKind::Transfer { .. } => ("TransferCall", "Transfer", "VoIP"),
            LegKind::RingOut => ("RingOutWebToCaller", "RingOut Web", "PSTN"),
        };
        let warm = matches!(leg.kind, LegKind::Transfer { .. }) && plan.transfer_target.is_some();
        Call {
            telephony_session_id: telephony_id(plan.telephony_of),
            start_time: self.stamp(plan.start_ms + leg.after_ms),
            duration: Some(self.seconds(leg.lasting_ms)),
            duration_ms: Some(leg.lasting_ms),
            kind: "Voice",
            direction: "Outbound",
            action,
            result: self.result(plan, leg.result),
            to: Some(self.leg_to(plan, leg)),
            from: Some(self.leg_from(plan, leg)),
            extension: Some(self.extension_reference(leg.seat)),
            reason: Some(leg.reason),
            reason_description: describe(leg.reason),
            recording: (plan.recorded && leg.result == "Accepted").then(|| self.recording(plan)),
            transport: Some(transport),
            leg_type: Some(leg_type),
            master: Some(false),
            transferee: warm.then(|| session(plan.telephony_of)),
            ..Call::default()
        }
    }

    fn leg_to(&self, plan: &RecordPlan, leg: &LegPlan) -> CallParty {
        let extension = self.extension(leg.seat);
        match leg.kind {
            LegKind::FindMe => CallParty {
                phone_number: extension.mobile.map(number::e164),
                name: Some(format!("{} mobile", extension.name)),
                location: extension.mobile.and_then(number::location),
                ..CallParty::default()
            },
            LegKind::RingOut => self.outside_party(plan),
            LegKind::Desk | LegKind::Hunt | LegKind::Transfer { .. } => self.desk_party(leg.seat),
        }
    }

    fn leg_from(&self, plan: &RecordPlan, leg: &LegPlan) -> CallParty {
        let extension = self.extension(leg.seat);
        let outside = plan.outside.and_then(shown);
        match leg.kind {
            LegKind::Transfer { from } => {
                let by = self.extension(from);
                CallParty {
                    phone_number: outside,
                    name: Some(by.name.to_owned()),
                    extension_number: Some(by.number.clone()),
                    extension_id: Some(by.id.to_string()),
                    ..CallParty::default()
                }
            }
            LegKind::FindMe => CallParty {
                phone_number: outside,
                name: Some(extension.name.to_owned()),
                ..CallParty::default()
            },
            LegKind::RingOut => self.own_party(plan),
            _ if self.extension(plan.seat).kind == "Department" => CallParty {
                name: Some(format!("{} - {}", self.extension(plan.seat).name, caller_name(plan))),
                location: plan
                    .outside
                    .and_then(|outside| shown(outside).and(number::location(outside.number))),
                phone_number: outside,
                ..CallParty::default()
            },
            _ => CallParty {
                name: Some(extension.name.to_owned()),
                extension_number: Some(extension.number.clone()),
                ..CallParty::default()
            },
        }
    }

    /// A call that still rings: seen from the member's telephone, without duration, costs or last change.
    fn ringing(&self, plan: &RecordPlan, seat: Seat, view: View) -> Call {
        let extension = self.extension(seat);
        let look = || Call {
            telephony_session_id: telephony_id(plan.telephony_of),
            start_time: self.stamp(plan.start_ms),
            kind: "Voice",
            direction: "Outbound",
            action: "VoIP Call",
            result: self.result(plan, "In Progress"),
            to: Some(CallParty {
                phone_number: extension.direct.map(number::e164),
                extension_number: Some(extension.number.clone()),
                ..CallParty::default()
            }),
            from: Some(CallParty {
                name: Some(extension.name.to_owned()),
                extension_number: Some(extension.number.clone()),
                ..CallParty::default()
            }),
            extension: Some(self.extension_reference(seat)),
            ..Call::default()
        };
        let mut record = look();
        record.finished = Some(false);
        if view == View::Detailed {
            let mut master = look();
            master.leg_type = Some("PstnToSip");
            master.master = Some(true);
            record.legs = Some(vec![master]);
        }
        record
    }

    fn own_party(&self, plan: &RecordPlan) -> CallParty {
        let extension = self.extension(plan.seat);
        if plan.inbound {
            let internal = plan.peer.is_some();
            return CallParty {
                phone_number: plan.own.map(number::e164),
                extension_number: internal.then(|| extension.number.clone()),
                extension_id: internal.then(|| extension.id.to_string()),
                name: Some(extension.name.to_owned()),
                ..CallParty::default()
            };
        }
        if plan.fax {
            return CallParty {
                phone_number: plan.own.map(number::e164),
                name: Some(extension.name.to_owned()),
                ..CallParty::default()
            };
        }
        self.desk_party(plan.seat)
    }

    fn desk_party(&self, seat: Seat) -> CallParty {
        let extension = self.extension(seat);
        let device = || {
            let id = extension.device_id.to_string();
            Reference { uri: format!("{}/device/{id}", self.account_uri()), id }
        };
        CallParty {
            phone_number: extension.direct.map(number::e164),
            extension_number: (!extension.number.is_empty()).then(|| extension.number.clone()),
            extension_id: Some(extension.id.to_string()),
            name: Some(extension.name.to_owned()),
            device: (extension.device_id != 0).then(device),
            ..CallParty::default()
        }
    }

    fn outside_party(&self, plan: &RecordPlan) -> CallParty {
        if let Some(peer) = plan.peer {
            if plan.inbound {
                return self.desk_party(peer);
            }
            let extension = self.extension(peer);
            return CallParty {
                extension_number: Some(extension.number.clone()),
                extension_id: Some(extension.id.to_string()),
                name: Some(extension.name.to_owned()),
                ..CallParty::default()
            };
        }
        let Some(outside) = plan.outside else { return CallParty::default() };
        if outside.style == Style::Withheld {
            return CallParty { name: Some("Anonymous".to_owned()), ..CallParty::default() };
        }
        let foreign = number::is_foreign(outside.number);
        CallParty {
            phone_number: shown(outside),
            name: (plan.inbound && !plan.fax).then(|| number::caller_name(outside.number).to_owned()),
            location: number::location(outside.number),
            dialer_phone_number: (plan.inbound && !plan.fax).then(|| outside.number.to_string()),
            dialed_phone_number: (foreign && !plan.inbound).then(|| format!("011{}", outside.number)),
            ..CallParty::default()
        }
    }

    pub(crate) fn extension_reference(&self, seat: Seat) -> Reference<u64> {
        Reference { uri: self.extension_uri(seat), id: self.extension(seat).id }
    }

    fn message_reference(&self, seat: Seat, id: u64, fax: bool) -> MessageReference {
        let kind = if fax { "Fax" } else { "VoiceMail" };
        MessageReference { uri: self.message_uri(seat, id), id: id.to_string(), kind }
    }

    fn recording(&self, plan: &RecordPlan) -> Recording {
        let id = (1_662_000_000_004 + plan.serial * 10).to_string();
        let uri = format!("{}/recording/{id}", self.account_uri());
        Recording { content_uri: format!("{uri}/content"), uri, id, kind: "Automatic" }
    }
}

fn session(serial: u64) -> Session {
    Session { telephony_session_id: telephony_id(serial) }
}

/// The other side's number as it is written, unless it is withheld.
pub(crate) fn shown(outside: Outside) -> Option<String> {
    match outside.style {
        Style::E164 => Some(number::e164(outside.number)),
        Style::National => Some(number::national(outside.number)),
        Style::Withheld => None,
    }
}

fn caller_name(plan: &RecordPlan) -> &'static str {
    match plan.outside {
        Some(Outside { number, style }) if style != Style::Withheld => number::caller_name(number),
        _ => "Anonymous",
    }
}

/// What the service says it charged, in thousandths: opaque evidence, not a price list.
fn billing(plan: &RecordPlan) -> Billing {
    let minutes = (plan.lasting_ms + 59_999) / 60_000;
    let foreign = plan.outside.is_some_and(|outside| number::is_foreign(outside.number));
    let included = if plan.internal_type == "TollFreeNumber" { 39 * minutes } else { 0 };
    let purchased = if foreign && !plan.inbound { 44 * minutes } else { 0 };
    Billing { cost_included: thousandths(included), cost_purchased: thousandths(purchased) }
}

fn thousandths(amount: i64) -> JsonNumber {
    let text = format!("{}.{:03}", amount / 1000, amount % 1000);
    text.parse().unwrap_or_else(|_| JsonNumber::from(0))
}

/// The explanation of a reason, as published.
fn describe(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "Accepted" => "The call connected to and was accepted by this number.",
        "Line Busy" => "The phone number you dialed was busy.",
        "Not Answered" => "The phone number you dialed was not answered.",
        "No Answer" => "You did not answer the call.",
        "Hang Up" => "The caller hung up before the call was answered.",
        "Stopped" => "This attempt was stopped because the call was answered by another phone.",
        "Wrong Number" => {
            "The number you dialed has either been disconnected or is not a valid phone number. Please check the \
             number and try again."
        }
        "Number Blocked" => "This number is in your Blocked Numbers list.",
        "Fax Not Sent" => {
            "An attempt to send the fax was made, but could not connect with the receiving fax machine."
        }
        "Fax Partially Sent" => {
            "The fax was only partially sent. Possible explanations include phone line quality to poor to maintain \
             the connection or the call was dropped."
        }
        "Fax Not Received" => {
            "An incoming fax could not be received because a proper connection with the sender's fax machine could \
             not be established."
        }
        _ => return None,
    })
}
