//! The puller's shell: carries out its actions over HTTP and hands what was collected to a [`Landing`].
//!
//! It must not decide anything: no retry, no pace and no judgement of an answer is made here.

use std::time::Duration;

use super::clock::Clock;
use super::credentials::Credentials;
use super::page::BODY_LIMIT_BYTES;
use super::puller::{
    Action, Auth, Input, Known, Method, Moment, Progress, Puller, Request, Response, Summary,
};
use crate::domain::record::{Coverage, Cursor, Gap, PullWindow, RawPage, SourceRecord, Stream};
use crate::domain::{Exit, Failure, Instant, Result};

mod inquiry;

pub use inquiry::{Inquiry, Reply, SignedIn, refusal_codes};

/// Where collected facts go; implemented over the book.
pub trait Landing {
    /// What the book has when a run begins.
    fn known(&self) -> Result<Known>;

    /// Keeps how far a feed of changes has come when it had nothing to land.
    fn advance(&mut self, stream: &Stream) -> Result<()>;

    /// What is covered of one window; asked after each complete listing.
    fn coverage_of(&self, window: &PullWindow) -> Result<Option<Coverage>>;

    /// Stores a page, its records and the cursor in one transaction. A cursor without a next page completes the
    /// listing: the window's coverage then has the count and digest of this listing.
    fn land(&mut self, page: &RawPage, records: &[SourceRecord], cursor: &Cursor) -> Result<()>;

    /// Seals a window whose two last listings agreed.
    fn seal(&mut self, window: &PullWindow, at: Instant) -> Result<()>;

    /// Notes a part of the source that cannot be read.
    fn gap(&mut self, gap: &Gap, at: Instant) -> Result<()>;

    /// Told before anything lands; refuses an account that is not the book's.
    fn account(&mut self, id: &str) -> Result<()>;

    /// Told after every step.
    fn progress(&mut self, progress: &Progress);
}

/// The configured origin of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUrl {
    origin: String,
    loopback: bool,
}

