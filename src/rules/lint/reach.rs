//! Rates that never win: wherever they hold, another comes first.
//!
//! The longest destination wins, a country counting as just longer than its calling code; then the first in the file. So
//! a rate is beaten at a destination by an earlier one with the same destination, or when every longer prefix has a rate.

use std::collections::BTreeSet;

use crate::rules::compile::applies;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::ruleset::{Place, Pricing, Rate};

use super::Scene;
use super::conditions::{cells, covers};
use super::week::Week;

/// A rate that holds for all that the one in question does, bands and destination aside.
struct Rival<'r> {
    position: usize,
    earlier: bool,
    rate: &'r Rate,
}

/// A warning for every rate that can never be chosen.
pub fn unreachable_rates(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (position, rate) in scene.version.rates.iter().enumerate() {
        let mut winners = BTreeSet::new();
        if is_beaten_everywhere(scene, position, rate, &mut winners) {
            let names: Vec<String> =
                winners.iter().map(|at| format!("\"{}\"", scene.version.rates[*at].name)).collect();
            let message =
                format!("the rate \"{}\" can never apply: {} always wins", rate.name, names.join(" or "));
            let hint = "The longest destination wins, then the rate that stands first. Move this rate up, narrow the \
                        other, or remove one.";
            found.push(scene.warn(&rate.file, rate.line, "unreachable-rate", message, hint));
        }
    }
    found
}

fn is_beaten_everywhere(
    scene: &Scene<'_>,
    position: usize,
    rate: &Rate,
    winners: &mut BTreeSet<usize>,
) -> bool {
    let mut rivals_of = |channel, direction| {
        let rivals: Vec<Rival<'_>> = scene
            .version
            .rates
            .iter()
            .enumerate()
            .filter(|(other, rival)| {
                *other != position
                    && applies(&rival.matches, channel, direction)
                    && covers(scene.rules, &rival.matches, &rate.matches)
            })
            .map(|(other, rival)| Rival { position: other, earlier: other < position, rate: rival })
            .collect();
        Beating { scene, rate, rivals: &rivals, winners }.at_every_place()
    };
    cells()
        .filter(|(channel, direction)| applies(&rate.matches, *channel, *direction))
        .all(|(channel, direction)| rivals_of(channel, direction))
}

struct Beating<'a, 'r> {
    scene: &'a Scene<'r>,
    rate: &'a Rate,
    rivals: &'a [Rival<'a>],
    winners: &'a mut BTreeSet<usize>,
}

impl<'a> Beating<'a, '_> {
    fn at_every_place(&mut self) -> bool {
        if let Pricing::Deck { deck } = self.rate.pricing {
            // The rows of a deck are destinations of their own; only the same deck certainly has them all.
            let to = self.rate.matches.to.clone();
            let same = |rival: &&Rival<'_>| {
                rival.earlier
                    && rival.rate.pricing == Pricing::Deck { deck }
                    && (rival.rate.matches.to.is_empty() || rival.rate.matches.to == to)
            };
            let all: &'a [Rival<'a>] = self.rivals;
            let rivals: Vec<&Rival<'_>> = all.iter().filter(same).collect();
            return self.hold(&rivals);
        }
        if self.rate.matches.to.is_empty() {
            let rivals: Vec<&Rival<'_>> = self
                .priced_here()
                .filter(|rival| rival.earlier && rival.rate.matches.to.is_empty())
                .collect();
            return self.hold(&rivals);
        }
        let places = self.rate.matches.to.clone();
        places.iter().all(|place| self.at_place(place))
    }

    fn priced_here(&self) -> impl Iterator<Item = &'a Rival<'a>> + use<'a> {
        let rivals: &'a [Rival<'a>] = self.rivals;
        rivals.iter().filter(|rival| !matches!(rival.rate.pricing, Pricing::Deck { .. }))
    }

    fn at_place(&mut self, place: &Place) -> bool {
        let rivals: Vec<&Rival<'_>> = self
            .priced_here()
            .filter(|rival| rival.earlier && rival.rate.matches.to.contains(place))
            .collect();
        if self.hold(&rivals) {
            return true;
        }
        match place {
            Place::Prefix(digits) => self.by_longer(digits),
            Place::Country(country) => {
                country.calling_code().is_some_and(|code| self.by_longer(&code.to_string()))
            }
        }
    }

    /// Whether rates with longer prefixes share all numbers of a prefix among them.
    fn by_longer(&mut self, digits: &str) -> bool {
        let is_longer = |place: &Place| match place {
            Place::Prefix(longer) => longer.len() > digits.len() && longer.starts_with(digits),
            Place::Country(_) => false,
        };
        if digits.len() >= 15 || !self.priced_here().any(|rival| rival.rate.matches.to.iter().any(is_longer))
        {
            return false;
        }
        (0..10).all(|digit| {
            let longer = format!("{digits}{digit}");
            let place = Place::Prefix(longer.clone());
            let rivals: Vec<&Rival<'_>> =
                self.priced_here().filter(|rival| rival.rate.matches.to.contains(&place)).collect();
            self.hold(&rivals) || self.by_longer(&longer)
        })
    }

    /// Whether some of the rivals hold at all times at which the rate does.
    fn hold(&mut self, rivals: &[&Rival<'_>]) -> bool {
        let bands = &self.rate.matches.bands;
        let held = if bands.is_empty() {
            self.hold_always(rivals)
        } else {
            bands.iter().all(|band| {
                self.hold_always(rivals)
                    || rivals.iter().any(|rival| rival.rate.matches.bands.contains(band))
                    || self.scene.weeks[*band]
                        .is_within(&self.steady(rivals, self.scene.rules.bands[*band].in_contact_zone))
            })
        };
        if held {
            // Of several that would do, the first is the one that wins.
            let sufficient = rivals.iter().find(|rival| rival.rate.matches.bands.is_empty());
            match sufficient {
                Some(rival) => self.winners.extend([rival.position]),
                None => self.winners.extend(rivals.iter().map(|rival| rival.position)),
            }
        }
        held
    }

    fn hold_always(&self, rivals: &[&Rival<'_>]) -> bool {
        rivals.iter().any(|rival| rival.rate.matches.bands.is_empty())
            || [false, true].iter().any(|zone| Week::always().is_within(&self.steady(rivals, *zone)))
    }

    /// The minutes of every week at which one of the rivals holds, by bands of one clock that know no special days.
    fn steady(&self, rivals: &[&Rival<'_>], in_contact_zone: bool) -> Week {
        let mut week = Week::NEVER;
        for index in rivals.iter().flat_map(|rival| &rival.rate.matches.bands) {
            let band = &self.scene.rules.bands[*index];
            if band.in_contact_zone == in_contact_zone && band.except.is_empty() && band.on.is_none() {
                week.join(&self.scene.weeks[*index]);
            }
        }
        week
    }
}
