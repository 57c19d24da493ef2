//! The server over a real WebSocket, with frames written by hand: no client library stands between
//! a test and the wire. `wire.rs` speaks Socket.IO, `plain.rs` plain JSON.

mod closing;
mod connect;
mod friends;
mod games;
mod http;
mod json;
mod limits;
mod messages;
mod notifications;
mod order;
mod plain;
mod program;
mod receipts;
mod restart;
mod rooms;
mod typing;
mod wire;

use std::time::Duration;

use rejoin_server::{Server, ServerConfig};

const HOUR: Duration = Duration::from_secs(3600);

/// A server as tests want it: every default but the price of passwords.
async fn server() -> Server {
    start(config()).await
}

fn config() -> ServerConfig {
    ServerConfig {
        password_rounds: 10,
        ..ServerConfig::default()
    }
}

async fn start(config: ServerConfig) -> Server {
    Server::start(config).await.expect("the server starts")
}
