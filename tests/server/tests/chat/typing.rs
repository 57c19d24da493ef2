//! Typing: who sees it.

use serde_json::json;

use super::server;
use super::wire::Wire;

#[tokio::test]
async fn typing_to_a_user_is_seen_by_that_user_alone() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut bob = Wire::user(&server, "u2", "Bob").await;
    let mut carol = Wire::user(&server, "u3", "Carol").await;
    let to_bob = json!({ "type": "private", "recipientId": "u2" });
    alice.emit("typing_start", to_bob.clone()).await;
    alice.emit("typing_stop", to_bob).await;
    let start = json!({ "userId": "u1", "username": "Alice" });
    assert_eq!(bob.event("typing_start").await, start);
    assert_eq!(bob.event("typing_stop").await, json!({ "userId": "u1" }));
    assert_eq!(carol.rest().await, []);
    assert_eq!(alice.rest().await, []);
}

#[tokio::test]
async fn typing_in_a_room_is_seen_by_its_other_members() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut bob = Wire::user(&server, "u2", "Bob").await;
    let mut carol = Wire::user(&server, "u3", "Carol").await;
    alice.request("create_room", json!({ "name": "tea" })).await;
    alice.event("room_created").await;
    bob.request("join_room", json!({ "roomId": "tea" })).await;
    bob.event("room_joined").await;
    alice.event("user_joined_room").await;

    let in_tea = json!({ "type": "group", "roomId": "tea" });
    alice.emit("typing_start", in_tea.clone()).await;
    let start = json!({ "userId": "u1", "username": "Alice", "roomId": "tea" });
    assert_eq!(bob.event("typing_start").await, start);
    assert_eq!(alice.rest().await, []);

    let refused = carol.request("typing_start", in_tea).await;
    assert_eq!(refused["error"]["code"], "not_member");
    assert_eq!(bob.rest().await, []);
}
