//! File names made from text of outside: a contact id must not be able to leave its folder.

use crate::domain::Hash;

/// Bytes that a stem may have; longer text is cut and told apart by its hash.
const MAXIMUM_BYTES: usize = 64;
/// Hexadecimal digits of the hash that tells cut or cleaned texts apart.
const HASH_DIGITS: usize = 12;
/// Device names of Windows, which are reserved in any case and with any extension.
const RESERVED: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// One part of a path that is safe on every file system: ASCII letters, digits, `-`, `_` and `.`, never hidden,
/// reserved, or a way out of its folder.
///
/// Text that is already safe stays as it is, so that people find `INV-000001`. Any other text becomes a slug with a
/// hash of the whole text; safe text that looks like such a slug is hashed too, so that two different texts never
/// share a stem.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SafeFileStem(String);

impl SafeFileStem {
    /// The stem of a text; every text has one.
    pub fn of(text: &str) -> SafeFileStem {
        if is_safe(text) && !looks_hashed(text) {
            return SafeFileStem(text.to_owned());
        }
        let hash = Hash::of(text.as_bytes()).hex();
        let room = MAXIMUM_BYTES - HASH_DIGITS - 1;
        let mut slug = String::new();
        for letter in text.chars() {
            if slug.len() == room {
                break;
            }
            if letter.is_ascii_alphanumeric() || letter == '_' {
                slug.push(letter);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        let slug = match slug.trim_end_matches('-') {
            "" => "x",
            slug => slug,
        };
        SafeFileStem(format!("{slug}-{}", &hash[..HASH_DIGITS]))
    }

    /// The text of the stem.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SafeFileStem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn is_safe(text: &str) -> bool {
    let letters = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    !text.is_empty()
        && text.len() <= MAXIMUM_BYTES
        && text.chars().all(letters)
        && !text.starts_with(['.', '-'])
        && !text.ends_with('.')
        && !is_reserved(text)
}

fn is_reserved(text: &str) -> bool {
    let base = text.split('.').next().unwrap_or(text);
    RESERVED.iter().any(|reserved| base.eq_ignore_ascii_case(reserved))
}

fn looks_hashed(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(_, tail)| {
        tail.len() == HASH_DIGITS && tail.chars().all(|letter| matches!(letter, '0'..='9' | 'a'..='f'))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ordinary_names_stay_as_they_are() {
        for text in ["INV-000001", "acme", "C001", "smith_jones.2", "a"] {
            assert_eq!(SafeFileStem::of(text).as_str(), text);
        }
    }

    #[test]
    fn hostile_names_become_one_harmless_part_and_stay_apart() {
        let long = "a".repeat(300);
        let hostile = [
            "",
            ".",
            "..",
            "../../etc/passwd",
            "/etc/passwd",
            "C:\\x",
            "a/b",
            "a\\b",
            "a\0b",
            "con",
            "NUL.txt",
            "COM1",
            "-rf",
            ".hidden",
            "end.",
            "end ",
            "\u{202e}gpj.exe",
            "na\u{ef}ve",
            "na\u{ef}ve ",
            "a\nb",
            "a b",
            "a  b",
            "a:b",
            "a*b",
            "a?b",
            "a|b",
            "=1+1",
            "~",
            "$HOME",
            "%2e%2e",
            "\u{ff0e}\u{ff0e}",
            &long,
        ];
        let mut seen = BTreeSet::new();
        for text in hostile {
            let stem = SafeFileStem::of(text);
            assert!(is_safe(stem.as_str()), "{text:?} gave {stem}");
            assert!(seen.insert(stem.clone()), "{text:?} shares {stem}");
        }
    }

    #[test]
    fn a_name_that_imitates_a_hashed_one_is_hashed_itself() {
        let first = SafeFileStem::of("a b");
        let imitation = SafeFileStem::of(first.as_str());
        assert_ne!(first, imitation);
        assert_ne!(imitation.as_str(), first.as_str());
    }
}
