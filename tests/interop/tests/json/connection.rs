//! From the greeting to the end, and back again.

use std::time::{Duration, Instant};

use rejoin_interop::{NodeServer, Path, Testee};
use serde_json::json;

use crate::{connected, plain, works};

#[tokio::test]
async fn without_credentials_connected_follows_the_greeting() {
    let (server, testee) = connected(json!({}), plain(json!({}))).await;
    let link = server.wait_link().await;
    assert_eq!((&link["path"], &link["query"]), (&json!("/ws"), &json!({})));
    let state = testee.state("a").await;
    assert_eq!((&state["id"], &state["transport"]), (&json!("c1"), &json!("websocket")));
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
    works(&testee, 1).await;
}

#[tokio::test]
async fn the_query_reaches_the_server() {
    let options = plain(json!({ "query": { "team": "red & blue" } }));
    let (server, _testee) = connected(json!({}), options).await;
    let link = server.wait_link().await;
    assert_eq!(link["query"]["team"], "red & blue");
}

#[tokio::test]
async fn a_token_is_authenticated_with_and_a_wrong_one_is_refused() {
    let settings = json!({ "token": "sesame" });
    let (server, testee) = connected(settings, plain(json!({ "token": "sesame" }))).await;
    assert_eq!(server.wait_join("/").await["auth"], json!({ "token": "sesame" }));
    works(&testee, 1).await;

    testee
        .create("wrong", &server.url(), plain(json!({ "token": "open" })))
        .await;
    testee.connect("wrong").await;
    let failed = testee.wait_state("wrong", "failed").await;
    assert_eq!(failed["reason"], "connect error");
    assert_eq!(failed["error"]["code"], 3001, "{failed}");
    let message = failed["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("not on the list"), "{failed}");
    server.wait_open_links(1).await;
    assert_eq!(server.refusals(), 1);
}

#[tokio::test]
async fn a_provider_is_asked_once_more_on_the_same_link() {
    let server = NodeServer::start_json(json!({ "token": "fresh" })).await;
    let testee = Testee::start();
    testee
        .create("a", &server.url(), plain(json!({ "provider": true })))
        .await;
    testee.token("a", "stale").await;
    testee.connect("a").await;
    let (first, second) = (server.wait_refusal("/").await, server.wait_refusal("/").await);
    assert_eq!(first["link"], second["link"]);
    testee.wait_state("a", "failed").await;
    testee.token("a", "fresh").await;
    testee.connected("a").await;
}

#[tokio::test]
async fn every_end_is_noticed_and_mended() {
    let (mut server, testee) = connected(json!({}), plain(json!({}))).await;
    server.disconnect_clients(true).await;
    let waiting = testee.wait_state("a", "waiting").await;
    assert_eq!(waiting["reason"], "transport close", "{waiting}");
    testee.wait_state("a", "connected").await;
    works(&testee, 1).await;

    server.drop_links().await;
    testee.wait_state("a", "waiting").await;
    testee.wait_state("a", "connected").await;
    works(&testee, 2).await;

    server.kill().await;
    testee.wait_state("a", "waiting").await;
    server.start_again().await;
    testee.wait_state("a", "connected").await;
    works(&testee, 3).await;
    server.wait_open_links(1).await;
}

#[tokio::test]
async fn a_disconnect_ends_the_link_behind_what_was_sent() {
    let (server, testee) = connected(json!({}), plain(json!({}))).await;
    testee.emit("a", "last", json!([{ "words": 1 }])).await;
    testee.disconnect("a").await;
    assert_eq!(testee.wait_state("a", "closed").await["reason"], "io client disconnect");
    assert_eq!(server.wait_got("last").await["args"], json!([{ "words": 1 }]));
    server.wait_open_links(0).await;
    testee.connected("a").await;
    works(&testee, 1).await;
}

#[tokio::test]
async fn a_dead_link_is_found_by_a_ping_and_replaced_within_three_seconds() {
    let server = NodeServer::start_json(json!({})).await;
    let path = Path::to(&server.address()).await;
    let testee = Testee::start();
    testee.create("a", &path.url(), plain(json!({}))).await;
    testee.on("a", "*").await;
    testee.connected("a").await;
    // One that is well is found to be so.
    testee.hint("a", "foreground").await;
    server.wait_heartbeat().await;
    works(&testee, 1).await;

    path.strand();
    let began = Instant::now();
    testee.hint("a", "foreground").await;
    assert_eq!(testee.wait_state("a", "waiting").await["reason"], "ping timeout");
    testee.wait_state("a", "connected").await;
    assert!(began.elapsed() < Duration::from_secs(3), "after {:?}", began.elapsed());
    works(&testee, 2).await;
}

#[tokio::test]
async fn another_namespace_is_refused() {
    let (_server, testee) = connected(json!({}), plain(json!({}))).await;
    testee.create_of("news", "a", "/news").await;
    testee.connect("news").await;
    assert_eq!(testee.wait_state("news", "failed").await["error"]["code"], 1005);
    works(&testee, 1).await;
}
