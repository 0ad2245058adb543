//! Every answer of the sandbox is as the service's own description says, and where it is not, the description is known to
//! be wrong, or reality is known to go beyond it: each such place has a name and a reason here.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tollbook::sandbox::{Ask, Clock, Deletions, InProgress, Method, Options, Reply, Service, Spelling};
use tollbook::sandbox::{TimeStyle, Unknowns, World};

use super::support::schema::{Description, Fault};

#[path = "schema/answers.rs"]
mod answers;
#[path = "schema/errors.rs"]
mod errors;

/// A place where answers are right and the description is not.
struct Exception {
    name: &'static str,
    reason: &'static str,
    covers: fn(&Fault) -> bool,
}

const EXCEPTIONS: [Exception; 7] = [
    Exception {
        name: "side recipients",
        reason: "the description requires vmSideRecipients, with at least one member, of every single message, texts and \
                 faxes included",
        covers: |fault| fault.place.ends_with("vmSideRecipients") && fault.what == "missing",
    },
    Exception {
        name: "results beyond the enumeration",
        reason: "the service has more results than its description, and another case: clients have seen `Hang up`",
        covers: |fault| {
            let strange = ["\"Quantum Handoff\"", "\"Echoed\"", "\"Hang up\""];
            fault.place.ends_with("result") && strange.iter().any(|result| fault.what.ends_with(result))
        },
    },
    Exception {
        name: "code and message at the top",
        reason: "real error bodies repeat the first error at the top, as the guide shows and the description does not",
        covers: |fault| {
            let repeated = ["errorCode", "message", "parameterName", "permissionName"];
            repeated.contains(&fault.place.as_str()) && fault.what == "a member that is not described"
        },
    },
    Exception {
        name: "OAuth's own words",
        reason: "error_description is part of OAuth and seen in real answers; the description has `error` alone, and only \
                 for status 400",
        covers: |fault| {
            ["error_description", "error"].contains(&fault.place.as_str())
                && fault.what == "a member that is not described"
        },
    },
    Exception {
        name: "another spelling (a switch)",
        reason: "Spelling::Varied serves results in lower case and in capitals, as clients have seen them",
        covers: |fault| fault.place.ends_with("result") && fault.what.contains("enumerated"),
    },
    Exception {
        name: "another way to write times (a switch)",
        reason: "TimeStyle::Offset serves +0000 without a colon, as clients have seen it",
        covers: |fault| fault.what == "not in the format date-time",
    },
    Exception {
        name: "an id as text (a switch)",
        reason: "the description has numbers; events and some clients have text",
        covers: |fault| fault.place.ends_with("id") && fault.what == "not of type integer",
    },
];

/// Exceptions that hold for every answer; the rest belong to switches.
const ALWAYS: [&str; 4] =
    ["side recipients", "results beyond the enumeration", "code and message at the top", "OAuth's own words"];

static USED: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

static DESCRIPTION: LazyLock<Description> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/ringcentral/openapi.json");
    Description::read(&std::fs::read_to_string(path).expect("the description"))
});

/// The faults that no exception among `allowed` covers.
fn left(faults: BTreeSet<Fault>, allowed: &[&str]) -> Vec<Fault> {
    let excused = |fault: &Fault| {
        let mut exceptions = EXCEPTIONS.iter().filter(|exception| allowed.contains(&exception.name));
        let found = exceptions.find(|exception| (exception.covers)(fault));
        if let Some(exception) = found {
            USED.lock().unwrap_or_else(PoisonError::into_inner).insert(exception.name);
        }
        found.is_some()
    };
    faults.into_iter().filter(|fault| !excused(fault)).collect()
}

fn world() -> Arc<World> {
    static WORLD: LazyLock<Arc<World>> =
        LazyLock::new(|| Arc::new(World::generate(Options { days: 1, ..Options::default() }.plot())));
    Arc::clone(&WORLD)
}

/// A service with a token, asked directly.
struct Desk {
    service: Service,
    clock: Clock,
    bearer: String,
    /// Names of the exceptions that hold beside [`ALWAYS`].
    allowed: Vec<&'static str>,
}

const ROOT: &str = "/restapi/v1.0/account/~";
const ACCOUNT: &str = "/restapi/v1.0/account/{accountId}";
const EXTENSION: &str = "/restapi/v1.0/account/{accountId}/extension/{extensionId}";
const EVERYTHING: &str = "dateFrom=2026-09-30T00:00:00Z&dateTo=2026-10-20T00:00:00Z";

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let word = chunk.iter().fold(0_usize, |word, byte| word << 8 | usize::from(*byte))
            << (8 * (3 - chunk.len()));
        encoded.extend((0..=chunk.len()).map(|place| char::from(ALPHABET[word >> (18 - 6 * place) & 63])));
    }
    encoded
}

