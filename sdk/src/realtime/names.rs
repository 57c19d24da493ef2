//! Names of the chat layer's events: on the wire, and in camelCase as TypeScript, Swift and Kotlin have them.

/// Names on the wire that are another in camelCase. `closing`, `error`, `notification` and `warning` are the same in both.
const NAMES: [(&str, &str); 17] = [
    ("connection_status", "connectionStatus"),
    ("friend_status_change", "friendStatusChange"),
    ("game_invite", "gameInvite"),
    ("game_move", "gameMove"),
    ("group_message", "groupMessage"),
    // Beside `roomJoined` it is found.
    ("join_room_failed", "roomJoinFailed"),
    ("message_sent", "messageSent"),
    ("notifications_marked_read", "notificationsMarkedRead"),
    ("private_message", "privateMessage"),
    ("rate_limit_exceeded", "rateLimitExceeded"),
    ("room_created", "roomCreated"),
    ("room_joined", "roomJoined"),
    ("room_left", "roomLeft"),
    ("typing_start", "typingStart"),
    ("typing_stop", "typingStop"),
    ("user_joined_room", "userJoinedRoom"),
    ("user_left_room", "userLeftRoom"),
];

/// The camelCase name of an event on the wire: `private_message` is `privateMessage`. Names that the chat protocol does not
/// have stay as they are.
///
/// ```
/// assert_eq!(rejoin::event_name("join_room_failed"), "roomJoinFailed");
/// assert_eq!(rejoin::event_name("my_event"), "my_event");
/// ```
pub fn event_name(wire: &str) -> &str {
    let known = NAMES.iter().find(|(known, _)| *known == wire);
    known.map_or(wire, |(_, name)| name)
}

/// The wire's name of an event: `privateMessage` is `private_message`. It takes the wire's names too, and leaves those that
/// the chat protocol does not have as they are.
///
/// ```
/// assert_eq!(rejoin::wire_name("privateMessage"), "private_message");
/// assert_eq!(rejoin::wire_name("private_message"), "private_message");
/// assert_eq!(rejoin::wire_name("myEvent"), "myEvent");
/// ```
pub fn wire_name(name: &str) -> &str {
    // What camelCase makes of the wire's name, for those who expect that.
    if name == "joinRoomFailed" {
        return "join_room_failed";
    }
    let known = NAMES.iter().find(|(_, known)| *known == name);
    known.map_or(name, |(wire, _)| wire)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camel_case(wire: &str) -> String {
        let mut words = wire.split('_');
        let mut name = words.next().unwrap_or_default().to_owned();
        for word in words {
            let (first, rest) = word.split_at(1);
            name.push_str(&first.to_ascii_uppercase());
            name.push_str(rest);
        }
        name
    }

    #[test]
    fn names_map_both_ways() {
        for (wire, name) in NAMES {
            assert_eq!(event_name(wire), name);
            assert_eq!(wire_name(name), wire);
            assert_eq!(wire_name(wire), wire);
            assert_eq!(wire_name(&camel_case(wire)), wire);
            assert!(name == camel_case(wire) || wire == "join_room_failed", "{name}");
        }
        for same in ["closing", "error", "notification", "warning"] {
            assert_eq!(event_name(same), same);
            assert_eq!(wire_name(same), same);
        }
    }

    #[test]
    fn other_names_stay_as_they_are() {
        assert_eq!(event_name("my_event"), "my_event");
        assert_eq!(wire_name("myEvent"), "myEvent");
        assert_eq!(event_name("reconnected"), "reconnected");
    }
}
