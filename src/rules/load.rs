//! Rule files → checked rule set. Two types: the table as typed, and the value that cannot be wrong; every complaint
//! of every file is collected before any is shown.

use std::cell::RefCell;
use std::ops::Range;

use toml::de::DeTable;

use crate::domain::charge::Unit;
use crate::domain::derivation::IdentityRule;
use crate::domain::disposition::EventDisposition;
use crate::domain::number::NumberReader;
use crate::domain::outcome::{Arrived, Channel, Direction, Outcome, OutcomeRule, OutcomeTable};
use crate::domain::{Country, Hash, Instant};

use super::diagnostic::{Diagnostic, Severity, SourceFile, line_of};
use super::options::{Rounding, TariffOptions};
use super::parts::{
    GRANT_HINT, PRICE_HINT, START_HINT, read_band, read_currency, read_fee, read_left, read_match,
    read_rounding, read_words, read_zone, required_word, value, warn_numbering_plan, word,
};
use super::reader;
use super::ruleset::{
    Allowance, Example, ExampleEvent, Increment, LegPolicy, Match, Pricing, Rate, RuleSet, Scope,
    TariffVersion, WithoutLegs,
};
use super::table::{Sink, Table, Text};

/// Reads all rule files together. Warnings alone do not stop the load and are returned beside the rule set.
///
/// # Errors
/// All mistakes of all files.
pub fn rule_set(files: &[SourceFile], home: Country) -> Result<(RuleSet, Vec<Diagnostic>), Vec<Diagnostic>> {
    let sink: Sink = RefCell::default();
    let mut draft = Draft::new(files, home);
    let parsed: Vec<_> = files.iter().map(|file| parse(file, &sink)).collect();
    for (file, table) in files.iter().zip(&parsed) {
        let top = Table::new(&file.name, "the rule file", 0..0, table.get_ref(), &sink);
        draft.read_bands(&top);
        draft.read_rest(file, &top);
        top.finish();
    }
    draft.cross_check(&sink);
    let diagnostics = sink.into_inner();
    if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(diagnostics);
    }
    Ok((draft.rules, diagnostics))
}

/// The table of a TOML file; syntax errors go to the sink and reading goes on with what could be understood.
pub fn parse<'i>(file: &'i SourceFile, sink: &Sink) -> toml::Spanned<DeTable<'i>> {
    let (table, errors) = DeTable::parse_recoverable(&file.text);
    for error in errors {
        let message = error.message().to_owned();
        sink.borrow_mut().push(Diagnostic::error("toml-syntax", &file.name, error.span(), message));
    }
    table
}

/// A band or tariff that is spoken of: checked once all files are read, since files may come in any order.
struct Mention {
    file: String,
    name: Text,
}

struct Draft {
    rules: RuleSet,
    band_spans: Vec<(String, Range<usize>)>,
    tariff_spans: Vec<Range<usize>>,
    band_mentions: Vec<(Mention, Slot)>,
    tariff_mentions: Vec<Mention>,
    numbers: NumberReader,
}

/// Where the index of a band belongs once all bands are known.
enum Slot {
    Rate { tariff: usize, rate: usize },
    Allowance { tariff: usize, allowance: usize },
}

impl Draft {
    fn new(files: &[SourceFile], home: Country) -> Draft {
        let parts: Vec<&[u8]> =
            files.iter().flat_map(|file| [file.name.as_bytes(), file.text.as_bytes()]).collect();
        let rules = RuleSet {
            default_tariff: None,
            identity_order: IdentityRule::ALL.to_vec(),
            tariffs: Vec::new(),
            bands: Vec::new(),
            decks: Vec::new(),
            timekeepers: Vec::new(),
            coding: Vec::new(),
            conditions: Vec::new(),
            outcomes: OutcomeTable::default(),
            examples: Vec::new(),
            hash: Hash::of_parts(parts),
        };
        Draft {
            rules,
            band_spans: Vec::new(),
            tariff_spans: Vec::new(),
            band_mentions: Vec::new(),
            tariff_mentions: Vec::new(),
            numbers: NumberReader::new(home),
        }
    }

