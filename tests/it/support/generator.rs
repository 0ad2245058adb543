//! Makes worlds to bill: a folder with rules, contacts and usage that are valid by the formats and as awkward as they allow.
//! Everything follows from the seed by integer arithmetic, so that a world can be made again anywhere.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use chrono_tz::Tz;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::oracle::Inputs;

mod common;
mod people;
mod rates;
mod sheets;
mod tariffs;
mod usage;

/// Where a world lies.
#[derive(Clone, Debug)]
pub struct World {
    pub rules: PathBuf,
    pub contacts: PathBuf,
    /// CSV, or JSON lines when the name ends in `jsonl`.
    pub usage: PathBuf,
    pub directory: Option<PathBuf>,
    pub coding: Option<PathBuf>,
}

impl World {
    /// What the oracle reads.
    pub fn inputs(&self) -> Inputs<'_> {
        Inputs {
            rules: &self.rules,
            contacts: &self.contacts,
            usage: &self.usage,
            directory: self.directory.as_deref(),
            coding: self.coding.as_deref(),
        }
    }
}

/// Writes the world of a seed into a folder, with `events` rows of usage in and around one month.
pub fn world(seed: u64, events: usize, folder: &Path) -> World {
    let mut dice = Dice::new(seed);
    let setting = Setting::draw(&mut dice);
    let rules = folder.join("rules");
    fs::create_dir_all(&rules).unwrap();

    let tariffs = tariffs::write(&mut dice, &setting, &rules);
    let people = people::draw(&mut dice, &setting, &tariffs);
    let contacts = folder.join("contacts.csv");
    people::write(&people, &contacts);
    let usage = folder.join(if dice.chance(50) { "usage.csv" } else { "usage.jsonl" });
    usage::write(&mut dice, &setting, &people, events, &usage);
    let directory = dice.chance(80).then(|| folder.join("directory.csv"));
    if let Some(file) = &directory {
        sheets::write_directory(&mut dice, &setting, file);
    }
    let coding = dice.chance(80).then(|| folder.join("coding.csv"));
    if let Some(file) = &coding {
        sheets::write_coding(&mut dice, &people, events, file);
    }
    World { rules, contacts, usage, directory, coding }
}

/// What the whole world has in common.
struct Setting {
    first_day: NaiveDate,
    zones: Vec<Tz>,
    currency: &'static str,
    /// `message` or `segment`: what texts are counted in.
    text_unit: &'static str,
    /// Clock times, in minutes after midnight, at which some band begins or ends.
    borders: Vec<u64>,
    months: u64,
    /// Whether calls may be priced by the hour; else features that bands make ambiguous are drawn.
    voice_bands: bool,
    tiers: bool,
    volume: bool,
    voice_volume: bool,
    scopes: bool,
    pools: bool,
    rollover: bool,
    /// Whether events may belong to another month than that of their start.
    period_moves: bool,
}

impl Setting {
    fn draw(dice: &mut Dice) -> Setting {
        use chrono_tz::{America, Australia, Europe};
        let new_york = America::New_York;
        // Each month has a change of the clocks in at least one of its zones.
        let (year, month, zones): (i32, u32, Vec<Tz>) = match dice.below(6) {
            0 | 1 => (2026, 11, vec![new_york, America::Los_Angeles, Europe::London]),
            2 => (2026, 3, vec![new_york, Europe::London, Europe::Berlin]),
            3 => (2026, 3, vec![new_york, America::Phoenix]),
            4 => (2026, 10, vec![Europe::London, Australia::Lord_Howe]),
            _ => (2026, 4, vec![Australia::Lord_Howe, new_york, Europe::London]),
        };
        let borders = vec![0, 6 * 60, 8 * 60, 9 * 60, 17 * 60 + 30, 18 * 60, 20 * 60 + 15, 22 * 60];
        let voice_bands = dice.chance(60);
        let period_moves = dice.chance(20);
        let volume = dice.chance(40);
        let rollover = !period_moves && dice.chance(45);
        Setting {
            months: if rollover { dice.between(2, 5) } else { 1 },
            voice_bands,
            tiers: !period_moves && dice.chance(80),
            volume,
            voice_volume: volume && !voice_bands,
            scopes: !voice_bands && !period_moves,
            pools: dice.chance(60),
            rollover,
            period_moves,
            first_day: NaiveDate::from_ymd_opt(year, month, 1).unwrap(),
            zones,
            currency: dice.word(&["USD", "USD", "GBP", "JPY", "KWD"]),
            text_unit: dice.word(&["message", "segment"]),
            borders,
        }
    }

    /// A day of the month, as text.
    fn day(&self, day: u64) -> String {
        self.first_day.format("%Y-%m-").to_string() + &format!("{day:02}")
    }
}

/// The countries that rules name.
const COUNTRIES: [&str; 5] = ["US", "CA", "GB", "JM", "DE"];

/// A number that looks real in a country: area code, then digits.
fn number_in(dice: &mut Dice, country: &str) -> String {
    let (area, digits) = match country {
        "US" => (dice.word(&["+1212", "+1312", "+1415", "+1646", "+1202"]), 7),
        "CA" => (dice.word(&["+1416", "+1604", "+1514"]), 7),
        "JM" => (dice.word(&["+187692", "+187693"]), 5),
        "GB" => (dice.word(&["+44207", "+44161", "+447400"]), 7),
        _ => (dice.word(&["+4930", "+4989", "+49151"]), 8),
    };
    let digits = if area == "+447400" { 6 } else { digits };
    let mut number = format!("{area}{}", dice.between(2, 9));
    while number.len() < area.len() + digits {
        number += &dice.below(10).to_string();
    }
    number
}

/// The seeded source of all choices.
struct Dice(ChaCha8Rng);

impl Dice {
    fn new(seed: u64) -> Dice {
        Dice(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `limit`; the small bias does not matter here.
    fn below(&mut self, limit: u64) -> u64 {
        self.0.next_u64() % limit
    }

    /// Both ends are possible.
    fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    fn word(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len() as u64) as usize]
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else rules that name a country would never be tried.
    #[test]
    fn numbers_are_of_their_country() {
        let mut dice = Dice::new(1);
        for round in 0..200 {
            let country = COUNTRIES[round % COUNTRIES.len()];
            let text = number_in(&mut dice, country);
            let number = phonenumber::parse(None, &text).unwrap();
            let found = number.country().id().map(|id| id.as_ref().to_string());
            assert_eq!((found.as_deref(), number.is_valid()), (Some(country), true), "{text}");
        }
    }
}
