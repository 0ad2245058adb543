//! The HTTP side of the sandbox: addresses, limits, tokens and errors of the service, on loopback only.
//!
//! It answers from the world as of the virtual clock and changes nothing in it. It must not listen on any address that
//! others can reach.

mod auth;
mod error;
mod faults;
mod limits;
mod pages;
mod query;
#[cfg(test)]
mod tests;

pub use faults::Faults;
pub use limits::Group;

use super::clock::Clock;
use super::world::{Plot, World};
use auth::{Credentials, Tokens};
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::{DateTime, TimeDelta, Utc};
use error::ApiError;
use faults::FaultCounters;
use limits::{Limits, Verdict};
use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How the sandbox is set up.
#[derive(Clone, Debug)]
pub struct Options {
    pub seed: u64,
    /// The first local day (America/New_York) is the one on which this instant falls.
    pub from: DateTime<Utc>,
    /// Number of local days.
    pub days: u32,
    /// Must be a loopback address; port 0 takes any free port.
    pub address: SocketAddr,
    /// Window of the rate limits, and length of the penalty.
    pub rate_window: Duration,
    pub limits_lifted: bool,
    /// Life of an access token, in real time.
    pub token_life: Duration,
    pub faults: Faults,
    /// Records on one page at most, whatever is asked for; the service itself serves up to 1000.
    pub per_page_at_most: usize,
    /// Numbers of extensions whose mailbox nobody may read (403 CMN-408).
    pub refused_mailboxes: Vec<String>,
    /// Whether internal calls have one record for each side.
    pub internal_sides: bool,
    /// Whether a record that starts at `dateTo` is listed: nobody knows what the real service does.
    pub date_to_inclusive: bool,
    /// Whether times in requests are cut to whole seconds, as the guide says they may be.
    pub cut_request_times: bool,
    /// The origin that stands in the addresses of served bodies, instead of the real one: with it the same world gives
    /// the same bytes on any port. Clients rebuild addresses on their configured origin.
    pub advertised_origin: Option<String>,
    /// After which time sent faxes are gone; 30 days at the real service. Absent: they stay.
    pub sent_fax_retention: Option<TimeDelta>,
}

impl Default for Options {
    /// October 2026 in New York, on any free port, with the service's own limits and lives.
    fn default() -> Options {
        let plot = Plot::default();
        Options {
            seed: plot.seed,
            from: plot.from,
            days: plot.days,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            rate_window: Duration::from_secs(60),
            limits_lifted: false,
            token_life: Duration::from_secs(3600),
            faults: Faults::default(),
            per_page_at_most: query::MOST_PER_PAGE,
            refused_mailboxes: Vec::new(),
            internal_sides: plot.internal_sides,
            date_to_inclusive: false,
            cut_request_times: true,
            advertised_origin: None,
            sent_fax_retention: None,
        }
    }
}

impl Options {
    /// The part of the options from which the world is made.
    pub fn plot(&self) -> Plot {
        Plot { seed: self.seed, from: self.from, days: self.days, internal_sides: self.internal_sides }
    }
}

/// Why the sandbox did not start.
#[derive(Debug)]
pub enum StartError {
    /// The address is not a loopback address.
    NotLoopback(SocketAddr),
    /// The address could not be listened on.
    Listen(SocketAddr, std::io::Error),
    /// There is no asynchronous runtime to run in.
    NoRuntime,
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::NotLoopback(address) => write!(formatter, "{address} is not a loopback address"),
            StartError::Listen(address, error) => write!(formatter, "cannot listen on {address}: {error}"),
            StartError::NoRuntime => write!(formatter, "the sandbox needs an asynchronous runtime"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StartError::Listen(_, error) => Some(error),
            StartError::NotLoopback(_) | StartError::NoRuntime => None,
        }
    }
}

