//! Long-polling by itself keeps every promise that a WebSocket does.

use rejoin_interop::{Testee, binary};
use serde_json::{Value, json};

use crate::{client, over, polling, works};

#[tokio::test]
async fn events_and_acknowledgements_go_both_ways_with_binary() {
    let (server, testee) = polling(json!({})).await;
    let big: Vec<u8> = (0..100_000_u32).map(|i| (i % 251) as u8).collect();
    let args =
        json!([{ "file": binary(b"\x00\xff\x80"), "deep": [[binary(&big)]] }, "ö \u{1f980} \u{1e}", binary(b"")]);
    assert_eq!(json!(testee.request("a", "echo", args.clone()).await), args);

    testee.on("a", "*").await;
    server.emit("news", args.clone()).await;
    assert_eq!(testee.next_event("a", "news").await, args);
    let answer = async {
        let event = testee.wait_event("a", "question").await;
        testee.reply("a", &event, json!([binary(b"42")])).await;
    };
    let (reply, ()) = tokio::join!(server.request("question", json!([binary(b"6*7")])), answer);
    assert_eq!(reply, [binary(b"42")]);
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
}

#[tokio::test]
async fn a_burst_from_the_server_arrives_once_and_in_order() {
    let (server, testee) = polling(json!({})).await;
    testee.on("a", "n").await;
    for n in 0..100 {
        server.emit("n", json!([n])).await;
    }
    for n in 0..100 {
        assert_eq!(testee.next_event("a", "n").await, json!([n]));
    }
    works(&testee).await;
    assert_eq!(testee.events("a", "n").len(), 100);
}

#[tokio::test]
async fn a_hundred_queued_messages_are_split_by_what_the_server_takes() {
    let settings = json!({ "socketio": { "maxHttpBufferSize": 3000 } });
    let (server, testee) = client(settings, over(&["polling"])).await;
    // Text of more bytes than characters, and binary, which grows on the way.
    let args = |n: usize| match n % 4 {
        0 => json!([n, binary(&[7; 300])]),
        1 => json!([n, "ü".repeat(100)]),
        _ => json!([n, "x".repeat(200)]),
    };
    let mut receipts = Vec::new();
    for n in 0..100 {
        receipts.push(testee.emit_with("a", "echo", args(n), json!({ "ack": true })).await);
    }
    testee.connected("a").await;
    for (n, receipt) in receipts.into_iter().enumerate() {
        let outcome = testee.outcome("a", receipt).await;
        assert_eq!((outcome.name.as_str(), json!(outcome.reply)), ("delivered", args(n)));
    }
    let expected: Vec<Value> = (0..100).map(args).collect();
    assert_eq!(server.got("echo"), expected);

    let posts = server.posts();
    assert!(posts.iter().all(|bytes| *bytes <= 3000), "{posts:?}");
    // About 24 kB: not one request for each message, and not one that is too large.
    assert!((9..30).contains(&posts.len()), "{} requests: {posts:?}", posts.len());
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
}

#[tokio::test]
async fn what_is_posted_is_plain_text() {
    let (server, testee) = polling(json!({})).await;
    works(&testee).await;
    let kind = server.wait_post().await["type"].clone();
    assert_eq!(kind, "text/plain;charset=UTF-8");
}

#[tokio::test]
async fn a_heartbeat_keeps_a_quiet_session_alive_and_silence_ends_it() {
    let (server, testee) = polling(json!({ "socketio": { "pingInterval": 100, "pingTimeout": 150 } })).await;
    for _ in 0..5 {
        server.wait_heartbeat().await;
    }
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
    server.freeze();
    assert_eq!(testee.wait_state("a", "waiting").await["reason"], "ping timeout");
    server.thaw();
    testee.wait_state("a", "connected").await;
    works(&testee).await;
}

#[tokio::test]
async fn namespaces_share_one_session() {
    let (server, testee) = polling(json!({ "namespaces": ["/news"] })).await;
    testee.create_of("news", "a", "/news").await;
    testee.connected("news").await;
    testee.on("news", "hello").await;
    server.emit_in("/news", "hello", json!([1])).await;
    assert_eq!(testee.next_event("news", "hello").await, json!([1]));
    works(&testee).await;
    assert_eq!(server.links(), 1);
}

#[tokio::test]
async fn every_end_of_a_session_is_noticed_and_mended() {
    let (mut server, testee) = polling(json!({})).await;
    for close in [false, true] {
        server.disconnect_clients(close).await;
        let reason = testee.wait_state("a", "waiting").await["reason"].clone();
        assert_eq!(reason, "io server disconnect");
        back(&testee).await;
    }
    server.drop_links().await;
    let reason = testee.wait_state("a", "waiting").await["reason"].clone();
    assert!(reason == "transport error" || reason == "transport close", "{reason}");
    back(&testee).await;

    // A server that does not know the session any more.
    server.kill().await;
    testee.wait_state("a", "waiting").await;
    server.start_again().await;
    back(&testee).await;
    server.wait_open_links(1).await;
}

#[tokio::test]
async fn a_session_that_the_server_has_left_is_not_kept_open() {
    let (server, testee) = polling(json!({})).await;
    server.disconnect_clients(false).await;
    testee.wait_state("a", "waiting").await;
    back(&testee).await;
    // The server need not find out by its heartbeat.
    server.wait_open_links(1).await;
}

async fn back(testee: &Testee) {
    assert_eq!(testee.wait_state("a", "connected").await["transport"], "polling");
    works(testee).await;
}

#[tokio::test]
async fn a_disconnect_tells_the_server_behind_what_was_sent() {
    let (server, testee) = polling(json!({})).await;
    let receipt = testee.emit("a", "silence", json!(["last words"])).await;
    testee.disconnect("a").await;
    assert_eq!(testee.outcome("a", receipt).await.name, "sent");
    assert_eq!(server.wait_got("silence").await["args"], json!(["last words"]));
    assert_eq!(server.wait_leave("/").await, "client namespace disconnect");
    server.wait_open_links(0).await;
    testee.connected("a").await;
    works(&testee).await;
}
