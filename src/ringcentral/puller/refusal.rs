//! What a refusal means. Decided on codes; the service's sentences are never quoted, because they may be localised
//! and may echo what was sent.

use serde_json::Value;

use super::port::Response;
use crate::domain::{Exit, Failure};
use crate::ringcentral::page::PageError;

/// The codes of an error response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    /// Such as `CMN-408`; when the body has no such code, its word.
    pub code: Option<String>,
    /// The OAuth error, such as `invalid_grant`.
    pub oauth: Option<String>,
    pub permission: Option<String>,
    pub parameter: Option<String>,
}

impl Refusal {
    /// Reads an error response; a body that is not the service's leaves the status alone.
    pub fn of(response: &Response) -> Refusal {
        let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        let errors: Vec<&Value> =
            body.get("errors").and_then(Value::as_array).into_iter().flatten().collect();
        let member = |key: &str| {
            let first = errors.iter().find_map(|error| word(error.get(key)));
            first.or_else(|| word(body.get(key)))
        };
        Refusal {
            status: response.status,
            code: member("errorCode"),
            oauth: word(body.get("error")),
            permission: member("permissionName"),
            parameter: member("parameterName"),
        }
    }

    /// The code, or the status when the service gave none.
    pub fn reason(&self) -> String {
        match (&self.code, &self.oauth) {
            (Some(code), _) => code.clone(),
            (None, Some(oauth)) => oauth.clone(),
            (None, None) => format!("HTTP {}", self.status),
        }
    }

    /// Whether the refusal of a mailbox concerns that mailbox and not the whole run: a permission or feature that is
    /// missing there, a mailbox that is gone, a login that only its owner has (not a token that is not valid).
    pub fn is_of_one_mailbox(&self) -> bool {
        match self.status {
            403 | 404 => true,
            400 => self.has_code(&["CMN-102", "CMN-109"]),
            401 => self.has_code(&["CMN-405"]),
            _ => false,
        }
    }

    /// Whether the way of reading is what is refused: no such address, or a feature that is not there.
    pub fn is_of_the_way(&self) -> bool {
        self.status == 501 || self.has_code(&["CMN-109", "CMN-120", "CMN-202"])
    }

    fn has_code(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| codes.contains(&code))
            || self.oauth.as_deref().is_some_and(|code| codes.contains(&code))
    }

    /// The failure when signing in was refused: which credential, never its value.
    pub fn sign_in_failure(&self) -> Failure {
        let reason = self.reason();
        let service = |message: String| Failure::new(Exit::Service, message);
        if self.has_code(&["unauthorized_client", "OAU-112", "OAU-125", "OAU-251"]) {
            service(format!("the application may not sign in with a JWT ({reason})"))
                .hint("Enable the JWT auth flow for the application in the developer console.")
        } else if self.has_code(&["invalid_client", "OAU-120", "OAU-121", "OAU-123", "OAU-146", "OAU-153"])
            || self.status == 401
        {
            service(format!("the service does not accept the client id and client secret ({reason})"))
                .hint("Check TOLLBOOK_CLIENT_ID and TOLLBOOK_CLIENT_SECRET, or client_id and client_secret in the secrets file.")
        } else if self.has_code(&["invalid_grant", "OAU-210", "OAU-213", "OAU-347"]) {
            service(format!("the service does not accept the JWT ({reason})"))
                .hint("Check TOLLBOOK_JWT, or jwt in the secrets file: it may be expired, revoked, or another application's.")
        } else {
            service(format!("the service refused to sign in ({reason})"))
        }
    }

    /// The failure when something that cannot be done without was refused.
    pub fn failure(&self, what: &str) -> Failure {
        let reason = self.reason();
        let failure = Failure::new(Exit::Service, format!("the service refused {what} ({reason})"));
        match (&self.permission, &self.parameter) {
            (Some(permission), _) if self.has_code(&["CMN-401"]) => {
                failure.hint(format!("Give the application the permission {permission}."))
            }
            (Some(permission), _) => {
                failure.hint(format!("Give the user behind the JWT the permission {permission}."))
            }
            (None, Some(parameter)) => failure.hint(format!("The service names the parameter {parameter}.")),
            (None, None) => failure,
        }
    }
}

/// A short word of a body, if it is one: codes and names only, so that nothing else can be carried into a message.
fn word(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?;
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    (!text.is_empty() && text.len() <= 64 && text.chars().all(plain)).then(|| text.to_owned())
}

/// Where a refused redirect points: without query, credentials or control characters.
pub fn shown_address(location: &str) -> String {
    let end = location.find(['?', '#']).unwrap_or(location.len());
    let address = &location[..end];
    let address = match address.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            format!("{scheme}://{}{path}", host.rsplit('@').next().unwrap_or(host))
        }
        None => address.to_owned(),
    };
    address.chars().filter(|character| character.is_ascii_graphic()).take(200).collect()
}

/// A redirect, which would carry the token elsewhere.
pub(super) fn redirected(response: &Response) -> Failure {
    let to = response.location.as_deref().map_or("another address".to_owned(), shown_address);
    Failure::new(Exit::Service, format!("the service redirects to {to}, which is not followed"))
        .hint("Set the service's url to the address it is served at.")
}

/// No usable answer in all tries.
pub(super) fn unreachable(what: &str, tries: u32, last: &str) -> Failure {
    Failure::new(Exit::Service, format!("the service could not be reached {what} in {tries} tries ({last})"))
        .hint("What was collected is kept; run again to go on.")
}

/// An answer that asking again will not mend.
pub(super) fn unreadable(error: PageError, page: u32, what: &str) -> Failure {
    error.into_failure(Exit::Service).while_doing(format!("reading page {page} of {what}"))
}
