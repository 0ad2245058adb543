//! `[settlement]`: how long the outcome of a message may stay open.

use crate::rules::table::Table;

use super::collect::lapse;

const HOUR: i64 = 3_600_000;

/// How long after its creation a message is waited for. What is open for longer is indeterminate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettlementSettings {
    pub text_milliseconds: i64,
    pub fax_milliseconds: i64,
}

impl Default for SettlementSettings {
    fn default() -> SettlementSettings {
        SettlementSettings { text_milliseconds: 72 * HOUR, fax_milliseconds: 24 * HOUR }
    }
}

/// Reads `[settlement]`.
pub(super) fn read(table: Table<'_, '_>) -> SettlementSettings {
    let usual = SettlementSettings::default();
    let settings = SettlementSettings {
        text_milliseconds: lapse(&table, "text", HOUR).unwrap_or(usual.text_milliseconds),
        fax_milliseconds: lapse(&table, "fax", HOUR).unwrap_or(usual.fax_milliseconds),
    };
    table.finish();
    settings
}