/// Counts of what was asked.
#[derive(Debug, Default)]
pub struct Stats(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    requests: BTreeMap<(Group, &'static str), u64>,
    refused: BTreeMap<Group, u64>,
}

impl Stats {
    /// Requests by group and path template, those refused with 429 included.
    pub fn requests(&self) -> BTreeMap<(Group, &'static str), u64> {
        self.counts(|counts| counts.requests.clone())
    }

    /// All requests.
    pub fn total(&self) -> u64 {
        self.counts(|counts| counts.requests.values().sum())
    }

    /// How often 429 was given.
    pub fn refused(&self) -> u64 {
        self.counts(|counts| counts.refused.values().sum())
    }

    /// How often 429 was given in one group.
    pub fn refused_in(&self, group: Group) -> u64 {
        self.counts(|counts| counts.refused.get(&group).copied().unwrap_or(0))
    }

    fn counts<T>(&self, read: impl FnOnce(&mut Counts) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A running sandbox. It stops when it is dropped.
#[derive(Debug)]
pub struct Running {
    /// Such as `http://127.0.0.1:4010`, without a slash at the end.
    pub base_url: String,
    pub client_id: String,
    pub client_secret: String,
    pub jwt: String,
    pub world: Arc<World>,
    pub clock: Clock,
    pub stats: Arc<Stats>,
    shutdown: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

impl Running {
    /// Stops taking requests and waits for those under way.
    pub async fn stop(mut self) {
        self.shutdown.take();
        if let Some(task) = self.task.take() {
            // A task that was aborted or panicked has stopped as well.
            let _ = task.await;
        }
    }

    /// Waits until the server ends by itself, which it does not: for a sandbox in the foreground.
    pub async fn wait(mut self) {
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

/// What the handlers share.
pub(crate) struct App {
    pub(crate) world: Arc<World>,
    pub(crate) clock: Clock,
    pub(crate) options: Options,
    pub(crate) origin: String,
    limits: Limits,
    tokens: Tokens,
    faults: FaultCounters,
    stats: Arc<Stats>,
}

/// Draws the world and starts to serve it inside the current runtime.
///
/// # Errors
/// When the address is not loopback or cannot be listened on, or when there is no runtime.
pub fn start(options: Options, clock: Clock) -> Result<Running, StartError> {
    let world = Arc::new(World::generate(options.plot()));
    serve(world, options, clock)
}

/// Serves a world that has been drawn already; the options that made it are ignored.
///
/// # Errors
/// As [`start`].
pub fn serve(world: Arc<World>, options: Options, clock: Clock) -> Result<Running, StartError> {
    let address = options.address;
    if !address.ip().is_loopback() {
        return Err(StartError::NotLoopback(address));
    }
    let runtime = tokio::runtime::Handle::try_current().map_err(|_| StartError::NoRuntime)?;
    let refuse = |error| StartError::Listen(address, error);
    let listener = TcpListener::bind(address).map_err(refuse)?;
    listener.set_nonblocking(true).map_err(refuse)?;
    let origin = format!("http://{}", listener.local_addr().map_err(refuse)?);
    let listener = tokio::net::TcpListener::from_std(listener).map_err(refuse)?;
    let credentials = Credentials::of_seed(world.plot().seed);
    let stats = Arc::new(Stats::default());
    let uses = options.faults.expire_token_after;
    let app = App {
        world: Arc::clone(&world),
        clock: clock.clone(),
        origin: options.advertised_origin.clone().unwrap_or_else(|| origin.clone()),
        limits: Limits::new(options.rate_window, options.limits_lifted),
        tokens: Tokens::new(credentials.clone(), options.token_life, uses, world.plot().seed),
        faults: FaultCounters::default(),
        stats: Arc::clone(&stats),
        options,
    };
    let (shutdown, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, router(app)).with_graceful_shutdown(async {
        // Either way it is over: a message, or the sender is gone.
        let _ = stopped.await;
    });
    let task = runtime.spawn(async {
        // A listener on loopback that fails has nobody to tell.
        let _ = server.await;
    });
    Ok(Running {
        base_url: origin,
        client_id: credentials.client_id,
        client_secret: credentials.client_secret,
        jwt: credentials.jwt,
        world,
        clock,
        stats,
        shutdown: Some(shutdown),
        task: Some(task),
    })
}

const TOKEN: &str = "/restapi/oauth/token";
const REVOKE: &str = "/restapi/oauth/revoke";
const ACCOUNT: &str = "/restapi/v1.0/account/{account}";
const EXTENSIONS: &str = "/restapi/v1.0/account/{account}/extension";
const CALL_LOG: &str = "/restapi/v1.0/account/{account}/call-log";
const CALL_RECORD: &str = "/restapi/v1.0/account/{account}/call-log/{record}";
const MESSAGES: &str = "/restapi/v1.0/account/{account}/extension/{extension}/message-store";
const MESSAGE: &str = "/restapi/v1.0/account/{account}/extension/{extension}/message-store/{message}";

type Shared = State<Arc<App>>;
type FormFields = Result<Form<Vec<(String, String)>>, FormRejection>;

fn router(app: App) -> Router {
    Router::new()
        .route(TOKEN, post(token))
        .route(REVOKE, post(revoke))
        .route(ACCOUNT, get(account))
        .route(EXTENSIONS, get(extensions))
        .route(CALL_LOG, get(call_log))
        .route(CALL_RECORD, get(call_record))
        .route(MESSAGES, get(messages))
        .route(MESSAGE, get(message))
        .fallback(unknown)
        .with_state(Arc::new(app))
}

impl App {
    /// Counts a request and asks the limiter.
    fn admit(&self, group: Group, template: &'static str) -> Verdict {
        let verdict = self.limits.admit(group, Instant::now());
        self.stats.counts(|counts| {
            *counts.requests.entry((group, template)).or_default() += 1;
            if !verdict.admitted {
                *counts.refused.entry(group).or_default() += 1;
            }
        });
        verdict
    }

    /// One request that needs a token: limits first, then the fault plan, then the token, then the answer.
    fn answer(
        &self,
        group: Group,
        template: &'static str,
        headers: &HeaderMap,
        body: impl FnOnce(&App) -> Result<String, ApiError>,
    ) -> Response {
        let verdict = self.admit(group, template);
        if !verdict.admitted {
            return respond(verdict, Err(ApiError::rate_exceeded()));
        }
        if let Some(failure) = self.faults.failure(&self.options.faults) {
            return respond(verdict, Err(failure));
        }
        let answer = self.tokens.check(headers, Instant::now()).and_then(|()| body(self));
        respond(verdict, answer.map(|body| self.faults.body(&self.options.faults, body)))
    }

    /// One request to the token endpoints.
    fn answer_form(
        &self,
        template: &'static str,
        form: FormFields,
        body: impl FnOnce(&App, &[(String, String)]) -> Result<String, ApiError>,
    ) -> Response {
        let verdict = self.admit(Group::Auth, template);
        if !verdict.admitted {
            return respond(verdict, Err(ApiError::rate_exceeded()));
        }
        let refuse = |_| {
            let description = "Unsupported grant type";
            ApiError::oauth(StatusCode::BAD_REQUEST, "invalid_request", "OAU-250", description)
        };
        respond(verdict, form.map_err(refuse).and_then(|Form(form)| body(self, &form)))
    }
}

/// Puts status, headers and body together. Every answer tells the state of its rate group.
fn respond(verdict: Verdict, answer: Result<String, ApiError>) -> Response {
    let (status, body) = match answer {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => (error.status, error.body.to_string()),
    };
    let json = HeaderValue::from_static("application/json;charset=utf-8");
    let mut response = (status, [(header::CONTENT_TYPE, json)], body).into_response();
    let headers = response.headers_mut();
    let number = |value: u64| HeaderValue::from(value);
    let count = |value: usize| number(u64::try_from(value).unwrap_or(u64::MAX));
    let name = HeaderName::from_static;
    headers.insert(name("x-rate-limit-group"), HeaderValue::from_static(verdict.group.name()));
    headers.insert(name("x-rate-limit-limit"), count(verdict.limit));
    headers.insert(name("x-rate-limit-remaining"), count(verdict.remaining));
    headers.insert(name("x-rate-limit-window"), number(verdict.window_seconds));
    if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        headers.insert(header::RETRY_AFTER, number(verdict.window_seconds));
    }
    response
}

async fn token(State(app): Shared, headers: HeaderMap, form: FormFields) -> Response {
    app.answer_form(TOKEN, form, |app, form| {
        let token = app.tokens.grant(&headers, form, Instant::now())?;
        serde_json::to_string(&token).map_err(|_| ApiError::fault(500))
    })
}

async fn revoke(State(app): Shared, headers: HeaderMap, form: FormFields) -> Response {
    app.answer_form(REVOKE, form, |app, form| {
        app.tokens.revoke(&headers, form, Instant::now()).map(|()| String::new())
    })
}

async fn account(State(app): Shared, Path(account): Path<String>, headers: HeaderMap) -> Response {
    app.answer(Group::Light, ACCOUNT, &headers, |app| app.account(&account))
}

async fn extensions(
    State(app): Shared,
    Path(account): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    app.answer(Group::Medium, EXTENSIONS, &headers, |app| app.extensions(&account, &uri))
}

async fn call_log(State(app): Shared, Path(account): Path<String>, headers: HeaderMap, uri: Uri) -> Response {
    app.answer(Group::Heavy, CALL_LOG, &headers, |app| app.call_log(&account, &uri))
}

async fn call_record(
    State(app): Shared,
    path: Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let Path((account, record)) = path;
    app.answer(Group::Heavy, CALL_RECORD, &headers, |app| app.call_record(&account, &record, &uri))
}

async fn messages(
    State(app): Shared,
    path: Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let Path((account, extension)) = path;
    app.answer(Group::Light, MESSAGES, &headers, |app| app.messages(&account, &extension, &uri))
}

async fn message(State(app): Shared, path: Path<(String, String, String)>, headers: HeaderMap) -> Response {
    let Path((account, extension, message)) = path;
    app.answer(Group::Light, MESSAGE, &headers, |app| app.message(&account, &extension, &message))
}

async fn unknown(State(app): Shared, headers: HeaderMap) -> Response {
    app.answer(Group::Light, "(unknown)", &headers, |_| Err(ApiError::invalid_uri()))
}
