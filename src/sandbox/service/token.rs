//! Tokens of synchronisation: opaque to clients, whole in themselves, so that the service keeps nothing.

use super::auth::decode_base64;
use crate::sandbox::world::cast::Seat;
use crate::sandbox::world::random::mix;

/// Which operation a token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    CallExtract,
    CallSync,
    MessageSync,
}

/// What a token says. Times are virtual, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SyncToken {
    pub(crate) stream: Stream,
    /// The extension whose log or mailbox it is about; none for the company's log.
    pub(crate) seat: Option<Seat>,
    pub(crate) issued_ms: i64,
    /// Everything that changed up to this instant has been told.
    pub(crate) told_ms: i64,
    /// Older records are none of its business.
    pub(crate) frame_ms: i64,
    /// Filters, as their stream encodes them.
    pub(crate) filters: u64,
    /// A conversation, or 0.
    pub(crate) conversation: u64,
    /// Records in one answer.
    pub(crate) count: u64,
}

const VERSION: u8 = 3;
const WORDS: usize = 6;
const LENGTH: usize = 2 + 2 + 8 * WORDS + 4;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn check(bytes: &[u8]) -> [u8; 4] {
    let sum = bytes.iter().fold(0x5EED_u64, |sum, byte| mix(sum ^ u64::from(*byte)));
    let [.., a, b, c, d] = sum.to_be_bytes();
    [a, b, c, d]
}

impl SyncToken {
    pub(crate) fn write(&self) -> String {
        let mut bytes = vec![VERSION, self.stream as u8];
        let seat = self.seat.and_then(|seat| u16::try_from(seat).ok()).unwrap_or(u16::MAX);
        bytes.extend(seat.to_be_bytes());
        for word in [self.issued_ms, self.told_ms, self.frame_ms] {
            bytes.extend(word.to_be_bytes());
        }
        for word in [self.filters, self.conversation, self.count] {
            bytes.extend(word.to_be_bytes());
        }
        bytes.extend(check(&bytes));
        encode_base64(&bytes)
    }

    /// Reads a token that [`SyncToken::write`] made; anything else is none.
    pub(crate) fn read(text: &str) -> Option<SyncToken> {
        let bytes = decode_base64(text)?;
        let (rest, sum) = bytes.split_at_checked(LENGTH - 4)?;
        // One token has one text: bits that say nothing must not differ either.
        if encode_base64(&bytes) != text || check(rest) != *sum || rest[0] != VERSION {
            return None;
        }
        let stream = match rest[1] {
            0 => Stream::CallExtract,
            1 => Stream::CallSync,
            2 => Stream::MessageSync,
            _ => return None,
        };
        let seat = u16::from_be_bytes([rest[2], rest[3]]);
        let mut words = [[0; 8]; WORDS];
        for (word, bytes) in words.iter_mut().zip(rest[4..].chunks_exact(8)) {
            word.copy_from_slice(bytes);
        }
        let [issued, told, frame, filters, conversation, count] = words;
        Some(SyncToken {
            stream,
            seat: (seat != u16::MAX).then(|| usize::from(seat)),
            issued_ms: i64::from_be_bytes(issued),
            told_ms: i64::from_be_bytes(told),
            frame_ms: i64::from_be_bytes(frame),
            filters: u64::from_be_bytes(filters),
            conversation: u64::from_be_bytes(conversation),
            count: u64::from_be_bytes(count),
        })
    }
}

pub(crate) fn encode_base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        let word = word << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let sextet = usize::try_from(word >> (18 - 6 * place) & 63).unwrap_or(0);
            text.push(char::from(ALPHABET[sextet]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_what_it_was_told_and_nothing_else_is_one() {
        let token = SyncToken {
            stream: Stream::MessageSync,
            seat: Some(7),
            issued_ms: 1_790_000_000_123,
            told_ms: -5,
            frame_ms: i64::MIN,
            filters: 0b1011,
            conversation: u64::MAX,
            count: 250,
        };
        let text = token.write();
        assert_eq!(SyncToken::read(&text), Some(token));
        assert_eq!(text, token.write());
        let company = SyncToken { seat: None, stream: Stream::CallExtract, ..token };
        assert_eq!(SyncToken::read(&company.write()), Some(company));
        for place in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[place] = if other[place] == b'x' { b'y' } else { b'x' };
            assert_eq!(SyncToken::read(&String::from_utf8_lossy(&other)), None, "{place}");
        }
        assert_eq!(SyncToken::read(""), None);
        assert_eq!(SyncToken::read("EXTRACT-SAMPLE-TOKEN-0001"), None);
    }
}
