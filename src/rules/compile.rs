//! Checked rules and contacts → tables the pricing code can walk without searching: clauses with integer numerators
//! over one common denominator, destinations by prefix, claims by value, bands as timelines, periods by zone.
//!
//! One denominator for the whole rule set (the least common multiple of all rates') makes every charge an integer and
//! lets charges of different clauses be compared and added directly. Prices have at most ten decimals, so a numerator
//! of a billion units stays far inside 128 bits; products are checked all the same.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;

use crate::domain::contact::{Contact, ContactList};
use crate::domain::event::BillableEvent;
use crate::domain::money::{lcm, power_of_ten};
use crate::domain::outcome::{Channel, Direction, Outcome, OutcomeTable};
use crate::domain::time::{Month, Period, Span};
use crate::domain::{Country, Currency, Exact, Exit, Failure, Hash, Instant, Result, Zone};

use super::bands::{BANDS_MAX, Timeline};
use super::identity::{IdentityIndex, prefix_key};
use super::ruleset::{Match, Place, Rate, RuleSet, TariffVersion};

/// One rate of one tariff version, with amounts as numerators over [`CompiledRules::denominator`].
#[derive(Clone, Debug)]
pub struct Clause {
    /// Index of its tariff version.
    pub version: usize,
    /// Position in the file.
    pub position: usize,
    pub rate: Rate,
    /// Numerator of one billed unit.
    pub unit_numerator: i128,
    pub connection_fee: i128,
    pub charge_floor: Option<i128>,
    pub charge_cap: Option<i128>,
    /// Its band; a rate that names several is one clause for each. `None` holds at any time.
    pub band: Option<usize>,
    /// Bits of the outcomes its `bill_when` names, or `None` for the outcome table.
    pub bill_when: Option<u16>,
}

/// One tariff version with its rates sorted for matching.
#[derive(Clone, Debug)]
pub struct CompiledVersion {
    pub tariff: TariffVersion,
    pub in_force: Span,
    /// Index of its zone's timeline.
    pub zone: usize,
    /// Rates by channel and direction.
    tables: Vec<DestinationTable>,
    /// Index of each allowance's counter.
    pub counters: Vec<usize>,
}

/// Rates of one channel and direction, by destination.
#[derive(Clone, Debug, Default)]
struct DestinationTable {
    /// Lengths of prefixes that occur, longest first.
    lengths: Vec<u32>,
    prefixes: HashMap<(u32, u64), Vec<u32>>,
    /// Countries with the length of their calling code.
    countries: HashMap<Country, (u32, Vec<u32>)>,
    anywhere: Vec<u32>,
}

/// What is needed of a contact to bill it.
#[derive(Clone, Debug)]
pub struct PayerTerms {
    pub contact: Contact,
    /// Index of the contact's own tariff, then of the default tariff where it may be fallen back to.
    pub tariffs: Vec<usize>,
    pub currency: Currency,
    /// Zone of the billing period: the contact's, else the tariff's.
    pub zone: Zone,
    /// Index of the zone's timeline and months.
    pub zone_index: usize,
}

/// Everything the stages need, made once for a span of time.
pub struct CompiledRules {
    /// Hash over the rule files and the contact list.
    pub hash: Hash,
    pub clauses: Vec<Clause>,
    pub versions: Vec<CompiledVersion>,
    /// Versions of each tariff by name, oldest first.
    pub tariffs: Vec<(String, Vec<usize>)>,
    pub payers: Vec<PayerTerms>,
    pub identity: IdentityIndex,
    pub outcomes: OutcomeTable,
    /// Common denominator of all numerators, in major units of each tariff's currency.
    pub denominator: i128,
    /// Names of the allowance counters: tariff and allowance.
    pub counters: Vec<(String, String)>,
    pub bands: Vec<String>,
    /// Bits of the bands that are evaluated in the contact's zone.
    pub contact_zone_bands: u64,
    /// Bits of the bands that any allowance depends on.
    pub allowance_bands: u64,
    pub zones: Vec<Zone>,
    pub timelines: Vec<Timeline>,
    /// First instants of the months of each zone, sorted, with one past the last.
    months: Vec<Vec<Instant>>,
    first_month: Month,
    /// The only month that is billed, when one is.
    pub only_month: Option<u32>,
    /// Index of the company's zone, in which usage without a payer falls into months.
    pub home_zone: usize,
}

