//! How a rate comes to its price: `price`, `steps` or `tiers`.

use rust_decimal::Decimal;

use crate::domain::charge::Unit;
use crate::domain::outcome::words;
use crate::rules::options::{BeyondLastTier, ChargeRounding, TierBounds};
use crate::rules::parts::{AMOUNT_HINT, GRANT_HINT, known_hint, required_value, value, word};
use crate::rules::reader::{self, PriceForm};
use crate::rules::ruleset::{CostBase, Price, PriceStep, Pricing, TariffVersion, Tier, TierMode};
use crate::rules::table::{Table, Text};

use super::Draft;

const PRICE_HINT: &str =
    "Write an amount and a unit: \"0.0345 per minute\" (second, minute, hour, call, message, segment, page).";
const FORM_HINT: &str = "Write an amount and a unit: \"0.0345 per minute\" (second, minute, hour, call, message, segment, \
                         page), or \"0.10 flat\", \"deck NAME\", \"by timekeeper\", \"cost + 20%\".";

words! {
    /// The kinds of tier tables.
    TierForm { Graduated = "graduated", Volume = "volume", Package = "package" }
}

impl Draft<'_> {
    /// The price of a rate, and how it comes about.
    pub(super) fn read_pricing(
        &self,
        table: &Table<'_, '_>,
        version: &TariffVersion,
    ) -> Option<(Price, Pricing)> {
        let plain = self.read_price(table, version);
        let steps = read_steps(table);
        let tiers =
            table.table("tiers", "tiers of the rate").and_then(|inner| read_tiers(table, inner, version));
        let written: Vec<&'static str> =
            ["price", "steps", "tiers"].into_iter().filter(|key| table.get(key).is_some()).collect();
        match written.as_slice() {
            [] => {
                table.complain("missing-key", table.span.clone(), "rate has no price", FORM_HINT);
                None
            }
            [_] => plain.or(steps).or(tiers),
            [first, second, ..] => {
                let message = format!("the rate has both {first} and {second}");
                let hint = "Keep one of price, steps and tiers; they do not combine.";
                table.complain("several-prices", table.span_of(second), message, hint);
                None
            }
        }
    }

    fn read_price(&self, table: &Table<'_, '_>, version: &TariffVersion) -> Option<(Price, Pricing)> {
        let text = table.text("price")?;
        let form = value(table, "price", reader::price_form, FORM_HINT)?;
        let without_amount =
            |unit, per_units| Price { amount: Decimal::ZERO, unit, per_units, text: text.value.clone() };
        match form {
            PriceForm::Amount(price) => Some((price, Pricing::Plain)),
            PriceForm::Deck(name) => {
                let deck = self.deck(table, &text, &name)?;
                let (unit, per_units) = (self.rules.decks[deck].unit, self.rules.decks[deck].per_units);
                Some((without_amount(unit, per_units), Pricing::Deck { deck }))
            }
            PriceForm::ByTimekeeper => {
                if self.rules.timekeepers.iter().all(|timekeeper| timekeeper.price.is_none()) {
                    let message = "no timekeeper has a price";
                    let hint = "Add one: [timekeeper.jd] name = \"Jane Doe\", price = \"350.00 per hour\".";
                    table.complain("no-timekeeper-prices", text.span.clone(), message, hint);
                }
                Some((without_amount(Unit::Second, 3600), Pricing::ByTimekeeper))
            }
            PriceForm::Cost(cost) => {
                if cost.base == CostBase::Supplier && version.supplier.is_none() {
                    let hint =
                        "Name the tariff that gives the cost in [tariff.NAME]: supplier = \"carrier\".";
                    table.complain("no-supplier", text.span.clone(), "the tariff names no supplier", hint);
                }
                Some((without_amount(Unit::Event, 1), Pricing::Cost(cost)))
            }
        }
    }

    fn deck(&self, table: &Table<'_, '_>, text: &Text, name: &str) -> Option<usize> {
        match self.decks.get(name) {
            // A deck that could not be read was complained about where it stands.
            Some(index) => *index,
            None => {
                let hint = known_hint(name, self.decks.keys().map(String::as_str), "Decks");
                let message = format!("there is no deck called {name}");
                table.complain("unknown-deck", text.span.clone(), message, &hint);
                None
            }
        }
    }
}

