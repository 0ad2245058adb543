//! Bands of two rates that are otherwise alike, and that hold at the same hours without one being an exception to the
//! other.

use crate::rules::diagnostic::Diagnostic;
use crate::rules::ruleset::{Pricing, Rate};

use super::Scene;
use super::conditions::same;
use super::week::Week;

/// A warning for every pair of rates that differ in their bands only, when the bands cross. A narrower band before a
/// wider one is the way to write an exception, and one that starts only on some dates is an exception by its nature.
pub fn overlapping_bands(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let rates = &scene.version.rates;
    for (position, later) in rates.iter().enumerate() {
        for earlier in &rates[..position] {
            let priced_alike = !matches!(later.pricing, Pricing::Deck { .. })
                && !matches!(earlier.pricing, Pricing::Deck { .. })
                && same(scene.rules, &earlier.matches, &later.matches);
            let Some(common) =
                Some(()).filter(|()| priced_alike).and_then(|()| crossing(scene, earlier, later))
            else {
                continue;
            };
            let message = format!(
                "the bands of \"{}\" and \"{}\" overlap ({}): \"{}\" wins there, since it stands first",
                earlier.name,
                later.name,
                common.shown(),
                earlier.name
            );
            let hint =
                "Let one band end where the other begins, so that the order of the rates decides nothing.";
            found.push(scene.warn(&later.file, later.line, "overlapping-bands", message, hint));
        }
    }
    found
}

fn crossing(scene: &Scene<'_>, earlier: &Rate, later: &Rate) -> Option<Week> {
    let (first, second) = (&earlier.matches.bands, &later.matches.bands);
    let bands = || first.iter().chain(second).map(|index| &scene.rules.bands[*index]);
    let clocks: Vec<bool> = bands().map(|band| band.in_contact_zone).collect();
    if first.is_empty()
        || second.is_empty()
        || bands().any(|band| band.on.is_some())
        || clocks.iter().any(|clock| Some(clock) != clocks.first())
    {
        return None;
    }
    let (first, second) = (union(scene, first), union(scene, second));
    let common = first.common(&second);
    let (exception, unreachable) = (first.is_within(&second), second.is_within(&first));
    (!common.is_empty() && !exception && !unreachable).then_some(common)
}

fn union(scene: &Scene<'_>, bands: &[usize]) -> Week {
    let mut week = Week::NEVER;
    for band in bands {
        week.join(&scene.weeks[*band]);
    }
    week
}
