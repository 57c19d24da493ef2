//! Who is seen to type, and until when.

use serde_json::{Value, json};

use crate::{Chat, over_both};

over_both! {
    typing_is_seen_and_stops_by_itself
    a_message_ends_the_typing_before_it_once
    a_typist_whose_network_hangs_is_seen_to_stop_once
    typing_without_a_connection_is_never_sent
}

async fn typing_is_seen_and_stops_by_itself(protocol: &'static str) {
    let chat = Chat::start_with(
        protocol,
        json!({ "typing": { "autoStop": 120, "refresh": 60, "expiry": 5_000 } }),
    )
    .await;
    for event in ["typingStart", "typingStop"] {
        chat.testee.on("bob", event).await;
    }
    chat.testee
        .call("alice", "startTyping", json!(["private", "bob"]))
        .await;
    let start = chat.testee.next_event("bob", "typingStart").await[0].clone();
    assert_eq!(
        (&start["userId"], &start["username"]),
        (&json!("alice"), &json!("Alice"))
    );
    assert_eq!(chat.testee.next_event("bob", "typingStop").await[0]["userId"], "alice");

    let room = chat.shared_room("tea", None).await;
    chat.testee.call("alice", "startTyping", json!(["group", room])).await;
    assert_eq!(chat.testee.next_event("bob", "typingStart").await[0]["roomId"], "tea");
    chat.testee.call("alice", "stopTyping", json!(["group", room])).await;
    assert_eq!(chat.testee.next_event("bob", "typingStop").await[0]["roomId"], "tea");
}

async fn a_message_ends_the_typing_before_it_once(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    for event in ["typingStart", "typingStop", "privateMessage"] {
        chat.testee.on("bob", event).await;
    }
    for n in 0..2 {
        chat.testee
            .call("alice", "startTyping", json!(["private", "bob"]))
            .await;
        chat.testee.next_event("bob", "typingStart").await;
        chat.delivered("alice", "sendPrivateMessage", json!(["bob", format!("{n}")]))
            .await;
        chat.testee.wait_event("bob", "privateMessage").await;
        chat.testee.wait_event("bob", "typingStop").await;
    }
    assert_eq!(chat.testee.events("bob", "typingStart").len(), 2);
    assert_eq!(chat.testee.events("bob", "typingStop").len(), 2);
}

async fn a_typist_whose_network_hangs_is_seen_to_stop_once(protocol: &'static str) {
    let chat = Chat::start_with(
        protocol,
        json!({ "typing": { "autoStop": 60, "refresh": 30, "expiry": 250 } }),
    )
    .await;
    for event in ["typingStart", "typingStop", "privateMessage"] {
        chat.testee.on("bob", event).await;
    }
    chat.testee
        .call("alice", "startTyping", json!(["private", "bob"]))
        .await;
    chat.testee.next_event("bob", "typingStart").await;
    chat.tunnel.freeze();
    assert_eq!(chat.testee.next_event("bob", "typingStop").await[0]["userId"], "alice");

    // Whatever Alice sent meanwhile comes through late.
    chat.tunnel.thaw();
    chat.delivered("alice", "sendPrivateMessage", json!(["bob", "end"]))
        .await;
    while chat.testee.wait_event("bob", "privateMessage").await["args"][0]["content"] != "end" {}
    let starts = chat.testee.events("bob", "typingStart").len();
    assert_eq!(chat.testee.events("bob", "typingStop").len(), starts);
}

async fn typing_without_a_connection_is_never_sent(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    chat.testee.on("bob", "*").await;
    chat.cut().await;
    chat.testee
        .call("alice", "startTyping", json!(["private", "bob"]))
        .await;
    chat.restore().await;
    chat.delivered("alice", "sendPrivateMessage", json!(["bob", "end"]))
        .await;
    chat.testee.wait_event("bob", "privateMessage").await;
    assert_eq!(chat.testee.events("bob", "typingStart"), [] as [Value; 0]);
}
