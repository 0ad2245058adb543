//! The pure stages: mediate, identify, rate, aggregate, invoice, reconcile, explain.
//!
//! Each is a function of facts and rules. Nothing here has a clock, a file, a socket, SQL or Polars, and no state
//! between calls but what is passed in. A later stage never writes what an earlier one reads.

pub mod enrich;
pub mod explain;
pub mod identify;
pub mod invoice;
pub mod mediate;
pub mod overlap;
pub mod period;
pub mod propose;
pub mod rate;
pub mod reconcile;
pub mod suggest;
