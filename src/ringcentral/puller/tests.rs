mod changes;
mod refusals;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::*;
use crate::domain::Hash;
use crate::domain::record::{CoverageState, Cursor, RawPage};
use crate::ringcentral::redact::Redaction;

const SECOND: Duration = Duration::from_secs(1);
const EXTENSIONS: &str = r#"{"uri":"https://x/restapi/v1.0/account/42/extension","records":[
    {"id":7,"type":"User","status":"Enabled"},{"id":8,"type":"Department","status":"Enabled"},
    {"id":9,"type":"IvrMenu","status":"Enabled"},{"id":10,"type":"User","status":"Disabled"}]}"#;

/// A run against a scripted service, with a book that keeps coverage as the real one does.
struct Run {
    elapsed: Duration,
    now: Instant,
    account: Option<String>,
    streams: BTreeMap<Feed, Stream>,
    extension_pages: Vec<Vec<u8>>,
    asked: Vec<(Duration, String)>,
    coverage: BTreeMap<PullWindow, Coverage>,
    listed: BTreeMap<(PullWindow, u32), BTreeSet<(String, Hash)>>,
    sealed: Vec<String>,
    gaps: Vec<String>,
    waits: Vec<(Duration, Why)>,
}

enum Answer {
    Served(Response),
    Broken,
    PowerCut,
}

impl Run {
    fn new() -> Run {
        Run {
            elapsed: Duration::ZERO,
            now: at("2026-03-10T01:00:00Z"),
            account: None,
            streams: BTreeMap::new(),
            extension_pages: Vec::new(),
            asked: Vec::new(),
            coverage: BTreeMap::new(),
            listed: BTreeMap::new(),
            sealed: Vec::new(),
            gaps: Vec::new(),
            waits: Vec::new(),
        }
    }

    /// One run of the program; `None` when the power went. Each request takes a tenth of a second.
    fn pull(
        &mut self,
        settings: Settings,
        mut serve: impl FnMut(&Request, Duration) -> Answer,
    ) -> Option<Result<Summary>> {
        let scope = Scope { span_from: at("2026-03-08T00:00:00Z"), span_to: None, reread: None };
        let mut puller = Puller::new(settings, scope).unwrap();
        let mut input = Input::Start(Known {
            account: self.account.clone(),
            coverage: self.coverage.values().cloned().collect(),
            streams: self.streams.values().cloned().collect(),
            extension_pages: self.extension_pages.clone(),
        });
        for _ in 0..10_000 {
            let moment = Moment { civil: self.now, elapsed: self.elapsed };
            input = match puller.step(moment, input) {
                Action::Request(request) => {
                    self.asked.push((self.elapsed, shown(&request)));
                    let answer = serve(&request, self.elapsed);
                    self.elapsed += SECOND / 10;
                    match answer {
                        Answer::Served(response) => Input::Response(response),
                        Answer::Broken => Input::NetworkError { what: "no connection".to_owned() },
                        Answer::PowerCut => return None,
                    }
                }
                Action::Wait { until, why } => {
                    assert!(until > self.elapsed, "a wait that is over");
                    self.waits.push((until - self.elapsed, why));
                    self.elapsed = until;
                    Input::Continue
                }
                Action::Account(id) => {
                    assert_eq!(id, "42");
                    self.account = Some(id);
                    Input::Continue
                }
                Action::Land { page, records, cursor } => self.land(&page, &records, &cursor),
                Action::Await => panic!("nothing was sent ahead"),
                Action::Advance(stream) => {
                    self.streams.insert(stream.feed.clone(), stream);
                    Input::Continue
                }
                Action::NoteGap(gap) => {
                    self.gaps.push(format!("{} {}", gap.feed.name(), gap.reason));
                    Input::Continue
                }
                Action::Seal(window) => {
                    self.sealed.push(day(&window));
                    self.coverage.get_mut(&window).unwrap().state = CoverageState::Sealed;
                    Input::Continue
                }
                Action::Finished(summary) => return Some(Ok(summary)),
                Action::Failed(failure) => return Some(Err(failure)),
            };
        }
        panic!("the puller does not come to an end");
    }

