//! Rates → clauses: one for each band, destination of a deck and timekeeper's price that a rate may stand for, with all
//! amounts as integers over the common denominator.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::domain::charge::Unit;
use crate::domain::time::Span;
use crate::domain::{Result, Zone};
use crate::rules::ruleset::{
    CostBase, CostPrice, Deck, DeckRow, Increment, PriceStep, Pricing, Rate, Reduction, RuleSet, Scope, Tier,
    TierMode,
};

use super::denominator::{numerator, share};
use super::{CompiledRules, outcome_bit};

/// One rate of one tariff version under one band, destination and timekeeper, with amounts as numerators over
/// [`CompiledRules::denominator`].
#[derive(Clone, Debug)]
pub struct Clause {
    /// Index of its tariff version.
    pub version: usize,
    /// Position in the file.
    pub position: usize,
    pub rate: Arc<Rate>,
    pub pricing: ClausePricing,
    pub unit: Unit,
    /// The price as written.
    pub price_text: Arc<str>,
    pub increment: Increment,
    pub connection_fee: i128,
    pub discount: Option<ClauseReduction>,
    pub charge_floor: Option<i128>,
    pub charge_cap: Option<i128>,
    /// Its band; a rate that names several is one clause for each. `None` holds at any time.
    pub band: Option<usize>,
    /// Bits of the outcomes its `bill_when` names, or `None` for the outcome table.
    pub bill_when: Option<u16>,
    /// When the row of a deck is valid; always for other rates. Decided at the start of the event.
    pub in_force: Span,
    /// Destination of a deck's row, else empty.
    pub destination: Arc<str>,
    /// The timekeeper whose price it is, from 1; 0 for anybody.
    pub timekeeper: u32,
    /// Counter of its tiers, packages or rounding scope.
    pub counter: Option<usize>,
    /// The clause under whose line it stands: its own index, or that of the first row of a deck with its destination.
    pub line: u32,
    /// The prices of that line as written.
    pub line_text: Arc<str>,
}

/// How a clause comes to its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClausePricing {
    /// Numerator of one billed unit.
    Unit(i128),
    /// Numerators of a unit by the elapsed units from which they hold; the first holds from 0.
    Steps(Vec<(i64, i128)>),
    /// Each unit at the price of its tier; the last has no bound.
    Graduated(Vec<ClauseTier>),
    /// All units at the price of the tier that the period reaches.
    Volume(Vec<ClauseTier>),
    Package {
        size: i64,
        numerator: i128,
    },
    /// `cost × share + plus`.
    Cost {
        base: CostBase,
        share: (i128, i128),
        plus: i128,
    },
    /// A price by timekeeper for somebody who has none.
    Missing,
}

/// One tier: its last unit, the numerator of a unit in it, and the fee of entering it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClauseTier {
    /// `i64::MAX` for the last.
    pub up_to: i64,
    pub unit_numerator: i128,
    pub fee: Option<i128>,
}

/// A reduction of an event's charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClauseReduction {
    /// Taken off, as a share of the charge.
    Share(i128, i128),
    Amount(i128),
}

impl Clause {
    /// Whether its band is among the active ones.
    pub fn holds(&self, active: u64) -> bool {
        self.band.is_none_or(|band| active & (1 << band) != 0)
    }

    /// Whether it prices at the end of the period only.
    pub fn is_volume(&self) -> bool {
        matches!(self.pricing, ClausePricing::Volume(_))
    }
}

/// What the clauses of one rate have in common.
struct Common<'a> {
    version: usize,
    position: usize,
    rate: Arc<Rate>,
    band: Option<usize>,
    zone: Zone,
    counter: Option<usize>,
    rules: &'a RuleSet,
}

