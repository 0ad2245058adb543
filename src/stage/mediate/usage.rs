//! Usage rows: each is an event as it stands. A row has no legs; its seconds are taken as they are.

use crate::domain::disposition::SuspenseReason;
use crate::domain::event::{BillableEvent, Coding, EvidenceRole, LegQuantities};
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
    if let Some(detail) = negative(row) {
        return Err((SuspenseReason::NegativeQuantity, detail));
    }
    let small = |column: &str, count: Option<i64>| match count.map(u32::try_from) {
        Some(Err(_)) => Err((SuspenseReason::Overflow, column.to_owned())),
        Some(Ok(count)) => Ok(Some(count)),
        None => Ok(None),
    };
    let (segments, pages) = (small("segments", row.segments)?, small("pages", row.pages)?);
    let coding = Coding {
        contact: None,
        matter: row.matter.clone(),
        timekeeper: row.timekeeper.clone(),
        task: row.task.clone(),
        narrative: None,
    };
    let extension = row.extension.as_deref().and_then(|text| text.trim().parse().ok());
    Ok(BillableEvent {
        id: format!("usage:{}", row.id),
        start,
        channel,
        direction,
        outcome,
        result,
        error_code: row.error_code.clone(),
        from: party::read(numbers, &number(&row.from)),
        to: party::read(numbers, &number(&row.to)),
        extension,
        extensions: extension.into_iter().collect(),
        legs: Vec::new(),
        quantities: LegQuantities::flat(row.milliseconds),
        entries: Vec::new(),
        segments,
        segment_counts: row.segment_counts.or_all(segments),
        pages,
        account_code: row.account_code.clone(),
        contact: row.contact.clone(),
        site: row.site.clone(),
        department: row.department.clone(),
        cost_centre: row.cost_centre.clone(),
        ringcentral_account: row.ringcentral_account.clone(),
        coding: (coding != Coding::default()).then_some(coding),
        carrier_cost: row.carrier_cost,
        message_id: None,
        last_modified: None,
        evidence: Vec::new(),
        remarks: Vec::new(),
    })
}

/// A quantity below zero: it is neither absent nor zero, and is never billed.
fn negative(row: &UsageRow) -> Option<String> {
    let quantities = [("milliseconds", row.milliseconds), ("segments", row.segments), ("pages", row.pages)];
    let told = quantities
        .into_iter()
        .find_map(|(name, quantity)| Some((name, quantity.filter(|quantity| *quantity < 0)?)));
    told.map(|(name, quantity)| format!("{name} {quantity}"))
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
