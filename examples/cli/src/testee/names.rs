//! Event names: events of the chat layer have their TypeScript names in lines, others the wire's.

use std::borrow::Cow;

/// The wire's names of the chat layer's events. In TypeScript they are in camelCase.
const CHAT: [&str; 21] = [
    "closing",
    "connection_status",
    "error",
    "friend_status_change",
    "game_invite",
    "game_move",
    "group_message",
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
    JOIN_FAILED.0,
];

/// The one event whose TypeScript name begins like its neighbours instead; camelCase works too.
const JOIN_FAILED: (&str, &str) = ("join_room_failed", "roomJoinFailed");

/// How events are called in a client's lines.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// As on the wire.
    Wire,
    /// Those of the chat layer as in TypeScript.
    Chat,
}

impl Names {
    /// The wire's name of an event that a line names.
    pub(super) fn wire_of(self, name: &str) -> &str {
        match self {
            Self::Wire => name,
            Self::Chat if name == JOIN_FAILED.1 => JOIN_FAILED.0,
            Self::Chat => CHAT.into_iter().find(|wire| camel_case(wire) == name).unwrap_or(name),
        }
    }

    /// The name in lines of an event on the wire.
    pub(super) fn name_of(self, wire: &str) -> Cow<'_, str> {
        match self {
            Self::Chat if wire == JOIN_FAILED.0 => JOIN_FAILED.1.into(),
            Self::Chat if CHAT.contains(&wire) => camel_case(wire).into(),
            _ => wire.into(),
        }
    }
}

fn camel_case(wire: &str) -> String {
    let mut words = wire.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_the_chat_layer_have_their_typescript_names() {
        for (wire, name) in [
            ("private_message", "privateMessage"),
            ("join_room_failed", "roomJoinFailed"),
            ("user_joined_room", "userJoinedRoom"),
            ("closing", "closing"),
        ] {
            assert_eq!(Names::Chat.name_of(wire), name);
            assert_eq!(Names::Chat.wire_of(name), wire);
        }
        assert_eq!(Names::Chat.wire_of("joinRoomFailed"), "join_room_failed");
    }

    #[test]
    fn other_events_and_those_of_other_clients_keep_the_wires() {
        assert_eq!(Names::Chat.name_of("my_event"), "my_event");
        assert_eq!(Names::Chat.wire_of("myEvent"), "myEvent");
        assert_eq!(Names::Wire.name_of("private_message"), "private_message");
    }
}
