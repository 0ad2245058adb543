//! One call by its session id: what the book has of it, and what the service says. It is read only: nothing lands, no
//! coverage moves; the next pull collects the call with its window.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::book::{Book, Standing};
use crate::domain::record::RecordKind;
use crate::domain::{Exit, Failure, Hash, Instant, Result};
use crate::ringcentral::client::{Inquiry, Reply, ServiceUrl, Transport, refusal_codes};
use crate::ringcentral::content;
use crate::ringcentral::page::parse_page;
use crate::ringcentral::puller::{Group, Response};

use super::collect::redaction_of;
use super::facts::codec;
use super::pulling::{credentials_of, service_of};
use super::workspace::Settings;
use crate::domain::source::{CallRecord, Content, PartyText};

/// The id of a session, in one of its two forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionId {
    /// Digits: ties the records of one call together.
    Session(String),
    /// `s-…`: the telephony session, as webhooks name it.
    Telephony(String),
}

impl SessionId {
    /// Reads either form (exit 2 otherwise).
    pub fn parse(text: &str) -> Result<SessionId> {
        let text = text.trim();
        let digits = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits {
            return Ok(SessionId::Session(text.to_owned()));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let telephony = (3..=128).contains(&text.len())
            && (text.starts_with("s-") || text.starts_with("z-"))
            && text.bytes().all(plain);
        if telephony {
            return Ok(SessionId::Telephony(text.to_owned()));
        }
        Err(Failure::new(Exit::Usage, format!("\"{text}\" is not the id of a session"))
            .hint("Write a session id (digits) or a telephony session id (s-…), as the webhook gave it."))
    }

    /// The id.
    pub fn text(&self) -> &str {
        match self {
            SessionId::Session(text) | SessionId::Telephony(text) => text,
        }
    }

    fn is_of(&self, call: &CallRecord) -> bool {
        match self {
            SessionId::Session(id) => call.session_id.as_deref() == Some(id),
            SessionId::Telephony(id) => call.telephony_session_id.as_deref() == Some(id),
        }
    }
}

/// How a record of the service stands against the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// The book has this very version.
    Same,
    /// The book has the record and not this version.
    Changed,
    /// The book does not have the record.
    Missing,
}

/// One record of the session.
#[derive(Clone, Debug)]
pub struct Found {
    pub id: String,
    pub version: Hash,
    pub call: CallRecord,
    /// The record as it is stored, or would be.
    pub json: String,
    pub last_modified: Option<Instant>,
}

/// What is known of a session.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// The current versions in the book.
    pub kept: Vec<Found>,
    /// What the service says, against the book; `None` when it was not asked.
    pub served: Option<Vec<(Found, Known)>>,
}

impl Session {
    /// Whether anybody knows the session.
    pub fn is_known(&self) -> bool {
        !self.kept.is_empty() || self.served.as_ref().is_some_and(|served| !served.is_empty())
    }
}

/// Looks a session up in the book.
///
/// # Errors
/// A book that cannot be read.
pub fn in_book(book: &Book, id: &SessionId) -> Result<Vec<Found>> {
    let versions = book.scan(&[RecordKind::Call, RecordKind::PortalCall], None, &codec())?;
    let mut found = Vec::new();
    for version in versions.into_iter().filter(|version| version.standing == Standing::Current) {
        // Decoding is what costs; the id stands in the text of every record that is looked for.
        if !version.record.json.contains(id.text()) {
            continue;
        }
        let (Content::Call(call) | Content::PortalCall(call)) = content::content(&version.record) else {
            continue;
        };
        if id.is_of(&call) {
            let record = version.record;
            found.push(Found {
                id: record.key.id,
                version: record.version,
                call,
                json: record.json,
                last_modified: record.last_modified,
            });
        }
    }
    Ok(found)
}

