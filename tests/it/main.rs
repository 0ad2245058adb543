//! All integration tests: one binary, one link.

mod cli;
mod oracle;
mod support;
mod tidy;
