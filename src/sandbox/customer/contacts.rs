//! `contacts.csv`: the clients, with their numbers, tariffs and taxes.

use super::table;
use crate::sandbox::world::World;
use crate::sandbox::world::clients::{self, CLIENTS, Client, HEIR, LEAVER, LONDONER, PREDECESSOR};
use crate::sandbox::world::number::{e164, national};
use std::io;

const HEADER: [&str; 16] = [
    "id",
    "name",
    "address",
    "email",
    "numbers",
    "prefixes",
    "extensions",
    "account_codes",
    "tariff",
    "currency",
    "zone",
    "tax_name",
    "tax_rate",
    "valid_from",
    "valid_to",
    "do_not_bill",
];

pub(super) fn write(world: &World) -> io::Result<Vec<u8>> {
    table(&HEADER, CLIENTS.iter().enumerate().map(|(index, client)| row(world, index, client)))
}

fn row(world: &World, index: usize, client: &Client) -> Vec<String> {
    let text = str::to_owned;
    let leaving = world.calendar.date(world.calendar.leaving_day());
    vec![
        text(client.id),
        text(client.name),
        text(client.address),
        format!("accounts@{}.example", client.id),
        numbers(world, index),
        if index == LONDONER { text("+4420") } else { String::new() },
        text(client.extension),
        format!("C-{}", 1001 + index),
        text(client.tariff),
        text(client.currency),
        text(client.zone),
        text(client.tax.0),
        text(client.tax.1),
        String::new(),
        if index == LEAVER { leaving.to_string() } else { String::new() },
        if client.do_not_bill { text("true") } else { String::new() },
    ]
}

/// The number that is answered for the client, then its own. Londoners are known by their prefix.
fn numbers(world: &World, index: usize) -> String {
    let handover = world.calendar.date(world.calendar.handover_day());
    let answered = e164(clients::answered_number(index));
    let answered = match index {
        PREDECESSOR => format!("{answered}@..{handover}"),
        HEIR => format!("{answered}@{handover}.."),
        _ => answered,
    };
    if index == LONDONER {
        return answered;
    }
    let [first, second] = clients::phones(index);
    // People write their own country's numbers as they like.
    let second = if index % 5 == 1 { national(second) } else { e164(second) };
    [answered, e164(first), second, e164(clients::mobile(index)), e164(clients::fax(index))].join(";")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::world::Plot;
    use crate::sandbox::world::truth::Way;
    use chrono::{DateTime, NaiveDate, Utc};
    use chrono_tz::America::New_York;
    use std::collections::BTreeMap;

    #[test]
    fn the_list_reads_back() {
        let world = World::generate(Plot { days: 31, ..Plot::default() });
        let bytes = write(&world).expect("a table");
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        assert_eq!(reader.headers().expect("a header").iter().collect::<Vec<_>>(), HEADER);
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("rows");
        assert_eq!(rows.len(), CLIENTS.len());
        let find = |id: &str| rows.iter().find(|row| &row[0] == id).expect("a client");
        assert!(find("harbor-realty")[4].starts_with("+13325550138@..2026-10-16;"));
        assert!(find("brightline-realty")[4].starts_with("+13325550138@2026-10-16..;"));
        assert_eq!(&find("st-agnes-shelter")[15], "true");
        assert_eq!(&find("sum-accounting")[1], "=Sum Accounting Services");
        assert_eq!((&find("thames-chambers")[5], &find("thames-chambers")[9]), ("+4420", "GBP"));
        assert_eq!(&find("yonkers-towing")[14], "2026-10-25");
    }

    /// A contact list as a stranger to this module would read it.
    struct Reading {
        /// Digits, from and to (dates in New York), contact.
        numbers: Vec<(String, Option<NaiveDate>, Option<NaiveDate>, String)>,
        prefixes: Vec<(String, String)>,
        extensions: Vec<(String, String)>,
        leaving: BTreeMap<String, NaiveDate>,
    }

    fn digits(text: &str) -> String {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        if text.starts_with('+') { digits } else { format!("1{digits}") }
    }

    fn reading(bytes: &[u8]) -> Reading {
        let (mut numbers, mut prefixes, mut extensions) = (Vec::new(), Vec::new(), Vec::new());
        let mut leaving = BTreeMap::new();
        for row in csv::Reader::from_reader(bytes).records() {
            let row = row.expect("a row");
            let id = row[0].to_owned();
            for entry in row[4].split(';') {
                let (number, validity) = entry.split_once('@').unwrap_or((entry, ".."));
                let (from, to) = validity.split_once("..").expect("a span");
                numbers.push((digits(number), from.parse().ok(), to.parse().ok(), id.clone()));
            }
            let list = |cell: &str| {
                cell.split(';').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>()
            };
            prefixes.extend(list(&row[5]).into_iter().map(|prefix| (digits(&prefix), id.clone())));
            extensions.extend(list(&row[6]).into_iter().map(|extension| (extension, id.clone())));
            leaving.extend(row[14].parse().ok().map(|date: NaiveDate| (id, date)));
        }
        Reading { numbers, prefixes, extensions, leaving }
    }

    impl Reading {
        fn payer(
            &self,
            dialled: Option<u64>,
            outside: Option<u64>,
            extension: &str,
            at: DateTime<Utc>,
        ) -> Option<String> {
            let date = at.with_timezone(&New_York).date_naive();
            let here = |id: &&String| self.leaving.get(*id).is_none_or(|leaving| date < *leaving);
            let exact = |number: u64| {
                let number = number.to_string();
                let valid = self.numbers.iter().filter(|claim| claim.0 == number);
                let mut valid = valid.filter(|claim| {
                    claim.1.is_none_or(|from| from <= date) && claim.2.is_none_or(|to| date < to)
                });
                valid.next().map(|claim| &claim.3).filter(here)
            };
            let prefix = |number: u64| {
                let number = number.to_string();
                self.prefixes.iter().find(|prefix| number.starts_with(&prefix.0)).map(|prefix| &prefix.1)
            };
            let by_extension =
                || self.extensions.iter().find(|entry| entry.0 == extension).map(|entry| &entry.1);
            let found = dialled.and_then(exact).or_else(|| outside.and_then(exact));
            found.or_else(|| outside.and_then(prefix)).or_else(by_extension).cloned()
        }
    }

    #[test]
    fn the_list_says_of_every_event_to_whom_it_belongs() {
        let world = World::generate(Plot::default());
        let reading = reading(&write(&world).expect("a table"));
        for call in world.truth().calls.iter().filter(|call| call.way != Way::Internal) {
            let shown = call.outside.filter(|_| !call.withheld);
            assert_eq!(
                reading.payer(call.dialled, shown, &call.extension, call.start),
                call.contact,
                "{call:?}"
            );
        }
        for text in world.truth().texts.iter().filter(|text| text.way != Way::Internal) {
            assert_eq!(
                reading.payer(None, text.outside, &text.extension, text.created),
                text.contact,
                "{text:?}"
            );
        }
        for fax in &world.truth().faxes {
            assert_eq!(reading.payer(None, fax.outside, &fax.extension, fax.created), fax.contact, "{fax:?}");
        }
    }
}
