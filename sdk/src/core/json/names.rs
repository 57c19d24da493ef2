//! The chat protocol's events in this protocol's words.

use crate::core::scan::{self, ObjectWriter};

/// What the chat layer hears where the server sent `frame` of this `kind`: another name, and an argument in which the fields
/// have their names and types. `None` where it is the frame itself, under its own name.
pub fn chat_event(kind: &str, frame: &str) -> Option<(&'static str, String)> {
    let (name, room) = match kind {
        "chat_message" => ("group_message", "room"),
        "user_joined" => ("user_joined_room", "roomId"),
        "user_left" => ("user_left_room", "roomId"),
        "room_left" => ("room_left", "roomId"),
        _ => return None,
    };
    let mut json = Vec::with_capacity(frame.len() + 16);
    let mut object = ObjectWriter::new(&mut json);
    for (field, value) in scan::fields(frame) {
        match scan::string(field).as_deref() {
            Some("type") | None => {}
            Some("room") => _ = object.raw(room, value),
            Some("user") if kind == "chat_message" => _ = object.raw("sender", &user(value)),
            Some("user") => _ = object.raw("user", &user(value)),
            Some(field @ ("id" | "timestamp")) => _ = object.raw(field, &text(value)),
            Some(field) => _ = object.raw(field, value),
        }
    }
    object.end();
    Some((name, String::from_utf8(json).unwrap_or_default()))
}

/// What the chat layer hears as its greeting: from `connection`, and `authenticated` where there were credentials.
pub(super) fn connection_status(client_id: &str, features: &str, authenticated: Option<&str>) -> String {
    let user = authenticated
        .and_then(|frame| scan::field(frame, "user"))
        .unwrap_or("null");
    let of_user = |name| scan::field(user, name).map(text).filter(|value| value.starts_with('"'));
    let own = Some(text(user)).filter(|value| value.starts_with('"'));
    let id = of_user("id")
        .or_else(|| own.clone())
        .unwrap_or_else(|| literal(client_id));
    let username = of_user("username").or(own).unwrap_or_else(|| id.clone());
    let mut json = Vec::with_capacity(128);
    let mut object = ObjectWriter::new(&mut json);
    object.bool("connected", true);
    object.raw("userId", &id);
    object.raw("username", &username);
    object.raw("features", features);
    for (name, value) in scan::fields(authenticated.unwrap_or_default()) {
        match scan::string(name).as_deref() {
            Some("type" | "user" | "connected" | "userId" | "username" | "features") | None => {}
            Some(name) => _ = object.raw(name, value),
        }
    }
    object.end();
    String::from_utf8(json).unwrap_or_default()
}

/// Somebody as `{"id":…,"username":…}`, whether the server sent that or a mere name.
fn user(value: &str) -> String {
    let plain = text(value);
    let mut json = Vec::with_capacity(value.len() + 32);
    let mut object = ObjectWriter::new(&mut json);
    if plain.starts_with('"') {
        object.raw("id", &plain);
        object.raw("username", &plain);
        object.end();
    } else if value.starts_with('{') {
        for (name, value) in scan::fields(value) {
            match scan::string(name).as_deref() {
                Some("id") => _ = object.raw("id", &text(value)),
                Some(name) => _ = object.raw(name, value),
                None => {}
            }
        }
        object.end();
    } else {
        return value.to_owned();
    }
    String::from_utf8(json).unwrap_or_default()
}

/// A number as a string; anything else as it is.
fn text(value: &str) -> String {
    match value.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => ["\"", value, "\""].concat(),
        _ => value.to_owned(),
    }
}

fn literal(text: &str) -> String {
    let mut json = Vec::with_capacity(text.len() + 2);
    scan::write_string(&mut json, text);
    String::from_utf8(json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_to_a_room_is_the_chat_protocols() {
        let frame = r#"{"type":"chat_message","id":7,"room":"r","user":{"id":3,"username":"A"},"content":"x","timestamp":17,"more":1}"#;
        let expected =
            r#"{"id":"7","room":"r","sender":{"id":"3","username":"A"},"content":"x","timestamp":"17","more":1}"#;
        assert_eq!(
            chat_event("chat_message", frame),
            Some(("group_message", expected.to_owned()))
        );
        let frame = r#"{"type":"chat_message","id":"7","room":"r","user":"Ann","content":"x","timestamp":"t"}"#;
        let expected = r#"{"id":"7","room":"r","sender":{"id":"Ann","username":"Ann"},"content":"x","timestamp":"t"}"#;
        assert_eq!(
            chat_event("chat_message", frame),
            Some(("group_message", expected.to_owned()))
        );
    }

    #[test]
    fn who_comes_and_goes_is_the_chat_protocols() {
        let cases = [
            (
                "user_joined",
                r#"{"type":"user_joined","room":"r","user":"u1"}"#,
                "user_joined_room",
                r#"{"roomId":"r","user":{"id":"u1","username":"u1"}}"#,
            ),
            (
                "user_left",
                r#"{"type":"user_left","room":"r","user":{"id":"u1"}}"#,
                "user_left_room",
                r#"{"roomId":"r","user":{"id":"u1"}}"#,
            ),
            (
                "room_left",
                r#"{"type":"room_left","room":"r"}"#,
                "room_left",
                r#"{"roomId":"r"}"#,
            ),
        ];
        for (kind, frame, name, object) in cases {
            assert_eq!(chat_event(kind, frame), Some((name, object.to_owned())));
        }
        assert_eq!(chat_event("room_joined", r#"{"type":"room_joined","room":"r"}"#), None);
    }

    #[test]
    fn the_greeting_says_who_the_user_is() {
        let status = |authenticated| connection_status("c1", r#"["ack"]"#, authenticated);
        let with = |who: &str| format!(r#"{{"connected":true,{who},"features":["ack"]}}"#);
        assert_eq!(status(None), with(r#""userId":"c1","username":"c1""#));
        assert_eq!(
            status(Some(r#"{"type":"authenticated","user":{"id":5,"username":"A"}}"#)),
            with(r#""userId":"5","username":"A""#)
        );
        assert_eq!(
            status(Some(r#"{"type":"authenticated","user":"u1"}"#)),
            with(r#""userId":"u1","username":"u1""#)
        );
        assert_eq!(
            status(Some(r#"{"type":"authenticated","user":null}"#)),
            with(r#""userId":"c1","username":"c1""#)
        );
        let friends = status(Some(r#"{"type":"authenticated","user":"u1","friends":[]}"#));
        assert!(friends.ends_with(r#""features":["ack"],"friends":[]}"#), "{friends}");
    }
}
