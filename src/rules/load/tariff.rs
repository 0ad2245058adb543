//! Tariffs: what holds for all their rates, and what only shows when all of a version is read.

use crate::domain::{Currency, RoundingMode, Zone};
use crate::rules::diagnostic::{SourceFile, line_of};
use crate::rules::options::{
    AllowanceDraws, Alphabet, BandBy, BeyondLastTier, ChargeRounding, Crossing, FeeOnChange, GraceBy,
    IncrementsFrom, InsideAllowance, Late, MessageInstant, NegativeRounding, NoUsage, PeriodBy, Proration,
    Rounding, TariffOptions, TextSplit, TierBounds, UnderASecond, UnitsCounted, ZeroSeconds,
};
use crate::rules::parts::{value, word};
use crate::rules::reader;
use crate::rules::ruleset::{LegPolicy, Match, PeriodLimit, Pricing, TariffVersion, TierMode, WithoutLegs};
use crate::rules::table::{Table, Text};

use super::{Draft, Mention};

/// The most decimals that a rounded charge may keep: as many as a price may have.
const CHARGE_SCALE_MAX: i64 = 10;

/// A position in a call is never a day away.
const OFFSET_SECONDS_MAX: i64 = 86_400;

impl Draft<'_> {
    pub(super) fn read_tariffs(&mut self, file: &SourceFile, top: &Table<'_, '_>) {
        for (name, table) in top.named_tables("tariff", "tariff") {
            self.read_tariff(file, &name, table);
        }
    }

    fn read_tariff(&mut self, file: &SourceFile, name: &Text, table: Table<'_, '_>) {
        let mut version = self.read_frame(file, name, &table);
        for rate in table.tables("rate", "rate") {
            self.read_rate(file, &mut version, rate);
        }
        for allowance in table.tables("allowance", "allowance") {
            self.read_allowance(&mut version, allowance);
        }
        for fee in table.tables("fee", "fee") {
            super::amounts::read_fee(&mut version, fee);
        }
        for discount in table.tables("discount", "discount") {
            self.read_discount(&mut version, discount);
        }
        if version.rates.is_empty() && table.get("rate").is_none() {
            let hint = "Add at least one [[tariff.NAME.rate]]; \"0 per call\" prices at nothing.";
            table.complain("no-rates", name.span.clone(), format!("tariff {} has no rate", name.value), hint);
        }
        check_volume_and_money(&version, &table);
        check_no_usage(&version, &table);
        table.finish();
        self.rules.tariffs.push(version);
        self.tariff_spans.push(name.span.clone());
    }

    /// Everything of a version but its rates, allowances, fees and discounts.
    fn read_frame(&mut self, file: &SourceFile, name: &Text, table: &Table<'_, '_>) -> TariffVersion {
        let supplier = table.text("supplier");
        if let Some(supplier) = &supplier {
            let mention = Mention { file: file.name.clone(), name: supplier.clone() };
            self.suppliers.push((self.rules.tariffs.len(), mention));
        }
        let (cap, commitment) = read_limits(table);
        TariffVersion {
            name: name.value.clone(),
            currency: read_currency(table),
            zone: read_zone(table),
            legs: word(table, "legs", LegPolicy::from_word, LegPolicy::ALL)
                .unwrap_or(LegPolicy::CustomerFacing),
            without_legs: word(table, "without_legs", WithoutLegs::from_word, WithoutLegs::ALL)
                .unwrap_or(WithoutLegs::Master),
            rounding: read_rounding(table),
            options: table.table("options", "options of the tariff").map(read_options).unwrap_or_default(),
            supplier: supplier.map(|supplier| supplier.value),
            valid_from: value(table, "valid_from", reader::date, "Write it as \"2026-01-01\"."),
            rates: Vec::new(),
            allowances: Vec::new(),
            fees: Vec::new(),
            discounts: Vec::new(),
            cap,
            commitment,
            fees_count: table.flag("fees_count").unwrap_or(false),
            file: file.name.clone(),
            line: line_of(&file.text, name.span.start),
        }
    }
}

