//! Rows of usage, in no order.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chrono::{DateTime, Duration, NaiveDate, Offset, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;

use super::people::Person;
use super::{COUNTRIES, Dice, Setting, number_in};

const COLUMNS: [&str; 25] = [
    "id",
    "start",
    "seconds",
    "milliseconds",
    "channel",
    "direction",
    "from",
    "to",
    "extension",
    "result",
    "outcome",
    "segments",
    "pages",
    "text",
    "carrier_cost",
    "account_code",
    "contact",
    "site",
    "department",
    "cost_centre",
    "ringcentral_account",
    "error_code",
    "matter",
    "timekeeper",
    "task",
];

/// Absent cells are absent.
type Row = BTreeMap<&'static str, String>;

pub fn write(dice: &mut Dice, setting: &Setting, people: &[Person], events: usize, file: &Path) {
    let mut ids: Vec<usize> = (0..events).collect();
    dice.shuffle(&mut ids);
    let changes: Vec<DateTime<Utc>> =
        setting.zones.iter().flat_map(|zone| clock_changes(setting, *zone)).collect();
    let in_thousandths = dice.chance(25);

    let mut rows: Vec<Row> = Vec::new();
    let mut start = midnight_utc(setting.first_day);
    for (index, id) in ids.into_iter().enumerate() {
        if index == 0 || !dice.chance(5) {
            start = draw_start(dice, setting, &changes);
        }
        let mut row = Row::new();
        row.insert("id", format!("e{id:06}"));
        row.insert("start", write_start(dice, setting, start));
        let person = draw_parties(dice, people, &mut row);
        draw_content(dice, &mut row, in_thousandths);
        if dice.chance(20) {
            row.insert("carrier_cost", format!("0.{:04}", dice.below(10_000)));
        }
        draw_claims(dice, person, &mut row);
        draw_places(dice, &mut row);
        rows.push(row);
    }
    if file.extension().is_some_and(|extension| extension == "jsonl") {
        write_json(&rows, file);
    } else {
        write_csv(&rows, file);
    }
}

/// The instants in the month at which a zone changes its clocks.
fn clock_changes(setting: &Setting, zone: Tz) -> Vec<DateTime<Utc>> {
    let offset = |instant: &DateTime<Utc>| zone.offset_from_utc_datetime(&instant.naive_utc()).fix();
    let hours: Vec<DateTime<Utc>> =
        (0..31 * 24).map(|hour| midnight_utc(setting.first_day) + Duration::hours(hour)).collect();
    hours.windows(2).filter(|pair| offset(&pair[0]) != offset(&pair[1])).map(|pair| pair[1]).collect()
}

fn midnight_utc(day: NaiveDate) -> DateTime<Utc> {
    day.and_hms_opt(0, 0, 0).unwrap().and_utc()
}

/// Anywhere in the month and a little around it, or close before something happens: a band, a day, the clocks change.
fn draw_start(dice: &mut Dice, setting: &Setting, changes: &[DateTime<Utc>]) -> DateTime<Utc> {
    let day = setting.first_day + Duration::days(dice.below(30 * setting.months) as i64);
    let seconds = |dice: &mut Dice, most: u64| Duration::seconds(dice.below(most) as i64);
    let thousandths =
        if dice.chance(10) { Duration::milliseconds(dice.below(1000) as i64) } else { Duration::zero() };
    let start = match dice.below(20) {
        0..=5 => {
            let zone = *dice.pick(&setting.zones);
            let border = Duration::minutes(*dice.pick(&setting.borders) as i64);
            let local = day.and_hms_opt(0, 0, 0).unwrap() + border;
            let instant =
                zone.from_local_datetime(&local).earliest().map(|instant| instant.with_timezone(&Utc));
            instant.unwrap_or_else(|| midnight_utc(day)) + Duration::seconds(60) - seconds(dice, 240)
        }
        6 | 7 if !changes.is_empty() => *dice.pick(changes) + Duration::hours(2) - seconds(dice, 4 * 3600),
        8 => midnight_utc(setting.first_day) + Duration::hours(14) - seconds(dice, 28 * 3600),
        _ => midnight_utc(day) + seconds(dice, 24 * 3600),
    };
    start + thousandths
}

