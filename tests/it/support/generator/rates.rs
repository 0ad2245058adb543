//! Rates: how they match and what they ask.

use super::common::BANDS;
use super::tariffs::{Style, Tariff};
use super::{COUNTRIES, Dice, Setting};

/// A rate's name is its place; what counts over a month has a name of its own in each version.
pub struct Rate {
    pub counts: bool,
    pub text: String,
}

/// All rates of one version, in the order of the file: special ones of each channel, and mostly one for the rest.
pub fn rates(dice: &mut Dice, setting: &Setting, tariff: &Tariff, style: &Style) -> Vec<Rate> {
    let mut rates = Vec::new();
    for _ in 0..dice.between(1, 6) {
        rates.push(voice(dice, setting, (tariff, style), true));
    }
    // Rates for everyone at some hours, so that calls run from one band into another.
    if !tariff.per_call && setting.voice_bands && dice.chance(70) {
        for band in [dice.word(&BANDS), dice.word(&BANDS)] {
            rates.push(voice_at(
                dice,
                setting,
                (tariff, style),
                &format!("channel = \"voice\", band = \"{band}\""),
            ));
        }
    }
    if tariff.complete || tariff.per_call || dice.chance(75) {
        rates.push(voice(dice, setting, (tariff, style), false));
    }
    if !tariff.complete && dice.chance(15) {
        let text =
            "match = { channel = \"voice\", direction = \"internal\" }\nprice = \"0 per minute\"\n".into();
        rates.push(Rate { counts: false, text });
    }
    for special in [true, false] {
        let skip = if special { dice.chance(40) } else { !tariff.complete && dice.chance(15) };
        if !skip {
            rates.push(texts(dice, setting, (tariff, style), "sms", special));
            rates.push(texts(dice, setting, (tariff, style), "mms", special));
            rates.push(fax(dice, setting, (tariff, style), special));
            rates.push(texts(dice, setting, (tariff, style), "voicemail", false));
        }
    }
    if dice.chance(30) {
        dice.shuffle(&mut rates);
    }
    rates
}

/// Rates of a supplier: plain ones for everything.
pub fn supplier_rates(dice: &mut Dice, setting: &Setting) -> Vec<String> {
    let mut rates = Vec::new();
    let band = if setting.voice_bands { ", band = \"business\"" } else { "" };
    for matching in [format!("channel = \"voice\"{band}"), "channel = \"voice\"".into()] {
        let price = fine_price(dice, setting.currency, 1, 40);
        let increment = dice.word(&["60/60", "6/6", "1/1"]);
        let text = format!(
            "match = {{ {matching} }}\nprice = \"{price} per minute\"\nincrement = \"{increment}\"\n"
        );
        rates.push(text + &limits(dice, setting.currency));
    }
    let price = fine_price(dice, setting.currency, 1, 9);
    rates.push(format!("match = {{ channel = [\"sms\", \"mms\"] }}\nprice = \"{price} per message\"\n"));
    rates.push(format!(
        "match = {{ channel = \"fax\" }}\nprice = \"{} per page\"\n",
        fine_price(dice, setting.currency, 1, 9)
    ));
    rates
}

fn voice(dice: &mut Dice, setting: &Setting, of: (&Tariff, &Style), special: bool) -> Rate {
    let (tariff, _) = of;
    let mut matching = String::from("channel = \"voice\"");
    if special {
        matching += &direction(dice);
        if dice.chance(60) {
            matching += &format!(", to = {}", destinations(dice));
        }
        if dice.chance(10) {
            matching += &format!(", from = {}", destinations(dice));
        }
        if dice.chance(30) {
            matching += &further_match(dice, setting);
        }
        if !tariff.per_call && setting.voice_bands && dice.chance(50) {
            let (band, other) = (*dice.pick(&BANDS), *dice.pick(&BANDS));
            matching += &match dice.chance(15) && band != other {
                true => format!(", band = [\"{band}\", \"{other}\"]"),
                false => format!(", band = \"{band}\""),
            };
        }
    } else if !tariff.complete && dice.chance(80) {
        matching += ", direction = [\"inbound\", \"outbound\"]";
    }
    let mut rate = voice_at(dice, setting, of, &matching);
    if special && dice.chance(20) {
        rate.text += &format!("where = \"{}\"\n", condition(dice, setting));
    }
    rate
}

