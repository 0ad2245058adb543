//! What the texts say, and into how many segments a text falls.

use super::random::Dice;

const FIRST_NAMES: [&str; 12] =
    ["Ana", "Ben", "Chloe", "Dmitri", "Esther", "Farid", "Gloria", "Henry", "Iris", "José", "Kofi", "Lena"];
const SURNAMES: [&str; 12] = [
    "Abrams", "Bianchi", "Chen", "Doyle", "Estévez", "Fisher", "Greene", "Hoffman", "Ivanova", "Jones",
    "Klein", "Lopez",
];
const TIMES: [&str; 8] =
    ["9:00 AM", "9:45 AM", "10:30 AM", "11:15 AM", "1:00 PM", "2:30 PM", "3:15 PM", "4:45 PM"];
const PROBLEMS: [&str; 8] = [
    "no hot water since last night",
    "a leak under the kitchen sink, water on the floor",
    "locked out of the building",
    "the boiler shows error E4 and does not start",
    "half of the house has no power",
    "wants a quote for two new bathrooms",
    "smells gas, was told to call the utility first",
    "the tow truck has not come yet",
];
const REPLIES: [&str; 10] = [
    "Thanks!",
    "OK, on my way",
    "Yes",
    "C",
    "Can we move it to Thursday?",
    "I will call back after 5",
    "Please tell them I am running 15 minutes late. The train is stuck at 125th Street and there is no telling when it moves again.",
    "Got it 👍",
    "STOP",
    "Who is this?",
];
const PAGER: [&str; 6] = [
    "Lunch?",
    "Line 2 for you",
    "Can you take the night desk on Friday?",
    "Mohawk wants a call back",
    "Thx",
    "Printer is out of toner again",
];

pub(crate) fn person(dice: &mut Dice) -> String {
    format!("{} {}", dice.pick(&FIRST_NAMES), dice.pick(&SURNAMES))
}

/// An appointment reminder of a clinic; some clinics write more, and some in Spanish with its accents.
pub(crate) fn reminder(dice: &mut Dice, clinic: &str) -> String {
    let (who, when) = (dice.pick(&FIRST_NAMES), dice.pick(&TIMES));
    // A name beyond the 7-bit alphabet makes segments short: such a clinic writes briefly.
    let brief = clinic.chars().any(|character| septets(character).is_none());
    match dice.weighted(if brief { &[700, 0, 300, 0, 0] } else { &[620, 230, 90, 40, 20] }) {
        0 => format!("{clinic}: {who}, you have an appointment tomorrow at {when}. Reply C to confirm."),
        1 => format!(
            "{clinic}: {who}, this is a reminder of your appointment tomorrow at {when}. Please bring your insurance \
             card and a list of your medicines, and come 15 minutes early. Reply C to confirm or call us to change it."
        ),
        2 => format!(
            "{clinic}: {who}, le recordamos su cita mañana a las {when}. Responda C para confirmarla."
        ),
        3 => format!(
            "{clinic}: {who}, your appointment is tomorrow at {when}. Please do not eat or drink anything except water \
             for eight hours before it. Bring your insurance card, a photo ID, the forms that we mailed to you, and \
             somebody who can take you home. The entrance is on the side street. Reply C to confirm."
        ),
        _ => format!(
            "{clinic}: {who}, your appointment is tomorrow at {when}. Please do not eat or drink anything except water \
             for eight hours before it. Bring your insurance card, a photo ID, the forms that we mailed to you, and \
             somebody who can take you home, for you must not drive afterwards. If you have a fever or a cough, call us \
             before you come. We charge for visits that are cancelled less than 24 hours ahead. The entrance is on the \
             side street. Reply C to confirm."
        ),
    }
}

/// A caller's message, passed on to a client's mobile telephone.
pub(crate) fn relay(dice: &mut Dice, client: &str) -> String {
    let who = person(dice);
    let problem = dice.pick(&PROBLEMS);
    match dice.weighted(&[600, 300, 100]) {
        0 => format!("Msg for {client}: {who} called, {problem}. Please call back."),
        1 => format!(
            "Msg for {client}: {who} called at {}: {problem}. The caller was told that somebody would be in touch within \
             the hour and would rather be called than texted. Reply 1 when taken.",
            dice.pick(&TIMES)
        ),
        _ => format!("URGENT for {client} – {who}: {problem} ☎"),
    }
}

pub(crate) fn confirmation(dice: &mut Dice) -> String {
    format!("Your call was logged at {}. A person will be in touch shortly.", dice.pick(&TIMES))
}

pub(crate) fn reply(dice: &mut Dice) -> String {
    dice.pick(&REPLIES).to_owned()
}

pub(crate) fn pager(dice: &mut Dice) -> &'static str {
    dice.pick(&PAGER)
}

/// Characters of the GSM 7-bit alphabet other than ASCII ones (3GPP TS 23.038).
const GSM_BEYOND_ASCII: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";

/// Septets of a character, or nothing when it forces UCS-2.
fn septets(character: char) -> Option<u32> {
    match character {
        '^' | '{' | '}' | '\\' | '[' | ']' | '~' | '|' | '€' => Some(2),
        '`' | '\t' => None,
        '\n' | '\r' | ' '..='\u{7e}' => Some(1),
        other => GSM_BEYOND_ASCII.contains(other).then_some(1),
    }
}

/// Into how many segments a text falls: 160 septets or 70 UTF-16 units alone, 153 or 67 when joined.
pub(crate) fn segments(text: &str) -> u32 {
    let lengths: Option<Vec<u32>> = text.chars().map(septets).collect();
    let (length, alone, joined) = match lengths {
        Some(lengths) => (lengths.iter().sum(), 160, 153),
        None => (u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX), 70, 67),
    };
    if length <= alone { 1 } else { length.div_ceil(joined) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_by_alphabet() {
        assert_eq!(segments(&"a".repeat(160)), 1);
        assert_eq!(segments(&"a".repeat(161)), 2);
        assert_eq!(segments(&"é".repeat(160)), 1);
        assert_eq!(segments(&"á".repeat(71)), 2);
        assert_eq!(segments(&"€".repeat(81)), 2);
    }

    #[test]
    fn texts_have_one_to_four_segments() {
        let mut dice = Dice::new(3, 3);
        let seen: std::collections::BTreeSet<u32> =
            (0..2000).map(|_| segments(&reminder(&mut dice, "East Side Family Dental"))).collect();
        assert!(seen.contains(&1) && seen.contains(&2), "{seen:?}");
        assert!(seen.iter().all(|count| *count <= 4), "{seen:?}");
    }
}
