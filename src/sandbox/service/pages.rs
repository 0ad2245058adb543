//! What each address answers: lists are cut into pages as of the virtual now, single resources are found or not.

use super::ask::Ask;
use super::error::ApiError;
use super::query::{PageOrder, Parameters};
use super::{Answer, Answered, Service};
use crate::sandbox::render::{Renderer, View};
use crate::sandbox::wire::{
    AccountInfo, ContactInfo, CurrencyInfo, ExtensionInfo, Page, RegionalSettings, TimeZoneInfo,
};
use crate::sandbox::world::cast::{ACCOUNT_ID, Extension, Seat};
use crate::sandbox::world::number;
use crate::sandbox::world::plan::{Availability, Look, MessagePlan, MessageVersion, RecordPlan, Version};

/// The user whom the credentials stand for: `~` in an address.
const OWNER: Seat = 0;

impl Service {
    fn renderer(&self) -> Renderer<'_> {
        Renderer { cast: &self.world.cast, origin: &self.origin }
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }

    pub(crate) fn check_account(&self, account: &str) -> Result<(), ApiError> {
        if account == "~" || account == ACCOUNT_ID.to_string() {
            return Ok(());
        }
        Err(ApiError::not_found("accountId"))
    }

    fn seat(&self, extension: &str) -> Result<Seat, ApiError> {
        if extension == "~" {
            return Ok(OWNER);
        }
        let id = extension.parse().ok().and_then(|id| self.world.cast.by_id(id));
        id.ok_or_else(|| ApiError::not_found("extensionId"))
    }

    pub(crate) fn account(&self) -> Answered {
        let origin = &self.origin;
        Answer::json(&AccountInfo {
            uri: self.renderer().account_uri(),
            id: ACCOUNT_ID,
            main_number: number::e164(self.world.cast.main_number),
            setup_wizard_state: "Completed",
            status: "Confirmed",
            federated: false,
            regional_settings: RegionalSettings {
                timezone: TimeZoneInfo {
                    uri: format!("{origin}/restapi/v1.0/dictionary/timezone/61"),
                    id: "61",
                    name: "America/New_York",
                    description: "Eastern Time (US & Canada)",
                    bias: "-300",
                },
                currency: CurrencyInfo {
                    id: 1,
                    code: "USD",
                    name: "US Dollar",
                    symbol: "$",
                    minor_symbol: "¢",
                },
            },
        })
    }

    pub(crate) fn extensions(&self, ask: &Ask) -> Answered {
        let parameters = Parameters::of(ask);
        let order = parameters.page_order(self.options.per_page_at_most)?;
        let renderer = self.renderer();
        let listed: Vec<Seat> = (0..self.world.cast.extensions.len())
            .filter(|seat| self.world.cast.extension(*seat).listed)
            .collect();
        let path = format!("{}/extension", renderer.account_uri());
        let records = cut(&listed, order).iter();
        let records = records
            .map(|seat| extension_info(renderer.extension_uri(*seat), self.world.cast.extension(*seat)));
        let (paging, navigation) = parameters.envelope(&path, None, order, listed.len(), true);
        Answer::json(&Page {
            uri: parameters.page_uri(&path, None, order),
            records: records.collect(),
            paging,
            navigation,
        })
    }

    pub(crate) fn call_log(&self, ask: &Ask) -> Answered {
        let parameters = Parameters::of(ask);
        let order = parameters.page_order(self.options.per_page_at_most)?;
        let view = view(&parameters)?;
        let kinds = parameters.many("type", &["Voice", "Fax"])?;
        let directions = parameters.many("direction", &["Inbound", "Outbound"])?;
        let show_deleted = parameters.flag("showDeleted")?;
        let now_ms = self.now_ms();
        let (from_ms, to_ms) = parameters.window_ms(now_ms, self.options.cut_request_times)?;
        let end_ms = to_ms + i64::from(self.options.date_to_inclusive);
        let shown = |record: &&RecordPlan, version: &Version| {
            let (kind, direction) = filter_values(record, version);
            (show_deleted || version.look != Look::Deleted)
                && (kinds.is_empty() || kinds.contains(&kind))
                && (directions.is_empty() || directions.contains(&direction))
        };
        let found: Vec<(&RecordPlan, &Version)> = (self.world.records_between(from_ms, end_ms).iter().rev())
            .filter_map(|record| record.version_at(now_ms).map(|version| (record, version)))
            .filter(|(record, version)| shown(record, version))
            .collect();
        let renderer = self.renderer();
        let path = format!("{}/call-log", renderer.account_uri());
        let window_ms = Some((from_ms, to_ms));
        let (paging, navigation) = parameters.envelope(&path, window_ms, order, found.len(), false);
        let records = cut(&found, order).iter().map(|(record, version)| renderer.call(record, version, view));
        let uri = parameters.page_uri(&path, window_ms, order);
        Answer::json(&Page { uri, records: records.collect(), paging, navigation })
    }

    pub(crate) fn call_record(&self, id: &str, ask: &Ask) -> Answered {
        let view = view(&Parameters::of(ask))?;
        let record = self.world.record(id).ok_or_else(|| ApiError::not_found("callRecordId"))?;
        let version = record.version_at(self.now_ms()).filter(|version| version.look != Look::Deleted);
        let version = version.ok_or_else(|| ApiError::not_found("callRecordId"))?;
        Answer::json(&self.renderer().call(record, version, view))
    }

    /// Whether a message is still kept: the service drops sent faxes after some time.
    fn is_kept(&self, message: &MessagePlan, now_ms: i64) -> bool {
        let Some(retention) = self.options.sent_fax_retention else { return true };
        let age_ms = now_ms - message.created_ms;
        message.inbound || message.type_name() != "Fax" || age_ms <= retention.num_milliseconds()
    }

    fn check_mailbox(&self, seat: Seat) -> Result<(), ApiError> {
        let number = &self.world.cast.extension(seat).number;
        if self.options.refused_mailboxes.contains(number) {
            return Err(ApiError::forbidden("ReadMessages"));
        }
        Ok(())
    }

    pub(crate) fn messages(&self, extension: &str, ask: &Ask) -> Answered {
        let seat = self.seat(extension)?;
        self.check_mailbox(seat)?;
        let parameters = Parameters::of(ask);
        let order = parameters.page_order(self.options.per_page_at_most)?;
        let kinds = parameters.many("messageType", &["Fax", "SMS", "VoiceMail", "Pager"])?;
        let directions = parameters.many("direction", &["Inbound", "Outbound"])?;
        parameters.choice("owner", &["Any", "Personal", "Shared"])?;
        let mut availability = parameters.many("availability", &["Alive", "Deleted", "Purged"])?;
        if availability.is_empty() {
            availability.push(Availability::Alive.name());
        }
        let now_ms = self.now_ms();
        let (from_ms, to_ms) = parameters.window_ms(now_ms, self.options.cut_request_times)?;
        let end_ms = to_ms + i64::from(self.options.date_to_inclusive);
        let found: Vec<(&MessagePlan, &MessageVersion)> = (self.world.mailbox(seat).rev())
            .filter(|message| from_ms <= message.created_ms && message.created_ms < end_ms)
            .filter(|message| self.is_kept(message, now_ms))
            .filter(|message| kinds.is_empty() || kinds.contains(&message.type_name()))
            .filter(|message| {
                let direction = if message.inbound { "Inbound" } else { "Outbound" };
                directions.is_empty() || directions.contains(&direction)
            })
            .filter_map(|message| message.version_at(now_ms).map(|version| (message, version)))
            .filter(|(_, version)| availability.contains(&version.availability.name()))
            .collect();
        let renderer = self.renderer();
        let path = format!("{}/message-store", renderer.extension_uri(seat));
        let window_ms = Some((from_ms, to_ms));
        let (paging, navigation) = parameters.envelope(&path, window_ms, order, found.len(), true);
        let records = cut(&found, order).iter().map(|(message, version)| renderer.message(message, version));
        let uri = parameters.page_uri(&path, window_ms, order);
        Answer::json(&Page { uri, records: records.collect(), paging, navigation })
    }

    pub(crate) fn message(&self, extension: &str, id: &str) -> Answered {
        let seat = self.seat(extension)?;
        self.check_mailbox(seat)?;
        let now_ms = self.now_ms();
        let id: Option<u64> = id.parse().ok();
        let found = self.world.mailbox(seat).find(|message| Some(message.id) == id);
        let found = found.filter(|message| self.is_kept(message, now_ms));
        let version = found.and_then(|message| message.version_at(now_ms).map(|version| (message, version)));
        let (message, version) = version.ok_or_else(|| ApiError::not_found("messageId"))?;
        Answer::json(&self.renderer().message(message, version))
    }
}

