//! What the chat layer tells about its connection, and credentials that are replaced.

use std::time::Duration;

use serde_json::json;

use crate::{Chat, over_both};

over_both! {
    each_change_is_an_event_too_and_a_return_is_told
    five_failures_in_a_row_are_told_once
    a_new_token_is_a_new_user_on_the_same_client
    an_expired_token_is_mended_by_a_new_one
    whoever_is_forgotten_leaves_nothing_behind
}

async fn each_change_is_an_event_too_and_a_return_is_told(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    for event in ["connectionStatusChange", "reconnected", "connectionFailed"] {
        chat.testee.on("alice", event).await;
    }
    chat.testee.once("bob", "connectionStatusChange").await;
    chat.cut().await;
    chat.restore().await;
    chat.event("alice", "reconnected").await;
    let changes = chat.testee.events("alice", "connectionStatusChange");
    let last = &changes.last().expect("a change")[0];
    assert_eq!(
        (&last["previous"], &last["state"]),
        (&json!("connecting"), &json!("connected"))
    );
    let first = &changes[0][0];
    assert_eq!(
        (&first["previous"], &first["state"]),
        (&json!("connected"), &json!("waiting"))
    );
    assert!(first["reason"].is_string(), "{first}");
    assert_eq!(changes.len(), chat.testee.states("alice").len() - 2);

    // By the user's wish it is no return.
    chat.testee.disconnect("alice").await;
    chat.testee.connected("alice").await;
    chat.testee.off("alice", "connectionStatusChange").await;
    chat.cut().await;
    chat.restore().await;
    chat.event("alice", "reconnected").await;
    assert_eq!(chat.testee.events("alice", "reconnected").len(), 2);
    assert_eq!(
        chat.testee.events("alice", "connectionStatusChange").len(),
        changes.len() + 3
    );
}

async fn five_failures_in_a_row_are_told_once(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    chat.testee.on("alice", "connectionFailed").await;
    chat.cut().await;
    let failed = chat.event("alice", "connectionFailed").await;
    assert_eq!(failed["attempts"], 5, "{failed}");
    assert_eq!(failed["code"], 2001, "{failed}");
    for _ in 0..4 {
        chat.testee.wait_state("alice", "waiting").await;
    }
    chat.restore().await;
    assert_eq!(chat.testee.events("alice", "connectionFailed").len(), 1);
}

async fn a_new_token_is_a_new_user_on_the_same_client(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    chat.testee.on("alice", "connectionStatus").await;
    chat.testee.token("alice", &chat.token("carol", "Carol")).await;
    chat.testee.wait_state("alice", "connected").await;
    // `connected` does not wait for the greeting: Alice's own may still come in between.
    while chat.event("alice", "connectionStatus").await["userId"] != "carol" {}
    chat.testee.on("bob", "privateMessage").await;
    chat.delivered("alice", "sendPrivateMessage", json!(["bob", "hello"]))
        .await;
    let message = chat.event("bob", "privateMessage").await;
    assert_eq!(message["sender"], json!({ "id": "carol", "username": "Carol" }));
    assert_eq!(
        chat.testee.states("alice").last().map(String::as_str),
        Some("connected")
    );
}

async fn an_expired_token_is_mended_by_a_new_one(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    let old = chat.server.mint_token("carol", "Carol", Duration::ZERO);
    let options = json!({ "protocol": protocol, "provider": true });
    chat.testee.create("carol", &chat.server.url(), options).await;
    chat.testee.token("carol", &old).await;
    chat.testee.connect("carol").await;
    let failed = chat.testee.wait_state("carol", "failed").await;
    assert_eq!(failed["error"]["code"], 3001, "{failed}");
    let receipt = chat
        .testee
        .send("carol", "sendPrivateMessage", json!(["bob", "at last"]))
        .await;
    chat.testee.token("carol", &chat.token("carol", "Carol")).await;
    chat.testee.connected("carol").await;
    assert_eq!(chat.testee.outcome("carol", receipt).await.name, "delivered");
}

async fn whoever_is_forgotten_leaves_nothing_behind(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    let room = chat.shared_room("tea", None).await;
    chat.testee.on("bob", "userJoinedRoom").await;
    chat.testee.on("bob", "groupMessage").await;
    chat.cut().await;
    let receipt = chat
        .testee
        .send("alice", "sendGroupMessage", json!([room, "never"]))
        .await;
    chat.testee.call("alice", "forget", json!([])).await;
    assert_eq!(chat.testee.outcome("alice", receipt).await.name, "cancelled");
    chat.testee.wait_state("alice", "closed").await;
    assert_eq!(chat.testee.pending("alice").await, 0);

    chat.tunnel.restore();
    chat.testee.connected("alice").await;
    chat.delivered("bob", "sendGroupMessage", json!([room, "end"])).await;
    chat.delivered("alice", "sendPrivateMessage", json!(["bob", "end"]))
        .await;
    assert_eq!(chat.testee.events("bob", "userJoinedRoom").len(), 0);
    assert_eq!(chat.contents("bob", "groupMessage"), [] as [serde_json::Value; 0]);
}
