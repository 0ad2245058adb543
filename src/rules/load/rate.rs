//! Rates: conditions, price, and how much of an event is billed.

use crate::domain::charge::Unit;
use crate::domain::outcome::Outcome;
use crate::rules::diagnostic::{SourceFile, line_of};
use crate::rules::parts::{AMOUNT_HINT, read_words, value, word};
use crate::rules::reader;
use crate::rules::ruleset::{Increment, Match, Place, Price, Pricing, Rate, Reduction, Scope, TariffVersion};
use crate::rules::table::Table;

use super::Draft;

const LENGTH_HINT: &str = "Write a length: \"30 seconds\", \"1.5 minutes\".";
const REDUCTION_HINT: &str = "Write a percentage or an amount: \"10%\" or \"0.02\".";

/// How much of an event a rate bills.
struct Measure {
    increment: Increment,
    minimum_seconds: i64,
    grace_milliseconds: i64,
    scope: Scope,
}

impl Draft<'_> {
    pub(super) fn read_rate(&mut self, file: &SourceFile, version: &mut TariffVersion, table: Table<'_, '_>) {
        let pricing = self.read_pricing(&table, version);
        let matches = self.read_conditions(&table, "match");
        let measure = self.read_measure(&table, pricing.as_ref());
        let amount = |key| value(&table, key, reader::amount, AMOUNT_HINT);
        let (connection_fee, charge_floor, charge_cap) =
            (amount("connection_fee"), amount("charge_floor"), amount("charge_cap"));
        if let (Some(floor), Some(cap)) = (charge_floor, charge_cap)
            && cap < floor
        {
            let hint = "A cap below the floor can never hold; swap or remove one.";
            let message = format!("the cap {cap} is below the floor {floor}");
            table.complain("cap-below-floor", table.span.clone(), message, hint);
        }
        let discount = read_reduction(&table, "discount");
        let bill_when =
            table.get("bill_when").map(|_| read_words(&table, "bill_when", Outcome::from_word, Outcome::ALL));
        warn_numbering_plan(&table, &matches);
        let name = table.text("name").map(|name| name.value);
        if let Some((price, pricing)) = pricing {
            let name = name.unwrap_or_else(|| format!("{} ({})", price.text, version.rates.len() + 1));
            check_name(&table, version, &name);
            version.rates.push(Rate {
                name,
                matches,
                price,
                pricing,
                increment: measure.increment,
                minimum_seconds: measure.minimum_seconds,
                grace_milliseconds: measure.grace_milliseconds,
                scope: measure.scope,
                connection_fee,
                discount,
                charge_floor,
                charge_cap,
                bill_when,
                file: file.name.clone(),
                line: line_of(&file.text, table.span.start),
            });
        }
        table.finish();
    }

    fn read_measure(&self, table: &Table<'_, '_>, pricing: Option<&(Price, Pricing)>) -> Measure {
        let increment =
            value(table, "increment", reader::increment, "Write first and next seconds: \"60/6\".");
        let minimum_seconds = value(table, "minimum", reader::length_seconds, LENGTH_HINT);
        let grace_milliseconds = value(table, "grace", reader::length, LENGTH_HINT);
        let scope = word(table, "scope", Scope::from_word, Scope::ALL);
        if let Some((price, pricing)) = pricing {
            check_lengths(table, price);
            self.check_scope(table, scope.unwrap_or(Scope::Call), price, pricing);
        }
        Measure {
            increment: increment.unwrap_or(Increment { first_seconds: 1, next_seconds: 1 }),
            minimum_seconds: minimum_seconds.unwrap_or(0),
            grace_milliseconds: grace_milliseconds.unwrap_or(0),
            scope: scope.unwrap_or(Scope::Call),
        }
    }

    /// Rounding over several calls needs one way of rounding, and no position within one of them.
    fn check_scope(&self, table: &Table<'_, '_>, scope: Scope, price: &Price, pricing: &Pricing) {
        if scope == Scope::Call {
            return;
        }
        if price.unit != Unit::Second {
            let hint = "Only time is rounded over several calls: per second, minute or hour.";
            let message = format!("{} has no time to round over a {scope}", price.text);
            table.complain("scope-without-time", table.span_of("scope"), message, hint);
        }
        let conflict = match pricing {
            Pricing::Steps(_) => Some("steps follow the position in one call"),
            Pricing::Deck { deck } => {
                let rows = &self.rules.decks[*deck].rows;
                let varied = rows.iter().any(|row| row.increment != rows[0].increment);
                varied.then_some("the rows of the deck differ in their increments")
            }
            _ => None,
        };
        if let Some(conflict) = conflict {
            let hint = "Remove the scope, or split the rate.";
            let message = format!("time cannot be rounded over a {scope}: {conflict}");
            table.complain("scope-conflict", table.span_of("scope"), message, hint);
        }
    }
}

/// Lengths belong to prices that have one.
fn check_lengths(table: &Table<'_, '_>, price: &Price) {
    if table.get("increment").is_some() && price.unit != Unit::Second {
        let hint = "Increments belong to prices per second, minute or hour.";
        let message = format!("{} has no increments", price.text);
        table.complain("increment-without-time", table.span_of("increment"), message, hint);
    }
    if table.get("minimum").is_some() && price.unit != Unit::Second {
        let hint = "A least length belongs to prices per second, minute or hour; see charge_floor for a least charge.";
        let message = format!("{} has no least length", price.text);
        table.complain("length-without-time", table.span_of("minimum"), message, hint);
    }
    if table.get("grace").is_some() && [Unit::Message, Unit::Segment, Unit::Page].contains(&price.unit) {
        let hint = "Short calls can be free; messages and pages have no length in time.";
        let message = format!("{} has no grace", price.text);
        table.complain("length-without-time", table.span_of("grace"), message, hint);
    }
}

/// A percentage up to 100, or an amount.
pub(super) fn read_reduction(table: &Table<'_, '_>, key: &'static str) -> Option<Reduction> {
    let reduction = value(table, key, reader::reduction, REDUCTION_HINT)?;
    if let Reduction::Percent(percent) = reduction
        && percent > rust_decimal::Decimal::ONE_HUNDRED
    {
        let message = format!("a discount of {percent}% leaves less than nothing");
        table.complain("discount-over-whole", table.span_of(key), message, "Write 100% at most.");
    }
    Some(reduction)
}

fn check_name(table: &Table<'_, '_>, version: &TariffVersion, name: &str) {
    if version.rates.iter().any(|rate| rate.name == name) {
        let hint = "Lines are named after rates: give each its own name.";
        let message = format!("two rates are called \"{name}\"");
        table.complain("duplicate-rate", table.span.clone(), message, hint);
    }
}

/// `+1` alone is the whole numbering plan, the Caribbean included.
fn warn_numbering_plan(table: &Table<'_, '_>, matches: &Match) {
    if matches.to.contains(&Place::Prefix("1".to_owned())) {
        let hint = "Name the countries instead, such as to = [\"US\", \"CA\"].";
        let message = "\"+1\" is the whole numbering plan, Caribbean islands included";
        table.warn("whole-numbering-plan", table.span.clone(), message, hint);
    }
}
