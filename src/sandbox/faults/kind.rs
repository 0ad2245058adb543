//! The table of everything that can go wrong, one entry a kind.

use super::plan::Endpoint;

/// What a kind belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultGroup {
    /// Rate limits and error answers.
    Errors,
    /// How the bytes travel.
    Transport,
    /// How lists are cut into pages.
    Paging,
    /// What records say, or when they come and go.
    Records,
    /// What time the service says it is.
    Time,
}

impl FaultGroup {
    /// The group in one word.
    pub fn name(self) -> &'static str {
        match self {
            FaultGroup::Errors => "errors",
            FaultGroup::Transport => "transport",
            FaultGroup::Paging => "paging",
            FaultGroup::Records => "records",
            FaultGroup::Time => "time",
        }
    }
}

/// How a correct client comes out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With all the data of an undisturbed service, if need be after having been started again.
    Recovers,
    /// Without what is refused: it stops, or names the gap.
    Stops,
    /// With records that differ from those of the undisturbed service. They do so in every listing alike: which
    /// records are concerned depends on their ids and the plan's seed, not on the request.
    ChangesRecords,
}

impl Outcome {
    /// The outcome in one word.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Recovers => "recovers",
            Outcome::Stops => "stops",
            Outcome::ChangesRecords => "changes-records",
        }
    }
}

macro_rules! kinds {
    ($($kind:ident $name:literal $group:ident $outcome:ident $effect:literal)*) => {
        /// One way in which the service can misbehave.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum FaultKind {
            $(#[doc = $effect] $kind,)*
        }

        impl FaultKind {
            /// Every kind, in the order of the documentation.
            pub const ALL: &[FaultKind] = &[$(FaultKind::$kind,)*];

            /// The kind's name in a fault plan.
            pub fn name(self) -> &'static str {
                match self { $(FaultKind::$kind => $name,)* }
            }

            /// What it belongs to.
            pub fn group(self) -> FaultGroup {
                match self { $(FaultKind::$kind => FaultGroup::$group,)* }
            }

            /// How a correct client comes out of it.
            pub fn outcome(self) -> Outcome {
                match self { $(FaultKind::$kind => Outcome::$outcome,)* }
            }

            /// What it does, in one sentence.
            pub fn effect(self) -> &'static str {
                match self { $(FaultKind::$kind => $effect,)* }
            }
        }
    };
}

