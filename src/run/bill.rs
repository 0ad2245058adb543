//! The billing run: facts → events → charges → drafts, reconciliation, control totals; and, when asked, documents.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::book::{Book, StoredDocument};
use crate::domain::disposition::{
    Conservation, ControlTotal, EventDisposition, RecordDisposition, SuspenseReason,
};
use crate::domain::document::Document;
use crate::domain::event::BillableEvent;
use crate::domain::money::{Exact, Money};
use crate::domain::reconciliation::Reconciliation;
use crate::domain::time::{Month, Period, Span};
use crate::domain::{Currency, Exit, Failure, Hash, Instant, Result};
use crate::output::control::MoneyControl;
use crate::rules::compile::CompiledRules;
use crate::stage::enrich::enrich;
use crate::stage::invoice::{Charged, add_late, drafts};
use crate::stage::overlap::{TimeOverlap, overlaps, worked_times};
use crate::stage::reconcile::{observe, reconcile};

use super::coverage::{self, PeriodCoverage};
use super::facts::{self, Facts};
use super::rating::{Opening, RatingRun, is_charged, rate_from, started};
use super::settlement::{self, Kept, Owed, Settled};
use super::workspace::Workspace;
use super::{DERIVATION_VERSION, explain, rollover, suspense};

mod numbering;

pub(super) use numbering::kept_document;

/// Who finalises, and under which date; recorded once as facts.
#[derive(Clone, Debug)]
pub struct Finalise {
    pub actor: String,
    pub issue_date: NaiveDate,
}

/// Everything one run knows at its end.
pub struct BillingRun {
    pub id: Hash,
    pub period: Period,
    pub specimen: bool,
    pub facts: Facts,
    pub rules: CompiledRules,
    pub rating: RatingRun,
    /// Where each event ended, after documents that were finalised before are taken into account.
    pub dispositions: Vec<(EventDisposition, Option<SuspenseReason>)>,
    pub documents: Vec<Document>,
    /// Documents of the period that other runs finalised: they stand, and stay part of the period's output.
    pub earlier: Vec<Document>,
    pub reconciliation: Reconciliation,
    pub conservation: Conservation,
    pub money: Vec<MoneyControl>,
    pub coverage: PeriodCoverage,
    /// Inputs by name and hash, for the manifest.
    pub inputs: Vec<(String, Hash)>,
    /// Time of one person that is billed on two matters at once.
    pub overlaps: Vec<TimeOverlap>,
    /// Payers that stay drafts, with the reason.
    pub parked: BTreeMap<String, String>,
    /// What stands against finalising anything.
    pub open: Vec<String>,
    /// Documents finalised by this very run, now or when it ran before.
    pub finalised: bool,
    /// What earlier documents left of allowances.
    pub openings: Vec<Opening>,
    /// Events of earlier periods on documents of those, which only changed their tier on one of this run.
    pub priced_again: BTreeSet<String>,
    /// What people should know beside all that, as sentences.
    pub remarks: Vec<String>,
}

/// Computes a run and, when asked and allowed, finalises it. The caller holds the book's lock.
///
/// # Errors
/// Facts that cannot be read, sums that differ (exit 7), a period that has not ended or is open (exit 9).
pub fn run(
    book: &mut Book,
    workspace: &Workspace,
    month: Month,
    now: Instant,
    finalise: Option<&Finalise>,
) -> Result<BillingRun> {
    keep_facts(book, workspace)?;
    let mut billing = compute(book, workspace, month)?;
    let earlier = book.documents(Some(&month.key()))?;
    let (own, others) = billing.name(earlier);
    billing.settle(book, &others, workspace)?;
    billing.check_conservation();
    if !own.is_empty() {
        billing.take_numbers(&own)?;
        billing.finalised = true;
    } else if let Some(finalise) = finalise {
        billing.refuse_open_period(now)?;
        billing.number(book, workspace, finalise)?;
        billing.finalised = true;
    }
    billing.add_money()?;
    Ok(billing)
}

