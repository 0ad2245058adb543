//! How much is billed: length, grace, minimum, increments; each increment with the rate that prices it.

use std::collections::BTreeMap;

use chrono::Duration;

use super::calendar::Wall;
use super::identify::World;
use super::language::{Settings, Tariff};
use super::select::{Choice, Pricing, Work};
use super::{Defect, calendar};

/// Why an event is not charged: disposition and reason.
pub type Verdict = (&'static str, &'static str);

/// A run of billed units with one start: an increment of a call, or a whole message.
pub struct Increment<'a> {
    pub choice: Choice<'a>,
    /// Seconds of the call before it, which positions in the call are counted by.
    pub position: i64,
    /// Seconds after the event's start.
    pub after: i64,
    pub units: i64,
    /// The choice of each billed second, where seconds are priced one by one.
    pub seconds: Vec<Choice<'a>>,
}

/// Thousandths measured so far, by what they are rounded together for.
pub type Scopes = BTreeMap<Vec<String>, i64>;

/// What is billed of an event, before allowances.
pub struct Quantity<'a> {
    pub increments: Vec<Increment<'a>>,
    /// Measured seconds that allowances take in advance.
    pub included_seconds: i64,
    /// The sum of its scope with this event, to be kept when the event is charged.
    pub scoped: Option<(Vec<String>, i64)>,
}

/// Where an event is measured.
pub struct Bench<'b, 'a> {
    pub world: &'b World<'a>,
    pub wall: &'b mut Wall,
    pub scopes: &'b mut Scopes,
    pub month: &'b str,
}

