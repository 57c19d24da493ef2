//! The chat layer over a plain server: the same methods and the same events.

use rejoin_interop::{NodeServer, Testee, merged};
use serde_json::{Value, json};

/// Alice and Bob.
async fn chat(settings: Value) -> (NodeServer, Testee) {
    let server = NodeServer::start_json(settings).await;
    let testee = Testee::start();
    for user in ["alice", "bob"] {
        let quick = json!({ "initialDelay": 20, "maxDelay": 100 });
        let options = merged(
            json!({ "reconnect": quick }),
            json!({ "protocol": "json", "token": user }),
        );
        testee.create(user, &server.url(), options).await;
        testee.on(user, "*").await;
        testee.connected(user).await;
    }
    (server, testee)
}

async fn event(testee: &Testee, user: &str, event: &str) -> Value {
    testee.wait_event(user, event).await["args"][0].clone()
}

async fn in_the_room(testee: &Testee) {
    for user in ["alice", "bob"] {
        testee.send(user, "joinRoom", json!(["tea"])).await;
        assert_eq!(event(testee, user, "roomJoined").await["room"], "tea");
    }
}

#[tokio::test]
async fn the_greeting_says_who_one_is() {
    let (_server, testee) = chat(json!({})).await;
    let greeting = event(&testee, "alice", "connectionStatus").await;
    assert_eq!(greeting["connected"], true);
    assert_eq!(greeting["userId"], "u1");
    assert_eq!(greeting["username"], "User");
}

#[tokio::test]
async fn rooms_and_their_messages_have_this_protocols_words() {
    let (server, testee) = chat(json!({})).await;
    in_the_room(&testee).await;
    assert_eq!(server.wait_got("join_room").await["args"], json!([{ "room": "tea" }]));
    let other = event(&testee, "alice", "userJoinedRoom").await;
    assert_eq!((&other["roomId"], &other["user"]["id"]), (&json!("tea"), &json!("u2")));

    let receipt = testee.send("alice", "sendGroupMessage", json!(["tea", "milk?"])).await;
    assert_eq!(testee.outcome("alice", receipt).await.name, "sent");
    let got = server.wait_got("message").await["args"].clone();
    assert_eq!(got, json!([{ "room": "tea", "content": "milk?" }]));
    let heard = event(&testee, "bob", "groupMessage").await;
    assert_eq!((&heard["room"], &heard["content"]), (&json!("tea"), &json!("milk?")));
    assert_eq!(heard["sender"], json!({ "id": "u1", "username": "User" }));
    assert_eq!(heard["id"], "1");

    testee.send("alice", "leaveRoom", json!(["tea"])).await;
    assert_eq!(event(&testee, "alice", "roomLeft").await["roomId"], "tea");
    assert_eq!(event(&testee, "bob", "userLeftRoom").await["user"]["id"], "u1");
}

#[tokio::test]
async fn rooms_are_joined_again_before_what_was_queued_goes_out() {
    let (mut server, testee) = chat(json!({})).await;
    in_the_room(&testee).await;
    server.kill().await;
    for user in ["alice", "bob"] {
        testee.wait_state(user, "waiting").await;
    }
    for n in 0..10 {
        testee
            .send("alice", "sendGroupMessage", json!(["tea", format!("{n}")]))
            .await;
    }
    server.start_again().await;
    for user in ["alice", "bob"] {
        testee.wait_state(user, "connected").await;
    }
    let got: Vec<Value> = (0..10)
        .map(|n| json!([{ "room": "tea", "content": format!("{n}") }]))
        .collect();
    for _ in 0..10 {
        server.wait_got("message").await;
    }
    assert_eq!(server.got("message"), got);
    let receipt = testee.send("bob", "sendGroupMessage", json!(["tea", "end"])).await;
    testee.outcome("bob", receipt).await;
    assert_eq!(event(&testee, "alice", "groupMessage").await["content"], "end");
}

#[tokio::test]
async fn other_methods_are_their_wire_names() {
    let (server, testee) = chat(json!({})).await;
    testee
        .send("alice", "sendPrivateMessage", json!(["bob", "hello"]))
        .await;
    let got = server.wait_got("private_message").await["args"][0].clone();
    assert_eq!((&got["recipientId"], &got["content"]), (&json!("bob"), &json!("hello")));
    testee.call("alice", "startTyping", json!(["group", "tea"])).await;
    let got = server.wait_got("typing_start").await["args"][0].clone();
    assert_eq!(got, json!({ "type": "group", "roomId": "tea" }));
    testee.send("alice", "createRoom", json!([{ "name": "den" }])).await;
    assert_eq!(server.wait_got("create_room").await["args"][0]["name"], "den");
}

#[tokio::test]
async fn with_acknowledgements_messages_are_delivered_and_carry_ids() {
    let (server, testee) = chat(json!({ "features": ["ack", "dedupe"] })).await;
    in_the_room(&testee).await;
    let receipt = testee.send("alice", "sendGroupMessage", json!(["tea", "milk?"])).await;
    let outcome = testee.outcome("alice", receipt).await;
    assert_eq!(outcome.name, "delivered", "{outcome:?}");
    let got = server.wait_got("message").await;
    assert_eq!(got["args"], json!([{ "room": "tea", "content": "milk?" }]));
    assert!(got["id"].as_str().is_some_and(|id| id.len() == 36), "{got}");
}
