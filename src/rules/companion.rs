//! Tables that rule files name: decks and calendars. They are part of the rule set, and hashed and kept with it.

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::SourceFile;
use super::table::Table;

/// The tables whose key `file` names a companion.
const NAMING: [&str; 2] = ["deck", "calendar"];

/// Whether a file of a rule set is a table that a rule file names, and not a rule file itself.
pub fn is_companion(file: &SourceFile) -> bool {
    file.name.ends_with(".csv")
}

/// Every companion that rule files name, in order, whether it is there or not. Names that lead out of the folder are
/// left out: nothing may be read for them, and [`named`] complains about them.
pub fn names(files: &[SourceFile]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files.iter().filter(|file| !is_companion(file)) {
        let (table, _) = DeTable::parse_recoverable(&file.text);
        for key in NAMING {
            let Some(named) = table.get_ref().get(key).and_then(|value| value.get_ref().as_table()) else {
                continue;
            };
            found.extend(
                named.iter().filter_map(|(_, value)| file_of(value)).filter(|name| stays_inside(name)),
            );
        }
    }
    found
}

fn file_of(value: &Spanned<DeValue<'_>>) -> Option<String> {
    value.get_ref().as_table()?.get("file")?.get_ref().as_str().map(str::to_owned)
}

/// A relative path with an ending of its own that cannot climb: `world.csv`, `decks/world.csv`.
fn stays_inside(name: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    name.ends_with(".csv") && !name.contains(['\\', ':', '\0']) && name.split('/').all(plain)
}

/// The companion that `file` of a deck or calendar names; `None` with a complaint, or without the key.
pub fn named<'f>(table: &Table<'_, '_>, companions: &'f [SourceFile]) -> Option<&'f SourceFile> {
    let text = table.text("file")?;
    if !stays_inside(&text.value) {
        let message = format!("\"{}\" is no CSV file beside the rule files", text.value);
        let hint = "Write a name such as \"world.csv\" or \"decks/world.csv\", with forward slashes, in the folder of the \
                    rule files.";
        table.complain("wrong-companion", text.span, message, hint);
        return None;
    }
    let found = companions.iter().filter(|file| is_companion(file)).find(|file| file.name == text.value);
    if found.is_none() {
        let message = format!("there is no file {} beside the rule files", text.value);
        let hint = "The path counts from the folder of the rule files.";
        table.complain("missing-companion", text.span, message, hint);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_lead_out_are_never_read() {
        for inside in ["world.csv", "decks/2026/world.csv", "..a.csv"] {
            assert!(stays_inside(inside), "{inside}");
        }
        for outside in
            ["", "world", "/etc/world.csv", "../world.csv", "a/../b.csv", "a//b.csv", "./a.csv", "c:\\a.csv"]
        {
            assert!(!stays_inside(outside), "{outside}");
        }
        let text =
            "[deck.a]\nfile = \"b.csv\"\n[deck.c]\nfile = \"../c.csv\"\n[calendar.d]\nfile = \"a.csv\"\n";
        let file = SourceFile { name: "rules.toml".to_owned(), text: text.to_owned() };
        assert_eq!(names(&[file]).into_iter().collect::<Vec<_>>(), ["a.csv", "b.csv"]);
    }
}
