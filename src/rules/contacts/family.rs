//! What contacts have to do with each other: the account whose tariff stands behind a contact's own, and the pool that
//! shares its allowances.

use std::collections::BTreeMap;

use crate::domain::contact::Contact;
use crate::domain::{Currency, Zone};

use super::Reading;
use crate::rules::ruleset::TariffVersion;
use crate::rules::sheet::Row;

/// Checks accounts and pools.
pub(super) fn check(reading: &mut Reading<'_>, rows: &[Row], contacts: &[Contact]) {
    let by_id: BTreeMap<&str, &Contact> =
        contacts.iter().map(|contact| (contact.id.as_str(), contact)).collect();
    let mut pools: BTreeMap<&str, &Contact> = BTreeMap::new();
    for contact in contacts {
        let Some(row) = rows.iter().find(|row| row.line == contact.line as usize) else { continue };
        if let Some(account) = contact.account.as_deref() {
            check_account(reading, row, contact, account, by_id.get(account).copied());
        }
        if let Some(pool) = contact.pool.as_deref() {
            match pools.get(pool) {
                Some(first) => check_pool(reading, row, pool, first, contact),
                None => {
                    pools.insert(pool, contact);
                }
            }
        }
    }
}

fn check_account(
    reading: &mut Reading<'_>,
    row: &Row,
    contact: &Contact,
    account: &str,
    found: Option<&Contact>,
) {
    let Some(found) = found else {
        let hint = "Name the id of another row of the contact list.";
        let message = format!("the account {account} of {} is not in the contact list", contact.id);
        reading.complain(row, "account", "unknown-account", message, hint);
        return;
    };
    if found.id == contact.id {
        let message = format!("{} is its own account", contact.id);
        reading.complain(row, "account", "account-chain", message, "Leave the cell empty.");
        return;
    }
    if let Some(next) = found.account.as_deref() {
        let message = format!("the account {account} of {} has an account itself, {next}", contact.id);
        let hint = format!("There is one level: write {next} here, or empty the cell of {account}.");
        reading.complain(row, "account", "account-chain", message, &hint);
    }
    let currencies = (terms(reading, contact).map(|own| own.0), terms(reading, found).map(|other| other.0));
    if let (Some(own), Some(other)) = currencies
        && own != other
    {
        let message = format!("the account {account} is billed in {other}, {} in {own}", contact.id);
        let hint = "Its tariff is never fallen back to; give both tariffs in one currency if it should be.";
        reading.warn(row, "account", "account-currency", message, hint);
    }
}

/// Members of a pool share counters of one tariff and one period.
fn check_pool(reading: &mut Reading<'_>, row: &Row, pool: &str, first: &Contact, contact: &Contact) {
    let (Some((_, one_zone, one)), Some((_, zone, other))) = (terms(reading, first), terms(reading, contact))
    else {
        return;
    };
    let (first_tariff, tariff) = (one.name.clone(), other.name.clone());
    if first_tariff != tariff {
        let message = format!(
            "{} has the tariff {first_tariff}, {} has {tariff}, and both are in the pool {pool}",
            first.id, contact.id
        );
        let hint = "All contacts of a pool have one tariff, whose allowances they share.";
        reading.complain(row, "pool", "pool-of-several-tariffs", message, hint);
    }
    if one_zone != zone {
        let message = format!(
            "the periods of {} begin in {}, those of {} in {}, and both are in the pool {pool}",
            first.id,
            one_zone.name(),
            contact.id,
            zone.name()
        );
        let hint = "All contacts of a pool have one zone, so that they share one period.";
        reading.complain(row, "pool", "pool-of-several-zones", message, hint);
    }
}

/// The currency, the zone of the period and the tariff of a contact; `None` where a mistake was found already.
fn terms<'a>(reading: &Reading<'a>, contact: &Contact) -> Option<(Currency, Zone, &'a TariffVersion)> {
    let rules = reading.rules;
    let name = reading.tariff_name(contact.tariff.as_deref(), contact.account.as_deref())?;
    let tariff = rules.tariffs.iter().find(|tariff| tariff.name == name)?;
    Some((tariff.currency, contact.zone.unwrap_or(tariff.zone), tariff))
}
