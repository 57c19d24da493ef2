//! The chat layer against a server of npm's socket.io that acknowledges nothing, promises nothing and ignores message ids:
//! everything works, and nothing is sent twice.

use rejoin_interop::{NodeServer, Path, Testee, merged};
use serde_json::{Value, json};

/// Alice, whose way to the server can go dead, and Bob.
struct Chat {
    server: NodeServer,
    path: Path,
    testee: Testee,
}

impl Chat {
    async fn start(more: Value) -> Self {
        let server = NodeServer::start(json!({ "chat": true })).await;
        let path = Path::to(&server.address()).await;
        let testee = Testee::start();
        let quick = json!({ "reconnect": { "initialDelay": 20, "maxDelay": 100 } });
        for (user, url) in [("alice", path.url()), ("bob", server.url())] {
            let options = merged(merged(quick.clone(), json!({ "token": user })), more.clone());
            testee.create(user, &url, options).await;
            testee.on(user, "*").await;
            testee.connected(user).await;
            testee.next_event(user, "connectionStatus").await;
        }
        Self { server, path, testee }
    }

    /// Sends, and expects `Sent`: more can nobody say.
    async fn sent(&self, user: &str, method: &str, args: Value) {
        let receipt = self.testee.send(user, method, args).await;
        assert_eq!(self.testee.outcome(user, receipt).await.name, "sent", "{method}");
    }

    /// The next event, passing over others; its payload.
    async fn event(&self, user: &str, event: &str) -> Value {
        self.testee.wait_event(user, event).await["args"][0].clone()
    }
}

#[tokio::test]
async fn messages_are_sent_and_heard() {
    let chat = Chat::start(json!({})).await;
    chat.sent("alice", "sendPrivateMessage", json!(["bob", "hello"])).await;
    let heard = chat.event("bob", "privateMessage").await;
    assert_eq!(
        (&heard["content"], &heard["sender"]["id"]),
        (&json!("hello"), &json!("alice"))
    );
    assert_eq!(chat.event("alice", "messageSent").await["delivered"], true);
}

#[tokio::test]
async fn rooms_are_joined_by_what_the_server_says_and_again_after_a_reconnect() {
    let chat = Chat::start(json!({})).await;
    for user in ["alice", "bob"] {
        let receipt = chat.testee.send(user, "joinRoom", json!(["tea"])).await;
        chat.event(user, "roomJoined").await;
        let outcome = chat.testee.outcome(user, receipt).await.name;
        assert!(["delivered", "sent"].contains(&outcome.as_str()), "{outcome}");
    }
    chat.sent("alice", "sendGroupMessage", json!(["tea", "milk?"])).await;
    assert_eq!(chat.event("bob", "groupMessage").await["content"], "milk?");

    chat.server.drop_links().await;
    for user in ["alice", "bob"] {
        chat.testee.wait_state(user, "connected").await;
        chat.event(user, "roomJoined").await;
    }
    chat.sent("bob", "sendGroupMessage", json!(["tea", "sugar?"])).await;
    assert_eq!(chat.event("alice", "groupMessage").await["content"], "sugar?");

    chat.testee.send("alice", "leaveRoom", json!(["tea"])).await;
    chat.event("alice", "roomLeft").await;
    assert_eq!(chat.event("bob", "userLeftRoom").await["user"]["id"], "alice");
}

#[tokio::test]
async fn a_room_that_is_refused_rejects_its_join() {
    let chat = Chat::start(json!({})).await;
    let receipt = chat.testee.send("alice", "joinRoom", json!(["vault", "open"])).await;
    assert_eq!(chat.event("alice", "roomJoinFailed").await["reason"], "wrong_password");
    let outcome = chat.testee.outcome("alice", receipt).await;
    assert!(["rejected", "sent"].contains(&outcome.name.as_str()), "{outcome:?}");
}

#[tokio::test]
async fn what_was_queued_is_sent_once_and_what_was_written_is_never_sent_again() {
    let chat = Chat::start(json!({})).await;
    chat.sent("alice", "sendPrivateMessage", json!(["bob", "before"])).await;
    chat.event("bob", "privateMessage").await;
    // Alice's network takes what is written and brings it nowhere.
    chat.path.strand();
    chat.sent("alice", "sendPrivateMessage", json!(["bob", "lost"])).await;
    chat.testee.hint("alice", "online").await;
    chat.testee.wait_state("alice", "waiting").await;
    for n in 0..10 {
        chat.testee
            .send("alice", "sendPrivateMessage", json!(["bob", format!("{n}")]))
            .await;
    }
    chat.testee.wait_state("alice", "connected").await;
    for n in 0..10 {
        assert_eq!(chat.event("bob", "privateMessage").await["content"], format!("{n}"));
    }
    chat.sent("alice", "sendPrivateMessage", json!(["bob", "end"])).await;
    assert_eq!(chat.event("bob", "privateMessage").await["content"], "end");
    assert_eq!(chat.testee.events("bob", "privateMessage").len(), 12);
}

#[tokio::test]
async fn typing_is_seen() {
    let chat = Chat::start(json!({ "typing": { "autoStop": 200 } })).await;
    chat.testee
        .call("alice", "startTyping", json!(["private", "bob"]))
        .await;
    assert_eq!(chat.event("bob", "typingStart").await["userId"], "alice");
    chat.event("bob", "typingStop").await;
}

#[tokio::test]
async fn everything_works_over_long_polling_too() {
    let chat = Chat::start(json!({ "transports": ["polling"] })).await;
    for n in 0..20 {
        chat.testee
            .send("alice", "sendPrivateMessage", json!(["bob", format!("{n}")]))
            .await;
    }
    for n in 0..20 {
        assert_eq!(chat.event("bob", "privateMessage").await["content"], format!("{n}"));
    }
}
