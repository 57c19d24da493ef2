//! Friends: from the first private message, and when they come and go.

use serde_json::{Value, json};

use super::plain::Plain;
use super::server;
use super::wire::Wire;

async fn message(wire: &mut Wire, to: &str) {
    let message = json!({ "recipientId": to, "content": "hello" });
    wire.request("private_message", message).await;
    wire.named("message_sent").await;
}

async fn greeting(server: &rejoin_server::Server, id: &str, name: &str) -> Value {
    let mut wire = Wire::quiet(server, id, name).await;
    wire.event("connection_status").await
}

#[tokio::test]
async fn the_first_private_message_between_two_makes_them_friends() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut bob = Wire::user(&server, "u2", "Bob").await;
    message(&mut alice, "u2").await;
    message(&mut bob, "u1").await;
    let friend = json!({ "id": "u2", "username": "Bob", "status": "online" });
    assert_eq!(greeting(&server, "u1", "Alice").await["friends"], json!([friend]));
    let friend = json!({ "id": "u1", "username": "Alice", "status": "online" });
    assert_eq!(greeting(&server, "u2", "Bob").await["friends"], json!([friend]));
    assert_eq!(greeting(&server, "u3", "Carol").await["friends"], json!([]));
}

#[tokio::test]
async fn a_friend_who_never_connected_has_no_name_but_the_id() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    message(&mut alice, "u2").await;
    message(&mut alice, "u1").await;
    let friend = json!({ "id": "u2", "username": "u2", "status": "offline" });
    assert_eq!(greeting(&server, "u1", "Alice").await["friends"], json!([friend]));
}

#[tokio::test]
async fn friends_hear_of_the_first_connection_and_of_the_end_of_the_last() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut carol = Wire::user(&server, "u3", "Carol").await;
    message(&mut alice, "u2").await;

    let phone = Wire::user(&server, "u2", "Bob").await;
    let online = alice.event("friend_status_change").await;
    assert_eq!(online["userId"], "u2");
    assert_eq!(online["status"], "online");
    assert!(online["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')));

    let laptop = Plain::user(&server, "u2", "Bob").await;
    phone.leave(&server).await;
    assert_eq!(alice.rest().await, []);
    laptop.leave(&server).await;
    assert_eq!(alice.event("friend_status_change").await["status"], "offline");
    assert_eq!(carol.rest().await, []);
}
