//! What a server says before it ends a session: `closing`.

use rejoin_interop::{NodeServer, Testee, options};
use serde_json::{Value, json};

async fn connected() -> (NodeServer, Testee) {
    let server = NodeServer::start(json!({ "namespaces": ["/news"] })).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.connected("a").await;
    (server, testee)
}

/// The server says it, and ends the session: by a packet, with the link, or by the link alone.
async fn closes(server: &NodeServer, closing: Value, how: &str) {
    server.emit("closing", json!([closing])).await;
    match how {
        "namespace" => server.disconnect_clients(false).await,
        "link" => server.disconnect_clients(true).await,
        _ => server.drop_links().await,
    }
}

#[tokio::test]
async fn a_client_that_is_replaced_or_banned_does_not_come_back_by_itself() {
    for code in ["replaced", "banned"] {
        for how in ["namespace", "link", "drop"] {
            let (server, testee) = connected().await;
            testee.on("a", "closing").await;
            let said = json!({ "code": code, "message": "you are here twice" });
            closes(&server, said.clone(), how).await;
            let failed = testee.wait_state("a", "failed").await;
            assert_eq!(failed["reason"], code, "{how}: {failed}");
            assert_eq!(failed["error"]["code"], 2008);
            let message = failed["error"]["message"].as_str().unwrap_or_default();
            assert!(message.contains("you are here twice"), "{failed}");
            assert_eq!(testee.next_event("a", "closing").await, json!([said]));
            server.wait_open_links(0).await;
            assert_eq!(testee.states("a"), ["connecting", "connected", "failed"]);

            // The user may want it all the same.
            testee.connected("a").await;
            assert_eq!(testee.request("a", "echo", json!([1])).await, [json!(1)]);
        }
    }
}

#[tokio::test]
async fn a_server_that_shuts_down_is_asked_again_and_not_before_it_says() {
    for how in ["namespace", "link", "drop"] {
        let (server, testee) = connected().await;
        let said = json!({ "code": "shutdown", "message": "an update", "retryAfterMs": 400 });
        closes(&server, said, how).await;
        let waiting = testee.wait_state("a", "waiting").await;
        assert_eq!(waiting["reason"], "shutdown", "{how}");
        let wait = waiting["retryIn"].as_u64().expect("milliseconds");
        assert!((400..=500).contains(&wait), "{how}: {waiting}");
        testee.wait_state("a", "connected").await;
    }
}

#[tokio::test]
async fn a_client_that_was_idle_comes_back() {
    let (server, testee) = connected().await;
    closes(
        &server,
        json!({ "code": "idle", "message": "nothing for an hour" }),
        "namespace",
    )
    .await;
    assert_eq!(
        testee.wait_state("a", "waiting").await["reason"],
        "io server disconnect"
    );
    testee.wait_state("a", "connected").await;
}

#[tokio::test]
async fn a_namespace_that_is_banned_ends_alone() {
    let (server, testee) = connected().await;
    testee.create_of("news", "a", "/news").await;
    testee.connected("news").await;
    server
        .emit_in("/news", "closing", json!([{ "code": "banned", "message": "go" }]))
        .await;
    server.disconnect_in("/news").await;
    assert_eq!(testee.wait_state("news", "failed").await["reason"], "banned");
    assert_eq!(testee.request("a", "echo", json!([1])).await, [json!(1)]);
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
    assert_eq!(server.links(), 1);
}

#[tokio::test]
async fn an_event_of_that_name_with_another_code_is_the_apps() {
    let (server, testee) = connected().await;
    testee.on("a", "closing").await;
    closes(&server, json!({ "code": "shop", "message": "at eight" }), "namespace").await;
    testee.next_event("a", "closing").await;
    assert_eq!(
        testee.wait_state("a", "waiting").await["reason"],
        "io server disconnect"
    );
    testee.wait_state("a", "connected").await;
}
