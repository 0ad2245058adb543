//! Requests and replies as the core sees them: no sockets, no HTTP library.

use std::fmt::Write as _;

/// The method of a request, as far as the service tells methods apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Other,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub method: Method,
    /// The path as it was sent, still percent-encoded, without the query.
    pub path: String,
    /// Decoded names and values in their order.
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The decoded fields of a form body, if there was one.
    pub form: Option<Vec<(String, String)>>,
}

impl Ask {
    /// A GET of an address: a whole one, or only its path and query.
    pub fn get(address: &str) -> Ask {
        let rest = address.split_once("://").map_or(address, |(_, rest)| {
            let start = rest.find('/').unwrap_or(rest.len());
            &rest[start..]
        });
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        Ask {
            method: Method::Get,
            path: path.to_owned(),
            query: decode_pairs(query),
            headers: Vec::new(),
            form: None,
        }
    }

    /// A POST of a form.
    pub fn post(path: &str, form: &[(&str, &str)]) -> Ask {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Ask { method: Method::Post, form: Some(form.iter().map(owned).collect()), ..Ask::get(path) }
    }

    /// The same request with one more header; the name must be in lower case.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Ask {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case. `content-length` is not among them: it follows from body and carriage.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub carriage: Carriage,
}

impl Reply {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// How an answer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carriage {
    /// As it should.
    Whole,
    /// The connection is closed before a single byte of the answer.
    Reset,
    /// The connection is closed after so many bytes of the body, fewer than its length says.
    CutAfter(usize),
    /// The body arrives byte by byte.
    Drip { milliseconds_per_byte: u64 },
    /// The answer never comes.
    Hang,
    /// `Content-Length` differs from the body's length by so much; the connection is closed after the body.
    LengthOff(i64),
}

/// The pairs of a query or of a form body. A mark without meaning stands for itself; bytes that are no UTF-8 become
/// replacement characters, which no parameter accepts.
pub(crate) fn decode_pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (decode(name, true), decode(value, true))).collect()
}

/// Undoes percent-encoding. In queries and forms a plus is a space.
pub(crate) fn decode(text: &str, plus_is_space: bool) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        let code = bytes.get(place + 1..place + 3).and_then(|code| std::str::from_utf8(code).ok());
        let code = code.filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match (byte, code.and_then(|code| u8::from_str_radix(code, 16).ok())) {
            (b'%', Some(code)) => {
                decoded.push(code);
                place += 2;
            }
            (b'+', _) if plus_is_space => decoded.push(b' '),
            (byte, _) => decoded.push(*byte),
        }
        place += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Percent-encodes what may not stand in a query as it is.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
                encoded.push(char::from(byte));
            }
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_requests() {
        let ask = Ask::get("http://sandbox.invalid/restapi/x%2Cy?a=1%2B2+3&b&a=%zz");
        assert_eq!((ask.method, ask.path.as_str()), (Method::Get, "/restapi/x%2Cy"));
        let pairs: Vec<(&str, &str)> =
            ask.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("a", "1+2 3"), ("b", ""), ("a", "%zz")]);
        assert_eq!(decode(&ask.path, false), "/restapi/x,y");
        assert_eq!(decode(&encode("a+b/é :c"), true), "a+b/é :c");
        assert_eq!(Ask::get("/only/path").query, []);
    }
}
