//! What rule files say that nobody can have meant: rates that never win, hours without a price, digits that are always
//! rounded away. Warnings only: each can be proved from the rule set alone, and none depends on the clock. A lint must
//! not refuse anything, and must not guess: what cannot be proved is not said.

mod conditions;
mod decks;
mod gaps;
mod increments;
mod overlaps;
mod period;
mod reach;
mod rounding;
mod seasons;
mod week;

use std::ops::Range;

use super::diagnostic::{Diagnostic, SourceFile};
use super::ruleset::{Rate, RuleSet, TariffVersion};

use week::Week;

/// All warnings about a checked rule set, in the order of its tariffs. `files` are those it was read from.
pub fn lint(rules: &RuleSet, files: &[SourceFile]) -> Vec<Diagnostic> {
    let weeks: Vec<Week> = rules.bands.iter().map(Week::of).collect();
    let mut found = Vec::new();
    for version in &rules.tariffs {
        let scene = Scene { rules, files, weeks: &weeks, version };
        found.extend(reach::unreachable_rates(&scene));
        found.extend(overlaps::overlapping_bands(&scene));
        found.extend(gaps::hours_without_a_rate(&scene));
        found.extend(decks::overlapping_decks(&scene));
        found.extend(rounding::prices_finer_than_rounding(&scene));
        found.extend(increments::parts_that_never_apply(&scene));
        found.extend(period::allowances_never_drawn(&scene));
        found.extend(period::discounts_without_lines(&scene));
        found.extend(period::equal_tiers(&scene));
    }
    found.extend(seasons::bands_at_the_change_of_clocks(rules, files));
    found
}

/// Warnings about rates of a rule set that matched nothing in a run: tariff and name of each, and what the run was for.
pub fn matched_nothing(
    rules: &RuleSet,
    files: &[SourceFile],
    period: &str,
    rates: &[(String, String)],
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (tariff, name) in rates {
        // The newest version that still has the rate: older ones are history.
        let versions = rules.tariffs.iter().rev().filter(|version| version.name == *tariff);
        let Some(rate) = versions.flat_map(|version| &version.rates).find(|rate| rate.name == *name) else {
            continue;
        };
        let message =
            format!("the rate \"{name}\" of tariff {tariff} matched nothing in the run of {period}");
        let hint = "That may be right. If usage for it was expected, look at its conditions and at the rates before it.";
        let span = line_span(files, &rate.file, rate.line);
        found.push(Diagnostic::error("rate-matched-nothing", &rate.file, span, message).hint(hint).warning());
    }
    found
}

/// A tariff version that is looked at, with all around it.
struct Scene<'r> {
    rules: &'r RuleSet,
    files: &'r [SourceFile],
    /// The minutes of the week of each band of the rule set.
    weeks: &'r [Week],
    version: &'r TariffVersion,
}

impl<'r> Scene<'r> {
    /// A warning about a line of a file.
    fn warn(&self, file: &str, line: usize, code: &'static str, message: String, hint: &str) -> Diagnostic {
        let span = line_span(self.files, file, line);
        Diagnostic::error(code, file, span, message).hint(hint).warning()
    }

    /// Rates of the default tariff that a contact of this one falls back to: another tariff in the same currency.
    fn fallback(&self) -> impl Iterator<Item = (&'r TariffVersion, &'r Rate)> + use<'r> {
        let version = self.version;
        let default = self.rules.default_tariff.as_deref().filter(|name| *name != version.name);
        self.rules
            .tariffs
            .iter()
            .filter(move |other| Some(other.name.as_str()) == default && other.currency == version.currency)
            .flat_map(|other| other.rates.iter().map(move |rate| (other, rate)))
    }
}

/// The text of a line, without blanks around it.
fn line_span(files: &[SourceFile], name: &str, line: usize) -> Option<Range<usize>> {
    let text = &files.iter().find(|file| file.name == name)?.text;
    let mut start = 0;
    for _ in 1..line {
        start += text[start..].find('\n')? + 1;
    }
    let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    let indent = text[start..end].len() - text[start..end].trim_start().len();
    Some(start + indent..start + text[start..end].trim_end().len().max(indent))
}

#[cfg(test)]
mod tests;
