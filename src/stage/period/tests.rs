//! Laws that hold for every fee, discount, cap and commitment, tried on many of each.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::Unrounded;
use super::days::{self, DayRange};
use super::fees::fees;
use super::limits::{CAP, Seen, TRUE_UP, limits};
use super::rounding::LineRounding;
use crate::domain::document::LineKind;
use crate::domain::time::{Month, Span, Zone};
use crate::domain::{Country, Currency, Exact, Instant, Money, RoundingMode};
use crate::rules::compile::CompiledRules;
use crate::rules::options::{NegativeRounding, Proration};
use crate::rules::ruleset::{
    Cadence, Discount, DiscountOf, Fee, Per, PeriodLimit, Reduction, RuleSet, TariffVersion,
};
use crate::rules::{SourceFile, contacts, load};

/// Numbers without any pattern that matters, the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn cents(&mut self, limit: u64) -> Decimal {
        Decimal::new(i64::try_from(self.below(limit)).unwrap(), 2)
    }
}

fn usd() -> Currency {
    Currency::from_code("USD").unwrap()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn money(minor_units: i128) -> Money {
    Money { minor_units, currency: usd() }
}

fn rule_set(zone: &str) -> RuleSet {
    let text = format!(
        "default_tariff = \"t\"\n[tariff.t]\ncurrency = \"USD\"\nzone = \"{zone}\"\n\n[[tariff.t.rate]]\n\
         name = \"Calls\"\nmatch = {{ channel = \"voice\" }}\nprice = \"0.60 per minute\"\n"
    );
    let file = SourceFile { name: "t.toml".to_owned(), text };
    load::rule_set(&[file], Country::from_code("US").unwrap()).unwrap().0
}

/// Versions of one tariff, the first without a date, compiled with one contact row.
fn compiled(zone: &str, versions: &[(&str, Vec<Fee>)], contact: &str) -> CompiledRules {
    let mut rules = rule_set(zone);
    let base = rules.tariffs[0].clone();
    rules.tariffs = versions
        .iter()
        .map(|(from, fees)| TariffVersion {
            valid_from: (!from.is_empty()).then(|| date(from)),
            fees: fees.clone(),
            ..base.clone()
        })
        .collect();
    compile(&rules, zone, contact)
}

fn compile(rules: &RuleSet, zone: &str, contact: &str) -> CompiledRules {
    let home = Country::from_code("US").unwrap();
    let text = format!("id,name,numbers,extensions,valid_from,valid_to\n{contact}\n");
    let list =
        contacts::contact_list(&SourceFile { name: "contacts.csv".to_owned(), text }, rules, home).unwrap().0;
    let span = Span {
        from: Instant::parse("2026-01-10T00:00:00Z").unwrap(),
        to: Instant::parse("2026-12-20T00:00:00Z").unwrap(),
    };
    CompiledRules::new(rules, &list, Zone::from_name(zone).unwrap(), span).unwrap()
}

fn monthly(name: &str, amount: Decimal, per: Per) -> Fee {
    let cadence = Cadence::Monthly { in_advance: false };
    Fee { name: name.to_owned(), amount, cadence, per, prorate: true, text: format!("{amount} per month") }
}

fn index(rules: &CompiledRules, month: &str) -> u32 {
    (0..rules.month_count()).find(|index| rules.month(*index).key() == month).unwrap()
}

fn only(lines: Vec<Unrounded>) -> Unrounded {
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.into_iter().next().unwrap()
}

#[test]
fn every_day_of_a_period_counts_once_however_the_clocks_change() {
    let mut chance = Chance(1);
    for zone in ["America/New_York", "Europe/London", "America/Havana", "Asia/Beirut", "Australia/Lord_Howe"]
    {
        let zone = Zone::from_name(zone).unwrap();
        for month in 1..=12 {
            let period = Month::parse(&format!("2026-{month:02}")).unwrap().period(zone);
            let length =
                u64::try_from(period.span.to.milliseconds() - period.span.from.milliseconds()).unwrap();
            let all = DayRange::of(&period).count();
            for _ in 0..40 {
                let cut = period.span.from.plus_milliseconds(i64::try_from(chance.below(length)).unwrap());
                let part = |span| DayRange::in_period(span, &period, Proration::EndExclusive);
                let before = part(Span { from: Span::ALWAYS.from, to: cut });
                let after = part(Span { from: cut, to: Span::ALWAYS.to });
                assert_eq!(before.count() + after.count(), all, "{zone:?} {} {cut}", period.month.key());
                assert_eq!(before.to, after.from);
            }
            for day in 0..all {
                let day = period.first_day + chrono::Days::new(u64::try_from(day).unwrap());
                let next = day.succ_opt().unwrap();
                let span = Span { from: zone.midnight(day), to: zone.midnight(next) };
                let exclusive = DayRange::in_period(span, &period, Proration::EndExclusive);
                assert_eq!((exclusive.from, exclusive.count()), (day, 1), "{zone:?}");
                let inclusive = DayRange::in_period(span, &period, Proration::BothInclusive);
                assert_eq!(inclusive.count(), if next > period.last_day { 1 } else { 2 }, "{zone:?} {day}");
            }
        }
    }
}

#[test]
fn the_parts_of_a_fee_over_changes_of_version_are_the_whole_fee() {
    let mut chance = Chance(2);
    for _ in 0..150 {
        let amount = chance.cents(100_000) + Decimal::new(1, 2);
        let mut days: Vec<u64> = (0..chance.below(4)).map(|_| 2 + chance.below(28)).collect();
        days.sort_unstable();
        days.dedup();
        let dates: Vec<String> = days.iter().map(|day| format!("2026-03-{day:02}")).collect();
        let fee = || vec![monthly("Line", amount, Per::Contact)];
        let mut versions = vec![("", fee())];
        versions.extend(dates.iter().map(|date| (date.as_str(), fee())));
        let rules = compiled("America/New_York", &versions, "a,A,,,,");
        let line = only(fees(&rules, 0, index(&rules, "2026-03")).unwrap());
        assert_eq!(line.exact, Exact::from_decimal(amount));
        assert_eq!(line.note, "", "nothing is left out");
        assert_eq!(line.key.tariff_version, dates.last().cloned().unwrap_or_default());
        // A contact that changes hands on a day pays together what one contact pays.
        let day = 2 + chance.below(28);
        let cut = format!("2026-03-{day:02}");
        let part = |contact: String| {
            let rules = compiled("America/New_York", &versions, &contact);
            only(fees(&rules, 0, index(&rules, "2026-03")).unwrap()).exact
        };
        let sum = part(format!("a,A,,,,{cut}")).plus(part(format!("a,A,,,{cut},"))).unwrap();
        assert_eq!(sum, Exact::from_decimal(amount), "{cut}");
    }
}

#[test]
fn another_price_or_name_is_another_line_and_only_its_own_days() {
    let fee = |amount: i64| vec![monthly("Line", Decimal::new(amount, 0), Per::Contact)];
    let versions = [("", fee(31)), ("2026-03-11", fee(62)), ("2026-03-21", fee(31))];
    let rules = compiled("America/New_York", &versions, "a,A,,,,2026-03-31");
    let lines = fees(&rules, 0, index(&rules, "2026-03")).unwrap();
    let shown: Vec<(String, &str, &str)> = lines
        .iter()
        .map(|line| (line.exact.shortest(), line.note.as_str(), line.key.tariff_version.as_str()))
        .collect();
    assert_eq!(
        shown,
        [("20".to_owned(), "20 of 31 days", "2026-03-21"), ("20".to_owned(), "10 of 31 days", "2026-03-11")]
    );
}

#[test]
fn extensions_and_numbers_count_on_their_own_days() {
    let per = |per| vec![monthly("Line", Decimal::new(31, 0), per)];
    let contact = "a,A,+12125550143@2026-03-30..;+12125550150,101;102@..2026-03-11;102@2026-03-21..,,";
    let rules = compiled("America/New_York", &[("", per(Per::Extension))], contact);
    let line = only(fees(&rules, 0, index(&rules, "2026-03")).unwrap());
    assert_eq!(
        (line.exact, line.count, line.note.as_str()),
        (Exact::new(52, 1), 2, "2 extensions, 52 of 62 days")
    );
    let rules = compiled("America/New_York", &[("", per(Per::Number))], contact);
    let line = only(fees(&rules, 0, index(&rules, "2026-03")).unwrap());
    assert_eq!((line.exact, line.note.as_str()), (Exact::new(33, 1), "2 numbers, 33 of 62 days"));
    let whole = vec![Fee { prorate: false, ..monthly("Line", Decimal::new(31, 0), Per::Extension) }];
    let rules = compiled("America/New_York", &[("", whole)], contact);
    let line = only(fees(&rules, 0, index(&rules, "2026-03")).unwrap());
    assert_eq!((line.exact, line.note.as_str()), (Exact::new(62, 1), "2 extensions"));
}

#[test]
fn one_off_fees_are_due_once_and_fees_in_advance_for_the_next_month() {
    let once = |on: Option<&str>| Fee {
        cadence: Cadence::Once { on: on.map(date) },
        ..monthly("Setup", Decimal::new(99, 0), Per::Contact)
    };
    let due = |fee: Fee, contact: &str| -> Vec<String> {
        let rules = compiled("America/New_York", &[("", vec![fee])], contact);
        let months =
            (0..rules.month_count() - 1).filter(|month| rules.month(*month).key().starts_with("2026"));
        months
            .filter(|month| !fees(&rules, 0, *month).unwrap().is_empty())
            .map(|month| rules.month(month).key())
            .collect()
    };
    assert_eq!(due(once(None), "a,A,,,2026-10-31,"), ["2026-10"]);
    assert!(due(once(None), "a,A,,,,").is_empty(), "valid since ever: never set up");
    assert_eq!(due(once(Some("2026-10-01")), "a,A,,,,"), ["2026-10"]);
    assert!(due(once(Some("2026-10-05")), "a,A,,,2026-10-06,").is_empty());
    let advance = Fee {
        cadence: Cadence::Monthly { in_advance: true },
        ..monthly("Line", Decimal::new(30, 0), Per::Contact)
    };
    let rules = compiled("America/New_York", &[("", vec![advance])], "a,A,,,2026-10-06,2026-11-11");
    let line = only(fees(&rules, 0, index(&rules, "2026-10")).unwrap());
    assert_eq!((line.exact, line.key.service_period.as_str()), (Exact::new(10, 1), "2026-11"));
    assert_eq!(line.note, "10 of 30 days");
    assert!(fees(&rules, 0, index(&rules, "2026-11")).unwrap().is_empty());
}

fn discounted(chance: &mut Chance) -> TariffVersion {
    let mut tariff = rule_set("America/New_York").tariffs.remove(0);
    for number in 0..chance.below(4) {
        // Discounts of lines do not see each other: two of them may take more than there is.
        let of = if number == 0 { DiscountOf::Line } else { DiscountOf::Period };
        let off = match chance.below(2) {
            0 => Reduction::Percent(chance.cents(10_001)),
            _ => Reduction::Amount(chance.cents(8_000)),
        };
        let (name, text) = (format!("D{number}"), String::new());
        tariff.discounts.push(Discount { name, off, of, lines: Vec::new(), text });
    }
    tariff.fees_count = chance.below(2) == 0;
    let limit = |amount| PeriodLimit { amount, text: String::new() };
    let low = chance.cents(20_000);
    tariff.commitment = (chance.below(2) == 0).then(|| limit(low));
    tariff.cap = (chance.below(2) == 0).then(|| limit(low + chance.cents(10_000)));
    tariff
}

#[test]
fn discounts_stop_at_nothing_caps_never_raise_and_true_ups_reach_the_commitment() {
    let mut chance = Chance(3);
    for _ in 0..3000 {
        let tariff = discounted(&mut chance);
        let amounts: Vec<(LineKind, i128)> = (0..1 + chance.below(4))
            .map(|_| {
                let kind = [LineKind::Usage, LineKind::Fee, LineKind::TierFee][chance.below(3) as usize];
                (kind, i128::from(chance.below(15_000)))
            })
            .collect();
        let seen: Vec<Seen<'_>> = amounts
            .iter()
            .map(|(kind, minor)| Seen { kind: *kind, clause: "Calls", amount: money(*minor) })
            .collect();
        let share = Exact::new(i128::from(1 + chance.below(31)), 31);
        let made = limits(&tariff, usd(), &seen, share).unwrap();
        let counted = |kind| kind != LineKind::Fee || tariff.fees_count;
        let (mut all, mut limited) = (0, 0);
        for (kind, minor) in &amounts {
            all += minor;
            limited += if counted(*kind) { *minor } else { 0 };
        }
        for (line, amount, residual) in &made {
            assert_eq!(line.exact.plus(*residual).unwrap(), amount.exact());
            let before = limited;
            (all, limited) = (all + amount.minor_units, limited + amount.minor_units);
            match line.key.clause.as_str() {
                CAP => assert!(amount.minor_units < 0 && limited < before, "a cap raised"),
                TRUE_UP => assert!(limited > before),
                _ => assert!(amount.minor_units <= 0 && all >= 0, "a discount went below nothing"),
            }
        }
        let minor = |limit: &PeriodLimit, share| {
            let exact = Exact::from_decimal(limit.amount).checked_mul(share).unwrap();
            exact.round(usd(), RoundingMode::HalfAway).unwrap().0.minor_units
        };
        if let Some(cap) = &tariff.cap {
            assert!(limited <= minor(cap, Exact::new(1, 1)));
        }
        if let Some(commitment) = &tariff.commitment {
            let target = minor(commitment, share);
            assert!(limited >= target);
            let raised = made.iter().any(|(line, ..)| line.key.kind == LineKind::TrueUp);
            assert!(!raised || limited == target, "a true-up reaches exactly the commitment");
        }
    }
}

#[test]
fn discounts_of_named_lines_see_only_those() {
    let mut tariff = rule_set("America/New_York").tariffs.remove(0);
    let discount = |name: &str, lines: &[&str]| Discount {
        name: name.to_owned(),
        off: Reduction::Percent(Decimal::new(10, 0)),
        of: DiscountOf::Line,
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        text: "10%".to_owned(),
    };
    tariff.discounts = vec![discount("All usage", &[]), discount("Named", &["Fax", "Service"])];
    let seen = [
        Seen { kind: LineKind::Usage, clause: "Calls", amount: money(1005) },
        Seen { kind: LineKind::Usage, clause: "Fax", amount: money(100) },
        Seen { kind: LineKind::Fee, clause: "Service", amount: money(2500) },
        Seen { kind: LineKind::Allowance, clause: "Fax", amount: money(-50) },
    ];
    let made = limits(&tariff, usd(), &seen, Exact::new(1, 1)).unwrap();
    let shown: Vec<(&str, &str, i128)> = made
        .iter()
        .map(|(line, amount, _)| (line.key.clause.as_str(), line.note.as_str(), amount.minor_units))
        .collect();
    assert_eq!(shown, [("All usage", "10% of 11.05", -111), ("Named", "10% of 26.00", -260)]);
}

#[test]
fn negative_amounts_are_mirrored_or_moved_along_the_number_line() {
    let round = |mode, negative, thousandths: i128| {
        let (amount, residual) =
            LineRounding { mode, negative }.round(Exact::new(thousandths, 1000), usd()).unwrap();
        assert_eq!(Exact::new(thousandths, 1000).plus(residual).unwrap(), amount.exact());
        amount.minor_units
    };
    for mode in [RoundingMode::HalfAway, RoundingMode::HalfEven, RoundingMode::Up, RoundingMode::Down] {
        for thousandths in -40..=40 {
            let mirrored = round(mode, NegativeRounding::Mirror, thousandths);
            assert_eq!(mirrored, -round(mode, NegativeRounding::Mirror, -thousandths), "charge and credit");
            let moved = round(mode, NegativeRounding::TowardPlusInfinity, thousandths);
            assert!(thousandths < 0 || moved == mirrored, "positive amounts know no difference");
            // Ten minor units higher, everything is the same ten minor units higher, except to even.
            let higher = round(mode, NegativeRounding::TowardPlusInfinity, thousandths + 100);
            assert_eq!(moved + 10, higher, "{mode:?} {thousandths}");
        }
    }
    let moved = |mode| round(mode, NegativeRounding::TowardPlusInfinity, -15);
    assert_eq!(moved(RoundingMode::HalfAway), -1);
    assert_eq!(moved(RoundingMode::Up), -1);
    assert_eq!(moved(RoundingMode::Down), -2);
    assert_eq!(moved(RoundingMode::HalfEven), -2);
}

#[test]
fn claims_of_one_value_count_a_day_once() {
    let rules = compiled("America/New_York", &[("", Vec::new())], "a,A,,101@2026-03-01..2026-03-20,,");
    let period = rules.period(0, index(&rules, "2026-03"));
    let mut contact = rules.payers[0].contact.clone();
    let again = contact.extensions[0].clone();
    contact.extensions.push(again);
    let within = DayRange::of(&period);
    let days = |proration| days::claimed(&contact, Per::Extension, &period, proration, within);
    assert_eq!((days(Proration::EndExclusive), days(Proration::BothInclusive)), (19, 20));
}
