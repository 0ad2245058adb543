//! `control.json`: the control totals and dispositions of a run, and what the ledgers look like when they are added up.

use serde::Serialize;

use super::OutputFile;
use super::json::{self, JsonExact, JsonMoney};
use super::unmatched::UnmatchedTotals;
use crate::domain::disposition::{Conservation, ControlTotal, EventDisposition, RecordDisposition};
use crate::domain::money::{Currency, Exact, Money};

/// The money of all documents in one currency, from the exact charges to the sum of the totals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyControl {
    pub currency: Currency,
    /// Documents in this currency.
    pub documents: u64,
    /// Exact sum of the charges before any rounding, in major units.
    pub charges: Exact,
    /// Sum of the lines' amounts.
    pub lines: Money,
    pub net: Money,
    pub tax: Money,
    pub total: Money,
    /// Sum of the lines' residuals: `lines` minus `charges`.
    pub residual: Exact,
}

impl MoneyControl {
    /// What does not add up, as sentences; empty when everything does.
    pub fn violations(&self) -> Vec<String> {
        let mut violations = Vec::new();
        let currency = self.currency;
        if self.charges.checked_add(self.residual) != Some(self.lines.exact()) {
            violations
                .push(format!("{currency}: charges and rounding residual do not give the sum of the lines."));
        }
        if self.lines != self.net {
            violations.push(format!("{currency}: the sum of the lines is not the net of the documents."));
        }
        if self.net.minor_units.checked_add(self.tax.minor_units) != Some(self.total.minor_units) {
            violations.push(format!("{currency}: net and tax do not give the total of the documents."));
        }
        violations
    }
}

/// Everything that does not add up: what the run found, then what adding the ledgers up again finds.
pub fn violations(conservation: &Conservation, money: &[MoneyControl]) -> Vec<String> {
    let mut violations = conservation.violations.clone();
    let placed = conservation.records.values().fold(0_i128, |sum, count| sum + i128::from(*count));
    if placed != i128::from(conservation.records_collected) {
        violations.push(format!(
            "{} record versions were collected and {placed} have a disposition.",
            conservation.records_collected
        ));
    }
    let excluded = conservation.records.get(&RecordDisposition::Excluded).copied().unwrap_or(0);
    if conservation.excluded.values().sum::<i64>() != excluded {
        violations.push("The records excluded by each rule do not add up to those excluded.".to_owned());
    }
    let events = sum_of_events(conservation);
    if events != conservation.events_mediated {
        violations.push("The dispositions of the events do not add up to what mediation made.".to_owned());
    }
    violations.extend(money.iter().flat_map(MoneyControl::violations));
    violations
}

/// The event ledger added up.
pub(super) fn sum_of_events(conservation: &Conservation) -> ControlTotal {
    let mut sum = ControlTotal::default();
    for total in conservation.events.values() {
        sum.add(total);
    }
    sum
}

#[derive(Serialize)]
struct Facts<'a> {
    format: &'static str,
    adds_up: bool,
    violations: Vec<String>,
    records_collected: i64,
    records: Vec<RecordCount>,
    excluded: Vec<RuleCount<'a>>,
    events_mediated: Total,
    events: Vec<EventTotal>,
    money: Vec<MoneyFacts>,
    unmatched: UnmatchedFacts,
}

#[derive(Serialize)]
struct UnmatchedFacts {
    events: u64,
    currency: Option<String>,
    value: JsonExact,
    without_value: u64,
    oldest_days: i64,
}

#[derive(Serialize)]
struct RecordCount {
    disposition: &'static str,
    records: i64,
}

#[derive(Serialize)]
struct RuleCount<'a> {
    rule: &'a str,
    records: i64,
}

#[derive(Serialize)]
struct EventTotal {
    disposition: &'static str,
    #[serde(flatten)]
    total: Total,
}

#[derive(Serialize)]
struct Total {
    events: i64,
    milliseconds: String,
    segments: String,
    pages: String,
}

#[derive(Serialize)]
struct MoneyFacts {
    currency: String,
    documents: u64,
    charges: JsonExact,
    lines: JsonMoney,
    net: JsonMoney,
    tax: JsonMoney,
    total: JsonMoney,
    residual: JsonExact,
}

/// `control.json`. Every disposition is listed, also those without records or events.
pub fn control_json(
    conservation: &Conservation,
    money: &[MoneyControl],
    unmatched: &UnmatchedTotals,
) -> OutputFile {
    let violations = violations(conservation, money);
    let bytes = json::bytes(&Facts {
        format: "tollbook control 1",
        adds_up: violations.is_empty(),
        violations,
        records_collected: conservation.records_collected,
        records: RecordDisposition::ALL
            .iter()
            .map(|disposition| RecordCount {
                disposition: disposition.word(),
                records: conservation.records.get(disposition).copied().unwrap_or(0),
            })
            .collect(),
        excluded: conservation
            .excluded
            .iter()
            .map(|(rule, records)| RuleCount { rule, records: *records })
            .collect(),
        events_mediated: total(&conservation.events_mediated),
        events: EventDisposition::ALL
            .iter()
            .map(|disposition| EventTotal {
                disposition: disposition.word(),
                total: total(conservation.events.get(disposition).unwrap_or(&ControlTotal::default())),
            })
            .collect(),
        money: money.iter().map(money_facts).collect(),
        unmatched: UnmatchedFacts {
            events: unmatched.events,
            currency: unmatched.currency.map(|currency| currency.to_string()),
            value: unmatched.value.into(),
            without_value: unmatched.without_value,
            oldest_days: unmatched.oldest_days,
        },
    });
    OutputFile { path: "control.json".to_owned(), bytes }
}

fn total(total: &ControlTotal) -> Total {
    Total {
        events: total.events,
        milliseconds: total.milliseconds.to_string(),
        segments: total.segments.to_string(),
        pages: total.pages.to_string(),
    }
}

fn money_facts(money: &MoneyControl) -> MoneyFacts {
    MoneyFacts {
        currency: money.currency.to_string(),
        documents: money.documents,
        charges: money.charges.into(),
        lines: money.lines.into(),
        net: money.net.into(),
        tax: money.tax.into(),
        total: money.total.into(),
        residual: money.residual.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{golden, samples};

    #[test]
    fn control_totals_are_as_agreed() {
        golden::check(
            "run",
            &control_json(
                &samples::conservation(),
                &samples::money(),
                &samples::unmatched().totals().unwrap(),
            ),
        );
    }

    #[test]
    fn a_ledger_that_lost_something_is_found_even_when_nobody_said_so() {
        assert!(violations(&samples::conservation(), &samples::money()).is_empty());
        let mut records = samples::conservation();
        records.records_collected += 1;
        let mut pages = samples::conservation();
        pages.events_mediated.pages += 1;
        for conservation in [records, pages] {
            assert_eq!(violations(&conservation, &[]).len(), 1);
        }
        let mut money = samples::money();
        money[0].total.minor_units += 1;
        money[1].charges = Exact::ZERO;
        assert_eq!(violations(&samples::conservation(), &money).len(), 2);
    }
}
