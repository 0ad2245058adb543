//! Tollbook turns a company's RingCentral communications log into money and evidence.
//!
//! The modules follow the direction of the data: see `src/README.md`.

pub mod book;
pub mod cli;
pub mod columnar;
pub mod domain;
pub mod output;
pub mod ringcentral;
pub mod rules;
pub mod run;
pub mod sandbox;
pub mod stage;
