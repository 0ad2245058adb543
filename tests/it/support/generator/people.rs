//! The contact list.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono_tz::Tz;

use super::tariffs::Tariff;
use super::{COUNTRIES, Dice, Setting, number_in};

pub struct Person {
    pub id: String,
    /// As written in the list, with their validity.
    written_numbers: Vec<String>,
    /// E.164.
    pub numbers: Vec<String>,
    pub prefixes: Vec<String>,
    pub extensions: Vec<String>,
    pub account_codes: Vec<String>,
    pub matters: Vec<String>,
    /// Departments, sites, cost centres, accounts of the service.
    pub places: [Vec<String>; 4],
    account: String,
    pool: String,
    tariff: String,
    currency: String,
    zone: Option<Tz>,
    tax_rate: &'static str,
    valid_from: String,
    valid_to: String,
    do_not_bill: &'static str,
}

pub fn draw(dice: &mut Dice, setting: &Setting, tariffs: &[Tariff]) -> Vec<Person> {
    let mut prefixes: Vec<&str> = vec![
        "+44207", "+442075", "+4930", "+49", "+1876", "+187692", "+1604", "+161", "+16042", "+447400", "+1",
    ];
    dice.shuffle(&mut prefixes);
    let count = dice.between(5, 60);
    let mut taken = BTreeSet::new();
    let mut people: Vec<Person> = Vec::new();
    for index in 0..count {
        let mut person = draw_person(dice, setting, tariffs, index, &mut taken);
        if dice.chance(20) {
            person.prefixes.extend(prefixes.pop().map(str::to_string));
        }
        people.push(person);
    }
    give_places(dice, setting, &mut people);
    give_accounts(dice, setting, tariffs, &mut people);
    if setting.pools {
        make_pools(dice, setting, &mut people);
    }
    hand_numbers_over(dice, setting, &mut people, &mut taken);
    people
}

fn draw_person(
    dice: &mut Dice,
    setting: &Setting,
    tariffs: &[Tariff],
    index: u64,
    taken: &mut BTreeSet<String>,
) -> Person {
    let tariff = dice.pick(tariffs);
    let mut numbers = Vec::new();
    let mut written_numbers = Vec::new();
    for _ in 0..dice.below(4) {
        let number = new_number(dice, taken);
        let validity = match dice.below(8) {
            0 => format!("@{}..", setting.day(dice.between(3, 25))),
            1 => format!("@..{}", setting.day(dice.between(3, 25))),
            2 => format!("@{}..{}", setting.day(dice.between(2, 10)), setting.day(dice.between(11, 27))),
            _ => String::new(),
        };
        written_numbers.push(write_number(dice, &number) + &validity);
        numbers.push(number);
    }
    let extension = |dice: &mut Dice| dice.chance(40).then(|| (100 + index).to_string());
    let code = |dice: &mut Dice| dice.chance(30).then(|| format!("AC-{index}"));
    Person {
        id: format!("client-{index:02}"),
        numbers,
        written_numbers,
        prefixes: Vec::new(),
        extensions: extension(dice).into_iter().collect(),
        account_codes: code(dice).into_iter().collect(),
        matters: Vec::new(),
        places: Default::default(),
        account: String::new(),
        pool: String::new(),
        tariff: if tariff.is_default && dice.chance(60) { String::new() } else { tariff.name.clone() },
        currency: if dice.chance(30) { tariff.currency.into() } else { String::new() },
        zone: dice.chance(50).then(|| *dice.pick(&setting.zones)),
        tax_rate: dice.word(&["", "", "8.875", "20", "10", "0", "7.7"]),
        valid_from: if dice.chance(12) { setting.day(dice.between(1, 20)) } else { String::new() },
        valid_to: if dice.chance(8) { setting.day(dice.between(21, 28)) } else { String::new() },
        do_not_bill: match dice.below(20) {
            0 => "true",
            1..=9 => "false",
            _ => "",
        },
    }
}

/// Departments and the like, matters, further extensions: each of one contact, or of two one after the other.
fn give_places(dice: &mut Dice, setting: &Setting, people: &mut [Person]) {
    for (kind, names) in ["Dept", "Site", "CC", "RC"].into_iter().enumerate() {
        for number in 0..4 {
            if dice.chance(50) {
                let person = dice.below(people.len() as u64) as usize;
                let validity = if dice.chance(30) {
                    format!("@{}..", setting.day(dice.between(3, 20)))
                } else {
                    String::new()
                };
                people[person].places[kind].push(format!("{names}-{number}{validity}"));
            }
        }
    }
    for number in 0..6 {
        let person = dice.below(people.len() as u64) as usize;
        let validity =
            if dice.chance(25) { format!("@..{}", setting.day(dice.between(8, 28))) } else { String::new() };
        people[person].matters.push(format!("M-{number}{validity}"));
    }
    for extension in 301..306 {
        let person = dice.below(people.len() as u64) as usize;
        let (from, to) = (setting.day(dice.between(1, 10)), setting.day(dice.between(11, 28)));
        let validity = match dice.below(3) {
            0 => format!("@{from}..{to}"),
            1 => format!("@{from}.."),
            _ => String::new(),
        };
        people[person].extensions.push(format!("{extension}{validity}"));
    }
}

