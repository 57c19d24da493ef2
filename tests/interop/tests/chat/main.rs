//! The chat layer against the reference server, over Socket.IO and over plain JSON, while the network comes and goes.

use std::time::Duration;

use rejoin_interop::{Testee, merged};
use rejoin_server::{Server, ServerConfig, Tunnel};
use serde_json::{Value, json};

mod closing;
mod connection;
mod delivery;
mod games;
mod messages;
mod mixed;
mod notifications;
mod receipts;
mod restart;
mod rooms;
mod stats;
mod storm;
mod typing;

const HOUR: Duration = Duration::from_secs(3600);

/// Makes a test of each case and protocol.
macro_rules! over_both {
    ($($case:ident)*) => {
        mod socketio {
            $(#[tokio::test]
            async fn $case() {
                super::$case("socketio").await;
            })*
        }
        mod json {
            $(#[tokio::test]
            async fn $case() {
                super::$case("json").await;
            })*
        }
    };
}
use over_both;

/// A server, and Alice, whose network can be taken away, and Bob, whose network cannot.
struct Chat {
    protocol: &'static str,
    server: Server,
    tunnel: Tunnel,
    testee: Testee,
}

impl Chat {
    async fn start(protocol: &'static str) -> Self {
        Self::start_with(protocol, json!({})).await
    }

    /// `more` are Alice's and Bob's options.
    async fn start_with(protocol: &'static str, more: Value) -> Self {
        Self::start_at(protocol, server_config(), more).await
    }

    async fn start_at(protocol: &'static str, config: ServerConfig, more: Value) -> Self {
        let server = Server::start(config).await.expect("a server");
        let tunnel = Tunnel::start(server.addr()).await.expect("a tunnel");
        let chat = Self {
            protocol,
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
        let token = self.token(user, name);
        let quick = json!({ "initialDelay": 20, "maxDelay": 100 });
        let options = json!({ "protocol": self.protocol, "token": token, "reconnect": quick });
        let options = merged(options, more);
        self.testee.create(user, url, options).await;
    }

    fn token(&self, user: &str, name: &str) -> String {
        self.server.mint_token(user, name, HOUR)
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

    /// Waits for the next event of this name, passing over others; its payload.
    async fn event(&self, client: &str, event: &str) -> Value {
        self.testee.wait_event(client, event).await["args"][0].clone()
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

/// Passwords need not be safe here.
fn server_config() -> ServerConfig {
    ServerConfig {
        password_rounds: 100,
        ..ServerConfig::default()
    }
}