impl CompiledRules {
    /// Compiles rules and contacts for events that start and end inside `span`.
    ///
    /// # Errors
    /// A denominator beyond 128 bits or more than 64 bands (exit 3).
    pub fn new(rules: &RuleSet, contacts: &ContactList, home: Zone, span: Span) -> Result<CompiledRules> {
        if rules.bands.len() > BANDS_MAX {
            return Err(Failure::new(Exit::Mistakes, format!("more than {BANDS_MAX} bands are defined")));
        }
        let mut compiled = CompiledRules {
            hash: Hash::of_parts([&rules.hash.0[..], &contacts.hash.0[..]]),
            clauses: Vec::new(),
            versions: Vec::new(),
            tariffs: Vec::new(),
            payers: Vec::new(),
            identity: IdentityIndex::default(),
            outcomes: rules.outcomes.clone(),
            denominator: common_denominator(rules)?,
            counters: Vec::new(),
            bands: rules.bands.iter().map(|band| band.name.clone()).collect(),
            contact_zone_bands: 0,
            allowance_bands: 0,
            zones: Vec::new(),
            timelines: Vec::new(),
            months: Vec::new(),
            first_month: Month::of(Zone::UTC.local(span.from).date() - chrono::Months::new(1)),
            only_month: None,
            home_zone: 0,
        };
        compiled.home_zone = compiled.zone_index(rules, home, span);
        compiled.identity.add_timekeepers(&rules.timekeepers, home);
        for (index, band) in rules.bands.iter().enumerate() {
            compiled.contact_zone_bands |= u64::from(band.in_contact_zone) << index;
        }
        let allowances = rules.tariffs.iter().flat_map(|tariff| &tariff.allowances);
        for band in allowances.flat_map(|allowance| &allowance.applies_to.bands) {
            compiled.allowance_bands |= 1 << band;
        }
        compiled.add_versions(rules, span)?;
        compiled.add_payers(rules, contacts, span);
        Ok(compiled)
    }

    /// Bills only one month; events of other months get the disposition "other period".
    pub fn only(mut self, month: Month) -> CompiledRules {
        let mut index = 0;
        let mut candidate = self.first_month;
        while candidate < month {
            candidate = candidate.next();
            index += 1;
        }
        self.only_month = Some(if candidate == month { index } else { u32::MAX });
        self
    }

    /// How many months the compiled span has.
    pub fn month_count(&self) -> u32 {
        let longest = self.months.iter().map(Vec::len).max().unwrap_or(1);
        u32::try_from(longest).expect("a span of time has few months")
    }

    /// The index of the month an instant falls in, in a zone.
    pub fn month_of(&self, zone_index: usize, instant: Instant) -> u32 {
        let starts = &self.months[zone_index];
        let after = starts.partition_point(|start| *start <= instant);
        u32::try_from(after.saturating_sub(1)).expect("a span of time has few months")
    }

    /// The month of an index.
    pub fn month(&self, index: u32) -> Month {
        (0..index).fold(self.first_month, |month, _| month.next())
    }

    /// The billing period of a payer and a month.
    pub fn period(&self, payer: u32, month: u32) -> Period {
        self.month(month).period(self.payers[payer as usize].zone)
    }

    /// An amount of a clause in major units.
    pub fn exact(&self, numerator: i128) -> Exact {
        Exact::new(numerator, self.denominator)
    }

    /// The version of a tariff in force at an instant.
    pub fn version_at(&self, tariff: usize, instant: Instant) -> Option<usize> {
        let versions = &self.tariffs[tariff].1;
        versions.iter().rev().copied().find(|version| self.versions[*version].in_force.contains(instant))
    }

    /// The bands active at an instant for a tariff zone and a contact zone, and when that changes next.
    pub fn bands_at(&self, tariff_zone: usize, contact_zone: usize, instant: Instant) -> (u64, Instant) {
        let (own, own_next) = self.timelines[tariff_zone].at(instant);
        if self.contact_zone_bands == 0 {
            return (own, own_next);
        }
        let (contact, contact_next) = self.timelines[contact_zone].at(instant);
        let active = (own & !self.contact_zone_bands) | (contact & self.contact_zone_bands);
        (active, own_next.min(contact_next))
    }

    /// Visits the clauses of a version that match a channel, direction and destination, best first: longest
    /// destination, a country just behind its calling code, then the order of the file. Stops at the first for which
    /// `accept` says yes.
    pub fn best_clause(
        &self,
        version: usize,
        channel: Channel,
        direction: Direction,
        to: (Option<u64>, Option<Country>),
        mut accept: impl FnMut(&Clause) -> bool,
    ) -> Option<u32> {
        let table = &self.versions[version].tables[table_index(channel, direction)];
        let mut pick =
            |clauses: &[u32]| clauses.iter().copied().find(|clause| accept(&self.clauses[*clause as usize]));
        let country = to.1.and_then(|country| table.countries.get(&country));
        let mut country_due = country;
        if let Some(digits) = to.0 {
            let digits_length = digits.checked_ilog10().map_or(1, |log| log + 1);
            for length in table.lengths.iter().copied() {
                if let Some((_, clauses)) = country_due.filter(|(code_length, _)| *code_length >= length) {
                    if let Some(found) = pick(clauses) {
                        return Some(found);
                    }
                    country_due = None;
                }
                if length > digits_length {
                    continue;
                }
                let head = digits / 10_u64.pow(digits_length - length);
                if let Some(found) = table.prefixes.get(&(length, head)).and_then(|clauses| pick(clauses)) {
                    return Some(found);
                }
            }
        }
        if let Some(found) = country_due.and_then(|(_, clauses)| pick(clauses)) {
            return Some(found);
        }
        pick(&table.anywhere)
    }

