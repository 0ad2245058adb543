//! Contact lists: CSV → checked contacts. Two contacts that claim one number at one instant are a mistake.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::domain::contact::{Claim, Contact, ContactList, Tax};
use crate::domain::number::NumberReader;
use crate::domain::time::Span;
use crate::domain::{Country, Currency, Hash, Instant, PartyNumber, Zone};

use super::diagnostic::{Diagnostic, Severity, SourceFile};
use super::reader;
use super::ruleset::{Place, RuleSet, TariffVersion};
use super::sheet::{self, Row};

mod family;

const REQUIRED: [&str; 2] = ["id", "name"];
const OPTIONAL: [&str; 21] = [
    "address",
    "email",
    "numbers",
    "prefixes",
    "extensions",
    "account_codes",
    "matters",
    "departments",
    "sites",
    "cost_centres",
    "ringcentral_accounts",
    "account",
    "pool",
    "tariff",
    "currency",
    "zone",
    "tax_name",
    "tax_rate",
    "valid_from",
    "valid_to",
    "do_not_bill",
];

/// Reads a contact list against a rule set, which knows the tariffs. Warnings alone are returned beside the list.
///
/// # Errors
/// All mistakes of the file, each with its row.
pub fn contact_list(
    file: &SourceFile,
    rules: &RuleSet,
    home: Country,
) -> Result<(ContactList, Vec<Diagnostic>), Vec<Diagnostic>> {
    let rows = sheet::rows(file, &REQUIRED, &OPTIONAL)?;
    let named = |row: &Row| Some((row.cell("id")?.to_owned(), row.cell("tariff")?.to_owned()));
    let tariffs = rows.iter().filter_map(named).collect();
    let mut reading =
        Reading { file, rules, tariffs, numbers: NumberReader::new(home), mistakes: Vec::new() };
    let mut contacts: Vec<Contact> = Vec::with_capacity(rows.len());
    for row in &rows {
        if let Some(contact) = reading.contact(row) {
            contacts.push(contact);
        }
    }
    reading.check_ids(&rows);
    reading.check_claims(&rows, &contacts);
    family::check(&mut reading, &rows, &contacts);
    if reading.mistakes.iter().all(|mistake| mistake.severity == Severity::Warning) {
        let list = ContactList { contacts, hash: Hash::of(file.text.as_bytes()) };
        Ok((list, reading.mistakes))
    } else {
        Err(reading.mistakes)
    }
}

struct Reading<'a> {
    file: &'a SourceFile,
    rules: &'a RuleSet,
    /// Tariffs that rows name, by id: an account lends its own.
    tariffs: BTreeMap<String, String>,
    numbers: NumberReader,
    mistakes: Vec<Diagnostic>,
}

