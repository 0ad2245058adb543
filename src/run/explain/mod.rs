//! Explanations: from a document, a line, an event or a record to the facts, rules and steps behind an amount.
//!
//! What is final is explained from its stored charges under the rules of the time, what is not under the rules of
//! today. Nothing here prices or changes anything: the pricing code is called again, and what it says is compared with
//! what was kept.

mod charges;
mod document;
mod event;
mod replay;
mod search;

pub use charges::{KeptCharge, charges_of, event_ids, kept_bytes, read_charges};
pub use document::{DocumentExplanation, EventOnLine, LineExplanation, Question, TaxExplanation, document};
pub use event::{EventExplanation, EvidenceItem, LegItem, OnDocument};
pub use search::{Found, RecordExplanation, found};
