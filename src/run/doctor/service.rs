//! What the service grants: sign-in, scopes, each feed by its smallest request, clock, rate plan, retention.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::domain::{Exit, Instant};
use crate::ringcentral::client::{Inquiry, Reply, ServiceUrl, Transport};
use crate::ringcentral::puller::{Group, RateHeaders, Response};
use crate::rules::config::CollectSettings;
use crate::run::forecast::group_word;
use crate::run::pulling::{credentials_of, service_of};
use crate::run::workspace::Settings;
use crate::stage::explain::counted_noun;

use super::remedy::{self, Needs};
use super::{Check, State};

const ACCOUNT: &str = "/restapi/v1.0/account/~";
const DAY: i64 = 86_400_000;
/// Beyond this a pull ends; a minute is worth a word.
const SKEW_AT_MOST: i64 = 3_600_000;
const SKEW_WORTH_A_WORD: i64 = 60_000;
/// What cannot be checked without an answer to the sign-in.
const AFTER_SIGN_IN: [&str; 5] = ["clock", "scopes", "feeds", "rate plan", "retention"];

pub(super) fn checks(settings: &Settings, now: Instant) -> Vec<Check> {
    let Ok(service) = service_of(settings) else { return Vec::new() };
    let url = match ServiceUrl::parse(&service.url) {
        Ok(url) => url,
        Err(failure) => {
            let remedy = failure.hints().first().cloned();
            let remedy =
                remedy.unwrap_or_else(|| "Write it as \"https://platform.ringcentral.com\".".to_owned());
            return vec![Check::missing("service", Exit::Mistakes, failure.to_string(), remedy)];
        }
    };
    let Ok(credentials) = credentials_of(settings) else { return skipped("service", "without secrets") };
    let transport = Transport { timeout: Duration::from_secs(10), ..Transport::to(url) };
    let mut inquiry = match Inquiry::begin(&transport, &credentials) {
        Ok(inquiry) => inquiry,
        Err(failure) => {
            return vec![Check::missing(
                "service",
                failure.exit(),
                failure.to_string(),
                "Check the network.",
            )];
        }
    };
    match inquiry.sign_in() {
        Err(reply) => {
            let refusal = remedy::of_sign_in(&reply);
            let sentence = format!("{}: {}", transport.url.as_str(), refusal.what);
            let mut checks = vec![Check::missing("service", Exit::Service, sentence, refusal.remedy)];
            checks.extend(AFTER_SIGN_IN.map(|name| Check::not_checked(name, "not signed in")));
            checks
        }
        Ok(signed_in) => {
            let mut examination = Examination {
                inquiry,
                collect: &settings.config.collect,
                now,
                rates: BTreeMap::new(),
                checks: vec![Check::ok("service", format!("signed in at {}", transport.url.as_str()))],
                scopes: signed_in.scopes,
            };
            examination.learn(Group::Auth, &signed_in.response.rate);
            examination.clock(&signed_in.response, transport.url.is_loopback());
            examination.scopes();
            let mailboxes = examination.feeds();
            examination.rate_plan(mailboxes);
            examination.retention();
            examination.checks
        }
    }
}

fn skipped(first: &'static str, why: &str) -> Vec<Check> {
    std::iter::once(first).chain(AFTER_SIGN_IN).map(|name| Check::not_checked(name, why)).collect()
}

struct Examination<'a> {
    inquiry: Inquiry<'a>,
    collect: &'a CollectSettings,
    now: Instant,
    rates: BTreeMap<Group, RateHeaders>,
    checks: Vec<Check>,
    scopes: BTreeSet<String>,
}

/// One question about a feed.
struct Probe {
    name: &'static str,
    path: String,
    query: Vec<(&'static str, String)>,
    group: Group,
    needs: Needs,
    /// What a refusal means when it can be lived with; `None`: the pull needs this.
    otherwise: Option<&'static str>,
}

impl Examination<'_> {
    fn learn(&mut self, group: Group, headers: &RateHeaders) {
        if headers.limit.is_some() {
            let group = headers.group.as_deref().and_then(Group::from_header).unwrap_or(group);
            self.rates.insert(group, headers.clone());
        }
    }

