//! The chat layer against the reference server: messages, rooms and typing, while the network comes and goes.

use std::time::Duration;

use rejoin_interop::Testee;
use rejoin_server::{Server, ServerConfig, Tunnel};
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3600);

/// A server, and Alice, whose network can be taken away, and Bob, whose network cannot.
struct Chat {
    server: Server,
    tunnel: Tunnel,
    testee: Testee,
}

impl Chat {
    async fn start() -> Self {
        Self::start_with(json!({})).await
    }

    /// `more` are Alice's and Bob's options.
    async fn start_with(more: Value) -> Self {
        let server = Server::start(ServerConfig {
            password_rounds: 100,
            ..ServerConfig::default()
        })
        .await
        .expect("a server");
        let tunnel = Tunnel::start(server.addr()).await.expect("a tunnel");
        let chat = Self {
            server,
            tunnel,
            testee: Testee::start(),
        };
        chat.create("alice", "Alice", &chat.tunnel.url(), more.clone())
            .await;
        chat.create("bob", "Bob", &chat.server.url(), more).await;
        for client in ["alice", "bob"] {
            chat.testee.connected(client).await;
        }
        chat
    }

    async fn create(&self, user: &str, name: &str, url: &str, more: Value) {
        let token = self.server.mint_token(user, name, HOUR);
        let mut options =
            json!({ "token": token, "reconnect": { "initialDelay": 20, "maxDelay": 100 } });
        let (Value::Object(all), Value::Object(more)) = (&mut options, more) else {
            panic!("options are an object");
        };
        all.extend(more);
        self.testee.create(user, url, options).await;
    }

    /// Makes a room of Bob's, which both are in.
    async fn shared_room(&self, name: &str, password: Option<&str>) -> String {
        let mut room = json!({ "name": name });
        let mut join = vec![];
        if let Some(password) = password {
            room["password"] = json!(password);
            join.push(json!(password));
        }
        let reply = self.delivered("bob", "createRoom", json!([room])).await;
        let id = reply[0]["id"].as_str().expect("the room's id").to_owned();
        join.insert(0, json!(id));
        self.delivered("alice", "joinRoom", json!(join)).await;
        id
    }

    /// Calls a method that sends, and waits until that is delivered; the reply.
    async fn delivered(&self, client: &str, method: &str, args: Value) -> Vec<Value> {
        let receipt = self.testee.send(client, method, args).await;
        let outcome = self.testee.outcome(client, receipt).await;
        assert_eq!(outcome.name, "delivered", "{method}: {outcome:?}");
        outcome.reply
    }

    async fn cut(&self) {
        self.tunnel.cut();
        self.testee.wait_state("alice", "waiting").await;
    }

    async fn restore(&self) {
        self.tunnel.restore();
        self.testee.wait_state("alice", "connected").await;
    }

    /// The `content` of each event of this name so far.
    fn contents(&self, client: &str, event: &str) -> Vec<Value> {
        self.testee
            .events(client, event)
            .iter()
            .map(|args| args[0]["content"].clone())
            .collect()
    }
}

#[tokio::test]
async fn the_greeting_says_who_one_is_and_what_the_server_promises() {
    let chat = Chat::start().await;
    chat.create("carol", "Carol", &chat.server.url(), json!({}))
        .await;
    chat.testee.on("carol", "connectionStatus").await;
    chat.testee.connected("carol").await;
    let greeting = chat.testee.next_event("carol", "connectionStatus").await[0].clone();
    assert_eq!(greeting["userId"], "carol");
    assert_eq!(greeting["username"], "Carol");
    assert_eq!(greeting["connected"], true);
    assert_eq!(greeting["features"], json!(["ack", "dedupe"]));
}

