//! The only writer to the terminal: data on standard output, talk on standard error.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};

use crate::domain::Failure;
use crate::ringcentral::puller::Progress;

/// Writes text for people or JSON for machines.
pub struct Printer {
    json: bool,
}

impl Printer {
    /// A printer of one of the two forms.
    pub fn new(json: bool) -> Printer {
        Printer { json }
    }

    /// A line of data. A reader that went away ends the program quietly, as other tools do.
    pub fn data(&mut self, text: &str) {
        if writeln!(std::io::stdout().lock(), "{}", visible(text)).is_err() {
            std::process::exit(0);
        }
    }

    /// JSON as data; `text` is what people see instead.
    pub fn result(&mut self, json: &serde_json::Value, text: &str) {
        if self.json { self.data(&json.to_string()) } else { self.data(text.trim_end()) }
    }

    /// A line of talk.
    pub fn say(&mut self, text: &str) {
        // Talk that nobody can hear is lost, and nothing else is.
        drop(writeln!(std::io::stderr().lock(), "{}", visible(text)));
    }

    /// A failed operation: its diagnostics, its message, its hints.
    pub fn failure(&mut self, failure: &Failure) {
        if !failure.shown_details().is_empty() {
            self.say(failure.shown_details().trim_end());
        }
        self.say(&format!("error: {failure}"));
        for hint in failure.hints() {
            self.say(&format!("hint: {hint}"));
        }
    }

    /// A progress bar on a terminal, nothing elsewhere.
    pub fn bar(&self) -> Bar {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{wide_msg} {bar:24} {pos}/{len} listings") {
            bar.set_style(style);
        }
        Bar { bar }
    }
}

/// The progress of a pull.
pub struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// Shows where the puller is.
    pub fn show(&self, progress: &Progress) {
        self.bar.set_length(progress.listings_known);
        self.bar.set_position(progress.listings_done);
        let waiting =
            progress.waiting.map(|(time, _)| format!(", waiting {} s", time.as_secs())).unwrap_or_default();
        self.bar
            .set_message(format!("{} records, {} requests{waiting}", progress.records, progress.requests));
    }

    /// Takes the bar away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// Hostile text cannot become an escape code: control characters other than line ends and tabs become visible.
fn visible(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\n' | '\t' => letter,
            letter if letter.is_control() => '\u{fffd}',
            letter => letter,
        })
        .collect()
}
