//! The wire's JSON as typed events.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

fn read<E: WireEvent>(name: &str, json: Value) -> E {
    assert_eq!(E::NAME, name);
    crate::payload::decode(&json.to_string()).unwrap()
}

fn misfit<E: WireEvent>(json: Value) -> String {
    let read = crate::payload::decode::<E>(&json.to_string());
    read.err().expect("it does not fit").to_string()
}

fn user(id: &str, username: &str) -> User {
    crate::payload::decode(&json!({"id": id, "username": username}).to_string()).unwrap()
}

#[test]
fn messages_are_read() {
    let message: PrivateMessage = read(
        "private_message",
        json!({"id": "m1", "sender": {"id": "u1", "username": "Ann"}, "content": "hi", "timestamp": "t", "more": 1}),
    );
    assert_eq!(
        (&*message.id, &*message.content, &*message.timestamp),
        ("m1", "hi", "t")
    );
    assert_eq!(message.sender, user("u1", "Ann"));
    let message: GroupMessage = read(
        "group_message",
        json!({"id": 7, "room": "r", "sender": "u1", "content": "hi", "timestamp": 1_700_000_000_123_u64}),
    );
    assert_eq!(
        (&*message.id, &*message.room, &*message.timestamp),
        ("7", "r", "1700000000123")
    );
    assert_eq!(message.sender, user("u1", ""));
    let sent: MessageSent = read(
        "message_sent",
        json!({"id": "m1", "recipientId": "u2", "delivered": true}),
    );
    assert_eq!((&*sent.recipient_id, sent.delivered), ("u2", true));
    let sent: MessageSent = read(
        "message_sent",
        json!({"id": "m1", "recipientId": null, "delivered": null}),
    );
    assert_eq!((&*sent.recipient_id, sent.delivered), ("", false));
}

#[test]
fn typing_is_read() {
    let typing: TypingStart = read("typing_start", json!({"userId": 3, "username": "Ann", "roomId": "r"}));
    assert_eq!((&*typing.user_id, &*typing.username), ("3", "Ann"));
    assert_eq!(typing.room_id.as_deref(), Some("r"));
    let typing: TypingStop = read("typing_stop", json!({"userId": "u1", "roomId": null}));
    assert_eq!((&*typing.user_id, typing.room_id), ("u1", None));
}

#[test]
fn rooms_are_read() {
    let room: RoomJoined = read(
        "room_joined",
        json!({"room": "r", "members": [{"id": "u1", "username": "Ann"}, "u2", 3]}),
    );
    assert_eq!(room.room, "r");
    assert_eq!(room.members, [user("u1", "Ann"), user("u2", ""), user("3", "")]);
    assert_eq!(read::<RoomJoined>("room_joined", json!({"room": "r"})).members, []);
    let failed: RoomJoinFailed = read("join_room_failed", json!({"roomId": "r", "reason": "full"}));
    assert_eq!((&*failed.room_id, &*failed.reason), ("r", "full"));
    let joined: UserJoinedRoom = read("user_joined_room", json!({"roomId": "r", "user": "u1"}));
    assert_eq!((&*joined.room_id, joined.user), ("r", user("u1", "")));
    let left: UserLeftRoom = read(
        "user_left_room",
        json!({"roomId": "r", "user": {"id": 4, "username": null}}),
    );
    assert_eq!((&*left.room_id, left.user), ("r", user("4", "")));
    assert_eq!(read::<RoomLeft>("room_left", json!({"roomId": "r"})).room_id, "r");
    let created: RoomCreated = read("room_created", json!({"id": "r", "name": "R", "isPrivate": true}));
    assert_eq!((&*created.id, &*created.name), ("r", "R"));
}