impl ServiceUrl {
    /// Reads a configured address. Anything but https is refused unless the host is this machine, because every
    /// request carries a credential (exit 3).
    pub fn parse(text: &str) -> Result<ServiceUrl> {
        let mistake = |message: String| Failure::new(Exit::Mistakes, message);
        let url = reqwest::Url::parse(text.trim())
            .map_err(|error| mistake(format!("the service's url: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(mistake("the service's url holds a user or password".to_owned()));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(mistake("the service's url holds a query or fragment".to_owned()));
        }
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let address = host.parse::<std::net::IpAddr>().ok();
        let loopback = host == "localhost" || address.is_some_and(|address| address.is_loopback());
        if url.scheme() != "https" && !(loopback && url.scheme() == "http") {
            return Err(mistake(format!(
                "the service's url must be https (it is {} to {host})",
                url.scheme()
            ))
            .hint("Plain http is accepted only for a sandbox on this machine."));
        }
        Ok(ServiceUrl { origin: url.as_str().trim_end_matches('/').to_owned(), loopback })
    }

    /// The address, without a final slash.
    pub fn as_str(&self) -> &str {
        &self.origin
    }

    /// Whether the service runs on this machine.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }
}

/// How to reach the service.
#[derive(Clone, Debug)]
pub struct Transport {
    pub url: ServiceUrl,
    /// To connect, and between two reads of an answer.
    pub timeout: Duration,
    /// For a whole answer.
    pub longest_answer: Duration,
}

impl Transport {
    /// The usual patience: 30 seconds, and 10 minutes for a whole answer.
    pub fn to(url: ServiceUrl) -> Transport {
        Transport { url, timeout: Duration::from_secs(30), longest_answer: Duration::from_secs(600) }
    }
}

/// Pulls until the puller is done. What was landed before a failure stays landed.
pub async fn pull(
    mut puller: Puller,
    credentials: &Credentials,
    transport: &Transport,
    clock: &dyn Clock,
    landing: &mut dyn Landing,
) -> Result<Summary> {
    let http = client(transport)?;
    let mut input = Input::Start(landing.known()?);
    let mut ahead: Option<tokio::task::JoinHandle<Input>> = None;
    loop {
        let at = Moment { civil: clock.now(), elapsed: clock.elapsed() };
        let action = puller.step(at, input);
        landing.progress(&puller.progress());
        input = match action {
            Action::Request(request) => send(&http, transport, credentials, request).await,
            Action::Await => match ahead.take() {
                Some(answer) => answer.await.unwrap_or_else(|_| given_up()),
                None => given_up(),
            },
            Action::Wait { until, .. } => {
                clock.sleep(until.saturating_sub(clock.elapsed())).await;
                Input::Continue
            }
            Action::Account(id) => landing.account(&id).map(|()| Input::Continue)?,
            Action::Land { page, records, cursor } => {
                let next = puller.ahead(at).map(|request| prepared(&http, transport, credentials, request));
                ahead = next.map(|request| tokio::spawn(exchange(request)));
                landing.land(&page, &records, &cursor)?;
                let complete = cursor.next_page.is_none();
                Input::Landed { coverage: if complete { landing.coverage_of(&cursor.window)? } else { None } }
            }
            Action::Advance(stream) => landing.advance(&stream).map(|()| Input::Continue)?,
            Action::NoteGap(gap) => landing.gap(&gap, at.civil).map(|()| Input::Continue)?,
            Action::Seal(window) => landing.seal(&window, at.civil).map(|()| Input::Continue)?,
            Action::Finished(summary) => return Ok(summary),
            Action::Failed(failure) => {
                return Err(failure.while_doing(format!("pulling from {}", transport.url.as_str())));
            }
        };
    }
}

/// [`pull`] for a caller that is not asynchronous; it must not be called from within a runtime.
pub fn pull_blocking(
    puller: Puller,
    credentials: &Credentials,
    transport: &Transport,
    clock: &dyn Clock,
    landing: &mut dyn Landing,
) -> Result<Summary> {
    // A thread beside this one, which takes in the next page while this one lands the last.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime =
        runtime.map_err(|error| Failure::new(Exit::Bug, format!("no runtime for the network: {error}")))?;
    runtime.block_on(pull(puller, credentials, transport, clock, landing))
}

fn client(transport: &Transport) -> Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(transport.timeout)
        .read_timeout(transport.timeout)
        .timeout(transport.longest_answer)
        .user_agent(concat!("Tollbook/", env!("CARGO_PKG_VERSION")));
    // A proxy of the environment cannot reach this machine.
    let builder = if transport.url.loopback { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| {
        Failure::new(Exit::Service, format!("no connection can be made: {}", reason(&error)))
    })
}

async fn send(
    http: &reqwest::Client,
    transport: &Transport,
    credentials: &Credentials,
    request: Request,
) -> Input {
    exchange(prepared(http, transport, credentials, request)).await
}

fn given_up() -> Input {
    Input::NetworkError { what: "the request was given up".to_owned() }
}

fn prepared(
    http: &reqwest::Client,
    transport: &Transport,
    credentials: &Credentials,
    request: Request,
) -> reqwest::RequestBuilder {
    let url = format!("{}{}", transport.url.origin, request.path);
    let builder = match request.method {
        Method::Get => http.get(url),
        Method::Post => http.post(url),
    };
    let builder = builder.header("Accept", "application/json");
    match &request.auth {
        Auth::Credentials => {
            let form = [
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", credentials.jwt.reveal()),
            ];
            builder.basic_auth(&credentials.client_id, Some(credentials.client_secret.reveal())).form(&form)
        }
        Auth::Bearer(token) => builder.bearer_auth(token.reveal()).query(&request.query),
    }
}

async fn exchange(builder: reqwest::RequestBuilder) -> Input {
    match answer(builder).await {
        Ok(response) => Input::Response(response),
        Err(error) => Input::NetworkError { what: reason(&error).to_owned() },
    }
}

async fn answer(builder: reqwest::RequestBuilder) -> std::result::Result<Response, reqwest::Error> {
    let mut answer = builder.send().await?;
    let headers = answer.headers().clone();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut body = Vec::new();
    // One byte over the limit is enough to be refused as too large.
    while body.len() <= BODY_LIMIT_BYTES {
        let Some(chunk) = answer.chunk().await? else { break };
        body.extend_from_slice(&chunk);
    }
    Ok(Response::new(answer.status().as_u16(), header, body))
}

/// Why there was no answer, in words of our own: the library's may hold the address with its query.
fn reason(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_builder() {
        "the request cannot be made"
    } else if error.is_body() || error.is_decode() {
        "the answer broke off"
    } else {
        "the connection failed"
    }
}

#[cfg(test)]
mod tests;