/// The texts a run depends on become facts before it begins, so that `explain` can call the same function again.
fn keep_facts(book: &mut Book, workspace: &Workspace) -> Result<()> {
    book.put_fact("configuration", &workspace.config_text.name, workspace.config_text.text.as_bytes())?;
    for file in &workspace.rule_files {
        book.put_fact("rules", &file.name, file.text.as_bytes())?;
    }
    book.put_fact("contacts", &workspace.contacts_file.name, workspace.contacts_file.text.as_bytes())?;
    for file in &workspace.expectation_files {
        book.put_fact("expectations", &file.name, file.text.as_bytes())?;
    }
    if let Some(file) = &workspace.directory_file {
        book.put_fact("directory", &file.name, file.text.as_bytes())?;
    }
    for file in &workspace.coding_files {
        book.put_fact("coding", &file.name, file.text.as_bytes())?;
    }
    Ok(())
}

/// What rating a month starts from.
pub(super) struct Prepared {
    pub facts: Facts,
    pub rules: CompiledRules,
    /// What earlier documents left of allowances.
    pub openings: Vec<Opening>,
}

/// Facts and rules of a month, with what earlier documents left.
///
/// # Errors
/// Facts that cannot be read, rules without a common denominator.
pub(super) fn prepare(book: &Book, workspace: &Workspace, kept: &Kept, month: Month) -> Result<Prepared> {
    let home = workspace.config.zone;
    let period = month.period(home);
    let mut facts = facts::load(book, period.span, workspace.config.country)?;
    enrich(&mut facts.mediated.events, &workspace.directory, &workspace.coding, home);
    let mut whole = span_of(&facts.mediated.events, period.span);
    // Months that passed since the last document grant and expire like any other.
    if let Some(first) = rollover::first_month(kept, month) {
        whole.from = whole.from.min(first.period(home).span.from);
    }
    let rules = CompiledRules::new(&workspace.rules, &workspace.contacts, home, whole)?
        .only(month)
        .learn(&facts.mediated.events);
    let openings = rollover::openings(&rules, kept, month)?;
    Ok(Prepared { facts, rules, openings })
}

/// From the facts to drafts, with what documents of earlier months left open.
pub(super) fn compute(book: &Book, workspace: &Workspace, month: Month) -> Result<BillingRun> {
    let period = month.period(workspace.config.zone);
    let kept = settlement::kept(book)?;
    let Prepared { facts, rules, openings } = prepare(book, workspace, &kept, month)?;
    let rating = rate_from(&rules, started(&rules, &openings), &facts.mediated.events, &[])?;
    let specimen = book.identity().specimen;
    let reconciliation = reconciled(workspace, &facts, &rules, &rating, &period);
    let widest = widest(&rules, month, period.span);
    let coverage = coverage::of_period(book, &workspace.config, month, widest, &facts.records)?;
    let overlaps = overlaps(&worked_times(&rules, &facts.mediated.events, &rating.charges));
    let dispositions = rating.rated.iter().map(|rated| (rated.disposition, rated.reason)).collect();
    let mut inputs = inputs(book, workspace, &facts)?;
    inputs.extend(rollover::hash(&openings).map(|hash| ("balances".to_owned(), hash)));
    let mut run = BillingRun {
        id: run_id(&period, &inputs),
        period,
        specimen,
        dispositions,
        documents: Vec::new(),
        earlier: Vec::new(),
        reconciliation,
        conservation: Conservation::default(),
        money: Vec::new(),
        open: coverage.open.clone(),
        coverage,
        inputs,
        overlaps,
        parked: BTreeMap::new(),
        finalised: false,
        openings,
        priced_again: BTreeSet::new(),
        remarks: Vec::new(),
        facts,
        rules,
        rating,
    };
    run.draft(workspace)?;
    let settled = settlement::settled(book, workspace, &kept, month)?;
    run.add_settled(workspace, settled)?;
    Ok(run)
}

