//! The sandbox as a service that misbehaves to plan: every kind of fault alone at its core, and every way an answer can
//! travel over a real socket.

mod carriages;
mod commands;
mod kinds;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde_json::Value;
use tollbook::sandbox::{Ask, Clock, FaultPlan, Options, Reply, Service, World};

use crate::company::{LATE, instant, sunday};

/// One world for all tests.
static WORLD: LazyLock<Arc<World>> = LazyLock::new(|| Arc::new(World::generate(sunday().plot())));

/// A plan of one fault: its kind, and further lines of TOML.
fn plan(kind: &str, more: &str) -> FaultPlan {
    FaultPlan::parse(&format!("seed = 5\n[[fault]]\nkind = \"{kind}\"\n{more}")).unwrap()
}

/// The core with its token, driven by hand.
struct Core {
    service: Service,
    clock: Clock,
    token: String,
    elapsed: Duration,
}

impl Core {
    fn new(faults: FaultPlan) -> Core {
        let clock = Clock::fixed(instant(LATE));
        let options = Options { faults, ..sunday() };
        let service = Service::new(Arc::clone(&WORLD), options, clock.clone());
        let mut core = Core { service, clock, token: String::new(), elapsed: Duration::ZERO };
        core.sign_in();
        core
    }

    fn sign_in(&mut self) {
        let credentials = format!("{}:{}", self.service.client_id(), self.service.client_secret());
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", self.service.jwt()),
        ];
        let ask = Ask::post("/restapi/oauth/token", &form);
        let ask = ask.with_header("authorization", &format!("Basic {}", base64(credentials.as_bytes())));
        let reply = self.service.answer(&ask, self.elapsed);
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        self.token = json(&reply)["access_token"].as_str().unwrap().to_owned();
    }

    /// Asks for an address below the account.
    fn get(&mut self, address: &str) -> Reply {
        self.elapsed += Duration::from_millis(10);
        let ask = Ask::get(&format!("/restapi/v1.0/account/~{address}"));
        let ask = ask.with_header("authorization", &format!("Bearer {}", self.token));
        self.service.answer(&ask, self.elapsed)
    }

    /// All pages of a list as a client reads them that follows `nextPage` by its query; at most a dozen.
    fn pages(&mut self, address: &str) -> Vec<Value> {
        let mut pages = Vec::new();
        let mut next = Some(address.to_owned());
        while let Some(address) = next.filter(|_| pages.len() < 12) {
            let page = json(&self.get(&address));
            let link = page["navigation"]["nextPage"]["uri"].as_str();
            let path = address.split('?').next().unwrap();
            next = link.map(|link| format!("{path}?{}", link.split_once('?').unwrap().1));
            pages.push(page);
        }
        pages
    }
}

fn json(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or(Value::Null)
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let sextet = usize::try_from(word >> (18 - 6 * place) & 63).unwrap();
            text.push(if place <= chunk.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    text
}
