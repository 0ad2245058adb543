//! Channels, directions, outcomes, and the table that says which outcomes arrived and which are billable.

use std::collections::BTreeMap;

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$inner])* $variant),+ }

        impl $name {
            /// Every value, in the order of the vocabulary.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word used in files and reports.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            /// The value of a word; unknown words are `None`, never guessed.
            pub fn from_word(word: &str) -> Option<$name> {
                match word { $($word => Some($name::$variant),)+ _ => None }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let word = <String as serde::Deserialize>::deserialize(deserializer)?;
                $name::from_word(&word).ok_or_else(|| serde::de::Error::custom(format!("\"{word}\" is not known")))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.word())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// The kind of communication.
    Channel { Voice = "voice", Sms = "sms", Mms = "mms", Fax = "fax", Voicemail = "voicemail" }
}

words! {
    /// Seen from the company.
    Direction { Inbound = "inbound", Outbound = "outbound", Internal = "internal" }
}

words! {
    /// What became of an event.
    Outcome {
        Answered = "answered",
        Unanswered = "unanswered",
        Queued = "queued",
        Sent = "sent",
        Delivered = "delivered",
        DeliveryFailed = "delivery-failed",
        SendingFailed = "sending-failed",
        Partial = "partial",
        Received = "received",
    }
}

words! {
    /// Whether a message or call reached the other side.
    Arrived { Yes = "yes", No = "no", Indeterminate = "indeterminate" }
}

/// One row of the outcome table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutcomeRule {
    pub arrived: Arrived,
    pub billable: bool,
}

/// Error codes a row or condition speaks of: one exactly, or all that begin alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CodePattern {
    Exact(String),
    /// Written with a trailing `*`.
    Prefix(String),
}

impl CodePattern {
    /// The pattern of a text such as `SMS-RC-503` or `SMS-UP-*`.
    pub fn of(text: &str) -> CodePattern {
        match text.strip_suffix('*') {
            Some(head) => CodePattern::Prefix(head.to_owned()),
            None => CodePattern::Exact(text.to_owned()),
        }
    }

    /// Whether a code is meant.
    pub fn fits(&self, code: &str) -> bool {
        match self {
            CodePattern::Exact(exact) => code == exact,
            CodePattern::Prefix(head) => code.starts_with(head.as_str()),
        }
    }

    /// How closely it describes a code: an exact one more than any beginning, a longer beginning more than a shorter.
    fn closeness(&self) -> (bool, usize) {
        match self {
            CodePattern::Exact(exact) => (true, exact.len()),
            CodePattern::Prefix(head) => (false, head.len()),
        }
    }
}

/// A row of the table that speaks of a direction or an error code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NarrowRow {
    pub channel: Channel,
    pub outcome: Outcome,
    pub direction: Option<Direction>,
    pub error_code: Option<CodePattern>,
    pub rule: OutcomeRule,
}

/// Which outcomes arrived and which are billable, by channel, direction and error code; two separate columns that the
/// user owns (design, section 5). An outcome that cannot occur on a channel has no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeTable {
    rows: BTreeMap<(Channel, Outcome), OutcomeRule>,
    narrow: Vec<NarrowRow>,
}

impl OutcomeTable {
    /// The rule of an outcome whatever its direction and code; `None` when the channel does not know it.
    pub fn rule(&self, channel: Channel, outcome: Outcome) -> Option<OutcomeRule> {
        self.rows.get(&(channel, outcome)).copied()
    }

    /// The rule of an event: an exact error code before a beginning of it, before a row without a code; then a row that
    /// names the direction before one that does not.
    pub fn rule_of(
        &self,
        channel: Channel,
        direction: Direction,
        outcome: Outcome,
        error_code: Option<&str>,
    ) -> Option<OutcomeRule> {
        let fits = |row: &&NarrowRow| {
            row.channel == channel
                && row.outcome == outcome
                && row.direction.is_none_or(|wanted| wanted == direction)
                && row
                    .error_code
                    .as_ref()
                    .is_none_or(|pattern| error_code.is_some_and(|code| pattern.fits(code)))
        };
        let closest =
            self.narrow.iter().filter(fits).max_by_key(|row| {
                (row.error_code.as_ref().map(CodePattern::closeness), row.direction.is_some())
            });
        closest.map(|row| row.rule).or_else(|| self.rule(channel, outcome))
    }

    /// Replaces a row.
    pub fn set(&mut self, channel: Channel, outcome: Outcome, rule: OutcomeRule) {
        self.rows.insert((channel, outcome), rule);
    }

    /// Adds a row that speaks of a direction or an error code.
    pub fn add(&mut self, row: NarrowRow) {
        self.narrow.push(row);
    }

    /// All rows that speak of neither direction nor code, in a fixed order.
    pub fn rows(&self) -> impl Iterator<Item = (Channel, Outcome, OutcomeRule)> + '_ {
        self.rows.iter().map(|((channel, outcome), rule)| (*channel, *outcome, *rule))
    }

    /// The rows that speak of a direction or an error code, in the order of the files.
    pub fn narrow_rows(&self) -> &[NarrowRow] {
        &self.narrow
    }
}

impl Default for OutcomeTable {
    /// The defaults of the design: a text arrives only by `delivered`, a fax by `sent` or `delivered`.
    fn default() -> OutcomeTable {
        use Arrived::{Indeterminate, No, Yes};
        let text = [
            (Outcome::Queued, Indeterminate, false),
            (Outcome::Sent, Indeterminate, true),
            (Outcome::Delivered, Yes, true),
            (Outcome::DeliveryFailed, No, true),
            (Outcome::SendingFailed, No, false),
            (Outcome::Received, Yes, true),
        ];
        let fax = [
            (Outcome::Queued, Indeterminate, false),
            (Outcome::Sent, Yes, true),
            (Outcome::Delivered, Yes, true),
            (Outcome::DeliveryFailed, No, false),
            (Outcome::SendingFailed, No, false),
            (Outcome::Partial, Indeterminate, false),
            (Outcome::Received, Yes, true),
        ];
        let voice = [(Outcome::Answered, Yes, true), (Outcome::Unanswered, No, false)];
        let voicemail = [(Outcome::Received, Yes, true)];
        let mut rows = BTreeMap::new();
        type Rows<'a> = (Channel, &'a [(Outcome, Arrived, bool)]);
        let all: [Rows<'_>; 5] = [
            (Channel::Voice, &voice),
            (Channel::Sms, &text),
            (Channel::Mms, &text),
            (Channel::Fax, &fax),
            (Channel::Voicemail, &voicemail),
        ];
        for (channel, outcomes) in all {
            for (outcome, arrived, billable) in outcomes {
                rows.insert((channel, *outcome), OutcomeRule { arrived: *arrived, billable: *billable });
            }
        }
        OutcomeTable { rows, narrow: Vec::new() }
    }
}
