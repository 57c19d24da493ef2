//! Connecting, namespaces over one link, and ending.

use rejoin_interop::{NodeServer, Testee, in_browser, options};
use serde_json::json;

#[tokio::test]
async fn a_client_connects_and_tells_each_step() {
    let server = NodeServer::start(json!({})).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    assert_eq!(testee.state("a").await["state"], "idle");

    testee.connect("a").await;
    let connected = testee.wait_state("a", "connected").await;
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
    assert_eq!(connected["transport"], "websocket");
    assert_eq!(connected["recovered"], false);
    assert!(connected["reason"].is_null(), "{connected}");

    let state = testee.state("a").await;
    assert_eq!(state["state"], "connected");
    assert_eq!(state["id"], server.wait_join("/").await["socket"]);
}

#[tokio::test]
async fn what_the_server_emits_as_one_joins_is_heard() {
    let server = NodeServer::start(json!({ "greeting": ["welcome", "in"] })).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.on("a", "welcome").await;
    for _ in 0..3 {
        testee.connected("a").await;
        assert_eq!(testee.next_event("a", "welcome").await, json!(["in"]));
        testee.disconnect("a").await;
        testee.wait_state("a", "closed").await;
    }
}

#[tokio::test]
async fn path_and_query_reach_the_server() {
    let server = NodeServer::start(json!({ "socketio": { "path": "/realtime" } })).await;
    let testee = Testee::start();
    let options = options(json!({
        "path": "/realtime",
        "query": { "team": "red & blue", "größe": "ü+1" },
    }));
    testee.create("a", &server.url(), options).await;
    testee.connected("a").await;

    let link = server.wait_link().await;
    assert_eq!(link["path"], "/realtime/");
    assert_eq!(link["query"]["team"], "red & blue");
    assert_eq!(link["query"]["größe"], "ü+1");
    assert_eq!(link["query"]["EIO"], "4");
}

#[tokio::test]
async fn headers_reach_the_server_or_are_refused_where_there_can_be_none() {
    let server = NodeServer::start(json!({})).await;
    let testee = Testee::start();
    let options = options(json!({ "headers": { "X-Trace": "abc-1" } }));
    if in_browser() {
        let create = json!({ "op": "create", "client": "a", "url": server.url(), "options": options });
        assert_eq!(testee.refused(create).await.code, 1005);
        return;
    }
    testee.create("a", &server.url(), options).await;
    testee.connected("a").await;
    assert_eq!(server.wait_link().await["headers"]["x-trace"], "abc-1");
}

#[tokio::test]
async fn several_namespaces_share_one_link_and_keep_their_events_apart() {
    let server = NodeServer::start(json!({ "namespaces": ["/news", "/admin"] })).await;
    let testee = Testee::start();
    testee.create("root", &server.url(), options(json!({}))).await;
    testee.create_of("news", "root", "/news").await;
    testee.create_of("admin", "root", "/admin").await;
    for client in ["root", "news", "admin"] {
        testee.on(client, "hello").await;
        testee.connect(client).await;
    }
    for client in ["root", "news", "admin"] {
        testee.wait_state(client, "connected").await;
        assert_eq!(testee.request(client, "echo", json!([client])).await, [json!(client)]);
    }

    server.emit_in("/news", "hello", json!(["from news"])).await;
    server.emit_in("/admin", "hello", json!(["from admin"])).await;
    server.emit("hello", json!(["from root"])).await;
    for client in ["root", "news", "admin"] {
        assert_eq!(
            testee.next_event(client, "hello").await,
            json!([format!("from {client}")])
        );
    }
    assert_eq!(server.links(), 1);
}

#[tokio::test]
async fn a_namespace_that_is_refused_ends_alone() {
    let server = NodeServer::start(json!({})).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.create_of("nowhere", "a", "/nowhere").await;
    testee.connected("a").await;

    testee.connect("nowhere").await;
    let failed = testee.wait_state("nowhere", "failed").await;
    assert_eq!(failed["reason"], "connect error");
    assert_eq!(failed["error"]["code"], 3001, "{failed}");
    assert!(
        failed["error"]["message"]
            .as_str()
            .is_some_and(|said| said.contains("Invalid namespace")),
        "{failed}"
    );

    assert_eq!(testee.request("a", "echo", json!(["still"])).await, [json!("still")]);
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
    assert_eq!(server.links(), 1);
}

#[tokio::test]
async fn one_namespace_can_be_left_while_the_link_serves_the_other() {
    let server = NodeServer::start(json!({ "namespaces": ["/news"] })).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.create_of("news", "a", "/news").await;
    testee.connected("a").await;
    testee.connected("news").await;

    testee.disconnect("news").await;
    assert_eq!(
        testee.wait_state("news", "closed").await["reason"],
        "io client disconnect"
    );
    assert_eq!(server.wait_leave("/news").await, "client namespace disconnect");
    assert_eq!(testee.request("a", "echo", json!([1])).await, [json!(1)]);

    testee.connected("news").await;
    assert_eq!(testee.request("news", "echo", json!([2])).await, [json!(2)]);
    assert_eq!(server.links(), 1);
}

#[tokio::test]
async fn a_client_disconnects_and_connects_again() {
    let server = NodeServer::start(json!({})).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.connected("a").await;
    let first = server.wait_join("/").await["socket"].clone();

    testee.disconnect("a").await;
    assert_eq!(testee.wait_state("a", "closed").await["reason"], "io client disconnect");
    assert_eq!(server.wait_leave("/").await, "client namespace disconnect");
    server.wait_open_links(0).await;

    testee.connected("a").await;
    assert_ne!(server.wait_join("/").await["socket"], first);
    assert_eq!(testee.request("a", "echo", json!(["back"])).await, [json!("back")]);
    assert_eq!(
        testee.states("a"),
        ["connecting", "connected", "closed", "connecting", "connected"]
    );
}

#[tokio::test]
async fn connecting_and_disconnecting_in_haste_leaves_one_link() {
    let server = NodeServer::start(json!({})).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    for _ in 0..5 {
        testee.connect("a").await;
        testee.disconnect("a").await;
    }
    testee.connect("a").await;
    testee.connect("a").await;
    testee.wait_state("a", "connected").await;
    assert_eq!(testee.request("a", "echo", json!([1])).await, [json!(1)]);
    server.wait_open_links(1).await;
    assert_eq!(testee.state("a").await["state"], "connected");
}

#[tokio::test]
async fn the_program_ends_with_its_input_and_closes_its_clients() {
    let server = NodeServer::start(json!({})).await;
    for by_command in [true, false] {
        let testee = Testee::start();
        testee.create("a", &server.url(), options(json!({}))).await;
        testee.connected("a").await;
        let status = if by_command {
            testee.exit().await
        } else {
            testee.close_input().await
        };
        assert_eq!(status, Some(0));
        server.wait_open_links(0).await;
    }
}