fn read_steps(table: &Table<'_, '_>) -> Option<(Price, Pricing)> {
    let inner = table.tables("steps", "step of the rate");
    if table.is_empty_list("steps") {
        let hint = "Write at least one step, or a price instead.";
        table.complain("empty-list", table.span_of("steps"), "the rate has no steps", hint);
    }
    let count = inner.len();
    let mut steps: Vec<PriceStep> = Vec::with_capacity(count);
    let mut from_units = Some(0_i64);
    for (index, step) in inner.into_iter().enumerate() {
        let price = required_value(&step, "price", reader::price, PRICE_HINT);
        let length = read_first(&step, index + 1 == count);
        let unit = price.as_ref().map(|price| price.unit);
        same_unit(&step, "price", steps.first().map(|first| first.price.unit), unit);
        same_unit(&step, "first", unit, length.map(|(unit, _)| unit));
        if let (Some(from_units), Some(price)) = (from_units, price) {
            steps.push(PriceStep { from_units, price });
        }
        // Without the length of one step nobody knows where the later ones begin; they are checked all the same.
        from_units = from_units.zip(length).and_then(|(from, (_, units))| from.checked_add(units));
        step.finish();
    }
    let first = steps.first()?.price.clone();
    if first.unit != Unit::Second {
        let hint = "Steps follow the time of a call: per second, minute or hour.";
        let message = format!("{} has no time to step through", first.text);
        table.complain("steps-without-time", table.span_of("steps"), message, hint);
    }
    (steps.len() == count).then_some((first, Pricing::Steps(steps)))
}

/// The length of a step: every one but the last has it.
fn read_first(step: &Table<'_, '_>, last: bool) -> Option<(Unit, i64)> {
    let hint = "Write how long the step is: first = \"3 minutes\".";
    if last {
        if step.get("first").is_some() {
            let hint = "The last step has no end; remove first, or add a step for what comes after.";
            let message = "the last step ends, and nothing is said of what comes after";
            step.complain("bounded-last-step", step.span_of("first"), message, hint);
        }
        return None;
    }
    let (unit, units) = required_value(step, "first", reader::granted, hint)?;
    if units == 0 {
        step.complain("wrong-value", step.span_of("first"), "a step of no length is never reached", hint);
        return None;
    }
    Some((unit, units))
}

/// Complains when two parts of one rate count different things.
fn same_unit(table: &Table<'_, '_>, key: &'static str, expected: Option<Unit>, found: Option<Unit>) {
    if let (Some(expected), Some(found)) = (expected, found)
        && expected != found
    {
        let message = format!("{key} counts {found}s where the rate counts {expected}s");
        let hint = "All parts of one rate count the same; seconds, minutes and hours go together.";
        table.complain("mixed-units", table.span_of(key), message, hint);
    }
}

fn read_tiers(
    rate: &Table<'_, '_>,
    inner: Table<'_, '_>,
    version: &TariffVersion,
) -> Option<(Price, Pricing)> {
    let form = word(&inner, "mode", TierForm::from_word, TierForm::ALL).unwrap_or(TierForm::Graduated);
    let tables = inner.tables("tier", "tier of the rate");
    let (wanted, strange): (&[&'static str], &[&'static str]) = match form {
        TierForm::Package => (&["size", "price"], &["tier"]),
        _ => (&["tier"], &["size", "price"]),
    };
    for key in strange.iter().copied().filter(|key| inner.get(key).is_some()) {
        let message = format!("{key} has no meaning in a table of mode \"{form}\"");
        let hint = "\"package\" has size and price; \"graduated\" and \"volume\" have a list called tier.";
        inner.complain("tier-keys", inner.span_of(key), message, hint);
    }
    for key in wanted.iter().copied().filter(|key| inner.get(key).is_none()) {
        let hint = "Write tier = [{ up_to = \"100 minutes\", price = \"0.05 per minute\" }, …], or size and price of a package.";
        let message = format!("tiers of mode \"{form}\" have no {key}");
        inner.complain("missing-key", inner.span.clone(), message, hint);
    }
    let found = match form {
        TierForm::Package => read_package(&inner),
        TierForm::Graduated => read_tier_list(&inner, tables, version, TierMode::Graduated),
        TierForm::Volume => {
            check_volume(rate, version);
            read_tier_list(&inner, tables, version, TierMode::Volume)
        }
    };
    inner.finish();
    found
}

fn read_package(inner: &Table<'_, '_>) -> Option<(Price, Pricing)> {
    let amount = value(inner, "price", reader::amount, "Write the price of one package: \"10.00\".");
    let (unit, size_units) = value(inner, "size", reader::granted, GRANT_HINT)?;
    if size_units == 0 {
        inner.complain("wrong-value", inner.span_of("size"), "a package holds nothing", GRANT_HINT);
        return None;
    }
    let amount = amount?;
    let text = format!("{amount} per {}", inner.text("size")?.value);
    Some((Price { amount, unit, per_units: 1, text }, Pricing::Package { size_units }))
}

