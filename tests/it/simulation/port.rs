//! The wire between the puller and the service: carries requests on virtual time, makes them fail as the seed says, and
//! checks every one of them against what a client must never do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tollbook::ringcentral::credentials::Secret;
use tollbook::ringcentral::puller::{Auth, Input, Method, Request, Response};
use tollbook::sandbox::{Ask, Carriage, Clock, FaultPlan, Options, Reply, Service, World};

use super::chance::Chance;
use super::scenario::Scenario;
use super::witness::Witness;

/// Tries of one request that got no usable answer.
const TRIES: u32 = 5;
/// Refusals of one request for the rate, in a row, after which a run must have given up.
const REFUSALS: u32 = 11;
/// How long the real client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What became of one request, for the count of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Good,
    /// No answer, a damaged one, or an error that asking again may mend.
    Unusable,
    Refused,
    /// The token is not valid (any more).
    Unauthorised,
    /// A refusal for good.
    Denied,
}

/// Counts of a seed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub requests: u64,
    /// Requests that got a good answer, which are all a calm service would have been asked.
    pub good: u64,
    pub refused: u64,
    pub unusable: u64,
}

pub struct Port {
    services: [Service; 2],
    clock: Clock,
    world: Arc<World>,
    options: Options,
    from: DateTime<Utc>,
    /// Since the world's first instant; never goes back.
    pub elapsed: Duration,
    chance: Chance,
    /// Whether the service misbehaves now; else only its records are odd.
    pub faults: bool,
    pub witness: Witness,
    pub counts: Counts,
    closed_until: BTreeMap<&'static str, Duration>,
    last: Option<(String, u32, u32, u32)>,
    basic: String,
    /// Every token that was issued: the program's own text of it cannot be read.
    tokens: Vec<String>,
    /// An own order to the wire: rewrites a request before it is sent.
    pub rewrite: fn(&mut Ask),
    /// And an answer after it came.
    pub revise: fn(&Ask, &mut Vec<u8>),
}

impl Port {
    pub fn new(scenario: &Scenario) -> Port {
        let clock = Clock::fixed(scenario.from());
        let service = |faults: &FaultPlan| {
            let options = Options { faults: faults.clone(), ..scenario.options.clone() };
            Service::new(scenario.world.clone(), options, clock.clone())
        };
        let services = [service(&scenario.faults), service(&scenario.lasting)];
        let basic = base64(&format!("{}:{}", services[0].client_id(), services[0].client_secret()));
        Port {
            services,
            world: scenario.world.clone(),
            options: Options {
                faults: scenario.lasting.clone(),
                per_page_at_most: 1000,
                ..scenario.options.clone()
            },
            from: scenario.from(),
            clock,
            elapsed: Duration::ZERO,
            chance: Chance::new(scenario.seed ^ 0xFA17),
            faults: false,
            witness: Witness::default(),
            counts: Counts::default(),
            closed_until: BTreeMap::new(),
            last: None,
            basic,
            tokens: Vec::new(),
            rewrite: |_| {},
            revise: |_, _| {},
        }
    }

    /// The true time.
    pub fn now(&self) -> DateTime<Utc> {
        self.from + TimeDelta::from_std(self.elapsed).unwrap()
    }

    /// A new process begins: it cannot know what an earlier one was told.
    pub fn new_run(&mut self) {
        self.closed_until.clear();
        self.last = None;
    }

    /// Sends a request and waits for what comes of it.
    pub fn send(&mut self, request: &Request) -> Result<Input, String> {
        let group = self.check(request)?;
        let mut ask = self.ask(request);
        (self.rewrite)(&mut ask);
        self.counts.requests += 1;
        self.elapsed += Duration::from_millis(self.chance.between(40, 900));
        self.clock.set(self.now());
        let reply = self.services[usize::from(!self.faults)].answer(&ask, self.elapsed);
        let (fate, input) = self.deliver(&ask, group, reply);
        self.elapsed += Duration::from_millis(self.chance.between(10, 500));
        self.note(request, fate)?;
        Ok(input)
    }

