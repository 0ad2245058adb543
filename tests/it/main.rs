//! All integration tests: one binary, one link.

mod oracle;
mod support;
mod tidy;
