//! Call logs: lists and their filters, single records, calls in progress, and both ways of synchronisation.

use super::*;
use crate::sandbox::world::plan::Look;

/// Extracts everything from the beginning of the world, and goes on until nothing is newer.
fn extract(desk: &Desk, count: usize) -> (Vec<Value>, String) {
    let mut body = desk.get(&format!(
        "/call-log-extract-sync?syncType=FSync&dateFrom=2026-09-30&recordCount={count}&view=Detailed"
    ));
    let mut found = Vec::new();
    loop {
        found.append(body["records"].as_array_mut().expect("records"));
        let token = body["syncInfo"]["syncToken"].as_str().expect("a token").to_owned();
        if body["syncInfo"]["newerRecordsExist"] == false {
            return (found, token);
        }
        body = desk.get(&format!("/call-log-extract-sync?syncType=ISync&syncToken={token}&view=Detailed"));
    }
}

#[test]
fn extraction_loses_nothing_whatever_happens_between_its_pages() {
    let desk = Desk::open(Unknowns::default());
    let (late, _) = extract(&desk, 1000);
    assert_eq!(late.len(), desk.service.world.records.len(), "the last version of each record once");
    assert!(late.iter().any(|record| record["deleted"] == true));
    let modified: Vec<i64> = late
        .iter()
        .map(|record| desk.service.world.record(record["id"].as_str().expect("an id")).expect("a record"))
        .map(|plan| plan.versions.last().expect("a version").visible_from_ms)
        .collect();
    assert!(modified.is_sorted(), "by modification");

    // Asked every two hours from the first morning on, every version that lasts until the next question is told.
    let (mut latest, mut now_ms) = (BTreeMap::new(), 1_790_852_400_000);
    desk.at(now_ms);
    let (found, mut token) = extract(&desk, 40);
    let keep = |latest: &mut BTreeMap<String, Value>, found: Vec<Value>| {
        latest.extend(
            found.into_iter().map(|record| (record["id"].as_str().expect("an id").to_owned(), record)),
        );
    };
    keep(&mut latest, found);
    let settled_ms = desk.service.world.settled().timestamp_millis();
    while now_ms < settled_ms {
        now_ms += 7_200_000;
        desk.at(now_ms);
        loop {
            let query = format!("/call-log-extract-sync?syncType=ISync&syncToken={token}&view=Detailed");
            let mut body = desk.get(&query);
            keep(&mut latest, std::mem::take(body["records"].as_array_mut().expect("records")));
            token = body["syncInfo"]["syncToken"].as_str().expect("a token").to_owned();
            if body["syncInfo"]["newerRecordsExist"] == false {
                break;
            }
        }
    }
    let expected: BTreeMap<String, Value> =
        late.into_iter().map(|record| (record["id"].as_str().expect("an id").to_owned(), record)).collect();
    assert!(latest == expected);
}

#[test]
fn records_of_one_millisecond_are_not_parted() {
    let options = Options { days: 1, limits_lifted: true, ..Options::default() };
    let mut world = World::generate(options.plot());
    let settled_ms = world.settled().timestamp_millis();
    for record in &mut world.records[..12] {
        record.versions = vec![crate::sandbox::world::plan::Version {
            visible_from_ms: settled_ms - 10,
            look: Look::Final,
        }];
    }
    let twelve: BTreeSet<String> = world.records[..12].iter().map(|record| record.id()).collect();
    let unknowns = Unknowns { cut_request_times: false, ..Unknowns::default() };
    let desk = Desk::on(Arc::new(world), Options { unknowns, ..options });
    let from = stamp(settled_ms - 10);
    let body = desk.get(&format!("/call-log-extract-sync?syncType=FSync&dateFrom={from}&recordCount=5"));
    let told: BTreeSet<String> = ids(records(&body)).into_iter().map(str::to_owned).collect();
    assert_eq!(told, twelve, "more than asked for");
    let rest = desk.get(&format!("/call-log-extract-sync?syncType=FSync&dateFrom={from}&recordCount=50"));
    assert_eq!(body["syncInfo"]["newerRecordsExist"], records(&rest).len() > 12);
}

