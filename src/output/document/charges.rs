//! The lines of a document as its page shows them: in groups by matter and timekeeper where there are any, each with
//! the words that explain its amount. Sums of a group are sums of rounded lines: grouping never rounds again.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::charge::Unit;
use crate::domain::document::{Invoice, InvoiceLine, LineKey, LineKind};
use crate::domain::money::Money;
use crate::domain::time::Month;
use crate::output::text;

/// Lines under one heading.
#[derive(Serialize)]
pub(super) struct Group {
    /// The matter, or what the lines have in common; none where nothing has to be told apart.
    pub heading: Option<String>,
    /// Whose time it is.
    pub person: Option<String>,
    pub lines: Vec<Line>,
    /// What the lines of the matter add up to, under its last group.
    pub subtotal: Option<Subtotal>,
}

#[derive(Serialize)]
pub(super) struct Subtotal {
    pub name: String,
    pub amount: String,
}

#[derive(Serialize)]
pub(super) struct Line {
    pub number: u32,
    pub kind: &'static str,
    pub clause: String,
    pub details: Vec<String>,
    pub events: String,
    pub quantity: String,
    /// What was measured, where it is not what is billed.
    pub measured: Option<String>,
    pub price: String,
    pub amount: String,
}

/// How the lines of one document are told apart.
struct Terms<'a> {
    timekeepers: &'a BTreeMap<String, String>,
    with_tariff: bool,
    with_basis: bool,
}

/// What groups the lines: service period of late usage, what they are for, matter, timekeeper.
#[derive(PartialEq, Eq, Clone, Copy)]
struct Common<'a> {
    late: &'a str,
    /// Usage, fees, or what concerns the period as a whole.
    part: u8,
    matter: &'a str,
    timekeeper: &'a str,
}

/// The groups of a document's lines, in the order of the lines. `with_tariff`: the lines have several tariffs.
pub(super) fn groups(invoice: &Invoice, with_tariff: bool) -> Vec<Group> {
    let terms = Terms {
        timekeepers: &invoice.timekeepers,
        with_tariff,
        with_basis: common_basis(&invoice.lines).is_none(),
    };
    let coded = |line: &InvoiceLine| !line.key.matter.is_empty() || !line.key.timekeeper.is_empty();
    let is_grouped = invoice.lines.iter().any(|line| coded(line) || !common(&line.key).late.is_empty());
    let mut runs: Vec<(Common<'_>, Vec<&InvoiceLine>)> = Vec::new();
    for line in &invoice.lines {
        let key = if is_grouped {
            common(&line.key)
        } else {
            Common { late: "", part: 0, matter: "", timekeeper: "" }
        };
        match runs.last_mut().filter(|(last, _)| *last == key) {
            Some((_, lines)) => lines.push(line),
            None => runs.push((key, vec![line])),
        }
    }
    let mut groups = Vec::with_capacity(runs.len());
    for (index, (key, lines)) in runs.iter().enumerate() {
        let same_matter =
            |other: &Common<'_>| (other.late, other.part, other.matter) == (key.late, key.part, key.matter);
        let begins = index == 0 || !same_matter(&runs[index - 1].0);
        let ends = runs.get(index + 1).is_none_or(|(next, _)| !same_matter(next));
        let of_matter: Vec<&InvoiceLine> = runs
            .iter()
            .filter(|(other, _)| same_matter(other))
            .flat_map(|(_, lines)| lines)
            .copied()
            .collect();
        groups.push(Group {
            heading: heading(*key).filter(|_| is_grouped && begins),
            person: person(key.timekeeper, terms.timekeepers),
            lines: lines.iter().map(|line| line_of(line, &terms)).collect(),
            subtotal: Some(key.matter)
                .filter(|matter| ends && !matter.is_empty() && of_matter.len() > 1)
                .map(|matter| Subtotal {
                    name: format!("Matter {matter}"),
                    amount: sum(&of_matter, invoice),
                }),
        });
    }
    groups
}

fn common(key: &LineKey) -> Common<'_> {
    let part = match key.kind {
        LineKind::Usage | LineKind::Allowance | LineKind::TierFee => 0,
        LineKind::Fee => 1,
        LineKind::Discount | LineKind::Cap | LineKind::TrueUp => 2,
    };
    // A fee in advance names the period it is for; it is not late.
    let late = if part == 1 { "" } else { key.service_period.as_str() };
    Common { late, part, matter: &key.matter, timekeeper: &key.timekeeper }
}