impl<'a> Bench<'_, 'a> {
    /// `in_allowances` are the measured seconds that allowances could take.
    pub fn quantity(
        &mut self,
        work: &mut Work<'_, 'a>,
        first: Choice<'a>,
        in_allowances: &mut dyn FnMut() -> i64,
    ) -> Result<Quantity<'a>, Verdict> {
        let offer = &work.offers[first.offer];
        let event = work.event;
        let by_time = offer.unit == "second";
        if by_time || event.text("outcome") == "answered" {
            let thousandths = event.thousandths.ok_or(("suspended", "no-duration"))?;
            if self.is_free(offer.tariff, offer.rate.grace_thousandths, thousandths) {
                return Err(("zero-rated", ""));
            }
        }
        match offer.pricing {
            Pricing::Cost(..) if event.carrier_cost.is_none() => return Err(("suspended", "no-cost")),
            _ => {}
        }
        let one = |units: i64| match units {
            0 => Err(("zero-rated", "")),
            units => {
                let increment =
                    Increment { choice: first, position: 0, after: 0, units, seconds: Vec::new() };
                Ok(Quantity { increments: vec![increment], included_seconds: 0, scoped: None })
            }
        };
        match offer.unit {
            "second" if offer.rate.scope != "call" && !self.world.defect(Defect::ScopePerCall) => {
                let (more, key, sum) = self.more_of_scope(work, first);
                if more == 0 {
                    self.scopes.insert(key.clone(), sum);
                }
                Ok(Quantity { scoped: Some((key, sum)), ..one(more)? })
            }
            "second" => {
                let included =
                    if offer.tariff.options.allowance_draws_measured { in_allowances() } else { 0 };
                self.walk(work, first, included)
            }
            "page" => one(event.pages.ok_or(("suspended", "no-pages"))?),
            "segment" => {
                let text = event.text("text");
                let written = !event.text("segments").is_empty() || text.is_empty();
                let options = &offer.tariff.options;
                if !written && (options.graphemes || options.national_alphabet) {
                    return one(super::text::segments(text, options.national_alphabet, options.graphemes));
                }
                one(event.segments.ok_or(("suspended", "no-segments"))?)
            }
            _ => one(1),
        }
    }

    fn is_free(&self, tariff: &Tariff, grace: i64, thousandths: i64) -> bool {
        let options = &tariff.options;
        let within_grace =
            match options.grace_includes_its_end || self.world.defect(Defect::GraceIncludesItsEnd) {
                true => thousandths <= grace,
                false => thousandths < grace,
            };
        (thousandths == 0 && !options.zero_is_a_block)
            || ((1..1000).contains(&thousandths) && options.under_a_second_is_nothing)
            || (grace > 0 && within_grace)
    }

    /// The first block, then each next increment, each with the rate of its own start.
    fn walk(
        &mut self,
        work: &mut Work<'_, 'a>,
        first: Choice<'a>,
        included: i64,
    ) -> Result<Quantity<'a>, Verdict> {
        let no_rate = ("suspended", "no-rate");
        let rate = work.offers[first.offer].rate;
        let options = &work.offers[first.offer].tariff.options;
        let measured = (work.event.thousandths.unwrap() + 999) / 1000;
        let included = included.min(measured);
        let mut quantity = Quantity { increments: Vec::new(), included_seconds: included, scoped: None };
        if included > 0 && included == measured {
            return Ok(quantity);
        }
        let length = (measured - included).max(rate.minimum_seconds);
        let call_start = options.band_by_call_start || self.world.defect(Defect::BandOfCallStart);
        let mut position = 0;
        while position < length || (length == 0 && position == 0) {
            let after = included + position;
            let choice = self.choice_after(work, if call_start { 0 } else { after }).ok_or(no_rate)?;
            let offer = &work.offers[choice.offer];
            let units = match position {
                0 => offer.first,
                _ if from_zero(self.world, options) => offer.next - position % offer.next,
                _ => offer.next,
            };
            if options.only_completed && position + units > length {
                break;
            }
            let mut seconds = Vec::new();
            if options.crossing_in_pieces {
                for second in after..after + units {
                    seconds
                        .push(self.choice_after(work, if call_start { 0 } else { second }).ok_or(no_rate)?);
                }
            }
            quantity.increments.push(Increment { choice, position, after, units, seconds });
            position += units;
        }
        if quantity.increments.is_empty() && included == 0 {
            return Err(("zero-rated", ""));
        }
        Ok(quantity)
    }

    fn choice_after(&mut self, work: &mut Work<'_, 'a>, seconds: i64) -> Option<Choice<'a>> {
        let at = work.event.start + Duration::seconds(seconds);
        work.choose(self.world, self.wall, at, seconds > 0)
    }

    /// What the event adds to the billed seconds of all events that are rounded together.
    fn more_of_scope(&mut self, work: &Work<'_, 'a>, first: Choice<'a>) -> (i64, Vec<String>, i64) {
        let offer = &work.offers[first.offer];
        let (event, facts) = (work.event, work.facts);
        let day = calendar::day(event.start, work.contact.zone);
        let matter = facts.text(event, "matter").to_string();
        let timekeeper = facts.text(event, "timekeeper").to_string();
        let mut key = vec![
            work.contact.id.clone(),
            self.month.to_string(),
            offer.tariff.name.clone(),
            offer.rate.name.clone(),
        ];
        key.extend(match offer.rate.scope.as_str() {
            "contact-day" => vec![day],
            "matter-day" => vec![day, matter],
            "timekeeper-day" => vec![day, matter, timekeeper],
            "period" => vec![matter],
            other => panic!("no scope: {other}"),
        });
        let before = self.scopes.get(&key).copied().unwrap_or(0);
        let sum = before + event.thousandths.unwrap();
        let billed = |thousandths: i64| match thousandths {
            0 => 0,
            _ => {
                let seconds = ((thousandths + 999) / 1000).max(offer.rate.minimum_seconds);
                billed_of(self.world, seconds, (offer.first, offer.next), &offer.tariff.options)
            }
        };
        (billed(sum) - billed(before), key, sum)
    }
}

fn from_zero(world: &World, options: &Settings) -> bool {
    options.increments_from_zero || world.defect(Defect::IncrementsFromZero)
}

/// Seconds billed for measured ones.
fn billed_of(world: &World, seconds: i64, (first, next): (i64, i64), options: &Settings) -> i64 {
    let whole = |seconds: i64| match options.only_completed {
        true => seconds / next,
        false => (seconds + next - 1) / next,
    };
    if options.only_completed && seconds < first {
        0
    } else if seconds <= first {
        first
    } else if from_zero(world, options) {
        first.max(whole(seconds) * next)
    } else {
        first + whole(seconds - first) * next
    }
}
