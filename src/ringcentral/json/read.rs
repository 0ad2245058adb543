//! Reading a tree: serde_json parses, the tree is built from what it says.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{DEPTH_LIMIT, Member, Members, Number, Text, Value};

/// How serde_json hands over the digits of a number beyond 64 bits or with a fraction: as an object with this key.
const NUMBER: &str = "$serde_json::private::Number";

/// Reads a whole text. What nests beyond [`DEPTH_LIMIT`] is an error too.
///
/// # Errors
/// Those of the parser.
pub fn read(text: &str) -> serde_json::Result<Value<'_>> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let mut builder = Builder::default();
    let value = Element { builder: &mut builder, depth: 0 }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// What is read of containers that are not complete. Their parts are moved out in one piece, so that each container is
/// allocated once and with its own size.
#[derive(Default)]
struct Builder<'a> {
    items: Vec<Value<'a>>,
    members: Vec<Member<'a>>,
}

struct Element<'b, 'a> {
    builder: &'b mut Builder<'a>,
    depth: usize,
}

impl<'a> Element<'_, 'a> {
    fn inside<E: serde::de::Error>(&mut self) -> Result<Element<'_, 'a>, E> {
        if self.depth == DEPTH_LIMIT {
            return Err(E::custom("nested too deeply"));
        }
        Ok(Element { builder: self.builder, depth: self.depth + 1 })
    }
}

impl<'a> DeserializeSeed<'a> for Element<'_, 'a> {
    type Value = Value<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Value<'a>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Element<'_, 'a> {
    type Value = Value<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'a>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value<'a>, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'a>, E> {
        Ok(Value::Number(Number::Whole(number)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'a>, E> {
        Ok(Value::Number(Number::Negative(number)))
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Value<'a>, E> {
        Ok(Value::String(Text::Verbatim(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'a>, E> {
        Ok(Value::String(Text::from(text)))
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut sequence: A) -> Result<Value<'a>, A::Error> {
        let inner = self.inside()?;
        let start = inner.builder.items.len();
        while let Some(item) =
            sequence.next_element_seed(Element { builder: inner.builder, depth: inner.depth })?
        {
            inner.builder.items.push(item);
        }
        Ok(Value::Array(inner.builder.items.split_off(start)))
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<Value<'a>, A::Error> {
        let Some(mut key) = map.next_key_seed(Key)? else {
            self.inside::<A::Error>()?;
            return Ok(Value::Object(Members::default()));
        };
        if *key == *NUMBER {
            return map.next_value_seed(Digits);
        }
        let inner = self.inside()?;
        let start = inner.builder.members.len();
        loop {
            let value = map.next_value_seed(Element { builder: inner.builder, depth: inner.depth })?;
            inner.builder.members.push(Member::new(key, value));
            match map.next_key_seed(Key)? {
                Some(next) => key = next,
                None => break,
            }
        }
        Ok(Value::Object(Members::new(inner.builder.members.split_off(start))))
    }
}

struct Key;

impl<'a> DeserializeSeed<'a> for Key {
    type Value = Text<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Text<'a>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Key {
    type Value = Text<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Text<'a>, E> {
        Ok(Text::Verbatim(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'a>, E> {
        Ok(Text::from(text))
    }
}

struct Digits;

impl<'a> DeserializeSeed<'a> for Digits {
    type Value = Value<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Value<'a>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Digits {
    type Value = Value<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number")
    }

    /// The parser's own: it has checked the digits.
    fn visit_string<E>(self, digits: String) -> Result<Value<'a>, E> {
        Ok(Value::Number(Number::Digits(digits)))
    }

    /// An object of the body whose key happens to be the one above: a number too, if its text is one.
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value<'a>, E> {
        let number: serde_json::Number = text.parse().map_err(|_| E::custom("not a number"))?;
        Ok(Value::Number(Number::from(&number)))
    }
}
