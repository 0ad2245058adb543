//! JSON as it is stored: keys sorted, no blanks, numbers with the digits they were served with (the parser makes
//! only the spelling of an exponent uniform: `1E5` becomes `1e+5`).
//!
//! A page is read into a tree that borrows from its body, with the members of each object sorted once. Parsing itself
//! is serde_json's. Stored bytes are identities: the tree must not depend on how a map of that library is ordered.

mod read;

use std::cmp::Ordering;
use std::fmt::{self, Write as _};
use std::ops::Deref;

pub use read::read;

/// Nesting beyond this is refused: real pages nest about eight deep.
pub const DEPTH_LIMIT: usize = 64;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    Number(Number),
    String(Text<'a>),
    Array(Vec<Value<'a>>),
    Object(Members<'a>),
}

/// A number, written as it was served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Number {
    Whole(u64),
    Negative(i64),
    /// The digits of any other: a fraction, an exponent, or beyond 64 bits.
    Digits(String),
}

/// A text of a page.
#[derive(Clone, Debug)]
pub enum Text<'a> {
    /// As it stands between its quotes in the body, where nothing in it was escaped: it is written as it is.
    Verbatim(&'a str),
    /// Any other text, without escapes.
    Owned(String),
}

/// The members of an object: sorted by key, each key once.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Members<'a>(Vec<Member<'a>>);

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// The first bytes of the key: most comparisons end with them.
    head: u64,
    pub key: Text<'a>,
    pub value: Value<'a>,
}

impl<'a> Member<'a> {
    pub fn new(key: impl Into<Text<'a>>, value: Value<'a>) -> Member<'a> {
        let key = key.into();
        Member { head: head(&key), key, value }
    }

    fn order(&self, head: u64, key: &str) -> Ordering {
        self.head.cmp(&head).then_with(|| (*self.key).cmp(key))
    }
}

/// The first eight bytes of a key as a number, in the order of the keys; keys that are shorter are filled up.
fn head(key: &str) -> u64 {
    let bytes = key.as_bytes();
    let mut first = [0; 8];
    match bytes.first_chunk() {
        Some(chunk) => first = *chunk,
        None => first[..bytes.len()].copy_from_slice(bytes),
    }
    u64::from_be_bytes(first)
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::Verbatim(text) => text,
            Text::Owned(text) => text,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Whole(number) => number.fmt(formatter),
            Number::Negative(number) => number.fmt(formatter),
            Number::Digits(digits) => formatter.write_str(digits),
        }
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text<'_> {}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Text::Owned(text)
    }
}

impl From<&str> for Text<'_> {
    fn from(text: &str) -> Self {
        Text::Owned(text.to_owned())
    }
}

impl<'a> Members<'a> {
    /// Sorts members; of those with one key the last is kept.
    pub fn new(mut members: Vec<Member<'a>>) -> Members<'a> {
        members.sort_by(|left, right| left.order(right.head, &right.key));
        // What is removed is the later of two: swapped first, it is the earlier in the body.
        members.dedup_by(|later, earlier| {
            let same = later.head == earlier.head && *later.key == *earlier.key;
            if same {
                std::mem::swap(later, earlier);
            }
            same
        });
        Members(members)
    }

    /// The member with a key.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        let place = self.place(key).ok()?;
        Some(&self.0[place].value)
    }

