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
}
