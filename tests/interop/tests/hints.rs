//! What the platform knows, and the client cannot: networks that come and go, apps in the background.

use std::time::{Duration, Instant};

use rejoin_interop::{NodeServer, Path, Testee, merged, options};
use serde_json::{Value, json};

const TRANSPORTS: [&str; 2] = ["websocket", "polling"];

/// A client over a path that can go dead, connected.
async fn on_the_way(transport: &str) -> (NodeServer, Path, Testee) {
    let server = NodeServer::start(json!({})).await;
    let path = Path::to(&server.address()).await;
    let testee = Testee::start();
    let options = merged(options(json!({})), json!({ "transports": [transport] }));
    testee.create("a", &path.url(), options).await;
    testee.connected("a").await;
    (server, path, testee)
}

#[tokio::test]
async fn a_dead_link_is_found_and_replaced_within_three_seconds() {
    for transport in TRANSPORTS {
        for hint in ["foreground", "online"] {
            let (_server, path, testee) = on_the_way(transport).await;
            path.strand();
            let queued = testee.emit_with("a", "echo", json!([1]), json!({ "ack": true })).await;
            let began = Instant::now();
            testee.hint("a", hint).await;
            let waiting = testee.wait_state("a", "waiting").await;
            assert_eq!(waiting["reason"], "ping timeout", "{transport}: {waiting}");
            testee.wait_state("a", "connected").await;
            let took = began.elapsed();
            assert!(took < Duration::from_secs(3), "{hint} over {transport}: after {took:?}");
            // It was written, and nobody knows: only a server that removes duplicates may get it again.
            assert_eq!(testee.outcome("a", queued).await.name, "unconfirmed");
            assert_eq!(testee.request("a", "echo", json!([2])).await, [json!(2)]);
        }
    }
}

#[tokio::test]
async fn a_link_that_is_well_stays_through_any_hint() {
    for transport in TRANSPORTS {
        let (server, _path, testee) = on_the_way(transport).await;
        for hint in ["foreground", "online", "offline", "online", "background", "foreground"] {
            testee.hint("a", hint).await;
            assert_eq!(testee.request("a", "echo", json!([hint])).await, [json!(hint)]);
        }
        // Longer than a probe may take.
        let receipt = testee
            .emit_with("a", "silence", json!([]), json!({ "ack": true, "timeout": 2500 }))
            .await;
        assert_eq!(testee.outcome("a", receipt).await.name, "unconfirmed");
        assert_eq!(testee.states("a"), ["connecting", "connected"]);
        assert_eq!(server.links(), 1);
    }
}

/// A client whose server is away, between two attempts that are far apart.
async fn waiting() -> (NodeServer, Testee) {
    let mut server = NodeServer::start(json!({})).await;
    server.kill().await;
    let testee = Testee::start();
    let slow = json!({ "initialDelay": 60_000, "maxDelay": 60_000 });
    testee
        .create("a", &server.url(), options(json!({ "reconnect": slow })))
        .await;
    testee.connect("a").await;
    testee.wait_state("a", "waiting").await;
    server.start_again().await;
    (server, testee)
}

#[tokio::test]
async fn whoever_waits_dials_at_once_when_there_is_a_network_or_a_user() {
    for hint in ["online", "foreground"] {
        let (_server, testee) = waiting().await;
        testee.hint("a", hint).await;
        testee.wait_state("a", "connected").await;
    }
}

#[tokio::test]
async fn without_a_network_no_attempt_is_made_until_there_is_one() {
    let (server, testee) = waiting().await;
    testee.hint("a", "offline").await;
    assert_eq!(testee.wait_state("a", "offline").await["reason"], "offline");
    let receipt = testee.emit_with("a", "echo", json!([1]), json!({ "ack": true })).await;
    testee.hint("a", "foreground").await;
    assert_eq!(testee.state("a").await["state"], "offline");
    testee.hint("a", "online").await;
    testee.wait_state("a", "connected").await;
    assert_eq!(testee.outcome("a", receipt).await.reply, [json!(1)]);
    assert_eq!(server.links(), 1);
}

#[tokio::test]
async fn an_explicit_connect_dials_although_the_platform_says_that_there_is_no_network() {
    let (_server, testee) = waiting().await;
    testee.hint("a", "offline").await;
    testee.wait_state("a", "offline").await;
    testee.connected("a").await;
    assert_eq!(testee.request("a", "echo", json!([1])).await, [json!(1)]);
}

#[tokio::test]
async fn in_the_background_no_attempt_is_made() {
    let (server, testee) = waiting().await;
    testee.hint("a", "background").await;
    assert_eq!(testee.wait_state("a", "paused").await["reason"], "background");
    testee.hint("a", "online").await;
    assert_eq!(testee.state("a").await["state"], "paused");
    assert_eq!(server.links(), 0);
    testee.hint("a", "foreground").await;
    testee.wait_state("a", "connected").await;
}

#[tokio::test]
async fn in_the_background_a_link_is_closed_after_ten_seconds_and_taken_up_in_the_foreground() {
    let recovering = json!({ "connectionStateRecovery": { "maxDisconnectionDuration": 60_000 } });
    let server = NodeServer::start(json!({ "socketio": recovering })).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.on("a", "*").await;
    testee.connected("a").await;
    server.emit("first", json!([])).await;
    testee.next_event("a", "first").await;

    let began = Instant::now();
    testee.hint("a", "background").await;
    // A look at something else is not long enough.
    let receipt = testee
        .emit_with("a", "silence", json!([]), json!({ "ack": true, "timeout": 9000 }))
        .await;
    assert_eq!(testee.outcome("a", receipt).await.name, "unconfirmed");
    assert_eq!(testee.state("a").await["state"], "connected");
    let paused: Value = testee.wait_state("a", "paused").await;
    assert_eq!(paused["reason"], "background");
    let took = began.elapsed();
    assert!((9900..12_000).contains(&took.as_millis()), "after {took:?}");
    server.wait_open_links(0).await;

    server.emit("missed", json!([])).await;
    testee.hint("a", "foreground").await;
    assert_eq!(testee.wait_state("a", "connected").await["recovered"], true);
    testee.next_event("a", "missed").await;
}

#[tokio::test]
async fn a_hint_that_is_none_is_refused() {
    let testee = Testee::start();
    testee.create("a", "http://127.0.0.1:9", options(json!({}))).await;
    testee
        .refused(json!({ "op": "hint", "client": "a", "hint": "asleep" }))
        .await;
    testee
        .refused(json!({ "op": "hint", "client": "nobody", "hint": "online" }))
        .await;
    testee.hint("a", "online").await;
    assert_eq!(testee.states("a"), [] as [&str; 0]);
}
