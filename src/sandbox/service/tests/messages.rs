//! Mailboxes: filters, several at once, synchronisation, and what is unknown about them.

use super::*;
use crate::sandbox::world::cast::{AGENTS, DAY_QUEUE, FAX_LINE, Seat};
use crate::sandbox::world::plan::Availability;

fn seats(desk: &Desk) -> impl Iterator<Item = Seat> {
    let listed = |seat: &Seat| desk.service.world.cast.extension(*seat).listed;
    (0..desk.service.world.cast.extensions.len()).filter(listed)
}

/// The mailbox with the most texts.
fn busiest(desk: &Desk) -> Seat {
    let texts = |seat: &Seat| {
        desk.service.world.mailbox(*seat).filter(|message| message.type_name() == "SMS").count()
    };
    seats(desk).max_by_key(texts).expect("a mailbox")
}

fn path(desk: &Desk, seat: Seat) -> String {
    format!("/extension/{}", desk.service.world.cast.extension(seat).id)
}

/// Follows a mailbox from the first morning on until nothing changes any more: what was told last of each message.
fn follow(desk: &Desk, seat: Seat) -> BTreeMap<u64, Value> {
    let sync = format!("{}/message-sync", path(desk, seat));
    let mut now_ms = 1_790_870_400_000;
    desk.at(now_ms);
    let mut body = desk.get(&format!("{sync}?syncType=FSync&dateFrom=2026-09-30&recordCount=1000"));
    assert_eq!(body["syncInfo"]["olderRecordsExist"], false);
    let mut latest = BTreeMap::new();
    let settled_ms = desk.service.world.settled().timestamp_millis();
    loop {
        for record in records(&body) {
            latest.insert(record["id"].as_u64().expect("an id"), record.clone());
        }
        if now_ms >= settled_ms {
            return latest;
        }
        now_ms = settled_ms.min(now_ms + 6 * 3_600_000);
        desk.at(now_ms);
        let token = body["syncInfo"]["syncToken"].as_str().expect("a token");
        body = desk.get(&format!("{sync}?syncType=ISync&syncToken={token}"));
    }
}

#[test]
fn synchronisation_of_a_mailbox_loses_nothing() {
    let desk = Desk::open(Unknowns::default());
    let mut gone = 0;
    for seat in seats(&desk) {
        let latest = follow(&desk, seat);
        assert_eq!(latest.len(), desk.service.world.mailbox(seat).count());
        for message in desk.service.world.mailbox(seat) {
            let told = &latest[&message.id];
            let version = message.versions.last().expect("a version");
            assert_eq!(told["availability"], version.availability.name());
            if version.availability == Availability::Alive {
                let single = desk.get(&format!("{}/message-store/{}", path(&desk, seat), message.id));
                assert_eq!(*told, single);
            } else {
                gone += 1;
                assert_eq!(told.as_object().expect("an object").len(), 2, "id and availability only");
            }
        }
    }
    assert!(gone > 0, "something was deleted");
}

#[test]
fn a_frame_that_is_cut_says_so_and_changes_are_told_again_for_five_seconds() {
    let desk = Desk::open(Unknowns::default());
    let seat = busiest(&desk);
    let sync = format!("{}/message-sync", path(&desk, seat));
    let body = desk.get(&format!("{sync}?dateFrom=2026-09-30&recordCount=5&messageType=SMS"));
    assert_eq!((records(&body).len(), &body["syncInfo"]["olderRecordsExist"]), (5, &Value::from(true)));
    let text = desk.service.world.mailbox(seat).find(|message| message.type_name() == "SMS").expect("a text");
    let seen_ms = text.versions[0].visible_from_ms;
    desk.at(seen_ms);
    let body = desk.get(&format!("{sync}?dateFrom=2026-09-30"));
    let token = body["syncInfo"]["syncToken"].as_str().expect("a token").to_owned();
    let told = |after_ms: i64| {
        desk.at(seen_ms + after_ms);
        let body = desk.get(&format!("{sync}?syncType=ISync&syncToken={token}"));
        records(&body).iter().any(|record| record["id"] == text.id)
    };
    assert!(told(1000), "again");
    for (query, code, name) in [
        ("syncType=ISync", "MSG-333", "syncToken"),
        ("syncType=ISync&syncToken=nonsense", "MSG-333", "syncToken"),
        ("recordCount=0", "CMN-101", "recordCount"),
        ("messageType=Letter", "CMN-101", "messageType"),
        ("conversationId=abc", "CMN-101", "conversationId"),
        ("owner=Somebody", "CMN-101", "owner"),
        ("dateFrom=yesterday", "CMN-101", "dateFrom"),
    ] {
        let expected = (400, code.to_owned(), name.to_owned());
        assert_eq!(desk.refusal(&format!("{sync}?{query}")), expected, "{query}");
    }
    let other = format!("{}/message-sync?syncType=ISync&syncToken={token}", path(&desk, FAX_LINE));
    assert_eq!(desk.refusal(&other).1, "MSG-333", "a token belongs to one mailbox");
}

