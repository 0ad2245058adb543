//! Deliberate faults: what can go wrong at a service, and a plan that says when it does.
//!
//! A plan decides from the sequence of requests and its own seed alone, so that a test can repeat it; time and chance
//! of the machine have no part in it. Faults of records are the same in every listing. Nothing here sends anything: the
//! core asks before and after it answers, and the shell carries the bytes as the reply says.

mod bytes;
mod injector;
mod kind;
mod pages;
mod plan;
mod records;
mod world;

pub(crate) use injector::Injector;
pub use kind::{BEYOND_THE_SERVICE, FaultGroup, FaultKind, Outcome, Parameter};
pub use plan::{Endpoint, FaultPlan};
