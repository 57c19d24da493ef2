//! CONNECT: tokens, refusals, greeting, shutdown.

use std::time::Duration;

use rejoin_server::{Features, Server, ServerConfig};
use serde_json::{Value, json};

use super::wire::Wire;
use super::{HOUR, config, server, start};

async fn refused(server: &Server, auth: Value) -> String {
    let Err(error) = Wire::connect(server, auth, None).await else {
        panic!("CONNECT was accepted");
    };
    let message = error["message"].as_str().expect("a message");
    let (code, sentence) = message.split_once(": ").expect("a code before the sentence");
    assert!(!sentence.is_empty());
    code.to_owned()
}

#[tokio::test]
async fn the_greeting_comes_first_and_names_user_and_features() {
    let server = server().await;
    let mut alice = Wire::quiet(&server, "u1", "Alice").await;
    let greeting = json!({
        "connected": true,
        "userId": "u1",
        "username": "Alice",
        "features": ["ack", "dedupe", "order", "receipts"],
        "friends": [],
    });
    assert_eq!(alice.next().await, ("connection_status".into(), greeting));
}

#[tokio::test]
async fn a_token_in_the_authorization_header_is_as_good() {
    let server = server().await;
    let header = format!("Bearer {}", server.mint_token("u1", "Alice", HOUR));
    let connected = Wire::connect(&server, json!({}), Some(&header)).await;
    let greeting = connected.expect("accepted").event("connection_status").await;
    assert_eq!(greeting["userId"], "u1");
}

#[tokio::test]
async fn without_a_token_nobody_gets_in() {
    let server = server().await;
    assert_eq!(refused(&server, json!({})).await, "token_missing");
    assert_eq!(refused(&server, json!({ "token": null })).await, "token_missing");
    assert_eq!(server.stats().refused, 2);
}

#[tokio::test]
async fn an_expired_token_is_refused_as_expired() {
    let server = server().await;
    let token = server.mint_token("u1", "Alice", Duration::ZERO);
    assert_eq!(refused(&server, json!({ "token": token })).await, "token_expired");
}

#[tokio::test]
async fn a_token_of_another_secret_is_refused() {
    let (server, other) = (server().await, server().await);
    let token = other.mint_token("u1", "Alice", HOUR);
    assert_eq!(refused(&server, json!({ "token": token })).await, "token_invalid");
}

#[tokio::test]
async fn a_token_that_names_no_algorithm_is_refused() {
    let server = server().await;
    // {"alg":"none","typ":"JWT"} and {"sub":"u1","username":"Alice","exp":9999999999}
    let token = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.\
                 eyJzdWIiOiJ1MSIsInVzZXJuYW1lIjoiQWxpY2UiLCJleHAiOjk5OTk5OTk5OTl9.";
    assert_eq!(refused(&server, json!({ "token": token })).await, "token_invalid");
    // The same claims under a good token's header and signature.
    let good = server.mint_token("u1", "Alice", HOUR);
    let parts: Vec<&str> = good.split('.').collect();
    let claims = token.split('.').nth(1).expect("claims");
    let forged = format!("{}.{claims}.{}", parts[0], parts[2]);
    assert_eq!(refused(&server, json!({ "token": forged })).await, "token_invalid");
}

#[tokio::test]
async fn a_token_that_is_not_text_is_refused() {
    let server = server().await;
    assert_eq!(refused(&server, json!({ "token": 1 })).await, "token_invalid");
}

#[tokio::test]
async fn features_that_are_switched_off_are_neither_announced_nor_kept() {
    let server = start(ServerConfig {
        features: Features::NONE,
        ..config()
    })
    .await;
    let mut alice = Wire::quiet(&server, "u1", "Alice").await;
    let greeting = alice.event("connection_status").await;
    assert_eq!(greeting["features"], json!([]));

    let message = json!({ "recipientId": "u1", "content": "hi", "messageId": "m1" });
    for _ in 0..2 {
        alice.ask("private_message", message.clone()).await;
        assert_eq!(alice.event("private_message").await["id"], "m1");
        assert_eq!(alice.event("message_sent").await["id"], "m1");
    }
    alice.ask("private_message", json!({})).await;
    assert_eq!(alice.event("error").await["code"], "invalid_payload");
}

#[tokio::test]
async fn shutdown_tells_every_client_and_frees_the_port() {
    let server = server().await;
    let addr = server.addr();
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    server.shutdown().await;
    let last = alice.ends().await;
    assert_eq!(last.len(), 1, "{last:?}");
    assert_eq!(last[0].0, "closing");
    assert_eq!(last[0].1["code"], "shutdown");
    start(ServerConfig { bind: addr, ..config() }).await;
}

#[tokio::test]
async fn dropping_a_server_ends_its_connections() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    drop(server);
    assert_eq!(alice.ends().await, []);
}
