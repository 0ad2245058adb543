//! What an event costs: what allowances take, tiers, price, fees, discount, floor, cap, rounding.

use std::collections::BTreeMap;
use std::rc::Rc;

use chrono::Duration;
use chrono_tz::Tz;
use num_rational::BigRational;
use num_traits::{Signed, Zero};

use super::calendar::{self, Wall};
use super::groups::{Counters, Groups};
use super::identify::World;
use super::language::{Grant, Rounding, Tariff, integer};
use super::ledger::Ledger;
use super::measure::{Bench, Increment, Quantity, Scopes, Verdict};
use super::money::rounded_to;
use super::select::{Choice, Offer, Pricing, Work, band_at, fits, is_billable};
use super::tables::{Event, Facts};
use super::{Defect, EventResult, Part};

pub struct Biller<'a> {
    world: &'a World<'a>,
    wall: Wall,
    ledger: Ledger,
    scopes: Scopes,
    pub counters: Counters,
}

/// Units that allowances take of one event: allowance, band, month.
type Draws<'a> = BTreeMap<(usize, &'a str, String), i64>;

/// Where the money of the event as a whole goes: a choice and its tier.
#[derive(Clone, Copy)]
struct Home<'a> {
    choice: Choice<'a>,
    tier: u32,
}

impl<'a> Biller<'a> {
    pub fn new(world: &'a World<'a>) -> Self {
        Biller {
            world,
            wall: Wall::default(),
            ledger: Ledger::default(),
            scopes: Scopes::new(),
            counters: Counters::default(),
        }
    }

    /// Events must come in order of start, then id: allowances and tiers are counted in that order.
    pub fn bill_event(&mut self, event: &Event) -> EventResult {
        let mut result = EventResult::empty(&event.id);
        let mut facts = self.world.facts(event);
        let payer = self.world.payer(event, &facts);
        self.world.settle(event, payer, &mut facts);
        let Some(contact) = payer else {
            // Unmatched is only what somebody could be billed for.
            result.disposition = match (event.text("direction"), is_billable(self.world, event, None)) {
                ("internal", _) => "internal",
                (_, Some(false)) => not_billable(event),
                _ => "unmatched contact",
            };
            return result;
        };
        let own = self.world.own_tariff_at(contact, event.start);
        let utc_month = self.world.defect(Defect::MonthInUtc);
        let month_zone = if utc_month { Tz::UTC } else { contact.zone };
        let by_end =
            own.is_some_and(|tariff| tariff.options.period_by == "end") && event.text("channel") == "voice";
        let length = if by_end { event.thousandths.unwrap_or(0) } else { 0 };
        result.contact = contact.id.clone();
        result.month = calendar::month(event.start + Duration::milliseconds(length), month_zone);
        self.ledger.saw(contact, &result.month);

        let mut work = Work::new(self.world, event, &facts, contact, &contact.chain);
        if contact.do_not_bill {
            result.disposition = "do not bill";
            return result;
        }
        let outcome = self
            .first(&mut work)
            .and_then(|first| self.charged(&mut work, first, own, month_zone, &result.month));
        match outcome {
            Err((disposition, reason)) => (result.disposition, result.reason) = (disposition, reason),
            Ok((disposition, parts)) => (result.disposition, result.parts) = (disposition, parts),
        }
        result
    }

