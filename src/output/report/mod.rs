//! `index.html`: the run at a glance. The caller fills [`RunReport`] with plain values; nothing is computed here but
//! layout, and whether the ledgers add up.

mod ledgers;
mod view;

use chrono::NaiveDate;

use super::control::MoneyControl;
use super::margin::MarginRow;
use super::unmatched::UnmatchedTotals;
use super::{Heading, OutputFile, page};
use crate::domain::Result;
use crate::domain::disposition::{Conservation, SuspenseReason};
use crate::domain::money::{Exact, Money};
use crate::domain::outcome::Channel;
use crate::domain::reconciliation::BreakKind;
use crate::domain::time::Period;

/// Everything the page shows. Lists are printed in the given order unless their field says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunReport {
    pub heading: Heading,
    pub period: Period,
    /// Control totals of the documents, one entry a currency.
    pub money: Vec<MoneyControl>,
    pub documents: Vec<DocumentSummary>,
    pub conservation: Conservation,
    /// What the collection of the period covers, one entry a feed.
    pub coverage: Vec<FeedCoverage>,
    pub suspense: Vec<SuspenseSummary>,
    pub findings: Findings,
    /// Events of each day of the period, in the zone of the period; days without events may be absent.
    pub activity: Vec<DayActivity>,
    /// Why documents are still drafts, as sentences; empty when nothing holds them back.
    pub held_back: Vec<String>,
    /// Decisions that accepted a known gap, as sentences with actor and reason.
    pub accepted: Vec<String>,
    /// Whether `reconciliation/report.html` is among the files of the run.
    pub reconciled: bool,
    /// Charge and cost by payer, where a tariff knows a cost.
    pub margins: Vec<MarginRow>,
}

/// One document in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentSummary {
    /// Relative to the output folder, from [`super::document::folder`].
    pub folder: String,
    /// `None` for a draft.
    pub number: Option<String>,
    pub contact_id: String,
    pub payer: String,
    pub lines: u64,
    /// Events billed or in an allowance on this document.
    pub events: u64,
    pub net: Money,
    pub tax: Money,
    pub total: Money,
}

/// What is collected of one feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedCoverage {
    /// `call log`, `message store`, an imported file.
    pub feed: String,
    pub windows: u64,
    /// Windows that are complete and closed.
    pub sealed: u64,
    pub records: u64,
    /// Parts of the period that no window covers, as text for people.
    pub holes: Vec<String>,
}

/// Suspended records and events of one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuspenseSummary {
    pub reason: SuspenseReason,
    pub count: u64,
    /// Details for people: the unknown words, some ids.
    pub details: String,
}

/// What deserves a look and stops nothing by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Usage that belongs to no contact, in sum.
    pub unmatched: UnmatchedTotals,
    /// Numbers that belong to no contact, most events first.
    pub unmatched_numbers: Vec<UnmatchedNumber>,
    /// Unmatched numbers that are not in the list.
    pub further_unmatched_numbers: u64,
    /// Rates, allowances, bands that never applied: `client-standard: Fax`.
    pub rules_never_matched: Vec<String>,
    pub breaks: Vec<(BreakKind, u64)>,
    /// Other findings, as sentences.
    pub remarks: Vec<String>,
}

/// A number that belongs to no contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnmatchedNumber {
    pub number: String,
    pub events: u64,
    /// Measured time of the calls, in milliseconds.
    pub milliseconds: i128,
    /// Exact sum of what the default tariff would charge; `None` when it cannot say of any event.
    pub value: Option<Exact>,
    /// Civil days from the oldest event to the end of the period.
    pub oldest_days: i64,
    /// The contact it could belong to, with the reason.
    pub suggestion: Option<String>,
}

/// Events of one civil day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayActivity {
    pub date: NaiveDate,
    /// At most one entry a channel.
    pub events: Vec<(Channel, u64)>,
}

/// `index.html` at the top of the output folder.
///
/// # Errors
/// A page that cannot be made, which is a bug (exit 1).
pub fn index(report: &RunReport) -> Result<OutputFile> {
    let bytes = page::render("index.html", &view::view(report))?;
    Ok(OutputFile { path: "index.html".to_owned(), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{golden, samples};

    #[test]
    fn the_page_of_a_run_is_as_agreed() {
        golden::check("run", &index(&samples::report()).unwrap());
    }

    #[test]
    fn a_run_that_does_not_add_up_says_so_and_an_empty_one_is_a_page_too() {
        let mut report = samples::report();
        report.conservation.violations.push("Seven records vanished.".to_owned());
        report.conservation.records_collected += 7;
        let page = String::from_utf8(index(&report).unwrap().bytes).unwrap();
        assert!(page.contains("does not add up") && page.contains("Seven records vanished."));
        let empty = RunReport {
            money: vec![],
            documents: vec![],
            conservation: Conservation::default(),
            coverage: vec![],
            suspense: vec![],
            findings: Findings::default(),
            activity: vec![],
            held_back: vec![],
            margins: vec![],
            accepted: vec![],
            reconciled: false,
            ..report
        };
        golden::check("empty", &index(&empty).unwrap());
    }
}