#[test]
fn tokens_of_mailboxes_expire_where_they_do() {
    let life = Some(TimeDelta::hours(1));
    let desk = Desk::with(Options { limits_lifted: true, sync_token_life: life, ..Options::default() });
    let body = desk.get("/extension/~/message-sync");
    let token = body["syncInfo"]["syncToken"].as_str().expect("a token").to_owned();
    let again = format!("/extension/~/message-sync?syncType=ISync&syncToken={token}");
    assert!(records(&desk.get(&again)).is_empty());
    desk.clock.advance(TimeDelta::minutes(61));
    assert_eq!(desk.refusal(&again), (400, "MSG-333".to_owned(), "syncToken".to_owned()));
}

#[test]
fn filters_of_a_mailbox() {
    let desk = Desk::open(Unknowns::default());
    let seat = busiest(&desk);
    let store = format!("{}/message-store", path(&desk, seat));
    let list = |query: &str| desk.all(&format!("{store}?{WINDOW}&perPage=1000&{query}"));
    let all = list("");
    let unread = list("readStatus=Unread");
    assert!(!unread.is_empty() && unread.len() < all.len());
    assert!(unread.iter().all(|message| message["readStatus"] == "Unread"));
    let text = all.iter().find(|message| message["type"] == "SMS" && message["direction"] == "Inbound");
    let text = text.expect("a text");
    let number = text["from"]["phoneNumber"].as_str().expect("a number").trim_start_matches('+');
    let with = list(&format!("phoneNumber={number}"));
    assert!(with.iter().any(|message| message["id"] == text["id"]));
    assert!(with.iter().all(|message| message.to_string().contains(number)));
    let conversation = &text["conversation"]["id"];
    let talk = list(&format!("conversationId={}", conversation.as_str().expect("an id")));
    assert!(talk.iter().all(|message| message["conversation"]["id"] == *conversation));
    let heads = list("distinctConversations=true");
    let distinct: BTreeSet<&str> =
        heads.iter().filter_map(|message| message["conversation"]["id"].as_str()).collect();
    assert!(distinct.len() == heads.len() && !heads.is_empty());
    assert_eq!(desk.refusal(&format!("{store}?readStatus=Seen")).2, "readStatus");
}

#[test]
fn several_messages_come_in_parts() {
    let desk = Desk::open(Unknowns::default());
    let seat = busiest(&desk);
    let some: Vec<String> =
        desk.service.world.mailbox(seat).take(2).map(|message| message.id.to_string()).collect();
    let address = format!("{ACCOUNT_PATH}{}/message-store/{},5", path(&desk, seat), some.join(","));
    let ask = Ask::get(&address).with_header("authorization", &desk.bearer);
    let mixed = desk.service.answer(&ask, Duration::ZERO);
    assert_eq!(mixed.status, 207);
    assert!(mixed.header("content-type").expect("a type").starts_with("multipart/mixed"));
    let json = ask.with_header("accept", "application/vnd.ringcentral.multipart+json");
    let json = desk.service.answer(&json, Duration::ZERO);
    let parts: Value = serde_json::from_slice(&json.body).expect("JSON");
    let told: Vec<(&str, u64)> = parts
        .as_array()
        .expect("parts")
        .iter()
        .map(|part| (part["resourceId"].as_str().expect("an id"), part["status"].as_u64().expect("a status")))
        .collect();
    assert_eq!(told, [(some[0].as_str(), 200), (some[1].as_str(), 200), ("5", 404)]);
    assert_eq!(parts[0]["body"]["id"].to_string(), some[0]);
}

