//! What an event costs: its rate, its increments, what allowances take, fee, floor and cap.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use num_rational::BigRational;
use num_traits::Zero;

use super::identify::{payer, tariff_at, tariff_name, zone};
use super::number::segments_of_text;
use super::read::{Contact, Event, Match, Rate, Rules, Tariff};
use super::{Defect, EventResult, Options, Part, calendar};

pub struct Biller<'a> {
    rules: &'a Rules,
    contacts: &'a [Contact],
    options: &'a Options,
    /// Units taken so far, by contact, month, tariff and allowance. A later version of the tariff goes on counting.
    used: BTreeMap<(String, String, String, String), i64>,
}

/// A rate that fits an event but for the band, with the precision of its destination.
struct Candidate<'a> {
    tariff: &'a Tariff,
    rate: &'a Rate,
    precision: usize,
    /// 0 is the contact's own tariff, 1 the default tariff.
    level: usize,
}

/// A rate in a band, as it applies at one instant.
#[derive(Clone, Copy)]
struct Choice<'a> {
    tariff: &'a Tariff,
    rate: &'a Rate,
    band: &'a str,
}

impl Choice<'_> {
    fn is(&self, other: &Choice) -> bool {
        std::ptr::eq(self.rate, other.rate) && self.band == other.band
    }
}

/// A run of billed units with one start: an increment of a call, or a whole message.
struct Increment<'a> {
    choice: Choice<'a>,
    at: DateTime<Utc>,
    units: i64,
}

/// What came of an event, when it is not charged: disposition and reason.
type Verdict = (&'static str, &'static str);

impl<'a> Biller<'a> {
    pub fn new(rules: &'a Rules, contacts: &'a [Contact], options: &'a Options) -> Self {
        Biller { rules, contacts, options, used: BTreeMap::new() }
    }

    /// Events must come in order of start, then id: allowances are taken in that order.
    pub fn bill_event(&mut self, event: &Event) -> EventResult {
        let mut result = EventResult {
            id: event.id.clone(),
            disposition: "",
            reason: "",
            contact: String::new(),
            month: String::new(),
            parts: Vec::new(),
        };
        let Some(contact) = payer(self.rules, self.contacts, self.options, event) else {
            // Unmatched is only what somebody could be billed for.
            result.disposition = match (event.direction.as_str(), self.is_billable(event, None)) {
                ("internal", _) => "internal",
                (_, Ok(false)) if event.outcome == "queued" => "awaiting its outcome",
                (_, Ok(false)) => "outcome not billable",
                _ => "unmatched contact",
            };
            return result;
        };
        let utc_month = self.options.defect == Some(Defect::MonthInUtc);
        let month_zone = if utc_month { Tz::UTC } else { zone(self.rules, contact, self.options) };
        result.contact = contact.id.clone();
        result.month = calendar::month(event.start, month_zone);

        match self.increments(event, contact) {
            Err((disposition, reason)) => (result.disposition, result.reason) = (disposition, reason),
            Ok(increments) => {
                (result.disposition, result.parts) = self.charge(event, contact, &result.month, &increments);
            }
        }
        result
    }

