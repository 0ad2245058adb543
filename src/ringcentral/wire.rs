//! The parts of the service's records that are read, and nothing else.
//!
//! Real records leave out what the description calls required, serve ids as text or as integers, and use values
//! beyond the documented enumerations. So every member is optional, ids become text, and enumerated values stay
//! open text in the spelling served. Numbers that stand for money keep their characters.

use serde::Deserialize;
use serde::de::{
    Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer,
};
use serde_json::{Number, Value};

use super::json;
use crate::domain::Instant;
use crate::domain::event::SegmentWays;

/// A call log record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Call {
    #[serde(deserialize_with = "id_text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "id_text")]
    pub session_id: Option<String>,
    #[serde(deserialize_with = "id_text")]
    pub telephony_session_id: Option<String>,
    #[serde(deserialize_with = "id_text")]
    pub party_id: Option<String>,
    /// As served; [`Call::start`] reads it.
    pub start_time: Option<String>,
    /// Seconds, ringing and menus included; absent while the call is in progress.
    pub duration: Option<i64>,
    /// Milliseconds, of the same stretch as `duration`.
    pub duration_ms: Option<i64>,
    /// `Voice` or `Fax`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// `Inbound` or `Outbound`, seen from the extension.
    pub direction: Option<String>,
    pub action: Option<String>,
    /// Open text, of varying case: `Accepted`, `Call connected`, `Hang Up`, `Hang up`, ...
    pub result: Option<String>,
    pub reason: Option<String>,
    pub reason_description: Option<String>,
    pub internal_type: Option<String>,
    pub transport: Option<String>,
    pub from: Option<Party>,
    pub to: Option<Party>,
    pub extension: Option<ExtensionReference>,
    pub delegate: Option<ExtensionReference>,
    pub delegation_type: Option<String>,
    /// The fax or voicemail in the message store that this call carried.
    pub message: Option<MessageLink>,
    /// What the service charged: evidence, never a price of ours.
    pub billing: Option<Billing>,
    pub last_modified_time: Option<String>,
    pub deleted: Option<bool>,
    /// Absent on older back ends.
    pub finished: Option<bool>,
    pub transfer_target: Option<SessionLink>,
    pub transferee: Option<SessionLink>,
    #[serde(deserialize_with = "list")]
    pub legs: Vec<Leg>,
    /// Only on calls read from a portal's file.
    pub portal: Option<PortalRow>,
}

impl Call {
    /// The start, when it can be read.
    pub fn start(&self) -> Option<Instant> {
        self.start_time.as_deref().and_then(Instant::parse)
    }

    /// Whether neither result, duration nor legs were served: of a deleted call the envelope may be left, or the id alone.
    pub fn says_nothing(&self) -> bool {
        self.result.is_none() && self.duration.is_none() && self.duration_ms.is_none() && self.legs.is_empty()
    }

    /// Whether the record is final: not said to be unfinished, and not in progress.
    pub fn is_finished(&self) -> bool {
        let in_progress = |result: &str| {
            result
                .bytes()
                .filter(u8::is_ascii_alphanumeric)
                .map(|byte| byte.to_ascii_lowercase())
                .eq(*b"inprogress")
        };
        self.finished != Some(false) && !self.result.as_deref().is_some_and(in_progress)
    }
}

/// One leg of a call; the master leg repeats the record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Leg {
    pub start_time: Option<String>,
    pub duration: Option<i64>,
    pub duration_ms: Option<i64>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub direction: Option<String>,
    pub action: Option<String>,
    pub result: Option<String>,
    pub reason: Option<String>,
    pub internal_type: Option<String>,
    pub transport: Option<String>,
    pub leg_type: Option<String>,
    pub master: Option<bool>,
    pub from: Option<Party>,
    pub to: Option<Party>,
    pub extension: Option<ExtensionReference>,
    pub delegate: Option<ExtensionReference>,
    pub message: Option<MessageLink>,
    pub billing: Option<Billing>,
    #[serde(deserialize_with = "id_text")]
    pub telephony_session_id: Option<String>,
    pub transfer_target: Option<SessionLink>,
    pub transferee: Option<SessionLink>,
}

