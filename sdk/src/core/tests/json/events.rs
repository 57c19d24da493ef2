//! Rooms, and what is heard.

use serde_json::json;

use super::super::pair::*;
use super::*;
use crate::core::{Emission, EmitOptions, NamespaceConfig, Target};
use crate::receipt::Receipt;
use crate::state::State;

#[test]
fn rooms_are_joined_again_and_confirmed_before_their_messages_go() {
    let mut pair = chat(CONNECTION);
    let joined = pair.core.join_room(pair.now, pair.socket, "r", Some("pw".into()));
    pair.drain();
    let (asked, id) = frame(&mut pair);
    assert_eq!(
        asked,
        json!({"type": "join_room", "id": id, "data": {"room": "r", "password": "pw"}})
    );
    pair.server(r#"{"type":"room_joined","room":"r"}"#);
    agree(&mut pair, &id);
    assert_eq!(names(&[joined]), ["delivered"]);
    assert_eq!(pair.heard(), [r#"room_joined [{"type":"room_joined","room":"r"}]"#]);

    next_link(&mut pair, CONNECTION);
    let queued = say_to_room(&mut pair, "r");
    let (asked, id) = frame(&mut pair);
    assert_eq!((&asked["type"], pair.state()), (&json!("join_room"), State::Connecting));
    agree(&mut pair, &id);
    assert_eq!(frame(&mut pair).0["type"], "message");
    assert_eq!((pair.state(), queued.outcome()), (State::Connected, None));

    let left = pair.core.leave_room(pair.now, pair.socket, "r");
    pair.drain();
    let (leave, id) = frame(&mut pair);
    assert_eq!(leave, json!({"type": "leave_room", "id": id, "data": {"room": "r"}}));
    agree(&mut pair, &id);
    agree(&mut pair, queued.message_id().unwrap());
    assert_eq!(names(&[left, queued]), ["delivered", "delivered"]);
    next_link(&mut pair, CONNECTION);
    assert_eq!((pair.frames(), pair.state()), (Vec::new(), State::Connected));
}

#[test]
fn a_room_is_confirmed_by_its_event_where_the_server_answers_nothing() {
    let mut pair = chat(PLAIN);
    let joined = join(&mut pair, "r");
    assert_eq!(pair.frames(), [r#"{"type":"join_room","data":{"room":"r"}}"#]);
    let held = say_to_room(&mut pair, "r");
    assert_eq!(pair.frames(), [""; 0]);
    pair.server(r#"{"type":"room_joined","room":"r"}"#);
    assert_eq!(names(&[joined, held]), ["delivered", "sent"]);
    assert_eq!(pair.frames().len(), 1);
    let left = pair.core.leave_room(pair.now, pair.socket, "r");
    pair.drain();
    assert_eq!(pair.frames(), [r#"{"type":"leave_room","data":{"room":"r"}}"#]);
    assert_eq!(names(&[left]), ["sent"]);
}

#[test]
fn a_room_that_is_never_confirmed_holds_nothing_up_for_long() {
    let mut pair = chat(PLAIN);
    let joined = join(&mut pair, "r");
    let held = say_to_room(&mut pair, "r");
    pair.server(r#"{"type":"error","message":"no such room"}"#);
    pair.sleep(secs(5));
    let receipts = [joined, held];
    assert_eq!(names(&receipts), ["unconfirmed", "sent"]);
    assert_eq!(error_of(&receipts[0]).code(), 4002);
    assert_eq!(
        pair.heard(),
        [
            r#"error [{"type":"error","message":"no such room"}]"#,
            r#"join_room_failed [{"roomId":"r","reason":"timeout"}]"#
        ]
    );
}

#[test]
fn typing_is_said_at_once_or_not_at_all() {
    let mut pair = chat(CONNECTION);
    pair.core.start_typing(pair.now, pair.socket, Target::room("r"));
    pair.drain();
    assert_eq!(
        pair.frames(),
        [r#"{"type":"typing_start","data":{"type":"group","roomId":"r"}}"#]
    );
    pair.cut();
    pair.core.start_typing(pair.now, pair.socket, Target::user("u2"));
    pair.drain();
    pair.sleep(secs(5));
    pair.server(CONNECTION);
    assert_eq!(pair.frames(), [""; 0]);
    pair.server(r#"{"type":"typing_start","userId":"u2","username":"B","roomId":"r"}"#);
    pair.server(
        r#"{"type":"chat_message","id":1,"room":"r","user":{"id":"u2","username":"B"},"content":"x","timestamp":2}"#,
    );
    let heard = pair.heard();
    assert_eq!(heard.len(), 4, "{heard:?}");
    assert!(heard[0].starts_with("connection_status") && heard[1].starts_with("typing_start"));
    assert_eq!(heard[2], r#"typing_stop [{"userId":"u2","roomId":"r"}]"#);
    assert_eq!(
        heard[3],
        r#"group_message [{"id":"1","room":"r","sender":{"id":"u2","username":"B"},"content":"x","timestamp":"2"}]"#
    );
}

#[test]
fn chat_hears_the_chat_protocol_and_others_hear_the_frames_each_once() {
    let frames = [
        r#"{"type":"user_joined","room":"r","user":"u2"}"#,
        r#"{"type":"user_left","room":"r","user":{"id":"u2","username":"B"}}"#,
        r#"{"type":"room_left","room":"r"}"#,
        r#"{"type":"private_message","id":"1","sender":{"id":"u2"},"content":"x","timestamp":"t"}"#,
        r#"{"type":"connection_status","connected":true}"#,
        r#"{"type":"anything","n":1}"#,
    ];
    let mut pair = chat(CONNECTION);
    let mut generic = dialing(NamespaceConfig::new("/"));
    generic.server(CONNECTION);
    for frame in frames {
        pair.server(frame);
        generic.server(frame);
    }
    assert_eq!(
        pair.heard(),
        [
            r#"user_joined_room [{"roomId":"r","user":{"id":"u2","username":"u2"}}]"#.to_owned(),
            r#"user_left_room [{"roomId":"r","user":{"id":"u2","username":"B"}}]"#.to_owned(),
            r#"room_left [{"roomId":"r"}]"#.to_owned(),
            format!("private_message [{}]", frames[3]),
            format!("connection_status [{}]", frames[4]),
            format!("anything [{}]", frames[5]),
        ]
    );
    let kinds = [
        "user_joined",
        "user_left",
        "room_left",
        "private_message",
        "connection_status",
        "anything",
    ];
    let expected: Vec<_> = kinds
        .iter()
        .zip(frames)
        .map(|(kind, frame)| format!("{kind} [{frame}]"))
        .collect();
    assert_eq!(generic.heard(), expected);
    assert_eq!(
        names(&[say_to_room(&mut pair, "r")]),
        ["none"],
        "what `connection` promised still holds"
    );
}

fn create(pair: &mut Pair, name: &str) -> Receipt {
    let object = format!(r#"{{"name":"{name}","password":"pw"}}"#);
    let emission = Emission::of_object("create_room", object.as_bytes(), EmitOptions::new().reliable());
    let receipt = pair
        .core
        .create_room(pair.now, pair.socket, emission, Some("pw".to_owned()));
    pair.drain();
    receipt
}

#[test]
fn a_created_room_is_the_users_however_the_server_says_so() {
    let rejoin = r#"{"type":"join_room","data":{"room":"r1","password":"pw"}}"#;

    let mut pair = chat(CONNECTION);
    let created = create(&mut pair, "mine");
    let (_, id) = frame(&mut pair);
    pair.server(&json!({"type": "ack", "id": id, "ok": true, "data": {"id": "r1"}}).to_string());
    assert_eq!(names(&[created]), ["delivered"]);
    next_link(&mut pair, PLAIN);
    assert_eq!(pair.frames(), [rejoin]);

    let mut pair = chat(PLAIN);
    assert_eq!(names(&[create(&mut pair, "mine")]), ["sent"]);
    pair.server(r#"{"type":"room_created","id":"r0","name":"somebody else's"}"#);
    pair.server(r#"{"type":"room_created","id":"r1","name":"mine"}"#);
    pair.server(r#"{"type":"room_created","id":"r2","name":"mine"}"#);
    next_link(&mut pair, PLAIN);
    assert_eq!(pair.frames(), [rejoin]);

    // And over Socket.IO.
    let mut pair = Pair::chat();
    pair.connect();
    pair.server(r#"42["connection_status",{"connected":true}]"#);
    assert_eq!(names(&[create(&mut pair, "mine")]), ["sent"]);
    pair.server(r#"42["room_created",{"id":"r1","name":"mine"}]"#);
    reconnect(&mut pair);
    let frames = pair.frames();
    assert!(
        frames.len() == 1 && frames[0].contains(r#""roomId":"r1","password":"pw""#),
        "{frames:?}"
    );
}

#[test]
fn rooms_in_the_making_are_bounded() {
    let mut pair = chat(PLAIN);
    for n in 0..17 {
        let _created = create(&mut pair, &n.to_string());
    }
    for n in [0, 16] {
        pair.server(&format!(r#"{{"type":"room_created","id":"r{n}","name":"{n}"}}"#));
    }
    next_link(&mut pair, PLAIN);
    assert_eq!(frame(&mut pair).0["data"]["room"], "r16");
}
