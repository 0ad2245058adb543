//! What goes wrong and when: a plan is a list of rules, read from TOML or drawn from a seed.

use super::kind::{FaultGroup, FaultKind};
use crate::sandbox::reading::{Mistake, Reading, Table};
use crate::sandbox::world::random::{Dice, mix};

/// A family of addresses that faults can be confined to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    CallLog,
    /// The account's `call-log-extract-sync` and `call-log-sync`.
    CallSync,
    /// The call log of one extension.
    ExtensionCalls,
    ActiveCalls,
    MessageStore,
    MessageSync,
    Extension,
    Account,
    /// Sign-in and sign-out.
    Token,
}

impl Endpoint {
    /// All of them; the token comes last.
    pub const ALL: &[Endpoint] = &[
        Endpoint::CallLog,
        Endpoint::CallSync,
        Endpoint::ExtensionCalls,
        Endpoint::ActiveCalls,
        Endpoint::MessageStore,
        Endpoint::MessageSync,
        Endpoint::Extension,
        Endpoint::Account,
        Endpoint::Token,
    ];

    /// Its name in a fault plan.
    pub fn name(self) -> &'static str {
        match self {
            Endpoint::CallLog => "call-log",
            Endpoint::CallSync => "call-sync",
            Endpoint::ExtensionCalls => "extension-calls",
            Endpoint::ActiveCalls => "active-calls",
            Endpoint::MessageStore => "message-store",
            Endpoint::MessageSync => "message-sync",
            Endpoint::Extension => "extension",
            Endpoint::Account => "account",
            Endpoint::Token => "token",
        }
    }

    /// The family of a path; absent for paths that the service does not have.
    pub(crate) fn of(path: &str) -> Option<Endpoint> {
        let parts: Vec<&str> = path.strip_prefix("/restapi/")?.split('/').collect();
        match parts.as_slice() {
            ["oauth", _] => Some(Endpoint::Token),
            ["v1.0", "account", _] => Some(Endpoint::Account),
            ["v1.0", "account", _, "extension"] | ["v1.0", "account", _, "extension", _] => {
                Some(Endpoint::Extension)
            }
            ["v1.0", "account", _, "call-log", ..] => Some(Endpoint::CallLog),
            ["v1.0", "account", _, "call-log-extract-sync" | "call-log-sync"] => Some(Endpoint::CallSync),
            ["v1.0", "account", _, "active-calls"] => Some(Endpoint::ActiveCalls),
            ["v1.0", "account", _, "extension", _, tail @ ..] => match tail {
                ["call-log" | "call-log-sync", ..] => Some(Endpoint::ExtensionCalls),
                ["active-calls"] => Some(Endpoint::ActiveCalls),
                ["message-store", ..] => Some(Endpoint::MessageStore),
                ["message-sync"] => Some(Endpoint::MessageSync),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Which records a rule about records concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Calls,
    Messages,
    Both,
}

/// Which requests a rule hits, or which records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Always,
    /// Every n-th.
    Every(u64),
    /// The n-th ones, from 1; not for records.
    At(Vec<u64>),
    /// So many of a million, drawn from the plan's seed.
    Share(u64),
}

/// One entry of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) kind: FaultKind,
    pub(crate) on: Vec<Endpoint>,
    pub(crate) whose: Whose,
    pub(crate) when: When,
    /// Hits at most; not for records.
    pub(crate) times: Option<u64>,
    /// The value of the kind's parameter.
    pub(crate) amount: Option<i64>,
}

/// What goes wrong and when. The same plan does the same to the same sequence of requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultPlan {
    pub(crate) seed: u64,
    pub(crate) rules: Vec<Rule>,
}

impl Rule {
    fn new(kind: FaultKind, when: When) -> Rule {
        let amount = kind.parameter().and_then(|parameter| parameter.usual);
        let on = kind.endpoints().iter().copied().filter(|endpoint| *endpoint != Endpoint::Token);
        Rule { kind, on: on.collect(), whose: Whose::Both, when, times: None, amount }
    }

    /// A draw that depends on the seed, the kind and something that is to be hit or not.
    fn drawn(&self, seed: u64, what: u64) -> u64 {
        mix(mix(seed ^ mix(self.kind as u64)) ^ what)
    }

    /// Whether the n-th request of its endpoints is hit; `hits` counts those that were.
    pub(crate) fn hits_request(&self, seed: u64, number: u64, hits: u64) -> bool {
        if self.times.is_some_and(|times| hits >= times) {
            return false;
        }
        match &self.when {
            When::Always => true,
            When::Every(every) => number.is_multiple_of(*every),
            When::At(numbers) => numbers.contains(&number),
            When::Share(millionths) => self.drawn(seed, number) % 1_000_000 < *millionths,
        }
    }

