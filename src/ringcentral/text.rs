//! How many segments a text message takes, counted from its text before the text is replaced by its hash.
//!
//! A text whose characters are all in the GSM 03.38 default alphabet (or its extension table, two septets each) fits
//! 160 septets, or 153 in each part of a concatenated message; any other text is sent as UCS-2 and fits 70 units, or
//! 67. Neither an escape pair nor a surrogate pair may be cut by the border of two parts, so parts are filled one
//! character at a time.

const SINGLE_SEPTETS: u32 = 160;
const PART_SEPTETS: u32 = 153;
const SINGLE_UNITS: u32 = 70;
const PART_UNITS: u32 = 67;

/// The characters of the default alphabet beyond letters, digits and ASCII punctuation listed in [`septets`].
const DEFAULT_ALPHABET: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";

/// The characters of the extension table: an escape and one more septet.
const EXTENSION_TABLE: &str = "\u{c}^{}\\[~]|€";

/// The segments of one text, for each way of counting.
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
    SegmentCounts {
        gsm7: fill(text, SINGLE_SEPTETS, PART_SEPTETS, septets),
        ucs2: fill(text, SINGLE_UNITS, PART_UNITS, |character| Some(character.len_utf16() as u32))
            .unwrap_or(1),
    }
}

/// The septets of a character in GSM-7; `None` when it has none.
fn septets(character: char) -> Option<u32> {
    if character.is_ascii_alphanumeric() || DEFAULT_ALPHABET.contains(character) {
        Some(1)
    } else if EXTENSION_TABLE.contains(character) {
        Some(2)
    } else {
        None
    }
}

/// Fills parts one character at a time; `None` when a character has no size in this alphabet.
fn fill(text: &str, single: u32, part: u32, size: impl Fn(char) -> Option<u32>) -> Option<u32> {
    let (mut total, mut parts, mut used) = (0_u32, 1_u32, 0_u32);
    for character in text.chars() {
        let units = size(character)?;
        total = total.saturating_add(units);
        if used + units > part {
            parts += 1;
            used = 0;
        }
        used += units;
    }
    Some(if total <= single { 1 } else { parts })
}

#[cfg(test)]
mod tests {
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
            assert_eq!(septets(character), Some(1), "{character:?}");
        }
        for character in ['`', 'ç', '“', '’', '–', '\t'] {
            assert_eq!(septets(character), None, "{character:?}");
        }
        let all: u32 = (0..=0x2_0000).filter_map(char::from_u32).filter_map(septets).map(|_| 1).sum();
        assert_eq!(all, 127 + 10, "127 characters beside the escape, and ten in the extension table");
        assert_eq!(count_segments("naïve").automatic(), 1);
    }
}
