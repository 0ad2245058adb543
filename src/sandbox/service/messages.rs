//! Mailboxes: lists and single messages.

use super::call_filter::digits;
use super::error::ApiError;
use super::query::{Parameters, cut};
use super::{Answer, Answered, Ask, Service};
use crate::sandbox::render_messages::{conversation_id, read_status};
use crate::sandbox::wire::{Message, Page};
use crate::sandbox::world::calendar::DAY;
use crate::sandbox::world::cast::{AGENTS, DAY_QUEUE, NIGHT_AGENTS, NIGHT_QUEUE, Seat};
use crate::sandbox::world::plan::{Availability, Body, MessagePlan, MessageVersion, Party, Style};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const MESSAGE_TYPES: [&str; 4] = ["Fax", "SMS", "VoiceMail", "Pager"];
pub(crate) const DIRECTIONS: [&str; 2] = ["Inbound", "Outbound"];

/// Whose messages of a mailbox are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owners {
    pub(crate) personal: bool,
    pub(crate) shared: bool,
}

/// The queue of which an extension is a member.
fn queue_of(seat: Seat) -> Option<Seat> {
    if AGENTS.contains(&seat) { Some(DAY_QUEUE) } else { NIGHT_AGENTS.contains(&seat).then_some(NIGHT_QUEUE) }
}

pub(crate) type Letter<'a> = (&'a MessagePlan, &'a MessageVersion);

/// Which messages a request wants, beside its window.
#[derive(Clone, Debug, Default)]
pub(crate) struct MessageFilter {
    pub(crate) kinds: Vec<&'static str>,
    pub(crate) directions: Vec<&'static str>,
    pub(crate) conversation: Option<u64>,
    pub(crate) distinct: bool,
    statuses: Vec<&'static str>,
    phone_number: Option<String>,
}

impl MessageFilter {
    /// The filters that list and synchronisation share.
    pub(crate) fn of_sync(parameters: &Parameters) -> Result<MessageFilter, ApiError> {
        let conversation = parameters.one("conversationId").map(str::parse);
        Ok(MessageFilter {
            kinds: parameters.many("messageType", &MESSAGE_TYPES)?,
            directions: parameters.many("direction", &DIRECTIONS)?,
            conversation: conversation
                .transpose()
                .map_err(|_| ApiError::invalid_parameter("conversationId"))?,
            distinct: parameters.flag("distinctConversations")?,
            ..MessageFilter::default()
        })
    }

    fn of_list(parameters: &Parameters) -> Result<MessageFilter, ApiError> {
        let phone_number = parameters.one("phoneNumber").map(digits).transpose();
        Ok(MessageFilter {
            statuses: parameters.many("readStatus", &["Read", "Unread"])?,
            phone_number: phone_number.map_err(|()| ApiError::invalid_parameter("phoneNumber"))?,
            ..MessageFilter::of_sync(parameters)?
        })
    }

    pub(crate) fn wants(&self, message: &MessagePlan) -> bool {
        let holds = |wanted: &[&str], value: &str| wanted.is_empty() || wanted.contains(&value);
        holds(&self.kinds, message.type_name())
            && holds(&self.directions, DIRECTIONS[usize::from(!message.inbound)])
            && holds(&self.statuses, read_status(message))
            && self.conversation.is_none_or(|wanted| converses(message) && conversation_id(message) == wanted)
            && self.phone_number.as_ref().is_none_or(|wanted| {
                let others = message.parties.iter().filter_map(|party| match party {
                    Party::Outside(outside) if outside.style != Style::Withheld => Some(outside.number),
                    Party::Outside(_) | Party::Inside(_) => None,
                });
                others.chain(message.own).any(|number| number.to_string() == *wanted)
            })
    }

    /// Leaves the newest message of each conversation, if that is what is wanted. The list must be newest first.
    pub(crate) fn thin(&self, found: &mut Vec<Letter<'_>>) {
        if self.distinct {
            let mut seen = BTreeSet::new();
            found.retain(|(message, _)| converses(message) && seen.insert(conversation_id(message)));
        }
    }
}

fn converses(message: &MessagePlan) -> bool {
    matches!(message.body, Body::Text { .. } | Body::Pager { .. })
}

impl Service {
    /// Whether a message is still kept: the service drops sent faxes after some time.
    fn is_kept(&self, message: &MessagePlan, now_ms: i64) -> bool {
        let Some(retention) = self.options.sent_fax_retention else { return true };
        let age_ms = now_ms - message.created_ms;
        message.inbound || message.type_name() != "Fax" || age_ms <= retention.num_milliseconds()
    }

    /// The extension of an address, if its mailbox may be read.
    pub(crate) fn mailbox(&self, extension: &str) -> Result<Seat, ApiError> {
        let seat = self.seat(extension)?;
        if self.options.refused_mailboxes.contains(&self.world.cast.extension(seat).number) {
            return Err(ApiError::forbidden("ReadMessages"));
        }
        Ok(seat)
    }

