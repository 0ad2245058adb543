//! The clients of the answering service, as its owner knows them: who they are and which numbers are theirs.
//!
//! Their numbers follow from their place in the table, so that no two clients can claim the same one by accident.

use super::number::{Number, fiction, london};

/// What a client does, which decides what is said and sent for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trade {
    Law,
    /// Sends its patients appointment reminders from a line of its own.
    Clinic,
    /// Wants each caller's message on a mobile phone at once.
    Repair,
    /// Gets its orders by fax.
    Supply,
    Office,
}

/// One client. Amounts and rates are text: they go into files as they stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) address: &'static str,
    pub(crate) trade: Trade,
    /// How often it is called, compared with others.
    pub(crate) weight: u32,
    /// Extension kept for it alone.
    pub(crate) extension: &'static str,
    pub(crate) tariff: &'static str,
    pub(crate) currency: &'static str,
    pub(crate) zone: &'static str,
    pub(crate) tax: (&'static str, &'static str),
    pub(crate) do_not_bill: bool,
}

const NEW_YORK_TAX: (&str, &str) = ("NY sales tax", "8.875");
const NO_TAX: (&str, &str) = ("", "");

const fn client(
    id: &'static str,
    name: &'static str,
    address: &'static str,
    trade: Trade,
    weight: u32,
    tax: (&'static str, &'static str),
) -> Client {
    Client {
        id,
        name,
        address,
        trade,
        weight,
        extension: "",
        tariff: "",
        currency: "",
        zone: "",
        tax,
        do_not_bill: false,
    }
}

const fn with_extension(mut client: Client, extension: &'static str) -> Client {
    client.extension = extension;
    client
}

const fn with_tariff(mut client: Client, tariff: &'static str, currency: &'static str) -> Client {
    client.tariff = tariff;
    client.currency = currency;
    client
}

const fn in_zone(mut client: Client, zone: &'static str) -> Client {
    client.zone = zone;
    client
}

const fn never_billed(mut client: Client) -> Client {
    client.do_not_bill = true;
    client
}

use Trade::{Clinic, Law, Office, Repair, Supply};

/// All clients. The order is part of the world: numbers follow from it.
pub(crate) const CLIENTS: [Client; 31] = [
    client(
        "alvarez-law",
        "Alvarez, Stone & Partners LLP",
        "40 Court Street;Brooklyn, NY 11201",
        Law,
        60,
        NEW_YORK_TAX,
    ),
    client(
        "bergman-law",
        "Bergman Immigration Law PC",
        "225 Broadway;New York, NY 10007",
        Law,
        45,
        NEW_YORK_TAX,
    ),
    with_extension(
        client(
            "castellano-law",
            "Castellano & Daughters, Attorneys",
            "1 Old Country Road;Mineola, NY 11501",
            Law,
            40,
            NO_TAX,
        ),
        "122",
    ),
    client(
        "dunmore-estates",
        "Dunmore Estate Counsel",
        "11 Martine Avenue;White Plains, NY 10606",
        Law,
        18,
        NEW_YORK_TAX,
    ),
    with_extension(
        client(
            "eastside-dental",
            "East Side Family Dental",
            "305 East 72nd Street;New York, NY 10021",
            Clinic,
            55,
            NO_TAX,
        ),
        "117",
    ),
    with_extension(
        client(
            "fordham-pediatrics",
            "Fordham Pediatrics",
            "2488 Grand Concourse;Bronx, NY 10458",
            Clinic,
            60,
            NO_TAX,
        ),
        "118",
    ),
    with_extension(
        client(
            "nino-jesus",
            "Clínica Niño Jesús – Zoë Müller, MD",
            "37-12 Junction Boulevard;Queens, NY 11368",
            Clinic,
            40,
            NO_TAX,
        ),
        "119",
    ),
    with_extension(
        client(
            "hudson-physio",
            "Hudson Physiotherapy",
            "10 Main Street;Dobbs Ferry, NY 10522",
            Clinic,
            30,
            NO_TAX,
        ),
        "120",
    ),
    with_extension(
        client(
            "island-eye",
            "Island Eye Associates",
            "600 Northern Boulevard;Great Neck, NY 11021",
            Clinic,
            35,
            NO_TAX,
        ),
        "121",
    ),
    client(
        "jericho-plumbing",
        "Jericho Plumbing & Drain",
        "99 Jericho Turnpike;Jericho, NY 11753",
        Repair,
        50,
        NEW_YORK_TAX,
    ),
    client(
        "ortiz-sons",
        "<script>alert(\"Ortiz\")</script> & Sons \"Boilers\"",
        "815 Tiffany Street;Bronx, NY 10474",
        Repair,
        30,
        NEW_YORK_TAX,
    ),
    client(
        "lamplight-electric",
        "Lamplight Electric",
        "52 Mercer Street;Jersey City, NJ 07302",
        Repair,
        30,
        ("NJ sales tax", "6.625"),
    ),
    client(
        "mohawk-hvac",
        "Mohawk Heating and Cooling",
        "410 State Street;Albany, NY 12203",
        Repair,
        40,
        ("NY sales tax", "8"),
    ),
    client(
        "northgate-locks",
        "Northgate Locksmiths",
        "12 Gun Hill Road;Bronx, NY 10467",
        Repair,
        25,
        NEW_YORK_TAX,
    ),
    client(
        "sum-accounting",
        "=Sum Accounting Services",
        "500 Fifth Avenue;New York, NY 10110",
        Office,
        20,
        NEW_YORK_TAX,
    ),
    client(
        "parkview-homes",
        "Parkview Property Management",
        "1 Fordham Plaza;Bronx, NY 10458",
        Repair,
        50,
        NEW_YORK_TAX,
    ),
    client(
        "queens-vets",
        "Queens Veterinary Emergency",
        "187-11 Hillside Avenue;Queens, NY 11432",
        Office,
        45,
        NO_TAX,
    ),
    client(
        "riverside-funeral",
        "Riverside Funeral Home",
        "1 Riverdale Avenue;Yonkers, NY 10701",
        Office,
        25,
        NO_TAX,
    ),
    client(
        "saltbox-supply",
        "Saltbox Medical Supply",
        "77 Rodeo Drive;Edgewood, NY 11717",
        Supply,
        25,
        NEW_YORK_TAX,
    ),
    client("tremont-pharmacy", "Tremont Pharmacy", "1910 Arthur Avenue;Bronx, NY 10457", Supply, 30, NO_TAX),
    client(
        "upstate-parts",
        "Upstate Restaurant Parts",
        "22 Erie Boulevard;Syracuse, NY 13202",
        Supply,
        20,
        ("NY sales tax", "8"),
    ),
    with_tariff(
        client(
            "verity-software",
            "Verity Software Support",
            "28 Liberty Street;New York, NY 10005",
            Office,
            40,
            NEW_YORK_TAX,
        ),
        "client-premium",
        "USD",
    ),
    with_tariff(
        client(
            "westfield-cloud",
            "Westfield Cloud Hosting",
            "100 Crossways Park;Woodbury, NY 11797",
            Office,
            35,
            NEW_YORK_TAX,
        ),
        "client-premium",
        "USD",
    ),
    with_tariff(
        client(
            "xenia-biotech",
            "Xenia Biotech",
            "430 East 29th Street;New York, NY 10016",
            Office,
            20,
            NO_TAX,
        ),
        "client-premium",
        "USD",
    ),
    in_zone(
        with_tariff(
            client(
                "thames-chambers",
                "Thames & Harbour Chambers",
                "4 Fountain Court;London EC4Y 9DQ",
                Law,
                15,
                ("VAT", "20"),
            ),
            "client-uk",
            "GBP",
        ),
        "Europe/London",
    ),
    with_tariff(
        client(
            "kobe-trading",
            "Kobe Trading KK (神戸貿易)",
            "780 Third Avenue;New York, NY 10017",
            Office,
            10,
            ("Consumption tax", "10"),
        ),
        "client-japan",
        "JPY",
    ),
    never_billed(client(
        "st-agnes-shelter",
        "St. Agnes Night Shelter",
        "145 West 15th Street;New York, NY 10011",
        Office,
        25,
        NO_TAX,
    )),
    client(
        "zephyr-tours",
        "Zephyr Coach Tours",
        "625 Eighth Avenue;New York, NY 10018",
        Office,
        25,
        NEW_YORK_TAX,
    ),
    client(
        "harbor-realty",
        "Harbor Realty",
        "5 City Island Avenue;Bronx, NY 10464",
        Office,
        18,
        NEW_YORK_TAX,
    ),
    client(
        "brightline-realty",
        "Brightline Realty",
        "7 City Island Avenue;Bronx, NY 10464",
        Office,
        18,
        NEW_YORK_TAX,
    ),
    client(
        "yonkers-towing",
        "Yonkers Towing",
        "90 Saw Mill River Road;Yonkers, NY 10701",
        Repair,
        20,
        NEW_YORK_TAX,
    ),
];