#[test]
fn games_are_read_and_moves_stay_as_they_were_sent() {
    let invite: GameInvite = read(
        "game_invite",
        json!({"from": {"id": "u1", "username": "Ann"}, "gameType": "chess", "inviteId": "g1"}),
    );
    assert_eq!((&*invite.game_type, &*invite.invite_id), ("chess", "g1"));
    assert_eq!(invite.from, user("u1", "Ann"));
    let made: GameMove = crate::payload::decode(
        r#"{"gameId":"g1","player":"u1","move":{"to": 1.50, "n":12345678901234567890},"gameState":{"moves":[]}}"#,
    )
    .unwrap();
    assert_eq!((&*made.game_id, made.player), ("g1", user("u1", "")));
    assert_eq!(made.game_move.as_str(), r#"{"to": 1.50, "n":12345678901234567890}"#);
    assert_eq!(made.game_state.get::<Value>().unwrap(), json!({"moves": []}));
    let made: GameMove = read(
        "game_move",
        json!({"gameId": "g1", "player": {"id": "u1"}, "move": "e4"}),
    );
    assert_eq!(made.game_move.get::<String>().unwrap(), "e4");
    assert_eq!(made.game_state, Json::default());
    assert!(made.game_move.get::<u8>().is_err());
}

#[test]
fn the_greeting_is_read() {
    let status: ConnectionStatus = read(
        "connection_status",
        json!({"connected": true, "userId": 5, "username": "Ann", "features": ["ack"],
            "friends": [{"id": "u2", "username": "Ben", "status": "online"}, "u3"]}),
    );
    assert_eq!(
        (status.connected, &*status.user_id, &*status.username),
        (true, "5", "Ann")
    );
    assert_eq!(status.features, ["ack"]);
    let friends = status.friends.iter().map(|f| (&*f.id, &*f.username, &*f.status));
    assert_eq!(friends.collect::<Vec<_>>(), [("u2", "Ben", "online"), ("u3", "", "")]);
    let status: ConnectionStatus = read("connection_status", json!({"connected": true, "features": null}));
    assert_eq!((status.features.len(), status.friends.len()), (0, 0));
}

#[test]
fn presence_and_notifications_are_read() {
    let change: FriendStatusChange = read(
        "friend_status_change",
        json!({"userId": "u2", "status": "offline", "timestamp": "t"}),
    );
    assert_eq!(
        (&*change.user_id, &*change.status, &*change.timestamp),
        ("u2", "offline", "t")
    );
    let shown: Notification = read(
        "notification",
        json!({"id": 9, "title": "T", "message": "M", "icon": "i.png"}),
    );
    assert_eq!((shown.id.as_deref(), shown.icon.as_deref()), (Some("9"), Some("i.png")));
    assert_eq!((&*shown.title, &*shown.message), ("T", "M"));
    let shown: Notification = read("notification", json!({"title": "T", "message": "M", "icon": null}));
    assert_eq!((shown.id, shown.icon), (None, None));
    let read: NotificationsMarkedRead = read("notifications_marked_read", json!({"notificationIds": ["n1", 2]}));
    assert_eq!(read.notification_ids, ["n1", "2"]);
}

#[test]
fn what_the_server_complains_about_is_read() {
    let limit: RateLimitExceeded = read(
        "rate_limit_exceeded",
        json!({"message": "slow", "action": "send", "event": "private_message", "messageId": "m", "retryAfterMs": 1500.2}),
    );
    assert_eq!(
        (limit.message.as_deref(), limit.retry_after_ms),
        (Some("slow"), Some(1501))
    );
    assert_eq!(
        (limit.action.as_deref(), limit.event.as_deref()),
        (Some("send"), Some("private_message"))
    );
    assert_eq!(limit.message_id.as_deref(), Some("m"));
    let limit: RateLimitExceeded = read("rate_limit_exceeded", json!({}));
    assert_eq!((limit.message, limit.retry_after_ms, limit.action), (None, None, None));
    assert_eq!(read::<Warning>("warning", json!({"message": "w"})).message, "w");
    let error: ServerError = read(
        "error",
        json!({"message": "e", "code": "c", "event": "x", "messageId": "m"}),
    );
    assert_eq!((&*error.message, error.code.as_deref()), ("e", Some("c")));
    assert_eq!(
        (error.event.as_deref(), error.message_id.as_deref()),
        (Some("x"), Some("m"))
    );
    let closing: Closing = read(
        "closing",
        json!({"code": "shutdown", "message": "bye", "retryAfterMs": 50}),
    );
    assert_eq!(
        (&*closing.code, &*closing.message, closing.retry_after_ms),
        ("shutdown", "bye", Some(50))
    );
}

#[test]
fn what_does_not_fit_is_told_by_its_field_and_without_its_value() {
    assert_eq!(
        misfit::<GameInvite>(json!({"from": ["secret"], "gameType": "chess", "inviteId": "g1"})),
        "the payload cannot be used: `from`: expected a user or a user's id"
    );
    assert_eq!(
        misfit::<GameMove>(json!({"gameId": "g1", "player": "u1"})),
        "the payload cannot be used: missing field `move`"
    );
    assert_eq!(
        misfit::<Closing>(json!({"code": "idle", "retryAfterMs": -5})),
        "the payload cannot be used: `retryAfterMs`: expected milliseconds"
    );
}