fn voice_at(dice: &mut Dice, setting: &Setting, of: (&Tariff, &Style), matching: &str) -> Rate {
    let (tariff, style) = of;
    let head = format!("match = {{ {matching} }}\n");
    if tariff.per_call {
        return per_event(dice, setting, of, head, "call");
    }
    let unit = dice.word(&["minute", "minute", "minute", "second", "hour"]);
    let (mut counts, mut bounded) = (false, true);
    let mut priced_by_deck = false;
    let price = match dice.below(24) {
        0..=2 => steps(dice, setting, tariff.currency),
        3..=6 if setting.tiers => {
            counts = true;
            let (text, volume) = tiers(dice, setting, of, ("minutes", "minute"), setting.voice_volume);
            bounded = !volume;
            text
        }
        7 | 8 if tariff.currency == setting.currency => {
            priced_by_deck = true;
            "price = \"deck world\"\n".into()
        }
        9 if tariff.currency == setting.currency => "price = \"by timekeeper\"\n".into(),
        10 | 11 => return per_event(dice, setting, of, head, "event"),
        _ => {
            let (least, most) = if unit == "second" { (0, 9) } else { (0, 250) };
            format!("price = \"{} per {unit}\"\n", fine_price(dice, tariff.currency, least, most))
        }
    };
    let mut text = head + &price;
    if !priced_by_deck && dice.chance(80) {
        let increments = ["60/60", "60/6", "6/6", "30/6", "1/1", "60/1", "7/13", "180/60", "10/7"];
        text += &format!("increment = \"{}\"\n", dice.pick(&increments));
    }
    if dice.chance(20) {
        text += &format!("minimum = \"{} seconds\"\n", dice.pick(&[30, 61, 90, 7]));
    }
    if dice.chance(20) {
        text += &format!("grace = \"{} seconds\"\n", dice.pick(&[1, 5, 60]));
    }
    if setting.scopes && style.scopes && !priced_by_deck && !text.contains("steps") && dice.chance(35) {
        counts = true;
        text += &format!(
            "scope = \"{}\"\n",
            dice.pick(&["contact-day", "matter-day", "timekeeper-day", "period"])
        );
    } else if dice.chance(5) {
        text += "scope = \"call\"\n";
    }
    if bounded {
        text += &limits(dice, tariff.currency);
        text += &discount(dice, tariff.currency);
    }
    Rate { counts, text }
}

/// A price of the event as a whole.
fn per_event(
    dice: &mut Dice,
    setting: &Setting,
    (tariff, style): (&Tariff, &Style),
    head: String,
    unit: &str,
) -> Rate {
    let currency = tariff.currency;
    let price = match dice.below(6) {
        0 | 1 => format!("{} flat", fine_price(dice, currency, 0, 300)),
        2 => dice.word(&["cost", "cost + 20%", "cost + 0.01", "cost + 12.5% + 0.015"]).to_string(),
        3 if style.supplier => {
            dice.word(&["supplier", "supplier + 15%", "supplier + 7.5% + 0.02"]).to_string()
        }
        4 if setting.tiers && unit == "call" => {
            let (text, volume) = tiers(dice, setting, (tariff, style), ("calls", "call"), true);
            let text = head + &text + &if volume { String::new() } else { limits(dice, currency) };
            return Rate { counts: true, text };
        }
        _ if unit == "call" => format!("{} per call", fine_price(dice, currency, 0, 250)),
        _ => format!("{} flat", fine_price(dice, currency, 0, 300)),
    };
    let text = head + &format!("price = \"{price}\"\n") + &limits(dice, currency) + &discount(dice, currency);
    Rate { counts: false, text }
}

fn steps(dice: &mut Dice, setting: &Setting, currency: &str) -> String {
    let mut steps = Vec::new();
    for _ in 0..dice.between(1, 2) {
        let first = dice.word(&["1 minute", "3 minutes", "90 seconds", "10 minutes", "7 seconds"]);
        steps.push(format!(
            "{{ price = \"{} per minute\", first = \"{first}\" }}",
            fine_price(dice, currency, 0, 250)
        ));
    }
    steps.push(format!("{{ price = \"{} per minute\" }}", fine_price(dice, currency, 0, 90)));
    let _ = setting;
    format!("steps = [{}]\n", steps.join(", "))
}