    fn land(
        &mut self,
        page: &RawPage,
        records: &[crate::domain::record::SourceRecord],
        cursor: &Cursor,
    ) -> Input {
        if page.window.feed.kind == FeedKind::Extensions {
            self.extension_pages = vec![page.body.clone()];
        }
        if let Some(stream) = &cursor.stream {
            self.streams.insert(stream.feed.clone(), stream.clone());
        }
        let listed = self.listed.entry((page.window.clone(), page.listing)).or_default();
        listed.extend(records.iter().map(|record| (record.key.id.clone(), record.version)));
        let entry = self.coverage.entry(page.window.clone()).or_insert_with(|| Coverage {
            window: page.window.clone(),
            state: CoverageState::Open,
            listings_complete: 0,
            last_listing: 0,
            cursor: None,
            records: 0,
            digest: None,
            listed_at: None,
        });
        entry.last_listing = page.listing;
        entry.cursor = Some(cursor.clone()).filter(|cursor| cursor.next_page.is_some());
        if cursor.next_page.is_none() {
            entry.listings_complete = page.listing;
            entry.state = entry.state.max(CoverageState::Collected);
            entry.digest = Some(Hash::of(format!("{listed:?}").as_bytes()));
            entry.listed_at = Some(page.observed);
            return Input::Landed { coverage: Some(entry.clone()) };
        }
        Input::Landed { coverage: None }
    }

    fn paths(&self) -> Vec<&str> {
        self.asked.iter().map(|(_, shown)| shown.as_str()).collect()
    }
}

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

fn day(window: &PullWindow) -> String {
    format!("{} {}", window.feed.name(), &window.span.from.rfc3339()[5..10])
}

fn value<'a>(request: &'a Request, name: &str) -> &'a str {
    request.query.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
}

/// `call-log 03-09 2`: the end of the path, the day before the window's end, the page.
fn shown(request: &Request) -> String {
    let path =
        request.path.rsplit('/').find(|part| *part != "message-store" && *part != "~").unwrap_or_default();
    format!("{path} {} {}", value(request, "dateTo").get(5..10).unwrap_or(""), value(request, "page"))
        .trim()
        .to_owned()
}

fn calls_only() -> Settings {
    Settings { messages: false, ..windows_alone() }
}

fn with_messages() -> Settings {
    Settings { call_log: false, message_window: SECOND * 86_400, ..windows_alone() }
}

/// Without feeds of changes and without a look at calls in progress.
fn windows_alone() -> Settings {
    Settings { call_sync: false, message_sync: false, active_calls: false, ..everything() }
}

fn everything() -> Settings {
    Settings::new(Redaction { key: [0; 32], keep_text: false })
}

fn ok(body: &str) -> Answer {
    Answer::Served(Response { status: 200, body: body.as_bytes().to_vec(), ..Response::default() })
}

fn sample(name: &str) -> Answer {
    let path = format!("{}/fixtures/ringcentral/{name}", env!("CARGO_MANIFEST_DIR"));
    let envelope: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let header = |name: &str| envelope["headers"][name].as_str().map(str::to_owned);
    let body = envelope["body"].to_string().into_bytes();
    Answer::Served(Response::new(envelope["status"].as_u64().unwrap() as u16, header, body))
}

