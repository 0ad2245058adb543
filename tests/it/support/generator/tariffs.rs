//! Tariffs: one file for each version of each.

use std::fs;
use std::path::Path;

use chrono_tz::Tz;

use super::common::{self, BANDS};
use super::rates::{Rate, condition, destinations, money, money_from, rates, supplier_rates};
use super::{Dice, Setting};

/// What the contacts need to know of a tariff.
pub struct Tariff {
    pub name: String,
    pub currency: &'static str,
    pub zone: Tz,
    pub is_default: bool,
    /// Has a rate for everything at every time, so that it never falls back to the default tariff.
    pub complete: bool,
    /// Whether calls are priced as a whole, not by time.
    pub per_call: bool,
    /// The same in every version, so that counters can go on.
    allowances: Vec<Allowance>,
}

struct Allowance {
    name: String,
    /// `minutes` and so on, or `charges`.
    unit: &'static str,
    /// The keys but for the grant.
    text: String,
}

/// What one version draws at once, since some features do not go together.
pub struct Style {
    pub rounds: &'static str,
    pub widths: bool,
    pub beyond: &'static str,
    pub scopes: bool,
    pub supplier: bool,
    options: Vec<String>,
}

const SUPPLIER: &str = "carrier";

pub fn write(dice: &mut Dice, setting: &Setting, folder: &Path) -> Vec<Tariff> {
    let count = dice.between(1, 4);
    let has_default = dice.chance(90);
    let tariffs: Vec<Tariff> =
        (0..count).map(|index| draw_tariff(dice, setting, index, has_default)).collect();
    let common = common::write(dice, setting, has_default, folder);
    fs::write(folder.join("common.toml"), common).unwrap();
    let mut carrier = format!(
        "[tariff.{SUPPLIER}]\ncurrency = \"{}\"\nzone = \"{}\"\n",
        setting.currency,
        dice.pick(&setting.zones).name()
    );
    if dice.chance(30) {
        carrier += "options = { increments_from = \"zero\", units = \"completed\" }\n";
    }
    for (index, rate) in supplier_rates(dice, setting).into_iter().enumerate() {
        carrier += &format!("\n[[tariff.{SUPPLIER}.rate]]\nname = \"Cost {index}\"\n{rate}");
    }
    fs::write(folder.join("carrier.toml"), carrier).unwrap();
    for tariff in &tariffs {
        let versions = versions(dice, setting, tariff);
        let alone = versions.len() == 1;
        for (index, version) in versions.into_iter().enumerate() {
            let text = tariff_text(dice, setting, tariff, &version, (index, alone));
            fs::write(folder.join(format!("{}-{index}.toml", tariff.name)), text).unwrap();
        }
    }
    tariffs
}

fn draw_tariff(dice: &mut Dice, setting: &Setting, index: u64, has_default: bool) -> Tariff {
    let is_default = has_default && index == 0;
    let foreign = !is_default && dice.chance(25);
    let currency = if foreign { dice.word(&["USD", "GBP", "JPY", "KWD"]) } else { setting.currency };
    let per_call = !is_default && dice.chance(20);
    let mut allowances = Vec::new();
    for number in 1..=dice.below(4) {
        allowances.push(draw_allowance(dice, setting, number, per_call && number == 1));
    }
    Tariff {
        name: format!("tariff-{index}"),
        currency,
        zone: *dice.pick(&setting.zones),
        is_default,
        complete: currency != setting.currency,
        per_call,
        allowances,
    }
}

fn draw_allowance(dice: &mut Dice, setting: &Setting, number: u64, of_calls: bool) -> Allowance {
    let (unit, channel) = match dice.below(7) {
        _ if of_calls => ("calls", "voice"),
        0 | 1 => (dice.word(&["minutes", "seconds", "hours"]), "voice"),
        2 | 3 => (if setting.text_unit == "message" { "messages" } else { "segments" }, "sms"),
        4 | 5 if !setting.volume => ("charges", "voice"),
        _ => ("pages", "fax"),
    };
    let mut matching = format!("channel = \"{channel}\"");
    if unit == "calls" || dice.chance(40) {
        matching += dice.word(&[", direction = [\"outbound\", \"inbound\"]", ", direction = \"outbound\""]);
    }
    if dice.chance(25) {
        matching += &format!(", to = {}", destinations(dice));
    }
    if dice.chance(10) && unit != "hours" {
        matching += &format!(", band = \"{}\"", dice.pick(&BANDS));
    }
    let mut text = format!("applies_to = {{ {matching} }}\n");
    if dice.chance(15) {
        text += &format!("where = \"{}\"\n", condition(dice, setting));
    }
    if setting.pools && dice.chance(50) {
        text += "shared = true\n";
    }
    if dice.chance(30) {
        text += &format!("per = \"{}\"\n", dice.pick(&["contact", "extension", "number"]));
    }
    if setting.rollover && unit != "charges" && dice.chance(75) {
        let most = format!("{} {unit}", dice.between(1, 60));
        text += &format!("rollover = \"{}\"\n", if dice.chance(30) { "all" } else { most.as_str() });
        if dice.chance(50) {
            text += &format!("expires_after = {}\n", dice.between(1, 3));
        }
    }
    Allowance { name: format!("Included {unit} {number}"), unit, text }
}

