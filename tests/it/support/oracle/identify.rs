//! Who pays for an event, and what else is known of it.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};

use super::calendar::Validity;
use super::language::{Rules, Tariff};
use super::tables::{Contact, Desk, Event, Facts, Row, cell, coding, contacts, directory};
use super::{Defect, Options};

/// Everything that stays the same while events are billed.
pub struct World<'a> {
    pub rules: &'a Rules,
    pub contacts: Vec<Contact>,
    pub options: &'a Options,
    directory: BTreeMap<String, Vec<Desk>>,
    coding: BTreeMap<String, Row>,
    /// By column of the contact list and value: the contacts that claim it, and when.
    claims: BTreeMap<(&'static str, String), Vec<(usize, Validity)>>,
    by_id: BTreeMap<String, usize>,
    /// Timekeepers of an extension.
    timekeepers: BTreeMap<String, Vec<(String, Validity)>>,
    /// Versions of each tariff by the instant at which they begin, the latest first.
    versions: BTreeMap<&'a str, Vec<(DateTime<Utc>, &'a Tariff)>>,
}

impl<'a> World<'a> {
    pub fn new(
        rules: &'a Rules,
        contacts_file: &Path,
        directory_file: Option<&Path>,
        coding_file: Option<&Path>,
        options: &'a Options,
    ) -> World<'a> {
        let contacts = contacts(contacts_file, rules, options);
        let mut claims: BTreeMap<(&'static str, String), Vec<(usize, Validity)>> = BTreeMap::new();
        for (index, contact) in contacts.iter().enumerate() {
            for (column, list) in &contact.claims {
                for claim in list {
                    let key = (*column, claim.value.clone());
                    claims.entry(key).or_default().push((index, claim.validity));
                }
            }
        }
        let mut timekeepers: BTreeMap<String, Vec<(String, Validity)>> = BTreeMap::new();
        for timekeeper in &rules.timekeepers {
            for (extension, from, to) in &timekeeper.extensions {
                let validity = Validity::new(*from, *to, options.company_zone);
                timekeepers.entry(extension.clone()).or_default().push((timekeeper.id.clone(), validity));
            }
        }
        let mut versions: BTreeMap<&str, Vec<(DateTime<Utc>, &Tariff)>> = BTreeMap::new();
        for tariff in &rules.tariffs {
            let since = tariff
                .valid_from
                .map_or(DateTime::<Utc>::MIN_UTC, |day| super::calendar::midnight(day, tariff.zone));
            versions.entry(&tariff.name).or_default().push((since, tariff));
        }
        for list in versions.values_mut() {
            list.sort_by_key(|(since, _)| std::cmp::Reverse(*since));
        }
        World {
            by_id: contacts.iter().enumerate().map(|(index, contact)| (contact.id.clone(), index)).collect(),
            directory: directory(directory_file, options),
            coding: coding(coding_file),
            rules,
            contacts,
            options,
            claims,
            timekeepers,
            versions,
        }
    }

    pub fn defect(&self, defect: Defect) -> bool {
        self.options.defect == Some(defect)
    }

    pub fn contact(&self, id: &str) -> Option<&Contact> {
        self.by_id.get(id).map(|index| &self.contacts[*index])
    }

