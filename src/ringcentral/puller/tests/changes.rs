//! Feeds of changes, calls in progress, clocks, and pages that do not keep their word.

use super::*;

/// An answer of a feed of changes.
fn changed(ids: &[&str], token: &str, newer: bool, older: bool) -> Answer {
    let records: Vec<String> = ids
        .iter()
        .enumerate()
        .map(|(index, id)| {
            format!(r#"{{"id":"{id}","creationTime":"2026-03-0{}T00:00:00.500Z"}}"#, 9 - index)
        })
        .collect();
    ok(&format!(
        r#"{{"uri":"https://x/restapi/v1.0/account/42/sync","records":[{}],
            "syncInfo":{{"syncToken":"{token}","newerRecordsExist":{newer},"olderRecordsExist":{older}}}}}"#,
        records.join(",")
    ))
}

fn calls_by_changes() -> Settings {
    Settings { messages: false, active_calls: false, ..everything() }
}

fn asked_for_changes(request: &Request) -> String {
    format!("{} {}{}", value(request, "syncType"), value(request, "syncToken"), value(request, "dateFrom"))
}

#[test]
fn changes_are_read_whole_once_and_then_from_the_last_token() {
    let mut run = Run::new();
    let mut asked = Vec::new();
    let mut serve = |request: &Request, _: Duration| {
        if !request.path.ends_with("extract-sync") {
            return usual(request).unwrap_or_else(|| page("A", false));
        }
        asked.push(asked_for_changes(request));
        match asked.len() {
            1 => changed(&["A", "B"], "one", true, false),
            2 => changed(&["C"], "two", false, false),
            3 => changed(&[], "three", false, false),
            _ => changed(&["D"], "four", false, false),
        }
    };
    for _ in 0..3 {
        run.pull(calls_by_changes(), &mut serve).unwrap().unwrap();
    }
    assert_eq!(asked, ["FSync 2026-03-08T00:00:00.000Z", "ISync one", "ISync two", "ISync three"]);
    let stream = &run.streams[&Feed::account_wide(FeedKind::CallSync)];
    assert_eq!((stream.token.as_str(), stream.reached), ("four", Some(run.now)));
    let rounds: Vec<usize> = run
        .listed
        .iter()
        .filter(|((window, _), _)| window.feed.kind == FeedKind::CallSync)
        .map(|(_, records)| records.len())
        .collect();
    assert_eq!(rounds, [3, 1], "an answer without records lands nothing");
}

#[test]
fn a_mailbox_is_read_in_frames_from_the_newest_and_its_token_kept_with_the_last() {
    let mut run = Run::new();
    let settings = Settings { call_log: false, ..everything() };
    let mut asked = Vec::new();
    let mut frame = |request: &Request| {
        asked.push(format!("{} {}", value(request, "syncType"), value(request, "dateTo")));
        match asked.len() {
            1 => changed(&["A", "B"], "first", false, true),
            2 => Answer::PowerCut,
            3 => changed(&["A", "B"], "again", false, true),
            4 => changed(&["C"], "other", false, false),
            _ => changed(&[], "empty", false, false),
        }
    };
    let mut serve = |request: &Request, _: Duration| match request.path.ends_with("7/message-sync") {
        true => frame(request),
        false if request.path.ends_with("message-sync") => changed(&[], "none", false, false),
        false => usual(request).unwrap_or_else(|| page("1", false)),
    };
    assert!(run.pull(settings.clone(), &mut serve).is_none());
    assert!(run.streams.is_empty(), "a token without its older frames would lose them");
    run.pull(settings, &mut serve).unwrap().unwrap();
    assert_eq!(
        asked[..4],
        [
            "FSync 2026-03-10T01:00:00.000Z",
            "FSync 2026-03-08T00:00:01.000Z",
            "FSync 2026-03-10T01:00:00.000Z",
            "FSync 2026-03-08T00:00:01.000Z"
        ]
    );
    assert_eq!(run.streams[&Feed::of_extension(FeedKind::MessageSync, "7")].token, "again");
}