impl Leg {
    /// The start, when it can be read.
    pub fn start(&self) -> Option<Instant> {
        self.start_time.as_deref().and_then(Instant::parse)
    }
}

/// One side of a call or message. Any member may be missing: an anonymous caller has no number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Party {
    /// Usually E.164, but unformatted and masked (`+1855201XXXX`) numbers occur.
    #[serde(deserialize_with = "id_text")]
    pub phone_number: Option<String>,
    #[serde(deserialize_with = "id_text")]
    pub extension_number: Option<String>,
    #[serde(deserialize_with = "id_text")]
    pub extension_id: Option<String>,
    pub name: Option<String>,
    pub location: Option<String>,
    #[serde(deserialize_with = "id_text")]
    pub dialer_phone_number: Option<String>,
    #[serde(deserialize_with = "id_text")]
    pub dialed_phone_number: Option<String>,
}

/// A reference to an extension, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExtensionReference {
    #[serde(deserialize_with = "id_text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "id_text")]
    pub extension_number: Option<String>,
    pub name: Option<String>,
}

/// The message that a call record carried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct MessageLink {
    #[serde(deserialize_with = "id_text")]
    pub id: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// The other telephony session of a transferred call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionLink {
    #[serde(deserialize_with = "id_text")]
    pub telephony_session_id: Option<String>,
}

/// What the service charged, in characters as served; its currency and unit are not documented.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Billing {
    pub cost_included: Option<Number>,
    pub cost_purchased: Option<Number>,
}

/// What a portal's file says beyond the API's members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PortalRow {
    /// As written in the file.
    pub date: Option<String>,
    pub time: Option<String>,
    /// The zone the local time was read in.
    pub zone: Option<String>,
    /// The local time lies in the hour that autumn repeats; the first pass was taken.
    pub ambiguous_hour: bool,
    /// The caller-ID name.
    pub name: Option<String>,
    pub forwarded_to: Option<String>,
}

/// A message of the store: SMS or MMS, fax, voicemail, pager.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Message {
    #[serde(deserialize_with = "id_text")]
    pub id: Option<String>,
    /// The mailbox's extension.
    #[serde(deserialize_with = "id_text")]
    pub extension_id: Option<String>,
    /// `SMS`, `Fax`, `VoiceMail`, `Pager`, `Text`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub direction: Option<String>,
    /// `Alive`, `Deleted`, `Purged`.
    pub availability: Option<String>,
    pub creation_time: Option<String>,
    pub last_modified_time: Option<String>,
    /// Of a fax, an aggregate over the recipients: theirs decide.
    pub message_status: Option<String>,
    pub from: Option<Party>,
    #[serde(deserialize_with = "one_or_many")]
    pub to: Vec<Recipient>,
    #[serde(deserialize_with = "list")]
    pub attachments: Vec<Attachment>,
    #[serde(deserialize_with = "message_text")]
    pub subject: Option<MessageText>,
    pub conversation: Option<Conversation>,
    #[serde(deserialize_with = "id_text")]
    pub conversation_id: Option<String>,
    pub delivery_error_code: Option<String>,
    pub sms_delivery_time: Option<String>,
    pub sms_sending_attempts_count: Option<i64>,
    /// The service's own count of segments, since 2025.
    pub segment_count: Option<i64>,
    pub fax_page_count: Option<i64>,
    pub fax_resolution: Option<String>,
    pub cover_index: Option<i64>,
    pub pg_to_department: Option<bool>,
    /// A member of our own: the account's uri of the record names the mailbox when `extensionId` is absent.
    pub uri: Option<String>,
}

impl Message {
    /// The creation, when it can be read.
    pub fn created(&self) -> Option<Instant> {
        self.creation_time.as_deref().and_then(Instant::parse)
    }

    /// Whether the message was deleted or purged upstream.
    pub fn is_deleted(&self) -> bool {
        self.availability.as_deref().is_some_and(|value| !value.eq_ignore_ascii_case("Alive"))
    }

    /// Whether only id and availability were served, as for messages that are gone: such a version says that the
    /// message was deleted and nothing else.
    pub fn is_stub(&self) -> bool {
        self.kind.is_none()
            && self.creation_time.is_none()
            && self.message_status.is_none()
            && self.to.is_empty()
    }

