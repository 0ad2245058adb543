//! Coding rules: what a coding sheet proposes for events that fit.

use crate::rules::diagnostic::{SourceFile, line_of};
use crate::rules::ruleset::CodingRule;
use crate::rules::table::Table;

use super::Draft;

const PROPOSALS: [&str; 5] = ["contact", "matter", "timekeeper", "task", "narrative"];

impl Draft<'_> {
    pub(super) fn read_coding(&mut self, file: &SourceFile, top: &Table<'_, '_>) {
        for table in top.tables("coding", "coding rule") {
            let matches = self.read_conditions(&table, "match");
            let timekeeper =
                table.text("timekeeper").and_then(|timekeeper| self.timekeeper(&table, timekeeper));
            if PROPOSALS.iter().all(|key| table.get(key).is_none()) {
                let hint = "Write a matter, timekeeper, task, narrative or contact.";
                table.complain("empty-coding", table.span.clone(), "coding rule proposes nothing", hint);
            }
            self.rules.coding.push(CodingRule {
                matches,
                contact: proposal(&table, "contact"),
                matter: proposal(&table, "matter"),
                timekeeper,
                task: proposal(&table, "task"),
                narrative: proposal(&table, "narrative"),
                file: file.name.clone(),
                line: line_of(&file.text, table.span.start),
            });
            table.finish();
        }
    }
}

fn proposal(table: &Table<'_, '_>, key: &'static str) -> Option<String> {
    let text = table.text(key)?;
    if text.value.trim().is_empty() {
        let message = format!("{key} of {} is empty", table.what);
        table.complain("wrong-value", text.span, message, "Write what is proposed, or leave the key out.");
        return None;
    }
    Some(text.value)
}
