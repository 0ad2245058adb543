//! Calls the pricing code again over a month, keeping the steps of some events.

use std::collections::{BTreeMap, BTreeSet};

use crate::book::{Book, StoredDocument};
use crate::domain::document::Document;
use crate::domain::event::BillableEvent;
use crate::domain::time::Month;
use crate::domain::{Exact, Result};
use crate::rules::compile::CompiledRules;
use crate::run::bill::{self, Prepared};
use crate::run::rating::{RatingRun, is_charged, rate_from, started, view};
use crate::run::settlement;
use crate::run::workspace::Workspace;
use crate::stage::explain::{Traced, traced};
use crate::stage::mediate::Mediated;

use super::event::OnDocument;

/// The live documents of a book with their contents, and where each event stands on them.
pub struct Documents {
    pub live: Vec<(StoredDocument, Document)>,
    places: BTreeMap<String, Vec<OnDocument>>,
}

impl Documents {
    /// Reads all of them.
    ///
    /// # Errors
    /// A document that cannot be read (exit 7).
    pub fn read(book: &Book) -> Result<Documents> {
        let mut live = Vec::new();
        let mut places: BTreeMap<String, Vec<OnDocument>> = BTreeMap::new();
        for stored in book.documents(None)?.into_iter().filter(|document| document.live) {
            let document = bill::kept_document(&stored)?;
            for row in &document.annex {
                places.entry(row.event_id.clone()).or_default().push(OnDocument {
                    document: Some(stored.number.clone()),
                    contact: stored.contact_id.clone(),
                    line: row.line,
                    exact: row.exact,
                });
            }
            live.push((stored, document));
        }
        Ok(Documents { live, places })
    }

    /// Where an event stands, document by document.
    pub fn of(&self, event: &str) -> &[OnDocument] {
        self.places.get(event).map(Vec::as_slice).unwrap_or_default()
    }

    /// What all documents together charge for an event; `None` when it is on none.
    pub fn charged(&self, event: &str) -> Result<Option<Exact>> {
        let places = self.of(event);
        if places.is_empty() {
            return Ok(None);
        }
        places.iter().try_fold(Exact::ZERO, |sum, place| sum.plus(place.exact)).map(Some)
    }

    /// The period of the document that billed an event first: the event's own period when they are the same.
    fn turn_of(&self, event: &str, key: &str) -> Option<String> {
        let numbers: BTreeSet<&str> =
            self.of(event).iter().filter_map(|place| place.document.as_deref()).collect();
        let of = self.live.iter().filter(|(stored, _)| numbers.contains(stored.number.as_str()));
        let turns = of.map(|(stored, _)| if stored.period_key == key { "" } else { &stored.period_key });
        turns.min().map(str::to_owned)
    }
}

/// A month that was rated again.
pub struct Replay {
    pub rules: CompiledRules,
    pub mediated: Mediated,
    /// Steps of the events that were asked for, by the event's index.
    pub traced: BTreeMap<usize, Traced>,
}

/// Rates a month again in the order in which its documents did, and keeps the steps of the wanted events.
///
/// # Errors
/// Facts that cannot be read, sums that differ (exit 7).
pub fn replay(
    book: &Book,
    workspace: &Workspace,
    documents: &Documents,
    month: Month,
    wanted: impl Fn(&BillableEvent) -> bool,
) -> Result<Replay> {
    let kept = settlement::kept(book)?;
    let Prepared { facts, rules, openings } = bill::prepare(book, workspace, &kept, month)?;
    let mut mediated = facts.mediated;
    let mut turns = Vec::new();
    let mut rating = rate_from(&rules, started(&rules, &openings), &mediated.events, &turns)?;
    let order = turns_of(&rules, &mediated.events, &rating, documents, &month.key());
    if order.iter().any(|turn| turn != &order[0]) {
        let mut ordered: Vec<(String, BillableEvent)> =
            order.into_iter().zip(std::mem::take(&mut mediated.events)).collect();
        // Within a turn the events stay in the order of their starts, then ids.
        ordered.sort_by(|left, right| left.0.cmp(&right.0));
        turns = (1..ordered.len()).filter(|index| ordered[*index].0 != ordered[*index - 1].0).collect();
        mediated.events = ordered.into_iter().map(|(_, event)| event).collect();
        rating = rate_from(&rules, started(&rules, &openings), &mediated.events, &turns)?;
    }
    let mut state = started(&rules, &openings);
    let mut found = BTreeMap::new();
    for (index, event) in mediated.events.iter().enumerate() {
        if turns.contains(&index) {
            state.append();
        }
        let step = traced(&rules, &mut state, view(event, rating.conditions[index]))?;
        if wanted(event) {
            found.insert(index, step);
        }
    }
    for (index, traced) in &mut found {
        traced.settle(&rules, &rating.state, &rating.rated[*index])?;
    }
    Ok(Replay { rules, mediated, traced: found })
}

/// When each event was billed: with its period, by a later document, or not yet although its payer's document is final.
fn turns_of(
    rules: &CompiledRules,
    events: &[BillableEvent],
    rating: &RatingRun,
    documents: &Documents,
    key: &str,
) -> Vec<String> {
    // No key of a period comes after this one.
    const LAST: &str = "~";
    let own = documents.live.iter().filter(|(stored, _)| stored.period_key == key);
    let closed: BTreeSet<&str> = own.map(|(stored, _)| stored.contact_id.as_str()).collect();
    let turn = |(event, rated): (&BillableEvent, &crate::stage::rate::Rated)| {
        if let Some(turn) = documents.turn_of(&event.id, key) {
            return turn;
        }
        let payer = rated.payer.and_then(|payer| rules.payers.get(payer as usize));
        let is_late = payer.is_some_and(|payer| closed.contains(payer.contact.id.as_str()));
        if is_late && is_charged(rated.disposition) { LAST.to_owned() } else { String::new() }
    };
    events.iter().zip(&rating.rated).map(turn).collect()
}
