//! The discrepancy report: what was expected, what the log shows, and every difference with its explanation.
//!
//! The report is for people and shows the first breaks of each kind; the CSV and the JSON have all of them. All three
//! use one order: kind by kind in the order of the vocabulary, inside a kind as reconciliation gave them.

mod breaks;
mod summary;

use std::collections::BTreeMap;

use serde::Serialize;

use super::chart::{self, Bar, Bars};
use super::{Heading, OutputFile, page, text};
use crate::domain::reconciliation::{Break, BreakKind, Reconciliation};
use crate::domain::time::{Period, Zone};
use crate::domain::{Result, number::PartyNumber};

/// Breaks of one kind that the page shows; the rest is in `breaks.csv`.
pub const SHOWN_OF_A_KIND: usize = 500;

/// Names of contacts by id; a contact without one is shown by its id.
pub type ContactNames = BTreeMap<String, String>;

#[derive(Serialize)]
struct Report<'a> {
    company: &'a str,
    run_id: &'a str,
    specimen: bool,
    month: String,
    days: String,
    zone: &'static str,
    agreed: bool,
    headline: String,
    facts: Vec<Fact>,
    chart: Option<Bars>,
    channels: Vec<summary::ChannelRow>,
    kinds: Vec<Kind>,
}

#[derive(Serialize)]
struct Fact {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Kind {
    name: &'static str,
    anchor: &'static str,
    meaning: &'static str,
    count: String,
    /// Whether any break of the kind has an expectation, or an observation: empty columns are left out.
    expected: bool,
    observed: bool,
    rows: Vec<Row>,
    not_shown: Option<String>,
}

#[derive(Serialize)]
struct Row {
    expectation: String,
    reference: String,
    contact: String,
    number: String,
    channel: String,
    due: Option<Window>,
    observed: String,
    event: String,
    outcome: String,
    explanation: String,
}

#[derive(Serialize)]
struct Window {
    from: String,
    to: String,
}

/// `reconciliation/report.html`, `breaks.csv` and `breaks.json`; times are shown in the zone of the period.
///
/// # Errors
/// A page that cannot be made, which is a bug (exit 1).
pub fn files(
    reconciliation: &Reconciliation,
    period: &Period,
    heading: &Heading,
    names: &ContactNames,
) -> Result<Vec<OutputFile>> {
    let breaks = in_order(reconciliation);
    let file = |name: &str, bytes: Vec<u8>| OutputFile { path: format!("reconciliation/{name}"), bytes };
    Ok(vec![
        file("breaks.csv", breaks::table(&breaks, period.zone)),
        file("breaks.json", breaks::json(reconciliation, &breaks, period, heading)),
        file("report.html", page(reconciliation, &breaks, period, heading, names)?),
    ])
}

/// Breaks kind by kind; the sort keeps the given order inside a kind.
fn in_order(reconciliation: &Reconciliation) -> Vec<&Break> {
    let mut breaks: Vec<&Break> = reconciliation.breaks.iter().collect();
    breaks.sort_by_key(|one| one.kind);
    breaks
}

fn page(
    reconciliation: &Reconciliation,
    breaks: &[&Break],
    period: &Period,
    heading: &Heading,
    names: &ContactNames,
) -> Result<Vec<u8>> {
    let headline = if breaks.is_empty() {
        "Everything that was expected was observed.".to_owned()
    } else {
        format!("{} to explain.", text::plural(breaks.len(), "break"))
    };
    page::render(
        "reconciliation.html",
        &Report {
            company: &heading.company,
            run_id: &heading.run_id,
            specimen: heading.specimen,
            month: period.month.key(),
            days: text::days(period),
            zone: period.zone.name(),
            agreed: breaks.is_empty(),
            headline,
            facts: facts(reconciliation),
            chart: bar_chart(reconciliation, breaks),
            channels: summary::by_channel(reconciliation),
            kinds: kinds(breaks, period.zone, names),
        },
    )
}

fn facts(reconciliation: &Reconciliation) -> Vec<Fact> {
    vec![
        Fact { name: "Expectations", value: text::count(reconciliation.expectations) },
        Fact { name: "Observations", value: text::count(reconciliation.observations) },
        Fact { name: "Agreeing", value: text::count(reconciliation.matched.len()) },
        Fact { name: "Breaks", value: text::count(reconciliation.breaks.len()) },
        Fact { name: "In other periods", value: text::count(reconciliation.expectations_elsewhere) },
        Fact { name: "Outside the scope", value: text::count(reconciliation.out_of_scope) },
    ]
}

fn bar_chart(reconciliation: &Reconciliation, breaks: &[&Break]) -> Option<Bars> {
    let mut bars = vec![bar("agreeing", reconciliation.matched.len(), "good")];
    for kind in BreakKind::ALL {
        let number = breaks.iter().filter(|one| one.kind == *kind).count();
        if number > 0 {
            bars.push(bar(kind.word(), number, class(*kind)));
        }
    }
    let anything = !breaks.is_empty() || !reconciliation.matched.is_empty();
    anything.then(|| chart::bars("Expectations and observations by result", bars))
}

fn bar(label: &str, number: usize, class: &'static str) -> Bar {
    Bar {
        label: label.to_owned(),
        value: text::count(number),
        class,
        size: i128::try_from(number).unwrap_or(i128::MAX),
    }
}

fn class(kind: BreakKind) -> &'static str {
    match kind {
        BreakKind::MissingObservation | BreakKind::StatusMismatch => "bad",
        BreakKind::Indeterminate => "muted",
        _ => "warning",
    }
}