/// The span all periods of the month fill together, over the zones of all payers.
fn widest(rules: &CompiledRules, month: Month, home: Span) -> Span {
    rules
        .payers
        .iter()
        .map(|payer| month.period(payer.zone).span)
        .fold(home, |widest, span| Span { from: widest.from.min(span.from), to: widest.to.max(span.to) })
}

/// The span that rules must be compiled for: the period and all events.
pub(super) fn span_of(events: &[BillableEvent], period: Span) -> Span {
    let span = crate::stage::explain::span_of(events.iter().map(BillableEvent::view));
    Span { from: span.from.min(period.from), to: span.to.max(period.to) }
}

fn inputs(book: &Book, workspace: &Workspace, facts: &Facts) -> Result<Vec<(String, Hash)>> {
    let mut inputs = vec![
        ("configuration".to_owned(), configuration_hash(workspace)),
        ("decisions".to_owned(), decisions_hash(book)?),
        ("records".to_owned(), facts.digest),
    ];
    let mut add = |kind: &str, name: &str, text: &str| {
        inputs.push((format!("{kind}/{name}"), Hash::of(text.as_bytes())));
    };
    for file in &workspace.rule_files {
        add("rules", &file.name, &file.text);
    }
    add("contacts", &workspace.contacts_file.name, &workspace.contacts_file.text);
    for file in &workspace.expectation_files {
        add("expectations", &file.name, &file.text);
    }
    if let Some(file) = &workspace.directory_file {
        add("directory", &file.name, &file.text);
    }
    // A sheet of another month says nothing here.
    for file in workspace.coding.files_of(&facts.mediated.events) {
        let file = &workspace.coding_files[file];
        add("coding", &file.name, &file.text);
    }
    inputs.sort();
    Ok(inputs)
}

/// Decisions are facts like any other: who decided what and why, not when. The same decision again changes nothing.
fn decisions_hash(book: &Book) -> Result<Hash> {
    let mut decided = BTreeSet::new();
    for kind in [coverage::ACCEPT_GAP, suspense::ACCEPT_SUSPENSE] {
        for decision in book.decisions(kind)? {
            decided.insert([kind.to_owned(), decision.subject, decision.actor, decision.reason]);
        }
    }
    Ok(Hash::of_parts(decided.iter().flatten().map(String::as_bytes)))
}

/// Only what can change a result: where files lie and how the service is reached cannot.
fn configuration_hash(workspace: &Workspace) -> Hash {
    let config = &workspace.config;
    let company = format!("{:?}", config.company);
    let due = config.due_days.to_string();
    let settlement = format!("{:?}", config.settlement);
    Hash::of_parts(
        [company.as_str(), config.zone.name(), config.country.code(), &config.series, &due, &settlement]
            .map(str::as_bytes),
    )
}

fn run_id(period: &Period, inputs: &[(String, Hash)]) -> Hash {
    let mut parts = vec![period.month.key(), period.zone.name().to_owned(), DERIVATION_VERSION.to_owned()];
    parts.extend(inputs.iter().map(|(name, hash)| format!("{name} {hash}")));
    Hash::of_parts(parts.iter().map(String::as_bytes))
}

fn reconciled(
    workspace: &Workspace,
    facts: &Facts,
    rules: &CompiledRules,
    rating: &RatingRun,
    period: &Period,
) -> Reconciliation {
    let observations: Vec<_> = facts
        .mediated
        .events
        .iter()
        .zip(&rating.rated)
        .filter_map(|(event, rated)| {
            let contact = rated.payer.map(|payer| rules.payers[payer as usize].contact.id.as_str());
            observe(event, contact, &rules.outcomes)
        })
        .collect();
    reconcile(&workspace.expectations, &observations, period.span, period.zone)
}