    /// The version of a tariff that applies at an instant: the latest that is valid by then.
    pub fn tariff_at(&self, name: &str, instant: DateTime<Utc>) -> Option<&'a Tariff> {
        let versions = self.versions.get(name).unwrap_or_else(|| panic!("no tariff {name}"));
        versions.iter().find(|(since, _)| *since <= instant).map(|(_, tariff)| *tariff)
    }

    /// The contact's own tariff: the nearest of its chain.
    pub fn own_tariff_at(&self, contact: &Contact, instant: DateTime<Utc>) -> Option<&'a Tariff> {
        self.tariff_at(contact.chain.first()?, instant)
    }

    /// The days on which a version is in force, as dates.
    pub fn in_force(&self, tariff: &Tariff) -> (Option<chrono::NaiveDate>, Option<chrono::NaiveDate>) {
        let later = |other: &&Tariff| other.name == tariff.name && other.valid_from > tariff.valid_from;
        let next = self.rules.tariffs.iter().filter(later).filter_map(|other| other.valid_from).min();
        (tariff.valid_from, next)
    }

    /// What the directory and the coding sheet know; the matter and the timekeeper are added by `settle`.
    pub fn facts(&self, event: &Event) -> Facts {
        let mut facts = Facts::default();
        let desks = self.directory.get(event.text("extension"));
        let desk = desks.into_iter().flatten().find(|desk| desk.validity.holds(event.start));
        if let Some(desk) = desk {
            let cells =
                [("department", &desk.department), ("site", &desk.site), ("cost_centre", &desk.cost_centre)];
            for (name, value) in cells.into_iter().filter(|(name, _)| event.text(name).is_empty()) {
                facts.instead.insert(name, value.clone());
            }
        }
        if let Some(sheet) = self.coding.get(&event.id) {
            for name in ["matter", "timekeeper", "task"] {
                let value = cell(sheet, name);
                if !value.is_empty() {
                    facts.instead.insert(name, value);
                }
            }
        }
        facts
    }

    /// Adds the matter that the account code names and the timekeeper of the extension, where nobody has coded others.
    pub fn settle(&self, event: &Event, payer: Option<&Contact>, facts: &mut Facts) {
        if facts.text(event, "matter").is_empty()
            && let Some(payer) = payer
        {
            let code = event.text("account_code");
            let is_matter = payer.claims["matters"]
                .iter()
                .any(|claim| claim.value == code && claim.validity.holds(event.start));
            if !code.is_empty() && is_matter {
                facts.derived.insert("matter", code.to_string());
            }
        }
        if facts.text(event, "timekeeper").is_empty() {
            let claims = self.timekeepers.get(event.text("extension"));
            let found = claims.into_iter().flatten().find(|(_, validity)| validity.holds(event.start));
            if let Some((id, _)) = found {
                facts.derived.insert("timekeeper", id.clone());
            }
        }
    }

    /// The contact that pays, by the first of the ways that finds one who is valid at the start.
    pub fn payer(&self, event: &Event, facts: &Facts) -> Option<&Contact> {
        for way in &self.rules.identity {
            let named = match way.as_str() {
                "coding" => self.coding.get(&event.id).map(|row| cell(row, "contact")),
                "named" => Some(event.text("contact").to_string()),
                _ => None,
            };
            // What names its contact is tried no other way, even when there is no such contact.
            if let Some(id) = named.filter(|id| !id.is_empty()) {
                return self.contact(&id).filter(|contact| contact.validity.holds(event.start));
            }
            let found = self.found_by(way, event, facts);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn found_by(&self, way: &str, event: &Event, facts: &Facts) -> Option<&Contact> {
        let inbound = event.text("direction") == "inbound";
        let internal = event.text("direction") == "internal";
        let other_party = if inbound { &event.from } else { &event.to };
        match way {
            "coding" | "named" => None,
            "account-code" => {
                let code = event.text("account_code");
                self.claimant("account_codes", code, event).or_else(|| self.claimant("matters", code, event))
            }
            "own-number" | "other-number" | "other-prefix" if internal => None,
            "own-number" if inbound => self.claimant("numbers", event.to.e164.as_ref()?, event),
            "own-number" => None,
            "other-number" => self.claimant("numbers", other_party.e164.as_ref()?, event),
            "other-prefix" => {
                let number = other_party.e164.as_ref()?;
                (1..=number.len())
                    .rev()
                    .find_map(|length| self.claimant("prefixes", &number[..length], event))
            }
            "extension" => self.claimant("extensions", event.text("extension"), event),
            "department" => self.claimant("departments", facts.text(event, "department"), event),
            "site" => self.claimant("sites", facts.text(event, "site"), event),
            "cost-centre" => self.claimant("cost_centres", facts.text(event, "cost_centre"), event),
            "account" => self.claimant("ringcentral_accounts", event.text("ringcentral_account"), event),
            other => panic!("no way of identification: {other}"),
        }
    }

    fn claimant(&self, column: &'static str, value: &str, event: &Event) -> Option<&Contact> {
        if value.is_empty() {
            return None;
        }
        let claims = self.claims.get(&(column, value.to_string()))?;
        let holds = |(index, validity): &&(usize, Validity)| {
            validity.holds(event.start) && self.contacts[*index].validity.holds(event.start)
        };
        claims.iter().find(holds).map(|(index, _)| &self.contacts[*index])
    }
}
