//! The greeting, and messages from one user to another.

use std::time::Duration;

use serde_json::json;

use crate::{Chat, over_both};

over_both! {
    the_greeting_says_who_one_is_and_what_the_server_promises
    a_token_that_has_expired_is_refused
    a_private_message_is_delivered_and_confirmed
    a_private_message_waits_for_who_is_away
    a_hundred_messages_from_offline_arrive_once_and_in_order
    messages_under_way_when_the_network_goes_arrive_once_and_in_order
}

async fn the_greeting_says_who_one_is_and_what_the_server_promises(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    chat.create("carol", "Carol", &chat.server.url(), json!({})).await;
    chat.testee.on("carol", "connectionStatus").await;
    chat.testee.connected("carol").await;
    let greeting = chat.testee.next_event("carol", "connectionStatus").await[0].clone();
    assert_eq!(greeting["userId"], "carol");
    assert_eq!(greeting["username"], "Carol");
    assert_eq!(greeting["connected"], true);
    assert_eq!(greeting["features"], json!(["ack", "dedupe", "order", "receipts"]));
}

async fn a_token_that_has_expired_is_refused(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    let token = chat.server.mint_token("carol", "Carol", Duration::ZERO);
    chat.testee
        .create(
            "carol",
            &chat.server.url(),
            json!({ "protocol": protocol, "token": token }),
        )
        .await;
    chat.testee.connect("carol").await;
    let failed = chat.testee.wait_state("carol", "failed").await;
    assert_eq!(failed["error"]["code"], 3001);
    assert!(
        failed["error"]["message"]
            .as_str()
            .is_some_and(|said| said.contains("token_expired")),
        "{failed}"
    );
}

async fn a_private_message_is_delivered_and_confirmed(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    chat.testee.on("bob", "privateMessage").await;
    chat.testee.on("alice", "messageSent").await;
    let reply = chat
        .delivered("alice", "sendPrivateMessage", json!(["bob", "hello \"Bob\" 🦀"]))
        .await;
    assert_eq!(reply[0]["ok"], true);

    let message = chat.testee.next_event("bob", "privateMessage").await[0].clone();
    assert_eq!(message["content"], "hello \"Bob\" 🦀");
    assert_eq!(message["sender"], json!({ "id": "alice", "username": "Alice" }));
    assert_eq!(message["id"], reply[0]["id"]);
    assert!(message["timestamp"].is_string(), "{message}");

    let sent = chat.testee.next_event("alice", "messageSent").await[0].clone();
    assert_eq!((&sent["id"], &sent["recipientId"]), (&reply[0]["id"], &json!("bob")));
    assert_eq!(sent["delivered"], true);
}

async fn a_private_message_waits_for_who_is_away(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    for n in 0..3 {
        chat.delivered("bob", "sendPrivateMessage", json!(["carol", format!("{n}")]))
            .await;
    }
    chat.create("carol", "Carol", &chat.server.url(), json!({})).await;
    chat.testee.on("carol", "privateMessage").await;
    chat.testee.connected("carol").await;
    for n in 0..3 {
        assert_eq!(
            chat.testee.next_event("carol", "privateMessage").await[0]["content"],
            format!("{n}")
        );
    }
}

async fn a_hundred_messages_from_offline_arrive_once_and_in_order(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    chat.testee.on("bob", "privateMessage").await;
    chat.cut().await;
    let mut receipts = Vec::new();
    for n in 0..100 {
        receipts.push(
            chat.testee
                .send("alice", "sendPrivateMessage", json!(["bob", format!("{n}")]))
                .await,
        );
    }
    chat.restore().await;
    for n in 0..100 {
        assert_eq!(
            chat.testee.next_event("bob", "privateMessage").await[0]["content"],
            format!("{n}")
        );
    }
    for receipt in receipts {
        assert_eq!(chat.testee.outcome("alice", receipt).await.name, "delivered");
    }
    chat.delivered("alice", "sendPrivateMessage", json!(["bob", "end"]))
        .await;
    assert_eq!(
        chat.testee.next_event("bob", "privateMessage").await[0]["content"],
        "end"
    );
    assert_eq!(chat.contents("bob", "privateMessage").len(), 101);
}

async fn messages_under_way_when_the_network_goes_arrive_once_and_in_order(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    chat.testee.on("bob", "privateMessage").await;
    let mut receipts = Vec::new();
    for n in 0..60 {
        // Some are answered, some have arrived and are not, some never arrive.
        if n == 20 {
            chat.tunnel.delay(Duration::from_millis(30));
        }
        if n == 40 {
            chat.testee.wait_event("bob", "privateMessage").await;
            chat.tunnel.cut();
            chat.tunnel.restore();
            chat.tunnel.delay(Duration::ZERO);
        }
        receipts.push(
            chat.testee
                .send("alice", "sendPrivateMessage", json!(["bob", format!("{n}")]))
                .await,
        );
    }
    for receipt in receipts {
        assert_eq!(chat.testee.outcome("alice", receipt).await.name, "delivered");
    }
    chat.delivered("alice", "sendPrivateMessage", json!(["bob", "end"]))
        .await;
    while chat.testee.wait_event("bob", "privateMessage").await["args"][0]["content"] != "end" {}
    let expected: Vec<_> = (0..60).map(|n| json!(format!("{n}"))).chain([json!("end")]).collect();
    assert_eq!(chat.contents("bob", "privateMessage"), expected);
}
