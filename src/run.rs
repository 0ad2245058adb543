//! The shell that joins everything: load facts, call stages, check conservation, commit.
//!
//! One file for each command's work. No arithmetic on money here, and nothing is printed: callers get values.

pub mod bill;
pub mod coding;
pub mod collect;
pub mod coverage;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod facts;
pub mod forecast;
pub mod horizon;
pub mod import;
pub mod lookup;
pub mod margin;
pub mod price;
pub mod pulling;
pub mod rating;
pub mod rebuild;
pub mod report;
pub mod rollover;
pub mod settlement;
pub mod suspense;
mod unmatched;
pub mod workspace;

/// Version of what derives charges from facts. A change that can alter a charge raises it.
pub const DERIVATION_VERSION: &str = "2";
