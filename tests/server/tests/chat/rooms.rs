//! Rooms: creation, passwords, membership, who is told what.

use serde_json::{Value, json};

use super::server;
use super::wire::{Wire, until};

fn alice() -> Value {
    json!({ "id": "u1", "username": "Alice" })
}

fn bob() -> Value {
    json!({ "id": "u2", "username": "Bob" })
}

#[tokio::test]
async fn the_creator_of_a_room_is_in_it_and_others_join_by_its_id() {
    let server = server().await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    let mut two = Wire::user(&server, "u2", "Bob").await;
    let tea = json!({ "name": "Tea Time", "description": "at five" });
    let answer = one.request("create_room", tea).await;
    assert_eq!(answer, json!({ "ok": true, "id": "tea-time" }));
    let created = one.event("room_created").await;
    assert_eq!(created["id"], "tea-time");
    assert_eq!(created["name"], "Tea Time");
    assert_eq!(created["description"], "at five");
    assert_eq!(created["isPrivate"], false);
    assert_eq!(created["hasPassword"], false);

    let answer = two.request("join_room", json!({ "roomId": "tea-time" })).await;
    assert_eq!(answer, json!({ "ok": true, "id": "tea-time" }));
    let joined = json!({ "room": "tea-time", "members": [alice(), bob()] });
    assert_eq!(two.event("room_joined").await, joined);
    let told = json!({ "roomId": "tea-time", "user": bob() });
    assert_eq!(one.event("user_joined_room").await, told);

    let message = json!({ "roomId": "tea-time", "content": "milk?", "messageId": "m1" });
    two.emit("group_message", message).await;
    let received = one.event("group_message").await;
    assert_eq!(received["id"], "m1");
    assert_eq!(received["room"], "tea-time");
    assert_eq!(received["sender"], bob());
    assert_eq!(received["content"], "milk?");
    // The sender is told that it was sent, and does not get it.
    let sent = json!({ "id": "m1", "roomId": "tea-time", "delivered": true });
    assert_eq!(two.rest().await, [("message_sent".to_owned(), sent)]);

    two.request("leave_room", json!({ "roomId": "tea-time" })).await;
    let left = json!({ "roomId": "tea-time" });
    assert_eq!(two.event("room_left").await, left);
    let told = json!({ "roomId": "tea-time", "user": bob() });
    assert_eq!(one.event("user_left_room").await, told);
}

#[tokio::test]
async fn a_room_that_is_not_there_cannot_be_joined() {
    let server = server().await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    let answer = one.request("join_room", json!({ "roomId": "nowhere" })).await;
    assert_eq!(answer["error"]["code"], "not_found");
    let failed = json!({ "roomId": "nowhere", "reason": "not_found" });
    assert_eq!(one.event("join_room_failed").await, failed);
}

#[tokio::test]
async fn a_room_with_a_password_opens_to_it_alone() {
    let server = server().await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    let mut two = Wire::user(&server, "u2", "Bob").await;
    let secret = json!({ "name": "den", "isPrivate": true, "password": "open sesame" });
    one.request("create_room", secret).await;
    assert_eq!(one.event("room_created").await["hasPassword"], true);
    for wrong in [
        json!({ "roomId": "den" }),
        json!({ "roomId": "den", "password": "open" }),
    ] {
        let answer = two.request("join_room", wrong).await;
        assert_eq!(answer["error"]["code"], "wrong_password");
        let failed = json!({ "roomId": "den", "reason": "wrong_password" });
        assert_eq!(two.event("join_room_failed").await, failed);
    }
    let right = json!({ "roomId": "den", "password": "open sesame" });
    assert_eq!(two.request("join_room", right).await["ok"], true);
    assert_eq!(two.event("room_joined").await["room"], "den");
}

#[tokio::test]
async fn a_private_room_without_a_password_is_its_creators() {
    let server = server().await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    let mut two = Wire::user(&server, "u2", "Bob").await;
    one.request("create_room", json!({ "name": "diary", "isPrivate": true }))
        .await;
    one.request("leave_room", json!({ "roomId": "diary" })).await;
    let diary = json!({ "roomId": "diary" });
    let refused = two.request("join_room", diary.clone()).await;
    assert_eq!(refused["error"]["code"], "private");
    assert_eq!(one.request("join_room", diary).await["ok"], true);
}

