//! The server over real HTTP: lists, single resources, tokens, limits and faults.

use super::*;
use crate::sandbox::faults::FaultPlan;
use crate::sandbox::service::Group;
use crate::sandbox::service::Unknowns;
use crate::sandbox::service::route::{ACCOUNT, CALL_LOG, TOKEN};
use crate::sandbox::world::plan::Look;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Client;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const JWT_GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

struct Session {
    running: Running,
    http: Client,
    token: String,
}

fn short() -> Options {
    Options { days: 3, limits_lifted: true, ..Options::default() }
}

/// Starts a sandbox after everything in its world has settled, and gets a token.
async fn open(options: Options) -> Session {
    let world = Arc::new(World::generate(options.plot()));
    let clock = Clock::fixed(world.settled());
    let running = serve(world, options, clock).expect("a sandbox");
    let http = Client::new();
    let (status, body) = grant(&http, &running).await;
    assert_eq!(status, 200, "{body}");
    let token = body["access_token"].as_str().expect("a token").to_owned();
    Session { running, http, token }
}

async fn grant(http: &Client, running: &Running) -> (u16, Value) {
    let body = format!("grant_type={}&assertion={}", JWT_GRANT.replace(':', "%3A"), running.jwt);
    let request = http
        .post(format!("{}{TOKEN}", running.base_url))
        .basic_auth(&running.client_id, Some(&running.client_secret))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    let response = request.send().await.expect("an answer");
    (response.status().as_u16(), read(response).await)
}

