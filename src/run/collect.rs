//! Pulling: the puller's facts land in the book.

use std::time::Duration;

use crate::book::{Book, Identity, NoteKind, Noted, SegmentCodec};
use crate::domain::record::{Coverage, Cursor, FeedKind, Gap, PullWindow, RawPage, SourceRecord, Stream};
use crate::domain::time::Span;
use crate::domain::{Exit, Failure, Hash, Instant, Result};
use crate::ringcentral::client::{self, Landing, ServiceUrl, Transport};
use crate::ringcentral::clock::Clock;
use crate::ringcentral::credentials::Credentials;
use crate::ringcentral::puller::{Known, Progress, Puller, Scope, Settings, Summary};
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

/// Somebody's word that the log may be asked again so soon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Again {
    pub reason: String,
    pub actor: String,
}

/// One pull: what, with which credentials, from where, by which clock.
pub struct Order<'a> {
    pub settings: &'a CollectSettings,
    pub scope: Scope,
    pub credentials: &'a Credentials,
    pub transport: &'a Transport,
    pub clock: &'a dyn Clock,
    pub again: Option<&'a Again>,
}

/// What a pull did.
#[derive(Clone, Debug)]
pub struct Pulled {
    pub summary: Summary,
    /// What was found out about records after the fact.
    pub noted: Noted,
    /// What the user should know although nothing failed, as sentences.
    pub warnings: Vec<String>,
}

/// Pulls from the service into the book. The caller holds the book's lock; calls within a runtime must use their own
/// thread.
///
/// # Errors
/// A pull too soon after the last one (exit 2); what the puller reports (exit 6). Everything landed before stays.
pub fn carry_out(book: &mut Book, order: Order<'_>, watch: Watch<'_>) -> Result<Pulled> {
    let Order { settings, scope, credentials, transport, clock, again } = order;
    let now = clock.now();
    let admitted = admit(book, now, again)?;
    let before = book.noted()?;
    let redaction = redaction(book, settings.keep_text)?;
    let puller = Puller::new(puller_settings(settings, redaction)?, scope)?;
    let (reason, actor) =
        admitted.leave.map_or((None, ""), |again| (Some(again.reason.as_str()), &*again.actor));
    let pull = book.pull_began(now, reason, actor)?;
    let mut landing = BookLanding::new(book, watch);
    let pulled = client::pull_blocking(puller, credentials, transport, clock, &mut landing);
    landing.seal_agreed(pulled.is_ok(), now, &codec())?;
    let summary = pulled?;
    book.pull_ended(pull, clock.now(), summary.requests)?;
    let left_apart = join_small_files(book, now)?;
    book.checkpoint()?;
    let noted = since(book.noted()?, before);
    Ok(Pulled { summary, noted, warnings: admitted.warning.into_iter().chain(left_apart).collect() })
}

/// Joins the pieces of days that came in many. A damaged file takes nothing from the pull: it is told.
fn join_small_files(book: &mut Book, now: Instant) -> Result<Option<String>> {
    if !book.needs_compaction()? {
        return Ok(None);
    }
    match book.compact(&codec(), now) {
        Ok(_) => Ok(None),
        Err(failure) if failure.exit() == Exit::Verification => {
            Ok(Some(format!("Small files of the book were not joined: {failure}. Run `tollbook verify`.")))
        }
        Err(failure) => Err(failure),
    }
}

fn since(now: Noted, before: Noted) -> Noted {
    let of = |kind| now.of(kind).saturating_sub(before.of(kind));
    Noted {
        late: of(NoteKind::Late),
        changed: of(NoteKind::Changed),
        absent: of(NoteKind::Absent),
        reappeared: of(NoteKind::Reappeared),
        deleted: of(NoteKind::Deleted),
    }
}

/// As [`carry_out`], with the parts of an order one by one and no leave to pull again so soon.
///
/// # Errors
/// As [`carry_out`].
pub fn pull(
    book: &mut Book,
    settings: &CollectSettings,
    scope: Scope,
    credentials: &Credentials,
    transport: &Transport,
    clock: &dyn Clock,
    watch: Watch<'_>,
) -> Result<Summary> {
    let order = Order { settings, scope, credentials, transport, clock, again: None };
    carry_out(book, order, watch).map(|pulled| pulled.summary)
}

/// That a pull may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Admitted<'a> {
    warning: Option<String>,
    /// Whose leave it took, to be recorded.
    leave: Option<&'a Again>,
}