#[tokio::test]
async fn a_name_is_taken_once_and_a_copy_of_the_request_gets_the_first_answer() {
    let server = server().await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    let mut two = Wire::user(&server, "u2", "Bob").await;
    let create = json!({ "name": "Tea", "messageId": "c1" });
    let first = one.request("create_room", create.clone()).await;
    assert_eq!(first, json!({ "ok": true, "id": "tea" }));
    let refused = two.request("create_room", create.clone()).await;
    assert_eq!(refused["error"]["code"], "name_taken");
    assert_eq!(two.request("create_room", create.clone()).await, refused);

    // The creator's connection was lost with the answer: the copy puts the next one into the room.
    one.leave(&server).await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    assert_eq!(one.request("create_room", create).await, first);
    assert_eq!(one.event("room_created").await["id"], "tea");
    let message = json!({ "roomId": "tea", "content": "back" });
    assert_eq!(one.request("group_message", message).await["ok"], true);
    assert_eq!(server.stats().rooms, 1);
}

#[tokio::test]
async fn only_members_write_to_a_room() {
    let server = server().await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    let mut two = Wire::user(&server, "u2", "Bob").await;
    one.request("create_room", json!({ "name": "tea" })).await;
    one.event("room_created").await;
    let message = json!({ "roomId": "tea", "content": "psst", "messageId": "m1" });
    let refused = two.request("group_message", message.clone()).await;
    assert_eq!(refused["error"]["code"], "not_member");
    let nowhere = json!({ "roomId": "nowhere", "content": "psst" });
    let answer = two.request("group_message", nowhere).await;
    assert_eq!(answer["error"]["code"], "not_member");
    assert_eq!(two.rest().await, []);
    assert_eq!(one.rest().await, []);

    // A copy is answered as the first, though it would be taken now.
    two.request("join_room", json!({ "roomId": "tea" })).await;
    assert_eq!(two.request("group_message", message).await, refused);
}

#[tokio::test]
async fn a_connection_that_ends_leaves_its_rooms() {
    let server = server().await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    let mut two = Wire::user(&server, "u2", "Bob").await;
    one.request("create_room", json!({ "name": "tea" })).await;
    one.event("room_created").await;
    two.request("join_room", json!({ "roomId": "tea" })).await;
    one.event("user_joined_room").await;
    drop(two);
    let told = json!({ "roomId": "tea", "user": bob() });
    assert_eq!(one.event("user_left_room").await, told);
    until(|| server.stats().connections == 1).await;

    let mut two = Wire::user(&server, "u2", "Bob").await;
    let message = json!({ "roomId": "tea", "content": "still here?" });
    let refused = two.request("group_message", message).await;
    assert_eq!(refused["error"]["code"], "not_member");
}

#[tokio::test]
async fn a_user_comes_with_the_first_connection_and_goes_with_the_last() {
    let server = server().await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    let mut phone = Wire::user(&server, "u2", "Bob").await;
    let mut laptop = Wire::user(&server, "u2", "Bob").await;
    one.request("create_room", json!({ "name": "tea" })).await;
    one.event("room_created").await;
    let tea = json!({ "roomId": "tea" });
    phone.request("join_room", tea.clone()).await;
    one.event("user_joined_room").await;
    laptop.request("join_room", tea.clone()).await;
    let members = json!([alice(), bob()]);
    assert_eq!(laptop.event("room_joined").await["members"], members);

    // What one connection says, the user's other one hears.
    let message = json!({ "roomId": "tea", "content": "hi", "messageId": "m1" });
    phone.request("group_message", message).await;
    assert_eq!(laptop.event("group_message").await["id"], "m1");
    assert_eq!(one.event("group_message").await["id"], "m1");

    phone.leave(&server).await;
    assert_eq!(one.rest().await, []);
    laptop.leave(&server).await;
    assert_eq!(one.event("user_left_room").await["user"], bob());
}
