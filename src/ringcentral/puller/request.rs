//! What a request says, and what a token's answer holds.

use std::time::Duration;

use serde_json::Value;

use super::limits::Endpoint;
use super::port::Settings;
use super::{Job, plan};
use crate::domain::record::{Feed, FeedKind};
use crate::domain::{Exit, Failure, Result};
use crate::ringcentral::credentials::Secret;

/// The path of a feed, for the account of the token.
pub(super) fn path_of(feed: &Feed) -> String {
    const ACCOUNT: &str = "/restapi/v1.0/account/~";
    match (feed.kind, &feed.mailbox) {
        (FeedKind::Account, _) => ACCOUNT.to_owned(),
        (FeedKind::Extensions, _) => format!("{ACCOUNT}/extension"),
        (FeedKind::Messages, mailbox) => {
            format!("{ACCOUNT}/extension/{}/message-store", mailbox.as_deref().unwrap_or("~"))
        }
        (FeedKind::MessageSync, mailbox) => {
            format!("{ACCOUNT}/extension/{}/message-sync", mailbox.as_deref().unwrap_or("~"))
        }
        (FeedKind::ExtensionCalls, extension) => {
            format!("{ACCOUNT}/extension/{}/call-log", extension.as_deref().unwrap_or("~"))
        }
        (FeedKind::ActiveCalls, _) => format!("{ACCOUNT}/active-calls"),
        (FeedKind::CallSync, _) => format!("{ACCOUNT}/call-log-extract-sync"),
        (FeedKind::CallLog | FeedKind::Usage | FeedKind::PortalCsv, _) => format!("{ACCOUNT}/call-log"),
    }
}

/// Everything that has a default is said: the defaults hide deleted records, legs, and all but one day.
pub(super) fn query_of(job: &Job, settings: &Settings) -> Vec<(&'static str, String)> {
    let mut query: Vec<(&'static str, String)> = Vec::new();
    let mut add = |name: &'static str, value: &str| query.push((name, value.to_owned()));
    match job.endpoint() {
        Endpoint::Account | Endpoint::Token => return query,
        Endpoint::Extensions => {}
        Endpoint::CallLog => {
            add("view", "Detailed");
            add("showDeleted", "true");
        }
        Endpoint::Messages => {
            ["Alive", "Deleted", "Purged"].iter().for_each(|value| add("availability", value));
            ["SMS", "Fax", "VoiceMail", "Pager"].iter().for_each(|value| add("messageType", value));
            if settings.shared_mailboxes {
                add("owner", "Any");
            }
        }
    }
    if job.endpoint() != Endpoint::Extensions {
        let span = job.plan.window.span;
        add("dateFrom", &span.from.plus_milliseconds(-plan::milliseconds(settings.overlap)).rfc3339());
        add("dateTo", &span.to.rfc3339());
    }
    add("page", &job.page.to_string());
    add("perPage", &settings.per_page.to_string());
    query
}

/// The access token and its life.
pub(super) fn read_token(body: &[u8]) -> Result<(Secret, Duration)> {
    let unreadable =
        || Failure::new(Exit::Service, "the service answered the sign-in without a usable token");
    let token: Value = serde_json::from_slice(body).map_err(|_| unreadable())?;
    let access = token.get("access_token").and_then(Value::as_str).filter(|text| {
        // It becomes a header.
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
    });
    let life = match token.get("expires_in") {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    let life = life.filter(|seconds| (1..=31_536_000).contains(seconds)).ok_or_else(unreadable)?;
    Ok((Secret::new(access.ok_or_else(unreadable)?), Duration::from_secs(life)))
}
