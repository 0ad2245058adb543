//! Successful answers of every operation, at moments when calls ring, talk, have just ended, and have long been settled.

use super::*;

pub static ANSWERS: OnceLock<()> = OnceLock::new();
pub static SWITCHES: OnceLock<()> = OnceLock::new();

/// Moments at which the world is looked at.
const MOMENTS: [&str; 3] = ["2026-10-01T14:03:00Z", "2026-10-01T19:30:20Z", "2026-10-14T00:00:00Z"];

pub fn all() {
    let desk = Desk::plain();
    let account = desk.get(ACCOUNT, "");
    assert_eq!(account["mainNumber"], "+12125550100");
    let extensions = desk.extensions();
    for moment in MOMENTS {
        desk.clock.set(instant(moment));
        company(&desk);
        for extension in extensions.iter().step_by(6) {
            logs_of(&desk, *extension);
        }
        for extension in &extensions {
            mailbox(&desk, *extension);
        }
    }
    batches(&desk, extensions[0]);
}

fn company(desk: &Desk) {
    for view in ["Simple", "Detailed"] {
        let query = format!("view={view}&showDeleted=true&perPage=1000&{EVERYTHING}");
        let page = desk.get(&format!("{ACCOUNT}/call-log"), &format!("/call-log?{query}"));
        for record in page["records"]
            .as_array()
            .expect("records")
            .iter()
            .filter(|record| record["deleted"] != true)
            .step_by(97)
        {
            let id = record["id"].as_str().expect("an id");
            desk.get(&format!("{ACCOUNT}/call-log/{{callRecordId}}"), &format!("/call-log/{id}?view={view}"));
        }
        desk.get(&format!("{ACCOUNT}/active-calls"), &format!("/active-calls?view={view}"));
        let path = format!("{ACCOUNT}/call-log-extract-sync");
        let first =
            format!("/call-log-extract-sync?syncType=FSync&dateFrom=2026-09-30&view={view}&recordCount=400");
        let mut body = desk.get(&path, &first);
        while body["syncInfo"]["newerRecordsExist"] == true {
            let token = body["syncInfo"]["syncToken"].as_str().expect("a token").to_owned();
            body = desk
                .get(&path, &format!("/call-log-extract-sync?syncType=ISync&syncToken={token}&view={view}"));
        }
        changes(desk, ACCOUNT, "", view);
    }
    desk.get(&format!("{ACCOUNT}/call-log"), "/call-log?page=1000");
}

/// A full synchronisation, and an incremental one that reaches into the past.
fn changes(desk: &Desk, path: &str, address: &str, view: &str) {
    let path = format!("{path}/call-log-sync");
    let full =
        format!("{address}/call-log-sync?syncType=FSync&recordCount=30&dateFrom=2026-09-30&view={view}");
    let body = desk.get(&path, &full);
    let token = body["syncInfo"]["syncToken"].as_str().expect("a token").to_owned();
    desk.clock.advance(TimeDelta::minutes(30));
    let more =
        format!("{address}/call-log-sync?syncType=ISync&syncToken={token}&recordCount=200&showDeleted=true");
    desk.get(&path, &format!("{more}&view={view}"));
    desk.clock.advance(TimeDelta::minutes(-30));
}

fn logs_of(desk: &Desk, extension: u64) {
    let address = format!("/extension/{extension}");
    for view in ["Simple", "Detailed"] {
        let query = format!("view={view}&showDeleted=true&perPage=1000&{EVERYTHING}");
        let page = desk.get(&format!("{EXTENSION}/call-log"), &format!("{address}/call-log?{query}"));
        for record in page["records"]
            .as_array()
            .expect("records")
            .iter()
            .filter(|record| record["deleted"] != true)
            .step_by(53)
        {
            let id = record["id"].as_str().expect("an id");
            let path = format!("{EXTENSION}/call-log/{{callRecordId}}");
            desk.get(&path, &format!("{address}/call-log/{id}?view={view}"));
        }
        desk.get(&format!("{EXTENSION}/active-calls"), &format!("{address}/active-calls?view={view}"));
        changes(desk, EXTENSION, &address, view);
    }
}

fn mailbox(desk: &Desk, extension: u64) {
    let address = format!("/extension/{extension}");
    let any = "availability=Alive&availability=Deleted&availability=Purged";
    let list = format!("{address}/message-store?{any}&perPage=1000&{EVERYTHING}");
    let page = desk.get(&format!("{EXTENSION}/message-store"), &list);
    for message in page["records"].as_array().expect("records").iter().step_by(11) {
        let path = format!("{EXTENSION}/message-store/{{messageId}}");
        desk.get(&path, &format!("{address}/message-store/{}", message["id"].to_string().trim_matches('"')));
    }
    let path = format!("{EXTENSION}/message-sync");
    let body = desk.get(&path, &format!("{address}/message-sync?syncType=FSync&{EVERYTHING}"));
    let token = body["syncInfo"]["syncToken"].as_str().expect("a token");
    desk.clock.advance(TimeDelta::days(9));
    desk.get(&path, &format!("{address}/message-sync?syncType=ISync&syncToken={token}"));
    desk.clock.advance(TimeDelta::days(-9));
}

