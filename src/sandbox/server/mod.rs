//! The HTTP side of the sandbox: a thin shell that carries requests to the [`Service`] and its replies back, on loopback
//! only.
//!
//! It decides nothing: what an answer says and how it travels is the service's. It must not listen on any address that
//! others can reach.

mod line;
#[cfg(test)]
mod tests;

use super::clock::Clock;
use super::service::{Ask, Carriage, Method, Options, Reply, Service, Stats, decode_pairs};
use super::world::World;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use line::{Lines, Script, Slot};
use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

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
    shutdown: Option<watch::Sender<()>>,
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
    let mut options = options;
    options.advertised_origin.get_or_insert_with(|| origin.clone());
    let service = Service::new(world, options, clock.clone());
    let (shutdown, stopped) = watch::channel(());
    let mut running = Running {
        base_url: origin,
        client_id: service.client_id().to_owned(),
        client_secret: service.client_secret().to_owned(),
        jwt: service.jwt().to_owned(),
        world: service.world(),
        clock,
        stats: service.stats(),
        shutdown: Some(shutdown),
        task: None,
    };
    let shell = Shell { service, started: Instant::now(), stopped: stopped.clone() };
    let router = Router::new().fallback(carry).with_state(Arc::new(shell));
    let lines = router.into_make_service_with_connect_info::<Slot>();
    let server = axum::serve(Lines(listener), lines).with_graceful_shutdown(ended(stopped));
    running.task = Some(runtime.spawn(async {
        // A listener on loopback that fails has nobody to tell.
        let _ = server.await;
    }));
    Ok(running)
}

/// What the requests share.
struct Shell {
    service: Service,
    started: Instant,
    stopped: watch::Receiver<()>,
}

/// Waits until the sandbox is stopped or dropped.
async fn ended(mut stopped: watch::Receiver<()>) {
    // Either way it is over: a message, or the sender is gone.
    let _ = stopped.changed().await;
}

/// Hands one request to the service, and its reply to the caller in the way the reply says.
async fn carry(
    State(shell): State<Arc<Shell>>,
    ConnectInfo(slot): ConnectInfo<Slot>,
    request: Request,
) -> Response {
    let Some(ask) = read(request).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    send(shell.service.answer(&ask, shell.started.elapsed()), &slot, &shell.stopped).await
}

/// Sends a reply as it says: what the HTTP library would not do is left to the connection.
async fn send(reply: Reply, slot: &Slot, stopped: &watch::Receiver<()>) -> Response {
    match reply.carriage {
        Carriage::Whole => {}
        Carriage::Hang => ended(stopped.clone()).await,
        Carriage::Reset => slot.put(Script { bytes: Vec::new(), drip: None }),
        Carriage::CutAfter(length) => {
            let mut bytes = head(&reply, 0);
            bytes.extend(reply.body.iter().take(length));
            slot.put(Script { bytes, drip: None });
        }
        Carriage::Drip { milliseconds_per_byte } => {
            let mut bytes = head(&reply, 0);
            let drip = Some((bytes.len(), Duration::from_millis(milliseconds_per_byte)));
            bytes.extend_from_slice(&reply.body);
            slot.put(Script { bytes, drip });
        }
        Carriage::LengthOff(by) => {
            let mut bytes = head(&reply, by);
            bytes.extend_from_slice(&reply.body);
            slot.put(Script { bytes, drip: None });
        }
    }
    whole(reply)
}

/// A form is small; nothing else has a body.
const MOST_FORM_BYTES: usize = 1 << 20;

async fn read(request: Request) -> Option<Ask> {
    let (parts, body) = request.into_parts();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
    let mut ask = Ask { headers: headers.collect(), ..Ask::get("") };
    ask.method = match parts.method {
        axum::http::Method::GET => Method::Get,
        axum::http::Method::POST => Method::Post,
        _ => Method::Other,
    };
    ask.path = parts.uri.path().to_owned();
    ask.query = decode_pairs(parts.uri.query().unwrap_or(""));
    let body = axum::body::to_bytes(body, MOST_FORM_BYTES).await.ok()?;
    let form = ask.header("content-type").is_some_and(|kind| kind.starts_with(FORM));
    ask.form = form.then(|| decode_pairs(&String::from_utf8_lossy(&body)));
    Some(ask)
}

const FORM: &str = "application/x-www-form-urlencoded";

fn whole(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, reply.body).into_response();
    // The service says itself what its bodies are.
    response.headers_mut().remove(header::CONTENT_TYPE);
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// The head of an answer that goes past the HTTP library: its length may be wrong on purpose.
fn head(reply: &Reply, length_off: i64) -> Vec<u8> {
    let length = i64::try_from(reply.body.len()).unwrap_or(i64::MAX).saturating_add(length_off).max(0);
    let reason = StatusCode::from_u16(reply.status).ok().and_then(|status| status.canonical_reason());
    let mut head = format!("HTTP/1.1 {} {}\r\n", reply.status, reason.unwrap_or("Answer"));
    for (name, value) in &reply.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str(&format!("content-length: {length}\r\nconnection: close\r\n\r\n"));
    head.into_bytes()
}