#[test]
fn a_token_that_is_not_taken_any_more_means_a_full_read_from_where_the_last_one_reached() {
    let mut run = Run::new();
    let mut asked = Vec::new();
    let mut serve = |request: &Request, _: Duration| {
        if !request.path.ends_with("extract-sync") {
            return usual(request).unwrap_or_else(|| page("A", false));
        }
        asked.push(asked_for_changes(request));
        match asked.len() {
            2 => sample("error-400-synctoken-expired.json"),
            count => changed(&["A"], &count.to_string(), false, false),
        }
    };
    run.pull(calls_by_changes(), &mut serve).unwrap().unwrap();
    run.pull(calls_by_changes(), &mut serve).unwrap().unwrap();
    // Two hours before the last answer that left nothing.
    assert_eq!(asked, ["FSync 2026-03-08T00:00:00.000Z", "ISync 1", "FSync 2026-03-09T23:00:00.000Z"]);
}

#[test]
fn what_is_not_offered_is_done_without() {
    for (answer, reason) in [
        (sample("error-404-not-found.json"), "CMN-102"),
        (sample("error-403-app-permission.json"), "CMN-401"),
    ] {
        let Answer::Served(response) = answer else { unreachable!() };
        let mut run = Run::new();
        let summary = run
            .pull(Settings { active_calls: true, ..calls_by_changes() }, |request, _| {
                if request.path.ends_with("extract-sync") || request.path.ends_with("active-calls") {
                    return Answer::Served(response.clone());
                }
                usual(request).unwrap_or_else(|| page("A", false))
            })
            .unwrap()
            .unwrap();
        let without: Vec<String> =
            summary.without.iter().map(|gap| format!("{} {}", gap.feed.name(), gap.reason)).collect();
        assert_eq!(without, [format!("call-sync {reason}"), format!("active-calls {reason}")]);
        // Without a look at the calls in progress the last day cannot be sealed yet.
        assert_eq!(run.sealed, ["call-log 03-08"]);
        assert_eq!(summary.held_open.len(), 1);
    }
}

#[test]
fn changes_that_promise_more_and_bring_nothing_are_given_up() {
    let mut run = Run::new();
    let mut count = 0;
    let summary = run
        .pull(calls_by_changes(), |request, _| {
            if request.path.ends_with("extract-sync") {
                count += 1;
                return changed(&[], "same", true, false);
            }
            usual(request).unwrap_or_else(|| page("A", false))
        })
        .unwrap()
        .unwrap();
    assert_eq!((count, summary.without.len(), run.sealed.len()), (4, 1, 2));
}

#[test]
fn a_call_in_progress_keeps_its_window_open() {
    let mut run = Run::new();
    let settings = Settings { messages: false, call_sync: false, ..everything() };
    let serve = |ended: bool| {
        move |request: &Request, _: Duration| {
            if request.path.ends_with("active-calls") && !ended {
                return ok(r#"{"uri":"https://x/restapi/v1.0/account/42/active-calls",
                    "records":[{"id":"L","startTime":"2026-03-09T23:50:00Z","result":"In Progress"}]}"#);
            }
            usual(request).unwrap_or_else(|| page("A", false))
        }
    };
    let summary = run.pull(settings.clone(), serve(false)).unwrap().unwrap();
    assert_eq!((run.sealed.as_slice(), summary.held_open.len()), (&["call-log 03-08".to_owned()][..], 1));
    assert_eq!(run.paths().iter().filter(|path| path.starts_with("active-calls")).count(), 1, "once a run");
    let looked = run.paths().iter().position(|path| path.starts_with("active-calls")).unwrap();
    assert_eq!(looked, 5, "after the first listings: {:?}", run.paths());
    run.asked.clear();
    run.pull(settings, serve(true)).unwrap().unwrap();
    assert_eq!(run.sealed.len(), 2);
    assert_eq!(run.paths(), ["token", "call-log 03-10 1", "active-calls  1"], "one listing more is enough");
}

#[test]
fn an_unfinished_call_in_the_listing_keeps_its_window_open_for_a_day() {
    let listed = |start: &str| {
        format!(
            r#"{{"uri":"https://x/restapi/v1.0/account/42/call-log","records":[
                {{"id":"A","startTime":"{start}","finished":false}}]}}"#
        )
    };
    let mut run = Run::new();
    run.pull(calls_only(), |request, _| {
        let start = match value(request, "dateTo") {
            "2026-03-10T00:00:00.000Z" => "2026-03-09T23:50:00Z",
            _ => "2026-03-08T23:50:00Z",
        };
        usual(request).unwrap_or_else(|| ok(&listed(start)))
    })
    .unwrap()
    .unwrap();
    assert_eq!(run.sealed, ["call-log 03-08"], "no call lasts longer than a day");
}

