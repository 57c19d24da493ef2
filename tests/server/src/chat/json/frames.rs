//! What one frame says: `{type, ...}`, under the names that the chat has for it.

use serde_json::{Map, Value, json};

use crate::chat::answer::Answer;
use crate::chat::fields::MAX_NAME;

/// A frame of a client's.
#[derive(Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) name: String,
    pub(super) payload: Value,
    /// The `id` by which it is acknowledged.
    pub(super) id: Option<String>,
}

/// Reads a frame, or says what is wrong with it.
pub(super) fn read(text: &str) -> Result<Frame, String> {
    let frame = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    let Value::Object(mut frame) = frame else {
        return Err("a frame is one object".to_owned());
    };
    let Some(Value::String(name)) = frame.remove("type") else {
        return Err("type: must be text".to_owned());
    };
    let id = match frame.remove("id") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) if (1..=MAX_NAME).contains(&id.len()) => Some(id),
        Some(_) => return Err(format!("id: must be text of 1 to {MAX_NAME} bytes")),
    };
    let mut payload = frame.remove("data").unwrap_or_else(|| json!({}));
    if let Value::Object(fields) = &mut payload {
        if let (Some(id), false) = (&id, fields.contains_key("messageId")) {
            fields.insert("messageId".to_owned(), json!(id));
        }
        if ["message", "join_room", "leave_room"].contains(&name.as_str()) {
            rename(fields, "room", "roomId");
        }
    }
    let name = match name.as_str() {
        "message" => "group_message".to_owned(),
        _ => name,
    };
    Ok(Frame { name, payload, id })
}

/// Writes an event.
pub(super) fn event(name: &str, payload: &Value) -> String {
    let mut fields = payload.as_object().cloned().unwrap_or_default();
    let name = match name {
        "group_message" => {
            rename(&mut fields, "sender", "user");
            "chat_message"
        }
        "user_joined_room" => {
            rename(&mut fields, "roomId", "room");
            "user_joined"
        }
        "user_left_room" => {
            rename(&mut fields, "roomId", "room");
            "user_left"
        }
        "room_left" => {
            rename(&mut fields, "roomId", "room");
            name
        }
        _ => name,
    };
    fields.insert("type".to_owned(), json!(name));
    Value::Object(fields).to_string()
}

/// Writes the answer to the frame with this `id`.
pub(super) fn ack(id: &str, answer: &Answer) -> String {
    let mut frame = json!({ "type": "ack", "id": id, "ok": answer.error.is_none() });
    if let Some(error) = &answer.error {
        frame["error"] = json!(error);
    }
    if let Some(made) = &answer.id {
        frame["data"] = json!({ "id": made });
    }
    frame.to_string()
}

fn rename(fields: &mut Map<String, Value>, from: &str, to: &str) {
    if !fields.contains_key(to)
        && let Some(value) = fields.remove(from)
    {
        fields.insert(to.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::answer::Refusal;

    fn parsed(frame: &str) -> Value {
        serde_json::from_str(frame).expect("JSON")
    }

    #[test]
    fn a_message_to_a_room_is_a_group_message() {
        let frame = read(r#"{"type":"message","id":"m1","data":{"room":"tea","content":"hi"}}"#);
        let expected = Frame {
            name: "group_message".into(),
            payload: json!({ "roomId": "tea", "content": "hi", "messageId": "m1" }),
            id: Some("m1".into()),
        };
        assert_eq!(frame, Ok(expected));
    }

    #[test]
    fn every_other_frame_keeps_its_name_and_payload() {
        let frame = read(r#"{"type":"typing_start","data":{"type":"private","recipientId":"u2"}}"#);
        let frame = frame.expect("a frame");
        assert_eq!(frame.name, "typing_start");
        assert_eq!(frame.payload, json!({ "type": "private", "recipientId": "u2" }));
        assert_eq!(frame.id, None);
    }

    #[test]
    fn what_is_no_frame_is_refused_with_a_reason() {
        for (text, reason) in [
            ("hello", "not JSON"),
            ("[]", "a frame is one object"),
            ("{}", "type: must be text"),
            (r#"{"type":1}"#, "type: must be text"),
            (r#"{"type":"x","id":1}"#, "id: must be text"),
        ] {
            let refused = read(text).expect_err(text);
            assert!(refused.starts_with(reason), "{refused}");
        }
        assert!(read(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn events_have_the_names_of_plain_json() {
        let message = json!({ "id": "m1", "room": "tea", "sender": { "id": "u1" } });
        let frame = json!({ "type": "chat_message", "id": "m1", "room": "tea", "user": { "id": "u1" } });
        assert_eq!(parsed(&event("group_message", &message)), frame);
        let joined = json!({ "roomId": "tea", "user": { "id": "u1" } });
        let frame = json!({ "type": "user_joined", "room": "tea", "user": { "id": "u1" } });
        assert_eq!(parsed(&event("user_joined_room", &joined)), frame);
    }

    #[test]
    fn an_answer_names_its_frame_and_what_was_made() {
        let done = json!({ "type": "ack", "id": "1", "ok": true, "data": { "id": "tea" } });
        assert_eq!(parsed(&ack("1", &Answer::done_as("tea"))), done);
        let refused = Answer::refused(Refusal::new("not_found", "no such room"));
        let error = json!({ "code": "not_found", "message": "no such room" });
        let frame = json!({ "type": "ack", "id": "1", "ok": false, "error": error });
        assert_eq!(parsed(&ack("1", &refused)), frame);
    }
}
