//! Who is on the telephone system: the account, its extensions and numbers, and to whom usage belongs.

use super::calendar::Calendar;
use super::clients::{self, CLIENTS, HEIR, LEAVER, LONDONER, PREDECESSOR};
use super::number::{Number, fiction};
use std::collections::BTreeMap;

/// An index into [`Cast::extensions`].
pub(crate) type Seat = usize;

pub(crate) const ACCOUNT_ID: u64 = 400_131_426_008;
/// Users of the account, the disabled one included.
pub(crate) const USERS: usize = 25;
pub(crate) const DISABLED: Seat = 24;
pub(crate) const DAY_QUEUE: Seat = 25;
pub(crate) const NIGHT_QUEUE: Seat = 26;
pub(crate) const FAX_LINE: Seat = 27;
pub(crate) const MENU: Seat = 28;
/// An extension that was deleted before the month began: not listed, but old calls name it.
pub(crate) const DELETED: Seat = 30;
/// Members of the day queue.
pub(crate) const AGENTS: [Seat; 11] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
/// Members of the night queue.
pub(crate) const NIGHT_AGENTS: [Seat; 4] = [12, 13, 14, 15];
/// Technicians on call, whose calls follow them to a mobile phone.
pub(crate) const ON_CALL: [Seat; 3] = [0, 22, 23];

/// What an extension is, by its name in the service's own list of types.
#[derive(Clone, Debug)]
pub(crate) struct Extension {
    pub(crate) id: u64,
    /// Empty when unassigned.
    pub(crate) number: String,
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) status: &'static str,
    pub(crate) listed: bool,
    pub(crate) direct: Option<Number>,
    pub(crate) mobile: Option<Number>,
    pub(crate) device_id: u64,
}

/// One number's owner for a time, `from_ms..to_ms` in milliseconds of the Unix epoch.
#[derive(Clone, Copy, Debug)]
struct Claim {
    client: usize,
    from_ms: i64,
    to_ms: i64,
}

/// The account and its clients.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    pub(crate) extensions: Vec<Extension>,
    pub(crate) main_number: Number,
    pub(crate) toll_free: [Number; 2],
    claims: BTreeMap<Number, Vec<Claim>>,
}

const NAMES: [&str; USERS] = [
    "Alice Moreau",
    "Bob Tanaka",
    "Carla Jimenez",
    "David Okafor",
    "Elena Petrova",
    "Frank Nguyen",
    "Grace O'Neill",
    "Hassan Ali",
    "Ines Duarte",
    "Jamal Brooks",
    "Karen Lindqvist",
    "Luis Ortega",
    "Maya Cohen",
    "Nikhil Rao",
    "Olga Marek",
    "Pedro Santos",
    "Rosa Whitfield",
    "Samir Haddad",
    "Teresa Nowak",
    "Uma Krishnan",
    "Victor Blanc",
    "Wanda Szabo",
    "Xavier Pratt",
    "Yusuf Demir",
    "Zoe Ndiaye",
];

fn user(seat: Seat) -> Extension {
    let line = u64::try_from(seat).unwrap_or(0);
    let on_call = ON_CALL.contains(&seat);
    Extension {
        id: ACCOUNT_ID + line * 1000,
        number: (101 + seat).to_string(),
        name: NAMES[seat],
        kind: "User",
        status: if seat == DISABLED { "Disabled" } else { "Enabled" },
        listed: true,
        direct: Some(fiction(646, 1 + line)),
        mobile: on_call.then(|| fiction(646, 60 + line)),
        device_id: 802_402_414_008 + line * 1000,
    }
}

fn special(
    seat: Seat,
    number: &str,
    name: &'static str,
    kind: &'static str,
    direct: Option<Number>,
) -> Extension {
    Extension {
        id: ACCOUNT_ID + u64::try_from(seat).unwrap_or(0) * 1000,
        number: number.to_owned(),
        name,
        kind,
        status: if number.is_empty() { "Unassigned" } else { "Enabled" },
        listed: seat != DELETED,
        direct,
        mobile: None,
        device_id: 0,
    }
}

impl Cast {
    pub(crate) fn new(calendar: &Calendar) -> Cast {
        let mut extensions: Vec<Extension> = (0..USERS).map(user).collect();
        extensions.push(special(DAY_QUEUE, "200", "Answering Team", "Department", Some(fiction(212, 20))));
        extensions.push(special(NIGHT_QUEUE, "201", "Night Desk", "Department", Some(fiction(212, 21))));
        extensions.push(special(FAX_LINE, "300", "Fax Line", "FaxUser", Some(fiction(212, 30))));
        extensions.push(special(MENU, "400", "Main Menu", "IvrMenu", None));
        extensions.push(special(29, "", "Unassigned Extension 1", "User", None));
        extensions.push(special(DELETED, "131", "Quentin Ashe", "User", Some(fiction(646, 40))));
        Cast {
            extensions,
            main_number: fiction(212, 0),
            toll_free: [fiction(888, 20), fiction(800, 99)],
            claims: claims(calendar),
        }
    }

