//! Every kind of fault, alone: what it does to an answer is what the table says.

use serde_json::{Value, json as value};
use tollbook::sandbox::faults::{FaultGroup, FaultKind};
use tollbook::sandbox::{Carriage, Reply};

use super::*;

const LIST: &str = "/extension?perPage=5";
/// Two hours of calls on one page.
const CALLS: &str = "/call-log?view=Detailed&showDeleted=true&perPage=1000&dateFrom=2026-10-18T14:00:00Z&dateTo=2026-10-18T16:00:00Z";

fn numbers(pages: &[Value]) -> Vec<Vec<u64>> {
    let number = |record: &Value| record["id"].as_u64().unwrap();
    pages.iter().map(|page| page["records"].as_array().unwrap().iter().map(number).collect()).collect()
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.header(name)
}

/// The second of three requests meets the fault; returns the calm answer, the faulty one and the one after.
fn second(kind: FaultKind) -> [Reply; 3] {
    let mut core = Core::new(plan(kind.name(), if kind.stands() { "" } else { "at = [2]" }));
    [core.get(LIST), core.get(LIST), core.get(LIST)]
}

fn code(reply: &Reply) -> String {
    json(reply)["errors"][0]["errorCode"].as_str().unwrap_or_default().to_owned()
}

fn error_shows(kind: FaultKind) {
    let [calm, faulty, after] = second(kind);
    let wait = header(&faulty, "retry-after");
    let statuses = (calm.status, faulty.status, after.status);
    match kind {
        FaultKind::RateLimited | FaultKind::RateLimitedSilent => {
            assert_eq!((statuses, code(&faulty).as_str()), ((200, 429, 429), "CMN-301"));
            assert_eq!(wait, (kind == FaultKind::RateLimited).then_some("60"));
        }
        FaultKind::RateLimitedDate => {
            assert_eq!((statuses, wait), ((200, 429, 429), Some("Thu, 03 Dec 2026 01:01:00 GMT")));
        }
        FaultKind::RateLimitedAbsurd => assert_eq!((statuses, wait), ((200, 429, 200), Some("864000"))),
        FaultKind::RemainingZero => {
            assert_eq!(statuses, (200, 200, 429));
            assert_eq!(header(&faulty, "x-rate-limit-remaining"), Some("0"));
        }
        FaultKind::InternalError => {
            assert_eq!((statuses, code(&faulty).as_str()), ((200, 500, 200), "CMN-203"))
        }
        FaultKind::LimitedMode => {
            assert_eq!((statuses, code(&faulty).as_str(), wait), ((200, 503, 200), "CMN-211", Some("60")));
        }
        FaultKind::BadGateway => assert_eq!((statuses, faulty.body.len()), ((200, 502, 200), 0)),
        FaultKind::GatewayTimeout => assert_eq!((statuses, faulty.body.len()), ((200, 504, 200), 0)),
        FaultKind::HtmlError => {
            assert_eq!((statuses, header(&faulty, "content-type")), ((200, 500, 200), Some("text/html")));
            assert!(faulty.body.starts_with(b"<!DOCTYPE html>"));
        }
        FaultKind::TokenExpired => {
            assert_eq!((statuses, code(&faulty).as_str()), ((200, 401, 401), "OAU-128"));
        }
        FaultKind::UnauthorisedForever => {
            assert_eq!((statuses, code(&faulty).as_str()), ((200, 401, 401), "OAU-213"));
        }
        FaultKind::Forbidden => assert_eq!((statuses, code(&faulty).as_str()), ((403, 403, 403), "CMN-408")),
        FaultKind::Redirect => {
            assert_eq!(statuses, (200, 302, 200));
            assert!(header(&faulty, "location").unwrap().starts_with("http://elsewhere.invalid/"));
        }
        other => panic!("{other:?} is no error"),
    }
}

