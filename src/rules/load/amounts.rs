//! What a period grants, costs and takes off beside its usage: allowances, fees, discounts.

use rust_decimal::Decimal;

use crate::domain::charge::Unit;
use crate::rules::parts::{GRANT_HINT, NAME_HINT, required_value, value, word};
use crate::rules::reader::{self, FeePrice, Grant};
use crate::rules::ruleset::{Allowance, Cadence, Discount, DiscountOf, Fee, Per, Rollover, TariffVersion};
use crate::rules::table::{Table, Text};

use super::rate::read_reduction;
use super::{Draft, Mention};

/// Ten years: a unit that lives longer lives for ever, which nobody means.
const EXPIRY_PERIODS_MAX: i64 = 120;

impl Draft<'_> {
    pub(super) fn read_allowance(&mut self, version: &mut TariffVersion, table: Table<'_, '_>) {
        let name = table.required_text("name", NAME_HINT);
        let grant = required_value(&table, "grants", reader::grant, GRANT_HINT);
        let text = table.text("grants").map(|text| text.value).unwrap_or_default();
        let applies_to = self.read_conditions(&table, "applies_to");
        let shared = table.flag("shared").unwrap_or(false);
        let per = read_allowance_per(&table, shared);
        let rollover = read_rollover(&table, grant);
        let prorate = table.flag("prorate").unwrap_or(false);
        if let (Some(name), Some(grant)) = (name, grant) {
            if version.allowances.iter().any(|other| other.name == name.value) {
                let message = format!("two allowances are called \"{}\"", name.value);
                table.complain("duplicate-allowance", name.span.clone(), message, "Give each its own name.");
            }
            let (grants, amount) = match grant {
                Grant::Units(_, units) => (units, None),
                Grant::Money(amount) => (0, Some(amount)),
            };
            let (name, unit) = (name.value, grant.unit());
            version.allowances.push(Allowance {
                name,
                unit,
                grants,
                amount,
                applies_to,
                shared,
                per,
                rollover,
                prorate,
                text,
            });
        }
        table.finish();
    }

    pub(super) fn read_discount(&mut self, version: &mut TariffVersion, table: Table<'_, '_>) {
        let name = table.required_text("name", NAME_HINT);
        let hint = "Write a percentage or an amount: off = \"10%\" or \"5.00\".";
        let text = table.required_text("off", hint).map(|text| text.value).unwrap_or_default();
        let off = read_reduction(&table, "off");
        let of = word(&table, "of", DiscountOf::from_word, DiscountOf::ALL).unwrap_or(DiscountOf::Period);
        let lines = table.texts("lines");
        if table.is_empty_list("lines") {
            let hint = "Name at least one line, or leave the key out for all usage.";
            table.complain("empty-list", table.span_of("lines"), "the discount is off no line", hint);
        }
        if of == DiscountOf::Period && table.get("lines").is_some() {
            let hint = "Write of = \"line\" to take it off these lines only, or remove lines.";
            let message = "a discount of the period is off everything";
            table.complain("lines-of-period", table.span_of("lines"), message, hint);
        }
        for line in &lines {
            self.line_mentions.push(Mention { file: table.file.to_owned(), name: line.clone() });
        }
        if let (Some(name), Some(off)) = (name, off) {
            if version.discounts.iter().any(|other| other.name == name.value) {
                let message = format!("two discounts are called \"{}\"", name.value);
                table.complain("duplicate-discount", name.span.clone(), message, "Give each its own name.");
            }
            let lines = lines.into_iter().map(|line| line.value).collect();
            version.discounts.push(Discount { name: name.value, off, of, lines, text });
        }
        table.finish();
    }
}

/// `pool` is what a shared allowance is counted for without the key.
fn read_allowance_per(table: &Table<'_, '_>, shared: bool) -> Option<Per> {
    let text = table.text("per")?;
    if text.value != "pool" {
        return word(table, "per", Per::from_word, Per::ALL);
    }
    if !shared {
        let hint = "Write shared = true, or per = \"contact\", \"extension\" or \"number\".";
        let message = "an allowance that is not shared has no pool";
        table.complain("pool-without-sharing", text.span, message, hint);
    }
    None
}