#[tokio::test]
async fn a_token_that_has_expired_is_refused() {
    let chat = Chat::start().await;
    let token = chat.server.mint_token("carol", "Carol", Duration::ZERO);
    chat.testee
        .create("carol", &chat.server.url(), json!({ "token": token }))
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

#[tokio::test]
async fn a_private_message_is_delivered_and_confirmed() {
    let chat = Chat::start().await;
    chat.testee.on("bob", "privateMessage").await;
    chat.testee.on("alice", "messageSent").await;
    let reply = chat
        .delivered(
            "alice",
            "sendPrivateMessage",
            json!(["bob", "hello \"Bob\" 🦀"]),
        )
        .await;
    assert_eq!(reply[0]["ok"], true);

    let message = chat.testee.next_event("bob", "privateMessage").await[0].clone();
    assert_eq!(message["content"], "hello \"Bob\" 🦀");
    assert_eq!(
        message["sender"],
        json!({ "id": "alice", "username": "Alice" })
    );
    assert_eq!(message["id"], reply[0]["id"]);
    assert!(message["timestamp"].is_string(), "{message}");

    let sent = chat.testee.next_event("alice", "messageSent").await[0].clone();
    assert_eq!(
        sent,
        json!({ "id": reply[0]["id"], "recipientId": "bob", "delivered": true })
    );
}

#[tokio::test]
async fn a_private_message_waits_for_who_is_away() {
    let chat = Chat::start().await;
    for n in 0..3 {
        chat.delivered(
            "bob",
            "sendPrivateMessage",
            json!(["carol", format!("{n}")]),
        )
        .await;
    }
    chat.create("carol", "Carol", &chat.server.url(), json!({}))
        .await;
    chat.testee.on("carol", "privateMessage").await;
    chat.testee.connected("carol").await;
    for n in 0..3 {
        assert_eq!(
            chat.testee.next_event("carol", "privateMessage").await[0]["content"],
            format!("{n}")
        );
    }
}

#[tokio::test]
async fn a_hundred_messages_from_offline_arrive_once_and_in_order() {
    let chat = Chat::start().await;
    chat.testee.on("bob", "privateMessage").await;
    chat.cut().await;
    let mut receipts = Vec::new();
    for n in 0..100 {
        receipts.push(
            chat.testee
                .send(
                    "alice",
                    "sendPrivateMessage",
                    json!(["bob", format!("{n}")]),
                )
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
        assert_eq!(
            chat.testee.outcome("alice", receipt).await.name,
            "delivered"
        );
    }
    chat.delivered("alice", "sendPrivateMessage", json!(["bob", "end"]))
        .await;
    assert_eq!(
        chat.testee.next_event("bob", "privateMessage").await[0]["content"],
        "end"
    );
    assert_eq!(chat.contents("bob", "privateMessage").len(), 101);
}

#[tokio::test]
async fn messages_under_way_when_the_network_goes_arrive_once_and_in_order() {
    let chat = Chat::start().await;
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
                .send(
                    "alice",
                    "sendPrivateMessage",
                    json!(["bob", format!("{n}")]),
                )
                .await,
        );
    }
    for receipt in receipts {
        assert_eq!(
            chat.testee.outcome("alice", receipt).await.name,
            "delivered"
        );
    }
    chat.delivered("alice", "sendPrivateMessage", json!(["bob", "end"]))
        .await;
    while chat.testee.wait_event("bob", "privateMessage").await["args"][0]["content"] != "end" {}
    let expected: Vec<_> = (0..60)
        .map(|n| json!(format!("{n}")))
        .chain([json!("end")])
        .collect();
    assert_eq!(chat.contents("bob", "privateMessage"), expected);
}

#[tokio::test]
async fn a_group_message_reaches_the_room() {
    let chat = Chat::start().await;
    chat.testee.on("bob", "userJoinedRoom").await;
    chat.testee.on("alice", "roomJoined").await;
    let room = chat.shared_room("Tea Time", None).await;
    assert_eq!(room, "tea-time");
    let joined = chat.testee.next_event("alice", "roomJoined").await[0].clone();
    assert_eq!(joined["room"], "tea-time");
    assert_eq!(
        joined["members"].as_array().map(Vec::len),
        Some(2),
        "{joined}"
    );
    let other = chat.testee.next_event("bob", "userJoinedRoom").await[0].clone();
    assert_eq!(
        other,
        json!({ "roomId": "tea-time", "user": { "id": "alice", "username": "Alice" } })
    );

    chat.testee.on("alice", "groupMessage").await;
    chat.delivered("bob", "sendGroupMessage", json!([room, "milk?"]))
        .await;
    let message = chat.testee.next_event("alice", "groupMessage").await[0].clone();
    assert_eq!(message["room"], "tea-time");
    assert_eq!(message["content"], "milk?");
    assert_eq!(message["sender"]["username"], "Bob");
}

#[tokio::test]
async fn a_group_message_to_a_room_one_is_not_in_is_rejected() {
    let chat = Chat::start().await;
    let receipt = chat
        .testee
        .send("alice", "sendGroupMessage", json!(["nowhere", "hello?"]))
        .await;
    let outcome = chat.testee.outcome("alice", receipt).await;
    assert_eq!(outcome.name, "rejected");
    let error = outcome.error.expect("why");
    assert_eq!(
        (error.code, error.server_code.as_deref()),
        (4004, Some("not_member"))
    );
}

