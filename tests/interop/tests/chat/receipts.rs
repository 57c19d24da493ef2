//! What the server sends, to a client in a tunnel: nothing is missed, and nothing is heard twice.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{Chat, over_both};

over_both! {
    private_messages_reach_a_client_in_a_tunnel_once_and_in_order
    group_messages_reach_a_client_in_a_tunnel_once_and_in_order
    what_was_heard_and_not_receipted_is_not_heard_again
}

/// Takes Alice's network away and gives it back, in the ways in which it goes.
async fn disturb(chat: &Chat, n: u32) {
    match n % 20 {
        5 => chat.tunnel.delay(Duration::from_millis(20)),
        7 => {
            chat.tunnel.cut();
            chat.testee.wait_state("alice", "waiting").await;
        }
        11 => chat.tunnel.restore(),
        15 => chat.tunnel.delay(Duration::ZERO),
        17 => {
            chat.tunnel.cut();
            chat.tunnel.restore();
        }
        _ => {}
    }
}

fn numbers(to: u32) -> Vec<Value> {
    (0..to).map(|n| json!(n.to_string())).collect()
}

async fn private_messages_reach_a_client_in_a_tunnel_once_and_in_order(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    chat.testee.on("alice", "privateMessage").await;
    for n in 0..60 {
        disturb(&chat, n).await;
        chat.delivered("bob", "sendPrivateMessage", json!(["alice", n.to_string()]))
            .await;
    }
    chat.delivered("bob", "sendPrivateMessage", json!(["alice", "60"]))
        .await;
    while chat.event("alice", "privateMessage").await["content"] != "60" {}
    assert_eq!(chat.contents("alice", "privateMessage"), numbers(61));
}

async fn group_messages_reach_a_client_in_a_tunnel_once_and_in_order(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    let room = chat.shared_room("tea", None).await;
    chat.testee.on("alice", "groupMessage").await;
    for n in 0..60 {
        disturb(&chat, n).await;
        chat.delivered("bob", "sendGroupMessage", json!([room, n.to_string()]))
            .await;
    }
    chat.delivered("bob", "sendGroupMessage", json!([room, "60"])).await;
    while chat.event("alice", "groupMessage").await["content"] != "60" {}
    assert_eq!(chat.contents("alice", "groupMessage"), numbers(61));
}

async fn what_was_heard_and_not_receipted_is_not_heard_again(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    chat.testee.on("alice", "privateMessage").await;
    for n in 0..10 {
        // The message comes through, and its receipt, 60 ms later, does not.
        chat.tunnel.delay(Duration::from_millis(60));
        let content = json!(n.to_string());
        chat.delivered("bob", "sendPrivateMessage", json!(["alice", content]))
            .await;
        while chat.event("alice", "privateMessage").await["content"] != content {}
        chat.tunnel.delay(Duration::ZERO);
        chat.cut().await;
        chat.restore().await;
    }
    chat.delivered("bob", "sendPrivateMessage", json!(["alice", "10"]))
        .await;
    while chat.event("alice", "privateMessage").await["content"] != "10" {}
    assert_eq!(chat.contents("alice", "privateMessage"), numbers(11));
}
