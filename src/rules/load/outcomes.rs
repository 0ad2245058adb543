//! Rows of the outcome table.

use crate::domain::outcome::{Arrived, Channel, Direction, NarrowRow, Outcome, OutcomeRule};
use crate::rules::parts::{required_word, value, word};
use crate::rules::reader;
use crate::rules::table::Table;

use super::Draft;
use super::conditions::CODE_HINT;

impl Draft<'_> {
    pub(super) fn read_outcomes(&mut self, top: &Table<'_, '_>) {
        for table in top.tables("outcome", "outcome") {
            self.read_outcome(table);
        }
    }

    fn read_outcome(&mut self, table: Table<'_, '_>) {
        let channel = required_word(&table, "channel", Channel::from_word, Channel::ALL);
        let outcome = required_word(&table, "outcome", Outcome::from_word, Outcome::ALL);
        let arrived = required_word(&table, "arrived", Arrived::from_word, Arrived::ALL);
        let billable = table.flag("billable");
        if table.get("billable").is_none() {
            table.complain(
                "missing-key",
                table.span.clone(),
                "outcome has no billable",
                "Write true or false.",
            );
        }
        let direction = word(&table, "direction", Direction::from_word, Direction::ALL);
        let error_code = value(&table, "error_code", reader::code_pattern, CODE_HINT);
        if let (Some(channel), Some(outcome), Some(arrived), Some(billable)) =
            (channel, outcome, arrived, billable)
        {
            if self.rules.outcomes.rule(channel, outcome).is_none() {
                let message = format!("an event of {channel} is never {outcome}");
                table.complain("impossible-outcome", table.span.clone(), message, "Remove this row.");
            }
            let key = (channel, direction, outcome, error_code.clone());
            if self.outcome_keys.contains(&key) {
                let message = format!("two rows say what {outcome} of {channel} means");
                let hint = "Keep one of them, or tell them apart by direction or error_code.";
                table.complain("duplicate-outcome", table.span.clone(), message, hint);
            }
            self.outcome_keys.push(key);
            let rule = OutcomeRule { arrived, billable };
            if direction.is_none() && error_code.is_none() {
                self.rules.outcomes.set(channel, outcome, rule);
            } else {
                self.rules.outcomes.add(NarrowRow { channel, outcome, direction, error_code, rule });
            }
        }
        table.finish();
    }
}
