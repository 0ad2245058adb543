//! What tariffs share: identification, calendars, bands, outcomes, decks, timekeepers, proposals of coding.

use std::fs;
use std::path::Path;

use super::{Dice, Setting};

pub const BANDS: [&str; 8] =
    ["business", "evening", "night", "weekend", "friday-night", "contact-day", "holiday", "short-friday"];

/// Ways of identification, in the order that holds when nothing is said.
const WAYS: [&str; 11] = [
    "coding",
    "named",
    "account-code",
    "own-number",
    "other-number",
    "other-prefix",
    "extension",
    "department",
    "site",
    "cost-centre",
    "account",
];

/// The text of the common file; companions are written beside it.
pub fn write(dice: &mut Dice, setting: &Setting, has_default: bool, folder: &Path) -> String {
    let mut text = String::new();
    if has_default {
        text += "default_tariff = \"tariff-0\"\n\n";
    }
    if dice.chance(35) {
        let mut ways = WAYS;
        if dice.chance(50) {
            dice.shuffle(&mut ways);
        }
        let count = dice.between(5, 11) as usize;
        let quoted: Vec<String> = ways[..count].iter().map(|way| format!("\"{way}\"")).collect();
        text += &format!("[identity]\norder = [{}]\n\n", quoted.join(", "));
    }
    text += &calendars(dice, setting, folder);
    text += &bands(dice, setting);
    text += &outcomes(dice);
    text += &decks(dice, setting, folder);
    text + &people(dice, setting)
}

fn calendars(dice: &mut Dice, setting: &Setting, folder: &Path) -> String {
    let (first, second) = (setting.day(dice.between(1, 14)), setting.day(dice.between(15, 28)));
    let rows = format!("date,name\n{first},Founders' Day\n{second},\"Eve, long\"\n2020-02-02,Past\n");
    fs::write(folder.join("holidays.csv"), rows).unwrap();
    let days = format!(
        "days = [\"{}\", \"{}\"]\n",
        setting.day(dice.between(1, 28)),
        setting.day(dice.between(1, 28))
    );
    format!(
        "[calendar.public]\nfile = \"holidays.csv\"\n\n[calendar.office]\n{days}file = \"holidays.csv\"\n\n[calendar.bridge]\n{days}\n"
    )
}

fn bands(dice: &mut Dice, setting: &Setting) -> String {
    let except = |dice: &mut Dice| match dice.below(4) {
        0 => format!("except = [\"{}\"]\n", setting.day(dice.between(1, 28))),
        1 => "except = \"public\"\n".to_string(),
        _ => format!("except = [\"office\", \"{}\"]\n", setting.day(dice.between(1, 28))),
    };
    let mut text = String::from("[band.business]\ndays = \"mon-fri\"\nhours = \"08:00-18:00\"\n");
    if dice.chance(60) {
        text += &except(dice);
    }
    text += "\n[band.evening]\nhours = \"18:00-22:00\"\n";
    text += "\n[band.night]\nhours = \"22:00-06:00\"\n";
    if dice.chance(50) {
        text += &except(dice);
    }
    text += "\n[band.weekend]\ndays = \"sat,sun\"\n";
    text += "\n[band.friday-night]\ndays = \"mon,thu-fri\"\nhours = \"20:15-06:00\"\n";
    text += "\n[band.holiday]\non = [\"office\"]\n";
    text += &format!(
        "\n[band.short-friday]\nhours = \"09:00-17:30\"\non = [\"bridge\", \"{}\"]\n",
        setting.day(dice.between(1, 28))
    );
    text + "\n[band.contact-day]\ndays = \"mon-sat\"\nhours = \"09:00-17:30\"\nzone = \"contact\"\n\n"
}