async fn read(response: reqwest::Response) -> Value {
    let text = response.text().await.expect("a body");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

impl Session {
    async fn ask(&self, address: &str) -> reqwest::Response {
        let address = if address.starts_with("http") {
            address.to_owned()
        } else {
            format!("{}/restapi/v1.0/account/~{address}", self.running.base_url)
        };
        self.http.get(address).bearer_auth(&self.token).send().await.expect("an answer")
    }

    async fn get(&self, address: &str) -> (u16, Value) {
        let response = self.ask(address).await;
        (response.status().as_u16(), read(response).await)
    }

    /// All records of a list, page after page.
    async fn all(&self, address: &str) -> Vec<Value> {
        let mut records = Vec::new();
        let mut next = Some(address.to_owned());
        while let Some(address) = next {
            let (status, mut page) = self.get(&address).await;
            assert_eq!(status, 200, "{page}");
            records.append(page["records"].as_array_mut().expect("records"));
            next = page["navigation"]["nextPage"]["uri"].as_str().map(str::to_owned);
        }
        records
    }
}

const WINDOW: &str = "dateFrom=2026-09-30T00:00:00Z&dateTo=2026-10-10T00:00:00Z";

fn code(body: &Value) -> &str {
    body["errors"][0]["errorCode"].as_str().unwrap_or("none")
}

#[tokio::test]
async fn paging_covers_every_record_once_and_newest_first() {
    let session = open(short()).await;
    let list = format!("/call-log?view=Detailed&{WINDOW}&showDeleted=true&perPage=170");
    let records = session.all(&list).await;
    let ids: BTreeSet<&str> = records.iter().filter_map(|record| record["id"].as_str()).collect();
    assert_eq!(ids.len(), records.len());
    assert_eq!(ids.len(), session.running.world.records.len());
    let starts: Vec<&str> = records.iter().filter_map(|record| record["startTime"].as_str()).collect();
    assert!(starts.windows(2).all(|pair| pair[0] >= pair[1]));
    let shown = session.all(&format!("/call-log?{WINDOW}&perPage=max")).await;
    let deleted = records.iter().filter(|record| record["deleted"] == true).count();
    assert!(deleted > 0);
    assert_eq!(shown.len() + deleted, records.len());
    assert!(shown.iter().all(|record| record.get("legs").is_none() && record.get("billing").is_none()));
    let faxes = session.all(&format!("/call-log?{WINDOW}&type=Fax&direction=Inbound")).await;
    assert!(
        !faxes.is_empty() && faxes.iter().all(|fax| fax["type"] == "Fax" && fax["direction"] == "Inbound")
    );
    session.running.stop().await;
}

#[tokio::test]
async fn a_list_of_calls_has_no_totals_and_an_empty_page_no_bounds() {
    let session = open(short()).await;
    let (_, page) = session.get("/call-log?dateFrom=2026-10-01T13:00:00Z&dateTo=2026-10-02T13:00:00Z").await;
    assert_eq!(page["records"].as_array().map(Vec::len), Some(100));
    assert_eq!(
        page["paging"],
        serde_json::json!({ "page": 1, "perPage": 100, "pageStart": 0, "pageEnd": 99 })
    );
    let next = page["navigation"]["nextPage"]["uri"].as_str().expect("a next page");
    assert!(next.starts_with(&session.running.base_url), "{next}");
    let (_, page) = session.get("/call-log?dateFrom=2026-10-01&dateTo=2026-10-02&page=999").await;
    assert_eq!(page["paging"], serde_json::json!({ "page": 999, "perPage": 100 }));
    assert!(page["navigation"].get("nextPage").is_none());
    let (status, body) = session.get("/call-log?dateFrom=yesterday").await;
    assert_eq!((status, code(&body), &body["parameterName"]), (400, "CMN-101", &Value::from("dateFrom")));
}

#[tokio::test]
async fn records_appear_change_and_vanish_as_the_clock_goes() {
    let session = open(short()).await;
    let world = Arc::clone(&session.running.world);
    let clock = session.running.clock.clone();
    let changing = world.records.iter().find(|record| matches!(record.versions[0].look, Look::Ringing(_)));
    let changing = changing.expect("a call that is seen while it rings");
    let address = format!("/call-log/{}?view=Detailed", changing.id());
    let at = |millis: i64| DateTime::from_timestamp_millis(millis).expect("an instant");
    clock.set(at(changing.versions[0].visible_from_ms - 1));
    let (status, body) = session.get(&address).await;
    assert_eq!((status, code(&body)), (404, "CMN-102"));
    clock.set(at(changing.versions[0].visible_from_ms));
    let (_, early) = session.get(&address).await;
    assert_eq!((&early["result"], &early["direction"]), (&"In Progress".into(), &"Outbound".into()));
    assert!(early.get("duration").is_none() && early["finished"] == false);
    clock.set(world.settled());
    let (_, late) = session.get(&address).await;
    assert_eq!((&late["result"], &late["direction"]), (&"Accepted".into(), &"Inbound".into()));
    assert_eq!(late["id"], early["id"]);
    let gone = world
        .records
        .iter()
        .find(|record| record.versions.iter().any(|version| version.look == Look::Deleted));
    let (status, _) = session.get(&format!("/call-log/{}", gone.expect("a deleted record").id())).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn mailboxes_hold_every_message_once() {
    let session = open(Options { refused_mailboxes: vec!["105".to_owned()], ..short() }).await;
    let extensions = session.all("/extension?perPage=7").await;
    assert_eq!(extensions.iter().filter(|extension| extension["type"] == "Department").count(), 2);
    assert_eq!(extensions.iter().filter(|extension| extension["status"] == "Disabled").count(), 1);
    let mut seen = BTreeSet::new();
    for extension in &extensions {
        let id = extension["id"].as_u64().expect("an id");
        let all = "availability=Alive&availability=Deleted&availability=Purged";
        let list = format!("/extension/{id}/message-store?{WINDOW}&{all}&perPage=90");
        if extension["extensionNumber"] == "105" {
            let (status, body) = session.get(&list).await;
            assert_eq!((status, code(&body)), (403, "CMN-408"));
            continue;
        }
        let (_, page) = session.get(&list).await;
        let total = page["paging"]["totalElements"].as_u64().expect("a total");
        let messages = session.all(&list).await;
        assert_eq!(u64::try_from(messages.len()).expect("small"), total);
        for message in messages {
            assert!(seen.insert(message["id"].as_u64().expect("an id")));
        }
    }
    let world = &session.running.world;
    let expected = world.messages.iter().filter(|message| message.mailbox != 4);
    assert_eq!(seen.len(), expected.count());
    let (status, body) = session.get("/extension/12345/message-store").await;
    assert_eq!((status, code(&body)), (404, "CMN-102"));
}

#[tokio::test]
async fn a_text_goes_through_its_states() {
    let session = open(short()).await;
    let world = Arc::clone(&session.running.world);
    let text =
        world.messages.iter().find(|message| message.type_name() == "SMS" && message.versions.len() == 3);
    let text = text.expect("a text of three states");
    let id = world.cast.extension(text.mailbox).id;
    let mut states = Vec::new();
    for version in &text.versions {
        let instant = DateTime::from_timestamp_millis(version.visible_from_ms).expect("an instant");
        session.running.clock.set(instant);
        let (_, message) = session.get(&format!("/extension/{id}/message-store/{}", text.id)).await;
        states.push(message["messageStatus"].as_str().unwrap_or("none").to_owned());
    }
    assert_eq!(states[..2], ["Queued", "Sent"]);
    assert!(["Delivered", "DeliveryFailed"].contains(&states[2].as_str()), "{states:?}");
}

#[tokio::test]
async fn limits_are_told_and_kept() {
    let options = Options { days: 1, rate_window: Duration::from_secs(60), ..Options::default() };
    let session = open(options).await;
    let mut last = 0;
    for left in (0..10).rev() {
        let response = session.ask("/call-log").await;
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["x-rate-limit-remaining"], left.to_string().as_str());
        assert_eq!(response.headers()["x-rate-limit-group"], "heavy");
        last += 1;
    }
    let response = session.ask("/call-log").await;
    assert_eq!(response.status().as_u16(), 429);
    assert_eq!(response.headers()["retry-after"], "60");
    assert_eq!(response.headers()["x-rate-limit-window"], "60");
    assert_eq!(code(&read(response).await), "CMN-301");
    let (status, _) = session.get("").await;
    assert_eq!(status, 200, "another group is another limit");
    let stats = &session.running.stats;
    assert_eq!(stats.refused_in(Group::Heavy), 1);
    let expected = BTreeMap::from([
        ((Group::Auth, TOKEN), 1),
        ((Group::Light, ACCOUNT), 1),
        ((Group::Heavy, CALL_LOG), last + 1),
    ]);
    assert_eq!(stats.requests(), expected);
}

fn plan(fault: &str) -> FaultPlan {
    FaultPlan::parse(&format!("[[fault]]\n{fault}")).expect("a plan")
}

#[tokio::test]
async fn tokens_are_asked_for_and_expire() {
    let faults = plan("kind = \"token-expired\"\nat = [3]");
    let mut session = open(Options { days: 1, faults, limits_lifted: true, ..Options::default() }).await;
    for expected in [200, 200, 401] {
        let (status, body) = session.get("").await;
        assert_eq!(status, expected, "{body}");
        assert!(status == 200 || code(&body) == "OAU-128");
    }
    session.token = "nonsense".to_owned();
    let (status, body) = session.get("").await;
    assert_eq!((status, code(&body)), (401, "OAU-213"));
    let (_, again) = grant(&session.http, &session.running).await;
    session.token = again["access_token"].as_str().expect("a token").to_owned();
    let (status, body) = session.get("").await;
    assert_eq!((status, &body["mainNumber"]), (200, &Value::from("+12125550100")));
}

#[tokio::test]
async fn faults_happen_on_the_count() {
    let faults = plan("kind = \"limited-mode\"\nevery = 3\n[[fault]]\nkind = \"truncated-json\"\nevery = 2");
    let session = open(Options { days: 1, faults, limits_lifted: true, ..Options::default() }).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let (status, body) = session.get("/extension").await;
        seen.push((status, body.is_null()));
    }
    assert_eq!(seen, [(200, false), (200, true), (503, false), (200, true)]);
}

