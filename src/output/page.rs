//! The HTML renderer: embedded templates, one escaper, no functions that reach outside.

use std::io::{self, Write};
use std::sync::OnceLock;

use serde::Serialize;
use tera::{Context, Tera};

use super::text::{acts, stand_in};
use crate::domain::{Exit, Failure, Result};

/// Names end in `.html`: Tera escapes by that suffix.
pub(super) const TEMPLATES: [(&str, &str); 7] = [
    ("bars.html", include_str!("templates/bars.html")),
    ("columns.html", include_str!("templates/columns.html")),
    ("index.html", include_str!("templates/index.html")),
    ("invoice.html", include_str!("templates/invoice.html")),
    ("invoice_style.html", include_str!("templates/invoice_style.html")),
    ("reconciliation.html", include_str!("templates/reconciliation.html")),
    ("report_style.html", include_str!("templates/report_style.html")),
];

/// A page from a template and its values.
pub(super) fn render<T: Serialize>(template: &str, values: &T) -> Result<Vec<u8>> {
    let bug =
        |error: tera::Error| Failure::new(Exit::Bug, format!("the page {template} cannot be made: {error}"));
    let context = Context::from_serialize(values).map_err(bug)?;
    let mut bytes = Vec::new();
    engine()?.render_to(template, &context, &mut bytes).map_err(bug)?;
    Ok(bytes)
}

fn engine() -> Result<&'static Tera> {
    static ENGINE: OnceLock<std::result::Result<Tera, String>> = OnceLock::new();
    let built = ENGINE.get_or_init(|| {
        let mut engine = Tera::new();
        engine.set_escape_fn(escape);
        engine.add_raw_templates(TEMPLATES).map_err(|error| error.to_string())?;
        Ok(engine)
    });
    built.as_ref().map_err(|error| Failure::new(Exit::Bug, format!("a template is broken: {error}")))
}

/// Escapes for text and for quoted attributes, and shows acting characters by a stand-in.
fn escape(text: &str, output: &mut dyn Write) -> io::Result<()> {
    let mut start = 0;
    for (index, letter) in text.char_indices() {
        let stand_in = match letter {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            '\'' => "&#39;".to_owned(),
            letter if acts(letter) => stand_in(letter),
            _ => continue,
        };
        output.write_all(&text.as_bytes()[start..index])?;
        output.write_all(stand_in.as_bytes())?;
        start = index + letter.len_utf8();
    }
    output.write_all(&text.as_bytes()[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The insides of `{{ }}` and `{% %}`, without white-space marks and without the text of string literals.
    fn expressions(template: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (open, close) in [("{{", "}}"), ("{%", "%}")] {
            let mut rest = template;
            while let Some(start) = rest.find(open) {
                let end = rest[start..].find(close).expect("a tag is closed") + start;
                let inside = rest[start + 2..end].trim_start_matches('-').trim_end_matches('-');
                found.push(inside.split('"').step_by(2).collect::<Vec<_>>().join("\"\""));
                rest = &rest[end + 2..];
            }
        }
        found
    }

    #[test]
    fn templates_neither_compute_nor_switch_escaping_off() {
        let words = ["safe", "round", "abs", "int", "float", "get", "throw", "autoescape", "raw", "escape"];
        let check = |inside: &str| {
            let computes = inside.contains(['+', '-', '*', '/', '%', '~', '^']);
            let mut parts = inside.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            !computes && !parts.any(|part| words.contains(&part))
        };
        for (name, template) in TEMPLATES {
            assert!(name.ends_with(".html"), "{name} would not be escaped");
            for inside in expressions(template) {
                assert!(check(&inside), "{name} computes or switches escaping off: {inside}");
            }
        }
        for bad in [" net + tax ", " a-b ", " x * 2 ", " x / 2 ", " x % 2 ", " name | safe ", " x | round "] {
            assert!(!check(bad), "the check is blind to {bad}");
        }
        assert!(expressions("{{- \"a-b\" -}} {%- if x -%}").iter().all(|inside| check(inside)));
    }

    #[test]
    fn templates_load_nothing_and_run_nothing() {
        for (name, template) in TEMPLATES {
            let lower = template.to_lowercase();
            for forbidden in [
                "<script",
                "javascript:",
                "http://",
                "https://",
                "@import",
                "url(",
                "<link",
                "<iframe",
                " onload",
            ] {
                assert!(!lower.contains(forbidden), "{name} contains {forbidden}");
            }
        }
    }

    #[test]
    fn the_escaper_leaves_nothing_that_acts() {
        let mut bytes = Vec::new();
        escape("<script>alert('1')</script>\u{1b}[2J\u{202e}\"&\u{0}z", &mut bytes).unwrap();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\u{241b}[2J\u{27e8}U+202E\u{27e9}&quot;&amp;\u{2400}z"
        );
    }
}
