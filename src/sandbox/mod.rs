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
#[cfg(test)]
mod render_tests;
mod server;
mod service;
mod wire;
mod world;

pub use clock::Clock;
pub use faults::{FaultKind, FaultPlan};
pub use reading::Mistake;
pub use server::{Running, StartError, serve, start};
pub use service::{Ask, Carriage, Group, Method, Options, Reply, Service, Stats};
pub use world::truth;
pub use world::{Plot, Unrest, World};
