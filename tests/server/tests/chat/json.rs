//! Plain JSON at `/ws`: the same chat, in other frames.

use std::time::Duration;

use rejoin_server::{Features, Limit, RateLimits, ServerConfig};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::plain::Plain;
use super::wire::{Wire, until};
use super::{HOUR, config, server, start};

fn alice() -> Value {
    json!({ "id": "u1", "username": "Alice" })
}

fn bob() -> Value {
    json!({ "id": "u2", "username": "Bob" })
}

fn authenticate(token: &str) -> Value {
    json!({ "type": "authenticate", "data": { "token": token } })
}

#[tokio::test]
async fn a_connection_names_its_features_and_then_its_user() {
    let server = server().await;
    let mut plain = Plain::open(&server).await;
    let connection = plain.event("connection").await;
    assert!(connection["clientId"].as_str().is_some_and(|id| id.len() == 36));
    assert!(connection["message"].is_string());
    assert_eq!(connection["features"], json!(["ack", "dedupe", "order", "receipts"]));
    plain.say(authenticate(&server.mint_token("u1", "Alice", HOUR))).await;
    let authenticated = plain.event("authenticated").await;
    assert_eq!(authenticated["user"], alice());
    assert_eq!(authenticated["friends"], json!([]));
    assert_eq!(plain.rest().await, Vec::<Value>::new());
}

#[tokio::test]
async fn before_authenticate_only_ping_is_answered() {
    let server = server().await;
    let mut plain = Plain::open(&server).await;
    plain.event("connection").await;
    plain.say(json!({ "type": "ping" })).await;
    plain.event("pong").await;
    plain
        .say(json!({ "type": "join_room", "data": { "room": "tea" } }))
        .await;
    let error = plain.event("error").await;
    assert_eq!(
        (&error["code"], &error["event"]),
        (&json!("not_authenticated"), &json!("join_room"))
    );
    let answer = plain.request("join_room", json!({ "room": "tea" })).await;
    assert_eq!(answer["ok"], false);
    assert_eq!(answer["error"]["code"], "not_authenticated");
    assert_eq!(server.stats().connections, 0);
}

#[tokio::test]
async fn after_a_refusal_another_token_can_be_tried() {
    let server = server().await;
    let mut plain = Plain::open(&server).await;
    plain.event("connection").await;
    for (data, code) in [
        (json!({}), "token_missing"),
        (json!({ "token": 1 }), "token_invalid"),
        (json!({ "token": "x" }), "token_invalid"),
        (
            json!({ "token": server.mint_token("u1", "Alice", Duration::ZERO) }),
            "token_expired",
        ),
    ] {
        plain.say(json!({ "type": "authenticate", "data": data })).await;
        let failed = plain.event("authentication_failed").await;
        assert_eq!(failed["code"], code);
        assert!(failed["message"].as_str().is_some_and(|text| text.starts_with(code)));
    }
    assert_eq!(server.stats().refused, 4);
    plain.say(authenticate(&server.mint_token("u1", "Alice", HOUR))).await;
    plain.event("authenticated").await;
}

#[tokio::test]
async fn whoever_does_not_authenticate_in_time_is_closed() {
    let server = start(ServerConfig {
        auth_timeout: Duration::from_millis(50),
        ..config()
    })
    .await;
    let mut plain = Plain::open(&server).await;
    let (last, code) = plain.ends().await;
    assert_eq!(last[1]["type"], "error");
    assert_eq!(code, 1008);
}

#[tokio::test]
async fn a_token_can_be_renewed_but_not_be_anothers() {
    let server = server().await;
    let mut plain = Plain::user(&server, "u1", "Alice").await;
    plain.say(authenticate(&server.mint_token("u1", "Alice", HOUR))).await;
    assert_eq!(plain.event("authenticated").await["user"], alice());
    plain.say(authenticate(&server.mint_token("u2", "Bob", HOUR))).await;
    assert_eq!(plain.event("authentication_failed").await["code"], "other_user");
    assert_eq!(plain.rest().await, Vec::<Value>::new());
}

