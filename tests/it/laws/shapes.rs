//! Calls of one tariff each: more seconds, split files, merged contacts, and what increments bill.

use std::collections::BTreeMap;

use num_rational::BigRational;
use num_traits::{Signed, Zero};

use super::facts::{Dice, Facts, Outcome, amount, hold};
use crate::priced::exact;

const NEW_YORK: &str = "America/New_York";

fn price(dice: &mut Dice, most: i64) -> String {
    format!("{}.{:04}", dice.between(0, most), dice.below(10_000))
}

/// Options that are drawn one by one; the first word is what holds anyway.
fn options(dice: &mut Dice, chosen: &[(&str, &[&'static str])]) -> String {
    let mut text = "[options]\n".to_owned();
    for (key, words) in chosen {
        if dice.chance(40) {
            text += &format!("{key} = \"{}\"\n", dice.word(words));
        }
    }
    text
}

const EVENT_OPTIONS: [(&str, &[&str]); 8] = [
    ("increments_from", &["first-block", "zero"]),
    ("crossing", &["start", "pieces"]),
    ("inside_allowance", &["no-fee", "fee"]),
    ("allowance_draws", &["billed", "measured"]),
    ("under_a_second", &["first-block", "nothing"]),
    ("grace_by", &["shorter-than", "not-longer-than"]),
    ("units", &["started", "completed"]),
    ("connection_fee_on_change", &["first", "each"]),
];

/// What one event costs, whatever happened before it: no tiers, no allowances, no scopes.
fn stateless_rate(dice: &mut Dice) -> String {
    let mut text = match dice.below(6) {
        0 => format!(
            "steps = [{{ price = \"{} per minute\", first = \"{} seconds\" }}, {{ price = \"{} per minute\" }}]\n",
            price(dice, 2),
            dice.between(1, 400),
            price(dice, 2)
        ),
        1 => return format!("price = \"{} per call\"\nconnection_fee = \"0.05\"\n", price(dice, 2)),
        2 => return format!("price = \"{} flat\"\n", price(dice, 2)),
        _ => format!("price = \"{} per {}\"\n", price(dice, 2), dice.word(&["second", "minute", "hour"])),
    };
    let increments = ["60/60", "60/6", "6/6", "30/6", "1/1", "60/1", "7/13", "180/60", "10/7"];
    text += &format!("increment = \"{}\"\n", dice.word(&increments));
    for (key, value) in [
        ("minimum", format!("{} seconds", dice.between(1, 100))),
        ("grace", format!("{} seconds", dice.between(1, 20))),
        ("connection_fee", price(dice, 1)),
        ("charge_floor", price(dice, 1)),
        ("charge_cap", format!("{}", dice.between(3, 40))),
        ("discount", dice.word(&["10%", "0.02", "33.3%"]).to_owned()),
    ] {
        if dice.chance(25) {
            text += &format!("{key} = \"{value}\"\n");
        }
    }
    text
}

/// Prices that more usage of the period moves, and only up.
fn stateful_rate(dice: &mut Dice) -> String {
    let bound = dice.between(1, 200);
    match dice.below(2) {
        0 => format!(
            "tiers = {{ mode = \"graduated\", tier = [{{ up_to = \"{bound} minutes\", price = \"{} per minute\" }}, \
             {{ price = \"{} per minute\" }}] }}\nincrement = \"60/6\"\n",
            price(dice, 3),
            price(dice, 1)
        ),
        _ => format!(
            "tiers = {{ mode = \"package\", size = \"{bound} minutes\", price = \"{}\" }}\n",
            price(dice, 9)
        ),
    }
}

fn charge_rounding(dice: &mut Dice) -> String {
    match dice.below(4) {
        0 => format!(
            "rounding = {{ charge = \"{}\", charge_scale = {}, charge_mode = \"{}\" }}\n",
            dice.word(&["per-event", "per-increment"]),
            dice.between(1, 4),
            dice.word(&["half-away", "half-even", "up", "down"])
        ),
        _ => String::new(),
    }
}

/// Tariffs with calls of growing lengths; each call has a contact of its own, so that nothing was used before it.
fn growing(seed: u64, tariffs: usize) -> (Facts, Vec<Vec<String>>) {
    let (mut facts, mut dice) = (Facts::empty(), Dice::new(seed));
    let mut series = Vec::new();
    for tariff in 0..tariffs {
        let rate = if dice.chance(30) { stateful_rate(&mut dice) } else { stateless_rate(&mut dice) };
        let mut text = charge_rounding(&mut dice)
            + "[[rate]]\nname = \"Calls\"\nmatch = { channel = \"voice\" }\n"
            + &rate;
        if dice.chance(30) {
            let minutes = dice.between(1, 90);
            text += &format!("[[allowance]]\nname = \"Included\"\ngrants = \"{minutes} minutes\"\n");
        }
        text += &options(&mut dice, &EVENT_OPTIONS);
        facts.add_tariff(&format!("t{tariff}"), NEW_YORK, &text);
        let mut lengths: Vec<i64> = (0..7).map(|_| dice.between(0, 20_000_000)).collect();
        for _ in 0..4 {
            let border = 1000 * dice.between(0, 300) * dice.word(&["1", "6", "60"]).parse::<i64>().unwrap();
            lengths.extend([border, border + 1, border + 1000]);
        }
        lengths.sort_unstable();
        let mut ids = Vec::new();
        for (index, length) in lengths.into_iter().enumerate() {
            let id = format!("t{tariff}-{index:02}");
            facts.add_contact(&id, &format!("t{tariff}"), NEW_YORK);
            facts.add_call(&id, "2026-10-05T14:00:00Z", length, &id);
            ids.push(id);
        }
        series.push(ids);
    }
    (facts, series)
}

fn never_less(amounts: &BTreeMap<&str, BigRational>, series: &[Vec<String>]) -> Result<usize, String> {
    let mut cases = 0;
    for pair in series.iter().flat_map(|ids| ids.windows(2)) {
        let [less, more] = [&amounts[pair[0].as_str()], &amounts[pair[1].as_str()]];
        if more < less {
            return Err(format!("{} costs {less}, the longer {} {more}", pair[0], pair[1]));
        }
        cases += 1;
    }
    Ok(cases)
}

#[test]
fn law_17_more_seconds_never_cost_less() {
    hold("17", 4, 2_000, |seed| {
        let (facts, series) = growing(seed, 40);
        let outcome = facts.price();
        never_less(&outcome.amounts(), &series).map_err(|message| {
            let tariff = message.split('-').next().unwrap();
            format!("{message}\n{}", facts.rules[&format!("{tariff}.toml")])
        })
    });
    let (facts, series) = growing(1, 10);
    let outcome = facts.price();
    let mut amounts = outcome.amounts();
    let dearest = series[0].first().unwrap().as_str();
    amounts.insert(dearest, exact("1000000"));
    assert!(never_less(&amounts, &series).is_err(), "a longer call that costs less is seen");
}

/// A volume tier is the known exception: one more second may reach a tier at which all seconds are cheaper.
#[test]
fn law_17_a_volume_tier_has_a_cliff() {
    let mut facts = Facts::empty();
    let tiers =
        "tier = [{ up_to = \"15 minutes\", price = \"10 per minute\" }, { price = \"5 per minute\" }]";
    let rate = format!(
        "[[rate]]\nname = \"Calls\"\ntiers = {{ mode = \"volume\", {tiers} }}\nincrement = \"60/60\"\n"
    );
    facts.add_tariff("t", NEW_YORK, &rate);
    let mut ids = Vec::new();
    for minutes in 14..=31 {
        let id = format!("c{minutes}");
        facts.add_contact(&id, "t", NEW_YORK);
        facts.add_call(&id, "2026-10-05T14:00:00Z", minutes * 60_000, &id);
        ids.push(id);
    }
    let outcome = facts.price();
    let (amounts, series) = (outcome.amounts(), [ids]);
    assert!(never_less(&amounts, &series).is_err());
    assert_eq!((amounts["c15"].clone(), amounts["c16"].clone()), (exact("150"), exact("80")));
    let after: Vec<String> = series[0][2..].to_vec();
    never_less(&amounts, &[after]).expect("there is no other cliff");
}

/// An increment and options, and calls around its borders.
struct Billing {
    first: i64,
    next: i64,
    from_zero: bool,
    completed: bool,
}

impl Billing {
    /// The law, for whole measured seconds.
    fn holds(&self, seconds: i64, billed: i64) -> bool {
        let block = self.first.max(self.next);
        let in_steps = match self.from_zero {
            _ if billed == 0 || billed == self.first => true,
            true => billed % self.next == 0,
            false => (billed - self.first) % self.next == 0,
        };
        in_steps
            && match self.completed {
                // The rest that is not complete is not billed; a first block from zero on is never undercut.
                true => {
                    billed <= seconds.max(self.first)
                        && billed > seconds - block
                        && (billed == 0) == (seconds < self.first)
                }
                false if seconds == 0 => billed == 0,
                false => {
                    seconds <= billed
                        && billed < seconds + block
                        && (seconds < self.first || billed < seconds + self.next)
                }
            }
    }
}

fn increments(seed: u64) -> (Facts, BTreeMap<String, (i64, usize)>, Vec<Billing>) {
    let (mut facts, mut dice) = (Facts::empty(), Dice::new(seed));
    let (mut calls, mut billings) = (BTreeMap::new(), Vec::new());
    for tariff in 0..40 {
        let size = |dice: &mut Dice| match dice.chance(50) {
            true => *[1, 6, 10, 30, 60, 180, 360, 3600].get(dice.below(8) as usize).unwrap(),
            false => dice.between(1, 4_000),
        };
        let (first, next) = (size(&mut dice), size(&mut dice));
        let (from_zero, completed) = (dice.chance(50), dice.chance(30));
        let text = format!(
            "[[rate]]\nname = \"Calls\"\nprice = \"0.01 per second\"\nincrement = \"{first}/{next}\"\n[options]\n\
             increments_from = \"{}\"\nunits = \"{}\"\n",
            if from_zero { "zero" } else { "first-block" },
            if completed { "completed" } else { "started" }
        );
        let name = format!("t{tariff}");
        facts.add_tariff(&name, NEW_YORK, &text);
        facts.add_contact(&name, &name, NEW_YORK);
        for call in 0..14 {
            let border = first + next * dice.between(0, 12);
            let seconds = match call {
                0 => 0,
                1..=9 => (border + dice.between(-1, 1)).max(0),
                _ => dice.between(1, 20_000),
            };
            let id = format!("{name}-{call:02}");
            let milliseconds = (seconds * 1000 - dice.between(0, 999) * dice.between(0, 1)).max(0);
            facts.add_call(&id, "2026-10-05T14:00:00Z", milliseconds, &name);
            calls.insert(id, ((milliseconds + 999) / 1000, tariff));
        }
        billings.push(Billing { first, next, from_zero, completed });
    }
    (facts, calls, billings)
}

#[test]
fn law_19_billed_is_measured_and_less_than_an_increment_more() {
    let violations = |seed: u64, more: i64| -> Result<usize, String> {
        let (facts, calls, billings) = increments(seed);
        let outcome = facts.price();
        let units = outcome.units();
        for (id, (seconds, tariff)) in &calls {
            let Billing { first, next, from_zero, completed } = billings[*tariff];
            let billed = units[id.as_str()] + more;
            if !billings[*tariff].holds(*seconds, billed) {
                return Err(format!(
                    "{seconds} s at {first}/{next}, from zero {from_zero}, completed {completed}: {billed}"
                ));
            }
        }
        Ok(calls.len())
    };
    hold("19", 5, 2_500, |seed| violations(seed, 0));
    assert!(violations(1, 1).is_err() && violations(1, -1).is_err(), "a second more or less is seen");
}

/// Contacts on tariffs whose rates look at nothing but the event: bands, steps, fees and all of an event's own.
fn without_state(seed: u64) -> Facts {
    let (mut facts, mut dice) = (Facts::empty(), Dice::new(seed));
    let bands = "[band.day]\nhours = \"08:00-18:00\"\n[band.night]\nhours = \"22:00-06:00\"\n";
    facts.rules.insert("bands.toml".into(), bands.into());
    for tariff in 0..8 {
        let mut text = charge_rounding(&mut dice);
        for band in ["day", "night", ""] {
            let matching = if band.is_empty() { String::new() } else { format!(", band = \"{band}\"") };
            let rate = match dice.chance(70) {
                true => format!(
                    "price = \"{} per minute\"\nincrement = \"60/6\"\nconnection_fee = \"0.07\"\n",
                    price(&mut dice, 2)
                ),
                false => stateless_rate(&mut dice),
            };
            // Clauses that follow each other in one call are all by time.
            let rate = match ["per call", "flat"].iter().any(|word| rate.contains(word)) {
                true => "price = \"0.10 per minute\"\n".to_owned(),
                false => rate,
            };
            text += &format!(
                "[[rate]]\nname = \"Calls{band}\"\nmatch = {{ channel = \"voice\"{matching} }}\n{rate}"
            );
        }
        let words: Vec<_> =
            EVENT_OPTIONS.iter().filter(|(key, _)| !key.contains("allowance")).copied().collect();
        text += &options(&mut dice, &words);
        facts.add_tariff(&format!("t{tariff}"), NEW_YORK, &text);
        for part in ["a", "b"] {
            facts.add_contact(&format!("{part}{tariff}"), &format!("t{tariff}"), NEW_YORK);
        }
    }
    for call in 0..300 {
        let (day, hour) = (dice.between(1, 30), dice.between(0, 23));
        let start = format!("2026-11-{day:02}T{hour:02}:{:02}:{:02}Z", dice.below(60), dice.below(60));
        let contact = format!("{}{}", dice.word(&["a", "b"]), dice.below(8));
        facts.add_call(&format!("c{call:03}"), &start, dice.between(0, 9_000_000), &contact);
    }
    facts
}

/// The charges of both parts together are those of the whole, row for row.
fn parts_are_the_whole(whole: &Outcome, parts: [&Outcome; 2]) -> Result<usize, String> {
    let mut left = whole.by_event();
    for (id, rows) in parts.into_iter().flat_map(Outcome::by_event) {
        if left.remove(id) != Some(rows) {
            return Err(format!("{id} is charged otherwise alone"));
        }
    }
    let exact = |outcome: &Outcome| outcome.lines.iter().map(amount).sum::<BigRational>();
    match left.is_empty() && exact(whole) == parts.into_iter().map(exact).sum::<BigRational>() {
        true => Ok(1),
        false => Err("the parts are not the whole".to_owned()),
    }
}

#[test]
fn law_20_a_period_that_is_split_anywhere_costs_the_same() {
    let split = |facts: &Facts, at: &str| -> [Facts; 2] {
        [true, false].map(|early| {
            let mut part = facts.clone();
            part.usage.rows.retain(|row| (row["start"].as_str() < at) == early);
            part
        })
    };
    hold("20", 6, 30, |seed| {
        let (facts, mut dice) = (without_state(seed), Dice::new(seed + 1_000));
        let whole = facts.price();
        let mut cases = 0;
        for _ in 0..5 {
            let at =
                format!("2026-11-{:02}T{:02}:{:02}", dice.between(1, 30), dice.below(24), dice.below(60));
            let [early, late] = split(&facts, &at).map(|part| part.price());
            cases += parts_are_the_whole(&whole, [&early, &late])
                .map_err(|message| format!("at {at}: {message}"))?;
        }
        Ok(cases)
    });
    // A rule with a state of the period is charged otherwise, and that is seen.
    let mut facts = without_state(1);
    for text in facts.rules.values_mut().filter(|text| text.contains("tariff")) {
        let tariff = text.split(['[', ']']).nth(1).unwrap().to_owned();
        *text += &format!("[[{tariff}.allowance]]\nname = \"Included\"\ngrants = \"90 minutes\"\n");
    }
    let [early, late] = split(&facts, "2026-11-12T00:00").map(|part| part.price());
    assert!(parts_are_the_whole(&facts.price(), [&early, &late]).is_err());
}

/// By tariff and clause: the exact sum and the rounded one, with the number of lines.
fn by_clause(outcome: &Outcome) -> BTreeMap<(String, String), (BigRational, BigRational, i64)> {
    let mut sums: BTreeMap<_, (BigRational, BigRational, i64)> = BTreeMap::new();
    for line in &outcome.lines {
        let sum = sums.entry((line["tariff"].clone(), line["clause"].clone())).or_default();
        sum.0 += amount(line);
        sum.1 += exact(&line["amount"]);
        sum.2 += 1;
    }
    sums
}

/// The exact sums agree; the rounded ones differ by no more than the roundings of their lines.
fn merged_is_the_sum(two: &Outcome, one: &Outcome) -> Result<usize, String> {
    let (two, one) = (by_clause(two), by_clause(one));
    let half_cent = BigRational::new(1.into(), 200.into());
    for (key, (sum, rounded, lines)) in &two {
        let none = (BigRational::zero(), BigRational::zero(), 0);
        let (merged, merged_rounded, merged_lines) = one.get(key).unwrap_or(&none);
        let most = &half_cent * BigRational::from_integer((lines + merged_lines).into());
        if sum != merged || (rounded - merged_rounded).abs() > most {
            return Err(format!("{key:?}: {sum} apart, {merged} merged"));
        }
    }
    Ok(two.len())
}

#[test]
fn law_16_two_contacts_merged_are_billed_as_one() {
    let merged = |facts: &Facts| {
        let mut one = facts.clone();
        for row in &mut one.usage.rows {
            let contact = row["contact"].replace('b', "a");
            row.insert("contact".into(), contact);
        }
        one
    };
    hold("16", 8, 150, |seed| {
        let facts = without_state(seed);
        merged_is_the_sum(&facts.price(), &merged(&facts).price())
    });
    // Tiers say otherwise: of two hundred minutes apart none, merged a hundred are in the second tier.
    let mut facts = Facts::empty();
    let tiers =
        "tier = [{ up_to = \"100 minutes\", price = \"2 per minute\" }, { price = \"1 per minute\" }]";
    facts.add_tariff(
        "t",
        NEW_YORK,
        &format!("[[rate]]\nname = \"Calls\"\ntiers = {{ mode = \"graduated\", {tiers} }}\n"),
    );
    for contact in ["a", "b"] {
        facts.add_contact(contact, "t", NEW_YORK);
        facts.add_call(contact, "2026-10-05T14:00:00Z", 6_000_000, contact);
    }
    let (two, one) = (facts.price(), merged(&facts).price());
    assert!(merged_is_the_sum(&two, &one).is_err());
    let total = |outcome: &Outcome| outcome.lines.iter().map(amount).sum::<BigRational>();
    assert_eq!((total(&two), total(&one)), (exact("400"), exact("300")));
}
