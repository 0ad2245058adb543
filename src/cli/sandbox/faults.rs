//! `tollbook sandbox faults`: what can go wrong on purpose.

use clap::Args;
use serde_json::json;

use crate::cli::printer::Printer;
use crate::domain::{Exit, Result};
use crate::sandbox::faults::{BEYOND_THE_SERVICE, FaultKind};

/// The arguments of `sandbox faults`.
#[derive(Args)]
pub struct Arguments {}

/// Lists all kinds.
pub fn run(_: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let (mut json, mut lines, mut group) = (Vec::new(), Vec::new(), "");
    for kind in FaultKind::ALL {
        if kind.group().name() != group {
            group = kind.group().name();
            lines.push(format!("{}{group}", if lines.is_empty() { "" } else { "\n" }));
        }
        let parameter = kind.parameter().map(|parameter| {
            let usual = parameter.usual.map_or("rate window".to_owned(), |usual| usual.to_string());
            format!(" [{} = {usual}]", parameter.name)
        });
        lines.push(format!("  {:<24} {}{}", kind.name(), kind.effect(), parameter.unwrap_or_default()));
        json.push(json!({
            "kind": kind.name(),
            "group": group,
            "effect": kind.effect(),
            "outcome": kind.outcome().name(),
            "parameter": kind.parameter().map(|parameter| parameter.name),
            "endpoints": kind.endpoints().iter().map(|endpoint| endpoint.name()).collect::<Vec<_>>(),
        }));
    }
    lines.push("\nbeyond the service, to be arranged outside it".to_owned());
    lines.extend(BEYOND_THE_SERVICE.map(|(name, effect)| format!("  {name:<24} {effect}")));
    printer.result(&json!({ "faults": json }), &lines.join("\n"));
    Ok(Exit::Done)
}