#[tokio::test]
async fn both_protocols_meet_in_a_room() {
    let server = server().await;
    let mut one = Plain::user(&server, "u1", "Alice").await;
    let mut two = Wire::user(&server, "u2", "Bob").await;
    let created = one.request("create_room", json!({ "name": "Tea Time" })).await;
    assert_eq!(
        created,
        json!({ "type": "ack", "id": "r1", "ok": true, "data": { "id": "tea-time" } })
    );
    assert_eq!(one.event("room_created").await["id"], "tea-time");
    two.request("join_room", json!({ "roomId": "tea-time" })).await;
    two.event("room_joined").await;
    let joined = json!({ "type": "user_joined", "room": "tea-time", "user": bob() });
    assert_eq!(one.event("user_joined").await, joined);

    let content = json!({ "room": "tea-time", "content": "sugar?", "timestamp": "2026-11-23T20:36:38.125Z" });
    one.say(json!({ "type": "message", "id": "m1", "data": content })).await;
    let ack = json!({ "type": "ack", "id": "m1", "ok": true, "data": { "id": "m1" } });
    assert_eq!(one.answer("m1").await, ack);
    assert_eq!(one.event("message_sent").await["id"], "m1");
    let heard = json!({
        "id": "m1",
        "room": "tea-time",
        "sender": alice(),
        "content": "sugar?",
        "timestamp": "2026-11-23T20:36:38.125Z",
    });
    assert_eq!(two.event("group_message").await, heard);

    let message = json!({ "roomId": "tea-time", "content": "milk", "messageId": "m2" });
    two.request("group_message", message).await;
    let heard = one.event("chat_message").await;
    assert_eq!(heard["user"], bob());
    assert_eq!((&heard["id"], &heard["content"]), (&json!("m2"), &json!("milk")));

    two.request("leave_room", json!({ "roomId": "tea-time" })).await;
    let left = json!({ "type": "user_left", "room": "tea-time", "user": bob() });
    assert_eq!(one.event("user_left").await, left);
}

#[tokio::test]
async fn a_room_is_joined_and_left_by_its_name_in_frames() {
    let server = server().await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    one.request("create_room", json!({ "name": "tea", "password": "leaves" }))
        .await;
    one.event("room_created").await;
    let mut two = Plain::user(&server, "u2", "Bob").await;
    let wrong = two
        .request("join_room", json!({ "room": "tea", "password": "x" }))
        .await;
    assert_eq!(wrong["error"]["code"], "wrong_password");
    assert_eq!(two.event("join_room_failed").await["roomId"], "tea");
    let joined = two
        .request("join_room", json!({ "room": "tea", "password": "leaves" }))
        .await;
    assert_eq!(joined["ok"], true);
    let told = json!({ "type": "room_joined", "room": "tea", "members": [alice(), bob()] });
    assert_eq!(two.event("room_joined").await, told);
    assert_eq!(two.request("leave_room", json!({ "room": "tea" })).await["ok"], true);
    assert_eq!(
        two.event("room_left").await,
        json!({ "type": "room_left", "room": "tea" })
    );
}

#[tokio::test]
async fn every_other_event_has_its_name_and_its_payload() {
    let server = server().await;
    let id = server.notify("u1", "News", "look").await.expect("kept");
    let mut one = Plain::user(&server, "u1", "Alice").await;
    let mut two = Wire::user(&server, "u2", "Bob").await;
    let notification = json!({ "type": "notification", "id": id, "title": "News", "message": "look" });
    assert_eq!(one.event("notification").await, notification);
    let marked = one
        .request("mark_notifications_read", json!({ "notificationIds": [id] }))
        .await;
    assert_eq!(marked["ok"], true);
    one.event("notifications_marked_read").await;

    let typing = json!({ "type": "private", "recipientId": "u2" });
    one.say(json!({ "type": "typing_start", "data": typing })).await;
    assert_eq!(two.event("typing_start").await["userId"], "u1");
    one.request("private_message", json!({ "recipientId": "u2", "content": "hi" }))
        .await;
    assert_eq!(two.event("private_message").await["sender"], alice());
    one.event("message_sent").await;
    two.request("private_message", json!({ "recipientId": "u1", "content": "ho" }))
        .await;
    assert_eq!(one.event("private_message").await["sender"], bob());

    let invite = one
        .request("game_invite", json!({ "recipientId": "u2", "gameType": "go" }))
        .await;
    let made = json!({ "gameId": invite["data"]["id"], "move": [3, 3] });
    assert_eq!(one.request("game_move", made).await["ok"], true);
    assert_eq!(two.named("game_move").await["move"], json!([3, 3]));
    assert_eq!(one.event("game_move").await["player"], alice());
}