fn read_currency(table: &Table<'_, '_>) -> Currency {
    let hint = "Name an ISO 4217 currency: currency = \"USD\".";
    let found = table.required_text("currency", hint).and_then(|text| {
        let currency = Currency::from_code(&text.value);
        if currency.is_none() {
            let message = format!("\"{}\" is not a currency", text.value);
            table.complain("unknown-currency", text.span.clone(), message, hint);
        }
        currency
    });
    found.unwrap_or_else(|| {
        Currency::from_code("XXX").or_else(|| Currency::from_code("USD")).expect("USD exists")
    })
}

fn read_zone(table: &Table<'_, '_>) -> Zone {
    let hint = "Name an IANA zone: zone = \"America/New_York\".";
    let found = table.required_text("zone", hint).and_then(|text| {
        let zone = Zone::from_name(&text.value);
        if zone.is_none() {
            let message = format!("\"{}\" is not a time zone", text.value);
            table.complain("unknown-zone", text.span.clone(), message, hint);
        }
        zone
    });
    found.unwrap_or(Zone::UTC)
}

fn read_rounding(table: &Table<'_, '_>) -> Rounding {
    let Some(inner) = table.table("rounding", "rounding") else { return Rounding::default() };
    let mode = |key| {
        value(
            &inner,
            key,
            |text| RoundingMode::from_word(text).ok_or_else(|| format!("\"{text}\" is not a rounding mode")),
            "Write half-away, half-even, up or down.",
        )
    };
    let defaults = Rounding::default();
    let (line, charge_mode) = (mode("line"), mode("charge_mode"));
    let charge = word(&inner, "charge", ChargeRounding::from_word, ChargeRounding::ALL);
    let scale = inner.integer("charge_scale");
    if let Some((_, span)) = scale.as_ref().filter(|(scale, _)| !(0..=CHARGE_SCALE_MAX).contains(scale)) {
        let message = "charge_scale is not a number of decimals";
        inner.complain("wrong-value", span.clone(), message, "Write 0 to 10.");
    }
    let rounds = charge.is_some_and(|charge| charge != ChargeRounding::None);
    if rounds && inner.get("charge_scale").is_none() {
        let hint = "Write the decimals that a charge keeps: charge_scale = 4.";
        inner.complain("missing-key", inner.span.clone(), "rounding of charges has no charge_scale", hint);
    }
    if inner.get("charge").is_none() {
        for key in ["charge_mode", "charge_scale"].iter().filter(|key| inner.get(key).is_some()) {
            let hint = "Write charge = \"per-event\" or \"per-increment\", or leave it out.";
            let message = format!("{key} without charge rounds nothing");
            inner.complain("missing-key", inner.span_of(key), message, hint);
        }
    }
    inner.finish();
    Rounding {
        line: line.unwrap_or(defaults.line),
        charge: charge.unwrap_or(defaults.charge),
        charge_mode: charge_mode.unwrap_or(defaults.charge_mode),
        charge_scale: scale.and_then(|(scale, _)| u32::try_from(scale).ok()).unwrap_or(defaults.charge_scale),
    }
}