/// The `valid_from` of each version; empty for none.
fn versions(dice: &mut Dice, setting: &Setting, tariff: &Tariff) -> Vec<String> {
    let start = (dice.word(&["", "2020-01-01", "2026-01-01"])).to_string();
    let change = setting.day(dice.between(2, 27));
    match dice.below(10) {
        0..=2 => vec!["2025-07-01".into(), change],
        3 => vec!["2025-07-01".into(), setting.day(1), setting.day(dice.between(10, 20))],
        4 if !tariff.complete => vec![change],
        _ => vec![start],
    }
}

fn draw_style(dice: &mut Dice, setting: &Setting, tariff: &Tariff) -> Style {
    let rounds =
        if setting.volume { "none" } else { dice.word(&["none", "none", "per-event", "per-increment"]) };
    let mut options: Vec<String> = Vec::new();
    let scopes = setting.scopes && dice.chance(70);
    for (key, words) in [
        ("increments_from", "first-block zero"),
        ("band_by", "increment call-start"),
        ("crossing", "start pieces"),
        ("connection_fee_on_change", "first each"),
        ("inside_allowance", "no-fee fee"),
        ("allowance_draws", "billed measured"),
        ("zero_seconds", "nothing first-block"),
        ("under_a_second", "first-block nothing"),
        ("grace_by", "shorter-than not-longer-than"),
        ("units", "started completed"),
        ("negative", "mirror toward-plus-infinity"),
        ("alphabet", "gsm7 national"),
        ("text_split", "pairs graphemes"),
        ("period_by", "start end split"),
        ("message_instant", "creation last-change"),
        ("late", "append replay"),
        ("proration", "end-exclusive both-inclusive"),
    ] {
        let alone = match key {
            "allowance_draws" | "zero_seconds" => !scopes,
            "period_by" => setting.period_moves,
            _ => true,
        };
        if !alone || !dice.chance(25) {
            continue;
        }
        let words: Vec<&str> = words.split_whitespace().collect();
        let word =
            if dice.chance(15) { words[0] } else { words[1 + dice.below(words.len() as u64 - 1) as usize] };
        options.push(format!("{key} = \"{word}\""));
    }
    if options.iter().any(|option| option == "zero_seconds = \"first-block\"") {
        options.retain(|option| option != "units = \"completed\"");
    }
    if dice.chance(15) {
        options.push(format!("after_offset_seconds = {}", dice.between(0, 2)));
    }
    let beyond = dice.word(&["mistake", "mistake", "last-price", "unbilled"]);
    let widths = dice.chance(40);
    options.push(format!("beyond_last_tier = \"{beyond}\""));
    options.push(format!("tier_bounds = \"{}\"", if widths { "widths" } else { "up-to" }));
    let supplier = tariff.currency == setting.currency && dice.chance(50);
    Style { rounds, widths, beyond, scopes, supplier, options }
}

fn tariff_text(
    dice: &mut Dice,
    setting: &Setting,
    tariff: &Tariff,
    version: &str,
    (index, alone): (usize, bool),
) -> String {
    let name = &tariff.name;
    let style = draw_style(dice, setting, tariff);
    let mut text =
        format!("[tariff.{name}]\ncurrency = \"{}\"\nzone = \"{}\"\n", tariff.currency, tariff.zone.name());
    if !version.is_empty() {
        text += &format!("valid_from = \"{version}\"\n");
    }
    text += &legs(dice);
    text += &rounding(dice, &style);
    if style.supplier {
        text += &format!("supplier = \"{SUPPLIER}\"\n");
    }
    text += &limits(dice, tariff.currency);
    let rates = rates(dice, setting, tariff, &style);
    let mut options = style.options.clone();
    options.extend(no_usage(dice, &rates));
    text += &format!("options = {{ {} }}\n\n", options.join(", "));
    let mut names = Vec::new();
    for (place, rate) in rates.into_iter().enumerate() {
        // What counts over a month is another rate in each version.
        let rate_name =
            if rate.counts { format!("Rate {place} of {index}") } else { format!("Rate {place}") };
        text += &format!("[[tariff.{name}.rate]]\nname = \"{rate_name}\"\n{}\n", rate.text);
        names.push(rate_name);
    }
    for allowance in &tariff.allowances {
        // Small where units are carried, so that months use them up.
        let share = if setting.rollover { 10 } else { 1 };
        let grant = match allowance.unit {
            "minutes" => dice.between(1, 200 / share),
            "hours" => dice.between(1, 3),
            "seconds" => dice.between(1, 5000 / share),
            _ => dice.between(1, 40 / share),
        };
        let grant = match allowance.unit {
            "charges" => format!("{} of charges", money(dice, tariff.currency, 5000)),
            unit => format!("{grant} {unit}"),
        };
        text += &format!(
            "[[tariff.{name}.allowance]]\nname = \"{}\"\ngrants = \"{grant}\"\n{}",
            allowance.name, allowance.text
        );
        let prorated =
            alone && allowance.unit != "charges" && !allowance.text.contains("shared") && dice.chance(30);
        text += if prorated { "prorate = true\n\n" } else { "\n" };
    }
    text += &fees(dice, tariff, alone, &mut names);
    text + &discounts(dice, tariff, &names)
}

