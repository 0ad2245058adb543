//! What other parts of the rules speak of by name: calendars, bands, decks, timekeepers; and the order of identity.

use chrono::NaiveDate;

use crate::domain::charge::Unit;
use crate::domain::derivation::IdentityRule;
use crate::rules::parts::{band_hours, known_hint, read_words, value};
use crate::rules::ruleset::{TimeBand, Timekeeper};
use crate::rules::table::{Sink, Table, Text};
use crate::rules::{calendar, deck, reader};

use super::Draft;

const PRICE_BY_TIME_HINT: &str = "Write an amount by time: \"350.00 per hour\".";

type TimekeeperClaim = (u64, Option<NaiveDate>, Option<NaiveDate>);

impl Draft<'_> {
    pub(super) fn read_calendars(&mut self, top: &Table<'_, '_>, sink: &Sink) {
        for (name, table) in top.named_tables("calendar", "calendar") {
            let days = calendar::read(&table, self.files, sink);
            table.finish();
            if self.calendars.insert(name.value.clone(), days).is_some() {
                let message = format!("the calendar {} is defined twice", name.value);
                top.complain("duplicate-calendar", name.span, message, "Give one of them another name.");
            }
        }
    }

    pub(super) fn read_decks(&mut self, top: &Table<'_, '_>, sink: &Sink) {
        for (name, table) in top.named_tables("deck", "deck") {
            let deck = deck::read(&name, &table, self.files, sink);
            table.finish();
            let index = deck.is_some().then_some(self.rules.decks.len());
            self.rules.decks.extend(deck);
            if self.decks.insert(name.value.clone(), index).is_some() {
                let message = format!("the deck {} is defined twice", name.value);
                top.complain("duplicate-deck", name.span, message, "Give one of them another name.");
            }
        }
    }

    pub(super) fn read_bands(&mut self, top: &Table<'_, '_>) {
        for (name, table) in top.named_tables("band", "band") {
            if self.rules.bands.iter().any(|band| band.name == name.value) {
                let message = format!("the band {} is defined twice", name.value);
                table.complain(
                    "duplicate-band",
                    name.span.clone(),
                    message,
                    "Give one of them another name.",
                );
            }
            let band = self.read_band(&name, &table);
            table.finish();
            self.rules.bands.push(band);
        }
    }

    fn read_band(&self, name: &Text, table: &Table<'_, '_>) -> TimeBand {
        let days = value(table, "days", reader::days, "Write days as \"mon-fri\" or \"sat,sun\".");
        let (start_minute, end_minute) = band_hours(table);
        if ["days", "hours", "on"].iter().all(|key| table.get(key).is_none()) {
            let hint = "Without days it holds every day, without hours all day; one of them must narrow it.";
            let message = format!("{} has neither days nor hours", table.what);
            table.complain("missing-key", table.span.clone(), message, hint);
        }
        let zone = table.text("zone");
        if let Some(zone) = &zone
            && zone.value != "contact"
        {
            let hint = "Leave it out for the tariff's zone, or write zone = \"contact\".";
            let message = format!("\"{}\" is not a zone of a band", zone.value);
            table.complain("wrong-value", zone.span.clone(), message, hint);
        }
        if table.is_empty_list("on") {
            let hint = "Name the days, or leave the key out for every day.";
            table.complain("empty-list", table.span_of("on"), "the band would start on no day", hint);
        }
        let on = self.named_days(table, "on");
        TimeBand {
            name: name.value.clone(),
            days: days.unwrap_or_else(reader::every_day),
            start_minute,
            end_minute,
            in_contact_zone: zone.is_some(),
            except: self.named_days(table, "except"),
            on: table.get("on").map(|_| on),
        }
    }

    /// Dates and the days of calendars, sorted.
    fn named_days(&self, table: &Table<'_, '_>, key: &'static str) -> Vec<NaiveDate> {
        let mut days = Vec::new();
        for text in table.texts(key) {
            if let Some(calendar) = self.calendars.get(&text.value) {
                days.extend(calendar);
                continue;
            }
            match reader::date(&text.value) {
                Ok(date) => days.push(date),
                Err(message) if text.value.starts_with(|letter: char| letter.is_ascii_digit()) => {
                    table.complain("wrong-value", text.span, message, "Write days as \"2026-11-26\".");
                }
                Err(_) => {
                    let known = self.calendars.keys().map(String::as_str);
                    let hint = known_hint(&text.value, known, "Calendars");
                    let message = format!("there is no calendar called {}", text.value);
                    table.complain("unknown-calendar", text.span, message, &hint);
                }
            }
        }
        days.sort_unstable();
        days.dedup();
        days
    }

    pub(super) fn read_timekeepers(&mut self, top: &Table<'_, '_>) {
        for (id, table) in top.named_tables("timekeeper", "timekeeper") {
            let name = table.required_text("name", "Write the name as it stands on documents.");
            let extensions = self.timekeeper_extensions(&table);
            let price = value(&table, "price", reader::price, PRICE_BY_TIME_HINT);
            if let Some(price) = price.as_ref().filter(|price| price.unit != Unit::Second) {
                let message = format!("{} is not a price by time", price.text);
                table.complain("wrong-value", table.span_of("price"), message, PRICE_BY_TIME_HINT);
            }
            table.finish();
            let place = self.rules.timekeepers.binary_search_by(|known| known.id.cmp(&id.value));
            let timekeeper = Timekeeper {
                id: id.value.clone(),
                name: name.map(|name| name.value).unwrap_or_default(),
                extensions,
                price,
            };
            match place {
                Ok(_) => {
                    let message = format!("the timekeeper {} is defined twice", id.value);
                    top.complain("duplicate-timekeeper", id.span, message, "Keep one of them.");
                }
                Err(place) => self.rules.timekeepers.insert(place, timekeeper),
            }
        }
    }

    fn timekeeper_extensions(&self, table: &Table<'_, '_>) -> Vec<TimekeeperClaim> {
        let mut claims = Vec::new();
        for text in table.texts("extensions") {
            let Some(claim) = read_claim(table, &text) else { continue };
            let others = self.rules.timekeepers.iter();
            let clash = others
                .flat_map(|other| other.extensions.iter().map(move |theirs| (other, theirs)))
                .find(|(_, theirs)| theirs.0 == claim.0 && overlap(**theirs, claim));
            if let Some((other, _)) = clash {
                let message = format!("extension {} is claimed by {} at the same time", claim.0, other.id);
                let hint =
                    "End one claim where the other begins: \"101@..2026-10-15\" and \"101@2026-10-15..\".";
                table.complain("claimed-twice", text.span, message, hint);
            }
            claims.push(claim);
        }
        claims
    }

    pub(super) fn read_identity(&mut self, top: &Table<'_, '_>) {
        let Some(table) = top.table("identity", "identity") else { return };
        if self.has_identity {
            let message = "the order of identity is given twice";
            top.complain("duplicate-identity", table.span.clone(), message, "Keep [identity] in one file.");
        }
        self.has_identity = true;
        if table.get("order").is_none() {
            let hint =
                "Write order = [\"named\", \"account-code\", \"own-number\", …], or leave [identity] out.";
            table.complain("missing-key", table.span.clone(), "identity has no order", hint);
        }
        if table.is_empty_list("order") {
            let hint = "Name at least one way of finding the payer.";
            table.complain("empty-list", table.span_of("order"), "nobody could ever be found", hint);
        }
        let order = read_words(&table, "order", IdentityRule::from_word, IdentityRule::ALL);
        for (index, rule) in order.iter().enumerate() {
            if order[..index].contains(rule) {
                let message = format!("\"{rule}\" stands twice in the order");
                table.complain("repeated-rule", table.span_of("order"), message, "Keep its first place.");
            }
        }
        if !order.is_empty() {
            self.rules.identity_order = order;
        }
        table.finish();
    }
}