fn transport_shows(kind: FaultKind) {
    let [calm, faulty, after] = second(kind);
    assert_eq!((calm.status, faulty.status), (200, 200));
    assert_eq!(calm, after, "{kind:?} is over");
    let half = calm.body.len() / 2;
    let carriage = match kind {
        FaultKind::ResetBefore => Carriage::Reset,
        FaultKind::ResetMidBody => Carriage::CutAfter(half),
        FaultKind::SlowDrip => Carriage::Drip { milliseconds_per_byte: 1000 },
        FaultKind::NeverAnswers => Carriage::Hang,
        FaultKind::WrongContentLength => Carriage::LengthOff(7),
        _ => Carriage::Whole,
    };
    assert_eq!(faulty.carriage, carriage, "{kind:?}");
    match kind {
        FaultKind::TruncatedJson => assert_eq!(faulty.body, calm.body[..half]),
        FaultKind::GzipBomb => {
            assert_eq!(header(&faulty, "content-encoding"), Some("gzip"));
            assert!(faulty.body.starts_with(&[0x1F, 0x8B]) && faulty.body.len() < 300_000);
        }
        FaultKind::DoubleGzip => {
            assert_eq!(header(&faulty, "content-encoding"), Some("gzip"));
            assert_eq!(faulty.body[15..17], [0x1F, 0x8B], "a stored block holds another stream");
        }
        FaultKind::WrongCharset => {
            assert_eq!(faulty.body[..4], [0xFF, 0xFE, b'{', 0]);
            assert_eq!(header(&faulty, "content-type"), header(&calm, "content-type"));
        }
        _ => assert_eq!(faulty.body, calm.body),
    }
}

fn paging_shows(kind: FaultKind) {
    let calm = Core::new(FaultPlan::empty()).pages(LIST);
    let shown = numbers(&calm);
    let all = shown.concat();
    assert!(shown.len() > 3, "the list has pages enough: {shown:?}");
    let mut core = Core::new(plan(kind.name(), "at = [2]"));
    let pages = core.pages(LIST);
    let got = numbers(&pages);
    let link = |page: &Value| page["navigation"]["nextPage"]["uri"].as_str().unwrap_or_default().to_owned();
    let (rest, first) = (&all[10..], &all[..10]);
    match kind {
        FaultKind::NewRecordsShift => assert_eq!(got.concat(), [first, &all[8..10], rest].concat()),
        FaultKind::DeletedRecordsShift => assert_eq!(got.concat(), [first, &rest[2..]].concat()),
        FaultKind::RepeatedPage => {
            assert_eq!((&got[1], &got[2], &got[3]), (&shown[1], &shown[1], &shown[3]));
        }
        FaultKind::PagesSwapped => assert_eq!((&got[1], &got[2], &got[3]), (&shown[2], &shown[1], &shown[3])),
        FaultKind::NextPageLoop => {
            assert_eq!(got[1], got[2]);
            assert_eq!(link(&pages[1]), pages[1]["uri"].as_str().unwrap());
        }
        FaultKind::PerPageSmaller => {
            let mut core = Core::new(plan(kind.name(), "at = [2]\nper_page = 3"));
            let page = &core.pages(LIST)[1];
            assert_eq!(
                (&page["paging"]["perPage"], page["records"].as_array().unwrap().len()),
                (&value!(3), 3)
            );
        }
        FaultKind::EmptyPage => {
            assert_eq!((got[1].len(), got.concat()), (0, all));
            assert_eq!(got.len(), shown.len() + 1);
        }
        FaultKind::TotalChanges => {
            let total = |page: &Value| page["paging"]["totalElements"].as_u64().unwrap();
            assert_eq!((total(&pages[1]), total(&pages[2])), (total(&calm[1]) + 3, total(&calm[2])));
        }
        FaultKind::NextPageLong => assert_eq!(link(&pages[1]).len(), 8192),
        _ => {
            let (other, own) = (link(&pages[1]), link(&calm[1]));
            let expected = match kind {
                FaultKind::NextPageOtherHost => own.replace("sandbox.invalid", "elsewhere.invalid"),
                FaultKind::NextPageOtherScheme => own.replace("http:", "https:"),
                FaultKind::NextPageOtherPort => own.replace("sandbox.invalid", "sandbox.invalid:1"),
                FaultKind::NextPageUserInfo => {
                    own.replace("sandbox.invalid", "sandbox.invalid@elsewhere.invalid")
                }
                FaultKind::NextPageRelative => own.replace("http://sandbox.invalid", ""),
                other => panic!("{other:?} is nothing about pages"),
            };
            assert_eq!(other, expected);
        }
    }
}