/// Several at once: each part is as it would be alone.
fn batches(desk: &Desk, extension: u64) {
    let page = desk.get(&format!("{ACCOUNT}/call-log"), &format!("/call-log?{EVERYTHING}"));
    let ids: Vec<&str> = page["records"]
        .as_array()
        .expect("records")
        .iter()
        .filter_map(|record| record["id"].as_str())
        .collect();
    let reply = desk.ask(&format!("/call-log/{},nobody?view=Detailed", ids[..20].join(",")));
    assert_eq!(reply.status, 207);
    let boundary =
        reply.header("content-type").expect("a type").split_once("boundary=").expect("a boundary").1;
    let text = String::from_utf8(reply.body.clone()).expect("text");
    let parts: Vec<Value> = text
        .split(&format!("--{boundary}"))
        .filter_map(|part| part.split_once("\r\n\r\n"))
        .map(|(_, body)| serde_json::from_str(body).expect("JSON"))
        .collect();
    assert_eq!(parts.len(), 22, "the statuses, and a part for each");
    for (place, part) in parts.iter().enumerate().skip(1) {
        let name = if place == 21 { "ApiErrorResponseModel" } else { "CallLogRecord" };
        let faults = left(DESCRIPTION.check(DESCRIPTION.schema(name), part), &desk.allowed);
        assert_eq!(faults, []);
    }
    let list = format!("/extension/{extension}/message-store?{EVERYTHING}");
    let page = desk.get(&format!("{EXTENSION}/message-store"), &list);
    let ids: Vec<String> = page["records"]
        .as_array()
        .expect("records")
        .iter()
        .take(3)
        .map(|message| message["id"].to_string())
        .collect();
    let json = "application/vnd.ringcentral.multipart+json";
    let ask = Ask::get(&format!("{ROOT}/extension/{extension}/message-store/{},5", ids.join(",")));
    let ask = ask.with_header("authorization", &desk.bearer).with_header("accept", json);
    let reply = desk.service.answer(&ask, Duration::from_secs(1));
    assert_eq!((reply.status, reply.header("content-type")), (207, Some(json)));
    let value: Value = serde_json::from_slice(&reply.body).expect("JSON");
    let path = format!("{EXTENSION}/message-store/{{messageId}}");
    let schema = DESCRIPTION.answer("get", &path, 207, json).expect("a schema");
    assert_eq!(value.as_array().map(Vec::len), Some(ids.len() + 1));
    let found = Value::Array(value.as_array().into_iter().flatten().take(ids.len()).cloned().collect());
    assert_eq!(left(DESCRIPTION.check(schema, &found), &desk.allowed), []);
}

pub fn switches() {
    let base = Unknowns::default;
    let cases: [(Unknowns, &[&'static str]); 6] = [
        (
            Unknowns {
                in_progress: InProgress::Always,
                trim_pages: true,
                members_see_shared: true,
                ..base()
            },
            &[],
        ),
        (
            Unknowns {
                simple_last_modified: true,
                simple_billing: true,
                simple_extension: true,
                finished_absent: true,
                extension_ids_differ: true,
                queued_pages_absent: true,
                ..base()
            },
            &[],
        ),
        (Unknowns { extract_deletions: Deletions::Stub, sync_deletions: Deletions::Marked, ..base() }, &[]),
        (Unknowns { result_spelling: Spelling::Varied, ..base() }, &["another spelling (a switch)"]),
        (Unknowns { time_style: TimeStyle::Offset, ..base() }, &["another way to write times (a switch)"]),
        (Unknowns { message_ids_are_text: true, ..base() }, &["an id as text (a switch)"]),
    ];
    for (unknowns, allowed) in cases {
        let desk = Desk::with(unknowns, allowed);
        desk.clock.set(instant(MOMENTS[1]));
        company(&desk);
        for extension in [0, 1, 25, 27].map(|place| desk.extensions()[place]) {
            logs_of(&desk, extension);
            mailbox(&desk, extension);
        }
    }
}

#[test]
fn every_answer_is_as_described() {
    once(&ANSWERS, all);
}

#[test]
fn answers_are_as_described_at_every_switch() {
    once(&SWITCHES, switches);
}

#[test]
fn a_bare_deletion_is_no_record() {
    let desk = Desk::with(Unknowns { extract_deletions: Deletions::Bare, ..Unknowns::default() }, &[]);
    let reply = desk.ask("/call-log-extract-sync?dateFrom=2026-10-04&recordCount=1000");
    let value: Value = serde_json::from_slice(&reply.body).expect("JSON");
    let schema = DESCRIPTION.schema("CallLogExtractSyncResponse");
    let places: BTreeSet<String> =
        left(DESCRIPTION.check(schema, &value), &ALWAYS).into_iter().map(|fault| fault.place).collect();
    let missing = ["action", "direction", "sessionId", "startTime", "type", "uri"];
    assert_eq!(places, missing.iter().map(|name| format!("records[].{name}")).collect());
}
