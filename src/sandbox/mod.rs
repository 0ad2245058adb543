//! A local stand-in for the service: a seeded world, served over HTTP on loopback with the documented limits, errors
//! and token life, and the customer's own files that go with it.
//!
//! For the demo, the tests and everybody who wants to try rules before going live. It must not use any other part of
//! this crate, so that client and server cannot share a misreading; it listens on loopback only.

mod clock;
pub mod customer;
pub mod faults;
mod reading;
mod render;
mod render_messages;
#[cfg(test)]
mod render_tests;
mod server;
mod service;
mod settings;
mod wire;
mod world;

pub use clock::Clock;
pub use faults::{FaultKind, FaultPlan};
pub use reading::Mistake;
pub use server::{Running, StartError, serve, start};
pub use service::{
    Ask, CLOCK, Carriage, Deletions, Group, InProgress, LegOrder, Method, Options, Reply, Rounding, Service,
    Spelling, Stats, TimeStyle, Unknowns,
};
pub use world::truth;
pub use world::{Plot, Unrest, World};