#[tokio::test]
async fn a_copy_over_the_other_protocol_is_a_copy() {
    let server = server().await;
    let mut plain = Plain::user(&server, "u1", "Alice").await;
    let mut wire = Wire::user(&server, "u1", "Alice").await;
    let mut two = Plain::user(&server, "u2", "Bob").await;
    let message = json!({ "recipientId": "u2", "content": "hello" });
    plain
        .say(json!({ "type": "private_message", "id": "m1", "data": message }))
        .await;
    assert_eq!(plain.answer("m1").await["data"]["id"], "m1");
    let copy = json!({ "recipientId": "u2", "content": "hello", "messageId": "m1" });
    assert_eq!(
        wire.request("private_message", copy).await,
        json!({ "ok": true, "id": "m1" })
    );
    assert_eq!(two.rest().await.len(), 1);
    assert_eq!(server.stats().duplicates, 1);
}

#[tokio::test]
async fn without_an_id_there_is_no_ack_and_a_refusal_is_an_error() {
    let limits = RateLimits {
        typing: Limit::new(0, HOUR),
        ..RateLimits::default()
    };
    let server = start(ServerConfig { limits, ..config() }).await;
    let mut plain = Plain::user(&server, "u1", "Alice").await;
    plain
        .say(json!({ "type": "message", "data": { "room": "tea", "content": "hi" } }))
        .await;
    let error = plain.event("error").await;
    assert_eq!(
        (&error["code"], &error["event"]),
        (&json!("not_member"), &json!("group_message"))
    );
    plain
        .say(json!({ "type": "typing_start", "data": { "type": "private" } }))
        .await;
    assert_eq!(plain.event("rate_limit_exceeded").await["event"], "typing_start");
    assert_eq!(plain.rest().await, Vec::<Value>::new());
}

#[tokio::test]
async fn without_the_feature_an_id_is_not_acknowledged() {
    let server = start(ServerConfig {
        features: Features::NONE,
        ..config()
    })
    .await;
    let mut plain = Plain::open(&server).await;
    assert_eq!(plain.event("connection").await["features"], json!([]));
    plain.say(authenticate(&server.mint_token("u1", "Alice", HOUR))).await;
    plain.event("authenticated").await;
    let message = json!({ "recipientId": "u1", "content": "hi" });
    plain
        .say(json!({ "type": "private_message", "id": "m1", "data": message }))
        .await;
    plain.event("private_message").await;
    plain.event("message_sent").await;
    plain.say(json!({ "type": "barrier", "id": "b1" })).await;
    assert_eq!(plain.event("error").await["code"], "unknown_event");
}

#[tokio::test]
async fn a_pipelined_burst_is_delivered_in_its_order() {
    let server = server().await;
    let mut one = Plain::user(&server, "u1", "Alice").await;
    let mut two = Plain::user(&server, "u2", "Bob").await;
    for n in 0..500 {
        let message = json!({ "recipientId": "u2", "content": n.to_string() });
        let frame = json!({ "type": "private_message", "id": format!("m{n}"), "data": message });
        one.say(frame).await;
    }
    for n in 0..500 {
        assert_eq!(two.event("private_message").await["content"], n.to_string());
    }
    assert_eq!(one.answer("m499").await["ok"], true);
}