    fn read_bands(&mut self, top: &Table<'_, '_>) {
        for (name, table) in top.named_tables("band", "band") {
            if self.rules.bands.iter().any(|band| band.name == name.value) {
                let message = format!("the band {} is defined twice", name.value);
                table.complain(
                    "duplicate-band",
                    name.span.clone(),
                    message,
                    "Give one of them another name.",
                );
            }
            let band = read_band(&name, &table);
            table.finish();
            if let Some(band) = band {
                self.rules.bands.push(band);
                self.band_spans.push((top.file.to_owned(), name.span));
            }
        }
    }

    fn read_rest(&mut self, file: &SourceFile, top: &Table<'_, '_>) {
        if let Some(name) = top.text("default_tariff") {
            if self.rules.default_tariff.is_some() {
                let hint = "Keep default_tariff in one file.";
                top.complain(
                    "duplicate-default",
                    name.span.clone(),
                    "the default tariff is named twice",
                    hint,
                );
            }
            self.rules.default_tariff = Some(name.value.clone());
            self.tariff_mentions.push(Mention { file: file.name.clone(), name });
        }
        for (name, table) in top.named_tables("tariff", "tariff") {
            self.read_tariff(file, &name, table);
        }
        for table in top.tables("outcome", "outcome") {
            self.read_outcome(table);
        }
        for table in top.tables("example", "example") {
            self.read_example(table);
        }
    }

    fn read_tariff(&mut self, file: &SourceFile, name: &Text, table: Table<'_, '_>) {
        let mut version = TariffVersion {
            name: name.value.clone(),
            currency: read_currency(&table),
            zone: read_zone(&table),
            legs: word(&table, "legs", LegPolicy::from_word, LegPolicy::ALL)
                .unwrap_or(LegPolicy::CustomerFacing),
            without_legs: word(&table, "without_legs", WithoutLegs::from_word, WithoutLegs::ALL)
                .unwrap_or(WithoutLegs::Master),
            rounding: Rounding { line: read_rounding(&table), ..Rounding::default() },
            options: TariffOptions::default(),
            supplier: None,
            valid_from: value(&table, "valid_from", reader::date, "Write it as \"2026-01-01\"."),
            rates: Vec::new(),
            allowances: Vec::new(),
            fees: Vec::new(),
            discounts: Vec::new(),
            cap: None,
            commitment: None,
            fees_count: false,
            file: file.name.clone(),
            line: line_of(&file.text, name.span.start),
        };
        let tariff = self.rules.tariffs.len();
        for table in table.tables("rate", "rate") {
            self.read_rate(file, tariff, &mut version, table);
        }
        for table in table.tables("allowance", "allowance") {
            self.read_allowance(file, tariff, &mut version, table);
        }
        for fee in table.tables("fee", "fee") {
            read_fee(&mut version, fee);
        }
        if version.rates.is_empty() && table.get("rate").is_none() {
            let hint = "Add at least one [[tariff.NAME.rate]]; \"0 per call\" prices at nothing.";
            table.complain("no-rates", name.span.clone(), format!("tariff {} has no rate", name.value), hint);
        }
        table.finish();
        self.rules.tariffs.push(version);
        self.tariff_spans.push(name.span.clone());
    }

    fn read_rate(
        &mut self,
        file: &SourceFile,
        tariff: usize,
        version: &mut TariffVersion,
        table: Table<'_, '_>,
    ) {
        let price = value(&table, "price", reader::price, PRICE_HINT);
        if table.get("price").is_none() {
            table.complain("missing-key", table.span.clone(), "rate has no price", PRICE_HINT);
        }
        let (matches, bands) = read_match(&table, "match");
        let increment =
            value(&table, "increment", reader::increment, "Write first and next seconds: \"60/6\".");
        if let (Some(_), Some(price)) = (increment, &price)
            && price.unit != Unit::Second
        {
            let span = table.get("increment").map_or(table.span.clone(), toml::Spanned::span);
            let hint = "Increments belong to prices per second, minute or hour.";
            table.complain("increment-without-time", span, format!("{} has no increments", price.text), hint);
        }
        let rate = self.finish_rate(file, &table, version, price, matches, increment);
        for band in bands {
            // A rate that could not be read still has its band checked; there is no place to put the index then.
            let slot =
                Slot::Rate { tariff, rate: if rate.is_some() { version.rates.len() } else { usize::MAX } };
            self.band_mentions.push((Mention { file: file.name.clone(), name: band }, slot));
        }
        version.rates.extend(rate);
        table.finish();
    }