/// The parts every service answers alike.
fn usual(request: &Request) -> Option<Answer> {
    match request.path.as_str() {
        "/restapi/oauth/token" => Some(ok(r#"{"access_token":"token","expires_in":3600}"#)),
        "/restapi/v1.0/account/~" => Some(ok(r#"{"id":42,"mainNumber":"+1"}"#)),
        "/restapi/v1.0/account/~/extension" => Some(ok(EXTENSIONS)),
        _ => None,
    }
}

/// A page with one record, and whether another follows.
fn page(id: &str, next: bool) -> Answer {
    let navigation = if next { r#"{"nextPage":{"uri":"https://evil.example/x?page=9"}}"# } else { "{}" };
    ok(&format!(
        r#"{{"uri":"https://x/restapi/v1.0/account/42/list","records":[{{"id":"{id}"}}],"navigation":{navigation}}}"#
    ))
}

#[test]
fn windows_are_listed_twice_and_sealed_on_agreement() {
    let mut run = Run::new();
    let serve = |request: &Request, _: Duration| {
        usual(request).unwrap_or_else(|| {
            page(
                &format!("{}-{}", value(request, "dateTo"), value(request, "page")),
                value(request, "page") == "1",
            )
        })
    };
    let summary = run.pull(calls_only(), serve).unwrap().unwrap();
    assert_eq!(
        run.paths(),
        [
            "token",
            "account",
            "extension  1",
            "call-log 03-09 1",
            "call-log 03-09 2",
            "call-log 03-10 1",
            "call-log 03-10 2",
            "call-log 03-09 1",
            "call-log 03-09 2",
            "call-log 03-10 1",
            "call-log 03-10 2",
        ]
    );
    assert_eq!(run.sealed, ["call-log 03-08", "call-log 03-09"]);
    assert_eq!((summary.windows_sealed, summary.unsettled.len(), summary.pages), (2, 0, 10));
    // A second run has nothing to list, and the account was read today.
    run.asked.clear();
    run.pull(calls_only(), |request, _| usual(request).unwrap()).unwrap().unwrap();
    assert_eq!(run.paths(), Vec::<&str>::new());
}

#[test]
fn a_window_that_never_agrees_is_listed_four_times_and_stays_open() {
    let mut run = Run::new();
    let mut count = 0;
    let summary = run
        .pull(calls_only(), |request, _| {
            count += 1;
            usual(request).unwrap_or_else(|| page(&format!("A{count}"), false))
        })
        .unwrap()
        .unwrap();
    assert_eq!(run.paths().len(), 3 + 2 * 4);
    assert_eq!((run.sealed.len(), summary.unsettled.len()), (0, 2));
}

#[test]
fn an_interrupted_listing_goes_on_at_its_cursor() {
    let mut run = Run::new();
    let serve = |cut: bool| {
        move |request: &Request, _: Duration| {
            let number = value(request, "page").to_owned();
            usual(request).unwrap_or_else(|| match (cut, number.as_str()) {
                (true, "3") => Answer::PowerCut,
                (_, number) => page(number, number != "4"),
            })
        }
    };
    assert!(run.pull(calls_only(), serve(true)).is_none());
    run.asked.clear();
    run.pull(calls_only(), serve(false)).unwrap().unwrap();
    assert_eq!(run.paths()[..3], ["token", "call-log 03-09 3", "call-log 03-09 4"]);
    let first =
        run.listed.iter().find(|((window, listing), _)| day(window) == "call-log 03-08" && *listing == 1);
    assert_eq!(first.unwrap().1.len(), 4, "both halves belong to one listing");
    assert_eq!(run.sealed.len(), 2);
}

#[test]
fn a_penalty_is_never_disturbed() {
    let mut run = Run::new();
    let mut refused_at = None;
    run.pull(calls_only(), |request, now| {
        if request.group == Group::Heavy {
            if let Some(refused) = refused_at {
                assert!(now >= refused + SECOND * 60, "a request during the penalty");
            } else {
                refused_at = Some(now);
                return sample("error-429-heavy.json");
            }
        }
        usual(request).unwrap_or_else(|| page("A", false))
    })
    .unwrap()
    .unwrap();
    assert!(run.waits.iter().any(|(wait, why)| *why == Why::Penalty && *wait >= SECOND * 60));
    assert_eq!(run.sealed.len(), 2);
}

#[test]
fn a_refusal_without_headers_closes_every_group_for_half_a_minute() {
    let mut run = Run::new();
    let mut refused_at = None;
    run.pull(with_messages(), |request, now| {
        if request.path.contains("message-store") && refused_at.is_none() {
            refused_at = Some(now);
            return Answer::Served(Response { status: 429, ..Response::default() });
        }
        assert!(refused_at.is_none_or(|refused| now >= refused + SECOND * 30));
        usual(request).unwrap_or_else(|| page("A", false))
    })
    .unwrap()
    .unwrap();
    assert!(refused_at.is_some());
}

#[test]
fn a_service_that_counts_strictly_never_has_to_refuse() {
    let mut run = Run::new();
    let settings = Settings { messages: true, call_log_window: SECOND * 3600, ..with_messages() };
    let settings = Settings { call_log: true, ..settings };
    let mut seen: BTreeMap<Group, Vec<Duration>> = BTreeMap::new();
    run.pull(settings, |request, now| {
        let limit = request.group.documented_limit() as usize / 5;
        let times = seen.entry(request.group).or_default();
        times.retain(|time| *time + SECOND * 5 > now);
        times.push(now);
        assert!(times.len() <= limit.max(1), "{:?} is over its limit", request.group);
        let remaining = limit.max(1) - times.len();
        let answer = usual(request).unwrap_or_else(|| page("A", false));
        let Answer::Served(mut response) = answer else { unreachable!() };
        response.rate = RateHeaders {
            group: Some(format!("{:?}", request.group)),
            limit: Some(limit.max(1) as u32),
            remaining: Some(remaining as u32),
            window: Some(SECOND * 5),
        };
        Answer::Served(response)
    })
    .unwrap()
    .unwrap();
    // 48 hours listed twice, two to five seconds; the mailboxes are read while the heavy group is used up.
    let last_mailbox = run.asked.iter().rposition(|(_, path)| !path.starts_with("call-log")).unwrap();
    assert!(last_mailbox < run.asked.len() - 10, "{:?}", run.paths());
}

#[test]
fn a_dead_token_is_renewed_once_and_the_request_repeated() {
    let mut run = Run::new();
    let mut dead = 0;
    run.pull(calls_only(), |request, _| {
        if request.path.ends_with("call-log") && dead == 0 {
            dead += 1;
            return sample("error-401-token-expired.json");
        }
        usual(request).unwrap_or_else(|| page("A", false))
    })
    .unwrap()
    .unwrap();
    assert_eq!(run.paths()[3..6], ["call-log 03-09 1", "token", "call-log 03-09 1"]);
    let failure = Run::new()
        .pull(calls_only(), |request, _| {
            usual(request).unwrap_or_else(|| sample("error-401-token-not-found.json"))
        })
        .unwrap()
        .unwrap_err();
    assert_eq!(
        (failure.exit(), failure.message()),
        (Exit::Service, "the service refused the account's call log (OAU-213)")
    );
}

#[test]
fn a_token_is_renewed_before_it_ends() {
    let mut run = Run::new();
    run.pull(Settings { call_log_window: SECOND * 3600, ..calls_only() }, |request, _| {
        match request.path.as_str() {
            "/restapi/oauth/token" => ok(r#"{"access_token":"token","expires_in":"100"}"#),
            _ => usual(request).unwrap_or_else(|| page("A", false)),
        }
    })
    .unwrap()
    .unwrap();
    let tokens: Vec<Duration> =
        run.asked.iter().filter(|(_, path)| path == "token").map(|(elapsed, _)| *elapsed).collect();
    assert!(tokens.len() > 3);
    let work: Vec<Duration> = run.asked.iter().map(|(elapsed, _)| *elapsed).collect();
    for pair in tokens.windows(2) {
        assert!(
            work.iter().all(|time| !(pair[0] + SECOND * 100..pair[1]).contains(time)),
            "an expired token was used"
        );
    }
}

#[test]
fn failures_of_the_service_are_tried_five_times_with_growing_pauses() {
    let mut run = Run::new();
    let failure = run
        .pull(calls_only(), |request, _| {
            usual(request).unwrap_or_else(|| match value(request, "page") {
                "1" => page("A", true),
                _ => sample("error-500-internal.json"),
            })
        })
        .unwrap()
        .unwrap_err();
    assert_eq!(failure.exit(), Exit::Service);
    assert_eq!(run.asked.iter().filter(|(_, path)| path.ends_with(" 2")).count(), 5);
    let pauses: Vec<u64> = run.waits.iter().map(|(wait, _)| wait.as_secs()).collect();
    assert_eq!(pauses.len(), 4);
    for (pause, least) in pauses.iter().zip([2, 4, 8, 16]) {
        assert!((least..=least * 5 / 4).contains(pause), "{pauses:?}");
    }
    assert_eq!(
        run.coverage.values().filter(|entry| entry.cursor.is_some()).count(),
        1,
        "what was collected is kept"
    );
}

#[test]
fn a_lost_connection_and_a_page_cut_short_are_asked_again() {
    let mut run = Run::new();
    let mut count = 0;
    run.pull(calls_only(), |request, _| {
        usual(request).unwrap_or_else(|| {
            count += 1;
            match count {
                1 => Answer::Broken,
                2 => ok(r#"{"uri":"https://x/account/42/call-log","records":[{"id""#),
                3 => sample("error-503-limited-mode.json"),
                _ => page("A", false),
            }
        })
    })
    .unwrap()
    .unwrap();
    assert_eq!(run.sealed.len(), 2);
    assert!(
        run.waits.iter().any(|(wait, why)| *wait >= SECOND * 120 && *why == Why::Repeat),
        "{:?}",
        run.waits
    );
}

#[test]
fn a_mailbox_that_may_not_be_read_is_a_gap() {
    let mut run = Run::new();
    let summary = run
        .pull(with_messages(), |request, _| {
            if request.path.contains("/extension/8/") {
                return sample("error-403-user-permission.json");
            }
            assert!(!request.path.contains("/extension/9/"), "a menu has no mailbox");
            usual(request).unwrap_or_else(|| page("1", false))
        })
        .unwrap()
        .unwrap();
    assert_eq!(run.gaps, ["messages/8 CMN-408"]);
    assert_eq!(run.sealed.len(), 4, "two days of two other mailboxes, the disabled one included");
    assert_eq!(run.asked.iter().filter(|(_, path)| path.starts_with("8 ")).count(), 1);
    assert_eq!(summary.gaps.len(), 1);
}

#[test]
fn only_refusals_of_the_mailbox_itself_are_gaps() {
    let refused = |status: u16, code: &str| {
        let body = format!(r#"{{"errorCode":"{code}"}}"#).into_bytes();
        let response = Response { status, body, ..Response::default() };
        let mut run = Run::new();
        let ended = run.pull(with_messages(), |request, _| {
            usual(request).unwrap_or_else(|| Answer::Served(response.clone()))
        });
        (ended.unwrap().is_ok(), run.gaps.len())
    };
    for (status, code) in [(403, "CMN-401"), (404, "CMN-102"), (400, "CMN-102"), (401, "CMN-405")] {
        assert_eq!(refused(status, code), (true, 3), "{status} {code}");
    }
    for (status, code) in [(400, "CMN-101"), (401, "OAU-213"), (501, "CMN-202")] {
        assert_eq!(refused(status, code), (false, 0), "{status} {code}");
    }
}

#[test]
fn messages_are_asked_for_with_every_default_overridden() {
    let mut asked = None;
    Run::new()
        .pull(with_messages(), |request, _| {
            if request.path.ends_with("message-store") {
                asked.get_or_insert_with(|| format!("{} {:?}", request.path, request.query));
            }
            usual(request).unwrap_or_else(|| page("1", false))
        })
        .unwrap()
        .unwrap();
    let asked = asked.unwrap();
    for part in [
        "/restapi/v1.0/account/~/extension/7/message-store",
        r#"("availability", "Deleted")"#,
        r#"("availability", "Purged")"#,
        r#"("messageType", "VoiceMail")"#,
        r#"("dateFrom", "2026-03-07T22:00:00.000Z"), ("dateTo", "2026-03-09T00:00:00.000Z")"#,
        r#"("perPage", "1000")"#,
    ] {
        assert!(asked.contains(part), "{part} is not in {asked}");
    }
}
