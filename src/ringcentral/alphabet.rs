//! The seven-bit alphabets of texts: the default one, and the national tables that a header may name instead (3GPP TS
//! 23.038, section 6.2.1 and annex A, for Turkish, Spanish and Portuguese).
//!
//! A *locking* table stands in place of the default alphabet, one septet a character; a *shift* table stands in place of
//! its extension table, an escape and one septet a character. Either may be used without the other.

/// What a text is written in.
#[derive(Clone, Copy)]
pub struct Tables {
    locking: &'static str,
    shift: &'static str,
    /// Whether the header names the table: the default ones go without saying.
    pub locking_named: bool,
    pub shift_named: bool,
}

/// Letters, digits and punctuation that every table has are in [`is_common`].
const DEFAULT_LOCKING: &str = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
const TURKISH_LOCKING: &str = "@£$¥€éùıòÇĞğÅåΔ_ΦΓΛΩΠΨΣΘΞŞşßÉ¤İÄÖÑÜ§çäöñüà";
const PORTUGUESE_LOCKING: &str = "@£$¥êéúíóçÔôÁáΔ_ªÇÀ∞^\\€Ó|ÂâÊÉºÍÃÕÚÜ§~ãõ`üà";

const DEFAULT_SHIFT: &str = "\u{c}^{}\\[~]|€";
const TURKISH_SHIFT: &str = "\u{c}^{}\\[~]|€ĞİŞçğış";
const SPANISH_SHIFT: &str = "\u{c}^{}\\[~]|€çÁÍÓÚáíóú";
const PORTUGUESE_SHIFT: &str = "\u{c}^{}\\[~]|€êçÔôÁáΦΓΩΠΨΣΘÊÀÍÓÚÃÕÂíóúãõâ";

/// The default alphabet with its extension table.
pub const DEFAULT: Tables =
    Tables { locking: DEFAULT_LOCKING, shift: DEFAULT_SHIFT, locking_named: false, shift_named: false };

/// Every pair of tables of which at least one is national.
pub fn national() -> impl Iterator<Item = Tables> {
    let lockings = [DEFAULT_LOCKING, TURKISH_LOCKING, PORTUGUESE_LOCKING];
    let shifts = [DEFAULT_SHIFT, TURKISH_SHIFT, SPANISH_SHIFT, PORTUGUESE_SHIFT];
    let pairs =
        (0..lockings.len()).flat_map(move |locking| (0..shifts.len()).map(move |shift| (locking, shift)));
    pairs.filter(|pair| *pair != (0, 0)).map(move |(locking, shift)| Tables {
        locking: lockings[locking],
        shift: shifts[shift],
        locking_named: locking > 0,
        shift_named: shift > 0,
    })
}

/// The characters that stand in the default alphabet and in all locking tables alike.
fn is_common(character: char) -> bool {
    character.is_ascii_alphanumeric() || "\n\r !\"#%&'()*+,-./:;<=>?".contains(character)
}

impl Tables {
    /// The septets of a character; `None` when these tables do not have it.
    pub fn septets(&self, character: char) -> Option<u32> {
        if is_common(character) || self.locking.contains(character) {
            Some(1)
        } else if self.shift.contains(character) {
            Some(2)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_each_place_once() {
        // 128 places without the escape.
        let common = (0..128_u8).map(char::from).filter(|character| is_common(*character)).count();
        for (table, free) in [(DEFAULT_LOCKING, 0), (TURKISH_LOCKING, 0), (PORTUGUESE_LOCKING, 0)] {
            assert_eq!(table.chars().count() + common, 127 - free, "{table}");
        }
        for (table, size) in [(TURKISH_SHIFT, 7), (SPANISH_SHIFT, 9), (PORTUGUESE_SHIFT, 27)] {
            assert_eq!(table.chars().count(), 10 + size, "{table}");
        }
        for table in [
            DEFAULT_LOCKING,
            TURKISH_LOCKING,
            PORTUGUESE_LOCKING,
            DEFAULT_SHIFT,
            TURKISH_SHIFT,
            SPANISH_SHIFT,
            PORTUGUESE_SHIFT,
        ] {
            let mut characters: Vec<char> = table.chars().collect();
            characters.sort_unstable();
            characters.dedup();
            assert_eq!(characters.len(), table.chars().count(), "{table}");
            assert!(!characters.iter().any(|character| is_common(*character)), "{table}");
        }
        assert_eq!(national().count(), 11);
    }
}
