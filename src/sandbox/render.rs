//! Plans into responses: what a record or message says at one of its versions.
//!
//! Nothing is drawn here: the same plan, version and origin give the same bytes.

use super::wire::{
    Attachment, Billing, Call, CallParty, Message, MessageParty, MessageReference, Recording, Reference,
    Session,
};
use super::world::calendar::stamp;
use super::world::cast::{ACCOUNT_ID, Cast, Extension, Seat};
use super::world::number;
use super::world::plan::{
    Availability, Body, LegKind, LegPlan, Look, MessagePlan, MessageVersion, Outside, Party, RecordPlan,
    Style, Version, telephony_id,
};
use super::world::random::mix;
use super::world::truth::Ending;
use serde_json::Number as JsonNumber;

/// Writes records for one origin, such as `http://127.0.0.1:4010`.
pub(crate) struct Renderer<'a> {
    pub(crate) cast: &'a Cast,
    pub(crate) origin: &'a str,
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

    fn extension(&self, seat: Seat) -> &Extension {
        self.cast.extension(seat)
    }

    pub(crate) fn extension_uri(&self, seat: Seat) -> String {
        format!("{}/extension/{}", self.account_uri(), self.extension(seat).id)
    }

    pub(crate) fn message_uri(&self, seat: Seat, id: u64) -> String {
        format!("{}/message-store/{id}", self.extension_uri(seat))
    }

    /// One record of the account's call log.
    pub(crate) fn call(&self, plan: &RecordPlan, version: &Version, view: View) -> Call {
        if let Look::Ringing(seat) = version.look {
            return self.ringing(plan, seat, view);
        }
        let plan = &self.as_it_looks(plan, version.look);
        let mut record = self.base(plan, version.look);
        record.uri = Some(format!("{}/call-log/{}?view={}", self.account_uri(), plan.id(), view.name()));
        record.id = Some(plan.id());
        record.session_id = Some(plan.session_id());
        record.duration_ms = Some(plan.lasting_ms);
        record.transfer_target = plan.transfer_target.map(session);
        record.transferee = plan.transferee.map(session);
        record.deleted = (version.look == Look::Deleted).then_some(true);
        record.finished = Some(true);
        if view == View::Detailed {
            record.last_modified_time = Some(stamp(version.visible_from_ms - 2000));
            let mut legs = vec![self.master(plan, version.look)];
            legs.extend(plan.legs.iter().map(|leg| self.leg(plan, leg)));
            record.legs = Some(legs);
        } else {
            record.extension = None;
            record.billing = None;
        }
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
            Look::Nameless | Look::Ringing(_) | Look::Final | Look::Deleted => {}
        }
        plan
    }

    fn base(&self, plan: &RecordPlan, look: Look) -> Call {
        let seconds = (plan.lasting_ms + 500) / 1000;
        let mut outside = self.outside_party(plan);
        if look == Look::Nameless {
            outside.name = None;
            outside.location = None;
        }
        let own = self.own_party(plan);
        // The second record of a ring-out is inbound, yet names the same parties in the same places as the first.
        let caller_first = plan.inbound && plan.session_shift == 0;
        let (from, to) = if caller_first { (outside, own) } else { (own, outside) };
        Call {
            telephony_session_id: telephony_id(plan.telephony_of),
            start_time: stamp(plan.start_ms),
            duration: Some(seconds),
            kind: if plan.fax { "Fax" } else { "Voice" },
            internal_type: (!plan.internal_type.is_empty()).then_some(plan.internal_type),
            direction: if plan.inbound { "Inbound" } else { "Outbound" },
            action: plan.action,
            result: Some(plan.result),
            to: Some(to),
            from: Some(from),
            extension: Some(self.extension_reference(plan.seat)),
            reason: (!plan.reason.is_empty()).then_some(plan.reason),
            reason_description: describe(plan.reason),
            message: plan.message.map(|(seat, id)| self.message_reference(seat, id, plan.fax)),
            recording: plan.recorded.then(|| self.recording(plan)),
            transport: Some(plan.transport),
            billing: Some(billing(plan)),
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
            start_time: stamp(plan.start_ms + leg.after_ms),
            duration: Some((leg.lasting_ms + 500) / 1000),
            duration_ms: Some(leg.lasting_ms),
            kind: "Voice",
            direction: "Outbound",
            action,
            result: Some(leg.result),
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
            start_time: stamp(plan.start_ms),
            kind: "Voice",
            direction: "Outbound",
            action: "VoIP Call",
            result: Some("In Progress"),
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
        record.uri = Some(format!("{}/call-log/{}?view={}", self.account_uri(), plan.id(), view.name()));
        record.id = Some(plan.id());
        record.session_id = Some(plan.session_id());
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

    fn extension_reference(&self, seat: Seat) -> Reference<u64> {
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

    /// One message of a mailbox. A purged one is no more than its envelope.
    pub(crate) fn message(&self, plan: &MessagePlan, version: &MessageVersion) -> Message {
        let mut message = Message {
            uri: self.message_uri(plan.mailbox, plan.id),
            id: plan.id,
            kind: plan.type_name(),
            creation_time: stamp(plan.created_ms),
            direction: if plan.inbound { "Inbound" } else { "Outbound" },
            availability: version.availability.name(),
            last_modified_time: stamp(version.visible_from_ms),
            ..Message::default()
        };
        if version.availability == Availability::Purged {
            return message;
        }
        let (from, to) = self.message_parties(plan, version);
        message.from = Some(from);
        message.to = to;
        message.read_status =
            Some(if plan.inbound && mix(plan.id).is_multiple_of(4) { "Unread" } else { "Read" });
        message.priority = Some("Normal");
        message.message_status = Some(together(&version.endings));
        message.attachments = self.attachments(plan);
        self.add_body(&mut message, plan, version);
        message
    }

    fn message_parties(
        &self,
        plan: &MessagePlan,
        version: &MessageVersion,
    ) -> (MessageParty, Vec<MessageParty>) {
        let fax = matches!(plan.body, Body::Fax { .. });
        let mailbox = self.extension(plan.mailbox);
        let own = MessageParty {
            phone_number: plan.own.map(number::e164),
            extension_number: plan.own.is_none().then(|| mailbox.number.clone()),
            name: Some(mailbox.name),
            location: plan.own.and_then(number::location).filter(|_| !fax),
            ..MessageParty::default()
        };
        let others = plan.parties.iter().enumerate().map(|(index, party)| {
            let mut other = self.message_party(*party);
            if fax && !plan.inbound {
                let ending = version.endings.get(index).copied().unwrap_or(Ending::Queued);
                let code = version.codes.get(index).copied().unwrap_or("");
                other.recipient_id = Some((mix(plan.id) % 90_000 * 10 + 10_001 + index as u64).to_string());
                other.message_status = Some(ending.status());
                other.fax_error_code = (!code.is_empty()).then_some(code);
            }
            other
        });
        let mut others: Vec<MessageParty> = others.collect();
        if !plan.inbound {
            return (own, others);
        }
        let mut to = own;
        match plan.body {
            Body::VoiceMail { .. } => {
                to = MessageParty {
                    name: to.name,
                    extension_number: Some(mailbox.number.clone()),
                    ..MessageParty::default()
                };
            }
            Body::Text { .. } => to.target = Some(true),
            Body::Pager { .. } | Body::Fax { .. } => {}
        }
        (others.pop().unwrap_or_default(), vec![to])
    }

    fn message_party(&self, party: Party) -> MessageParty {
        match party {
            Party::Inside(seat) => {
                let extension = self.extension(seat);
                MessageParty {
                    extension_number: Some(extension.number.clone()),
                    name: Some(extension.name),
                    ..MessageParty::default()
                }
            }
            Party::Outside(outside) => MessageParty {
                name: (outside.style == Style::Withheld).then_some("Anonymous"),
                location: shown(outside).and(number::location(outside.number)),
                phone_number: shown(outside),
                ..MessageParty::default()
            },
        }
    }

    fn attachments(&self, plan: &MessagePlan) -> Vec<Attachment> {
        let content = |id: u64| format!("{}/content/{id}", self.message_uri(plan.mailbox, plan.id));
        let (kind, content_type) = match plan.body {
            Body::Text { .. } | Body::Pager { .. } => ("Text", "text/plain"),
            Body::VoiceMail { .. } => ("AudioRecording", "audio/x-wav"),
            Body::Fax { .. } => ("RenderedDocument", "application/pdf"),
        };
        let vm_duration = if let Body::VoiceMail { seconds } = plan.body { Some(seconds) } else { None };
        let uri = content(plan.id);
        let mut attachments =
            vec![Attachment { id: plan.id, uri, kind, content_type, vm_duration, ..Attachment::default() }];
        if matches!(plan.body, Body::Text { picture: true, .. }) {
            let id = plan.id + 8;
            attachments.push(Attachment {
                id,
                uri: content(id),
                kind: "MmsAttachment",
                content_type: "image/jpeg",
                file_name: Some("photo.jpg"),
                size: Some(180_000 + u32::try_from(mix(plan.id) % 300_000).unwrap_or(0)),
                height: Some(800),
                width: Some(600),
                ..Attachment::default()
            });
        }
        attachments
    }

    fn add_body(&self, message: &mut Message, plan: &MessagePlan, version: &MessageVersion) {
        match &plan.body {
            Body::Text { text, segments, .. } => {
                message.subject = Some(text.clone());
                message.segment_count = *segments;
                message.sms_sending_attempts_count = (!plan.inbound).then_some(1);
                message.sms_delivery_time = version.delivered_ms.map(stamp);
                message.delivery_error_code = version.codes.first().copied().filter(|code| !code.is_empty());
                self.add_conversation(message, plan);
            }
            Body::Pager { text } => {
                message.subject = Some((*text).to_owned());
                message.pg_to_department = Some(false);
                self.add_conversation(message, plan);
            }
            Body::VoiceMail { .. } => message.vm_transcription_status = Some("NotAvailable"),
            Body::Fax { pages, cover } => {
                message.fax_resolution = Some(if mix(plan.id).is_multiple_of(5) { "Low" } else { "High" });
                let queued = version.endings.iter().all(|ending| *ending == Ending::Queued);
                message.fax_page_count = Some(if queued { 0 } else { *pages });
                message.cover_index = Some(u32::from(cover.is_some()));
                message.cover_page_text = *cover;
                if plan.inbound {
                    message.subject = message.from.as_ref().and_then(|from| from.phone_number.clone());
                }
            }
        }
    }

    /// Conversations have ids beyond 2^53, as the real ones do.
    fn add_conversation(&self, message: &mut Message, plan: &MessagePlan) {
        let with = plan.parties.iter().fold(plan.mailbox as u64, |with, party| {
            mix(with
                ^ match party {
                    Party::Outside(outside) => outside.number,
                    Party::Inside(seat) => *seat as u64,
                })
        });
        let id = (with >> 2) | 1 << 61;
        let uri = format!("{}/restapi/v1.0/conversation/{id}", self.origin);
        message.conversation_id = Some(id);
        message.conversation = Some(Reference { uri, id: id.to_string() });
    }
}

/// The whole message's status: queued while any recipient is, failed when any failed.
fn together(endings: &[Ending]) -> &'static str {
    let any = |wanted: &str| endings.iter().any(|ending| ending.status() == wanted);
    if any("Queued") {
        return "Queued";
    }
    if any("SendingFailed") {
        return "SendingFailed";
    }
    let delivered = endings.iter().all(|ending| *ending == Ending::Delivered);
    match endings.first() {
        Some(Ending::Delivered) if !delivered => "Sent",
        Some(ending) => ending.status(),
        None => "Queued",
    }
}

fn session(serial: u64) -> Session {
    Session { telephony_session_id: telephony_id(serial) }
}

/// The other side's number as it is written, unless it is withheld.
fn shown(outside: Outside) -> Option<String> {
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
