//! A short conversation with the service: sign in once, then a few questions. Nothing is repeated or paced: it is for
//! a handful of requests that a person waits for, and a refusal is an answer.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Input, Transport, client, send};
use crate::domain::{Exit, Failure, Result};
use crate::ringcentral::credentials::{Credentials, Secret};
use crate::ringcentral::puller::{Auth, Group, Method, Request, Response};

/// A conversation under way.
pub struct Inquiry<'a> {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    transport: &'a Transport,
    credentials: &'a Credentials,
    token: Option<Secret>,
}

/// What came back of one question.
pub enum Reply {
    Answer(Response),
    /// Why there was none.
    Nothing(String),
}

/// What signing in gave.
pub struct SignedIn {
    pub response: Response,
    /// The scopes the token carries, as the service names them; empty when it does not say.
    pub scopes: BTreeSet<String>,
}

impl<'a> Inquiry<'a> {
    /// Nothing is sent yet. It must not be called from within a runtime.
    pub fn begin(transport: &'a Transport, credentials: &'a Credentials) -> Result<Inquiry<'a>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime
            .map_err(|error| Failure::new(Exit::Bug, format!("no runtime for the network: {error}")))?;
        let http = client(transport)?;
        Ok(Inquiry { runtime, http, transport, credentials, token: None })
    }

    /// Signs in; what came instead of a token is the error.
    pub fn sign_in(&mut self) -> std::result::Result<SignedIn, Reply> {
        let path = "/restapi/oauth/token".to_owned();
        let auth = Auth::Credentials;
        let request = Request { method: Method::Post, path, query: Vec::new(), auth, group: Group::Auth };
        let response = match self.send(request) {
            Reply::Answer(response) if response.status == 200 => response,
            other => return Err(other),
        };
        let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        let token = body.get("access_token").and_then(Value::as_str).filter(|text| {
            // It becomes a header.
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
        });
        let Some(token) = token else {
            return Err(Reply::Nothing("the answer holds no usable token".to_owned()));
        };
        self.token = Some(Secret::new(token));
        let scopes = body.get("scope").and_then(Value::as_str).unwrap_or_default();
        Ok(SignedIn { scopes: scopes.split_ascii_whitespace().map(str::to_owned).collect(), response })
    }

    /// Asks one thing. Only after signing in.
    pub fn ask(&self, path: &str, query: Vec<(&'static str, String)>, group: Group) -> Reply {
        let Some(token) = &self.token else { return Reply::Nothing("not signed in".to_owned()) };
        let auth = Auth::Bearer(token.clone());
        self.send(Request { method: Method::Get, path: path.to_owned(), query, auth, group })
    }

    fn send(&self, request: Request) -> Reply {
        match self.runtime.block_on(send(&self.http, self.transport, self.credentials, request)) {
            Input::Response(response) => Reply::Answer(response),
            Input::NetworkError { what } => Reply::Nothing(what),
            _ => Reply::Nothing("no answer".to_owned()),
        }
    }
}

/// The codes of a refusal: its error code (or OAuth's word) and the permission it names. Never its sentence, which
/// may be localised and may echo what was sent.
pub fn refusal_codes(response: &Response) -> (Option<String>, Option<String>) {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    let member = |key: &str| {
        let listed = body.get("errors").and_then(Value::as_array).into_iter().flatten();
        let values = listed.filter_map(|error| error.get(key)).chain(body.get(key));
        let mut words = values.filter_map(Value::as_str).filter(|text| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            (1..=60).contains(&text.len()) && text.bytes().all(plain)
        });
        words.next().map(str::to_owned)
    };
    (member("errorCode").or_else(|| member("error")), member("permissionName"))
}