#[test]
fn extraction_refuses_what_it_must() {
    let desk = Desk::with(Options {
        limits_lifted: true,
        sync_token_life: Some(TimeDelta::hours(2)),
        unknowns: Unknowns {
            extract_history: Some(TimeDelta::days(60)),
            record_count_refused: true,
            ..Unknowns::default()
        },
        ..Options::default()
    });
    let parameter = |name: &str| (400, "CMN-101".to_owned(), name.to_owned());
    let refused = |query: &str| desk.refusal(&format!("/call-log-extract-sync?{query}"));
    let token = desk.get("/call-log-extract-sync")["syncInfo"]["syncToken"].as_str().expect("one").to_owned();
    assert_eq!(refused(&format!("syncType=ISync&syncToken={token}&recordCount=5")), parameter("recordCount"));
    assert_eq!(refused("recordCount=1001"), parameter("recordCount"));
    assert_eq!(refused("recordCount=0"), parameter("recordCount"));
    assert_eq!(refused("syncType=ISync"), parameter("syncToken"));
    assert_eq!(refused("syncType=ISync&syncToken=nonsense"), parameter("syncToken"));
    assert_eq!(refused("syncType=Sync"), parameter("syncType"));
    assert_eq!(refused("dateFrom=2026-01-01"), parameter("dateFrom"));
    assert_eq!(refused("view=Full"), parameter("view"));
    let elsewhere = desk.refusal(&format!("/call-log-sync?syncType=ISync&syncToken={token}"));
    assert_eq!(elsewhere, parameter("syncToken"), "a token belongs to one stream");
    desk.clock.advance(TimeDelta::hours(3));
    let expired = (400, "CLG-101".to_owned(), "syncToken".to_owned());
    assert_eq!(refused(&format!("syncType=ISync&syncToken={token}")), expired);
}

#[test]
fn deletions_show_as_they_are_set() {
    for (deletions, members) in [
        (Deletions::Marked, Some(15)),
        (Deletions::Stub, Some(8)),
        (Deletions::Bare, Some(2)),
        (Deletions::Absent, None),
    ] {
        let desk = Desk::open(Unknowns { extract_deletions: deletions, ..Unknowns::default() });
        let (found, _) = extract(&desk, 1000);
        let deleted: Vec<&Value> = found.iter().filter(|record| record["deleted"] == true).collect();
        match members {
            None => assert!(deleted.is_empty()),
            Some(members) => {
                assert!(!deleted.is_empty());
                let sizes = deleted.iter().filter_map(|record| record.as_object()).map(serde_json::Map::len);
                let right = |size: usize| {
                    if deletions == Deletions::Marked { size > members } else { size == members }
                };
                assert!(sizes.into_iter().all(right), "{deletions:?}");
            }
        }
    }
}

#[test]
fn synchronisation_tells_the_newest_and_then_what_changed() {
    let desk = Desk::open(Unknowns::default());
    desk.at(1_790_956_800_000);
    let body = desk.get("/call-log-sync?syncType=FSync&recordCount=20&statusGroup=All&dateFrom=2026-10-01");
    let first = records(&body);
    assert_eq!(first.len(), 20);
    let starts: Vec<&str> = first.iter().filter_map(|record| record["startTime"].as_str()).collect();
    assert!(starts.is_sorted_by(|one, next| one >= next), "newest first");
    let token = body["syncInfo"]["syncToken"].as_str().expect("a token").to_owned();
    let since = format!("/call-log-sync?syncType=ISync&syncToken={token}");
    assert!(records(&desk.get(&since)).is_empty(), "nothing has changed");
    let extended = desk.get(&format!("{since}&recordCount=7"));
    assert_eq!(records(&extended).len(), 7);
    assert!(records(&extended).iter().all(|record| record["startTime"].as_str() < starts.last().copied()));
    desk.clock.advance(TimeDelta::minutes(40));
    let changed = desk.get(&format!("{since}&showDeleted=true"));
    assert!((1..=250).contains(&records(&changed).len()));
    desk.clock.set(desk.service.world.settled());
    let too_many = (400, "CMN-101".to_owned(), "syncToken".to_owned());
    assert_eq!(desk.refusal(&since), too_many);
    assert_eq!(desk.refusal("/call-log-sync?syncType=FSync").2, "recordCount");
    let missed = desk.get("/call-log-sync?syncType=FSync&recordCount=250&statusGroup=Missed");
    assert!(!records(&missed).is_empty());
    assert!(
        records(&missed).iter().all(|record| record["result"] == "Missed" || record["result"] == "Voicemail")
    );
}

