//! Rooms and their messages.

use serde_json::json;

use crate::{Chat, over_both};

over_both! {
    a_group_message_reaches_the_room
    a_group_message_to_a_room_one_is_not_in_is_rejected
    rooms_are_joined_again_before_what_was_queued_goes_out
    a_room_that_was_left_offline_is_not_joined_again
    a_wrong_password_is_rejected_and_the_right_one_is_not
}

async fn a_group_message_reaches_the_room(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    chat.testee.on("bob", "userJoinedRoom").await;
    chat.testee.on("alice", "roomJoined").await;
    let room = chat.shared_room("Tea Time", None).await;
    assert_eq!(room, "tea-time");
    let joined = chat.testee.next_event("alice", "roomJoined").await[0].clone();
    assert_eq!(joined["room"], "tea-time");
    assert_eq!(joined["members"].as_array().map(Vec::len), Some(2), "{joined}");
    let other = chat.testee.next_event("bob", "userJoinedRoom").await[0].clone();
    assert_eq!(
        other,
        json!({ "roomId": "tea-time", "user": { "id": "alice", "username": "Alice" } })
    );

    chat.testee.on("alice", "groupMessage").await;
    chat.delivered("bob", "sendGroupMessage", json!([room, "milk?"])).await;
    let message = chat.testee.next_event("alice", "groupMessage").await[0].clone();
    assert_eq!(message["room"], "tea-time");
    assert_eq!(message["content"], "milk?");
    assert_eq!(message["sender"]["username"], "Bob");
}

async fn a_group_message_to_a_room_one_is_not_in_is_rejected(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    let receipt = chat
        .testee
        .send("alice", "sendGroupMessage", json!(["nowhere", "hello?"]))
        .await;
    let outcome = chat.testee.outcome("alice", receipt).await;
    assert_eq!(outcome.name, "rejected");
    let error = outcome.error.expect("why");
    assert_eq!((error.code, error.server_code.as_deref()), (4004, Some("not_member")));
}

async fn rooms_are_joined_again_before_what_was_queued_goes_out(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    let rooms = [
        chat.shared_room("one", None).await,
        chat.shared_room("two", Some("sesame")).await,
    ];
    chat.testee.on("bob", "groupMessage").await;
    chat.testee.on("alice", "groupMessage").await;

    chat.cut().await;
    let mut receipts = Vec::new();
    for n in 0..10 {
        let room = &rooms[n % 2];
        receipts.push(
            chat.testee
                .send("alice", "sendGroupMessage", json!([room, format!("{n}")]))
                .await,
        );
    }
    chat.restore().await;
    for receipt in receipts {
        // A message before its room were rejected with `not_member`.
        assert_eq!(chat.testee.outcome("alice", receipt).await.name, "delivered");
    }
    for room in &rooms {
        let heard = chat
            .testee
            .events("bob", "groupMessage")
            .into_iter()
            .filter(|args| args[0]["room"] == *room);
        let heard: Vec<_> = heard
            .filter_map(|args| args[0]["content"].as_str()?.parse::<usize>().ok())
            .collect();
        assert!(heard.is_sorted(), "{heard:?}");
    }
    chat.delivered("bob", "sendGroupMessage", json!([rooms[1], "welcome back"]))
        .await;
    assert_eq!(
        chat.testee.next_event("alice", "groupMessage").await[0]["content"],
        "welcome back"
    );
    assert_eq!(chat.contents("bob", "groupMessage").len(), 10);
}

async fn a_room_that_was_left_offline_is_not_joined_again(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    let left = chat.shared_room("left", None).await;
    let kept = chat.shared_room("kept", None).await;
    chat.testee.on("alice", "groupMessage").await;
    chat.cut().await;
    chat.testee.send("alice", "leaveRoom", json!([left])).await;
    chat.restore().await;

    chat.delivered("bob", "sendGroupMessage", json!([left, "still there?"]))
        .await;
    chat.delivered("bob", "sendGroupMessage", json!([kept, "yes"])).await;
    assert_eq!(
        chat.testee.next_event("alice", "groupMessage").await[0]["content"],
        "yes"
    );
}

async fn a_wrong_password_is_rejected_and_the_right_one_is_not(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    let room = json!({ "name": "vault", "password": "sesame" });
    chat.delivered("bob", "createRoom", json!([room])).await;
    chat.testee.on("alice", "joinRoomFailed").await;
    for args in [json!(["vault", "open"]), json!(["vault"])] {
        let receipt = chat.testee.send("alice", "joinRoom", args).await;
        let outcome = chat.testee.outcome("alice", receipt).await;
        assert_eq!(outcome.name, "rejected");
        let error = outcome.error.expect("why");
        assert_eq!(
            (error.code, error.server_code.as_deref()),
            (4004, Some("wrong_password"))
        );
        let failed = chat.testee.next_event("alice", "joinRoomFailed").await[0].clone();
        assert_eq!(failed, json!({ "roomId": "vault", "reason": "wrong_password" }));
    }
    chat.delivered("alice", "joinRoom", json!(["vault", "sesame"])).await;
    chat.delivered("alice", "sendGroupMessage", json!(["vault", "in"]))
        .await;
}