/// The price of a volume is known when the period is over, and one event's charge only then.
fn check_volume(rate: &Table<'_, '_>, version: &TariffVersion) {
    let hint = "Volume prices are known at the period's end only; remove it, or take mode = \"graduated\".";
    for key in ["charge_floor", "charge_cap", "discount"].into_iter().filter(|key| rate.get(key).is_some()) {
        let message = format!("{key} of one event cannot be had with a price by volume");
        rate.complain("volume-conflict", rate.span_of(key), message, hint);
    }
    if version.rounding.charge != ChargeRounding::None {
        let message = "charges of single events cannot be rounded with a price by volume";
        rate.complain("volume-conflict", rate.span_of("tiers"), message, hint);
    }
}

fn read_tier_list(
    inner: &Table<'_, '_>,
    tables: Vec<Table<'_, '_>>,
    version: &TariffVersion,
    mode: TierMode,
) -> Option<(Price, Pricing)> {
    if inner.is_empty_list("tier") {
        let hint = "Write at least one tier.";
        inner.complain("empty-list", inner.span_of("tier"), "the rate has no tiers", hint);
    }
    let count = tables.len();
    let mut tiers: Vec<Tier> = Vec::with_capacity(count + 1);
    let mut reached = Some(0_i64);
    for (index, table) in tables.into_iter().enumerate() {
        let price = required_value(&table, "price", reader::price, PRICE_HINT);
        let fee = value(&table, "fee", reader::amount, AMOUNT_HINT);
        let last = index + 1 == count;
        let bound = read_bound(&table, last, version.options.beyond_last_tier);
        let unit = price.as_ref().map(|price| price.unit);
        same_unit(&table, "price", tiers.first().map(|first| first.price.unit), unit);
        same_unit(&table, "up_to", unit, bound.map(|(unit, _)| unit));
        let bound = bound.filter(|(counted, _)| unit.is_none_or(|unit| unit == *counted));
        let up_to_units = next_bound(&table, reached, bound, version.options.tier_bounds);
        reached = up_to_units;
        if let Some(price) = price {
            tiers.push(Tier { up_to_units, price, fee });
        }
        table.finish();
    }
    let complete = tiers.len() == count;
    end_tiers(&mut tiers, version.options.beyond_last_tier);
    let first = tiers.first()?.price.clone();
    complete.then_some((first, Pricing::Tiers { mode, tiers }))
}

/// The bound of a tier as written: every one but the last must have it, the last may where the options say what comes after.
fn read_bound(table: &Table<'_, '_>, last: bool, beyond: BeyondLastTier) -> Option<(Unit, i64)> {
    let hint = "Write where the tier ends: up_to = \"100 minutes\".";
    if !last {
        return required_value(table, "up_to", reader::granted, hint);
    }
    let bound = value(table, "up_to", reader::granted, hint)?;
    if beyond == BeyondLastTier::Mistake {
        let message = "the last tier ends, and nothing is said of what comes after";
        let hint = "Remove its up_to, add a tier, or set the option beyond_last_tier to \"last-price\" or \"unbilled\".";
        table.complain("bounded-last-tier", table.span_of("up_to"), message, hint);
    }
    Some(bound)
}

/// The last unit of a tier, counted from the period's start.
fn next_bound(
    table: &Table<'_, '_>,
    reached: Option<i64>,
    bound: Option<(Unit, i64)>,
    bounds: TierBounds,
) -> Option<i64> {
    let (_, units) = bound?;
    let below = reached.unwrap_or(0);
    let up_to = match bounds {
        TierBounds::UpTo => units,
        TierBounds::Widths => below.saturating_add(units),
    };
    if up_to <= below {
        let hint = match bounds {
            TierBounds::UpTo => "Each tier ends above the one before; bounds count from the period's start.",
            TierBounds::Widths => "Each tier holds at least one unit.",
        };
        table.complain("tier-order", table.span_of("up_to"), "the tier holds nothing", hint);
    }
    Some(up_to)
}

/// What comes beyond a bounded last tier becomes a tier without end.
fn end_tiers(tiers: &mut Vec<Tier>, beyond: BeyondLastTier) {
    let Some(last) = tiers.last_mut().filter(|last| last.up_to_units.is_some()) else { return };
    match beyond {
        BeyondLastTier::Mistake | BeyondLastTier::LastPrice => last.up_to_units = None,
        BeyondLastTier::Unbilled => {
            let (unit, per_units) = (last.price.unit, last.price.per_units);
            let text = "beyond the last tier".to_owned();
            let price = Price { amount: Decimal::ZERO, unit, per_units, text };
            tiers.push(Tier { up_to_units: None, price, fee: None });
        }
    }
}