impl CompiledRules {
    /// Adds the clauses of a rate under one of its bands.
    pub(super) fn add_clauses(
        &mut self,
        rules: &RuleSet,
        version: usize,
        position: usize,
        rate: &Arc<Rate>,
        band: Option<usize>,
    ) -> Result<()> {
        let tariff = &rules.tariffs[version];
        let counts = matches!(rate.pricing, Pricing::Tiers { .. } | Pricing::Package { .. });
        let counter =
            (counts || rate.scope != Scope::Call).then(|| self.rate_counter(&tariff.name, &rate.name));
        let common =
            Common { version, position, rate: Arc::clone(rate), band, zone: tariff.zone, counter, rules };
        match &rate.pricing {
            Pricing::Deck { deck } => self.add_deck(&common, &rules.decks[*deck]),
            Pricing::ByTimekeeper => self.add_timekeepers(&common),
            _ => {
                let pricing = self.pricing(rate)?;
                let clause = self.clause(&common, pricing)?;
                self.enter(clause, None);
                Ok(())
            }
        }
    }

    fn rate_counter(&mut self, tariff: &str, rate: &str) -> usize {
        let found = self.rate_counters.iter().position(|known| known.0 == tariff && known.1 == rate);
        found.unwrap_or_else(|| {
            self.rate_counters.push((tariff.to_owned(), rate.to_owned()));
            self.rate_counters.len() - 1
        })
    }

    fn pricing(&self, rate: &Rate) -> Result<ClausePricing> {
        let unit = |amount: Decimal, per_units: i64| numerator(amount, per_units, self.denominator);
        Ok(match &rate.pricing {
            Pricing::Steps(steps) => {
                let each =
                    |step: &PriceStep| Ok((step.from_units, unit(step.price.amount, step.price.per_units)?));
                ClausePricing::Steps(steps.iter().map(each).collect::<Result<_>>()?)
            }
            Pricing::Tiers { mode, tiers } => {
                let each = |tier: &Tier| {
                    Ok(ClauseTier {
                        up_to: tier.up_to_units.unwrap_or(i64::MAX),
                        unit_numerator: unit(tier.price.amount, tier.price.per_units)?,
                        fee: tier.fee.map(|fee| unit(fee, 1)).transpose()?,
                    })
                };
                let tiers = tiers.iter().map(each).collect::<Result<_>>()?;
                match mode {
                    TierMode::Graduated => ClausePricing::Graduated(tiers),
                    TierMode::Volume => ClausePricing::Volume(tiers),
                }
            }
            Pricing::Package { size_units } => {
                ClausePricing::Package { size: *size_units, numerator: unit(rate.price.amount, 1)? }
            }
            Pricing::Cost(CostPrice { base, percent, plus }) => ClausePricing::Cost {
                base: *base,
                share: share(Decimal::ONE_HUNDRED + *percent),
                plus: unit(*plus, 1)?,
            },
            Pricing::Plain | Pricing::Deck { .. } | Pricing::ByTimekeeper => {
                ClausePricing::Unit(unit(rate.price.amount, rate.price.per_units)?)
            }
        })
    }

    fn clause(&self, common: &Common<'_>, pricing: ClausePricing) -> Result<Clause> {
        let rate = &common.rate;
        let whole = |amount: Decimal| numerator(amount, 1, self.denominator);
        Ok(Clause {
            version: common.version,
            position: common.position,
            rate: Arc::clone(rate),
            pricing,
            unit: rate.price.unit,
            price_text: Arc::from(rate.price.text.as_str()),
            increment: rate.increment,
            connection_fee: rate.connection_fee.map(whole).transpose()?.unwrap_or(0),
            discount: match rate.discount {
                None => None,
                Some(Reduction::Amount(amount)) => Some(ClauseReduction::Amount(whole(amount)?)),
                Some(Reduction::Percent(percent)) => {
                    let (numerator, denominator) = share(percent);
                    Some(ClauseReduction::Share(numerator, denominator))
                }
            },
            charge_floor: rate.charge_floor.map(whole).transpose()?,
            charge_cap: rate.charge_cap.map(whole).transpose()?,
            band: common.band,
            bill_when: rate
                .bill_when
                .as_ref()
                .map(|outcomes| outcomes.iter().fold(0, |bits, outcome| bits | outcome_bit(*outcome))),
            in_force: Span::ALWAYS,
            destination: Arc::from(""),
            timekeeper: 0,
            counter: common.counter,
            line: u32::MAX,
            line_text: Arc::from(rate.price.text.as_str()),
        })
    }

