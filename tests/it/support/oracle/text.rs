//! Segments of a text message by the ways of counting that a tariff may choose.

use super::number::{GSM_BASIC, GSM_EXTENSION, segments_of_sizes, segments_of_text};

/// Segments when clusters of characters (`graphemes`) are not torn, or when the national alphabets are at hand.
pub fn segments(text: &str, national: bool, graphemes: bool) -> i64 {
    assert!(
        !national || text.chars().all(|c| !NATIONAL.contains(c)),
        "national characters are not counted here: {text}"
    );
    if !graphemes {
        return segments_of_text(text);
    }
    let septets = |c: char| match () {
        () if GSM_BASIC.contains(c) => Some(1),
        () if GSM_EXTENSION.contains(c) => Some(2),
        () => None,
    };
    let gsm: Option<Vec<usize>> = text.chars().map(septets).collect();
    let (sizes, alone, each) = match gsm {
        Some(sizes) => (sizes, 160, 153),
        None => (clusters(text), 70, 67),
    };
    segments_of_sizes(&sizes, alone, each)
}

/// Letters of the national tables that are not in the common alphabet.
const NATIONAL: &str = "ĞğŞşİıçÁáÍíÓóÚúÂâÊêÔôÃãÕõÀ";

/// UTF-16 lengths of what a reader sees as one sign: marks, skin tones and joined emoji belong to what stands before them.
fn clusters(text: &str) -> Vec<usize> {
    let joins =
        |c: char| matches!(c, '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}');
    let mut sizes: Vec<usize> = Vec::new();
    let mut joined = false;
    for c in text.chars() {
        match sizes.last_mut() {
            Some(last) if joins(c) || joined => *last += c.len_utf16(),
            _ => sizes.push(c.len_utf16()),
        }
        joined = c == '\u{200d}';
    }
    sizes
}
