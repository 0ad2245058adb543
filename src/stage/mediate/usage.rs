//! Usage rows: each is an event as it stands. A row has no legs; its seconds are taken as they are.

use crate::domain::disposition::SuspenseReason;
use crate::domain::event::{BillableEvent, EvidenceRole, LegQuantities, SegmentWays};
use crate::domain::number::NumberReader;
use crate::domain::outcome::{Channel, Direction, Outcome};
use crate::domain::source::{DecodedRecord, PartyText, UsageRow};

use super::{Bench, party, words};

pub fn add(bench: &mut Bench<'_>, record: &DecodedRecord, row: &UsageRow) {
    match event(&mut bench.numbers, row) {
        Ok(event) => {
            bench.events.push(BillableEvent { last_modified: record.record.last_modified, ..event });
            let at = bench.events.len() - 1;
            bench.attach(record, at, EvidenceRole::Primary);
        }
        Err((reason, detail)) => bench.suspend(record, reason, &detail),
    }
}

/// The event of a usage row; the reason why there is none otherwise.
///
/// # Errors
/// The reason to suspend the row, with the word that was not understood.
pub fn event(numbers: &mut NumberReader, row: &UsageRow) -> Result<BillableEvent, (SuspenseReason, String)> {
    let start = row.start.ok_or((SuspenseReason::NoStart, String::new()))?;
    let channel =
        Channel::from_word(&row.channel).ok_or((SuspenseReason::UnknownType, row.channel.clone()))?;
    let direction = Direction::from_word(&row.direction)
        .ok_or((SuspenseReason::UnknownDirection, row.direction.clone()))?;
    let (outcome, result) = outcome(row, channel, direction)?;
    let number = |text: &Option<String>| PartyText { phone_number: text.clone(), ..PartyText::default() };
    let quantity = row.milliseconds;
    let extension = row.extension.as_deref().and_then(|text| text.trim().parse().ok());
    Ok(BillableEvent {
        id: format!("usage:{}", row.id),
        start,
        channel,
        direction,
        outcome,
        result,
        error_code: None,
        from: party::read(numbers, &number(&row.from)),
        to: party::read(numbers, &number(&row.to)),
        extension,
        extensions: extension.into_iter().collect(),
        legs: Vec::new(),
        quantities: LegQuantities::flat(quantity),
        entries: Vec::new(),
        segments: row.segments,
        segment_counts: SegmentWays::all(row.segments),
        pages: row.pages,
        account_code: row.account_code.clone(),
        contact: row.contact.clone(),
        site: None,
        department: None,
        cost_centre: None,
        ringcentral_account: None,
        coding: None,
        carrier_cost: None,
        message_id: None,
        last_modified: None,
        evidence: Vec::new(),
        remarks: Vec::new(),
    })
}

/// The outcome column, else the service's result word, else nothing is known and the row is suspended.
fn outcome(
    row: &UsageRow,
    channel: Channel,
    direction: Direction,
) -> Result<(Outcome, String), (SuspenseReason, String)> {
    if let Some(word) = &row.outcome {
        let outcome = Outcome::from_word(word).ok_or((SuspenseReason::UnknownResult, word.clone()))?;
        return Ok((outcome, row.result.clone().unwrap_or_else(|| word.clone())));
    }
    let result = row.result.clone().unwrap_or_default();
    let unknown = || (SuspenseReason::UnknownResult, result.clone());
    let outcome = match channel {
        Channel::Voice => match words::answered(&result) {
            Some(true) => Outcome::Answered,
            Some(false) => Outcome::Unanswered,
            None => return Err(unknown()),
        },
        Channel::Voicemail => Outcome::Received,
        _ if result.is_empty() && direction == Direction::Inbound => Outcome::Received,
        Channel::Fax => {
            words::message_outcome(&result).or_else(|| words::fax_outcome(&result)).ok_or_else(unknown)?
        }
        _ => words::message_outcome(&result).ok_or_else(unknown)?,
    };
    Ok((outcome, result))
}
