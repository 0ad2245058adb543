//! What the service serves, and how it is fetched: wire types, pages with personal text replaced, the portal's call
//! log files, the puller as a state machine without I/O, and its shell over HTTP.
//!
//! It turns bytes into [`crate::domain::record::SourceRecord`]s and decides nothing about them: no record is joined,
//! identified, priced or dropped here. It must not write to the book or the terminal; the shell hands what it
//! collected to a [`client::Landing`]. Only [`clock`] reads a clock and only [`client`] opens a connection. No secret
//! may reach an error, a log or a stored byte.

mod alphabet;
pub mod client;
pub mod clock;
pub mod content;
pub mod credentials;
mod json;
mod material;
pub mod page;
pub mod portal_csv;
pub mod puller;
pub mod redact;
pub mod text;
pub mod wire;
