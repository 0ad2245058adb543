//! Which clause prices: the nearest tariff with any matching rate, in it the longest destination, then the order of the
//! file.

use crate::domain::Instant;
use crate::domain::charge::Unit;
use crate::rules::compile::{Clause, applies, is_from};
use crate::rules::ruleset::Match;

use super::{Context, Entry};

impl Context<'_, '_> {
    /// The bands of the payer's nearest tariff at an instant, and the next instant at which those of any level change.
    pub(super) fn bands(&self, instant: Instant) -> (u64, Instant) {
        let contact_zone = self.rules.terms(self.payer).zone_index;
        let (mut bands, mut next) = (0, Instant::from_milliseconds(i64::MAX));
        for (level, tariff) in self.tariffs.iter().enumerate() {
            let zone = self.rules.versions[self.rules.tariffs[*tariff].1[0]].zone;
            let (active, change) = self.rules.bands_at(zone, contact_zone, instant);
            bands = if level == 0 { active } else { bands };
            next = next.min(change);
        }
        (bands, next)
    }

    /// The clause that prices an entry from its start, or an increment of it that begins later. After the first block
    /// only prices by time can go on.
    pub(super) fn clause_at(&self, entry: &Entry, later: Option<Instant>) -> Option<u32> {
        let contact_zone = self.rules.terms(self.payer).zone_index;
        let instant = later.unwrap_or(entry.start);
        let to = (self.event.to.e164(), self.event.to_country);
        for tariff in self.tariffs {
            let Some(version) = self.rules.version_at(*tariff, self.event.start) else { continue };
            let (active, _) = self.rules.bands_at(self.rules.versions[version].zone, contact_zone, instant);
            let accept = |clause: &Clause| {
                clause.holds(active)
                    && (later.is_none() || clause.unit == Unit::Second)
                    && (clause.timekeeper == 0 || clause.timekeeper == entry.timekeeper)
                    && clause.in_force.contains(self.event.start)
                    && (clause.destination.is_empty() || is_from(&clause.rate.matches.to, to.0, to.1))
                    && self.fits(&clause.rate.matches, entry)
            };
            let found = self.rules.best_clause(version, self.event.channel, self.event.direction, to, accept);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Whether the conditions hold that no table decides: all but channel, direction, destination and band.
    fn fits(&self, matches: &Match, entry: &Entry) -> bool {
        let event = self.event;
        let named = |wanted: &[String], name: Option<&str>| {
            wanted.is_empty() || name.is_some_and(|name| wanted.iter().any(|wanted| wanted == name))
        };
        is_from(&matches.from, event.from.e164(), event.from_country)
            && matches.condition.is_none_or(|condition| event.conditions & (1 << condition) != 0)
            && (matches.to_classes.is_empty() || matches.to_classes.contains(&event.to_class))
            && (matches.from_classes.is_empty() || matches.from_classes.contains(&event.from_class))
            && (matches.extensions.is_empty()
                || entry.extension.is_some_and(|extension| matches.extensions.contains(&extension)))
            && named(&matches.departments, event.department)
            && named(&matches.sites, event.site)
            && named(&matches.cost_centres, event.cost_centre)
            && (matches.matters.is_empty() || named(&matches.matters, self.matter_name()))
            && (matches.timekeepers.is_empty() || named(&matches.timekeepers, self.timekeeper_name(entry)))
            && named(&matches.tasks, event.coding.task)
            && (matches.outcomes.is_empty() || matches.outcomes.contains(&event.outcome))
            && (matches.error_codes.is_empty()
                || event
                    .error_code
                    .is_some_and(|code| matches.error_codes.iter().any(|pattern| pattern.fits(code))))
    }

    fn matter_name(&self) -> Option<&str> {
        let place = (self.matter as usize).checked_sub(1)?;
        self.rules.identity.matters.get(place).map(String::as_str)
    }

    fn timekeeper_name(&self, entry: &Entry) -> Option<&str> {
        let place = (entry.timekeeper as usize).checked_sub(1)?;
        self.rules.identity.timekeepers.get(place).map(String::as_str)
    }

    /// Whether an allowance is for the entry, under the bands of a slice.
    pub(super) fn is_in(&self, matches: &Match, entry: &Entry, bands: u64) -> bool {
        applies(matches, self.event.channel, self.event.direction)
            && is_from(&matches.to, self.event.to.e164(), self.event.to_country)
            && self.fits(matches, entry)
            && (matches.bands.is_empty() || matches.bands.iter().any(|band| bands & (1 << band) != 0))
    }
}