    /// Whether a record is concerned, by its id: the same answer in every listing.
    pub(crate) fn hits_record(&self, seed: u64, id: &str) -> bool {
        // FNV-1a, spread out by `drawn`.
        let hash = id.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        });
        let drawn = self.drawn(seed, hash);
        match &self.when {
            When::Always => true,
            When::Every(every) => drawn.is_multiple_of(*every),
            When::Share(millionths) => drawn % 1_000_000 < *millionths,
            When::At(_) => false,
        }
    }

    pub(crate) fn concerns_calls(&self) -> bool {
        self.kind.changes_records() && self.whose != Whose::Messages
    }

    pub(crate) fn concerns_messages(&self) -> bool {
        self.kind.changes_records() && self.whose != Whose::Calls
    }
}

impl FaultPlan {
    /// A service that does nothing wrong.
    pub fn empty() -> FaultPlan {
        FaultPlan::default()
    }

    /// A plan of these kinds, each hitting a few requests drawn from the seed, or some of the records. Requests after
    /// the 60th of an endpoint are left in peace, so that a client that goes on trying comes to an end; faults that
    /// stand for good stay.
    pub fn of_seed(seed: u64, kinds: &[FaultKind]) -> FaultPlan {
        const LAST: u64 = 60;
        let rule = |kind: FaultKind| {
            let mut dice = Dice::new(seed, kind as u64 + 1);
            if kind.stands() {
                let mut rule = Rule::new(kind, When::Always);
                if kind == FaultKind::Forbidden {
                    let on = [Endpoint::MessageStore, Endpoint::MessageSync, Endpoint::ActiveCalls];
                    rule.on = vec![dice.pick(&on)];
                }
                return rule;
            }
            if kind.changes_records() {
                return Rule::new(kind, When::Every(5 + dice.below(36)));
            }
            let mut at: Vec<u64> = (0..1 + dice.below(3)).map(|_| 1 + dice.below(LAST)).collect();
            at.sort_unstable();
            at.dedup();
            Rule::new(kind, When::At(at))
        };
        FaultPlan { seed, rules: kinds.iter().copied().map(rule).collect() }
    }

    /// A plan with one rule that hits always: every request of the kind's endpoints, or every record.
    pub fn always(kind: FaultKind) -> FaultPlan {
        FaultPlan { seed: 0, rules: vec![Rule::new(kind, When::Always)] }
    }

    /// Reads a plan from TOML.
    ///
    /// # Errors
    /// All mistakes of the text with their places.
    pub fn parse(text: &str) -> Result<FaultPlan, Vec<Mistake>> {
        let reading = Reading::new(text);
        let parsed = reading.parse();
        let top = Table::new("the fault plan", 0..0, parsed.get_ref(), &reading);
        let seed = top.integer("seed", 0, i64::MAX).and_then(|seed| u64::try_from(seed).ok()).unwrap_or(0);
        let rules = top.tables("fault", "the fault").into_iter().filter_map(read_rule).collect();
        top.finish();
        reading.finish(FaultPlan { seed, rules })
    }

    /// The kinds that are planned, in the order of the plan.
    pub fn kinds(&self) -> impl Iterator<Item = FaultKind> {
        self.rules.iter().map(|rule| rule.kind)
    }

