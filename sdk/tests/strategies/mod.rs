//! What the property tests draw: text, JSON, and damage to it.

#![allow(dead_code, reason = "each test file uses a part of it")]

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

/// Any text, control characters and quotes well represented.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let char = prop_oneof![
        any::<char>(),
        prop::char::range('\0', '\u{7f}'),
        prop::sample::select(vec!['"', '\\', '\n', '\u{1e}', 'é', '😀', '\u{2028}']),
    ];
    vec(char, 0..24).prop_map(String::from_iter)
}

pub(crate) fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((text(), inner), 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// JSON text in one of the ways to lay it out.
pub(crate) fn json_text() -> impl Strategy<Value = String> {
    (json(), any::<bool>()).prop_map(|(value, pretty)| {
        if pretty {
            serde_json::to_string_pretty(&value)
        } else {
            serde_json::to_string(&value)
        }
        .unwrap()
    })
}

/// Edits of a text: where (as a share of its length), what is cut there, and what is put there.
pub(crate) fn edits() -> impl Strategy<Value = Vec<(f64, usize, String)>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "",
            "\"",
            "\\",
            "\\u",
            "\\ud800",
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "0",
            "-",
            ".",
            "e",
            "1",
            "true",
            "nul",
            " ",
            "\n",
            "\u{1}",
            "é",
            "/",
            "?",
            "_placeholder",
            "[[[[",
            "}]",
            "\u{1e}",
            "b",
            "\u{a0}",
        ])
        .prop_map(String::from),
        any::<char>().prop_map(String::from),
    ];
    vec((0.0..=1.0, 0usize..3, piece), 0..4)
}

pub(crate) fn edited(text: &str, edits: &[(f64, usize, String)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (place, cut, piece) in edits {
        let at = (place * chars.len() as f64) as usize;
        let end = chars.len().min(at + cut);
        chars.splice(at..end, piece.chars());
    }
    chars.into_iter().collect()
}

pub(crate) fn well_formed(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

pub(crate) fn escaped(c: char) -> String {
    c.encode_utf16(&mut [0; 2])
        .iter()
        .map(|unit| format!("\\u{unit:04X}"))
        .collect()
}
