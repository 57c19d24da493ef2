//! Frames that make no sense.

use rejoin_interop::{NodeServer, Testee, is_no_handshake};
use serde_json::json;

use crate::{connected, plain, works};

#[tokio::test]
async fn what_cannot_be_read_closes_the_link_and_a_new_one_is_opened() {
    let (server, testee) = connected(json!({}), plain(json!({}))).await;
    let deep = format!(r#"{{"type":"x","a":{}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    for (n, frame) in ["hello", "[]", "{", "{}", r#"{"type":7}"#, "42[\"x\"]", "", &deep]
        .iter()
        .enumerate()
    {
        server.write_raw(frame).await;
        let waiting = testee.wait_state("a", "waiting").await;
        assert_eq!(waiting["reason"], "parse error", "{frame:.20}");
        assert_eq!(waiting["error"]["code"], 2005, "{frame:.20}");
        testee.wait_state("a", "connected").await;
        works(&testee, n as u64).await;
    }
    server.wait_open_links(1).await;
}

#[tokio::test]
async fn binary_closes_the_link() {
    let (server, testee) = connected(json!({}), plain(json!({}))).await;
    server.write_binary(b"\x01\x02").await;
    let waiting = testee.wait_state("a", "waiting").await;
    assert_eq!(
        (&waiting["reason"], &waiting["error"]["code"]),
        (&json!("parse error"), &json!(2005))
    );
    testee.wait_state("a", "connected").await;
    works(&testee, 1).await;
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_ignored() {
    let (server, testee) = connected(json!({ "features": ["ack"] }), plain(json!({}))).await;
    for frame in [
        r#"{"type":"ack","id":"nobody","ok":true}"#,
        r#"{"type":"ack"}"#,
        r#"{"type":"pong"}"#,
    ] {
        server.write_raw(frame).await;
    }
    works(&testee, 1).await;
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
}

#[tokio::test]
async fn a_server_of_socketio_says_no_greeting_and_is_a_handshake_that_fails() {
    let server = NodeServer::start(json!({})).await;
    let testee = Testee::start();
    let options = plain(json!({ "path": "/socket.io/", "connectTimeout": 300 }));
    testee.create("a", &server.url(), options).await;
    testee.connect("a").await;
    let waiting = testee.wait_state("a", "waiting").await;
    let code = &waiting["error"]["code"];
    assert!(is_no_handshake(code) || code == 2003 || code == 2005, "{waiting}");

    // The other way round too.
    let server = NodeServer::start_json(json!({})).await;
    let options = rejoin_interop::options(json!({ "path": "/ws", "transports": ["websocket"] }));
    testee.create("b", &server.url(), options).await;
    testee.connect("b").await;
    let waiting = testee.wait_state("b", "waiting").await;
    let code = &waiting["error"]["code"];
    assert!(is_no_handshake(code) || code == 2005, "{waiting}");
}
