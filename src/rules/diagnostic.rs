//! What may be said about the user's text: one type, rendered with an excerpt.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A file the user wrote, already read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Name as the user knows it, relative where possible.
    pub name: String,
    pub text: String,
}

/// Whether a complaint stops the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

/// One mistake of the user's, with its place and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// Stable, kebab-case, unique to the kind of mistake.
    pub code: &'static str,
    /// Lower case, without a final period.
    pub message: String,
    pub file: String,
    /// Bytes of the file the mistake is about; `None` for a file as a whole.
    pub span: Option<Range<usize>>,
    /// What stands beside the excerpt.
    pub label: String,
    /// A sentence on how to mend it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error at a place of a file.
    pub fn error(
        code: &'static str,
        file: &str,
        span: Option<Range<usize>>,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            file: file.to_owned(),
            span,
            label: String::new(),
            hint: None,
        }
    }

    /// The same complaint as a warning.
    pub fn warning(mut self) -> Diagnostic {
        self.severity = Severity::Warning;
        self
    }

    /// With words beside the excerpt.
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = label.into();
        self
    }

    /// With a sentence on how to mend it.
    pub fn hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hint = Some(hint.into());
        self
    }
}

/// The line of a byte offset, from 1.
pub fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

/// All complaints with their excerpts, in the order of files and places, ending with a count.
pub fn render(diagnostics: &[Diagnostic], files: &[SourceFile], colour: bool) -> String {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| {
        let position = files.iter().position(|file| file.name == diagnostic.file).unwrap_or(usize::MAX);
        (position, diagnostic.span.as_ref().map_or(0, |span| span.start), diagnostic.code)
    });
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for diagnostic in &sorted {
        let file = files.iter().find(|file| file.name == diagnostic.file);
        out.push_str(&render_one(diagnostic, file, &renderer));
        out.push_str("\n\n");
    }
    let errors = sorted.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    let warnings = sorted.len() - errors;
    out.push_str(&format!("{}, {}\n", counted(errors, "mistake"), counted(warnings, "warning")));
    out
}

/// `1 mistake`, `2 mistakes`.
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn render_one(diagnostic: &Diagnostic, file: Option<&SourceFile>, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(clean(&diagnostic.message)).id(diagnostic.code);
    let text = file.map(|file| clean_source(&file.text)).unwrap_or_default();
    let mut group = match (&diagnostic.span, file) {
        (Some(span), Some(_)) => {
            let end = span.end.min(text.len());
            let annotation =
                AnnotationKind::Primary.span(span.start.min(end)..end).label(clean(&diagnostic.label));
            title.element(Snippet::source(text).path(diagnostic.file.clone()).annotation(annotation))
        }
        _ => title.element(annotate_snippets::Origin::path(diagnostic.file.clone())),
    };
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.message(clean(hint)));
    }
    renderer.render(&[group])
}

/// Control characters of hostile text never reach a terminal.
fn clean(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// As [`clean`], keeping line ends and byte positions: a control character is one byte in UTF-8 when it is ASCII.
fn clean_source(text: &str) -> String {
    text.chars()
        .map(
            |letter| if letter.is_ascii_control() && letter != '\n' && letter != '\t' { ' ' } else { letter },
        )
        .collect()
}