    /// Whether neither status nor parties were served: of a purged message the envelope may be left.
    pub fn says_nothing(&self) -> bool {
        self.message_status.is_none() && self.from.is_none() && self.to.is_empty()
    }

    /// The mailbox: `extensionId`, else the extension in the record's address.
    pub fn mailbox(&self) -> Option<&str> {
        self.extension_id.as_deref().or_else(|| path_member(self.uri.as_deref()?, "/extension/"))
    }
}

/// One recipient of a message, with what became of the message there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Recipient {
    #[serde(deserialize_with = "id_text")]
    pub phone_number: Option<String>,
    #[serde(deserialize_with = "id_text")]
    pub extension_number: Option<String>,
    #[serde(deserialize_with = "id_text")]
    pub extension_id: Option<String>,
    pub name: Option<String>,
    pub location: Option<String>,
    /// On an inbound group message: this recipient is the mailbox's own.
    pub target: Option<bool>,
    pub message_status: Option<String>,
    pub fax_error_code: Option<String>,
    #[serde(deserialize_with = "id_text")]
    pub recipient_id: Option<String>,
}

/// An attachment, without its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Attachment {
    #[serde(deserialize_with = "id_text")]
    pub id: Option<String>,
    /// `MmsAttachment` makes an SMS an MMS.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub content_type: Option<String>,
    /// Seconds of a voicemail.
    pub vm_duration: Option<i64>,
}

/// The conversation of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Conversation {
    #[serde(deserialize_with = "id_text")]
    pub id: Option<String>,
}

/// The text of a message: what replaced it, or the text where the user chose to keep it (and the number that is the
/// subject of an inbound fax).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageText {
    Kept(String),
    Replaced {
        /// Hexadecimal, keyed by the book.
        hash: String,
        characters: u64,
        /// `None` when the text does not fit the GSM alphabet.
        segments_gsm7: Option<u64>,
        segments_ucs2: u64,
        /// Counts by other ways that differ from the smaller of these.
        others: SegmentWays,
    },
}

/// An extension.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Extension {
    #[serde(deserialize_with = "id_text")]
    pub id: Option<String>,
    /// Unassigned extensions have none.
    #[serde(deserialize_with = "id_text")]
    pub extension_number: Option<String>,
    pub name: Option<String>,
    /// `User`, `Department` (a call queue), `IvrMenu`, ...
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// `Enabled`, `Disabled`, `Frozen`, `NotActivated`, `Unassigned`.
    pub status: Option<String>,
    pub cost_center: Option<CostCenter>,
}

/// The cost centre of an extension.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CostCenter {
    #[serde(deserialize_with = "id_text")]
    pub id: Option<String>,
    pub name: Option<String>,
}

/// The account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Account {
    #[serde(deserialize_with = "id_text")]
    pub id: Option<String>,
    pub main_number: Option<String>,
    pub status: Option<String>,
    pub regional_settings: Option<RegionalSettings>,
}

/// Where the account is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RegionalSettings {
    pub timezone: Option<Timezone>,
    pub currency: Option<CurrencyInfo>,
}

/// The account's time zone; its name is an IANA one in all samples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Timezone {
    pub name: Option<String>,
}

/// The account's currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CurrencyInfo {
    pub code: Option<String>,
}

/// Reads a stored call (kinds `call` and `portal-call`). The error names the place, never a value.
pub fn read_call(json: &str) -> Result<Call, String> {
    read(json)
}

/// Reads a stored message.
pub fn read_message(json: &str) -> Result<Message, String> {
    read(json)
}

/// Reads a stored extension.
pub fn read_extension(json: &str) -> Result<Extension, String> {
    read(json)
}

/// Reads a stored account.
pub fn read_account(json: &str) -> Result<Account, String> {
    read(json)
}

fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|error| {
        // The parser's own text may quote the value that did not fit, which may be personal.
        let what = if error.is_data() { "a member has a form that cannot be read" } else { "not valid JSON" };
        format!("{what} at character {}", error.column())
    })
}

/// The id that follows a marker in an address: `/account/400131426008/...`. `~` is no id.
pub(crate) fn path_member<'a>(uri: &'a str, marker: &str) -> Option<&'a str> {
    let rest = &uri[uri.find(marker)? + marker.len()..];
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