    fn zone_index(&mut self, rules: &RuleSet, zone: Zone, span: Span) -> usize {
        if let Some(index) = self.zones.iter().position(|known| *known == zone) {
            return index;
        }
        self.zones.push(zone);
        self.timelines.push(Timeline::new(&rules.bands, zone, span));
        let mut starts = Vec::new();
        let mut month = self.first_month;
        loop {
            starts.push(zone.midnight(month.first_day()));
            if starts.last().is_some_and(|start| *start > span.to) {
                break;
            }
            month = month.next();
        }
        self.months.push(starts);
        self.zones.len() - 1
    }

    fn add_versions(&mut self, rules: &RuleSet, span: Span) -> Result<()> {
        for (index, tariff) in rules.tariffs.iter().enumerate() {
            let next = rules.tariffs.get(index + 1).filter(|next| next.name == tariff.name);
            let date = |version: &TariffVersion| version.valid_from.map(|date| version.zone.midnight(date));
            let in_force = Span {
                from: date(tariff).unwrap_or(Span::ALWAYS.from),
                to: next.and_then(date).unwrap_or(Span::ALWAYS.to),
            };
            let zone = self.zone_index(rules, tariff.zone, span);
            let counters = tariff
                .allowances
                .iter()
                .map(|allowance| self.counter(&tariff.name, &allowance.name))
                .collect();
            let tables = vec![DestinationTable::default(); Channel::ALL.len() * Direction::ALL.len()];
            self.versions.push(CompiledVersion { tariff: tariff.clone(), in_force, zone, tables, counters });
            for (position, rate) in tariff.rates.iter().enumerate() {
                if rate.matches.bands.is_empty() {
                    self.add_clause(index, position, rate, None)?;
                }
                for band in &rate.matches.bands {
                    self.add_clause(index, position, rate, Some(*band))?;
                }
            }
            for table in &mut self.versions[index].tables {
                table.finish();
            }
            match self.tariffs.last_mut().filter(|(name, _)| *name == tariff.name) {
                Some((_, versions)) => versions.push(index),
                None => self.tariffs.push((tariff.name.clone(), vec![index])),
            }
        }
        Ok(())
    }

    fn counter(&mut self, tariff: &str, allowance: &str) -> usize {
        let name = (tariff.to_owned(), allowance.to_owned());
        self.counters.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.counters.push(name);
            self.counters.len() - 1
        })
    }

    fn add_clause(
        &mut self,
        version: usize,
        position: usize,
        rate: &Rate,
        band: Option<usize>,
    ) -> Result<()> {
        let index = u32::try_from(self.clauses.len()).expect("a rule set has few clauses");
        let denominator = self.denominator;
        let whole = |amount: Decimal| numerator(amount, 1, denominator);
        let clause = Clause {
            version,
            position,
            rate: rate.clone(),
            unit_numerator: numerator(rate.price.amount, rate.price.per_units, denominator)?,
            connection_fee: rate.connection_fee.map(whole).transpose()?.unwrap_or(0),
            charge_floor: rate.charge_floor.map(whole).transpose()?,
            charge_cap: rate.charge_cap.map(whole).transpose()?,
            band,
            bill_when: rate
                .bill_when
                .as_ref()
                .map(|outcomes| outcomes.iter().fold(0, |bits, outcome| bits | outcome_bit(*outcome))),
        };
        for channel in Channel::ALL {
            for direction in Direction::ALL {
                if applies(&rate.matches, *channel, *direction) {
                    self.versions[version].tables[table_index(*channel, *direction)]
                        .add(&rate.matches.to, index);
                }
            }
        }
        self.clauses.push(clause);
        Ok(())
    }

    fn add_payers(&mut self, rules: &RuleSet, contacts: &ContactList, span: Span) {
        let tariff_index = |tariffs: &[(String, Vec<usize>)], name: &str| {
            tariffs.iter().position(|(known, _)| known == name)
        };
        for (index, contact) in contacts.contacts.iter().enumerate() {
            let payer = u32::try_from(index).expect("a contact list has fewer than four billion rows");
            let own = contact.tariff.as_deref().and_then(|name| tariff_index(&self.tariffs, name));
            let default = rules.default_tariff.as_deref().and_then(|name| tariff_index(&self.tariffs, name));
            let mut tariffs: Vec<usize> =
                own.into_iter().chain(default.filter(|default| Some(*default) != own)).collect();
            let first = self.tariffs[tariffs[0]].1[0];
            let (currency, tariff_zone) = (rules.tariffs[first].currency, rules.tariffs[first].zone);
            // Falling back to a tariff in another currency would mix currencies on one document.
            tariffs.retain(|tariff| self.versions[self.tariffs[*tariff].1[0]].tariff.currency == currency);
            let zone = contact.zone.unwrap_or(tariff_zone);
            let zone_index = self.zone_index(rules, zone, span);
            self.payers.push(PayerTerms { contact: contact.clone(), tariffs, currency, zone, zone_index });
            self.identity.add(contact, payer);
        }
        self.identity.order = rules.identity_order.clone();
        self.identity.finish();
    }

    /// Numbers the matters and timekeepers that codings of these events name; before anything is rated.
    pub fn learn(mut self, events: &[BillableEvent]) -> CompiledRules {
        self.identity.learn(events);
        self
    }
}

