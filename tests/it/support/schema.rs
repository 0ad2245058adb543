//! A validator of JSON against the schemas of an OpenAPI 3.0 description: the keywords that the service's description
//! uses, and no more. Members that a schema does not name are faults too: the service would not send them.

use std::collections::BTreeSet;

use serde_json::Value;

/// Where an answer is not as described.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Such as `records[].legs[].result`.
    pub place: String,
    /// Such as `not one of the enumerated values: "Echoed"`.
    pub what: String,
}

/// A description with its schemas.
pub struct Description(Value);

impl Description {
    pub fn read(text: &str) -> Description {
        Description(serde_json::from_str(text).expect("a description in JSON"))
    }

    fn resolve<'a>(&'a self, mut value: &'a Value) -> &'a Value {
        while let Some(reference) = value["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').expect("a reference into the same file");
            value = self.0.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"));
        }
        value
    }

    pub fn schema(&self, name: &str) -> &Value {
        self.0.pointer(&format!("/components/schemas/{name}")).unwrap_or_else(|| panic!("no schema {name}"))
    }

    /// Whether the description knows an operation.
    pub fn has(&self, method: &str, path: &str) -> bool {
        self.0["paths"][path].get(method).is_some()
    }

    /// The schema of an operation's answer, if the description gives one.
    pub fn answer(&self, method: &str, path: &str, status: u16, content_type: &str) -> Option<&Value> {
        let answer = self.resolve(self.0["paths"][path][method]["responses"].get(status.to_string())?);
        answer.get("content")?.get(content_type)?.get("schema")
    }

    /// All faults of a value, each once.
    pub fn check(&self, schema: &Value, value: &Value) -> BTreeSet<Fault> {
        let mut faults = BTreeSet::new();
        self.walk(schema, value, "", &mut faults);
        faults
    }

    fn walk(&self, schema: &Value, value: &Value, place: &str, faults: &mut BTreeSet<Fault>) {
        self.parts(schema, value, place, faults);
        if let Value::Object(members) = value {
            let mut known = BTreeSet::new();
            if self.known(schema, &mut known) {
                for name in members.keys().filter(|name| !known.contains(name.as_str())) {
                    report(faults, &within(place, name), "a member that is not described".to_owned());
                }
            }
        }
    }

    /// The checks of one schema and of those it is made of.
    fn parts(&self, schema: &Value, value: &Value, place: &str, faults: &mut BTreeSet<Fault>) {
        let schema = self.resolve(schema);
        if value.is_null() && schema["nullable"] == true {
            return;
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.parts(part, value, place, faults);
        }
        for (keyword, one) in [("oneOf", true), ("anyOf", false)] {
            let Some(choices) = schema[keyword].as_array() else { continue };
            let fitting = choices.iter().filter(|choice| self.check(choice, value).is_empty()).count();
            if fitting == 0 || one && fitting > 1 {
                report(faults, place, format!("{fitting} of {} choices fit", choices.len()));
            }
        }
        if let Some(kind) = schema["type"].as_str()
            && !is_of(kind, value)
        {
            return report(faults, place, format!("not of type {kind}"));
        }
        limits(schema, value, place, faults);
        if let Some(format) = schema["format"].as_str()
            && !is_formed(format, value)
        {
            report(faults, place, format!("not in the format {format}"));
        }
        if let Some(values) = schema["enum"].as_array()
            && !values.contains(value)
        {
            report(faults, place, format!("not one of the enumerated values: {value}"));
        }
        self.inside(schema, value, place, faults);
    }

    /// Members and items.
    fn inside(&self, schema: &Value, value: &Value, place: &str, faults: &mut BTreeSet<Fault>) {
        for item in value.as_array().into_iter().flatten() {
            if let Some(items) = schema.get("items") {
                self.walk(items, item, &format!("{place}[]"), faults);
            }
        }
        let Some(members) = value.as_object() else { return };
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                report(faults, &within(place, name), "missing".to_owned());
            }
        }
        for (name, member) in members {
            if let Some(inner) = schema["properties"].get(name) {
                self.walk(inner, member, &within(place, name), faults);
            } else if schema["additionalProperties"].is_object() {
                self.walk(&schema["additionalProperties"], member, &within(place, name), faults);
            }
        }
    }

    /// Gathers the members that a schema names; false when it allows any.
    fn known<'a>(&'a self, schema: &'a Value, names: &mut BTreeSet<&'a str>) -> bool {
        let schema = self.resolve(schema);
        names.extend(schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()));
        let open = matches!(&schema["additionalProperties"], Value::Bool(true) | Value::Object(_));
        let mut closed = !open && schema.get("properties").is_some();
        for keyword in ["allOf", "oneOf", "anyOf"] {
            for part in schema[keyword].as_array().into_iter().flatten() {
                closed |= self.known(part, names);
            }
        }
        closed
    }
}

fn report(faults: &mut BTreeSet<Fault>, place: &str, what: String) {
    faults.insert(Fault { place: place.to_owned(), what });
}

fn within(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => panic!("the validator does not know the type {kind}"),
    }
}

fn is_formed(format: &str, value: &Value) -> bool {
    let text = value.as_str();
    match format {
        "int32" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        "int64" => value.as_i64().is_some(),
        "double" | "float" => value.is_number(),
        "date-time" => text.is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok()),
        "uri" => text.is_some_and(|text| text.split_once("://").is_some_and(|(_, rest)| !rest.is_empty())),
        "email" => text.is_some_and(|text| text.split_once('@').is_some_and(|(_, host)| host.contains('.'))),
        _ => panic!("the validator does not know the format {format}"),
    }
}

/// Bounds of numbers, texts and arrays.
fn limits(schema: &Value, value: &Value, place: &str, faults: &mut BTreeSet<Fault>) {
    let size = match value {
        Value::Number(_) => value.as_i64(),
        Value::String(text) => i64::try_from(text.chars().count()).ok(),
        Value::Array(items) => i64::try_from(items.len()).ok(),
        _ => None,
    };
    let (least, most) = match value {
        Value::Number(_) => ("minimum", "maximum"),
        Value::String(_) => ("minLength", "maxLength"),
        _ => ("minItems", "maxItems"),
    };
    let Some(size) = size else { return };
    if schema[least].as_i64().is_some_and(|bound| size < bound) {
        report(faults, place, format!("below {least}"));
    }
    if schema[most].as_i64().is_some_and(|bound| size > bound) {
        report(faults, place, format!("above {most}"));
    }
}