#[tokio::test]
async fn only_loopback_is_served() {
    let address: SocketAddr = "192.0.2.1:0".parse().expect("an address");
    let refused = start(Options { address, ..short() }, Clock::fixed(DateTime::<Utc>::UNIX_EPOCH));
    assert!(matches!(refused, Err(StartError::NotLoopback(_))));
    let session = open(short()).await;
    let address = format!("{}/restapi/v2/anything", session.running.base_url);
    let (status, body) = session.get(&address).await;
    assert_eq!((status, code(&body)), (404, "CMN-120"));
}

#[test]
fn there_must_be_a_runtime() {
    assert!(matches!(start(short(), Clock::fixed(DateTime::<Utc>::UNIX_EPOCH)), Err(StartError::NoRuntime)));
}

#[tokio::test]
async fn unknown_behaviour_is_a_switch() {
    let world = World::generate(short().plot());
    let fax = world.messages.iter().find(|message| message.type_name() == "Fax" && !message.inbound);
    let fax = fax.expect("a sent fax").id;
    let line = world.cast.extension(crate::sandbox::world::cast::FAX_LINE).id;
    let address = format!("/extension/{line}/message-store/{fax}");
    let month = Some(TimeDelta::days(30));
    for (retention, days, expected) in [(None, 40, 200), (month, 20, 200), (month, 40, 404)] {
        let session = open(Options { sent_fax_retention: retention, ..short() }).await;
        session.running.clock.set(short().from + TimeDelta::days(days));
        let (status, _) = session.get(&address).await;
        assert_eq!(status, expected, "{retention:?} {days}");
    }
    let edge = world.records.iter().find(|record| record.start_ms % 1000 == 0).expect("a call on the second");
    let stamp = crate::sandbox::world::calendar::stamp(edge.start_ms);
    for (date_to_inclusive, expected) in [(false, 0), (true, 1)] {
        let session =
            open(Options { unknowns: Unknowns { date_to_inclusive, ..Unknowns::default() }, ..short() })
                .await;
        let list = format!("/call-log?dateFrom={stamp}&dateTo={stamp}&showDeleted=true");
        assert_eq!(session.all(&list).await.len(), expected);
    }
}

