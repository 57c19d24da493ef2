//! Balancers that go by a cookie.

use rejoin_interop::merged;
use serde_json::json;

use crate::{client, over, works};

#[tokio::test]
async fn with_credentials_a_sticky_cookie_goes_along_and_with_the_upgrade() {
    let options = merged(over(&["polling", "websocket"]), json!({ "withCredentials": true }));
    let (server, testee) = client(json!({ "gate": { "sticky": "node" } }), options).await;
    testee.connected("a").await;
    assert_eq!(server.wait_upgrade().await, "websocket");
    works(&testee).await;
    assert_eq!(testee.states("a"), ["connecting", "connected"]);

    // Kept for the next session too.
    server.drop_links().await;
    testee.wait_state("a", "waiting").await;
    testee.wait_state("a", "connected").await;
    server.wait_link().await;
    assert_eq!(server.wait_link().await["headers"]["cookie"], "node=1");
}

#[tokio::test]
async fn without_credentials_no_cookie_is_kept() {
    let (server, testee) = client(json!({ "gate": { "sticky": "node" } }), over(&["polling"])).await;
    testee.connect("a").await;
    let waiting = testee.wait_state("a", "waiting").await;
    assert_eq!(waiting["error"]["code"], 2004, "{waiting}");
    assert!(server.wait_link().await["headers"]["cookie"].is_null());
    assert!(server.wait_link().await["headers"]["cookie"].is_null());
}

#[tokio::test]
async fn the_cookie_of_a_websocket_handshake_is_kept_too() {
    let options = merged(over(&["websocket"]), json!({ "withCredentials": true }));
    let (server, testee) = client(json!({ "gate": { "sticky": "node" } }), options).await;
    testee.connected("a").await;
    assert!(server.wait_link().await["headers"]["cookie"].is_null());
    server.drop_links().await;
    assert_eq!(server.wait_link().await["headers"]["cookie"], "node=1");
}