/// An id as text, whether served as text or as an integer; the empty text is none.
pub(crate) fn id_of(value: &json::Value<'_>) -> Option<String> {
    match value {
        json::Value::String(text) if !text.is_empty() => Some((**text).to_owned()),
        json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn id_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        Value::Number(number) => Ok(Some(number.to_string())),
        _ => Err(D::Error::custom("an id is neither text nor a number")),
    }
}

fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Recipient>, D::Error> {
    struct Recipients;
    impl<'de> Visitor<'de> for Recipients {
        type Value = Vec<Recipient>;
        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("recipients")
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut recipients = Vec::new();
            while let Some(recipient) = items.next_element()? {
                recipients.push(recipient);
            }
            Ok(recipients)
        }
        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
            Ok(vec![Recipient::deserialize(MapAccessDeserializer::new(members))?])
        }
    }
    deserializer.deserialize_any(Recipients)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Replacement {
    hash: String,
    characters: u64,
    segments_gsm7: Option<u64>,
    segments_ucs2: u64,
    segments_gsm7_graphemes: Option<u32>,
    segments_national: Option<u32>,
    segments_national_graphemes: Option<u32>,
}

fn message_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<MessageText>, D::Error> {
    struct Text;
    impl<'de> Visitor<'de> for Text {
        type Value = Option<MessageText>;
        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("a text or what replaced it")
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Some(MessageText::Kept(text.to_owned())))
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            Ok(None)
        }
        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
            let replacement = Replacement::deserialize(MapAccessDeserializer::new(members))?;
            Ok(Some(MessageText::Replaced {
                hash: replacement.hash,
                characters: replacement.characters,
                segments_gsm7: replacement.segments_gsm7,
                segments_ucs2: replacement.segments_ucs2,
                others: SegmentWays {
                    gsm7_pairs: None,
                    gsm7_graphemes: replacement.segments_gsm7_graphemes,
                    national_pairs: replacement.segments_national,
                    national_graphemes: replacement.segments_national_graphemes,
                },
            }))
        }
    }
    deserializer.deserialize_any(Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_text_and_money_keeps_its_characters() {
        let call = read_call(
            r#"{"id":"A","sessionId":1039811321016,"extension":{"id":400131430008},"result":"IN PROGRESS",
                "billing":{"costIncluded":0.1370,"costPurchased":0},"legs":null,"type":"Voice","new":{"x":[1]}}"#,
        )
        .unwrap();
        assert_eq!(call.session_id.as_deref(), Some("1039811321016"));
        assert_eq!(
            call.extension.as_ref().and_then(|extension| extension.id.as_deref()),
            Some("400131430008")
        );
        assert_eq!(call.billing.as_ref().unwrap().cost_included.as_ref().unwrap().to_string(), "0.1370");
        assert!(!call.is_finished());
        assert!(call.legs.is_empty());
    }

    #[test]
    fn a_stub_says_only_that_the_message_is_gone() {
        let message = read_message(r#"{"id":9733435001016,"availability":"Purged"}"#).unwrap();
        assert!(message.is_stub() && message.is_deleted());
    }

    #[test]
    fn recipients_and_replaced_texts_are_read() {
        let message = read_message(
            r#"{"id":"5","to":{"phoneNumber":"+1","recipientId":12},"uri":"https://x/account/1/extension/77/message-store/5",
                "conversationId":8031152018338945839,
                "subject":{"characters":3,"hash":"ab","segmentsGsm7":null,"segmentsUcs2":1}}"#,
        )
        .unwrap();
        assert_eq!(message.to[0].recipient_id.as_deref(), Some("12"));
        assert_eq!(message.mailbox(), Some("77"));
        assert_eq!(message.conversation_id.as_deref(), Some("8031152018338945839"));
        assert!(matches!(
            message.subject,
            Some(MessageText::Replaced { segments_gsm7: None, characters: 3, .. })
        ));
    }

    #[test]
    fn an_error_quotes_no_value() {
        let error = read_call(r#"{"duration":"secret words"}"#).unwrap_err();
        assert!(!error.contains("secret"), "{error}");
    }
}
