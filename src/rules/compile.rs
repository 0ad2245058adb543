//! Checked rules and contacts → tables the pricing code can walk without searching: clauses with integer numerators
//! over one common denominator, destinations by prefix, claims by value, bands as timelines, periods by zone.
//!
//! One denominator for the whole rule set (the least common multiple of all rates') makes every charge an integer and
//! lets charges of different clauses be compared and added directly. Prices have at most ten decimals, so a numerator
//! of a billion units stays far inside 128 bits; products are checked all the same.

mod clause;
mod denominator;
mod destination;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::domain::charge::Unit;
use crate::domain::contact::{Claim, Contact, ContactList};
use crate::domain::event::BillableEvent;
use crate::domain::money::power_of_ten;
use crate::domain::outcome::{Channel, Direction, Outcome, OutcomeTable};
use crate::domain::time::{Month, Period, Span};
use crate::domain::{Country, Currency, Exact, Exit, Failure, Hash, Instant, Result, Zone};

use super::bands::{BANDS_MAX, Timeline};
use super::identity::IdentityIndex;
use super::options::Proration;
use super::ruleset::{Condition, Match, Per, Place, Rate, RuleSet, TariffVersion};

pub use clause::{Clause, ClausePricing, ClauseReduction, ClauseTier};
pub use denominator::numerator;
use destination::DestinationTable;

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
    /// Index of the tariff that gives the cost of the same events.
    pub supplier: Option<usize>,
}

/// What is needed of a contact to bill it.
#[derive(Clone, Debug)]
pub struct PayerTerms {
    pub contact: Contact,
    /// Index of the contact's own tariff, then of its account's and the default tariff where they may be fallen back to.
    pub tariffs: Vec<usize>,
    /// Index of the pool whose allowances it shares.
    pub pool: Option<usize>,
    pub currency: Currency,
    /// Zone of the billing period: the contact's, else the tariff's.
    pub zone: Zone,
    /// Index of the zone's timeline and months.
    pub zone_index: usize,
}

/// What units of an allowance are counted under; versions of a tariff go on counting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowanceCounter {
    pub tariff: String,
    pub allowance: String,
    pub shared: bool,
}