    /// The measured quantity, cut into increments each with its rate; or why there is none.
    fn increments(&self, event: &Event, contact: &Contact) -> Result<Vec<Increment<'a>>, Verdict> {
        if contact.do_not_bill {
            return Err(("do not bill", ""));
        }
        let candidates = self.candidates(event, contact);
        let choice = self.choose(&candidates, contact, event.start);
        if choice.is_none() && event.direction == "internal" {
            return Err(("internal", ""));
        }
        if !self.is_billable(event, choice.as_ref())? {
            return Err(if event.outcome == "queued" {
                ("awaiting its outcome", "")
            } else {
                ("outcome not billable", "")
            });
        }
        let choice = choice.ok_or(("suspended", "no-rate"))?;
        if event.channel == "voice" {
            match event.seconds {
                None => return Err(("suspended", "no-duration")),
                Some(0) => return Err(("zero-rated", "")),
                Some(_) => {}
            }
        }
        let whole = |units| Ok(vec![Increment { choice, at: event.start, units }]);
        match choice.rate.unit {
            "second" => self.walk(event, contact, &candidates),
            "page" => whole(event.pages.ok_or(("suspended", "no-pages"))?),
            "segment" => match event.segments {
                Some(segments) => whole(segments),
                None if event.text.is_empty() => Err(("suspended", "no-segments")),
                None => whole(segments_of_text(&event.text)),
            },
            _ => whole(1),
        }
    }

    /// The first block, then each next increment, each priced by the band at its own start.
    fn walk(
        &self,
        event: &Event,
        contact: &Contact,
        candidates: &[Candidate<'a>],
    ) -> Result<Vec<Increment<'a>>, Verdict> {
        let seconds = event.seconds.ok_or(("suspended", "no-duration"))?;
        let mut increments = Vec::new();
        let mut elapsed = 0;
        while elapsed < seconds {
            let at = event.start + Duration::seconds(elapsed);
            let call_start = self.options.defect == Some(Defect::BandOfCallStart);
            let band_at = if call_start { event.start } else { at };
            let choice = self.choose(candidates, contact, band_at).ok_or(("suspended", "no-rate"))?;
            let units = match (choice.rate.unit, elapsed) {
                ("second", 0) => choice.rate.first,
                ("second", _) => choice.rate.next,
                // A price for the call as a whole, met on the way, takes the rest of the call at once.
                _ => {
                    increments.push(Increment { choice, at, units: 1 });
                    return Ok(increments);
                }
            };
            increments.push(Increment { choice, at, units });
            elapsed += units;
        }
        Ok(increments)
    }

    /// Whether the outcome is billed: the first rate's own list, else the table of outcomes.
    fn is_billable(&self, event: &Event, choice: Option<&Choice>) -> Result<bool, Verdict> {
        if let Some(outcomes) = choice.and_then(|choice| choice.rate.bill_when.as_ref()) {
            return Ok(outcomes.contains(&event.outcome));
        }
        let key = (event.channel.clone(), event.outcome.clone());
        if let Some(billable) = self.rules.outcomes.get(&key) {
            return Ok(*billable);
        }
        match (event.channel.as_str(), event.outcome.as_str()) {
            ("voice", "answered") | ("voicemail", "received") => Ok(true),
            ("voice", "unanswered") => Ok(false),
            ("sms" | "mms", "sent" | "delivered" | "delivery-failed" | "received") => Ok(true),
            ("sms" | "mms", "sending-failed" | "queued") => Ok(false),
            ("fax", "sent" | "delivered" | "received") => Ok(true),
            ("fax", "sending-failed" | "delivery-failed" | "partial" | "queued") => Ok(false),
            _ => Err(("suspended", "unknown-outcome")),
        }
    }

    /// Every rate of the two levels that fits the event at some hour.
    fn candidates(&self, event: &Event, contact: &Contact) -> Vec<Candidate<'a>> {
        let own = tariff_name(self.rules, contact);
        let mut candidates = Vec::new();
        for (level, name) in [own, self.rules.default_tariff.as_deref()].into_iter().enumerate() {
            let Some(tariff) = name.and_then(|name| tariff_at(self.rules, name, event.start)) else {
                continue;
            };
            for rate in &tariff.rates {
                if let Some(precision) = fits(&rate.matching, event) {
                    candidates.push(Candidate { tariff, rate, precision, level });
                }
            }
        }
        candidates
    }

    /// Nearest level first, in it the most precise destination, then the first in the file.
    fn choose(
        &self,
        candidates: &[Candidate<'a>],
        contact: &Contact,
        at: DateTime<Utc>,
    ) -> Option<Choice<'a>> {
        let mut best: Option<(&Candidate<'a>, &'a str)> = None;
        for candidate in candidates {
            let Some(band) = self.band_at(&candidate.rate.matching, candidate.tariff, contact, at) else {
                continue;
            };
            let better = best.is_none_or(|(other, _)| {
                let first_wins = self.options.defect == Some(Defect::FirstRateWins);
                candidate.level == other.level && candidate.precision > other.precision && !first_wins
            });
            if better {
                best = Some((candidate, band));
            }
        }
        best.map(|(candidate, band)| Choice { tariff: candidate.tariff, rate: candidate.rate, band })
    }

    /// The first named band that holds at the instant; the empty name when no band is asked for.
    fn band_at(
        &self,
        matching: &'a Match,
        tariff: &Tariff,
        contact: &Contact,
        at: DateTime<Utc>,
    ) -> Option<&'a str> {
        if matching.bands.is_empty() {
            return Some("");
        }
        let holds = |name: &&String| {
            let band = self.rules.bands.get(*name).unwrap_or_else(|| panic!("no band {name}"));
            let of_contact = if band.in_contact_zone { contact.zone } else { None };
            band.holds(at, of_contact.unwrap_or(tariff.zone))
        };
        matching.bands.iter().find(holds).map(String::as_str)
    }

    /// Allowance, then price, then connection fee, then floor, then cap.
    fn charge(
        &mut self,
        event: &Event,
        contact: &Contact,
        month: &str,
        increments: &[Increment<'a>],
    ) -> (&'static str, Vec<Part>) {
        let Some(first) = increments.first().map(|increment| increment.choice) else {
            return ("zero-rated", Vec::new());
        };
        let mut parts = Vec::new();
        let mut payable: Vec<(Choice, i64)> = Vec::new();
        for increment in increments {
            let left = self.take_allowances(event, contact, month, increment, &mut parts);
            match payable.iter_mut().find(|(choice, _)| choice.is(&increment.choice)) {
                Some((_, units)) => *units += left,
                None => payable.push((increment.choice, left)),
            }
        }
        for (choice, units) in &payable {
            add(&mut parts, usage(choice, *units, &choice.rate.price * integer(*units)));
        }
        let left_units: i64 = payable.iter().map(|(_, units)| units).sum();
        let within_allowances = left_units == 0;

        if !within_allowances || self.options.defect == Some(Defect::FeeWithinAllowance) {
            add(&mut parts, usage(&first, 0, first.rate.connection_fee.clone()));
        }
        let sum: BigRational = parts.iter().map(|part| &part.amount).sum();
        let mut total = sum.clone();
        if let Some(floor) = &first.rate.floor
            && !within_allowances
            && total < *floor
        {
            total = floor.clone();
        }
        if let Some(cap) = &first.rate.cap
            && total > *cap
        {
            total = cap.clone();
        }
        add(&mut parts, usage(&first, 0, &total - sum));

        parts.retain(|part| part.units != 0 || !part.amount.is_zero());
        parts.sort_by(|a, b| key_of(a).cmp(&key_of(b)));
        let disposition = match () {
            () if within_allowances && total.is_zero() => "in an allowance",
            () if total.is_zero() => "zero-rated",
            () => "billed",
        };
        (disposition, parts)
    }

    /// Lets the allowances of the contact's own tariff take from one increment, in the order of the file; gives back the
    /// units that are left to pay for.
    fn take_allowances(
        &mut self,
        event: &Event,
        contact: &Contact,
        month: &str,
        increment: &Increment,
        parts: &mut Vec<Part>,
    ) -> i64 {
        let rules = self.rules;
        let own = tariff_name(rules, contact).and_then(|name| tariff_at(rules, name, event.start));
        let mut left = increment.units;
        let Some(tariff) = own else { return left };
        for allowance in &tariff.allowances {
            let band = self.band_at(&allowance.matching, tariff, contact, increment.at);
            let applies =
                fits(&allowance.matching, event).is_some() && allowance.unit == increment.choice.rate.unit;
            let (Some(_), true) = (band, applies) else { continue };
            let key = (contact.id.clone(), month.to_string(), tariff.name.clone(), allowance.name.clone());
            let used = self.used.entry(key).or_insert(0);
            let taken = left.min((allowance.granted - *used).max(0));
            *used += taken;
            left -= taken;
            if taken == 0 {
                continue;
            }
            let part = Part {
                kind: "allowance",
                tariff: tariff.name.clone(),
                tariff_version: tariff.version.clone(),
                clause: allowance.name.clone(),
                band: band.unwrap_or_default().to_string(),
                unit: allowance.unit,
                units: taken,
                amount: BigRational::zero(),
            };
            add(parts, part);
        }
        left
    }
}