    /// What no request may be: elsewhere, too early. Returns its rate group, by the published list of groups.
    fn check(&self, request: &Request) -> Result<&'static str, String> {
        let path = &request.path;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~./".contains(&byte);
        if !path.starts_with("/restapi/")
            || path.contains("..")
            || path.contains("//")
            || !path.bytes().all(plain)
        {
            return Err(format!("a request leaves the service: {path}"));
        }
        let group = match path.rsplit('/').next().unwrap_or_default() {
            "token" => "auth",
            "extension" => "medium",
            "call-log" | "call-log-sync" | "call-log-extract-sync" | "active-calls" => "heavy",
            _ => "light",
        };
        if let Some(until) = self.closed_until.get(group).filter(|until| self.elapsed < **until) {
            let early = *until - self.elapsed;
            return Err(format!("{path} is asked {early:?} before group {group} is open again"));
        }
        Ok(group)
    }

    fn ask(&self, request: &Request) -> Ask {
        let service = &self.services[0];
        match (&request.auth, request.method) {
            (Auth::Bearer(token), Method::Get) => {
                let mut ask = Ask::get(&request.path);
                ask.query =
                    request.query.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
                ask.with_header("authorization", &format!("Bearer {}", self.token_text(token)))
            }
            _ => {
                let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
                let form = [("grant_type", grant), ("assertion", service.jwt())];
                Ask::post(&request.path, &form).with_header("authorization", &format!("Basic {}", self.basic))
            }
        }
    }

    fn token_text(&self, token: &Secret) -> &str {
        let issued = self.tokens.iter().rev().find(|issued| Secret::new(issued.as_str()) == *token);
        issued.map_or("forged", String::as_str)
    }

    /// As the client's shell would hand it over, and what it means for the count.
    fn deliver(&mut self, ask: &Ask, group: &'static str, mut reply: Reply) -> (Fate, Input) {
        let broken = |what: &str| (Fate::Unusable, Input::NetworkError { what: what.to_owned() });
        match reply.carriage {
            Carriage::Whole => {}
            Carriage::Reset => return broken("the connection failed"),
            Carriage::CutAfter(_) => return broken("the answer broke off"),
            Carriage::LengthOff(more) if more > 0 => return broken("the answer broke off"),
            Carriage::LengthOff(more) => {
                let fewer = usize::try_from(more.unsigned_abs()).unwrap();
                reply.body.truncate(reply.body.len().saturating_sub(fewer));
            }
            Carriage::Drip { milliseconds_per_byte } => {
                let whole =
                    Duration::from_millis(milliseconds_per_byte) * u32::try_from(reply.body.len()).unwrap();
                self.elapsed += whole.min(Duration::from_secs(600));
                if whole > Duration::from_secs(600) {
                    return broken("no answer in time");
                }
            }
            Carriage::Hang => {
                self.elapsed += PATIENCE;
                return broken("no answer in time");
            }
        }
        self.close(group, &reply);
        if reply.status == 200 {
            (self.revise)(ask, &mut reply.body);
            if group == "auth" {
                self.tokens.extend(token_of(&reply.body));
            }
        }
        let whole = reply.status == 200 && self.witness.serve(&ask.path, &reply.body);
        let fate = match reply.status {
            200 if whole => Fate::Good,
            200 | 408 | 500.. => Fate::Unusable,
            429 => Fate::Refused,
            401 => Fate::Unauthorised,
            _ => Fate::Denied,
        };
        let header = |name: &str| reply.header(&name.to_ascii_lowercase()).map(str::to_owned);
        (fate, Input::Response(Response::new(reply.status, header, reply.body.clone())))
    }

    /// Until when the answer closes its group, by the documented rules.
    fn close(&mut self, group: &'static str, reply: &Reply) {
        let number = |name: &str| reply.header(name).and_then(|text| text.parse::<u64>().ok());
        let named = reply.header("x-rate-limit-group").is_some();
        if reply.status == 429 {
            let date = |text: &str| DateTime::parse_from_rfc2822(text).ok();
            let until =
                reply.header("retry-after").and_then(date).map(|until| until - self.now().fixed_offset());
            let until = until.and_then(|wait| wait.to_std().ok());
            let wait = until.or(number("retry-after").map(Duration::from_secs));
            let wait = wait.unwrap_or(Duration::from_secs(30));
            for closed in ["auth", "light", "medium", "heavy"] {
                if !named || closed == group {
                    self.close_until(closed, self.elapsed + wait);
                }
            }
        } else if number("x-rate-limit-remaining") == Some(0) {
            let window = Duration::from_secs(number("x-rate-limit-window").unwrap_or(60));
            self.close_until(group, self.elapsed + window);
        }
    }

    fn close_until(&mut self, group: &'static str, until: Duration) {
        let closed = self.closed_until.entry(group).or_default();
        *closed = until.max(*closed);
    }

    /// Counts, and checks that a request is not tried for ever.
    fn note(&mut self, request: &Request, fate: Fate) -> Result<(), String> {
        let shown = format!("{} {:?}", request.path, request.query);
        let (mut unusable, mut refused, mut unauthorised) = match self.last.take() {
            Some((last, unusable, refused, unauthorised)) if last == shown => {
                (unusable, refused, unauthorised)
            }
            _ => (0, 0, 0),
        };
        match fate {
            Fate::Good | Fate::Denied => {
                self.counts.good += 1;
                return Ok(());
            }
            Fate::Unusable => unusable += 1,
            Fate::Refused => refused += 1,
            // A token is asked for in between; the request itself is the same one when it comes again.
            Fate::Unauthorised => unauthorised += 1,
        }
        self.counts.unusable += u64::from(fate != Fate::Refused);
        self.counts.refused += u64::from(fate == Fate::Refused);
        if unusable > TRIES || refused > REFUSALS || unauthorised > 2 {
            return Err(format!(
                "{shown} is tried {unusable} times in vain, {refused} times against the rate"
            ));
        }
        self.last = Some((shown, unusable, refused, unauthorised));
        Ok(())
    }

    /// Asks the calm service past the wire, for the oracle: whole, without limits.
    pub fn list(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, String> {
        let options = Options { limits_lifted: true, ..self.options.clone() };
        let service = Service::new(self.world.clone(), options, self.clock.clone());
        let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        let form = [("grant_type", grant), ("assertion", service.jwt())];
        let ask = Ask::post("/restapi/oauth/token", &form);
        let reply =
            service.answer(&ask.with_header("authorization", &format!("Basic {}", self.basic)), self.elapsed);
        let token = token_of(&reply.body).ok_or("the oracle gets no token")?;
        let mut ask = Ask::get(path).with_header("authorization", &format!("Bearer {token}"));
        ask.query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let reply = service.answer(&ask, self.elapsed);
        if reply.status != 200 {
            return Err(format!("the oracle is refused {path}: {}", reply.status));
        }
        serde_json::from_slice(&reply.body).map_err(|error| error.to_string())
    }
}

fn token_of(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(body.get("access_token")?.as_str()?.to_owned())
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bytes = [chunk[0], *chunk.get(1).unwrap_or(&0), *chunk.get(2).unwrap_or(&0)];
        let word = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
        for place in 0..4 {
            let sextet = word >> (18 - 6 * place) & 63;
            let kept = place <= chunk.len();
            out.push(if kept { char::from(ALPHABET[sextet as usize]) } else { '=' });
        }
    }
    out
}