/// What the server says, and with which code it closes, when it reads this.
async fn refused(server: &rejoin_server::Server, message: Message) -> u16 {
    let mut plain = Plain::user(server, "u1", "Alice").await;
    plain.write(message).await;
    let (last, code) = plain.ends().await;
    let error = last.last().expect("an event");
    assert_eq!(error["type"], "error");
    assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()));
    until(|| server.stats().connections == 0).await;
    code
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_and_the_end() {
    let server = start(ServerConfig {
        max_payload: 1000,
        ..config()
    })
    .await;
    assert_eq!(refused(&server, Message::binary(vec![1, 2, 3])).await, 1003);
    for garbage in ["hello", "[]", "{}", r#"{"type":1}"#, r#"{"type":"ping""#] {
        assert_eq!(refused(&server, Message::text(garbage)).await, 1007, "{garbage}");
    }
    let not_utf8 = Frame::message(vec![0xff], OpCode::Data(Data::Text), true);
    assert_eq!(refused(&server, Message::Frame(not_utf8)).await, 1007);
    let fits = json!({ "type": "ping", "data": "x".repeat(900) });
    let mut plain = Plain::user(&server, "u1", "Alice").await;
    plain.say(fits).await;
    plain.event("pong").await;
    plain.leave(&server).await;
    for size in [1000, 32_000_000] {
        let large = json!({ "type": "ping", "data": "x".repeat(size) });
        assert_eq!(refused(&server, Message::text(large.to_string())).await, 1009);
    }
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let server = start(ServerConfig {
        ping_interval: Duration::from_millis(50),
        ping_timeout: Duration::from_millis(50),
        ..config()
    })
    .await;
    let mut plain = Plain::user(&server, "u1", "Alice").await;
    let (last, code) = plain.ends().await;
    assert_eq!(last[0]["type"], "error");
    assert_eq!(code, 1008);
    until(|| server.stats().connections == 0).await;
}

#[tokio::test]
async fn a_connection_that_ends_leaves_its_rooms() {
    let server = server().await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    one.request("create_room", json!({ "name": "tea" })).await;
    one.event("room_created").await;
    let mut two = Plain::user(&server, "u2", "Bob").await;
    two.request("join_room", json!({ "room": "tea" })).await;
    one.event("user_joined_room").await;
    drop(two);
    assert_eq!(one.event("user_left_room").await["user"], bob());
}

#[tokio::test]
async fn what_a_connection_that_does_not_read_has_no_room_for_comes_on_return() {
    let server = start(ServerConfig {
        max_kept: 100,
        max_notifications: 1,
        features: Features {
            receipts: false,
            ..Features::default()
        },
        ..config()
    })
    .await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut bob = Plain::user(&server, "u2", "Bob").await;
    // Large ones fill what the system buffers, small ones the server's own queue.
    let filling = "x".repeat(64 * 1024);
    let mut first_kept = None;
    for n in 0..10_000 {
        let content = if n < 250 { &filling } else { "y" };
        let message = json!({ "recipientId": "u2", "content": content, "messageId": format!("m{n}") });
        alice.emit("private_message", message).await;
        if alice.event("message_sent").await["delivered"] == false {
            first_kept = Some(n);
            break;
        }
    }
    let kept = first_kept.expect("the queue has an end");
    for n in 0..kept {
        assert_eq!(bob.event("private_message").await["id"], format!("m{n}"));
    }
    // There is room again, but what comes now must not overtake what was kept.
    let next = json!({ "recipientId": "u2", "content": "z", "messageId": "next" });
    alice.emit("private_message", next).await;
    assert_eq!(alice.event("message_sent").await["delivered"], false);
    assert_eq!(bob.ends().await, (Vec::new(), 1013));

    until(|| server.stats().connections == 1).await;
    let mut bob = Plain::user(&server, "u2", "Bob").await;
    for id in [format!("m{kept}"), "next".to_owned()] {
        assert_eq!(bob.event("private_message").await["id"], id);
    }
}

#[tokio::test]
async fn a_request_that_is_no_websocket_is_told_so() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let server = server().await;
    let mut stream = tokio::net::TcpStream::connect(server.addr()).await.expect("connected");
    let request = b"GET /ws HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.expect("written");
    let mut response = String::new();
    stream.read_to_string(&mut response).await.expect("read");
    assert!(response.starts_with("HTTP/1.1 426 "), "{response}");
}

#[tokio::test]
async fn what_a_client_calls_an_event_is_not_repeated_at_length() {
    let server = server().await;
    let mut plain = Plain::open(&server).await;
    plain.event("connection").await;
    let long = "ü".repeat(50_000);
    plain.say(json!({ "type": long })).await;
    let told = plain.event("error").await.to_string();
    assert!(told.len() < 1000, "{} bytes before authenticate", told.len());

    let mut alice = Plain::user(&server, "u1", "Alice").await;
    alice.say(json!({ "type": long, "data": { "messageId": long } })).await;
    let told = alice.event("error").await;
    assert_eq!(told["code"], "unknown_event");
    let told = told.to_string();
    assert!(told.len() < 1000, "{} bytes", told.len());
    let answer = alice.request(&long, json!({})).await.to_string();
    assert!(answer.len() < 1000, "{} bytes", answer.len());
}
