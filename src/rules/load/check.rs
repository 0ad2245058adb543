//! What only shows when all files are read: names of tariffs and lines, suppliers, versions, examples.

use crate::domain::charge::Unit;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::parts::known_hint;
use crate::rules::ruleset::{Allowance, Pricing, Rate, Scope, TariffVersion};
use crate::rules::table::Sink;

use super::{Draft, GivenMention, Mention};

impl Draft<'_> {
    pub(super) fn cross_check(&mut self, sink: &Sink) {
        self.check_tariff_names(sink);
        self.check_suppliers(sink);
        self.check_lines(sink);
        for given in &self.given {
            self.check_given(given, sink);
        }
        self.check_versions(sink);
        self.rules
            .tariffs
            .sort_by(|left, right| (&left.name, left.valid_from).cmp(&(&right.name, right.valid_from)));
    }

    fn check_tariff_names(&self, sink: &Sink) {
        let mut names: Vec<&str> = self.rules.tariffs.iter().map(|tariff| tariff.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let suppliers = self.suppliers.iter().map(|(_, mention)| mention);
        for mention in self.tariff_mentions.iter().chain(suppliers) {
            if names.contains(&mention.name.value.as_str()) {
                continue;
            }
            let message = format!("there is no tariff called {}", mention.name.value);
            let hint = known_hint(&mention.name.value, names.iter().copied(), "Tariffs");
            let span = Some(mention.name.span.clone());
            sink.borrow_mut()
                .push(Diagnostic::error("unknown-tariff", &mention.file, span, message).hint(hint));
        }
    }

    /// A supplier's tariff prices single events and nothing else.
    fn check_suppliers(&self, sink: &Sink) {
        for (index, mention) in &self.suppliers {
            let complain = |message: String, hint: &str| {
                let span = Some(mention.name.span.clone());
                sink.borrow_mut()
                    .push(Diagnostic::error("unfit-supplier", &mention.file, span, message).hint(hint));
            };
            let (own, name) = (&self.rules.tariffs[*index], &mention.name.value);
            if own.name == *name {
                let hint = "Name the tariff of what the events cost yourself.";
                complain(format!("tariff {name} cannot be its own supplier"), hint);
                continue;
            }
            for supplier in self.rules.tariffs.iter().filter(|tariff| tariff.name == *name) {
                if supplier.currency != own.currency {
                    let message = format!(
                        "the supplier tariff {name} is in {}, tariff {} in {}",
                        supplier.currency, own.name, own.currency
                    );
                    complain(message, "A cost is only added to in its own currency.");
                }
                for part in unfit_parts(supplier) {
                    let hint = "A supplier tariff prices single events only; remove it there.";
                    complain(format!("the supplier tariff {name} has {part}"), hint);
                }
            }
        }
    }

    /// Discounts name rates and fees: of their own tariff, or of another that stands behind it.
    fn check_lines(&self, sink: &Sink) {
        let mut names: Vec<&str> = self
            .rules
            .tariffs
            .iter()
            .flat_map(|tariff| {
                let fees = tariff.fees.iter().map(|fee| fee.name.as_str());
                tariff.rates.iter().map(|rate| rate.name.as_str()).chain(fees)
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        for Mention { file, name } in &self.line_mentions {
            if names.binary_search(&name.value.as_str()).is_err() {
                let message = format!("there is no rate or fee called \"{}\"", name.value);
                let hint = known_hint(&name.value, names.iter().copied(), "Rates and fees");
                let span = Some(name.span.clone());
                sink.borrow_mut().push(Diagnostic::error("unknown-line", file, span, message).hint(hint));
            }
        }
    }

    /// An example that speaks of an allowance or rate its tariff does not have would test something else than it says.
    fn check_given(&self, given: &GivenMention, sink: &Sink) {
        let versions = self.rules.tariffs.iter().filter(|tariff| tariff.name == given.tariff);
        if versions.clone().next().is_none() {
            return;
        }
        let known: Vec<(&str, Unit, &str)> = match given.used {
            false => versions.flat_map(|tariff| tariff.allowances.iter().map(named_allowance)).collect(),
            true => versions
                .flat_map(|tariff| tariff.rates.iter().filter(|rate| has_tiers(rate)).map(named_rate))
                .collect(),
        };
        let name = given.name.value.as_str();
        let names = known.iter().map(|(name, _, _)| *name);
        let hint = |plural| match known.is_empty() {
            true => "The tariff has none at all.".to_owned(),
            false => known_hint(name, names.clone(), plural),
        };
        let span = Some(given.name.span.clone());
        let (file, tariff) = (&given.file, &given.tariff);
        if !names.clone().any(|known| known == name) {
            let mistake = if given.used {
                let message = format!("tariff {tariff} has no rate with tiers called \"{name}\"");
                Diagnostic::error("unknown-tier-rate", file, span, message).hint(hint("Rates with tiers"))
            } else {
                let message = format!("tariff {tariff} has no allowance called \"{name}\"");
                Diagnostic::error("unknown-allowance", file, span, message).hint(hint("Allowances"))
            };
            sink.borrow_mut().push(mistake);
            return;
        }
        let counted = known.iter().filter(|(known, _, _)| *known == name);
        if counted.clone().all(|(_, unit, _)| *unit != given.unit) {
            let written = counted.clone().map(|(_, _, text)| *text).next().unwrap_or_default();
            let message = format!("\"{name}\" is counted in other units: {written}");
            let mistake = Diagnostic::error("mixed-units", file, span, message);
            sink.borrow_mut().push(mistake.hint("Write it in the units of the tariff."));
        }
    }

    /// Versions of one tariff: distinct dates, one currency, one zone.
    fn check_versions(&self, sink: &Sink) {
        for (index, tariff) in self.rules.tariffs.iter().enumerate() {
            for other in &self.rules.tariffs[..index] {
                if other.name != tariff.name {
                    continue;
                }
                let place = format!("{}:{}", other.file, other.line);
                let complain = |code, message: String, hint: &str| {
                    let span = Some(self.tariff_spans[index].clone());
                    sink.borrow_mut().push(Diagnostic::error(code, &tariff.file, span, message).hint(hint));
                };
                if other.valid_from == tariff.valid_from {
                    let message =
                        format!("tariff {} is defined twice for the same time (also {place})", tariff.name);
                    complain("duplicate-tariff", message, "Give the later version its own valid_from.");
                }
                if other.currency != tariff.currency || other.zone != tariff.zone {
                    let message = format!(
                        "versions of tariff {} differ in currency or zone (see {place})",
                        tariff.name
                    );
                    complain("tariff-version-differs", message, "Give the new tariff a new name instead.");
                }
            }
        }
    }
}

fn named_allowance(allowance: &Allowance) -> (&str, Unit, &str) {
    (&allowance.name, allowance.unit, &allowance.text)
}

fn named_rate(rate: &Rate) -> (&str, Unit, &str) {
    (&rate.name, rate.price.unit, &rate.price.text)
}

fn has_tiers(rate: &Rate) -> bool {
    matches!(rate.pricing, Pricing::Tiers { .. } | Pricing::Package { .. })
}

/// What a tariff has that no second rating of single events could follow.
fn unfit_parts(tariff: &TariffVersion) -> Vec<String> {
    let whole = [
        (!tariff.allowances.is_empty(), "allowances"),
        (!tariff.fees.is_empty(), "fees"),
        (!tariff.discounts.is_empty(), "discounts"),
        (tariff.cap.is_some(), "a cap"),
        (tariff.commitment.is_some(), "a commitment"),
    ];
    let mut parts: Vec<String> =
        whole.iter().filter(|(unfit, _)| *unfit).map(|(_, part)| (*part).to_owned()).collect();
    for rate in &tariff.rates {
        let unfit = [
            (has_tiers(rate), "tiers"),
            (rate.scope != Scope::Call, "a scope"),
            (matches!(rate.pricing, Pricing::Cost(_)), "a price from a cost"),
            (rate.discount.is_some(), "a discount"),
        ];
        let unfit = unfit.iter().filter(|(unfit, _)| *unfit);
        parts.extend(unfit.map(|(_, part)| format!("{part} in its rate \"{}\"", rate.name)));
    }
    parts
}