impl BillingRun {
    /// Makes the drafts, with what their allowances carry on and which outcomes are still open.
    fn draft(&mut self, workspace: &Workspace) -> Result<()> {
        let (rules, events) = (&self.rules, &self.facts.mediated.events);
        let charges = self.rating.charges.iter();
        let charged: Vec<Charged<'_>> =
            charges.map(|(event, charge)| Charged { event: &events[*event], charge }).collect();
        let index = rules.only_month.unwrap_or_default();
        let seller = &workspace.config.company;
        let mut documents = drafts(rules, &self.rating.state, index, &charged, seller, self.specimen)?;
        let month = self.period.month;
        let open = settlement::open(&workspace.config.settlement, rules, events, &self.rating.rated, month);
        for document in &mut documents {
            let Some(payer) = payer_of(rules, &document.invoice.payer.contact_id) else { continue };
            document.invoice.balances = rollover::closing(rules, &self.rating.state, payer, index);
            document.invoice.carried = open.carried.get(&payer).cloned().unwrap_or_default();
        }
        self.documents = documents;
        self.remarks.extend(open.remarks);
        Ok(())
    }

    /// Adds to the drafts what earlier periods owe since an outcome became known.
    fn add_settled(&mut self, workspace: &Workspace, settled: Settled) -> Result<()> {
        let mut parts = Vec::new();
        for Owed { contact, period_key, late } in settled.owed {
            let Some(payer) = payer_of(&self.rules, &contact) else {
                self.remarks
                    .push(format!("{contact} is no contact any more: what it owes of {period_key} waits."));
                continue;
            };
            let sums = late.lines.iter().map(|line| format!("{:?} {:?}", line.key, line.exact));
            parts.push(format!("{contact} {period_key} {}", sums.collect::<Vec<_>>().join(" ")));
            let place = self.documents.iter().position(|draft| draft.invoice.payer.contact_id == contact);
            let draft = place.map(|place| self.documents.remove(place));
            let index = self.rules.only_month.unwrap_or_default();
            let heading = (&workspace.config.company, self.specimen);
            self.documents.push(add_late(&self.rules, (payer, index), draft, late, heading)?);
        }
        self.documents
            .sort_by(|left, right| left.invoice.payer.contact_id.cmp(&right.invoice.payer.contact_id));
        if !parts.is_empty() {
            let hash = Hash::of_parts(parts.iter().map(String::as_bytes));
            self.inputs.push(("settled".to_owned(), hash));
            self.id = run_id(&self.period, &self.inputs);
        }
        self.priced_again = settled.priced_again;
        self.remarks.extend(settled.remarks);
        Ok(())
    }

    /// Finds the run's id. Documents of the period that other runs finalised are inputs too; this run's own are not, so
    /// that repeating it finds them: they are those whose run id comes out when they are left aside.
    pub(super) fn name(
        &mut self,
        earlier: Vec<StoredDocument>,
    ) -> (Vec<StoredDocument>, Vec<StoredDocument>) {
        let beside = |own: Option<Hash>| {
            let mut inputs = self.inputs.clone();
            let others = earlier.iter().filter(|document| Some(document.run_id) != own);
            let hashes: Vec<[u8; 32]> = others.map(|document| document.hash.0).collect();
            if !hashes.is_empty() {
                inputs.push(("documents".to_owned(), Hash::of_parts(hashes.iter().map(|hash| &hash[..]))));
            }
            (run_id(&self.period, &inputs), inputs)
        };
        let made: BTreeSet<Hash> = earlier.iter().map(|document| document.run_id).collect();
        let own = made.into_iter().find(|run| beside(Some(*run)).0 == *run);
        (self.id, self.inputs) = beside(own);
        earlier.into_iter().partition(|document| document.run_id == self.id)
    }

