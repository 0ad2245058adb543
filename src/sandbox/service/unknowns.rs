//! What nobody outside knows about the real service: a switch for each question that changes bytes.
//!
//! The default is the likeliest answer. A client must do the right thing at every setting.

use chrono::TimeDelta;

/// How a deleted record shows where changes are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletions {
    /// The whole record, marked `deleted`.
    Marked,
    /// Only the members that every record must have, marked `deleted`.
    Stub,
    /// Its id and the mark, nothing else.
    Bare,
    /// It does not.
    Absent,
}

/// Whether the call log shows calls that have not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InProgress {
    /// A few are seen while they ring, as the world has drawn it.
    Some,
    /// None: records appear after the end only.
    Never,
    /// All, from a few seconds after their start.
    Always,
}

/// In which order the legs of a record stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegOrder {
    /// As executed, the master first.
    Executed,
    /// The most recent first, the master last.
    MostRecentFirst,
}

/// How `duration` follows from `durationMs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    Nearest,
    Up,
    Down,
}

/// How times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeStyle {
    /// `2026-10-01T04:00:00.000Z`
    Zulu,
    /// `2026-10-01T04:00:00.000+0000`, without a colon in the offset.
    Offset,
}

/// How results are spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    Published,
    /// The same result in lower case on some records, in capitals on others.
    Varied,
}

/// The switches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknowns {
    /// Whether a record that starts at `dateTo` is listed. Default no.
    pub date_to_inclusive: bool,
    /// Whether times in requests are cut to whole seconds, as the guide says they may be. Default yes.
    pub cut_request_times: bool,
    /// Whether a date without a time is midnight in New York, where the account is, instead of UTC. Default no.
    pub dates_are_local: bool,
    /// The longest span from `dateFrom` to `dateTo` that a list accepts. Default: any.
    pub widest_window: Option<TimeDelta>,
    /// Whether an internal call has one record for each side in the company's log. Default no.
    pub internal_sides: bool,
    /// Deleted records in `call-log-extract-sync`. Default marked.
    pub extract_deletions: Deletions,
    /// Deleted records in `call-log-sync`, which shows them on demand only. Default stubs.
    pub sync_deletions: Deletions,
    /// Whether lists that show deleted records mark them. Default yes.
    pub list_marks_deleted: bool,
    /// Whether an extension's own log gives a record another id than the company's log. Default no.
    pub extension_ids_differ: bool,
    /// Calls in progress in lists and synchronisation. Default some.
    pub in_progress: InProgress,
    /// Whether a page is cut before records are filtered out, so that it is short and yet has a next one. Default no.
    pub trim_pages: bool,
    /// Whether the Simple view has `lastModifiedTime`. Default no.
    pub simple_last_modified: bool,
    /// Whether the Simple view has `billing`. Default no.
    pub simple_billing: bool,
    /// Whether company records of the Simple view have `extension`. Default no.
    pub simple_extension: bool,
    /// Default as executed.
    pub leg_order: LegOrder,
    /// Default to the nearest second.
    pub duration_rounding: Rounding,
    /// Default with `Z`.
    pub time_style: TimeStyle,
    /// Default as published.
    pub result_spelling: Spelling,
    /// Whether call records have no `finished`, as on older back ends. Default no.
    pub finished_absent: bool,
    /// Whether ids of messages are strings. Default no.
    pub message_ids_are_text: bool,
    /// Whether messages have no `segmentCount`, as before September 2025. Default no.
    pub segments_absent: bool,
    /// Whether a fax has no `faxPageCount` while it is queued, instead of 0. Default no.
    pub queued_pages_absent: bool,
    /// Whether `faxPageCount` counts the cover page. Default no.
    pub cover_is_a_page: bool,
    /// Whether messages that a user deleted are gone at once instead of staying as Deleted and Purged. Default no.
    pub deleted_messages_gone: bool,
    /// How far back `dateFrom` of `call-log-extract-sync` may go; an older one is refused. Default: as far as the log.
    pub extract_history: Option<TimeDelta>,
    /// Whether the records of one answer of `call-log-extract-sync` come latest change first. Default no.
    pub extract_page_reversed: bool,
    /// Records in an incremental answer of `call-log-extract-sync`. Default: as many as the full one was asked for.
    pub extract_isync_count: Option<usize>,
    /// How far back `call-log-sync` goes; an older `dateFrom` is moved. Default 30 days.
    pub sync_history: Option<TimeDelta>,
    /// Whether a `recordCount` above the most is refused instead of cut. Default no.
    pub record_count_refused: bool,
    /// Whether `active-calls` ignores its filters, as the guide says against the description. Default no.
    pub active_filters_ignored: bool,
    /// What `message-sync` covers when `dateFrom` is missing: a day by the description, a week by the guide. Default a
    /// day.
    pub message_sync_span: TimeDelta,
    /// Whether a queue's mailbox is empty unless `owner` is `Any` or `Shared`. Default no.
    pub queues_need_owner: bool,
    /// Whether members of a queue see its messages in their own mailbox with `owner` `Any` or `Shared`. Default no.
    pub members_see_shared: bool,
}

impl Default for Unknowns {
    fn default() -> Unknowns {
        Unknowns {
            date_to_inclusive: false,
            cut_request_times: true,
            dates_are_local: false,
            widest_window: None,
            internal_sides: false,
            extract_deletions: Deletions::Marked,
            sync_deletions: Deletions::Stub,
            list_marks_deleted: true,
            extension_ids_differ: false,
            in_progress: InProgress::Some,
            trim_pages: false,
            simple_last_modified: false,
            simple_billing: false,
            simple_extension: false,
            leg_order: LegOrder::Executed,
            duration_rounding: Rounding::Nearest,
            time_style: TimeStyle::Zulu,
            result_spelling: Spelling::Published,
            finished_absent: false,
            message_ids_are_text: false,
            segments_absent: false,
            queued_pages_absent: false,
            cover_is_a_page: false,
            deleted_messages_gone: false,
            extract_history: None,
            extract_page_reversed: false,
            extract_isync_count: None,
            sync_history: Some(TimeDelta::days(30)),
            record_count_refused: false,
            active_filters_ignored: false,
            message_sync_span: TimeDelta::days(1),
            queues_need_owner: false,
            members_see_shared: false,
        }
    }
}