/// Records of the call log by id, each as often as it is listed, as of a time.
fn calls(core: &mut Core, at: &str) -> Vec<Value> {
    core.clock.set(instant(at));
    let page = json(&core.get(CALLS));
    page["records"].as_array().unwrap().clone()
}

const SOON: &str = "2026-10-18T23:00:00Z";
const NEXT_DAY: &str = "2026-10-20T06:00:00Z";

/// Faults of records are the same in the list, alone and in another list.
fn record_shows(kind: FaultKind) {
    let times = [SOON, NEXT_DAY, LATE];
    let of = |plan: FaultPlan| {
        let mut core = Core::new(plan);
        times.map(|at| calls(&mut core, at))
    };
    let [calm, faulty] = [FaultPlan::empty(), plan(kind.name(), "every = 3")].map(of);
    let again = of(plan(kind.name(), "every = 3"));
    assert_eq!(faulty, again, "{kind:?} comes out the same every time");
    let everything = of(plan(kind.name(), "share = \"1\""));
    let count = |lists: &[Vec<Value>; 3]| lists.each_ref().map(Vec::len);
    let unlike = |lists: &[Vec<Value>; 3]| {
        let pairs = lists[2].iter().zip(&calm[2]);
        pairs.filter(|(ours, calm)| ours != calm).count()
    };
    match kind {
        FaultKind::DuplicateRecord | FaultKind::DuplicateRecordChanged => {
            assert_eq!(count(&everything)[2], 2 * count(&calm)[2]);
            assert!((calm[2].len() + 1..2 * calm[2].len()).contains(&faulty[2].len()));
            let pair = &everything[2][..2];
            assert_eq!(pair[0]["id"], pair[1]["id"]);
            assert_eq!(pair[0] == pair[1], kind == FaultKind::DuplicateRecord);
        }
        FaultKind::LateMinute => assert!(unlike(&faulty) > 0, "its last change is later"),
        FaultKind::LateDays | FaultKind::LateWeeks => {
            assert_eq!(count(&everything)[1], 0);
            assert!((1..count(&calm)[1]).contains(&count(&faulty)[1]));
            assert_eq!(count(&everything)[2], count(&calm)[2], "40 days after, all are there");
        }
        FaultKind::EditedLater => {
            assert!(unlike(&faulty) > 0);
            let duration =
                |list: &[Value]| list.iter().filter_map(|call| call["duration"].as_i64()).sum::<i64>();
            assert!(duration(&faulty[1]) > duration(&calm[1]));
            assert_eq!(duration(&faulty[2]), duration(&calm[2]), "in the end it is right");
        }
        FaultKind::DeletedLater => {
            let deleted = |list: &[Value]| list.iter().filter(|call| call["deleted"] == true).count();
            assert_eq!(deleted(&everything[2]), everything[2].len());
            assert!(deleted(&faulty[2]) > deleted(&calm[2]) && deleted(&faulty[1]) == deleted(&calm[1]));
        }
        _ => {
            assert_eq!(count(&faulty), count(&calm));
            let (some, all) = (unlike(&faulty), unlike(&everything));
            assert!(0 < some && some < all, "{kind:?}: {some} of {all}");
            let odd = faulty[2].iter().zip(&calm[2]).find(|(ours, calm)| ours != calm).unwrap().0;
            let alone = Core::new(plan(kind.name(), "every = 3"))
                .get(&format!("/call-log/{}?view=Detailed", odd["id"].as_str().unwrap()));
            assert_eq!(&json(&alone), odd, "{kind:?} shows in the record alone");
        }
    }
}