    /// Whether the service does nothing wrong.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

fn read_rule(table: Table<'_, '_>) -> Option<Rule> {
    let names: Vec<(&str, FaultKind)> = FaultKind::ALL.iter().map(|kind| (kind.name(), *kind)).collect();
    let Some(kind) = table.word("kind", &names) else {
        if table.place("kind").is_none() {
            let hint = "Name one, such as kind = \"internal-error\"; `tollbook sandbox faults` lists them.";
            table.complain("missing-key", table.span.clone(), "the fault has no kind", hint);
        }
        return None;
    };
    let when = read_when(&table, kind);
    let mut rule = Rule::new(kind, when.unwrap_or(When::Always));
    if kind.changes_records() {
        let words = [("calls", Whose::Calls), ("messages", Whose::Messages), ("both", Whose::Both)];
        rule.whose = table.word("of", &words).unwrap_or(Whose::Both);
    } else if kind.group() != FaultGroup::Time {
        rule.times = table.integer("times", 1, i64::MAX).and_then(|times| u64::try_from(times).ok());
        if let Some(on) = read_endpoints(&table, kind) {
            rule.on = on;
        }
    }
    if let Some(parameter) = kind.parameter()
        && let Some(amount) = table.integer(parameter.name, parameter.least, parameter.most)
    {
        rule.amount = Some(amount);
    }
    table.finish();
    Some(rule)
}

fn read_endpoints(table: &Table<'_, '_>, kind: FaultKind) -> Option<Vec<Endpoint>> {
    let texts = table.texts("on")?;
    let known: Vec<(&str, Endpoint)> =
        kind.endpoints().iter().map(|endpoint| (endpoint.name(), *endpoint)).collect();
    if texts.is_empty() {
        let hint = "Name at least one endpoint, or leave the key out to mean all of them.";
        table.complain("wrong-value", table.place("on")?, "on of the fault names no endpoint", hint);
    }
    Some(texts.iter().filter_map(|text| table.known("on", text, &known)).collect())
}

/// When a fault happens. Exactly one way of saying it is wanted; standing faults need none.
fn read_when(table: &Table<'_, '_>, kind: FaultKind) -> Option<When> {
    if kind.group() == FaultGroup::Time {
        return Some(When::Always);
    }
    let mut found = Vec::new();
    if let Some(every) = table.integer("every", 1, i64::MAX) {
        found.push(When::Every(every.unsigned_abs()));
    }
    if !kind.changes_records() && table.place("at").is_some() {
        let numbers = table.integers("at", 1, i64::MAX);
        found.push(When::At(numbers.into_iter().map(i64::unsigned_abs).collect()));
    }
    if let Some(share) = table.text("share") {
        match millionths(&share.value) {
            Some(share) => found.push(When::Share(share)),
            None => {
                let message = format!("share of the fault is not a share: \"{}\"", share.value);
                let hint = "Write a decimal number from 0 to 1 in quotes, such as \"0.1\".";
                table.complain("wrong-value", share.span, message, hint);
                return None;
            }
        }
    }
    let ways = ["every", "share", "at"].into_iter().filter(|way| *way != "at" || !kind.changes_records());
    let mut given: Vec<_> = ways.filter_map(|way| table.place(way)).collect();
    given.sort_by_key(|place| place.start);
    if given.len() > 1 {
        let message = "the fault says more than once when it happens";
        table.complain("wrong-value", given[1].clone(), message, "Keep one of every, at and share.");
    }
    if given.is_empty() && !kind.stands() {
        let (hint, message) = if kind.changes_records() {
            (
                "Write every = 10 for a tenth of the records, or share = \"0.1\".",
                "the fault does not say how many records it hits",
            )
        } else {
            ("Write every = 5, at = [3, 9] or share = \"0.1\".", "the fault does not say when it happens")
        };
        table.complain("missing-key", table.span.clone(), message, hint);
    }
    found.pop()
}

/// A decimal number from 0 to 1 in millionths, digit by digit.
fn millionths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 6 || whole.len() > 1 {
        return None;
    }
    let value = whole.parse::<u64>().ok()? * 1_000_000 + format!("{fraction:0<6}").parse::<u64>().ok()?;
    (value <= 1_000_000).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_read() {
        let text = "seed = 7\n[[fault]]\nkind = \"rate-limited\"\non = [\"call-log\", \"token\"]\nevery = 5\n\
            wait_seconds = 9\n[[fault]]\nkind = \"late-days\"\nshare = \"0.25\"\nof = \"calls\"\n\
            [[fault]]\nkind = \"server-clock-off\"\nminutes = -3\n[[fault]]\nkind = \"reset-before\"\nat = [3, 9]\ntimes = 1\n";
        let plan = FaultPlan::parse(text).expect("a plan");
        assert_eq!(plan.seed, 7);
        let [first, second, third, fourth] = plan.rules.as_slice() else { panic!("{plan:?}") };
        assert_eq!(
            (first.kind, &first.when, first.amount),
            (FaultKind::RateLimited, &When::Every(5), Some(9))
        );
        assert_eq!(first.on, [Endpoint::CallLog, Endpoint::Token]);
        assert_eq!((&second.when, second.whose), (&When::Share(250_000), Whose::Calls));
        assert_eq!((&third.when, third.amount), (&When::Always, Some(-3)));
        assert_eq!((&fourth.when, fourth.times), (&When::At(vec![3, 9]), Some(1)));
        assert!(!fourth.on.contains(&Endpoint::Token), "sign-in is left alone unless it is named");
        assert_eq!(FaultPlan::parse(""), Ok(FaultPlan::empty()));
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text = "sede = 7\n[[fault]]\nkind = \"rate-limitd\"\nevery = 5\n[[fault]]\nevery = 5\n\
            [[fault]]\nkind = \"internal-error\"\n[[fault]]\nkind = \"internal-error\"\nevery = 0\nshare = 0.1\n\
            [[fault]]\nkind = \"late-days\"\nat = [1]\nevery = 2\n[[fault]]\nkind = \"repeated-page\"\n\
            on = [\"token\", \"calllog\"]\nshare = \"1.5\"\n[[fault]]\nkind = \"html-error\"\nstatus = 200\n\
            every = 2\nat = [1]\n";
        let mistakes = FaultPlan::parse(text).expect_err("mistakes");
        let told: Vec<(usize, &str)> = mistakes.iter().map(|mistake| (mistake.line, mistake.code)).collect();
        let expected = [
            (1, "unknown-key"),
            (3, "unknown-word"),
            (5, "missing-key"),
            (7, "missing-key"),
            (11, "wrong-value"),
            (12, "wrong-type"),
            (12, "wrong-value"),
            (15, "unknown-key"),
            (19, "unknown-word"),
            (19, "unknown-word"),
            (20, "wrong-value"),
            (23, "wrong-value"),
            (25, "wrong-value"),
        ];
        assert_eq!(told, expected, "{mistakes:#?}");
        assert_eq!(mistakes[0].hint, "Did you mean seed?");
        assert_eq!(mistakes[1].hint, "Did you mean rate-limited?");
        assert!(mistakes.iter().all(|mistake| mistake.hint.ends_with(['.', '?'])));
    }