    /// Takes documents of other runs into account: their events are on an earlier document, and what came later for
    /// their payers waits.
    pub(super) fn settle(
        &mut self,
        book: &Book,
        others: &[StoredDocument],
        workspace: &Workspace,
    ) -> Result<()> {
        self.earlier = others.iter().map(kept_document).collect::<Result<_>>()?;
        let mut settled: BTreeMap<&str, (BTreeSet<String>, &[String])> = BTreeMap::new();
        for (document, kept) in others.iter().zip(&self.earlier).filter(|(document, _)| document.live) {
            let charges = explain::kept_bytes(book, &document.number)?;
            let events = explain::event_ids(&charges)?;
            settled.insert(&document.contact_id, (events, &kept.invoice.carried));
        }
        let mut moved: BTreeMap<String, String> = BTreeMap::new();
        for (index, rated) in self.rating.rated.iter().enumerate() {
            let Some(payer) = rated.payer.filter(|_| is_charged(rated.disposition)) else { continue };
            let contact = self.rules.payers[payer as usize].contact.id.as_str();
            let id = &self.facts.mediated.events[index].id;
            let Some((events, carried)) = settled.get(contact) else {
                if let Some((other, _)) = settled.iter().find(|(_, (events, _))| events.contains(id)) {
                    let reason = format!("{id} is already on a document of {other}");
                    moved.entry(contact.to_owned()).or_insert(reason);
                }
                continue;
            };
            self.dispositions[index] = match (events.contains(id), carried.contains(id)) {
                (true, _) => (EventDisposition::EarlierDocument, None),
                (false, true) => (EventDisposition::CarriedOver, None),
                (false, false) => (EventDisposition::Suspended, Some(SuspenseReason::PeriodFinalised)),
            };
        }
        self.documents.retain(|document| !settled.contains_key(document.invoice.payer.contact_id.as_str()));
        suspense::park(self, book, workspace)?;
        // What a corrected mapping moved away from a final document is billed to nobody a second time.
        self.parked.extend(moved);
        Ok(())
    }

    /// Both ledgers and the bridge (design, section 2), from independent counts.
    fn check_conservation(&mut self) {
        let mut conservation = Conservation {
            records_collected: i64::try_from(self.facts.records.len())
                .expect("records are counted in 63 bits"),
            ..Conservation::default()
        };
        for entry in &self.facts.mediated.ledger {
            *conservation.records.entry(entry.disposition).or_default() += 1;
            if entry.disposition == RecordDisposition::Excluded {
                *conservation.excluded.entry(entry.detail.clone()).or_default() += 1;
            }
        }
        for (event, rated) in self.facts.mediated.events.iter().zip(&self.rating.rated) {
            conservation.events_mediated.add(&ControlTotal {
                events: 1,
                milliseconds: rated.measured.milliseconds,
                segments: event.segments.map_or(0, i128::from),
                pages: event.pages.map_or(0, i128::from),
            });
        }
        for ((disposition, _), rated) in self.dispositions.iter().zip(&self.rating.rated) {
            let (rest, free) = split(*disposition, &rated.measured, &rated.in_allowance);
            conservation.events.entry(*disposition).or_default().add(&rest);
            if let Some(free) = free {
                conservation.events.entry(EventDisposition::InAllowance).or_default().add(&free);
            }
        }
        conservation.violations = self.event_violations();
        self.conservation = conservation;
    }