fn heading(key: Common<'_>) -> Option<String> {
    let what = match (key.part, key.matter) {
        (1, _) => "Fees".to_owned(),
        (2, _) => "For the period as a whole".to_owned(),
        (_, "") => "Without a matter".to_owned(),
        (_, matter) => format!("Matter {matter}"),
    };
    Some(match key.late {
        "" => what,
        late if key.matter.is_empty() && key.part == 0 => format!("Of {}, settled since", month(late)),
        late => format!("{what}, of {}, settled since", month(late)),
    })
}

fn person(id: &str, names: &BTreeMap<String, String>) -> Option<String> {
    match (id, names.get(id)) {
        ("", _) => None,
        (id, Some(name)) => Some(format!("{name} ({id})")),
        (id, None) => Some(id.to_owned()),
    }
}

/// `September 2026`; a key that is none is shown as it is.
pub(super) fn month(key: &str) -> String {
    Month::parse(key).map_or_else(|| key.to_owned(), |month| month.first_day().format("%B %Y").to_string())
}

fn sum(lines: &[&InvoiceLine], invoice: &Invoice) -> String {
    text::amount(lines.iter().fold(Money::zero(invoice.currency), |sum, line| sum.plus(line.amount)))
}

/// Which time was measured and over what it was rounded, where all lines by time agree.
pub(super) fn common_basis(lines: &[InvoiceLine]) -> Option<String> {
    let mut all = lines.iter().map(|line| line.basis.as_str()).filter(|basis| !basis.is_empty());
    let first = all.next()?;
    all.all(|basis| basis == first).then(|| first.to_owned())
}

fn line_of(line: &InvoiceLine, terms: &Terms<'_>) -> Line {
    let counts = line.key.kind.is_itemised();
    let has_quantity = counts && line.unit != Unit::Amount && line.unit != Unit::Event;
    let measured = line.units_measured.filter(|measured| has_quantity && *measured != line.units_billed);
    Line {
        number: line.number,
        kind: line.key.kind.word(),
        clause: line.key.clause.clone(),
        details: details(line, terms),
        events: if counts { text::count(line.events) } else { String::new() },
        quantity: if has_quantity { text::quantity(line.units_billed, line.unit) } else { String::new() },
        measured: measured.map(|units| text::quantity(units, line.unit)),
        price: line.price.clone(),
        amount: text::amount(line.amount),
    }
}

fn details(line: &InvoiceLine, terms: &Terms<'_>) -> Vec<String> {
    let key = &line.key;
    let mut details = Vec::new();
    if !key.destination.is_empty() {
        details.push(format!("To {}", key.destination));
    }
    if !key.band.is_empty() {
        details.push(format!("Time band: {}", key.band));
    }
    if key.kind == LineKind::Allowance {
        details.push("Included in the tariff".to_owned());
    }
    if key.kind == LineKind::Fee && !key.service_period.is_empty() {
        details.push(format!("For {}, in advance", month(&key.service_period)));
    }
    if !line.note.is_empty() {
        details.push(capitalised(&line.note));
    }
    if terms.with_basis && !line.basis.is_empty() {
        details.push(capitalised(&line.basis));
    }
    if terms.with_tariff {
        details.push(format!("Tariff: {} {}", key.tariff, key.tariff_version).trim_end().to_owned());
    }
    details
}

/// With a capital first letter.
pub(super) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
