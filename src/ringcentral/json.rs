//! JSON as it is stored: keys sorted, no blanks, numbers with the digits they were served with (the parser makes
//! only the spelling of an exponent uniform: `1E5` becomes `1e+5`).

use serde_json::Value;

/// Nesting beyond this is refused: real pages nest about eight deep.
pub const DEPTH_LIMIT: usize = 64;

/// Appends a value with sorted keys.
///
/// Sorting is done here although serde_json's map is sorted today: a dependency elsewhere in the build may turn on
/// insertion order for the whole program, and stored bytes are identities.
pub fn write_sorted(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_sorted(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut keys: Vec<&String> = members.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(key, out);
                out.push(':');
                write_sorted(&members[key], out);
            }
            out.push('}');
        }
    }
}

/// A value with sorted keys as text.
pub fn sorted(value: &Value) -> String {
    let mut out = String::new();
    write_sorted(value, &mut out);
    out
}

/// Appends a JSON string; only what JSON demands is escaped.
pub fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", control as u32)),
            other => out.push(other),
        }
    }
    out.push('"');
}

/// The byte at which nesting first exceeds [`DEPTH_LIMIT`], if it does. Works on bytes that need not be valid JSON.
pub fn too_deep_at(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut escaped = false;
    for (index, byte) in bytes.iter().enumerate() {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > DEPTH_LIMIT {
                    return Some(index);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// The offset of a parser's line and column (both from 1).
pub fn byte_of(bytes: &[u8], line: usize, column: usize) -> usize {
    let before: usize =
        bytes.split_inclusive(|byte| *byte == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    (before + column.saturating_sub(1)).min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_characters_and_keys_are_sorted() {
        let value: Value = serde_json::from_str(
            r#"{"b": 0.1370, "a": 8031152018338945839, "c": {"z": null, "y": "é\u0001\""}}"#,
        )
        .unwrap();
        let text = sorted(&value);
        assert_eq!(
            text,
            "{\"a\":8031152018338945839,\"b\":0.1370,\"c\":{\"y\":\"é\\u0001\\\"\",\"z\":null}}"
        );
        let again: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(sorted(&again), text);
    }

    #[test]
    fn depth_counts_brackets_outside_text_only() {
        assert_eq!(too_deep_at(br#"{"a":"[[[[\"[[["}"#), None);
        assert_eq!(too_deep_at(&b"[".repeat(DEPTH_LIMIT)), None);
        assert_eq!(too_deep_at(&b"[".repeat(DEPTH_LIMIT + 1)), Some(DEPTH_LIMIT));
    }
}