fn time_shows(kind: FaultKind) {
    let [calm, ..] = second(FaultKind::InternalError);
    let [ahead, ..] = second(kind);
    assert_eq!(header(&calm, "date"), Some("Thu, 03 Dec 2026 01:00:00 GMT"));
    assert_eq!(header(&ahead, "date"), Some("Thu, 03 Dec 2026 01:10:00 GMT"));
}

#[test]
fn every_kind_alone_shows_itself() {
    let shows = |kind: FaultKind| match kind.group() {
        FaultGroup::Errors => error_shows(kind),
        FaultGroup::Transport => transport_shows(kind),
        FaultGroup::Paging => paging_shows(kind),
        FaultGroup::Records => record_shows(kind),
        FaultGroup::Time => time_shows(kind),
    };
    let hidden = |kind: &&FaultKind| std::panic::catch_unwind(|| shows(**kind)).is_err();
    let hidden: Vec<&str> = FaultKind::ALL.iter().filter(hidden).map(|kind| kind.name()).collect();
    assert_eq!(hidden, [""; 0], "these do not do what the table says");
}

#[test]
fn a_request_during_a_penalty_is_counted_and_restarts_it() {
    let mut core = Core::new(plan("rate-limited", "at = [1]\nwait_seconds = 30"));
    assert_eq!(core.get(LIST).status, 429);
    core.elapsed += Duration::from_secs(29);
    assert_eq!((core.get(LIST).status, core.service.stats().early()), (429, 1));
    assert_eq!(core.get("").status, 200, "another group is not concerned");
    core.elapsed += Duration::from_secs(29);
    assert_eq!((core.get(LIST).status, core.service.stats().early()), (429, 2));
    core.elapsed += Duration::from_secs(30);
    assert_eq!((core.get(LIST).status, core.service.stats().early()), (200, 2));
}

#[test]
fn a_dead_token_is_replaced_by_a_new_one() {
    let mut core = Core::new(plan("token-expired", "at = [1]"));
    assert_eq!([core.get(LIST).status, core.get(LIST).status], [401, 401]);
    core.sign_in();
    assert_eq!(core.get(LIST).status, 200);
}

#[test]
fn sign_in_fails_where_it_is_named() {
    let mut core = Core::new(plan("internal-error", "on = [\"token\"]\nat = [2]"));
    assert_eq!(core.get(LIST).status, 200);
    let revoke = core.service.answer(&Ask::post("/restapi/oauth/revoke", &[]), core.elapsed);
    assert_eq!(revoke.status, 500);
}

#[test]
fn all_kinds_together_never_break_the_service() {
    for seed in 0..8 {
        let mut core = Core::new(FaultPlan::of_seed(seed, FaultKind::ALL));
        let mut again = Core::new(FaultPlan::of_seed(seed, FaultKind::ALL));
        for number in 0..40 {
            let address = [LIST, CALLS, "", "/extension/~/message-store?perPage=3"][number % 4];
            let (reply, same) = (core.get(address), again.get(address));
            assert_eq!(reply, same, "seed {seed}, request {number}");
        }
    }
}

#[test]
fn every_kind_is_in_the_manual() {
    let page = include_str!("../../../src/sandbox/README.md");
    for kind in FaultKind::ALL {
        assert!(page.contains(&format!("| `{}` |", kind.name())), "{} is not in the manual", kind.name());
        assert!(page.contains(kind.effect()), "the manual says something else about {}", kind.name());
        let parameter = kind.parameter().map(|parameter| format!("`{}`", parameter.name));
        assert!(parameter.is_none_or(|parameter| page.contains(&parameter)), "{}", kind.name());
    }
}
