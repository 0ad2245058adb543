//! Pulling: the puller's facts land in the book.

use std::time::Duration;

use crate::book::{Book, Identity, SegmentCodec};
use crate::domain::record::{Coverage, Cursor, Gap, PullWindow, RawPage, SourceRecord, Stream};
use crate::domain::time::Span;
use crate::domain::{Exit, Failure, Hash, Instant, Result};
use crate::ringcentral::client::{self, Landing, ServiceUrl, Transport};
use crate::ringcentral::clock::Clock;
use crate::ringcentral::credentials::Credentials;
use crate::ringcentral::puller::{Progress, Puller, Scope, Settings, Summary};
use crate::ringcentral::redact::Redaction;
use crate::rules::config::CollectSettings;

use super::facts::codec;

/// What the log allows between completed pulls: it is no live feed (design, section 10).
pub const LEAST_TIME_BETWEEN_PULLS_MILLISECONDS: i64 = 15 * 60_000;

/// The name of the fact that holds the book's own key for the hashes of texts.
const TEXT_KEY: &str = "text-key";

/// Told about progress.
pub type Watch<'a> = &'a mut dyn FnMut(&Progress);

/// Whose book a service's records go into. A service on this machine is the sandbox: its book is marked for life.
pub fn identity_of(url: &ServiceUrl) -> Identity {
    let server = (!url.is_loopback()).then(|| url.as_str().to_owned());
    Identity { specimen: url.is_loopback(), server, account: None }
}

/// Pulls from the service into the book. The caller holds the book's lock; calls within a runtime must use their own
/// thread.
///
/// # Errors
/// What the puller reports (exit 6); everything landed before stays.
pub fn pull(
    book: &mut Book,
    settings: &CollectSettings,
    scope: Scope,
    credentials: &Credentials,
    transport: &Transport,
    clock: &dyn Clock,
    watch: Watch<'_>,
) -> Result<Summary> {
    let now = clock.now();
    refuse_live_feed(book, now)?;
    let redaction = redaction(book, settings.keep_text)?;
    let puller = Puller::new(puller_settings(settings, redaction)?, scope)?;
    let mut landing = BookLanding::new(book, watch);
    let pulled = client::pull_blocking(puller, credentials, transport, clock, &mut landing);
    landing.seal_agreed(now, &codec())?;
    let summary = pulled?;
    book.pull_completed(clock.now())?;
    book.checkpoint()?;
    Ok(summary)
}

fn refuse_live_feed(book: &Book, now: Instant) -> Result<()> {
    let Some(last) = book.last_pull()?.filter(|_| !book.identity().specimen) else { return Ok(()) };
    let passed = now.milliseconds() - last.milliseconds();
    if (0..LEAST_TIME_BETWEEN_PULLS_MILLISECONDS).contains(&passed) {
        let message = format!("the last pull was completed {} minutes ago", passed / 60_000);
        return Err(Failure::new(Exit::Usage, message).hint(
            "The call log is no live feed: pull at most every 15 minutes, hourly or daily as a rule.",
        ));
    }
    Ok(())
}

fn puller_settings(settings: &CollectSettings, redaction: Redaction) -> Result<Settings> {
    let lapse = |milliseconds: i64| {
        u64::try_from(milliseconds)
            .map(Duration::from_millis)
            .map_err(|_| Failure::new(Exit::Mistakes, "a length of time in the configuration is negative"))
    };
    Ok(Settings {
        call_log: settings.call_log,
        messages: settings.messages,
        call_log_window: lapse(settings.call_log_window_milliseconds)?,
        message_window: lapse(settings.message_window_milliseconds)?,
        overlap: lapse(settings.overlap_milliseconds)?,
        settling_lag: lapse(settings.settling_lag_milliseconds)?,
        ..Settings::new(redaction)
    })
}

/// The book's own key for the hashes of texts, made at its first pull or import. A specimen's key is fixed: the world
/// is invented, and the same world gives the same bytes.
///
/// # Errors
/// A book that cannot be written.
pub fn redaction(book: &mut Book, keep_text: bool) -> Result<Redaction> {
    let known = book.facts(TEXT_KEY)?.first().map(|(_, hash)| *hash);
    let bytes = match known {
        Some(hash) => book.fact(&hash)?.unwrap_or_default(),
        None => {
            let key = if book.identity().specimen { Hash::of(b"specimen").0 } else { random_key()? };
            book.put_fact(TEXT_KEY, "key of the hashes of message texts", &key)?;
            key.to_vec()
        }
    };
    let key = <[u8; 32]>::try_from(bytes.as_slice())
        .map_err(|_| Failure::new(Exit::Verification, "the key of the text hashes is damaged"))?;
    Ok(Redaction { key, keep_text })
}

fn random_key() -> Result<[u8; 32]> {
    let mut key = [0_u8; 32];
    getrandom::fill(&mut key)
        .map_err(|error| Failure::new(Exit::Bug, format!("no random numbers: {error}")))?;
    Ok(key)
}

/// The book as the puller's landing place.
pub struct BookLanding<'a> {
    book: &'a mut Book,
    watch: Watch<'a>,
    /// Windows whose listings agreed.
    agreed: Vec<PullWindow>,
}

impl<'a> BookLanding<'a> {
    /// Lands in a book whose lock the caller holds.
    pub fn new(book: &'a mut Book, watch: Watch<'a>) -> BookLanding<'a> {
        BookLanding { book, watch, agreed: Vec::new() }
    }

    /// Seals the windows that agreed, together, so that they share their files; to be called after a failure too.
    ///
    /// # Errors
    /// A book that cannot be written.
    pub fn seal_agreed(&mut self, at: Instant, codec: &SegmentCodec) -> Result<()> {
        let agreed = std::mem::take(&mut self.agreed);
        if agreed.is_empty() {
            return Ok(());
        }
        self.book.seal(&agreed, at, codec).map(|_| ())
    }
}

impl Landing for BookLanding<'_> {
    fn coverage(&self) -> Result<Vec<Coverage>> {
        self.book.coverage()
    }

    fn known_account(&self) -> Result<Option<String>> {
        Ok(self.book.identity().account.clone())
    }

    fn streams(&self) -> Result<Vec<Stream>> {
        self.book.streams()
    }

    fn advance(&mut self, stream: &Stream) -> Result<()> {
        self.book.advance(stream)
    }

    fn land(&mut self, page: &RawPage, records: &[SourceRecord], cursor: &Cursor) -> Result<()> {
        self.book.land_page(page, records, cursor).map(|_| ())
    }

    fn coverage_of(&self, window: &PullWindow) -> Result<Option<Coverage>> {
        self.book.coverage_of(window)
    }

    fn seal(&mut self, window: &PullWindow, _at: Instant) -> Result<()> {
        self.agreed.push(window.clone());
        Ok(())
    }

    fn gap(&mut self, gap: &Gap, at: Instant) -> Result<()> {
        self.book.note_gap(gap, at)
    }

    fn account(&mut self, id: &str) -> Result<()> {
        self.book.bind_account(id)
    }

    fn progress(&mut self, progress: &Progress) {
        (self.watch)(progress);
    }
}

/// What to pull: from `from` on, and sealed windows of `reread` once more.
pub fn scope(from: Instant, reread: Option<Span>) -> Scope {
    Scope { span_from: from, span_to: None, reread }
}