fn meaning(kind: BreakKind) -> &'static str {
    match kind {
        BreakKind::MissingObservation => "Expected, and the log shows nothing that fits.",
        BreakKind::UnexpectedObservation => "In the log, and nobody expected it.",
        BreakKind::Late => "Arrived after the window in which it was due.",
        BreakKind::Duplicate => "Observed more than once for one expectation.",
        BreakKind::QuantityMismatch => "Arrived with another quantity than expected.",
        BreakKind::AmountMismatch => "The amounts differ.",
        BreakKind::StatusMismatch => "Sent, and it did not arrive.",
        BreakKind::PartyMismatch => "Arrived at another number than expected.",
        BreakKind::Indeterminate => "The service does not say whether it arrived.",
    }
}

fn kinds(breaks: &[&Break], zone: Zone, names: &ContactNames) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for kind in BreakKind::ALL {
        let of_kind: Vec<&&Break> = breaks.iter().filter(|one| one.kind == *kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let hidden = of_kind.len().saturating_sub(SHOWN_OF_A_KIND);
        kinds.push(Kind {
            name: kind.word(),
            anchor: anchor(*kind),
            meaning: meaning(*kind),
            count: text::plural(of_kind.len(), "break"),
            expected: of_kind.iter().any(|one| one.expectation.is_some()),
            observed: of_kind.iter().any(|one| one.observation.is_some()),
            rows: of_kind.iter().take(SHOWN_OF_A_KIND).map(|one| row(one, zone, names)).collect(),
            not_shown: (hidden > 0).then(|| format!("{} more: see breaks.csv.", text::count(hidden))),
        });
    }
    kinds
}

fn anchor(kind: BreakKind) -> &'static str {
    match kind {
        BreakKind::MissingObservation => "missing-observation",
        BreakKind::UnexpectedObservation => "unexpected-observation",
        BreakKind::Late => "late",
        BreakKind::Duplicate => "duplicate",
        BreakKind::QuantityMismatch => "quantity-mismatch",
        BreakKind::AmountMismatch => "amount-mismatch",
        BreakKind::StatusMismatch => "status-mismatch",
        BreakKind::PartyMismatch => "party-mismatch",
        BreakKind::Indeterminate => "indeterminate",
    }
}

fn row(one: &Break, zone: Zone, names: &ContactNames) -> Row {
    let (expectation, observation) = (one.expectation.as_ref(), one.observation.as_ref());
    let id = breaks::contact(one).unwrap_or_default();
    let channel = expectation
        .map(|expected| (expected.channel, expected.direction))
        .or(observation.map(|observed| (observed.channel, observed.direction)));
    Row {
        expectation: expectation.map_or_else(String::new, |expected| expected.id.clone()),
        reference: expectation.and_then(|expected| expected.reference.clone()).unwrap_or_default(),
        contact: names.get(id).map_or_else(|| id.to_owned(), Clone::clone),
        number: breaks::number(one).map_or_else(String::new, |digits| PartyNumber::E164(digits).to_string()),
        channel: channel.map_or_else(String::new, |(channel, direction)| text::service(channel, direction)),
        due: expectation.map(|expected| Window {
            from: text::minute(zone, expected.due.from),
            to: text::minute(zone, expected.due.to),
        }),
        observed: observation.map_or_else(String::new, |observed| text::minute(zone, observed.start)),
        event: observation.map_or_else(String::new, |observed| observed.event_id.clone()),
        outcome: observation.map_or_else(String::new, breaks::outcome),
        explanation: one.explanation.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{golden, samples};

    #[test]
    fn the_files_of_a_reconciliation_are_as_agreed() {
        let period = samples::period();
        let files =
            files(&samples::reconciliation(), &period, &samples::heading(), &samples::contact_names())
                .unwrap();
        assert_eq!(files.len(), 3);
        for file in &files {
            golden::check("run", file);
        }
    }

    #[test]
    fn a_reconciliation_without_breaks_says_so() {
        let files = files(
            &Reconciliation::default(),
            &samples::period(),
            &samples::heading(),
            &ContactNames::default(),
        )
        .unwrap();
        for file in &files {
            golden::check("reconciled", file);
        }
    }

    #[test]
    fn a_page_never_grows_beyond_its_limit_and_says_what_it_leaves_out() {
        let mut reconciliation = samples::reconciliation();
        let one = reconciliation.breaks[0].clone();
        reconciliation.breaks = vec![one; SHOWN_OF_A_KIND + 1_234];
        let files =
            files(&reconciliation, &samples::period(), &samples::heading(), &samples::contact_names())
                .unwrap();
        let page = String::from_utf8(files[2].bytes.clone()).unwrap();
        assert!(page.contains("1,234 more: see breaks.csv."));
        let rows = csv::Reader::from_reader(files[0].bytes.as_slice()).records().count();
        assert_eq!(rows, SHOWN_OF_A_KIND + 1_234);
    }
}