/// Contacts that share the allowances of one tariff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    pub name: String,
    pub tariff: usize,
    /// Indices of payers.
    pub members: Vec<u32>,
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
    /// Conditions that are evaluated over columns before rating; the pricing code sees a bit of each.
    pub conditions: Vec<Condition>,
    /// Common denominator of all numerators, in major units of each tariff's currency.
    pub denominator: i128,
    /// The allowance counters.
    pub counters: Vec<AllowanceCounter>,
    /// Names of the counters of tiers, packages and rounding scopes: tariff and rate.
    pub rate_counters: Vec<(String, String)>,
    /// Names of the timekeepers that have one, by id.
    pub timekeeper_names: BTreeMap<String, String>,
    /// Names of the pools, each with its tariff, and their members.
    pub pools: Vec<Pool>,
    /// Whether any allowance rolls over.
    pub has_rollover: bool,
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
            conditions: rules.conditions.clone(),
            denominator: denominator::common(rules)?,
            counters: Vec::new(),
            rate_counters: Vec::new(),
            timekeeper_names: rules
                .timekeepers
                .iter()
                .filter(|person| !person.name.is_empty())
                .map(|person| (person.id.clone(), person.name.clone()))
                .collect(),
            pools: Vec::new(),
            has_rollover: rules
                .tariffs
                .iter()
                .flat_map(|tariff| &tariff.allowances)
                .any(|allowance| allowance.rollover.is_some()),
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
        compiled.add_suppliers();
        compiled.add_payers(rules, contacts, span);
        Ok(compiled)
    }

    /// Numbers the matters and timekeepers that codings of these events name; before anything is rated.
    pub fn learn(mut self, events: &[BillableEvent]) -> CompiledRules {
        self.identity.learn(events);
        self
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

    /// The first instant of a month in a zone.
    pub fn month_start(&self, zone_index: usize, month: u32) -> Instant {
        self.months[zone_index].get(month as usize).copied().unwrap_or(Span::ALWAYS.to)
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
        table.best(to, |clauses| {
            clauses.iter().copied().find(|clause| accept(&self.clauses[*clause as usize]))
        })
    }

    /// The terms of a payer.
    pub fn terms(&self, payer: u32) -> &PayerTerms {
        &self.payers[payer as usize]
    }

    /// What an allowance of a version grants a payer (its pool, when it is shared) in a month: units, or a numerator for
    /// money.
    pub fn granted(&self, payer: u32, month: u32, version: usize, position: usize) -> i128 {
        let terms = self.terms(payer);
        let allowance = &self.versions[version].tariff.allowances[position];
        let pool = terms.pool.filter(|_| allowance.shared);
        let members: &[u32] = pool.map_or(std::slice::from_ref(&payer), |pool| &self.pools[pool].members);
        let whole = match allowance.amount {
            None => i128::from(allowance.grants),
            Some(amount) => self.whole(amount),
        };
        if allowance.per.is_none() && !allowance.prorate {
            return whole;
        }
        let period = self.month(month).period(terms.zone).span;
        let count = |per: Option<Per>| -> i128 {
            let Some(per) = per else { return 1 };
            members.iter().map(|member| self.counted(*member, per, period)).sum()
        };
        let granted = whole * count(allowance.per);
        if !allowance.prorate {
            return granted;
        }
        let (in_force, days) = self.days_in_force(payer, version, period, terms.zone);
        match allowance.amount {
            None => granted * in_force / days,
            Some(_) => {
                let minor = self.denominator / power_of_ten(terms.currency.exponent());
                granted * in_force / days / minor * minor
            }
        }
    }

    /// A monetary amount of the rules as a numerator.
    fn whole(&self, amount: Decimal) -> i128 {
        numerator(amount, 1, self.denominator)
            .expect("amounts of allowances are parts of the common denominator")
    }

    /// The most that an allowance carries into the next month; `None` is all.
    pub fn rollover_limit(&self, version: usize, position: usize) -> Option<i128> {
        let allowance = &self.versions[version].tariff.allowances[position];
        let limit = allowance.rollover?.limit?;
        Some(match allowance.unit {
            Unit::Amount => self.whole(limit),
            _ => limit.trunc().mantissa(),
        })
    }

    /// Days of a period on which the payer is valid and the tariff version in force, and all its days.
    fn days_in_force(&self, payer: u32, version: usize, period: Span, zone: Zone) -> (i128, i128) {
        let valid = self.terms(payer).contact.valid;
        let compiled = &self.versions[version];
        let next = self.versions.get(version + 1).filter(|next| next.tariff.name == compiled.tariff.name);
        let day = |instant: Instant| zone.local(instant).date();
        let (mut from, mut to) = (day(period.from.max(valid.from)), day(period.to.min(valid.to)));
        if valid.to < period.to && compiled.tariff.options.proration == Proration::BothInclusive {
            to = to.succ_opt().unwrap_or(to);
        }
        from = compiled.tariff.valid_from.map_or(from, |date| date.max(from));
        to = next.and_then(|next| next.tariff.valid_from).map_or(to, |date| date.min(to));
        let days = |from: NaiveDate, to: NaiveDate| i128::from((to - from).num_days().max(0));
        (days(from, to), days(day(period.from), day(period.to)))
    }

    /// How many contacts, extensions or numbers of a payer are active in a span.
    fn counted(&self, payer: u32, per: Per, span: Span) -> i128 {
        fn distinct<T: Ord + Copy>(claims: &[Claim<T>], span: &Span) -> i128 {
            let lives = |claim: &&Claim<T>| claim.span.from < claim.span.to && claim.span.overlaps(span);
            let held = claims.iter().filter(lives).map(|claim| claim.value);
            held.collect::<BTreeSet<T>>().len() as i128
        }
        let contact = &self.terms(payer).contact;
        match per {
            Per::Contact => i128::from(contact.valid.overlaps(&span)),
            Per::Extension => distinct(&contact.extensions, &span),
            Per::Number => distinct(&contact.numbers, &span),
        }
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
                .map(|allowance| self.counter(&tariff.name, &allowance.name, allowance.shared))
                .collect();
            let tables = vec![DestinationTable::default(); Channel::ALL.len() * Direction::ALL.len()];
            let rates: Vec<Arc<Rate>> = tariff.rates.iter().cloned().map(Arc::new).collect();
            self.versions.push(CompiledVersion {
                tariff: tariff.clone(),
                in_force,
                zone,
                tables,
                counters,
                supplier: None,
            });
            for (position, rate) in rates.iter().enumerate() {
                if rate.matches.bands.is_empty() {
                    self.add_clauses(rules, index, position, rate, None)?;
                }
                for band in &rate.matches.bands {
                    self.add_clauses(rules, index, position, rate, Some(*band))?;
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

    fn counter(&mut self, tariff: &str, allowance: &str, shared: bool) -> usize {
        let known = |counter: &AllowanceCounter| counter.tariff == tariff && counter.allowance == allowance;
        self.counters.iter().position(known).unwrap_or_else(|| {
            let counter =
                AllowanceCounter { tariff: tariff.to_owned(), allowance: allowance.to_owned(), shared };
            self.counters.push(counter);
            self.counters.len() - 1
        })
    }

    /// Enters a clause into the tables of the channels and directions it applies to: for the prefixes of a deck, else
    /// for the places its rate names.
    fn enter(&mut self, clause: Clause, prefixes: Option<&[&str]>) {
        let index = small(self.clauses.len());
        let clause = Clause { line: if clause.line == u32::MAX { index } else { clause.line }, ..clause };
        let matches = &clause.rate.matches;
        for channel in Channel::ALL {
            for direction in Direction::ALL.iter().filter(|direction| applies(matches, *channel, **direction))
            {
                let table = &mut self.versions[clause.version].tables[table_index(*channel, *direction)];
                match prefixes {
                    Some(prefixes) => table.add_prefixes(prefixes, index),
                    None => table.add(&matches.to, index),
                }
            }
        }
        self.clauses.push(clause);
    }

    fn add_payers(&mut self, rules: &RuleSet, contacts: &ContactList, span: Span) {
        let tariff_index = |tariffs: &[(String, Vec<usize>)], name: &str| {
            tariffs.iter().position(|(known, _)| known == name)
        };
        let accounts: HashMap<&str, &Contact> =
            contacts.contacts.iter().map(|contact| (contact.id.as_str(), contact)).collect();
        let default = rules.default_tariff.as_deref().and_then(|name| tariff_index(&self.tariffs, name));
        for (index, contact) in contacts.contacts.iter().enumerate() {
            let payer = u32::try_from(index).expect("a contact list has fewer than four billion rows");
            let account = contact.account.as_deref().and_then(|id| accounts.get(id));
            let named = [contact.tariff.as_deref(), account.and_then(|account| account.tariff.as_deref())];
            let mut tariffs: Vec<usize> =
                named.into_iter().flatten().filter_map(|name| tariff_index(&self.tariffs, name)).collect();
            tariffs.extend(default);
            let mut seen = BTreeSet::new();
            tariffs.retain(|tariff| seen.insert(*tariff));
            let terms = self.terms_of(rules, contact, tariffs, span);
            self.payers.push(terms);
            self.identity.add(contact, payer);
        }
        self.identity.order = rules.identity_order.clone();
        self.identity.finish();
    }

    fn terms_of(
        &mut self,
        rules: &RuleSet,
        contact: &Contact,
        mut tariffs: Vec<usize>,
        span: Span,
    ) -> PayerTerms {
        let first = self.tariffs[tariffs[0]].1[0];
        let (currency, tariff_zone) = (rules.tariffs[first].currency, rules.tariffs[first].zone);
        // Falling back to a tariff in another currency would mix currencies on one document.
        tariffs.retain(|tariff| self.versions[self.tariffs[*tariff].1[0]].tariff.currency == currency);
        let zone = contact.zone.unwrap_or(tariff_zone);
        let zone_index = self.zone_index(rules, zone, span);
        let pool = contact.pool.as_deref().map(|name| self.pool(name, tariffs[0]));
        PayerTerms { contact: contact.clone(), tariffs, pool, currency, zone, zone_index }
    }

    /// The pool of a name and tariff; the next payer is its member.
    fn pool(&mut self, name: &str, tariff: usize) -> usize {
        let known = |pool: &Pool| pool.name == name && pool.tariff == tariff;
        let index = self.pools.iter().position(known).unwrap_or_else(|| {
            self.pools.push(Pool { name: name.to_owned(), tariff, members: Vec::new() });
            self.pools.len() - 1
        });
        self.pools[index].members.push(small(self.payers.len()));
        index
    }

    /// Tells each version which tariff gives its cost.
    fn add_suppliers(&mut self) {
        for index in 0..self.versions.len() {
            let name = self.versions[index].tariff.supplier.clone();
            self.versions[index].supplier =
                name.and_then(|name| self.tariffs.iter().position(|(known, _)| *known == name));
        }
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

fn small(number: usize) -> u32 {
    u32::try_from(number).expect("clauses and payers are counted in 32 bits")
}
