//! The service's responses as types of our own, written from its published API description.
//!
//! They are for writing only. A client must not use them: server and client cannot then share a misreading.

use serde::Serialize;
use serde_json::Number;
use std::borrow::Cow;

/// A record of the call log, or one of its legs: the two share nearly every field.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Call {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session_id: Option<String>,
    pub(crate) telephony_session_id: String,
    pub(crate) start_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration_ms: Option<i64>,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) internal_type: Option<&'static str>,
    pub(crate) direction: &'static str,
    pub(crate) action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<CallParty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<CallParty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extension: Option<Reference<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason_description: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<MessageReference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recording: Option<Recording>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transport: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_modified_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) billing: Option<Billing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) finished: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deleted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transfer_target: Option<Session>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transferee: Option<Session>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) leg_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) master: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) legs: Option<Vec<Call>>,
}

/// A record in a list of changes: a deleted one may be less than a record.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum CallEntry {
    Whole(Box<Call>),
    Stub(CallStub),
    Bare { id: String, deleted: bool },
}

/// The members that every record must have.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallStub {
    pub(crate) uri: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) start_time: String,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) direction: &'static str,
    pub(crate) action: &'static str,
    pub(crate) deleted: bool,
}

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallParty {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extension_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extension_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device: Option<Reference<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dialer_phone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dialed_phone_number: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Reference<Id> {
    pub(crate) uri: String,
    pub(crate) id: Id,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct MessageReference {
    pub(crate) uri: String,
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recording {
    pub(crate) uri: String,
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) content_uri: String,
}

/// Amounts are numbers made from their own digits; no binary fraction comes near them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Billing {
    pub(crate) cost_included: Number,
    pub(crate) cost_purchased: Number,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    pub(crate) telephony_session_id: String,
}

/// An id that is a number or the same digits as text.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum MessageId {
    Number(u64),
    Text(String),
}

impl Default for MessageId {
    fn default() -> MessageId {
        MessageId::Number(0)
    }
}

/// A message in a list of changes: one that is gone is no more than its id.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum MessageEntry {
    Whole(Box<Message>),
    Gone { id: MessageId, availability: &'static str },
}

/// Whose message it is when others see it too.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Owner {
    pub(crate) name: &'static str,
    pub(crate) extension_type: &'static str,
    pub(crate) extension_id: String,
}

/// A message of a mailbox.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    pub(crate) uri: String,
    pub(crate) id: MessageId,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) to: Vec<MessageParty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<MessageParty>,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) creation_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) read_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) priority: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) direction: &'static str,
    pub(crate) availability: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) delivery_error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sms_delivery_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sms_sending_attempts_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) segment_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversation_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversation: Option<Reference<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fax_resolution: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fax_page_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cover_index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cover_page_text: Option<&'static str>,
    pub(crate) last_modified_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vm_transcription_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pg_to_department: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<Owner>,
}

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageParty {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recipient_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extension_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fax_error_code: Option<&'static str>,
}

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attachment {
    pub(crate) id: u64,
    pub(crate) uri: String,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) content_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vm_duration: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) width: Option<u32>,
}

/// One page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T> {
    pub(crate) uri: String,
    pub(crate) records: Vec<T>,
    pub(crate) paging: Paging,
    pub(crate) navigation: Navigation,
}

/// An answer of synchronisation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Changes<T> {
    pub(crate) uri: String,
    pub(crate) records: Vec<T>,
    pub(crate) sync_info: SyncInfo,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncInfo {
    pub(crate) sync_type: &'static str,
    pub(crate) sync_token: String,
    pub(crate) sync_time: String,
    /// Of `call-log-extract-sync` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) newer_records_exist: Option<bool>,
    /// Of `message-sync` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) older_records_exist: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Paging {
    pub(crate) page: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total_pages: Option<usize>,
    pub(crate) per_page: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total_elements: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) page_start: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) page_end: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Navigation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_page: Option<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous_page: Option<Link>,
    pub(crate) first_page: Link,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_page: Option<Link>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Link {
    pub(crate) uri: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExtensionInfo {
    pub(crate) uri: String,
    pub(crate) id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extension_number: Option<String>,
    pub(crate) name: &'static str,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) status: &'static str,
    pub(crate) hidden: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact: Option<ContactInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) creation_time: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContactInfo {
    pub(crate) first_name: &'static str,
    pub(crate) last_name: &'static str,
    pub(crate) email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) business_phone: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountInfo {
    pub(crate) uri: String,
    pub(crate) id: u64,
    pub(crate) main_number: String,
    pub(crate) setup_wizard_state: &'static str,
    pub(crate) status: &'static str,
    pub(crate) federated: bool,
    pub(crate) regional_settings: RegionalSettings,
}

#[derive(Debug, Serialize)]
pub(crate) struct RegionalSettings {
    pub(crate) timezone: TimeZoneInfo,
    pub(crate) currency: CurrencyInfo,
}

#[derive(Debug, Serialize)]
pub(crate) struct TimeZoneInfo {
    pub(crate) uri: String,
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) bias: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CurrencyInfo {
    pub(crate) id: u64,
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    pub(crate) symbol: &'static str,
    pub(crate) minor_symbol: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct Token {
    pub(crate) access_token: String,
    pub(crate) token_type: &'static str,
    pub(crate) expires_in: u64,
    pub(crate) scope: &'static str,
    pub(crate) owner_id: String,
    pub(crate) endpoint_id: String,
    pub(crate) session_id: String,
}
