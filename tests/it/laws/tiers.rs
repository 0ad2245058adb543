//! Every unit is in exactly one tier, at its borders too, for both ways to write bounds.

use std::collections::BTreeMap;

use super::facts::{Dice, Facts, Outcome, hold};

const ZONE: &str = "America/New_York";

/// A table of tiers: the last unit of each but the last tier, counted from the first unit of all.
struct Tiers {
    ends: Vec<i64>,
    volume: bool,
}

impl Tiers {
    fn draw(dice: &mut Dice) -> Tiers {
        let mut end = 0;
        let ends = (0..dice.between(1, 4)).map(|_| {
            let most = if dice.chance(50) { 5 } else { 500 };
            end += dice.between(1, most);
            end
        });
        let ends = ends.collect();
        Tiers { ends, volume: dice.chance(40) }
    }

    fn text(&self, widths: bool) -> String {
        let mut before = 0;
        let rows: Vec<String> = self
            .ends
            .iter()
            .enumerate()
            .map(|(index, end)| {
                let bound = if widths { end - before } else { *end };
                before = *end;
                format!("{{ up_to = \"{bound} seconds\", price = \"{} per second\" }}", 9 - index)
            })
            .collect();
        let (mode, bounds) =
            (if self.volume { "volume" } else { "graduated" }, if widths { "widths" } else { "up-to" });
        format!(
            "[[rate]]\nname = \"Calls\"\nincrement = \"1/1\"\ntiers = {{ mode = \"{mode}\", tier = [{}, {{ price = \"1 per second\" }}] }}\n\
             [options]\ntier_bounds = \"{bounds}\"\n",
            rows.join(", ")
        )
    }

    /// How many of the first `units` are in each tier: unit by unit, the first tier whose end is not before it.
    fn expected(&self, units: i64) -> BTreeMap<String, i64> {
        let tier = |unit: i64| self.ends.iter().filter(|end| **end < unit).count() + 1;
        let mut counts = BTreeMap::new();
        for unit in 1..=units {
            let of = if self.volume { tier(units) } else { tier(unit) };
            *counts.entry(of.to_string()).or_default() += 1;
        }
        counts
    }

    /// Around each end, and anywhere.
    fn quantities(&self, dice: &mut Dice) -> Vec<i64> {
        let mut all: Vec<i64> = self.ends.iter().flat_map(|end| [end - 1, *end, end + 1]).collect();
        all.extend([1, dice.between(1, 2_500), dice.between(1, 500)]);
        all.retain(|units| *units > 0);
        all
    }
}

/// Each table under both ways to write it, each quantity by a contact of its own, in one call or in two.
fn drawn(seed: u64) -> (Facts, BTreeMap<String, BTreeMap<String, i64>>) {
    let (mut facts, mut dice) = (Facts::empty(), Dice::new(seed));
    let mut expected = BTreeMap::new();
    for table in 0..15 {
        let tiers = Tiers::draw(&mut dice);
        for widths in [false, true] {
            let tariff = format!("t{table}{}", if widths { "w" } else { "u" });
            facts.add_tariff(&tariff, ZONE, &tiers.text(widths));
            for (index, units) in tiers.quantities(&mut dice).into_iter().enumerate() {
                let contact = format!("{tariff}-{index:02}");
                facts.add_contact(&contact, &tariff, ZONE);
                let first = if dice.chance(50) { units } else { dice.between(1, units) };
                for (part, seconds) in [first, units - first].into_iter().enumerate() {
                    let start = format!("2026-10-05T14:0{part}:00Z");
                    facts.add_call(&format!("{contact}-{part}"), &start, seconds * 1000, &contact);
                }
                expected.insert(contact, tiers.expected(units));
            }
        }
    }
    (facts, expected)
}

fn each_in_one_tier(
    outcome: &Outcome,
    expected: &BTreeMap<String, BTreeMap<String, i64>>,
) -> Result<usize, String> {
    let mut found: BTreeMap<&str, BTreeMap<String, i64>> = BTreeMap::new();
    for row in outcome.charges.iter().filter(|row| row["kind"] == "usage") {
        let tiers = found.entry(&row["contact"]).or_default();
        *tiers.entry(row["tier"].clone()).or_default() += row["units"].parse::<i64>().unwrap();
    }
    for (contact, tiers) in expected {
        if found.get(contact.as_str()) != Some(tiers) {
            return Err(format!("{contact}: {:?}, not {tiers:?}", found.get(contact.as_str())));
        }
    }
    Ok(expected.len())
}

#[test]
fn law_22_every_quantity_is_in_one_tier() {
    hold("22", 6, 1_200, |seed| {
        let (facts, expected) = drawn(seed);
        each_in_one_tier(&facts.price(), &expected)
    });
    let (mut facts, expected) = drawn(1);
    for text in facts.rules.values_mut() {
        *text = text.replace("tier_bounds = \"widths\"", "tier_bounds = \"up-to\"");
    }
    let seen = facts.try_price().map_or(true, |outcome| each_in_one_tier(&outcome, &expected).is_err());
    assert!(seen, "bounds that mean something else are seen");
}