fn read_rollover(table: &Table<'_, '_>, grant: Option<Grant>) -> Option<Rollover> {
    let periods = read_expiry(table);
    let hint = "Write the most that is carried over, in the unit of grants: \"100 minutes\"; or \"all\".";
    let read = |text: &str| match text {
        "all" => Ok(None),
        text => reader::grant(text).map(Some),
    };
    let limit = value(table, "rollover", read, hint)?;
    if let (Some(limit), Some(grant)) = (limit, grant)
        && limit.unit() != grant.unit()
    {
        let counted = |unit| if unit == Unit::Amount { "money".to_owned() } else { format!("{unit}s") };
        let message =
            format!("the rollover counts {}, the allowance {}", counted(limit.unit()), counted(grant.unit()));
        table.complain("mixed-units", table.span_of("rollover"), message, hint);
    }
    let limit = limit.map(|limit| match limit {
        Grant::Units(_, units) => Decimal::from(units),
        Grant::Money(amount) => amount,
    });
    Some(Rollover { limit, periods })
}

fn read_expiry(table: &Table<'_, '_>) -> u32 {
    let Some((periods, span)) = table.integer("expires_after") else { return 1 };
    if table.get("rollover").is_none() {
        let hint = "Write rollover = \"all\", or remove expires_after.";
        let message = "units that are not carried over expire with their period";
        table.complain("expiry-without-rollover", span.clone(), message, hint);
    }
    match u32::try_from(periods).ok().filter(|_| (1..=EXPIRY_PERIODS_MAX).contains(&periods)) {
        Some(periods) => periods,
        None => {
            let message = "expires_after is not a number of periods";
            table.complain("wrong-value", span, message, "Write 1 to 120; remove rollover for 0.");
            1
        }
    }
}

pub(super) fn read_fee(version: &mut TariffVersion, table: Table<'_, '_>) {
    let name = table.required_text("name", NAME_HINT);
    let hint = "Write an amount per month: \"25.00 per month\".";
    let price = table.required_text("price", hint);
    let read = value(&table, "price", reader::fee, "Write \"25.00 per month\" or \"99.00 once\".");
    let per = word(&table, "per", Per::from_word, Per::ALL).unwrap_or(Per::Contact);
    let prorate = table.flag("prorate");
    let in_advance = table.flag("in_advance").unwrap_or(false);
    let on = value(&table, "on", reader::date, "Write the day as \"2026-10-05\".");
    let (Some(name), Some(price), Some(read)) = (name, price, read) else {
        table.finish();
        return;
    };
    check_cadence(&table, read, &price);
    if version.fees.iter().any(|other| other.name == name.value) {
        let message = format!("two fees are called \"{}\"", name.value);
        table.complain("duplicate-fee", name.span.clone(), message, "Give each its own name.");
    }
    let (amount, cadence, prorate) = match read {
        FeePrice::Monthly(amount) => (amount, Cadence::Monthly { in_advance }, prorate.unwrap_or(true)),
        FeePrice::Once(amount) => (amount, Cadence::Once { on }, false),
    };
    version.fees.push(Fee { name: name.value, amount, cadence, per, prorate, text: price.value });
    table.finish();
}

/// Keys that mean nothing at fees of the other kind.
fn check_cadence(table: &Table<'_, '_>, read: FeePrice, price: &Text) {
    let strange: &[&'static str] = match read {
        FeePrice::Monthly(_) => &["on"],
        FeePrice::Once(_) => &["prorate", "in_advance"],
    };
    for key in strange.iter().copied().filter(|key| table.get(key).is_some()) {
        let hint = "Monthly fees have prorate and in_advance; fees that are due once have on.";
        let message = format!("{key} has no meaning at \"{}\"", price.value);
        table.complain("fee-keys", table.span_of(key), message, hint);
    }
}
