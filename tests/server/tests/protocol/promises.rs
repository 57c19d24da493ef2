//! What is promised beside the protocol, as it looks on the wire: receipts, and order and receipts to a
//! client of long-polling.

use std::time::Duration;

use rejoin_server::{Limit, RateLimits, Server, ServerConfig};
use serde_json::{Value, json};

use super::link::Link;
use super::polling::Session;
use super::{HOUR, body, connect, start};

fn to_myself(ack: &str, id: &str) -> String {
    let message = json!(["private_message", { "recipientId": "u1", "content": id, "messageId": id }]);
    format!("42{ack}{message}")
}

/// A session on its way into the namespace: what the server says first is still to be heard.
async fn connecting(server: &Server) -> Session<'_> {
    let session = Session::open(server).await;
    session.post(&connect(server)).await;
    session
}

/// The ack id with which an event asks, and its payload.
fn asked(packet: &str) -> (u64, Value) {
    let json = packet.find('[').expect("arguments");
    let id = packet[2..json].parse().expect("an ack id");
    (id, body(packet, &packet[..json])[1].clone())
}

#[tokio::test]
async fn a_message_comes_again_to_a_client_that_polls_until_it_acknowledges_it() {
    let server = start(ServerConfig::default()).await;
    let session = Session::connected(&server).await;
    session.post(&to_myself("", "m1")).await;
    let (_, message) = asked(&session.hears(r#"["private_message""#).await);
    assert_eq!(message["id"], "m1");
    session.post("1").await;

    let session = connecting(&server).await;
    let (ack, again) = asked(&session.hears(r#"["private_message""#).await);
    assert_eq!(again, message);
    session.post(&format!("43{ack}[]\u{1e}421[\"barrier\",{{}}]")).await;
    session.hears("431[").await;

    let session = connecting(&server).await;
    session.post(&to_myself("", "m2")).await;
    let (_, next) = asked(&session.hears(r#"["private_message""#).await);
    assert_eq!(next["id"], "m2");
}

#[tokio::test]
async fn what_is_owed_of_a_room_comes_behind_the_answer_to_the_join() {
    let server = start(ServerConfig::default()).await;
    let mut alice = Link::connected(&server).await;
    alice.say(r#"421["create_room",{"name":"tea"}]"#).await;
    alice.hears("431[").await;
    let bob = json!({ "token": server.mint_token("u2", "Bob", HOUR) });
    let mut away = Link::session(&server).await;
    away.say(&format!("40{bob}")).await;
    away.hears("connection_status").await;
    away.say(r#"421["join_room",{"roomId":"tea"}]"#).await;
    away.hears("431[").await;
    away.close().await;
    alice.hears("user_left_room").await;
    alice
        .say(r#"422["group_message",{"roomId":"tea","content":"hi"}]"#)
        .await;
    alice.hears("432[").await;

    let mut back = Link::session(&server).await;
    back.say(&format!("40{bob}")).await;
    back.hears("connection_status").await;
    back.say(r#"421["join_room",{"roomId":"tea"}]"#).await;
    assert!(back.next().await.starts_with(r#"42["room_joined""#));
    assert!(back.next().await.starts_with("431["));
    assert!(back.next().await.starts_with(r#"421["group_message""#));
}

#[tokio::test]
async fn a_burst_of_one_request_keeps_its_order_past_the_limit() {
    let limits = RateLimits {
        private_message: Limit::new(1, Duration::from_secs(60)),
        ..RateLimits::default()
    };
    let server = start(ServerConfig {
        limits,
        ..ServerConfig::default()
    })
    .await;
    let session = Session::connected(&server).await;
    let packets = [("1", "m1"), ("2", "m2"), ("3", "m3")].map(|(ack, id)| to_myself(ack, id));
    session.post(&packets.join("\u{1e}")).await;
    let refused = body(&session.hears("433[").await, "433");
    assert_eq!(refused[0]["error"]["behind"], "m2");
    session.post(r#"424["skip",{"messageId":"m2"}]"#).await;
    assert_eq!(session.hears("434[").await, r#"434[{"ok":true}]"#);
}
