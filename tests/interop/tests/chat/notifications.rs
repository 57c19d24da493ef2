//! Notifications, friends, and the server's warnings.

use std::time::Duration;

use rejoin_server::{Features, Limit, RateLimits, ServerConfig};
use serde_json::json;

use crate::{Chat, over_both, server_config};

over_both! {
    a_notification_is_heard_and_marked_read
    notifications_wait_for_who_is_away_until_they_are_read
    a_private_message_to_who_is_away_makes_a_notification
    notifications_of_others_cannot_be_marked
    friends_are_in_the_greeting_and_their_coming_and_going_is_heard
    a_limit_that_is_reached_is_told
}

async fn a_notification_is_heard_and_marked_read(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    for event in ["notification", "notificationsMarkedRead"] {
        chat.testee.on("alice", event).await;
    }
    let id = chat.server.notify("alice", "News", "all is well").await.expect("kept");
    let heard = chat.event("alice", "notification").await;
    assert_eq!(
        (&heard["id"], &heard["title"], &heard["message"]),
        (&json!(id), &json!("News"), &json!("all is well"))
    );
    chat.delivered("alice", "markNotificationsRead", json!([[id]])).await;
    let marked = chat.event("alice", "notificationsMarkedRead").await;
    assert_eq!(marked["notificationIds"], json!([id]));
}

async fn notifications_wait_for_who_is_away_until_they_are_read(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    chat.testee.on("alice", "notification").await;
    chat.cut().await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(chat.server.notify("alice", &format!("{n}"), "…").await.expect("kept"));
    }
    // Marked while offline: the server knows on return.
    let receipt = chat
        .testee
        .send("alice", "markNotificationsRead", json!([[ids[0]]]))
        .await;
    chat.restore().await;
    for id in &ids {
        assert_eq!(chat.event("alice", "notification").await["id"], *id);
    }
    assert_eq!(chat.testee.outcome("alice", receipt).await.name, "delivered");
    // They are told again to whoever has not heard them: another program of Alice's, and not this one.
    chat.cut().await;
    chat.restore().await;
    let token = chat.token("alice", "Alice");
    let options = json!({ "protocol": chat.protocol, "token": token });
    chat.testee.create("tablet", &chat.server.url(), options).await;
    chat.testee.on("tablet", "notification").await;
    chat.testee.connected("tablet").await;
    for id in &ids[1..] {
        assert_eq!(chat.event("tablet", "notification").await["id"], *id);
    }
    chat.delivered("alice", "sendPrivateMessage", json!(["bob", "end"]))
        .await;
    assert_eq!(chat.testee.events("alice", "notification").len(), ids.len());
}

async fn a_private_message_to_who_is_away_makes_a_notification(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    chat.delivered("bob", "sendPrivateMessage", json!(["carol", "call me"]))
        .await;
    chat.create("carol", "Carol", &chat.server.url(), json!({})).await;
    chat.testee.on("carol", "notification").await;
    chat.testee.connected("carol").await;
    assert_eq!(chat.event("carol", "notification").await["title"], "Bob");
}

async fn notifications_of_others_cannot_be_marked(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    let id = chat.server.notify("bob", "News", "yours").await.expect("kept");
    let receipt = chat.testee.send("alice", "markNotificationsRead", json!([[id]])).await;
    let outcome = chat.testee.outcome("alice", receipt).await;
    let error = outcome.error.expect("why");
    assert_eq!(
        (error.code, error.server_code.as_deref()),
        (4004, Some("unknown_notification"))
    );
}

async fn friends_are_in_the_greeting_and_their_coming_and_going_is_heard(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    chat.testee.on("bob", "friendStatusChange").await;
    chat.testee.on("alice", "connectionStatus").await;
    chat.delivered("alice", "sendPrivateMessage", json!(["bob", "hello"]))
        .await;
    chat.testee.disconnect("alice").await;
    let gone = chat.event("bob", "friendStatusChange").await;
    assert_eq!((&gone["userId"], &gone["status"]), (&json!("alice"), &json!("offline")));
    chat.testee.connected("alice").await;
    let back = chat.event("bob", "friendStatusChange").await;
    assert_eq!((&back["userId"], &back["status"]), (&json!("alice"), &json!("online")));
    assert!(back["timestamp"].is_string(), "{back}");
    let greeting = chat.event("alice", "connectionStatus").await;
    let friend = json!({ "id": "bob", "username": "Bob", "status": "online" });
    assert_eq!(greeting["friends"], json!([friend]), "{greeting}");
}

async fn a_limit_that_is_reached_is_told(protocol: &'static str) {
    let limits = RateLimits {
        create_room: Limit::new(5, Duration::from_secs(60)),
        ..RateLimits::default()
    };
    let config = ServerConfig {
        limits,
        // Whoever asks for an acknowledgement is told by that.
        features: Features::NONE,
        ..server_config()
    };
    let chat = Chat::start_at(protocol, config, json!({})).await;
    for event in ["warning", "rateLimitExceeded"] {
        chat.testee.on("alice", event).await;
    }
    for n in 0..6 {
        let room = json!({ "name": format!("room {n}") });
        let receipt = chat.testee.send("alice", "createRoom", json!([room])).await;
        assert_eq!(chat.testee.outcome("alice", receipt).await.name, "sent");
    }
    assert!(chat.event("alice", "warning").await["message"].is_string());
    let told = chat.event("alice", "rateLimitExceeded").await;
    assert_eq!(told["event"], "create_room");
    assert_eq!(chat.testee.events("alice", "rateLimitExceeded").len(), 1);
}
