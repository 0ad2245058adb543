//! Telephone numbers as values: E.164 in 64 bits, or a class of their own.

use std::collections::HashMap;
use std::fmt;

use super::outcome::words;

/// What stands at one end of a call or message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartyNumber {
    /// An E.164 number without its plus sign.
    E164(u64),
    /// A number of the company's own dial plan.
    Extension(u64),
    /// A public short code (texts) or service number (calls).
    ShortCode(u64),
    /// An emergency number.
    Emergency(u64),
    /// The service gave no number: an anonymous caller.
    Withheld,
    /// There is text, but no number can be read from it (masked by privacy rules, garbled).
    Unparseable,
}

impl PartyNumber {
    /// The E.164 digits, when it is such a number.
    pub fn e164(self) -> Option<u64> {
        match self {
            PartyNumber::E164(digits) => Some(digits),
            _ => None,
        }
    }

    /// The number with all but its last two digits hidden, for logs and terminals.
    pub fn masked(self) -> String {
        let text = self.to_string();
        let keep = text.len().saturating_sub(2);
        text.chars()
            .enumerate()
            .map(|(index, letter)| if (2..keep).contains(&index) { '*' } else { letter })
            .collect()
    }
}

impl fmt::Display for PartyNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PartyNumber::E164(digits) => write!(formatter, "+{digits}"),
            PartyNumber::Extension(digits) => write!(formatter, "ext. {digits}"),
            PartyNumber::ShortCode(digits) => write!(formatter, "{digits}"),
            PartyNumber::Emergency(digits) => write!(formatter, "{digits}"),
            PartyNumber::Withheld => formatter.write_str("withheld"),
            PartyNumber::Unparseable => formatter.write_str("unparseable"),
        }
    }
}

words! {
    /// What kind of number stands at an end; rules may speak of it.
    NumberClass {
        Ordinary = "ordinary",
        TollFree = "toll-free",
        ShortCode = "short-code",
        Emergency = "emergency",
        Internal = "internal",
        Withheld = "withheld",
        Unparseable = "unparseable",
    }
}

impl NumberClass {
    /// The class of a number; whether an E.164 number is free to its caller only the numbering plan knows.
    pub fn of(number: PartyNumber, toll_free: bool) -> NumberClass {
        match number {
            PartyNumber::E164(_) if toll_free => NumberClass::TollFree,
            PartyNumber::E164(_) => NumberClass::Ordinary,
            PartyNumber::Extension(_) => NumberClass::Internal,
            PartyNumber::ShortCode(_) => NumberClass::ShortCode,
            PartyNumber::Emergency(_) => NumberClass::Emergency,
            PartyNumber::Withheld => NumberClass::Withheld,
            PartyNumber::Unparseable => NumberClass::Unparseable,
        }
    }
}

/// An ISO 3166 country code of two letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// The country of two upper-case letters that has a numbering plan.
    pub fn from_code(code: &str) -> Option<Country> {
        code.parse::<phonenumber::country::Id>().ok()?;
        <[u8; 2]>::try_from(code.as_bytes()).ok().map(Country)
    }

    /// Two upper-case letters that came from a country before; not checked against the numbering plans again.
    pub fn from_letters(letters: [u8; 2]) -> Option<Country> {
        letters.iter().all(u8::is_ascii_uppercase).then_some(Country(letters))
    }

    /// The two letters as bytes.
    pub fn letters(&self) -> [u8; 2] {
        self.0
    }

    /// The two letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a country code is ASCII by construction")
    }

    /// The calling code of the country, such as 44.
    pub fn calling_code(&self) -> Option<u16> {
        let id = self.code().parse::<phonenumber::country::Id>().ok()?;
        phonenumber::metadata::DATABASE.by_id(id.as_ref()).map(phonenumber::Metadata::country_code)
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// What a text says of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadNumber {
    pub number: PartyNumber,
    /// The country of an E.164 number.
    pub country: Option<Country>,
    /// Free to its caller by the numbering plan.
    pub toll_free: bool,
}

/// Reads numbers as the service or a person writes them. Each distinct text is parsed once.
pub struct NumberReader {
    home: phonenumber::country::Id,
    known: HashMap<String, ReadNumber>,
}