    /// The members with some keys, which must be sorted.
    pub fn pick<'v>(&'v self, keys: &'v [&'static str]) -> impl Iterator<Item = &'v Member<'a>> {
        let mut rest = self.0.as_slice();
        keys.iter().filter_map(move |key| {
            let head = head(key);
            let passed = rest.iter().position(|member| member.order(head, key).is_ge());
            rest = &rest[passed.unwrap_or(rest.len())..];
            rest.first().filter(|member| member.order(head, key).is_eq())
        })
    }

    /// The member with a key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value<'a>> {
        let place = self.place(key).ok()?;
        Some(&mut self.0[place].value)
    }

    /// Puts a member in, in place of one with the same key.
    pub fn insert(&mut self, key: &str, value: Value<'a>) {
        match self.place(key) {
            Ok(place) => self.0[place].value = value,
            Err(place) => self.0.insert(place, Member::new(key, value)),
        }
    }

    /// Keeps the members whose keys are wanted.
    pub fn retain(&mut self, wanted: impl Fn(&str) -> bool) {
        self.0.retain(|member| wanted(&member.key));
    }

    /// The members, by key.
    pub fn iter(&self) -> std::slice::Iter<'_, Member<'a>> {
        self.0.iter()
    }

    /// The members, by key; keys must stay.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Value<'a>)> {
        self.0.iter_mut().map(|member| (&*member.key, &mut member.value))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn place(&self, key: &str) -> Result<usize, usize> {
        let head = head(key);
        self.0.binary_search_by(|member| member.order(head, key))
    }
}

impl<'a> Value<'a> {
    /// The member of an object with a key.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.as_object()?.get(key)
    }

    pub fn as_object(&self) -> Option<&Members<'a>> {
        if let Value::Object(members) = self { Some(members) } else { None }
    }

    pub fn as_array(&self) -> Option<&[Value<'a>]> {
        if let Value::Array(items) = self { Some(items) } else { None }
    }

    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(flag) = self { Some(*flag) } else { None }
    }

    /// A number that is a whole one, written as such.
    pub fn as_u64(&self) -> Option<u64> {
        if let Value::Number(Number::Whole(number)) = self { Some(*number) } else { None }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    pub fn is_number(&self) -> bool {
        matches!(self, Value::Number(_))
    }
}

impl From<&serde_json::Number> for Number {
    fn from(number: &serde_json::Number) -> Self {
        let negative = || number.as_i64().map(Number::Negative);
        let whole = number.as_u64().map(Number::Whole).or_else(negative);
        // `-0` is a zero with a sign.
        whole.filter(|_| number.as_str() != "-0").unwrap_or_else(|| Number::Digits(number.to_string()))
    }
}

impl From<&serde_json::Value> for Value<'_> {
    fn from(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(flag) => Value::Bool(*flag),
            serde_json::Value::Number(number) => Value::Number(Number::from(number)),
            serde_json::Value::String(text) => Value::String(text.as_str().into()),
            serde_json::Value::Array(items) => Value::Array(items.iter().map(Value::from).collect()),
            serde_json::Value::Object(members) => {
                let members = members.iter().map(|(key, value)| Member::new(key.as_str(), value.into()));
                Value::Object(Members::new(members.collect()))
            }
        }
    }
}

/// Appends a value with sorted keys.
pub fn write_sorted(value: &Value<'_>, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(Number::Digits(digits)) => out.push_str(digits),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => write_list(items, out, write_sorted),
        Value::Object(members) => {
            out.push('{');
            for (index, member) in members.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(&member.key, out);
                out.push(':');
                write_sorted(&member.value, out);
            }
            out.push('}');
        }
    }
}

fn write_number(number: &Number, out: &mut String) {
    // A string takes everything: its writer cannot fail.
    let _ = write!(out, "{number}");
}

/// Appends a list of what another function writes.
pub fn write_list<T>(items: &[T], out: &mut String, mut write: impl FnMut(&T, &mut String)) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(']');
}

/// A value with sorted keys as text.
pub fn sorted(value: &Value<'_>) -> String {
    let mut out = String::new();
    write_sorted(value, &mut out);
    out
}

/// Appends a text of a page.
pub fn write_text(text: &Text<'_>, out: &mut String) {
    match text {
        Text::Verbatim(text) => {
            out.push('"');
            out.push_str(text);
            out.push('"');
        }
        Text::Owned(text) => write_str(text, out),
    }
}

/// Appends a JSON string; only what JSON demands is escaped.
pub fn write_str(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    let must_be = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    while let Some(place) = rest.bytes().position(must_be) {
        let (before, after) = rest.split_at(place);
        out.push_str(before);
        match after.as_bytes()[0] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            control => out.push_str(&format!("\\u{control:04x}")),
        }
        rest = &after[1..];
    }
    out.push_str(rest);
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
mod tests;
