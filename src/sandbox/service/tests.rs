//! Every operation asked directly, without sockets.

use super::*;
use crate::sandbox::world::calendar::stamp;
use chrono::{DateTime, TimeDelta};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

mod calls;
mod messages;

/// A service, its clock, and a token for it.
struct Desk {
    service: Service,
    clock: Clock,
    bearer: String,
}

const ACCOUNT_PATH: &str = "/restapi/v1.0/account/~";

impl Desk {
    /// A service on a world of three days, after everything in it has settled.
    fn open(unknowns: Unknowns) -> Desk {
        Desk::with(Options { limits_lifted: true, unknowns, ..Options::default() })
    }

    fn with(options: Options) -> Desk {
        static WORLD: LazyLock<Arc<World>> =
            LazyLock::new(|| Arc::new(World::generate(Options { days: 3, ..Options::default() }.plot())));
        Desk::on(Arc::clone(&WORLD), options)
    }

    fn on(world: Arc<World>, options: Options) -> Desk {
        let clock = Clock::fixed(world.settled());
        let service = Service::new(world, options, clock.clone());
        let bearer = format!("Bearer {}", grant(&service));
        Desk { service, clock, bearer }
    }

    fn at(&self, millis: i64) {
        self.clock.set(DateTime::from_timestamp_millis(millis).expect("an instant"));
    }

    fn reply(&self, address: &str) -> Reply {
        let ask = Ask::get(&format!("{ACCOUNT_PATH}{address}")).with_header("authorization", &self.bearer);
        self.service.answer(&ask, Duration::from_secs(1))
    }

    fn get(&self, address: &str) -> Value {
        let reply = self.reply(address);
        let body = String::from_utf8(reply.body).expect("text");
        assert_eq!(reply.status, 200, "{address}: {body}");
        serde_json::from_str(&body).expect("JSON")
    }

    /// Status, code and parameter of a refusal.
    fn refusal(&self, address: &str) -> (u16, String, String) {
        let reply = self.reply(address);
        let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
        let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
        (reply.status, text(&body["errors"][0]["errorCode"]), text(&body["parameterName"]))
    }

    /// All records of a list, page after page.
    fn all(&self, address: &str) -> Vec<Value> {
        let mut records = Vec::new();
        let mut next = Some(address.to_owned());
        while let Some(address) = next {
            let mut page = self.get(&address);
            records.append(page["records"].as_array_mut().expect("records"));
            let uri = page["navigation"]["nextPage"]["uri"].as_str();
            next = uri.map(|uri| uri.replace(&account_uri(), ""));
        }
        records
    }
}

fn account_uri() -> String {
    format!("{NO_ORIGIN}/restapi/v1.0/account/400131426008")
}

fn grant(service: &Service) -> String {
    let jwt = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", service.jwt())];
    let user = format!("{}:{}", service.client_id(), service.client_secret());
    let basic = format!("Basic {}", token::encode_base64(user.as_bytes()));
    let ask = Ask::post(route::TOKEN, &jwt).with_header("authorization", &basic);
    let reply = service.answer(&ask, Duration::ZERO);
    let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
    body["access_token"].as_str().expect("a token").to_owned()
}

fn ids(records: &[Value]) -> Vec<&str> {
    records.iter().filter_map(|record| record["id"].as_str()).collect()
}

fn records(body: &Value) -> &[Value] {
    body["records"].as_array().expect("records")
}

const WINDOW: &str = "dateFrom=2026-09-30T00:00:00Z&dateTo=2026-10-10T00:00:00Z";

#[test]
fn answers_tell_the_virtual_time_and_the_same_request_gets_the_same_bytes() {
    let (one, other) = (Desk::open(Unknowns::default()), Desk::open(Unknowns::default()));
    one.at(1_790_913_907_000);
    other.at(1_790_913_907_000);
    let reply = one.reply("/call-log-extract-sync?syncType=FSync&dateFrom=2026-10-01&view=Detailed");
    assert_eq!(reply.header("date"), Some("Fri, 02 Oct 2026 04:05:07 GMT"));
    assert_eq!(reply, other.reply("/call-log-extract-sync?syncType=FSync&dateFrom=2026-10-01&view=Detailed"));
    assert_eq!(reply.carriage, Carriage::Whole);
}

#[test]
fn limits_follow_the_time_that_is_brought_along() {
    let options = Options::default();
    let desk = Desk::with(options);
    let ask =
        Ask::get(&format!("{ACCOUNT_PATH}/call-log-extract-sync")).with_header("authorization", &desk.bearer);
    let status = |seconds| desk.service.answer(&ask, Duration::from_secs(seconds)).status;
    let statuses: Vec<u16> = (0..11).map(status).collect();
    assert_eq!(statuses[..10], [200; 10]);
    assert_eq!(statuses[10], 429);
    assert_eq!(status(71), 200, "after the penalty");
    assert_eq!(status(3600), 401, "the token has expired");
}
