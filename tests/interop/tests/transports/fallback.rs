//! A transport that does not work gives way to the other.

use std::time::{Duration, Instant};

use rejoin_interop::{is_no_handshake, merged, options};
use serde_json::{Value, json};

use crate::{client, over, works};

/// Polling that does not try a WebSocket later.
fn behind_a_proxy(gate: Value) -> Value {
    json!({ "gate": gate, "socketio": { "allowUpgrades": false } })
}

#[tokio::test]
async fn a_websocket_that_is_refused_gives_way_to_polling_in_the_same_attempt() {
    for status in [200, 400, 403, 404, 502] {
        let (server, testee) = client(behind_a_proxy(json!({ "upgrade": status })), options(json!({}))).await;
        testee.connect("a").await;
        assert_eq!(testee.wait_state("a", "connected").await["transport"], "polling");
        assert_eq!(server.wait_turned_away().await["status"], status);
        works(&testee).await;
        assert_eq!(testee.states("a"), ["connecting", "connected"]);
        assert_eq!(testee.state("a").await["transport"], "polling");
    }
}

#[tokio::test]
async fn a_websocket_that_is_not_answered_has_six_seconds() {
    let (_server, testee) = client(behind_a_proxy(json!({ "upgrade": "silent" })), options(json!({}))).await;
    let began = Instant::now();
    testee.connect("a").await;
    assert_eq!(testee.wait_state("a", "connected").await["transport"], "polling");
    let took = began.elapsed();
    assert!((5900..7500).contains(&took.as_millis()), "after {took:?}");
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
}

#[tokio::test]
async fn a_websocket_that_is_not_answered_has_half_of_a_shorter_budget() {
    let short = merged(options(json!({})), json!({ "connectTimeout": 2000 }));
    let (_server, testee) = client(behind_a_proxy(json!({ "upgrade": "silent" })), short).await;
    let began = Instant::now();
    testee.connect("a").await;
    assert_eq!(testee.wait_state("a", "connected").await["transport"], "polling");
    assert!(began.elapsed() > Duration::from_millis(950), "{:?}", began.elapsed());
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
}

#[tokio::test]
async fn the_transport_that_worked_is_tried_first_the_next_time() {
    let (server, testee) = client(behind_a_proxy(json!({ "upgrade": 403 })), options(json!({}))).await;
    testee.connected("a").await;
    server.wait_turned_away().await;
    for _ in 0..3 {
        server.drop_links().await;
        testee.wait_state("a", "waiting").await;
        assert_eq!(testee.wait_state("a", "connected").await["transport"], "polling");
    }
    // The WebSocket was tried once in all.
    assert_eq!(server.turned_away(), 1);
    assert_eq!(server.links(), 4);
}

#[tokio::test]
async fn a_single_transport_is_the_only_one_that_is_tried() {
    let (server, testee) = client(behind_a_proxy(json!({ "upgrade": 403 })), over(&["websocket"])).await;
    testee.connect("a").await;
    for _ in 0..3 {
        let waiting = testee.wait_state("a", "waiting").await;
        assert_eq!(waiting["reason"], "connect error");
        assert!(is_no_handshake(&waiting["error"]["code"]), "{waiting}");
    }
    assert_eq!(server.links(), 0);
    server.gate(json!({})).await;
    assert_eq!(testee.wait_state("a", "connected").await["transport"], "websocket");
}

#[tokio::test]
async fn polling_that_is_refused_gives_way_to_a_websocket() {
    let settings = json!({ "gate": { "request": 503 } });
    let (server, testee) = client(settings, over(&["polling", "websocket"])).await;
    testee.connect("a").await;
    assert_eq!(testee.wait_state("a", "connected").await["transport"], "websocket");
    assert_eq!(server.turned_away(), 1);
    works(&testee).await;
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
}

#[tokio::test]
async fn where_neither_works_attempts_go_on_until_one_does() {
    let gate = json!({ "upgrade": 502, "request": 502 });
    let (server, testee) = client(behind_a_proxy(gate), options(json!({}))).await;
    testee.connect("a").await;
    for _ in 0..4 {
        let waiting = testee.wait_state("a", "waiting").await;
        assert!(is_no_handshake(&waiting["error"]["code"]), "{waiting}");
    }
    server.gate(json!({ "upgrade": 502 })).await;
    assert_eq!(testee.wait_state("a", "connected").await["transport"], "polling");
    works(&testee).await;
}
