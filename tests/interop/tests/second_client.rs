//! rust_socketio, a client that none of us wrote, and a testee talk to each other through the reference server.

use std::time::Duration;

use futures::FutureExt;
use rejoin_interop::Testee;
use rejoin_server::{Server, ServerConfig};
use rust_socketio::asynchronous::{Client, ClientBuilder};
use rust_socketio::{Event, Payload, TransportType};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

const HOUR: Duration = Duration::from_secs(3600);
const DEADLINE: Duration = Duration::from_secs(10);

/// A rust_socketio client that is greeted already, and what it hears.
struct Second {
    client: Client,
    heard: UnboundedReceiver<(String, Value)>,
}

impl Second {
    async fn connect(server: &Server, user: &str, name: &str) -> Self {
        let (hears, heard) = unbounded_channel();
        let client = ClientBuilder::new(server.url())
            .transport_type(TransportType::Websocket)
            .auth(json!({ "token": server.mint_token(user, name, HOUR) }))
            .on_any(move |event, payload, _| {
                let hears = hears.clone();
                async move {
                    if let (Event::Custom(event), Payload::Text(args)) = (event, payload) {
                        let _ = hears.send((event, json!(args)));
                    }
                }
                .boxed()
            })
            .connect()
            .await
            .expect("rust_socketio connects");
        let mut second = Self { client, heard };
        second.wait("connection_status").await;
        second
    }

    /// Waits for an event; its first argument.
    async fn wait(&mut self, wanted: &str) -> Value {
        loop {
            let heard = timeout(DEADLINE, self.heard.recv()).await;
            let (event, args) = heard
                .unwrap_or_else(|_| panic!("no {wanted} in time"))
                .expect("it is connected");
            if event == wanted {
                return args[0].clone();
            }
        }
    }

    /// Emits and waits for the acknowledgement; its first argument.
    async fn request(&self, event: &str, payload: Value) -> Value {
        let (acknowledge, mut acknowledged) = unbounded_channel();
        let on_ack = move |payload: Payload, _: Client| {
            let acknowledge = acknowledge.clone();
            async move {
                if let Payload::Text(args) = payload {
                    let _ = acknowledge.send(args);
                }
            }
            .boxed()
        };
        self.client
            .emit_with_ack(event, payload, DEADLINE, on_ack)
            .await
            .expect("it can emit");
        let args = timeout(DEADLINE, acknowledged.recv())
            .await
            .expect("in time")
            .expect("an acknowledgement");
        // rust_socketio hands over the list of arguments as one.
        args[0].get(0).unwrap_or(&args[0]).clone()
    }
}

async fn both() -> (Server, Testee, Second) {
    let server = Server::start(ServerConfig::default()).await.expect("a server");
    let testee = Testee::start();
    testee
        .create(
            "a",
            &server.url(),
            json!({ "token": server.mint_token("u1", "Alice", HOUR) }),
        )
        .await;
    testee.connected("a").await;
    let second = Second::connect(&server, "u2", "Bob").await;
    (server, testee, second)
}

fn message(to: (&str, &str), content: &str) -> Value {
    json!({ to.0: to.1, "content": content, "timestamp": "2026-11-23T12:00:00.000Z" })
}

#[tokio::test]
async fn private_messages_go_both_ways() {
    let (_server, testee, mut second) = both().await;
    testee.on("a", "privateMessage").await;

    let answer = second
        .request("private_message", message(("recipientId", "u1"), "from Bob"))
        .await;
    assert_eq!(answer["ok"], true, "{answer}");
    let heard = testee.next_event("a", "privateMessage").await[0].clone();
    assert_eq!(
        (&heard["content"], &heard["sender"]["id"]),
        (&json!("from Bob"), &json!("u2"))
    );

    let receipt = testee
        .send("a", "sendPrivateMessage", json!(["u2", "from Alice"]))
        .await;
    assert_eq!(testee.outcome("a", receipt).await.name, "delivered");
    let heard = second.wait("private_message").await;
    assert_eq!(
        (&heard["content"], &heard["sender"]["id"]),
        (&json!("from Alice"), &json!("u1"))
    );
}

#[tokio::test]
async fn a_room_is_shared() {
    let (_server, testee, mut second) = both().await;
    testee.on("a", "userJoinedRoom").await;
    testee.on("a", "groupMessage").await;
    let receipt = testee.send("a", "createRoom", json!([{ "name": "tea" }])).await;
    assert_eq!(testee.outcome("a", receipt).await.reply[0]["id"], "tea");

    let answer = second.request("join_room", json!({ "roomId": "tea" })).await;
    assert_eq!(answer["ok"], true, "{answer}");
    assert_eq!(testee.next_event("a", "userJoinedRoom").await[0]["user"]["id"], "u2");

    for n in 0..20 {
        testee
            .send("a", "sendGroupMessage", json!(["tea", format!("{n}")]))
            .await;
    }
    for n in 0..20 {
        assert_eq!(second.wait("group_message").await["content"], format!("{n}"));
    }
    for n in 0..20 {
        let payload = message(("roomId", "tea"), &format!("{n}"));
        second.client.emit("group_message", payload).await.expect("it can emit");
    }
    for n in 0..20 {
        assert_eq!(
            testee.next_event("a", "groupMessage").await[0]["content"],
            format!("{n}")
        );
    }
}

#[tokio::test]
async fn typing_is_seen_by_the_other() {
    let (_server, testee, mut second) = both().await;
    testee.call("a", "startTyping", json!(["private", "u2"])).await;
    assert_eq!(second.wait("typing_start").await["username"], "Alice");
    testee.call("a", "stopTyping", json!(["private", "u2"])).await;
    assert_eq!(second.wait("typing_stop").await["userId"], "u1");

    testee.on("a", "typingStart").await;
    testee.on("a", "typingStop").await;
    for event in ["typing_start", "typing_stop"] {
        let payload = json!({ "type": "private", "recipientId": "u1" });
        second.client.emit(event, payload).await.expect("it can emit");
    }
    assert_eq!(testee.next_event("a", "typingStart").await[0]["username"], "Bob");
    assert_eq!(testee.next_event("a", "typingStop").await[0]["userId"], "u2");
}
