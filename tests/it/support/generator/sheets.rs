//! The directory of extensions and the coding sheet.

use std::path::Path;

use super::people::Person;
use super::{Dice, Setting};

pub fn write_directory(dice: &mut Dice, setting: &Setting, file: &Path) {
    let mut writer = csv::Writer::from_path(file).unwrap();
    writer.write_record("extension,name,department,site,cost_centre,valid_from,valid_to".split(',')).unwrap();
    for extension in (201..206).chain(301..304) {
        let change = setting.day(dice.between(3, 27));
        let spans: Vec<[String; 2]> = match dice.below(4) {
            0 => vec![[String::new(), change.clone()], [change, String::new()]],
            1 => vec![[change, String::new()]],
            2 => vec![[String::new(), change]],
            _ => vec![[String::new(), String::new()]],
        };
        for [from, to] in spans {
            let place = |dice: &mut Dice, name: &str| match dice.below(5) {
                4 => String::new(),
                number => format!("{name}-{number}"),
            };
            let places = [place(dice, "Dept"), place(dice, "Site"), place(dice, "CC")];
            let name = format!("Person {extension}");
            let row = [&extension.to_string(), &name, &places[0], &places[1], &places[2], &from, &to];
            writer.write_record(row.map(String::as_bytes)).unwrap();
        }
    }
    writer.flush().unwrap();
}

/// Decisions on some of the events; those that are not confirmed do not count.
pub fn write_coding(dice: &mut Dice, people: &[Person], events: usize, file: &Path) {
    let mut writer = csv::Writer::from_path(file).unwrap();
    writer.write_record("record,contact,matter,timekeeper,task,narrative,status".split(',')).unwrap();
    for id in 0..events {
        if !dice.chance(6) {
            continue;
        }
        let person = dice.pick(people);
        let named = dice.chance(40);
        let contact = if named { person.id.clone() } else { String::new() };
        let sometimes = |dice: &mut Dice, text: String| if dice.chance(60) { text } else { String::new() };
        // A matter is one of the contact's own, or nobody's.
        let own = person.matters.first().and_then(|text| text.split('@').next()).unwrap_or("M-9");
        let matter = if named { own.to_string() } else { format!("M-{}", dice.below(6)) };
        let timekeeper = format!("T-{}", dice.below(4));
        let row = [
            format!("e{id:06}"),
            contact,
            sometimes(dice, matter),
            sometimes(dice, timekeeper),
            sometimes(dice, "L110".into()),
            "Call, \"urgent\"".into(),
            dice.word(&["confirmed", "confirmed", "confirmed", "proposed"]).into(),
        ];
        writer.write_record(row).unwrap();
    }
    writer.flush().unwrap();
}
