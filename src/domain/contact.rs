//! Contacts: the parties for whom usage is billed or audited.

use rust_decimal::Decimal;

use super::hash::Hash;
use super::money::Currency;
use super::time::{Span, Zone};

/// A contact's claim on something that identifies it, with the time it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim<T> {
    pub value: T,
    pub span: Span,
}

/// One contact of the contact list. The zone is resolved (contact's, else tariff's).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    pub id: String,
    pub name: String,
    /// Address lines, top first.
    pub address: Vec<String>,
    pub email: Option<String>,
    pub numbers: Vec<Claim<u64>>,
    /// Leading digits of E.164 numbers.
    pub prefixes: Vec<Claim<String>>,
    pub extensions: Vec<Claim<u64>>,
    pub account_codes: Vec<Claim<String>>,
    /// Codes that name the contact and one of its matters.
    pub matters: Vec<Claim<String>>,
    pub departments: Vec<Claim<String>>,
    pub sites: Vec<Claim<String>>,
    pub cost_centres: Vec<Claim<String>>,
    /// Accounts of the service: whatever is not matched otherwise in their books.
    pub ringcentral_accounts: Vec<Claim<String>>,
    /// Id of the contact whose tariff stands behind this one's.
    pub account: Option<String>,
    /// Name of the pool it shares allowances with.
    pub pool: Option<String>,
    /// Name of its tariff; `None` uses the default tariff.
    pub tariff: Option<String>,
    /// `None` uses the tariff's currency.
    pub currency: Option<Currency>,
    /// `None` uses the tariff's zone.
    pub zone: Option<Zone>,
    pub tax: Option<Tax>,
    pub valid: Span,
    pub do_not_bill: bool,
    /// Line of the contact list, from 1, for messages.
    pub line: u32,
}

impl Contact {
    /// A contact that claims nothing, for examples and for usage that is nobody's.
    pub fn nobody(id: &str) -> Contact {
        Contact {
            id: id.to_owned(),
            name: id.to_owned(),
            address: Vec::new(),
            email: None,
            numbers: Vec::new(),
            prefixes: Vec::new(),
            extensions: Vec::new(),
            account_codes: Vec::new(),
            matters: Vec::new(),
            departments: Vec::new(),
            sites: Vec::new(),
            cost_centres: Vec::new(),
            ringcentral_accounts: Vec::new(),
            account: None,
            pool: None,
            tariff: None,
            currency: None,
            zone: None,
            tax: None,
            valid: Span::ALWAYS,
            do_not_bill: false,
            line: 0,
        }
    }
}

/// A tax at one rate for all lines of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tax {
    pub name: String,
    /// Percent: `8.875`.
    pub rate_percent: Decimal,
}

/// A checked contact list, in the order of the file, with the hash of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactList {
    pub contacts: Vec<Contact>,
    pub hash: Hash,
}