    #[test]
    fn broken_files_are_refused() {
        let mistakes = FaultPlan::parse("seed = \n[[fault]\n").expect_err("mistakes");
        assert_eq!(mistakes[0].code, "toml-syntax");
        let mistakes = FaultPlan::parse("fault = 3\nseed = \"x\"").expect_err("mistakes");
        assert_eq!(mistakes.iter().map(|mistake| mistake.code).collect::<Vec<_>>(), ["wrong-type"; 2]);
    }

    #[test]
    fn shares_are_decimal() {
        let good = ["0", "1", "0.1", "0.000001", "1.0"].map(millionths);
        assert_eq!(good, [Some(0), Some(1_000_000), Some(100_000), Some(1), Some(1_000_000)]);
        for wrong in ["", ".", "1.1", "-0.1", "0.0000001", "1e-3", "0,1", "10", "0."] {
            assert_eq!(millionths(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn draws_repeat_and_keep_their_share() {
        let rule = Rule::new(FaultKind::InternalError, When::Share(100_000));
        let hits = |seed| (0..10_000).filter(|number| rule.hits_request(seed, *number, 0)).count();
        assert_eq!(hits(1), hits(1));
        assert!((850..1150).contains(&hits(1)), "{}", hits(1));
        let rule = Rule::new(FaultKind::LateDays, When::Every(10));
        let hits = (0..10_000).filter(|number| rule.hits_record(3, &format!("record {number}"))).count();
        assert!((850..1150).contains(&hits), "{hits}");
        let plan = FaultPlan::of_seed(5, FaultKind::ALL);
        assert_eq!(plan, FaultPlan::of_seed(5, FaultKind::ALL));
        assert_ne!(plan, FaultPlan::of_seed(6, FaultKind::ALL));
        assert!(plan.kinds().eq(FaultKind::ALL.iter().copied()));
    }

    #[test]
    fn addresses_have_endpoints() {
        let of = |path: &str| Endpoint::of(&format!("/restapi{path}")).map(Endpoint::name);
        assert_eq!(of("/oauth/token"), Some("token"));
        assert_eq!(of("/v1.0/account/~"), Some("account"));
        assert_eq!(of("/v1.0/account/~/extension"), Some("extension"));
        assert_eq!(of("/v1.0/account/~/call-log/abc"), Some("call-log"));
        assert_eq!(of("/v1.0/account/~/call-log-extract-sync"), Some("call-sync"));
        assert_eq!(of("/v1.0/account/~/active-calls"), Some("active-calls"));
        assert_eq!(of("/v1.0/account/~/extension/~/call-log"), Some("extension-calls"));
        assert_eq!(of("/v1.0/account/~/extension/7/message-store/1,2"), Some("message-store"));
        assert_eq!(of("/v1.0/account/~/extension/7/message-sync"), Some("message-sync"));
        assert_eq!(of("/v1.0/account/~/extension/7/elsewhere"), None);
        assert_eq!(Endpoint::of("/sandbox/clock"), None);
    }
}