    pub(crate) fn extension(&self, seat: Seat) -> &Extension {
        &self.extensions[seat]
    }

    pub(crate) fn by_id(&self, id: u64) -> Option<Seat> {
        self.extensions.iter().position(|extension| extension.listed && extension.id == id)
    }

    /// The seat of the extension that is kept for a client alone.
    pub(crate) fn desk_of(&self, client: usize) -> Option<Seat> {
        let number = CLIENTS[client].extension;
        self.extensions.iter().position(|extension| !number.is_empty() && extension.number == number)
    }

    /// To which client usage belongs: own number that was dialled, then the other party's number (exact before
    /// prefix), then the extension.
    pub(crate) fn payer(
        &self,
        dialled: Option<Number>,
        outside: Option<Number>,
        seat: Option<Seat>,
        at_ms: i64,
    ) -> Option<&'static str> {
        let by_number = |number: Number| {
            let claims = self.claims.get(&number)?;
            claims
                .iter()
                .find(|claim| claim.from_ms <= at_ms && at_ms < claim.to_ms)
                .map(|claim| claim.client)
        };
        let by_prefix = |number: Number| {
            (number / 10_000_000_000 == 44 && number / 100_000_000 == 4420).then_some(LONDONER)
        };
        let by_seat = |seat: Seat| {
            let number = &self.extensions[seat].number;
            CLIENTS.iter().position(|client| !client.extension.is_empty() && client.extension == number)
        };
        dialled
            .and_then(by_number)
            .or_else(|| outside.and_then(by_number))
            .or_else(|| outside.and_then(by_prefix))
            .or_else(|| seat.and_then(by_seat))
            .map(|client| CLIENTS[client].id)
    }
}

fn claims(calendar: &Calendar) -> BTreeMap<Number, Vec<Claim>> {
    let mut claims: BTreeMap<Number, Vec<Claim>> = BTreeMap::new();
    for client in 0..CLIENTS.len() {
        let to_ms = if client == LEAVER { calendar.midnight_ms(calendar.leaving_day()) } else { i64::MAX };
        let [first, second] = clients::phones(client);
        for number in [first, second, clients::mobile(client), clients::fax(client)] {
            claims.entry(number).or_default().push(Claim { client, from_ms: i64::MIN, to_ms });
        }
        let handover_ms = calendar.midnight_ms(calendar.handover_day());
        let claim = match client {
            PREDECESSOR => Claim { client, from_ms: i64::MIN, to_ms: handover_ms },
            HEIR => Claim { client, from_ms: handover_ms, to_ms: i64::MAX },
            _ => Claim { client, from_ms: i64::MIN, to_ms },
        };
        claims.entry(clients::answered_number(client)).or_default().push(claim);
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::world::number::{british, london, stranger};

    #[test]
    fn payer_follows_the_visible_order() {
        let calendar = Calendar::new(Calendar::default_from(), 31);
        let cast = Cast::new(&calendar);
        let at = calendar.midnight_ms(3);
        let did = clients::answered_number(0);
        let [phone, _] = clients::phones(1);
        assert_eq!(cast.payer(Some(did), Some(phone), Some(16), at), Some("alvarez-law"));
        assert_eq!(cast.payer(Some(cast.main_number), Some(phone), Some(16), at), Some("bergman-law"));
        assert_eq!(cast.payer(None, Some(london(5)), Some(1), at), Some("thames-chambers"));
        assert_eq!(cast.payer(None, Some(british(5)), Some(1), at), None);
        assert_eq!(cast.payer(None, Some(stranger(5)), Some(16), at), Some("eastside-dental"));
        assert_eq!(cast.payer(None, None, Some(1), at), None);
    }

    #[test]
    fn a_number_changes_hands_at_midnight() {
        let calendar = Calendar::new(Calendar::default_from(), 31);
        let cast = Cast::new(&calendar);
        let number = Some(clients::answered_number(HEIR));
        let handover = calendar.midnight_ms(calendar.handover_day());
        assert_eq!(cast.payer(number, None, None, handover - 1), Some("harbor-realty"));
        assert_eq!(cast.payer(number, None, None, handover), Some("brightline-realty"));
        let left = calendar.midnight_ms(calendar.leaving_day());
        assert_eq!(cast.payer(Some(clients::answered_number(LEAVER)), None, None, left), None);
    }
}
