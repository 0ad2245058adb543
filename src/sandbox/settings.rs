//! Settings of the sandbox from a file: what it keeps, how long, and what it does where nobody knows.

use super::reading::{Mistake, Reading, Table};
use super::service::Options;
use std::time::Duration;

impl Options {
    /// Reads settings from TOML; what the text does not say stays as it is by default.
    ///
    /// # Errors
    /// All mistakes of the text with their places.
    pub fn parse(text: &str) -> Result<Options, Vec<Mistake>> {
        let reading = Reading::new(text);
        let parsed = reading.parse();
        let top = Table::new("the settings", 0..0, parsed.get_ref(), &reading);
        let mut options = Options::default();
        read_options(&mut options, &top);
        top.finish();
        reading.finish(options)
    }
}

/// Puts a value in its place where one is given.
fn put<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn read_options(options: &mut Options, top: &Table<'_, '_>) {
    let real_time = |key| top.span(key).and_then(|span| span.to_std().ok());
    put(&mut options.rate_window, real_time("rate_window").map(|window| window.max(Duration::from_secs(1))));
    put(&mut options.limits_lifted, top.flag("limits_lifted"));
    put(&mut options.token_life, real_time("token_life"));
    let size = top.integer("per_page_at_most", 1, 1000).and_then(|size| usize::try_from(size).ok());
    put(&mut options.per_page_at_most, size);
    let numbers = top.texts("refused_mailboxes");
    let numbers = numbers.map(|numbers| numbers.into_iter().map(|number| number.value).collect());
    put(&mut options.refused_mailboxes, numbers);
    put(&mut options.advertised_origin, top.text("advertised_origin").map(|text| Some(text.value)));
    put(&mut options.sent_fax_retention, top.span_or_none("sent_fax_retention"));
}