fn outcomes(dice: &mut Dice) -> String {
    let rows = [
        ("fax", "", "partial", "", true),
        ("sms", "", "delivery-failed", "", false),
        ("fax", "inbound", "received", "", false),
        ("sms", "outbound", "delivery-failed", "SMS-UP-*", true),
        ("sms", "", "delivery-failed", "SMS-UP-430", false),
        ("sms", "outbound", "sending-failed", "SMS-*", true),
        ("sms", "", "sending-failed", "SMS-RC-503", false),
        ("voice", "outbound", "unanswered", "", true),
    ];
    let mut text = String::new();
    for (channel, direction, outcome, code, billable) in rows {
        if !dice.chance(25) {
            continue;
        }
        text += &format!(
            "[[outcome]]\nchannel = \"{channel}\"\noutcome = \"{outcome}\"\narrived = \"indeterminate\"\nbillable = {billable}\n"
        );
        for (key, value) in [("direction", direction), ("error_code", code)] {
            if !value.is_empty() {
                text += &format!("{key} = \"{value}\"\n");
            }
        }
        text += "\n";
    }
    text
}

/// Two decks: one by the minute for calls, one by the call or by the segment.
fn decks(dice: &mut Dice, setting: &Setting, folder: &Path) -> String {
    let prefixes = [
        ("1", "North America"),
        ("1212", ""),
        ("12125", "Midtown"),
        ("1876", "Jamaica"),
        ("44", "United Kingdom"),
        ("4420", "London"),
        ("44207", ""),
        ("447", "UK, mobile"),
        ("49", "Germany"),
        ("4915", "Germany, mobile"),
    ];
    let change = setting.day(dice.between(5, 25));
    let mut rows = String::from("prefix,price,name,increment,connection_fee,valid_from,valid_to\n");
    let mut plain = String::from("prefix,price\n");
    for (index, (prefix, name)) in prefixes.into_iter().enumerate() {
        if index > 0 && dice.chance(25) {
            continue;
        }
        let mut row = |dice: &mut Dice, from: &str, to: &str| {
            let increment = dice.word(&["", "", "60/60", "30/6", "1/1"]);
            let fee =
                if dice.chance(25) { super::rates::money(dice, setting.currency, 9) } else { String::new() };
            let price = super::rates::fine_price(dice, setting.currency, 1, 200);
            rows += &format!("{prefix},{price},\"{name}\",{increment},{fee},{from},{to}\n");
        };
        match dice.below(4) {
            0 => {
                row(dice, "", &change);
                row(dice, &change, "");
            }
            1 => row(dice, &change, ""),
            _ => row(dice, "", ""),
        }
        plain += &format!("{prefix},{}\n", super::rates::fine_price(dice, setting.currency, 1, 40));
    }
    fs::write(folder.join("world.csv"), rows).unwrap();
    fs::write(folder.join("texts.csv"), plain).unwrap();
    let increment = if dice.chance(50) { "increment = \"60/6\"\n" } else { "" };
    format!(
        "[deck.world]\nfile = \"world.csv\"\nunit = \"minute\"\n{increment}\n[deck.texts]\nfile = \"texts.csv\"\nunit = \"{}\"\n\n",
        setting.text_unit
    )
}

/// Timekeepers with and without a price, and a proposal of coding, which charges nothing.
fn people(dice: &mut Dice, setting: &Setting) -> String {
    let mut text = String::new();
    let change = setting.day(dice.between(5, 25));
    let extensions = [
        "[\"201\", \"202\"]".to_string(),
        format!("[\"203@..{change}\", \"204\"]"),
        format!("[\"203@{change}..\"]"),
        "[\"205\"]".to_string(),
    ];
    for (index, extensions) in extensions.into_iter().enumerate() {
        text +=
            &format!("[timekeeper.T-{index}]\nname = \"Timekeeper {index}\"\nextensions = {extensions}\n");
        if index != 3 || dice.chance(50) {
            let unit = dice.word(&["hour", "hour", "minute"]);
            text +=
                &format!("price = \"{} per {unit}\"\n", super::rates::money(dice, setting.currency, 30_000));
        }
        text += "\n";
    }
    text + "[[coding]]\nmatch = { channel = \"voice\", timekeeper = \"T-1\" }\nwhere = \"seconds > 600\"\nmatter = \"M-0\"\n\
        narrative = \"Conference\"\n\n"
}