    fn clock(&mut self, response: &Response, sandbox: bool) {
        let Some(theirs) = response.served_at() else {
            let remedy = "Nothing to do; keep this machine's clock synchronised.";
            self.checks.push(Check::warning("clock", "the service does not tell its time", remedy));
            return;
        };
        let ahead = self.now.milliseconds().saturating_sub(theirs.milliseconds());
        let off = ahead.saturating_abs();
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        let shown = format!("{} {way} the service's ({theirs})", length(off));
        let remedy = match sandbox {
            true => "A sandbox has a virtual clock: give its time with --at.",
            false => "Set this machine's clock by the network (timedatectl set-ntp true).",
        };
        self.checks.push(match off {
            off if off > SKEW_AT_MOST => Check::missing(
                "clock",
                Exit::Service,
                format!("this machine is {shown}; a pull would end"),
                remedy,
            ),
            off if off > SKEW_WORTH_A_WORD => {
                Check::warning("clock", format!("this machine is {shown}"), remedy)
            }
            _ => Check::ok("clock", "agrees with the service's"),
        });
    }

    fn scopes(&mut self) {
        if self.scopes.is_empty() {
            let remedy = "Nothing to do when the feeds below are ok.";
            self.checks.push(Check::warning("scopes", "the token does not say what it may do", remedy));
            return;
        }
        let mut missing = Vec::new();
        let has = |scope: &str| self.scopes.contains(scope);
        if !has("ReadAccounts") {
            missing.push("ReadAccounts");
        }
        if self.collect.call_log && !has("ReadCallLog") && !has("ReadCallRecording") {
            missing.push("ReadCallLog");
        }
        if self.collect.messages && !has("ReadMessages") {
            missing.push("ReadMessages");
        }
        let granted: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        self.checks.push(match missing.as_slice() {
            [] => Check::ok("scopes", granted.join(", ")),
            missing => {
                let sentence = format!("the app may not {} (it has {})", missing.join(", "), granted.join(", "));
                let remedy = format!(
                    "Add {} to the app's permissions in the developer console, or switch the feed off under [collect].",
                    missing.join(" and ")
                );
                Check::missing("scopes", Exit::Service, sentence, remedy)
            }
        });
    }

    /// Asks for one thing and notes how it went; the answer when it was served.
    fn probe(&mut self, probe: Probe) -> Option<Response> {
        let reply = self.inquiry.ask(&probe.path, probe.query, probe.group);
        if let Reply::Answer(response) = &reply {
            self.learn(probe.group, &response.rate);
        }
        if let Reply::Answer(response) = reply {
            if response.status == 200 {
                self.checks.push(Check::ok(probe.name, "readable"));
                return Some(response);
            }
            self.refused(probe.name, &Reply::Answer(response), &probe.needs, probe.otherwise);
        } else {
            self.refused(probe.name, &reply, &probe.needs, probe.otherwise);
        }
        None
    }

    fn refused(&mut self, name: &'static str, reply: &Reply, needs: &Needs, otherwise: Option<&str>) {
        let refusal = remedy::of(reply, needs);
        let what = if refusal.not_offered { "not offered here".to_owned() } else { refusal.what };
        self.checks.push(match otherwise {
            Some(otherwise) => Check::warning(name, format!("{what}: {otherwise}"), refusal.remedy),
            None => Check::missing(name, Exit::Service, what, refusal.remedy),
        });
    }

    /// The feeds that are on, one request each; how many mailboxes there are, when the list was served.
    fn feeds(&mut self) -> Option<u64> {
        let needs = |scope, permission| Needs { scope, permission };
        self.probe(Probe {
            name: "account",
            path: ACCOUNT.to_owned(),
            query: Vec::new(),
            group: Group::Light,
            needs: needs("ReadAccounts", "ReadCompanyInfo"),
            otherwise: None,
        });
        let extensions = self.probe(Probe {
            name: "extensions",
            path: format!("{ACCOUNT}/extension"),
            query: vec![("page", "1".to_owned()), ("perPage", "1000".to_owned())],
            group: Group::Medium,
            needs: needs("ReadAccounts", "ReadExtensions"),
            otherwise: None,
        });
        let mailboxes = extensions.map(|response| mailboxes(&response));
        if self.collect.call_log {
            self.call_feeds();
        }
        if self.collect.messages {
            self.mailbox_feeds(mailboxes.as_ref().and_then(|mailboxes| mailboxes.first()));
        }
        mailboxes.map(|mailboxes| mailboxes.len() as u64)
    }

