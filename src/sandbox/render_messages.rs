//! Messages of mailboxes into responses.
//!
//! As with calls, nothing is drawn here.

use super::render::{Renderer, shown};
use super::wire::{Attachment, Message, MessageParty, Owner, Reference};
use super::world::cast::Seat;
use super::world::number;
use super::world::plan::{Availability, Body, MessagePlan, MessageVersion, Party, Style};
use super::world::random::mix;
use super::world::truth::Ending;

impl Renderer<'_> {
    /// One message of a mailbox. A purged one is no more than its envelope.
    pub(crate) fn message(&self, plan: &MessagePlan, version: &MessageVersion) -> Message {
        let mut message = Message {
            uri: self.message_uri(plan.mailbox, plan.id),
            id: self.message_id(plan.id),
            kind: plan.type_name(),
            creation_time: self.stamp(plan.created_ms),
            direction: if plan.inbound { "Inbound" } else { "Outbound" },
            availability: version.availability.name(),
            last_modified_time: self.stamp(version.visible_from_ms),
            ..Message::default()
        };
        if version.availability == Availability::Purged {
            return message;
        }
        let (from, to) = self.message_parties(plan, version);
        message.from = Some(from);
        message.to = to;
        message.read_status = Some(read_status(plan));
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
                message.segment_count = segments.filter(|_| !self.unknowns.segments_absent);
                message.sms_sending_attempts_count = (!plan.inbound).then_some(1);
                message.sms_delivery_time = version.delivered_ms.map(|millis| self.stamp(millis));
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
                let pages = pages + u32::from(self.unknowns.cover_is_a_page && cover.is_some());
                message.fax_page_count = match (queued, self.unknowns.queued_pages_absent) {
                    (true, true) => None,
                    (true, false) => Some(0),
                    (false, _) => Some(pages),
                };
                message.cover_index = Some(u32::from(cover.is_some()));
                message.cover_page_text = *cover;
                if plan.inbound {
                    message.subject = message.from.as_ref().and_then(|from| from.phone_number.clone());
                }
            }
        }
    }

    fn add_conversation(&self, message: &mut Message, plan: &MessagePlan) {
        let id = conversation_id(plan);
        let uri = format!("{}/restapi/v1.0/conversation/{id}", self.origin);
        message.conversation_id = Some(id);
        message.conversation = Some(Reference { uri, id: id.to_string() });
    }

    /// Whose message it is, for others who see it.
    pub(crate) fn owner(&self, seat: Seat) -> Owner {
        let extension = self.extension(seat);
        Owner { name: extension.name, extension_type: extension.kind, extension_id: extension.id.to_string() }
    }
}

/// Texts and pager messages between the same parties share a conversation. Its id lies beyond 2^53, as real ones do.
pub(crate) fn conversation_id(plan: &MessagePlan) -> u64 {
    let with = plan.parties.iter().fold(plan.mailbox as u64, |with, party| {
        mix(with
            ^ match party {
                Party::Outside(outside) => outside.number,
                Party::Inside(seat) => *seat as u64,
            })
    });
    (with >> 2) | 1 << 61
}

pub(crate) fn read_status(plan: &MessagePlan) -> &'static str {
    if plan.inbound && mix(plan.id).is_multiple_of(4) { "Unread" } else { "Read" }
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
