//! The JSON Schema of the rule files (draft 2020-12), for completion and checks in editors. It is made from one
//! description of the language, [`tables`], whose keys a test holds against those that the reader asks for.

mod tables;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

/// What can stand at a key.
enum Kind {
    /// A text of a form.
    Text(Form),
    /// A text or a list of texts of a form.
    Texts(Form),
    /// One of some words.
    Word(fn() -> Vec<&'static str>),
    /// One or several of some words.
    Words(fn() -> Vec<&'static str>),
    Flag,
    /// A whole number up to a largest one.
    Whole {
        largest: i64,
    },
    /// A table of its own.
    Table(&'static Shape),
    /// A list of tables (`[[key]]`).
    Tables(&'static Shape),
    /// Tables whose names the user chooses (`[key.NAME]`).
    Named(&'static Shape),
    /// Texts of a form under names that stand elsewhere.
    Free(Form),
}

/// A form of texts as a regular expression, and one that has it.
struct Form {
    pattern: &'static str,
    sample: &'static str,
}

/// A key with its meaning.
struct Key {
    name: &'static str,
    required: bool,
    about: &'static str,
    kind: Kind,
}

/// A table of the language.
struct Shape {
    /// Its name among the definitions of the schema.
    name: &'static str,
    about: &'static str,
    keys: &'static [Key],
}

/// The schema.
pub fn schema() -> Value {
    let mut definitions = Map::new();
    let root = of_shape(&tables::TOP, &mut definitions);
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!("Tollbook rule file"));
    if let Value::Object(root) = root {
        schema.extend(root);
    }
    schema.insert("$defs".to_owned(), Value::Object(definitions));
    Value::Object(schema)
}

/// The schema as text.
pub fn text() -> String {
    format!("{:#}", schema())
}

fn of_shape(shape: &Shape, definitions: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for key in shape.keys {
        let mut value = of_kind(&key.kind, definitions);
        if let Some(value) = value.as_object_mut() {
            value.insert("description".to_owned(), json!(key.about));
        }
        properties.insert(key.name.to_owned(), value);
    }
    let required: Vec<&str> = shape.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let mut found = json!({
        "description": shape.about,
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    if let Some(found) = found.as_object_mut().filter(|_| !required.is_empty()) {
        found.insert("required".to_owned(), json!(required));
    }
    found
}

fn of_kind(kind: &Kind, definitions: &mut Map<String, Value>) -> Value {
    let one_or_list = |one: Value| json!({ "oneOf": [one, { "type": "array", "items": one }] });
    match kind {
        Kind::Text(form) => of_form(form),
        Kind::Texts(form) => one_or_list(of_form(form)),
        Kind::Word(words) => json!({ "enum": words() }),
        Kind::Words(words) => one_or_list(json!({ "enum": words() })),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Whole { largest } => json!({ "type": "integer", "minimum": 0, "maximum": largest }),
        Kind::Table(shape) => reference(shape, definitions),
        Kind::Tables(shape) => json!({ "type": "array", "items": reference(shape, definitions) }),
        Kind::Named(shape) => {
            json!({ "type": "object", "additionalProperties": reference(shape, definitions) })
        }
        Kind::Free(form) => json!({ "type": "object", "additionalProperties": of_form(form) }),
    }
}

fn of_form(form: &Form) -> Value {
    match form.pattern {
        "" => json!({ "type": "string", "examples": [form.sample] }),
        pattern => json!({ "type": "string", "pattern": pattern, "examples": [form.sample] }),
    }
}

fn reference(shape: &Shape, definitions: &mut Map<String, Value>) -> Value {
    if !definitions.contains_key(shape.name) {
        // A place for it first: a shape that holds itself would never end otherwise.
        definitions.insert(shape.name.to_owned(), Value::Null);
        let made = of_shape(shape, definitions);
        definitions.insert(shape.name.to_owned(), made);
    }
    json!({ "$ref": format!("#/$defs/{}", shape.name) })
}