/// Asks the service for a session, and compares with what the book has.
///
/// # Errors
/// Mistakes of the configuration (exit 3), a service that refuses or does not answer (exit 6).
pub fn at_service(
    settings: &Settings,
    book: Option<&Book>,
    id: &SessionId,
    kept: &[Found],
    now: Instant,
) -> Result<Vec<(Found, Known)>> {
    let transport = Transport::to(ServiceUrl::parse(&service_of(settings)?.url)?);
    let credentials = credentials_of(settings)?;
    let mut inquiry = Inquiry::begin(&transport, &credentials)?;
    let doing = || format!("asking {} for the session {}", transport.url.as_str(), id.text());
    inquiry.sign_in().map_err(|reply| refused(&reply, "the sign-in").while_doing(doing()))?;
    // The service refuses a session id together with any other filter.
    let name = match id {
        SessionId::Session(_) => "sessionId",
        SessionId::Telephony(_) => "telephonySessionId",
    };
    let query = vec![("view", "Detailed".to_owned()), (name, id.text().to_owned())];
    let reply = inquiry.ask("/restapi/v1.0/account/~/call-log", query, Group::Heavy);
    let response = match reply {
        Reply::Answer(response) if response.status == 200 => response,
        Reply::Answer(response) if is_unknown_session(&response) => return Ok(Vec::new()),
        reply => return Err(refused(&reply, "the call log").while_doing(doing())),
    };
    let redaction = redaction_of(book, settings.config.collect.keep_text)?;
    let account = book.and_then(|book| book.identity().account.clone()).unwrap_or_else(|| "~".to_owned());
    let page = parse_page(RecordKind::Call, &response.body, &redaction, now, Some(&account));
    let page = page.map_err(|error| Failure::new(Exit::Service, error.to_string()).while_doing(doing()))?;
    let versions: BTreeMap<&str, Hash> =
        kept.iter().map(|found| (found.id.as_str(), found.version)).collect();
    let mut served = Vec::new();
    for record in page.records {
        let Content::Call(call) = content::content(&record) else { continue };
        let known = match versions.get(record.key.id.as_str()) {
            Some(version) if *version == record.version => Known::Same,
            Some(_) => Known::Changed,
            None => Known::Missing,
        };
        let (id, version, last_modified) = (record.key.id, record.version, record.last_modified);
        served.push((Found { id, version, call, json: record.json, last_modified }, known));
    }
    Ok(served)
}

fn is_unknown_session(response: &Response) -> bool {
    response.status == 404 && refusal_codes(response).0.as_deref() != Some("CMN-120")
}

fn refused(reply: &Reply, what: &str) -> Failure {
    match reply {
        Reply::Nothing(why) => Failure::new(Exit::Service, format!("{what} got no answer: {why}")),
        Reply::Answer(response) => {
            let code = refusal_codes(response).0.unwrap_or_else(|| format!("HTTP {}", response.status));
            let failure = Failure::new(Exit::Service, format!("the service refused {what} ({code})"));
            match response.status {
                429 => failure.hint("The rate limit is used up, perhaps by a pull: wait a minute."),
                _ => failure.hint("`tollbook doctor` checks credentials, scopes and permissions."),
            }
        }
    }
}

/// Who stands at one end of a call: a number, masked unless asked for, or an extension.
pub fn party(party: &PartyText, show_numbers: bool) -> String {
    let number =
        party.phone_number.as_deref().map(|text| if show_numbers { text.to_owned() } else { masked(text) });
    let extension = party.extension_number.as_ref().map(|number| format!("ext. {number}"));
    number.or(extension).unwrap_or_else(|| "unknown".to_owned())
}

/// All but the last two digits of a number are hidden.
fn masked(text: &str) -> String {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let mut seen = 0;
    text.chars()
        .map(|letter| {
            if !letter.is_ascii_digit() {
                return letter;
            }
            seen += 1;
            if seen + 2 > digits { letter } else { '*' }
        })
        .collect()
}

/// A record's JSON with the digits of every number hidden, for machines.
pub fn masked_json(json: &str, show_numbers: bool) -> Value {
    let mut value: Value = serde_json::from_str(json).unwrap_or(Value::Null);
    if !show_numbers {
        hide(&mut value);
    }
    value
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name.ends_with("honeNumber") => *text = masked(text),
                    Value::String(text) if name == "name" => *text = "***".to_owned(),
                    member => hide(member),
                }
            }
        }
        Value::Array(members) => members.iter_mut().for_each(hide),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_an_id_are_read_and_nothing_else() {
        assert_eq!(SessionId::parse("4503991004").unwrap(), SessionId::Session("4503991004".to_owned()));
        let telephony = "s-a0d17d3c0f1fez17a3b2c4d5ez7fa0000";
        assert_eq!(SessionId::parse(telephony).unwrap(), SessionId::Telephony(telephony.to_owned()));
        for wrong in ["", "s-", "call", "12 34", "s-../x", "+12125550143"] {
            assert_eq!(SessionId::parse(wrong).unwrap_err().exit(), Exit::Usage, "{wrong}");
        }
    }

    #[test]
    fn numbers_and_names_are_hidden() {
        assert_eq!(masked("+12125550143"), "+*********43");
        let json =
            r#"{"from":{"name":"Anna","phoneNumber":"+12125550143"},"legs":[{"to":{"phoneNumber":"101"}}]}"#;
        let hidden = masked_json(json, false).to_string();
        assert!(!hidden.contains("Anna") && !hidden.contains("555") && hidden.contains("*01"), "{hidden}");
        assert!(masked_json(json, true).to_string().contains("+12125550143"));
    }
}
