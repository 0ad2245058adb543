//! Finalising: numbers for the drafts that nothing holds back, and the same numbers again for a run that is repeated.

use chrono::Days;

use crate::book::{Book, NewDocument, StoredDocument};
use crate::domain::charge::Charge;
use crate::domain::document::{Document, Finalisation};
use crate::domain::{Exit, Failure, Result};

use super::super::explain;
use super::super::workspace::Workspace;
use super::{BillingRun, Finalise};

impl BillingRun {
    /// Whether a document is a draft that nothing holds back.
    fn is_due(&self, document: &Document) -> bool {
        document.invoice.finalisation.is_none()
            && !self.parked.contains_key(&document.invoice.payer.contact_id)
    }

    /// Gives the drafts numbers, in the order of contacts, in one transaction. Parked payers stay drafts.
    pub(super) fn number(
        &mut self,
        book: &mut Book,
        workspace: &Workspace,
        finalise: &Finalise,
    ) -> Result<()> {
        let series = &workspace.config.series;
        let first = book.next_number(series)?;
        let due_date = finalise
            .issue_date
            .checked_add_days(Days::new(u64::from(workspace.config.due_days)))
            .ok_or_else(|| Failure::new(Exit::Usage, "the due date is beyond the calendar"))?;
        let due: Vec<usize> =
            (0..self.documents.len()).filter(|index| self.is_due(&self.documents[*index])).collect();
        for (sequence, index) in (first..).zip(&due) {
            self.documents[*index].invoice.finalisation = Some(Finalisation {
                number: format!("{series}-{sequence:06}"),
                issue_date: finalise.issue_date,
                due_date,
                actor: finalise.actor.clone(),
            });
        }
        let mut new = Vec::with_capacity(due.len());
        for (place, index) in (first..).zip(&due) {
            new.push(self.stored(&self.documents[*index], series, place, finalise)?);
        }
        book.finalise(&self.id, &new)
    }

    fn stored(
        &self,
        document: &Document,
        series: &str,
        sequence: u64,
        finalise: &Finalise,
    ) -> Result<NewDocument> {
        let contact = &document.invoice.payer.contact_id;
        let bug = |error: serde_json::Error| Failure::new(Exit::Bug, error.to_string());
        let charges = explain::charges_of(self, contact)?;
        Ok(NewDocument {
            series: series.to_owned(),
            sequence,
            number: document
                .invoice
                .finalisation
                .as_ref()
                .map(|facts| facts.number.clone())
                .unwrap_or_default(),
            contact_id: contact.clone(),
            period_key: self.period.month.key(),
            kind: "invoice".to_owned(),
            ordinal: 1,
            issue_date: finalise.issue_date,
            actor: finalise.actor.clone(),
            body: serde_json::to_vec(document).map_err(bug)?,
            event_ids: explain::event_ids(&charges)?
                .into_iter()
                .filter(|event| !self.priced_again.contains(event))
                .map(|event| self.entry_of(event))
                .collect(),
            charges,
            voids: None,
        })
    }

    /// Under which name the book keeps that an event is billed: a part of a call that periods split has the month's.
    fn entry_of(&self, event: String) -> String {
        let apart =
            |(index, _): &&(usize, Charge)| Some(self.rating.rated[*index].month) != self.rules.only_month;
        let parts = self.rating.charges.iter().filter(apart);
        let mut parts = parts.map(|(index, _)| &self.facts.mediated.events[*index].id);
        match parts.any(|part| *part == event) {
            true => format!("{event} in {}", self.period.month.key()),
            false => event,
        }
    }

    /// This run finalised before: the same facts must give the same documents.
    pub(super) fn take_numbers(&mut self, own: &[StoredDocument]) -> Result<()> {
        for stored in own {
            let damaged =
                |what: &str| Failure::new(Exit::Verification, format!("document {}: {what}", stored.number));
            let kept = kept_document(stored)?;
            let position = self
                .documents
                .iter()
                .position(|document| document.invoice.payer.contact_id == stored.contact_id)
                .ok_or_else(|| damaged("the same facts give no such document now"))?;
            let mut again = self.documents[position].clone();
            again.invoice.finalisation = kept.invoice.finalisation.clone();
            if again != kept {
                return Err(damaged("the same facts give another document now"));
            }
            self.documents[position] = kept;
        }
        Ok(())
    }
}

/// A finalised document as it was kept.
pub(in crate::run) fn kept_document(stored: &StoredDocument) -> Result<Document> {
    serde_json::from_slice(&stored.body)
        .map_err(|error| Failure::new(Exit::Verification, format!("document {}: {error}", stored.number)))
}