impl Clause {
    /// Whether its band is among the active ones.
    pub fn holds(&self, active: u64) -> bool {
        self.band.is_none_or(|band| active & (1 << band) != 0)
    }
}

impl DestinationTable {
    fn add(&mut self, places: &[Place], clause: u32) {
        if places.is_empty() {
            self.anywhere.push(clause);
        }
        for place in places {
            let clauses = match place {
                Place::Prefix(digits) => self.prefixes.entry(prefix_key(digits)).or_default(),
                Place::Country(country) => {
                    let code = country.calling_code().unwrap_or(0);
                    let length = u32::from(code).checked_ilog10().map_or(0, |log| log + 1);
                    &mut self.countries.entry(*country).or_insert((length, Vec::new())).1
                }
            };
            if !clauses.contains(&clause) {
                clauses.push(clause);
            }
        }
    }

    fn finish(&mut self) {
        let mut lengths: Vec<u32> = self.prefixes.keys().map(|(length, _)| *length).collect();
        lengths.sort_unstable_by(|left, right| right.cmp(left));
        lengths.dedup();
        self.lengths = lengths;
    }
}

/// A bit for each outcome.
pub fn outcome_bit(outcome: Outcome) -> u16 {
    1 << Outcome::ALL.iter().position(|known| *known == outcome).expect("every outcome is listed")
}

/// Whether an origin condition holds: no list, or one of its places is where the number is.
pub fn is_from(places: &[Place], number: Option<u64>, country: Option<Country>) -> bool {
    places.is_empty()
        || places.iter().any(|place| match place {
            Place::Country(wanted) => country == Some(*wanted),
            Place::Prefix(prefix) => {
                number.is_some_and(|digits| digits.to_string().starts_with(prefix.as_str()))
            }
        })
}

/// Whether conditions on channel and direction hold.
pub fn applies(matches: &Match, channel: Channel, direction: Direction) -> bool {
    (matches.channels.is_empty() || matches.channels.contains(&channel))
        && (matches.directions.is_empty() || matches.directions.contains(&direction))
}

fn table_index(channel: Channel, direction: Direction) -> usize {
    channel as usize * Direction::ALL.len() + direction as usize
}

fn common_denominator(rules: &RuleSet) -> Result<i128> {
    let mut denominators: BTreeMap<i128, ()> = BTreeMap::new();
    for rate in rules.tariffs.iter().flat_map(|tariff| &tariff.rates) {
        let amounts = [Some(rate.price.amount), rate.connection_fee, rate.charge_floor, rate.charge_cap];
        for amount in amounts.into_iter().flatten() {
            denominators.insert(power_of_ten(amount.scale()), ());
        }
        denominators.insert(power_of_ten(rate.price.amount.scale()) * i128::from(rate.price.per_units), ());
    }
    for fee in rules.tariffs.iter().flat_map(|tariff| &tariff.fees) {
        denominators.insert(power_of_ten(fee.amount.scale()), ());
    }
    let too_large =
        || Failure::new(Exit::Mistakes, "the prices of the rule set have no common denominator in 128 bits");
    denominators.keys().try_fold(1, |common, denominator| lcm(common, *denominator)).ok_or_else(too_large)
}

/// `amount / per_units` as a numerator over `denominator`, which is a multiple of its own.
pub fn numerator(amount: Decimal, per_units: i64, denominator: i128) -> Result<i128> {
    let own = power_of_ten(amount.scale()) * i128::from(per_units);
    assert_eq!(denominator % own, 0, "the common denominator misses that of {amount} per {per_units}");
    let too_large = || Failure::new(Exit::Mistakes, format!("the price {amount} leaves 128 bits"));
    amount.mantissa().checked_mul(denominator / own).ok_or_else(too_large)
}
