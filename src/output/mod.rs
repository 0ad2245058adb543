//! Bytes for people and machines: documents, reports, control totals, the manifest, and their publishing.
//!
//! Everything here except [`publish`] is a pure function from domain values to [`OutputFile`]s: same values, same
//! bytes. Nothing here may price, round an amount to be billed, decide, read a clock, or iterate in the order of a
//! hash map; only the submodule `publish` touches the disk. Text from outside (names, numbers, remarks) is hostile
//! until it has passed through the one escaper of its format: the page renderer for HTML, [`table::Cell`] for CSV,
//! [`json`] for JSON, [`SafeFileStem`] for file names.

pub mod control;
pub mod document;
pub mod manifest;
pub mod margin;
pub mod reconciliation;
pub mod report;
pub mod table;
pub mod unmatched;

mod chart;
mod json;
mod name;
mod page;
mod publish;
mod text;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod samples;

pub use name::SafeFileStem;
pub use publish::{Published, publish, publish_file, recover};

/// One file of an output folder, still in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFile {
    /// Relative to the output folder, with `/` between its parts: `invoices/INV-000001/invoice.html`.
    pub path: String,
    pub bytes: Vec<u8>,
}

/// What every page of a run says about its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// The company that bills.
    pub company: String,
    /// The hash of the run's inputs, as text.
    pub run_id: String,
    /// Made from the sandbox: every page says SPECIMEN.
    pub specimen: bool,
}
