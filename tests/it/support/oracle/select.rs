//! Which rate prices an event at an instant.

use chrono::{DateTime, Utc};
use num_rational::BigRational;

use super::Defect;
use super::calendar::{Validity, Wall};
use super::identify::World;
use super::language::{Deck, DeckRow, Match, OutcomeRow, Price, Rate, Tariff, Tiers};
use super::tables::{Contact, Event, Facts};

/// A rate that fits an event but for the band, with everything that the event decides about it.
pub struct Offer<'a> {
    pub tariff: &'a Tariff,
    pub rate: &'a Rate,
    /// 0 is the contact's own tariff.
    level: usize,
    precision: usize,
    pub unit: &'static str,
    pub pricing: Pricing<'a>,
    pub first: i64,
    pub next: i64,
    pub connection_fee: &'a BigRational,
    /// Of a deck.
    pub destination: &'a str,
}

pub enum Pricing<'a> {
    One(&'a BigRational),
    Steps(&'a [(i64, BigRational)]),
    Tiers(&'a Tiers),
    /// The price of a timekeeper whom nobody knows or who has none.
    NoTimekeeper,
    Cost(&'a BigRational, &'a BigRational),
    Supplier(&'a BigRational, &'a BigRational),
}

/// An offer in a band, as it applies at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice<'a> {
    pub offer: usize,
    pub band: &'a str,
}

/// One event with all its offers.
pub struct Work<'e, 'a> {
    pub event: &'e Event,
    pub facts: &'e Facts,
    pub contact: &'e Contact,
    pub offers: Vec<Offer<'a>>,
    /// The minute asked last, whether it was for a later increment, and what was found.
    last: Option<((i64, bool), Option<Choice<'a>>)>,
}

impl<'e, 'a> Work<'e, 'a> {
    /// All offers of the named tariffs, the nearest first.
    pub fn new(
        world: &World<'a>,
        event: &'e Event,
        facts: &'e Facts,
        contact: &'e Contact,
        tariffs: &[String],
    ) -> Self {
        let mut offers = Vec::new();
        for (level, name) in tariffs.iter().enumerate() {
            let Some(tariff) = world.tariff_at(name, event.start) else { continue };
            for rate in &tariff.rates {
                if let Some(precision) = fits(world, &rate.matching, event, facts) {
                    offers.extend(offer(world, event, facts, tariff, rate, (level, precision)));
                }
            }
        }
        Work { event, facts, contact, offers, last: None }
    }

    /// Nearest level first, in it the most precise destination, then the first in the file. After the first block only
    /// prices by time go on.
    pub fn choose(
        &mut self,
        world: &World<'a>,
        wall: &mut Wall,
        at: DateTime<Utc>,
        later: bool,
    ) -> Option<Choice<'a>> {
        let minute = (at.timestamp().div_euclid(60), later);
        if let Some((asked, found)) = self.last
            && asked == minute
        {
            return found;
        }
        let mut best: Option<(&Offer<'a>, Choice<'a>)> = None;
        for (index, offer) in self.offers.iter().enumerate() {
            if later && offer.unit != "second" {
                continue;
            }
            let zone_of = (offer.tariff, self.contact);
            let Some(band) = band_at(world, wall, &offer.rate.matching, zone_of, at) else { continue };
            let better = best.as_ref().is_none_or(|(other, _)| {
                let first_wins = world.defect(Defect::FirstRateWins);
                offer.level == other.level && offer.precision > other.precision && !first_wins
            });
            if better {
                best = Some((offer, Choice { offer: index, band }));
            }
        }
        let found = best.map(|(_, choice)| choice);
        self.last = Some((minute, found));
        found
    }
}

/// The rate with its increment, fee and price for this event; nothing when its deck does not know the number.
fn offer<'a>(
    world: &World<'a>,
    event: &Event,
    facts: &Facts,
    tariff: &'a Tariff,
    rate: &'a Rate,
    (level, precision): (usize, usize),
) -> Option<Offer<'a>> {
    let mut increment = rate.increment;
    let mut precision = precision;
    let mut connection_fee = &rate.connection_fee;
    let mut destination = "";
    let (pricing, unit) = match &rate.price {
        Price::Unit { price, unit } => (Pricing::One(price), *unit),
        Price::Steps(steps) => (Pricing::Steps(steps), "second"),
        Price::Tiers(tiers) => (Pricing::Tiers(tiers), tiers.unit),
        Price::Cost { times, plus } => (Pricing::Cost(times, plus), "event"),
        Price::Supplier { times, plus } => (Pricing::Supplier(times, plus), "event"),
        Price::Timekeeper => {
            let id = facts.text(event, "timekeeper");
            let known = world.rules.timekeepers.iter().find(|timekeeper| timekeeper.id == id);
            match known.and_then(|timekeeper| timekeeper.price.as_ref()) {
                Some((price, unit)) => (Pricing::One(price), *unit),
                None => (Pricing::NoTimekeeper, "second"),
            }
        }
        Price::Deck(name) => {
            let deck = world.rules.decks.get(name).unwrap_or_else(|| panic!("no deck {name}"));
            let row = row_of(world, deck, tariff, event)?;
            increment = row.increment.or(deck.increment).or(rate.increment);
            // A deck is a destination.
            precision = 2 * (row.prefix.len() - 1);
            connection_fee = row.connection_fee.as_ref().unwrap_or(connection_fee);
            destination = &row.name;
            (Pricing::One(&row.price), deck.unit)
        }
    };
    let (first, next) = increment.unwrap_or((1, 1));
    Some(Offer { tariff, rate, level, precision, unit, pricing, first, next, connection_fee, destination })
}