impl Reading<'_> {
    fn complain(&mut self, row: &Row, column: &str, code: &'static str, message: String, hint: &str) {
        let mut diagnostic = row.complaint(code, self.file, column, message);
        if !hint.is_empty() {
            diagnostic = diagnostic.hint(hint);
        }
        self.mistakes.push(diagnostic);
    }

    fn warn(&mut self, row: &Row, column: &str, code: &'static str, message: String, hint: &str) {
        self.mistakes.push(row.complaint(code, self.file, column, message).hint(hint).warning());
    }

    fn contact(&mut self, row: &Row) -> Option<Contact> {
        let id = row.cell("id");
        for column in REQUIRED {
            if row.cell(column).is_none() {
                let message = format!("the contact on line {} has no {column}", row.line);
                self.complain(row, column, "missing-cell", message, "");
            }
        }
        let tariff = self.tariff(row);
        let zone = self.zone(row);
        let days_in = zone.or(tariff.as_ref().map(|tariff| tariff.zone)).unwrap_or(Zone::UTC);
        let valid = self.span(row, days_in);
        let currency = self.currency(row, tariff.as_ref());
        let contact = Contact {
            id: id.unwrap_or_default().to_owned(),
            name: row.cell("name").unwrap_or_default().to_owned(),
            address: list(row.cell("address")).map(str::to_owned).collect(),
            email: row.cell("email").map(str::to_owned),
            numbers: self.claims(row, "numbers", valid, days_in, Reading::number),
            prefixes: self.claims(row, "prefixes", valid, days_in, Reading::prefix),
            extensions: self.claims(row, "extensions", valid, days_in, Reading::extension),
            account_codes: self.names(row, "account_codes", valid, days_in),
            matters: self.names(row, "matters", valid, days_in),
            departments: self.names(row, "departments", valid, days_in),
            sites: self.names(row, "sites", valid, days_in),
            cost_centres: self.names(row, "cost_centres", valid, days_in),
            ringcentral_accounts: self.names(row, "ringcentral_accounts", valid, days_in),
            account: row.cell("account").map(str::to_owned),
            pool: row.cell("pool").map(str::to_owned),
            tariff: row.cell("tariff").map(str::to_owned),
            currency,
            zone,
            tax: self.tax(row),
            valid,
            do_not_bill: self.flag(row, "do_not_bill"),
            line: u32::try_from(row.line).unwrap_or(u32::MAX),
        };
        id.map(|_| contact)
    }

    fn tariff(&mut self, row: &Row) -> Option<TariffVersion> {
        let name = self.tariff_name(row.cell("tariff"), row.cell("account"));
        let Some(name) = name.map(str::to_owned) else {
            let hint = "Name a tariff in the row, or default_tariff in a rule file.";
            let message = format!("the contact on line {} has no tariff", row.line);
            self.complain(row, "tariff", "missing-cell", message, hint);
            return None;
        };
        let found = self.rules.tariffs.iter().find(|tariff| tariff.name == name).cloned();
        if found.is_none() {
            let hint = "The name must be that of a [tariff.NAME] in the rule files.";
            self.complain(row, "tariff", "unknown-tariff", format!("there is no tariff called {name}"), hint);
        }
        found
    }

    /// The nearest tariff of the chain: the row's own, its account's, the default one.
    fn tariff_name<'t>(&'t self, own: Option<&'t str>, account: Option<&str>) -> Option<&'t str> {
        let lent = || account.and_then(|id| self.tariffs.get(id)).map(String::as_str);
        own.or_else(lent).or(self.rules.default_tariff.as_deref())
    }

    fn zone(&mut self, row: &Row) -> Option<Zone> {
        let name = row.cell("zone")?;
        let zone = Zone::from_name(name);
        if zone.is_none() {
            let hint = "Name an IANA zone such as America/New_York, or leave the cell empty.";
            self.complain(row, "zone", "unknown-zone", format!("\"{name}\" is not a time zone"), hint);
        }
        zone
    }

    fn currency(&mut self, row: &Row, tariff: Option<&TariffVersion>) -> Option<Currency> {
        let code = row.cell("currency")?;
        let currency = Currency::from_code(code);
        match (currency, tariff) {
            (None, _) => {
                let hint = "Write an ISO 4217 code such as USD, or leave the cell empty.";
                self.complain(
                    row,
                    "currency",
                    "unknown-currency",
                    format!("\"{code}\" is not a currency"),
                    hint,
                );
            }
            (Some(currency), Some(tariff)) if currency != tariff.currency => {
                let message = format!(
                    "the contact is billed in {currency}, its tariff {} in {}",
                    tariff.name, tariff.currency
                );
                let hint = "Give the contact a tariff in its currency.";
                self.complain(row, "currency", "currency-mismatch", message, hint);
            }
            _ => {}
        }
        currency
    }

    fn span(&mut self, row: &Row, zone: Zone) -> Span {
        let from = row.cell("valid_from").map(|text| self.date(row, "valid_from", text));
        let to = row.cell("valid_to").map(|text| self.date(row, "valid_to", text));
        let instant = |date: Option<Option<NaiveDate>>, open: Instant| {
            date.flatten().map_or(open, |date| zone.midnight(date))
        };
        let span = Span { from: instant(from, Span::ALWAYS.from), to: instant(to, Span::ALWAYS.to) };
        if span.from >= span.to {
            let message = format!("the contact on line {} is valid at no time", row.line);
            self.complain(
                row,
                "valid_to",
                "empty-validity",
                message,
                "valid_to is the first day after, and later than valid_from.",
            );
        }
        span
    }

    fn date(&mut self, row: &Row, column: &str, text: &str) -> Option<NaiveDate> {
        match reader::date(text) {
            Ok(date) => Some(date),
            Err(message) => {
                self.complain(row, column, "wrong-date", message, "Write days as 2026-11-26.");
                None
            }
        }
    }

    fn tax(&mut self, row: &Row) -> Option<Tax> {
        let text = row.cell("tax_rate")?;
        match reader::amount(text) {
            Ok(rate_percent) => {
                Some(Tax { name: row.cell("tax_name").unwrap_or("Tax").to_owned(), rate_percent })
            }
            Err(message) => {
                self.complain(
                    row,
                    "tax_rate",
                    "wrong-tax-rate",
                    message,
                    "Write a percentage such as 8.875, or leave the cell empty for no tax.",
                );
                None
            }
        }
    }

    fn flag(&mut self, row: &Row, column: &str) -> bool {
        match row.cell(column) {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                let message = format!("\"{other}\" is neither true nor false");
                self.complain(row, column, "wrong-flag", message, "");
                false
            }
        }
    }

    /// The entries of a list cell, each with its own validity (`VALUE@FROM..TO`) inside that of the contact.
    fn claims<T>(
        &mut self,
        row: &Row,
        column: &'static str,
        valid: Span,
        zone: Zone,
        read: impl Fn(&mut Self, &str) -> Result<T, String>,
    ) -> Vec<Claim<T>> {
        let mut claims = Vec::new();
        for entry in list(row.cell(column)) {
            let (text, dates) =
                entry.split_once('@').map_or((entry, None), |(text, dates)| (text.trim(), Some(dates)));
            let mut span = valid;
            if let Some(dates) = dates {
                let Some((from, to)) = dates.split_once("..") else {
                    let hint = format!(
                        "Write a validity as {text}@2026-10-01..2026-10-15; either side may be empty."
                    );
                    self.complain(
                        row,
                        column,
                        "wrong-validity",
                        format!("\"{dates}\" is not a range of days"),
                        &hint,
                    );
                    continue;
                };
                if let Some(date) = Some(from.trim())
                    .filter(|text| !text.is_empty())
                    .and_then(|text| self.date(row, column, text))
                {
                    span.from = span.from.max(zone.midnight(date));
                }
                if let Some(date) = Some(to.trim())
                    .filter(|text| !text.is_empty())
                    .and_then(|text| self.date(row, column, text))
                {
                    span.to = span.to.min(zone.midnight(date));
                }
            }
            match read(self, text) {
                Ok(value) => claims.push(Claim { value, span }),
                Err(message) => {
                    let message = format!("{message}, in the contact on line {}", row.line);
                    self.complain(
                        row,
                        column,
                        "wrong-identifier",
                        message,
                        "Write numbers as +12125550143, separated by semicolons.",
                    );
                }
            }
        }
        claims
    }

    fn names(&mut self, row: &Row, column: &'static str, valid: Span, zone: Zone) -> Vec<Claim<String>> {
        self.claims(row, column, valid, zone, |_, text| Ok(text.to_owned()))
    }

    fn number(&mut self, text: &str) -> Result<u64, String> {
        match self.numbers.read(text) {
            (PartyNumber::E164(digits), _) => Ok(digits),
            _ => Err(format!("\"{text}\" is not a telephone number")),
        }
    }

    fn prefix(&mut self, text: &str) -> Result<String, String> {
        match reader::place(text) {
            Ok(Place::Prefix(digits)) => Ok(digits),
            _ => Err(format!("\"{text}\" is not a prefix")),
        }
    }

    fn extension(&mut self, text: &str) -> Result<u64, String> {
        let shaped = (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| shaped).ok_or_else(|| format!("\"{text}\" is not an extension number"))
    }

    fn check_ids(&mut self, rows: &[Row]) {
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for row in rows {
            let Some(id) = row.cell("id") else { continue };
            match first.get(id) {
                Some(line) => {
                    let message =
                        format!("the contact id {id} stands on line {line} and on line {}", row.line);
                    self.complain(row, "id", "duplicate-id", message, "Give each contact its own id.");
                }
                None => {
                    first.insert(id, row.line);
                }
            }
        }
    }

    fn check_claims(&mut self, rows: &[Row], contacts: &[Contact]) {
        type Values = fn(&Contact) -> Vec<(String, Span)>;
        fn texts(claims: &[Claim<String>]) -> Vec<(String, Span)> {
            claims.iter().map(|claim| (claim.value.clone(), claim.span)).collect()
        }
        let columns: [(&'static [&'static str], Values); 8] = [
            (&["numbers"], |contact| {
                contact.numbers.iter().map(|claim| (format!("+{}", claim.value), claim.span)).collect()
            }),
            (&["prefixes"], |contact| {
                contact.prefixes.iter().map(|claim| (format!("+{}", claim.value), claim.span)).collect()
            }),
            (&["extensions"], |contact| {
                contact.extensions.iter().map(|claim| (claim.value.to_string(), claim.span)).collect()
            }),
            // Both answer to an event's account code.
            (&["account_codes", "matters"], |contact| {
                [texts(&contact.account_codes), texts(&contact.matters)].concat()
            }),
            (&["departments"], |contact| texts(&contact.departments)),
            (&["sites"], |contact| texts(&contact.sites)),
            (&["cost_centres"], |contact| texts(&contact.cost_centres)),
            (&["ringcentral_accounts"], |contact| texts(&contact.ringcentral_accounts)),
        ];
        for (names, values) in columns {
            let claims = contacts.iter().flat_map(|contact| {
                values(contact).into_iter().map(move |(value, span)| (contact, value, span))
            });
            self.check_overlap(rows, names, claims.collect());
        }
    }

    /// Complains about a value that two contacts claim at one instant. Every claim is held against the one that lasts
    /// longest of those that begin before it, so that a short claim inside a long one is found too.
    fn check_overlap(
        &mut self,
        rows: &[Row],
        columns: &[&'static str],
        mut claims: Vec<(&Contact, String, Span)>,
    ) {
        claims.retain(|(_, _, span)| span.from < span.to);
        claims.sort_by(|left, right| (&left.1, left.2, left.0.line).cmp(&(&right.1, right.2, right.0.line)));
        let mut standing: Vec<&(&Contact, String, Span)> = Vec::new();
        for claim in &claims {
            let (second, value, span) = claim;
            standing.retain(|(_, other, earlier)| other == value && earlier.overlaps(span));
            if let Some((first, ..)) = standing.iter().find(|(contact, ..)| contact.id != second.id) {
                let (first, second) =
                    if first.line <= second.line { (*first, *second) } else { (*second, *first) };
                self.claimed_twice(rows, columns, value, first, second);
            }
            standing.push(claim);
        }
    }

    fn claimed_twice(
        &mut self,
        rows: &[Row],
        columns: &[&'static str],
        value: &str,
        first: &Contact,
        second: &Contact,
    ) {
        let message = format!(
            "{value} is claimed by {} (line {}) and by {} (line {}) at the same time",
            first.id, first.line, second.id, second.line
        );
        let Some(row) = rows.iter().find(|row| row.line == second.line as usize) else { return };
        let column = columns.iter().find(|column| row.cell(column).is_some_and(|cell| cell.contains(value)));
        let hint = format!("End one claim where the other begins: {value}@2026-10-01..2026-10-15.");
        self.complain(row, column.unwrap_or(&columns[0]), "claimed-twice", message, &hint);
    }
}

fn list(cell: Option<&str>) -> impl Iterator<Item = &str> {
    cell.unwrap_or_default().split(';').map(str::trim).filter(|entry| !entry.is_empty())
}

#[cfg(test)]
mod tests;