#[test]
fn shared_messages_are_seen_by_whom_they_should_be() {
    let base = Unknowns::default;
    let ids_of = |desk: &Desk, seat: Seat, owner: &str| -> Vec<u64> {
        let store = format!("{}/message-store?{WINDOW}&perPage=1000&owner={owner}", path(desk, seat));
        desk.all(&store).iter().filter_map(|message| message["id"].as_u64()).collect()
    };
    let plain = Desk::open(base());
    let queue = ids_of(&plain, DAY_QUEUE, "Personal");
    assert!(!queue.is_empty());
    let strict = Desk::open(Unknowns { queues_need_owner: true, ..base() });
    assert!(ids_of(&strict, DAY_QUEUE, "Personal").is_empty());
    assert_eq!(ids_of(&strict, DAY_QUEUE, "Any"), queue);
    let open = Desk::open(Unknowns { members_see_shared: true, ..base() });
    let own = ids_of(&open, AGENTS[0], "Personal");
    let shared = ids_of(&open, AGENTS[0], "Shared");
    assert_eq!(shared, queue);
    assert_eq!(ids_of(&open, AGENTS[0], "Any").len(), own.len() + shared.len());
    assert_eq!(ids_of(&plain, AGENTS[0], "Any"), own);
    let queue_id = open.service.world.cast.extension(DAY_QUEUE).id;
    assert_eq!(ids_of(&open, AGENTS[0], &queue_id.to_string()), queue);
    let seen = open.get(&format!("{}/message-store/{}", path(&open, AGENTS[0]), queue[0]));
    assert_eq!(seen["owner"]["extensionId"], queue_id.to_string());
}

#[test]
fn a_full_folder_loses_its_oldest_texts() {
    let options = Options { limits_lifted: true, texts_per_folder: Some(3), ..Options::default() };
    let desk = Desk::with(options);
    let seat = busiest(&desk);
    let list = |query: &str| {
        desk.all(&format!(
            "{}/message-store?{WINDOW}&perPage=1000&messageType=SMS&{query}",
            path(&desk, seat)
        ))
    };
    let inbox = list("direction=Inbound");
    assert_eq!(inbox.len(), 3);
    let newest = desk.service.world.mailbox(seat).rev();
    let mut newest = newest.filter(|message| message.inbound && message.type_name() == "SMS");
    let alive =
        newest.find(|message| message.versions.last().expect("one").availability == Availability::Alive);
    assert_eq!(inbox[0]["id"], alive.expect("a text").id);
}

#[test]
fn every_switch_of_messages_changes_what_it_says() {
    let base = Unknowns::default;
    let any = "availability=Alive&availability=Deleted&availability=Purged";
    let list = |unknowns: Unknowns| -> Vec<Value> {
        let desk = Desk::open(unknowns);
        let stores = seats(&desk).map(|seat| format!("{}/message-store", path(&desk, seat)));
        stores.flat_map(|store| desk.all(&format!("{store}?{WINDOW}&perPage=1000&{any}"))).collect()
    };
    let plain = list(base());
    assert!(plain.iter().any(|message| message["availability"] != "Alive"));
    let gone = list(Unknowns { deleted_messages_gone: true, ..base() });
    assert!(!gone.is_empty() && gone.iter().all(|message| message["availability"] == "Alive"));
    let text = list(Unknowns { message_ids_are_text: true, ..base() });
    assert!(
        text.iter().zip(&plain).all(|(text, plain)| text["id"].as_str() == Some(&plain["id"].to_string()))
    );
    assert!(plain.iter().any(|message| message.get("segmentCount").is_some()));
    let old = list(Unknowns { segments_absent: true, ..base() });
    assert!(old.iter().all(|message| message.get("segmentCount").is_none()));
    let pages =
        |unknowns| -> u64 { list(unknowns).iter().filter_map(|fax| fax["faxPageCount"].as_u64()).sum() };
    assert!(pages(Unknowns { cover_is_a_page: true, ..base() }) > pages(base()));
    let week = Desk::open(Unknowns { message_sync_span: TimeDelta::days(7), ..base() });
    let day = Desk::open(base());
    let count = |desk: &Desk| {
        desk.at(1_791_115_200_000);
        records(&desk.get(&format!("{}/message-sync", path(desk, busiest(desk))))).len()
    };
    assert!(count(&week) > count(&day));
}

#[test]
fn a_queued_fax_has_no_pages_yet() {
    for (absent, expected) in [(false, Some(0)), (true, None)] {
        let desk = Desk::open(Unknowns { queued_pages_absent: absent, ..Unknowns::default() });
        let fax = desk
            .service
            .world
            .messages
            .iter()
            .find(|message| message.type_name() == "Fax" && !message.inbound);
        let fax = fax.expect("a sent fax");
        desk.at(fax.versions[0].visible_from_ms);
        let shown = desk.get(&format!("{}/message-store/{}", path(&desk, fax.mailbox), fax.id));
        assert_eq!(
            (shown["messageStatus"].as_str(), shown["faxPageCount"].as_u64()),
            (Some("Queued"), expected)
        );
    }
}
