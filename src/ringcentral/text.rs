//! How many segments a text message takes, counted from its text before the text is replaced by its hash.
//!
//! A text whose characters are all in the GSM 03.38 default alphabet (or its extension table, two septets each) fits
//! 160 septets, or 153 in each part of a concatenated message; any other text is sent as UCS-2 and fits 70 units, or
//! 67. Neither an escape pair nor a surrogate pair may be cut by the border of two parts, so parts are filled one
//! character at a time.
//!
//! Two things are a tariff's to choose. *National alphabets*: a text outside the default alphabet that a national table
//! can say stays at seven bits; the header that names the table takes its room (3GPP TS 23.038, section 6.2.1 and annex
//! A; TS 23.040, sections 9.2.3.24.15 and .16). *Graphemes*: the border of two parts cuts no character as people see
//! it, such as a flag or a family, unless it is longer than a part.

use unicode_segmentation::UnicodeSegmentation;

use super::alphabet::{self, Tables};
use crate::domain::event::SegmentWays;

const UCS2: Room = Room { single: 70, part: 67 };

/// The units that fit a message alone and a part of a longer one.
#[derive(Clone, Copy)]
struct Room {
    single: u32,
    part: u32,
}

impl Room {
    /// Seven-bit characters beside a header: 140 octets, of which each table that is named takes three, a part's place
    /// among its fellows five, and the length of the header one.
    fn beside(tables: &Tables) -> Room {
        let named = 3 * u32::from(tables.locking_named) + 3 * u32::from(tables.shift_named);
        let septets = |header: u32| (140 - header - u32::from(header > 0)) * 8 / 7;
        Room { single: septets(named), part: septets(named + 5) }
    }
}

/// The segments of one text in each alphabet, pairs kept whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentCounts {
    /// In GSM-7; `None` when the text has a character outside it.
    pub gsm7: Option<u32>,
    /// In UCS-2, which carries every text.
    pub ucs2: u32,
}

impl SegmentCounts {
    /// What a network sends that picks the smaller alphabet when it can.
    pub fn automatic(&self) -> u32 {
        self.gsm7.unwrap_or(self.ucs2)
    }
}

/// Counts the segments of a text. An empty text takes one: an empty message is sent as one.
pub fn count_segments(text: &str) -> SegmentCounts {
    let pieces = || text.split_inclusive(|_: char| true);
    SegmentCounts { gsm7: in_tables(pieces(), &alphabet::DEFAULT), ucs2: in_ucs2(pieces()) }
}

/// Counts the segments of a text by each way that a tariff may choose: in GSM-7 where it can be said in it, else in the
/// national tables that take the fewest where those are chosen, else in UCS-2.
pub fn segment_ways(text: &str) -> SegmentWays {
    let characters = || text.split_inclusive(|_: char| true);
    // The only grapheme of several ASCII characters is the end of a line.
    let whole = || text.graphemes(true);
    let alike = text.is_ascii() && !text.contains("\r\n");
    if let Some(pairs) = in_tables(characters(), &alphabet::DEFAULT) {
        let graphemes = if alike { Some(pairs) } else { in_tables(whole(), &alphabet::DEFAULT) };
        return SegmentWays {
            gsm7_pairs: Some(pairs),
            gsm7_graphemes: graphemes,
            national_pairs: Some(pairs),
            national_graphemes: graphemes,
        };
    }
    let ucs2 = [in_ucs2(characters()), in_ucs2(whole())];
    let fewest = |graphemes: bool| {
        let count = |tables: &Tables| match graphemes {
            false => in_tables(characters(), tables),
            true => in_tables(whole(), tables),
        };
        alphabet::national().filter_map(|tables| count(&tables)).min()
    };
    SegmentWays {
        gsm7_pairs: Some(ucs2[0]),
        gsm7_graphemes: Some(ucs2[1]),
        national_pairs: Some(fewest(false).unwrap_or(ucs2[0])),
        national_graphemes: Some(fewest(true).unwrap_or(ucs2[1])),
    }
}

