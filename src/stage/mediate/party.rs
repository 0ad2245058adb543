//! Parties of records → parties of events.

use crate::domain::PartyNumber;
use crate::domain::event::Party;
use crate::domain::number::{NumberReader, ReadNumber};
use crate::domain::source::PartyText;

/// A party with its number read: an external number first, else the extension, else withheld.
pub fn read(numbers: &mut NumberReader, party: &PartyText) -> Party {
    let text = party.phone_number.as_deref().unwrap_or_default();
    let ReadNumber { mut number, mut country, toll_free } = numbers.read_whole(text);
    let mut raw = text.to_owned();
    if number == PartyNumber::Withheld
        && let Some(extension) = extension_of(party)
    {
        (number, country) = (PartyNumber::Extension(extension), None);
        raw = party.extension_number.clone().unwrap_or_default();
    }
    Party { number, country, toll_free, raw, name: party.name.clone() }
}

/// The extension number of a party, when it names one.
pub fn extension_of(party: &PartyText) -> Option<u64> {
    party.extension_number.as_deref()?.trim().parse().ok()
}

/// A party that names nothing at all.
pub fn is_nobody(party: &PartyText) -> bool {
    party.phone_number.as_deref().is_none_or(str::is_empty)
        && party.extension_number.is_none()
        && party.extension_id.is_none()
}