/// In UTC or with the offset of some zone.
fn write_start(dice: &mut Dice, setting: &Setting, start: DateTime<Utc>) -> String {
    let zone = *dice.pick(&setting.zones);
    match dice.chance(50) {
        true => start.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        false => start.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::AutoSi, false),
    }
}

/// Direction, numbers and extension; gives back the contact that it is most likely about.
fn draw_parties<'a>(dice: &mut Dice, people: &'a [Person], row: &mut Row) -> &'a Person {
    let person = dice.pick(people);
    let country = *dice.pick(&COUNTRIES);
    let theirs = match dice.below(12) {
        10 => dice.word(&["+18005550143", "+18775550143", "+448001234567"]).to_string(),
        0..=5 if !person.numbers.is_empty() => dice.pick(&person.numbers).clone(),
        6 | 7 if !person.prefixes.is_empty() => number_under(dice, &person.prefixes),
        _ => number_in(dice, country),
    };
    let company = "+12125550100".to_string();
    let (direction, from, to) = match dice.below(20) {
        0 => ("internal", "101".to_string(), "102".to_string()),
        1 => ("internal", company, theirs),
        2..=4 => ("inbound", number_in(dice, country), theirs),
        5..=8 => ("inbound", theirs, company),
        _ => ("outbound", company, theirs),
    };
    row.insert("direction", direction.into());
    row.insert("from", if dice.chance(3) { "anonymous".into() } else { from });
    row.insert(
        "to",
        match dice.below(40) {
            0 => String::new(),
            1 => "911".into(),
            2 => dice.word(&["29395", "garbled x", "anonymous"]).into(),
            3..=5 => to.strip_prefix("+1").map_or(to.clone(), str::to_string),
            _ => to,
        },
    );
    if dice.chance(25) {
        let unknown = "999".to_string();
        let claimed = person.extensions.last().map(|text| text.split('@').next().unwrap().to_string());
        row.insert("extension", claimed.unwrap_or(unknown));
    } else if dice.chance(40) {
        row.insert("extension", dice.between(201, 206).to_string());
    }
    person
}

fn number_under(dice: &mut Dice, prefixes: &[String]) -> String {
    let prefix = dice.pick(prefixes).clone();
    let country = match prefix.as_str() {
        prefix if prefix.starts_with("+44") => "GB",
        prefix if prefix.starts_with("+49") => "DE",
        prefix if prefix.starts_with("+1876") => "JM",
        _ => "CA",
    };
    let number = number_in(dice, country);
    format!("{prefix}{}", &number[prefix.len().min(number.len())..])
}

fn draw_content(dice: &mut Dice, row: &mut Row, in_thousandths: bool) {
    let channel = dice.word(&[
        "voice",
        "voice",
        "voice",
        "voice",
        "voice",
        "voice",
        "sms",
        "sms",
        "mms",
        "fax",
        "voicemail",
    ]);
    row.insert("channel", channel.into());
    let inbound = row["direction"] == "inbound";
    let outcome = match (channel, inbound) {
        ("voice", _) if dice.chance(90) => "answered",
        ("voice", _) => "unanswered",
        ("voicemail", _) | (_, true) => "received",
        ("fax", _) => dice.word(&[
            "queued",
            "sent",
            "delivered",
            "delivered",
            "delivery-failed",
            "sending-failed",
            "partial",
        ]),
        _ => dice.word(&["queued", "sent", "delivered", "delivered", "delivery-failed", "sending-failed"]),
    };
    row.insert("outcome", outcome.into());
    match channel {
        "voice" => draw_duration(dice, row, in_thousandths),
        "voicemail" => {
            row.insert("seconds", dice.between(1, 120).to_string());
        }
        "fax" if !dice.chance(3) => {
            row.insert("pages", dice.between(1, 40).to_string());
        }
        "sms" => match dice.below(20) {
            0 => {}
            1..=6 => {
                row.insert("text", draw_text(dice));
            }
            _ => {
                row.insert("segments", dice.between(1, 6).to_string());
            }
        },
        _ => {}
    }
}