/// `101` or `102@2026-01-01..2026-06-30`; either side of the days may be empty.
fn read_claim(table: &Table<'_, '_>, text: &Text) -> Option<TimekeeperClaim> {
    let (number, days) =
        text.value.split_once('@').map_or((text.value.as_str(), None), |(number, days)| (number, Some(days)));
    let extension = match reader::extension(number.trim()) {
        Ok(extension) => extension,
        Err(message) => {
            table.complain("wrong-identifier", text.span.clone(), message, "Write it as \"101\".");
            return None;
        }
    };
    let Some(days) = days else { return Some((extension, None, None)) };
    let date = |part: &str| match part.trim() {
        "" => Ok(None),
        part => reader::date(part).map(Some),
    };
    let range = days.split_once("..").map(|(from, to)| (date(from), date(to)));
    let hint = "Write it as \"101@2026-01-01..2026-07-01\", the second day being the first one after; either side may be empty.";
    let Some((Ok(from), Ok(to))) = range else {
        let message = format!("\"{days}\" is not a range of days");
        table.complain("wrong-validity", text.span.clone(), message, hint);
        return None;
    };
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        let message = format!("extension {extension} is claimed for no day");
        table.complain("empty-validity", text.span.clone(), message, hint);
        return None;
    }
    Some((extension, from, to))
}

fn overlap(left: TimekeeperClaim, right: TimekeeperClaim) -> bool {
    let before =
        |to: Option<NaiveDate>, from: Option<NaiveDate>| to.zip(from).is_some_and(|(to, from)| to <= from);
    !before(left.2, right.1) && !before(right.2, left.1)
}