    /// What the documents carry against what the events were charged, payer by payer.
    fn event_violations(&self) -> Vec<String> {
        let mut by_events: BTreeMap<&str, i128> = BTreeMap::new();
        for ((disposition, _), rated) in self.dispositions.iter().zip(&self.rating.rated) {
            if let (true, Some(payer)) = (is_charged(*disposition), rated.payer) {
                *by_events.entry(&self.rules.payers[payer as usize].contact.id).or_default() +=
                    rated.numerator;
            }
        }
        let mut violations = Vec::new();
        let mut on_documents: BTreeSet<&str> = BTreeSet::new();
        for document in &self.documents {
            let contact = document.invoice.payer.contact_id.as_str();
            on_documents.insert(contact);
            let lines = document
                .invoice
                .lines
                .iter()
                .filter(|line| line.key.kind.is_itemised() && line.key.service_period.is_empty());
            // What earlier periods owe comes from charges of their own, which the annex adds up.
            let exact = lines.map(|line| line.exact).try_fold(Exact::ZERO, Exact::plus);
            let events = self.rules.exact(by_events.get(contact).copied().unwrap_or_default());
            if !exact.is_ok_and(|exact| exact == events) {
                violations
                    .push(format!("The lines of {contact} do not add up to the charges of its events."));
            }
        }
        for contact in by_events.keys().filter(|contact| !on_documents.contains(*contact)) {
            violations.push(format!("Events of {contact} were charged and stand on no document."));
        }
        violations
    }

    fn refuse_open_period(&self, now: Instant) -> Result<()> {
        let end = self.rules.payers.iter().map(|payer| self.period.month.period(payer.zone).span.to).max();
        let end = end.unwrap_or(self.period.span.to).max(self.period.span.to);
        let mut reasons = Vec::new();
        if now < end {
            reasons.push(format!("The period ends at {} and it is {now}.", self.period.zone.show(end)));
        }
        reasons.extend(self.open.iter().cloned());
        reasons.extend(self.conservation.violations.iter().cloned());
        if reasons.is_empty() {
            return Ok(());
        }
        let message =
            format!("the period {} is not finalised: {}", self.period.month.key(), reasons.join(" "));
        Err(Failure::new(Exit::NotFinalised, message).hint(
            "Pull until every window is sealed, import with --covers, or accept a known gap with `tollbook accept-gap`.",
        ))
    }

    fn add_money(&mut self) -> Result<()> {
        let mut money: BTreeMap<Currency, MoneyControl> = BTreeMap::new();
        for document in self.documents.iter().chain(&self.earlier) {
            let invoice = &document.invoice;
            let zero = Money::zero(invoice.currency);
            let entry = money.entry(invoice.currency).or_insert_with(|| MoneyControl {
                currency: invoice.currency,
                documents: 0,
                charges: Exact::ZERO,
                lines: zero,
                net: zero,
                tax: zero,
                total: zero,
                residual: Exact::ZERO,
            });
            entry.documents += 1;
            for line in &invoice.lines {
                entry.charges = entry.charges.plus(line.exact)?;
                entry.lines = entry.lines.plus(line.amount);
                entry.residual = entry.residual.plus(line.residual)?;
            }
            entry.net = entry.net.plus(invoice.net);
            entry.tax = invoice.tax.as_ref().map_or(entry.tax, |tax| entry.tax.plus(tax.amount));
            entry.total = entry.total.plus(invoice.total);
        }
        self.money = money.into_values().collect();
        Ok(())
    }
}

/// The payer of a contact.
fn payer_of(rules: &CompiledRules, contact: &str) -> Option<u32> {
    let place = rules.payers.iter().position(|payer| payer.contact.id == contact)?;
    u32::try_from(place).ok()
}

/// The quantity of an event between its own disposition and the allowance that took a part of it.
fn split(
    disposition: EventDisposition,
    measured: &ControlTotal,
    free: &ControlTotal,
) -> (ControlTotal, Option<ControlTotal>) {
    if disposition != EventDisposition::Billed && disposition != EventDisposition::ZeroRated {
        return (*measured, None);
    }
    let rest = ControlTotal {
        events: measured.events,
        milliseconds: measured.milliseconds - free.milliseconds,
        segments: measured.segments - free.segments,
        pages: measured.pages - free.pages,
    };
    (rest, Some(ControlTotal { events: 0, ..*free }).filter(|free| *free != ControlTotal::default()))
}