/// A table of tiers, and whether it is one of volume.
fn tiers(
    dice: &mut Dice,
    setting: &Setting,
    (tariff, style): (&Tariff, &Style),
    (units, unit): (&str, &str),
    may_be_volume: bool,
) -> (String, bool) {
    let currency = tariff.currency;
    let mode = match dice.below(5) {
        0..=2 if setting.volume && may_be_volume && style.rounds == "none" => "volume",
        1..=3 if style.rounds != "per-increment" => "package",
        _ => "graduated",
    };
    let size = |dice: &mut Dice| if unit == "minute" { dice.between(5, 90) } else { dice.between(1, 9) };
    if mode == "package" {
        let price = money(dice, currency, 900);
        return (
            format!(
                "tiers = {{ mode = \"package\", size = \"{} {units}\", price = \"{price}\" }}\n",
                size(dice)
            ),
            false,
        );
    }
    let mut rows = Vec::new();
    let mut bound = 0;
    for _ in 0..dice.between(1, 3) {
        let width = size(dice);
        bound = if style.widths { width } else { bound + width };
        let mut row = format!(
            "up_to = \"{bound} {units}\", price = \"{} per {unit}\"",
            fine_price(dice, currency, 0, 90)
        );
        if dice.chance(35) {
            row += &format!(", fee = \"{}\"", money(dice, currency, 500));
        }
        rows.push(format!("{{ {row} }}"));
    }
    let open =
        style.beyond == "mistake" || (style.beyond == "unbilled" && mode == "volume") || dice.chance(30);
    if open {
        rows.push(format!("{{ price = \"{} per {unit}\" }}", fine_price(dice, currency, 0, 60)));
    }
    (format!("tiers = {{ mode = \"{mode}\", tier = [{}] }}\n", rows.join(", ")), mode == "volume")
}