/// Refuses a pull within 15 minutes of the last completed one, unless somebody has a reason. A specimen's service is
/// nobody's and may be asked at any time.
fn admit<'a>(book: &Book, now: Instant, again: Option<&'a Again>) -> Result<Admitted<'a>> {
    let free = Admitted { warning: None, leave: None };
    let Some(last) = book.last_pull()?.filter(|_| !book.identity().specimen) else { return Ok(free) };
    let passed = now.milliseconds() - last.milliseconds();
    if passed < 0 {
        let warning = format!(
            "The last pull was completed at {last}, and this machine's clock says {now}: one of them was wrong. \
             Nothing is lost; windows that end after {now} are listed when the clock has passed them."
        );
        return Ok(Admitted { warning: Some(warning), leave: None });
    }
    if passed >= LEAST_TIME_BETWEEN_PULLS_MILLISECONDS {
        return Ok(free);
    }
    let Some(again) = again else {
        let minutes = match passed / 60_000 {
            0 => "less than a minute".to_owned(),
            1 => "1 minute".to_owned(),
            minutes => format!("{minutes} minutes"),
        };
        return Err(Failure::new(Exit::Usage, format!("the last pull was completed {minutes} ago"))
            .hint("The call log is no live feed: pull at most every 15 minutes, hourly or daily as a rule.")
            .hint(
                "To pull all the same, say why: tollbook pull --again --reason TEXT. The reason is recorded.",
            ));
    };
    if again.reason.trim().is_empty() {
        return Err(Failure::new(Exit::Usage, "a pull so soon after the last one needs a reason"));
    }
    Ok(Admitted { warning: None, leave: Some(again) })
}

