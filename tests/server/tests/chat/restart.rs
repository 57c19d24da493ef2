//! A database in a file: what was acknowledged is there after a restart.

use rejoin_server::{Database, ServerConfig, ServerError};
use serde_json::json;

use super::wire::Wire;
use super::{config, start};

#[tokio::test]
async fn messages_answers_and_rooms_survive_a_restart() {
    let folder = std::env::temp_dir().join(format!("rejoin-server-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let config = ServerConfig {
        database: Database::File(folder.join("chat.db")),
        ..config()
    };
    let message = json!({ "recipientId": "u2", "content": "hello", "messageId": "m1" });

    let server = start(config.clone()).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let first = alice.request("private_message", message.clone()).await;
    alice.request("create_room", json!({ "name": "tea" })).await;
    // Not in good order: as if the process had been killed.
    drop((server, alice));

    let server = start(config).await;
    assert_eq!((server.stats().kept, server.stats().rooms), (1, 1));
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    assert_eq!(alice.request("private_message", message).await, first);
    let mut bob = Wire::quiet(&server, "u2", "Bob").await;
    bob.event("connection_status").await;
    assert_eq!(bob.event("private_message").await["id"], "m1");
    let joined = bob.request("join_room", json!({ "roomId": "tea" })).await;
    assert_eq!(joined["ok"], true);
    server.shutdown().await;
    std::fs::remove_dir_all(folder).expect("removed");
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_an_error_that_names_it() {
    let config = ServerConfig {
        database: Database::File("/nowhere/at/all/chat.db".into()),
        ..config()
    };
    let error = rejoin_server::Server::start(config).await;
    let error = error.expect_err("there is no such folder");
    assert!(matches!(error, ServerError::Database { .. }), "{error}");
    assert!(error.to_string().contains("/nowhere/at/all/chat.db"));
}
