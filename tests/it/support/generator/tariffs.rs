//! Rule files: bands, outcome overrides, and one file for each version of each tariff.

use std::fs;
use std::path::Path;

use chrono_tz::Tz;

use super::{COUNTRIES, Dice, Setting};

/// What the contacts need to know of a tariff.
pub struct Tariff {
    pub name: String,
    pub currency: &'static str,
    pub zone: Tz,
    pub is_default: bool,
    /// Has a rate for everything at every time, so that it never falls back to the default tariff.
    complete: bool,
    /// Whether calls are priced as a whole, not by time. The default tariff never does: a call is not priced in both ways.
    per_call: bool,
    has_fees: bool,
    /// Name, unit (`minutes`, …) and `applies_to` are the same in every version, so that counters can go on.
    allowances: Vec<(String, &'static str, String)>,
}

const BANDS: [&str; 6] = ["business", "evening", "night", "weekend", "friday-night", "contact-day"];

pub fn write(dice: &mut Dice, setting: &Setting, folder: &Path) -> Vec<Tariff> {
    let count = dice.between(1, 4);
    let has_default = dice.chance(90);
    let tariffs: Vec<Tariff> =
        (0..count).map(|index| draw_tariff(dice, setting, index, has_default)).collect();

    let mut common = String::new();
    if has_default {
        common += "default_tariff = \"tariff-0\"\n\n";
    }
    common += &bands(dice, setting);
    if dice.chance(25) {
        let (channel, outcome, billable) = *dice.pick(&[
            ("fax", "partial", true),
            ("sms", "delivery-failed", false),
            ("fax", "sent", false),
        ]);
        common += &format!(
            "[[outcome]]\nchannel = \"{channel}\"\noutcome = \"{outcome}\"\narrived = \"indeterminate\"\nbillable = {billable}\n\n"
        );
    }
    fs::write(folder.join("common.toml"), common).unwrap();

    for tariff in &tariffs {
        for (index, version) in versions(dice, setting, tariff).into_iter().enumerate() {
            let text = tariff_text(dice, setting, tariff, &version);
            fs::write(folder.join(format!("{}-{index}.toml", tariff.name)), text).unwrap();
        }
    }
    tariffs
}

fn draw_tariff(dice: &mut Dice, setting: &Setting, index: u64, has_default: bool) -> Tariff {
    let is_default = has_default && index == 0;
    let foreign = !is_default && dice.chance(25);
    let currency = if foreign { dice.word(&["USD", "GBP", "JPY"]) } else { setting.currency };
    let complete = currency != setting.currency;
    let per_call = !is_default && dice.chance(20);
    let mut allowances = Vec::new();
    for number in 1..=dice.below(4) {
        let (unit, channel) = match dice.below(5) {
            _ if per_call && number == 1 => ("calls", "voice"),
            0 | 1 if !per_call => (dice.word(&["minutes", "seconds"]), "voice"),
            2 | 3 => (if setting.text_unit == "message" { "messages" } else { "segments" }, "sms"),
            _ => ("pages", "fax"),
        };
        let mut matching = format!("channel = \"{channel}\"");
        if unit == "calls" || dice.chance(40) {
            matching +=
                dice.word(&[", direction = [\"outbound\", \"inbound\"]", ", direction = \"outbound\""]);
        }
        if dice.chance(25) {
            matching += &format!(", to = {}", destinations(dice));
        }
        if dice.chance(10) {
            matching += &format!(", band = \"{}\"", dice.pick(&BANDS));
        }
        allowances.push((format!("Included {unit} {number}"), unit, matching));
    }
    Tariff {
        name: format!("tariff-{index}"),
        currency,
        zone: *dice.pick(&setting.zones),
        is_default,
        complete,
        per_call,
        has_fees: dice.chance(40),
        allowances,
    }
}

/// The `valid_from` of each version; empty for none. A tariff with fees has one version, in force all the time.
fn versions(dice: &mut Dice, setting: &Setting, tariff: &Tariff) -> Vec<String> {
    let start = (dice.word(&["", "2020-01-01", "2026-01-01"])).to_string();
    let change = setting.day(dice.between(2, 27));
    match dice.below(10) {
        0..=2 if !tariff.has_fees => vec!["2025-07-01".into(), change],
        3 if !tariff.has_fees => vec!["2025-07-01".into(), setting.day(1), setting.day(dice.between(10, 20))],
        4 if !tariff.has_fees && !tariff.complete => vec![change],
        _ => vec![start],
    }
}

fn bands(dice: &mut Dice, setting: &Setting) -> String {
    let holiday = |dice: &mut Dice| format!("except = [\"{}\"]\n", setting.day(dice.between(1, 28)));
    let mut text = String::from("[band.business]\ndays = \"mon-fri\"\nhours = \"08:00-18:00\"\n");
    if dice.chance(60) {
        text += &holiday(dice);
    }
    text += "\n[band.evening]\nhours = \"18:00-22:00\"\n";
    text += "\n[band.night]\nhours = \"22:00-06:00\"\n";
    if dice.chance(50) {
        text += &holiday(dice);
    }
    text += "\n[band.weekend]\ndays = \"sat,sun\"\n";
    text += "\n[band.friday-night]\ndays = \"mon,thu-fri\"\nhours = \"20:15-06:00\"\n";
    text + "\n[band.contact-day]\ndays = \"mon-sat\"\nhours = \"09:00-17:30\"\nzone = \"contact\"\n\n"
}

fn tariff_text(dice: &mut Dice, setting: &Setting, tariff: &Tariff, version: &str) -> String {
    let name = &tariff.name;
    let mut text =
        format!("[tariff.{name}]\ncurrency = \"{}\"\nzone = \"{}\"\n", tariff.currency, tariff.zone.name());
    if !version.is_empty() {
        text += &format!("valid_from = \"{version}\"\n");
    }
    if dice.chance(25) {
        text += &format!(
            "rounding = {{ line = \"{}\" }}\n",
            dice.pick(&["half-away", "half-even", "up", "down"])
        );
    }
    text += "\n";
    for (index, rate) in rates(dice, setting, tariff).into_iter().enumerate() {
        text += &format!("[[tariff.{name}.rate]]\nname = \"Rate {index}\"\n{rate}\n");
    }
    for (allowance, unit, matching) in &tariff.allowances {
        let granted = match *unit {
            "minutes" => dice.between(1, 200),
            "seconds" => dice.between(1, 5000),
            _ => dice.between(1, 40),
        };
        text +=
            &format!("[[tariff.{name}.allowance]]\nname = \"{allowance}\"\ngrants = \"{granted} {unit}\"\n");
        text += &format!("applies_to = {{ {matching} }}\n\n");
    }
    if tariff.has_fees {
        for fee in 0..dice.between(1, 2) {
            let price = money(dice, tariff.currency, 2500);
            text +=
                &format!("[[tariff.{name}.fee]]\nname = \"Fee {fee}\"\nprice = \"{price} per month\"\n\n");
        }
    }
    text
}

/// All rates of one version, in the order of the file: special ones of each channel, and mostly one for the rest.
fn rates(dice: &mut Dice, setting: &Setting, tariff: &Tariff) -> Vec<String> {
    let mut rates = Vec::new();
    for _ in 0..dice.between(1, 6) {
        rates.push(voice(dice, tariff, true));
    }
    // Rates for everyone at some hours, so that calls run from one band into another.
    if !tariff.per_call && dice.chance(70) {
        for band in [dice.word(&BANDS), dice.word(&BANDS)] {
            rates.push(voice_at(dice, tariff, &format!("channel = \"voice\", band = \"{band}\"")));
        }
    }
    if tariff.complete || tariff.per_call || dice.chance(75) {
        rates.push(voice(dice, tariff, false));
    }
    if !tariff.complete && dice.chance(15) {
        rates.push(
            "match = { channel = \"voice\", direction = \"internal\" }\nprice = \"0 per minute\"\n".into(),
        );
    }
    for special in [true, false] {
        let skip = if special { dice.chance(40) } else { !tariff.complete && dice.chance(15) };
        if !skip {
            rates.push(texts(dice, tariff, "\"sms\"", setting.text_unit, special));
            rates.push(texts(dice, tariff, "[\"mms\"]", "message", special));
            rates.push(fax(dice, tariff, special));
            rates.push(texts(dice, tariff, "\"voicemail\"", "message", false));
        }
    }
    if dice.chance(30) {
        dice.shuffle(&mut rates);
    }
    rates
}

fn voice(dice: &mut Dice, tariff: &Tariff, special: bool) -> String {
    let mut matching = String::from("channel = \"voice\"");
    if special {
        matching += &direction(dice);
        if dice.chance(60) {
            matching += &format!(", to = {}", destinations(dice));
        }
        if dice.chance(10) {
            matching += &format!(", from = {}", destinations(dice));
        }
        if !tariff.per_call && dice.chance(50) {
            let (band, other) = (*dice.pick(&BANDS), *dice.pick(&BANDS));
            matching += &match dice.chance(15) && band != other {
                true => format!(", band = [\"{band}\", \"{other}\"]"),
                false => format!(", band = \"{band}\""),
            };
        }
    } else if !tariff.complete && dice.chance(80) {
        matching += ", direction = [\"inbound\", \"outbound\"]";
    }
    voice_at(dice, tariff, &matching)
}

fn voice_at(dice: &mut Dice, tariff: &Tariff, matching: &str) -> String {
    let unit =
        if tariff.per_call { "call" } else { dice.word(&["minute", "minute", "minute", "second", "hour"]) };
    let (least, most) = if unit == "second" { (0, 9) } else { (0, 250) };
    let price = fine_price(dice, tariff.currency, least, most);
    let mut text = format!("match = {{ {matching} }}\nprice = \"{price} per {unit}\"\n");
    if unit != "call" && dice.chance(80) {
        let increments = ["60/60", "60/6", "6/6", "30/6", "1/1", "60/1", "7/13", "180/60", "10/7"];
        text += &format!("increment = \"{}\"\n", dice.pick(&increments));
    }
    text + &limits(dice, tariff.currency)
}

/// Connection fee, floor and cap, each now and then; the cap is never below the floor.
fn limits(dice: &mut Dice, currency: &str) -> String {
    let mut text = String::new();
    if dice.chance(30) {
        text += &format!("connection_fee = \"{}\"\n", money(dice, currency, 9));
    }
    if dice.chance(20) {
        text += &format!("charge_floor = \"{}\"\n", money(dice, currency, 30));
    }
    if dice.chance(20) {
        text += &format!("charge_cap = \"{}\"\n", money_from(dice, currency, 31, 900));
    }
    text
}

fn texts(dice: &mut Dice, tariff: &Tariff, channel: &str, unit: &str, special: bool) -> String {
    let mut matching = format!("channel = {channel}");
    if special {
        matching += &direction(dice);
        matching += &format!(", to = {}", destinations(dice));
        if dice.chance(15) {
            matching += &format!(", band = \"{}\"", dice.pick(&BANDS));
        }
    }
    let mut text = format!(
        "match = {{ {matching} }}\nprice = \"{} per {unit}\"\n",
        fine_price(dice, tariff.currency, 0, 12)
    );
    if channel != "\"voicemail\"" && dice.chance(20) {
        text += "bill_when = [\"delivered\", \"received\"]\n";
    }
    text
}

fn fax(dice: &mut Dice, tariff: &Tariff, special: bool) -> String {
    let mut matching = String::from("channel = \"fax\"");
    if special {
        matching += &direction(dice);
        matching += &format!(", to = {}", destinations(dice));
    }
    let mut text = format!(
        "match = {{ {matching} }}\nprice = \"{} per page\"\n",
        fine_price(dice, tariff.currency, 0, 40)
    );
    if dice.chance(25) {
        text += dice.word(&[
            "bill_when = [\"delivered\"]\n",
            "bill_when = [\"sent\", \"delivered\", \"partial\", \"received\"]\n",
        ]);
    }
    if dice.chance(30) {
        text += &limits(dice, tariff.currency);
    }
    text
}

fn direction(dice: &mut Dice) -> String {
    match dice.below(5) {
        0 | 1 => ", direction = \"outbound\"".into(),
        2 => ", direction = \"inbound\"".into(),
        3 => ", direction = [\"inbound\", \"outbound\"]".into(),
        _ => String::new(),
    }
}

/// Countries and prefixes, some inside others.
fn destinations(dice: &mut Dice) -> String {
    let prefixes = [
        "+1", "+1876", "+1212", "+12125", "+1415", "+44", "+4420", "+44207", "+447", "+49", "+4930", "+49151",
    ];
    let one = |dice: &mut Dice| match dice.chance(50) {
        true => format!("\"{}\"", dice.pick(&COUNTRIES)),
        false => format!("\"{}\"", dice.pick(&prefixes)),
    };
    let first = one(dice);
    let second = one(dice);
    if first == second || dice.chance(60) { first } else { format!("[{first}, {second}]") }
}

/// A price of up to `most` hundredths, often with more digits than the currency has.
fn fine_price(dice: &mut Dice, currency: &str, least: u64, most: u64) -> String {
    if dice.chance(6) {
        return "0".into();
    }
    let hundredths = dice.between(least, most);
    let (whole, rest) =
        if currency == "JPY" { (hundredths, dice.below(100)) } else { (hundredths / 100, hundredths % 100) };
    match dice.below(4) {
        0 => format!("{whole}.{rest:02}"),
        1 => format!("{whole}.{rest:02}{}", dice.below(10)),
        2 => format!("{whole}.{rest:02}5"),
        _ => format!("{whole}.{rest:02}{:04}", dice.below(10_000)),
    }
}

/// An amount in the currency's own digits, up to `most` hundredths (or yen).
fn money(dice: &mut Dice, currency: &str, most: u64) -> String {
    money_from(dice, currency, 1, most)
}

fn money_from(dice: &mut Dice, currency: &str, least: u64, most: u64) -> String {
    let amount = dice.between(least, most);
    if currency == "JPY" { amount.to_string() } else { format!("{}.{:02}", amount / 100, amount % 100) }
}