kinds! {
    RateLimited "rate-limited" Errors Recovers
        "The request is refused with 429 and `Retry-After` in seconds, and so is its whole group until then."
    RateLimitedDate "rate-limited-date" Errors Recovers
        "The request is refused with 429 and `Retry-After` as a date, and so is its whole group until then."
    RateLimitedSilent "rate-limited-silent" Errors Recovers
        "The request is refused with 429 without `Retry-After`, and so is its whole group for 30 s or one rate window, whichever is shorter."
    RateLimitedAbsurd "rate-limited-absurd" Errors Stops
        "The request is refused with 429 and a `Retry-After` of 10 days; the next one is served."
    RemainingZero "remaining-zero" Errors Recovers
        "The answer says that no request remains in its group, and the group is refused with 429 for one rate window."
    InternalError "internal-error" Errors Recovers
        "The request is answered with 500 and CMN-203."
    BadGateway "bad-gateway" Errors Recovers
        "The request is answered with 502 and an empty body."
    LimitedMode "limited-mode" Errors Recovers
        "The request is answered with 503, CMN-211 and `Retry-After`."
    GatewayTimeout "gateway-timeout" Errors Recovers
        "The request is answered with 504 and an empty body."
    HtmlError "html-error" Errors Recovers
        "The request is answered with an error whose body is a page of HTML."
    TokenExpired "token-expired" Errors Recovers
        "The access token of the request dies: 401 and OAU-128, until a new one is asked for."
    UnauthorisedForever "unauthorised-forever" Errors Stops
        "From this request on every request is answered with 401 and OAU-213, though new tokens are still given out."
    Forbidden "forbidden" Errors Stops
        "The endpoint may not be used: every request is answered with 403 and CMN-408."
    Redirect "redirect" Errors Recovers
        "The request is answered with 302 to another host."

    ResetBefore "reset-before" Transport Recovers
        "The connection is closed before the answer begins."
    ResetMidBody "reset-mid-body" Transport Recovers
        "The connection is closed in the middle of the body."
    TruncatedJson "truncated-json" Transport Recovers
        "The body ends in the middle, and its length agrees."
    SlowDrip "slow-drip" Transport Recovers
        "The body arrives byte by byte."
    NeverAnswers "never-answers" Transport Recovers
        "The request is taken and never answered."
    WrongContentLength "wrong-content-length" Transport Recovers
        "`Content-Length` is not the length of the body."
    GzipBomb "gzip-bomb" Transport Recovers
        "The body is compressed and inflates to a thousand times its length."
    DoubleGzip "double-gzip" Transport Recovers
        "The body is compressed twice, and its header speaks of once."
    WrongCharset "wrong-charset" Transport Recovers
        "The body is UTF-16, and its header says UTF-8."

    NewRecordsShift "new-records-shift" Paging Recovers
        "New records push the list down between two pages: the next page repeats the end of this one."
    DeletedRecordsShift "deleted-records-shift" Paging Recovers
        "Deleted records pull the list up between two pages: the next page skips some records."
    RepeatedPage "repeated-page" Paging Recovers
        "The next page holds the records of this one, once."
    PagesSwapped "pages-swapped" Paging Recovers
        "This page and the next change places."
    NextPageLoop "next-page-loop" Paging Recovers
        "`nextPage` leads to the page itself."
    PerPageSmaller "per-page-smaller" Paging Recovers
        "The page is cut for a smaller `perPage` than was asked for, and says so."
    EmptyPage "empty-page" Paging Recovers
        "The page is empty and has a `nextPage`; what it should hold comes one page later."
    TotalChanges "total-changes" Paging Recovers
        "The totals of the list are others than on the page before."
    NextPageOtherHost "next-page-other-host" Paging Recovers
        "`nextPage` names another host."
    NextPageOtherScheme "next-page-other-scheme" Paging Recovers
        "`nextPage` names another scheme."
    NextPageOtherPort "next-page-other-port" Paging Recovers
        "`nextPage` names another port."
    NextPageUserInfo "next-page-user-info" Paging Recovers
        "`nextPage` hides another host behind a user name that looks like the right one."
    NextPageRelative "next-page-relative" Paging Recovers
        "`nextPage` is a path and a query without an origin."
    NextPageLong "next-page-long" Paging Recovers
        "`nextPage` is 8 KiB long."

    DuplicateRecord "duplicate-record" Records ChangesRecords
        "The record stands twice on its page."
    DuplicateRecordChanged "duplicate-record-changed" Records ChangesRecords
        "The record stands twice on its page, the second time with an older state."
    EditedLater "edited-later" Records ChangesRecords
        "The record is changed some days later."
    LateMinute "late-minute" Records ChangesRecords
        "The record is first listed 1 min later than it should be."
    LateDays "late-days" Records ChangesRecords
        "The record is first listed 3 days later than it should be."
    LateWeeks "late-weeks" Records ChangesRecords
        "The record is first listed 40 days later than it should be."
    DeletedLater "deleted-later" Records ChangesRecords
        "The record is deleted some days later."
    MissingField "missing-field" Records ChangesRecords
        "A field that every record has is missing (`direction`)."
    NullField "null-field" Records ChangesRecords
        "A field that every record has is null (`direction`)."
    UnknownEnum "unknown-enum" Records ChangesRecords
        "A field holds a word that nobody knows (`result` of a call, `messageStatus` of a message)."
    NewField "new-field" Records ChangesRecords
        "The record has a field that nobody knows."
    HugeString "huge-string" Records ChangesRecords
        "A name or subject is very long."
    NegativeDuration "negative-duration" Records ChangesRecords
        "The duration of a call or of a voicemail is negative."
    EndlessDuration "endless-duration" Records ChangesRecords
        "The duration of a call or of a voicemail is 30 hours."
    EndBeforeStart "end-before-start" Records ChangesRecords
        "The record's last change, its legs and its delivery lie an hour before its start."
    NumberAsString "number-as-string" Records ChangesRecords
        "Numbers are written as strings (`duration` of a call, `id` of a message)."
    ZonelessTime "zoneless-time" Records ChangesRecords
        "The record's start is written without a zone."
    LeapSecond "leap-second" Records ChangesRecords
        "The record starts in a leap second."
    FarFuture "far-future" Records ChangesRecords
        "The record starts in the year 9999."
    UnknownCountry "unknown-country" Records ChangesRecords
        "The other side's number has a country code that does not exist."
    EmptyPhone "empty-phone" Records ChangesRecords
        "The other side's number is an empty text."
    TwelveLegs "twelve-legs" Records ChangesRecords
        "The call has twelve legs, where legs are shown."

    ServerClockOff "server-clock-off" Time Recovers
        "The service's clock, as its `Date` header tells it, is some minutes ahead."
}