/// Emergency numbers of the numbering plans the product meets; a text to one of them is never a client's.
const EMERGENCY: [u64; 6] = [911, 933, 988, 999, 112, 000];

impl NumberReader {
    /// A reader that takes numbers without a country code as numbers of `home`.
    pub fn new(home: Country) -> NumberReader {
        let home = home.code().parse().expect("a Country is made only from codes the library knows");
        NumberReader { home, known: HashMap::new() }
    }

    /// The number of a text, and the country it belongs to when it is E.164. An empty text is a withheld number.
    pub fn read(&mut self, text: &str) -> (PartyNumber, Option<Country>) {
        let found = self.read_whole(text);
        (found.number, found.country)
    }

    /// As [`NumberReader::read`], and whether the number is free to its caller.
    pub fn read_whole(&mut self, text: &str) -> ReadNumber {
        if let Some(found) = self.known.get(text) {
            return *found;
        }
        let found = self.parse(text.trim());
        self.known.insert(text.to_owned(), found);
        found
    }

    fn parse(&self, text: &str) -> ReadNumber {
        let without_country = |number| ReadNumber { number, country: None, toll_free: false };
        if text.is_empty() || text.eq_ignore_ascii_case("anonymous") {
            return without_country(PartyNumber::Withheld);
        }
        let written = |letter: char| letter.is_ascii_digit() || " +-().".contains(letter);
        if !text.chars().all(written) || text.chars().filter(char::is_ascii_digit).count() > 17 {
            return without_country(PartyNumber::Unparseable);
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        if digits.len() <= 6 && !text.starts_with('+') {
            return match digits.parse::<u64>() {
                Ok(short) if digits.len() == 3 && EMERGENCY.contains(&short) => {
                    without_country(PartyNumber::Emergency(short))
                }
                Ok(short) => without_country(PartyNumber::ShortCode(short)),
                Err(_) => without_country(PartyNumber::Unparseable),
            };
        }
        self.parse_e164(text).unwrap_or(without_country(PartyNumber::Unparseable))
    }

    /// Numbers are checked for a possible form, not for being assigned: a call that took place is evidence enough.
    fn parse_e164(&self, text: &str) -> Option<ReadNumber> {
        // The library strips the home country's trunk prefix (1 in North America) from numbers of other countries too
        // when it is told a home: `+44 1632 …` and every Chinese mobile would lose a digit.
        let home = (!text.starts_with('+')).then_some(self.home);
        let parsed = phonenumber::parse(home, text).ok()?;
        let code = u64::from(parsed.country().code());
        let national = parsed.national().value();
        let digits =
            match text.strip_prefix('+').filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())) {
                // E.164 as it is: nothing in it is a prefix to be stripped.
                Some(digits) => digits.to_owned(),
                None => format!("{code}{}{national}", "0".repeat(usize::from(parsed.national().zeros()))),
            };
        if national == 0 || !(7..=15).contains(&digits.len()) {
            return None;
        }
        let known = parsed.country().id().and_then(|id| Country::from_code(id.as_ref()));
        let country = known.or_else(|| country_behind_zero(&parsed));
        let toll_free = is_toll_free(&parsed);
        Some(ReadNumber { number: PartyNumber::E164(digits.parse().ok()?), country, toll_free })
    }
}

/// Whether the numbering plan says that a number is free to its caller.
fn is_toll_free(parsed: &phonenumber::PhoneNumber) -> bool {
    let database = &phonenumber::metadata::DATABASE;
    let zeros = usize::from(parsed.national().zeros());
    let free_without_zeros = parsed.number_type(database) == phonenumber::Type::TollFree;
    if !free_without_zeros || zeros == 0 {
        return free_without_zeros;
    }
    // The library asks without the zeros that belong to the number.
    let national = format!("{}{}", "0".repeat(zeros), parsed.national().value());
    let free = parsed.metadata(database).and_then(|metadata| metadata.descriptors().toll_free());
    free.is_some_and(|free| free.is_match(&national))
}