    fn call_feeds(&mut self) {
        let needs = || Needs { scope: "ReadCallLog", permission: "FullCompanyCallLog" };
        let since = self.now.plus_milliseconds(-DAY).rfc3339();
        self.probe(Probe {
            name: "call log",
            path: format!("{ACCOUNT}/call-log"),
            query: vec![
                ("view", "Detailed".to_owned()),
                ("dateFrom", since.clone()),
                ("perPage", "1".to_owned()),
            ],
            group: Group::Heavy,
            needs: needs(),
            otherwise: None,
        });
        if self.collect.call_sync {
            let query =
                vec![("syncType", "FSync".to_owned()), ("dateFrom", since), ("recordCount", "1".to_owned())];
            self.probe(Probe {
                name: "call log changes",
                path: format!("{ACCOUNT}/call-log-extract-sync"),
                query,
                group: Group::Heavy,
                needs: needs(),
                otherwise: Some("the windows are listed alone"),
            });
        }
        if self.collect.active_calls {
            self.probe(Probe {
                name: "active calls",
                path: format!("{ACCOUNT}/active-calls"),
                query: vec![("perPage", "1".to_owned())],
                group: Group::Heavy,
                needs: needs(),
                otherwise: Some("a window of calls waits a day before it is sealed"),
            });
        }
    }

    fn mailbox_feeds(&mut self, mailbox: Option<&String>) {
        let Some(mailbox) = mailbox else {
            self.checks.push(Check::not_checked("messages", "no mailbox is known"));
            return;
        };
        let needs = || Needs { scope: "ReadMessages", permission: "ReadMessages for other users" };
        let since = self.now.plus_milliseconds(-DAY).rfc3339();
        self.probe(Probe {
            name: "messages",
            path: format!("{ACCOUNT}/extension/{mailbox}/message-store"),
            query: vec![("dateFrom", since.clone()), ("perPage", "1".to_owned())],
            group: Group::Light,
            needs: needs(),
            otherwise: Some(
                "the first mailbox would be a gap that keeps a month open, and others may follow",
            ),
        });
        if self.collect.message_sync {
            let query =
                vec![("syncType", "FSync".to_owned()), ("dateFrom", since), ("recordCount", "1".to_owned())];
            self.probe(Probe {
                name: "message changes",
                path: format!("{ACCOUNT}/extension/{mailbox}/message-sync"),
                query,
                group: Group::Light,
                needs: needs(),
                otherwise: Some("the mailboxes are listed alone"),
            });
        }
    }

    /// Limits as the answers tell them, against the documented ones; what a first month takes with them.
    fn rate_plan(&mut self, mailboxes: Option<u64>) {
        if self.rates.is_empty() {
            let remedy = "Nothing to do: the documented limits are kept, and the service's refusals obeyed.";
            self.checks.push(Check::warning("rate plan", "the service does not tell its limits", remedy));
            return;
        }
        let per_minute = |group: Group| -> u64 {
            let headers = self.rates.get(&group);
            let limit = headers.and_then(|headers| headers.limit).unwrap_or(group.documented_limit());
            let window =
                headers.and_then(|headers| headers.window).map_or(60, |window| window.as_secs().max(1));
            (u64::from(limit) * 60 / window).max(1)
        };
        let shown: Vec<String> =
            self.rates.keys().map(|group| format!("{} {}", group_word(*group), per_minute(*group))).collect();
        let windows = 31 * 86_400_000 / self.collect.call_log_window_milliseconds.max(1) + 1;
        let heavy = if self.collect.call_log { 2 * windows.unsigned_abs() + 2 } else { 0 };
        let of_mailbox = 31 * 86_400_000 / self.collect.message_window_milliseconds.max(1) + 1;
        let light = if self.collect.messages {
            mailboxes.unwrap_or(0) * (2 * of_mailbox.unsigned_abs() + 1)
        } else {
            0
        };
        let minutes =
            (heavy.div_ceil(per_minute(Group::Heavy))).max(light.div_ceil(per_minute(Group::Light))).max(1);
        let sentence = format!(
            "{} a minute; a first month takes about {}{}",
            shown.join(", "),
            counted_noun(minutes, "minute"),
            mailboxes.map_or_else(String::new, |count| format!(" with {}", mailbox_count(count)))
        );
        let low = self.rates.keys().any(|group| per_minute(*group) < u64::from(group.documented_limit()));
        self.checks.push(match low {
            false => Check::ok("rate plan", sentence),
            true => Check::warning(
                "rate plan",
                format!("{sentence}; documented are Auth 5, Light 50, Medium 40, Heavy 10"),
                "Ask RingCentral's developer support to raise the app's limits, or let a first pull take longer.",
            ),
        });
    }

