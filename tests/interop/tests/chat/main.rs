//! The chat layer against the reference server: messages, rooms and typing, while the network comes and goes.

use std::time::Duration;

use rejoin_interop::{Testee, merged};
use rejoin_server::{Server, ServerConfig, Tunnel};
use serde_json::{Value, json};

mod messages;
mod rooms;
mod typing;

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
        chat.create("alice", "Alice", &chat.tunnel.url(), more.clone()).await;
        chat.create("bob", "Bob", &chat.server.url(), more).await;
        for client in ["alice", "bob"] {
            chat.testee.connected(client).await;
        }
        chat
    }

    async fn create(&self, user: &str, name: &str, url: &str, more: Value) {
        let token = self.server.mint_token(user, name, HOUR);
        let quick = json!({ "initialDelay": 20, "maxDelay": 100 });
        let options = merged(json!({ "token": token, "reconnect": quick }), more);
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