fn legs(dice: &mut Dice) -> String {
    if dice.chance(40) {
        let words = [
            "customer-facing",
            "master",
            "timekeeper-leg",
            "estimated-talk",
            "longest-leg",
            "first-answered",
            "sum-of-legs",
        ];
        return format!(
            "legs = \"{}\"\nwithout_legs = \"{}\"\n",
            dice.pick(&words),
            dice.pick(&["master", "suspend"])
        );
    }
    String::new()
}

/// What a month without usage costs, where a rate has something to cost.
fn no_usage(dice: &mut Dice, rates: &[Rate]) -> Option<String> {
    let mut words = vec!["nothing"];
    let first_tier_has_fee = |rate: &Rate| {
        let tiers = rate.text.split_once("tier = [").and_then(|(_, rest)| rest.split_once('}'));
        tiers.is_some_and(|(first, _)| first.contains("fee"))
    };
    if rates.iter().any(first_tier_has_fee) {
        words.extend(["tier-fee"; 2]);
    }
    if rates.iter().any(|rate| rate.text.contains("\"package\"")) {
        words.extend(["package"; 2]);
    }
    dice.chance(60).then(|| format!("no_usage = \"{}\"", dice.pick(&words)))
}

fn rounding(dice: &mut Dice, style: &Style) -> String {
    let modes = ["half-away", "half-even", "up", "down"];
    let mut words = Vec::new();
    if dice.chance(30) {
        words.push(format!("line = \"{}\"", dice.pick(&modes)));
    }
    if style.rounds != "none" {
        words.push(format!("charge = \"{}\", charge_scale = {}", style.rounds, dice.between(1, 5)));
        if dice.chance(60) {
            words.push(format!("charge_mode = \"{}\"", dice.pick(&modes)));
        }
    }
    if words.is_empty() { String::new() } else { format!("rounding = {{ {} }}\n", words.join(", ")) }
}

/// Cap and commitment of the month; the cap is never below the commitment.
fn limits(dice: &mut Dice, currency: &str) -> String {
    let mut text = String::new();
    if dice.chance(25) {
        text += &format!("commitment = \"{} per month\"\n", money(dice, currency, 5_000));
    }
    if dice.chance(25) {
        text += &format!("cap = \"{} per month\"\n", money_from(dice, currency, 5_000, 40_000));
    }
    if !text.is_empty() && dice.chance(40) {
        text += "fees_count = true\n";
    }
    text
}

fn fees(dice: &mut Dice, tariff: &Tariff, alone: bool, names: &mut Vec<String>) -> String {
    let name = &tariff.name;
    let mut text = String::new();
    for fee in 0..dice.below(4) {
        let once = dice.chance(25);
        let price = money(dice, tariff.currency, 2500);
        let unit = if once { "once" } else { "per month" };
        text += &format!("[[tariff.{name}.fee]]\nname = \"Fee {fee}\"\nprice = \"{price} {unit}\"\n");
        if once && dice.chance(50) {
            text += &format!("on = \"2026-{:02}-{:02}\"\n", dice.between(3, 12), dice.between(1, 28));
        }
        if dice.chance(40) {
            text += &format!("per = \"{}\"\n", dice.pick(&["contact", "extension", "number"]));
        }
        if !once && dice.chance(40) {
            text += &format!("prorate = {}\n", dice.chance(30));
        }
        if !once && alone && dice.chance(30) {
            text += "in_advance = true\n";
        }
        text += "\n";
        names.push(format!("Fee {fee}"));
    }
    text
}

fn discounts(dice: &mut Dice, tariff: &Tariff, names: &[String]) -> String {
    let name = &tariff.name;
    let mut text = String::new();
    for number in 0..dice.below(4) {
        let off = match dice.chance(60) {
            true => format!("{}%", dice.pick(&["10", "2.5", "33.3", "50"])),
            false => money(dice, tariff.currency, 900),
        };
        text += &format!("[[tariff.{name}.discount]]\nname = \"Discount {number}\"\noff = \"{off}\"\n");
        match dice.below(4) {
            0 | 1 => {
                text += "of = \"line\"\n";
                if dice.chance(50) {
                    text += &format!("lines = [\"{}\"]\n", dice.pick(names));
                }
            }
            2 => text += "of = \"period\"\n",
            _ => {}
        }
        text += "\n";
    }
    text
}