fn in_tables<'t>(pieces: impl Iterator<Item = &'t str>, tables: &Tables) -> Option<u32> {
    fill(pieces, Room::beside(tables), |character| tables.septets(character))
}

fn in_ucs2<'t>(pieces: impl Iterator<Item = &'t str>) -> u32 {
    fill(pieces, UCS2, |character| Some(if u32::from(character) > 0xFFFF { 2 } else { 1 })).unwrap_or(1)
}

/// Fills parts one piece at a time; `None` when a character has no size in this alphabet. A piece longer than a part is
/// filled in by its characters.
fn fill<'t>(
    pieces: impl Iterator<Item = &'t str>,
    room: Room,
    size: impl Fn(char) -> Option<u32>,
) -> Option<u32> {
    let (mut total, mut parts, mut used) = (0_u32, 1_u32, 0_u32);
    let mut put = |units: u32| {
        if used + units > room.part {
            parts = parts.saturating_add(1);
            used = 0;
        }
        used += units;
    };
    for piece in pieces {
        let mut units = 0_u32;
        for character in piece.chars() {
            units = units.saturating_add(size(character)?);
        }
        total = total.saturating_add(units);
        if units <= room.part {
            put(units);
        } else {
            piece.chars().filter_map(&size).for_each(&mut put);
        }
    }
    Some(if total <= room.single { 1 } else { parts })
}

#[cfg(test)]
mod tests {
    use super::super::alphabet::DEFAULT;
    use super::*;

    fn counts(text: &str) -> (Option<u32>, u32) {
        let counts = count_segments(text);
        (counts.gsm7, counts.ucs2)
    }

    #[test]
    fn borders_of_gsm7() {
        assert_eq!(counts(""), (Some(1), 1));
        assert_eq!(counts(&"a".repeat(160)).0, Some(1));
        assert_eq!(counts(&"a".repeat(161)).0, Some(2));
        assert_eq!(counts(&"a".repeat(306)).0, Some(2));
        assert_eq!(counts(&"a".repeat(307)).0, Some(3));
    }

    #[test]
    fn an_extension_character_takes_two_septets_and_is_never_cut() {
        assert_eq!(counts(&"€".repeat(80)).0, Some(1));
        assert_eq!(counts(&"€".repeat(81)).0, Some(2));
        // 152 septets, then a pair that does not fit into the last septet of the first part: 152 + 2 + 152.
        let text = format!("{}[{}", "a".repeat(152), "b".repeat(151));
        assert_eq!(counts(&text).0, Some(2));
        assert_eq!(
            counts(&format!("{text}b")).0,
            Some(3),
            "306 septets need a third part because of the pair"
        );
    }

    #[test]
    fn borders_of_ucs2_and_surrogates() {
        assert_eq!(counts(&"ж".repeat(70)), (None, 1));
        assert_eq!(counts(&"ж".repeat(71)), (None, 2));
        assert_eq!(counts(&"ж".repeat(134)), (None, 2));
        assert_eq!(counts(&"ж".repeat(135)), (None, 3));
        assert_eq!(counts(&"😀".repeat(35)), (None, 1));
        // 33 pairs fill 66 of 67 units; the 34th may not be cut.
        assert_eq!(counts(&"😀".repeat(67)), (None, 3));
    }

    #[test]
    fn the_alphabet_is_the_default_one() {
        for character in ['@', 'Ω', 'ß', '\n', 'à', '¿', ' '] {
            assert_eq!(DEFAULT.septets(character), Some(1), "{character:?}");
        }
        for character in ['`', 'ç', '“', '’', '–', '\t'] {
            assert_eq!(DEFAULT.septets(character), None, "{character:?}");
        }
        let septets = |character: char| DEFAULT.septets(character);
        let all: u32 = (0..=0x2_0000).filter_map(char::from_u32).filter_map(septets).map(|_| 1).sum();
        assert_eq!(all, 127 + 10, "127 characters beside the escape, and ten in the extension table");
        assert_eq!(count_segments("naïve").automatic(), 1);
    }

