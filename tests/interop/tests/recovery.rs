//! Connection state recovery, against npm's adapter in memory: a session that outlives its link.

use rejoin_interop::{NodeServer, Path, Testee, merged, options};
use serde_json::{Value, json};

fn recovering() -> Value {
    json!({ "socketio": { "connectionStateRecovery": { "maxDisconnectionDuration": 60_000 } } })
}

/// A client that has heard its first event, and so has an offset.
async fn begun(settings: Value, more: Value) -> (NodeServer, Testee) {
    let server = NodeServer::start(settings).await;
    let testee = Testee::start();
    testee
        .create("a", &server.url(), merged(options(json!({})), more))
        .await;
    testee.on("a", "*").await;
    testee.connected("a").await;
    server.emit("first", json!([])).await;
    testee.next_event("a", "first").await;
    (server, testee)
}

/// While the client is away the server emits these, in order.
async fn missing(server: &NodeServer, testee: &Testee, events: &[(&str, Value)]) -> Value {
    server.close().await;
    testee.wait_state("a", "waiting").await;
    for (event, args) in events {
        server.emit(event, args.clone()).await;
    }
    server.listen().await;
    testee.wait_state("a", "connected").await
}

#[tokio::test]
async fn events_that_were_missed_come_once_and_before_the_connection_is_told() {
    for transports in [json!(["websocket"]), json!(["polling"])] {
        let (server, testee) = begun(recovering(), json!({ "transports": transports })).await;
        let id = testee.state("a").await["id"].clone();
        let events = [1, 2, 3].map(|n| ("missed", json!([n, { "n": n }])));
        let connected = missing(&server, &testee, &events).await;
        assert_eq!(connected["recovered"], true);
        // The same session, as far as the server is concerned.
        assert_eq!(testee.state("a").await["id"], id);

        server.emit("last", json!([])).await;
        testee.wait_event("a", "last").await;
        let story = testee.story("a");
        let back = story.iter().position(|name| name == "waiting").expect("it was away");
        let attempts = |name: &&String| !["waiting", "connecting"].contains(&name.as_str());
        let story: Vec<&String> = story[back..].iter().filter(attempts).collect();
        assert_eq!(story, ["missed", "missed", "missed", "connected", "last"]);
        for (heard, n) in testee.events("a", "missed").iter().zip(1..) {
            assert_eq!((&heard[0], &heard[1]), (&json!(n), &json!({ "n": n })));
            // As under npm's client, handlers see the offset behind the arguments.
            assert!(heard[2].is_string(), "{heard}");
        }
    }
}

#[tokio::test]
async fn a_session_is_taken_up_again_and_again() {
    let (server, testee) = begun(recovering(), json!({})).await;
    for round in 0..4 {
        let connected = missing(
            &server,
            &testee,
            &[("missed", json!([round])), ("missed", json!([round]))],
        )
        .await;
        assert_eq!(connected["recovered"], true);
    }
    let rounds: Vec<u64> = testee
        .events("a", "missed")
        .iter()
        .filter_map(|args| args[0].as_u64())
        .collect();
    assert_eq!(rounds, [0, 0, 1, 1, 2, 2, 3, 3]);
}

#[tokio::test]
async fn rooms_are_the_servers_to_remember() {
    let (server, testee) = begun(recovering(), json!({})).await;
    server.join("tea").await;
    server.close().await;
    testee.wait_state("a", "waiting").await;
    for (whom, event) in [("tea", "ours"), ("coffee", "theirs")] {
        server.emit_to(json!({ "room": whom }), event, json!([])).await;
    }
    server.listen().await;
    assert_eq!(testee.wait_state("a", "connected").await["recovered"], true);
    server.emit_to(json!({ "room": "tea" }), "ours", json!([])).await;
    testee.wait_event("a", "ours").await;
    testee.wait_event("a", "ours").await;
    assert_eq!(testee.events("a", "theirs").len(), 0);
}

#[tokio::test]
async fn a_genuine_event_that_looks_like_one_seen_before_is_kept() {
    let (server, testee) = begun(recovering(), json!({})).await;
    let offset = testee.events("a", "first")[0][0].clone();
    let look_alike = format!("2[\"look\",{offset}]");
    // On the link as it is, and on one whose session was taken up again.
    server.write_raw(&look_alike).await;
    testee.wait_event("a", "look").await;
    let connected = missing(&server, &testee, &[("missed", json!([]))]).await;
    assert_eq!(connected["recovered"], true);
    server.write_raw(&look_alike).await;
    testee.wait_event("a", "look").await;
    assert_eq!(testee.events("a", "look"), [json!([offset]), json!([offset])]);
}

#[tokio::test]
async fn what_was_queued_goes_out_behind_what_was_missed() {
    let (server, testee) = begun(recovering(), json!({})).await;
    server.close().await;
    testee.wait_state("a", "waiting").await;
    server.emit("missed", json!([])).await;
    let receipt = testee
        .emit_with("a", "echo", json!(["queued"]), json!({ "ack": true }))
        .await;
    server.listen().await;
    testee.wait_event("a", "missed").await;
    assert_eq!(testee.outcome("a", receipt).await.reply, [json!("queued")]);
    assert_eq!(server.got("echo"), [json!(["queued"])]);
}

#[tokio::test]
async fn a_session_that_the_server_still_holds_alive_is_not_recovered() {
    let server = NodeServer::start(recovering()).await;
    let path = Path::to(&server.address()).await;
    let testee = Testee::start();
    testee.create("a", &path.url(), options(json!({}))).await;
    testee.on("a", "*").await;
    testee.connected("a").await;
    server.emit("first", json!([])).await;
    testee.next_event("a", "first").await;

    // The server sees nothing of it, and writes to the old link too.
    path.strand();
    testee.hint("a", "foreground").await;
    assert_eq!(testee.wait_state("a", "waiting").await["reason"], "ping timeout");
    assert_eq!(testee.wait_state("a", "connected").await["recovered"], false);
    server.emit("news", json!([1])).await;
    server.emit("news", json!([2])).await;
    assert_eq!(testee.next_event("a", "news").await[0], 1);
    assert_eq!(testee.next_event("a", "news").await[0], 2);
    server.wait_open_links(2).await;

    // And its new session is one that can be taken up.
    let connected = missing(&server, &testee, &[("missed", json!([]))]).await;
    assert_eq!(connected["recovered"], true);
}

#[tokio::test]
async fn a_session_that_has_expired_or_was_left_is_a_new_one() {
    let short = json!({ "socketio": { "connectionStateRecovery": { "maxDisconnectionDuration": 1 } } });
    let (server, testee) = begun(short, json!({})).await;
    let connected = missing(&server, &testee, &[("missed", json!([]))]).await;
    assert_eq!(connected["recovered"], false);

    let (server, testee) = begun(recovering(), json!({})).await;
    testee.disconnect("a").await;
    testee.wait_state("a", "closed").await;
    server.wait_open_links(0).await;
    server.emit("missed", json!([])).await;
    testee.connect("a").await;
    assert_eq!(testee.wait_state("a", "connected").await["recovered"], false);
    server.emit("last", json!([])).await;
    testee.next_event("a", "last").await;
}

#[tokio::test]
async fn a_server_that_was_started_anew_knows_no_session() {
    let (mut server, testee) = begun(recovering(), json!({})).await;
    server.kill().await;
    testee.wait_state("a", "waiting").await;
    server.start_again().await;
    assert_eq!(testee.wait_state("a", "connected").await["recovered"], false);
    server.emit("last", json!([])).await;
    testee.next_event("a", "last").await;
}