/// Contacts of one tariff that share allowances; they have one zone, so that their months are the same.
fn make_pools(dice: &mut Dice, setting: &Setting, people: &mut [Person]) {
    let tariff_of = |person: &Person| match person.tariff.as_str() {
        "" => "tariff-0".to_string(),
        named => named.to_string(),
    };
    let mut zones: BTreeMap<String, Tz> = BTreeMap::new();
    for person in people.iter_mut().filter(|person| person.do_not_bill != "true") {
        let inherits = person.tariff.is_empty() && !person.account.is_empty();
        if dice.chance(60) && !inherits {
            let tariff = tariff_of(person);
            person.pool = format!("{tariff}, pool {}", dice.below(2));
            let zone = *dice.pick(&setting.zones);
            person.zone = Some(*zones.entry(person.pool.clone()).or_insert(zone));
        }
    }
}

/// Contacts that belong to another one and may leave the tariff to it.
fn give_accounts(dice: &mut Dice, setting: &Setting, tariffs: &[Tariff], people: &mut [Person]) {
    let has_default = tariffs.iter().any(|tariff| tariff.is_default);
    for index in 1..people.len() {
        if !dice.chance(25) {
            continue;
        }
        let other = dice.below(index as u64) as usize;
        if !people[other].account.is_empty() {
            continue;
        }
        people[index].account = people[other].id.clone();
        if dice.chance(40) && has_default {
            people[index].tariff = String::new();
        }
        // Without a tariff of its own it has that of its account, whatever the currency.
        if people[index].tariff.is_empty() {
            people[index].currency = String::new();
        }
        // The zone of its months is then said, so that nothing hangs on the order of tariffs.
        if people[index].zone.is_none() {
            people[index].zone = Some(*dice.pick(&setting.zones));
        }
    }
}

fn new_number(dice: &mut Dice, taken: &mut BTreeSet<String>) -> String {
    loop {
        let country = *dice.pick(&COUNTRIES);
        let number = number_in(dice, country);
        if taken.insert(number.clone()) {
            return number;
        }
    }
}

/// E.164 or, in the country of the configuration, now and then as people write it there.
fn write_number(dice: &mut Dice, number: &str) -> String {
    match number.strip_prefix("+1").filter(|_| dice.chance(30)) {
        Some(national) => format!("({}) {}-{}", &national[..3], &national[3..6], &national[6..]),
        None => number.to_string(),
    }
}

/// A number that changes hands: both contacts in one zone, so that one's end is the other's beginning.
fn hand_numbers_over(
    dice: &mut Dice,
    setting: &Setting,
    people: &mut [Person],
    taken: &mut BTreeSet<String>,
) {
    for pair in people.chunks_exact_mut(2) {
        if !dice.chance(40) || pair.iter().any(|person| !person.pool.is_empty()) {
            continue;
        }
        let number = new_number(dice, taken);
        let day = setting.day(dice.between(2, 28));
        let zone = *dice.pick(&setting.zones);
        for (person, validity) in pair.iter_mut().zip([format!("@..{day}"), format!("@{day}..")]) {
            person.zone = Some(zone);
            person.written_numbers.push(format!("{number}{validity}"));
            person.numbers.push(number.clone());
        }
    }
}

pub fn write(people: &[Person], file: &Path) {
    let mut writer = csv::Writer::from_path(file).unwrap();
    let columns = "id,name,address,email,numbers,prefixes,extensions,account_codes,tariff,currency,zone,tax_name,tax_rate,\
        valid_from,valid_to,do_not_bill,account,pool,departments,sites,cost_centres,ringcentral_accounts,matters";
    writer.write_record(columns.split(',')).unwrap();
    for person in people {
        let row = [
            person.id.as_str(),
            &format!("Client, \"{}\" Ltd", person.id),
            "1 High Street;Springfield",
            "",
            &person.written_numbers.join(";"),
            &person.prefixes.join(";"),
            &person.extensions.join(";"),
            &person.account_codes.join(";"),
            &person.tariff,
            &person.currency,
            person.zone.map_or("", |zone| zone.name()),
            if person.tax_rate.is_empty() { "" } else { "Tax" },
            person.tax_rate,
            &person.valid_from,
            &person.valid_to,
            person.do_not_bill,
            &person.account,
            &person.pool,
            &person.places[0].join(";"),
            &person.places[1].join(";"),
            &person.places[2].join(";"),
            &person.places[3].join(";"),
            &person.matters.join(";"),
        ];
        writer.write_record(row).unwrap();
    }
    writer.flush().unwrap();
}