fn read_options(table: Table<'_, '_>) -> TariffOptions {
    let mut options = TariffOptions::default();
    macro_rules! choose {
        ($($key:ident: $words:ident),+ $(,)?) => {
            $(if let Some(chosen) = word(&table, stringify!($key), $words::from_word, $words::ALL) {
                options.$key = chosen;
            })+
        };
    }
    choose!(
        increments_from: IncrementsFrom,
        band_by: BandBy,
        crossing: Crossing,
        connection_fee_on_change: FeeOnChange,
        inside_allowance: InsideAllowance,
        allowance_draws: AllowanceDraws,
        zero_seconds: ZeroSeconds,
        under_a_second: UnderASecond,
        no_usage: NoUsage,
        grace_by: GraceBy,
        tier_bounds: TierBounds,
        beyond_last_tier: BeyondLastTier,
        units: UnitsCounted,
        negative: NegativeRounding,
        alphabet: Alphabet,
        text_split: TextSplit,
        period_by: PeriodBy,
        message_instant: MessageInstant,
        late: Late,
        proration: Proration,
    );
    if let Some((seconds, span)) = table.integer("after_offset_seconds") {
        match (0..=OFFSET_SECONDS_MAX).contains(&seconds) {
            true => options.after_offset_seconds = seconds,
            false => {
                let message = "after_offset_seconds is not a number of seconds within a day";
                table.complain("wrong-value", span, message, "Write 0 or 1.");
            }
        }
    }
    table.finish();
    options
}

fn read_limits(table: &Table<'_, '_>) -> (Option<PeriodLimit>, Option<PeriodLimit>) {
    let limit = |key| {
        let hint = "Write an amount per month: \"100.00 per month\".";
        let read = |text: &str| Ok(PeriodLimit { amount: reader::monthly(text)?, text: text.to_owned() });
        value(table, key, read, hint)
    };
    let (cap, commitment) = (limit("cap"), limit("commitment"));
    if let (Some(cap), Some(commitment)) = (&cap, &commitment)
        && cap.amount < commitment.amount
    {
        let message = format!("the cap {} is below the commitment {}", cap.text, commitment.text);
        let hint = "A period cannot cost less than the commitment and more than the cap at once; swap or remove one.";
        table.complain("cap-below-commitment", table.span_of("cap"), message, hint);
    }
    (cap, commitment)
}

fn is_volume(pricing: &Pricing) -> bool {
    matches!(pricing, Pricing::Tiers { mode: TierMode::Volume, .. })
}

/// What is free under a money allowance is only known once the period's volume is, and the other way round.
fn check_volume_and_money(version: &TariffVersion, table: &Table<'_, '_>) {
    for rate in version.rates.iter().filter(|rate| is_volume(&rate.pricing)) {
        let money = version.allowances.iter().filter(|allowance| allowance.amount.is_some());
        for allowance in money.filter(|allowance| may_meet(&allowance.applies_to, &rate.matches)) {
            let message = format!(
                "the allowance \"{}\" of money takes charges of \"{}\", which is priced by volume",
                allowance.name, rate.name
            );
            let hint = "A price by volume is known at the period's end only. Grant units, or keep the allowance to other \
                        channels or directions by applies_to.";
            table.complain("volume-conflict", table.span.clone(), message, hint);
        }
    }
}

/// Whether an event can fit both, as far as channels and directions tell.
fn may_meet(left: &Match, right: &Match) -> bool {
    fn meet<T: PartialEq>(left: &[T], right: &[T]) -> bool {
        left.is_empty() || right.is_empty() || left.iter().any(|value| right.contains(value))
    }
    meet(&left.channels, &right.channels) && meet(&left.directions, &right.directions)
}

fn check_no_usage(version: &TariffVersion, table: &Table<'_, '_>) {
    let mut pricings = version.rates.iter().map(|rate| &rate.pricing);
    let (found, wanted) = match version.options.no_usage {
        NoUsage::Nothing => return,
        NoUsage::TierFee => (
            pricings.any(|pricing| match pricing {
                Pricing::Tiers { tiers, .. } => tiers.first().is_some_and(|tier| tier.fee.is_some()),
                _ => false,
            }),
            "rate whose first tier has a fee",
        ),
        NoUsage::Package => {
            (pricings.any(|pricing| matches!(pricing, Pricing::Package { .. })), "rate with packages")
        }
    };
    if !found {
        let message = format!("no_usage is \"{}\", and the tariff has no {wanted}", version.options.no_usage);
        let hint = "Add such a rate, or leave no_usage out.";
        table.complain("no-usage-price", table.span_of("options"), message, hint);
    }
}
