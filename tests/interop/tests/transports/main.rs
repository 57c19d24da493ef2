//! WebSocket and long-polling: which of them is used, and that both keep the same promises.

use rejoin_interop::{NodeServer, Testee, merged, options};
use serde_json::{Value, json};

mod cookies;
mod fallback;
mod polling;
mod retry_after;
mod upgrade;

/// Options with these transports, in this order.
fn over(transports: &[&str]) -> Value {
    merged(options(json!({})), json!({ "transports": transports }))
}

/// A server with these settings, and a client that is made and not connected.
async fn client(settings: Value, options: Value) -> (NodeServer, Testee) {
    let server = NodeServer::start(settings).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options).await;
    (server, testee)
}

/// The same, connected over long-polling, with no way to a WebSocket.
async fn polling(settings: Value) -> (NodeServer, Testee) {
    let (server, testee) = client(settings, over(&["polling"])).await;
    testee.connect("a").await;
    assert_eq!(testee.wait_state("a", "connected").await["transport"], "polling");
    (server, testee)
}

/// A request is answered.
async fn works(testee: &Testee) {
    assert_eq!(testee.request("a", "echo", json!(["still"])).await, [json!("still")]);
}
