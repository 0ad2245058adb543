//! One event: its evidence, its legs, the rules in force, the steps to its charge, and where that stands.

use serde::Serialize;

use crate::domain::charge::Unit;
use crate::domain::disposition::{EventDisposition, SuspenseReason};
use crate::domain::event::{BillableEvent, EvidenceRole};
use crate::domain::outcome::{Channel, Direction, Outcome};
use crate::domain::{Exact, Result, Zone};
use crate::rules::ruleset::LegPolicy;
use crate::stage::explain::{
    ExplainedStep, TariffInForce, counted, explained_steps, tariff_in_force, tariffs_of,
};
use crate::stage::mediate::{LegUse, legs_used};

use super::replay::{Documents, Replay};

/// A record version behind an event.
#[derive(Clone, Debug, Serialize)]
pub struct EvidenceItem {
    pub kind: String,
    pub id: String,
    pub version: String,
    pub role: &'static str,
}

/// A leg and what the tariff's leg policy did with it.
#[derive(Clone, Debug, Serialize)]
pub struct LegItem {
    pub start: Option<String>,
    pub milliseconds: Option<i64>,
    pub result: String,
    #[serde(rename = "type")]
    pub leg_type: String,
    pub master: bool,
    pub extension_id: Option<String>,
    pub used: bool,
    /// Why it was dropped.
    pub reason: Option<&'static str>,
}

/// A line that an event stands on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OnDocument {
    /// `None` for a draft.
    pub document: Option<String>,
    pub contact: String,
    pub line: u32,
    /// What the event adds to the line.
    pub exact: Exact,
}

/// Everything about one event.
#[derive(Clone, Debug, Serialize)]
pub struct EventExplanation {
    pub event: String,
    pub period: String,
    pub start: String,
    pub channel: Channel,
    pub direction: Direction,
    pub from: String,
    pub to: String,
    pub extension: Option<u64>,
    pub outcome: Outcome,
    /// The source's own word for the outcome.
    pub result: String,
    pub evidence: Vec<EvidenceItem>,
    pub leg_policy: Option<LegPolicy>,
    pub legs: Vec<LegItem>,
    pub remarks: Vec<String>,
    /// The tariff that prices the event, then that of the supplier, with all options in force.
    pub tariffs: Vec<TariffInForce>,
    pub steps: Vec<ExplainedStep>,
    /// What the steps add up to, in major units.
    pub charge: Exact,
    pub currency: Option<String>,
    pub disposition: EventDisposition,
    pub reason: Option<SuspenseReason>,
    pub remedy: Option<&'static str>,
    pub on: Vec<OnDocument>,
    /// What the documents of the book charge for it, together; `None` when it is on none.
    pub finalised: Option<Exact>,
}

impl EventExplanation {
    /// The explanation of an event of a month that was rated again.
    ///
    /// # Errors
    /// An amount beyond 128 bits.
    pub(super) fn of(
        replay: &Replay,
        index: usize,
        period: &str,
        zone: Zone,
        documents: &Documents,
    ) -> Result<EventExplanation> {
        let (event, traced) = (&replay.mediated.events[index], &replay.traced[&index]);
        let rules = &replay.rules;
        let versions = tariffs_of(&traced.derivation);
        let policy = versions.first().map(|version| rules.versions[*version].tariff.legs);
        let policy = policy.filter(|_| event.channel == Channel::Voice);
        let rated = &traced.rated;
        let payer = rated.payer.and_then(|payer| rules.payers.get(payer as usize));
        Ok(EventExplanation {
            event: event.id.clone(),
            period: period.to_owned(),
            start: zone.show(event.start),
            channel: event.channel,
            direction: event.direction,
            from: event.from.raw.clone(),
            to: event.to.raw.clone(),
            extension: event.extension,
            outcome: event.outcome,
            result: event.result.clone(),
            evidence: evidence(event),
            leg_policy: policy,
            legs: policy.map(|policy| legs(event, policy, zone)).unwrap_or_default(),
            remarks: event.remarks.clone(),
            tariffs: versions
                .iter()
                .map(|version| tariff_in_force(&rules.versions[*version].tariff))
                .collect(),
            steps: explained_steps(rules, &traced.derivation),
            charge: rules.exact(rated.numerator),
            currency: payer.map(|payer| payer.currency.code().to_owned()),
            disposition: rated.disposition,
            reason: rated.reason,
            remedy: rated.reason.map(SuspenseReason::remedy),
            on: documents.of(&event.id).to_vec(),
            finalised: documents.charged(&event.id)?,
        })
    }