/// The row of the longest prefix that is valid at the start of the event.
fn row_of<'a>(world: &World, deck: &'a Deck, tariff: &Tariff, event: &Event) -> Option<&'a DeckRow> {
    let number = event.to.e164.as_ref()?;
    let holds = |row: &&DeckRow| {
        number.starts_with(&row.prefix) && Validity::new(row.from, row.to, tariff.zone).holds(event.start)
    };
    let rows = deck.rows.iter().filter(holds);
    if world.defect(Defect::DeckShortestPrefix) {
        return rows.min_by_key(|row| row.prefix.len());
    }
    rows.max_by_key(|row| row.prefix.len())
}

/// Whether everything but the band fits, and how precisely `to` names the number dialled.
pub fn fits(world: &World, matching: &Match, event: &Event, facts: &Facts) -> Option<usize> {
    for (key, values) in &matching.lists {
        let own = facts.text(event, key);
        let listed = |value: &String| match (key.as_str(), value.strip_suffix('*')) {
            ("error_code", Some(beginning)) => !own.is_empty() && own.starts_with(beginning),
            _ => value == own,
        };
        if !values.iter().any(listed) {
            return None;
        }
    }
    let precision = |list: &[String], party: &super::number::Party| {
        if list.is_empty() {
            return Some(0);
        }
        list.iter().filter_map(|entry| party.precision(entry)).max()
    };
    precision(&matching.from, &event.from)?;
    let found = precision(&matching.to, &event.to)?;
    if let Some(condition) = &matching.condition {
        let nothing_matches = world.defect(Defect::NullMatches);
        let truth = condition.truth(event, facts);
        if truth != Some(true) && !(nothing_matches && truth.is_none()) {
            return None;
        }
    }
    Some(found)
}

/// The first named band that holds at the instant; the empty name when no band is asked for.
pub fn band_at<'a>(
    world: &World<'a>,
    wall: &mut Wall,
    matching: &'a Match,
    (tariff, contact): (&Tariff, &Contact),
    at: DateTime<Utc>,
) -> Option<&'a str> {
    if matching.bands.is_empty() {
        return Some("");
    }
    let mut holds = |name: &&String| {
        let band = world.rules.bands.get(*name).unwrap_or_else(|| panic!("no band {name}"));
        let zone = if band.in_contact_zone { contact.zone } else { tariff.zone };
        if world.defect(Defect::HolidayIgnored) {
            let plain = super::calendar::Band { except: Default::default(), on: None, ..band.clone() };
            return plain.holds(at, zone);
        }
        wall.holds(band, zone, at)
    };
    matching.bands.iter().find(|name| holds(name)).map(String::as_str)
}

/// Whether the outcome is billed: the first rate's own list, else the table of outcomes. Nothing when nobody knows.
pub fn is_billable(world: &World, event: &Event, rate: Option<&Rate>) -> Option<bool> {
    let (channel, outcome) = (event.text("channel"), event.text("outcome"));
    if let Some(outcomes) = rate.and_then(|rate| rate.bill_when.as_ref()) {
        return Some(outcomes.iter().any(|listed| listed == outcome));
    }
    let code = event.text("error_code");
    // Exact code, then the longest beginning, then none; of equals the one that names the direction.
    let rank = |row: &OutcomeRow| -> Option<(usize, bool)> {
        let direction = row.direction.as_deref();
        if row.channel != channel
            || row.outcome != outcome
            || direction.is_some_and(|word| word != event.text("direction"))
        {
            return None;
        }
        let precision = match &row.error_code {
            None => 0,
            Some(_) if world.defect(Defect::ErrorCodeIgnored) => return None,
            Some(written) => match written.strip_suffix('*') {
                Some(beginning) if !code.is_empty() && code.starts_with(beginning) => 1 + beginning.len(),
                None if written == code => usize::MAX,
                _ => return None,
            },
        };
        Some((precision, direction.is_some()))
    };
    let best = world.rules.outcomes.iter().filter_map(|row| Some((rank(row)?, row.billable))).max();
    if let Some((_, billable)) = best {
        return Some(billable);
    }
    match (channel, outcome) {
        ("voice", "answered") | ("voicemail", "received") => Some(true),
        ("voice", "unanswered") => Some(false),
        ("sms" | "mms", "sent" | "delivered" | "delivery-failed" | "received") => Some(true),
        ("sms" | "mms", "sending-failed" | "queued") => Some(false),
        ("fax", "sent" | "delivered" | "received") => Some(true),
        ("fax", "sending-failed" | "delivery-failed" | "partial" | "queued") => Some(false),
        _ => None,
    }
}
