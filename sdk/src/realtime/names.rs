//! Event names: the wire's, and those that TypeScript, Swift and Kotlin use.

use std::borrow::Cow;

/// The events of the chat protocol, as on the wire. Elsewhere they are in camelCase.
const WIRE: [&str; 21] = [
    "closing",
    "connection_status",
    "error",
    "friend_status_change",
    "game_invite",
    "game_move",
    "group_message",
    "join_room_failed",
    "message_sent",
    "notification",
    "notifications_marked_read",
    "private_message",
    "rate_limit_exceeded",
    "room_created",
    "room_joined",
    "room_left",
    "typing_start",
    "typing_stop",
    "user_joined_room",
    "user_left_room",
    "warning",
];

/// The one event that begins like its neighbours instead: wire, elsewhere.
const JOIN_FAILED: (&str, &str) = ("join_room_failed", "roomJoinFailed");

/// The wire's name of an event of the chat protocol, for example `private_message` for `privateMessage`. Every other name
/// stays as it is.
pub fn wire_name(name: &str) -> &str {
    if name == JOIN_FAILED.1 {
        return JOIN_FAILED.0;
    }
    WIRE.into_iter()
        .find(|wire| is_camel_case_of(name, wire))
        .unwrap_or(name)
}

/// The name in camelCase of an event of the chat protocol, for example `privateMessage` for `private_message`. Every other
/// name stays as it is.
pub fn event_name(wire: &str) -> Cow<'_, str> {
    if wire == JOIN_FAILED.0 {
        return JOIN_FAILED.1.into();
    }
    if !WIRE.contains(&wire) || !wire.contains('_') {
        return wire.into();
    }
    let mut name = String::with_capacity(wire.len());
    for (index, word) in wire.split('_').enumerate() {
        let mut letters = word.chars();
        if index > 0 {
            name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        }
        name.push_str(letters.as_str());
    }
    name.into()
}

/// Compares without building the name.
fn is_camel_case_of(name: &str, wire: &str) -> bool {
    let mut upper = false;
    let mut letters = name.chars();
    for letter in wire.chars() {
        if letter == '_' {
            upper = true;
            continue;
        }
        let expected = if std::mem::take(&mut upper) {
            letter.to_ascii_uppercase()
        } else {
            letter
        };
        if letters.next() != Some(expected) {
            return false;
        }
    }
    letters.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_again_from_its_other_form() {
        for wire in WIRE {
            assert_eq!(wire_name(&event_name(wire)), wire);
            assert_eq!(wire_name(wire), wire, "the wire's own name is taken too");
        }
        assert_eq!(event_name("private_message"), "privateMessage");
        assert_eq!(event_name("join_room_failed"), "roomJoinFailed");
        assert_eq!(wire_name("joinRoomFailed"), "join_room_failed");
    }

    #[test]
    fn names_of_other_events_stay_as_they_are() {
        for name in [
            "my_event",
            "myEvent",
            "private",
            "privateMessages",
            "privateMessage2",
            "",
        ] {
            assert_eq!(event_name(name), name);
            assert_eq!(wire_name(name), name);
        }
    }
}
