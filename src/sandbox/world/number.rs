//! Telephone numbers of the world, all from the ranges kept free for fiction.

/// E.164 digits of a number.
pub(crate) type Number = u64;

/// Area codes of callers who are nobody's client, with the place a phone shows for them.
const PLACES: [(u64, &str, &str); 44] = [
    (201, "Jersey City, NJ", "JERSEY CITY NJ"),
    (203, "New Haven, CT", "NEW HAVEN CT"),
    (207, "Portland, ME", "PORTLAND ME"),
    (213, "Los Angeles, CA", "LOS ANGELES CA"),
    (215, "Philadelphia, PA", "PHILADELPHIA PA"),
    (240, "Rockville, MD", "ROCKVILLE MD"),
    (267, "Philadelphia, PA", "PHILADELPHIA PA"),
    (301, "Bethesda, MD", "BETHESDA MD"),
    (303, "Denver, CO", "DENVER CO"),
    (305, "Miami, FL", "MIAMI FL"),
    (310, "Santa Monica, CA", "SANTA MONICA CA"),
    (312, "Chicago, IL", "CHICAGO IL"),
    (315, "Syracuse, NY", "SYRACUSE NY"),
    (347, "Brooklyn, NY", "BROOKLYN NY"),
    (401, "Providence, RI", "PROVIDENCE RI"),
    (404, "Atlanta, GA", "ATLANTA GA"),
    (410, "Baltimore, MD", "BALTIMORE MD"),
    (412, "Pittsburgh, PA", "PITTSBURGH PA"),
    (413, "Springfield, MA", "SPRINGFIELD MA"),
    (415, "San Francisco, CA", "SAN FRANCISC CA"),
    (484, "Allentown, PA", "ALLENTOWN PA"),
    (508, "Worcester, MA", "WORCESTER MA"),
    (518, "Albany, NY", "ALBANY NY"),
    (551, "Jersey City, NJ", "JERSEY CITY NJ"),
    (585, "Rochester, NY", "ROCHESTER NY"),
    (603, "Manchester, NH", "MANCHESTER NH"),
    (607, "Binghamton, NY", "BINGHAMTON NY"),
    (609, "Trenton, NJ", "TRENTON NJ"),
    (610, "Reading, PA", "READING PA"),
    (617, "Boston, MA", "BOSTON MA"),
    (631, "Islip, NY", "ISLIP NY"),
    (703, "Arlington, VA", "ARLINGTON VA"),
    (716, "Buffalo, NY", "BUFFALO NY"),
    (732, "Edison, NJ", "EDISON NJ"),
    (781, "Waltham, MA", "WALTHAM MA"),
    (802, "Burlington, VT", "BURLINGTON VT"),
    (845, "Poughkeepsie, NY", "POUGHKEEPSIE NY"),
    (856, "Camden, NJ", "CAMDEN NJ"),
    (860, "Hartford, CT", "HARTFORD CT"),
    (862, "Newark, NJ", "NEWARK NJ"),
    (908, "Elizabeth, NJ", "ELIZABETH NJ"),
    (929, "Queens, NY", "QUEENS NY"),
    (973, "Newark, NJ", "NEWARK NJ"),
    (978, "Lowell, MA", "LOWELL MA"),
];

/// Area codes used by the company and its clients; strangers never have them.
const HOME_PLACES: [(u64, &str, &str); 8] = [
    (212, "New York, NY", "NEW YORK NY"),
    (332, "New York, NY", "NEW YORK NY"),
    (516, "Hempstead, NY", "HEMPSTEAD NY"),
    (646, "New York, NY", "NEW YORK NY"),
    (718, "Bronx, NY", "BRONX NY"),
    (800, "", "TOLL FREE CALL"),
    (888, "", "TOLL FREE CALL"),
    (914, "White Plains, NY", "WHITE PLAINS NY"),
];

/// How many strangers' numbers there are inside the numbering plan.
pub(crate) const STRANGERS: u64 = 4400;

/// `+1 NPA 555-01xx`; `line` is taken modulo 100.
pub(crate) fn fiction(area: u64, line: u64) -> Number {
    10_000_000_000 + area * 10_000_000 + 5_550_100 + line % 100
}

/// A stranger's number; `index` is taken modulo [`STRANGERS`].
pub(crate) fn stranger(index: u64) -> Number {
    let area = usize::try_from(index / 100).unwrap_or(0) % PLACES.len();
    fiction(PLACES[area].0, index % 100)
}

/// A London number of the drama range, `+44 20 7946 0xxx`.
pub(crate) fn london(line: u64) -> Number {
    442_079_460_000 + line % 1000
}

/// A British number of no area in the drama range, `+44 1632 960xxx`.
pub(crate) fn british(line: u64) -> Number {
    441_632_960_000 + line % 1000
}

/// `+12125550143`.
pub(crate) fn e164(number: Number) -> String {
    format!("+{number}")
}

/// `(212)555-0143`, as some back ends write it; a foreign number stays international.
pub(crate) fn national(number: Number) -> String {
    if is_foreign(number) {
        return e164(number);
    }
    let digits = number % 10_000_000_000;
    format!("({:03}){:03}-{:04}", digits / 10_000_000, digits / 10_000 % 1000, digits % 10_000)
}

pub(crate) fn is_foreign(number: Number) -> bool {
    number / 10_000_000_000 != 1
}

pub(crate) fn is_toll_free(number: Number) -> bool {
    !is_foreign(number) && matches!(area(number), 800 | 888)
}

/// The place shown for a number.
pub(crate) fn location(number: Number) -> Option<&'static str> {
    if is_foreign(number) {
        let place = if number / 1_000_000 == 442_079 { "London, United Kingdom" } else { "United Kingdom" };
        return Some(place);
    }
    place(number).map(|found| found.1).filter(|name| !name.is_empty())
}

/// The name a phone company shows for a caller: a town, or that it is a mobile phone.
pub(crate) fn caller_name(number: Number) -> &'static str {
    if number.is_multiple_of(3) {
        return "WIRELESS CALLER";
    }
    if is_foreign(number) {
        return "UNITED KINGDOM";
    }
    place(number).map_or("UNKNOWN", |found| found.2)
}

fn area(number: Number) -> u64 {
    number / 10_000_000 % 1000
}

fn place(number: Number) -> Option<&'static (u64, &'static str, &'static str)> {
    let code = area(number);
    HOME_PLACES.iter().chain(PLACES.iter()).find(|place| place.0 == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_number() {
        assert_eq!(e164(fiction(212, 43)), "+12125550143");
        assert_eq!(national(fiction(212, 43)), "(212)555-0143");
        assert_eq!(location(fiction(212, 43)), Some("New York, NY"));
        assert_eq!(location(london(18)), Some("London, United Kingdom"));
        assert_eq!(e164(british(7)), "+441632960007");
        assert!(is_toll_free(fiction(888, 20)));
        assert!(!is_toll_free(london(1)));
    }

    #[test]
    fn every_number_is_fiction_and_strangers_differ() {
        let mut seen = std::collections::BTreeSet::new();
        for index in 0..STRANGERS {
            let number = stranger(index);
            assert_eq!(number / 100 % 100_000, 55501, "{number}");
            assert!(seen.insert(number));
        }
    }
}