#[tokio::test]
async fn rooms_are_joined_again_before_what_was_queued_goes_out() {
    let chat = Chat::start().await;
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
        assert_eq!(
            chat.testee.outcome("alice", receipt).await.name,
            "delivered"
        );
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

#[tokio::test]
async fn a_room_that_was_left_offline_is_not_joined_again() {
    let chat = Chat::start().await;
    let left = chat.shared_room("left", None).await;
    let kept = chat.shared_room("kept", None).await;
    chat.testee.on("alice", "groupMessage").await;
    chat.cut().await;
    chat.testee.send("alice", "leaveRoom", json!([left])).await;
    chat.restore().await;

    chat.delivered("bob", "sendGroupMessage", json!([left, "still there?"]))
        .await;
    chat.delivered("bob", "sendGroupMessage", json!([kept, "yes"]))
        .await;
    assert_eq!(
        chat.testee.next_event("alice", "groupMessage").await[0]["content"],
        "yes"
    );
}

#[tokio::test]
async fn a_wrong_password_is_rejected_and_the_right_one_is_not() {
    let chat = Chat::start().await;
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
        assert_eq!(
            failed,
            json!({ "roomId": "vault", "reason": "wrong_password" })
        );
    }
    chat.delivered("alice", "joinRoom", json!(["vault", "sesame"]))
        .await;
    chat.delivered("alice", "sendGroupMessage", json!(["vault", "in"]))
        .await;
}

#[tokio::test]
async fn typing_is_seen_and_stops_by_itself() {
    let chat =
        Chat::start_with(json!({ "typing": { "autoStop": 120, "refresh": 60, "expiry": 5_000 } }))
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
    assert_eq!(
        chat.testee.next_event("bob", "typingStop").await[0]["userId"],
        "alice"
    );

    let room = chat.shared_room("tea", None).await;
    chat.testee
        .call("alice", "startTyping", json!(["group", room]))
        .await;
    assert_eq!(
        chat.testee.next_event("bob", "typingStart").await[0]["roomId"],
        "tea"
    );
    chat.testee
        .call("alice", "stopTyping", json!(["group", room]))
        .await;
    assert_eq!(
        chat.testee.next_event("bob", "typingStop").await[0]["roomId"],
        "tea"
    );
}

#[tokio::test]
async fn a_message_ends_the_typing_before_it_once() {
    let chat = Chat::start().await;
    for event in ["typingStart", "typingStop", "privateMessage"] {
        chat.testee.on("bob", event).await;
    }
    for n in 0..2 {
        chat.testee
            .call("alice", "startTyping", json!(["private", "bob"]))
            .await;
        chat.testee.next_event("bob", "typingStart").await;
        chat.delivered(
            "alice",
            "sendPrivateMessage",
            json!(["bob", format!("{n}")]),
        )
        .await;
        chat.testee.wait_event("bob", "privateMessage").await;
        chat.testee.wait_event("bob", "typingStop").await;
    }
    assert_eq!(chat.testee.events("bob", "typingStart").len(), 2);
    assert_eq!(chat.testee.events("bob", "typingStop").len(), 2);
}

#[tokio::test]
async fn a_typist_whose_network_hangs_is_seen_to_stop_once() {
    let chat =
        Chat::start_with(json!({ "typing": { "autoStop": 60, "refresh": 30, "expiry": 250 } }))
            .await;
    for event in ["typingStart", "typingStop", "privateMessage"] {
        chat.testee.on("bob", event).await;
    }
    chat.testee
        .call("alice", "startTyping", json!(["private", "bob"]))
        .await;
    chat.testee.next_event("bob", "typingStart").await;
    chat.tunnel.freeze();
    assert_eq!(
        chat.testee.next_event("bob", "typingStop").await[0]["userId"],
        "alice"
    );

    // Whatever Alice sent meanwhile comes through late.
    chat.tunnel.thaw();
    chat.delivered("alice", "sendPrivateMessage", json!(["bob", "end"]))
        .await;
    while chat.testee.wait_event("bob", "privateMessage").await["args"][0]["content"] != "end" {}
    let starts = chat.testee.events("bob", "typingStart").len();
    assert_eq!(chat.testee.events("bob", "typingStop").len(), starts);
}

#[tokio::test]
async fn typing_without_a_connection_is_never_sent() {
    let chat = Chat::start().await;
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