    /// Whether calls as old as the retention says are still there: one request for its last month.
    fn retention(&mut self) {
        let Some(kept) = self.collect.retention.call_log.milliseconds.filter(|_| self.collect.call_log)
        else {
            return;
        };
        if self.checks.iter().any(|check| check.name == "call log" && check.state != State::Ok) {
            self.checks.push(Check::not_checked("retention", "the call log is not readable"));
            return;
        }
        let (from, to) =
            (self.now.plus_milliseconds(-kept), self.now.plus_milliseconds(-(kept - 31 * DAY).max(DAY)));
        let query = vec![
            ("dateFrom", from.rfc3339()),
            ("dateTo", to.rfc3339()),
            ("showDeleted", "true".to_owned()),
            ("perPage", "1".to_owned()),
        ];
        let reply = self.inquiry.ask(&format!("{ACCOUNT}/call-log"), query, Group::Heavy);
        let body = match &reply {
            Reply::Answer(response) if response.status == 200 => {
                serde_json::from_slice::<Value>(&response.body).unwrap_or(Value::Null)
            }
            reply => {
                let needs = Needs { scope: "ReadCallLog", permission: "FullCompanyCallLog" };
                self.refused("retention", reply, &needs, Some("how far back the log goes is not known"));
                return;
            }
        };
        let start = body.pointer("/records/0/startTime").and_then(Value::as_str).and_then(Instant::parse);
        let days = kept / DAY;
        self.checks.push(match start {
            Some(start) => Check::ok("retention", format!("a call of {} is still there, as {days} days promise", date(start))),
            None => Check::warning(
                "retention",
                format!("no call from {} to {}: the account is younger, or its log is kept for less than {days} days", date(from), date(to)),
                "Some accounts keep 9 months only: then set call_log = \"270 days\" under [collect.retention].",
            ),
        });
    }
}

fn mailbox_count(count: u64) -> String {
    if count == 1 { "1 mailbox".to_owned() } else { format!("{count} mailboxes") }
}

fn date(at: Instant) -> String {
    at.rfc3339()[..10].to_owned()
}

fn length(milliseconds: i64) -> String {
    match milliseconds / 1000 {
        seconds if seconds < 120 => counted_noun(seconds.unsigned_abs(), "second"),
        seconds if seconds < 7200 => counted_noun((seconds / 60).unsigned_abs(), "minute"),
        seconds if seconds < 172_800 => counted_noun((seconds / 3600).unsigned_abs(), "hour"),
        seconds => counted_noun((seconds / 86_400).unsigned_abs(), "day"),
    }
}

/// Ids of the extensions that can have messages; people first, because theirs are asked for.
fn mailboxes(response: &Response) -> Vec<String> {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    let records = body.get("records").and_then(Value::as_array).cloned().unwrap_or_default();
    let kind = |record: &Value| record.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let id = |record: &Value| match record.get("id") {
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    };
    let without = ["IvrMenu", "ParkLocation", "Site"];
    let mut found: Vec<&Value> =
        records.iter().filter(|record| !without.contains(&kind(record).as_str())).collect();
    found.sort_by_key(|record| kind(record) != "User");
    found.into_iter().filter_map(id).filter(|id| id.bytes().all(|byte| byte.is_ascii_digit())).collect()
}