    /// GSM-7 or UCS-2 with pairs and with graphemes, then the same with national tables.
    fn ways(text: &str) -> [u32; 4] {
        let ways = segment_ways(text);
        assert_eq!(ways.gsm7_pairs, Some(count_segments(text).automatic()));
        [ways.gsm7_pairs, ways.gsm7_graphemes, ways.national_pairs, ways.national_graphemes]
            .map(|count| count.expect("a text is always counted"))
    }

    #[test]
    fn a_national_table_takes_its_room_in_the_header() {
        // Four octets of header leave 136 octets, 155 septets; with a part's own header 131 octets, 149 septets.
        for (text, expected) in [
            // ş is one septet in the Turkish locking table.
            ("ş".repeat(155), [3, 3, 1, 1]),
            ("ş".repeat(156), [3, 3, 2, 2]),
            ("ş".repeat(298), [5, 5, 2, 2]),
            ("ş".repeat(299), [5, 5, 3, 3]),
            // Á is two septets by the Spanish table, one in the Portuguese locking table.
            ("Á".repeat(155), [3, 3, 1, 1]),
            // ú beside ñ: only the Spanish shift has ú where the default table has ñ; 153 + 2 septets.
            (format!("ú{}", "ñ".repeat(153)), [3, 3, 1, 1]),
            (format!("ú{}", "ñ".repeat(154)), [3, 3, 2, 2]),
            // ş by the locking table, õ by the Portuguese shift: seven octets of header leave 152 septets.
            (format!("{}õ", "ş".repeat(150)), [3, 3, 1, 1]),
            (format!("{}õ", "ş".repeat(151)), [3, 3, 2, 2]),
            // In parts of 146 septets: 145 and a pair that may not be cut.
            (format!("{}õ{}", "ş".repeat(145), "ş".repeat(144)), [5, 5, 2, 2]),
            (format!("{}õ{}", "ş".repeat(145), "ş".repeat(145)), [5, 5, 3, 3]),
            // No table has these, or both of them.
            ("ж".repeat(71), [2, 2, 2, 2]),
            ("şж".repeat(36), [2, 2, 2, 2]),
        ] {
            assert_eq!(ways(&text), expected, "{text}");
        }
    }

    #[test]
    fn what_the_default_alphabet_can_say_needs_no_national_table() {
        // The Portuguese locking table would take one septet for each of these, the extension table takes two.
        assert_eq!(ways(&"€".repeat(81)), [2, 2, 2, 2]);
        assert_eq!(ways(&"a".repeat(160)), [1, 1, 1, 1]);
        assert_eq!(ways(""), [1, 1, 1, 1]);
    }

    #[test]
    fn a_grapheme_is_cut_only_when_it_is_longer_than_a_part() {
        // A family of four is eleven units: six of them fit a message alone.
        let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}\u{200D}\u{1F466}";
        assert_eq!(family.graphemes(true).count(), 1);
        assert_eq!(ways(&family.repeat(6)), [1, 1, 1, 1]);
        assert_eq!(ways(&format!("{}{}", "ж".repeat(60), family)), [2, 2, 2, 2]);
        // 61 letters, then eleven units: pairs put six of them into the first part; 61 + 11 + 62 = 134 is two parts,
        // and three when the family begins the second.
        let text = format!("{}{family}{}", "ж".repeat(61), "ж".repeat(62));
        assert_eq!(ways(&text), [2, 3, 2, 3]);
        // The end of a line is one grapheme: 152 letters, two septets that stay together, 152 letters.
        let text = format!("{}\r\n{}", "a".repeat(152), "b".repeat(152));
        assert_eq!(ways(&text), [2, 3, 2, 3]);
        // One letter with a hundred accents does not fit a part.
        let tower = format!("e{}", "\u{301}".repeat(100));
        assert_eq!(ways(&tower), [2, 2, 2, 2]);
    }
}
