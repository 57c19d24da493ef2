//! Events and acknowledgements in both directions, binary among them, and the handlers' register.

use rejoin_interop::{NodeServer, Testee, binary, options};
use serde_json::{Value, json};

async fn connected() -> (NodeServer, Testee) {
    let server = NodeServer::start(json!({})).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.connected("a").await;
    (server, testee)
}

/// Binary at every depth, twice the same, and empty.
fn with_binary() -> Value {
    let big: Vec<u8> = (0..70_000_u32).map(|i| (i % 251) as u8).collect();
    json!([
        { "file": binary(b"\x00\xff\x80"), "parts": [binary(b"one"), { "deep": [[binary(&big)]] }, 2] },
        "between",
        binary(b"one"),
        binary(b""),
    ])
}

#[tokio::test]
async fn the_servers_acknowledgement_carries_every_argument() {
    let (_server, testee) = connected().await;
    let args = json!([1, "two", { "three": [3] }]);
    assert_eq!(json!(testee.request("a", "echo", args.clone()).await), args);
    assert_eq!(testee.request("a", "echo", json!([])).await, [] as [Value; 0]);
}

#[tokio::test]
async fn acknowledgements_find_their_emit_whatever_their_order() {
    let (_server, testee) = connected().await;
    let mut receipts = Vec::new();
    for n in 0..50 {
        receipts.push(testee.emit_with("a", "echo", json!([n]), json!({ "ack": true })).await);
    }
    for (n, receipt) in receipts.into_iter().enumerate().rev() {
        assert_eq!(testee.outcome("a", receipt).await.reply, [json!(n)]);
    }
}

#[tokio::test]
async fn the_client_acknowledges_what_the_server_asks() {
    let (server, testee) = connected().await;
    testee.on("a", "question").await;
    let answer = async {
        let event = testee.wait_event("a", "question").await;
        assert_eq!(event["args"], json!([6, 7]));
        testee.reply("a", &event, json!([42, { "sure": true }])).await;
    };
    let (reply, ()) = tokio::join!(server.request("question", json!([6, 7])), answer);
    assert_eq!(reply, [json!(42), json!({ "sure": true })]);
}

#[tokio::test]
async fn an_event_that_asks_for_nothing_carries_no_acknowledgement() {
    let (server, testee) = connected().await;
    testee.on("a", "news").await;
    server.emit("news", json!([])).await;
    let event = testee.wait_event("a", "news").await;
    assert!(event["ack"].is_null(), "{event}");
}

#[tokio::test]
async fn binary_arrives_at_the_server_nested_and_several() {
    let (server, testee) = connected().await;
    testee.emit("a", "upload", with_binary()).await;
    assert_eq!(server.wait_got("upload").await["args"], with_binary());
}

#[tokio::test]
async fn binary_arrives_at_the_client_nested_and_several() {
    let (server, testee) = connected().await;
    testee.on("a", "download").await;
    server.emit("download", with_binary()).await;
    assert_eq!(testee.next_event("a", "download").await, with_binary());
}

#[tokio::test]
async fn binary_travels_in_acknowledgements_both_ways() {
    let (server, testee) = connected().await;
    assert_eq!(json!(testee.request("a", "echo", with_binary()).await), with_binary());

    testee.on("a", "question").await;
    let answer = async {
        let event = testee.wait_event("a", "question").await;
        assert_eq!(event["args"], with_binary());
        testee.reply("a", &event, with_binary()).await;
    };
    let (reply, ()) = tokio::join!(server.request("question", with_binary()), answer);
    assert_eq!(json!(reply), with_binary());
}

#[tokio::test]
async fn a_field_that_looks_like_a_placeholder_is_left_alone() {
    let (server, testee) = connected().await;
    let args = json!([{ "num": 0, "_placeholder": false }, { "_placeholder": "true", "num": "0" }]);
    testee.emit("a", "plain", args.clone()).await;
    assert_eq!(server.wait_got("plain").await["args"], args);
}

#[tokio::test]
async fn json_arrives_as_it_was_sent() {
    let (server, testee) = connected().await;
    testee.on("a", "echo").await;
    let args = json!([
        null,
        true,
        0,
        -1.5e-7,
        9_007_199_254_740_991_u64,
        "",
        "quote \" backslash \\ newline \n tab \t nul \u{0} line \u{2028} 🦀 é",
        [[], {}, [null]],
        { "": 1, "a\"b": { "ключ": "значение" } },
    ]);
    testee.emit("a", "echo", args.clone()).await;
    assert_eq!(server.wait_got("echo").await["args"], args);
    assert_eq!(testee.next_event("a", "echo").await, args);
}

#[tokio::test]
async fn an_events_name_may_be_any_text() {
    let (server, testee) = connected().await;
    for name in ["", "a \"quoted\" name", "имя 🦀", "message", "12"] {
        testee.on("a", name).await;
        testee.emit("a", name, json!([name])).await;
        assert_eq!(server.wait_got(name).await["args"], json!([name]));
        server.emit(name, json!([name])).await;
        assert_eq!(testee.next_event("a", name).await, json!([name]));
    }
}

#[tokio::test]
async fn events_arrive_in_the_order_of_the_server() {
    let (server, testee) = connected().await;
    testee.on("a", "n").await;
    for n in 0..200 {
        server.emit("n", json!([n])).await;
    }
    for n in 0..200 {
        assert_eq!(testee.next_event("a", "n").await, json!([n]));
    }
}

#[tokio::test]
async fn emits_arrive_in_the_order_of_the_client() {
    let (server, testee) = connected().await;
    for n in 0..200 {
        testee.emit("a", "n", json!([n])).await;
    }
    for n in 0..200 {
        assert_eq!(server.wait_got("n").await["args"], json!([n]));
    }
}

#[tokio::test]
async fn once_hears_one_event_and_off_ends_a_handler() {
    let (server, testee) = connected().await;
    testee.on("a", "end").await;
    testee.on("a", "x").await;
    testee.once("a", "y").await;
    for event in ["x", "y", "y", "x", "end"] {
        server.emit(event, json!([event])).await;
    }
    for event in ["x", "y", "x", "end"] {
        testee.next_event("a", event).await;
    }

    testee.off("a", "x").await;
    testee.once("a", "y").await;
    for event in ["x", "y", "end"] {
        server.emit(event, json!([event])).await;
    }
    for event in ["y", "end"] {
        testee.next_event("a", event).await;
    }
}

#[tokio::test]
async fn a_handler_of_every_event_hears_each_once() {
    let (server, testee) = connected().await;
    testee.on("a", "*").await;
    for n in 0..5 {
        server.emit("even", json!([n])).await;
        server.emit("odd", json!([n])).await;
    }
    for n in 0..5 {
        assert_eq!(testee.next_event("a", "even").await, json!([n]));
        assert_eq!(testee.next_event("a", "odd").await, json!([n]));
    }

    testee.off("a", "*").await;
    testee.on("a", "end").await;
    server.emit("even", json!([])).await;
    server.emit("end", json!([])).await;
    testee.next_event("a", "end").await;
}
