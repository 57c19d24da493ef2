//! What is refused before anything is sent, and the program that goes on after it.

use rejoin_interop::{NodeServer, Testee, binary, options};
use serde_json::{Value, json};

#[tokio::test]
async fn an_unknown_option_is_refused() {
    let testee = Testee::start();
    for options in [
        json!({ "recnonect": {} }),
        json!({ "reconnect": { "initial": 10 } }),
        json!({ "queue": { "size": 10 } }),
        json!({ "queue": { "overflow": "dropNewest" } }),
        json!({ "delivery": "exactlyOnce" }),
    ] {
        let create = json!({ "op": "create", "client": "a", "url": "http://127.0.0.1:9", "options": options });
        assert_eq!(testee.refused(create).await.code, 1002, "{options}");
    }
    testee.create("a", "http://127.0.0.1:9", options(json!({}))).await;
}

#[tokio::test]
async fn an_address_that_cannot_be_used_is_refused() {
    let testee = Testee::start();
    for url in [
        "",
        "not an address",
        "ftp://127.0.0.1",
        "http://",
        "http://127.0.0.1:99999",
    ] {
        let create = json!({ "op": "create", "client": "a", "url": url, "options": options(json!({})) });
        assert_eq!(testee.refused(create).await.code, 1001, "{url}");
    }
}

#[tokio::test]
async fn what_a_server_would_close_the_link_for_is_refused_at_once() {
    let server = NodeServer::start(json!({ "socketio": { "maxHttpBufferSize": 5_000 } })).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.connected("a").await;

    let reserved = [
        "connect",
        "connect_error",
        "disconnect",
        "disconnecting",
        "newListener",
        "removeListener",
    ];
    let mut refused: Vec<(&str, Value)> = reserved.map(|name| (name, json!([]))).into();
    refused.push(("too many", vec![binary(b"x"); 11].into()));
    refused.push(("too large", json!(["x".repeat(5_000)])));
    for (event, args) in refused {
        let emit = json!({ "op": "emit", "client": "a", "event": event, "args": args });
        assert_eq!(testee.refused(emit).await.code, 1003, "{event}");
    }

    let most = Value::from(vec![binary(b"x"); 10]);
    assert_eq!(json!(testee.request("a", "echo", most.clone()).await), most);
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
}

#[tokio::test]
async fn a_line_that_makes_no_sense_is_answered_and_the_program_goes_on() {
    let server = NodeServer::start(json!({})).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    for line in ["{not json", "[]", "12", "{}"] {
        testee.refused_line(line).await;
    }
    testee.refused(json!({ "op": "fly", "client": "a" })).await;
    testee.refused(json!({ "op": "connect", "client": "nobody" })).await;
    testee.refused(json!({ "op": "emit", "client": "a" })).await;

    testee.connected("a").await;
    assert_eq!(testee.request("a", "echo", json!([1])).await, [json!(1)]);
}
