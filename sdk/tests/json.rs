//! Properties of the plain-JSON codec: agreement with `serde_json`, and no panic whatever a server sends.

#![allow(clippy::unwrap_used)]

#[cfg(target_arch = "wasm32")]
#[macro_use]
extern crate rejoin_wasm_test;

mod strategies;

use proptest::prelude::*;
use rejoin::core::{json as wire, scan};
use serde_json::{Map, Value, json};
use strategies::{edited, edits, text};

const KINDS: [&str; 6] = [
    "chat_message",
    "user_joined",
    "user_left",
    "room_left",
    "room_joined",
    "anything",
];

/// Any JSON but for fractions, which `serde_json` does not read back to the last bit.
fn json() -> impl Strategy<Value = Value> {
    strategies::json().prop_map(whole)
}

fn whole(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => json!(0.5),
        Value::Array(elements) => elements.into_iter().map(whole).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, whole(value))).collect(),
        other => other,
    }
}

/// An object with fields that the protocol knows, of types that it may not expect.
fn object() -> impl Strategy<Value = Map<String, Value>> {
    let names = [
        "type",
        "id",
        "room",
        "user",
        "timestamp",
        "ok",
        "error",
        "data",
        "roomId",
    ];
    let name = prop_oneof![
        4 => prop::sample::select(names.to_vec()).prop_map(str::to_owned),
        1 => text(),
    ];
    prop::collection::vec((name, json()), 0..8).prop_map(Map::from_iter)
}

/// Reads everything that a frame may hold.
fn read_everything(text: &str) {
    let _ = wire::decode(text, 1_000, 64);
    for kind in KINDS {
        let _ = wire::chat_event(kind, text);
    }
    let _ = wire::reply(text);
    let _ = wire::check(text, 0);
    let _ = wire::encode(text, Some("id"), true, true);
}

fn parsed(text: &str) -> Value {
    assert_eq!(scan::validate(text, 256), Ok(()), "{text}");
    serde_json::from_str(text).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_on_arbitrary_text(text in any::<String>(), wild in text()) {
        read_everything(&text);
        read_everything(&wild);
    }

    #[test]
    fn nothing_panics_on_damaged_frames(object in object(), edits in edits()) {
        read_everything(&edited(&Value::Object(object).to_string(), &edits));
    }

    #[test]
    fn a_frame_is_an_object_with_a_type_and_nothing_else_is(value in prop_oneof![json(), object().prop_map(Value::from)]) {
        let text = value.to_string();
        let kind = wire::decode(&text, usize::MAX, 256).ok();
        prop_assert_eq!(kind.as_deref(), value.get("type").and_then(Value::as_str));
        prop_assert!(wire::decode(&text, text.len() - 1, 256).is_err(), "over the size limit");
    }

    #[test]
    fn a_message_is_its_name_and_its_argument(name in text(), data in prop::option::of(json()), id in prop::option::of(text())) {
        let mut message = vec![json!(name)];
        message.extend(data.clone());
        let frame = wire::encode(&Value::from(message).to_string(), id.as_deref(), false, false);
        let frame = parsed(std::str::from_utf8(&frame).unwrap());
        prop_assert_eq!(&frame["type"], &json!(name));
        prop_assert_eq!(frame.get("id").cloned(), id.map(Value::from));
        prop_assert_eq!(frame.get("data"), data.as_ref());
    }

    #[test]
    fn a_message_id_is_taken_out_and_everything_else_stays(rest in object(), chat: bool) {
        let mut fields = Value::Object(rest.clone()).to_string();
        let comma = if rest.is_empty() { "" } else { "," };
        fields.insert_str(1, &format!(r#""messageId":"m1"{comma}"#));
        let frame = wire::encode(&format!(r#"["x",{fields}]"#), Some("m1"), true, chat);
        let frame = parsed(std::str::from_utf8(&frame).unwrap());
        prop_assert_eq!(frame, json!({"type": "x", "id": "m1", "data": rest}));
    }

    #[test]
    fn what_chat_hears_is_json_whatever_the_fields_are(object in object()) {
        let text = Value::Object(object.clone()).to_string();
        for kind in KINDS {
            let Some((_, heard)) = wire::chat_event(kind, &text) else { continue };
            let heard = parsed(&heard);
            prop_assert!(heard.get("type").is_none());
            let known = ["type", "room", "user", "id", "timestamp", "roomId", "sender"];
            for (name, value) in object.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
                prop_assert_eq!(heard.get(name), Some(value));
            }
            for name in ["id", "timestamp"] {
                prop_assert!(!heard.get(name).is_some_and(Value::is_number));
            }
        }
        let reply = parsed(&wire::reply(&text));
        prop_assert_eq!(reply.get("ok"), object.get("ok"));
        prop_assert_eq!(reply.get("error"), object.get("error"));
    }
}