/// Type and direction by which a record is filtered: those that it shows.
fn filter_values(record: &RecordPlan, version: &Version) -> (&'static str, &'static str) {
    let inbound = record.inbound && !matches!(version.look, Look::Ringing(_));
    (if record.fax { "Fax" } else { "Voice" }, if inbound { "Inbound" } else { "Outbound" })
}

fn view(parameters: &Parameters) -> Result<View, ApiError> {
    let name = parameters.choice("view", &["Simple", "Detailed"])?;
    Ok(if name == Some("Detailed") { View::Detailed } else { View::Simple })
}

/// One page of a list.
fn cut<T>(found: &[T], order: PageOrder) -> &[T] {
    let first = (order.page - 1).saturating_mul(order.per_page).min(found.len());
    let last = first.saturating_add(order.per_page).min(found.len());
    &found[first..last]
}

fn extension_info(uri: String, extension: &Extension) -> ExtensionInfo {
    let person =
        extension.name.split_once(' ').filter(|_| extension.kind == "User" && !extension.number.is_empty());
    ExtensionInfo {
        uri,
        id: extension.id,
        extension_number: (!extension.number.is_empty()).then(|| extension.number.clone()),
        name: extension.name,
        kind: extension.kind,
        status: extension.status,
        hidden: false,
        contact: person.map(|(first_name, last_name)| ContactInfo {
            first_name,
            last_name,
            email: format!("{}@example.com", first_name.to_lowercase()),
            business_phone: extension.direct.map(number::e164),
        }),
        creation_time: (!extension.number.is_empty()).then_some("2024-06-06T07:01:14.123Z"),
    }
}