    fn finish_rate(
        &mut self,
        file: &SourceFile,
        table: &Table<'_, '_>,
        version: &TariffVersion,
        price: Option<super::ruleset::Price>,
        matches: Match,
        increment: Option<Increment>,
    ) -> Option<Rate> {
        let amount = |key| value(table, key, reader::amount, "Write digits in quotes: \"0.10\".");
        let (connection_fee, charge_floor, charge_cap) =
            (amount("connection_fee"), amount("charge_floor"), amount("charge_cap"));
        if let (Some(floor), Some(cap)) = (charge_floor, charge_cap)
            && cap < floor
        {
            let hint = "A cap below the floor can never hold; swap or remove one.";
            let message = format!("the cap {cap} is below the floor {floor}");
            table.complain("cap-below-floor", table.span.clone(), message, hint);
        }
        let bill_when =
            table.get("bill_when").map(|_| read_words(table, "bill_when", Outcome::from_word, Outcome::ALL));
        let name = table.text("name").map(|name| name.value);
        let price = price?;
        let name = name.unwrap_or_else(|| format!("{} ({})", price.text, version.rates.len() + 1));
        if version.rates.iter().any(|rate| rate.name == name) {
            let hint = "Lines are named after rates: give each its own name.";
            table.complain(
                "duplicate-rate",
                table.span.clone(),
                format!("two rates are called \"{name}\""),
                hint,
            );
        }
        warn_numbering_plan(table, &matches);
        Some(Rate {
            name,
            matches,
            price,
            pricing: Pricing::Plain,
            minimum_seconds: 0,
            grace_milliseconds: 0,
            scope: Scope::Call,
            discount: None,
            increment: increment.unwrap_or(Increment { first_seconds: 1, next_seconds: 1 }),
            connection_fee,
            charge_floor,
            charge_cap,
            bill_when,
            file: file.name.clone(),
            line: line_of(&file.text, table.span.start),
        })
    }

    fn read_allowance(
        &mut self,
        file: &SourceFile,
        tariff: usize,
        version: &mut TariffVersion,
        table: Table<'_, '_>,
    ) {
        let name = table.required_text("name", "The name stands on the invoice.");
        let grants = table.required_text("grants", GRANT_HINT).and_then(|text| {
            let parsed = reader::granted(&text.value);
            parsed
                .map_err(|message| table.complain("wrong-value", text.span.clone(), message, GRANT_HINT))
                .ok()
        });
        let text = table.text("grants").map(|text| text.value).unwrap_or_default();
        let (applies_to, bands) = read_match(&table, "applies_to");
        if let (Some(name), Some((unit, grants))) = (name, grants) {
            if version.allowances.iter().any(|other| other.name == name.value) {
                let message = format!("two allowances are called \"{}\"", name.value);
                table.complain("duplicate-allowance", name.span.clone(), message, "Give each its own name.");
            }
            for band in bands {
                let slot = Slot::Allowance { tariff, allowance: version.allowances.len() };
                self.band_mentions.push((Mention { file: file.name.clone(), name: band }, slot));
            }
            version.allowances.push(Allowance {
                name: name.value,
                unit,
                grants,
                amount: None,
                applies_to,
                shared: false,
                per: None,
                rollover: None,
                prorate: false,
                text,
            });
        }
        table.finish();
    }

    fn read_outcome(&mut self, table: Table<'_, '_>) {
        let channel = required_word(&table, "channel", Channel::from_word, Channel::ALL);
        let outcome = required_word(&table, "outcome", Outcome::from_word, Outcome::ALL);
        let arrived = required_word(&table, "arrived", Arrived::from_word, Arrived::ALL);
        let billable = table.flag("billable");
        if table.get("billable").is_none() {
            table.complain(
                "missing-key",
                table.span.clone(),
                "outcome has no billable",
                "Write true or false.",
            );
        }
        if let (Some(channel), Some(outcome), Some(arrived), Some(billable)) =
            (channel, outcome, arrived, billable)
        {
            if self.rules.outcomes.rule(channel, outcome).is_none() {
                let message = format!("an event of {channel} is never {outcome}");
                table.complain("impossible-outcome", table.span.clone(), message, "Remove this row.");
            }
            self.rules.outcomes.set(channel, outcome, OutcomeRule { arrived, billable });
        }
        table.finish();
    }

