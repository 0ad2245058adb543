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

/// Which outcomes arrived and which are billable, by channel; two separate columns that the user owns (design,
/// section 5). An outcome that cannot occur on a channel has no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeTable {
    rows: BTreeMap<(Channel, Outcome), OutcomeRule>,
}

impl OutcomeTable {
    /// The rule of an outcome; `None` when the channel does not know it.
    pub fn rule(&self, channel: Channel, outcome: Outcome) -> Option<OutcomeRule> {
        self.rows.get(&(channel, outcome)).copied()
    }

    /// Replaces a row.
    pub fn set(&mut self, channel: Channel, outcome: Outcome, rule: OutcomeRule) {
        self.rows.insert((channel, outcome), rule);
    }

    /// All rows in a fixed order.
    pub fn rows(&self) -> impl Iterator<Item = (Channel, Outcome, OutcomeRule)> + '_ {
        self.rows.iter().map(|((channel, outcome), rule)| (*channel, *outcome, *rule))
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
        OutcomeTable { rows }
    }
}