#[test]
fn an_extensions_log_has_its_side_of_every_call() {
    let desk = Desk::open(Unknowns::default());
    let world = &desk.service.world;
    let company: BTreeSet<String> =
        ids(&desk.all(&format!("/call-log?{WINDOW}&perPage=max"))).into_iter().map(str::to_owned).collect();
    let mut seen = BTreeSet::new();
    for extension in world.cast.extensions.iter().filter(|extension| extension.listed) {
        let path = format!("/extension/{}/call-log", extension.id);
        let found = desk.all(&format!("{path}?{WINDOW}&perPage=max&view=Detailed"));
        assert!(found.iter().all(|record| record["extension"]["id"] == extension.id));
        for record in found.iter().take(4) {
            let id = record["id"].as_str().expect("an id");
            assert_eq!(desk.get(&format!("{path}/{id}?view=Detailed")), *record);
        }
        let sync = desk.get(&format!("{path}-sync?syncType=FSync&recordCount=5&dateFrom=2026-10-01"));
        let newest: Vec<&str> = ids(&found).into_iter().take(5).collect();
        assert_eq!(ids(records(&sync)), newest);
        for id in ids(&found) {
            assert!(seen.insert(id.to_owned()), "{id} is in two logs");
        }
    }
    assert!(seen.len() > company.len(), "members of a queue have records of their own");
    let missing: Vec<&String> = company.difference(&seen).collect();
    assert!(missing.len() < 20, "only a deleted extension's records are in no log: {}", missing.len());
    let apart = Desk::open(Unknowns { extension_ids_differ: true, ..Unknowns::default() });
    let extension = world.cast.extension(3).id;
    let found = apart.all(&format!("/extension/{extension}/call-log?{WINDOW}"));
    assert!(!found.is_empty() && ids(&found).iter().all(|id| !company.contains(*id)));
    assert_eq!(desk.refusal("/extension/77/call-log"), (404, "CMN-102".to_owned(), "extensionId".to_owned()));
}

#[test]
fn filters_of_the_call_log() {
    let desk = Desk::open(Unknowns::default());
    let list = |query: &str| desk.all(&format!("/call-log?{WINDOW}&perPage=max&view=Detailed&{query}"));
    let all = list("");
    let some = |query: &str, right: &dyn Fn(&Value) -> bool| {
        let expected: Vec<&str> =
            ids(&all.iter().filter(|record| right(record)).cloned().collect::<Vec<Value>>())
                .iter()
                .map(|id| {
                    all.iter().find(|record| record["id"] == *id).expect("it")["id"].as_str().expect("id")
                })
                .collect();
        assert!(!expected.is_empty(), "{query} finds nothing");
        assert_eq!(ids(&list(query)), expected, "{query}");
    };
    some("transport=VoIP", &|record| record["transport"] == "VoIP");
    some("recordingType=All", &|record| record.get("recording").is_some());
    some("withRecording=true", &|record| record.get("recording").is_some());
    assert!(list("recordingType=OnDemand").is_empty());
    assert!(list("metadataCategory=Anything").is_empty());
    some("extensionNumber=105&type=Voice", &|record| {
        let own = |party: &Value| party["extensionNumber"] == "105";
        record["type"] == "Voice"
            && (record["extension"]["id"] == desk.service.world.cast.extension(4).id
                || record["internalType"] == "Sip" && (own(&record["to"]) || own(&record["from"])))
    });
    let known =
        all.iter().find_map(|record| record["from"]["phoneNumber"].as_str().filter(|text| text.len() == 12));
    let number = known.expect("a number").trim_start_matches('+').to_owned();
    assert!(!list(&format!("phoneNumber={number}")).is_empty());
    let record = &all[all.len() / 2];
    let session = record["sessionId"].as_str().expect("a session");
    assert!(
        ids(&desk.all(&format!("/call-log?sessionId={session}")))
            .contains(&record["id"].as_str().expect("id"))
    );
    let session = record["telephonySessionId"].as_str().expect("a session");
    assert!(
        ids(&desk.all(&format!("/call-log?telephonySessionId={session}")))
            .contains(&record["id"].as_str().expect("id"))
    );
    let clash = (400, "CLG-110".to_owned(), "sessionId".to_owned());
    assert_eq!(desk.refusal("/call-log?sessionId=1&extensionNumber=101"), clash);
    assert_eq!(desk.refusal("/call-log?phoneNumber=1&extensionNumber=101").1, "CLG-110");
    for (query, name) in [
        ("transport=Pigeon", "transport"),
        ("recordingType=Some", "recordingType"),
        ("showDeleted=maybe", "showDeleted"),
        ("phoneNumber=abc", "phoneNumber"),
        ("type=SMS", "type"),
        ("page=-1", "page"),
    ] {
        assert_eq!(desk.refusal(&format!("/call-log?{query}")), (400, "CMN-101".to_owned(), name.to_owned()));
    }
    let blocked = |show: &str| {
        let ids = desk.service.world.cast.extensions.iter().filter(|extension| extension.listed);
        let lists = ids.map(|extension| {
            desk.all(&format!("/extension/{}/call-log?{WINDOW}&showBlocked={show}&perPage=max", extension.id))
        });
        lists.flatten().filter(|record| record["result"] == "Blocked").count()
    };
    assert!(blocked("true") > 0);
    assert_eq!(blocked("false"), 0);
}