    fn read_example(&mut self, table: Table<'_, '_>) {
        let tariff = table.required_text("tariff", "Name the tariff the example is for.");
        let event =
            table.table("event", "event of the example").and_then(|event| self.read_example_event(event));
        if table.get("event").is_none() {
            table.complain("missing-key", table.span.clone(), "example has no event", "Describe one event.");
        }
        let left = table.table("given", "given of the example").map(read_left).unwrap_or_default();
        let expect = table.table("expect", "expect of the example");
        if expect.is_none() && table.get("expect").is_none() {
            table.complain(
                "missing-key",
                table.span.clone(),
                "example expects nothing",
                "Write expect = { charge = … }.",
            );
        }
        let mut example = Example {
            tariff: tariff.as_ref().map(|name| name.value.clone()).unwrap_or_default(),
            event: match event {
                Some(event) => event,
                None => return,
            },
            left,
            used: Vec::new(),
            charge: None,
            disposition: None,
            because: Vec::new(),
            file: table.file.to_owned(),
            span: table.span.clone(),
        };
        if let Some(expect) = expect {
            example.charge = value(&expect, "charge", reader::amount, "Write digits in quotes: \"0.04795\".");
            example.disposition =
                word(&expect, "disposition", EventDisposition::from_word, EventDisposition::ALL);
            example.because = expect.texts("because").into_iter().map(|text| text.value).collect();
            if ["charge", "disposition", "because"].iter().all(|key| expect.get(key).is_none()) {
                let hint = "Write a charge, a disposition or a step it must show.";
                table.complain("empty-example", table.span.clone(), "example expects nothing", hint);
            }
            expect.finish();
        }
        if let Some(name) = tariff {
            self.tariff_mentions.push(Mention { file: table.file.to_owned(), name });
            self.rules.examples.push(example);
        }
        table.finish();
    }

    fn read_example_event(&mut self, table: Table<'_, '_>) -> Option<ExampleEvent> {
        let channel = required_word(&table, "channel", Channel::from_word, Channel::ALL);
        let direction = word(&table, "direction", Direction::from_word, Direction::ALL);
        let outcome = word(&table, "outcome", Outcome::from_word, Outcome::ALL);
        let start = table.required_text("start", START_HINT).and_then(|text| {
            let parsed = Instant::parse(&text.value);
            if parsed.is_none() {
                let message = format!("\"{}\" is not a time with an offset", text.value);
                table.complain("wrong-value", text.span.clone(), message, START_HINT);
            }
            parsed
        });
        let mut number = |key| {
            let text = table.text(key).map(|text| text.value).unwrap_or_default();
            self.numbers.read(&text)
        };
        let (from, to) = (number("from"), number("to"));
        let seconds = table.integer("seconds").map(|(seconds, _)| seconds.saturating_mul(1000));
        let milliseconds = table.integer("milliseconds").map(|(milliseconds, _)| milliseconds).or(seconds);
        let small = |key| table.integer(key).and_then(|(count, _)| u32::try_from(count).ok());
        let (segments, pages) = (small("segments"), small("pages"));
        table.finish();
        let channel = channel?;
        let direction = direction.unwrap_or(Direction::Outbound);
        let usual = match (channel, direction) {
            (Channel::Voice, _) => Outcome::Answered,
            (_, Direction::Inbound) | (Channel::Voicemail, _) => Outcome::Received,
            (Channel::Fax, _) => Outcome::Sent,
            _ => Outcome::Delivered,
        };
        let outcome = outcome.unwrap_or(usual);
        Some(ExampleEvent {
            start: start?,
            channel,
            direction,
            outcome,
            from,
            to,
            milliseconds,
            segments,
            pages,
            extension: None,
            matter: None,
            timekeeper: None,
            error_code: None,
            carrier_cost: None,
        })
    }