fn discount(dice: &mut Dice, currency: &str) -> String {
    match dice.below(8) {
        0 => format!("discount = \"{}%\"\n", dice.pick(&["10", "12.5", "100", "33.3"])),
        1 => format!("discount = \"{}\"\n", money(dice, currency, 20)),
        _ => String::new(),
    }
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

fn texts(dice: &mut Dice, setting: &Setting, of: (&Tariff, &Style), channel: &str, special: bool) -> Rate {
    let (tariff, _) = of;
    let unit = if channel == "sms" { setting.text_unit } else { "message" };
    let mut matching = format!("channel = \"{channel}\"");
    if special {
        matching += &direction(dice);
        matching += &format!(", to = {}", destinations(dice));
        if dice.chance(15) {
            matching += &format!(", band = \"{}\"", dice.pick(&BANDS));
        }
        if dice.chance(30) {
            matching += &further_match(dice, setting);
        }
    }
    let head = format!("match = {{ {matching} }}\n");
    let mut rate = match dice.below(12) {
        0 if channel != "voicemail" => per_event(dice, setting, of, head, "event"),
        1 | 2 if setting.tiers => {
            let (price, _) = tiers(dice, setting, of, (&format!("{unit}s"), unit), true);
            Rate { counts: true, text: head + &price }
        }
        3 if channel == "sms" && tariff.currency == setting.currency => {
            Rate { counts: false, text: head + "price = \"deck texts\"\n" }
        }
        _ => {
            let price = fine_price(dice, tariff.currency, 0, 12);
            Rate {
                counts: false,
                text: head + &format!("price = \"{price} per {unit}\"\n") + &discount(dice, tariff.currency),
            }
        }
    };
    if channel != "voicemail" && dice.chance(20) {
        rate.text += "bill_when = [\"delivered\", \"received\"]\n";
    }
    if special && dice.chance(20) {
        rate.text += &format!("where = \"{}\"\n", condition(dice, setting));
    }
    rate
}

fn fax(dice: &mut Dice, setting: &Setting, of: (&Tariff, &Style), special: bool) -> Rate {
    let (tariff, _) = of;
    let mut matching = String::from("channel = \"fax\"");
    if special {
        matching += &direction(dice);
        matching += &format!(", to = {}", destinations(dice));
    }
    let head = format!("match = {{ {matching} }}\n");
    let (mut text, counts, volume) = match dice.below(6) {
        0 | 1 if setting.tiers => {
            let (price, volume) = tiers(dice, setting, of, ("pages", "page"), true);
            (head + &price, true, volume)
        }
        _ => (
            head + &format!("price = \"{} per page\"\n", fine_price(dice, tariff.currency, 0, 40)),
            false,
            false,
        ),
    };
    if dice.chance(25) {
        text += dice.word(&[
            "bill_when = [\"delivered\"]\n",
            "bill_when = [\"sent\", \"delivered\", \"partial\", \"received\"]\n",
        ]);
    }
    if dice.chance(30) && !volume {
        text += &limits(dice, tariff.currency);
    }
    if special && dice.chance(20) {
        text += &format!("where = \"{}\"\n", condition(dice, setting));
    }
    Rate { counts, text }
}

pub fn direction(dice: &mut Dice) -> String {
    match dice.below(5) {
        0 | 1 => ", direction = \"outbound\"".into(),
        2 => ", direction = \"inbound\"".into(),
        3 => ", direction = [\"inbound\", \"outbound\"]".into(),
        _ => String::new(),
    }
}

/// One of the conditions on what is known beside the numbers.
fn further_match(dice: &mut Dice, setting: &Setting) -> String {
    let _ = setting;
    let matters = ["M-0", "M-1", "M-2", "M-3"];
    match dice.below(12) {
        0 => format!(
            ", to_class = \"{}\"",
            dice.pick(&["ordinary", "toll-free", "short-code", "emergency", "withheld"])
        ),
        1 => ", from_class = [\"withheld\", \"toll-free\", \"unparseable\"]".into(),
        2 => ", from_class = \"ordinary\"".into(),
        3 => format!(", extension = [\"{}\", \"101\"]", dice.between(201, 206)),
        4 => format!(", department = \"Dept-{}\"", dice.below(4)),
        5 => format!(", site = [\"Site-{}\"]", dice.below(3)),
        6 => format!(", cost_centre = \"CC-{}\"", dice.below(3)),
        7 => format!(", matter = [\"{}\", \"{}\"]", dice.word(&matters), dice.word(&matters)),
        8 => format!(", timekeeper = \"T-{}\"", dice.below(4)),
        9 => ", task = \"L110\"".into(),
        10 => ", outcome = [\"answered\", \"delivered\"]".into(),
        _ => format!(", error_code = {}", dice.word(&["\"SMS-UP-*\"", "\"SMS-RC-503\"", "[\"SMS-*\"]"])),
    }
}

/// A condition in SQL; some columns are often null.
pub fn condition(dice: &mut Dice, setting: &Setting) -> String {
    let _ = setting;
    let left = simple_condition(dice);
    match dice.below(6) {
        0 => format!("{left} AND {}", simple_condition(dice)),
        1 => format!("{left} OR {}", simple_condition(dice)),
        2 => format!("NOT ({left})"),
        3 => format!("({left} OR {}) AND NOT {}", simple_condition(dice), simple_condition(dice)),
        _ => left,
    }
}

fn simple_condition(dice: &mut Dice) -> String {
    let number = dice.between(1, 900);
    match dice.below(18) {
        0 => format!("seconds > {number}"),
        1 => format!("seconds BETWEEN {number} AND {}", number + 600),
        2 => format!("segments >= {}", number % 5),
        3 => format!("pages <> {}", number % 9),
        4 => "department IS NULL".into(),
        5 => "site IS NOT NULL".into(),
        6 => format!("extension IN (101, 20{})", number % 7),
        7 => "direction = 'outbound'".into(),
        8 => "channel IN ('voice', 'fax')".into(),
        9 => "outcome <> 'sent'".into(),
        10 => "to_country = 'GB'".into(),
        11 => "from_country NOT IN ('US', 'CA')".into(),
        12 => "to_number = '+12125550100'".into(),
        13 => format!("matter = 'M-{}'", number % 4),
        14 => format!("timekeeper <> 'T-{}'", number % 4),
        15 => "cost_centre IN ('CC-0', 'CC-2')".into(),
        16 => "error_code IS NULL".into(),
        _ => "account_code < 'AC-3'".into(),
    }
}

/// Countries and prefixes, some inside others.
pub fn destinations(dice: &mut Dice) -> String {
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
pub fn fine_price(dice: &mut Dice, currency: &str, least: u64, most: u64) -> String {
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
pub fn money(dice: &mut Dice, currency: &str, most: u64) -> String {
    money_from(dice, currency, 1, most)
}

pub fn money_from(dice: &mut Dice, currency: &str, least: u64, most: u64) -> String {
    let amount = dice.between(least, most);
    if currency == "JPY" { amount.to_string() } else { format!("{}.{:02}", amount / 100, amount % 100) }
}