/// The country of a number whose national part begins with a zero that belongs to it, as in Italy: the library loses
/// sight of the zero when it asks which country a number belongs to.
fn country_behind_zero(parsed: &phonenumber::PhoneNumber) -> Option<Country> {
    let zeros = usize::from(parsed.national().zeros());
    let national = format!("{}{}", "0".repeat(zeros), parsed.national().value());
    let sharing = phonenumber::metadata::DATABASE.by_code(&parsed.country().code())?;
    let fits = |metadata: &&&phonenumber::Metadata| metadata.descriptors().general().is_match(&national);
    sharing.iter().filter(|_| zeros > 0).find(fits).and_then(|metadata| Country::from_code(metadata.id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: PartyNumber, country: Option<&str>) {
        let mut reader = NumberReader::new(Country::from_code("US").unwrap());
        let (number, found) = reader.read(text);
        assert_eq!(number, expected, "{text}");
        assert_eq!(found.map(|country| country.code().to_owned()), country.map(str::to_owned), "{text}");
    }

    #[test]
    fn the_forms_of_the_service_are_read() {
        check("+12125550143", PartyNumber::E164(12_125_550_143), Some("US"));
        // No such exchange exists: the number is kept, its country is not guessed.
        check("18661234567", PartyNumber::E164(18_661_234_567), None);
        check("(866)123-4567", PartyNumber::E164(18_661_234_567), None);
        check("(404) 555-0148", PartyNumber::E164(14_045_550_148), Some("US"));
        check("+442079460018", PartyNumber::E164(442_079_460_018), Some("GB"));
        check("+4915186973419", PartyNumber::E164(4_915_186_973_419), Some("DE"));
        check("+441632960385", PartyNumber::E164(441_632_960_385), None);
        check("+44 191 234 5678", PartyNumber::E164(441_912_345_678), Some("GB"));
        check("+8613812345678", PartyNumber::E164(8_613_812_345_678), Some("CN"));
        // The zero belongs to the number; the library does not tell Italy from the Vatican by it.
        check("+44 (0)20 7946 0018", PartyNumber::E164(442_079_460_018), Some("GB"));
        check("+390612345678", PartyNumber::E164(390_612_345_678), Some("IT"));
        check("+18765550143", PartyNumber::E164(18_765_550_143), Some("JM"));
        check("+1855201XXXX", PartyNumber::Unparseable, None);
        check("", PartyNumber::Withheld, None);
        check("911", PartyNumber::Emergency(911), None);
        check("29395", PartyNumber::ShortCode(29_395), None);
    }

    #[test]
    fn every_class_of_number_is_told_from_the_others() {
        let mut reader = NumberReader::new(Country::from_code("US").unwrap());
        let mut class = |text: &str| {
            let read = reader.read_whole(text);
            NumberClass::of(read.number, read.toll_free)
        };
        for (text, expected) in [
            ("+12125550143", NumberClass::Ordinary),
            ("(212) 555-0143", NumberClass::Ordinary),
            ("+18007233456", NumberClass::TollFree),
            ("1 (888) 234-5678", NumberClass::TollFree),
            ("8336669999", NumberClass::TollFree),
            ("+448081570192", NumberClass::TollFree),
            ("+4980012345678", NumberClass::TollFree),
            ("+39800123456", NumberClass::TollFree),
            // With the zero it is another number.
            ("+390800123456", NumberClass::Ordinary),
            ("+80012345678", NumberClass::TollFree),
            // Premium and shared-cost numbers cost their caller more, not less.
            ("+19002345678", NumberClass::Ordinary),
            ("+448431234567", NumberClass::Ordinary),
            // No such exchange exists, so nobody knows what it costs.
            ("18661234567", NumberClass::Ordinary),
            ("29395", NumberClass::ShortCode),
            ("411", NumberClass::ShortCode),
            ("911", NumberClass::Emergency),
            ("112", NumberClass::Emergency),
            ("", NumberClass::Withheld),
            ("anonymous", NumberClass::Withheld),
            ("+1855201XXXX", NumberClass::Unparseable),
        ] {
            assert_eq!(class(text), expected, "{text}");
        }
        assert_eq!(NumberClass::of(PartyNumber::Extension(101), false), NumberClass::Internal);
    }

    #[test]
    fn a_masked_number_shows_its_ends_only() {
        assert_eq!(PartyNumber::E164(12_125_550_143).masked(), "+1********43");
    }
}