    pub(crate) fn owners(&self, parameters: &Parameters, seat: Seat) -> Result<Owners, ApiError> {
        let mut owners = Owners::default();
        for name in ["owner", "voicemailOwner"] {
            for value in parameters.all(name) {
                match value {
                    "Personal" => owners.personal = true,
                    "Shared" => owners.shared = true,
                    "Any" => owners = Owners { personal: true, shared: true },
                    _ => {
                        let owner = value.parse().ok().and_then(|id| self.world.cast.by_id(id));
                        let owner = owner.ok_or_else(|| ApiError::invalid_parameter(name))?;
                        owners.personal |= owner == seat;
                        owners.shared |= queue_of(seat) == Some(owner) || owner == seat;
                    }
                }
            }
        }
        let given = parameters.has("owner") || parameters.has("voicemailOwner");
        Ok(if given { owners } else { Owners { personal: true, shared: false } })
    }

    /// What a mailbox holds at an instant, newest first: the current version of every message that is kept.
    pub(crate) fn letters(&self, seat: Seat, owners: Owners, now_ms: i64) -> Vec<Letter<'_>> {
        let unknowns = &self.options.unknowns;
        let queue = self.world.cast.extension(seat).kind == "Department";
        let own = match (queue, unknowns.queues_need_owner) {
            (true, true) => owners.shared,
            (true, false) => true,
            (false, _) => owners.personal,
        };
        let shared = queue_of(seat).filter(|_| owners.shared && unknowns.members_see_shared);
        let boxes = own.then_some(seat).into_iter().chain(shared);
        let mut found: Vec<Letter<'_>> = boxes.flat_map(|seat| self.letters_of(seat, now_ms)).collect();
        found.sort_by_key(|(message, _)| std::cmp::Reverse((message.created_ms, message.id)));
        found
    }

    fn letters_of(&self, seat: Seat, now_ms: i64) -> Vec<Letter<'_>> {
        let mut in_folder: BTreeMap<(bool, Availability), usize> = BTreeMap::new();
        let newest_first = self.world.mailbox(seat).rev().filter(|message| self.is_kept(message, now_ms));
        let seen =
            newest_first.filter_map(|message| message.version_at(now_ms).map(|version| (message, version)));
        seen.filter(|(message, version)| {
            let folder = in_folder.entry((message.inbound, version.availability)).or_default();
            *folder += usize::from(matches!(message.body, Body::Text { .. }));
            let full = self.options.texts_per_folder.is_some_and(|most| *folder > most);
            !(full && matches!(message.body, Body::Text { .. }))
        })
        .collect()
    }

    /// Whether a message that a user has deleted still shows as such.
    fn shows(&self, version: &MessageVersion) -> bool {
        version.availability == Availability::Alive || !self.options.unknowns.deleted_messages_gone
    }

    /// A message as a mailbox shows it: one of a queue names its owner to the members.
    pub(crate) fn letter(&self, seat: Seat, (message, version): Letter<'_>) -> Message {
        let renderer = self.renderer();
        let mut shown = renderer.message(message, version);
        shown.owner = (message.mailbox != seat).then(|| renderer.owner(message.mailbox));
        shown
    }

    pub(crate) fn messages(&self, extension: &str, ask: &Ask) -> Answered {
        let seat = self.mailbox(extension)?;
        let parameters = Parameters::of(ask);
        let order = parameters.page_order(self.options.per_page_at_most)?;
        let filter = MessageFilter::of_list(&parameters)?;
        let owners = self.owners(&parameters, seat)?;
        let mut availability = parameters.many("availability", &["Alive", "Deleted", "Purged"])?;
        if availability.is_empty() {
            availability.push(Availability::Alive.name());
        }
        let now_ms = self.now_ms();
        let unknowns = &self.options.unknowns;
        let (from_ms, to_ms) = parameters.window_ms(now_ms, DAY, unknowns)?;
        let end_ms = to_ms + i64::from(unknowns.date_to_inclusive);
        let mut found = self.letters(seat, owners, now_ms);
        found.retain(|(message, version)| {
            from_ms <= message.created_ms
                && message.created_ms < end_ms
                && self.shows(version)
                && availability.contains(&version.availability.name())
                && filter.wants(message)
        });
        filter.thin(&mut found);
        let path = format!("{}/message-store", self.renderer().extension_uri(seat));
        let window_ms = Some((from_ms, to_ms));
        let (paging, navigation) = parameters.envelope(&path, window_ms, order, found.len(), true);
        let records = cut(&found, order).iter().map(|letter| self.letter(seat, *letter));
        let uri = parameters.page_uri(&path, window_ms, order);
        Answer::json(&Page { uri, records: records.collect(), paging, navigation })
    }

    /// Messages by their ids: one as it is, several in parts.
    pub(crate) fn message(&self, extension: &str, ids: &str, ask: &Ask) -> Answered {
        let seat = self.mailbox(extension)?;
        let uri = format!("{}/message-store", self.renderer().extension_uri(seat));
        let found = self.letters(seat, Owners { personal: true, shared: true }, self.now_ms());
        self.batch(ids, "messageId", &uri, ask.header("accept"), |id| {
            let id: Option<u64> = id.parse().ok();
            let letter = found.iter().find(|(message, _)| Some(message.id) == id);
            let letter = letter.filter(|(_, version)| self.shows(version));
            let letter = letter.ok_or_else(|| ApiError::not_found("messageId"))?;
            Answer::json(&self.letter(seat, *letter))
        })
    }
}