    /// The rate at the start of an event that is billed.
    fn first(&mut self, work: &mut Work<'_, 'a>) -> Result<Choice<'a>, Verdict> {
        let event = work.event;
        let first = work.choose(self.world, &mut self.wall, event.start, false);
        if first.is_none() && event.text("direction") == "internal" {
            return Err(("internal", ""));
        }
        let rate = first.map(|choice| work.offers[choice.offer].rate);
        match is_billable(self.world, event, rate) {
            None => Err(("suspended", "unknown-outcome")),
            Some(false) => Err((not_billable(event), "")),
            Some(true) => first.ok_or(("suspended", "no-rate")),
        }
    }

    fn charged(
        &mut self,
        work: &mut Work<'_, 'a>,
        first: Choice<'a>,
        own: Option<&'a Tariff>,
        zone: Tz,
        month: &str,
    ) -> Result<(&'static str, Vec<Part>), Verdict> {
        let split = own.is_some_and(|tariff| tariff.options.period_by == "split");
        let fitting = self.fitting_allowances(work, own);
        let quantity = {
            let Biller { world, wall, ledger, scopes, .. } = self;
            let (event, contact) = (work.event, work.contact);
            // A wall of its own, since the other is lent out.
            let mut in_allowances = || {
                let mut aside = Wall::forgetful();
                let usable = fitting.iter().filter(|(tariff, index)| {
                    let allowance = &tariff.allowances[*index];
                    matches!(allowance.grant, Grant::Units(_, "second"))
                        && band_at(world, &mut aside, &allowance.matching, (tariff, contact), event.start)
                            .is_some()
                });
                usable
                    .map(|(tariff, index)| {
                        ledger.left(world, contact, (tariff, &tariff.allowances[*index]), month)
                    })
                    .sum()
            };
            Bench { world, wall, scopes, month }.quantity(work, first, &mut in_allowances)?
        };
        let supplied = self.cost_of(work, first, month)?;

        let months: Vec<Rc<str>> = match split {
            true => {
                quantity.increments.iter().map(|increment| month_of(work.event, increment, zone)).collect()
            }
            false => vec![Rc::from(month); quantity.increments.len()],
        };
        let mut draws = Draws::new();
        let taken = self.draw(work, (&quantity, first), &months, month, &fitting, &mut draws);
        if wants_unknown_price(&work.offers, &quantity, &taken) {
            return Err(("suspended", "no-timekeeper-price"));
        }
        if let Some((key, sum)) = &quantity.scoped {
            self.scopes.insert(key.clone(), *sum);
        }
        for ((index, _, month), units) in draws.iter() {
            let tariff = fitting[0].0;
            self.ledger.take(self.world, work.contact, (tariff, &tariff.allowances[*index]), month, *units);
        }
        let rounding = &work.offers[first.offer].tariff.rounding;
        let mut groups = Groups::new(self.world, &work.offers, &work.contact.id, supplied);
        let one_by_one = split || rounding.charge == "per-increment";
        fill(
            &mut groups,
            &self.counters,
            &work.offers,
            (&quantity, &taken),
            (&months, month, one_by_one),
            rounding,
        );
        let home = Home { choice: first, tier: groups.tier_of(&self.counters, first, month) };
        groups.close(&mut self.counters);
        let left: i64 =
            quantity.increments.iter().zip(&taken).map(|(increment, taken)| increment.units - taken).sum();
        let adjusted = self.adjust(work, &quantity, (&groups, month), home, left == 0);
        Ok(self.parts(work, own, month, &groups, (adjusted, left == 0), draws))
    }

    /// The carrier's cost or the supplier's charge, marked up.
    fn cost_of(
        &mut self,
        work: &Work<'_, 'a>,
        first: Choice<'a>,
        month: &str,
    ) -> Result<BigRational, Verdict> {
        let no_cost = ("suspended", "no-cost");
        match work.offers[first.offer].pricing {
            Pricing::Cost(times, plus) => Ok(work.event.carrier_cost.as_ref().ok_or(no_cost)? * times + plus),
            Pricing::Supplier(times, plus) => {
                let own = self.world.own_tariff_at(work.contact, work.event.start).ok_or(no_cost)?;
                let name = own.supplier.clone().ok_or(no_cost)?;
                let charge = self.supplier_charge(work, name, month).ok_or(no_cost)?;
                let times = if self.world.defect(Defect::NoMarkUp) { integer(1) } else { times.clone() };
                Ok(charge * times + plus)
            }
            _ => Ok(BigRational::zero()),
        }
    }

    /// What the same event costs in another tariff alone, without allowances and outcomes.
    fn supplier_charge(&mut self, work: &Work<'_, 'a>, name: String, month: &str) -> Option<BigRational> {
        let mut other = Work::new(self.world, work.event, work.facts, work.contact, &[name]);
        let first = other.choose(self.world, &mut self.wall, work.event.start, false)?;
        let (world, wall) = (self.world, &mut self.wall);
        let mut scopes = Scopes::new();
        let quantity = match (Bench { world, wall, scopes: &mut scopes, month }).quantity(
            &mut other,
            first,
            &mut || 0,
        ) {
            Err(("zero-rated", _)) => return Some(BigRational::zero()),
            Err(_) => return None,
            Ok(quantity) => quantity,
        };
        let cost = match other.offers[first.offer].pricing {
            Pricing::Cost(times, plus) => work.event.carrier_cost.as_ref()? * times + plus,
            _ => BigRational::zero(),
        };
        let mut groups = Groups::new(self.world, &other.offers, "", cost);
        let mut counters = Counters::default();
        for increment in &quantity.increments {
            groups.add(&counters, increment, 0, month, &other.offers[first.offer].tariff.rounding);
        }
        groups.close(&mut counters);
        let home = Home { choice: first, tier: 0 };
        let adjusted: BigRational = self
            .adjust(&other, &quantity, (&groups, month), home, false)
            .into_iter()
            .map(|(_, amount)| amount)
            .sum();
        Some(groups.sum() + adjusted)
    }

    /// Allowances of the contact's own tariff that fit the event at some hour.
    fn fitting_allowances(&self, work: &Work, own: Option<&'a Tariff>) -> Vec<(&'a Tariff, usize)> {
        let Some(tariff) = own else { return Vec::new() };
        let fit = |index: &usize| {
            fits(self.world, &tariff.allowances[*index].matching, work.event, work.facts).is_some()
        };
        (0..tariff.allowances.len()).filter(fit).map(|index| (tariff, index)).collect()
    }

    /// Lets allowances take units from the front of each increment, in the order of the file; gives back how many of each.
    fn draw(
        &mut self,
        work: &Work<'_, 'a>,
        (quantity, first): (&Quantity<'a>, Choice<'a>),
        months: &[Rc<str>],
        month: &str,
        fitting: &[(&'a Tariff, usize)],
        draws: &mut Draws<'a>,
    ) -> Vec<i64> {
        let (world, contact, event) = (self.world, work.contact, work.event);
        let units_granted = |index: &usize| matches!(fitting[0].0.allowances[*index].grant, Grant::Units(..));
        if !fitting.iter().any(|(_, index)| units_granted(index)) {
            return vec![0; quantity.increments.len()];
        }
        let options = &work.offers[first.offer].tariff.options;
        let call_start = options.band_by_call_start || world.defect(Defect::BandOfCallStart);
        let mut lefts: BTreeMap<(usize, &str), i64> = BTreeMap::new();
        let mut known: Vec<&str> = months.iter().map(|month| &**month).collect();
        known.dedup();
        for month in known.into_iter().chain([month]) {
            for (tariff, index) in fitting {
                let allowance = &tariff.allowances[*index];
                lefts
                    .entry((*index, month))
                    .or_insert_with(|| self.ledger.left(world, contact, (tariff, allowance), month));
            }
        }
        let measured = quantity.included_seconds;
        let mut take = |wall: &mut Wall, unit: &str, units: i64, month, after: i64| {
            let mut rest = units;
            for (tariff, index) in fitting {
                let allowance = &tariff.allowances[*index];
                if rest == 0 || !matches!(allowance.grant, Grant::Units(_, granted) if granted == unit) {
                    continue;
                }
                let left = lefts.get_mut(&(*index, month)).unwrap();
                let taken = rest.min(*left);
                if taken == 0 {
                    continue;
                }
                let at = event.start + Duration::seconds(after);
                let Some(band) = band_at(world, wall, &allowance.matching, (tariff, contact), at) else {
                    continue;
                };
                *left -= taken;
                rest -= taken;
                *draws.entry((*index, band, month.to_string())).or_insert(0) += taken;
            }
            units - rest
        };
        let mut all = Vec::with_capacity(quantity.increments.len());
        if measured > 0 {
            assert_eq!(take(&mut self.wall, "second", measured, month, 0), measured);
        }
        for (increment, month) in quantity.increments.iter().zip(months.iter().map(|month| &**month)) {
            let offer = &work.offers[increment.choice.offer];
            let before =
                offer.unit == "second" && options.allowance_draws_measured && offer.rate.scope == "call";
            let after = if call_start { 0 } else { increment.after };
            all.push(match before {
                true => 0,
                false => take(&mut self.wall, offer.unit, increment.units, month, after),
            });
        }
        all
    }

    /// Connection fees, event discount, floor, cap, rounding of the charge: amounts and where they belong.
    fn adjust(
        &self,
        work: &Work<'_, 'a>,
        quantity: &Quantity<'a>,
        (groups, month): (&Groups<'_, 'a>, &str),
        home: Home<'a>,
        included: bool,
    ) -> Vec<(Home<'a>, BigRational)> {
        let first = &work.offers[home.choice.offer];
        let options = &first.tariff.options;
        let rate = first.rate;
        let with_fee =
            !included || options.fee_inside_allowance || self.world.defect(Defect::FeeWithinAllowance);
        let mut amounts: Vec<(Home<'a>, BigRational)> = Vec::new();
        let mut total = groups.sum();
        let mut more = |amount: BigRational, total: &mut BigRational, home: Home<'a>| {
            *total += &amount;
            amounts.push((home, amount));
        };
        let cap = |total: &BigRational| match &rate.cap {
            Some(cap) if total > cap => cap - total,
            _ => BigRational::zero(),
        };
        if self.world.defect(Defect::CapBeforeFee) {
            more(cap(&total), &mut total, home);
        }
        if with_fee {
            more(first.connection_fee.clone(), &mut total, home);
            let each = options.fee_on_each_change || self.world.defect(Defect::FeeOnEachChange);
            for entered in if each { further(quantity, work, home.choice) } else { Vec::new() } {
                let fee = work.offers[entered.offer].connection_fee.clone();
                more(
                    fee,
                    &mut total,
                    Home { choice: entered, tier: groups.tier_of(&self.counters, entered, month) },
                );
            }
            if !self.world.defect(Defect::DiscountAfterCap) {
                more(-discount(rate, &total), &mut total, home);
            }
            if let Some(floor) = &rate.floor
                && total < *floor
            {
                more(floor - &total, &mut total, home);
            }
        }
        if !self.world.defect(Defect::CapBeforeFee) {
            more(cap(&total), &mut total, home);
        }
        if with_fee && self.world.defect(Defect::DiscountAfterCap) {
            more(-discount(rate, &total), &mut total, home);
        }
        let rounding = &first.tariff.rounding;
        if rounding.charge == "per-event" && !self.world.defect(Defect::ChargeNotRounded) {
            let rounded = rounded_to(&total, rounding.charge_scale, &rounding.charge_mode);
            more(rounded - &total, &mut total, home);
        }
        amounts
    }

    /// All parts of the event, with what allowances of money pay, and what became of it.
    fn parts(
        &mut self,
        work: &Work<'_, 'a>,
        own: Option<&'a Tariff>,
        month: &str,
        groups: &Groups<'_, 'a>,
        (adjusted, included): (Vec<(Home<'a>, BigRational)>, bool),
        draws: Draws<'a>,
    ) -> (&'static str, Vec<Part>) {
        let mut parts: Vec<Part> = Vec::new();
        for ((index, band, month), units) in draws {
            let tariff = own.unwrap();
            let allowance = &tariff.allowances[index];
            let Grant::Units(_, unit) = allowance.grant else { unreachable!() };
            let part = Part { unit, units, ..Part::new("allowance", tariff, &allowance.name, band, &month) };
            add(&mut parts, part.about(work));
        }
        let total: BigRational =
            groups.sum() + adjusted.iter().map(|(_, amount)| amount).sum::<BigRational>();
        for group in groups.all() {
            let offer = &work.offers[group.choice.offer];
            let part = Part::new("usage", offer.tariff, &offer.rate.name, group.choice.band, &group.month);
            let part = Part {
                unit: offer.unit,
                units: group.units,
                amount: group.amount.clone(),
                tier: group.tier,
                ..part
            };
            add(&mut parts, Part { destination: offer.destination.to_string(), ..part }.about(work));
        }
        for (home, amount) in adjusted {
            let offer = &work.offers[home.choice.offer];
            let part = Part::new("usage", offer.tariff, &offer.rate.name, home.choice.band, month);
            let part = Part { unit: offer.unit, amount, tier: home.tier, ..part };
            add(&mut parts, Part { destination: offer.destination.to_string(), ..part }.about(work));
        }
        let mut paid = BigRational::zero();
        if total.is_positive() {
            for (tariff, index) in self.fitting_allowances(work, own) {
                let allowance = &tariff.allowances[index];
                let at = (tariff, work.contact);
                let band = band_at(self.world, &mut self.wall, &allowance.matching, at, work.event.start);
                let (Some(band), Grant::Money(_)) = (band, &allowance.grant) else { continue };
                let rest = &total - &paid;
                let amount = self.ledger.pay(self.world, work.contact, (tariff, allowance), month, &rest);
                paid += &amount;
                let part = Part::new("allowance", tariff, &allowance.name, band, month);
                add(&mut parts, Part { unit: "event", amount: -amount, ..part }.about(work));
            }
        }
        parts.retain(|part| part.units != 0 || !part.amount.is_zero());
        parts.sort_by(|a, b| a.key().cmp(&b.key()));
        let disposition = match () {
            () if included && total.is_zero() => "in an allowance",
            () if total.is_positive() && total == paid => "in an allowance",
            () if total.is_zero() => "zero-rated",
            () => "billed",
        };
        (disposition, parts)
    }
}

/// Puts what is left of each increment into groups; increments of one price in a row are one multiplication.
fn fill<'a>(
    groups: &mut Groups<'_, 'a>,
    counters: &Counters,
    offers: &[Offer<'a>],
    (quantity, taken): (&Quantity<'a>, &[i64]),
    (months, month, one_by_one): (&[Rc<str>], &str, bool),
    rounding: &Rounding,
) {
    let mut whole: Option<Increment<'a>> = None;
    for (place, (increment, taken)) in quantity.increments.iter().zip(taken).enumerate() {
        let by_position = matches!(offers[increment.choice.offer].pricing, Pricing::Steps(_));
        let simple = !by_position && increment.seconds.is_empty() && !one_by_one;
        let left = increment.units - taken;
        match &mut whole {
            Some(open) if simple && open.choice == increment.choice => open.units += left,
            _ => {
                if let Some(open) = whole.take() {
                    groups.add(counters, &open, 0, month, rounding);
                }
                match simple {
                    true => whole = Some(Increment { units: left, seconds: Vec::new(), ..*increment }),
                    false => groups.add(counters, increment, *taken, &months[place], rounding),
                }
            }
        }
    }
    if let Some(open) = whole {
        groups.add(counters, &open, 0, month, rounding);
    }
}

/// Whether something is left to pay whose price is that of an unknown timekeeper.
fn wants_unknown_price(offers: &[Offer], quantity: &Quantity, taken: &[i64]) -> bool {
    quantity.increments.iter().zip(taken).any(|(increment, taken)| {
        let pricing = &offers[increment.choice.offer].pricing;
        increment.units > *taken && matches!(pricing, Pricing::NoTimekeeper)
    })
}

/// The month of an increment's own start.
fn month_of(event: &Event, increment: &Increment, zone: Tz) -> Rc<str> {
    Rc::from(calendar::month(event.start + Duration::seconds(increment.after), zone))
}

fn not_billable(event: &Event) -> &'static str {
    if event.text("outcome") == "queued" { "awaiting its outcome" } else { "outcome not billable" }
}

/// Off price and connection fees; a fixed amount leaves at least nothing.
fn discount(rate: &super::language::Rate, total: &BigRational) -> BigRational {
    use super::language::Off;
    match &rate.discount {
        None => BigRational::zero(),
        Some(Off::Share(share)) => total * share,
        Some(Off::Amount(amount)) => amount.clone().min(total.clone()),
    }
}

/// The other rates that the call comes to, each once, in their order.
fn further<'a>(quantity: &Quantity<'a>, work: &Work<'_, 'a>, first: Choice<'a>) -> Vec<Choice<'a>> {
    let mut entered = vec![first];
    for increment in &quantity.increments {
        for choice in [increment.choice].iter().chain(&increment.seconds) {
            let known =
                |other: &Choice| std::ptr::eq(work.offers[other.offer].rate, work.offers[choice.offer].rate);
            if entered.last() != Some(choice) && !entered.iter().any(known) {
                entered.push(*choice);
            }
        }
    }
    entered.split_off(1)
}

impl Part {
    fn new(kind: &'static str, tariff: &Tariff, clause: &str, band: &str, month: &str) -> Part {
        Part {
            kind,
            month: month.to_string(),
            tariff: tariff.name.clone(),
            tariff_version: tariff.version.clone(),
            clause: clause.to_string(),
            band: band.to_string(),
            matter: String::new(),
            timekeeper: String::new(),
            tier: 0,
            destination: String::new(),
            unit: "",
            units: 0,
            amount: BigRational::zero(),
        }
    }

    fn about(self, work: &Work) -> Part {
        let text = |name: &str| Facts::text(work.facts, work.event, name).to_string();
        Part { matter: text("matter"), timekeeper: text("timekeeper"), ..self }
    }
}

/// Adds a part to the part of the same key, if there is one.
fn add(parts: &mut Vec<Part>, part: Part) {
    match parts.iter_mut().find(|other| other.key() == part.key()) {
        Some(other) => {
            other.units += part.units;
            other.amount += part.amount;
        }
        None => parts.push(part),
    }
}