#[test]
fn a_clock_far_from_the_services_ends_the_run_and_a_near_one_is_allowed_for() {
    let dated = |answer: Answer, date: &str| {
        let Answer::Served(response) = answer else { unreachable!() };
        Answer::Served(Response { date: Some(date.to_owned()), ..response })
    };
    let pull = |date: &'static str| {
        let mut run = Run::new();
        let ended = run
            .pull(calls_only(), move |request, _| {
                dated(usual(request).unwrap_or_else(|| page("A", false)), date)
            })
            .unwrap();
        (ended, run.sealed.len())
    };
    let (ended, _) = pull("Mon, 09 Mar 2026 01:00:00 GMT");
    let failure = ended.unwrap_err();
    assert_eq!(failure.exit(), Exit::Service);
    assert!(failure.message().contains("1440 minutes ahead of the service's"), "{failure}");
    assert!(pull("Wed, 11 Mar 2026 01:00:00 GMT").0.unwrap_err().message().contains("1440 minutes behind"));
    assert_eq!(pull("Tue, 10 Mar 2026 01:00:30 GMT").1, 2);
    assert_eq!(pull("Tue, 10 Mar 2026 00:20:00 GMT").1, 1, "by its clock the second day is not settled");
}

#[test]
fn pages_that_do_not_keep_their_word_are_asked_again_or_given_up() {
    let numbered = |number: u32, size: u32, id: u32, next: bool| {
        let navigation = if next { r#"{"nextPage":{"uri":"x"}}"# } else { "{}" };
        ok(&format!(
            r#"{{"uri":"https://x/restapi/v1.0/account/42/call-log","records":[{{"id":"{id}"}}],
                "paging":{{"page":{number},"perPage":{size}}},"navigation":{navigation}}}"#
        ))
    };
    // A page that was not asked for is asked for again.
    let mut run = Run::new();
    let mut wrong = 0;
    run.pull(calls_only(), |request, _| {
        usual(request).unwrap_or_else(|| {
            let asked: u32 = value(request, "page").parse().unwrap();
            wrong += u32::from(asked == 2);
            numbered(if wrong == 1 { 1 } else { asked }, 1, asked, asked < 2)
        })
    })
    .unwrap()
    .unwrap();
    assert_eq!((wrong, run.sealed.len()), (1 + 4, 2));
    // A page size that changes in the middle begins the listing anew.
    let mut run = Run::new();
    let mut count = 0;
    run.pull(calls_only(), |request, _| {
        usual(request).unwrap_or_else(|| {
            count += 1;
            let asked: u32 = value(request, "page").parse().unwrap();
            numbered(asked, if count == 2 { 7 } else { 3 }, asked, asked < 2)
        })
    })
    .unwrap()
    .unwrap();
    assert_eq!(run.paths()[3..6], ["call-log 03-09 1", "call-log 03-09 2", "call-log 03-09 1"]);
    assert_eq!(run.sealed.len(), 2);
    // The same page for ever has an end.
    let failure = Run::new()
        .pull(calls_only(), |request, _| usual(request).unwrap_or_else(|| page("A", true)))
        .unwrap()
        .unwrap_err();
    assert!(failure.message().contains("does not come to an end"), "{failure}");
}

#[test]
fn an_extension_that_is_listed_no_more_is_a_gap_of_its_mailbox() {
    let mut run = Run::new();
    run.pull(with_messages(), |request, _| usual(request).unwrap_or_else(|| page("1", false)))
        .unwrap()
        .unwrap();
    run.now = at("2026-03-11T01:00:00Z");
    run.asked.clear();
    let without = EXTENSIONS.replace(r#"{"id":7,"type":"User","status":"Enabled"},"#, "");
    run.pull(with_messages(), |request, _| {
        assert!(!request.path.contains("/extension/7/"), "a mailbox that is gone is not asked");
        match request.path.ends_with("/extension") {
            true => ok(&without),
            false => usual(request).unwrap_or_else(|| page("1", false)),
        }
    })
    .unwrap()
    .unwrap();
    assert_eq!(run.gaps, ["messages/7 departed"]);
}