fn draw_duration(dice: &mut Dice, row: &mut Row, in_thousandths: bool) {
    let seconds = match dice.below(300) {
        0 if dice.chance(30) => dice.between(10_000, 90_000),
        1..=15 => 0,
        16..=18 => return,
        19..=60 => 60 * dice.between(1, 10),
        61..=100 => 60 * dice.between(1, 10) + 1,
        101..=110 => *dice.pick(&[1, 5, 6, 7, 30, 60, 61, 90]),
        111..=135 => dice.between(600, 14_400),
        _ => dice.between(1, 600),
    };
    if in_thousandths && dice.chance(70) {
        let thousandths = match seconds {
            0 if dice.chance(50) => dice.below(1000),
            0 => 0,
            _ => seconds * 1000 - dice.below(1000),
        };
        row.insert("milliseconds", thousandths.to_string());
    } else {
        row.insert("seconds", seconds.to_string());
    }
}

/// Text around the borders of segments, in the alphabets that count differently.
fn draw_text(dice: &mut Dice) -> String {
    if dice.chance(20) {
        // Signs of several characters, around the borders.
        let sign = dice.word(&["e\u{301}", "👍🏽", "👩\u{200d}💻"]);
        let count = *dice.pick(&[10, 16, 17, 33, 34, 35, 70]);
        return "ж".repeat(dice.below(3) as usize) + &sign.repeat(count);
    }
    let alphabet: &[char] = match dice.below(3) {
        0 => &['a', 'B', '7', ' ', 'é', '@'],
        1 => &['a', '€', 'b', '[', 'c', 'd'],
        _ => &['a', 'ж', '本', '😀'],
    };
    let length = *dice.pick(&[1, 66, 67, 68, 70, 71, 134, 135, 152, 153, 154, 159, 160, 161, 306, 307, 480]);
    (0..length).map(|_| *dice.pick(alphabet)).collect()
}

/// Now and then the row itself says who pays, or claims an account code; both may be wrong.
fn draw_claims(dice: &mut Dice, person: &Person, row: &mut Row) {
    match dice.below(50) {
        0 => {
            row.insert("contact", "nobody".into());
        }
        1 | 2 => {
            row.insert("contact", person.id.clone());
        }
        3 => {
            row.insert("account_code", "AC-unknown".into());
        }
        9..=12 => {
            row.insert("account_code", format!("M-{}", dice.below(6)));
        }
        4..=8 => {
            if let Some(code) = person.account_codes.first() {
                row.insert("account_code", code.clone());
            }
        }
        _ => {}
    }
}

/// Places, codes of failure and codings that the row brings along.
fn draw_places(dice: &mut Dice, row: &mut Row) {
    let places =
        [("department", "Dept"), ("site", "Site"), ("cost_centre", "CC"), ("ringcentral_account", "RC")];
    for (column, name) in places {
        if dice.chance(6) {
            row.insert(column, format!("{name}-{}", dice.below(4)));
        }
    }
    if row["outcome"].ends_with("failed") && dice.chance(70) {
        let code = dice.word(&["SMS-RC-503", "SMS-UP-430", "SMS-UP-410", "SMS-CAR-413", "FAX-1"]);
        row.insert("error_code", code.into());
    }
    if dice.chance(8) {
        row.insert("matter", format!("M-{}", dice.below(6)));
    }
    if dice.chance(5) {
        row.insert("timekeeper", format!("T-{}", dice.below(4)));
    }
    if dice.chance(5) {
        row.insert("task", dice.word(&["L110", "L120"]).into());
    }
}

fn write_csv(rows: &[Row], file: &Path) {
    let mut writer = csv::Writer::from_path(file).unwrap();
    writer.write_record(COLUMNS).unwrap();
    for row in rows {
        writer.write_record(COLUMNS.map(|column| row.get(column).map_or("", String::as_str))).unwrap();
    }
    writer.flush().unwrap();
}

fn write_json(rows: &[Row], file: &Path) {
    let mut text = String::new();
    for row in rows {
        let mut object = serde_json::Map::new();
        for (column, cell) in row.iter().filter(|(_, cell)| !cell.is_empty()) {
            let number = ["seconds", "milliseconds", "segments", "pages"].contains(column);
            let value = if number { cell.parse::<u64>().unwrap().into() } else { cell.as_str().into() };
            object.insert((*column).to_string(), value);
        }
        text += &serde_json::Value::Object(object).to_string();
        text += "\n";
    }
    fs::write(file, text).unwrap();
}
