//! What was seen to be served, and what was seen to land: the oracle's evidence, kept apart from the program's own.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

/// A feed's records as the oracle tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Call,
    Message,
}

pub type Key = (Kind, String);

/// Every content a record has been seen with, as canonical JSON.
pub type Contents = BTreeMap<Key, BTreeSet<String>>;

#[derive(Debug, Default)]
pub struct Witness {
    /// What any answer held that reached the client whole.
    pub served: Contents,
    /// The part of it that the program said it has landed.
    pub landed: Contents,
    /// The pages that held them, as canonical JSON.
    pub pages: BTreeSet<String>,
    /// The last content of each record by each way of reading: by changes, or by lists.
    pub latest: BTreeMap<(bool, Key), String>,
    /// The records of the last answer: what the next landing lands.
    last: Vec<(Key, String)>,
    /// Bodies read before, and what they hold: most pages are served more than once.
    read: HashMap<Vec<u8>, Vec<(Key, String)>>,
}

impl Witness {
    /// Notes the records of an answer; whether it is whole at all.
    pub fn serve(&mut self, path: &str, body: &[u8]) -> bool {
        self.last.clear();
        if let Some(known) = self.read.get(body) {
            self.last.clone_from(known);
        } else if !self.read_anew(path, body) {
            return false;
        }
        let by_changes = path.ends_with("-sync");
        for (key, content) in &self.last {
            self.latest.insert((by_changes, key.clone()), content.clone());
        }
        true
    }

    fn read_anew(&mut self, path: &str, body: &[u8]) -> bool {
        let Ok(page) = serde_json::from_slice::<Value>(body) else { return false };
        let records = page.get("records").and_then(Value::as_array);
        if let (Some(kind), Some(records)) = (kind_of(path), records) {
            self.pages.insert(canonical(&page));
            for record in records {
                let Some(id) = id_of(record) else { continue };
                let (key, content) = ((kind, id), canonical(record));
                self.served.entry(key.clone()).or_default().insert(content.clone());
                self.last.push((key, content));
            }
        }
        self.read.insert(body.to_vec(), self.last.clone());
        true
    }

    /// The last answer has landed.
    pub fn land(&mut self) {
        for (key, content) in self.last.drain(..) {
            self.landed.entry(key).or_default().insert(content);
        }
    }
}

pub fn kind_of(path: &str) -> Option<Kind> {
    let last = path.rsplit('/').next()?;
    match last {
        "call-log" | "call-log-sync" | "call-log-extract-sync" if !path.contains("/extension/") => {
            Some(Kind::Call)
        }
        "message-store" | "message-sync" => Some(Kind::Message),
        _ => None,
    }
}

pub fn id_of(record: &Value) -> Option<String> {
    match record.get("id")? {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// JSON with sorted members, numbers as they came.
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut keys: Vec<&String> = members.keys().collect();
            keys.sort();
            out.push('{');
            for (place, key) in keys.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(&members[key], out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}

/// The content without members that say where something is.
pub fn without_addresses(content: &str) -> String {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.remove("uri");
                members.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value: Value = serde_json::from_str(content).unwrap();
    strip(&mut value);
    canonical(&value)
}
