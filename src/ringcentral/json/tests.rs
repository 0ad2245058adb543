use super::*;

/// The same bytes written another way: over serde_json's own tree, one character at a time.
fn reference(value: &serde_json::Value, out: &mut String) {
    match value {
        serde_json::Value::String(text) => reference_text(text, out),
        serde_json::Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                reference(item, out);
            }
            out.push(']');
        }
        serde_json::Value::Object(members) => {
            let mut keys: Vec<&String> = members.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                reference_text(key, out);
                out.push(':');
                reference(&members[key], out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

fn reference_text(text: &str, out: &mut String) {
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

fn agree(text: &str) {
    match (read(text), serde_json::from_str::<serde_json::Value>(text)) {
        (Ok(ours), Ok(theirs)) => {
            let mut expected = String::new();
            reference(&theirs, &mut expected);
            assert_eq!(sorted(&ours), expected, "{text}");
            assert_eq!(sorted(&Value::from(&theirs)), expected, "{text}");
            assert_eq!(sorted(&read(&expected).unwrap()), expected);
        }
        (Err(ours), Err(theirs)) => {
            assert_eq!((ours.is_eof(), ours.line(), ours.column()), {
                (theirs.is_eof(), theirs.line(), theirs.column())
            });
        }
        (ours, theirs) => panic!("{text}: {ours:?} and {theirs:?}"),
    }
}

/// A small generator: the same values on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn text(&mut self) -> String {
        const PARTS: [&str; 16] = [
            "a",
            "id",
            "\\\"",
            "\\\\",
            "\\n",
            "\\u0000",
            "\\u001f",
            "\\/",
            "é",
            "\\u00e9",
            "😀",
            "\\ud83d\\ude00",
            "to",
            "from",
            " ",
            "\u{7f}",
        ];
        let parts = self.roll(5);
        (0..parts).map(|_| PARTS[self.roll(16) as usize]).collect()
    }

    fn value(&mut self, depth: u32) -> String {
        const NUMBERS: [&str; 8] =
            ["0", "-0", "0.10", "1E5", "1e-7", "-12.5e+300", "18446744073709551616", "1e400"];
        let sides = if depth > 4 { 5 } else { 9 };
        match self.roll(sides) {
            0 => "null".into(),
            1 => {
                if self.roll(2) == 0 {
                    "true".into()
                } else {
                    "false".into()
                }
            }
            2 => NUMBERS[self.roll(8) as usize].into(),
            3 | 4 => format!("\"{}\"", self.text()),
            5 | 6 => {
                let items: Vec<String> = (0..self.roll(5)).map(|_| self.value(depth + 1)).collect();
                format!("[{}]", items.join(" , "))
            }
            _ => {
                let many = if self.roll(8) == 0 { 40 } else { 6 };
                let members =
                    (0..self.roll(many)).map(|_| format!("\"{}\" : {}", self.text(), self.value(depth + 1)));
                format!("{{{}}}", members.collect::<Vec<_>>().join(",\n"))
            }
        }
    }
}

#[test]
fn what_is_written_equals_a_simple_writer_over_another_tree() {
    let mut dice = Dice(1);
    for _ in 0..3000 {
        let text = dice.value(0);
        agree(&text);
        let cut = dice.roll(text.len() as u64 + 1) as usize;
        if text.is_char_boundary(cut) {
            agree(&text[..cut]);
        }
    }
}

#[test]
fn every_sample_is_written_as_before() {
    let folder = format!("{}/fixtures/ringcentral", env!("CARGO_MANIFEST_DIR"));
    let mut samples = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            agree(&std::fs::read_to_string(path).unwrap());
            samples += 1;
        }
    }
    assert!(samples > 20, "{samples}");
}

#[test]
fn of_members_with_one_key_the_last_counts() {
    let value = read(r#"{"b":1,"a":{"x":1},"b":2,"\u0061":3,"b":"last"}"#).unwrap();
    assert_eq!(sorted(&value), r#"{"a":3,"b":"last"}"#);
}

#[test]
fn the_parsers_own_form_of_a_number_is_one_when_served_too() {
    for text in [
        r#"{"$serde_json::private::Number":"1.50"}"#,
        r#"{"$serde_json::private::Number":"x"}"#,
        r#"{"$serde_json::private::Number":"1","a":2}"#,
        r#"{"$serde_json::private::Number":5}"#,
        r#"{"a":2,"$serde_json::private::Number":"1"}"#,
    ] {
        assert_eq!(
            read(text).ok().map(|value| sorted(&value)),
            serde_json::from_str::<serde_json::Value>(text).ok().map(|value| sorted(&Value::from(&value))),
            "{text}"
        );
    }
}

#[test]
fn numbers_keep_their_characters_and_keys_are_sorted() {
    let text = r#"{"b": 0.1370, "a": 8031152018338945839, "c": {"z": null, "y": "é\u0001\""}}"#;
    let text = sorted(&read(text).unwrap());
    assert_eq!(text, "{\"a\":8031152018338945839,\"b\":0.1370,\"c\":{\"y\":\"é\\u0001\\\"\",\"z\":null}}");
    assert_eq!(sorted(&read(&text).unwrap()), text);
}

#[test]
fn members_are_found_put_in_and_dropped_by_key() {
    let Value::Object(mut members) = read(r#"{"m":1,"c":2,"x":3}"#).unwrap() else { panic!() };
    members.insert("d", Value::Null);
    members.insert("m", Value::Bool(true));
    members.retain(|key| key != "x");
    assert_eq!(members.get("c").and_then(Value::as_u64), Some(2));
    assert_eq!(members.get("x"), None);
    let picked = members.pick(&["a", "c", "cc", "m", "z"]).map(|member| &*member.key);
    assert_eq!(picked.collect::<Vec<_>>(), ["c", "m"]);
    assert_eq!(sorted(&Value::Object(members)), r#"{"c":2,"d":null,"m":true}"#);
}

#[test]
fn depth_counts_brackets_outside_text_only() {
    assert_eq!(too_deep_at(br#"{"a":"[[[[\"[[["}"#), None);
    assert_eq!(too_deep_at(&b"[".repeat(DEPTH_LIMIT)), None);
    assert_eq!(too_deep_at(&b"[".repeat(DEPTH_LIMIT + 1)), Some(DEPTH_LIMIT));
}

#[test]
fn a_tree_is_as_deep_as_the_limit_and_no_deeper() {
    for (depth, fits) in [(DEPTH_LIMIT, true), (DEPTH_LIMIT + 1, false)] {
        for (open, middle, close) in
            [("[", "7", "]"), ("[", "", "]"), ("{\"a\":", "7", "}"), ("{\"a\":", "{}", "}")]
        {
            let nested = depth - usize::from(middle == "{}");
            let text = format!("{}{middle}{}", open.repeat(nested), close.repeat(nested));
            assert_eq!(read(&text).is_ok(), fits, "{text}");
            assert_eq!(too_deep_at(text.as_bytes()).is_none(), fits);
        }
    }
}
