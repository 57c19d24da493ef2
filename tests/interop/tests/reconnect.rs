//! Every way in which a connection ends, and how it comes back.

use rejoin_interop::{NodeServer, Testee, options};
use rejoin_server::Tunnel;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Heartbeats every 100 ms, so that silence is noticed after 250 ms; and a dial that nobody answers ends after 300 ms.
fn quick_heartbeat() -> Value {
    json!({ "socketio": { "pingInterval": 100, "pingTimeout": 150 } })
}

fn impatient() -> Value {
    options(json!({ "connectTimeout": 300 }))
}

#[tokio::test]
async fn a_disconnect_by_the_server_is_followed_by_a_new_connection() {
    let server = NodeServer::start(json!({})).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.connected("a").await;
    for close in [false, true] {
        server.disconnect_clients(close).await;
        let waiting = testee.wait_state("a", "waiting").await;
        assert_eq!(waiting["reason"], "io server disconnect");
        assert!(
            waiting["retryIn"].as_u64().is_some_and(|delay| delay <= 100),
            "{waiting}"
        );
        testee.wait_state("a", "connected").await;
    }
    assert_eq!(testee.request("a", "echo", json!([1])).await, [json!(1)]);
    server.wait_open_links(1).await;
}

#[tokio::test]
async fn silence_is_a_ping_timeout_and_ends_when_the_server_goes_on() {
    let server = NodeServer::start(quick_heartbeat()).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), impatient()).await;
    testee.connected("a").await;

    server.freeze();
    assert_eq!(testee.wait_state("a", "waiting").await["reason"], "ping timeout");
    assert_eq!(testee.wait_state("a", "waiting").await["reason"], "connect timeout");
    server.thaw();
    testee.wait_state("a", "connected").await;
    assert_eq!(testee.request("a", "echo", json!([1])).await, [json!(1)]);
    server.wait_open_links(1).await;
}

#[tokio::test]
async fn a_heartbeat_keeps_a_quiet_connection_alive() {
    let server = NodeServer::start(quick_heartbeat()).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.connected("a").await;
    for _ in 0..5 {
        server.wait_heartbeat().await;
    }
    assert_eq!(testee.request("a", "echo", json!([1])).await, [json!(1)]);
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
}

#[tokio::test]
async fn a_cut_network_is_noticed_and_outlived() {
    let server = NodeServer::start(json!({})).await;
    let tunnel = Tunnel::start(server.address().parse().expect("an address"))
        .await
        .expect("a port");
    let testee = Testee::start();
    testee.create("a", &tunnel.url(), options(json!({}))).await;
    testee.connected("a").await;

    tunnel.cut();
    let reason = testee.wait_state("a", "waiting").await["reason"].clone();
    assert!(reason == "transport close" || reason == "transport error", "{reason}");
    // While it is cut, attempts fail and are made again.
    testee.wait_state("a", "connecting").await;
    testee.wait_state("a", "waiting").await;

    tunnel.restore();
    testee.wait_state("a", "connected").await;
    assert_eq!(testee.request("a", "echo", json!([1])).await, [json!(1)]);
    server.wait_open_links(1).await;
}

#[tokio::test]
async fn a_network_that_swallows_everything_is_a_ping_timeout() {
    let server = NodeServer::start(quick_heartbeat()).await;
    let tunnel = Tunnel::start(server.address().parse().expect("an address"))
        .await
        .expect("a port");
    let testee = Testee::start();
    testee.create("a", &tunnel.url(), impatient()).await;
    testee.connected("a").await;

    tunnel.freeze();
    assert_eq!(testee.wait_state("a", "waiting").await["reason"], "ping timeout");
    tunnel.thaw();
    testee.wait_state("a", "connected").await;
    assert_eq!(testee.request("a", "echo", json!([1])).await, [json!(1)]);
}

#[tokio::test]
async fn a_server_that_was_killed_is_found_again() {
    let mut server = NodeServer::start(json!({})).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.on("a", "news").await;
    testee.connected("a").await;

    server.kill().await;
    let reason = testee.wait_state("a", "waiting").await["reason"].clone();
    assert!(reason == "transport close" || reason == "transport error", "{reason}");
    let refused = testee.wait_state("a", "waiting").await;
    assert_eq!(refused["reason"], "connect error");
    assert_eq!(refused["error"]["code"], 2001, "{refused}");

    server.start_again().await;
    testee.wait_state("a", "connected").await;
    server.emit("news", json!(["good"])).await;
    assert_eq!(testee.next_event("a", "news").await, json!(["good"]));
}

#[tokio::test]
async fn a_client_that_starts_before_its_server_finds_it() {
    let mut server = NodeServer::start(json!({})).await;
    server.kill().await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.connect("a").await;
    testee.wait_state("a", "waiting").await;
    server.start_again().await;
    testee.wait_state("a", "connected").await;
}