fn carried(carriage: Carriage) -> Reply {
    let headers = vec![("date".to_owned(), "Thu, 01 Oct 2026 04:00:00 GMT".to_owned())];
    Reply { status: 200, headers, body: b"0123456789".to_vec(), carriage }
}

async fn misbehave(ConnectInfo(slot): ConnectInfo<Slot>, request: Request) -> Response {
    let carriage = match request.uri().path() {
        "/reset" => Carriage::Reset,
        "/cut" => Carriage::CutAfter(4),
        "/drip" => Carriage::Drip { milliseconds_per_byte: 5 },
        "/long" => Carriage::LengthOff(3),
        "/short" => Carriage::LengthOff(-3),
        "/hang" => Carriage::Hang,
        _ => Carriage::Whole,
    };
    let (open, stopped) = watch::channel(());
    let response = send(carried(carriage), &slot, &stopped).await;
    drop(open);
    response
}

#[tokio::test]
async fn answers_travel_as_they_are_told_to() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().fallback(misbehave);
    let service = router.into_make_service_with_connect_info::<Slot>();
    let server = tokio::spawn(async { axum::serve(Lines(listener), service).await });
    let http = Client::new();
    let ask = async |path: &str| {
        let response = http.get(format!("{origin}{path}")).send().await.map_err(|_| "no answer")?;
        assert_eq!(response.headers()["date"], "Thu, 01 Oct 2026 04:00:00 GMT");
        response.text().await.map_err(|_| "a broken body")
    };
    assert_eq!(ask("/whole").await.as_deref(), Ok("0123456789"));
    assert_eq!(ask("/reset").await, Err("no answer"));
    assert_eq!(ask("/cut").await, Err("a broken body"));
    assert_eq!(ask("/long").await, Err("a broken body"));
    assert_eq!(ask("/short").await.as_deref(), Ok("0123456"));
    let started = Instant::now();
    assert_eq!(ask("/drip").await.as_deref(), Ok("0123456789"));
    assert!(started.elapsed() >= Duration::from_millis(45));
    let hang = tokio::time::timeout(Duration::from_millis(50), ask("/hang")).await;
    assert!(hang.is_err(), "it does not answer");
    server.abort();
}