    /// What only shows when all files are read.
    fn cross_check(&mut self, sink: &Sink) {
        let names: Vec<&str> = self.rules.bands.iter().map(|band| band.name.as_str()).collect();
        for (mention, slot) in &self.band_mentions {
            let Some(band) = names.iter().position(|name| *name == mention.name.value) else {
                let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                let message = format!("there is no band called {}", mention.name.value);
                let hint = format!("Bands are: {known}.");
                sink.borrow_mut().push(
                    Diagnostic::error(
                        "unknown-band",
                        &mention.file,
                        Some(mention.name.span.clone()),
                        message,
                    )
                    .hint(hint),
                );
                continue;
            };
            let target = match slot {
                Slot::Rate { tariff, rate } => self
                    .rules
                    .tariffs
                    .get_mut(*tariff)
                    .and_then(|tariff| tariff.rates.get_mut(*rate))
                    .map(|rate| &mut rate.matches),
                Slot::Allowance { tariff, allowance } => self
                    .rules
                    .tariffs
                    .get_mut(*tariff)
                    .and_then(|tariff| tariff.allowances.get_mut(*allowance))
                    .map(|allowance| &mut allowance.applies_to),
            };
            if let Some(matches) = target {
                matches.bands.push(band);
            }
        }
        self.check_tariff_names(sink);
        self.check_example_allowances(sink);
        self.check_versions(sink);
        self.rules
            .tariffs
            .sort_by(|left, right| (&left.name, left.valid_from).cmp(&(&right.name, right.valid_from)));
    }

    fn check_tariff_names(&self, sink: &Sink) {
        for mention in &self.tariff_mentions {
            if self.rules.tariffs.iter().any(|tariff| tariff.name == mention.name.value) {
                continue;
            }
            let mut names: Vec<&str> = self.rules.tariffs.iter().map(|tariff| tariff.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            let message = format!("there is no tariff called {}", mention.name.value);
            let hint = format!("Tariffs are: {}.", names.join(", "));
            sink.borrow_mut().push(
                Diagnostic::error("unknown-tariff", &mention.file, Some(mention.name.span.clone()), message)
                    .hint(hint),
            );
        }
    }

    /// An example that speaks of an allowance its tariff does not have would test something else than it says.
    fn check_example_allowances(&self, sink: &Sink) {
        for example in &self.rules.examples {
            let versions = self.rules.tariffs.iter().filter(|tariff| tariff.name == example.tariff);
            let known: Vec<&str> = versions
                .flat_map(|tariff| tariff.allowances.iter().map(|allowance| allowance.name.as_str()))
                .collect();
            for (name, _) in example.left.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
                let message = format!("tariff {} has no allowance called \"{name}\"", example.tariff);
                let hint = match known.is_empty() {
                    true => "The tariff has none at all.".to_owned(),
                    false => format!("Allowances are: {}.", known.join(", ")),
                };
                let span = Some(example.span.clone());
                sink.borrow_mut()
                    .push(Diagnostic::error("unknown-allowance", &example.file, span, message).hint(hint));
            }
        }
    }

    /// Versions of one tariff: distinct dates, one currency, one zone.
    fn check_versions(&self, sink: &Sink) {
        for (index, tariff) in self.rules.tariffs.iter().enumerate() {
            for other in &self.rules.tariffs[..index] {
                if other.name != tariff.name {
                    continue;
                }
                let place = format!("{}:{}", other.file, other.line);
                let complain = |code, message: String, hint: &str| {
                    let span = Some(self.tariff_spans[index].clone());
                    sink.borrow_mut().push(Diagnostic::error(code, &tariff.file, span, message).hint(hint));
                };
                if other.valid_from == tariff.valid_from {
                    let message =
                        format!("tariff {} is defined twice for the same time (also {place})", tariff.name);
                    complain("duplicate-tariff", message, "Give the later version its own valid_from.");
                }
                if other.currency != tariff.currency || other.zone != tariff.zone {
                    let message = format!(
                        "versions of tariff {} differ in currency or zone (see {place})",
                        tariff.name
                    );
                    complain("tariff-version-differs", message, "Give the new tariff a new name instead.");
                }
            }
        }
    }
}