    /// A clause for each timekeeper with a price, and one that says of everybody else that there is none.
    fn add_timekeepers(&mut self, common: &Common<'_>) -> Result<()> {
        for (index, timekeeper) in common.rules.timekeepers.iter().enumerate() {
            let Some(price) = &timekeeper.price else { continue };
            let unit = numerator(price.amount, price.per_units, self.denominator)?;
            let mut clause = self.clause(common, ClausePricing::Unit(unit))?;
            clause.price_text = Arc::from(price.text.as_str());
            clause.line_text = Arc::clone(&clause.price_text);
            clause.timekeeper = u32::try_from(index + 1).expect("timekeepers are counted in 32 bits");
            self.enter(clause, None);
        }
        let clause = self.clause(common, ClausePricing::Missing)?;
        self.enter(clause, None);
        Ok(())
    }

    /// A clause for each distinct destination, price and time of a deck; rows that differ in their prefix alone share
    /// one.
    fn add_deck(&mut self, common: &Common<'_>, deck: &Deck) -> Result<()> {
        type Key<'k> =
            (&'k str, Decimal, Option<Increment>, Option<Decimal>, Option<NaiveDate>, Option<NaiveDate>);
        let mut groups: Vec<(&DeckRow, Vec<&str>)> = Vec::new();
        let mut known: HashMap<Key<'_>, usize> = HashMap::new();
        for row in &deck.rows {
            let key: Key<'_> = (
                &row.destination,
                row.amount,
                row.increment,
                row.connection_fee,
                row.valid_from,
                row.valid_to,
            );
            let group = *known.entry(key).or_insert_with(|| {
                groups.push((row, Vec::new()));
                groups.len() - 1
            });
            groups[group].1.push(&row.prefix);
        }
        let whole = |amount: Decimal| numerator(amount, 1, self.denominator);
        let base = self.clause(common, ClausePricing::Missing)?;
        let mut clauses = Vec::with_capacity(groups.len());
        for (row, prefixes) in groups {
            let unit = numerator(row.amount, deck.per_units, self.denominator)?;
            let midnight = |date: NaiveDate| common.zone.midnight(date);
            let clause = Clause {
                pricing: ClausePricing::Unit(unit),
                unit: deck.unit,
                price_text: Arc::from(format!("{} per {}", row.amount, deck.unit_text)),
                increment: row.increment.unwrap_or(base.increment),
                connection_fee: row.connection_fee.map(whole).transpose()?.unwrap_or(base.connection_fee),
                in_force: Span {
                    from: row.valid_from.map_or(Span::ALWAYS.from, midnight),
                    to: row.valid_to.map_or(Span::ALWAYS.to, midnight),
                },
                destination: Arc::from(row.destination.as_str()),
                ..base.clone()
            };
            clauses.push((clause, prefixes));
        }
        let mut lines: HashMap<Arc<str>, (u32, Vec<Arc<str>>)> = HashMap::new();
        for (place, (clause, _)) in clauses.iter().enumerate() {
            let index = u32::try_from(self.clauses.len() + place).expect("clauses are counted in 32 bits");
            let line = lines.entry(Arc::clone(&clause.destination)).or_insert_with(|| (index, Vec::new()));
            if !line.1.contains(&clause.price_text) {
                line.1.push(Arc::clone(&clause.price_text));
            }
        }
        for (mut clause, prefixes) in clauses {
            let (line, texts) = &lines[&clause.destination];
            clause.line = *line;
            clause.line_text = Arc::from(texts.join(", then "));
            self.enter(clause, Some(&prefixes));
        }
        Ok(())
    }
}
