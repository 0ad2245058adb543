//! What a request says, and what a token's answer holds.

use std::time::Duration;

use serde_json::Value;

use super::job::{Ask, Changes, Job, Listing, Work};
use super::plan;
use super::port::Settings;
use crate::domain::record::{Feed, FeedKind};
use crate::domain::{Exit, Failure, Result};
use crate::ringcentral::credentials::Secret;

/// Records asked for with one answer of changes; the service serves no more of calls.
const CHANGES_AT_ONCE: &str = "1000";

type Query = Vec<(&'static str, String)>;

/// The path of a feed, for the account of the token.
pub(super) fn path_of(feed: &Feed) -> String {
    const ACCOUNT: &str = "/restapi/v1.0/account/~";
    let extension = feed.mailbox.as_deref().unwrap_or("~");
    match feed.kind {
        FeedKind::Account => ACCOUNT.to_owned(),
        FeedKind::Extensions => format!("{ACCOUNT}/extension"),
        FeedKind::Messages => format!("{ACCOUNT}/extension/{extension}/message-store"),
        FeedKind::MessageSync => format!("{ACCOUNT}/extension/{extension}/message-sync"),
        FeedKind::ExtensionCalls => format!("{ACCOUNT}/extension/{extension}/call-log"),
        FeedKind::ActiveCalls => format!("{ACCOUNT}/active-calls"),
        FeedKind::CallSync => format!("{ACCOUNT}/call-log-extract-sync"),
        FeedKind::CallLog | FeedKind::Usage | FeedKind::PortalCsv => format!("{ACCOUNT}/call-log"),
    }
}

/// Everything that has a default is said: the defaults hide deleted records, legs, and all but one day.
pub(super) fn query_of(job: &Job, settings: &Settings) -> Query {
    match &job.work {
        Work::Listing(listing) => listing_query(listing, settings),
        Work::Changes(changes) => changes_query(changes, settings),
    }
}

fn listing_query(listing: &Listing, settings: &Settings) -> Query {
    let mut query = Query::new();
    let mut add = |name: &'static str, value: &str| query.push((name, value.to_owned()));
    let kind = listing.plan.window.feed.kind;
    match kind {
        FeedKind::Account => return query,
        FeedKind::CallLog => {
            add("view", "Detailed");
            add("showDeleted", "true");
        }
        FeedKind::ExtensionCalls => {
            add("view", "Detailed");
            add("showDeleted", "true");
            add("showBlocked", "true");
        }
        FeedKind::Messages => {
            ["Alive", "Deleted", "Purged"].iter().for_each(|value| add("availability", value));
            MESSAGE_TYPES.iter().for_each(|value| add("messageType", value));
            if settings.shared_mailboxes {
                add("owner", "Any");
            }
        }
        _ => {}
    }
    if !matches!(kind, FeedKind::Extensions | FeedKind::ActiveCalls) {
        let span = listing.plan.window.span;
        add("dateFrom", &span.from.plus_milliseconds(-plan::milliseconds(settings.overlap)).rfc3339());
        add("dateTo", &span.to.rfc3339());
    }
    add("page", &listing.page.to_string());
    add("perPage", &settings.per_page.to_string());
    query
}

/// Every type that a message store holds.
const MESSAGE_TYPES: [&str; 4] = ["SMS", "Fax", "VoiceMail", "Pager"];

fn changes_query(changes: &Changes, settings: &Settings) -> Query {
    let mut query = Query::new();
    let mut add = |name: &'static str, value: &str| query.push((name, value.to_owned()));
    match changes.ask {
        Ask::Since => {
            add("syncType", "ISync");
            add("syncToken", changes.token.as_deref().unwrap_or_default());
            if changes.feed.kind == FeedKind::CallSync {
                add("view", "Detailed");
            }
        }
        Ask::AllCalls => {
            add("syncType", "FSync");
            add("view", "Detailed");
            add("dateFrom", &changes.from.rfc3339());
            add("recordCount", CHANGES_AT_ONCE);
        }
        Ask::AllMessages { to } => {
            add("syncType", "FSync");
            MESSAGE_TYPES.iter().for_each(|value| add("messageType", value));
            if settings.shared_mailboxes {
                add("owner", "Any");
            }
            add("dateFrom", &changes.from.rfc3339());
            add("dateTo", &to.rfc3339());
            add("recordCount", CHANGES_AT_ONCE);
        }
    }
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