/// The configuration as the puller wants it.
///
/// # Errors
/// A length that is negative (exit 3).
pub fn puller_settings(settings: &CollectSettings, redaction: Redaction) -> Result<Settings> {
    let lapse = |milliseconds: i64| {
        u64::try_from(milliseconds)
            .map(Duration::from_millis)
            .map_err(|_| Failure::new(Exit::Mistakes, "a length of time in the configuration is negative"))
    };
    Ok(Settings {
        call_log: settings.call_log,
        call_sync: settings.call_sync,
        messages: settings.messages,
        message_sync: settings.message_sync,
        active_calls: settings.active_calls,
        extension_calls: settings.extension_calls.clone(),
        call_log_window: lapse(settings.call_log_window_milliseconds)?,
        message_window: lapse(settings.message_window_milliseconds)?,
        overlap: lapse(settings.overlap_milliseconds)?,
        settling_lag: lapse(settings.settling_lag_milliseconds)?,
        reread_daily_for: lapse(settings.reread_daily_for_milliseconds)?,
        reread_weekly_for: lapse(settings.reread_weekly_for_milliseconds)?,
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

/// The same key without making one: for what is only shown and compared.
///
/// # Errors
/// A key that is damaged (exit 7).
pub fn redaction_of(book: Option<&Book>, keep_text: bool) -> Result<Redaction> {
    let Some(book) = book else { return Ok(Redaction { key: [0; 32], keep_text }) };
    let known = book.facts(TEXT_KEY)?.first().map(|(_, hash)| *hash);
    let Some(hash) = known else { return Ok(Redaction { key: [0; 32], keep_text }) };
    let key = <[u8; 32]>::try_from(book.fact(&hash)?.unwrap_or_default().as_slice())
        .map_err(|_| Failure::new(Exit::Verification, "the key of the text hashes is damaged"))?;
    Ok(Redaction { key, keep_text })
}

fn random_key() -> Result<[u8; 32]> {
    let mut key = [0_u8; 32];
    getrandom::fill(&mut key)
        .map_err(|error| Failure::new(Exit::Bug, format!("no random numbers: {error}")))?;
    Ok(key)
}

/// What a book tells the puller when a run begins.
pub(super) fn known(book: &Book) -> Result<Known> {
    let coverage = book.coverage()?;
    let lists = coverage.iter().filter(|entry| entry.window.feed.kind == FeedKind::Extensions);
    let extension_pages = match lists.max_by_key(|entry| entry.window.span.from) {
        // A list that was begun and not ended, or is packed because its day is over, is read again.
        Some(list) if list.cursor.is_none() => book.unpacked_pages(&list.window, list.last_listing)?,
        _ => Vec::new(),
    };
    Ok(Known {
        account: book.identity().account.clone(),
        streams: book.streams()?,
        extension_pages: extension_pages.into_iter().map(|page| page.body).collect(),
        coverage,
    })
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

    /// Seals the windows that agreed, together, so that they share their files; after a failure too. What was read by
    /// changes is packed with them, and without them when the pull is `finished`.
    ///
    /// # Errors
    /// A book that cannot be written.
    pub fn seal_agreed(&mut self, finished: bool, at: Instant, codec: &SegmentCodec) -> Result<()> {
        let agreed = std::mem::take(&mut self.agreed);
        if finished || !agreed.is_empty() {
            self.book.seal(&agreed, at, codec)?;
        }
        Ok(())
    }
}

impl Landing for BookLanding<'_> {
    fn known(&self) -> Result<Known> {
        known(self.book)
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

/// What to pull: from `from` on, up to `to`, and sealed windows of `reread` once more.
pub fn scope(from: Instant, to: Option<Instant>, reread: Option<Span>) -> Scope {
    Scope { span_from: from, span_to: to, reread }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::PULL_AGAIN;

    const LAST: &str = "2026-11-05T10:00:00Z";

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    fn book(specimen: bool) -> (tempfile::TempDir, Book) {
        let folder = tempfile::tempdir().unwrap();
        let server = (!specimen).then(|| "https://service.example".to_owned());
        let identity = Identity { specimen, server, account: None };
        let mut book = Book::create(&folder.path().join("book"), identity).unwrap();
        let pull = book.pull_began(at(LAST), None, "ada").unwrap();
        book.pull_ended(pull, at(LAST), 1).unwrap();
        (folder, book)
    }

    const FREE: Admitted<'static> = Admitted { warning: None, leave: None };

    #[test]
    fn the_log_is_no_live_feed() {
        let (_folder, book) = book(false);
        let refused = admit(&book, at("2026-11-05T10:14:59.999Z"), None).unwrap_err();
        assert_eq!(refused.exit(), Exit::Usage);
        assert_eq!(refused.message(), "the last pull was completed 14 minutes ago");
        assert!(refused.hints()[1].contains("--again --reason"));
        assert_eq!(admit(&book, at("2026-11-05T10:15:00Z"), None).unwrap(), FREE);
    }

    #[test]
    fn a_reason_lets_a_pull_begin_and_an_empty_one_does_not() {
        let (_folder, book) = book(false);
        let again = |reason: &str| Again { reason: reason.to_owned(), actor: "anna".to_owned() };
        let now = at("2026-11-05T10:01:00Z");
        assert_eq!(admit(&book, now, Some(&again(" "))).unwrap_err().exit(), Exit::Usage);
        let reason = again("a call was missing");
        assert_eq!(admit(&book, now, Some(&reason)).unwrap().leave, Some(&reason));
        // Where no leave is needed, none is recorded.
        assert_eq!(admit(&book, at("2026-11-05T11:00:00Z"), Some(&reason)).unwrap(), FREE);
    }

    #[test]
    fn the_leave_is_a_decision_in_the_book() {
        let (_folder, mut book) = book(false);
        let (credentials, url) = refusing();
        let again = Again { reason: "a call was missing".to_owned(), actor: "anna".to_owned() };
        let transport = Transport::to(url);
        let clock = crate::ringcentral::clock::CalendarClock::start(|| at("2026-11-05T10:01:00Z"));
        let order = |again| Order {
            settings: &SETTINGS,
            scope: scope(at("2026-11-01T00:00:00Z"), None, None),
            credentials: &credentials,
            transport: &transport,
            clock: &clock,
            again,
        };
        let refused = carry_out(&mut book, order(None), &mut |_| {}).unwrap_err();
        assert_eq!(refused.exit(), Exit::Usage);
        assert!(book.decisions(PULL_AGAIN).unwrap().is_empty());
        // The service refuses; the leave was given all the same.
        let failed = carry_out(&mut book, order(Some(&again)), &mut |_| {}).unwrap_err();
        assert_eq!(failed.exit(), Exit::Service);
        let decisions = book.decisions(PULL_AGAIN).unwrap();
        assert_eq!((decisions[0].actor.as_str(), &*decisions[0].reason), ("anna", "a call was missing"));
        assert_eq!(book.last_pull().unwrap(), Some(at(LAST)), "what did not end is not completed");
    }

    static SETTINGS: std::sync::LazyLock<CollectSettings> =
        std::sync::LazyLock::new(CollectSettings::default);

    /// A service that accepts no credentials.
    fn refusing() -> (Credentials, ServiceUrl) {
        use std::io::{Read, Write};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = ServiceUrl::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                drop(connection.read(&mut [0; 4096]));
                let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                connection.write_all(answer.as_bytes()).unwrap();
            }
        });
        let secret = |text: &str| crate::ringcentral::credentials::Secret::new(text);
        let credentials =
            Credentials { client_id: "x".to_owned(), client_secret: secret("x"), jwt: secret("x") };
        (credentials, url)
    }

    #[test]
    fn a_clock_that_went_back_is_told_and_stops_nothing() {
        let (_folder, book) = book(false);
        let warning = admit(&book, at("2026-11-05T09:00:00Z"), None).unwrap().warning.unwrap();
        assert!(
            warning.contains("2026-11-05T10:00:00.000Z") && warning.contains("Nothing is lost"),
            "{warning}"
        );
    }

    #[test]
    fn a_specimens_service_may_be_asked_at_any_time() {
        let (_folder, book) = book(true);
        assert_eq!(admit(&book, at("2026-11-05T10:00:01Z"), None).unwrap(), FREE);
        assert_eq!(admit(&book, at("2026-11-05T09:00:00Z"), None).unwrap(), FREE);
    }
}
