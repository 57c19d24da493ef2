//! `closing`: what the server says before it ends a connection, over both protocols.

use std::time::Duration;

use rejoin_server::{Closing, ServerConfig};
use serde_json::{Value, json};

use super::plain::Plain;
use super::wire::{Wire, until};
use super::{HOUR, config, server, start};

/// The code of the `closing` that is the only event before the end.
async fn closing(wire: &mut Wire) -> Value {
    let last = wire.ends().await;
    assert_eq!(last.len(), 1, "{last:?}");
    assert_eq!(last[0].0, "closing");
    assert!(last[0].1["message"].is_string());
    last[0].1["code"].clone()
}

#[tokio::test]
async fn shutdown_says_when_to_come_back() {
    let server = start(ServerConfig {
        retry_after: Some(Duration::from_millis(1500)),
        ..config()
    })
    .await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut bob = Plain::user(&server, "u2", "Bob").await;
    server.shutdown().await;
    let expected = json!({
        "code": "shutdown",
        "message": "the server is shutting down",
        "retryAfterMs": 1500,
    });
    assert_eq!(alice.ends().await, [("closing".to_owned(), expected.clone())]);
    let (last, code) = bob.ends().await;
    assert_eq!(last[0]["type"], "closing");
    assert_eq!(last[0]["retryAfterMs"], 1500);
    assert_eq!(code, 1001);
}

#[tokio::test]
async fn with_too_many_connections_of_a_user_the_oldest_goes() {
    let server = start(ServerConfig {
        max_connections: Some(2),
        ..config()
    })
    .await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    let mut two = Plain::user(&server, "u1", "Alice").await;
    let _other = Wire::user(&server, "u2", "Bob").await;
    assert_eq!(one.rest().await, []);
    let mut three = Wire::user(&server, "u1", "Alice").await;
    assert_eq!(closing(&mut one).await, "replaced");
    let _four = Wire::user(&server, "u1", "Alice").await;
    let (last, code) = two.ends().await;
    assert_eq!((&last[0]["code"], code), (&json!("replaced"), 1008));
    assert_eq!(three.rest().await, []);
    until(|| server.stats().connections == 3).await;
}

#[tokio::test]
async fn a_banned_user_is_disconnected_and_let_in_no_more() {
    let server = server().await;
    let mut phone = Wire::user(&server, "u1", "Alice").await;
    let mut laptop = Plain::user(&server, "u1", "Alice").await;
    let mut bob = Wire::user(&server, "u2", "Bob").await;
    server.ban("u1").await;
    assert_eq!(closing(&mut phone).await, "banned");
    assert_eq!(laptop.ends().await.0[0]["code"], "banned");

    let token = server.mint_token("u1", "Alice", HOUR);
    let refused = Wire::connect(&server, json!({ "token": token }), None).await;
    let message = refused.err().expect("refused")["message"].clone();
    assert!(
        message.as_str().is_some_and(|text| text.starts_with("banned: ")),
        "{message}"
    );
    let mut again = Plain::open(&server).await;
    again.event("connection").await;
    again
        .say(json!({ "type": "authenticate", "data": { "token": token } }))
        .await;
    assert_eq!(again.event("authentication_failed").await["code"], "banned");
    assert_eq!(bob.rest().await, []);
}

#[tokio::test]
async fn a_banned_user_who_does_not_read_is_not_listened_to() {
    let server = start(ServerConfig {
        max_payload: 16_000_000,
        ..config()
    })
    .await;
    let mut mallory = Plain::user(&server, "u1", "Mallory").await;
    let bob = Wire::user(&server, "u2", "Bob").await;
    mallory.request("create_room", json!({ "name": "Tea" })).await;
    let mut other = Plain::user(&server, "u1", "Mallory").await;
    // More than the system's buffers take, so that nothing can be written to Mallory any more.
    let content = "x".repeat(60_000);
    let message = json!({ "recipientId": "u1", "content": content });
    for _ in 0..400 {
        let sent = other.request("private_message", message.clone()).await;
        assert_eq!(sent["ok"], true);
    }
    server.ban("u1").await;
    let before = server.stats().messages;
    let message = json!({ "type": "private_message", "data": { "recipientId": "u2", "content": "spam" } });
    for _ in 0..20 {
        mallory.try_say(&message).await;
    }
    until(|| server.stats().connections == 1).await;
    assert_eq!(server.stats().messages, before);
    drop(bob);
}

#[tokio::test]
async fn users_can_be_banned_from_the_beginning() {
    let server = start(ServerConfig {
        banned: vec!["u1".to_owned()],
        ..config()
    })
    .await;
    let token = server.mint_token("u1", "Alice", HOUR);
    let refused = Wire::connect(&server, json!({ "token": token }), None).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn a_connection_that_sends_no_event_for_long_is_closed() {
    let server = start(ServerConfig {
        idle_timeout: Some(Duration::from_millis(200)),
        // Heartbeats are no events.
        ping_interval: Duration::from_millis(20),
        ..config()
    })
    .await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut bob = Plain::user(&server, "u2", "Bob").await;
    assert_eq!(closing(&mut alice).await, "idle");
    let (last, code) = bob.ends().await;
    assert_eq!((&last[0]["code"], code), (&json!("idle"), 1008));
    until(|| server.stats().connections == 0).await;
}

#[tokio::test]
async fn a_test_can_close_a_users_connections_with_any_code() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut bob = Wire::user(&server, "u2", "Bob").await;
    server.close_user("u1", Closing::Replaced).await;
    assert_eq!(closing(&mut alice).await, "replaced");
    assert_eq!(bob.rest().await, []);
    // Nothing keeps Alice from coming back.
    Wire::user(&server, "u1", "Alice").await;
}

#[tokio::test]
async fn what_is_sent_to_a_user_whose_connection_was_closed_is_kept() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut bob = Wire::user(&server, "u2", "Bob").await;
    server.close_user("u2", Closing::Shutdown).await;
    let message = json!({ "recipientId": "u2", "content": "hello", "messageId": "m1" });
    alice.request("private_message", message).await;
    assert_eq!(alice.named("message_sent").await["delivered"], false);
    assert_eq!(closing(&mut bob).await, "shutdown");
    let mut bob = Wire::user(&server, "u2", "Bob").await;
    assert_eq!(bob.event("private_message").await["id"], "m1");
}