impl Desk {
    fn open(options: Options, allowed: &[&'static str]) -> Desk {
        let world = world();
        let clock = Clock::fixed(world.settled());
        let service = Service::new(world, options, clock.clone());
        let allowed = ALWAYS.iter().chain(allowed).copied().collect();
        let mut desk = Desk { service, clock, bearer: String::new(), allowed };
        let token = desk.token();
        let token = serde_json::from_slice::<Value>(&token.body).expect("a token");
        desk.bearer = format!("Bearer {}", token["access_token"].as_str().expect("a token"));
        desk
    }

    fn with(unknowns: Unknowns, allowed: &[&'static str]) -> Desk {
        Desk::open(Options { limits_lifted: true, unknowns, ..Options::default() }, allowed)
    }

    fn plain() -> Desk {
        Desk::with(Unknowns::default(), &[])
    }

    fn token(&self) -> Reply {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", self.service.jwt()),
        ];
        self.service.answer(&self.signed(Ask::post("/restapi/oauth/token", &form)), Duration::ZERO)
    }

    /// A request with the client's own credentials.
    fn signed(&self, ask: Ask) -> Ask {
        let user = format!("{}:{}", self.service.client_id(), self.service.client_secret());
        ask.with_header("authorization", &format!("Basic {}", base64(&user)))
    }

    fn ask(&self, address: &str) -> Reply {
        let ask = Ask::get(&format!("{ROOT}{address}")).with_header("authorization", &self.bearer);
        self.service.answer(&ask, Duration::from_secs(1))
    }

    /// Asks, and holds the answer against the description of an operation.
    fn get(&self, path: &str, address: &str) -> Value {
        let reply = self.ask(address);
        let value: Value = serde_json::from_slice(&reply.body).expect("JSON");
        assert_eq!(reply.status, 200, "{address}: {value}");
        let schema = DESCRIPTION.answer("get", path, 200, "application/json");
        let faults = DESCRIPTION.check(schema.unwrap_or_else(|| panic!("{path} is not described")), &value);
        assert_eq!(left(faults, &self.allowed), [], "{address}");
        value
    }

    /// Extensions' ids.
    fn extensions(&self) -> Vec<u64> {
        let page = self.get(&format!("{ACCOUNT}/extension"), "/extension?perPage=1000");
        let records = page["records"].as_array().expect("records");
        records.iter().map(|extension| extension["id"].as_u64().expect("an id")).collect()
    }
}

fn defect(value: &Value, change: impl FnOnce(&mut Value)) -> Vec<Fault> {
    let schema = DESCRIPTION.answer("get", &format!("{ACCOUNT}/call-log"), 200, "application/json");
    let mut value = value.clone();
    change(&mut value);
    left(DESCRIPTION.check(schema.expect("a schema"), &value), &ALWAYS)
}

#[test]
fn the_validator_sees_planted_defects() {
    let desk = Desk::plain();
    let page = desk.get(&format!("{ACCOUNT}/call-log"), &format!("/call-log?view=Detailed&{EVERYTHING}"));
    assert_eq!(defect(&page, |_| {}), []);
    type Planted = (&'static str, &'static str, fn(&mut Value));
    let planted: [Planted; 11] = [
        ("records[].id", "missing", |page| {
            drop(page["records"][0].as_object_mut().expect("it").remove("id"))
        }),
        ("records[].legs[].legType", "missing", |page| {
            drop(page["records"][0]["legs"][0].as_object_mut().expect("it").remove("legType"));
        }),
        ("navigation", "missing", |page| drop(page.as_object_mut().expect("it").remove("navigation"))),
        ("records[].duration", "not of type integer", |page| page["records"][0]["duration"] = json!("12")),
        ("records", "not of type array", |page| page["records"] = json!({})),
        ("records[].extension.id", "not of type integer", |page| {
            page["records"][0]["extension"] = json!({ "id": "7", "uri": "https://example.invalid/7" });
        }),
        ("records[].startTime", "not in the format date-time", |page| {
            page["records"][0]["startTime"] = json!("2026-10-01 04:00");
        }),
        ("records[].direction", "not one of the enumerated values: \"Sideways\"", |page| {
            page["records"][0]["direction"] = json!("Sideways");
        }),
        ("records[].legs[].action", "not one of the enumerated values: \"Telegraph\"", |page| {
            page["records"][0]["legs"][0]["action"] = json!("Telegraph");
        }),
        ("paging.perPage", "above maximum", |page| page["paging"]["perPage"] = json!(1001)),
        ("records[].starttime", "a member that is not described", |page| {
            page["records"][0]["starttime"] = json!("2026-10-01T04:00:00Z");
        }),
    ];
    for (place, what, change) in planted {
        let expected = Fault { place: place.to_owned(), what: what.to_owned() };
        assert_eq!(defect(&page, change), [expected]);
    }
}

/// Tests have no order: whichever comes first does the work of a part for all.
fn once(part: &OnceLock<()>, work: fn()) {
    part.get_or_init(work);
}

#[test]
fn every_exception_is_needed() {
    once(&answers::ANSWERS, answers::all);
    once(&answers::SWITCHES, answers::switches);
    once(&errors::REFUSALS, errors::all);
    let used = USED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let idle = EXCEPTIONS.iter().filter(|exception| !used.contains(exception.name));
    let idle: Vec<(&str, &str)> = idle.map(|exception| (exception.name, exception.reason)).collect();
    assert!(idle.is_empty(), "exceptions that nothing needs: {idle:#?}");
}