#[test]
fn several_records_come_in_parts() {
    let desk = Desk::open(Unknowns::default());
    let list = desk.all(&format!("/call-log?{WINDOW}&perPage=max"));
    let some: Vec<&str> = ids(&list).into_iter().take(3).collect();
    let reply = desk.reply(&format!("/call-log/{},nobody", some.join("%2C")));
    let body = String::from_utf8(reply.body.clone()).expect("text");
    let kind = reply.header("content-type").expect("a type");
    let boundary = kind.strip_prefix("multipart/mixed; boundary=").expect("parts");
    let parts: Vec<&str> = body.split(&format!("--{boundary}")).collect();
    assert_eq!((reply.status, parts.len()), (207, 7), "nothing, the statuses, four parts, the end");
    let content = |part: &str| -> Value {
        serde_json::from_str(part.split("\r\n\r\n").nth(1).expect("content")).expect("JSON")
    };
    let statuses: Vec<u64> = content(parts[1])["response"]
        .as_array()
        .expect("statuses")
        .iter()
        .filter_map(|part| part["status"].as_u64())
        .collect();
    assert_eq!(statuses, [200, 200, 200, 404]);
    assert_eq!(content(parts[3])["id"], some[1]);
    assert_eq!(content(parts[5])["errors"][0]["errorCode"], "CMN-102");
    let many = vec!["x"; 51].join(",");
    assert_eq!(desk.refusal(&format!("/call-log/{many}")).1, "CMN-106");
    assert_eq!(desk.refusal("/call-log/a,,b").2, "callRecordId");
}

#[test]
fn active_calls_are_those_of_now_and_of_just_before() {
    let desk = Desk::open(Unknowns::default());
    let plan = desk.service.world.records.iter().find(|record| record.lasting_ms > 60_000 && !record.fax);
    let plan = plan.expect("a talk");
    let shown = |now_ms: i64, extension: &str| {
        desk.at(now_ms);
        let body = desk.get(&format!("{extension}/active-calls?view=Detailed&perPage=max"));
        assert!(body["paging"].get("totalElements").is_none());
        records(&body).iter().find(|record| record["id"] == plan.id()).cloned()
    };
    assert_eq!(shown(plan.start_ms + 2000, ""), None, "the list is late");
    let early = shown(plan.start_ms + 11_000, "").expect("it is there");
    assert_eq!((&early["result"], &early["finished"]), (&Value::from("In Progress"), &Value::from(false)));
    assert!(early.get("duration").is_none() && early.get("billing").is_none());
    let late = shown(plan.end_ms() + 15_000, "").expect("it lingers");
    assert_eq!((&late["result"], &late["finished"]), (&Value::from(plan.result), &Value::from(true)));
    assert_eq!(shown(plan.end_ms() + 120_000, ""), None);
    let own = format!("/extension/{}", desk.service.world.cast.extension(plan.seat).id);
    assert!(shown(plan.start_ms + 11_000, &own).is_some());
    assert_eq!(desk.refusal("/active-calls?direction=Up").2, "direction");
}

#[test]
fn old_calls_are_gone() {
    let desk = Desk::open(Unknowns::default());
    let oldest = desk.service.world.records[0].start_ms;
    let year_ms = 365 * 24 * 3_600_000;
    let count = || desk.all(&format!("/call-log?{WINDOW}&showDeleted=true&perPage=max")).len();
    desk.at(oldest + year_ms);
    assert_eq!(count(), desk.service.world.records.len());
    desk.at(oldest + year_ms + 1);
    assert_eq!(count(), desk.service.world.records.len() - 1);
    assert_eq!(desk.refusal(&format!("/call-log/{}", desk.service.world.records[0].id())).0, 404);
}