/// Whether channel, direction, `from` and `to` fit, and how precisely `to` names the number dialled.
fn fits(matching: &Match, event: &Event) -> Option<usize> {
    let listed = |list: &[String], value: &String| list.is_empty() || list.contains(value);
    if !listed(&matching.channels, &event.channel) || !listed(&matching.directions, &event.direction) {
        return None;
    }
    let precision = |list: &[String], number: Option<&super::number::Destination>| {
        if list.is_empty() {
            return Some(0);
        }
        list.iter().filter_map(|entry| number?.precision(entry)).max()
    };
    precision(&matching.from, event.from.as_ref())?;
    precision(&matching.to, event.to.as_ref())
}

fn integer(value: i64) -> BigRational {
    BigRational::from_integer(value.into())
}

fn usage(choice: &Choice, units: i64, amount: BigRational) -> Part {
    Part {
        kind: "usage",
        tariff: choice.tariff.name.clone(),
        tariff_version: choice.tariff.version.clone(),
        clause: choice.rate.name.clone(),
        band: choice.band.to_string(),
        unit: choice.rate.unit,
        units,
        amount,
    }
}

fn key_of(part: &Part) -> [&str; 5] {
    [part.kind, &part.tariff, &part.tariff_version, &part.clause, &part.band]
}

/// Adds a part to the part of the same clause and band, if there is one.
fn add(parts: &mut Vec<Part>, part: Part) {
    match parts.iter_mut().find(|other| key_of(other) == key_of(&part)) {
        Some(other) => {
            other.units += part.units;
            other.amount += part.amount;
        }
        None => parts.push(part),
    }
}
