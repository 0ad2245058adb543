//! Connections that can be told to misbehave: an answer in bytes of our own, then the end of the connection.
//!
//! A correct HTTP library cannot send what a broken network delivers, so such answers go past it.

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep};

/// Bytes that take the place of everything else on a connection, which ends after them.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) bytes: Vec<u8>,
    /// From which byte on the bytes go one by one, and how long each takes.
    pub(crate) drip: Option<(usize, Duration)>,
}

/// Where the handler of a request leaves the script for its connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot(Arc<Mutex<Option<Script>>>);

impl Slot {
    pub(crate) fn put(&self, script: Script) {
        *self.script() = Some(script);
    }

    fn script(&self) -> MutexGuard<'_, Option<Script>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connected<IncomingStream<'_, Lines>> for Slot {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Slot {
        stream.remote_addr().clone()
    }
}

/// Listens for connections; each has its slot in place of the caller's address.
pub(crate) struct Lines(pub(crate) TcpListener);

impl Listener for Lines {
    type Io = Line;
    type Addr = Slot;

    async fn accept(&mut self) -> (Line, Slot) {
        let (stream, _) = <TcpListener as Listener>::accept(&mut self.0).await;
        let slot = Slot::default();
        (Line { stream, slot: slot.clone(), sent: 0, pause: None }, slot)
    }

    fn local_addr(&self) -> io::Result<Slot> {
        Ok(Slot::default())
    }
}

/// One connection.
pub(crate) struct Line {
    stream: TcpStream,
    slot: Slot,
    /// Bytes of the script that have gone.
    sent: usize,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Line {
    /// Sends the script to its end, which is an error for the HTTP library: it lets go of the connection.
    fn follow(&mut self, script: &Script, context: &mut Context<'_>) -> Poll<io::Error> {
        while self.sent < script.bytes.len() {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
            }
            let end = match script.drip {
                Some((from, _)) if self.sent < from => from,
                Some(_) => self.sent + 1,
                None => script.bytes.len(),
            };
            let bytes = &script.bytes[self.sent..end.min(script.bytes.len())];
            match ready!(Pin::new(&mut self.stream).poll_write(context, bytes)) {
                Ok(written) => self.sent += written,
                Err(error) => return Poll::Ready(error),
            }
            if let Some((from, each)) = script.drip
                && self.sent >= from
            {
                self.pause = Some(Box::pin(tokio::time::sleep_until(Instant::now() + each)));
            }
        }
        Poll::Ready(io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let slot = self.slot.clone();
        match slot.script().as_ref() {
            Some(script) => self.follow(script, context).map(Err),
            None => Pin::new(&mut self.stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