#[tokio::test]
async fn every_namespace_comes_back_over_one_link() {
    let mut server = NodeServer::start(json!({ "namespaces": ["/news"] })).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.create_of("news", "a", "/news").await;
    testee.connected("a").await;
    testee.connected("news").await;

    server.kill().await;
    testee.wait_state("a", "waiting").await;
    testee.wait_state("news", "waiting").await;
    server.start_again().await;
    for client in ["a", "news"] {
        testee.wait_state(client, "connected").await;
        assert_eq!(testee.request(client, "echo", json!([client])).await, [json!(client)]);
    }
    server.wait_open_links(1).await;
}

#[tokio::test]
async fn handlers_hear_each_event_once_after_any_number_of_connections() {
    let server = NodeServer::start(json!({})).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.on("a", "news").await;
    testee.once("a", "rare").await;
    testee.connected("a").await;
    for round in 0..4 {
        server.emit("news", json!([round])).await;
        assert_eq!(testee.next_event("a", "news").await, json!([round]));
        server.disconnect_clients(true).await;
        testee.wait_state("a", "waiting").await;
        testee.wait_state("a", "connected").await;
    }
    for event in ["rare", "rare", "news"] {
        server.emit(event, json!(["end"])).await;
    }
    testee.next_event("a", "rare").await;
    assert_eq!(testee.next_event("a", "news").await, json!(["end"]));
    let heard: Vec<_> = (0..4).map(|round| json!([round])).chain([json!(["end"])]).collect();
    assert_eq!(testee.events("a", "news"), heard);
}

/// Seven joins at a server that ends each at once are as far apart as if none had succeeded.
async fn is_not_hammered(drops: &str) {
    let server = NodeServer::start(json!({ "dropOnJoin": drops })).await;
    let testee = Testee::start();
    let reconnect = json!({ "reconnect": { "initialDelay": 40, "maxDelay": 320, "multiplier": 2 } });
    testee.create("a", &server.url(), options(reconnect)).await;
    testee.connect("a").await;

    let mut joins = Vec::new();
    for _ in 0..7 {
        joins.push(server.wait_join("/").await["at"].as_f64().expect("a time"));
    }
    // Six delays of at least half of 40, 80, 160, 320, 320, 320 ms. Were the count forgotten at each
    // connection, it were six of at most 40 ms.
    let took = joins[6] - joins[0];
    assert!(took >= 620.0, "seven joins within {took} ms");
}

#[tokio::test]
async fn a_server_that_accepts_and_drops_the_link_is_not_hammered() {
    is_not_hammered("link").await;
}

#[tokio::test]
async fn a_server_that_accepts_and_ends_the_namespace_is_not_hammered() {
    is_not_hammered("namespace").await;
}

#[tokio::test]
async fn the_attempts_that_were_allowed_end_in_failed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    // Takes every connection and closes it, without a word of HTTP.
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });

    let testee = Testee::start();
    let reconnect = json!({ "reconnect": { "initialDelay": 5, "maxDelay": 20, "maxAttempts": 3 } });
    testee.create("a", &url, options(reconnect)).await;
    testee.connect("a").await;
    let failed = testee.wait_state("a", "failed").await;
    assert!(
        failed["error"]["code"]
            .as_u64()
            .is_some_and(|code| (2000..3000).contains(&code)),
        "{failed}"
    );
    // One attempt, and three more.
    let dialled = testee.states("a").iter().filter(|state| *state == "connecting").count();
    assert_eq!(dialled, 4);
}

#[tokio::test]
async fn the_fifth_failure_in_a_row_is_told_once() {
    let mut server = NodeServer::start(json!({})).await;
    server.kill().await;
    let testee = Testee::start();
    testee
        .create(
            "a",
            &server.url(),
            options(json!({ "reconnect": { "initialDelay": 5, "maxDelay": 10 } })),
        )
        .await;
    testee.on("a", "connectionFailed").await;
    testee.connect("a").await;
    testee.next_event("a", "connectionFailed").await;
    let failures = testee.states("a").iter().filter(|state| *state == "connecting").count();
    assert!(failures >= 5, "after {failures} attempts");
    for _ in 0..6 {
        testee.wait_state("a", "waiting").await;
    }
    server.start_again().await;
    testee.wait_state("a", "connected").await;
    assert_eq!(testee.events("a", "connectionFailed").len(), 1);
}

#[tokio::test]
async fn a_disconnect_while_waiting_stays_disconnected() {
    let mut server = NodeServer::start(json!({})).await;
    server.kill().await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.connect("a").await;
    testee.wait_state("a", "waiting").await;
    testee.disconnect("a").await;
    testee.wait_state("a", "closed").await;

    server.start_again().await;
    testee.create("other", &server.url(), options(json!({}))).await;
    testee.connected("other").await;
    assert_eq!(server.links(), 1);
    assert_eq!(testee.state("a").await["state"], "closed");
}
