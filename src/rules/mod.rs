//! What the user writes: configuration, rule files, contact lists, expectation files.
//!
//! Text → spanned syntax → checked values. All mistakes of all files are reported at once, each with file, line,
//! excerpt, a stable code and a hint; after a check no later code asks "is this valid?". The module receives text and
//! gives values: it must not open files, read clocks or price anything (prices are `stage`'s).

pub mod bands;
pub mod calendar;
pub mod coding;
pub mod companion;
pub mod compile;
pub mod config;
pub mod contacts;
pub mod deck;
pub mod diagnostic;
pub mod directory;
pub mod expectations;
pub mod identity;
pub mod lint;
pub mod load;
pub mod options;
mod parts;
pub mod reader;
pub mod ruleset;
pub mod schema;
pub mod sheet;
pub mod table;

pub use compile::CompiledRules;
pub use diagnostic::{Diagnostic, Severity, SourceFile};
pub use ruleset::RuleSet;
