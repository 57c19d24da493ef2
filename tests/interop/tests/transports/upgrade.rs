//! From long-polling to a WebSocket, under traffic.

use serde_json::{Value, json};

use crate::{client, over, works};

const BOTH: [&str; 2] = ["polling", "websocket"];

#[tokio::test]
async fn polling_gives_way_to_a_websocket_and_nothing_is_lost_or_repeated() {
    let (server, testee) = client(json!({}), over(&BOTH)).await;
    testee.on("a", "n").await;
    testee.connect("a").await;
    assert_eq!(testee.wait_state("a", "connected").await["transport"], "polling");
    let mut receipts = Vec::new();
    for n in 0..200 {
        receipts.push(testee.emit_with("a", "echo", json!([n]), json!({ "ack": true })).await);
        server.emit("n", json!([n])).await;
    }
    assert_eq!(server.wait_upgrade().await, "websocket");
    for (n, receipt) in receipts.into_iter().enumerate() {
        assert_eq!(testee.outcome("a", receipt).await.reply, [json!(n)]);
        assert_eq!(testee.next_event("a", "n").await, json!([n]));
    }
    works(&testee).await;
    let numbers: Vec<Value> = (0..200).map(|n| json!([n])).collect();
    assert_eq!(server.got("echo")[..200], numbers);
    assert_eq!(testee.events("a", "n"), numbers);

    // It is one session, one connection, and no change of state.
    assert_eq!(server.sockets().await[0]["transport"], "websocket");
    assert_eq!(testee.state("a").await["transport"], "websocket");
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
    assert_eq!(server.links(), 1);
}

#[tokio::test]
async fn after_an_upgrade_the_next_attempt_starts_with_the_websocket() {
    let (server, testee) = client(json!({}), over(&BOTH)).await;
    testee.connected("a").await;
    server.wait_upgrade().await;
    works(&testee).await;
    server.drop_links().await;
    testee.wait_state("a", "waiting").await;
    assert_eq!(testee.wait_state("a", "connected").await["transport"], "websocket");
}

#[tokio::test]
async fn a_heartbeat_goes_on_over_the_websocket() {
    let settings = json!({ "socketio": { "pingInterval": 100, "pingTimeout": 150 } });
    let (server, testee) = client(settings, over(&BOTH)).await;
    testee.connected("a").await;
    server.wait_upgrade().await;
    for _ in 0..5 {
        server.wait_heartbeat().await;
    }
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
}

#[tokio::test]
async fn a_websocket_that_cannot_be_had_leaves_the_session_on_polling() {
    for answer in [json!(403), json!("silent")] {
        let (server, testee) = client(json!({ "gate": { "upgrade": answer } }), over(&BOTH)).await;
        testee.on("a", "n").await;
        testee.connected("a").await;
        server.wait_turned_away().await;
        for n in 0..20 {
            assert_eq!(testee.request("a", "echo", json!([n])).await, [json!(n)]);
            server.emit("n", json!([n])).await;
            assert_eq!(testee.next_event("a", "n").await, json!([n]));
        }
        assert_eq!(testee.state("a").await["transport"], "polling");
        assert_eq!(testee.states("a"), ["connecting", "connected"]);
        assert_eq!(server.links(), 1);
    }
}

#[tokio::test]
async fn no_websocket_is_tried_where_the_server_offers_none_or_the_client_wants_none() {
    let offers_none = json!({ "socketio": { "allowUpgrades": false } });
    for (settings, transports) in [(offers_none, &BOTH[..]), (json!({}), &BOTH[..1])] {
        // Were one tried, it would be turned away, which is reported.
        let settings = rejoin_interop::merged(settings, json!({ "gate": { "upgrade": 403 } }));
        let (server, testee) = client(settings, over(transports)).await;
        testee.connected("a").await;
        for _ in 0..5 {
            works(&testee).await;
        }
        assert_eq!(server.turned_away(), 0);
        assert_eq!(testee.state("a").await["transport"], "polling");
    }
}

#[tokio::test]
async fn a_link_that_breaks_during_the_upgrade_is_made_anew() {
    let (server, testee) = client(json!({}), over(&BOTH)).await;
    testee.connect("a").await;
    for _ in 0..5 {
        testee.wait_state("a", "connected").await;
        server.drop_links().await;
        testee.wait_state("a", "waiting").await;
    }
    testee.wait_state("a", "connected").await;
    works(&testee).await;
    server.wait_open_links(1).await;
}
