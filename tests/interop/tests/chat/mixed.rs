//! Clients of both protocols in one chat.

use serde_json::json;

use crate::Chat;

/// Alice speaks Socket.IO; Carol speaks plain JSON.
async fn both() -> Chat {
    let chat = Chat::start("socketio").await;
    let options = json!({ "protocol": "json", "token": chat.token("carol", "Carol") });
    chat.testee.create("carol", &chat.server.url(), options).await;
    chat.testee.connected("carol").await;
    chat
}

#[tokio::test]
async fn private_messages_go_both_ways() {
    let chat = both().await;
    for (from, to) in [("alice", "carol"), ("carol", "alice")] {
        chat.testee.on(to, "privateMessage").await;
        let reply = chat
            .delivered(from, "sendPrivateMessage", json!([to, "ö \u{1f980}"]))
            .await;
        let heard = chat.event(to, "privateMessage").await;
        assert_eq!(
            (&heard["content"], &heard["sender"]["id"]),
            (&json!("ö \u{1f980}"), &json!(from))
        );
        assert_eq!(heard["id"], reply[0]["id"]);
    }
}

#[tokio::test]
async fn a_room_is_shared_and_its_events_are_the_same() {
    let chat = both().await;
    for user in ["alice", "carol"] {
        for event in ["groupMessage", "userJoinedRoom", "typingStart"] {
            chat.testee.on(user, event).await;
        }
    }
    let room = chat.shared_room("tea", None).await;
    chat.delivered("carol", "joinRoom", json!([room])).await;
    let joined = chat.event("alice", "userJoinedRoom").await;
    assert_eq!(
        joined,
        json!({ "roomId": room, "user": { "id": "carol", "username": "Carol" } })
    );

    for n in 0..10 {
        let (from, to) = if n % 2 == 0 {
            ("alice", "carol")
        } else {
            ("carol", "alice")
        };
        chat.delivered(from, "sendGroupMessage", json!([room, format!("{n}")]))
            .await;
        let heard = chat.event(to, "groupMessage").await;
        assert_eq!(
            (&heard["room"], &heard["content"]),
            (&json!(room), &json!(format!("{n}")))
        );
        assert_eq!(heard["sender"]["id"], from);
    }
    chat.testee.call("carol", "startTyping", json!(["group", room])).await;
    assert_eq!(chat.event("alice", "typingStart").await["userId"], "carol");
    chat.testee.call("alice", "startTyping", json!(["group", room])).await;
    assert_eq!(chat.event("carol", "typingStart").await["userId"], "alice");
}

#[tokio::test]
async fn a_chat_over_long_polling_is_the_same() {
    let chat = Chat::start_with("socketio", json!({ "transports": ["polling"] })).await;
    chat.testee.on("bob", "privateMessage").await;
    chat.cut().await;
    for n in 0..50 {
        chat.testee
            .send("alice", "sendPrivateMessage", json!(["bob", format!("{n}")]))
            .await;
    }
    chat.restore().await;
    for n in 0..50 {
        assert_eq!(chat.event("bob", "privateMessage").await["content"], format!("{n}"));
    }
    chat.delivered("alice", "sendPrivateMessage", json!(["bob", "end"]))
        .await;
    chat.event("bob", "privateMessage").await;
    assert_eq!(chat.contents("bob", "privateMessage").len(), 51);
    assert_eq!(chat.testee.state("alice").await["transport"], "polling");
}

#[tokio::test]
async fn a_chat_that_upgrades_under_traffic_loses_and_repeats_nothing() {
    let chat = Chat::start_with("socketio", json!({ "transports": ["polling", "websocket"] })).await;
    chat.testee.on("bob", "privateMessage").await;
    let mut receipts = Vec::new();
    for n in 0..100 {
        receipts.push(
            chat.testee
                .send("alice", "sendPrivateMessage", json!(["bob", format!("{n}")]))
                .await,
        );
    }
    for receipt in receipts {
        assert_eq!(chat.testee.outcome("alice", receipt).await.name, "delivered");
    }
    for n in 0..100 {
        assert_eq!(chat.event("bob", "privateMessage").await["content"], format!("{n}"));
    }
    assert_eq!(chat.contents("bob", "privateMessage").len(), 100);
}
