//! Polars: reads and writes Parquet and works on whole columns; it feeds the stages.
//!
//! Nothing here prices, counts increments or rounds, and no signature takes a file name.

pub mod charges;
pub mod conditions;
pub mod events;
pub mod segment;
pub mod usage;

use crate::domain::{Exit, Failure};

/// A failure of Polars itself: our frames are built by us, so it is a bug.
fn bug(error: &polars::error::PolarsError) -> Failure {
    Failure::new(Exit::Bug, error.to_string()).while_doing("working on columns")
}
