//! The service's words and what they decide. Compared without case: the service itself varies (`Hang up`, `Hang Up`).
//!
//! Only words whose meaning is documented are listed. A word that is not here and would decide billing suspends.

use crate::domain::outcome::Outcome;

/// Results of calls that were answered.
const ANSWERED: [&str; 4] = ["accepted", "call connected", "call accepted", "connected"];

/// Results of calls that were not answered by anybody the caller wanted.
const UNANSWERED: [&str; 35] = [
    "911",
    "933",
    "abandoned",
    "answered elsewhere",
    "answered not accepted",
    "blocked",
    "busy",
    "call failed",
    "call failure",
    "callback requested",
    "carrier is not active",
    "declined",
    "edge trunk misconfigured",
    "hang up",
    "internal error",
    "international disabled",
    "international restricted",
    "international restriction",
    "ip phone offline",
    "missed",
    "no answer",
    "no calling credit",
    "not allowed",
    "phone login",
    "rejected",
    "reply",
    "restricted number",
    "ringing elsewhere",
    "sent to voicemail",
    "stopped",
    "suspended",
    "suspended account",
    "voicemail",
    "wrong number",
    "offline",
];

/// Whether a result means answered; `None` for a word nobody documented.
pub fn answered(result: &str) -> Option<bool> {
    let word = result.trim().to_ascii_lowercase();
    if ANSWERED.contains(&word.as_str()) {
        return Some(true);
    }
    UNANSWERED.contains(&word.as_str()).then_some(false)
}

/// Whether a record is still changing: it says so, or its result is "In Progress".
pub fn unfinished(finished: Option<bool>, result: Option<&str>) -> bool {
    finished == Some(false) || result.is_some_and(|result| result.trim().eq_ignore_ascii_case("in progress"))
}

/// The outcome of a fax by its call-log result, for faxes whose message was not collected.
pub fn fax_outcome(result: &str) -> Option<Outcome> {
    match result.trim().to_ascii_lowercase().as_str() {
        "sent" => Some(Outcome::Sent),
        "received" => Some(Outcome::Received),
        "fax partially sent" | "partially sent" | "partial receive" => Some(Outcome::Partial),
        "fax not sent" | "send error" | "fax send error" | "fax poor line" | "poor line quality"
        | "no fax machine" | "busy" | "no answer" | "call failed" | "wrong number" | "hang up"
        | "stopped" | "rejected" => Some(Outcome::SendingFailed),
        "fax receipt error" | "receive error" => Some(Outcome::DeliveryFailed),
        _ => None,
    }
}

/// The outcome of a message by its status.
pub fn message_outcome(status: &str) -> Option<Outcome> {
    match status {
        "Queued" => Some(Outcome::Queued),
        "Sent" => Some(Outcome::Sent),
        "Delivered" => Some(Outcome::Delivered),
        "DeliveryFailed" => Some(Outcome::DeliveryFailed),
        "SendingFailed" => Some(Outcome::SendingFailed),
        "Received" => Some(Outcome::Received),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter_and_unknown_words_are_unknown() {
        assert_eq!(answered("Hang up"), Some(false));
        assert_eq!(answered("Hang Up"), Some(false));
        assert_eq!(answered("Call connected"), Some(true));
        assert_eq!(answered("Quantum Handoff"), None);
        assert_eq!(answered("Unknown"), None);
    }
}