    /// The explanation as text for people; `all` prints every option, not only those that differ from the defaults.
    pub fn text(&self, all: bool) -> String {
        let mut text = format!("{}\n", self.event);
        let mut line = |words: String| text.push_str(&format!("  {words}\n"));
        line(format!(
            "{}, {} {}, from {} to {}, {}",
            self.start,
            self.direction,
            self.channel,
            shown(&self.from),
            shown(&self.to),
            self.outcome
        ));
        for item in &self.evidence {
            line(format!("evidence: {} {}, version {}, {}", item.kind, item.id, item.version, item.role));
        }
        for (index, leg) in self.legs.iter().enumerate() {
            line(leg_text(index + 1, leg));
        }
        for remark in &self.remarks {
            line(format!("remark: {remark}"));
        }
        for tariff in &self.tariffs {
            let version = if tariff.version.is_empty() { "" } else { " of " };
            line(format!("options of {}{version}{}:", tariff.tariff, tariff.version));
            for option in tariff.lines(all) {
                line(format!("  {option}"));
            }
        }
        for step in &self.steps {
            line(step.text.clone());
        }
        let reason = self.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        let ended = format!("disposition: {}{reason}", self.disposition);
        if self.steps.last().is_none_or(|step| step.text != ended) {
            line(format!("{ended}, because of what the documents of the book bill already"));
        }
        if let Some(remedy) = self.remedy {
            line(format!("remedy: {remedy}"));
        }
        for place in &self.on {
            let of = place.document.clone().unwrap_or_else(|| format!("the draft of {}", place.contact));
            line(format!("on {of}, line {}: {}", place.line, place.exact.shortest()));
        }
        let verdict = match self.finalised {
            None => String::new(),
            Some(kept) if kept == self.charge => ", as finalised".to_owned(),
            Some(kept) => {
                format!(", finalised was {}: facts or rules of derivation changed since", kept.shortest())
            }
        };
        line(format!("the steps add up to {}{verdict}", self.charge.shortest()));
        text
    }
}

fn shown(number: &str) -> &str {
    if number.is_empty() { "nobody named" } else { number }
}

fn leg_text(number: usize, leg: &LegItem) -> String {
    let seconds = leg.milliseconds.map_or("unknown length".to_owned(), |milliseconds| {
        format!("{} s", Exact::new(i128::from(milliseconds), 1000).shortest())
    });
    let start = leg.start.as_deref().unwrap_or("unknown start");
    let master = if leg.master { ", master" } else { "" };
    let fate = leg.reason.map_or("used".to_owned(), |reason| format!("dropped: {reason}"));
    format!("leg {number}: {start}, {seconds}, {} {}{master}; {fate}", leg.leg_type, leg.result)
}

fn evidence(event: &BillableEvent) -> Vec<EvidenceItem> {
    let item = |item: &crate::domain::event::Evidence| EvidenceItem {
        kind: item.record.kind.to_string(),
        id: item.record.id.clone(),
        version: item.version.short(),
        role: match item.role {
            EvidenceRole::Primary => "primary",
            EvidenceRole::Supporting => "supporting",
        },
    };
    event.evidence.iter().map(item).collect()
}

fn legs(event: &BillableEvent, policy: LegPolicy, zone: Zone) -> Vec<LegItem> {
    let item = |(index, fate): (usize, LegUse)| {
        let leg = &event.legs[index];
        LegItem {
            start: leg.start.map(|start| zone.show(start)),
            milliseconds: leg.milliseconds,
            result: leg.result.clone(),
            leg_type: leg.leg_type.clone(),
            master: leg.master,
            extension_id: leg.extension_id.clone(),
            used: fate == LegUse::Used,
            reason: match fate {
                LegUse::Used => None,
                LegUse::Dropped(dropped) => Some(dropped.reason()),
            },
        }
    };
    legs_used(event, policy).into_iter().map(item).collect()
}

/// `66 s` and the like, of a line.
pub(super) fn units(unit: Unit, count: i128) -> String {
    counted(unit, count)
}
