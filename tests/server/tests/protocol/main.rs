//! The behaviours that the official test suites of Engine.IO 4 and Socket.IO 5 ask of a server,
//! checked against this one with frames and requests written by hand.
//!
//! What is asked of `message` over bare Engine.IO there is asked of Socket.IO's events here, since
//! this server echoes nothing. Where socketioxide answers otherwise than npm's server, the test's
//! name says so.

mod closing;
mod connect;
mod events;
mod handshake;
mod heartbeat;
mod invalid;
mod link;
mod polling;
mod promises;
mod upgrade;

use std::time::Duration;

use rejoin_server::{Features, Server, ServerConfig};
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3600);
const DEADLINE: Duration = Duration::from_secs(10);

/// A server whose events ask for no acknowledgement; `promises.rs` has those that do.
async fn server() -> Server {
    let features = Features {
        receipts: false,
        ..Features::default()
    };
    start(ServerConfig {
        features,
        ..ServerConfig::default()
    })
    .await
}

async fn start(config: ServerConfig) -> Server {
    Server::start(config).await.expect("the server starts")
}

/// A server whose heartbeat is quick.
async fn quick() -> Server {
    start(ServerConfig {
        ping_interval: Duration::from_millis(100),
        ping_timeout: Duration::from_millis(100),
        ..ServerConfig::default()
    })
    .await
}

/// A CONNECT of this user to the default namespace.
fn connect(server: &Server) -> String {
    let token = server.mint_token("u1", "Alice", HOUR);
    format!("40{}", json!({ "token": token }))
}

/// The JSON behind a packet's head.
fn body(packet: &str, head: &str) -> Value {
    let json = packet.strip_prefix(head);
    let json = json.unwrap_or_else(|| panic!("{packet} does not begin with {head}"));
    serde_json::from_str(json).expect("JSON")
}
