//! The pages beside the chat.

use rejoin_server::{Server, ServerConfig, ServerError};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::wire::Wire;
use super::{config, server, start};

/// Status and body of a page.
async fn get(server: &Server, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server.addr()).await.expect("connected");
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let written = stream.write_all(request.as_bytes()).await;
    written.expect("written");
    let mut response = String::new();
    let read = stream.read_to_string(&mut response).await;
    read.expect("read");
    let (head, body) = response.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).expect("a status");
    (status.parse().expect("a number"), body.to_owned())
}

#[tokio::test]
async fn health_says_that_the_database_answers() {
    let server = server().await;
    let page = get(&server, "/health").await;
    assert_eq!(page, (200, r#"{"status":"ok"}"#.to_owned()));
}

#[tokio::test]
async fn stats_count_what_happened() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let message = json!({ "recipientId": "u2", "content": "hi", "messageId": "m1" });
    alice.request("private_message", message.clone()).await;
    alice.request("private_message", message).await;
    let (status, body) = get(&server, "/stats").await;
    assert_eq!(status, 200);
    let stats: Value = serde_json::from_str(&body).expect("JSON");
    let counted = json!({
        "connections": 1,
        "connectionsTotal": 1,
        "users": 1,
        "rooms": 0,
        "messages": 1,
        "duplicates": 1,
        "kept": 1,
        "rateLimited": 0,
        "refused": 0,
    });
    assert_eq!(stats, counted);
}

#[tokio::test]
async fn tokens_for_development_are_minted_where_they_are_wanted() {
    let server = start(ServerConfig {
        dev_tokens: true,
        ..config()
    })
    .await;
    let (status, token) = get(&server, "/dev/token?user=u1&name=Alice").await;
    assert_eq!(status, 200);
    let connected = Wire::connect(&server, json!({ "token": token }), None).await;
    let mut alice = connected.expect("a good token");
    let greeting = alice.event("connection_status").await;
    assert_eq!(greeting["username"], "Alice");
}

#[tokio::test]
async fn tokens_for_development_are_not_minted_unless_wanted() {
    let server = server().await;
    assert_eq!(get(&server, "/dev/token?user=u1").await.0, 404);
}

#[tokio::test]
async fn tokens_for_development_are_refused_off_loopback() {
    let config = ServerConfig {
        bind: ([0, 0, 0, 0], 0).into(),
        dev_tokens: true,
        ..config()
    };
    let error = Server::start(config).await.expect_err("refused");
    assert!(matches!(error, ServerError::DevTokensOffLoopback(_)));
}