#[test]
fn every_switch_of_call_records_changes_what_it_says() {
    let list = |unknowns: Unknowns, query: &str| {
        Desk::open(unknowns).all(&format!("/call-log?{WINDOW}&perPage=max&{query}"))
    };
    let base = Unknowns::default;
    let plain = list(base(), "view=Detailed");
    let simple = list(
        Unknowns { simple_last_modified: true, simple_billing: true, simple_extension: true, ..base() },
        "",
    );
    assert!(simple.iter().filter(|record| record["result"] != "In Progress").all(|record| {
        ["lastModifiedTime", "billing", "extension"].iter().all(|name| record.get(*name).is_some())
    }));
    for (rounding, right) in [
        (Rounding::Up, (|millis| millis.div_ceil(1000)) as fn(u64) -> u64),
        (Rounding::Down, |millis| millis / 1000),
    ] {
        let rounded = list(Unknowns { duration_rounding: rounding, ..base() }, "view=Detailed");
        assert!(
            rounded
                .iter()
                .filter_map(|record| Some((record["duration"].as_u64()?, record["durationMs"].as_u64()?)))
                .all(|(seconds, millis)| seconds == right(millis))
        );
    }
    let reversed = list(Unknowns { leg_order: LegOrder::MostRecentFirst, ..base() }, "view=Detailed");
    assert!(
        reversed
            .iter()
            .all(|record| record["legs"].as_array().expect("legs").last().expect("one")["master"] == true)
    );
    let offset = list(Unknowns { time_style: TimeStyle::Offset, ..base() }, "");
    assert!(offset.iter().all(|record| record["startTime"].as_str().expect("a time").ends_with("+0000")));
    let varied = list(Unknowns { result_spelling: Spelling::Varied, ..base() }, "");
    let results: BTreeSet<&str> = varied.iter().filter_map(|record| record["result"].as_str()).collect();
    assert!(["accepted", "Accepted", "ACCEPTED"].iter().all(|result| results.contains(result)));
    assert!(
        list(Unknowns { finished_absent: true, ..base() }, "")
            .iter()
            .all(|record| record.get("finished").is_none())
    );
    let marked = |unknowns| {
        list(unknowns, "showDeleted=true").iter().filter(|record| record["deleted"] == true).count()
    };
    assert!(marked(base()) > 0);
    assert_eq!(marked(Unknowns { list_marks_deleted: false, ..base() }), 0);
    assert!(plain.len() > 100);
}

#[test]
fn calls_in_progress_show_as_they_are_set() {
    let underway = |in_progress, millis: i64| {
        let desk = Desk::open(Unknowns { in_progress, ..Unknowns::default() });
        desk.at(millis);
        let found = desk.all("/call-log?perPage=max");
        found.iter().filter(|record| record["result"] == "In Progress").count()
    };
    let desk = Desk::open(Unknowns::default());
    let ringing =
        desk.service.world.records.iter().find(|record| matches!(record.versions[0].look, Look::Ringing(_)));
    let now_ms = ringing.expect("one").versions[0].visible_from_ms + 10_000;
    let (some, never, always) = (
        underway(InProgress::Some, now_ms),
        underway(InProgress::Never, now_ms),
        underway(InProgress::Always, now_ms),
    );
    assert!(never == 0 && some > 0 && always > some, "{never} {some} {always}");
}

#[test]
fn pages_that_are_trimmed_are_short_and_go_on() {
    let desk = Desk::open(Unknowns { trim_pages: true, ..Unknowns::default() });
    let query = format!("/call-log?{WINDOW}&type=Fax&perPage=50");
    let first = desk.get(&query);
    assert!(records(&first).len() < 50 && first["navigation"].get("nextPage").is_some());
    let whole = Desk::open(Unknowns::default()).all(&query);
    assert_eq!(ids(&desk.all(&query)), ids(&whole));
}

#[test]
fn windows_are_read_as_they_are_set() {
    let count =
        |unknowns, query: &str| Desk::open(unknowns).all(&format!("/call-log?perPage=max&{query}")).len();
    let day = "dateFrom=2026-10-01&dateTo=2026-10-02";
    let local = count(Unknowns { dates_are_local: true, ..Unknowns::default() }, day);
    let base = count(Unknowns::default(), "dateFrom=2026-10-01T04:00:00Z&dateTo=2026-10-02T04:00:00Z");
    assert_eq!(local, base);
    assert_ne!(local, count(Unknowns::default(), day));
    let narrow = Desk::open(Unknowns { widest_window: Some(TimeDelta::days(1)), ..Unknowns::default() });
    assert!(!records(&narrow.get(&format!("/call-log?{day}"))).is_empty());
    assert_eq!(narrow.refusal(&format!("/call-log?{WINDOW}")).2, "dateFrom");
}