/// Faults that no answer can show: they are for those who set up the connection.
pub const BEYOND_THE_SERVICE: [(&str, &str); 2] = [
    ("connect-refused", "Nobody listens at the address: take a port on which nothing runs."),
    (
        "tls-failure",
        "The connection cannot be made secure: speak HTTPS to the sandbox, which serves plain HTTP.",
    ),
];

/// The number that a kind can be given in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub name: &'static str,
    /// Absent: one rate window of the service.
    pub usual: Option<i64>,
    pub least: i64,
    pub most: i64,
}

impl FaultKind {
    /// The kind of a name.
    pub fn by_name(name: &str) -> Option<FaultKind> {
        FaultKind::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether a correct client still ends with all the data of an undisturbed service.
    pub fn loses_nothing(self) -> bool {
        self.outcome() == Outcome::Recovers
    }

    /// Whether records differ from those of an undisturbed service.
    pub fn changes_records(self) -> bool {
        self.outcome() == Outcome::ChangesRecords
    }

    /// Whether it concerns the service as a whole or an endpoint for good, so that no request need be named.
    pub fn stands(self) -> bool {
        matches!(self, FaultKind::ServerClockOff | FaultKind::Forbidden)
    }

    /// Its parameter, if it has one.
    pub fn parameter(self) -> Option<Parameter> {
        let parameter = |name, usual, least, most| Some(Parameter { name, usual, least, most });
        match self {
            FaultKind::RateLimited | FaultKind::RateLimitedDate | FaultKind::LimitedMode => {
                parameter("wait_seconds", None, 1, 86_400)
            }
            FaultKind::HtmlError => parameter("status", Some(500), 400, 599),
            FaultKind::SlowDrip => parameter("milliseconds_per_byte", Some(1000), 1, 60_000),
            FaultKind::WrongContentLength => parameter("off_by", Some(7), -1_000_000, 1_000_000),
            FaultKind::GzipBomb => parameter("inflated_mebibytes", Some(256), 1, 4000),
            FaultKind::NewRecordsShift | FaultKind::DeletedRecordsShift => {
                parameter("records", Some(2), 1, 1000)
            }
            FaultKind::PerPageSmaller => parameter("per_page", Some(10), 1, 1000),
            FaultKind::TotalChanges => parameter("more", Some(3), -1000, 1000),
            FaultKind::EditedLater | FaultKind::DeletedLater => parameter("after_days", Some(3), 1, 400),
            FaultKind::HugeString => parameter("kibibytes", Some(64), 1, 65_536),
            FaultKind::ServerClockOff => parameter("minutes", Some(10), -1440, 1440),
            _ => None,
        }
    }

    /// The endpoints on which it can show itself.
    pub fn endpoints(self) -> &'static [Endpoint] {
        const PAGED: &[Endpoint] =
            &[Endpoint::CallLog, Endpoint::ExtensionCalls, Endpoint::MessageStore, Endpoint::Extension];
        const WITH_TOTALS: &[Endpoint] = &[Endpoint::MessageStore, Endpoint::Extension];
        const CALLS: &[Endpoint] =
            &[Endpoint::CallLog, Endpoint::CallSync, Endpoint::ExtensionCalls, Endpoint::ActiveCalls];
        const RECORDS: &[Endpoint] = &[
            Endpoint::CallLog,
            Endpoint::CallSync,
            Endpoint::ExtensionCalls,
            Endpoint::ActiveCalls,
            Endpoint::MessageStore,
            Endpoint::MessageSync,
        ];
        const BEHIND_A_TOKEN: &[Endpoint] = Endpoint::ALL.split_at(Endpoint::ALL.len() - 1).0;
        match (self, self.group()) {
            (FaultKind::TotalChanges, _) => WITH_TOTALS,
            (FaultKind::TwelveLegs, _) => CALLS,
            (FaultKind::TokenExpired | FaultKind::UnauthorisedForever | FaultKind::Forbidden, _) => {
                BEHIND_A_TOKEN
            }
            (_, FaultGroup::Paging) => PAGED,
            (_, FaultGroup::Records) => RECORDS,
            (_, FaultGroup::Errors | FaultGroup::Transport | FaultGroup::Time) => Endpoint::ALL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_names_of_their_own() {
        let names: std::collections::BTreeSet<&str> = FaultKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), FaultKind::ALL.len());
        for kind in FaultKind::ALL {
            assert_eq!(FaultKind::by_name(kind.name()), Some(*kind));
            assert!(kind.effect().ends_with('.'), "{}", kind.name());
            assert!(!kind.endpoints().is_empty());
            let usual =
                kind.parameter().and_then(|parameter| parameter.usual.map(|usual| (parameter, usual)));
            assert!(usual.is_none_or(|(of, usual)| (of.least..=of.most).contains(&usual)), "{}", kind.name());
        }
    }
}
