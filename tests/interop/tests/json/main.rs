//! Plain JSON over a WebSocket, against a server that none of us wrote and that promises no more than it is told to.

use rejoin_interop::{NodeServer, Testee, merged, options};
use serde_json::{Value, json};

mod bad;
mod chat;
mod connection;
mod frames;

/// Options of a client without the chat layer.
fn plain(more: Value) -> Value {
    merged(options(json!({ "protocol": "json" })), more)
}

/// A server with these settings and a connected client.
async fn connected(settings: Value, options: Value) -> (NodeServer, Testee) {
    let server = NodeServer::start_json(settings).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options).await;
    testee.on("a", "*").await;
    testee.connected("a").await;
    (server, testee)
}

/// An echo comes back, as an event.
async fn works(testee: &Testee, n: u64) {
    testee.emit("a", "echo", json!([{ "n": n }])).await;
    let heard = testee.wait_event("a", "echo").await["args"].clone();
    assert_eq!(heard, json!([{ "type": "echo", "n": n }]));
}