/// The client whose number goes to [`HEIR`] in the middle of the month.
pub(crate) const PREDECESSOR: usize = 28;
/// The client that takes over [`PREDECESSOR`]'s number.
pub(crate) const HEIR: usize = 29;
/// The client that leaves before the month ends.
pub(crate) const LEAVER: usize = 30;
/// The client in London, known by a prefix.
pub(crate) const LONDONER: usize = 24;

fn line(index: usize) -> u64 {
    u64::try_from(index).unwrap_or(0)
}

/// The number the service answers in the client's name.
pub(crate) fn answered_number(index: usize) -> Number {
    let owner = if index == HEIR { PREDECESSOR } else { index };
    fiction(332, 10 + line(owner))
}

/// The client's own telephones.
pub(crate) fn phones(index: usize) -> [Number; 2] {
    if index == LONDONER {
        return [london(18), london(19)];
    }
    [fiction(914, 2 * line(index)), fiction(914, 2 * line(index) + 1)]
}

/// The client's mobile phone, which gets its messages.
pub(crate) fn mobile(index: usize) -> Number {
    if index == LONDONER {
        return london(77);
    }
    fiction(718, 10 + line(index))
}

/// The client's fax machine.
pub(crate) fn fax(index: usize) -> Number {
    if index == LONDONER {
        return london(88);
    }
    fiction(516, 20 + line(index))
}

/// Indices of clients of one trade.
pub(crate) fn of_trade(trade: Trade) -> Vec<usize> {
    (0..CLIENTS.len()).filter(|index| CLIENTS[*index].trade == trade).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_belong_to_one_client_each() {
        let mut seen = std::collections::BTreeSet::new();
        for index in 0..CLIENTS.len() {
            let [first, second] = phones(index);
            for number in [first, second, mobile(index), fax(index)] {
                assert!(seen.insert(number), "{number}");
            }
            assert!(seen.insert(answered_number(index)) || index == HEIR);
        }
        assert_eq!(CLIENTS[HEIR].id, "brightline-realty");
        assert_eq!(CLIENTS[LEAVER].id, "yonkers-towing");
        assert_eq!(CLIENTS[LONDONER].id, "thames-chambers");
    }
}
