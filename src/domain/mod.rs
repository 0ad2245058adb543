//! The nouns of the product: money, quantity, time, numbers, records, events, contacts, charges, documents.
//!
//! Everything here is a value. It must not read a clock, a file, a socket or a database, and it knows no other
//! module of the crate. The words are those of the field (call detail record, mediation, tariff, suspense, ...).

pub mod charge;
pub mod contact;
pub mod derivation;
pub mod disposition;
pub mod document;
pub mod event;
pub mod failure;
pub mod hash;
pub mod local;
pub mod money;
pub mod number;
pub mod outcome;
pub mod reconciliation;
pub mod record;
pub mod source;
pub mod time;

pub use failure::{Exit, Failure, Result};
pub use hash::Hash;
pub use money::{Currency, Exact, Money, RoundingMode};
pub use number::{Country, PartyNumber};
pub use time::{Instant, Period, Zone};
